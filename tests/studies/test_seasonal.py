"""Our seasonal adjustment: takes seasons out, is never called official, and refuses in words."""

import csv
import itertools
import re
import warnings
from functools import cache

import nbformat
import numpy as np
import pandas as pd
import pytest
from helpers import ROOT, run_here, said, sheet, snapshot
from helpers import drawn as draw_cell
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from tradelib import list_vintages, load_goods, load_goods_sa
from tradelib.briefs.snapshot import covered_partners
from tradelib.errors import TradelibError
from tradelib.studies import seasonal
from tradelib.studies.seasonal import adjust, adjusted, compare, gaps, official
from tradelib.style.house import caption
from tradelib.windows import Window

NOTEBOOK = "seasonal.ipynb"
MONTHS = pd.period_range("2009-09", periods=180, freq="M")
SEASONS = np.array([0.9, 0.85, 1.05, 1.0, 1.02, 1.0, 0.95, 1.0, 1.03, 1.1, 1.05, 1.05])
CASES = ["KOR", "CHN", "CAN", "PER", "VNM", "TUV"]


@cache
def both(who: str, release: str = "2024-08"):
    return seasonal.study(sheet(who, release))


def told(who: str, release: str = "2024-08", cell: str = "gap") -> str:
    return str(said(cell, both(who, release), NOTEBOOK))


def flow(growth: float = 0.004) -> pd.Series:
    trend = 1e9 * np.exp(growth * np.arange(len(MONTHS)))
    return pd.Series(trend * SEASONS[MONTHS.month - 1], index=MONTHS)


# --- the adjustment -----------------------------------------------------------------------------


def test_a_known_season_is_taken_out():
    trend = flow() / SEASONS[MONTHS.month - 1]
    found = adjust(flow())
    level = found / trend
    assert (level / level.mean() - 1).abs().max() < 0.01
    assert (flow() / trend - 1).abs().max() > 0.1  # which it was not before


def test_a_flow_that_only_has_a_season_has_none_left():
    months = pd.period_range("2010-01", periods=60, freq="M")
    flow = pd.Series(100.0, index=months).where(months.month != 12, 150.0)
    assert adjust(flow).round(1).unique().size == 1


def test_one_odd_month_stays_in_the_figures_and_leaves_other_years_alone():
    odd = flow()
    odd.iloc[90] *= 3
    change = adjust(odd) / adjust(flow()) - 1
    assert change.iloc[90] > 1.5
    assert change.drop(change.index[90]).abs().max() < 0.01


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 1000), st.integers(0, 10_000))
def test_the_unit_of_a_flow_does_not_matter(times, seed):
    noisy = flow() * np.exp(np.random.default_rng(seed).normal(0, 0.05, len(MONTHS)))
    pd.testing.assert_series_equal(adjust(times * noisy), times * adjust(noisy), rtol=1e-6)


@pytest.mark.parametrize("bad", [0.0, np.nan, -1.0])
def test_a_month_without_a_log_is_refused(bad):
    broken = flow()
    broken.iloc[7] = bad
    with pytest.raises(TradelibError, match="above zero"):
        adjust(broken)
    with pytest.raises(TradelibError, match="above zero"):
        adjust(flow().drop(MONTHS[7]))


def goods(code: str = "5800", as_of: str = "2024-10-08") -> pd.DataFrame:
    return load_goods(as_of=as_of, partner=code)


WINDOW = Window(MONTHS[0], MONTHS[-1])


def test_the_adjusted_and_the_official_figures_have_a_column_for_each_flow():
    window = Window(pd.Period("2003-08", "M"), pd.Period("2018-07", "M"))
    assert adjusted(goods(as_of="2018-10-05"), window=window).shape == (180, 2)
    known = official(load_goods_sa(as_of="2025-04-03", partner="5800"))
    assert known.columns.tolist() == ["exports_sa_usd", "imports_sa_usd"]


def test_our_columns_say_that_they_are_ours_and_leave_the_balance_out():
    assert list(adjusted(goods(), window=WINDOW)) == ["exports_sa_ours_usd", "imports_sa_ours_usd"]


def test_months_after_the_window_do_not_change_the_adjustment():
    known = goods()
    later = known[known["period"] <= WINDOW.end]
    earlier = Window(WINDOW.start - 24, WINDOW.end - 24)
    pd.testing.assert_frame_equal(adjusted(known, window=earlier), adjusted(later, window=earlier))


def test_an_adjusted_table_is_not_adjusted_again():
    with pytest.raises(TradelibError, match="goods_census_sa is not an unadjusted"):
        adjusted(load_goods_sa(as_of="2025-04-03", partner="5800"), window=WINDOW)


def test_the_reason_names_the_flow_the_partner_and_the_first_bad_month():
    broken = goods()
    broken = broken[~((broken["flow"] == "imports") & (broken["period"] == MONTHS[4]))]
    with pytest.raises(TradelibError, match="imports from South Korea are zero or missing in 1 of 180"):
        adjusted(broken, window=WINDOW, name="South Korea")
    with pytest.raises(TradelibError, match="first in January 2010"):
        adjusted(broken, window=WINDOW, name="South Korea")


def test_a_partner_is_adjusted_or_a_reason_is_given():
    done, taken = 0, snapshot("2024-08")
    for code in covered_partners(taken)[::9]:
        made = both(code)
        assert (made.ours is None) == bool(made.why_not), code
        text = told(code)
        assert not re.search(r"\bnan\b|None|\.\.|  ", text), text
        if made.ours is not None:
            assert (made.ours > 0).all(axis=None) and len(made.ours) == 180, code
            done += 1
    assert 5 < done < 25


# --- against the official figures ---------------------------------------------------------------

flows = st.lists(st.integers(1, 10**9), min_size=3, max_size=40)


def frame(values: list[int], names: str) -> pd.DataFrame:
    months = pd.period_range("2018-01", periods=len(values), freq="M", name="period")
    return pd.DataFrame({names.format(f): np.array(values, float) for f in ("exports", "imports")}, months)


def test_gaps_and_nearness_of_a_few_months():
    ours, known = frame([99], "{}_sa_ours_usd"), frame([100], "{}_sa_usd")
    ours["imports_sa_ours_usd"], known["imports_sa_usd"] = 51.0, 50.0
    assert gaps(ours, known).round(1).iloc[0].tolist() == [-1.0, 2.0]
    ours, known = frame([100, 101, 103], "{}_usd"), frame([100, 101, 100], "{}_usd")
    ours["imports_usd"], known["imports_usd"] = [50.0, 49, 50], [50.0, 49, 50]
    table = compare(ours, known)
    assert table.loc["exports"].tolist() == pytest.approx([3, 1.0, 50.0])
    assert table.loc["imports"].tolist() == [3, 0.0, 100.0]


@given(flows)
def test_figures_do_not_differ_from_themselves(values):
    table = compare(frame(values, "{}_sa_ours_usd"), frame(values, "{}_sa_usd"))
    assert (table["mean_gap_pct"] == 0).all() and (table["same_sign_pct"] == 100).all()
    assert (table["months"] == len(values)).all()


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=3, max_size=30))
def test_gaps_and_directions_by_hand(pairs):
    ours, known = ([pair[n] for pair in pairs] for n in (0, 1))
    table = compare(frame(ours, "{}_sa_ours_usd"), frame(known, "{}_sa_usd")).loc["imports"]
    assert table["mean_gap_pct"] == pytest.approx(
        sum(100 * abs(a - b) / b for a, b in pairs) / len(pairs), abs=1e-9
    )

    def sign(values, n):
        return (values[n] > values[n - 1]) - (values[n] < values[n - 1])

    same = [sign(ours, n) == sign(known, n) for n in range(1, len(pairs))]
    assert table["same_sign_pct"] == pytest.approx(100 * sum(same) / len(same))


def test_changes_are_not_taken_over_a_missing_month():
    ours, known = frame([1, 2, 3, 2, 3], "{}_sa_ours_usd"), frame([1, 2, 9, 1, 2], "{}_sa_usd")
    table = compare(ours, known.drop(known.index[2])).loc["exports"]
    assert table["months"] == 4
    assert table["same_sign_pct"] == 100  # the two changes left: 2018-02 and 2018-05


def test_official_figures_are_those_of_the_file(originals):
    with (originals / "census" / "ctyseasonal_2025-04-03.csv").open(
        encoding="utf-8-sig", newline=""
    ) as lines:
        rows = [{k.strip(): v for k, v in row.items()} for row in csv.DictReader(lines)]
    (row,) = [r for r in rows if r["cty_code"].zfill(4) == "5800" and r["year"].startswith("2018")]
    known = official(load_goods_sa(as_of="2025-04-03", partner="5800")).loc[pd.Period("2018-07", "M")]
    assert (known["exports_sa_usd"], known["imports_sa_usd"]) == (
        round(float(row["EJUL"])),
        round(float(row["IJUL"])),
    )


def test_ours_is_nearer_to_the_official_figures_than_the_unadjusted_ones_are():
    near, plain = [], []
    for code in sorted(load_goods_sa(as_of="2025-04-03")["partner"].unique()):
        made = both(code) if code in set(snapshot("2024-08").goods_flows["partner"]) else None
        if made and made.ours is not None and made.official is not None:
            near.append(compare(made.ours, made.official))
            plain.append(compare(made.unadjusted, made.official))
    ours, bare = (pd.concat(tables)["mean_gap_pct"] for tables in (near, plain))
    assert len(near) == 23  # countries; groups are not compared
    assert ours.median() < 3.2
    assert (ours.to_numpy() < bare.to_numpy()).mean() > 0.85
    same = [pd.concat(tables)["same_sign_pct"].median() for tables in (near, plain)]
    assert same[0] > same[1]


def test_gaps_are_in_percent_of_the_official_figures():
    made = both("KOR")
    found = gaps(made.ours, made.official).loc[pd.Period("2018-07", "M"), "exports_gap_pct"]
    mine, theirs = (frame.loc[pd.Period("2018-07", "M")].iloc[0] for frame in (made.ours, made.official))
    assert found == pytest.approx(100 * (mine - theirs) / theirs)


def test_official_figures_stop_at_the_release_and_tell_their_vintage():
    made = both("KOR", "2018-07")
    assert made.official.index.max() == pd.Period("2018-07", "M")
    (vintage,) = list_vintages("goods_census_sa")
    assert made.official_vintage == vintage
    assert "official ones as published on April 3, 2025" in told("KOR", "2018-07", cell="stand")


def test_a_group_is_adjusted_but_not_compared_as_its_members_are_not_counted_alike():
    union, known = both("EU"), official(load_goods_sa(as_of="2025-04-03", partner="0003"))
    assert union.ours is not None and union.official is None
    assert "may count other members of the European Union" in told("EU")
    year = known.loc[pd.Period("2018-01", "M") : pd.Period("2018-12", "M"), "exports_sa_usd"].sum()
    plain = union.unadjusted.loc[pd.Period("2018-01", "M") : pd.Period("2018-12", "M"), "exports_usd"].sum()
    assert year < 0.85 * plain  # the reason: the official table leaves the United Kingdom out of 2018


# --- words and charts ---------------------------------------------------------------------------


def test_what_is_said_of_korea_peru_and_tuvalu():
    korea = both("KOR")
    table = compare(korea.ours, korea.official)
    text = told("KOR")
    for number in (*table["mean_gap_pct"], *table["same_sign_pct"]):
        assert f"{number:.1f} percent" in text
    assert "cannot be checked" in told("PER")
    assert "exports to Tuvalu are zero or missing in 28 of 180 months" in told("TUV")
    assert "exports to Tuvalu are zero or missing in 42 of 180 months, first in August 2003" in told(
        "TUV", "2018-07"
    )
    assert "are the unadjusted ones" in told("Ireland")
    assert seasonal.nearness(both("TUV")) is None and len(seasonal.nearness(korea)) == 4
    assert "No calendar correction" in told("KOR", cell="how-to-read")


def test_one_month_alone_moves_no_way():
    """In January 2009 the official table has one month: there were "nan percent of months" once."""
    text = told("KOR", "2009-01")
    assert "In January 2009 our adjustment" in text
    assert "nan" not in text and "From one month to the next" not in text and "on average" not in text
    assert "on average" in told("KOR", "2009-02")
    assert seasonal.gap(both("KOR", "2009-01")) is None, "one point is no line"
    fact = both("KOR", "2009-01")["seasonal.gap.exports.same_way_pct"]
    assert fact.value is None and fact.reason == "there are no two months in a row to compare"


def test_the_facts_know_which_of_the_two_tables_they_rest_on():
    korea = both("KOR")
    ours, known = (korea[f"seasonal.{by}.exports.change_pct"] for by in ("ours", "official"))
    assert (ours.table, ours.vintage, ours.adjustment) == ("goods_census_nsa", "2024-10-08", "SA by tradelib")
    assert (known.table, known.vintage, known.vintage_lag_days) == ("goods_census_sa", "2025-04-03", 177)
    assert (known.adjustment, known.vintage_method) == ("SA", "later")
    told = dict(korea.sources())["Goods, seasonally adjusted"]
    assert told == "goods_census_sa, vintage of April 3, 2025, 177 days after the as-of date"
    july, august = korea.official["exports_sa_usd"].iloc[-2:]
    assert known.value == pytest.approx(100 * (august / july - 1))


def test_the_last_months_show_all_there_is():
    korea = seasonal.last_months(both("KOR"), caption="Trade with {partner}")
    assert len(korea) == 12 and korea.caption == "Trade with South Korea"
    assert [one.header for one in korea.columns[1:4]] == [
        "Exports, not adjusted",
        "Exports, official",
        "Exports, ours",
    ]
    assert len(seasonal.last_months(both("PER")).columns) == 5
    assert len(seasonal.last_months(both("TUV")).columns) == 3


@pytest.fixture(scope="module")
def drawn():
    figures = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for who, cell in itertools.product(CASES, ("adjustment", "gap-chart")):
            figures[who, cell.removesuffix("-chart")] = fig = draw_cell(cell, both(who), NOTEBOOK)
            if fig is not None:
                fig.draw_without_rendering()
    return figures


def test_what_cannot_be_drawn_is_none(drawn):
    nothing = {("PER", "gap"), ("TUV", "gap"), ("TUV", "adjustment")}
    assert {key for key, fig in drawn.items() if fig is None} == nothing


def test_lines_are_the_last_five_years_and_ours_is_called_not_official(drawn):
    for who in ("KOR", "CHN", "CAN"):
        for ax, name in zip(drawn[who, "adjustment"].axes, ("exports", "imports"), strict=True):
            lines = {line.get_label(): line.get_ydata() for line in ax.lines}
            assert list(lines) == ["Not adjusted", "Official", "Ours, not official"]
            ours = both(who).ours[f"{name}_sa_ours_usd"].iloc[-60:]
            assert list(lines["Ours, not official"]) == list(ours)
            assert list(lines["Official"]) == list(both(who).official[f"{name}_sa_usd"].iloc[-60:])
    assert len(drawn["KOR", "gap"].axes) == 2
    assert [line.get_label() for line in drawn["PER", "adjustment"].axes[0].lines] == [
        "Not adjusted",
        "Ours, not official",
    ]
    assert "Official" not in [line.get_label() for line in drawn["PER", "adjustment"].axes[0].lines]


def test_titles_hold_the_numbers_of_the_data(drawn):
    gap = compare(both("CHN").ours, both("CHN").official)["mean_gap_pct"]
    assert f"by {gap['exports']:.1f} percent on average in exports" in caption(drawn["CHN", "gap"])
    known = both("KOR").official["exports_sa_usd"]
    change = 100 * (known.iloc[-1] / known.iloc[-2] - 1)
    assert f"{abs(change):.1f} percent" in caption(drawn["KOR", "adjustment"])
    assert "by the official seasonal adjustment" in caption(drawn["KOR", "adjustment"])
    assert caption(drawn["PER", "adjustment"]).endswith("by our own seasonal adjustment")


def test_charts_name_both_sources_and_the_lack_of_a_calendar_correction(drawn):
    source = caption(drawn["KOR", "adjustment"], "source")
    assert "country.xlsx; vintage of 2024-10-08" in source
    assert "ctyseasonal.xlsx; vintage of 2025-04-03, 177 days after" in source
    assert "without calendar correction" in source
    assert "ctyseasonal" not in caption(drawn["PER", "adjustment"], "source")


def texts(fig) -> list[Text]:
    """All texts that are painted: no empty ones, no ticks outside the limits."""
    hidden = set()
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high or not tick.label1.get_visible():
                hidden |= {tick.label1, tick.label2}
    found = fig.findobj(lambda one: isinstance(one, Text) and one.get_visible() and one.get_text().strip())
    return [text for text in found if text not in hidden]


def test_no_text_overlaps_another_or_leaves_the_canvas(drawn):
    for key, fig in drawn.items():
        boxes = [(text, text.get_window_extent()) for text in texts(fig)] if fig else []
        for text, box in boxes:
            assert box.x0 >= 0 and box.y0 >= 0, (key, text.get_text())
            assert box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1, (key, text.get_text())
        for (one, a), (other, b) in itertools.combinations(boxes, 2):
            across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert not (across > 1 and up > 1), (key, one.get_text(), other.get_text())


# --- the notebook -------------------------------------------------------------------------------


def shown(who: str) -> str:
    """Run the notebook for a partner and give all that it shows as text."""
    notebook = nbformat.read(ROOT / "notebooks" / NOTEBOOK, 4)
    (cell,) = [cell for cell in notebook.cells if cell["id"] == "parameters"]
    assert 'partner: str = "KOR"' in cell.source
    cell.source = cell.source.replace('"KOR"', repr(who))
    outputs = [output for cell in run_here(notebook).cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type in ("stream", "error")]
    return "\n".join(str(output.get("data", output)) for output in outputs)


def test_the_notebook_compares_ours_with_the_official_figures():
    text = shown("KOR")
    assert text.count("<img") == 2
    assert (
        "differs from the official one by" in text and "Off the official figure, on average, percent" in text
    )
    assert "by the official seasonal adjustment" in text and "Exports, ours" in text


def test_the_notebook_shows_ours_alone_where_there_is_no_official_figure():
    text = shown("Peru")
    assert text.count("<img") == 1
    assert "cannot be checked against an official one" in text and "Exports, official" not in text


def test_the_notebook_says_why_a_partner_cannot_be_adjusted():
    text = shown("Tuvalu")
    assert "<img" not in text
    assert "There is no seasonal adjustment of ours for Tuvalu" in text and "Exports, ours" not in text
