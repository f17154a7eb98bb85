"""DuckDB over the Parquet files of a large vintage: filters and sums are done where the rows are.

Only the files of the years asked for are opened, and in them only the row groups that can hold the
partners asked for. Memory and threads are bounded, and nothing is ever downloaded but the files' bytes.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from tradelib.errors import TradelibError
from tradelib.store.files import is_remote
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
    """Read the rows of some partners and periods.

    Parameters
    ----------
    files : list of Path
        The Parquet files of one vintage, of this machine or of an object store.
    since, through : str, optional
        First and last period wanted, such as "2018-01".
    partner : list of str, optional
        Partner codes; everyone unless given.

    Returns
    -------
    Table
        The columns of the files, `period` as the first day of each, sorted by partner, flow, item, period.

    Examples
    --------
    >>> from tradelib.store.vintages import list_vintages
    >>> goods = list_vintages("goods_census_nsa")[-1].files
    >>> rows = select(goods, since="2018-07", through="2018-07", partner=["5800"])
    >>> rows["value_usd"].to_pylist(), str(rows["period"][0])
    ([4683482573.0, 6288948014.0], '2018-07-01')
    """
    where, given = _wanted(since and _day(pd.Period(since)), through and _day(pd.Period(through)), partner)
    return _ask(f"SELECT * {ROWS} {where} ORDER BY partner, flow, item, period", files, given)


def periods(
    files: list[Path], *, since: pd.Period, through: pd.Period, partner: list[str] | None = None
) -> list[pd.Period]:
    """List the periods in which there is any row, of some partners or of anyone.

    Parameters
    ----------
    files : list of Path
        The Parquet files of one vintage.
    since, through : Period
        Where to look, both ends included.
    partner : list of str, optional
        Partner codes; anyone unless given.

    Returns
    -------
    list of Period

    Examples
    --------
    >>> from tradelib.store.vintages import list_vintages
    >>> goods, month = list_vintages("goods_census_nsa")[-1].files, pd.Period("2018-07", "M")
    >>> periods(goods, since=month, through=month + 1, partner=["5800"])
    [Period('2018-07', 'M'), Period('2018-08', 'M')]
    """
    where, given = _wanted(_day(since), _day(through), partner)
    days = _ask(f"SELECT DISTINCT period {ROWS} {where} ORDER BY period", files, given)["period"]
    return [pd.Period(day, since.freqstr) for day in days.to_pylist()]


def window_sums(files: list[Path], *, partner: list[str], now: Window, before: Window) -> pd.DataFrame:
    """Sum each item over two windows; an item without a row in one of them had no trade in it.

    Parameters
    ----------
    files : list of Path
        The Parquet files of one vintage of a table that has one flow.
    partner : list of str
        Partner codes; their rows are added up, so there must be no group beside its members.
    now, before : Window
        Of the frequency of the table, the earlier one second.

    Returns
    -------
    DataFrame
        `item`, `now_usd`, `before_usd` in dollars, and `missing`, how many rows have a publisher's
        mark for a value; by item.

    Examples
    --------
    >>> from tradelib.store.vintages import list_vintages
    >>> from tradelib.windows import year_to_date
    >>> chapters, now = list_vintages("exports_hs2_nsa")[-1].files, year_to_date(pd.Period("2018-07", "M"))
    >>> sums = window_sums(chapters, partner=["5800"], now=now, before=now.year_earlier)
    >>> sums[sums.item == "27"].round(-6).to_dict("records")
    [{'item': '27', 'now_usd': 4179000000.0, 'before_usd': 1878000000.0, 'missing': 0}]
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


@contextmanager
def connection(files: list[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB within bounds of memory and threads, able to read the files wherever they are.

    Examples
    --------
    >>> with connection([]) as con:
    ...     con.sql("SELECT 1 + 1").fetchall()
    [(2,)]
    """
    with tempfile.TemporaryDirectory(prefix="tradelib-", ignore_cleanup_errors=True) as spill:
        bounds = {"memory_limit": MEMORY, "threads": min(THREADS, os.cpu_count() or 1)}
        offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        config = bounds | offline | {"temp_directory": spill, "preserve_insertion_order": False}
        with duckdb.connect(":memory:", config=config) as con:
            if files and is_remote(files[0]):
                con.register_filesystem(_by_range(files[0]))
            yield con


def _ask(query: str, files: list[Path], given: dict) -> pa.Table:
    """Run one query over the files of the years it is about."""
    wanted = [path for path in files if _holds(path, given.get("since"), given.get("through"))] or files[:1]
    names = [path.fs.unstrip_protocol(path.path) if is_remote(path) else str(path) for path in wanted]
    try:
        with connection(wanted) as con:
            return con.sql(query, params=given | {"files": names}).to_arrow_table()
    except (duckdb.Error, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        raise TradelibError(
            f"Cannot read the rows of {wanted[0].parent.parent}: {reason}",
            "If a file is damaged, move that folder out of the store and get the vintage again.",
        ) from None


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
