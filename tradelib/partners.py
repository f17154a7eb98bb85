"""Who a figure is about: Schedule C codes, ISO codes, names for tables and sentences, groups.

One code per partner or group in the whole project. The codes and group numbers of
``country.xlsx`` are canonical; the other sources number their groups differently. Whose trade a
printed group row holds follows neither the treaty nor today's list: see :func:`members`.

A user's own groups stand in a CSV file that ``TRADELIB_GROUPS`` names: see :func:`own_groups`.
"""

import csv
import difflib
import io
import os
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

import pandas as pd

from tradelib import cards
from tradelib.errors import TradelibError

DATA = Path(__file__).parent / "data"
GROUPS_VARIABLE = "TRADELIB_GROUPS"
WORLD, WORLD_SA = "0015", "0004"
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
FORM = "Its columns are group and code, and if need be joined and left (YYYY-MM-DD); one member a line."
#: Rows that hold all their members in all years, whenever these joined: see `members`.
WHOLE = ("0017",)
#: Member, first day and last day of membership; an empty date is without limit.
Spell = tuple[str, str, str]


class PartnerError(TradelibError):
    """A partner, group or source code that cannot be used, and what can."""


@dataclass(frozen=True, slots=True)
class Partner:
    """One row of data/partners.csv; ``last_year`` is None while the code is in use."""

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
        rows = [
            ("Schedule C", self.code),
            ("ISO", ", ".join(filter(None, [self.iso2, self.iso3]))),
            ("Kind", self.kind),
            ("In the tables", self.first_year and f"{self.first_year} to {self.last_year or 'today'}"),
        ]
        return cards.card("Partner", self.name, rows)


class Register:
    """All partners and groups of one table, and how they are found by what a user types."""

    def __init__(self, rows: list[dict[str, str]], groups: dict[str, list[Spell]]):
        self.rows, self.groups = rows, groups

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows as a table; an empty code or year is unknown, and "NA" is Namibia."""
        table = pd.DataFrame(self.rows, dtype="str")
        known = table.where((table != "") | (table.columns == "aliases"))
        return known.astype({"first_year": "Int64", "last_year": "Int64"})

    @cached_property
    def partners(self) -> dict[str, Partner]:
        """Each partner by its code."""
        found = {}
        for code, name, prose, iso2, iso3, kind, *years, _ in map(dict.values, self.rows):
            first, last = (int(year) if year else None for year in years)
            found[code] = Partner(code, name, prose, iso2 or None, iso3 or None, kind, first, last)
        return found

    @cached_property
    def countries(self) -> frozenset[str]:
        """The codes that may be ranked."""
        return frozenset(one.code for one in self.partners.values() if one.kind == "country")

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """All names of each code, current partners before former ones."""
        rows = sorted(self.rows, key=lambda row: row["kind"] == "former")
        texts = {row["code"]: f"{row['name']}|{row['prose']}|{row['aliases']}" for row in rows}
        return {code: text.strip("|").split("|") for code, text in texts.items()}

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """Name without case, accents and punctuation -> codes."""
        return self._index(self.names)

    @cached_property
    def by_any(self) -> dict[str, list[str]]:
        """The same of names, codes and ISO codes."""
        known = self.partners
        return self._index(
            {
                code: [*names, *filter(None, (code, known[code].iso2, known[code].iso3))]
                for code, names in self.names.items()
            }
        )

    def _index(self, spellings: dict[str, list[str]]) -> dict[str, list[str]]:
        """A current partner shuts out the former ones that share a spelling."""
        index: dict[str, list[str]] = {}
        for code, texts in spellings.items():
            for key in {_key(text) for text in texts if text}:
                owners = index.setdefault(key, [])
                kinds = {self.partners[owner].kind for owner in owners}
                if self.partners[code].kind != "former" or kinds <= {"former"}:
                    owners.append(code)
        return index

    def find(self, text: str | int) -> Partner:
        """Do what `resolve` does."""
        given = str(text).strip()
        if _key(given).isdigit():
            codes = [code for code in [given.zfill(4)] if code in self.partners]
        else:
            codes = self.by_any.get(_key(given)) or self._by_words(given)
        if not codes:
            raise PartnerError(f"{given[:80]!r} matches no partner.", *self.advice(given))
        if len(codes) > 1:
            advice = [*self._listed(codes), "Give the code, or the name in full."]
            raise PartnerError(f"{given!r} is ambiguous; {len(codes)} partners match:", *advice)
        found = self.partners[codes[0]]
        if found.kind in NOT_PARTNERS:
            problem = f"{found.name} ({found.code}) {NOT_PARTNERS[found.kind]}."
            raise PartnerError(problem, "Give a trading partner; see `tradelib partners`.")
        return found

    def _by_words(self, text: str) -> list[str]:
        """Codes of which one name holds all the words; former codes only if there is nothing else."""
        wanted = {word for word in _words(text) if word not in ("a", "and", "of", "the")}
        if len(_key(text)) < 3 or not wanted:
            return []
        codes = [c for c, names in self.names.items() if any(wanted <= {*_words(n)} for n in names)]
        return [code for code in codes if self.partners[code].kind != "former"] or codes

    def advice(self, text: str) -> list[str]:
        """Lines that list near matches and say what is allowed."""
        spellings = {key: set(codes) for key, codes in self.by_any.items()}
        for code, names in self.names.items():
            for word in _words(" ".join(names)):
                spellings.setdefault(word, set()).add(code)
        close = difflib.get_close_matches(_key(text), spellings, n=SHOWN, cutoff=0.7)
        near = list(dict.fromkeys(code for key in close for code in sorted(spellings[key])))
        near = [c for c in near if not text.isdigit() and self.partners[c].kind not in NOT_PARTNERS]
        allowed = "Allowed: a code of Schedule C, an ISO code or a name; see `tradelib partners`."
        return ["Near matches:", *self._listed(near), allowed] if near else [allowed]

    def _listed(self, codes: list[str]) -> list[str]:
        shown = [self.partners[code] for code in codes[:SHOWN]]
        lines = [f"  {one.code}  {one.name}  {one.iso3 or ''}".rstrip() for one in shown]
        return lines + ([f"  and {len(codes) - SHOWN} more"] if len(codes) > SHOWN else [])


def all_partners() -> pd.DataFrame:
    """Get data/partners.csv: every partner, group and former code, and a user's own groups.

    Returns
    -------
    DataFrame
        One row for each code, in its order: `code`, `name` (as the tables print it), `prose` (as a
        sentence says it), `iso2`, `iso3`, `kind`, `first_year`, `last_year`, `aliases`.

    Raises
    ------
    PartnerError
        If the file that ``TRADELIB_GROUPS`` names cannot be used, with its line.

    Examples
    --------
    >>> table = all_partners()
    >>> table.loc[table["iso2"] == "NA", ["code", "name"]].to_dict("records")
    [{'code': '7920', 'name': 'Namibia'}]
    """
    return _register().table.copy()


def countries(*, in_year: int | None = None) -> list[str]:
    """List the codes that may be ranked, in their order: no groups, no former codes, nothing domestic.

    `in_year` adds those that were there then and have ended since: the Netherlands Antilles in 2000.

    Examples
    --------
    >>> len(countries()), "5800" in countries(), "2771" in countries(in_year=2000)
    (233, True, True)
    """
    former = [one for one in _register().partners.values() if one.kind == "former"]
    there = {o.code for o in former if in_year and (o.first_year or 9999) <= in_year <= (o.last_year or 0)}
    return sorted(country_set() | there)


def country_set() -> frozenset[str]:
    """Get the codes of :func:`countries` as a set, for fast membership tests."""
    return _register().countries


def partner(code: str) -> Partner:
    """Get a partner of any kind by its exact canonical code."""
    known = _register()
    if code not in known.partners:
        raise PartnerError(f"{code!r} is not a partner code.", *known.advice(str(code)))
    return known.partners[code]


def resolve(text: "str | int | Partner") -> Partner:
    """Find the partner meant by a code, an ISO code, a name, or words of one name.

    Case, accents and punctuation do not matter; exact wins over partial, current over former.

    Parameters
    ----------
    text : str, int or Partner
        "5800", 5800, "KR", "kor", "South Korea", "korea south"; of a group its name: "EU". A Partner is
        returned as it is.

    Returns
    -------
    Partner
        With `code`, `name`, `prose`, `iso2`, `iso3`, `kind`.

    Raises
    ------
    PartnerError
        With the candidates, if nothing or more than one partner is meant.

    Examples
    --------
    >>> [resolve(text).code for text in ("KR", "kor", "South Korea", "korea south", 5800)]
    ['5800', '5800', '5800', '5800', '5800']
    >>> resolve(15).prose, resolve("Cote dIvoire").prose, resolve("Falkland").prose
    ('the world', "Côte d'Ivoire", 'the Falkland Islands')
    """
    return text if isinstance(text, Partner) else _register().find(text)


def members(group: str, on: date | str) -> list[str]:
    """List the members of a group on a day by treaty, the last day of membership included.

    Printed rows differ (measured to the dollar, tests/test_partners.py): ``country.xlsx`` prints
    the running year by the members of the month and fixes a past year with those of its
    31 December; the API row of year Y, as saved in 2025, has those of the end of Y + 2 (from 2015
    on; 2013-14 their own): its EU of 2018 and 2019 lacks the United Kingdom. The CAFTA-DR, Pacific
    Rim and NICS rows hold all members in all years. OPEC ends in 2018 (API) and 2020.

    Parameters
    ----------
    group : str
        Code or name of a group, a user's own too.
    on : date or str
        The day, YYYY-MM-DD.

    Returns
    -------
    list of str
        Codes; empty on a day before the group had members.

    Raises
    ------
    PartnerError
        If there is no list of its members, or it is not a day.

    Examples
    --------
    >>> "4120" in members("EU", "2020-01-31"), "4120" in members("EU", "2020-02-01")
    (True, False)
    """
    known = _register()
    code = group if group in known.groups else known.find(group).code
    if code not in known.groups:
        named = ", ".join(f"{one} ({known.partners[one].name})" for one in known.groups)
        raise PartnerError(f"No list of members for {group!r}.", f"There is one for {named}.")
    try:
        day = f"{on if isinstance(on, date) else date.fromisoformat(on):%Y-%m-%d}"
    except (ValueError, TypeError):
        raise PartnerError(f"{on!r} is not a day.", "Give it as YYYY-MM-DD.") from None
    spells = known.groups[code]
    return sorted({member for member, first, last in spells if first <= day <= (last or "9999")})


def has_members(code: str) -> bool:
    """Whether there is a list of the members of a group, so that they can be added up."""
    return code in _register().groups


def summed_groups() -> list[str]:
    """List the groups that are summed from their members of one day, so that like is compared with like.

    They are those that the country table never prints (the codes of those it prints are numbers), and
    those that it prints with other members in other years.
    """
    return [
        code
        for code, spells in _register().groups.items()
        if not code.isdigit() or (code not in WHOLE and any(first + last for _, first, last in spells))
    ]


def same_members(group: str, on: date) -> tuple[date, date]:
    """Return the first and the last day of the span around a day in which a group has the same members."""
    spells = _register().groups[group]
    changes = {date.fromisoformat(first) for _, first, _ in spells if first}
    changes |= {date.fromisoformat(last) + timedelta(1) for _, _, last in spells if last}
    since = max((day for day in changes if day <= on), default=date.min)
    until = min((day for day in changes if day > on), default=date.max)
    return since, until - timedelta(1)


def from_api_code(code: str) -> str:
    """Translate a CTY_CODE of the Census API into the canonical code."""
    return _translated(str(code).strip(), API_GROUPS, "CTY_CODE of the Census API")


def from_seasonal_code(code: str | int) -> str:
    """Translate a cty_code of ctyseasonal.xlsx into the canonical code."""
    return _translated(str(code).strip().lstrip("0"), SEASONAL_GROUPS, "cty_code of ctyseasonal.xlsx")


def from_area_name(name: str) -> str:
    """Translate an area name of BEA or of an FT-900 exhibit, in full, into the canonical code."""
    # The FT-900 hangs marks on names: "Israel*", "Unidentified Countries (2)".
    text = re.sub(r"(\s*(\*+|\(\d\)|\(R\)))+$", "", str(name).strip())
    codes = _bundled().by_name.get(_key(text), [])
    if len(codes) != 1:
        raise PartnerError(f"{name!r} is not a known area name.", *_bundled().advice(text))
    return codes[0]


def _translated(text: str, groups: dict[str, str], what: str) -> str:
    if text in groups or (re.fullmatch("[1-9][0-9]{3}", text) and text in _bundled().partners):
        return groups.get(text, text)
    known = f"Known are the codes of Schedule C and the groups {', '.join(map(repr, groups))}."
    added = "If Census has added a code, add it to tradelib/data/partners.csv."
    raise PartnerError(f"{text!r} is not a known {what}.", known, added)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.findall("[a-z0-9]+", plain.replace("&", " and ").replace("'", ""))


def _key(text: str) -> str:
    return "".join(_words(re.sub("(?i)^the ", "", text)))


def _register() -> Register:
    """The register in force: the bundled one, with the groups of the user's file as it is now."""
    path = os.environ.get(GROUPS_VARIABLE, "")
    if not path:
        return _bundled()
    try:
        found = Path(path).stat()
    except OSError as error:
        raise PartnerError(
            f"{GROUPS_VARIABLE} names {path}, which cannot be read: {error.strerror}.",
            "Give it the path of a CSV file with the columns group and code, or unset it.",
        ) from None
    return _with_own(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)
def _bundled() -> Register:
    texts = [(DATA / name).read_text(encoding="utf-8") for name in ("partners.csv", "groups.csv")]
    rows, spells = ([*csv.DictReader(text.splitlines())] for text in texts)
    groups: dict[str, list[Spell]] = {}
    for row in spells:
        groups.setdefault(row["group"], []).append((row["code"], row["joined"], row["left"]))
    return Register(rows, groups)


@lru_cache(maxsize=4)
def _with_own(path: str, modified: int, size: int) -> Register:
    """The bundled register and a user's file; another time or size of the file is another register."""
    bundled = _bundled()
    try:
        names, groups = own_groups(Path(path).read_bytes().decode("utf-8-sig"), path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PartnerError(f"{path} is not a CSV file in UTF-8 ({error}).", FORM) from None
    unknown = dict.fromkeys(bundled.rows[0], "") | {"kind": "group"}
    rows = [*bundled.rows]
    for code, name in names.items():
        rows.append(unknown | {"code": code, "name": re.sub("(?i)^the ", "", name), "prose": name})
    return Register(sorted(rows, key=lambda row: row["code"]), bundled.groups | groups)


def own_groups(text: str, where: str) -> tuple[dict[str, str], dict[str, list[Spell]]]:
    """Read a user's groups from CSV in the form of ``data/groups.csv``: names by code, and members.

    `group` is a name of the user's own; `code` one member as `resolve` takes it; `joined` and `left`, if
    need be, the first and last day of membership. Errors name file and line.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    lacking = {"group", "code"} - set(reader.fieldnames or ())
    if lacking:
        raise PartnerError(f"{where}, line 1: no column {' and no column '.join(sorted(lacking))}.", FORM)
    names: dict[str, str] = {}
    groups: dict[str, list[Spell]] = {}
    for row in reader:
        try:
            name, spell = _own_member({key: (row.get(key) or "").strip() for key in row if key})
            code = _key(name).upper()
            _refuse_twice(names.setdefault(code, name), spell, groups.setdefault(code, []))
        except TradelibError as error:
            raise PartnerError(f"{where}, line {reader.line_num}: {error}") from None
        groups[code].append(spell)
    return names, groups


def _own_member(row: dict[str, str]) -> tuple[str, Spell]:
    """Check one line of a user's groups."""
    name, key = row["group"], _key(row["group"])
    if not key or key.isdigit() or re.fullmatch("con|prn|aux|nul|(com|lpt)[0-9]", key):  # no file on Windows
        raise PartnerError(f"{name!r} is no name for a group.", "Give it one with letters.", FORM)
    if key in _bundled().by_any:
        known = _bundled().partners[_bundled().by_any[key][0]]
        raise PartnerError(
            f"{name!r} is {known.name} ({known.code}) already.", "Give the group another name."
        )
    who = _bundled().find(row["code"])
    if who.kind in ("group", "world"):
        raise PartnerError(f"{who.name} ({who.code}) is itself a sum.", "List its members one by one.")
    days = row.get("joined", ""), row.get("left", "")
    for day in filter(None, days):
        real = pd.to_datetime([day], format="%Y-%m-%d", errors="coerce").notna().all()
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or not real:
            raise PartnerError(f"{day!r} is not a day.", "Give it as YYYY-MM-DD.")
    if all(days) and days[0] > days[1]:
        raise PartnerError(f"{who.name} left on {days[1]}, before it joined on {days[0]}.")
    return name, (who.code, *days)


def _refuse_twice(name: str, spell: Spell, others: list[Spell]) -> None:
    """A member counted twice on one day would be added up twice."""
    code, first, last = spell
    for member, joined, left in others:
        if member == code and first <= (left or "9999") and joined <= (last or "9999"):
            raise PartnerError(f"{_bundled().partners[code].name} is in {name} already, on the same days.")
