"""The same sweep over a real Dask cluster on this machine, and into an object store."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from helpers import LAST_CELL, LEAN, LOG_CELL, book_of, logged

from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.runs import sweep
from tradelib.runs.jobs import UP_TO_DATE, code_sha256
from tradelib.runs.plan import plan
from tradelib.store import files as storage

EIGHT = "KOR,CHN,MEX,JPN,DEU,FRA,IND,ITA"
#: Kills the Dask worker (and its nanny) that runs China's notebook, the first time.
KILL = """
import os, psutil, signal, time
once = os.environ['RUNS_LOG'] + '.once'
if partner == '5700' and not os.path.exists(once):
    open(once, 'w').close()
    dask = [p for p in psutil.Process().parents() if 'dask' in ' '.join(p.cmdline())]
    for process in reversed(dask):
        process.send_signal(signal.SIGKILL)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """A scheduler and two workers, each in a process of its own: their address, and where `LOG_CELL` writes.

    The last tests that use it kill one of the workers, and the scheduler.
    """
    folder = tmp_path_factory.mktemp("dask")
    python, address = [sys.executable, "-m"], folder / "scheduler.json"
    common = ["--scheduler-file", str(address), "--no-dashboard", "--host", "127.0.0.1"]
    commands = [[*python, "distributed.cli.dask_scheduler", *common, "--port", "0"]]
    (folder / "lean.py").write_text(LEAN)
    worker = [*python, "distributed.cli.dask_worker", *common, "--nthreads", "1"]
    worker += ["--preload", str(folder / "lean.py")]
    commands += [[*worker, "--local-directory", str(folder / name)] for name in ("one", "two")]
    env = os.environ | {"RUNS_LOG": str(folder / "log"), "TRADELIB_STORE": str(folder / "no-store")}
    with (folder / "dask.log").open("w") as told:
        options = {"stdout": told, "stderr": told, "start_new_session": True, "env": env}
        processes = [subprocess.Popen(command, **options) for command in commands]
        yield _address(address, folder / "dask.log"), folder / "log"
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _address(path, log):
    from distributed import Client

    deadline = time.monotonic() + 300
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    address = json.loads(path.read_text())["address"]
    with Client(address, timeout="300s") as client:
        client.wait_for_workers(2, timeout=300)
    assert address.startswith("tcp://127.0.0.1:"), log.read_text()
    return address


def test_the_command_takes_a_scheduler_and_one_bad_partner_stops_nothing(scheduler, tmp_path):
    book = book_of(tmp_path, "if partner == '5700':\n    1 / 0", LAST_CELL)
    words = ["sweep", "--release", "2018-07", "--partners", "KOR,CHN,MEX", "--scheduler", scheduler[0]]
    words += ["--reports", str(tmp_path / "reports"), "--notebook", str(book)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1, result.output
    assert "2 made, 0 skipped as up to date, 1 failed" in result.output
    assert "China: The notebook failed: ZeroDivisionError" in result.output


def test_a_worker_killed_in_the_middle_costs_nothing_and_each_brief_is_made_once(
    scheduler, tmp_path, monkeypatch, caplog
):
    address, log = scheduler
    monkeypatch.setattr(sweep, "SILENCE_S", 0.05)
    book = book_of(tmp_path, KILL, LOG_CELL, LAST_CELL)
    planned = plan("2018-07", EIGHT, notebook=book, reports=tmp_path / "reports")
    summary = sweep.run(planned, scheduler=address)
    assert not summary.of("failed"), summary.lines()
    assert len(summary.of("made")) == 8
    assert log.with_name("log.once").exists(), "a worker was killed"
    codes = sorted({job.partner.code for job in planned.jobs})
    assert sorted(logged(log)) == codes, "each ran to its end once"
    assert all(job.state() == UP_TO_DATE for job in planned.jobs)
    left = [p.name for p in (tmp_path / "reports").rglob("*") if p.name.startswith(".") or "failed" in p.name]
    assert not left, "none is half-written"
    assert re.search("the workers of the cluster: [12] running", caplog.text), "silence is told"


def test_a_scheduler_that_is_gone_in_the_middle_is_told_and_the_sweep_ends(scheduler, tmp_path):
    from distributed import Client

    with Client(scheduler[0]) as client:
        pid = client.run_on_scheduler(os.getpid)
    book = book_of(tmp_path, f"import os, time\nos.kill({pid}, 9)\ntime.sleep(60)", LAST_CELL)
    planned = plan("2018-07", "KOR,CHN", notebook=book, reports=tmp_path / "reports")
    failed = sweep.run(planned, scheduler=scheduler[0]).of("failed")
    assert [(one.error, one.at_once) for one in failed] == [(sweep.DASK[sweep.LOST], True)] * 2


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ({"one": code_sha256(), "two": "older", "three": ModuleNotFoundError("tradelib")}, ["one"]),
        ({"one": code_sha256(), "two": code_sha256()}, None),
        ({"one": "older"}, None),  # which refuses, and says why
        ({}, None),  # none has joined yet
    ],
)
def test_a_worker_with_another_tradelib_gets_no_work(code, given):
    class Client:
        def run(self, function, *, on_error):
            return code

    assert sweep._alike(Client()) == given


def test_a_scheduler_that_does_not_answer_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "ANSWER_S", 1)
    planned = plan("2018-07", "KOR", reports=tmp_path / "reports")
    with pytest.raises(TradelibError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        sweep.run(planned, scheduler="tcp://127.0.0.1:9")


def test_a_sweep_to_a_bucket_that_is_not_there_makes_nothing_and_says_so(s3_bucket, tmp_path):
    book = book_of(tmp_path, "1 / 0")
    planned = plan("2018-07", "KOR", notebook=book, reports="s3://there-is-no-such/reports")
    with pytest.raises(
        TradelibError, match=r"there is no bucket there-is-no-such(.|\n)*Nothing was run"
    ) as error:
        sweep.run(planned)
    assert "are made" not in str(error.value)


def test_briefs_go_into_an_object_store_and_are_found_there_again(s3_bucket, tmp_path):
    bucket = f"s3://{s3_bucket[1]}"
    book = book_of(tmp_path, "if partner == '5700':\n    1 / 0", LAST_CELL)
    planned = plan("2018-07", "KOR,CHN,MEX", notebook=book, reports=f"{bucket}/reports")
    summary = sweep.run(planned, workers=1)
    assert len(summary.of("made")) == 2
    assert summary.of("failed")[0].failed == f"{bucket}/reports/2018-09-05/china.failed.ipynb"
    place = storage.located(f"{bucket}/reports/2018-09-05")
    found = sorted(path.name for path in place.iterdir())
    ends = (".facts.json", ".html", ".ipynb")
    briefs = [f"{name}{end}" for name in ("korea-south", "mexico") for end in ends]
    assert found == sorted([*briefs, "china.failed.ipynb"])
    again = sweep.run(planned, workers=1)
    assert (len(again.of("made")), len(again.of("up to date"))) == (0, 2)
    assert sweep.read_record("2018-07", f"{bucket}/reports")["skipped"] == 2
