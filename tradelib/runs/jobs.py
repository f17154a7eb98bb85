"""One page to make: a notebook and its parameters, where its files go, and what it is made from.

A job is plain data, so that it can be made in another process or on another machine. Its record holds
everything that a page depends on; the record's fingerprint stands in each file, and a page whose files
hold it is up to date.
"""

import ast
import hashlib
import json
import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tradelib.briefs.selection import choose, used_by
from tradelib.briefs.snapshot import Snapshot
from tradelib.errors import TradelibError
from tradelib.loaders import find_release
from tradelib.partners import Partner, partner
from tradelib.runs.finished import is_edited, is_whole, text_of
from tradelib.store import files, vintages

HERE = Path(__file__).parents[1]
BRIEF = "release.ipynb"
CELL_LIMIT = 300  # seconds that a cell may take, unless more or less is asked for
#: What a page may look otherwise with; they stand in its record, and are no reason to make it again.
LIBRARIES = ("ipykernel", "matplotlib", "nbconvert", "numpy", "pandas", "papermill", "pyarrow")
LIBRARIES += ("seaborn", "statsmodels")
#: What every page is of; each is passed to a notebook that declares it.
SUBJECT = ("partner", "release", "as_of")
ENDS = (".ipynb", ".html", ".facts.json")
UP_TO_DATE, EDITED, NOT_MADE = "up to date", "edited", "not made"
#: What the name of a page that is kept beside another ends with; no notebook and no label has such a name.
KEPT = re.compile(r"(failed|edited|edition)(-\d+)?|as-of-\d{4}-\d\d-\d\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as it was read: its file name and its text."""

    name: str
    text: str

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.removesuffix(".ipynb")


@dataclass(frozen=True, slots=True)
class Job:
    """One page to make. Made by `job_of`.

    Attributes
    ----------
    notebook : Notebook
    record : dict
        What it is made from: version, code, notebook, parameters, vintages with their hashes, and the
        fingerprint of it all; and the versions of the libraries.
    folder : str
        A folder, or an address that fsspec knows.
    name : str
        Of its files, without their endings.
    strict : bool
        Refuse where only later vintages reach the release.
    cell_limit : int
        Seconds that a cell may take; no page depends on it.
    keep_editions : bool
        Keep what was published and reads otherwise beside the new page.
    """

    notebook: Notebook = field(repr=False)
    record: dict = field(repr=False)
    folder: str
    name: str
    strict: bool = False
    cell_limit: int = CELL_LIMIT
    keep_editions: bool = True

    @property
    def partner(self) -> Partner:
        """Who it is about."""
        return partner(self.record["parameters"]["partner"])

    @property
    def title(self) -> str:
        """The partner's name, and the notebook's where it is not the brief."""
        other = "" if self.notebook.name == BRIEF else f", {self.notebook.stem}"
        return self.partner.name + other

    @property
    def place(self) -> Path:
        """The folder as a path."""
        return files.located(self.folder)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its files: notebook, page and facts."""
        return tuple(self.place / f"{self.name}{end}" for end in ENDS)

    @property
    def failed(self) -> Path:
        """The file that keeps a notebook which did not come to its end."""
        return self.place / f"{self.name}.failed.ipynb"

    def state(self) -> str:
        """Whether its files are made from the same inputs, or its notebook was edited, or neither."""
        found = {}
        for end, path in zip(ENDS, self.paths, strict=True):
            with suppress(OSError):
                found[end] = files.read_kept(path)
            if end == ".ipynb" and end in found and is_edited(found[end]):
                return EDITED
        mark, book = self.record["fingerprint"].encode(), found.pop(".ipynb", b"")
        return UP_TO_DATE if mark in book and is_whole(book, found) else NOT_MADE


def bundled_notebook(name: str = BRIEF) -> Path:
    """Return the path of a notebook of tradelib: inside an installed package, or beside it in a checkout."""
    for folder in (HERE / "notebooks", HERE.parent / "notebooks"):
        if (folder / name).is_file():
            return folder / name
    raise TradelibError(f"tradelib has no notebook {name}.", "Reinstall it, or name a file of yours.")


def read_notebook(path: Path | str | None = None) -> Notebook:
    """Read a notebook: a file, else one of tradelib's by its name; the brief unless given."""
    source = Path(path or bundled_notebook())
    with files.explained(source, "read", "Give --notebook the path of an .ipynb file."):
        if not source.is_file() and source.name == str(path):
            with suppress(TradelibError):  # told below, as of any file
                source = bundled_notebook(source.name)
        if not source.is_file():
            advice = "Give --notebook the path of an .ipynb file."
            raise TradelibError(f"There is no notebook {source}.", advice)
        data = source.read_bytes()
    try:
        text = data.decode()
        if not isinstance(json.loads(text)["cells"], list):
            raise ValueError("it has no cells")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise TradelibError(f"{source} cannot be read as a notebook ({type(error).__name__}).") from None
    return Notebook(source.name, text)


def release_folder(month: str, reports: Path | str) -> Path:
    """Return the folder in which the pages of a release lie, and the record of its last sweep.

    It is named by the publication day, as the calendar or a stored country table knows it, else by the month.
    """
    release = find_release(month)
    day = release.published.isoformat() if release.published else release.month
    return files.located(str(reports)) / day


def job_of(
    who: Partner,
    snapshot: Snapshot,
    notebook: Notebook,
    *,
    reports: Path | str,
    parameters: Mapping[str, object] | None = None,
    label: str = "",
    strict: bool = False,
    cell_limit: int = CELL_LIMIT,
    keep_editions: bool = True,
) -> Job:
    """Say what a page is made from and where it goes; nothing is run.

    `parameters` are further ones of the notebook; a `label` becomes part of the name of its files.
    """
    parts = [who.slug]
    if notebook.name != BRIEF:  # another notebook never takes the brief's place
        parts.append(notebook.stem)
    parts += [label] if label else []
    if taken := next(filter(KEPT.fullmatch, parts[1:]), None):
        raise TradelibError(
            f"{who.slug}.{taken} is what tradelib itself calls a page that it keeps beside another.",
            "Give the notebook, or the label, another name.",
        )
    if snapshot.as_of != snapshot.release.default_as_of:
        parts.append(f"as-of-{snapshot.as_of}")
    asked = {
        "partner": who.code,
        "release": snapshot.release.month,
        "as_of": snapshot.as_of.isoformat(),
        **(parameters or {}),
    }
    return Job(
        notebook=notebook,
        record=_record(asked, snapshot.sources, notebook, snapshot.at_hand),
        folder=str(release_folder(snapshot.release.month, reports)),
        name=".".join(parts),
        strict=strict,
        cell_limit=cell_limit,
        keep_editions=keep_editions,
    )


def _record(
    asked: dict, sources: Mapping[str, vintages.Vintage], notebook: Notebook, at_hand: dict[str, str]
) -> dict:
    """What a page depends on, and the fingerprint of it.

    A brief reads the vintages of its snapshot. Any other notebook may read all that is `at_hand`, as
    seasonal.ipynb and revisions.ipynb do, the claims files, and a file that a parameter names, given or in
    the notebook itself.
    """
    day = date.fromisoformat(asked["as_of"])
    record = {
        "version": version("tradelib"),
        "code_sha256": code_sha256(),
        "notebook": notebook.name,
        "notebook_sha256": hashlib.sha256(notebook.text.encode()).hexdigest(),
        "parameters": asked,
        "vintages": [
            vintages.summary(vintage) | {"lag_days": vintage.lag_days(day)}
            for vintage in used_by(asked["partner"], sources).values()
        ],
    }
    if not _is_brief(notebook):
        record["at_hand"], record["files"] = at_hand, _files_read(parameters_in(notebook) | asked)
    canonical = json.dumps(record, sort_keys=True).encode()
    return record | {"fingerprint": hashlib.sha256(canonical).hexdigest(), "libraries": _libraries()}


@cache
def _libraries() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def _is_brief(notebook: Notebook) -> bool:
    return notebook.name == BRIEF and is_bundled(notebook)


@cache
def is_bundled(notebook: Notebook) -> bool:
    """Whether it is one of tradelib's, as it was delivered."""
    with suppress(TradelibError):
        return notebook.text == bundled_notebook(notebook.name).read_bytes().decode()
    return False


def parameters_in(notebook: Notebook) -> dict[str, object]:
    """The values in a notebook's cell tagged `parameters`, by name, where they are plain ones."""
    found = {}
    with suppress(ValueError, LookupError, TypeError, AttributeError, SyntaxError, RecursionError):
        cells = json.loads(notebook.text)["cells"]
        for cell in (one for one in cells if "parameters" in one["metadata"].get("tags", [])):
            for line in ast.parse(text_of(cell["source"])).body:
                if isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.Constant):
                    name = line.target if isinstance(line, ast.AnnAssign) else line.targets[0]
                    found[name.id] = line.value.value
    return found


def _files_read(asked: dict) -> dict[str, str]:
    """The hashes of the bundled claims files, and of files that parameters name."""
    found = sorted(HERE.glob("data/claims/*.yaml"))
    with suppress(OSError, ValueError):  # a text that cannot be a path
        found += [Path(text) for text in asked.values() if isinstance(text, str) and Path(text).is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@cache
def code_sha256() -> str:
    """A hash of tradelib's own files."""
    code = hashlib.sha256()
    for path in sorted([*HERE.rglob("*.py"), *HERE.glob("data/*.csv"), *HERE.glob("runs/templates/**/*.j2")]):
        code.update(path.read_bytes())
    return code.hexdigest()


def check_inputs(job: Job) -> None:
    """Insist that this process has the tradelib and the vintages that a job was planned with."""
    planned, asked = job.record, job.record["parameters"]
    release, day = find_release(asked["release"]), date.fromisoformat(asked["as_of"])
    here = _record(asked, choose(release, day, strict=job.strict).sources, job.notebook, vintages.at_hand())
    other = [name for name in planned if planned[name] != here[name] and name != "fingerprint"]
    if other:
        told = ", ".join(other)
        raise TradelibError(
            f"On {platform.node()} it would be made from something else than was planned: {told}.",
            "Every machine needs the same tradelib, and a TRADELIB_STORE that all of them reach.",
        )
