"""A sweep makes every brief once, whatever happens to one of them, to a worker, or to the sweep itself."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import date
from functools import partial
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from helpers import LAST_CELL as LAST
from helpers import LEAN_COMMAND, LEAN_START, PARAMETERS, book_of, logged
from helpers import LOG_CELL as LOG

from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.runs import state, sweep, warm
from tradelib.runs.plan import plan
from tradelib.store import vintages

FOUR, TWO = "KOR,CHN,MEX,JPN", "KOR,CHN"
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
DURATION = re.compile(r'("(?:duration|seconds)": )[\d.]+(e-\d+)?')


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Write a small notebook from the sources of its cells; it draws nothing."""
    monkeypatch.setattr(warm, "START", LEAN_START)
    monkeypatch.setattr(warm, "FURTHER", ())
    return partial(book_of, tmp_path)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The partners whose notebooks ran to their end."""
    monkeypatch.setenv("RUNS_LOG", str(tmp_path / "log"))
    return partial(logged, tmp_path / "log")


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"


def swept(reports, book, partners=FOUR, **options):
    planned = plan("2018-07", partners, notebook=book, reports=reports)
    return sweep.run(planned, **{"workers": 1} | options)


def files(reports: Path) -> dict[str, str]:
    """The text of every file below a folder, without times."""
    texts = {str(p.relative_to(reports)): p.read_text() for p in reports.rglob("*") if p.is_file()}
    return {name: DURATION.sub(r"\1 0", TIME.sub("then", text)) for name, text in texts.items()}


def left(mark: str) -> list[psutil.Process]:
    """Processes whose environment holds a word, but for this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(mark in v for v in process.environ().values()):
                found.append(process)
        except psutil.Error:
            continue
    return [p for p in found if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def gone(mark: str, seconds: float = 300) -> bool:
    """Whether no such process is left after a while."""
    deadline = time.monotonic() + seconds
    while left(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not left(mark)


def test_each_partner_gets_its_three_files_and_the_sweep_its_record(notebook, reports, log):
    summary = swept(reports, notebook(LOG, LAST))
    folder = reports / "2018-09-05"
    assert sorted(log()) == sorted(["5800", "5700", "2010", "5880"])
    assert len(list(folder.glob("*.ipynb"))) == len(list(folder.glob("*.html"))) == 4
    assert len(summary.of("made")) == 4
    record = sweep.read_record("2018-07", reports)
    assert (record["made"], record["skipped"], record["failed"]) == (4, 0, [])
    assert record["fingerprint"] == plan("2018-07", FOUR, notebook=notebook(LOG, LAST)).fingerprint
    assert record["finished"] >= "2026"
    assert not list(folder.glob(".*")), "nothing temporary is left"


def test_what_is_up_to_date_is_not_made_again_unless_forced(notebook, reports, log):
    book = notebook(LOG, LAST)
    swept(reports, book, TWO)
    again = swept(reports, book, f"{TWO},DEU")
    assert (len(again.of("made")), len(again.of("up to date"))) == (1, 2)
    assert len(log()) == 3
    assert len(swept(reports, book, TWO, force=True).of("made")) == 2


def test_spreadsheets_that_are_asked_for_lie_beside_old_pages_too_and_are_renewed_with_them(
    notebook, reports, log
):
    book = notebook(LOG, LAST)
    assert len(swept(reports, book, "KOR,CHN").of("made")) == 2 and not [*reports.rglob("*.xlsx")]
    assert len(swept(reports, book, "KOR,CHN,MEX", spreadsheets=True).of("made")) == 1
    assert {path.stem for path in reports.rglob("*.xlsx")} == {"china", "korea-south", "mexico"}
    assert len(log()) == 3, "no page is made again for its spreadsheet"
    before = {path.stem: path.stat().st_mtime_ns for path in reports.rglob("*.xlsx")}
    swept(reports, book, "KOR", force=True)
    renewed = [path.stem for path in reports.rglob("*.xlsx") if path.stat().st_mtime_ns != before[path.stem]]
    assert renewed == ["korea-south"]


def test_another_notebook_text_or_another_vintage_is_another_input(notebook, reports, store):
    swept(reports, notebook(LAST), TWO)
    assert len(swept(reports, notebook("1 + 1", LAST), TWO).of("made")) == 2
    newest = vintages.list_vintages("goods_census_nsa")[2]
    rows = vintages.read(newest)
    vintages.save(rows, "goods_census_nsa", published=date(2018, 9, 5), sources=newest.sources, parser="test")
    again = swept(reports, notebook("1 + 1", LAST), TWO)
    assert len(again.of("made")) == 2, "a vintage of the day itself has come"


def test_one_bad_partner_does_not_stop_the_rest(notebook, reports):
    book = notebook("if partner == '5700':\n    raise ValueError('no such port\\nat all')", LAST)
    summary = swept(reports, book, f"{FOUR},Atlantis")
    assert len(summary.of("made")) == 3
    atlantis, china = sorted(summary.of("failed"), key=lambda result: result.title)
    assert (atlantis.title, atlantis.error) == ("Atlantis", "'Atlantis' matches no partner.")
    assert (china.title, china.error) == ("China", "The notebook failed: ValueError: no such port")
    assert china.failed == str(reports / "2018-09-05" / "china.failed.ipynb")
    assert "no such port" in Path(china.failed).read_text()
    assert not (reports / "2018-09-05" / "china.html").exists()
    lines = summary.lines()
    assert lines[0].startswith("3 made, 0 skipped as up to date, 2 failed, in ")
    assert f"    {china.failed}" in lines


@pytest.mark.parametrize("cell", ["os._exit(3)", "os.kill(os.getpid(), 9)", "sys.exit(0)"])
def test_a_kernel_that_dies_is_one_failure(cell, notebook, reports):
    book = notebook(f"import os, sys\nif partner == '5700':\n    {cell}", LAST)
    summary = swept(reports, book, TWO)
    assert [result.title for result in summary.of("failed")] == ["China"]
    assert Path(summary.of("failed")[0].failed).exists()
    assert [result.title for result in summary.of("made")] == ["Korea, South"]


def start(reports, book, partners=FOUR, **env) -> subprocess.Popen:
    """Run the command in a session of its own, as a shell would."""
    command = [sys.executable, "-c", LEAN_COMMAND, "sweep", "--release", "2018-07", "--partners", partners]
    command += ["--reports", str(reports), "--notebook", str(book), "--workers", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=os.environ | env, start_new_session=True, **pipes)


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


MARK = "TRADELIB_TEST_MARK"
#: It leaves an orphan, which is harder to find than a child, and where it is to be stopped it works on when
#: it has told its partner.
SLOW = ("import os\nos.system('sleep 60 &')", LOG, f"import time\ntime.sleep({MARK!r} in os.environ)", LAST)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a sweep that nobody stopped leaves, without times."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNS_LOG", str(folder / "log"))
        patch.setattr(warm, "START", LEAN_START)
        swept(folder / "reports", book_of(folder, *SLOW))
    return files(folder / "reports")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_stopped_leaves_no_process_and_the_next_one_completes_it(
    how, notebook, reports, log, whole
):
    book = notebook(*SLOW)
    mark = f"tradelib-test-{os.getpid()}-{how}"
    run = start(reports, book, **{MARK: mark})
    wait_for(log)
    assert len(left(mark)) > 3, "there is something to be left behind"
    if how == signal.SIGINT:
        os.killpg(run.pid, how)  # Ctrl-C goes to all processes of the terminal
    else:
        run.send_signal(how)
    output, _ = run.communicate(timeout=300)
    assert run.returncode != 0
    assert "Traceback" not in output, output
    assert gone(mark), [process.cmdline() for process in left(mark)]
    summary = swept(reports, book)
    assert len(summary.of("made")) + len(summary.of("up to date")) == 4
    assert files(reports) == whole


def test_a_sweep_makes_the_files_of_report_but_for_times(korea, tmp_path):
    """From a warm kernel as from the plain one, and so the same twice."""
    planned = plan("2018-07", "KOR", reports=tmp_path / "reports")
    assert not sweep.run(planned, workers=1).of("failed")
    swept, made = files(tmp_path / "reports"), files(korea.paths[0].parents[1])
    assert len(swept) == 3
    assert swept == {name: made[name] for name in swept}


def test_the_true_notebook_of_all_partners_comes_out_the_same_twice_but_for_times(tmp_path):
    made = []
    for name in ("one", "two"):
        planned = plan("2018-07", "KOR", notebook="partners.ipynb", reports=tmp_path / name)
        assert not sweep.run(planned, workers=1).of("failed")
        made.append(files(tmp_path / name))
    assert len(made[0]) == 3
    assert made[0] == made[1]


def test_the_command_says_what_it_did_and_fails_when_something_failed(notebook, reports):
    book = notebook("if partner == '5700':\n    1 / 0", LAST)
    words = ["sweep", "--release", "2018-07", "--reports", str(reports), "--notebook", str(book)]
    bad = CliRunner().invoke(main, [*words, "--partners", FOUR])
    assert bad.exit_code == 1
    assert "3 made, 0 skipped as up to date, 1 failed" in bad.output
    assert "China: The notebook failed: ZeroDivisionError: division by zero" in bad.output
    assert "Traceback" not in bad.output
    good = CliRunner().invoke(main, [*words, "--partners", "KOR,MEX"])
    assert good.exit_code == 0, good.output
    assert "0 made, 2 skipped as up to date, 0 failed" in good.output


def test_a_list_of_runs_makes_each_with_its_parameters_and_label(notebook, reports, tmp_path):
    notebook(f"{LAST}\nprint(word)", parameters=f'{PARAMETERS}\nword: str = "none"')
    (tmp_path / "runs.yaml").write_text(
        "runs:\n"
        "  - {notebook: release.ipynb, partners: [KOR, CHN]}\n"
        "  - {notebook: release.ipynb, partners: KOR, label: loud, parameters: {word: HEARD}}\n"
    )
    planned = plan("2018-07", runs=tmp_path / "runs.yaml", reports=reports)
    assert len(sweep.run(planned, workers=1).of("made")) == 3
    folder = reports / "2018-09-05"
    pages = ["china.html", "korea-south.html", "korea-south.loud.html"]
    assert sorted(p.name for p in folder.glob("*.html")) == pages
    assert "HEARD" in (folder / "korea-south.loud.ipynb").read_text()
    facts = json.loads((folder / "korea-south.loud.facts.json").read_text())
    assert facts["tradelib"]["parameters"]["word"] == "HEARD"


def test_two_runs_in_one_place_are_refused_and_the_same_one_twice_is_one(notebook, reports, tmp_path):
    notebook(LAST, parameters=f'{PARAMETERS}\nword: str = "none"')
    path = tmp_path / "runs.yaml"
    path.write_text(
        "runs:\n  - {notebook: release.ipynb, partners: KOR}\n"
        "  - {notebook: release.ipynb, partners: KOR, parameters: {word: x}}\n"
    )
    with pytest.raises(TradelibError, match=r"would both be written to korea-south.html"):
        plan("2018-07", runs=path, reports=reports)
    path.write_text("runs:\n" + "  - {notebook: release.ipynb, partners: KOR}\n" * 2)
    assert len(plan("2018-07", runs=path, reports=reports).jobs) == 1


def test_other_vintages_than_planned_are_refused_by_the_worker(notebook, reports):
    planned = plan("2018-07", "KOR", notebook=notebook(LAST), reports=reports)
    newest = vintages.list_vintages("goods_census_nsa")[2]
    rows = vintages.read(newest)
    vintages.save(rows, "goods_census_nsa", published=date(2018, 9, 5), sources=newest.sources, parser="test")
    summary = sweep.run(planned, workers=1)
    assert "from something else than was planned: vintages" in summary.of("failed")[0].error


def test_a_release_whose_data_are_not_there_is_told_before_anything_runs(reports):
    result = CliRunner().invoke(main, ["sweep", "--release", "2026-09", "--reports", str(reports)])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert not reports.exists()


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(notebook, reports):
    reports.write_text("a file, where the folder should be")
    with pytest.raises(TradelibError, match="Cannot write to"):
        swept(reports, notebook(LAST))


def test_a_damaged_record_counts_as_none(reports):
    path = state.folder(reports) / "2018-09-05.json"
    path.parent.mkdir(parents=True)
    for text in ("", "{", "[]", '{"release": "2018-07"}'):
        path.write_text(text)
        assert sweep.read_record("2018-07", reports) is None


IMPORTS = """
import importlib.metadata, json, sys, threading
from concurrent.futures import ThreadPoolExecutor

found = {}
class Watch:
    def find_spec(self, name, path=None, target=None):
        found.setdefault(threading.current_thread().name, []).append(name)

from tradelib.briefs.snapshot import take
from tradelib.partners import partner
from tradelib.runs.jobs import job_of, read_notebook
from tradelib.runs.sweep import do

jobs = [job_of(partner(code), take("2018-07"), read_notebook(), reports="r") for code in ("5800", "5880")]
sys.meta_path.insert(0, Watch())
with ThreadPoolExecutor(2) as pool:
    states = [result.state for result in pool.map(do, jobs)]
libraries = importlib.metadata.packages_distributions()
roots = [{name.split(".")[0] for name in names} & libraries.keys() for names in found.values()]
print(json.dumps([states, [sorted(names) for names in roots], list(found)]))
"""


def test_no_two_threads_import_the_same_library(tmp_path):
    """Two that begin at once, as on a Dask worker, can lock each other while they import."""
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=tmp_path, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    states, roots, threads = json.loads(done.stdout.splitlines()[-1])
    assert states == [sweep.MADE, sweep.MADE]
    runs = [names for names in roots if {"nbclient", "nbconvert", "papermill"} & set(names)]
    assert len(runs) == 1 and {"nbclient", "nbconvert", "papermill"} <= set(runs[0]), threads
