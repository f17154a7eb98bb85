"""The headline: the most newsworthy new fact, by one rule, and never against its own page."""

import random
from datetime import date

import numpy as np
import pytest
from headlines import Reader, against, page_of, run
from helpers import said, sheet, snapshot

import tradelib as tl
from tradelib.briefs.news import NAMES, Candidate, leader, of_change, of_rarity, relative_changes
from tradelib.store import vintages


@pytest.mark.parametrize(
    ("who", "release", "words"),
    [
        ("CHE", "2025-01", ["$22.1 billion in goods", "January 2025", "on record", "34.7 percent of the"]),
        ("CHE", "2025-02", ["$17.7 billion", "February 2025", "largest for a February on record"]),
        ("IRL", "2025-02", ["$14.0 billion", "largest of any month on record", "after a deficit of $5.3"]),
        ("HKG", "2025-02", ["fell by 10.4 percent", "$195 million in February 2025", "lowest of any month"]),
        ("KOR", "2018-07", ["in goods and services narrowed by 65.5 percent, to $979 million"]),
        ("KOR", "2018-08", ["August 2018"]),
        # 19.2 percent of the widening, and 19.6 of the deficit: no news
        ("EU", "2024-12", ["The United States had a deficit of $235.6 billion", "the largest on record"]),
        ("NLD", "2013-12", ["surplus of $23.3 billion in goods", "in 2013, the largest on record"]),
        ("GUY", "2023-09", ["narrowed by 4.3 percent, to $1.3 billion in January-September 2023"]),
        ("0015", "2023-12", ["$784.9 billion in goods and services in 2023, after", "$944.8 b"]),
        (
            "CAN",
            "2020-04",
            ["exports to Canada fell by 41.5 percent", "lowest of any month since January 2009"],
        ),
    ],
)
def test_the_headline_tells_what_is_new(who, release, words):
    text = said("headline", sheet(who, release))
    assert all(word in text for word in words), text


def test_with_the_world_goods_and_services_lead_as_in_the_release_itself():
    """BEA, trad-time-series of April 3, 2025: -130,652 in January and -122,662 in February, in millions."""
    assert said("headline", sheet("0015", "2025-02")) == (
        "The United States had a deficit of $122.7 billion in goods and services in February 2025; "
        "the balance improved by $8.0 billion on the month before."
    )
    record = said("headline", sheet("0015", "2025-01", "2025-04-03"))
    assert "the largest of any month on record, in figures since January 1992; the balance worsened" in record
    assert sheet("0015", "1990-03").value("news") != "month_total", "BEA's months begin in 1992"
    assert sheet("KOR", "2025-02")["news"].table == "goods_census_nsa"


def test_the_most_unusual_leads_and_the_balance_of_the_month_where_nothing_is():
    one, other, more = Candidate("rank_trade", "rank", 2.0), Candidate("month_exports", "change", 2.5), 0.9
    assert leader([one, other]) is other
    quiet = [Candidate(name, "change", more - n / 20) for n, name in enumerate(reversed(NAMES))]
    assert leader(quiet).name == "month_balance"
    assert leader([one, Candidate("share", "share", 2.0)]).name == "share"
    assert leader([]) is None


def test_a_change_is_measured_by_the_usual_size_of_those_before():
    past = np.tile([1.0, -1.0], 20)
    assert of_change(np.append(past, -3.0)) == pytest.approx(3 / 1.4826)
    assert of_change(np.append(past[:20], 3.0)) == 0, "too few to tell what is usual"
    assert of_change(np.append(past, np.nan)) == of_change(np.zeros(50)) == of_change(np.empty(0)) == 0


def test_what_is_rare_scores_more_and_what_is_set_every_month_nothing():
    assert of_rarity(0, 120, 480) > of_rarity(0, 120, 40) > of_rarity(12, 120, 480) > 0.8
    assert of_rarity(120, 120, 40) == 0


def test_changes_are_of_sums_on_a_year_earlier_and_those_of_the_balance_beside_all_trade():
    exports, imports = np.array([1.0, 1, 2, 2]), np.array([3.0, 3, 3, 5])
    found = relative_changes(exports, imports, 1, 2)
    assert found["exports"].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert found["balance"].tolist() == pytest.approx([2 / 9, -2 / 11])


def test_a_quarter_is_news_only_in_a_release_that_brings_one():
    assert "quarter" in sheet("KOR", "2025-01")["news"].more["scores"]
    assert "quarter" not in sheet("KOR", "2025-02")["news"].more["scores"]
    assert not any(name.startswith("year") for name in sheet("KOR", "2025-01")["news"].more["scores"])


def test_a_large_annual_revision_leads_in_the_release_that_brings_it():
    held = tl.load("goods_census_nsa", as_of="2020-10-06", through="2019-04")[
        ["period", "partner", "flow", "item", "value_usd", "note"]
    ]
    revised = held.copy()
    last_year = (
        revised["partner"].eq("5800") & revised["flow"].eq("exports") & (revised["period"].dt.year == 2018)
    )
    revised.loc[last_year, "value_usd"] += 3e9
    about = {"sources": [{"name": "made up", "sha256": "0" * 64}], "parser": "test"}
    vintages.save(held[held["period"] < "2019-04"], "goods_census_nsa", published=date(2019, 5, 9), **about)
    vintages.save(revised, "goods_census_nsa", published=date(2019, 6, 6), **about)
    korea = tl.brief("KOR", "2019-04")
    assert korea["goods.exports.ytd"].vintage == "2019-06-06"
    assert korea.value("goods.balance.previous_year.revision_usd") == 36e9
    headline = str(said("headline", korea))
    assert "in 2018 was revised by +$36.0 billion with the release of April 2019, to a surplus of" in headline
    assert Reader(korea.snapshot).faults(korea, headline) == []
    japan = tl.brief("JPN", korea.snapshot)
    assert japan.value("goods.balance.previous_year.revision_usd") == 0
    assert "revision" not in japan["news"].more["scores"]
    assert sheet("KOR", "2018-04").value("goods.balance.previous_year") is None


def test_headlines_of_two_releases_are_never_the_same_nor_wrong_nor_against_their_page():
    seed = random.randrange(10**6)
    print("seed", seed)
    draw = random.Random(seed)
    codes = draw.sample(sorted(snapshot("2025-02").goods_flows["partner"].astype(str).unique()), 12)
    codes = {*codes, "7644"} - {"0004", "0007"}  # with São Tomé, to which exports fell to zero
    found = run("2024-12", "2025-02", sorted(codes))
    assert found["faults"] == []
    assert found["counts"]["headlines"] > 20


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("$17.7 billion", "$17.9 billion"),
        ("a deficit of $17.7", "a surplus of $17.7"),
        ("on record, in figures since 1985", "since 2012"),
        ("surplus of $87 million", "surplus of $78 million"),
        ("a surplus of $87", "a deficit of $87"),
    ],
)
def test_a_headline_that_is_wrong_is_noticed(right, wrong):
    brief, reader = sheet("CHE", "2025-02"), Reader(snapshot("2025-02"))
    headline = str(said("headline", brief))
    assert reader.faults(brief, headline) == []
    assert right in headline and reader.faults(brief, headline.replace(right, wrong))


def test_a_headline_against_its_page_is_noticed():
    brief = sheet("KOR", "2018-07")
    headline = str(said("headline", brief))
    assert against(headline, page_of(brief)) == []
    assert against(headline.replace("narrowed", "widened"), page_of(brief))


def test_a_release_that_makes_the_year_whole_tells_the_year_unless_the_month_is_far_more_unusual():
    vietnam, china = sheet("VNM", "2024-12"), sheet("CHN", "2024-12")
    for brief in (vietnam, china, sheet("MEX", "2022-12"), sheet("ITA", "2018-12")):
        assert " in 2" in said("headline", brief) and "December" not in said("headline", brief)
    scores = vietnam["news"].more["scores"]
    assert scores["year_balance"] > scores["month_balance"]
    assert "year_imports" not in scores, "the deficit is the largest on record, which tells more"
    assert "in December 2024, the largest" in said("headline", sheet("DEU", "2024-12"))
