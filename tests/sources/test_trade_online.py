"""A pair of Standard Reports of USA Trade Online becomes goods by partner, or is refused with what lacks."""

from datetime import date

import pytest
from helpers import write_xlsx

import tradelib as tl
from tradelib.errors import TradelibError
from tradelib.partners import WORLD, countries, partner
from tradelib.sources.ingest import ingest
from tradelib.sources.trade_online import parse_pair
from tradelib.sources.workbooks import read_sheets

MEASURES = {"exports": "Value ($US)", "imports": "Customs Value (Gen) ($US)"}


@pytest.fixture(scope="module")
def flows():
    rows = tl.load("goods_census_nsa_api", as_of="latest", since="2020-01", through="2021-05")
    return rows[rows["partner"].isin([*countries(), WORLD])]


def report(folder, flows, flow, **lines):
    """A report in the shape of the real one; a country's name stands in its first row only."""
    head = {"Commodity": "All Commodities", "District": "All Districts"} | lines
    rows = [
        [f"Standard Report - {flow.title()}", "", ""],
        ["Current date: 07/20/2021 10:14 PM (EDT)", "", ""],
    ]
    rows += [[f"{name}: {value}", "", ""] for name, value in head.items()]
    rows += [["", "Measures", MEASURES[flow]], ["Country", "Time", ""]]
    for code, part in flows[flows["flow"] == flow].groupby("partner"):
        name = "World Total" if code == WORLD else partner(code).name
        for n, (month, usd) in enumerate(zip(part["period"], part["value_usd"], strict=True)):
            rows.append(["" if n else name, date(month.year, month.month, 1), float(usd)])
    return write_xlsx(folder / f"{flow}.xlsx", {"Report": rows})


def test_a_pair_becomes_the_table_of_goods_with_the_day_it_prints(flows, tmp_path, store):
    books = [report(tmp_path, flows, flow) for flow in ("exports", "imports")]
    ((vintage, written),) = ingest(books, saved="2021-07-20")
    assert (written, vintage.table, vintage.dated_by) == (True, "goods_census_nsa_api", "saved")
    found = tl.load(vintage.table, as_of="2021-07-20", partner="5800")
    wanted = flows[flows["partner"] == "5800"]
    assert sorted(found["value_usd"]) == sorted(wanted["value_usd"])


@pytest.mark.parametrize(
    "lines", [{"District": "Houston-Galveston, TX"}, {"Domestic/Foreign": "Domestic Exports"}]
)
def test_a_part_of_trade_and_one_report_alone_are_refused(flows, lines, tmp_path, store):
    part = report(tmp_path, flows, "exports", **lines)
    with pytest.raises(TradelibError, match=r"(?s)exports.xlsx holds exports.*in one call"):
        ingest([part])
    with pytest.raises(
        TradelibError, match=rf"(?s)exports.xlsx: The report is a part of trade.*{next(iter(lines))}"
    ):
        ingest([part, report(tmp_path, flows, "imports")])
    assert not store.exists()


def test_the_original_agrees_with_the_country_table(originals):
    (file,) = (originals / "usatradeonline").glob("*.xlsx")
    real = read_sheets(file.read_bytes())
    rows = [
        [cell if cell != MEASURES["exports"] else MEASURES["imports"] for cell in row]
        for row in real["Standard Report - Exports"]
    ]
    rows[0][0] = "Standard Report - Imports"
    rows = [row for row in rows if not str(row[0]).startswith("Domestic/Foreign")]
    found = parse_pair({"e.xlsx": real, "i.xlsx": {"s": rows}})["goods_census_nsa_api"]
    korea = found[found["partner"].eq("5800") & found["flow"].eq("exports") & found["period"].eq("2018-07")]
    assert korea["value_usd"].tolist() == [4_683_482_573.0]
