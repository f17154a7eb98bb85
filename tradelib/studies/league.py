"""The league of a release: the deficits with all partners ranked, and who reduced theirs.

The arithmetic is that of `balances`; here its results are put side by side for one release.
"""

from dataclasses import dataclass, field

import pandas as pd

from tradelib import balances
from tradelib.briefs.selection import CANADA
from tradelib.briefs.snapshot import Snapshot
from tradelib.partners import countries, partner
from tradelib.tables import GOODS
from tradelib.windows import Window

#: What became of a deficit; "turned" is into a surplus, "fell into" is a surplus that became a deficit.
OUTCOMES = ("reduced", "turned", "grew", "unchanged", "fell into", "no deficit", "no year earlier")


@dataclass(frozen=True)
class League:
    """The countries ranked with one release, by deficit. Made by `of_goods` and `of_total`.

    Attributes
    ----------
    snapshot : Snapshot
    item : {"goods", "total"}
    table : str
        What the balances were read from.
    window : Window
        Year to date; compared with the same months or quarters a year earlier.
    universe : str
        Who was ranked, in words.
    rows : DataFrame
        Index partner, largest deficit first; `rank`, `rank_before`, `balance_usd`, `before_usd`,
        `change_usd`, `reduction_pct` (only where both are deficits) and `outcome`, one of `OUTCOMES`.
    """

    snapshot: Snapshot
    item: str
    table: str
    window: Window
    universe: str
    rows: pd.DataFrame = field(repr=False)

    @property
    def lag(self) -> int:
        """Days by which the vintage is later than the as-of date."""
        return self.snapshot.lag(self.table)

    @property
    def method(self) -> str:
        """Say how the vintage stands to the as-of date; Canada, ranked too, decides it."""
        return self.snapshot.method(self.table, CANADA)


def of_goods(snapshot: Snapshot) -> League:
    """Rank all single countries by their goods deficit, year to date, Census basis.

    Parameters
    ----------
    snapshot : Snapshot
        From `take`.

    Returns
    -------
    League

    Examples
    --------
    >>> from tradelib import take
    >>> goods = of_goods(take("2018-07", as_of="2018-10-05"))
    >>> print(*goods.rows.loc["5800", ["rank", "rank_before", "outcome"]], goods.lag)
    13 10 reduced 0
    """
    now, before = (snapshot.goods_windows[name]["balance_usd"] for name in ("ytd", "ytd before"))
    ranks, earlier = (snapshot.goods_ranks[name] for name in ("now", "before"))
    found = balances.reducers(now, before, countries())
    universe = f"all {len(ranks)} single countries with goods rows; groups, totals and unidentified out"
    return League(
        *(snapshot, "goods", GOODS, snapshot.months, universe),
        standings(now, before, ranks, earlier, found),
    )


def of_total(snapshot: Snapshot) -> League | None:
    """Rank the countries of the release's Exhibit 20 by deficit in goods and services, BOP basis.

    Parameters
    ----------
    snapshot : Snapshot
        From `take`.

    Returns
    -------
    League or None
        None where no table of services by quarter reaches the release.

    Examples
    --------
    >>> from tradelib import take
    >>> rows = of_total(take("2018-07")).rows
    >>> rows[rows["outcome"] == "reduced"]["reduction_pct"].round(1).to_dict()
    {'5330': 2.6, '4279': 5.2, '5800': 65.5}
    """
    if snapshot.trade_table not in snapshot.sources:
        return None
    now, before = snapshot.total_balances
    codes, universe = snapshot.universe
    earlier = balances.rank(before, codes)
    return League(
        *(snapshot, "total", snapshot.trade_table, snapshot.quarters, universe),
        standings(now, before, snapshot.total_ranks, earlier, snapshot.total_reducers),
    )


def standings(
    now: pd.Series, before: pd.Series, ranks: pd.Series, earlier: pd.Series, reducers: pd.DataFrame
) -> pd.DataFrame:
    """Put ranks, balances and reductions side by side, the largest deficit first.

    Parameters
    ----------
    now, before : Series
        Balances in dollars by partner code.
    ranks, earlier : Series
        From `balances.rank`, now and a year earlier.
    reducers : DataFrame
        From `balances.reducers`.

    Returns
    -------
    DataFrame
        As `League.rows`.

    Examples
    --------
    >>> now, before = pd.Series({"5800": -1.0, "5700": -3.0}), pd.Series({"5800": -2.0, "5700": -2.0})
    >>> codes = ["5700", "5800"]
    >>> ranks = [balances.rank(usd, codes) for usd in (now, before)]
    >>> table = standings(now, before, *ranks, balances.reducers(now, before, codes))
    >>> table[["rank", "rank_before", "reduction_pct", "outcome"]].to_dict("split")["data"]
    [[1, 1, -50.0, 'grew'], [2, 1, 50.0, 'reduced']]
    """
    rows = pd.DataFrame({"rank": ranks}).rename_axis("partner")
    rows["rank_before"] = earlier.reindex(rows.index).astype("Int64")
    rows["balance_usd"], rows["before_usd"] = now.reindex(rows.index), before.reindex(rows.index)
    rows["change_usd"] = rows["balance_usd"] - rows["before_usd"]
    rows["reduction_pct"] = balances.deficit_reduction(rows["balance_usd"], rows["before_usd"])
    rows["outcome"] = _outcomes(rows, reducers.index)
    return rows


def _outcomes(rows: pd.DataFrame, reduced: pd.Index) -> pd.Series:
    """Name what became of each deficit; who reduced is asked of `balances.reducers` alone."""
    now, before = rows["balance_usd"], rows["before_usd"]
    shrank = rows.index.isin(reduced)
    cases = {
        "no year earlier": before.isna(),
        "turned": shrank & (now >= 0),
        "reduced": shrank,
        "fell into": (before >= 0) & (now < 0),
        "no deficit": before >= 0,
        "unchanged": now == before,
    }
    outcome = pd.Series("grew", rows.index)
    for name, holds in reversed(cases.items()):
        outcome[holds] = name
    return outcome


def largest(league: League, count: int, code: str = "") -> pd.DataFrame:
    """Take the largest deficits, and one partner's own row if it has a deficit too.

    Parameters
    ----------
    league : League
    count : int
        How many.
    code : str, optional
        A partner to be kept.

    Returns
    -------
    DataFrame
        Some of `league.rows`.

    Examples
    --------
    >>> from tradelib import take
    >>> largest(of_goods(take("2018-07")), 2, "5800").index.tolist()
    ['5700', '2010', '5800']
    """
    deficits = league.rows[league.rows["balance_usd"] < 0]
    kept = deficits.index[:count].union([code] * (code in deficits.index), sort=False)
    return deficits.loc[kept].sort_values("rank", kind="stable")


def who_reduced(league: League, *, at_least: float = 0.0) -> pd.DataFrame:
    """Find the countries whose deficit shrank or became a surplus, most dollars first.

    Parameters
    ----------
    league : League
    at_least : float
        Dollars of the deficit a year earlier: thousands of percent are easy from next to nothing.

    Returns
    -------
    DataFrame
        Some of `league.rows`.

    Examples
    --------
    >>> from tradelib import take
    >>> shrank = who_reduced(of_goods(take("2024-08")), at_least=10e9)
    >>> shrank["reduction_pct"].round(1).to_dict()
    {'5570': 24.3, '4419': 14.5, '5880': 2.0, '4759': 2.4, '5600': 6.1}
    """
    rows = league.rows
    shrank = rows[rows["outcome"].isin(["reduced", "turned"]) & (rows["before_usd"] <= -at_least)]
    return shrank.sort_values("change_usd", ascending=False, kind="stable")


def name_of(code: str) -> str:
    """Name a country as a row of a table or chart does.

    Examples
    --------
    >>> name_of("4120")
    'United Kingdom'
    """
    return partner(code).prose.removeprefix("the ")
