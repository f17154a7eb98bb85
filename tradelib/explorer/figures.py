"""The figure of explore.ipynb: bars or lines, and the revision below them."""

import io
import textwrap
from types import SimpleNamespace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from tradelib import loaders
from tradelib.briefs import charts
from tradelib.explorer.views import Line, View, shown
from tradelib.explorer.words import headline, what
from tradelib.style import house as style
from tradelib.style import marks
from tradelib.style import words as wording
from tradelib.style.house import COLOURS, LABEL, Unit, styled

__all__ = ["figure", "png"]
RATIOS = [2.6, 1]  # the heights of the panels
SECOND = "services"  # the colour of the second partner
HISTORY = {"month": 60, "twelve months": 240, "quarter": 40, "four quarters": 80, "year to date": 12}
SPELLS = {"month": "by month", "twelve months": "12-month sums", "quarter": "by quarter"}
SPELLS |= {"four quarters": "four-quarter sums"}


@styled
def figure(view: View) -> Figure:
    """Draw a view: bars for the year to date of one series, lines for all else.

    With two vintages, the revision (newer less older) stands in a panel below.

    Parameters
    ----------
    view : View
        From `explore_views.look`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> from tradelib.explorer.views import Choice, look
    >>> fig = figure(look(Choice("KOR", "2018-07", as_of="2018-10-05", measure="exports")))
    >>> print(fig.get_suptitle())
    U.S. exports of goods to South Korea rose 11.1 percent
    to $31.8 billion in January-July 2018
    """
    compared = bool(view.pairs)
    ratios = RATIOS if compared else None
    fig, axes = style.canvas(height=5.1 if compared else 4.0, panels=1 + compared, ratios=ratios)
    drawn = [_drawn(view, line) for line in view.lines]
    unit = Unit.of(pd.concat(drawn))
    if len(drawn) == 1 and view.choice.window == "year to date":
        _bars(axes[0], drawn[0], unit)
    else:
        _lines(axes[0], view, drawn, unit)
    if compared:
        _revisions(axes[1], view)
        axes[0].tick_params(labelbottom=False)
    style.dress(
        *(fig, _source(view)),
        title=headline(view),
        subtitle=_subtitle(view, unit),
        note=_note(view),
    )
    _settle(fig, axes)
    return fig


def _settle(fig: Figure, axes: list[Axes]) -> None:
    """Put the axes where their labels leave room; a fifth faster than to let matplotlib try it out twice."""
    left, bottom, width, height = fig.get_layout_engine().get()["rect"]
    fig.set_layout_engine("none")
    across, up = fig.get_size_inches()
    ticks = [text.get_text() for ax in axes for text in ax.get_yticklabels()]
    ends = [line for text in axes[0].texts if text.get_gid() == "end" for line in text.get_text().split("\n")]
    before = max(style.width_of(tick, LABEL - 0.5, "normal") for tick in ticks) + 0.1
    after = max((style.width_of(line, LABEL, "bold") for line in ends), default=-0.04) + 0.16
    named = any(text.get_gid() == "agreement" for text in axes[0].texts)
    place = [left + before / across, width - (before + after) / across]
    low, high = bottom + 0.25 / up, bottom + height - (0.22 if named else 0.14) / up
    gap = 0.42 / up * (len(axes) - 1)  # for the title of the panel below
    shares, room = RATIOS if len(axes) > 1 else [1], high - low - gap
    for ax, share in zip(axes, shares, strict=True):
        tall = room * share / sum(shares)
        high -= tall
        ax.set_position([place[0], high, place[1], tall])
        high -= gap


def png(fig: Figure) -> bytes:
    """Render a figure for the screen: quickly, rather than as small as can be."""
    fig.canvas.draw()
    picture = io.BytesIO()
    Image.fromarray(np.asarray(fig.canvas.buffer_rgba())).convert("RGB").save(
        picture, "png", compress_level=1
    )
    return picture.getvalue()


def _drawn(view: View, line: Line) -> pd.Series:
    """The part of a series that is drawn, up to the last period it has."""
    values = shown(view, line.sums)[view.column].tail(HISTORY[view.choice.window])
    return values.loc[values.first_valid_index() : values.last_valid_index()]


def _place(view: View, values: pd.Series) -> list[float]:
    if view.choice.window == "year to date":
        return list(values.index.year)
    return style.years_of(values.index)


def _bars(ax: Axes, values: pd.Series, unit: Unit) -> None:
    years, this = values.index.year, values.index.year[-1]
    bars = pd.Series(values.to_numpy(), index=years).dropna()
    looks = {this: (COLOURS["highlight"],) * 2, this - 1: (COLOURS["before"], COLOURS["highlight"])}
    fill, edge = zip(*(looks.get(year, (COLOURS["quiet"],) * 2) for year in bars.index), strict=True)
    ax.bar(bars.index, bars, width=0.72, color=fill, edgecolor=edge, linewidth=1.2, zorder=2)
    marks.numbered(ax, bars[bars.index >= this - 1], unit)
    style.money_axis(ax, unit, *marks.with_room(bars, bars[bars.index >= this - 1]))
    ax.set_xticks(range(min(years), this + 1))
    ax.set_xlim(min(years) - 0.6, this + 0.6)
    ax.tick_params(axis="x", length=0)
    ax.spines["bottom"].set_visible(False)


def _lines(ax: Axes, view: View, drawn: list[pd.Series], unit: Unit) -> None:
    lead = view.lines[0].partner.code
    ends: dict[str, list] = {}
    digits = unit.digits + (len(view.vintages) > 1)  # so that a revision shows
    for line, values in zip(view.lines, drawn, strict=True):
        name = view.choice.measure if line.partner.code == lead else SECOND
        front = line.vintage.path == view.lines[0].vintage.path
        look = {"lw": 2.2, "ls": "-"} if front else {"lw": 1.6, "ls": (0, (3, 1.5)), "alpha": 0.8}
        few = len(values) <= 12
        years = _place(view, values)
        ax.plot(years, values, color=COLOURS[name], marker="o" if few else "", ms=4, label=line.name, **look)
        ends.setdefault(line.partner.code, [years[-1], values.iloc[-1], [], name, line.name])
        dated = f"{line.vintage.published}: " if len(view.vintages) > 1 else ""
        if front or len(view.pairs) == 1:  # with two partners, the other vintage is in the table
            ends[line.partner.code][2].append(dated + unit.number(values.iloc[-1], digits=digits))
    style.money_axis(ax, unit, min(map(min, drawn)), max(map(max, drawn)), snug=False)
    _time_axis(ax, view, drawn)
    if len(ends) == 1 and view.choice.window != "year to date":
        marks.mark_agreements(ax, lead)
    labels = []
    for x, y, numbers, name, who in ends.values():
        who = who if len(ends) > 1 else view.choice.measure.capitalize()
        labels.append((x, y, "\n".join([*textwrap.wrap(who, 16), *numbers]), name))
    _end_labels(ax, labels, 1 + bool(view.pairs))


def _end_labels(ax: Axes, labels: list[tuple[float, float, str, str]], panels: int) -> None:
    """Write (x, y, text, colour name) beside the ends of lines, apart; as `marks.end_labels`, in a panel."""
    bottom, top = ax.get_ylim()
    height = 72 * (ax.figure.get_figheight() - 1.5 - 0.5 * (panels - 1))
    points = height * (RATIOS[0] / sum(RATIOS) if panels > 1 else 1) / (top - bottom)
    heights = [1.4 * LABEL * (1 + text.count("\n")) for _, _, text, _ in labels]
    places = marks.spread([points * y for _, y, _, _ in labels], heights)
    for (x, y, text, name), at in zip(labels, places, strict=True):
        shift = {"xytext": (7, at - points * y), "textcoords": "offset points", "va": "center"}
        look = {"color": style.ink(name), "weight": "bold", "linespacing": 1.1, "annotation_clip": False}
        ax.annotate(text, (x, y), gid="end", **shift, **look)


def _time_axis(ax: Axes, view: View, drawn: list[pd.Series]) -> None:
    places = sorted(place for values in drawn for place in _place(view, values))
    style.year_axis(ax, places if places[0] < places[-1] else [places[0] - 1, places[0]])
    if view.choice.window == "year to date":  # points, not lines that begin at the axis
        ax.set_xlim(places[0] - 0.3, places[-1] + 0.3)


def _revisions(ax: Axes, view: View) -> None:
    """Draw what the newer vintage changed, below the series themselves."""
    drawn = []
    for n, (older, newer) in enumerate(view.pairs):
        values = _drawn(view, Line(newer.partner, newer.vintage, newer.sums - older.sums))
        if len(values):
            years, colour = _place(view, values), COLOURS[SECOND if n else view.choice.measure]
            ax.plot(years, values, color=colour, lw=1.6, marker="o" if len(values) <= 12 else "", ms=3)
            drawn.append(values)
    unit = Unit.of(pd.concat(drawn)) if drawn else Unit.of([1e6])
    low, high = (min(map(min, drawn)), max(map(max, drawn))) if drawn else (0, 0)
    style.money_axis(ax, unit, low, high, snug=False)
    _time_axis(ax, view, [_drawn(view, line) for line in view.lines])
    ax.set_yticks(*_sparse(ax))
    days = [line.vintage.published for line in view.pairs[0]]
    ax.set_title(f"Revision, {unit.name}: {days[1]} less {days[0]}", color=COLOURS["muted"])


def _sparse(ax: Axes) -> tuple[list[float], list[str]]:
    """Every other tick, zero among them: the panel is low."""
    ticks = list(zip(ax.get_yticks(), [text.get_text() for text in ax.get_yticklabels()], strict=True))
    zero = min(range(len(ticks)), key=lambda n: abs(ticks[n][0]))
    kept = ticks[zero % 2 :: 2] if len(ticks) > 4 else ticks
    return [tick for tick, _ in kept], [text for _, text in kept]


def _subtitle(view: View, unit: Unit) -> str:
    spell = SPELLS.get(view.choice.window)
    if spell is None:
        year, months = f"{view.span.end.year}", wording.span(view.span)
        spell = "calendar years" if months == year else months.removesuffix(f" {year}").removesuffix(" of")
    return style.measure(view.table, f"U.S. {what(view)}", unit, spell)


def _source(view: View) -> str:
    first, *others = view.vintages
    sources = SimpleNamespace(sources={first.table: first}, lag=lambda _: first.lag_days(view.as_of))
    line = style.source_line(sources, first.table)
    for other in others:
        named = "" if other.table == first.table else f" ({style.PUBLISHED[other.table]})"
        line += f". Compared with the vintage of {other.published}{named}"
    return line


def _note(view: View) -> str:
    release, notes = SimpleNamespace(release=loaders.find_release(view.choice.release)), {}
    for line in view.lines:
        sheet = SimpleNamespace(partner=line.partner, snapshot=release)  # all that a note on members needs
        notes[line.name] = charts.membership(sheet)
    one = len(notes) == 1
    told = [note if one else f"{name}: {note[0].lower()}{note[1:]}" for name, note in notes.items() if note]
    dashed = [f"Dashed: the vintage of {vintage.published}." for vintage in view.vintages[1:]]
    return " ".join([*dashed, *told])
