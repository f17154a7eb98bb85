"""A brief is made whole or not at all, once for the same inputs, and says what it was made from."""

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import nbformat
import pytest
from helpers import LAST_CELL as LAST
from helpers import PARAMETERS, book_of
from tradelib.briefs.factsheet import document

import tradelib as tl
from tradelib.runs.report import make_report


@pytest.fixture
def notebook(tmp_path):
    """Write a small notebook of the release kind from the sources of its cells."""
    return partial(book_of, tmp_path)


@pytest.fixture(scope="module")
def korea(tmp_path_factory):
    """The Korea brief of July 2018 as the real notebook makes it, and the folder it is in."""
    reports = tmp_path_factory.mktemp("reports")
    return make_report("KOR", "2018-07", reports=reports), reports


def test_the_brief_is_three_files_under_the_publication_date(korea):
    made, reports = korea
    assert [str(path.relative_to(reports)) for path in made.paths] == [
        "2018-09-05/korea-south.ipynb",
        "2018-09-05/korea-south.html",
        "2018-09-05/korea-south.facts.json",
    ]
    assert made.ran
    assert all(path.exists() for path in made.paths)
    assert sorted(path.name for path in (reports / "2018-09-05").iterdir()) == sorted(
        path.name for path in made.paths
    )


def test_facts_json_holds_the_facts_of_the_command_line(korea):
    made, _ = korea
    written = json.loads(made.paths[2].read_text())
    sheet = tl.brief("KOR", "2018-07")
    assert written["facts"] == json.loads(json.dumps(document(sheet)["facts"]))


def test_the_notebook_ran_to_its_end_without_errors_and_with_six_pictures(korea):
    made, _ = korea
    book = nbformat.read(made.paths[0], 4)
    nbformat.validate(book)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error"]
    assert not [o for o in outputs if o.get("name") == "stderr"]
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 6


def test_metadata_records_version_vintages_with_hashes_and_parameters(korea):
    made, _ = korea
    record = nbformat.read(made.paths[0], 4).metadata["tradelib"]
    assert record["version"]
    assert record["parameters"] == {"partner": "5800", "release": "2018-07", "as_of": "2018-09-05"}
    vintages = {v["table"]: v for v in record["vintages"]}
    assert vintages["goods_census_nsa"]["published"] == "2018-10-05"
    assert vintages["goods_census_nsa"]["lag_days"] == 30
    assert vintages["goods_census_nsa"]["sources"][0]["name"] == "country_2018-10-05.xlsx"
    assert all(len(v["sha256"]) == 64 for v in vintages.values())


def test_no_path_of_this_machine_is_in_the_brief(korea):
    made, reports = korea
    for path in made.paths:
        text = path.read_text()
        for place in (str(reports), sys.prefix, f"{Path.home()}/"):
            assert place not in text, (path.name, place)


def test_a_second_identical_run_does_nothing_and_force_runs_again(notebook, tmp_path):
    own = notebook(LAST)
    first = make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=own)
    stamp = first.paths[0].stat().st_mtime_ns
    again = make_report("South Korea", "2018-07", reports=tmp_path / "r", notebook=own)
    assert not again.ran
    assert again.paths[0].stat().st_mtime_ns == stamp
    assert make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=own, force=True).ran


def test_a_changed_notebook_or_a_missing_file_runs_again(notebook, tmp_path):
    made = make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook(LAST))
    assert make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook("1 + 1", LAST)).ran
    made.paths[1].unlink()
    assert make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook("1 + 1", LAST)).ran


def test_another_notebook_never_takes_the_place_of_the_brief(notebook, tmp_path):
    own = notebook(LAST).rename(tmp_path / "mine.ipynb")
    made = make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=own)
    assert made.paths[0].name == "korea-south.mine.ipynb"


def test_runs_at_the_same_time_in_one_folder_do_not_hear_each_other(notebook, tmp_path):
    book = notebook("[time.sleep(0.2) for _ in range(10)]", LAST, parameters=f"import time\n{PARAMETERS}")
    command = [sys.executable, "-m", "tradelib", "report", "--release", "2018-07", "--notebook", book]
    runs = [
        subprocess.Popen([*command, "--partner", who, "--reports", tmp_path / who], cwd=tmp_path)
        for who in ("KOR", "CHN", "MEX")
    ]
    assert [run.wait(timeout=120) for run in runs] == [0, 0, 0]
    assert not list(tmp_path.glob("kernel-*")), "a socket was left in the working directory"


def test_another_as_of_date_is_part_of_the_name(notebook, tmp_path):
    made = make_report("KOR", "2018-07", as_of="2018-10-05", reports=tmp_path / "r", notebook=notebook(LAST))
    assert made.paths[1].name == "korea-south.as-of-2018-10-05.html"


def test_a_release_without_established_date_is_filed_under_its_month_and_says_so(notebook, tmp_path):
    made = make_report("KOR", "2010-06", reports=tmp_path / "r", notebook=notebook(LAST))
    assert made.paths[0].parent.name == "2010-06"
    assert any("not established" in line for line in made.notices)


def test_a_failed_run_is_kept_beside_and_leaves_the_good_brief_alone(notebook, tmp_path):
    good = make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook(LAST))
    before = good.paths[0].read_bytes()
    with pytest.raises(tl.TradelibError, match="ZeroDivisionError: division by zero") as error:
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook("1 / 0", LAST))
    failed = good.paths[0].with_name("korea-south.failed.ipynb")
    assert str(failed) in str(error.value)
    assert "ZeroDivisionError" in failed.read_text()
    assert good.paths[0].read_bytes() == before
    assert not list(failed.parent.glob("*.tmp"))
    make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook(LAST, LAST))
    assert not failed.exists(), "a later good run clears the failed one away"


@pytest.mark.parametrize("cell", ["import sys; sys.exit(0)", "import os; os._exit(0)"])
def test_leaving_midway_is_a_failure_however_politely(cell, notebook, tmp_path):
    with pytest.raises(tl.TradelibError, match="The notebook failed"):
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook(cell, LAST))
    assert not list((tmp_path / "r").rglob("korea-south.html"))


def test_a_notebook_without_the_last_cell_mark_is_a_failure(notebook, tmp_path):
    with pytest.raises(tl.TradelibError, match="ended before its last cell"):
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook("1 + 1"))


def test_a_misspelt_parameter_is_refused_before_a_kernel_starts(notebook, tmp_path):
    own = notebook(LAST, parameters=PARAMETERS.replace("release", "relaese"))
    with pytest.raises(tl.TradelibError, match="has the parameters as_of, partner, relaese"):
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=own)
    assert not (tmp_path / "r" / "2018-09-05" / "korea-south.failed.ipynb").exists()


def test_a_file_that_is_no_notebook_and_a_missing_one_are_refused(tmp_path):
    (tmp_path / "x.ipynb").write_text("not json")
    with pytest.raises(tl.TradelibError, match="cannot be read as a notebook"):
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=tmp_path / "x.ipynb")
    with pytest.raises(tl.TradelibError, match="There is no notebook"):
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=tmp_path / "y.ipynb")


def test_a_brief_that_shows_a_key_is_not_kept(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", "planted-0123456789")
    own = notebook("import os; print(os.environ['CENSUS_API_KEY'])", LAST)
    with pytest.raises(tl.TradelibError, match="holds the value of CENSUS_API_KEY") as error:
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=own)
    assert "planted" not in str(error.value)
    assert not [p for p in (tmp_path / "r").rglob("*") if p.is_file()]


def test_a_reports_folder_that_cannot_be_written_is_refused_before_the_run(notebook, tmp_path):
    (tmp_path / "r").write_text("a file, where the folder should be")
    with pytest.raises(tl.TradelibError, match="Cannot write to"):
        make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=notebook(LAST))


def test_a_killed_run_leaves_the_good_brief_and_the_next_run_sweeps_up(notebook, tmp_path):
    reports = tmp_path / "r"
    good = make_report("KOR", "2018-07", reports=reports, notebook=notebook(LAST))
    before = [path.read_bytes() for path in good.paths]
    slow = notebook("import time; time.sleep(60)", LAST)
    command = [sys.executable, "-m", "tradelib", "report", "--partner", "KOR", "--release", "2018-07"]
    run = subprocess.Popen([*command, "--reports", reports, "--notebook", slow], stderr=subprocess.DEVNULL)
    folder = good.paths[0].parent
    deadline = time.monotonic() + 60
    while not list(folder.glob(".*.tmp")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)  # the kernel runs by then
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert list(folder.glob(".*.tmp")), "the run was killed in the middle"
    assert [path.read_bytes() for path in good.paths] == before
    make_report("KOR", "2018-07", reports=reports, notebook=notebook("2 + 2", LAST))
    assert not list(folder.glob(".*.tmp"))
