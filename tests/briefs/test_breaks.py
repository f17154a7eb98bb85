"""One change of slope: dated where there is one, seldom found where there is none."""

import numpy as np
import pandas as pd
import pytest
from hit_rate import rates
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

import tradelib as tl
from tradelib.briefs import breaks, narrative
from tradelib.briefs.turning import kink

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
    sheet = tl.brief("KOR", "2018-07")
    fact = sheet["total.trend.break"]
    assert sheet.value("total.trend.start") == "2016Q2"
    assert (fact.value, fact.more["confidence"]) == ("2015Q4", ["2014Q3", "2016Q4"])
    assert fact.more["p_value"] <= 0.05
    assert fact.more["slope_before_usd"] < 0 < fact.more["slope_after_usd"]
    words = str(narrative.since_when(sheet))
    assert "trough in the second quarter of 2016" in words
    assert (
        "dates one, on weak evidence, to the fourth quarter of 2015" in words
        and "95 percent confidence set" in words
    )


def test_where_the_test_finds_nothing_the_brief_says_so():
    sheet = tl.brief("CHN", "2018-07")
    assert sheet["total.trend.break"].value is None
    assert "no change of slope at the 5 percent level" in sheet["total.trend.break"].reason
    words = str(narrative.since_when(sheet))
    assert sheet.value("total.trend.start") == "2017Q1"
    assert "finds none (p = 0.75). It does not confirm the turning point." in words


def test_a_turn_before_the_dates_that_are_tested_is_not_called_unconfirmed():
    for who, release, turn in (("CAN", "2018-07", "2006Q2"), ("KOR", "2024-08", "2018Q4")):
        sheet = tl.brief(who, release)
        assert (sheet.value("total.trend.start"), sheet.value("total.trend.break")) == (turn, None)
        assert "confirm" not in str(narrative.since_when(sheet))


def test_a_change_of_slope_without_a_turning_point_is_told_so():
    sheet = tl.brief("CHE", "2024-08")
    assert sheet.value("total.trend.start") is None and sheet.value("total.trend.break") == "2020Q2"
    assert "By the rule above it is no turning point." in str(narrative.since_when(sheet))


def test_two_dates_that_disagree_are_told_to():
    words = str(narrative.since_when(tl.brief("MEX", "2018-07")))
    assert "That is another change than the turning point above." in words


def test_the_rule_is_told_with_the_fact():
    assert tl.brief("KOR", "2018-07")["total.trend.break"].more["rule"] == breaks.RULE
