"""The table of explore.ipynb: without gaps, as printed, and as copied to a spreadsheet."""

import io

import pandas as pd
import pytest

from tradelib.explorer.choice import Choice, view_of
from tradelib.explorer.table import printed, table, tsv

JULY = {"release": "2018-07", "as_of": "2018-10-05"}


def shown(**choice):
    """A table as it is printed."""
    found = printed(view_of(Choice(**{"partner": "KOR", "measure": "exports"} | JULY | choice)))
    assert "nan" not in found.to_html().lower() and "None" not in found.to_html()
    return found


@pytest.mark.parametrize(
    ("choice", "rows"),
    [({}, 12), ({"window": "month"}, 13), ({"basis": "bop total", "window": "quarter"}, 9)],
)
def test_a_table_has_a_row_for_each_window_and_no_gap(choice, rows):
    frame = table(view_of(Choice("KOR", **JULY, **choice)))
    assert len(frame) == rows
    assert frame.index.is_monotonic_increasing
    assert not frame["South Korea"][["balance_usd", "balance_change_usd"]].isna().any(axis=None)


def test_a_table_holds_whole_dollars_and_percent():
    row = table(view_of(Choice("KOR", measure="exports", **JULY)))["South Korea"].iloc[-1]
    assert row.round(1).to_dict() == {
        "exports_usd": 31_752_055_221,
        "exports_change_usd": 3_182_368_972,
        "exports_change_pct": 11.1,
    }


def test_a_printed_table_has_units_separators_true_minuses_and_a_bold_last_row():
    found = shown(measure="balance")
    assert list(found.data) == [
        *("Year to date", "Balance, $ million", "Change of balance, $ million", "Deficit reduction, percent")
    ]
    assert found.cells[-1] == ["January-July 2018", "−9,885.7", "2,867.9", "22.5"]
    assert found.stressed == (*[False] * 11, True)


def test_a_printed_table_has_the_figures_of_the_choice():
    assert shown().cells[-1] == ["January-July 2018", "31,752.1", "3,182.4", "11.1"]


def test_a_printed_table_of_two_series_names_each_above_its_columns():
    found = shown(compare="2025-04-03")
    heads = [(one.group, one.title) for one in found.columns[1:]]
    measures = ("Exports, $ million", "Change of exports, percent")
    names = [f"South Korea, vintage of {day}" for day in ("2018-10-05", "2025-04-03")]
    assert heads[:4] == [(name, measure) for name in names for measure in measures]
    assert heads[4:] == [("South Korea, newer less older", "Revision, $ million")]
    assert found.cells[-1][1:] == ["31,752.1", "11.1", "31,735.2", "11.2", "−16.8"]


def test_what_stands_around_a_table_says_what_whose_on_which_basis_and_of_which_vintages():
    found = shown(measure="balance", second="JPN", compare="2025-04-03")
    what, how = "U.S. balance in goods, South Korea and Japan", "Census basis, not seasonally adjusted"
    assert found.caption == f"{what}. {how}"
    assert "country.xlsx; vintage of 2018-10-05. Compared with the vintage of 2025-04-03" in found.source


def test_a_printed_table_of_a_tiny_partner_is_in_thousands_or_dollars():
    assert "$ million" not in str(list(shown(partner="Tokelau", as_of="", window="month").data))


def test_the_copied_table_is_a_rectangle_of_whole_dollars():
    frame = table(view_of(Choice("KOR", second="JPN", measure="exports", **JULY)))
    lines = [line.split("\t") for line in tsv(frame).splitlines()]
    assert {len(line) for line in lines} == {1 + frame.shape[1]}
    assert lines[-1][:2] == ["2018-07", "31752055221"]
    back = pd.read_csv(io.StringIO(tsv(frame)), sep="\t", index_col=0)
    assert back.to_numpy() == pytest.approx(frame.to_numpy())
