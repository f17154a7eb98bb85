"""What a finished notebook says: that it came to its end, its title, headline, facts and figures, its page.

All of it is read from the notebook alone: it is a dict as nbformat reads it, or as JSON does.
"""

import ast
import html
import itertools
import json
import re
import sys
import threading
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from tradelib.briefs.fact import FACTS_MIME
from tradelib.style.tables import DATA_MIME

# With this package jsonschema, which nbformat imports, builds 38 grammars for addresses in any alphabet: most
# of the time that papermill and nbconvert take to import.
sys.modules.setdefault("rfc3987_syntax", None)

INJECTED = "injected-parameters"  # the tag of the cell that papermill adds
HEADLINE = "headline"  # the tag of the cell whose text is the finding of the page
UNSEEN = "remove-cell"  # the tag of a cell that is for who works in the notebook, not for who reads the page
UNSHOWN = {FACTS_MIME, DATA_MIME}  # what of an output no page shows
READ = ("text/markdown", "text/html", "text/plain")  # what of an output a page shows, the first there is
TEMPLATES = Path(__file__).parent / "templates"
IMAGE = re.compile(r"<img\b([^>]*)")
TITLES = re.compile(r"^#[ \t]+(.+?)[ \t]*#*$|<h1\b[^>]*>(.*?)</h1>", re.MULTILINE | re.DOTALL)
#: Marks of HTML and Markdown, and what of them stays in a plain text.
MARKS = (
    (r"<[^>]*>", ""),
    (r"!?\[([^\]]*)\]\([^)]*\)", r"\1"),
    (r"^\s*(?:#{1,6}|>|[-*+])\s+", ""),
    (r"(?<!\\)(\*\*|__|[*`])(?=\S)(.+?)(?<=\S)\1", r"\2"),
    (r"(?<!\w)_(?=\S)(.+?)(?<=\S)_(?!\w)", r"\1"),
    (r"\\([\\`*_{}\[\]()#+.!$<>|~-])", r"\1"),
)


def plain(text: str) -> str:
    """Return a text without the marks of Markdown and HTML, on one line."""
    for mark, stays in MARKS:
        text = re.sub(mark, stays, text, flags=re.MULTILINE)
    return " ".join(html.unescape(text).split())


def text_of(value: str | list[str]) -> str:
    """Return a text of a notebook's file, which may be kept as a list of lines."""
    return value if isinstance(value, str) else "".join(value)


def cause_of_early_end(finished: dict) -> str:
    """Say why a notebook that papermill ran did not come to its end; nothing where it did."""
    code = [c for c in finished["cells"] if c["cell_type"] == "code" and text_of(c["source"]).strip()]
    code = [cell for cell in code if INJECTED not in cell["metadata"].get("tags", [])]
    for number, cell in enumerate(code, 1):
        if any(output.get("ename") == "SystemExit" for output in cell["outputs"]):
            where = "before" if number < len(code) else "in"
            return f"it ended {where} its last cell: code cell {number} of {len(code)} leaves Python"
    statuses = [cell["metadata"].get("papermill", {}).get("status") for cell in code]
    skipped = code and "skip-execution" in code[-1]["metadata"].get("tags", [])
    if set(statuses) <= {"completed"} and (not code or skipped or code[-1].get("execution_count")):
        return ""
    return "it ended before its last cell"


def not_run(finished: dict) -> list[int]:
    """List the code cells, counted from 1, whose outputs are missing or are older than their source."""
    found = []
    for number, cell in enumerate(finished["cells"], 1):
        if cell["cell_type"] != "code" or not text_of(cell["source"]).strip():
            continue
        mark, source, shown = (cell["metadata"].get("tradelib") or {}), *_marks_of(cell)
        stale = mark and mark.get("source") != source and mark.get("outputs") == shown
        if stale or not (cell.get("execution_count") or cell["outputs"]):
            found.append(number)
    return found


def mark_cells(finished: dict) -> None:
    """Note in each code cell which source showed which outputs, for `not_run`."""
    for cell in finished["cells"]:
        if cell["cell_type"] == "code":
            source, shown = _marks_of(cell)
            cell["metadata"]["tradelib"] = {"source": source, "outputs": shown}


def _marks_of(cell: dict) -> tuple[str, str]:
    shown = [
        {key: _joined(value) for key, value in output.get("data", {"text": output.get("text", "")}).items()}
        for output in cell["outputs"]
    ]
    outputs = json.dumps(shown, sort_keys=True, ensure_ascii=False)
    return tuple(sha256(text.encode()).hexdigest()[:16] for text in (text_of(cell["source"]), outputs))


def _joined(value: object) -> object:
    """A text as one string, however its lines are kept; anything else as it is."""
    lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
    return "".join(value) if lines else value


def sources_sha256(finished: dict) -> str:
    """Hash the sources of all cells: what a reader changes when a notebook is edited."""
    cells = [[cell["cell_type"], text_of(cell["source"])] for cell in finished["cells"]]
    return sha256(json.dumps(cells).encode()).hexdigest()


def is_edited(file: bytes) -> bool:
    """Whether the file of a notebook holds other sources than were run; what is no notebook is not edited."""
    try:
        found = json.loads(file)
        own = found["metadata"].get("tradelib", {})
        return sources_sha256(found) != own.get("sources_sha256")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def is_whole(file: bytes, others: dict[str, bytes]) -> bool:
    """Whether what a notebook shows, and the files that were made with it, by their endings, are as made."""
    try:
        found = json.loads(file)
        made = found["metadata"]["tradelib"]["files_sha256"]
        marked = [(cell, cell["metadata"]["tradelib"]) for cell in found["cells"] if _has_mark(cell)]
        if any(mark["outputs"] != _marks_of(cell)[1] for cell, mark in marked):
            return False
        return made == {end: sha256(content).hexdigest() for end, content in others.items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def _has_mark(cell: dict) -> bool:
    """Whether a cell notes what it showed when it was run."""
    return cell["cell_type"] == "code" and bool(cell["metadata"].get("tradelib"))


def _shown(cell: dict) -> Iterator[dict]:
    for output in cell.get("outputs", []):
        yield output.get("data") or ({"text/plain": output["text"]} if output.get("name") == "stdout" else {})


def _seen(finished: dict) -> list[dict]:
    """The cells that are for the reader of the page."""
    return [cell for cell in finished["cells"] if UNSEEN not in cell["metadata"].get("tags", [])]


def title_of(finished: dict) -> str:
    """Return the first heading of level 1, in a Markdown cell or in an output; empty where there is none."""
    for cell in _seen(finished):
        texts = [text_of(cell["source"])] if cell["cell_type"] == "markdown" else []
        texts += [
            text_of(data[kind])
            for data in _shown(cell)
            for kind in ("text/markdown", "text/html")
            if kind in data
        ]
        for text in texts:
            if found := TITLES.search(text):
                return plain(found[1] or found[2])
    return ""


def headline_of(finished: dict) -> str:
    """Return what the cell tagged `headline` shows, as plain text on one line; empty where there is none."""
    for cell in finished["cells"]:
        if HEADLINE in cell["metadata"].get("tags", []):
            if cell["cell_type"] == "markdown":
                return plain(text_of(cell["source"]))
            return plain("\n".join(map(_said, _shown(cell))))
    return ""


def _said(data: dict) -> str:
    """The words of one output: a string without its quotation marks, Markdown instead of `<... object>`."""
    text = text_of(data.get("text/plain", ""))
    if "text/markdown" in data and re.fullmatch(r"<[\w.]+ object.*>", text):
        return text_of(data["text/markdown"])
    if text[:1] in ("'", '"'):
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            return text
    return text


def words_of(finished: dict) -> list[str]:
    """Return what a reader reads, cell by cell and without marks: the same words are the same edition."""
    words = []
    for cell in _seen(finished):
        if cell["cell_type"] == "markdown":
            words.append(plain(text_of(cell["source"])))
        for data in _shown(cell):
            kind = next((kind for kind in READ if kind in data), None)
            words += [plain(text_of(data[kind]))] if kind else []
    return words


def facts_of_run(finished: dict) -> dict:
    """Unite the facts that ride in the outputs of a notebook, and list the data of its charts.

    Of `facts` and `series` the later wins, of all else (partner, release, dates) the first.
    """
    told, united = {}, {"facts": {}, "series": {}}
    for data in (data for cell in finished["cells"] for data in _shown(cell) if FACTS_MIME in data):
        found = data[FACTS_MIME]
        bundle = found if isinstance(found, dict) else json.loads(text_of(found))
        for key, value in bundle.items():
            united[key].update(value) if key in united else told.setdefault(key, value)
    shown = (data for cell in finished["cells"] for data in _shown(cell))
    charts = [data[DATA_MIME] for data in shown if DATA_MIME in data]
    return told | united | ({"charts": charts} if charts else {})


def figures_of(finished: dict) -> list[str]:
    """List the figures by their alternative texts, in order."""
    shown = [data for cell in finished["cells"] for data in _shown(cell) if "image/png" in data]
    return [text_of(data.get("text/plain", "")) for data in shown]


def page_of(finished: dict) -> str:
    """Turn a finished notebook into one page of HTML: no code, no scripts, nothing fetched.

    Figure n has the anchor `#figure-n`; cells tagged `remove-cell` are left out.
    """
    import nbformat  # it takes a while to import
    from nbconvert.exporters import TemplateExporter

    # widgets need scripts; a page shows what is beside them
    metadata = {name: told for name, told in finished["metadata"].items() if name != "widgets"}
    cells = [_without_data(cell) for cell in _seen(finished)]
    page = nbformat.from_dict({**finished, "cells": cells, "metadata": metadata})

    number = itertools.count(1)
    with _one_page_at_a_time:
        # HTMLExporter reads the page again with a parser, for texts and tab stops that ours has already
        text = TemplateExporter.from_notebook_node(_exporter(), page)[0]
    return IMAGE.sub(lambda image: f'<img id="figure-{next(number)}"{_alt(image[1])}{image[1]}', text)


def _without_data(cell: dict) -> dict:
    """A cell without the facts and the data in its outputs, of which a page shows nothing."""
    outputs = [
        {**one, "data": {kind: told for kind, told in one["data"].items() if kind not in UNSHOWN}}
        if "data" in one
        else one
        for one in cell.get("outputs", [])
    ]
    return {**cell, "outputs": outputs} if outputs else cell


def _alt(attributes: str) -> str:
    """What an image is called that nobody has described."""
    described = re.search(r"\balt=", attributes)
    return "" if described else ' alt="No description has been provided for this image"'


_one_page_at_a_time = threading.Lock()  # the exporter holds what it works on


@cache
def _exporter():
    """nbconvert's exporter with our template, which takes long to compile."""
    from nbconvert import HTMLExporter  # it takes a second to import
    from nbconvert.filters import Highlight2HTML
    from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

    exporter = HTMLExporter(
        template_name="brief",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_output_prompt=True,
        optimistic_validation=True,  # once, not after each step
    )
    exporter.register_filter("highlight_code", Highlight2HTML())  # the base of our template names it
    exporter.register_filter("filter_data_type", WidgetsDataTypeFilter(notebook_metadata={}))
    return exporter
