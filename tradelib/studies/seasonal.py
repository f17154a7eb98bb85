"""Seasonal adjustment of our own, where only unadjusted monthly goods figures are published.

The method is STL (Cleveland, Cleveland, McRae and Terpenning, Journal of Official Statistics, 1990) on
logs of exports and of imports, each for itself; never of the balance, which has no log and whose seasons
are those of two flows. A season may change slowly (a window of 13 years), and odd months weigh less
(robust). There is no calendar correction: the number of working days and moving holidays stay in.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tradelib import balances, loaders
from tradelib.briefs.brief import Brief
from tradelib.errors import TradelibError
from tradelib.store.vintages import Vintage
from tradelib.style import words as wording
from tradelib.tables import FLOWS, table_info
from tradelib.windows import Window

OFFICIAL = "goods_census_sa"
YEARS, SEASON, PERIOD = 15, 13, 12  # years of data, years a season is drawn from, months of a season


@dataclass(frozen=True)
class Seasonal:
    """One partner's goods by month, unadjusted, adjusted by us and officially. Made by `prepare`."""

    sheet: Brief = field(repr=False)
    unadjusted: pd.DataFrame = field(repr=False)
    ours: pd.DataFrame | None = field(repr=False)
    why_not: str
    official: pd.DataFrame | None = field(repr=False)
    official_vintage: Vintage | None = field(repr=False)


def prepare(sheet: Brief) -> Seasonal:
    """Adjust a partner's goods through a release's month, and find the official figures if there are any.

    Parameters
    ----------
    sheet : Brief
        From `facts_of`: tells partner, release and as-of date.

    Returns
    -------
    Seasonal
        `ours` is None, with the reason in `why_not`, where a month is zero or missing; `official` is
        None where Census adjusts no figures of the partner, or not for these months, and for groups,
        whose members the two tables do not count alike.

    Examples
    --------
    >>> from tradelib import brief
    >>> both = prepare(brief("Tuvalu", "2018-07"))
    >>> both.ours is None, both.official is None, both.why_not.split(":")[0]
    (True, True, 'exports to Tuvalu are zero or missing in 42 of 180 months, first in August 2003')
    """
    s, who, ours, why = sheet.snapshot, sheet.partner, None, ""
    flows = s.goods_flows[s.goods_flows["partner"] == who.code]
    window = Window(s.month - 12 * YEARS + 1, s.month)
    try:
        ours = adjusted(flows, window=window, name=who.prose)
    except TradelibError as refused:
        why = str(refused).splitlines()[0]
    known, vintage = None, None
    try:
        vintage = loaders.pick(OFFICIAL, as_of=s.as_of, through=str(s.month), nearest_later=True)
        options = {"since": None, "through": str(s.month), "partner": who.code, "nearest_later": True}
        known = official(loaders.load(OFFICIAL, as_of=s.as_of, **options))
    except TradelibError:  # no vintage of the official table reaches the month
        vintage = None
    # the official table counts the United Kingdom out of the European Union in some years only
    if known is None or known.empty or who.is_group:
        known, vintage = None, None
    plain = _wide(flows).reindex(pd.period_range(window.start, window.end, name="period"))
    return Seasonal(sheet, plain, ours, why, known, vintage)


def adjust(flow: pd.Series) -> pd.Series:
    """Take the seasons out of one monthly flow.

    Parameters
    ----------
    flow : Series
        Dollars, all above zero; index of months without a gap, 36 or more.

    Returns
    -------
    Series
        Dollars of the same months.

    Raises
    ------
    TradelibError
        If a month is missing, zero or negative, or there are too few.

    Examples
    --------
    >>> months = pd.period_range("2010-01", periods=60, freq="M")
    >>> flow = pd.Series(100.0, index=months).where(months.month != 12, 150.0)
    >>> adjust(flow).round(1).unique().size
    1
    """
    from statsmodels.tsa.seasonal import STL  # half a second that only this needs

    months = pd.period_range(flow.index.min(), flow.index.max(), freq="M")
    if len(flow) < 3 * PERIOD or not flow.index.equals(months) or not (flow > 0).all():
        raise TradelibError(
            "A flow can be adjusted if every one of 36 months or more is there and above zero.",
            "Months that are zero or missing have no log; take a longer or another window.",
        )
    logs = np.log(flow.to_numpy(dtype=float))
    season = STL(logs, period=PERIOD, seasonal=SEASON, robust=True).fit().seasonal
    return pd.Series(np.exp(logs - season), index=flow.index, name=flow.name)


def adjusted(flows: pd.DataFrame, *, window: Window, name: str = "the partner") -> pd.DataFrame:
    """Adjust a partner's exports and imports over a window, each for itself.

    Parameters
    ----------
    flows : DataFrame
        Tidy goods of one partner and vintage, not seasonally adjusted: `load_goods`.
    window : Window
        Months; all of them must be there and above zero.
    name : str
        The partner, for the reason if it cannot be done.

    Returns
    -------
    DataFrame
        Index `period`; `exports_sa_ours_usd` and `imports_sa_ours_usd` in dollars.

    Raises
    ------
    TradelibError
        If a month is zero or missing, or the rows are of an adjusted table.

    Examples
    --------
    >>> goods = loaders.load_goods(as_of="2018-10-05", partner="5800")
    >>> window = Window(pd.Period("2003-08", "M"), pd.Period("2018-07", "M"))
    >>> adjusted(goods, window=window).shape
    (180, 2)
    """
    for table in flows["table"].unique() if "table" in flows else []:
        if table_info(table).adjustment != "NSA" or table_info(table).freq != "M":
            raise TradelibError(f"{table} is not an unadjusted monthly table.", "Use load_goods.")
    wide = _wide(flows).reindex(pd.period_range(window.start, window.end, freq="M", name="period"))
    for flow, link in (("exports", "to"), ("imports", "from")):
        bad = wide.index[~(wide[f"{flow}_usd"] > 0)]
        if len(bad):
            raise TradelibError(
                f"{flow} {link} {name} are zero or missing in {len(bad)} of {len(wide)} months, first in "
                f"{wording.period(bad[0])}: an adjustment on logs needs every month to be above zero",
                "There is no adjustment for this partner; use the unadjusted figures.",
            )
    return pd.DataFrame({f"{flow}_sa_ours_usd": adjust(wide[f"{flow}_usd"]) for flow in FLOWS})


def official(flows: pd.DataFrame) -> pd.DataFrame:
    """Put the published seasonally adjusted exports and imports of a partner side by side.

    Parameters
    ----------
    flows : DataFrame
        From `load_goods_sa`, one partner.

    Returns
    -------
    DataFrame
        Index `period`; `exports_sa_usd` and `imports_sa_usd` in dollars; empty if there are no rows.

    Examples
    --------
    >>> official(loaders.load_goods_sa(as_of="2025-04-03", partner="5800")).columns.tolist()
    ['exports_sa_usd', 'imports_sa_usd']
    """
    return _wide(flows).rename(columns={f"{flow}_usd": f"{flow}_sa_usd" for flow in FLOWS})


def _wide(flows: pd.DataFrame) -> pd.DataFrame:
    sides = balances.balance(flows)[[f"{flow}_usd" for flow in FLOWS]]
    return sides.droplevel(["partner", "item"])


def gaps(other: pd.DataFrame, official: pd.DataFrame) -> pd.DataFrame:
    """Work out, month by month, by how many percent figures differ from the official ones.

    Parameters
    ----------
    other : DataFrame
        Ours, or the unadjusted: one column of exports and one of imports, dollars by month.
    official : DataFrame
        The published figures, from `official`.

    Returns
    -------
    DataFrame
        The months both have; `exports_gap_pct` and `imports_gap_pct`.

    Examples
    --------
    >>> months = pd.period_range("2018-01", periods=1, freq="M")
    >>> ours = pd.DataFrame({"exports_sa_ours_usd": [99.0], "imports_sa_ours_usd": [51.0]}, months)
    >>> known = pd.DataFrame({"exports_sa_usd": [100.0], "imports_sa_usd": [50.0]}, months)
    >>> gaps(ours, known).round(1).iloc[0].tolist()
    [-1.0, 2.0]
    """
    months = other.index.intersection(official.index)
    result = {}
    for flow in FLOWS:
        published = _flow(official, flow).reindex(months)
        result[f"{flow}_gap_pct"] = 100 * (_flow(other, flow).reindex(months) / published - 1)
    return pd.DataFrame(result)


def compare(other: pd.DataFrame, official: pd.DataFrame) -> pd.DataFrame:
    """Sum up how near figures are to the official ones.

    Parameters
    ----------
    other, official : DataFrame
        As for `gaps`.

    Returns
    -------
    DataFrame
        Index flow; `months` compared, `mean_gap_pct` (of absolute gaps) and `same_sign_pct`, the share
        of changes from one month to the next, in percent, that go the same way.

    Examples
    --------
    >>> months = pd.period_range("2018-01", periods=3, freq="M")
    >>> ours = pd.DataFrame({"exports_usd": [100.0, 101, 103], "imports_usd": [50.0, 49, 50]}, months)
    >>> known = pd.DataFrame({"exports_usd": [100.0, 101, 100], "imports_usd": [50.0, 49, 50]}, months)
    >>> compare(ours, known)
             months  mean_gap_pct  same_sign_pct
    flow
    exports       3           1.0           50.0
    imports       3           0.0          100.0
    """
    rows = []
    for flow in FLOWS:
        gap = gaps(other, official)[f"{flow}_gap_pct"].dropna()
        moves = [np.sign(_changes(_flow(frame, flow).reindex(gap.index))) for frame in (other, official)]
        both = pd.concat(moves, axis=1).dropna()
        same = 100 * (both.iloc[:, 0] == both.iloc[:, 1]).mean()
        rows.append((flow, len(gap), gap.abs().mean(), same))
    return pd.DataFrame(rows, columns=["flow", "months", "mean_gap_pct", "same_sign_pct"]).set_index("flow")


def _flow(frame: pd.DataFrame, flow: str) -> pd.Series:
    return frame.filter(regex=f"^{flow}_").iloc[:, 0]


def _changes(values: pd.Series) -> pd.Series:
    """From each month to the next by calendar: over a gap there is no change."""
    if values.empty:
        return values
    return values.reindex(pd.period_range(values.index.min(), values.index.max(), freq="M")).diff()
