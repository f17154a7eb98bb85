"""Seasonal adjustment of our own, where only unadjusted monthly goods figures are published.

The method is STL (Cleveland, Cleveland, McRae and Terpenning, Journal of Official Statistics, 1990) on
logs of exports and of imports, each for itself; never of the balance, which has no log and whose seasons
are those of two flows. A season may change slowly (a window of 13 years), and odd months weigh less
(robust). There is no calendar correction: the number of working days and moving holidays stay in.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tradelib import balances
from tradelib.briefs.brief import Brief
from tradelib.briefs.fact import source_of
from tradelib.briefs.goods import LINKS
from tradelib.briefs.sentences import title as titled
from tradelib.errors import TradelibError
from tradelib.store.vintages import Vintage
from tradelib.studies.study import Study
from tradelib.style import house as style
from tradelib.style import words
from tradelib.style.house import COLOURS, Chart, Unit, styled
from tradelib.style.tables import published
from tradelib.tables import FLOWS, GOODS, GOODS_SA, table_info
from tradelib.windows import Window

OFFICIAL = GOODS_SA
YEARS, SEASON, PERIOD = 15, 13, 12  # years of data, years a season is drawn from, months of a season
SHOWN = 5  # years of a chart
ALIKE = 0.001  # percent: official figures so near to the unadjusted ones are the same


class Seasonal(Study):
    """A brief with the facts `seasonal.*`. Made by `study`.

    Attributes
    ----------
    unadjusted : DataFrame
        Index `period`, the months of 15 years; `exports_usd` and `imports_usd`.
    ours : DataFrame or None
        The same months, `exports_sa_ours_usd` and `imports_sa_ours_usd`; None where a month is zero or
        missing, with the reason in `why_not`.
    official : DataFrame or None
        `exports_sa_usd` and `imports_sa_usd`; None where Census adjusts no figures of the partner, or
        not for these months, and for groups, whose members the two tables do not count alike.
    official_vintage : Vintage or None
    """

    def __init__(self, brief: Brief):
        super().__init__(brief)
        rows = self.goods[self.goods["partner"] == self.partner.code]
        window, self.ours, self.why_not = Window(self.month - 12 * YEARS + 1, self.month), None, ""
        self.unadjusted = _wide(rows).reindex(pd.period_range(window.start, window.end, name="period"))
        try:
            self.ours = adjusted(rows, window=window, name=self.partner.prose)
        except TradelibError as refused:
            self.why_not = str(refused).splitlines()[0]
        self.official, self.official_vintage = _known(brief)

    @property
    def gaps(self) -> pd.DataFrame | None:
        """By how many percent ours differ from the official figures, by month; None without both."""
        return None if self.ours is None or self.official is None else gaps(self.ours, self.official)

    @property
    def sources_line(self) -> str:
        """The source of the unadjusted figures and, where shown, of the official ones."""
        line, vintage = style.source_line(self.snapshot, GOODS), self.official_vintage
        if vintage is None:
            return line
        credit = words.credit(OFFICIAL, vintage.published, vintage.lag_days(self.as_of))
        return f"{line}. Official: {credit}"


def study(brief: Brief) -> Seasonal:
    """Adjust a partner's goods through a release's month, and compare with the official figures.

    Parameters
    ----------
    brief : Brief
        From `tradelib.brief`.

    Returns
    -------
    Seasonal
        The facts of the brief, those whose ids start with `seasonal.`, and the months behind them.

    Examples
    --------
    >>> import tradelib as tl
    >>> tuvalu = study(tl.brief("Tuvalu", "2018-07"))
    >>> tuvalu.ours is None, tuvalu.official is None
    (True, True)
    >>> print(tl.say(tuvalu, "Not adjusted: {seasonal.ours.months:reason}."))
    Not adjusted: exports to Tuvalu are zero or missing in 42 of 180 months, first in August 2003: an
    adjustment on logs needs every month to be above zero.
    """
    found = Seasonal(brief)
    _months(found)
    for flow in FLOWS:
        _changes_of_month(found, flow)
        _nearness(found, flow)
    return found


def _known(brief: Brief) -> tuple[pd.DataFrame | None, Vintage | None]:
    """The official figures through the month, and their vintage; none of a group, which may count others."""
    flows = brief.snapshot.official.get(OFFICIAL)
    if flows is None or brief.partner.is_group:
        return None, None
    known = flows[flows["partner"] == brief.partner.code]
    return (None, None) if known.empty else (official(known), brief.snapshot.sources[OFFICIAL])


def adjust(flow: pd.Series) -> pd.Series:
    """Take the seasons out of one monthly flow, in dollars; 36 months or more, all above zero."""
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
    """Adjust a partner's unadjusted exports and imports over a window of months, each for itself."""
    for table in flows["table"].unique() if "table" in flows else []:
        if table_info(table).adjustment != "NSA" or table_info(table).freq != "M":
            raise TradelibError(f"{table} is not an unadjusted monthly table.", "Use load_goods.")
    wide = _wide(flows).reindex(pd.period_range(window.start, window.end, freq="M", name="period"))
    for flow in FLOWS:
        bad = wide.index[~(wide[f"{flow}_usd"] > 0)]
        if len(bad):
            raise TradelibError(
                f"{flow} {LINKS[flow]} {name} are zero or missing in {len(bad)} of {len(wide)} months, first "
                f"in {words.period(bad[0])}: an adjustment on logs needs every month to be above zero",
                "There is no adjustment for this partner; use the unadjusted figures.",
            )
    return pd.DataFrame({f"{flow}_sa_ours_usd": adjust(wide[f"{flow}_usd"]) for flow in FLOWS})


def official(flows: pd.DataFrame) -> pd.DataFrame:
    """Put the published seasonally adjusted exports and imports of a partner side by side."""
    return _wide(flows).rename(columns={f"{flow}_usd": f"{flow}_sa_usd" for flow in FLOWS})


def _wide(flows: pd.DataFrame) -> pd.DataFrame:
    sides = balances.balance(flows)[[f"{flow}_usd" for flow in FLOWS]]
    return sides.droplevel(["partner", "item"])


def gaps(other: pd.DataFrame, official: pd.DataFrame) -> pd.DataFrame:
    """Work out, for the months both have, by how many percent figures differ from the official ones."""
    months = other.index.intersection(official.index)
    result = {}
    for flow in FLOWS:
        published = _flow(official, flow).reindex(months)
        result[f"{flow}_gap_pct"] = 100 * (_flow(other, flow).reindex(months) / published - 1)
    return pd.DataFrame(result)


def compare(other: pd.DataFrame, official: pd.DataFrame) -> pd.DataFrame:
    """Sum up how near figures are to the official ones, by flow.

    `months` compared, `mean_gap_pct` (of absolute gaps) and `same_sign_pct`, the share of changes from one
    month to the next that go the same way.
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


# --- facts --------------------------------------------------------------------------------------


def _put(found: Seasonal, id: str, value, *, label: str, by: str = "ours", **more) -> None:
    """Write a fact of the unadjusted table's figures, adjusted by us, or of the official ones."""
    source = source_of(found.snapshot, OFFICIAL if by == "official" else GOODS, found.partner.code)
    if by != "official":
        source["adjustment"] = "SA by tradelib"
    label = label.format(p=found.partner.prose)
    found.put(f"seasonal.{id}", value, label=label, source=source, **more)


def _months(found: Seasonal) -> None:
    """How many months we adjusted, and how many the official table has; or why there are none."""
    who = found.partner.prose
    why = f"Census publishes no seasonally adjusted goods trade with {who} for these months"
    if found.partner.is_group:
        why = f"the official figures may count other members of {who}"
    names = {"ours": "Months adjusted by us", "official": "Months with official seasonally adjusted figures"}
    for by, frame, reason in (("ours", found.ours, found.why_not), ("official", found.official, why)):
        months = (found.unadjusted if frame is None else frame).index
        about = {"window": Window(months.min(), months.max()), "unit": "count", "reason": reason}
        count = None if frame is None else len(frame)
        _put(found, f"{by}.months", count, label=f"{names[by]}, {{p}}", by=by, **about)


def _changes_of_month(found: Seasonal, flow: str) -> None:
    """The change of the month on the one before, officially and by us."""
    what = f"Change of U.S. goods {flow} {LINKS[flow]} {{p}} on the month before, seasonally adjusted"
    for by, frame in (("official", found.official), ("ours", found.ours)):
        now, before = (
            [None] * 2 if frame is None else _flow(frame, flow).reindex([found.month, found.month - 1])
        )
        value = None if frame is None else 100 * (now / before - 1)
        window = f"{found.month} vs {found.month - 1}"
        reason = found[f"seasonal.{by}.months"].reason or "one of the two months is missing"
        about = {"unit": "percent", "window": window, "reason": reason, "by": by}
        about["now_usd"] = now
        label = f"{what}, {'officially' if by == 'official' else 'by us'}"
        _put(found, f"{by}.{flow}.change_pct", value, label=label, **about)


def _nearness(found: Seasonal, flow: str) -> None:
    """How near our adjustment is to the official one, and the unadjusted figures are."""
    near = plain = {"mean_gap_pct": None, "same_sign_pct": None}
    window = Window(found.unadjusted.index[0], found.month)
    same, first, last = False, None, None
    if found.gaps is not None:
        frames = (found.ours, found.unadjusted)
        both = [compare(frame, found.official) for frame in frames]
        near, plain = (table.loc[flow] for table in both)
        months, same = found.gaps.dropna(how="all").index, bool((both[1]["mean_gap_pct"] < ALIKE).all())
        if len(months):
            window = Window(months[0], months[-1])
            first, last = (str(months[0]) if len(months) > 1 else None), str(months[-1])
    reasons = [found[f"seasonal.{by}.months"].reason for by in ("ours", "official")]
    reason = next(filter(None, reasons), "there are no two months in a row to compare")
    about = {
        "unit": "percent",
        "window": window,
        "reason": reason,
        "same": same,
        "first": first,
        "last": last,
    }
    what = f"of U.S. goods {flow} {LINKS[flow]} {{p}}"
    label = f"Mean difference between our seasonal adjustment {what} and the official one"
    _put(found, f"gap.{flow}.mean_abs_pct", near["mean_gap_pct"], label=label, **about)
    label = f"Mean difference between unadjusted figures {what} and official seasonally adjusted ones"
    _put(found, f"gap.{flow}.unadjusted_pct", plain["mean_gap_pct"], label=label, **about)
    label = f"Share of months in which our seasonal adjustment {what} moves the way of the official one"
    _put(found, f"gap.{flow}.same_way_pct", near["same_sign_pct"], label=label, **about)


# --- tables -------------------------------------------------------------------------------------


def nearness(found: Seasonal, *, caption: str = ""):
    """Print how near our figures, and the unadjusted ones, are to the official; None without both."""
    if found.gaps is None:
        return None
    tables = {"Ours": found.ours, "Not adjusted": found.unadjusted}
    table = pd.concat({name: compare(frame, found.official) for name, frame in tables.items()})
    table = table.rename_axis(["figures", "flow"]).sort_index(level="flow", sort_remaining=False)
    names = {"mean_gap_pct": "Off the official figure, on average", "same_sign_pct": "Move the same way"}
    return published(table, names=names, caption=titled(found, caption), source=found.sources_line)


def last_months(found: Seasonal, *, caption: str = ""):
    """Print the last twelve months: unadjusted, official and ours; what is missing stays out."""
    frames = [frame for frame in (found.unadjusted, found.official, found.ours) if frame is not None]
    months = pd.concat(frames, axis=1).loc[found.month - 11 : found.month]
    names = {f"{flow}_sa_usd": f"{flow.capitalize()}, official" for flow in FLOWS}
    names |= {f"{flow}_sa_ours_usd": f"{flow.capitalize()}, ours" for flow in FLOWS}
    names |= {f"{flow}_usd": f"{flow.capitalize()}, not adjusted" for flow in FLOWS}
    names = {key: name for key, name in names.items() if key in months}
    order = [column for flow in FLOWS for column in months if column.startswith(flow)]
    return published(
        months[order],
        unit="billion" if months.max(axis=None) >= 1e9 else "auto",
        decimals=2,
        names=names,
        caption=titled(found, caption),
        source=found.sources_line,
        na="",
    )


# --- charts -------------------------------------------------------------------------------------


@styled
def adjustment(found: Seasonal, *, title: str = "") -> Chart | None:
    """Draw five years of exports and of imports: unadjusted, official where there is one, and ours.

    None where there is neither an adjustment of ours nor an official one.
    """
    looks = {
        "Not adjusted": (found.unadjusted, "quiet", 1.2),
        "Official": (found.official, "balance", 2.0),
        "Ours, not official": (found.ours, "highlight", 2.0),
    }
    looks = {name: look for name, look in looks.items() if look[0] is not None}
    if len(looks) == 1:
        return None
    fig, axes = style.canvas(height=5.6, panels=2)
    first = found.month - 12 * SHOWN + 1
    columns = [frame.filter(regex=f"^{flow}_").loc[first:] for frame, *_ in looks.values() for flow in FLOWS]
    unit = Unit.of(pd.concat(columns, axis=1).stack())
    for ax, flow in zip(axes, FLOWS, strict=True):
        for name, (frame, colour, width) in looks.items():
            line = frame.filter(regex=f"^{flow}_").iloc[:, 0].loc[first:]
            ax.plot(style.years_of(line.index), line, color=COLOURS[colour], lw=width, label=name)
        years = style.years_of(pd.period_range(first, found.month))
        _snug_axes(ax, unit, years)
        ax.set_title(flow.capitalize())
    axes[0].tick_params(labelbottom=False)
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.2, "handlelength": 1.6}
    style.legend(axes[0], ncols=len(looks), columnspacing=1.4, **place)
    what = f"U.S. goods trade with {found.partner.prose} by month"
    return style.dress(
        fig,
        found.sources_line,
        title=titled(found, title),
        subtitle=f"{what}, Census basis, {unit.name}, axes not from zero",
        note="Ours: STL on logs, without calendar correction." if found.ours is not None else "",
        data=pd.concat(columns, axis=1),
    )


def _snug_axes(ax: Axes, unit: Unit, years: list[float]) -> None:
    """Ticks in the unit between the lowest and the highest figure: from zero the lines would be one."""
    style.year_axis(ax, years)
    low, high = ax.get_ylim()
    ticks = [t for t in MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= t <= high]
    step = (ticks[1] - ticks[0]) / unit.size
    ax.set_yticks(
        ticks, [unit.number(tick, digits=0 if step >= 1 else 1 if step >= 0.1 else 2) for tick in ticks]
    )
    ax.set_ylim(low, high)
    ax.grid(axis="y")


@styled
def gap(found: Seasonal, *, title: str = "") -> Chart | None:
    """Draw by how many percent our adjustment differs from the official one, month by month.

    None where there are not found, or of one month alone.
    """
    differences = found.gaps
    if differences is None or len(differences) < 2:
        return None
    fig, axes = style.canvas(height=4.6, panels=2)
    reach = 1.08 * differences.abs().max().max()
    years = style.years_of(differences.index)
    for ax, flow in zip(axes, FLOWS, strict=True):
        ax.vlines(years, 0, differences[f"{flow}_gap_pct"], color=COLOURS[flow], lw=1.8, label=flow)
        style.year_axis(ax, years)
        ax.set_ylim(-reach, reach)
        ticks = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(-reach, reach)
        ticks = [tick for tick in ticks if abs(tick) <= reach]
        ax.set_yticks(ticks, [f"{tick:+g}".replace("-", "−").replace("+0", "0") for tick in ticks])
        ax.grid(axis="y")
        ax.axhline(0, color=COLOURS["text"], lw=1, zorder=2.5)
        ax.set_title(flow.capitalize())
    axes[0].tick_params(labelbottom=False)
    return style.dress(
        fig,
        found.sources_line,
        title=titled(found, title),
        subtitle="Our seasonally adjusted goods figures less the official ones, Census basis, percent",
        note="Ours: STL on logs, without calendar correction.",
        data=differences,
    )
