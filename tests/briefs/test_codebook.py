"""The codebook is the code's own; that the guide holds the same is tested in tests/test_docs.py."""

import re
from html.parser import HTMLParser

import pytest
from helpers import sheet

from tradelib import TradelibError
from tradelib.briefs import codebook
from tradelib.briefs.brief import Brief
from tradelib.briefs.verbs import CONDITIONS, VERBS
from tradelib.sources.publishers import SOURCES
from tradelib.tables import DETAILS, LARGE_DETAILS, TABLES

#: Briefs that between them write every kind of fact: with and without chapters, a group, small ones.
BRIEFS = [("KOR", "2018-07"), ("CHN", "2024-08"), ("EU", "2018-07"), ("TUV", "2018-07"), ("CAN", "2020-08")]


def test_every_table_is_in_it_with_its_source():
    book = codebook.tables().set_index("table")
    assert book.index.tolist() == list(TABLES)
    for name, row in book.iterrows():
        assert row["source"] == "" or name in SOURCES[row["source"]].tables
        assert row["basis"].startswith(TABLES[name].basis)
    kinds = {name.split("_")[-2] for name in TABLES if name.endswith("_nsa") and "hs" in name}
    assert kinds == {"hs2", "districts"} | {k for k in (*DETAILS, *LARGE_DETAILS) if k.startswith("hs")}


def test_every_source_is_in_it_and_no_key_but_its_name():
    book = codebook.sources().set_index("source")
    assert book.index.tolist() == list(SOURCES)
    assert set(book["key"]) == {"", "CENSUS_API_KEY", "BEA_API_KEY"}


@pytest.mark.parametrize(("who", "release"), BRIEFS)
def test_every_fact_of_a_brief_is_in_it_under_its_pattern(who, release):
    one = sheet(who, release)
    book = codebook.facts(one).set_index("id")
    assert set(book.index) == {codebook.pattern(id) for id in one} and book.index.is_unique
    for id, fact in one.items():
        assert book.loc[codebook.pattern(id), "unit"] == fact.unit


def test_the_codebook_tells_what_else_belongs_to_a_fact():
    book = codebook.facts(sheet("KOR", "2018-07")).set_index("id")
    assert book.loc["total.reducers", "with"].startswith("few, own, countries, nobody")
    for id in ("total.trend.start", "total.trend.break", "commodity.hs2.contributions"):
        assert book.loc[id, "with"] == ", ".join(sheet("KOR", "2018-07")[id].more)


def test_verbs_conditions_and_words_are_those_of_the_code():
    verbs = codebook.verbs().set_index("verb")
    assert verbs.index.tolist() == list(VERBS) and verbs.loc["up", "gives"] == "up 11.1 percent"
    assert codebook.conditions()["condition"].tolist() == list(CONDITIONS)
    words = codebook.words(sheet("KOR", "2018-07")).set_index("word")["says"]
    assert words.index.tolist() == list(sheet("KOR", "2018-07").names)
    assert (words["partner"], words["group"], words["reconstructed"]) == ("South Korea", "no", "yes")
    assert words.map(bool).all()


def test_a_sheet_without_facts_has_an_empty_book():
    one = sheet("KOR", "2018-07")
    assert codebook.facts(Brief(one.partner, one.snapshot)).empty


def test_markdown_has_all_parts_and_rows_of_equal_width():
    text = codebook.document()
    parts = ["Tables", "Columns", "Sources", "Facts", "Verbs", "Conditions", "Words"]
    assert re.findall("^## (.+)$", text, re.MULTILINE) == parts
    for part in text.split("\n## ")[1:]:
        rows = [line for line in part.splitlines() if line.startswith("|")]
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows}) == 1 and len(rows) >= 5
    assert not re.search(r"(?<!\\)\$", text), "a dollar sign would become maths"
    for name in (*TABLES, *SOURCES, *VERBS, *CONDITIONS, *sheet("KOR", "2018-07").names):
        assert f"| `{name}` |" in text


def test_the_page_is_well_formed_and_says_the_same():
    html, stack, texts = codebook.document(form="html"), [], []

    class Check(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag != "meta":
                stack.append(tag)

        def handle_endtag(self, tag):
            assert stack.pop() == tag

        def handle_data(self, data):
            texts.append(data)

    Check().feed(html)
    assert not stack and html.startswith("<!doctype html>")
    assert {*TABLES, *SOURCES, "goods.exports.ytd", "commodity.hs2.NN.exports.ytd"} <= set(texts)
    assert all(text.count("$") < 2 for text in texts)


def test_a_form_there_is_not_is_refused():
    with pytest.raises(TradelibError, match="no form 'pdf'"):
        codebook.document(form="pdf")
