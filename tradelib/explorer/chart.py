"""The chart of what was chosen in explore.ipynb, bars or lines, and its title in one sentence."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes

from tradelib.briefs.charts import membership
from tradelib.briefs.goods import LINKS
from tradelib.briefs.sentences import title_of_balance
from tradelib.briefs.verbs import LITTLE_PCT
from tradelib.explorer.choice import Line, View
from tradelib.explorer.table import changes, cited
from tradelib.studies.tariffs import ESTIMATE
from tradelib.style import house, marks, words
from tradelib.style.house import COLOURS, Chart, Unit, styled
from tradelib.style.words import capital, money, percent, points

PERCENT = Unit(1.0, "percent of imports", 1)
RATIOS = [2.6, 1]  # the heights of the panels
SECOND = "services"  # the colour of the second partner
HISTORY = {"month": 60, "twelve months": 240, "quarter": 40, "four quarters": 80, "year to date": 12}
SPELLS = {
    "month": "by month",
    "twelve months": "12-month sums",
    "quarter": "by quarter",
    "four quarters": "four-quarter sums",
}


@styled
def chart(view: View) -> Chart:
    """Draw a view: bars for the year to date of one series, or lines; of two vintages the revision too."""
    compared = bool(view.pairs)
    ratios = RATIOS if compared else None
    fig, axes = house.canvas(height=5.1 if compared else 4.0, panels=1 + compared, ratios=ratios)
    drawn = [_drawn(view, line.sums) for line in view.lines]
    unit = PERCENT if view.measure == "rate" else Unit.of(pd.concat(drawn))
    if len(drawn) == 1 and view.choice.window == "year to date":
        marks.year_bars(axes[0], drawn[0].set_axis(drawn[0].index.year), unit)
    else:
        _lines(axes[0], view, drawn, unit)
    if compared:
        _revisions(axes[1], view, drawn)
        axes[0].tick_params(labelbottom=False)
    subtitle = house.measure(view.table, f"U.S. {view.what}", unit, _spell(view))
    names = [f"{line.name}_{line.vintage.published}_usd" for line in view.lines]
    data = pd.concat(drawn, axis=1).set_axis(names, axis=1)
    return house.dress(fig, cited(view), title=title(view), subtitle=subtitle, note=_note(view), data=data)


def _drawn(view: View, sums: pd.DataFrame) -> pd.Series:
    """The part of a series that is drawn, up to the last period it has."""
    values = view.shown(sums)[view.column].tail(HISTORY[view.choice.window])
    return values.loc[values.first_valid_index() : values.last_valid_index()]


def _colour(view: View) -> str:
    return "highlight" if view.measure == "rate" else view.measure


def _place(view: View, values: pd.Series) -> list[float]:
    if view.choice.window == "year to date":
        return list(values.index.year)
    return house.years_of(values.index)


def _lines(ax: Axes, view: View, drawn: list[pd.Series], unit: Unit) -> None:
    lead = view.lines[0].partner.code
    ends: dict[str, list] = {}
    digits = unit.digits + bool(view.pairs)  # so that a revision shows
    for line, values in zip(view.lines, drawn, strict=True):
        colour = _colour(view) if line.partner.code == lead else SECOND
        front = line.vintage.path == view.lines[0].vintage.path
        strokes = {"lw": 2.2, "ls": "-"} if front else {"lw": 1.6, "ls": (0, (3, 1.5)), "alpha": 0.8}
        dots = {"marker": "o" if len(values) <= 12 else "", "ms": 4}
        years = _place(view, values)
        ax.plot(years, values, color=COLOURS[colour], label=line.name, **dots, **strokes)
        end = ends.setdefault(line.partner.code, [years[-1], values.iloc[-1], [], colour, line.name])
        dated = f"{line.vintage.published}: " if view.pairs else ""
        if front or len(view.pairs) == 1:  # with two partners, the other vintage is in the table
            end[2].append(dated + unit.number(values.iloc[-1], digits=digits))
    house.money_axis(ax, unit, min(map(min, drawn)), max(map(max, drawn)), snug=False)
    _time_axis(ax, view, drawn)
    if len(ends) == 1 and view.choice.window != "year to date":
        marks.mark_agreements(ax, lead)
    labels = []
    for x, y, numbers, colour, who in ends.values():
        name = who if len(ends) > 1 else capital(view.measure)
        labels.append((x, y, "\n".join([*textwrap.wrap(name, 16), *numbers]), colour))
    marks.end_labels(ax, labels, share=RATIOS[0] / sum(RATIOS) if view.pairs else 1)


def _time_axis(ax: Axes, view: View, drawn: list[pd.Series]) -> None:
    places = sorted(place for values in drawn for place in _place(view, values))
    house.year_axis(ax, places if places[0] < places[-1] else [places[0] - 1, places[0]])
    if view.choice.window == "year to date":  # points, not lines that begin at the axis
        ax.set_xlim(places[0] - 0.3, places[-1] + 0.3)


def _revisions(ax: Axes, view: View, above: list[pd.Series]) -> None:
    """Draw what the newer vintage changed, below the series themselves."""
    drawn = []
    for (older, newer), colour in zip(view.pairs, (_colour(view), SECOND), strict=False):
        values = _drawn(view, newer.sums - older.sums)
        if len(values):
            dots = {"marker": "o" if len(values) <= 12 else "", "ms": 3}
            ax.plot(_place(view, values), values, color=COLOURS[colour], lw=1.6, **dots)
            drawn.append(values)
    if view.measure == "rate":
        unit = Unit(1.0, "percentage points", 1)
    else:
        unit = Unit.of(pd.concat(drawn)) if drawn else Unit.of([1e6])
    low, high = (min(map(min, drawn)), max(map(max, drawn))) if drawn else (0, 0)
    house.money_axis(ax, unit, low, high, snug=False)
    _time_axis(ax, view, above)
    ax.set_yticks(*_sparse(ax))
    days = [line.vintage.published for line in view.pairs[0]]
    ax.set_title(f"Revision, {unit.name}: {days[1]} less {days[0]}", color=COLOURS["muted"])


def _sparse(ax: Axes) -> tuple[list[float], list[str]]:
    """Every other tick, zero among them: the panel is low."""
    ticks = list(zip(ax.get_yticks(), [text.get_text() for text in ax.get_yticklabels()], strict=True))
    zero = min(range(len(ticks)), key=lambda n: abs(ticks[n][0]))
    kept = ticks[zero % 2 :: 2] if len(ticks) > 4 else ticks
    return [tick for tick, _ in kept], [text for _, text in kept]


def _spell(view: View) -> str:
    """What each point adds up: "by month", "January-July", "calendar years"."""
    if view.choice.window in SPELLS:
        return SPELLS[view.choice.window]
    year, months = f"{view.span.end.year}", words.span(view.span)
    return "calendar years" if months == year else months.removesuffix(f" {year}").removesuffix(" of")


def _note(view: View) -> str:
    notes = [ESTIMATE] if view.measure == "rate" else []
    notes += [f"Dashed: the vintage of {vintage.published}." for vintage in view.vintages[1:]]
    groups = {line.name: line.partner for line in view.lines if line.partner.is_group}
    one = len({line.partner.code for line in view.lines}) == 1
    for name, group in groups.items():
        note = membership(group, view.release)
        notes.append(note if one else f"{name}: {note[0].lower()}{note[1:]}")
    return " ".join(notes)


# --- the title ----------------------------------------------------------------------------------------


def title(view: View) -> str:
    """Say what the view shows, as one sentence."""
    when = f"in {words.span(view.span)}"
    if view.measure == "rate":
        return _of_rates(view, when)
    if len({line.partner.code for line in view.lines}) > 1:
        return f"U.S. {view.what} {when}: {', '.join(_standings(view))}"
    if view.pairs:
        return _of_two_vintages(view, when)
    line = view.lines[0]
    if view.measure == "balance":
        who = line.partner.prose
        what = f"{view.basis.item} {{}} with {who}"
        if view.basis.item == "total":
            what = f"{{}} with {who} in goods and services"
        return title_of_balance(what, view.value(line), view.value(line, 1), when)
    return f"{_flow(view, line)} {_went(view, line)} {when}"


def _of_rates(view: View, when: str) -> str:
    """What duties come to: of each of two partners, in one vintage against another, or of one alone."""
    front = [line for line in view.lines if line.vintage.path == view.lines[0].vintage.path]
    told = [f"{percent(view.value(line))} of imports from {line.partner.prose}" for line in front]
    if len(told) > 1:
        return f"U.S. duties {when}: {', '.join(told)}"
    if view.pairs:
        ((older, newer),) = view.pairs
        moved = view.value(newer) - view.value(older)
        how = f"{points(moved)} {'higher' if moved > 0 else 'lower'} than" if moved else "the same as"
        days = [line.vintage.published for line in view.pairs[0]]
        told = f"{percent(view.value(newer))} of imports from {newer.partner.prose}, {how} that of {days[0]}"
        return f"The vintage of {days[1]} puts U.S. duties {when} at {told}"
    moved = None if view.value(front[0], 1) is None else view.value(front[0]) - view.value(front[0], 1)
    how = "" if moved is None else f", {words.direction(moved)} {points(moved)} on a year earlier"
    return f"U.S. duties {when} came to {told[0]}{how if moved else ''}"


def _flow(view: View, line: Line) -> str:
    return f"U.S. {view.what} {LINKS[view.measure]} {line.partner.prose}"


def _growth(view: View, line: Line) -> float | None:
    """Percent by which the measure grew in a year; None where it has none."""
    found = float(changes(view, line)[f"{view.measure}_change_pct"].get(view.span.end))
    return None if words.missing(found) else found


def _went(view: View, line: Line) -> str:
    growth, now, before = _growth(view, line), view.value(line), view.value(line, 1)
    amount = money(now) if now else "zero"
    if growth is None:
        return f"were {amount}" + ("" if before is None else ", after none a year earlier,")
    if abs(growth) < LITTLE_PCT:
        return f"were little changed at {amount}"
    return f"{'rose' if growth > 0 else 'fell'} {percent(growth)} to {amount}"


def _standings(view: View) -> list[str]:
    """Where each of two partners stands, in the vintage in front."""
    parts = []
    for line in view.lines:
        if line.vintage.path != view.lines[0].vintage.path:
            continue
        if view.measure == "balance":
            told = words.a_position(view.value(line))
        elif (growth := _growth(view, line)) is None:
            told = money(view.value(line))
        elif abs(growth) < LITTLE_PCT:
            told = "little changed"
        else:
            told = f"{words.direction(growth)} {percent(growth)}"
        parts.append(f"{told} {LINKS[view.measure]} {line.partner.prose}")
    return parts


def _of_two_vintages(view: View, when: str) -> str:
    ((older, newer),) = view.pairs
    then, now = view.value(older), view.value(newer)
    days = (older.vintage.published, newer.vintage.published)
    if view.measure == "balance":
        same = words.position(now) == words.position(then)
        kind = words.position(now) if same else "balance"
        subject = f"the U.S. {kind} with {newer.partner.prose} in {view.basis.what}"
        size = now - then if kind == "balance" else abs(now) - abs(then)
    else:
        subject, size = _flow(view, newer), now - then
    if not size:
        verb = "is" if view.measure == "balance" else "are"
        return f"{capital(subject)} {when} {verb} the same in the vintages of {days[0]} and {days[1]}"
    way = "higher" if size > 0 else "lower"
    told = f"The vintage of {days[1]} puts {subject} {when} {money(size)} {way} than that of {days[0]}"
    return told + _regrown(view, older, newer)


def _regrown(view: View, older: Line, newer: Line) -> str:
    """The growth in both vintages, where it is not the same at one decimal."""
    if view.measure == "balance":
        return ""
    then, now = (_growth(view, line) for line in (older, newer))
    if then is None or now is None or f"{then:.1f}" == f"{now:.1f}" or min(abs(then), abs(now)) < LITTLE_PCT:
        return ""
    rose = ["rose" if growth > 0 else "fell" for growth in (then, now)]
    was = f"{abs(then):.1f}" if rose[0] == rose[1] else f"{rose[0]} {percent(then)}"
    return f": they {rose[1]} {percent(now)}, not {was}"
