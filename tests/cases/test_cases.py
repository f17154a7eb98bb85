"""Every case of ../shared/cases that is about files and the store, played as its text says."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tradelib.cli.main import main
from tradelib.store import vintages

CASES = Path(__file__).parents[3] / "shared" / "cases"
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the cases (../shared/cases) are not on this machine"
)


def run(*words, code: int | None = None) -> str:
    """The command's words, which never are a traceback, and its exit code where that is told."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert "Traceback" not in result.output and isinstance(result.exception, SystemExit | None)
    assert code is None or result.exit_code == code, result.output
    return result.output


def case(name: str) -> list[Path]:
    """The files of a case, but for what tells of it."""
    files = sorted((CASES / name).iterdir())
    return [file for file in files if file.suffix not in (".txt", ".md", ".py")]


@pytest.fixture
def invented(monkeypatch, tmp_path):
    """The figures of these cases are invented: they are not to be held against the bundled ones."""
    monkeypatch.setattr(vintages, "BUNDLED", tmp_path / "none")


def facts(month: str, as_of: str) -> dict:
    words = ("facts", "--partner", "KOR", "--release", month, "--as-of", as_of, "--format", "json")
    return json.loads(run(*words, code=0))["facts"]


#: A case whose files are refused -> the options, and what is said.
REFUSED = {
    "api_year_missing_in_exports": (["--published", "2025-02-05"], "exports lack 12 month"),
    "bea_area_header_blank": ([], "stands below no area"),
    "bea_bad_date": ([], "day printed in the workbook cannot be read"),
    "bea_goods_services_swapped": ([], "services are above those of goods"),
    "bea_period_missing_in_one_table": ([], "exports of goods lacks 27 figures .*2024Q3"),
    "bea_unknown_label": ([], "has figures, but is no year and no quarter"),
    "country_codes_swapped": ([], "name beside a code.*Korea, South"),
    "country_flows_swapped": ([], "are the two exchanged"),
    "country_months_swapped": (["--published", "2025-04-04"], "cannot be believed"),
    "country_no_world": ([], "no row of the World"),
    "country_partner_missing_2025": ([], "is refused"),
    "country_thousands": ([], "are these millions of dollars"),
    "ctyseasonal_blank_cell": ([], "EQ1 is the sum of its months"),
    "ctyseasonal_row_without_year": ([], "A row with figures has a year"),
    "ctyseasonal_year_20": ([], "Years follow each other"),
    "ctyseasonal_year_2081": ([], "Years follow each other"),
    "one-flow-alone": (["--published", "2024-11-05"], "exports_only.json.*exports only.*imports/hs"),
    "published-before-release": (
        ["--published", "2026-08-10"],
        "2026-08-10: 2026-07 was published on 2026-09-03",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_vouched_for_is_refused_and_nothing_is_kept(name, store):
    options, words = REFUSED[name]
    told = run("ingest", *case(name), *options, code=1)
    assert re.search(f"(?s){words}", told), told
    assert not store.exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["exports_hs2_one_state.json"], "STATE has 'TX'"),
        (["p_df_e.json", "p_df_i.json"], "DF has '1'"),
        (["p_state_e.json", "p_state_i.json"], "STATE has 'CA'"),
        (["s_rphs.json"], "RP has '18'"),
        (["control_all_at_dash.json"], None),
    ],
)
def test_a_part_of_trade_is_not_taken_as_the_total(files, words, store):
    paths = [CASES / "part-of-trade-taken-as-total" / name for name in files]
    told = run("ingest", *paths, "--published", "2024-11-05", code=1 if words else 0)
    assert (words or "2 rows") in told and store.exists() == (not words)


@pytest.mark.parametrize(
    ("files", "bad"),
    [(["mix1", "mix2_bad", "mix3"], "mix2_bad.json"), (["mix1", "mix6_null"], "mix6_null.json")],
)
def test_the_file_that_is_wrong_is_named(files, bad):
    paths = [CASES / "wrong-file-named" / f"{name}.json" for name in files]
    assert f"Error: {bad}: " in run("ingest", *paths, "--published", "2024-11-05", code=1)


def test_months_that_are_not_there_are_not_zero():
    """The case `api-months-missing`."""
    folder = CASES / "api-months-missing"
    run("ingest", folder / "ytd_2023.json", folder / "ytd_2024.json", "--published", "2024-11-05", code=0)
    found = facts("2024-09", "2024-11-05")
    year = found["commodity.hs2.27.exports.previous_year"]
    assert (year["value"], found["commodity.hs2.27.exports.ytd"]["value"]) == (None, 900_000_000)
    assert "2023-10, 2023-11, 2023-12 are not in exports_hs2_nsa" in year["reason"]


def test_a_month_without_any_row_between_others_is_not_zero():
    run("ingest", CASES / "api-months-missing" / "hole.json", "--published", "2024-11-05", code=0)
    found = facts("2024-09", "2024-11-05")
    for id in ("ytd", "ytd.change_usd"):
        assert found[f"commodity.hs2.27.exports.{id}"]["value"] is None
        assert "2024-04" in found[f"commodity.hs2.27.exports.{id}"]["reason"]


def test_an_older_copy_does_not_become_the_newest_vintage(invented):
    """The case `older-copy-becomes-newest`."""
    folder = CASES / "older-copy-becomes-newest"
    run("ingest", folder / "newer_through_2026-07.csv", code=0)
    told = run("ingest", folder / "older_through_2025-07.csv", "--saved", "2026-11-20", code=1)
    assert "ends in 2025-07, and is said to be of 2026-11-20: the release of 2025-08" in told
    assert facts("2025-07", "latest")["goods.exports.ytd"]["value"] == 1_050_000_000


def test_an_exhibit_alone_is_taken_and_others_are_told_what_they_are(store):
    told = run("ingest", CASES / "exhibit-alone-misnamed" / "exh14.xlsx", code=0)
    assert "goods_ft900_nsa of 2026-09-03" in told and "14a, 19, 20, 20a, 20b" in told


def test_a_whole_archive_takes_the_place_of_a_part_of_it():
    """The case `partial-archive-blocks-whole`."""
    folder = CASES / "partial-archive-blocks-whole"
    run("ingest", folder / "part.zip", code=0)
    told = run("ingest", folder / "whole.zip", code=0)
    assert (
        "goods_ft900_nsa of 2026-09-03, through 2026-07, 36 rows: /" in told and "goods_ft900_sa of" in told
    )
    assert "already stored with other figures" in run("ingest", folder / "part.zip", code=1)


@pytest.mark.parametrize(("name", "number"), [("missing", "14"), ("title_typo", "20")])
def test_an_exhibit_that_is_not_there_or_not_known_is_named(name, number):
    told = run("ingest", CASES / f"ft900_exhibit_{name}" / "ft900.zip")
    assert f"Exhibit {number} of the FT-900 not there, or not known by the title" in told


@pytest.mark.parametrize("published", [[], ["--published", "2026-09-03"]])
def test_the_archive_of_another_month_is_refused(mirror, published, store):
    """The case `archive-of-another-month`."""
    (file,) = case("archive-of-another-month")
    address = "/www.census.gov/foreign-trade/Press-Release/ft900/ft900xlsx_2607.zip"
    mirror.expect_request(address).respond_with_data(file.read_bytes())
    told = run("fetch", "ft900", "--release", "2026-07", *published, code=1)
    assert "2026-07 was asked for; the exhibits that came are of 2026-08" in told
    assert not list(store.glob("table=*"))


@pytest.mark.parametrize("option", ["--published", "--saved"])
def test_a_day_that_has_not_come_is_refused(originals, option, store):
    """The case `future_date`."""
    told = run("ingest", originals / "census" / "country_2024-10-08.xlsx", option, "2052-10-08", code=1)
    assert "2052-10-08 has not come" in told and not store.exists()


def test_a_file_older_than_the_vintage_at_hand_is_refused(originals, mirror, store):
    """The case `stale_file`."""
    data = (originals / "census" / "country_2024-10-08.xlsx").read_bytes()
    address = "/www.census.gov/foreign-trade/balance/country.xlsx"
    when = {"Last-Modified": "Tue, 09 Dec 2025 13:30:00 GMT"}
    mirror.expect_request(address).respond_with_data(data, headers=when)
    told = run("fetch", "country", code=1)
    assert "ends in 2024-08, and is said to be of 2025-12-09" in told and not list(store.glob("table=*"))


def test_one_flipped_bit_is_refused_by_facts(store):
    """The case `store_bit_flip`."""
    place = store / "table=goods_census_nsa" / "published=2024-10-09"
    place.mkdir(parents=True)
    shutil.copy(CASES / "store_bit_flip" / "flows.parquet", place)
    told = run("facts", "--partner", "KOR", "--release", "2024-08", "--as-of", "2024-10-09", code=1)
    assert "not those that were written" in told and str(place) in told
