"""What is new at the publishers, fetched, checked and kept; and what it changed."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from tradelib import releases
from tradelib.errors import StoredOtherwise, TradelibError
from tradelib.partners import partner
from tradelib.releases import WASHINGTON, Release
from tradelib.sources import bulk, census_files, download, ingest, publishers, schedule
from tradelib.sources.continuity import totals
from tradelib.sources.publishers import File, Source
from tradelib.store import vintages
from tradelib.store.differences import Difference, compare
from tradelib.store.files import scratch
from tradelib.store.vintages import Vintage
from tradelib.style.words import signed_money
from tradelib.tables import DISTRICTS, KINDS, TABLES, check_flows


@dataclass(frozen=True, slots=True)
class Step:
    """What there is to do for one source, and why; known before anything is fetched."""

    source: Source
    todo: bool
    why: str
    failed: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of one source."""

    source: Source
    kept: list[tuple[Vintage, bool]] = field(default_factory=list)
    left: list[Vintage] = field(default_factory=list)  # of another source, which came first
    differences: list[tuple[Vintage, Difference]] = field(default_factory=list)
    transferred: int = 0
    error: str | None = None


def plan(names: Iterable[str] = (), *, on: date, every: bool = False) -> list[Step]:
    """Say for each source whether there is anything to fetch; only file headers are asked for.

    `names` are sources or tables; all everyday sources unless given, with `every` the large ones too.
    """
    chosen = list(dict.fromkeys(map(publishers.find_source, names)))
    chosen = chosen or [one for one in publishers.SOURCES.values() if one.everyday or every]
    return [_step(source, on) for source in chosen]


def _step(source: Source, on: date) -> Step:
    try:
        if source.key or source.kind == "bulk":
            return _release_step(source, on)
        changed, told, sha256 = publishers.look_at(source)
    except TradelibError as error:
        return Step(source, False, str(error).splitlines()[0], failed=True)
    if not changed:
        made = [
            {made["sha256"] for v in vintages.list_vintages(t) for made in v.sources} for t in source.tables
        ]
        if all(sha256 in files for files in made):
            return Step(source, False, "unchanged at the publisher's")
        return Step(source, True, "fetched before, but not kept as a vintage yet")
    when = f", changed {told.last_modified:%Y-%m-%d}" if told.last_modified else ""
    return Step(source, True, f"{source.name} is new{when}")


def _release_step(source: Source, on: date) -> Step:
    if not publishers.has_key(source):
        return Step(source, False, f"left out: it needs a key, and {source.key} is not set")
    release = releases.newest_due(on)
    stored = {table: newest(table, on) for table in source.tables}
    if release and all(v and v.through >= _expected(t, release) for t, v in stored.items()):
        return Step(source, False, f"up to date with the release of {release.month}")
    through = f" through {release.month}" if release else ""
    what = "two files" if source.kind == "bulk" else f"{publishers.count_queries(source, on)} queries"
    return Step(source, True, f"{what}{through}")


def _expected(table: str, release: Release) -> str:
    """The last period that is out with a release: services by year come in July and October."""
    freq = TABLES[table].freq
    if freq == "Y":
        return str(release.day.year - (1 if release.day.month >= 8 else 2))
    return release.month if freq == "M" else str(releases.quarter_out(release.period))


def newest(table: str, on: date) -> Vintage | None:
    """Return the newest vintage of a table by a day, if there is one."""
    return next((v for v in reversed(vintages.list_vintages(table)) if v.published <= on), None)


def run(
    source: Source,
    *,
    on: date,
    release: str | None = None,
    published: str | None = None,
    since: str | None = None,
    districts: bool = False,
    progress: bool = False,
    accept: str = "",
) -> Outcome:
    """Fetch one source, check what came, keep it as vintages and compare them with those before.

    What fails is told in the outcome's `error`: nothing is kept then, or only whole tables. `release` is the
    statistical month of an archived FT-900, `published` its day where the calendar does not know it, `since`
    the first month asked of the Census API; `accept` the reason to keep what contradicts what is known.
    With `districts` the bulk files are kept by customs district too.
    """
    outcome = Outcome(source)
    try:
        if districts and source.kind != "bulk":
            raise TradelibError(f"--districts is for the bulk files; {source.name} has no customs districts.")
        if source.kind == "bulk":
            asked = {"release": release, "published": published, "since": since, "districts": districts}
            _run_bulk(outcome, on, **asked, progress=progress, accept=accept)
            return outcome
        if any(TABLES[table].large for table in source.tables):
            _run_by_year(outcome, on, since, progress, accept)
            return outcome
        for files in publishers.fetch(source, on=on, release=release, since=since, progress=progress):
            outcome.transferred += sum(file.transferred for file in files)
            pairs = [(file.name, file.content) for file in files]
            found = ingest.parse(pairs)
            if release and found.month != release:
                raise TradelibError(
                    f"The archive of {release} was asked for; the exhibits that came are of {found.month}.",
                    "Nothing was kept. See where the publisher's page links to.",
                )
            given = published and releases.parse_date(published, "--published")
            days = [(given, "published")] if given else _days(source, found, files, on)
            told = {"sources": ingest.sources_of(pairs), "parser": found.parser}
            reasons = {"accept": accept, "lacking": found.lacking}
            for table, frame in found.tables.items():
                _keep(outcome, table, check_flows(frame, table), days, told, reasons)
        download.forget(publishers.tag(source, on))
    except TradelibError as error:
        outcome.error = str(error)
    return outcome


def _keep(
    outcome: Outcome,
    table: str,
    frame: pd.DataFrame | list,
    days: list,
    told: dict,
    reasons: dict[str, str],
) -> None:
    """Keep a table, or its parts, under the first day not taken by other figures, unless it is known."""
    before = newest(table, days[-1][0])
    if before and vintages.same_figures(before, frame):
        outcome.kept.append((before, False))
        return
    small = isinstance(frame, pd.DataFrame)
    for day, dated_by in days:
        options = told | {"published": day, "dated_by": dated_by, "note": f"fetched: {outcome.source.name}"}
        options["accepted"] = ingest.vouch(frame if small else totals(frame), table, day, **reasons)
        try:
            vintage, written = vintages.save(frame, table, **options)
        except StoredOtherwise:
            if (day, dated_by) == days[-1]:
                raise
            continue
        outcome.kept.append((vintage, written))
        if small and written and before and before.published < day:
            outcome.differences.append((before, compare(vintages.read(before), frame)))
        return


def _days(source: Source, found: ingest.Parsed, files: list[File], on: date) -> list[tuple[date, str]]:
    """Days under which the figures may be kept, best first: what can be shown, never a guess.

    A file that changed after its release is a vintage of the day it changed; one of which nobody
    says when it changed is known only as saved today.
    """
    changed = max(
        (f.last_modified.astimezone(WASHINGTON).date() for f in files if f.last_modified), default=None
    )
    days = []
    if found.dated:
        days.append((date.fromisoformat(found.dated), "published"))
    elif source.kind == "census-api":
        release = releases.newest_due(on)
        days += [(release.day, "published")] if release else []
    elif found.month:
        released = releases.release(found.month).day
        if source.kind == "ft900" and released is None:  # an archive's own date says nothing of that day
            raise TradelibError(
                f"The publication date of the FT-900 of {found.month} is not established.",
                f"Give it: `tradelib fetch ft900 --release {found.month} --published YYYY-MM-DD`.",
            )
        if released and (source.kind == "ft900" or released == on or (changed and changed <= released)):
            days.append((released, "published"))
    if changed and (not days or changed > days[0][0]):
        days.append((changed, "published"))
    return [*days, (on, "saved")]


def _run_by_year(outcome: Outcome, on: date, since: str | None, progress: bool, accept: str) -> None:
    """The same for a large source: a calendar year at a time, so that memory holds only one."""
    source, release = outcome.source, releases.newest_due(on)
    day, dated_by = (release.day, "published") if release else (on, "saved")
    for table in source.tables:
        made_from: list[dict] = []
        accepted: list[str] = []

        def years(table=table, made_from=made_from, accepted=accepted):
            sums = []
            for files in publishers.fetch(source, on=on, since=since, table=table, progress=progress):
                outcome.transferred += sum(file.transferred for file in files)
                pairs = [(file.name, file.content) for file in files]
                made_from.extend(ingest.sources_of(pairs))
                frame = ingest.parse(pairs).tables[table]
                sums.append(totals(ingest.check_day(frame, table, day)))
                yield frame
            accepted.append(ingest.vouch(pd.concat(sums), table, day, accept=accept) if sums else "")

        told = {"sources": made_from, "parser": census_files.PARSER, "dated_by": dated_by}
        outcome.kept.append(vintages.save(years(), table, published=day, accepted=accepted, **told))
    download.forget(publishers.tag(source, on))


def _run_bulk(
    outcome: Outcome,
    on: date,
    *,
    release: str | None,
    published: str | None,
    since: str | None,
    districts: bool,
    progress: bool,
    accept: str,
) -> None:
    """The same for the bulk files: what a month's files have is added to the months of the vintage before.

    The vintage of a release has its own month, and without a gap those before it, at most back to January of
    the year before, or to `since`. A table that another source has made for this month stays as it is.
    """
    source, months = outcome.source, _bulk_months(on, release, since)
    start = min(months[0], f"{int(months[-1][:4]) - 1}-01")
    tables = [*source.tables, *[f"{kind}_{key}_nsa" for kind, *_ in KINDS for key in DISTRICTS if districts]]
    made = {table: _carried(table, start, months[0]) for table in tables}
    for table, known in ((table, newest(table, on)) for table in tables):
        if known and known.through >= months[-1] and known.parser != bulk.PARSER:
            outcome.left.append(known)
            del made[table]
    files: list[File] = []
    with scratch() as folder:
        for month, flow in tqdm([*product(months, bulk.WIRES)], unit=" files", disable=not progress):
            file, read = publishers.fetch_bulk(flow, month, districts=districts)
            outcome.transferred += file.transferred
            files.append(replace(file, content=b""))
            for table, frame in bulk.tables(read):
                if table in made:
                    made[table].sources.extend(ingest.sources_of([(file.name, file.content)]))
                    made[table].parts.extend(_parts(frame, table, folder / month))
        given = published and releases.parse_date(published, "--published")
        found = ingest.Parsed({}, bulk.PARSER, month=months[-1])
        days = [(given, "published")] if given else _days(source, found, files, on)
        for table, making in made.items():
            whole = making.parts
            if not TABLES[table].large:
                whole = check_flows(pd.concat(making.parts, ignore_index=True), table)
            told = {"sources": making.sources, "parser": bulk.PARSER}
            _keep(outcome, table, whole, days, told, {"accept": accept})
    for month, flow in product(months, bulk.WIRES):
        download.forget(bulk.WIRES[flow].file(month))


@dataclass(slots=True)
class _Making:
    """A table in the making: its months in order, frames or parts on disk, and the files they are from."""

    parts: list
    sources: list[dict]


def _bulk_months(on: date, release: str | None, since: str | None) -> list[str]:
    """The months whose files are wanted: that of a release, else of the newest; with `since` all to it."""
    due = releases.newest_due(on)
    if not release and due is None:
        raise TradelibError(f"The calendar knows no release that is out by {on}.")
    last = releases.release(release or due.month).month
    first = releases.release(since).month if since else last
    if not bulk.FIRST_MONTH <= first <= last:
        raise TradelibError(
            f"There are no bulk files from {first} to {last}; they begin in {bulk.FIRST_MONTH}."
        )
    return [str(month) for month in pd.period_range(first, last, freq="M")]


def _carried(table: str, start: str, first: str) -> _Making:
    """The months before the first one that the newest vintage of these files has, without a gap to it."""
    before = str(pd.Period(first, "M") - 1)
    known = [
        v for v in vintages.list_vintages(table) if v.parser == bulk.PARSER and v.since <= before <= v.through
    ]
    if not known or start == first:
        return _Making([], [])
    month = [f"{period[2:4]}{period[5:7]}" for period in (start, first)]
    sources = [made for made in known[-1].sources if month[0] <= made["name"][4:8] < month[1]]
    if TABLES[table].large:
        return _Making(vintages.parts_of(known[-1], since=start, before=first), sources)
    return _Making([vintages.read(known[-1], since=start, through=before)], sources)


def _parts(frame: pd.DataFrame, table: str, folder: Path) -> list:
    """A month of a table; of a large one as a part on disk, since memory would not hold many."""
    if not TABLES[table].large:
        return [frame]
    nothing = {"published": date.min, "sources": [], "parser": bulk.PARSER}
    return vintages.parts_of(vintages.save(frame, table, **nothing, store=folder)[0])


def told(outcome: Outcome) -> list[str]:
    """Say in lines what came of a source: what was kept, what it changed, or what went wrong."""
    lines = []
    for vintage, written in outcome.kept:
        state = f"new, {vintage.rows:,} rows" if written else "the same figures as before, nothing written"
        dated = "saved by" if vintage.dated_by == "saved" else "of"
        lines.append(f"{vintage.table} {dated} {vintage.published}, through {vintage.through}: {state}")
    lines += [f"{v.table} of {v.published} was made of {v.sources[0]['name']}: left" for v in outcome.left]
    for before, found in outcome.differences:
        lines.append(
            f"  {before.table} against {before.published}: {found.added:,} rows added, "
            f"{found.revised:,} revised, {found.dropped:,} no longer there"
        )
        for row in found.largest.to_dict("records"):
            what = f"{partner(row['partner']).name}, {row['flow']}, {row['item']}, {row['period']}"
            moved = f"{signed_money(row['before_usd'])} -> {signed_money(row['after_usd'])}"
            lines.append(f"    {what}: {moved}")
    if outcome.error:
        lines.append(f"{outcome.source.name} failed: {outcome.error}")
    return lines


def refresh_calendar() -> list[str]:
    """Refresh the release calendar from the schedule page; a failure is told, and stops nothing."""
    try:
        schedule.refresh()
    except TradelibError as error:
        return [f"The release calendar is as bundled: {str(error).splitlines()[0]}"]
    return []
