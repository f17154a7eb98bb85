"""A published brief against the data: the Korea Economic Institute's note of 2018-09-05.

Its thirteen numeric claims, as printed, and what each vintage says. Recorded figures are checked
against the raw files without tradelib.
"""

from dataclasses import dataclass
from datetime import date

import pytest
from helpers import BEA_COPY, bea_cells, csv_cells, raw_rows, sheet, workbook_cells

from tradelib.briefs.universe import universe
from tradelib.partners import country_set, partner

RELEASE, OLD, NEW = "2018-07", "2018-10-05", "2025-04-03"
BEHIND = {"France", "Italy", "Japan", "Mexico"}
HALVES = [f"{year} {quarter}" for year in (2017, 2018) for quarter in (1, 2)]


@dataclass(frozen=True)
class Claim:
    """One claim as printed, the fact that measures it, and what the data say on a day."""

    id: str
    printed: object
    fact: str
    as_of: str
    found: object
    holds: bool

    def __str__(self):
        return f"{self.id}-{self.as_of}"


CLAIMS = [
    Claim("kei.1", 73.0, "total.deficit.ytd.reduction_pct", NEW, 65.5, holds=False),
    Claim("kei.2", "2016Q2", "total.trend.start", NEW, "2016Q2", holds=True),
    Claim("kei.3", 355e6, "services.balance.ytd.change_usd", NEW, -476e6, holds=False),
    Claim("kei.4", 6.4e9, "services.balance.ytd", NEW, 7.13e9, holds=False),
    Claim("kei.5", 11.1, "goods.exports.ytd.change_pct", OLD, 11.1, holds=True),
    Claim("kei.5", 11.1, "goods.exports.ytd.change_pct", NEW, 11.2, holds=False),
    Claim("kei.6", 2.7e9, "commodity.hs2.27.exports.ytd", NEW, 4_179_363_181, holds=False),
    Claim("kei.7", -200e6, "commodity.hs2.27.exports.ytd.less_previous_year", NEW, 119_878_806, holds=False),
    Claim("kei.8", 9, "total.deficit.rank", NEW, 9, holds=True),
    Claim("kei.10", ["KOR", "IND"], "total.reducers", NEW, ["KOR", "FRA", "IND"], holds=False),
]


def value_of(fact):
    """A fact's value at the precision in which a note prints it."""
    if fact.unit == "percent":
        return round(fact.value, 1)
    return [row["iso3"] for row in fact.value] if fact.unit == "list" else fact.value


def korea(id, as_of=NEW):
    return sheet("KOR", RELEASE, as_of)[id]


# --- the table ----------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_a_claim_reads_today_as_recorded(claim):
    found = value_of(korea(claim.fact, claim.as_of))
    assert found == claim.found
    assert (found == claim.printed) == claim.holds


def test_the_growth_of_goods_exports_reads_as_printed_on_the_vintage_of_the_day_and_not_since():
    old, new = (korea("goods.exports.ytd.change_pct", day) for day in (OLD, NEW))
    assert "11.1 percent" in old.text and "11.2 percent" in new.text
    assert (old.vintage, new.vintage) == (OLD, NEW)
    assert (old.vintage_lag_days, new.vintage_lag_days) == (0, 0)


def test_kei_1_the_deficit_fell_less_than_printed_and_by_these_dollars():
    fact = korea("total.deficit.ytd.reduction_pct")
    assert 65 < fact.value < 66 and fact.vintage == "2025-03-06"
    assert korea("total.balance.ytd").value == -979e6
    assert korea("total.balance.ytd").value - korea("total.balance.ytd.change_usd").value == -2_840e6


def test_kei_2_the_trend_began_in_the_middle_of_2016_and_is_still_rising():
    fact = korea("total.trend.start")
    assert fact.value in ("2016Q2", "2016Q3") and fact.more["direction"] == "rising"
    assert "second quarter of 2016" in fact.text


def test_kei_3_the_services_surplus_shrank_instead_of_growing():
    assert korea("services.balance.ytd").value > 0 > korea("services.balance.ytd.change_usd").value


def test_kei_6_and_7_hs_27_is_broader_than_the_printed_oil_and_gas():
    """The note's 2.7 billion is NAICS 211 by all evidence; mineral fuels hold refined products too."""
    assert korea("commodity.hs2.27.exports.ytd").value > 1.5 * 2.7e9
    assert korea("commodity.hs2.27.exports.previous_year").value == 4_059_484_375
    assert "not growth" in korea("commodity.hs2.27.exports.ytd.less_previous_year").text


def test_kei_8_the_rank_is_among_the_15_countries_of_the_day_and_carries_them():
    fact = korea("total.deficit.rank")
    assert fact.more["n"] == 15 and len(fact.more["universe"]) == 15
    assert {"Korea, South", "Brazil", "Saudi Arabia", "Singapore"} <= set(fact.more["universe"])
    assert fact.window == "2018Q1..2018Q2"


def test_kei_9_korea_stands_behind_the_four_that_the_note_names():
    taken = sheet("KOR", RELEASE, NEW).snapshot
    ahead = {partner(code).name for code, rank in taken.total_ranks.items() if rank < 9}
    assert ahead >= BEHIND
    assert len(ahead) == 8


def test_kei_10_and_11_france_reduced_too_and_india_by_a_little_more_than_printed():
    rows = {row["iso3"]: round(row["reduction_pct"], 1) for row in korea("total.reducers").value}
    assert rows == {"KOR": 65.5, "FRA": 5.2, "IND": 2.6}
    assert rows["IND"] != 2.4


def test_kei_12_quarterly_services_start_in_1999_for_korea_now_and_in_2013_for_vietnam():
    rows = raw_rows("trade_bop_sa", "2025-03-06")
    rows = rows[(rows["item"] == "services") & (rows["flow"] == "exports") & rows["value_usd"].notna()]
    first = rows.groupby("partner")["period"].min()
    assert first["5800"] == "1999-01" and first["5520"] == "2013-01"
    late = {partner(code).name for code in first.index[first == "2013-01"]}
    assert late == {"Ireland", "Israel", "Malaysia", "Switzerland", "Vietnam"}


def test_kei_13_exports_of_goods_and_services_rose_and_goods_exports_are_the_main_reason():
    parts = {
        name: korea(f"total.balance.contribution.{name}").value
        for name in ("goods_exports", "goods_imports", "services_exports", "services_imports")
    }
    assert parts["goods_exports"] == 2_616e6 and parts["services_exports"] == 253e6
    assert max(parts, key=parts.get) == "goods_exports"
    assert parts["goods_imports"] < 0 and parts["services_imports"] < 0, "imports rose and took away"
    change = korea("total.balance.ytd.change_usd").value
    assert sum(parts.values()) == pytest.approx(change, abs=4e6), "but for rounding to millions"
    assert parts["goods_exports"] > change


# --- the recorded figures in the raw files ------------------------------------------------------


@pytest.fixture(scope="module")
def table(originals):
    """Cells of one table of BEA's workbook in $ million, read with openpyxl."""
    return lambda number: bea_cells(originals / "bea" / BEA_COPY, number)


def half(cells, area, year):
    return cells[f"{year} 1", area] + cells[f"{year} 2", area]


def test_raw_balances_of_korea(table):
    both, services = table(3), table(9)
    assert (half(both, "Korea, South", 2018), half(both, "Korea, South", 2017)) == (-979, -2840)
    assert (half(services, "Korea, South", 2018), half(services, "Korea, South", 2017)) == (7130, 7606)
    assert both["2018 1", "Korea, South"] > 0, "the first quarter of 2018 is a surplus now"
    assert round(100 * (1 - 979 / 2840), 1) == 65.5


def test_raw_rank_and_reducers_of_the_15(table):
    areas = sheet("KOR", RELEASE, NEW)["total.deficit.rank"].more["universe"]
    cells = table(3)
    now = {area: half(cells, area, 2018) for area in areas}
    before = {area: half(cells, area, 2017) for area in areas}
    assert sorted(now, key=now.get).index("Korea, South") + 1 == 9
    reduced = {
        area: round(100 * (1 - now[area] / before[area]), 1)
        for area in areas
        if before[area] < 0 and now[area] > before[area]
    }
    assert reduced == {"Korea, South": 65.5, "France": 5.2, "India": 2.6}


def test_raw_rank_among_the_23_countries_listed_today(table):
    """A rank belongs to its list: ninth of the 15 of that day is thirteenth of the 23 of today."""
    codes, _ = universe(date(2025, 3, 6))
    names = [partner(code).name for code in codes]
    balances = {name: half(table(3), name, 2018) for name in names}
    assert sorted(balances, key=balances.get).index("Korea, South") + 1 == 13


def test_raw_trailing_balances_have_their_trough_in_the_second_quarter_of_2016(table):
    cells = table(3)
    labels = [f"{year} {quarter}" for year in range(2011, 2019) for quarter in (1, 2, 3, 4)][:-2]
    trailing = {
        labels[n]: sum(cells[label, "Korea, South"] for label in labels[n - 3 : n + 1])
        for n in range(3, len(labels))
    }
    assert min(trailing, key=trailing.get) == "2016 2"


def test_raw_growth_of_goods_exports_in_both_vintages(originals):
    folder = originals / "census"
    readings = {
        OLD: workbook_cells(folder / "country_2018-10-05.xlsx"),
        NEW: csv_cells(folder / "country_2025-04-03.csv"),
    }
    growth = {}
    for day, cells in readings.items():
        sums = [
            sum(cells["5800", f"{year}-{n:02d}", "exports"] for n in range(1, 8)) for year in (2017, 2018)
        ]
        growth[day] = round(100 * (sums[1] / sums[0] - 1), 1), [round(v / 1e6, 1) for v in sums]
    assert growth == {OLD: (11.1, [28_569.7, 31_752.1]), NEW: (11.2, [28_545.6, 31_735.2])}


def test_raw_goods_ranks_of_korea(originals):
    cells = workbook_cells(originals / "census" / "country_2018-10-05.xlsx")
    for year, rank in ((2018, 13), (2017, 10)):
        balances = {
            code: sum(
                sign * cells[code, f"{year}-{n:02d}", flow]
                for n in range(1, 8)
                for flow, sign in (("exports", 1), ("imports", -1))
            )
            for code in country_set()
            if (code, f"{year}-01", "exports") in cells
        }
        assert sorted(balances, key=balances.get).index("5800") + 1 == rank
    assert round(balances["5800"] / 1e6, 1) == -12_753.6
