"""What calls keep for later ones: records of sweeps, notes of run-due, and its lock.

They lie beside a folder of reports and not in it, so that who publishes the reports does not publish them:
those of `reports` in `reports.state`, or where TRADELIB_STATE says.
"""

import getpass
import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import platformdirs
import psutil
from filelock import FileLock, Timeout

from tradelib.errors import TradelibError
from tradelib.releases import WASHINGTON
from tradelib.store import files

NAME = "run-due"
ELSEWHERE = "Give a folder of yours with --reports, and TRADELIB_STATE if what is beside it is not yours."


def folder(reports: Path | str) -> Path:
    """Return the folder, or the address, of what is kept about a folder of reports."""
    if given := os.environ.get("TRADELIB_STATE"):
        return files.located(given)
    place = files.located(str(reports).rstrip("/") or "/")
    if not files.is_remote(place):
        place = place.absolute() if place.name in ("", "..") else place
    # a whole bucket or disk has nothing beside it
    return place.parent / f"{place.name}.state" if place.name else place / ".state"


def read(*places: Path) -> dict:
    """Read the first of some JSON objects that is there; what is damaged is as good as none."""
    for place in places:
        try:
            found = json.loads(place.read_bytes())
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
        reason = getattr(error, "strerror", None) or error
        raise TradelibError(f"Cannot lock {path}: {reason}.", ELSEWHERE) from None
    try:
        began = datetime.now(WASHINGTON)
        _note_holder(beside, began, "starting")
        yield lambda doing: _note_holder(beside, began, doing)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        lock.release()


def lock_path(reports: Path | str) -> Path:
    """Return where the lock lies: with the records, or on this machine for reports at an address."""
    place = folder(reports)
    if not files.is_remote(place):
        return place / f"{NAME}.lock"
    mark = sha256(str(place).encode()).hexdigest()[:8]
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
