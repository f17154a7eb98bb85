"""A first guess at a claim: whom it is about, which fact answers it, and what was printed, from its words."""

import re
from dataclasses import dataclass

from tradelib.partners import all_partners
from tradelib.studies.printed import TIMES
from tradelib.style.words import MONTH_NUMBERS, MONTHS

SCALE = "million|billion|trillion|bn|mn|tn"
AMOUNT = re.compile(
    rf"(?:(?:more than|nearly|almost|about|around|over|close to) )?(?:(?:US)?\$[\d,.]*\d(?: ?(?:{SCALE})\b)?"
    rf"|\b[\d,.]*\d ?(?:%|(?:percent|per cent)\b)|\b[\d,.]*\d (?:{SCALE})\b)",
    re.IGNORECASE,
)
PLACE = re.compile(
    r"\b(\d+(?:st|nd|rd|th)|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b(?! quarter)",
    re.IGNORECASE,
)
FELL = "fell|fall|down|shrank|narrowed|declined|dropped|decreased|lower|plunged|tumbled"
ROSE = "rose|rise|up|grew|widened|increased|higher|jumped|expanded|climbed|swelled"
NAMES = "|".join(MONTHS)
#: How a period is said, and how the language writes it.
PERIODS = [
    (r"\bfiscal (?:year )?(\d{4})", "FY{1}"),
    (rf"\b({NAMES})\s*(?:-|–|to|through)\s*({NAMES}) (?:of )?(\d{{4}})", "{3}-{1}..{3}-{2}"),
    (rf"\b(?:twelve|12)[- ]months?\b.*? to ({NAMES}) (\d{{4}})", "trailing12@{2}-{1}"),
    (rf"\b({NAMES}) (?:of )?(\d{{4}})", "{2}-{1}"),
    (r"\b(first|second|third|fourth) quarter of (\d{4})", "{2}Q{1}"),
    (r"\b(first|second) half of (\d{4})", "{2}H{1}"),
    (r"\b(?:in|of|for|during|all of) (\d{4})\b", "{1}"),
]
ORDER = ["first", "second", "third", "fourth"]
HALVES = {"1": ("01", "06"), "2": ("07", "12")}
SIDES = {"deficit": "deficit|gap|shortfall|imbalance", "surplus": "surplus", "trade": "two-way|trade with"}
SIDES |= {"exports": "export|sold to|shipments to|market", "imports": "import|bought|supplier"}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text seems to say; empty where it does not."""

    partner: str
    fact: str
    printed: str


def guess(text: str) -> Guess:
    """Guess at partner, fact and printed figure.

    Examples
    --------
    >>> guess("The U.S. goods deficit with China fell by 17.6 percent in 2019")
    Guess(partner='CHN', fact='goods.deficit.change_pct@2019', printed='down 17.6 percent')
    """
    amount, place = AMOUNT.search(text), PLACE.search(text)
    percent = bool(amount and re.search("%|per ?cent", amount[0]))
    moved = re.search(rf"\b(?:({FELL})|({ROSE}))\b", text)
    measure, printed = "", amount[0] if amount else ""
    if times := re.search(
        rf"(?:(?:more than|nearly|almost|about) )?\b(?:{'|'.join(TIMES)})\b", text, re.IGNORECASE
    ):
        measure, printed = "change_pct", times[0]
    elif amount and not percent and re.search(r"\b(?:a|per|each) month\b|monthly average", text):
        measure = "per_month"
    elif since := re.search(r"first time since (\d{4})", text):
        measure, printed = "first_since", since[1]
    elif percent and re.search("share|percent of|% of", text):
        measure = "share_pct"
    elif amount and moved and (percent or re.search(r"\bby\b", text)):
        measure = "change_pct" if percent else "change_usd"
        printed = f"{'down' if moved[1] else 'up'} {printed}"
    elif place and not amount:
        measure, printed = "rank", place[0]
    elif record := re.search(r"\b(highest|largest|biggest|record|lowest|smallest)\b", text):
        low = record[1] in ("lowest", "smallest")
        measure, printed = ("", printed) if amount else (f"is_{'lowest' if low else 'highest'}", "true")
    fact, against = _fact(text, measure), re.search(r"\bsince (\d{4})", text)
    fact += f" vs {against[1]}" if against and "@" in fact and measure == "change_pct" else ""
    return Guess(partner=_partner(text), fact=fact, printed=printed)


def _fact(text: str, measure: str) -> str:
    item = "services" if "services" in text else "goods"
    item = "total" if re.search("goods and services", text) else item
    side = next((side for side, like in SIDES.items() if re.search(like, text, re.IGNORECASE)), "exports")
    period = _period(text)
    word, _, when = period.rpartition("@")
    if item == "goods" and "seasonally adjusted" in text and re.fullmatch(r"\d{4}-\d\d", when):
        word = "sa.month"
    return ".".join(filter(None, [item, side, word, measure])) + (f"@{when}" if when else "")


def _period(text: str) -> str:
    """The first period that is said, as the language writes it; the release's year to date where none is."""
    for like, form in PERIODS:
        match = re.search(like, text, re.IGNORECASE)
        if match:
            parts = [_number(part) for part in match.groups()]
            told = form.format("", *parts)
            if half := re.fullmatch(r"(\d{4})H([12])", told):
                return "..".join(f"{half[1]}-{month}" for month in HALVES[half[2]])
            return told
    return "ytd@"


def _number(part: str) -> str:
    """A month or quarter by its number; a year as it is."""
    if part.lower() in MONTH_NUMBERS:
        return f"{MONTH_NUMBERS[part.lower()]:02}"
    return str(ORDER.index(part.lower()) + 1) if part.lower() in ORDER else part


def _partner(text: str) -> str:
    """The first partner that is named."""
    known = all_partners()
    known = known[known["kind"].isin(["country", "group"])][["code", "iso3", "name", "prose"]]
    found = []
    for code, iso3, name, prose in known.astype("object").itertuples(index=False):
        names = {prose.removeprefix("the "), name, name.partition(",")[0]}
        places = [match.start() for one in names if (match := re.search(rf"\b{re.escape(one)}\b", text))]
        if places:
            found.append((min(places), -max(map(len, names)), iso3 if isinstance(iso3, str) else code))
    return min(found)[2] if found else ""
