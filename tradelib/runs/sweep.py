"""All pages of a plan, made by many workers and summed up in a record beside them.

The workers are threads of this process, or those of a Dask cluster. A thread is enough on one machine: the
work is done by the kernels, which are processes, and all threads share one warm process and one snapshot. A
sweep may be stopped at any point and called again: what is up to date is not made twice.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tradelib.briefs.brief import brief
from tradelib.briefs.snapshot import Snapshot, handed_down
from tradelib.errors import TradelibError
from tradelib.runs import check, spreadsheet, state
from tradelib.runs.execution import WARM, NotebookFailed
from tradelib.runs.jobs import EDITED, NOT_MADE, UP_TO_DATE, Job, code_sha256, release_folder
from tradelib.runs.plan import Plan
from tradelib.runs.report import NOT_RUN, make
from tradelib.runs.warm import cool_down, warm_up
from tradelib.sources import keys
from tradelib.store import files

LOG = logging.getLogger(__name__)
OLD_RECORD = "sweep.json"  # beside the pages, where it was kept before
FULLEST = "5700"  # China, which has a figure in every table
MADE, FAILED = "made", "failed"  # beside the states that are left as they are
ANSWER_S = 10  # until the scheduler of a cluster must answer
WORKERS_S = 300  # until a worker of a cluster must be there
SILENCE_S = 300  # without a brief from a cluster, until it is told what its workers do
LOST = "FutureCancelledError"
#: What Dask means by its errors.
DASK = {
    "KilledWorker": "each worker that was given it died: it may need more memory (see the worker's log).",
    LOST: "the Dask scheduler is gone. Call again: what is made is not made twice.",
}
SHOWN = 20  # failures in the summary; all are in the record
NOT_NOTED = "The briefs are made, but what was made of them is not noted."


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one job: its title, its state, and if it failed why, and where its notebook is kept.

    What a disk or the network failed in is tried again at once; of anything else the same is to be expected.
    """

    title: str
    state: str
    error: str = ""
    failed: str = ""
    seconds: float = 0.0
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a sweep."""

    results: tuple[Result, ...] = field(repr=False)
    seconds: float

    def of(self, state: str) -> tuple[Result, ...]:
        """The results of a state: made, up to date, edited or failed."""
        return tuple(result for result in self.results if result.state == state)

    def lines(self) -> list[str]:
        """Say in lines what came of it, the failures with what went wrong and where it is kept."""
        made, failed, edited = self.of(MADE), self.of(FAILED), len(self.of(EDITED))
        rate = f", {self.seconds / len(made):.2f} s each" if made else ""
        skipped = f"{len(self.of(UP_TO_DATE))} skipped as up to date"
        skipped += f", {edited} left alone as edited" if edited else ""
        lines = [f"{len(made)} made, {skipped}, {len(failed)} failed, in {_duration(self.seconds)}{rate}."]
        for result in failed[:SHOWN]:
            lines.append(f"  {result.title}: {result.error}")
            lines += [f"    {result.failed}"] if result.failed else []
        if len(failed) > SHOWN:
            lines.append(f"  and {len(failed) - SHOWN} more")
        return lines


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def run(
    plan: Plan,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    spreadsheets: bool = False,
    progress: bool = False,
    each: Callable[[int, int], None] | None = None,
) -> Summary:
    """Make everything in a plan that is not up to date; one bad partner never stops the rest.

    `workers` are so many briefs made at once on this machine: unless given one for each core, and one more,
    because a brief waits a little for its kernel. `scheduler` is the address of a Dask scheduler instead.
    With `force` is made what is up to date too, and what was edited: the edited notebook is kept under
    another name. With `spreadsheets` each page has one beside it. `each` is told how many are
    done, and of how many, whenever one is."""
    began = time.perf_counter()
    places = [files.located(folder) for folder in dict.fromkeys(job.folder for job in plan.jobs)]
    for place in places:
        files.make_ready(place, advice=NOT_RUN)
    results = [Result(name, FAILED, why.splitlines()[0]) for name, why in plan.wrong.items()]
    todo = []
    for job, found in zip(plan.jobs, _states(plan.jobs), strict=True):
        lacks = spreadsheets and not spreadsheet.is_there(job.paths[0])
        if force or found == NOT_MADE or lacks:
            todo.append(job)
        else:
            results.append(Result(job.title, found))
    workers = workers or check.cores() + 1
    how = {"force": force, "spreadsheets": spreadsheets}
    made = _on_cluster(todo, scheduler, how) if scheduler else _here(todo, plan.snapshots, workers, how)
    try:
        for result in _shown(made, len(todo), progress):
            results.append(result)
            level = logging.ERROR if result.state == FAILED else logging.INFO
            told = f"{result.state} in {result.seconds:.1f} s {result.error}".rstrip()
            LOG.log(level, "%s, %s: %s", plan.release.month, result.title, told)
            if each:
                each(len(results), len(plan.jobs) + len(plan.wrong))
    finally:
        for place in places:
            files.sweep_up(place)
    summary = Summary(tuple(results), time.perf_counter() - began)
    write_record(plan, summary)
    return summary


def _states(jobs: tuple[Job, ...]) -> list[str]:
    """The states of jobs; an object store is asked for several files at once."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(Job.state, jobs))


def _shown(results: Iterator[Result], total: int, progress: bool) -> Iterator[Result]:
    """The results, with a bar where somebody watches; failures are told as they come."""
    from tqdm import tqdm

    bar = tqdm(total=total, unit="brief", disable=not progress, smoothing=0.1)
    with bar, closing(results):  # stopped in the middle, the workers are ended before anything else
        for result in results:
            bar.update()
            if result.state == FAILED and progress:
                bar.write(f"failed: {result.title}: {result.error}")
            yield result


# --- the workers --------------------------------------------------------------------------------


def do(
    job: Job, *, force: bool = False, spreadsheets: bool = False, stop: threading.Event | None = None
) -> Result:
    """Make one job, unless it was made or edited meanwhile; whatever goes wrong is told in the result."""
    began = time.perf_counter()
    try:
        found = job.state()
        if force or found == NOT_MADE:
            make(job, kernel=WARM, stop=stop, force=force)
            found = MADE
        if spreadsheets and not spreadsheet.is_there(job.paths[0]):
            spreadsheet.write(job.paths[0])
    except Exception as error:  # one bad partner never stops the rest
        name = "" if isinstance(error, TradelibError) else f"{type(error).__name__}: "
        first = (str(error).splitlines() or [""])[0]
        kept = str(job.failed) if isinstance(error, NotebookFailed) and job.failed.exists() else ""
        told = keys.cut(f"{name}{first}")
        return Result(job.title, FAILED, told, kept, time.perf_counter() - began, _of_machine(error))
    return Result(job.title, found, seconds=time.perf_counter() - began)


def _of_machine(error: BaseException | None) -> bool:
    """Whether an error, or what it tells in other words, is one of a disk, a network or the like."""
    while error and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error is not None


def _here(
    jobs: Sequence[Job], snapshots: tuple[Snapshot, ...], workers: int, how: dict[str, bool]
) -> Iterator[Result]:
    """Make jobs in threads; left before the end, the kernels are ended, and nothing half-made is kept."""
    if not jobs:
        return
    warm_up()
    for snapshot in snapshots:
        brief(FULLEST, snapshot)  # it keeps the sums over all partners
    stop = threading.Event()
    with handed_down(snapshots), ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(do, job, stop=stop, **how) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            cool_down()
            check.end()


def _on_cluster(jobs: Sequence[Job], scheduler: str, how: dict[str, bool]) -> Iterator[Result]:
    """Make jobs on a Dask cluster, which gives the job of a worker that died to another one."""
    try:
        from distributed import Client  # an extra: tradelib[cluster]
        from distributed import as_completed as as_made
    except ImportError:
        raise TradelibError("--scheduler needs Dask.", "Install tradelib[cluster].") from None
    try:
        client = Client(scheduler, timeout=ANSWER_S)
    except (OSError, ValueError) as error:
        raise TradelibError(
            f"No Dask scheduler answers at {scheduler} ({type(error).__name__}).",
            "Start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`.",
        ) from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # its errors are told in our words
    with client:
        alike = _alike(client)
        futures = {client.submit(do, job, pure=False, workers=alike, **how): job for job in jobs}
        try:
            client.wait_for_workers(1, timeout=WORKERS_S)  # a cluster may start them when there is work
            with _silence_told(client) as heard:
                for future in as_made(futures):
                    heard.set()
                    yield _of_cluster(future, futures[future].title)
        except TimeoutError:
            raise TradelibError(
                f"No worker has joined the Dask scheduler at {scheduler} in {WORKERS_S} seconds.",
                "Start some with `dask worker ADDRESS --nthreads 1`. What is made is not made again.",
            ) from None
        finally:
            client.cancel(list(futures))


def _alike(client) -> list[str] | None:
    """The workers with this tradelib, where others are there too: those would refuse whatever they get."""
    code = client.run(code_sha256, on_error="return")
    other = [worker for worker, found in code.items() if found != code_sha256()]
    if not 0 < len(other) < len(code):
        return None
    LOG.warning("no work for %s: without tradelib, or with another one", ", ".join(other))
    return [worker for worker in code if worker not in other]


@contextmanager
def _silence_told(client) -> Iterator[threading.Event]:
    """Say what the workers of a cluster do whenever nothing was heard of them for long."""
    heard, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(SILENCE_S):
            if not heard.is_set() and not over.is_set():
                found = Counter(one["status"] for one in client.scheduler_info()["workers"].values())
                told = ", ".join(f"{count} {status}" for status, count in found.items()) or "none"
                LOG.warning("no brief for %g seconds; the workers of the cluster: %s", SILENCE_S, told)
            heard.clear()

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield heard
    finally:
        over.set()


def _of_cluster(future, title: str) -> Result:
    """What came of a job on a cluster, or why none came back from there."""
    try:
        return future.result()
    except Exception as error:
        kind, said = type(error).__name__, (str(error).splitlines() or [""])[0]
        return Result(title, FAILED, DASK.get(kind, f"{kind}: {said}"), at_once=kind == LOST)


# --- the record ---------------------------------------------------------------------------------


def write_record(plan: Plan, summary: Summary) -> None:
    """Note what was made of which inputs, and for whom, by this sweep or one before: `due` reads it."""
    before = read_record(plan.release.month, plan.reports) or {}
    record = {
        "release": plan.release.month,
        "fingerprint": plan.fingerprint,
        "version": version("tradelib"),
        "asked": sorted({*plan.asked, *before.get("asked", [])}),
        "made": len(summary.of(MADE)),
        "skipped": len(summary.of(UP_TO_DATE)),
        "edited": len(summary.of(EDITED)),
        "failed": [result.title for result in summary.of(FAILED)],
        "at_once": any(result.at_once for result in summary.of(FAILED)),
        "seconds": round(summary.seconds, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    own, old = _record_paths(plan.release.month, plan.reports)
    state.write(own, record, advice=NOT_NOTED if summary.of(MADE) else NOT_RUN)
    with suppress(OSError):
        old.unlink(missing_ok=True)


def read_record(month: str, reports: Path | str = Path("reports")) -> dict | None:
    """Read what the last sweep of a release left; None if it is not there or damaged."""
    found = state.read(*_record_paths(month, reports))
    kinds = {"release": str, "fingerprint": str, "failed": list, "finished": str}
    numbers = dict.fromkeys(("made", "skipped", "edited", "seconds"), int | float)
    others = numbers | {"asked": list, "version": str}
    further = {name: kind for name, kind in others.items() if name in found}
    right = all(isinstance(found.get(name), kind) for name, kind in (kinds | further).items())
    texts = [*found.get("failed", []), *found.get("asked", [])] if right else []
    return found if right and all(isinstance(text, str) for text in texts) else None


def _record_paths(month: str, reports: Path | str) -> tuple[Path, Path]:
    pages = release_folder(month, reports)
    return state.folder(reports) / f"{pages.name}.json", pages / OLD_RECORD
