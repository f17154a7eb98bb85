"""What a sweep is asked for, on the command line or in a standing list, and the pages that it will make."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tradelib import releases
from tradelib.briefs.snapshot import Snapshot, covered_partners, take
from tradelib.errors import TradelibError
from tradelib.loaders import find_release
from tradelib.partners import members, partner, resolve
from tradelib.releases import Release
from tradelib.runs.execution import check_parameters
from tradelib.runs.jobs import BRIEF, CELL_LIMIT, SUBJECT, Job, Notebook, job_of, read_notebook
from tradelib.store.yaml_fields import Fields, read_fields, word

ALLOWED = {"runs": ("runs",), "run": ("notebook", "partners", "as_of", "label", "cell_limit", "parameters")}
#: What every page is about, and how a list says it: a parameter would make a page of another partner or day.
SAID_BY = {
    "partner": "Give it as `partners`.",
    "release": "It is the one that is swept.",
    "as_of": "Give it as the field `as_of`.",
}
GROUP, ALL, DAY_S = "group:", "all", 86_400


@dataclass(frozen=True, slots=True)
class Run:
    """One notebook for some partners: codes, names, "all", or "group:asean".

    `as_of` is a date or "latest", `label` is added to the names of the files, a cell may take `cell_limit`
    seconds, and `parameters` are further ones of the notebook.
    """

    notebook: Notebook = field(repr=False)
    partners: tuple[str, ...]
    as_of: str | None = None
    label: str = ""
    cell_limit: int | None = None
    parameters: dict = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep will make. From `plan`.

    `wrong` holds what was asked for and cannot be, such as a name that is no partner's, and why; `asked`
    names the pages wanted, as the function of that name does; `snapshots` are what the jobs are made from.
    """

    release: Release
    jobs: tuple[Job, ...] = field(repr=False)
    wrong: dict[str, str]
    reports: str
    asked: tuple[str, ...] = ()
    snapshots: tuple[Snapshot, ...] = field(repr=False, compare=False, default=())

    @property
    def fingerprint(self) -> str:
        """Changes whenever a notebook, tradelib, a vintage, a parameter or a partner asked for does."""
        marks = sorted([*(job.record["fingerprint"] for job in self.jobs), *self.wrong])
        return sha256("\n".join(marks).encode()).hexdigest()


def plan(
    release: str,
    partners: str = "all",
    *,
    as_of: str | None = None,
    strict: bool = False,
    notebook: Path | None = None,
    runs: Path | None = None,
    cell_limit: int | None = None,
    reports: Path | str = Path("reports"),
    keep_editions: bool = True,
) -> Plan:
    """Say what a sweep will make, without running anything.

    `release` is a statistical month, YYYY-MM; `partners` are "all", or comma-separated codes, names and
    groups ("group:asean" is its members); `as_of` is an ISO date or "latest", the release's publication day
    unless given; with `strict` a release that only later vintages reach is refused. `runs` is a standing
    list, as `read_runs` reads it, instead of partners, day and `notebook`. A cell may take `cell_limit`
    seconds where the list does not say. `reports` is a folder, or an address that fsspec knows, and
    `keep_editions` as a job's. It is an error if the release has no data yet, or an argument or the list is
    wrong."""
    wanted = _wanted(partners, runs=runs, notebook=notebook, as_of=as_of)
    snapshots, jobs, wrong = {}, {}, {}
    for run in wanted:
        if run.as_of not in snapshots:
            snapshots[run.as_of] = take(release, as_of=run.as_of, strict=strict)
        codes, unknown = expand(run.partners, snapshots[run.as_of])
        wrong |= unknown
        for code in codes:
            job = job_of(
                partner(code),
                snapshots[run.as_of],
                run.notebook,
                reports=reports,
                parameters=run.parameters,
                label=run.label,
                strict=strict,
                cell_limit=run.cell_limit or cell_limit or CELL_LIMIT,
                keep_editions=keep_editions,
            )
            _add(jobs, job)
    found = find_release(release)
    names = _named(wanted, found)
    return Plan(found, tuple(jobs.values()), wrong, str(reports), names, tuple(snapshots.values()))


def mistakes(partners: str = "all", *, runs: Path | None = None) -> dict[str, str]:
    """Say of each word that names no partner why; a list or a notebook that cannot be read is an error."""
    wrong = {}
    for text in dict.fromkeys(text for run in _wanted(partners, runs=runs) for text in run.partners):
        try:
            if text.lower() != ALL:
                resolve(text[len(GROUP) :] if text.lower().startswith(GROUP) else text)
        except TradelibError as error:
            wrong[text] = str(error)
    return wrong


def asked(release: Release, partners: str = "all", *, runs: Path | None = None) -> tuple[str, ...]:
    """Name the pages that are wanted of a release, without planning it: "Japan", "all", "seasonal: Japan"."""
    return _named(_wanted(partners, runs=runs), release)


def _wanted(partners: str, *, runs: Path | None, **options) -> list[Run]:
    return read_runs(runs) if runs else [one_run(partners, **options)]


def _named(wanted: Iterable[Run], release: Release) -> tuple[str, ...]:
    names = {}
    for run in wanted:
        book = "" if run.notebook.name == BRIEF else run.notebook.stem
        before = " ".join(filter(None, (book, run.label, f"as of {run.as_of}" if run.as_of else "")))
        for text in run.partners:
            names |= dict.fromkeys(_titled(before, name) for name in _names(text, release))
    return tuple(names)


def _titled(before: str, name: str) -> str:
    return f"{before}: {name}" if before else name


def _names(text: str, release: Release) -> list[str]:
    """The partners that a word stands for; itself where it stands for all, or for none."""
    if text.lower() == ALL:
        return [ALL]
    try:
        if not text.lower().startswith(GROUP):
            return [resolve(text).name]
        group = resolve(text[len(GROUP) :])
        return [partner(code).name for code in members(group.code, release.default_as_of)]
    except TradelibError:
        return [text]


def lacking(wanted: Iterable[str], made: Iterable[str]) -> list[str]:
    """Name what is wanted, in the words of `asked`, and is not in what was asked for when pages were made."""
    made = set(made)
    return [name for name in wanted if not made & {name, _titled(name.rpartition(": ")[0], ALL)}]


def _add(jobs: dict, job: Job) -> None:
    """Add a job; the same one asked for twice is one, another one in its place is a mistake."""
    other = jobs.setdefault((job.folder, job.name.lower()), job)  # many disks know no capitals
    if other.record["fingerprint"] != job.record["fingerprint"]:
        raise TradelibError(
            f"Two runs of {job.notebook.name} would both be written to {job.paths[1].name}.",
            "Give one of them a label, which becomes part of its name.",
        )


def one_run(partners: str, *, notebook: Path | None = None, as_of: str | None = None) -> Run:
    """Make a run of words from the command line; a name with a comma in it is given by its code."""
    book = read_notebook(notebook)
    check_parameters(book)
    return Run(book, _listed(partners), as_of or None)


def read_runs(path: Path) -> list[Run]:
    """Read a standing list of runs, or say what is wrong in it, with file, line and field.

    It is YAML: `runs`, a list of entries with `notebook` (a file beside the list, or the name of one of
    tradelib's) and, if need be, `partners`, `as_of`, `label`, `cell_limit` and `parameters`.
    """
    try:
        fields = read_fields(path, "runs", ALLOWED)
    except OSError as error:
        raise TradelibError(
            f"There is no list of runs {path} ({error.strerror}).", "Give --runs the path of a .yaml file."
        ) from None
    return [_run(entry, path.parent) for entry in fields.entries("runs", "run", required=True)]


def _run(fields: Fields, folder: Path) -> Run:
    def notebook(text: str) -> Notebook:
        beside = folder / word(text)
        return read_notebook(beside if beside.is_file() else text)

    book = fields.read("notebook", notebook, None) or read_notebook()
    given = fields.values("parameters")
    for name in SUBJECT:
        if name in given:
            fields.fail("parameters", f"{name} is none of them here.", SAID_BY[name])
    try:
        parameters = check_parameters(book, given)
    except TradelibError as error:
        problem, *advice = str(error).split("\n  ")
        fields.fail("parameters", problem, *advice)
    return Run(
        notebook=book,
        partners=fields.read("partners", _listed, ("all",)),
        as_of=fields.read("as_of", _day, None),
        label=fields.read("label", _label, ""),
        cell_limit=fields.read("cell_limit", _seconds, None),
        parameters=parameters,
    )


def _listed(text: str | Iterable[str]) -> tuple[str, ...]:
    words = text.split(",") if isinstance(text, str) else text
    found = tuple(dict.fromkeys(one.strip() for one in words if one.strip()))
    if not found:
        raise TradelibError("No partner is named.", "Give codes, names, all, or group:asean.")
    return found


def _day(text: str) -> str:
    return text if text == "latest" else releases.parse_date(text, "as_of").isoformat()


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= DAY_S:
        raise TradelibError(f"{text!r} is not a number of seconds.", f"Give 1 to {DAY_S}.")
    return int(text)


def _label(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum():
        raise TradelibError(
            f"{text!r} cannot be part of a file's name.", "Use letters, digits, hyphens and underscores."
        )
    return text


def expand(words: Iterable[str], snapshot: Snapshot) -> tuple[list[str], dict[str, str]]:
    """Turn the partners that a run names into codes in the order of their names; and say what names none.

    "all" is every single partner with goods rows in the release, "group:asean" those of them that are members
    on its day. What names no partner does not stop the rest.
    """
    covered = covered_partners(snapshot)
    codes, wrong = [], {}
    for text in words:
        try:
            if text.lower() == ALL:
                codes += covered
            elif text.lower().startswith(GROUP):
                group = resolve(text[len(GROUP) :])
                day = snapshot.release.default_as_of
                codes += [code for code in members(group.code, day) if code in covered]
            else:
                codes.append(resolve(text).code)
        except TradelibError as error:
            wrong[text] = str(error)
    return sorted(dict.fromkeys(codes), key=lambda code: (partner(code).name, code)), wrong
