"""Kernels that start in a fraction of the time: forked from a process with the libraries already imported.

Jupyter's own extension point, a *kernel provisioner*, makes them: the kernel `tradelib-warm` in papermill,
nbclient and JupyterLab, or any Python kernel where JUPYTER_DEFAULT_PROVISIONER_NAME=tradelib-warm. Each
program has one warm process, which holds modules and no data; each kernel is a process of its own.
"""

import asyncio
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import threading
import weakref
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from tradelib.runs.warm_process import FURTHER, LAUNCHER, NUMBER, kill
from tradelib.sources import keys

HERE = Path(__file__).parents[1]
BACKEND = "module://matplotlib_inline.backend_inline"  # ipykernel's choice; matplotlib reads it at import
QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # the debugger's import is not the user's concern
IMPORTS, FORK = 60, 10  # seconds that they may take
END = 1  # seconds between two looks at whether a kernel that was told to end has

#: Variables that Python and the libraries read while they are imported: with others, another server.
READ_AT_IMPORT = re.compile(
    "PYTHON|LC_|LANG|TZ|HOME|XDG_|LD_|MALLOC_|MPL|OMP_|OPENBLAS_|MKL_|NUMEXPR_|ARROW_|SM_|PYDEVD_|TRADELIB_BUNDLED"
)
#: Without a working directory on the path, as in a kernel while it starts.
START = (
    "import sys; sys.path[:] = filter(None, sys.path); from tradelib.runs.warm_process import serve; serve()"
)

_lock = threading.Lock()
_current: "_Server | None" = None


class WarmProvisioner(LocalProvisioner):
    """Start kernels from this program's warm process; otherwise do as Jupyter's own provisioner does.

    A kernel starts the plain way, to the same results, where a fork cannot be had (Windows, macOS), where
    it is not this Python's ipykernel, and where a file in its folder hides a module imported already.
    """

    _ends = False

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Start the kernel of a command line, warm where that is the same as plain; say how to connect."""
        try:
            self.process = await self._forked(cmd, kwargs)
        except OSError as error:
            self.log.warning("No warm kernel (%s): starting a plain one.", error)
        if self.process is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self._ends = False
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Take note that the kernel is about to end."""
        self._ends = True

    async def poll(self) -> int | None:
        """The exit code of a kernel that has ended; of one that is about to, it is known at once."""
        if self._ends and isinstance(self.process, _Forked):
            await asyncio.to_thread(self.process.ended_within, END)
        return await super().poll()

    async def _forked(self, cmd: list[str], kwargs: dict) -> "_Forked | None":
        """A kernel forked from the server; None where that would not be the same as a plain one."""
        if not (_can_fork() and _is_usual(cmd, kwargs)):
            return None
        server = _server(cmd[1 : cmd.index("-m")], kwargs["env"])
        await asyncio.to_thread(server.wait)  # nothing is awaited from here on: no kernel can be lost
        cwd = Path(kwargs.get("cwd") or ".").resolve(strict=True)
        return None if _hides(cwd, server.modules) else server.fork(cmd, kwargs["env"], cwd)


def warm_up(*, whole: bool = True) -> None:
    """Start this program's warm process, if it has none, without waiting for it.

    Its imports then go on beside whatever comes before the first kernel; not `whole`, it leaves to the
    kernels what only some notebooks reach.
    """
    if _can_fork():
        with suppress(OSError):  # whoever starts a kernel is told
            _server([], keys.without(os.environ), whole)


def answering() -> "_Forked | None":
    """Fork a process that answers calls, as `Apart` has them; None where a fork cannot be had."""
    if not _can_fork():
        return None
    env = keys.without(os.environ)
    with suppress(OSError):
        server = _server([], env)
        server.wait()
        ours, theirs = socket.socketpair()
        with ours, theirs, Path(os.devnull).open("wb") as nowhere:
            process = server.fork([], env, Path(os.sep), theirs.fileno(), nowhere.fileno())
            process.stdin, process.stdout = ours.makefile("wb"), ours.makefile("rb")
        return process
    return None


def cool_down() -> None:
    """End this program's warm process, if it has one, and the kernels forked from it."""
    global _current
    with _lock:
        server, _current = _current, None
    if server:
        server.end()


def _can_fork() -> bool:
    """Linux only: there is no fork on Windows, and after numpy's Accelerate it is unsafe on macOS."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # another system, or a Linux before 5.3
        return False
    return True


def _is_usual(cmd: list[str], kwargs: dict) -> bool:
    """`<this python> [option ...] -m ipykernel_launcher ...`, and nothing that only Popen can do."""
    python, *options = cmd[: cmd.index("-m")] if "-m" in cmd else cmd
    asked = {name for name, value in kwargs.items() if value is not None}
    folders = (kwargs["env"].get("PYTHONPATH") or os.sep).split(os.pathsep)
    return (
        python == sys.executable
        and all(option.startswith("-") for option in options)
        and cmd[len(options) + 1 : len(options) + 3] == ["-m", LAUNCHER]
        and asked <= {"env", "cwd", "kernel_id"}
        and all(Path(folder).is_absolute() for folder in folders)  # others depend on the kernel's own
    )


def _hides(cwd: Path, modules: dict[str, str]) -> bool:
    """Whether a plain kernel would find other modules, or matplotlib's settings, in its own folder."""
    for name, file in modules.items():
        for own in (cwd / f"{name}.py", cwd / name / "__init__.py"):
            if own.exists() and not own.samefile(file):
                return True
    return (cwd / "matplotlibrc").exists()


def _server(flags: list[str], env: dict[str, str], whole: bool = True) -> "_Server":
    """Find or start the server for such kernels; a server of older code ends with its last kernel."""
    global _current
    read = {name: value for name, value in env.items() if READ_AT_IMPORT.match(name)}
    with _lock:
        made_of = (flags, read, _code())
        if _current is None or _current.made_of != made_of or _current.died():
            _current = _Server(made_of, flags, env, FURTHER if whole else ())
        return _current


def _code() -> dict[str, int]:
    """When each module was last edited, and when a package was last installed."""
    installed = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    return {str(path): path.stat().st_mtime_ns for path in [*HERE.rglob("*.py"), *installed]}


class _Server:
    """A warm process. It ends with this object, or with this program however that ends."""

    def __init__(self, made_of: tuple, flags: list[str], env: dict[str, str], further: tuple[str, ...]):
        self.made_of = made_of
        self.modules: dict[str, str] = {}  # once it is ready: its packages and where they are
        self.control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *flags, "-c", START, str(theirs.fileno()), *further],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=os.sep,
                env=QUIET | env | {"MPLBACKEND": env.get("MPLBACKEND") or BACKEND},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the program, which then ends it
            )
        self.end = weakref.finalize(self, _end, self.control, self._process, self.modules)

    def died(self) -> bool:
        """It served and does no more; one that never did would not the next time either."""
        return bool(self.modules) and self._process.poll() is not None

    def wait(self) -> None:
        """Wait for the imports."""
        with self._lock:
            if not self.modules:
                self.control.settimeout(IMPORTS)
                said = self.control.makefile().readline()
                if not said.endswith("\n"):
                    raise ChildProcessError("the imports failed")
                self.modules |= json.loads(said)

    def fork(
        self, cmd: list[str], env: dict[str, str], cwd: Path, stdout: int = 1, stderr: int = 2
    ) -> "_Forked":
        """Have a kernel forked; it writes to the stdout and stderr of the program, as a plain one does."""
        status, theirs = socket.socketpair()
        status.settimeout(FORK)
        try:
            with theirs:
                socket.send_fds(self.control, [b"+"], [theirs.fileno(), stdout, stderr])
            if not (pid := status.recv(NUMBER.size)):
                raise ChildProcessError("the fork failed")
            status.sendall(json.dumps([cmd, env, str(cwd)]).encode())
            status.shutdown(socket.SHUT_WR)
        except OSError:
            status.close()  # a kernel that is told nothing ends at once
            raise
        return _Forked(self, status, *NUMBER.unpack(pid))


class _Forked:
    """A forked process, a kernel or one that answers calls, told and asked as a subprocess.Popen is."""

    stdin = stdout = stderr = None  # of a process that answers calls: the two ends of a socket

    def __init__(self, server: _Server, status: socket.socket, pid: int):
        self.pid = pid
        self.returncode: int | None = None
        self._server = server  # lives as long as its kernels
        self._status = status

    def poll(self, patience: float | None = 0) -> int | None:
        """Its exit code if it has ended."""
        if self.returncode is None:
            self._status.settimeout(patience)
            try:
                (self.returncode,) = NUMBER.unpack(self._status.recv(NUMBER.size))
            except BlockingIOError:
                return None
            except (ConnectionError, struct.error):  # its server was killed: nobody else sees to it
                kill(self.pid)
                self.returncode = -signal.SIGKILL
            self._status.close()
        return self.returncode

    def ended_within(self, seconds: float) -> None:
        """Wait until it has ended, at most so long."""
        if self.returncode is None:
            connection.wait([self._status], seconds)

    def wait(self) -> int:
        """Its exit code, waited for."""
        return self.poll(None)

    def send_signal(self, signum: int) -> None:
        """Signal the kernel, if it still runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # its end has not been told yet
                os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _end(control: socket.socket, process: subprocess.Popen, modules: dict[str, str]) -> None:
    """Let a server end: it kills its kernels when nobody is left to ask for them."""
    control.close()
    try:
        process.wait(1 if modules else 0)  # without, nobody has waited for its imports: it has no kernels
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _forget() -> None:
    """In a fork of this program: the server is the parent's, and must see the parent's end."""
    global _current, _lock
    if _current:
        _current.control.close()
    _current, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
