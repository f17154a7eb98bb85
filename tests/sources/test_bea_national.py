"""BEA's national workbook: its table 1, told by its title and read by its two rows of heads."""

import pytest

import tradelib as tl
from tradelib.sources.bea_national import parse, table_of
from tradelib.sources.workbooks import read_sheets
from tradelib.tables import CheckError, check_flows

ORIGINAL = "trad-time-series_2025-04-03.xlsx"
HEAD = [
    ["Table 1. U.S. International Trade in Goods and Services"],
    ["Exports, Imports, and Balances"],
    ["[Millions of dollars, months seasonally adjusted]"],
    ["Period", "", "Balance", "", "", "Exports", "", "", " Imports", ""],
    ["", *["Total", "Goods 1", "Services"] * 3],
]
YEAR = ["2024", -9, -12, 3, 32, 21, 11, 41, 33, 8]
MONTH = ["2024 Jan (R)", -1, -2, 1, 3, 2, 1, 4, 4, 0]


def test_the_figures_are_those_of_the_table():
    tables = parse([*HEAD, ["Annual"], YEAR, ["Monthly"], MONTH, ["1. A note"]])
    years = tl.balance(check_flows(tables["trade_world_annual"], "trade_world_annual"), item="total")
    assert years.loc[("0015", "2024")].tolist() == [32e6, 41e6, -9e6]
    months = check_flows(tables["trade_world_sa"], "trade_world_sa")
    assert set(months["note"]) == {"(R)"} and months["value_usd"].sum() == 12e6


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([*HEAD, [*YEAR[:4], 99, *YEAR[5:]], MONTH], "balance is exports less imports"),
        ([*HEAD, [*YEAR[:4], "n.a.", *YEAR[5:]], MONTH], "no number"),
        ([HEAD[0], HEAD[1], ["[Billions]"], *HEAD[3:], YEAR], "millions of dollars"),
        ([*HEAD[:4], ["", *["Total", "Goods 1"] * 3], YEAR], "three items each"),
        (HEAD[:3], "begins with 'Period'"),
    ],
)
def test_a_wrong_table_is_refused(rows, told):
    with pytest.raises(CheckError, match=told):
        parse(rows)


def test_the_bundled_vintage_is_that_of_the_original(originals):
    rows = table_of(read_sheets((originals / "bea" / ORIGINAL).read_bytes()))
    told = {str(row[0]).removesuffix(".0"): row[1] for row in rows if row and str(row[0])[:4].isdigit()}
    assert told["2018"] == -578_594
    assert tl.fact("total.balance@2018 of WLD", as_of="2025-04-03").value == told["2018"] * 1e6
    month = tl.fact("total.balance@2018-10 of WLD", as_of="2025-04-03")
    assert month.value == told["2018 Oct"] * 1e6 and month.table == "trade_world_sa"
