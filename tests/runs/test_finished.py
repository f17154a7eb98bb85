"""What a finished notebook says: its end, title, headline, facts and figures, and whether it was edited."""

import copy
import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tradelib.briefs.fact import FACTS_MIME
from tradelib.runs import finished as read

FACTS = FACTS_MIME
KOREA = {"partner": {"code": "5800"}, "release": "2018-07", "as_of": "2018-09-05"}


def shows(tags=(), source="1", status="completed", count=1, **data):
    """A code cell that ran, with one output of these MIME types, named by their last word."""
    kinds = {"plain": "text/plain", "markdown": "text/markdown", "html": "text/html", "png": "image/png"}
    kinds["facts"] = FACTS
    bundle = {kinds[name]: value for name, value in data.items()}
    outputs = [new_output("display_data", bundle)] if bundle else []
    metadata = {"tags": list(tags), "papermill": {"status": status}}
    return new_code_cell(source, outputs=outputs, metadata=metadata, execution_count=count)


def book(*cells):
    return new_notebook(cells=list(cells))


# --- facts --------------------------------------------------------------------------------------


def test_facts_are_united_in_the_order_of_the_notebook_and_the_later_wins():
    whole = KOREA | {"facts": {"a": {"value": 1}, "b": {"value": 2}}, "series": {"a": {"values": [1]}}}
    said = {"partner": {"code": "5700"}, "as_of": "2020-01-01", "facts": {"b": {"value": 3}}}
    more = {"facts": {"c": {"value": 4}}, "series": {"c": {"values": [4]}}, "note": "new"}
    found = read.facts_of_run(
        book(shows(facts=whole), new_markdown_cell("#"), shows(facts=said), shows(facts=more))
    )
    assert found == KOREA | {
        "note": "new",
        "facts": {"a": {"value": 1}, "b": {"value": 3}, "c": {"value": 4}},
        "series": {"a": {"values": [1]}, "c": {"values": [4]}},
    }
    assert list(found)[:3] == list(KOREA), "whose they are comes first"
    assert whole["facts"]["b"] == {"value": 2}, "the notebook stays as it was"


def test_a_bundle_kept_as_text_is_read_and_a_notebook_without_one_has_no_facts():
    text = json.dumps({"facts": {"a": {"value": 1}}})
    assert read.facts_of_run(book(shows(facts=text)))["facts"] == {"a": {"value": 1}}
    assert read.facts_of_run(book(shows(plain="1"), new_code_cell("2"))) == {"facts": {}, "series": {}}


# --- title and headline -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "title"),
    [
        (new_markdown_cell("Words.\n\n# U.S. trade with *Korea* \n\nMore."), "U.S. trade with Korea"),
        (shows(markdown="# Trade of <span>\\$</span>5, `goods_census_nsa`"), "Trade of $5, goods_census_nsa"),
        (shows(markdown=["# Trade\n", "and more"]), "Trade"),
        (shows(html='<div><h1 class="x">C&ocirc;te <b>d\'Ivoire</b></h1></div>'), "Côte d'Ivoire"),
        (new_markdown_cell("## A section\n#hashtag"), ""),
        (shows(plain="# printed only"), ""),
    ],
)
def test_the_title_is_the_first_heading_of_level_one(cell, title):
    assert read.title_of(book(new_code_cell("# a comment"), cell)) == title
    assert read.title_of(book(cell, new_markdown_cell("# Another"))) == (title or "Another")
    unseen = new_markdown_cell("# How to change this", metadata={"tags": ["remove-cell"]})
    assert read.title_of(book(unseen, cell)) == title, "what is not on the page is not its title"


@pytest.mark.parametrize(
    ("cell", "headline"),
    [
        (shows(["headline"], plain="The deficit **narrowed**\nby $5."), "The deficit narrowed by $5."),
        (shows(["headline"], plain="'The deficit widened.'"), "The deficit widened."),
        (shows(["headline"], plain="<a.B object>", markdown="*So* it [was](x.html)."), "So it was."),
        (new_markdown_cell("> My own **finding**.", metadata={"tags": ["headline"]}), "My own finding."),
        (shows(["other"], plain="Not this."), ""),
        (shows(["headline"]), ""),
    ],
)
def test_the_headline_is_what_the_cell_of_that_tag_says(cell, headline):
    assert read.headline_of(book(shows(plain="Before."), cell, shows(plain="After."))) == headline


def test_the_words_of_several_outputs_and_of_print_are_joined():
    cell = shows(["headline"], plain="One.")
    cell.outputs.append(new_output("stream", name="stdout", text="Two.\n"))
    cell.outputs.append(new_output("stream", name="stderr", text="A warning.\n"))
    assert read.headline_of(book(cell)) == "One. Two."


# --- the end ------------------------------------------------------------------------------------


def test_a_notebook_whose_cells_all_ran_came_to_its_end():
    done = [shows(), new_markdown_cell("# End"), shows(), new_code_cell("  "), new_markdown_cell("")]
    assert read.cause_of_early_end(book(*done)) == ""
    assert read.cause_of_early_end(book(new_markdown_cell("Words alone."))) == ""
    skipped = shows(["skip-execution"], count=None)
    assert read.cause_of_early_end(book(shows(), skipped)) == ""


@pytest.mark.parametrize("last", [{"status": "pending"}, {"status": "failed"}, {"count": None}])
def test_a_last_cell_that_did_not_run_is_no_end(last):
    assert read.cause_of_early_end(book(shows(), shows(**last))) == "it ended before its last cell"


def test_leaving_python_is_no_end_wherever_it_stands():
    left = shows(status="failed")
    left.outputs = [new_output("error", ename="SystemExit", evalue="0", traceback=[])]
    midway = read.cause_of_early_end(book(shows(), left, shows(status="pending", count=None)))
    assert midway == "it ended before its last cell: code cell 2 of 3 leaves Python"
    assert read.cause_of_early_end(book(shows(), left)).startswith("it ended in its last cell")


# --- edits --------------------------------------------------------------------------------------


@pytest.fixture
def run():
    """A notebook as `report` leaves it."""
    made = book(new_markdown_cell("Words."), shows(source="a = 1\na", plain="1"), new_code_cell(""))
    read.mark_cells(made)
    made.metadata["tradelib"] = {"sources_sha256": read.sources_sha256(made)}
    return made


def as_jupyterlab_saves_it(notebook) -> dict:
    """Texts as lists of lines."""
    saved = json.loads(json.dumps(notebook))
    for cell in saved["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        for output in cell.get("outputs", []):
            output["data"] = {kind: text.splitlines(keepends=True) for kind, text in output["data"].items()}
    return saved


def test_saving_and_running_again_is_no_edit(run):
    saved = as_jupyterlab_saves_it(run)
    saved["cells"][1] |= {"execution_count": 7, "outputs": []}
    assert not read.is_edited(json.dumps(saved).encode())


def test_a_changed_added_or_moved_cell_is_an_edit(run):
    for change in (
        lambda cells: cells[0].update(source="Other words."),
        lambda cells: cells[1].update(source="a = 2\na"),
        lambda cells: cells.append(new_code_cell("3")),
        lambda cells: cells.reverse(),
        lambda cells: cells[0].update(cell_type="raw"),
    ):
        edited = copy.deepcopy(run)
        change(edited.cells)
        assert read.is_edited(json.dumps(as_jupyterlab_saves_it(edited)).encode())


def test_a_notebook_that_nobody_ran_here_counts_as_edited_and_what_is_no_notebook_does_not(run):
    del run.metadata["tradelib"]
    assert read.is_edited(json.dumps(run).encode())
    for text in (b"", b"{", b"[]", b'{"cells": 3}', b"\xff"):
        assert not read.is_edited(text)


def test_cells_whose_source_is_newer_than_their_outputs_have_not_been_run(run):
    assert read.not_run(as_jupyterlab_saves_it(run)) == []
    run.cells[1].source = "a = 2\na"
    assert read.not_run(as_jupyterlab_saves_it(run)) == [2]
    run.cells[1].outputs[0].data["text/plain"] = "2"
    assert read.not_run(run) == [], "it was run after the edit"
    run.cells.append(new_code_cell("3"))
    assert read.not_run(run) == [4]


# --- figures ------------------------------------------------------------------------------------


def test_figures_are_listed_by_their_alternative_texts_and_have_anchors_on_the_page():
    made = book(
        new_markdown_cell("How to change this.", metadata={"tags": ["remove-cell"]}),
        shows(png="aGk=", plain="Chart: one."),
        shows(plain="1"),
        shows(png="aGk=", plain="Chart: two."),
    )
    made.metadata |= {"tradelib": {"version": "0", "fingerprint": "f", "title": "T & U"}, "widgets": {"x": 1}}
    assert read.figures_of(made) == ["Chart: one.", "Chart: two."]
    page = read.page_of(made)
    assert page.count('<img id="figure-') == 2 and 'id="figure-2"' in page
    assert "<title>T &amp; U</title>" in page and "<script" not in page
    assert "How to change this." not in page
    assert made.metadata["widgets"] == {"x": 1} and len(made.cells) == 4, "the notebook stays as it was"
