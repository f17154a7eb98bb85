"""One exhibit of the FT-900: rows of cells -> figures by partner, told by the labels that it prints.

Titles, units, the column of countries, period headers, blocks and marks are looked for by their words:
nothing depends on a position or on a sheet's name, and what is not recognised is refused.
"""

import re
from datetime import date

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import WORLD, from_area_name
from tradelib.tables import CheckError

#: Exhibit -> (what its title says it holds, item). Other exhibits of these numbers are left alone.
EXHIBITS = {"14": ("goods", "goods"), "14a": ("goods", "goods"), "19": ("goods", "goods")}
EXHIBITS |= {"20": ("goods and services", "total"), "20a": ("goods", "goods"), "20b": ("services",) * 2}
HEAD_ROWS = 15

TITLE = re.compile(r"exhibit\s*(14a?|19|20[ab]?)(?!\w)[\s.:–—-]*(.*)", re.IGNORECASE)
SUBJECT = re.compile(r"((?:goods and )?(?:goods|services))(?: \([^)]*\))?,? by [\w ]*?(?:countr|area)")
LABEL_HEADER = re.compile(
    r"(item|(selected )?(country|countries|area)(( and | or |/)areas?)?)", re.IGNORECASE
)
BLOCK = re.compile(
    r"(?:trade )?(balance|exports|imports)(?:,? \(?(?:f\.a\.s\.|customs)(?: basis| value)?\)?)?:?", re.I
)
FOOTNOTES = re.compile(r"(\s*(\*+|\(\d{1,2}\)|\(R\)))+$", re.IGNORECASE)
REVISED = re.compile(r"\(R\)", re.IGNORECASE)
#: A mark in the place of a figure -> its value in millions, and the note that is kept.
MARKS = dict.fromkeys(["(-)", "-"], (0.0, "(-)")) | {"(*)": (0.0, "(*)"), "(z)": (0.0, "(Z)")}
MARKS |= dict.fromkeys(["n.a.", "n.a", "na", "n/a", "(na)", "(n.a.)"], (np.nan, "n.a."))
MARKS |= {mark.lower(): (np.nan, mark) for mark in ["(X)", "(D)", "(S)"]}
#: Rows of Exhibit 14 that are no partner: totals on another basis and adjustments; areas, of which some
#: editions may print more, that have no code; and what begins with "Other", the rest of an area.
SKIPPED = {
    *("totalbalanceofpaymentsbasis", "totalbalanceofpaymentbasis", "totalbopbasis"),
    *("netadjustments", "netadjustment", "timingadjustments", "timingadjustment"),
    *("unidentified", "unidentifiedcountries", "middleeast", "westernhemisphere"),
    *("easterneurope", "westerneurope", "efta", "europeanfreetradeassociation"),
    *("formersovietrepublics", "freelyassociatedstates"),
}
WORLD_LABELS = {"totalcensusbasis", "censusbasistotal"}
HEADINGS = {"countries", "areas", "selectedcountries", "selectedareas", "countriesandareas"}
MONTH_WORDS = "january february march april may june july august september october november december"
MONTH_NAMES = MONTH_WORDS.split()
MONTHS = {name: n + 1 for n, name in enumerate(MONTH_NAMES)}
MONTHS |= {name[:3]: n for name, n in MONTHS.items()} | {"sept": 9}
QUARTERS = {
    spelling: n + 1
    for n, (word, nth) in enumerate([("first", "st"), ("second", "nd"), ("third", "rd"), ("fourth", "th")])
    for spelling in (f"{word} quarter", f"{n + 1} {nth} quarter", f"q {n + 1}", f"{n + 1} q")
}
TO_DATE = {"year to date", "ytd", "cumulative", "cumulative year to date", "cumulative to date"}
ANNUAL = {"", "annual", "year", "full year", "calendar year", "annual total"}


def text_of(cell) -> str:
    """A cell as text on one line; a date as its month."""
    if cell is None or (isinstance(cell, float) and not np.isfinite(cell)):
        return ""
    if isinstance(cell, date):
        return f"{MONTH_NAMES[cell.month - 1].title()} {cell.year}"
    return " ".join(str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell).split())


def key_of(label: str) -> str:
    """A label without case, footnotes and punctuation."""
    return "".join(re.findall("[a-z0-9]+", FOOTNOTES.sub("", label).lower()))


def place_of(row: int, column: int) -> str:
    """Where a cell is, as a spreadsheet names it."""
    high, low = divmod(column, 26)
    return f"row {row + 1}, column {chr(64 + high) if high else ''}{chr(65 + low)}"


def recognise(rows: list[list]) -> str | None:
    """Exhibit number, if title and number are those of an exhibit by country."""
    texts = [text for row in rows[:HEAD_ROWS] for cell in row if (text := text_of(cell))]
    for n, text in enumerate(texts):
        title = TITLE.match(text)
        if title:
            number = title[1].lower()
            subject = SUBJECT.search(" ".join([title[2], *texts[n + 1 : n + 2]]).lower())
            return number if subject and subject[1] == EXHIBITS[number][0] else None
    return None


def parse_exhibit(number: str, rows: list[list], where: str) -> pd.DataFrame:
    """One exhibit -> partner, flow, kind, year, n, million, half (unit printed), note."""
    width = max(map(len, rows))
    rows = [[*row, *[None] * (width - len(row))] for row in rows]
    top, first, left = _frame_of(rows, where)
    _check_head(number, " ".join(text_of(cell) for row in rows[:top] for cell in row).lower(), where)
    last = max(n for n, row in enumerate(rows) if n < first or any(figure_of(c) for c in row[left + 1 :]))
    columns = _columns(rows, range(top, first), range(first, last + 1), left, where)
    records, flow = [], None
    for n in range(first, last + 1):
        label, cells = text_of(rows[n][left]), [text_of(cell) for cell in rows[n][left + 1 :]]
        if not any(cells):
            block = BLOCK.fullmatch(FOOTNOTES.sub("", label))
            flow = block[1].lower() if block else flow
            if label and not block and key_of(label) not in HEADINGS:
                raise CheckError(f"{where}, {place_of(n, left)}: no figures and no flow, but {label!r}.")
            continue
        partner = _partner(label, number, f"{where}, {place_of(n, left)}")
        if partner:
            records += [(partner, *_read(column, rows[n], n, flow, where)) for column in columns]
    if not records:
        raise CheckError(f"{where}: no row of a country or area with figures.")
    fields = ["partner", "flow", "kind", "year", "n", "million", "note"]
    return pd.DataFrame(records, columns=fields)


def _frame_of(rows: list[list], where: str) -> tuple[int, int, int]:
    """First row of the header, first row of the body, and the column of the row labels."""
    for n, row in enumerate(rows):
        for left, cell in enumerate(row):
            if LABEL_HEADER.fullmatch(FOOTNOTES.sub("", text_of(cell))):
                body = [m for m in range(n + 1, len(rows)) if text_of(rows[m][left])]
                top = n
                while top and _is_header(rows[top - 1], left):
                    top -= 1
                if body:
                    return top, body[0], left
    raise CheckError(f'{where}: no header such as "Item (1)" or "Country and Area" with rows below it.')


def _is_header(row: list, left: int) -> bool:
    texts = [text for cell in row[left:] if (text := FOOTNOTES.sub("", text_of(cell)))]
    return bool(texts) and all(BLOCK.fullmatch(text) or _period(text) for text in texts)


def _check_head(number: str, head: str, where: str) -> None:
    """The lines above the table must not contradict its units, adjustment and basis."""
    if "millions of dollars" not in head:
        raise CheckError(f"{where}: the units line must say millions of dollars; the head reads {head!r}.")
    adjusted, raw = "seasonally adjusted" in head, "not seasonally adjusted" in head
    if raw if number[:2] != "14" else adjusted and not raw:
        raise CheckError(f"{where}: the adjustment is not that of this exhibit; the head reads {head!r}.")
    if ("census basis" if number[:2] == "20" else "bop basis") in head:
        raise CheckError(f"{where}: the basis is not that of this exhibit; the head reads {head!r}.")


def figure_of(cell) -> tuple[float, str | None] | None:
    """Millions and note of a cell; None if it is blank, a revision mark alone, or other text.

    Examples
    --------
    >>> [figure_of(cell) for cell in (-5.25, "26,833 (R)", "(-)", "(R)", "1,23")]
    [(-5.25, None), (26833.0, '(R)'), (0.0, '(-)'), None, None]
    """
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return (float(cell), None) if np.isfinite(cell) else None
    text = text_of(cell)
    bare = REVISED.sub("", text).strip()
    if bare.lower() in MARKS:
        return MARKS[bare.lower()]
    number = bare.replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    if not re.fullmatch(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?", number):
        return None
    return float(number.replace(",", "")), "(R)" if bare != text else None


def _period(label: str) -> tuple[str, int | None, int | None] | None:
    """Kind (M, Q, Y, ytd), year and month or quarter of a header; None if it names no period.

    Examples
    --------
    >>> _period("Aug. 2021"), _period("Second Quarter\\n2020 (R)"), _period("Annual 2018")
    (('M', 2021, 8), ('Q', 2020, 2), ('Y', 2018, 12))
    >>> _period("Cumulative Year-to-Date"), _period("January - August 2021"), _period("Change")
    (('ytd', None, None), ('ytd', 2021, 8), None)
    """
    words = re.findall("[a-z]+|[0-9]+", re.sub(r"\((r|p|\d{1,2})\)", " ", label.lower()))
    years = [int(word) for word in words if re.fullmatch(r"(19|20)\d\d", word)]
    rest = " ".join(word for word in words if not re.fullmatch(r"(19|20)\d\d", word))
    if len(years) > 1 or not words:
        return None
    year = years[0] if years else None
    if rest in MONTHS or rest in QUARTERS:
        return ("M", year, MONTHS[rest]) if rest in MONTHS else ("Q", year, QUARTERS[rest])
    if rest in TO_DATE or (rest in ANNUAL and year):
        return ("ytd", year, None) if rest in TO_DATE else ("Y", year, 12)
    window = re.fullmatch(r"(?:cumulative )?jan(?:uary)? (?:to |through )?([a-z]+)", rest)
    return ("ytd", year, MONTHS[window[1]]) if window and window[1] in MONTHS else None


def _columns(rows: list[list], head: range, body: range, left: int, where: str) -> list[dict]:
    """Find what each column of figures holds: its flow, period and columns of revision marks."""
    right = range(left + 1, len(rows[0]))
    blocks, labels = _headers(rows, head, right)
    figures = [j for j in right if any(figure_of(rows[n][j]) for n in body)]
    columns = []
    for start, label in sorted(labels.items()):
        end = min((j for j in [*labels, *blocks] if j > start), default=right.stop)
        held = [j for j in figures if start <= j < end]
        if not _period(label) or len(held) > 1:
            seen = f"{label!r}, which is no period" if len(held) < 2 else f"{label!r} over two columns"
            raise CheckError(f"{where}, {place_of(head.stop - 1, start)}: the header is {seen}.")
        if held:  # none: a period that is not out yet
            flow = next((blocks[j] for j in sorted(blocks, reverse=True) if j <= start), None)
            kind, year, n = _period(label)
            columns.append({"at": held[0], "start": start, "end": end, "flow": flow, "kind": kind})
            columns[-1] |= {"year": year, "n": n, "revised": bool(REVISED.search(label)), "marks": []}
    lost = set(figures) - {column["at"] for column in columns}
    if lost or not columns:
        place = place_of(head.stop - 1, min(lost)) if lost else f"row {head.stop}"
        raise CheckError(f"{where}, {place}: no period stands above the figures.")
    _date_columns(columns, where)
    _attach_marks(columns, rows, body, set(right) - set(figures), where)
    return columns


def _headers(rows: list[list], head: range, right: range) -> tuple[dict[int, str], dict[int, str]]:
    """Flow by the column it begins in, and header by column; a row of bare years spans the next."""
    blocks, labels, years = {}, {}, {}
    for n in head:
        texts = {j: text for j in right if (text := text_of(rows[n][j]))}
        flows = {
            j: found[1].lower() for j, t in texts.items() if (found := BLOCK.fullmatch(FOOTNOTES.sub("", t)))
        }
        blocks |= flows
        texts = {j: text for j, text in texts.items() if j not in flows}
        only_years = all(re.fullmatch(r"(19|20)\d\d", text) for text in texts.values())
        for j, text in texts.items():
            into = years if only_years else labels
            into[j] = f"{into.get(j, '')} {text}".strip()
    dated = dict(labels)
    for start, year in years.items():
        end = min((j for j in [*years, *blocks] if j > start), default=right.stop)
        for j in [j for j in labels if start <= j < end] or [start]:
            dated[j] = f"{labels.get(j, '')} {year}".strip()
    return blocks, dated


def _date_columns(columns: list[dict], where: str) -> None:
    """Complete year-to-date columns by the newest month, and insist on one column per period."""
    undated = [c for c in columns if c["year"] is None and c["kind"] != "ytd"]
    newest = max(((c["year"], c["n"]) for c in columns if c["kind"] == "M" and c["year"]), default=None)
    if undated or (
        newest is None and any(c["kind"] == "ytd" and not (c["year"] and c["n"]) for c in columns)
    ):
        raise CheckError(
            f"{where}: a period without its year or month in the header; give the file as it was."
        )
    for c in columns:
        c["newest"] = c["kind"] == "M" and (c["year"], c["n"]) == newest
        if newest and c["kind"] == "ytd":
            c["year"], c["n"] = c["year"] or newest[0], c["n"] or newest[1]
        elif newest and c["kind"] == "Y":  # a year in a table of months: January through December
            c["kind"] = "ytd"
    seen = [(c["flow"], c["kind"], c["year"], c["n"]) for c in columns]
    for c, key in zip(columns, seen, strict=True):
        if seen.count(key) > 1:
            raise CheckError(f"{where}: two columns for {key}, one of them {place_of(0, c['at'])[7:]}.")


def _attach_marks(columns: list[dict], rows: list[list], body: range, others: set[int], where: str) -> None:
    """Tell which column of figures each column of (R) belongs to: the one it precedes or follows.

    It precedes if the period's label stands over it (as in 2021), or nothing is to its left, or to its
    left is the newest month, which cannot have been revised yet; it follows if to its right is nothing
    or another kind of period. Where none of this tells, it precedes, as in all exhibits seen.
    """
    doubtful, precede, follow = [], False, False
    for j in sorted(others):
        texts = {text: n for n in body if (text := text_of(rows[n][j]))}
        for text in texts:
            if not FOOTNOTES.fullmatch(text):
                raise CheckError(
                    f"{where}, {place_of(texts[text], j)}: expected (R) or nothing, got {text!r}."
                )
        if not any(REVISED.search(text) for text in texts):
            continue
        own = next((c for c in columns if c["start"] <= j < c["end"]), None)
        after = next((c for c in columns if c["at"] > j and (own is None or c["flow"] == own["flow"])), None)
        if own and j > own["at"]:
            doubtful.append((j, own, after))
            precede |= own["newest"]
            follow |= not own["newest"] and (after is None or after["kind"] != own["kind"])
        else:
            (own or after)["marks"].append(j)
            precede = True
    precede |= not follow
    for j, own, after in doubtful:
        if precede and after is None:
            raise CheckError(f"{where}, {place_of(body[0], j)}: (R) stands on both sides of the figures.")
        (after if precede else own)["marks"].append(j)


def _partner(label: str, number: str, where: str) -> str | None:
    """Code of a row's label; None for the rows of Exhibit 14 that are no partner."""
    key = key_of(label)
    if number[:2] == "14" and (key in SKIPPED | WORLD_LABELS or key.startswith("other")):
        return WORLD if key in WORLD_LABELS else None
    try:
        code = from_area_name(FOOTNOTES.sub("", label))
    except TradelibError:
        advice = "If it is one, add the name to its row of tradelib/data/partners.csv."
        raise CheckError(f"{where}: {label!r} is not a known country or area.", advice) from None
    return "0004" if code == WORLD and number == "19" else code


def _read(column: dict, row: list, n: int, flow: str | None, where: str) -> tuple:
    """One cell of a partner's row, with its flow, period, millions and note."""
    at, figure = f"{where}, {place_of(n, column['at'])}", figure_of(row[column["at"]])
    if figure is None:
        raise CheckError(f"{at}: expected a figure or a known mark, got {text_of(row[column['at']])!r}.")
    if (flow is None) == (column["flow"] is None):
        raise CheckError(
            f"{at}: this must be one of balance, exports, imports; it is under {flow or 'none'}."
        )
    revised = column["revised"] or any(REVISED.search(text_of(row[j])) for j in column["marks"])
    note = figure[1] or ("(R)" if revised else None)
    return (flow or column["flow"], column["kind"], column["year"], column["n"], figure[0], note)
