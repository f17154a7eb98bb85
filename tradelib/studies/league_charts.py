"""Charts of the league: ranks against a year earlier, and who reduced the deficit by how much.

Dark is a deficit that shrank, pale one that grew, in colour and in grey print alike; the partner
of the notebook has the highlight.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradelib.studies import league_words
from tradelib.studies.league import League, largest, name_of
from tradelib.style import house as style
from tradelib.style import marks
from tradelib.style import words as wording
from tradelib.style.house import COLOURS, Unit, styled

ROWS, EACH = 15, 12
SHRANK = ("reduced", "turned")
GAP = 0.5  # rows, between the largest and a partner that is not among them
KEY = "Dark: the deficit shrank; pale: it grew."


@styled
def slope(league: League | None, code: str = "") -> Figure | None:
    """Draw the largest deficits in their order a year earlier and now, one line for each country.

    Parameters
    ----------
    league : League or None
    code : str, optional
        The partner to stress.

    Returns
    -------
    Figure or None
        None where there is no league, or no deficit in it.

    Examples
    --------
    >>> from tradelib import take
    >>> from tradelib.studies.league import of_goods
    >>> slope(of_goods(take("2018-07", as_of="2018-10-05")), "5800").axes[0].texts[0].get_text()
    'January-July 2017'
    """
    rows = pd.DataFrame() if league is None else largest(league, ROWS, code).dropna(subset=["before_usd"])
    if rows.empty:
        return None
    fig, (ax,) = style.canvas(height=1.7 + 0.255 * (len(rows) + GAP * (len(rows) > ROWS)))
    for x, window in enumerate((league.window.year_earlier, league.window)):
        words = wording.capital(wording.span(window).removeprefix("the "))
        side = "left" if x else "right"
        ax.text(x, -0.9, words, ha=side, va="center", weight="bold")
    unit = Unit.of(rows[["balance_usd", "before_usd"]].stack())
    _lines(ax, rows, code, unit)
    ax.set_ylim(len(rows) - 0.4 + GAP * (len(rows) > ROWS), -1.5)
    ax.axis("off")
    return style.dress(
        *(fig, style.source_line(league.snapshot, league.table)),
        title=league_words.of_the_largest(league, rows[:ROWS]),
        subtitle=style.measure(league.table, f"U.S. deficits in {league_words.ITEMS[league.item]}", unit)
        + ", and their ranks",
        note=f"{KEY} Ranked among {league.universe}.",
    )


def _lines(ax: Axes, rows: pd.DataFrame, code: str, unit: Unit) -> None:
    """One line for each country between its places among those shown, and its name on both sides."""
    order = rows.sort_values(["before_usd", "rank"], kind="stable").index
    needed = [0.0, 0.0]  # inches beside the line
    for y, (who, row) in enumerate(rows.iterrows()):
        places = [place + GAP * (place >= ROWS) for place in (order.get_loc(who), y)]
        shrank, own = row["outcome"] in SHRANK, who == code
        colour = COLOURS["highlight" if own else "balance" if shrank else "quiet"]
        look = {"color": colour, "lw": 2.6 if own else 2.0 if shrank else 1.6, "zorder": 3 if shrank else 2}
        ax.plot([0, 1], places, marker="o", ms=5, label=who, **look)
        words = {"color": style.ink("highlight") if own else COLOURS["text"], "va": "center"}
        words |= {"weight": "bold" if own or shrank else "normal", "linespacing": 1.0}
        told, ranks = _names(who, row, unit), (row["rank_before"], row["rank"])
        for x, (text, rank, place) in enumerate(zip(told, ranks, places, strict=True)):
            for shift, what, side in ((6 + 22 * x, rank, "right"), (32, text, "left" if x else "right")):
                away = {"xytext": (shift if x else -shift, 0), "textcoords": "offset points", "ha": side}
                ax.annotate(str(what), (x, place), **away, **words)
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
    return f"{('−' if usd < 0 else '+') if sign else ''}{wording.money(usd)}"


@styled
def changes(league: League | None, code: str = "") -> Figure | None:
    """Draw by how many dollars deficits shrank or grew, with the percentage where one makes sense.

    Parameters
    ----------
    league : League or None
    code : str, optional
        The partner to stress.

    Returns
    -------
    Figure or None
        The 12 largest changes each way of all that were or are deficits, and the partner's. None where
        there is no league, or none of them changed.

    Examples
    --------
    >>> from tradelib import take
    >>> from tradelib.studies.league import of_total
    >>> figure = changes(of_total(take("2018-07")), "5800")
    >>> [text.get_text() for text in figure.axes[0].texts][:3]
    ['+1.9 (down 65.5 %)', '+0.4 (down 5.2 %)', '+0.4 (down 2.6 %)']
    """
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
    ax.set_yticks(range(len(rows)), [name_of(who) for who in rows.index])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    if code in rows.index:
        label = ax.get_yticklabels()[rows.index.get_loc(code)]
        label.set(color=style.ink("highlight"), weight="bold")
    ax.tick_params(axis="y", length=0)
    ax.spines["bottom"].set_visible(False)
    what = f"Change of the U.S. balance in {league_words.ITEMS[league.item]}"
    span = wording.span(league.window).removeprefix("the ")
    return style.dress(
        *(fig, style.source_line(league.snapshot, league.table)),
        title=league_words.most_reduced(league),
        subtitle=style.measure(league.table, what, unit, f"{span} on a year earlier"),
        note=f"{KEY} Percentages only where both years show a deficit. Of {league.universe}.",
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
        return f"{text} (to {wording.a_position(row.balance_usd) if row.balance_usd else 'zero'})"
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
