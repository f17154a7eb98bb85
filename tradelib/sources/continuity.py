"""A table held against the vintages before and after it: it may go on and revise, but not contradict.

The bounds are those of the bundled vintages. Between every two of the seven of goods by partner (2012 to
2025, 120,000 revised figures of single countries) no figure moved that was five years old, and a younger
one moved by 0.75 at most of what `_allowed` gives: one ship or aircraft, as much again as a small partner
trades, 2 percent of a large one. All countries together moved by 2.6 percent of a month. Without an annual
revision between them, in June, only Canada and the world moved. New months were above three times the
largest of five years by $420 million at most. Other tables have one vintage each. Against the same figures
in another table, goods moved by 0.4 of the bound at most and are given twice of it; goods and services of
2020 by 2.3, and countries together by 10 percent of a quarter, between 2021 and 2025: they are given four
times. The items of a table by commodity add up to what a partner traded, to the dollar or the rounding of
the table of goods, without an annual revision between the two; but for Canada and the world.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from tradelib.partners import WORLD, all_partners
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
WORLD_SA = "0004"  # in the country table it has a figure of 1992 that was mistyped until 2012
SERIES = ["partner", "flow", "item"]
SHOWN = 3
MONTHLY = ["1220", "0004", "0015"]  # Canada and the world are revised each month, others once a year
#: Tables by commodity, by how their names begin, and the table of all goods that their items add up to.
ALL_GOODS = {"exports_": GOODS, "imports_general_": GOODS, "imports_consumption_": "imports_consumption_nsa"}
MISSED_USD, MISSED = 1e5, 0.001  # what the sum of all items may miss of the whole: dollars, or a share of it
#: No revision multiplies all duties together by so many, or is seen among so few dollars.
DUTY_TIMES, DUTY_USD = 2, 10e6
NEAR = 0.03  # a sum that misses by less is whole, though both were revised since
MAJORITY = 0.5  # more of the sums than this are whole in a table of all items
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
    """Two tables, the earlier first, the days they are of, and which of the two is the one at hand."""

    table: str
    days: tuple[date, date]
    old: pd.DataFrame
    new: pd.DataFrame

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
    from tradelib.store import large  # brings DuckDB, which takes a while

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
        if other is before:
            pair = Pair(table, (other.published, day), rows, frame)
        else:
            pair = Pair(table, (day, other.published), frame, rows)
        problem = _span_problem(pair) or _problem(pair)
        if not problem and table in ADJUSTED:
            problem = _other_period(frame, rows, table)
        if problem:
            raise CheckError(
                f"{table} of {day} cannot be believed beside the vintage of {other.published} "
                f"({other.origin}): {problem[0]}",
                *problem[1:],
                "Is it the right file, whole, and of that day? For an older copy give the day it was out.",
                'If it is right all the same: --accept "the reason", which is then shown with it.',
            )


def table_alike(table: str) -> str | None:
    """Name the table that holds the figures of this one too."""
    return ALIKE[table][0] if table in ALIKE else None


def hold_alike(frame: pd.DataFrame, table: str, day: date, known: list[Vintage]) -> None:
    """Refuse a table that contradicts the nearest vintages, which are known, of the table that is alike.

    What both have moved by no more than a revision moves it, and by rounding only where no annual revision
    lies between; of what only this one has, all partners together are not of another size.
    """
    span = ALIKE[table][1]
    for other in _nearest(known, day):
        rows = _added_up(vintages.read(other), span)
        both = [frame.set_index(KEYS).index, rows.set_index(KEYS).index]
        past = other.published <= day
        sides = [rows[both[1].isin(both[0])], frame[both[0].isin(both[1])]]
        pair = Pair(
            table, *([(other.published, day), *sides] if past else [(day, other.published), *sides[::-1]])
        )
        problem = _problem(pair)
        if not problem and not span:
            problem = _other_period(frame, rows, table)
        problem = problem or (past and _other_size(frame, rows, table))
        if problem:
            raise _unbelievable(table, day, other, problem)


def _unbelievable(table: str, day: date, other: Vintage, problem: list[str], look: str = LOOK) -> CheckError:
    """The refusal of a table beside a vintage of another one."""
    return CheckError(
        f"{table} of {day} cannot be believed beside {other.table} of {other.published} "
        f"({other.origin}): {problem[0]}",
        *problem[1:],
        look,
        'If it is right all the same: --accept "the reason", which is then shown with it.',
    )


def _nearest(known: list[Vintage], day: date) -> list[Vintage]:
    """The vintage next to a day on either side, one of the same cycle of revisions before all."""
    near = sorted(known, key=lambda v: (not same_cycle(*sorted([v.published, day])), abs(v.published - day)))
    before, after = ([v for v in near if (v.published <= day) == past][:1] for past in (True, False))
    return [*before, *after]


def _added_up(rows: pd.DataFrame, span: str) -> pd.DataFrame:
    """Months added up, by quarter or from January on; a span that lacks a month is left out."""
    if not span:
        return rows
    if span == "ytd":
        rows = rows.sort_values("period")
        by = rows.groupby([*(rows[name] for name in SERIES), rows["period"].dt.year])["value_usd"]
        rows = rows.assign(value_usd=by.cumsum(), months=by.cumcount().add(1))
        return rows[rows["months"].eq(rows["period"].dt.month)].drop(columns="months")
    quarters = (
        rows.assign(period=rows["period"].dt.asfreq("Q")).groupby(KEYS)["value_usd"].agg(["sum", "size"])
    )
    return quarters[quarters["size"] == 3].rename(columns={"sum": "value_usd"}).reset_index()


def _other_period(frame: pd.DataFrame, rows: pd.DataFrame, table: str) -> list[str]:
    """Whether the figures of many partners are those of another period, far more than of their own."""
    exact = table not in ADJUSTED and table_info(table).adjustment == "NSA"
    new, old = (_figures(one, table).drop(WORLD, level="partner", errors="ignore") for one in (frame, rows))
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


def _other_size(frame: pd.DataFrame, rows: pd.DataFrame, table: str) -> list[str]:
    """Whether new figures of many partners together are far above or below those of the last year before."""
    last = rows["period"].max()
    new, old = _figures(frame, table).dropna(), _figures(rows[rows["period"].dt.year >= last.year - 1], table)
    new = new[new.index.get_level_values("period") > last].reset_index()
    both = new.join(old.groupby(SERIES).mean().rename("earlier"), on=SERIES, how="inner")
    for (flow, period), one in both.groupby(["flow", "period"]) if len(both) else ():
        times = NEW_TIMES * GROWTH ** (period.year - last.year)
        before, now = one["earlier"].sum(), one[table_info(table).value].sum()
        if one["partner"].nunique() >= FEW and not before / times <= now <= before * times:
            count = one["partner"].nunique()
            told = f"{flow} of {period}, {count} partners together, would be ${now:,.0f}"
            return [f"{told}; a usual one was ${before:,.0f}."]
    return []


def all_goods_of(table: str) -> str | None:
    """Name the table of all goods that the items of a table by commodity add up to, month by month."""
    info = table_info(table)
    by_item = info.items != "goods" and info.basis == "Census" and info.freq == "M"
    return next((whole for begins, whole in ALL_GOODS.items() if by_item and table.startswith(begins)), None)


def hold_sums(frame: pd.DataFrame, table: str, day: date, known: list[Vintage]) -> None:
    """Refuse a table whose items add up to more than a partner traded, or where most are whole to less.

    `frame` is its `totals`, `known` are vintages of the table of all goods; it is held against that in
    the same cycle of revisions, or the nearest before and after. A table of some items only has no sum that
    is whole, and is not expected to.
    """
    for other in _nearest(known, day):
        rows = vintages.read(other)
        rows = rows[rows["period"].isin(frame["period"])]
        asked = rows[rows["partner"].isin(frame["partner"]) & rows["flow"].isin(frame["flow"])]
        if asked.empty:
            continue
        asked = asked.assign(item="all")
        sums = asked[KEYS].merge(frame, how="left", on=KEYS).fillna({"value_usd": 0.0})  # no row is no trade
        pair = Pair(table, (other.published, day), asked, sums)
        both = _pairs(pair)
        over, allowed = both["later"] > both["earlier"], _allowed(both, pair)
        if same_cycle(*sorted([other.published, day])):
            tight = np.maximum(MISSED_USD, MISSED * both["earlier"])
            allowed = allowed.where(both["partner"].isin(MONTHLY), tight)
        else:
            tight = np.maximum(MISSED_USD, NEAR * both["earlier"])
        large = both["earlier"] > 10 * MISSED_USD
        over |= (both["moved"] <= tight)[large].mean() > MAJORITY
        worst = both.assign(beyond=both["moved"] - allowed)[over].query("beyond > 0")
        if problem := worst.empty and _other_period(frame, vintages.read(other).assign(item="all"), table):
            raise _unbelievable(table, day, other, problem)
        if not worst.empty:
            told = f"{len(worst):,} sums of all items are not what was traded, in dollars:"
            lines = _lines(worst.rename(columns={"earlier": "traded", "later": "sum"}), "traded", "sum")
            whole = "Is it whole, with every item of each partner and month, and of that day?"
            raise _unbelievable(table, day, other, [told, *lines], whole)


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


def _problem(pair: Pair) -> list[str]:
    """What moved too far, in a sentence and the three worst lines; nothing where all is well."""
    both, off, worst = _pairs(pair), "years of a series are gone", _gone(pair)
    if worst.empty:
        off = "figures moved as no revision does"
        worst = both.assign(beyond=both["moved"] - _allowed(both, pair)).query("beyond > 0")
    if worst.empty:
        off, worst = "whole months moved as no revision does", _moved_together(both, pair)
    if worst.empty:
        off, worst = "new figures are far above all before", _leaps(pair)
    if worst.empty:
        return _other_duties(pair)
    return [f"{len(worst):,} {off}, in dollars:", *_lines(worst, "earlier", "later")]


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


def _lines(worst: pd.DataFrame, *values: str) -> list[str]:
    """The worst of some rows, as lines of a table."""
    shown = worst.nlargest(SHOWN, "beyond")
    shown = shown.assign(partner=shown["partner"].map(all_partners().set_index("code")["name"]))
    columns = ["partner", "flow", "item", "period", *values]
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


def _figures(rows: pd.DataFrame, table: str) -> pd.Series:
    """The figures of single countries and the world by flow, item and period: groups change their members."""
    kinds = rows["partner"].map(all_partners().set_index("code")["kind"])
    kept = kinds.isin(["country", "former", "other", "world"]) & rows["partner"].ne("REST")
    kept &= rows["flow"].ne(BALANCE) & (rows["partner"].ne(WORLD_SA) | (table != GOODS))
    return rows[kept].set_index(KEYS)[table_info(table).value].astype(float)


def _pairs(pair: Pair) -> pd.DataFrame:
    """Every figure that both should have: what is gone from a whole table is zero."""
    old, new = _figures(pair.old, pair.table), _figures(pair.new, pair.table)
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


def _allowed(both: pd.DataFrame, pair: Pair) -> pd.Series:
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
    old, new = _figures(pair.old, pair.table).dropna(), _figures(pair.new, pair.table).dropna()
    last = pair.old["period"].max()
    lately = old[old.index.get_level_values("period").year >= last.year - SETTLED_YEARS]
    most = lately.groupby(SERIES).max().rename("earlier")
    fresh = new[new.index.get_level_values("period") > last].rename("later").reset_index()
    fresh = fresh.join(most, on=SERIES, how="inner")
    times = NEW_TIMES * GROWTH ** (fresh["period"].dt.year - last.year)
    return fresh.assign(beyond=fresh["later"] - times * fresh["earlier"] - NEW_USD).query("beyond > 0")
