"""Seasonally adjusted months and ten years: as the publisher's own files have them, or not told."""

import csv

import pytest
from helpers import bea_cells, said, sheet

from tradelib.briefs.official import years

JULY = ("2018-07", "2018-10-05")
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


@pytest.fixture(scope="module")
def adjusted(originals):
    """Dollars of ctyseasonal by code, letter of the block, and (year, month), with the csv module."""
    with (originals / "census" / "ctyseasonal_2025-04-03.csv").open(encoding="utf-8") as lines:
        return {
            (row["cty_code"], block, (int(row["year"]), n)): float(row[f"{block}{month}"] or "nan")
            for row in csv.DictReader(lines)
            for block in "BEI"
            for n, month in enumerate(MONTHS, 1)
        }


@pytest.mark.parametrize(
    ("who", "release", "month"), [("KOR", "2018-07", 7), ("CAN", "2020-04", 4), ("CHN", "2024-08", 8)]
)
def test_the_month_and_three_months_are_those_of_the_publisher(adjusted, who, release, month):
    found, year = sheet(who, release), int(release[:4])
    for side, block in (("exports", "E"), ("imports", "I"), ("balance", "B")):
        last = 12 * year + month - 1
        six = [divmod(n, 12) for n in range(last - 5, last + 1)]
        *before, one, two, now = (adjusted[found.partner.code, block, (y, m + 1)] for y, m in six)
        end = "usd" if side == "balance" else "pct"
        changed = now - two if end == "usd" else 100 * (now / two - 1)
        averages = sum(before) / 3, (one + two + now) / 3
        slow = averages[1] - averages[0] if end == "usd" else 100 * (averages[1] / averages[0] - 1)
        # dollars of the table are whole
        assert found.value(f"goods.{side}.sa.month") == pytest.approx(now, abs=2)
        assert found.value(f"goods.{side}.sa.month_change_{end}") == pytest.approx(
            changed, rel=1e-6, abs=1e-6
        )
        assert found.value(f"goods.{side}.sa.three_months") == pytest.approx(averages[1], abs=2)
        assert found.value(f"goods.{side}.sa.three_months_change_{end}") == pytest.approx(slow, rel=1e-6)


def test_the_passage_says_how_the_month_stands_to_the_one_before():
    assert said("adjusted", sheet("KOR", *JULY)) == (
        "Seasonally adjusted by Census, exports to South Korea rose by 1.2 percent in July 2018 from the "
        "month before and imports rose by 3.3 percent; the balance worsened by $139 million: a deficit of "
        "$1.6 billion. Averaged over May-July 2018, exports rose by 2.8 percent on the three months before "
        "and imports rose by 6.2 percent, and the balance worsened by $233 million: a deficit of $1.5 "
        "billion a month. The adjusted figures are as published on April 3, 2025."
    )


def test_the_release_s_own_exhibit_comes_first():
    found = sheet("KOR", "2021-08")
    assert found["goods.exports.sa.month"].table == "goods_ft900_sa"
    assert found["goods.exports.sa.month"].vintage == "2021-10-05"
    assert found["goods.exports.sa.three_months"].table == "goods_census_sa"
    assert "The month is as the release printed it, the averages are as published on April 3, 2025." in said(
        "adjusted", found
    )


@pytest.mark.parametrize(
    ("who", "release", "why"),
    [
        ("TUV", JULY, "Census publishes no seasonally adjusted goods trade with Tuvalu for these months"),
        ("EU", JULY, "the official figures may count other members"),
        ("KOR", ("1995-03", None), "no official seasonally adjusted table at hand reaches these months"),
    ],
)
def test_where_there_is_no_official_table_the_annex_says_why(who, release, why):
    found = sheet(who, *release)
    assert said("adjusted", found) == ""
    assert found["goods.balance.sa.month"].reason == why
    assert f"Not told here, because {why}." in said("how-to-read", found)


def test_ten_years_are_those_of_bea_s_workbook(originals):
    path = originals / "bea" / "trad-geo-time-series_2025-03-06.xlsx"
    table = years(sheet("KOR", "2024-08"), caption="By year")
    rows = [[cell.replace("\N{MINUS SIGN}", "-") for cell in row] for row in table.cells]
    assert [row[0] for row in rows] == [str(year) for year in range(2014, 2024)]
    # tables 1 to 9: exports, imports, balance of total; of goods; of services, by their titles
    for place, number in ((1, 4), (2, 5), (3, 6), (4, 7), (5, 8), (6, 9), (7, 1), (8, 2), (9, 3)):
        cells = bea_cells(path, number)
        raw = [cells[year, "Korea, South"] for year in (row[0] for row in rows)]
        assert [row[place] for row in rows] == [f"{usd / 1e3:,.1f}" for usd in raw], number


def test_years_end_with_the_last_one_that_was_out_in_full_and_not_at_all_for_changing_members():
    assert years(sheet("KOR", *JULY)).cells[-1][0] == "2017"
    assert years(sheet("KOR", "2019-01")).cells[-1][0] == "2018"
    assert years(sheet("EU", "2020-08")) is None
    assert years(sheet("TUV", *JULY)) is None
