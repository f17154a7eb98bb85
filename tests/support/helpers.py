"""What several test modules share: originals read once, sheets in the files' own shape, raw readings.

The readings under "without tradelib" import nothing of it: they are the second opinion.
"""

import ast
import contextlib
import csv
import io
import json
import re
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
VINTAGES = ROOT / "tradelib" / "data" / "vintages"
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
LETTERS = {"imports": "I", "exports": "E"}
#: Each copy of country.xlsx and its last month with figures, as data/PROVENANCE.md tells them.
COPIES = {
    "country_2012-02-10.csv": "2011-12",
    "country_2017-01-06.csv": "2016-11",
    "country_2018-10-05.xlsx": "2018-08",
    "country_2020-10-06.xlsx": "2020-08",
    "country_2023-03-08.xlsx": "2023-01",
    "country_2024-10-08.xlsx": "2024-08",
    "country_2025-04-03.csv": "2025-02",
}
BEA_COPY = "trad-geo-time-series_2025-03-06.xlsx"


# --- the package's own readings, done once ------------------------------------------------------


@cache
def opened(path: Path):
    """Open an original as the public command does, before any parsing."""
    from tradelib.sources import ingest

    return ingest.open_file(path.read_bytes())


@cache
def parsed(path: Path) -> pd.DataFrame:
    """Parse and check a copy of country.xlsx."""
    from tradelib import tables as flows
    from tradelib.sources import census_files

    return flows.check_flows(census_files.parse_country(opened(path)), "goods_census_nsa")


@cache
def snapshot(release: str, as_of: str | None = None):
    """Take a snapshot of the bundled vintages, shared by the tests that only read it."""
    from tradelib import take

    return take(release, as_of=as_of)


@cache
def sheet(who: str, release: str, as_of: str | None = None):
    """Work out the facts of one partner."""
    from tradelib import brief

    return brief(who, snapshot(release, as_of))


@cache
def everyone(release: str, as_of: str | None = None) -> dict:
    """The briefs of all partners of a release by code; their tests run together, see conftest."""
    from tradelib import brief, covered_partners

    taken = snapshot(release, as_of)
    return {code: brief(code, taken) for code in covered_partners(taken)}


@cache
def audited(article: str = "kei-2018-09-05", as_of: str = "2025-04-03") -> list:
    """An article's claims judged in the bundled vintages; it takes long."""
    from tradelib.studies.claims import load_article
    from tradelib.studies.ledger import audit

    return audit(load_article(article), as_of=as_of)


def altered(brief, values: dict[str, object], fields: dict[str, dict] | None = None):
    """A copy of a brief in which some facts have other values, and other fields, by id."""
    from dataclasses import replace

    copy = type(brief)(brief.partner, brief.snapshot)
    copy.update(brief)
    for id, value in values.items():
        reason = "made up" if value is None else None
        copy[id] = replace(
            copy[id], value=value, reason=reason, more=copy[id].more | (fields or {}).get(id, {})
        )
    return copy


# --- what the notebooks say ---------------------------------------------------------------------


@cache
def cells(notebook: str = "release.ipynb") -> dict[str, ast.Call]:
    """The last expression of each code cell that is a call, by the cell's id."""
    book = json.loads((ROOT / "notebooks" / notebook).read_text(encoding="utf-8"))
    last = {
        cell["id"]: ast.parse("".join(cell["source"])).body[-1]
        for cell in book["cells"]
        if cell["cell_type"] == "code"
    }
    return {id: line.value for id, line in last.items() if isinstance(getattr(line, "value", 0), ast.Call)}


@cache
def _argument(cell: str, name: str, notebook: str) -> str | None:
    """A text that a cell's call is given: the last argument by place, or one by name."""
    call = cells(notebook)[cell]
    node = next((one.value for one in call.keywords if one.arg == name), None)
    node = call.args[-1] if node is None and name == "text" else node
    return None if node is None else ast.literal_eval(node)


def charts_in(notebook: str) -> list[str]:
    """The functions of charts that cells of a notebook call last."""
    rooms = ("charts", "league", "revisions", "seasonal", "tariffs")
    calls = [ast.unparse(call.func).split(".") for call in cells(notebook).values()]
    return [name[-1] for name in calls if name[0] in rooms]


def passages(notebook: str = "release.ipynb") -> list[str]:
    """The ids of the cells that say something."""
    return [id for id, call in cells(notebook).items() if ast.unparse(call.func) == "tl.say"]


def figures(notebook: str = "release.ipynb") -> list[str]:
    """The ids of the cells that draw a chart below a title."""
    return [id for id in cells(notebook) if _argument(id, "title", notebook)]


def titles(notebook: str = "release.ipynb") -> dict[str, str]:
    """The titles as they stand in a notebook, by the name of the function that draws the figure."""
    return {cells(notebook)[id].func.attr: _argument(id, "title", notebook) for id in figures(notebook)}


def said(cell: str, brief, notebook: str = "release.ipynb"):
    """What a cell of a notebook says of a brief."""
    from tradelib import say

    return say(brief, _argument(cell, "text", notebook))


def titled(cell: str, brief, notebook: str = "release.ipynb") -> str:
    """The title that a cell of a notebook gives its chart."""
    from tradelib.briefs.sentences import title

    return title(brief, _argument(cell, "title", notebook))


def drawn(cell: str, brief, notebook: str = "release.ipynb"):
    """The chart that a cell of a notebook draws of a brief or study; None where there is nothing to draw."""
    from tradelib.briefs import charts
    from tradelib.studies import league, revisions, seasonal, tariffs

    rooms = {"charts": charts, "league": league, "revisions": revisions, "seasonal": seasonal}
    rooms["tariffs"] = tariffs
    call = cells(notebook)[cell]
    draw = getattr(rooms[call.func.value.id], call.func.attr)
    between = [ast.literal_eval(argument) for argument in call.args[1:]]
    named = {one.arg: ast.literal_eval(one.value) for one in call.keywords if one.arg != "title"}
    return draw(brief, *between, title=_argument(cell, "title", notebook), **named)


def run_here(book, place: Path | None = None):
    """Run a notebook in this process as a kernel would, in a folder; its cells hold what they show.

    It has the snapshots that this process took, and starts no kernel, which takes seconds.
    """
    import matplotlib as mpl
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from nbformat.v4 import new_output
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    try:
        with contextlib.chdir(place or Path.cwd()), mpl.rc_context():
            for cell in (cell for cell in book.cells if cell.cell_type == "code"):
                with shell.display_trap, capture_output() as shown:
                    ended = shell.run_cell(cell.source)
                ended.raise_error()
                printed = {"stdout": shown.stdout, "stderr": shown.stderr}
                cell.outputs = [new_output("stream", name=n, text=t) for n, t in printed.items() if t]
                told = [one for one in shown.outputs if one.data]  # none where an object displays itself
                cell.outputs += [new_output("display_data", o.data, metadata=o.metadata) for o in told]
    finally:
        shell.restore_sys_module_state()
        InteractiveShell.clear_instance()
    return book


# --- sheets in the shape of the published files -------------------------------------------------


def country_sheet(flows: pd.DataFrame) -> pd.DataFrame:
    """Tidy goods by partner and month -> the sheet of country.xlsx: $ million, 0 where not out yet."""
    from tradelib.partners import all_partners

    names = all_partners().set_index("code")["name"]
    year, month = flows["period"].dt.year, flows["period"].dt.month
    columns = flows["flow"].map(LETTERS) + month.map(dict(enumerate(MONTHS, 1)))
    tidy = pd.DataFrame({"CTY_CODE": flows["partner"], "year": year, "column": columns})
    tidy["value"] = flows["value_usd"] / 1e6
    wide = tidy.pivot(index=["CTY_CODE", "year"], columns="column", values="value").fillna(0)
    for letter in "IE":
        for name in MONTHS:
            if letter + name not in wide:
                wide[letter + name] = 0.0
        wide[letter + "YR"] = wide[[letter + name for name in MONTHS]].sum(axis=1).round(6)
    wide = wide.reset_index()
    wide["CTYNAME"] = wide["CTY_CODE"].map(names)
    order = ["year", "CTY_CODE", "CTYNAME"]
    order += [letter + name for letter in "IE" for name in [*MONTHS, "YR"]]
    return wide[order].rename_axis(columns=None)


def seasonal_sheet(flows: pd.DataFrame) -> pd.DataFrame:
    """Tidy seasonally adjusted goods -> the sheet of ctyseasonal.xlsx: dollars, blank if not out."""
    from tradelib.partners import SEASONAL_GROUPS, all_partners

    names = all_partners().set_index("code")["name"]
    codes = {canonical: code for code, canonical in SEASONAL_GROUPS.items()}
    rows = []
    for (partner, year), group in flows.groupby(["partner", flows["period"].dt.year]):
        row = {"year": year, "cty_code": codes.get(partner, partner), "cty_desc": names[partner]}
        by_flow = {
            flow: dict(zip(part["period"].dt.month, part["value_usd"], strict=True))
            for flow, part in group.groupby("flow")
        }
        exports, imports = by_flow["exports"], by_flow["imports"]
        blocks = {"B": {m: exports[m] - imports[m] for m in exports}, "E": exports, "I": imports}
        for letter, values in blocks.items():
            for n, name in enumerate(MONTHS, 1):
                row[letter + name] = values.get(n, np.nan)
            for quarter in range(4):
                months = range(3 * quarter + 1, 3 * quarter + 4)
                whole = all(m in values for m in months)
                row[f"{letter}Q{quarter + 1}"] = sum(values[m] for m in months) if whole else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def bea_sheets() -> dict[str, list[list]]:
    """A small workbook in the shape of BEA's: three areas, goods near the true ones."""
    areas = ["Korea, South", "Vietnam", "South/\nCentral America"]
    periods = [2015.0, 2016.0, "2017 1 ", "2017 2 ", "2017 3 ", "2017 4 ", "2018 1 (R)", "2018 2"]
    sheets = {"Readme": [["Last updated September 5, 2018"], [""], ["Table of Contents"]]}
    words = {"total": "Goods and Services", "goods": "Goods", "services": "Services"}
    number = 0
    for item, name in words.items():
        for flow, of in (("Exports", "of"), ("Imports", "of"), ("Balance", "on")):
            number += 1
            rows = [
                ["Last updated September 5, 2018"],
                [f"Table {number}. U.S. International Trade by Selected Countries and Areas"],
                [f"{flow} {of} {name}"],
                ["[Millions of dollars, quarters seasonally adjusted]"],
                [""],
                ["Period", *areas],
                ["Annual", *[""] * len(areas)],
            ]
            for n, period in enumerate(periods):
                if n == 2:
                    rows.append(["Quarterly", *[""] * len(areas)])
                rows.append([period, *[_bea_cell(n, area, item, flow) for area in range(len(areas))]])
            rows += [[""], ["(R) Revised"], ["n.a. Not available"], ["NOTES:"], ["2018 figures are early."]]
            sheets[f"Table {number}"] = rows
    return sheets


def _bea_cell(n: int, area: int, item: str, flow: str):
    if area == 1 and n in (2, 3) and item != "goods":  # services by quarter were not compiled yet
        return "n.a."
    sold, bought = [(13000, 17800), (2300, 11800), (39000, 28500)][area]  # in a quarter of 2017
    whole = 4 * 0.9 if n < 2 else 1  # years before: 2015 and 2016
    exports = {"goods": sold * whole + 10 * n, "services": 40.0 + n + area}
    imports = {"goods": bought * whole + 5 * n, "services": 30.0 + n + area}
    for side in (exports, imports):
        side["total"] = side["goods"] + side["services"]
    return {"Exports": exports, "Imports": imports}.get(flow, {}).get(item, exports[item] - imports[item])


def write_xlsx(path: Path, sheets: dict[str, list[list]]) -> Path:
    """Write rows of cells as a workbook, with openpyxl: not the library that reads them."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append([None if isinstance(cell, float) and np.isnan(cell) else cell for cell in row])
    book.save(path)
    return path


def grid_rows(grid: pd.DataFrame) -> list[list]:
    """A grid as rows of cells, the header first."""
    return [list(grid.columns), *grid.astype(object).to_numpy().tolist()]


def csv_bytes(grid: pd.DataFrame, end: str = "\n") -> bytes:
    """A grid as a CSV file with a given line end."""
    return grid.to_csv(index=False, lineterminator=end).encode()


def wire(rows: list[list[str]]) -> bytes:
    """Rows as the Census API sends them: an array of arrays, one to a line, all strings."""
    cells = [[str(cell) for cell in row] for row in rows]
    text = json.dumps(cells, ensure_ascii=False, separators=(",", ":"))
    return text.replace('"],["', '"],\n["').encode()


# --- without tradelib ---------------------------------------------------------------------------


@cache
def raw_rows(table: str, published: str) -> pd.DataFrame:
    """The rows of a bundled file by plain pyarrow: period is a date, the first day of it."""
    path = VINTAGES / f"table={table}" / f"published={published}" / "flows.parquet"
    frame = pq.ParquetFile(path).read().to_pandas()
    return frame.assign(period=pd.to_datetime(frame["period"]).dt.strftime("%Y-%m"))


def raw_sum(table: str, published: str, months: list[str], **where: str) -> float | None:
    """Add up rows of a bundled file by plain comparison; None unless every month is there."""
    frame = raw_rows(table, published)
    keep = frame["period"].isin(months)
    for column, value in where.items():
        keep &= frame[column] == value
    values = frame.loc[keep, "value_usd"].tolist()
    return sum(values) if len(values) == len(months) and not any(v != v for v in values) else None


@cache
def csv_cells(path: Path) -> dict[tuple[str, str, str], int]:
    """Whole dollars of a CSV copy of country.xlsx by (code, YYYY-MM, flow), with the csv module."""
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    cells = {}
    for row in csv.DictReader(io.StringIO(text)):
        if not row["year"].strip():
            continue
        for flow, letter in LETTERS.items():
            for n, name in enumerate(MONTHS, 1):
                key = row["CTY_CODE"].zfill(4), f"{row['year']}-{n:02d}", flow
                cells[key] = round(float(row[letter + name]) * 1e6)
    return cells


#: A cell of a sheet: its column, its attributes, and its number or the place of its text.
CELL = re.compile(r'<c r="([A-Z]+)\d+"([^>]*?)(?:/>|><v>([^<]*)</v></c>)')


@cache
def workbook_cells(path: Path) -> dict[tuple[str, str, str], int]:
    """Whole dollars of a country workbook by (code, YYYY-MM, flow), from the XML in it."""
    with zipfile.ZipFile(path) as book:
        items = book.read("xl/sharedStrings.xml").decode().split("<si>")[1:]
        rows = book.read("xl/worksheets/sheet1.xml").decode().split("<row ")[1:]
    texts = ["".join(re.findall(r"<t[^>]*>([^<]*)", item)).strip() for item in items]
    head, *rows = (
        {column: texts[int(value)] if 't="s"' in kind else value for column, kind, value in CELL.findall(row)}
        for row in rows
    )
    column, cells = {name: column for column, name in head.items()}, {}
    for row in rows:
        if year := row.get(column["year"]):
            code = row[column["CTY_CODE"]].zfill(4)
            for flow, letter in LETTERS.items():
                for n, name in enumerate(MONTHS, 1):
                    usd = float(row[column[letter + name]]) * 1e6
                    cells[code, f"{int(float(year))}-{n:02d}", flow] = round(usd)
    return cells


@cache
def bea_cells(path: Path, table: int) -> dict[tuple[str, str], object]:
    """Cells of one table of BEA's workbook by (period label, area), with openpyxl."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    rows = book[f"Table {table}"].iter_rows(values_only=True)
    cells, areas = {}, None
    for row in rows:
        if row and row[0] == "Period":
            areas = row
        elif areas and row and row[0] is not None:
            label = str(row[0]).replace("(R)", "").strip()
            cells |= {(label, area): cell for area, cell in zip(areas[1:], row[1:], strict=False)}
    book.close()
    return cells


# --- small notebooks of the release kind --------------------------------------------------------

PARAMETERS = 'partner: str = "KOR"  # who\nrelease: str = "2018-07"  # month\nas_of: str = ""  # day'
LAST_CELL = "print('the end')"
#: Writes one line for each notebook that comes so far.
LOG_CELL = "import os\nwith open(os.environ['RUNS_LOG'], 'a') as log: print(partner, file=log)"


#: Starts a warm process that imports what a kernel needs by itself, which takes a fifth of the time of all.
LEAN_START = "import sys; sys.path[:] = filter(None, sys.path); import tradelib.runs.warm_process as it; "
LEAN_START += "it.libraries = lambda further: it.LIBRARIES[:4]; it.serve()"
#: Lets the warm process of a program be such a one, where no notebook draws; and the command with it.
LEAN = f"from tradelib.runs import warm; warm.START, warm.FURTHER = {LEAN_START!r}, ()\n"
LEAN_COMMAND = f"{LEAN}from tradelib.cli.main import main; main()"


def book_of(folder: Path, *cells: str, parameters: str = PARAMETERS) -> Path:
    """Write release.ipynb from the sources of its cells, the same bytes each time."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    first = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    book = new_notebook(cells=[first, *map(new_code_cell, cells)])
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "release.ipynb"
    nbformat.write(book, path)
    return path


def logged(path: Path) -> list[str]:
    """The lines that `LOG_CELL` wrote."""
    return path.read_text().split() if path.exists() else []
