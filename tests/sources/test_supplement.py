"""Exhibits 4 and 4a of the FT-900's supplement: every partner's goods as released, read a second way."""

import io
import zipfile
from datetime import date

import numpy as np
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from exhibits import as_xls, as_xlsx, as_zip, edition

from tradelib import list_vintages, load, take
from tradelib.briefs.brief import brief
from tradelib.cli.main import main
from tradelib.partners import PartnerError, from_area_name
from tradelib.sources.ft900 import parse_archive, read_archive
from tradelib.sources.supplement import TABLES, parse_supplement, recognise
from tradelib.tables import CheckError, check_flows

COLUMNS = {("balance", "M"): 1, ("balance", "ytd"): 2, ("exports", "M"): 4, ("exports", "ytd"): 5}
COLUMNS |= {("imports", "M"): 7, ("imports", "ytd"): 8}
TITLE = "Exhibit 4{}. Exports, Imports, and Trade Balance of Goods by Country and Area, "
TITLE += "Not Seasonally Adjusted: {}"


@pytest.fixture(scope="module")
def cells(originals) -> dict[str, list[tuple]]:
    """The rows of both exhibits by openpyxl: not the library that the package reads with."""
    found = {}
    with zipfile.ZipFile(originals / "ft900" / "ft900xlsx_2108.zip") as archive:
        for name, month in (("exh4s.xlsx", "2021-08"), ("exh4as.xlsx", "2020-08")):
            page = openpyxl.load_workbook(io.BytesIO(archive.read(name))).worksheets[0]
            found[month] = [row for row in page.iter_rows(values_only=True) if row[0] and row[1] is not None]
    return found


def code(label: str) -> str | None:
    label = label.split("*")[0].strip()
    try:
        return "0015" if label == "TOTAL" else from_area_name(label)
    except PartnerError:
        return None


def test_every_figure_is_the_one_printed(cells):
    tables = {kind: load(table, as_of="2021-10-05") for kind, table in TABLES.items()}
    known = {
        (row.partner, row.flow, kind, str(row.period)): row.value_usd
        for kind, frame in tables.items()
        for row in frame.itertuples()
    }
    compared = 0
    for month, rows in cells.items():
        for row in rows:
            for (flow, kind), at in COLUMNS.items():
                if code(row[0]) and isinstance(row[at], (int, float)):
                    assert known[code(row[0]), flow, kind, month] == round(row[at] * 1e6), row[0]
                    compared += 1
    assert compared > 2_700
    assert sum(map(len, tables.values())) == len(known) == 2_988


def test_ranks_are_the_ranks_that_the_exhibit_prints(cells):
    """The exhibit ranks the balance of the year to date, largest deficit first, as we do."""
    snapshot = take("2021-08")
    assert snapshot.ranked_goods[1] == "goods_ft900_all_ytd_nsa"
    for month, ranks in (
        ("2021-08", snapshot.goods_ranks["now"]),
        ("2020-08", snapshot.goods_ranks["before"]),
    ):
        printed = {code(row[0]): row[3] for row in cells[month] if isinstance(row[3], (int, float))}
        shared = [one for one in ranks.index if one in printed]
        assert len(shared) > 220
        assert sum(ranks[one] == printed[one] for one in shared if printed[one] <= 60) == 60
        assert (ranks["5800"], printed["5800"]) == ((14, 14) if month == "2021-08" else (12, 12))


def test_exhibit_14_is_the_same_rounded():
    for rounded, whole in (
        ("goods_ft900_nsa", "goods_ft900_all_nsa"),
        ("goods_ft900_ytd_nsa", "goods_ft900_all_ytd_nsa"),
    ):
        keys = ["partner", "flow", "period"]
        pair = [load(table, as_of="2021-10-05").set_index(keys)["value_usd"] for table in (rounded, whole)]
        both = pd.concat(pair, axis=1, keys=["rounded", "whole"]).dropna()
        assert len(both) > 250 and (both["rounded"] - both["whole"]).abs().max() <= 0.5e6


def test_a_brief_of_that_day_is_of_that_day_for_any_partner():
    for who in ("KOR", "ZMB", "VCT"):
        sheet = brief(who, "2021-08")
        for id in ("goods.exports.ytd", "goods.balance.month", "world.goods.deficit.ytd.change_pct"):
            assert (sheet[id].vintage, sheet[id].vintage_lag_days) == ("2021-10-05", 0), (who, id)
        assert sheet["goods.balance.trailing12"].vintage == "2023-03-08"
    zambia = brief("ZMB", "2021-08")
    assert zambia.value("goods.exports.ytd") == 54_059_888 and zambia.value("goods.imports.ytd") == 35_915_650
    korea = brief("KOR", "2021-08")
    assert korea.value("goods.exports.ytd") == 44_423_670_843
    assert korea.value("goods.deficit.rank") == 14 and korea.value("goods.deficit.rank.previous_year") == 12


# --- other editions -----------------------------------------------------------------------------

NAMES = {
    "TOTAL": 9,
    "Korea, South": 3,
    "Vietnam": 2,
    "Unidentified (1)": 0,
    "Asia Near East": 1,
    "NATO Allies": 4,
}


def rows(year=2018, suffix="", month="July", scale=1.0) -> list[list]:
    """A made-up Exhibit 4 in the layout of the real one."""
    head = [
        TITLE.format(suffix, year),
        "In millions of dollars. Details may not equal totals due to rounding.",
    ]
    bases = ["(Customs imports)", "Domestic & Foreign, F.A.S. basis", "Customs basis", " C.I.F. basis"]
    blocks = ["Balance", " Exports", " Imports", ""]
    table = [[""], *[[line] for line in head], [""]]
    table += [["Country", *[cell for block in blocks for cell in (block, "", "")]]]
    table += [["", *[cell for basis in bases for cell in (basis, "", "")]]]
    table += [["", *[month, "Year-to-Date", "Rank"] * 4], [""]]
    for name, size in NAMES.items():
        e, i = scale * size * 1.25, scale * size * 2.5
        sides = [(e - i, 7 * (e - i)), (e, 7 * e), (i, 7 * i), (i + 1, 7 * i + 1)]
        table.append([name, *[cell for m, y in sides for cell in (m or "(-)", y or "(-)", "(X)")]])
    return [*table, ["* Countries denoted by asterisks have agreements."]]


def members(**exhibits) -> dict[str, list[list]]:
    return {f"exh{name}.xls": sheet for name, sheet in exhibits.items()}


def test_other_months_and_years_are_told_by_title_and_header():
    found = parse_supplement(members(a=rows(), b=rows(2017, "a", scale=2.0)))
    month, to_date = (check_flows(found[table], table) for table in TABLES.values())
    korea = month[(month["partner"] == "5800") & (month["flow"] == "imports")]
    assert list(zip(map(str, korea["period"]), korea["value_usd"], strict=True)) == [
        ("2017-07", 15e6),
        ("2018-07", 7.5e6),
    ]
    assert to_date["value_usd"].abs().max() == 2 * 7 * 22.5e6
    assert set(month["partner"]) == {"0015", "5800", "5520", "NATO"}


def test_the_services_exhibit_of_the_same_number_is_another():
    assert recognise([["Exhibit 4. U.S. Imports of Services by Major Category"]]) is None
    assert recognise(rows()) == ("4", 2018) and recognise(rows(2017, "a")) == ("4a", 2017)


CHANGES = {
    "an unknown country": (
        lambda t: [*t[:10], ["Atlantis", *t[10][1:]], *t[10:]],
        "'Atlantis' is not a known",
    ),
    "other units": (
        lambda t: [[c.replace("millions", "billions") for c in t[2]] if r is t[2] else r for r in t],
        "units",
    ),
    "no total": (lambda t: [r for r in t if r[0] != "TOTAL"], "no row 'TOTAL'"),
    "a sum that is off": (
        lambda t: [[*r[:4], r[4] + 1, *r[5:]] if r[0] == "Vietnam" else r for r in t],
        "exports less",
    ),
    "a missing flow": (lambda t: [[c if c != " Imports" else "" for c in r] for r in t], "columns of bal"),
    "an empty cell": (
        lambda t: [[*r[:5], "", *r[6:]] if r[0] == "Vietnam" else r for r in t],
        "no figure of 'Vietnam'",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_not_as_known_is_refused_with_what_was_seen(case):
    change, words = CHANGES[case]
    with pytest.raises(CheckError, match=words):
        parse_supplement(members(a=change(rows())))


def test_an_edition_with_another_supplement_keeps_its_other_exhibits_and_says_so(tmp_path):
    broken = CHANGES["an unknown country"][0](rows())
    sheets = edition("2018-07") | {"4s": broken}
    path = tmp_path / "ft900xls_1807.zip"
    path.write_bytes(as_zip({f"exh{n}.xls": as_xls(sheet, n) for n, sheet in sheets.items()}))
    result = CliRunner().invoke(main, ["ingest", str(path)])
    assert result.exit_code == 0, result.output
    assert "Note: The supplement's goods by all partners are left out" in result.output
    assert "Atlantis" in result.output
    stored = {v.table for v in list_vintages() if v.published == date(2018, 9, 5)}
    assert "trade_ft900_sa" in stored and not stored & set(TABLES.values())


def test_a_supplement_of_another_month_is_left_out():
    sheets = edition("2018-07")
    archive = as_zip({f"{n}.xlsx": as_xlsx(s, n) for n, s in (sheets | {"4s": rows(month="June")}).items()})
    with pytest.warns(UserWarning, match="ends with 2018-06"):
        tables = parse_archive(read_archive(archive))
    assert not set(TABLES.values()) & set(tables)
    assert np.isfinite(tables["goods_ft900_nsa"]["value_usd"]).any()
