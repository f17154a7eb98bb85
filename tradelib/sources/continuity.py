"""A table held against the vintages before and after it: it may go on and revise, but not contradict.

The bounds are those of the bundled vintages. Between every two of the seven of goods by partner (2012 to
2025, 120,000 revised figures of single countries) no figure moved that was five years old, and a younger
one moved by 0.75 at most of what `bounds` gives: one ship or aircraft, as much again as a small partner
trades, 2 percent of a large one. All countries together moved by 2.6 percent of a month. Without an annual
revision between them, in June, only Canada and the world moved. New months were above three times the
largest of five years by $420 million at most. Other tables have one vintage each.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from tradelib.partners import WORLD, WORLD_SA, all_partners
from tradelib.releases import same_cycle
from tradelib.store import parquet, vintages
from tradelib.store.vintages import Part, Vintage
from tradelib.tables import BALANCE, GOODS, GOODS_SA, KEYS, TRADE, TRADE_YEARS, CheckError, table_info

#: Tables that always come whole: a row of theirs does not vanish, and they begin when they began.
WHOLE = {GOODS, GOODS_SA, TRADE, TRADE_YEARS, "trade_bop_sa_api"}
ADJUSTED = {GOODS_SA, TRADE, "trade_bop_sa_api"}  # the bounds of revisions are wider than a quarter's change
SETTLED_YEARS = 5
ROUNDING = 10_000.0  # a spreadsheet's CSV has ten digits
MOVED, MOVED_IN_CYCLE, FEW = 0.05, 0.01, 10
NEW_TIMES, NEW_USD, GROWTH = 4, 700e6, 1.3  # GROWTH: more for each year between
SERIES = ["partner", "flow", "item"]
SHOWN = 3
MONTHLY = ["1220", WORLD_SA, WORLD]  # Canada and the world are revised each month, others once a year
#: No revision multiplies all duties together by so many, or is seen among so few dollars.
DUTY_TIMES, DUTY_USD = 2, 10e6
#: Tables that hold the figures of another one once more -> that one, and what its months are added up to.
ALIKE = {
    "goods_census_nsa_api": (GOODS, ""),
    "goods_ft900_nsa": (GOODS, ""),
    "goods_ft900_all_nsa": (GOODS, ""),
    "goods_ft900_ytd_nsa": (GOODS, "ytd"),
    "goods_ft900_all_ytd_nsa": (GOODS, "ytd"),
    "goods_ft900_sa": (GOODS_SA, ""),
    "goods_ft900_ytd_sa": (GOODS_SA, "ytd"),
    "goods_ft900_quarters_sa": (GOODS_SA, "Q"),
    "trade_ft900_sa": (TRADE, ""),
    "trade_ft900_annual": (TRADE_YEARS, ""),
    "trade_bop_sa_api": (TRADE, ""),
}
#: Two months of many partners were never less apart than 0.037 of what they traded together, and what one was
#: revised by never more than 0.018.
APART, COPIED = 0.03, 0.01
LOOK = "Is it the right file, whole, and of that day?"
PRINTED_USD, PRINTED = 5e6, 0.02  # what rounding and such may make of the same figure: dollars and a share


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tables, the earlier first, and the days they are of."""

    table: str
    days: tuple[date, date]
    old: pd.DataFrame
    new: pd.DataFrame

    @classmethod
    def of(cls, table: str, here: tuple[date, pd.DataFrame], there: tuple[date, pd.DataFrame]) -> "Pair":
        """Put two tables in the order of their days; of one day, the one here is the later."""
        (first, old), (second, new) = sorted([there, here], key=lambda one: one[0])
        return cls(table, (first, second), old, new)

    @property
    def in_cycle(self) -> bool:
        """Whether no annual revision lies between them, so that countries have not moved."""
        return self.table == GOODS and same_cycle(*self.days)

    @property
    def unrevised(self) -> bool:
        """Whether both hold the same figures of goods, none of them of a country revised since."""
        return ALIKE.get(self.table, ("",))[0] == GOODS and same_cycle(*self.days)

    @property
    def width(self) -> int:
        """How many times as wide the bounds are as for goods by partner."""
        info = table_info(self.table)
        wide = info.basis == "BOP" or (self.table in ALIKE and info.adjustment == "SA")
        return 1 if self.table == GOODS else 4 if wide else 2


def totals(held: Vintage | pd.DataFrame | list[Part]) -> pd.DataFrame:
    """All items of a large table added up, by partner, flow and month: what its vintages are compared by."""
    if isinstance(held, pd.DataFrame):
        by = ["partner", "flow", "period"]
        return held.groupby(by, as_index=False, observed=True)["value_usd"].sum().assign(item="all")
    from tradelib.store import large  # brings Arrow's datasets, which take a while

    paths = [part.path for part in held] if isinstance(held, list) else held.files
    return parquet.to_frame(large.totals(paths), "M")


def hold_against(frame: pd.DataFrame, table: str, day: date, known: list[Vintage]) -> None:
    """Refuse a table of a day that contradicts the vintages next to it, among those that are known.

    Of a large table `frame` is its `totals`.
    """
    before = max((v for v in known if v.published <= day), key=lambda v: v.published, default=None)
    after = min((v for v in known if v.published > day), key=lambda v: v.published, default=None)
    for other in filter(None, (before, after)):
        rows = totals(other) if other.parts else vintages.read(other)
        pair = Pair.of(table, (day, frame), (other.published, rows))
        problem = _span_problem(pair) or contradiction(pair)
        if not problem and table in ADJUSTED:
            problem = other_period(frame, rows, table)
        if problem:
            beside, older = f"the vintage of {other.published}", "For an older copy give the day it was out."
            raise unbelievable(table, day, f"{beside} ({other.origin})", problem, f"{LOOK} {older}")


def unbelievable(table: str, day: date, beside: str, problem: list[str], look: str) -> CheckError:
    """The refusal of a table of a day, beside a vintage that it contradicts."""
    return CheckError(
        f"{table} of {day} cannot be believed beside {beside}: {problem[0]}",
        *problem[1:],
        look,
        'If it is right all the same: --accept "the reason", which is then shown with it.',
    )


def other_period(frame: pd.DataFrame, rows: pd.DataFrame, table: str) -> list[str]:
    """Whether the figures of many partners are those of another period, far more than of their own."""
    exact = table not in ADJUSTED and table_info(table).adjustment == "NSA"
    new, old = (figures_of(one, table).drop(WORLD, level="partner", errors="ignore") for one in (frame, rows))
    for (flow, item, period), one in new.dropna().groupby(["flow", "item", "period"]):
        usd = one.droplevel(["flow", "item", "period"])
        if (
            len(usd) < FEW
            or not usd.sum()
            or not (exact or (old.index.get_level_values("period") == period).any())
        ):
            continue
        there = old.xs((flow, item), level=("flow", "item")).unstack("period").reindex(usd.index).fillna(0.0)
        apart = there.sub(usd, axis=0).abs().sum() / usd.sum()
        other = apart.drop(period, errors="ignore").idxmin()
        if apart[other] < min(apart.get(period, 2 * COPIED) / (2 if exact else 3), APART):
            what = flow if item == "goods" else f"{flow} of {item}"
            return [f"{what} of {period} are those of {other}."]
    return []


def _span_problem(pair: Pair) -> list[str]:
    """Whether the later one ends before the earlier one, or lacks its beginning."""
    (old_first, old_last), (new_first, new_last) = (
        (rows["period"].min(), rows["period"].max()) for rows in (pair.old, pair.new)
    )
    when = f"that of {pair.days[1]} ends in {new_last}, that of {pair.days[0]} in {old_last}."
    if new_last < old_last:
        return [f"the later one ends first; {when}"]
    if pair.table in WHOLE and new_first > old_first:
        return [f"history is gone; that of {pair.days[1]} begins in {new_first}, before in {old_first}."]
    return []


def contradiction(pair: Pair) -> list[str]:
    """What moved too far, in a sentence and the three worst lines; nothing where all is well."""
    both, off, worst = side_by_side(pair), "years of a series are gone", _gone(pair)
    if worst.empty:
        off = "figures moved as no revision does"
        worst = both.assign(beyond=both["moved"] - bounds(both, pair)).query("beyond > 0")
    if worst.empty:
        off, worst = "whole months moved as no revision does", _moved_together(both, pair)
    if worst.empty:
        off, worst = "new figures are far above all before", _leaps(pair)
    if worst.empty:
        return _other_duties(pair)
    return [f"{len(worst):,} {off}, in dollars:", *worst_of(worst, "earlier", "later")]


def _other_duties(pair: Pair) -> list[str]:
    """Whether the duties that both tables have are of another size, all together."""
    duty = "duty_usd"
    if not {duty} <= set(pair.old) & set(pair.new):
        return []
    earlier, later = (one.set_index(KEYS)[duty] for one in (pair.old, pair.new))
    before, now = (
        one[one.index.isin(other.index)].sum() for one, other in ((earlier, later), (later, earlier))
    )
    if before / DUTY_TIMES <= now <= before * DUTY_TIMES or before < DUTY_USD > now:
        return []
    return [f"duties of the same months, together ${before:,.0f} in the earlier one, are ${now:,.0f}."]


def worst_of(worst: pd.DataFrame, *values: str) -> list[str]:
    """The worst of some rows, as lines of a table."""
    shown = worst.nlargest(SHOWN, "beyond")
    shown = shown.assign(partner=shown["partner"].map(all_partners().set_index("code")["name"]))
    columns = [*KEYS, *values]
    return shown[columns].to_string(index=False, float_format="{:,.0f}".format).splitlines()


def _gone(pair: Pair) -> pd.DataFrame:
    """Years of a series that only the earlier table has: of a country, or of a group that goes on."""
    if pair.table not in WHOLE:
        return pd.DataFrame()
    value = table_info(pair.table).value
    old, new = (
        rows[value].abs().groupby([*(rows[name] for name in SERIES), rows["period"].dt.year]).sum()
        for rows in (pair.old, pair.new)
    )
    gone = old[~old.index.isin(new.index)].rename("earlier").reset_index()
    kinds = gone["partner"].map(all_partners().set_index("code")["kind"])
    single = kinds.isin(["country", "former", "other"])
    last = new.reset_index().groupby("partner")["period"].max()
    goes_on = gone["period"].to_numpy() < last.reindex(gone["partner"]).to_numpy()
    held = single & (gone["earlier"] > ROUNDING) & (gone["period"] <= pair.new["period"].max().year)
    gone = gone[held | (~single & goes_on)]
    return gone.assign(later=0.0, beyond=gone["earlier"])


def figures_of(rows: pd.DataFrame, table: str) -> pd.Series:
    """The figures of single countries and the world by flow, item and period: groups change their members.

    The seasonally adjusted world is left out of the country table: a figure of 1992 was mistyped until 2012.
    """
    kinds = rows["partner"].map(all_partners().set_index("code")["kind"])
    kept = kinds.isin(["country", "former", "other", "world"]) & rows["partner"].ne("REST")
    kept &= rows["flow"].ne(BALANCE) & (rows["partner"].ne(WORLD_SA) | (table != GOODS))
    return rows[kept].set_index(KEYS)[table_info(table).value].astype(float)


def side_by_side(pair: Pair) -> pd.DataFrame:
    """Every figure that both should have: what is gone from a whole table is zero."""
    old, new = figures_of(pair.old, pair.table), figures_of(pair.new, pair.table)
    how = "outer" if pair.table == GOODS else "left" if pair.table in WHOLE else "inner"
    both = old.to_frame("earlier").join(new.rename("later"), how=how)
    absent = {"earlier": both.index.isin(old.index), "later": both.index.isin(new.index)}
    for side, there in absent.items():
        both[side] = both[side].mask(~there, 0.0)
    both = both.dropna().reset_index()
    both = both[both["period"] <= min(pair.old["period"].max(), pair.new["period"].max())]
    both["moved"] = (both["later"] - both["earlier"]).abs()
    both["young"] = both["period"].dt.year >= pair.days[0].year - SETTLED_YEARS
    young = both[["earlier", "later"]].min(axis=1).where(both["young"] | (pair.table != GOODS))
    both["size"] = young.abs().groupby([both[name] for name in SERIES]).transform("max").fillna(0.0)
    return both


def bounds(both: pd.DataFrame, pair: Pair) -> pd.Series:
    """By how many dollars a figure may move, by the largest of its series lately, and its age."""
    size = both["size"]
    allowed = np.minimum(20e6 + 25e3 * np.sqrt(size), 1e9 + 0.02 * size)
    if pair.unrevised:
        printed = PRINTED_USD + PRINTED * both["earlier"]
        return (pair.width * allowed).where(both["partner"].isin(MONTHLY), printed)
    if pair.table != GOODS:
        return pair.width * allowed
    if pair.in_cycle:
        allowed = allowed.where(both["partner"].isin(MONTHLY), allowed / 4)
    return allowed.where(both["young"], ROUNDING)


def _moved_together(both: pd.DataFrame, pair: Pair) -> pd.DataFrame:
    """The largest moves of months in which countries together moved too far; none where few are listed."""
    kinds = both["partner"].map(all_partners().set_index("code")["kind"])
    rows = both[kinds.ne("world") & both["item"].ne("total")]
    by = [rows[name] for name in ("flow", "period")]
    sums = rows.assign(
        all_moved=rows["moved"].groupby(by).transform("sum"),
        all_earlier=rows["earlier"].groupby(by).transform("sum"),
        count=rows["partner"].groupby(by).transform("nunique"),
    )
    most = MOVED_IN_CYCLE if pair.in_cycle else MOVED * pair.width
    off = (sums["count"] >= FEW) & (sums["all_moved"] > most * sums["all_earlier"])
    return sums.assign(beyond=sums["moved"])[off]


def _leaps(pair: Pair) -> pd.DataFrame:
    """New figures of a series far above the largest of its last five years, where the tables have them."""
    if pair.table not in WHOLE:
        return pd.DataFrame()
    old, new = figures_of(pair.old, pair.table).dropna(), figures_of(pair.new, pair.table).dropna()
    last = pair.old["period"].max()
    lately = old[old.index.get_level_values("period").year >= last.year - SETTLED_YEARS]
    most = lately.groupby(SERIES).max().rename("earlier")
    fresh = new[new.index.get_level_values("period") > last].rename("later").reset_index()
    fresh = fresh.join(most, on=SERIES, how="inner")
    times = NEW_TIMES * GROWTH ** (fresh["period"].dt.year - last.year)
    return fresh.assign(beyond=fresh["later"] - times * fresh["earlier"] - NEW_USD).query("beyond > 0")
