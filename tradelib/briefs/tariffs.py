"""The facts on tariffs: duties on imports for consumption, what they come to in percent, and what moved that.

Calculated duties are an estimate by Census, not collections. The rate is duties in percent of all imports for
consumption, those free of duty too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tradelib import balances
from tradelib.briefs.goods import difference
from tradelib.partners import WORLD, country_set, has_members, members
from tradelib.store import vintages
from tradelib.store.vintages import Vintage
from tradelib.style import words
from tradelib.tables import PROVISIONS, TARIFF_PARTS, TARIFF_YEARS, TARIFFS, table_info
from tradelib.windows import Window, full_year, year_to_date

#: The month before the tariffs of 2025.
BASE = pd.Period("2024-12", "M")
COLUMNS = {"value_usd": "imports_usd", "duty_usd": "duty_usd", "dutiable_usd": "dutiable_usd"}
LOOKBACK = 24  # months in which the largest rise in one month is looked for
LARGE_POINTS = 1.0  # from which a change is told with what rates and what the mix did
TOLD_POINTS = 0.1  # from which the largest rise in one month is told
NAMED, CHANGED = 5, 3  # industries or chapters that are told: of most duties, and that changed most
#: What an industry is not known for by its name.
INCLUDES = {"331": "primary metals include gold, steel and aluminum"}
INCLUDES |= {"325": "chemicals include pharmaceuticals and fertilizers"}
#: What the parts of imports are called, by the classification in the name of their table.
PARTS = {"naics": ("industry", "industries", words.industry), "hs2": ("chapter", "chapters", words.chapter)}


#: What is told of imports by rate provision, and which provisions are free, and under chapter 99.
SHARES = {
    "dutiable": "Dutiable part",
    "free": "Part free of duty",
    "chapter_99": "Part dutiable under chapter 99",
}
FREE, CHAPTER_99 = "1", ("69", "79")


def rate(duty: pd.Series, imports: pd.Series) -> pd.Series:
    """Duties in percent of imports for consumption; missing where there were none."""
    return 100 * duty / imports.where(imports > 0)


def split(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Split the change of a rate into what the rates of its parts did and what their mix did, in points.

    Both tables have `imports_usd` and `duty_usd` by part, all of them, or by partner and part: one without a
    row had no trade. Rates count at the mean weight of the two windows, the mix at the mean rate less that of
    the whole, so that the two add up exactly, whichever window comes first. A part that was imported in one
    window only is mix. A partner of whom nothing was imported in one has no rows.
    """
    columns = ["imports_usd", "duty_usd"]
    both = now[columns].join(before[columns].add_suffix("_then"), how="outer").fillna(0.0)
    usd, duty, usd_then, duty_then = both.to_numpy(float).T
    whose = both.index.codes[0] if both.index.nlevels > 1 else np.zeros(len(both), int)
    whole = {name: np.bincount(whose, both[name])[whose] for name in both}
    with np.errstate(divide="ignore", invalid="ignore"):
        of, of_then = 100 * duty / usd, 100 * duty_then / usd_then
        weight, weight_then = usd / whole["imports_usd"], usd_then / whole["imports_usd_then"]
        mean = 50 * (
            whole["duty_usd"] / whole["imports_usd"] + whole["duty_usd_then"] / whole["imports_usd_then"]
        )
    of, of_then = np.where(usd > 0, of, of_then), np.where(usd_then > 0, of_then, of)
    by_rate = (weight + weight_then) / 2 * (of - of_then)
    by_mix = (weight - weight_then) * ((of + of_then) / 2 - mean)
    added = {"rate_points": np.nan_to_num(by_rate), "mix_points": np.nan_to_num(by_mix)}
    return pd.DataFrame(added, index=both.index)[(whole["imports_usd"] > 0) & (whole["imports_usd_then"] > 0)]


@dataclass(frozen=True)
class Duties:
    """Duties and imports for consumption of everybody by month, as of a snapshot, and their sums."""

    month: pd.Period
    flows: dict[str, pd.DataFrame] = field(repr=False)

    @cached_property
    def windows(self) -> dict[str, Window]:
        """The windows that facts are told of."""
        year = full_year(self.month.year - 1, "M")
        spans = {"month": Window(self.month, self.month), "ytd": year_to_date(self.month)}
        return spans | {"trailing12": Window(self.month - 11, self.month), "previous_year": year}

    @property
    def parts_table(self) -> str:
        """The table by industry, or by chapter, of the vintage of the totals; empty where there is none."""
        return next((table for table in self.flows if table in TARIFF_PARTS), "")

    @property
    def parts(self) -> tuple:
        """What one of its parts is called, what several are, and how one is named."""
        return PARTS[self.parts_table.split("_")[2]] if self.parts_table else PARTS["naics"]

    @cached_property
    def rows(self) -> dict[str, pd.DataFrame]:
        """The tables by partner, item and period, in dollars."""
        return {
            table: flows.rename(columns=COLUMNS).set_index(["partner", "item", "period"])[
                [name for column, name in COLUMNS.items() if column in flows]
            ]
            for table, flows in self.flows.items()
        }

    def sums(self, window: Window, table: str = TARIFFS) -> pd.DataFrame:
        """Sums over a window with the rate, by partner, and of the other tables by item too.

        None where the table lacks a month: that it has no rows of it is no zero.
        """
        return self._once(f"sums {window} {table}", lambda: self._sums(window, table))

    def _sums(self, window: Window, table: str) -> pd.DataFrame:
        months = pd.period_range(window.start, window.end)
        if table not in self.flows or not months.isin(self.flows[table]["period"].unique()).all():
            return pd.DataFrame(columns=["imports_usd", "duty_usd", "rate_pct"], dtype=float)
        sums = balances.window_sum(self.rows[table], window, absent_is_zero=table_info(table).sparse)
        sums = sums.dropna(subset=["imports_usd", "duty_usd"])
        sums = sums.droplevel("item") if table == TARIFFS else sums
        return sums.assign(rate_pct=rate(sums["duty_usd"], sums["imports_usd"]))

    def of(self, code: str, window: Window) -> dict[str, float]:
        """Sums of one partner over a window; empty where the table has no whole row."""
        rows = self._once(f"of {window}", lambda: self.sums(window).to_dict("index"))
        return rows.get(code, {})

    def _once(self, key: str, make: Callable) -> Any:
        """What is worked out for all partners together, the first time that it is asked for."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {}

    @cached_property
    def monthly(self) -> pd.DataFrame:
        """The rate by month and partner."""
        rows = self.rows[TARIFFS].droplevel("item").dropna()
        rows = rows[rows.index.get_level_values("period") <= self.month]
        return rate(rows["duty_usd"], rows["imports_usd"]).unstack("partner").sort_index()

    def of_parts(self, code: str, window: Window, table: str = "") -> pd.DataFrame:
        """Sums of one partner by industry or chapter, or what a table has; none where it has no such rows."""
        sums = self.sums(window, table or self.parts_table)
        return sums.loc[code] if code in sums.index else sums.iloc[:0].reset_index(drop=True)

    def split(self, code: str, window: Window, base: Window) -> dict[str, float]:
        """What rates and mix of its parts did to a partner's rate between two windows; empty if not known."""
        now, before = (self.sums(span, self.parts_table) for span in (window, base))
        if now.empty or before.empty:
            return {}
        added = self._once(
            f"split {window} {base}", lambda: split(now, before).groupby(level=0).sum().to_dict("index")
        )
        return added.get(code, {})

    def largest(self, code: str, window: Window) -> dict[str, dict] | None:
        """Industries or chapters of a partner with most duties; None where the table has no rows of it."""
        sums = self.sums(window, self.parts_table)
        if code not in sums.index:
            return None
        found = self._once(f"largest {window}", lambda: self._largest(sums, window.year_earlier))
        return found.get(code, {})

    def _largest(self, sums: pd.DataFrame, base: Window) -> dict[str, dict]:
        then = self.sums(base, self.parts_table)["rate_pct"].reindex(sums.index)
        paid = sums.assign(before_pct=then.astype(object).where(then.notna(), None))[sums["duty_usd"] > 0]
        top = paid.sort_values("duty_usd", ascending=False, kind="stable").groupby(level=0).head(NAMED)
        found: dict[str, dict] = {}
        for (code, item), row in top.to_dict("index").items():
            found.setdefault(code, {})[item] = row
        return found

    def ranks(self, window: Window) -> pd.Series:
        """The single countries of the table by their rate, the highest first."""
        rates = self.sums(window)["rate_pct"]
        return self._once(f"ranks {window}", lambda: balances.rank(-rates, list(country_set())))

    def shares(self, code: str, window: Window) -> dict[str, float]:
        """What part of a partner's imports each of `SHARES` is, by rate provision; none where not known."""
        rows = self.of_parts(code, window, PROVISIONS)
        whole = rows["imports_usd"].sum()
        if not whole > 0:
            return {}
        usd, items = rows["imports_usd"], rows.index
        parts = {"free": usd[items.str.startswith(FREE)], "chapter_99": usd[items.isin(CHAPTER_99)]}
        parts["dutiable"] = rows["dutiable_usd"]
        return {name: balances.share(float(part.sum()), whole) for name, part in parts.items()}


# --- facts --------------------------------------------------------------------------------------


def tariff_facts(brief) -> None:
    """Write the facts `tariff.*`, and `world.tariff.*` beside them."""
    duties = brief.snapshot.duties
    for span, window in duties.windows.items():
        _window(brief, duties, span, window)
        _shares(brief, duties, span, window)
    _largest(brief, duties)
    _most_changed(brief, duties)
    for span in ("month", "ytd"):
        _place(brief, duties, span)
        _parts(brief, duties, span)
        _world(brief, duties, span)
    _since_base(brief, duties)
    _since_when(brief, duties)


def _window(brief, duties: Duties, span: str, window: Window) -> None:
    """Rate, duties, imports and what part of them is dutiable in a window, and their changes."""
    now, before = (duties.of(brief.partner.code, one) for one in (window, window.year_earlier))
    when, versus = words.span(window), f"{window} vs {window.year_earlier}"
    about = {"table": TARIFFS, "reason": _no_row(brief)}
    free = about | ({"reason": f"nothing was imported for consumption in {when}"} if now else {})
    title = f"Duties in percent of U.S. imports for consumption from {{p}}, {when}"
    id = f"tariff.rate.{span}"
    brief.add(id, now.get("rate_pct"), unit="percent", window=window, label=title, **free)
    change = difference(now.get("rate_pct"), before.get("rate_pct"))
    label, large = f"Change on a year earlier of d{title[1:]}", bool(change and abs(change) >= LARGE_POINTS)
    about_it = free | {"unit": "points", "large": large}
    brief.add(f"{id}.change_points", change, window=versus, label=label, **about_it)
    title = f"Calculated duties on U.S. imports for consumption from {{p}}, {when}"
    id = f"tariff.duties.{span}"
    brief.add(id, now.get("duty_usd"), unit="USD", window=window, label=title, **about)
    change = difference(now.get("duty_usd"), before.get("duty_usd"))
    label = f"Change on a year earlier of c{title[1:]}"
    brief.add(f"{id}.change_usd", change, unit="USD", window=versus, label=label, **about)
    title = f"U.S. imports for consumption from {{p}}, {when}"
    id = f"tariff.imports.{span}"
    brief.add(id, now.get("imports_usd"), unit="USD", window=window, label=title, **about)


def _largest(brief, duties: Duties) -> None:
    """Of which industries or chapters imports for consumption are largest."""
    window, (kind, several, name_of) = duties.windows["ytd"], duties.parts
    top = duties.of_parts(brief.partner.code, window)["imports_usd"].nlargest(CHANGED)
    named = {item: {kind: item, "prose": _in_a_sentence(name_of(item))} for item in top.index}
    entries = [named[item] | {"value_usd": usd} for item, usd in top.items() if usd > 0]
    brief.add(
        "tariff.imports.ytd.largest",
        entries or None,
        unit="list",
        window=window,
        label=f"{words.capital(several)} of which U.S. imports for consumption from {{p}} are largest, "
        f"{words.span(window)}",
        table=duties.parts_table or "imports_consumption_naics_nsa",
        reason=f"no table by industry or chapter of the same vintage has rows of {brief.partner.prose}",
        by=kind,
        includes=_includes(entry[kind] for entry in entries),
    )


def _most_changed(brief, duties: Duties) -> None:
    """Of which industries or chapters imports for consumption changed most, and what else is in these."""
    code, window, (kind, several, name_of) = brief.partner.code, duties.windows["ytd"], duties.parts
    now, before = (duties.of_parts(code, span)["imports_usd"] for span in (window, window.year_earlier))
    change = now.sub(before, fill_value=0.0) if len(now) and len(before) else pd.Series(dtype=float)
    top = change[change.abs().nlargest(CHANGED).index]
    told = [entry[kind] for entry in brief.value("tariff.imports.ytd.largest") or ()]
    entries = [
        {kind: item, "prose": _in_a_sentence(name_of(item)), "change_usd": usd}
        for item, usd in top.items()
        if usd
    ]
    brief.add(
        "tariff.imports.ytd.most_changed",
        entries or None,
        unit="list",
        window=f"{window} vs {window.year_earlier}",
        label=f"{words.capital(several)} of which U.S. imports for consumption from {{p}} changed most, "
        f"{words.span(window)} on a year earlier",
        table=duties.parts_table or "imports_consumption_naics_nsa",
        reason=f"no table by industry or chapter of the same vintage has rows of {brief.partner.prose}",
        by=kind,
        includes=_includes(item for item in top.index if item not in told),
    )


def _includes(items: Iterable[str]) -> str:
    """Say what industries hold that nobody expects in them; of chapters, and of others, nothing."""
    return words.capital("; ".join(INCLUDES[item] for item in items if item in INCLUDES))


def _shares(brief, duties: Duties, span: str, window: Window) -> None:
    """What part of imports is dutiable, free, under chapter 99: by provision; of a year the first."""
    code, when, years = brief.partner.code, words.span(window), brief.snapshot.sources.get(TARIFF_YEARS)
    found = {name: (PROVISIONS, value) for name, value in duties.shares(code, window).items()}
    reason = f"no table by rate provision at hand has {when}; the bulk files of Census have it"
    if len(duties.sums(window, PROVISIONS)):
        reason = f"nothing was imported for consumption in {when}"
    elif years and when.isdecimal():
        sums = year_sums(years, code=code, year=when, day=brief.as_of)
        if sums is not None:
            found = {"dutiable": (TARIFF_YEARS, balances.share(sums["dutiable_usd"], sums["value_usd"]))}
    for name, part in SHARES.items():
        table, value = found.get(name, (PROVISIONS, None))
        id, label = (
            f"tariff.{name}_share.{span}",
            f"{part} of U.S. imports for consumption from {{p}}, {when}",
        )
        brief.add(id, value, unit="percent", window=window, label=label, table=table, reason=reason)


def year_sums(vintage: Vintage, *, code: str, year: str, day: date) -> pd.Series | None:
    """A partner's imports, duties and dutiable value of a year; None where the table of years has none."""
    sums, period = _by_year(vintage.path), pd.Period(year, "Y")
    codes = members(code, day) if code not in sums.index and has_members(code) else [code]
    if sums.index.isin(codes).sum() != len(codes) or period not in sums.columns.levels[1]:
        return None
    return sums.loc[codes].xs(period, axis=1, level="period").sum()


@lru_cache(maxsize=2)
def _by_year(path: Path) -> pd.DataFrame:
    """Sums of everybody by year of a vintage, which never changes."""
    rows = vintages.read(vintages.look(path))
    sums = rows.groupby(["partner", "period"], observed=True)[["value_usd", "duty_usd", "dutiable_usd"]].sum()
    return sums.unstack("period", fill_value=0)


def _no_row(brief) -> str:
    return f"the table of duties does not have all these months of {brief.partner.prose}"


def _in_a_sentence(name: str) -> str:
    return name[:1].lower() + name[1:]


def _place(brief, duties: Duties, span: str) -> None:
    """The rank by rate among the countries of the table, and the part in all duties."""
    code, window = brief.partner.code, duties.windows[span]
    ranks, when = duties.ranks(window), words.span(window)
    single = brief.partner.kind == "country"
    brief.add(
        f"tariff.rate.{span}.rank",
        ranks.get(code),
        unit="rank",
        window=window,
        label=f"Rank of {{p}} by duties in percent of U.S. imports for consumption, {when}",
        table=TARIFFS,
        reason=_no_row(brief) if single else "it is not a single country",
        measure="duties in percent of imports for consumption, highest first",
        universe=f"the {len(ranks)} countries of the table of duties",
        n=len(ranks),
    )
    mine, whole = (duties.of(one, window).get("duty_usd", np.nan) for one in (code, WORLD))
    brief.add(
        f"tariff.duties.{span}.share_pct",
        balances.share(mine, whole),
        unit="percent",
        window=window,
        label=f"Share of {{p}} in all calculated duties, {when}",
        table=TARIFFS,
        reason=_no_row(brief),
        rows_of=WORLD,
    )


def _parts(brief, duties: Duties, span: str) -> None:
    """What rates and mix did to the change of the rate, and the industries or chapters with most duties."""
    code, window, (kind, several, name_of) = brief.partner.code, duties.windows[span], duties.parts
    base, when = window.year_earlier, words.span(window)
    moved = duties.split(code, window, base)
    about = {
        "table": duties.parts_table or "imports_consumption_naics_nsa",
        "reason": f"no table by industry or chapter of the same vintage has rows of {brief.partner.prose}",
        "by": kind,
    }
    of = "the change on a year earlier of duties in percent of U.S. imports for consumption from {p}"
    for name, what in (("rate", f"the rates of {several}"), ("mix", "their mix")):
        value = moved.get(f"{name}_points")
        id, label = f"tariff.rate.{span}.by_{name}_points", f"What {what} did to {of}, {when}"
        brief.add(id, value, unit="points", window=f"{window} vs {base}", label=label, **about)
    largest = duties.largest(code, window)
    entries = [
        {
            kind: item,
            "prose": _in_a_sentence(name_of(item)),
            **{name: row[name] for name in ("duty_usd", "imports_usd", "rate_pct", "before_pct")},
        }
        for item, row in (largest or {}).items()
    ]
    label = f"{words.capital(several)} with most duties on U.S. imports for consumption from {{p}}, {when}"
    shown = None if largest is None else entries
    brief.add(f"tariff.parts.{span}", shown, unit="list", window=window, label=label, **about)


def _world(brief, duties: Duties, span: str) -> None:
    """The rate on all imports for consumption, to compare with."""
    window = duties.windows[span]
    now, before = (duties.of(WORLD, one) for one in (window, window.year_earlier))
    title = f"Duties in percent of all U.S. imports for consumption, {words.span(window)}"
    about = {"table": TARIFFS, "reason": "the table of duties has no row of the world", "rows_of": WORLD}
    id = f"world.tariff.rate.{span}"
    brief.add(id, now.get("rate_pct"), unit="percent", window=window, label=title, **about)
    label, change = (
        f"Change on a year earlier of d{title[1:]}",
        difference(now.get("rate_pct"), before.get("rate_pct")),
    )
    versus = f"{window} vs {window.year_earlier}"
    brief.add(f"{id}.change_points", change, unit="points", window=versus, label=label, **about)


def _since_base(brief, duties: Duties) -> None:
    """The rate of December 2024, and the change since."""
    base, month = Window(BASE, BASE), duties.windows["month"]
    then, now = (duties.of(brief.partner.code, window).get("rate_pct") for window in (base, month))
    late = f"{words.period(month.end)} is not after {words.period(BASE)}"
    about = {"table": TARIFFS, "reason": _no_row(brief) if month.end > BASE else late}
    if month.end <= BASE:
        then = None
    title = "Duties in percent of U.S. imports for consumption from {p}"
    label = f"{title}, {words.period(BASE)}"
    brief.add("tariff.rate.december_2024", then, unit="percent", window=base, label=label, **about)
    change = difference(now, then)
    label = f"Change since {words.period(BASE)} of d{title[1:]}, {words.period(month.end)}"
    id = "tariff.rate.month.since_december_2024_points"
    brief.add(id, change, unit="points", window=f"{month} vs {base}", label=label, **about)


def _since_when(brief, duties: Duties) -> None:
    """The month of the highest rate, and that of the largest rise in one month of the last two years."""
    months = duties.monthly.get(brief.partner.code) if TARIFFS in duties.flows else None
    months = pd.Series(dtype=float) if months is None else months.dropna()
    there = len(months) > 0 and months.index[-1] == duties.month
    peak = months.idxmax() if there else None
    title = "duties in percent of U.S. imports for consumption from {p}"
    brief.add(
        "tariff.rate.peak",
        str(peak) if there else None,
        unit="month",
        window=f"{months.index[0]}..{duties.month}" if there else duties.month,
        label=f"Month with the highest {title}",
        table=TARIFFS,
        reason=_no_row(brief),
        highest_pct=float(months[peak]) if there else None,
        since=str(months.index[0]) if there else None,
        here=bool(there and peak == duties.month),
        long=len(months) >= LOOKBACK,
    )
    months = months.reindex(pd.period_range(months.index[0], duties.month, freq="M")) if there else months
    rises = months.diff().loc[duties.month - LOOKBACK + 1 :].dropna() if there else months
    month = rises.idxmax() if len(rises) and rises.max() > 0 else None
    brief.add(
        "tariff.rate.jump",
        None if month is None else float(rises[month]),
        unit="points",
        window=f"{duties.month - LOOKBACK + 1}..{duties.month}",
        label=f"Largest rise in one month, of the last {LOOKBACK}, of {title}",
        table=TARIFFS,
        reason="there was none" if there else _no_row(brief),
        month=None if month is None else str(month),
        before_pct=None if month is None else float(months[month - 1]),
        after_pct=None if month is None else float(months[month]),
        large=bool(month is not None and rises[month] >= TOLD_POINTS),
    )
