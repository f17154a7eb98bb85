"""Where the jobs of a sweep are made: processes of this machine, or the workers of a Dask cluster.

Both do the same with a job, and hand back one result after the other in the order they are done.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from tradelib.errors import TradelibError
from tradelib.execution import WARM, NotebookFailed
from tradelib.jobs import Job
from tradelib.report import make

MADE, SKIPPED, FAILED = "made", "up to date", "failed"
TRIES = 3  # of a job whose worker died under it


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one job.

    Attributes
    ----------
    title : str
        The partner's name, and the notebook's where it is not the brief.
    state : str
        "made", "up to date" or "failed".
    error : str
        First line of what went wrong.
    failed : str
        Where the failed notebook is kept.
    seconds : float
    """

    title: str
    state: str
    error: str = ""
    failed: str = ""
    seconds: float = 0.0


def do(job: Job, force: bool = False) -> Result:
    """Make one job, unless it is up to date; whatever goes wrong is told in the result."""
    began = time.perf_counter()
    try:
        if not force and job.is_made():
            return Result(job.title, SKIPPED, seconds=time.perf_counter() - began)
        make(job, kernel=WARM)
    except Exception as error:  # one bad partner never stops the rest
        name = "" if isinstance(error, TradelibError) else f"{type(error).__name__}: "
        first = (str(error).splitlines() or [""])[0]
        kept = str(job.failed) if isinstance(error, NotebookFailed) and job.failed.exists() else ""
        return Result(job.title, FAILED, f"{name}{first}", kept, time.perf_counter() - began)
    return Result(job.title, MADE, seconds=time.perf_counter() - began)


def local(jobs: Sequence[Job], workers: int, *, force: bool = False) -> Iterator[Result]:
    """Make jobs in processes of this machine.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int
        How many processes; each has a warm process to fork kernels from.
    force : bool
        Make what is up to date too.

    Yields
    ------
    Result
        One for each job. A process that dies takes only its own job with it, which is tried again.
    """
    waiting, deaths = deque(jobs), Counter()
    while waiting:
        with _pool(min(workers, len(waiting))) as pool:
            running: dict[Future, Job] = {}
            try:
                while waiting or running:
                    # no more than there are workers, so that a death is known to be of one of these
                    while waiting and len(running) < workers:
                        job = waiting.popleft()
                        running[pool.submit(do, job, force)] = job
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        del running[future]
                        yield result
            except BrokenProcessPool:
                for job in running.values():
                    deaths[job.paths] += 1
                    if deaths[job.paths] < TRIES:
                        waiting.appendleft(job)
                    else:
                        yield Result(job.title, FAILED, f"Its worker died {TRIES} times.")


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool whose processes end with this one, however it ends.

    They hold the reading end of a pipe; nothing is ever sent, but when the writing end closes, because
    this process has finished, was interrupted or was killed, they end at once, and their kernels with them.
    """
    context = multiprocessing.get_context("spawn")  # this process has threads: a fork of it is unsafe
    reader, writer = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(reader,))
    try:
        yield pool
        pool.shutdown()
    finally:
        writer.close()
        reader.close()
        pool.shutdown(cancel_futures=True)


def _begin(lifeline) -> None:
    """Prepare a worker: it ends with its parent, and imports once what every job needs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; the lifeline tells of it
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    from tradelib.warm import warm_up

    warm_up()
    import nbconvert  # noqa: F401
    import papermill  # noqa: F401


def _end_with(lifeline) -> None:
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)


def cluster(jobs: Sequence[Job], scheduler: str, *, force: bool = False) -> Iterator[Result]:
    """Make jobs on the workers of a Dask cluster.

    Parameters
    ----------
    jobs : sequence of Job
    scheduler : str
        Address, such as tcp://10.0.0.1:8786.
    force : bool
        Make what is up to date too.

    Yields
    ------
    Result
        One for each job. Dask gives the job of a worker that died to another one.

    Raises
    ------
    TradelibError
        If Dask is not installed, or nobody answers at the address.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise TradelibError("--scheduler needs Dask.", "Install tradelib[cluster].") from None
    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise TradelibError(
            f"No Dask scheduler answers at {scheduler} ({type(error).__name__}).",
            "Start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`.",
        ) from None
    with client:
        futures = {client.submit(do, job, force, pure=False): job for job in jobs}
        try:
            for future in as_completed(futures):
                error = future.exception() if future.status != "finished" else None
                title = futures[future].title
                yield Result(title, FAILED, f"{type(error).__name__}: {error}") if error else future.result()
        finally:
            client.cancel(list(futures))
