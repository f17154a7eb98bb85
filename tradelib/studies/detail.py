"""Questions to the finest tables, by HS10 above all: asked of the files, answered as a small table."""

from datetime import date

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.loaders import day_of, pick, spelled
from tradelib.partners import (
    WORLD,
    Partner,
    all_partners,
    has_members,
    members,
    resolve,
    same_members,
    summed_groups,
)
from tradelib.partners import partner as partner_of
from tradelib.store import large
from tradelib.store.vintages import Vintage, list_vintages
from tradelib.tables import FLOWS, TABLES
from tradelib.windows import Window, year_to_date

OTHERS = "all others"


def contributors(
    *,
    flow: str,
    imports: str = "general",
    classification: str = "hs10",
    as_of: str | date | None = None,
    through: str,
    partner: str | int,
    nearest_later: bool = False,
    top: int = 10,
) -> pd.DataFrame:
    """Find the commodities that changed trade with a partner most, year to date on a year earlier.

    Parameters
    ----------
    flow : {"exports", "imports"}
    imports : {"general", "consumption"}
        Which import table.
    classification : str
        "hs10", or another one of which there is a table: "hs2", "hs4", "hs6", "naics", "enduse".
    as_of : str, date or Timestamp
        The newest vintage published by that day (YYYY-MM-DD) is used; "latest" for the newest there is.
    through : str
        Last month of the year to date, as YYYY-MM.
    partner : str or int
        Code, ISO code or name. For a group its own row is read; where a table has none, or one of other
        members, its members of the day are added up, and for the world all single countries.
    nearest_later : bool
        Take the earliest later vintage where there is none so early.
    top : int
        How many commodities to name.

    Returns
    -------
    DataFrame
        `item`, `now_usd`, `before_usd`, `change_usd` in dollars, `pct_of_change` (percent of the whole
        change, missing where that is 0), the largest change by size first; the last row is "all others",
        so that the rows add up exactly to the whole. Then `table`, `vintage`, `vintage_lag_days`.

    Raises
    ------
    TradelibError
        If there is no such table or vintage, if a month is missing in it, or a value.

    Examples
    --------
    >>> found = contributors(flow="exports", partner="KOR", through="2018-07", as_of="2020-12-04",
    ...     classification="hs2", top=2)
    >>> found[["item", "change_usd", "pct_of_change"]].round({"change_usd": -6, "pct_of_change": 1})
             item    change_usd  pct_of_change
    0          27  2.302000e+09           72.3
    1          85 -7.750000e+08          -24.3
    2  all others  1.659000e+09           52.1
    """
    table = _table(flow, classification, imports)
    if not isinstance(top, (int, np.integer)) or top < 1:
        raise TradelibError(f"top is {top!r}.", "Give a whole number of commodities to name, 1 or more.")
    now = year_to_date(str(spelled(table, through, what="through")))
    day = day_of(as_of)
    vintage = _vintage(table, now, day, nearest_later)
    sums = _sums(vintage, partner, now, day)
    if sums["missing"].any():
        raise TradelibError(
            f"{_named(vintage)}: {int(sums['missing'].sum())} value(s) of {resolve(partner).prose} are "
            "missing in the two windows: no contributions.",
            "A missing figure is not zero; use another month, or a vintage that has it.",
        )
    return largest(sums, top=top).assign(
        table=table, vintage=vintage.published.isoformat(), vintage_lag_days=vintage.lag_days(day)
    )


def largest(sums: pd.DataFrame, *, top: int) -> pd.DataFrame:
    """Name the items that changed most, and put the others into one row.

    Parameters
    ----------
    sums : DataFrame
        `item`, `now_usd`, `before_usd` in whole dollars, each item once, sorted by item.
    top : int
        How many to name; one that did not change is never named.

    Returns
    -------
    DataFrame
        `item`, `now_usd`, `before_usd`, `change_usd`, `pct_of_change`; the last row is "all others".

    Examples
    --------
    >>> sums = pd.DataFrame({"item": ["27", "85", "87"], "now_usd": [9.0, 2.0, 1.0],
    ...     "before_usd": [1.0, 5.0, 2.0]})
    >>> largest(sums, top=1)
             item  now_usd  before_usd  change_usd  pct_of_change
    0          27      9.0         1.0         8.0          200.0
    1  all others      3.0         7.0        -4.0         -100.0
    """
    now, before = (sums[name].to_numpy() for name in ("now_usd", "before_usd"))
    change = now - before
    first = np.argsort(-np.abs(change), kind="stable")[:top]
    first = first[change[first] != 0]
    rows = {"item": [*sums["item"].iloc[first], OTHERS]}
    for name, usd in {"now_usd": now, "before_usd": before, "change_usd": change}.items():
        rows[name] = [*usd[first], usd.sum() - usd[first].sum()]
    whole = change.sum()
    return pd.DataFrame(rows).assign(
        pct_of_change=lambda rows: 100 * rows["change_usd"] / whole if whole else np.nan
    )


def _table(flow: str, classification: str, imports: str) -> str:
    """Return the name of a table by commodity, or say what may be asked for."""
    kinds = {"exports": "exports", "imports": f"imports_{imports}"}
    table = f"{kinds.get(flow)}_{classification}_nsa"
    by_item = [name for name in TABLES if name.startswith("exports_")]
    if table not in TABLES:
        known = ", ".join(name.split("_")[1] for name in by_item)
        raise TradelibError(
            f"There is no table of flow {flow!r}, imports {imports!r}, classification {classification!r}.",
            f"Flow is {' or '.join(FLOWS)}; imports are general or consumption; classification is {known}.",
        )
    return table


def _vintage(table: str, now: Window, day: date, nearest_later: bool) -> Vintage:
    """Choose the vintage, or say how to get one where the table has none at all."""
    try:
        return pick(
            table,
            as_of=day,
            since=str(now.year_earlier.start),
            through=str(now.end),
            nearest_later=nearest_later,
        )
    except TradelibError:
        if list_vintages(table):
            raise
        raise TradelibError(
            f"There is no vintage of {table}, neither bundled nor in the store.",
            "Without a key: `tradelib fetch bulk --since YYYY-01`, from the year before on. With one of the",
            f"Census API: `tradelib update {table}`.",
        ) from None


def _sums(vintage: Vintage, partner: str | int, now: Window, day: date) -> pd.DataFrame:
    """Add up one code's own rows; without any, those of a group's members or of all countries.

    Every month of both windows must be in the vintage; a month without this partner's trade may be.
    """
    who = resolve(partner)
    wanted = {start + n for start in (now.start, now.year_earlier.start) for n in range(len(now))}

    def of(codes: list[str]) -> tuple[pd.DataFrame, set[pd.Period]]:
        return large.window_sums(vintage.files, partner=codes, now=now, before=now.year_earlier)

    lacking: list[str] = []
    sums, held = (pd.DataFrame(), set()) if _counts_others(who, vintage, now, day) else of([who.code])
    if not held and who.code == WORLD:
        sums, held = of(_single())
    elif not held and has_members(who.code):
        codes = members(who.code, day)
        lacking = [partner_of(code).name for code in codes if not of([code])[1]]
        sums, held = (sums, held) if lacking else of(codes)
    if not held:
        raise TradelibError(
            f"{_named(vintage)} has no rows of {who.prose} ({who.code}) in {now} or a year earlier"
            + (f", and none of {', '.join(lacking[:8])} among its members." if lacking else "."),
            "A table may hold single countries only, and no groups; see its partners with `load`.",
        )
    gaps = sorted(wanted - held)
    if gaps and who.code != WORLD:
        every = large.periods(vintage.files, since=now.year_earlier.start, through=now.end)
        gaps = sorted(set(gaps).difference(every))
    if gaps:
        raise TradelibError(
            f"{_named(vintage)} has no rows in {', '.join(map(str, gaps))}: no year to date.",
            "A month that is not there is not zero; end the window earlier, or get the table again.",
        )
    return sums


def _counts_others(who: Partner, vintage: Vintage, now: Window, day: date) -> bool:
    """Whether the row of a group may hold other members than on the day, in some month of the two windows."""
    if who.code not in summed_groups():
        return False
    since, until = same_members(who.code, day)
    return not since <= now.year_earlier.start.start_time.date() <= vintage.published <= until


def _single() -> list[str]:
    """List the codes that make up the world: no group, no rest of one, nothing domestic."""
    every = all_partners()
    single = every["kind"].isin(["country", "former", "other"]) & (every["code"] != "REST")
    return every.loc[single, "code"].tolist()


def _named(vintage: Vintage) -> str:
    return f"{vintage.table} of {vintage.published}"
