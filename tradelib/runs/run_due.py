"""What `tradelib run-due` does: fetch what has come, sweep what is due, renew the catalogue, tell.

It may be called every ten minutes, from anywhere: most calls find nothing to do. What a call has begun
stands in a small file of notes beside the reports, so that the next one ends what a killed one left.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from tradelib.catalogue import page as catalogue
from tradelib.errors import TradelibError
from tradelib.releases import WASHINGTON, release
from tradelib.runs import due, hooks, lock, sweep
from tradelib.runs.due import Agenda, Due
from tradelib.sources import publishers as sources
from tradelib.sources import update
from tradelib.store import files as storage

NOTES = ".run-due.json"
RUNNING, NOTHING, AWAITED = "running", "nothing due", "awaited"
DONE, FAILED, OVERDUE = "done", "failed", "overdue"
NEVER = "2000-01-01T00:00:00+00:00"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SETTLES = timedelta(days=2)  # not all tables of a release come in the same minute
SHOWN = 20  # failures in a message


@dataclass(frozen=True, slots=True)
class Outcome:
    """How things stand after a call.

    Attributes
    ----------
    status : str
        "nothing due", "awaited", "overdue" (awaited for more than a day), "done", "failed", or "running":
        another call holds the lock.
    told : tuple of str
        Lines on what was done and what comes next.
    summary : dict
        What the hooks get.
    """

    status: str
    told: tuple[str, ...]
    summary: dict = field(default_factory=dict, repr=False)

    @property
    def exit_code(self) -> int:
        """1 where somebody should look, else 0."""
        return int(self.status in (FAILED, OVERDUE))

    def lines(self) -> list[str]:
        """Say in lines what was done and what comes next."""
        return list(self.told)

    def to_dict(self) -> dict:
        """Return it as plain JSON values."""
        return {"status": self.status} | self.summary | {"lines": list(self.told)}


@dataclass(slots=True)
class _Call:
    """One call: how it looks at what is due, what the calls before it noted, what it has to tell."""

    reports: Path
    look: Callable[[], Agenda]
    say: Callable[[str], None]
    notes: dict
    lines: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)  # by partner, of this call's sweeps
    problems: dict[str, str] = field(default_factory=dict)  # what could not even be begun

    def note(self, **changes) -> None:
        """Keep something for the next call."""
        self.notes |= changes
        try:
            storage.write_over(self.reports / NOTES, json.dumps(self.notes, indent=1).encode())
        except OSError as error:
            raise TradelibError(f"Cannot write {self.reports / NOTES}: {error.strerror or error}.") from None

    def is_time(self, what: str, now: datetime, pause: timedelta) -> bool:
        """Whether something was last done so long ago; if so, it is noted as done."""
        if timedelta() <= now - datetime.fromisoformat(self.notes.get(what, NEVER)) < pause:
            return False
        self.note(**{what: now.isoformat(timespec="seconds")})
        return True


def run_due(
    *,
    reports: Path | str = Path("reports"),
    partners: str = "all",
    runs: Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    since: str | None = None,
    on_success: str | None = None,
    on_failure: str | None = None,
    articles: Iterable[str | Path] = (),
    now: datetime | None = None,
    progress: bool = False,
) -> Outcome:
    """Do what is due: update, sweep, catalogue, hooks.

    Parameters
    ----------
    reports : Path or str
        Folder of the briefs, or an address that fsspec knows.
    partners, runs
        As for `sweep.plan`; the same at each call.
    workers, scheduler
        As for `sweep.run`.
    since : str, optional
        As for `due.look`.
    on_success, on_failure : str, optional
        As for `hooks.call`; called once for each outcome, however often it is found again.
    articles : iterable of str or Path
        As for `catalogue.build`.
    now : datetime, optional
        With a time zone.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Outcome

    Raises
    ------
    TradelibError
        If the folder of reports cannot be locked or written.
    """
    place, now = storage.located(reports), now or datetime.now(WASHINGTON)
    asked = {"reports": place, "partners": partners, "runs": runs}
    try:
        with lock.hold(place) as say:
            call = _Call(place, lambda: due.look(**asked, since=since, now=now), say, _notes(place))
            agenda = None
            try:
                agenda = _bring_in(call, now)
                _sweep(call, agenda, asked, workers=workers, scheduler=scheduler, progress=progress)
                _list(call, articles, progress)
                agenda = call.look()
            except TradelibError as error:
                call.problems["tradelib run-due"] = str(error)
            return _tell(call, agenda, on_success, on_failure)
    except lock.Busy as busy:
        return Outcome(RUNNING, (str(busy),))


def _notes(reports: Path) -> dict:
    """What earlier calls noted; a damaged file is as good as none."""
    try:
        found = json.loads((reports / NOTES).read_bytes())
        times = [found.get(name, NEVER) for name in ("calendar", "files", "all")]
        return found if all(datetime.fromisoformat(text).tzinfo for text in times) else {}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _bring_in(call: _Call, now: datetime) -> Agenda:
    """Refresh the calendar and the tables as often as makes sense: a polite client asks for no more."""
    agenda = call.look()
    if call.is_time("calendar", now, _pause(agenda)):
        call.say("reading the release calendar")
        call.lines += update.refresh_calendar()
        agenda = call.look()
    if agenda.awaited and call.is_time("files", now, _pause(agenda)):
        call.lines += _update(call, now, keys=False)
        agenda = call.look()
    settling = agenda.newest and now - due.opening(agenda.newest) < SETTLES
    if agenda.ready or (settling and not agenda.awaited):
        opened = datetime.fromisoformat(call.notes.get("all", NEVER)) < due.opening(agenda.newest)
        if call.is_time("all", now, timedelta() if opened else DAY):
            call.is_time("files", now, timedelta())
            call.lines += _update(call, now, keys=True)
            agenda = call.look()
        elif settling and call.is_time("files", now, HOUR):
            call.lines += _update(call, now, keys=False)
            agenda = call.look()
    return agenda


def _pause(agenda: Agenda) -> timedelta:
    """How long to wait between two looks at a publisher: none on the morning of a release."""
    if len(agenda.awaited) > len(agenda.overdue):
        return timedelta()
    return HOUR if agenda.overdue else DAY


def _update(call: _Call, now: datetime, *, keys: bool) -> list[str]:
    """Fetch what is new; what fails is told and stops nothing. Sources with keys are many queries."""
    call.say("asking the publishers for what is new")
    on, lines = now.astimezone(WASHINGTON).date(), []
    names = [one.name for one in sources.SOURCES.values() if one.everyday and (keys or not one.key)]
    try:
        steps = update.plan(names, on=on)
    except TradelibError as error:
        return [str(error).splitlines()[0]]
    for step in steps:
        if step.failed:
            lines.append(f"{step.source.name}: {step.why}")
        elif step.todo:
            call.say(f"fetching {step.source.name}")
            lines += update.told(update.run(step.source, on=on))
    return lines


def _sweep(call: _Call, agenda: Agenda, asked: dict, **options) -> None:
    """Sweep what is ready, oldest first."""
    months = _months(agenda.ready)
    if months:  # noted before they are made, so that a call after a killed one lists and tells them too
        both = {name: sorted({*call.notes.get(name, []), *months}) for name in ("to_list", "to_tell")}
        call.note(**both)
    for month in months:
        try:
            call.say(f"planning {month}")
            plan = sweep.plan(month, asked["partners"], runs=asked["runs"], reports=asked["reports"])
            call.say(f"sweeping {month}, {len(plan.jobs)} briefs")
            summary = sweep.run(plan, **options, each=partial(_progress, call, month))
        except TradelibError as error:
            call.problems[f"FT-900 of {month}"] = str(error)
            continue
        call.lines += [f"{month}: {line}" if n == 0 else line for n, line in enumerate(summary.lines())]
        call.errors |= {result.title: result.error for result in summary.failed}


def _progress(call: _Call, month: str, done: int, total: int) -> None:
    call.say(f"sweeping {month}, {done} of {total}")


def _list(call: _Call, articles: Iterable[str | Path], progress: bool) -> None:
    """Renew the catalogue, where a sweep has ended since it was made."""
    if not call.notes.get("to_list"):
        return
    call.say("making the catalogue")
    try:
        call.lines += catalogue.build(call.reports, articles=articles, progress=progress).notices
        call.note(to_list=[])
    except TradelibError as error:
        call.problems["catalogue"] = str(error)


def _tell(call: _Call, agenda: Agenda | None, on_success: str | None, on_failure: str | None) -> Outcome:
    """Say how things stand, and call a hook if that is news."""
    status, months = _status(call, agenda)
    records = {month: sweep.read_record(release(month), call.reports) or {} for month in months}
    summary = _summary(call, status, records, agenda)
    shown = [f"{name}: {why}" for name, why in call.problems.items()]
    lines = [*dict.fromkeys(call.lines), *shown, *(agenda.lines() if agenda else [])]
    made_of = {month: left.get("fingerprint", "") for month, left in records.items()}
    names = sorted(
        {*call.problems, *(title for left in records.values() for title in left.get("failed", []))}
    )
    key = json.dumps([status, names, made_of])
    if status in (DONE, FAILED, OVERDUE) and key != call.notes.get("told"):
        hook = on_success if status == DONE else on_failure
        call.say("calling the hook")
        problem = hooks.call(hook, summary) if hook else None
        if problem:  # the next call tries again
            lines.append(f"Not told: {problem}.")
        else:
            call.note(told=key, to_tell=[])
    elif call.notes.get("to_tell"):
        call.note(to_tell=[])
    return Outcome(status, tuple(lines), summary)


def _status(call: _Call, agenda: Agenda | None) -> tuple[str, list[str]]:
    """What is to be told first, and the releases that it is about."""
    begun = call.notes.get("to_tell", [])
    ended = [month for month in begun if sweep.read_record(release(month), call.reports)]
    failed = agenda.failed if agenda else ()
    if call.problems or failed:
        return FAILED, sorted({*ended, *_months(failed)})
    stands = {DONE: ended, OVERDUE: _months(agenda.overdue), AWAITED: _months(agenda.awaited)}
    return next(((status, months) for status, months in stands.items() if months), (NOTHING, []))


def _months(items: Iterable[Due]) -> list[str]:
    return [item.release.month for item in items]


def _summary(call: _Call, status: str, records: dict[str, dict], agenda: Agenda | None) -> dict:
    """What the hooks get: short, and without a key or a path but that of the catalogue."""
    begun = {name: why.splitlines()[0] for name, why in call.problems.items()}
    failed = begun | {title: call.errors.get(title, "") for title in _titles(records)}
    summary = {
        "status": status,
        "releases": list(records),
        "made": sum(left.get("made", 0) for left in records.values()),
        "skipped": sum(left.get("skipped", 0) for left in records.values()),
        "failed": [{"partner": name, "error": error} for name, error in failed.items()][:SHOWN],
        "failures": len(failed),
        "seconds": round(sum(left.get("seconds", 0) for left in records.values()), 1),
        "catalogue": str(call.reports / catalogue.PAGE),
    }
    return summary | {"text": _sentence(summary, agenda)}


def _titles(records: dict[str, dict]) -> list[str]:
    """What failed in the last sweeps of some releases."""
    return [title for left in records.values() for title in left.get("failed", [])]


def _sentence(summary: dict, agenda: Agenda | None) -> str:
    months = ", ".join(summary["releases"])
    name = f"FT-900 of {months}" if months else "tradelib run-due"
    counts = f"{summary['made']} made, {summary['skipped']} up to date"
    if summary["status"] == DONE:
        return f"{name}: {counts}."
    if summary["status"] == FAILED:
        failed, number = summary["failed"], summary["failures"]
        told = "; ".join(f"{one['partner']}: {one['error']}".rstrip(".: ") for one in failed[:3])
        return f"{name}: {counts}, {number} failed ({told}{'; ...' if failed[3:] else ''})."
    if summary["status"] in (OVERDUE, AWAITED):
        return " ".join(f"{item.release.month}: {item.told}" for item in agenda.awaited)
    return agenda.lines()[-1]
