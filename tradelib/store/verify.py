"""Is every vintage still what it was? Each is read whole and hashed again."""

import json
from dataclasses import dataclass
from pathlib import Path

from tradelib.errors import TradelibError
from tradelib.store import parquet, vintages
from tradelib.store.files import read_bytes, store_path
from tradelib.store.vintages import Vintage
from tradelib.tables import check_flows, table_info


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one vintage; `problem` is None where all is well."""

    path: Path
    rows: int
    problem: str | None


def verify(root: Path | None = None) -> list[Finding]:
    """Read every vintage, bundled and in the store, or of one store, and hash its figures again.

    One finding for each vintage, and one for each part of a large one that no card names.
    """
    roots = [root] if root else [vintages.BUNDLED, store_path()]
    found = [_look(path) for place in roots for path in vintages.find(place)]
    return found + [orphan for place in roots for orphan in _orphans(place)]


def _look(path: Path) -> Finding:
    try:
        vintage = vintages.look(path)
        table_info(vintage.table)
        return Finding(path, vintage.rows, _rehash(vintage))
    except TradelibError as error:
        return Finding(path, 0, str(error).splitlines()[0].removeprefix(f"{path} "))


def _rehash(vintage: Vintage) -> str | None:
    """Compare each file's figures with the hash that vouches for them."""
    told = {vintage.path.name: vintage.sha256}
    if vintage.parts:
        card = json.loads(read_bytes(vintage.path))
        told = {part["file"]: part["sha256"] for part in card["parts"]}
    rows = 0
    for name, sha256 in told.items():
        frame = parquet.read(vintage.path.parent / name, table_info(vintage.table).freq)
        rows += len(frame)
        if parquet.digest(frame) != sha256:
            return f"the figures in {name} are not those that were saved: their hash differs"
        check_flows(frame, vintage.table)
    if rows != vintage.rows:
        return f"{rows:,} rows, {vintage.rows:,} were saved"
    return None


def _orphans(root: Path) -> list[Finding]:
    """Parts of large vintages that no card names: left by a killed upload to an object store."""
    known = {str(file) for path in vintages.find(root) for file in _parts(path)}
    every = [path for path in root.glob("table=*/published=*/year=*/*.parquet") if str(path) not in known]
    return [Finding(path, 0, "no card names this part; an upload was cut off: delete it") for path in every]


def _parts(path: Path) -> list[Path]:
    try:
        return vintages.look(path).files
    except TradelibError:
        return []
