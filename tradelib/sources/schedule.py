"""BEA's release schedule: when the next FT-900 releases are due, and which slots were suspended.

The page is read by its labels, never by position. Census lists the same slots, with the statistical
month in a column of its own, and is read too. What was read is kept in the user's store, on top of the
bundled releases.
"""

import re
from datetime import date
from pathlib import Path

import pandas as pd
from bs4 import BeautifulSoup, Tag

from tradelib import releases
from tradelib.errors import TradelibError
from tradelib.sources import apart, download
from tradelib.store import files
from tradelib.style.words import MONTH_NUMBERS

URL = "https://www.bea.gov/news/schedule"
TITLE = "U.S. International Trade in Goods and Services"
_NAMES = "|".join(MONTH_NUMBERS)
_TITLE = re.compile(
    r"^(?:monthly )?u\.? ?s\.? international trade in goods and services\b(.*)$", re.IGNORECASE
)
_PERIOD = re.compile(rf"\b({_NAMES})(?: and annual)?,? ((?:19|20)\d\d)\b", re.IGNORECASE)
_DAY = re.compile(rf"\b({_NAMES}) (\d{{1,2}})(?:st|nd|rd|th)?\b(?:, ((?:19|20)\d\d))?", re.IGNORECASE)
_OFF = re.compile(r"suspend|cancel|postpone|to be (?:announced|determined)|\btb[ad]\b", re.IGNORECASE)
LONGEST_WAIT_D = 200  # after the end of the month; a date later than that is another year's


def fetch_schedule() -> bytes:
    """Ask BEA for the page of its release schedule."""
    return download.get_file(URL, name="BEA's release schedule", page=True).content


def parse_schedule(data: bytes) -> pd.DataFrame:
    """Read the FT-900 slots from a page of BEA's or of Census's that lists releases, one row for each month.

    The columns are those of `releases.all_releases`. The status is "scheduled", or "suspended" where the page
    gives no day that holds; it never says what was published.
    """
    lines = BeautifulSoup(data, "html.parser").find_all("tr")
    slots: dict[str, set[str]] = {}
    for line in lines:
        found = _slot(line)
        if found:
            slots.setdefault(found[0], set()).add(found[1])
    if not slots:
        seen = "; ".join(repr(_text(line)[:80]) for line in lines[:3])
        text = " ".join(data[:120].decode(errors="replace").split())
        seen = seen or (repr(text) if text else "nothing at all")
        raise TradelibError(
            f"The page has no row {TITLE!r}; it is no release schedule, or its form has changed.",
            f"Seen instead: {seen}.",
            "Nothing was changed; the calendar that tradelib brings goes on working.",
        )
    rows = [_row(month, days - {""}) for month, days in sorted(slots.items())]
    return pd.DataFrame(rows, columns=releases.COLUMNS, dtype="str")


def _slot(line: Tag) -> tuple[str, str] | None:
    """The statistical month of an FT-900 row and its day, empty where none holds; None for other rows."""
    cells = [_text(cell) for cell in line.find_all(["td", "th"])]
    titles = [cell for cell in cells if _TITLE.match(cell)]
    if not titles:
        return None
    tail = _TITLE.match(titles[0])[1]
    others = [cell for cell in cells if cell != titles[0]]
    period = _PERIOD.search(tail) or next(filter(None, map(_PERIOD.fullmatch, others)), None)
    if period is None:
        if re.search(r"annual|revision|update", tail, re.IGNORECASE):
            return None  # its annual revision has a row of its own, beside the month's
        raise TradelibError(f"The schedule's row {' | '.join(filter(None, cells))!r} names no month.")
    month = pd.Period(year=int(period[2]), month=MONTH_NUMBERS[period[1].lower()], freq="M")
    if _OFF.search(" ".join([*others, tail])):
        return str(month), ""
    marked = line.find(class_="release-date")
    days = [_DAY.search(cell) for cell in ([_text(marked)] if marked else others)]
    day = next((_year_of(found, month) for found in days if found), None)
    if day is None:
        raise TradelibError(f"The schedule's row {' | '.join(filter(None, cells))!r} has no day that fits.")
    return str(month), day.isoformat()


def _year_of(found: re.Match, month: pd.Period) -> date | None:
    """The day after the end of the statistical month; a year that is printed has to agree."""
    end = month.end_time.date()
    for year in [int(found[3])] if found[3] else [end.year, end.year + 1]:
        try:
            day = date(year, MONTH_NUMBERS[found[1].lower()], int(found[2]))
        except ValueError:
            continue
        if 0 < (day - end).days <= LONGEST_WAIT_D:
            return day
    return None


def _row(month: str, days: set[str]) -> tuple[str, ...]:
    if len(days) > 1:
        raise TradelibError(f"The schedule gives {month} more than one day: {', '.join(sorted(days))}.")
    return month, *(days or {""}), "", "scheduled" if days else "suspended", "seen: BEA schedule"


def _text(element: Tag) -> str:
    return " ".join(element.get_text(" ").split())


def save_schedule(table: pd.DataFrame) -> Path:
    """Keep a schedule in the user's store; slots kept before stay, where the new one does not name them."""
    path = releases.refreshed_path()
    table = releases.read_table(table.to_csv(index=False), "The schedule")
    if path.exists():
        before = releases.read_table(files.read_bytes(path).decode(errors="replace"), str(path))
        before = before.loc[~before["month"].isin(table["month"])]
        table = pd.concat([before, table]).sort_values("month", ignore_index=True)
    files.write_over(path, table.to_csv(index=False).encode())
    return path


def refresh() -> pd.DataFrame:
    """Ask BEA for its schedule, keep it, and return its slots."""
    page = fetch_schedule()
    table = apart.call(parse_schedule, page, size=len(page))
    save_schedule(table)
    return table
