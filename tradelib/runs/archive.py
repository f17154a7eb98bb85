"""One archive for one page: all that it was made from, so that it can be made again years later.

`pack` writes it: the page's three files, its notebook and parameters, the vintages it used, the release
calendar, the versions of all libraries, hashes, and a README. `replay` makes the page again from that alone,
in a process that sees no other vintage, and says what comes out otherwise.
"""

import difflib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path, PurePosixPath, PureWindowsPath

from tradelib import releases
from tradelib.errors import TradelibError
from tradelib.partners import has_members, members, partner
from tradelib.runs.finished import is_edited
from tradelib.runs.jobs import ENDS, Notebook, parameters_in, read_notebook
from tradelib.store import files, parquet, vintages
from tradelib.tables import GOODS, TARIFF_YEARS

MANIFEST, PAGE, NAMED = "manifest.json", "page", "files"
CLAIMS = Path(__file__).parents[1] / "data" / "claims"
MOST = 2_000_000_000  # bytes that an archive may unpack to
WHICH = "Give the .html, .ipynb or .facts.json file of a page; all three lie side by side."
SMALL = 200_000  # bytes: a vintage that a page did not use is kept whole where it is small, else its card
REVISED_DAYS = 70  # the reach of `snapshot` for the vintage that a release revised
SUBJECT = ("partner", "release", "as_of")
TIMES = ("start_time", "end_time", "duration", "execution", "editions")  # these differ between two runs
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OSError, RuntimeError)
EDITION = re.compile(r'<p class="edition">.*?</p>\n?')
AGAIN = "from tradelib.runs.archive import make_again; make_again()"
README = """# {title}

{headline}

The page in `{page}/` was made by tradelib {version}, with Python {python}, from what lies here beside it:

- `notebook/`: the notebook as it was run, and in `manifest.json` its parameters
- `bundled/`, `store/`: the vintages it used, as Parquet files, each with its sources in its metadata; of
  imports by HS code and year the sums that it used; of others that were at hand the metadata alone, since a
  page also says what was not there
- `calendar/`: the release calendar, where it was refreshed
- `claims/`: the files of claims, where it used some; `files/`: those that its parameters name
- `requirements.txt`: every library with its version
- `manifest.json`: the record of the page, and the SHA-256 of every file

To make it again, without a network but for the installation:

    pip install -r requirements.txt
    tradelib replay {name}

It says which lines differ; with the same versions none do. The figures are those of the U.S. Census Bureau
and the U.S. Bureau of Economic Analysis, in the public domain.
"""


def pack(page: Path | str, *, notebook: Path | None = None, to: Path | None = None) -> Path:
    """Write the archive of a finished page, beside it unless told where; return where it lies.

    `page` is one of its three files; `notebook` is needed where it was made from one of yours. It is an error
    if the page was edited, or what it was made from is no longer at hand.
    """
    place = files.located(page)
    stem = next((place.name.removesuffix(end) for end in ENDS if place.name.endswith(end)), place.name)
    made = {end: files.read_bytes(place.with_name(stem + end), advice=WHICH) for end in ENDS}
    record = _record(made[".ipynb"], place)
    held = {f"{PAGE}/{stem}{end}": content for end, content in made.items()}
    source = _source(record, notebook)
    held[f"notebook/{source.name}"] = source.text.encode()
    used = _used(record)
    for vintage in vintages.list_vintages():
        inside = vintages.folder_of(Path(vintage.origin), vintage.table, vintage.published)
        whole = vintage in used or (not vintage.parts and vintage.path.stat().st_size < SMALL)
        for path in {vintage.path, *(vintage.files if whole else ())}:
            content = files.read_bytes(path) if whole or vintage.parts else _card_of(path)
            if (
                whole and vintage.table == TARIFF_YEARS and "at_hand" not in record
            ):  # a brief reads sums alone
                content = _summed(vintage, record["parameters"])
            held[(inside / path.relative_to(vintage.path.parent)).as_posix()] = content
    if (calendar := releases.refreshed_path()).exists():
        held["calendar/releases.csv"] = calendar.read_bytes()
    if record.get("files"):
        held |= {f"claims/{path.name}": path.read_bytes() for path in sorted(CLAIMS.glob("*.yaml"))}
        held |= _named_by_parameters(record, source)
    held["requirements.txt"] = "".join(f"{line}\n" for line in _lock()).encode()
    target = to or place.with_name(f"{stem}.zip")
    if not to and target.exists() and MANIFEST.encode() not in files.read_bytes(target):
        raise TradelibError(f"{target} is another's: it is not written over.", "Give --to a file of yours.")
    told = {"name": target.name, "page": PAGE, "python": record.get("libraries", {}).get("python", "")}
    held["README.md"] = README.format_map(record | told).encode()
    hashes = {name: sha256(content).hexdigest() for name, content in held.items()}
    manifest = {"stem": stem, "record": record, "sha256": hashes}
    held[MANIFEST] = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    files.write_over(target, _zipped(held), advice="Give --to a file of yours.")
    return target


def _record(book: bytes, place: Path) -> dict:
    try:
        record = json.loads(book)["metadata"]["tradelib"]
        record["notebook_sha256"], record["parameters"], record["vintages"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise TradelibError(f"{place} is no page of tradelib's.", "Give one that `report` made.") from None
    if is_edited(book):
        raise TradelibError(
            f"{place} was edited: its record no longer tells what it was made from.",
            "Run the edited notebook with `report --notebook`, and pack its page.",
        )
    return record


def _source(record: dict, notebook: Path | None) -> Notebook:
    """The notebook that a page was made from, byte for byte."""
    found = read_notebook(notebook or record["notebook"])
    if sha256(found.text.encode()).hexdigest() != record["notebook_sha256"]:
        raise TradelibError(
            f"{found.name} at hand is not the notebook that the page was made from.",
            "Give that one with --notebook, or make the page again first.",
        )
    return Notebook(record["notebook"], found.text)


def _named_by_parameters(record: dict, source: Notebook) -> dict[str, bytes]:
    """The files that parameters name, under the same paths in a folder in which the page is made again."""
    found = {}
    for text in (parameters_in(source) | record["parameters"]).values():
        path = Path(text) if isinstance(text, str) else Path()
        if path.name not in record["files"] or ((CLAIMS / path.name).exists() and not path.exists()):
            continue
        content = path.read_bytes() if path.is_file() else b""
        if sha256(content).hexdigest() != record["files"][path.name]:
            raise TradelibError(
                f"{text}, which a parameter of the page names, is not at hand as it was.",
                "Call `tradelib pack` from the folder in which the page was made, or make the page again.",
            )
        if path.is_absolute() or ".." in path.parts:
            raise TradelibError(
                f"{text}, which a parameter of the page names, can lie elsewhere on another machine.",
                "Make the page again in the folder of that file, with its name alone.",
            )
        found[f"{NAMED}/{path.as_posix()}"] = content
    return found


def _used(record: dict) -> list[vintages.Vintage]:
    """The vintages that a page used; of a notebook that may read any, all that were at hand."""
    if "at_hand" in record:
        if record["at_hand"] != vintages.at_hand():
            raise TradelibError("The vintages at hand are no longer those of the page.", "Make it again.")
        return vintages.list_vintages()
    at_hand = {(one.table, one.published.isoformat(), one.sha256): one for one in vintages.list_vintages()}
    wanted = [(one["table"], one["published"], one["sha256"]) for one in record["vintages"]]
    if lacking := [f"{table} of {day}" for table, day, sha in wanted if (table, day, sha) not in at_hand]:
        raise TradelibError(f"No longer at hand: {', '.join(lacking)}.", "Ingest it again.")
    used = [at_hand[key] for key in wanted]
    goods = next(one for one in used if one.table == GOODS)  # what it revised is told by the one before
    before = (one for one in vintages.list_vintages(GOODS) if one.published < goods.published)
    return [*used, *(one for one in before if (goods.published - one.published).days <= REVISED_DAYS)]


def _summed(vintage: vintages.Vintage, asked: dict) -> bytes:
    """The file of a vintage with all items of a page's partner, or of each of its members, added up."""
    code = asked["partner"]
    codes = members(code, asked["as_of"]) if has_members(code) else []
    rows = vintages.read(vintage, partner=[code, *codes])
    by = rows.groupby(["partner", "flow", "period"], as_index=False, observed=True)
    sums = by.sum(numeric_only=True).assign(item="all", note=None)
    with files.scratch() as folder:
        path = folder / vintage.path.name
        parquet.write(sums[list(rows)], path, parquet.read_meta(vintage.path))
        return path.read_bytes()


def _card_of(path: Path) -> bytes:
    """What the file of a vintage tells of it, without a row: that it is there, from when to when."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    with files.explained(path, "read", files.WHICH_STORE):
        schema = pq.read_schema(io.BytesIO(files.read_bytes(path)))
    pq.write_table(schema.empty_table(), out)
    return out.getvalue().to_pybytes()


def _lock() -> list[str]:
    """Every distribution that tradelib needs here, with its version, by name."""
    from packaging.requirements import Requirement  # brought by nbconvert, matplotlib and others
    from packaging.utils import canonicalize_name

    found, todo = {}, ["tradelib"]
    while todo:
        name = canonicalize_name(todo.pop())
        if name in found:
            continue
        try:
            found[name] = f"{name}=={version(name)}"
        except PackageNotFoundError:
            continue
        for line in requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                todo.append(needed.name)
    return [found[name] for name in sorted(found)]


def _zipped(held: dict[str, bytes]) -> bytes:
    """Zip files so that the same files are the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(held):
            archive.writestr(zipfile.ZipInfo(name), held[name], zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


# --- again ------------------------------------------------------------------------------------------


def replay(archive: Path | str, *, keep: Path | None = None) -> list[str]:
    """Make the page of an archive again, and say in lines what differs, but for times.

    No network is used, and no vintage but those of the archive. `keep` is a folder for what is made. It is an
    error if the archive is damaged, or the page cannot be made.
    """
    place = files.located(archive)
    with files.scratch() as folder:
        manifest = _unpack(files.read_bytes(place, advice="Give one that `pack` wrote."), folder, place)
        out = (keep or folder / "again").absolute()
        out.mkdir(parents=True, exist_ok=True)
        for made in ("store", NAMED):
            (folder / made).mkdir(exist_ok=True)
        if (folder / "calendar").exists():
            (folder / "calendar").rename(folder / "store" / "calendar")
        places = {"TRADELIB_STORE": folder / "store", "TRADELIB_BUNDLED": folder / "bundled"}
        code = os.pathsep.join(map(os.path.abspath, sys.path))  # this tradelib, wherever it is called from
        env = os.environ | {name: str(path) for name, path in places.items()}
        env |= {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": code}
        order = json.dumps({"record": manifest["record"], "folder": str(folder), "out": str(out)})
        command = [sys.executable, "-c", AGAIN]
        options = {"capture_output": True, "encoding": "utf-8", "check": False, "cwd": folder / NAMED}
        done = subprocess.run(command, input=order, env=env, **options)
        if done.returncode:
            lines = done.stdout.splitlines() or done.stderr.strip().splitlines()[-1:]
            told = [line.strip() for line in lines if str(folder) not in line]  # that folder goes
            raise TradelibError("The page could not be made again.", *told)
        lines = []
        for end, path in zip(ENDS, json.loads(done.stdout.splitlines()[-1]), strict=True):
            before = (folder / PAGE / f"{manifest['stem']}{end}").read_bytes()
            lines += [f"{end}: {line}" for line in _differences(before, Path(path).read_bytes(), end)]
    return lines


def make_again() -> None:
    """Be the process of `replay`: make the page ordered on standard input, and print where it lies."""
    from tradelib.briefs.snapshot import take
    from tradelib.runs.jobs import job_of
    from tradelib.runs.report import make

    order = json.loads(sys.stdin.read())
    record, asked = order["record"], order["record"]["parameters"]
    text = Path(order["folder"], "notebook", record["notebook"]).read_bytes().decode()
    try:
        job = job_of(
            partner(asked["partner"]),
            take(asked["release"], as_of=asked["as_of"]),
            Notebook(record["notebook"], text),
            reports=order["out"],
            parameters={name: value for name, value in asked.items() if name not in SUBJECT},
        )
        made = make(job, force=True)
    except TradelibError as error:
        print(error)
        sys.exit(1)
    print(json.dumps([str(path) for path in made.paths]))


def _unpack(content: bytes, folder: Path, place: Path) -> dict:
    """Unpack an archive whose every file is what it was when it was packed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST:
                raise ValueError(f"it unpacks to more than {MOST:,} bytes")
            manifest = json.loads(archive.read(MANIFEST))
            for name, sha in manifest["sha256"].items():
                inside = PurePosixPath(name)
                held = archive.read(name)
                elsewhere = inside.is_absolute() or ".." in inside.parts or "\\" in name
                if elsewhere or PureWindowsPath(name).drive:
                    raise ValueError(f"{name} would lie elsewhere")
                if sha256(held).hexdigest() != sha:
                    raise ValueError(f"{name} is not what it was")
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                (folder / inside).write_bytes(held)
            record = manifest["record"]
            needed = [f"{PAGE}/{manifest['stem']}{end}" for end in ENDS]
            for name in (*needed, f"notebook/{record['notebook']}"):
                manifest["sha256"][name]
            for name in SUBJECT:
                record["parameters"][name]
            return manifest
    except (zipfile.BadZipFile, *MALFORMED) as error:
        raise TradelibError(f"{place} is no archive of `tradelib pack`, or damaged: {error}.") from None


def _differences(before: bytes, after: bytes, end: str) -> list[str]:
    """What differs in a file, but for times and earlier editions."""
    if before == after:
        return []
    if end == ".html":
        old, new = (EDITION.sub("", text.decode()).splitlines() for text in (before, after))
        lines = difflib.unified_diff(old, new, lineterm="", n=0)
        return [line[:200] for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    old, new = (dict(_leaves(json.loads(text))) for text in (before, after))
    own = ".files_sha256"  # the hashes of the other two files, which are compared themselves
    names = [name for name in old | new if old.get(name) != new.get(name) and own not in name]
    return [f"{name}: {_short(old.get(name))} -> {_short(new.get(name))}" for name in names]


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """The values inside JSON, by where they stand, without times."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield name, value
    for key, one in inside:
        if key not in TIMES:
            yield from _leaves(one, f"{name}.{key}" if name else str(key))


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
