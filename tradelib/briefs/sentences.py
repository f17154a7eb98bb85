"""Sentences bound to facts: `say` renders a text, and leaves out what cannot be had."""

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache

from tradelib.briefs.fact import BY_COMMODITY, FACTS_MIME, Fact, Facts
from tradelib.briefs.verbs import CONDITIONS, VERBS, Absent, Number, Parts, Value, moved, plain
from tradelib.errors import TradelibError
from tradelib.style import words

#: A sentence ends at a stop that is followed by white space and a beginning; "U.S. exports" goes on.
END = re.compile(
    r"((?<=[.!?])|(?<=[.!?][\"”)\]]))(?<!\bU\.S\.)(?<!\bSt\.)(?<!\bvs\.)"
    r"[ \n]+(?=[A-Z{\[*_\"“(])"
)
#: What a text is read by: a slot, the ends of an optional part (a Markdown link is none), and a bar.
TOKEN = re.compile(r"\{([^{}]*)\}|(\[)(?![^\[\]{}]*\]\()|(\])(?!\()|(\|)")
LINE = re.compile(r"\s*(?:[-*>|#]|\d+\.)\s?")  # a line of Markdown that is a passage of its own
#: How a bound number looks: pointed at, its title shows; focused by key or tap, the title stands beside it,
#: in the line, because JupyterLab cuts off what floats over an output. No script.
STYLE = (
    "<style>a.tl-fact{color:inherit;text-decoration:none;cursor:help;border-bottom:1px dotted #9a9a9a}"
    "a.tl-fact:focus::after{content:attr(title);margin:0 .3em;padding:.1em .5em;background:#222;"
    "color:#fff;font:80%/1.4 system-ui,sans-serif;border-radius:3px}"
    "@media print{a.tl-fact{border:0}a.tl-fact::after{display:none}}</style>"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a sentence: plain words, or a number and the fact it belongs to."""

    text: str
    number: Number | None = None
    fact: Fact | None = None
    why: str = ""  #: the reason, where it says why a fact cannot be had


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
        inside = text[start : end.start()]
        if inside.count("[") == inside.count("]"):
            sentences.append(text[start : end.start()])
            start = end.end()
    return [*sentences, text[start:]]


def _parse(sentence: str) -> tuple:
    """Read a sentence: words, slots and optional parts."""
    stack: list[list[list]] = [[[]]]  # of choices, each a list of parts
    at = 0
    alone = re.sub(r"\{[^{}]*\}", "", sentence)
    for brace, other in ("{}", "}{"):
        if brace in alone:
            raise _unmatched(brace, other, sentence)
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
        f"{one!r} without {other!r} in {sentence!r}.",
        "Braces hold the name of a number or word; a part in square brackets is optional.",
    )


# --- rendering ----------------------------------------------------------------------------------------


def _found(facts: Facts, name: str) -> Value | object:
    """What a name in braces stands for: a word, a fact, or a field of a fact."""
    if name in facts.names:
        return facts.names[name]
    fact = facts.find(name)
    if fact is not None:
        return Value(fact.value, fact.unit, fact, facts)
    id, _, extra = name.rpartition(".")
    fact = facts.get(id) if BY_COMMODITY.match(name) else facts.find(id)
    if fact is not None and extra in fact.more:
        unit = {"usd": "USD", "pct": "percent", "points": "points"}.get(extra.rpartition("_")[2], "text")
        value = fact.more[extra]
        unit = "bool" if isinstance(value, bool) else "list" if isinstance(value, list) else unit
        unit = "count" if unit == "text" and isinstance(value, int) else unit
        return Value(value, unit, fact, facts, name=extra)
    if (
        fact is not None and id not in facts and fact.value is None
    ):  # an answer that is not known has no fields
        raise Absent(fact.reason or "")
    if BY_COMMODITY.match(name):
        raise Absent(f"{name} is not among the facts of this partner")
    fields = [f"{id}.{key}" for key in fact.more] if fact is not None else []
    raise TradelibError(f"There is no fact, word or field {name!r}.", *facts.near(name, fields))


def _slots(parts: tuple) -> Iterator[Slot]:
    """Every slot of a sentence, in its optional parts too."""
    for part in parts:
        if isinstance(part, Slot):
            yield part
        elif isinstance(part, Optional):
            for choice in part.choices:
                yield from _slots(choice)


def _check(slot: Slot, facts: Facts) -> None:
    """Refuse a name or a verb that there is not, whether or not the sentence would be said."""
    if slot.verb and slot.verb not in VERBS and slot.verb not in CONDITIONS:
        near = ", ".join(verb for verb in (*VERBS, *CONDITIONS) if verb[:2] == slot.verb[:2])
        raise TradelibError(
            f"There is no verb {slot.verb!r} (in {{{slot.name}:{slot.verb}}}).",
            f"{f'Near: {near}. ' if near else ''}All of them: {', '.join((*VERBS, *CONDITIONS))}.",
        )
    with suppress(Absent):
        if slot.verb in VERBS and not isinstance(_found(facts, slot.name), Value):
            raise TradelibError(
                f"{slot.name!r} is a word, and has no verb (in {{{slot.name}:{slot.verb}}}).",
                f"Write {{{slot.name}}}.",
            )
        _found(facts, slot.name)


def _slot(slot: Slot, facts: Facts) -> list[Piece]:
    found = _found(facts, slot.name)
    holds = found.value if isinstance(found, Value) else found
    if slot.verb in ("if", "unless"):
        if bool(holds) is (slot.verb == "if"):
            return []
        raise Absent
    if not isinstance(found, Value):
        if found in (None, ""):
            raise Absent
        return [Piece(str(found))]
    if slot.verb == "reason":
        if holds is None and found.fact.reason:
            return [Piece(found.fact.reason, why=found.fact.reason)]
        raise Absent
    if words.missing(holds) or holds == "":
        raise Absent(found.fact.reason or "")
    return [Piece(p) if isinstance(p, str) else Piece(p.text, p, found.fact) for p in _parts(slot, found)]


def _parts(slot: Slot, found: Value) -> Parts:
    """What a verb makes of a value, if it suits it."""
    if not slot.verb:
        return plain(found)
    render, _, what = VERBS[slot.verb]
    try:
        return render(found)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        near = ", ".join(id for id in found.facts if id.startswith(f"{found.fact.id}.") and not found.name)
        raise TradelibError(
            f"The verb {slot.verb!r} does not suit {{{slot.name}}}, which is in {found.unit}.",
            f"It is for this: {what}.{f' Perhaps: {near}.' if near else ''}",
        ) from error


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
    exact = html.escape(value).replace("$", "&#36;")
    data = f'<data value="{exact}">{shown}</data>'
    return f'<a class="tl-fact" tabindex="0" title="{title}">{data}</a>'


def _exact(number: Number) -> str:
    if number.unit == "USD":
        return f"{number.value:,.0f} dollars"
    return f"{number.value:.4f} percent" if number.unit == "percent" else number.text


def _sentences(facts: Facts, text: str) -> Iterator[tuple[str, list[Piece] | None, str]]:
    """Each sentence: what joins it to the one before, its pieces or None, and why it is left out."""
    wanted = True
    for link, sentences in _blocks(text):
        joint = link
        for sentence in sentences:
            for slot in _slots(sentence):
                _check(slot, facts)
            if not wanted:
                continue
            try:
                pieces = _rendered(sentence, facts)
            except Absent as absent:
                yield joint, None, str(absent)
                wanted = not _is_condition(sentence)
                continue
            if not _is_condition(sentence):
                yield joint, _begun(pieces), ""
                joint = " "


def _is_condition(sentence: tuple) -> bool:
    """Whether a sentence is nothing but conditions."""
    return bool(sentence) and {getattr(part, "verb", part) for part in sentence} <= {"if", "unless"}


def _begun(pieces: list[Piece]) -> list[Piece]:
    """Begin a sentence with a capital, whatever comes first, and keep one space between words."""
    pieces = _spaced(pieces)
    for n, piece in enumerate(pieces):
        mark = re.match(r"(?:[\s>*#-]|\d+\. )*", piece.text)[0] if piece.number is None else ""
        if rest := piece.text[len(mark) :]:
            first = replace(piece, text=mark + words.capital(rest))
            return [*pieces[:n], first, *pieces[n + 1 :]]
    return pieces


def _spaced(pieces: list[Piece]) -> list[Piece]:
    spaced, last = [], " "
    for piece in pieces:
        text = re.sub(" +", " ", piece.text)
        if last.endswith(" "):
            text = text.removeprefix(" ")
        if text:
            spaced.append(replace(piece, text=text))
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
        had; `[one|another]` takes the first that can. A condition that is a paragraph of its own holds for
        all that follows. A sentence that needs a fact which cannot be had is left out; where none is left,
        the passage says the reason; no reason is said twice in one passage. The guide on sentences lists
        verbs and words.

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
    pieces, why, given = [], [], set()
    for joint, sentence, reason in _sentences(facts, text):
        reasons = {piece.why for piece in sentence or () if piece.why}
        if sentence is None:
            why.append(reason)
        elif not reasons or reasons - given:
            given |= reasons
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
    """Render the title of a figure: the first sentence of a text that can be had, without its full stop."""
    for _, sentence, _ in _sentences(facts, text):
        if sentence is not None:
            return "".join(piece.text for piece in sentence).strip().removesuffix(".")
    return ""
