"""Which releases should have appeared by now, what is the matter with each, and which comes next."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from tradelib import releases
from tradelib.releases import WASHINGTON, Release
from tradelib.runs import plan as plans
from tradelib.runs import sweep
from tradelib.store import vintages
from tradelib.style import words
from tradelib.tables import GOODS

NOT_RUN, AWAITED, FAILED, CHANGED = "not run", "awaited", "failed", "inputs changed"
APPEARS = time(8, 30)
AGAIN = timedelta(hours=1)  # until what failed is tried again
OVERDUE = timedelta(days=1)  # after which a wait is no longer the publisher's ordinary delay
LOOKS_BACK = 12  # releases: an old one that was made to try something is no reason to make all since


@dataclass(frozen=True, slots=True)
class Due:
    """A release that should have appeared and is not done.

    It appears `since` 08:30 in Washington on its day. Its `state` is "not run", "awaited" (no country table
    at hand reaches it), "failed", or "inputs changed" since it was run; `told` says it in a sentence. It is
    `ready` where there is something to run now.
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
    next."""

    now: datetime
    items: tuple[Due, ...]
    newest: Release | None = field(repr=False)
    following: Release | None = field(repr=False)

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
        """What has not come for more than a day."""
        return tuple(item for item in self.awaited if passed(item.since, self.now) > OVERDUE)

    @property
    def failed(self) -> tuple[Due, ...]:
        """What was run and failed."""
        return tuple(item for item in self.items if item.state == FAILED)

    def lines(self) -> list[str]:
        """Say in lines what is due and what comes next."""
        lines = [f"{item.release.month}: {item.told}" for item in self.items] or ["Nothing is due."]
        return [*lines, f"Next: {_name(self.following)}." if self.following else "No later date is known."]

    def to_dict(self) -> dict:
        """Return it as plain JSON values."""
        items = [
            {
                "release": item.release.month,
                "state": item.state,
                "since": item.since.isoformat(),
                "ready": item.ready,
                "told": item.told,
            }
            for item in self.items
        ]
        following = self.following and {
            "release": self.following.month,
            "appears": opening(self.following).isoformat(),
        }
        return {"now": self.now.isoformat(timespec="seconds"), "due": items, "next": following}


def opening(release: Release) -> datetime:
    """Return when a release with a day appears: 08:30 in Washington."""
    return datetime.combine(release.day, APPEARS, WASHINGTON)


def look(
    *,
    reports: Path | str = Path("reports"),
    partners: str = "all",
    runs: Path | None = None,
    since: str | None = None,
    now: datetime | None = None,
) -> Agenda:
    """Say what is due, by the release calendar, the vintages at hand and what was run.

    `reports`, `partners` and `runs` are those of `plan`. `since` is the statistical month from which on all
    releases are wanted; else those after the newest that was run are, or only the newest where none was.
    `now` has a time zone."""
    return agenda(
        now or datetime.now(WASHINGTON),
        through=max((vintage.through for vintage in vintages.list_vintages(GOODS)), default=""),
        record=lambda month: sweep.read_record(month, reports),
        plan=lambda month: plans.plan(month, partners, runs=runs, reports=reports),
        since=since,
    )


def agenda(
    now: datetime,
    *,
    through: str,
    record: Callable[[str], dict | None],
    plan: Callable[[str], plans.Plan],
    since: str | None = None,
) -> Agenda:
    """Say what is due at a time, which has a time zone.

    `through` is the last month of the country tables at hand, `record` gives what the last sweep of a month
    left, None if it was never run, and `plan` what a sweep of it would make; it is asked only of the newest
    that was run.
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
            items.append(_failed(found, left, now))
        elif found.month == ran <= through and plan(ran).fingerprint != left["fingerprint"]:
            items.append(_item(found, CHANGED, f"what it is made of has changed since {_at(_ended(left))}."))
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


def _failed(release: Release, left: dict, now: datetime) -> Due:
    """What failed rests for an hour: nothing is gained by the same error every ten minutes."""
    ended = _ended(left)
    again = (ended.astimezone(UTC) + AGAIN).astimezone(WASHINGTON) if ended else now
    when = "it can be tried again" if again <= now else f"tried again from {again:%H:%M}"
    number = f"{len(left['failed'])} brief{'s' if len(left['failed']) > 1 else ''}"
    return _item(release, FAILED, f"failed, {_at(ended)}, {number}; {when}.", ready=again <= now)


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
