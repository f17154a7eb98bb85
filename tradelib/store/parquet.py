"""A tidy table as a Parquet file, and back; and the hash that vouches for its figures."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tradelib.errors import TradelibError
from tradelib.store.files import is_remote

META = b"tradelib"
ROWS_AT_ONCE, ROWS_AT_ONCE_LARGE = 1 << 20, 1 << 17  # row groups; small ones can be passed over


def digest(frame: pd.DataFrame) -> str:
    """SHA-256 over the figures in canonical order, whatever wrote the file."""
    whole = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_float_dtype(column):
            whole.update(np.ascontiguousarray(column.to_numpy()).astype("<f8").tobytes())
        else:
            whole.update(_lines(column))
    return whole.hexdigest()


def _lines(column: pd.Series) -> bytes:
    """One line for each row; each distinct entry is put into words once. Periods by their first day."""
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    if isinstance(distinct, pd.PeriodIndex):
        distinct = distinct.start_time.strftime("%Y-%m-%d")
    words = np.array(["" if pd.isna(entry) else str(entry) for entry in distinct], dtype=object)
    return "\n".join(words[codes].tolist()).encode()


def write(frame: pd.DataFrame, path: Path, meta: dict, *, large: bool = False) -> None:
    """Write a tidy table, its periods as the first day of each, with its metadata in the file."""
    columns = {name: frame[name] for name in frame}
    days = pa.array(frame["period"].dt.start_time.to_numpy(), type=pa.timestamp("ns"))
    columns["period"] = days.cast(pa.timestamp("s")).cast(pa.date32())
    for name in ("partner", "flow", "item", "note"):
        columns[name] = pa.array(frame[name].astype("str"), type=pa.string(), from_pandas=True)
    told = {META: json.dumps(meta, sort_keys=True).encode()}
    pq.write_table(
        pa.table(columns).replace_schema_metadata(told),
        path,
        compression="zstd",
        compression_level=3 if large else 19,
        row_group_size=ROWS_AT_ONCE_LARGE if large else ROWS_AT_ONCE,
    )


def read_meta(path: Path) -> dict:
    """Read the metadata in a file's footer."""
    name, system = _place(path)
    return json.loads(pq.read_schema(name, filesystem=system).metadata[META])


def read(path: Path, freq: str, partner: list[str] | None = None) -> pd.DataFrame:
    """Read the rows of one file, of some partners or of all; a damaged one is told in words."""
    name, system = _place(path)
    filters = [("partner", "in", partner)] if partner else None
    try:
        return to_frame(pq.read_table(name, filesystem=system, filters=filters, partitioning=None), freq)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise unreadable(path.parent, error) from None


def unreadable(folder: Path, error: Exception) -> TradelibError:
    """Say that the rows of a vintage cannot be read, and what to do."""
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return TradelibError(
        f"Cannot read the rows of {folder}: {reason}",
        "If a file is damaged, move that folder out of the store and get the vintage again.",
    )


def to_frame(data: pa.Table, freq: str) -> pd.DataFrame:
    """Turn rows of a file into a tidy table, with periods of a frequency."""
    frame = data.drop_columns(["period"]).to_pandas()
    months = data["period"].to_numpy().astype("datetime64[M]").astype("int64")
    ordinals = {"M": months, "Q": months // 3, "Y": months // 12}[freq]
    frame.insert(0, "period", pd.PeriodIndex.from_ordinals(ordinals, freq=freq))
    return frame


def _place(path: Path) -> tuple[str, object]:
    return (path.path, path.fs) if is_remote(path) else (str(path), None)
