"""Was this figure on the table that day? Published then, reconstructed from later, or only later.

Census revises partner detail once a year, with the release of the April month in June. Between two
such revisions a later country table, cut at the release's month, holds what was on the table on
release day. Canada, the World rows and areas that contain Canada are the exception: they are revised
every month.
"""

import functools
from datetime import date

from tradelib import releases as calendar
from tradelib.store.vintages import Vintage

CANADA = "1220"
#: Rows that are revised every month: Canada, the World, product totals, and areas with Canada in them.
REVISED_MONTHLY = frozenset(
    ["1220", "0004", "0015", "0006", "0007", "0010", "0022", "1XXX", "USMCA", "OECD", "NATO", "APEC"]
)
#: Partner detail of this table is revised only once a year.
YEARLY_REVISED = "goods_census_nsa"


def vintage_method(vintage: Vintage, as_of: date, code: str) -> str:
    """Say how a vintage stands to the day whose knowledge is wanted.

    Parameters
    ----------
    vintage : Vintage
        The one used.
    as_of : date
        The day.
    code : str
        Partner code of the figure; the World's for a total.

    Returns
    -------
    {"published", "reconstructed", "later"}
        "published": it was out by then. "reconstructed": it came out later but within the same
        cycle of annual revisions, and the partner is not revised in between, so that it equals
        what was out. "later": it may contain revisions nobody knew then.

    Examples
    --------
    >>> from tradelib.store.vintages import list_vintages
    >>> october_2018 = list_vintages("goods_census_nsa")[2]
    >>> [vintage_method(october_2018, date(2018, 9, 5), code) for code in ("5800", "1220")]
    ['reconstructed', 'later']
    """
    if vintage.published <= as_of:
        return "published"
    once_a_year = vintage.table == YEARLY_REVISED and vintage.dated_by == "published"
    if once_a_year and same_cycle(as_of, vintage.published) and code not in REVISED_MONTHLY:
        return "reconstructed"
    return "later"


@functools.cache
def same_cycle(earlier: date, later: date) -> bool:
    """Tell whether no annual revision lies between two days.

    Where the day of a June release is not established, a span around it counts as crossed.

    Examples
    --------
    >>> same_cycle(date(2018, 9, 5), date(2018, 10, 5)), same_cycle(date(2018, 3, 7), date(2018, 10, 5))
    (True, False)
    """
    for year in range(earlier.year, later.year + 1):
        published = calendar.release(f"{year}-04").published
        first, last = (published, published) if published else (date(year, 6, 1), date(year, 6, 15))
        if earlier < last and later >= first:
            return False
    return True
