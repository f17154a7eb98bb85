"""The league of a release: ranks and reductions against a plain reading of the bundled rows."""

import itertools
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from helpers import cells, raw_rows, raw_sum, said, sheet, snapshot
from helpers import drawn as draw_cell
from matplotlib.text import Text

from tradelib import balances
from tradelib.partners import countries, partner
from tradelib.runs.report import make_report
from tradelib.studies import league
from tradelib.style.house import alt_text, caption

ROOT = Path(__file__).parents[2]
GOODS_DAY, BEA_DAY = "2024-10-08", "2025-03-06"
CASES = [("2024-08", "KOR"), ("2018-07", "CHN"), ("2024-08", "MEX"), ("2010-06", "TUV"), ("2018-07", "0003")]
NOTEBOOK = "partners.ipynb"
CHARTS = ("goods-slope", "goods-changes", "total-slope", "total-changes")
CASES += [("2018-07", "NRU"), ("2018-07", "VCT"), ("2024-08", "SAU"), ("2018-07", "TTO"), ("2018-07", "BIH")]


def test_a_deficit_that_became_a_surplus_shrank_by_what_it_was():
    """Saudi Arabia in 1998: from a deficit of $0.9 billion to a surplus of $4.3 billion."""
    found = study("KOR", "1998-12")
    row = found.leagues["goods"].rows.loc["5170"]
    assert (row["outcome"], row["shrank_usd"]) == ("turned", -row["before_usd"])
    most = found["league.goods.most_reduced"]
    rows = found.leagues["goods"].rows
    lost = (-rows["before_usd"]).clip(lower=0) - (-rows["balance_usd"]).clip(lower=0)
    assert most.value == lost.max() and most.more["country"] == partner(lost.idxmax()).prose
    assert found["league.goods.most_grown"].value == lost.min()


@cache
def study(who: str, release: str) -> league.Leagues:
    return league.study(sheet(who, release))


def told(cell: str, who: str, release: str) -> str:
    return str(said(cell, study(who, release), NOTEBOOK))


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
    wanted, single, found = set(spell(year, months)), set(countries(in_year=year)), {}
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
                partner=code,
                item="total",
                flow="balance",
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
    reducers = {entry["code"] for entry in facts.value("total.reducers")}
    assert reducers == set(league.who_reduced(league.of_total(facts.snapshot)).index)
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
    ranks = [balances.rank(usd, list("abcde")) for usd in (now, before)]
    table = league.standings(now, before, *ranks, balances.reducers(now, before, list("abcde")))
    assert table["outcome"].to_dict() == {
        "a": "unchanged",
        "b": "turned",
        "c": "no year earlier",
        "d": "no deficit",
        "e": "fell into",
    }


def test_a_small_league_by_hand():
    now, before = pd.Series({"5800": -1.0, "5700": -3.0}), pd.Series({"5800": -2.0, "5700": -2.0})
    codes = ["5700", "5800"]
    ranks = [balances.rank(usd, codes) for usd in (now, before)]
    table = league.standings(now, before, *ranks, balances.reducers(now, before, codes))
    assert table[["rank", "rank_before", "reduction_pct", "outcome"]].to_dict("split")["data"] == [
        [1, 1, -50.0, "grew"],
        [2, 1, 50.0, "reduced"],
    ]


def test_a_partner_is_kept_among_the_largest_and_ranked():
    goods = league.of_goods(snapshot("2018-07", "2018-10-05"))
    assert league.largest(goods, 2, "5800").index.tolist() == ["5700", "2010", "5800"]
    assert [*goods.rows.loc["5800", ["rank", "rank_before", "outcome"]], goods.lag] == [13, 10, "reduced", 0]
    assert league.name_of("4120") == "United Kingdom"


# --- facts, words and tables --------------------------------------------------------------------


def test_the_facts_are_those_of_the_rows(goods, total):
    found = study("KOR", "2024-08")
    counts = goods.rows.query("before_usd < 0")["outcome"].value_counts()
    assert found.value("league.goods.deficits") == counts.sum()
    assert found.value("league.goods.deficits.shrank") == counts["reduced"]
    assert found.value("league.goods.deficits.turned") == counts["turned"]
    assert found.value("league.goods.most_reduced") == league.who_reduced(goods)["change_usd"].iloc[0]
    found = study("KOR", "2018-07")
    reducers = found.value("league.total.reducers")
    assert [entry["code"] for entry in reducers] == ["5800", "4279", "5330"]
    for entry in reducers:
        row = total.rows.loc[entry["code"]]
        assert (entry["balance_usd"], entry["change_usd"]) == (row["balance_usd"], row["change_usd"])
        assert entry["reduction_pct"] == row["reduction_pct"]
    fact = found["league.total.reducers"]
    assert (fact.table, fact.vintage, fact.vintage_lag_days) == ("trade_bop_sa", BEA_DAY, 2374)


def test_a_study_answers_the_facts_and_words_of_its_brief():
    brief, found = sheet("KOR", "2018-07"), study("KOR", "2018-07")
    assert {id: found[id] for id in brief} == dict(brief)
    assert found.names == brief.names and found.months == brief.months
    assert repr(found).startswith("<Leagues of Korea, South, 2018-07")
    assert "league.goods.reducers" in found.document()["facts"] and "league.goods.reducers" not in brief


def test_kei_10_in_words():
    assert told("total", "KOR", "2018-07") == (
        "In the first half of 2017 the United States had a deficit in goods and services with nine of the 15 "
        "countries of Exhibit 20 (FT-900 of 2018-09-05 and 2021-10-05). In the first half of 2018 it shrank "
        "with only three of them: South Korea (by 65.5 percent, to $979 million), France (by 5.2 percent, to "
        "$6.9 billion) and India (by 2.6 percent, to $14.1 billion).\n\n"
        "It grew with China, Mexico, Germany, Japan, Italy and Taiwan."
    )
    assert told("title", "KOR", "2018-07") == "# The league of U.S. deficits, July 2018"
    place = told("total-place", "KOR", "2018-07")
    assert (
        "was the 9th largest of 15 countries, as a year earlier. The deficit narrowed by 65.5 percent"
        in place
    )
    assert "The balance moved from a surplus of $2.7 billion" in told("place", "AUS", "2025-02")


def test_percent_only_where_both_years_are_deficits():
    words = told("total", "KOR", "2024-08")
    assert "Switzerland (from a deficit of $3.7 billion to a surplus of $2.4 billion)" in words
    assert "China (by 4.1 percent, to $123.5 billion)" in words
    assert "In the first half of 2024 it shrank with six of them: " in words, "six of 15 are no exceptions"


def test_the_goods_sentence_names_the_largest_and_counts_all(goods):
    words = told("goods", "KOR", "2024-08")
    counts = goods.rows.query("before_usd < 0")["outcome"].value_counts()
    assert f"with {(goods.rows['before_usd'] < 0).sum()} of all 233 single countries" in words
    assert f"it shrank with {counts['reduced']} of them, and with {counts['turned']} it became" in words
    assert "shrank with only five of the 15 partners" in told("headline", "KOR", "2024-08")
    assert "Malaysia (by 24.3 percent" in told("headline", "KOR", "2024-08")


def test_the_headline_leads_with_the_league_whoever_is_stressed():
    assert len({told("headline", who, "2018-07") for who in ("KOR", "TUV", "0003")}) == 1


def test_a_partner_without_a_place_is_told_why():
    assert "a group is not ranked" in told("place", "0003", "2018-07")
    assert "Vietnam is not among the 15 countries" in told("total-place", "VNM", "2018-07")
    assert "surplus of $791 thousand" in told("place", "TUV", "2018-07")


def test_where_there_is_no_league_the_notebook_says_so(monkeypatch):
    monkeypatch.setattr(league, "of_total", lambda snapshot: None)
    found = league.study(sheet("KOR", "2018-07"))
    assert found.leagues["total"] is None and found.value("league.total.reducers") is None
    words = str(said("total", found, NOTEBOOK))
    assert words == "There is no league of goods and services: not available."
    assert league.table(found, "total") is None
    assert league.slope(found, "total") is None and league.changes(found, "total") is None


def test_the_table_has_units_separators_vintage_and_no_index():
    (caption,) = [word.value.value for word in cells(NOTEBOOK)["goods-table"].keywords]
    page = league.table(study("KOR", "2024-08"), "goods", caption=caption).to_html()
    heads = [head.text for head in BeautifulSoup(page, "html.parser").select("thead th")]
    assert heads == [
        "Rank",
        "Rank a year earlier",
        "Country",
        "Balance, $\N{NO-BREAK SPACE}million",
        "A year earlier, $\N{NO-BREAK SPACE}million",
        "Change of the balance, $\N{NO-BREAK SPACE}million",
        "Change of the deficit, percent",
    ]
    assert "−185,653.7" in page and "nan" not in page.lower() and "row_heading" not in page
    assert "vintage of 2024-10-08" in page and "Census basis" in page
    assert "233 single countries" in page and "January-August 2024" in page
    assert "font-weight:bold" in page


def test_a_deficit_that_shrank_has_a_minus_in_percent_and_a_plus_in_dollars():
    table = league.table(study("KOR", "2018-07"), "goods")
    row = next(cells for cells in table.cells if "South Korea" in cells)
    assert row[-2:] == ["+2,867.9", "−22.5"]


def test_the_table_shows_all_or_the_rows_that_are_given(goods):
    found = study("KOR", "2024-08")
    assert len(league.table(found, "goods", "all")) == len(goods.rows)
    assert len(league.table(found, "goods", league.who_reduced(goods, at_least=10e9))) == 5


def test_the_table_owns_up_to_its_lag():
    assert "2,374 days after the as-of date" in league.table(study("KOR", "2018-07"), "total").to_html()


# --- charts -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn():
    figures = {}
    for release, who in CASES:
        for cell in CHARTS:
            figures[release, who, cell] = fig = draw_cell(cell, study(who, release), NOTEBOOK)
            fig.draw_without_rendering()
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
    ax = drawn["2024-08", "KOR", "goods-slope"].axes[0]
    assert [line.get_label() for line in ax.lines] == goods.rows.index[:15].tolist()
    order = goods.rows.iloc[:15].sort_values("before_usd").index.tolist()
    for line in ax.lines:
        assert line.get_ydata()[0] == order.index(line.get_label())
    assert caption(ax.figure) == (
        "Of the 15 largest U.S. deficits in goods in January-August 2024, four shrank on a year earlier: "
        "Japan, Italy, Switzerland and Malaysia"
    )
    assert caption(ax.figure, "source").endswith("country.xlsx; vintage of 2024-10-08")


def test_the_bars_are_the_changes_in_dollars(drawn, total):
    ax = drawn["2018-07", "CHN", "total-changes"].axes[0]
    names = [label.get_text() for label in ax.get_yticklabels()]
    usd = dict(zip(names, (bar.get_width() for bar in ax.patches), strict=True))
    expected = total.rows[total.rows["outcome"].isin(["reduced", "grew"])]["change_usd"]
    assert usd == {league.name_of(code): value for code, value in expected.items()}
    assert list(usd.values()) == sorted(usd.values(), reverse=True)


def test_what_stands_beside_lines_and_bars(drawn):
    slope, bars = drawn["2018-07", "CHN", "goods-slope"], drawn["2018-07", "CHN", "total-changes"]
    assert slope.axes[0].texts[0].get_text() == "January-July 2017"
    assert [text.get_text() for text in bars.axes[0].texts][:3] == [
        "+1.9 (down 65.5 %)",
        "+0.4 (down 5.2 %)",
        "+0.4 (down 2.6 %)",
    ]


def test_a_dark_bar_is_a_deficit_that_shrank(drawn):
    fig = drawn["2024-08", "MEX", "goods-changes"]
    greys = {bar.get_facecolor()[:3]: bar.get_width() > 0 for bar in fig.axes[0].patches}
    assert len(greys) == 3, "dark, pale, and the partner's own"
    assert alt_text(fig).startswith("Chart: The U.S. deficit in goods shrank most with Malaysia")


# --- the notebook -------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "release", "pictures"), [("KOR", "2018-07", 4), ("TUV", "2024-08", 4)])
def test_the_notebook_runs_through_the_report_command(who, release, pictures, tmp_path, quick_pages):
    made = make_report(who, release, reports=tmp_path, notebook=ROOT / "notebooks" / "partners.ipynb")
    page = made.paths[1].read_text(encoding="utf-8")
    assert made.paths[0].name.endswith(".partners.ipynb")
    assert page.count("<img") == pictures
    assert "The league of U.S. deficits" in page and "All countries" in page
    assert "import tradelib" not in page and "What is in this notebook" not in page
    assert made.headline.startswith("In January-")


def test_who_added_most_to_the_deficit_and_who_took_most_off_it_from_the_raw_rows():
    rows = raw_rows("goods_census_nsa", "2025-04-03")
    signed = rows["value_usd"].where(rows["flow"] == "imports", -rows["value_usd"])
    deficits = [
        signed[rows["period"].isin([f"{year}-01", f"{year}-02"])].groupby(rows["partner"]).sum()
        for year in (2025, 2024)
    ]
    added = deficits[0] - deficits[1]
    single = added[added.index.isin(countries())]
    found = league.study(sheet("CHE", "2025-02"))
    for name, ordered in (("added", single.nlargest(5)), ("took_off", single.nsmallest(5))):
        entries = found.value(f"league.goods.{name}")
        assert {entry["code"]: entry["contribution_usd"] for entry in entries} == ordered.to_dict()
    first = found.value("league.goods.added")[0]
    assert (first["name"], round(first["pct_of_change"], 1)) == ("Switzerland", 36.8)
    assert found.value("world.goods.deficit.ytd.change_usd") == added["0015"]
    told = str(said("goods", found, "partners.ipynb"))
    assert "added most to it were Switzerland ($38.4 billion, 36.8 percent of the change), " in told


def test_all_are_not_so_many_of_so_many():
    assert "shrank with all 15 partners with which" in told("headline", "KOR", "2009-05")
    assert "shrank with only four of the 15 partners with which" in told("headline", "KOR", "2024-12")


def test_a_deficit_that_grew_out_of_next_to_nothing_has_no_percentage():
    found = study("KOR", "2009-05")  # the Philippines: from $0.4 million to $553 million
    printed = league.table(found, "goods", "all")
    shown = dict(zip(printed.columns[2].values, printed.columns[6].values, strict=True))
    assert pd.isna(shown["Philippines"]) and shown["China"] == pytest.approx(-12.6, abs=0.05)
    drawn = league.changes(found, "goods").data["reduction_of_the_deficit_pct"]
    assert "Philippines" in drawn.index and drawn.dropna().gt(-300).all()
