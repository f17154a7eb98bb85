"""The codebook is the code's own, and the README's two tables say the same as the code."""

import itertools
import re
from html.parser import HTMLParser

import pytest
from helpers import ROOT, sheet

from tradelib import TradelibError
from tradelib.briefs import codebook
from tradelib.briefs.brief import Brief
from tradelib.sources.publishers import SOURCES
from tradelib.store.vintages import list_vintages
from tradelib.tables import DETAIL_TABLES, DETAILS, LARGE_DETAILS, TABLES

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: Briefs that between them write every kind of fact: with and without chapters, a group, small ones.
BRIEFS = [("KOR", "2018-07"), ("CHN", "2024-08"), ("EU", "2018-07"), ("TUV", "2018-07"), ("CAN", "2020-08")]


def section(title: str) -> list[list[str]]:
    """Cells of the first table under a heading of the README, without its header."""
    text = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def spelled_out(text: str) -> list[str]:
    """'a.{b,c}.d' -> a.b.d, a.c.d"""
    parts = [part.split(",") for part in re.split(r"\{([^}]*)\}", text)]
    return ["".join(one) for one in itertools.product(*parts)]


def ids_of(cell: str) -> set[str]:
    """Every id that a cell of the README's table names; one that begins with a dot continues the first.

    `a.b`, `.c.d` is a.b and a.c.d.
    """
    first, *others = re.findall("`([^`]+)`", cell)
    stem = first.rsplit(".", 1)[0]
    every = [first, *(stem + one if one.startswith(".") else one for one in others)]
    return {id for one in every for id in spelled_out(one)}


def written() -> set[str]:
    """Every pattern that the code writes in some briefs, or would with finer tables at hand."""
    ids = {codebook.pattern(id) for who, release in BRIEFS for id in sheet(who, release)}
    finer = {name.removesuffix("_nsa").rsplit("_", 1)[1] for name in DETAIL_TABLES}
    return ids | {f"commodity.{kind}.contributions" for kind in finer}


def test_ids_in_the_readme_are_spelled_out():
    assert ids_of("`a.{x,y}.m`, `.m.change`") == {"a.x.m", "a.y.m", "a.x.m.change", "a.y.m.change"}
    assert ids_of("`a.b`, `.rank`, `c.d`") == {"a.b", "a.rank", "c.d"}


def test_the_readme_names_every_fact_id_and_no_other():
    told = set().union(*(ids_of(row[0]) for row in section("Facts")))
    assert sorted(written() - told) == [], "not in the README"
    assert sorted(told - written()) == [], "in the README only"


def test_the_readme_names_every_unit_and_every_field_of_a_fact():
    text = " ".join(README.split("\n## Facts\n")[1].split("\n| ")[0].split())
    units = {fact.unit for who, release in BRIEFS for fact in sheet(who, release).values()}
    assert not [unit for unit in units if f"`{unit}`" not in text]
    fields = set(sheet("KOR", "2018-07")["goods.exports.ytd"].to_dict())
    assert not [name for name in fields if f"`{name}`" not in text]


def tables_named() -> set[str]:
    """Tables of the README; "and so with `hs6`" stands for the tables before it, of that classification."""
    named = set()
    for row in section("Tables"):
        plain, _, more = row[0].partition("and so with")
        tables = re.findall("`([^`]+)`", plain)
        kinds = re.findall("`([^`]+)`", more)
        named |= {*tables, *(f"{table.rsplit('_', 2)[0]}_{kind}_nsa" for table in tables for kind in kinds)}
    return named


def test_the_readme_names_every_table_and_no_other():
    assert sorted(set(TABLES) - tables_named()) == [], "not in the README"
    assert sorted(tables_named() - set(TABLES)) == [], "in the README only"


def test_the_readme_names_the_bundled_vintages_of_each_table_it_lists():
    for row in section("Tables"):
        for name in [word for word in re.findall("`([^`]+)`", row[0]) if word in TABLES]:
            days = [str(v.published) for v in list_vintages(name) if v.origin == "bundled"]
            assert re.findall(r"\d{4}-\d\d-\d\d", row[4]) == days, name


# --- the codebook itself ------------------------------------------------------------------------


def test_every_table_is_in_it_with_its_source():
    book = codebook.tables().set_index("table")
    assert book.index.tolist() == list(TABLES)
    for name, row in book.iterrows():
        assert row["source"] == "" or name in SOURCES[row["source"]].tables
        assert row["basis"].startswith(TABLES[name].basis)
    kinds = {name.split("_")[-2] for name in TABLES if name.endswith("_nsa") and "hs" in name}
    assert kinds == {"hs2"} | {k for k in (*DETAILS, *LARGE_DETAILS) if k.startswith("hs")}


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


def test_a_sheet_without_facts_has_an_empty_book():
    one = sheet("KOR", "2018-07")
    assert codebook.facts(Brief(one.partner, one.snapshot)).empty


def test_markdown_has_all_parts_and_rows_of_equal_width():
    text = codebook.document()
    assert re.findall("^## (.+)$", text, re.M) == ["Tables", "Columns", "Sources", "Facts"]
    for part in text.split("\n## ")[1:]:
        rows = [line for line in part.splitlines() if line.startswith("|")]
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows}) == 1 and len(rows) > 5
    assert not re.search(r"(?<!\\)\$", text), "a dollar sign would become maths"
    for name in (*TABLES, *SOURCES):
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
