"""What explore.ipynb shows, without a widget: a choice -> the series it asks for.

The arithmetic is that of `balances`, asked for one or two partners at a time: an answer comes at once.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from tradelib import balances, loaders
from tradelib import releases as calendar
from tradelib.briefs.selection import choose
from tradelib.errors import TradelibError
from tradelib.partners import Partner, resolve, summed_groups
from tradelib.store import vintages
from tradelib.style import words as wording
from tradelib.style.house import PUBLISHED
from tradelib.tables import GOODS, RELEASED, TRADE
from tradelib.windows import Window, year_to_date

MEASURES = ("exports", "imports", "balance")


@dataclass(frozen=True, slots=True)
class Basis:
    """One way to count trade: its words, its tables (nearest first), its windows."""

    title: str
    item: str
    tables: tuple[str, ...]
    windows: tuple[str, ...]

    @property
    def what(self) -> str:
        """What is counted: "goods", "services", "goods and services"."""
        return "goods and services" if self.item == "total" else self.item


MONTHLY, QUARTERLY = ("month", "year to date", "twelve months"), ("quarter", "year to date", "four quarters")
BOP = ((RELEASED, TRADE), QUARTERLY)
#: By the name that the notebook's parameter takes.
BASES = {
    "census goods": Basis("Goods, Census basis, monthly, NSA", "goods", (GOODS,), MONTHLY),
    "bop goods": Basis("Goods, BOP basis, quarterly, SA", "goods", *BOP),
    "bop services": Basis("Services, BOP basis, quarterly, SA", "services", *BOP),
    "bop total": Basis("Goods and services, BOP basis, quarterly, SA", "total", *BOP),
}
ELSEWHERE = "Choose another basis, partner or vintage."
#: What the period of a row is to its window.
ENDS = {
    "month": "Month",
    "twelve months": "Twelve months to",
    "quarter": "Quarter",
    "four quarters": "Four quarters to",
    "year to date": "Year to date",
}
WINDOWS = tuple(dict.fromkeys(MONTHLY + QUARTERLY))


@dataclass(frozen=True, slots=True)
class Choice:
    """All that can be chosen, as plain words: what the widgets hold and the notebook's parameters set.

    Examples
    --------
    >>> Choice(partner="KOR", release="2018-07", measure="exports").window
    'year to date'
    """

    partner: str
    release: str
    second: str = ""
    as_of: str = ""
    compare: str = ""
    basis: str = "census goods"
    measure: str = "balance"
    window: str = "year to date"


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a partner in one vintage. `sums` has a row for each window, in whole dollars."""

    partner: Partner
    vintage: vintages.Vintage
    sums: pd.DataFrame

    @property
    def name(self) -> str:
        """The partner as a sentence names it, without the article."""
        return wording.capital(self.partner.prose.removeprefix("the "))


@dataclass(frozen=True, slots=True)
class View:
    """What a choice asks for: its series, the first of them in front, and the window they end with."""

    choice: Choice
    basis: Basis
    as_of: date
    span: Window
    lines: tuple[Line, ...]

    @property
    def column(self) -> str:
        """The column of the measure."""
        return f"{self.choice.measure}_usd"

    @property
    def table(self) -> str:
        """The name of the table the figures come from."""
        return self.lines[0].vintage.table

    @property
    def when(self) -> str:
        """The window the view ends with, with its preposition."""
        end = self.span.end
        if self.choice.window == "twelve months":
            return f"in the 12 months to {wording.period(end)}"
        if self.choice.window == "four quarters":
            return f"in the four quarters to {end}"
        return f"in {wording.span(self.span)}"

    def value(self, line: Line, years_ago: int = 0) -> float | None:
        """Return a series' dollars in the window the view ends with, or as many years earlier."""
        year = self.span.end.ordinal - self.span.year_earlier.end.ordinal
        found = line.sums[self.column].get(self.span.end - years_ago * year)
        return None if wording.missing(found) else found

    @property
    def vintages(self) -> tuple[vintages.Vintage, ...]:
        """The vintage of the day, and the one compared with it if there is one."""
        return tuple({line.vintage.path: line.vintage for line in self.lines}.values())

    @property
    def pairs(self) -> tuple[tuple[Line, Line], ...]:
        """Each partner's series in the older and in the newer vintage; empty without a comparison."""
        if len(self.vintages) < 2:
            return ()
        age = sorted(self.lines, key=lambda line: line.vintage.published)
        names = dict.fromkeys(line.partner.code for line in self.lines)
        return tuple(tuple(line for line in age if line.partner.code == name) for name in names)


def look(choice: Choice) -> View:
    """Find the series that a choice asks for.

    Parameters
    ----------
    choice : Choice

    Returns
    -------
    View

    Raises
    ------
    TradelibError
        If something in it is not there, or does not go together; its first line is one sentence.

    Examples
    --------
    >>> view = look(Choice("KOR", "2018-07", as_of="2018-10-05", measure="exports"))
    >>> str(view.span), view.lines[0].sums["exports_usd"].iloc[-1]
    ('2018-01..2018-07', np.float64(31752055221.0))
    >>> look(Choice("KOR", "2018-07", window="quarter"))
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: Goods, Census basis, are monthly: there is no window 'quarter'.
      Choose month, year to date or twelve months.
    """
    basis = _check(choice)
    release = loaders.find_release(choice.release)
    day = as_of_day(choice, release)
    who = [resolve(text) for text in (choice.partner, choice.second) if text]
    who = list({one.code: one for one in who}.values())
    found = _vintages(choice, basis, release, day)
    end = release.period if GOODS in basis.tables else calendar.quarter_out(release.period)
    span = _span(choice.window, end)
    pairs = [(one, vintage) for one in who for vintage in found]
    lines = tuple(Line(*pair, _sums(*pair, basis, release, span)) for pair in pairs)
    view = View(choice, basis, day, span, lines)
    for line in lines:
        if wording.missing(view.value(line)):
            raise TradelibError(
                f"{_of(line.vintage)} has no figure of {basis.what} with {line.partner.prose} {view.when}.",
                ELSEWHERE,
            )
    return view


def _check(choice: Choice) -> Basis:
    allowed = {"basis": tuple(BASES), "measure": MEASURES, "window": WINDOWS}
    for name, values in allowed.items():
        given = getattr(choice, name)
        if given not in values:
            raise TradelibError(f"{given!r} is no {name}.", f"Choose {_either(values)}.")
    basis = BASES[choice.basis]
    if choice.window not in basis.windows:
        title, often = basis.title.split(", ")[:2], "monthly" if basis.windows == MONTHLY else "quarterly"
        raise TradelibError(
            f"{', '.join(title)}, are {often}: there is no window {choice.window!r}.",
            f"Choose {_either(basis.windows)}.",
        )
    return basis


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def as_of_day(choice: Choice, release: calendar.Release) -> date:
    """Return the day whose knowledge is wanted; refuse one before the release was out."""
    day = calendar.parse_date(choice.as_of, "as-of") if choice.as_of else release.default_as_of
    earliest = release.published or release.period.end_time.date()
    if day < earliest:
        raise TradelibError(
            f"On {day} the figures for {wording.period(release.period)} were not out yet.",
            f"They came out on {earliest}: choose that day or a later one.",
        )
    return day


def comparable(choice: Choice) -> list[vintages.Vintage]:
    """List the vintages of the choice's tables that reach its release, for a comparison.

    Examples
    --------
    >>> [str(v.published) for v in comparable(Choice("KOR", "2018-07"))][:2]
    ['2018-10-05', '2020-10-06']
    """
    month, tables = calendar.release(choice.release).period, BASES[choice.basis].tables
    through = str(month if GOODS in tables else calendar.quarter_out(month))
    found = [v for table in tables for v in vintages.list_vintages(table) if v.through >= through]
    return sorted(found, key=lambda vintage: vintage.published)


def _vintages(choice: Choice, basis: Basis, release, day: date) -> list[vintages.Vintage]:
    """The vintage of the day, chosen as a brief chooses it, and the one to compare with."""
    chosen = choose(release, day)
    first = next((chosen.sources[table] for table in basis.tables if table in chosen.sources), None)
    if first is None:
        raise TradelibError(f"There are no figures: {chosen.absent[TRADE]}.")
    if not choice.compare:
        return [first]
    on = calendar.parse_date(choice.compare, "The vintage to compare with:")
    there = comparable(choice)
    other = next((vintage for vintage in there if vintage.published == on), None)
    if other is None:
        days = ", ".join(str(v.published) for v in there)
        raise TradelibError(
            f"No vintage of {on} reaches {wording.period(release.period)}.", f"Those that do: {days}."
        )
    return [first] if other.path == first.path else [first, other]


def _span(window: str, end: pd.Period) -> Window:
    if window == "year to date":
        return year_to_date(end)
    return Window(end - {"twelve months": 11, "four quarters": 3}.get(window, 0), end)


def _sums(one: Partner, vintage, basis: Basis, release, span: Window) -> pd.DataFrame:
    """Sum a partner's windows of this length, each by the period it ends with."""
    if vintage.table == GOODS and one.code in summed_groups():
        sides = summed_group(vintage.path, one.code, release.month)
    else:
        sides = every_partner(vintage.path)
    rows = sides.loc[[one.code]] if one.code in sides.index.levels[0] else sides.iloc[:0]
    items, periods = (rows.index.get_level_values(name) for name in ("item", "period"))
    rows = rows[(items == basis.item) & (periods <= span.end)]
    if rows.empty:
        raise TradelibError(f"{_of(vintage)} has no figures of {basis.what} with {one.prose}.", ELSEWHERE)
    return balances.trailing_sum(rows, len(span)).droplevel(["partner", "item"])


@lru_cache(maxsize=16)
def every_partner(path: Path) -> pd.DataFrame:
    """Read and pivot a vintage once; it never changes, so that it can be kept."""
    vintage = vintages.look(path)
    return balances.balance(loaders.rows_of(vintage, as_of=vintage.published))


@lru_cache(maxsize=64)
def summed_group(path: Path, code: str, month: str) -> pd.DataFrame:
    """Sum the members that a group has on the day of a release, as a brief on it does."""
    vintage, release = vintages.look(path), loaders.find_release(month)
    rows = loaders.rows_of(vintage, as_of=vintage.published, partner=[code], members_on=release.default_as_of)
    return balances.balance(rows)


def _of(vintage: vintages.Vintage) -> str:
    return f"The vintage of {vintage.published} ({PUBLISHED[vintage.table]})"


def shown(view: View, sums: pd.DataFrame) -> pd.DataFrame:
    """Keep the windows that end by the view's; of a year to date, the same one of each year."""
    rows = sums.loc[: view.span.end].rename_axis(ENDS[view.choice.window])
    return rows[rows.index.month == view.span.end.month] if view.choice.window == "year to date" else rows
