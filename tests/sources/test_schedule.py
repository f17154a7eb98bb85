"""BEA's release schedule read in its true shape, its bad days, and how it is kept.

The pages here are written after the markup of https://www.bea.gov/news/schedule (August 2026) and of
the Census economic indicator calendar, as public copies show them.
"""

import json
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tradelib import releases as calendar
from tradelib.errors import FetchError, TradelibError
from tradelib.sources import schedule
from tradelib.store import files

FT900 = "U.S. International Trade in Goods and Services"
OTHERS = [
    ("September 30", "GDP (Third Estimate), Industries, Corporate Profits, and State GDP, 2nd Quarter 2026"),
    ("September 30", "Personal Income and Outlays, August 2026"),
    ("December 18", "U.S. International Transactions and Investment Position, 3rd Quarter 2026"),
    ("July 8", "U.S. International Services, 2025"),
    ("June 9", "U.S. International Trade in Goods and Services, Annual Update"),
    ("October 28", "Advance U.S. International Trade in Goods, September 2026"),
]


def bea_row(day: str, title: str, note: str = "") -> str:
    """One row of BEA's table; without a day it is to be announced."""
    when = f'<div class="release-date">{day}</div>\n      <small class="text-muted">8:30 AM</small>'
    if not day:
        when = '<small class="text-muted">To Be Announced<br/>Winter 2026</small>'
    return f"""    <tr>
      <td class="scheduled-date">{when}</td>
      <td><span class="note">{note}</span></td>
      <td class="release-title views-field">{title}        </td>
    </tr>
"""


def bea_page(*rows: str, year: int = 2026) -> bytes:
    others = "".join(bea_row(*other) for other in OTHERS)
    return f"""<!DOCTYPE html><html><head><title>Release Schedule | BEA</title></head>
<body><nav><a href="/data/intl-trade-investment/international-trade-goods-and-services">{FT900}</a></nav>
<table class="table" id="release-schedule-table">
  <thead><tr><th id="view-field-scheduled-release-date-1-table-column">Year {year}</th>
  <th></th><th>Release</th></tr></thead>
  <tbody>
{others}{"".join(rows)}  </tbody>
</table></body></html>
""".encode()


def census_page(*rows: tuple[str, str, str, str]) -> bytes:
    head = "".join(f"<th>{text}</th>" for text in ("Indicator", "Release Date", "Time", "Period Covered"))
    every = [("Monthly Wholesale Trade: Sales and Inventories", "October 8, 2026", "10:00 AM", "August 2026")]
    every += [("Advance Economic Indicators Report (International Trade, Retail, &amp; Wholesale)",)]
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in [*every, *rows])
    return f"<html><body><table id='calendar'><tr>{head}</tr>{body}</table></body></html>".encode()


def slots(data: bytes) -> list[tuple[str, str, str]]:
    parsed = schedule.parse_schedule(data)
    assert list(parsed.columns) == calendar.COLUMNS and set(parsed["published"]) <= {""}
    return list(parsed[["month", "scheduled", "status"]].itertuples(index=False, name=None))


# --- BEA's page ---------------------------------------------------------------------------------


def test_the_rows_of_the_ft900_are_read_and_no_others():
    page = bea_page(
        bea_row("October 6", f"{FT900}, August 2026"), bea_row("November 4", f"{FT900}, September 2026")
    )
    assert slots(page) == [("2026-08", "2026-10-06", "scheduled"), ("2026-09", "2026-11-04", "scheduled")]


def test_a_day_after_new_year_belongs_to_the_next_year_although_the_heading_names_this_one():
    page = bea_page(
        bea_row("December 8", f"{FT900}, October 2026"), bea_row("January 7", f"{FT900}, November 2026")
    )
    assert slots(page) == [("2026-10", "2026-12-08", "scheduled"), ("2026-11", "2027-01-07", "scheduled")]


@pytest.mark.parametrize(
    "title",
    [
        f"{FT900}, December and Annual 2026",
        f"{FT900}, December 2026",
        f"{FT900}: December 2026",
        f"{FT900} for December 2026",
        "U.S.  International Trade\nin Goods and Services,&nbsp;December 2026",
        f"<a href='/news/2027/us-trade'>{FT900}, December 2026</a>",
        f"Monthly {FT900}, December 2026",
        f"{FT900.upper()}, DECEMBER 2026",
    ],
)
def test_the_title_may_be_written_in_all_the_ways_it_was(title):
    assert slots(bea_page(bea_row("February 4", title))) == [("2026-12", "2027-02-04", "scheduled")]


@pytest.mark.parametrize(
    "row",
    [
        bea_row("November 19", f"{FT900}, August 2025", "Rescheduled from October 7"),
        bea_row("November 19", f"{FT900}, August 2025 (rescheduled from October 7, 2025)"),
        bea_row("November 19, 2025", f"{FT900}, August 2025"),
        f"<tr><td>November 19, 2025 8:30 AM; was October 7</td><td>{FT900}, August 2025</td></tr>",
    ],
)
def test_a_rescheduled_release_has_its_new_day(row):
    assert slots(bea_page(row, year=2025)) == [("2025-08", "2025-11-19", "scheduled")]


@pytest.mark.parametrize(
    "row",
    [
        bea_row("", f"{FT900}, November 2025"),
        bea_row("January 8", f"{FT900}, November 2025", "Suspended"),
        bea_row("January 8", f"{FT900}, November 2025 (suspended)"),
        bea_row("January 8", f"{FT900}, November 2025", "Postponed"),
        bea_row("TBD", f"{FT900}, November 2025"),
        bea_row("", f"{FT900}, November 2025").replace("To Be Announced", "Cancelled"),
    ],
)
def test_a_slot_that_does_not_hold_is_suspended_and_has_no_day(row):
    page = bea_page(row, bea_row("February 19", f"{FT900}, December and Annual 2025"))
    assert slots(page) == [("2025-11", "", "suspended"), ("2025-12", "2026-02-19", "scheduled")]


def test_a_suspended_slot_beside_its_new_one_gives_the_new_one():
    old = bea_row("January 8", f"{FT900}, November 2025", "Suspended")
    new = bea_row("January 29", f"{FT900}, November 2025")
    assert slots(bea_page(old, new)) == slots(bea_page(new, old)) == [("2025-11", "2026-01-29", "scheduled")]


def test_the_same_row_twice_is_one_slot_but_two_days_for_a_month_are_refused():
    row = bea_row("October 6", f"{FT900}, August 2026")
    assert len(slots(bea_page(row, row))) == 1
    with pytest.raises(TradelibError, match="gives 2026-08 more than one day: 2026-10-06, 2026-10-13"):
        slots(bea_page(row, bea_row("October 13", f"{FT900}, August 2026")))


def test_the_source_is_told_with_every_slot():
    page = bea_page(bea_row("October 6", f"{FT900}, August 2026"))
    assert schedule.parse_schedule(page)["how_known"].tolist() == ["seen: BEA schedule"]


# --- the Census list ----------------------------------------------------------------------------


def test_the_census_list_is_read_too_with_the_month_from_its_own_column():
    page = census_page(
        (FT900, "October 6, 2026", "8:30 AM", "August 2026"),
        (FT900, "Suspended", "8:30 AM", "September 2026"),
        (FT900, "January 7, 2027", "8:30 AM", "November 2026"),
    )
    assert slots(page) == [
        ("2026-08", "2026-10-06", "scheduled"),
        ("2026-09", "", "suspended"),
        ("2026-11", "2027-01-07", "scheduled"),
    ]


# --- bad pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        (b"", "Seen instead: nothing at all"),
        (b"  \n ", "Seen instead: nothing at all"),
        (b"<html><body><p>Release schedule</p></body></html>", "<p>Release schedule</p>"),
        (json.dumps({FT900: {"release_dates": ["2026-10-06T12:30:00+00:00"]}}).encode(), "release_dates"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "PNG"),
        (bea_page(), "'Year 2026 Release'; 'September 30 8:30 AM GDP (Third Estimate)"),
        (census_page(), "Monthly Wholesale Trade"),
    ],
)
def test_a_page_without_such_a_row_is_refused_with_what_was_seen(page, seen):
    with pytest.raises(TradelibError, match="The page has no row 'U") as told:
        schedule.parse_schedule(page)
    assert seen in str(told.value)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (bea_row("October 6", FT900), "names no month"),
        (bea_row("October 6", f"{FT900}, 3rd Quarter 2026"), "names no month"),
        (bea_row("soon", f"{FT900}, August 2026"), "has no day that fits"),
        (bea_row("February 30", f"{FT900}, December 2026"), "has no day that fits"),
        (bea_row("August 3", f"{FT900}, August 2026"), "has no day that fits"),
        (bea_row("October 6, 2027", f"{FT900}, August 2026"), "has no day that fits"),
        (bea_row("October 6, 2025", f"{FT900}, August 2026"), "has no day that fits"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_and_shown(row, words):
    with pytest.raises(TradelibError, match=words) as told:
        schedule.parse_schedule(bea_page(row))
    assert "U.S. International Trade in Goods and Services" in str(told.value)


@given(
    st.dictionaries(
        st.integers(0, 11), st.tuples(st.integers(28, 90), st.sampled_from(["day", "off"])), min_size=1
    )
)
def test_what_a_page_says_is_what_is_read(waits):
    expected, rows = [], []
    for n, (wait, kind) in sorted(waits.items()):
        month = pd.Period("2026-03", "M") + n
        day = month.end_time.date() + timedelta(wait)
        name, title = f"{day:%B} {day.day}", f"{FT900}, {month.strftime('%B %Y')}"
        rows.append(bea_row(name, title) if kind == "day" else bea_row(name, title, "Suspended"))
        expected.append((str(month), *((str(day), "scheduled") if kind == "day" else ("", "suspended"))))
    assert slots(bea_page(*rows[::-1])) == expected


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(data):
    assume(b"nternational" not in data)
    with pytest.raises(TradelibError):
        schedule.parse_schedule(data)


# --- asking for it, and keeping it --------------------------------------------------------------

PAGE = bea_page(
    bea_row("November 12", f"{FT900}, September 2026"),
    bea_row("", f"{FT900}, October 2026"),
    bea_row("January 7", f"{FT900}, November 2026"),
)


def test_a_refreshed_schedule_is_fetched_kept_and_in_force(mirror, store):
    mirror.expect_request("/www.bea.gov/news/schedule").respond_with_data(PAGE, content_type="text/html")
    assert schedule.refresh()["month"].tolist() == ["2026-09", "2026-10", "2026-11"]
    assert (store / "calendar" / "releases.csv").read_text().startswith(",".join(calendar.COLUMNS))
    assert calendar.release("2026-09").day == date(2026, 11, 12)
    assert calendar.release("2026-10").status == "suspended"
    assert calendar.newest_due(date(2026, 11, 11)).month == "2026-08"
    assert calendar.next_due(date(2026, 11, 12)).month == "2026-11"
    assert calendar.release("2018-07").published == date(2018, 9, 5)


@pytest.mark.parametrize("status", [302, 403, 404])
def test_an_answer_that_is_no_page_is_refused_and_nothing_is_kept(mirror, store, status):
    mirror.expect_request("/www.bea.gov/news/schedule").respond_with_data("<title>No</title>", status=status)
    with pytest.raises(FetchError, match=f"status {status}"):
        schedule.refresh()
    assert not (store / "calendar").exists()


def test_a_page_that_cannot_be_read_leaves_the_schedule_as_it_was(mirror, store):
    schedule.save_schedule(schedule.parse_schedule(PAGE))
    before = (store / "calendar" / "releases.csv").read_bytes()
    mirror.expect_request("/www.bea.gov/news/schedule").respond_with_data("<p>maintenance</p>")
    with pytest.raises(TradelibError, match="has no row"):
        schedule.refresh()
    assert (store / "calendar" / "releases.csv").read_bytes() == before


def test_slots_that_have_left_the_page_stay_and_those_on_it_are_renewed():
    schedule.save_schedule(schedule.parse_schedule(PAGE))
    schedule.save_schedule(
        schedule.parse_schedule(bea_page(bea_row("December 15", f"{FT900}, October 2026")))
    )
    kept = calendar.read_table(calendar.refreshed_path().read_text(), "kept")
    assert kept["month"].tolist() == ["2026-09", "2026-10", "2026-11"]
    assert kept["scheduled"].tolist() == ["2026-11-12", "2026-12-15", "2027-01-07"]


def test_saving_twice_gives_the_same_bytes_and_leaves_no_other_file(store):
    for _ in range(2):
        path = schedule.save_schedule(schedule.parse_schedule(PAGE))
        first = path.read_bytes()
    assert path.read_bytes() == first
    assert [file.name for file in (store / "calendar").iterdir()] == ["releases.csv"]


def test_a_write_that_fails_leaves_the_old_file_whole(store, monkeypatch):
    schedule.save_schedule(schedule.parse_schedule(PAGE))
    before = (store / "calendar" / "releases.csv").read_bytes()
    monkeypatch.setattr(
        schedule.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(TradelibError, match=r"Cannot write .*releases.csv: No space left"):
        schedule.save_schedule(
            schedule.parse_schedule(bea_page(bea_row("December 15", f"{FT900}, October 2026")))
        )
    assert (store / "calendar" / "releases.csv").read_bytes() == before
    assert [file.name for file in (store / "calendar").iterdir()] == ["releases.csv"]


def test_a_table_that_is_no_schedule_is_not_kept(store):
    table = schedule.parse_schedule(PAGE).assign(status="out")
    with pytest.raises(TradelibError, match="The schedule is not a release calendar"):
        schedule.save_schedule(table)
    assert not (store / "calendar").exists()


def test_an_object_store_keeps_it_too(monkeypatch):
    monkeypatch.setenv("TRADELIB_STORE", "memory://schedule-store")
    monkeypatch.setattr(calendar, "REMOTE_S", 1e-9)
    path = schedule.save_schedule(schedule.parse_schedule(PAGE))
    assert files.is_remote(path)
    assert calendar.release("2026-10").status == "suspended"
    path.unlink()
