"""The controls of explore.ipynb: each changes what is shown, and every refusal is told; and the notebook."""

import base64
import io
import json
import re
import threading
import time
from datetime import date
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from tradelib.errors import TradelibError
from tradelib.explorer import choice as choices
from tradelib.explorer.chart import chart
from tradelib.explorer.choice import Choice, view_of
from tradelib.explorer.widgets import Explorer, reports_folder, still
from tradelib.partners import resolve
from tradelib.runs import engine, jobs, report
from tradelib.runs.finished import headline_of

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore.ipynb"
JULY = {"release": "2018-07", "as_of": "2018-10-05"}


def test_of_what_cannot_be_had_a_page_without_a_kernel_says_why():
    assert still(Choice("KOR", "2018-07", window="quarter")) == (
        "Goods, Census basis, are monthly: there is no window 'quarter'. Choose month, year to date or "
        "twelve months."
    )


@pytest.fixture
def explorer(tmp_path):
    return Explorer(Choice("KOR", measure="exports", **JULY), reports=tmp_path / "reports")


def test_the_controls_begin_with_what_is_chosen(explorer):
    controls = explorer.controls
    assert controls["partner"].label == "Korea, South"
    assert controls["window"].options == ("month", "year to date", "twelve months")
    assert explorer.choice == Choice("5800", measure="exports", **JULY)


def test_the_chart_on_screen_is_a_picture(explorer):
    data = re.search(r'src="data:image/png;base64,([^"]+)"', explorer.picture.value)[1]
    drawn = Image.open(io.BytesIO(base64.b64decode(data)))
    assert drawn.size[0] > 1000 and len(drawn.getcolors(100_000)) > 20


WRONG = [
    ({"window": "quarter"}, "monthly: there is no window 'quarter'"),
    ({"basis": "bop total", "window": "month"}, "quarterly: there is no window 'month'"),
    ({"basis": "bop total", "partner": "PER"}, "no figures of goods and services with Peru"),
    ({"compare": "2017-01-06"}, "No vintage of 2017-01-06 reaches July 2018"),
    ({"compare": "soon"}, "is not a date"),
    ({"as_of": "2018-09-04"}, "were not out yet"),
    ({"as_of": "2018-13-01"}, "is not a date"),
    ({"release": "2030-01"}, "No country table reaches 2030-01"),
    ({"release": "July 2018"}, "is not a month"),
    ({"release": "1984-05"}, "The months there are: 1985-01 to"),
    ({"partner": "Atlantis"}, "matches no partner"),
    ({"second": "Korea, East"}, "matches no partner"),
    ({"basis": "bop"}, "is no basis"),
    ({"measure": "profit"}, "is no measure"),
    ({"measure": "rate"}, "'rate' is no measure"),
    ({"basis": "tariff rate", "window": "quarter"}, "consumption, are monthly: there is no window 'quarter'"),
    ({"basis": "tariff rate", "partner": "PER"}, "has no figures of duties on imports from Peru"),
    (
        {"basis": "tariff rate", "release": "2012-12"},
        "covers January 2013 to November 2025, not December 2012",
    ),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_what_cannot_be_had_is_told_in_a_sentence_and_raises_nothing_in_the_widgets(wrong, words):
    choice = Choice(**{"partner": "KOR", "release": "2018-07"} | wrong)
    with pytest.raises(TradelibError, match=re.escape(words)):
        view_of(choice)
    explorer = Explorer(choice)
    assert explorer.view is None and explorer.table is None
    assert 'role="alert"' in explorer.picture.value
    assert words.replace("'", "&#x27;") in explorer.picture.value
    assert all(button.disabled for button in explorer.buttons.values())
    assert words in str(still(choice))


def test_a_partner_without_a_year_earlier_is_shown():
    explorer = Explorer(Choice("South Sudan", "2011-12", compare="2012-02-10"))
    assert explorer.view is not None and len(explorer.table)


def test_each_control_changes_the_chart(explorer):
    changes = {"partner": "5700", "second": "5880", "measure": "imports", "window": "month"}
    changes |= {"as_of": "2025-04-03", "compare": "2020-10-06", "release": "2017-12", "basis": "bop total"}
    for name, value in changes.items():
        before = explorer.picture.value
        explorer.controls[name].value = value
        assert explorer.view is not None, explorer.picture.value
        assert explorer.picture.value != before, name
        assert explorer.chart is not None and len(explorer.table)


def test_the_title_in_words_names_the_new_partner(explorer):
    explorer.controls["partner"].value = "2010"
    assert 'alt="Chart: U.S. exports of goods to Mexico rose' in explorer.picture.value


def test_another_basis_brings_its_windows_and_back(explorer):
    window = explorer.controls["window"]
    window.value = "twelve months"
    explorer.controls["basis"].value = "bop total"
    assert window.value == "four quarters"
    explorer.controls["basis"].value = "census goods"
    assert window.value == "twelve months"


def test_a_tariff_rate_has_one_measure_and_the_one_before_comes_back(explorer):
    measure = explorer.controls["measure"]
    explorer.controls["basis"].value = "tariff rate"
    assert measure.disabled and explorer.view.measure == "rate"
    explorer.controls["basis"].value = "census goods"
    assert not measure.disabled and explorer.view.measure == "exports"
    assert Explorer(Choice("KOR", basis="tariff rate", **JULY)).controls["measure"].disabled


def test_another_release_brings_its_days_and_vintages(explorer):
    explorer.controls["release"].value = "2024-08"
    assert explorer.controls["as_of"].value == "", "a day before the release is dropped"
    assert [value for _, value in explorer.controls["compare"].options] == ["", "2024-10-08", "2025-04-03"]


def test_any_day_can_be_picked(explorer):
    explorer.controls["as_of"].value = choices.ANOTHER
    explorer.controls["day"].value = date(2021, 1, 1)
    assert explorer.choice.as_of == "2021-01-01"
    assert str(explorer.view.vintages[0].published) == "2020-10-06"
    explorer.controls["day"].value = date(2018, 1, 1)
    assert "were not out yet" in explorer.picture.value


def test_an_as_of_that_is_no_vintage_is_kept():
    assert Explorer(Choice("KOR", "2018-07", as_of="2019-03-01")).choice.as_of == "2019-03-01"
    assert Explorer(Choice("KOR", "2018-07", as_of="2018-09-05")).controls["as_of"].value == ""


def test_after_a_refusal_the_next_choice_is_answered(explorer):
    explorer.controls["partner"].value = "3330"
    explorer.controls["basis"].value = "bop total"
    assert explorer.view is None
    explorer.controls["partner"].value = "5700"
    assert explorer.view is not None and not explorer.buttons["Make this brief"].disabled


def test_the_last_choice_is_what_stays_though_each_is_handed_over_by_a_thread_of_its_own(
    explorer, monkeypatch
):
    """As JupyterLab does: the second may come while the chart of the first is drawn."""
    drawing, go_on = threading.Event(), threading.Event()

    def slowly(view):
        drawing.set()
        go_on.wait(10)
        return chart(view)

    monkeypatch.setattr("tradelib.explorer.widgets.chart", slowly)
    pick = explorer.controls.__getitem__
    picks = [
        threading.Thread(target=lambda: setattr(pick("basis"), "value", "bop total")),
        threading.Thread(target=lambda: setattr(pick("partner"), "value", resolve("Peru").code)),
    ]
    picks[0].start()
    assert drawing.wait(10)
    picks[1].start()
    picks[1].join(0.2)  # without order it is through before the first
    go_on.set()
    for one in picks:
        one.join(10)
    assert "no figures of goods and services with Peru" in explorer.picture.value
    assert (explorer.view, explorer.table, explorer.numbers.value) == (None, None, "")


def test_the_copy_button_holds_the_table(explorer):
    assert "31752055221" in explorer.copy.value and "navigator.clipboard" in explorer.copy.value


def test_figures_are_saved_as_png_and_svg(explorer):
    explorer.buttons["Save PNG"].click()
    explorer.buttons["Save SVG"].click()
    found = {path.suffix: path for path in (explorer.reports / "figures").iterdir()}
    assert Image.open(found[".png"]).size[0] > 2000
    assert "<svg" in found[".svg"].read_text()
    (told,) = explorer.told.outputs
    assert "Saved the chart:" in told["data"]["text/html"] and ".svg</a>" in told["data"]["text/html"]


def test_a_chart_that_cannot_be_saved_is_told_in_words(explorer):
    explorer.reports.touch()  # a file where the folder should be
    explorer.buttons["Save PNG"].click()
    assert "The chart was not saved." in explorer.told.outputs[0]["data"]["text/html"]


@pytest.mark.parametrize(
    ("state", "done"),
    [
        (jobs.NOT_MADE, "Made the brief on South Korea, July 2018."),
        (jobs.UP_TO_DATE, "The brief on South Korea, July 2018 was there already."),
        (jobs.EDITED, "The brief on South Korea, July 2018 was edited, and is left as it is."),
    ],
)
def test_the_brief_of_what_is_on_screen_is_asked_for(explorer, monkeypatch, state, done):
    asked, page = [], explorer.reports / "2018-09-05" / "korea-south.html"

    def make_report(*args, **options):
        asked.append((args, options))
        time.sleep(0.3)
        paths, ran = (page.with_suffix(".ipynb"), page), state == jobs.NOT_MADE
        return report.Made(paths, "It narrowed to $979 million.", ran=ran, state=state)

    monkeypatch.setattr(report, "make_report", make_report)
    monkeypatch.chdir(explorer.reports.parent)
    explorer.make_brief().join(10)
    assert asked == [(("5800", "2018-07"), {"as_of": "2018-10-05", "reports": explorer.reports})]
    told = explorer.told.outputs[0]["data"]["text/html"]
    assert done in told
    assert "It narrowed to <span>$</span>979 million." in told
    for name in ("korea-south.html", "korea-south.ipynb"):
        assert f'<a href="reports/2018-09-05/{name}"' in told
    assert explorer.bar.layout.display == "none" and not explorer.buttons["Make this brief"].disabled


@pytest.mark.parametrize("mark", [".git", "pyproject.toml", "reports"])
def test_briefs_go_to_the_reports_of_the_project_wherever_the_notebook_is(tmp_path, monkeypatch, mark):
    (tmp_path / mark).mkdir()
    inner = tmp_path / "notebooks" / "mine"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert reports_folder() == tmp_path / "reports"
    explorer = Explorer(Choice("KOR", "2018-07"))
    explorer.buttons["Save SVG"].click()
    assert '<a href="../../reports/figures/' in explorer.told.outputs[0]["data"]["text/html"]


def test_without_a_project_briefs_go_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert reports_folder() == tmp_path / "reports"


@pytest.mark.parametrize("error", [TradelibError("No.", "Try again."), RuntimeError("broken"), OSError()])
def test_a_brief_that_fails_is_told_in_words(explorer, monkeypatch, error):
    def make_report(*args, **options):
        raise error

    monkeypatch.setattr(report, "make_report", make_report)
    explorer.make_brief().join(10)
    assert explorer.told.outputs[0]["data"]["text/plain"].startswith("The brief was not made.")
    assert not explorer.buttons["Make this brief"].disabled


# --- the notebook -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The notebook, run by papermill as a scheduler would, for another partner and two vintages."""
    import papermill

    path = tmp_path_factory.mktemp("run") / "explore.ipynb"
    asked = {"partner": "JPN", "second": "KOR", "measure": "exports", "compare": "2025-04-03"}
    options = {"progress_bar": False, "log_output": False, "kernel_name": "tradelib-warm"}
    config = engine.kernel_config(path.parent) if len(str(path.parent)) < 80 else None
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        extra = {"config": config} if config else {}
        papermill.execute_notebook(str(NOTEBOOK), str(path), parameters=asked, **options, **extra)
    return nbformat.read(path, as_version=4)


def test_the_notebook_runs_without_a_browser_and_shows_what_its_parameters_ask(made):
    outputs = [out for cell in made.cells if cell.cell_type == "code" for out in cell.outputs]
    assert not [out for out in outputs if out.output_type in ("error", "stream")]
    shown = json.dumps(outputs)
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert "up 11.1 percent to South Korea" in shown
    assert "vintage of October 5, 2018" in shown
    assert headline_of(made) == "Exploring U.S. trade with Japan and South Korea, July 2018"


def test_the_exported_page_has_the_chart_and_the_table_without_a_kernel(made):
    from nbconvert import HTMLExporter

    page = HTMLExporter(exclude_input=True).from_notebook_node(made)[0]
    assert "Chart: U.S. exports of goods in January-July 2018" in page
    assert "data:image/png;base64," in page
    assert 'class="tradelib-table' in page and "Exports, $" in page
    assert "Exploring U.S. trade with Japan and South Korea, July 2018</h1>" in re.sub("<a .*?</a>", "", page)
