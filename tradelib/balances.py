"""All arithmetic on flows: pure functions from tables to tables.

Balance is exports less imports, so that a deficit is negative. Periods are compared by calendar,
never by row position; a window that is not complete has no sum.
"""

import numpy as np
import pandas as pd

from tradelib.arguments import check_table, one_source, only, periods_of
from tradelib.errors import TradelibError
from tradelib.windows import Window

SIDES = ["exports_usd", "imports_usd", "balance_usd"]
FLOWS = ("exports", "imports", "balance")


def balance(flows: pd.DataFrame, *, partner: str | int | list[str] | None = None) -> pd.DataFrame:
    """Put exports and imports side by side and take the balance.

    Parameters
    ----------
    flows : DataFrame
        A tidy table of one basis, adjustment and vintage: `period`, `partner`, `flow`, `item`,
        `value_usd`.
    partner : str, int or list of str, optional
        Only this partner, or these: code, ISO code or name.

    Returns
    -------
    DataFrame
        Index (`partner`, `item`, `period`); columns `exports_usd`, `imports_usd` and
        `balance_usd` in whole dollars, missing where one of the two flows is. Where the table
        holds balances as published (BEA), those are kept: they are rounded separately.

    Raises
    ------
    TradelibError
        If it is no such table, if its rows come from more than one table or vintage, or if it has
        no row of the partner.

    Examples
    --------
    >>> flows = pd.DataFrame({
    ...     "period": pd.PeriodIndex(["2018-07"] * 2, freq="M"), "partner": "5800", "item": "goods",
    ...     "flow": ["exports", "imports"], "value_usd": [4.8e9, 6.3e9]})
    >>> balance(flows, partner="KOR").balance_usd.item()
    -1500000000.0
    """
    check_table(flows)
    one_source(flows)
    if partner is not None:
        flows = only(flows, partner if isinstance(partner, list) else [partner])
    try:
        wide = flows.set_index(["partner", "item", "period", "flow"])["value_usd"].unstack("flow")
    except ValueError:  # of pandas: duplicates
        raise TradelibError(
            "The table has more than one row of the same partner, item, period and flow.",
            "Was it put together twice? See frame[frame.duplicated(['partner', 'item', 'period', 'flow'])].",
        ) from None
    unknown = [str(flow) for flow in wide if flow not in FLOWS]
    if unknown:
        raise TradelibError(f"{', '.join(unknown)} is not a flow.", f"Flows are {', '.join(FLOWS)}.")
    published = "balance" in wide
    sides = ["exports", "imports"] + ["balance"] * published
    wide = wide.reindex(columns=sides).add_suffix("_usd").rename_axis(columns=None)
    if not published:
        wide["balance_usd"] = wide["exports_usd"] - wide["imports_usd"]
    return wide


def window_sum(sides: pd.DataFrame, window: Window, *, absent_is_zero: bool = False) -> pd.DataFrame:
    """Sum a window for every partner and item.

    Parameters
    ----------
    sides : DataFrame
        Index (`partner`, `item`, `period`), as `balance` returns it, or without `item`; any `_usd`
        columns.
    window : Window
        From `year_to_date`, `full_year` or `Window`; same frequency as the periods.
    absent_is_zero : bool
        True for tables in which no row means no trade (API replies). Otherwise a window with a
        missing period has no sum.

    Returns
    -------
    DataFrame
        Index (`partner`, `item`), the same columns in dollars.

    Raises
    ------
    TradelibError
        If there are no periods, or they are of another frequency than the window.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product(
    ...     [["5800"], ["goods"], pd.period_range("2018-01", "2018-02", freq="M")],
    ...     names=["partner", "item", "period"])
    >>> sides = pd.DataFrame({"exports_usd": [1.0, 2.0]}, index=index)
    >>> window_sum(sides, Window("2018-01", "2018-02")).exports_usd.item()
    3.0
    >>> window_sum(sides, Window("2018-01", "2018-03")).exports_usd.isna().item()
    True
    """
    periods = periods_of(sides, window)
    rows = sides[(periods >= window.start) & (periods <= window.end)]
    grouped = rows.groupby(level=[name for name in sides.index.names if name != "period"], sort=True)
    if absent_is_zero:
        return grouped.sum()
    return grouped.sum(min_count=len(window)).where(grouped.count() == len(window))


def trailing_sum(sides: pd.DataFrame, periods: int) -> pd.DataFrame:
    """Sum the trailing `periods` (4 quarters, 12 months) at every period, by calendar.

    Parameters
    ----------
    sides : DataFrame
        Index (`partner`, `item`, `period`); `_usd` columns.
    periods : int
        How many.

    Returns
    -------
    DataFrame
        Same index with the gaps of the calendar filled in; missing where one of the trailing
        periods is.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product(
    ...     [["5800"], ["total"], pd.PeriodIndex(["2018Q1", "2018Q2", "2018Q4"], freq="Q")],
    ...     names=["partner", "item", "period"])
    >>> trailing_sum(pd.DataFrame({"balance_usd": [1.0, 2.0, 4.0]}, index=index), 2).balance_usd.tolist()
    [nan, 3.0, nan, nan]
    """
    wide = sides.unstack(["partner", "item"])
    wide = wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), name="period"))
    total = wide.rolling(periods, min_periods=periods).sum()
    return (
        total.stack(["partner", "item"], future_stack=True)
        .reorder_levels(["partner", "item", "period"])
        .sort_index()
    )


def change(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Change between two windows, in dollars and, for flows, in percent of the base.

    Parameters
    ----------
    now, before : DataFrame
        Same index; columns `exports_usd`, `imports_usd`, `balance_usd`.

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
    columns = {}
    for name in now.columns:
        side, base = name.removesuffix("_usd"), before[name].reindex(now.index)
        columns[f"{side}_change_usd"] = now[name] - base
        if side != "balance":
            columns[f"{side}_change_pct"] = 100 * (now[name] - base) / base.where(base > 0)
    return pd.DataFrame(columns)


def deficit_reduction(now: pd.Series, before: pd.Series) -> pd.Series:
    """Percent by which a deficit shrank (negative: grew); only where both balances are deficits.

    Where the sign flips, or the base is no deficit, there is no percentage.

    Parameters
    ----------
    now, before : Series
        Balances in dollars, same index.

    Returns
    -------
    Series
        Percent.

    Examples
    --------
    >>> deficit_reduction(pd.Series([-979.0, 200.0]), pd.Series([-2840.0, -1800.0])).round(1).tolist()
    [65.5, nan]
    """
    before = before.reindex(now.index)
    return (100 * (1 - now / before)).where((now < 0) & (before < 0))


def contributions(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Split the change of a balance into what exports and imports contributed.

    Parameters
    ----------
    now, before : DataFrame
        Same index; columns `exports_usd`, `imports_usd`.

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
    difference = now[["exports_usd", "imports_usd"]] - before[["exports_usd", "imports_usd"]].reindex(
        now.index
    )
    return difference * [1.0, -1.0]


def rank(balances: pd.Series, universe: list[str]) -> pd.Series:
    """Rank the members of a universe by their deficit, the largest first.

    Parameters
    ----------
    balances : Series
        Balances in dollars by partner code.
    universe : list of str
        Who may be ranked: codes of single countries, never groups.

    Returns
    -------
    Series
        Rank (1 is the largest deficit) of each member that has a balance; its length is n.
        Equal balances share the better rank.

    Examples
    --------
    >>> rank(pd.Series({"5700": -3.0, "2010": -2.0, "0003": -9.0}), ["5700", "2010"]).to_dict()
    {'5700': 1, '2010': 2}
    """
    ranked = balances[balances.index.isin(universe)].dropna()
    return ranked.rank(method="min").astype(int).sort_values(kind="stable")


def reducers(now: pd.Series, before: pd.Series, universe: list[str]) -> pd.DataFrame:
    """Find the partners whose deficit shrank, the largest reduction first.

    Parameters
    ----------
    now, before : Series
        Balances in dollars by partner code.
    universe : list of str
        Who is asked about.

    Returns
    -------
    DataFrame
        Index partner; `reduction_pct` (missing where the deficit turned into a surplus) and
        `change_usd`.

    Examples
    --------
    >>> reducers(pd.Series({"a": -1.0, "b": -3.0}), pd.Series({"a": -2.0, "b": -2.0}), ["a", "b"])
             reduction_pct  change_usd
    partner
    a                 50.0         1.0
    """
    table = pd.DataFrame({"now": now, "before": before}).loc[lambda t: t.index.isin(universe)]
    table = table[(table["before"] < 0) & (table["now"] > table["before"])]
    result = pd.DataFrame(
        {
            "reduction_pct": deficit_reduction(table["now"], table["before"]),
            "change_usd": table["now"] - table["before"],
        }
    ).rename_axis("partner")
    return result.sort_values("reduction_pct", ascending=False, na_position="first")


def record_high(values: pd.Series) -> pd.DataFrame:
    """Find each partner's highest period on record, the latest if there are several.

    Parameters
    ----------
    values : Series
        One flow in dollars; index (`partner`, `period`).

    Returns
    -------
    DataFrame
        Index partner; `period` and `highest_usd` of the record, `since`, the first period on
        record. A partner without any trade has no row.

    Examples
    --------
    >>> months = pd.period_range("2018-01", periods=3, freq="M")
    >>> index = pd.MultiIndex.from_product([["5800"], months], names=["partner", "period"])
    >>> record_high(pd.Series([1.0, 3.0, 3.0], index=index)).loc["5800", "period"]
    Period('2018-03', 'M')
    """
    table = values.dropna().rename("highest_usd").reset_index()
    since = table.groupby("partner")["period"].min()
    traded = table[table["highest_usd"] > 0].sort_values(["highest_usd", "period"])
    highest = traded.drop_duplicates("partner", keep="last").set_index("partner")
    return highest.assign(since=since).sort_index()


def share(part: float, whole: float) -> float:
    """Percent of a whole; missing where the whole is not positive.

    Examples
    --------
    >>> share(1.0, 4.0)
    25.0
    """
    return 100 * part / whole if whole > 0 else np.nan
