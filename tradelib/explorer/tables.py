"""The table of explore.ipynb: as a DataFrame, for a spreadsheet, and as it would be printed."""

import itertools
from collections.abc import Iterable
from html import escape

import pandas as pd
from IPython.display import HTML

from tradelib import balances
from tradelib.explorer.views import Line, View, shown
from tradelib.style import words as wording
from tradelib.style.house import ADJUSTED, BASES
from tradelib.tables import table_info
from tradelib.windows import Window, year_to_date

#: How many rows there are: a year and the same period before it, or as many years as the chart has bars.
ROWS = {"month": 13, "twelve months": 13, "quarter": 9, "four quarters": 9, "year to date": 12}
UNITS = ((1e7, 1e6, "$ million", 1), (1e4, 1e3, "$ thousand", 1), (0, 1, "$", 0))
STYLE = """<style>
.tradelib-table { border-collapse: collapse; font-size: 0.92em; line-height: 1.35; margin: 0.5em 0; }
.tradelib-table caption { text-align: left; caption-side: top; padding: 0 0 0.4em; color: #5F5F5F; }
.tradelib-table :is(th, td) { text-align: right !important; padding: 0.2em 0.8em; border: 0; }
.tradelib-table :is(th, td) { white-space: nowrap; }
.tradelib-table :is(th, td):first-child { text-align: left !important; padding-left: 0; }
.tradelib-table thead th { vertical-align: bottom; }
.tradelib-table thead tr:last-child th { border-bottom: 1px solid #5F5F5F; }
.tradelib-table th.series { text-align: center !important; border-bottom: 1px solid #BDBDBD; }
.tradelib-table tbody tr:last-child td { font-weight: bold; }
@media (max-width: 34rem) {
  .tradelib-table { font-size: 0.78em; }
  .tradelib-table :is(th, td) { padding: 0.2em 0.3em; white-space: normal; }
  .tradelib-table td:not(:first-child) { white-space: nowrap; }
}
</style>"""


def table(view: View) -> pd.DataFrame:
    """Tabulate the last windows of a view: each series, its change in a year, and the revision.

    Parameters
    ----------
    view : View

    Returns
    -------
    DataFrame
        Index: the period each window ends with. Columns: the series, and of each the measure in whole
        dollars; its change on a year earlier (in dollars only where there is one series); percent for
        exports and imports, and for a balance the reduction of the deficit where both years have one.
        With two vintages, `revision_usd` is the newer less the older.

    Examples
    --------
    >>> from tradelib.explorer.views import Choice, look
    >>> korea = table(look(Choice("KOR", "2018-07", as_of="2018-10-05", measure="exports")))
    >>> korea["South Korea"].iloc[-1].round(1).to_dict()
    {'exports_usd': 31752055221.0, 'exports_change_usd': 3182368972.0, 'exports_change_pct': 11.1}
    """
    parts = {label(view, line): _figures(view, line) for line in view.lines}
    for older, newer in view.pairs:
        revision = newer.sums[view.column] - older.sums[view.column]
        parts[f"{older.name}, revision"] = revision.to_frame("revision_usd")
    whole = shown(view, pd.concat(parts, axis=1, names=["series", "figure"]))
    return whole.tail(ROWS[view.choice.window]).dropna(axis=1, how="all")


def label(view: View, line: Line) -> str:
    """Name a series: its partner, and its vintage where there are two."""
    return line.name if len(view.vintages) < 2 else f"{line.name}, vintage of {line.vintage.published}"


def _figures(view: View, line: Line) -> pd.DataFrame:
    """One series, and its change on a year earlier."""
    now = line.sums
    year = view.span.end.ordinal - view.span.year_earlier.end.ordinal
    before = now.reindex(now.index - year).set_axis(now.index)
    measure = view.choice.measure
    changes = balances.change(now, before)
    changes["balance_reduction_pct"] = balances.deficit_reduction(now["balance_usd"], before["balance_usd"])
    wanted = [f"{measure}_change_usd"] if len(view.lines) == 1 else []
    wanted += ["balance_reduction_pct" if measure == "balance" else f"{measure}_change_pct"]
    return pd.concat([now[[view.column]], changes[wanted]], axis=1)


def tsv(frame: pd.DataFrame) -> str:
    """Write a table for a spreadsheet: one line of headers, whole dollars, no separators.

    Examples
    --------
    >>> from tradelib.explorer.views import Choice, look
    >>> korea = table(look(Choice("KOR", "2018-07", as_of="2018-10-05", measure="exports")))
    >>> tsv(korea).splitlines()[-1].split("\\t")[:2]
    ['2018-07', '31752055221']
    """
    flat = frame.set_axis([": ".join(column) for column in frame.columns], axis=1)
    return flat.to_csv(sep="\t", lineterminator="\n", float_format="%.15g")


def published(view: View, raw: pd.DataFrame | None = None) -> HTML:
    """Set a view's table as it would be printed: units in the headers, thousands separated.

    Parameters
    ----------
    view : View
    raw : DataFrame, optional
        What `table` gives, where it is at hand.

    Returns
    -------
    HTML

    Examples
    --------
    >>> from tradelib.explorer.views import Choice, look
    >>> korea = published(look(Choice("KOR", "2018-07", as_of="2018-10-05", measure="exports")))
    >>> print(korea.data.splitlines()[-2])
    <tr><td>January-July 2018</td><td>31,752.1</td><td>3,182.4</td><td>11.1</td></tr>
    """
    raw = table(view) if raw is None else raw
    dollars = [column for column in raw.columns if column[1].endswith("_usd")]
    top = raw[dollars].abs().max().max()
    size, unit, digits = next(entry[1:] for entry in UNITS if top >= entry[0])
    columns = [[_row(view, period) for period in raw.index]]
    for column in raw.columns:
        scale, places = (size, digits) if column in dollars else (1, 1)
        columns.append([_number(value / scale, places) for value in raw[column]])
    names = [raw.index.name, *(_header(figure, unit) for _, figure in raw.columns)]
    spans = list(raw.columns.get_level_values("series")) if len(view.lines) > 1 else []
    heads = [_series_row(spans), _tr("th", names)] if spans else [_tr("th", names)]
    body = [_tr("td", cells) for cells in zip(*columns, strict=True)]
    open_ = f'{STYLE}\n<table class="tradelib-table"><caption>{escape(_caption(view))}</caption>\n<thead>'
    return HTML("\n".join([open_, *heads, "</thead><tbody>", *body, "</tbody></table>"]))


def _tr(tag: str, cells: Iterable[str]) -> str:
    inner = (escape(cell).replace("\n", "<br>") for cell in cells)
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in inner)}</tr>"


def _series_row(names: list[str]) -> str:
    groups = [(name, len(list(group))) for name, group in itertools.groupby(names)]
    cells = (
        f'<th class="series" colspan="{n}">{escape(name).replace(", ", ",<br>")}</th>' for name, n in groups
    )
    return f"<tr><th></th>{''.join(cells)}</tr>"


def _number(value: float, digits: int) -> str:
    if wording.missing(float(value)):
        return ""
    text = f"{value:,.{digits}f}"
    return text.replace("-", "\u2212") if any(c in "123456789" for c in text) else text.lstrip("-")


def _header(figure: str, unit: str) -> str:
    measure = figure.split("_")[0]
    if measure == "revision":
        return f"Newer less older,\n{unit}"
    if figure == "balance_reduction_pct":
        return "Deficit reduced by,\npercent"
    if "_change_" in figure:
        return f"Change in a year,\n{unit if figure.endswith('_usd') else 'percent'}"
    return f"{wording.capital(measure)},\n{unit}"


def _row(view: View, period: pd.Period) -> str:
    window = year_to_date(period) if view.choice.window == "year to date" else Window(period, period)
    return wording.capital(wording.span(window).removeprefix("the "))


def _caption(view: View) -> str:
    info, measure = table_info(view.table), view.choice.measure
    who = wording.series(list(dict.fromkeys(line.name for line in view.lines)))
    days = wording.series([str(vintage.published) for vintage in view.vintages])
    what = f"U.S. {measure} {'in' if measure == 'balance' else 'of'} {view.basis.what}, {who}"
    return f"{what}. {wording.capital(BASES[info.basis])}, {ADJUSTED[info.adjustment]}; vintage of {days}."
