"""How a file gets to its place, in a folder or at an address: whole or not at all, once or over another.

A place is a path of this machine, or an address that fsspec knows (``s3://bucket/folder``), see `located`.
In a folder a file is written beside its place and moved there; an object store gets it in one piece.

- `write_over` puts bytes in place of what may be there;
- `write_once` and `write_folder_once` never write over anything, and say whether they were the first;
- `temporary` lends a file or folder beside a place, and `put` moves what is finished from there, for
  whoever has several files that must all be finished before the first is moved;
- `make_ready` and `sweep_up` clear a folder of what killed runs left: all the above do so too.

Whatever fails ends in a TradelibError, ``Cannot write PLACE: reason.`` with the `advice` given, and nothing
is left behind.
"""

import errno
import os
import platform
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from tradelib.errors import TradelibError

ADVICE = "Make room, or set TRADELIB_STORE to a folder or address of yours."
WHICH_STORE = "Is TRADELIB_STORE the right folder or address, and may you read it?"
BUCKETS = ("s3", "s3a", "gs", "gcs")
LARGEST = 200_000_000  # bytes: of a page whose cells show all that they may, and more than of a record
ABANDONED_S = 86_400  # what is so old was left by a run on a machine that has gone


def located(text: str | Path) -> Path:
    """Return a folder, or an address such as ``s3://bucket/folder``, as a path."""
    if not str(text):  # a variable of a shell was not set
        raise TradelibError("A folder without a name cannot be used.", "Give its path, or . for this one.")
    if "://" not in str(text):
        return Path(text)
    from upath import UPath  # only a store at an address needs it

    try:
        return UPath(str(text), use_listings_cache=False)  # others write to it too
    except (ImportError, ValueError) as error:
        raise TradelibError(
            f"The store {text} cannot be used: {error}.",
            "For s3:// install tradelib[s3]; for others the package of fsspec that speaks it.",
        ) from None


def store_path() -> Path:
    """Return the user's store: `TRADELIB_STORE`, or the platform's folder for user data."""
    return located(os.environ.get("TRADELIB_STORE") or platformdirs.user_data_path("tradelib"))


def is_remote(path: Path) -> bool:
    """Whether a path is an address of an object store, not a file of this machine."""
    return getattr(path, "protocol", "") not in ("", "file", "local")


def read_bytes(path: Path, *, advice: str = WHICH_STORE) -> bytes:
    """Read a file whole, from wherever it is."""
    with explained(path, "read", advice):
        insist_on_file(path)
        return path.read_bytes()


def insist_on_file(path: Path) -> None:
    """Refuse what is a folder, or a pipe, which would never answer, with an OSError."""
    if not is_remote(path) and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file", str(path))


def read_kept(path: Path) -> bytes:
    """Read a page, a file of facts or a record; one far larger than any of ours is an OSError."""
    insist_on_file(path)
    if path.stat().st_size > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST / 1e6:.0f} MB", str(path))
    return path.read_bytes()


def write_over(path: Path, content: bytes, *, advice: str = ADVICE) -> None:
    """Write a file whole or not at all, in place of one that may be there."""
    if is_remote(path):
        with explained(path, "write", advice):
            path.fs.pipe_file(path.path, content)
        return
    with temporary(path, advice=advice) as beside:
        with explained(path, "write", advice):
            beside.write_bytes(content)
        put(beside, path, advice=advice)


def write_once(path: Path, write: Callable[[Path], None], *, advice: str = ADVICE) -> bool:
    """Write a file whole and only where there is none: `write` is given a path of this machine to write to.

    Returns False where the file was there already, perhaps from a writer at the same time.
    """
    with temporary(path, advice=advice) as beside, explained(path, "write", advice):
        write(beside)
        try:
            if is_remote(path):
                path.fs.pipe_file(path.path, beside.read_bytes(), mode="create")
            else:
                _to_disk(beside)
                _name_once(beside, path)
        except FileExistsError:
            return False
        except OSError as error:  # S3 says that a condition failed: another writer was first
            if is_remote(path) and path.exists():
                return False
            raise error
    return True


def write_folder_once(folder: Path, fill: Callable[[Callable], None], *, last: str) -> bool:
    """Write a folder of files whole and only where there is none: `fill` is given ``add(name, write)``.

    The file named `last` is added last, and the folder counts as there once that file is. Returns False
    where it was there already.
    """
    with explained(folder):
        if is_remote(folder):
            return _fill_remote(folder, fill, last)
        with temporary(folder, folder=True) as beside:
            beside.chmod(0o755)

            def add(name: str, write: Callable[[Path], None]) -> None:
                (beside / name).parent.mkdir(parents=True, exist_ok=True)
                write(beside / name)
                _to_disk(beside / name)

            fill(add)
            try:
                beside.rename(folder)
            except OSError:
                if (folder / last).exists():
                    return False
                raise
    return True


def _fill_remote(folder: Path, fill: Callable, last: str) -> bool:
    """Put object by object; the last one is created only once, and tells whether we were first."""
    first = True

    def add(name: str, write: Callable[[Path], None]) -> None:
        nonlocal first
        if name == last:
            first = write_once(folder / name, write)
            return
        with temporary(folder / name) as beside:
            write(beside)
            put(beside, folder / name)

    fill(add)
    return first


@contextmanager
def temporary(place: Path, *, folder: bool = False, advice: str = ADVICE) -> Iterator[Path]:
    """Lend a file or a folder of this machine, beside a place or, for an address, among temporary files.

    Its name tells what it is for and whose it is, so that `sweep_up` knows it if we are killed.
    """
    parent = None if is_remote(place) else place.parent
    if parent:
        make_ready(parent, advice=advice)
    name = {"prefix": f".{place.name}.{_host()}.{os.getpid()}.", "suffix": ".tmp", "dir": parent}
    with explained(parent or place, "write to", advice):
        if folder:
            beside = Path(tempfile.mkdtemp(**name))
        else:
            handle, text = tempfile.mkstemp(**name)
            os.close(handle)
            beside = Path(text)
    try:
        yield beside
    finally:
        if folder:
            shutil.rmtree(beside, ignore_errors=True)
        else:
            beside.unlink(missing_ok=True)


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a folder among the temporary files of this machine; what killed runs left there is removed."""
    with temporary(Path(tempfile.gettempdir(), "t"), folder=True) as folder:
        yield folder


def put(file: Path, place: Path, *, advice: str = ADVICE) -> None:
    """Move a finished file, lent by `temporary`, to its place, over one that may be there."""
    with explained(place, "write", advice):
        if is_remote(place):
            place.fs.put_file(str(file), place.path)
        else:
            _to_disk(file)
            file.replace(place)


def copy(file: Path, place: Path) -> None:
    """Have an immutable file at another place too, without its bytes twice where that can be."""
    try:
        if not os.access(file, os.W_OK):
            raise PermissionError("it is another user's, and gets its rights anew")
        os.link(file, place)
    except (OSError, TypeError, NotImplementedError):  # an address, another disk, or no links on this one
        place.write_bytes(read_bytes(file))


def make_ready(folder: Path, *, advice: str = ADVICE) -> None:
    """Make a folder and clear it of what killed runs left; at an address, look for the bucket."""
    if is_remote(folder):
        with explained(folder, "write to", advice):
            bucket = folder.path.split("/")[0]
            if folder.protocol in BUCKETS and not folder.fs.exists(bucket):
                raise TradelibError(f"Cannot write to {folder}: there is no bucket {bucket}.", advice)
    else:
        with explained(folder, "write to", advice):
            folder.mkdir(parents=True, exist_ok=True)
        sweep_up(folder)


def sweep_up(folder: Path) -> None:
    """Remove the temporary files and folders of runs that are no longer: of other machines, the old ones."""
    if is_remote(folder):
        return
    for left in folder.glob(".*.tmp"):
        with suppress(OSError, ValueError):  # it has gone meanwhile, or is not ours
            _, host, pid, _, _ = left.name.rsplit(".", 4)
            if has_gone(int(pid)) if host == _host() else time.time() - left.stat().st_mtime > ABANDONED_S:
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink()


def has_gone(pid: int) -> bool:
    """Whether a process of this machine has ended."""
    import psutil  # takes a while, and is needed only where something was left

    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # its parent was not told yet
    except psutil.NoSuchProcess:
        return True


def machine() -> str:
    """Name this machine, or the container on it that counts its processes for itself."""
    try:
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux
        return platform.node()


def _host() -> str:
    """A short mark of this machine: the paths of sockets must be short."""
    return f"{zlib.crc32(machine().encode()):08x}"


def _to_disk(path: Path) -> None:
    """Have a file on the disk itself before it gets its name, and readable by others."""
    path.chmod(0o644)
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _name_once(file: Path, path: Path) -> None:
    """Give a finished file its name, unless there is one of that name; a disk without links needs a lock."""
    try:
        os.link(file, path)
    except FileExistsError:
        raise
    except OSError:  # FAT, and some shares
        from filelock import FileLock  # few need it

        with FileLock(Path(tempfile.gettempdir(), f"tradelib-{zlib.crc32(bytes(path)):08x}.lock")):
            if path.exists():
                raise FileExistsError(path) from None
            file.rename(path)


@contextmanager
def explained(place: Path, doing: str = "write", advice: str = ADVICE) -> Iterator[None]:
    """Turn what an operating or object system raises into words on a place."""
    try:
        yield
    except TradelibError:
        raise
    except Exception as error:
        system = isinstance(error, (OSError, RuntimeError))
        if not system and not is_remote(place):
            raise
        reason = getattr(error, "strerror", None) or (error if system else f"{type(error).__name__}: {error}")
        raise TradelibError(f"Cannot {doing} {place}: {reason}.", advice) from None
