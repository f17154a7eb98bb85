"""Who a figure is about: Schedule C codes, ISO codes, names for tables and sentences, groups.

One code per partner or group in the whole project. The codes and group numbers of
``country.xlsx`` are canonical; the other sources number their groups differently. Whose trade a
printed group row holds follows neither the treaty nor today's list: see :func:`members`.
"""

import csv
import difflib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

from tradelib import cards
from tradelib.errors import TradelibError

DATA = Path(__file__).parent / "data"
WORLD = "0015"
#: CTY_CODE of the API's groups -> canonical. 1XXX is not 0010: it adds Greenland and St Pierre.
API_GROUPS = (
    {"": WORLD, "-": WORLD, "TOTAL": WORLD}
    | {code: code for code in ["0001", "0003", "0014", "0017", "1XXX", "2XXX", "3XXX"]}
    | {"4XXX": "0012", "5XXX": "0016", "6XXX": "0018", "7XXX": "0013"}
    | {"0020": "USMCA", "0021": "LA20", "0022": "OECD", "0023": "NATO", "0024": "LAFTA"}
    | {"0025": "EURO", "0026": "APEC", "0027": "ASEAN", "0028": "CACM"}
)
#: cty_code of the groups in ctyseasonal.xlsx -> canonical.
SEASONAL_GROUPS = {"1": "0001", "3": "0003", "8": "0008", "9": "0009", "17": "0017", "20": "REST"}
NOT_PARTNERS = {
    "domestic": "is part of the U.S. customs statistics, not a partner",
    "product": "is a class of goods, not a place",
}
SHOWN = 8
#: Groups that the country table does not print are summed from their members of the day.
SUMMED_GROUPS = ("ASEAN", "USMCA", "EURO")


class PartnerError(TradelibError):
    """A partner, group or source code that cannot be used, and what can."""


@dataclass(frozen=True, slots=True)
class Partner:
    """One row of data/partners.csv; ``last_year`` is None while the code is in use.

    Examples
    --------
    >>> korea = partner("5800")
    >>> korea.name, korea.prose, korea.slug, korea.kind, korea.is_group
    ('Korea, South', 'South Korea', 'korea-south', 'country', False)
    """

    code: str
    name: str
    prose: str
    iso2: str | None
    iso3: str | None
    kind: str  # country (may be ranked), former, group, world, product, domestic, other
    first_year: int | None
    last_year: int | None

    @property
    def is_group(self) -> bool:
        """Whether this row is a sum of others."""
        return self.kind == "group"

    @property
    def slug(self) -> str:
        """The name in lower-case ASCII with hyphens, for file names."""
        return "-".join(_words(self.name))

    def __repr__(self) -> str:
        return f"<Partner {self.code} {self.name}{f' ({self.iso3})' if self.iso3 else ''}, {self.kind}>"

    def _repr_html_(self) -> str:
        return cards.partner_card(self)


def all_partners() -> pd.DataFrame:
    """Get data/partners.csv: every partner, group and former code, by code.

    Examples
    --------
    >>> table = all_partners()
    >>> table.loc[table["iso2"] == "NA", ["code", "name"]].to_dict("records")
    [{'code': '7920', 'name': 'Namibia'}]
    """
    return _table().copy()


def countries() -> list[str]:
    """List the codes that may be ranked: no groups, no former codes, nothing domestic.

    Examples
    --------
    >>> len(countries()), "5800" in countries(), "0003" in countries()
    (233, True, False)
    """
    return sorted(country_set())


@cache
def country_set() -> frozenset[str]:
    """Get the codes of :func:`countries` as a set, for fast membership tests.

    Examples
    --------
    >>> "4610" in country_set()
    False
    """
    return frozenset(one.code for one in _partners().values() if one.kind == "country")


def partner(code: str) -> Partner:
    """Get a partner of any kind by its exact canonical code.

    Examples
    --------
    >>> partner("0003").prose
    'the European Union'
    """
    if code not in _partners():
        raise PartnerError(f"{code!r} is not a partner code.", *_advice(str(code)))
    return _partners()[code]


def resolve(text: str | int) -> Partner:
    """Find the partner meant by a code, an ISO code, a name, or words of one name.

    Case, accents and punctuation do not matter; exact wins over partial, current over former.
    Raises PartnerError, with the candidates, if nothing or more than one partner is meant.

    Examples
    --------
    >>> [resolve(text).code for text in ("KR", "kor", "South Korea", "korea south", 5800)]
    ['5800', '5800', '5800', '5800', '5800']
    >>> resolve(15).prose, resolve("Cote dIvoire").prose, resolve("Falkland").prose
    ('the world', "Côte d'Ivoire", 'the Falkland Islands')
    """
    given = str(text).strip()
    if _key(given).isdigit():
        codes = [code for code in [given.zfill(4)] if code in _partners()]
    else:
        codes = _index().get(_key(given)) or _by_words(given)
    if not codes:
        raise PartnerError(f"{given!r} matches no partner.", *_advice(given))
    if len(codes) > 1:
        advice = [*_listed(codes), "Give the code, or the name in full."]
        raise PartnerError(f"{given!r} is ambiguous; {len(codes)} partners match:", *advice)
    found = _partners()[codes[0]]
    if found.kind in NOT_PARTNERS:
        problem = f"{found.name} ({found.code}) {NOT_PARTNERS[found.kind]}."
        raise PartnerError(problem, "Give a trading partner; see `tradelib partners`.")
    return found


def members(group_code: str, on: date | str) -> list[str]:
    """List the members of a group on a day by treaty, the last day of membership included.

    Printed rows differ (measured to the dollar, tests/test_partners.py): ``country.xlsx`` prints
    the running year by the members of the month and fixes a past year with those of its
    31 December; the API row of year Y, as saved in 2025, has those of the end of Y + 2 (from 2015
    on; 2013-14 their own): its EU of 2018 and 2019 lacks the United Kingdom. The CAFTA-DR, Pacific
    Rim and NICS rows hold all members in all years. OPEC ends in 2018 (API) and 2020.

    Examples
    --------
    >>> "4120" in members("0003", "2020-01-31"), "4120" in members("0003", "2020-02-01")
    (True, False)
    """
    if group_code not in _groups():
        known = ", ".join(f"{code} ({_partners()[code].name})" for code in _groups())
        raise PartnerError(f"No list of members for {group_code!r}.", f"There is one for {known}.")
    try:
        day = f"{on if isinstance(on, date) else date.fromisoformat(on):%Y-%m-%d}"
    except (ValueError, TypeError):
        raise PartnerError(f"{on!r} is not a day.", "Give it as YYYY-MM-DD.") from None
    spells = _groups()[group_code]
    return sorted(code for code, first, last in spells if first <= day <= (last or "9999"))


def from_api_code(code: str) -> str:
    """Translate a CTY_CODE of the Census API into the canonical code.

    Examples
    --------
    >>> [from_api_code(code) for code in ("5800", "-", "0020", "5XXX")]
    ['5800', '0015', 'USMCA', '0016']
    """
    return _translated(str(code).strip(), API_GROUPS, "CTY_CODE of the Census API")


def from_seasonal_code(code: str | int) -> str:
    """Translate a cty_code of ctyseasonal.xlsx into the canonical code.

    Examples
    --------
    >>> [from_seasonal_code(code) for code in (5800, "3", "0020")]
    ['5800', '0003', 'REST']
    """
    text = str(code).strip().lstrip("0")
    return _translated(text, SEASONAL_GROUPS, "cty_code of ctyseasonal.xlsx")


def from_area_name(name: str) -> str:
    """Translate an area name of BEA or of an FT-900 exhibit, in full, into the canonical code.

    Examples
    --------
    >>> [from_area_name(name) for name in ("Korea, South", "South/\\nCentral America", "Israel*")]
    ['5800', '0009', '5081']
    """
    # The FT-900 hangs marks on names: "Israel*", "Unidentified Countries (2)".
    text = re.sub(r"(\s*(\*+|\(\d\)|\(R\)))+$", "", str(name).strip())
    codes = _index(with_codes=False).get(_key(text), [])
    if len(codes) != 1:
        raise PartnerError(f"{name!r} is not a known area name.", *_advice(text))
    return codes[0]


def _translated(text: str, groups: dict[str, str], what: str) -> str:
    if text in groups or (re.fullmatch("[1-9][0-9]{3}", text) and text in _partners()):
        return groups.get(text, text)
    known = f"Known are the codes of Schedule C and the groups {', '.join(map(repr, groups))}."
    added = "If Census has added a code, add it to tradelib/data/partners.csv."
    raise PartnerError(f"{text!r} is not a known {what}.", known, added)


def _by_words(text: str) -> list[str]:
    """Codes of which one name holds all the words; former codes only if there is nothing else."""
    wanted = {word for word in _words(text) if word not in ("a", "and", "of", "the")}
    if len(_key(text)) < 3 or not wanted:
        return []
    codes = [c for c, names in _names().items() if any(wanted <= {*_words(n)} for n in names)]
    return [code for code in codes if _partners()[code].kind != "former"] or codes


def _advice(text: str) -> list[str]:
    """Lines that list near matches and say what is allowed."""
    spellings = {key: set(codes) for key, codes in _index().items()}
    for code, names in _names().items():
        for word in _words(" ".join(names)):
            spellings.setdefault(word, set()).add(code)
    close = difflib.get_close_matches(_key(text), spellings, n=SHOWN, cutoff=0.7)
    near = dict.fromkeys(code for key in close for code in sorted(spellings[key]))
    near = [c for c in near if not text.isdigit() and _partners()[c].kind not in NOT_PARTNERS]
    allowed = "Allowed: a code of Schedule C, an ISO code or a name; see `tradelib partners`."
    return ["Near matches:", *_listed(near), allowed] if near else [allowed]


def _listed(codes: list[str]) -> list[str]:
    shown = [_partners()[code] for code in codes[:SHOWN]]
    lines = [f"  {one.code}  {one.name}  {one.iso3 or ''}".rstrip() for one in shown]
    return lines + ([f"  and {len(codes) - SHOWN} more"] if len(codes) > SHOWN else [])


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.findall("[a-z0-9]+", plain.replace("&", " and ").replace("'", ""))


def _key(text: str) -> str:
    return "".join(_words(re.sub("(?i)^the ", "", text)))


@cache
def _table() -> pd.DataFrame:
    # Without keep_default_na=False, pandas reads Namibia's "NA" as missing.
    table = pd.read_csv(DATA / "partners.csv", dtype="str", keep_default_na=False)
    table[["iso2", "iso3"]] = table[["iso2", "iso3"]].replace("", pd.NA)
    years = ["first_year", "last_year"]
    table[years] = table[years].replace("", pd.NA).astype("Int64")
    return table


@cache
def _partners() -> dict[str, Partner]:
    fields = _table().drop(columns="aliases").astype("object")
    rows = fields.where(fields.notna(), None).to_dict("records")
    return {row["code"]: Partner(**row) for row in rows}


@cache
def _names() -> dict[str, list[str]]:
    """All names of each code, current partners before former ones."""
    rows = sorted(_table().to_dict("records"), key=lambda row: row["kind"] == "former")
    texts = {row["code"]: f"{row['name']}|{row['prose']}|{row['aliases']}" for row in rows}
    return {code: text.strip("|").split("|") for code, text in texts.items()}


@cache
def _index(*, with_codes: bool = True) -> dict[str, list[str]]:
    """Spelling without case, accents and punctuation -> codes; a current one shuts out former."""
    index: dict[str, list[str]] = {}
    for code, names in _names().items():
        one = _partners()[code]
        texts = [*names, code, one.iso2, one.iso3] if with_codes else names
        for key in {_key(text) for text in texts if text}:
            owners = index.setdefault(key, [])
            if one.kind != "former" or all(_partners()[c].kind == "former" for c in owners):
                owners.append(code)
    return index


@cache
def _groups() -> dict[str, list[tuple[str, str, str]]]:
    """Group -> (member, first day, last day); an empty date is without limit."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    with (DATA / "groups.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            groups.setdefault(row["group"], []).append((row["code"], row["joined"], row["left"]))
    return groups
