"""One `tradelib run-due` at a time in a folder of reports: the lock, and the words on who holds it.

The operating system holds the lock and gives it back when the process ends, however it ends. Who holds it
stands in a file beside it, which is read only while the lock is held.
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
from tradelib.store import files as storage

NAME = "run-due"


class Busy(TradelibError):
    """Another process holds the lock; the message says which, since when, and what it is doing."""


@contextmanager
def hold(reports: Path | str) -> Iterator[Callable[[str], None]]:
    """Hold the lock of a folder of reports, or say who does.

    Parameters
    ----------
    reports : Path or str
        A folder: the lock lies in it. An address of an object store has its lock on this machine.

    Yields
    ------
    callable
        ``say("sweeping 2026-10")`` tells a second call what is going on.

    Raises
    ------
    Busy
        If another process holds it; there is no waiting.
    TradelibError
        If there can be no lock at that place.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with hold(folder) as say:  # doctest: +ELLIPSIS
    ...     say("sweeping 2026-10")
    ...     with hold(folder):
    ...         pass
    Traceback (most recent call last):
    ...
    tradelib.runs.lock.Busy: tradelib run-due is running: since ..., pid ... on host ...: sweeping 2026-10
    """
    path = lock_path(reports)
    beside, lock = path.with_suffix(".holder"), FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Busy(f"tradelib run-due is running: {_told(beside)}") from None
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        raise TradelibError(
            f"Cannot lock {path}: {getattr(error, 'strerror', None) or error}.",
            "Give a folder of yours with --reports, on a disk that knows locks.",
        ) from None
    try:
        began = datetime.now(WASHINGTON)
        _note(beside, began, "starting")
        yield lambda doing: _note(beside, began, doing)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        lock.release()


def lock_path(reports: Path | str) -> Path:
    """Return where the lock of a folder of reports lies.

    Examples
    --------
    >>> str(lock_path("reports"))
    'reports/.run-due.lock'
    >>> lock_path("s3://bucket/reports").name
    'run-due-1df4586a.lock'
    """
    place = storage.located(reports)
    if not storage.is_remote(place):
        return place / f".{NAME}.lock"
    mark = sha256(str(place).rstrip("/").encode()).hexdigest()[:8]
    return platformdirs.user_state_path("tradelib") / f"{NAME}-{mark}.lock"


def _note(path: Path, began: datetime, doing: str) -> None:
    """Say who holds the lock; that it cannot be written is no reason to stop."""
    holder = {"pid": os.getpid(), "host": platform.node(), "user": _user()}
    with suppress(TradelibError):
        storage.write_over(path, json.dumps(holder | {"since": began.isoformat(), "doing": doing}).encode())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return "nobody known"


def _told(path: Path) -> str:
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
