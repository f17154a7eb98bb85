"""One page made whole or not at all: dated notebook, HTML page and facts.

A run happens in a temporary folder beside its target; finished files are moved into place by
atomic rename, so that a failed or killed run never touches a good page. Where the target is an address
of an object store, they are put there one by one, the notebook last. A notebook that a reader has edited
is never overwritten, and what was published and reads otherwise is kept as an earlier edition.
"""

import itertools
import json
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from tradelib import releases
from tradelib.briefs.brief import brief
from tradelib.briefs.selection import used_by
from tradelib.briefs.snapshot import Snapshot, handed_down, take
from tradelib.errors import TradelibError
from tradelib.loaders import find_release
from tradelib.partners import Partner, partner, resolve
from tradelib.runs import spreadsheet
from tradelib.runs.check import check, prepare
from tradelib.runs.execution import (
    PLAIN,
    WARM,
    NotebookFailed,
    check_parameters,
    execute,
    import_libraries,
    parameters_of,
)
from tradelib.runs.finished import (
    facts_of_run,
    figures_of,
    headline_of,
    is_edited,
    not_run,
    page_of,
    sources_sha256,
    title_of,
    words_of,
)
from tradelib.runs.jobs import (
    CELL_LIMIT,
    EDITED,
    ENDS,
    NOT_MADE,
    Job,
    Notebook,
    check_inputs,
    is_bundled,
    job_of,
    read_notebook,
)
from tradelib.sources import keys
from tradelib.store import files

LOG = logging.getLogger(__name__)
ELSEWHERE = "Make room, or give a folder of yours with --reports."
SETTLES = timedelta(days=2)  # not all tables of a release come in the same minute
NOT_RUN = "Give a folder of yours with --reports. Nothing was run."


@dataclass(frozen=True, slots=True)
class Made:
    """What a run left behind: its files, what they say, and whether anything was run.

    `state` is that of the files before the run; `kept` is where an edited notebook was moved to, or the page
    of an earlier edition.
    """

    paths: tuple[Path, ...]
    headline: str
    notices: tuple[str, ...] = ()
    ran: bool = True
    title: str = ""
    state: str = NOT_MADE
    kept: Path | None = None


def make_report(
    partner: str,
    release: str,
    *,
    as_of: str | None = None,
    strict: bool = False,
    force: bool = False,
    reports: Path | str = Path("reports"),
    notebook: Path | None = None,
    cell_limit: int = CELL_LIMIT,
    keep_editions: bool = True,
    progress: bool = False,
) -> Made:
    """Make the dated brief of one partner and release.

    Parameters
    ----------
    partner : str
        Schedule C code, ISO code or name.
    release : str
        Statistical month of the FT-900, YYYY-MM.
    as_of : str, optional
        ISO date, or "latest"; the release's publication day unless given. Another day is part of the name.
    strict : bool
        Refuse where only later vintages reach the release.
    force : bool
        Run even if a brief from the same inputs is there; one that was edited is kept under another name.
    reports : Path or str
        Folder of the briefs, or an address that fsspec knows:
        `reports/<publication date>/<partner>.ipynb`, `.html`, `.facts.json`.
    notebook : Path, optional
        One of yours instead of release.ipynb. Of `partner`, `release` and `as_of` it gets those that its cell
        tagged `parameters` sets.
    cell_limit : int
        Seconds that a cell may take.
    keep_editions : bool
        Where the brief of a release of more than two days ago comes out with other words than the one that is
        there, keep that one beside it, as `<partner>.edition-1.html` and so on.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Made
        Not `ran` where it is up to date, or was edited: see its `state`.

    Raises
    ------
    TradelibError
        If an argument is wrong (before any kernel starts), the folder cannot be written, or the
        run fails; a failed notebook is kept as `<partner>.failed.ipynb`.
    """
    who = resolve(partner)
    if force or not any(Path(reports).glob(f"*/{who.slug}*")):
        _warm_up()  # it takes as long as all that comes before the kernel
    snapshot = take(release, as_of=as_of, strict=strict)
    book = read_notebook(notebook)
    options = {"strict": strict, "cell_limit": cell_limit, "keep_editions": keep_editions}
    job = job_of(who, snapshot, book, reports=reports, **options)
    state, notices = job.state(), _notices(snapshot, who)
    if force or state == NOT_MADE:
        _warm_up()
        check_parameters(job.notebook)
        with suppress(TradelibError):
            brief(who.code, snapshot)  # while the warm process gets ready; the kernel is handed the sums
        with handed_down([snapshot]):
            made = make(job, kernel=WARM, progress=progress, force=force)
        return replace(made, notices=notices, state=state)
    there = json.loads(files.read_kept(job.paths[0]))
    title = title_of(there) or job.title
    return Made(job.paths, headline_of(there), notices, ran=False, title=title, state=state)


def _warm_up() -> None:
    """Begin with the imports of kernels; a page that is made already does not need even this one."""
    from tradelib.runs.warm import warm_up

    warm_up(whole=False)


def make(
    job: Job,
    *,
    kernel: str = PLAIN,
    progress: bool = False,
    stop: threading.Event | None = None,
    force: bool = False,
) -> Made:
    """Run a job and put its files in place.

    Where `stop` is set, a run that fails was ended on purpose: nothing of it is kept. An edited notebook in
    its place is an error, or moved aside where `force` is set.
    """
    check_inputs(job)
    import_libraries()
    if is_bundled(job.notebook):
        prepare(job.notebook.text, job.record["parameters"])
    with files.temporary(job.place / job.name, folder=True, advice=NOT_RUN) as folder:
        try:
            finished = execute(
                job.notebook,
                job.record["parameters"],
                folder,
                kernel=kernel,
                limit=job.cell_limit,
                progress=progress,
            )
            _insist_on_subject(job, finished)
            if is_bundled(job.notebook):
                _keep_warnings_out(job, finished)
        except NotebookFailed as error:
            if stop and stop.is_set():
                raise
            raise _kept(folder, job.failed, error) from None
        own = job.record | {"sources_sha256": sources_sha256(finished)}
        own["editions"], earlier = _editions(job, finished)
        texts = _texts(finished, own, job.title)
        _insist_on_facts(job, texts, folder)
        kept = _set_aside(job, force) or _keep(job, earlier)
        _promote(job.place, job.name, texts, folder)
        for failed in (job.failed, job.failed.with_suffix(".html")):
            failed.unlink(missing_ok=True)
    return Made(job.paths, headline_of(finished), title=finished["metadata"]["tradelib"]["title"], kept=kept)


def make_page(
    notebook: Path | str, *, run: bool = False, cell_limit: int = CELL_LIMIT, progress: bool = False
) -> Made:
    """Make the page and the facts of a notebook as it stands, beside it: of an edited brief, or any of yours.

    It is run first where `run` asks for it, and where a cell has no outputs, or was edited and not run
    since; its own outputs are renewed then too. It is an error if it is no notebook, shows an error, fails,
    or is saved by somebody else meanwhile."""
    place = files.located(notebook)
    name, text, book = place.name.removesuffix(".ipynb"), *_opened(place)
    run = run or bool(not_run(book))
    if not run:
        _refuse_errors(place, book)
    with files.temporary(place.with_name(name), folder=True, advice=NOT_RUN) as folder:
        options = {"limit": cell_limit, "progress": progress}
        finished = _executed_as_it_stands(place, text, folder, **options) if run else book
        own = {"version": version("tradelib"), "fingerprint": ""} | book["metadata"].get("tradelib", {})
        own["edited"] = sources_sha256(finished) != own.get("sources_sha256")
        texts = _texts(finished, own, name)
        if _opened(place)[0] != text:
            raise TradelibError(f"{place} was saved by somebody else meanwhile.", "Make its page again.")
        _promote(place.parent, name, {end: texts[end] for end in texts if run or end != ".ipynb"}, folder)
    paths = tuple(place.with_name(f"{name}{end}") for end in ENDS)
    return Made(paths, headline_of(finished), ran=run, title=title_of(finished) or name)


def _opened(path: Path) -> tuple[str, dict]:
    """A notebook's text, and what it holds."""
    import nbformat  # it takes a while to import

    try:
        text = path.read_bytes().decode()
        return text, nbformat.reads(text, as_version=4)
    except OSError:
        raise TradelibError(f"There is no notebook {path}.", "Give the path of an .ipynb file.") from None
    except Exception as error:  # nbformat and json raise many kinds for a file that is no notebook
        raise TradelibError(f"{path} cannot be read as a notebook ({type(error).__name__}).") from None


def _refuse_errors(path: Path, book: dict) -> None:
    for number, cell in enumerate(book["cells"], 1):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                raise TradelibError(
                    f"{path} shows an error in cell {number}: {output['ename']}: {output['evalue']}.",
                    "Mend the cell and run it; or let all be run again, with --run.",
                )


def _executed_as_it_stands(path: Path, text: str, folder: Path, **options) -> dict:
    try:
        return execute(Notebook(path.name, text), {}, folder, **options)
    except NotebookFailed as error:
        failed = path.with_name(f"{path.name.removesuffix('.ipynb')}.failed.ipynb")
        raise _kept(folder, failed, error) from None


def _texts(finished: dict, own: dict, name: str) -> dict[str, str]:
    """The three files of a finished notebook; its record stands in each, their hashes in the notebook."""
    own.pop("files_sha256", None)
    own |= {"title": title_of(finished) or name, "headline": headline_of(finished)}
    finished["metadata"]["tradelib"] = own
    facts = _subject(own) | facts_of_run(finished)
    facts["tradelib"] = own | {"figures": figures_of(finished)}
    texts = {
        ".facts.json": json.dumps(facts, indent=1, ensure_ascii=False),
        ".html": page_of(finished),
    }
    hashes = {end: sha256(text.encode()).hexdigest() for end, text in texts.items()}
    finished["metadata"]["tradelib"]["files_sha256"] = hashes
    texts[".ipynb"] = json.dumps(finished, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    _refuse_secrets(texts)
    return texts


def _subject(record: dict) -> dict:
    """Whose page it is, and of which release: for a notebook whose outputs hold no facts."""
    asked = record.get("parameters")
    if not asked:
        return {}
    who, release = partner(asked["partner"]), find_release(asked["release"])
    return {
        "partner": {"code": who.code, "iso2": who.iso2, "iso3": who.iso3, "name": who.name},
        "release": release.month,
        "published": release.published.isoformat() if release.published else None,
        "published_how_known": release.how_known,
        "as_of": asked["as_of"],
    }


def _insist_on_subject(job: Job, finished: dict) -> None:
    """Refuse to file a page under a partner or release that its notebook neither takes nor is about."""
    found = facts_of_run(finished)
    asked = {"partner": job.partner.name, "release": job.record["parameters"]["release"]}
    about = {"partner": (found.get("partner") or {}).get("name"), "release": found.get("release")}
    for name, told in about.items():
        if told and told != asked[name] and name not in parameters_of(job.notebook):
            raise NotebookFailed(
                f"{job.notebook.name} is about {told}, not about {asked[name]} as asked.",
                f"Give its parameters cell a {name}, or ask for --{name} '{told}'.",
            )


def _keep_warnings_out(job: Job, finished: dict) -> None:
    """Log what a library warned of in a notebook of ours: it is nothing for the page's readers."""
    for cell in finished["cells"]:
        for output in [one for one in cell.get("outputs", []) if one.get("name") == "stderr"]:
            cell["outputs"].remove(output)
            LOG.warning("%s, cell %s: %s", job.title, cell.get("id"), "".join(output["text"]).strip())


def _insist_on_facts(job: Job, texts: dict[str, str], folder: Path) -> None:
    """Refuse a page that does not say what its facts are, worked out again; it is kept beside its target.

    A notebook of the user's runs once: what its cells do beside showing is not ours to do twice.
    """
    if not is_bundled(job.notebook):
        return
    found = check(texts, limit=job.cell_limit)
    if found.faults:
        _promote(job.place, f"{job.name}.failed", {end: texts[end] for end in (".ipynb", ".html")}, folder)
        where = f"It is kept: {job.failed.with_suffix('.html')}"
        faults = [f"The page is wrong. {found.faults[0]}", *map(str, found.faults[1:5])]
        raise NotebookFailed(*faults, where, "A brief made earlier is untouched.")


def _kept(folder: Path, failed: Path, error: NotebookFailed) -> TradelibError:
    """Keep the notebook of a failed run beside its target, and say so."""
    ran = folder / "run.ipynb"
    where = "It did not start."
    if ran.exists():
        ran.write_bytes(keys.cut(ran.read_bytes().decode()).encode())
        files.put(ran, failed, advice=ELSEWHERE)
        where = f"It is kept, as far as it ran: {failed}"
    return NotebookFailed(str(error), where, "A brief made earlier is untouched.")


def _set_aside(job: Job, force: bool) -> Path | None:
    """Move an edited notebook, and the page that was made of it, to a name of its own."""
    if job.state() != EDITED:
        return None
    if not force:
        raise TradelibError(
            f"{job.paths[0]} was edited: it is not overwritten.",
            f"`tradelib page {job.paths[0]}` makes its page; --force keeps it under another name.",
        )
    numbers = ("edited" if n == 1 else f"edited-{n}" for n in itertools.count(1))
    names = (_beside(job, number) for number in numbers)
    aside = next(name for name in names if not (job.place / f"{name}.ipynb").exists())
    try:
        own_page = json.loads(job.paths[2].read_bytes())["tradelib"]["edited"]
    except (OSError, ValueError, KeyError, TypeError):
        own_page = False
    for path, end in zip(job.paths, ENDS, strict=True):
        if end == ".ipynb" or (own_page and path.exists()):
            files.write_over(job.place / f"{aside}{end}", path.read_bytes(), advice=ELSEWHERE)
            path.unlink()
    return job.place / f"{aside}.ipynb"


def _beside(job: Job, word: str) -> str:
    name, sep, day = job.name.partition(".as-of-")
    return f"{name}.{word}{sep}{day}"


def _editions(job: Job, finished: dict) -> tuple[list[dict], str]:
    """List the earlier editions of a page, and name the one that the page in its place becomes, if any.

    It becomes one where tradelib or the figures have changed since, the release is no longer of these days,
    and its words are neither those of the new page nor kept already. Who changes a notebook of his own makes
    no edition. Which there are tell the files: the page may have gone, or a killed run have begun one.
    """
    book, editions, kept = b"", [], [words_of(finished)]
    with suppress(OSError):
        book = job.paths[0].read_bytes()
    for number in itertools.count(1):
        name = _beside(job, f"edition-{number}")
        try:
            earlier = files.read_kept(job.place / f"{name}.ipynb")
        except FileNotFoundError:
            break
        if earlier == book:
            break
        told, words = _edition(name, earlier)
        editions.append(told)
        kept.append(words)
    told, words = _edition(name, book)
    if not words or not job.keep_editions or is_edited(book) or words in kept:
        return editions, ""
    record = json.loads(book)["metadata"].get("tradelib", {})
    day = find_release(job.record["parameters"]["release"]).day
    settled = day is None or releases.today() - day > SETTLES
    same = all(record.get(mark) == job.record[mark] for mark in ("version", "code_sha256", "vintages"))
    return (editions, "") if same or not settled else ([*editions, told], name)


def _edition(name: str, book: bytes) -> tuple[dict, list[str]]:
    """What is told of an edition, and its words; none of a damaged one."""
    try:
        found = json.loads(book)
        own, ran = (found["metadata"].get(of, {}) for of in ("tradelib", "papermill"))
        told = {"name": name, "made": ran.get("end_time", "")[:10], "version": own.get("version", "")}
        return told, words_of(found)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {"name": name, "made": "", "version": ""}, []


def _keep(job: Job, name: str) -> Path | None:
    """Keep the page that is there under another name; itself it stays until the new one takes its place.

    The notebook comes last. Where a killed run had kept it, the edition is whole, and the new facts may stand
    in the page's place already."""
    if not name:
        return None
    if not (job.place / f"{name}.ipynb").exists():
        for path, end in reversed(list(zip(job.paths, ENDS, strict=True))):
            if path.exists():
                files.write_over(job.place / f"{name}{end}", path.read_bytes(), advice=ELSEWHERE)
    return job.place / f"{name}.html"


def _refuse_secrets(texts: dict[str, str]) -> None:
    for name in [name for text in texts.values() for name in keys.found(text)]:
        raise TradelibError(
            f"The brief holds the value of {name}; it was not kept.", "Take the key out of the notebook."
        )


def _promote(place: Path, name: str, texts: dict[str, str], folder: Path) -> None:
    """Write all files aside first, then move each into place, the notebook last: it vouches for all."""
    made = {end: text.encode() for end, text in texts.items()}
    if ".facts.json" in texts and spreadsheet.is_there(place / name):  # it is as new as its page
        made = {spreadsheet.END: spreadsheet.made_of(made[".facts.json"], place / name), **made}
    for end, content in made.items():
        with files.explained(place, advice=ELSEWHERE):
            (folder / f"{name}{end}").write_bytes(content)
    for end in made:
        files.put(folder / f"{name}{end}", place / f"{name}{end}", advice=ELSEWHERE)


def _notices(snapshot: Snapshot, who: Partner) -> tuple[str, ...]:
    """What a reader must know before quoting: dates assumed, tables later than the as-of date."""
    s = snapshot
    lines = []
    if s.release.published is None:
        lines.append(f"Publication date of {s.release.month} is not established: filed under the month.")
    for table, vintage in used_by(who.code, s.sources).items():
        if s.lag(table):
            kind = "Reconstructed" if s.method(table, who.code) == "reconstructed" else "Later data"
            when = f"{s.lag(table):,} days after {s.as_of}"
            lines.append(f"{kind}: {table} is of {vintage.published}, {when}.")
        if vintage.accepted:
            lines.append(f"Caveat: {table} of {vintage.published}, {vintage.accepted}")
    return tuple(lines)
