"""Windows and macOS, played on this machine: without the forks, links and letters of Linux."""

import ast
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import warnings
from functools import cache
from importlib.metadata import requires
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import LAST_CELL, ROOT, book_of

from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.partners import all_partners, own_groups, partner
from tradelib.runs import plan
from tradelib.store import files
from tradelib.studies import changes

MODULES = sorted((ROOT / "tradelib").rglob("*.py"))
#: What only Linux has, or has first; taken away before tradelib is imported.
LACKING = (
    "os.fork",
    "os.pidfd_open",
    "os.register_at_fork",
    "os.killpg",
    "os.sched_getaffinity",
    "os.setsid",
)
LACKING += ("signal.SIGKILL", "signal.SIGHUP", "socket.send_fds", "socket.recv_fds")


#: What Python 3.14 has no more, or does otherwise unless told.
GONE = {
    *("ast.Num", "ast.Str", "ast.Bytes", "ast.NameConstant", "ast.Ellipsis", "pkgutil.find_loader"),
    *(
        "pkgutil.get_loader",
        "asyncio.get_event_loop",
        "asyncio.get_child_watcher",
        "asyncio.set_child_watcher",
    ),
    *("typing.ByteString", "collections.abc.ByteString", "sqlite3.version", "sqlite3.version_info"),
    *("urllib.request.URLopener", "urllib.parse.Quoter", "pty.master_open", "pty.slave_open"),
    *("importlib.abc.ResourceReader", "importlib.abc.Traversable", "argparse.BooleanOptionalAction"),
    *("multiprocessing.Process", "multiprocessing.Pool", "multiprocessing.Queue"),  # of the default method
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.Call) -> str:
    """The name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def calls(tree: ast.Module):
    """The calls in a module: name, whole node, keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield called(node), node, {keyword.arg for keyword in node.keywords}


def test_no_text_is_read_in_the_systems_letters_or_written_with_its_ends_of_lines():
    """Windows would read cp1252, and write two signs at each end of a line: hashes would not fit."""
    found = [(path, *call) for path in MODULES for call in calls(parsed(path))]
    started = ("run", "Popen", "check_output")
    for path, name, node, keywords in found:
        if name not in ("write_text", "read_text", "open", *started):
            continue
        told = f"{path}:{node.lineno}: {ast.unparse(node)[:80]}"
        assert name != "write_text", told
        assert name != "read_text" or "encoding" in keywords, told
        if name == "open" and not ast.unparse(node.func).startswith(("os.", "Image.", "archive.")):
            modes = [part.value for part in node.args if isinstance(part, ast.Constant)]
            assert "encoding" in keywords or any("b" in str(mode) for mode in modes), told
        if name in started and keywords & {"text", "universal_newlines"}:
            assert "encoding" in keywords, told


def test_nothing_is_used_that_python_3_14_has_no_more_or_does_otherwise():
    last = {name.rpartition(".")[2] for name in GONE}
    for path in [*MODULES, *(ROOT / "tests").rglob("*.py")]:
        names = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and node.attr in last:
                names.add(ast.unparse(node))
            if isinstance(node, ast.ImportFrom):
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
                assert node.module != "tarfile", path  # which has another filter there
            if isinstance(node, ast.Try):  # a warning there
                left = [part for one in node.finalbody for part in ast.walk(one)]
                assert not [part for part in left if isinstance(part, ast.Return | ast.Break)], path
            if isinstance(node, ast.Call) and called(node) == "ProcessPoolExecutor":
                assert "mp_context" in {keyword.arg for keyword in node.keywords}, path
        assert not names & GONE, path


def test_a_console_that_lacks_letters_shows_what_it_can():
    def said(*words: str) -> str:
        env = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tradelib", *words]
        done = subprocess.run(command, env=env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode("cp1252")
        return done.stdout.decode("cp1252")

    assert "73 percent" in said("audit", "kei-2018-09-05")  # it draws lines that cp1252 has not
    facts = json.loads(said("facts", "--partner", "CIV", "--release", "2018-07", "--format", "json"))
    assert facts["partner"]["code"] == partner("7480").code


def test_a_brief_is_made_where_the_system_has_no_forks_signals_or_sockets_in_files(tmp_path):
    script = f"""
import os, signal, socket, sys
import asyncio, multiprocessing, subprocess, jupyter_client.provisioning, papermill  # those know their system
for name in {LACKING!r}:
    module, attribute = name.split(".")
    delattr(sys.modules[module], attribute)
from tradelib.runs import engine, report, warm
engine.LONGEST_SOCKET = 0
assert not warm._can_fork()
made = report.make_report("KOR", "2018-07", reports={str(tmp_path)!r})
print(made.ran, made.paths[1].exists())
"""
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    env.pop("JUPYTER_DEFAULT_PROVISIONER_NAME", None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_what_changed_is_worked_out_in_one_process_where_none_can_be_forked(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr(changes, "of_one", lambda way, code, **_: (code, os.getpid()))
    codes = [str(number) for number in range(changes.FEW + 1)]
    assert changes.of_all(None, codes, "release.ipynb") == [(code, os.getpid()) for code in codes]


def test_a_container_with_the_name_of_its_host_is_another_machine(tmp_path, monkeypatch):
    """Two containers on the network of one host have its name, and each counts its processes from one."""
    left = tmp_path / f".page.html.{files._host()}.{2**22 + 1}.x.tmp"
    left.write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "readlink", lambda path: "pid:[1]")
        files.sweep_up(tmp_path)
        assert left.exists() and "pid:[1]" in files.machine()
    files.sweep_up(tmp_path)
    assert not left.exists()


def test_a_disk_without_links_keeps_the_first_of_two_files(tmp_path, monkeypatch):
    def link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    place = tmp_path / "page.html"
    assert files.write_once(place, lambda path: path.write_bytes(b"first"))
    assert not files.write_once(place, lambda path: path.write_bytes(b"second"))
    assert place.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("name", ["CON", "Aux", "nul", "com1", "L.P.T. 9"])
def test_no_group_has_a_name_that_no_file_can_have_on_windows(name):
    with pytest.raises(TradelibError, match="is no name for a group"):
        own_groups(f"group,code\n{name},KOR\n", "groups.csv")


def test_names_of_pages_differ_by_more_than_capitals_and_hold_letters_digits_and_hyphens(tmp_path):
    runs = tmp_path / "runs.yaml"
    book = book_of(tmp_path, LAST_CELL, parameters="partner = ''\nrelease = ''\nas_of = ''\nn = 1")
    one = "  - {{notebook: {book}, partners: [KOR], label: {label}, parameters: {{n: {n}}}}}\n"
    lines = [one.format(book=book, label=label, n=n) for n, label in enumerate(("Draft", "draft"))]
    runs.write_text("runs:\n" + "".join(lines))
    with pytest.raises(TradelibError, match="would both be written to"):
        plan.plan("2018-07", runs=runs, reports=tmp_path / "reports")
    assert all(re.fullmatch("[a-z0-9-]+", partner(code).slug) for code in all_partners()["code"])


def test_a_bundled_file_has_no_name_that_a_disk_refuses():
    found = [
        path.relative_to(ROOT) for path in (ROOT / "tradelib").rglob("*") if "__pycache__" not in path.parts
    ]
    assert len({str(path).lower() for path in found}) == len(found)
    assert not [path for path in found if set(path.as_posix()) & set('<>:"\\|?*') or len(str(path)) > 150]


def test_the_time_in_washington_is_known_where_the_system_has_no_zones():
    """On Windows Python has none; pandas brings them."""
    assert [line for line in requires("pandas") if line.startswith("tzdata") and "win32" in line]


def test_the_command_leaves_the_program_that_calls_it_as_it_was():
    before = signal.getsignal(signal.SIGTERM), warnings.showwarning
    assert CliRunner().invoke(main, ["partners", "korea"]).exit_code == 0
    assert (signal.getsignal(signal.SIGTERM), warnings.showwarning) == before
