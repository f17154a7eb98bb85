"""Records, streaks and the place in U.S. trade: each worked out a second time from the raw rows."""

import numpy as np
import pandas as pd
import pytest
from helpers import raw_rows, sheet, snapshot

from tradelib.briefs.records import stands_out
from tradelib.partners import all_partners, members
from tradelib.style import words

CASES = [("2025-02", "2025-04-03"), ("2018-07", "2018-10-05"), ("2020-01", "2020-10-06")]
CODES = ["4419", "5800", "5700", "1220", "6227", "5820"]
COUNTRIES = set(all_partners().query("kind in ('country', 'former')")["code"])


def months_of(published: str, code: str, side: str, release: str) -> dict[str, float]:
    """Whole dollars by YYYY-MM through a release, without gaps, from the raw rows."""
    rows = raw_rows("goods_census_nsa", published)
    flows = {
        flow: dict(rows.loc[(rows.partner == code) & (rows.flow == flow), ["period", "value_usd"]].to_numpy())
        for flow in ("exports", "imports")
    }
    exports, imports = flows["exports"], flows["imports"]
    both = exports if side == "exports" else imports
    if side == "balance":
        both = {month: exports[month] - imports[month] for month in exports}
    found = {}
    for month in pd.period_range(min(both), release, freq="M").astype(str):
        found = found | {month: both[month]} if month in both else {}  # after the last gap
    return found


def years_of(months: dict[str, float], release: str) -> dict[str, float]:
    """The year to date of each year."""
    last, sums = release[5:], {}
    for year in sorted({month[:4] for month in months}):
        spell = [f"{year}-{n:02d}" for n in range(1, int(last) + 1)]
        if all(month in months for month in spell):
            sums[year] = sum(months[month] for month in spell)
    return sums


def expected(past: dict[str, float], *, balance: bool, least: int, among: str) -> str | None:
    """What should be said of the last of some figures, by plain comparison."""
    *before, (_, now) = past.items()
    sign = -1 if balance and now < 0 else 1
    kind, first = ("deficit" if now < 0 else "surplus"), min(past)[:4]
    large, small = ("largest", "smallest") if balance else ("highest", "lowest")
    rules = [(f"{large}{among}", lambda usd: usd * sign >= now * sign)]
    rules += [(f"{small}{among}", lambda usd: usd * sign <= now * sign)]
    if balance and before[-1][1] * sign <= 0:
        rules = [(f"first {kind}", lambda usd: usd * sign > 0), rules[0]]
    for word, rivals in rules:
        place = max((n for n, (_, usd) in enumerate(before) if rivals(usd)), default=None)
        if len(before) - (place or 0) < least or len(before) <= least:
            continue
        if place is None:
            return f"{word} on record, in figures since {first}"
        when, usd = before[place]
        name = words.period(pd.Period(when)) if len(when) == 7 else when
        other = "surplus" if usd > 0 else "deficit"
        turned = word.startswith("smallest") and other != kind and usd != 0
        return f"{word} since {f'the {other} of ' if turned else ''}{name}"
    return None


@pytest.mark.parametrize(("release", "published"), CASES)
@pytest.mark.parametrize("code", CODES)
def test_a_superlative_holds_against_every_figure_before(code, release, published):
    facts = sheet(code, release, published)
    for side in ("exports", "imports", "balance"):
        months = months_of(published, code, side, release)
        told = expected(years_of(months, release), balance=side == "balance", least=3, among="")
        assert facts[f"goods.{side}.ytd.superlative"].value == told, side
        told = expected(months, balance=side == "balance", least=36, among=" of any month")
        if told is None:
            same = {month[:4]: usd for month, usd in months.items() if month[5:] == release[5:]}
            name = words.MONTHS[int(release[5:]) - 1]
            told = expected(same, balance=side == "balance", least=5, among=f" for a {name}")
            told = None if told and told.startswith("first") else told
        assert facts[f"goods.{side}.month.superlative"].value == told, side


@pytest.mark.parametrize(("release", "published"), CASES)
@pytest.mark.parametrize("code", CODES)
def test_an_earlier_record_is_the_highest_before_and_tells_how_near_this_came(code, release, published):
    facts = sheet(code, release, published)
    for side in ("exports", "imports", "balance"):
        months = months_of(published, code, side, release)
        for span, past in (("month", months), ("ytd", years_of(months, release))):
            fact = facts[f"goods.{side}.{span}.earlier_record"]
            *before, (_, now) = past.items()
            sign = -1 if side == "balance" and now < 0 else 1
            when, top = max(before, key=lambda entry: (entry[1] * sign, entry[0]))
            if top * sign <= 0:
                assert fact.value is None
                continue
            assert (fact.value, fact.more["period"]) == (top, when)
            short = (top - now) * sign
            assert fact.more["short_usd"] == (short if short >= 0 else None)
            assert fact.more["near"] == (0 < short <= 0.01 * abs(top))


@pytest.mark.parametrize(("release", "published"), CASES)
@pytest.mark.parametrize("code", CODES)
def test_a_streak_counts_the_months_and_years_that_moved_alike(code, release, published):
    facts = sheet(code, release, published)
    for side in ("exports", "imports", "balance"):
        months = months_of(published, code, side, release)
        for span, past in (("month", months), ("ytd", years_of(months, release))):
            when, count, way = release if span == "month" else release[:4], 0, None
            while (before := f"{int(when[:4]) - 1}{when[4:]}") in past:
                moved = (past[when] > past[before]) - (past[when] < past[before])
                way = moved if way is None else way
                if moved != way or not moved:
                    break
                count += 1
                year, month = int(when[:4]), int(when[5:] or 0)
                when = f"{year - 1}" if not month else f"{year - (month == 1)}-{(month - 2) % 12 + 1:02d}"
            names = ("improved", "worsened") if side == "balance" else ("risen", "fallen")
            fact = facts[f"goods.{side}.{span}.streak"]
            told = {1: names[0], -1: names[1], 0: None}[way]
            assert (fact.value, fact.more["moved"], fact.more["long"]) == (count, told, count >= 3)


@pytest.mark.parametrize(
    ("values", "word", "reach", "on_record"),
    [
        ([1, 2, 3, 4, 5], "highest", 4, True),
        ([5, 4, 3, 2, 1], "lowest", 4, True),
        ([9, 1, 2, 3, 4], "highest", 4, False),
        ([1, 4, 3, 4], None, 0, False),
        ([1, 2, 3, 4], None, 0, False),
        ([3, 2, 1, 0], None, 0, False),
    ],
)
def test_what_stands_out_reaches_back_long_enough(values, word, reach, on_record):
    found = stands_out(np.array(values, float), 3)
    assert (found and found.word) == word
    if found:
        assert found.reach == reach and (found.rival is None) == on_record


def test_what_is_not_known_may_have_been_a_rival():
    gap = np.array([9.0, 1, 2, 3, np.nan, 4, 5, 4, 5, 8])
    assert stands_out(gap, 3) is None, "since the gap alone it is the highest, and nobody knows of the gap"
    assert stands_out(np.append(gap[:-1], [3, 4, 5, 6, 5, 4, 3, 3, 7.0]), 3) is None


def test_a_balance_that_turned_is_the_first_of_its_kind_or_nothing():
    assert stands_out(np.array([-1.0, 5, 6, 7, -2]), 3, balance=True).word == "first"
    assert stands_out(np.array([-1.0, 5, 6, -7, 5, -2]), 3, balance=True) is None
    assert stands_out(np.array([1.0, -5, 6, -7, 5, -9]), 3, balance=True).word == "largest"


def test_records_of_switzerland_and_a_near_miss():
    swiss = sheet("4419", "2025-01")
    assert swiss.value("goods.balance.month") == -22_121_798_031
    assert swiss.value("goods.balance.month.superlative").startswith("largest of any month on record")
    swiss = sheet("4419", "2025-02")
    assert (
        swiss.value("goods.balance.month.superlative")
        == "largest for a February on record, in figures since 1985"
    )
    assert swiss.value("goods.balance.ytd.superlative") == "largest on record, in figures since 1985"


# --- the place in U.S. trade ---------------------------------------------------------------------


def sums_of(published: str, periods: list[str]) -> dict[str, dict[str, float]]:
    """Dollars by flow and partner, of those with a row for every month."""
    rows = raw_rows("goods_census_nsa", published)
    rows = rows[rows["period"].isin(periods)]
    found = {}
    for flow, part in rows.groupby("flow"):
        whole = part.groupby("partner")["value_usd"].agg(["sum", "count"])
        found[flow] = whole.loc[whole["count"] == len(periods), "sum"].to_dict()
    return found


@pytest.mark.parametrize(("release", "published"), CASES)
@pytest.mark.parametrize("span", ["month", "ytd"])
def test_shares_ranks_and_contributions_are_those_of_the_raw_rows(release, published, span):
    year, last = int(release[:4]), int(release[5:])
    spells = [
        [f"{y}-{n:02d}" for n in range(1 if span == "ytd" else last, last + 1)] for y in (year, year - 1)
    ]
    flows = [sums_of(published, spell) for spell in spells]
    union = members("EU", snapshot(release, published).release.default_as_of)
    for sums in flows:
        for flow in ("exports", "imports"):  # the same members in both years
            sums[flow]["0003"] = sum(sums[flow][code] for code in union)
        codes = set(sums["exports"]) & set(sums["imports"])
        sums["trade"] = {code: sums["exports"][code] + sums["imports"][code] for code in codes}
        sums["balance"] = {code: sums["exports"][code] - sums["imports"][code] for code in codes}
    now, then = flows
    added = {
        code: then["balance"][code] - now["balance"][code]
        for code in now["balance"]
        if code in then["balance"]
    }
    for code in CODES:
        facts = sheet(code, release, published)
        for name in ("trade", "exports", "imports"):
            share = 100 * now[name][code] / now[name]["0015"]
            assert facts[f"goods.{name}.{span}.share_pct"].value == pytest.approx(share)
            for id, sums in (("rank", now), ("rank.previous_year", then)):
                fact = facts[f"goods.{name}.{span}.{id}"]
                ranked = {c: usd for c, usd in sums[name].items() if c in COUNTRIES and usd > 0}
                rank = 1 + sum(usd > sums[name][code] for usd in ranked.values())
                assert fact.value == (rank if code in ranked else None)
                assert fact.more["n"] == len(ranked)
        share = 100 * now["balance"][code] / now["balance"]["0015"]
        fact = facts[f"goods.deficit.{span}.share_pct"]
        assert fact.value == (pytest.approx(share) if now["balance"][code] < 0 else None)
        fact, change = facts[f"goods.deficit.{span}.contribution_pct"], added["0015"]
        if abs(change) < -0.01 * then["balance"]["0015"]:
            assert fact.value is None and "hardly changed" in fact.reason
            continue
        assert fact.value == pytest.approx(100 * added[code] / change)
        assert fact.more["way"] == ("widening" if change > 0 else "narrowing")
        sign = 1 if added[code] > 0 else -1
        place = 1 + sum(usd * sign > abs(added[code]) for c, usd in added.items() if c in COUNTRIES)
        assert fact.more["place"] == (place if code in COUNTRIES else None)


def test_switzerland_accounted_for_more_of_the_widening_than_any_other_country():
    fact = sheet("4419", "2025-02")["goods.deficit.ytd.contribution_pct"]
    assert round(fact.value, 1) == 36.8 and fact.more["first"] and fact.more["way"] == "widening"


def test_a_group_has_shares_and_no_rank():
    union = sheet("EU", "2025-02")
    assert union.value("goods.exports.ytd.share_pct") > 15
    assert union.value("goods.trade.ytd.rank") is None
    assert "not ranked" in union["goods.trade.ytd.rank"].reason


def test_a_young_table_has_no_near_misses():
    assert sheet("CAN", "1985-03")["goods.balance.month.earlier_record"].more["near"] is False
