"""The command line: what it prints, and that a mistake is a message and not a traceback."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import LAST_CELL, LEAN_COMMAND, book_of

from tradelib.cli.main import SECTIONS, main


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def refused(*words):
    result = run(*words)
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert len(result.output.splitlines()) < 24, "one screen"
    return result.output


def test_facts_print_one_json_object():
    result = run(
        "facts", "--partner", "KOR", "--release", "2018-07", "--as-of", "2018-10-05", "--format", "json"
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.output)
    assert document["partner"] == {"code": "5800", "iso2": "KR", "iso3": "KOR", "name": "Korea, South"}
    dates = ("2018-07", "2018-09-05", "2018-10-05")
    assert (document["release"], document["published"], document["as_of"]) == dates
    exports = document["facts"]["goods.exports.ytd"]
    assert exports["value"] == 31752055221.0
    assert exports["unit"] == "USD"
    assert exports["window"] == "2018-01..2018-07"
    assert exports["table"] == "goods_census_nsa"
    assert (exports["vintage"], exports["vintage_lag_days"]) == ("2018-10-05", 0)


def test_as_of_defaults_to_the_publication_date_and_lags_are_told():
    document = json.loads(run("facts", "--partner", "KOR", "--release", "2018-07", "--format", "json").output)
    assert document["as_of"] == "2018-09-05"
    assert document["facts"]["goods.exports.ytd"]["vintage_lag_days"] == 30


def test_latest_means_the_newest_vintage_there_is():
    words = ["facts", "--partner", "KOR", "--release", "2018-07", "--as-of", "latest", "--format", "json"]
    document = json.loads(run(*words).output)
    assert document["as_of"] == "2026-11-24"
    assert document["facts"]["goods.exports.ytd"]["vintage"] == "2025-04-03"
    assert round(document["facts"]["goods.exports.ytd.change_pct"]["value"], 1) == 11.2


def test_facts_as_a_table_fit_the_eye():
    output = run("facts", "--partner", "KOR", "--release", "2018-07").output
    assert "goods.deficit.rank " in output
    assert "13th" in output


@pytest.mark.parametrize(
    "words, expected",
    [
        (["partners"], "Korea, South"),
        (["partners", "korea"], "5790"),
        (["vintages"], "2012-02-10"),
        (["vintages", "trade_bop_sa"], "2024Q4"),
        (["releases"], "seen: FRASER archive and BEA"),
    ],
)
def test_lists_are_readable_tables(words, expected):
    result = run(*words)
    assert result.exit_code == 0
    assert expected in result.output


def test_an_unknown_partner_gets_the_near_matches():
    output = refused("facts", "--partner", "Vietnm", "--release", "2018-07")
    assert "Vietnam" in output


def test_korea_alone_is_ambiguous():
    output = refused("facts", "--partner", "KOREA", "--release", "2018-07")
    assert "5800" in output
    assert "5790" in output


@pytest.mark.parametrize("command", ["facts", "report"])
@pytest.mark.parametrize(
    "words, expected",
    [
        (["--release", "2018-13"], "'2018-13' is not a month"),
        (["--release", "July"], "YYYY-MM"),
        (["--release", "2031-01"], "The months there are: 1985-01 to 2025-02"),
        (["--release", "2018-07", "--as-of", "1990-01-01"], "before the release itself"),
        (["--release", "2018-07", "--as-of", "yesterday"], "not a date"),
        (
            ["--release", "2018-07", "--strict"],
            "goods_census_nsa: the earliest is of 2018-10-05, 30 days later",
        ),
    ],
)
def test_a_wrong_release_or_date_is_refused_before_anything_is_made(
    command, words, expected, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert expected in refused(command, "--partner", "KOR", *words)
    assert list(tmp_path.iterdir()) == []


def test_strict_passes_when_all_tables_were_out():
    result = run("facts", "--partner", "KOR", "--release", "2018-07", "--as-of", "2025-04-03", "--strict")
    assert result.exit_code == 0, result.output


def test_an_unknown_table_is_answered_with_the_tables_there_are():
    assert "trade_bop_sa" in refused("vintages", "no_such_table")


def test_ingest_keeps_a_vintage_in_the_users_store_and_facts_use_it(originals, store):
    file = originals / "census" / "country_2018-10-05.xlsx"
    again = run("ingest", file, "--table", "goods_census_nsa", "--published", "2018-10-05")
    assert "there already (bundled)" in again.output
    moved = run("ingest", file, "--published", "2018-10-06", "--note", "test")
    assert moved.exit_code == 0, moved.output
    assert (store / "table=goods_census_nsa" / "published=2018-10-06" / "flows.parquet").exists()
    words = ["facts", "--partner", "KOR", "--release", "2018-07", "--as-of", "2018-10-07", "--format", "json"]
    assert json.loads(run(*words).output)["facts"]["goods.exports.ytd"]["vintage"] == "2018-10-06"


def test_a_mistake_ends_a_real_process_with_a_message_and_exit_code_1():
    command = [sys.executable, "-m", "tradelib", "facts", "--partner", "KOREA", "--release", "2018-07"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


# --- release morning ----------------------------------------------------------------------------


def test_due_says_what_is_awaited_and_what_comes_next(tmp_path):
    options = ["due", "--since", "2026-08", "--reports", tmp_path, "--heartbeat", "30"]
    result = run(*options)
    assert result.output.startswith("2026-08, overdue: awaited since 2026-10-06 08:30")
    assert (result.output.splitlines()[-1], result.exit_code) == ("tradelib run-due was never called.", 1)
    document = json.loads(run(*options, "--format", "json").output)
    assert document["due"][0]["state"] == "awaited" and document["silence"]
    assert "is not a month" in refused("due", "--since", "lately", "--reports", tmp_path)


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("running", 0), ("failed", 1), ("overdue", 1)])
def test_run_due_passes_its_options_on_and_ends_with_the_code_of_the_outcome(status, code, monkeypatch):
    from tradelib.runs import run_due

    asked = {}
    outcome = run_due.Outcome(status, ("So it is.",), {"made": 2})
    monkeypatch.setattr(run_due, "run_due", lambda **options: asked.update(options) or outcome)
    monkeypatch.setenv("TRADELIB_ON_FAILURE", "false")
    result = run("run-due", "--partners", "KOR", "--since", "2026-08", "--workers", 2, "--reports", "here")
    assert (result.exit_code, result.output) == (code, "So it is.\n")
    expected = {"partners": "KOR", "since": "2026-08", "workers": 2, "reports": "here", "on_failure": "false"}
    assert {name: asked[name] for name in expected} == expected
    assert json.loads(run("run-due", "--format", "json").output)["made"] == 2


def test_site_builds_a_page_and_says_where_there_is_nothing_to_list(tmp_path):
    (tmp_path / "2018-09-05").mkdir()
    (tmp_path / "2018-09-05" / "korea-south.failed.ipynb").touch()
    assert run("site", "--reports", tmp_path).output == f"1 row(s), 1 release(s): {tmp_path / 'index.html'}\n"
    assert "There is no folder" in refused("site", "--reports", tmp_path / "nowhere")


@pytest.mark.parametrize(
    "place", ["s3://x", "s3://", "zip://x", "ftp://127.0.0.1/x", "gopher://x", "a" * 300]
)
def test_site_at_an_address_that_cannot_be_read_says_so(place, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "Error: " in refused("site", "--reports", place)


def test_ingest_writes_into_a_bucket(s3_bucket, tmp_path, monkeypatch):
    """The case `cli_store_s3`."""
    system, bucket = s3_bucket
    monkeypatch.chdir(tmp_path)
    rows = [["CTY_CODE", "ALL_VAL_MO", "time"], ["5800", "4683482573", "2018-07"]]
    more = [["CTY_CODE", "GEN_VAL_MO", "time"], ["5800", "6288948014", "2018-07"]]
    for name, table in {"e.json": rows, "i.json": more}.items():
        (tmp_path / name).write_text(json.dumps(table))
    words = ("ingest", "e.json", "i.json", "--published", "2018-09-06", "--store", f"s3://{bucket}/trade")
    result = run(*words)
    assert (result.exit_code, "2 rows: s3://" in result.output) == (0, True), result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.json", "i.json"], "nothing of it lies here"
    (found,) = system.find(f"{bucket}/trade")
    assert found.endswith("table=goods_census_nsa_api/published=2018-09-06/flows.parquet")


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no folder that a program is in")
def test_a_folder_that_has_gone_is_told(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    order = 'rmdir "$PWD" && exec "$@"'
    words = [sys.executable, "-m", "tradelib", "due", "--partners", "KOR", "--reports", "."]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        ["sh", "-c", order, "sh", *words], cwd=gone, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX closes the streams")
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "2>&-"])
def test_a_service_without_streams_makes_pages_and_calls_its_hooks(closed, tmp_path):
    book = book_of(tmp_path, "1 + 1", LAST_CELL)
    (tmp_path / "runs.yaml").write_text(f"runs: [{{notebook: {book}, partners: KOR}}]", encoding="utf-8")
    words = ["--runs", "runs.yaml", "--since", "2025-02", "--on-success", "sh -c 'cat > told'"]
    order = [sys.executable, "-c", LEAN_COMMAND, "run-due", *words]
    env = os.environ | {"TRADELIB_MIRROR": "http://127.0.0.1:9", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *order], cwd=tmp_path, env=env, check=False)
    assert done.returncode == 0 and json.loads((tmp_path / "told").read_text())["made"] == 1
    assert list(tmp_path.glob("reports/2025-04-03/korea-south.html"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_log_that_cannot_be_written_is_told_once_and_stops_nothing(monkeypatch):
    from tradelib.runs import run_due

    outcome = run_due.Outcome("done", ("all done",))
    monkeypatch.setattr(run_due, "run_due", lambda **_: [run_due.LOG.info(n) for n in range(3)] and outcome)
    result = run("run-due", "--log", "/dev/full")
    assert (result.exit_code, result.stdout) == (0, "all done\n")
    assert result.stderr.count("No space left") == 1 and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "words", [["partners", "Ivoire"], ["facts", "--partner", "CIV", "--release", "2018-07"]]
)
def test_a_terminal_that_knows_only_ascii_is_no_reason_to_stop(words):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "tradelib", *words]
    done = subprocess.run(command, env=os.environ | ascii_only, capture_output=True)
    assert (done.returncode, b"Ivoire" in done.stdout) == (0, True), done.stderr


def test_example_lists_what_there_is_and_prints_one():
    assert run("example").output.split() == ["cron", "systemd", "github", "airflow"]
    assert "run-due" in run("example", "cron").output
    assert "There is no example 'launchd'" in refused("example", "launchd")


# --- help and hints -----------------------------------------------------------------------------


def test_the_help_shows_every_command_once_by_what_one_wants_to_do():
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(main.commands)
    assert 4 <= len(SECTIONS) <= 5
    text = run("--help").output
    places = [text.index(f"\n{title}:\n") for title in SECTIONS]
    assert places == sorted(places)
    for title, names in SECTIONS.items():
        section = text[text.index(f"\n{title}:\n") :].split("\n\n")[0]
        assert re.findall(r"^  (\S+)", section, re.MULTILINE) == list(names)


def test_a_hint_names_the_program_as_it_can_be_called_from_here(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("python", "tradelib"):
        (tmp_path / "bin" / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", "/nowhere")
    wrong = ("facts", "--partner", "KOR", "--release", "2018-13")
    assert f"See the known ones with `{tmp_path}/bin/tradelib releases`." in refused(*wrong)
    monkeypatch.chdir(tmp_path)
    assert "See the known ones with `bin/tradelib releases`." in refused(*wrong)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert "See the known ones with `tradelib releases`." in refused(*wrong)
