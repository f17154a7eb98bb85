"""The answer to one question, straight from the tables, without building a brief."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from tradelib import loaders, releases
from tradelib.briefs.fact import Fact, Facts, source_at
from tradelib.briefs.goods import reduction_reason
from tradelib.briefs.place import HARDLY_PCT
from tradelib.briefs.question import RATIOS, SIDES, Question
from tradelib.briefs.selection import CANADA, vintage_method
from tradelib.briefs.total import ITEMS, named
from tradelib.briefs.universe import universe as listed
from tradelib.errors import NoRows, TradelibError
from tradelib.partners import (
    WORLD,
    WORLD_SA,
    countries,
    has_members,
    members,
    partner,
    resolve,
    same_members,
    summed_groups,
)
from tradelib.store import vintages
from tradelib.style import words
from tradelib.tables import (
    ALL_RELEASED,
    GOODS,
    GOODS_RELEASED,
    GOODS_SA,
    GOODS_SA_RELEASED,
    RELEASED,
    TRADE,
    TRADE_YEARS,
    WORLD_MONTHS,
    WORLD_YEARS,
    table_info,
)
from tradelib.windows import Window

#: How well a vintage stands for a day, the best first.
STANDING = ("published", "reconstructed", "same cycle", "superseded", "later")
#: Tables of one release that hold the year to date under its last month.
YEARS_TO_DATE = (ALL_RELEASED["ytd"], GOODS_RELEASED["ytd"])
IN_A_YEAR = {"M": 12, "Q": 4, "Y": 1}  # periods
NAN = float("nan")
MOST_KEPT = 60
#: "among 20 years": a record of so many.
YEARS = re.compile(r"(?:the last )?(\d+) years?")


class Held:
    """The figures of one vintage as arrays by item and flow: a row for each partner, a column each period."""

    def __init__(self, vintage: vintages.Vintage, item: str | None = None):
        info = table_info(vintage.table)
        frame = vintages.read_coded(vintage)
        self.freq = info.freq
        self.first, self.last = (
            pd.Period(end, info.freq).ordinal for end in (vintage.since, vintage.through)
        )
        coded = (frame[name].astype("category").cat for name in ("partner", "item", "flow"))
        (rows, whom), (what, items), (way, flows) = ((one.codes.to_numpy(), one.categories) for one in coded)
        kept = whom.to_numpy()[rows] != WORLD_SA  # it is adjusted, in a table that is not
        if item is not None:
            kept &= items.to_numpy()[what] == item
        columns, usd = pd.PeriodIndex(frame["period"]).asi8 - self.first, frame["value_usd"].to_numpy()
        self.codes = {str(whom[n]): n for n in np.unique(rows[kept])}
        self.shape = (len(whom), self.last - self.first + 1)
        empty = np.full(self.shape, np.nan)
        if info.sparse:  # no row is no trade, in the months of which there are any
            empty[:, np.unique(columns[kept])] = 0.0
        self.values: dict[tuple[str, str], np.ndarray] = {}
        for n, m in {(n, m) for n in np.unique(what[kept]) for m in np.unique(way[kept])}:
            place = np.flatnonzero(kept & (what == n) & (way == m))
            if len(place):
                array = self.values[str(items[n]), str(flows[m])] = empty.copy()
                array[rows[place], columns[place]] = usd[place]

    def span(self, window: Window) -> slice | None:
        """The columns of a window; None where it is not within the table."""
        start, end = window.start.ordinal - self.first, window.end.ordinal - self.first
        return slice(start, end + 1) if start >= 0 and end < self.shape[1] else None

    def array(self, item: str, flow: str) -> np.ndarray:
        """A flow of an item, of all partners; of a balance that is not published, the difference."""
        if flow == "trade":
            return self.array(item, "exports") + self.array(item, "imports")
        if (item, flow) not in self.values:
            if flow != "balance":
                return np.full(self.shape, np.nan)
            self.values[item, flow] = self.array(item, "exports") - self.array(item, "imports")
        return self.values[item, flow]

    def series(self, code: str, item: str, flow: str) -> np.ndarray | None:
        """One partner's flow by period; None where there is no row."""
        return self.array(item, flow)[self.codes[code]] if code in self.codes else None


def held(vintage: vintages.Vintage, item: str | None = None) -> Held:
    """Read a vintage once in a process; of a table by commodity, one commodity."""
    return _once((vintage.path, vintage.sha256, item), lambda: Held(vintage, item))


def _once(key: tuple, read: Callable[[], Held | None]) -> Held | None:
    """Keep what was read, as many of them as fit; the oldest goes."""
    if key not in _kept:
        while len(_kept) >= MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = read()
    return _kept[key]


_kept: dict[tuple, Held | None] = {}


def _group(vintage: vintages.Vintage, code: str, on: date, item: str | None) -> Held | None:
    """A group with the members of one day in all periods; None where it has no rows."""
    spell = same_members(code, on) if has_members(code) else None
    return _once((vintage.path, vintage.sha256, item, code, spell), lambda: _summed(vintage, code, on, item))


def _summed(vintage: vintages.Vintage, code: str, on: date, item: str | None) -> Held | None:
    codes = {code, *(members(code, on) if has_members(code) else ())}
    whole = held(vintage, item)
    if item is None and code not in whole.codes and not codes - {code} <= set(whole.codes):
        return None
    try:
        frame = loaders.rows_of(vintage, as_of=vintage.published, partner=[code], members_on=on)
    except NoRows:
        return None
    found = Held.__new__(Held)
    found.freq, found.first, found.last = whole.freq, whole.first, whole.last
    found.codes, found.shape, found.values = {code: 0}, (1, whole.shape[1]), {}
    columns = pd.PeriodIndex(frame["period"]).asi8 - found.first
    blank = np.full(found.shape, 0.0 if table_info(vintage.table).sparse else np.nan)
    for key, place in frame.groupby(["item", "flow"], observed=True).indices.items():
        array = blank.copy()
        array[0, columns[place]] = frame["value_usd"].to_numpy()[place]
        found.values[str(key[0]), str(key[1])] = array
    return found


# --- which table, which vintage --------------------------------------------------------------------


def _tables(q: Question, window: Window) -> list[str]:
    """The tables that may answer, the best first."""
    kind, flow = q.item.split(".")[1:2], "exports" if q.side == "exports" else "imports_general"
    if kind:
        table = f"{flow}_{kind[0]}_nsa"
        return [table, "imports_consumption_hs2_nsa"] if table == "imports_general_hs2_nsa" else [table]
    if q.adjusted == "sa":
        return [GOODS_SA] if q.historical else [GOODS_SA_RELEASED, GOODS_SA]
    if q.item == "goods" and q.adjusted is None:
        released = (
            [] if q.historical else [ALL_RELEASED] if q.measure == "rank" else [ALL_RELEASED, GOODS_RELEASED]
        )
        return [GOODS, *(table for tables in released for table in tables.values())]
    whole = _in(window, "Y") is not None
    if q.partners == (WORLD,) and not q.listed:
        return [WORLD_YEARS, WORLD_MONTHS] if whole else [WORLD_MONTHS]
    quarters = [TRADE] if q.historical or q.span == "trailing4" else [TRADE, RELEASED]  # of which it has few
    return [TRADE_YEARS, *quarters] if whole else quarters


def cut(table: str, window: Window) -> Window | None:
    """A window in the periods of a table, of one that holds years to date their last month; None if not."""
    if table in YEARS_TO_DATE:
        months = _in(window, "M")
        whole = months and months.start.month == 1 and months.start.year == months.end.year
        return Window(months.end, months.end) if whole else None
    return _in(window, table_info(table).freq)


def _in(window: Window, freq: str) -> Window | None:
    """A window in periods of another frequency; None where it is not made of whole ones."""
    start, end = window.start.asfreq(freq, "start"), window.end.asfreq(freq, "end")
    mine = window.end.freqstr[0]
    whole = start.asfreq(mine, "start") == window.start and end.asfreq(mine, "end") == window.end
    return Window(start, end) if whole else None


def _standing(vintage: vintages.Vintage, day: date, code: str) -> str:
    """How a vintage stands for a day: superseded is what an annual revision lies upon."""
    cycle = releases.same_cycle(*sorted((vintage.published, day)))
    if vintage.published <= day:
        return "published" if cycle else "superseded"
    method = vintage_method(vintage, day, code)
    return "same cycle" if method == "later" and cycle else method


def _choices(q: Question, code: str, day: date) -> list[tuple[int, int, int, vintages.Vintage]]:
    """The vintages that reach the windows, the best for the day first."""
    found = []
    for place, table in enumerate(_tables(q, q.window)):
        freq = table_info(table).freq
        reach = [q.window, q.base or q.window]
        if q.test == "previous_year" and q.measure:  # as the release has it, of the year before
            reach.append(_shift(q.window, IN_A_YEAR[q.window.end.freqstr[0]]))
        spans = [cut(table, span) for span in reach]
        if None in spans:
            continue
        first, last = min(s.start for s in spans).ordinal, max(s.end for s in spans).ordinal
        for vintage in vintages.list_vintages(table):
            reach = [pd.Period(end, freq).ordinal for end in (vintage.since, vintage.through)]
            if reach[0] <= first and last <= reach[1]:
                rank = STANDING.index(_standing(vintage, day, code))
                days = (vintage.published - day).days
                found.append((rank, abs(days), place, vintage))
    return sorted(found, key=lambda one: one[:3])


# --- what the answer is ----------------------------------------------------------------------------


class Answer:
    """A question held against one vintage: amounts over windows, and what is asked of them."""

    def __init__(self, q: Question, vintage: vintages.Vintage, on: date):
        self.q, self.vintage, self.on = q, vintage, on
        self.by = q.item.split(".")[2] if q.item.startswith("commodity.") else None
        self.item = self.by or q.item
        self.table = held(vintage, self.by)
        self.freq = self.table.freq
        self.reason, self.undefined, self.more = "", False, {}

    def _place(self, window: Window, side: str) -> tuple[str, int, slice | None]:
        """The flow that a side is, its sign, and the columns of a window."""
        flow, sign = {"deficit": ("balance", -1), "surplus": ("balance", 1)}.get(side, (side, 1))
        asked = cut(self.vintage.table, window)
        return flow, sign, asked and self.table.span(asked)

    def amount(self, window: Window, codes: Iterable[str], side: str) -> float:
        """An amount over a window, of several partners added; NaN where any of it is missing."""
        if side in RATIOS:
            over, under = side.split("_to_")
            below = self.amount(window, codes, under)
            return self.amount(window, codes, over) / below if below else NAN
        flow, sign, at = self._place(window, side)
        total = 0.0
        for code in codes:
            table = _group(self.vintage, code, self.on, self.by) if partner(code).is_group else self.table
            series = table.series(code, self.item, flow) if table and at else None
            total += NAN if series is None else float(series[at].sum())
        return sign * total

    def everyone(self, window: Window, side: str, among: list[str]) -> pd.Series:
        """The amounts of many countries over a window; those without one are left out."""
        flow, sign, at = self._place(window, side)
        there = [code for code in among if code in self.table.codes]
        if at is None or not there:
            return pd.Series(dtype=float)
        rows = self.table.array(self.item, flow)[[self.table.codes[code] for code in there], at]
        return pd.Series(sign * rows.sum(axis=1), index=there).dropna()

    def measured(self, window: Window) -> float:
        """What is measured over a window: an amount, its change, its share."""
        q, codes = self.q, self.q.partners
        now = self.amount(window, codes, q.side)
        if not q.measure:
            return now
        if q.measure == "share_pct":
            whole = self._whole(window)
            return 100 * now / whole if whole and now / whole >= 0 and now * whole else NAN
        if q.measure == "per_month":
            return now / len(_in(window, "M"))
        base = self._base(window)
        before = self.amount(base, codes, q.side)
        if q.measure.endswith("change_usd"):
            return now - before
        if q.measure == "contribution_pct":
            whole, whole_before = self._whole(window), self._whole(base)
            hardly = abs(whole - whole_before) < HARDLY_PCT / 100 * abs(whole_before)
            return NAN if hardly else 100 * (now - before) / (whole - whole_before)
        if not before > 0 or (q.side in ("deficit", "surplus") and not now > 0):
            return NAN
        if q.measure == "yearly_change_pct":
            years = window.end.year - base.end.year
            return 100 * ((now / before) ** (1 / years) - 1) if years > 0 else NAN
        change = 100 * (now - before) / before
        return -change if q.measure == "reduction_pct" else change

    def _base(self, window: Window) -> Window:
        """What a change over a window is told against: as far before it as in the question."""
        q = self.q
        if q.test == "count":  # period by period
            return window.year_earlier
        return _shift(q.base, window.start.ordinal - q.window.start.ordinal)

    def _whole(self, window: Window) -> float:
        """What a share is of: the world, or those that were named."""
        q = self.q
        if q.among and not YEARS.fullmatch(q.among):
            return self.amount(window, _named(q.among), q.side)
        if table_info(self.vintage.table).basis == "Census":
            return self.amount(window, [WORLD], q.side)
        of_world = Question(id=q.id, item=q.item, side=q.side, adjusted=q.adjusted, window=window)
        found = _choices(replace(of_world, partners=(WORLD,)), WORLD, self.vintage.published)
        return Answer(of_world, found[0][3], self.on).amount(window, [WORLD], q.side) if found else NAN

    def value(self):
        """The answer, or None with a reason."""
        q = self.q
        if q.listed:
            return self._partners()
        if q.measure == "rank":
            return self._rank()
        if q.test == "count":
            periods = pd.period_range(q.window.start, q.window.end, freq=q.window.end.freqstr)
            usd = [self.measured(Window(one, one)) for one in periods]
            return None if np.isnan(usd).any() else sum(one > 0 for one in usd)
        found = self.measured(q.window)
        if np.isnan(found):
            self._why()
            return None
        return self._among_before(found) if q.historical else found

    def _why(self) -> None:
        """Say why there is no figure: no row, no period, or none that the data define."""
        q = self.q
        who = words.series([partner(code).prose for code in q.partners])
        amounts = [
            self.amount(one, q.partners, "balance" if q.side in ("deficit", "surplus") else q.side)
            for one in filter(None, (q.window, q.base))
        ]
        if np.isnan(amounts).any():
            self.reason = f"{self.vintage.table} has no complete row of {who} for the window"
        elif q.measure == "share_pct":
            self.reason = "it is no part of a whole of the other sign, or the whole is not known"
            self.undefined = q.side in ("deficit", "surplus")
        elif q.side in ("deficit", "surplus"):
            self.reason, self.undefined = reduction_reason(*amounts), True
        else:
            self.reason = "there was none to compare with"

    def _rank(self) -> int | None:
        q = self.q
        codes, told = _universe(q, self.on)
        usd = self.everyone(q.window, q.side, codes)
        usd = usd if q.side == "deficit" else usd[usd > 0]
        told = f"all {len(usd)} single countries with goods rows" if told is None else told
        self.more |= {"n": len(usd), "universe": told, "measure": f"{q.item} {q.side}, largest first"}
        code = q.partners[0]
        if code not in usd.index:
            who = partner(code)
            grouped = f"{who.prose} is no country" if who.is_group else f"{who.prose} is not among {told}"
            self.reason = grouped if code not in codes else "there is no complete row for the window"
            return None
        if not usd[code] > 0:
            when = words.span(q.window)
            self.reason, self.undefined = f"no {q.side} in {when}", True
            return None
        return int((usd > usd[code]).sum()) + 1

    def _partners(self) -> list[dict]:
        """Who has such an amount above zero, the largest first; all, or so many."""
        q = self.q
        codes, told = _universe(q, self.on)
        usd = self.everyone(q.window, q.side, codes)
        usd = usd[usd > 0].sort_values(ascending=False)
        self.more |= {"n": len(usd), "universe": told or f"all {len(usd)} single countries with any"}
        amount = "balance_usd" if q.side in ("deficit", "surplus") else "value_usd"
        sign = -1 if q.side == "deficit" else 1
        most = None if q.test == "partners" else int(q.test.removeprefix("top"))
        return [named(str(code)) | {amount: sign * value} for code, value in usd.iloc[:most].items()]

    def _among_before(self, now: float):
        """A record, since when, or how many in a row: among all such periods through this one."""
        q, at = self.q, self.q.window
        past: list[float] = []
        years = YEARS.fullmatch(q.among or "")
        for window in _back(q, self.table):
            if years and window.start.year < q.window.start.year - int(years[1]):
                break
            value = self.measured(window)
            if np.isnan(value):
                break
            past.append(value)
            at = window
        self.more |= {"among": 1 + len(past), "figures_since": str(at.start)}
        usd = np.array(past)
        if q.test in ("is_highest", "is_lowest"):
            if not past:
                self.reason = "there is nothing before to compare with"
                return None
            return bool(now > usd.max() if q.test == "is_highest" else now < usd.min())
        if q.test in ("in_a_row", "since", "first_since"):
            if q.side in ("deficit", "surplus") and not q.measure and not now > 0:
                self.reason, self.undefined = f"there is no {q.side} in {words.span(q.window)}", True
                return None
            alike = np.sign(usd) == np.sign(now)
            if q.test == "first_since":
                return self._named(np.flatnonzero(alike), "there was none before")
            other = np.flatnonzero(~alike)
            row = 1 + (int(other[0]) if len(other) else len(usd))
            return row if q.test == "in_a_row" else str(_named_period(q, row - 1))
        rivals = np.flatnonzero(usd >= now if q.test == "highest_since" else usd <= now)
        return self._named(rivals, f"it is the {q.test.split('_')[0]} on record")

    def _named(self, places: np.ndarray, none: str) -> str | None:
        """The last of some periods before; None where there is none, and what that means."""
        if not len(places):
            self.reason = f"{none}, in figures since {self.more['figures_since']}"
            self.more["on_record"] = True
            return None
        return str(_named_period(self.q, int(places[0]) + 1))


def _shift(window: Window, periods: int) -> Window:
    return Window(window.start + periods, window.end + periods)


def _step(q: Question) -> int:
    """How many periods lie between two windows among which a record is looked for."""
    freq = q.window.end.freqstr[0]
    return 1 if q.step == freq else IN_A_YEAR[freq]


def _back(q: Question, table: Held) -> Iterator[Window]:
    """The windows before, the last first, as far as the table reaches."""
    window = _shift(q.window, -_step(q))
    while window.start.asfreq(table.freq, "start").ordinal >= table.first:
        yield window
        window = _shift(window, -_step(q))


def _named_period(q: Question, ago: int) -> pd.Period:
    return (q.window.end - ago * _step(q)).asfreq(q.step)


def _named(text: str) -> list[str]:
    return [resolve(one.strip()).code for one in text.split("+")]


def _universe(q: Question, on: date) -> tuple[list[str], str | None]:
    """Who may be ranked: those named, a group, the list of a day, or all countries; of all, no words."""
    if q.among and q.among[:4].isdigit():
        return listed(releases.parse_date(q.among))
    if q.among:
        codes = _named(q.among)
        found = members(codes[0], on) if len(codes) == 1 and has_members(codes[0]) else codes
        return found, f"{q.among}, {len(found)} countries"
    if q.item in ("services", "total") or q.adjusted == "bop":
        return listed(on)
    return countries(in_year=q.window.end.year), None


# --- the fact --------------------------------------------------------------------------------------


def reaching(q: Question) -> list[vintages.Vintage]:
    """The vintages that can answer a question, of the best table that has any, as they came out."""
    best = _choices(q, q.partners[0], date.max.replace(month=1))
    return sorted((v for *_, v in best if v.table == best[0][3].table), key=lambda v: v.published)


def _most_revised(q: Question) -> str:
    """Whose rows of all that a question rests on are revised most often: its vintage is judged by them."""
    if q.measure == "rank" or q.listed or (len(q.partners) > 1 and CANADA in q.partners):
        return CANADA
    return WORLD if q.measure in ("share_pct", "contribution_pct") else q.partners[0]


def answer(
    q: Question,
    *,
    day: date,
    on: date | None = None,
    prefer: dict[str, vintages.Vintage] | None = None,
    using: vintages.Vintage | None = None,
) -> Fact:
    """Answer a question whose windows are said, by what was known on a day, or in one vintage.

    `on` is the day whose members groups have and whose list is ranked; `prefer` names vintages that are
    in use already.
    """
    on, told = on or day, Facts()
    _refuse_twice(q.partners, on)
    best = [(0, 0, 0, using)] if using else _choices(q, _most_revised(q), day)
    liked = [one for one in best if prefer and prefer.get(one[3].table) == one[3]]
    best = liked[:1] or best
    table = best[0][3].table if best else _tables(q, q.window)[0]
    source, found, value = source_at(table), None, None
    if best:
        for standing, _, _, vintage in _one_of_each(best):
            found = Answer(q, vintage, on)
            value, method = found.value(), STANDING[standing]
            if value is not None or found.undefined:
                break
        source["table"] = vintage.table
        if method in STANDING[2:]:
            vintage, method = _unrevised(q, best, value, on, day) or (vintage, method)
        method = "later" if method == "same cycle" else method
        source |= {"vintage": vintage.published.isoformat(), "vintage_lag_days": vintage.lag_days(day)}
        source["vintage_method"] = method
    told.put(
        q.text,
        value,
        unit=q.unit,
        window=f"{q.window} vs {q.base}" if q.base else q.window,
        label=_label(q, on),
        source=source,
        reason=found.reason if found else _no_vintage(q, table),
        undefined=bool(found and found.undefined),
        **(found.more if found else {}),
    )
    return told[q.text]


def _refuse_twice(codes: Iterable[str], on: date) -> None:
    """Refuse a sum that counts a partner twice, by itself and as a member of a group."""
    seen: set[str] = set()
    for code in codes:
        parts = {code, *(members(code, on) if has_members(code) else ())}
        if seen & parts or (seen and WORLD in seen | parts):
            twice = ", ".join(partner(one).prose for one in sorted(seen & parts)) or partner(code).prose
            raise TradelibError(
                f"{'+'.join(codes)} counts {twice} twice: a group is its members on {on}.",
                "Leave out the group, or those who belonged to it on that day.",
            )
        seen |= parts


def _one_of_each(best: list) -> list:
    """The best vintage of each table, in their order."""
    firsts: dict[str, tuple] = {}
    for one in best:
        firsts.setdefault(one[3].table, one)
    return list(firsts.values())


def _unrevised(q: Question, best: list, value, on: date, day: date) -> tuple | None:
    """The last vintage before a day, where the first after it has the same figure: so it was that day."""
    early = [one[3] for one in best if one[3].published <= day]
    late = [one[3] for one in best if one[3].published > day and early and one[3].table == early[0].table]
    if value is None or not early or not late:
        return None
    before, after = max(early, key=lambda v: v.published), min(late, key=lambda v: v.published)
    same = Answer(q, before, on).value() == value == Answer(q, after, on).value()
    return (before, "published") if same else None


def _no_vintage(q: Question, table: str) -> str:
    every = vintages.list_vintages(table)
    if not every:
        return f"no vintage of {table} is at hand"
    freq = table_info(table).freq
    if all(_in(q.window, table_info(one).freq) is None for one in _tables(q, q.window)):
        return f"{table} is in {({'Q': 'quarters', 'Y': 'years', 'M': 'months'})[freq]}, not for {q.window}"
    wanted = " ".join(map(str, filter(None, (q.base, q.window))))
    return f"{table} covers {every[0].since} to {every[-1].through}, not {wanted}"


def _who(code: str, on: date) -> str:
    """A partner in words; of a group whose members change, how many they are and of which day."""
    if code not in summed_groups():
        return partner(code).prose
    return f"{partner(code).prose} (its {len(members(code, on))} members of {words.day(on)})"


def _label(q: Question, on: date) -> str:
    """The question in words."""
    who = " and ".join(_who(code, on) for code in q.partners)
    what = {"trade": "two-way trade"}.get(q.side, q.side.replace("_", " "))
    kind = ITEMS.get(q.item)
    if kind is None:
        _, scheme, code = q.item.split(".")
        kind = f"{scheme.upper().replace('HS2', 'HS')} {code}"
    adjusted = {"sa": ", seasonally adjusted", "bop": ", balance-of-payments basis"}.get(q.adjusted or "", "")
    label = f"U.S. {kind} {what} {SIDES[q.side]} {who}{adjusted}, {words.span(q.window)}"
    if q.measure == "rank":
        label = f"Rank of the {label}"
    elif q.measure == "share_pct":
        label = f"Share of the {label}, in that with {q.among or 'the world'}"
    elif q.measure == "per_month":
        label += ", a month on average"
    elif q.measure:
        base = "a year earlier" if q.base == q.window.year_earlier else words.span(q.base)
        kind = {"reduction_pct": "Reduction", "yearly_change_pct": "Change a year on average"}.get(
            q.measure, "Change"
        )
        if q.measure == "contribution_pct":
            kind = f"Part, in the change of that with {q.among or 'the world'}, of the change"
        label = f"{kind} of {label}, on {base}"
    past = f"in {q.among}" if YEARS.fullmatch(q.among or "") else "on record"
    told = {"is_highest": f"Is it the highest {past}", "is_lowest": f"Is it the lowest {past}"}
    told |= {"highest_since": "Highest since", "lowest_since": "Lowest since", "since": "Since when"}
    told |= {"in_a_row": "How many in a row", "count": "How many above zero", "first_since": "First since"}
    if q.listed:
        return f"With whom, the largest first: U.S. {kind} {what}{adjusted}, {words.span(q.window)}"
    return f"{told[q.test]}: {label}" if q.test in told else label


def ask(
    q: Question,
    *,
    codes: tuple[str, ...],
    day: date,
    month: pd.Period | None = None,
    universe: str | None = None,
    on: date | None = None,
    prefer: dict | None = None,
) -> Fact:
    """Answer a question as read, with a partner, a release and a universe where it does not say them."""
    whole = replace(q, partners=q.partners or codes, among=q.among or universe).over(month)
    found = answer(whole, day=day, on=on, prefer=prefer)
    return replace(found, id=q.text)
