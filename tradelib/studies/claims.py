"""Published claims: one YAML file per article, read and checked, each claim bound to a fact."""

from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from tradelib import loaders
from tradelib import releases as calendar
from tradelib.briefs.question import Question
from tradelib.briefs.question import read as read_question
from tradelib.errors import TradelibError
from tradelib.partners import Partner, resolve
from tradelib.store import files
from tradelib.store.yaml_fields import Fields, one_of, read_fields, word
from tradelib.studies import printed as figures
from tradelib.studies.printed import UNITS, Printed

FOLDER = Path(__file__).parents[1] / "data" / "claims"
ALLOWED = {
    "article": ("id", "title", "publisher", "address", "published", "release", "partner", "claims"),
    "claim": ("id", "claim", "unit", "printed", "rounding", "fact", "partner", "universe", "match", "also"),
    "also": ("id", "claim", "fact", "partner", "universe"),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an article, and the fact that answers it.

    `question` is the fact as a question of the language, None where it is another id of a brief. `also`
    marks another reading of the claim before it, such as another universe.
    """

    id: str
    text: str
    printed: Printed
    fact: str
    question: Question | None
    partners: tuple[Partner, ...]
    universe: str | None
    line: int
    also: bool = False

    @property
    def partner(self) -> Partner:
        """The partner, or the first of several added."""
        return self.partners[0]

    @property
    def shown(self) -> str:
        """The printed figure for reading."""
        return self.printed.shown


@dataclass(frozen=True, slots=True)
class Article:
    """A published article and its claims; `release` is the newest that was out, unless it says another."""

    id: str
    title: str
    publisher: str
    address: str
    published: date
    release: str
    partner: Partner
    claims: tuple[Claim, ...]
    file: str


def list_articles() -> list[str]:
    """List the ids of the bundled claims files."""
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
    except (OSError, ValueError) as error:
        if isinstance(error, TradelibError):
            raise
        raise TradelibError(
            f"There is no claims file {source}.",
            f"Near: {', '.join(get_close_matches(str(source), list_articles(), n=4, cutoff=0.2))}.",
            "`tradelib audit` names all that come along; or give the path of a .yaml file of yours.",
        ) from None
    return _article(fields, path.name)


def add(path: Path, text: str, *, partner: str, fact: str, printed: str, **about: str) -> Article:
    """Add a claim to a file, or begin one with what it is `about`; a claim that is wrong is not written."""
    before = path.read_text(encoding="utf-8").rstrip() + "\n" if path.exists() else ""
    if not before:
        head = {"id": path.stem, **about, "partner": partner.split("+")[0]}
        before = "".join(f"{name}: {_quoted(value)}\n" for name, value in head.items()) + "claims:\n"
    told = {"claim": text, "fact": fact, "printed": printed, "partner": partner}
    entry = ", ".join(f"{name}: {_quoted(value)}" for name, value in told.items())
    with files.temporary(path) as beside:
        beside.write_bytes(f"{before}  - {{{entry}}}\n".encode())
        fields = read_fields(beside, "article", ALLOWED)
        fields.file = path.name
        article = _article(fields, path.name)
        beside.replace(path)
    return article


def _quoted(value: str) -> str:
    """A text of YAML that stands for itself, wherever it stands."""
    return "'" + word(value).replace("'", "''") + "'"


def _article(fields: Fields, file: str) -> Article:
    who = fields.read("partner", resolve)
    published = fields.read("published", calendar.parse_date)
    if published > calendar.today():
        fields.fail("published", f"{published} has not come.")
    newest = calendar.newest_due(published)
    release = fields.read("release", lambda text: loaders.find_release(text).month, newest and newest.month)
    out = release and calendar.release(release).published
    if not release:
        fields.fail("release", f"the calendar knows none that was out by {published}.")
    if out and published < out:
        fields.fail("published", f"{published} is before the release of {release}, which was on {out}.")
    id, publisher = fields.read("id", word), fields.read("publisher", word)
    claims: dict[str, Claim] = {}
    for n, entry in enumerate(fields.entries("claims", "claim", required=True), 1):
        claim = _claim(entry, who, f"{id}.{n}")
        also = [_variant(more, claim) for more in entry.entries("also", "also", required=False)]
        for one in (claim, *also):
            if one.id in claims:
                entry.fail("id", f"{one.id!r} is there twice.", line=one.line)
            claims[one.id] = one
    return Article(
        id=id,
        title=fields.read("title", word, f"On trade with {who.prose}"),
        publisher=publisher,
        address=fields.read("address", word, ""),
        published=published,
        release=release,
        partner=who,
        claims=tuple(claims.values()),
        file=file,
    )


def _claim(fields: Fields, who: Partner, id: str) -> Claim:
    fact = fields.read("fact", word)
    question = fields.read("fact", read_question)
    unit = fields.read("unit", lambda text: one_of(text, UNITS), question.unit if question else None)
    if unit is None:
        fields.fail("unit", f"is missing: of {fact} it is not known before.", f"One of {', '.join(UNITS)}.")
    if question and unit != question.unit:
        fields.fail("unit", f"{fact} is in {question.unit}, not in {unit}.")
    includes = fields.read("match", lambda text: one_of(text, ("same", "includes")), "same") == "includes"
    printed = fields.read("printed", lambda text: figures.read(text, unit, includes=includes))
    if unit in figures.NUMBERS:
        rounding = fields.read("rounding", lambda text: figures.positive(text, unit), printed.rounding)
        printed = replace(printed, rounding=rounding)
    return Claim(
        id=fields.read("id", word, id),
        text=fields.read("claim", word),
        printed=printed,
        fact=fact,
        question=question,
        partners=fields.read("partner", _partners, (who,)),
        universe=fields.read("universe", _universe, None),
        line=fields.line,
    )


def _variant(fields: Fields, claim: Claim) -> Claim:
    """Another reading of a claim: what its entry does not say is as in the claim."""
    return replace(
        claim,
        id=fields.read("id", word),
        text=fields.read("claim", word),
        fact=fields.read("fact", word, claim.fact),
        question=fields.read("fact", read_question, claim.question),
        partners=fields.read("partner", _partners, claim.partners),
        universe=fields.read("universe", _universe, claim.universe),
        line=fields.line,
        also=True,
    )


def _universe(text: str) -> str:
    """A day whose list is meant, or partners joined by +."""
    if word(text)[:4].isdigit():
        return calendar.parse_date(text, "a day").isoformat()
    _partners(text)
    return word(text)


def _partners(text: str | list[str]) -> tuple[Partner, ...]:
    """One partner, or several that are added: a list, or joined by +."""
    names = text if isinstance(text, list) else text.split("+")
    return tuple(resolve(name.strip()) for name in names)
