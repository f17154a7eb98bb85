"""The questions people ask of a whole table, each in one call: who ranks, who moved, what was revised."""

from collections.abc import Callable
from datetime import date

import pandas as pd

from tradelib import balances
from tradelib.errors import NoRows, TradelibError
from tradelib.loaders import LATEST, day_of, rows_of
from tradelib.partners import all_partners, countries, resolve
from tradelib.partners import partner as partner_of
from tradelib.store import vintages
from tradelib.tables import GOODS, SIDES, TRADE
from tradelib.windows import Window, as_period, year_to_date

CHANGES = ["exports_change_pct", "imports_change_pct", "balance_change_usd"]


def rank(
    table: pd.DataFrame | pd.Series,
    universe: list[str] | None = None,
    *,
    through: str | pd.Period | None = None,
    window: Window | None = None,
    item: str | None = None,
) -> pd.DataFrame | pd.Series:
    """Rank countries by the U.S. deficit with them, the largest first.

    Parameters
    ----------
    table : DataFrame or Series
        Flows as `load_goods` returns them, balances as `balance` does, sums as `window_sum` does; or a
        Series of balances in dollars by partner code.
    universe : list of str, optional
        Who may be ranked: codes, ISO codes or names of single countries; all of them unless given.
        Groups are never ranked.
    through : str or Period, optional
        The year to date through this month ("2018-07") or quarter ("2018Q2").
    window : Window, optional
        Any other span, instead of `through`.
    item : str, optional
        "goods", "services" or "total", where the table has more than one.

    Returns
    -------
    DataFrame or Series
        Of a table: index `partner` (code), columns `rank` (1 is the largest deficit), `name`,
        `balance_usd`. Of a Series: the ranks. Its length is n, how many were ranked; equal balances
        share the better rank.

    Raises
    ------
    TradelibError
        If the table, a partner or the window is not what it should be.

    Examples
    --------
    >>> from tradelib import load_goods
    >>> rank(load_goods(as_of="2018-10-05"), through="2018-07").head(2)[["rank", "name"]]
             rank    name
    partner
    5700        1   China
    2010        2  Mexico
    """
    wanted = _window(through, window)
    asked = _universe(universe, wanted)
    usd = _balances(table, wanted, item)
    ranks = balances.rank(usd, asked).rename("rank").rename_axis("partner")
    if isinstance(table, pd.Series):
        return ranks
    return pd.DataFrame({"rank": ranks, "name": _names(ranks.index), "balance_usd": usd.reindex(ranks.index)})


def reducers(
    table: pd.DataFrame | pd.Series,
    before: pd.Series | None = None,
    universe: list[str] | None = None,
    *,
    through: str | pd.Period | None = None,
    window: Window | None = None,
    item: str | None = None,
) -> pd.DataFrame:
    """Find the countries with which the U.S. deficit shrank, and by how much.

    Parameters
    ----------
    table : DataFrame or Series
        As for `rank`, with the year before in it; or a Series of balances by partner code.
    before : Series, optional
        With a Series: the balances to compare with.
    universe : list of str, optional
        Who is asked about; all single countries unless given.
    through : str or Period, optional
        The year to date through this month ("2024-08") or quarter, against the same of a year earlier.
    window : Window, optional
        Any other span, instead of `through`; it too is compared with a year earlier.
    item : str, optional
        "goods", "services" or "total", where the table has more than one.

    Returns
    -------
    DataFrame
        Index `partner` (code), the largest reduction in percent first; columns `name`, `before_usd`,
        `balance_usd`, `change_usd` in dollars and `reduction_pct`, which is missing where the deficit
        turned into a surplus: those come first.

    Raises
    ------
    TradelibError
        If the table, a partner or the window is not what it should be.

    Examples
    --------
    >>> from tradelib import load_goods
    >>> goods = load_goods(as_of="2024-10-08")
    >>> found = reducers(goods, universe=["JPN", "MYS", "MEX", "CHE"], through="2024-08")
    >>> found[["name", "reduction_pct"]].round(1)
                    name  reduction_pct
    partner
    5570        Malaysia           24.3
    4419     Switzerland           14.5
    5880           Japan            2.0
    """
    return _moved(balances.reducers, table, before, universe, span=_window(through, window), item=item)


def wideners(
    table: pd.DataFrame | pd.Series,
    before: pd.Series | None = None,
    universe: list[str] | None = None,
    *,
    through: str | pd.Period | None = None,
    window: Window | None = None,
    item: str | None = None,
) -> pd.DataFrame:
    """Find the countries with which the U.S. deficit grew, and by how much: the mirror of `reducers`.

    Parameters
    ----------
    table, before, universe, through, window, item
        As for `reducers`.

    Returns
    -------
    DataFrame
        Index `partner` (code), the largest growth in percent first; columns `name`, `before_usd`,
        `balance_usd`, `change_usd` in dollars (negative) and `growth_pct`, which is missing where a
        surplus turned into the deficit: those come first.

    Raises
    ------
    TradelibError
        If the table, a partner or the window is not what it should be.

    Examples
    --------
    >>> from tradelib import load_goods
    >>> goods = load_goods(as_of="2024-10-08")
    >>> found = wideners(goods, universe=["JPN", "VNM", "MEX", "CHE"], through="2024-08")
    >>> found[["name", "growth_pct"]].round(1)
                name  growth_pct
    partner
    5520     Vietnam        16.5
    2010      Mexico         9.1
    """
    return _moved(balances.wideners, table, before, universe, span=_window(through, window), item=item)


def _moved(
    compare: Callable[[pd.Series, pd.Series, list[str]], pd.DataFrame],
    table: pd.DataFrame | pd.Series,
    before: pd.Series | None,
    universe: list[str] | None,
    *,
    span: Window | None,
    item: str | None,
) -> pd.DataFrame:
    """Compare balances with those of a year earlier, and name who moved."""
    asked = _universe(universe, span)
    if isinstance(table, pd.Series):
        if not isinstance(before, pd.Series):
            raise TradelibError(
                "A Series of balances says nothing of what they were before.",
                "Give a second one, or a table of flows and through=, such as "
                '`reducers(goods, through="2024-08")`.',
            )
        now = _balances(table, span, item)
    elif before is not None:
        raise TradelibError(
            "A table has the year before in it; a second argument is for two Series of balances.",
            "For some countries only, give universe=[...].",
        )
    else:
        if span is None:
            raise _no_span()
        now, before = (_balances(table, one, item) for one in (span, span.year_earlier))
    found = compare(now, before, asked)
    columns = {"name": _names(found.index), "before_usd": before, "balance_usd": now}
    known = pd.DataFrame(columns, index=found.index)
    return known.join(found[["change_usd", *found.columns.drop("change_usd")]])


def by_vintage(
    *,
    as_of: str | date | None = None,
    through: str | pd.Period,
    partner: str | int,
    item: str = "goods",
    table: str | None = None,
) -> pd.DataFrame:
    """Say what the year to date with a partner looked like in each vintage that has it.

    Parameters
    ----------
    as_of : str, date or Timestamp, optional
        Only vintages published by that day (YYYY-MM-DD); all that are at hand with "latest", or unless
        given.
    through : str or Period
        Last month ("2018-07") or quarter ("2018Q2") of the year to date.
    partner : str or int
        Code, ISO code or name. A group has the members of that day in all vintages.
    item : str
        "goods"; with quarters "services" or "total" too.
    table : str, optional
        Table of flows: unless given, "goods_census_nsa" for months and "trade_bop_sa" for quarters.

    Returns
    -------
    DataFrame
        One row for each vintage of which the day is known, index `vintage` (that day); `exports_usd`,
        `imports_usd`, `balance_usd`, and against the same months of a year earlier in the same vintage
        `exports_change_pct`, `imports_change_pct` and `balance_change_usd`.

    Raises
    ------
    TradelibError
        If no vintage has all of the window.

    Examples
    --------
    >>> found = by_vintage(partner="KOR", through="2018-07")
    >>> (found["exports_usd"] / 1e6).round(1).to_list()
    [31752.1, 31730.9, 31735.2, 31735.2, 31735.2]
    """
    who, last = resolve(partner), as_period(through, what="through")
    name = table or (GOODS if last.freqstr[0] == "M" else TRADE)
    held = prints(who.code, as_of=day_of(LATEST if as_of is None else as_of), table=name, item=item)
    sums = balances.window_sum(held, year_to_date(last)).dropna()
    if sums.empty:
        reach = held.reset_index("period").groupby(level="vintage")["period"].max()
        ends = ", ".join(f"{day} (through {end})" for day, end in reach.items())
        raise TradelibError(
            f"No vintage of {name} has all of {year_to_date(last)} of {who.prose}.",
            f"Vintages: {ends}. End earlier, or get a newer one with `tradelib update`.",
        )
    before = balances.window_sum(held, year_to_date(last).year_earlier)
    found = sums.join(balances.change(sums, before)[CHANGES])
    return found.set_index(pd.DatetimeIndex(found.index, name="vintage"))


def prints(
    code: str,
    *,
    as_of: date,
    table: str = GOODS,
    item: str = "goods",
    members_on: date | None = None,
) -> pd.DataFrame:
    """Read one partner's figures in every vintage of a table that was out by a day.

    Index (`vintage`, `period`), the vintage as its date of publication; a month not yet published in one
    has no row. A group has the members of `members_on`, or else of that day, in all of them.
    """
    frames, on = {}, members_on or as_of
    for vintage in vintages.list_vintages(table):
        if vintage.published <= as_of and vintage.dated_by == "published":
            try:
                flows = rows_of(vintage, as_of=vintage.published, partner=[code], members_on=on)
            except NoRows:
                continue
            flows = flows[flows["item"] == item]
            if len(flows):
                frames[vintage.published] = balances.balance(flows, partner=code, item=item)
    held = pd.concat(frames, names=["vintage"])[SIDES].dropna(how="all") if frames else pd.DataFrame()
    if held.empty:
        raise TradelibError(
            f"No vintage of {table} out by {as_of} has figures of {partner_of(code).prose}.",
            "See what there is with `tradelib vintages`; a later day has more.",
        )
    return held


def _no_span() -> TradelibError:
    return TradelibError(
        "Over which months?", 'Give through="2024-08" for the year to date, or window=Window(...).'
    )


def _window(through: str | pd.Period | None, window: Window | None) -> Window | None:
    """The span asked for; None if there is none."""
    if through is not None and window is not None:
        raise TradelibError(
            f"Both through={through!s} and window={window!s} are given.", "Give one of the two."
        )
    if isinstance(through, Window):
        return through
    return window if through is None else year_to_date(through)


def _universe(universe: list[str] | None, window: Window | None) -> list[str]:
    """The codes of those asked about: single countries only."""
    if universe is None:
        return countries(in_year=window.end.year if window else None)
    if isinstance(universe, (str, int)):
        universe = [universe]
    found = [resolve(one) for one in universe]
    groups = [f"{who.prose} ({who.code})" for who in found if who.kind in ("group", "world")]
    if groups:
        raise TradelibError(
            f"{', '.join(groups)}: a group is not compared with countries.",
            "Give single countries; of a group, `tradelib.members(code, day)`.",
        )
    return [who.code for who in found]


def _balances(table: pd.DataFrame | pd.Series, window: Window | None, item: str | None) -> pd.Series:
    """Balances in dollars by partner code, out of whatever was given."""
    if isinstance(table, pd.Series):
        if window is not None:
            raise TradelibError(
                "A Series of balances has no months to choose from.",
                "Leave out through= and window=, or give a table of flows.",
            )
        return table
    if not isinstance(table, pd.DataFrame) or "balance_usd" not in table:
        table = balances.balance(table)
    if "partner" not in table.index.names:
        raise TradelibError(
            "The balances are of one partner: there is nobody to compare it with.",
            "Give the table of flows, or `tradelib.balance(flows)` without partner=.",
        )
    table = _one_item(table, item)
    if window is not None:
        table = _summed(table, window)
    elif "period" in table.index.names:
        raise _no_span()
    return table["balance_usd"]


def _one_item(table: pd.DataFrame, item: str | None) -> pd.DataFrame:
    """Choose one item; where there is only one, it need not be named."""
    if "item" not in table.index.names:
        return table
    items = [str(one) for one in table.index.unique("item")]
    if item is None and len(items) > 1:
        raise TradelibError(
            f"The table has {len(items)} items: {', '.join(items[:8])}.", f"Say which: item={items[-1]!r}."
        )
    if item is not None and item not in items:
        raise TradelibError(f"The table has no item {item!r}.", f"It has {', '.join(items[:8])}.")
    return pd.DataFrame(table.xs(item or items[0], level="item"))


def _summed(table: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Sum a window that at least one partner has whole."""
    sums = balances.window_sum(table, window)
    if sums["balance_usd"].notna().any():
        return sums
    periods = table.index.get_level_values("period")
    raise TradelibError(
        f"The table has no whole {window}; it reaches from {periods.min()} to {periods.max()}.",
        "End the window earlier, or load a later vintage: as_of= in `tradelib.load_goods`.",
    )


def _names(codes: pd.Index) -> pd.Series:
    known = all_partners().set_index("code")["name"]
    return known.reindex(codes)
