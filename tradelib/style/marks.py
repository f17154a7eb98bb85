"""The marks that charts are made of: line ends, agreements, bar labels, waterfalls, dumbbells."""

import csv
import itertools
import textwrap
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tradelib.style.house import COLOURS, LABEL, SOURCE, WIDTH, ink, money_axis, tick, width_of
from tradelib.style.words import Unit, capital, signed_money

AGREEMENTS = Path(__file__).parents[1] / "data" / "agreements.csv"


def spread(wanted: list[float], heights: list[float]) -> list[float]:
    """Move labels apart, each as little as possible, so that none overlaps the next."""
    places, order = list(wanted), sorted(range(len(wanted)), key=wanted.__getitem__)
    for _ in range(100):
        for low, high in itertools.pairwise(order):
            overlap = (heights[low] + heights[high]) / 2 - (places[high] - places[low])
            if overlap > 0:
                places[low] -= overlap / 2
                places[high] += overlap / 2
    return places


def end_labels(ax: Axes, labels: list[tuple[float, float, str, str]], *, share: float = 1) -> None:
    """Write (x, y, text, colour name) beside the ends of lines, moved apart where they are close.

    `share` is the part of the figure's height that a panel among several has.
    """
    bottom, top = ax.get_ylim()
    room = ax.figure.get_figheight() - (1.5 if share == 1 else 2)
    points = 72 * share * room / (top - bottom)
    wanted = [points * y for _, y, _, _ in labels]
    heights = [1.3 * LABEL * (1 + text.count("\n")) for _, _, text, _ in labels]
    look = {"va": "center", "weight": "bold", "linespacing": 1.1, "annotation_clip": False}
    for (x, y, text, name), at in zip(labels, spread(wanted, heights), strict=True):
        shift = {"xytext": (7, at - points * y), "textcoords": "offset points"}
        ax.annotate(text, (x, y), color=ink(name), **shift, **look)


@cache
def agreements(code: str) -> tuple[tuple[date, str], ...]:
    """List when trade agreements with a partner took effect; the file has a source for each."""
    with AGREEMENTS.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["partner"] == code]
    return tuple(sorted((date.fromisoformat(row["effective"]), row["label"]) for row in rows))


def mark_agreements(ax: Axes, code: str) -> None:
    """Draw a thin dotted line at each agreement within the years shown, its name above the plot."""
    left, right = ax.get_xlim()
    for day, name in agreements(code):
        x = day.year + (day.timetuple().tm_yday - 1) / 365.25
        if left < x < right:
            ax.axvline(x, color=COLOURS["muted"], lw=0.9, ls=(0, (1, 2)), zorder=1, gid="upright")
            half = 0.5 * width_of(name, SOURCE, "normal") / (WIDTH - 1.6) * (right - left)
            look = {"fontsize": SOURCE, "color": COLOURS["muted"], "ha": "center", "va": "bottom"}
            middle = np.clip(x, left + half, right - half)
            ax.text(middle, 1.01, name, transform=ax.get_xaxis_transform(), gid="agreement", **look)


def bar_label(ax: Axes, x: float, end: float, text: str, down: bool) -> None:
    """Write a number beyond the end of an upright bar."""
    shift = {"xytext": (0, -3 if down else 3), "textcoords": "offset points"}
    ax.annotate(text, (x, end), ha="center", va="top" if down else "bottom", weight="bold", **shift)


def numbered(ax: Axes, bars: pd.Series, unit: Unit) -> None:
    """Write the numbers of bars that stand on zero, in dollars by place."""
    digits = Unit.digits_of(bars.abs().max(), unit.size)
    for x, usd in bars.items():
        bar_label(ax, x, usd, unit.number(usd, digits=digits), usd < 0)


def with_room(bars: Sequence[float], numbered: Sequence[float]) -> tuple[float, float]:
    """Give the limits of upright bars that leave room for the numbers beyond some of their ends."""
    low, high = min(*bars, 0), max(*bars, 0)
    room = 0.16 * (high - low)
    below, above = (end - room for end in numbered if end < 0), (end + room for end in numbered if end >= 0)
    return min([low, *below]), max([high, *above])


def year_bars(ax: Axes, bars: pd.Series, unit: Unit) -> None:
    """Draw a bar for each year, the last two of them set off and numbered."""
    bars, this = bars.dropna(), bars.index[-1]
    looks = {this: (COLOURS["highlight"],) * 2, this - 1: (COLOURS["before"], COLOURS["highlight"])}
    fill, edge = zip(*(looks.get(year, (COLOURS["quiet"],) * 2) for year in bars.index), strict=True)
    ax.bar(bars.index, bars, width=0.72, color=fill, edgecolor=edge, linewidth=1.2, zorder=2)
    numbered(ax, bars[bars.index >= this - 1], unit)
    money_axis(ax, unit, *with_room(bars, bars[bars.index >= this - 1]))
    years = range(bars.index[0], this + 1)
    ax.tick_params(axis="x", length=0)
    tick(ax.xaxis, years, map(str, years))  # of two years matplotlib would write what they add to a sum
    ax.set_xlim(bars.index[0] - 0.6, this + 0.6)
    ax.spines["bottom"].set_visible(False)


def mark_turn(ax: Axes, x: float, y: float, text: str) -> None:
    """Put a dot on a turning point, and its label at the nearest spot clear of all lines."""
    ax.plot(x, y, "o", color=COLOURS["highlight"], ms=7, zorder=4, label="turn")
    shift = _clear_spot(ax, x, y, text)
    leader = {"arrowstyle": "-", "color": COLOURS["highlight"], "lw": 1, "shrinkA": 2, "shrinkB": 3}
    place = {"xytext": shift, "textcoords": "offset points", "ha": "center", "va": "center"}
    far = leader if np.hypot(*shift) > 30 else None
    ax.annotate(text, (x, y), color=ink("highlight"), linespacing=1.1, arrowprops=far, **place)


def _clear_spot(ax: Axes, x: float, y: float, text: str) -> tuple[float, float]:
    """Find the nearest offset in points at which a label touches no line and stays inside."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    size = 72 * (ax.figure.get_size_inches() - (1.6, 1.5))  # about what the axes will have
    scale, low = size / (right - left, top - bottom), np.array([left, bottom])
    along = np.linspace(left, right, 500)
    lines = [line.get_xydata().T for line in ax.lines if len(line.get_xdata()) > 2]
    paths = [(along, np.interp(along, *line)) for line in lines] + [(along, np.zeros(500))]
    upright = [line.get_xdata()[0] for line in ax.lines if line.get_gid() == "upright"]
    paths += [(np.full(500, at), np.linspace(bottom, top, 500)) for at in upright]
    points = (np.hstack(paths).T - low) * scale
    rows = text.split("\n")
    half = LABEL * np.array([0.33 * max(map(len, rows)), 0.62 * len(rows)])
    best = (-np.inf, (0, 0))
    for far, angle in itertools.product(range(18, 140, 6), np.arange(0, 2 * np.pi, np.pi / 8)):
        shift = far * np.array([np.cos(angle), np.sin(angle)])
        centre = (np.array([x, y]) - low) * scale + shift
        inside = (centre - half > 0).all() and (centre + half < size).all()
        gap = np.maximum(np.abs(points - centre) - half, 0).max(axis=1).min()
        best = max(best, (inside * 1000 + min(gap, 5) * 20 - far, tuple(shift)))
    return best[1]


def waterfall(
    ax: Axes, start: float, steps: dict[str, float], end: float, unit: Unit, names: list[str]
) -> None:
    """Draw bars that each start where the last one ended; the first and the last stand on zero."""
    levels = list(itertools.accumulate(steps.values(), initial=start))
    digits = min(Unit.digits_of(max(map(abs, steps.values())), unit.size), unit.digits + 1)
    bars = [("balance", start, 0), *zip(steps, steps.values(), levels, strict=False), ("balance", end, 0)]
    low, high = with_room([*levels, end], [])
    tips = {-1: [low], 1: [high]}
    for x, (name, usd, bottom) in enumerate(bars):
        tip, stands, way = bottom + usd, name == "balance", -1 if usd < 0 else 1
        ax.bar(x, usd, bottom=bottom, width=0.62, color=_colour(name), zorder=2)
        if x:
            ax.plot([x - 0.69, x - 0.31], [levels[x - 1]] * 2, color=COLOURS["muted"], lw=1, zorder=1.9)
        room = 0.16 * (high - low)
        beyond = 0 if tip * (tip + way * room) < 0 else tip  # a number does not sit on the line at zero
        tips[way].append(beyond + way * room)
        bar_label(ax, x, beyond, unit.number(usd, sign=not stands, digits=digits), usd < 0)
    money_axis(ax, unit, min(tips[-1]), max(tips[1]))
    ax.tick_params(axis="x", length=0)
    tick(ax.xaxis, range(len(names)), [textwrap.fill(capital(name), 12) for name in names])
    ax.spines["bottom"].set_visible(False)


def _colour(name: str) -> str:
    return COLOURS.get(name.split("_")[-1], COLOURS["quiet"])


def level_waterfall(ax: Axes, rows: pd.DataFrame, unit: Unit) -> None:
    """Draw level bars one below the other, each from where the last one ended, from zero to the whole.

    `rows` has dollars in `usd`, zero first and the whole last, and a name of the palette in `colour`.
    """
    usd = rows["usd"].to_numpy()
    ends = np.append(usd[:-1].cumsum(), usd[-1])
    starts = ends - usd
    ax.barh(range(len(usd)), usd, left=starts, height=0.62, color=rows["colour"].map(COLOURS), zorder=2)
    ax.plot(0, 0, "o", color=COLOURS["balance"], ms=6, zorder=4, clip_on=False)
    for y, end in enumerate(ends[:-1]):
        ax.plot([end, end], [y - 0.31 * (y > 0), y + 1.31], color=COLOURS["muted"], lw=1, zorder=1.9)
    outside = {y: outer(*ends_of_bar) for y, ends_of_bar in enumerate(zip(starts, ends, strict=True)) if y}
    for y, (tip, side) in outside.items():
        place = {"xytext": (5 * side, 0), "textcoords": "offset points", "va": "center", "weight": "bold"}
        text = unit.number(usd[y], sign=True)
        ax.annotate(text, (tip, y), ha="left" if side > 0 else "right", zorder=3, **place)
    names = [even_lines(name, 36) for name in rows.index]
    longest = max(len(line) for name in names for line in name.split("\n"))
    number, axis = 52, 500 - 5.9 * longest  # points
    sides, (low, high) = [side for _, side in outside.values()], (min(*ends, 0), max(*ends, 0))
    room = (high - low) * number / (axis - number * len(set(sides)))
    slack = 0.01 * (high - low)  # so that the line at zero is seen whole
    rooms = [room if side in sides else slack for side in (-1, 1)]
    money_axis(ax, unit, low - rooms[0], high + rooms[1], along="x")
    ax.tick_params(axis="y", length=0)
    weights = ["bold", *["normal"] * (len(rows) - 2), "bold"]
    name_rows(ax, names, {y: {"linespacing": 1.05, "weight": weight} for y, weight in enumerate(weights)})
    ax.spines["bottom"].set_visible(False)


def outer(start: float, end: float) -> tuple[float, int]:
    """Find the end of a bar that is away from zero, and on which side: no number sits on that line."""
    if min(start, end) < 0 < max(start, end):
        return end, 1 if end > 0 else -1
    tip = max(start, end, key=abs)
    return tip, 1 if tip > 0 else -1


def even_lines(text: str, width: int) -> str:
    """Break words into as few lines as fit a width in letters, about even; lines that are there are kept."""
    if "\n" in text:
        return text
    fewest = len(textwrap.wrap(text, width))
    return next(
        "\n".join(lines)
        for lines in (textwrap.wrap(text, narrow) for narrow in range(8, width + 1))
        if len(lines) == fewest
    )


def name_rows(ax: Axes, names: list[str], looks: dict[int, dict]) -> None:
    """Name rows one below the other, at the left of them; some, by their numbers, look otherwise."""
    tick(ax.yaxis, range(len(names)), names, looks)
    ax.set_ylim(len(names) - 0.4, -0.6)


def own_looks(own: Sequence[bool]) -> dict[int, dict]:
    """Set the partner's own row off from the others."""
    return {y: {"color": ink("highlight"), "weight": "bold"} for y in np.flatnonzero(own)}


def reach(rows: pd.DataFrame, code: str) -> float:
    """Choose how far an axis goes: not to one or two that dwarf the rest, unless one is the partner's."""
    sizes = rows.abs().max(axis=1).sort_values(ascending=False)
    for k in (1, 2):
        if len(sizes) > k + 1 and sizes.iloc[k - 1] > 2 * sizes.iloc[k] and code not in sizes.index[:k]:
            return float(sizes.iloc[k])
    return float(sizes.iloc[0])


def dumbbells(ax: Axes, rows: pd.DataFrame, code: str, names: dict[str, str]) -> Unit:
    """Draw each row's balance `now` (full dot) and `before` (hollow); values off the scale are written."""
    limit = reach(rows, code)
    unit, table = Unit.of([limit]), rows.assign(y=range(len(rows)))
    off = (rows.abs() > limit).any(axis=1)
    for who, now, before, y in table[off].itertuples():
        edge = limit if now > 0 else -limit
        ax.plot(edge, y, ">" if now > 0 else "<", color=COLOURS["muted"], ms=8, label=who)
        text = unit.number(now)
        text += "" if np.isnan(before) else f" (a year earlier {unit.number(before)})"
        place = {"xytext": (-9 if now > 0 else 9, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(text, (edge, y), ha="right" if now > 0 else "left", **place)
    own = rows.index == code
    for these, name, size in ((~own & ~off, "muted", 7), (own, "highlight", 9)):
        now, before, y = (table.loc[these, column] for column in ("now", "before", "y"))
        dot = {"ls": "", "marker": "o", "color": COLOURS[name], "zorder": 3}
        ax.hlines(y, before, now, color=COLOURS[name], lw=size / 4, alpha=0.6, zorder=2)
        ax.plot(before, y, mfc="white", mew=1.5, ms=7, label=f"{name} before", **dot)
        ax.plot(now, y, ms=size, label=f"{name} now", **dot)
    name_rows(ax, [names[who] for who in rows.index], own_looks(own))
    low, high = (getattr(rows[~off].stack(), end)() for end in ("min", "max"))
    low, high = min(low, 0), max(high, 0)
    room = 0.04 * (high - low)
    money_axis(ax, unit, low - room, high + room, along="x")
    if code in rows.index:
        _own_label(ax, rows.index.get_loc(code), rows.loc[code].dropna())
    return unit


def _own_label(ax: Axes, y: float, ends: pd.Series) -> None:
    """Write the partner's balance beside its full dot, or on the other side if there is no room."""
    low, high = ax.get_xlim()
    now, right = ends["now"], ends["now"] > ends.min() or ends["now"] > 0
    crowded = (high - now if right else now - low) < 0.3 * (high - low)
    text = ("now " if crowded and len(ends) > 1 else "") + signed_money(now).replace("-", "−")
    right = right != crowded
    look = {"color": ink("highlight"), "weight": "bold", "ha": "left" if right else "right", "va": "center"}
    place = {"xytext": (8 if right else -8, 0), "textcoords": "offset points", "zorder": 4}
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    ax.annotate(text, (ends.max() if right else ends.min(), y), bbox=white, **place, **look)
