"""Releases and what was out with them: dates, quarters, and the list of countries of the day."""

from datetime import date
from itertools import pairwise

import pandas as pd
import pytest

from tradelib import calendar
from tradelib.errors import TradelibError
from tradelib.partners import country_set, partner

KNOWN = calendar.all_releases()


# --- the calendar -------------------------------------------------------------------------------


def test_months_are_listed_once_in_order_and_published_in_order():
    months = KNOWN["month"].tolist()
    assert months == sorted(set(months))
    assert KNOWN["published"].tolist() == sorted(set(KNOWN["published"]))


def test_every_release_appeared_between_four_and_ten_weeks_after_its_month():
    for month, published in KNOWN[["month", "published"]].itertuples(index=False):
        wait = date.fromisoformat(published) - pd.Period(month, "M").end_time.date()
        assert 28 <= wait.days <= 70, month


def test_every_date_is_marked_seen_or_inferred():
    assert KNOWN["how_known"].str.match(r"(seen: .+|inferred( \(.+\))?)$").all()


@pytest.mark.parametrize(("month", "published"), [("2018-07", "2018-09-05"), ("2018-08", "2018-10-05")])
def test_the_two_releases_that_the_design_names(month, published):
    found = calendar.release(month)
    assert found.published.isoformat() == published
    assert found.period == pd.Period(month, "M")


def test_the_dates_of_the_original_list_are_all_in_the_calendar(originals):
    listed = pd.read_csv(originals / "reference" / "release_dates.csv", dtype=str)
    listed = listed.rename(columns=str.strip)
    month, published = listed.columns[:2]
    ours = dict(zip(KNOWN["month"], KNOWN["published"], strict=True))
    assert {m: ours.get(m) for m in listed[month]} == dict(zip(listed[month], listed[published], strict=True))


@pytest.mark.parametrize(
    "month",
    ["2018-13", "2018-00", "2018-7", "201807", "2018-07-01", "July 2018", "1899-12", "2100-01", "", "latest"],
)
def test_what_is_no_month_is_refused_with_an_example(month):
    with pytest.raises(TradelibError, match=r"is not a month.\n  .*YYYY-MM, such as 2018-07"):
        calendar.release(month)


def test_spaces_around_a_month_are_forgiven():
    assert calendar.release(" 2018-07 ").month == "2018-07"


# --- the day taken where none is established ----------------------------------------------------


def test_the_default_as_of_day_is_the_publication_date():
    for month in ("2018-07", "2025-02"):
        found = calendar.release(month)
        assert found.default_as_of == found.published


def test_without_an_established_date_the_day_is_the_end_of_the_second_month_after():
    found = calendar.release("2010-06")
    assert (found.published, found.how_known) == (None, "not established")
    assert found.default_as_of == date(2010, 8, 31)
    assert calendar.release("2009-12").default_as_of == date(2010, 2, 28)


def test_that_day_is_late_enough_for_every_release_whose_date_is_known_except_the_shutdown():
    late = [
        month
        for month, published in KNOWN[["month", "published"]].itertuples(index=False)
        if date.fromisoformat(published) > calendar.Release(month, None, "").default_as_of
    ]
    assert set(late) <= {"2018-11", "2018-12"}


@pytest.mark.parametrize(
    ("text", "words"), [("2018-02-30", "not a date"), ("2018/10/05", "YYYY-MM-DD"), ("", "not a date")]
)
def test_what_is_no_date_is_refused(text, words):
    with pytest.raises(TradelibError, match=words):
        calendar.parse_date(text, "--as-of")


def test_a_date_is_taken_as_text_or_as_a_date():
    assert calendar.parse_date(date(2018, 10, 5)) == calendar.parse_date(" 2018-10-05 ") == date(2018, 10, 5)


# --- quarters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "quarter"),
    [
        ("2018-01", "2017Q4"),
        ("2018-02", "2017Q4"),
        ("2018-03", "2017Q4"),
        ("2018-04", "2018Q1"),
        ("2018-05", "2018Q1"),
        ("2018-06", "2018Q1"),
        ("2018-07", "2018Q2"),
        ("2018-08", "2018Q2"),
        ("2018-09", "2018Q2"),
        ("2018-10", "2018Q3"),
        ("2018-11", "2018Q3"),
        ("2018-12", "2018Q3"),
    ],
)
def test_quarters_by_country_arrive_with_january_april_july_and_october(month, quarter):
    assert calendar.quarter_out(pd.Period(month, "M")) == pd.Period(quarter, "Q")


def test_a_new_quarter_appears_with_exactly_four_releases_of_a_year():
    months = pd.period_range("2010-01", "2025-12", freq="M")
    out = [calendar.quarter_out(month) for month in months]
    steps = {later: two - one for later, (one, two) in zip(months[1:], pairwise(out), strict=True)}
    assert {month.month for month, step in steps.items() if step.n == 1} == {1, 4, 7, 10}
    assert {step.n for step in steps.values()} == {0, 1}


# --- universes ----------------------------------------------------------------------------------

FIFTEEN = {
    *("Brazil", "Canada", "China", "France", "Germany", "Hong Kong", "India", "Italy", "Japan"),
    *("Korea, South", "Mexico", "Saudi Arabia", "Singapore", "Taiwan", "United Kingdom"),
}


@pytest.mark.parametrize(
    ("day", "size", "assumed"),
    [
        ("2018-09-05", 15, False),
        ("2018-10-05", 15, False),
        ("2021-10-05", 15, False),
        ("2023-06-30", 23, False),
        ("2024-10-08", 23, False),
        ("2025-03-06", 23, False),
        ("2018-09-04", 15, True),
        ("2010-08-31", 15, True),
        ("2021-10-06", 15, True),
        ("2022-08-01", 15, True),
        ("2022-09-01", 23, True),
        ("2023-06-29", 23, True),
        ("2025-04-03", 23, True),
    ],
)
def test_a_universe_belongs_to_the_release_and_says_where_it_is_only_assumed(day, size, assumed):
    codes, how = calendar.universe(date.fromisoformat(day))
    assert len(codes) == size and how.startswith(f"the {size} countries of Exhibit 20")
    assert ("assumed" in how) == assumed
    assert (day in how) or not assumed, "an assumption names its day"


def test_the_universe_of_2018_is_the_one_that_the_design_lists():
    codes, _ = calendar.universe(date(2018, 9, 5))
    assert {partner(code).name for code in codes} == FIFTEEN


def test_the_universe_of_2025_is_the_single_countries_of_beas_workbook():
    codes, _ = calendar.universe(date(2025, 3, 6))
    from helpers import raw_rows

    in_workbook = set(raw_rows("trade_bop_sa", "2025-03-06")["partner"]) & country_set()
    assert set(codes) == in_workbook


@pytest.mark.parametrize("day", [date(2018, 9, 5), date(2025, 3, 6)])
def test_a_universe_holds_single_countries_only_and_each_once(day):
    codes, _ = calendar.universe(day)
    assert len(set(codes)) == len(codes)
    assert set(codes) <= country_set()


def test_the_fifteen_are_those_of_the_real_exhibit_of_october_2021(originals):
    """Exhibit 20 of the FT-900 of 2021-10-05, read from the archive's zip without tradelib's parsers."""
    import io
    import zipfile

    from openpyxl import load_workbook

    from tradelib.partners import PartnerError, from_area_name

    with zipfile.ZipFile(originals / "ft900" / "ft900xlsx_2108.zip") as archive:
        (name,) = [n for n in archive.namelist() if n.lower().endswith("exh20.xlsx")]
        book = load_workbook(io.BytesIO(archive.read(name)), read_only=True)
    found = set()
    for row in book.worksheets[0].iter_rows(values_only=True):
        for cell in row:
            if isinstance(cell, str):
                try:
                    found.add(from_area_name(cell))
                except PartnerError:
                    continue
    assert found & country_set() == set(calendar.universe(date(2021, 10, 5))[0])
