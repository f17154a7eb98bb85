"""How figures were revised: first print plus revision is the later print, in every vintage."""

import itertools
import warnings
from datetime import date
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from helpers import csv_cells, workbook_cells
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from nbclient import NotebookClient
from tradelib.briefs.provenance import COMPLETED

from tradelib import load_goods, load_trade, resolve
from tradelib.briefs.brief import brief
from tradelib.briefs.selection import REVISED_MONTHLY
from tradelib.errors import TradelibError
from tradelib.partners import members
from tradelib.store import vintages
from tradelib.studies import ledger, revision_charts, revisions
from tradelib.style.house import caption

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
    due = table[table["revision_due"].astype(bool)]
    assert summary["n"].sum() == due["revision_pct"].notna().sum()
    for flow, rows in summary.groupby(level="flow"):
        pct = due.loc[due["flow"] == flow, "revision_pct"]
        assert (rows["mean"] * rows["n"]).sum() / rows["n"].sum() == pytest.approx(pct.mean())
        assert (rows["mean_abs"] >= rows["mean"].abs() - 1e-9).all()
        assert (rows["low"] <= rows["high"]).all()


def test_a_month_revised_before_its_first_vintage_is_no_first_print(held):
    table = revisions.revised(held["KOR"], "5800")
    months = set(table["period"].astype(str))
    assert {"2018-04", "2018-08", "2016-11", "2024-08"} <= months
    assert not months & {"2018-03", "2015-07", "1999-01", "2024-03"}


def test_for_canada_only_the_newest_month_of_each_vintage_is_a_first_print(held):
    table = revisions.revised(held["CAN"], "1220")
    found = set(zip(table["first_vintage"].map(str), table["period"].map(str), strict=True))
    assert found == {
        *(("2012-02-10", "2011-12"), ("2017-01-06", "2016-11"), ("2018-10-05", "2018-08")),
        *(("2020-10-06", "2020-08"), ("2023-03-08", "2023-01"), ("2024-10-08", "2024-08")),
    }
    cycle = table[(table["first_vintage"] == date(2024, 10, 8)) & (table["vintage"] == NOW)]
    assert (cycle["revision_usd"] != 0).any() and cycle["revision_due"].all()


def test_between_two_june_revisions_nothing_was_due_and_nothing_changed(held):
    for who in ("KOR", "CHN"):
        table = revisions.revised(held[who], resolve(who).code)
        assert (table.loc[~table["revision_due"], "revision_usd"] == 0).all()
        later = table[table["revision_due"] & (table["flow"] == "exports")]
        assert (later["revision_usd"] != 0).mean() > 0.9
        waiting = table.loc[~table["revision_due"], "period"].astype(str)
        assert set(waiting) == {"2024-04", "2024-05", "2024-06", "2024-07", "2024-08"}


def test_between_two_june_revisions_only_those_revised_monthly_changed():
    keys = ["period", "partner", "flow", "item"]
    early, late = (load_goods(as_of=day).set_index(keys)["value_usd"] for day in ("2024-10-08", NOW))
    changed = early[early != late.reindex(early.index)]
    who = set(changed.index.get_level_values("partner"))
    assert {"1220", "0015"} <= who <= REVISED_MONTHLY


def test_what_was_not_due_for_revision_counts_in_no_average(held):
    table = revisions.revised(held["KOR"], "5800")
    due = revisions.newest(table).query("revision_due and flow == 'exports'")
    assert len(due) == 37
    said = revisions.finding(table, resolve("KOR"))
    assert f"by {due['revision_pct'].abs().mean():.2f} percent" in said and "37 months" in said
    title = caption(revision_charts.each_month(table, resolve("KOR")))
    assert f"by {due['revision_pct'].abs().mean():.1f} percent" in title
    ages = revisions.by_age(table).loc["exports"]
    assert "under 1" not in ages.index, "its five months had crossed no June: zeros that tell nothing"
    assert ages["n"].sum() == len(table.query("revision_due and flow == 'exports'"))
    read = revisions.how_to_read(held["KOR"], table, "5800")
    assert "42 have a first print and a later one; 37 of these" in read


def test_korea_s_year_to_date_in_each_vintage_from_the_raw_files(originals, held):
    """The same sums taken from the originals themselves, without tradelib, in whole dollars."""
    seen = revisions.year_to_date_in(held["KOR"], pd.Period("2018-07", "M"))
    months = [f"{month:02d}" for month in range(1, 8)]
    for day, row in seen.iterrows():
        path = next((originals / "census").glob(f"country_{day}.*"))
        cells = csv_cells(path) if path.suffix == ".csv" else workbook_cells(path)
        for flow, (name, year) in itertools.product(("exports", "imports"), (("", 2018), ("_before", 2017))):
            own = sum(cells["5800", f"{year}-{month}", flow] for month in months)
            assert row[f"{flow}{name}_usd"] == pytest.approx(own, abs=10)
    assert [str(day) for day in seen.index] == [
        *("2018-10-05", "2020-10-06", "2023-03-08", "2024-10-08", "2025-04-03")
    ]
    million = seen[["exports_usd", "exports_before_usd"]] / 1e6
    assert million.loc[date(2018, 10, 5)].round(1).tolist() == [31_752.1, 28_569.7]
    assert million["exports_usd"].round(1).tolist()[1:] == [31_730.9, 31_735.2, 31_735.2, 31_735.2]
    assert million.loc[NOW].round(1).tolist() == [31_735.2, 28_545.6]
    page = revisions.year_to_date_table(held["KOR"], pd.Period("2018-07", "M")).to_html()
    for cell in ("31,752.1", "+11.14", "31,730.9", "+11.17"):
        assert f">{cell}</td>" in page


def test_the_cloud_holds_only_whole_years(held):
    sums = revisions.cloud(held["KOR"], pd.Period("2018-07", "M"))
    assert list(sums.index) == list(range(2007, 2019))
    assert np.isnan(sums.loc[2018, date(2017, 1, 6)]) and np.isnan(sums.loc[2012, date(2012, 2, 10)])
    assert sums.loc[2018, date(2018, 10, 5)] == pytest.approx(-9_885.7e6, abs=0.05e6)


def test_a_vintage_not_yet_out_is_not_read():
    early = revisions.prints("5800", as_of=date(2018, 10, 4))
    assert early.index.unique("vintage").max() == date(2017, 1, 6)


def test_a_day_before_all_vintages_and_a_group_without_rows_are_refused():
    with pytest.raises(TradelibError, match="No vintage of goods_census_nsa out by 2011-01-01"):
        revisions.prints("5800", as_of=date(2011, 1, 1))
    with pytest.raises(TradelibError, match="has figures of the OECD countries"):
        revisions.prints("OECD", as_of=NOW)


def test_a_group_that_is_not_printed_is_the_sum_of_its_members():
    group = revisions.prints("ASEAN", as_of=NOW)
    own = [revisions.prints(code, as_of=NOW) for code in members("ASEAN", NOW)]
    month = (date(2018, 10, 5), pd.Period("2018-07", "M"))
    assert group.loc[month].tolist() == pytest.approx(sum(one.loc[month] for one in own).tolist(), abs=1)


def test_quarters_are_compared_once_a_second_vintage_is_ingested():
    """BEA's table again, a quarter earlier, services 2 percent lower: as a user would add it."""
    columns = ["period", "partner", "flow", "item", "value_usd", "note"]
    earlier = load_trade(as_of="2025-03-06", through="2024Q3")[columns]
    earlier.loc[earlier["item"] == "services", "value_usd"] *= 0.98
    source = {"published": date(2024, 12, 5), "sources": [], "parser": "test"}
    vintages.save(earlier, "trade_bop_sa", **source)
    held = revisions.prints("5800", as_of=NOW, table="trade_bop_sa", item="services")
    table = revisions.revised(held, "5800").query("flow == 'exports'")
    assert [str(quarter) for quarter in table["period"]] == ["2024Q3"]
    assert table["revision_pct"].item() == pytest.approx(100 / 0.98 - 100, abs=0.01)
    assert "2 vintages of BEA's country table" in revisions.how_to_read(held, table, "5800")
    sums = revisions.cloud(held, pd.Period("2024Q3", "Q"))
    assert sums.loc[2018].iloc[0] == pytest.approx(0.98 * sums.loc[2018].iloc[1], rel=1e-3)
    bop = {"table": "trade_bop_sa", "item": "services"}
    drawn = [
        revision_charts.in_each_vintage(held, resolve("KOR"), **bop),
        revision_charts.cloud(sums, resolve("KOR"), "January-September", **bop),
    ]
    assert "in the four quarters to" in caption(drawn[0])
    for figure in drawn:
        assert "Bureau of Economic Analysis" in caption(figure, "source")
        assert "balance of payments basis, seasonally adjusted" in caption(figure, "subtitle")


# --- charts and words -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(held):
    """Every chart of some partners, laid out, with any warning an error."""
    figures, others = {}, ("EU", "VNM", "TUV", "South Sudan", "USMCA")
    frames = held | {who: revisions.prints(resolve(who).code, as_of=NOW) for who in others}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for who, frame in frames.items():
            partner, days = resolve(who), list(frame.index.unique("vintage"))
            table = revisions.revised(frame, partner.code)
            sums = revisions.cloud(frame, pd.Period("2018-07", "M"))
            for flow in ("exports", "imports", "balance"):
                figures[who, flow] = revision_charts.in_each_vintage(frame, partner, flow=flow)
            figures[who, "months"] = revision_charts.each_month(table, partner)
            figures[who, "cloud"] = revision_charts.cloud(sums, partner, "January-July")
            figures[who, "ages"] = revision_charts.by_age(revisions.by_age(table), partner, days)
        for figure in figures.values():
            figure.draw_without_rendering()
    return figures


def painted(figure) -> list[Text]:
    """All texts that are painted: no empty ones, no ticks outside the limits."""
    hidden = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high or not tick.label1.get_visible():
                hidden |= {tick.label1, tick.label2}
    found = figure.findobj(lambda one: isinstance(one, Text) and one.get_visible() and one.get_text().strip())
    return [text for text in found if text not in hidden]


def test_no_text_overlaps_another_or_leaves_the_canvas(drawn):
    for key, figure in drawn.items():
        boxes = [(text.get_text(), text.get_window_extent()) for text in painted(figure)]
        for text, box in boxes:
            assert box.x0 >= 0 and box.y0 >= 0, (key, text)
            assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, (key, text)
        for (one, a), (other, b) in itertools.combinations(boxes, 2):
            across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert not (across > 1 and up > 1), (key, one, other)


def test_every_mark_lies_within_its_axes(drawn):
    for key, figure in drawn.items():
        for ax in figure.axes:
            low, high = ax.get_ylim()
            for line in ax.lines:
                if line.get_transform() == ax.transData:
                    values = np.asarray(line.get_ydata(), float)
                    assert low <= np.nanmin(values) and np.nanmax(values) <= high, key
            for bar in ax.patches:
                assert low <= min(0, bar.get_height()) and max(0, bar.get_height()) <= high, key


@pytest.mark.parametrize("who", WHO)
def test_titles_tell_numbers_of_the_data_and_sources_the_vintages(drawn, held, who):
    frame, partner = held[who], resolve(who)
    for kind in ("exports", "months", "cloud", "ages"):
        assert partner.prose in caption(drawn[who, kind])
        assert "2012-02-10 to 2025-04-03" in caption(drawn[who, kind], "source")
    last = revisions.newest(revisions.revised(frame, partner.code)).query("revision_due")
    for flow in ("exports", "imports"):
        size = last.loc[last["flow"] == flow, "revision_pct"].abs().mean()
        assert f"{size:.1f} percent" in caption(drawn[who, "months"])
    sums = revisions.cloud(frame, pd.Period("2018-07", "M"))
    spread = (sums.max(axis=1) - sums.min(axis=1)).idxmax()
    assert str(spread) in caption(drawn[who, "cloud"])
    sizes = revisions.by_age(revisions.revised(frame, partner.code))["mean_abs"].xs("5 or more", level="age")
    for flow, size in sizes.items():
        assert f"{size:.1f} percent in {flow}" in caption(drawn[who, "ages"])


def test_korea_s_farthest_year_is_that_of_the_raw_files(originals, drawn):
    """$889 million: the twelve months to January 2023, in the vintage of March 2023 and the newest."""
    months = [str(month) for month in pd.period_range("2022-02", "2023-01", freq="M")]
    then = workbook_cells(originals / "census" / "country_2023-03-08.xlsx")
    now = csv_cells(originals / "census" / "country_2025-04-03.csv")
    gap = sum(then["5800", m, "exports"] - now["5800", m, "exports"] for m in months) / 1e6
    assert caption(drawn["KOR", "exports"]) == (
        f"In the vintage of March 8, 2023, exports to South Korea in the 12 months to January 2023 were "
        f"${-gap:.0f} million below the newest figure"
    )


def test_bars_of_months_are_the_revisions(drawn, held):
    last = revisions.newest(revisions.revised(held["CHN"], "5700")).query("revision_due")
    above, below = drawn["CHN", "months"].axes
    for ax, column in ((above, "revision_pct"), (below, "revision_usd")):
        heights = [bar.get_height() for bar in ax.patches]
        exports, imports = (last.loc[last["flow"] == flow, column] for flow in ("exports", "imports"))
        assert heights == [*exports, *imports]


def test_an_area_with_imports_only_has_its_charts_and_its_words():
    area = resolve("0021")  # Mexico under the USMCA: imports for consumption
    table = revisions.revised(revisions.prints("0021", as_of=NOW), "0021")
    summary = revisions.by_age(table)
    assert set(summary.index.get_level_values("flow")) == {"imports"}
    drawn = revision_charts.each_month(table, area), revision_charts.by_age(summary, area, [NOW])
    for said in (*map(caption, drawn), str(revisions.finding(table, area))):
        assert "imports" in said.lower() and "exports" not in said and "nan" not in said.split()


def test_a_partner_without_first_prints_has_no_chart_and_is_told_so(held):
    none = revisions.revised(held["KOR"].loc[[date(2012, 2, 10)]], "5800")
    assert none.empty
    assert revision_charts.each_month(none, resolve("KOR")) is None
    assert revision_charts.by_age(revisions.by_age(none), resolve("KOR"), []) is None
    assert "No first print" in str(revisions.finding(none, resolve("KOR")))


# --- the notebook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
def test_the_notebook_runs_and_shows_the_ledger_where_there_is_one(who):
    book = nbformat.read(Path(__file__).parents[2] / "notebooks" / "revisions.ipynb", as_version=4)
    book.cells[0].source = book.cells[0].source.replace('"KOR"', f'"{who}"')
    NotebookClient(book, kernel_name="python3", timeout=120).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    texts = "\n".join(str(o.get("data", {}).get("text/markdown", o.get("data", {}))) for o in outputs)
    assert texts.count("data:image/png;base64") == 4
    assert COMPLETED in texts
    assert ("kei.13" in texts) is (who == "KOR")
    assert texts.count("January-July 2018 in each vintage") == 1
    assert not [o for o in outputs if o.output_type in ("stream", "error")]


def test_articles_are_found_by_partner_and_release():
    sheet = brief("KOR", "2018-07")
    assert [article.id for article in ledger.articles_on("", sheet)] == ["kei-2018-09-05"]
    assert ledger.articles_on("", brief("CHN", "2018-07")) == []
    assert ledger.now("") == NOW
