"""The publishers' sources: where each is, which tables it makes, how often, and how it is fetched."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from tradelib import releases as calendar
from tradelib.errors import TradelibError
from tradelib.sources import bea_api, census_fetch, census_query, download
from tradelib.sources import bea_workbook as bea
from tradelib.sources.replies import Reply, kept
from tradelib.tables import DETAILS, LARGE_DETAILS, TABLES

CENSUS = "https://www.census.gov"
API = "https://api.census.gov/data/timeseries/intltrade"
ARCHIVE = f"{CENSUS}/foreign-trade/Press-Release/ft900"
CURRENT_RELEASE = f"{CENSUS}/foreign-trade/Press-Release/current_press_release/ft900xlsx.zip"
#: The first release whose archive holds .xlsx workbooks; those before hold .xls.
FIRST_XLSX = "2020-09"
FIRST_API = "2010-01"
MONTHLY = "each release, monthly"
YEARLY_REVISED = "partners once a year, in June; Canada and the world each month"


@dataclass(frozen=True, slots=True)
class File:
    """One file or reply, as it goes to `ingest`: a name for messages, the bytes, when it was changed."""

    name: str
    content: bytes
    last_modified: datetime | None
    transferred: int


@dataclass(frozen=True, slots=True)
class Source:
    """One thing a publisher gives out.

    `key` is the environment variable that must hold a key, if one is needed. `everyday` sources are
    those that `tradelib update` asks unless told otherwise; the others are large. `recent` ones are
    asked for the last two calendar years only.
    """

    name: str
    what: str
    tables: tuple[str, ...]
    address: str
    cadence: str
    revised: str
    kind: str = "file"
    key: str | None = None
    everyday: bool = True
    recent: bool = False

    @property
    def publisher(self) -> str:
        """Who publishes it."""
        return TABLES[self.tables[0]].publisher


def _census_api(name: str, *, everyday: bool = True, recent: bool = False) -> Source:
    keys, what = ("goods_census_nsa_api", "imports_consumption_nsa"), "all goods, by partner"
    if name != "goods":
        what = f"{({'hs2': 'HS chapter'} | DETAILS | LARGE_DETAILS)[name]}, by partner"
        keys = tuple(f"{kind}_{name}_nsa" for kind in ("exports", "imports_general", "imports_consumption"))
    options = {"kind": "census-api", "key": "CENSUS_API_KEY", "everyday": everyday, "recent": recent}
    return Source(name, f"Census API, {what}", keys, API, MONTHLY, YEARLY_REVISED, **options)


FT900 = tuple(name for name in TABLES if "_ft900_" in name)
SOURCES = {
    source.name: source
    for source in [
        Source(
            "country",
            "goods by partner, `country.xlsx` of census.gov",
            ("goods_census_nsa",),
            f"{CENSUS}/foreign-trade/balance/country.xlsx",
            *(MONTHLY, YEARLY_REVISED),
        ),
        Source(
            "ctyseasonal",
            "goods of selected partners, seasonally adjusted, `ctyseasonal.xlsx`",
            ("goods_census_sa",),
            f"{CENSUS}/foreign-trade/statistics/country/ctyseasonal.xlsx",
            *(MONTHLY, "Canada each month; the others, and seasonal factors, in June"),
        ),
        Source(
            "bea",
            "BEA's country workbook, from the link on its page",
            ("trade_bop_sa", "trade_bop_annual"),
            bea.PAGE,
            *("quarterly: March, June, September, December", "each June, and with the next quarter"),
            kind="bea-page",
        ),
        Source(
            "ft900",
            "FT-900 release archive: Exhibits 14, 14a, 19, 20, 20a, 20b; supplement, Exhibits 4, 4a",
            FT900,
            CURRENT_RELEASE,
            MONTHLY,
            "never: a release stays as it was",
            kind="ft900",
        ),
        Source(
            "bea-trade",
            "BEA API, goods and services by partner and quarter",
            ("trade_bop_sa_api",),
            bea_api.ADDRESS,
            *("quarterly", "as the workbook"),
            kind="bea-api",
            key="BEA_API_KEY",
        ),
        Source(
            "bea-services",
            "BEA API, services by type and partner",
            ("services_bop_annual",),
            bea_api.ADDRESS,
            *("yearly, in July and October", "each year"),
            kind="bea-api",
            key="BEA_API_KEY",
        ),
        _census_api("goods"),
        _census_api("hs2"),
        _census_api("naics"),
        _census_api("enduse"),
        _census_api("hs4", recent=True),
        _census_api("hs6", recent=True, everyday=False),
        _census_api("hs10", recent=True, everyday=False),
    ]
}


def documentation() -> str:
    """Return the sources as a Markdown table, for the guide on sources: what, tables, cadence, revisions.

    Examples
    --------
    >>> documentation().splitlines()[2][:50]
    '| `country` | goods by partner, `country.xlsx` of '
    """
    head = ["source", "what", "tables", "comes", "revised", "key"]
    rows = [
        [
            *(f"`{s.name}`", s.what, ", ".join(f"`{table}`" for table in s.tables)),
            *(s.cadence, s.revised, f"`{s.key}`" if s.key else "none"),
        ]
        for s in SOURCES.values()
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, [":--"] * len(head), *rows])


def find_source(name: str) -> Source:
    """Look up a source by its name, or by the name of a table that it makes.

    Examples
    --------
    >>> find_source("trade_bop_sa").name, find_source("country").tables
    ('bea', ('goods_census_nsa',))
    """
    if name in SOURCES:
        return SOURCES[name]
    for source in SOURCES.values():
        if name in source.tables:
            return source
    raise TradelibError(f"There is no source {name!r}.", "Sources: " + ", ".join(SOURCES) + ".")


def archive_address(month: str | None = None) -> str:
    """Return the address of a release's archive; of the newest unless a month is given.

    Examples
    --------
    >>> archive_address("2018-07")[-17:], archive_address("2021-08")[-18:]
    ('ft900xls_1807.zip', 'ft900xlsx_2108.zip')
    """
    if month is None:
        return CURRENT_RELEASE
    kind = "xlsx" if calendar.release(month).month >= FIRST_XLSX else "xls"
    return f"{ARCHIVE}/ft900{kind}_{month[2:4]}{month[5:7]}.zip"


def address_of(source: Source, release: str | None = None) -> str:
    """Return where a source's file is now; BEA's workbook has to be looked up on its page."""
    if source.kind == "bea-page":
        return bea.workbook_address()
    return archive_address(release) if source.kind == "ft900" else source.address


def look_at(source: Source) -> tuple[bool, Reply, str | None]:
    """Ask whether a source's file has changed since it was fetched; with the hash of the one at hand."""
    address = address_of(source)
    changed, told = download.look(address, name=source.name)
    known = kept(address)
    return changed, told, hashlib.sha256(known[0].content).hexdigest() if known else None


def has_key(source: Source) -> bool:
    """Whether the key that a source needs is in the environment."""
    return not source.key or bool(os.environ.get(source.key, "").strip())


def tag(source: Source, on: date) -> str:
    """Return the word under which replies of an API are kept, so that a series of queries can go on.

    It changes with each release, and for BEA, whose tables have days of their own, with the day.
    """
    release = calendar.newest_due(on)
    return f"{source.name} {release.month if release and source.kind == 'census-api' else on}"


def fetch(
    source: Source,
    *,
    on: date,
    release: str | None = None,
    since: str | None = None,
    table: str | None = None,
    progress: bool = False,
) -> Iterator[list[File]]:
    """Fetch a source, in lists of files that make whole tables together.

    Parameters
    ----------
    source : Source
    on : date
        The day it is: an API is asked through the newest month that is out.
    release : str, optional
        Statistical month of an archived release; only the FT-900 has them.
    since : str, optional
        First month asked of an API.
    table : str, optional
        Only what makes one table, and a calendar year at a time.
    progress : bool
        Show a progress bar.

    Yields
    ------
    list of File

    Raises
    ------
    TradelibError
        If something asked for does not fit the source, or cannot be had.
    """
    if release and source.kind != "ft900":
        raise TradelibError(
            f"{source.name} has no archived releases; only the FT-900 has.",
            f"`tradelib fetch {source.name}` gets it as it stands, and "
            f"`tradelib fetch ft900 --release {release}` that release's exhibits.",
        )
    if since and source.kind != "census-api":
        raise TradelibError(f"--since is for the Census API; {source.name} comes whole.")
    if source.kind == "bea-api":
        ask = bea_api.fetch_trade if source.name == "bea-trade" else bea_api.fetch_services
        yield _replies(source, ask(tag=tag(source, on), progress=progress))
    elif source.kind == "census-api":
        for queries in plan(source, on, since=since, table=table):
            bodies = census_fetch.fetch_api(queries, tag=tag(source, on), progress=progress)
            yield _replies(source, bodies)
    else:
        address = address_of(source, release)
        reply = download.get_file(address, name=address.rsplit("/", 1)[-1])
        yield [File(address.rsplit("/", 1)[-1], reply.content, reply.last_modified, reply.transferred)]


def _replies(source: Source, bodies: list[bytes]) -> list[File]:
    return [File(f"{source.name}-{n}.json", body, None, len(body)) for n, body in enumerate(bodies, 1)]


def plan(
    source: Source, on: date, *, since: str | None = None, table: str | None = None
) -> list[list[census_query.Query]]:
    """Return the queries of a source of the Census API, in lists that make whole tables together."""
    release = calendar.newest_due(on)
    if release is None:
        raise TradelibError(f"The calendar knows no release that is out by {on}.")
    first = since or (f"{release.period.year - 1}-01" if source.recent else FIRST_API)
    flows = [flow for flow in ("exports", "imports") if table is None or table.startswith(flow)]
    kind = "total" if source.name == "goods" else source.name
    spans = [(first, release.month)]
    if table:
        years = range(int(first[:4]), release.period.year + 1)
        spans = [(max(first, f"{year}-01"), min(release.month, f"{year}-12")) for year in years]
    lists = [
        census_query.plan(flow, kind, since=start, through=end) for start, end in spans for flow in flows
    ]
    return [list(chain(*lists))] if kind == "total" else lists


def count_queries(source: Source, on: date) -> int:
    """Return how many queries a source of an API takes; about how many of BEA, which lists its areas."""
    if source.kind == "census-api":
        return sum(map(len, plan(source, on)))
    return 1 + (len(bea_api.INDICATORS) if source.name == "bea-trade" else 90)
