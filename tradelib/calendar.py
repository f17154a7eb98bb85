"""FT-900 releases: which statistical month was published when, and what was out by then."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

from tradelib.errors import TradelibError

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Release:
    """One FT-900 release: its statistical month, its publication date and how that is known.

    `published` is None where the date is not established.
    """

    month: str
    published: date | None
    how_known: str

    @property
    def period(self) -> pd.Period:
        """The statistical month as a pandas Period."""
        return pd.Period(self.month, "M")

    @property
    def default_as_of(self) -> date:
        """The publication date; where it is not established, a day by which it was surely out.

        FT-900 releases appear within five to six weeks, so that the end of the second month
        after the statistical month is late enough in all years but those of long shutdowns.
        """
        return self.published or (self.period + 2).end_time.date()


@cache
def all_releases() -> pd.DataFrame:
    """Return the bundled release calendar.

    Returns
    -------
    DataFrame
        `month` (YYYY-MM), `published` (ISO date), `how_known` ("seen: ..." or "inferred ...").

    Examples
    --------
    >>> all_releases().query("month == '2018-07'").published.item()
    '2018-09-05'
    """
    return pd.read_csv(DATA / "releases.csv", dtype="str")


def release(month: str) -> Release:
    """Look up the FT-900 release of a statistical month.

    Parameters
    ----------
    month : str
        Statistical month as YYYY-MM.

    Returns
    -------
    Release
        With `published` None where the date is not established.

    Raises
    ------
    TradelibError
        If it is not a month.

    Examples
    --------
    >>> release("2018-07").published
    datetime.date(2018, 9, 5)
    """
    text = str(month).strip()
    if not re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", text):
        raise TradelibError(
            f"{text!r} is not a month.",
            "A release is named by its statistical month, YYYY-MM, such as 2018-07.",
            "See the known ones with `tradelib releases`.",
        )
    found = all_releases().loc[lambda table: table["month"] == text]
    if found.empty:
        return Release(text, None, "not established")
    row = found.iloc[0]
    return Release(text, date.fromisoformat(row["published"]), row["how_known"])


def parse_date(text: str | date, what: str = "date") -> date:
    """Read an ISO date, or say what is wrong with it.

    Examples
    --------
    >>> parse_date("2018-10-05")
    datetime.date(2018, 10, 5)
    """
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(str(text).strip())
    except ValueError:
        raise TradelibError(
            f"{what} {text!r} is not a date.", "Give it as YYYY-MM-DD, such as 2018-10-05."
        ) from None


def quarter_out(month: pd.Period) -> pd.Period:
    """Return the latest quarter of goods and services by country out with a release.

    Quarters arrive with the releases of the January, April, July and October months.

    Examples
    --------
    >>> quarter_out(pd.Period("2018-07", "M")), quarter_out(pd.Period("2018-09", "M"))
    (Period('2018Q2', 'Q-DEC'), Period('2018Q2', 'Q-DEC'))
    """
    return (month - 1).asfreq("Q") if (month - 1).month % 3 == 0 else month.asfreq("Q") - 1


@cache
def _universes() -> pd.DataFrame:
    return pd.read_csv(DATA / "universes.csv", dtype="str", keep_default_na=False)


def universe(on: date) -> tuple[list[str], str]:
    """Return the countries that Exhibit 20 listed in the release of a date.

    A rank among them belongs to that list: it had 15 countries in 2018 and 23 in 2025.

    Parameters
    ----------
    on : date
        Publication date (or the day taken for it).

    Returns
    -------
    codes : list of str
        Schedule C codes.
    how_known : str
        "seen in ..." between dates at which the list was seen, "assumed ..." outside them.

    Examples
    --------
    >>> codes, how_known = universe(date(2018, 9, 5))
    >>> len(codes)
    15
    """
    lists = _universes().groupby("universe", sort=False)
    day, best = on.isoformat(), None
    for _, rows in lists:
        first, last, source = rows[["first_seen", "last_seen", "source"]].iloc[0]
        codes = rows["code"].tolist()
        if first <= day <= last:
            return codes, f"the {len(codes)} countries of Exhibit 20 ({source})"
        gap = max(pd.Timestamp(first) - pd.Timestamp(day), pd.Timestamp(day) - pd.Timestamp(last))
        if best is None or gap < best[0]:
            best = (gap, codes, f"{first} to {last}")
    _, codes, span = best
    return codes, (f"the {len(codes)} countries of Exhibit 20 as seen {span}; its list on {day} is assumed")
