"""Then and now: what an article's claims look like on its day, in each later vintage, and today."""

import difflib
import re
from dataclasses import asdict, dataclass, replace
from datetime import date

import pandas as pd

from tradelib import cards
from tradelib.briefs.brief import Brief, brief
from tradelib.briefs.fact import Fact, render
from tradelib.briefs.snapshot import Snapshot, take
from tradelib.errors import TradelibError
from tradelib.loaders import day_of
from tradelib.sources.publishers import find_source
from tradelib.store import vintages
from tradelib.studies.claims import Article, Claim, list_articles, load_article
from tradelib.style.tables import PublishedTable, published
from tradelib.style.words import Text, cardinal, day, lag, series
from tradelib.tables import RELEASED, TRADE

#: With colours that can be read on white and on a dark theme; the word says it too.
VERDICTS = {
    "reproduced": "#2B8A63",
    "close": "#3F83B5",
    "differs": "#B36B00",
    "reversed": "#D55E00",
    "cannot be tested": "#7A7A7A",
}
UNTESTED = "cannot be tested"
HEAD = ["Id", "Claim", "Printed", "On the day", "Verdict changed", "Now"]


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


def verdict(claim: Claim, value, *, undefined: bool = False) -> str:
    """Judge a value by rule.

    "reproduced": the value rounds to the printed one (a period within the printed span, the same list, the
    same truth). "close": within twice the printed rounding (one rank, one period). "reversed": the sign, or
    the truth, has changed, or the data are `undefined`: they say that the question does not arise. Else
    "differs"; "cannot be tested" where there is no value.
    """
    if undefined:
        return "reversed"
    if value is None:
        return UNTESTED
    if claim.unit == "bool":
        return "reproduced" if value == claim.printed else "reversed"
    if claim.unit == "list":
        return _of_lists(claim, {entry["code"] for entry in value})
    if claim.unit in ("month", "quarter"):
        printed = claim.printed
        period = pd.Period(value, printed.end.freq)
        gap = max((printed.start - period).n, (period - printed.end).n, 0)
        return "reproduced" if gap == 0 else "close" if gap == 1 else "differs"
    gap, slack = abs(value - claim.printed), 1e-9 * abs(claim.printed)
    if gap <= claim.rounding / 2 + slack:
        return "reproduced"
    if value * claim.printed < 0:
        return "reversed"
    return "close" if gap <= 2 * claim.rounding + slack else "differs"


def _of_lists(claim: Claim, found: set[str]) -> str:
    held = claim.printed <= found if claim.match == "includes" else claim.printed == found
    return "reproduced" if held else "differs" if claim.printed & found else "reversed"


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
    published = {v.published for v in vintages.list_vintages()}
    days = [article.published, *sorted(d for d in published if article.published < d <= as_of)]
    snapshots = {one: take(article.release, as_of=one) for one in days}
    briefs = {}
    return [
        _line(article, claim, [_reading(article, claim, snapshots[d], briefs) for d in days])
        for claim in article.claims
    ]


def _reading(article: Article, claim: Claim, snapshot: Snapshot, briefs: dict) -> Reading:
    """One claim's fact as of one day; briefs of the same day, partner and universe are shared."""
    key = (snapshot.as_of, claim.partner.code, claim.universe)
    if key not in briefs:
        other = replace(snapshot, universe_day=claim.universe) if claim.universe else snapshot
        briefs[key] = brief(claim.partner, other)
    fact = briefs[key].get(claim.fact)
    partners = not isinstance(fact and fact.value, list) or all("code" in entry for entry in fact.value)
    if fact is None or fact.unit != claim.unit or not partners:
        raise _refusal(article, claim, fact, list(briefs[key]))
    return Reading(
        verdict=verdict(claim, fact.value, undefined=fact.undefined),
        value=fact.value,
        shown=render(fact.value, fact.unit) if fact.value is not None else "no value",
        table=fact.table,
        vintage=fact.vintage,
        vintage_lag_days=fact.vintage_lag_days,
        vintage_method=fact.vintage_method,
        reason=fact.reason,
    )


def _refusal(article: Article, claim: Claim, fact: Fact | None, known: list[str]) -> TradelibError:
    where = f"{article.file}:{claim.line}"
    if fact is not None and fact.unit != claim.unit:
        return TradelibError(f"{where}: unit: {claim.fact} is in {fact.unit}, not in {claim.unit}.")
    if fact is not None:
        advice = "A claim of a list names partners; claim the figures of commodities one by one."
        return TradelibError(f"{where}: fact: {claim.fact} is no list of partners.", advice)
    near = difflib.get_close_matches(claim.fact, known, n=3, cutoff=0.3)
    return TradelibError(
        f"{where}: fact: there is no fact {claim.fact!r}.",
        f"Near: {', '.join(near)}." if near else "",
        "All of them: `tradelib facts`, or the README.",
    )


def _line(article: Article, claim: Claim, readings: list[Reading]) -> Line:
    """Put the readings of all days together, one for each vintage."""
    first = readings[0]
    if first.vintage_method == "later":  # never a verdict in real time
        reason = f"the earliest vintage at hand is of {first.vintage}, {first.vintage_lag_days:,} days later"
        first = replace(first, verdict=UNTESTED, reason=reason)
    if first.verdict == UNTESTED:
        first = replace(first, advice=_how_to_get(first.table, article))
    later = {}
    for reading in readings[1:]:
        known = first.verdict != UNTESTED and reading.vintage == first.vintage
        if reading.vintage_method == "published" and not known:
            later.setdefault(reading.vintage, reading)
    later = tuple(later.values())
    changed = None
    if first.verdict != UNTESTED:
        changed = next((reading for reading in later if reading.verdict != first.verdict), None)
    return Line(claim, first, later, later[-1] if later else first, changed)


def _how_to_get(table: str, article: Article) -> str:
    """Say which file of that day is missing, and the command that takes it in."""
    if table in (TRADE, RELEASED):
        return f"Exhibit 20 of that release: `tradelib fetch ft900 --release {article.release}`"
    source = find_source(table)
    if source.kind == "census-api":
        revised = "the API gives revised figures: they answer for now, not for that day"
        return f"`tradelib fetch {source.name}` ({revised})"
    return f"{table} as of {article.published}: `tradelib ingest FILE --published {article.published}`"


def to_dict(article: Article, lines: list[Line], as_of: date) -> dict:
    """Return the ledger as plain JSON values, as `tradelib audit --format json` prints it."""
    about = {"id": article.id, "title": article.title, "publisher": article.publisher}
    about |= {"published": str(article.published), "release": article.release, "as_of": str(as_of)}
    return about | {"partner": article.partner.code, "claims": [_entry(line) for line in lines]}


def _entry(line: Line) -> dict:
    claim = line.claim
    return {
        "id": claim.id,
        "claim": claim.text,
        "unit": claim.unit,
        "printed": claim.shown,
        "rounding": claim.rounding,
        "fact": claim.fact,
        "partner": claim.partner.code,
        "universe": str(claim.universe) if claim.universe else None,
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
    """Return the article asked for, or all bundled ones on the partner and release of a brief."""
    if article:
        return [load_article(article)]
    found = map(load_article, list_articles())
    about = (brief.partner.code, brief.snapshot.release.month)
    return [one for one in found if (one.partner.code, one.release) == about]


def audits(article: str, brief: Brief) -> list[tuple[Article, list[Line]]]:
    """Audit the articles of `articles_on` as of the day of the brief."""
    return [(one, audit(one, as_of=brief.as_of)) for one in articles_on(article, brief)]


def summaries(audited: list[tuple[Article, list[Line]]]) -> Text:
    """Say for each article how its claims stand."""
    if not audited:
        return Text("No bundled claims file is about this partner and release; a YAML file of yours can be.")
    told = [f"**{a.publisher}, {day(a.published)}: {a.title}.** {summary(a, lines)}" for a, lines in audited]
    return Text("\n\n".join(told))


def tables(audited: list[tuple[Article, list[Line]]]) -> Text:
    """Return the ledgers one below the other, each with what would be needed to test the rest."""
    parts = []
    for _, lines in audited:
        parts.append(table(lines).to_markdown())
        parts += [f"- {', '.join(ids)}, on the day: {reason}" for reason, ids in missing(lines).items()]
    return Text("\n\n".join(parts))
