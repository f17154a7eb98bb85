"""What explore.ipynb can show: the figures of the facts, to the dollar, and what there is to pick from."""

import pandas as pd
import pytest

import tradelib as tl
from tradelib.explorer import choice as choices
from tradelib.explorer.choice import MEASURES, Choice, view_of
from tradelib.explorer.table import table

JULY = {"release": "2018-07", "as_of": "2018-10-05"}


def last(view, column: str):
    return table(view).iloc[-1].xs(column, level="figure").item()


@pytest.fixture(scope="module")
def korea():
    return tl.brief("KOR", "2018-07", as_of="2018-10-05")


@pytest.mark.parametrize("measure", MEASURES)
def test_korea_in_january_to_july_2018_is_that_of_the_facts_to_the_dollar(korea, measure):
    view = view_of(Choice("KOR", measure=measure, **JULY))
    assert last(view, f"{measure}_usd") == korea.value(f"goods.{measure}.ytd")
    assert last(view, f"{measure}_change_usd") == korea.value(f"goods.{measure}.ytd.change_usd")
    if measure == "balance":
        assert last(view, "deficit_reduction_pct") == korea.value("goods.deficit.ytd.reduction_pct")
    else:
        assert last(view, f"{measure}_change_pct") == korea.value(f"goods.{measure}.ytd.change_pct")


def test_the_month_and_the_twelve_months_are_those_of_the_facts(korea):
    for window, fact in (("month", "goods.balance.month"), ("twelve months", "goods.balance.trailing12")):
        assert last(view_of(Choice("KOR", window=window, **JULY)), "balance_usd") == korea.value(fact)


@pytest.mark.parametrize("item", ["services", "total"])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("release", ["2018-07", "2021-08"])
def test_the_quarters_of_a_year_are_those_of_the_facts_whichever_table_they_come_from(item, measure, release):
    facts = tl.brief("KOR", release)
    view = view_of(Choice("KOR", release, basis=f"bop {item}", measure=measure))
    assert last(view, f"{measure}_usd") == facts.value(f"{item}.{measure}.ytd")
    assert last(view, f"{measure}_change_usd") == facts.value(f"{item}.{measure}.ytd.change_usd")
    assert str(view.vintages[0].published) == facts[f"{item}.{measure}.ytd"].vintage


def test_a_group_that_is_the_sum_of_its_members_is_that_of_the_facts():
    facts = tl.brief("ASEAN", "2018-07")
    assert last(view_of(Choice("ASEAN", "2018-07")), "balance_usd") == facts.value("goods.balance.ytd")


RATES = {"basis": "tariff rate", "release": "2025-11", "as_of": "2026-02-04"}


@pytest.mark.parametrize("who", ["CHN", "EU", "world"])
def test_rates_of_duty_are_those_of_the_facts_with_imports_and_duties_beside_them(who):
    facts = tl.brief(who, "2025-11", as_of="2026-02-04")
    for window, span in (("month", "month"), ("year to date", "ytd"), ("twelve months", "trailing12")):
        view = view_of(Choice(who, **RATES, window=window))
        row = table(view).iloc[-1].droplevel("series")
        told = {"rate_pct": "rate", "imports_usd": "imports", "duty_usd": "duties"}
        told = {column: facts.value(f"tariff.{name}.{span}") for column, name in told.items()}
        told["rate_change_points"] = facts.value(f"tariff.rate.{span}.change_points")
        assert row.to_dict() == pytest.approx(told, abs=1e-9)
        assert str(view.vintages[0].published) == facts["tariff.rate.ytd"].vintage


@pytest.mark.parametrize("measure", [*MEASURES, "rate"])
def test_a_rate_of_duty_is_of_imports_whatever_measure_was_chosen_before(measure):
    view = view_of(Choice("CHN", **RATES, measure=measure))
    assert (view.measure, view.what) == ("rate", "duties on imports for consumption")


def test_two_vintages_give_the_published_growth_and_its_revision():
    view = view_of(Choice("KOR", measure="exports", compare="2025-04-03", **JULY))
    row = table(view).iloc[-1]
    then, now = (row[f"South Korea, vintage of {day}"] for day in ("2018-10-05", "2025-04-03"))
    assert (round(then["exports_change_pct"], 1), round(now["exports_change_pct"], 1)) == (11.1, 11.2)
    assert row["South Korea, newer less older"]["revision_usd"] == now["exports_usd"] - then["exports_usd"]
    assert (round(then["exports_usd"], -5), round(now["exports_usd"], -5)) == (31_752_100_000, 31_735_200_000)


def test_a_revision_is_the_newer_less_the_older_whichever_is_in_front():
    newer = view_of(Choice("KOR", "2018-07", as_of="2025-04-03", compare="2018-10-05"))
    older = view_of(Choice("KOR", compare="2025-04-03", **JULY))
    assert last(newer, "revision_usd") == last(older, "revision_usd")


def test_comparing_a_vintage_with_itself_shows_it_once():
    assert len(view_of(Choice("KOR", compare="2018-10-05", **JULY)).lines) == 1


def test_the_window_ends_with_the_release_and_its_sum_is_in_whole_dollars():
    view = view_of(Choice("KOR", measure="exports", **JULY))
    assert str(view.span) == "2018-01..2018-07"
    assert view.lines[0].sums["exports_usd"].iloc[-1] == 31_752_055_221
    assert Choice("KOR", "2018-07").window == "year to date"


def test_nothing_after_the_release_is_shown_though_the_vintage_holds_it():
    view = view_of(Choice("KOR", "2018-07", as_of="2025-04-03", window="month"))
    assert table(view).index[-1] == pd.Period("2018-07", "M")


# --- what there is to pick from ---------------------------------------------------------------------


def test_the_days_begin_with_the_publication_day_and_then_the_vintages():
    days = choices.days("2018-07")
    assert days[:2] == [("publication day, 2018-09-05", ""), ("2018-10-05", "2018-10-05")]
    assert days[-1][1] == choices.ANOTHER
    assert choices.days("July 2018") == [("publication day", "")]


def test_the_vintages_to_compare_with_are_those_that_reach_the_release():
    found = [str(vintage.published) for vintage in choices.comparable(Choice("KOR", "2018-07"))]
    assert found[:2] == ["2018-10-05", "2020-10-06"]
    assert choices.others(Choice("KOR", "2018-07"))[1] == ("vintage of 2018-10-05", "2018-10-05")


def test_countries_are_offered_by_name_and_then_the_world_and_groups():
    names = [name for name, _ in choices.partners()]
    assert names.index("Afghanistan") < names.index("Zimbabwe") < names.index("ASEAN")


def test_a_file_is_named_after_the_choice():
    stem = choices.stem(Choice("KOR", second="JPN", **JULY))
    assert stem == "korea-south.japan.2018-07.as-of-2018-10-05.census-goods.balance.year-to-date"
    assert choices.stem(Choice("KOR", "2018-07", compare="2025-04-03", window="month")).endswith(
        ".2018-07.against-2025-04-03.census-goods.balance.month"
    )


def test_the_heading_names_each_partner_once():
    view = view_of(Choice("KOR", second="JPN", compare="2025-04-03", **JULY))
    assert choices.heading(view) == "Exploring U.S. trade with South Korea and Japan, July 2018"
