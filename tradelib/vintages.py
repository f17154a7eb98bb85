"""The vintage store: one immutable Parquet file per table and publication date.

Bundled vintages come first, the user's store (`TRADELIB_STORE`) lies on top, in the same
hive-style layout ``table=NAME/published=DATE/flows.parquet``.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs
import pyarrow as pa
import pyarrow.parquet as pq

from tradelib.errors import TradelibError
from tradelib.flows import check_flows, table_info

BUNDLED = Path(__file__).parent / "data" / "vintages"
META = b"tradelib"


@dataclass(frozen=True, slots=True)
class Vintage:
    """One table as it stood on one publication date, and where it came from.

    `dated_by` is "published", or "saved" where only the day is known by which a copy was saved.
    `sha256` is over the figures, not over the file's bytes.
    """

    table: str
    published: date
    since: str
    through: str
    rows: int
    sha256: str
    sources: tuple[dict, ...]
    dated_by: str
    note: str
    parser: str
    path: Path

    @property
    def origin(self) -> str:
        """ "bundled" with tradelib, or in the user's "store"."""
        return "bundled" if self.path.is_relative_to(BUNDLED) else "store"

    def lag_days(self, as_of: date) -> int:
        """Days by which the vintage is later than the as-of date; 0 when it was out by then."""
        return max(0, (self.published - as_of).days)


def store_path() -> Path:
    """Return the user's store: `TRADELIB_STORE`, or the platform's folder for user data."""
    return Path(os.environ.get("TRADELIB_STORE") or platformdirs.user_data_path("tradelib"))


def list_vintages(table: str | None = None) -> list[Vintage]:
    """List the vintages there are, bundled and in the user's store.

    Parameters
    ----------
    table : str, optional
        Only those of one table.

    Returns
    -------
    list of Vintage
        By table, then publication date. A vintage that is bundled is not listed twice.

    Examples
    --------
    >>> [str(v.published) for v in list_vintages("goods_census_nsa")][:2]
    ['2012-02-10', '2017-01-06']
    """
    if table is not None:
        table_info(table)
    found = {}
    for root in (BUNDLED, store_path()):
        for path in root.glob(f"table={table or '*'}/published=*/flows.parquet"):
            vintage = _describe(path, path.stat().st_mtime_ns)
            found.setdefault((vintage.table, vintage.published), vintage)
    return [found[key] for key in sorted(found)]


@lru_cache(maxsize=4096)
def _describe(path: Path, mtime_ns: int) -> Vintage:
    try:
        meta = json.loads(pq.read_schema(path).metadata[META])
    except (pa.ArrowInvalid, OSError, KeyError, TypeError) as error:
        raise TradelibError(
            f"{path} is not a tradelib vintage ({type(error).__name__}).",
            "Move it out of the store; the other vintages are untouched.",
        ) from None
    meta["published"] = date.fromisoformat(meta["published"])
    meta["sources"] = tuple(meta["sources"])
    return Vintage(path=path, **meta)


def save(
    frame: pd.DataFrame,
    table: str,
    *,
    published: date,
    sources: list[dict],
    parser: str,
    dated_by: str = "published",
    note: str = "",
    store: Path | None = None,
) -> tuple[Vintage, bool]:
    """Check a table and write it once, as one immutable vintage.

    Parameters
    ----------
    frame : DataFrame
        Contract columns, whole dollars.
    table : str
        Its name.
    published : date
        The day it was published (or saved by, see `dated_by`).
    sources : list of dict
        `name` and `sha256` of each file it was made from.
    parser : str
        Name and version of the parser.
    dated_by, note : str
        "published" or "saved"; how the file was come by.
    store : Path, optional
        Where to; the user's store unless given.

    Returns
    -------
    vintage : Vintage
    written : bool
        False when the same figures were there already: then nothing is done.

    Raises
    ------
    TradelibError
        If other figures are already stored for that table and date.

    Examples
    --------
    >>> from tradelib.loaders import load
    >>> from tradelib.vintages import list_vintages, save
    >>> goods = list_vintages("goods_census_nsa")[0]
    >>> frame = load("goods_census_nsa", as_of=goods.published)[["period", "partner", "flow",
    ...     "item", "value_usd", "note"]]
    >>> save(frame, goods.table, published=goods.published, sources=[], parser="")[1]
    False
    """
    frame = check_flows(frame, table)
    digest = _digest(frame)
    for known in list_vintages(table):
        if known.published == published:
            if known.sha256 == digest:
                return known, False
            raise TradelibError(
                f"{table} of {published} is already stored with other figures ({known.origin}).",
                "A vintage is never overwritten. If the file is of another day, give that day",
                "with --published; if the stored one is wrong, move it away: " + str(known.path),
            )
    meta = {
        **{"table": table, "published": published.isoformat(), "sha256": digest},
        **{"since": str(frame["period"].min()), "through": str(frame["period"].max())},
        **{"rows": len(frame), "sources": sources, "dated_by": dated_by, "note": note, "parser": parser},
    }
    path = (store or store_path()) / f"table={table}" / f"published={published}" / "flows.parquet"
    try:
        _write_once(_to_arrow(frame, meta), path)
    except OSError as error:
        raise TradelibError(
            f"Cannot write {path}: {error.strerror or error}.", "Set TRADELIB_STORE to a folder of yours."
        ) from None
    return _describe(path, path.stat().st_mtime_ns), True


def _digest(frame: pd.DataFrame) -> str:
    """SHA-256 over the figures in canonical order, whatever wrote the file."""
    digest = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        if name == "period":
            column = column.dt.start_time.dt.strftime("%Y-%m-%d")
        if pd.api.types.is_float_dtype(column):
            digest.update(np.ascontiguousarray(column.to_numpy()).astype("<f8").tobytes())
        else:
            digest.update("\n".join(column.astype("str").fillna("")).encode())
    return digest.hexdigest()


def _to_arrow(frame: pd.DataFrame, meta: dict) -> pa.Table:
    columns = {name: frame[name] for name in frame}
    columns["period"] = (
        pa.array(frame["period"].dt.start_time.to_numpy(), type=pa.timestamp("ns"))
        .cast(pa.timestamp("s"))
        .cast(pa.date32())
    )
    for name in ("partner", "flow", "item", "note"):
        columns[name] = pa.array(frame[name].astype("str"), type=pa.string(), from_pandas=True)
    table = pa.table(columns)
    return table.replace_schema_metadata({META: json.dumps(meta, sort_keys=True).encode()})


def _write_once(table: pa.Table, path: Path) -> None:
    """Write beside the target and link into place: whole or not at all, and never over another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".flows-", suffix=".tmp", dir=path.parent)
    os.close(handle)
    try:
        pq.write_table(table, temporary, compression="zstd", compression_level=19, row_group_size=1 << 20)
        Path(temporary).chmod(0o644)
        os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def read(
    vintage: Vintage,
    *,
    since: str | None = None,
    through: str | None = None,
    partner: str | list[str] | None = None,
) -> pd.DataFrame:
    """Read one vintage's rows, contract columns only, cut to the periods and partners wanted."""
    freq = table_info(vintage.table).freq
    wanted = [partner] if isinstance(partner, str) else partner
    filters = [("partner", "in", wanted)] if wanted else None
    data = pq.read_table(vintage.path, filters=filters, partitioning=None)
    frame = data.drop_columns(["period"]).to_pandas()
    months = data["period"].to_numpy().astype("datetime64[M]").astype("int64")
    ordinals = {"M": months, "Q": months // 3, "Y": months // 12}[freq]
    frame.insert(0, "period", pd.PeriodIndex.from_ordinals(ordinals, freq=freq))
    keep = np.ones(len(frame), bool)
    if since:
        keep &= ordinals >= pd.Period(since, freq).ordinal
    if through:
        keep &= ordinals <= pd.Period(through, freq).ordinal
    return frame if keep.all() else frame[keep].reset_index(drop=True)


def summary(vintage: Vintage) -> dict:
    """Return what a notebook or a table of vintages records of one: plain strings and numbers."""
    plain = asdict(vintage) | {"published": vintage.published.isoformat(), "origin": vintage.origin}
    del plain["path"]
    plain["sources"] = list(vintage.sources)
    return plain
