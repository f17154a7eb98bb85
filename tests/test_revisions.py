"""How figures were revised: first print plus revision is the later print, in every vintage."""

from datetime import date
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient
from python_calamine import CalamineWorkbook

from tradelib import ledger, resolve, revision_charts, revisions, take
from tradelib.facts import facts_of
from tradelib.house_style import caption
from tradelib.provenance import COMPLETED

NOW = date(2025, 4, 3)
VINTAGES = [date(2018, 10, 5), date(2020, 10, 6), date(2023, 3, 8)]
WHO = ("KOR", "CHN", "CAN")


@pytest.fixture(scope="module")
def held():
    return {who: revisions.prints(resolve(who).code, as_of=NOW) for who in WHO}


@st.composite
def generated(draw):
    """Three vintages of the same few months, each without what had not come out."""
    months = pd.period_range("2018-05", "2018-08", freq="M")
    money = st.integers(1, 10**9)
    rows = {
        (vintage, month): {"exports_usd": float(draw(money)), "imports_usd": float(draw(money))}
        for vintage in VINTAGES
        for month in months
        if draw(st.booleans()) or vintage == VINTAGES[-1]
    }
    frame = pd.DataFrame(rows).T.rename_axis(["vintage", "period"])
    return frame.assign(balance_usd=frame["exports_usd"] - frame["imports_usd"]).sort_index()


@settings(max_examples=50, deadline=None)
@given(generated())
def test_first_print_and_revision_add_up_to_the_later_print(frame):
    table = revisions.revised(frame, "5800")
    assert (table["first_usd"] + table["revision_usd"]).equals(table["value_usd"])
    assert (table["vintage"] > table["first_vintage"]).all()
    for row in table.itertuples():
        assert frame.loc[(row.vintage, row.period), f"{row.flow}_usd"] == row.value_usd
        earlier = [v for v in VINTAGES if (v, row.period) in frame.index]
        assert row.first_vintage == earlier[0], "the first print is the earliest vintage with the month"
    wide = table.set_index(["period", "vintage", "flow"])["revision_usd"].unstack("flow")
    if len(wide):
        assert (wide["exports"] - wide["imports"] - wide["balance"]).abs().max() == 0


@settings(max_examples=50, deadline=None)
@given(generated())
def test_by_age_counts_every_revision_once_and_lies_within_them(frame):
    table = revisions.revised(frame, "5800")
    summary = revisions.by_age(table)
    assert summary["n"].sum() == table["revision_pct"].notna().sum()
    for flow, rows in summary.groupby(level="flow"):
        pct = table.loc[table["flow"] == flow, "revision_pct"]
        assert (rows["mean"] * rows["n"]).sum() / rows["n"].sum() == pytest.approx(pct.mean())
        assert (rows["mean_abs"] >= rows["mean"].abs() - 1e-9).all()
        assert (rows["low"] <= rows["high"]).all()


def test_a_month_revised_before_its_first_vintage_is_no_first_print(held):
    table = revisions.revised(held["KOR"], "5800")
    months = set(table["period"].astype(str))
    assert {"2018-04", "2018-08", "2016-11", "2024-08"} <= months
    assert not months & {"2018-03", "2015-07", "1999-01", "2024-03"}


def test_for_canada_only_the_newest_months_count_and_they_are_revised_within_a_cycle(held):
    table = revisions.revised(held["CAN"], "1220")
    ages = [
        (v - p.end_time.date()).days for v, p in zip(table["first_vintage"], table["period"], strict=True)
    ]
    assert max(ages) <= 75
    cycle = table[(table["first_vintage"] == date(2024, 10, 8)) & (table["vintage"] == NOW)]
    assert (cycle["revision_usd"] != 0).any()
    other = revisions.revised(held["KOR"], "5800")
    cycle = other[(other["first_vintage"] == date(2024, 10, 8)) & (other["vintage"] == NOW)]
    assert len(cycle) and (cycle["revision_usd"] == 0).all()


def test_korea_s_year_to_date_in_each_vintage_from_the_raw_files(originals, held):
    """The same sums taken with calamine from the workbooks themselves."""
    names = {2018: "country_2018-10-05.xlsx", 2024: "country_2024-10-08.xlsx"}
    found = {}
    for year, name in names.items():
        path = originals / "census" / name
        grid = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        head = [str(cell).strip() for cell in grid[0]]
        rows = [dict(zip(head, row, strict=False)) for row in grid[1:]]
        korea = [
            r for r in rows if str(r["year"]).startswith("2018") and str(r["CTY_CODE"]).startswith("5800")
        ]
        months = ["EJAN", "EFEB", "EMAR", "EAPR", "EMAY", "EJUN", "EJUL"]
        found[year] = sum(float(korea[0][month]) for month in months)
    exports = held["KOR"]["exports_usd"].unstack("vintage").loc["2018-01":"2018-07"].sum(min_count=7) / 1e6
    for year, day, known in ((2018, date(2018, 10, 5), 31_752.055), (2024, date(2024, 10, 8), 31_735.2)):
        assert exports[day] == pytest.approx(found[year], abs=1e-3)
        assert exports[day] == pytest.approx(known, abs=0.05)


def test_the_cloud_holds_only_whole_years(held):
    sums = revisions.cloud(held["KOR"], pd.Period("2018-07", "M"))
    assert list(sums.index) == list(range(2007, 2019))
    assert np.isnan(sums.loc[2018, date(2017, 1, 6)]) and np.isnan(sums.loc[2012, date(2012, 2, 10)])
    assert sums.loc[2018, date(2018, 10, 5)] == pytest.approx(-9_885.7e6, abs=0.05e6)


def test_a_vintage_not_yet_out_is_not_read():
    early = revisions.prints("5800", as_of=date(2018, 10, 4))
    assert early.index.unique("vintage").max() == date(2017, 1, 6)


# --- charts and words -----------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
def test_titles_tell_numbers_of_the_data_and_sources_the_vintages(held, who):
    partner, frame = resolve(who), held[who]
    table = revisions.revised(frame, partner.code)
    days = list(frame.index.unique("vintage"))
    sums = revisions.cloud(frame, pd.Period("2018-07", "M"))
    drawn = [
        revision_charts.in_each_vintage(frame, partner),
        revision_charts.each_month(table, partner),
        revision_charts.cloud(sums, partner, "January-July"),
        revision_charts.by_age(revisions.by_age(table), partner, days),
    ]
    for figure in drawn:
        assert partner.prose in caption(figure)
        assert "2012-02-10 to 2025-04-03" in caption(figure, "source")
        figure.canvas.draw()
        box = figure.bbox
        for text in figure.texts:
            extent = text.get_window_extent()
            assert box.x0 <= extent.x0 and extent.x1 <= box.x1, text.get_text()
    last = revisions.newest(table)
    exports = last.loc[last["flow"] == "exports", "revision_pct"].abs().mean()
    assert f"{exports:.1f}" in caption(drawn[1])
    spread = (sums.max(axis=1) - sums.min(axis=1)).idxmax()
    assert str(spread) in caption(drawn[2])


def test_a_partner_without_first_prints_has_no_chart_and_is_told_so(held):
    none = revisions.revised(held["KOR"].loc[[date(2012, 2, 10)]], "5800")
    assert none.empty
    assert revision_charts.each_month(none, resolve("KOR")) is None
    assert revision_charts.by_age(revisions.by_age(none), resolve("KOR"), []) is None
    assert "No first print" in str(revisions.finding(none, resolve("KOR")))


# --- the notebook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
def test_the_notebook_runs_and_shows_the_ledger_where_there_is_one(who):
    book = nbformat.read(Path(__file__).parents[1] / "notebooks" / "revisions.ipynb", as_version=4)
    book.cells[0].source = book.cells[0].source.replace('"KOR"', f'"{who}"')
    NotebookClient(book, kernel_name="python3", timeout=120).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    texts = "\n".join(str(o.get("data", {}).get("text/markdown", o.get("data", {}))) for o in outputs)
    assert texts.count("data:image/png;base64") == 4
    assert COMPLETED in texts
    assert ("kei.13" in texts) is (who == "KOR")
    assert not [o for o in outputs if o.output_type in ("stream", "error")]


def test_articles_are_found_by_partner_and_release():
    sheet = facts_of(resolve("KOR"), take("2018-07"))
    assert [article.id for article in ledger.articles_on("", sheet)] == ["kei-2018-09-05"]
    assert ledger.articles_on("", facts_of(resolve("CHN"), take("2018-07"))) == []
    assert ledger.now("") == NOW
