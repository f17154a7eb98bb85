"""Which figures of a later vintage were on the table on the day, tested on two vintages of one cycle."""

import re
from datetime import date

import pytest
from helpers import sheet

import tradelib as tl
from tradelib.briefs.selection import CANADA, REVISED_MONTHLY, behind, vintage_method
from tradelib.releases import same_cycle
from tradelib.store.vintages import list_vintages

OCTOBER, APRIL = "2024-10-08", "2025-04-03"  # two vintages between the annual revisions of 2024 and 2025


@pytest.fixture(scope="module")
def changed():
    """Partners whose months through 2024-08 differ between two vintages of one cycle."""
    keys = ["partner", "flow", "period"]
    earlier, later = (
        tl.load_goods(as_of=day, through="2024-08").set_index(keys)["value_usd"] for day in (OCTOBER, APRIL)
    )
    both = earlier.to_frame("then").join(later.rename("now"), how="outer").dropna(how="all")
    assert len(both) > 200_000
    return set(both[both["then"].ne(both["now"])].index.get_level_values("partner"))


def test_within_a_cycle_only_canada_the_world_and_areas_with_canada_change(changed):
    assert changed <= REVISED_MONTHLY
    assert {CANADA, "0015"} <= changed


def test_across_an_annual_revision_many_partners_change():
    keys = ["partner", "flow", "period"]
    earlier, later = (
        tl.load_goods(as_of=day, through="2018-07").set_index(keys)["value_usd"]
        for day in ("2018-10-05", "2020-10-06")
    )
    differ = earlier.to_frame("then").join(later.rename("now")).loc[lambda t: t["then"].ne(t["now"])]
    assert differ.index.get_level_values("partner").nunique() > 150
    assert not same_cycle(date(2018, 10, 5), date(2020, 10, 6))


def test_a_reconstructed_figure_of_the_day_equals_the_published_one():
    april = next(v for v in list_vintages("goods_census_nsa") if str(v.published) == APRIL)
    assert vintage_method(april, date(2024, 10, 8), "5800") == "reconstructed"
    for code in ("5800", "5700", "2010", "0003"):
        one, other = (sheet(code, "2024-08", day) for day in (OCTOBER, APRIL))
        for id in ("goods.exports.ytd", "goods.imports.month", "goods.balance.trailing12"):
            assert one.value(id) == other.value(id), (code, id)


@pytest.mark.parametrize(
    ("as_of", "published", "same"),
    [
        ((2018, 9, 5), (2018, 10, 5), True),
        ((2018, 6, 6), (2018, 10, 5), True),  # the annual revision came out that very day
        ((2018, 6, 5), (2018, 10, 5), False),
        ((2024, 10, 8), (2025, 4, 3), True),
        ((2017, 10, 5), (2018, 10, 5), False),
        ((2016, 3, 4), (2020, 10, 6), False),
    ],
)
def test_a_cycle_runs_from_one_june_release_to_the_next(as_of, published, same):
    assert same_cycle(date(*as_of), date(*published)) is same


def test_every_fact_of_korea_on_the_release_day_says_how_it_is_known():
    facts = sheet("KOR", "2018-07")
    methods = {id: fact.vintage_method for id, fact in facts.items() if fact.vintage}
    of_others = re.compile(r"\.sa\.|\.rank|\.share_pct")  # they rest on other rows or tables too
    own = {
        m
        for id, m in methods.items()
        if id.startswith(("goods.exports", "goods.imports", "goods.balance")) and not of_others.search(id)
    }
    assert own == {"reconstructed"}
    for id in ("goods.deficit.rank", "world.goods.deficit.ytd.change_pct", "goods.trade.ytd.share_pct"):
        assert methods[id] == "later", id
    assert methods["total.balance.ytd"] == methods["commodity.hs2.27.exports.ytd"] == "later"


def test_canada_is_never_reconstructed():
    facts = sheet("CAN", "2018-07")
    assert {f.vintage_method for f in facts.values() if f.vintage} == {"later"}


def test_figures_out_by_the_day_are_called_published():
    facts = sheet("KOR", "2018-07", "2025-04-03")
    assert {f.vintage_method for f in facts.values() if f.vintage} == {"published"}


def test_a_newer_release_that_is_not_at_hand_is_told():
    assert behind(date(2025, 5, 6)) == (
        "The newest country table at hand is of 2025-04-03 (through 2025-02); that of the FT-900 of "
        "2025-03, published 2025-05-06, is not at hand."
    )
    assert behind(date(2025, 4, 3)) is None
