"""`tradelib ingest`: a file somebody downloaded becomes a vintage, or is refused and nothing changes."""

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from helpers import BEA_COPY, COPIES, bea_sheets, country_sheet, csv_bytes, grid_rows, wire, write_xlsx

from tradelib import list_vintages, load_goods
from tradelib.errors import TradelibError
from tradelib.loaders import pick
from tradelib.sources import ingest as ingesting
from tradelib.sources.ingest import ingest
from tradelib.store import parquet, vintages


@pytest.fixture(scope="module")
def good():
    """The rows of 2017 and 2018 as the copy of 2018-10-05 prints them."""
    return country_sheet(vintages.read(pick("goods_census_nsa", as_of="2018-10-05"), since="2017-01"))


@pytest.fixture(scope="module")
def workbook(good, tmp_path_factory):
    """The same as a workbook with one sheet."""
    return write_xlsx(tmp_path_factory.mktemp("census") / "country.xlsx", {"country": grid_rows(good)})


@pytest.fixture(scope="module")
def bea_workbook(tmp_path_factory):
    return write_xlsx(tmp_path_factory.mktemp("bea") / "trad-geo.xlsx", bea_sheets())


@pytest.fixture(autouse=True)
def figures_of_no_meaning(monkeypatch):
    """What holds a table against the vintages at hand has tests of its own, in test_continuity."""
    monkeypatch.setattr(ingesting, "hold_against", lambda *_: None)
    monkeypatch.setattr(ingesting, "hold_goods", lambda *_: None)


def reply(tmp_path, name, value_column="ALL_VAL_MO", rows=(("5800", "7", "2018-07"),), **more):
    """An API reply as a file."""
    path = tmp_path / name
    path.write_bytes(wire([["CTY_CODE", value_column, "time", *more], *[[*r, *more.values()] for r in rows]]))
    return path


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# --- what is taken ------------------------------------------------------------------------------


def test_a_workbook_becomes_a_vintage_that_loads_and_knows_its_source(workbook, store):
    ((vintage, written),) = ingest([workbook], published="2018-10-07", note="downloaded by hand")
    assert written
    assert (vintage.table, vintage.published) == ("goods_census_nsa", date(2018, 10, 7))
    assert (vintage.since, vintage.through) == ("2017-01", "2018-08")
    assert vintage.sources == (
        {"name": "country.xlsx", "sha256": hashlib.sha256(workbook.read_bytes()).hexdigest()},
    )
    assert (vintage.dated_by, vintage.note) == ("published", "downloaded by hand")
    assert vintage.parser.startswith("census.")
    assert files(store) == [vintage.path]
    korea = load_goods(as_of="2018-10-07", partner="5800", since="2018-01", through="2018-07")
    assert set(korea["vintage"]) == {"2018-10-07"}
    assert korea.loc[korea["flow"] == "exports", "value_usd"].sum() == 31_752_055_221


def test_the_same_figures_as_csv_are_the_same_vintage_and_nothing_is_written(workbook, good, tmp_path, store):
    ((first, _),) = ingest([workbook], published="2018-10-07")
    before = first.path.read_bytes(), first.path.stat().st_mtime_ns
    csv = tmp_path / "country.csv"
    csv.write_bytes(csv_bytes(good, "\r"))
    ((second, written),) = ingest([csv], published="2018-10-07")
    assert not written
    assert second == first
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns) == before
    assert files(store) == [first.path]


@pytest.mark.parametrize("name", [list(COPIES)[n] for n in (1, 2, 6)])
def test_an_original_that_is_bundled_is_recognised_and_not_stored_again(originals, name, store):
    ((vintage, written),) = ingest([originals / "census" / name])
    assert not written and vintage.origin == "bundled"
    assert vintage.published.isoformat() in name, "the date is that of the release the file belongs to"
    assert not store.exists()


def test_beas_workbook_makes_both_its_tables_dated_by_the_line_in_the_file(bea_workbook, store):
    done = ingest([bea_workbook])
    assert [(v.table, v.published, written) for v, written in done] == [
        ("trade_bop_sa", date(2018, 9, 5), True),
        ("trade_bop_annual", date(2018, 9, 5), True),
    ]
    assert {v.parser for v, _ in done} == {"bea.1"}
    assert len(files(store)) == 2


@pytest.mark.parametrize("option", ["published", "saved"])
def test_another_date_than_the_one_printed_in_the_file_is_refused(bea_workbook, option, store):
    with pytest.raises(TradelibError, match=r"(?s)prints the day 2018-09-05.*2018-10-05"):
        ingest([bea_workbook], **{option: "2018-10-05"})
    assert not store.exists()
    assert {v.published for v, _ in ingest([bea_workbook], **{option: "2018-09-05"})} == {date(2018, 9, 5)}


def test_a_workbook_of_quarters_and_years_without_a_day_asks_for_it(tmp_path, store):
    sheets = {
        name: [row for row in rows if "Last updated" not in str(row[0])]
        for name, rows in bea_sheets().items()
    }
    with pytest.raises(TradelibError, match=r"(?s)reaches 2018Q2; its publication date.*--published"):
        ingest([write_xlsx(tmp_path / "trad-geo.xlsx", sheets)])
    assert not store.exists()


def test_one_of_two_tables_can_be_chosen(bea_workbook, store):
    assert [v.table for v, _ in ingest([bea_workbook], table="trade_bop_annual")] == ["trade_bop_annual"]
    assert len(files(store)) == 1


def test_the_original_bea_workbook_is_recognised_by_its_own_date(originals):
    done = ingest([originals / "bea" / BEA_COPY])
    assert [(str(v.published), v.origin, written) for v, written in done] == [
        ("2025-03-06", "bundled", False)
    ] * 2


def test_several_replies_make_one_vintage_with_all_their_names(tmp_path, store):
    one = reply(tmp_path, "exports_5800.json", E_COMMODITY="27")
    two = reply(tmp_path, "exports_5700.json", rows=[["5700", "9", "2018-07"]], E_COMMODITY="27")
    ((vintage, _),) = ingest([one, two], saved="2018-10-05")
    assert vintage.table == "exports_hs2_nsa"
    assert vintage.rows == 2
    assert [source["name"] for source in vintage.sources] == [one.name, two.name]
    assert vintage.dated_by == "saved"


def test_a_store_can_be_named(workbook, tmp_path, store):
    ((vintage, _),) = ingest([workbook], published="2018-10-07", store=tmp_path / "mine")
    assert vintage.path.is_relative_to(tmp_path / "mine")
    assert not store.exists()


# --- dates --------------------------------------------------------------------------------------


def test_without_a_date_the_release_of_the_last_month_gives_it(workbook):
    """August 2018 came out on 2018-10-05, where other figures are already bundled."""
    with pytest.raises(TradelibError, match="goods_census_nsa of 2018-10-05 is already stored with other"):
        ingest([workbook])


def test_a_month_without_an_established_release_asks_for_the_date(tmp_path):
    sheet = country_sheet(load_goods(as_of="2018-10-05", since="1985-01", through="1985-12"))
    path = tmp_path / "country.csv"
    path.write_bytes(csv_bytes(sheet))
    with pytest.raises(TradelibError, match=r"reaches 1985-12.*not known.\n.*--published"):
        ingest([path])
    assert ingest([path], published="1986-02-07")[0][1]


def test_an_api_reply_never_takes_its_date_from_the_release_calendar(tmp_path):
    with pytest.raises(TradelibError, match="--published"):
        ingest([reply(tmp_path, "x.json", E_COMMODITY="27")])


@pytest.mark.parametrize("day", ["2018-10-04", "2018-07-31", "1990-01-01"])
def test_a_date_before_the_last_month_was_out_is_refused(workbook, day, store):
    with pytest.raises(TradelibError, match=rf"which is after {day}: 2018-08 was published on 2018-10-05"):
        ingest([workbook], published=day)
    assert not store.exists()


@pytest.mark.parametrize("option", ["published", "saved"])
@pytest.mark.parametrize(
    ("name", "day", "next_out"),
    [
        ("census/country_2025-04-03.csv", "2025-12-20", "2025-03 was out on 2025-05-06"),
        ("census/ctyseasonal_2025-04-03.csv", "2025-05-06", "2025-03 "),
        ("ft900/ft900xlsx_2108.zip", "2021-12-20", "2021-09 "),
    ],
)
def test_a_copy_is_of_no_day_on_which_the_next_was_out(originals, name, day, next_out, option, store):
    with pytest.raises(TradelibError, match=f"said to be of {day}: the release of {next_out}"):
        ingest([originals / name], **{option: day})
    assert not store.exists()


@pytest.mark.parametrize("option", ["published", "saved"])
def test_a_date_that_has_not_come_is_refused(workbook, option, store):
    with pytest.raises(TradelibError, match=r"2052-10-08 has not come; today is"):
        ingest([workbook], **{option: "2052-10-08"})
    assert not store.exists()


@pytest.mark.parametrize("day", ["05.10.2018", "2018-13-01", "yesterday"])
def test_a_date_that_is_none_is_refused(workbook, day):
    with pytest.raises(TradelibError, match="YYYY-MM-DD"):
        ingest([workbook], published=day)


def test_published_and_saved_exclude_each_other(workbook):
    with pytest.raises(TradelibError, match="not both"):
        ingest([workbook], published="2018-10-07", saved="2018-10-07")


# --- what is refused ----------------------------------------------------------------------------

HTML = b'<html style="font-size: 14px;"><head><title>Invalid Key</title></head><body></body></html>'
JUNK = {
    "an HTML page": (HTML, "this is a web page, whatever its name says"),
    "an HTML page with a doctype": (b"\n  <!DOCTYPE html>\n" + HTML, "this is a web page"),
    "an empty file": (b"", "the file is empty"),
    "a blank file": (b" \r\n\n", "the file is empty"),
    "half a zip": (b"PK\x03\x04" + bytes(2000), "not a complete zip"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "no file that tradelib knows.*%PDF"),
    "an error text": (b"error: unknown variable 'XYZ'", "no file that tradelib knows"),
    "a cut API reply": (b'[["CTY_CODE","ALL_VAL_MO","time"],\n["5800","7","201', "it begins"),
    "an uneven CSV": (b'year,"CTY_CODE\n1985,0001', "not a table"),
    "a CSV with semicolons": (b"year;CTY_CODE;CTYNAME\n2018;5800;Korea, South\n", "parted by semicolons"),
    "a CSV with tabs": (b"year\tCTY_CODE\n2018\t5800\n", "parted by tabs"),
    "something packed": (b"\x1f\x8b\x08\x00;;;;\x00\x01", "packed with gzip"),
    "a CSV in UTF-16": ("year,CTY_CODE\n2018,5800\n".encode("utf-16"), "UTF-16"),
    "another table": (b"name,value\nx,1\n", "no file that tradelib knows; its first row reads 'name, value'"),
}


@pytest.mark.parametrize("case", JUNK)
def test_junk_is_refused_by_name_and_nothing_is_stored(case, tmp_path, store):
    data, words = JUNK[case]
    path = tmp_path / "country_junk.xlsx"
    path.write_bytes(data)
    with pytest.raises(TradelibError, match=f"(?s)country_junk.xlsx.*{words}"):
        ingest([path], published="2018-10-07")
    assert not store.exists()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_workbook_is_refused_at_any_length(workbook, share, tmp_path, store):
    data = workbook.read_bytes()
    path = tmp_path / "cut.xlsx"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(TradelibError, match=r"cut\.xlsx: this workbook cannot be opened.*cut short"):
        ingest([path], published="2018-10-07")
    assert not store.exists()


@pytest.mark.parametrize("name", [name for name in COPIES if name.endswith("xlsx")])
def test_a_truncated_original_is_refused(originals, name, tmp_path, store):
    path = tmp_path / "cut.xlsx"
    path.write_bytes((originals / "census" / name).read_bytes()[:1_000_000])
    with pytest.raises(TradelibError, match="cut short"):
        ingest([path], published="2030-01-01")
    assert not store.exists()


def test_a_workbook_with_a_renamed_column_is_refused_and_tells_both_names(good, tmp_path, store):
    renamed = grid_rows(good.rename(columns={"EJUL": "EXPJUL"}))
    path = write_xlsx(tmp_path / "country.xlsx", {"country": renamed})
    with pytest.raises(TradelibError) as refusal:
        ingest([path], published="2018-10-07")
    for words in ("country.xlsx is refused", "Missing: EJUL", "Unknown: EXPJUL", "Nothing was saved"):
        assert words in str(refusal.value)
    assert not store.exists()


def test_a_workbook_whose_months_miss_the_year_is_refused_with_the_row_and_the_difference(
    good, tmp_path, store
):
    row = (good["CTY_CODE"] == "5800") & (good["year"] == 2018)
    wrong = good.assign(EMAR=np.where(row, good["EMAR"] + 100, good["EMAR"]))
    path = write_xlsx(tmp_path / "country.xlsx", {"country": grid_rows(wrong)})
    with pytest.raises(TradelibError, match=r"(?s)Twelve months sum to EYR.*2018\s+5800.*100\.0"):
        ingest([path], published="2018-10-07")
    assert not store.exists()


def test_the_sheet_is_found_beside_others_and_under_any_name(good, tmp_path):
    sheets = {"Notes": [["U.S. Census Bureau"], ["FT-900"]], "Sheet1": grid_rows(good)}
    ((vintage, written),) = ingest([write_xlsx(tmp_path / "x.xlsx", sheets)], published="2018-10-07")
    assert written and vintage.table == "goods_census_nsa"


def test_a_workbook_with_two_such_sheets_is_refused_and_names_them(good, tmp_path, store):
    """The first of them was taken, though it was an older one."""
    sheets = {"last month": grid_rows(good[good["year"].eq(2017)]), "country": grid_rows(good)}
    with pytest.raises(TradelibError, match="same columns in each of its sheets last month, country"):
        ingest([write_xlsx(tmp_path / "x.xlsx", sheets)], published="2018-10-07")
    assert not store.exists()


def test_a_workbook_without_a_table_names_its_sheets(tmp_path):
    path = write_xlsx(tmp_path / "x.xlsx", {"Notes": [["U.S. Census Bureau"]], "Empty": []})
    with pytest.raises(TradelibError, match="no table; its sheets: Notes, Empty"):
        ingest([path])


def test_a_tampered_bea_workbook_is_refused_and_neither_table_is_stored(tmp_path, store):
    sheets = bea_sheets()
    row = next(row for row in sheets["Table 9"] if row[0] == "2018 2")
    row[1] += 500
    with pytest.raises(TradelibError, match="services: balance is exports less imports"):
        ingest([write_xlsx(tmp_path / "trad-geo.xlsx", sheets)])
    assert not store.exists()


def test_a_bea_workbook_that_lacks_a_table_is_refused(tmp_path, store):
    sheets = bea_sheets()
    del sheets["Table 8"]
    with pytest.raises(TradelibError, match="lacks imports of services"):
        ingest([write_xlsx(tmp_path / "trad-geo.xlsx", sheets)])
    assert not store.exists()


def test_a_file_that_is_another_table_than_asked_for_is_refused(workbook, store):
    with pytest.raises(TradelibError, match=r"country.xlsx is goods_census_nsa, not trade_bop_sa"):
        ingest([workbook], table="trade_bop_sa", published="2018-10-07")
    assert not store.exists()


def test_an_unknown_table_is_told_before_the_file_is_read(tmp_path):
    with pytest.raises(TradelibError, match=r"There is no table 'goods'.\n  Tables: goods_census_nsa"):
        ingest([tmp_path / "absent.xlsx"], table="goods")


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(TradelibError, match=r"Cannot read .*absent\.xlsx"):
        ingest([tmp_path / "absent.xlsx"])
    with pytest.raises(TradelibError, match="Cannot read"):
        ingest([tmp_path])


def test_two_workbooks_at_a_time_are_refused(workbook, bea_workbook):
    for pair in ([workbook, workbook], [bea_workbook, workbook]):
        with pytest.raises(TradelibError, match="one file of this kind"):
            ingest(pair, published="2018-10-07")


def test_replies_of_different_tables_are_refused(tmp_path, store):
    one = reply(tmp_path, "one.json", E_COMMODITY="27")
    two = reply(tmp_path, "two.json", value_column="GEN_VAL_MO", I_COMMODITY="27")
    with pytest.raises(TradelibError, match="different tables: exports_hs2_nsa, imports_general_hs2_nsa"):
        ingest([one, two], saved="2018-10-05")
    assert not store.exists()


def test_other_figures_for_a_stored_date_are_refused_and_the_stored_file_is_untouched(
    workbook, good, tmp_path, store
):
    ((first, _),) = ingest([workbook], published="2018-10-07")
    before = first.path.read_bytes()
    row = (good["CTY_CODE"] == "6227") & (good["year"] == 2018)
    revised = good.assign(
        EMAR=np.where(row, good["EMAR"] + 0.000001, good["EMAR"]),
        EYR=np.where(row, good["EYR"] + 0.000001, good["EYR"]),
    )
    path = tmp_path / "country.csv"
    path.write_bytes(csv_bytes(revised))
    with pytest.raises(TradelibError, match=r"2018-10-07 is already stored with other figures \(store\)"):
        ingest([path], published="2018-10-07")
    assert first.path.read_bytes() == before
    assert files(store) == [first.path]
    assert ingest([path], published="2018-10-08")[0][1], "under a date of its own it is taken"
    assert [v.published.day for v in list_vintages("goods_census_nsa") if v.origin == "store"] == [7, 8]


def test_a_full_disk_is_told_and_leaves_nothing_behind(workbook, store, monkeypatch):
    def full(table, where, **options):
        Path(where).write_bytes(b"PAR1 and no more")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet.pq, "write_table", full)
    with pytest.raises(TradelibError, match=r"Cannot write .*: No space left on device"):
        ingest([workbook], published="2018-10-07")
    assert files(store) == []
