"""One fact by itself: how a question reads, what it answers, and that it is what a brief says."""

import pandas as pd
import pytest
from helpers import sheet

import tradelib as tl
from tradelib.briefs.question import read
from tradelib.errors import TradelibError
from tradelib.store import vintages

DAY = "2025-04-03"


def sums(who: str, since: str, through: str, table: str = "goods_census_nsa", item: str = "goods"):
    """Exports and imports over a span, added up by pandas from the table itself."""
    flows = tl.load(table, as_of=DAY, partner=who, since=since, through=through)
    usd = flows[flows["item"] == item].groupby("flow")["value_usd"].sum()
    return usd["exports"], usd["imports"]


def answer(question: str):
    return tl.fact(question, as_of=DAY).value


@pytest.mark.parametrize(
    ("text", "window", "base"),
    [
        ("goods.exports@2017", "2017", "None"),
        ("goods.exports.ytd@2019-07", "2019-01..2019-07", "None"),
        ("goods.exports.trailing12@2018-03", "2017-04..2018-03", "None"),
        ("goods.exports.change_pct@2018-01..2018-07", "2018-01..2018-07", "2017-01..2017-07"),
        ("goods.exports.change_pct@2016 vs 2006", "2016", "2006"),
        ("goods.deficit.sa.month.change_usd@2018-10 vs before", "2018-10", "2018-09"),
        ("goods.deficit.rank.previous_year", "2017-01..2017-07", "None"),
        ("total.balance.ytd", "2018Q1..2018Q2", "None"),
        ("goods.exports@FY2018", "2017-10..2018-09", "None"),
        ("total.balance.change_usd@2018H1", "2018-01..2018-06", "2017-01..2017-06"),
        ("goods.deficit.per_month@1990s", "1990..1999", "None"),
    ],
)
def test_a_question_says_its_windows(text, window, base):
    asked = read(text).over(pd.Period("2018-07", "M"))
    assert (str(asked.window), str(asked.base)) == (window, base)


@pytest.mark.parametrize(
    "text",
    [
        "goods.exports.change_pct@2016 vs 2006 of CHN",
        "total.deficit.rank@2018Q2 of KOR among 2018-09-05 as of 2025-04-03",
        "goods.deficit@2023 of CAN+MEX",
    ],
)
def test_a_question_written_out_reads_as_itself(text):
    assert read(text).text == text
    assert read(read(text).text) == read(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("goods.exprots@2017", "no measure"),
        ("goods.exports@2017-13", "not a month"),
        ("goods.imports.change_pct.ytd@2024-08", "Did you mean goods.imports.ytd.change_pct"),
        ("deficit.rank@2017", "Did you mean goods.deficit.rank"),
        ("goods.balance.rank@2017", "ask of the deficit or the surplus"),
        ("goods.exports of CHN", "which period"),
        ("goods.exports.trailing12@2017 of CHN", "ends with a month"),
        ("goods.exports@2017 of Atlantis", "matches no partner"),
        ("goods.deficit.rank@2017 of CAN+MEX", "not ranked"),
        ("services.exports.sa@2017 of CAN", "one basis only"),
        ("goods.deficit@2019 of EU+GBR", "counts the United Kingdom twice"),
        ("goods.exports@2019 of CAN+CAN", "counts Canada twice"),
        ("goods.balance.contribution_pct@2019 of CHN", "ask of the deficit or the surplus"),
        ("goods.balance.top5@2019", "listed by an amount"),
        ("goods.exports.change_pct.count@2015..2019 vs 2010 of CHN", "against the year before"),
    ],
)
def test_what_cannot_be_asked_is_told(text, told):
    with pytest.raises(TradelibError, match=told):
        tl.fact(text, as_of="2020-01-07" if "EU+" in text else DAY, partner=None if " of " in text else "CHN")


def test_amounts_changes_and_ratios_are_those_of_the_table():
    china, before = (sums("CHN", f"{year}-01", f"{year}-12") for year in (2017, 2006))
    mexico = sums("MEX", "2017-01", "2017-12")
    assert answer("goods.deficit@2017 of CHN") == china[1] - china[0]
    assert answer("goods.trade@2017 of CHN") == sum(china)
    assert answer("goods.deficit@2017 of CHN+MEX") == china[1] - china[0] + mexico[1] - mexico[0]
    assert answer("goods.imports_to_exports@2017 of CHN") == china[1] / china[0]
    change = 100 * (china[0] / before[0] - 1)
    assert answer("goods.exports.change_pct@2017 vs 2006 of CHN") == pytest.approx(change)
    grown = 100 * ((china[1] - china[0]) / (before[1] - before[0]) - 1)
    assert answer("goods.deficit.change_pct@2017 vs 2006 of CHN") == pytest.approx(grown)
    assert answer("goods.deficit.reduction_pct@2017 vs 2006 of CHN") == pytest.approx(-grown)


def test_averages_parts_of_a_change_and_counts_are_those_of_the_table():
    years = {year: sums("CHN", f"{year}-01", f"{year}-12") for year in range(2012, 2020)}
    world = {year: sums("0015", f"{year}-01", f"{year}-12")[1] for year in (2017, 2018)}
    fiscal = sums("CHN", "2017-10", "2018-09")[1]
    assert answer("goods.imports.per_month@FY2018 of CHN") == pytest.approx(fiscal / 12)
    part = 100 * (years[2018][1] - years[2017][1]) / (world[2018] - world[2017])
    assert answer("goods.imports.contribution_pct@2018 of CHN") == pytest.approx(part)
    a_year = 100 * ((years[2019][0] / years[2012][0]) ** (1 / 7) - 1)
    assert answer("goods.exports.yearly_change_pct@2019 vs 2012 of CHN") == pytest.approx(a_year)
    rose = [years[year][0] > years[year - 1][0] for year in range(2013, 2020)]
    assert answer("goods.exports.change_usd.count@2013..2019 of CHN") == sum(rose) == 3
    fell = [year for year in range(2013, 2019) if not rose[year - 2013]]
    assert not rose[-1] and answer("goods.exports.change_usd.first_since@2019 of CHN") == str(fell[-1])
    part = tl.fact("goods.deficit.ytd.contribution_pct", partner="KOR", release="2018-07").value
    assert part == sheet("KOR", "2018-07").value("goods.deficit.ytd.contribution_pct")


def test_a_group_says_whose_trade_it_is():
    union = tl.fact("goods.exports@2019 of EU", as_of=DAY)
    assert "the European Union (its 27 members of April 3, 2025), 2019: $268.2 billion" in union.text


def test_the_largest_partners_are_those_of_the_table():
    flows = tl.load_goods(as_of=DAY, since="2023-01", through="2023-12")
    usd = flows[flows["flow"] == "imports"].groupby("partner", observed=True)["value_usd"].sum()
    first = usd[usd.index.isin(tl.countries())].sort_values(ascending=False).head(5)
    fact = tl.fact("goods.imports.top5@2023", as_of=DAY)
    assert [(one["code"], one["value_usd"]) for one in fact.value] == list(first.items())
    assert fact.text.startswith("With whom, the largest first: U.S. goods imports, 2023: Mexico ($475")


def test_a_year_of_goods_and_services_is_that_of_the_annual_table():
    exports, imports = sums("CAN", "2024", "2024", "trade_bop_annual", "total")
    fact = tl.fact("total.balance@2024 of CAN", as_of=DAY)
    assert fact.value == -35_661e6 and abs(fact.value - (exports - imports)) <= 1e6
    assert fact.table == "trade_bop_annual"
    assert answer("goods.balance.bop@2024 of CAN") == -70_603e6


def test_a_surplus_is_no_deficit_and_has_no_percentage_of_one():
    fact = tl.fact("goods.deficit.change_pct@2019 of NLD", as_of=DAY)
    assert fact.value is None and fact.undefined and "no percentage" in fact.reason
    assert answer("goods.deficit@2019 of NLD") == -answer("goods.surplus@2019 of NLD") < 0


def test_records_hold_against_every_such_period_before():
    flows = tl.balance(tl.load_goods(as_of=DAY, partner="CHN"), partner="CHN")["balance_usd"]
    months = -flows[:"2018-10"]
    assert answer("goods.deficit.is_highest@2018-10 of CHN") is bool(months.iloc[-1] > months[:-1].max())
    years = -flows.groupby(flows.index.year).sum()
    past = years.loc[:2022]
    last = past[past <= years[2023]].index.max()
    assert answer("goods.deficit.lowest_since@2023 of CHN") == str(last) == "2010"
    assert answer("goods.deficit.in_a_row@2018-05 of CHN") == 385
    assert answer("goods.surplus.since@2019 of BRA") == "2008"
    july = tl.fact("goods.exports.is_highest.of_its_month@2018-07 of KOR", as_of="2018-10-05")
    assert july.value is True and july.more["among"] == 34


def test_what_an_annual_revision_superseded_is_not_real_time():
    fact = tl.fact("goods.imports.ytd@2021-06 of CHN", as_of="2022-08-04")
    assert (fact.vintage, fact.vintage_method) == ("2023-03-08", "reconstructed")
    canada = tl.fact("goods.deficit@2011 of CAN", as_of="2012-10-19")
    assert (canada.vintage, canada.vintage_method) == ("2012-02-10", "superseded")
    same_before_and_after = tl.fact("goods.deficit@2004 of KOR", as_of="2014-02-10")
    assert same_before_and_after.vintage_method == "published"


def test_a_fact_asked_for_is_that_of_the_brief():
    cases, count = {("KOR", "2018-07"): "2018-10-05", ("CAN", "2021-08"): "2021-10-05"}, 0
    for (who, release), day in cases.items():
        for id, fact in sheet(who, release, day).items():
            if read(id) is None or "month.rank" in id:  # told of the year's table in a brief
                continue
            found = tl.fact(id, partner=who, release=release, as_of=day)
            told = (found.unit, found.window, found.table, found.vintage, found.basis, found.adjustment)
            assert told == (fact.unit, fact.window, fact.table, fact.vintage, fact.basis, fact.adjustment), id
            assert found.value == pytest.approx(fact.value) if fact.value is not None else found.value is None
            count += 1
    assert count > 100


def test_a_sentence_and_a_brief_answer_questions_in_their_own_vintage():
    korea = sheet("KOR", "2018-07", "2018-10-05")
    told = tl.say(
        korea, "{goods.deficit@2017}, {goods.exports.change_pct@2017:up}; {goods.deficit@2017 of JPN}."
    )
    assert str(told) == "$23.1 billion, up 14.2 percent; $68.9 billion."
    assert {fact.vintage for fact in told.facts.values()} == {"2018-10-05"}
    moved = tl.say(korea, "The balance {goods.balance@2017:moved}.")
    assert str(moved).startswith("The balance narrowed by 16.2 percent, to $23.1 billion in 2017 from")


def test_a_vintage_is_read_once(monkeypatch):
    answer("goods.exports@2016 of KOR")
    monkeypatch.setattr(vintages, "read_coded", None)
    assert answer("goods.exports@2015 of JPN") > 0


def test_the_vintage_that_stands_best_for_the_day_answers_whatever_others_of_its_table_there_are():
    found = tl.fact("goods.exports.ytd@2021-08 of KOR", as_of="2023-04-01")
    assert (found.table, found.vintage, found.vintage_method) == (
        "goods_census_nsa",
        "2023-03-08",
        "published",
    )
