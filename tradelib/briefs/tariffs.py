"""The facts on tariffs: duties on imports for consumption, what they come to in percent, and what moved that.

Calculated duties are an estimate by Census, not collections. The rate is duties in percent of all imports for
consumption, those free of duty too.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from tradelib import balances
from tradelib.briefs.selection import TARIFFS
from tradelib.partners import WORLD, country_set
from tradelib.style import words
from tradelib.style.words import missing
from tradelib.tables import table_info
from tradelib.windows import Window, full_year, year_to_date

#: The month before the tariffs of 2025.
BASE = pd.Period("2024-12", "M")
COLUMNS = {"value_usd": "imports_usd", "duty_usd": "duty_usd", "dutiable_usd": "dutiable_usd"}
LOOKBACK = 24  # months in which the largest rise in one month is looked for
LARGE_POINTS = 1.0  # from which a change is told with what rates and what the mix did
NAMED = 5  # industries or chapters that are told
#: What the parts of imports are called, by the classification in the name of their table.
PARTS = {"naics": ("industry", "industries", words.industry), "hs2": ("chapter", "chapters", words.chapter)}


def rate(duty: pd.Series, imports: pd.Series) -> pd.Series:
    """Duties in percent of imports for consumption; missing where there were none."""
    return 100 * duty / imports.where(imports > 0)


def split(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Split the change of a rate into what the rates of its parts did and what their mix did, in points.

    Both tables have `imports_usd` and `duty_usd` by part, all of them: one without a row had no trade. Rates
    count at the mean weight of the two windows, the mix at the mean rate less that of the whole, so that the
    two add up exactly, whichever window comes first. A part that was imported in one window only is mix.
    """
    both = now.index.union(before.index)
    tables = (rows[["imports_usd", "duty_usd"]].reindex(both).fillna(0.0) for rows in (now, before))
    (usd, duty), (usd_then, duty_then) = (rows.to_numpy(float).T for rows in tables)
    with np.errstate(divide="ignore", invalid="ignore"):
        of, of_then = 100 * duty / usd, 100 * duty_then / usd_then
    of, of_then = np.where(usd > 0, of, of_then), np.where(usd_then > 0, of_then, of)
    weight, weight_then = usd / usd.sum(), usd_then / usd_then.sum()
    whole = 50 * (duty.sum() / usd.sum() + duty_then.sum() / usd_then.sum())
    by_rate = (weight + weight_then) / 2 * (of - of_then)
    by_mix = (weight - weight_then) * ((of + of_then) / 2 - whole)
    added = {"rate_points": np.nan_to_num(by_rate), "mix_points": np.nan_to_num(by_mix)}
    return pd.DataFrame(added, index=both)


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
        return next((table for table in self.flows if table != TARIFFS), "")

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
        """Sums over a window with the rate, by partner, and of the table of parts by item too."""
        if table not in self.flows:
            return pd.DataFrame(columns=["imports_usd", "duty_usd", "rate_pct"], dtype=float)
        key = (str(window), table)
        if key not in self._summed:
            rows = self.rows[table]
            sums = balances.window_sum(rows, window, absent_is_zero=table_info(table).sparse)
            sums = sums.dropna(subset=["imports_usd", "duty_usd"])
            sums = sums.droplevel("item") if table == TARIFFS else sums
            self._summed[key] = sums.assign(rate_pct=rate(sums["duty_usd"], sums["imports_usd"]))
        return self._summed[key]

    @cached_property
    def _summed(self) -> dict[tuple[str, str], pd.DataFrame]:
        return {}

    @cached_property
    def monthly(self) -> pd.DataFrame:
        """The rate by month and partner."""
        rows = self.rows[TARIFFS].droplevel("item").dropna()
        rows = rows[rows.index.get_level_values("period") <= self.month]
        return rate(rows["duty_usd"], rows["imports_usd"]).unstack("partner").sort_index()

    def of_parts(self, code: str, window: Window) -> pd.DataFrame:
        """Sums of one partner by industry or chapter over a window; none where the table has no such rows."""
        sums = self.sums(window, self.parts_table)
        return sums.loc[code] if code in sums.index else sums.iloc[:0].reset_index(drop=True)

    def split(self, code: str, window: Window, base: Window) -> pd.DataFrame | None:
        """The change of a partner's rate from one window to another by its parts; None where not known."""
        now, before = (self.of_parts(code, span) for span in (window, base))
        there = now["imports_usd"].sum() > 0 and before["imports_usd"].sum() > 0
        return split(now, before) if there else None

    def ranks(self, window: Window) -> pd.Series:
        """The single countries of the table by their rate, the highest first."""
        key = str(window)
        if key not in self._ranked:
            self._ranked[key] = balances.rank(-self.sums(window)["rate_pct"].dropna(), list(country_set()))
        return self._ranked[key]

    @cached_property
    def _ranked(self) -> dict[str, pd.Series]:
        return {}


# --- facts --------------------------------------------------------------------------------------


def tariff_facts(brief) -> None:
    """Write the facts `tariff.*`, and `world.tariff.*` beside them."""
    duties = brief.snapshot.duties
    for span, window in duties.windows.items():
        _window(brief, duties, span, window)
    for span in ("month", "ytd"):
        _place(brief, duties, span)
        _parts(brief, duties, span)
        _world(brief, duties, span)
    _since_base(brief, duties)
    _since_when(brief, duties)


def _pair(duties: Duties, code: str, window: Window) -> tuple[dict, dict]:
    """A partner's sums of a window and of a year earlier; empty where the table has no whole row."""
    sums = [duties.sums(span) for span in (window, window.year_earlier)]
    return tuple(one.loc[code].to_dict() if code in one.index else {} for one in sums)


def _difference(now: dict, before: dict, name: str):
    pair = now.get(name), before.get(name)
    return None if any(map(missing, pair)) else pair[0] - pair[1]


def _window(brief, duties: Duties, span: str, window: Window) -> None:
    """Rate, duties, imports and what part of them is dutiable in a window, and their changes."""
    now, before = _pair(duties, brief.partner.code, window)
    when, versus = words.span(window), f"{window} vs {window.year_earlier}"
    reason = _no_row(brief)
    about = {"table": TARIFFS, "reason": reason}
    free = about | {"reason": f"nothing was imported for consumption in {when}" if now else reason}
    title = f"Duties in percent of U.S. imports for consumption from {{p}}, {when}"
    id = f"tariff.rate.{span}"
    brief.add(id, now.get("rate_pct"), unit="percent", window=window, label=title, **free)
    change = _difference(now, before, "rate_pct")
    label, large = f"Change on a year earlier of d{title[1:]}", bool(change and abs(change) >= LARGE_POINTS)
    about_it = free | {"unit": "points", "large": large}
    brief.add(f"{id}.change_points", change, window=versus, label=label, **about_it)
    title = f"Calculated duties on U.S. imports for consumption from {{p}}, {when}"
    id = f"tariff.duties.{span}"
    brief.add(id, now.get("duty_usd"), unit="USD", window=window, label=title, **about)
    change = _difference(now, before, "duty_usd")
    label = f"Change on a year earlier of c{title[1:]}"
    brief.add(f"{id}.change_usd", change, unit="USD", window=versus, label=label, **about)
    title = f"U.S. imports for consumption from {{p}}, {when}"
    id = f"tariff.imports.{span}"
    brief.add(id, now.get("imports_usd"), unit="USD", window=window, label=title, **about)
    share = balances.share(now.get("dutiable_usd", np.nan), now.get("imports_usd", np.nan))
    title = f"Dutiable part of U.S. imports for consumption from {{p}}, {when}"
    if now and "dutiable_usd" not in now:
        about |= {"reason": f"{TARIFFS} of that day has no dutiable value; the bulk files of Census have"}
    id = f"tariff.dutiable_share.{span}"
    brief.add(id, share, unit="percent", window=window, label=title, **about)


def _no_row(brief) -> str:
    return f"the table of duties has no complete row of {brief.partner.prose} for the window"


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
    usd = duties.sums(window)["duty_usd"]
    brief.add(
        f"tariff.duties.{span}.share_pct",
        balances.share(usd.get(code, np.nan), usd.get(WORLD, np.nan)),
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
        value = None if moved is None else float(moved[f"{name}_points"].sum())
        id, label = f"tariff.rate.{span}.by_{name}_points", f"What {what} did to {of}, {when}"
        brief.add(id, value, unit="points", window=f"{window} vs {base}", label=label, **about)
    now, before = (duties.of_parts(code, one) for one in (window, base))
    largest = now[now["duty_usd"] > 0].nlargest(NAMED, "duty_usd", keep="first")
    entries = [
        {
            kind: item,
            "prose": name_of(item)[:1].lower() + name_of(item)[1:],
            "duty_usd": row["duty_usd"],
            "imports_usd": row["imports_usd"],
            "rate_pct": row["rate_pct"],
            "before_pct": before["rate_pct"].get(item),
        }
        for item, row in largest.iterrows()
    ]
    entries = [
        entry | {"before_pct": None if missing(entry["before_pct"]) else entry["before_pct"]}
        for entry in entries
    ]
    label = f"{words.capital(several)} with most duties on U.S. imports for consumption from {{p}}, {when}"
    shown = entries if len(now) else None
    brief.add(f"tariff.parts.{span}", shown, unit="list", window=window, label=label, **about)


def _world(brief, duties: Duties, span: str) -> None:
    """The rate on all imports for consumption, to compare with."""
    window = duties.windows[span]
    now, before = _pair(duties, WORLD, window)
    title = f"Duties in percent of all U.S. imports for consumption, {words.span(window)}"
    about = {"table": TARIFFS, "reason": "the table of duties has no row of the world", "rows_of": WORLD}
    id = f"world.tariff.rate.{span}"
    brief.add(id, now.get("rate_pct"), unit="percent", window=window, label=title, **about)
    label, change = f"Change on a year earlier of d{title[1:]}", _difference(now, before, "rate_pct")
    versus = f"{window} vs {window.year_earlier}"
    brief.add(f"{id}.change_points", change, unit="points", window=versus, label=label, **about)


def _since_base(brief, duties: Duties) -> None:
    """The rate of December 2024, and the change since."""
    base, month = Window(BASE, BASE), duties.windows["month"]
    then, now = (duties.sums(window)["rate_pct"].get(brief.partner.code) for window in (base, month))
    late = f"{words.period(month.end)} is not after {words.period(BASE)}"
    about = {"table": TARIFFS, "reason": _no_row(brief) if month.end > BASE else late}
    if month.end <= BASE:
        then = None
    title = "Duties in percent of U.S. imports for consumption from {p}"
    label = f"{title}, {words.period(BASE)}"
    brief.add("tariff.rate.december_2024", then, unit="percent", window=base, label=label, **about)
    change = None if missing(then) or missing(now) else now - then
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
    )
