"""A page is worked out again from the stored vintages, and whatever a reader sees on it is compared."""

import json
import re

import nbformat
import pytest
from helpers import ROOT

from tradelib.errors import TradelibError
from tradelib.runs import check, report
from tradelib.runs.check import texts_of, typed_texts, undeclared
from tradelib.runs.execution import NotebookFailed
from tradelib.runs.finished import page_of, text_of
from tradelib.style import pictures


@pytest.fixture(scope="module")
def page(korea):
    return korea.paths[0].with_suffix("")


@pytest.fixture(scope="module")
def texts(page):
    return texts_of(page)


def changed(texts, end, old, new):
    """The same page with one text changed where it is found first."""
    assert old in texts[end], f"{end} has no {old}"
    return texts | {end: texts[end].replace(old, new, 1)}


def test_a_page_as_it_was_made_is_right_and_has_no_unbound_numeral(page, texts):
    book = json.loads(texts[".ipynb"])
    book["metadata"]["tradelib"]["editions"] = [
        {"name": "a.edition-1", "made": "2026-11-25", "version": "0.1"}
    ]
    facts = json.loads(texts[".facts.json"])
    facts["tradelib"]["editions"] = book["metadata"]["tradelib"]["editions"]
    texts = {".ipynb": json.dumps(book), ".facts.json": json.dumps(facts)}
    texts[".html"] = page_of(nbformat.from_dict(book))
    assert page.name == "korea-south" and check.check(texts) == check.Verdict(())


CHANGES = [  # of a file: what is there, what is put in its place, what the fault tells of both
    (".html", "9.9 billion</data>", "9.9 million</data>", "'million', right is 'billion'"),
    (".html", "<strong><a", "<strong>-<a", "'-', right is 'nothing'"),
    (".html", "narrowed by", "widened by", "'widened', right is 'narrowed'"),
    (".html", "January-July 2018", "January-June 2018", "'June', right is 'July'"),
    (".html", ">9th<", ">8th<", "'8', right is '9'"),
    (".html", "</main>", "<p>$3 billion</p></main>", "'$3 billion', right is 'nothing'"),
    (".ipynb", "exported goods worth", "imported goods worth", "'imported', right is 'exported'"),
    (".ipynb", "Chart: The goods deficit", "Chart: The goods surplus", "'surplus', right is 'deficit'"),
    (".facts.json", '"unit": "percent"', '"unit": "points"', "'points', right is 'percent'"),
    (".facts.json", '"window": "2018-07"', '"window": "2017-07"', "'2017-07', right is '2018-07'"),
]


def test_changed_digits_units_signs_and_words_are_named_with_what_is_right(texts):
    for end, old, new, _ in CHANGES:
        texts = changed(texts, end, old, new)
    told = "\n".join(map(str, check.check(texts).faults))
    assert [fault for *_, fault in CHANGES if fault not in told] == []


MARKUP = [  # what shows, hides or does something, and is no text between the tags of a page
    ("<p>", '<p style="display:none">'),
    ("<p>", "<p hidden>"),
    ("<p>", "<p title='$5 billion'>"),
    ("<p>", '<p onmouseover="this.innerText=5">'),
    ("</style>", 'p::before { content: "not "; }</style>'),
    ("</head>", '<link rel="stylesheet" href="https://example.org/x.css"></head>'),
    ("</head>", '<meta http-equiv="refresh" content="0;url=https://example.org"></head>'),
    ("</main>", '<script src="https://example.org/x.js"></script></main>'),
    ("</main>", '<iframe srcdoc="$5 billion"></iframe></main>'),
    ("</main>", '<img src="data:image/svg+xml,%3Csvg%3E%3C/svg%3E" alt=""></main>'),
    ("9.9 billion</data>", "<del>9.9</del> billion</data>"),
    ('href="', 'href="https://example.org/'),
]


def test_what_hides_adds_or_does_something_without_a_word_is_named(texts):
    assert check.check(texts).faults == ()
    for old, new in MARKUP:
        (fault, *_) = check.check(changed(texts, ".html", old, new)).faults
        assert "its markup" in str(fault), new
    book = json.loads(texts[".ipynb"])
    shown = next(o["data"] for c in book["cells"] for o in c.get("outputs", []) if "text/html" in o["data"])
    shown["text/html"] = text_of(shown["text/html"]).replace("<table", "<table hidden", 1)
    assert "its markup" in str(check.check({".ipynb": json.dumps(book)}).faults[0])


def test_a_page_that_was_emptied_is_not_one_that_is_not_there(texts):
    assert check.check(texts | {".html": ""}).faults
    assert not check.check({end: text for end, text in texts.items() if end != ".html"}).faults


@pytest.mark.parametrize("place", ["<!DOCTYPE", "</html>", "<body>"])
def test_text_outside_of_the_body_is_read_too(texts, place):
    faults = check.check(changed(texts, ".html", place, f"<p>$5 billion</p>{place}")).faults
    assert "'$5 billion', right is 'nothing'" in str(faults[0])


@pytest.mark.parametrize(
    ("end", "text", "words"),
    [
        (".ipynb", "{", "ipynb file is damaged: it is no JSON"),
        (".ipynb", "{}", "ipynb file is damaged: it has no cells"),
        (".facts.json", "", "facts.json file is damaged: it is no JSON"),
        (".facts.json", "[]", "facts.json file is damaged: it has no facts"),
    ],
)
def test_a_damaged_file_of_a_page_is_told_as_such(texts, end, text, words):
    with pytest.raises(TradelibError, match=words):
        check.check(texts | {end: text})


def test_a_picture_of_other_figures_is_found_out_by_the_words_on_it(texts):
    shown = re.findall(r"base64,([^\"]+)", texts[".html"])
    assert all(map(pictures.words_of, shown)) and len(shown) > 4
    found = check.check(changed(texts, ".html", shown[0], shown[1])).faults
    assert found and "Chart:" in found[0].fact


def test_a_page_that_stands_alone_is_checked_by_the_notebook_of_tradelib_that_it_names(texts):
    alone = {".html": texts[".html"]}
    assert check.check(alone) == check.Verdict(())
    assert len(check.check(changed(alone, ".html", "9.9 billion</data>", "9.8 billion</data>")).faults) == 1
    with pytest.raises(TradelibError, match="notebook is not beside it"):
        check.check(changed(alone, ".html", "release.ipynb", "mine.ipynb"))


def test_facts_and_page_changed_alike_are_found_out_all_the_same(texts):
    """What is compared with is worked out from the vintages, not read from the page."""
    forged = {end: text.replace("9.9 billion", "9.7 billion") for end, text in texts.items()}
    assert {fault.file for fault in check.check(forged).faults} == {".ipynb", ".html", ".facts.json"}


def test_a_paragraph_of_ones_own_is_vouched_for_and_what_is_typed_by_hand_is_listed(texts):
    book = json.loads(texts[".ipynb"])
    cell = next(cell for cell in book["cells"] if cell.get("id") == "goods")
    own = {"source": 'tl.say(brief, "About {goods.exports.ytd}, or 31.8 billion, in {months}.")', "id": "own"}
    printed = {
        "source": 'print("44.7")',
        "outputs": [{"output_type": "stream", "text": "44.7"}],
        "id": "printed",
    }
    words = {
        "cell_type": "markdown",
        "metadata": {},
        "source": "In July 2018 it was $5 billion.",
        "id": "words",
    }
    book["cells"] += [cell | own | {"outputs": []}, cell | printed, words]
    found = check.check({".ipynb": json.dumps(book)})
    listed = " ".join(found.unbound)
    assert "31.8 billion typed" in listed and "$5 billion typed" in listed and "shows 44.7" in listed
    assert len(found.unbound) == 3 and found.faults  # the paragraph was not run: its output is missing


def test_a_page_that_is_wrong_is_not_published_and_the_good_one_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "check", check.check)
    made = report.make_report("Tuvalu", "2018-07", reports=tmp_path)
    good, page_of = made.paths[1].read_text(), report.page_of
    monkeypatch.setattr(report, "page_of", lambda book: page_of(book).replace("2018", "2017"))
    with pytest.raises(NotebookFailed, match=r"says '2017', right is '2018'"):
        report.make_report("Tuvalu", "2018-07", reports=tmp_path, force=True)
    assert made.paths[1].read_text() == good
    assert "2017" in (made.paths[1].with_name("tuvalu.failed.html")).read_text()


def test_the_notebooks_hold_no_numeral_that_is_neither_a_fact_nor_declared():
    for name in ("release", "partners", "revisions", "seasonal", "changes"):
        book = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())
        for cell in book["cells"][1:]:
            source = text_of(cell["source"])
            texts = [source] if cell["cell_type"] == "markdown" else typed_texts(source)
            assert [one for text in texts for one in undeclared(text)] == [], (name, cell["id"])


def test_a_text_is_found_wherever_it_stands_in_a_cell():
    source = (
        'text = "It was 5 in {months} of"\ntl.say(a, text + "6 {x@2018}")\ntl.load("a", as_of="2018-10-05")'
    )
    assert typed_texts(source) == ("It was 5 in {} of", "6 {}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("In July 2018, as Exhibit 20 of the FT-900 (HS 27) says", []),
        ("since 2015, and on 2018-10-05", []),
        ("it fell by 4.1 percent to -$3 million", ["4.1 percent", "-$3 million"]),
        ("2018 million dollars, $2015", ["2018 million", "$2015"]),
        ("the 3rd of 233", ["3", "233"]),
    ],
)
def test_numerals_that_are_no_names_are_found(text, found):
    assert undeclared(text) == found
