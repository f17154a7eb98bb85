"""Tables ready to print, and every form they are needed in."""

import re
from functools import cache

import docx
import numpy as np
import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from PIL import Image

import tradelib as tl
from tradelib import TradelibError
from tradelib.style import tables, words

SOURCE = "Source: U.S. Census Bureau, country.xlsx; vintage of 2024-10-08"


@cache
def goods(day: str = "2024-10-08") -> pd.DataFrame:
    return tl.load_goods(as_of=day, since="2017-01")


@cache
def trade() -> pd.DataFrame:
    return tl.load_trade(as_of="2025-03-06", since="2017Q1")


def flows(**columns) -> pd.DataFrame:
    frame = {"period": pd.PeriodIndex(["2018-07"] * 2, freq="M"), "partner": "5800", "item": "goods"}
    return pd.DataFrame(frame | {"flow": ["exports", "imports"], "value_usd": [3.0, 5.0]} | columns)


def texts(rows) -> list[list[str]]:
    return [[cell.get_text().replace("\xa0", " ") for cell in row.find_all(["td", "th"])] for row in rows]


def rows(table) -> tuple[str, list[str], list[list[str]]]:
    """Caption, last line of headers and body, as they are read back from the HTML."""
    page = BeautifulSoup(table.to_html(), "html.parser")
    caption = page.caption.get_text() if page.caption else ""
    return caption, texts(page.thead.find_all("tr"))[-1], texts(page.tbody.find_all("tr"))


# --- what a table shows


def test_a_published_table_has_units_in_its_headers_and_thousands_separators():
    caption, head, body = rows(tl.published(tl.by_vintage(partner="KOR", through="2018-07"), caption="Korea"))
    assert caption == "Korea"
    assert head[:4] == ["Vintage", "Exports, $ million", "Imports, $ million", "Balance, $ million"]
    assert head[4:] == [
        *("Change of exports, percent", "Change of imports, percent", "Change of balance, $ million")
    ]
    assert body[0] == ["2018-10-05", "31,752.1", "41,637.7", "−9,885.7", "11.1", "0.8", "2,867.9"]


def test_names_stand_for_codes_and_what_is_missing_is_said():
    found = tl.reducers(goods(), universe=["MYS", "SGP"], through="2024-08")
    _, head, body = rows(tl.published(found, unit="billion"))
    assert head == [
        "Partner",
        "Before, $ billion",
        "Balance, $ billion",
        "Change, $ billion",
        "Reduction, percent",
    ]
    assert body == [
        ["Singapore", "−1.1", "1.0", "2.2", "n.a."],
        ["Malaysia", "−18.8", "−14.2", "4.6", "24.3"],
    ]


def test_what_all_rows_share_goes_into_the_caption_and_the_index_makes_no_noise():
    korea = goods()[goods()["partner"] == "5800"].tail(2)
    caption, head, body = rows(tl.published(korea, unit="dollar", caption="Raw"))
    assert caption == "Raw; Korea, South; goods"
    assert tl.published(korea).source == SOURCE
    assert head == ["Month", "Flow", "Value, $"]
    assert body[-1] == ["2024-08", "imports", "10,420,267,430"]
    _, head, _ = rows(tl.published(tl.balance(trade(), partner="KOR").tail(2)))
    assert head[0] == "Quarter"


def test_publishing_leaves_the_figures_alone():
    found = tl.rank(goods(), through="2024-08")
    before = found.copy()
    tl.published(found).to_html()
    pd.testing.assert_frame_equal(found, before)
    assert rows(tl.published(found["rank"].head(1)))[2] == [["China", "1"]]


def test_rows_picked_here_and_there_bring_no_row_numbers_and_no_column_is_lost():
    picked = goods().iloc[[3, 5, 11]][["period", "value_usd", "note"]]
    assert rows(tl.published(picked, unit="dollar"))[1] == ["Month", "Value, $"]
    marked = picked.assign(note=["(R)", None, None])
    assert rows(tl.published(marked))[1] == ["Month", "Value, $ million", "Note"]
    alike = pd.DataFrame({"value_usd": [1e6], "Value_usd": [2e6], "reduction_pct": [float("nan")]})
    _, head, body = rows(tl.published(alike))
    assert head == ["Value, $ million", "Value_usd", "Reduction, percent"] and body == [
        ["1.0", "2.0", "n.a."]
    ]


def test_a_published_table_may_be_empty_or_have_a_lag():
    assert rows(tl.published(tl.reducers(goods(), universe=["CHN"], through="2018-07")))[2] == []
    late = flows().assign(vintage_lag_days=30)
    assert tl.published(late).source == "30 days after the as-of date"
    known = flows(table="goods_census_nsa", vintage="2018-10-05", vintage_lag_days=30)
    assert tl.published(known).source.endswith("vintage of 2018-10-05, 30 days after the as-of date")


def test_every_unit_divides_by_what_it_says():
    one = pd.DataFrame({"value_usd": [1.5e9]})
    shown = {unit: rows(tl.published(one, unit=unit))[1:] for unit in words.UNITS}
    assert shown["dollar"] == (["Value, $"], [["1,500,000,000"]])
    assert shown["trillion"] == (["Value, $ trillion"], [["0.00"]])
    assert shown["thousand"] == (["Value, $ thousand"], [["1,500,000"]])
    assert shown["million"] == (["Value, $ million"], [["1,500.0"]])
    assert shown["billion"] == (["Value, $ billion"], [["1.5"]])


def test_the_unit_that_suits_is_chosen_for_the_largest_amount():
    for top, header in ((2e9, "$ million"), (2e5, "$ thousand"), (300, "$")):
        table = tl.published(pd.DataFrame({"a_usd": [top, 1.0], "b_pct": [1e9, 0]}), unit="auto")
        assert rows(table)[1] == [f"A, {header}", "B, percent"]


def test_columns_may_have_units_decimals_signs_and_names_of_their_own():
    frame = pd.DataFrame({"a_usd": [1.5e9], "b_usd": [-2e6], "share_pct": [0.456], "weight": [2.5]})
    own = {"unit": {"a_usd": "billion", "weight": "tonnes"}, "decimals": {"share_pct": 2}}
    table = tl.published(frame, **own, signed=["share_pct"], names={"b_usd": "A year earlier"})
    assert rows(table)[1:] == (
        ["A, $ billion", "A year earlier, $ million", "Share, percent", "Weight, tonnes"],
        [["1.5", "−2.0", "+0.46", "2.5"]],
    )
    assert rows(tl.published(frame, decimals=0))[2] == [["1,500", "−2.0", "0", "2"]], "a small amount shows"
    assert rows(tl.published(frame, hide=["a_usd", "weight"]))[1] == ["B, $ million", "Share, percent"]


def test_ranks_and_counts_have_no_decimals_even_where_one_is_missing():
    frame = pd.DataFrame({"rank": [1, 2], "rank_before": [3.0, np.nan], "whole_pct": [1.0, 2.0]})
    assert rows(tl.published(frame, na=""))[2] == [["1", "3", "1.0"], ["2", "", "2.0"]]


def test_small_points_have_a_second_decimal():
    parts = pd.DataFrame({"rate_points": [0.031, -0.044], "added_points": [0.13, -0.05]})
    assert rows(tl.published(parts))[2] == [["0.03", "0.13"], ["\N{MINUS SIGN}0.04", "\N{MINUS SIGN}0.05"]]
    assert rows(tl.published(parts.assign(rate_points=[1.2, 0.1])))[2][0] == ["1.2", "0.1"]


def test_a_year_has_no_separator_of_thousands(tmp_path):
    table = tl.published(pd.DataFrame({"year": [2017], "count": [2017]}))
    assert rows(table)[2] == [["2017", "2,017"]]
    sheet = openpyxl.load_workbook(table.to_excel(tmp_path / "t.xlsx")).active
    assert (sheet["A2"].value, sheet["A2"].number_format, sheet["B2"].number_format) == (2017, "0", "#,##0")


@pytest.mark.parametrize("stress", ["5800", ["5800"], "position"])
def test_a_row_is_stressed_by_its_label_its_partner_or_its_place(stress):
    found = tl.rank(goods(), through="2024-08").head(10)
    if stress == "position":
        found, stress = found.reset_index(), (found.index == "5800").tolist()
    table = tl.published(found, stress=stress)
    (bold,) = BeautifulSoup(table.to_html(), "html.parser").tbody.find_all("td", string="Korea, South")
    assert "font-weight:bold" in bold["style"] and table.to_html().count("font-weight:bold") == 3
    assert "**Korea, South**" in table.to_markdown() and r"\textbf{Korea, South}" in table.to_latex()


def test_a_level_above_the_columns_stands_above_them():
    sides = {who: tl.balance(goods(), partner=who).tail(1) for who in ("KOR", "CHN")}
    both = pd.concat({who: frame.reset_index(drop=True) for who, frame in sides.items()}, axis=1)
    both.index = pd.Index(["August"], name="month")
    table = tl.published(both[[("KOR", "exports_usd"), ("KOR", "imports_usd"), ("CHN", "exports_usd")]])
    above, heads = BeautifulSoup(table.to_html(), "html.parser").thead.find_all("tr")
    assert [(th.get_text(), int(th["colspan"])) for th in above.find_all(["td", "th"])] == [
        *(("", 1), ("KOR", 2), ("CHN", 1)),
    ]
    assert texts([heads]) == [["Month", "Exports, $ million", "Imports, $ million", "Exports, $ million"]]
    assert r"\multicolumn{2}{c}{KOR}" in table.to_latex() and "KOR: Exports" in table.to_markdown()
    assert list(table.data)[1] == ("KOR", "Exports, $ million")


def test_a_source_may_be_given_as_a_loaded_table_or_in_words():
    korea = tl.balance(goods(), partner="KOR").tail(2)
    assert tl.published(korea, source=goods()).source == SOURCE
    assert tl.published(korea, source="me").source == "Source: me"


def test_wrong_words_are_refused_and_the_right_ones_named():
    frame = pd.DataFrame({"value_usd": [1.0]})
    for wrong in ({"unit": "euro"}, {"unit": {"value_usd": "tonnes"}}):
        with pytest.raises(TradelibError, match=r"(?s)no unit.*million, thousand, dollar and auto"):
            tl.published(frame, **wrong)
    for wrong in (
        {"hide": ["valu"]},
        {"signed": ["valu"]},
        {"names": {"valu": "x"}},
        {"decimals": {"valu": 1}},
    ):
        with pytest.raises(TradelibError, match=r"(?s)no column 'valu'.*Columns are value_usd"):
            tl.published(frame, **wrong)


# --- the forms


BAD = r"50 % of $1 & a_b #1 {x} ~ ^ \\ <b> | Côte d’Ivoire"
LONG = "A claim that goes on for much longer than forty characters, as claims do"


@pytest.fixture
def table():
    frame = pd.DataFrame(
        {"who": [BAD, LONG], "value_usd": [-1_234_567.0, np.nan], "change_pct": [1.26, -0.5]}
    )
    return tl.published(frame, signed=["change_pct"], stress=[True, False], caption=BAD, source="me")


def test_a_plain_print_is_a_table_of_the_same_figures(table):
    lines = repr(table).splitlines()
    assert lines[0] == BAD and lines[-1] == "Source: me"
    assert lines[4].split()[-2:] == ["−1.2", "+1.3"] and lines[5].split()[-2:] == ["n.a.", "−0.5"]


def test_html_holds_its_own_style_and_nothing_that_runs(table):
    page = BeautifulSoup(table.to_html(), "html.parser")
    assert "mathjax_ignore" in page.div["class"] and page.b is None and page.style is None
    cells = page.tbody.find_all("td")
    sides = ["right" if f"text-align:{'right'}" in cell["style"] else "left" for cell in cells]
    assert sides == ["left", "right", "right"] * 2
    assert "nowrap" not in cells[0]["style"] and "nowrap" in cells[1]["style"], "long texts are broken"
    assert page.tfoot.get_text() == "Source: me" and table.to_html() == table._repr_html_()


def test_latex_has_the_lines_of_booktabs_and_every_sign_escaped(table):
    text = table.to_latex()
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    assert [line for line in text.splitlines() if line.endswith("rule")] == [
        *(r"\toprule", r"\midrule", r"\bottomrule"),
    ]
    assert r"50 \% of \$1 \& a\_b \#1 \{x\} \textasciitilde{} \textasciicircum{}" in text
    assert r"\begin{tabular}{p{6cm}rr}" in text and "$-$1.2" in text
    bare = re.sub(r"\\[\\%$&_#{}]|\$-\$|\\[a-z]+", "", text)
    assert not re.search(r"[$%_#~^]", bare) and bare.count("{") == bare.count("}")
    body = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert len(body) == 3 and all(re.sub(r"\\&", "", line).count("&") == 2 for line in body)


def test_a_workbook_holds_numbers_as_numbers_in_the_unit_of_the_header(table, tmp_path):
    sheet = openpyxl.load_workbook(table.save(tmp_path / "t.xlsx")).active
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[0][0] == BAD and found[-1][0] == "Source: me"
    assert found[2:5] == [
        ["Who", "Value, $ million", "Change, percent"],
        [BAD, -1.234567, 1.26],
        [LONG, None, -0.5],
    ]
    assert (sheet["B4"].number_format, sheet["C4"].number_format) == ("#,##0.0", "+#,##0.0;-#,##0.0;#,##0.0")
    assert sheet["A1"].font.bold and sheet["B3"].font.bold and sheet["B4"].font.bold
    assert not sheet["B5"].font.bold and sheet.freeze_panes == "A4"


def test_no_text_of_a_workbook_is_taken_for_a_formula(tmp_path):
    path = tl.published(pd.DataFrame({"who": ['=HYPERLINK("http://x")']}), caption="=1+1").to_excel(
        tmp_path / "t.xlsx"
    )
    sheet = openpyxl.load_workbook(path).active
    assert [sheet[cell].data_type for cell in ("A1", "A4")] == ["s", "s"]


def test_a_document_of_word_holds_the_table(table, tmp_path):
    document = docx.Document(table.save(tmp_path / "t.docx"))
    (grid,) = document.tables
    assert [[cell.text for cell in row.cells] for row in grid.rows] == [
        ["Who", "Value, $ million", "Change, percent"],
        *table.cells,
    ]
    assert [line.text for line in document.paragraphs] == [BAD, "Source: me"]
    assert grid.rows[1].cells[1].paragraphs[0].alignment == docx.enum.text.WD_ALIGN_PARAGRAPH.RIGHT
    assert [row.cells[1].paragraphs[0].runs[0].bold for row in grid.rows] == [True, True, False]


def test_a_picture_for_a_slide_has_every_cell_and_no_two_overlap(table):
    chart = table.to_chart()
    chart.draw_without_rendering()
    (ax,) = chart.axes
    assert {text.get_text().replace("\n", " ") for text in ax.texts} >= {
        *("−1.2", "n.a.", "+1.3", "Value, $ million", LONG),
    }
    seen = [text for text in [*ax.texts, *chart.texts] if text.get_text()]
    boxes = [text.get_window_extent() for text in seen]
    assert not any(one.overlaps(other) for n, one in enumerate(boxes) for other in boxes[:n])
    assert all(box.x0 >= 0 and box.x1 <= chart.bbox.x1 and box.y0 >= 0 for box in boxes)


@pytest.mark.parametrize("ending", tables.FORMS)
def test_a_table_is_saved_in_the_form_that_its_name_says(table, tmp_path, ending):
    path = table.save(tmp_path / f"t{ending}")
    written = path.read_bytes()
    marks = {
        ".xlsx": b"PK",
        ".docx": b"PK",
        ".tex": b"\\begin",
        ".html": b"<div",
        ".png": b"\x89PNG",
        ".pdf": b"%PDF",
    }
    assert written.startswith(marks.get(ending, b"<?xml" if ending == ".svg" else BAD[:4].encode()))
    if ending == ".png":
        assert Image.open(path).width > 1000


def test_a_table_is_not_saved_as_what_nobody_can_open(table, tmp_path):
    with pytest.raises(TradelibError, match=r"(?s)t\.csvx.*\.xlsx, \.docx, \.tex"):
        table.save(tmp_path / "t.csvx")


def test_what_only_pandas_can_do_is_done_with_its_styler(table):
    page = BeautifulSoup(table.style.to_html(), "html.parser")
    assert texts(page.tbody.find_all("tr")) == table.cells
    assert table.data["Value, $ million"][0] == -1.234567


def test_a_caption_stays_in_sight_on_a_narrow_screen():
    page = BeautifulSoup(
        tl.published(tl.by_vintage(partner="KOR", through="2018-07"), caption="K").to_html(), "html.parser"
    )
    assert "position:sticky;left:0" in page.caption["style"]
