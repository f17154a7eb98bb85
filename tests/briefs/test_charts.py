"""Charts: titles say the finding, marks hold the facts, nothing overlaps or leaves the page."""

import base64
import functools
import io
import itertools
import warnings

import matplotlib as mpl
import nbformat
import numpy as np
import pandas as pd
import pytest
from helpers import altered, figures, run_here, sheet, snapshot, titles
from helpers import drawn as draw_cell
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from nbconvert import HTMLExporter
from PIL import Image

from tradelib import brief
from tradelib.briefs import charts
from tradelib.briefs.sentences import title_of_balance
from tradelib.partners import resolve
from tradelib.style import marks
from tradelib.style.house import COLOURS, TITLE, alt_text, caption
from tradelib.style.tables import DATA_MIME

#: The charts of release.ipynb by the name of their function, each drawn below its title there.
DRAW = {name: functools.partial(draw_cell, cell) for name, cell in zip(titles(), figures(), strict=True)}
SUPPLEMENT = ("KP", "NATO", "CACM", "LA20", "West Bank")
JULY, JUNE, AUGUST = ("2018-07", "2018-10-05"), ("2010-06", None), ("2024-08", None)
FEBRUARY = ("2025-02", None)
CASES = [
    *((JULY, who) for who in ("KOR", "CHN", "MEX", "CAN", "VNM", "HKG", "TUV", "0003")),
    *((month, who) for month in (JUNE, AUGUST) for who in ("KOR", "CHN", "VNM")),
    *((AUGUST, who) for who in ("MEX", "CAN", "0003")),
    (FEBRUARY, "CHN"),
]
#: What has nothing to be drawn from: no services by quarter, no chapters of the partner or month, or no
#: rate of duty that moved by a point; only that of China in February 2025 did.
NOTHING = {
    *((JULY, "TUV", "total_trend"), (JUNE, "VNM", "total_trend")),
    *((JULY, "TUV", "chapters"), (JULY, "0003", "chapters")),
    *((JUNE, who, "chapters") for who in ("KOR", "CHN", "VNM")),
    (FEBRUARY, "CHN", "chapters"),
    *((month, who, "history") for month, who in CASES if month != FEBRUARY),
}


@pytest.fixture(scope="module")
def sheets():
    """The briefs of all cases."""
    return {(month, who): brief(who, snapshot(*month)) for month, who in CASES}


@pytest.fixture(scope="module")
def drawn(sheets):
    """Every chart of every case, laid out, with any warning an error; each is drawn once."""
    figures = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for (month, who), sheet in sheets.items():
            for name, draw in DRAW.items():
                figures[month, who, name] = fig = draw(sheet)
                if fig is not None:
                    fig.draw_without_rendering()
    return figures


@pytest.fixture
def korea(sheets):
    return sheets[JULY, "KOR"]


def title(drawn, who, name, month=JULY):
    return caption(drawn[month, who, name])


def texts(fig) -> list[Text]:
    """All texts that are painted: no empty ones, no ticks outside the limits."""
    hidden = set()
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high:
                hidden |= {tick.label1, tick.label2}
    found = fig.findobj(lambda one: isinstance(one, Text) and one.get_visible() and one.get_text().strip())
    return [text for text in found if text not in hidden and (text.axes is None or text.axes.get_visible())]


# What there is, and what there is not


def test_every_chart_is_drawn_unless_there_is_nothing_to_draw(drawn):
    assert {key for key, fig in drawn.items() if fig is None} == NOTHING


def test_no_text_overlaps_another(drawn):
    overlaps = []
    for key, fig in drawn.items():
        boxes = [(text, text.get_window_extent()) for text in texts(fig)] if fig else []
        for (one, a), (other, b) in itertools.combinations(boxes, 2):
            across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            if across > 1 and up > 1:
                overlaps.append((*key[1:], one.get_text(), other.get_text()))
    assert not overlaps


def test_no_text_leaves_the_canvas(drawn):
    for key, fig in drawn.items():
        for text in texts(fig) if fig else []:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.y0 >= 0, (key, text.get_text())
            assert box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1, (key, text.get_text())


def test_marks_stay_clear_of_title_and_source(drawn):
    for key, fig in drawn.items():
        if fig is not None:
            above, below = (text for text in fig.texts if text.get_gid() in ("subtitle", "source"))
            head, foot = above.get_window_extent().y0, below.get_window_extent().y1
            for ax in fig.axes:
                assert foot < ax.bbox.y0 < ax.bbox.y1 < head, key


def test_zero_is_within_the_limits_wherever_a_bar_starts(drawn):
    for key, fig in drawn.items():
        for ax in fig.axes if fig and ax_has_bars(fig) else []:
            low, high = sorted(ax.get_xlim() if key[2] == "chapters" else ax.get_ylim())
            assert low <= 0 <= high, key
            for bar in ax.patches:
                start, length = (bar.get_y(), bar.get_height())
                if key[2] == "chapters":
                    start, length = bar.get_x(), bar.get_width()
                assert low <= min(start, start + length) and max(start, start + length) <= high, key


def ax_has_bars(fig) -> bool:
    return any(ax.patches for ax in fig.axes)


def test_tick_labels_have_few_digits(drawn):
    for key, fig in drawn.items():
        for ax in fig.axes if fig else []:
            money = ax.xaxis if key[2] in ("chapters", "standing") else ax.yaxis
            for label in money.get_ticklabels():
                assert sum(c.isdigit() for c in label.get_text()) <= 3, (key, label.get_text())


# Titles


def test_titles_of_korea_say_what_the_release_said(drawn):
    assert title(drawn, "KOR", "ytd_by_year") == (
        "The January-July goods deficit with South Korea is the smallest since 2012"
    )
    assert title(drawn, "KOR", "goods_history") == (
        "The goods deficit with South Korea narrowed by 5.7 percent, to $20.2 billion in the 12 months to "
        "July 2018 from $21.5 billion a year earlier"
    )
    assert "has gone from $17.6 billion to $4.8 billion since the second quarter of 2016" in title(
        drawn, "KOR", "total_trend"
    )
    assert title(drawn, "KOR", "what_moved") == (
        "The U.S. deficit with South Korea in goods and services narrowed by $1.9 billion in the first half "
        "of 2018, mainly as goods exports rose"
    )
    assert title(drawn, "KOR", "chapters") == (
        "The goods balance with South Korea by chapter, net: motor vehicles and parts (HS 87) added $2.3 "
        "billion and mineral fuels (HS 27) added $2.3 billion in January-July 2018"
    )
    assert title(drawn, "KOR", "standing") == (
        "The U.S. deficit with South Korea in goods and services is the 9th largest among 15 countries"
    )


def test_a_record_names_the_first_year_of_the_data(drawn):
    assert title(drawn, "CHN", "ytd_by_year").endswith("is the largest on record, in figures since 1985")
    assert title(drawn, "TUV", "ytd_by_year").endswith("is the largest on record, in figures since 2002")


def test_a_deficit_smaller_than_all_since_a_surplus_says_so(drawn):
    assert title(drawn, "KOR", "ytd_by_year", JUNE).endswith("is the smallest since the surplus of 1997")


def test_a_sign_flip_is_told_in_dollars(drawn):
    assert title(drawn, "KOR", "what_moved", JUNE) == (
        "The U.S. balance with South Korea in goods and services moved from a deficit of $3.2 billion a year "
        "earlier to a surplus of $646 million in the first quarter of 2010, mainly as goods exports rose"
    )
    assert "moved from a deficit of $75.8 billion to a surplus of $10.8 billion" in title(
        drawn, "CAN", "total_trend"
    )


def test_goods_alone_says_that_it_is_goods_alone(drawn):
    assert title(drawn, "TUV", "what_moved") == (
        "Goods only: the surplus with Tuvalu widened by $424 thousand in January-July 2018, "
        "mainly as goods exports rose"
    )


def test_standing_of_a_country_outside_the_universe_is_among_all_countries(drawn, sheets):
    rank = sheets[JULY, "VNM"]["goods.deficit.rank"]
    assert title(drawn, "VNM", "standing") == (
        f"The U.S. goods deficit with Vietnam is the {rank.value}th largest among {rank.more['n']} countries"
    )
    assert title(drawn, "TUV", "standing") == (
        "With Tuvalu the United States had a surplus of $791 thousand in goods in January-July 2018"
    )


def test_standing_of_a_group_is_about_its_members(drawn):
    assert title(drawn, "0003", "standing").endswith(
        "the U.S. goods deficit in January-July 2018 was largest with Germany, $39.6 billion"
    )
    assert "European Union" not in {text.get_text() for text in texts(drawn[JULY, "0003", "standing"])}


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (-2e9, -1e9, "The goods deficit widened by 100.0 percent, to $2.0 billion now from $1.0 billion"),
        (2e3, 5e3, "The goods surplus narrowed by $3 thousand, to $2 thousand now from $5 thousand a year"),
        (-1.0101e9, -1.0102e9, "The goods deficit was little changed, at $1.0 billion now"),
        (0.0, 0.0, "The goods balance was zero now"),
        (0.0, -3e6, "The goods balance moved from a deficit of $3.0 million a year earlier to zero now"),
        (4e6, float("nan"), "The goods surplus was $4.0 million now"),
    ],
)
def test_a_balance_moves_in_grammatical_sentences(now, before, said):
    assert title_of_balance("goods {}", now, before, "now").startswith(said)


# What is drawn is what the facts say


def test_line_ends_are_the_trailing_sums(drawn, sheets):
    for month, who in CASES:
        lines = {
            line.get_label(): line.get_ydata()[-1]
            for line in drawn[month, who, "goods_history"].axes[0].lines
        }
        balance = lines["exports"] - lines["imports"]
        assert balance == pytest.approx(sheets[month, who].value("goods.balance.trailing12"), abs=1)


def test_bars_by_year_are_the_balances_now_and_a_year_earlier(drawn, sheets):
    for month, who in CASES:
        sheet = sheets[month, who]
        now, change = sheet.value("goods.balance.ytd"), sheet.value("goods.balance.ytd.change_usd")
        before, last = (bar.get_height() for bar in drawn[month, who, "ytd_by_year"].axes[0].patches[-2:])
        assert (before, last) == pytest.approx((now - change, now), abs=1)


def test_no_trend_ends_before_its_release():
    """Of 2013 the union's members change, and there is no sum of the four quarters to the first of it."""
    union = sheet("EU", "2013-04")
    assert union.value("total.balance.trailing4") is None and draw_cell("trend-chart", union) is None


def test_no_trend_is_drawn_where_only_years_have_services():
    """Of Malaysia BEA has goods by quarter then, services by year only: its line ended at nan."""
    malaysia = sheet("MYS", "2008-03")
    assert malaysia.value("total.balance.trailing4") < 0 and draw_cell("trend-chart", malaysia) is None


@pytest.mark.parametrize(
    ("cell", "one", "two"),
    [("goods-history", "1985-12", "1986-01"), ("trend-chart", "2000-02", "2000-05")],
)
def test_a_line_needs_two_points(cell, one, two):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert draw_cell(cell, sheet("KOR", one)) is None
        line = draw_cell(cell, sheet("KOR", two))
    assert [len(drawn.get_xdata()) for drawn in line.axes[0].lines][:2] == [2, 2]


def test_trend_ends_at_the_trailing_total_and_marks_the_turn(drawn, sheets):
    for month, who in CASES:
        fig, sheet = drawn[month, who, "total_trend"], sheets[month, who]
        if fig is None:
            continue
        lines = {line.get_label(): line.get_ydata() for line in fig.axes[0].lines}
        history = sheet.snapshot.trailing_total(sheet.partner.code)["balance_usd"]
        assert lines["total"][-1] == pytest.approx(history.iloc[-1], abs=1)
        turn = sheet["total.trend.start"]
        assert ("turn" in lines) == (turn.value is not None)
        if turn.value:
            assert lines["turn"] == pytest.approx([turn.more["turn_usd"]], abs=1)


def test_trend_shades_the_confidence_set_only_where_a_break_is_found(drawn, sheets):
    found = 0
    for month, who in CASES:
        fig, broken = drawn[month, who, "total_trend"], sheets[month, who]["total.trend.break"]
        if fig is None:
            continue
        bands, shaded = fig.axes[0].patches, "95 percent confidence set" in caption(fig, "source")
        assert len(bands) == shaded == (broken.value is not None)
        for band in bands:
            first, last = (pd.Period(quarter) for quarter in broken.more["confidence"])
            ends = [p.year + (p.quarter - 1) / 4 for p in (first, last + 1)]
            assert [band.get_x(), band.get_x() + band.get_width()] == pytest.approx(ends)
            found += 1
    assert found, "at least Korea in July 2018"


def test_waterfall_runs_from_last_year_to_now_over_the_contributions(drawn, sheets):
    for month, who in CASES:
        fig, sheet = drawn[month, who, "what_moved"], sheets[month, who]
        item = "goods" if sheet.value("total.balance.ytd") is None else "total"
        now, change = sheet.value(f"{item}.balance.ytd"), sheet.value(f"{item}.balance.ytd.change_usd")
        first, *steps, last = fig.axes[0].patches
        assert (first.get_height(), last.get_height()) == pytest.approx((now - change, now), abs=1)
        level = now - change
        for bar in steps:
            assert bar.get_y() == pytest.approx(level, abs=1)
            level += bar.get_height()
        assert level == pytest.approx(now, abs=5e6)


def test_waterfall_of_korea_holds_the_four_contributions_and_owns_up_to_rounding(drawn, korea):
    fig = drawn[JULY, "KOR", "what_moved"]
    heights = [bar.get_height() for bar in fig.axes[0].patches[1:-1]]
    ids = [f"{item}_{flow}" for item in ("goods", "services") for flow in ("exports", "imports")]
    assert heights == [korea.value(f"total.balance.contribution.{id}") for id in ids]
    assert "Parts differ from the published change by $2 million of rounding." in caption(fig, "source")


def test_rounding_that_would_be_seen_gets_its_own_bar(korea):
    parts = ("goods_exports", "goods_imports", "services_exports", "services_imports")
    dollars = {f"total.balance.contribution.{part}": 5e6 for part in parts}
    dollars |= {"total.balance.ytd": -10e6, "total.balance.ytd.change_usd": 22e6}
    fig = DRAW["what_moved"](altered(korea, dollars))
    assert [bar.get_height() for bar in fig.axes[0].patches] == [-32e6, 5e6, 5e6, 5e6, 5e6, 2e6, -10e6]
    assert "Rounding" in [label.get_text() for label in fig.axes[0].get_xticklabels()]
    assert "Parts differ" not in caption(fig, "source")


def test_chapters_run_from_last_year_to_now_over_the_contributions_of_the_fact(drawn, sheets):
    for month, who in CASES:
        fig, fact = drawn[month, who, "chapters"], sheets[month, who]["commodity.hs2.contributions"]
        if fig is None:
            continue
        way = -1 if fact.more["covers"] == "imports only" else 1
        first, *steps, last = fig.axes[0].patches
        net = sheets[month, who].value("commodity.hs2.net")
        parts = [way * entry["contribution_usd"] for entry in net or fact.value]
        assert first.get_width() == 0
        assert [bar.get_width() for bar in steps] == parts
        level = 0.0
        for bar in steps:
            assert bar.get_x() == pytest.approx(level, abs=1e-3)
            level += bar.get_width()
        assert level == last.get_width() == way * fact.more["change_usd"]
        levels = fact.more["now_usd"] - fact.more["before_usd"]
        assert (last.get_x(), levels) == (0, level), (month, who)


def test_chapters_are_netted_and_name_their_gross_flows(drawn):
    fig = drawn[JULY, "KOR", "chapters"]
    rows = [label.get_text().replace("\n", " ") for label in fig.axes[0].get_yticklabels()]
    assert rows[:3] + rows[-2:] == [
        "January-July 2017 −$12.4 billion",
        "Motor vehicles and parts (HS 87) exports +0.01, imports −2.31",
        "Mineral fuels (HS 27) exports +2.30, imports +0.05",
        "Other chapters exports +1.38, imports +0.83",
        "January-July 2018 −$9.9 billion",
    ]
    colours = {"Other": "quiet", "January": "balance"}
    for row, bar in zip(rows, fig.axes[0].patches, strict=True):
        name = next((colour for word, colour in colours.items() if word in row), "goods")
        assert bar.get_facecolor()[:3] == to_rgb(COLOURS[name])


def test_one_flow_is_drawn_as_itself_and_says_which(drawn, sheets):
    imports = drawn[AUGUST, "KOR", "chapters"]
    assert caption(imports).startswith("U.S. imports from South Korea: motor vehicles and parts (HS 87), ")
    assert caption(imports, "subtitle").startswith("U.S. general imports by HS chapter")
    assert imports.axes[0].patches[-1].get_width() > 0  # more imports, a longer bar to the right
    exports = drawn[JULY, "HKG", "chapters"]
    assert caption(exports) == (
        "U.S. exports to Hong Kong: precious metals and stones (HS 71), motor vehicles and parts (HS 87) and "
        "machinery and computers (HS 84) changed most in January-July 2018"
    )
    assert caption(exports, "subtitle").startswith("U.S. exports by HS chapter")


def test_the_longest_chapter_name_takes_no_more_than_two_lines_and_its_flows_one(drawn):
    for key, fig in drawn.items():
        if key[2] == "chapters" and fig is not None:
            for label in fig.axes[0].get_yticklabels():
                assert label.get_text().count("\n") <= 1 + ("exports" in label.get_text()), (
                    key,
                    label.get_text(),
                )


def test_standing_shows_the_whole_universe_in_order(drawn, korea):
    ax = drawn[JULY, "KOR", "standing"].axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == 15 and labels[korea.value("total.deficit.rank") - 1] == "South Korea"
    lines = {line.get_label(): line for line in ax.lines}
    dots = [lines[f"highlight {when}"].get_xdata()[0] for when in ("before", "now")]
    assert list(lines["muted now"].get_xdata()) == sorted(lines["muted now"].get_xdata())
    now, change = korea.value("total.balance.ytd"), korea.value("total.balance.ytd.change_usd")
    assert dots == [now - change, now]


def test_a_value_that_dwarfs_the_others_is_written_at_the_edge_of_the_scale(drawn):
    fig = drawn[JULY, "KOR", "standing"]
    assert "−182.5 (a year earlier −167.1)" in {text.get_text() for text in texts(fig)}
    assert fig.axes[0].get_xlim()[0] > -45e9


def test_where_nothing_is_known_of_a_year_earlier_nothing_is_said_of_it():
    fig = charts.standing(brief("IND", snapshot("1999-09")), title="A title")
    told = {text.get_text() for text in texts(fig)}
    assert {"−32.1", "−25.5"} <= told
    assert not [text for text in told if "nan" in text or "a year earlier" in text]


def test_the_partner_itself_is_never_off_the_scale(drawn, sheets):
    assert drawn[JULY, "CHN", "standing"].axes[0].get_xlim()[0] < sheets[JULY, "CHN"].value(
        "total.balance.ytd"
    )


def test_a_universe_that_was_not_seen_is_owned_up_to(drawn):
    assert "Exhibit 20 listed from 2018 to 2021" in caption(drawn[JUNE, "KOR", "standing"], "source")
    assert "Exhibit 20" not in caption(drawn[JULY, "KOR", "standing"], "source")


# Sources, units, colours


def test_the_source_line_names_vintage_and_lag(drawn):
    assert caption(drawn[JULY, "KOR", "goods_history"], "source") == (
        "Source: U.S. Census Bureau, country.xlsx; vintage of 2018-10-05"
    )
    assert caption(drawn[JULY, "KOR", "total_trend"], "source") == (
        "Shaded: where single quarters may have changed slope (95 percent confidence set); lines are "
        "four-quarter sums. "
        "Source: U.S. Bureau of Economic Analysis, trade by country; vintage of 2025-03-06, "
        "2,344 days after the as-of date"
    )
    assert "vintage saved by 2025-10-18, 375 days after" in caption(
        drawn[AUGUST, "KOR", "chapters"], "source"
    )


def test_the_subtitle_says_measure_basis_adjustment_and_unit(drawn):
    assert caption(drawn[JULY, "KOR", "goods_history"], "subtitle") == (
        "U.S. goods trade, Census basis, not seasonally adjusted, 12-month sums, $ billion"
    )
    assert caption(drawn[JULY, "TUV", "ytd_by_year"], "subtitle").endswith("January-July, $ thousand")
    assert "balance of payments basis, seasonally adjusted" in caption(
        drawn[JULY, "KOR", "what_moved"], "subtitle"
    )


# Agreements


AGREED = {
    (AUGUST, "KOR"): ["KORUS in force", "KORUS revised"],
    (JULY, "KOR"): ["KORUS in force"],
    (JUNE, "KOR"): [],
    (AUGUST, "CHN"): ["Phase One"],
    (JULY, "CHN"): [],
    (JULY, "CAN"): [],
    (JUNE, "CHN"): [],
    (AUGUST, "VNM"): [],
}


@pytest.mark.parametrize("name", ["goods_history", "total_trend"])
def test_agreements_are_marked_when_their_day_lies_among_the_years_shown(drawn, name):
    for (month, who), names in AGREED.items():
        fig = drawn[month, who, name]
        if fig is None:
            continue
        seen = [text.get_text() for text in fig.axes[0].texts if text.get_gid() == "agreement"]
        assert seen == names, (month, who)
        lines = [line.get_xdata()[0] for line in fig.axes[0].lines if line.get_gid() == "upright"]
        dates = [day for day, label in marks.agreements(resolve(who).code) if label in names]
        years = [day.year + (int(f"{day:%j}") - 1) / 365.25 for day in dates]
        assert lines == pytest.approx(years)


def test_nafta_is_marked_where_the_chart_reaches_back_to_it():
    for who in ("CAN", "MEX"):
        fig = charts.goods_history(brief(who, "2010-06"))
        assert [text.get_text() for text in fig.axes[0].texts if text.get_gid() == "agreement"] == ["NAFTA"]


def test_no_label_of_a_turn_sits_on_an_agreement(drawn):
    for (month, who, name), fig in drawn.items():
        if name == "total_trend" and fig is not None:
            lines = [one for one in fig.axes[0].lines if one.get_gid() == "upright"]
            turns = [t for t in fig.axes[0].texts if "Q" in t.get_text() and t.get_gid() is None]
            for text, line in itertools.product(turns, lines):
                box, x = text.get_window_extent(), line.get_window_extent().x0
                assert not box.x0 < x < box.x1, (month, who)


@pytest.mark.parametrize("dpi", [80, 100, 200])
def test_a_picture_of_another_resolution_keeps_its_words_inside(sheets, dpi):
    """Letters are up to 4 percent wider there, from being fitted to the pixels."""
    for (month, who), name in itertools.product([(JULY, "KOR"), (AUGUST, "0003"), (AUGUST, "CAN")], DRAW):
        fig = DRAW[name](sheets[month, who])
        if fig is not None:
            fig.set_dpi(dpi)
            fig.draw_without_rendering()
            for text in fig.texts:
                assert text.get_window_extent().x1 <= fig.bbox.x1, (name, who, text.get_text())


# Manners


def test_charts_leave_no_trace_in_matplotlib(korea):
    before = dict(mpl.rcParams)
    for draw in DRAW.values():
        draw(korea)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_a_users_own_style_does_not_change_the_charts(korea):
    with mpl.rc_context({"text.color": "red", "font.size": 30, "axes.grid": True}):
        fig = DRAW["ytd_by_year"](korea)
    assert {text.get_color() for text in texts(fig)} == {COLOURS["text"], COLOURS["muted"]}
    assert max(text.get_fontsize() for text in texts(fig)) == TITLE
    assert not any(line.get_visible() for line in fig.axes[0].get_xgridlines())


def test_alt_text_is_the_title_and_the_source(drawn):
    assert alt_text(drawn[JULY, "KOR", "ytd_by_year"]) == (
        "Chart: The January-July goods deficit with South Korea is the smallest since 2012. "
        "Source: U.S. Census Bureau, country.xlsx; vintage of 2018-10-05."
    )


def test_a_missing_year_leaves_a_gap_in_the_line(drawn):
    line = drawn[JULY, "TUV", "goods_history"].axes[0].lines[0].get_ydata()
    assert np.isnan(line).any() and not np.isnan(line[-1])


@pytest.mark.parametrize("template", ["lab", "classic"])
def test_a_shown_chart_appears_once_with_its_alternative_text(template, notebook_run):
    page, _ = HTMLExporter(template_name=template).from_notebook_node(notebook_run)
    assert page.count("<img") == 1
    assert 'alt="Chart: The January-July goods deficit with South Korea is the smallest since 2012.' in page


def test_a_shown_chart_keeps_the_colours_of_the_palette(notebook_run):
    picture = base64.b64decode(notebook_run.cells[0].outputs[0]["data"]["image/png"])
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    seen = {colour: count for count, colour in image.getcolors(1 << 20)}
    for name in ("highlight", "before", "quiet", "text", "muted"):
        assert tuple(bytes.fromhex(COLOURS[name][1:])) in seen, name
    lines = bytes.fromhex(COLOURS["grid"][1:])  # between two pixels, each of which has a part
    assert max(seen.get(tuple(one + pale for one in lines), 0) for pale in range(8)) > image.width


@pytest.fixture(scope="module")
def notebook_run():
    """A notebook of one cell, run."""
    code = f"""
from tradelib import brief
from tradelib.briefs import charts
charts.ytd_by_year(brief("KOR", "2018-07", as_of="2018-10-05"), title={titles()["ytd_by_year"]!r})
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    (output,) = run_here(notebook).cells[0].outputs
    assert set(output["data"]) == {"text/html", "image/png", "text/plain", DATA_MIME}
    return notebook


@pytest.mark.parametrize("who", SUPPLEMENT)
def test_what_the_long_table_lacks_of_a_release_is_not_drawn(who):
    """The release of August 2021 printed all partners; the later table has no figure of some."""
    found = brief(who, snapshot("2021-08"))
    drawn = [draw(found) for name, draw in DRAW.items() if name != "history"]
    plt.close("all")
    assert not all(drawn), "something is lacking"


@pytest.mark.parametrize("who", ["KOR", "0003", "MEX"])
def test_every_chart_is_drawn_of_a_whole_year_too_which_is_the_annual_tables(who):
    found = brief(who, snapshot("2025-02"))
    shown = [figure for cell in figures() if (figure := draw_cell(cell, found)) is not None]
    subtitles = [caption(figure, "subtitle") for figure in shown]
    assert len(shown) > 3 and any("by year" in text for text in subtitles), subtitles


def test_two_years_are_named_whole_and_one_is_no_chart():
    """Kosovo since 2009: of two ticks matplotlib wrote +2.01e3 beside the axis, and the page was refused."""
    fig = DRAW["ytd_by_year"](sheet("Kosovo", "2010-04"))
    fig.canvas.draw()
    axis = fig.axes[0].xaxis
    assert [tick.get_text() for tick in axis.get_ticklabels()] == ["2009", "2010"]
    assert axis.get_offset_text().get_text() == ""
    assert DRAW["ytd_by_year"](sheet("Kosovo", "2009-04")) is None
