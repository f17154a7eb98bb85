"""Which vintage of each table a brief rests on, and how it stands to the day.

Census revises partner detail once a year, with the release of the April month in June. Between two
such revisions a later country table, cut at the release's month, holds what was on the table on
release day. Canada, the World rows and areas that contain Canada are the exception: they are revised
every month.
"""

import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import pandas as pd

from tradelib import loaders, releases
from tradelib.errors import TradelibError
from tradelib.partners import WORLD
from tradelib.store import vintages
from tradelib.style import words
from tradelib.tables import (
    ALL_RELEASED,
    DETAIL_TABLES,
    EXPORT_CHAPTERS,
    EXPORT_NAICS,
    GOODS,
    GOODS_RELEASED,
    GOODS_SA,
    GOODS_SA_RELEASED,
    IMPORT_CHAPTERS,
    PROVISIONS,
    RELEASED,
    TARIFF_PARTS,
    TARIFF_YEARS,
    TARIFFS,
    TRADE,
    TRADE_YEARS,
    WORLD_MONTHS,
    table_info,
)
from tradelib.windows import year_to_date

CANADA = "1220"
TARIFF_MONTHS = (23, 12, 0)  # before the statistical month: two years, a year earlier, or nothing of that
#: Rows that are revised every month: Canada, the World, product totals, and areas with Canada in them.
REVISED_MONTHLY = frozenset(
    ["1220", "0004", "0015", "0006", "0007", "0010", "0022", "1XXX", "USMCA", "OECD", "NATO", "APEC"]
)
#: Partner detail of this table is revised only once a year.
YEARLY_REVISED = GOODS
#: Tables that a release printed for its own month: no other vintage has the same months.
OF_RELEASE = frozenset([*ALL_RELEASED.values(), *GOODS_RELEASED.values(), GOODS_SA_RELEASED])
#: Tables beside the ones that every brief needs: seasonally adjusted goods, and years.
OFFICIAL = (GOODS_SA, TRADE_YEARS, GOODS_SA_RELEASED)


def behind(day: date) -> str | None:
    """Say how old the country tables at hand are, if a release that is out by a day is not among them."""
    due, tables = releases.newest_due(day), vintages.list_vintages(GOODS)
    newest = max(tables, key=lambda vintage: (vintage.through, vintage.published), default=None)
    if due is None or newest is None or newest.through >= due.month:
        return None
    told = "published" if due.published else "due"
    return (
        f"The newest country table at hand is of {newest.published} (through {newest.through}); "
        f"that of the FT-900 of {due.month}, {told} {due.day}, is not at hand."
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """A vintage for each table, and why others are absent."""

    sources: dict[str, vintages.Vintage]
    absent: dict[str, str]

    @property
    def chapters(self) -> list[str]:
        """The commodity tables among them, exports first."""
        known = (EXPORT_CHAPTERS, *IMPORT_CHAPTERS, *DETAIL_TABLES)
        return [table for table in known if table in self.sources]

    @property
    def released(self) -> dict[str, str]:
        """The tables of the release's own goods, by "month" and "ytd"; empty if they are not used."""
        both = (ALL_RELEASED, GOODS_RELEASED)
        return next((tables for tables in both if set(tables.values()) <= set(self.sources)), {})

    @property
    def official(self) -> list[str]:
        """The official tables beside them."""
        return [table for table in OFFICIAL if table in self.sources]

    @property
    def tariffs(self) -> list[str]:
        """The tables of duties among them: of all goods, of that day by industry or chapter; by provision."""
        mine = self.sources.get(TARIFFS)
        same = [t for t in TARIFF_PARTS if mine and self.sources.get(t, mine).published == mine.published]
        parts = [TARIFFS, *[table for table in same if table in self.sources][:1]] if mine else []
        return [*parts, *[PROVISIONS] * (PROVISIONS in self.sources)]

    def carried(self, release: releases.Release) -> "Selection":
        """The same vintages for a brief of another release: those that hold all that it needs."""
        month, spans = release.period, needed(release)
        kept = {}
        for table, vintage in self.sources.items():
            since, through = spans.get(table, (month - 12, month))
            whole = vintage.since <= str(since) and vintage.through >= str(through)
            if whole and (table not in OF_RELEASE or vintage.through == str(month)):
                kept[table] = vintage
        gone = {table: vintage for table, vintage in self.sources.items() if table not in kept}
        why = {table: f"{table} of {v.published} has no {release.month}" for table, v in gone.items()}
        return Selection(kept, self.absent | why)


def used_by(code: str, sources: Mapping[str, vintages.Vintage]) -> dict[str, vintages.Vintage]:
    """The vintages that a brief on one partner rests on: all but, for most, the months of the world."""
    return {name: one for name, one in sources.items() if name != WORLD_MONTHS or code == WORLD}


def needed(release: releases.Release) -> dict[str, tuple[pd.Period, pd.Period]]:
    """The first and the last period that a brief needs of each table."""
    month, quarter = release.period, releases.quarter_out(release.period)
    year = pd.Period(str(last_full_year(quarter)), "Y")
    spans = {GOODS: (month, month), TRADE: (quarter, quarter)}
    spans |= dict.fromkeys(
        (EXPORT_CHAPTERS, *IMPORT_CHAPTERS, *DETAIL_TABLES), (month - month.month - 11, month)
    )
    spans[RELEASED] = (year_to_date(quarter).year_earlier.start, quarter)
    return spans | {
        GOODS_SA: (month, month),
        TRADE_YEARS: (year, year),
        WORLD_MONTHS: (month, month),
        GOODS_SA_RELEASED: (month - 1, month),
        TARIFFS: (month, month),
        TARIFF_PARTS[0]: (month, month),
        PROVISIONS: (month, month),
        TARIFF_YEARS: (whole_year(month),) * 2,
    }


def whole_year(month: pd.Period) -> pd.Period:
    """The last calendar year that is over with a month."""
    return pd.Period(str(month.year - (month.month < 12)), "Y")


def choose(release: releases.Release, day: date, *, strict: bool = False) -> Selection:
    """Choose, for each table of a brief, the vintage of a day that reaches a release."""
    month, spans = release.period, needed(release)
    details = [name for name in DETAIL_TABLES if name == EXPORT_NAICS or vintages.list_vintages(name)]
    wanted = (GOODS, TRADE, EXPORT_CHAPTERS, *IMPORT_CHAPTERS, *details)
    sources, absent, late = _choose({table: spans[table] for table in wanted}, day)
    _of_one_day(sources, spans)
    _prefer_released(spans[RELEASED], day, sources)
    _prefer_released_goods(month, day, sources)
    official = _official(month, spans, day, strict=strict)
    if strict:
        _refuse_later(day, sources, absent, late)
    first = [table for table in IMPORT_CHAPTERS if table in sources][:1]
    for table in set(IMPORT_CHAPTERS) - set(first):
        sources.pop(table, None)
    tariffs = _tariffs(month, day, sources, strict=strict)
    if GOODS in absent and TARIFFS not in tariffs:
        reach = vintages.list_vintages(GOODS)
        span = f"{min(v.since for v in reach)} to {max(v.through for v in reach)}" if reach else "none"
        raise TradelibError(
            f"No country table reaches {release.month}.",
            f"The months there are: {span}.",
            "Get a newer one with `tradelib update`, or `tradelib ingest country.xlsx` where it is at hand.",
        )
    if TARIFFS not in tariffs:
        absent[TARIFFS] = _absence(TARIFFS, month, month)
    return Selection(sources | official | tariffs, absent)


def _tariffs(month: pd.Period, day: date, sources: dict, *, strict: bool) -> dict:
    """Find the duties of the month, with what there is before it, and their parts of the same vintage."""
    found: dict = {}
    for later, back in itertools.product((False,) if strict else (False, True), TARIFF_MONTHS):
        if vintage := _pick(TARIFFS, day, month - back, month, later=later):
            found[TARIFFS] = vintage
            break
    industries, chapters = TARIFF_PARTS
    if found and (same := _of_day(industries, found[TARIFFS].published)):
        found[industries] = same
    elif found and chapters in sources and (same := _of_day(TARIFFS, sources[chapters].published)):
        found[TARIFFS] = same  # so that the chapters of the brief are its parts
    for table, period in ((PROVISIONS, month), (TARIFF_YEARS, whole_year(month))):
        if vintage := _pick(table, day, period, period, later=not strict):
            found[table] = vintage
    return found


def _pick(
    table: str, day: date, since: pd.Period, through: pd.Period, *, later: bool
) -> vintages.Vintage | None:
    """The vintage of a day, or the earliest `later` one, that has all from one period to another."""
    with suppress(TradelibError):
        span = {"since": str(since), "through": str(through)}
        return loaders.pick(table, as_of=day, nearest_later=later, **span)
    return None


def _of_day(table: str, published: date) -> vintages.Vintage | None:
    """The vintage of a table that came out on a day; None where there is none."""
    return next((v for v in vintages.list_vintages(table) if v.published == published), None)


def _of_one_day(sources: dict, spans: dict) -> None:
    """Take imports by chapter of the same day as exports, where they are at hand: one is less the other."""
    exports = sources.get(EXPORT_CHAPTERS)
    for table in IMPORT_CHAPTERS if exports else ():
        same, (since, through) = _of_day(table, exports.published), spans[table]
        if table in sources and same and same.since <= str(since) and same.through >= str(through):
            sources[table] = same


def _absence(table: str, since: pd.Period, through: pd.Period) -> str:
    """Say why no vintage of a table was taken that has all from one period to another."""
    title, held = table_info(table).title, vintages.list_vintages(table)
    spans = dict.fromkeys((v.since, v.through) for v in held)
    widest = [one for one in spans if not any(o != one and o[0] <= one[0] and o[1] >= one[1] for o in spans)]
    ends = [[pd.Period(end, through.freqstr) for end in span] for span in widest]
    has = words.series([" to ".join(map(words.period, one)) for one in ends])
    wanted = " to ".join(map(words.period, dict.fromkeys((since, through))))
    wanted = wanted if since == through else f"all of {wanted}"
    return f'the table "{title}" covers {has}, not {wanted}' if has else f"no vintage of {table} is at hand"


def _choose(spans: dict, day: date) -> tuple[dict, dict, dict]:
    """Pick a vintage for each table; tell apart 'only later ones' and 'none at all'."""
    sources, absent, late = {}, {}, {}
    for table, (since, through) in spans.items():
        vintage = _pick(table, day, since, through, later=True)
        if vintage is None:
            absent[table] = _absence(table, since, through)
            continue
        sources[table] = vintage
        if lag := vintage.lag_days(day):
            late[table] = f"{table}: the earliest is of {vintage.published}, {lag} days later"
    return sources, absent, late


def _official(month: pd.Period, spans: dict, day: date, *, strict: bool) -> dict:
    """Find the adjusted months, the full years and the world's months; what is not at hand is left out."""
    found = {}
    for table in (*OFFICIAL, WORLD_MONTHS):
        own = table in OF_RELEASE
        vintage = _pick(table, day, *spans[table], later=not (strict or own))
        if vintage and (not own or vintage.through == str(month)):
            found[table] = vintage
    return found


def last_full_year(quarter: pd.Period) -> int:
    """The last year of which all quarters are out."""
    return quarter.year if quarter.quarter == 4 else quarter.year - 1


def _prefer_released(span: tuple[pd.Period, pd.Period], day: date, sources: dict) -> None:
    """Add Exhibit 20 of a release of that day, where it is nearer to the day than BEA's long table."""
    printed, table = _pick(RELEASED, day, *span, later=False), sources.get(TRADE)
    if printed and (not table or table.lag_days(day) or table.published < printed.published):
        sources[RELEASED] = printed


def _prefer_released_goods(month: pd.Period, day: date, sources: dict) -> None:
    """Add the goods that this very release printed, where the country table came out later."""
    if GOODS not in sources or not sources[GOODS].lag_days(day):
        return
    for tables in (ALL_RELEASED, GOODS_RELEASED):
        found = {table: _pick(table, day, month - 12, month, later=False) for table in tables.values()}
        if all(vintage and vintage.through == str(month) for vintage in found.values()):
            sources |= found
            return


def _refuse_later(day: date, sources: dict, absent: dict, late: dict) -> None:
    """Refuse what is only there in later vintages; BEA's long table may be left out for Exhibit 20."""
    if RELEASED in sources and TRADE in late:
        absent[TRADE] = f"no vintage of {TRADE} published by {day}"
        del late[TRADE], sources[TRADE]
    if late:
        raise TradelibError(
            f"--strict: on {day} these tables were not there in a vintage that we hold:",
            *late.values(),
            "Give a later --as-of, add the vintage with `tradelib fetch` or `tradelib ingest`, or leave "
            "--strict out.",
        )


def vintage_method(vintage: vintages.Vintage, as_of: date, code: str) -> str:
    """Say how a vintage stands to the day whose knowledge is wanted."""
    if vintage.published <= as_of:
        return "published"
    once_a_year = vintage.table == YEARLY_REVISED and vintage.dated_by == "published"
    if once_a_year and releases.same_cycle(as_of, vintage.published) and code not in REVISED_MONTHLY:
        return "reconstructed"
    return "later"
