"""The catalogue: one page over a folder of reports, that is searched without a server.

It is made of the files of facts, of the newest country table for what was revised since, and of the
claims files for what was audited. The page holds all it needs; its links are relative.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from tqdm import tqdm

from tradelib import balances, loaders
from tradelib.catalogue import marks as making
from tradelib.catalogue.entries import FAILED, Entry, gather
from tradelib.catalogue.marks import Mark
from tradelib.store import files, vintages
from tradelib.studies import ledger
from tradelib.studies.claims import Article, list_articles, load_article
from tradelib.style import words
from tradelib.tables import GOODS
from tradelib.windows import year_to_date

PAGE = "index.html"
WIDTH, HEIGHT, EDGE = 120, 36, 3  # of the drawing, in its own units
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left behind: the page, how many rows and releases it has, and what could not be read."""

    path: Path
    rows: int
    releases: int
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One release of the catalogue: its heading, how its date is known, its rows and their marks."""

    folder: str
    release: str
    month: str
    published: str | None
    how_known: str
    rows: tuple[tuple[Entry, tuple[Mark, ...]], ...]


def build(reports: Path, *, articles: Iterable[str | Path] = (), progress: bool = False) -> Built:
    """Write `index.html` into a folder of reports, or renew it.

    `reports` is a folder, or an address from `files.located`; `articles` are claims files of yours, besides
    the bundled ones. It is an error if there is no such folder, a claims file is wrong, or the page cannot
    be written; a page that was there stays as it was."""
    entries, notices = gather(reports, progress=progress)
    read = [load_article(one) for one in [*list_articles(), *articles]]
    marks = _marks(entries, read, progress)
    sections = _sections(entries, marks)
    page = (
        _environment()
        .get_template("index.html.j2")
        .render(sections=sections, total=len(entries), version=version("tradelib"))
    )
    advice = "Make room, or give another folder of reports."
    files.write_over(reports / PAGE, page.encode(), advice=advice)
    return Built(reports / PAGE, len(entries), len(sections), tuple(notices))


def _marks(entries: list[Entry], articles: list[Article], progress: bool) -> dict[Place, list[Mark]]:
    """The marks of every row by its folder and name."""
    found = [
        (entry, Mark("failed", "the last run did not come to its end"))
        for entry in entries
        if FAILED in entry.files
    ]
    found += [(now, making.changed(now, before)) for now, before in _pairs(entries)]
    newest, sums = _newest_sums({entry.release for entry in entries if entry.source})
    found += [(entry, making.revised(entry, sums.get(entry.release, {}), newest)) for entry in entries]
    for article, wanted in tqdm(_subjects(articles, entries), disable=not progress, unit="article"):
        mark = making.audited(article, ledger.audit(article, as_of="latest"))
        found += [(entry, mark) for entry in wanted]
    marks = defaultdict(list)
    for entry, mark in found:
        marks[entry.folder, entry.name] += [mark] if mark else []
    return marks


def _pairs(entries: list[Entry]) -> list[tuple[Entry, Entry]]:
    """Each brief with the same partner's brief of the release before it in the catalogue."""
    by_partner = defaultdict(dict)
    for entry in entries:
        if entry.source:
            by_partner[entry.code][entry.release] = entry
    ordered = [[briefs[month] for month in sorted(briefs)] for briefs in by_partner.values()]
    return [pair for briefs in ordered for pair in zip(briefs[1:], briefs, strict=False)]


def _newest_sums(months: set[str]) -> tuple[str, dict[str, dict[str, float]]]:
    """The newest country table's day, and by release and partner what it has for the year to date."""
    tables = vintages.list_vintages(GOODS)
    if not tables or not months:
        return "", {}
    newest = max(table.published for table in tables)
    since = min(months)[:4] + "-01"
    goods = loaders.load_goods(as_of=newest, since=since)
    sides = balances.balance(goods).droplevel("item")[["balance_usd"]]
    sums = {
        month: balances.window_sum(sides, year_to_date(month))["balance_usd"].dropna().to_dict()
        for month in months
    }
    return newest.isoformat(), sums


def _subjects(articles: list[Article], entries: list[Entry]) -> list[tuple[Article, list[Entry]]]:
    """Articles that are about a row, each with its rows."""
    rows = defaultdict(list)
    for entry in entries:
        rows[entry.code, entry.release].append(entry)
    found = [(article, rows.get((article.partner.code, article.release))) for article in articles]
    return [(article, wanted) for article, wanted in found if wanted]


def _sections(entries: list[Entry], marks: dict[Place, list[Mark]]) -> list[Section]:
    """The newest release first; in each, the largest deficit first."""
    folders = defaultdict(list)
    for entry in entries:
        folders[entry.folder].append(entry)
    sections = [_section(found, marks) for found in folders.values()]
    return sorted(sections, key=lambda one: (one.release or one.folder, one.folder), reverse=True)


def _section(entries: list[Entry], marks: dict[Place, list[Mark]]) -> Section:
    first = entries[0]
    month = words.period(pd.Period(first.release, "M")) if first.release else "Unknown"
    rows = sorted(entries, key=lambda e: (e.balance is None, e.balance or 0, e.name))
    marked = tuple((entry, tuple(marks.get((entry.folder, entry.name), ()))) for entry in rows)
    return Section(first.folder, first.release, month, first.published, first.how_known, marked)


def _environment() -> Environment:
    """Templates that escape whatever they print."""
    environment = Environment(
        loader=PackageLoader("tradelib.catalogue", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": words.signed_money,
        "ordinal": words.ordinal,
        "day": lambda text: words.day(date.fromisoformat(text)),
        "spark": _spark,
    }
    return environment


def _spark(entry: Entry) -> str:
    """Ten years of the balance over twelve months as a line, told by both its ends."""
    months = pd.period_range(entry.since or "2000-01", periods=len(entry.trailing), freq="M")
    known = [(m, value) for m, value in zip(months, entry.trailing, strict=True) if value is not None]
    ends = [f"{words.signed_money(value)} in {words.period(m)}" for m, value in (*known[:1], *known[-1:])]
    return sparkline(entry.trailing, told=f"From {' to '.join(ends)}")


def sparkline(values: Sequence[float | None], *, told: str, points: int = 30) -> Markup:
    """Draw values as a line the size of a word, over a line at zero, with a dot at the end.

    The values are evenly spaced, None leaves a gap; about so many `points` are drawn, the last among them.
    `told` says what it shows, for those who hear the page, and on pointing. The `<svg>` has three paths:
    zero, the values, and the dot, a line without length and with a round cap; it is empty without values."""
    step = max(1, round(len(values) / points))
    shown = list(values)[::-1][::step][::-1]  # counted back from the last
    known = [value for value in shown if value is not None]
    if not known:
        return Markup("")
    low, high = min(0, *known), max(0, *known)
    places = [None if value is None else _height(value, low, high) for value in shown]
    across = [round(EDGE + n * (WIDTH - 2 * EDGE) / max(1, len(shown) - 1)) for n in range(len(shown))]
    dots = [None if y is None else (x, y) for x, y in zip(across, places, strict=True)]
    x, y = next(dot for dot in reversed(dots) if dot)
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(told)}</title>'
        f'<path d="M0 {_height(0, low, high)}H{WIDTH}"/><path d="{_path(dots)}"/>'
        f'<path d="M{x} {y}h0"/></svg>'
    )


def _height(value: float, low: float, high: float) -> int:
    """Where a value lies, from the top; all zeros lie in the middle."""
    share = (high - value) / (high - low) if high > low else 0.5
    return round(EDGE + share * (HEIGHT - 2 * EDGE))


def _path(dots: list[tuple[int, int] | None]) -> str:
    """The shortest way to write a line: each point by its distance from the one before, each run an `m`."""
    path, pen, drawing = "", (0, 0), False
    for dot in dots:
        if dot:
            path += f"{' ' if drawing else 'm'}{dot[0] - pen[0]} {dot[1] - pen[1]}"
            pen = dot
        drawing = bool(dot)
    return path.replace(" -", "-")
