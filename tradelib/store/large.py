"""A large vintage is asked where its rows lie: filters go down to its Parquet files, only the answer comes.

Only the files of the years asked for are opened, and in them only the row groups that can hold the
partners asked for. At an address nothing comes but their bytes. Each page read is held against its checksum.
"""

import mmap
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from tradelib.store.files import insist_on_file, is_remote
from tradelib.store.parquet import is_sealed, read_meta, unreadable
from tradelib.tables import KEYS
from tradelib.windows import Window

#: Parquet whose pages are held against their checksums as they are read.
CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)
PARTNER, PERIOD, VALUE = pc.field("partner"), pc.field("period"), pc.field("value_usd")


def select(
    files: list[Path],
    *,
    since: str | None = None,
    through: str | None = None,
    partner: list[str] | None = None,
) -> pa.Table:
    """Read the rows of some periods and partners of one vintage's files, whose `period` is a day.

    They come sorted by partner, flow, item and period, with every column that one of the years has.
    """
    first, last = since and _day(pd.Period(since)), through and _day(pd.Period(through))
    rows = _rows(files, first, last, _of(partner) if partner else None)
    return rows.sort_by([(name, "ascending") for name in KEYS])


def periods(files: list[Path], *, since: pd.Period, through: pd.Period) -> set[pd.Period]:
    """Name the periods, both ends included, in which anyone has a row."""
    rows = _rows(files, _day(since), _day(through), columns={"period": PERIOD})
    return _periods(rows, since.freqstr)


def window_sums(
    files: list[Path], *, partner: list[str], now: Window, before: Window
) -> tuple[pd.DataFrame, set[pd.Period]]:
    """Sum each item of a table that has one flow over two windows, in dollars: 0 without a row in one.

    The rows of all partners given are added up, so that there must be no group beside its members. Columns
    `item`, `now_usd`, `before_usd`, and `missing`: how many rows have a publisher's mark for a value. Told
    beside them are the windows' periods in which there is any row.
    """
    inside = {"now_usd": _within(now), "before_usd": _within(before)}
    nothing = pa.scalar(None, pa.float64())
    sums = {name: pc.if_else(there, VALUE.cast("float64"), nothing) for name, there in inside.items()}
    sums |= {"missing": VALUE.is_null()}
    rows = _rows(
        files,
        _day(before.start),
        _day(now.end),
        _of(partner) & (inside["now_usd"] | inside["before_usd"]),
        columns={"item": pc.field("item"), "period": PERIOD, **sums},
    )
    by_item = rows.group_by("item").aggregate([(name, "sum") for name in sums])
    by_item = by_item.rename_columns({f"{name}_sum": name for name in sums}).sort_by("item")
    found = by_item.select(["item", *sums]).to_pandas().fillna({"now_usd": 0.0, "before_usd": 0.0})
    return found, _periods(rows, now.start.freqstr)


def totals(files: list[Path]) -> pa.Table:
    """Add up all items of a table, by partner, flow and month."""
    by = ["partner", "flow", "period"]
    columns = {name: pc.field(name) for name in [*by, "value_usd"]}
    years = [_rows([path], columns=columns).group_by(by).aggregate([("value_usd", "sum")]) for path in files]
    sums = pa.concat_tables(years).rename_columns([*by, "value_usd"])
    sums = sums.append_column("item", pa.repeat("all", sums.num_rows))
    return sums.sort_by([(name, "ascending") for name in KEYS])


def _rows(
    files: list[Path],
    since: date | None = None,
    through: date | None = None,
    where: pc.Expression | None = None,
    columns: dict[str, pc.Expression] | None = None,
) -> pa.Table:
    """Read what is wanted of the files of the years it is about."""
    for bound in (since and (since <= PERIOD), through and (through >= PERIOD)):
        where = bound if where is None else where if bound is None else where & bound
    wanted = [path for path in files if _holds(path, since, through)] or files[:1]
    try:
        for path in wanted:
            insist_on_file(path)
            if not is_remote(path):
                there = path.stat()
                _vouch(path, there.st_size, there.st_mtime_ns, there.st_ino)
        names = [path.path if is_remote(path) else str(path) for path in wanted]
        place = _by_range(wanted[0]) if is_remote(wanted[0]) else None
        how = {"format": CHECKED, "filesystem": place, "partitioning": None}
        if not columns:  # all there are: some years may have more of them than the first
            years = [ds.dataset(name, **how).schema for name in names]
            how["schema"] = pa.unify_schemas(years, promote_options="permissive")
        return ds.dataset(names, **how).to_table(columns=columns, filter=where)
    except Exception as error:
        damaged = isinstance(error, (pa.ArrowException, OSError, ValueError))
        if not damaged and not is_remote(wanted[0]):  # at an address each library has errors of its own
            raise
        raise unreadable(wanted[0].parent.parent, error) from None


@lru_cache(maxsize=1024)
def _vouch(path: Path, size: int, changed: int, node: int) -> None:
    """Refuse a file whose footer is not the one that was written there; asked again once it has changed.

    Files of tradelib 0.1 have no seal, only `verify` knows.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        name = f"{path.parent.name}/{path.name}"
        if is_sealed(whole) and (written := read_meta(path).get("file", name)) != name:
            raise ValueError(f"{name} is what was written as {written}")


def _of(partner: list[str]) -> pc.Expression:
    """Whether a row is of one of some partners."""
    return PARTNER.isin(partner)


def _within(window: Window) -> pc.Expression:
    """Whether a row's period lies in a window."""
    return (_day(window.start) <= PERIOD) & (_day(window.end) >= PERIOD)


def _holds(path: Path, since: date | None, through: date | None) -> bool:
    """Whether a file can hold rows of a span of days: by the year in its folder's name."""
    name, _, year = path.parent.name.partition("=")
    if name != "year":
        return True
    return not (since and int(year) < since.year) and not (through and int(year) > through.year)


def _day(period: pd.Period) -> date:
    """Return the first day of a period, by which files know it."""
    return period.start_time.date()


def _periods(rows: pa.Table, freq: str) -> set[pd.Period]:
    """Return the periods that have rows."""
    return {pd.Period(day, freq) for day in rows["period"].unique().to_pylist()}


def _by_range(path: Path):
    """Return the file system of an address, reading what is asked for and not megabytes ahead of it."""
    files = type(path.fs)(*path.fs.storage_args, **path.fs.storage_options, skip_instance_cache=True)
    files.default_cache_type = "none"
    files.find(path.parent.parent.path)  # one listing tells the sizes of all
    return files
