"""From a file somebody downloaded to vintages in the store: recognise, parse, check, keep."""

import hashlib
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tradelib import releases
from tradelib.errors import TradelibError
from tradelib.sources import (
    apart,
    bea_api,
    bea_national,
    bea_workbook,
    bulk,
    census_api,
    census_files,
    ft900,
    trade_online,
    workbooks,
)
from tradelib.sources.alike import all_goods_of, has_bop_goods, hold_alike, hold_goods, hold_sums, table_alike
from tradelib.sources.continuity import hold_against, totals
from tradelib.sources.download import looks_like_page
from tradelib.store import vintages
from tradelib.tables import BALANCE, GOODS, GOODS_SA, CheckError, Table, check_flows, table_info

MOST_BYTES = 1 << 30
FEW = 12  # columns of months that must be there for a file to count as one of Census's
LEAST_DAYS = 25  # no release came sooner after the end of its month
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
DOWNLOAD_AGAIN = "Open it to see what the server sent, and download it again."


@dataclass(frozen=True, slots=True)
class Parsed:
    """What files hold: tables, the day they print, the month of their release, and what is lacking."""

    tables: dict[str, pd.DataFrame]
    parser: str
    dated: str | None = None
    month: str | None = None
    lacking: str = ""


def ingest(
    paths: list[Path],
    *,
    table: str | None = None,
    published: str | date | None = None,
    saved: str | date | None = None,
    note: str = "",
    accept: str = "",
    store: Path | None = None,
) -> list[tuple[vintages.Vintage, bool]]:
    """Parse and check files of one publication, and keep them as vintages: each, and whether it was written.

    The files are one workbook, archive or CSV, or several API replies that make one table; `table` is what
    they must be, where it is given. `published` is the day of publication, by default the date in the file or
    of the release it belongs to; `saved`, instead, the day by which a copy was saved, where no more is known.
    `note` tells how the file was come by. Whatever is not right is refused, and nothing is saved; what only
    contradicts the vintages at hand is kept where `accept` gives a reason, which is shown with it.
    """
    if table:
        table_info(table)
    if published and saved:
        raise TradelibError("Give --published or --saved, not both.")
    if bulk_files := [path.name for path in paths if bulk.NAME.fullmatch(path.name)]:
        raise TradelibError(
            f"{bulk_files[0]} is one of Census's two files of all trade in a month, fetched together.",
            "`tradelib fetch bulk --release YYYY-MM` does it; from a server of yours with TRADELIB_MIRROR.",
        )
    files = [(path.name, _read(path)) for path in paths]
    found = parse(files)
    if table and table not in found.tables:
        raise TradelibError(f"{files[0][0]} is {' and '.join(found.tables)}, not {table}.")
    copied = saved or found.parser == trade_online.PARSER  # what it prints is the day it was asked for
    day, dated_by = publication_date(found, published or saved), "saved" if copied else "published"
    told = {"published": day, "dated_by": dated_by, "sources": sources_of(files), "parser": found.parser}
    kept = []
    for name in [table] if table else list(found.tables):
        frame = check_flows(found.tables[name], name)
        held = totals(frame) if table_info(name).large else frame
        accepted = vouch(held, name, day, accept=accept, lacking=found.lacking, store=store)
        kept.append((frame, name, told | {"note": note, "accepted": accepted}))
    return [vintages.save(frame, name, **more, store=store) for frame, name, more in kept]


def vouch(
    frame: pd.DataFrame,
    table: str,
    day: date,
    *,
    accept: str = "",
    lacking: str = "",
    store: Path | None = None,
) -> str:
    """Hold a parsed table against what is known of it, whoever brought it; refuse what cannot be so.

    Of a large table `frame` is its `totals`.
    Returns what its card and each brief are to tell: what is `lacking` beside it, and the reason to `accept`
    it, with what it was needed for; empty where there is nothing to tell.
    """
    check_day(frame, table, day)
    try:
        hold_against(frame, table, day, _known(table, store))
        if alike := table_alike(table):
            hold_alike(frame, table, day, _known(alike, store))
        if has_bop_goods(table):
            hold_goods(frame, table, day, _known(GOODS, store))
        if all_goods := all_goods_of(table):
            hold_sums(totals(frame), table, day, _known(all_goods, store))
    except CheckError as problem:
        if not accept:
            raise
        accepted = f"{accept} ({str(problem).splitlines()[0]})"
        return f"{accepted}; {lacking}" if lacking else accepted
    return lacking


def _known(table: str, store: Path | None) -> list[vintages.Vintage]:
    """The vintages of a table that are at hand, those of a store that is not the user's among them."""
    others = [vintages.look(path) for path in vintages.find(store, table)] if store else []
    return vintages.list_vintages(table) + others


def _is_printed_whole(info: Table) -> bool:
    """Whether it goes on to the last period out whenever it is printed: one that ends earlier is older."""
    asked_for = info.name.endswith("_api") or info.freq == "Y"
    return not asked_for and (BALANCE in info.flows or info.name in (GOODS, GOODS_SA))


def check_day(frame: pd.DataFrame, table: str, day: date) -> pd.DataFrame:
    """Refuse a day on which the last period was not out yet, or the next one was; else return the table."""
    last = frame["period"].max()
    info = table_info(table)  # quarters of services come out with the month after, of goods with their last
    month = last.asfreq("M", how="end") + int(info.freq == "Q" and info.basis == "BOP")
    release = releases.release(str(month))
    out = release.published or (last.end_time + pd.Timedelta(days=LEAST_DAYS)).date()
    if day < out:
        known = f"{month} was published on {out}" if release.published else f"it cannot be out before {out}"
        raise TradelibError(
            f"{table} reaches {last}, which is after {day}: {known}.", "Check the date given."
        )
    if day > releases.today():
        raise TradelibError(f"{table}: the day {day} has not come; today is {releases.today()}.")
    later = releases.release(str(month + (3 if info.freq == "Q" else 1)))
    if _is_printed_whole(info) and later.published and later.published <= day:
        raise TradelibError(
            f"{table} ends in {last}, and is said to be of {day}: the release of {later.month} was out on "
            f"{later.published}.",
            "A copy is of the day it was out, whenever it was saved: `tradelib ingest FILE` finds that day.",
        )
    return frame


def sources_of(files: list[tuple[str, bytes]]) -> list[dict]:
    """Name and SHA-256 of each file, as a vintage remembers what it was made from."""
    return [{"name": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in files]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise TradelibError(f"Cannot read {path}: {getattr(error, 'strerror', error)}.") from None
    if len(data) > MOST_BYTES:
        raise TradelibError(f"{path} has more than {MOST_BYTES:,} bytes, as no file of a publisher's has.")
    return data


def publication_date(found: Parsed, given: str | date | None = None) -> date:
    """Return the date printed in the file, or given, or of the release that it belongs to."""
    day = releases.parse_date(given or found.dated, "the day") if given or found.dated else None
    if day and found.dated and day.isoformat() != found.dated:
        raise TradelibError(f"The file prints the day {found.dated}; {day} was given.", "Leave the date out.")
    if day:
        return day
    if found.month:
        release = releases.release(found.month)
        if release.published:
            return release.published
    last = found.month or max(
        (frame["period"].max() for frame in found.tables.values()), key=lambda p: p.end_time
    )
    raise TradelibError(
        f"The file reaches {last}; its publication date is not known.", "Give it: --published YYYY-MM-DD."
    )


def parse(files: list[tuple[str, bytes]]) -> Parsed:
    """Recognise files by their content and parse them: one file, or API replies that belong together."""
    try:
        return apart.call(_parse, files, size=sum(len(data) for _, data in files))
    except TradelibError as error:
        names = [name for name, _ in files if str(error).startswith(f"{name}: ")]
        who = "" if names else f"{', '.join(name for name, _ in files[:4])} is refused. "
        raise CheckError(f"{who}{error}", "Nothing was saved.") from None


def _parse(files: list[tuple[str, bytes]]) -> Parsed:
    contents = []
    for name, data in files:
        try:
            contents.append(open_file(data))
        except CheckError as error:
            raise CheckError(f"{name}: {error}") from None
    first = contents[0]
    if isinstance(first, bytes):  # replies of BEA's API
        return Parsed(bea_api.parse(contents), bea_api.PARSER, dated=bea_api.last_updated(contents))
    if isinstance(first, pd.DataFrame):
        return _parse_grids(files, contents)
    if bea_workbook.is_country_workbook(first):
        _one_file(files)
        tables = bea_workbook.parse_country_workbook(first)
        return Parsed(tables, bea_workbook.PARSER, dated=bea_workbook.last_updated(first))
    if isinstance(first, dict) and (national := bea_national.table_of(first)):
        _one_file(files)
        return Parsed(
            bea_national.parse(national), bea_national.PARSER, dated=bea_workbook.last_updated(first)
        )
    if len(files) > 1 and not all(isinstance(content, dict) for content in contents):
        raise CheckError("These files are of different kinds.", "Give one at a time.")
    books = {name: content for (name, _), content in zip(files, contents, strict=True)}
    if any(map(trade_online.flow_of, contents)):
        asked = trade_online.asked_on(books)
        return Parsed(trade_online.parse_pair(books), trade_online.PARSER, dated=asked)
    exhibits = {
        (name if len(files) > 1 else member): rows
        for name, members in books.items()
        for member, rows in members.items()
    }
    tables = ft900.parse_archive(exhibits)
    lacking = ft900.lacking(exhibits, tables)
    return Parsed(tables, ft900.PARSER, month=ft900.statistical_month(tables), lacking=lacking)


def _parse_grids(files: list, grids: list[pd.DataFrame]) -> Parsed:
    columns = {str(column).strip() for column in grids[0].columns}
    if columns & set(census_api.VALUES):
        replies = []
        for (name, _), grid in zip(files, grids, strict=True):
            try:
                replies.append(census_api.parse_reply(grid))
            except TradelibError as error:
                raise CheckError(f"{name}: {error}") from None
        tables = census_api.unite(replies)
        for table, frame in tables.items():
            census_api.check_both_flows(frame, table)
        return Parsed(tables, census_files.PARSER)
    _one_file(files)
    lower = {column.lower() for column in columns}
    if len(lower & {f"{flow}{month}".lower() for flow in "EI" for month in census_files.MONTHS}) < FEW:
        raise CheckError(
            f"This is no file that tradelib knows; its first row reads {', '.join(sorted(columns)[:6])!r}.",
            "Known: country.xlsx, ctyseasonal.xlsx (also as CSV, with commas), BEA's two workbooks,",
            "an FT-900 archive or its exhibits by country, replies of the Census and of BEA's API, a pair of",
            "Standard Reports of USA Trade Online.",
        )
    if {"cty_code", "cty_desc"} <= lower:
        table, frame = "goods_census_sa", census_files.parse_ctyseasonal(grids[0])
    else:
        table, frame = "goods_census_nsa", census_files.parse_country(grids[0])
    return Parsed({table: frame}, census_files.PARSER, month=str(frame["period"].max()))


def _one_file(files: list) -> None:
    if len(files) > 1:
        raise TradelibError("Only API replies are taken several at a time; give one file of this kind.")


def open_file(data: bytes) -> pd.DataFrame | dict[str, list[list]] | bytes:
    """Bytes -> the grid of a Census file or reply, the sheets of BEA or the FT-900, or a reply of BEA."""
    if not data.removeprefix(b"\xef\xbb\xbf").strip():
        raise CheckError("the file is empty.", DOWNLOAD_AGAIN)
    if looks_like_page(data):
        raise CheckError("this is a web page, whatever its name says.", DOWNLOAD_AGAIN)
    if data.startswith(b"PAR1"):
        try:
            return pd.read_parquet(io.BytesIO(data)).astype("str")
        except (pa.ArrowException, OSError) as error:
            raise CheckError(f"this is not a table ({error}).", DOWNLOAD_AGAIN) from None
    if data[:512].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        return census_api.read_reply(data)
    if bea_api.is_bea_reply(data):
        return data
    if workbooks.is_archive(data):
        return ft900.read_archive(data)
    if data.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return _workbook(data)
    return _csv(data)


def _csv(data: bytes) -> pd.DataFrame:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CheckError("its text is in UTF-16, not in UTF-8 as a publisher's.", "Save it as CSV in UTF-8.")
    if data.startswith(b"\x1f\x8b"):
        raise CheckError("this is packed with gzip.", "Unpack it, and give what is in it.")
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    first = text[: text.find("\n")]
    for mark, name in SEPARATORS.items():
        if first.count(mark) > first.count(","):
            raise CheckError(
                f"its fields are parted by {name}, not by commas.", "Save it as CSV with commas."
            )
    try:
        return pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
    except pd.errors.ParserError as error:
        raise CheckError(f"this is not a table ({error}).", DOWNLOAD_AGAIN) from None


def _workbook(data: bytes) -> pd.DataFrame | dict[str, list[list]]:
    try:
        sheets = workbooks.read_sheets(data)
    except CheckError as error:
        reason = str(error).splitlines()[0]
        raise CheckError(
            f"this workbook cannot be opened ({reason}); was it cut short?", DOWNLOAD_AGAIN
        ) from None
    known = bea_workbook.is_country_workbook(sheets) or bea_national.table_of(sheets)
    if known or trade_online.flow_of(sheets):
        return sheets
    exhibits = {n: rows for n, rows in sheets.items() if ft900.exhibit_of(rows) or ft900.supplement_of(rows)}
    titles = [title for rows in sheets.values() if (title := ft900.any_exhibit(rows))]
    if titles and not exhibits:
        raise CheckError(
            f"this is an exhibit of the FT-900 that is not read: {titles[0]!r}.",
            f"Those by country are: {', '.join(ft900.EXHIBITS)}, and 4 and 4a of the supplement.",
        )
    return exhibits or _grid(sheets)


def _grid(sheets: dict[str, list[list]]) -> pd.DataFrame:
    """The widest sheet as a grid with its first row as header: the one sheet of a Census file."""
    rows = max(sheets.values(), key=lambda rows: len(rows[0]) if rows else 0)
    if len(rows) < 2:
        raise CheckError(f"the workbook holds no table; its sheets: {', '.join(sheets)}.", DOWNLOAD_AGAIN)
    same = [name for name, others in sheets.items() if others[1:] and set(others[0]) >= {*rows[0]} - {""}]
    if len(same) > 1:
        raise CheckError(
            f"the workbook holds a table of the same columns in each of its sheets {', '.join(same)}.",
            "Which is the right one? Leave only that in it.",
        )
    return pd.DataFrame(rows[1:], columns=[str(cell) for cell in rows[0]])
