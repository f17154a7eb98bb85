"""Whether what a reader sees on a page is what the stored vintages say: worked out again, and compared.

The cells of the page's notebook run again, on facts made anew from the vintages, in a process of its own that
serves page after page of a release and draws no pictures. What tradelib shows there - sentences, tables,
the words on figures - is compared word by word with the page, its notebook and its facts. What it does not
show, and what is typed by hand, is bound to no fact: it is listed.
"""

import ast
import difflib
import gc
import html
import itertools
import json
import os
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from tradelib import cards
from tradelib.briefs import brief, snapshot
from tradelib.briefs.fact import FACTS_MIME
from tradelib.briefs.snapshot import HANDED
from tradelib.errors import TradelibError
from tradelib.runs.finished import (
    INJECTED,
    TEMPLATES,
    UNSEEN,
    facts_of_run,
    figures_of,
    headline_of,
    page_of,
    text_of,
    title_of,
)
from tradelib.runs.jobs import CELL_LIMIT, ENDS, bundled_notebook, code_sha256, read_notebook
from tradelib.sources import keys
from tradelib.sources.apart import Apart
from tradelib.store import files, vintages
from tradelib.style.tables import DATA_MIME
from tradelib.style.words import MONTHS
from tradelib.tables import CheckError

BOOK, PAGE, FACTS = ENDS
MEMORY = 6_000_000_000  # bytes that working a page out again may take
ADVICE = "Give an .html, .ipynb or .facts.json file, or a folder of reports."
MOST = 20  # faults told of a page
LONGEST = 300  # characters of a text that a fault tells
REACH = 16  # words of a sentence told on either side of a fault
YEAR = r"(?:19|20)\d\d"
#: Numerals that may be typed: each pattern, and why it is no figure.
DECLARED = {
    rf"\b(?:{'|'.join(MONTHS)})(?: \d{{1,2}},)?(?: \d{{4}})?\b": "names of months and days",
    rf"(?<![$\d.,])\b{YEAR}(?:-\d\d(?:-\d\d)?|Q[1-4])?\b(?! (?:[mb]illion|percent|dollars))": "dates",
    r"\bFT-900\b|\bExhibits? \d+[a-z]?\b": "the release, and its exhibits",
    r"\b(?:HS|NAICS|SITC) ?\d+\b|\bHS-?\d+\b": "chapters and codes of a classification",
    r"\b[Cc]hapter 99\b": "where the tariff schedule has additional duties",
    r"\b95 percent confidence set\b|\blast 24 quarters\b": "the test of turning points: level and window",
    r"\bthe 15 years to\b|\ba window of 13 years\b": "the seasonal adjustment: what it is fitted to",
    r"\b75 to 85 percent of the years left out\b": "the test of a band of revisions",
    r"\b(?:5|10) percent (?:below|above)\b": "the table of revisions: its outer shares",
    r"\$1 billion or more\b": "the league: from where on a change is listed",
    r"^\s*\d+\. ": "the number of a line in a list",
}
NUMERAL = re.compile(r"[-+\N{MINUS SIGN}]?\$?\d[\d.,]*(?<=\d)(?: ?(?:[mb]illion|thousand|percent|%))?")
SAID = {"title", "caption", "subtitle", "note", "source", "names"}  # arguments that a reader sees
PIECES = re.compile(r"<!--.*?-->|<style\b.*?</style>|<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>|[^<]+|<", re.DOTALL)
TOKENS = re.compile(r"(\s*)(\d+(?:[.,]\d+)*|[^\W\d_]+|([-=_])\3{2,}|\S)")
ATTRIBUTES = re.compile(r'([\w-]+)="([^"]*)"')
#: Attributes that a reading holds, and what a page tells of itself in its head.
READ_APART = re.compile(r'\b(?:(alt|title|value)="[^"]*"|(src)="data:image/png;base64,[^"]*")')
OF_ITSELF = re.compile(r'(<meta name="(?:generator|tradelib-[\w-]*)") content="[^"]*"')
WITHIN_A_LINE = re.compile(r"</?(?:a|b|em|strong|span|data|code)\b")
BODY = re.compile(r"<title>(.*?)</title>.*?<body>(.*)</body>", re.DOTALL)
#: What a page says of the notebook it was made of.
MADE_OF = re.compile('<meta name="tradelib-made-of" content="([^"]*)"')
#: What the template says of an earlier edition, which the record names.
EDITION = "<p>Edition {} of this page, made {made} with tradelib {version}, is kept: {name}.html.</p>"
#: What nbconvert shows of an output that has several forms.
SHOWN = ("text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "text/plain")


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a page says something else than its facts: the file, the sentence, what it says and should."""

    file: str
    sentence: str
    says: str = ""
    right: str = ""
    fact: str = ""

    def __str__(self) -> str:
        if not self.says and not self.right:
            return f"{self.file}: {self.sentence}"
        of = f" ({self.fact})" if self.fact else ""
        says, right = (repr(told or "nothing") for told in (self.says, self.right))
        return f"{self.file}: it says {says}, right is {right}{of}, in: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of checking a page: where it is wrong, and which numerals no fact vouches for."""

    faults: tuple[Fault, ...]
    unbound: tuple[str, ...] = ()


class Snippet(NamedTuple):
    """A text as it stands in a page, if it begins a line, its fact, and if one must point at it."""

    text: str
    line: bool = False
    fact: str = ""
    aside: bool = False


class Word(NamedTuple):
    """A word, number or sign, if white space is before it, its fact, and if one must point at it."""

    text: str
    apart: bool
    fact: str
    aside: bool


# --- asking: in the program that made the page, or wants to know of it -----------------------------------

_idle: queue.SimpleQueue[Apart] = queue.SimpleQueue()
_all: list[Apart] = []


def cores() -> int:
    """How many processors this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_beside_kernels = threading.BoundedSemaphore(max(1, cores() // 2))  # each holds a snapshot


def prepare(notebook: str, parameters: dict) -> None:
    """Have a notebook worked out already while it runs, where no process is there yet."""

    def begin() -> None:
        with suppress(TradelibError), _beside_kernels:
            _call(be_ready, notebook, parameters, str(Path.cwd()))

    if not _all:
        threading.Thread(target=begin, daemon=True).start()


def check(texts: dict[str, str], *, limit: int = CELL_LIMIT) -> Verdict:
    """Check a page, given its files' texts by their ends, within so many seconds, as `examine` does."""
    with _beside_kernels:
        return _call(examine, texts, str(Path.cwd()), limit=limit)


def _call(function: Callable, *given: object, limit: int = CELL_LIMIT) -> Any:
    """Call a function in one of the processes, which knows no key, and no snapshot of ours."""
    try:
        process = _idle.get_nowait()
    except queue.Empty:
        _all.append(process := Apart(_forked))
    known = {name: value for name, value in keys.without(os.environ).items() if name != HANDED}
    try:
        found, error, _ = process.call(function, *given, memory=MEMORY, seconds=limit, environment=known)
    except CheckError as ended:
        raise TradelibError(f"It could not be worked out again: {str(ended).splitlines()[0]}") from None
    finally:
        _idle.put(process)
    if error:
        raise error
    return found


def _forked():
    from tradelib.runs.warm import answering  # it imports jupyter_client

    return answering()


def check_all(pages: list[Path]) -> Iterator[tuple[Path, Verdict]]:
    """Check pages, as many at once as there are cores; one that cannot be worked out again is wrong."""

    def one(page: Path) -> Verdict:
        try:
            return _call(examine, texts_of(page), str(Path.cwd()))
        except TradelibError as error:
            return Verdict((Fault(page.name, str(error)),))

    with ThreadPoolExecutor(cores()) as pool:
        yield from zip(pages, pool.map(one, pages), strict=True)


def end() -> None:
    """End the processes that check."""
    while _all:
        _all.pop().end()
    while not _idle.empty():
        _idle.get_nowait()


def pages_of(place: Path) -> list[Path]:
    """Name the pages of a folder, or the one that a file belongs to, without their ends."""
    if place.is_dir():
        found = sorted({*place.glob(f"*{FACTS}"), *place.glob(f"*/*{FACTS}")})
        found = [path for path in found if ".edition-" not in path.name]  # said with an earlier tradelib
        if not found:
            raise TradelibError(f"There is no page in {place}.", ADVICE)
        return [path.with_name(path.name.removesuffix(FACTS)) for path in found]
    for one in (FACTS, PAGE, BOOK):
        if place.name.endswith(one) and place.is_file():
            return [place.with_name(place.name.removesuffix(one))]
    raise TradelibError(f"There is no page {place}.", ADVICE)


def texts_of(page: Path) -> dict[str, str]:
    """Read the files of a page, those that are there."""
    paths = {one: page.with_name(page.name + one) for one in ENDS}
    with files.explained(page, "read", ADVICE):
        found = {one: files.read_kept(path) for one, path in paths.items() if path.is_file()}
    return {one: content.decode(errors="replace") for one, content in found.items()}


# --- answering: in a process of its own ----------------------------------------------------------------


def examine(texts: dict[str, str], folder: str) -> Verdict:
    """Work a page out again and compare its files; `folder` is where its notebook is at home.

    Of a page that is not, to the byte, the one that its notebook was made with, the markup is compared too.
    """
    os.chdir(folder)
    (given, facts), page = documents_of(texts), texts.get(PAGE)
    book = given or _book_of(page or "")
    again, unbound = work_out(book)
    faults = [*itertools.islice(compare(page, given, facts, again), MOST)]
    if page is not None and not faults and not _as_made(page, book):
        faults = [*_in_markup(PAGE, page, _page_again(given or again))]
    made_with = (book["metadata"].get("tradelib") or {}).get("code_sha256", "")
    if faults and made_with not in ("", code_sha256()):
        faults.append(Fault(BOOK, "it was made with another tradelib: make it again, then check it"))
    return Verdict(tuple(faults), (*_typed(again), *unbound))


def documents_of(texts: dict[str, str]) -> tuple[dict, dict]:
    """Read the notebook and the facts of a page; empty where they are not there."""
    found = []
    for end, needed in ((BOOK, {"cells", "metadata"}), (FACTS, {"facts"})):
        try:
            told = json.loads(texts[end]) if end in texts else {}
        except (ValueError, RecursionError) as error:
            raise TradelibError(f"Its {end} file is damaged: it is no JSON ({str(error)[:80]}).") from None
        if end in texts and not (isinstance(told, dict) and needed <= told.keys()):
            raise TradelibError(f"Its {end} file is damaged: it has no {' and no '.join(sorted(needed))}.")
        found.append(told)
    return found[0], found[1]


def _as_made(page: str, book: dict) -> bool:
    """Whether a page is the one whose hash its notebook holds."""
    hashes = (book["metadata"].get("tradelib") or {}).get("files_sha256") or {}
    return hashes.get(PAGE) == sha256(page.encode()).hexdigest()


def compare(page: str | None, book: dict, facts: dict, again: dict) -> Iterator[Fault]:
    """Compare a page, its notebook and its facts, those that are there, with what was worked out again."""
    if book:
        yield from _in_notebook(book, again)
    if page is not None:
        yield from _differ(PAGE, read_page(page), _read_as_page(again))
    if facts:
        yield from _in_facts(facts, again)


def _book_of(page: str) -> dict:
    """Make the notebook of a page that stands alone anew, where it is one of this tradelib's."""
    made = json.loads(html.unescape(MADE_OF.search(page)[1])) if MADE_OF.search(page) else {}
    with suppress(TradelibError):
        text = read_notebook(bundled_notebook(made.get("notebook", ""))).text
        if sha256(text.encode()).hexdigest() == made["notebook_sha256"]:
            return _given(text, made["parameters"])
    raise TradelibError("Its notebook is not beside it.", "Keep the .ipynb file with it.")


def _given(text: str, parameters: dict) -> dict:
    """A notebook with its parameters, as papermill gives them."""
    book = json.loads(text)
    tags = [cell["metadata"].get("tags", []) for cell in book["cells"]]
    at = next(number for number, own in enumerate(tags) if "parameters" in own)
    given = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    own = {"source": given, "id": INJECTED, "metadata": {"tags": [INJECTED]}}
    book["cells"].insert(at + 1, book["cells"][at] | own)
    return book


def be_ready(notebook: str, parameters: dict, folder: str) -> None:
    """Work a notebook out that is yet to be checked."""
    os.chdir(folder)
    _shown_again(_sources_of(_given(notebook, parameters)))
    _marked("")


@cache
def _shell():
    """Make this process one that works pages out again: a shell, no pictures, one snapshot for all pages."""
    import matplotlib as mpl
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from tradelib.style import house

    gc.disable()  # done after each page
    mpl.use("agg")
    house.Chart.drawn = False

    @lru_cache(maxsize=2)
    def taken(release, as_of, strict, _):
        return snapshot.take(release, as_of=as_of, strict=strict)

    def take(release, *, as_of=None, strict=False):
        return taken(release, as_of or None, strict, tuple(vintages.at_hand().items()))

    brief.take = take
    return InteractiveShell.instance(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))


def work_out(book: dict) -> tuple[dict, list[str]]:
    """Run a notebook again: what tradelib shows in it now, and what somebody else does."""
    cells, unbound, shown = [], [], _shown_again(_sources_of(book))
    for number, cell in enumerate(book["cells"]):
        if number in shown:
            new = iter([output for output in shown[number] if _is_ours(output)])
            outputs = [next(new, None) if _is_ours(one) else one for one in map(_whole, cell["outputs"])]
            cell = cell | {"outputs": [*filter(None, outputs), *new]}
            unbound += _foreign(cell)
        cells.append(cell)
    return book | {"cells": cells}, unbound


def _sources_of(book: dict) -> tuple[tuple[int, str], ...]:
    """The code of a notebook by the numbers of the cells, that of the parameters however it is written."""
    found = []
    for number, cell in enumerate(book["cells"]):
        source, tags = text_of(cell["source"]), cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and "skip-execution" not in tags:
            found.append((number, ast.unparse(ast.parse(source)) if INJECTED in tags else source))
    return tuple(found)


@lru_cache(maxsize=1)
def _shown_again(sources: tuple[tuple[int, str], ...]) -> dict[int, list[dict]]:
    """Run the cells of a notebook: what each shows."""
    import matplotlib as mpl
    from IPython.utils.capture import capture_output

    shell, found = _shell(), {}
    shell.reset(new_session=False)
    gc.freeze()  # what is kept for the next pages is not looked through again and again
    with mpl.rc_context():
        for number, source in sources:
            with shell.display_trap, capture_output() as shown:  # in this order: the trap is in force
                ended = shell.run_cell(source, store_history=False)
            if error := ended.error_before_exec or ended.error_in_exec:
                raise TradelibError(f"Cell {number + 1} fails when it is run again: {error}")
            outputs = [_whole({"data": one.data, "metadata": one.metadata}) for one in shown.outputs]
            found[number] = json.loads(json.dumps(outputs))
    return found


def _whole(output: dict) -> dict:
    """An output, its texts whole; printed text is text/plain."""
    data = {"text/plain": output["text"]} if "text" in output else output.get("data") or {}
    whole = {kind: told if isinstance(told, dict) else text_of(told) for kind, told in data.items()}
    return {"data": whole, "metadata": output.get("metadata") or {}}


def _is_ours(output: dict) -> bool:
    """Whether tradelib made an output: a sentence, a brief, a table, a card, a figure in the house style."""
    data, metadata = output["data"], output["metadata"]
    about = metadata.get("image/png") or {}
    told = "text/markdown" in data and not data.get("text/plain", "").startswith("<IPython")
    return told or FACTS_MIME in data or cards.PLAIN in data.get("text/html", "") or bool(about.get("alt"))


def _foreign(cell: dict) -> Iterator[str]:
    """Tell what a cell shows that is no doing of tradelib's and holds a numeral, or may."""
    for output in cell["outputs"]:
        if _is_ours(output):
            continue
        numerals = NUMERAL.findall(output["data"].get("text/plain", ""))
        if numerals or "image/png" in output["data"]:
            told = ", ".join(numerals[:5]) + (" ..." if len(numerals) > 5 else "")
            how = "not by tl.say, tl.published or tl.dress"
            yield f"cell {cell.get('id', '')} shows {told or 'a picture'}, {how}"


# --- what is typed by hand ------------------------------------------------------------------------------


def _typed(book: dict) -> Iterator[str]:
    """Tell the numerals that are typed into the texts of a notebook, and are not declared."""
    for cell in _seen(book):
        source = text_of(cell["source"])
        for text in [source] if cell["cell_type"] == "markdown" else typed_texts(source):
            for numeral in undeclared(text):
                yield f"cell {cell.get('id', '')} has {numeral} typed by hand"


@lru_cache(maxsize=512)
def typed_texts(source: str) -> tuple[str, ...]:
    """List the texts in a code cell that a reader may see, without what stands in braces."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic line: it shows what it shows
        return ()
    said = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        parts = [one.value for one in call.keywords if one.arg in SAID] + (call.args if name == "say" else [])
        said.update(itertools.chain.from_iterable(map(ast.walk, parts)))
    texts = [one for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    prose = [one.value for one in texts if one in said or len(one.value.split()) > 3]
    return tuple(re.sub(r"\{[^{}]*\}", "{}", text) for text in prose)


def undeclared(text: str) -> list[str]:
    """List the numerals of a text that no declared pattern covers."""
    text = re.sub(r"\\([$.*_-])", r"\1", re.sub(r"<[^<>]*>|`[^`]*`|\]\([^)]*\)", " ", text))
    covered = [hit.span() for one in DECLARED for hit in re.finditer(one, text, re.MULTILINE)]
    hits = [hit for hit in NUMERAL.finditer(text) if not re.search(r"[^\W\d_]-?$", text[: hit.start()])]
    return [hit[0] for hit in hits if not any(a <= hit.start() < b for a, b in covered)]


# --- what is seen --------------------------------------------------------------------------------------


def _seen(book: dict) -> list[dict]:
    return [cell for cell in book["cells"] if UNSEEN not in cell["metadata"].get("tags", [])]


def reading_of(text: str) -> Iterator[Snippet]:
    """List what a reader of a piece of HTML sees or can point at, the words on its pictures among it."""
    from tradelib.style import pictures  # brings Pillow

    fact, line = "", True
    for piece in PIECES.findall(text):
        if not piece.startswith("<"):
            yield Snippet(piece, line, fact)
            line = piece[-1].isspace()
            continue
        line = line or not WITHIN_A_LINE.match(piece)
        if piece.startswith("</a"):
            fact = ""
        elif "=" in piece and not piece.startswith(("</", "<!", "<style", "<meta", "<link")):
            told = {name: html.unescape(value) for name, value in ATTRIBUTES.findall(piece)}
            if told.get("class") == "tl-fact":
                fact = told.get("title", "")
            about = told.get("alt") or fact
            lines = [told[name] for name in ("title", "alt", "value") if name in told]
            if told.get("src", "").startswith("data:image/png;base64,"):
                lines += pictures.words_of(told["src"].partition(",")[2])
            for one in lines:
                yield Snippet(html.escape(one), True, about, aside=True)


@lru_cache(maxsize=1 << 15)
def _tokens(text: str) -> tuple[tuple[str, str], ...]:
    """The words, numbers and signs of a text, each with the white space before it; no anchor of a heading."""
    found = TOKENS.findall(html.unescape(text))
    return tuple((gap, token) for gap, token, _ in found if token != "\N{PILCROW SIGN}")


def words_of(snippets: Iterable[Snippet]) -> list[Word]:
    """List the words of some snippets."""
    return [
        Word(token, bool(gap) or (one.line and not n), one.fact, one.aside)
        for one in snippets
        for n, (gap, token) in enumerate(_tokens(one.text))
    ]


def read_page(text: str) -> list[Snippet]:
    """List what a reader sees of a page: its title, and all in its body."""
    found = BODY.search(text)
    if not found:
        return list(reading_of(text))
    before, between = text[: found.start()], text[found.end(1) : found.start(2)]
    outside = [one for one in reading_of(f"{before}{between}{text[found.end() :]}") if one.text.strip()]
    return [*reading_of(f"<p>{found[1]}</p>{found[2]}"), *outside]


def _page_again(book: dict) -> str:
    """Make the page of a notebook, as its maker does."""
    import nbformat

    cells = [
        cell | {"outputs": [{"output_type": "display_data"} | one for one in cell["outputs"]]}
        if cell["cell_type"] == "code"
        else cell
        for cell in book["cells"]
    ]
    told = dict.fromkeys(("version", "fingerprint", "title", "notebook", "notebook_sha256"), "-")
    own = told | {"parameters": told, "editions": []} | (book["metadata"].get("tradelib") or {})
    again = book | {"cells": cells, "metadata": book["metadata"] | {"tradelib": own}}
    return page_of(nbformat.reads(json.dumps(again), as_version=4))


def _markup_of(text: str) -> list[str]:
    """The tags and styles of a page: all that is no text, and decides what is seen of it and does anything.

    What `reading_of` reads in an attribute is left out here.
    """
    tags = (piece for piece in PIECES.findall(text) if piece.startswith("<"))
    return [READ_APART.sub(r'\1\2=""', OF_ITSELF.sub(r"\1", tag)) for tag in tags]


def _in_markup(file: str, page: str, right: str) -> Iterator[Fault]:
    """Name the first place where the markup of two pages differs."""
    both = itertools.zip_longest(_markup_of(page), _markup_of(right), fillvalue="")
    for mine, theirs in both:
        if mine != theirs:
            yield Fault(
                file,
                "its markup, which may hide, add or do something (or is another nbconvert's)",
                mine[:LONGEST],
                theirs[:LONGEST],
            )
            return


def _read_as_page(book: dict) -> list[Snippet]:
    """List what a reader of a notebook's page sees."""
    own, pieces = book["metadata"].get("tradelib") or {}, []
    pieces.append(html.escape(title_of(book) or own.get("title", "")))
    for cell in _seen(book):
        if "annex" in cell["metadata"].get("tags", []):
            pieces.append(_annex())
        pieces += (
            map(_as_html, cell["outputs"])
            if cell["cell_type"] == "code"
            else [_marked(text_of(cell["source"]))]
        )
    pieces += [EDITION.format(number, **one) for number, one in enumerate(own.get("editions", []), 1)]
    return list(reading_of("\n".join(pieces)))


@cache
def _annex() -> str:
    template = (TEMPLATES / "brief" / "index.html.j2").read_text(encoding="utf-8")
    return re.search("<summary>.*</summary>", template)[0]


def _as_html(output: dict) -> str:
    """An output as nbconvert shows it."""
    data, about = output["data"], output["metadata"]
    kind = next((kind for kind in SHOWN if kind in data), "")
    if kind == "text/markdown":
        return _marked(data[kind])
    if kind == "image/png":
        alt = html.escape((about.get(kind) or {}).get("alt", ""))
        return f'<img src="data:image/png;base64,{data[kind].strip()}" alt="{alt}">'
    return data.get(kind, "") if kind != "text/plain" else html.escape(data[kind])


@lru_cache(maxsize=256)
def _marked(text: str) -> str:
    from nbconvert.filters.markdown import markdown2html  # takes a while to import

    return markdown2html(text)


# --- the comparison ------------------------------------------------------------------------------------


def _in_notebook(book: dict, again: dict) -> Iterator[Fault]:
    """Compare what a notebook holds with what it shows when it is run again."""
    for mine, right in zip(book["cells"], again["cells"], strict=True):
        if mine["cell_type"] != "code" or mine.get("outputs") == right.get("outputs"):
            continue
        outputs = itertools.zip_longest(map(_whole, mine["outputs"]), right["outputs"], fillvalue={})
        for says, says_right in outputs:
            for kind in sorted({*says.get("data", {}), *says_right.get("data", {})}):
                told, told_right = (one.get("data", {}).get(kind, "") for one in (says, says_right))
                if told != told_right:
                    faults = [*_of_form(kind, told, told_right)]
                    if not faults and kind in ("text/html", "text/markdown"):
                        faults = [*_in_markup(BOOK, told, told_right)]
                    yield from faults
            about = [json.dumps(one.get("metadata", {}), sort_keys=True) for one in (says, says_right)]
            yield from _differ(BOOK, *([Snippet(one)] for one in about))
    own = book["metadata"].get("tradelib")
    if own:
        yield from _of_values(BOOK, own, own | _record(again), "tradelib")


def _of_form(kind: str, told: object, right: object) -> Iterator[Fault]:
    if kind in (FACTS_MIME, DATA_MIME):
        yield from _of_values(BOOK, told, right, "")
        return
    if kind == "image/png":
        told, right = (f'<img src="data:image/png;base64,{one.strip()}">' for one in (told, right))
    elif kind != "text/html":  # Markdown holds HTML too
        told, right = (one if kind == "text/markdown" else html.escape(one) for one in (told, right))
    yield from _differ(BOOK, list(reading_of(told)), list(reading_of(right)))


def _in_facts(told: dict, again: dict) -> Iterator[Fault]:
    """Compare the file of facts with the facts of the run, and its record with that of the notebook."""
    right, own = facts_of_run(again), again["metadata"].get("tradelib")
    yield from _of_values(FACTS, {name: told.get(name) for name in right}, right, "")
    if own:
        own = own | _record(again) | {"figures": figures_of(again)}
        del own["files_sha256"]
        yield from _of_values(FACTS, told.get("tradelib"), own, "tradelib")


def _record(again: dict) -> dict:
    """What the record of a page says of its title, its headline and the vintages it was made from."""
    own = again["metadata"]["tradelib"]
    told = {"title": title_of(again) or own.get("title"), "headline": headline_of(again)}
    if "vintages" not in own:
        return told
    day = date.fromisoformat(own["parameters"]["as_of"])
    stored = {(one.table, one.published.isoformat()): one for one in vintages.list_vintages()}
    found = [stored.get((one["table"], one["published"])) for one in own["vintages"]]
    made_of = [one and vintages.summary(one) | {"lag_days": one.lag_days(day)} for one in found]
    return told | {"vintages": json.loads(json.dumps(made_of))}


def _of_values(file: str, told: object, right: object, path: str) -> Iterator[Fault]:
    """Name the values in which two JSON values differ."""
    if told == right and type(told) is type(right):
        return
    if isinstance(told, dict) and isinstance(right, dict):
        for name in sorted({*told, *right}):
            yield from _of_values(file, told.get(name), right.get(name), f"{path}.{name}".strip("."))
    elif isinstance(told, list) and isinstance(right, list) and len(told) == len(right):
        for number, pair in enumerate(zip(told, right, strict=True)):
            yield from _of_values(file, *pair, f"{path}[{number}]")
    elif told != right or isinstance(told, bool) or isinstance(right, bool):
        yield Fault(file, path, str(told)[:LONGEST], str(right)[:LONGEST])


def _differ(file: str, page: list[Snippet], right: list[Snippet]) -> Iterator[Fault]:
    """Name the places where two readings differ, each in its sentence."""
    mine, theirs = ([token for snippet in one for _, token in _tokens(snippet.text)] for one in (page, right))
    if mine == theirs:
        return
    page, right = words_of(page), words_of(right)
    start = next(
        (n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs))
    )
    last = min(len(mine), len(theirs)) - start
    same = next((n for n in range(last) if mine[-1 - n] != theirs[-1 - n]), last)
    ends = len(mine) - same, len(theirs) - same
    match = difflib.SequenceMatcher(None, mine[start : ends[0]], theirs[start : ends[1]], autojunk=False)
    for kind, a, b, c, d in match.get_opcodes():
        if kind != "equal":
            says, says_right = page[start + a : start + b], right[start + c : start + d]
            fact = next((word.fact for word in right[start + c : start + max(d, c + 1)]), "")
            before = [word for word in page[: start + a] if not word.aside][-REACH:]
            after = [word for word in page[start + b :] if not word.aside][:REACH]
            sentence = f"... {_joined([*before, *says, *after])} ..."
            yield Fault(file, sentence, _joined(says), _joined(says_right), fact)


def _joined(words: Iterable[Word]) -> str:
    return "".join(f"{' ' * word.apart}{word.text}" for word in words).strip()[:LONGEST]
