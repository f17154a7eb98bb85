"""Contributions in finer detail than chapters, from replies of the API that were ingested."""

import json

import pandas as pd
import pytest

from tradelib import TradelibError
from tradelib.briefs.brief import brief
from tradelib.briefs.commodities import tables_of
from tradelib.sources.ingest import ingest

MONTHS = [str(month) for month in pd.period_range("2017-01", "2018-07", freq="M")]
COLUMN = {"exports": "ALL_VAL_MO", "imports": "GEN_VAL_MO"}
CODES = {
    "hs4": (("E_COMMODITY", "I_COMMODITY"), ["2709", "2711", "8542"], "HS4"),
    "hs6": (("E_COMMODITY", "I_COMMODITY"), ["270900", "271111", "854231"], "HS6"),
    "naics": (("NAICS", "NAICS"), ["211", "324", "334"], "NA3"),
    "enduse": (("E_ENDUSE", "I_ENDUSE"), ["10000", "21301", "30000"], None),
}


def reply(path, flow: str, column: str, codes: list[str], level: str | None, seed: int = 0):
    """A reply as the server sends it, with made-up dollars."""
    head = ["CTY_CODE", COLUMN[flow], column, "time"] + (["COMM_LVL"] if level else [])
    rows = [
        ["5800", str(1_000_003 * (n + 1) + 7 * m + seed), code, month] + ([level] if level else [])
        for m, month in enumerate(MONTHS)
        for n, code in enumerate(codes)
    ]
    path.write_text(",\n".join(["[" + json.dumps(head), *map(json.dumps, rows)]) + "]")
    return path, rows


def total(rows: list, year: str) -> int:
    return sum(int(row[1]) for row in rows if row[3][:4] == year and row[3][5:] <= "07")


@pytest.mark.parametrize("kind", CODES)
def test_ingested_detail_is_taken_apart_and_adds_up_exactly(kind, tmp_path):
    (e_column, i_column), codes, level = CODES[kind]
    exports, e_rows = reply(tmp_path / "e.json", "exports", e_column, codes, level)
    imports, i_rows = reply(tmp_path / "i.json", "imports", i_column, codes[:2], level, seed=5)
    for path in (exports, imports):
        ingest([path], published="2018-09-05")
    sheet = brief("KOR", "2018-07")
    fact = sheet[f"commodity.{kind}.contributions"]
    assert tables_of(sheet.snapshot, "5800", kind) == [f"exports_{kind}_nsa", f"imports_general_{kind}_nsa"]
    by_hand = total(e_rows, "2018") - total(e_rows, "2017") - total(i_rows, "2018") + total(i_rows, "2017")
    assert fact.more["change_usd"] == by_hand == sum(entry["contribution_usd"] for entry in fact.value)
    assert (fact.more["covers"], fact.more["items_held"]) == ("both flows", 3)
    assert (fact.vintage, fact.vintage_method) == ("2018-09-05", "published")
    assert {entry[kind] for entry in fact.value} == {*codes, None}
    assert codes[0] in fact.text


def test_without_such_tables_there_are_no_such_facts():
    ids = set(brief("KOR", "2018-07"))
    assert "commodity.hs2.contributions" in ids
    assert not ids & {f"commodity.{kind}.contributions" for kind in CODES}


def test_one_flow_alone_is_told_as_one_flow(tmp_path):
    path, rows = reply(tmp_path / "e.json", "exports", "NAICS", ["211", "324"], "NA3")
    ingest([path], published="2018-09-05")
    sheet = brief("KOR", "2018-07")
    assert sheet["commodity.naics.contributions"].more["covers"] == "exports only"
    oil = sum(int(row[1]) for row in rows if row[2] == "211" and row[3] >= "2018")
    assert sheet.value("commodity.naics.211.exports.ytd") == oil
    gap = oil - sum(int(row[1]) for row in rows if row[2] == "211" and row[3] < "2018")
    assert sheet.value("commodity.naics.211.exports.ytd.less_previous_year") == gap


def test_two_levels_in_one_reply_are_refused(tmp_path):
    path, _ = reply(tmp_path / "e.json", "exports", "E_COMMODITY", ["27", "2709"], None)
    with pytest.raises(TradelibError, match="codes of one length, 2 or 4 or 6 or 10 digits"):
        ingest([path], published="2018-09-05")


def test_a_level_that_the_codes_belie_is_refused(tmp_path):
    path, _ = reply(tmp_path / "e.json", "exports", "NAICS", ["211"], "NA6")
    with pytest.raises(TradelibError, match="COMM_LVL NA3; the reply says"):
        ingest([path], published="2018-09-05")
