"""A call of `tradelib run-due`: fetch what has come, sweep what is due, renew the catalogue, tell.

It may be called every ten minutes, from anywhere: most calls find nothing to do. One call at a time works
on a folder of reports. What a call has begun stands in a small file of notes, so that the next one ends what
a killed one left. Hooks are told what came of it; mail and chat are one line of somebody else's program."""

import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

from tradelib.catalogue import page as catalogue
from tradelib.errors import TradelibError
from tradelib.partners import partner
from tradelib.releases import MONTH, WASHINGTON
from tradelib.runs import due, state, sweep
from tradelib.runs import plan as plans
from tradelib.runs.due import Agenda, Due
from tradelib.runs.hooks import call_hook
from tradelib.runs.report import SETTLES
from tradelib.sources import keys, publishers, update
from tradelib.store import files, vintages
from tradelib.studies import first_print
from tradelib.style.words import series, signed_money
from tradelib.tables import FLOWS, GOODS

LOG = logging.getLogger(__name__)
NOTES, OLD_NOTES = "run-due.json", ".run-due.json"  # the latter among the reports, where they were before
RUNNING, NOTHING, AWAITED = "running", "nothing due", "awaited"
DONE, FAILED, OVERDUE = "done", "failed", "overdue"
NEVER = "2000-01-01T00:00:00+00:00"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHOWN, NAMED = 20, 5  # failures and revisions in a message; revisions in its text


@dataclass(frozen=True, slots=True)
class Outcome:
    """How things stand after a call.

    The `status` is "nothing due", "awaited", "overdue" (not there by its deadline, or for more than a day),
    "done", "failed", or "running": another call holds the lock. `lines` say what was done and what comes
    next; the hooks get the `summary`.
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
        """Keep something for the next call; that it cannot be kept is told, and stops nothing."""
        self.notes |= changes
        try:
            state.write(state.folder(self.reports) / NOTES, self.notes, advice=state.ELSEWHERE)
        except TradelibError as error:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Have an error to tell that is not one of a release."""
        ours = isinstance(error, TradelibError | OSError)
        self.problems["tradelib run-due"] = str(error) if ours else f"{type(error).__name__}: {error}"

    def doing(self, what: str) -> None:
        """Say what is being done, to a second call and in the log."""
        LOG.info(what)
        self.say(what)

    def add(self, *lines: str, level: int = logging.INFO) -> None:
        """Have something to tell."""
        self.lines += lines
        for line in lines:
            LOG.log(level, line)

    def tried(self, source: str, said: str, now: datetime, *, failed: bool = False) -> None:
        """Note what came of asking a publisher, since when and how often, for whoever is told of a delay."""
        noted = self.notes.setdefault("tried", {})
        moment = now.isoformat(timespec="seconds")
        before = noted.get(source, {"times": 0, "first": moment})
        seen = {"last": moment, "said": said, "failed": failed}
        noted[source] = before | seen | {"times": before["times"] + 1}

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
    keep_editions: bool = True,
    spreadsheets: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    since: str | None = None,
    deadline: str | None = None,
    on_success: str | None = None,
    on_failure: str | None = None,
    hook_input: str = "json",
    articles: Iterable[str | Path] = (),
    now: datetime | None = None,
    progress: bool = False,
) -> Outcome:
    """Do what is due: update, sweep, catalogue, hooks.

    `reports`, `partners`, `runs`, `cell_limit` and `keep_editions` are those of `plan`, the same at each
    call; `spreadsheets`, `workers` and `scheduler` those of `sweep.run`, `since` and `deadline` those of
    `due.look`, `articles` those of the catalogue. `on_success` and `on_failure` are hooks, called once for
    each outcome, however often it is found again; a command reads `hook_input`, "json" or "text". Whatever
    goes wrong is a failure that is told; where nothing can be noted beside the reports, by each call."""
    place, now = files.located(reports), now or datetime.now(WASHINGTON)
    asked = {"reports": place, "partners": partners, "runs": runs}
    hooks = {DONE: on_success, FAILED: on_failure, OVERDUE: on_failure}
    look = partial(due.look, **asked, since=since, deadline=deadline, now=now)
    call, agenda = _Call(place, look, lambda doing: None, _notes(place)), None
    try:
        with state.hold(place) as say:
            call.say, call.notes = say, _notes(place)
            call.note(called=now.isoformat(timespec="seconds"))
            try:
                call.notes.setdefault("watched", _newest_goods())
                agenda = _bring_in(call, now)
                _watch(call)
                planned = asked | {"cell_limit": cell_limit, "keep_editions": keep_editions}
                how = {"spreadsheets": spreadsheets, "workers": workers, "scheduler": scheduler}
                _sweep(call, agenda, planned, **how, progress=progress)
                _list(call, articles, progress)
                agenda = call.look()
                call.problems |= agenda.mistakes
            except state.Lost:
                raise
            except Exception as error:  # at night nobody sees it but by the hook
                if not isinstance(error, TradelibError | OSError):
                    LOG.exception("not foreseen")
                call.failed(error)
            return _tell(call, agenda, hooks, hook_input)
    except (state.Busy, state.Lost) as busy:
        return Outcome(RUNNING, (str(busy),))
    except TradelibError as error:  # of the lock
        call.failed(error)
        return _tell(call, None, hooks, hook_input)


def missed(reports: Path | str, minutes: int, now: datetime | None = None) -> str:
    """Say that nobody has called run-due for so many minutes; nothing where somebody has."""
    called, now = _notes(files.located(reports)).get("called"), now or datetime.now(WASHINGTON)
    if not called:
        return "tradelib run-due was never called."
    silent = due.passed(datetime.fromisoformat(called), now)
    if abs(silent) <= timedelta(minutes=minutes):
        return ""
    if silent < timedelta():
        return f"tradelib run-due was last called {due.span(-silent)} from now: a clock was ahead."
    return f"tradelib run-due was last called {due.span(silent)} ago."


def _notes(reports: Path) -> dict:
    """What earlier calls noted; a damaged file is as good as none."""
    found = state.read(state.folder(reports) / NOTES, reports / OLD_NOTES)
    try:
        tried = found.get("tried", {}).values()
        times = [found.get(name, NEVER) for name in ("calendar", "files", "all", "called")]
        times += [one[name] for one in tried for name in ("first", "last")]
        months = [*found.get("to_list", []), *found.get("to_tell", [])]
        right = all(datetime.fromisoformat(text).tzinfo for text in times)
        right = right and all(one["times"] > 0 and one["said"] for one in tried)
        right = (
            right and isinstance(found.get("watched", ""), str) and isinstance(found.get("revised", []), list)
        )
        return found if right and all(re.fullmatch(MONTH, month) for month in months) else {}
    except (ValueError, TypeError, AttributeError, KeyError):
        return {}


def _bring_in(call: _Call, now: datetime) -> Agenda:
    """Refresh the calendar and the tables as often as makes sense: a polite client asks for no more."""
    agenda = call.look()
    newest = agenda.newest.month if agenda.newest else ""
    if call.notes.get("tried_for") != newest:  # what was tried is told of one release
        call.notes |= {"tried_for": newest, "tried": {}}
    if call.is_time("calendar", now, _pause(agenda)):
        call.doing("reading the release calendar")
        told = update.refresh_calendar()
        call.add(*told, level=logging.WARNING)
        call.tried("calendar", told[0] if told else "read", now, failed=bool(told))
        agenda = call.look()
    if agenda.awaited and call.is_time("files", now, _pause(agenda)):
        _update(call, now, keys=False)
        agenda = call.look()
    settling = agenda.newest and due.passed(due.opening(agenda.newest), now) < SETTLES
    if agenda.ready or (settling and not agenda.awaited):
        opened = datetime.fromisoformat(call.notes.get("all", NEVER)) < due.opening(agenda.newest)
        if call.is_time("all", now, timedelta() if opened else DAY):
            call.is_time("files", now, timedelta())
            _update(call, now, keys=True)
            agenda = call.look()
        elif settling and call.is_time("files", now, HOUR):
            _update(call, now, keys=False)
            agenda = call.look()
    return agenda


def _pause(agenda: Agenda) -> timedelta:
    """How long to wait between two looks at a publisher: none on the morning of a release."""
    if any(due.passed(item.since, agenda.now) <= DAY for item in agenda.awaited):
        return timedelta()
    return HOUR if agenda.awaited else DAY


def _update(call: _Call, now: datetime, *, keys: bool) -> None:
    """Fetch what is new; what fails is told and stops nothing. Sources with keys are many queries."""
    call.doing("asking the publishers for what is new")
    on = now.astimezone(WASHINGTON).date()
    names = [one.name for one in publishers.SOURCES.values() if one.everyday and (keys or not one.key)]
    try:
        steps = update.plan(names, on=on)
    except TradelibError as error:
        call.add(str(error).splitlines()[0], level=logging.ERROR)
        return
    for step in steps:
        name, error = step.source.name, step.why if step.failed else None
        if step.failed:
            call.add(f"{name}: {step.why}", level=logging.WARNING)
        elif step.todo:
            call.doing(f"fetching {name}")
            outcome = update.run(step.source, on=on)
            error = outcome.error and outcome.error.splitlines()[0]
            call.add(*update.told(outcome), level=logging.WARNING if error else logging.INFO)
        call.tried(name, error or ("fetched" if step.todo else step.why), now, failed=bool(error))
    call.note()


def _newest_goods() -> str:
    """The day of the newest country table at hand; empty where there is none."""
    return max((v.published.isoformat() for v in vintages.list_vintages(GOODS)), default="")


def _watch(call: _Call) -> None:
    """Where a newer country table has come, note whom it revised beyond what is usual for them."""
    newest, watched = _newest_goods(), call.notes["watched"]
    if newest <= watched:
        return
    known = {v.published.isoformat(): v for v in vintages.list_vintages(GOODS)}
    found = []
    if watched in known:
        rows = first_print.unusual(known[watched], known[newest], list(known.values()))
        for code, row in rows.head(SHOWN).iterrows():
            usd = {name: round(row[name]) for name in ("exports_usd", "imports_usd")}
            moved = {name: round(row[name], 2) for name in ("moved_pct", "bound_pct")}
            found.append({"partner": partner(code).name} | usd | moved | {"of": len(rows)})
    call.note(watched=newest, revised=found)
    call.add(*_revisions({"revisions": found}))


def _revisions(summary: dict) -> list[str]:
    """Say whom a new country table revised beyond what is usual, in one line; none where it did not."""
    found = summary["revisions"]
    told = []
    for one in found[:NAMED]:
        exports, imports = (signed_money(one[f"{flow}_usd"]) for flow in FLOWS)
        told.append(f"{one['partner']} (exports {exports}, imports {imports})")
    more = f" and {found[0]['of'] - NAMED} more" if found and found[0]["of"] > NAMED else ""
    whom = f"{', '.join(told)}{more}" if more else series(told)
    return [f"Revised beyond what is usual, over two years: {whom}."] if found else []


def _sweep(call: _Call, agenda: Agenda, asked: dict, **options) -> None:
    """Sweep what is ready, oldest first."""
    months = _months(agenda.ready)
    if months:  # noted before they are made, so that a call after a killed one lists and tells them too
        both = {name: sorted({*call.notes.get(name, []), *months}) for name in ("to_list", "to_tell")}
        call.note(**both)
    for month in months:
        try:
            call.doing(f"planning {month}")
            plan = plans.plan(month, **asked)
            call.doing(f"sweeping {month}, {len(plan.jobs)} briefs")
            summary = sweep.run(plan, **options, each=partial(_progress, call, month))
        except TradelibError as error:
            call.problems[f"FT-900 of {month}"] = str(error)
            continue
        call.add(*(f"{month}: {line}" if n == 0 else line for n, line in enumerate(summary.lines())))
        call.errors |= {result.title: result.error for result in summary.of(sweep.FAILED)}


def _progress(call: _Call, month: str, done: int, total: int) -> None:
    call.say(f"sweeping {month}, {done} of {total}")


def _list(call: _Call, articles: Iterable[str | Path], progress: bool) -> None:
    """Renew the catalogue, where a sweep has ended since it was made."""
    if not call.notes.get("to_list"):
        return
    call.doing("making the catalogue")
    try:
        call.add(*catalogue.build(call.reports, articles=articles, progress=progress).notices)
        call.note(to_list=[])
    except TradelibError as error:
        call.problems["catalogue"] = str(error)


def _tell(call: _Call, agenda: Agenda | None, hooks: dict[str, str | None], hook_input: str) -> Outcome:
    """Say how things stand, and call a hook if that is news."""
    status, months = _status(call, agenda)
    records = {month: sweep.read_record(month, call.reports) or {} for month in months}
    summary = _summary(call, status, records, agenda)
    shown = [f"{name}: {why}" for name, why in call.problems.items()]
    for line in shown:
        LOG.error(line)
    lines = [*dict.fromkeys(call.lines), *shown, *(agenda.lines() if agenda else [])]
    made_of = {month: left.get("fingerprint", "") for month, left in records.items()}
    names = sorted(
        {*call.problems, *(title for left in records.values() for title in left.get("failed", []))}
    )
    key = json.dumps([status, names, made_of])
    summary["id"] = sha256(key.encode()).hexdigest()[:12]
    LOG.log(logging.INFO if status not in (FAILED, OVERDUE) else logging.ERROR, "outcome: %s", status)
    if status in hooks and key != call.notes.get("told"):
        call.doing("calling the hook")
        hook = hooks[status]
        problem = call_hook(hook, summary, reads=hook_input) if hook else None
        if problem:  # the next call tries again
            LOG.error("not told: %s", problem)
            lines.append(f"Not told: {problem}.")
        else:
            call.note(told=key, to_tell=[], revised=[])
    elif call.notes.get("to_tell"):
        call.note(to_tell=[])
    return Outcome(status, tuple(map(keys.cut, lines)), summary)


def _status(call: _Call, agenda: Agenda | None) -> tuple[str, list[str]]:
    """What is to be told first, and the releases that it is about."""
    begun = call.notes.get("to_tell", [])
    ended = [month for month in begun if sweep.read_record(month, call.reports)]
    failed = agenda.failed if agenda else ()
    if call.problems or failed:
        return FAILED, sorted({*ended, *_months(failed), *_months(agenda.overdue if agenda else ())})
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
        "revisions": call.notes.get("revised", []),
        "fetch": [{"source": name} | told for name, told in call.notes.get("tried", {}).items()],
    }
    return summary | {
        "text": "\n".join([_sentence(summary, agenda), *_revisions(summary), *_fetched(summary)])
    }


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
        late = "".join(f"\nOverdue: {_told(item)}" for item in (agenda.overdue if agenda else ()))
        return f"{name}: {counts}, {number} failed ({told}{'; ...' if failed[3:] else ''}).{late}"
    if summary["status"] in (OVERDUE, AWAITED):
        return "\n".join(map(_told, agenda.overdue or agenda.awaited))
    return agenda.lines()[-1]


def _told(item: Due) -> str:
    return f"{item.release.month}: {item.told}"


def _fetched(summary: dict) -> list[str]:
    """What was tried, in words: all of it where a release is overdue, else what failed."""
    lines = []
    for one in summary["fetch"]:
        if one["failed"] or summary["status"] == OVERDUE:
            last = datetime.fromisoformat(one["last"]).astimezone(WASHINGTON)
            times = "once" if one["times"] == 1 else f"{one['times']} times"
            said = one["said"].rstrip(".")
            lines.append(f"{one['source']}: {said} (asked {times}, last at {last:%Y-%m-%d %H:%M}).")
    return lines
