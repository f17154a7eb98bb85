"""The table of what was chosen in explore.ipynb: as a DataFrame, to print, and for a spreadsheet."""

import pandas as pd

from tradelib import balances
from tradelib.explorer.choice import Line, View
from tradelib.style import words
from tradelib.style.house import ADJUSTED, BASES
from tradelib.style.tables import PublishedTable, published
from tradelib.style.words import capital, credit
from tradelib.tables import table_info
from tradelib.windows import Window, year_to_date

#: What a measure has beside it, and how it changed, where not in dollars and in percent.
BESIDE = {"rate": ["imports_usd", "duty_usd"]}
CHANGED = {"rate": ["rate_change_points"], "balance": ["deficit_reduction_pct"]}
#: How many rows there are: a year and the same period before it, or as many years as the chart has bars.
ROWS = {"month": 13, "twelve months": 13, "quarter": 9, "four quarters": 9, "year to date": 12}


def table(view: View) -> pd.DataFrame:
    """Tabulate the last windows of a view: each series, its change in a year, and the revision.

    The index is the period that each window ends with. Columns are of each series the measure in whole
    dollars; its change on a year earlier (in dollars only where there is one series); in percent for
    exports and imports, and for a balance the reduction of the deficit where both years have one. With
    two vintages, `revision_usd` is the newer less the older. A rate is in percent, its change and its
    revision in points; imports and duties in dollars stand beside it where there is one series.
    """
    measure, parts = view.measure, {}
    wanted = CHANGED.get(measure, [f"{measure}_change_pct"])
    if len(view.lines) == 1:
        wanted = [*BESIDE.get(measure, [f"{measure}_change_usd"]), *wanted]
    for line in view.lines:
        name = f"{line.name}, vintage of {line.vintage.published}" if view.pairs else line.name
        parts[name] = line.sums.join(changes(view, line))[[view.column, *wanted]]
    for older, newer in view.pairs:
        revision = newer.sums[view.column] - older.sums[view.column]
        unit = "points" if measure == "rate" else "usd"
        parts[f"{older.name}, newer less older"] = revision.to_frame(f"revision_{unit}")
    whole = view.shown(pd.concat(parts, axis=1, names=["series", "figure"]))
    return whole.tail(ROWS[view.choice.window]).dropna(axis=1, how="all")


def changes(view: View, line: Line) -> pd.DataFrame:
    """Compare each window of a series with the one a year earlier."""
    now = line.sums
    before = now.reindex(now.index - view.year).set_axis(now.index)
    if view.measure == "rate":
        return (now["rate_pct"] - before["rate_pct"]).to_frame("rate_change_points")
    reduction = balances.deficit_reduction(now["balance_usd"], before["balance_usd"])
    return balances.change(now, before).assign(deficit_reduction_pct=reduction)


def tsv(frame: pd.DataFrame) -> str:
    """Write a table for a spreadsheet: one line of headers, whole dollars, no separators."""
    flat = frame.set_axis([": ".join(column) for column in frame.columns], axis=1)
    return flat.to_csv(sep="\t", lineterminator="\n", float_format="%.15g")


def printed(view: View, frame: pd.DataFrame | None = None) -> PublishedTable:
    """Set a view's table as it would be printed; `frame` is what `table` gives, where it is at hand."""
    frame = table(view) if frame is None else frame
    rows = frame.set_axis([_row(view, period) for period in frame.index]).rename_axis(frame.index.name)
    if len(view.lines) == 1:
        rows = rows.droplevel("series", axis=1)
    info, who = table_info(view.table), words.series(list(dict.fromkeys(line.name for line in view.lines)))
    caption = f"U.S. {view.what}, {who}. {capital(BASES[info.basis])}, {ADJUSTED[info.adjustment]}"
    return published(rows, unit="auto", caption=caption, source=cited(view), stress=rows.index[-1])


def _row(view: View, period: pd.Period) -> str:
    window = year_to_date(period) if view.choice.window == "year to date" else Window(period, period)
    return capital(words.span(window).removeprefix("the "))


def cited(view: View) -> str:
    """Name the source of a view: the vintage of the day, and the one compared with it."""
    first, *others = view.vintages
    late = first.lag_days(view.as_of)
    line = f"Source: {credit(first.table, first.published, late, dated_by=first.dated_by)}"
    for other in others:
        named = "" if other.table == first.table else f" ({words.publisher(other.table)})"
        line += f". Compared with the vintage of {other.published}{named}"
    return line
