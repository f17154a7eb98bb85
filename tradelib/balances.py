"""All arithmetic on flows: pure functions from tables to tables.

Balance is exports less imports, so that a deficit is negative. Periods are compared by calendar,
never by row position; a window that is not complete has no sum.

Balances come in two forms. Of one partner they are indexed by `period` alone, and `.loc["2014":"2018"]`
slices them by year; of several by (`partner`, `item`, `period`), where such a slice is an error and never
silently empty. All functions take both; of one partner, a sum has one row, named by its `window`.
"""

from typing import Any, Literal, TypeVar, overload

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import resolve
from tradelib.tables import BALANCE, FLOWS, SIDES
from tradelib.windows import NAMES, Window

Values = TypeVar("Values", pd.DataFrame, pd.Series)
NEEDED = ["period", "partner", "flow", "item", "value_usd"]


def balance(
    flows: pd.DataFrame, *, partner: str | int | list[str] | None = None, item: str | None = None
) -> pd.DataFrame:
    """Put exports and imports side by side and take the balance.

    Parameters
    ----------
    flows : DataFrame
        A tidy table of one basis, adjustment and vintage: `period`, `partner`, `flow`, `item`,
        `value_usd`.
    partner : str, int or list of str, optional
        Only this partner, or these: code, ISO code or name.
    item : str, optional
        Only this item: "goods", "services", "total", or a commodity code.

    Returns
    -------
    DataFrame
        Columns `exports_usd`, `imports_usd` and `balance_usd` in whole dollars, missing where one of the
        two flows is. Where the table holds balances as published (BEA), those are kept: they are rounded
        separately. What else the table has in dollars, such as the `duty_usd` of imports for consumption,
        stands beside them. Index (`partner`, `item`, `period`); of one `partner`, without that level, of one
        `item`, without that one. One partner of a table with one item has the index `period`, and
        `.loc["2014":"2018"]` is five years; where partners or items stand before the period, such a slice
        raises a TypeError: choose one first.

    Raises
    ------
    TradelibError
        If it is no such table, if its rows come from more than one table or vintage, or if it has
        no row of the partner or item.

    Examples
    --------
    >>> flows = pd.DataFrame({
    ...     "period": pd.PeriodIndex(["2018-07"] * 2, freq="M"), "partner": "5800", "item": "goods",
    ...     "flow": ["exports", "imports"], "value_usd": [4.8e9, 6.3e9]})
    >>> balance(flows, partner="KOR").loc["2018", "balance_usd"].to_list()
    [-1500000000.0]
    """
    check_table(flows)
    single = partner is not None and not isinstance(partner, list)
    if partner is not None:
        flows = only(flows, partner if isinstance(partner, list) else [partner])
    items = list(map(str, flows["item"].unique()))
    if item is not None and item not in items:
        raise TradelibError(f"The table has no item {item!r}.", f"It has {', '.join(items[:8])}.")
    if item is not None:
        flows = flows[flows["item"] == item]
    try:
        wide = flows.set_index(["partner", "item", "period", "flow"])["value_usd"].unstack("flow")
    except ValueError:  # of pandas: duplicates
        raise TradelibError(
            "The table has more than one row of the same partner, item, period and flow.",
            "Was it put together twice? See frame[frame.duplicated(['partner', 'item', 'period', 'flow'])].",
        ) from None
    unknown = [str(flow) for flow in wide if flow not in (*FLOWS, BALANCE)]
    if unknown:
        known = ", ".join((*FLOWS, BALANCE))
        raise TradelibError(f"{', '.join(unknown)} is not a flow.", f"Flows are {known}.")
    published = BALANCE in wide
    sides = wide.reindex(columns=[*FLOWS, BALANCE]).add_suffix("_usd").rename_axis(columns=None)
    beside = [name for name in map(str, flows) if name.endswith("_usd") and name not in NEEDED]
    if beside:  # of one flow: exports or imports
        sides = sides.join(flows.groupby(wide.index.names, observed=True)[beside].sum(min_count=1))
    if not published:
        sides["balance_usd"] = sides["exports_usd"] - sides["imports_usd"]
    if item is not None or (single and len(items) == 1):
        sides = sides.droplevel("item")
    return _levels(sides.droplevel("partner") if single else sides, "category")


def _levels(frame: pd.DataFrame, kind: Literal["category", "str"]) -> pd.DataFrame:
    """Make categories of partners and items, or strings again.

    Where they stand before periods, a slice by year is an error for categories, and empty for strings.
    """
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        levels: list[Any] = [
            level if isinstance(level, pd.PeriodIndex) else level.astype(kind) for level in index.levels
        ]
        return frame.set_axis(index.set_levels(levels), axis=0)
    return frame if isinstance(index, pd.PeriodIndex) else frame.set_axis(index.astype(kind), axis=0)


def window_sum(sides: pd.DataFrame, window: Window, *, absent_is_zero: bool = False) -> pd.DataFrame:
    """Sum a window for every partner and item.

    Parameters
    ----------
    sides : DataFrame
        Balances as `balance` returns them, in either form, with or without `item`; any `_usd` columns.
    window : Window
        From `year_to_date`, `full_year` or `Window`; same frequency as the periods.
    absent_is_zero : bool
        True for tables in which no row means no trade (API replies). Otherwise a window with a
        missing period has no sum.

    Returns
    -------
    DataFrame
        The same columns in dollars. Index (`partner`, `item`), without the level that `sides` has not;
        of one partner one row, its index `window`.

    Raises
    ------
    TradelibError
        If there are no periods, or they are of another frequency than the window.

    Examples
    --------
    >>> months = pd.period_range("2018-01", "2018-02", freq="M", name="period")
    >>> sides = pd.DataFrame({"exports_usd": [1.0, 2.0]}, index=months)
    >>> window_sum(sides, Window("2018-01", "2018-02"))
                      exports_usd
    window
    2018-01..2018-02          3.0
    >>> window_sum(sides, Window("2018-01", "2018-03")).exports_usd.isna().item()
    True
    """
    periods = periods_of(sides, window)
    rows = sides[(periods >= window.start) & (periods <= window.end)]
    others = [name for name in sides.index.names if name != "period"]
    by = {"level": others, "observed": True} if others else {"by": pd.Index([str(window)] * len(rows))}
    grouped = rows.groupby(**by)
    known = grouped.count().eq(grouped.size() if absent_is_zero else len(window), axis=0)
    sums = grouped.sum().where(known)  # a row without a value, suppressed, is not zero
    if others:
        return _levels(sums, "str")
    whole = sums.reindex([str(window)], fill_value=0.0 if absent_is_zero else np.nan)
    return whole.rename_axis("window")


def trailing_sum(sides: pd.DataFrame, periods: int) -> pd.DataFrame:
    """Sum the trailing `periods` (4 quarters, 12 months) at every period, by calendar.

    Parameters
    ----------
    sides : DataFrame
        Balances as `balance` returns them, in either form; `_usd` columns.
    periods : int
        How many.

    Returns
    -------
    DataFrame
        Same index with the gaps of the calendar filled in; missing where one of the trailing
        periods is.

    Examples
    --------
    >>> quarters = pd.PeriodIndex(["2018Q1", "2018Q2", "2018Q4"], freq="Q", name="period")
    >>> trailing_sum(pd.DataFrame({"balance_usd": [1.0, 2.0, 4.0]}, index=quarters), 2).balance_usd.tolist()
    [nan, 3.0, nan, nan]
    """
    others = [str(name) for name in sides.index.names if name != "period"]
    wide = pd.DataFrame(sides.unstack(others)) if others else sides
    wide = wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), name="period"))
    total = wide.rolling(periods, min_periods=periods).sum()
    if not others:
        return total
    long = pd.DataFrame(total.stack(others, future_stack=True))
    return long.reorder_levels([str(name) for name in sides.index.names]).sort_index()


def change(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Change between two windows, in dollars and, for flows, in percent of the base.

    Parameters
    ----------
    now, before : DataFrame
        Same index, or two windows of one partner; columns `exports_usd`, `imports_usd`, `balance_usd`.

    Returns
    -------
    DataFrame
        For each column `*_change_usd`; for exports and imports `*_change_pct` too, missing where
        the base is zero. A balance has no percentage: see `deficit_reduction`.

    Examples
    --------
    >>> now, before = (pd.DataFrame({"exports_usd": [v]}, index=["5800"]) for v in (111.0, 100.0))
    >>> change(now, before).round(1).iloc[0].to_dict()
    {'exports_change_usd': 11.0, 'exports_change_pct': 11.0}
    """
    base, columns = _aligned(before, now), {}
    for name in now.columns:
        side, moved = name.removesuffix("_usd"), now[name] - base[name]
        columns[f"{side}_change_usd"] = moved
        if side != BALANCE:
            columns[f"{side}_change_pct"] = 100 * moved / base[name].where(base[name] > 0)
    return pd.DataFrame(columns)


def _aligned(before: Values, now: Values) -> Values:
    """Bring what was before to the index of now; two windows of one partner stand row by row."""
    if now.index.name == before.index.name == "window" and len(now) == len(before):
        return before.set_axis(now.index, axis=0)
    return before.reindex(now.index)


def deficit_reduction(now: pd.Series, before: pd.Series) -> pd.Series:
    """Percent by which a deficit shrank (negative: grew); only where both balances are deficits.

    Where the sign flips, or the base is no deficit, there is no percentage.

    Parameters
    ----------
    now, before : Series
        Balances in dollars, same index; or two windows of one partner.

    Returns
    -------
    Series
        Percent.

    Examples
    --------
    >>> deficit_reduction(pd.Series([-979.0, 200.0]), pd.Series([-2840.0, -1800.0])).round(1).tolist()
    [65.5, nan]
    """
    before = _aligned(before, now)
    return (100 * (1 - now / before)).where((now < 0) & (before < 0))


def contributions(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Split the change of a balance into what exports and imports contributed.

    Parameters
    ----------
    now, before : DataFrame
        Same index, or two windows of one partner; columns `exports_usd`, `imports_usd`.

    Returns
    -------
    DataFrame
        `exports_usd` (a rise adds) and `imports_usd` (a rise takes away): together exactly the
        change of the balance.

    Examples
    --------
    >>> now = pd.DataFrame({"exports_usd": [12.0], "imports_usd": [9.0]})
    >>> before = pd.DataFrame({"exports_usd": [10.0], "imports_usd": [8.0]})
    >>> contributions(now, before).iloc[0].to_dict()
    {'exports_usd': 2.0, 'imports_usd': -1.0}
    """
    flows = SIDES[:2]
    return (now[flows] - _aligned(before, now)[flows]) * [1.0, -1.0]


def rank(balances: pd.Series, universe: list[str]) -> pd.Series:
    """Rank the members of a universe by their deficit, the largest first; ties share the better rank."""
    ranked = balances[balances.index.isin(universe)].dropna()
    return ranked.rank(method="min").astype(int).sort_values(kind="stable")


def reducers(now: pd.Series, before: pd.Series, universe: list[str]) -> pd.DataFrame:
    """Find the partners whose deficit shrank, the largest reduction first; see `questions.reducers`."""
    table = _both(now, before, universe)
    table = table[(table["before"] < 0) & (table["now"] > table["before"])]
    return _moved(table, "reduction_pct", deficit_reduction(table["now"], table["before"]))


def wideners(now: pd.Series, before: pd.Series, universe: list[str]) -> pd.DataFrame:
    """Find the partners whose deficit grew, the largest growth first; see `questions.wideners`."""
    table = _both(now, before, universe)
    table = table[(table["now"] < 0) & (table["now"] < table["before"])]
    return _moved(table, "growth_pct", -deficit_reduction(table["now"], table["before"]))


def _both(now: pd.Series, before: pd.Series, universe: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"now": now, "before": before}).loc[lambda t: t.index.isin(universe)]


def _moved(table: pd.DataFrame, column: str, pct: pd.Series) -> pd.DataFrame:
    """Balances that turned, of which there is no percentage, come first."""
    moved = pd.DataFrame({column: pct, "change_usd": table["now"] - table["before"]}).rename_axis("partner")
    return moved.sort_values(column, ascending=False, na_position="first")


def record_high(values: pd.Series) -> pd.DataFrame:
    """Find each partner's highest period on record, the latest if there are several.

    Parameters
    ----------
    values : Series
        One flow in dollars; index (`partner`, `period`), or `period` of one partner.

    Returns
    -------
    DataFrame
        Index `partner`; `period` and `highest_usd` of the record, `since`, the first period on
        record. A partner without any trade has no row. Of one partner one row, by the name of `values`.

    Examples
    --------
    >>> months = pd.period_range("2018-01", periods=3, freq="M", name="period")
    >>> record_high(pd.Series([1.0, 3.0, 3.0], index=months, name="exports_usd"))
                  period  highest_usd    since
    flow
    exports_usd  2018-03          3.0  2018-01
    """
    by = "partner" if "partner" in values.index.names else "flow"
    table = values.dropna().rename("highest_usd").reset_index()
    if by == "flow":
        table = table.assign(flow=str(values.name))
    since = table.groupby(by, observed=True)["period"].min()
    traded = table[table["highest_usd"] > 0].sort_values(["highest_usd", "period"])
    highest = traded.drop_duplicates(by, keep="last").set_index(by)[["period", "highest_usd"]]
    highest.index = highest.index.astype("str")
    return highest.assign(since=since).sort_index()


@overload
def share(part: float, whole: float) -> float: ...
@overload
def share(part: pd.Series, whole: pd.Series | float) -> pd.Series: ...
def share(part: float | pd.Series, whole: float | pd.Series) -> float | pd.Series:
    """Percent of a whole: of trade, or of a deficit if both are deficits.

    Parameters
    ----------
    part, whole : float or Series
        Dollars; of two Series, each entry with the one of the same index.

    Returns
    -------
    float or Series
        Percent. Missing where the whole is zero or missing, and where the signs differ: a surplus is no
        part of a deficit. A part of zero is 0 percent.

    Examples
    --------
    >>> share(1.0, 4.0), share(-1.0, -4.0), share(1.0, -4.0)
    (25.0, 25.0, nan)
    >>> share(pd.Series([-10.0, 5.0]), -40.0).tolist()
    [25.0, nan]
    """
    if isinstance(part, pd.Series):
        pct = 100 * part / whole
        return pct.where((pct >= 0) & np.isfinite(pct)).abs()
    if isinstance(whole, pd.Series):
        return share(pd.Series(float(part), index=whole.index), whole)
    of = 100 * part / whole if whole else np.nan
    return abs(of) if of >= 0 else np.nan


def check_table(flows: pd.DataFrame) -> None:
    """Refuse what is no tidy table of flows of one table and vintage, and say what one is."""
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
    for column in ("table", "vintage"):
        if column in flows and flows[column].nunique() > 1:
            names = ", ".join(sorted(map(str, flows[column].unique())))
            raise TradelibError(
                f"Rows of {flows[column].nunique()} different {column} values: {names}.",
                "Calculate on one table and one vintage at a time; bases are never added.",
            )


def periods_of(sides: pd.DataFrame, window: Window) -> pd.PeriodIndex:
    """Return the periods of a table over which a window is to be summed, of its frequency."""
    if "period" not in getattr(sides, "index", pd.Index([])).names:
        raise TradelibError(
            "The table has no periods in its index to sum over.",
            "Take balances first: `tradelib.balance(flows)` has them.",
        )
    if not isinstance(window, Window):
        raise TradelibError(
            f"{window!r} is not a window.", 'Make one with `tradelib.year_to_date("2018-07")`.'
        )
    periods = pd.PeriodIndex(sides.index.get_level_values("period"))
    mine, theirs = window.end.freqstr[0], periods.freqstr[0]
    if mine != theirs:
        last = periods.max() if len(periods) else "2018Q2" if theirs == "Q" else "2018-07"
        raise TradelibError(
            f"The window {window} is in {NAMES[mine]}, the table in {NAMES[theirs]}.",
            f'Give it in {NAMES[theirs]}: `tradelib.year_to_date("{last}")`.',
        )
    return periods


def only(flows: pd.DataFrame, wanted: list[str] | list[int] | list[str | int]) -> pd.DataFrame:
    """Keep the rows of some partners, each of whom must have some."""
    found = [resolve(one) for one in wanted]
    there = set(flows["partner"].unique())
    for who in found:
        if who.code not in there:
            raise TradelibError(
                f"The table has no rows of {who.prose} ({who.code}); it has {len(there)} partner(s).",
                "Load it without partner=, or ask `frame.partner.unique()` which codes are there.",
            )
    return flows[flows["partner"].isin([who.code for who in found])]
