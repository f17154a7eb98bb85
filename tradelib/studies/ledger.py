"""Then and now: what an article's claims look like on its day, in each later vintage, and today."""

import difflib
import re
from dataclasses import asdict, dataclass, replace
from datetime import date

import pandas as pd

from tradelib import cards, releases
from tradelib.briefs.answers import answer, reaching
from tradelib.briefs.brief import Brief, brief
from tradelib.briefs.fact import Fact, render
from tradelib.briefs.snapshot import Snapshot, take
from tradelib.briefs.total import total_facts
from tradelib.errors import TradelibError
from tradelib.loaders import day_of
from tradelib.partners import Partner
from tradelib.store import vintages
from tradelib.studies.claims import Article, Claim, list_articles, load_article
from tradelib.studies.printed import UNTESTED, VERDICTS, verdict
from tradelib.style.tables import PublishedTable, published
from tradelib.style.words import Text, cardinal, day, lag, series
from tradelib.tables import (
    DETAILS,
    GOODS_SA,
    GOODS_SA_RELEASED,
    LARGE_DETAILS,
    RELEASED,
    TRADE,
    TRADE_YEARS,
)

HEAD = ["Id", "Claim", "Printed", "On the day", "Verdict changed", "Now"]
#: What became of a claim, and the verdicts that say so.
STANDS = ("reproduced", "close")
FATES = {
    "stands": "reproduced or close in the newest vintage",
    "revised away": "reproduced or close in an earlier vintage at hand, not in the newest",
    "never found": "in no vintage at hand",
    "not testable": "no table at hand has it",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A claim's fact in one vintage, and the verdict; `advice` says how to get what is missing."""

    verdict: str
    value: object
    shown: str
    table: str
    vintage: str | None
    vintage_lag_days: int | None
    vintage_method: str | None
    reason: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One claim: on the day of the article, in each later vintage, now, and where the verdict changed."""

    claim: Claim
    on_the_day: Reading
    later: tuple[Reading, ...]
    now: Reading
    changed: Reading | None

    def __repr__(self) -> str:
        then, now = _cell(self.on_the_day), _cell(self.now)
        return f"<Line {self.claim.id}: printed {self.claim.shown}; on the day {then}; now {now}>"

    def _repr_html_(self) -> str:
        claim = self.claim
        rows = [("Printed", cards.safe(claim.shown)), ("On the day", _told(self.on_the_day))]
        rows += [("Changed", _told(self.changed))] if self.changed else []
        title = f"Claim {claim.id} ({claim.fact}, {claim.partner.name})"
        return cards.framed(title, claim.text, [*rows, ("Now", _told(self.now))])


def _told(reading: Reading) -> str:
    """One verdict in HTML: the value, or why there is none, its vintage, and how to get what is missing."""
    origin = f"{reading.table}: none"
    if reading.vintage is not None:
        late = lag(reading.vintage_lag_days, reading.vintage_method)
        origin = f"{reading.table} of {reading.vintage}{f' ({late})' if late else ''}"
    shown = [cards.safe(part) for part in (reading.reason or reading.shown, origin, reading.advice) if part]
    lines = [re.sub("`([^`]+)`", r"<code>\1</code>", part) for part in shown]
    colour = VERDICTS[reading.verdict]
    return f'<b style="color:{colour}">{cards.safe(reading.verdict)}</b>: ' + "<br>".join(lines)


def audit(article: Article, *, as_of: str | date) -> list[Line]:
    """Judge every claim of an article on its day, in every later vintage, and on a later date.

    Parameters
    ----------
    article : Article
        From `load_article`.
    as_of : str or date
        What "now" means: only vintages out by then are looked at; "latest" for all that are at hand.

    Returns
    -------
    list of Line
        One for each claim, in the order of the file.

    Raises
    ------
    TradelibError
        If a claim names a fact that there is not, or the date precedes the article.

    Examples
    --------
    >>> from tradelib.studies.claims import load_article
    >>> lines = audit(load_article("kei-2018-09-05"), as_of=date(2025, 4, 3))
    >>> growth = lines[4]
    >>> growth.on_the_day.verdict, growth.now.verdict, growth.changed.vintage
    ('reproduced', 'close', '2020-10-06')
    """
    as_of = day_of(as_of)
    if as_of < article.published:
        raise TradelibError(
            f"As-of date {as_of} is before the article, which is of {article.published}.",
            f"Give --as-of {article.published} or later, or leave it out.",
        )
    briefs: dict[object, Brief | Snapshot] = {}
    return [_line(article, claim, _facts(article, claim, as_of, briefs)) for claim in article.claims]


def _facts(article: Article, claim: Claim, as_of: date, briefs: dict) -> list[Fact]:
    """A claim's fact on the day of the article, and in each vintage that came out later, the newest last."""
    release, day = releases.release(article.release), article.published
    if claim.question is not None:
        codes = tuple(one.code for one in claim.partners)
        asked = replace(
            claim.question,
            partners=claim.question.partners or codes,
            among=claim.question.among or claim.universe,
        ).over(release.period)
        on = release.default_as_of
        later = [v for v in reaching(asked) if day < v.published <= as_of]
        facts = [answer(asked, day=v.published, on=on, using=v) for v in later]
        return [answer(asked, day=day, on=on), *facts]
    first = _of_brief(article, claim, day, briefs)
    entries = first.value if isinstance(first.value, list) else []
    if first.unit != claim.printed.unit or not all("code" in entry for entry in entries):
        raise _refusal(article, claim, first, [])
    later = [v.published for v in vintages.list_vintages(first.table) if day < v.published <= as_of]
    return [first, *(_of_brief(article, claim, one, briefs) for one in later)]


def _of_brief(article: Article, claim: Claim, day: date, briefs: dict) -> Fact:
    """A fact that only a brief works out; those of the same day, partner and universe are shared."""
    of_total = claim.fact.startswith(("total.", "services."))
    key = (day, claim.partner.code, claim.universe, of_total)
    if key not in briefs:
        if day not in briefs:
            briefs[day] = take(article.release, as_of=day)
        snapshot = briefs[day]
        if claim.universe:
            snapshot = snapshot.listing(releases.parse_date(claim.universe, "universe"))
        briefs[key] = (totals if of_total else brief)(claim.partner, snapshot)
    fact = briefs[key].get(claim.fact)
    if fact is None:
        raise _refusal(article, claim, fact, list(briefs[key]))
    return fact


def totals(partner: Partner, snapshot: Snapshot) -> Brief:
    """Work out the facts of a brief on goods and services; nothing else is read."""
    found = Brief(partner, snapshot, names={})
    total_facts(found)
    return found


def _reading(claim: Claim, fact: Fact) -> Reading:
    """A fact held against what was printed."""
    q, value = claim.question, fact.value
    level = q is not None and not q.measure and not q.test
    judged = verdict(claim.printed, value, undefined=fact.undefined, side=q.side if level and q else "")
    return Reading(
        verdict="differs" if fact.more.get("on_record") else judged,
        value=value,
        shown=render(value, fact.unit) if value is not None else "no value",
        table=fact.table,
        vintage=fact.vintage,
        vintage_lag_days=fact.vintage_lag_days,
        vintage_method=fact.vintage_method,
        reason=fact.reason,
    )


def _refusal(article: Article, claim: Claim, fact: Fact | None, known: list[str]) -> TradelibError:
    where = f"{article.file}:{claim.line}"
    if fact is not None and fact.unit != claim.printed.unit:
        return TradelibError(f"{where}: unit: {claim.fact} is in {fact.unit}, not in {claim.printed.unit}.")
    if fact is not None:
        advice = "A claim of a list names partners; claim the figures of commodities one by one."
        return TradelibError(f"{where}: fact: {claim.fact} is no list of partners.", advice)
    near = difflib.get_close_matches(claim.fact, known, n=3, cutoff=0.3)
    return TradelibError(
        f"{where}: fact: there is no fact {claim.fact!r}.",
        f"Near: {', '.join(near)}." if near else "",
        "All of them: `tradelib facts`, or the guide on facts.",
    )


def _line(article: Article, claim: Claim, facts: list[Fact]) -> Line:
    """Put the readings of all days together, one for each vintage."""
    first, *others = (_reading(claim, fact) for fact in facts)
    newest = first if first.vintage_method == "superseded" else None
    if first.vintage_method in ("later", "superseded"):  # never a verdict in real time
        reason = (
            f"the earliest vintage at hand is of {first.vintage}, {first.vintage_lag_days or 0:,} days later"
        )
        if first.vintage_method == "superseded":
            reason = f"an annual revision lies between the vintage of {first.vintage} and that day"
        first = replace(first, verdict=UNTESTED, reason=reason)
    if first.verdict == UNTESTED:
        first = replace(first, advice=_how_to_get(first.table, article))
    later: dict[str | None, Reading] = {}
    for reading in others:
        if first.verdict == UNTESTED or reading.vintage != first.vintage:
            later.setdefault(reading.vintage, reading)
    readings = tuple(later.values())
    changed = None
    if first.verdict != UNTESTED:
        changed = next((reading for reading in readings if reading.verdict != first.verdict), None)
    return Line(claim, first, readings, readings[-1] if readings else newest or first, changed)


def _how_to_get(table: str, article: Article) -> str:
    """Say which file of that day is missing, and the command that takes it in."""
    exhibits = dict.fromkeys((TRADE, TRADE_YEARS, RELEASED), 20) | dict.fromkeys(
        (GOODS_SA, GOODS_SA_RELEASED), 19
    )
    if table in exhibits:
        told = f"Exhibit {exhibits[table]} of that release"
        return f"{told}: `tradelib fetch ft900 --release {article.release}`"
    kind = table.removesuffix("_nsa").rsplit("_", 1)[-1]
    if kind in ("hs2", *DETAILS, *LARGE_DETAILS):
        revised = "the API gives revised figures: they answer for now, not for that day"
        return f"`tradelib fetch {kind}` ({revised})"
    return f"{table} as of {article.published}: `tradelib ingest FILE --published {article.published}`"


def fate(line: Line) -> str:
    """What became of a claim: one of `FATES`."""
    every = [reading.verdict for reading in (line.on_the_day, *line.later)]
    if line.now.verdict in STANDS:
        return "stands"
    if any(one in STANDS for one in every):
        return "revised away"
    return "never found" if any(one != UNTESTED for one in every) else "not testable"


def to_dict(article: Article, lines: list[Line], as_of: date) -> dict:
    """Return the ledger as plain JSON values, as `tradelib audit --format json` prints it."""
    about = {"id": article.id, "title": article.title, "publisher": article.publisher}
    about |= {"address": article.address, "published": str(article.published), "release": article.release}
    about |= {"as_of": str(as_of)}
    return about | {"partner": article.partner.code, "claims": [_entry(line) for line in lines]}


def _entry(line: Line) -> dict:
    claim = line.claim
    return {
        "id": claim.id,
        "claim": claim.text,
        "unit": claim.printed.unit,
        "printed": claim.shown,
        "rounding": claim.printed.rounding,
        "fact": claim.fact,
        "partner": "+".join(one.code for one in claim.partners),
        "universe": claim.universe,
        "fate": fate(line),
        "on_the_day": asdict(line.on_the_day),
        "later": [asdict(reading) for reading in line.later],
        "now": asdict(line.now),
        "changed": line.changed.vintage if line.changed else None,
    }


def rows(lines: list[Line]) -> list[dict[str, str]]:
    """Return the ledger as rows of text: what was printed, on the day, where it changed, now."""
    return [
        {
            "id": line.claim.id,
            "claim": line.claim.text,
            "printed": line.claim.shown,
            "on the day": _cell(line.on_the_day),
            "verdict changed": f"{line.changed.vintage}: {line.changed.verdict}" if line.changed else "",
            "now": _cell(line.now),
        }
        for line in lines
    ]


def _cell(reading: Reading) -> str:
    if reading.verdict == UNTESTED:
        return UNTESTED
    method = ", reconstructed" if reading.vintage_method == "reconstructed" else ""
    return f"{reading.verdict}: {_short(reading)} ({reading.vintage}{method})"


def _short(reading: Reading) -> str:
    """A list as its names only; anything else as rendered."""
    if isinstance(reading.value, list):
        return series([entry["prose"] for entry in reading.value]) or "none"
    return reading.shown if reading.value is not None else reading.reason


def missing(lines: list[Line]) -> dict[str, list[str]]:
    """Say what cannot be tested on the day, and how to get the data: claim ids by advice."""
    wanted = {}
    for line in lines:
        if line.on_the_day.verdict == UNTESTED:
            told = f"{line.on_the_day.reason}. To get it: {line.on_the_day.advice}"
            wanted.setdefault(told, []).append(line.claim.id)
    return wanted


def summary(article: Article, lines: list[Line]) -> Text:
    """Count the verdicts in one or two sentences; other readings of a claim are not counted."""
    own = [line for line in lines if not line.claim.also]
    today = _counted([line.now.verdict for line in own])
    then = _counted([line.on_the_day.verdict for line in own])
    changed = [line.claim.id for line in own if line.changed]
    told = f" Since then the verdict has changed for {series(changed)}." if changed else ""
    return Text(
        f"Of the {cardinal(len(own))} claims of {day(article.published)}, on the data of that day {then}. "
        f"In the newest vintages {today}.{told}"
    )


def _counted(verdicts: list[str]) -> str:
    verbs = dict(zip(VERDICTS, ("reproduced", "close", "different", "reversed", "not testable"), strict=True))
    counts = [(verdicts.count(one), word) for one, word in verbs.items()]
    return series([f"{cardinal(n)} {'is' if n == 1 else 'are'} {word}" for n, word in counts if n])


def table(lines: list[Line]) -> PublishedTable:
    """Return the ledger as a table for a notebook."""
    return published(pd.DataFrame(rows(lines)).set_axis(HEAD, axis=1))


def articles_on(article: str, brief: Brief) -> list[Article]:
    """Return the article asked for, or all bundled ones on the partner and release of a brief, by its day."""
    if article:
        return [load_article(article)]
    found = map(load_article, list_articles())
    about = (brief.partner.code, brief.snapshot.release.month)
    return [one for one in found if (one.partner.code, one.release) == about and one.published <= brief.as_of]


def audits(article: str, brief: Brief) -> list[tuple[Article, list[Line]]]:
    """Audit the articles of `articles_on` as of the day of the brief."""
    return [(one, audit(one, as_of=brief.as_of)) for one in articles_on(article, brief)]


def summaries(audited: list[tuple[Article, list[Line]]]) -> Text:
    """Say for each article how its claims stand."""
    if not audited:
        return Text(
            "No bundled article of that day or before is on this partner and release; a file of yours can be."
        )
    told = [f"**{a.publisher}, {day(a.published)}: {a.title}.** {summary(a, lines)}" for a, lines in audited]
    return Text("\n\n".join(told))


def tables(audited: list[tuple[Article, list[Line]]]) -> Text:
    """Return the ledgers one below the other, each with what would be needed to test the rest."""
    parts = []
    for _, lines in audited:
        parts.append(table(lines).to_markdown())
        parts += [f"- {', '.join(ids)}, on the day: {reason}" for reason, ids in missing(lines).items()]
    return Text("\n\n".join(parts))
