"""What changed between two briefs of a partner, and why: each difference split exactly into its causes.

The two are a release as of a day each, or what was kept of two runs. The way from the old figure to the new
is walked in steps, in each of which one thing changes; the figure is worked out anew after each:

1. *method*: the old release in the old vintages, by the tradelib at hand instead of the one that made it
2. *revision*: the old release, in the new vintages
3. *new period*: the new release, in the new vintages, with the members and the universe of the old one's day
4. *membership or universe*: the same, with those of the new one's day
5. *method*: what the new one says, where another tradelib made it

The parts are the differences between neighbours, so that they add to the whole by construction. Where a
new period is read from another table than the old one, the difference is by *another table*; where a figure
cannot be had on the way, what cannot be told apart is *not separable*.
"""

import ast
import difflib
import itertools
import json
import math
import multiprocessing
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property, partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from tqdm import tqdm

from tradelib import loaders
from tradelib.briefs import charts
from tradelib.briefs.brief import Brief, brief
from tradelib.briefs.fact import FACTS_MIME, Fact
from tradelib.briefs.selection import Selection
from tradelib.briefs.sentences import say, title
from tradelib.briefs.snapshot import Snapshot, covered_partners, take
from tradelib.briefs.universe import universe
from tradelib.errors import TradelibError
from tradelib.partners import Partner, members, partner, resolve
from tradelib.store import files, vintages
from tradelib.studies.study import Study
from tradelib.style import words
from tradelib.style.tables import PublishedTable, published
from tradelib.tables import GOODS, TARIFFS, TRADE, TRADE_YEARS, table_info

REVISION, PERIOD, MEMBERS, METHOD = "revision", "new period", "membership or universe", "method"
TABLE, UNSPLIT = "another table", "not separable"
CAUSES = (PERIOD, REVISION, MEMBERS, METHOD, TABLE, UNSPLIT)
HEADLINE, FEW = "headline", 20  # the cell that says the finding; partners for whom a fork does not pay
DIGITS = {"pct": 2, "": 0}
NUMERIC = ("USD", "percent", "points", "rank", "count")
#: Figures that stand beside a fact, by the end of their names, and their units.
BESIDE = {"_usd": "USD", "_pct": "percent", "n": "count"}
#: What tells a point of a series or chart from a fact, in its id.
POINT = re.compile(r"@|(?:, |: )(?=[^,:]*$)")
#: The cells of the brief that a page of changes leaves out: titles and notes.
NOTES = ("title", "figures", "stand", "flags", "how-to-read")
HERE, LOG = Path(__file__).parents[1], "CHANGELOG.md"
FACTS = ".facts.json"
#: Where one sentence of a passage ends.
SENTENCE = re.compile(r"\n+|(?<!U\.S)(?<!St)(?<=[.!?]) +(?=[A-Z])")
#: A word that names a month or a number.
WHEN = re.compile(rf"{'|'.join(words.MONTHS)}|\\W*\\d")
ENDS = re.compile(r"(\.facts\.json|\.html|\.ipynb)$")


class Figure(NamedTuple):
    """One figure of one brief: a fact, a number beside a fact, or a point of a series."""

    value: object
    unit: str
    window: str
    table: str
    vintage: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that changed.

    `parts` is by cause, in the unit of the figure; empty where there is no difference, because one of the two
    is missing or no number. `causes` are the steps in which it changed.
    """

    id: str
    old: Figure | None
    new: Figure | None
    parts: dict[str, float] = field(default_factory=dict)
    causes: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of the figure."""
        return (self.new or self.old).unit

    @property
    def difference(self) -> float | None:
        """The new value less the old one; None where there is none."""
        return self.new.value - self.old.value if self.parts else None

    def to_dict(self) -> dict:
        """Return it as plain JSON values."""
        sides = {"old": self.old, "new": self.new}
        told = {name: None if one is None else one.value for name, one in sides.items()}
        for name in ("window", "table", "vintage"):
            told |= {
                f"{side}_{name}": None if one is None else getattr(one, name) for side, one in sides.items()
            }
        told |= {"difference": self.difference, "parts": self.parts, "causes": list(self.causes)}
        return {"id": self.id, "unit": self.unit, **told}


# --- the comparison, which is pure ----------------------------------------------------------------


def figures(facts: Mapping[str, Fact | dict], series: Mapping[str, dict] | None = None) -> dict[str, Figure]:
    """Read the figures of a brief, or of its file: facts, the numbers beside them, and points of series."""
    found = {}
    for id, fact in facts.items():
        about = fact if isinstance(fact, dict) else {name: getattr(fact, name) for name in Figure._fields}
        one = Figure(*(about.get(name) for name in Figure._fields))
        found[id] = one
        for name, value in (fact if isinstance(fact, dict) else fact.more).items():
            end = next((end for end in BESIDE if name == end or (end != "n" and name.endswith(end))), None)
            if end and _is_number(value):
                found[f"{id}.{name}"] = one._replace(value=value, unit=BESIDE[end], text="")
    for id, told in (series or {}).items():
        periods = pd.period_range(told["since"], periods=len(told["values"]), freq=told["freq"]).astype(str)
        for period, value in zip(periods, told["values"], strict=True):
            found[f"{id}@{period}"] = Figure(value, told["unit"], period, told["table"], told["vintage"], "")
    return found


def compare(steps: Sequence[tuple[str, Mapping[str, Figure]]]) -> list[Change]:
    """Compare the figures at the two ends of a way, and split each difference by its steps.

    A step is the cause that led to it and the figures after it; the first has no cause. A step at which a
    figure is missing is passed over for that figure.
    """
    first, last = steps[0][1], steps[-1][1]
    found = []
    for id in dict.fromkeys([*last, *first]):
        old, new = (_there(side.get(id)) for side in (first, last))
        if _same(old and old.value, new and new.value):
            continue
        way = [(cause, _there(at.get(id))) for cause, at in steps]
        if old and new and all(_is_number(one.value) and one.unit in NUMERIC for one in (old, new)):
            parts = _parts(way)
            found.append(Change(id, old, new, parts, tuple(parts)))
        else:
            found.append(Change(id, old, new, causes=_turns(way)))
    return found


def _there(figure: Figure | None) -> Figure | None:
    return None if figure is None or words.missing(figure.value) else figure


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _same(one: object, other: object) -> bool:
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9)
    return one == other or json.dumps(one, default=str) == json.dumps(other, default=str)


def _parts(way: Sequence[tuple[str, Figure | None]]) -> dict[str, float]:
    """The differences between the figures along a way, by cause, in the order of `CAUSES`."""
    parts, passed, at = dict.fromkeys(CAUSES, 0), [], way[0][1]
    for cause, figure in way[1:]:
        passed.append(cause)
        if figure is not None:
            parts[_cause(passed, at, figure)] += figure.value - at.value
            passed, at = [], figure
    return {cause: part for cause, part in parts.items() if abs(part) > 1e-9}


def _cause(passed: Sequence[str], old: Figure, new: Figure) -> str:
    """What a difference is due to, where some steps in between have no figure."""
    tables = [TRADE if one.table == TRADE_YEARS else one.table for one in (old, new)]  # of one workbook
    if tables[0] != tables[1] and METHOD not in passed:
        return REVISION if passed == [REVISION] and _alike(*tables) else TABLE
    if len(passed) == 1:
        return passed[0]
    if old.vintage == new.vintage and old.window == new.window:
        return METHOD if METHOD in passed else MEMBERS
    if old.window == new.window:
        return UNSPLIT if METHOD in passed else REVISION
    return PERIOD if old.vintage == new.vintage and METHOD not in passed else UNSPLIT


def _alike(*names: str) -> bool:
    """Whether tables hold the same statistic: an exhibit of a release, and the long table after it."""
    infos = [table_info(name) for name in names]
    return len({(info.basis, info.adjustment, info.freq) for info in infos}) == 1


def _turns(way: Sequence[tuple[str, Figure | None]]) -> tuple[str, ...]:
    """The causes of the steps in which something that is no number, or is missing at an end, changed."""
    values = [None if figure is None else figure.value for _, figure in way]
    pairs = zip(way[1:], values[1:], values, strict=False)
    return tuple(dict.fromkeys(cause for (cause, _), now, before in pairs if not _same(now, before)))


# --- the two sides --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: a release as of a day, and what was kept of it, by partner."""

    told: str
    release: str
    as_of: date
    kept: dict[str, dict] = field(default_factory=dict, repr=False)
    paths: dict[str, Path] = field(default_factory=dict, repr=False)

    @cached_property
    def snapshot(self) -> Snapshot | None:
        """The tables it rests on; None where a vintage that a kept brief names is not at hand."""
        if not self.kept:
            return take(self.release, as_of=self.as_of)
        sources = _sources(next(iter(self.kept.values())))
        return sources and Snapshot(loaders.find_release(self.release), self.as_of, sources, {})

    @classmethod
    def of(cls, brief: Brief) -> "Side":
        """The side of a brief that is at hand."""
        found = cls(brief.snapshot.release.month, brief.snapshot.release.month, brief.as_of)
        found.__dict__["snapshot"] = brief.snapshot  # it need not be taken again
        return found

    @property
    def version(self) -> str:
        """The version of tradelib that made what was kept; empty where nothing was."""
        made = next(iter(self.kept.values()), {}).get("tradelib", {})
        return made.get("version", "") if isinstance(made, dict) else ""


def side(text: str) -> Side:
    """Read one side: "2024-08", "2018-07@2025-04-03", a page, its file of facts, or a folder of them."""
    path = files.located(text)
    if ENDS.search(text) or path.is_dir():
        return _kept(text, path)
    release, _, day = text.partition("@")
    found = loaders.find_release(release)
    return Side(text, found.month, loaders.day_of(day, release=found) if day else found.default_as_of)


def _kept(text: str, path: Path) -> Side:
    """What was kept of a run, or of all runs in a folder that are of the release and day of the first."""
    single = not path.is_dir()
    paths = [path.with_name(ENDS.sub(FACTS, path.name))] if single else sorted(path.glob(f"*{FACTS}"))
    kept, places, about = {}, {}, None
    for one in paths:
        try:
            found = json.loads(files.read_kept(one))
            subject = found["release"], date.fromisoformat(found["as_of"])
            who = partner(found["partner"]["code"])
            right = all("value" in fact for fact in found["facts"].values())
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            right = False
        if right and (single or one.name.removesuffix(FACTS) == who.slug) and about in (None, subject):
            kept[who.code], places[who.code], about = found, one, subject
        elif single:
            raise TradelibError(f"{one} is no file of facts.", "Give that of a brief: PARTNER.facts.json.")
    if not kept:
        raise TradelibError(f"There are no briefs in {text}.", "Give a folder such as reports/2024-10-08.")
    return Side(text, *about, kept, places)


def _sources(document: dict) -> dict[str, vintages.Vintage]:
    """The vintages that a kept brief rests on; empty where one is not at hand as it was."""
    record = document.get("tradelib") or {}
    wanted = {one["table"]: (one["published"], one.get("sha256")) for one in record.get("vintages", [])}
    facts = document["facts"].values()
    wanted = wanted or {f["table"]: (f["vintage"], None) for f in facts if f.get("vintage")}
    found = {}
    for table, (day, mark) in wanted.items():
        for held in vintages.list_vintages(table):
            if held.published.isoformat() == day and mark in (None, held.sha256):
                found[table] = held
    return found if wanted.keys() == found.keys() else {}


# --- the way between them -------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """The snapshots from an old side to a new one; facts are worked out once for each."""

    old: Side
    new: Side

    @cached_property
    def revised(self) -> Snapshot | None:
        """The old release in the new vintages; None where they do not hold it."""
        old, new = self.old.snapshot, self.new.snapshot
        if old is None or new is None:
            return None
        chosen = Selection(new.sources, new.absent).carried(old.release)
        if old.release == new.release:
            return new
        if _marks(chosen.sources) == _marks(old.sources):
            return old
        if not {GOODS, TARIFFS} & set(chosen.sources):
            return None
        return Snapshot(old.release, new.as_of, chosen.sources, chosen.absent)

    @cached_property
    def before_members(self) -> Snapshot | None:
        """The new release with the members and the universe of the old one's day; None where not at hand."""
        new = self.new.snapshot
        if self.old.snapshot is None or new is None:
            return None
        return replace(new, universe_day=self._days[0], members_on=self._days[0])

    @cached_property
    def _days(self) -> tuple[date, date]:
        both = (loaders.find_release(side.release) for side in (self.old, self.new))
        return tuple(found.default_as_of for found in both)

    @cached_property
    def _universes(self) -> list[set[str]]:
        return [set(universe(day)[0]) for day in self._days]

    def stations(self, who: Partner) -> list[tuple[str, Snapshot | None, dict | None]]:
        """The causes along the way, each with the snapshot after it or what was kept."""
        (listed, listed_now), counted = self._universes, [who.code]
        if who.is_group:
            counted = [set(members(who.code, day)) for day in self._days]
        other = listed != listed_now or counted[0] != counted[-1]
        moved = self.before_members if other else self.new.snapshot
        steps = [("", self.old.snapshot, None), (REVISION, self.revised, None)]
        steps += [(PERIOD, moved, None), (MEMBERS, self.new.snapshot, None)]
        if self.old.kept:
            steps = [("", None, self.old.kept[who.code]), (METHOD, *steps[0][1:]), *steps[1:]]
        return steps + ([(METHOD, None, self.new.kept[who.code])] if self.new.kept else [])

    def changes(self, who: Partner, *, also=None, briefs: dict[int, Brief] | None = None) -> list[Change]:
        """Say what changed for a partner; `also` adds figures of a brief, such as those of its charts.

        The briefs that it takes are left in `briefs`, by the identity of their snapshots.
        """
        known = {} if briefs is None else briefs
        read: dict[int, dict[str, Figure]] = {}

        def worked_out(snapshot: Snapshot | None) -> dict[str, Figure]:
            if snapshot is None:
                return {}
            place = id(snapshot)
            if place not in read:
                found = known[place] = brief(who, snapshot)
                read[place] = figures(found, found.series()) | (also(found) if also else {})
            return read[place]

        return compare(
            [
                (cause, figures(kept["facts"], kept.get("series")) if kept else worked_out(snapshot))
                for cause, snapshot, kept in self.stations(who)
            ]
        )

    @cached_property
    def method(self) -> list[str]:
        """What the changelog tells of method since the version that made an older side; of kept ones only."""
        made = {one.version for one in (self.old, self.new) if one.kept}
        return _methods(min(made)) if made else []

    def partners(self) -> list[str]:
        """The codes of all partners that both sides have."""
        sides = [
            list(side.kept) if side.kept else covered_partners(side.snapshot) for side in (self.old, self.new)
        ]
        return [code for code in sides[1] if code in set(sides[0])]


def _methods(since: str) -> list[str]:
    """The lines under Method of all sections of the changelog above that of a version."""
    path = next((folder / LOG for folder in (HERE, HERE.parent) if (folder / LOG).is_file()), None)
    found = []
    for section in re.split(r"^## ", path.read_text(encoding="utf-8") if path else "", flags=re.MULTILINE)[
        1:
    ]:
        if since and section.startswith(since):
            break
        part = re.search(r"^### Method\n(.*?)(?=^### |\Z)", section, re.MULTILINE | re.DOTALL)
        lines = re.split(r"^- ", part[1] if part else "", flags=re.MULTILINE)
        found += [" ".join(line.split()) for line in lines if line.strip()]
    return found


def _marks(sources: Mapping[str, vintages.Vintage]) -> dict[str, str]:
    return {table: vintage.sha256 for table, vintage in sources.items()}


# --- sentences, and the figures of charts ---------------------------------------------------------


@cache
def calls(notebook: str) -> dict[str, tuple[str, str]]:
    """The cells of a notebook that say or draw something of the brief: what is called, and its text."""
    found = {}
    for cell in json.loads(notebook)["cells"]:
        source = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
        last = (ast.parse(source).body or [None])[-1]
        call = getattr(last, "value", None)
        if isinstance(call, ast.Call) and len(call.args) + len(call.keywords) == 2:
            text = call.args[-1] if len(call.args) == 2 else call.keywords[0].value
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[cell["id"]] = ast.unparse(call.func), text.value
    return found


def texts(found: Brief, notebook: str, *, only: Sequence[str] = ()) -> dict[str, str]:
    """What a notebook of the brief says, by cell: its passages, and the titles of its figures."""
    told = {}
    for id, (call, text) in calls(notebook).items():
        if not only or id in only:
            told[id] = str(say(found, text)) if call == "tl.say" else title(found, text)
    return told


def texts_kept(book: dict) -> dict[str, str]:
    """What a finished notebook says, by cell."""
    told = {}
    for cell in book["cells"]:
        shown = [out.get("data", {}) for out in cell.get("outputs", [])]
        said = [one["text/plain"] for one in shown if FACTS_MIME in one and "text/markdown" in one]
        said += [one["text/plain"] for one in shown if "image/png" in one]
        if said:
            told[cell["id"]] = "\n".join(text if isinstance(text, str) else "".join(text) for text in said)
    return told


def rewritten(old: Mapping[str, str], new: Mapping[str, str]) -> list[dict]:
    """The sentences that changed, by cell: what was said, and what is said now; empty where nothing is."""
    found = []
    for cell in dict.fromkeys([*new, *old]):
        before, now = ([s for s in SENTENCE.split(side.get(cell, "")) if s] for side in (old, new))
        for kind, a, b, c, d in difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
            if kind != "equal":
                pairs = _side_by_side(before[a:b], now[c:d])
                found += [{"cell": cell, "old": was, "new": is_now} for was, is_now in pairs]
    return found


def _side_by_side(before: Sequence[str], now: Sequence[str]) -> list[tuple[str, str]]:
    """Pair sentences that begin alike; those between them only where they are as many."""
    pairs, begun = [], ([_begins(sentence) for sentence in side] for side in (before, now))
    for _, a, b, c, d in difflib.SequenceMatcher(None, *begun, autojunk=False).get_opcodes():
        if b - a == d - c:
            pairs += [two for two in zip(before[a:b], now[c:d], strict=True) if two[0] != two[1]]
        else:
            pairs += [(was, "") for was in before[a:b]] + [("", is_now) for is_now in now[c:d]]
    return pairs


def _begins(sentence: str) -> str:
    """The first two words of a sentence that name no month and no number."""
    return " ".join([word for word in sentence.split() if not WHEN.match(word)][:2])


def drawn(found: Brief, notebook: str) -> dict[str, Figure]:
    """The figures of the charts of a notebook: points of lines, bars by year, and dots by country."""
    points = {}
    for id, (call, _) in calls(notebook).items():
        draw = getattr(charts, call.removeprefix("charts."), None) if call.startswith("charts.") else None
        chart = draw and draw(found)
        for axes in chart.axes if chart else ():
            rows = axes.yaxis_inverted()  # one below the other, each with its name
            names = [label.get_text() for label in axes.get_yticklabels()] if rows else []
            for line in axes.lines:
                label = line.get_label()
                if not label.startswith("_") and label != "turn" and line.get_marker() not in "<>":
                    for x, y in line.get_xydata().tolist():
                        if rows:
                            points[f"{id}: {names[round(y)]}, {label.split(' ')[-1]}"] = x
                        else:
                            month = f"{math.floor(x + 1e-6)}-{round(12 * (x % 1)) % 12 + 1:02d}"
                            points[f"{id}: {label}, {month}"] = y
            for bar in axes.patches if axes.get_xticks().size and not rows else ():
                year = bar.get_x() + bar.get_width() / 2
                if 1900 < year < 2100:
                    points[f"{id}: {year:.0f}"] = float(bar.get_height())
    return {key: Figure(usd, "USD", "", "", None, "") for key, usd in points.items()}


# --- as tables ------------------------------------------------------------------------------------


def tables(changes: Sequence[Change], *, named: bool = False) -> list[PublishedTable]:
    """Tabulate changes in numbers by unit: dollars, percent, ranks and counts; and the points of charts.

    Figures are named by their labels where `named`, else by their ids.
    """
    facts = [one for one in changes if not POINT.search(one.id)]
    found = []
    for end, units in (("usd", ["USD"]), ("pct", ["percent", "points"]), ("", ["rank", "count"])):
        rows = [one for one in facts if one.unit in units and one.parts]
        if not rows:
            continue
        used = [cause for cause in CAUSES if any(cause in one.parts for one in rows)]
        of = {"old": lambda one: one.old.value, "now": lambda one: one.new.value}
        of |= {"change": lambda one: one.difference}
        of |= {f"by {cause}": lambda one, cause=cause: one.parts.get(cause, 0) for cause in used}
        keys = {name: f"{name.replace(' ', '_')}_{end}".rstrip("_") for name in of}
        frame = pd.DataFrame({keys[name]: [value(one) for one in rows] for name, value in of.items()})
        frame.insert(0, "figure", [_name(one, named) for one in rows])
        names = {key: words.capital(name) for name, key in keys.items()}
        signed = [keys[name] for name in of if name not in ("old", "now")]
        unit = dict.fromkeys(signed, "points") if end == "pct" else "auto"
        found.append(published(frame, unit=unit, names=names, signed=signed, decimals=DIGITS.get(end)))
    return found + _of_charts([one for one in changes if POINT.search(one.id)])


def in_words(facts: Sequence[Change]) -> list[dict]:
    """What changed without a difference in numbers: words, lists, days, and what cannot be had at one end."""
    return [
        {
            "figure": one.id,
            "old": _shown(one.old),
            "now": _shown(one.new),
            "changed by": words.series(list(one.causes)),
        }
        for one in facts
        if not one.parts
    ]


def _name(one: Change, named: bool) -> str:
    """What a figure is called; where the old one is of another window, that too."""
    old, new = (side.text.partition(": ")[0].split() if side else [] for side in (one.old, one.new))
    if not named or not (new or old):
        return one.id
    if one.id.endswith(".reduction_pct"):  # a label turns the sign of a growth, and a table does not
        old, new = (["Reduction", *side[1:]] if side else side for side in (old, new))
    same = next((n for n, two in enumerate(itertools.zip_longest(old, new)) if two[0] != two[1]), len(new))
    return " ".join(new or old) + (f" (old: {' '.join(old[same:])})" if new and old[same:] else "")


def _shown(figure: Figure | None) -> str:
    return "not available" if figure is None else figure.text.partition(": ")[2] or str(figure.value)


def _of_charts(points: Sequence[Change]) -> list[PublishedTable]:
    """Count by chart and line which points were revised, came and went, and the largest revision."""
    rows = {}
    for one in points:
        line = POINT.split(one.id)[0]
        row = rows.setdefault(
            line, {"figure": line, "changed": 0, "new": 0, "gone": 0, "largest_change_usd": 0.0}
        )
        row["new" if one.old is None else "gone" if one.new is None else "changed"] += 1
        row["largest_change_usd"] = max(row["largest_change_usd"], one.difference or 0.0, key=abs)
    names = {"figure": "Points of chart or series"}
    return [published(pd.DataFrame(rows.values()), unit="auto", names=names)] if rows else []


# --- what the command line tells ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What changed for one partner: figures, and sentences by the cell that says them."""

    partner: Partner
    changes: list[Change]
    sentences: list[dict]

    def to_dict(self) -> dict:
        """Return it as plain JSON values."""
        who = {"code": self.partner.code, "name": self.partner.name}
        return who | {"changed": [one.to_dict() for one in self.changes], "sentences": self.sentences}


def asked(way: Way, who: str | None) -> list[str]:
    """The codes of the partners that are asked for; of kept files all that both sides have."""
    both = way.partners()
    if who and who != "all":
        both = [code for code in [resolve(who).code] if code in both or not (way.old.kept or way.new.kept)]
    if not both:
        raise TradelibError(
            f"{way.old.told} and {way.new.told} have {who or 'no partner'} not in common.",
            "Give two releases, or two files or folders with the same partners.",
        )
    return both


def of_one(way: Way, code: str, notebook: str, *, short: bool = False) -> Found:
    """Say what changed for one partner; `short` leaves out the charts, and all sentences but the headline."""
    who = partner(code)
    briefs: dict[int, Brief] = {}
    changes = way.changes(who, also=None if short else partial(drawn, notebook=notebook), briefs=briefs)
    told = [_said(one, who, notebook, briefs, short=short) for one in (way.old, way.new)]
    return Found(who, changes, rewritten(*told))


def _said(one: Side, who: Partner, notebook: str, briefs: dict[int, Brief], *, short: bool) -> dict[str, str]:
    """What a side says: its finished notebook where there is one, else the brief's notebook, by cell."""
    book = one.paths[who.code].with_name(ENDS.sub(".ipynb", one.paths[who.code].name)) if one.kept else None
    if book and book.exists():
        told = texts_kept(json.loads(files.read_kept(book)))
        return {cell: text for cell, text in told.items() if not short or cell == HEADLINE}
    if one.snapshot is None:
        return {}
    return texts(briefs[id(one.snapshot)], notebook, only=[HEADLINE] if short else [])


def of_all(way: Way, codes: Sequence[str], notebook: str, *, progress: bool = False) -> list[Found]:
    """Say what changed for many partners, in short; where processes can be forked, on all cores."""
    work = partial(of_one, way, notebook=notebook, short=True)
    first = work(codes[0])  # brings the snapshots and their sums, which the forked processes share
    rest = tqdm(codes[1:], disable=not progress, unit="partner", initial=1, total=len(codes))
    if "fork" not in multiprocessing.get_all_start_methods() or len(codes) < FEW:
        return [first, *map(work, rest)]
    _shared.append(work)
    try:
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("fork")) as pool:
            return [first, *pool.map(_in_fork, rest, chunksize=8)]
    finally:
        _shared.pop()


_shared: list[partial] = []  # what forked processes find in place of an argument


def _in_fork(code: str) -> Found:
    return _shared[-1](code)


def document(way: Way, found: Sequence[Found]) -> dict:
    """Return what changed as one JSON object, for an alert."""
    sides = {"old": way.old, "new": way.new}
    about = {
        name: {"release": one.release, "as_of": one.as_of.isoformat(), "version": one.version}
        for name, one in sides.items()
    }
    return about | {"method": way.method, "partners": [one.to_dict() for one in found]}


def told(way: Way, found: Found) -> list[str]:
    """Say in lines what changed for one partner: counts, tables, sentences, changes of method."""
    facts = [one for one in found.changes if not POINT.search(one.id)]
    counts = [f"{len(facts)} figures changed", f"{len(found.changes) - len(facts)} points of charts"]
    counts.append(f"{len(found.sentences)} sentences")
    lines = [f"{found.partner.name}, {way.old.told} to {way.new.told}: {words.series(counts)}."]
    lines += ["", *"\n\n".join(map(repr, tables(found.changes))).splitlines()]
    for one in in_words(facts):
        lines += ["", f"{one['figure']} ({one['changed by']}):", f"- {one['old']}", f"+ {one['now']}"]
    for one in found.sentences:
        lines += ["", f"{one['cell']}:", f"- {one['old'] or '(not said)'}", f"+ {one['new'] or '(not said)'}"]
    return lines + (["", "Changes of method between the two versions:", *way.method] if way.method else [])


def summary(found: Sequence[Found]) -> str:
    """Tabulate what changed for many partners: how much, and the balance in goods, year to date, by cause."""
    rows = []
    for one in found:
        of = {change.id: change for change in one.changes}
        main = of.get("goods.balance.ytd")
        parts = main.parts if main else {}
        rest = sum(part for cause, part in parts.items() if cause not in (PERIOD, REVISION))
        rows.append(
            {
                "partner": one.partner.name,
                "figures": sum(not POINT.search(id) for id in of),
                "old_usd": main.old.value if main and main.old else None,
                "now_usd": main.new.value if main and main.new else None,
                "new_period_usd": parts.get(PERIOD, 0.0),
                "revision_usd": parts.get(REVISION, 0.0),
                "other_usd": rest,
            }
        )
    names = {"figures": "Figures changed", "old_usd": "Balance in goods, old", "now_usd": "now"}
    names |= {"new_period_usd": "By new period", "revision_usd": "By revision", "other_usd": "By other"}
    return repr(
        published(pd.DataFrame(rows), names=names, signed=["new_period_usd", "revision_usd", "other_usd"])
    )


# --- the study behind changes.ipynb ---------------------------------------------------------------


class Changes(Study):
    """A brief with the facts `changes.*`. Made by `study`.

    Attributes
    ----------
    found : Found
        What changed: figures, points of charts, sentences.
    method : list of str
        Changes of method that the changelog tells since the version of a kept older side.
    """

    def __init__(self, brief: Brief, since: str, notebook: str):
        super().__init__(brief)
        way = Way(side(since or str(brief.month - 1)), Side.of(brief))
        self.found, self.method = of_one(way, asked(way, brief.partner.code)[0], notebook), way.method
        since_month, since_day = words.period(pd.Period(way.old.release, "M")), words.day(way.old.as_of)
        same = way.old.release == brief.snapshot.release.month
        then, now = (one.snapshot and one.snapshot.sources.get(GOODS) for one in (way.old, way.new))
        unseen = now and then == now and not any(REVISION in one.causes for one in self.found.changes)
        self.names |= {
            "since": since_month,
            "since_day": since_day,
            "older": since_day if same else since_month,
            "one_vintage": words.day(now.published) if unseen else "",
            "same_year": way.old.release[:4] == str(brief.month.year),
            "changed": any(one.id == "goods.balance.trailing12" for one in self.found.changes),
        }

    @property
    def tables(self) -> list[PublishedTable]:
        """The figures that changed, by unit, with their labels; then the points of charts."""
        return tables(
            [one for one in self.found.changes if one.id in self or POINT.search(one.id)], named=True
        )

    @property
    def sentences(self) -> PublishedTable:
        """The sentences that changed, side by side; not those of titles and notes."""
        rows = [(one["old"], one["new"]) for one in self.found.sentences if one["cell"] not in NOTES]
        return published(pd.DataFrame(rows, columns=["before", "now"]))


def study(brief: Brief, *, since: str = "", notebook: str) -> Changes:
    """Say what changed in a brief since another one of the same partner, and why.

    Parameters
    ----------
    brief : Brief
        From `tradelib.brief`: the newer one.
    since : str
        The older one: a release ("2024-07"), one as of a day ("2018-07@2018-10-05"), or a kept file; the
        release before unless given.
    notebook : str
        The text of the notebook whose sentences and charts are compared: `read_notebook().text`.

    Returns
    -------
    Changes
        The facts of the brief, those whose ids start with `changes.`, and the tables behind them.

    Raises
    ------
    TradelibError
        If there is no such release or file, or it is of another partner.
    """
    found = Changes(brief, since, notebook)
    facts = [one for one in found.found.changes if one.id in found]
    counts = {
        "figures": (len(facts), "that changed"),
        "revised": (sum(REVISION in one.causes for one in facts), "that changed by revision"),
        "sentences": (len(found.sentences), "of the brief that changed"),
    }
    for id, (count, what) in counts.items():
        kind = "Sentences" if id == "sentences" else "Figures"
        label = f"{kind} on {{p}} {what} since {found.names['since']}"
        found.add(f"changes.{id}", count, unit="count", window=brief.months, label=label, table=GOODS)
    by_id = {one.id: one for one in found.found.changes}
    for id in ("goods.exports.ytd", "goods.imports.ytd", "goods.balance.ytd", "goods.balance.trailing12"):
        _split(found, id, by_id.get(id))
    return found


def _split(found: Changes, id: str, change: Change | None) -> None:
    """Write by how much a figure changed, with its parts."""
    parts = change.parts if change else {}
    fact = found[id]
    rest = sum(part for cause, part in parts.items() if cause not in (PERIOD, REVISION))
    found.add(
        f"changes.{id}",
        change.difference if change else None,
        unit="USD",
        window=fact.window,
        label=f"Change of {fact.text.partition(': ')[0]}, since {found.names['since']}",
        table=fact.table,
        reason=f"it did not change since {found.names['since']}"
        if not change
        else "one of the two is missing",
        old_usd=change.old.value if parts else None,
        now_usd=change.new.value if parts else None,
        new_period_usd=parts.get(PERIOD),
        revision_usd=parts.get(REVISION),
        other_usd=rest or None,
    )
