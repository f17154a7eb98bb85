"""Facts to sentences: each function writes one passage of the brief, from facts alone."""

import pandas as pd

from tradelib.briefs.commodities import who_contributed
from tradelib.briefs.factsheet import Fact, Sheet
from tradelib.style import words as wording
from tradelib.style.words import (
    Text,
    a_position,
    capital,
    cardinal,
    money,
    ordinal,
    percent,
    position,
    series,
)
from tradelib.tables import IMPORT_CHAPTERS

#: Changes below this share of the base are called "little changed".
STILL_PCT = 0.05
#: Mineral fuels are told from this share of exports on.
FUELS_WORTH_TELLING = 0.02


def title(sheet: Sheet) -> Text:
    """Name the brief.

    Examples
    --------
    >>> from tradelib import facts_of, resolve, take
    >>> korea = facts_of(resolve("KOR"), take("2018-07", as_of="2018-10-05"))
    >>> print(title(korea))
    # U.S. trade with South Korea, July 2018
    """
    return Text(f"# U.S. trade with {sheet.partner.prose}, {wording.period(sheet.snapshot.month)}")


def headline(sheet: Sheet) -> Text:
    """Say the finding in one sentence: goods and services where there are both, else goods.

    Examples
    --------
    >>> from tradelib import facts_of, resolve, take
    >>> print(headline(facts_of(resolve("KOR"), take("2018-07", as_of="2018-10-05"))))
    The U.S. deficit with South Korea in goods and services narrowed by 65.5 percent, to $979 million
    in the first half of 2018 from $2.8 billion a year earlier.
    """
    s, who = sheet.snapshot, sheet.partner.prose
    total = sheet.value("total.balance.ytd")
    if total is not None:
        change, window = sheet.value("total.balance.ytd.change_usd"), wording.span(s.quarters)
        return Text(_balance_moved(total, change, f"with {who} in goods and services", window) + ".")
    goods, change = sheet.value("goods.balance.ytd"), sheet.value("goods.balance.ytd.change_usd")
    if goods is None:
        return Text(f"There are no figures on goods trade with {who} for {wording.span(s.months)}.")
    return Text(_balance_moved(goods, change, f"in goods with {who}", wording.span(s.months)) + ".")


def _balance_moved(now: float, change: float | None, what: str, window: str) -> str:
    """Tell how a balance moved, minding the sign; a sentence without its full stop."""
    if change is None:
        article = "no balance" if now == 0 else f"a U.S. {position(now)} of {money(now)}"
        return f"There was {article} {what} in {window}"
    before = now - change
    if now == 0 and before == 0:
        return f"There was neither a deficit nor a surplus {what} in {window}, as a year earlier"
    if now * before <= 0:
        return (
            f"The U.S. balance {what} moved from {a_position(before)} a year earlier to "
            f"{a_position(now)} in {window}"
        )
    moved = 100 * (abs(now) - abs(before)) / abs(before)
    subject = f"The U.S. {position(now)} {what}"
    if abs(moved) < STILL_PCT:
        return f"{subject} was little changed, at {money(now)} in {window}"
    verb = "widened" if moved > 0 else "narrowed"
    # a percentage is said of deficits only; a surplus is told in dollars
    size = f" by {percent(moved)}" if now < 0 else f" by {money(change)}"
    return f"{subject} {verb}{size}, to {money(now)} in {window} from {money(before)} a year earlier"


def _side(sheet: Sheet, id: str) -> str:
    """Tell one flow: its amount and, in brackets, its change on a year earlier."""
    usd, pct = sheet.value(id), sheet.value(f"{id}.change_pct")
    if not usd:
        return "no goods"
    amount = f"goods worth {money(usd)}"
    if pct is None:
        return amount
    moved = "little changed" if abs(pct) < STILL_PCT else f"{wording.direction(pct)} {percent(pct)}"
    return f"{amount} ({moved})"


def goods(sheet: Sheet) -> Text:
    """Write the passage on goods: the month, the year to date, the record, the world beside it."""
    s, who, value = sheet.snapshot, sheet.partner.prose, sheet.value
    if value("goods.balance.month") is None:
        return Text(f"The country table has no figures for {who} in {wording.period(s.month)}.")
    month = (
        f"In {wording.period(s.month)} the United States exported "
        f"{_side(sheet, 'goods.exports.month')} to {who} and imported "
        f"{_side(sheet, 'goods.imports.month')}: {a_position(value('goods.balance.month'))}. "
        "Changes are on a year earlier."
    )
    if value("goods.balance.ytd") is None:
        return Text(month)
    return Text(" ".join([month, _record(sheet)]) + "\n\n" + _goods_year(sheet))


def _record(sheet: Sheet) -> str:
    fact, who = sheet["goods.exports.record_month"], sheet.partner.prose
    if fact.value is None:
        return f"No exports to {who} are on record."
    since = fact.window[:4]
    if sheet.value("goods.exports.month.is_record"):
        return f"It was the highest month for exports to {who} on record since {since}."
    month = wording.period(sheet.snapshot.month.__class__(fact.value))
    return (
        f"The record for a month of exports since {since} is {money(fact.more['highest_usd'])}, in {month}."
    )


def _goods_year(sheet: Sheet) -> str:
    s, who, value = sheet.snapshot, sheet.partner.prose, sheet.value
    span = wording.span(s.months)
    parts = [
        f"Over {span} it exported {_side(sheet, 'goods.exports.ytd')} and imported "
        f"{_side(sheet, 'goods.imports.ytd')}.",
        _balance_moved(
            value("goods.balance.ytd"), value("goods.balance.ytd.change_usd"), f"in goods with {who}", span
        )
        + ".",
    ]
    world = value("world.goods.deficit.ytd.change_pct")
    if world is not None:
        moved = "little changed" if abs(world) < STILL_PCT else f"{wording.direction(world)} {percent(world)}"
        parts.append(f"The U.S. goods deficit with the world was {moved} over the same months.")
    return " ".join(parts)


def services(sheet: Sheet) -> Text:
    """Write the passage on services."""
    who, span = sheet.partner.prose, wording.span(sheet.snapshot.quarters)
    if sheet.value("services.balance.ytd") is None:
        return Text(f"Services with {who}: {sheet['services.balance.ytd'].reason}.")
    now, change = sheet.value("services.balance.ytd"), sheet.value("services.balance.ytd.change_usd")
    return Text(
        f"In {span} the United States sold services worth {money(sheet.value('services.exports.ytd'))} "
        f"to {who} and bought services worth {money(sheet.value('services.imports.ytd'))}. "
        + _balance_moved(now, change, f"in services with {who}", span)
        + "."
    )


def total(sheet: Sheet) -> Text:
    """Write the passage on goods and services together."""
    who, span = sheet.partner.prose, wording.span(sheet.snapshot.quarters)
    now, change = sheet.value("total.balance.ytd"), sheet.value("total.balance.ytd.change_usd")
    if now is None:
        reason = sheet["total.balance.ytd"].reason
        return Text(f"Goods and services together with {who}: {reason}. What follows is goods only.")
    after = "" if change is None else f", after {a_position(now - change)} a year earlier"
    return Text(
        f"Goods and services together: exports of {money(sheet.value('total.exports.ytd'))} and imports of "
        f"{money(sheet.value('total.imports.ytd'))} made {a_position(now)} with {who} in {span}{after}."
    )


def drivers(sheet: Sheet) -> Text:
    """Say what moved the balance: exports or imports, goods or services."""
    named = {
        "exports": "total.balance.contribution.{}_exports",
        "imports": "total.balance.contribution.{}_imports",
    }
    parts = {
        f"{item} {side}": sheet.value(id.format(item))
        for item in ("goods", "services")
        for side, id in named.items()
    }
    change = sheet.value("total.balance.ytd.change_usd")
    basis = "goods and services"
    if change is None or None in parts.values():
        change, basis = sheet.value("goods.balance.ytd.change_usd"), "goods"
        imports = sheet.value("goods.imports.ytd.change_usd")
        parts = {
            "goods exports": sheet.value("goods.exports.ytd.change_usd"),
            "goods imports": None if imports is None else -imports,
        }
    if change is None or None in parts.values():
        return Text("There is no year-earlier figure to compare with.")
    if change == 0:
        return Text(f"The balance in {basis} did not change.")
    ordered = sorted(parts.items(), key=lambda part: -abs(part[1]))
    told = [
        f"{'higher' if (usd > 0) == name.endswith('exports') else 'lower'} {name} "
        f"{'added' if usd > 0 else 'took away'} {money(usd)}"
        for name, usd in ordered
        if usd
    ]
    same_way = [name for name, usd in ordered if usd * change > 0]
    verb = "improved" if change > 0 else "worsened"
    main = same_way[0]
    risen = (parts[main] > 0) == main.endswith("exports")
    return Text(
        f"The balance in {basis} {verb} by {money(change)}: {series(told)}. "
        f"The largest cause was {'a rise' if risen else 'a fall'} in {main}."
    )


def chapters(sheet: Sheet) -> Text:
    """Say which HS chapters changed most, and what became of mineral fuels."""
    passages = []
    for flow, words in (("exports", "exports to"), ("imports", "imports from")):
        moved = _moved_chapters(sheet, flow)
        if moved:
            told = [_chapter(fact) for fact in moved]
            kind = " for consumption" if moved[0].table == IMPORT_CHAPTERS[1] else ""
            span = wording.span(sheet.snapshot.months)
            passages.append(
                f"In {words} {sheet.partner.prose}{kind}, the chapters that changed most over {span} "
                f"against a year earlier were {series(told)}."
            )
    passages += filter(None, [who_contributed(sheet)])
    fuels, year = sheet["commodity.hs2.27.exports.ytd"], sheet["commodity.hs2.27.exports.previous_year"]
    exports = sheet.value("goods.exports.ytd")
    if fuels.value and exports and fuels.value >= FUELS_WORTH_TELLING * exports:
        gap = fuels.value - year.value
        than = f"{money(gap)} {'more' if gap > 0 else 'less'} than in all of {year.window[:4]}"
        passages.append(
            f"Exports of mineral fuels (HS 27) have come to {money(fuels.value)} so far, {than} "
            f"({money(year.value)}); that compares two levels and is not a growth rate."
        )
    if not passages:
        return Text(f"By commodity there is nothing to tell: {fuels.reason or 'no chapter changed'}.")
    return Text("\n\n".join(passages))


def _moved_chapters(sheet: Sheet, flow: str) -> list[Fact]:
    """The chapters written for being the most changed, largest first."""
    found = [f for id, f in sheet.items() if id.endswith(f".{flow}.ytd.change_usd") and "hs2" in id]
    found = [f for f in found if f.value]
    return sorted(found, key=lambda f: -abs(f.value))[:3]


def _chapter(fact: Fact) -> str:
    chapter = fact.more["hs2"]
    moved = ("+" if fact.value > 0 else "-") + money(fact.value)
    return f"{wording.chapter(chapter).lower()} (HS {chapter}, {moved})"


def standing(sheet: Sheet) -> Text:
    """Say where the partner ranks, and who else reduced the deficit."""
    s, who = sheet.snapshot, sheet.partner.prose
    parts = []
    rank, before = sheet["goods.deficit.rank"], sheet["goods.deficit.rank.previous_year"]
    if rank.value:
        then = ""
        if before.value:
            then = (
                ", as a year earlier"
                if before.value == rank.value
                else f" ({ordinal(before.value)} a year earlier)"
            )
        parts.append(
            f"The goods deficit with {who} over {wording.span(s.months)} was {_largest(rank.value)} "
            f"of {rank.more['n']} countries{then}."
        )
    else:
        parts.append(f"In goods {who} has no rank: {rank.reason}.")
    rank = sheet["total.deficit.rank"]
    if rank.value:
        parts.append(
            f"In goods and services it was {_largest(rank.value)} of "
            f"{rank.more['universe_source']} in {wording.span(s.quarters)}."
        )
    else:
        parts.append(f"In goods and services there is no rank: {rank.reason}.")
    return Text(" ".join(parts) + "\n\n" + _reducers(sheet))


def _largest(rank: int) -> str:
    return "the largest" if rank == 1 else f"the {ordinal(rank)} largest"


def _reducers(sheet: Sheet) -> str:
    fact, span = sheet["total.reducers"], wording.span(sheet.snapshot.quarters)
    if fact.value is None:
        return f"Who reduced the deficit in goods and services: {fact.reason}."
    countries = len(fact.more["universe"])
    if not fact.value:
        return f"None of the {countries} countries reduced the U.S. deficit in {span}."
    told = [
        f"{entry['prose']} ({percent(entry['reduction_pct'])})"
        if entry["reduction_pct"] is not None
        else f"{entry['prose']} (it became a surplus)"
        for entry in fact.value
    ]
    own = sheet.partner.code in {entry["code"] for entry in fact.value}
    exception = f" {capital(sheet.partner.prose)} is one of these exceptions." if own else ""
    return (
        f"Of the {countries} countries, the U.S. deficit in goods and services shrank with only "
        f"{cardinal(len(fact.value))} in {span}: {series(told)}.{exception}"
    ).replace("only ", "" if 2 * len(fact.value) > countries else "only ")


def since_when(sheet: Sheet) -> Text:
    """Date the turn of the trailing balance, or say that there is no clear one."""
    fact, who = sheet["total.trend.start"], sheet.partner.prose
    if fact.value is None:
        if sheet.value("total.balance.ytd") is None:
            return Text(f"No trend is dated for {who}: {fact.reason}.")
        return Text(
            f"The balance in goods and services with {who}, summed over four quarters, shows no clear "
            f"turning point: no {fact.more['rule'].removeprefix('last ')}.{_evidence(sheet)}"
        )
    turn = wording.period(sheet.snapshot.quarter.__class__(fact.value))
    rising = fact.more["direction"] == "rising"
    return Text(
        f"The balance in goods and services with {who}, summed over four quarters, has been "
        f"{'rising' if rising else 'falling'} since its {'trough' if rising else 'peak'} in {turn}: from "
        f"{a_position(fact.more['turn_usd'])} to {a_position(fact.more['latest_usd'])} in the four "
        f"quarters to {wording.period(sheet.snapshot.quarter)}.{_evidence(sheet)}"
    )


def _evidence(sheet: Sheet) -> str:
    """What the test for a change of slope says, and whether it agrees with the turning point."""
    fact, start = sheet["total.trend.break"], sheet.value("total.trend.start")
    if "p_value" not in fact.more:
        return ""
    p = "p < 0.01" if fact.more["p_value"] < 0.01 else f"p = {fact.more['p_value']:.2f}"
    test = "A test for one change of slope in the last 24 quarters"
    if fact.value is None:
        # no date in the first four quarters is tested
        tested = start and start >= str(pd.Period(fact.window.split("..")[0]) + 4)
        return f"\n\n{test} finds none ({p}).{' It does not confirm the turning point.' if tested else ''}"
    first, last = (wording.period(pd.Period(quarter)) for quarter in fact.more["confidence"])
    slopes = (fact.more[f"slope_{when}_usd"] for when in ("before", "after"))
    before, after = (f"{'rising' if usd > 0 else 'falling'} by {money(usd)}" for usd in slopes)
    weak = "" if p == "p < 0.01" else ", on weak evidence,"
    told = (
        f"\n\n{test} dates one{weak} to {wording.period(pd.Period(fact.value))} ({p}; 95 percent "
        f"confidence set: {first} to {last}), from {before} to {after} a quarter."
    )
    # a sum over four quarters turns about one and a half quarters after its quarters do
    if start and not fact.more["confidence"][0] <= start <= str(pd.Period(fact.more["confidence"][1]) + 2):
        told += " That is another change than the turning point above."
    if not start:
        told += " By the rule above it is no turning point."
    return told
