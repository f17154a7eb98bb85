"""A tidy table as a Parquet file, and back; and the hash that vouches for its figures."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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


def write_parquet(frame: pd.DataFrame, path: Path, meta: dict, *, large: bool = False) -> None:
    """Write a tidy table, its periods as the first day of each, with its metadata in the file."""
    columns = {name: frame[name] for name in frame}
    columns["period"] = (
        pa.array(frame["period"].dt.start_time.to_numpy(), type=pa.timestamp("ns"))
        .cast(pa.timestamp("s"))
        .cast(pa.date32())
    )
    for name in ("partner", "flow", "item", "note"):
        columns[name] = pa.array(frame[name].astype("str"), type=pa.string(), from_pandas=True)
    told = {META: json.dumps(meta, sort_keys=True).encode()}
    table = pa.table(columns).replace_schema_metadata(told)
    options = (
        {"compression_level": 3, "row_group_size": ROWS_AT_ONCE_LARGE}
        if large
        else {
            "compression_level": 19,
            "row_group_size": ROWS_AT_ONCE,
        }
    )
    pq.write_table(table, path, compression="zstd", **options)


def read_meta(path: Path) -> dict:
    """Read the metadata in a file's footer."""
    name, files = _place(path)
    return json.loads(pq.read_schema(name, filesystem=files).metadata[META])


def read_parquet(path: Path, filters: list | None = None) -> pa.Table:
    """Read the rows of one file, the folders' names left out."""
    name, files = _place(path)
    return pq.read_table(name, filesystem=files, filters=filters, partitioning=None)


def to_frame(data: pa.Table, freq: str) -> pd.DataFrame:
    """Turn rows of a file into a tidy table, with periods of a frequency."""
    frame = data.drop_columns(["period"]).to_pandas()
    months = data["period"].to_numpy().astype("datetime64[M]").astype("int64")
    ordinals = {"M": months, "Q": months // 3, "Y": months // 12}[freq]
    frame.insert(0, "period", pd.PeriodIndex.from_ordinals(ordinals, freq=freq))
    return frame


def _place(path: Path) -> tuple[str, object]:
    return (path.path, path.fs) if is_remote(path) else (str(path), None)
