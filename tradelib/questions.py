"""The questions people ask of a whole table, each in one call: who ranks, who reduced, what was revised."""

from datetime import date

import pandas as pd

from tradelib import balances
from tradelib import releases as calendar
from tradelib.arguments import check_table
from tradelib.errors import TradelibError
from tradelib.loaders import load
from tradelib.partners import SUMMED_GROUPS, all_partners, countries, members, resolve
from tradelib.partners import partner as partner_of
from tradelib.store import vintages
from tradelib.tables import GOODS, TRADE
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
    asked = _universe(universe)
    usd = _balances(table, _window(through, window), item)
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
    asked, span = _universe(universe), _window(through, window)
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
    found = balances.reducers(now, before, asked)
    columns = {"name": _names(found.index), "before_usd": before, "balance_usd": now}
    known = pd.DataFrame(columns, index=found.index)
    return known.assign(change_usd=found["change_usd"], reduction_pct=found["reduction_pct"])


def by_vintage(
    *,
    partner: str | int,
    through: str | pd.Period,
    item: str = "goods",
    table: str | None = None,
    as_of: str | date | None = None,
) -> pd.DataFrame:
    """Say what the year to date with a partner looked like in each vintage that has it.

    Parameters
    ----------
    partner : str or int
        Code, ISO code or name.
    through : str or Period
        Last month ("2018-07") or quarter ("2018Q2") of the year to date.
    item : str
        "goods"; with quarters "services" or "total" too.
    table : str, optional
        Table of flows: unless given, "goods_census_nsa" for months and "trade_bop_sa" for quarters.
    as_of : str or date, optional
        Only vintages published by then; all that are at hand unless given.

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
    held = prints(who.code, as_of=_by(name, as_of), table=name, item=item)
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


def prints(code: str, *, as_of: date, table: str = GOODS, item: str = "goods") -> pd.DataFrame:
    """Read one partner's figures in every vintage of a table that was out by a day.

    Parameters
    ----------
    code : str
        Partner code.
    as_of : date
        The day.
    table : str
        Any table with exports and imports.
    item : str
        "goods", "services" or "total".

    Returns
    -------
    DataFrame
        Index (`vintage`, `period`), the vintage as its date of publication; `exports_usd`,
        `imports_usd` and `balance_usd` in dollars. A month not yet published in a vintage has no row.
        A group that the table does not print is the sum of its members on that day.

    Raises
    ------
    TradelibError
        If no vintage out by the day has figures of the partner.

    Examples
    --------
    >>> table = prints("5800", as_of=date(2020, 12, 31))
    >>> [str(day) for day in table.index.unique("vintage")]
    ['2012-02-10', '2017-01-06', '2018-10-05', '2020-10-06']
    """
    codes = members(code, as_of) if code in SUMMED_GROUPS else [code]
    frames = {}
    for vintage in vintages.list_vintages(table):
        if vintage.published <= as_of and vintage.dated_by == "published":
            flows = load(table, as_of=vintage.published, partner=codes)
            flows = flows[flows["item"] == item].groupby(["item", "period", "flow"], observed=True)
            sides = balances.balance(flows["value_usd"].sum(min_count=1).reset_index().assign(partner=code))
            frames[vintage.published] = sides.droplevel(["partner", "item"])
    held = (
        pd.concat(frames, names=["vintage"])[balances.SIDES].dropna(how="all") if frames else pd.DataFrame()
    )
    if held.empty:
        raise TradelibError(
            f"No vintage of {table} out by {as_of} has figures of {partner_of(code).prose}.",
            "See what there is with `tradelib vintages`; a later day has more.",
        )
    return held


def _by(table: str, as_of: str | date | None) -> date:
    if as_of is not None:
        return calendar.parse_date(as_of, "as_of")
    return max((vintage.published for vintage in vintages.list_vintages(table)), default=date.max)


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


def _universe(universe: list[str] | None) -> list[str]:
    """The codes of those asked about: single countries only."""
    if universe is None:
        return countries()
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
    if (
        not isinstance(table, pd.DataFrame)
        or "balance_usd" not in table
        or "partner" not in table.index.names
    ):
        check_table(table)
        table = balances.balance(table)
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
    return table.xs(item or items[0], level="item")


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
