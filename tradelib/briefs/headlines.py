"""Titles of the charts: the finding of each as one sentence, from the facts."""

import pandas as pd

from tradelib.briefs.commodities import how_it_moved
from tradelib.briefs.factsheet import Sheet, contributor
from tradelib.partners import SUMMED_GROUPS, partner
from tradelib.style import words as wording
from tradelib.style.words import missing, money, ordinal, position

SMALL = 1e8  # dollars, below which a balance is a dot on zero among the largest, and is written out


def moved(what: str, now: float, before: float | None, when: str) -> str:
    """Say what a balance is and what it was a year earlier.

    Parameters
    ----------
    what : str
        With {} where "deficit" or "surplus" goes.
    now, before : float
        Dollars.
    when : str
        The window, with its preposition.

    Examples
    --------
    >>> moved("goods {} with Peru", -2e9, -1e9, "in 2018")
    'The goods deficit with Peru widened to $2.0 billion in 2018, from $1.0 billion a year earlier'
    >>> moved("goods {} with Peru", 5e3, -4e6, "in 2018")
    'The goods balance with Peru moved to a surplus of $5 thousand in 2018, from a deficit of $4.0 million
    a year earlier'
    >>> moved("goods {} with Peru", -2e9, None, "in 2018")
    'The goods deficit with Peru was $2.0 billion in 2018'
    """
    subject, amount = f"The {what.format(position(now))}", money(now) if now else "zero"
    if missing(before) or now == before == 0:
        return f"{subject} was {amount} {when}"
    if position(now) != position(before):
        subject = f"The {what.format('balance')}"
        return f"{subject} moved to {_an_amount(now)} {when}, from {_an_amount(before)} a year earlier"
    if money(now) == money(before):
        return f"{subject} was little changed, at {amount} {when}"
    return f"{subject} {grew(now, before)} to {amount} {when}, from {money(before)} a year earlier"


def _an_amount(usd: float) -> str:
    return f"a {position(usd)} of {money(usd)}" if usd else "zero"


def grew(now: float, before: float) -> str:
    """Say what the gap between exports and imports did, whichever way it goes.

    Examples
    --------
    >>> grew(-2, -1), grew(1, 2)
    ('widened', 'narrowed')
    """
    return "widened" if abs(now) > abs(before) else "narrowed"


def record(sheet: Sheet, months: str, history: pd.Series) -> str:
    """Say since when this year's balance is the largest or smallest, or how it moved.

    A superlative needs three years and one list of members: a group gets the plain change.

    Parameters
    ----------
    sheet : Sheet
    months : str
        "January-July".
    history : Series
        Balances of those months in dollars by year, this year's last.
    """
    year, now, past = history.index[-1], history.iloc[-1], history.iloc[:-1].dropna()
    kind, who = position(now), sheet.partner.prose
    subject = f"The {months} goods {kind} with {who}"
    steady = year - 1 in past.index and position(past[year - 1]) == kind != "balance"
    size = past if now > 0 else -past
    for word, as_much in (("largest", size >= abs(now)), ("smallest", size <= abs(now))):
        rivals = past[as_much]
        if sheet.partner.is_group or not steady or year - max([past.index[0], *rivals.index]) < 3:
            continue
        if rivals.empty:
            return f"{subject} is the {word} on record, in data from {past.index[0]}"
        rival = position(rivals.iloc[-1])
        other = f"the {rival} of " if word == "smallest" and rival not in (kind, "balance") else ""
        return f"{subject} is the {word} since {other}{rivals.index[-1]}"
    before = sheet.snapshot.goods_windows["ytd before"]["balance_usd"].get(sheet.partner.code)
    return moved(f"goods {{}} with {who}", now, before, f"in {wording.span(sheet.snapshot.months)}")


def trend(sheet: Sheet, now: float, before: float | None) -> str:
    """Say how the four-quarter balance in goods and services moved since its turn, or in a year."""
    fact, who = sheet["total.trend.start"], sheet.partner.prose
    if fact.value is None:
        when = f"in the four quarters to {sheet.snapshot.quarter}"
        return moved(f"{{}} with {who} in goods and services", now, before, when)
    then, since = fact.more["turn_usd"], wording.period(pd.Period(fact.value))
    if position(now) != position(then):
        ends = f"from {_an_amount(then)} to {_an_amount(now)}"
        return f"The balance with {who} in goods and services has moved {ends} since {since}"
    subject = f"The {position(now)} with {who} in goods and services has {grew(now, then)}"
    return f"{subject} from {money(then)} to {money(now)} since {since}"


def part(name: str, usd: float) -> str:
    """Name one step of the waterfall by what the flow did; imports count against the balance.

    Examples
    --------
    >>> part("goods_exports", 2.6e9), part("services_imports", -0.7e9), part("rounding", 2e6)
    ('goods exports rose', 'services imports rose', 'rounding')
    """
    if name == "rounding":
        return name
    item, flow = name.split("_")
    rose = usd > 0 if flow == "exports" else usd < 0
    return f"{item} {flow} {'were unchanged' if usd == 0 else 'rose' if rose else 'fell'}"


def why(sheet: Sheet, now: float, change: float, parts: dict[str, float], window: str) -> str:
    """Say how much the balance changed and which flows did most of it."""
    then, whole = now - change, "services_exports" in parts
    what = f"{{}} with {sheet.partner.prose}{' in goods and services' if whole else ''}"
    if change == 0 or position(now) != position(then):
        lead = moved(what, now, then, f"in {window}")
    else:
        lead = f"The {what.format(position(now))} {grew(now, then)} by {money(change)} in {window}"
    helping = {name: usd for name, usd in parts.items() if usd * change > 0}
    order = sorted(helping, key=lambda name: -abs(helping[name]))
    alone = order and abs(helping[order[0]]) >= 0.6 * abs(sum(helping.values()))
    causes = [part(name, helping[name]) for name in order[: 1 if alone else 2]]
    if causes:
        lead += f", {'mainly ' if alone and len(order) > 1 else ''}as {' and '.join(causes)}"
    return (
        lead
        if whole
        else f"Goods only: t{lead[1:].replace('as goods ', 'as ').replace('and goods ', 'and ')}"
    )


def chapters(sheet: Sheet) -> str:
    """Say how the balance by chapter moved, or the one flow, and which chapters did most of it."""
    fact, who = sheet["commodity.hs2.contributions"], sheet.partner.prose
    now, before, change = (fact.more[f"{name}_usd"] for name in ("now", "before", "change"))
    months = wording.span(sheet.snapshot.months)
    if fact.more["covers"] == "both flows":
        what = f"goods {{}} with {who}"
        if change == 0 or position(now) != position(before):
            lead = moved(what, now, before, f"in {months}")
        else:
            lead = f"The {what.format(position(now))} {grew(now, before)} by {money(change)} in {months}"
    else:
        lead = f"{wording.capital(how_it_moved(sheet))} in {months}"
    same_way = [e for e in fact.value if e["hs2"] and e["contribution_usd"] * change > 0]
    sizes = [abs(entry["contribution_usd"]) for entry in same_way]
    alone = sizes and sizes[0] >= 0.6 * sum(sizes)
    causes = [contributor(entry).rsplit(" (", 1)[0] for entry in same_way[: 1 if alone else 2]]
    return f"{lead}, led by {' and '.join(causes)}" if causes else lead


def standing(sheet: Sheet, balances: pd.Series, in_total: bool) -> str:
    """Say where a partner stands among those ranked; for a group, who is first."""
    s, code = sheet.snapshot, sheet.partner.code
    scope = " in goods and services" if in_total else ""
    what, words = ("", wording.span(s.quarters)) if in_total else ("goods ", wording.span(s.months))
    if code not in balances.index:
        first = partner(balances.idxmin())
        return f"The largest U.S. goods deficit in {words} was with {first.prose}, {money(balances.min())}"
    usd, who = balances[code], f"with {sheet.partner.prose}{scope}"
    if usd == 0:
        return f"The U.S. {what}balance {who} was zero in {words}"
    place = sheet.value(f"{'total' if in_total else 'goods'}.deficit.rank") or 1 + int((balances > usd).sum())
    nth = "largest" if place == 1 else f"{ordinal(place)} largest"
    size = f", {money(usd)}," if abs(usd) < SMALL else ""
    return f"The U.S. {what}{position(usd)} {who}{size} is the {nth} among {len(balances)} countries"


def contributions(sheet: Sheet) -> dict[str, float]:
    """Get the parts of the change of the balance: four, or goods alone where services are missing."""
    names = [f"{item}_{flow}" for item in ("goods", "services") for flow in ("exports", "imports")]
    parts = {name: sheet.value(f"total.balance.contribution.{name}") for name in names}
    if any(map(missing, parts.values())):
        changes = {flow: sheet.value(f"goods.{flow}.ytd.change_usd") for flow in ("exports", "imports")}
        known = {flow: usd for flow, usd in changes.items() if not missing(usd)}
        parts = {f"goods_{flow}": usd if flow == "exports" else -usd for flow, usd in known.items()}
    return parts


def membership(sheet: Sheet) -> str:
    """Say whose trade a group's row is; nothing for a single country."""
    if not sheet.partner.is_group:
        return ""
    if sheet.partner.code in SUMMED_GROUPS:
        return f"Sum of the members on {sheet.snapshot.release.default_as_of}."
    return "Members as the publisher counts them in each year."
