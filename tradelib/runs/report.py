"""One release -> one dated brief: notebook, HTML page and facts.

A run happens in a temporary folder beside its target; finished files are moved into place by
atomic rename, so that a failed or killed run never touches a good brief. Where the target is an address
of an object store, they are put there one by one, the notebook last.
"""

import json
import os
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tradelib.briefs.brief import brief
from tradelib.briefs.snapshot import Snapshot, take
from tradelib.errors import TradelibError
from tradelib.partners import Partner, resolve
from tradelib.runs.execution import (
    PLAIN,
    NotebookFailed,
    check_parameters,
    execute,
    figures_of,
    headline_of,
    page_of,
)
from tradelib.runs.jobs import Job, job_of, read_notebook, snapshot_of
from tradelib.store import files as storage

SECRETS = ("CENSUS_API_KEY", "BEA_API_KEY")
ABANDONED_S = 86_400  # a folder so old was left by a run on a machine that has gone


@dataclass(frozen=True, slots=True)
class Made:
    """What a report run left behind: its files, its headline, and whether anything was run."""

    paths: tuple[Path, ...]
    headline: str
    notices: tuple[str, ...]
    ran: bool


def make_report(
    partner: str,
    release: str,
    *,
    as_of: str | None = None,
    strict: bool = False,
    force: bool = False,
    reports: Path | str = Path("reports"),
    notebook: Path | None = None,
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
        ISO date; the release's publication day unless given. Another day is part of the name.
    strict : bool
        Refuse where only later vintages reach the release.
    force : bool
        Run even if a brief from the same inputs is there.
    reports : Path or str
        Folder of the briefs, or an address that fsspec knows:
        `reports/<publication date>/<partner>.ipynb`, `.html`, `.facts.json`.
    notebook : Path, optional
        A notebook with the parameters `partner`, `release` and `as_of`, instead of release.ipynb.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Made

    Raises
    ------
    TradelibError
        If a parameter is wrong (before any kernel starts), the folder cannot be written, or the
        run fails; a failed notebook is kept as `<partner>.failed.ipynb`.

    Examples
    --------
    >>> make_report("KOR", "2018-13")
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: '2018-13' is not a month.
      A release is named by its statistical month, YYYY-MM, such as 2018-07.
      See the known ones with `tradelib releases`.
    """
    who = resolve(partner)
    snapshot = take(release, as_of=as_of, strict=strict)
    job = job_of(who, snapshot, read_notebook(notebook), reports=reports, strict=strict)
    ran = force or not job.is_made()
    if ran:
        check_parameters(job.notebook)
        told = make(job, snapshot, progress=progress)
    else:
        told = json.loads(job.paths[2].read_text(encoding="utf-8"))["tradelib"]["headline"]
    return Made(job.paths, told, _notices(snapshot, who), ran)


def make(
    job: Job,
    snapshot: Snapshot | None = None,
    *,
    kernel: str = PLAIN,
    progress: bool = False,
    stop: threading.Event | None = None,
) -> str:
    """Run a job and put its files in place.

    Parameters
    ----------
    job : Job
        From `job_of`.
    snapshot : Snapshot, optional
        The one it was planned with, where it is at hand.
    kernel : str
        Jupyter's name of the kernel.
    progress : bool
        Show a progress bar.
    stop : Event, optional
        Where it is set, a run that fails was ended on purpose: nothing of it is kept.

    Returns
    -------
    str
        The headline.

    Raises
    ------
    TradelibError
        If the run fails or its files cannot be written; a brief made earlier is untouched.
    """
    snapshot = snapshot or snapshot_of(job)
    with _workplace(job) as folder, ThreadPoolExecutor(1) as beside:
        sheet = beside.submit(brief, job.partner, snapshot)
        try:
            finished = execute(job, folder, kernel=kernel, progress=progress)
        except NotebookFailed as error:
            if stop and stop.is_set():
                raise
            raise _kept(job, folder, error) from None
        told = headline_of(finished)
        own = job.record | {"headline": told, "figures": figures_of(finished)}
        facts = sheet.result().document() | {"tradelib": own}
        texts = {
            ".facts.json": json.dumps(facts, indent=1, ensure_ascii=False),
            ".html": page_of(finished),
            ".ipynb": json.dumps(finished, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
        }
        _refuse_secrets(texts)
        _promote(job, texts, folder)
        job.failed.unlink(missing_ok=True)
    return told


def _kept(job: Job, folder: Path, error: NotebookFailed) -> TradelibError:
    """Keep the notebook of a failed run beside its target, and say so."""
    ran = folder / "run.ipynb"
    where = "It did not start."
    if ran.exists():
        _put(ran, job.failed)
        where = f"It is kept, as far as it ran: {job.failed}"
    return NotebookFailed(str(error), where, "A brief made earlier is untouched.")


@contextmanager
def _workplace(job: Job) -> Iterator[Path]:
    """Make a temporary folder: beside the target, or in the one for temporary files."""
    remote = storage.is_remote(job.place)
    try:
        if not remote:
            job.place.mkdir(parents=True, exist_ok=True)
            sweep_up(job.place, job.name)
        # a name that is long enough to be told whose it is
        prefix = f".{job.name}.{_host()}.{os.getpid()}."
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=None if remote else job.place))
    except OSError as error:
        raise TradelibError(
            f"Cannot write to {job.folder}: {error.strerror or error}.",
            "Give a folder of yours with --reports. Nothing was run.",
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_up(place: Path, name: str = "*") -> None:
    """Remove the temporary folders that killed runs left in a folder of briefs."""
    for left in place.glob(f".{name}.*.tmp"):
        host, pid = left.name.split(".")[-4:-2]
        try:
            here = host == _host()
            if not psutil.pid_exists(int(pid)) if here else time.time() - left.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)
        except (OSError, ValueError):  # it has gone meanwhile, or is not ours
            continue


def _host() -> str:
    return platform.node().replace(".", "-") or "here"


def _refuse_secrets(texts: dict[str, str]) -> None:
    for name in SECRETS:
        key = os.environ.get(name)
        if key and any(key in text for text in texts.values()):
            raise TradelibError(
                f"The brief holds the value of {name}; it was not kept.", "Take the key out of the notebook."
            )


def _promote(job: Job, texts: dict[str, str], folder: Path) -> None:
    """Write all files aside first, then move each into place."""
    try:
        for end, text in texts.items():
            (folder / f"{job.name}{end}").write_text(text, encoding="utf-8")
        for end in texts:
            _put(folder / f"{job.name}{end}", job.place / f"{job.name}{end}")
    except OSError as error:
        raise TradelibError(f"Cannot write the brief: {error.strerror or error}.") from None


def _put(file: Path, place: Path) -> None:
    if storage.is_remote(place):
        place.fs.pipe_file(place.path, file.read_bytes())
    else:
        file.replace(place)


def _notices(snapshot: Snapshot, who: Partner) -> tuple[str, ...]:
    """What a reader must know before quoting: dates assumed, tables later than the as-of date."""
    s = snapshot
    lines = []
    if s.release.published is None:
        lines.append(f"Publication date of {s.release.month} is not established: filed under the month.")
    for table, vintage in s.sources.items():
        if s.lag(table):
            kind = "Reconstructed" if s.method(table, who.code) == "reconstructed" else "Later data"
            when = f"{s.lag(table):,} days after {s.as_of}"
            lines.append(f"{kind}: {table} is of {vintage.published}, {when}.")
    return tuple(lines)
