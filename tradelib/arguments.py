"""What a calculation is given, checked: each mistake is told with what would be right."""

import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import resolve
from tradelib.windows import NAMES, Window

NEEDED = ["period", "partner", "flow", "item", "value_usd"]


def check_table(flows: pd.DataFrame) -> None:
    """Refuse what is no tidy table of flows, and say what one is.

    Examples
    --------
    >>> check_table(pd.DataFrame(columns=["partner", "flow", "item", "value_usd", "month"]))
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: Not a table of flows: it has no column period.
      It has partner, flow, item, value_usd, month.
      Give a table as `tradelib.load_goods(as_of=...)` returns it.
    """
    columns = list(flows.columns) if isinstance(flows, pd.DataFrame) else []
    lacking = [name for name in NEEDED if name not in columns]
    if lacking:
        has = f"It has {', '.join(map(str, columns[:8]))}." if columns else f"It is a {type(flows).__name__}."
        raise TradelibError(
            f"Not a table of flows: it has no column {', '.join(lacking)}.",
            has,
            "Give a table as `tradelib.load_goods(as_of=...)` returns it.",
        )
    if not isinstance(flows["period"].dtype, pd.PeriodDtype):
        raise TradelibError(
            f"The column period holds {flows['period'].dtype}, not pandas Periods.",
            'Make them with pd.PeriodIndex(frame["period"], freq="M"), or "Q" for quarters.',
        )


def one_source(flows: pd.DataFrame) -> None:
    """Refuse rows of different tables or vintages in one calculation.

    Examples
    --------
    >>> one_source(pd.DataFrame({"table": ["goods_census_nsa", "trade_bop_sa"]}))
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: Rows of 2 different table values: goods_census_nsa, trade_bop_sa.
      Calculate on one table and one vintage at a time; bases are never added.
    """
    for column in ("table", "vintage"):
        if column in flows and flows[column].nunique() > 1:
            names = ", ".join(sorted(map(str, flows[column].unique())))
            raise TradelibError(
                f"Rows of {flows[column].nunique()} different {column} values: {names}.",
                "Calculate on one table and one vintage at a time; bases are never added.",
            )


def periods_of(sides: pd.DataFrame, window: Window) -> pd.PeriodIndex:
    """Return the periods of a table over which a window is to be summed, of its frequency.

    Examples
    --------
    >>> months = pd.period_range("2018-01", "2018-02", freq="M", name="period")
    >>> periods_of(pd.DataFrame({"exports_usd": [1.0, 2.0]}, index=months), Window("2018Q1", "2018Q1"))
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: The window 2018Q1 is in quarters, the table in months.
      Give it in months: `tradelib.year_to_date("2018-02")`.
    """
    if "period" not in getattr(sides, "index", pd.Index([])).names:
        raise TradelibError(
            "The table has no periods in its index to sum over.",
            "Take balances first: `tradelib.balance(flows)` has the index (partner, item, period).",
        )
    if not isinstance(window, Window):
        raise TradelibError(
            f"{window!r} is not a window.", 'Make one with `tradelib.year_to_date("2018-07")`.'
        )
    periods = sides.index.get_level_values("period")
    mine, theirs = window.end.freqstr[0], periods.freqstr[0]
    if mine != theirs:
        last = periods.max() if len(periods) else "2018Q2" if theirs == "Q" else "2018-07"
        raise TradelibError(
            f"The window {window} is in {NAMES[mine]}, the table in {NAMES[theirs]}.",
            f'Give it in {NAMES[theirs]}: `tradelib.year_to_date("{last}")`.',
        )
    return periods


def only(flows: pd.DataFrame, wanted: list) -> pd.DataFrame:
    """Keep the rows of some partners, each of whom must have some.

    Examples
    --------
    >>> only(pd.DataFrame({"partner": ["5800", "5700"]}), ["KOR"])
      partner
    0    5800
    """
    found = [resolve(one) for one in wanted]
    there = set(flows["partner"].unique())
    for who in found:
        if who.code not in there:
            raise TradelibError(
                f"The table has no rows of {who.prose} ({who.code}); it has {len(there)} partner(s).",
                "Load it without partner=, or ask `frame.partner.unique()` which codes are there.",
            )
    return flows[flows["partner"].isin([who.code for who in found])]
