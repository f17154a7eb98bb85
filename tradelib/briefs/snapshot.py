"""Everything out with one release, as it stood on one day: tables chosen, and read, cut and summed once.

A snapshot serves every partner: windows are summed for all of them together, so that the facts
of all partners cost little more than those of one.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tradelib import balances, loaders, releases
from tradelib.briefs.selection import (
    Selection,
    behind,
    choose,
    last_full_year,
    vintage_method,
)
from tradelib.briefs.tariffs import Duties
from tradelib.briefs.turning import Trend, trend
from tradelib.briefs.universe import universe
from tradelib.errors import TradelibError
from tradelib.partners import WORLD_SA, all_partners, countries
from tradelib.store import passed, vintages
from tradelib.store.files import scratch
from tradelib.tables import (
    ALL_RELEASED,
    DETAIL_TABLES,
    EXPORT_CHAPTERS,
    GOODS,
    GOODS_RELEASED,
    IMPORT_CHAPTERS,
    RELEASED,
    SIDES,
    TARIFFS,
    TRADE,
    TRADE_YEARS,
)
from tradelib.windows import Window, full_year, year_to_date

#: Names a folder, in the environment of kernels: of the snapshots that the program which starts them took.
HANDED = "TRADELIB_SNAPSHOTS"
#: The columns of a table of goods that has no rows.
EMPTY = {"period": "period[M]", "partner": "str", "flow": "str", "item": "str", "value_usd": "float64"}
EMPTY |= {"note": "str", "vintage_lag_days": "int64"}
#: Months in a row of trade, after which none under a code that is no longer used is its end.
STEADY = 3
#: The attributes of a snapshot that read a file when they are asked for.
READ = ("goods_flows", "trade_flows", "released_flows", "chapter_flows", "released_goods", "official")
READ += ("tariff_flows",)


@dataclass(frozen=True)
class Snapshot:
    """The tables of one release as of one day, each read when it is used. Made by `take`.

    Groups have the members of the release's day, or of `members_on`; those ranked in goods and services are
    the list of that day, or of `universe_day`.
    """

    release: releases.Release
    as_of: date
    sources: dict[str, vintages.Vintage]
    absent: dict[str, str]
    universe_day: date | None = None
    members_on: date | None = None

    def _rows(self, table: str, since: pd.Period | None = None, *, last: pd.Period | None = None):
        """The rows of a table in use, cut at the release's month, or at another period; None without one.

        Groups that it does not print are the sums of their members, where it has all of them.
        """
        vintage, on = self.sources.get(table), self.members_on or self.release.default_as_of
        if vintage is None:
            return None
        span = {"since": since and str(since), "through": str(last or self.month), "members_on": on}
        return loaders.rows_of(vintage, as_of=self.as_of, **span)

    @property
    def _chosen(self) -> Selection:
        return Selection(self.sources, self.absent)

    @cached_property
    def goods_flows(self) -> pd.DataFrame:
        """Goods by partner and month; without rows where only the table of duties reaches the release."""
        rows = self._rows(GOODS)
        rows = no_goods() if rows is None else rows
        rows = rows[rows["partner"].ne(WORLD_SA)]  # it is adjusted, in a table that is not
        return rows[~_after_the_end(rows)]

    @cached_property
    def trade_flows(self) -> pd.DataFrame | None:
        """Goods, services and total by partner and quarter, by BEA's table."""
        return self._rows(TRADE, last=self.quarter)

    @cached_property
    def released_flows(self) -> pd.DataFrame | None:
        """The same as that day's Exhibit 20 has it, where it is in use."""
        return self._rows(RELEASED, last=self.quarter)

    @cached_property
    def chapter_flows(self) -> dict[str, pd.DataFrame]:
        """The tables by commodity in use, from January of the year before on."""
        since = self.month - self.month.month - 11
        return {table: self._rows(table, since) for table in self._chosen.chapters}

    @cached_property
    def released_goods(self) -> dict[str, pd.DataFrame]:
        """Goods as this very release printed them, by "month" and "ytd"; empty where they are not in use."""
        return {name: self._rows(table) for name, table in self._chosen.released.items()}

    @cached_property
    def official(self) -> dict[str, pd.DataFrame]:
        """The official tables beside them: seasonally adjusted months, and full years."""
        ends = {TRADE_YEARS: pd.Period(str(last_full_year(self.quarter)), "Y")}
        return {table: self._rows(table, last=ends.get(table)) for table in self._chosen.official}

    @cached_property
    def tariff_flows(self) -> dict[str, pd.DataFrame]:
        """Duties and imports for consumption, of all goods and by their parts."""
        found = {table: self._rows(table) for table in self._chosen.tariffs}
        return {  # large tables of parts are cut to the months that facts are about
            table: rows if table == TARIFFS else rows[rows["period"] >= rows["period"].max() - 35]
            for table, rows in found.items()
        }

    def whole(self) -> "Snapshot":
        """The same with all its tables read, which happens else when they are asked for."""
        for name in READ:
            getattr(self, name)
        return self

    @property
    def trade_table(self) -> str:
        """The table of goods and services in use: BEA's, or that day's Exhibit 20 where BEA's is later.

        Of a whole year it is the annual table that came with the quarters, as these are rounded one by one.
        """
        quarterly = RELEASED if RELEASED in self.sources else TRADE
        days = [self.sources[t].published for t in (quarterly, TRADE_YEARS) if t in self.sources]
        whole = self.quarter.quarter == 4 and len(days) == 2 and days[0] == days[1]
        return TRADE_YEARS if whole else quarterly

    def lag(self, table: str) -> int:
        """Days by which the vintage used is later than the as-of date."""
        return self.sources[table].lag_days(self.as_of)

    @cached_property
    def unlike(self) -> dict[tuple[str, str], list[str]]:
        """The periods, by table and group, that count other members than on the day of the release."""
        frames = [self.goods_flows, self.trade_flows, self.released_flows, *self.chapter_flows.values()]
        frames += [self.official.get(TRADE_YEARS)]
        rows = [frame[frame["note"] == loaders.OTHER] for frame in frames if frame is not None]
        found = pd.concat(rows)[["table", "partner", "period"]].astype("str").drop_duplicates()
        return found.groupby(["table", "partner"])["period"].agg(list).to_dict()

    def method(self, table: str, code: str) -> str:
        """Say whether a partner's figures were out on the as-of date; see `vintage_method`."""
        return vintage_method(self.sources[table], self.as_of, code)

    @cached_property
    def month(self) -> pd.Period:
        """The statistical month."""
        return self.release.period

    @cached_property
    def months(self) -> Window:
        """January through the statistical month."""
        return year_to_date(self.month)

    @cached_property
    def quarter(self) -> pd.Period:
        """The latest quarter of services out with the release."""
        return releases.quarter_out(self.month)

    @cached_property
    def quarters(self) -> Window:
        """The quarters of that year so far."""
        return year_to_date(self.quarter)

    @cached_property
    def goods(self) -> pd.DataFrame:
        """Exports, imports and balance of goods by partner and month."""
        return balances.balance(self.goods_flows).droplevel("item")

    @cached_property
    def history(self) -> pd.DataFrame:
        """Exports, imports and balance of goods, services and total over all the quarters of BEA's table."""
        return balances.balance(self.trade_flows)

    @cached_property
    def duties(self) -> Duties:
        """Duties and imports for consumption of everybody."""
        return Duties(self.month, self.tariff_flows)

    @cached_property
    def goods_windows(self) -> dict[str, pd.DataFrame]:
        """Goods by partner: "month", "ytd" and "trailing", each with its "... before"."""
        sides = pd.concat({"goods": self.goods}, names=["item"]).reorder_levels(["partner", "item", "period"])
        return _with_base(sides, self._spans, lambda sums: sums.droplevel("item"))

    @property
    def _spans(self) -> dict[str, Window]:
        year = Window(self.month - 11, self.month)
        return {"month": Window(self.month, self.month), "ytd": self.months, "trailing": year}

    @cached_property
    def released_windows(self) -> dict[str, pd.DataFrame]:
        """The month and the year to date as the release itself printed them, for the partners it lists."""
        windows = {}
        for name, rows in self.released_goods.items():
            sides = balances.balance(rows).droplevel("item").dropna()
            for key, month in ((name, self.month), (f"{name} before", self.month - 12)):
                windows[key] = sides.xs(month, level="period")
        return windows

    def goods_sums(self, code: str) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
        """Goods of a partner by window, and the table of each: as released, where the rest came later.

        "month" and "ytd", each with its "... before", and "trailing"; without the partner where the window
        reaches beyond its span of trade: part of a year is not compared with a whole one.
        """
        if self.released_windows and all(code in rows.index for rows in self.released_windows.values()):
            return self.released_windows, self.released_tables
        (first, last), windows = self.span_of_trade(code), self.goods_windows
        tables = dict.fromkeys(GOODS_RELEASED, GOODS)
        if last is None and (first is None or first <= self.month - 23):
            return windows, tables
        early = {f"{name} before": span.year_earlier for name, span in self._spans.items()}
        early["trailing"] = self._spans["trailing"]
        beyond = [name for name, span in early.items() if first is not None and span.start < first]
        beyond += list(self._spans) if last is not None else []
        kept = {name: windows[name].drop(code, errors="ignore") for name in beyond}
        return windows | kept, tables

    def span_of_trade(self, code: str) -> tuple[pd.Period | None, pd.Period | None]:
        """The first month of trade with a partner, and the last of one that ended in this year.

        The country table has zeros before and after, in years in which there was some trade. Whoever traded
        month by month and then no more, under a code that is no longer used, has ended.
        """
        return self._spans_of_trade.get(code, (None, None))

    @cached_property
    def _spans_of_trade(self) -> dict[str, tuple[pd.Period, pd.Period | None]]:
        exports, imports = (self.monthly_goods[f"{flow}_usd"].fillna(0) for flow in ("exports", "imports"))
        there, months = (exports + imports).gt(0), exports.index
        every = all_partners()
        former = set(every["code"][every["kind"].eq("former") & every["last_year"].eq(self.month.year)])
        found: dict[str, tuple[pd.Period, pd.Period | None]] = {}
        for code, traded in zip(there, there.to_numpy().T, strict=True):
            at = np.flatnonzero(traded)
            if len(at):
                steady = len(at) >= STEADY and at[-1] - at[-STEADY] == STEADY - 1
                over = code in former and steady and months[at[-1]] < self.month
                found[code] = (months[at[0]], months[at[-1]] if over else None)
        return found

    @cached_property
    def ranked_goods(self) -> tuple[dict[str, pd.DataFrame], str]:
        """Goods by window of all the partners that are ranked, and their table."""
        if self.released_tables == ALL_RELEASED:
            return self.released_windows, ALL_RELEASED["ytd"]
        return self.goods_windows, GOODS

    @property
    def released_tables(self) -> dict[str, str]:
        """Tables of the release's own goods, by "month" and "ytd"; empty where they are not needed."""
        return self._chosen.released

    @cached_property
    def trade_windows(self) -> dict[str, pd.DataFrame]:
        """Goods, services and total by partner and item: "ytd" and "ytd before"."""
        if self.trade_table == TRADE_YEARS:
            years, last = self.official_sides[TRADE_YEARS], pd.Period(str(self.quarter.year), "Y")
            spans = {"ytd": last, "ytd before": last - 1}
            of = years.index.get_level_values("period")
            sums = {name: years[of == year].droplevel("period") for name, year in spans.items()}
        else:
            released = self.released_flows
            sides = self.history if released is None else balances.balance(released)
            sums = _with_base(sides, {"ytd": self.quarters}, lambda sums: sums)
        return sums | {"ytd before": sums["ytd before"].reindex(sums["ytd"].index)}  # there may be none

    @cached_property
    def chapter_windows(self) -> dict[str, pd.DataFrame]:
        """By table: `ytd`, `before` and `previous_year` in dollars, by partner and HS chapter."""
        chapters = (EXPORT_CHAPTERS, *IMPORT_CHAPTERS)
        whole = [name for name in self.chapter_flows if name in chapters and not self._half(name)]
        return {name: self._commodities(name) for name in whole}

    @cached_property
    def detail_windows(self) -> dict[str, pd.DataFrame]:
        """The same of the tables in finer detail that have been ingested."""
        whole = [name for name in self.chapter_flows if name in DETAIL_TABLES and not self._half(name)]
        return {name: self._commodities(name) for name in whole}

    def lacking(self, table: str) -> list[pd.Period]:
        """Months of this year and the last of which a table has no row of anybody: not known, not zero."""
        months = pd.period_range(full_year(self.month.year - 1, "M").start, self.month, freq="M")
        return list(months.difference(self._months_of.get(table, [])))

    @cached_property
    def _months_of(self) -> dict[str, pd.PeriodIndex]:
        return {name: pd.PeriodIndex(rows["period"].unique()) for name, rows in self.chapter_flows.items()}

    def _half(self, table: str) -> bool:
        """Whether a month of the year to date, or of the same months a year earlier, is lacking."""
        return any(month.month <= self.month.month for month in self.lacking(table))

    def _commodities(self, table: str) -> pd.DataFrame:
        flows = self.chapter_flows[table]
        unlike = flows.loc[flows["note"].isin([loaders.OTHER, loaders.NO_SUM]), "partner"].unique()
        flows = flows[~flows["partner"].isin(unlike)]  # no row would mean no trade
        sides = flows.set_index(["partner", "item", "period"])[["value_usd"]]
        year = full_year(self.month.year - 1, "M")
        spans = {"ytd": self.months, "before": self.months.year_earlier, "previous_year": year}
        sums = {
            name: balances.window_sum(sides, window, absent_is_zero=True)["value_usd"]
            for name, window in spans.items()
        }
        every = pd.DataFrame(sums).index
        frame = pd.DataFrame({name: usd.reindex(every, fill_value=0.0) for name, usd in sums.items()})
        if self.lacking(table):
            frame["previous_year"] = float("nan")
        return frame.assign(change_usd=frame["ytd"] - frame["before"])

    @cached_property
    def goods_ranks(self) -> dict[str, pd.Series]:
        """Ranks by deficit in goods, year to date, among all single countries: now and "before"."""
        (sums, _), year = self.ranked_goods, self.month.year
        return {
            "now": balances.rank(sums["ytd"]["balance_usd"], countries(in_year=year)),
            "before": balances.rank(sums["ytd before"]["balance_usd"], countries(in_year=year - 1)),
        }

    @cached_property
    def flow_ranks(self) -> dict[tuple[str, str], dict[str, int]]:
        """Ranks by goods trade, exports and imports among all single countries that had any, by window."""
        found, (windows, _) = {}, self.ranked_goods
        for name in ("month", "month before", "ytd", "ytd before"):
            sums = windows[name]
            flows = {"exports": sums["exports_usd"], "imports": sums["imports_usd"]}
            for flow, usd in {"trade": flows["exports"] + flows["imports"], **flows}.items():
                single = countries(in_year=self.month.year - name.endswith("before"))
                found[flow, name] = balances.rank(-usd[usd > 0], single).to_dict()
        return found

    @cached_property
    def deficit_changes(self) -> dict[str, pd.Series]:
        """What each single country added to the U.S. goods deficit on a year earlier, by window."""
        sums, _ = self.ranked_goods
        both = {name: sums[name]["balance_usd"] for name in ("month", "month before", "ytd", "ytd before")}
        added = {name: both[f"{name} before"] - both[name] for name in ("month", "ytd")}
        single = countries(in_year=self.month.year)
        return {name: usd[usd.index.isin(single)].dropna() for name, usd in added.items()}

    @cached_property
    def monthly_goods(self) -> dict[str, pd.DataFrame]:
        """Exports, imports and balance by month and partner, without gaps in the calendar."""
        first = self.goods.index.get_level_values("period").min() if len(self.goods) else self.month
        span = pd.period_range(first, self.month, freq="M")
        return {side: self.goods[side].unstack("partner").reindex(span) for side in SIDES}

    @cached_property
    def official_sides(self) -> dict[str, pd.DataFrame]:
        """The official tables with exports, imports and balance side by side, of all partners."""
        return {table: balances.balance(flows) for table, flows in self.official.items()}

    @cached_property
    def revised_year(self) -> pd.DataFrame | None:
        """Goods balances of the year before as this release revised it, and as they stood before, by partner.

        None unless the release is that of an annual revision, in the vintage of its day, and the vintage of
        the release before is at hand.
        """
        if GOODS not in self.sources:
            return None
        mine = self.sources[GOODS]
        earlier = [v for v in vintages.list_vintages(GOODS) if 0 < (mine.published - v.published).days <= 70]
        if self.month.month != 4 or mine.published != self.release.published or not earlier:
            return None
        year, on = full_year(self.month.year - 1, "M"), self.release.default_as_of
        last = max(earlier, key=lambda vintage: vintage.published)
        span = {"since": str(year.start), "through": str(year.end), "members_on": on}
        before = balances.balance(loaders.rows_of(last, as_of=self.as_of, **span)).droplevel("item")
        sums = {"now": self.goods, "before": before}
        return pd.DataFrame({k: balances.window_sum(v, year)["balance_usd"] for k, v in sums.items()})

    @cached_property
    def ytd_ranks(self) -> dict[str, pd.DataFrame]:
        """Ranks by goods trade, exports and imports, year to date, of single countries by month."""
        flows = {flow: self.monthly_goods[f"{flow}_usd"] for flow in ("exports", "imports")}
        single, found = flows["exports"].columns.intersection(countries(in_year=self.month.year)), {}
        for flow, monthly in {"trade": flows["exports"] + flows["imports"], **flows}.items():
            ytd = monthly[single].groupby(monthly.index.year).cumsum()
            found[flow] = ytd.where(ytd > 0).rank(axis=1, ascending=False, method="min")
        return found

    @cached_property
    def universe(self) -> tuple[list[str], str]:
        """The countries of that release's Exhibit 20, and how the list is known."""
        return universe(self.universe_day or self.release.default_as_of)

    def listing(self, day: date) -> "Snapshot":
        """The same with the list of another day; what does not hang on it is not worked out again."""
        other = copy(self)
        for name in ("universe", "total_ranks", "total_ranks_before", "total_reducers"):
            vars(other).pop(name, None)
        vars(other)["universe_day"] = day
        return other

    @cached_property
    def total_balances(self) -> tuple[pd.Series, pd.Series]:
        """Balance of goods and services by partner, year to date: now and a year earlier."""
        sums = self.trade_windows
        return tuple(sums[name].xs("total", level="item")["balance_usd"] for name in ("ytd", "ytd before"))

    @cached_property
    def total_ranks(self) -> pd.Series:
        """Ranks by deficit in goods and services among the universe of the release."""
        return balances.rank(self.total_balances[0], self.universe[0])

    @cached_property
    def total_ranks_before(self) -> pd.Series:
        """The same a year earlier."""
        return balances.rank(self.total_balances[1], self.universe[0])

    @cached_property
    def total_reducers(self) -> pd.DataFrame:
        """Which members of the universe reduced their deficit in goods and services."""
        return balances.reducers(*self.total_balances, self.universe[0])

    @cached_property
    def first_services(self) -> pd.Series:
        """The first quarter of services of each partner."""
        if self.trade_flows is None:
            return pd.Series(dtype=object)
        there = self.trade_flows["value_usd"].notna() | (self.trade_flows["note"] == loaders.OTHER)
        rows = self.trade_flows[(self.trade_flows["item"] == "services") & there]
        return rows.groupby("partner", observed=True)["period"].min()

    def total_quarters(self, code: str) -> pd.DataFrame:
        """One partner's exports, imports and balance of goods and services by quarter; empty without any."""
        if TRADE not in self.sources or (code, "total") not in self._with_total:
            return pd.DataFrame(columns=SIDES, dtype=float)
        return self.history.loc[(code, "total")]

    @cached_property
    def _with_total(self) -> set[tuple[str, str]]:
        return set(self.history.index.droplevel("period").unique())

    def total_balance(self, code: str) -> pd.Series:
        """One partner's quarterly balance in goods and services; empty where there is none."""
        return self.total_quarters(code)["balance_usd"].dropna()

    def trailing_total(self, code: str) -> pd.DataFrame:
        """The same over four quarters."""
        rows = self.total_quarters(code)
        return rows if rows.empty else balances.trailing_sum(rows, 4).dropna()

    @cached_property
    def _same_months(self) -> pd.DataFrame:
        """Goods balances over the months of the year to date, by year and partner."""
        months = self.monthly_goods["balance_usd"]
        sums = months.rolling(len(self.months), min_periods=len(self.months)).sum()
        sums = sums[sums.index.month == self.month.month]
        return sums.set_axis(sums.index.year)

    def same_months(self, code: str) -> pd.Series:
        """One partner's goods balance over the months of the year to date, by year; NaN where incomplete."""
        if code not in self._same_months:
            return pd.Series(dtype=float)
        sums, (first, _) = self._same_months[code], self.span_of_trade(code)
        begun = self.month.year if first is None else first.year + (first.month > 1)
        return sums.where(sums.index >= min(begun, self.month.year))

    @cached_property
    def at_hand(self) -> dict[str, str]:
        """What all vintages at hand are, those of other tables and days too: a study may read them."""
        return vintages.at_hand()

    @cached_property
    def older(self) -> str:
        """How old the data at hand are, where a newer release was out by the day."""
        return behind(self.as_of) or ""

    def trend(self, code: str) -> Trend | None:
        """How a partner's trailing balance in goods and services moves, and since when."""
        rows = self.trailing_total(code)
        return None if rows.empty else trend(rows["balance_usd"], rows["exports_usd"] + rows["imports_usd"])


def _after_the_end(rows: pd.DataFrame) -> pd.Series:
    """Which rows are of a country that was no more: the table goes on with zeros, some years later too."""
    after = pd.Series(False, index=rows.index)
    every = all_partners().set_index("code")
    ended = every["last_year"][every["kind"].eq("former")].dropna()
    mine = rows.loc[rows["partner"].isin(ended.index), ["partner", "period"]]
    after[mine.index] = mine["period"].dt.year > mine["partner"].astype("str").map(ended).astype(int)
    return after


def _with_base(sides: pd.DataFrame, windows: dict[str, Window], shape) -> dict[str, pd.DataFrame]:
    sums = {}
    for name, window in windows.items():
        sums[name] = shape(balances.window_sum(sides, window))
        sums[f"{name} before"] = shape(balances.window_sum(sides, window.year_earlier))
    return sums


def take(release: str, *, as_of: str | date | None = None, strict: bool = False) -> Snapshot:
    """Choose, for each table, the vintage of a day; it is read, and cut at the release, when it is used.

    Parameters
    ----------
    release : str
        Statistical month, YYYY-MM.
    as_of : str or date, optional
        The day whose knowledge is wanted; the release's publication date unless given.
    strict : bool
        Refuse where only later vintages reach the release, instead of taking the earliest of
        them with its lag.

    Returns
    -------
    Snapshot

    Raises
    ------
    TradelibError
        If the month or date is malformed, the date precedes the release, or no country table
        reaches it.

    Examples
    --------
    >>> snapshot = take("2018-07", as_of="2018-10-05")
    >>> str(snapshot.months), str(snapshot.quarters), snapshot.lag("goods_census_nsa")
    ('2018-01..2018-07', '2018Q1..2018Q2', 0)
    """
    found = loaders.find_release(release)
    day = loaders.day_of(as_of, release=found) if as_of else found.default_as_of
    earliest = found.published or found.period.end_time.date()
    if day < earliest:
        when = f"was published on {found.published}" if found.published else f"covers {found.month}"
        raise TradelibError(
            f"As-of date {day} is before the release itself: {found.month} {when}.",
            f"Give --as-of {earliest} or later, or leave it out.",
        )
    chosen = choose(found, day, strict=strict)
    handed = _handed(found, day)
    if handed and (handed.sources, handed.absent) == (chosen.sources, chosen.absent):
        return handed
    return Snapshot(found, day, chosen.sources, chosen.absent)


@contextmanager
def handed_down(snapshots: Iterable[Snapshot]) -> Iterator[None]:
    """Let the kernels that are started meanwhile `take` these snapshots as they are, sums and all."""
    with scratch() as folder:
        for snapshot in snapshots:
            passed.write(snapshot.whole(), _file_of(snapshot.release, snapshot.as_of, folder))
        os.environ[HANDED] = str(folder)
        try:
            yield
        finally:
            os.environ.pop(HANDED, None)


def _handed(release: releases.Release, day: date) -> Snapshot | None:
    """The snapshot that the program which started this kernel has of a release and a day."""
    if HANDED not in os.environ:
        return None
    try:
        return passed.read(_file_of(release, day, Path(os.environ[HANDED])))
    except OSError:  # another snapshot, or another machine
        return None


def _file_of(release: releases.Release, day: date, folder: Path) -> Path:
    return folder / f"{release.month}_{day}.pickle"


def no_goods() -> pd.DataFrame:
    """A table of goods without rows: of a release that only the table of duties reaches."""
    columns = {name: pd.Series(dtype=kind) for name, kind in EMPTY.items()}
    return pd.DataFrame(columns).assign(table=pd.Categorical([]), vintage=pd.Categorical([]))


def covered_partners(snapshot: Snapshot) -> list[str]:
    """Codes of all single partners with goods rows in the release: those a sweep would brief.

    Examples
    --------
    >>> len(covered_partners(take("2018-07"))) > 220
    True
    """
    kinds, there = all_partners().set_index("code")["kind"], set(countries(in_year=snapshot.month.year))
    codes = snapshot.goods_windows["month"].index
    if codes.empty:  # only duties reach the release
        codes = snapshot.duties.sums(snapshot.duties.windows["month"]).index
    return [code for code in codes if kinds[code] == "other" or code in there]
