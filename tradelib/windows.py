"""Spans of months, quarters or years, compared by calendar."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True)
class Window:
    """A span of months, quarters or years, both ends included.

    Examples
    --------
    >>> window = Window(pd.Period("2018-01", "M"), pd.Period("2018-07", "M"))
    >>> str(window), str(window.year_earlier), len(window)
    ('2018-01..2018-07', '2017-01..2017-07', 7)
    """

    start: pd.Period
    end: pd.Period

    def __str__(self) -> str:
        return str(self.start) if self.start == self.end else f"{self.start}..{self.end}"

    def __len__(self) -> int:
        return self.end.ordinal - self.start.ordinal + 1

    @property
    def year_earlier(self) -> "Window":
        """The same periods of the year before."""
        year = {"M": 12, "Q": 4, "Y": 1}[self.end.freqstr[0]]
        return Window(self.start - year, self.end - year)


def year_to_date(through: pd.Period) -> Window:
    """Return the window from the first period of a year through the one given.

    Examples
    --------
    >>> str(year_to_date(pd.Period("2018Q2", "Q")))
    '2018Q1..2018Q2'
    """
    return Window(pd.Period(f"{through.year}-01", through.freqstr), through)


def full_year(year: int, freq: str) -> Window:
    """Return the window of a whole calendar year in months ("M") or quarters ("Q").

    Examples
    --------
    >>> str(full_year(2017, "M"))
    '2017-01..2017-12'
    """
    return Window(pd.Period(f"{year}-01", freq), pd.Period(f"{year}-12", freq))
