"""`tradelib run-due`: called often, at once, killed, without a connection; its lock and its hooks."""

import json
import platform
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pandas as pd
import pytest
from click.testing import CliRunner
from helpers import LAST_CELL, LEAN, book_of, country_sheet, grid_rows, raw_sum, write_xlsx
from publishers import COUNTRY, Files
from werkzeug import Response

from tradelib import load, loaders
from tradelib import releases as calendar
from tradelib.catalogue import page as catalogue
from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.releases import WASHINGTON
from tradelib.runs import due, hooks, plan, run_due, state, sweep
from tradelib.runs.hooks import call_hook
from tradelib.runs.jobs import release_folder
from tradelib.runs.run_due import NOTES, Outcome
from tradelib.runs.sweep import FAILED, MADE, Result
from tradelib.sources import ingest, update
from tradelib.sources import publishers as sources
from tradelib.store import files as storage

MORNING = datetime(2026, 10, 6, 8, 31, tzinfo=WASHINGTON)
TEN_MINUTES = timedelta(minutes=10)


class World:
    """The publishers, the sweep and the catalogue, played; records and notes are real files."""

    def __init__(self, reports: Path):
        self.reports = reports
        self.through = "2026-07"
        self.fingerprint = "a"
        self.comes = {}  # month that an update brings
        self.fails = []  # partners whose brief fails
        self.calls = []
        self.now = MORNING

    def plan(self, month, partners="all", *, runs=None, reports=None, **options):
        self.calls.append(f"plan {month}")
        plan = SimpleNamespace(
            release=calendar.release(month), jobs=("Japan", "Mexico"), reports=str(reports), asked=("all",)
        )
        return SimpleNamespace(**vars(plan), fingerprint=self.fingerprint, wrong={})

    def sweep(self, plan, **options):
        self.calls.append(f"sweep {plan.release.month}")
        results = [
            Result(who, FAILED, "It rained.") if who in self.fails else Result(who, MADE) for who in plan.jobs
        ]
        summary = sweep.Summary(tuple(results), 2.0)
        sweep.write_record(plan, summary)
        path = state.folder(self.reports) / f"{release_folder(plan.release.month, self.reports).name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"finished": self.now.isoformat()}))
        return summary

    def update(self, names, *, on):
        self.calls.append(
            "update all" if any(sources.SOURCES[name].key for name in names) else "update files"
        )
        self.through = self.comes.pop("through", self.through)
        return []

    def build(self, reports, *, articles=(), progress=False):
        self.calls.append("catalogue")
        return SimpleNamespace(notices=())

    def call(self, after: timedelta = TEN_MINUTES, **options) -> Outcome:
        """One call of run-due; the clock then goes on."""
        self.calls.clear()
        outcome = run_due.run_due(reports=self.reports, now=self.now, **options)
        self.now += after
        return outcome

    @property
    def done(self) -> list[str]:
        """What the last call did, without its looks at the plan."""
        return [call for call in self.calls if not call.startswith("plan")]


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    played = World(tmp_path / "reports")
    monkeypatch.setattr(
        due.vintages,
        "list_vintages",
        lambda table=None: [SimpleNamespace(through=played.through, published=MORNING.date())],
    )
    monkeypatch.setattr(plan, "plan", played.plan)
    monkeypatch.setattr(sweep, "run", played.sweep)
    monkeypatch.setattr(update, "plan", played.update)
    monkeypatch.setattr(update, "refresh_calendar", lambda: played.calls.append("calendar") or [])
    monkeypatch.setattr(catalogue, "build", played.build)
    return played


# --- release morning ----------------------------------------------------------------------------


def test_a_release_that_is_awaited_is_asked_for_at_every_call_and_made_when_it_has_come(world):
    for _ in range(2):
        outcome = world.call()
        assert (outcome.status, outcome.exit_code) == ("awaited", 0)
        assert world.done == ["calendar", "update files"]
    world.comes["through"] = "2026-08"
    outcome = world.call()
    assert (outcome.status, outcome.exit_code) == ("done", 0)
    assert world.done == ["calendar", "update files", "update all", "sweep 2026-08", "catalogue"]
    assert outcome.summary["releases"] == ["2026-08"] and outcome.summary["made"] == 2


def test_when_all_is_done_a_call_says_what_comes_next_and_asks_nobody(world):
    world.through = "2026-08"
    assert world.call().status == "done"
    world.now += timedelta(days=3)
    world.call()  # the daily look at the calendar
    outcome = world.call()
    assert (outcome.status, outcome.exit_code, world.done) == ("nothing due", 0, [])
    assert outcome.lines == ("Nothing is due.", "Next: September 2026, 2026-11-04 08:30.")


def test_the_calendar_is_refreshed_once_a_day_while_nothing_is_due(world):
    world.through = "2026-08"
    world.call()
    world.now += timedelta(days=3)
    asked = []
    for _ in range(6 * 48):
        world.call()
        asked += world.done
    assert asked == ["calendar"] * 2


def test_tables_that_come_hours_after_the_release_are_fetched_and_the_briefs_made_again(world):
    world.through = "2026-08"
    assert world.call(after=timedelta(hours=1)).status == "done"
    assert world.call().status == "nothing due" and world.done == ["update files"]
    world.fingerprint = "b"
    assert world.call().status == "done"
    assert world.done == ["sweep 2026-08", "catalogue"]
    world.now += timedelta(days=1)
    world.call()
    assert world.done == ["calendar", "update all"]


def test_a_release_that_is_late_for_more_than_a_day_is_a_failure_and_asked_for_once_an_hour(world):
    world.now += timedelta(days=1)
    outcome = world.call()
    assert (outcome.status, outcome.exit_code) == ("overdue", 1)
    assert "awaited since 2026-10-06 08:30 (1 day)" in outcome.summary["text"]
    asked = []
    for _ in range(12):
        assert world.call().exit_code == 1
        asked += world.done
    assert asked == ["calendar", "update files"] * 2


@pytest.mark.parametrize("fails", [[], ["Japan"]])
def test_a_release_whose_day_is_learnt_from_its_file_is_made_once_and_told_once(
    world, fails, monkeypatch, tmp_path
):
    def stored(table):
        told = {"through": world.through, "published": date(2026, 11, 5), "dated_by": "published"}
        return [SimpleNamespace(**told)] if world.through == "2026-09" else []

    monkeypatch.setattr(loaders, "list_vintages", stored)
    world.through, world.now, world.fails = "2026-08", datetime(2026, 11, 4, 8, 31, tzinfo=WASHINGTON), fails
    told = tmp_path / "told"
    hooks = dict.fromkeys(["on_success", "on_failure"], f"sh -c 'cat >> {told}; echo >> {told}'")
    morning = {"since": "2026-09"} | hooks
    assert world.call(**morning).status == "awaited"
    world.comes["through"] = "2026-09"
    status = "failed" if fails else "done"
    assert (world.call(**morning).status, world.done[-2:]) == (status, ["sweep 2026-09", "catalogue"])
    assert release_folder("2026-09", world.reports) == world.reports / "2026-11-05"
    for _ in range(3):
        assert world.call(**morning).exit_code == bool(fails)
        assert "sweep 2026-09" not in world.done
    assert [json.loads(line)["status"] for line in told.read_text().splitlines()] == [status]


@pytest.mark.parametrize(("watched", "names"), [("2023-03-08", 20), ("2024-10-08", 0), ("2025-04-03", 0)])
def test_a_newer_country_table_tells_whom_it_revised_beyond_what_is_usual(tmp_path, watched, names):
    call = run_due._Call(tmp_path, lambda: None, lambda doing: None, {"watched": watched, "revised": []})
    run_due._watch(call)
    found = call.notes["revised"]
    assert len(found) == names, "a table of the same cycle revises no country, one that is known nothing"
    assert call.notes["watched"] == "2025-04-03"
    assert all(one["moved_pct"] > one["bound_pct"] for one in found)
    if names:
        where = {"partner": "3370", "flow": "exports"}  # Chile
        months = [str(month) for month in pd.period_range("2021-02", "2023-01", freq="M")]
        old, new = (raw_sum("goods_census_nsa", day, months, **where) for day in (watched, "2025-04-03"))
        assert found[0] | {"of": 0} == found[0] | {"partner": "Chile", "exports_usd": new - old, "of": 0}
        told = run_due._revisions({"revisions": found})[0]
        assert told.startswith("Revised beyond what is usual, over two years: Chile (exports -$1.0 billion")
        assert told.endswith("more.")


def test_releases_are_swept_oldest_first(world):
    world.through = "2026-08"
    outcome = world.call(since="2026-06")
    assert [call for call in world.done if "sweep" in call] == [f"sweep 2026-{n:02}" for n in (6, 7, 8)]
    assert outcome.summary["releases"] == ["2026-06", "2026-07", "2026-08"] and outcome.summary["made"] == 6


def test_what_failed_stays_a_failure_until_it_is_made_and_is_tried_again_after_an_hour(world):
    world.through, world.fails = "2026-08", ["Japan"]
    outcome = world.call()
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert outcome.summary["failed"] == [{"partner": "Japan", "error": "It rained."}]
    assert outcome.summary["text"] == (
        "FT-900 of 2026-08: 1 made, 0 up to date, 1 failed (Japan: It rained)."
    )
    world.fails = []
    for _ in range(5):
        assert world.call().exit_code == 1
        assert not [call for call in world.done if "sweep" in call]
    assert world.call().status == "done"
    assert world.done[-2:] == ["sweep 2026-08", "catalogue"]


def test_a_release_that_is_not_there_by_its_deadline_is_told_once_with_what_was_tried(
    world, monkeypatch, tmp_path
):
    """No connection at nine on release day: the hook is called at the first call after 09:30, and once."""

    def unreachable(names, *, on):
        return [update.Step(sources.SOURCES[names[0]], False, "The server answered 503.", failed=True)]

    monkeypatch.setattr(update, "plan", unreachable)
    told = tmp_path / "told"
    options = {"deadline": "09:30", "on_failure": f"sh -c 'cat >> {told}; echo >> {told}'"}
    outcomes = [world.call(**options) for _ in range(9)]  # 08:31 to 09:51
    assert [(one.status, one.exit_code) for one in outcomes] == [("awaited", 0)] * 6 + [("overdue", 1)] * 3
    (message,) = map(json.loads, told.read_text().splitlines())
    (asked,) = [one for one in message["fetch"] if one["failed"]]
    assert asked == {
        "source": "country",
        "times": 7,
        "first": "2026-10-06T08:31:00-04:00",
        "last": "2026-10-06T09:31:00-04:00",
        "said": "The server answered 503.",
        "failed": True,
    }
    assert message["text"].splitlines()[0].startswith("2026-08: awaited since 2026-10-06 08:30 (1 hour)")
    assert "country: The server answered 503 (asked 7 times, last at 2026-10-06 09:31)." in message["text"]
    options["on_failure"] = "sh -c 'cat > " + str(tmp_path / "words") + "'"
    state.write(state.folder(world.reports) / NOTES, {}, advice="")
    world.call(**options, hook_input="text")
    assert (tmp_path / "words").read_text().startswith("2026-08: awaited since")


def test_words_to_be_mailed_have_no_line_that_a_mail_server_refuses(tmp_path):
    text = "\n".join([f"FT-900: {'2026-08, ' * 300}", "Second line."])
    assert call_hook(f"sh -c 'cat > {tmp_path / 'words'}'", SUMMARY | {"text": text}, reads="text") is None
    lines = (tmp_path / "words").read_text().splitlines()
    assert max(map(len, lines)) <= 100 and lines[-1] == "Second line."
    assert " ".join(lines[:-1]).split() == text.splitlines()[0].split()


def test_an_overdue_release_is_told_beside_a_failure_that_stays(world, tmp_path):
    world.through, world.fails, told = "2026-08", ["Japan"], tmp_path / "told"
    hook = f"sh -c 'cat >> {told}; echo >> {told}'"
    world.call(on_failure=hook)
    world.now = datetime(2026, 11, 4, 10, 0, tzinfo=WASHINGTON)
    world.call(on_failure=hook, deadline="09:30")
    world.call(on_failure=hook, deadline="09:30")
    messages = [json.loads(line) for line in told.read_text().splitlines()]
    assert [one["releases"] for one in messages] == [["2026-08"], ["2026-08", "2026-09"]]
    assert "Overdue: 2026-09: awaited since 2026-11-04 08:30" in messages[1]["text"]
    assert messages[0]["id"] != messages[1]["id"]


def test_a_scheduler_that_stopped_calling_is_missed(world):
    assert run_due.missed(world.reports, 30) == "tradelib run-due was never called."
    world.call()
    for minutes, said in ((30, ""), (31, "tradelib run-due was last called 31 minutes ago.")):
        assert run_due.missed(world.reports, 30, MORNING + timedelta(minutes=minutes)) == said
    silence = run_due.missed(world.reports, 30, MORNING - timedelta(days=400))
    assert silence == "tradelib run-due was last called 400 days from now: a clock was ahead."


def test_what_is_done_is_logged_with_its_time_and_level_and_no_key(world, tmp_path, monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", "geheimer-schluessel")
    world.through, world.fails = "2026-08", ["Japan"]
    real = due.look
    monkeypatch.setattr(due, "look", lambda **options: real(**options | {"now": world.now}))
    monkeypatch.setattr(update, "refresh_calendar", lambda: ["refused geheimer-schluessel"])
    plain, lines = tmp_path / "plain.log", tmp_path / "json.log"
    for options in (["--log", str(plain)], ["--log", str(lines), "--log-json"]):
        done = CliRunner().invoke(main, ["run-due", "--reports", str(world.reports), *options])
        assert done.exit_code == 1, done.output
    assert re.search(r"^2\d{3}-\d\d-\d\dT[\d:]+[+-]\d{4} ERROR tradelib.runs.run_due: outcome: failed$",
                     plain.read_text(), re.MULTILINE)  # fmt: skip
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {"time", "level", "logger", "message"} == set(told[0])
    assert "geheim" not in plain.read_text() + lines.read_text()
    assert "WARNING tradelib.runs.run_due: refused (CENSUS_API_KEY)" in plain.read_text()


def test_nothing_but_pages_lies_among_the_reports(world):
    """A web server that shows them shows no record, note or lock; what was there before is taken over."""
    world.through = "2026-08"
    old = world.reports / release_folder("2026-08", world.reports).name / sweep.OLD_RECORD
    old.parent.mkdir(parents=True)
    record = {"release": "2026-08", "fingerprint": "before", "failed": [], "finished": MORNING.isoformat()}
    old.write_text(json.dumps(record))
    assert sweep.read_record("2026-08", world.reports)["fingerprint"] == "before"
    world.call()
    assert [path for path in world.reports.rglob("*") if path.is_file()] == []
    assert sorted(path.name for path in state.folder(world.reports).iterdir()) == [
        f"{old.parent.name}.json",
        "run-due.json",
        "run-due.lock",
    ]


# --- what goes wrong ----------------------------------------------------------------------------


def test_a_mistake_in_a_request_is_told_whole_and_is_a_failure(world, monkeypatch):
    def wrong(*_, **__):
        raise TradelibError("There is no list runs.yaml.", "Give --runs a file.")

    monkeypatch.setattr(plan, "plan", wrong)
    world.through = "2026-08"
    outcome = world.call()
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "FT-900 of 2026-08: There is no list runs.yaml.\n  Give --runs a file." in outcome.lines
    assert outcome.summary["failed"][0]["error"] == "There is no list runs.yaml."


def test_a_mistyped_partner_is_told_once_while_the_release_is_still_awaited(world):
    outcomes = [world.call(partners="JPN,Atlantis", on_failure="true") for _ in range(2)]
    assert [outcome.status for outcome in outcomes] == ["failed"] * 2
    assert outcomes[0].summary["failed"][0]["partner"] == "Atlantis" and outcomes[0].summary["failures"] == 1
    assert any(line.startswith("Atlantis: ") for line in outcomes[0].lines)


def test_a_place_that_cannot_be_locked_or_noted_in_is_told_by_each_call(world, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(run_due, "call_hook", lambda hook, summary, **_: told.append(summary["text"]))
    kept = state.folder(world.reports)
    kept.write_text("a file")
    outcome = world.call(on_failure="mail")
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert re.search(r"Cannot lock .*\n  Give a folder of yours", "\n".join(outcome.lines))
    kept.unlink()
    (kept / NOTES).mkdir(parents=True)  # such as a full disk: a lock takes no room, a note does
    world.through = "2026-08"
    assert world.call(on_failure="mail").status == "failed"
    assert {"sweep 2026-08", "catalogue"} <= set(world.calls), "what can be done is done"
    assert world.call(on_failure="mail").exit_code == 1
    assert ["Cannot lock" in told[0], *("Cannot write" in text for text in told[1:])] == [True] * 3


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyError("a bug")])
def test_an_error_that_was_not_foreseen_is_told_too(world, monkeypatch, error):
    def fails(*_):
        raise error

    told = []
    monkeypatch.setattr(run_due, "call_hook", lambda hook, summary, **_: told.append(summary["text"]))
    monkeypatch.setattr(run_due, "_newest_goods", fails)
    outcomes = [world.call(on_failure="mail") for _ in range(2)]
    assert [outcome.status for outcome in outcomes] == ["failed"] * 2
    assert len(told) == 1 and str(error) in told[0]


def test_a_command_is_told_where_there_is_no_room_for_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert call_hook(f"sh -c 'cat > {tmp_path}/said'", SUMMARY, reads="text") is None
    assert (tmp_path / "said").read_text().startswith(SUMMARY["text"][:10])


def test_a_catalogue_that_cannot_be_made_is_a_failure_and_made_at_the_next_call(world, monkeypatch):
    def broken(*_, **__):
        raise TradelibError("my.yaml is no claims file.")

    world.through = "2026-08"
    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "build", broken)
        outcome = world.call(articles=["my.yaml"])
        assert outcome.exit_code == 1 and outcome.summary["made"] == 2
        assert outcome.summary["failed"] == [{"partner": "catalogue", "error": "my.yaml is no claims file."}]
    assert world.call().exit_code == 0 and world.done == ["catalogue"]


@pytest.mark.parametrize("killed_in", ["sweep", "build"])
def test_a_call_that_was_killed_is_ended_by_the_next(world, monkeypatch, tmp_path, killed_in):
    """Killed after the last brief, before the catalogue; or in the middle of the catalogue."""
    world.through, told = "2026-08", tmp_path / "told"
    hook = f"sh -c 'cat >> {told}; echo >> {told}'"

    def killed(*args, **options):
        if killed_in == "sweep":
            world.sweep(*args, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(*((sweep, "run") if killed_in == "sweep" else (catalogue, "build")), killed)
        world.call(on_success=hook)
    assert not told.exists()
    outcome = world.call(on_success=hook)
    assert (outcome.status, world.done) == ("done", ["catalogue"]), "not swept again"
    world.call(on_success=hook)
    messages = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(one["status"], one["releases"], one["made"]) for one in messages] == [("done", ["2026-08"], 2)]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"all": "yesterday"}', '{"all": "2026-10-06T08:00:00"}'])
def test_damaged_notes_are_as_good_as_none(world, damage):
    world.through = "2026-08"
    notes = state.folder(world.reports) / NOTES
    notes.parent.mkdir()
    notes.write_text(damage)
    assert world.call().status == "done"
    assert json.loads(notes.read_text())["to_tell"] == []


def test_a_clock_that_went_back_does_not_stop_the_calls(world):
    world.now += timedelta(days=400)
    world.call()
    world.now = MORNING
    assert world.call().status == "awaited" and world.done == ["calendar", "update files"]


# --- the lock -----------------------------------------------------------------------------------

HOLD = """
import sys, time
from tradelib.runs.state import hold
with hold(sys.argv[1]) as say:
    say("sweeping 2026-10, 232 briefs")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "reports")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_call_says_who_is_running_since_when_and_at_what_and_does_nothing(world, holder):
    outcome = world.call()
    assert (outcome.status, outcome.exit_code, world.calls) == ("running", 0, [])
    assert re.fullmatch(
        r"tradelib run-due is running: since \d\d:\d\d in Washington, "
        rf"pid {holder.pid} of \S+ on host \S+: sweeping 2026-10, 232 briefs",
        *outcome.lines,
    )


@pytest.mark.parametrize("error", [KeyError, OSError, ModuleNotFoundError("No module named 'pwd'")])
def test_a_user_without_a_name_can_call(world, monkeypatch, error):
    monkeypatch.setattr(state.getpass, "getuser", Mock(side_effect=error))
    assert world.call().status == "awaited" and state._me()["user"] == "nobody known"


def test_a_killed_holder_leaves_no_lock_and_what_it_said_is_not_believed(world, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    note = state.folder(world.reports) / "run-due.holder"
    assert note.exists(), "it had no time to clear up"
    assert world.call().status == "awaited" and not note.exists()


def test_the_words_of_a_process_that_has_gone_are_not_told_for_those_of_the_holder(world, holder):
    note = state.folder(world.reports) / "run-due.holder"
    gone = subprocess.Popen(["true"])
    gone.wait()
    note.write_text(json.dumps(json.loads(note.read_text()) | {"pid": gone.pid}))
    for text in (note.read_text(), "{", "{}", "[]"):
        note.write_text(text)
        assert world.call().lines == ("tradelib run-due is running: it has just begun.",)


ELSEWHERE_HELD = {
    "pid": 1,
    "host": "another",
    "user": "she",
    "since": MORNING.isoformat(),
    "doing": "sweeping",
}


def test_what_is_kept_lies_beside_the_reports_and_once_where_they_have_two_names(tmp_path, monkeypatch):
    (tmp_path / "data" / "reports").mkdir(parents=True)
    (tmp_path / "reports").symlink_to(tmp_path / "data" / "reports")
    assert state.folder(tmp_path / "reports") == tmp_path / "data" / "reports.state"
    monkeypatch.chdir(tmp_path / "data" / "reports")
    for name in (".", "..", "../reports/."):
        assert state.folder(name).parent in (tmp_path, tmp_path / "data", Path(".."))
    assert state.folder("reports") == state.folder("reports/") == Path("reports.state")
    assert str(state.folder("s3://bucket/reports")) == "s3://bucket/reports.state"
    assert str(state.folder("s3://bucket")) == "s3://bucket/.state"


@pytest.fixture
def address(world, tmp_path):
    world.reports = storage.located(f"memory://{tmp_path.name}/reports")
    return state.folder(world.reports)


def test_reports_at_an_address_keep_notes_and_lease_there(world, address):
    assert [world.call().status for _ in range(2)] == ["awaited"] * 2
    assert "calendar" in json.loads((address / NOTES).read_bytes())
    assert [path.name for path in address.iterdir() if "lease" in path.name] == [
        "run-due.lease-000000002.json"
    ]


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({"for": 100}, "running"),
        ({"for": -20}, "running"),  # the clocks of two machines may differ
        ({"for": -100}, "awaited"),
        ({"until": 0}, "awaited"),  # given back
        ({"for": 100, "machine": storage.machine(), "pid": 2**22 + 1}, "awaited"),
        ({"for": 100, "machine": f"{platform.node()} pid:[1]", "pid": 2**22 + 1}, "running"),  # a container
        ({"until": "soon"}, "awaited"),
        ({"for": 1e9}, "awaited"),  # of one whose clock was ahead
    ],
)
def test_the_lease_of_another_machine_holds_until_it_has_run_out(world, address, held, status):
    until = {"until": time.time() + held["for"]} if "for" in held else {}
    state.write(state._lease(address, 7), ELSEWHERE_HELD | held | until, advice="")
    outcome = world.call()
    assert outcome.status == status
    if status == "running":
        assert "of she on host another: sweeping" in outcome.lines[0]


def test_of_two_who_take_over_at_once_one_does(world, address, monkeypatch):
    state.write(state._lease(address, 7), ELSEWHERE_HELD | {"until": 0}, advice="")
    with state.hold(world.reports):
        with pytest.raises(state.Busy), state.hold(world.reports):
            pass
        monkeypatch.setattr(state, "_numbers", lambda place: [7])
        with pytest.raises(state.Busy, match="just begun"), state.hold(world.reports):  # it saw 7 alone
            pass


def test_who_lost_the_lease_while_standing_still_stops_and_tells_nobody(world, address, monkeypatch):
    monkeypatch.setattr(state, "LEASE_S", 0.1)
    world.through = "2026-08"
    real = world.sweep

    def overtaken(plan, *, each, **options):
        state.write(state._lease(address, 2), ELSEWHERE_HELD | {"until": time.time() + 100}, advice="")
        time.sleep(0.3)
        each(1, 2)
        return real(plan, **options)

    monkeypatch.setattr(sweep, "run", overtaken)
    outcome = world.call(on_failure="false", on_success="false")
    assert (outcome.status, outcome.exit_code) == ("running", 0)
    assert outcome.lines[0].startswith("Another call has taken over: since")
    assert "sweep 2026-08" not in world.calls


# --- hooks --------------------------------------------------------------------------------------

SUMMARY = {"status": "failed", "releases": ["2026-10", "2026-11"], "text": "It rained in São Paulo."}


def test_ten_calls_in_a_row_send_one_message_for_each_thing_that_happens(world, tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    options = {
        f"on_{name}": f"sh -c 'cat >> {path}; echo >> {path}'"
        for name, path in [("success", good), ("failure", bad)]
    }
    world.through, world.fails = "2026-08", ["Japan", "Mexico"]
    for _ in range(10):  # failed twice, an hour apart
        world.call(**options)
    world.fails = ["Mexico"]
    for _ in range(10):
        world.call(**options)
    world.fails = []
    for _ in range(10):
        world.call(**options)
    failures = [json.loads(line) for line in bad.read_text().splitlines()]
    assert [[one["partner"] for one in told["failed"]] for told in failures] == [
        ["Japan", "Mexico"],
        ["Mexico"],
    ]
    assert [json.loads(line)["status"] for line in good.read_text().splitlines()] == ["done"]
    world.now = datetime(2026, 11, 5, 9, 0, tzinfo=WASHINGTON)  # the next release is late
    for _ in range(10):
        world.call(**options)
    assert [json.loads(line)["status"] for line in bad.read_text().splitlines()[2:]] == ["overdue"]


def test_a_message_that_did_not_arrive_is_sent_again_by_the_next_call(world, httpserver):
    world.through = "2026-08"
    httpserver.expect_ordered_request("/chat").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/chat").respond_with_data("ok")
    hook = httpserver.url_for("/chat?token=geheim")
    outcome = world.call(on_success=hook)
    assert outcome.lines[-1] == f"Not told: the hook http://{httpserver.host} answered 503."
    assert world.call(on_success=hook).status == "done"
    assert "sweep 2026-08" not in world.calls
    assert world.call(on_success=hook).status == "nothing due"
    assert len(httpserver.log) == 2


def test_an_address_gets_the_summary_as_json_and_its_token_is_never_told(httpserver, caplog):
    caplog.set_level("DEBUG")
    got = []
    httpserver.expect_request("/chat/geheim", method="POST").respond_with_handler(
        lambda request: got.append(request.get_json()) or Response("", 200 if len(got) == 1 else 404)
    )
    address = httpserver.url_for("/chat/geheim")
    assert call_hook(address, SUMMARY) is None
    assert got == [SUMMARY]
    told = call_hook(address, SUMMARY)
    assert told == f"the hook http://{httpserver.host} answered 404"
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]  # plays the chat
    assert not [line for line in ours if "geheim" in line]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/geheim",
        "https://user:geheim@127.0.0.1:9/",
        "http://[/geheim",
        "http://x\x00/geheim",
    ],
)
def test_an_address_that_does_not_answer_is_told_without_its_token(address):
    told = call_hook(address, SUMMARY)
    assert told and "geheim" not in told


def test_an_address_that_hangs_is_given_up(httpserver, monkeypatch):
    monkeypatch.setattr(hooks, "ADDRESS_S", 0.2)
    httpserver.expect_request("/slow").respond_with_handler(lambda request: time.sleep(1) or Response(""))
    assert "did not answer (" in call_hook(httpserver.url_for("/slow"), SUMMARY)


@pytest.mark.parametrize("sends", [b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\nX: "])
def test_an_address_that_answers_byte_by_byte_is_given_up(sends, monkeypatch):
    """The case `hook_drip`: no single wait is long, and there is no end."""
    monkeypatch.setattr(hooks, "ADDRESS_S", 0.5)
    with played(sends, drips=True) as address:
        assert call_hook(address, SUMMARY) == "the hook http://127.0.0.1 did not answer (TimeoutError)"


@pytest.mark.parametrize(("status", "told"), [("200 OK", None), ("500 No", "answered 500")])
def test_the_body_of_an_answer_is_not_read(status, told):
    """The case `hook_big`."""
    with played(f"HTTP/1.1 {status}\r\nContent-Length: 3000000000\r\n\r\n".encode(), drips=True) as address:
        said = call_hook(address, SUMMARY)
    assert (said is None) if told is None else said.endswith(told)


@contextmanager
def played(sends: bytes, drips: bool):
    """A server that sends bytes, then one byte after the other until nobody listens."""

    def answer():
        with suppress(OSError):
            line, _ = server.accept()
            with line:
                line.recv(65_536)
                line.sendall(sends)
                while drips:
                    time.sleep(0.05)
                    line.sendall(b"1")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"


def test_a_command_gets_the_summary_and_the_status_but_no_key(tmp_path, monkeypatch):
    for name in ("CENSUS_API_KEY", "BEA_API_KEY"):
        monkeypatch.setenv(name, f"value-of-{name}")
    place = tmp_path / "with space"
    place.mkdir()
    hook = f'sh -c \'cat > "{place}/json"; env > "{place}/env"\''
    assert call_hook(hook, SUMMARY | {"error": "refused value-of-BEA_API_KEY"}) is None
    told = json.loads((place / "json").read_text())
    assert told == SUMMARY | {"error": "refused (BEA_API_KEY)"}
    env = (place / "env").read_text()
    assert "TRADELIB_STATUS=failed\n" in env and "TRADELIB_RELEASE=2026-10 2026-11\n" in env
    assert "value-of" not in env and "PATH=" in env


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        ("sh -c 'exit 3' geheim", "the hook sh ended with code 3"),
        ("/no/such/program geheim", "the hook program cannot be started: No such file or directory"),
        ("echo 'geheim", "the hook is no command: it is empty, or a quotation mark is missing"),
        ("  ", "the hook is no command: it is empty, or a quotation mark is missing"),
        ("sh -c 'kill -9 $$'", "the hook sh ended with code -9"),
    ],
)
def test_a_command_that_fails_is_told_without_its_arguments(hook, told):
    assert call_hook(hook, SUMMARY) == told


def test_a_path_of_windows_keeps_its_backslashes():
    for path in (r"C:\tools\mail.exe", r'"C:\Program Files\mail.exe"'):
        assert hooks.split(f"{path} -s x", windows=True) == (f"{path} -s x", "mail.exe")
    assert hooks.split("/usr/bin/mail -s 'a b'", windows=False)[0] == ["/usr/bin/mail", "-s", "a b"]


def test_a_command_that_hangs_is_ended_with_what_it_started(monkeypatch, tmp_path):
    monkeypatch.setattr(hooks, "COMMAND_S", 0.5)
    began = time.monotonic()
    told = call_hook(f"sh -c 'sleep 60 & echo $! > {tmp_path}/pid; wait'", SUMMARY)
    assert told == "the hook sh took longer than 0.5 seconds and was ended"
    assert time.monotonic() - began < 10
    child = int((tmp_path / "pid").read_text())
    while not storage.has_gone(child) and time.monotonic() - began < 10:
        time.sleep(0.01)  # it was told to end, and is about to
    assert storage.has_gone(child)


def test_a_command_that_ends_well_is_no_problem():
    assert call_hook("true", SUMMARY) is None
    assert call_hook("false", SUMMARY) == "the hook false ended with code 1"


def test_a_command_may_leave_the_summary_unread_however_long_it_is():
    assert call_hook("true", SUMMARY | {"text": "x" * 10_000_000}) is None


# --- the true sweep -----------------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path) -> Path:
    """A standing list: a small notebook for two partners."""
    book = book_of(tmp_path, LAST_CELL)
    path = tmp_path / "runs.yaml"
    path.write_text(f"runs:\n  - notebook: {book}\n    partners: [KOR, MEX]\n")
    return path


def test_a_release_morning_from_the_file_at_the_publisher_to_the_message(mirror, tmp_path, monkeypatch):
    """The country table of September 2026 appears between two calls; other publishers answer nothing.

    The calendar has only a slot for that release: its day is learnt from the file, and all that is made of it
    lies under that day. One brief fails at first.
    """
    monkeypatch.setattr(ingest, "hold_against", lambda *_: None)  # months made up do not go on as true ones
    files, reports, told = Files(mirror), tmp_path / "reports", []
    for name in ("good", "bad"):
        mirror.expect_request(f"/{name}").respond_with_handler(
            lambda request, name=name: told.append((name, request.get_json())) or Response("")
        )
    gate = tmp_path / "gate"
    fails = f"import pathlib\nassert partner != '2010' or pathlib.Path({str(gate)!r}).exists(), 'It rained.'"
    runs = tmp_path / "runs.yaml"
    runs.write_text(f"runs:\n  - notebook: {book_of(tmp_path, fails, LAST_CELL)}\n    partners: [KOR, MEX]\n")
    now = datetime(2026, 11, 4, 8, 31, tzinfo=WASHINGTON)

    def call(minutes: int) -> Outcome:
        hooks = {"on_success": mirror.url_for("/good"), "on_failure": mirror.url_for("/bad")}
        return run_due.run_due(
            reports=reports, runs=runs, workers=1, now=now + timedelta(minutes=minutes), **hooks
        )

    assert calendar.release("2026-09").published is None, "only a slot is known"
    first = call(0)
    assert (first.status, first.exit_code, told) == ("awaited", 0, [])
    frame = load("goods_census_nsa", as_of="2025-04-03", since="2023-01")
    last = frame[frame["period"] == "2025-02"]
    later = [last.assign(period=last["period"] + n, value_usd=last["value_usd"] * n) for n in range(1, 20)]
    sheet = write_xlsx(
        tmp_path / "country.xlsx", {"country": grid_rows(country_sheet(pd.concat([frame, *later])))}
    )
    files.put(COUNTRY, sheet.read_bytes(), "Wed, 04 Nov 2026 13:32:00 GMT")

    failed = [call(10), call(20)]
    assert [(one.status, one.exit_code) for one in failed] == [("failed", 1)] * 2, failed[0].lines
    assert sorted(path.name for path in (reports / "2026-11-04").iterdir()) == [
        "korea-south.facts.json",
        "korea-south.html",
        "korea-south.ipynb",
        "mexico.failed.ipynb",
    ]
    assert not (reports / "2026-09").exists()
    assert [(name, one["status"], one["releases"], one["failures"]) for name, one in told] == [
        ("bad", "failed", ["2026-09"], 1)
    ]

    gate.touch()
    finished = sweep.read_record("2026-09", reports)["finished"]
    minutes = int((datetime.fromisoformat(finished) - now).total_seconds() // 60) + 61
    done = call(minutes)
    assert (done.status, done.exit_code) == ("done", 0), "\n".join(done.lines)
    pages = sorted(path.name for path in (reports / "2026-11-04").glob("*.html"))
    assert pages == ["korea-south.html", "mexico.html"]
    assert "2026-11-04/mexico.html" in (reports / "index.html").read_text()
    assert call(minutes + 10).status == "nothing due"
    assert [(name, one["status"], one["made"]) for name, one in told[1:]] == [("good", "done", 1)]


def test_without_a_connection_what_is_there_is_swept_all_the_same(tmp_path, runs, monkeypatch):
    monkeypatch.setenv("TRADELIB_MIRROR", "http://127.0.0.1:9")
    now = datetime(2025, 4, 3, 8, 31, tzinfo=WASHINGTON)
    outcome = run_due.run_due(reports=tmp_path / "reports", runs=runs, workers=1, now=now)
    assert (outcome.status, outcome.exit_code, outcome.summary["made"]) == ("done", 0, 2)
    assert any(line.startswith("The release calendar is as bundled") for line in outcome.lines)


def test_a_call_killed_in_the_middle_of_its_sweep_is_gone_on_with(tmp_path, monkeypatch):
    """SIGKILL while the second brief is being made: the next call makes it, and tells both, once."""
    reports, told, gate = tmp_path / "reports", tmp_path / "told", tmp_path / "gate"
    wait = f"""
import pathlib, time
while partner == "2010" and not pathlib.Path({str(gate)!r}).exists():
    time.sleep(0.1)
"""
    book = book_of(tmp_path, wait, LAST_CELL)
    runs = tmp_path / "runs.yaml"
    runs.write_text(f"runs:\n  - notebook: {book}\n    partners: [KOR, MEX]\n")
    monkeypatch.setenv("TRADELIB_MIRROR", "http://127.0.0.1:9")
    hook, now = f"sh -c 'cat >> {told}; echo >> {told}'", "2025-04-03T08:31:00-04:00"
    script = f"""
from datetime import datetime
from pathlib import Path
from tradelib.runs.run_due import run_due
run_due(reports={str(reports)!r}, runs=Path({str(runs)!r}), workers=1, on_success={hook!r},
    now=datetime.fromisoformat({now!r}))
"""
    first = subprocess.Popen([sys.executable, "-c", LEAN + script], start_new_session=True)
    until = time.monotonic() + 300
    while not list(reports.glob("*/korea-south*.ipynb")) and time.monotonic() < until:
        time.sleep(0.1)
    first.kill()
    first.wait()
    gate.touch()
    again = {"reports": str(reports), "runs": runs, "workers": 1, "on_success": hook}
    assert run_due.run_due(**again, now=datetime.fromisoformat(now)).status == "done"
    record = sweep.read_record("2025-02", reports)
    assert (record["made"], record["skipped"], record["failed"]) == (1, 1, [])
    assert [json.loads(line)["releases"] for line in told.read_text().splitlines()] == [["2025-02"]]
