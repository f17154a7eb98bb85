"""A table held against another one with the same figures: in it, or as the sum of its items.

Against the same figures in another table, goods moved by 0.4 of the bound of `continuity` at most and are
given twice of it; goods and services of 2020 by 2.3, and countries together by 10 percent of a quarter,
between 2021 and 2025: they are given four times. The items of a table by commodity add up to what a partner
traded, to the dollar or the rounding of the table of goods, without an annual revision between the two; but
for Canada and the world.
"""

from datetime import date

import numpy as np
import pandas as pd

from tradelib.releases import same_cycle
from tradelib.sources import continuity
from tradelib.sources.continuity import SERIES, Pair
from tradelib.store import vintages
from tradelib.store.vintages import Vintage
from tradelib.tables import GOODS, KEYS, table_info

#: Tables by commodity, by how their names begin, and the table of all goods that their items add up to.
ALL_GOODS = {"exports_": GOODS, "imports_general_": GOODS, "imports_consumption_": "imports_consumption_nsa"}
MISSED_USD, MISSED = 1e5, 0.001  # what the sum of all items may miss of the whole: dollars, or a share of it
NEAR = 0.03  # a sum that misses by less is whole, though both were revised since
#: How many times as much goods of a quarter or year may be on BOP basis as on Census basis, or as little:
#: single countries had 1.72 and 1.37 times as much at most, from 1999 to 2024.
BASES, MONTHS_OF = {"Q": 2, "Y": 1.5}, {"Q": 3, "Y": 12}
MAJORITY = 0.5  # more of the sums than this are whole in a table of all items


def table_alike(table: str) -> str | None:
    """Name the table that holds the figures of this one too."""
    return continuity.ALIKE[table][0] if table in continuity.ALIKE else None


def hold_alike(frame: pd.DataFrame, table: str, day: date, known: list[Vintage]) -> None:
    """Refuse a table that contradicts the nearest vintages, which are known, of the table that is alike.

    What both have moved by no more than a revision moves it, and by rounding only where no annual revision
    lies between; of what only this one has, all partners together are not of another size.
    """
    span = continuity.ALIKE[table][1]
    for other in _nearest(known, day):
        rows = _added_up(vintages.read(other), span)
        both = [frame.set_index(KEYS).index, rows.set_index(KEYS).index]
        mine, theirs = frame[both[0].isin(both[1])], rows[both[1].isin(both[0])]
        pair = Pair.of(table, (day, mine), (other.published, theirs))
        problem = continuity.contradiction(pair)
        if not problem and not span:
            problem = continuity.other_period(frame, rows, table)
        problem = problem or (other.published <= day and _other_size(frame, rows, table))
        if problem:
            raise continuity.unbelievable(table, day, _named(other), problem, continuity.LOOK)


def _nearest(known: list[Vintage], day: date) -> list[Vintage]:
    """The vintage next to a day on either side, one of the same cycle of revisions before all."""
    near = sorted(known, key=lambda v: (not same_cycle(*sorted([v.published, day])), abs(v.published - day)))
    before, after = ([v for v in near if (v.published <= day) == past][:1] for past in (True, False))
    return [*before, *after]


def _added_up(rows: pd.DataFrame, span: str) -> pd.DataFrame:
    """Months added up, by quarter, year or from January on; a span that lacks a month is left out."""
    if not span:
        return rows
    if span == "ytd":
        rows = rows.sort_values("period")
        by = rows.groupby([*(rows[name] for name in SERIES), rows["period"].dt.year])["value_usd"]
        rows = rows.assign(value_usd=by.cumsum(), months=by.cumcount().add(1))
        return rows[rows["months"].eq(rows["period"].dt.month)].drop(columns="months")
    sums = rows.assign(period=rows["period"].dt.asfreq(span)).groupby(KEYS)["value_usd"].agg(["sum", "size"])
    return sums[sums["size"] == MONTHS_OF[span]].rename(columns={"sum": "value_usd"}).reset_index()


def _other_size(frame: pd.DataFrame, rows: pd.DataFrame, table: str) -> list[str]:
    """Whether new figures of many partners together are far above or below those of the last year before."""
    last = rows["period"].max()
    new = continuity.figures_of(frame[frame["period"] > last], table).dropna().reset_index()
    old = continuity.figures_of(rows[rows["period"].dt.year >= last.year - 1], table)
    both = new.join(old.groupby(SERIES).mean().rename("earlier"), on=SERIES, how="inner")
    for (flow, period), one in both.groupby(["flow", "period"]) if len(both) else ():
        times = continuity.NEW_TIMES * continuity.GROWTH ** (period.year - last.year)
        before, now = one["earlier"].sum(), one[table_info(table).value].sum()
        if one["partner"].nunique() >= continuity.FEW and not before / times <= now <= before * times:
            count = one["partner"].nunique()
            told = f"{flow} of {period}, {count} partners together, would be ${now:,.0f}"
            return [f"{told}; a usual one was ${before:,.0f}."]
    return []


def has_bop_goods(table: str) -> bool:
    """Whether a table has goods on BOP basis by quarter or year, of which the months are known otherwise."""
    info = table_info(table)
    return info.basis == "BOP" and info.freq in BASES and "goods" in info.items.split(", ")


def hold_goods(frame: pd.DataFrame, table: str, day: date, known: list[Vintage]) -> None:
    """Refuse goods on BOP basis that are far from those on Census basis, whose vintages are known."""
    span = table_info(table).freq
    for other in _nearest(known, day):
        goods = continuity.figures_of(frame[frame["item"] == "goods"], table).dropna().rename("later")
        months = continuity.figures_of(_added_up(vintages.read(other), span), GOODS).rename("earlier")
        both = goods.to_frame().join(months, how="inner").reset_index()
        lower, upper = both[["earlier", "later"]].min(axis=1), both[["earlier", "later"]].max(axis=1)
        worst = both.assign(beyond=upper - BASES[span] * lower).query("beyond > 0")
        if len(worst):
            worst = worst.rename(columns={"earlier": "census", "later": "bop"})
            told = f"{len(worst):,} figures of goods are far from those on Census basis, in dollars:"
            lines = continuity.worst_of(worst, "census", "bop")
            raise continuity.unbelievable(table, day, _named(other), [told, *lines], continuity.LOOK)


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
        asked = whole = vintages.read(other).assign(item="all")
        for name in ("period", "partner", "flow"):
            asked = asked[asked[name].isin(frame[name])]
        if asked.empty:
            continue
        sums = asked[KEYS].merge(frame, how="left", on=KEYS).fillna({"value_usd": 0.0})  # no row is no trade
        pair = Pair(table, (other.published, day), asked, sums)
        both = continuity.side_by_side(pair)
        over, allowed = both["later"] > both["earlier"], continuity.bounds(both, pair)
        if same_cycle(*sorted([other.published, day])):
            tight = np.maximum(MISSED_USD, MISSED * both["earlier"])
            allowed = allowed.where(both["partner"].isin(continuity.MONTHLY), tight)
        else:
            tight = np.maximum(MISSED_USD, NEAR * both["earlier"])
        large = both["earlier"] > 10 * MISSED_USD
        over |= (both["moved"] <= tight)[large].mean() > MAJORITY
        worst = both.assign(beyond=both["moved"] - allowed)[over].query("beyond > 0")
        if problem := worst.empty and continuity.other_period(frame, whole, table):
            raise continuity.unbelievable(table, day, _named(other), problem, continuity.LOOK)
        if not worst.empty:
            told = f"{len(worst):,} sums of all items are not what was traded, in dollars:"
            worst = worst.rename(columns={"earlier": "traded", "later": "sum"})
            lines = continuity.worst_of(worst, "traded", "sum")
            look = "Is it whole, with every item of each partner and month, and of that day?"
            raise continuity.unbelievable(table, day, _named(other), [told, *lines], look)


def _named(other: Vintage) -> str:
    return f"{other.table} of {other.published} ({other.origin})"
