"""Since when: the last clear turn of a series whose turns are known, and a test for one change of slope."""

import random

import numpy as np
import pandas as pd
import pytest
import turning as cases
from helpers import altered, said, sheet
from hit_rate import rates
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from tradelib import partners, turning_point
from tradelib.briefs import total, turning
from tradelib.briefs.turning import kink

START = pd.Period("2005Q1", "Q")


def series(values):
    return pd.Series([float(v) for v in values], index=pd.period_range(START, periods=len(values), freq="Q"))


def turn(values, trade=1000.0, **options):
    balance = series(values)
    return turning_point(balance, pd.Series(trade, index=balance.index), **options)


def zigzag(lengths, step, first=-1):
    """Straight legs of the given lengths, alternately up and down."""
    values, sign = [0.0], first
    for length in lengths:
        values += [values[-1] + sign * step * n for n in range(1, length + 1)]
        sign = -sign
    return values


@given(st.lists(st.integers(4, 9), min_size=2, max_size=6), st.sampled_from([-1, 1]), st.integers(8, 60))
def test_the_last_turn_of_straight_legs_is_found_with_its_direction(lengths, first, step):
    """Legs move by at least 32 of 1,000; the rule asks for 30."""
    values = zigzag(lengths, step, first)
    period, direction = turn(values)
    assert period == START + sum(lengths[:-1])
    last_sign = first * (-1) ** (len(lengths) - 1)
    assert direction == ("rising" if last_sign > 0 else "falling")
    extreme = min if direction == "rising" else max
    n = period.ordinal - START.ordinal
    assert values[n] == extreme(values[n:]) == extreme(values[n - lengths[-2] : n + 1])


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.sampled_from([-1, 1]))
def test_a_series_that_only_rises_or_only_falls_has_no_turn(steps, sign):
    values = [0.0]
    for step in steps:
        values.append(values[-1] + sign * step)
    assert turn(values) is None


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=40))
def test_moves_smaller_than_the_rule_are_no_turn(values):
    """All values lie within 18 of each other; 3 % of 1,000 is 30."""
    assert turn(values) is None


walks = st.lists(st.integers(-40, 40), min_size=1, max_size=50).map(
    lambda steps: [float(sum(steps[:n])) for n in range(len(steps) + 1)]
)


@given(walks)
def test_a_turn_is_the_extreme_since_and_was_followed_and_preceded_by_a_clear_move(values):
    found = turn(values)
    if found is None:
        return
    period, direction = found
    n = period.ordinal - START.ordinal
    sign = 1 if direction == "rising" else -1
    values = [sign * v for v in values]
    assert values[n] == min(values[n:]), "nothing since is beyond the turn"
    assert values[-1] - values[n] >= 30, "a clear move since"
    assert max(values[:n]) - values[n] >= 30, "a clear move before, the other way"
    assert len(values) - 1 - n >= 4, "which has lasted four quarters"
    assert values[-1] > values[-5], "and which the last four bear out"
    assert max(values[n:]) - values[-1] <= (max(values[n:]) - values[n]) / 4, "little was given back"


@given(walks)
def test_turned_upside_down_the_same_turn_has_the_other_direction(values):
    found, mirrored = turn(values), turn([-v for v in values])
    if found is None:
        assert mirrored is None
    else:
        other = {"rising": "falling", "falling": "rising"}
        assert mirrored == (found[0], other[found[1]])


@given(walks, st.integers(-5000, 5000))
def test_the_level_of_the_balance_does_not_matter(values, level):
    assert turn([v + level for v in values]) == turn(values)


def test_a_turn_counts_only_after_four_quarters():
    down_up = [0, -20, -40, -60]
    for quarters in range(1, 7):
        values = down_up + [-60 + 40 * n for n in range(1, quarters + 1)]
        expected = (START + 3, "rising") if quarters >= 4 else None
        assert turn(values) == expected
        assert turn(values, phase=1) == (START + 3, "rising")


def test_the_size_of_a_move_is_measured_by_two_way_trade():
    values = [0, -10, -20, -30, -20, -10, 0, 10]
    assert turn(values, trade=1000.0) == (START + 3, "rising")
    assert turn(values, trade=2000.0) is None
    assert turn(values, trade=2000.0, size=0.01) == (START + 3, "rising")


def test_of_equal_extremes_the_first_is_the_turn():
    assert turn([0, -50, -50, -50, 0, 10, 20]) == (START + 1, "rising")


def test_missing_quarters_are_passed_over_and_time_is_counted_by_calendar():
    values = [0, -50, -100, None, None, -50, 0]
    balance = pd.Series(
        [float("nan") if v is None else float(v) for v in values], index=series(values_0).index
    )
    trade = pd.Series(1000.0, index=balance.index)
    assert turning_point(balance, trade) == (START + 2, "rising")


values_0 = [0.0] * 7


@pytest.mark.parametrize("values", [[], [1.0], [float("nan")] * 8])
def test_without_a_history_there_is_no_turn(values):
    assert turn(values) is None


# --- one change of slope: dated where there is one, seldom found where there is none ---------------

QUARTERS = pd.period_range("2012Q3", periods=24, freq="Q")


def bent(at: int, slope: float, seed: int = 0) -> pd.Series:
    errors = np.random.default_rng(seed).normal(size=24)
    return pd.Series(slope * np.abs(np.arange(24) - at) + errors, index=QUARTERS)


@settings(max_examples=15, deadline=None)
@given(st.integers(6, 17), st.floats(3, 20), st.integers(0, 50))
def test_a_clear_change_is_dated_within_a_quarter(at, slope, seed):
    found = kink(bent(at, slope, seed), draws=199)
    assert abs((found.period - QUARTERS[at]).n) <= 1
    assert found.p_value <= 0.01
    assert found.confidence[0] <= found.period <= found.confidence[1]
    assert found.slope_before == pytest.approx(-slope, abs=1.5)
    assert found.slope_after == pytest.approx(slope, abs=1.5)


def test_the_statistic_and_the_slopes_are_those_of_statsmodels():
    series = bent(11, 0.6)
    time = np.arange(24.0)
    line = np.column_stack([np.ones(24), time])
    fits = {
        k: OLS(series.to_numpy(), np.column_stack([line, np.maximum(time - k, 0)])).fit()
        for k in range(4, 20)
    }
    straight = OLS(series.to_numpy(), line).fit()
    best = max(fits, key=lambda k: fits[k].compare_f_test(straight)[0])
    found = kink(series)
    assert found.period == QUARTERS[best]
    assert found.f_statistic == pytest.approx(fits[best].compare_f_test(straight)[0])
    assert found.slope_before == pytest.approx(fits[best].params[1])
    assert found.slope_after == pytest.approx(fits[best].params[1:].sum())


@settings(max_examples=10, deadline=None)
@given(st.floats(1e3, 1e12), st.floats(-1e6, 1e6), st.floats(-1e3, 1e3))
def test_neither_units_nor_a_level_nor_a_trend_changes_the_answer(scale, level, trend):
    series = bent(12, 0.7)
    other = scale * (series + level + trend * np.arange(24))
    one, two = kink(series, draws=99), kink(other, draws=99)
    assert (one.period, one.confidence) == (two.period, two.confidence)
    assert two.p_value == pytest.approx(one.p_value, abs=0.011)


def test_too_few_quarters_or_a_gap_give_no_answer():
    series = bent(12, 1.0)
    assert kink(series.iloc[1:]) is None
    assert kink(series.drop(QUARTERS[5])) is None
    assert kink(pd.Series(0.0, index=QUARTERS)) is None


@given(st.integers(-(10**9), 10**9), st.integers(-(10**12), 10**12))
def test_the_rounding_of_an_exact_straight_line_is_no_change_of_slope(slope, level):
    assert kink(pd.Series(slope * np.arange(24.0) + level, index=QUARTERS), draws=19) is None


def test_the_same_series_gives_the_same_answer():
    assert kink(bent(12, 0.5)) == kink(bent(12, 0.5))


def test_false_alarms_and_coverage_are_near_their_nominal_level():
    quiet, clear = rates(0.0, 0.0, 150, seed=7), rates(0.5, 0.0, 150, seed=7)
    assert 0.5 <= quiet["test: break"] <= 10
    assert clear["test: break"] >= 97
    assert clear["test: within 2"] >= 90
    assert clear["set holds it"] >= 90
    assert clear["quarters in set"] <= 8


def test_false_alarms_grow_with_autocorrelation_as_the_docstring_says():
    """The bounds are wide on purpose: they hold the warning true, and notice if the test gets worse."""
    half, walk = rates(0.0, 0.5, 300, seed=11), rates(0.0, 1.0, 300, seed=11)
    assert 5 <= half["test: break"] <= 19
    assert 20 <= walk["test: break"] <= 40
    assert rates(0.5, 0.5, 300, seed=11)["set holds it"] >= 85


def test_what_is_found_where_nothing_turns_is_wrong():
    walk = rates(0.0, 1.0, 50, seed=2)
    assert walk["rule: wrong"] == pytest.approx(100 - walk["rule: none"], abs=0.2)
    assert walk["test: wrong"] == walk["test: break"]
    assert np.isnan(walk["set holds it"])


def test_the_turning_point_rule_hits_what_is_clear_and_is_silent_on_a_line():
    quiet, clear = rates(0.0, 0.0, 100, seed=3), rates(1.0, 0.0, 100, seed=3)
    assert quiet["rule: none"] >= 97
    assert clear["rule: within 1"] >= 95


def test_korea_at_the_july_2018_release():
    facts = sheet("KOR", "2018-07")
    fact = facts["total.trend.break"]
    assert facts.value("total.trend.start") == "2016Q2"
    assert (fact.value, fact.more["confidence"]) == ("2015Q4", ["2014Q3", "2016Q4"])
    assert fact.more["p_value"] <= 0.05
    assert fact.more["slope_before_usd"] < 0 < fact.more["slope_after_usd"]
    words = said("since-when", facts)
    assert "since it turned in the second quarter of 2016" in words
    assert (
        "dates one, on weak evidence, to the fourth quarter of 2015" in words
        and "95 percent confidence set" in words
    )


def test_where_the_test_finds_nothing_the_brief_says_so():
    facts = sheet("CHN", "2018-07")
    assert facts["total.trend.break"].value is None
    assert "no change of slope at the 5 percent level" in facts["total.trend.break"].reason
    words = said("since-when", facts)
    assert facts.value("total.trend.start") == "2017Q1"
    assert "finds none (p = 0.75). It does not confirm the turn." in words


def test_a_turn_before_the_dates_that_are_tested_is_not_called_unconfirmed():
    for who, release, turn in (("CAN", "2018-07", "2006Q2"), ("KOR", "2024-08", "2018Q4")):
        facts = sheet(who, release)
        assert (facts.value("total.trend.start"), facts.value("total.trend.break")) == (turn, None)
        assert "confirm" not in said("since-when", facts)


@pytest.mark.parametrize(
    ("who", "release", "told"),
    [
        ("CAN", "2020-04", "$19.1 billion below its highest in ten years, in the third quarter of 2016"),
        ("CHN", "2025-02", "$16.4 billion below its highest in ten years, in the second quarter of 2024"),
        ("CHE", "2025-02", "It has fallen by $19.6 billion since it turned in the first quarter of 2023"),
        (
            "VNM",
            "2022-08",
            "since the fourth quarter of 2013. It has fallen by $87.0 billion since the figures begin",
        ),
    ],
)
def test_where_a_balance_stands_and_a_direction_only_where_its_last_quarters_bear_it_out(who, release, told):
    facts = sheet(who, release)
    assert told in said("since-when", facts)
    sums = four_quarters(who).loc[: str(facts.quarter)]
    now, year_ago, ten = sums.iloc[-1], sums.iloc[-5], sums.iloc[-40:]
    for name, extreme in (("peak", ten.max()), ("trough", ten.min())):
        fact = facts[f"total.trend.{name}"]
        assert fact.more["usd"] == extreme == sums[pd.Period(fact.value)]
        assert fact.more["distance_usd"] == abs(now - extreme)
        alike = abs(ten[ten * extreme > 0])  # deficits among deficits
        assert abs(extreme) == {"largest": alike.max(), "smallest": alike.min()}[fact.more["size"]]
    fact = facts["total.trend.start"]
    if fact.value:
        assert fact.more["change_usd"] == now - sums[pd.Period(fact.value)]
        assert (fact.more["change_usd"] > 0) == (now > year_ago) == fact.more["rising"]


def four_quarters(who):
    """The balance over four quarters of the raw file."""
    return cases.sides(partners.resolve(who).code)["balance"].rolling(4).sum().dropna()


def test_a_direction_that_the_year_to_date_contradicts_is_not_told():
    """The two are on one page: "widened", and "rising"."""
    facts = sheet("KOR", "2018-07")
    other = altered(facts, {"total.balance.ytd.change_usd": -1e9})
    total.trend_facts(other)
    assert facts["total.trend.start"].more["rising"] and other.value("total.trend.start") is None
    assert other["total.trend.start"].reason == "the year to date moved the other way"


def test_directions_are_not_contradicted_and_large_moves_are_found():
    """A sample of `tests/benchmarks/turning.py`, which replays all partners and quarters."""
    seed = 1325
    print("seed", seed)
    found = cases.counts(random.Random(seed).sample(cases.every_case(), 120))
    assert found["directions"] > 50 and found["moves"] > 20
    assert found["contradicted"] <= 0.01 * found["directions"]
    assert found["found"] >= 0.95 * found["moves"]


def test_two_dates_that_disagree_are_told_to():
    words = said("since-when", sheet("MEX", "2018-07"))
    assert "This is another change than the turn above." in words


def test_the_rule_is_told_with_the_fact():
    assert sheet("KOR", "2018-07")["total.trend.break"].more["rule"] == turning.RULE
