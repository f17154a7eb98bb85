"""Numbers, periods and sources as words: the one place where figures are rounded for readers."""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from tradelib.errors import TradelibError
from tradelib.tables import PROVENANCE, TABLES
from tradelib.windows import Window

#: In English, whatever language the program has set for dates.
MONTHS = ["January", "February", "March", "April", "May", "June"]
MONTHS += ["July", "August", "September", "October", "November", "December"]
#: The number of a month by its name in small letters.
MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
NAMED_QUARTERS = ("first", "second", "third", "fourth")
#: What dollars are counted in, the largest first.
UNITS = {"trillion": 1e12, "billion": 1e9, "million": 1e6, "thousand": 1e3, "dollar": 1.0}
#: What the ending of a column's name says that it counts, beside dollars.
ENDINGS = {"usd": "$", "pct": "percent", "points": "points", "days": "days"}
#: What a source line says of tables that have one of their own.
CREDITS = {
    "goods_census_nsa": "U.S. Census Bureau, country.xlsx",
    "goods_census_sa": "U.S. Census Bureau, ctyseasonal.xlsx",
    "trade_bop_sa": "U.S. Bureau of Economic Analysis, trade by country",
    "trade_bop_annual": "U.S. Bureau of Economic Analysis, trade by country",
    "trade_world_sa": "U.S. Bureau of Economic Analysis, trade in goods and services",
    "trade_world_annual": "U.S. Bureau of Economic Analysis, trade in goods and services",
    "trade_ft900_sa": "U.S. Bureau of Economic Analysis and Census Bureau, FT-900, Exhibit 20",
}
DIGITS = {"trillion": 2, "billion": 1, "million": 1}  # decimals; the others have none


def number(value: float, digits: int, *, sign: bool = False) -> str:
    """Render a number with thousands separators and a true minus; zero has no sign."""
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}") if any(c in "123456789" for c in text) else text.lstrip("+-")


@dataclass(frozen=True, slots=True)
class Unit:
    """What an axis, or a column of a table, counts in."""

    size: float
    name: str
    digits: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Unit":
        """Choose the unit in which the largest of some dollar values has one to three digits."""
        top = max((abs(v) for v in values if not math.isnan(v)), default=0)
        name = next((name for name, size in UNITS.items() if top >= 0.9995 * size), "dollar")
        return cls(UNITS[name], cls.header(name), cls.digits_of(top, UNITS[name]))

    @classmethod
    def named(cls, name: str) -> "Unit":
        """Get a unit of `UNITS` with the decimals that a table of it has."""
        return cls(UNITS[name], cls.header(name), DIGITS.get(name, 0))

    @staticmethod
    def header(name: str) -> str:
        """Write a unit as axes and headers do."""
        return "$" if name == "dollar" else f"$ {name}"

    @staticmethod
    def digits_of(top: float, size: float) -> int:
        """Choose how many decimals give the largest value three digits."""
        return 0 if size == 1 or top >= 99.95 * size else 1 if top >= 9.995 * size else 2

    def number(self, dollars: float, *, sign: bool = False, digits: int | None = None) -> str:
        """Render dollars in this unit."""
        return number(dollars / self.size, self.digits if digits is None else digits, sign=sign)


def money(dollars: float) -> str:
    """Render an amount without its sign, in the unit a reader would use."""
    amount = abs(dollars)
    for name, unit in UNITS.items():
        if amount >= 0.9995 * unit and name != "dollar":  # what would round to 1,000 million is 1.0 billion
            scaled = amount / unit
            digits = 0 if name == "million" and scaled >= 9.95 else DIGITS.get(name, 0)
            return f"${scaled:,.{digits}f} {name}"
    return f"${amount:,.0f}"


def signed_money(dollars: float) -> str:
    """Render an amount with its sign."""
    return ("-" if dollars < 0 else "") + money(dollars)


def percent(value: float, *, fine: bool = False) -> str:
    """Render a percentage without its sign, one decimal; thousands without; below one a second if `fine`."""
    size = abs(value)
    return f"{size:,.0f} percent" if size >= 1000 else f"{_decimals(size, fine)} percent"


def points(value: float, *, fine: bool = False) -> str:
    """Render a difference of two percentages without its sign, with as many decimals as `percent`."""
    return f"{_decimals(abs(value), fine)} percentage points"


def _decimals(size: float, fine: bool) -> str:
    digits = 2 if fine and 0 < size < 0.995 else 1
    least = 10.0**-digits
    return f"less than {least}" if 0 < size < least / 2 else f"{size:,.{digits}f}"


def cardinal(number: int) -> str:
    """Spell a count below ten, as a sentence does."""
    words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    return words[number] if number < len(words) else str(number)


def ordinal(number: int) -> str:
    """Render a rank."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def period(value: pd.Period) -> str:
    """Name a month, quarter or year."""
    if value.freqstr == "M":
        return f"{MONTHS[value.month - 1]} {value.year}"
    if value.freqstr.startswith("Q"):
        return f"the {NAMED_QUARTERS[value.quarter - 1]} quarter of {value.year}"
    return str(value.year)


def span(window: Window) -> str:
    """Name a window."""
    start, end = window.start, window.end
    if start == end:
        return period(end)
    if start.year != end.year and end.freqstr != "Y-DEC":
        unit = "months" if end.freqstr == "M" else "quarters"
        return f"the {cardinal(len(window))} {unit} to {period(end)}"
    if end.freqstr == "M":
        return str(end.year) if len(window) == 12 else f"{MONTHS[start.month - 1]}-{period(end)}"
    if end.freqstr.startswith("Q"):
        words = {2: "the first half of", 3: "the first three quarters of"}.get(len(window), "")
        return f"{words} {end.year}".strip()
    return f"{start}-{end}"


def direction(value: float) -> str:
    """Say "up" or "down", or "unchanged"."""
    return "unchanged" if value == 0 else "up" if value > 0 else "down"


def column(name: str) -> tuple[str, str]:
    """Name a column in words, and tell by its ending what it counts: "usd", "pct", "days" or nothing."""
    name, ending = next(
        ((name.removesuffix(f"_{end}"), end) for end in ENDINGS if name.endswith(f"_{end}")), (name, "")
    )
    side = name.removesuffix("_change")
    return capital((f"change of {side}" if side != name else name).replace("_", " ")), ending


def position(dollars: float) -> str:
    """Say what a balance is."""
    return "balance" if dollars == 0 else "deficit" if dollars < 0 else "surplus"


def series(items: list[str]) -> str:
    """Join words with commas and "and"."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def capital(text: str) -> str:
    """Capitalize the first letter and leave the rest."""
    return text[:1].upper() + text[1:]


def missing(value: object) -> bool:
    """Tell None and NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


@cache
def _titles(name: str) -> dict[str, str]:
    with (Path(__file__).parents[1] / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["title"] for row in csv.DictReader(lines)}


def chapter(code: str) -> str:
    """Give an HS chapter's short title, in our own words."""
    return _titles("hs2").get(code, f"HS {code}")


def industry(code: str) -> str:
    """Give the short title of a three-digit NAICS industry, in our own words."""
    return _titles("naics3").get(code, f"NAICS {code}")


class Text(str):
    """Words that show as Markdown in a notebook; dollar signs are kept from becoming maths.

    JupyterLab looks for pairs of them in a paragraph, escaped or not: each stands in an element of its own.
    """

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return self.replace("$", "<span>\\$</span>")


def day(date) -> str:
    """Name a day."""
    return f"{MONTHS[date.month - 1]} {date.day}, {date.year}"


def a_position(dollars: float) -> str:
    """Say what a balance is, with its size."""
    return "a balance of zero" if dollars == 0 else f"a {position(dollars)} of {money(dollars)}"


def lag(days: int | None, method: str | None = None) -> str:
    """Say how late a vintage is for the as-of date, and if it stands for that day; nothing if in time."""
    if not days:
        return "with an annual revision since" if method == "superseded" else ""
    late = f"{days:,} day{'' if days == 1 else 's'} after the as-of date"
    return f"{late}, reconstructed" if method == "reconstructed" else late


def publisher(table: str) -> str:
    """Name publisher and product of a table, as the source line of a chart does."""
    if table in CREDITS or "_ft900_" in table:
        return CREDITS.get(table, "U.S. Census Bureau and Bureau of Economic Analysis, FT-900")
    bea = TABLES[table].publisher == "BEA"
    return (
        "U.S. Bureau of Economic Analysis, data API" if bea else "U.S. Census Bureau, international trade API"
    )


def credit(table: str, published, days: int = 0, *, dated_by: str = "") -> str:
    """Name publisher and product of a table, its vintage, and how late that is; what is known of them."""
    who = publisher(table) if table in TABLES else table
    vintage = f"vintage {'saved by' if dated_by == 'saved' else 'of'} {published}" if published else ""
    return ", ".join(filter(None, ["; ".join(filter(None, [who, vintage])), lag(days)]))


def source_line(source, *tables: str) -> str:
    """Name the sources of a chart or table.

    Parameters
    ----------
    source : DataFrame, brief, snapshot or str
        A loaded table, whose rows know where they come from; a brief or its snapshot; or words.
    *tables : str
        Of a brief or snapshot: those used; all of them if not given.

    Returns
    -------
    str

    Raises
    ------
    TradelibError
        If a table does not say where it comes from.
    """
    if isinstance(source, str):
        return source if not source or source.startswith("Source") else f"Source: {source}"
    if isinstance(source, (pd.DataFrame, pd.Series)):
        if not isinstance(source, pd.DataFrame) or not {*PROVENANCE} <= {*source.columns}:
            raise TradelibError(
                f"This table does not say where it comes from: it has no columns {', '.join(PROVENANCE)}.",
                "Give the table as it was loaded, a brief, or the source in words.",
            )
        rows = source[PROVENANCE].drop_duplicates().itertuples(index=False)
        parts = [credit(table, str(vintage)[:10], int(days)) for table, vintage, days in rows]
    else:
        snapshot = getattr(source, "snapshot", source)
        every = getattr(source, "used", snapshot.sources)
        used = {table: snapshot.sources[table] for table in tables or every}
        parts = [
            credit(table, vintage.published, snapshot.lag(table), dated_by=vintage.dated_by)
            for table, vintage in used.items()
        ]
    return "Source: " + ". ".join(dict.fromkeys(parts))
