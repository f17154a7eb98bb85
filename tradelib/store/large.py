"""DuckDB over the Parquet files of a large vintage: filters and sums are done where the rows are.

Only the files of the years asked for are opened, and in them only the row groups that can hold the
partners asked for. Memory and threads are bounded, and nothing is ever downloaded but the files' bytes.
"""

import mmap
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from tradelib.store.files import is_remote, scratch
from tradelib.store.parquet import is_sealed, unreadable
from tradelib.windows import Window

MEMORY, THREADS = "700MB", 4
ROWS = "FROM read_parquet($files, hive_partitioning = false)"
PARTNERS = "partner IN (SELECT unnest($partners))"  # becomes a filter that passes over row groups


def select(
    files: list[Path],
    *,
    since: str | None = None,
    through: str | None = None,
    partner: list[str] | None = None,
) -> pa.Table:
    """Read the rows of some periods and partners of one vintage's files, whose `period` is a day.

    They come sorted by partner, flow, item and period.
    """
    where, given = _wanted(since and _day(pd.Period(since)), through and _day(pd.Period(through)), partner)
    return _ask(f"SELECT * {ROWS} {where} ORDER BY partner, flow, item, period", files, given)


def periods(
    files: list[Path], *, since: pd.Period, through: pd.Period, partner: list[str] | None = None
) -> list[pd.Period]:
    """List the periods, both ends included, in which there is any row, of some partners or of anyone."""
    where, given = _wanted(_day(since), _day(through), partner)
    days = _ask(f"SELECT DISTINCT period {ROWS} {where} ORDER BY period", files, given)["period"]
    return [pd.Period(day, since.freqstr) for day in days.to_pylist()]


def window_sums(files: list[Path], *, partner: list[str], now: Window, before: Window) -> pd.DataFrame:
    """Sum each item of a table that has one flow over two windows, in dollars: 0 without a row in one.

    The rows of all partners given are added up, so that there must be no group beside its members. Columns
    `item`, `now_usd`, `before_usd`, and `missing`: how many rows have a publisher's mark for a value.
    """
    where, given = _wanted(_day(before.start), _day(now.end), partner)
    spans = {"now_start": now.start, "now_end": now.end, "old_start": before.start, "old_end": before.end}
    given |= {name: _day(period) for name, period in spans.items()}
    columns = [
        f"coalesce(sum(value_usd) FILTER (period BETWEEN ${span}_start AND ${span}_end), 0)::DOUBLE AS {name}"
        for span, name in (("now", "now_usd"), ("old", "before_usd"))
    ]
    inside = "(period BETWEEN $now_start AND $now_end OR period BETWEEN $old_start AND $old_end)"
    missing = "count(*) - count(value_usd) AS missing"
    return _ask(
        f"SELECT item, {', '.join(columns)}, {missing} {ROWS} {where} AND {inside} "
        "GROUP BY item ORDER BY item",
        files,
        given,
    ).to_pandas()


def totals(files: list[Path]) -> pa.Table:
    """Add up all items of a table, by partner, flow and month."""
    sums = "partner, flow, 'all' AS item, period, sum(value_usd)::DOUBLE AS value_usd"
    return _ask(f"SELECT {sums} {ROWS} GROUP BY ALL ORDER BY ALL", files, {})


@contextmanager
def connection(files: list[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB within bounds of memory and threads, able to read the files wherever they are."""
    with scratch() as spill:
        bounds = {"memory_limit": MEMORY, "threads": min(THREADS, os.cpu_count() or 1)}
        offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        config = bounds | offline | {"temp_directory": str(spill)}  # in order: some versions lose it else
        with duckdb.connect(":memory:", config=config) as con:
            if files and is_remote(files[0]):
                con.register_filesystem(_by_range(files[0]))
            yield con


def _ask(query: str, files: list[Path], given: dict) -> pa.Table:
    """Run one query over the files of the years it is about."""
    wanted = [path for path in files if _holds(path, given.get("since"), given.get("through"))] or files[:1]
    names = [path.fs.unstrip_protocol(path.path) if is_remote(path) else str(path) for path in wanted]
    try:
        with _vouched(wanted), connection(wanted) as con:
            return con.sql(query, params=given | {"files": names}).to_arrow_table()
    except (duckdb.Error, OSError, ValueError) as error:
        raise unreadable(wanted[0].parent.parent, error) from None


@contextmanager
def _vouched(files: list[Path]) -> Iterator[None]:
    """Look at all bytes of files while they are asked; what a damaged one answers is not returned.

    At an address the store itself sees to that.
    """
    with ThreadPoolExecutor() as pool:
        here = [(path, path.stat()) for path in files if not is_remote(path)]
        looks = [
            pool.submit(_vouch, path, there.st_size, there.st_mtime_ns, there.st_ino) for path, there in here
        ]
        try:
            yield
        finally:
            for look in looks:
                look.result()


@lru_cache(maxsize=1024)
def _vouch(path: Path, size: int, changed: int, node: int) -> None:
    """Refuse a file whose bytes are not those that were written; asked again only once it has changed.

    Files of tradelib 0.1 have no seal, only `verify` knows.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        is_sealed(whole)


def _wanted(since: date | None, through: date | None, partner: list[str] | None) -> tuple[str, dict]:
    """Return the conditions that are set, as SQL, and the values they are about."""
    given = {"since": since, "through": through, "partners": partner}
    rules = {"since": "period >= $since", "through": "period <= $through", "partners": PARTNERS}
    given = {name: value for name, value in given.items() if value}
    return "WHERE " + " AND ".join(["true", *(rules[name] for name in given)]), given


def _holds(path: Path, since: date | None, through: date | None) -> bool:
    """Whether a file can hold rows of a span of days: by the year in its folder's name."""
    name, _, year = path.parent.name.partition("=")
    if name != "year":
        return True
    return not (since and int(year) < since.year) and not (through and int(year) > through.year)


def _day(period: pd.Period) -> date:
    """Return the first day of a period, by which files know it."""
    return period.start_time.date()


def _by_range(path: Path):
    """Return the file system of an address, reading what is asked for and not megabytes ahead of it."""
    files = type(path.fs)(*path.fs.storage_args, **path.fs.storage_options, skip_instance_cache=True)
    files.default_cache_type = "none"
    files.find(path.parent.parent.path)  # one listing tells the sizes of all
    return files
