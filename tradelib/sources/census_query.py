"""Which queries of the Census international trade API bring what is wanted.

The limits: no more than 50 variables a query; a key on every query since May 2026, with no number of
queries a day published for those with one (without: 500); and about 150 s a query, after which the
server gives up. So queries are kept to some 100,000 rows, and to a year where all partners are asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tradelib.errors import TradelibError
from tradelib.partners import API_GROUPS, partner
from tradelib.sources.census_api import DUTY, LEVELS

API = "https://api.census.gov/data/timeseries/intltrade"
FIRST_MONTH = "2010-01"
VALUES = {"exports": ("ALL_VAL_MO",), "imports": ("GEN_VAL_MO", "CON_VAL_MO", DUTY)}
#: Digits of the codes of each classification; the total of all goods has none.
DIGITS = {"total": 0, "hs2": 2, "hs4": 4, "hs6": 6, "hs10": 10, "naics": 3, "enduse": 5}
#: Rows a month: of one partner no more than there are codes, and of all partners, about: 252 and
#: 11,900 (hs2) are counted in replies of 2013-2024, 150,000 (hs6) by others; the rest is reckoned.
ROWS = {"total": (1, 252), "naics": (35, 5_500), "hs2": (98, 11_900), "enduse": (145, 16_000)}
ROWS |= {"hs4": (1_250, 50_000), "hs6": (5_600, 150_000), "hs10": (19_000, 300_000)}
MOST_ROWS = 100_000  # 6 to 9 MB
SPANS = (60, 12, 6, 3, 1)  # months, from January on
#: Groups of countries make every code of every month a row: left out where that is much.
WITHOUT_GROUPS = ("hs4", "hs6", "hs10")


@dataclass(frozen=True, slots=True)
class Query:
    """One query: a flow by one classification in some months, of one partner or of all (None).

    `codes` is a whole code, or how the codes begin; empty for all. `place` is a `CTY_CODE` of the API.

    Examples
    --------
    >>> query = Query("exports", "hs4", "2018-01", "2018-07", "5800", "27")
    >>> query.params["time"], query.params["E_COMMODITY"]
    ('from 2018-01 to 2018-07', '27*')
    """

    flow: str
    classification: str
    since: str
    through: str
    place: str | None = None
    codes: str = ""

    @property
    def address(self) -> str:
        """Address of the endpoint."""
        kinds = {"naics": "naics", "enduse": "enduse"}
        return f"{API}/{self.flow}/{kinds.get(self.classification, 'hs')}"

    @property
    def commodity(self) -> str | None:
        """Variable of the codes; None for the total of all goods."""
        if self.classification in ("total", "naics"):
            return {"naics": "NAICS"}.get(self.classification)
        kind = "ENDUSE" if self.classification == "enduse" else "COMMODITY"
        return f"{self.flow[0].upper()}_{kind}"

    @property
    def columns(self) -> list[str]:
        """Columns that the reply must have, besides `time`."""
        return ["CTY_CODE", *([self.commodity] if self.commodity else []), *VALUES[self.flow]]

    @property
    def params(self) -> dict[str, str]:
        """What is asked, without the key."""
        one = self.since == self.through
        params = {"get": ",".join(self.columns)}
        params["time"] = self.since if one else f"from {self.since} to {self.through}"
        if self.commodity:
            params["COMM_LVL"] = LEVELS[self.classification]
        if self.codes:
            params[self.commodity] = self.codes + "*" * (len(self.codes) < DIGITS[self.classification])
        if self.place:
            params["CTY_CODE"] = self.place
        elif self.classification in WITHOUT_GROUPS:
            params["SUMMARY_LVL"] = "DET"
        return params

    @property
    def name(self) -> str:
        """What is asked, for messages."""
        what = {"total": "total"}.get(self.classification, f"by {self.classification}")
        codes = f" {self.params[self.commodity]}" if self.codes else ""
        months = self.since if self.since == self.through else f"{self.since} to {self.through}"
        place = {None: "all partners", "-": "the world"}.get(self.place, self.place)
        return f"{self.flow} {what}{codes}, {place}, {months}"


def plan(
    flow: str,
    classification: str,
    *,
    since: str,
    through: str,
    partners: Iterable[str] | None = None,
    commodity: str | None = None,
) -> list[Query]:
    """Split what is wanted into queries that the server can answer.

    Parameters
    ----------
    flow : str
        "exports" or "imports"; imports are general, for consumption, and duties at once.
    classification : str
        "total", "hs2", "hs4", "hs6", "hs10", "naics" (three digits) or "enduse" (five digits).
    since, through : str
        First and last month, YYYY-MM; the API has none before 2010-01.
    partners : iterable of str, optional
        Codes of partners and groups; all countries unless given, with the row for all of them, and
        with the groups too unless codes have four digits or more (hs4, hs6, hs10).
    commodity : str, optional
        A code, or its first digits.

    Returns
    -------
    list of Query
        Every month, partner and code is in exactly one.

    Raises
    ------
    TradelibError
        If there is no such flow, classification, month, partner or code.

    Examples
    --------
    >>> [query.name for query in plan("exports", "hs2", since="2018-04", through="2018-07")]
    ['exports by hs2, all partners, 2018-04 to 2018-06', 'exports by hs2, all partners, 2018-07']
    >>> wanted = dict(since="2017-01", through="2018-07", partners=["5800"], commodity="211")
    >>> [query.name for query in plan("exports", "naics", **wanted)]
    ['exports by naics 211, 5800, 2017-01 to 2018-07']
    """
    first, last = _check_wish(flow, classification, since, through, commodity)
    codes = commodity or ""
    whole_code = codes and len(codes) == DIGITS[classification]
    of_one, of_all = ROWS["total" if whole_code else classification]
    wanted = Query(flow, classification, since, through, codes=codes)
    if partners is None:
        queries = by_digit(wanted) if of_all > MOST_ROWS and not codes else [wanted]
        spans = [span for span in SPANS if span <= 12 and span * of_all <= MOST_ROWS]
        return [part for query in queries for part in by_span(query, (spans or [1])[0])]
    queries = [replace(wanted, place=place) for place in _places(partners)]
    if of_one * (last - first + 1) <= MOST_ROWS:
        return queries
    span = next(span for span in SPANS if span * of_one <= MOST_ROWS)
    return [part for query in queries for part in by_span(query, span)]


def by_span(query: Query, span: int) -> list[Query]:
    """Cut the months of a query at multiples of a number of months, counted from January.

    Examples
    --------
    >>> years = by_span(Query("exports", "total", "2017-01", "2018-07"), 12)
    >>> [query.params["time"] for query in years]
    ['from 2017-01 to 2017-12', 'from 2018-01 to 2018-07']
    """
    first, last = _number(query.since), _number(query.through)
    starts = [at for at in range(first, last + 1) if at == first or at % span == 0]
    ends = [*(start - 1 for start in starts[1:]), last]
    return [
        replace(query, since=_month(start), through=_month(end))
        for start, end in zip(starts, ends, strict=True)
    ]


def by_digit(query: Query) -> list[Query]:
    """Split a query by the next digit of the codes; there is none behind a whole code.

    Examples
    --------
    >>> [part.codes for part in by_digit(Query("exports", "hs2", "2018-07", "2018-07", codes="2"))][:3]
    ['20', '21', '22']
    """
    if len(query.codes) >= DIGITS[query.classification]:
        return []
    return [replace(query, codes=query.codes + digit) for digit in "0123456789"]


def split(query: Query) -> list[Query]:
    """Split a query that took too long: into years, a year into months, a month by a digit of the codes.

    Examples
    --------
    >>> len(split(Query("exports", "hs2", "2018-01", "2018-07")))
    7
    """
    if query.since[:4] != query.through[:4]:
        return by_span(query, 12)
    return by_span(query, 1) if query.since != query.through else by_digit(query)


def _check_wish(
    flow: str, classification: str, since: str, through: str, commodity: str | None
) -> tuple[int, int]:
    """Refuse what the API cannot answer; return the first and last month as numbers."""
    for given, what, known in ((flow, "flow", VALUES), (classification, "classification", DIGITS)):
        if given not in known:
            raise TradelibError(f"{given!r} is no {what} of the Census API.", f"Known: {', '.join(known)}.")
    first, last = _number(since), _number(through)
    if since < FIRST_MONTH:
        raise TradelibError(
            f"The Census API has no months before {FIRST_MONTH}; {since} was asked for.",
            f"Ask for {FIRST_MONTH} or later; goods by partner since 1985 are in goods_census_nsa.",
        )
    if last < first:
        raise TradelibError(f"The first month, {since}, is after the last, {through}.")
    most = DIGITS[classification]
    if commodity is not None and not (re.fullmatch("[0-9]+", commodity) and len(commodity) <= most):
        takes = f"{classification} takes a code of up to {most} digits." if most else "total takes none."
        raise TradelibError(f"{commodity!r} is no code of {classification}.", takes)
    return first, last


def _number(month: str) -> int:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
        raise TradelibError(f"{month!r} is not a month.", "Give it as YYYY-MM, such as 2018-07.")
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _places(codes: Iterable[str]) -> list[str]:
    """Codes of this project -> those of the API, which numbers its groups otherwise."""
    groups = {ours: theirs for theirs, ours in API_GROUPS.items() if theirs not in ("", "TOTAL")}
    places = []
    for code in dict.fromkeys(codes):
        one = partner(code)
        if code not in groups and (one.kind in ("domestic", "group") or not re.fullmatch("[1-9]...", code)):
            raise TradelibError(f"The Census API has no row of {one.name} ({code}).", "Ask for its members.")
        places.append(groups.get(code, code))
    if not places:
        raise TradelibError("No partner is given.", "Give at least one code, or None for all.")
    return places
