"""Kernels forked from the warm process: the same as plain ones, kept apart, and gone with their program."""

import asyncio
import json
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import nbclient
import nbformat
import psutil
import pytest
from helpers import LEAN_START, ROOT
from jupyter_client import KernelManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from traitlets.config import Config

from tradelib.runs import engine, execution, warm, warm_process
from tradelib.runs.jobs import Notebook
from tradelib.sources.apart import Apart
from tradelib.tables import CheckError

WARM, PLAIN = "tradelib-warm", "python3"
RELEASE = ROOT / "notebooks" / "release.ipynb"
PARENT = "import os; print(os.getppid())"
PROGRAMS: list[subprocess.Popen] = []  # other programs that a test started
SERVERS: dict[bool, warm._Server] = {}  # those of the tests before, lean ones and whole ones
pytestmark = pytest.mark.skipif(not warm._can_fork(), reason="no fork here: kernels start the plain way")


@pytest.fixture(scope="module", autouse=True)
def servers():
    """No server of this module outlives it."""
    yield
    SERVERS.clear()
    warm._current = None


def lean(change=setattr) -> None:
    """Let servers import as little as they may."""
    change(warm, "START", LEAN_START)
    change(warm, "FURTHER", ())


@pytest.fixture
def whole():
    """Of a test to which it matters what the server has imported."""


@pytest.fixture(autouse=True)
def warm_kernels(request, monkeypatch):
    """Each test here says itself which kernel it wants; the server is lean, but where imports are tested."""
    if not (all_of_it := "whole" in request.fixturenames):
        lean(monkeypatch.setattr)
    warm._current = SERVERS.pop(all_of_it, None)
    yield
    if warm._current and warm._current.modules and not warm._current.died():
        SERVERS[all_of_it] = warm._current


@pytest.fixture(autouse=True)
def no_program_is_left():
    """A test that fails leaves none of its programs behind."""
    yield
    while PROGRAMS:
        with suppress(ProcessLookupError):
            os.killpg(PROGRAMS.pop().pid, signal.SIGKILL)


def execute(*cells: str, kernel: str = WARM, **options):
    """Run cells with nbclient; the client, its notebook with the outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(notebook, kernel_name=kernel, timeout=300, **options)
    client.execute()
    return client


def printed(client, cell: int = -1) -> str:
    outputs = client.nb.cells[cell].outputs
    return "".join(output.text for output in outputs if output.get("name") == "stdout").strip()


def run(*cells: str, **options) -> str:
    """What the last cell prints."""
    return printed(execute(*cells, **options))


def started(name: str = WARM, **options):
    """A running kernel, its client, and a function that runs code in it and gives what it prints."""
    manager = KernelManager(kernel_name=name)
    manager.start_kernel(**options)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=300)

    def tell(code: str) -> str:
        heard = []
        hook = lambda message: heard.append(message["content"].get("text", ""))  # noqa: E731
        reply = client.execute_interactive(code, output_hook=hook, timeout=300)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(heard).strip()

    return manager, client, tell


@contextmanager
def kernel(name: str = WARM, **options):
    """A running kernel, and what runs code in it; it is shut down afterwards."""
    manager, client, tell = started(name, **options)
    try:
        yield manager, tell
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def is_warm(parent: str) -> bool:
    """Whether a kernel's parent is the server."""
    return psutil.Process(int(parent)).cmdline()[1:3] == ["-c", warm.START]


def wait_until(true, seconds: float = 300) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def gone(*pids: int) -> bool:
    """Whether these processes have ended; nobody may have collected a child of this one yet."""
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


# --- every way of starting a kernel -------------------------------------------------------------


def test_what_few_notebooks_need_is_imported_only_for_many(whole):
    loaded = "import sys; print('statsmodels.tsa.seasonal' in sys.modules)"
    for whole in (False, True):
        warm._current = None  # the server made last is that of the tests below
        warm.warm_up(whole=whole)
        assert run(loaded) == str(whole)


def test_nbclient_runs_a_notebook_in_a_fork_with_pandas_imported(whole):
    parent, has = run("import os, sys; print(os.getppid(), 'pandas' in sys.modules)").split()
    assert int(parent) != os.getpid()
    assert is_warm(parent)
    assert has == "True"


def test_papermill_runs_a_notebook_in_a_fork(tmp_path):
    import papermill  # it takes long, and the programs below import this file

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PARENT)])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    paths = str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb")
    finished = papermill.execute_notebook(*paths, kernel_name=WARM, progress_bar=False)
    assert is_warm(finished.cells[0].outputs[0].text)


def test_what_a_cell_prints_in_pieces_is_one_output_in_the_finished_notebook(tmp_path):
    pieces = "import sys, time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.3)"
    cells = [nbformat.v4.new_code_cell(pieces), nbformat.v4.new_code_cell("print(3)\n4")]
    text = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    finished = execution.execute(Notebook("pieces.ipynb", text), {}, tmp_path, kernel=WARM)
    assert [[o.get("text", "").split() for o in cell.outputs] for cell in finished.cells] == [
        [["0", "1", "2"]],
        [["3"], []],
    ]


def test_an_environment_variable_makes_any_python_kernel_warm(monkeypatch):
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", WARM)
    script = f"import test_warm as it; it.lean(); print(it.is_warm(it.run({PARENT!r}, kernel='python3')))"
    assert outcome(script).stdout.strip() == "True"


def test_jupyterlab_starts_interrupts_restarts_and_shuts_down():
    async def steps():
        manager = AsyncMultiKernelManager()
        key = await manager.start_kernel(kernel_name=WARM)
        one = manager.get_kernel(key)
        first = one.provisioner.process.pid
        client = one.client()
        client.start_channels()
        await client.wait_for_ready(timeout=300)
        client.execute("import time; print('begun', flush=True); time.sleep(60)")
        while (await client.get_iopub_msg(timeout=300))["msg_type"] != "stream":
            pass
        await manager.interrupt_kernel(key)
        reply = await client.get_shell_msg(timeout=300)
        await manager.restart_kernel(key)
        second = one.provisioner.process.pid
        await client.wait_for_ready(timeout=300)
        client.stop_channels()
        alive = await manager.is_alive(key)
        await manager.shutdown_kernel(key)
        return first, second, alive, reply["content"]

    first, second, alive, reply = asyncio.run(steps())
    assert reply["ename"] == "KeyboardInterrupt"
    assert alive
    assert first != second
    assert wait_until(lambda: gone(first, second))


def test_several_kernels_start_at_once():
    async def start(manager):
        key = await manager.start_kernel(kernel_name=WARM)
        return manager.get_kernel(key).provisioner.process.pid

    async def steps():
        manager = AsyncMultiKernelManager()
        pids = await asyncio.gather(*(start(manager) for _ in range(4)))
        parents = {psutil.Process(pid).ppid() for pid in pids}
        await manager.shutdown_all(now=True)
        return pids, parents

    warm._current = None
    pids, parents = asyncio.run(steps())
    assert len(set(pids)) == 4
    assert len(parents) == 1
    assert wait_until(lambda: gone(*pids))


def test_the_loop_of_the_program_runs_on_while_the_server_imports(monkeypatch):
    async def steps():
        warm._current = None
        ticks = 0
        manager = AsyncMultiKernelManager()
        started = asyncio.create_task(manager.start_kernel(kernel_name=WARM))
        while not started.done():
            await asyncio.sleep(0.02)
            ticks += 1
        await manager.shutdown_all(now=True)
        return ticks

    assert asyncio.run(steps()) > 10


def test_a_server_warmed_up_beforehand_is_the_one_that_kernels_come_from():
    warm._current = None
    warm.warm_up()
    server = str(warm._current._process.pid)
    assert run(PARENT) == server and is_warm(server)


def test_what_is_cooled_down_is_gone_and_a_process_that_is_killed_too():
    warm.warm_up()
    server = warm._current._process.pid
    warm.cool_down()
    assert warm._current is None and wait_until(lambda: gone(server))
    sleeper = subprocess.Popen(["sleep", "60"], start_new_session=True)
    warm_process.kill(sleeper.pid)
    assert sleeper.wait() == -9
    warm_process.kill(sleeper.pid)  # one that has ended is no error


# --- processes that answer calls ----------------------------------------------------------------


def test_calls_are_answered_by_a_fork_that_has_its_imports_and_ends_with_the_server(monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", "secret")
    warm.warm_up()
    server, apart = warm._current._process.pid, Apart(warm.answering)
    bounds = {"memory": 1e9, "seconds": 999, "environment": {"OWN": "1"}}
    (pid, *_), (parent, *_) = apart.call(os.getpid, **bounds), apart.call(os.getppid, **bounds)
    assert parent == server and is_warm(str(server))
    assert apart.call(os.getenv, "OWN", **bounds)[0] == "1"
    assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert apart.call(os.getcwd, **bounds)[0] == "/"
    assert isinstance(apart.call(int, "x", **bounds)[1], CheckError)
    with pytest.raises(CheckError, match="seconds to read"):
        apart.call(math.factorial, 10**8, **bounds | {"seconds": 0.2})
    assert apart.call(os.getppid, **bounds)[0] == server
    warm.cool_down()
    assert wait_until(lambda: apart._process.poll() is not None)
    assert apart.call(abs, -1, **bounds)[0] == 1
    apart.end()


def test_without_a_fork_calls_are_answered_by_a_process_that_starts_the_plain_way(monkeypatch):
    monkeypatch.setattr(warm, "_current", None)
    monkeypatch.setattr(warm, "START", "import nothing_of_that_name")
    assert warm.answering() is None
    monkeypatch.delattr(os, "pidfd_open")
    apart = Apart(warm.answering)
    bounds = {"memory": 1e9, "seconds": 999, "environment": {}}
    assert apart.call(os.getppid, **bounds)[0] == os.getpid()
    apart.end()


# --- nothing is carried over --------------------------------------------------------------------

MARK = """
import os, random, sys
import matplotlib, numpy as np, pandas as pd
mark = pd.mark = sys.mark = os.environ["MARK"] = "here"
matplotlib.rcParams["font.size"] = 33
pd.set_option("display.max_rows", 7)
os.chdir("/")
sys.path.append("/nowhere")
"""
LOOK = """
import os, random, sys
import matplotlib, numpy as np, pandas as pd
print(["mark" in globals(), hasattr(pd, "mark"), hasattr(sys, "mark"), "MARK" in os.environ,
       matplotlib.rcParams["font.size"] == 33, pd.get_option("display.max_rows") == 7,
       os.getcwd() == "/", "/nowhere" in sys.path])
"""
CLEAN = str([False] * 8)
RANDOM = "import random, numpy as np, uuid; print(random.random(), np.random.rand(), uuid.uuid4())"


def test_a_kernel_leaves_no_state_to_the_next():
    assert run(MARK, LOOK) == str([True] * 8)
    assert run(LOOK) == CLEAN


def test_kernels_at_the_same_time_share_no_state():
    with kernel() as (_, one), kernel() as (_, other):
        one(MARK)
        assert other(LOOK) == CLEAN
        assert one(LOOK) == str([True] * 8)


def test_kernels_draw_different_random_numbers():
    with kernel() as (_, one), kernel() as (_, other):
        drawn = one(RANDOM).split(), other(RANDOM).split(), run(RANDOM).split()
    assert all(len(set(numbers)) == 3 for numbers in zip(*drawn, strict=True))


def test_a_kernel_holds_no_descriptor_of_the_server_or_of_another_kernel():
    held = "import psutil; print(len(psutil.Process().net_connections('unix')))"
    quiet = ["--HistoryManager.hist_file=:memory:"]
    with kernel(), kernel():
        assert run(held, extra_arguments=quiet) == run(held, kernel=PLAIN)


# --- the same results as a plain kernel ---------------------------------------------------------

SURROUNDINGS = """
import gc, json, logging, multiprocessing, os, re, signal, sys, threading
import matplotlib, statsmodels.regression.linear_model
def name(handler):
    return getattr(handler, "__qualname__", str(handler))
def short(words):
    return [re.sub(r".*\\.json$", "file", word) for word in words]
print(json.dumps({
    "env": {key: value for key, value in os.environ.items() if not key.startswith("JPY_")},
    "cwd": os.getcwd(), "argv": short(sys.argv), "orig_argv": short(sys.orig_argv), "path": sys.path,
    "name": __name__, "main": vars(sys.modules["__main__"]) is globals(),
    "signals": {str(number): name(signal.getsignal(number)) for number in signal.valid_signals()},
    "masks": re.findall("Sig(?:Blk|Ign|Cgt):.*", open("/proc/self/status").read()),
    "matplotlib": {key: str(value) for key, value in matplotlib.rcParams.items()},
    "backend": matplotlib.get_backend(), "flags": str(sys.flags), "executable": sys.executable,
    "leads": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
    "parent": os.getppid() == int(os.environ["JPY_PARENT_PID"]),
    "streams": [str(sys.__stdout__), str(sys.__stderr__), os.read(0, 1).decode(), os.isatty(1)],
    "threads": sorted(thread.name.split("-")[0] for thread in threading.enumerate()),
    "method": multiprocessing.get_start_method(), "root": str(logging.getLogger().handlers),
    "gc": gc.get_threshold(),
}))
"""
FIGURE = """
import matplotlib.pyplot as plt
plt.plot([1, 3, 2]); plt.title("three")
"""


def both(*cells: str, **options) -> tuple[list, list]:
    """The notebook's outputs in a warm and in a plain kernel, both started as the kernel of one spec."""
    quiet = ["--HistoryManager.hist_file=:memory:"]  # nbclient's own, for kernels called python3
    forked = execute(*cells, extra_arguments=quiet, **options)
    return forked.nb.cells, execute(*cells, kernel=PLAIN, **options).nb.cells


def test_a_kernel_finds_the_surroundings_of_a_plain_one(tmp_path, whole):
    cells = both(SURROUNDINGS, resources={"metadata": {"path": str(tmp_path)}})
    mine, plain = (json.loads(kind[0].outputs[-1].text) for kind in cells)
    assert mine["cwd"] == str(tmp_path)
    assert mine["backend"].endswith("inline")
    for what in plain:
        assert mine[what] == plain[what], what


def test_a_figure_is_shown_as_in_a_plain_kernel(whole):
    mine, plain = both(FIGURE)
    assert mine[0].outputs[-1].data["image/png"] == plain[0].outputs[-1].data["image/png"]


def test_a_wide_table_is_shown_as_in_a_plain_kernel(whole):
    """The page of a notebook that shows one was not the same when it was replayed."""
    mine, plain = both("import pandas as pd\npd.DataFrame([range(10**9, 10**9 + 24)])")
    assert mine[0].outputs[-1].data == plain[0].outputs[-1].data


def test_exit_hooks_run_and_a_session_name_and_key_reach_the_kernel(tmp_path):
    left = tmp_path / "left"
    with kernel(env=os.environ | {"SPECIAL": "yes"}) as (manager, tell):
        assert tell("import os; print(os.environ['SPECIAL'])") == "yes"
        tell(f"import atexit; atexit.register(open, {str(left)!r}, 'w')")
        process = manager.provisioner.process
        manager.shutdown_kernel()
    assert process.returncode == 0
    assert left.exists()


STOPPING = """
import threading, time
from ipykernel.iostream import OutStream
from ipykernel.kernelapp import IPKernelApp
def slowly(stream, app=IPKernelApp.instance(), flush=OutStream.flush, file=open({path!r}, "w")):
    if threading.current_thread() is app.control_thread:
        time.sleep(1)
        print(app.iopub_thread.thread.is_alive(), file=file, flush=True)
    flush(stream)
OutStream.flush = slowly
"""


def test_a_kernel_does_not_wait_for_a_thread_that_has_ended(tmp_path):
    """The control thread, told to shut down, flushes through that of IOPub: it hung where that had ended."""
    with kernel() as (manager, tell):
        tell(STOPPING.format(path=str(tmp_path / "alive")))
        manager.shutdown_kernel()
    assert set((tmp_path / "alive").read_text().split()) == {"True"}


@pytest.mark.parametrize("name", [WARM, "python3"])
def test_a_run_hears_all_that_its_kernel_tells_though_it_waits_for_no_silence(tmp_path, name):
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)")]))
    for _ in range(3):
        finished = execution.execute(Notebook("one.ipynb", text), {}, tmp_path, kernel=name)
        assert [output.text for output in finished.cells[0].outputs] == ["1\n"]


def test_a_kernel_that_dies_before_it_answers_is_told(tmp_path, monkeypatch):
    async def dead(self):
        return False

    async def unheard(self, question):
        return False

    monkeypatch.setattr(engine.Client, "_is_heard", unheard)
    monkeypatch.setattr(engine.Client, "is_alive", dead)
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]))
    with pytest.raises(execution.NotebookFailed, match="Kernel died before replying"):
        execution.execute(Notebook("one.ipynb", text), {}, tmp_path, kernel=WARM)


LEFT_OPEN = """
import logging.handlers, os, threading, time
class Own: pass
os.chdir({folder!r})
left = open("left", "w"); left.write("a line")
ring = Own(); ring.me = ring; ring.file = open("ring", "w"); ring.file.write("in a ring")
kept = logging.handlers.MemoryHandler(9, 99, logging.FileHandler("log"))
kept.emit(logging.makeLogRecord({{"msg": "a record", "levelno": 20}}))
logging.getLogger("own").addHandler(kept)
def slowly():
    time.sleep(0.5)
    with open("thread", "w") as file: file.write("a thread")
threading.Thread(target=slowly).start()
"""


def test_what_a_cell_leaves_open_is_written_at_the_end(tmp_path):
    with kernel() as (manager, tell):
        tell(LEFT_OPEN.format(folder=str(tmp_path)))
        process = manager.provisioner.process
        manager.shutdown_kernel()
    assert process.returncode == 0
    told = {path.name: path.read_text().strip() for path in tmp_path.iterdir()}
    assert told == {"left": "a line", "ring": "in a ring", "log": "a record", "thread": "a thread"}


def test_variables_read_at_import_are_those_of_the_kernel(monkeypatch, whole):
    with monkeypatch.context() as patch:
        patch.setattr(warm, "_current", warm._current)  # the tests below go on with the server that was there
        patch.setattr(warm, "FURTHER", ())
        with kernel(env=os.environ | {"MPLBACKEND": "svg"}) as (manager, tell):
            assert tell("import matplotlib; print(matplotlib.get_backend())").lower() == "svg"
            assert is_warm(psutil.Process(manager.provisioner.process.pid).ppid())


def test_libraries_that_run_threads_work_in_a_fork(whole):
    code = """
    import duckdb, numpy as np, polars as pl, pyarrow.compute as pc
    table = pl.DataFrame({"group": np.arange(200_000) % 7, "one": np.ones(200_000)})
    print(table.group_by("group").sum()["one"].sum(), pc.sum(table.to_arrow()["one"]),
          duckdb.sql("select count(*) from range(200000)").fetchall()[0][0],
          (np.ones((600, 600)) @ np.ones((600, 600))).sum())
    """
    assert run(textwrap.dedent(code)) == "200000.0 200000.0 200000 216000000.0"


def test_the_debugger_stops_at_a_breakpoint():
    code = "def f(a):\n    b = a + 1\n    return b\nf(3)"
    with kernel() as (manager, _):
        client = manager.client()
        client.start_channels()

        def debug(command: str, **arguments) -> dict:
            content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
            client.control_channel.send(client.session.msg("debug_request", content))
            return client.control_channel.get_msg(timeout=300)["content"]

        assert debug("initialize", clientID="test", adapterID="", pathFormat="path")["success"]
        assert debug("attach")["success"]
        source = {"path": debug("dumpCell", code=code)["body"]["sourcePath"]}
        debug("setBreakpoints", breakpoints=[{"line": 2}], source=source)
        debug("configurationDone")
        client.execute(code)
        events = []
        while "stopped" not in events:
            events.append(client.get_iopub_msg(timeout=300)["content"].get("event"))
        frames = debug("stackTrace", threadId=1)["body"]["stackFrames"]
        client.stop_channels()
    assert frames[0]["line"] == 2


@pytest.mark.parametrize("name", ["seaborn.py", "pandas/__init__.py", "matplotlibrc"])
def test_a_file_that_hides_a_library_is_found_as_by_a_plain_kernel(tmp_path, name, whole):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("font.size: 23\n" if name == "matplotlibrc" else "mine = True\n")
    look = {
        "seaborn.py": "import seaborn; print(seaborn.mine)",
        "pandas/__init__.py": "import pandas; print(pandas.mine)",
        "matplotlibrc": "import matplotlib; print(matplotlib.rcParams['font.size'] == 23)",
    }
    assert run(look[name], resources={"metadata": {"path": str(tmp_path)}}) == "True"


def test_other_files_and_tradelib_itself_hide_nothing(tmp_path, whole):
    (tmp_path / "notes.py").write_text("")
    (tmp_path / "pandas").mkdir()  # a folder of data
    assert is_warm(run(PARENT, resources={"metadata": {"path": str(tmp_path)}}))
    assert is_warm(run(PARENT, resources={"metadata": {"path": str(RELEASE.parents[1])}}))


# --- death and time -----------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_a_kernel_that_dies_is_told_and_the_next_one_works(end):
    with pytest.raises(DeadKernelError):
        execute(f"import os; {end}")
    assert is_warm(run(PARENT))


@pytest.mark.parametrize(("end", "code"), [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9)])
def test_the_exit_code_is_that_of_the_kernel(end, code):
    with kernel() as (manager, tell):
        process = manager.provisioner.process
        assert process.poll() is None
        tell(f"import os, threading; threading.Timer(0.2, lambda: {end}).start()")
        assert process.wait() == code
        assert process.poll() == code
        process.send_signal(signal.SIGTERM)  # to nobody, and no error


def test_what_a_dead_kernel_started_ends_with_it():
    with kernel() as (manager, tell):
        child = int(tell("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"))
        assert psutil.pid_exists(child)
        tell("import os, threading; threading.Timer(0.2, os._exit, [3]).start()")
        manager.provisioner.process.wait()
        assert wait_until(lambda: gone(child))


def test_a_cell_that_takes_too_long_is_interrupted():
    slow = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(slow)])
    client = nbclient.NotebookClient(notebook, kernel_name=WARM, timeout=2, interrupt_on_timeout=True)
    client.execute()
    assert "interrupted" in printed(client)


def test_a_kernel_that_ignores_interrupts_is_ended_after_the_timeout():
    deaf = "import os, signal, time\nprint(os.getpid(), flush=True)\nsignal.signal(2, 1)\ntime.sleep(60)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(deaf)])
    patience = Config({"KernelManager": {"shutdown_wait_time": 1}})
    client = nbclient.NotebookClient(notebook, kernel_name=WARM, timeout=2, config=patience)
    with pytest.raises(CellTimeoutError):
        client.execute()
    assert wait_until(lambda: gone(int(printed(client))))
    assert is_warm(run(PARENT))


# --- nothing is left behind ---------------------------------------------------------------------

BUSY = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
print(os.getppid(), os.getpid(), child.pid, file=open({report!r}, "w"), flush=True)
{then}
"""


def program(script: str, *paths: Path) -> subprocess.Popen:
    """Start another program with this module to hand."""
    lean = "import sys; sys.modules['rfc3987_syntax'] = None\n"  # as in conftest
    command = [sys.executable, "-c", lean + textwrap.dedent(script)]
    folders = [*paths, Path(__file__).parent, ROOT / "tests" / "support", ROOT]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    here = paths[0] if paths else None
    started = subprocess.Popen(command, env=env, cwd=here, text=True, start_new_session=True, **pipes)
    PROGRAMS.append(started)
    return started


def outcome(script: str, *paths: Path) -> subprocess.CompletedProcess:
    started = program(script, *paths)
    out, err = started.communicate(timeout=300)
    return subprocess.CompletedProcess(script, started.returncode, out, err)


def reported(report: Path) -> list[int]:
    """The server, the kernel and what the kernel started, once the cell runs."""
    assert wait_until(lambda: report.exists() and len(report.read_text().split()) == 3)
    return [int(pid) for pid in report.read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_the_program_is_ended_within_a_cell(tmp_path, number):
    cell = BUSY.format(report=str(tmp_path / "pids"), then="time.sleep(600)")
    client = program(f"import test_warm; test_warm.lean(); test_warm.run({cell!r})")
    pids = reported(tmp_path / "pids")
    os.killpg(client.pid, number)  # as a terminal does
    client.communicate(timeout=300)
    assert wait_until(lambda: gone(*pids))


def test_nothing_is_left_when_the_program_ends_without_shutting_its_kernels_down(tmp_path):
    cell = BUSY.format(report=str(tmp_path / "pids"), then="")
    script = f"""
    import test_warm
    test_warm.lean()
    *held, tell = test_warm.started()
    tell({cell!r})
    """
    client = program(script)
    pids = reported(tmp_path / "pids")
    client.communicate(timeout=300)
    assert client.returncode == 0
    assert wait_until(lambda: gone(*pids))


def test_a_fork_of_the_program_has_a_server_of_its_own_and_does_not_keep_the_parents(tmp_path):
    script = f"""
    import os, test_warm, time
    from tradelib.runs import warm
    test_warm.lean()
    def server():
        warm.warm_up()
        warm._current.wait()
        return warm._current._process.pid
    mine = server()
    held = warm._current  # as its kernels do
    if os.fork() == 0:
        print(mine, server(), os.getpid(), file=open({str(tmp_path / "pids")!r}, "w"), flush=True)
    time.sleep(600)
    """
    client = program(script)
    mine, theirs, child = reported(tmp_path / "pids")
    assert mine != theirs
    client.kill()
    client.wait()
    assert wait_until(lambda: gone(mine))
    assert not gone(theirs)
    os.kill(child, signal.SIGKILL)
    client.communicate(timeout=300)
    assert wait_until(lambda: gone(theirs))


def test_a_kernel_ends_with_a_server_that_is_killed_and_the_program_sees_it(tmp_path):
    with kernel() as (manager, tell):
        tell(BUSY.format(report=str(tmp_path / "pids"), then=""))
        parent, pid, child = reported(tmp_path / "pids")
        os.kill(parent, signal.SIGKILL)
        assert wait_until(lambda: not manager.is_alive())
        assert wait_until(lambda: gone(pid, child))
    assert is_warm(run(PARENT))


# --- code that changes --------------------------------------------------------------------------


def test_an_edited_module_is_used_by_the_next_kernel_and_the_old_server_ends_with_its_last(monkeypatch):
    with kernel() as (_, tell):
        old = tell(PARENT)
        edited = warm._code() | {str(warm.HERE / "balances.py"): 0}
        monkeypatch.setattr(warm, "_code", lambda: edited)
        new = run(PARENT)
        assert is_warm(new)
        assert new != old == tell(PARENT)
    del _, tell
    assert wait_until(lambda: gone(int(old)))
    assert run(PARENT) == new


def test_code_is_new_when_a_module_was_edited_or_a_package_installed(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "charts.py").write_text("")
    monkeypatch.setattr(warm, "HERE", tmp_path)
    monkeypatch.setattr(warm.sysconfig, "get_path", lambda name: str(tmp_path / "site"))
    before = warm._code()
    assert warm._code() == before
    os.utime(tmp_path / "charts.py", ns=(1, 1))
    edited = warm._code()
    assert edited != before
    os.utime(tmp_path / "site", ns=(1, 1))
    assert warm._code() not in (before, edited)


def test_a_running_program_gets_the_new_code_of_a_module_edited_meanwhile(tmp_path):
    package = warm.HERE
    shutil.copytree(package, tmp_path / "tradelib", ignore=shutil.ignore_patterns("data"))
    script = f"""
    import test_warm
    from tradelib.runs import warm
    test_warm.lean()  # it imports that module all the same, as tradelib does
    module = warm.HERE / "briefs" / "turning.py"
    assert str(module).startswith({str(tmp_path)!r})
    look = "import tradelib.briefs.turning as it, os; print(getattr(it, 'edited', 'as it was'))"
    print(test_warm.run(look))
    module.write_text(module.read_text() + "\\nedited = 'new'")
    print(test_warm.run(look))
    print(test_warm.is_warm(test_warm.run(test_warm.PARENT)))
    """
    ended = outcome(script, tmp_path)
    assert ended.stdout.splitlines() == ["as it was", "new", "True"], ended.stderr


# --- the plain way ------------------------------------------------------------------------------


def test_without_fork_a_plain_kernel_starts(monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    assert run(PARENT) == str(os.getpid())
    warm._current = None
    warm.warm_up()
    assert warm._current is None


def test_the_module_can_be_imported_where_the_system_has_none_of_it():
    script = """
    import os, signal, jupyter_client.provisioning, tradelib
    del os.fork, os.pidfd_open, os.register_at_fork, os.killpg, signal.SIGKILL
    from tradelib.runs import warm
    warm.warm_up()
    print(warm._can_fork(), warm._current)
    """
    ended = outcome(script)
    assert ended.stdout.strip() == "False None", ended.stderr


@pytest.mark.parametrize(
    ("cmd", "kwargs"),
    [
        (["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "x"], {}),
        ([sys.executable, "-m", "xpython", "-f", "x"], {}),
        ([sys.executable, "script.py", "-m", "ipykernel_launcher"], {}),
        ([sys.executable], {}),
        ([sys.executable, "-m", "ipykernel_launcher"], {"stdout": subprocess.PIPE}),
        ([sys.executable, "-m", "ipykernel_launcher"], {"independent": True}),
        ([sys.executable, "-m", "ipykernel_launcher"], {"env": {"PYTHONPATH": "src"}}),
    ],
)
def test_another_command_is_not_forked(cmd, kwargs):
    assert not warm._is_usual(cmd, {"env": {}} | kwargs)


def test_options_of_the_interpreter_reach_the_server():
    cmd = [sys.executable, "-Xfrozen_modules=off", "-W", "-m", "ipykernel_launcher", "-f", "x"]
    assert warm._is_usual(cmd[:2] + cmd[3:], {"env": {}, "cwd": "/", "kernel_id": "x"})
    server = warm._Server((), ["-Xdev"], dict(os.environ), ())
    assert wait_until(lambda: psutil.Process(server._process.pid).cmdline()[1:2] == ["-Xdev"])


def test_a_kernel_asked_for_its_stdout_is_a_plain_one():
    with kernel(stdout=subprocess.DEVNULL) as (_, tell):
        assert tell(PARENT) == str(os.getpid())


def test_where_the_server_cannot_start_a_plain_kernel_does_and_says_so(monkeypatch, caplog, capfd):
    monkeypatch.setattr(warm, "_current", None)
    monkeypatch.setattr(warm, "START", "import nothing_of_that_name")
    with caplog.at_level(logging.WARNING):
        assert run(PARENT) == str(os.getpid())
    assert "the imports failed" in caplog.text
    assert "nothing_of_that_name" in capfd.readouterr().err


def test_a_folder_that_is_not_there_is_the_same_error_as_from_a_plain_kernel(tmp_path):
    for name in (WARM, PLAIN):
        with pytest.raises(FileNotFoundError):
            KernelManager(kernel_name=name).start_kernel(cwd=str(tmp_path / "nowhere"))


def test_a_failed_fork_leaves_the_server_and_its_kernels_alone(monkeypatch):
    with kernel() as (_, tell):
        server = int(tell(PARENT))
        limit = psutil.Process(server).rlimit(psutil.RLIMIT_NOFILE)
        psutil.Process(server).rlimit(psutil.RLIMIT_NOFILE, (5, limit[1]))
        try:
            assert run(PARENT) == str(os.getpid())
        finally:
            psutil.Process(server).rlimit(psutil.RLIMIT_NOFILE, limit)
        assert run(PARENT) == tell(PARENT) == str(server)


def test_the_server_starts_no_thread_of_python_and_reads_no_data(tmp_path):
    script = """
    import importlib, sys, threading
    opened = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    from tradelib.runs.warm_process import FURTHER, libraries
    for name in libraries(FURTHER):
        importlib.import_module(name)
    print(threading.active_count(), [path for path in opened if path.endswith((".parquet", ".csv"))])
    print([name for name in ("tqdm.auto", "matplotlib_inline.backend_inline", "zmq.Context._instance")
           if name in sys.modules])
    """
    assert outcome(script).stdout.split("\n")[:2] == ["1 []", "[]"]


@pytest.mark.parametrize("name", ["release", "partners", "revisions", "seasonal"])
def test_a_notebook_finds_nearly_all_it_needs_imported(name, whole):
    notebook = nbformat.read(RELEASE.with_stem(name), as_version=4)
    before, after = "import sys; loaded = set(sys.modules)", "print(*sorted(set(sys.modules) - loaded))"
    cells = [nbformat.v4.new_code_cell(before), *notebook.cells, nbformat.v4.new_code_cell(after)]
    notebook.cells = cells
    client = nbclient.NotebookClient(notebook, kernel_name=WARM, timeout=300)
    client.execute()
    late = printed(client).split()
    assert not [module for module in late if module.startswith(("tradelib", "statsmodels", "matplotlib"))]
    assert len(late) < 40, late
