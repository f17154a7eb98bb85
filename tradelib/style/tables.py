"""Tables ready to print: units in the headers, names for codes, and every form a table is needed in."""

import functools
import html
import itertools
import textwrap
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from tradelib.cards import PLAIN
from tradelib.errors import TradelibError
from tradelib.partners import all_partners
from tradelib.style.words import ENDINGS, UNITS, Text, Unit, capital, column, credit, number, source_line
from tradelib.tables import PROVENANCE

FREQUENCIES = {"M": "Month", "Q": "Quarter", "Y": "Year"}
#: What goes above the table where all its rows agree; a table of one row keeps who it is about.
COMMON, WHO = ["partner", "name", "item", *PROVENANCE], ("partner", "name", "vintage")
SMALL_POINTS = 1.0  # the largest of what is told in points, below which a second decimal is shown
LONG = 40  # characters; a longer text may be broken
FORMS = (".xlsx", ".docx", ".tex", ".html", ".md", ".png", ".svg", ".pdf")
#: From how many dollars on the unit "auto" is this one.
AUTO = {"million": 1e7, "thousand": 1e4}
DATA_MIME = "application/vnd.tradelib.data+json"  # the data of a chart, in a notebook's output
RULE, HEAVY = "1px solid", "2px solid"
TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
TEX |= {one: f"\\{one}" for one in "&%$#_{}"} | {"\N{MINUS SIGN}": "$-$", "\N{NO-BREAK SPACE}": "~"}


@dataclass(frozen=True)
class Column:
    """One column of a printed table: numbers as they are counted there, or texts."""

    header: str
    values: pd.Series
    group: str = ""  # what stands above several headers
    unit: str = ""
    digits: int | None = None  # None: a text
    sign: bool = False
    is_year: bool = False  # a number without a separator of thousands

    @property
    def title(self) -> str:
        """The header with its unit."""
        return ", ".join(filter(None, [self.header, self.unit]))

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers, which stand at the right."""
        return self.digits is not None

    @functools.cached_property
    def is_long(self) -> bool:
        """Whether its texts may be broken over several lines."""
        return not self.is_number and any(len(str(value)) > LONG for value in self.values)

    def places(self, value: float) -> int:
        """Decimals of one value: an amount below ten of a scaled unit has one."""
        return self.digits or int("$ " in self.unit and 0 < abs(value) < 9.95)

    def cell(self, value) -> str:
        """Write one value."""
        if self.is_year:
            return f"{value:.0f}"
        return number(value, self.places(value), sign=self.sign) if self.is_number else str(value)


class PublishedTable:
    r"""A table ready to print, in every form it is needed in. Made by `published`.

    The last line of a cell shows it. `save` writes it to a file whose name says the form; the methods
    give the forms that are text. All show the same figures, rounded for readers; a spreadsheet holds the
    whole numbers in the unit of the header.

    Attributes
    ----------
    data : DataFrame
        The table as shown: headers, units and order of the print, figures not rounded.
    caption, source : str
        What stands above and below it.

    Examples
    --------
    >>> from tradelib import by_vintage, published
    >>> korea = published(by_vintage(partner="KOR", through="2018-07"), caption="South Korea")
    >>> korea.to_markdown().splitlines()[0]
    'South Korea'
    >>> r"\shortstack[r]{Exports,\\ \$ million}" in korea.to_latex()
    True
    """

    def __init__(
        self, columns: Sequence[Column], stressed: Sequence[bool], *, caption="", source="", na="n.a."
    ):
        self.columns, self.stressed, self.na = tuple(columns), tuple(stressed), na
        self.caption, self.source = caption, source

    @property
    def data(self) -> pd.DataFrame:
        """The table as shown, its figures not rounded."""
        names = [(one.group, one.title) if self.grouped else one.title for one in self.columns]
        frame = pd.concat([one.values for one in self.columns], axis=1)
        return frame.set_axis(pd.MultiIndex.from_tuples(names) if self.grouped else names, axis=1)

    @property
    def grouped(self) -> bool:
        """Whether there is a second line of headers, above the others."""
        return any(one.group for one in self.columns)

    @property
    def cells(self) -> list[list[str]]:
        """The rows as texts."""
        columns = [
            [self.na if pd.isna(value) else one.cell(value) for value in one.values] for one in self.columns
        ]
        return [list(row) for row in zip(*columns, strict=True)]

    @property
    def style(self):
        """The same as a Styler of pandas, for what only that can do."""
        forms = {title: one.cell for title, one in zip(self.data, self.columns, strict=True)}
        styler = self.data.style.hide(axis="index").format(forms, na_rep=self.na, escape="html")
        return styler.set_caption(html.escape(self.caption))

    def __len__(self) -> int:
        return len(self.stressed)

    def __repr__(self) -> str:
        return self._lined("simple")

    def _repr_html_(self) -> str:
        return self.to_html()

    def _lined(self, form: str, escape=str) -> str:
        """Write the rows with the help of tabulate; a group goes before its header."""
        heads = [": ".join(filter(None, [one.group, one.title])) for one in self.columns]
        rows = [[escape(cell) for cell in row] for row in self.cells]
        if form == "pipe":
            marked = zip(rows, self.stressed, strict=True)
            rows = [[f"**{cell}**" if own and cell else cell for cell in row] for row, own in marked]
        sides = ["right" if one.is_number else "left" for one in self.columns]
        body = tabulate(
            rows, map(escape, heads), tablefmt=form, colalign=sides if rows else None, disable_numparse=True
        )
        return "\n\n".join(filter(None, [self.caption, body, self.source]))

    def to_markdown(self) -> Text:
        """Return the table in Markdown, which a notebook shows as a table."""
        return Text(self._lined("pipe", lambda text: text.replace("|", "\\|").replace("\n", " ")))

    def to_html(self) -> str:
        """Return the table as a piece of HTML that holds its own style: for a page, a mail, Word or a slide.

        What is pasted stays a table with its lines, and numbers stay at the right.
        """
        heads = [self._group_cells()] if self.grouped else []
        heads.append(
            [_cell("th", one.title.replace("$ ", "$\N{NO-BREAK SPACE}"), one) for one in self.columns]
        )
        rows = [
            [_cell("td", cell, one, bold=bold) for cell, one in zip(row, self.columns, strict=True)]
            for row, bold in zip(self.cells, self.stressed, strict=True)
        ]
        heads[0] = [_with_line(cell, "top", HEAVY) for cell in heads[0]]
        heads[-1] = [_with_line(cell, "bottom", RULE if rows else HEAVY) for cell in heads[-1]]
        rows[-1:] = [[_with_line(cell, "bottom", HEAVY) for cell in row] for row in rows[-1:]]
        above = "caption-side:top;text-align:left;font-weight:600;padding:.3em 0"
        above += ";position:sticky;left:0;max-width:88vw"  # in sight where the table is scrolled
        head = f'<caption style="{above}">{html.escape(self.caption)}</caption>' if self.caption else ""
        small = "text-align:left;font-size:85%;padding:.4em .9em"
        foot = f'<td colspan="{len(self.columns)}" style="{small}">{html.escape(self.source)}</td>'
        return (
            f'<div class="{PLAIN}" style="overflow-x:auto" tabindex="0" role="group" '
            f'aria-label="{html.escape(self.caption or "Table")}">'
            f'<table class="tradelib-table" style="border-collapse:collapse">{head}\n'
            f"<thead>{''.join(map(_row, heads))}</thead>\n<tbody>\n"
            + "\n".join(map(_row, rows))
            + f"\n</tbody>{f'<tfoot>{_row([foot])}</tfoot>' if self.source else ''}</table></div>"
        )

    def _group_cells(self) -> list[str]:
        """Write the line of groups, each over its columns."""
        cells = []
        for start, end in _runs([one.group for one in self.columns]):
            line = f";border-bottom:{RULE}" if self.columns[start].group else ""
            look = f'colspan="{end - start}" style="text-align:center;padding:.2em .8em{line}"'
            tag = "th" if line else "td"  # what heads nothing is no header
            cells.append(f"<{tag} {look}>{html.escape(self.columns[start].group)}</{tag}>")
        return cells

    def to_latex(self) -> str:
        """Return the table for LaTeX, as a float; the preamble needs `\\\\usepackage{booktabs}`."""
        sides = "".join("r" if one.is_number else "p{6cm}" if one.is_long else "l" for one in self.columns)
        lines = [r"\begin{table}[htbp]", r"\centering"]
        lines += [rf"\caption{{{_tex(self.caption)}}}"] if self.caption else []
        lines += [rf"\begin{{tabular}}{{{sides}}}", r"\toprule"]
        if self.grouped:
            runs = list(_runs([one.group for one in self.columns]))
            names = [rf"\multicolumn{{{b - a}}}{{c}}{{{_tex(self.columns[a].group)}}}" for a, b in runs]
            rules = [rf"\cmidrule(lr){{{a + 1}-{b}}}" for a, b in runs if self.columns[a].group]
            lines += [" & ".join(names) + r" \\", " ".join(rules)]
        lines += [" & ".join(map(_tex_header, self.columns)) + r" \\", r"\midrule"]
        for row, bold in zip(self.cells, self.stressed, strict=True):
            cells = [rf"\textbf{{{_tex(cell)}}}" if bold else _tex(cell) for cell in row]
            lines.append(" & ".join(cells) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}"]
        lines += [rf"\par\smallskip{{\footnotesize {_tex(self.source)}}}"] if self.source else []
        return "\n".join([*lines, r"\end{table}", ""])

    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook: numbers as numbers in the unit of the header, formatted as they are printed."""
        from openpyxl import Workbook  # takes a fifth of a second, and few tables become a workbook
        from openpyxl.styles import Alignment, Border, Font, Side
        from openpyxl.utils import get_column_letter

        book = Workbook()
        sheet, bold, line = book.active, Font(bold=True), Border(bottom=Side(style="thin"))
        put = functools.partial(_put, sheet)
        put(1, 1, self.caption).font = bold
        top = 3 if self.caption else 1
        for start, end in _runs([one.group for one in self.columns]) if self.grouped else ():
            put(top, start + 1, self.columns[start].group).font = bold
            sheet.merge_cells(start_row=top, end_row=top, start_column=start + 1, end_column=end)
        top += self.grouped
        for x, one in enumerate(self.columns, 1):
            head = put(top, x, one.title)
            head.font, head.border = bold, line
            head.alignment = Alignment(horizontal="right" if one.is_number else "left", wrap_text=True)
            for y, (value, own) in enumerate(zip(one.values, self.stressed, strict=True), top + 1):
                cell = put(y, x, value)
                cell.font, cell.alignment = Font(bold=own), Alignment(wrap_text=one.is_long, vertical="top")
                if one.is_number and not pd.isna(value):
                    form = _excel_format(one.places(value), one.sign)
                    cell.number_format = "0" if one.is_year else form
            texts = [*one.title.split(", "), *(row[x - 1] for row in self.cells)]
            sheet.column_dimensions[get_column_letter(x)].width = min(max(8, *map(len, texts)) + 2, 60)
        put(top + len(self) + 2, 1, self.source)
        sheet.freeze_panes = sheet.cell(top + 1, 1)
        book.save(path)
        return Path(path)

    def to_word(self, path: str | Path) -> Path:
        """Write a document of Word that holds the table, to be copied or gone on with."""
        from docx import Document  # takes a third of a second, and few tables go to Word
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        document, heads = Document(), [[one.title for one in self.columns]]
        heads = [[one.group for one in self.columns], *heads] if self.grouped else heads
        if self.caption:
            document.add_paragraph().add_run(self.caption).bold = True
        grid = document.add_table(len(heads) + len(self), len(self.columns), style="Light Shading")
        bold = [True] * len(heads) + list(self.stressed)
        for y, (texts, own) in enumerate(zip([*heads, *self.cells], bold, strict=True)):
            for cell, text, one in zip(grid.rows[y].cells, texts, self.columns, strict=True):
                line = cell.paragraphs[0]
                line.add_run(text).bold = own
                line.alignment = WD_ALIGN_PARAGRAPH.RIGHT if one.is_number else WD_ALIGN_PARAGRAPH.LEFT
        if self.source:
            document.add_paragraph(self.source)
        document.save(path)
        return Path(path)

    def to_chart(self):
        """Draw the table as a picture in the house style: for a slide."""
        from tradelib.style import house  # brings matplotlib and seaborn, which few tables need

        return house.styled(_drawn)(self, house)

    def save(self, path: str | Path) -> Path:
        """Write the table to a file, in the form that the end of its name says.

        Parameters
        ----------
        path : str or Path
            A spreadsheet ends in .xlsx, Word's document in .docx, LaTeX in .tex, a page in .html,
            Markdown in .md; a picture for a slide in .png, .svg or .pdf.

        Returns
        -------
        Path

        Raises
        ------
        TradelibError
            If it ends in something else.
        """
        path = Path(path)
        if path.suffix not in FORMS:
            raise TradelibError(
                f"A table is not saved as {path.name!r}.", f"End the name in {', '.join(FORMS)}."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".xlsx", ".docx"):
            return self.to_excel(path) if path.suffix == ".xlsx" else self.to_word(path)
        if path.suffix in (".png", ".svg", ".pdf"):
            return self.to_chart().save(path)
        write = {".tex": self.to_latex, ".html": self.to_html, ".md": self.to_markdown}[path.suffix]
        path.write_bytes(write().encode())
        return path


def published(
    table: pd.DataFrame | pd.Series,
    *,
    unit: str | dict[str, str] = "million",
    caption: str = "",
    source: object = "",
    names: dict[str, str] | None = None,
    decimals: int | dict[str, int] | None = None,
    signed: Collection[str] = (),
    stress: object = None,
    hide: Collection[str] = (),
    na: str = "n.a.",
) -> PublishedTable:
    """Make a table ready to print: units in the headers, thousands separators, names for codes.

    The one way in which tables are shown here, and a user's own too. The index comes first; a second
    level of column names stands above the first.

    Parameters
    ----------
    table : DataFrame or Series
        As any function here returns it: dollars in columns that end in `_usd`, percent in `_pct`. The
        figures themselves stay as they are.
    unit : {"million", "billion", "thousand", "dollar", "trillion", "auto"} or dict
        In what dollars are shown; "auto" takes the unit that suits the largest of them. Or by column:
        `{"imports_usd": "billion", "quantity": "tonnes"}`, for other columns in any words.
    caption : str
        Title. What all rows have in common, such as the partner, is added to it and has no column.
    source : DataFrame, brief or str
        What stands below: a loaded table, a brief, or words. Taken from the columns `table`, `vintage`
        and `vintage_lag_days` by itself where all rows agree.
    names : dict, optional
        Headers by column, without their units.
    decimals : int or dict, optional
        For all numbers, or by column; one for percent, and for dollars as many as their unit needs.
    signed : collection of str
        Columns whose numbers have a plus too.
    stress : label, list of labels or of bool, optional
        Rows in bold: labels of the index, such as a partner's code, or True for each row meant.
    hide : collection of str
        Columns to leave out.
    na : str
        What stands for a missing number.

    Returns
    -------
    PublishedTable
        Shows itself in a notebook. `.save("table.xlsx")` writes it for a spreadsheet, and likewise
        .docx, .tex, .html, .md, or a picture for a slide: .png, .svg, .pdf.

    Raises
    ------
    TradelibError
        If it is no table, or there is no such unit or column.

    Examples
    --------
    >>> from tradelib import by_vintage, published
    >>> korea = by_vintage(partner="KOR", through="2018-07")[["exports_usd", "exports_change_pct"]]
    >>> published(korea.head(2), signed=["exports_change_pct"])
    Vintage       Exports, $ million    Change of exports, percent
    ----------  --------------------  ----------------------------
    2018-10-05              31,752.1                         +11.1
    2020-10-06              31,730.9                         +11.2
    """
    if not isinstance(table, (pd.DataFrame, pd.Series)):
        raise TradelibError(f"A {type(table).__name__} is not a table.", "Give a pandas DataFrame or Series.")
    frame = table.to_frame(table.name or "value") if isinstance(table, pd.Series) else table
    names, units = names or {}, unit if isinstance(unit, dict) else {}
    digits = decimals if isinstance(decimals, dict) else {}
    flat = _flat(frame)
    _refuse_unknown([*hide, *signed, *names, *units, *digits], [key for _, key, _ in flat])
    told, line, gone = _common(flat)
    flat = [one for one in flat if one[1] not in {*hide, *gone}]
    usual = _usual("million" if units else unit, [values for _, key, values in flat if key.endswith("_usd")])
    columns: list[Column] = []
    fine = _small_points(flat)
    for group, key, values in flat:
        places = digits.get(key, None if digits else decimals)
        one = _column(key, values, units.get(key, usual), 2 if places is None and key in fine else places)
        one = replace(one, group=group, header=names.get(key, one.header), sign=key in signed)
        if any((other.group, other.title) == (group, one.title) for other in columns):
            one = replace(one, header=key, unit="")  # no column is lost to another of the same words
        columns.append(one)
    title = "; ".join(filter(None, [caption, *told]))
    below = line if isinstance(source, str) and not source else source_line(source)
    return PublishedTable(columns, _stressed(frame, stress), caption=title, source=below, na=na)


def _refuse_unknown(wanted: Iterable[str], known: Collection[str]) -> None:
    """Refuse a column that the table does not have."""
    for key in wanted:
        if key not in known:
            raise TradelibError(f"There is no column {key!r}.", f"Columns are {', '.join(known)}.")


def _flat(frame: pd.DataFrame) -> list[tuple[str, str, pd.Series]]:
    """List the columns, those of the index first: group, name and values; partners by name, not code."""
    numbered = frame.index.names == [None] and pd.api.types.is_integer_dtype(frame.index)
    flat = frame.reset_index(drop=numbered)
    pairs = [name if isinstance(name, tuple) else (name, "") for name in flat]
    keys = [(str(one), str(two)) if str(two) else ("", str(one)) for one, two in pairs]
    columns = [(group, key, flat.iloc[:, n]) for n, (group, key) in enumerate(keys)]
    names = {key for _, key in keys}
    found = []
    for group, key, values in columns:
        if (key == "partner" and "name" in names) or (key == "note" and values.isna().all()):
            continue
        if key == "partner":
            values = values.map(all_partners().set_index("code")["name"]).fillna(values.astype("str"))
        found.append((group, key, values))
    return found


def _common(columns: list[tuple[str, str, pd.Series]]) -> tuple[list[str], str, set[str]]:
    """Say what is the same in all rows: above the table, as its source, and which columns that tells."""
    kept = () if columns and len(columns[0][2]) > 1 else WHO
    same = {
        key: _in_words(values).iloc[0]
        for _, key, values in columns
        if key in COMMON and key not in kept and values.nunique(dropna=False) == 1
    }
    told = [same[key] for key in ("partner", "name", "item") if key in same and not pd.isna(same[key])]
    line = credit(same.get("table", ""), same.get("vintage", ""), int(same.get("vintage_lag_days", 0)))
    return told, f"Source: {line}" if "table" in same else capital(line), set(same)


def _small_points(columns: list[tuple[str, str, pd.Series]]) -> set[str]:
    """The columns in points, where all of them are so small that one decimal would make zeros of them."""
    found = {key: values for _, key, values in columns if column(key)[1] == "points"}
    top = max((values.abs().max() for values in found.values()), default=SMALL_POINTS)
    return set(found) if top < SMALL_POINTS else set()


def _usual(unit: str, amounts: list[pd.Series]) -> str:
    """Choose in what dollars are shown, or refuse a unit that is none."""
    if unit == "auto":
        top = max((values.abs().max() for values in amounts if values.notna().any()), default=0)
        return next((name for name, size in AUTO.items() if top >= size), "dollar")
    if unit not in UNITS:
        raise TradelibError(f"There is no unit {unit!r}.", f"Units are {', '.join(UNITS)} and auto.")
    return unit


def _column(key: str, values: pd.Series, unit: str, decimals: int | None) -> Column:
    """Prepare one column: its header, its unit, and its numbers as they are counted in it."""
    words, ending = column(key)
    if isinstance(values.dtype, pd.PeriodDtype) and key == "period":
        words = FREQUENCIES[str(values.dtype).removeprefix("period[")[0]]
    if ending == "usd":
        dollars = Unit.named(_usual(unit, []))
        digits = dollars.digits if decimals is None else decimals
        return Column(words, values / dollars.size, unit=dollars.name, digits=digits)
    told = "" if unit in UNITS else unit
    words, told = "Partner" if key == "name" else words, told or ENDINGS.get(ending, "")
    if pd.api.types.is_float_dtype(values):
        whole = ending != "pct" and values.notna().any() and (values.dropna() % 1 == 0).all()
        return Column(words, values, unit=told, digits=0 if whole else 1 if decimals is None else decimals)
    if pd.api.types.is_integer_dtype(values):
        return Column(words, values, unit=told, digits=0, is_year=key == "year")
    return Column(words, _in_words(values), unit=told)


def _in_words(values: pd.Series) -> pd.Series:
    """Text of a column that holds no numbers: days without a time, periods as they are written."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.dt.strftime("%Y-%m-%d")
    return values.astype("str").where(values.notna())


def _stressed(frame: pd.DataFrame, stress) -> list[bool]:
    """Tell for each row whether it is meant: by its label, its partner, or True."""
    if stress is None:
        return [False] * len(frame)
    wanted = [stress] if isinstance(stress, str) or not np.iterable(stress) else list(stress)
    if len(wanted) == len(frame) and all(isinstance(one, (bool, np.bool_)) for one in wanted):
        return [bool(one) for one in wanted]
    labels = frame.index.to_frame(index=False)
    if "partner" in frame:
        labels["its partner"] = frame["partner"].to_list()
    return labels.astype("str").isin([*map(str, wanted)]).any(axis=1).to_list()


def _runs(groups: Sequence[str]) -> Iterable[tuple[int, int]]:
    """Find where each run of the same group starts and ends; what has no group stands alone."""
    start = 0
    for n in range(1, len(groups) + 1):
        if n == len(groups) or groups[n] != groups[start] or not groups[n]:
            yield start, n
            start = n


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _with_line(cell: str, side: str, line: str) -> str:
    """Draw a line along a cell: Word keeps those of cells only."""
    return cell.replace('style="', f'style="border-{side}:{line};', 1)


def _cell(tag: str, text: str, one: Column, *, bold: bool = False) -> str:
    """Write a cell with its own style, which goes with it wherever it is pasted."""
    look = f"text-align:{'right' if one.is_number else 'left'};padding:.2em .8em"
    look += ";vertical-align:bottom;font-weight:600" if tag == "th" else ""
    look += ";white-space:nowrap" if tag == "td" and not one.is_long else ""
    look += ";font-weight:bold" if bold else ""
    return f'<{tag} style="{look}">{html.escape(text)}</{tag}>'


def _tex(text: str) -> str:
    """Escape a text for LaTeX."""
    return "".join(TEX.get(one, one) for one in text)


def _tex_header(one: Column) -> str:
    """Write a header for LaTeX, its unit on a second line."""
    if not one.unit:
        return _tex(one.header)
    return rf"\shortstack[{'r' if one.is_number else 'l'}]{{{_tex(one.header)},\\ {_tex(one.unit)}}}"


def _put(sheet, row: int, at: int, value):
    """Fill a cell of a workbook; a text is never taken for a formula."""
    cell = sheet.cell(row, at, None if pd.isna(value) or value == "" else value)
    if isinstance(value, str) and value:
        cell.data_type = "s"
    return cell


def _excel_format(digits: int, sign: bool) -> str:
    """Write the number format of a cell."""
    form = "#,##0" + (f".{'0' * digits}" if digits else "")
    return f"+{form};-{form};{form}" if sign else form


def _drawn(table: PublishedTable, house):
    """Draw a table as words and lines on a chart of its size."""
    heads = [f"{one.group}\n{one.title}".strip().replace(", ", ",\n") for one in table.columns]
    rows = [heads, *([textwrap.fill(cell, LONG) for cell in row] for row in table.cells)]
    bold = [True, *table.stressed]
    widths = [
        0.3 + max(house.width_of(line, house.LABEL, "bold") for text in texts for line in text.split("\n"))
        for texts in zip(*rows, strict=True)
    ]
    ends = list(itertools.accumulate(widths))
    bottoms = list(
        itertools.accumulate(0.1 + 0.18 * max(1 + cell.count("\n") for cell in row) for row in rows)
    )
    fig, (ax,) = house.canvas(
        width=max(ends[-1] + 0.2, 4),
        height=bottoms[-1] + 0.3 + 0.35 * bool(table.caption) + 0.25 * bool(table.source),
    )
    ax.set(xlim=(0, ends[-1]), ylim=(bottoms[-1], 0))
    ax.axis("off")
    for row, own, bottom in zip(rows, bold, bottoms, strict=True):
        for text, one, end, width in zip(row, table.columns, ends, widths, strict=True):
            x, side = (end - 0.1, "right") if one.is_number else (end - width + 0.1, "left")
            look = {"ha": side, "va": "bottom", "weight": "bold" if own else "normal"}
            ax.text(x, bottom - 0.06, text, multialignment=side, **look)
    for y, thick in ((0, 1.5), (bottoms[0], 0.8), (bottoms[-1], 1.5)):
        ax.axhline(y, color=house.COLOURS["text"], lw=thick, clip_on=False)
    return house.dress(fig, table.source, title=table.caption)
