"""The warm process: it imports what notebooks need, forks a process at each order, and tells how it ended.

The process is a kernel, or answers calls as `tradelib.sources.apart` has them.
It holds modules, for a sweep the registers and the fonts too, and no data; it opens no socket but the two of
`tradelib.warm`, and runs one thread.
"""

import atexit
import gc
import importlib.util
import json
import logging
import os
import pkgutil
import select
import signal
import socket
import string
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

LAUNCHER = "ipykernel_launcher"
NUMBER = struct.Struct("q")  # what is told of a kernel: its process id, and at its end the exit code

ALPHABET = " ".join(string.ascii_letters + string.digits + string.punctuation)  # measured once for all
COLUMNS = 20  # of a table: what pandas shows where it is imported in a kernel; else as many as a terminal

#: What the notebooks and a kernel reach, also where they import it only when it is needed.
LIBRARIES = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "faulthandler",
    "sqlite3",
    "zmq.utils.garbage",
    "tornado.platform.asyncio",
    "encodings.idna",
    "pandas.core.reshape.reshape",
    "pandas.io.formats.style",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "matplotlib.style.core",
    "matplotlib.backends.backend_agg",
    "PIL.JpegImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.PpmImagePlugin",
    "tradelib.runs.check",
)
#: What only some notebooks reach; it takes as long again.
FURTHER = ("seaborn", "statsmodels.tsa.seasonal", "tradelib.studies")
#: The folders of tradelib whose rooms all notebooks reach; but for one, which asks all sources what they are.
FOLDERS, UNREACHED = ("tradelib.style", "tradelib.briefs"), "tradelib.briefs.codebook"


def libraries(further: Iterable[str] = ()) -> list[str]:
    """List what is always imported beforehand, and each room of what else is asked for."""
    folders = [*FOLDERS, *(name for name in further if name.startswith("tradelib."))]
    rooms = [
        f"{folder}.{room.name}"
        for folder in folders
        for room in pkgutil.iter_modules(importlib.import_module(folder).__path__)
    ]
    return [*LIBRARIES, *(room for room in rooms if room != UNREACHED), *further]


def serve() -> None:
    """Import, then fork kernels until the program has gone; each kernel comes out here and runs.

    The command line's arguments are the socket to the program, and further libraries. Through it go, once
    all is imported, the names of the modules and their files; then the program's orders, each with three
    descriptors: where the kernel is told what to be and the program how it ends, its stdout and its stderr.
    """
    came_to_end: list[bool] = []
    atexit.register(_leave, came_to_end)  # before all other hooks, so that it is called last
    control = socket.socket(fileno=int(sys.argv[1]))
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read by ipykernel at its import: whose end is its own
    given = dict(os.environ)
    for name in libraries(sys.argv[2:]):
        importlib.import_module(name)
    if pandas := sys.modules.get("pandas"):
        pandas.set_option("display.max_columns", COLUMNS)
    imports_set = dict(os.environ.items() - given.items())
    with suppress(ConnectionError):
        control.sendall(json.dumps(_top_modules()).encode() + b"\n")
    if sys.argv[2:]:
        _rehearse()
    gc.collect()
    gc.freeze()  # what is imported stays in memory that all kernels share
    born = _fork_on_order(control)
    if born is None:
        os._exit(0)
    _run_kernel(*born, imports_set)
    came_to_end.append(True)


def _rehearse() -> None:
    """Do what each of many kernels would do first: read the registers of a store here, and draw letters."""
    from tradelib import partners, releases
    from tradelib.store import files, vintages
    from tradelib.style import house

    with suppress(Exception):  # where something is damaged, a kernel tells
        partners.resolve("world")
        if not files.is_remote(files.store_path()):
            releases.all_releases()
            vintages.list_vintages()

    @house.styled
    def draw():
        fig, (ax,) = house.canvas()
        ax.bar(["A", "B"], [1, 2])
        return house.dress(fig, ALPHABET, title=ALPHABET, subtitle=ALPHABET)

    draw()._repr_mimebundle_()


def _leave(came_to_end: list[bool]) -> None:
    """End a kernel after its last exit hook: Python would take all modules apart first, for half a second."""
    gc.collect()  # what a cell has left open is written
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0 if came_to_end else 1)


def kill(pid: int) -> None:
    """End a kernel and what it started; itself alone, if it has no process group of its own yet."""
    for how in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            how(pid, signal.SIGKILL)


def _top_modules() -> dict[str, str]:
    """The packages and modules imported that a file beside a notebook could hide, and their files."""
    names = [name for name in sys.modules.keys() - sys.stdlib_module_names if "." not in name]
    files = {name: getattr(sys.modules[name], "__file__", None) for name in names}
    return {name: file for name, file in files.items() if file}


def _fork_on_order(control: socket.socket) -> list[int] | None:
    """In a kernel, its status, stdout and stderr; in the server None, once the program has gone."""
    kernels: dict[int, tuple[int, int]] = {}  # the kernel's pidfd: its process id and its status
    events = select.poll()
    events.register(control, select.POLLIN)
    while True:
        for event, _ in events.poll():
            if event in kernels:
                events.unregister(event)
                _see_off(event, *kernels.pop(event))
                continue
            order = None
            with suppress(ConnectionError):
                order, fds, *_ = socket.recv_fds(control, 1, 3)
            if not order:
                for pid, _ in kernels.values():
                    kill(pid)
                return None
            pid = _fork() if len(fds) == 3 else None
            if pid == 0:
                control.close()
                for other in (*kernels, *(status for _, status in kernels.values())):
                    os.close(other)
                return fds
            if pid:
                _tell(fds[0], pid)
                kernels[pidfd := os.pidfd_open(pid)] = pid, fds.pop(0)
                events.register(pidfd, select.POLLIN)
            for fd in fds:
                os.close(fd)


def _fork() -> int | None:
    """As os.fork; None where the system has no process to give."""
    with suppress(OSError):
        return os.fork()  # safe: the only other threads, OpenBLAS's and jemalloc's, see to themselves


def _see_off(pidfd: int, pid: int, status: int) -> None:
    """Tell how a kernel ended, and end what it left running."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    kill(pid)  # before its number can be another's
    _tell(status, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(status)
    os.close(pidfd)


def _tell(status: int, number: int) -> None:
    """Tell the program, if it still listens."""
    with suppress(ConnectionError):
        os.write(status, NUMBER.pack(number))


def _run_kernel(status: int, stdout: int, stderr: int, imports_set: dict[str, str]) -> None:
    """Be what `python -m ipykernel_launcher ...` would be; without a command, answer calls."""
    import numpy
    from ipykernel.kernelapp import IPKernelApp

    from tradelib.sources.apart import answer_calls

    class Kernel(IPKernelApp):
        """A kernel that ends at once: its control thread waited for that of IOPub, which had ended first."""

        def start(self) -> None:
            atexit.register(self.end_control)  # after all hooks of ipykernel's, so that it is called before
            super().start()

        def end_control(self) -> None:
            self.control_thread.stop()
            self.control_thread.join()

    os.setsid()
    with open(status, encoding="utf-8") as program:
        told = program.read()
    if not told:
        return
    cmd, env, cwd = json.loads(told)
    stdin = os.open(os.devnull, os.O_RDONLY) if cmd else os.dup(stdout)
    for number, stream in enumerate([stdin, stdout, stderr]):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env | imports_set, JPY_PARENT_PID=str(os.getppid()))
    if not cmd:
        answer_calls()
        return
    launcher = importlib.util.find_spec(LAUNCHER).origin
    sys.orig_argv, sys.argv = cmd, [launcher, *cmd[cmd.index(LAUNCHER) + 1 :]]
    numpy.random.seed()  # noqa: NPY002 (the old generator that notebooks use; random's own does so itself)
    Kernel.launch_instance()
