"""What can be chosen in explore.ipynb, without a widget: a choice -> the series it asks for.

The arithmetic is that of `balances`, asked for one or two partners at a time: an answer comes at once.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from tradelib import balances, loaders, releases
from tradelib.briefs.selection import choose
from tradelib.briefs.tariffs import rate
from tradelib.errors import TradelibError
from tradelib.partners import Partner, all_partners, resolve, summed_groups
from tradelib.store import vintages
from tradelib.store.vintages import Vintage
from tradelib.style import words
from tradelib.tables import GOODS, RELEASED, TARIFFS, TRADE
from tradelib.windows import Window, year_to_date

MEASURES = ("exports", "imports", "balance")
MONTHLY, QUARTERLY = ("month", "year to date", "twelve months"), ("quarter", "year to date", "four quarters")
WINDOWS = tuple(dict.fromkeys(MONTHLY + QUARTERLY))
#: What the period of a row is to its window.
ENDS = {
    "month": "Month",
    "twelve months": "Twelve months to",
    "quarter": "Quarter",
    "four quarters": "Four quarters to",
    "year to date": "Year to date",
}
ELSEWHERE = "Choose another basis, partner or vintage."
ANOTHER = "another day"  # among the days, for one that is picked beside them
#: A text to pick, and the value it stands for.
Options = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Basis:
    """One way to count trade: its words, its tables (nearest first), its windows, what it measures."""

    title: str
    item: str
    tables: tuple[str, ...]
    windows: tuple[str, ...]
    measures: tuple[str, ...] = MEASURES

    @property
    def what(self) -> str:
        """What is counted: "goods", "services", "goods and services"."""
        return "goods and services" if self.item == "total" else self.item

    def about(self, partner: Partner) -> str:
        """What is counted of a partner."""
        if self.measures == MEASURES:
            return f"{self.what} with {partner.prose}"
        return f"duties on imports from {partner.prose}"


#: By the name that the notebook's parameter takes.
BASES = {
    "census goods": Basis("Goods, Census basis, monthly, NSA", "goods", (GOODS,), MONTHLY),
    "bop goods": Basis("Goods, BOP basis, quarterly, SA", "goods", (RELEASED, TRADE), QUARTERLY),
    "bop services": Basis("Services, BOP basis, quarterly, SA", "services", (RELEASED, TRADE), QUARTERLY),
    "bop total": Basis("Goods and services, BOP basis, quarterly, SA", "total", (RELEASED, TRADE), QUARTERLY),
    "tariff rate": Basis(
        "Duties, percent of imports for consumption, monthly, NSA", "goods", (TARIFFS,), MONTHLY, ("rate",)
    ),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """All that can be chosen, as plain words: what the controls hold and the notebook's parameters set.

    Attributes
    ----------
    partner : str
        Schedule C code, ISO code or name.
    release : str
        Statistical month of the FT-900, YYYY-MM.
    second : str
        Another partner to compare with.
    as_of : str
        The day whose knowledge is wanted, YYYY-MM-DD; the publication day unless given.
    compare : str
        Publication date of another vintage to compare with.
    basis : {"census goods", "bop goods", "bop services", "bop total", "tariff rate"}
    measure : {"balance", "exports", "imports"}
        Not asked for by a tariff rate, which is of imports.
    window : str
        "year to date"; "month" or "twelve months"; "quarter" or "four quarters" on the BOP bases.
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
    """One series: a partner in one vintage. `sums` has a row for each window, in whole dollars or percent."""

    partner: Partner
    vintage: Vintage
    sums: pd.DataFrame

    @property
    def name(self) -> str:
        """The partner as a sentence names it, without the article."""
        return words.capital(self.partner.prose.removeprefix("the "))


@dataclass(frozen=True, slots=True)
class View:
    """What a choice asks for: its series, the first of them in front, and the window they end with."""

    choice: Choice
    basis: Basis
    release: releases.Release
    as_of: date
    span: Window
    lines: tuple[Line, ...]

    @property
    def measure(self) -> str:
        """What is measured: what was chosen, or else all that the basis has."""
        chosen, known = self.choice.measure, self.basis.measures
        return chosen if chosen in known else known[0]

    @property
    def column(self) -> str:
        """The column of the measure."""
        return "rate_pct" if self.measure == "rate" else f"{self.measure}_usd"

    @property
    def table(self) -> str:
        """The name of the table the figures come from."""
        return self.lines[0].vintage.table

    @property
    def what(self) -> str:
        """What is measured: "balance in goods", "exports of services"."""
        if self.measure == "rate":
            return "duties on imports for consumption"
        return f"{self.measure} {'in' if self.measure == 'balance' else 'of'} {self.basis.what}"

    @property
    def year(self) -> int:
        """How many periods a year has."""
        return self.span.end.ordinal - self.span.year_earlier.end.ordinal

    def value(self, line: Line, years_ago: int = 0) -> float | None:
        """Return a series' figure in the window the view ends with, or as many years earlier."""
        found = line.sums[self.column].get(self.span.end - years_ago * self.year)
        return None if words.missing(found) else found

    @property
    def vintages(self) -> tuple[Vintage, ...]:
        """The vintage of the day, and the one compared with it if there is one."""
        return tuple({line.vintage.path: line.vintage for line in self.lines}.values())

    @property
    def pairs(self) -> tuple[tuple[Line, Line], ...]:
        """Each partner's series in the older and in the newer vintage; empty without a comparison."""
        if len(self.vintages) < 2:
            return ()
        age = sorted(self.lines, key=lambda line: line.vintage.published)
        codes = dict.fromkeys(line.partner.code for line in self.lines)
        return tuple(tuple(line for line in age if line.partner.code == code) for code in codes)

    def shown(self, sums: pd.DataFrame) -> pd.DataFrame:
        """Keep the windows that end by the view's; of a year to date, the same one of each year."""
        rows = sums.loc[: self.span.end].rename_axis(ENDS[self.choice.window])
        same = rows.index.month == self.span.end.month
        return rows[same] if self.choice.window == "year to date" else rows


def view_of(choice: Choice) -> View:
    """Find the series that a choice asks for, or raise a TradelibError whose first line is one sentence."""
    basis = _checked_basis(choice)
    release = loaders.find_release(choice.release)
    day = _day(choice.as_of, release)
    who = {one.code: one for one in (resolve(text) for text in (choice.partner, choice.second) if text)}
    found = _vintages(choice, basis, release, day)
    span = _span(choice.window, _end(basis, release))
    lines = []
    for one in who.values():
        for vintage in found:
            sums = _sums(one, vintage, item=basis.item, release=release, span=span)
            if sums is None:
                problem = f"{_named(vintage)} has no figures of {basis.about(one)}."
                raise TradelibError(problem, ELSEWHERE)
            lines.append(Line(partner=one, vintage=vintage, sums=sums))
    view = View(choice, basis=basis, release=release, as_of=day, span=span, lines=tuple(lines))
    for line in lines:
        if view.value(line) is None:
            what = f"{basis.about(line.partner)} in {words.span(span)}"
            raise TradelibError(f"{_named(line.vintage)} has no figure of {what}.", ELSEWHERE)
    return view


def _checked_basis(choice: Choice) -> Basis:
    own = BASES[choice.basis].measures if choice.basis in BASES else ()
    measures = tuple(dict.fromkeys([*MEASURES, *own]))
    for name, values in {"basis": tuple(BASES), "measure": measures, "window": WINDOWS}.items():
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


def _either(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _day(as_of: str, release: releases.Release) -> date:
    """Return the day whose knowledge is wanted; refuse one before the release was out."""
    day = releases.parse_date(as_of, "as-of") if as_of else release.default_as_of
    earliest = release.published or release.period.end_time.date()
    if day < earliest:
        raise TradelibError(
            f"On {day} the figures for {words.period(release.period)} were not out yet.",
            f"They came out on {earliest}: choose that day or a later one.",
        )
    return day


def _end(basis: Basis, release: releases.Release) -> pd.Period:
    """The last month or quarter out with a release."""
    return release.period if basis.windows == MONTHLY else releases.quarter_out(release.period)


def comparable(choice: Choice) -> list[Vintage]:
    """List the vintages of the choice's tables that reach its release, for a comparison."""
    basis = BASES[choice.basis]
    through = str(_end(basis, releases.release(choice.release)))
    found = [v for table in basis.tables for v in vintages.list_vintages(table) if v.through >= through]
    return sorted(found, key=lambda vintage: vintage.published)


def _vintages(choice: Choice, basis: Basis, release: releases.Release, day: date) -> list[Vintage]:
    """The vintage of the day, chosen as a brief chooses it, and the one to compare with."""
    chosen = choose(release, day)
    first = next((chosen.sources[table] for table in basis.tables if table in chosen.sources), None)
    if first is None:
        raise TradelibError(f"There are no figures: {chosen.absent[basis.tables[-1]]}.")
    if not choice.compare:
        return [first]
    on = releases.parse_date(choice.compare, "The vintage to compare with:")
    there = comparable(choice)
    other = next((vintage for vintage in there if vintage.published == on), None)
    if other is None:
        days = ", ".join(str(v.published) for v in there)
        raise TradelibError(
            f"No vintage of {on} reaches {words.period(release.period)}.", f"Those that do: {days}."
        )
    return [first] if other.path == first.path else [first, other]


def _span(window: str, end: pd.Period) -> Window:
    if window == "year to date":
        return year_to_date(end)
    return Window(end - {"twelve months": 11, "four quarters": 3}.get(window, 0), end)


def _sums(
    one: Partner, vintage: Vintage, *, item: str, release: releases.Release, span: Window
) -> pd.DataFrame | None:
    """Sum a partner's windows of this length, each by the period it ends with; None without rows."""
    if one.code in summed_groups():
        sides = _summed_group(vintage.path, one.code, release.month)
    else:
        sides = every_partner(vintage.path)
    rows = sides.loc[[one.code]] if one.code in sides.index.levels[0] else sides.iloc[:0]
    items, periods = (rows.index.get_level_values(name) for name in ("item", "period"))
    rows = rows[(items == item) & (periods <= span.end)]
    if rows.empty:
        return None
    sums = balances.trailing_sum(rows, len(span)).droplevel(["partner", "item"])
    dutied = "duty_usd" in sums
    return sums.assign(rate_pct=rate(sums["duty_usd"], sums["imports_usd"])) if dutied else sums


@lru_cache(maxsize=16)
def every_partner(path: Path) -> pd.DataFrame:
    """Read and pivot a vintage once; it never changes, so that it can be kept."""
    vintage = vintages.look(path)
    return balances.balance(loaders.rows_of(vintage, as_of=vintage.published))


@lru_cache(maxsize=64)
def _summed_group(path: Path, code: str, month: str) -> pd.DataFrame:
    """Sum the members that a group has on the day of a release, as a brief on it does."""
    vintage, release = vintages.look(path), loaders.find_release(month)
    rows = loaders.rows_of(vintage, as_of=vintage.published, partner=[code], members_on=release.default_as_of)
    return balances.balance(rows)


def _named(vintage: Vintage) -> str:
    return f"The vintage of {vintage.published} ({words.publisher(vintage.table)})"


# --- what there is to pick from -----------------------------------------------------------------------


def partners() -> Options:
    """List who can be picked: countries by name, then the world and the groups that have figures."""
    known = all_partners().set_index("code")
    codes = set(every_partner(vintages.list_vintages(GOODS)[-1].path).index.unique("partner"))
    rows = known[known.index.isin(codes.union(summed_groups()))]
    first = rows[rows["kind"] == "country"].sort_values("name", key=lambda names: names.str.casefold())
    others = rows[rows["kind"].isin(["world", "group"])]
    return [(name, code) for part in (first, others) for code, name in part["name"].items()]


def months() -> Options:
    """List the statistical months that goods or duties reach, newest first, and when each came out."""
    found = [*vintages.list_vintages(GOODS), *vintages.list_vintages(TARIFFS)]
    every = pd.period_range(found[0].since, max(v.through for v in found), freq="M")[::-1]
    known = releases.all_releases().set_index("month")["published"].to_dict()
    out = {month: f" (published {known[month]})" if known.get(month) else "" for month in map(str, every)}
    return [(f"{month}{told}", month) for month, told in out.items()]


def days(month: str) -> Options:
    """List the days whose knowledge can be asked for: publication, each vintage since, another one."""
    out = release_of(month)
    if out is None:
        return [("publication day", "")]
    first = f"publication day, {out.published}" if out.published else f"when surely out, {out.default_as_of}"
    dates = {v.published for table in (GOODS, TRADE, TARIFFS) for v in vintages.list_vintages(table)}
    later = [(str(day), str(day)) for day in sorted(dates) if day > out.default_as_of]
    return [(first, ""), *later, (f"{ANOTHER} ...", ANOTHER)]


def others(choice: Choice) -> Options:
    """List the vintages that can be compared with."""
    if choice.basis not in BASES or release_of(choice.release) is None:
        return [("no other vintage", "")]
    found = [str(vintage.published) for vintage in comparable(choice)]
    return [("no other vintage", ""), *((f"vintage of {day}", day) for day in found)]


def windows(basis: str) -> Options:
    """List the windows that a basis allows."""
    return [(name, name) for name in (BASES[basis].windows if basis in BASES else ())]


def release_of(month: str) -> releases.Release | None:
    """Look up a release; None for what is no month, which `view_of` tells in words."""
    try:
        return loaders.find_release(month)
    except TradelibError:
        return None


def heading(view: View) -> str:
    """Name what is explored: the heading of the notebook."""
    who = words.series(list(dict.fromkeys(line.partner.prose for line in view.lines)))
    return f"Exploring U.S. trade with {who}, {words.period(view.release.period)}"


def stem(choice: Choice) -> str:
    """Name a file after a choice."""
    who = [resolve(text).slug for text in (choice.partner, choice.second) if text]
    when = [choice.release, *([f"as-of-{choice.as_of}"] if choice.as_of else [])]
    when += [f"against-{choice.compare}"] if choice.compare else []
    return ".".join([*who, *when, choice.basis, choice.measure, choice.window]).replace(" ", "-")
