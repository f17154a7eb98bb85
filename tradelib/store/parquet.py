"""A tidy table as a Parquet file, and back; and the hashes that vouch for its figures and for each byte.

A file carries a seal among its metadata: the hash of all its bytes, with zeros where the seal stands. That of
a large one is of its footer alone, so that a question need not wait for bytes it does not read: its pages
have the checksums of Parquet, which are looked at as they are read.
"""

import hashlib
import json
import mmap
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tradelib.errors import TradelibError
from tradelib.store.files import is_remote, read_bytes

META = b"tradelib"
SEAL, FOOTER_SEAL, ZEROS = "file_sha256", "footer_sha256", "0" * 64
CODED = ["partner", "flow", "item"]  # of which there are few
CHANGED = "its bytes are not those that were written"
SEALED_WITHIN = 1 << 16  # a footer ends with its metadata, after what it tells of all row groups
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
    seal = FOOTER_SEAL if large else SEAL
    told = {META: json.dumps(stamped(meta) | {seal: ZEROS}, sort_keys=True).encode()}
    pq.write_table(
        pa.table(columns).replace_schema_metadata(told),
        path,
        compression="zstd",
        compression_level=3 if large else 19,
        row_group_size=ROWS_AT_ONCE_LARGE if large else ROWS_AT_ONCE,
        write_page_checksum=large,
    )
    with path.open("rb+") as file:
        whole = file.read()
        begin, at = _sealed(whole)
        file.seek(at)
        file.write(hashlib.sha256(whole[begin:]).hexdigest().encode())


def stamped(meta: dict) -> dict:
    """Metadata with a hash of its own, by which what is told of a vintage is known to be whole."""
    told = {key: value for key, value in meta.items() if key not in ("card_sha256", SEAL, FOOTER_SEAL)}
    text = json.dumps(told, sort_keys=True, default=str)
    return told | {"card_sha256": hashlib.sha256(text.encode()).hexdigest()}


def unstamped(meta: dict) -> dict:
    """The same without it; refused where it is another. Vintages of tradelib 0.1 have none."""
    told, stamp = stamped(meta), meta.get("card_sha256")
    if stamp not in (None, told.pop("card_sha256")):
        raise ValueError("what it tells of itself was changed")
    return told


def read_meta(path: Path) -> dict:
    """Read the metadata in a file's footer."""
    place = {"where": path.path, "filesystem": path.fs} if is_remote(path) else {"where": str(path)}
    return unstamped(json.loads(pq.read_schema(**place).metadata[META]))


def read(path: Path, freq: str, partner: list[str] | None = None, *, coded: bool = False) -> pd.DataFrame:
    """Read the rows of one file, of some partners or of all; a damaged one is told in words.

    Where `coded`, partner, flow and item are categories, which is quicker.
    """
    wanted = pc.field("partner").isin(partner) if partner else None
    try:
        whole = read_bytes(path)
        sealed = is_sealed(whole)
        how = {"filters": wanted} if sealed and partner else {"read_dictionary": CODED}
        data = pq.read_table(
            pa.BufferReader(whole), partitioning=None, page_checksum_verification=True, **how
        )
        if not sealed:
            _check_figures(whole, _plain(data), freq)
            data = data if wanted is None else _plain(data).filter(wanted)
        return to_frame(data if coded else _plain(data), freq)
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise unreadable(path.parent, error) from None


def _plain(data: pa.Table) -> pa.Table:
    """The same with text in place of categories."""
    texts = [field.with_type(pa.string()) if field.name in CODED else field for field in data.schema]
    return data.cast(pa.schema(texts, data.schema.metadata))


def _check_figures(whole: bytes, data: pa.Table, freq: str) -> None:
    """Hold the figures of a file without a seal, of tradelib 0.1, against their hash, once in a process."""
    sha256 = hashlib.sha256(whole).digest()
    if sha256 not in _checked:
        if digest(to_frame(data, freq)) != json.loads(data.schema.metadata[META])["sha256"]:
            raise ValueError(CHANGED)
        _checked.add(sha256)


_checked: set[bytes] = set()


def is_sealed(whole: bytes | mmap.mmap) -> bool:
    """Whether a file has a seal; one that is broken is refused."""
    begin, at = _sealed(whole)
    if at < 0:
        return False
    with memoryview(whole) as parts:
        seal = hashlib.sha256(parts[begin:at])
        seal.update(ZEROS.encode())
        seal.update(parts[at + len(ZEROS) :])
    if seal.hexdigest().encode() != whole[at : at + len(ZEROS)]:
        raise ValueError(CHANGED)
    return True


def _sealed(whole: bytes | mmap.mmap) -> tuple[int, int]:
    """From where on a file is sealed, and where the seal stands: -1 where there is none."""
    if (at := _after(whole, FOOTER_SEAL, len(whole) - SEALED_WITHIN)) >= 0:
        footer = int.from_bytes(whole[-8:-4], "little")  # the last bytes of a file: its size, and PAR1
        return max(len(whole) - 8 - footer, 0), at
    return 0, _after(whole, SEAL)


def _after(whole: bytes | mmap.mmap, name: str, begin: int = 0) -> int:
    """Where the value of an entry of the metadata begins; -1 where there is none."""
    key = f'"{name}": "'.encode()
    at = whole.rfind(key, max(begin, 0))
    return at + len(key) if at >= 0 else -1


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
