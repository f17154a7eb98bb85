"""The league of a release: the deficits with all partners ranked, and who reduced theirs.

The arithmetic is that of `balances`; here its results are put side by side for one release, told as
facts and drawn. Dark is a deficit that shrank, pale one that grew, in colour and in grey print alike;
the partner of the notebook has the highlight.
"""

from dataclasses import dataclass, field

import pandas as pd
from matplotlib.axes import Axes

from tradelib import balances
from tradelib.briefs.brief import Brief
from tradelib.briefs.goods import NO_BASE
from tradelib.briefs.place import EVERYBODY, HARDLY_PCT
from tradelib.briefs.selection import CANADA
from tradelib.briefs.sentences import title as titled
from tradelib.briefs.snapshot import Snapshot
from tradelib.briefs.total import FEW, ITEMS, named
from tradelib.briefs.verbs import FLOOR_USD, TOO_MUCH_PCT
from tradelib.partners import WORLD, countries, partner
from tradelib.studies.study import Study
from tradelib.style import house as style
from tradelib.style import marks, words
from tradelib.style.house import COLOURS, Chart, Unit, styled
from tradelib.style.tables import published
from tradelib.windows import Window

#: What became of a deficit; "turned" is into a surplus, "fell into" is a surplus that became a deficit.
OUTCOMES = ("reduced", "turned", "grew", "unchanged", "fell into", "no deficit", "no year earlier")
SHRANK = ("reduced", "turned")
LARGEST = 15  # deficits in goods that are told by name, and drawn
EACH = 12  # changes drawn each way
NOTABLE = 1e9  # dollars of a new deficit in goods that is told
SHORT = 5  # countries that a title can name
CONTRIBUTORS = 5  # countries told each way
GAP = 0.5  # rows, between the largest and a partner that is not among them
KEY = "Dark: the deficit shrank; pale: it grew."


@dataclass(frozen=True)
class League:
    """The countries ranked with one release, by deficit. Made by `of_goods` and `of_total`.

    Attributes
    ----------
    snapshot : Snapshot
    item : {"goods", "total"}
    table : str
        What the balances were read from.
    window : Window
        Year to date; compared with the same months or quarters a year earlier.
    universe : str
        Who was ranked, in words.
    rows : DataFrame
        Index partner, largest deficit first; `rank`, `rank_before`, `balance_usd`, `before_usd`,
        `change_usd`, `reduction_pct` (only where both are deficits) and `outcome`, one of `OUTCOMES`.
    """

    snapshot: Snapshot
    item: str
    table: str
    window: Window
    universe: str
    rows: pd.DataFrame = field(repr=False)

    @property
    def lag(self) -> int:
        """Days by which the vintage is later than the as-of date."""
        return self.snapshot.lag(self.table)

    @property
    def method(self) -> str:
        """Say how the vintage stands to the as-of date; Canada, ranked too, decides it."""
        return self.snapshot.method(self.table, CANADA)


class Leagues(Study):
    """A brief with the facts `league.*`. Made by `study`.

    Attributes
    ----------
    leagues : dict of str to League or None
        "goods", all single countries; "total", goods and services with those of Exhibit 20, None where
        no table of services by quarter reaches the release.
    """

    def __init__(self, brief: Brief):
        super().__init__(brief)
        self.leagues = {"goods": of_goods(brief.snapshot), "total": of_total(brief.snapshot)}


def study(brief: Brief) -> Leagues:
    """Rank the partners of a release, and tell who reduced the deficit.

    Parameters
    ----------
    brief : Brief
        From `tradelib.brief`; its partner is the one that charts stress.

    Returns
    -------
    Leagues
        The facts of the brief, those whose ids start with `league.goods.` and `league.total.`, and the
        tables behind them: `leagues["goods"].rows`.

    Examples
    --------
    >>> import tradelib as tl
    >>> found = study(tl.brief("KOR", "2018-07"))
    >>> print(tl.say(found, "It shrank with {league.total.reducers:count}: {league.total.reducers:moved}."))
    It shrank with three: South Korea (by 65.5 percent, to $979 million), France (by 5.2 percent, to $6.9
    billion) and India (by 2.6 percent, to $14.1 billion).
    """
    found = Leagues(brief)
    for item, league in found.leagues.items():
        _deficits(found, item, league)
        _lists(found, item, league)
        _first(found, item, league)
    _contributors(found, found.leagues["goods"])
    return found


def of_goods(snapshot: Snapshot) -> League:
    """Rank all single countries by their goods deficit, year to date, Census basis."""
    (sums, table), ranks = snapshot.ranked_goods, snapshot.goods_ranks
    now, before = (sums[name]["balance_usd"] for name in ("ytd", "ytd before"))
    found = balances.reducers(now, before, countries(in_year=snapshot.month.year))
    rows = standings(now, before, ranks["now"], ranks["before"], found)
    return League(snapshot, "goods", table, snapshot.months, EVERYBODY.format(n=len(rows)), rows)


def of_total(snapshot: Snapshot) -> League | None:
    """Rank the countries of the release's Exhibit 20 by deficit in goods and services, BOP basis."""
    if snapshot.trade_table not in snapshot.sources:
        return None
    ranks = snapshot.total_ranks, snapshot.total_ranks_before
    rows = standings(*snapshot.total_balances, *ranks, snapshot.total_reducers)
    return League(snapshot, "total", snapshot.trade_table, snapshot.quarters, snapshot.universe[1], rows)


def standings(
    now: pd.Series, before: pd.Series, ranks: pd.Series, earlier: pd.Series, reducers: pd.DataFrame
) -> pd.DataFrame:
    """Put balances, ranks now and earlier, and reductions side by side: the rows of a League."""
    rows = pd.DataFrame({"rank": ranks}).rename_axis("partner")
    rows["rank_before"] = earlier.reindex(rows.index).astype("Int64")
    rows["balance_usd"], rows["before_usd"] = now.reindex(rows.index), before.reindex(rows.index)
    rows["change_usd"] = rows["balance_usd"] - rows["before_usd"]
    deficit, earlier_deficit = ((-rows[name]).clip(lower=0) for name in ("balance_usd", "before_usd"))
    rows["shrank_usd"] = earlier_deficit - deficit  # a deficit that became a surplus shrank by what it was
    rows["reduction_pct"] = balances.deficit_reduction(rows["balance_usd"], rows["before_usd"])
    rows["outcome"] = _outcomes(rows, reducers.index)
    return rows


def _outcomes(rows: pd.DataFrame, reduced: pd.Index) -> pd.Series:
    """Name what became of each deficit; who reduced is asked of `balances.reducers` alone."""
    now, before = rows["balance_usd"], rows["before_usd"]
    shrank = rows.index.isin(reduced)
    cases = {
        "no year earlier": before.isna(),
        "turned": shrank & (now >= 0),
        "reduced": shrank,
        "fell into": (before >= 0) & (now < 0),
        "no deficit": before >= 0,
        "unchanged": now == before,
    }
    outcome = pd.Series("grew", rows.index)
    for name, holds in reversed(cases.items()):
        outcome[holds] = name
    return outcome


def largest(league: League, count: int, code: str = "") -> pd.DataFrame:
    """Take the largest deficits, and one partner's own row if it has a deficit too."""
    deficits = league.rows[league.rows["balance_usd"] < 0]
    kept = deficits.index[:count].union([code] * (code in deficits.index), sort=False)
    return deficits.loc[kept].sort_values("rank", kind="stable")


def who_reduced(league: League, *, at_least: float = 0.0) -> pd.DataFrame:
    """Find the countries whose deficit shrank or became a surplus, most dollars first."""
    rows = league.rows
    shrank = rows[rows["outcome"].isin(SHRANK) & (rows["before_usd"] <= -at_least)]
    return shrank.sort_values("shrank_usd", ascending=False, kind="stable")


def name_of(code: str) -> str:
    """Name a country as a row of a table or chart does."""
    return partner(code).prose.removeprefix("the ")


# --- facts --------------------------------------------------------------------------------------


def _put(found: Leagues, id: str, value, *, unit: str, label: str, window=None, **more) -> None:
    """Write a fact of a league: it compares with a year earlier, so that without one there is none."""
    s, item = found.snapshot, id.split(".")[1]
    league = found.leagues[item]
    if league and league.rows["before_usd"].isna().all():
        value, more["reason"] = None, NO_BASE
    span = league.window if league else s.quarters
    found.add(
        id,
        value,
        unit=unit,
        window=window or f"{span} vs {span.year_earlier}",
        label=label,
        table=league.table if league else s.trade_table,
        rows_of=CANADA,  # one of those ranked
        universe=league.universe if league else s.universe[1],
        **more,
    )


def _had_deficits(league: League) -> pd.DataFrame:
    """The deficits of a year earlier, the largest first."""
    rows = league.rows
    return rows[rows["before_usd"] < 0].sort_values("before_usd", kind="stable")


def _deficits(found: Leagues, item: str, league: League | None) -> None:
    """With how many countries there was a deficit a year earlier, and what became of all of them."""
    outcomes = None if league is None else _had_deficits(league)["outcome"]
    earlier = (league.window if league else found.quarters).year_earlier
    among = league.universe.split(";")[0].replace(" with goods rows", "") if league else None
    id, label = (
        f"league.{item}.deficits",
        f"Countries with a U.S. deficit in {ITEMS[item]}, {words.span(earlier)}",
    )
    count = None if league is None else len(outcomes)
    _put(found, id, count, unit="count", label=label, window=earlier, among=among)
    for name, outcome, became in (("shrank", "reduced", "shrank"), ("turned", "turned", "became a surplus")):
        count = None if league is None else int(outcomes.eq(outcome).sum())
        _put(
            found, f"{id}.{name}", count, unit="count", label=f"{label}, of those the ones where it {became}"
        )


def _lists(found: Leagues, item: str, league: League | None) -> None:
    """Who reduced, whose grew, of the largest of a year earlier; who is new; whose of today's is smaller."""
    what = f"U.S. deficits in {ITEMS[item]}"
    then, now, new = _shown(league) if league else [pd.DataFrame({"outcome": []})] * 3
    for name, outcomes, rows, label in (
        ("reducers", SHRANK, then, f"Those of the {len(then)} largest {what} of a year earlier that shrank"),
        ("grew", ["grew"], then, f"Those of the {len(then)} largest {what} of a year earlier that grew"),
        ("new", ["fell into"], new, f"New {what}"),
        (
            "smaller",
            ["reduced"],
            now,
            f"Those of the {len(now)} largest {what} that were larger a year earlier",
        ),
    ):
        kept = rows[rows["outcome"].isin(outcomes)].to_dict("index")
        _put(
            found,
            f"league.{item}.{name}",
            [_entry(code, row) for code, row in kept.items()] if league else None,
            unit="list",
            label=label,
            n=len(rows),
            all=0 < len(kept) == len(rows),
            few=0 < FEW * len(kept) <= len(rows),
            short=0 < len(kept) <= SHORT,
        )


def _shown(league: League) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The largest deficits of a year earlier, most reduced first; those of today; and those that are new."""
    had, rows = _had_deficits(league), league.rows
    then = had.iloc[:LARGEST] if league.item == "goods" else had
    reduced = then[then["outcome"].isin(SHRANK)]
    reduced = reduced.sort_values("reduction_pct", ascending=False, na_position="first", kind="stable")
    then = pd.concat([reduced, then.drop(reduced.index)])
    now = largest(league, LARGEST).dropna(subset="before_usd")
    return then, now, rows[rows["balance_usd"] <= -NOTABLE] if league.item == "goods" else rows


def _entry(code: str, row: dict) -> dict:
    """A country of a list, with what became of its balance."""
    pct = row["reduction_pct"]
    usd = {name: row[name] for name in ("balance_usd", "change_usd")}
    return named(code) | usd | {"reduction_pct": None if words.missing(pct) else pct}


def _first(found: Leagues, item: str, league: League | None) -> None:
    """With whom the deficit shrank, and grew, by most dollars."""
    firsts = {"most_reduced": None, "most_grown": None}
    if league is not None:
        rows = league.rows
        grew = rows[rows["outcome"].isin(["grew", "fell into"])].sort_values("shrank_usd", kind="stable")
        firsts = {"most_reduced": who_reduced(league), "most_grown": grew}
    for (name, rows), became in zip(firsts.items(), ("shrank", "grew"), strict=True):
        there = rows is not None and len(rows) > 0
        _put(
            found,
            f"league.{item}.{name}",
            rows["shrank_usd"].iloc[0] if there else None,
            unit="USD",
            label=f"The U.S. deficit in {ITEMS[item]} that {became} most",
            reason="there is none",
            country=partner(rows.index[0]).prose if there else None,
        )


def _contributors(found: Leagues, league: League) -> None:
    """With whom trade added most to the U.S. goods deficit, and took most off it: of all single countries."""
    (sums, _), rows = found.snapshot.ranked_goods, league.rows
    world = [sums[name]["balance_usd"].get(WORLD, float("nan")) for name in ("ytd", "ytd before")]
    change, added = world[1] - world[0], -rows["change_usd"].dropna()
    hardly = words.missing(change) or abs(change) < HARDLY_PCT / 100 * abs(world[1])
    for name, sign, told in (("added", 1, "added most to"), ("took_off", -1, "took most off")):
        kept = added[added * sign > 0].sort_values(ascending=sign < 0, kind="stable").iloc[:CONTRIBUTORS]
        along = not hardly and change * sign > 0
        _put(
            found,
            f"league.goods.{name}",
            [
                named(code)
                | {"contribution_usd": usd, "pct_of_change": 100 * usd / change if along else None}
                for code, usd in kept.items()
            ],
            unit="list",
            label=f"Countries that {told} the U.S. goods deficit on a year earlier",
            n=len(added),
        )


# --- the table ----------------------------------------------------------------------------------
def table(found: Leagues, item: str, rows: str | pd.DataFrame = "largest", *, caption: str = ""):
    """Print rows of a league, the partner's in bold: the "largest" deficits, "all", or some of `League.rows`.

    The caption is a text as for a chart's title. None where there is no league.
    """
    league, code = found.leagues[item], found.partner.code
    if league is None:
        return None
    if isinstance(rows, str):
        rows = league.rows if rows == "all" else largest(league, LARGEST, code)
    shown = rows.assign(country=[name_of(one) for one in rows.index], deficit_pct=-_told_pct(rows))
    names = {
        "rank": "Rank",
        "rank_before": "Rank a year earlier",
        "country": "Country",
        "balance_usd": "Balance",
        "before_usd": "A year earlier",
        "change_usd": "Change of the balance",
        "deficit_pct": "Change of the deficit",
    }
    return published(
        shown[[*names]].reset_index(drop=True),
        names=names,
        caption=titled(found, caption),
        source=style.source_line(found.snapshot, league.table),
        signed=["change_usd", "deficit_pct"],
        stress=[one == code for one in rows.index],
        na="",
    )


# --- charts -------------------------------------------------------------------------------------


@styled
def slope(found: Leagues, item: str, *, title: str = "") -> Chart | None:
    """Draw the largest deficits in their order a year earlier and now, one line for each country.

    None where there is no league, or no deficit in it.
    """
    league, code = found.leagues[item], found.partner.code
    rows = pd.DataFrame() if league is None else largest(league, LARGEST, code).dropna(subset=["before_usd"])
    if rows.empty:
        return None
    beyond = GAP * (len(rows) > LARGEST)
    fig, (ax,) = style.canvas(height=1.7 + 0.255 * (len(rows) + beyond))
    for x, window in enumerate((league.window.year_earlier, league.window)):
        when = words.capital(words.span(window).removeprefix("the "))
        ax.text(x, -0.9, when, ha="left" if x else "right", va="center", weight="bold")
    unit = Unit.of(rows[["balance_usd", "before_usd"]].stack())
    _lines(ax, rows, code, unit)
    ax.set_ylim(len(rows) - 0.4 + beyond, -1.5)
    ax.axis("off")
    return style.dress(
        fig,
        style.source_line(league.snapshot, league.table),
        title=titled(found, title),
        subtitle=f"{style.measure(league.table, f'U.S. deficits in {ITEMS[item]}', unit)}, and their ranks",
        note=f"{KEY} Ranked among {league.universe}.",
        data=_data(rows, "rank", "balance_usd", "rank_before", "before_usd", "reduction_pct"),
    )


def _told_pct(rows: pd.DataFrame) -> pd.Series:
    """Reductions in percent, where sentences have them too: 134,813.6 percent tell nobody anything."""
    pct = rows["reduction_pct"]
    return pct.where((rows["before_usd"] <= -FLOOR_USD) & (pct > -TOO_MUCH_PCT))


def _data(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """What a chart draws, by country; a reduction is one of the deficit."""
    rows = rows.assign(reduction_pct=_told_pct(rows))
    names = {"before_usd": "balance_a_year_earlier_usd", "rank_before": "rank_a_year_earlier"}
    names |= {"change_usd": "balance_change_usd", "reduction_pct": "reduction_of_the_deficit_pct"}
    return rows[[*columns]].rename(index=name_of, columns=names).rename_axis("country")


def _lines(ax: Axes, rows: pd.DataFrame, code: str, unit: Unit) -> None:
    """One line for each country between its places among those shown, and its name on both sides."""
    order = rows.sort_values(["before_usd", "rank"], kind="stable").index
    needed = [0.0, 0.0]  # inches beside the line
    for y, (who, row) in enumerate(rows.iterrows()):
        places = [place + GAP * (place >= LARGEST) for place in (order.get_loc(who), y)]
        shrank, own = row["outcome"] in SHRANK, who == code
        colour = COLOURS["highlight" if own else "balance" if shrank else "quiet"]
        look = {"color": colour, "lw": 2.6 if own else 2.0 if shrank else 1.6, "zorder": 3 if shrank else 2}
        ax.plot([0, 1], places, marker="o", ms=5, label=who, **look)
        pen = {"color": style.ink("highlight") if own else COLOURS["text"], "va": "center"}
        pen |= {"weight": "bold" if own or shrank else "normal", "linespacing": 1.0}
        told, ranks = _names(who, row, unit), (row["rank_before"], row["rank"])
        for x, (text, rank, place) in enumerate(zip(told, ranks, places, strict=True)):
            for shift, what, side in ((6 + 22 * x, rank, "right"), (32, text, "left" if x else "right")):
                away = {"xytext": (shift if x else -shift, 0), "textcoords": "offset points", "ha": side}
                ax.annotate(str(what), (x, place), **away, **pen)
            width = max(style.width_of(line, style.LABEL, "bold") for line in text.split("\n"))
            needed[x] = max(needed[x], 0.5 + width)
    scale = 1 / max(style.WIDTH - 0.3 - sum(needed), 0.5)
    ax.set_xlim(-needed[0] * scale, 1 + needed[1] * scale)


def _names(code: str, row: pd.Series, unit: Unit) -> tuple[str, str]:
    """What stands on the left and on the right of a line."""
    before, now = (_amount(abs(row[usd]), unit) for usd in ("before_usd", "balance_usd"))
    less = f", down {row['reduction_pct']:.1f} %" if row["reduction_pct"] >= 0.05 else ""
    name, earlier = marks.even_lines(name_of(code), 20), "surplus " if row["before_usd"] > 0 else ""
    return f"{name}  {earlier}{before}", f"{name}  {now}{less}"


def _amount(usd: float, unit: Unit, *, sign: bool = False) -> str:
    """A number in the chart's unit; one that would be zero there in its own, with its name."""
    text = unit.number(usd, sign=sign, digits=max(unit.digits, 1))
    if any(c in "123456789" for c in text) or not usd:
        return text
    return f"{('−' if usd < 0 else '+') if sign else ''}{words.money(usd)}"


@styled
def changes(found: Leagues, item: str, *, title: str = "") -> Chart | None:
    """Draw by how many dollars deficits shrank or grew, with the percentage where one makes sense.

    The largest changes each way of all that were or are deficits, and the partner's; None where there
    is no league, or none of them changed.
    """
    league, code = found.leagues[item], found.partner.code
    rows = pd.DataFrame() if league is None else _changed(league, code)
    if rows.empty:
        return None
    usd, unit = rows["change_usd"], Unit.of(rows["change_usd"])
    fig, (ax,) = style.canvas(height=1.7 + 0.255 * len(rows))
    colours = [COLOURS["balance" if outcome in SHRANK else "quiet"] for outcome in rows["outcome"]]
    if code in rows.index:
        colours[rows.index.get_loc(code)] = COLOURS["highlight"]
    ax.barh(range(len(rows)), usd, height=0.68, color=colours, zorder=2)
    texts = [_told(row, unit) for row in rows.itertuples()]
    for y, (change, text) in enumerate(zip(usd, texts, strict=True)):
        place = {"xytext": (5 if change > 0 else -5, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(text, (change, y), ha="left" if change > 0 else "right", zorder=3, **place)
    style.money_axis(ax, unit, *_limits(usd, texts), along="x")
    marks.name_rows(ax, [name_of(who) for who in rows.index], marks.own_looks(rows.index == code))
    ax.tick_params(axis="y", length=0)
    ax.spines["bottom"].set_visible(False)
    what = f"Change of the U.S. balance in {ITEMS[item]}"
    when = f"{words.span(league.window).removeprefix('the ')} on a year earlier"
    return style.dress(
        fig,
        style.source_line(league.snapshot, league.table),
        title=titled(found, title),
        subtitle=style.measure(league.table, what, unit, when),
        note=f"{KEY} Percentages only where both years show a deficit. Of {league.universe}.",
        data=_data(rows, "change_usd", "balance_usd", "before_usd", "reduction_pct"),
    )


def _changed(league: League, code: str) -> pd.DataFrame:
    """The largest changes each way among those with a deficit now or a year earlier, and the partner's."""
    rows = league.rows[~league.rows["outcome"].isin(["no deficit", "no year earlier", "unchanged"])]
    rows = rows.sort_values("change_usd", ascending=False, kind="stable")
    shrank, grew = rows[rows["change_usd"] > 0], rows[rows["change_usd"] < 0]
    kept = {*shrank.index[:EACH], *grew.index[-EACH:], code}
    return rows[rows.index.isin(kept)]


def _told(row, unit: Unit) -> str:
    """Write a change, and what became of the deficit."""
    text = _amount(row.change_usd, unit, sign=True)
    if row.outcome == "reduced":
        less = f"{row.reduction_pct:.1f} %" if row.reduction_pct >= 0.05 else "less than 0.1 %"
        return f"{text} (down {less})"
    if row.outcome == "turned":
        return f"{text} (to {words.a_position(row.balance_usd) if row.balance_usd else 'zero'})"
    return f"(from a surplus) {text}" if row.outcome == "fell into" and row.before_usd else text


def _limits(usd: pd.Series, texts: list[str]) -> tuple[float, float]:
    """Limits of level bars that leave room for what is written beyond their ends."""
    needed = {-1: 0.05, 1: 0.05}  # inches
    for change, text in zip(usd, texts, strict=True):
        way = 1 if change > 0 else -1
        needed[way] = max(needed[way], 0.15 + style.width_of(text, style.LABEL, "normal"))
    low, high, inches = min(usd.min(), 0), max(usd.max(), 0), style.WIDTH - 1.7
    scale = (high - low) / (inches - sum(needed.values()))
    return low - needed[-1] * scale, high + needed[1] * scale
