"""Numbers, periods and sources as words."""

import subprocess
import sys
from datetime import date

import pandas as pd
import pytest

from tradelib import brief, load_goods, take
from tradelib.errors import TradelibError
from tradelib.style import words
from tradelib.style.words import Unit
from tradelib.windows import Window


def months(start, end, freq="M"):
    return Window(pd.Period(start, freq), pd.Period(end, freq))


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        (-31_752_055_221, "$31.8 billion"),
        (355e6, "$355 million"),
        (7_560_000, "$7.6 million"),
        (12_300, "$12 thousand"),
        (999_960_000, "$1.0 billion"),
        (1_234e9, "$1.23 trillion"),
        (999.4, "$999"),
        (0, "$0"),
    ],
)
def test_an_amount_is_in_the_unit_a_reader_would_use(dollars, shown):
    assert words.money(dollars) == shown


def test_amounts_percentages_and_positions_as_a_sentence_has_them():
    assert words.signed_money(-979e6) == "-$979 million" and words.signed_money(1e6) == "$1.0 million"
    assert [words.percent(one) for one in (11.139, -0.04, 1234.5)] == [
        *("11.1 percent", "less than 0.1 percent", "1,234 percent")
    ]
    assert [words.direction(one) for one in (3.0, -2.0, 0)] == ["up", "down", "unchanged"]
    assert [words.position(one) for one in (-1e6, 1e6, 0)] == ["deficit", "surplus", "balance"]
    assert (
        words.a_position(-979e6) == "a deficit of $979 million" and words.a_position(0) == "a balance of zero"
    )


def test_counts_and_ranks():
    assert (words.cardinal(3), words.cardinal(12)) == ("three", "12")
    ranks = [words.ordinal(n) for n in (1, 2, 3, 9, 11, 13, 22, 101)]
    assert ranks == ["1st", "2nd", "3rd", "9th", "11th", "13th", "22nd", "101st"]


def test_periods_spans_and_days():
    assert words.period(pd.Period("2018-07", "M")) == "July 2018"
    assert words.period(pd.Period("2016Q2", "Q")) == "the second quarter of 2016"
    assert words.period(pd.Period("2016", "Y")) == "2016"
    assert words.span(months("2018-01", "2018-07")) == "January-July 2018"
    assert words.span(months("2018-01", "2018-12")) == "2018"
    assert words.span(months("2018Q1", "2018Q2", "Q")) == "the first half of 2018"
    assert words.span(months("2018Q1", "2018Q3", "Q")) == "the first three quarters of 2018"
    assert words.day(date(2018, 9, 5)) == "September 5, 2018"


def test_words_are_joined_capitalized_and_missing_ones_told():
    assert words.series(["Korea"]) == "Korea" and words.series([]) == ""
    assert words.series(["Korea", "France", "India"]) == "Korea, France and India"
    assert words.capital("the United Kingdom") == "The United Kingdom"
    assert [words.missing(one) for one in (None, float("nan"), 0.0)] == [True, True, False]
    assert (words.chapter("27"), words.chapter("77")) == ("Mineral fuels", "HS 77")


def test_a_text_keeps_its_dollars_from_becoming_maths():
    assert words.Text("$1 to $2")._repr_markdown_() == "<span>\\$</span>1 to <span>\\$</span>2"
    assert words.Text("$1") == "$1"


# --- units


@pytest.mark.parametrize(
    ("dollars", "name", "shown"),
    [
        (2.5e12, "$ trillion", "2.50"),
        (-222.6e9, "$ billion", "−223"),
        (999.9e6, "$ billion", "1.00"),
        (45.67e6, "$ million", "45.7"),
        (7_560, "$ thousand", "7.56"),
        (812, "$", "812"),
        (0, "$", "0"),
    ],
)
def test_a_unit_suits_the_data(dollars, name, shown):
    unit = Unit.of([dollars, 0, float("nan")])
    assert (unit.name, unit.number(dollars)) == (name, shown)


def test_numbers_have_a_true_minus_and_zero_has_no_sign():
    unit = Unit.of([-9_885_674_861, 0])
    assert (unit.name, unit.number(-9_885_674_861), unit.number(2.3e9, sign=True)) == (
        *("$ billion", "−9.89", "+2.30"),
    )
    assert [words.number(one, 1, sign=True) for one in (-0.04, 0.04, -1234.5)] == ["0.0", "0.0", "−1,234.5"]


def test_there_is_one_list_of_units_and_the_largest_comes_first():
    sizes = list(words.UNITS.values())
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 1
    assert {Unit.named(name).size for name in words.UNITS} == set(sizes)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("exports_change_pct", ("Change of exports", "pct")),
        ("value_usd", ("Value", "usd")),
        ("vintage_lag_days", ("Vintage lag", "days")),
        ("first_services", ("First services", "")),
    ],
)
def test_a_column_is_named_in_words_and_its_ending_says_what_it_counts(name, told):
    assert words.column(name) == told


# --- sources


def test_lateness_is_said_in_one_way():
    assert words.lag(0) == words.lag(None) == words.lag(0, "reconstructed") == ""
    assert words.lag(1) == "1 day after the as-of date"
    assert words.lag(2_344, "later") == "2,344 days after the as-of date"
    assert words.lag(30, "reconstructed") == "30 days after the as-of date, reconstructed"


def test_a_loaded_table_a_snapshot_and_a_brief_say_where_they_come_from():
    line = "Source: U.S. Census Bureau, country.xlsx; vintage of 2018-10-05"
    snapshot = take("2018-07", as_of="2018-10-05")
    assert words.source_line(load_goods(as_of="2018-10-05")) == line
    assert words.source_line(snapshot, "goods_census_nsa") == line
    assert words.source_line(brief("KOR", snapshot), "goods_census_nsa") == line
    every = words.source_line(snapshot)
    assert every.startswith(line) and "Bureau of Economic Analysis" in every
    saved = words.source_line(take("2024-08"))
    assert "vintage saved by 2025-10-18, 375 days after" in saved
    late = load_goods(as_of="2018-10-05").assign(vintage_lag_days=30)
    assert words.source_line(late) == f"{line}, 30 days after the as-of date"


def test_a_source_in_words_is_taken_as_it_is():
    assert words.source_line("my own survey") == "Source: my own survey"
    assert words.source_line("Source: me") == "Source: me" and words.source_line("") == ""


def test_a_table_that_does_not_know_its_source_says_what_to_give():
    for table in (pd.DataFrame({"value_usd": [1.0]}), pd.Series([1.0])):
        with pytest.raises(TradelibError, match=r"(?s)no columns table, vintage.*as it was loaded, a brief"):
            words.source_line(table)


def test_months_are_english_in_a_program_that_writes_dates_in_another_language():
    code = """
        import calendar
        calendar.month_name = calendar.month_abbr = ["", *"ABCDEFGHIJKL"]
        import pandas as pd
        from tradelib.sources import schedule
        from tradelib.style import words
        print(words.period(pd.Period("2018-07", "M")), schedule._PERIOD.search("in July 2018")[1])
    """
    command = [sys.executable, "-c", "\n".join(map(str.strip, code.splitlines()))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["July", "2018", "July"]
