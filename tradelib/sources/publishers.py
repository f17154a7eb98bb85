"""The publishers' sources: where each is, which tables it makes, how often, and how it is fetched."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from tradelib import releases
from tradelib.errors import FetchError, TradelibError
from tradelib.sources import apart, bea_api, bea_workbook, bulk, census_api, download
from tradelib.tables import DETAILS, KINDS, LARGE_DETAILS, TABLES, WORLD_MONTHS, WORLD_YEARS, CheckError

CENSUS = "https://www.census.gov/foreign-trade"
#: The first release whose archive holds .xlsx workbooks; those before hold .xls.
FIRST_XLSX = "2020-09"
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
    classification = "total" if name == "goods" else name
    kinds = {"goods": "all goods", "hs2": "HS chapter"} | DETAILS | LARGE_DETAILS
    return Source(
        name,
        what=f"Census API, {kinds[name]}, by partner",
        tables=tuple(dict.fromkeys(census_api.table_of(kind, classification) for kind, *_ in KINDS)),
        address=census_api.API,
        cadence=MONTHLY,
        revised=YEARLY_REVISED,
        kind="census-api",
        key=census_api.KEY,
        everyday=everyday,
        recent=recent,
    )


BY_ITEM = [census_api.table_of(kind, key) for key in ("hs2", *DETAILS, *LARGE_DETAILS) for kind, *_ in KINDS]
SOURCES = {
    source.name: source
    for source in [
        Source(
            "country",
            what="goods by partner, `country.xlsx` of census.gov",
            tables=("goods_census_nsa",),
            address=f"{CENSUS}/balance/country.xlsx",
            cadence=MONTHLY,
            revised=YEARLY_REVISED,
        ),
        Source(
            "ctyseasonal",
            what="goods of selected partners, seasonally adjusted, `ctyseasonal.xlsx`",
            tables=("goods_census_sa",),
            address=f"{CENSUS}/statistics/country/ctyseasonal.xlsx",
            cadence=MONTHLY,
            revised="Canada each month; the others, and seasonal factors, in June",
        ),
        Source(
            "bea",
            what="BEA's country workbook, from the link on its page",
            tables=("trade_bop_sa", "trade_bop_annual"),
            address=bea_workbook.PAGE,
            cadence="quarterly: March, June, September, December",
            revised="each June, and with the next quarter",
            kind="bea-page",
        ),
        Source(
            "bea-national",
            what="BEA's national workbook, with the world by month, from the link on its page",
            tables=(WORLD_MONTHS, WORLD_YEARS),
            address=bea_workbook.PAGE,
            cadence=MONTHLY,
            revised="each month, and each June",
            kind="bea-page",
            everyday=False,
        ),
        Source(
            "ft900",
            what="FT-900 release archive: Exhibits 14, 14a, 19, 20, 20a, 20b; supplement, Exhibits 4, 4a",
            tables=tuple(name for name in TABLES if "_ft900_" in name),
            address=f"{CENSUS}/Press-Release/current_press_release/ft900xlsx.zip",
            cadence=MONTHLY,
            revised="never: a release stays as it was",
            kind="ft900",
        ),
        Source(
            "bea-trade",
            what="BEA API, goods and services by partner and quarter",
            tables=("trade_bop_sa_api",),
            address=bea_api.ADDRESS,
            cadence="quarterly",
            revised="as the workbook",
            kind="bea-api",
            key=bea_api.KEY,
        ),
        Source(
            "bea-services",
            what="BEA API, services by type and partner",
            tables=("services_bop_annual",),
            address=bea_api.ADDRESS,
            cadence="yearly, in July and October",
            revised="each year",
            kind="bea-api",
            key=bea_api.KEY,
        ),
        _census_api("goods"),
        _census_api("hs2"),
        _census_api("naics"),
        _census_api("enduse"),
        _census_api("hs4", recent=True),
        _census_api("hs6", recent=True, everyday=False),
        _census_api("hs10", recent=True, everyday=False),
        Source(
            "bulk",
            what="Census's files of all trade in a month: HTS10 by partner, and its sums",
            tables=(*BY_ITEM, "imports_consumption_nsa", "imports_consumption_provisions_nsa"),
            address=bulk.DOWNLOADS,
            cadence=MONTHLY,
            revised="a month stays as its file has it",
            kind="bulk",
            everyday=False,
        ),
    ]
}


def find_source(name: str) -> Source:
    """Look up a source by its name, or by the name of a table that it makes."""
    if name in SOURCES:
        return SOURCES[name]
    for source in SOURCES.values():
        if name in source.tables:
            return source
    raise TradelibError(f"There is no source {name!r}.", "Sources: " + ", ".join(SOURCES) + ".")


def archive_address(month: str) -> str:
    """Return the address of the archive of a release, by its statistical month."""
    kind = "xlsx" if releases.release(month).month >= FIRST_XLSX else "xls"
    return f"{CENSUS}/Press-Release/ft900/ft900{kind}_{month[2:4]}{month[5:7]}.zip"


def address_of(source: Source, release: str | None = None) -> str:
    """Return where a source's file is now; BEA's workbook has to be looked up on its page."""
    if source.kind == "bea-page":
        return bea_workbook.workbook_address(source.name)
    return archive_address(release) if release else source.address


def look_at(source: Source) -> tuple[bool, download.Reply, str | None]:
    """Ask whether a source's file has changed since it was fetched; with the hash of the one at hand."""
    address = address_of(source)
    changed, told = download.look(address, name=source.name)
    known = download.kept(address)
    return changed, told, hashlib.sha256(known[0].content).hexdigest() if known else None


def has_key(source: Source) -> bool:
    """Whether the key that a source needs is in the environment."""
    return not source.key or bool(os.environ.get(source.key, "").strip())


def tag(source: Source, on: date) -> str:
    """Return the word under which replies of an API are kept, so that a series of queries can go on."""
    release = releases.newest_due(on)
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
    """Fetch a source as of a day, in lists of files that make whole tables together.

    An API is asked through the newest month that is out `on` the day; the Census API from `since` on and,
    with a `table`, only for what makes it, a calendar year at a time. `release` is the statistical month of
    an archived FT-900.
    """
    if release and source.kind != "ft900":
        raise TradelibError(
            f"{source.name} has no archived releases; only the FT-900 and the bulk files have.",
            f"`tradelib fetch {source.name}` gets it as it stands, and "
            f"`tradelib fetch ft900 --release {release}` that release's exhibits.",
        )
    if since and source.kind != "census-api":
        raise TradelibError(f"--since is for the Census API and the bulk files; {source.name} comes whole.")
    if source.kind == "bea-api":
        ask = bea_api.fetch_trade if source.name == "bea-trade" else bea_api.fetch_services
        yield _replies(source, ask(tag=tag(source, on), progress=progress))
    elif source.kind == "census-api":
        for queries in plan(source, on, since=since, table=table):
            bodies = census_api.fetch(queries, tag=tag(source, on), progress=progress)
            yield _replies(source, bodies)
    else:
        address = address_of(source, release)
        name = address.rsplit("/", 1)[-1]
        reply = download.get_file(address, name=name)
        yield [File(name, reply.content, reply.last_modified, reply.transferred)]


def fetch_bulk(flow: str, month: str, *, districts: bool = False) -> tuple[File, bulk.Month]:
    """Fetch the zip of a flow and a month, and read it in a process of its own; a bad one is not kept."""
    address = bulk.WIRES[flow].file(month)
    name = address.rsplit("/", 1)[-1]

    def zip_only(body: bytes) -> bytes:
        if not body.startswith(b"PK"):
            what = "a web page" if download.looks_like_page(body) else "something else"
            sent = download.title_of(body) or body[:40]
            raise FetchError(f"{name}: {what} came instead of a zip: {sent!r}.")
        return body

    reply = download.get(address, tag=address, clean=zip_only)
    download.refuse_unless_file(reply, name)
    file = File(name, reply.content, reply.last_modified, reply.transferred)
    try:
        return file, apart.call(
            bulk.read, str(download.path_of(address)), flow, month, districts, size=len(file.content)
        )
    except TradelibError as error:
        download.forget(address)
        raise CheckError(f"{name} is refused: {error}", "Nothing was saved.") from None


def _replies(source: Source, bodies: list[bytes]) -> list[File]:
    return [File(f"{source.name}-{n}.json", body, None, len(body)) for n, body in enumerate(bodies, 1)]


def plan(
    source: Source, on: date, *, since: str | None = None, table: str | None = None
) -> list[list[census_api.Query]]:
    """Return the queries of a source of the Census API, in lists that make whole tables together."""
    out = releases.newest_due(on)
    if out is None:
        raise TradelibError(f"The calendar knows no release that is out by {on}.")
    first = since or (f"{out.period.year - 1}-01" if source.recent else census_api.FIRST_MONTH)
    flows = [flow for flow in ("exports", "imports") if table is None or table.startswith(flow)]
    kind = "total" if source.name == "goods" else source.name
    spans = [(first, out.month)]
    if table:
        years = range(int(first[:4]), out.period.year + 1)
        spans = [(max(first, f"{year}-01"), min(out.month, f"{year}-12")) for year in years]
    lists = [census_api.plan(flow, kind, since=start, through=end) for start, end in spans for flow in flows]
    return [list(chain(*lists))] if kind == "total" else lists


def count_queries(source: Source, on: date) -> int:
    """Return how many queries a source of an API takes; about how many of BEA, which lists its areas."""
    if source.kind == "census-api":
        return sum(map(len, plan(source, on)))
    return 1 + (len(bea_api.INDICATORS) if source.name == "bea-trade" else 90)
