"""A call of `tradelib run-due`: fetch what has come, sweep what is due, renew the catalogue, tell.

It may be called every ten minutes, from anywhere: most calls find nothing to do. One call at a time works
in a folder of reports: the operating system holds the lock and gives it back however the process ends. What
a call has begun stands in a small file of notes beside the reports, so that the next one ends what a killed
one left. A hook is a command that is run, or an address that is told, when something has been done; mail
and chat are one line of somebody else's program."""

import getpass
import json
import logging
import os
import platform
import re
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from queue import Empty, Queue

import httpx
import platformdirs
import psutil
from filelock import FileLock, Timeout

from tradelib.catalogue import page as catalogue
from tradelib.errors import TradelibError
from tradelib.releases import MONTH, WASHINGTON
from tradelib.runs import due, sweep
from tradelib.runs import plan as plans
from tradelib.runs.due import Agenda, Due
from tradelib.runs.report import ELSEWHERE
from tradelib.sources import keys, publishers, update
from tradelib.store import files

NOTES = ".run-due.json"
RUNNING, NOTHING, AWAITED = "running", "nothing due", "awaited"
DONE, FAILED, OVERDUE = "done", "failed", "overdue"
NEVER = "2000-01-01T00:00:00+00:00"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SETTLES = timedelta(days=2)  # not all tables of a release come in the same minute
SHOWN = 20  # failures in a message
ADDRESS_S, COMMAND_S = 30, 60  # that a hook may take
NAME = "run-due"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How things stand after a call.

    The `status` is "nothing due", "awaited", "overdue" (awaited for more than a day), "done", "failed", or
    "running": another call holds the lock. `lines` say what was done and what comes next; the hooks get the
    `summary`.
    """

    status: str
    lines: tuple[str, ...]
    summary: dict = field(default_factory=dict, repr=False)

    @property
    def exit_code(self) -> int:
        """1 where somebody should look, else 0."""
        return int(self.status in (FAILED, OVERDUE))

    def to_dict(self) -> dict:
        """Return it as plain JSON values."""
        return {"status": self.status} | self.summary | {"lines": list(self.lines)}


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
        files.write_over(self.reports / NOTES, json.dumps(self.notes, indent=1).encode(), advice=ELSEWHERE)

    def is_time(self, what: str, now: datetime, pause: timedelta) -> bool:
        """Whether something was last done so long ago; if so, it is noted as done."""
        if timedelta() <= due.passed(datetime.fromisoformat(self.notes.get(what, NEVER)), now) < pause:
            return False
        self.note(**{what: now.isoformat(timespec="seconds")})
        return True


def run_due(
    *,
    reports: Path | str = Path("reports"),
    partners: str = "all",
    runs: Path | None = None,
    cell_limit: int | None = None,
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

    `reports`, `partners`, `runs` and `cell_limit` are those of `plan`, the same at each call; `workers` and
    `scheduler` those of `sweep.run`, `since` that of `due.look`, `articles` those of the catalogue.
    `on_success` and `on_failure` are hooks, called once for each outcome, however often it is found again.
    It is an error if the folder of reports cannot be locked or written."""
    place, now = files.located(reports), now or datetime.now(WASHINGTON)
    asked = {"reports": place, "partners": partners, "runs": runs}
    try:
        with hold(place) as say:
            call = _Call(place, lambda: due.look(**asked, since=since, now=now), say, _notes(place))
            agenda = None
            try:
                agenda = _bring_in(call, now)
                planned = asked | {"cell_limit": cell_limit}
                _sweep(call, agenda, planned, workers=workers, scheduler=scheduler, progress=progress)
                _list(call, articles, progress)
                agenda = call.look()
            except TradelibError as error:
                call.problems["tradelib run-due"] = str(error)
            return _tell(call, agenda, on_success, on_failure)
    except Busy as busy:
        return Outcome(RUNNING, (str(busy),))


def _notes(reports: Path) -> dict:
    """What earlier calls noted; a damaged file is as good as none."""
    try:
        found = json.loads((reports / NOTES).read_bytes())
        times = [found.get(name, NEVER) for name in ("calendar", "files", "all")]
        months = [*found.get("to_list", []), *found.get("to_tell", [])]
        right = all(datetime.fromisoformat(text).tzinfo for text in times)
        return found if right and all(re.fullmatch(MONTH, month) for month in months) else {}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
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
    settling = agenda.newest and due.passed(due.opening(agenda.newest), now) < SETTLES
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
    names = [one.name for one in publishers.SOURCES.values() if one.everyday and (keys or not one.key)]
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
            plan = plans.plan(month, **asked)
            call.say(f"sweeping {month}, {len(plan.jobs)} briefs")
            summary = sweep.run(plan, **options, each=partial(_progress, call, month))
        except TradelibError as error:
            call.problems[f"FT-900 of {month}"] = str(error)
            continue
        call.lines += [f"{month}: {line}" if n == 0 else line for n, line in enumerate(summary.lines())]
        call.errors |= {result.title: result.error for result in summary.of(sweep.FAILED)}


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
    records = {month: sweep.read_record(month, call.reports) or {} for month in months}
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
        problem = call_hook(hook, summary) if hook else None
        if problem:  # the next call tries again
            lines.append(f"Not told: {problem}.")
        else:
            call.note(told=key, to_tell=[])
    elif call.notes.get("to_tell"):
        call.note(to_tell=[])
    return Outcome(status, tuple(map(keys.cut, lines)), summary)


def _status(call: _Call, agenda: Agenda | None) -> tuple[str, list[str]]:
    """What is to be told first, and the releases that it is about."""
    begun = call.notes.get("to_tell", [])
    ended = [month for month in begun if sweep.read_record(month, call.reports)]
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


# --- the lock ---------------------------------------------------------------------------------------


class Busy(TradelibError):
    """Another process holds the lock; the message says which, since when, and what it is doing."""


@contextmanager
def hold(reports: Path | str) -> Iterator[Callable[[str], None]]:
    """Hold the lock of a folder of reports, or say who does: there is no waiting.

    Yields a function: ``say("sweeping 2026-10")`` tells a second call what is going on.
    """
    path = lock_path(reports)
    beside, lock = path.with_suffix(".holder"), FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Busy(f"tradelib run-due is running: {_holder(beside)}") from None
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        raise TradelibError(
            f"Cannot lock {path}: {getattr(error, 'strerror', None) or error}.",
            "Give a folder of yours with --reports, on a disk that knows locks.",
        ) from None
    try:
        began = datetime.now(WASHINGTON)
        _note_holder(beside, began, "starting")
        yield lambda doing: _note_holder(beside, began, doing)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        lock.release()


def lock_path(reports: Path | str) -> Path:
    """Return where the lock of a folder of reports lies: in it, or on this machine for that of an address."""
    place = files.located(reports)
    if not files.is_remote(place):
        return place / f".{NAME}.lock"
    mark = sha256(str(place).rstrip("/").encode()).hexdigest()[:8]
    return platformdirs.user_state_path("tradelib") / f"{NAME}-{mark}.lock"


def _note_holder(path: Path, began: datetime, doing: str) -> None:
    """Say who holds the lock; that it cannot be written is no reason to stop."""
    holder = {"pid": os.getpid(), "host": platform.node(), "user": _user()}
    with suppress(TradelibError):
        files.write_over(path, json.dumps(holder | {"since": began.isoformat(), "doing": doing}).encode())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return "nobody known"


def _holder(path: Path) -> str:
    """Who holds the lock. What a killed holder left is not believed: its process has gone."""
    try:
        told = json.loads(path.read_bytes())
        since = datetime.fromisoformat(told["since"]).astimezone(WASHINGTON)
        gone = told["host"] == platform.node() and not psutil.pid_exists(told["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        gone = True
    if gone:
        return "it has just begun."
    today = since.date() == datetime.now(WASHINGTON).date()
    when = f"{since:%H:%M}" if today else f"{since:%Y-%m-%d %H:%M}"
    who = f"pid {told['pid']} of {told['user']} on host {told['host']}"
    return f"since {when} in Washington, {who}: {told['doing']}"


# --- the hooks --------------------------------------------------------------------------------------


def call_hook(hook: str, summary: dict) -> str | None:
    """Call a hook with a short summary as JSON; say what went wrong, None if nothing did.

    An http(s) address gets a POST. Anything else is a command, split into words as a shell does but run
    without one (``sh -c '... | ...'`` has a pipe): the JSON is its standard input, and TRADELIB_STATUS and
    TRADELIB_RELEASE are in its environment, in which the keys of the publishers are not. What it prints goes
    to standard error. What went wrong is told without the address's path and the command's arguments, which
    may hold a token.
    """
    text = keys.cut(json.dumps(summary, ensure_ascii=False))
    if hook.lower().startswith(("http://", "https://")):
        return _post(hook, text)
    return _run_command(hook, text, summary)


def _post(address: str, text: str) -> str | None:
    try:
        url = httpx.URL(address)
        shown = f"the hook {url.scheme}://{url.host}"
    except httpx.InvalidURL:
        return "the hook is no address"
    try:
        headers = {"Content-Type": "application/json"}
        for name in ("httpx", "httpcore"):  # below warnings, their log lines hold the address
            logging.getLogger(name).setLevel(logging.WARNING)
        with httpx.Client(timeout=ADDRESS_S) as client:
            asked = partial(client.stream, "POST", url, content=text.encode(), headers=headers)
            status = _status_within(asked)
    except (httpx.HTTPError, ValueError, OSError) as error:  # its words may hold the address: only its kind
        return f"{shown} did not answer ({type(error).__name__})"
    return None if 200 <= status < 300 else f"{shown} answered {status}"


def _status_within(asked: Callable) -> int:
    """The status of an answer, whose body is not read; a server that never ends is left after a while."""
    came: Queue = Queue()

    def ask() -> None:
        try:
            with asked() as reply:
                came.put(reply.status_code)
        except Exception as error:  # raised below, where somebody waits for it
            came.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        status = came.get(timeout=ADDRESS_S)
    except Empty:
        raise TimeoutError from None
    if isinstance(status, Exception):
        raise status
    return status


def _run_command(command: str, text: str, summary: dict) -> str | None:
    try:
        words = shlex.split(command)
        name = f"the hook {Path(words[0]).name}"
    except (ValueError, IndexError):
        return "the hook is no command: it is empty, or a quotation mark is missing"
    told = {"TRADELIB_STATUS": summary["status"], "TRADELIB_RELEASE": " ".join(summary["releases"])}
    environment = keys.without(os.environ) | told
    with tempfile.TemporaryFile() as given:  # a pipe could block on a command that reads nothing
        given.write(text.encode())
        given.seek(0)
        try:
            process = subprocess.Popen(words, stdin=given, stdout=2, env=environment, start_new_session=True)
        except OSError as error:
            return f"{name} cannot be started: {error.strerror}"
        try:
            code = process.wait(COMMAND_S)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"{name} took longer than {COMMAND_S} seconds and was ended"
    return None if code == 0 else f"{name} ended with code {code}"


def _end(process: subprocess.Popen) -> None:
    """End a command, with what it has started where the system can."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
