"""Which releases should have appeared by now, what is the matter with each, and which comes next."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from importlib.metadata import version
from pathlib import Path

from tradelib import releases
from tradelib.errors import TradelibError
from tradelib.releases import WASHINGTON, Release
from tradelib.runs import plan as plans
from tradelib.runs import sweep
from tradelib.store import vintages
from tradelib.style import words
from tradelib.tables import GOODS

NOT_RUN, AWAITED, FAILED, CHANGED = "not run", "awaited", "failed", "inputs changed"
LACKING = "partner missing"
APPEARS = time(8, 30)
AGAIN = timedelta(hours=1)  # until what failed is tried again, unless something has changed
OVERDUE = timedelta(days=1)  # after which, without a deadline, a wait is no ordinary delay
SHOWN = 5  # names in a sentence
LOOKS_BACK = 12  # releases: an old one that was made to try something is no reason to make all since


@dataclass(frozen=True, slots=True)
class Due:
    """A release that should have appeared and is not done.

    It appears `since` 08:30 in Washington on its day. Its `state` is "not run", "awaited" (no country table
    at hand reaches it), "failed", "inputs changed" since it was run, or "partner missing": it was run without
    all that are asked for; `told` says it in a sentence. It is `ready` where there is something to run now.
    """

    release: Release
    state: str
    since: datetime
    ready: bool
    told: str


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is due at a time, oldest first.

    `newest` is the newest release that should have appeared, done or not, `following` the one that comes
    next, `deadline` the time of its day by which a release is to be made, in Washington. `mistakes` are the
    names asked for that are no partner's, and why: better told before a release than on its morning."""

    now: datetime
    items: tuple[Due, ...]
    newest: Release | None = field(repr=False)
    following: Release | None = field(repr=False)
    deadline: time | None = None
    mistakes: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> tuple[Due, ...]:
        """What can be run now."""
        return tuple(item for item in self.items if item.ready)

    @property
    def awaited(self) -> tuple[Due, ...]:
        """What has not come."""
        return tuple(item for item in self.items if item.state == AWAITED)

    @property
    def overdue(self) -> tuple[Due, ...]:
        """What has not come, or was not run, by its deadline, or for more than a day without one."""
        waits = (item for item in self.items if item.state in (AWAITED, NOT_RUN))
        return tuple(item for item in waits if passed(self._latest(item), self.now) > timedelta())

    def _latest(self, item: Due) -> datetime:
        if self.deadline is None:
            return (item.since.astimezone(UTC) + OVERDUE).astimezone(WASHINGTON)
        return datetime.combine(item.since.date(), self.deadline, WASHINGTON)

    @property
    def failed(self) -> tuple[Due, ...]:
        """What was run and failed."""
        return tuple(item for item in self.items if item.state == FAILED)

    @property
    def exit_code(self) -> int:
        """1 where somebody should look: something failed, is overdue, or is a mistake; else 0."""
        return int(bool(self.failed or self.overdue or self.mistakes))

    def lines(self) -> list[str]:
        """Say in lines what is due and what comes next."""
        late = [item.release for item in self.overdue]
        lines = [
            f"{item.release.month}{', overdue' if item.release in late else ''}: {item.told}"
            for item in self.items
        ] or ["Nothing is due."]
        lines += [f"{name}: {why.splitlines()[0]}" for name, why in self.mistakes.items()]
        return [*lines, f"Next: {_name(self.following)}." if self.following else "No later date is known."]

    def to_dict(self) -> dict:
        """Return it as plain JSON values."""
        items = [
            {
                "release": item.release.month,
                "state": item.state,
                "since": item.since.isoformat(),
                "ready": item.ready,
                "overdue": item in self.overdue,
                "told": item.told,
            }
            for item in self.items
        ]
        following = self.following and {
            "release": self.following.month,
            "appears": opening(self.following).isoformat(),
        }
        told = {"now": self.now.isoformat(timespec="seconds"), "due": items, "next": following}
        return told | ({"mistakes": self.mistakes} if self.mistakes else {})


def opening(release: Release) -> datetime:
    """Return when a release with a day appears: 08:30 in Washington."""
    return datetime.combine(release.day, APPEARS, WASHINGTON)


def look(
    *,
    reports: Path | str = Path("reports"),
    partners: str = "all",
    runs: Path | None = None,
    since: str | None = None,
    deadline: str | None = None,
    now: datetime | None = None,
) -> Agenda:
    """Say what is due, by the release calendar, the vintages at hand and what was run.

    `reports`, `partners` and `runs` are those of `plan`. `since` is the statistical month from which on all
    releases are wanted; else those after the newest that was run are, or only the newest where none was.
    `deadline` is a time in Washington, HH:MM, by which a release is to be made on its day. `now` has a time
    zone."""
    latest = clock(deadline) if deadline else None
    mistakes = plans.mistakes(partners, runs=runs)
    found = agenda(
        now or datetime.now(WASHINGTON),
        through=max((vintage.through for vintage in vintages.list_vintages(GOODS)), default=""),
        record=lambda month: sweep.read_record(month, reports),
        plan=lambda month: plans.plan(month, partners, runs=runs, reports=reports),
        asked=lambda release: plans.asked(release, partners, runs=runs),
        since=since,
    )
    return replace(found, deadline=latest, mistakes=mistakes)


def clock(text: str) -> time:
    """Read a deadline, HH:MM in Washington; it is later than the release itself."""
    with suppress(ValueError, TypeError):
        if (found := time.fromisoformat(text)) > APPEARS:
            return found
    raise TradelibError(
        f"{text!r} is no deadline.", "Give a time of Washington's clock after 08:30, such as 09:30."
    )


def agenda(
    now: datetime,
    *,
    through: str,
    record: Callable[[str], dict | None],
    plan: Callable[[str], plans.Plan],
    asked: Callable[[Release], Iterable[str]] = lambda release: (),
    since: str | None = None,
) -> Agenda:
    """Say what is due at a time, which has a time zone.

    `through` is the last month of the country tables at hand, `record` gives what the last sweep of a month
    left, None if it was never run, `asked` what is wanted of a release, and `plan` what a sweep of a month
    would make; it is asked only of the newest that was run, and of those that failed.
    """
    now = now.astimezone(WASHINGTON)
    out = [found for found in releases.due(now.date()) if opening(found) <= now]
    first = releases.release(since).month if since else None
    looked = [found for found in out if found.month >= first] if first else out[-LOOKS_BACK:]
    records = {found.month: left for found in looked if (left := record(found.month))}
    ran = max(records, default="")
    wanted = looked if first or ran else looked[-1:]
    items = []
    for found in wanted:
        left = records.get(found.month)
        if left is None:
            items += [_unrun(found, through, now)] if first or found.month > ran else []
        elif left["failed"]:
            items.append(_failed(found, left, now, lambda month: plan(month).fingerprint))
        elif found.month == ran <= through and plan(ran).fingerprint != left["fingerprint"]:
            items.append(_changed(found, left))
        elif names := "asked" in left and plans.lacking(asked(found), left["asked"]):
            items.append(_lacking(found, names, first))
    return Agenda(now, tuple(items), out[-1] if out else None, _following(now))


def _following(now: datetime) -> Release | None:
    day = now.date() - timedelta(days=now.time() < APPEARS)
    return releases.next_due(day)


def _item(release: Release, state: str, told: str, ready: bool = True) -> Due:
    return Due(release, state, opening(release), ready, told)


def _unrun(release: Release, through: str, now: datetime) -> Due:
    since = opening(release)
    if release.month <= through:
        return _item(release, NOT_RUN, f"not run; it should have appeared at {since:%Y-%m-%d %H:%M}.")
    newest = f"the newest ends with {through}" if through else "there is none"
    told = f"awaited since {since:%Y-%m-%d %H:%M} ({span(passed(since, now))})"
    return _item(release, AWAITED, f"{told}: no country table at hand reaches it, {newest}.", ready=False)


def _changed(release: Release, left: dict) -> Due:
    """A newer tradelib makes again what an older one made, not the other way round: else two machines, of
    which one is still to be upgraded, would take turns."""
    from packaging.version import InvalidVersion, Version  # brought by nbconvert, matplotlib and others

    own, by = version("tradelib"), left.get("version", "0")
    newer = False
    with suppress(InvalidVersion):
        newer = Version(by) > Version(own)
    whose = f", by tradelib {by}; this is {own}" if newer else ""
    told = f"what it is made of has changed since {_at(_ended(left))}{whose}."
    return _item(release, CHANGED, told, ready=not newer)


def _failed(release: Release, left: dict, now: datetime, made_of: Callable[[str], str]) -> Due:
    """What failed rests for an hour: nothing is gained by the same error every ten minutes.

    It does not rest where the machine was the cause, such as a full disk, where what is asked for, or what
    it is made of, is no longer the same, or where it failed by a clock that was ahead.
    """
    ended = _ended(left)
    again = (ended.astimezone(UTC) + AGAIN).astimezone(WASHINGTON) if ended else now
    rests = ended is not None and abs(passed(ended, now)) < AGAIN
    ready = not rests or bool(left.get("at_once")) or made_of(release.month) != left["fingerprint"]
    when = "it can be tried again" if ready else f"tried again from {again:%H:%M}"
    number = f"{len(left['failed'])} brief{'s' if len(left['failed']) > 1 else ''}"
    return _item(release, FAILED, f"failed, {_at(ended)}, {number}; {when}.", ready=ready)


def _lacking(release: Release, names: list[str], first: str | None) -> Due:
    """What a partner added to the list lacks is made only where all releases since are wanted."""
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    told = f"not made for {shown}" + ("." if first else f"; --since {release.month} makes it.")
    return _item(release, LACKING, told, ready=first is not None)


def _ended(left: dict) -> datetime | None:
    try:
        return datetime.fromisoformat(left["finished"]).astimezone(WASHINGTON)
    except (TypeError, ValueError):
        return None


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "at a time that is not known"


def passed(since: datetime, now: datetime) -> timedelta:
    """Return the time between two moments, also where clocks were changed between the two."""
    return now.astimezone(UTC) - since.astimezone(UTC)


def span(time: timedelta) -> str:
    """Say how long something has taken, in its largest unit."""
    minutes = int(time.total_seconds() // 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= size or size == 1:
            number = minutes // size
            return f"{number} {unit}{'s' * (number != 1)}"
    return ""


def _name(release: Release) -> str:
    return f"{words.period(release.period)}, {opening(release):%Y-%m-%d %H:%M}"
