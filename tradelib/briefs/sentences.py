"""Sentences bound to facts: `say` renders a text, and leaves out what cannot be had."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from tradelib.briefs.fact import BY_COMMODITY, FACTS_MIME, Fact, Facts, commodity, contributor, render
from tradelib.errors import TradelibError
from tradelib.style import words
from tradelib.windows import Window, as_period

#: Below this percentage of the base a change is "little changed".
LITTLE_PCT = 0.05
#: From this percentage on a change is told in dollars: a percentage of next to nothing misleads.
TOO_MUCH_PCT = 1000
#: A sentence ends at a stop that is followed by white space and a beginning; "U.S. exports" goes on.
END = re.compile(r"(?<=[.!?])(?<!\bU\.S\.)(?<!\bSt\.)(?<!\bvs\.)[ \n]+(?=[A-Z{\[*_\"“(])")
TOKEN = re.compile(r"\{([^{}]*)\}|(\[)|(\](?!\())|(\|)")
LINE = re.compile(r"\s*(?:[-*>|#]|\d+\.)\s?")  # a line of Markdown that is a passage of its own
#: How a bound number looks, and shows where it comes from; no script. Once in a page is enough.
STYLE = (
    "<style>a.tl-fact{color:inherit;text-decoration:none;cursor:help;position:relative;"
    "border-bottom:1px dotted #9a9a9a}"
    "a.tl-fact:hover::after,a.tl-fact:focus::after{content:attr(title);position:absolute;left:0;top:1.5em;"
    "z-index:9;width:max-content;max-width:24em;white-space:normal;padding:.4em .6em;background:#222;"
    "color:#fff;font:13px/1.4 system-ui,sans-serif;text-align:left;border-radius:3px}"
    "@media print{a.tl-fact{border:0}a.tl-fact::after{display:none}}</style>"
)


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
class Piece:
    """A piece of a sentence: plain words, or a number and the fact it belongs to."""

    text: str
    number: Number | None = None
    fact: Fact | None = None


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
        return None if self.name else self.facts.value(self.fact.id + end)

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
        return words.span(Window(*map(as_period, (self.fact.window.split("..") * 2)[:2])))


# --- verbs: each turns a value into words and numbers --------------------------------------------------


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


def _plain(v: Value) -> Parts:
    if v.unit == "USD":
        return [_usd(v.value)]
    if v.unit == "percent":
        return [_pct(v.value)]
    if v.unit == "list":
        return _series([_entry(entry, first=n == 0) for n, entry in enumerate(v.value)])
    return [Number(render(v.value, v.unit), v.value, v.unit)]


def _entry(entry: dict, *, first: bool) -> Parts:
    """An entry of a list as a sentence names it."""
    if "contribution_usd" in entry:
        size: Parts = [_usd(entry["contribution_usd"], contributor(entry))]
        if entry.get("pct_of_change") is not None:
            of = " of the change" if first else ""
            size += [", ", _pct(entry["pct_of_change"], f"of the change: {contributor(entry)}"), of]
        name = contributor(entry)
        return [f"{name[:-1]}, " if name.endswith(")") else f"{name} (", *size, ")"]
    if "prose" not in entry:
        sign = "+" if entry["change_usd"] > 0 else "-"
        size = Number(sign + words.money(entry["change_usd"]), entry["change_usd"], "USD", commodity(entry))
        return [f"{commodity(entry)[:-1]}, ", size, ")"]
    if "balance_usd" in entry:
        return [f"{entry['prose']} (", _usd(entry["balance_usd"], entry["prose"]), ")"]
    if entry["reduction_pct"] is None:
        return [f"{entry['prose']} (it became a surplus)"]
    return [f"{entry['prose']} (", _pct(entry["reduction_pct"], entry["prose"]), ")"]


def _signed(v: Value) -> Parts:
    return ["+" if v.value > 0 else "-" if v.value < 0 else "", *_plain(v)]


def _little(v: Value) -> bool:
    return v.unit == "percent" and abs(v.value) < LITTLE_PCT


def _up(v: Value) -> Parts:
    if v.value == 0 or _little(v):
        return ["unchanged" if v.value == 0 else "little changed"]
    return ["up " if v.value > 0 else "down ", *_plain(v)]


def _rose(v: Value) -> Parts:
    if v.unit == "list":
        parts = [contributor(entry).split(" ", 1) for entry in v.value]
        return [words.series([f"{what} {'rose' if way == 'higher' else 'fell'}" for way, what in parts])]
    if v.value == 0 or _little(v):
        return ["did not change" if v.value == 0 else "changed little"]
    return ["rose by " if v.value > 0 else "fell by ", *_plain(v)]


def _rising(v: Value) -> Parts:
    return ["rising by " if v.value > 0 else "falling by ", *_plain(v)]


def _improved(v: Value) -> Parts:
    return ["improved by " if v.value > 0 else "worsened by ", *_plain(v)] if v.value else ["did not change"]


def _more(v: Value) -> Parts:
    return [*_plain(v), " more" if v.value > 0 else " less"]


def _worth(v: Value) -> Parts:
    what = v.fact.id.split(".", 1)[0]
    return [f"{what} worth ", *_plain(v)] if v.value else [f"no {what}"]


def _position(v: Value) -> Parts:
    change = v.beside(".change_usd")
    flipped = change is not None and words.position(v.value) != words.position(v.value - change)
    return ["balance" if flipped else words.position(v.value)]


def _a_position(v: Value) -> Parts:
    return _amount(v.value, zero="balance")


def _amount(usd: float, what: str = "", *, zero: str = "zero") -> Parts:
    return [f"a {words.position(usd)} of ", _usd(usd, what)] if usd else [zero]


def _little_changed(now: float, before: float) -> bool:
    return abs(100 * (now - before) / before) < LITTLE_PCT


def _moved(v: Value) -> Parts:
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
    if _little_changed(now, before):
        return ["was little changed, at ", _usd(now), when]
    then = [" from ", _then(before), " a year earlier"] if words.money(now) != words.money(before) else []
    return [*_by(now, before), ", to ", _usd(now), when, *then]


def _by(now: float, before: float) -> Parts:
    """How far a gap widened or narrowed: a deficit in percent, a surplus in dollars."""
    pct = 100 * (abs(now) - abs(before)) / abs(before)
    size = _usd(now - before, "change on a year earlier")
    if now < 0 and abs(pct) < TOO_MUCH_PCT:
        size = _pct(pct, "change of the deficit on a year earlier")
    return ["widened by " if pct > 0 else "narrowed by ", size]


def _moved_by(v: Value) -> Parts:
    before = v.before
    if v.value * before <= 0 or _little_changed(v.value, before):
        return _moved(v)
    way = "widened by " if abs(v.value) > abs(before) else "narrowed by "
    return [way, _usd(v.value - before, "change on a year earlier"), f" in {v.window}"]


def _before(v: Value) -> Parts:
    if ".balance." in v.fact.id:
        return _amount(v.before, "a year earlier")
    return [_then(v.before)]


def _largest(v: Value) -> Parts:
    return ["the largest"] if v.value == 1 else ["the ", *_plain(v), " largest"]


def _year_earlier(v: Value) -> Parts:
    then = v.beside(".previous_year")
    if then is None:
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
        raise Absent()
    return [late]


#: Verb or form -> how it renders, an example, what it says. The guide on sentences is made from this list.
VERBS: dict[str, tuple[Callable[[Value], Parts], str, str]] = {
    "up": (_up, "up 11.1 percent", "a change, with its direction; little changed below 0.05 percent"),
    "rose": (_rose, "rose by $355 million", "a change as a verb; of a list, what rose and what fell"),
    "improved": (_improved, "improved by $1.9 billion", "a change of a balance as a verb"),
    "rising": (_rising, "rising by $98 million", "a slope"),
    "more": (_more, "$200 million less", "a difference of two levels, before than"),
    "signed": (_signed, "-$979 million", "with its sign"),
    "worth": (_worth, "goods worth $4.7 billion", "a flow; no goods where it is zero"),
    "position": (_position, "deficit", "deficit, surplus, or balance where it was another a year earlier"),
    "a_position": (_a_position, "a deficit of $979 million", "what a balance is, with its size"),
    "moved": (
        _moved,
        "narrowed by 65.5 percent, to $979 million in 2018 from $2.8 billion a year earlier",
        "what became of a balance in a year; dollars where the sign flipped or it is a surplus",
    ),
    "moved_by": (_moved_by, "narrowed by $1.9 billion in the first half of 2018", "the same, shorter"),
    "before": (_before, "a deficit of $2.8 billion", "what it was a year earlier; of a flow, the amount"),
    "ordinal": (_plain, "9th", "a rank"),
    "largest": (_largest, "the 9th largest", "a rank by size"),
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


# --- reading a text ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """`{name:verb}` of a text."""

    name: str
    verb: str


@dataclass(frozen=True, slots=True)
class Optional:
    """`[one|another]` of a text: the first that can be had, or nothing."""

    choices: tuple[tuple, ...]


@cache
def _blocks(text: str) -> tuple[tuple[str, tuple[tuple, ...]], ...]:
    """Cut a text into passages, each its separator and its sentences; a sentence is a tuple of parts."""
    found, link = [], ""
    for paragraph in re.split(r"\n\s*\n", re.sub(r"\n[ \t]+", "\n", text.strip())):
        parts = [paragraph]
        if LINE.match(paragraph):  # a list, a quotation, a heading or a table: line by line
            parts = re.split(r"\n(?=\s*(?:[-*>|#]|\d+\.)\s?)", paragraph)
        for n, part in enumerate(parts):
            found.append(("\n" if n else link, tuple(map(_parse, _split(" ".join(part.split("\n")))))))
        link = "\n\n"
    return tuple(found)


def _split(text: str) -> list[str]:
    """Cut a passage into sentences; what stands in square brackets stays together."""
    sentences, start = [], 0
    for end in END.finditer(text):
        before = re.sub(r"\]\(", "", text[start : end.start()])
        if before.count("[") == before.count("]"):
            sentences.append(text[start : end.start()])
            start = end.end()
    return [*sentences, text[start:]]


def _parse(sentence: str) -> tuple:
    """Read a sentence: words, slots and optional parts."""
    stack: list[list[list]] = [[[]]]  # of choices, each a list of parts
    at = 0
    for match in TOKEN.finditer(sentence):
        slot, opens, closes, bar = match.groups()
        if (bar or closes) and len(stack) == 1:
            if closes:
                raise _unmatched("]", "[", sentence)
            continue  # a bar outside brackets is a bar
        stack[-1][-1].append(sentence[at : match.start()])
        at = match.end()
        if slot is not None:
            name, _, verb = slot.partition(":")
            stack[-1][-1].append(Slot(name.strip(), verb.strip()))
        elif opens:
            stack.append([[]])
        elif closes:
            choices = stack.pop()
            stack[-1][-1].append(Optional(tuple(map(tuple, choices))))
        else:
            stack[-1].append([])
    if len(stack) > 1:
        raise _unmatched("[", "]", sentence)
    stack[0][0].append(sentence[at:])
    return tuple(part for part in stack[0][0] if part != "")


def _unmatched(one: str, other: str, sentence: str) -> TradelibError:
    return TradelibError(
        f"{one!r} without {other!r} in {sentence!r}.", "A part in square brackets is optional."
    )


# --- rendering ----------------------------------------------------------------------------------------


def _found(facts: Facts, name: str) -> Value | object:
    """What a name in braces stands for: a word, a fact, or a field of a fact."""
    if name in facts.names:
        return facts.names[name]
    if name in facts:
        fact = facts[name]
        return Value(fact.value, fact.unit, fact, facts)
    id, _, extra = name.rpartition(".")
    if id in facts and extra in facts[id].more:
        unit = {"usd": "USD", "pct": "percent"}.get(extra.rpartition("_")[2], "text")
        value = facts[id].more[extra]
        unit = "bool" if isinstance(value, bool) else "list" if isinstance(value, list) else unit
        unit = "count" if unit == "text" and isinstance(value, int) else unit
        return Value(value, unit, facts[id], facts, name=extra)
    if BY_COMMODITY.match(name):
        raise Absent(f"{name} is not among the facts of this partner")
    fields = [f"{id}.{key}" for key in facts[id].more] if id in facts else []
    raise TradelibError(f"There is no fact, word or field {name!r}.", *facts.near(name, fields))


def _slot(slot: Slot, facts: Facts) -> list[Piece]:
    if slot.verb and slot.verb not in VERBS and slot.verb not in CONDITIONS:
        near = [verb for verb in (*VERBS, *CONDITIONS) if verb[:2] == slot.verb[:2]]
        raise TradelibError(
            f"There is no verb {slot.verb!r} (in {{{slot.name}:{slot.verb}}}).",
            *([f"Near: {', '.join(near)}."] if near else []),
            f"All of them: {', '.join((*VERBS, *CONDITIONS))}.",
        )
    found = _found(facts, slot.name)
    holds = found.value if isinstance(found, Value) else found
    if slot.verb in ("if", "unless"):
        if bool(holds) is (slot.verb == "if"):
            return []
        raise Absent()
    if not isinstance(found, Value):
        if found in (None, ""):
            raise Absent()
        return [Piece(str(found))]
    if slot.verb == "reason":
        if holds is None and found.fact.reason:
            return [Piece(found.fact.reason)]
        raise Absent()
    if words.missing(holds):
        raise Absent(found.fact.reason or "")
    parts = VERBS[slot.verb][0](found) if slot.verb else _plain(found)
    return [Piece(p) if isinstance(p, str) else Piece(p.text, p, found.fact) for p in parts]


def _rendered(parts: tuple, facts: Facts) -> list[Piece]:
    pieces = []
    for part in parts:
        if isinstance(part, Slot):
            pieces += _slot(part, facts)
        elif isinstance(part, Optional):
            pieces += _first(part.choices, facts)
        else:
            pieces.append(Piece(part))
    return pieces


def _first(choices: tuple[tuple, ...], facts: Facts) -> list[Piece]:
    for choice in choices:
        try:
            return _rendered(choice, facts)
        except Absent:
            continue
    return []


class Passage(str):
    """A passage as it reads; in a notebook each number shows its fact, its value and its vintage.

    Attributes
    ----------
    markdown : str
        With the numbers bound.
    facts : dict
        The facts it used, by id.
    """

    markdown: str
    facts: dict[str, Fact]
    about: dict

    def _ipython_display_(self) -> None:
        """Show it; nothing where there is nothing to say."""
        from IPython.display import display  # only a notebook has it

        if self:
            display(self.bundle(), raw=True)

    def bundle(self) -> dict:
        """Return it as a notebook's output: Markdown, plain text, and the facts it used."""
        told = self.about | {"facts": {id: fact.to_dict() for id, fact in self.facts.items()}}
        return {"text/markdown": self.markdown, "text/plain": str(self), FACTS_MIME: told}


def _marked_up(piece: Piece) -> str:
    """A piece as Markdown: a number can be pointed at, and says what it is; dollar signs are no maths."""
    if piece.number is None:
        return piece.text.replace("$", r"<span>\$</span>")
    number, fact = piece.number, piece.fact
    told = [f"{fact.id}, {number.what}" if number.what else fact.id, _exact(number), fact.window, fact.origin]
    title = html.escape(" · ".join(told)).replace("$", "USD ").replace("|", "/")
    value = f"{number.value:.0f}" if number.unit == "USD" else str(number.value)
    shown = html.escape(number.text, quote=False).replace("$", r"<span>\$</span>")
    data = f'<data value="{html.escape(value)}">{shown}</data>'
    return f'<a class="tl-fact" tabindex="0" title="{title}">{data}</a>'


def _exact(number: Number) -> str:
    if number.unit == "USD":
        return f"{number.value:,.0f} dollars"
    return f"{number.value:.4f} percent" if number.unit == "percent" else number.text


def _sentences(facts: Facts, text: str) -> Iterator[tuple[str, list[Piece] | None, str]]:
    """Each sentence: what joins it to the one before, its pieces or None, and why it is left out."""
    for link, sentences in _blocks(text):
        joint = link
        for sentence in sentences:
            try:
                yield joint, _begun(_rendered(sentence, facts)), ""
                joint = " "
            except Absent as absent:
                yield joint, None, str(absent)


def _begun(pieces: list[Piece]) -> list[Piece]:
    """Begin a sentence with a capital, whatever comes first, and keep one space between words."""
    pieces = _spaced(pieces)
    for n, piece in enumerate(pieces):
        mark = re.match(r"[\s>*#-]*", piece.text)[0] if piece.number is None else ""
        if rest := piece.text[len(mark) :]:
            first = Piece(mark + words.capital(rest), piece.number, piece.fact)
            return [*pieces[:n], first, *pieces[n + 1 :]]
    return pieces


def _spaced(pieces: list[Piece]) -> list[Piece]:
    spaced, last = [], " "
    for piece in pieces:
        text = re.sub(" +", " ", piece.text)
        if last.endswith(" "):
            text = text.removeprefix(" ")
        if text:
            spaced.append(Piece(text, piece.number, piece.fact))
            last = text
    return spaced


def say(facts: Facts, text: str) -> Passage:
    """Render a text whose numbers are facts.

    Parameters
    ----------
    facts : Facts
        A brief from `brief`, or the facts of a study.
    text : str
        Markdown. `{id}` is a fact as a reader would write it, `{id:verb}` says it in another way,
        `{partner}`, `{month}`, `{months}`, `{quarters}` ... are words, `{id.field}` is a field of a fact,
        such as the `n` of a rank. A part in `[square brackets]` is left out where one of its facts cannot be
        had; `[one|another]` takes the first that can. A sentence that needs a fact which cannot be had
        is left out; where none is left, the passage says the reason. The guide on sentences lists verbs
        and words.

    Returns
    -------
    Passage
        Text; as the last line of a cell it shows as Markdown, each number with its fact, value and vintage.

    Raises
    ------
    TradelibError
        If there is no such fact, word, field or verb; the message names the near ones.

    Examples
    --------
    >>> import tradelib as tl
    >>> korea = tl.brief("KOR", "2018-07", as_of="2018-10-05")
    >>> print(tl.say(korea, "U.S. exports to {partner} came to {goods.exports.ytd} in {months}."))
    U.S. exports to South Korea came to $31.8 billion in January-July 2018.
    >>> print(tl.say(korea, "The {goods.balance.ytd:position} {goods.balance.ytd:moved}."))
    The deficit narrowed by 22.5 percent, to $9.9 billion in January-July 2018 from $12.8 billion a year
    earlier.
    """
    pieces, why = [], []
    for joint, sentence, reason in _sentences(facts, text):
        if sentence is None:
            why.append(reason)
        else:
            pieces += ([Piece(joint)] if pieces else []) + sentence
    told = next(filter(None, why), "")
    if not pieces and told:
        pieces = [Piece(f"{words.capital(told)}.")]
    passage = Passage("".join(piece.text for piece in pieces))
    passage.markdown = "".join(map(_marked_up, pieces))
    passage.facts = {piece.fact.id: piece.fact for piece in pieces if piece.fact}
    passage.about = facts.about
    return passage


def title_of_balance(what: str, now: float, before: float | None, when: str) -> str:
    """Say of a balance that is no fact what became of it; `{}` in `what` is deficit, surplus or balance."""
    flipped = not words.missing(before) and words.position(now) != words.position(before)
    parts = moved(now, before, f" {when}")
    told = "".join(part if isinstance(part, str) else part.text for part in parts)
    return f"The {what.format('balance' if flipped else words.position(now))} {told}"


def title(facts: Facts, text: str) -> str:
    """Render the title of a figure: the first sentence of a text that can be had, without its full stop.

    Examples
    --------
    >>> import tradelib as tl
    >>> tuvalu = tl.brief("Tuvalu", "2018-07")
    >>> title(tuvalu, "Services: {services.balance.ytd:moved}. Goods with {partner} in {months}.")
    'Goods with Tuvalu in January-July 2018'
    """
    for _, sentence, _ in _sentences(facts, text):
        if sentence is not None:
            return "".join(piece.text for piece in sentence).strip().removesuffix(".")
    return ""
