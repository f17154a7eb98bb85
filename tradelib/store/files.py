"""Where vintages lie, and how a file gets there: whole, once, never over another.

A store is a folder, or any address that fsspec knows (``s3://bucket/folder``). In a folder a file is
written beside its place and linked into it; an object store is asked to create it only if it is not there.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from tradelib.errors import TradelibError

BUNDLED = Path(__file__).parents[1] / "data" / "vintages"
FLOWS, CARD = "flows.parquet", "_vintage.json"
ABANDONED_S = 3600  # a temporary file so old was left by a killed run


def located(text: str | Path) -> Path:
    """Return a folder, or an address such as ``s3://bucket/folder``, as a path.

    Examples
    --------
    >>> located("memory://store").name, type(located("store")).__name__[-4:]
    ('store', 'Path')
    """
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


def found(root: Path, table: str | None = None) -> list[Path]:
    """List the files that make vintages: ``flows.parquet``, or the card of one that is stored by year."""
    if not is_remote(root):
        return sorted(
            path for name in (FLOWS, CARD) for path in root.glob(f"table={table or '*'}/published=*/{name}")
        )
    with _told(root, "read"):
        files = root.fs
        keys = files.find(root.path)
    wanted = f"/table={table}/" if table else "/table="
    paths = [type(root)(files.unstrip_protocol(key), **root.storage_options) for key in keys if wanted in key]
    return sorted((p for p in paths if p.name in (FLOWS, CARD)), key=str)


def fingerprint(path: Path) -> str:
    """Something that changes whenever a file does, so that it need not be read again."""
    if is_remote(path):
        told = path.fs.info(path.path)
        return str(told.get("ETag") or (told.get("size"), told.get("LastModified") or told.get("created")))
    return str(path.stat().st_mtime_ns)


def read_bytes(path: Path) -> bytes:
    """Read a file whole, from wherever it is."""
    with _told(path, "read"):
        return path.read_bytes()


def write_once(path: Path, write: Callable[[Path], None]) -> bool:
    """Write a file whole or not at all, and only where there is none.

    Parameters
    ----------
    path : Path
        Its place.
    write : callable
        Given a path of this machine, writes the file there.

    Returns
    -------
    bool
        False where a file was there already, perhaps from a writer at the same time.

    Raises
    ------
    TradelibError
        If it cannot be written; nothing is left behind.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "a" / "figure.txt"
    >>> write_once(place, lambda path: path.write_text("1")), write_once(place, lambda path: None)
    (True, False)
    """
    with _told(path), _temporary(path) as beside:
        write(beside)
        try:
            if is_remote(path):
                path.fs.pipe_file(path.path, beside.read_bytes(), mode="create")
            else:
                _to_disk(beside)
                os.link(beside, path)
        except FileExistsError:
            return False
        except OSError as error:  # S3 says that a condition failed: another writer was first
            if is_remote(path) and path.exists():
                return False
            raise error
    return True


def write_over(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, in place of one that may be there; raises OSError.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "a" / "figure.txt"
    >>> write_over(place, b"1"), write_over(place, b"2"), place.read_text()
    (None, None, '2')
    """
    if is_remote(path):
        path.fs.pipe_file(path.path, content)
        return
    with _temporary(path) as beside:
        beside.write_bytes(content)
        _to_disk(beside)
        beside.replace(path)


def write_folder_once(
    folder: Path, fill: Callable[[Callable[[str, Callable[[Path], None]], None]], None]
) -> bool:
    """Write a folder of files whole or not at all, and only where there is none.

    Parameters
    ----------
    folder : Path
        Its place.
    fill : callable
        Given a function ``add(name, write)``, adds one file after the other, the card last.

    Returns
    -------
    bool
        False where the folder was there already.
    """
    with _told(folder):
        if is_remote(folder):
            return _fill_remote(folder, fill)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        beside = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
        try:
            beside.chmod(0o755)

            def add(name: str, write: Callable[[Path], None]) -> None:
                (beside / name).parent.mkdir(parents=True, exist_ok=True)
                write(beside / name)
                _to_disk(beside / name)

            fill(add)
            beside.rename(folder)
        except OSError:
            if (folder / CARD).exists():
                return False
            raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return True


def _fill_remote(folder: Path, fill: Callable) -> bool:
    """Object by object; what counts is the card, which comes last and is created only once."""
    last = True

    def add(name: str, write: Callable[[Path], None]) -> None:
        nonlocal last
        if name == CARD:
            last = write_once(folder / name, write)
            return
        with _temporary(folder / name) as beside:
            write(beside)
            (folder / name).fs.put_file(str(beside), (folder / name).path)

    fill(add)
    return last


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A file of this machine to write to: beside its place, or in the folder for temporary files."""
    if not is_remote(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
    handle, name = tempfile.mkstemp(
        prefix=".part-", suffix=".tmp", dir=None if is_remote(path) else path.parent
    )
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Have a file on the disk itself before it gets its name, and readable by others."""
    path.chmod(0o644)
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    """Remove what killed runs left; what is young may belong to a run at the same time."""
    for path in folder.glob(".part-*"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError:
            continue


@contextmanager
def _told(path: Path, doing: str = "write") -> Iterator[None]:
    """Turn what an operating or object system raises into words on the store."""
    try:
        yield
    except TradelibError:
        raise
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TradelibError(
            f"Cannot {doing} {path}: {reason}.",
            "Make room, or set TRADELIB_STORE to a folder or address of yours.",
        ) from None
    except Exception as error:
        if not is_remote(path):
            raise
        raise TradelibError(f"Cannot {doing} {path}: {type(error).__name__}: {error}.") from None
