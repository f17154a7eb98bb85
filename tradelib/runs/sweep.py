"""The briefs of all partners of a release: planned, made by many workers, summed up.

A sweep may be stopped at any point and called again: what is up to date is not made twice.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from tradelib.briefs.snapshot import take
from tradelib.errors import TradelibError
from tradelib.loaders import find_release
from tradelib.partners import partner
from tradelib.releases import Release
from tradelib.runs import workers
from tradelib.runs.jobs import Job, as_of_day, job_of
from tradelib.runs.report import sweep_up
from tradelib.runs.runs import expand, one_run, read_runs
from tradelib.runs.workers import FAILED, MADE, SKIPPED, Result
from tradelib.store import files as storage

RECORD = "sweep.json"
SHOWN = 20  # failures in the summary; all are in the record


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep will make. From `plan`.

    Attributes
    ----------
    release : Release
    jobs : tuple of Job
    failures : tuple of Result
        What was asked for and cannot be: a name that is no partner's.
    reports : str
        Folder or address.
    """

    release: Release
    jobs: tuple[Job, ...] = field(repr=False)
    failures: tuple[Result, ...]
    reports: str

    @property
    def fingerprint(self) -> str:
        """Changes whenever a notebook, tradelib, a vintage or a parameter does."""
        marks = sorted(job.record["fingerprint"] for job in self.jobs)
        return sha256("\n".join(marks).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a sweep."""

    results: tuple[Result, ...] = field(repr=False)
    seconds: float

    def _of(self, state: str) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.state == state)

    @property
    def made(self) -> tuple[Result, ...]:
        """What was made."""
        return self._of(MADE)

    @property
    def skipped(self) -> tuple[Result, ...]:
        """What was up to date."""
        return self._of(SKIPPED)

    @property
    def failed(self) -> tuple[Result, ...]:
        """What failed."""
        return self._of(FAILED)

    def lines(self) -> list[str]:
        """Say in lines what came of it, the failures with what went wrong and where it is kept."""
        rate = f", {self.seconds / len(self.made):.2f} s each" if self.made else ""
        lines = [
            f"{len(self.made)} made, {len(self.skipped)} skipped as up to date, {len(self.failed)} failed, "
            f"in {_duration(self.seconds)}{rate}."
        ]
        for result in self.failed[:SHOWN]:
            lines.append(f"  {result.title}: {result.error}")
            lines += [f"    {result.failed}"] if result.failed else []
        if len(self.failed) > SHOWN:
            lines.append(f"  and {len(self.failed) - SHOWN} more")
        return lines

    def to_dict(self) -> dict:
        """Return it as plain JSON values."""
        failed = [{name: value for name, value in asdict(r).items() if name != "state"} for r in self.failed]
        counts = {"made": len(self.made), "skipped": len(self.skipped)}
        return counts | {"failed": failed, "seconds": round(self.seconds, 1)}


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def plan(
    release: str,
    partners: str = "all",
    *,
    as_of: str | None = None,
    strict: bool = False,
    notebook: Path | None = None,
    runs: Path | None = None,
    reports: Path | str = Path("reports"),
) -> Plan:
    """Say what a sweep will make, without running anything.

    Parameters
    ----------
    release : str
        Statistical month of the FT-900, YYYY-MM.
    partners : str
        "all", or comma-separated codes, names and groups ("group:asean" is its members).
    as_of : str, optional
        ISO date or "latest"; the release's publication day unless given.
    strict : bool
        Refuse where only later vintages reach the release.
    notebook : Path, optional
        Instead of the brief's.
    runs : Path, optional
        A standing list instead of the three: YAML, see `tradelib.runs.runs.read_runs`.
    reports : Path or str
        Folder of the briefs, or an address that fsspec knows.

    Returns
    -------
    Plan

    Raises
    ------
    TradelibError
        If the release has no data yet, or a parameter or the list of runs is wrong.

    Examples
    --------
    >>> found = plan("2018-07", "KOR,group:usmca,Atlantis")
    >>> [job.title for job in found.jobs], [failure.title for failure in found.failures]
    (['Canada', 'Korea, South', 'Mexico'], ['Atlantis'])
    """
    wanted = read_runs(runs) if runs else [one_run(partners, notebook=notebook, as_of=as_of)]
    snapshots, jobs, failures = {}, {}, []
    for run in wanted:
        day = as_of_day(run.as_of, release)
        if day not in snapshots:
            snapshots[day] = take(release, as_of=day, strict=strict)
        codes, wrong = expand(run.partners, snapshots[day])
        failures += [Result(text, FAILED, why.splitlines()[0]) for text, why in wrong.items()]
        for code in codes:
            job = job_of(
                *(partner(code), snapshots[day], run.notebook),
                reports=reports,
                parameters=run.parameters,
                label=run.label,
                strict=strict,
            )
            _add(jobs, job)
    return Plan(find_release(release), tuple(jobs.values()), tuple(failures), str(reports))


def _add(jobs: dict, job: Job) -> None:
    """Add a job; the same one asked for twice is one, another one in its place is a mistake."""
    other = jobs.setdefault(job.paths, job)
    if other.record["fingerprint"] != job.record["fingerprint"]:
        raise TradelibError(
            f"Two runs of {job.notebook.name} would both be written to {job.paths[1].name}.",
            "Give one of them a label, which becomes part of its name.",
        )


def run(
    plan: Plan,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    progress: bool = False,
    each: Callable[[int, int], None] | None = None,
) -> Summary:
    """Make everything in a plan that is not up to date.

    Parameters
    ----------
    plan : Plan
        From `plan`.
    workers : int, optional
        Briefs made at once on this machine; unless given one for each core, and one more, because a brief
        waits a little for its kernel.
    scheduler : str, optional
        Address of a Dask scheduler, such as tcp://10.0.0.1:8786, instead.
    force : bool
        Make what is up to date too.
    progress : bool
        Show a progress bar with rate and time left.
    each : callable, optional
        Told how many are done, and of how many, whenever one is.

    Returns
    -------
    Summary
        One bad partner never stops the rest.

    Raises
    ------
    TradelibError
        If the folder of reports cannot be written, or no scheduler answers.
    """
    began = time.perf_counter()
    places = {job.folder: job.place for job in plan.jobs}
    _prepare(places)
    jobs = [job for job, made in zip(plan.jobs, _made(plan.jobs), strict=True) if force or not made]
    waiting = {job.paths for job in jobs}
    results = [*plan.failures, *(Result(j.title, SKIPPED) for j in plan.jobs if j.paths not in waiting)]
    try:
        for result in _shown(_results(jobs, workers, scheduler, force), len(jobs), progress):
            results.append(result)
            if each:
                each(len(results), len(plan.jobs) + len(plan.failures))
    finally:
        for place in places.values():
            if not storage.is_remote(place):
                sweep_up(place)
    summary = Summary(tuple(results), time.perf_counter() - began)
    _write_record(plan, summary)
    return summary


def _made(jobs: tuple[Job, ...]) -> list[bool]:
    """Which of the jobs are up to date; an object store is asked for several files at once."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(Job.is_made, jobs))


def _results(jobs, count: int | None, scheduler: str | None, force: bool) -> Iterator[Result]:
    if scheduler:
        return workers.cluster(jobs, scheduler, force=force)
    return workers.local(jobs, count or _cores() + 1, force=force)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare(places: dict[str, Path]) -> None:
    for place in places.values():
        try:
            if not storage.is_remote(place):
                place.mkdir(parents=True, exist_ok=True)
                sweep_up(place)
        except OSError as error:
            raise TradelibError(
                f"Cannot write to {place}: {error.strerror or error}.",
                "Give a folder of yours with --reports. Nothing was run.",
            ) from None


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


def _write_record(plan: Plan, summary: Summary) -> None:
    """Note beside the briefs what was made of which inputs: `due` reads it."""
    record = {
        "release": plan.release.month,
        "fingerprint": plan.fingerprint,
        **summary.to_dict(),
        "failed": [result.title for result in summary.failed],
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = _record_path(plan.release, plan.reports)
    try:
        storage.write_over(path, json.dumps(record, indent=1, ensure_ascii=False).encode())
    except OSError as error:
        raise TradelibError(f"The briefs are made, but {path} cannot be written: {error}.") from None


def _record_path(release: Release, reports: Path | str) -> Path:
    day = release.published.isoformat() if release.published else release.month
    return storage.located(str(reports)) / day / RECORD


def read_record(release: Release, reports: Path | str = Path("reports")) -> dict | None:
    """Read what the last sweep of a release left beside its briefs.

    Parameters
    ----------
    release : Release
    reports : Path or str

    Returns
    -------
    dict or None
        `release`, `fingerprint` of the plan, `made`, `skipped`, `failed` (titles), `finished`; None where
        there is none, or it is damaged.
    """
    try:
        found = json.loads(_record_path(release, reports).read_bytes())
        return found if {"release", "fingerprint", "failed", "finished"} <= found.keys() else None
    except (OSError, ValueError, AttributeError):
        return None
