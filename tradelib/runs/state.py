"""What calls keep for later ones: records of sweeps, notes of run-due, and its lock.

They lie beside a folder of reports and not in it, so that who publishes the reports does not publish them:
those of `reports` in `reports.state`, or where TRADELIB_STATE says.
"""

import getpass
import json
import os
import platform
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tradelib.errors import TradelibError
from tradelib.releases import WASHINGTON
from tradelib.store import files

NAME = "run-due"
LEASE = re.compile(rf"{NAME}\.lease-(\d{{9}})\.json")
LEASE_S, SKEW_S = 240, 60  # that a lease holds unrenewed; by which the clocks of two machines may differ
ELSEWHERE = "Give a folder of yours with --reports, and TRADELIB_STATE if what is beside it is not yours."


def folder(reports: Path | str) -> Path:
    """Return the folder, or the address, of what is kept about a folder of reports."""
    if given := os.environ.get("TRADELIB_STATE"):
        return files.located(given)
    place = files.located(str(reports).rstrip("/") or "/")
    if not files.is_remote(place):
        place = place.resolve() if place.name in ("", "..") or place.is_symlink() else place
    # a whole bucket or disk has nothing beside it
    return place.parent / f"{place.name}.state" if place.name else place / ".state"


def read(*places: Path) -> dict:
    """Read the first of some JSON objects that is there; what is damaged is as good as none."""
    for place in places:
        try:
            found = json.loads(files.read_kept(place))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}
    return {}


def write(place: Path, kept: dict, *, advice: str) -> None:
    """Write a JSON object, for people to read too."""
    files.write_over(place, json.dumps(kept, indent=1, ensure_ascii=False).encode(), advice=advice)


# --- the lock ---------------------------------------------------------------------------------------


class Busy(TradelibError):
    """Another process holds the lock; the message says which, since when, and what it is doing."""


class Lost(Exception):
    """This process stood still for so long that another one has taken its lease over."""


@contextmanager
def hold(reports: Path | str) -> Iterator[Callable[[str], None]]:
    """Hold the lock of a folder of reports, or say who does: there is no waiting.

    On a disk the operating system holds it, and gives it back however the process ends. At an address it is a
    lease, good for all machines. Yields a function: ``say("sweeping 2026-10")`` tells a second call what is
    going on, and raises `Lost` where a lease was taken over.
    """
    place = folder(reports)
    with _leased(place) if files.is_remote(place) else _locked(place / f"{NAME}.lock") as say:
        yield say


@contextmanager
def _locked(path: Path) -> Iterator[Callable[[str], None]]:
    beside, lock = path.with_suffix(".holder"), FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Busy(f"tradelib run-due is running: {_holder(read(beside))}") from None
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        reason = getattr(error, "strerror", None) or error
        raise TradelibError(f"Cannot lock {path}: {reason}.", ELSEWHERE) from None

    def say(doing: str) -> None:
        with suppress(TradelibError):  # that it cannot be written is no reason to stop
            write(beside, me | {"doing": doing}, advice=ELSEWHERE)

    try:
        me = _me()
        say("starting")
        yield say
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _leased(place: Path) -> Iterator[Callable[[str], None]]:
    """Hold a lease: the newest of numbered objects, of which each is created only where there is none.

    It is renewed while its process lives. Once it has run out, or its process is known to have gone, whoever
    creates the next number has taken it over; the newest number always stays, so that none is given twice.
    """
    me, number = _me(), _take(place)
    lost, written = threading.Event(), threading.Event()

    def renew() -> None:
        while not written.wait(LEASE_S / 5):
            with suppress(TradelibError, OSError):  # the store may be away for a while
                keep()

    def keep(**changes) -> None:
        if _numbers(place)[-1] != number:
            lost.set()
        else:
            write(_lease(place, number), me | {"until": time.time() + LEASE_S} | changes, advice=ELSEWHERE)

    def say(doing: str) -> None:
        if lost.is_set():
            raise Lost(f"Another call has taken over: {_holder(read(_lease(place, _numbers(place)[-1])))}")
        me["doing"] = doing

    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield say
    finally:
        written.set()
        renewing.join()
        with suppress(TradelibError, OSError, IndexError):
            keep(until=0)


def _take(place: Path) -> int:
    """Create the next number, where the one before is no longer held."""
    numbers = _numbers(place)
    before = read(_lease(place, numbers[-1])) if numbers else {}
    if _lives(before):
        raise Busy(f"tradelib run-due is running: {_holder(before)}")
    number = numbers[-1] + 1 if numbers else 1
    text = json.dumps(_me() | {"doing": "starting", "until": time.time() + LEASE_S}).encode()
    first = files.write_once(_lease(place, number), lambda path: path.write_bytes(text), advice=ELSEWHERE)
    if not first or _numbers(place)[-1] != number:  # a number long gone can be created once more
        if first:
            _lease(place, number).unlink(missing_ok=True)
        raise Busy("tradelib run-due is running: it has just begun.")
    for old in numbers:
        with suppress(OSError):
            _lease(place, old).unlink(missing_ok=True)
    return number


def _lease(place: Path, number: int) -> Path:
    return place / f"{NAME}.lease-{number:09}.json"


def _numbers(place: Path) -> list[int]:
    """The numbers of the leases that are there, the newest last."""
    with files.explained(place, "lock", ELSEWHERE):
        try:
            names = [path.name for path in place.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
    return sorted(int(found[1]) for name in names if (found := LEASE.fullmatch(name)))


def _lives(held: dict) -> bool:
    """Whether a lease holds: none is good for longer than one is given for, whatever a clock said."""
    until = held.get("until")
    left = until - time.time() if isinstance(until, int | float) else -SKEW_S
    return -SKEW_S < left <= LEASE_S + SKEW_S and not _gone(held)


def _me() -> dict:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a number in a container; a service of Windows
        user = "nobody known"
    since = datetime.now(WASHINGTON).isoformat()
    where = {"host": platform.node(), "machine": files.machine()}
    return {"pid": os.getpid(), **where, "user": user, "since": since}


def _gone(held: dict) -> bool:
    """Whether a holder on this machine has ended; of another machine nobody knows."""
    return held.get("machine") == files.machine() and files.has_gone(held.get("pid") or 0)


def _holder(told: dict) -> str:
    """Who holds the lock. What a killed holder left is not believed: its process has gone."""
    try:
        since = datetime.fromisoformat(told["since"]).astimezone(WASHINGTON)
        who = f"pid {told['pid']} of {told['user']} on host {told['host']}: {told['doing']}"
        gone = _gone(told)
    except (ValueError, KeyError, TypeError):
        gone = True
    if gone:
        return "it has just begun."
    today = since.date() == datetime.now(WASHINGTON).date()
    when = f"{since:%H:%M}" if today else f"{since:%Y-%m-%d %H:%M}"
    return f"since {when} in Washington, {who}"
