"""How a value reads in a sentence: the verbs, each of which turns it into words and numbers."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

import pandas as pd

from tradelib.briefs.fact import Fact, Facts, before_change, commodity, contributor, in_percent, render
from tradelib.briefs.question import beside
from tradelib.style import words
from tradelib.windows import Window, as_period

#: Below this percentage of the base a flow, a rate or a share is "little changed", below that one a balance.
LITTLE_PCT, LITTLE_BALANCE_PCT = 0.05, 0.5
#: From this percentage on a flow is told as a multiple, a deficit in dollars: who sees 2,546 percent?
TOO_MUCH_PCT = 300
#: A fall of so much would be told as one by 100.0 percent: it is told in dollars.
ALMOST_ALL_PCT = -99.95
#: Of less than so many dollars there is no percentage: it would tell of a parcel or two.
FLOOR_USD = 1e6
#: Ids and fields of amounts that are changes, not levels.
CHANGES = re.compile(r"change|contribution|slope|less_|revision|gap")
FLOWS = re.compile(r"\.(exports|imports)[.@]")


class Absent(Exception):
    """What a sentence needs cannot be had; not an error, the sentence is left out."""

    def __init__(self, reason: str = ""):
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Number:
    """A figure as a sentence writes it, and what it is; `what` tells where it is not the fact itself."""

    text: str
    value: object
    unit: str
    what: str = ""


Parts = list["str | Number"]


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in braces, found: a value, its unit, and the fact that it belongs to."""

    value: object
    unit: str
    fact: Fact
    facts: Facts = field(repr=False)
    name: str = ""  # of a field of the fact

    def beside(self, end: str):
        """The value of a fact whose id goes on from this one's, such as `.change_usd`."""
        found = None if self.name else self.facts.find(beside(self.fact.id, end))
        return found and found.value

    @property
    def level(self) -> float | None:
        """The amount of which this is the change; None where there is none."""
        own, ends = self.fact.id, (".month_change_usd", ".change_usd")
        id = beside(own, "", without="_change_usd")  # of a month that is a fact, not a question of one
        if id == own or id not in self.facts:
            id = next((one for end in ends if (one := beside(own, "", without=end)) != own), own)
        found = None if self.name or id == own else self.facts.find(id)
        return found and found.value

    @property
    def before(self) -> float:
        """The amount a year earlier."""
        change = self.beside(".change_usd")
        if change is None:
            raise Absent(f"there is no year-earlier figure of {self.fact.text.split(':')[0]}")
        return self.value - change

    @property
    def window(self) -> str:
        """The window in words."""
        span = self.fact.window.split(" vs ")[0].split("..")
        return words.span(Window(as_period(span[0]), as_period(span[-1])))


def _usd(dollars: float, what: str = "") -> Number:
    return Number(words.money(dollars), dollars, "USD", what)


def _pct(value: float, what: str = "") -> Number:
    return Number(words.percent(value), value, "percent", what)


def _then(dollars: float) -> Number:
    return _usd(dollars, "a year earlier")


def _series(items: list[Parts]) -> Parts:
    """Join with commas and "and"."""
    joined: Parts = []
    for n, item in enumerate(items):
        joined += ([", " if n < len(items) - 1 else " and "] if n else []) + item
    return joined or ["none"]


def plain(v: Value) -> Parts:
    """A value by its unit, without a sign."""
    if v.unit == "USD":
        return [_usd(v.value) if v.value else Number("zero", v.value, v.unit)]
    if v.unit in ("percent", "points"):
        return [Number(in_percent(v.value, v.unit, v.fact.id), v.value, v.unit)]
    if v.unit == "list":
        return _series([_entry(entry, first=n == 0) for n, entry in enumerate(v.value)])
    return [Number(render(v.value, v.unit), v.value, v.unit)]


def _entry(entry: dict, *, first: bool) -> Parts:
    """An entry of a list as a sentence names it."""
    if "rate_pct" in entry:
        pct, what = entry["rate_pct"], entry["prose"]
        return [f"{what} (", Number(words.percent(pct, fine=True), pct, "percent", what), ")"]
    if "contribution_usd" in entry:
        size: Parts = [_usd(entry["contribution_usd"], contributor(entry))]
        if entry.get("pct_of_change") is not None:
            of = " of the change" if first else ""
            size += [", ", _pct(entry["pct_of_change"], f"of the change: {contributor(entry)}"), of]
        name = contributor(entry)
        return [f"{name[:-1]}, " if name.endswith(")") else f"{name} (", *size, ")"]
    if "change_usd" in entry and "reduction_pct" not in entry:
        sign, what = "+" if entry["change_usd"] > 0 else "-", entry.get("prose") or commodity(entry)
        size = Number(sign + words.money(entry["change_usd"]), entry["change_usd"], "USD", what)
        return [before_change(entry), size, ")"]
    usd = entry.get("balance_usd", entry.get("value_usd"))
    if usd is not None:
        return [before_change(entry), _usd(usd, entry.get("prose") or commodity(entry)), ")"]
    if entry["reduction_pct"] is None:
        return [f"{entry['prose']} (it became a surplus)"]
    return [f"{entry['prose']} (", _pct(entry["reduction_pct"], entry["prose"]), ")"]


def _fine(v: Value) -> Parts:
    size = f"{abs(v.value):,.2f}" if v.unit == "percent" else ""
    told = "less than 0.01" if size == "0.00" and v.value else size
    return [Number(f"{told} percent", v.value, v.unit)] if size else plain(v)


def _signed(v: Value) -> Parts:
    size = plain(v)
    little = isinstance(size[0], Number) and size[0].text.startswith("less")  # which way does not show
    return ["" if little or not v.value else "+" if v.value > 0 else "-", *size]


def _little(v: Value) -> bool:
    return v.unit in ("percent", "points") and abs(v.value) < LITTLE_PCT


def _insist(suits: bool) -> None:
    """Refuse a value that a verb would say something false of."""
    if not suits:
        raise ValueError


def _is_change(v: Value) -> bool:
    if v.unit == "USD":
        return bool(CHANGES.search(f"{v.fact.id}.{v.name}"))
    return v.unit == "points" or (v.unit == "percent" and "share" not in v.fact.id)


def _flow_change(v: Value) -> tuple[float, float] | None:
    """A flow a year earlier and its change in dollars, where this is its percentage."""
    level, change = (beside(v.fact.id, end, without=".change_pct") for end in ("", ".change_usd"))
    found = [v.facts.find(id) for id in (level, change)] if level != v.fact.id else []
    if not found or any(fact is None or fact.value is None for fact in found):
        return None
    return found[0].value - found[1].value, found[1].value


def _size(v: Value) -> Parts:
    """How large a change is: in dollars where what was there, or what is left, is next to nothing."""
    flow = _flow_change(v)
    if flow and (flow[0] < FLOOR_USD or v.value <= ALMOST_ALL_PCT):
        return [_usd(flow[1], "change on a year earlier")]
    return plain(v)


def _times(pct: float, what: str) -> Number:
    """A rise in percent as a multiple."""
    ratio = 1 + pct / 100
    return Number(f"{ratio:,.{0 if ratio >= 9.95 else 1}f} times", ratio, "times", what)


def _up(v: Value) -> Parts:
    _insist(_is_change(v))
    if v.value == 0 or _little(v):
        return ["unchanged" if v.value == 0 else "little changed"]
    size = _size(v)
    if v.unit == "percent" and size[0].unit == "percent" and v.value >= TOO_MUCH_PCT:
        return [_times(v.value, "beside a year earlier"), " as much as a year earlier"]
    return ["up " if v.value > 0 else "down ", *size]


def _rose(v: Value) -> Parts:
    if v.unit == "list":
        parts = [contributor(entry).split(" ", 1) for entry in v.value]
        alike = groupby(parts, key=lambda part: "rose" if part[0] == "higher" else "fell")
        return [words.series([f"{words.series([what for _, what in some])} {way}" for way, some in alike])]
    _insist(_is_change(v))
    if v.value == 0 or _little(v):
        return ["did not change" if v.value == 0 else "changed little"]
    flow = _flow_change(v) if v.value >= TOO_MUCH_PCT else None
    size = [_usd(flow[1], "change on a year earlier")] if flow else _size(v)
    if v.unit == "percent" and size[0].unit == "percent" and v.value >= TOO_MUCH_PCT:
        return ["rose to ", _times(v.value, "what it was"), " as much"]
    return ["rose by " if v.value > 0 else "fell by ", *size]


def _rising(v: Value) -> Parts:
    _insist(_is_change(v))
    return ["rising by " if v.value > 0 else "falling by ", *plain(v)]


def _improved(v: Value) -> Parts:
    _insist(_is_change(v))
    if not v.value:
        return ["did not change"]
    level = v.level
    if level is not None and little_changed(level, level - v.value):
        return ["was little changed"]
    return ["improved by " if v.value > 0 else "worsened by ", *plain(v)]


def _more(v: Value) -> Parts:
    _insist(_is_change(v))
    return [*plain(v), " more" if v.value > 0 else " less"]


def _worth(v: Value) -> Parts:
    what = v.fact.id.split(".", 1)[0]
    return [f"{what} worth ", *plain(v)] if v.value else [f"no {what}"]


def _position(v: Value) -> Parts:
    _insist(_is_balance(v))
    change = v.beside(".change_usd")
    flipped = change is not None and words.position(v.value) != words.position(v.value - change)
    return ["balance" if flipped else words.position(v.value)]


def _is_balance(v: Value) -> bool:
    return v.unit == "USD" and not FLOWS.search(f"{v.fact.id}.")


def _a_position(v: Value) -> Parts:
    _insist(_is_balance(v))
    return _amount(v.value, zero="a balance of zero")


def _amount(usd: float, what: str = "", *, zero: str = "zero") -> Parts:
    return [f"a {words.position(usd)} of ", _usd(usd, what)] if usd else [zero]


def little_changed(now: float, before: float) -> bool:
    """Whether a balance is called little changed: of the same sign, and by less than `LITTLE_BALANCE_PCT`."""
    return now * before > 0 and abs(100 * (now - before) / before) < LITTLE_BALANCE_PCT


def _moved(v: Value) -> Parts:
    if v.unit == "list":
        return _series([_entry_moved(entry) for entry in v.value])
    _insist(_is_balance(v))
    change = v.beside(".change_usd")
    return moved(v.value, None if change is None else v.value - change, f" in {v.window}")


def moved(now: float, before: float | None, when: str) -> Parts:
    """Say what became of a balance in a year, minding a flip of the sign and a small change."""
    if words.missing(before):
        return ["was ", _usd(now) if now else "zero", when]
    if now == 0 and before == 0:
        return [f"was zero{when}, as a year earlier"]
    if now * before <= 0:
        return ["moved from ", *_amount(before, "a year earlier"), " a year earlier to ", *_amount(now), when]
    if little_changed(now, before):
        return ["was little changed, at ", _usd(now), when]
    then = [" from ", _then(before), " a year earlier"] if words.money(now) != words.money(before) else []
    return [*_by(now, before), ", to ", _usd(now), when, *then]


def _by(now: float, before: float) -> Parts:
    """How far a gap widened or narrowed: a deficit in percent, a surplus in dollars."""
    pct = 100 * (abs(now) - abs(before)) / abs(before)
    size = _usd(now - before, "change on a year earlier")
    if now < 0 and ALMOST_ALL_PCT < pct < TOO_MUCH_PCT and before <= -FLOOR_USD:
        size = _pct(pct, "change of the deficit on a year earlier")
    return ["widened by " if pct > 0 else "narrowed by ", size]


def _entry_moved(entry: dict) -> Parts:
    """A country of a list, and what became of the deficit: in percent, or in dollars where it turned."""
    who, now = entry["prose"], entry["balance_usd"]
    if entry["reduction_pct"] is None:
        before = _amount(now - entry["change_usd"], f"{who}, a year earlier")
        return [f"{who} (from ", *before, " to ", *_amount(now, who), ")"]
    return [f"{who} (by ", _pct(entry["reduction_pct"], who), ", to ", _usd(now, who), ")"]


def _moved_by(v: Value) -> Parts:
    _insist(_is_balance(v))
    before = v.before
    if v.value * before <= 0 or little_changed(v.value, before):
        return _moved(v)
    way = "widened by " if abs(v.value) > abs(before) else "narrowed by "
    return [way, _usd(v.value - before, "change on a year earlier"), f" in {v.window}"]


def _before(v: Value) -> Parts:
    if words.signed_money(v.before) == words.signed_money(v.value):
        raise Absent(f"it was the same, {words.money(v.value)}, a year earlier")
    if ".balance." in v.fact.id:
        return _amount(v.before, "a year earlier")
    return [_then(v.before)]


def _placed(word: str) -> Callable[[Value], Parts]:
    """A verb that says a rank with a word: the largest, the 9th largest."""

    def place(v: Value) -> Parts:
        _insist(v.unit == "rank")
        return [f"the {word}"] if v.value == 1 else ["the ", *plain(v), f" {word}"]

    return place


def _ordinal(v: Value) -> Parts:
    _insist(v.unit == "rank")
    return plain(v)


def _year_earlier(v: Value) -> Parts:
    _insist(v.unit == "rank")
    then, id = v.beside(".previous_year"), beside(v.fact.id, ".previous_year")
    if then is None or not v.facts.find(id).more.get("alike", True):
        raise Absent(f"there is no year-earlier figure of {v.fact.text.split(':')[0]}")
    if then == v.value:
        return ["as a year earlier"]
    return [Number(render(then, v.unit), then, v.unit, "a year earlier"), " a year earlier"]


def _names(v: Value) -> Parts:
    return [words.series([entry.get("prose") or commodity(entry) for entry in v.value]) or "none"]


def _added(v: Value) -> Parts:
    return _series(
        [
            [
                f"{contributor(entry)} {'added' if entry['contribution_usd'] > 0 else 'took away'} ",
                _usd(entry["contribution_usd"], contributor(entry)),
            ]
            for entry in v.value
        ]
    )


def _contributors(v: Value) -> Parts:
    return [words.series([contributor(entry) for entry in v.value])]


def _count(v: Value) -> Parts:
    number = len(v.value) if v.unit == "list" else v.value
    return [Number(words.cardinal(number), number, "count")]


def _period(v: Value) -> Parts:
    return [Number(words.period(as_period(v.value)), v.value, "period")]


def _day(v: Value) -> Parts:
    return [Number(words.day(pd.Timestamp(v.value)), v.value, "day")]


def _vintage(v: Value) -> Parts:
    return [words.day(pd.Timestamp(v.fact.vintage))]


def _lag(v: Value) -> Parts:
    late = words.lag(v.fact.vintage_lag_days, v.fact.vintage_method)
    if not late:
        raise Absent
    return [late]


#: Verb or form -> how it renders, an example, what it says. The guide on sentences is made from this list.
VERBS: dict[str, tuple[Callable[[Value], Parts], str, str]] = {
    "up": (
        _up,
        "up 11.1 percent",
        "a change, with its direction; little changed below 0.05 percent, a multiple from 300 on",
    ),
    "rose": (_rose, "rose by $355 million", "a change as a verb; of a list, what rose and what fell"),
    "improved": (_improved, "improved by $1.9 billion", "a change of a balance as a verb"),
    "rising": (_rising, "rising by $98 million", "a slope"),
    "more": (_more, "$200 million less", "a difference of two levels, before than"),
    "signed": (_signed, "-$979 million", "with its sign"),
    "fine": (_fine, "11.17 percent", "a percentage with two decimals, where vintages are compared"),
    "worth": (_worth, "goods worth $4.7 billion", "a flow; no goods where it is zero"),
    "position": (_position, "deficit", "deficit, surplus, or balance where it was another a year earlier"),
    "a_position": (_a_position, "a deficit of $979 million", "what a balance is, with its size"),
    "moved": (
        _moved,
        "narrowed by 65.5 percent, to $979 million in 2018 from $2.8 billion a year earlier",
        (
            "what became of a balance in a year, or of each in a list; dollars where the sign flipped or it "
            "is a surplus"
        ),
    ),
    "moved_by": (_moved_by, "narrowed by $1.9 billion in the first half of 2018", "the same, shorter"),
    "before": (
        _before,
        "a deficit of $2.8 billion",
        "what it was a year earlier; of a flow, the amount; left out where it rounds to the same",
    ),
    "ordinal": (_ordinal, "9th", "a rank"),
    "largest": (_placed("largest"), "the 9th largest", "a rank by size"),
    "highest": (_placed("highest"), "the 9th highest", "a rank by rate"),
    "year_earlier": (_year_earlier, "10th a year earlier", "the rank then; as a year earlier if the same"),
    "names": (_names, "France, Italy, Japan and Mexico", "a list without its figures"),
    "count": (_count, "three", "how many, spelt below ten"),
    "added": (_added, "higher goods exports added $2.6 billion", "contributions, each with its amount"),
    "contributors": (_contributors, "higher exports of aircraft (HS 88)", "contributions without amounts"),
    "period": (_period, "the second quarter of 2016", "a month, quarter or year that is kept as text"),
    "day": (_day, "October 5, 2018", "a day that is kept as text"),
    "window": (lambda v: [v.window], "January-July 2018", "the window of a fact"),
    "vintage": (_vintage, "October 5, 2018", "the day of the vintage that a fact comes from"),
    "lag": (_lag, "30 days after the as-of date", "how late that is; left out where it was out in time"),
}
#: These take no value into the sentence: they decide whether it is said.
CONDITIONS = {
    "if": "the sentence, or the part in square brackets, is said only if this is true, not zero, not empty",
    "unless": "... only if it is not",
    "reason": "said only if the fact cannot be had: the reason why",
}
