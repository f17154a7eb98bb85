"""What a sweep is asked for: notebooks and partners, on the command line or in a standing list."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tradelib import releases as calendar
from tradelib.briefs.snapshot import Snapshot, covered_partners
from tradelib.errors import TradelibError
from tradelib.partners import members, partner, resolve
from tradelib.runs.execution import check_parameters
from tradelib.runs.jobs import Notebook, read_notebook
from tradelib.store.yaml_fields import Fields, read_fields, word

ALLOWED = {"runs": ("runs",), "run": ("notebook", "partners", "as_of", "label", "parameters")}
GROUP = "group:"


@dataclass(frozen=True, slots=True)
class Run:
    """One notebook for some partners.

    Attributes
    ----------
    notebook : Notebook
    partners : tuple of str
        Codes, names, "all", or "group:asean".
    as_of : str, optional
        A date, or "latest"; the release's publication day unless given.
    label : str
        Added to the names of the files.
    parameters : dict
        Further parameters of the notebook.
    """

    notebook: Notebook = field(repr=False)
    partners: tuple[str, ...]
    as_of: str | None = None
    label: str = ""
    parameters: dict = field(default_factory=dict)


def one_run(partners: str, *, notebook: Path | None = None, as_of: str | None = None) -> Run:
    """Make a run of words from the command line.

    Parameters
    ----------
    partners : str
        Comma-separated: "all", codes, names, "group:asean". A name with a comma in it is quoted by its code.
    notebook : Path, optional
        The brief unless given.
    as_of : str, optional

    Returns
    -------
    Run

    Examples
    --------
    >>> one_run("KOR, group:asean").partners
    ('KOR', 'group:asean')
    """
    book = read_notebook(notebook)
    check_parameters(book)
    return Run(book, _listed(partners), as_of or None)


def read_runs(path: Path) -> list[Run]:
    """Read a standing list of runs.

    Parameters
    ----------
    path : Path
        YAML: `runs`, a list of entries with `notebook` (a file beside the list, or the name of one of
        tradelib's) and, if need be, `partners`, `as_of`, `label` and `parameters`.

    Returns
    -------
    list of Run

    Raises
    ------
    TradelibError
        With file, line and field.
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
    try:
        parameters = check_parameters(book, fields.texts("parameters"))
    except TradelibError as error:
        problem, *advice = str(error).split("\n  ")
        fields.fail("parameters", problem, *advice)
    return Run(
        book,
        fields.read("partners", _listed, ("all",)),
        fields.read("as_of", _day, None),
        fields.read("label", _label, ""),
        parameters,
    )


def _listed(text: str | Iterable[str]) -> tuple[str, ...]:
    words = text.split(",") if isinstance(text, str) else text
    found = tuple(dict.fromkeys(one.strip() for one in words if one.strip()))
    if not found:
        raise TradelibError("No partner is named.", "Give codes, names, all, or group:asean.")
    return found


def _day(text: str) -> str:
    return text if text == "latest" else calendar.parse_date(text, "as_of").isoformat()


def _label(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum():
        raise TradelibError(
            f"{text!r} cannot be part of a file's name.", "Use letters, digits, hyphens and underscores."
        )
    return text


def expand(words: Iterable[str], snapshot: Snapshot) -> tuple[list[str], dict[str, str]]:
    """Turn the partners that a run names into codes, each once.

    Parameters
    ----------
    words : iterable of str
        Codes, names, "all" (every single partner with goods rows in the release), or "group:asean" (those of
        them that are members on the day of the release).
    snapshot : Snapshot

    Returns
    -------
    codes : list of str
        In the order of their names.
    wrong : dict of str to str
        What names no partner, and why: it does not stop the rest.

    Examples
    --------
    >>> from tradelib import take
    >>> codes, wrong = expand(["KOR", "group:usmca", "Atlantis"], take("2018-07"))
    >>> codes, wrong["Atlantis"].splitlines()[0]
    (['1220', '5800', '2010'], "'Atlantis' matches no partner.")
    """
    covered = covered_partners(snapshot)
    codes, wrong = [], {}
    for text in words:
        try:
            if text.lower() == "all":
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
