"""Numbers and periods as words: the one place where figures are rounded for readers."""

import calendar
import csv
import math
from functools import cache
from pathlib import Path

import pandas as pd

from tradelib.windows import Window

MONTHS = list(calendar.month_name)[1:]
NAMED_QUARTERS = ("first", "second", "third", "fourth")


def money(dollars: float) -> str:
    """Render an amount without its sign, in the unit a reader would use.

    Examples
    --------
    >>> money(-31_752_055_221), money(355e6), money(7_560_000), money(12_300), money(0)
    ('$31.8 billion', '$355 million', '$7.6 million', '$12 thousand', '$0')
    """
    amount = abs(dollars)
    for unit, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if amount >= 0.9995 * unit:  # what would round to 1,000 million reads as 1.0 billion
            scaled = amount / unit
            whole = name == "thousand" or (name == "million" and scaled >= 9.95)
            digits = 0 if whole else 2 if name == "trillion" else 1
            return f"${scaled:,.{digits}f} {name}"
    return f"${amount:,.0f}"


def signed_money(dollars: float) -> str:
    """Render an amount with its sign.

    Examples
    --------
    >>> signed_money(-979e6)
    '-$979 million'
    """
    return ("-" if dollars < 0 else "") + money(dollars)


def percent(value: float) -> str:
    """Render a percentage without its sign, one decimal; thousands without decimals.

    Examples
    --------
    >>> percent(11.139), percent(-0.04), percent(1234.5)
    ('11.1 percent', 'less than 0.1 percent', '1,234 percent')
    """
    size = abs(value)
    if 0 < size < 0.05:
        return "less than 0.1 percent"
    return f"{size:,.0f} percent" if size >= 1000 else f"{size:.1f} percent"


def cardinal(number: int) -> str:
    """Spell a count below ten, as a sentence does.

    Examples
    --------
    >>> cardinal(3), cardinal(12)
    ('three', '12')
    """
    words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    return words[number] if number < len(words) else str(number)


def ordinal(number: int) -> str:
    """Render a rank.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 9, 11, 13, 22, 101)]
    ['1st', '2nd', '3rd', '9th', '11th', '13th', '22nd', '101st']
    """
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def period(value: pd.Period) -> str:
    """Name a month, quarter or year.

    Examples
    --------
    >>> period(pd.Period("2018-07", "M")), period(pd.Period("2016Q2", "Q"))
    ('July 2018', 'the second quarter of 2016')
    """
    if value.freqstr == "M":
        return f"{MONTHS[value.month - 1]} {value.year}"
    if value.freqstr.startswith("Q"):
        return f"the {NAMED_QUARTERS[value.quarter - 1]} quarter of {value.year}"
    return str(value.year)


def span(window: Window) -> str:
    """Name a window that lies in one year.

    Examples
    --------
    >>> span(Window(pd.Period("2018-01", "M"), pd.Period("2018-07", "M")))
    'January-July 2018'
    >>> span(Window(pd.Period("2018Q1", "Q"), pd.Period("2018Q2", "Q")))
    'the first half of 2018'
    """
    start, end = window.start, window.end
    if start == end:
        return period(end)
    if end.freqstr == "M":
        return str(end.year) if len(window) == 12 else f"{MONTHS[start.month - 1]}-{period(end)}"
    if end.freqstr.startswith("Q"):
        words = {2: "the first half of", 3: "the first three quarters of"}.get(len(window), "")
        return f"{words} {end.year}".strip()
    return f"{start}-{end}"


def direction(value: float) -> str:
    """Say "up" or "down", or "unchanged".

    Examples
    --------
    >>> direction(3.0), direction(-2.0), direction(0)
    ('up', 'down', 'unchanged')
    """
    return "unchanged" if value == 0 else "up" if value > 0 else "down"


def position(dollars: float) -> str:
    """Say what a balance is.

    Examples
    --------
    >>> position(-1e6), position(1e6), position(0)
    ('deficit', 'surplus', 'balance')
    """
    return "balance" if dollars == 0 else "deficit" if dollars < 0 else "surplus"


def series(items: list[str]) -> str:
    """Join words with commas and "and".

    Examples
    --------
    >>> series(["Korea"]), series(["Korea", "France", "India"])
    ('Korea', 'Korea, France and India')
    """
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def capital(text: str) -> str:
    """Capitalize the first letter and leave the rest.

    Examples
    --------
    >>> capital("the United Kingdom")
    'The United Kingdom'
    """
    return text[:1].upper() + text[1:]


def missing(value: object) -> bool:
    """Tell None and NaN.

    Examples
    --------
    >>> missing(None), missing(float("nan")), missing(0.0)
    (True, True, False)
    """
    return value is None or (isinstance(value, float) and math.isnan(value))


@cache
def _chapters() -> dict[str, str]:
    with (Path(__file__).parents[1] / "data" / "hs2.csv").open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["title"] for row in csv.DictReader(lines)}


def chapter(code: str) -> str:
    """Give an HS chapter's short title, in our own words.

    Examples
    --------
    >>> chapter("27"), chapter("77")
    ('Mineral fuels', 'HS 77')
    """
    return _chapters().get(code, f"HS {code}")


class Text(str):
    """Words that show as Markdown in a notebook; dollar signs are kept from becoming maths.

    JupyterLab looks for pairs of them in a paragraph, escaped or not: each stands in an element of its own.
    """

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return self.replace("$", "<span>\\$</span>")


def day(date) -> str:
    """Name a day.

    Examples
    --------
    >>> from datetime import date
    >>> day(date(2018, 9, 5))
    'September 5, 2018'
    """
    return f"{MONTHS[date.month - 1]} {date.day}, {date.year}"


def a_position(dollars: float) -> str:
    """Say what a balance is, with its size.

    Examples
    --------
    >>> a_position(-979e6)
    'a deficit of $979 million'
    """
    return "balance" if dollars == 0 else f"a {position(dollars)} of {money(dollars)}"
