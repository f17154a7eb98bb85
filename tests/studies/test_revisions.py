"""How figures were revised: first print plus revision is the later print, in every vintage."""

import ast
import itertools
import warnings
from datetime import date
from functools import cache

import nbformat
import numpy as np
import pandas as pd
import pytest
from helpers import ROOT, cells, csv_cells, run_here, said, sheet, titled, workbook_cells
from helpers import drawn as draw_cell
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from tradelib import load_goods, load_trade, published, resolve
from tradelib.briefs.brief import brief
from tradelib.briefs.selection import REVISED_MONTHLY
from tradelib.errors import TradelibError
from tradelib.partners import members
from tradelib.questions import prints
from tradelib.store import vintages
from tradelib.studies import ledger, revisions
from tradelib.style.house import caption

NOW = date(2025, 4, 3)
VINTAGES = [date(2018, 10, 5), date(2020, 10, 6), date(2023, 3, 8)]
WHO = ("KOR", "CHN", "CAN")
OTHERS = ("EU", "VNM", "TUV", "SSD", "USMCA")
NOTEBOOK = "revisions.ipynb"


@cache
def study(who: str) -> revisions.Revisions:
    return revisions.study(sheet(who, "2018-07", str(NOW)))


def told(cell: str, found) -> str:
    return str(said(cell, found, NOTEBOOK))


@pytest.fixture(scope="module")
def held():
    return {who: study(who).held for who in WHO}


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


@settings(max_examples=25, deadline=None)
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


@settings(max_examples=25, deadline=None)
@given(generated())
def test_by_age_counts_every_revision_once_and_lies_within_them(frame):
    table = revisions.revised(frame, "5800")
    summary = revisions.by_age(table)
    due = table[table["revision_due"].astype(bool)]
    assert summary["prints"].sum() == due["revision_pct"].notna().sum()
    for flow, rows in summary.groupby(level="flow"):
        pct = due.loc[due["flow"] == flow, "revision_pct"]
        assert (rows["mean_pct"] * rows["prints"]).sum() / rows["prints"].sum() == pytest.approx(pct.mean())
        assert (rows["mean_abs_pct"] >= rows["mean_pct"].abs() * (1 - 1e-9) - 1e-9).all()
        assert (rows["low_pct"] <= rows["high_pct"]).all()


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
    changed = early[early.fillna(0) != late.reindex(early.index).fillna(0)]
    who = set(changed.index.get_level_values("partner"))
    assert {"1220", "0015"} <= who <= REVISED_MONTHLY


def test_what_was_not_due_for_revision_counts_in_no_average(held):
    table = revisions.revised(held["KOR"], "5800")
    due = revisions.newest(table).query("revision_due and flow == 'exports'")
    assert len(due) == 37
    words = told("sizes", study("KOR"))
    assert f"by {due['revision_pct'].abs().mean():.2f} percent" in words and "37 months" in words
    title = caption(draw_cell("months", study("KOR"), NOTEBOOK))
    assert f"by {due['revision_pct'].abs().mean():.1f} percent" in title
    ages = revisions.by_age(table).loc["exports"]
    assert "under 1" not in ages.index, "its five months had crossed no June: zeros that tell nothing"
    assert ages["prints"].sum() == len(table.query("revision_due and flow == 'exports'"))
    read = told("how-to-read", study("KOR"))
    assert "42 have a first print and a later one; 37 of these" in read
    assert "The rest count in no average." in read and "**A group**" not in read


def test_korea_s_year_to_date_in_each_vintage_from_the_raw_files(originals, held):
    """The same sums taken from the originals themselves, without tradelib, in whole dollars."""
    seen = study("KOR").ytd
    months = [f"{month:02d}" for month in range(1, 8)]
    for day, row in seen.iterrows():
        path = next((originals / "census").glob(f"country_{day}.*"))
        found = csv_cells(path) if path.suffix == ".csv" else workbook_cells(path)
        for flow, (name, year) in itertools.product(("exports", "imports"), (("", 2018), ("_before", 2017))):
            own = sum(found["5800", f"{year}-{month}", flow] for month in months)
            usd = row[f"{flow}_usd"] / (1 + row[f"{flow}_change_pct"] / 100 if name else 1)
            assert usd == pytest.approx(own, abs=10)
    assert [str(day) for day in seen.index] == [
        *("2018-10-05", "2020-10-06", "2023-03-08", "2024-10-08", "2025-04-03")
    ]
    million = seen["exports_usd"] / 1e6
    assert million.round(1).tolist() == [31_752.1, 31_730.9, 31_735.2, 31_735.2, 31_735.2]
    before = million / (1 + seen["exports_change_pct"] / 100)
    assert (round(before.iloc[0], 1), round(before[NOW], 1)) == (28_569.7, 28_545.6)
    options = {word.arg: word.value for word in cells(NOTEBOOK)["ytd-table"].keywords}
    given = {name: ast.literal_eval(options[name]) for name in ("decimals", "signed")}
    page = published(seen, **given).to_html()
    for cell in ("31,752.1", "+11.14", "31,730.9", "+11.17"):
        assert f">{cell}</td>" in page


def test_the_page_speaks_of_its_release_as_the_raw_files_do(originals):
    first, now = (
        workbook_cells(originals / "census" / "country_2018-10-05.xlsx"),
        csv_cells(originals / "census" / "country_2025-04-03.csv"),
    )
    found = study("KOR")
    for name, months in (("period", [7]), ("ytd", range(1, 8))):
        gaps = {
            flow: sum(
                now["5800", f"2018-{m:02d}", flow] - first["5800", f"2018-{m:02d}", flow] for m in months
            )
            for flow in ("exports", "imports")
        }
        for flow, usd in (gaps | {"balance": gaps["exports"] - gaps["imports"]}).items():
            assert found.value(f"revisions.{flow}.{name}.revision_usd") == pytest.approx(usd, abs=10)
    assert told("headline", found) == (
        "Since the vintage of October 5, 2018, U.S. goods trade with South Korea in January-July 2018 has "
        "been revised: exports down by $17 million, imports down by $21 million; the deficit, $9.9 billion, "
        "is smaller by $4.0 million."
    )
    only = revisions.study(sheet("KOR", "2025-02", str(NOW)))
    assert told("headline", only).startswith(
        "Only the vintage of April 3, 2025 has U.S. goods trade with South"
    )
    early = revisions.study(sheet("KOR", "2018-07", "2018-09-05"))
    assert told("headline", early).startswith(
        "No revision can be told: no vintage at hand that was out by September 5, 2018 has January-July"
    )


def test_the_growth_of_the_day_and_that_of_now_are_told_each_with_its_vintage():
    found = study("KOR")
    assert told("ytd", found).startswith(
        "Over January-July 2018, exports to South Korea rose by 11.1 percent on a year earlier in the "
        "vintage of October 5, 2018, and rose by 11.2 percent in that of April 3, 2025."
    )
    first, now = (found[f"revisions.exports.ytd.{name}_pct"] for name in ("first", "newest"))
    assert (first.vintage, now.vintage) == ("2018-10-05", str(NOW))
    assert round(first.value, 2) == 11.14 and round(now.value, 2) == 11.17


@pytest.mark.parametrize("who", ["BTN", "KOR"])
def test_the_legend_of_the_vintages_is_clear_of_the_line(who):
    figure = revisions.same_months(revisions.study(sheet(who, "2024-08", str(NOW)))).figure
    figure.draw_without_rendering()
    above = figure.axes[0]
    assert above.get_legend().get_window_extent().y0 >= above.get_window_extent().y1 - 1


def test_growth_that_is_alike_in_both_vintages_is_told_once():
    assert told("ytd", study("KOR")).endswith("Imports from South Korea rose by 0.8 percent in both.")
    later = revisions.study(sheet("0015", "2024-08", str(NOW)))
    assert told("ytd", later).startswith(
        "Over January-August 2024, exports to the world rose by 3.0 percent on a year earlier in the vintage "
        "of October 8, 2024 and in that of April 3, 2025. Imports"
    )
    assert later.after_each_revision is None, "no partner is of its size"


def test_what_was_not_revised_is_not_said_to_have_been_by_nothing():
    greenland = revisions.study(sheet("GRL", "2018-07", "2018-09-05"))
    assert told("sizes", greenland).endswith("imports from Greenland have not been revised (9 months).")
    assert titled("months", greenland, NOTEBOOK).endswith(
        "0.4 percent a month on average, imports not at all"
    )
    assert titled("age", greenland, NOTEBOOK).endswith("were off by 0.4 percent in exports on average")
    nobody = revisions.study(sheet("PRK", "2018-07", str(NOW)))
    assert "have not been revised (1 month)." in told("sizes", nobody)


def test_the_vintages_and_the_latest_months_are_tables():
    found = study("KOR")
    assert [str(day) for day in found.vintages.index][:2] == ["2012-02-10", "2017-01-06"]
    assert str(found.vintages["last_period"].iloc[-1]) == "2025-02"
    assert len(found.latest) == 24 and set(found.latest["flow"]) == {"exports", "imports"}
    assert (found.latest["first_usd"] + found.latest["revision_usd"] == found.latest["value_usd"]).all()


def test_korea_s_tables_in_a_few_figures():
    found = study("KOR")
    assert (found.cloud.loc[2018].dropna() / 1e6).round(1).tolist() == [
        -9885.7,
        -9911.6,
        -9881.6,
        -9881.6,
        -9881.6,
    ]
    assert found.ytd.loc[date(2018, 10, 5), "exports_usd"] == 31752055221.0
    assert [str(day) for day in revisions.newest(found.revised)["vintage"].unique()] == ["2025-04-03"]
    assert found.by_age.loc["exports", "prints"].sum() > 50
    assert (found.revised.first_usd + found.revised.revision_usd == found.revised.value_usd).all()
    early = prints("5800", as_of=date(2020, 12, 31))
    assert [str(day) for day in early.index.unique("vintage")] == [
        "2012-02-10",
        "2017-01-06",
        "2018-10-05",
        "2020-10-06",
    ]


def test_the_cloud_holds_only_whole_years(held):
    sums = revisions.cloud(held["KOR"], pd.Period("2018-07", "M"))
    assert list(sums.index) == list(range(2007, 2019))
    assert np.isnan(sums.loc[2018, date(2017, 1, 6)]) and np.isnan(sums.loc[2012, date(2012, 2, 10)])
    assert sums.loc[2018, date(2018, 10, 5)] == pytest.approx(-9_885.7e6, abs=0.05e6)


def test_a_vintage_not_yet_out_is_not_read():
    early = prints("5800", as_of=date(2018, 10, 4))
    assert early.index.unique("vintage").max() == date(2017, 1, 6)


def test_a_day_before_all_vintages_and_a_group_without_rows_are_refused():
    with pytest.raises(TradelibError, match="No vintage of goods_census_nsa out by 2011-01-01"):
        prints("5800", as_of=date(2011, 1, 1))
    with pytest.raises(TradelibError, match="has figures of the OECD countries"):
        prints("OECD", as_of=NOW)


def test_a_group_that_is_not_printed_is_the_sum_of_its_members():
    group = prints("ASEAN", as_of=NOW)
    own = [prints(code, as_of=NOW) for code in members("ASEAN", NOW)]
    month = (date(2018, 10, 5), pd.Period("2018-07", "M"))
    assert group.loc[month].tolist() == pytest.approx(sum(one.loc[month] for one in own).tolist(), abs=1)


def test_quarters_are_compared_once_a_second_vintage_is_ingested():
    """BEA's table again, a quarter earlier, services 2 percent lower: as a user would add it."""
    columns = ["period", "partner", "flow", "item", "value_usd", "note"]
    earlier = load_trade(as_of="2025-03-06", through="2024Q3")[columns]
    earlier.loc[earlier["item"] == "services", "value_usd"] *= 0.98
    source = {"published": date(2024, 12, 5), "sources": [], "parser": "test"}
    vintages.save(earlier, "trade_bop_sa", **source)
    found = revisions.study(brief("KOR", "2024-09", as_of=NOW), table="trade_bop_sa", item="services")
    table = found.revised.query("flow == 'exports'")
    assert [str(quarter) for quarter in table["period"]] == ["2024Q3"]
    assert table["revision_pct"].item() == pytest.approx(100 / 0.98 - 100, abs=0.01)
    assert "two vintages of BEA's country table" in told("how-to-read", found)
    sums = found.cloud
    assert sums.loc[2018].iloc[0] == pytest.approx(0.98 * sums.loc[2018].iloc[1], rel=1e-3)
    assert found["revisions.exports.mean_abs_pct"].basis == "BOP"
    figures = [draw_cell(cell, found, NOTEBOOK) for cell in ("series", "same-months")]
    assert "in the four quarters to" in caption(figures[0])
    for figure in figures:
        assert "Bureau of Economic Analysis" in caption(figure, "source")
        assert "balance of payments basis, seasonally adjusted" in caption(figure, "subtitle")


# --- charts and words -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(held):
    """Every chart of some partners, laid out, with any warning an error."""
    figures = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for who in WHO + OTHERS:
            found = study(who)
            for flow in ("exports", "imports", "balance"):
                title = titled("series", found, NOTEBOOK) if flow == "exports" else "Another flow"
                figures[who, flow] = revisions.in_each_vintage(found, flow=flow, title=title)
            for cell in ("months", "same-months", "age"):
                figures[who, cell] = draw_cell(cell, found, NOTEBOOK)
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
    for kind in ("exports", "months", "same-months", "age"):
        assert partner.prose in caption(drawn[who, kind])
        assert "2012-02-10 to 2025-04-03" in caption(drawn[who, kind], "source")
    last = revisions.newest(revisions.revised(frame, partner.code)).query("revision_due")
    for flow in ("exports", "imports"):
        size = last.loc[last["flow"] == flow, "revision_pct"].abs().mean()
        assert f"{size:.1f} percent" in caption(drawn[who, "months"])
    sums = revisions.cloud(frame, pd.Period("2018-07", "M"))
    spread = (sums.max(axis=1) - sums.min(axis=1)).idxmax()
    assert str(spread) in caption(drawn[who, "same-months"])
    sizes = study(who).by_age["mean_abs_pct"].xs("5 or more", level="age")
    for flow, size in sizes.items():
        assert f"{size:.1f} percent in {flow}" in caption(drawn[who, "age"])


def test_charts_have_their_panels_and_keys(drawn):
    assert [len(drawn["KOR", kind].axes) for kind in ("exports", "months", "same-months")] == [2, 2, 2]
    keys = drawn["KOR", "age"].axes[0].get_legend().get_texts()
    assert [text.get_text() for text in keys] == ["exports", "imports"]


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
        heights = [bar.get_height() for bars in ax.containers for bar in bars]
        exports, imports = (last.loc[last["flow"] == flow, column] for flow in ("exports", "imports"))
        assert heights == [*exports, *imports]


def test_an_area_with_imports_only_has_its_charts_and_its_words():
    found = study("0021")  # Mexico under the USMCA: imports for consumption
    assert set(found.by_age.index.get_level_values("flow")) == {"imports"}
    titles = [caption(draw_cell(cell, found, NOTEBOOK)) for cell in ("months", "age")]
    for words in (*titles, told("sizes", found)):
        assert "imports" in words.lower() and "exports" not in words and "nan" not in words.split()


def test_a_partner_without_first_prints_has_no_chart_and_is_told_so(monkeypatch):
    early = study("KOR").held.loc[[date(2012, 2, 10)]]
    monkeypatch.setattr(revisions, "prints", lambda *args, **options: early)
    found = revisions.study(sheet("KOR", "2018-07", str(NOW)))
    assert found.revised.empty and found.ytd.empty
    assert draw_cell("months", found, NOTEBOOK) is None and draw_cell("age", found, NOTEBOOK) is None
    assert told("sizes", found).startswith("No first print of South Korea has been revised since")
    assert told("ytd", found) == "No vintage held has all of January-July 2018 and of a year earlier."


def test_without_two_vintages_that_are_near_there_are_no_revisions_one_by_one():
    found = revisions.study(sheet("DEU", "2016-11"))  # by then, the vintages of 2012-02 and of 2017-01
    assert found.after_each_revision is None
    assert study("KOR").after_each_revision is not None


# --- the notebook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["KOR", "CAN"])
def test_the_notebook_runs_and_shows_the_ledger_where_there_is_one(who):
    book = nbformat.read(ROOT / "notebooks" / NOTEBOOK, as_version=4)
    (cell,) = [cell for cell in book.cells if cell["id"] == "parameters"]
    cell.source = cell.source.replace('"KOR"', f'"{who}"')
    outputs = [output for cell in run_here(book).cells for output in cell.get("outputs", [])]
    texts = "\n".join(str(o.get("data", {}).get("text/markdown", o.get("data", {}))) for o in outputs)
    assert texts.count("data:image/png;base64") == 4
    assert ("kei.13" in texts) is (who == "KOR")
    assert texts.count("January-July 2018 in each vintage") >= 1
    assert not [o for o in outputs if o.output_type in ("stream", "error")]


def test_articles_are_found_by_partner_and_release():
    sheet = brief("KOR", "2018-07")
    assert [article.id for article in ledger.articles_on("", sheet)] == ["kei-2018-09-05"]
    assert ledger.articles_on("", brief("CHN", "2018-07")) == []


def test_an_article_that_came_after_the_day_of_the_page_is_not_on_it():
    """On the European Union in January 2025 there is one, of the day after the release."""
    (later,) = ledger.articles_on("", brief("EU", "2025-01", as_of="2025-03-07"))
    assert str(later.published) == "2025-03-07"
    assert ledger.audits("", brief("EU", "2025-01")) == []
    assert ledger.audits("", brief("EU", "2025-01", as_of=later.published))[0][0].id == later.id


def test_in_january_the_month_is_not_told_twice():
    for month, twice in (("2019-01", False), ("2019-02", True)):
        found = revisions.study(sheet("CHN", month, str(NOW)))
        assert bool(told("release-month", found)) is twice
        assert told("ytd", found).startswith("Over " if twice else "In January 2019, exports to China")


def test_the_data_of_a_chart_of_sums_over_a_year_say_so():
    assert draw_cell("series", study("KOR"), NOTEBOOK).data.index.name == "twelve_months_to"
