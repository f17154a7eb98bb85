"""The finding of a view of explore.ipynb in one sentence: the title of its figure."""

from tradelib import balances
from tradelib.briefs.sentences import title_of_balance
from tradelib.explorer.views import Line, View
from tradelib.style import words as wording
from tradelib.style.words import capital, money, percent

PREPOSITIONS = {"exports": "to", "imports": "from", "balance": "with"}
TICK = 0.05  # percent, less than which no change shows at one decimal


def headline(view: View) -> str:
    """Say what the view shows, as one sentence.

    Examples
    --------
    >>> from tradelib.explorer.views import Choice, look
    >>> july = {"release": "2018-07", "as_of": "2018-10-05"}
    >>> headline(look(Choice("KOR", second="JPN", measure="exports", **july)))
    'U.S. exports of goods in January-July 2018: up 11.1 percent to South Korea, up 9.2 percent to Japan'
    >>> headline(look(Choice("KOR", compare="2025-04-03", measure="exports", **july)))
    'The vintage of 2025-04-03 puts U.S. exports of goods to South Korea in January-July 2018
    $17 million lower than that of 2018-10-05: they rose 11.2 percent, not 11.1'
    """
    if len({line.partner.code for line in view.lines}) > 1:
        return _of_two_partners(view)
    if view.pairs:
        return _of_two_vintages(view)
    line = view.lines[0]
    now, before, who = view.value(line), view.value(line, 1), line.partner.prose
    if view.choice.measure == "balance":
        what = f"{{}} with {who} in goods and services"
        if view.basis.item != "total":
            what = f"{view.basis.item} {{}} with {who}"
        return title_of_balance(what, now, before, view.when)
    return f"{_subject(view, line)} {_went(view, line)} {view.when}"


def _subject(view: View, line: Line) -> str:
    measure = view.choice.measure
    return f"U.S. {measure} of {view.basis.what} {PREPOSITIONS[measure]} {line.partner.prose}"


def _growth(view: View, line: Line) -> float | None:
    """Percent by which the measure grew in a year, as `balances` has it; None where it has none."""
    end, year_earlier = view.span.end, view.span.year_earlier.end
    if view.value(line, 1) is None:
        return None
    now, before = line.sums.loc[[end]], line.sums.loc[[year_earlier]].set_axis([end])
    growth = float(balances.change(now, before)[f"{view.choice.measure}_change_pct"].iloc[0])
    return None if wording.missing(growth) else growth


def _went(view: View, line: Line) -> str:
    growth, now, before = _growth(view, line), view.value(line), view.value(line, 1)
    amount = money(now) if now else "zero"
    if growth is None:
        return f"were {amount}" + ("" if before is None else ", after none a year earlier,")
    if abs(growth) < TICK:
        return f"were little changed at {amount}"
    return f"{'rose' if growth > 0 else 'fell'} {percent(growth)} to {amount}"


def _of_two_partners(view: View) -> str:
    front = [line for line in view.lines if line.vintage.path == view.lines[0].vintage.path]
    measure, parts = view.choice.measure, []
    for line in front:
        now, growth = view.value(line), None if measure == "balance" else _growth(view, line)
        if measure == "balance":
            words = wording.a_position(now)
        elif growth is None:
            words = money(now)
        else:
            words = (
                f"{wording.direction(growth)} {percent(growth)}" if abs(growth) >= TICK else "little changed"
            )
        parts.append(f"{words} {PREPOSITIONS[measure]} {line.partner.prose}")
    return f"U.S. {what(view)} {view.when}: {', '.join(parts)}"


def _of_two_vintages(view: View) -> str:
    ((older, newer),) = view.pairs
    then, now = view.value(older), view.value(newer)
    days, measure = (older.vintage.published, newer.vintage.published), view.choice.measure
    if measure == "balance":
        kind = wording.position(now) if wording.position(now) == wording.position(then) else "balance"
        subject, size = (
            f"the U.S. {kind} with {newer.partner.prose} in {view.basis.what}",
            abs(now) - abs(then),
        )
        size = now - then if kind == "balance" else size
    else:
        subject, size = _subject(view, newer), now - then
    if not size:
        verb = "is" if measure == "balance" else "are"
        return f"{capital(subject)} {view.when} {verb} the same in the vintages of {days[0]} and {days[1]}"
    way = "higher" if size > 0 else "lower"
    told = f"The vintage of {days[1]} puts {subject} {view.when} {money(size)} {way} than that of {days[0]}"
    return told + _regrown(view, older, newer)


def _regrown(view: View, older: Line, newer: Line) -> str:
    """The growth in both vintages, where it is not the same at one decimal."""
    if view.choice.measure == "balance":
        return ""
    then, now = (_growth(view, line) for line in (older, newer))
    if then is None or now is None or f"{then:.1f}" == f"{now:.1f}" or min(abs(then), abs(now)) < TICK:
        return ""
    rose = ["rose" if growth > 0 else "fell" for growth in (then, now)]
    was = f"{abs(then):.1f}" if rose[0] == rose[1] else f"{rose[0]} {percent(then)}"
    return f": they {rose[1]} {percent(now)}, not {was}"


def what(view: View) -> str:
    """Name what is measured: "balance in goods", "exports of services"."""
    return f"{view.choice.measure} {'in' if view.choice.measure == 'balance' else 'of'} {view.basis.what}"
