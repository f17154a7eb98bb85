"""Replies of the Census API: the real ones, the shape on the wire, and everything else it sends."""

import json
import re
import time

import pandas as pd
import pytest
from helpers import opened, raw_rows, raw_sum, wire
from hypothesis import given
from hypothesis import strategies as st

from tradelib.errors import TradelibError
from tradelib.sources.census_api import parse_api, read_api_reply
from tradelib.store import vintages
from tradelib.tables import CheckError, check_flows

HEAD = ["CTY_CODE", "ALL_VAL_MO", "time"]
#: The first two rows that design.md quotes from a real reply.
QUOTED = (
    b'[["NAICS_LDESC","CTY_CODE","CTY_NAME","ALL_VAL_YR","time","NAICS"],\n'
    b'["PETROLEUM AND COAL PRODUCTS","5800","KOREA, SOUTH","762152054","2019-12","3241"]]'
)


def reply(**columns):
    return pd.DataFrame(columns, dtype="str")


def parse_one(replies):
    """The only table that replies make: its name and its rows."""
    ((table, frame),) = parse_api(replies).items()
    return table, frame


def chapters(**columns):
    return reply(CTY_CODE=["5800"], ALL_VAL_MO=["7"], E_COMMODITY=["27"], time=["2018-07"]).assign(**columns)


# --- real replies -------------------------------------------------------------------------------

REAL = {
    "goods_census_nsa_api": ["api_exports_total_2025-10-18.parquet", "api_imports_total_2025-10-18.parquet"],
    "imports_general_hs2_nsa": ["api_imports_general_hs2_2023-2024_2025-10-18.parquet"],
    "exports_hs2_nsa": "hs2/exports_*.parquet",
    "imports_consumption_hs2_nsa": "hs2/imports_*.parquet",
}


@pytest.mark.parametrize("table", REAL)
def test_real_replies_parse_to_exactly_the_bundled_vintage(originals, table):
    names = REAL[table]
    folder = originals / "census"
    paths = sorted(folder.glob(names)) if isinstance(names, str) else [folder / name for name in names]
    told, frame = parse_one([opened(path) for path in paths])
    (bundled,) = vintages.list_vintages(table)
    assert told == table
    assert check_flows(frame, table).equals(vintages.read(bundled))
    assert sorted(source["name"] for source in bundled.sources) == [path.name for path in paths]


def test_a_real_reply_sent_as_json_gives_the_same_table_as_its_parquet_copy(originals):
    frame = opened(originals / "census" / "hs2" / "exports_5800.parquet")
    body = wire([list(frame.columns), *frame.values.tolist()])
    assert body.count(b",\n") == len(frame), "rows are separated by a comma and a line end"
    told, parsed = parse_one([read_api_reply(body)])
    assert told == "exports_hs2_nsa"
    assert parsed.equals(parse_one([frame])[1])


def test_koreas_mineral_fuels_summed_from_the_raw_strings_equal_the_bundled_rows(originals):
    raw = pd.read_parquet(originals / "census" / "hs2" / "exports_5800.parquet")
    total = sum(
        int(value)
        for value, chapter, time in zip(raw.ALL_VAL_MO, raw.E_COMMODITY, raw.time, strict=True)
        if chapter == "27" and "2018-01" <= time <= "2018-07"
    )
    months = [f"2018-{n:02d}" for n in range(1, 8)]
    where = {"partner": "5800", "item": "27", "flow": "exports"}
    assert raw_sum("exports_hs2_nsa", "2020-12-04", months, **where) == total == 4_179_363_181


def test_the_chapters_of_a_partner_sum_to_its_goods_exports_in_the_workbook_of_that_autumn():
    """An API reply and the workbook agree to the dollar where both hold the same vintage."""
    hs2 = raw_rows("exports_hs2_nsa", "2020-12-04")
    goods = raw_rows("goods_census_nsa", "2020-10-06")
    goods = goods[(goods["flow"] == "exports") & goods["period"].between("2018-01", "2020-05")]
    for code in ("5800", "5880", "4280"):
        chapters = hs2[hs2["partner"] == code].groupby("period")["value_usd"].sum()
        workbook = goods[goods["partner"] == code].set_index("period")["value_usd"]
        assert (chapters[workbook.index] / workbook - 1).abs().max() < 0.002, code


def test_the_api_witnesses_the_workbook_of_the_same_annual_revision():
    """Partner totals of 2013-2022 changed little between the workbook of 2025-04 and the API of 2025-10."""
    api = raw_rows("goods_census_nsa_api", "2025-10-18")
    book = raw_rows("goods_census_nsa", "2025-04-03")
    keys = ["partner", "flow", "period"]
    both = api[api["partner"].isin(["5800", "5700", "2010", "0015"])].merge(book, on=keys)
    both = both[both["period"] < "2022-01"]
    assert len(both) == 4 * 2 * 9 * 12
    assert (both["value_usd_x"] / both["value_usd_y"] - 1).abs().max() < 0.01


# --- the shape on the wire ----------------------------------------------------------------------


def test_the_quoted_reply_is_read_as_strings_with_its_header():
    frame = read_api_reply(QUOTED)
    assert list(frame) == ["NAICS_LDESC", "CTY_CODE", "CTY_NAME", "ALL_VAL_YR", "time", "NAICS"]
    assert frame.iloc[0].tolist()[-3:] == ["762152054", "2019-12", "3241"]


def test_a_predicate_repeated_as_last_column_appears_once():
    head = ["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time", "COMM_LVL", "CTY_CODE"]
    body = wire([head, ["5800", "7", "27", "2018-07", "HS2", "5800"]])
    frame = read_api_reply(body)
    assert list(frame) == ["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time", "COMM_LVL"]
    assert parse_one([frame])[1]["partner"].tolist() == ["5800"]


@pytest.mark.parametrize("world", ["", "-"])
def test_the_row_for_all_countries_is_the_world_under_both_of_its_codes(world):
    _, frame = parse_one([reply(CTY_CODE=[world, "5800"], ALL_VAL_MO=["7", "7"], time=["2018-07"] * 2)])
    assert frame["partner"].tolist() == ["0015", "5800"]


def test_a_reply_without_codes_is_told_by_the_names_of_countries():
    _, frame = parse_one(
        [
            reply(
                CTY_NAME=["TOTAL FOR ALL COUNTRIES", "KOREA, SOUTH"],
                ALL_VAL_MO=["9", "7"],
                E_COMMODITY=["27", "27"],
                time=["2018-07"] * 2,
            )
        ]
    )
    assert frame["partner"].tolist() == ["0015", "5800"]


def test_groups_get_the_codes_of_this_project_and_not_those_of_country_xlsx():
    _, frame = parse_one(
        [reply(CTY_CODE=["0020", "5XXX", "0003"], ALL_VAL_MO=["1"] * 3, time=["2018-07"] * 3)]
    )
    assert frame["partner"].tolist() == ["USMCA", "0016", "0003"]


def test_year_and_month_columns_are_the_same_as_time():
    one = reply(CTY_CODE=["5800"], GEN_VAL_MO=["7"], time=["2018-07"])
    two = reply(CTY_CODE=["5800"], GEN_VAL_MO=["7"], YEAR=["2018"], MONTH=["07"])
    assert parse_one([one])[1].equals(parse_one([two])[1])


def test_a_chapter_that_lost_its_leading_zero_is_the_same_chapter():
    assert parse_one([chapters(E_COMMODITY="2")])[1]["item"].tolist() == ["02"]


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        ({"ALL_VAL_MO": ["7"]}, "goods_census_nsa_api"),
        ({"GEN_VAL_MO": ["7"]}, "goods_census_nsa_api"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["27"]}, "exports_hs2_nsa"),
        ({"GEN_VAL_MO": ["7"], "I_COMMODITY": ["27"]}, "imports_general_hs2_nsa"),
        ({"CON_VAL_MO": ["7"], "CAL_DUT_MO": ["1"], "I_COMMODITY": ["27"]}, "imports_consumption_hs2_nsa"),
        ({"CON_VAL_MO": ["7"], "CAL_DUT_MO": ["1"]}, "imports_consumption_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["2709"]}, "exports_hs4_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["270900"]}, "exports_hs6_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["2709002010"]}, "exports_hs10_nsa"),
        ({"ALL_VAL_MO": ["7"], "NAICS": ["211"], "COMM_LVL": ["NA3"]}, "exports_naics_nsa"),
        ({"GEN_VAL_MO": ["7"], "NAICS": ["211"]}, "imports_general_naics_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_ENDUSE": ["00000"], "COMM_LVL": ["EU5"]}, "exports_enduse_nsa"),
        ({"GEN_VAL_MO": ["7"], "I_ENDUSE": ["10000"]}, "imports_general_enduse_nsa"),
    ],
)
def test_the_columns_tell_the_table(columns, table):
    told, frame = parse_one([reply(CTY_CODE=["5800"], time=["2018-07"], **columns)])
    assert told == table
    assert frame["flow"].tolist() == ["exports" if "ALL_VAL_MO" in columns else "imports"]
    assert ("duty_usd" in frame) == ("CAL_DUT_MO" in columns)
    if table != "goods_census_nsa_api":
        assert len(check_flows(frame, table)) == 1


NO_DUTY = {"GEN_VAL_MO": ["9"], "CON_VAL_MO": ["7"], "time": ["2018-07"]}
IMPORTS = {"GEN_VAL_MO": ["9", "8"], "CON_VAL_MO": ["7", "0"], "CAL_DUT_MO": ["1", "0"]}


@pytest.mark.parametrize(
    ("columns", "general", "consumption"),
    [
        ({}, "goods_census_nsa_api", "imports_consumption_nsa"),
        (
            {"I_COMMODITY": ["0101210010"] * 2},
            "imports_general_hs10_nsa",
            "imports_consumption_hs10_nsa",
        ),
        ({"NAICS": ["211"] * 2}, "imports_general_naics_nsa", "imports_consumption_naics_nsa"),
        ({"I_ENDUSE": ["00000"] * 2}, "imports_general_enduse_nsa", "imports_consumption_enduse_nsa"),
    ],
)
def test_a_reply_with_both_kinds_of_imports_makes_two_tables(columns, general, consumption):
    tables = parse_api([reply(CTY_CODE=["5800", "5700"], time=["2018-07"] * 2, **IMPORTS, **columns)])
    assert sorted(tables) == sorted([general, consumption])
    assert tables[general]["value_usd"].tolist() == [9, 8]
    assert "duty_usd" not in tables[general]
    kept = check_flows(tables[consumption], consumption)
    assert kept.sort_values("partner")[["value_usd", "duty_usd"]].values.tolist() == [[0, 0], [7, 1]]


def test_totals_of_exports_and_imports_together_make_the_one_table_of_goods():
    replies = [
        reply(CTY_CODE=["5800", "5700"], ALL_VAL_MO=["5", "4"], time=["2018-07"] * 2),
        reply(CTY_CODE=["5800", "5700"], time=["2018-07"] * 2, **IMPORTS),
    ]
    tables = parse_api(replies)
    assert sorted(tables) == ["goods_census_nsa_api", "imports_consumption_nsa"]
    goods = check_flows(tables["goods_census_nsa_api"], "goods_census_nsa_api")
    assert goods.groupby("flow", observed=True)["value_usd"].sum().to_dict() == {"exports": 9, "imports": 17}


def test_rows_for_groups_get_their_codes_in_every_classification():
    codes = ["-", "0020", "5XXX", "5800"]
    one = reply(CTY_CODE=codes, ALL_VAL_MO=["4"] * 4, NAICS=["211"] * 4, time=["2018-07"] * 4)
    assert parse_one([one])[1]["partner"].tolist() == ["0015", "USMCA", "0016", "5800"]


def test_half_a_million_rows_are_parsed_in_seconds():
    """2.3 s when written, both tables; the bound is for a busy machine."""
    n = 500_000
    codes = [f"{number:010d}" for number in range(101_000_000, 101_000_000 + n // 2)] * 2
    big = {"CTY_CODE": ["5800"] * (n // 2) + ["5700"] * (n // 2), "I_COMMODITY": codes}
    big |= {"GEN_VAL_MO": ["123456789"] * n, "CON_VAL_MO": ["123456789"] * n, "CAL_DUT_MO": ["0"] * n}
    frame = reply(**big, time=["2024-03"] * n, COMM_LVL=["HS10"] * n)
    body = wire([list(frame.columns), *frame.to_numpy().tolist()])
    start = time.perf_counter()
    tables = parse_api([read_api_reply(body)])
    assert time.perf_counter() - start < 15
    assert {len(table) for table in tables.values()} == {n}


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["5800", "5700", "2010"]), st.integers(1, 12), st.integers(1, 97)),
        st.integers(0, 10**12),
        min_size=1,
        max_size=30,
    )
)
def test_whole_dollars_come_back_as_they_were_sent(cells):
    rows = [[code, str(v), f"{hs:02d}", f"2018-{n:02d}"] for (code, n, hs), v in cells.items()]
    body = wire([["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time"], *rows])
    _, frame = parse_one([read_api_reply(body)])
    frame = check_flows(frame, "exports_hs2_nsa")
    back = {
        (row.partner, row.period.month, int(row.item)): int(row.value_usd)
        for row in frame.itertuples(index=False)
    }
    assert back == cells


# --- what the server sends instead of a table ---------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'<html style="font-size: 14px;"><head><title>Missing Key</title></head></html>', "key"),
        (b'<html style="font-size: 14px;"><head><title>Invalid Key</title></head></html>', "begins '<html"),
        (b"error: unknown variable 'XYZ'", "unknown variable 'XYZ'"),
        (b"", "JSON"),
        (QUOTED[:-30], "JSON"),
        (QUOTED[: QUOTED.index(b"\n")], "JSON"),
        (b'{"error": "quota"}', "list of rows"),
        (wire([HEAD]), "list of rows"),
        (wire([HEAD, ["5800", "7"]]), "equal length"),
        (wire([HEAD, ["5800", "7", "2018-07"], ["5800", "7", "2018-08", "x"]]), "equal length"),
    ],
    ids=[
        "missing key",
        "invalid key",
        "error text",
        "204 empty",
        "cut in a row",
        "cut between rows",
        "object",
        "header only",
        "short row",
        "long row",
    ],
)
def test_what_is_no_table_is_refused_and_shown(body, words):
    with pytest.raises(CheckError, match=re.escape(words)):
        read_api_reply(body)


@pytest.mark.parametrize("cut", range(1, len(QUOTED), 17))
def test_a_reply_cut_anywhere_is_refused(cut):
    with pytest.raises(CheckError):
        read_api_reply(QUOTED[:cut])


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ([chapters(ALL_VAL_MO="(D)")], "ALL_VAL_MO is a number"),
        ([chapters(ALL_VAL_MO="")], "ALL_VAL_MO is a number"),
        ([chapters(CTY_CODE="9998")], "'9998' is not a known CTY_CODE"),
        ([chapters(COMM_LVL="HS4")], "COMM_LVL HS2; the reply says HS4"),
        ([chapters(E_COMMODITY="27090")], "codes of one length, 2 or 4 or 6 or 10 digits"),
        ([chapters(), chapters(E_COMMODITY="2709")], "different tables: exports_hs2_nsa, exports_hs4_nsa"),
        ([pd.concat([chapters(), chapters(E_COMMODITY="2709")], ignore_index=True)], "codes of one length"),
        ([reply(CTY_CODE=["5800"], **NO_DUTY)], "CON_VAL_MO comes with CAL_DUT_MO"),
        ([chapters(GEN_VAL_MO="7")], "No table has these columns"),
        ([chapters(time="2018")], "time is YYYY-MM"),
        ([chapters().rename(columns={"ALL_VAL_MO": "ALL_VAL_YR"})], "No table has these columns.*ALL_VAL_YR"),
        ([chapters().rename(columns={"E_COMMODITY": "I_COMMODITY"})], "No table has these columns"),
        (
            [chapters(), reply(CTY_CODE=["5800"], GEN_VAL_MO=["7"], time=["2018-07"])],
            "different tables: exports_hs2_nsa, goods_census_nsa_api",
        ),
        (
            [
                reply(CTY_CODE=["-"] * 3, ALL_VAL_MO=["7"] * 3, time=["2018-01", "2018-02", "2018-05"]),
                reply(CTY_CODE=["5800"] * 2, ALL_VAL_MO=["7"] * 2, time=["2018-03", "2018-04"]),
            ],
            "lacks 2018-03, 2018-04",
        ),
        (
            [reply(CTY_CODE=["-", "5800", "5700"], ALL_VAL_MO=["100", "50", "40"], time=["2018-07"] * 3)],
            "Partners sum to the World row",
        ),
    ],
    ids=[
        "suppressed",
        "blank",
        "unknown code",
        "HS4",
        "five digits",
        "two levels",
        "two levels in one reply",
        "no duties",
        "exports and imports in one reply",
        "a year",
        "cumulative values",
        "wrong commodity column",
        "mixed tables",
        "missing months of the total",
        "partners miss the total",
    ],
)
def test_a_reply_that_makes_no_sound_table_is_refused(broken, words):
    with pytest.raises(TradelibError, match=f"(?s){words}"):
        parse_api(broken)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["5800", "-7", "27", "2018-07"]], "no flow is negative"),
        ([["5800", "7", "27", "2018-07"]] * 2, "one row per partner, flow, item and period"),
        ([["5800", "7.5", "27", "2018-07"]], "whole dollars"),
    ],
)
def test_the_contract_refuses_what_the_parser_lets_through(rows, words):
    _, frame = parse_one([read_api_reply(wire([["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time"], *rows]))])
    with pytest.raises(CheckError, match=words):
        check_flows(frame, "exports_hs2_nsa")


def test_the_wire_helper_writes_what_a_json_reader_reads():
    rows = [HEAD, ["5800", 'say "seven"', "2018-07"]]
    assert json.loads(wire(rows)) == rows
