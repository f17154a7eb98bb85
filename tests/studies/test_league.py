"""The league of a release: ranks and reductions against a plain reading of the bundled rows."""

import itertools
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from helpers import raw_rows, raw_sum, sheet, snapshot
from matplotlib.text import Text

from tradelib import resolve
from tradelib.briefs import charts
from tradelib.partners import countries, partner
from tradelib.runs.report import make_report
from tradelib.studies import league, league_charts, league_words
from tradelib.style.house import caption

ROOT = Path(__file__).parents[2]
GOODS_DAY, BEA_DAY = "2024-10-08", "2025-03-06"
CASES = [("2024-08", "KOR"), ("2018-07", "CHN"), ("2024-08", "MEX"), ("2010-06", "TUV"), ("2018-07", "0003")]
CASES += [("2018-07", "NRU"), ("2018-07", "VCT"), ("2024-08", "SAU"), ("2018-07", "TTO"), ("2018-07", "BIH")]


@pytest.fixture(scope="module")
def goods():
    return league.of_goods(snapshot("2024-08"))


@pytest.fixture(scope="module")
def total():
    return league.of_total(snapshot("2018-07"))


def spell(year: int, months: int) -> list[str]:
    return [f"{year}-{month:02d}" for month in range(1, months + 1)]


def plain_balance(published: str, code: str, months: list[str]) -> float:
    """Exports less imports of a partner, added up by plain Python."""
    sides = [
        raw_sum("goods_census_nsa", published, months, partner=code, flow=flow)
        for flow in ("exports", "imports")
    ]
    return sides[0] - sides[1]


def plain_balances(published: str, year: int, months: int) -> dict[str, float]:
    """The same of every single country, by one pass over the rows of the file."""
    wanted, single, found = set(spell(year, months)), set(countries()), {}
    frame = raw_rows("goods_census_nsa", published)
    frame = frame[frame["period"].isin(wanted) & frame["partner"].isin(single)]
    for code, flow, usd in zip(frame["partner"], frame["flow"], frame["value_usd"], strict=True):
        found[code] = found.get(code, 0.0) + (usd if flow == "exports" else -usd)
    return found


# --- the figures --------------------------------------------------------------------------------


def test_who_reduced_the_goods_deficit_in_january_august_2024_and_by_how_much(goods):
    """The question of the README; recorded from the original country.xlsx of 2024-10-08, read by openpyxl."""
    large = league.who_reduced(goods, at_least=10e9)
    recorded = {
        "Malaysia": (24.3, 4.568),
        "Switzerland": (14.5, 2.587),
        "Japan": (2.0, 0.914),
        "Italy": (2.4, 0.728),
        "Indonesia": (6.1, 0.712),
    }
    found = {
        league.name_of(code): (round(row["reduction_pct"], 1), round(row["change_usd"] / 1e9, 3))
        for code, row in large.iterrows()
    }
    assert found == recorded
    assert goods.lag == 0 and goods.method == "published"


def test_the_goods_reductions_are_those_of_a_plain_reading(goods):
    now, before = (plain_balances(GOODS_DAY, year, 8) for year in (2024, 2023))
    shrank = {c for c in now if before.get(c, 0) < 0 and now[c] > before[c]}
    assert set(league.who_reduced(goods).index) == shrank
    for code, row in league.who_reduced(goods).iterrows():
        assert row["change_usd"] == pytest.approx(now[code] - before[code], abs=1)
        if now[code] < 0:
            assert row["reduction_pct"] == pytest.approx(100 * (before[code] - now[code]) / before[code])
            assert row["outcome"] == "reduced"
        else:
            assert pd.isna(row["reduction_pct"]) and row["outcome"] == "turned"


def test_the_goods_ranks_are_those_of_a_plain_reading(goods):
    for column, year in (("rank", 2024), ("rank_before", 2023)):
        usd = plain_balances(GOODS_DAY, year, 8)
        for code in ("5700", "5800", "2010", "4419", "5590"):
            assert goods.rows.loc[code, column] == 1 + sum(other < usd[code] for other in usd.values())


def test_five_partners_month_by_month(goods):
    for code in ("5570", "4419", "5880", "5800", "5700"):
        now, before = (plain_balance(GOODS_DAY, code, spell(year, 8)) for year in (2024, 2023))
        row = goods.rows.loc[code]
        assert (row["balance_usd"], row["before_usd"]) == pytest.approx((now, before), abs=1)


def test_kei_10_as_of_the_bea_table_of_2025_03_06(total):
    reduced = league.who_reduced(total)
    by_name = {partner(code).iso3: round(pct, 1) for code, pct in reduced["reduction_pct"].items()}
    assert by_name == {"KOR": 65.5, "FRA": 5.2, "IND": 2.6}
    for code in reduced.index:
        halves = [
            raw_sum(
                *("trade_bop_sa", BEA_DAY, [f"{year}-01", f"{year}-04"]),
                **{"partner": code, "item": "total", "flow": "balance"},
            )
            for year in (2017, 2018)
        ]
        expected = 100 * (1 - halves[1] / halves[0])
        assert reduced.loc[code, "reduction_pct"] == pytest.approx(expected)


def test_the_league_agrees_with_the_facts_of_a_brief():
    facts = sheet("KOR", "2018-07")
    for item, of in (("goods", league.of_goods), ("total", league.of_total)):
        made = of(facts.snapshot)
        row = made.rows.loc["5800"]
        assert row["rank"] == facts.value(f"{item}.deficit.rank")
        assert len(made.rows) == facts[f"{item}.deficit.rank"].more["n"]
        assert row["balance_usd"] == facts.value(f"{item}.balance.ytd")
        assert row["change_usd"] == facts.value(f"{item}.balance.ytd.change_usd")
        assert row["reduction_pct"] == facts.value(f"{item}.deficit.ytd.reduction_pct")
    told = {entry["code"] for entry in facts.value("total.reducers")}
    assert told == set(league.who_reduced(league.of_total(facts.snapshot)).index)
    assert league.of_goods(facts.snapshot).universe == facts["goods.deficit.rank"].more["universe"]


@pytest.mark.parametrize("release", ["2010-06", "2018-07", "2024-08"])
@pytest.mark.parametrize("of", [league.of_goods, league.of_total])
def test_outcomes_and_percentages_follow_the_signs(release, of):
    rows = of(snapshot(release)).rows
    now, before, outcome = rows["balance_usd"], rows["before_usd"], rows["outcome"]
    assert set(outcome) <= set(league.OUTCOMES)
    assert (rows["reduction_pct"].notna() == ((now < 0) & (before < 0))).all()
    assert (rows["reduction_pct"][outcome == "reduced"] > 0).all()
    assert (rows["reduction_pct"][outcome == "grew"] < 0).all()
    assert ((before < 0) & (now >= 0) == (outcome == "turned")).all()
    assert ((before >= 0) & (now < 0) == (outcome == "fell into")).all()
    assert rows["rank"].is_monotonic_increasing and not rows.index.has_duplicates


def test_no_group_and_no_world_is_ranked(goods, total):
    for made in (goods, total):
        assert {partner(code).kind for code in made.rows.index} == {"country"}


def test_an_odd_row_has_its_own_outcome():
    now = pd.Series({"a": -1.0, "b": 0.0, "c": -2.0, "d": 3.0, "e": -4.0})
    before = pd.Series({"a": -1.0, "b": -5.0, "c": float("nan"), "d": 2.0, "e": 0.0})
    from tradelib import balances

    ranks = [balances.rank(usd, list("abcde")) for usd in (now, before)]
    table = league.standings(now, before, *ranks, balances.reducers(now, before, list("abcde")))
    assert table["outcome"].to_dict() == {
        **{"a": "unchanged", "b": "turned", "c": "no year earlier", "d": "no deficit", "e": "fell into"}
    }


# --- words and tables ---------------------------------------------------------------------------


def test_percent_only_where_both_years_are_deficits():
    told = league_words.reduced(league.of_total(snapshot("2024-08")))
    assert "Switzerland (from a deficit of $3.7 billion to a surplus of $2.4 billion)" in told
    assert "China (by 4.1 percent, to $123.5 billion)" in told
    assert "only six of them in the first half of 2024" in told


def test_the_goods_sentence_names_the_largest_and_counts_all(goods):
    told = league_words.reduced(goods)
    counts = goods.rows.query("before_usd < 0")["outcome"].value_counts()
    assert f"with {(goods.rows['before_usd'] < 0).sum()} of all 233 single countries" in told
    assert f"it shrank with {counts['reduced']} of them, and with {counts['turned']} it became" in told
    assert "It shrank with only five of the 15 largest of a year earlier: Malaysia (by 24.3 percent" in told


def test_a_partner_without_a_place_is_told_why(total):
    assert "a group is not ranked" in league_words.place(total, resolve("EU"))
    assert "it is not among the 15 countries" in league_words.place(total, resolve("Vietnam"))
    assert "surplus of $791 thousand" in league_words.place(
        league.of_goods(snapshot("2018-07")), resolve("Tuvalu")
    )


def test_where_there_is_no_league_the_notebook_says_so():
    for words in (league_words.reduced(None), league_words.place(None, resolve("KOR"))):
        assert "no league" in words
    assert "no league" in league_words.table(None)
    assert league_charts.slope(None) is None and league_charts.changes(None) is None


def test_the_table_has_units_separators_vintage_and_no_index(goods):
    page = league_words.table(goods, code="5800").to_html()
    heads = BeautifulSoup(page, "html.parser").select("thead th")
    assert [head.text for head in heads] == list(league_words.HEADERS.values())
    assert "−185,654" in page and "nan" not in page.lower() and "row_heading" not in page
    assert "vintage of 2024-10-08" in page and "Census basis" in page and "233 single countries" in page
    assert "font-weight: bold" in page


def test_the_table_owns_up_to_its_lag(total):
    assert "2,374 days after the as-of date" in league_words.table(total).to_html()


# --- charts -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn():
    figures = {}
    for release, who in CASES:
        for of in (league.of_goods, league.of_total):
            for draw in (league_charts.slope, league_charts.changes):
                fig = draw(of(snapshot(release)), resolve(who).code)
                fig.draw_without_rendering()
                figures[release, who, of.__name__, draw.__name__] = fig
    return figures


def painted(fig) -> list[Text]:
    axes = [ax for ax in fig.axes if not ax.axison]
    hidden = {t for ax in axes for axis in (ax.xaxis, ax.yaxis) for t in axis.findobj(Text)}
    ticks = [tick for ax in fig.axes for axis in (ax.xaxis, ax.yaxis) for tick in axis.get_major_ticks()]
    hidden |= {tick.label2 for tick in ticks}
    found = fig.findobj(lambda one: isinstance(one, Text) and one.get_visible() and one.get_text().strip())
    return [text for text in found if text not in hidden]


def test_no_text_of_a_league_chart_overlaps_or_leaves_the_canvas(drawn):
    for key, fig in drawn.items():
        boxes = [(text.get_text(), text.get_window_extent()) for text in painted(fig)]
        for name, box in boxes:
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1, (
                key,
                name,
            )
        for (one, a), (other, b) in itertools.combinations(boxes, 2):
            across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert across <= 1 or up <= 1, (key, one, other)


def test_the_slope_has_one_line_for_each_of_the_largest_deficits(drawn, goods):
    ax = drawn["2024-08", "KOR", "of_goods", "slope"].axes[0]
    assert [line.get_label() for line in ax.lines] == goods.rows.index[:15].tolist()
    order = goods.rows.iloc[:15].sort_values("before_usd").index.tolist()
    for line in ax.lines:
        assert line.get_ydata()[0] == order.index(line.get_label())
    assert caption(ax.figure) == (
        "Of the 15 largest U.S. deficits in goods in January-August 2024, four were smaller than a year "
        "earlier: Japan, Italy, Switzerland and Malaysia"
    )
    assert caption(ax.figure, "source").endswith("country.xlsx; vintage of 2024-10-08")


def test_the_bars_are_the_changes_in_dollars(drawn, total):
    ax = drawn["2018-07", "CHN", "of_total", "changes"].axes[0]
    names = [label.get_text() for label in ax.get_yticklabels()]
    usd = dict(zip(names, (bar.get_width() for bar in ax.patches), strict=True))
    expected = total.rows[total.rows["outcome"].isin(["reduced", "grew"])]["change_usd"]
    assert usd == {league.name_of(code): value for code, value in expected.items()}
    assert list(usd.values()) == sorted(usd.values(), reverse=True)


def test_a_dark_bar_is_a_deficit_that_shrank(drawn):
    fig = drawn["2024-08", "MEX", "of_goods", "changes"]
    greys = {bar.get_facecolor()[:3]: bar.get_width() > 0 for bar in fig.axes[0].patches}
    assert len(greys) == 3, "dark, pale, and the partner's own"
    assert charts.alt_text(fig).startswith("Chart: The U.S. deficit in goods shrank most with Malaysia")


# --- the notebook -------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "release", "pictures"), [("KOR", "2018-07", 4), ("TUV", "2024-08", 4)])
def test_the_notebook_runs_through_the_report_command(who, release, pictures, tmp_path):
    made = make_report(who, release, reports=tmp_path, notebook=ROOT / "notebooks" / "partners.ipynb")
    page = made.paths[1].read_text(encoding="utf-8")
    assert made.paths[0].name.endswith(".partners.ipynb")
    assert page.count("<img") == pictures
    assert "The league of U.S. deficits" in page and "Brief completed" in page
    assert "import tradelib" not in page
