"""The marks of the catalogue: what changed since the release before, what was revised, what was audited."""

from dataclasses import dataclass

import pandas as pd

from tradelib.briefs.verbs import LITTLE_PCT
from tradelib.catalogue.entries import Entry
from tradelib.studies.claims import Article, list_articles
from tradelib.studies.ledger import VERDICTS, Line
from tradelib.style.words import day, money, ordinal, period, position, series, signed_money
from tradelib.tables import GOODS, table_info

LARGEST = 15  # ranks worth telling of
YEAR = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on a row: its kind, what it says, and what is told on pointing."""

    kind: str
    text: str
    more: str = ""


def changed(now: Entry, before: Entry) -> Mark | None:
    """Say what is otherwise than in the partner's brief before: the sign, the course, the rank.

    In one year, the year to date is compared. With the release of January that window starts anew, and
    a month would be compared with a year; so across years the balance over twelve months is, which does
    not start anew, and ranks are left out.
    """
    one_year = now.release[:4] == before.release[:4]
    pairs = [(e.balance, e.change) if one_year else _over_twelve_months(e) for e in (now, before)]
    told = [_turn(*pairs, "" if one_year else "12-month "), _move(now.rank, before.rank) if one_year else ""]
    if not any(told):
        return None
    basis = "goods balance, year to date" if one_year else "goods balance over twelve months"
    since = period(pd.Period(before.release, "M"))
    return Mark("changed", f"since {since}: {'; '.join(filter(None, told))}", f"Compared: {basis}")


def _over_twelve_months(entry: Entry) -> tuple[int | None, int | None]:
    """The balance over twelve months and its change on a year earlier."""
    if len(entry.trailing) <= YEAR or entry.trailing[-1] is None:
        return None, None
    now, before = entry.trailing[-1], entry.trailing[-1 - YEAR]
    return now, None if before is None else now - before


def _turn(now: tuple, before: tuple, window: str) -> str:
    if now[0] is None or before[0] is None:
        return ""
    if now[0] * before[0] < 0:
        return f"now a {window}{position(now[0])}"
    courses = [course(*now), course(*before)]
    if None in courses or courses[0] == courses[1]:
        return ""
    return f"{window}{position(now[0])} now {courses[0]}"


def course(balance: int | None, change: int | None) -> str | None:
    """Say whether a balance is "widening" or "narrowing", by its change on a year earlier, in dollars.

    None where the sign turned, hardly anything changed, or one of the two is missing.
    """
    if balance is None or change is None:
        return None
    before = balance - change
    if balance * before <= 0:
        return None
    moved = 100 * (abs(balance) - abs(before)) / abs(before)
    return None if abs(moved) < LITTLE_PCT else "widening" if moved > 0 else "narrowing"


def _move(now: int | None, before: int | None) -> str:
    if now is None or before is None or now == before or min(now, before) > LARGEST:
        return ""
    return f"now {ordinal(now)}, was {ordinal(before)}"


def revised(entry: Entry, newest: dict[str, float], vintage: str) -> Mark | None:
    """Say what the newest country table has for the year to date of a brief, where it would print otherwise.

    `newest` has the balance in goods of the same months by partner, `vintage` is that table's day. None for a
    figure of another basis, and for a group: whose sum it is may have changed.
    """
    info, value = table_info(GOODS), newest.get(entry.code)
    same = (entry.source.get("basis"), entry.source.get("adjustment")) == (info.basis, info.adjustment)
    if not same or entry.kind == "group" or None in (value, entry.balance):
        return None
    if entry.source["vintage"] >= vintage or signed_money(value) == signed_money(entry.balance):
        return None
    gap = f"{'+' if value > entry.balance else '-'}{money(value - entry.balance)}"
    return Mark("revised", f"now {signed_money(value)} (vintage of {vintage})", f"A difference of {gap}")


def audited(article: Article, lines: list[Line]) -> Mark:
    """Count the verdicts on an article's claims, on its day and now; other readings are not counted."""
    own = [line for line in lines if not line.claim.also]
    then = _counted([line.on_the_day.verdict for line in own])
    now = _counted([line.now.verdict for line in own])
    text = f"{article.publisher}, {day(article.published)}: that day {then}; now {now}"
    name = (
        article.id if f"{article.id}.yaml" == article.file and article.id in list_articles() else article.file
    )
    return Mark("audited", text, f"{article.title}: tradelib audit {name}")


def _counted(verdicts: list[str]) -> str:
    counts = [(verdicts.count(one), one) for one in VERDICTS]
    told = [(n, "differ" if one == "differs" and n > 1 else one) for n, one in counts if n]
    return series([f"{n} {one}" for n, one in told])
