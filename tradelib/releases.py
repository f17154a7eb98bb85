"""FT-900 releases: which statistical month was published when, what is due, and what was out by then.

The bundled calendar (`data/releases.csv`) says for each date how it is known. A schedule that the user
refreshed (see `schedule`) lies on top of it, in the store; it never changes a publication date that was seen.
"""

import re
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.store import files

DATA = Path(__file__).parent / "data"
#: Releases appear at 08:30 in Washington, and files are dated by its clock.
WASHINGTON = ZoneInfo("America/New_York")
COLUMNS = ["month", "scheduled", "published", "status", "how_known"]
#: "scheduled" holds a slot; "suspended" was taken off the schedule and has no slot that holds.
STATUSES = ("published", "scheduled", "suspended")
NOT_ESTABLISHED = "not established"
MONTH = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])"
REMOTE_S = 60  # a calendar in an object store is looked at again after so many seconds


@dataclass(frozen=True, slots=True)
class Release:
    """One FT-900 release: its statistical month, its dates, and how they are known.

    `published` is None where the date is not established, `scheduled` where no slot is known.
    """

    month: str
    published: date | None
    how_known: str
    scheduled: date | None = None
    status: str = ""

    def __post_init__(self) -> None:
        if not self.status:
            object.__setattr__(self, "status", "published" if self.published else NOT_ESTABLISHED)

    @property
    def period(self) -> pd.Period:
        """The statistical month as a pandas Period."""
        return pd.Period(self.month, "M")

    @property
    def day(self) -> date | None:
        """The publication date; where there is none yet, the slot; None where neither holds."""
        return self.published or (self.scheduled if self.status == "scheduled" else None)

    @property
    def default_as_of(self) -> date:
        """The publication date or the slot; without either, a day by which it was surely out.

        FT-900 releases appear within five to seven weeks, so that the end of the second month
        after the statistical month is late enough in all years but those of long shutdowns.
        """
        return self.day or (self.period + 2).end_time.date()


def all_releases() -> pd.DataFrame:
    """Return the release calendar: the bundled one, with the user's refreshed schedule on top.

    Dates are ISO text, empty where unknown; a month of which nothing is established has no row.
    """
    return _calendar(*_refreshed())[0]


def refreshed_path() -> Path:
    """Return the place in the user's store where a refreshed schedule is kept."""
    return files.store_path() / "calendar" / "releases.csv"


def _refreshed() -> tuple[Path, str]:
    """The refreshed schedule and what changes whenever it does; empty while there is none."""
    path = refreshed_path()
    if files.is_remote(path):
        return path, f"minute {time.monotonic() // REMOTE_S}"
    try:
        found = path.stat()
    except OSError:
        return path, ""
    return path, f"{found.st_mtime_ns} {found.st_size}"


@lru_cache(maxsize=8)
def _calendar(path: Path, stamp: str) -> tuple[pd.DataFrame, dict[str, Release]]:
    table = read_table((DATA / "releases.csv").read_text(encoding="utf-8"), "releases.csv")
    if stamp and path.exists():
        table = overlay(table, read_table(files.read_bytes(path).decode(errors="replace"), str(path)))
    return table, {row["month"]: _release(row) for row in table.to_dict("records")}


def _release(row: Mapping[Hashable, str]) -> Release:
    published, slot = (
        date.fromisoformat(row[day]) if row[day] else None for day in ("published", "scheduled")
    )
    return Release(row["month"], published, row["how_known"], slot, row["status"])


def read_table(text: str, where: str) -> pd.DataFrame:
    """Read a calendar from CSV text, and refuse one that is no calendar, naming the first wrong row."""
    try:
        table = pd.read_csv(StringIO(text), dtype="str", keep_default_na=False)
    except ValueError:  # empty, or not CSV
        table = pd.DataFrame()
    if list(table.columns) != COLUMNS:
        raise _no_calendar(where, f"its columns are {', '.join(map(str, table.columns[:8])) or 'none'}")
    for month, scheduled, published, status, how_known in table.astype("object").to_numpy().tolist():
        needed = {"published": published, "scheduled": scheduled}.get(status, "-")
        days = [_is_day_after(month, day) for day in (scheduled, published) if day]
        right = re.fullmatch(MONTH, month) and status in STATUSES and needed and how_known
        if not right or not all(days) or (published and status != "published"):
            raise _no_calendar(
                where, f"it has the row {f'{month},{scheduled},{published},{status},{how_known}'!r}"
            )
    if table["month"].duplicated().any():
        raise _no_calendar(where, f"{table.loc[table['month'].duplicated(), 'month'].iloc[0]} is there twice")
    return table.sort_values("month", ignore_index=True)


def _is_day_after(month: str, text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text and month < text[:7] < f"{int(month[:4]) + 2}"
    except ValueError:
        return False


def _no_calendar(where: str, why: str) -> TradelibError:
    return TradelibError(
        f"{where} is not a release calendar: {why}.",
        f"Its columns are {', '.join(COLUMNS)}; dates are YYYY-MM-DD, within two years after their month.",
        f"A status is one of {', '.join(STATUSES)}.",
        "Remove it, or refresh it; the bundled calendar is untouched.",
    )


def overlay(bundled: pd.DataFrame, refreshed: pd.DataFrame) -> pd.DataFrame:
    """Lay a newer calendar on an older one, month by month.

    A publication date that was seen stays. One that was inferred gives way to a publication date only,
    not to a slot. Everything else, and every new month, comes from the newer one.
    """
    old, new = bundled.set_index("month"), refreshed.set_index("month")
    kept = old["published"].ne("")
    seen = kept & old["how_known"].str.startswith("seen")
    inferred = kept & ~seen
    better = new.index[new["published"].ne("")]
    stays = old.index[seen | (inferred & ~old.index.isin(better))]
    new = new.loc[~new.index.isin(stays)]
    both = pd.concat([old.loc[~old.index.isin(new.index)], new]).sort_index()
    return both.reset_index()[COLUMNS]


def release(month: str) -> Release:
    """Look up the FT-900 release of a statistical month (YYYY-MM); it may have no date."""
    text = str(month).strip()
    if not re.fullmatch(MONTH, text):
        raise TradelibError(
            f"{text!r} is not a month.",
            "A release is named by its statistical month, YYYY-MM, such as 2018-07.",
            "See the known ones with `tradelib releases`.",
        )
    return _calendar(*_refreshed())[1].get(text) or Release(text, None, NOT_ESTABLISHED)


def due(today: date) -> list[Release]:
    """List the releases that are out by a day, or whose slot has come; a suspended slot never does."""
    return [found for found in _calendar(*_refreshed())[1].values() if found.day and found.day <= today]


def newest_due(today: date) -> Release | None:
    """Return the release of the newest statistical month that is out or due by a day."""
    return max(due(today), key=lambda found: found.month, default=None)


def next_due(today: date) -> Release | None:
    """Return the release that comes next after a day, by the slots that are known."""
    coming = [found for found in _calendar(*_refreshed())[1].values() if found.day and found.day > today]
    return min(coming, key=lambda found: (found.day, found.month), default=None)


def today() -> date:
    """Return the day it is in Washington, by whose clock releases appear."""
    return datetime.now(WASHINGTON).date()


def parse_date(given: str | date | np.datetime64, what: str = "date") -> date:
    """Read an ISO date, a datetime or a pandas Timestamp as a day, or say what is wrong with it."""
    try:
        if isinstance(given, np.datetime64):
            given = pd.Timestamp(given)
        if isinstance(given, datetime) and not pd.isna(given):  # a pandas Timestamp is one, and so is NaT
            return given.date()
        if isinstance(given, date) and not isinstance(given, datetime):
            return given
        return date.fromisoformat(str(given).strip())
    except ValueError:
        raise TradelibError(
            f"{what} {given!r} is not a date.", "Give it as YYYY-MM-DD, such as 2018-10-05."
        ) from None


def quarter_out(month: pd.Period) -> pd.Period:
    """Return the latest quarter of goods and services by country out with a release.

    Quarters arrive with the releases of the January, April, July and October months.
    """
    return (month - 1).asfreq("Q") if (month - 1).month % 3 == 0 else month.asfreq("Q") - 1


@cache
def same_cycle(earlier: date, later: date) -> bool:
    """Tell whether no annual revision, in June, lies between two days."""
    for year in range(earlier.year, later.year + 1):
        published = release(f"{year}-04").published
        first, last = (published, published) if published else (date(year, 6, 1), date(year, 6, 15))
        if earlier < last and later >= first:
            return False
    return True
