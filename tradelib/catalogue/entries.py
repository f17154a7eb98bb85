"""What lies in a folder of reports: one entry for each partner and release, read from files of facts."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from urllib.parse import quote

from tqdm import tqdm

from tradelib import releases
from tradelib.errors import TradelibError
from tradelib.partners import all_partners, partner
from tradelib.store.files import explained, is_remote, read_kept

FILE = re.compile(
    r"(?P<slug>[a-z0-9-]+)(\.(?P<run>.+?))??(\.as-of-(?P<as_of>\d{4}-\d\d-\d\d))?"
    r"(?P<end>\.facts\.json|\.failed\.(?:ipynb|html)|\.ipynb|\.html|\.xlsx)"
)
FACTS, FAILED = ".facts.json", ".failed.ipynb"
BALANCE, CHANGE = "goods.balance.ytd", "goods.balance.ytd.change_usd"
TRAILING, RANK = "goods.balance.trailing12", "goods.deficit.rank"
OWN = ("", "")  # the run and the as-of day of the brief itself, among the pages on a partner


@dataclass(frozen=True, slots=True)
class Beside:
    """Another page on the same partner and release: of another notebook, or as of another day."""

    run: str
    as_of: str
    files: dict[str, str]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue: what a brief found, and where its files are.

    `files` maps the end of a name (".html", ".failed.ipynb" ...) to an address relative to the folder of
    reports. What an unreadable or missing file of facts would tell is empty.
    """

    folder: str
    name: str
    files: dict[str, str]
    beside: tuple[Beside, ...] = ()
    release: str = ""
    published: str | None = None
    how_known: str = ""
    codes: tuple[str, ...] = ()
    kind: str = ""
    title: str = ""
    headline: str = ""
    balance: int | None = None
    change: int | None = None
    rank: int | None = None
    source: dict[str, str] = field(default_factory=dict)
    since: str = ""
    trailing: tuple[int | None, ...] = ()
    figures: int = 0

    @property
    def code(self) -> str:
        """The partner's code; empty where it is not known."""
        return self.codes[0] if self.codes else ""

    @property
    def changes(self) -> str:
        """The address of the page that says what changed since the release before; empty without one."""
        pages = [one.files.get(".html", "") for one in self.beside if (one.run, one.as_of) == ("changes", "")]
        return pages[0] if pages else ""


def gather(reports: Path, *, progress: bool = False) -> tuple[list[Entry], list[str]]:
    """Read every brief in a folder of reports: an entry each, and what cannot be read, a sentence each."""
    groups = _grouped(listing(reports))
    wanted = [files[FACTS] for group in groups.values() for files in group.values() if FACTS in files]
    entries, notices, months = [], [], {}
    texts = dict(tqdm(_texts(reports, wanted), total=len(wanted), disable=not progress, unit="brief"))
    for (folder, slug), group in groups.items():
        entry, told = _entry(folder, slug, group, texts)
        entries.append(entry)
        notices += told
        if entry.release:
            months[folder] = (entry.release, entry.published, entry.how_known)
    return [entry if entry.release else _filed(entry, months) for entry in entries], notices


def listing(reports: Path) -> list[str]:
    """List the files of a folder of reports, `folder/name` each, sorted."""
    with explained(reports, "read", "Give --reports a folder, or an address, that you may read."):
        if is_remote(reports):
            root = reports.path.rstrip("/") + "/"
            return sorted(key.removeprefix(root) for key in reports.fs.find(reports.path))
        if reports.is_dir():
            return sorted(path.relative_to(reports).as_posix() for path in reports.glob("*/*"))
    raise TradelibError(
        f"There is no folder {reports}.",
        "Make a brief first, such as `tradelib report --partner KOR --release 2018-07`, or name another.",
    )


def _grouped(paths: Iterable[str]) -> dict[tuple[str, str], dict[tuple[str, str], dict[str, str]]]:
    """Files by folder and partner, then by run and as-of day, then by the end of their name."""
    groups = defaultdict(lambda: defaultdict(dict))
    for path in paths:
        folder, _, name = path.partition("/")
        found = FILE.fullmatch(name)
        if found and _is_dated(folder):
            run = (found["run"] or "", found["as_of"] or "")
            groups[folder, found["slug"]][run][found["end"]] = path
    return groups


def _is_dated(folder: str) -> bool:
    """Whether a folder is named by a publication day, or by a statistical month."""
    try:
        return bool(date.fromisoformat(f"{folder}-01" if len(folder) == len("2018-07") else folder))
    except ValueError:
        return False


def _texts(reports: Path, paths: list[str]) -> Iterator[tuple[str, bytes | OSError]]:
    """Each file's bytes, or why it cannot be read; those of an object store are asked for all at once."""
    if is_remote(reports):
        root = reports.path.rstrip("/")
        with explained(reports, "read"):
            found = reports.fs.cat([f"{root}/{path}" for path in paths], on_error="return") if paths else {}
        yield from ((key.removeprefix(f"{root}/"), text) for key, text in found.items())
        return
    for path in paths:
        try:
            yield path, read_kept(reports / path)
        except OSError as error:
            yield path, error


def _entry(folder: str, slug: str, group: dict, texts: dict) -> tuple[Entry, list[str]]:
    """One row: the brief's own facts, else only whose it is, told by its further pages or its name."""
    notices, told, titles = [], {}, {}
    own = group.get(OWN, {})
    for run, files in sorted(group.items()):  # the brief itself is first
        if FACTS not in files:
            continue
        try:
            document = json.loads(texts[files[FACTS]])
            titles[run] = str(document.get("tradelib", {}).get("title", ""))
            told = told or _identity(document) | (_findings(document) if run == OWN else {})
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            notices.append(f"{files[FACTS]} cannot be read ({type(error).__name__}); the rest is listed.")
    beside = [
        Beside(run=run, as_of=as_of, files=_addresses(files), title=titles.get((run, as_of), ""))
        for (run, as_of), files in sorted(group.items())
        if (run, as_of) != OWN
    ]
    named = _by_slug().get(slug, {"name": slug})["name"]
    about = {"name": named, "title": titles.get(OWN, "")} | told
    return Entry(folder=folder, files=_addresses(own), beside=tuple(beside), **about), notices


def _addresses(files: dict[str, str]) -> dict[str, str]:
    return {end: quote(path) for end, path in files.items()}


def _identity(document: dict) -> dict:
    """Whose brief it is, of which release."""
    who, published = document["partner"], document["published"]
    code = str(who["code"])
    return {
        "name": str(who["name"]),
        "codes": (code, *(str(who[key]) for key in ("iso2", "iso3") if who.get(key))),
        "kind": partner(code).kind,
        "release": _month(document["release"]),
        "published": date.fromisoformat(published).isoformat() if published else None,
        "how_known": str(document.get("published_how_known", "")),
    }


def _findings(document: dict) -> dict:
    """What it found; a number that is none is refused."""
    facts, own = document["facts"], document.get("tradelib", {})
    series = document.get("series", {}).get(TRAILING, {})
    return {
        "balance": _whole(facts[BALANCE]["value"]),
        "change": _whole(facts[CHANGE]["value"]),
        "rank": _whole(facts[RANK]["value"]),
        "source": {key: facts[BALANCE][key] for key in ("table", "vintage", "basis", "adjustment")},
        "headline": str(own.get("headline", "")),
        "since": _month(series["since"]) if series else "",
        "trailing": tuple(map(_whole, series.get("values", ()))),
        "figures": len(own.get("figures", ())),
    }


def _month(text: str) -> str:
    if not re.fullmatch(releases.MONTH, text):
        raise ValueError(f"{text!r} is not a month")
    return text


def _whole(value: float | None) -> int | None:
    return None if value is None else round(float(value))


@cache
def _by_slug() -> dict[str, dict]:
    """Partners by the name of their files, which tells whose they are where no facts do."""
    rows = all_partners().sort_values("last_year", na_position="last").to_dict("records")
    return {partner(row["code"]).slug: row for row in rows}


def _filed(entry: Entry, months: dict[str, tuple]) -> Entry:
    """The release of an entry without facts: that of its neighbours, else the one of its folder's name."""
    if entry.folder in months:
        month, published, how_known = months[entry.folder]
    elif len(entry.folder) == len("2018-07"):
        month, published, how_known = entry.folder, None, ""
    else:
        table = releases.all_releases()
        found = table.loc[table["published"].astype(str) == entry.folder, "month"]
        month = str(found.iloc[0]) if len(found) else ""
        published, how_known = entry.folder, releases.release(month).how_known if month else ""
    return replace(entry, release=month, published=published, how_known=how_known)
