"""How figures were revised: the same months in every vintage that is held; told as facts, and drawn."""

import itertools
from datetime import date

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradelib import balances
from tradelib import releases as calendar
from tradelib.briefs.brief import Brief
from tradelib.briefs.fact import render, source_at
from tradelib.briefs.goods import LINKS, difference, size_class
from tradelib.briefs.selection import REVISED_MONTHLY
from tradelib.briefs.sentences import title as titled
from tradelib.questions import prints
from tradelib.store import vintages
from tradelib.studies import first_print
from tradelib.studies.study import Study
from tradelib.style import house as style
from tradelib.style import words
from tradelib.style.house import COLOURS, Chart, Unit, styled
from tradelib.tables import FLOWS, GOODS, TRADE, table_info
from tradelib.windows import Window, year_to_date

#: Age of the later print in years, from the end of the month.
AGES = pd.IntervalIndex.from_breaks([0, 1, 2, 3, 5, 100], closed="left")
AGE_NAMES = ["under 1", "1 to 2", "2 to 3", "3 to 5", "5 or more"]
#: The newest period of a vintage that is older than this did not come out with it.
FRESH_DAYS = 100
CLOUD, YEARS, KEYS, LATEST = 12, 15, 8, 24  # years, years, entries of a legend, rows
ENOUGH = 24  # months for a regression of revisions
#: By frequency: periods in a year, what their sum is called, and a window of them.
YEAR_TO = {"M": "twelve_months_to", "Q": "four_quarters_to"}
SUMS = {"M": (12, "Twelve-month sums", "12 months"), "Q": (4, "Four-quarter sums", "four quarters")}


class Revisions(Study):
    """A brief with the facts `revisions.*`. Made by `study`.

    Attributes
    ----------
    table, item : str
        What was read in every vintage.
    held : DataFrame
        Index (`vintage`, `period`); exports, imports and balance in dollars.
    revised : DataFrame
        One row for each period, flow and later vintage; see `revised`.
    by_age : DataFrame
        Revisions by flow and age of the later print; see `by_age`.
    ytd : DataFrame
        Index `vintage`; the year to date in dollars, and against a year earlier in percent.
    cloud : DataFrame
        Index `year`, a column for each vintage: the balance of the same months of some years.
    """

    def __init__(self, brief: Brief, *, table: str = GOODS, item: str = "goods"):
        super().__init__(brief)
        self.table, self.item = table, item
        self.held = prints(
            brief.partner.code,
            as_of=brief.as_of,
            table=table,
            item=item,
            members_on=brief.snapshot.release.default_as_of,
        )
        self.revised = revised(self.held, brief.partner.code)
        self.by_age = by_age(self.revised)
        window = brief.months if table_info(table).freq == "M" else brief.quarters
        self.ytd, self.cloud = year_to_date_in(self.held, window), cloud(self.held, window.end)

    @property
    def vintages(self) -> pd.DataFrame:
        """The vintages, and what each covers."""
        periods = self.held.reset_index("period").groupby(level="vintage")["period"]
        frame = periods.agg(["min", "max", "count"]).set_axis(
            ["first_period", "last_period", "periods"], axis=1
        )
        return frame.rename_axis("published")

    @property
    def latest(self) -> pd.DataFrame:
        """First print, newest print and revision of the latest months."""
        rows = newest(self.revised).query("flow != 'balance'").sort_values(["period", "flow"]).iloc[-LATEST:]
        kept = ["period", "flow", "first_vintage", "vintage", "first_usd", "value_usd", "revision_usd"]
        return rows.set_index("period")[[*kept[1:], "revision_pct"]]

    @property
    def first_prints(self) -> pd.DataFrame | None:
        """How far the year to date of each first print moved by annual revisions; None where none is kept.

        Index `year`; months January through the statistical month, or as many as the first print has. One row
        after the first annual revision, one after the second or later, where they are held.
        """
        known, months = first_print.prints_by(self.as_of), [self.month.month]
        tables = [v for v in known if v.table == GOODS]
        rows = pd.concat(
            [first_print.moves(known, months=months, after=1), first_print.moves(tables, months=months)]
        )
        rows = rows[rows["partner"] == self.partner.code]
        if rows.empty:
            return None
        keys = ["year", "revisions", "first_vintage", "vintage"]
        moved = rows.pivot(index=keys, columns="measure", values=["move_usd", "move_pct"])
        shown = {f"{side}_pct": moved["move_pct", side] for side in FLOWS}
        shown["balance_usd"] = moved["move_usd", "balance"]
        return pd.DataFrame(shown).reset_index(keys[1:])

    @property
    def after_each_revision(self) -> pd.DataFrame | None:
        """How far first prints of partners of its size moved by one annual revision, and by two.

        Index (`measure`, `revisions`); see `first_print.by_revision`. None where it has too little trade, or
        no vintages by the day are near enough; nor for groups and who is revised each month.
        """
        if self.partner.is_group or self.partner.code in REVISED_MONTHLY:
            return None
        found = first_print.by_revision(first_print.prints_by(self.as_of), month=self.month.month)
        if found is None:
            return None
        flows = {side: self.value(f"goods.{side}.ytd") or 0.0 for side in FLOWS}
        flows["balance"] = sum(flows.values())
        wanted = {(side, size_class(self, usd)) for side, usd in flows.items()}
        mine = found[[key[:2] in wanted for key in found.index]].droplevel("size_from_usd")
        return None if mine.empty else mine

    @property
    def news(self) -> pd.DataFrame | None:
        """Whether the revisions of growth on a year earlier are news or noise; None where months are few.

        Index (`flow`, `test`); see `first_print.news_and_noise`.
        """
        found = {flow: first_print.news_and_noise(*pair) for flow in FLOWS if (pair := self._growth(flow))}
        return pd.concat(found, names=["flow"]) if found else None

    def _growth(self, flow: str) -> tuple[pd.Series, pd.Series] | None:
        """Growth on a year earlier of each month in its first print, and in the newest vintage."""
        rows = newest(self.revised)
        rows = rows[(rows["flow"] == flow) & rows["revision_due"].astype(bool)]
        year = {"M": 12, "Q": 4}[table_info(self.table).freq]
        usd = self.held[f"{flow}_usd"]
        found = {"first_vintage": [], "vintage": []}
        for side, growth in found.items():
            pairs = list(zip(rows[side], rows["period"], strict=True))
            now, before = (usd.reindex([(v, p - lag) for v, p in pairs]).to_numpy() for lag in (0, year))
            growth.append(100 * (now / np.where(before > 0, before, np.nan) - 1))
        both = pd.DataFrame({side: growth[0] for side, growth in found.items()}).dropna()
        enough = len(both) >= ENOUGH and both["vintage"].ne(both["first_vintage"]).any()
        return (both["first_vintage"], both["vintage"]) if enough else None


def study(brief: Brief, *, table: str = GOODS, item: str = "goods") -> Revisions:
    """Compare one partner's figures in every vintage that was out by the as-of day of a brief.

    Parameters
    ----------
    brief : Brief
        From `tradelib.brief`; its `as_of` is the day that counts as now.
    table, item : str
        Any table with exports and imports; "goods", "services" or "total".

    Returns
    -------
    Revisions
        The facts of the brief, those whose ids start with `revisions.`, and the tables behind them.

    Raises
    ------
    TradelibError
        If no vintage out by the day has figures of the partner.

    Examples
    --------
    >>> import tradelib as tl
    >>> found = study(tl.brief("KOR", "2018-07", as_of="2025-04-03"))
    >>> print(tl.say(found, "By {revisions.exports.mean_abs_pct:fine} a month."))
    By 1.17 percent a month.
    """
    found = Revisions(brief, table=table, item=item)
    _names(found)
    _first_prints(found)
    for flow in FLOWS:
        _sizes(found, flow)
        _years_to_date(found, flow)
    for flow in LINKS:
        _of_release(found, flow)
        _farthest(found, flow)
    _spread(found)
    return found


def revised(held: pd.DataFrame, code: str) -> pd.DataFrame:
    """Compare the first print of each month with every later one.

    Only months whose first print is at hand as it came out count: no annual revision lies between
    their release and the earliest vintage that has them. For partners that are revised every month,
    and for quarters, that is the newest period of each vintage only. `revision_due` is False where
    nothing was to be revised between the two: such a revision of zero tells nothing. A balance has no
    revision in percent.
    """
    flat = held.stack().rename("value_usd").rename_axis(["vintage", "period", "flow"]).reset_index()
    flat["flow"] = flat["flow"].str.removesuffix("_usd")
    first = flat.groupby(["period", "flow"], as_index=False).first()  # vintages come in order
    last = flat.groupby("vintage")["period"].max()
    pairs = list(zip(first["period"], first["vintage"], strict=True))
    whole = {(month, vintage): _unrevised(month, vintage, last[vintage], code) for month, vintage in {*pairs}}
    first = first[[whole[pair] for pair in pairs]]
    first = first.rename(columns={"vintage": "first_vintage", "value_usd": "first_usd"})
    table = flat.merge(first, on=["period", "flow"]).query("vintage > first_vintage").reset_index(drop=True)
    days = (pd.to_datetime(table["vintage"]) - table["period"].dt.end_time.dt.normalize()).dt.days
    table = table.assign(age_years=days / 365.25, revision_usd=table["value_usd"] - table["first_usd"])
    share = 100 * table["revision_usd"] / table["first_usd"].where(table["first_usd"] > 0)
    table["revision_pct"] = share.where(table["flow"] != "balance")
    pairs = list(zip(table["first_vintage"], table["vintage"], strict=True))
    due = {pair: code in REVISED_MONTHLY or not calendar.same_cycle(*pair) for pair in {*pairs}}
    table["revision_due"] = [due[pair] for pair in pairs]
    order = ["period", "flow", "first_vintage", "vintage", "age_years", "first_usd", "value_usd"]
    return table[[*order, "revision_usd", "revision_pct", "revision_due"]]


def _unrevised(period: pd.Period, vintage: date, last: pd.Period, code: str) -> bool:
    """Whether a vintage, whose newest period is `last`, has a period as it first came out."""
    if code in REVISED_MONTHLY or period.freqstr[0] != "M":
        return period == last and (vintage - period.end_time.date()).days <= FRESH_DAYS
    return calendar.same_cycle(calendar.release(str(period)).default_as_of, vintage)


def newest(table: pd.DataFrame) -> pd.DataFrame:
    """Keep, for each month and flow, the comparison with the newest vintage."""
    return table[table["vintage"] == table["vintage"].max()]


def by_age(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise the revisions of exports and imports by the age of the later print.

    In percent of the first print: mean, mean size, standard deviation, and what 5 and 95 percent lie
    below; how many `prints`, and of how many `months`: a month counts once for each later vintage. What
    was not due counts nowhere.
    """
    due = table["revision_due"].astype(bool)
    rows = table[due & table["flow"].isin(FLOWS)].dropna(subset="revision_pct")
    place = pd.cut(rows["age_years"], AGES).cat.rename_categories(AGE_NAMES)
    groups = rows.groupby(["flow", place.rename("age")], observed=True)
    pct = groups["revision_pct"]
    columns = {
        "mean_pct": pct.mean(),
        "mean_abs_pct": pct.agg(lambda values: values.abs().mean()),
        "std_pct": pct.std(),
        "low_pct": pct.quantile(0.05),
        "high_pct": pct.quantile(0.95),
        "prints": pct.count(),
        "months": groups["period"].nunique(),
    }
    return pd.DataFrame(columns)


def cloud(held: pd.DataFrame, last: pd.Period) -> pd.DataFrame:
    """Sum the balance of the year to date through a month or quarter, of each of some years, by vintage.

    Missing where a vintage does not have all of it.
    """
    periods = held.index.get_level_values("period")
    same = (periods.month <= last.month) & (periods.year <= last.year)
    groups = held.loc[same, "balance_usd"].groupby(["vintage", periods[same].year.rename("year")])
    sums = groups.sum().where(groups.count() == len(year_to_date(last))).unstack("vintage")
    return sums.reindex(range(last.year - CLOUD + 1, last.year + 1), columns=held.index.unique("vintage"))


def year_to_date_in(held: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Sum a window in every vintage that has it whole, and tell its growth in the same vintage."""
    sums = _whole_sums(held, window).dropna()
    growth = balances.change(sums, _whole_sums(held, window.year_earlier))
    return sums.join(growth[[f"{flow}_change_pct" for flow in FLOWS]])


def _whole_sums(held: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Sum a window in every vintage; missing where one does not have it whole."""
    sums = balances.window_sum(held, window)
    return sums.set_axis(pd.Index(map(date.fromisoformat, sums.index), name="vintage", dtype=object))


# --- facts --------------------------------------------------------------------------------------


def _put(found: Revisions, id: str, value, *, label: str, vintage: date | None = None, **more) -> None:
    """Write a fact of a study of revisions; of the newest vintage unless another is named."""
    vintages_held, periods = (found.held.index.get_level_values(name) for name in ("vintage", "period"))
    source = source_at(found.table, vintage or vintages_held.max(), 0, "published")
    window = more.pop("window", None) or Window(periods.min(), periods.max())
    label = label.format(what=f"U.S. {found.item}", p=found.partner.prose)
    found.put(f"revisions.{id}", value, window=window, label=label, source=source, **more)


def _names(found: Revisions) -> None:
    """What the notebook says of how figures are revised."""
    held = len(vintages.list_vintages(TRADE))
    found.names |= {
        "revised_monthly": found.partner.code in REVISED_MONTHLY,
        "quarterly_vintages": words.cardinal(held),
        "quarterly_revised": held > 1,
    }


def _first_prints(found: Revisions) -> None:
    """How many periods are held, have a first print, and were due for revision since."""
    table = found.revised
    counts = {
        "periods": (found.held.index.get_level_values("period").nunique(), "held in any vintage"),
        "first_prints": (table["period"].nunique(), "whose first print and a later one are held"),
        "due": (table.loc[table["revision_due"].astype(bool), "period"].nunique(), "due for revision since"),
    }
    for id, (count, what) in counts.items():
        label = f"Periods of {{what}} with {{p}} {what}"
        rest = counts["first_prints"][0] > counts["due"][0]
        _put(found, id, count, unit="count", label=label, not_due=rest)


def _sizes(found: Revisions, flow: str) -> None:
    """How far first prints were from the newest vintage, and from those of the greatest age."""
    rows, what = newest(found.revised), f"{{what}} {flow} {LINKS[flow]} {{p}}"
    rows = rows[rows["flow"].eq(flow) & rows["revision_due"].astype(bool) & rows["revision_pct"].notna()]
    pct, periods = rows["revision_pct"], rows["period"]
    about = {
        "unit": "percent",
        "reason": f"no first print of {found.partner.prose} has been revised since, in the vintages held",
        "window": Window(periods.min(), periods.max()) if len(rows) else None,
    }
    bias = pct.mean() if len(pct) else None
    label = f"Revision of {what} from first print to newest vintage"
    size = pct.abs()
    more = {"periods": len(pct), "counted": f"{len(pct)} month{'s' * (len(pct) != 1)}"}
    _put(found, f"{flow}.mean_abs_pct", size.mean(), label=f"{label}, mean size", **about, **more)
    _put(found, f"{flow}.largest_pct", size.max(), label=f"{label}, largest size", **about)
    biased = len(pct) > 0 and round(abs(bias), 2) > 0
    way = None if not biased else "up" if bias > 0 else "down"
    _put(found, f"{flow}.mean_pct", bias, label=f"{label}, mean", **about, way=way)
    ages = found.by_age.index.get_level_values("age")
    age = max(ages, key=AGE_NAMES.index) if len(ages) else None
    oldest = found.by_age["mean_abs_pct"].get((flow, age))
    label = f"Revision of {what} from first print to a print of {age} years, mean size"
    _put(found, f"{flow}.oldest_pct", oldest, label=label, age=age, **about)


def _years_to_date(found: Revisions, flow: str) -> None:
    """The growth over the year to date in the first vintage that has it, and in the newest."""
    ytd = found.ytd[f"{flow}_change_pct"].dropna()
    window = found.months if table_info(found.table).freq == "M" else found.quarters
    about = {"unit": "percent", "window": f"{window} vs {window.year_earlier}"}
    about["reason"] = f"no vintage held has all of {words.span(window)} and of a year earlier"
    label = f"Change of {{what}} {flow} {LINKS[flow]} {{p}}, {words.span(window)} on a year earlier"
    told = {render(ytd.iloc[at], "percent") for at in (0, -1) if len(ytd)}
    about |= {"several": len(ytd) > 1, "alike": len(told) == 1}
    for name, at in (("first", 0), ("newest", -1)):
        value, vintage = (ytd.iloc[at], ytd.index[at]) if len(ytd) else (None, None)
        of = f"{label}, in the {name} vintage that has it"
        _put(found, f"{flow}.ytd.{name}_pct", value, label=of, vintage=vintage, **about)


def _of_release(found: Revisions, flow: str) -> None:
    """What became of the release's own month and year to date since the first vintage that has them."""
    monthly = table_info(found.table).freq == "M"
    last, ytd = (found.month, found.months) if monthly else (found.quarter, found.quarters)
    for name, window in (("period", Window(last, last)), ("ytd", ytd)):
        sums = _whole_sums(found.held, window)[f"{flow}_usd"].dropna()
        first, now = (float(sums.iloc[0]), float(sums.iloc[-1])) if len(sums) else (None, None)
        more = {"several": len(sums) > 1, "first_usd": first, "now_usd": now}
        more |= dict.fromkeys(("way", "position", "since"))
        if len(sums):
            more |= {"since": str(sums.index[0]), "position": words.position(now)}
            grew, ways = abs(now) - abs(first), ("larger", "smaller") if flow == "balance" else ("up", "down")
            more["way"] = None if now == first or first * now < 0 else ways[int(grew < 0)]
        reason = f"no vintage at hand that was out by {found.names['as_of']} has {words.span(window)}"
        value = difference(now, first)
        ids = [f"revisions.{one}.{name}.revision_usd" for one in LINKS]
        earlier = [found.value(id) for id in ids if id in found]
        more |= {"revised": any(earlier), "alone": flow == "imports" and earlier == [None] and len(sums) > 0}
        about = {"unit": "USD", "window": window, "reason": reason, **more}
        label = (
            f"Revision of {{what}} {flow} {LINKS[flow]} {{p}}, {words.span(window)}, since it first came out"
        )
        _put(found, f"{flow}.{name}.revision_usd", value, label=label, **about)


def _farthest(found: Revisions, flow: str) -> None:
    """Which vintage is farthest from the newest over a year, when, and by how much."""
    _, gap = _year_sums(found.held[f"{flow}_usd"])
    value = vintage = window = None
    more = {"way": None, "when": None}
    if not gap.empty:
        period, vintage = gap.abs().stack().idxmax()
        value, (count, _, name) = gap.loc[period, vintage], SUMS[period.freqstr[0]]
        window = Window(period - count + 1, period)
        more = {"way": "below" if value < 0 else "above", "when": f"the {name} to {words.period(period)}"}
    label = (
        f"Greatest difference of a vintage from the newest in {{what}} {flow} {LINKS[flow]} {{p}} over a year"
    )
    about = {"unit": "USD", "reason": "no two vintages have a whole year in common"}
    _put(found, f"{flow}.farthest", value, label=label, vintage=vintage, window=window, **about, **more)


def _spread(found: Revisions) -> None:
    """In which year the balance of the same months differs most between vintages."""
    sums = found.cloud.dropna(axis=1, how="all").dropna(how="all")
    spread = (sums.max(axis=1) - sums.min(axis=1)).dropna()
    several = sums.shape[1] > 1 and len(spread) > 0
    year = spread.idxmax() if several else None
    _put(
        found,
        "balance.spread",
        spread[year] if several else None,
        unit="USD",
        label="Greatest difference between vintages in the {what} balance with {p}, same months of a year",
        reason="no two vintages have all the months of a year",
        year=str(year) if several else None,
        position=words.position(sums.iloc[:, -1][year]) if several else None,
    )


# --- charts -------------------------------------------------------------------------------------


def _dressed(found: Revisions, fig: Figure, days, *, title: str, **options) -> Chart:
    """Set the words around a chart: its title from the facts, and the span of vintages as the source."""
    source = f"Source: {words.publisher(found.table)}; vintages of {min(days)} to {max(days)}"
    return style.dress(fig, source, title=titled(found, title), **options)


def _by_vintage(sums: pd.DataFrame) -> pd.DataFrame:
    """What is drawn of each vintage, a column of dollars for each."""
    return sums.set_axis([f"vintage_{vintage}_usd" for vintage in sums], axis=1)


def _basis(table: str) -> str:
    info = table_info(table)
    return f"{style.BASES[info.basis]}, {style.ADJUSTED[info.adjustment]}"


def _shades(count: int) -> list[tuple]:
    """Grey for the oldest, dark for the newest."""
    return [(grey,) * 3 for grey in np.linspace(0.78, 0.15, count)]


def _signed(value: float, _) -> str:
    """A tick in percent, with its sign."""
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"


def _padded(gap: pd.DataFrame, below: float, above: float) -> tuple[float, float]:
    """Limits with room for marks and labels beyond the outermost values, as shares of the span."""
    low, high = min(gap.min().min(), 0), max(gap.max().max(), 0)
    return low - below * (high - low), high + above * (high - low)


@styled
def in_each_vintage(found: Revisions, *, flow: str = "exports", title: str = "") -> Chart | None:
    """Draw sums over a year of one flow in every vintage, and how far each is from the newest.

    None where fewer than two vintages have a whole year, or none overlaps the newest.
    """
    sums, gap = _year_sums(found.held[f"{flow}_usd"])
    if gap.empty:
        return None
    _, kind, _ = SUMS[sums.index.freqstr[0]]
    unit, small = Unit.of(sums.stack()), Unit.of([*gap.stack(), 1e3])
    fig, (above, below) = style.canvas(height=5.6, panels=2, ratios=[3, 2])
    years = style.years_of(sums.index)
    for (vintage, line), shade in zip(sums.items(), _shades(sums.shape[1]), strict=True):
        above.plot(years, line, color=shade, lw=1.6, label=str(vintage))
        if vintage in gap:
            below.plot(years, gap[vintage], color=shade, lw=1.6)
    style.money_axis(above, unit, sums.min().min(), sums.max().max(), snug=False)
    style.money_axis(below, small, *_padded(gap, 0.05, 0.3), snug=False)
    for ax in (above, below):
        style.year_axis(ax, years)
    _name_ends(below, gap)
    above.tick_params(labelbottom=False)
    above.set_title(f"{kind}, {unit.name}")
    below.set_title(f"Each vintage less the newest, {small.name}")
    return _dressed(
        found,
        fig,
        sums.columns,
        title=title,
        subtitle=f"U.S. {found.item} {flow}, {_basis(found.table)}",
        note="Darkest: the newest vintage. Each line ends where its vintage does.",
        data=_by_vintage(sums).rename_axis(YEAR_TO[sums.index.freqstr[0]]),
    )


def _year_sums(values: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sums over a year by vintage, and those of each older vintage less the newest."""
    wide = values.unstack("vintage")
    wide = wide.reindex(pd.period_range(wide.index.min(), wide.index.max()))
    per_year, _, _ = SUMS[wide.index.freqstr[0]]
    sums = wide.rolling(per_year, min_periods=per_year).sum().iloc[-per_year * YEARS :]
    sums = sums.dropna(axis=1, how="all").dropna(how="all")
    return sums, sums.iloc[:, :-1].sub(sums.iloc[:, -1:].squeeze(axis=1), axis=0).dropna(axis=1, how="all")


def _name_ends(ax: Axes, gap: pd.DataFrame) -> None:
    """Write when each vintage came out above the end of its line; where it is tight, the farthest off."""
    (left, right), taken = ax.get_xlim(), []
    width = 0.09 * (right - left)  # of a label
    for vintage in gap.abs().max().sort_values(ascending=False, kind="stable").index:
        end = gap[vintage].last_valid_index()
        x = style.years_of([end])[0]
        middle = np.clip(x, left + width / 2, right - width / 2)
        if all(abs(middle - other) > width for other in taken):
            taken.append(middle)
            ax.plot(
                [x, x], [gap.loc[end, vintage], ax.get_ylim()[1]], color=COLOURS["quiet"], lw=0.8, zorder=1
            )
            text = f"{words.MONTHS[vintage.month - 1][:3]} {vintage.year}"
            look = {"fontsize": style.SOURCE, "color": COLOURS["muted"], "ha": "center", "va": "top"}
            ax.text(middle, 0.99, text, transform=ax.get_xaxis_transform(), backgroundcolor="white", **look)


@styled
def each_month(found: Revisions, *, title: str = "") -> Chart | None:
    """Draw the revision of each month from first print to newest, in percent and in dollars.

    None where no first print has been due for revision since.
    """
    table, last = found.revised, newest(found.revised)
    last = last[last["revision_due"].astype(bool) & last["flow"].isin(FLOWS)]
    if last["revision_pct"].dropna().empty:
        return None
    import seaborn as sns  # a second that only this needs

    fig, (above, below) = style.canvas(height=5.2, panels=2)
    runs, count = _runs(sorted(last["period"].unique())), itertools.count()
    places = {month: next(count) + 2 * n for n, run in enumerate(runs) for month in run}
    rows = last.assign(place=last["period"].map(places))
    for ax, column in ((above, "revision_pct"), (below, "revision_usd")):
        look = {"hue_order": FLOWS, "palette": COLOURS, "saturation": 1, "native_scale": True}
        drawn = {"errorbar": None, "zorder": 2, "legend": ax is above, "ax": ax}
        sns.barplot(rows, x="place", y=column, hue="flow", **look, **drawn)
        ax.set(xlabel="", ylabel="")
    place = {"bbox_to_anchor": (1, 1), "borderaxespad": 0, "title": None, "frameon": False}
    sns.move_legend(above, "lower right", ncols=2, **place)
    _dress_runs(fig, {_run_name(run): [places[month] for month in run] for run in runs}, last)
    return _dressed(
        found,
        fig,
        [*table["first_vintage"], *table["vintage"]],
        title=title,
        subtitle=f"U.S. {found.item}, {_basis(found.table)}, newest vintage less first print",
        note=f"The {last['period'].nunique()} months whose first print is held and that were due for "
        "revision since.",
        data=last[["period", "flow", "revision_usd", "revision_pct"]].reset_index(drop=True),
    )


def _runs(months: list[pd.Period]) -> list[list[pd.Period]]:
    """Months in a row, together."""
    keyed = itertools.groupby(enumerate(months), lambda pair: pair[1].ordinal - pair[0])
    return [[month for _, month in run] for _, run in keyed]


def _dress_runs(fig: Figure, runs: dict[str, list[int]], last: pd.DataFrame) -> None:
    """Axes of the two panels: percent above, dollars below, a label under each run of months."""
    above, below = fig.axes
    limit = 1.15 * max(last["revision_pct"].abs().max(), 0.1)
    above.set_ylim(-limit, limit)
    above.yaxis.set_major_formatter(_signed)
    above.grid(axis="y")
    above.axhline(0, color=COLOURS["text"], lw=1)
    usd = last["revision_usd"]
    unit = Unit.of([*usd, 1e3])
    style.money_axis(below, unit, usd.min(), usd.max(), snug=False)
    for ax, names in ((above, [""] * len(runs)), (below, runs)):
        ax.set_xticks([np.mean(places) for places in runs.values()], names)
        ax.set_xlim(-1.5, max(map(max, runs.values())) + 1.5)
        ax.tick_params(axis="both", length=0)
    above.set_title("Percent of the first print")
    below.set_title(unit.name)


def _run_name(run: list[pd.Period]) -> str:
    """Name a run of months in two short lines."""
    (first, since), (last, year) = ((words.MONTHS[one.month - 1][:3], one.year) for one in (run[0], run[-1]))
    if since != year:
        return f"{first} {since}-\n{last} {year}"
    return f"{first}{f'-{last}' if len(run) > 1 else ''}\n{year}"


@styled
def same_months(found: Revisions, *, title: str = "") -> Chart | None:
    """Draw the year-to-date balance of each year in every vintage as dots, the newest joined.

    None where fewer than two vintages have a whole year.
    """
    sums = found.cloud.dropna(axis=1, how="all").dropna(how="all")
    if sums.shape[1] < 2:
        return None
    newest = sums.iloc[:, -1]
    gap = sums.sub(newest, axis=0)
    unit, small = Unit.of(sums.stack()), Unit.of([*gap.stack(), 1e3])
    fig, (above, below) = style.canvas(height=5.6, panels=2, ratios=[3, 2])
    above.plot(newest.index, newest, color=COLOURS["balance"], lw=1.6, zorder=2)
    shades, skip = _shades(sums.shape[1]), -(-sums.shape[1] // KEYS)
    for n, (vintage, dots) in enumerate(sums.items()):
        name = str(vintage) if (sums.shape[1] - 1 - n) % skip == 0 else None
        above.plot(dots.index, dots, "o", color=shades[n], ms=5, label=name, zorder=3)
        below.plot(gap.index, gap[vintage], "o", color=shades[n], ms=5, zorder=3)
    style.money_axis(above, unit, sums.min().min(), sums.max().max(), snug=False)
    style.money_axis(below, small, *_padded(gap, 0.1, 0.1), snug=False)
    for ax in (above, below):
        ax.set_xlim(sums.index[0] - 0.5, sums.index[-1] + 0.5)
        ax.set_xticks(sums.index)
    above.tick_params(labelbottom=False)
    above.set_title(f"Balance, {unit.name}")
    below.set_title(f"Each vintage less the newest, {small.name}")
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0}  # clear of the line
    style.legend(above, ncols=4, fontsize=8, handletextpad=0.2, columnspacing=1, **place)
    monthly = table_info(found.table).freq == "M"
    spell = words.span(found.months if monthly else found.quarters).rsplit(" ", 1)[0].removesuffix(" of")
    return _dressed(
        found,
        fig,
        sums.columns,
        title=title,
        subtitle=f"U.S. balance in {found.item}, {spell}, {_basis(found.table)}",
        data=_by_vintage(sums),
    )


@styled
def each_age(found: Revisions, *, title: str = "") -> Chart | None:
    """Draw the mean revision and the 5-95 percent range by age of the later print.

    None where there are no revisions.
    """
    summary = found.by_age
    if summary.empty:
        return None
    fig, (ax,) = style.canvas()
    for shift, flow in ((-0.12, "exports"), (0.12, "imports")):
        rows = summary.query("flow == @flow").droplevel("flow").reindex(AGE_NAMES)
        place = np.arange(len(rows)) + shift
        ax.vlines(place, rows["low_pct"], rows["high_pct"], color=COLOURS[flow], lw=4, alpha=0.45)
        ax.plot(place, rows["mean_pct"], "o", color=COLOURS[flow], ms=7, label=flow)
    counts = summary[["prints", "months"]].groupby(level="age", observed=False).max()
    counts = counts.reindex(AGE_NAMES).fillna(0).astype(int)
    names = [f"{age}\nn = {row.prints}\n(months: {row.months})" for age, row in counts.iterrows()]
    ax.set_xticks(range(len(names)), names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.axhline(0, color=COLOURS["text"], lw=1)
    ax.yaxis.set_major_formatter(_signed)
    ax.grid(axis="y")
    style.legend(ax, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    return _dressed(
        found,
        fig,
        found.held.index.unique("vintage"),
        title=title,
        subtitle="Revision of a month's first print in percent, by the age of the later print in years: "
        "dot, mean; bar, from 5 to 95 percent of the revisions",
        note="n: later prints; a month may have several of one age.",
        data=summary[["mean_pct", "low_pct", "high_pct", "prints", "months"]],
    )
