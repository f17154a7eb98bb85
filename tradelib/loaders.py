"""Load a table as it stood on a day: the newest vintage published by then.

All loaders take the same options in the same order: `as_of`, `since`, `through`, `partner`, `nearest_later`.
"""

import warnings
from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from tradelib import releases
from tradelib.errors import NoRows, TradelibError
from tradelib.partners import has_members, members, resolve, same_members, summed_groups
from tradelib.partners import partner as partner_of
from tradelib.store.vintages import Vintage, list_vintages, read
from tradelib.tables import (
    ALL_RELEASED,
    FLOWS,
    GOODS,
    GOODS_RELEASED,
    GOODS_SA,
    PROVENANCE,
    RELEASED,
    TRADE,
    TRADE_YEARS,
    Table,
    table_info,
)
from tradelib.windows import NAMES, as_period

LATEST, SHOWN = "latest", 8
SUM, NO_SUM = "sum of members", "sum of members: not all are known"
OTHER = "other members were counted"
#: Tables that print a group with the members of the end of each year: see `_counted`.
BY_YEAR = {GOODS, TRADE, TRADE_YEARS, RELEASED, *ALL_RELEASED.values(), *GOODS_RELEASED.values()}


def day_of(as_of: str | date | None, *, release: releases.Release | None = None) -> date:
    """Read the day whose knowledge is asked for; "latest" is that of the newest vintage, or of a release."""
    if as_of is None:
        raise TradelibError(
            "as_of= is not given: on which day is the table to be as it stood?",
            'Give a date, such as as_of="2018-10-05", or as_of="latest" for the newest vintage at hand.',
        )
    if isinstance(as_of, str) and as_of.strip().lower() == LATEST:
        days = [vintage.published for vintage in list_vintages()]
        return max([*days, release.default_as_of if release else date.min])
    return releases.parse_date(as_of, "as_of")


def pick(
    table: str,
    *,
    as_of: str | date | None = None,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    nearest_later: bool = False,
) -> Vintage:
    """Choose the newest vintage published on or before a day that reaches the periods asked for."""
    day = day_of(as_of)
    first, last = spelled(table, since, what="since"), spelled(table, through, what="through")
    every = list_vintages(table)
    reaching = [v for v in every if (not last or v.through >= last) and (not first or v.since <= first)]
    early = [v for v in reaching if v.published <= day]
    if early:
        return early[-1]
    if nearest_later and reaching:
        return reaching[0]
    span = " to ".join(filter(None, [first, last]))
    asked = f" reaching {span}" if span else ""
    there = ", ".join(f"{v.published} (through {v.through})" for v in every) or "none"
    advice = ["Vintages: " + there + "."]
    if reaching:
        advice.append("The earliest later one is taken with nearest_later=True (without --strict).")
    else:
        advice.append("Get one with `tradelib update`, or `tradelib ingest FILE` where it is at hand.")
    raise TradelibError(f"No vintage of {table} published by {day}{asked}.", *advice)


def spelled(table: str, period: str | pd.Period | None, *, what: str = "period") -> str | None:
    """Write a period as a table's own are written, or say of which frequency they are."""
    if period is None:
        return None
    found, freq = as_period(period, what=what), table_info(table).freq
    if found.freqstr[0] != freq:
        raise TradelibError(
            f"{what} {str(period)!r} is not in {NAMES[freq]}, as {table} is.",
            f'Give it in {NAMES[freq]}: "{found.asfreq(freq)}".',
        )
    return str(found)


def load(
    table: str,
    *,
    as_of: str | date | None = None,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load a table as it stood on a day.

    Parameters
    ----------
    table : str
        Name of the table; see `tradelib vintages`.
    as_of : str, date or Timestamp
        The day (YYYY-MM-DD): the newest vintage published by then is used. "latest" for the newest there is.
    since, through : str or Period, optional
        First and last period wanted, such as "2017-01" or "2018Q2"; the vintage must reach both, and
        the rows are cut to them.
    partner : str, int or list of str, optional
        Code, ISO code or name, or several; everyone unless given. A group that the table does not print,
        or prints with other members in other years (the European Union, OPEC), is the sum of its members
        by treaty on the day in all periods, its `note` "sum of members"; a sum with a missing part is
        missing. Where the table has no rows of some members, the periods in which it counts others are
        missing, their `note` "other members were counted".
    nearest_later : bool
        Take the earliest later vintage where there is none so early.

    Returns
    -------
    DataFrame
        Contract columns (`value_usd` in whole dollars, or the table's own unit) and `table`, `vintage`
        (ISO date) and `vintage_lag_days` (0 when it was out by the as-of date).

    Raises
    ------
    TradelibError
        If `as_of` is not given, no vintage fits, or it has no rows of a partner; of a group, why it cannot
        be added up.

    Examples
    --------
    >>> july = {"since": "2018-07", "through": "2018-07"}
    >>> goods = load("goods_census_nsa", as_of="2018-10-05", partner="5800", **july)
    >>> goods[["flow", "value_usd"]].values.tolist()
    [['exports', 4685784639.0], ['imports', 6212348967.0]]
    >>> load("goods_census_nsa", as_of="latest", partner="ASEAN", **july)["note"].unique().tolist()
    ['sum of members']
    """
    day = day_of(as_of)
    codes = None if partner is None else codes_of(partner)
    vintage = pick(table, as_of=day, since=since, through=through, nearest_later=nearest_later)
    if through is None:
        _say_where_it_ends(vintage, day)
    first, last = spelled(table, since), spelled(table, through)
    return rows_of(vintage, as_of=day, since=first, through=last, partner=codes)


def _say_where_it_ends(vintage: Vintage, day: date) -> None:
    """Warn of a vintage that ends before the release which was out on the day asked for."""
    due = releases.newest_due(day)
    if due is None or table_info(vintage.table).freq == "Y":
        return
    out = due.month if table_info(vintage.table).freq == "M" else str(releases.quarter_out(due.period))
    if vintage.through >= out:
        return
    how = "`tradelib update` gets a newer one"
    if any(one.through >= out for one in list_vintages(vintage.table)):
        how = f'through="{out}", nearest_later=True takes a later one'
    warnings.warn(
        f"{vintage.table} of {vintage.published} ends in {vintage.through}; on {day} figures through {out} "
        f"were out, but no vintage of that day is at hand: {how}. The tables that a brief uses are its own, "
        "such as brief.goods.",
        stacklevel=3,
    )


def codes_of(partner: str | int | list[str]) -> list[str]:
    """Read who is asked for: a partner, or several."""
    if codes := [resolve(one).code for one in (partner if isinstance(partner, list) else [partner])]:
        return codes
    raise TradelibError("partner=[] names nobody.", "Leave it out for everyone.")


def rows_of(
    vintage: Vintage,
    *,
    as_of: date,
    since: str | None = None,
    through: str | None = None,
    partner: list[str] | None = None,
    members_on: date | None = None,
) -> pd.DataFrame:
    """Load the rows of one vintage, each with where it came from; as `load`, which chooses the vintage.

    `partner` are codes. Groups have the members of `members_on`, or of the as-of date; see `with_groups`.
    With `members_on` and without `partner`, those that the table does not print are there too.
    """
    span, on = {"since": since, "through": through}, members_on or as_of
    parts = {code for group in partner or () if has_members(group) for code in members(group, on)}
    frame = read(vintage, **span, partner=sorted(parts.union(partner)) if partner else None)
    for name, value in (("table", vintage.table), ("vintage", vintage.published.isoformat())):
        frame[name] = pd.Categorical.from_codes(np.zeros(len(frame), "int8"), pd.Index([value]))
    frame["vintage_lag_days"] = vintage.lag_days(as_of)
    there = set(summed_groups() if members_on else frame["partner"].unique())
    frame = with_groups(frame, partner or [code for code in summed_groups() if code in there], on=on)
    if partner:
        frame = frame[frame["partner"].isin(partner)].reset_index(drop=True)
        absent = sorted(set(partner).difference(frame["partner"].unique()))
        if absent:
            raise _no_rows(vintage, absent[0], on)
    return frame


def _no_rows(vintage: Vintage, code: str, on: date) -> NoRows:
    """Say that a table has nothing of a partner, and of a group why its members do not add up."""
    who, why = partner_of(code), "."
    if has_members(code):
        lacking = sorted(set(members(code, on)).difference(read(vintage)["partner"].unique()))
        names = ", ".join(partner_of(one).name for one in lacking[:SHOWN])
        names += f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        why = f", and no sum of members on {on}: it has none of {names or 'any'} either."
    return NoRows(
        f"{vintage.table} of {vintage.published} has no rows of {who.prose} ({code}){why}",
        "Load it without partner= and ask `frame.partner.unique()` who is in it; or take another table.",
    )


def with_groups(flows: pd.DataFrame, groups: Iterable[str], *, on: date) -> pd.DataFrame:
    """Give each group the members of one day in all periods, so that like is compared with like.

    A group is the sum of its members; a period in which one has no figure has no sum, unless no row means no
    trade in that table. Where a member has no row at all, the printed rows of a group whose members change
    keep their figures only in periods that hold the members of that day; one not printed is left out.
    """
    there, wanted = set(flows["partner"].unique()), {}
    for group in groups:
        codes = members(group, on) if has_members(group) else []
        if group in there and group not in summed_groups():
            continue  # its printed rows hold the same members in all periods
        if codes and there.issuperset(codes):
            wanted[group] = codes
        elif group in there:
            flows = _blanked(flows, group, on)
    if not wanted:
        return flows
    sums = [_summed(flows, group, codes) for group, codes in wanted.items()]
    return pd.concat([flows[~flows["partner"].isin(list(wanted))], *sums], ignore_index=True)


def _summed(flows: pd.DataFrame, group: str, codes: list[str]) -> pd.DataFrame:
    """The rows of a group as the sum of its members."""
    info, of = table_info(flows["table"].iloc[0]), np.flatnonzero(flows["partner"].isin(codes))
    alike = ["period", "flow", "item", *(name for name in PROVENANCE if name in flows)]
    rows = flows[alike].iloc[of]
    cell = rows.groupby(["flow", "item", "period"], observed=True).ngroup().to_numpy()
    first = np.unique(cell, return_index=True)[1]
    needed, sums = np.bincount(cell) if info.sparse else len(codes), {}
    for name in info.summed(flows):
        usd = flows[name].to_numpy(float)[of]
        known = ~np.isnan(usd)
        whole = np.bincount(cell[known], minlength=len(first)) == needed
        usd = np.where(whole, np.bincount(cell[known], usd[known], len(first)), np.nan)
        sums[name] = usd if np.isnan(usd).any() else usd.astype(str(flows[name].dtype))
    none = np.isnan(list(sums.values())).any(axis=0)
    return rows.iloc[first].assign(partner=group, **sums, note=pd.array(np.where(none, NO_SUM, SUM), "str"))


def _blanked(flows: pd.DataFrame, group: str, on: date) -> pd.DataFrame:
    """Take the figures out of a group's printed rows where they hold other members than on a day."""
    info, published = table_info(flows["table"].iloc[0]), date.fromisoformat(flows["vintage"].iloc[0])
    since, until = same_members(group, on)
    rows = flows["partner"] == group
    days = {period: _counted(period, info, published) for period in flows.loc[rows, "period"].unique()}
    alike = {period: since <= first and last <= until for period, (first, last) in days.items()}
    other = rows & ~flows["period"].map(alike).fillna(True).astype(bool)
    values = flows[info.summed(flows)].mask(other, axis=0)
    return flows.assign(**values, note=flows["note"].astype(object).mask(other, OTHER))


def _counted(period: pd.Period, info: Table, published: date) -> tuple[date, date]:
    """The first and the last day whose members a printed row may hold; see `partners.members`.

    A past year has those of its last day; in other tables a later change may reach back some years.
    """
    first, last = period.start_time.date(), period.end_time.date()
    if info.name not in BY_YEAR:
        return first, max(last, published)
    if published.year > first.year:
        return date(first.year, 12, 31), date(first.year, 12, 31)
    return (date(first.year, 1, 1) if "_ytd_" in info.name else first), last


def load_goods(
    *,
    as_of: str | date | None = None,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load goods by partner and month: Census basis, not seasonally adjusted, whole dollars.

    Takes the options of `load` and returns what it does. Exports are total exports, imports general
    imports at customs value. Source: `country.xlsx` of the U.S. Census Bureau.

    Examples
    --------
    >>> load_goods(as_of="2018-10-05", partner="5800", since="2018-01", through="2018-07").shape
    (14, 9)
    """
    span = {"since": since, "through": through}
    return load(GOODS, as_of=as_of, partner=partner, nearest_later=nearest_later, **span)


def load_goods_sa(
    *,
    as_of: str | date | None = None,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load goods of selected partners by month, Census basis, seasonally adjusted, whole dollars.

    Takes the options of `load` and returns what it does. Source: `ctyseasonal.xlsx` of the U.S. Census
    Bureau; each partner is adjusted by itself, so that they do not add up to the world.

    Examples
    --------
    >>> set(load_goods_sa(as_of="2025-04-03", partner="5800").item)
    {'goods'}
    """
    span = {"since": since, "through": through}
    return load(GOODS_SA, as_of=as_of, partner=partner, nearest_later=nearest_later, **span)


def load_trade(
    *,
    annual: bool = False,
    as_of: str | date | None = None,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load goods, services and total by partner: BOP basis, SA quarters, or years; whole dollars.

    Takes the options of `load` and returns what it does. Source: the workbook of trade by country of the
    U.S. Bureau of Economic Analysis.

    Parameters
    ----------
    annual : bool
        Years instead of quarters.
    as_of, since, through, partner, nearest_later
        As for `load`.

    Examples
    --------
    >>> trade = load_trade(as_of="2025-03-06", partner="5800", since="2018Q2", through="2018Q2")
    >>> sorted(trade.item.unique())
    ['goods', 'services', 'total']
    """
    table, span = TRADE_YEARS if annual else TRADE, {"since": since, "through": through}
    return load(table, as_of=as_of, partner=partner, nearest_later=nearest_later, **span)


def load_chapters(
    *,
    flow: str,
    imports: str = "general",
    as_of: str | date | None = None,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load HS chapters by partner and month: Census basis, not seasonally adjusted, whole dollars.

    No row means no trade in that chapter. Source: the API of the U.S. Census Bureau.

    Parameters
    ----------
    flow : {"exports", "imports"}
    imports : {"general", "consumption"}
        Which import table; general imports unless said. That of imports for consumption has `duty_usd`.
    as_of, since, through, partner, nearest_later
        As for `load`.

    Raises
    ------
    TradelibError
        If there is no such table, and as for `load`.

    Examples
    --------
    >>> oil = load_chapters(flow="exports", as_of="2020-12-04", partner="5800").query("item == '27'")
    >>> len(oil)
    94
    """
    if flow not in FLOWS or imports not in ("general", "consumption"):
        raise TradelibError(
            f"There are no chapters of flow {flow!r}, imports {imports!r}.",
            f"Flow is {' or '.join(FLOWS)}; imports are general or consumption.",
        )
    table = "exports_hs2_nsa" if flow == "exports" else f"imports_{imports}_hs2_nsa"
    span = {"since": since, "through": through}
    return load(table, as_of=as_of, partner=partner, nearest_later=nearest_later, **span)


def find_release(month: str) -> releases.Release:
    """Look up a release; where the calendar has no date, a stored country table may give it."""
    found = releases.release(month)
    if found.published is None:
        own = [v for v in list_vintages(GOODS) if v.through == found.month and v.dated_by == "published"]
        if own:
            return releases.Release(found.month, own[0].published, "from a stored vintage")
    return found
