"""Since when: the last clear turn of a series whose turns are known."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradelib import turning_point

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
    assert max(values[n:]) - values[n] >= 30, "a clear move since"
    assert max(values[:n]) - values[n] >= 30, "a clear move before, the other way"
    assert len(values) - 1 - n >= 4, "which has lasted four quarters"
    confirmed = next(k for k in range(n, len(values)) if values[k] - values[n] >= 30)
    high = values[confirmed]
    for value in values[confirmed:]:
        high = max(high, value)
        assert high - value < 30, "and no clear move back"


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
