"""What a fact is: how it reads by its unit, what it says of itself, and what an id that is not there says."""

import difflib
import json

import pytest
from helpers import sheet

from tradelib.briefs.fact import Facts, UnknownFact, commodity, contributor, entry_in_words, render, source_of
from tradelib.errors import TradelibError

JULY = ("2018-07", "2018-10-05")
NOWHERE = {
    "table": "mine",
    "vintage": None,
    "vintage_lag_days": None,
    "vintage_method": None,
    "basis": "Census",
    "adjustment": "NSA",
}


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (-979e6, "USD", "-$979 million"),
        (0.0, "USD", "$0"),
        (11.139, "percent", "11.1 percent"),
        (-0.03, "percent", "less than 0.1 percent"),
        (-11.139, "percent", "-11.1 percent"),
        (9, "rank", "9th"),
        ("2016Q2", "quarter", "the second quarter of 2016"),
        ("2018-03", "month", "March 2018"),
        (1234, "count", "1,234"),
        (True, "bool", "yes"),
        (False, "bool", "no"),
        ("smallest since 2012", "text", "smallest since 2012"),
        ([], "list", "none"),
    ],
)
def test_a_value_reads_by_its_unit(value, unit, shown):
    assert render(value, unit) == shown


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (
            {"flow": "exports", "hs2": "27", "name": "Mineral fuels", "contribution_usd": 2.3e9},
            "higher exports of mineral fuels (HS 27) (+$2.3 billion)",
        ),
        (
            {"flow": None, "hs2": None, "name": "other chapters", "contribution_usd": -3e6},
            "other chapters (-$3.0 million)",
        ),
        (
            {"item": "services", "flow": "imports", "contribution_usd": -7e8},
            "higher services imports (-$700 million)",
        ),
        (
            {"flow": "imports", "hs2": "87", "name": "Vehicles", "change_usd": -2e9},
            "vehicles (HS 87, -$2.0 billion)",
        ),
        ({"prose": "France", "balance_usd": -7e9}, "France (-$7.0 billion)"),
        ({"prose": "India", "reduction_pct": 2.6, "change_usd": 1e9}, "India (2.6 percent)"),
        ({"prose": "Brazil", "reduction_pct": None, "change_usd": 1e9}, "Brazil (it became a surplus)"),
    ],
)
def test_an_entry_of_a_list_reads_by_what_it_holds(entry, shown):
    assert entry_in_words(entry) == shown


def test_a_contributor_says_which_way_its_flow_went():
    fuels = {"flow": "imports", "hs2": "27", "name": "Mineral fuels", "contribution_usd": 3e6}
    assert contributor(fuels) == "lower imports of mineral fuels (HS 27)"
    assert contributor(fuels | {"contribution_usd": -3e6}) == "higher imports of mineral fuels (HS 27)"
    assert contributor(fuels | {"flow": "exports"}) == "higher exports of mineral fuels (HS 27)"
    assert commodity({"naics": "211", "name": "NAICS", "flow": "exports"}) == "NAICS 211"


def test_a_fact_without_a_value_has_a_reason_and_says_it():
    facts = Facts()
    facts.put(
        "a.b", float("nan"), unit="USD", window="2018", label="something", source=NOWHERE, reason="no rows"
    )
    assert facts["a.b"].value is None and facts["a.b"].reason == "no rows"
    assert facts["a.b"].text == "Something: not available (no rows)"
    facts.put(
        "a.c", None, unit="USD", window="2018", label="x", source=NOWHERE | {"reason": "no table"}, reason="?"
    )
    assert facts["a.c"].reason == "no table", "where the whole table is absent, that is the reason"
    facts.put("a.d", None, unit="percent", window="2018", label="x", source=NOWHERE, undefined=True)
    assert facts["a.d"].undefined and facts["a.d"].reason == "not available"
    facts.put("a.e", 5.0, unit="percent", window="2018", label="x", source=NOWHERE, undefined=True, n=3)
    assert (facts["a.e"].undefined, facts["a.e"].reason, facts["a.e"].more) == (False, None, {"n": 3})


def test_a_fact_as_json_has_its_fields_side_by_side_and_no_id():
    fact = sheet("KOR", *JULY)["goods.deficit.rank"]
    plain = json.loads(json.dumps(fact.to_dict()))
    assert plain["n"] == fact.more["n"] == 233 and "more" not in plain and "id" not in plain
    assert plain["value"] == 13 and plain["vintage"] == "2018-10-05"


def test_an_unknown_id_is_a_key_error_that_names_the_near_ones():
    korea = sheet("KOR", *JULY)
    for id in ("goods.export.ytd", "goods.export"):
        with pytest.raises(KeyError) as error:
            korea[id]
        assert isinstance(error.value, UnknownFact) and isinstance(error.value, TradelibError)
        told = str(error.value)
        assert told.startswith(f"There is no fact {id!r}.\n")
        assert "goods.exports.ytd" in told and "list(brief)" in told
    assert "goods.export" not in korea
    assert korea.get("goods.export") is None


def test_near_ids_are_those_that_look_alike_or_begin_alike():
    korea = sheet("KOR", *JULY)
    near = korea.near("total.deficit.rnk")[0]
    assert "total.deficit.rank" in near
    for id in near.removeprefix("Near: ").rstrip(".").split(", "):
        assert difflib.SequenceMatcher(None, id, "total.deficit.rnk").ratio() >= 0.6
    assert korea.near("services.balance.nonsense-that-is-long")[0].count("services.balance") >= 1
    assert len(korea.near("zzzzzz")) == 1, "nothing is near: only where to look"


def test_the_source_of_a_fact_depends_on_the_partner_whose_rows_it_rests_on():
    taken = sheet("KOR", "2018-07").snapshot
    korea, canada = (source_of(taken, "goods_census_nsa", code) for code in ("5800", "1220"))
    assert (korea["vintage"], korea["vintage_lag_days"], korea["vintage_method"]) == (
        "2018-10-05",
        30,
        "reconstructed",
    )
    assert canada == korea | {"vintage_method": "later"}
    none = source_of(taken, "exports_naics_nsa", "5800")
    assert none["vintage"] is None and none["reason"]


def test_where_a_fact_comes_from_is_told_in_one_line():
    assert sheet("KOR", "2018-07")["goods.exports.ytd"].origin == (
        "goods_census_nsa of 2018-10-05 (30 days after the as-of date, reconstructed)"
    )
    assert sheet("KOR", *JULY)["goods.exports.ytd"].origin == "goods_census_nsa of 2018-10-05"
    assert sheet("KOR", *JULY)["commodity.naics.211.exports.ytd"].origin == "exports_naics_nsa: none"


def test_the_document_has_what_it_is_about_the_facts_and_the_series():
    korea = sheet("KOR", "2018-07")
    page = korea.document()
    assert set(page["facts"]) == set(korea)
    series = page["series"]["goods.balance.trailing12"]
    assert (page["published"], series["values"][-1]) == ("2018-09-05", -20249895420)
    assert series["values"][-1] == korea.value("goods.balance.trailing12") and len(series["values"]) == 120


def test_a_misspelt_id_is_an_error_however_it_is_asked_for():
    korea = sheet("KOR", "2018-07")
    for ask in (korea.value, korea.__getitem__):
        with pytest.raises(KeyError, match=r"goods\.exports\.ytd"):
            ask("goods.export.ytd")
    assert korea.value("commodity.hs2.77.exports.ytd") is None, "not every chapter is written"
