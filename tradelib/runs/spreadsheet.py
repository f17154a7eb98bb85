"""A spreadsheet of a finished page: its figures, one table a sheet, fit for a screen reader too.

Cover and notes come first; each table begins in the first column under its title, has one row of headers
marked as such, and no merged or empty cells between, as the UK's guidance on accessible spreadsheets asks.
"""

import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from tradelib.errors import TradelibError
from tradelib.runs.jobs import ENDS
from tradelib.store import files
from tradelib.style.words import ENDINGS, column

END, CREATOR = ".xlsx", "tradelib"
HEAD = ["Figure", "Value", "Unit", "Window", "Basis", "Table", "Vintage", "Lag, days", "Note", "Id"]
SHEETS = {"goods": "Goods", "commodity": "Commodities", "services": "Services", "total": "Goods and services"}
FORMATS = {"USD": "#,##0", "percent": "0.0"}
WIDEST = 60
NONE, UNDATED = "not available", "not applicable"


def write(page: Path | str, *, to: Path | None = None) -> Path:
    """Write the spreadsheet of a page, beside it unless told where; `page` is one of its three files."""
    beside = beside_page(page)
    if not to and beside.exists() and not is_there(page):
        raise TradelibError(f"{beside} is another's: it is not written over.", "Give --to a file of yours.")
    facts = beside.with_name(f"{beside.name.removesuffix(END)}{ENDS[2]}")
    content = made_of(files.read_bytes(facts, advice="Give a page that has its facts beside it."), page)
    files.write_over(to or beside, content, advice="Give --to a file of yours.")
    return to or beside


def made_of(facts: bytes, page: Path | str) -> bytes:
    """Return the spreadsheet of a page as the bytes of its file, made of the file of its facts."""
    try:
        return workbook(json.loads(facts))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise TradelibError(f"{page} has no facts that can be read.", "Make the page again.") from None


def is_there(page: Path | str) -> bool:
    """Whether the spreadsheet of a page lies beside it; data of a user's own may have its name."""
    try:
        with zipfile.ZipFile(io.BytesIO(files.read_kept(beside_page(page)))) as held:
            return f">{CREATOR} ".encode() in held.read("docProps/core.xml")
    except (OSError, LookupError, ValueError, RuntimeError, zipfile.BadZipFile):
        return False


def beside_page(page: Path | str) -> Path:
    """Say where the spreadsheet of a page lies unless told; `page` is one of its files, or their stem."""
    place = files.located(page)
    stem = next((place.name.removesuffix(end) for end in ENDS if place.name.endswith(end)), place.name)
    return place.with_name(f"{stem}{END}")


def workbook(told: dict) -> bytes:
    """Return the workbook of a file of facts."""
    from openpyxl import Workbook  # takes a fifth of a second, and is needed here only

    book = Workbook()
    book.remove(book.active)
    own, tables = told["tradelib"], dict(_tables(told))
    book.properties.title = title = f"U.S. trade with {told['partner']['name']}, {told['release']}"
    book.properties.creator, book.properties.language = f"{CREATOR} {own['version']}", "en-US"
    lines = [own.get("headline", ""), f"FT-900 of {told['release']}, as of {told['as_of']}."]
    lines += [f"Sheet {name}: {caption}." for name, (caption, _) in tables.items()]
    _sheet(book, "Cover", title, [["Contents"], *([line] for line in lines if line)])
    _sheet(book, "Notes", f"{title}: sources and notes", [["Source", "Published", "Note"], *_notes(told)])
    for name, (caption, rows) in tables.items():
        _sheet(book, name, f"{title}: {caption}", rows)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _tables(told: dict) -> Iterable[tuple[str, tuple[str, list]]]:
    """The tables by the names of their sheets, with what each is, and rows of which the first is the head."""
    by_part: dict[str, list] = {}
    for id, fact in told["facts"].items():
        by_part.setdefault(id.split(".")[0], []).append(_row(id, fact))
    for part, rows in by_part.items():
        name = SHEETS.get(part, part.capitalize())
        yield name, (f"figures on {name.lower()}", [HEAD, *rows])
    for n, chart in enumerate(told.get("charts", []), 1):
        heads = _apart([_headed(one["name"]) for one in chart["columns"]])
        rows = zip(*(one["values"] for one in chart["columns"]), strict=True)
        yield f"Chart {n}", (chart["title"].rstrip("."), [heads, *rows])
    for n, (id, series) in enumerate(told.get("series", {}).items(), 1):
        periods = pd.period_range(series["since"], periods=len(series["values"]), freq=series["freq"])
        rows = [[str(when), value] for when, value in zip(periods, series["values"], strict=True)]
        head = ["Period", f"{id}, {series['unit']}"]
        yield f"Series {n}", (f"{id}, from {series['table']}, vintage of {series['vintage']}", [head, *rows])


def _apart(heads: list[str]) -> list[str]:
    """Headers of which none is empty and no two are the same but for capitals: else Excel mends it."""
    found: dict[str, str] = {}
    for head in heads:
        names = itertools.chain([head or "Column"], (f"{head or 'Column'} {n}" for n in itertools.count(2)))
        name = next(name for name in names if name.lower() not in found)
        found[name.lower()] = name
    return list(found.values())


def _headed(name: str) -> str:
    """The header of a chart's column, with its unit: dollars are whole here, as in all sheets."""
    text, ending = column(name)
    return ", ".join(filter(None, [text, ENDINGS.get(ending, "").replace("$", "USD")]))


def _row(id: str, fact: dict) -> list:
    """One figure; where there is none, the reason stands in its note."""
    label = fact["text"].rsplit(": ", 1)[0]
    adjusted = {"not needed": "by year"}.get(fact["adjustment"], fact["adjustment"])
    basis = ", ".join(filter(None, (fact["basis"], adjusted)))
    note = fact["reason"] or (fact["vintage_method"] if fact["vintage_lag_days"] else "")
    value = (
        fact["value"] if isinstance(fact["value"], int | float | str) else fact["text"].rsplit(": ", 1)[-1]
    )
    told = [fact["unit"], fact["window"], basis, fact["table"], fact["vintage"], fact["vintage_lag_days"]]
    return [label, value if fact["reason"] is None else NONE, *told, note, id]


def _notes(told: dict) -> list[list]:
    rows = [
        [one["table"], one["published"], "; ".join(source["name"] for source in one["sources"])]
        for one in told["tradelib"].get("vintages", [])
    ]
    explained = {
        "Units": "USD are whole dollars; 11.1 percent is 11.1.",
        "Bases": "Census and BOP figures are never added or compared. A deficit is negative.",
        "Lag": "Days by which the vintage is later than the day whose knowledge is told.",
    }
    return [*rows, *([name, UNDATED, told] for name, told in explained.items())]


def _shown(value: object, illegal: re.Pattern) -> object:
    """A value as a cell can hold it."""
    if isinstance(value, str):
        return illegal.sub("", value)
    return NONE if value is None or value != value else value


def _sheet(book, name: str, title: str, rows: list[list]) -> None:
    """A sheet with its title, and one table whose head is marked; what is missing says so."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.table import Table, TableStyleInfo

    sheet = book.create_sheet(name)
    (title,), *rows = [[_shown(value, ILLEGAL_CHARACTERS_RE) for value in row] for row in [[title], *rows]]
    sheet.cell(1, 1, title).font = Font(bold=True, size=14)
    head = rows[0]
    rows += [] if rows[1:] else [[NONE] * len(head)]  # a table of a head alone is none to Excel
    for y, row in enumerate(rows, 2):
        for x, value in enumerate(row, 1):
            cell = sheet.cell(y, x, value)
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins with "=" is no formula
                cell.alignment = Alignment(wrap_text=True, vertical="top")
            else:
                unit = head[x - 1].rpartition(", ")[2]
                if "Unit" in head and x == 2:
                    unit = row[head.index("Unit")]
                cell.number_format = FORMATS.get(unit, "General")
    for x, values in enumerate(zip(*rows, strict=True), 1):
        width = max(len(str(value)) for value in values) + 2
        sheet.column_dimensions[get_column_letter(x)].width = min(width, 100 if len(head) == 1 else WIDEST)
    table = Table(displayName=name.replace(" ", "_"), ref=f"A2:{get_column_letter(len(head))}{len(rows) + 1}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    sheet.add_table(table)
    sheet.freeze_panes = "A3"
