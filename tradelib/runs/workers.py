"""Where the jobs of a sweep are made: in threads of this process, or by the workers of a Dask cluster.

Both do the same with a job, and hand back one result after the other in the order they are done. A thread
is enough on one machine: the work is done by the kernels, which are processes, and all threads share one
warm process and one snapshot.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tradelib.errors import TradelibError
from tradelib.runs.execution import WARM, NotebookFailed
from tradelib.runs.jobs import Job
from tradelib.runs.report import make
from tradelib.runs.warm import cool_down, warm_up

MADE, SKIPPED, FAILED = "made", "up to date", "failed"


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


def do(job: Job, force: bool = False, stop: threading.Event | None = None) -> Result:
    """Make one job, unless it is up to date; whatever goes wrong is told in the result."""
    began = time.perf_counter()
    try:
        if not force and job.is_made():
            return Result(job.title, SKIPPED, seconds=time.perf_counter() - began)
        make(job, kernel=WARM, stop=stop)
    except Exception as error:  # one bad partner never stops the rest
        name = "" if isinstance(error, TradelibError) else f"{type(error).__name__}: "
        first = (str(error).splitlines() or [""])[0]
        kept = str(job.failed) if isinstance(error, NotebookFailed) and job.failed.exists() else ""
        return Result(job.title, FAILED, f"{name}{first}", kept, time.perf_counter() - began)
    return Result(job.title, MADE, seconds=time.perf_counter() - began)


def local(jobs: Sequence[Job], workers: int, *, force: bool = False) -> Iterator[Result]:
    """Make jobs on this machine.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int
        How many at once, each in a kernel of its own.
    force : bool
        Make what is up to date too.

    Yields
    ------
    Result
        One for each job. Left before the end, the kernels are ended, and nothing half-made is kept.
    """
    warm_up()
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(do, job, force, stop) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            cool_down()


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
        from distributed import Client
        from distributed import as_completed as as_made
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
            for future in as_made(futures):
                error = future.exception() if future.status != "finished" else None
                title = futures[future].title
                yield Result(title, FAILED, f"{type(error).__name__}: {error}") if error else future.result()
        finally:
            client.cancel(list(futures))
