"""Spans of the calendar, from periods or from what a user types."""

import pickle

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradelib import TradelibError, Window, full_year, year_to_date
from tradelib.windows import as_period


@given(st.integers(1985, 2035), st.integers(1, 12), st.sampled_from("MQY"))
def test_a_period_as_written_by_pandas_is_read_back(year, month, freq):
    period = pd.Period(f"{year}-{month:02d}", freq)
    assert as_period(str(period)) == as_period(f" {period} ") == as_period(period) == period


@given(st.integers(1985, 2035), st.integers(1, 12), st.sampled_from("MQ"))
def test_year_to_date_of_a_text_is_that_of_the_period(year, month, freq):
    period = pd.Period(f"{year}-{month:02d}", freq)
    assert year_to_date(str(period)) == year_to_date(through=period) == year_to_date(period)


@pytest.mark.parametrize(
    "text",
    [
        "2018-13",
        "2018-00",
        "2018-7",
        "July 2018",
        "18-07",
        "2018Q5",
        "2018-07-01",
        "2018M07",
        "",
        None,
        7,
        "٢٠١٨",
    ],
)
def test_what_is_no_period_is_refused_with_how_one_is_written(text):
    with pytest.raises(TradelibError) as error:
        year_to_date(text)
    assert f"through {str(text)!r} is not a month" in str(error.value)
    assert 'such as "2018-07"; a quarter "2018Q2"' in str(error.value)


def test_a_day_or_a_week_is_no_period_of_trade():
    for freq in "DW":
        with pytest.raises(TradelibError, match="is not a month, a quarter or a year"):
            year_to_date(pd.Period("2018-07-01", freq))


def test_a_window_is_made_of_texts_too_and_is_shown_by_its_ends():
    window = Window("2018-01", "2018-07")
    assert window == year_to_date("2018-07")
    assert repr(window) == "Window(2018-01..2018-07)"
    assert pickle.loads(pickle.dumps(window)) == window and len({window, year_to_date("2018-07")}) == 1


@pytest.mark.parametrize(
    ("start", "end"), [("2018-07", "2018-01"), ("2018-01", "2018Q2"), ("2018", "2018-07")]
)
def test_a_window_that_runs_backwards_or_mixes_frequencies_is_refused(start, end):
    with pytest.raises(TradelibError, match=f"cannot reach from {start} to {end}"):
        Window(start, end)


def test_a_full_year_is_in_months_unless_said():
    assert full_year(2017) == full_year(2017, "M") == Window("2017-01", "2017-12")
    assert full_year(2017, "Q") == Window("2017Q1", "2017Q4") and len(full_year(2017, "Y")) == 1


@pytest.mark.parametrize("given", [(2017, "month"), ("17", "M"), (None, "M")])
def test_a_full_year_of_something_else_is_refused(given):
    with pytest.raises(TradelibError, match='"M" for months, "Q" for quarters'):
        full_year(*given)


def test_periods_are_read_by_example():
    assert as_period("2018-07") == pd.Period("2018-07", "M")
    assert as_period("2018Q2") == pd.Period("2018Q2", "Q-DEC")
