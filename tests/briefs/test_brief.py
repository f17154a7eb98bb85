"""The facts of a brief: each one worked out a second time from the raw rows, and what each must tell."""

import csv
import json
import math
import re
from datetime import date
from functools import cache

import pandas as pd
import pytest
from helpers import ROOT, raw_rows, sheet, snapshot
from helpers import everyone as every_brief

from tradelib.briefs.brief import brief
from tradelib.briefs.snapshot import covered_partners
from tradelib.partners import all_partners, countries, country_set, members, partner
from tradelib.store.vintages import list_vintages

GOODS, TRADE, EXPORTS = "goods_census_nsa", "trade_bop_sa", "exports_hs2_nsa"
TRADE_YEARS = "trade_bop_annual"
KINDS = dict(zip(all_partners()["code"], all_partners()["kind"], strict=True))
RELEASES = ["2010-06", "2018-07", "2024-08"]
PARTNERS = ["KOR", "VNM", "TUV", "EU", "HKG", "CHN", "CAN", "MEX"]
#: The list in the issue, section 3: a public contract.
IDS = {
    *(f"goods.{side}.{span}" for side in ("exports", "imports", "balance") for span in ("month", "ytd")),
    *(f"goods.{side}.ytd.change_pct" for side in ("exports", "imports")),
    *(f"goods.{side}.ytd.change_usd" for side in ("exports", "imports", "balance")),
    *("goods.deficit.ytd.reduction_pct", "goods.deficit.rank", "goods.deficit.rank.previous_year"),
    *("goods.exports.record_month", "world.goods.deficit.ytd.change_pct"),
    *(f"services.{side}.ytd" for side in ("exports", "imports", "balance")),
    *("services.balance.ytd.change_usd", "total.balance.ytd", "total.balance.ytd.change_usd"),
    *("total.deficit.ytd.reduction_pct", "total.deficit.rank", "total.reducers", "total.trend.start"),
    *("commodity.hs2.27.exports.ytd", "commodity.hs2.27.exports.previous_year"),
    *("goods.balance.trailing12", "goods.balance.trailing12.change_usd", "goods.balance.ytd.superlative"),
    *("total.balance.trailing4", "total.balance.trailing4.change_usd", "total.deficit.rank.previous_year"),
    *(f"{item}.balance.{which}" for item in ("goods", "total") for which in ("drivers", "main_drivers")),
    *(f"commodity.hs2.{flow}.most_changed" for flow in ("exports", "imports")),
    *(
        f"goods.{side}.sa.{span}"
        for side in ("exports", "imports", "balance")
        for span in ("month", "three_months")
    ),
    *(
        f"goods.{side}.sa.{span}_change_pct"
        for side in ("exports", "imports")
        for span in ("month", "three_months")
    ),
    *(f"goods.balance.sa.{span}_change_usd" for span in ("month", "three_months")),
    "commodity.hs2.contributions",
    *(f"commodity.hs2.net{part}" for part in ("", ".largest", ".main")),
}
UNITS = {"USD", "percent", "points", "rank", "count", "month", "quarter", "list", "bool", "text"}


# --- figures to the dollar ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "id", "value"),
    [
        ("2018-10-05", "goods.exports.ytd", 31_752_055_221),
        ("2018-10-05", "goods.exports.ytd.change_usd", 31_752_055_221 - 28_569_686_249),
        ("2018-10-05", "goods.balance.ytd", -9_885_674_861),
        ("2018-10-05", "goods.deficit.rank", 13),
        ("2018-10-05", "goods.deficit.rank.previous_year", 10),
        ("2025-04-03", "goods.exports.ytd", 31_735_219_754),
        ("2025-04-03", "services.balance.ytd", 7_130_000_000),
        ("2025-04-03", "services.balance.ytd.change_usd", -476_000_000),
        ("2025-04-03", "total.balance.ytd", -979_000_000),
        ("2025-04-03", "total.balance.ytd.change_usd", -979_000_000 + 2_840_000_000),
        ("2025-04-03", "total.deficit.rank", 9),
        ("2018-10-05", "total.trend.start", "2016Q2"),
        ("2018-10-05", "goods.exports.record_month", "2018-03"),
    ],
)
def test_golden_figures_of_the_korea_brief(as_of, id, value):
    assert sheet("KOR", "2018-07", as_of)[id].value == value


@pytest.mark.parametrize(
    ("as_of", "id", "rounded"),
    [
        ("2018-10-05", "goods.exports.ytd.change_pct", 11.1),
        ("2025-04-03", "goods.exports.ytd.change_pct", 11.2),
        ("2025-04-03", "total.deficit.ytd.reduction_pct", 65.5),
    ],
)
def test_golden_percentages_are_in_percent(as_of, id, rounded):
    fact = sheet("KOR", "2018-07", as_of)[id]
    assert fact.unit == "percent" and round(fact.value, 1) == rounded
    assert f"{rounded} percent" in fact.text


@pytest.mark.parametrize("as_of", ["2018-10-05", "2025-04-03"])
def test_golden_reducers_and_universe(as_of):
    facts = sheet("KOR", "2018-07", as_of)
    found = [(row["iso3"], round(row["reduction_pct"], 1)) for row in facts["total.reducers"].value]
    assert found == [("KOR", 65.5), ("FRA", 5.2), ("IND", 2.6)]
    assert facts["total.deficit.rank"].more["n"] == len(facts["total.deficit.rank"].more["universe"]) == 15


def test_the_13th_is_among_all_countries_of_the_day():
    fact = sheet("KOR", "2018-07", "2018-10-05")["goods.deficit.rank"]
    assert fact.more["n"] == len(goods_balances("2018-10-05", months(2018, 7))) == 233
    assert "233" in fact.more["universe"]


# --- a second computation from the raw rows -----------------------------------------------------


@cache
def cells(table, published):
    """{(partner, flow, item, YYYY-MM): dollars} of a bundled file, without tradelib."""
    rows = raw_rows(table, published)
    names = ["partner", "flow", "item", "period"]
    return dict(zip(zip(*(rows[name] for name in names), strict=True), rows["value_usd"], strict=True))


def months(year, through, start=1):
    return [f"{year}-{n:02d}" for n in range(start, through + 1)]


def quarters(year, through):
    return [f"{year}-{3 * q - 2:02d}" for q in range(1, through + 1)]


def total(table, published, periods, code, flow, item="goods"):
    codes = code if isinstance(code, list) else [code]
    keys = [(one, flow, item, period) for one in codes for period in periods]
    values = [cells(table, published).get(key) for key in keys]
    return None if any(v is None or v != v for v in values) else sum(values)


@cache
def spells():
    """(group, member, joined, left) of the groups file, without tradelib."""
    with (ROOT / "tradelib" / "data" / "groups.csv").open() as lines:
        return [(row["group"], row["code"], row["joined"], row["left"]) for row in csv.DictReader(lines)]


def held(code, release):
    """Whose goods are a partner's: its own, or those of a group's members on the day of the release."""
    day = str(snapshot(release).release.default_as_of)
    found = [one for group, one, first, last in spells() if group == code and first <= day <= (last or "9")]
    return found if code in ("0001", "0003", "EURO", "ASEAN") else [code]


def test_the_adjusted_row_of_the_world_is_no_figure_of_an_unadjusted_table():
    found = sheet("0004", "2018-07")
    assert {
        found[f"goods.{name}"].value for name in ("exports.ytd", "balance.month", "balance.trailing12")
    } == {None}
    assert found["goods.exports.ytd"].reason


def test_parts_that_do_not_make_the_whole_are_no_contributions():
    """All other countries before 2013: some have no quarters of services, and are in the total alone."""
    for release, known in (("2006-07", False), ("2018-07", True)):
        found = sheet("REST", release)
        parts = [fact for id, fact in found.items() if id.startswith("total.balance.contribution.")]
        assert len(parts) == 4 and {fact.value is not None for fact in parts} == {known}
        assert known or all("do not make the total" in fact.reason for fact in parts)
    korea = sheet("KOR", "2018-07")
    assert korea["total.balance.contribution.goods_exports"].value is not None


@pytest.mark.parametrize(("who", "release", "rank"), [("2771", "2000-12", 90), ("4790", "1991-06", 30)])
def test_a_country_that_ended_later_is_ranked_where_it_was_there(who, release, rank):
    fact = sheet(who, release)["goods.deficit.rank"]
    assert (fact.value, fact.more["n"]) == (rank, len(snapshot(release).goods_ranks["now"]))
    assert who in covered_partners(snapshot(release)) and who not in covered_partners(snapshot("2024-08"))


def goods_balances(published, periods):
    """Goods balance of every single country with complete rows, those that ended later among them."""
    found = {}
    for code in {key[0] for key in cells(GOODS, published)}:
        sums = [total(GOODS, published, periods, code, flow) for flow in ("exports", "imports")]
        if KINDS[code] in ("country", "former") and None not in sums:
            found[code] = sums[0] - sums[1]
    return found


#: release, as of -> published day of the goods table, last quarter (year, number)
CASES = [
    ("2018-07", "2018-10-05", "2018-10-05", (2018, 2)),
    ("2018-07", "2025-04-03", "2025-04-03", (2018, 2)),
    ("2010-06", None, "2012-02-10", (2010, 1)),
    ("2024-08", None, "2024-10-08", (2024, 2)),
    ("2019-12", None, "2020-10-06", (2019, 3)),
    ("2020-01", None, "2020-10-06", (2019, 4)),
]
CODES = ["5800", "5520", "6227", "5820", "5700", "1220", "2010", "0003"]


@pytest.mark.parametrize(("release", "as_of", "published", "quarter"), CASES)
@pytest.mark.parametrize("code", CODES)
def test_every_goods_fact_in_dollars_equals_the_sum_of_its_months(code, release, as_of, published, quarter):
    facts = sheet(code, release, as_of)
    year, month = map(int, release.split("-"))
    spans = {"month": lambda y: months(y, month, month), "ytd": lambda y: months(y, month)}
    for span, periods in spans.items():
        now, before = (
            {
                flow: total(GOODS, published, periods(y), held(code, release), flow)
                for flow in ("exports", "imports")
            }
            for y in (year, year - 1)
        )
        for sums in (now, before):
            sums["balance"] = None if None in sums.values() else sums["exports"] - sums["imports"]
        for side, value in now.items():
            assert facts[f"goods.{side}.{span}"].value == value
            change = None if None in (value, before[side]) else value - before[side]
            assert facts[f"goods.{side}.{span}.change_usd"].value == change
            if side != "balance":
                pct = facts[f"goods.{side}.{span}.change_pct"].value
                assert pct == (pytest.approx(100 * change / before[side]) if before[side] else None)
    reduction = facts["goods.deficit.ytd.reduction_pct"].value
    if now["balance"] < 0 and before["balance"] < 0:
        assert reduction == pytest.approx(100 * (1 - now["balance"] / before["balance"]))
    else:
        assert reduction is None
    years = []
    for y in (year, year - 1):
        periods = months(y - 1, 12, month + 1) + months(y, month)
        sums = [
            total(GOODS, published, periods, held(code, release), flow) for flow in ("exports", "imports")
        ]
        years.append(None if None in sums else sums[0] - sums[1])
    assert facts["goods.balance.trailing12"].value == years[0]
    change = None if None in years else years[0] - years[1]
    assert facts["goods.balance.trailing12.change_usd"].value == change
    parts = {}
    for flow, sign in (("exports", 1), ("imports", -1)):
        parts["goods", flow] = (
            None if None in (now[flow], before[flow]) else sign * (now[flow] - before[flow])
        )
    check_drivers(facts, "goods.balance", parts)


def check_drivers(facts, prefix: str, parts: dict) -> None:
    """The largest first; the main ones go with the change, one if it is 60 percent of all that do."""
    value, main = facts.value(f"{prefix}.drivers"), facts.value(f"{prefix}.main_drivers")
    if None in parts.values():
        assert (
            value is None
            and main is None
            and re.search("year-earlier|unlike", facts[f"{prefix}.drivers"].reason)
        )
        return
    ordered = sorted((key for key in parts if parts[key]), key=lambda key: -abs(parts[key]))
    told = [(entry["item"], entry["flow"], entry["contribution_usd"]) for entry in value or []]
    assert told == [(*key, parts[key]) for key in ordered]
    change = facts.value(f"{prefix}.ytd.change_usd")
    helping = [key for key in ordered if parts[key] * change > 0]
    alone = helping and abs(parts[helping[0]]) >= 0.6 * sum(abs(parts[key]) for key in helping)
    told = [(entry["item"], entry["flow"]) for entry in main or []]
    now = facts.value(f"{prefix}.ytd")
    hardly = now * (now - change) > 0 and abs(change) < 0.005 * abs(now - change)
    assert told == ([] if hardly else helping[:1] if alone else helping[:2])
    assert facts[f"{prefix}.main_drivers"].more["alone"] == (len(told) == 1 and len(ordered) > 1)
    part = abs(sum(parts[key] for key in told))
    more = facts[f"{prefix}.main_drivers"].more
    assert (more["most"], more["exceeds"]) == (
        (part < abs(change), part > abs(change)) if told else (False, False)
    )


@pytest.mark.parametrize(("release", "as_of", "published", "quarter"), CASES)
@pytest.mark.parametrize("code", CODES)
def test_every_services_and_total_fact_in_dollars_equals_the_sum_of_its_quarters(
    code, release, as_of, published, quarter
):
    facts = sheet(code, release, as_of)
    if code == "0003" and release in ("2019-12", "2020-01"):  # its rows of 2019 hold the United Kingdom
        assert {facts.value(id) for id in facts if id.startswith(("services.balance", "total.b"))} == {None}
        assert "other members of the European Union" in facts["services.exports.ytd"].reason
        return
    year, number = quarter
    source = TRADE, "2025-03-06"

    def summed(side: str, item: str) -> list:
        """Now and a year earlier: quarters added, a whole year as the annual table has it."""
        if number == 4:
            return [total(TRADE_YEARS, source[1], [f"{y}-01"], code, side, item) for y in (year, year - 1)]
        return [total(*source, quarters(y, number), code, side, item) for y in (year, year - 1)]

    for item in ("services", "total"):
        for side in ("exports", "imports", "balance"):
            now, before = summed(side, item)
            assert facts[f"{item}.{side}.ytd"].value == now
            change = None if None in (now, before) else now - before
            assert facts[f"{item}.{side}.ytd.change_usd"].value == change
    now, before = summed("balance", "total")
    reduction = facts["total.deficit.ytd.reduction_pct"].value
    both = None not in (now, before) and now < 0 and before < 0
    assert reduction == (pytest.approx(100 * (1 - now / before)) if both else None)
    parts = {}
    for item in ("goods", "services"):
        for side, sign in (("exports", 1), ("imports", -1)):
            sums = summed(side, item)
            parts[item, side] = None if None in sums else sign * (sums[0] - sums[1])
            assert facts[f"total.balance.contribution.{item}_{side}"].value == parts[item, side]
    check_drivers(facts, "total.balance", parts)
    years = [
        total(*source, quarters(y - 1, 4)[number:] + quarters(y, number), code, "balance", "total")
        for y in (year, year - 1)
    ]
    years = summed("balance", "total") if number == 4 else years
    assert facts["total.balance.trailing4"].value == years[0]
    change = None if None in years else years[0] - years[1]
    assert facts["total.balance.trailing4.change_usd"].value == change


@pytest.mark.parametrize(("release", "as_of", "published", "quarter"), CASES)
def test_ranks_in_goods_count_the_larger_deficits_of_all_single_countries(release, as_of, published, quarter):
    year, month = map(int, release.split("-"))
    now, before = (goods_balances(published, months(y, month)) for y in (year, year - 1))
    for code in CODES:
        facts = sheet(code, release, as_of)
        for id, sums in (("goods.deficit.rank", now), ("goods.deficit.rank.previous_year", before)):
            mine = sums.get(code)
            expected = None if mine is None or mine >= 0 else 1 + sum(v < mine for v in sums.values())
            assert facts[id].value == expected, (code, id)
            assert facts[id].more["n"] == len(sums)


@pytest.mark.parametrize(("release", "as_of", "published", "quarter"), CASES)
def test_ranks_and_reducers_in_goods_and_services_are_among_the_universe_of_the_release(
    release, as_of, published, quarter
):
    facts = sheet("5800", release, as_of)
    year, number = quarter
    names = facts["total.deficit.rank"].more["universe"]
    universe = {code: one for code, one in ((c, partner(c)) for c in country_set()) if one.name in names}
    assert len(universe) == len(names) == (23 if release == "2024-08" else 15)
    now, before = (
        {
            c: total(TRADE_YEARS, "2025-03-06", [f"{y}-01"], c, "balance", "total")
            if number == 4
            else total(TRADE, "2025-03-06", quarters(y, number), c, "balance", "total")
            for c in universe
        }
        for y in (year, year - 1)
    )
    known = [value for value in now.values() if value is not None]
    mine = now["5800"]
    expected = None if mine >= 0 else 1 + sum(value < mine for value in known)
    assert facts["total.deficit.rank"].value == expected
    assert facts["total.deficit.rank"].more["n"] == len(known)
    then = before["5800"]
    if expected is None or then >= 0:
        assert facts["total.deficit.rank.previous_year"].value is None
    else:
        rank = 1 + sum(value < then for value in before.values() if value is not None)
        assert facts["total.deficit.rank.previous_year"].value == rank
    reduced = {
        c for c in universe if None not in (now[c], before[c]) and before[c] < 0 and now[c] > before[c]
    }
    found = facts["total.reducers"].value
    assert {row["code"] for row in found} == reduced
    for row in found:
        b1, b0 = now[row["code"]], before[row["code"]]
        assert row["change_usd"] == b1 - b0
        assert row["reduction_pct"] == (pytest.approx(100 * (1 - b1 / b0)) if b1 < 0 else None)


@pytest.mark.parametrize(("release", "as_of", "published", "quarter"), CASES)
def test_the_record_month_is_the_latest_of_the_highest_through_the_statistical_month(
    release, as_of, published, quarter
):
    for code in CODES:
        mine = {
            period: value
            for (who, flow, _, period), value in cells(GOODS, published).items()
            if who == code and flow == "exports" and period <= release
        }
        if code == "0003":
            spans = {period for *_, period in cells(GOODS, published) if period <= release}
            mine = {p: total(GOODS, published, [p], held(code, release), "exports") for p in spans}
            mine = {period: value for period, value in mine.items() if value is not None}
        top = max(mine.values())
        facts = sheet(code, release, as_of)
        record = facts["goods.exports.record_month"]
        assert record.value == max(period for period, value in mine.items() if value == top) <= release
        assert record.more["highest_usd"] == top
        assert facts["goods.exports.month.is_record"].value == (record.value == release)


@pytest.mark.parametrize(("release", "as_of", "published", "quarter"), CASES)
def test_the_worlds_deficit_and_the_share_of_a_partner(release, as_of, published, quarter):
    year, month = map(int, release.split("-"))
    deficits = []
    for y in (year, year - 1):
        exports, imports = (
            total(GOODS, published, months(y, month), "0015", f) for f in ("exports", "imports")
        )
        deficits.append(imports - exports)
        if y == year:
            world = exports + imports
    facts = sheet("5800", release, as_of)
    expected = 100 * (deficits[0] / deficits[1] - 1)
    assert facts["world.goods.deficit.ytd.change_pct"].value == pytest.approx(expected)
    korea = sum(total(GOODS, published, months(year, month), "5800", f) for f in ("exports", "imports"))
    assert facts["goods.trade.ytd.share_pct"].value == pytest.approx(100 * korea / world)


@pytest.mark.parametrize("code", ["5800", "5700", "1220", "2010"])
def test_hs_chapters_are_summed_over_the_same_months_and_over_the_full_previous_year(code):
    facts = sheet(code, "2018-07", "2025-04-03")
    found = (re.match(r"commodity\.hs2\.(\d\d)\.exports\.", id) for id in facts)
    chapters = {match[1] for match in found if match}
    assert "27" in chapters and len(chapters) in (3, 4)

    def chapter_sum(periods, chapter):
        return sum(cells(EXPORTS, "2020-12-04").get((code, "exports", chapter, p), 0) for p in periods)

    for chapter in chapters:
        now, before = (chapter_sum(months(y, 7), chapter) for y in (2018, 2017))
        whole = chapter_sum(months(2017, 12), chapter)
        prefix = f"commodity.hs2.{chapter}.exports"
        assert facts[f"{prefix}.ytd"].value == now
        assert facts[f"{prefix}.ytd.change_usd"].value == now - before
        assert facts[f"{prefix}.previous_year"].value == whole
        assert facts[f"{prefix}.ytd.less_previous_year"].value == now - whole
    changes = {
        chapter: abs(chapter_sum(months(2018, 7), chapter) - chapter_sum(months(2017, 7), chapter))
        for chapter in {key[2] for key in cells(EXPORTS, "2020-12-04")}
    }
    top = sorted(changes, key=changes.get, reverse=True)[:3]
    assert set(top) | {"27"} == chapters, "mineral fuels, and the three that changed most"


def test_the_trend_of_korea_starts_at_the_trough_of_its_trailing_balance():
    fact = sheet("KOR", "2018-07", "2025-04-03")["total.trend.start"]
    trailing = {}
    for year in range(2015, 2019):
        for q in range(1, 5):
            last = pd.Period(f"{year}Q{q}", "Q")
            periods = [str((last - n).start_time.date())[:7] for n in range(4)]
            if last <= pd.Period("2018Q2", "Q"):
                trailing[str(last)] = total(TRADE, "2025-03-06", periods, "5800", "balance", "total")
    assert min(trailing, key=trailing.get) == fact.value == "2016Q2"
    assert fact.more["turn_usd"] == trailing["2016Q2"]
    assert fact.more["latest_usd"] == trailing["2018Q2"]
    assert fact.more["direction"] == "rising"


# --- what every fact must tell ------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("who", PARTNERS)
def test_every_fact_of_the_contract_is_there_and_tells_all_it_must(who, release):
    page = json.loads(json.dumps(sheet(who, release).document(), allow_nan=False))
    assert set(page) >= {"partner", "release", "published", "as_of", "facts"}
    assert set(page["partner"]) == {"code", "iso2", "iso3", "name"}
    assert page["release"] == release
    assert set(page["facts"]) >= IDS
    for id, fact in page["facts"].items():
        assert set(fact) >= {"value", "unit", "window", "table", "vintage", "vintage_lag_days", "text"}, id
        assert fact["unit"] in UNITS and fact["window"], id
        assert (fact["value"] is None) == bool(fact["reason"]), id
        assert not re.search(r"\bnan\b|None|<NA>|\{", fact["text"]), fact["text"]
        if fact["value"] is None:
            assert fact["reason"] in fact["text"]
        elif fact["unit"] == "USD":
            assert fact["value"] == round(fact["value"]) and math.isfinite(fact["value"])
        elif fact["unit"] == "rank":
            assert isinstance(fact["value"], int) and 1 <= fact["value"] <= fact["n"]
        elif fact["unit"] in ("month", "quarter"):
            assert re.fullmatch(r"\d{4}-\d\d" if fact["unit"] == "month" else r"\d{4}Q[1-4]", fact["value"])
        if fact["unit"] == "rank":
            assert fact["universe"] and fact["measure"] and (fact["n"] > 0 or fact["value"] is None)
        if fact["vintage"] is not None:
            assert date.fromisoformat(fact["vintage"])
            lag = date.fromisoformat(fact["vintage"]) - date.fromisoformat(page["as_of"])
            assert fact["vintage_lag_days"] == max(0, lag.days)


def test_a_fact_has_the_same_fields_whoever_the_partner_is():
    """So that a sentence which names a field is right, or wrong, for every partner alike."""
    fields = {}
    for release in RELEASES:
        for who in PARTNERS:
            for id, fact in sheet(who, release).items():
                assert fields.setdefault(id, set(fact.more)) ^ set(fact.more) == set(), (id, who, release)


def test_facts_keep_the_basis_of_their_table():
    for id, fact in sheet("KOR", "2018-07").items():
        basis = ("BOP", "SA") if id.startswith(("services", "total")) else ("Census", "NSA")
        basis = ("Census", "SA") if ".sa." in id else basis
        assert (fact.basis, fact.adjustment) == basis, id


@pytest.mark.parametrize(
    ("release", "goods", "before", "services"),
    [
        ("2018-07", "2018-01..2018-07", "2017-01..2017-07", "2018Q1..2018Q2"),
        ("2010-06", "2010-01..2010-06", "2009-01..2009-06", "2010Q1"),
        ("2024-08", "2024-01..2024-08", "2023-01..2023-08", "2024Q1..2024Q2"),
        ("2018-01", "2018-01", "2017-01", "2017Q1..2017Q4"),
        ("2018-12", "2018-01..2018-12", "2017-01..2017-12", "2018Q1..2018Q3"),
    ],
)
def test_windows_end_with_the_month_and_with_the_quarter_out_with_the_release(
    release, goods, before, services
):
    facts = sheet("KOR", release)
    assert facts["goods.exports.month"].window == release
    assert facts["goods.exports.ytd"].window == facts["goods.deficit.rank"].window == goods
    assert facts["goods.exports.ytd.change_pct"].window == f"{goods} vs {before}"
    assert facts["goods.deficit.rank.previous_year"].window == before
    assert facts["services.balance.ytd"].window == facts["total.deficit.rank"].window == services


@pytest.mark.parametrize("year", sorted({vintage.since[:4] for vintage in list_vintages()} - {"1960"}))
def test_a_table_whose_first_year_is_over_has_none_before_it_and_leaves_a_brief_all_the_same(year):
    """An annual table of that year alone is out with the release of a month later."""
    korea = sheet("KOR", str(pd.Period(f"{year}-01") + 13))
    assert json.dumps(korea.document()) and korea.value("goods.exports.month") > 0


def test_each_fact_tells_the_vintage_of_its_table_and_its_lag():
    facts = sheet("KOR", "2018-07")  # as of the publication day, 2018-09-05
    lags = {fact.table: (fact.vintage, fact.vintage_lag_days) for fact in facts.values()}
    assert lags == {
        GOODS: ("2018-10-05", 30),
        "goods_census_sa": ("2025-04-03", 2402),
        TRADE: ("2025-03-06", 2374),
        EXPORTS: ("2020-12-04", 821),
        "imports_consumption_hs2_nsa": ("2020-12-04", 821),
        "imports_consumption_nsa": ("2020-12-04", 821),
        "exports_naics_nsa": (None, None),
        "imports_consumption_provisions_nsa": (None, None),
    }
    later = sheet("KOR", "2018-07", "2025-04-03")
    assert {f.vintage_lag_days for f in later.values() if f.vintage} == {0}


def test_a_document_tells_the_release_and_how_its_date_is_known():
    page = sheet("KOR", "2018-07").document()
    assert page["partner"] == {"code": "5800", "iso2": "KR", "iso3": "KOR", "name": "Korea, South"}
    assert (page["published"], page["as_of"]) == ("2018-09-05", "2018-09-05")
    early = sheet("KOR", "1993-06").document()
    assert (early["published"], early["published_how_known"]) == (None, "not established")
    assert early["as_of"] == "1993-08-31"


# --- those that have no number ------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
def test_a_surplus_partner_has_no_deficit_rank_and_the_reason_says_surplus(release):
    facts = sheet("HKG", release)
    assert facts["goods.balance.ytd"].value > 0
    for id in ("goods.deficit.rank", "goods.deficit.rank.previous_year", "total.deficit.rank"):
        assert facts[id].value is None and "surplus" in facts[id].reason
    assert facts["goods.deficit.ytd.reduction_pct"].value is None
    assert "surplus" in facts["goods.deficit.ytd.reduction_pct"].reason


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("who", ["EU", "ASEAN", "USMCA", "0014"])
def test_a_group_is_briefed_but_never_ranked(who, release):
    facts = sheet(who, release)
    assert facts["goods.exports.ytd"].value > 0
    for id in ("goods.deficit.rank", "goods.deficit.rank.previous_year", "total.deficit.rank"):
        assert facts[id].value is None and "group" in facts[id].reason
    assert (
        not facts["total.deficit.rank"].more["universe"]
        or facts.partner.name not in (facts["total.deficit.rank"].more["universe"])
    )


@pytest.mark.parametrize("release", RELEASES)
def test_no_group_or_total_is_among_the_ranked_or_the_reducers(release):
    taken = snapshot(release)
    years = (taken.month.year, taken.month.year - 1, None)
    for ranks, year in zip((*taken.goods_ranks.values(), taken.total_ranks), years, strict=True):
        assert set(ranks.index) <= set(countries(in_year=year))
    assert set(taken.total_reducers.index) <= set(taken.universe[0]) <= country_set()


def test_vietnam_has_services_by_quarter_since_2013_only_and_says_so():
    assert sheet("VNM", "2018-07")["services.balance.ytd"].value > 0
    early = sheet("VNM", "2010-06")
    for id in ("services.balance.ytd", "total.balance.ytd", "total.deficit.ytd.reduction_pct"):
        assert early[id].value is None and "quarter" in early[id].reason
    assert early["goods.exports.ytd"].value > 0


def test_a_partner_outside_the_bea_table_has_no_services_and_one_outside_hs2_no_chapters():
    facts = sheet("TUV", "2018-07")
    for id in ("services.balance.ytd", "total.deficit.rank", "commodity.hs2.27.exports.ytd"):
        assert facts[id].value is None and facts[id].reason
    assert facts["goods.exports.ytd"].value is not None


def test_chapters_that_no_vintage_reaches_say_how_far_it_does():
    fact = sheet("KOR", "2024-08")["commodity.hs2.27.exports.ytd"]
    assert fact.value is None and fact.vintage is None and fact.vintage_lag_days is None
    assert "January 2013 to October 2020" in fact.reason


def test_a_universe_that_was_not_seen_says_so():
    assert "listed from" in sheet("KOR", "2010-06")["total.deficit.rank"].more["universe_source"]
    assert "listed from" not in sheet("KOR", "2018-07")["total.deficit.rank"].more["universe_source"]


# --- all partners at once -----------------------------------------------------------------------


@pytest.fixture
def everyone():
    """All partners of July 2018, shared with the tests of other rooms."""
    return every_brief("2018-07")


def test_all_partners_have_facts_that_are_plain_json(everyone):
    assert len(everyone) > 220
    for one in everyone.values():
        json.dumps(one.document(), allow_nan=False)
        assert set(one) >= IDS


def test_all_partners_together_make_the_world(everyone):
    world = brief("0015", snapshot("2018-07"))
    for side in ("exports", "imports"):
        for span in ("month", "ytd"):
            id = f"goods.{side}.{span}"
            assert sum(one[id].value for one in everyone.values()) == pytest.approx(
                world[id].value, rel=0.005
            )
    share = sum(one["goods.trade.ytd.share_pct"].value for one in everyone.values())
    assert share == pytest.approx(100, abs=0.5)
    assert world["goods.exports.month.change_pct"].value == pytest.approx(8.5, abs=3)


def test_all_ranks_are_one_to_n_without_gaps_or_doubles(everyone):
    ranks = sorted(
        one["goods.deficit.rank"].value for one in everyone.values() if one["goods.deficit.rank"].value
    )
    assert ranks == list(range(1, len(ranks) + 1))
    there = [one for one in everyone.values() if KINDS[one.partner.code] in ("country", "former")]
    deficits = [one for one in there if one["goods.balance.ytd"].value < 0]
    assert len(ranks) == len(deficits)


def test_one_partner_alone_has_the_same_facts_as_in_the_crowd(everyone):
    alone = sheet("5800", "2018-07")
    assert {id: f.to_dict() for id, f in everyone["5800"].items()} == {
        id: f.to_dict() for id, f in alone.items()
    }


#: Releases around the changes of the European Union (2004, 2007, 2013, 2020), OPEC and the euro area.
AROUND = [
    *(
        ("0003", month, n)
        for month, n in [("2004-02", 15), ("2004-03", 25), ("2006-11", 27), ("2013-05", 28)]
    ),
    *(("0003", month, n) for month, n in [("2019-11", 28), ("2020-08", 27), ("2021-01", 27)]),
    *(
        ("0001", month, n)
        for month, n in [("2007-08", 13), ("2008-12", 12), ("2016-10", 13), ("2020-08", 13)]
    ),
    *(("EURO", month, n) for month, n in [("2010-12", 17), ("2023-01", 20)]),
]


@pytest.mark.parametrize(("group", "release", "count"), AROUND)
def test_a_group_has_the_members_of_the_day_of_the_release_in_both_windows(group, release, count):
    facts, codes = sheet(group, release), held(group, release)
    year, month = map(int, release.split("-"))
    assert len(codes) == count and f"the {count} members of" in facts.names["members"]
    for span, first in (("month", month), ("ytd", 1)):
        for flow in ("exports", "imports"):
            fact = facts[f"goods.{flow}.{span}"]
            now, before = (
                total(GOODS, fact.vintage, months(y, month, first), codes, flow) for y in (year, year - 1)
            )
            assert (fact.value, facts.value(f"{fact.id}.change_usd")) == (now, now - before), fact.id


def test_the_union_of_2020_is_compared_without_the_united_kingdom():
    """The printed rows give -29.0, -21.0 and -33.7 percent, and 6.1."""
    union = sheet("EU", "2020-08")
    found = [f"goods.{id}.change_pct" for id in ("exports.ytd", "imports.ytd", "exports.month")]
    assert [round(union.value(id), 1) for id in found] == [-14.3, -11.6, -16.0]
    assert round(union.value("goods.deficit.ytd.reduction_pct"), 1) == 7.7
    printed = total(TRADE, "2025-03-06", quarters(2020, 2), "0003", "balance", "total")
    assert union.value("total.balance.ytd") == printed
    assert union.value("total.balance.contribution.services_exports") is None
    assert "other members" in union["total.balance.trailing4"].reason
    assert sheet("EU", "2021-08").value("total.balance.ytd.change_usd") is not None


def test_a_group_of_ones_own_has_the_members_of_the_day_too(monkeypatch, tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("group,code,joined,left\nTrio,KOR,,\nTrio,JPN,,2017-12-31\nTrio,TWN,2018-01-01,\n")
    monkeypatch.setenv("TRADELIB_GROUPS", str(path))
    facts = brief("Trio", "2018-07", as_of="2018-10-05")
    now, before = (
        total(GOODS, "2018-10-05", months(y, 7), ["5800", "5830"], "exports") for y in (2018, 2017)
    )
    assert facts.value("goods.exports.ytd.change_usd") == now - before
    assert facts.names["members"] == "the two members of September 5, 2018"


@pytest.mark.parametrize("group", ["ASEAN", "USMCA", "EURO"])
def test_a_group_that_the_table_does_not_print_is_the_sum_of_its_members_of_the_day(everyone, group):
    facts = sheet(group, "2018-07")
    codes = members(group, date(2018, 9, 5))
    for id in ("goods.exports.ytd", "goods.imports.ytd", "goods.balance.ytd"):
        assert facts[id].value == sum(everyone[code][id].value for code in codes)


@pytest.mark.parametrize("release", ["2018-07", "2021-08"])
def test_a_group_has_what_its_members_have_in_every_table(release):
    union, parts = sheet("USMCA", release), [sheet(code, release) for code in ("CAN", "MEX")]
    ids = [
        f"{item}.{side}.ytd" for item in ("services", "total") for side in ("exports", "imports", "balance")
    ]
    ids += [
        "total.balance.trailing4",
        "tariff.duties.month",
        "tariff.imports.ytd",
        "commodity.hs2.27.imports.ytd",
    ]
    for id in ids:
        known = [one.value(id) for one in parts]
        assert union.value(id) == (None if None in known else sum(known)), id
    assert union.value("total.balance.trailing4") and union.value("tariff.duties.month")


def test_a_group_of_which_a_table_lacks_a_member_has_no_figure_of_it():
    assert sheet("ASEAN", "2018-07")["services.exports.ytd"].value is None
