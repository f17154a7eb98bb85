"""A printed figure as people write it, and how a figure of the data stands to it.

"$222.6 billion", "222.6bn", "11.1%", "down 18 percent", "nearly $40 billion", "ninth", "November 2007": what
it says, the last digit it prints, and whether it is exact.
"""

import math
import re
from dataclasses import dataclass

import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import partner, resolve
from tradelib.store.yaml_fields import one_of
from tradelib.style import words
from tradelib.windows import Window, as_window

#: With colours that can be read on white and on a dark theme; the word says it too.
VERDICTS = {
    "reproduced": "#2B8A63",
    "close": "#3F83B5",
    "differs": "#B36B00",
    "reversed": "#D55E00",
    "cannot be tested": "#7A7A7A",
}
UNTESTED = "cannot be tested"
NUMBERS = ("USD", "percent", "ratio", "count")
PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}
UNITS = (*NUMBERS, "rank", *PERIODS, "list", "bool")
SCALES = {"": 1.0} | dict.fromkeys(("thousand", "k"), 1e3) | dict.fromkeys(("million", "mln", "mn", "m"), 1e6)
SCALES |= dict.fromkeys(("billion", "bln", "bn", "b"), 1e9) | dict.fromkeys(("trillion", "tn", "trn"), 1e12)
HEDGES = {
    "more than": r"more than|over|above|at least|just over|exceeding|upwards of|topping",
    "nearly": r"nearly|almost|close to|just under|less than|under|below|just shy of|up to",
    "about": r"about|around|roughly|some|approximately|approx\.?|circa|an estimated|~",
}
DOWN = r"down|fell|falling|decline[sd]?|dropp?e?d?|decreased?|lower|shrank|narrowed|minus|less|-|−|–"
UP = r"up|rose|rising|grew|increased?|higher|widened|plus|\+"
NUMBER = re.compile(
    rf"(?:(?P<hedge>{'|'.join(HEDGES.values())})\s*)?(?:(?P<down>{DOWN})|(?P<up>{UP}))?\s*(?:by|of|to)?\s*"
    rf"(?:(?P<late>{'|'.join(HEDGES.values())})\s*)?(?:US|U\.S\. ?)?(?P<usd>\$)?\s*"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)\s*(?P<scale>[a-z]*)\s*"
    r"(?P<unit>%|percent|per cent|pct|percentage points|times|x|dollars|years|months|quarters)?",
    re.IGNORECASE,
)
#: Multiples and parts in words, and how far off they may be, in hundredths, by the word before them.
TIMES = {
    "halved": 0.5,
    "doubled": 2,
    "twice": 2,
    "tripled": 3,
    "trebled": 3,
    "quadrupled": 4,
    "quintupled": 5,
}
TIMES |= {"twofold": 2, "threefold": 3, "fourfold": 4, "fivefold": 5, "tenfold": 10}
PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "tenth": 10}
COUNTS = {"": 1, "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "nine": 9}
WORD = re.compile(
    rf"(?:(?P<hedge>{'|'.join(HEDGES.values())})\s*)?(?:(?P<times>{'|'.join(TIMES)})"
    rf"|(?P<count>{'|'.join(filter(None, COUNTS))})?[ -]?(?P<part>{'|'.join(PARTS)})s?)"
)
OFF = {"more than": 50, "nearly": 20, "": 10}
PLACES = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
PLACES += ["eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth"]
#: "More than" says no more than this part beyond what is printed, or one in its last digit.
BEYOND = 0.02


@dataclass(frozen=True, slots=True)
class Printed:
    """What was printed: dollars, percent, a rank, a count, a Window, partner codes or a truth, by `unit`.

    `rounding` is one in the last digit printed, `hedge` what makes the figure less than exact.
    """

    unit: str
    value: object
    shown: str
    rounding: float | None = None
    hedge: str = ""
    includes: bool = False


def read(text: str | list[str], unit: str, *, includes: bool = False) -> Printed:
    """Read a printed figure in a unit."""
    if unit == "list":
        return _partners(text, includes=includes)
    if not isinstance(text, str):
        raise TradelibError("needs one value, not a list.")
    if unit == "bool":
        value = one_of(text.lower(), ("true", "false", "yes", "no")) in ("true", "yes")
        return Printed(unit, value, "yes" if value else "no")
    if unit == "rank":
        place = _place(text)
        return Printed(unit, place, words.ordinal(place), 0.5)  # so that "close" is one place away
    if unit in PERIODS:
        return _period(text, unit)
    return _number(text, unit)


def _number(text: str, unit: str) -> Printed:
    if unit in ("percent", "ratio") and (
        found := WORD.fullmatch(text.strip().lower().replace("-fold", "fold"))
    ):
        return _in_words(found, text, unit)
    match = NUMBER.fullmatch(text.strip().replace(" ", " "))
    scale = (match["scale"] or "").lower() if match else ""
    told = (match["unit"] or "").lower() if match else ""
    if scale and scale not in SCALES and not told:  # "22 years" has its unit where a scale may stand
        told, scale = scale, ""
    scaled = bool(scale) and unit not in ("USD", "count")  # no percentage is printed in billions
    if match is None or scale not in SCALES or scaled or not _suits(told, match["usd"], unit):
        example = {"USD": "$222.6 billion, 40bn or 355 million", "percent": "11.1, 11.1% or down 18 percent"}
        raise TradelibError(
            f"{text!r} is no number of {unit}.",
            f"Give one such as {example.get(unit, '3.8 or 3')}; a word before it is understood:",
            "more than, nearly, about, down, up.",
        )
    digits = match["number"].replace(",", "")
    size = SCALES[scale] * (12 if told == "years" else 1)
    value = round(float(digits) * size, 6) * (-1 if match["down"] else 1)
    last = size * 10.0 ** -len(digits.partition(".")[2])
    if unit == "percent" and told in ("times", "x"):  # 3.4 times as much is 240 percent more
        value, last = round(100 * (value - 1), 6), 100 * last
    return Printed(unit, value, _shown(text, unit), last, _hedge(match["hedge"] or match["late"]))


def _hedge(said: str | None) -> str:
    """Which kind of hedge a word is; empty where it is none."""
    return next((name for name, like in HEDGES.items() if said and re.fullmatch(like, said.lower())), "")


def _in_words(found: re.Match, text: str, unit: str) -> Printed:
    """A multiple, "more than doubled", or a part, "nearly two-thirds": as percent, or as a ratio."""
    hedge, times = _hedge(found["hedge"]), found["times"]
    value = TIMES[times] if times else COUNTS[found["count"] or ""] / PARTS[found["part"]]
    off = OFF.get(hedge, 10) / (100 if times else 500)
    scale, less = (100, bool(times)) if unit == "percent" else (1, 0)
    return Printed(unit, scale * (value - less), text, scale * off, hedge or "about")


def _suits(told: str, dollars: str | None, unit: str) -> bool:
    """Whether a unit that was printed is that of the fact."""
    known = {"percent": ("%", "percent", "per cent", "pct", "percentage points", "times", "x")}
    known |= {"ratio": ("times", "x")}
    known |= {"USD": ("dollars",), "count": ("years", "months", "quarters")}
    return told in ("", *known[unit]) and not (dollars and unit != "USD")


def _shown(text: str, unit: str) -> str:
    """As it was printed, with its unit where that was left out."""
    text = text.strip()
    if unit == "percent" and re.fullmatch(r"-?[\d,.]+", text):
        return f"{text} percent"
    bare = unit == "USD" and re.fullmatch(r"-?[\d,.]+ ?[a-z]*", text)
    return f"${text}".replace("$-", "-$") if bare else text


def positive(text: str, unit: str) -> float:
    """Read a rounding: what one in the last printed digit is."""
    number = _number(text, unit).value
    if not isinstance(number, float) or number <= 0:
        raise TradelibError(f"{text!r} is not above zero.", "Give the last printed digit, such as 0.1.")
    return number


def _place(text: str) -> int:
    word = re.sub(r"^(?:the|number) |[ -]?(?:largest|biggest|most|top)\b.*$", "", text.strip().lower())
    if word in PLACES or word in ("", "largest", "biggest"):
        return PLACES.index(word) + 1 if word in PLACES else 1
    number = re.sub(r"(st|nd|rd|th)$|^no\. ?|^#", "", word)
    if not number.isdecimal() or int(number) < 1:
        raise TradelibError(f"{text!r} is not a rank.", "Give 1, 2, 3 ..., 9th or ninth.")
    return int(number)


def _period(text: str, unit: str) -> Printed:
    freq, given = PERIODS[unit], text.strip()
    named = re.fullmatch(r"([A-Za-z]+) (\d{4})", given)
    if named and named[1].lower() in words.MONTH_NUMBERS:
        given = f"{named[2]}-{words.MONTH_NUMBERS[named[1].lower()]:02}"
    try:
        window = as_window(given)
    except TradelibError:
        window = None
    if window is None or window.end.freqstr[0] != freq:
        example = {"M": "2018-07", "Q": "2016Q2", "Y": "2014"}[freq]
        raise TradelibError(f"{text!r} is no period.", f"Give one such as {example}, or a span, A..B.")
    return Printed(unit, window, str(window))


def _partners(entries: str | list[str], *, includes: bool) -> Printed:
    if isinstance(entries, str):
        raise TradelibError("needs a list: [KOR, IND].")
    codes = frozenset(resolve(entry).code for entry in entries)
    if includes and not codes:
        raise TradelibError("an empty list is included in any: it claims nothing.", "Give names, or `same`.")
    shown = words.series(sorted(partner(code).prose for code in codes)) or "none"
    return Printed("list", codes, shown, includes=includes)


def as_printed(printed: Printed, value: object, shown: str) -> str:
    """A figure with the digits that were printed, where `shown` has fewer of them."""
    if printed.unit != "USD" or not isinstance(value, (int, float)) or not printed.rounding:
        return shown
    scale, name = (1e9, "billion") if printed.rounding >= 1e7 else (1e6, "million")
    digits = max(0, round(-math.log10(printed.rounding / scale)))
    return f"{'-' if value < 0 else ''}${abs(value) / scale:,.{digits}f} {name}"


# --- the rule ---------------------------------------------------------------------------------------


def verdict(printed: Printed, value, *, undefined: bool = False, side: str = "") -> str:
    """Judge a value by rule.

    "reproduced": the value rounds to the printed one (a period within the printed span, the same list, the
    same truth; what is "more than", "nearly" or "about" as those words say). "close": within twice the
    printed rounding (one rank, one period). "reversed": the sign, or the truth, has changed, or the data are
    `undefined`: they say that the question does not arise. Else "differs"; "cannot be tested" where there is
    no value. A level of a deficit, surplus or balance (`side`) may be printed with either sign.
    """
    if undefined:
        return "reversed"
    if value is None:
        return UNTESTED
    if printed.unit == "bool":
        return "reproduced" if value == printed.value else "reversed"
    if printed.unit == "list":
        return _of_lists(printed, {entry["code"] for entry in value})
    if printed.unit in PERIODS:
        return _of_periods(printed.value, value)
    target = printed.value
    if side in ("deficit", "surplus"):
        target = abs(target)
    elif side == "balance" and target * value < 0 and _of_numbers(printed, -target, value) != "differs":
        target = -target  # a deficit said positive, or a balance of it said negative
    if target * value < 0 and _of_numbers(printed, target, value) != "reproduced":
        return "reversed"
    return _of_numbers(printed, target, value)


def _of_numbers(printed: Printed, target: float, value: float) -> str:
    """How near a number is to a printed one, by the word before it."""
    step, slack = printed.rounding or 1.0, 1e-9 * abs(target)
    more = (value - target) * (-1 if target < 0 else 1)  # beyond it, away from zero
    beyond = max(step, BEYOND * abs(target))
    low, high = {"more than": (0, beyond), "nearly": (-beyond, 0), "about": (-step, step)}.get(
        printed.hedge, (-step / 2, step / 2)
    )
    if low - slack <= more <= high + slack:
        return "reproduced"
    return "close" if min(low, -2 * step) - slack <= more <= max(high, 2 * step) + slack else "differs"


def _of_lists(printed: Printed, found: set[str]) -> str:
    held = printed.value <= found if printed.includes else printed.value == found
    return "reproduced" if held else "differs" if printed.value & found else "reversed"


def _of_periods(span: Window, value: str) -> str:
    period = pd.Period(value, span.end.freq)
    gap = max((span.start - period).n, (period - span.end).n, 0)
    return "reproduced" if gap == 0 else "close" if gap == 1 else "differs"
