"""Releases and what was out with them: dates, quarters, and the list of countries of the day."""

import os
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradelib import releases as calendar
from tradelib.errors import TradelibError

KNOWN = calendar.read_table((calendar.DATA / "releases.csv").read_text(), "releases.csv")
PUBLISHED = KNOWN[KNOWN["status"] == "published"]
HEADER = ",".join(calendar.COLUMNS)
#: The last day for which the bundled file could say anything.
WRITTEN = date(2026, 11, 24)


def table(*rows: str) -> pd.DataFrame:
    return calendar.read_table("\n".join([HEADER, *rows]), "the test's calendar")


def federal_holidays(year: int) -> set[date]:
    """5 U.S.C. 6103, as observed: Saturday's on Friday, Sunday's on Monday; without inauguration day."""

    def nth(month: int, weekday: int, n: int) -> date:
        days = [d.date() for d in pd.date_range(date(year, month, 1), periods=31) if d.month == month]
        return [d for d in days if d.weekday() == weekday][n]

    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    fixed += [date(year, 6, 19)] if year >= 2021 else []
    shift = {5: timedelta(-1), 6: timedelta(1)}
    moving = [(1, 0, 2), (2, 0, 2), (5, 0, -1), (9, 0, 0), (10, 0, 1), (11, 3, 3)]
    return {d + shift.get(d.weekday(), timedelta()) for d in fixed} | {nth(*rule) for rule in moving}


# --- the calendar -------------------------------------------------------------------------------


def test_the_holidays_of_a_year_are_those_of_the_law():
    assert federal_holidays(2021) == {
        *(date(2021, 1, 1), date(2021, 1, 18), date(2021, 2, 15), date(2021, 5, 31), date(2021, 6, 18)),
        *(date(2021, 7, 5), date(2021, 9, 6), date(2021, 10, 11), date(2021, 11, 11), date(2021, 11, 25)),
        date(2021, 12, 24),
    }


def test_months_are_listed_once_in_order_and_published_in_order():
    months = KNOWN["month"].tolist()
    assert months == sorted(set(months))
    assert PUBLISHED["published"].tolist() == sorted(set(PUBLISHED["published"]))
    slots = KNOWN.loc[KNOWN["scheduled"] != "", "scheduled"].tolist()
    assert slots == sorted(set(slots))


def test_every_date_is_a_working_day_of_the_government():
    for day in {*KNOWN["scheduled"], *KNOWN["published"]} - {""}:
        day = date.fromisoformat(day)
        assert day.weekday() < 5 and day not in federal_holidays(day.year), day


def test_every_release_appeared_within_28_to_70_days_unless_it_is_marked_as_delayed():
    long = set()
    for row in PUBLISHED.itertuples():
        wait = (date.fromisoformat(row.published) - pd.Period(row.month, "M").end_time.date()).days
        assert 28 <= wait <= (90 if "delayed" in row.how_known else 70), row.month
        long |= {row.month} if wait > 70 else set()
    assert long == {"2025-08", "2025-09"}, "the shutdown of October and November 2025"


def test_what_is_marked_as_delayed_belongs_to_one_of_the_four_shutdowns():
    delayed = KNOWN.loc[KNOWN["how_known"].str.contains("delayed"), "month"].tolist()
    assert delayed.pop(0) == "1995-09"
    assert delayed[:2] == ["2013-08", "2013-09"] and delayed[2:5] == ["2018-11", "2018-12", "2019-01"]
    assert delayed[5:] == [f"2025-{n:02}" for n in range(8, 13)] + ["2026-01"]


def test_a_release_that_was_not_delayed_appeared_in_the_slot_that_is_known_for_it():
    both = PUBLISHED[(PUBLISHED["scheduled"] != "") & (PUBLISHED["scheduled"] != PUBLISHED["published"])]
    assert both["month"].tolist() == ["2013-09", "2025-08"]
    assert both["how_known"].str.contains("delayed").all()


def test_every_date_is_marked_seen_with_its_source_or_inferred_with_its_rule():
    assert KNOWN["how_known"].str.fullmatch(r"(seen|inferred): \S.{2,}").all()
    assert KNOWN.loc[KNOWN["status"] == "scheduled", "how_known"].str.startswith("seen").all()


def test_nothing_is_told_as_published_after_the_day_on_which_the_file_was_written():
    assert PUBLISHED["published"].max() <= WRITTEN.isoformat()
    assert KNOWN.loc[KNOWN["status"] == "scheduled", "month"].tolist() == ["2026-09", "2026-10"]


def test_from_1994_on_seven_months_are_without_a_date():
    months = set(pd.period_range("1994-01", "2026-10", freq="M").astype(str))
    undated = {"1994-01", "1994-04", "1994-05", "1995-03", "1995-06", "1995-10", "2026-10"}
    assert months - set(KNOWN.loc[KNOWN["published"] != "", "month"]) == undated | {"2026-09"}
    assert months - set(KNOWN["month"]) == undated - {"2026-10"}


def test_every_date_is_that_of_the_collected_evidence(originals):
    """Two sources differed in one month of 2002: the release's own header has the 18th, a wire the 19th."""
    found = pd.read_csv(originals / "reference" / "release_dates_1994-2026.csv", dtype=str)
    found = found[found["seen_or_inferred"] != "scheduled"].set_index("statistical_month")
    ours = PUBLISHED.set_index("month")
    assert ours["published"].to_dict() == found["published"].to_dict()
    assert ours.loc["2002-10", "published"] == "2002-12-18"
    seen = ours["how_known"].str.startswith("seen")
    assert set(ours.index[~seen]) <= set(found.index[found["seen_or_inferred"] == "inferred"])


def test_the_file_is_what_the_loader_gives_without_a_refreshed_schedule():
    assert calendar.all_releases().equals(KNOWN)


@pytest.mark.parametrize(
    ("month", "published"), [("2018-07", "2018-09-05"), ("2018-08", "2018-10-05"), ("2021-08", "2021-10-05")]
)
def test_the_releases_that_the_design_and_its_files_name(month, published):
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
    found = calendar.release("1993-06")
    assert (found.published, found.how_known) == (None, "not established")
    assert found.default_as_of == date(1993, 8, 31)
    assert calendar.release("1992-12").default_as_of == date(1993, 2, 28)


def test_where_only_the_slot_is_known_the_day_is_the_slot():
    found = calendar.release("2026-09")
    assert (found.published, found.scheduled, found.status) == (None, date(2026, 11, 4), "scheduled")
    assert found.default_as_of == found.day == date(2026, 11, 4)


def test_a_release_is_built_of_three_parts_as_before():
    built = calendar.Release("2012-05", date(2012, 7, 11), "from a stored vintage")
    assert (built.scheduled, built.status, built.day) == (None, "published", date(2012, 7, 11))
    unknown = calendar.Release("2012-05", None, "not established")
    assert (unknown.status, unknown.day) == ("not established", None)


def test_that_day_is_late_enough_for_every_release_whose_date_is_known_except_the_shutdowns():
    late = [
        month
        for month, published in PUBLISHED[["month", "published"]].itertuples(index=False)
        if date.fromisoformat(published) > calendar.Release(month, None, "").default_as_of
    ]
    assert late == ["1995-11", "2018-11", "2018-12", "2025-08", "2025-09", "2025-10"]


# --- what is due --------------------------------------------------------------------------------

SUSPENDED = """\
2026-09,2026-11-04,,scheduled,seen: BEA schedule
2026-10,,,suspended,seen: BEA schedule
2026-11,2027-01-07,,scheduled,seen: BEA schedule"""


def refreshed(text: str) -> None:
    place = calendar.refreshed_path()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"{HEADER}\n{text}\n")


@pytest.mark.parametrize(
    ("today", "newest", "following"),
    [
        (date(2026, 10, 5), "2026-07", "2026-08"),
        (date(2026, 10, 6), "2026-08", "2026-09"),
        (date(2026, 11, 3), "2026-08", "2026-09"),
        (date(2026, 11, 4), "2026-09", "2026-10"),
        (date(2026, 12, 8), "2026-10", None),
        (date(2025, 10, 7), "2025-07", "2025-08"),  # the slot of the delayed one had come, the release not
        (date(2025, 11, 19), "2025-08", "2025-09"),
        (date(1990, 1, 1), None, "1994-02"),
    ],
)
def test_the_newest_release_due_and_the_next_one(today, newest, following):
    found = calendar.newest_due(today), calendar.next_due(today)
    assert tuple(f and f.month for f in found) == (newest, following)


def test_a_suspended_slot_is_never_due_and_the_next_one_is_that_after_it():
    refreshed(SUSPENDED)
    suspended = calendar.release("2026-10")
    assert (suspended.status, suspended.day) == ("suspended", None)
    assert suspended.default_as_of == date(2026, 12, 31)
    for today in (date(2026, 12, 7), date(2026, 12, 8), date(2027, 1, 6)):
        assert calendar.newest_due(today).month == "2026-09"
        assert calendar.next_due(today).month == "2026-11"
        assert "2026-10" not in [found.month for found in calendar.due(today)]
    assert calendar.newest_due(date(2027, 1, 7)).month == "2026-11"


@given(st.dates(date(1994, 1, 1), date(2027, 6, 1)))
def test_what_is_due_is_out_what_comes_next_is_not_and_nothing_lies_between(today):
    out, newest, following = calendar.due(today), calendar.newest_due(today), calendar.next_due(today)
    assert all(found.day <= today for found in out)
    assert newest is None or newest.month == max(found.month for found in out)
    assert following is None or following.day > today
    later = [found for found in map(calendar.release, KNOWN["month"]) if found.day and found.day > today]
    assert len(out) + len(later) == len(KNOWN) and (following in later or not later)


# --- a refreshed schedule on top of the bundled calendar ----------------------------------------


def test_a_refreshed_slot_takes_the_place_of_a_bundled_one_and_a_new_month_is_added():
    assert calendar.release("2026-11").status == "not established"
    refreshed(SUSPENDED.replace("2026-11-04", "2026-11-12"))
    assert calendar.release("2026-09").day == date(2026, 11, 12)
    assert calendar.release("2026-11").day == date(2027, 1, 7)
    assert len(calendar.all_releases()) == len(KNOWN) + 1


def test_a_publication_date_that_was_seen_is_never_changed():
    refreshed("2018-07,2018-09-06,,scheduled,seen: x\n2018-04,,2018-06-07,published,seen: x")
    assert calendar.release("2018-07").published == date(2018, 9, 5)
    assert calendar.release("2018-04").published == date(2018, 6, 6)


def test_an_inferred_publication_date_gives_way_to_a_publication_date_but_not_to_a_slot():
    assert calendar.release("1996-01").how_known.startswith("inferred")
    refreshed("1996-01,1996-03-28,,scheduled,seen: x\n1996-09,,1996-11-19,published,seen: x")
    assert calendar.release("1996-01").published == date(1996, 3, 29)
    assert calendar.release("1996-09").published == date(1996, 11, 19)


def test_a_change_of_the_file_and_of_the_store_is_noticed_at_once(tmp_path, monkeypatch):
    refreshed(SUSPENDED)
    assert calendar.release("2026-10").status == "suspended"
    refreshed(SUSPENDED.replace("2026-10,,,suspended", "2026-10,2026-12-09,,scheduled"))
    assert calendar.release("2026-10").day == date(2026, 12, 9)
    monkeypatch.setenv("TRADELIB_STORE", str(tmp_path / "another"))
    assert calendar.release("2026-10").day == date(2026, 12, 8)


def test_a_refreshed_schedule_that_is_taken_away_leaves_the_bundled_calendar():
    refreshed(SUSPENDED)
    assert not calendar.all_releases().equals(KNOWN)
    calendar.refreshed_path().unlink()
    assert calendar.all_releases().equals(KNOWN)


def test_a_store_in_an_object_store_may_hold_a_refreshed_schedule(monkeypatch):
    monkeypatch.setenv("TRADELIB_STORE", "memory://calendar-store")
    assert calendar.all_releases().equals(KNOWN)
    monkeypatch.setattr(calendar, "REMOTE_S", 1e-9)  # looked at again at once
    calendar.refreshed_path().write_text(f"{HEADER}\n{SUSPENDED}\n")
    assert calendar.release("2026-10").status == "suspended"
    calendar.refreshed_path().unlink()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its columns are none"),
        ("month,published\n2018-07,2018-09-05", "its columns are month, published"),
        (f"{HEADER}\n2018-13,,2018-09-05,published,seen: x", "it has the row '2018-13"),
        (f"{HEADER}\n2018-07,,2018-9-5,published,seen: x", "it has the row '2018-07"),
        (f"{HEADER}\n2018-07,,,published,seen: x", "it has the row"),
        (f"{HEADER}\n2018-07,,,scheduled,seen: x", "it has the row"),
        (f"{HEADER}\n2018-07,,2018-09-05,scheduled,seen: x", "it has the row"),
        (f"{HEADER}\n2018-07,2018-09-05,2018-09-05,suspended,seen: x", "it has the row"),
        (f"{HEADER}\n2018-07,,2018-09-05,out,seen: x", "it has the row"),
        (f"{HEADER}\n2026-09,,2025-11-05,published,seen: x", "it has the row '2026-09,,2025-11-05"),
        (f"{HEADER}\n2026-09,,2026-09-30,published,seen: x", "it has the row"),
        (f"{HEADER}\n2026-09,2028-11-05,,scheduled,seen: x", "it has the row"),
        (f"{HEADER}\n2018-07,,2018-09-05,published,", "it has the row"),
        (
            f"{HEADER}\n2018-07,,2018-09-05,published,x\n2018-07,,2018-09-06,published,x",
            "2018-07 is there twice",
        ),
    ],
)
def test_what_is_no_calendar_is_refused_and_told(text, why):
    with pytest.raises(TradelibError, match=r"calendar.csv is not a release calendar: ") as told:
        calendar.read_table(text, "calendar.csv")
    assert why in str(told.value) and "the bundled calendar is untouched" in str(told.value)


def test_a_spoilt_file_in_the_store_is_named():
    refreshed("what is this")
    with pytest.raises(TradelibError, match=r"store/calendar/releases.csv is not a release calendar"):
        calendar.release("2018-07")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_in_the_place_of_the_calendar_is_refused_at_once(make):
    place = calendar.refreshed_path()
    place.parent.mkdir(parents=True)
    make(place)
    with pytest.raises(TradelibError, match=r"Cannot read .*releases\.csv: it is no file"):
        calendar.release("2018-07")


MONTHS = st.sampled_from([str(month) for month in pd.period_range("2027-01", "2027-12", freq="M")])
DAYS = st.dates(date(2028, 1, 1), date(2028, 12, 31)).map(date.isoformat)
ROWS = st.dictionaries(
    MONTHS,
    st.one_of(
        st.tuples(st.just(""), DAYS, st.just("published"), st.sampled_from(["seen: a", "inferred: b"])),
        st.tuples(DAYS, st.just(""), st.just("scheduled"), st.just("seen: c")),
        st.tuples(st.just(""), st.just(""), st.just("suspended"), st.just("seen: d")),
    ),
    max_size=12,
).map(lambda rows: table(*(",".join([month, *row]) for month, row in rows.items())))


@given(ROWS, ROWS)
def test_an_overlay_has_every_month_once_keeps_what_was_seen_and_is_stable(old, new):
    both = calendar.overlay(old, new)
    assert both["month"].tolist() == sorted({*old["month"], *new["month"]})
    seen = old[(old["status"] == "published") & old["how_known"].str.startswith("seen")]
    assert both[both["month"].isin(seen["month"])].reset_index(drop=True).equals(seen.reset_index(drop=True))
    assert calendar.overlay(both, new).equals(both)
    assert calendar.overlay(old, old.iloc[:0]).equals(old)


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


def test_the_calendar_by_example():
    assert calendar.all_releases().query("month == '2018-07'").published.item() == "2018-09-05"
    assert calendar.release("2018-07").published == date(2018, 9, 5)
    assert [found.month for found in calendar.due(date(2026, 10, 6))][-2:] == ["2026-07", "2026-08"]
    assert calendar.newest_due(date(2026, 10, 5)).month == "2026-07"
    assert calendar.newest_due(date(2026, 10, 6)).month == "2026-08"
    assert calendar.next_due(date(2026, 10, 5)).day == date(2026, 10, 6)
    for month in ("2018-07", "2018-09"):
        assert calendar.quarter_out(pd.Period(month, "M")) == pd.Period("2018Q2", "Q")
    assert calendar.parse_date("2018-10-05") == date(2018, 10, 5)


def test_a_slot_gives_way_to_a_later_slot_and_a_date_does_not():
    old = calendar.read_table(
        "month,scheduled,published,status,how_known\n2026-08,,2026-10-06,published,seen: BEA\n"
        "2026-09,2026-11-04,,scheduled,seen: BEA",
        "old",
    )
    assert old.status.tolist() == ["published", "scheduled"]
    new = old.assign(scheduled="2026-11-12", published="", status="scheduled")
    assert calendar.overlay(old, new)[["month", "scheduled", "status"]].values.tolist() == [
        ["2026-08", "", "published"],
        ["2026-09", "2026-11-12", "scheduled"],
    ]
