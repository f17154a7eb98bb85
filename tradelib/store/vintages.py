"""The vintages of all tables, listed, kept and read: one immutable table for each publication date.

Bundled vintages come first, the user's store (`TRADELIB_STORE`) lies on top, in the same
hive-style layout ``table=NAME/published=DATE/flows.parquet``.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from tradelib.errors import StoredOtherwise, TradelibError
from tradelib.store import files, large, parquet
from tradelib.store.files import is_remote, store_path
from tradelib.tables import check_flows, table_info

BUNDLED = Path(os.environ.get("TRADELIB_BUNDLED") or Path(__file__).parents[1] / "data" / "vintages")
FLOWS, CARD = "flows.parquet", "_vintage.json"


@dataclass(frozen=True, slots=True)
class Vintage:
    """One table as it stood on one publication date, and where it came from.

    `dated_by` is "published", or "saved" where only the day is known by which a copy was saved.
    `sha256` is over the figures, not over the file's bytes. `accepted` is the reason to keep it although it
    contradicts the vintages beside it, empty for nearly all. `path` is the file that tells all this;
    for a large table, stored by year, a card beside its `parts`.
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
    parts: tuple[str, ...] = ()
    accepted: str = ""

    @property
    def origin(self) -> str:
        """ "bundled" with tradelib, or in the user's "store"."""
        return "bundled" if str(self.path).startswith(str(BUNDLED)) else "store"

    @property
    def files(self) -> list[Path]:
        """The Parquet files that hold the rows."""
        return [self.path.parent / part for part in self.parts] or [self.path]

    def lag_days(self, as_of: date) -> int:
        """Days by which the vintage is later than the as-of date; 0 when it was out by then."""
        return max(0, (self.published - as_of).days)


class Part(NamedTuple):
    """One file of a large vintage, and what its card tells of it."""

    path: Path
    told: dict


def parts_of(vintage: Vintage, *, since: str = "", before: str = "9") -> list[Part]:
    """List the parts of a large vintage that lie within some periods, to be part of another vintage."""
    parts = json.loads(files.read_bytes(vintage.path))["parts"]
    held = [part for part in parts if since <= part["since"] and part["through"] < before]
    return [Part(vintage.path.parent / part["file"], part) for part in held]


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
        for vintage in _look_at_all(find(root, table), remote=is_remote(root)):
            found.setdefault((vintage.table, vintage.published), vintage)
    return [found[key] for key in sorted(found)]


def at_hand() -> dict[str, str]:
    """Hash, for each table, the vintages there are: what changes with each that is added."""
    marks: dict[str, str] = {}
    for vintage in list_vintages():
        before = marks.get(vintage.table, "")
        marks[vintage.table] = hashlib.sha256(
            f"{before} {vintage.published} {vintage.sha256}".encode()
        ).hexdigest()
    return marks


def find(root: Path, table: str | None = None) -> list[Path]:
    """List the files that make vintages: ``flows.parquet``, or the card of one that is stored by year."""
    if not is_remote(root):
        days = _folders(_folders([root], f"table={table or ''}", whole=bool(table)), "published=")
        return sorted(path for day in days for name in (FLOWS, CARD) if (path := day / name).exists())
    with files.explained(root, "read", files.WHICH_STORE):
        keys = root.fs.find(root.path)
    wanted = f"/table={table}/" if table else "/table="
    names = (root.fs.unstrip_protocol(key) for key in keys if wanted in key and key.endswith((FLOWS, CARD)))
    return sorted((type(root)(name, **root.storage_options) for name in names), key=str)


def _folders(roots: list[Path], begin: str, *, whole: bool = False) -> list[Path]:
    """List the folders below others by how their names begin, or are; one that cannot be read is an error."""
    found = []
    for root in roots:
        with files.explained(root, "read", files.WHICH_STORE), suppress(FileNotFoundError):
            found += [p for p in root.iterdir() if (p.name == begin if whole else p.name.startswith(begin))]
    return found


def _look_at_all(paths: list[Path], *, remote: bool) -> list[Vintage]:
    """Look at many files; side by side where each has to be asked for over a network."""
    if not remote:
        return [look(path) for path in paths]
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(look, paths))


def look(path: Path) -> Vintage:
    """Read what the file, or the card, of one vintage tells of it."""
    with files.explained(path, "read", "Is it there, and may you read it?"):
        changed = 0 if is_remote(path) else path.stat().st_mtime_ns
    return _describe(path, changed)


@lru_cache(maxsize=4096)
def _describe(path: Path, changed: int) -> Vintage:
    try:
        files.insist_on_file(path)
        card = path.name == CARD
        meta = parquet.unstamped(json.loads(files.read_bytes(path))) if card else parquet.read_meta(path)
        meta["published"] = date.fromisoformat(meta["published"])
        meta["sources"] = tuple(meta["sources"])
        meta["parts"] = tuple(part["file"] for part in meta.get("parts", ()))
        vintage = Vintage(path=path, **meta)
    except PermissionError:
        raise TradelibError(f"Cannot read {path}: Permission denied.", "May you read it?") from None
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise TradelibError(
            f"{path} is not a tradelib vintage, or is damaged ({type(error).__name__}).",
            "Move it out of the store; the other vintages are untouched.",
        ) from None
    if path.parent != folder_of(path.parents[2], vintage.table, vintage.published):
        raise TradelibError(
            f"{path} says that it is {vintage.table} of {vintage.published}: it stands in another's place.",
            "Move it out of the store; the other vintages are untouched.",
        )
    return vintage


def save(
    frame: pd.DataFrame | Iterable[pd.DataFrame | Part],
    table: str,
    *,
    published: date,
    sources: list[dict],
    parser: str,
    dated_by: str = "published",
    note: str = "",
    accepted: str | list[str] = "",
    store: Path | None = None,
) -> tuple[Vintage, bool]:
    """Check a table and write it once, as one immutable vintage; False where the same figures were there.

    A large table is stored by year, and may come as an iterable, in order, of frames within one calendar year
    each, of which only one is held in memory at a time, and of parts of other vintages; `sources`, the name
    and sha256 of each file it was made from, and a list `accepted` may be filled meanwhile. Other figures for
    that table and day raise StoredOtherwise; of a small table that is there in part, with the same figures,
    the whole takes its place.
    """
    folder = folder_of(store or store_path(), table, published)
    told = {"sources": sources, "dated_by": dated_by, "note": note, "parser": parser}
    if table_info(table).large:
        whole = isinstance(frame, pd.DataFrame)
        years = (rows for _, rows in frame.groupby(frame["period"].dt.year)) if whole else frame
        return _save_by_year(years, table, published, folder / CARD, told, accepted)
    told |= {"accepted": accepted} if accepted else {}
    frame = check_flows(frame, table)
    meta = {"table": table, "published": published.isoformat(), "sha256": parquet.digest(frame)}
    meta |= _span(frame) | told
    path = folder / FLOWS
    try:
        known = _same(table, published, meta["sha256"])
    except StoredOtherwise:
        if not _is_part(path, frame):
            raise
        with files.temporary(path) as beside:
            parquet.write(frame, beside, meta)
            files.put(beside, path)
        return look(path), True
    if known:
        return known, False
    written = files.write_once(path, lambda place: parquet.write(frame, place, meta))
    return (look(path), True) if written else (_same(table, published, meta["sha256"], [path]), False)


def _is_part(path: Path, frame: pd.DataFrame) -> bool:
    """Whether the vintage at a place has some of the rows of a table, and no others."""
    if not path.exists():
        return False
    there = read(look(path))
    return len(there) < len(frame) and len(there.merge(frame, on=list(frame.columns))) == len(there)


def _save_by_year(
    years: Iterable[pd.DataFrame | Part],
    table: str,
    published: date,
    path: Path,
    told: dict,
    accepted: str | list[str],
) -> tuple[Vintage, bool]:
    """Write the parts of a large vintage, year by year, and its card, at `path`, last."""
    name, card = {"table": table, "published": published.isoformat()}, {}

    def fill(add: Callable) -> None:
        parts = []
        for frame in years:
            if isinstance(frame, Part):
                part, write = frame.told, partial(files.copy, frame.path)
            else:
                checked = check_flows(frame, table)
                sha, span = parquet.digest(checked), _span(checked)
                part = {"file": f"year={span['since'][:4]}/flows-{sha[:12]}.parquet", "sha256": sha} | span
                write = partial(parquet.write, checked, meta=name | part, large=True)
            late = parts and part["since"] <= parts[-1]["through"]
            if late or part["since"][:4] != part["through"][:4]:
                told_as = f"{part['since']} to {part['through']}"
                raise TradelibError(f"{table}: frames within one year each, in order; got {told_as}.")
            add(part["file"], write)
            parts.append(part)
        card.update(_card(parts, table), **name, **told)
        if accepted:
            card["accepted"] = "".join(accepted)
        add(CARD, lambda place: place.write_bytes(json.dumps(parquet.stamped(card), indent=1).encode()))

    known = [v for v in list_vintages(table) if v.published == published]
    if not known and files.write_folder_once(path.parent, fill, last=CARD):
        return look(path), True
    if not card:  # it was there already: compare figures, write nothing
        fill(lambda name, write: None)
    return _same(table, published, card["sha256"], [v.path for v in known] or [path]), False


def _card(parts: list[dict], table: str) -> dict:
    if not parts:
        raise TradelibError(f"{table}: no rows at all.")
    return {
        "sha256": hashlib.sha256("".join(part["sha256"] for part in parts).encode()).hexdigest(),
        "since": parts[0]["since"],
        "through": parts[-1]["through"],
        "rows": sum(part["rows"] for part in parts),
        "parts": parts,
    }


def _span(frame: pd.DataFrame) -> dict:
    periods = frame["period"]
    return {"since": str(periods.min()), "through": str(periods.max()), "rows": len(frame)}


def folder_of(root: Path, table: str, published: date) -> Path:
    """Return where a store has its vintage of a table and a day."""
    return root / f"table={table}" / f"published={published}"


def _same(table: str, published: date, sha256: str, paths: list[Path] | None = None) -> Vintage | None:
    """Return the vintage of that day if it has the same figures; refuse if it has others."""
    every = list_vintages(table) if paths is None else map(look, paths)
    for known in every:
        if known.published == published:
            if known.sha256 == sha256:
                return known
            raise StoredOtherwise(
                f"{table} of {published} is already stored with other figures ({known.origin}).",
                "A vintage is never overwritten. If the file is of another day, give that day",
                "with --published; if the stored one is wrong, move it away: " + str(known.path),
            )
    return None


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
    if vintage.parts:
        return parquet.to_frame(
            large.select(vintage.files, since=since, through=through, partner=wanted), freq
        )
    frame = parquet.read(vintage.path, freq, wanted)
    keep = pd.Series(True, index=frame.index)
    if since:
        keep &= frame["period"] >= pd.Period(since, freq)
    if through:
        keep &= frame["period"] <= pd.Period(through, freq)
    return frame if keep.all() else frame[keep].reset_index(drop=True)


def read_coded(vintage: Vintage) -> pd.DataFrame:
    """Read all rows, with categories for partner, flow and item where they come so, which is quicker."""
    if vintage.parts:
        return read(vintage)
    return parquet.read(vintage.path, table_info(vintage.table).freq, coded=True)


def summary(vintage: Vintage) -> dict:
    """Return what a notebook or a table of vintages records of one: plain strings and numbers."""
    plain = asdict(vintage) | {"published": vintage.published.isoformat(), "origin": vintage.origin}
    for name in ("path", "parts", *([] if vintage.accepted else ["accepted"])):
        del plain[name]
    plain["sources"] = list(vintage.sources)
    return plain


def same_figures(vintage: Vintage, frame: pd.DataFrame | list[Part]) -> bool:
    """Whether a checked table, or the parts of one, holds exactly the figures of a vintage."""
    if isinstance(frame, list):
        return vintage.sha256 == _card([part.told for part in frame], vintage.table)["sha256"]
    return vintage.rows == len(frame) and vintage.sha256 == parquet.digest(frame)
