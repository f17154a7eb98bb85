"""Charts of the seasonal adjustment: unadjusted, official and ours; and how far ours is from official."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tradelib.studies import seasonal
from tradelib.studies.seasonal import Seasonal
from tradelib.style import house as style
from tradelib.style import words as wording
from tradelib.style.house import COLOURS, Unit, styled
from tradelib.style.words import percent
from tradelib.tables import FLOWS, GOODS

SHOWN = 5  # years
LINKS = {"exports": "to", "imports": "from"}
OFFICIAL_FILE = "U.S. Census Bureau, ctyseasonal.xlsx"


@styled
def adjustment(both: Seasonal) -> Figure | None:
    """Draw five years of exports and of imports: unadjusted, official where there is one, and ours.

    Parameters
    ----------
    both : Seasonal
        From `seasonal.prepare`.

    Returns
    -------
    Figure or None
        None where there is neither an adjustment of ours nor an official one.

    Examples
    --------
    >>> from tradelib import brief
    >>> both = seasonal.prepare(brief("Peru", "2024-08"))
    >>> [line.get_label() for line in adjustment(both).axes[0].lines]
    ['Not adjusted', 'Ours, not official']
    """
    s = both.sheet.snapshot
    looks = {
        "Not adjusted": (both.unadjusted, "quiet", 1.2),
        "Official": (both.official, "balance", 2.0),
        "Ours, not official": (both.ours, "highlight", 2.0),
    }
    looks = {name: look for name, look in looks.items() if look[0] is not None}
    if len(looks) == 1:
        return None
    fig, axes = style.canvas(height=5.6, panels=2)
    first = s.month - 12 * SHOWN + 1
    columns = [frame.filter(regex=f"^{flow}_").loc[first:] for frame, *_ in looks.values() for flow in FLOWS]
    unit = Unit.of(pd.concat(columns, axis=1).stack())
    for ax, flow in zip(axes, FLOWS, strict=True):
        for name, (frame, colour, width) in looks.items():
            line = frame.filter(regex=f"^{flow}_").iloc[:, 0].loc[first:]
            ax.plot(style.years_of(line.index), line, color=COLOURS[colour], lw=width, label=name)
        years = style.years_of(pd.period_range(first, s.month))
        _snug_axes(ax, unit, years)
        ax.set_title(flow.capitalize())
    axes[0].tick_params(labelbottom=False)
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.2, "handlelength": 1.6}
    style.legend(axes[0], ncols=len(looks), columnspacing=1.4, **place)
    what = f"U.S. goods trade with {both.sheet.partner.prose} by month"
    return style.dress(
        *(fig, _source(both)),
        title=_moved(both),
        subtitle=f"{what}, Census basis, {unit.name}, axes not from zero",
        note="Ours: STL on logs, without calendar correction." if both.ours is not None else "",
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


def _moved(both: Seasonal) -> str:
    """The finding: the last month against the one before; the official figures first where there are any."""
    month, who = both.sheet.snapshot.month, both.sheet.partner.prose
    frames = {"official": both.official, "own": both.ours}
    moves = {name: _last_change(frame, month) for name, frame in frames.items() if frame is not None}
    moves = {name: change for name, change in moves.items() if not change.isna().any()}
    if not moves:
        return f"U.S. goods trade with {who}, seasonally adjusted"
    first = next(iter(moves))
    told = [
        f"{flow}{f' {LINKS[flow]} {who}' if n == 0 else ''} {'fell' if pct < 0 else 'rose'} {percent(pct)}"
        for n, (flow, pct) in enumerate(moves[first].items())
    ]
    lead = f"{wording.capital(' and '.join(told))} in {wording.period(month)}"
    if len(moves) == 1:
        return f"{lead}, by {'our own' if first == 'own' else 'the official'} seasonal adjustment"
    ours = " and ".join(f"{pct:+.1f}".replace("-", "−") for pct in moves["own"])
    return f"{lead} by the official seasonal adjustment; ours says {ours} percent"


def _last_change(frame: pd.DataFrame, month: pd.Period) -> pd.Series:
    """Percent from the month before, by flow; missing where a month is."""
    ends = frame.reindex([month - 1, month])
    columns = {flow: ends.filter(regex=f"^{flow}_").iloc[:, 0] for flow in FLOWS}
    return pd.Series({flow: 100 * (ends.iloc[1] / ends.iloc[0] - 1) for flow, ends in columns.items()})


@styled
def gap(both: Seasonal) -> Figure | None:
    """Draw by how many percent our adjustment differs from the official one, month by month.

    Parameters
    ----------
    both : Seasonal
        From `seasonal.prepare`.

    Returns
    -------
    Figure or None
        None where there are not both.

    Examples
    --------
    >>> from tradelib import brief
    >>> both = seasonal.prepare(brief("KOR", "2024-08"))
    >>> len(gap(both).axes)
    2
    """
    if both.ours is None or both.official is None:
        return None
    differences = seasonal.gaps(both.ours, both.official)
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
    near = seasonal.compare(both.ours, both.official)["mean_gap_pct"]
    return style.dress(
        *(fig, _source(both)),
        title=(
            f"Our seasonal adjustment of trade with {both.sheet.partner.prose} differs from the official one "
            f"by {percent(near['exports'])} on average in exports and {percent(near['imports'])} in imports"
        ),
        subtitle="Our seasonally adjusted goods figures less the official ones, Census basis, percent",
        note="Ours: STL on logs, without calendar correction.",
    )


def _source(both: Seasonal) -> str:
    """The source of the unadjusted figures and, where shown, of the official ones."""
    s, vintage = both.sheet.snapshot, both.official_vintage
    line = style.source_line(s, GOODS)
    if vintage is None:
        return line
    lag = vintage.lag_days(s.as_of)
    late = f", {lag:,} day{'s' if lag > 1 else ''} after the as-of date" if lag else ""
    return f"{line}. Official: {OFFICIAL_FILE}; vintage of {vintage.published}{late}"
