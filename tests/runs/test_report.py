"""A page is made whole or not at all, once for the same inputs, and says what it was made from.

It never takes the place of a notebook that a reader has edited; what she edited becomes a page of its own.
"""

import json
import re
import signal
import subprocess
import sys
import time
from datetime import date
from functools import partial
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from click.testing import CliRunner
from helpers import LAST_CELL as LAST
from helpers import LEAN_COMMAND, PARAMETERS, book_of

import tradelib as tl
from tradelib.briefs.fact import FACTS_MIME
from tradelib.catalogue import entries
from tradelib.cli.main import main
from tradelib.runs import engine, finished, jobs, report
from tradelib.runs.jobs import EDITED, NOT_MADE, UP_TO_DATE
from tradelib.runs.report import make_page, make_report
from tradelib.sources import keys
from tradelib.store import files


@pytest.fixture
def notebook(tmp_path):
    """Write a small notebook of the release kind from the sources of its cells."""
    return partial(book_of, tmp_path)


@pytest.fixture
def made(notebook, tmp_path):
    """Make the page of July 2018 of a notebook with these cells, in one folder of reports."""

    def make(*cells, who="KOR", **options):
        book = options.pop("notebook", None) or notebook(*cells)
        return make_report(who, "2018-07", reports=tmp_path / "r", notebook=book, **options)

    return make


def told(*words) -> str:
    """What the command line says; it must not fail."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_brief_is_three_files_under_the_publication_date(korea):
    reports = korea.paths[0].parents[1]
    assert [str(path.relative_to(reports)) for path in korea.paths] == [
        "2018-09-05/korea-south.ipynb",
        "2018-09-05/korea-south.html",
        "2018-09-05/korea-south.facts.json",
    ]
    assert korea.ran
    names = {path.name for path in (reports / "2018-09-05").iterdir()}
    assert {name for name in names if name.startswith("korea-south.")} >= {path.name for path in korea.paths}
    assert not names & {"korea-south.failed.ipynb"}
    assert not [name for name in names if name.startswith(".")]


def test_facts_json_holds_the_facts_of_the_command_line(korea):
    written = json.loads(korea.paths[2].read_text())
    told = json.loads(json.dumps(tl.brief("KOR", "2018-07").document()))
    assert list(written) == [*told, "charts", "tradelib"]
    assert {name: written[name] for name in told} == told


def test_the_notebook_ran_to_its_end_without_errors_and_with_its_pictures(korea):
    book = nbformat.read(korea.paths[0], 4)
    nbformat.validate(book)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error"]
    assert not [o for o in outputs if o.get("name") == "stderr"]
    drawn = [cell for cell in book.cells if cell.cell_type == "code" and cell.source.startswith("charts.")]
    assert sum("image/png" in o.get("data", {}) for o in outputs) == len(drawn) > 0


def test_metadata_records_version_vintages_with_hashes_and_parameters(korea):
    record = nbformat.read(korea.paths[0], 4).metadata["tradelib"]
    assert record["version"]
    assert record["parameters"] == {"partner": "5800", "release": "2018-07", "as_of": "2018-09-05"}
    vintages = {v["table"]: v for v in record["vintages"]}
    assert vintages["goods_census_nsa"]["published"] == "2018-10-05"
    assert vintages["goods_census_nsa"]["lag_days"] == 30
    assert vintages["goods_census_nsa"]["sources"][0]["name"] == "country_2018-10-05.xlsx"
    assert all(len(v["sha256"]) == 64 for v in vintages.values())


def test_no_path_of_this_machine_is_in_the_brief(korea):
    for path in korea.paths:
        text = path.read_text()
        for place in (str(korea.paths[0].parents[1]), sys.prefix, f"{Path.home()}/"):
            assert place not in text, (path.name, place)


def test_what_is_up_to_date_is_made_again_only_if_forced_or_changed_or_damaged(made, notebook):
    first = made(LAST)
    stamp = first.paths[0].stat().st_mtime_ns
    again = made(LAST, who="South Korea")
    assert (first.state, first.ran, again.state, again.ran) == (NOT_MADE, True, UP_TO_DATE, False)
    assert again.paths[0].stat().st_mtime_ns == stamp
    forced = made(LAST, force=True)
    assert (forced.ran, forced.kept) == (True, None)
    assert made("1 + 1", LAST).ran
    first.paths[1].unlink()
    assert made("1 + 1", LAST).ran
    for path in first.paths:  # cut short, it still holds the mark of what it was made from
        assert not made("1 + 1", LAST).ran
        path.write_bytes(path.read_bytes()[:-40])
        assert made("1 + 1", LAST).ran, path.name
    book = first.paths[0]
    assert not made("1 + 1", LAST).ran and '"2"' in book.read_text()
    book.write_text(book.read_text().replace('"2"', '"3"'))  # what it shows, not what it runs
    assert made("1 + 1", LAST).ran


def test_another_notebook_or_day_or_a_release_without_one_is_part_of_the_name(notebook, tmp_path):
    own = notebook(LAST).rename(tmp_path / "mine.ipynb")
    made = make_report("KOR", "1993-06", reports=tmp_path / "r", notebook=own, as_of="2018-10-05")
    assert made.paths[0].name == "korea-south.mine.as-of-2018-10-05.ipynb"
    assert made.paths[0].parent.name == "1993-06"
    assert any("not established" in line for line in made.notices)


def test_runs_at_the_same_time_in_one_folder_do_not_hear_each_other(notebook, tmp_path, monkeypatch):
    monkeypatch.delenv("JUPYTER_DEFAULT_PROVISIONER_NAME")
    meet = f"open({str(tmp_path)!r} + '/runs.' + partner, 'w').close()"
    meet += f"\nwhile len(glob.glob({str(tmp_path / 'runs.*')!r})) < 2: time.sleep(0.05)"
    talk = "[(time.sleep(0.02), print(partner)) for _ in range(50)]"
    book = notebook(meet, talk, LAST, parameters=f"import glob, time\n{PARAMETERS}")
    command = [sys.executable, "-c", LEAN_COMMAND, "report", "--release", "2018-07", "--notebook", book]
    runs = [
        subprocess.Popen([*command, "--partner", who, "--reports", tmp_path / who], cwd=tmp_path)
        for who in ("KOR", "CHN")
    ]
    assert [run.wait(timeout=300) for run in runs] == [0, 0]
    assert not list(tmp_path.glob("kernel-*")), "a socket was left in the working directory"


def test_a_failed_run_is_kept_beside_and_leaves_the_good_brief_alone(made):
    good = made(LAST)
    before = good.paths[0].read_bytes()
    with pytest.raises(tl.TradelibError, match="ZeroDivisionError: division by zero") as error:
        made("1 / 0", LAST)
    failed = good.paths[0].with_name("korea-south.failed.ipynb")
    assert str(failed) in str(error.value)
    assert "ZeroDivisionError" in failed.read_text()
    told = nbformat.read(failed, as_version=4).metadata["papermill"]
    assert {told[place] for place in ("input_path", "output_path")} == {"release.ipynb"}, "no path"
    assert good.paths[0].read_bytes() == before
    assert not list(failed.parent.glob("*.tmp"))
    made(LAST, LAST)
    assert not failed.exists(), "a later good run clears the failed one away"


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("import sys; sys.exit(0)", "it ended before its last cell: code cell 2 of 3 leaves Python"),
        ("import os; os._exit(0)", "DeadKernelError"),
    ],
)
def test_leaving_midway_is_a_failure_however_politely(cell, why, made, tmp_path):
    with pytest.raises(tl.TradelibError, match=f"The notebook failed: .*{why}"):
        made(cell, LAST)
    assert not list((tmp_path / "r").rglob("korea-south.html"))


def test_a_file_that_is_no_notebook_and_a_missing_one_are_refused(made, tmp_path):
    (tmp_path / "x.ipynb").write_text("not json")
    with pytest.raises(tl.TradelibError, match="cannot be read as a notebook"):
        made(notebook=tmp_path / "x.ipynb")
    cell = nbformat.v4.new_code_cell("'half a character: \ud83d'")
    (tmp_path / "x.ipynb").write_text(json.dumps(nbformat.v4.new_notebook(cells=[cell])))
    with pytest.raises(tl.TradelibError, match="read as a notebook"):
        made(notebook=tmp_path / "x.ipynb")
    with pytest.raises(tl.TradelibError, match="There is no notebook"):
        made(notebook=tmp_path / "y.ipynb")


def test_a_brief_that_shows_a_key_is_not_kept(made, tmp_path, monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", "planted-0123456789")
    with pytest.raises(tl.TradelibError, match="holds the value of CENSUS_API_KEY") as error:
        made("print('planted-0123456789')", LAST)
    assert "planted" not in str(error.value)
    assert not [p for p in (tmp_path / "r").rglob("*") if p.is_file()]


@pytest.mark.parametrize("provisioner", ["tradelib-warm", "local-provisioner"])
def test_a_kernel_gets_no_key_and_a_failed_notebook_holds_none(provisioner, made, tmp_path, monkeypatch):
    """The case `failed_notebook_leaks_key`, also where the key is typed into the notebook, and encoded."""
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", provisioner)
    for name in ("CENSUS_API_KEY", "BEA_API_KEY"):
        monkeypatch.setenv(name, f"planted-{name}")
    shows = "import base64, os; print(sorted(name for name in os.environ if name.endswith('_API_KEY')))"
    typed = "key = 'planted-BEA' + '_API_KEY'; print(base64.b64encode(key.encode())); raise ValueError(key)"
    with pytest.raises(tl.TradelibError, match=r"ValueError: \(BEA_API_KEY\)") as error:
        made(shows, typed, LAST)
    (failed,) = (tmp_path / "r").rglob("*.failed.ipynb")
    text = failed.read_text()
    assert "planted-BEA_API_KEY" not in text + str(error.value)
    assert keys.found(text) == []
    shown = [
        output.get("text") for cell in nbformat.reads(text, 4).cells for output in cell.get("outputs", [])
    ]
    assert "[]\n" in shown, "the kernel has none"


def test_what_a_cell_prints_is_bounded_and_what_a_notebook_shows_too(made, monkeypatch):
    monkeypatch.setattr(engine, "MOST_PRINTED", 10_000)
    done = made("for _ in range(50): print('x' * 9_999, flush=True)", "print('the next cell')", LAST)
    text = done.paths[0].read_text()
    assert (
        len(text) < 60_000 and "cut: a cell may print 10,000 characters" in text and "the next cell" in text
    )
    monkeypatch.setattr(engine, "MOST_SHOWN", 20_000)
    with pytest.raises(tl.TradelibError, match="it shows more than 20,000 characters, in cell 3"):
        made("'x' * 90_000", LAST)


def test_what_a_library_warns_of_is_logged_and_stands_in_no_page_of_ours(made, monkeypatch, caplog):
    cells = "import warnings\nwarnings.warn('soon deprecated')\nprint('shown')", LAST
    monkeypatch.setattr(report, "is_bundled", lambda notebook: True)
    ours = made(*cells)
    assert "UserWarning: soon deprecated" in caplog.text
    for path in ours.paths:
        assert "UserWarning" not in path.read_text()
    assert "shown" in ours.paths[0].read_text()


def test_the_controls_of_a_notebook_are_the_same_in_each_run(made):
    cell = "import ipywidgets as w\nw.HBox([w.IntSlider(n) for n in range(3)])"
    shown = []
    for _ in range(2):
        book = json.loads(made(cell, LAST, force=True).paths[0].read_text())
        shown.append((book["cells"][2]["outputs"], book["metadata"]["widgets"]))
    assert shown[0] == shown[1] and "IntSliderModel" in json.dumps(shown)


def test_a_cell_may_take_as_long_as_is_asked(made, tmp_path):
    """The case `timeout_fixed`."""
    with pytest.raises(tl.TradelibError, match=r"timed out .* after 1 seconds(.|\n)*--cell-limit"):
        made("import time; time.sleep(60)", LAST, cell_limit=1)
    assert list((tmp_path / "r").rglob("*.failed.ipynb"))


def test_a_reports_folder_that_cannot_be_written_is_refused_before_the_run(made, tmp_path):
    (tmp_path / "r").write_text("a file, where the folder should be")
    with pytest.raises(tl.TradelibError, match=r"Cannot write to .*\n  .*Nothing was run\."):
        made(LAST)


def test_a_killed_run_leaves_the_good_brief_and_the_next_run_sweeps_up(made, notebook, tmp_path, monkeypatch):
    good = made(LAST)
    before = [path.read_bytes() for path in good.paths]
    slow = notebook(f"import time; open({str(tmp_path / 'runs')!r}, 'w').close(); time.sleep(60)", LAST)
    command = [sys.executable, "-c", LEAN_COMMAND, "report", "--partner", "KOR", "--release", "2018-07"]
    command += ["--reports", tmp_path / "r", "--notebook", slow]
    monkeypatch.delenv("JUPYTER_DEFAULT_PROVISIONER_NAME")
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    folder = good.paths[0].parent
    deadline = time.monotonic() + 300
    while not (tmp_path / "runs").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert list(folder.glob(".*.tmp")), "the run was killed in the middle"
    assert [path.read_bytes() for path in good.paths] == before
    made("2 + 2", LAST)
    assert not list(folder.glob(".*.tmp"))


# --- a notebook of one's own --------------------------------------------------------------------

OWN = """partner = "CHN"
release = "2024-08"  # untyped, as one writes it"""


def test_a_notebook_of_ones_own_needs_no_hidden_words_and_gets_what_it_declares(
    notebook, tmp_path, monkeypatch
):
    """Outside the repository, by the command line: the case `own-notebook-needs-hidden-marker`."""
    own = notebook("print('all done for', partner, release)", parameters=OWN).rename(tmp_path / "mine.ipynb")
    monkeypatch.chdir(tmp_path)
    lines = told("report", "--partner", "KOR", "--release", "2018-07", "--notebook", own).splitlines()
    assert lines[0] == "Korea, South, mine", "without a headline and a heading, whose and which it is"
    (path,) = tmp_path.glob("reports/2018-09-05/korea-south.mine.ipynb")
    assert "all done for 5800 2018-07" in path.read_text()
    facts = json.loads(path.with_suffix(".facts.json").read_text())
    assert (facts["facts"], facts["series"]) == ({}, {})
    assert facts["partner"] == {"code": "5800", "iso2": "KR", "iso3": "KOR", "name": "Korea, South"}
    assert (facts["release"], facts["published"], facts["as_of"]) == ("2018-07", "2018-09-05", "2018-09-05")
    assert facts["tradelib"]["headline"] == ""


@pytest.mark.parametrize("metadata", [{}, {"kernelspec": {"name": "my-env", "display_name": "Mine"}}])
def test_a_notebook_of_an_editor_that_names_no_kernel_or_one_of_its_own_is_run(metadata, notebook, tmp_path):
    own = notebook("print('all done for', partner, release)", parameters=OWN).rename(tmp_path / "mine.ipynb")
    own.write_text(json.dumps(json.loads(own.read_text()) | {"metadata": metadata}))
    made = report.make_report("KOR", "2018-07", reports=tmp_path / "r", notebook=own)
    assert "all done for 5800 2018-07" in made.paths[0].read_text()


def test_a_page_is_not_filed_under_a_partner_that_it_is_not_about(tmp_path):
    book = nbformat.v4.new_notebook()
    text = 'import tradelib as tl\nbrief = tl.brief("VNM", "2018-07")\nbrief'
    book.cells = [nbformat.v4.new_code_cell(text)]
    nbformat.write(book, tmp_path / "small.ipynb")
    options = {"reports": tmp_path / "r", "notebook": tmp_path / "small.ipynb"}
    with pytest.raises(tl.TradelibError, match=r"about Vietnam, not about Korea, South as asked") as error:
        make_report("KOR", "2018-07", **options)
    assert "--partner 'Vietnam'" in str(error.value)
    assert not list((tmp_path / "r").rglob("*.html"))
    assert make_report("Vietnam", "2018-07", **options).paths[1].exists()


def test_a_mistake_in_a_sentence_is_told_whole_and_with_its_cell(made):
    text = 'import tradelib as tl\ntl.say(tl.brief("KOR", "2018-07"), "{goods.export.ytd}")'
    with pytest.raises(tl.TradelibError, match=r"no fact, word or field 'goods\.export\.ytd'") as error:
        made("1 + 1", text, LAST)
    assert "Near: goods.exports.ytd" in str(error.value)
    assert "which begins: import tradelib as tl" in str(error.value)


def test_a_notebook_without_parameters_works_and_its_headline_title_and_facts_are_told(tmp_path):
    bundle = {"facts": {"mine": {"value": 5}}, "note": "own"}
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_markdown_cell("# My *own* page & more"),
        nbformat.v4.new_code_cell("'It **rose** to $5.'", metadata={"tags": ["headline"]}),
        nbformat.v4.new_code_cell(
            f"from IPython.display import display\ndisplay({{{FACTS_MIME!r}: {bundle!r}}}, raw=True)"
        ),
    ]
    nbformat.write(book, tmp_path / "mine.ipynb")
    words = ["--partner", "KOR", "--release", "2018-07", "--reports", tmp_path / "r"]
    assert "It rose to $5." in told("report", *words, "--notebook", tmp_path / "mine.ipynb").splitlines()
    (path,) = (tmp_path / "r").rglob("*.facts.json")
    facts = json.loads(path.read_text())
    assert (facts["facts"], facts["note"]) == ({"mine": {"value": 5}}, "own")
    assert (facts["tradelib"]["headline"], facts["tradelib"]["title"]) == (
        "It rose to $5.",
        "My own page & more",
    )
    page = path.with_name(path.name.replace(".facts.json", ".html")).read_text()
    assert "<title>My own page &amp; more</title>" in page
    assert not any("injected" in cell for cell in page.split("<div"))


@pytest.mark.parametrize(
    ("wrong", "right"), [("relaese", "release"), ("as_off", "as_of"), ("parner", "partner")]
)
def test_a_misspelt_parameter_is_refused_before_a_kernel_starts(wrong, right, made, notebook, tmp_path):
    own = notebook(LAST, parameters=PARAMETERS.replace(right, wrong))
    with pytest.raises(tl.TradelibError, match=f"has a parameter {wrong} and none named {right}"):
        made(notebook=own)
    assert not (tmp_path / "r").exists()


# --- editions ---------------------------------------------------------------------------------------


def test_an_upgrade_keeps_what_was_published_and_reads_otherwise_beside_the_new_page(
    made, monkeypatch, tmp_path
):
    cell = "import os\nprint(os.environ['SAYS'])"
    monkeypatch.setenv("SAYS", "It fell.")
    first = made(cell)
    published = [path.read_bytes() for path in first.paths]

    def upgraded(code: str, says: str, **options):
        monkeypatch.setattr(jobs, "code_sha256", lambda: code)
        monkeypatch.setenv("SAYS", says)
        return made(cell, **options)

    assert upgraded("b", "It fell.").kept is None, "the same words are the same edition"
    before = [path.read_bytes() for path in first.paths]
    folder = first.paths[0].parent
    second = upgraded("c", "It rose.")
    assert second.kept == folder / "korea-south.edition-1.html"
    kept = [folder / f"korea-south.edition-1{end}" for end in jobs.ENDS]
    assert [path.read_bytes() for path in kept] == before != published
    assert upgraded("d", "It rose again.", keep_editions=False).kept is None
    assert upgraded("e", "It stood.").kept == folder / "korea-south.edition-2.html"
    record = json.loads(first.paths[2].read_text())["tradelib"]
    assert [one["name"] for one in record["editions"]] == ["korea-south.edition-1", "korea-south.edition-2"]
    assert 'href="korea-south.edition-1.html"' in first.paths[1].read_text()
    assert (record["libraries"]["pandas"], upgraded("e", "?").ran) == (pd.__version__, False)
    (entry,) = entries.gather(tmp_path / "r")[0]
    assert [one.run for one in entry.beside] == ["edition-1", "edition-2"]


@pytest.fixture
def upgraded(made, monkeypatch):
    """Make the page that says something, with the code of some tradelib."""

    def make(code: str, says: str, **options):
        monkeypatch.setattr(jobs, "code_sha256", lambda: code)
        monkeypatch.setenv("SAYS", says)
        return made("import os\nprint(os.environ['SAYS'])", **options)

    return make


@pytest.mark.parametrize("killed_at", range(1, 7))
def test_an_edition_is_what_was_published_wherever_a_run_that_kept_it_was_killed(
    upgraded, monkeypatch, killed_at
):
    first = upgraded("a", "It fell.")
    published = [path.read_bytes() for path in first.paths]
    left, real = iter(range(1, killed_at)), files.put

    def put(*args, **options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(*args, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "put", put)
        upgraded("b", "It rose.")
    second = upgraded("b", "It rose.")
    kept = [first.paths[0].with_name(f"korea-south.edition-1{end}") for end in jobs.ENDS]
    assert [path.read_bytes() for path in kept] == published
    assert [one["name"] for one in json.loads(second.paths[2].read_text())["tradelib"]["editions"]] == [
        "korea-south.edition-1"
    ]


def test_an_edition_is_never_written_over_where_the_page_has_gone_and_none_has_the_words_of_another(upgraded):
    first = upgraded("a", "It fell.")
    published = first.paths[1].read_bytes()
    upgraded("b", "It rose.")
    for path in first.paths:
        path.unlink()
    upgraded("b", "It rose.")
    upgraded("a", "It fell.")
    assert upgraded("b", "It rose.").kept is None, "both are kept already"
    record = json.loads(first.paths[2].read_text())["tradelib"]
    assert [one["name"] for one in record["editions"]] == ["korea-south.edition-1", "korea-south.edition-2"]
    assert first.paths[1].with_name("korea-south.edition-1.html").read_bytes() == published


def test_a_release_of_these_days_and_a_notebook_of_ones_own_make_no_edition(made, monkeypatch):
    first = made("print('It fell.')")
    assert made("print('It rose.')").kept is None, "its own author changed it"
    monkeypatch.setattr(jobs, "code_sha256", lambda: "b")
    monkeypatch.setattr(report.releases, "today", lambda: date(2018, 9, 7))
    assert made("print('It stood.')").kept is None, "tables of the release are still coming"
    assert not list(first.paths[0].parent.glob("*edition*"))


# --- an edited brief ----------------------------------------------------------------------------

SAYS = "print('The deficit narrowed.')"


def test_an_edited_brief_is_recognised_and_never_overwritten_unasked(made, edit, tmp_path):
    first = made(SAYS)
    edit(first.paths[0], "print('My words.')")
    before = [path.read_bytes() for path in first.paths]
    for cells in ((SAYS,), ("1 + 1", SAYS)):  # up to date, and made from something else
        again = made(*cells)
        assert (again.state, again.ran) == (EDITED, False)
    assert [path.read_bytes() for path in first.paths] == before
    words = ["report", "--partner", "KOR", "--release", "2018-07", "--reports", tmp_path / "r"]
    said = told(*words, "--notebook", tmp_path / "release.ipynb")
    assert "Edited: nothing was run." in said
    assert re.search(rf"tradelib page {re.escape(str(first.paths[0]))}`", said), "what to do"
    said = told(*words, "--notebook", tmp_path / "release.ipynb", "--force")
    kept = first.paths[0].with_name("korea-south.edited.ipynb")
    assert f"The edited notebook is kept: {kept}" in said
    assert kept.read_bytes() == before[0]
    assert not finished.is_edited(first.paths[0].read_bytes())


def test_the_page_of_an_edited_brief_moves_with_it(made, edit):
    first = made(SAYS)
    for n, name in enumerate(("korea-south.edited", "korea-south.edited-2")):
        edit(first.paths[0], f"print('Edit {n}.')")
        make_page(first.paths[0])
        forced = made(SAYS, force=True)
        assert forced.kept == first.paths[0].with_name(f"{name}.ipynb")
        assert f"Edit {n}." in forced.kept.with_suffix(".html").read_text()
        assert f"Edit {n}." not in first.paths[1].read_text()
        assert json.loads(forced.kept.with_suffix(".facts.json").read_text())["tradelib"]["edited"]


def test_what_is_saved_while_the_brief_runs_is_not_overwritten(made, edit, monkeypatch):
    first = made(SAYS)
    execute = report.execute

    def slowly(*args, **options):
        done = execute(*args, **options)
        edit(first.paths[0], "print('Saved meanwhile.')")
        return done

    monkeypatch.setattr(report, "execute", slowly)
    with pytest.raises(tl.TradelibError, match="was edited: it is not overwritten"):
        made("1 + 1", SAYS)
    assert "Saved meanwhile." in first.paths[0].read_text()
    with pytest.raises(tl.TradelibError, match="was saved by somebody else meanwhile"):
        edit(first.paths[0], "print('Before.')")
        make_page(first.paths[0], run=True)


# --- the page of a notebook as it stands --------------------------------------------------------


def test_an_edited_sentence_reaches_the_page_and_the_notebook_is_run_only_where_it_must(made, edit):
    first = made("print(partner)", SAYS)
    again = make_page(first.paths[0])
    assert not again.ran, "all of it was run"
    edit(first.paths[0], "print('My words.')")
    page = make_page(first.paths[0])
    assert page.ran, "the outputs were older than the source"
    assert page.paths == first.paths
    assert "My words." in first.paths[1].read_text() and "5800" in first.paths[1].read_text()
    assert finished.is_edited(first.paths[0].read_bytes())
    assert not finished.not_run(json.loads(first.paths[0].read_text())), "its own outputs are renewed"
    facts = json.loads(first.paths[2].read_text())
    assert facts["tradelib"]["edited"] and facts["release"] == "2018-07"
    output = {"output_type": "stream", "name": "stdout", "text": "Run in JupyterLab."}
    edit(first.paths[0], "print('Run in ' + 'JupyterLab.')", outputs=[output])
    assert not make_page(first.paths[0]).ran
    assert "Run in JupyterLab." in first.paths[1].read_text()


def test_the_command_makes_the_page_of_any_notebook(tmp_path):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    nbformat.write(book, tmp_path / "any.ipynb")
    assert told("page", tmp_path / "any.ipynb").splitlines()[-1] == "Made; the notebook was run."
    assert "42" in (tmp_path / "any.html").read_text() and "42" in (tmp_path / "any.ipynb").read_text()
    assert json.loads((tmp_path / "any.facts.json").read_text())["facts"] == {}
    lines = told("page", tmp_path / "any.ipynb").splitlines()
    assert lines[0] == "any" and lines[-1] == "Made of the notebook as it stands."


def test_a_notebook_that_shows_an_error_or_fails_makes_no_page(tmp_path):
    cell = nbformat.v4.new_code_cell("1 / 0", execution_count=1)
    error = {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division", "traceback": []}
    cell.outputs = [nbformat.from_dict(error)]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "any.ipynb")
    with pytest.raises(tl.TradelibError, match="shows an error in cell 1: ZeroDivisionError"):
        make_page(tmp_path / "any.ipynb")
    with pytest.raises(tl.TradelibError, match="The notebook failed: ZeroDivisionError"):
        make_page(tmp_path / "any.ipynb", run=True)
    assert sorted(path.name for path in tmp_path.glob("any*")) == ["any.failed.ipynb", "any.ipynb"]
    for name, told in {"none.ipynb": "There is no notebook", "x.txt": "cannot be read as a notebook"}.items():
        (tmp_path / "x.txt").write_text("x")
        with pytest.raises(tl.TradelibError, match=told):
            make_page(tmp_path / name)
