"""A function called in a process of its own, within bounds of memory and time.

The process is started once, serves one call after the other, and ends with this program. A call that takes
more than it may is ended, and the next one has a new process.
"""

import atexit
import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any

import psutil

from tradelib.errors import TradelibError
from tradelib.tables import CheckError

#: What a call may take, and more for each byte it is given: honest files need a quarter of it at most.
MEMORY, MEMORY_A_BYTE = 1_000_000_000, 40
SECONDS, SECONDS_A_BYTE = 20, 1e-6  # of work, so that a busy machine refuses nothing
LOOKS_S = 0.02  # between two looks at what it takes
START = "from tradelib.sources.apart import answer_calls; answer_calls()"


class Apart:
    """A process of its own for calls: started with the first, and anew after one that was ended.

    `fork` makes it quickly, or gives None where that cannot be.
    """

    def __init__(self, fork: Callable[[], Any] = lambda: None):
        self._lock, self._process, self._fork = threading.Lock(), None, fork

    def call(
        self,
        function: Callable,
        *given: object,
        memory: float,
        seconds: float,
        environment: dict[str, str],
    ) -> tuple[Any, TradelibError | None, list[str]]:
        """Call a function of a module: what it returns, the error it raises, and what it warns of."""
        with self._lock:
            process = self._running()
            watched = psutil.Process(process.pid)
            began, problem = sum(watched.cpu_times()[:2]), "the program that reads it was ended by it."

            answered: Future = Future()

            def exchange() -> None:
                try:
                    pickle.dump((function, given, environment), process.stdin, protocol=5)
                    process.stdin.flush()
                    answered.set_result(pickle.load(process.stdout))
                except BaseException as error:  # raised where it is waited for
                    answered.set_exception(error)

            # no pool's thread: a program does not end before those, and this one may wait for long
            threading.Thread(target=exchange, daemon=True).start()
            try:
                while not wait([answered], LOOKS_S).done and process.poll() is None:
                    with suppress(psutil.Error):
                        if watched.memory_info().rss > memory:
                            problem = f"it takes more than {memory / 1e6:,.0f} MB of memory to read."
                            process.kill()
                        elif sum(watched.cpu_times()[:2]) - began > seconds:
                            problem = f"it takes more than {seconds:.0f} seconds to read."
                            process.kill()
                return answered.result()
            except (OSError, EOFError, pickle.UnpicklingError):
                process.kill()
                process.wait()  # its pipes close before it has ended: the next call must not be given to it
                raise CheckError(problem, "No publisher's file is like that: see what it is.") from None
            except BaseException:  # somebody pressed Ctrl-C
                process.kill()
                raise

    def _running(self) -> subprocess.Popen:
        if self._process is None or self._process.poll() is not None:
            self._process = self._fork() or _started()
            atexit.register(self.end)
        return self._process

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process:
            self._process.kill()
            self._process.wait()


def _started() -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        cwd=os.sep,
    )


_reader = Apart()


def call(function: Callable, *given: object, size: int) -> Any:
    """Call a function of a module with values of `size` bytes; what it raises, or warns of, is so here."""
    bounds = {"memory": MEMORY + MEMORY_A_BYTE * size, "seconds": SECONDS + SECONDS_A_BYTE * size}
    answer, error, notes = _reader.call(function, *given, environment=dict(os.environ), **bounds)
    for note in notes:
        warnings.warn(note, stacklevel=3)
    if error:
        raise error
    return answer


def answer_calls() -> None:
    """Be that process: call what comes, and answer, until nobody asks any more."""
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        try:
            function, given, environment = pickle.load(orders)
        except (EOFError, KeyboardInterrupt):
            return
        os.environ.clear()
        os.environ.update(environment)
        pickle.dump(_outcome(function, given), answers, protocol=5)
        answers.flush()


def _outcome(function: Callable, given: tuple) -> tuple[Any, TradelibError | None, list[str]]:
    """What a function returns, the error it raises, and what it warns of."""
    answer, raised = None, None
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        try:
            answer = function(*given)
        except TradelibError as error:
            raised = error
        except Exception as error:  # whatever was not foreseen: the user needs the same
            raised = CheckError(f"it is not what it looks like ({type(error).__name__}: {str(error)[:200]}).")
    return answer, raised, [str(note.message) for note in noted if note.category is UserWarning]
