"""Published claims: one YAML file per article, read and checked, each claim bound to a fact."""

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from tradelib import loaders
from tradelib import releases as calendar
from tradelib.errors import TradelibError
from tradelib.partners import Partner, partner, resolve
from tradelib.store.yaml_fields import Fields, one_of, read_fields, word
from tradelib.style.words import ordinal, series
from tradelib.windows import Window

FOLDER = Path(__file__).parents[1] / "data" / "claims"
SCALES = {"": 1, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
RANK_ROUNDING = 0.5  # so that "close" is one place away
ALLOWED = {
    "article": ("id", "title", "publisher", "published", "release", "partner", "claims"),
    "claim": ("id", "claim", "unit", "printed", "rounding", "fact", "partner", "universe", "match", "also"),
    "also": ("id", "claim", "fact", "partner", "universe"),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an article, and the fact that answers it.

    `printed` is dollars, percent, a rank, a Window of months or quarters, a frozenset of partner
    codes, or a bool, by `unit`; `shown` is the same for reading. `rounding` is the printed one, in
    the same unit. `also` marks another reading of the claim before it, such as another universe.
    """

    id: str
    text: str
    unit: str
    printed: object
    shown: str
    rounding: float | None
    fact: str
    partner: Partner
    universe: date | None
    match: str
    line: int
    also: bool = False


@dataclass(frozen=True, slots=True)
class Article:
    """A published article and its claims."""

    id: str
    title: str
    publisher: str
    published: date
    release: str
    partner: Partner
    claims: tuple[Claim, ...]
    file: str


def list_articles() -> list[str]:
    """List the ids of the bundled claims files.

    Examples
    --------
    >>> list_articles()
    ['kei-2018-09-05']
    """
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_article(source: str | Path) -> Article:
    """Read and check a claims file.

    Parameters
    ----------
    source : str or Path
        The id of a bundled file, or the path of a file of yours.

    Returns
    -------
    Article

    Raises
    ------
    TradelibError
        If there is no such file, or an entry of it is wrong: with file, line and field.

    Examples
    --------
    >>> article = load_article("kei-2018-09-05")
    >>> str(article.published), article.partner.iso3, article.claims[0].shown
    ('2018-09-05', 'KOR', '73 percent')
    """
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        path = FOLDER / f"{source}.yaml"
    try:
        fields = read_fields(path, "article", ALLOWED)
    except OSError:
        raise TradelibError(
            f"There is no claims file {source}.",
            f"Bundled: {', '.join(list_articles())}.",
            "Give one of these, or the path of a .yaml file of yours.",
        ) from None
    return _article(fields, path.name)


def _article(fields: Fields, file: str) -> Article:
    who = fields.read("partner", resolve)
    release = fields.read("release", lambda text: loaders.find_release(text).month)
    published = fields.read("published", calendar.parse_date)
    out = calendar.release(release).published
    if out and published < out:
        fields.fail("published", f"{published} is before the release of {release}, which was on {out}.")
    claims: dict[str, Claim] = {}
    for entry in fields.entries("claims", "claim", required=True):
        claim = _claim(entry, who)
        also = [_variant(more, claim) for more in entry.entries("also", "also", required=False)]
        for one in (claim, *also):
            if one.id in claims:
                entry.fail("id", f"{one.id!r} is there twice.", line=one.line)
            claims[one.id] = one
    return Article(
        id=fields.read("id", word),
        title=fields.read("title", word),
        publisher=fields.read("publisher", word),
        published=published,
        release=release,
        partner=who,
        claims=tuple(claims.values()),
        file=file,
    )


def _claim(fields: Fields, who: Partner) -> Claim:
    unit = fields.read("unit", lambda text: one_of(text, tuple(PRINTED)))
    printed = fields.read("printed", PRINTED[unit])
    rounding = RANK_ROUNDING if unit == "rank" else None
    if unit in ("percent", "USD"):
        rounding = fields.read("rounding", _positive)
    match = fields.read("match", lambda text: one_of(text, ("same", "includes")), "same")
    if match == "includes" and not printed:
        fields.fail("match", "an empty list is included in any: it claims nothing.", "Give names, or `same`.")
    return Claim(
        id=fields.read("id", word),
        text=fields.read("claim", word),
        unit=unit,
        printed=printed,
        shown=_shown(unit, printed, fields.nodes["printed"].value),
        rounding=rounding,
        fact=fields.read("fact", word),
        partner=fields.read("partner", resolve, who),
        universe=fields.read("universe", calendar.parse_date, None),
        match=match,
        line=fields.line,
    )


def _variant(fields: Fields, claim: Claim) -> Claim:
    """Another reading of a claim: what its entry does not say is as in the claim."""
    return replace(
        claim,
        id=fields.read("id", word),
        text=fields.read("claim", word),
        fact=fields.read("fact", word, claim.fact),
        partner=fields.read("partner", resolve, claim.partner),
        universe=fields.read("universe", calendar.parse_date, claim.universe),
        line=fields.line,
        also=True,
    )


def _number(text: str) -> float:
    match = re.fullmatch(r"(-?[\d,]*\.?\d+) ?(|thousand|million|billion|trillion)", str(text).strip())
    if not match:
        raise TradelibError(f"{text!r} is not a number.", "Give one such as 73, 11.1 or 6.4 billion.")
    return round(float(match[1].replace(",", "")) * SCALES[match[2]], 6)


def _positive(text: str) -> float:
    number = _number(text)
    if number <= 0:
        raise TradelibError(f"{text!r} is not above zero.", "Give the last printed digit, such as 0.1.")
    return number


def _place(text: str) -> int:
    if not str(text).isdecimal() or int(text) < 1:
        raise TradelibError(f"{text!r} is not a rank.", "Give 1, 2, 3 ...")
    return int(text)


def _periods(freq: str):
    example, form = {"M": ("2018-07", r"\d{4}-\d\d"), "Q": ("2016Q2", r"\d{4}Q[1-4]")}[freq]

    def convert(text: str) -> Window:
        try:
            ends = [pd.Period(part, freq) for part in text.split("..") if re.fullmatch(form, part)]
        except (ValueError, TypeError):
            ends = []
        if len(ends) != text.count("..") + 1 or len(ends) > 2 or ends[0] > ends[-1]:
            raise TradelibError(f"{text!r} is no period.", f"Give one such as {example}, or a span, A..B.")
        return Window(ends[0], ends[-1])

    return convert


def _codes(entries: list[str]) -> frozenset[str]:
    if isinstance(entries, str):
        raise TradelibError("needs a list: [KOR, IND].")
    return frozenset(resolve(entry).code for entry in entries)


def _truth(text: str) -> bool:
    return one_of(text, ("true", "false")) == "true"


#: Unit of a claim -> how its printed value is read.
PRINTED = {
    "percent": _number,
    "USD": _number,
    "rank": _place,
    "month": _periods("M"),
    "quarter": _periods("Q"),
    "list": _codes,
    "bool": _truth,
}


def _shown(unit: str, printed, text: str) -> str:
    if unit == "list":
        return series(sorted(partner(code).prose for code in printed)) or "none"
    shown = {"percent": f"{text} percent", "USD": f"${text}".replace("$-", "-$")}
    shown |= {"rank": ordinal(printed) if unit == "rank" else "", "bool": "yes" if printed else "no"}
    return shown.get(unit, str(printed))
