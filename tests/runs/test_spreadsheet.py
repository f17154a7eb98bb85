"""The spreadsheet of a page: every figure as in the facts, each table where a screen reader finds it."""

import io
import json

import openpyxl
import pytest
from click.testing import CliRunner
from helpers import sheet

from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.runs import report, spreadsheet
from tradelib.store import files

CHART = {
    "title": "It fell. Source: me.",
    "columns": [
        {"name": "period", "values": ["2018Q1", "2018Q2"]},
        {"name": "goods_and_services_usd", "values": [1.5e9, None]},
        {"name": "change_pct", "values": [-0.5, 0]},
    ],
}


@pytest.fixture(scope="module")
def told():
    document = json.loads(json.dumps(sheet("KOR", "2018-07").document()))
    own = {"version": "0", "headline": "=It fell.", "figures": ["Chart: It fell."], "vintages": []}
    return document | {"tradelib": own, "charts": [CHART]}


def test_every_figure_stands_in_it_once_as_a_number_with_its_unit(told):
    book = openpyxl.load_workbook(io.BytesIO(spreadsheet.workbook(told)))
    assert book.sheetnames[:2] == ["Cover", "Notes"]
    found = {}
    for one in book:
        assert one["A1"].value and not one.merged_cells and one.freeze_panes == "A3"
        (table,) = one.tables.values()
        assert table.ref == f"A2:{one.dimensions.split(':')[1]}", "the head is marked, nothing lies outside"
        assert all(cell.value for cell in one[2]), "each column has a header"
        if one["J2"].value == "Id":
            found |= {row[9]: row for row in one.iter_rows(min_row=3, values_only=True)}
    assert found.keys() == told["facts"].keys()
    for id, fact in told["facts"].items():
        if fact["reason"]:
            assert found[id][1] == "not available" and found[id][8] == fact["reason"]
        elif isinstance(fact["value"], int | float):
            assert found[id][1] == pytest.approx(fact["value"], abs=0.5 if fact["unit"] == "USD" else 1e-9)
        assert (found[id][2], found[id][6]) == (fact["unit"], fact["vintage"] or "not available")
    assert book["Cover"]["A3"].value == "=It fell." and book["Cover"]["A3"].data_type == "s"
    assert [*book["Chart 1"].iter_rows(max_col=3, values_only=True)] == [
        ("U.S. trade with Korea, South, 2018-07: It fell. Source: me", None, None),
        ("Period", "Goods and services, USD", "Change, percent"),
        *(("2018Q1", 1.5e9, -0.5), ("2018Q2", "not available", 0)),
    ]
    assert (book["Chart 1"]["B3"].number_format, book["Chart 1"]["C3"].number_format) == ("#,##0", "0.0")
    values = [row[1] for row in book["Series 1"].iter_rows(min_row=3, values_only=True)]
    assert values == next(iter(told["series"].values()))["values"]


def test_a_sheet_can_be_read_whatever_a_chart_of_ones_own_holds_and_what_is_missing_says_so(told):
    columns = [("Exports", [1, None]), ("exports", ["@x\x0b", float("nan")]), ("", ["=2", "-1"])]
    charts = [
        {"title": "Mine", "columns": [{"name": name, "values": values} for name, values in columns]},
        {"title": "Nothing yet", "columns": [{"name": "a", "values": []}]},
    ]
    series = {"since": "2018-01", "freq": "M", "values": [None], "unit": "USD", "table": "t", "vintage": "v"}
    document = told | {"charts": charts, "series": {"x": series}}
    book = openpyxl.load_workbook(io.BytesIO(spreadsheet.workbook(document)))
    assert [*book["Chart 1"].iter_rows(min_row=2, values_only=True)] == [
        ("Exports", "Exports 2", "Column"),
        (1, "@x", "=2"),
        ("not available", "not available", "-1"),
    ]
    assert (book["Chart 1"]["C3"].data_type, book["Chart 2"]["A3"].value) == ("s", "not available")
    assert book["Series 1"]["B3"].value == "not available"
    heads, *rows = book["Goods"].iter_rows(min_row=2, values_only=True)
    blank = {head for row in rows for head, value in zip(heads, row, strict=True) if value in (None, "")}
    assert blank <= {"Note"}


def test_it_lies_beside_the_page_and_a_page_without_facts_is_told(told, tmp_path):
    (tmp_path / "korea-south.facts.json").write_text(json.dumps(told))
    assert spreadsheet.write(tmp_path / "korea-south.html") == tmp_path / "korea-south.xlsx"
    (tmp_path / "mine.facts.json").write_text("[]")
    for name in ("mine.html", "nowhere.html"):
        with pytest.raises(TradelibError):
            spreadsheet.write(tmp_path / name)
    words = ["spreadsheet", *[str(tmp_path / "korea-south.html")] * 2, "--to", str(tmp_path / "both.xlsx")]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, (tmp_path / "both.xlsx").exists()) == (1, False), result.output


def test_data_of_a_users_own_are_not_written_over_by_the_spreadsheet_of_a_page_of_their_name(told, tmp_path):
    facts, own = tmp_path / "mine.facts.json", tmp_path / "mine.xlsx"
    facts.write_text(json.dumps(told))
    openpyxl.Workbook().save(own)
    for content in (own.read_bytes(), b"no workbook"):
        own.write_bytes(content)
        with pytest.raises(TradelibError, match="is another's: it is not written over"):
            spreadsheet.write(tmp_path / "mine.html")
        report._promote(tmp_path, "mine", {".facts.json": facts.read_text()}, tmp_path)
        assert own.read_bytes() == content
    assert spreadsheet.write(tmp_path / "mine.html", to=own) == own
    assert spreadsheet.write(tmp_path / "mine.html") == own, "it is ours now"


@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_no_page_is_there_without_its_new_spreadsheet_wherever_a_run_was_killed(
    told, tmp_path, monkeypatch, killed_at
):
    texts = {".facts.json": json.dumps(told), ".html": "old", ".ipynb": "old"}
    (tmp_path / "work").mkdir()
    report._promote(tmp_path, "kor", texts, tmp_path / "work")
    spreadsheet.write(tmp_path / "kor.html")
    left, real = iter(range(1, killed_at)), files.put
    new = json.dumps(told | {"charts": []})

    def put(*args, **options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(*args, **options)

    monkeypatch.setattr(files, "put", put)
    with pytest.raises(KeyboardInterrupt):
        report._promote(tmp_path, "kor", texts | {".facts.json": new, ".ipynb": "new"}, tmp_path / "work")
    assert (tmp_path / "kor.ipynb").read_text() == "old", "the page is made again by the next run"


def test_what_is_by_year_is_not_said_to_need_no_adjustment():
    """Exports of 2024 stood as "BOP, not needed"."""
    fact = json.loads(json.dumps(sheet("KOR", "2025-02").document()))["facts"]["total.exports.ytd"]
    assert fact["table"] == "trade_bop_annual"
    assert spreadsheet._row("total.exports.ytd", fact)[4] == "BOP, by year"
