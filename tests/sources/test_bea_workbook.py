"""BEA's country workbook: every figure and mark is kept, every broken sheet refused."""

import re

import pandas as pd
import pytest
from bea_server import WORKBOOK_PATH, BeaServer, page_of
from helpers import BEA_COPY, bea_cells, bea_sheets, raw_rows, raw_sum, write_xlsx

from tradelib import balance, list_vintages, load_trade
from tradelib.errors import FetchError, TradelibError
from tradelib.sources.bea_workbook import (
    find_workbook_link,
    is_country_workbook,
    last_updated,
    parse_country_workbook,
    workbook_address,
)
from tradelib.sources.download import get_file
from tradelib.sources.workbooks import read_sheets
from tradelib.store import vintages
from tradelib.tables import CheckError, check_flows

TABLES = {("exports", "total"): 1, ("imports", "total"): 2, ("balance", "total"): 3}
TABLES |= {(flow, "goods"): n for n, flow in enumerate(("exports", "imports", "balance"), 4)}
TABLES |= {(flow, "services"): n for n, flow in enumerate(("exports", "imports", "balance"), 7)}


@pytest.fixture(scope="module")
def real(originals):
    return read_sheets((originals / "bea" / BEA_COPY).read_bytes())


@pytest.fixture
def sheets():
    return bea_sheets()


@pytest.fixture
def quarters(sheets):
    return parse_country_workbook(sheets)["trade_bop_sa"].set_index(["flow", "item", "partner", "period"])


def put(sheets, number, label, area, cell):
    """Set one cell of a table, found by its period label and column name."""
    rows = sheets[f"Table {number}"]
    column = next(row for row in rows if row[0] == "Period").index(area)
    (row,) = [row for row in rows if str(row[0]) == label]
    row[column] = cell
    return sheets


# --- the real workbook --------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["trade_bop_sa", "trade_bop_annual"])
def test_the_real_workbook_parses_to_exactly_the_bundled_vintage(real, table):
    frame = check_flows(parse_country_workbook(real)[table], table)
    (bundled,) = list_vintages(table)
    assert frame.equals(vintages.read(bundled))
    assert bundled.published.isoformat() == last_updated(real) == "2025-03-06"


@pytest.mark.parametrize(("kind", "number"), TABLES.items())
def test_every_cell_of_the_workbook_read_with_openpyxl_is_in_the_bundle(originals, kind, number):
    flow, item = kind
    cells = bea_cells(originals / "bea" / BEA_COPY, number)
    areas = {"Korea, South": "5800", "Vietnam": "5520", "South/\nCentral America": "0009"}
    frame = raw_rows("trade_bop_sa", "2025-03-06")
    frame = frame[(frame["flow"] == flow) & (frame["item"] == item)]
    for area, code in areas.items():
        rows = frame[frame["partner"] == code]
        assert len(rows) == 104
        for period, value, note in rows[["period", "value_usd", "note"]].itertuples(index=False):
            cell = cells[f"{period[:4]} {(int(period[5:]) + 2) // 3}", area]
            if cell == "n.a.":
                assert value != value and note == "n.a."
            else:
                assert value == cell * 1e6


def test_koreas_services_of_the_first_half_of_2018_are_the_published_7130_million(originals):
    cells = bea_cells(originals / "bea" / BEA_COPY, 9)
    published = sum(cells[f"2018 {quarter}", "Korea, South"] for quarter in (1, 2))
    exports, imports = (
        sum(bea_cells(originals / "bea" / BEA_COPY, n)[f"2018 {q}", "Korea, South"] for q in (1, 2))
        for n in (7, 8)
    )
    assert published == 7130 and exports - imports == 7129, "rounded separately"
    table = "trade_bop_sa", "2025-03-06"
    where = {"partner": "5800", "item": "services", "flow": "balance"}
    assert raw_sum(*table, ["2018-01", "2018-04"], **where) == 7_130_000_000


def test_balances_are_kept_as_published_where_they_differ_from_the_difference_by_rounding():
    trade = load_trade(as_of="2025-03-06", partner="5800", since="2018Q1", through="2018Q2")
    sides = balance(trade).loc[("5800", "services")].sum()
    assert sides["balance_usd"] == 7_130_000_000
    assert sides["exports_usd"] - sides["imports_usd"] == 7_129_000_000


def test_vietnam_has_no_services_by_quarter_before_2013_and_says_what_bea_printed():
    trade = load_trade(as_of="2025-03-06", partner="5520")
    services = trade[trade["item"] == "services"]
    early = services["period"] < pd.Period("2013Q1", "Q")
    assert early.any()
    assert services.loc[early, "value_usd"].isna().all()
    assert set(services.loc[early, "note"]) == {"n.a."}
    assert services.loc[~early, "value_usd"].notna().all()


# --- marks and labels ---------------------------------------------------------------------------


def test_nine_tables_make_quarters_and_years(sheets):
    tables = parse_country_workbook(sheets)
    assert set(tables) == {"trade_bop_sa", "trade_bop_annual"}
    for name, periods in (("trade_bop_sa", 6), ("trade_bop_annual", 2)):
        frame = check_flows(tables[name], name)
        assert len(frame) == 3 * 3 * 3 * periods
        assert set(frame["partner"]) == {"5800", "5520", "0009"}, "line ends in names do not matter"


def test_not_available_is_missing_with_that_note_and_never_zero(quarters):
    row = quarters.loc[("exports", "services", "5520", pd.Period("2017Q1", "Q"))]
    assert row["value_usd"] != row["value_usd"] and row["note"] == "n.a."


def test_a_revised_quarter_carries_its_mark_on_every_figure(quarters):
    notes = quarters.xs(pd.Period("2018Q1", "Q"), level="period")["note"]
    assert set(notes) == {"(R)"}
    assert quarters.xs(pd.Period("2018Q2", "Q"), level="period")["note"].isna().all()


def test_millions_become_whole_dollars(quarters):
    assert quarters.loc[("exports", "goods", "5800", pd.Period("2017Q1", "Q")), "value_usd"] == 13_020_000_000


def test_nearly_zero_is_zero_with_its_mark(sheets):
    for number, cell in ((7, "(*)"), (9, -37.0), (1, 13070.0), (3, -4802.0)):
        put(sheets, number, "2018 2", "Korea, South", cell)
    frame = parse_country_workbook(sheets)["trade_bop_sa"]
    (row,) = frame[frame["note"] == "(*)"].itertuples()
    assert (row.flow, row.item, row.partner, row.value_usd) == ("exports", "services", "5800", 0.0)


@pytest.mark.parametrize(("cell", "note"), [("n.a.", "n.a."), ("(D)", "(D)")])
def test_a_suppressed_figure_is_missing_with_its_mark(sheets, cell, note):
    put(sheets, 7, "2018 2", "Korea, South", cell)
    frame = parse_country_workbook(sheets)["trade_bop_sa"]
    gone = frame[frame["value_usd"].isna() & (frame["partner"] == "5800")]
    assert gone["note"].tolist() == [note]


def test_text_numbers_with_commas_and_a_revision_mark_are_read(sheets):
    put(sheets, 7, "2018 2", "Korea, South", " 47 (R)")
    frame = parse_country_workbook(sheets)["trade_bop_sa"]
    row = frame[(frame["partner"] == "5800") & (frame["item"] == "services") & (frame["flow"] == "exports")]
    row = row[row["period"] == pd.Period("2018Q2", "Q")].iloc[0]
    assert (row["value_usd"], row["note"]) == (47_000_000, "(R)")


@pytest.mark.parametrize("label", ["2018 2 (R)", "2018 2", "2018:2", "2018 Q2", "2018Q2", "2018 2 (R) "])
def test_labels_of_a_quarter(sheets, label):
    for rows in sheets.values():
        for row in rows:
            if row[0] == "2018 2":
                row[0] = label
    frame = parse_country_workbook(sheets)["trade_bop_sa"]
    rows = frame[frame["period"] == pd.Period("2018Q2", "Q")]
    assert len(rows) == 27
    assert set(rows["note"].dropna()) == ({"(R)"} if "(R)" in label else set())


def test_notes_below_the_data_are_no_data(sheets):
    with_notes = parse_country_workbook(sheets)["trade_bop_sa"]
    for rows in sheets.values():
        del rows[17:]
    assert parse_country_workbook(sheets)["trade_bop_sa"].equals(with_notes)


def test_sheets_are_told_by_their_subtitle_and_not_by_their_name_or_order(sheets):
    renamed = {f"Sheet {n}": rows for n, rows in enumerate(reversed(sheets.values()))}
    keys = ["flow", "item", "partner", "period"]
    one, two = (
        parse_country_workbook(given)["trade_bop_sa"].sort_values(keys, ignore_index=True)
        for given in (sheets, renamed)
    )
    assert one.equals(two)


def test_the_date_of_the_last_update_is_read_from_the_sheets(sheets):
    assert last_updated(sheets) == "2018-09-05"
    assert last_updated({name: rows[1:] for name, rows in sheets.items()}) is None
    assert last_updated({"empty": [], "blank": [[]]}) is None


def test_sheets_of_different_days_are_no_workbook_of_one():
    sheets = bea_sheets()
    sheets["Table 5"][0] = ["Last updated December 5, 2018"]
    with pytest.raises(CheckError, match="different days: 2018-09-05, 2018-12-05"):
        last_updated(sheets)


@pytest.mark.parametrize("line", ["Last updated March", "Last updated March 2025", "Last updated 2025"])
def test_a_day_that_is_no_day_is_told(line):
    with pytest.raises(CheckError, match="cannot be read"):
        last_updated({"Table 1": [[line]]})


def test_a_country_workbook_is_told_from_others(sheets):
    assert is_country_workbook(sheets)
    assert not is_country_workbook({"country": [["year", "CTY_CODE"]], "empty": []})


# --- refusals -----------------------------------------------------------------------------------


def drop(sheets, number):
    del sheets[f"Table {number}"]
    return sheets


def replace_cells(sheets, number, old, new):
    rows = sheets[f"Table {number}"]
    sheets[f"Table {number}"] = [[new if cell == old else cell for cell in row] for row in rows]
    return sheets


BROKEN = {
    "a tampered balance": (
        lambda s: put(s, 9, "2018 2", "Korea, South", 500.0),
        ["services: balance is exports less imports", "2018Q2", "5800", "-490000000"],
    ),
    "a tampered flow": (
        lambda s: put(s, 4, "2018 2", "Korea, South", 900.0),
        ["goods", "2018Q2", "5800"],
    ),
    "goods and services that miss the total": (
        lambda s: put(put(s, 1, "2018 2", "Vietnam", 2600.0), 3, "2018 2", "Vietnam", -9273.0),
        ["exports: goods and services make the total", "2018Q2", "5520"],
    ),
    "a tampered year": (
        lambda s: put(s, 6, "2016.0", "Korea, South", 0.0),
        ["goods: balance is exports less imports", "2016", "5800"],
    ),
    "a missing table": (lambda s: drop(s, 8), ["lacks imports of services"]),
    "billions": (
        lambda s: replace_cells(
            s,
            5,
            "[Millions of dollars, quarters seasonally adjusted]",
            "[Billions of dollars, quarters seasonally adjusted]",
        ),
        ["Table 5: the units line must say millions of dollars"],
    ),
    "no header row": (lambda s: replace_cells(s, 5, "Period", "Quarter"), ["Table 5", "'Period'"]),
    "an unknown area": (
        lambda s: replace_cells(s, 5, "Vietnam", "Freedonia"),
        ["'Freedonia' is not a known area name"],
    ),
    "an area twice": (
        lambda s: replace_cells(s, 5, "Vietnam", "Korea, South"),
        ["Table 5: one row per period", "5800"],
    ),
    "text in a number cell": (
        lambda s: put(s, 5, "2018 2", "Vietnam", "see note"),
        ["Table 5, 2018 2, 5520", "'see note'"],
    ),
    "a blank cell": (lambda s: put(s, 5, "2018 2", "Vietnam", ""), ["Table 5, 2018 2, 5520"]),
    "no tables at all": (lambda s: {"Readme": s["Readme"]}, ["No table of trade", "Readme"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_workbook_is_refused_with_the_place_and_the_rule(sheets, case):
    parse_country_workbook(sheets)
    breaks, words = BROKEN[case]
    with pytest.raises(TradelibError) as refusal:
        parse_country_workbook(breaks(sheets))
    for word in words:
        assert re.search(re.escape(word), str(refusal.value)), f"{word!r} not in:\n{refusal.value}"


@pytest.mark.parametrize("number", range(1, 10))
def test_one_cell_changed_by_two_million_in_any_table_of_the_real_workbook_is_refused(real, number):
    rows = real[f"Table {number}"]
    column = rows[5].index("Korea, South")
    (row,) = [row for row in rows if str(row[0]).startswith("2018 2")]
    before = row[column]
    try:
        row[column] = before + 2.5
        with pytest.raises(CheckError, match="2018Q2"):
            parse_country_workbook(real)
    finally:
        row[column] = before


def test_rounding_by_one_million_is_accepted(sheets):
    put(sheets, 9, "2018 2", "Korea, South", 11.0)
    frame = parse_country_workbook(sheets)["trade_bop_sa"].set_index(["flow", "item", "partner", "period"])
    key = ("balance", "services", "5800", pd.Period("2018Q2", "Q"))
    assert frame.loc[key, "value_usd"] == 11_000_000, "kept as published"


def test_the_residual_need_not_add_up_before_2013_and_must_since(sheets):
    for rows in sheets.values():
        for row in rows:
            if row[0] == "Period":
                row[1] = "All other countries"
    with pytest.raises(CheckError, match="REST"):
        parse_country_workbook(put(sheets, 9, "2018 2", "All other countries", 500.0))
    for rows in sheets.values():
        for row in rows:
            row[0] = re.sub("^201[78]", lambda year: str(int(year[0]) - 10), str(row[0]))
    parse_country_workbook(sheets)


# --- where it is, and getting it ----------------------------------------------------------------

FILES = "/sites/default/files/"
OLD, NEW = FILES + "2025-03/trad-geo-time-series-0125.xlsx", FILES + "2026-09/trad0726-geo-time-series.xlsx"
HERE = "https://www.bea.gov"


@pytest.mark.parametrize(
    ("hrefs", "found"),
    [
        ([OLD], HERE + OLD),
        ([NEW], HERE + NEW),
        ([HERE + OLD], HERE + OLD),
        (["//www.bea.gov" + OLD], HERE + OLD),
        (["http://www.bea.gov" + OLD], HERE + OLD),
        (["https://apps.bea.gov" + OLD], "https://apps.bea.gov" + OLD),
        ([f" \n{OLD} "], HERE + OLD),
        ([OLD + "?a=1&amp;b=2#top"], HERE + OLD + "?a=1&b=2"),
        ([OLD.replace("-0125", "&#45;0125")], HERE + OLD),
        ([OLD.replace(".xlsx", ".XLSX")], HERE + OLD.replace(".xlsx", ".XLSX")),
        (["../../sites/default/files/trad-geo-time-series-0125.xlsx"], None),
        ([OLD, NEW], HERE + NEW),
        ([NEW, OLD], HERE + NEW),
        (
            [
                FILES + "2025-12/trad-geo-time-series-1025.xlsx",
                FILES + "2026-03/trad0126-geo-time-series.xlsx",
            ],
            1,
        ),
        (
            [
                FILES + "2025-03/trad-geo-time-series-0125.xlsx",
                FILES + "2025-04/trad-geo-time-series-0125.xlsx",
            ],
            1,
        ),
        ([OLD.replace(".xlsx", "_0.xlsx"), OLD], 0),
        ([OLD, OLD], 0),
    ],
)
def test_the_newest_country_workbook_is_found_among_the_links(hrefs, found):
    expected = {None: HERE + "/sites/default/files/trad-geo-time-series-0125.xlsx"}.get(found, found)
    expected = HERE + hrefs[found] if isinstance(found, int) else expected
    assert find_workbook_link(page_of(*hrefs)) == expected


@pytest.mark.parametrize(
    "href",
    [
        "https://example.org" + OLD,
        "https://notbea.gov" + OLD,
        "https://www.bea.gov.example.org" + OLD,
        "https://www.bea.gov@example.org" + OLD,
        "//example.org" + OLD,
        "ftp://www.bea.gov" + OLD,
        "file://" + OLD,
        "http://[www.bea.gov" + OLD,
        FILES + "2025-03/trad-time-series-0125.xlsx",
        FILES + "2026-09/trad0726-time-series.xlsx",
        FILES + "2025-03/trad-geo-time-series-0125.pdf",
        FILES + "2025-03/trad-geo-time-series-1325.xlsx",
        FILES + "2025-03/trad-geo-time-series.xlsx",
        FILES + "2025-03/nottrad-geo-time-series-0125.xlsx",
        FILES + "2025-03/x.html?file=/trad-geo-time-series-0125.xlsx",
        "#" + OLD,
        "javascript:void(0)",
        "",
    ],
)
def test_other_links_are_not_taken_for_it(href):
    with pytest.raises(FetchError, match="no country workbook of BEA's own"):
        find_workbook_link(page_of(href))
    assert find_workbook_link(page_of(href, OLD)) == HERE + OLD


def test_a_page_without_the_workbook_is_told_with_the_workbooks_it_has_and_what_to_do():
    with pytest.raises(FetchError) as refusal:
        find_workbook_link(page_of(FILES + "a.pdf", "https://example.org/trad-geo-time-series-0125.xlsx?k=v"))
    for words in ("trad-time-series-0125.xlsx", "https://example.org/trad-geo", "tradelib ingest FILE"):
        assert words in str(refusal.value)
    assert "a.pdf" not in str(refusal.value) and "k=v" not in str(refusal.value)
    with pytest.raises(FetchError, match="Its workbooks: none"):
        find_workbook_link(b"")


def fetch_country_workbook():
    return get_file(workbook_address(), name="BEA's country workbook")


@pytest.fixture
def site(mirror, tmp_path, sheets):
    return BeaServer(mirror, workbook=write_xlsx(tmp_path / "book.xlsx", sheets).read_bytes())


def test_the_workbook_is_fetched_from_where_the_page_links_to(site, sheets):
    reply = fetch_country_workbook()
    assert reply.content == site.workbook and reply.transferred == len(site.workbook)
    assert reply.url == HERE + OLD and f"{reply.last_modified:%Y-%m-%d}" == "2025-03-06"
    fetched, drawn = (parse_country_workbook(book) for book in (read_sheets(reply.content), sheets))
    assert fetched["trade_bop_sa"].equals(drawn["trade_bop_sa"])


def test_an_unchanged_workbook_is_not_transferred_again_and_a_changed_one_is(site):
    first = fetch_country_workbook()
    again = fetch_country_workbook()
    assert again.content == first.content and again.transferred == 0
    assert (site.pages, site.workbooks_sent) == (2, 1)
    site.workbook += b"changed"
    assert fetch_country_workbook().content == site.workbook
    assert site.workbooks_sent == 2


def test_the_workbook_of_2026_is_found_under_its_new_name(site):
    site.workbook_path, site.page = "/www.bea.gov" + NEW, page_of(OLD, NEW)
    assert fetch_country_workbook().url == HERE + NEW


def test_a_link_that_leads_nowhere_is_told(site):
    site.workbook_path = WORKBOOK_PATH.replace("0125", "0425")
    with pytest.raises(FetchError, match="no such file"):
        fetch_country_workbook()


def test_a_page_without_the_link_is_told_and_a_page_in_the_workbooks_place_refused(site):
    good = site.page
    site.page = b"<html><title>Maintenance</title></html>"
    with pytest.raises(FetchError, match="no country workbook"):
        fetch_country_workbook()
    site.page, site.workbook = good, b"<html><title>Maintenance</title></html>"
    with pytest.raises(FetchError, match="a web page came instead"):
        fetch_country_workbook()
