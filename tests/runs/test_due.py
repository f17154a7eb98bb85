"""What is due: by the true calendar, to the minute, with what was run, and without what was suspended."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import releases as calendar
from tradelib.errors import TradelibError
from tradelib.releases import WASHINGTON
from tradelib.runs import due, state, sweep
from tradelib.runs import plan as plans
from tradelib.runs.plan import plan
from tradelib.sources import schedule

KNOWN = calendar.read_table((calendar.DATA / "releases.csv").read_text(), "releases.csv")
OUT = KNOWN[KNOWN["status"] == "published"].set_index("month")["published"]
MOMENTS = st.datetimes(datetime(2013, 6, 1), datetime(2026, 11, 24), timezones=st.just(UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WASHINGTON)


def left(failed=(), fingerprint: str = "a", finished: str = "2026-10-06T13:00:00+00:00") -> dict:
    return {"failed": list(failed), "fingerprint": fingerprint, "finished": finished}


def look(now: datetime, through: str = "2026-08", records=None, fingerprint: str = "a", since=None):
    """The agenda of a world of which everything is told here."""
    return due.agenda(
        now,
        through=through,
        record=lambda month: (records or {}).get(month),
        plan=lambda month: SimpleNamespace(fingerprint=fingerprint),
        since=since,
    )


def states(found: due.Agenda) -> dict[str, str]:
    return {item.release.month: item.state for item in found.items}


# --- when a release is due ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "newest"),
    [
        ("2026-10-06T08:29:59", "2026-07"),
        ("2026-10-06T08:30:00", "2026-08"),
        ("2026-11-04T08:29", "2026-08"),  # summer time ended on November 1
        ("2026-11-04T08:30", "2026-09"),
        ("2026-03-12T08:29", "2025-12"),  # and began on March 8
        ("2026-03-12T08:30", "2026-01"),
    ],
)
def test_a_release_is_due_from_half_past_eight_in_washington(moment, newest):
    found = look(at(moment), through="2013-01")
    assert [item.release.month for item in found.items] == [newest]


@pytest.mark.parametrize(("utc", "is_due"), [("12:29", False), ("12:30", True)])
def test_the_hour_is_washingtons_wherever_the_computer_stands(utc, is_due):
    moment = datetime.fromisoformat(f"2026-10-06T{utc}:00+00:00")
    for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        found = look(moment.astimezone(ZoneInfo(zone)))
        assert (found.newest.month == "2026-08") is is_due, zone


def test_a_release_of_summer_appears_by_summer_time():
    assert due.opening(calendar.release("2018-07")).isoformat() == "2018-09-05T08:30:00-04:00"


def test_in_winter_half_past_eight_is_an_hour_later_by_universal_time():
    assert look(datetime(2026, 11, 4, 13, 29, tzinfo=UTC)).newest.month == "2026-08"
    assert look(datetime(2026, 11, 4, 13, 30, tzinfo=UTC)).newest.month == "2026-09"


@settings(deadline=None)  # the cores may be busy
@given(MOMENTS)
def test_where_nothing_was_run_only_the_newest_release_is_due(moment):
    found = look(moment)
    days = {month: due.opening(calendar.release(month)) for month in OUT.index}
    expected = max((month for month, day in days.items() if day <= moment), default=None)
    if moment < at("2026-11-04T08:30"):  # later ones are slots, not yet publications
        assert states(found) == {expected: "not run"}


@settings(deadline=None)  # the cores may be busy
@given(MOMENTS)
def test_what_comes_next_is_still_to_come_and_nothing_comes_before_it(moment):
    following = look(moment).following
    openings = [due.opening(found) for found in calendar.due(date(2030, 1, 1))]
    assert due.opening(following) == min(day for day in openings if day > moment)


def test_a_suspended_slot_is_never_due_and_is_not_what_comes_next(store):
    rows = [f"{month},,,suspended,seen: BEA schedule" for month in ("2026-09", "2026-10")]
    schedule.save_schedule(calendar.read_table("\n".join([",".join(calendar.COLUMNS), *rows]), "the test's"))
    found = look(at("2026-11-24T12:00"), records={"2026-08": left()})
    assert found.items == () and found.following is None
    assert found.lines() == ["Nothing is due.", "No later date is known."]


def test_a_slot_that_was_moved_is_due_on_the_new_day(store):
    table = calendar.all_releases().query("month == '2026-09'").assign(scheduled="2026-11-12")
    schedule.save_schedule(table)
    before, after = (look(at(f"2026-11-12T08:{minute}"), records={"2026-08": left()}) for minute in (29, 30))
    assert before.items == () and states(after) == {"2026-09": "awaited"}
    assert before.lines()[-1] == "Next: September 2026, 2026-11-12 08:30."


# --- which releases count, and in which state ---------------------------------------------------


def test_after_the_newest_release_that_was_run_all_later_ones_are_due_oldest_first():
    found = look(at("2026-10-06T09:00"), through="2026-07", records={"2026-05": left()})
    assert list(states(found).items()) == [
        ("2026-06", "not run"),
        ("2026-07", "not run"),
        ("2026-08", "awaited"),
    ]
    assert [item.release.month for item in found.ready] == ["2026-06", "2026-07"]


def test_an_old_release_that_was_once_run_does_not_make_all_since_then_due():
    assert states(look(at("2026-10-06T09:00"), records={"2018-07": left()})) == {"2026-08": "not run"}


def test_since_asks_for_all_releases_from_a_month_on_but_those_that_are_done():
    found = look(at("2026-10-06T09:00"), records={"2026-02": left()}, since="2026-01")
    assert list(states(found)) == ["2026-01", *(f"2026-{n:02}" for n in range(3, 9))]
    with pytest.raises(TradelibError, match="'January' is not a month"):
        look(at("2026-10-06T09:00"), since="January")


def test_what_is_awaited_says_since_when_and_is_overdue_after_a_day():
    for moment, overdue, told in [
        ("2026-11-04T08:40", False, "awaited since 2026-11-04 08:30 (10 minutes)"),
        ("2026-11-05T08:30", False, "(1 day)"),
        ("2026-11-05T08:31", True, "(1 day)"),
        ("2026-11-24T11:00", True, "(20 days): no country table at hand reaches it, the newest ends with"),
    ]:
        found = look(at(moment), through="2025-02")
        assert bool(found.overdue) is overdue and not found.ready, moment
        assert told in found.items[0].told


def test_what_failed_rests_for_an_hour_and_is_not_forgotten_when_a_later_release_was_fine():
    records = {"2026-07": left(["Japan"]), "2026-08": left()}
    for moment, ready in [("2026-10-06T09:59", False), ("2026-10-06T10:00", True)]:
        found = look(at(moment), records=records)
        assert states(found) == {"2026-07": "failed"} and bool(found.ready) is ready
    assert "failed, 2026-10-06 09:00, 1 brief; " in found.lines()[0]


@pytest.mark.parametrize(("by", "ready"), [("0.0.1", True), ("99.0", False), ("mine", True), (None, True)])
def test_what_a_newer_tradelib_made_is_not_made_again_by_an_older_one(by, ready):
    """Two machines, of which one is still to be upgraded, took turns, and each told that it was done."""
    record = left(fingerprint="theirs") | ({"version": by} if by else {})
    (item,) = look(at("2026-10-06T10:00"), records={"2026-08": record}).items
    assert (item.state, item.ready) == ("inputs changed", ready)
    assert ("by tradelib 99.0" in item.told) is not ready


@pytest.mark.parametrize("finished", ["soon", "2036-01-01T00:00:00+00:00"])
def test_a_record_whose_time_cannot_be_read_or_is_still_to_come_is_tried_again_at_once(finished):
    found = look(at("2026-10-06T09:00"), records={"2026-08": left(["Japan"], finished=finished)})
    assert states(found) == {"2026-08": "failed"} and found.ready
    assert found.lines()[0].endswith("it can be tried again.")


def test_only_the_newest_release_that_was_run_is_made_again_when_its_inputs_changed():
    records = {"2026-07": left(), "2026-08": left()}
    assert states(look(at("2026-10-07T09:00"), records=records, fingerprint="b")) == {
        "2026-08": "inputs changed"
    }
    assert states(look(at("2026-10-07T09:00"), records=records)) == {}
    gone = look(at("2026-10-07T09:00"), records=records, fingerprint="b", through="2026-07")
    assert states(gone) == {}, "without its data it cannot be made again"


@settings(deadline=None)  # the cores may be busy
@given(MOMENTS, st.sets(st.sampled_from(list(OUT.index[-40:]))), st.sampled_from(list(OUT.index)))
def test_what_is_ready_has_appeared_has_data_and_is_not_done(moment, run, through):
    found = look(moment, through=through, records=dict.fromkeys(run, left()))
    months = [item.release.month for item in found.items]
    assert months == sorted(set(months)) and not set(months) & run
    for item in found.items:
        assert item.since <= moment and item.ready == (item.release.month <= through)


# --- the words, and the true world --------------------------------------------------------------


def test_json_holds_what_the_lines_say():
    found = look(at("2026-11-04T09:00"), records={"2026-07": left()})
    told = found.to_dict()
    assert [(one["release"], one["state"], one["ready"]) for one in told["due"]] == [
        ("2026-08", "not run", True),
        ("2026-09", "awaited", False),
    ]
    assert told["due"][1]["since"] == "2026-11-04T08:30:00-05:00"
    assert told["next"] == {"release": "2026-10", "appears": "2026-12-08T08:30:00-05:00"}


def test_the_bundled_tables_and_a_true_record_say_what_is_due(tmp_path):
    reports = tmp_path / "reports"
    moment = at("2025-04-03T08:31")
    first = due.look(reports=reports, partners="KOR", now=moment)
    assert states(first) == {"2025-02": "not run"}
    sweep.write_record(plan("2025-02", "KOR", reports=reports), sweep.Summary((), 0.0))
    assert due.look(reports=reports, partners="KOR", now=moment).items == ()
    other = due.look(reports=reports, partners="JPN", now=moment)
    assert states(other) == {"2025-02": "inputs changed"}
    (state.folder(reports) / "2025-04-03.json").write_text("{")
    assert states(due.look(reports=reports, partners="KOR", now=moment)) == {"2025-02": "not run"}


def test_on_the_day_of_this_calendar_the_newest_release_is_awaited(tmp_path):
    found = due.look(reports=tmp_path, now=at("2026-11-24T11:00"))
    assert found.lines() == [
        (
            "2026-09, overdue: awaited since 2026-11-04 08:30 (20 days): no country table at hand "
            "reaches it, the newest ends with 2025-02."
        ),
        "Next: October 2026, 2026-12-08 08:30.",
    ]


def test_a_name_that_is_no_partners_and_a_list_that_is_not_there_are_told_before_the_release(tmp_path):
    awaited = {"reports": tmp_path, "now": at("2026-11-04T09:00")}
    found = due.look(partners="KOR,Atlantis,group:asean,group:lost", **awaited)
    assert list(found.mistakes) == ["Atlantis", "group:lost"] and found.exit_code == 1 and not found.overdue
    assert found.lines()[1].startswith("Atlantis: ")
    assert list(found.to_dict()["mistakes"]) == ["Atlantis", "group:lost"]
    assert due.look(partners="KOR,all,group:asean", **awaited).exit_code == 0
    with pytest.raises(TradelibError, match="There is no list of runs"):
        due.look(runs=tmp_path / "none.yaml", **awaited)


def test_the_lines_say_what_is_due_and_what_comes_next():
    assert look(at("2018-09-05T08:31"), through="2018-07").lines() == [
        "2018-07: not run; it should have appeared at 2018-09-05 08:30.",
        "Next: August 2018, 2018-10-05 08:30.",
    ]


def test_the_time_passed_is_told_right_where_the_clocks_were_changed_between():
    opened, now = at("2026-10-31T08:30"), at("2026-11-01T08:30")  # summer time ended that night
    assert due.passed(opened, now) == timedelta(hours=25)
    found = look(
        at("2026-11-01T01:50").replace(fold=1),
        records={"2026-08": left(["Japan"], finished="2026-11-01T05:10:00+00:00")},
    )
    assert [item.ready for item in found.items] == [True], (
        "an hour and forty minutes have passed, though the clock shows forty"
    )


def test_a_span_is_told_in_its_largest_unit():
    told = [due.span(timedelta(minutes=n)) for n in (0, 1, 59, 60, 1439, 1440)]
    assert due.span(timedelta(days=20, hours=3)) == "20 days"
    assert due.span(timedelta(seconds=5)) == "0 minutes"
    assert told == ["0 minutes", "1 minute", "59 minutes", "1 hour", "23 hours", "1 day"]


# --- a deadline, and what is tried again -----------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "deadline", "overdue"),
    [
        ("2026-10-06T09:29", "09:30", False),
        ("2026-10-06T09:31", "09:30", True),
        ("2026-10-06T09:31", None, False),
        ("2026-10-07T08:31", None, True),
        ("2026-10-27T08:31", None, True),
    ],
)
@pytest.mark.parametrize("through", ["2026-07", "2026-08"])  # awaited; at hand, but not run
def test_a_release_is_overdue_from_its_deadline_on_and_the_exit_code_says_so(
    moment, deadline, overdue, through
):
    found = replace(
        look(at(moment), through=through, records={"2026-07": left()}),
        deadline=deadline and due.clock(deadline),
    )
    assert (len(found.overdue), found.exit_code) == (overdue, overdue)
    assert [one["overdue"] for one in found.to_dict()["due"]] == [overdue]


@pytest.mark.parametrize("text", ["08:30", "8 o'clock", "25:00", "", "09:30+01:00"])
def test_a_deadline_is_a_time_after_the_release(text):
    with pytest.raises(TradelibError, match="is no deadline"):
        due.clock(text)


@pytest.mark.parametrize("changes", [{"at_once": True}, {"fingerprint": "of another list of partners"}])
def test_what_failed_does_not_wait_where_the_disk_was_full_or_something_else_is_asked(changes):
    moment = at("2026-10-06T09:10")  # ten minutes after it failed
    for further, ready in (({}, False), (changes, True)):
        (item,) = look(moment, records={"2026-08": left(["Japan"]) | further}).items
        assert (item.state, item.ready) == ("failed", ready)


def test_a_partner_added_to_the_list_is_missed_in_each_past_release_and_made_on_request():
    options = {"asked": ["Japan", "Mexico", "seasonal: Japan"]}
    records = {"2026-07": left() | options, "2026-08": left() | options, "2026-06": left()}
    wanted = {"2026-07": ["Japan", "Tuvalu"], "2026-08": ["seasonal: Japan"], "2026-06": ["Tuvalu"]}

    def found(since=None):
        return due.agenda(
            at("2026-10-06T09:00"),
            through="2026-08",
            record=records.get,
            plan=lambda month: SimpleNamespace(fingerprint="a"),
            asked=lambda release: wanted.get(release.month, ()),
            since=since,
        )

    (item,) = found().items
    assert (item.release.month, item.state, item.ready) == ("2026-07", "partner missing", False)
    assert item.told == "not made for Tuvalu; --since 2026-07 makes it."
    assert found().exit_code == 0
    (item,) = found("2026-06").items
    assert (item.ready, item.told) == (True, "not made for Tuvalu.")


def test_what_is_asked_for_is_compared_by_partner_not_by_word():
    release = calendar.release("2018-07")
    assert plans.asked(release, "KOR,5800,Japan") == ("Korea, South", "Japan")
    usmca = plans.asked(release, "group:usmca")
    assert plans.lacking(plans.asked(release, "MEX,Atlantis"), usmca) == ["Atlantis"]
    assert plans.lacking(usmca, ["all"]) == [] and plans.lacking(["seasonal: Mexico"], ["all"])
