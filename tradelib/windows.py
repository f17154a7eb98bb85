"""Spans of months, quarters or years, compared by calendar."""

import re
from dataclasses import dataclass

import pandas as pd

from tradelib.errors import TradelibError

NAMES = {"M": "months", "Q": "quarters", "Y": "years"}
SPELLINGS = {
    "M": r"[0-9]{4}-(0[1-9]|1[0-2])",
    "Q": r"[0-9]{4}-?[Qq][1-4]",
    "Y": r"[0-9]{4}",
}


@dataclass(frozen=True, slots=True)
class Window:
    """A span of months, quarters or years, both ends included.

    Parameters
    ----------
    start, end : Period or str
        First and last period, such as "2018-01" and "2018-07", or "2018Q1" and "2018Q2".

    Examples
    --------
    >>> window = Window("2018-01", "2018-07")
    >>> window, str(window.year_earlier), len(window)
    (Window(2018-01..2018-07), '2017-01..2017-07', 7)
    """

    start: pd.Period
    end: pd.Period

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            object.__setattr__(self, name, as_period(getattr(self, name), what=name))
        if self.start.freqstr != self.end.freqstr or self.start > self.end:
            raise TradelibError(
                f"A window cannot reach from {self.start} to {self.end}.",
                "Give two months, two quarters or two years, the earlier one first.",
            )

    def __str__(self) -> str:
        return str(self.start) if self.start == self.end else f"{self.start}..{self.end}"

    def __repr__(self) -> str:
        return f"Window({self})"

    def __len__(self) -> int:
        return self.end.ordinal - self.start.ordinal + 1

    @property
    def year_earlier(self) -> "Window":
        """The same periods of the year before."""
        year = {"M": 12, "Q": 4, "Y": 1}[self.end.freqstr[0]]
        return Window(self.start - year, self.end - year)


def as_period(given: pd.Period | str, *, what: str = "period") -> pd.Period:
    """Read a month, quarter or year, or say how one is written."""
    if isinstance(given, pd.Period) and given.freqstr[0] in SPELLINGS:
        return given
    text = str(given).strip()
    for freq, spelling in SPELLINGS.items():
        if re.fullmatch(spelling, text):
            return pd.Period(text, freq)
    raise TradelibError(
        f"{what} {text!r} is not a month, a quarter or a year.",
        'A month is written YYYY-MM, such as "2018-07"; a quarter "2018Q2"; a year "2018".',
    )


def as_window(given: str) -> Window:
    """Read a period, or a span of two, such as "2018-01..2018-07"."""
    first, _, last = str(given).partition("..")
    return Window(as_period(first), as_period(last or first))


def year_to_date(through: pd.Period | str) -> Window:
    """Return the window from the first period of a year through the one given.

    Parameters
    ----------
    through : Period or str
        Last month ("2018-07") or quarter ("2018Q2").

    Returns
    -------
    Window

    Raises
    ------
    TradelibError
        If it is not a period.

    Examples
    --------
    >>> year_to_date("2018-07"), year_to_date(through=pd.Period("2018Q2", "Q"))
    (Window(2018-01..2018-07), Window(2018Q1..2018Q2))
    """
    last = as_period(through, what="through")
    return Window(pd.Period(f"{last.year}-01", last.freqstr), last)


def full_year(year: int, freq: str = "M") -> Window:
    """Return the window of a whole calendar year in months ("M") or quarters ("Q").

    Parameters
    ----------
    year : int
    freq : {"M", "Q", "Y"}

    Returns
    -------
    Window

    Raises
    ------
    TradelibError
        If it is no year or no such frequency.

    Examples
    --------
    >>> full_year(2017), full_year(2017, "Q")
    (Window(2017-01..2017-12), Window(2017Q1..2017Q4))
    """
    if freq not in NAMES or not re.fullmatch(SPELLINGS["Y"], str(year)):
        raise TradelibError(
            f"There is no year {year!r} in {freq!r}.",
            'Give a year such as 2017, and "M" for months, "Q" for quarters or "Y" for the year itself.',
        )
    return Window(pd.Period(f"{year}-01", freq), pd.Period(f"{year}-12", freq))
