"""Sentences: grammatical and true to their facts for every kind of partner."""

import re

import pytest

import tradelib as tl
from tradelib.briefs import narrative, provenance
from tradelib.briefs.snapshot import covered_partners

PASSAGES = [
    *(narrative.title, narrative.headline, narrative.goods, narrative.services, narrative.total),
    *(narrative.drivers, narrative.chapters, narrative.standing, narrative.since_when),
    *(provenance.sources, provenance.how_to_read, provenance.completed),
]


@pytest.fixture(scope="module")
def july_2018():
    return tl.take("2018-07", as_of="2018-10-05")


def sheet(partner, snapshot):
    return tl.brief(partner, snapshot)


def test_the_headline_of_the_korea_brief(july_2018):
    assert narrative.headline(sheet("KOR", july_2018)) == (
        "The U.S. deficit with South Korea in goods and services narrowed by 65.5 percent, to $979 million "
        "in the first half of 2018 from $2.8 billion a year earlier."
    )


def test_goods_passage_gives_month_year_and_world_with_their_changes(july_2018):
    text = narrative.goods(sheet("KOR", july_2018))
    for words in (
        "goods worth $4.7 billion (up 14.7 percent) to South Korea",
        "goods worth $31.8 billion (up 11.1 percent)",
        "narrowed by 22.5 percent, to $9.9 billion",
        "with the world was up 9.0 percent",
        "$5.1 billion, in March 2018",
    ):
        assert words in text


def test_a_surplus_partner_is_told_in_dollars_and_has_no_deficit_rank(july_2018):
    hong_kong = sheet("HKG", july_2018)
    assert "surplus with Hong Kong in goods and services narrowed by $178 million" in narrative.headline(
        hong_kong
    )
    assert "In goods Hong Kong has no rank: a surplus of $18.3 billion" in narrative.standing(hong_kong)


def test_a_sign_flip_gets_dollars_and_no_percentage():
    korea = sheet("KOR", tl.take("2010-06"))
    text = narrative.headline(korea)
    assert "moved from a deficit of $3.2 billion a year earlier to a surplus of $646 million" in text
    assert "percent" not in text


def test_a_tiny_partner_is_told_in_thousands_and_without_services(july_2018):
    tuvalu = sheet("Tuvalu", july_2018)
    assert "surplus in goods with Tuvalu widened by $424 thousand" in narrative.headline(tuvalu)
    assert "BEA publishes no services" in narrative.services(tuvalu)
    assert "goods only" in narrative.total(tuvalu)


def test_the_largest_deficit_is_not_called_1st_largest(july_2018):
    text = narrative.standing(sheet("CHN", july_2018))
    assert "was the largest of 232 countries, as a year earlier" in text
    assert "1st" not in text


def test_a_group_is_briefed_but_not_ranked(july_2018):
    text = narrative.standing(sheet("EU", july_2018))
    assert text.count("a group is not ranked with countries") == 2


def test_reducers_are_named_with_their_percentages(july_2018):
    text = narrative.standing(sheet("KOR", july_2018))
    assert "South Korea (65.5 percent), France (5.2 percent) and India (2.6 percent)" in text
    assert "South Korea is one of these exceptions" in text
    assert "exceptions" not in narrative.standing(sheet("CHN", july_2018))


def test_the_turn_is_dated_and_absence_of_a_turn_is_said(july_2018):
    assert "since its trough in the second quarter of 2016" in narrative.since_when(sheet("KOR", july_2018))
    assert "no clear turning point" in narrative.since_when(sheet("VNM", july_2018))


def test_the_box_flags_every_table_that_is_later_than_the_as_of_date(july_2018):
    box = provenance.sources(sheet("KOR", july_2018))
    assert "`goods_census_nsa`, vintage of October 5, 2018 |" in box
    assert "`trade_bop_sa`, vintage of March 6, 2025, **2,344 days after the as-of date**" in box
    assert "Later data." in box


def test_the_box_says_when_a_publication_date_is_not_established():
    assert "not established; taken to be out by August 31, 2010" in provenance.sources(
        sheet("KOR", tl.take("2010-06"))
    )


def test_dollar_signs_do_not_become_maths_in_a_notebook(july_2018):
    text = narrative.headline(sheet("KOR", july_2018))
    assert re.findall(r"(?<!\\)\$", text._repr_markdown_()) == []


@pytest.mark.parametrize("release", ["2018-07", "2010-06", "2024-08", "1985-03", "2012-01"])
def test_every_passage_reads_well_for_every_partner(release):
    snapshot = tl.take(release)
    for code in [*covered_partners(snapshot), "0003", "0014", "0017", "0015", "ASEAN", "USMCA"]:
        facts = sheet(code, snapshot)
        for passage in PASSAGES:
            text = passage(facts)
            assert text.strip(), (code, passage)
            assert not re.search(r"\bnan\b|\bNone\b|\binf\b|<NA>|\bNaT\b", text), (code, text)
            assert not re.search(
                r"  +\S|\s[.,;]|\.\.|,,|\(\)|\$0\.0 |(?<![(, ])-\$|(?<![\d,.])0\.0 percent", text
            ), (code, text)
            assert not re.search(r"\b0 countries|\bthe the\b|\ba a\b", text), (code, text)
            assert "{" not in text, (code, text)
