"""What explore.ipynb shows: the figures of the package, at once, and every refusal in one sentence."""

import io
import json
import time
from datetime import date
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

import tradelib as tl
from tradelib.errors import TradelibError
from tradelib.explorer import controls as explore_controls
from tradelib.explorer import explore
from tradelib.explorer.explore import Choice, Explorer, look
from tradelib.explorer.figures import figure, png
from tradelib.explorer.tables import published, table, tsv
from tradelib.explorer.views import BASES, MEASURES
from tradelib.explorer.words import headline
from tradelib.runs import execution, report
from tradelib.style.house import caption

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore.ipynb"
JULY = {"release": "2018-07", "as_of": "2018-10-05"}


def last(view, column: str):
    return table(view).iloc[-1].xs(column, level="figure").item()


# --- the same figures as everywhere else ------------------------------------------------------------


@pytest.fixture(scope="module")
def sheet():
    return tl.brief("KOR", "2018-07", as_of="2018-10-05")


@pytest.mark.parametrize("measure", MEASURES)
def test_korea_in_january_to_july_2018_is_that_of_the_facts_to_the_dollar(sheet, measure):
    view = look(Choice("KOR", measure=measure, **JULY))
    assert last(view, f"{measure}_usd") == sheet.value(f"goods.{measure}.ytd")
    assert last(view, f"{measure}_change_usd") == sheet.value(f"goods.{measure}.ytd.change_usd")
    if measure == "balance":
        assert last(view, "balance_reduction_pct") == sheet.value("goods.deficit.ytd.reduction_pct")
    else:
        assert last(view, f"{measure}_change_pct") == sheet.value(f"goods.{measure}.ytd.change_pct")


def test_the_month_and_the_twelve_months_are_those_of_the_facts(sheet):
    for window, fact in (("month", "goods.balance.month"), ("twelve months", "goods.balance.trailing12")):
        assert last(look(Choice("KOR", window=window, **JULY)), "balance_usd") == sheet.value(fact)


@pytest.mark.parametrize("item", ["services", "total"])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("release", ["2018-07", "2021-08"])
def test_the_quarters_of_a_year_are_those_of_the_facts_whichever_table_they_come_from(item, measure, release):
    facts = tl.brief("KOR", release)
    view = look(Choice("KOR", release, basis=f"bop {item}", measure=measure))
    assert last(view, f"{measure}_usd") == facts.value(f"{item}.{measure}.ytd")
    assert last(view, f"{measure}_change_usd") == facts.value(f"{item}.{measure}.ytd.change_usd")
    assert str(view.vintages[0].published) == facts[f"{item}.{measure}.ytd"].vintage


def test_a_group_that_is_the_sum_of_its_members_is_that_of_the_facts():
    facts = tl.brief("ASEAN", "2018-07")
    assert last(look(Choice("ASEAN", "2018-07")), "balance_usd") == facts.value("goods.balance.ytd")


def test_two_vintages_give_the_published_growth_and_its_revision():
    view = look(Choice("KOR", measure="exports", compare="2025-04-03", **JULY))
    row = table(view).iloc[-1]
    then, now = (row[f"South Korea, vintage of {day}"] for day in ("2018-10-05", "2025-04-03"))
    assert (round(then["exports_change_pct"], 1), round(now["exports_change_pct"], 1)) == (11.1, 11.2)
    assert row["South Korea, revision"]["revision_usd"] == now["exports_usd"] - then["exports_usd"]
    assert (round(then["exports_usd"], -5), round(now["exports_usd"], -5)) == (31_752_100_000, 31_735_200_000)
    assert "they rose 11.2 percent, not 11.1" in headline(view)


def test_a_revision_is_the_newer_less_the_older_whichever_is_in_front():
    newer = look(Choice("KOR", "2018-07", as_of="2025-04-03", compare="2018-10-05"))
    older = look(Choice("KOR", compare="2025-04-03", **JULY))
    assert last(newer, "revision_usd") == last(older, "revision_usd")
    assert headline(newer) == headline(older)


def test_comparing_a_vintage_with_itself_shows_it_once():
    assert len(look(Choice("KOR", compare="2018-10-05", **JULY)).lines) == 1


def test_nothing_after_the_release_is_shown_though_the_vintage_holds_it():
    view = look(Choice("KOR", "2018-07", as_of="2025-04-03", window="month"))
    assert table(view).index[-1] == pd.Period("2018-07", "M")


# --- tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "rows"),
    [({}, 12), ({"window": "month"}, 13), ({"basis": "bop total", "window": "quarter"}, 9)],
)
def test_a_table_has_a_row_for_each_window_and_no_gap(choice, rows):
    frame = table(look(Choice("KOR", **JULY, **choice)))
    assert len(frame) == rows
    assert frame.index.is_monotonic_increasing
    assert not frame["South Korea"][["balance_usd", "balance_change_usd"]].isna().any(axis=None)


def test_a_published_table_has_units_separators_true_minuses_and_bold_last_row():
    html = published(look(Choice("KOR", **JULY))).data
    assert "<th>Balance,<br>$ million</th>" in html
    assert "<td>January-July 2018</td><td>−9,885.7</td>" in html
    assert "nan" not in html.lower() and "None" not in html


def test_a_published_table_of_a_tiny_partner_is_in_thousands_or_dollars():
    assert "$ million" not in published(look(Choice("Tokelau", "2018-07", window="month"))).data


def test_the_copied_table_is_a_rectangle_of_whole_dollars():
    frame = table(look(Choice("KOR", second="JPN", measure="exports", **JULY)))
    lines = [line.split("\t") for line in tsv(frame).splitlines()]
    assert {len(line) for line in lines} == {1 + frame.shape[1]}
    assert lines[-1][1] == "31752055221"
    back = pd.read_csv(io.StringIO(tsv(frame)), sep="\t", index_col=0)
    assert back.to_numpy() == pytest.approx(frame.to_numpy())


# --- figures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("who", [("KOR", ""), ("CHN", "MEX"), ("0003", "JPN")])
def test_every_window_and_measure_draws_with_a_finding_a_unit_and_a_source(basis, who):
    for window in BASES[basis].windows:
        for measure in MEASURES:
            view = look(Choice(who[0], "2018-07", second=who[1], basis=basis, window=window, measure=measure))
            fig = figure(view)
            assert tl.resolve(who[0]).prose in caption(fig)
            assert "$ " in caption(fig, "subtitle")
            assert f"vintage of {view.vintages[0].published}" in caption(fig, "source")
            assert "nan" not in caption(fig)


def test_a_comparison_is_drawn_with_its_revision_below():
    fig = figure(look(Choice("KOR", second="JPN", compare="2025-04-03", window="twelve months", **JULY)))
    main, below = fig.axes
    assert len([line for line in main.lines if line.get_label() == "Japan"]) == 2
    assert below.get_title(loc="left") == "Revision, $ million: 2025-04-03 less 2018-10-05"
    assert "Dashed: the vintage of 2025-04-03." in caption(fig, "source")


def test_artists_hold_whole_dollars_and_bars_stand_on_zero():
    fig = figure(look(Choice("KOR", measure="exports", **JULY)))
    bar = fig.axes[0].patches[-1]
    assert (bar.get_height(), bar.get_y()) == (31_752_055_221, 0)


def test_a_whole_year_and_its_first_month_are_named():
    year, month = (figure(look(Choice("KOR", release))) for release in ("2017-12", "2018-01"))
    assert "calendar years" in caption(year, "subtitle") and " in 2017, from" in caption(year)
    assert ", January, $ billion" in caption(month, "subtitle") and " in January 2018, from" in caption(month)


def test_trade_that_was_none_a_year_ago_has_no_percentage():
    choice = Choice("Tokelau", "2018-07", measure="imports", window="month")
    for view in (look(choice), look(Choice("KOR", "2018-07", second="Tokelau", window="month"))):
        assert "inf" not in headline(view) and "nan" not in headline(view)


def test_a_figure_is_a_picture():
    drawn = Image.open(io.BytesIO(png(figure(look(Choice("KOR", **JULY))))))
    assert drawn.size[0] > 1000 and len(drawn.getcolors(100_000)) > 20


@pytest.mark.parametrize("code", ["5800", "Tokelau", "Falkland", "South Sudan", "0015", "ASEAN"])
def test_small_large_and_summed_partners_are_shown(code):
    for window in BASES["census goods"].windows:
        for measure in MEASURES:
            assert isinstance(figure(look(Choice(code, "2018-07", window=window, measure=measure))), Figure)


# --- refusals ---------------------------------------------------------------------------------------

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
    ({"release": "1984-05"}, "no figures of goods with South Korea"),
    ({"partner": "Atlantis"}, "matches no partner"),
    ({"second": "Korea, East"}, "matches no partner"),
    ({"partner": "South Sudan", "release": "2011-12", "compare": "2012-02-10"}, ""),
    ({"basis": "bop"}, "is no basis"),
    ({"measure": "profit"}, "is no measure"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_what_cannot_be_had_is_told_in_a_sentence_and_raises_nothing_in_the_widgets(wrong, words):
    choice = Choice(**{"partner": "KOR", "release": "2018-07"} | wrong)
    explorer = Explorer(choice)
    if words:
        with pytest.raises(TradelibError, match=words.replace("(", r"\(")):
            look(choice)
        assert explorer.view is None and explorer.table is None
        assert 'role="alert"' in explorer.picture.value
        assert all(button.disabled for button in explorer.buttons.values())
        assert words in str(explore.still(choice))


# --- widgets ----------------------------------------------------------------------------------------


@pytest.fixture
def explorer(tmp_path):
    return Explorer(Choice("KOR", measure="exports", **JULY), reports=tmp_path / "reports")


def test_each_control_changes_the_figure(explorer):
    changes = {"partner": "5700", "second": "5880", "measure": "imports", "window": "month"}
    changes |= {"as_of": "2025-04-03", "compare": "2020-10-06", "release": "2017-12", "basis": "bop total"}
    for name, value in changes.items():
        before = explorer.picture.value
        explorer.controls[name].value = value
        assert explorer.view is not None, explorer.picture.value
        assert explorer.picture.value != before, name
        assert explorer.figure is not None and len(explorer.table)


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


def test_another_release_brings_its_days_and_vintages(explorer):
    explorer.controls["release"].value = "2024-08"
    assert explorer.controls["as_of"].value == "", "a day before the release is dropped"
    assert [value for _, value in explorer.controls["compare"].options] == ["", "2024-10-08", "2025-04-03"]


def test_any_day_can_be_picked(explorer):
    explorer.controls["as_of"].value = explore_controls.ANOTHER
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


def test_the_copy_button_holds_the_table(explorer):
    assert "31752055221" in explorer.copy.value and "navigator.clipboard" in explorer.copy.value


def test_figures_are_saved_as_png_and_svg(explorer):
    explorer.buttons["Save PNG"].click()
    explorer.buttons["Save SVG"].click()
    found = {path.suffix: path for path in (explorer.reports / "figures").iterdir()}
    assert Image.open(found[".png"]).size[0] > 2000
    assert "<svg" in found[".svg"].read_text()
    words, link = (output["data"] for output in explorer.told.outputs)
    assert "Saved:" in words["text/markdown"] and ".svg" in link["text/html"]


def test_the_brief_of_what_is_on_screen_is_asked_for(explorer, monkeypatch):
    asked = []

    page = explorer.reports / "a.html"

    def make_report(*args, **options):
        asked.append((args, options))
        time.sleep(0.3)
        page.parent.mkdir()
        page.touch()
        return report.Made((Path("a.ipynb"), page), "The deficit narrowed.", (), True)

    monkeypatch.setattr(report, "make_report", make_report)
    explorer.make_brief().join(10)
    assert asked == [(("5800", "2018-07"), {"as_of": "2018-10-05", "reports": explorer.reports})]
    words, link = (output["data"] for output in explorer.told.outputs)
    assert "The deficit narrowed." in words["text/markdown"] and "a.html" in link["text/html"]
    assert explorer.bar.layout.display == "none" and not explorer.buttons["Make this brief"].disabled


@pytest.mark.parametrize("error", [TradelibError("No.", "Try again."), RuntimeError("broken"), OSError()])
def test_a_brief_that_fails_is_told_in_words(explorer, monkeypatch, error):
    def make_report(*args, **options):
        raise error

    monkeypatch.setattr(report, "make_report", make_report)
    explorer.make_brief().join(10)
    told = explorer.told.outputs[0]["data"]["text/plain"]
    assert told.startswith("The brief was not made.") or "The brief was not made." in str(
        explorer.told.outputs
    )


# --- the notebook -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The notebook, run by papermill as a scheduler would, for another partner and two vintages."""
    import papermill

    path = tmp_path_factory.mktemp("run") / "explore.ipynb"
    asked = {"partner": "JPN", "second": "KOR", "measure": "exports", "compare": "2025-04-03"}
    options = {"progress_bar": False, "log_output": False, "kernel_name": "python3"}
    config = execution.kernel_config(path.parent) if len(str(path.parent)) < 80 else None
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
    assert "Brief completed" in shown


def test_the_exported_page_has_the_chart_and_the_table_without_a_kernel(made):
    from nbconvert import HTMLExporter

    page = HTMLExporter(exclude_input=True).from_notebook_node(made)[0]
    assert "Chart: U.S. exports of goods in January-July 2018" in page
    assert "data:image/png;base64," in page
    assert page.count('<table class="tradelib-table">') >= 1
