"""Load a table as it stood on a date: the newest vintage published by then."""

from datetime import date

import numpy as np
import pandas as pd

from tradelib import releases as calendar
from tradelib.errors import TradelibError
from tradelib.partners import country_set, resolve
from tradelib.store.vintages import Vintage, list_vintages, read
from tradelib.tables import FLOWS, table_info
from tradelib.windows import NAMES, as_period


def pick(
    table: str,
    *,
    as_of: str | date,
    since: str | None = None,
    through: str | None = None,
    nearest_later: bool = False,
) -> Vintage:
    """Choose the newest vintage published on or before a date that reaches the periods asked for.

    Parameters
    ----------
    table : str
        Name of the table.
    as_of : str or date
        ISO date.
    since, through : str or Period, optional
        First and last period that must be in it, such as "2017-01" or "2018Q2".
    nearest_later : bool
        Where there is none so early, take the earliest later one; `lag_days` tells how late.

    Returns
    -------
    Vintage

    Raises
    ------
    TradelibError
        Naming the vintages there are.

    Examples
    --------
    >>> pick("goods_census_nsa", as_of="2018-12-31", through="2018-07").published
    datetime.date(2018, 10, 5)
    """
    day = calendar.parse_date(as_of, "as-of")
    since, through = (
        spelled(table, end, what=name) for name, end in (("since", since), ("through", through))
    )
    every = list_vintages(table)
    reaching = [v for v in every if (not through or v.through >= through) and (not since or v.since <= since)]
    early = [v for v in reaching if v.published <= day]
    if early:
        return early[-1]
    if nearest_later and reaching:
        return reaching[0]
    span = " to ".join(filter(None, [since, through]))
    asked = f" reaching {span}" if span else ""
    there = ", ".join(f"{v.published} (through {v.through})" for v in every) or "none"
    advice = ["Vintages: " + there + "."]
    if reaching:
        advice.append("The earliest later one is taken with nearest_later=True (without --strict).")
    else:
        advice.append("Get one with `tradelib update`, or `tradelib ingest FILE` where it is at hand.")
    raise TradelibError(f"No vintage of {table} published by {day}{asked}.", *advice)


def spelled(table: str, period: str | pd.Period | None, *, what: str = "period") -> str | None:
    """Write a period as a table's own are written, or say of which frequency they are.

    Examples
    --------
    >>> spelled("trade_bop_sa", "2018-Q2"), spelled("goods_census_nsa", None)
    ('2018Q2', None)
    >>> spelled("trade_bop_sa", "2018-07", what="through")
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: through '2018-07' is not in quarters, as trade_bop_sa is.
      Give it in quarters: "2018Q3".
    """
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
    as_of: str | date,
    since: str | None = None,
    through: str | None = None,
    partner: str | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load a table as it stood on a date.

    Parameters
    ----------
    table : str
        Name of the table; see `tradelib vintages`.
    as_of : str or date
        ISO date: the newest vintage published by then is used.
    since, through : str, optional
        First and last period wanted; the vintage must reach both, and the rows are cut to them.
    partner : str, int or list of str, optional
        Code, ISO code or name, or several; everything unless given.
    nearest_later : bool
        Take the earliest later vintage where there is none so early.

    Returns
    -------
    DataFrame
        Contract columns (values in whole dollars) and `table`, `vintage` (ISO date) and
        `vintage_lag_days` (0 when it was out by the as-of date).

    Raises
    ------
    TradelibError
        If no vintage fits.

    Examples
    --------
    >>> july = {"since": "2018-07", "through": "2018-07"}
    >>> goods = load("goods_census_nsa", as_of="2018-10-05", partner="5800", **july)
    >>> goods[["flow", "value_usd"]].values.tolist()
    [['exports', 4685784639.0], ['imports', 6212348967.0]]
    """
    codes = None
    if partner is not None:
        codes = [resolve(one).code for one in (partner if isinstance(partner, list) else [partner])]
    vintage = pick(table, as_of=as_of, since=since, through=through, nearest_later=nearest_later)
    span = {"since": spelled(table, since), "through": spelled(table, through)}
    return rows_of(vintage, as_of=as_of, **span, partner=codes)


def rows_of(
    vintage: Vintage,
    *,
    as_of: str | date,
    since: str | None = None,
    through: str | None = None,
    partner: str | list[str] | None = None,
) -> pd.DataFrame:
    """Load the rows of one vintage, each with where it came from; as `load`, which chooses the vintage.

    Examples
    --------
    >>> vintage = pick("trade_bop_sa", as_of="2025-03-06")
    >>> rows_of(vintage, as_of="2018-09-05", partner="5800")["vintage_lag_days"].iloc[0]
    np.int64(2374)
    """
    frame = read(vintage, since=since, through=through, partner=partner)
    for name, value in (("table", vintage.table), ("vintage", vintage.published.isoformat())):
        frame[name] = pd.Categorical.from_codes(np.zeros(len(frame), "int8"), [value])
    frame["vintage_lag_days"] = vintage.lag_days(calendar.parse_date(as_of))
    return frame


def load_goods(
    *,
    as_of: str | date,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load goods by partner and month: Census basis, not seasonally adjusted, whole dollars.

    Takes the options of `load`. Exports are total exports, imports general imports.

    Examples
    --------
    >>> load_goods(as_of="2018-10-05", partner="5800", since="2018-01", through="2018-07").shape
    (14, 9)
    """
    span = {"since": since, "through": through}
    return load("goods_census_nsa", as_of=as_of, **span, partner=partner, nearest_later=nearest_later)


def load_goods_sa(
    *,
    as_of: str | date,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load goods of selected partners by month, Census basis, seasonally adjusted, whole dollars.

    Examples
    --------
    >>> set(load_goods_sa(as_of="2025-04-03", partner="5800").item)
    {'goods'}
    """
    span = {"since": since, "through": through}
    return load("goods_census_sa", as_of=as_of, **span, partner=partner, nearest_later=nearest_later)


def load_trade(
    *,
    annual: bool = False,
    as_of: str | date,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load goods, services and total by partner: BOP basis, SA quarters, or years.

    Examples
    --------
    >>> trade = load_trade(as_of="2025-03-06", partner="5800", since="2018Q2", through="2018Q2")
    >>> sorted(trade.item.unique())
    ['goods', 'services', 'total']
    """
    table = "trade_bop_annual" if annual else "trade_bop_sa"
    span = {"since": since, "through": through}
    return load(table, as_of=as_of, **span, partner=partner, nearest_later=nearest_later)


def load_chapters(
    *,
    flow: str,
    imports: str = "general",
    as_of: str | date,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load HS chapters by partner and month: Census basis, not seasonally adjusted.

    Parameters
    ----------
    flow : {"exports", "imports"}
    as_of : str or date
    imports : {"general", "consumption"}
        Which import table; general imports unless said.
    since, through, partner, nearest_later
        As for `load`.

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
    return load(table, as_of=as_of, **span, partner=partner, nearest_later=nearest_later)


def find_release(month: str) -> calendar.Release:
    """Look up a release; where the calendar has no date, a stored country table may give it.

    Examples
    --------
    >>> find_release("2018-07").published
    datetime.date(2018, 9, 5)
    """
    found = calendar.release(month)
    if found.published is None:
        dates = [
            v.published
            for v in list_vintages("goods_census_nsa")
            if v.through == found.month and v.dated_by == "published"
        ]
        if dates:
            return calendar.Release(found.month, dates[0], "from a stored vintage")
    return found


def find_universe(on: date) -> tuple[list[str], str]:
    """Return the countries that Exhibit 20 listed on a day: of the stored exhibit, else as elsewhere seen.

    Examples
    --------
    >>> codes, how_known = find_universe(date(2021, 10, 5))
    >>> len(codes), how_known
    (15, 'the 15 countries of Exhibit 20 (FT-900 of 2021-10-05)')
    """
    for vintage in list_vintages("trade_ft900_sa"):
        if vintage.published == on:
            listed = [code for code in read(vintage)["partner"].unique() if code in country_set()]
            return listed, f"the {len(listed)} countries of Exhibit 20 (FT-900 of {on})"
    return calendar.universe(on)


def behind(day: date) -> str | None:
    """Say how old the country tables at hand are, if a release that is out by a day is not among them.

    Examples
    --------
    >>> print(behind(date(2025, 5, 6)))
    The newest country table at hand is of 2025-04-03 (through 2025-02); that of the FT-900 of 2025-03,
    published 2025-05-06, is not at hand.
    >>> behind(date(2025, 4, 3)) is None
    True
    """
    due, tables = calendar.newest_due(day), list_vintages("goods_census_nsa")
    newest = max(tables, key=lambda vintage: (vintage.through, vintage.published), default=None)
    if due is None or newest is None or newest.through >= due.month:
        return None
    told = "published" if due.published else "due"
    return (
        f"The newest country table at hand is of {newest.published} (through {newest.through}); "
        f"that of the FT-900 of {due.month}, {told} {due.day}, is not at hand."
    )
