"""The sentences of release.ipynb: grammatical and true to their facts for every kind of partner."""

import re

import pandas as pd
import pytest
from helpers import drawn, everyone, figures, passages, said, sheet, snapshot, titled
from reads_well import check

import tradelib as tl
from tradelib.briefs.snapshot import covered_partners

JULY = ("2018-07", "2018-10-05")
GROUPS = ["0003", "0014", "0017", "0015", "ASEAN", "USMCA"]


def box(brief) -> str:
    """The box of sources as plain text."""
    return brief._repr_mimebundle_()["text/plain"]


def test_the_headline_of_the_korea_brief():
    assert said("headline", sheet("KOR", *JULY)) == (
        "The U.S. deficit with South Korea in goods and services narrowed by 65.5 percent, to $979 million "
        "in the first half of 2018 from $2.8 billion a year earlier."
    )


def test_the_title_names_partner_and_month():
    assert said("title", sheet("KOR", *JULY)) == "# U.S. trade with South Korea, July 2018"


def test_goods_passage_gives_month_year_and_world_with_their_changes():
    text = said("goods", sheet("KOR", *JULY))
    for words in (
        "goods worth $4.7 billion (up 14.7 percent) to South Korea",
        "goods worth $31.8 billion (up 11.1 percent)",
        "narrowed by 22.5 percent, to $9.9 billion",
        "with the world was up 9.0 percent",
        "$5.1 billion, in March 2018",
    ):
        assert words in text


def test_a_surplus_partner_is_told_in_dollars_and_has_no_deficit_rank():
    hong_kong = sheet("HKG", *JULY)
    title = titled("what-moved", hong_kong)
    assert "surplus with Hong Kong in goods and services narrowed by $178 million" in title
    assert "goods there is no rank for Hong Kong: a surplus of $18.3 billion" in said("standing", hong_kong)


def test_a_sign_flip_gets_dollars_and_no_percentage():
    text = titled("what-moved", sheet("KOR", "2010-06"))
    assert "moved from a deficit of $3.2 billion a year earlier to a surplus of $646 million" in text
    assert "percent" not in text


def test_a_tiny_partner_is_told_in_thousands_and_without_services():
    tuvalu = sheet("Tuvalu", *JULY)
    assert "surplus in goods with Tuvalu widened by $424 thousand" in said("goods", tuvalu)
    assert not said("services", tuvalu)
    assert "BEA publishes no figures by quarter" in said("total", tuvalu)
    assert "goods only" in said("total", tuvalu)


def test_whom_bea_has_no_quarters_of_is_told_of_twelve_months_of_goods_and_not_of_the_quarters_again():
    assert said("since-when", sheet("IRQ", "2025-02")) == (
        "In goods the balance with Iraq was a deficit of $5.8 billion in the twelve months to February 2025, "
        "after a deficit of $5.6 billion a year earlier."
    )
    union = sheet("EU", "2013-04")  # the last quarter has another member
    assert said("since-when", union).startswith("In goods the balance with the European Union was a deficit")
    assert union["total.trend.start"].value is None and "other members" in union["total.trend.start"].reason


def test_the_drivers_name_each_flow_and_the_one_that_did_most():
    assert said("drivers", sheet("KOR", *JULY)) == (
        "In the first half of 2018 the balance in goods and services improved by $1.9 billion on a year "
        "earlier: higher goods exports added $2.6 billion, higher services imports took away $731 million, "
        "higher goods imports took away $279 million and higher services exports added $253 million. Higher "
        "goods exports more than accounted for it."
    )


def test_a_balance_that_hardly_changed_has_changed_little_in_each_sentence():
    """BEA: -75,617 and -75,603 million in three quarters of 2020 and 2019; only the chart said so."""
    told = "In the first three quarters of 2020 the balance in goods and services was little changed on a"
    assert said("drivers", sheet("USMCA", "2020-12")).startswith(told)
    assert "the balance was little changed on the month before" in said("headline", sheet("0015", "2023-12"))


def test_of_a_group_and_of_the_world_it_is_told_with_whom_the_balance_changed_most():
    """From country.xlsx of April 3, 2025: Ireland -65,553.5 in 2023 and -86,748.2 in 2024."""
    union, world = (said("drivers", sheet(who, "2024-12")) for who in ("EU", "0015"))
    assert "Of its members, the goods balance changed most with Ireland (-$21.2 billion), the Neth" in union
    assert "Of all countries, the goods balance changed most with Taiwan (-$26.1 billion)," in world
    assert "changed most with" not in said("drivers", sheet("IRL", "2024-12"))
    chart = drawn("standing-chart", sheet("EU", "2024-12"))
    assert (len(chart.data), chart.data.index[0]) == (15, "Ireland")
    assert round(chart.data.loc["Ireland", "balance_usd"], -5) == -86_748_200_000
    assert titled("standing-chart", sheet("EU", "2024-12")) == (
        "Among the members of the European Union the U.S. goods deficit in 2024 was largest with Ireland, "
        "$86.7 billion"
    )


def test_what_was_traded_most_is_told_beside_what_changed_most():
    text = said("chapters", sheet("KOR", *JULY))
    assert "were machinery and computers (HS 84, $4.9 billion), mineral fuels (HS 27, $4.2 billion)" in text
    assert "imports for consumption from South Korea were motor vehicles and parts ($10.4 billion)," in text
    alone = said("chapters", sheet("CHE", "2025-01"))
    assert alone.startswith("By industry, the largest imports for consumption from Switzerland in January")
    assert alone.count("include gold, steel and aluminum") == 1
    assert "include gold" not in said("duties", sheet("CHE", "2025-01")), "it is said once"


def test_nobody_has_a_part_in_a_change_that_is_a_small_rest():
    """January-June 2015: the deficit grew by 7 billion; with China by 16, and with Canada it fell by 11."""
    part = sheet("BRA", "2015-06")["goods.deficit.ytd.contribution_pct"]
    assert part.value is None and "small rest of large moves" in part.reason
    assert "accounted for" not in said("standing", sheet("BRA", "2015-06"))


def test_the_largest_deficit_is_not_called_1st_largest():
    text = said("standing", sheet("CHN", *JULY))
    assert "was the largest of 233 countries, as a year earlier" in text
    assert "1st" not in text


def test_another_rank_a_year_earlier_is_told():
    assert "was the 13th largest of 233 countries, 10th a year earlier." in said(
        "standing", sheet("KOR", *JULY)
    )


def test_the_first_screen_has_four_figures_and_how_they_stand_to_the_day():
    total, month, year, rank = said("figures", sheet("KOR", "2018-07")).split("\n")[2:]
    assert "first half of 2018 | **a deficit of $979 million** | improved by $1.9 billion" in total
    assert "July 2018 | **a deficit of $1.5 billion** | improved by $383 million on a year earlier" in month
    assert "twelve months | **a deficit of $20.2 billion** | improved by $1.2 billion" in year
    assert rank == "| Rank by deficit in goods | **13th** of 233 | 10th a year earlier |"
    assert said("stand", sheet("KOR", "2018-07")).startswith(
        "Figures as of September 5, 2018: goods reconstructed; later data for goods and services (2,374 "
        "days), commodities (821 days) and duties (821 days)."
    )
    assert "April 3, 2025: as known that day" in said("stand", sheet("KOR", "2018-07", "2025-04-03"))


def test_a_group_is_briefed_but_not_ranked():
    text = said("standing", sheet("EU", *JULY))
    assert text.count("a group is not ranked with countries") == 1


def test_reducers_are_named_with_their_percentages():
    text = said("standing", sheet("KOR", *JULY))
    assert "South Korea (65.5 percent), France (5.2 percent) and India (2.6 percent)" in text
    assert "South Korea is one of these exceptions" in text
    assert "exceptions" not in said("standing", sheet("CHN", *JULY))


def test_a_turn_is_dated_where_it_holds_and_everywhere_it_is_told_how_far_the_extremes_are():
    assert "since it turned in the second quarter of 2016" in said("since-when", sheet("KOR", *JULY))
    vietnam = said("since-when", sheet("VNM", *JULY))
    assert (
        "below its highest where figures begin, in the fourth quarter of 2013, more than four years before"
        in vietnam
    )
    assert "$1.6 billion above its lowest, in the first quarter of 2018, one quarter before" in vietnam
    assert " since " not in vietnam, "no direction is told that the last quarters do not bear out"


def test_the_box_flags_every_table_that_is_later_than_the_as_of_date():
    korea = sheet("KOR", *JULY)
    assert "  Goods: goods_census_nsa, vintage of October 5, 2018\n" in box(korea)
    late = "trade_bop_sa, vintage of March 6, 2025, 2,344 days after the as-of date"
    assert late in box(korea)
    assert late in korea._repr_mimebundle_()["text/html"]
    assert said("flags", korea).startswith("> **Later data.** Figures marked with days")


def test_flags_say_no_more_than_what_is_so():
    assert "Reconstructed" not in said("flags", sheet("KOR", *JULY))
    assert "are not revised" not in said("flags", sheet("KOR", *JULY))
    both = said("flags", sheet("KOR", "2018-07"))
    assert both.count("> **") == 2 and "In between, figures of this partner are not revised" in both
    assert said("flags", sheet("KOR", "2018-07", "2025-04-03")) == ""


def test_the_box_says_when_a_publication_date_is_not_established():
    assert "not established; taken to be out by August 31, 1993" in box(sheet("KOR", "1993-06"))
    known = box(sheet("KOR", "2020-04"))
    assert "June 4, 2020" in known and "not established" not in known


def test_dollar_signs_do_not_become_maths_in_a_notebook():
    korea = sheet("KOR", *JULY)
    for cell in passages():
        shown = re.sub(r"<span>\\\$</span>", "", said(cell, korea).markdown)
        assert "$" not in shown, cell
    assert korea._repr_mimebundle_()["text/html"].replace("<span>$</span>", "").count("$") == 0


# --- every partner ------------------------------------------------------------------------------

#: Passages that are left out, and the fact without which they are; the annex says why.
LEFT_OUT = {
    "services": "services.exports.ytd",
    "chapters": "commodity.hs2.contributions",
    "adjusted": "goods.exports.sa.month_change_pct",
}
LEFT_OUT |= {"duties": "tariff.rate.month", "first-print": "goods.exports.ytd.first_print_low_pct"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It was nan percent.",
        "It was None.",
        "It is {so}.",
        "It is [so.",
        "It  is so.",
        "It is so .",
        "It is so..",
        "it is so.",
        "It is so",
        "It is (so.",
        "The the deficit fell.",
        "It was a a deficit.",
        "It fell by 0.0 percent.",
        "It came to -$3 million.",
        "Goods exports was higher.",
        "It is so. \n\nIt is.",
        "- it is so.",
    ],
)
def test_a_text_that_does_not_read_well_is_caught(text):
    with pytest.raises(AssertionError):
        check(text, ())
    check("It is so, by $3 million (up 3.0 percent).\n\n- It is.", ())


@pytest.mark.parametrize("release", ["2018-07", "2010-06", "2024-08", "1985-03", "2012-01"])
def test_every_passage_and_every_title_reads_well_for_every_partner(release):
    taken = snapshot(release)
    single = everyone(release) if release == "2018-07" else {}  # else one at a time: they take much memory
    codes = [*covered_partners(taken), *GROUPS]
    for found in (single.get(code) or tl.brief(code, taken) for code in codes):
        for cell in passages():
            text = said(cell, found)
            if cell == "flags" and not text:
                assert not any(found.names[name] for name in ("later", "reconstructed", "older"))
                continue
            if cell in LEFT_OUT and not text:
                assert found.value(LEFT_OUT[cell]) is None
                continue
            check(text, (release, found.partner.code, cell))
        for cell in figures():
            about, text = (release, found.partner.code, cell), titled(cell, found)
            if text:
                check(text, about, title=True)
            else:
                assert drawn(cell, found) is None, (*about, "a chart without a title")
        used = {(table, vintage.published.isoformat()) for table, vintage in found.used.items()}
        told = [fact for fact in (*found.values(), *found.asked.values()) if fact.vintage]
        other = [fact.id for fact in told if (fact.table, str(fact.vintage)) not in used]
        assert not other, (release, found.partner.code, "facts of vintages that the record does not name")


def test_without_quarters_to_compare_nothing_is_said_of_whose_deficit_shrank():
    for release, reason in (
        ("1999-05", "no year-earlier figure"),
        ("1995-05", 'by partner, quarters" covers'),
    ):
        korea = sheet("KOR", release)
        assert "shrank with none" not in said("standing", korea), release
        assert reason in korea["total.reducers"].reason and not korea["total.reducers"].more["nobody"]
    korea = sheet("KOR", "1999-05")
    assert korea.value("total.balance.ytd") == -1_426_000_000  # BEA: 6,546 of exports, 7,972 of imports
    assert "bought services worth $1.1 billion. The U.S. surplus in services with South Korea was" in said(
        "services", korea
    )


def test_a_balance_that_hardly_changed_was_not_made_to_by_anything():
    netherlands = sheet("NLD", "2015-12")  # 21,883 and 21,885 million, by BEA's table
    assert titled("what-moved", netherlands) == (
        "The U.S. surplus with the Netherlands in goods and services was little changed, at $21.9 billion "
        "in the first three quarters of 2015"
    )
    assert "more than the whole" not in said("drivers", netherlands)
    assert netherlands["total.balance.main_drivers"].reason == "the balance hardly changed"


@pytest.mark.parametrize(
    ("who", "release", "says"),
    [
        ("IRL", "2018-12", "In 2018, against a year earlier, the imports for consumption from Ireland"),
        ("HKG", "2020-04", "In January-April 2020, against a year earlier, the exports to Hong Kong"),
        ("SAU", "2020-04", "in January-April 2020, against a year earlier: mineral fuels"),
    ],
)
def test_chapters_are_told_with_their_months_which_are_not_those_of_the_quarters_before(who, release, says):
    text = said("chapters", sheet(who, release))
    assert text.count("against a year earlier") == 1 and says in text


def test_the_world_is_not_compared_with_itself():
    world = sheet("0015", "2024-12")
    assert said("goods", world).count("widened by 13.2 percent") == 1 and "up 13.2" not in said(
        "goods", world
    )
    assert "on all imports" not in said("duties", world)
    assert "on all imports they came to" in said("duties", sheet("KOR", "2024-12"))
    assert "accounted for" not in said("standing", world)


def test_goods_and_services_with_the_world_are_those_of_the_month_as_bea_publishes_them():
    text = said("total", sheet("0015", "2025-02"))
    assert "a deficit of $122.7 billion with the world in February 2025" in text
    assert "improved by $8.0 billion on the month before" in text and "no row of the world" not in text
    assert "goods only" not in text, "twelve months of both follow"
    assert "was a deficit of $1.03 trillion in the twelve months to" in said(
        "since-when", sheet("0015", "2025-02")
    )
    assert "$278.5 billion (up 2.9 percent on the month before) and imports to $401.1 billion" in text
    assert "services alone there was a surplus of $24.3 billion, in goods a deficit of $147.0 billion" in text
    assert "**a deficit of $122.7 billion**" in said("figures", sheet("0015", "2025-02"))
    first = said("figures", sheet("0015", "2025-02"))  # BEA: -1,034,950 and -780,611 million
    assert "months | **a deficit of $1.03 trillion** | worsened by $254.3 billion on a year earlier" in first
    assert "Rank" not in first and "no rank" not in said("standing", sheet("0015", "2025-02"))
    assert "2,402 days after the as-of date" in said("total", sheet("0015", "2018-07")), "a later vintage"
    for who, release in (("KOR", "2025-02"), ("EU", "2025-02"), ("0015", "1990-03")):
        assert "Goods and services, " not in said("figures", sheet(who, release))


def test_without_goods_the_reason_is_that_of_goods_and_the_world_is_no_comparison():
    for who, release, why in (
        ("SRB", "2009-05", "There is no year-earlier figure to compare with."),
        ("0019", "2001-12", "The country table does not have all these months of sub-Saharan Africa."),
    ):
        assert said("drivers", sheet(who, release)) == why
    assert "world" not in said("goods", sheet("0019", "2001-12"))


def test_a_country_that_is_no_more_has_no_trade_rather_than_none():
    gone = sheet("4350", "1993-04")  # the table goes on with zeros to 1996, and in 2003
    assert said("headline", gone) == "There are no figures on goods trade with Czechoslovakia for April 1993."
    assert said("drivers", gone) == "The country table has Czechoslovakia to 1992."
    assert sheet("4350", "1992-12").value("goods.exports.month") > 0


def test_a_whole_year_stands_once_on_the_first_screen():
    rows = said("figures", sheet("IRL", "2018-12")).split("\n")[2:]
    assert [row.split(" | ")[0] for row in rows] == [
        "| Goods, December 2018",
        "| Goods, 2018",
        "| Rank by deficit in goods",
    ]


def test_a_rank_among_far_fewer_countries_is_no_comparison():
    soviet = sheet("USSR", "1992-06")  # 76 countries are in the table for 1991, 216 for 1992
    assert "47th largest U.S. trading partner in goods of 216 with trade; it" in said("standing", soviet)
    japan = sheet("JPN", "1992-06")
    assert re.search(r"was the largest of 2\d\d countries\. In", said("standing", japan))
    assert "no comparison |" in said("figures", japan).split("\n")[-1]
    assert "as a year earlier" in said("standing", sheet("JPN", "1993-06"))


def test_no_record_is_told_of_a_few_months():
    serbia = sheet("SRB", "2009-05")
    assert "record" not in said("goods", serbia).lower()
    assert "Records are of figures since 2009" in said("goods", sheet("SRB", "2013-05"))


def test_since_the_figures_begin_is_said_once():
    text = said("since-when", sheet("VNM", "2022-03"))
    assert text.count("the fourth quarter of 2013") == 1


def test_what_is_no_country_is_not_missed_on_a_list_of_countries():
    for who, told in (("REST", 1), ("0015", 0)):
        text = said("standing", sheet(who, "2025-01"))
        assert text.count("it is not a single country") == told and "is not among" not in text
        assert "Of the 23 countries of Exhibit 20, the U.S. deficit" in text


def test_what_rose_in_a_row_rose_on_a_year_earlier():
    text = said("goods", sheet("0021", "2022-03"))  # imports only
    assert text == "Imports have risen on a year earlier for five months in a row."
    text = said("goods", sheet("SAU", "2020-04"))
    assert "Imports have fallen on a year earlier for 15 months in a row." in text
    text = said("goods", sheet("SGP", "2009-05"))
    assert (
        "Exports have fallen on a year earlier for seven months in a row. Imports have fallen for 16" in text
    )


@pytest.mark.parametrize(("who", "told"), [("HKG", True), ("0014", True), ("IRL", False), ("KOR", False)])
def test_the_countries_that_are_listed_are_those_of_exhibit_20(who, told):
    text = said("standing", sheet(who, "2020-04"))
    assert ("Of the 15 countries of Exhibit 20, the U.S. deficit" in text) is told
    assert text.count("Exhibit 20") == 1


def test_part_of_a_year_is_not_compared_with_a_whole_one():
    """South Sudan begins in August 2011, and Sudan's code of before ends in July, in a table of zeros."""
    for release, begins, compares in (
        ("2012-08", True, True),
        ("2012-03", True, False),
        ("2013-01", False, True),
    ):
        text = said("goods", sheet("7323", release))
        assert ("Figures of trade with South Sudan begin in August 2011." in text) is begins
        assert ("a year earlier" in text) is compares
        assert "in a row" not in text
    south = sheet("7323", "2012-08")
    for id in (
        "goods.balance.ytd.change_usd",
        "goods.trade.ytd.rank.previous_year",
        "goods.exports.ytd.streak",
    ):
        assert south.value(id) is None, id
    assert south.value("goods.exports.month.change_usd") > 0 and south.value("goods.exports.ytd") > 0
    assert drawn("goods-history", south).data.index.min() == pd.Period("2012-07", "M")
    before = sheet("7320", "2011-12")
    assert said("drivers", before) == "The country table has Sudan (including South Sudan) to July 2011."
    assert sheet("7320", "2011-07").value("goods.exports.ytd") > 0
    assert sheet("2774", "2011-12").value("goods.trade.ytd.rank") == 125  # since May, and ranked by that


def test_a_change_against_that_of_the_deficit_is_one_of_the_balance_and_goes_no_way_of_its_own():
    text = said(
        "standing", sheet("KOR", "2018-07")
    )  # the balance rose, and so did the deficit with the world
    assert "goods balance with South Korea went against the widening of the U.S. goods deficit, and" in text
    assert "offset 7.1 percent of it." in text


@pytest.mark.parametrize("who", ["RUS", "MEX", "0019", "4190"])
def test_no_two_charts_of_a_whole_year_have_one_title(who):
    found = sheet(who, "2022-12")
    told = [titled(cell, found) for cell in figures() if titled(cell, found)]
    assert len(told) == len(set(told))


def test_a_reason_is_said_once_in_a_passage():
    early = sheet("JPN", "1995-12")
    for cell in ("total", "standing"):
        assert said(cell, early).count("covers the first quarter of 1999") == 1
    assert not said("services", early)
    assert said("total", early).startswith("Services, and goods and services together, with Japan: the table")


def test_a_whole_year_is_compared_with_a_year_and_not_with_the_same_months():
    year, part = sheet("VNM", "2024-12"), sheet("VNM", "2024-11")
    assert "was up 13.2 percent in the same year." in said("goods", year)
    assert "against $4.6 billion a year earlier." in said("duties", year)
    assert "in the same months a year earlier." in said("duties", part)
    assert not any("same months" in said(cell, year) for cell in ("goods", "duties"))


def test_a_few_months_are_not_set_beside_all_of_the_year_before():
    assert "in all twelve months" in said("chapters", sheet("KOR", "2018-07"))
    assert "in all twelve months" not in said("chapters", sheet("KOR", "2019-01"))


def test_what_moved_alike_is_said_together():
    title = titled("what-moved", sheet("GBR", "2023-04"))
    assert title.endswith("as goods exports and services exports rose")


def test_no_table_is_flagged_as_late_that_the_page_does_not_use():
    assert "commodities" in said("stand", sheet("KOR", "2018-12"))
    assert "commodities" not in said("stand", sheet("IRN", "2018-12"))


def test_the_deficit_with_the_world_is_no_title_of_a_chart_without_it():
    world = sheet("0015", "2024-12")
    assert titled("standing-chart", world).startswith("The largest U.S. goods deficit in 2024 was with China")


def test_the_data_of_a_chart_of_sums_say_so():
    for cell, name in (("goods-history", "twelve_months_to"), ("trend-chart", "four_quarters_to")):
        assert drawn(cell, sheet("KOR", "2018-07")).data.index.name == name


def test_a_record_is_of_a_deficit_or_a_surplus_whatever_it_was_a_year_earlier():
    """A surplus became the largest deficit of a January: "the goods balance is the largest on record"."""
    for who, release, says in (
        ("SGP", "2025-01", "The January goods deficit with Singapore is the largest on record"),
        (
            "TLS",
            "2019-09",
            "The January-September goods balance with Timor-Leste is the first surplus since 2016",
        ),
        ("IRL", "2025-02", "The January-February goods deficit with Ireland is the largest on record"),
    ):
        assert titled("ytd-by-year", sheet(who, release)).startswith(says)
