"""`tradelib update` and `tradelib fetch`, against all publishers at once: new, unchanged, changed, broken."""

import logging
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from bea_server import KEY as BEA_KEY
from census_server import KEY as CENSUS_KEY
from click.testing import CliRunner
from helpers import country_sheet, grid_rows
from publishers import COUNTRY, CURRENT, DAY, MONTH, PAGE, SCHEDULE, Publishers, goods

from tradelib import list_vintages, load
from tradelib import releases as calendar
from tradelib.cli.main import main
from tradelib.sources import ingest
from tradelib.sources.continuity import hold_against
from tradelib.sources.publishers import SOURCES
from tradelib.store import vintages
from tradelib.store.verify import verify
from tradelib.tables import DISTRICTS, TABLES

#: It comes with tradelib only.
NOT_FETCHED = {"imports_consumption_hs6_annual"}


@pytest.fixture
def archive(originals) -> bytes:
    return (originals / "ft900" / "ft900xlsx_2108.zip").read_bytes()


@pytest.fixture
def publishers(mirror, tmp_path, archive, monkeypatch) -> Publishers:
    monkeypatch.setattr(calendar, "today", lambda: DAY)
    monkeypatch.setattr(ingest, "hold_against", lambda *_: None)  # small files, which begin in 2019
    return Publishers(mirror, tmp_path, archive)


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def fetched() -> dict[str, vintages.Vintage]:
    return {v.table: v for v in list_vintages() if v.origin == "store"}


# --- a release morning --------------------------------------------------------------------------


def test_from_an_empty_store_all_tables_are_filled_and_a_second_run_transfers_nothing(
    publishers, monkeypatch, store
):
    publishers.keys(monkeypatch)
    publishers.put_bulk()
    every = [name for name in SOURCES if name != "bea-national"]  # which is not played
    told = run("update", *every, "--since", "2020-11")
    found = fetched()
    bundled = {v.table for v in list_vintages() if v.origin == "bundled" and v.published == DAY}
    assert set(found) | bundled == {table for name in every for table in SOURCES[name].tables}, told
    assert str(found["goods_census_nsa"].published) == "2021-10-05"
    assert found["goods_census_nsa"].dated_by == "published"
    assert load("goods_census_nsa", as_of=DAY, through=MONTH)["value_usd"].sum() == goods()["value_usd"].sum()
    assert len(found["exports_hs10_nsa"].parts) == 2
    assert not [finding for finding in verify(store) if finding.problem]
    before, listed = publishers.sent, list_vintages()
    told = run("update", *every, "--since", "2020-11")
    assert publishers.sent == before, "a second run transfers nothing"
    assert "0 new vintage(s), 0.0 MB transferred" in told
    assert list_vintages() == listed


def test_a_dry_run_says_what_is_new_and_fetches_nothing(publishers, monkeypatch, store):
    publishers.keys(monkeypatch)
    told = run("update", "--dry-run")
    assert publishers.sent == 0 and not store.exists()
    assert "country is new, changed 2021-10-05" in told and "queries through 2021-08" in told
    assert "hs10" not in told
    run("update", "country")
    assert "unchanged at the publisher's" in run("update", "country", "--dry-run")


def test_a_large_table_is_held_against_the_one_before_and_kept_only_with_a_reason(
    publishers, monkeypatch, store
):
    publishers.keys(monkeypatch)
    asked = ("fetch", "exports_hs10_nsa", "--since", "2021-07")
    run(*asked)
    right = vintages.read(fetched()["exports_hs10_nsa"])
    shutil.rmtree(store)
    july = right[right["period"] == "2021-07"]
    before = july.assign(value_usd=july["value_usd"] + 1e9)
    vintages.save(before, "exports_hs10_nsa", published=date(2021, 9, 2), sources=[], parser="census_api.1")
    monkeypatch.setattr(ingest, "hold_against", hold_against)
    told = run(*asked, code=1)
    assert "exports_hs10_nsa of 2021-10-05 cannot be believed beside the vintage of 2021-09-02" in told
    assert fetched()["exports_hs10_nsa"].published == date(2021, 9, 2)
    run(*asked, "--accept", "Census wrote to us")
    kept = fetched()["exports_hs10_nsa"]
    assert kept.published == date(2021, 10, 5) and kept.accepted.startswith(
        "Census wrote to us (exports_hs10"
    )
    assert vintages.read(kept).equals(right)


def test_without_keys_the_files_come_and_the_apis_are_left_out(publishers):
    told = run("update")
    assert "CENSUS_API_KEY is not set" in told and "BEA_API_KEY is not set" in told
    assert {"goods_census_nsa", "goods_census_sa", "trade_bop_sa"} <= set(fetched())
    assert not publishers.census.requests and not publishers.bea.requests


def test_one_source_that_fails_stops_no_other_and_the_exit_code_tells(publishers):
    publishers.files.put(COUNTRY, b"<html><title>Down for maintenance</title></html>")
    told = run("update", "country", "ctyseasonal", code=1)
    assert "country failed" in told and "Down for maintenance" in told
    assert "goods_census_sa" in fetched() and "goods_census_nsa" not in fetched()


def test_the_calendar_is_refreshed_from_the_schedule_page(publishers):
    assert calendar.release("2026-11").scheduled is None
    page = PAGE.replace(b"November 4", b"January 7").replace(b"September 2021", b"November 2026")
    publishers.files.put(SCHEDULE, page)
    run("update", "ctyseasonal")
    assert calendar.release("2026-11").scheduled == date(2027, 1, 7)
    publishers.files.put(SCHEDULE, b"<html><body>Nothing here</body></html>")
    assert "The release calendar is as bundled" in run("update", "ctyseasonal")


# --- what changed -------------------------------------------------------------------------------


def changed_country(publishers, partner="5800", by=1e6, month="2021-07") -> pd.DataFrame:
    """The publisher corrects one figure, and the World row with it."""
    frame = goods()
    row = (frame["flow"] == "exports") & (frame["period"] == pd.Period(month, "M"))
    frame["value_usd"] += by * (row & frame["partner"].isin([partner, "0015"]))
    return publishers.workbook("changed", grid_rows(country_sheet(frame)))


def test_a_file_that_changed_under_the_same_name_is_a_new_vintage_of_the_day_it_changed(
    publishers, monkeypatch
):
    run("update", "country")
    first = fetched()["goods_census_nsa"]
    content = first.path.read_bytes()
    publishers.files.put(COUNTRY, changed_country(publishers), "Fri, 08 Oct 2021 15:00:00 GMT")
    monkeypatch.setattr(calendar, "today", lambda: date(2021, 10, 11))
    told = run("update", "country")
    second = fetched()["goods_census_nsa"]
    assert (second.published, second.dated_by) == (date(2021, 10, 8), "published")
    assert first.path.read_bytes() == content
    assert "0 rows added, 2 revised, 0 no longer there" in told
    assert "Korea, South, exports, goods, 2021-07" in told
    july = {"since": "2021-07", "through": "2021-07", "partner": "5800"}
    then, now = (load("goods_census_nsa", as_of=day, **july) for day in ("2021-10-05", "2021-10-08"))
    assert now["value_usd"].sum() - then["value_usd"].sum() == 1e6


def test_a_changed_file_without_a_date_counts_as_saved_that_day(publishers, monkeypatch):
    run("update", "country")
    monkeypatch.setattr(calendar, "today", lambda: date(2021, 10, 11))
    publishers.files.put(COUNTRY, changed_country(publishers), "no date")
    run("update", "country")
    second = fetched()["goods_census_nsa"]
    assert (second.published, second.dated_by) == (date(2021, 10, 11), "saved")


def test_the_same_figures_in_another_file_are_no_new_vintage(publishers):
    run("update", "country")
    sheet = country_sheet(goods()).iloc[::-1]
    again = publishers.workbook("again", grid_rows(sheet))
    publishers.files.put(COUNTRY, again, "Sat, 09 Oct 2021 12:30:00 GMT")
    told = run("update", "country")
    assert "the same figures as before, nothing written" in told
    assert len([v for v in list_vintages("goods_census_nsa") if v.origin == "store"]) == 1


# --- one source ---------------------------------------------------------------------------------


def test_fetch_gets_the_archive_of_a_release_by_its_month(publishers, archive):
    path = CURRENT.replace("current_press_release/ft900xlsx.zip", "ft900/ft900xlsx_2108.zip")
    publishers.files.put(path, archive, "Fri, 12 May 2023 10:00:00 GMT")
    told = run("fetch", "ft900", "--release", "2021-08")
    assert "trade_ft900_sa of 2021-10-05, through 2021Q2" in told
    old = run("fetch", "ft900", "--release", "2018-07", code=1)
    assert ("ft900xls_1807.zip" in old and "status 500" in old) or "no such file" in old


def test_fetch_says_what_it_can_get(publishers):
    assert "Sources: country, ctyseasonal" in run("fetch", "nonsense", code=1)
    assert "has no archived releases" in run("fetch", "country", "--release", "2018-07", code=1)
    assert "is not a month" in run("fetch", "ft900", "--release", "2018-13", code=1)
    assert "CENSUS_API_KEY is not set" in run("fetch", "naics", code=1)


def test_an_api_that_is_behind_on_release_morning_is_told_and_asked_again(publishers, monkeypatch):
    publishers.keys(monkeypatch)
    whole = publishers.census.rows
    publishers.census.rows = whole[whole["time"] < MONTH]
    assert "has no exports for 2021-08 yet" in run("fetch", "naics", code=1)
    assert not fetched()
    publishers.census.rows = whole
    run("fetch", "naics", "--since", "2020-01")
    assert fetched()["exports_naics_nsa"].through == MONTH


def test_a_series_of_queries_goes_on_where_it_stopped(publishers, monkeypatch):
    publishers.keys(monkeypatch)
    asked = publishers.census.requests
    publishers.census.fault = lambda n, args: "400" if n == 8 else None
    assert "are done and kept; the next run goes on from there" in run(
        "fetch", "hs4", "--since", "2020-06", code=1
    )
    first = len(asked)
    publishers.census.fault = lambda n, args: None
    run("fetch", "hs4", "--since", "2020-06")
    again = [args for args in asked[first:] if args in asked[: first - 4]]
    assert not again, "nothing that had come is asked for twice"
    assert fetched()["imports_general_hs4_nsa"].since == "2020-06"


# --- no key anywhere ----------------------------------------------------------------------------


def test_no_key_is_found_in_any_file_log_or_message(publishers, monkeypatch, tmp_path, caplog):
    publishers.keys(monkeypatch)
    caplog.set_level(logging.DEBUG)
    told = run("update", "goods", "naics", "bea-trade", "bea-services", "country")
    later = len(publishers.census.requests) + 12
    publishers.census.fault = lambda n, args: "echo text" if n > later else None
    told += run("fetch", "hs2", "--since", "2019-01", code=1)
    publishers.bea.fault = lambda n, args: "500"
    monkeypatch.setattr("tradelib.sources.bea_api.THROTTLE.sleep", lambda seconds: None)
    monkeypatch.setattr(calendar, "today", lambda: date(2021, 10, 6))
    told += run("fetch", "bea-trade", code=1)
    monkeypatch.setenv("CENSUS_API_KEY", "wrong" + CENSUS_KEY)
    told += run("fetch", "hs2", code=1)
    ours = [r for r in caplog.records if not r.name.startswith(("werkzeug", "pytest_httpserver"))]
    text = told + "\n".join(record.getMessage() for record in ours)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".body"]) > 5
    for key in (CENSUS_KEY, BEA_KEY):
        assert key.lower() not in text.lower()
        holders = [p for p in files if key.lower().encode() in p.read_bytes().lower()]
        assert not holders


def test_every_source_names_tables_that_exist_and_no_table_is_without_a_source():
    named = [table for source in SOURCES.values() for table in source.tables]
    asked_for = {table for table in TABLES for key in DISTRICTS if key in table}  # of the source "bulk"
    assert set(TABLES) - NOT_FETCHED - asked_for == set(named) and len(asked_for) == 3


def test_killed_at_any_moment_or_run_twice_at_once_the_store_stays_whole():
    script = Path(__file__).parents[1] / "benchmarks" / "kills.py"
    done = subprocess.run([sys.executable, script, "2"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'runs completed': 2, 'twice at once': 5" in done.stdout
