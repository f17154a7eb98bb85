"""The FT-900 release archive, a zip of exhibits: bytes -> tables of trade by partner.

Source: ft900xlsx_YYMM.zip (.xls before 2020-09) of census.gov/foreign-trade. Exhibits 14 and 14a (goods,
NSA), 19 (goods, SA), 20, 20a and 20b (goods and services, BOP) list selected partners; Exhibits 4 and 4a of
the supplement list all, to the dollar, as of the release day. Titles, units, the column of countries, period
headers, blocks and marks are looked for by their words: nothing depends on a position, a sheet's or a
member's name, and what is not recognised is refused.
"""

import re
import warnings
from datetime import date

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import WORLD, from_area_name
from tradelib.sources import workbooks
from tradelib.tables import CheckError, check_flows, refuse_rows

PARSER = "ft900.2"  # as vintages remember it
#: (Exhibit, kind of column) -> table; None is a column that other columns hold in finer detail.
TABLES = {("14", "M"): "goods_ft900_nsa", ("14", "ytd"): "goods_ft900_ytd_nsa"}
TABLES |= {("19", "M"): "goods_ft900_sa", ("19", "ytd"): "goods_ft900_ytd_sa"}
TABLES |= {("19", "Q"): "goods_ft900_quarters_sa", ("20", "ytd"): None}
TABLES |= {("20", "Q"): "trade_ft900_sa", ("20", "Y"): "trade_ft900_annual"}
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
    r"(?:trade )?(balance|exports|imports)(?:,? \(?(?:f\.a\.s\.|customs)(?: basis| value)?\)?)?:?",
    re.IGNORECASE,
)
FOOTNOTES = re.compile(r"(\s*(\*+|\(\d{1,2}\)|\(R\)))+$", re.IGNORECASE)
REVISED = re.compile(r"\(R\)", re.IGNORECASE)
#: A mark in the place of a figure -> its value in millions, and the note that is kept.
#: "(-)" is zero, or too small to print: which of the two is not known, and not known is not zero.
MARKS = dict.fromkeys(["(-)", "-"], (np.nan, "(-)")) | {"(*)": (0.0, "(*)"), "(z)": (0.0, "(Z)")}
MARKS |= dict.fromkeys(["n.a.", "n.a", "na", "n/a", "(na)", "(n.a.)"], (np.nan, "n.a."))
MARKS |= {mark.lower(): (np.nan, mark) for mark in ["(X)", "(D)", "(S)"]}
#: Rows that are no partner: adjustments, and areas without a code. In Exhibit 14 totals on another basis too,
#: and what begins with "Other", the rest of an area; in the supplement, rows without a label.
SKIPPED = {"timingadjustment", "timingadjustments", "unidentified", "unidentifiedcountries", "middleeast"}
SKIPPED |= {"westernhemisphere", "easterneurope", "westerneurope", "efta", "formersovietrepublics"}
SKIPPED |= {"freelyassociatedstates"}
SKIPPED_IN_14 = SKIPPED | {"totalbalanceofpaymentsbasis", "totalbalanceofpaymentbasis", "totalbopbasis"}
SKIPPED_IN_14 |= {"netadjustments", "netadjustment", "europeanfreetradeassociation"}
SKIPPED_IN_SUPPLEMENT = SKIPPED | {"", "asiasouth", "asianeareast"}
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
SUPPLEMENT = {"M": "goods_ft900_all_nsa", "ytd": "goods_ft900_all_ytd_nsa"}
SUPPLEMENT_TITLE = re.compile(
    r"exhibit\s*(4a?)(?!\w).*balance of goods by country.*not seasonally adjusted\D*((?:19|20)\d\d)",
    re.IGNORECASE,
)
#: Which of a block's columns are meant: imports at customs value, not C.I.F.
BASIS = {"balance": "customs", "exports": "f.a.s.", "imports": "customs"}
#: A figure that is printed as "(-)" is less than half a million.
SMALL = 0.5

# --- the archive ----------------------------------------------------------------------------------


def read_archive(data: bytes) -> dict[str, list[list]]:
    """Read the exhibits by country from a release archive: member -> rows of cells."""
    members = workbooks.read_members(data, lambda rows: bool(exhibit_of(rows) or supplement_of(rows)))
    if not members:
        names = ", ".join(workbooks.names_of(data)[:5]) or "none"
        raise CheckError(
            f"No member is an Exhibit {', '.join(EXHIBITS)} of the FT-900.", f"Members: {names}."
        )
    return members


def parse_archive(members: dict[str, list[list]]) -> dict[str, pd.DataFrame]:
    """Parse the exhibits by country of one release: table -> contract columns, in whole dollars.

    `members` are rows of cells, $ million, of any exhibits of one release; those not there make no table.
    Flows are "exports", "imports" and "balance" as printed, in months and quarters, and year to date under
    the last month of the window. Notes: (R), (-), n.a., (X), (D).
    """
    found: dict[str, pd.DataFrame] = {}
    for name, rows in members.items():
        number = exhibit_of(rows)
        if number in found:
            raise CheckError(f"Exhibit {number} is there twice, the second time in {name}.")
        if number:
            where = f"Exhibit {number} ({name})"
            found[number] = _checked(parse_exhibit(number, rows, where), number, where)
    if not found:
        raise CheckError(
            f"None of Exhibits {', '.join(EXHIBITS)} is among {', '.join(members) or 'no members'}."
        )
    _check_months(found)
    _check_alike(found)
    _check_totals(found)
    tidy = pd.concat([f.assign(exhibit=n[:2], item=EXHIBITS[n][1]) for n, f in found.items()])
    tables = {}
    for key, part in tidy.groupby(["exhibit", "kind"], sort=False):
        if table := TABLES[key]:
            tables[table] = check_flows(_contract(part), table)
    return tables | _supplement(members, tables)


def lacking(members: dict[str, list[list]], tables: dict[str, pd.DataFrame]) -> str:
    """Name the exhibits of a release that are in none of its tables; empty where all are."""
    known, told = {exhibit_of(rows) for rows in members.values()}, []
    if absent := [number for number in EXHIBITS if number not in known]:
        told.append(f"Exhibit{'s' * (len(absent) > 1)} {', '.join(absent)} of the FT-900")
    if SUPPLEMENT["M"] not in tables:
        told.append("Exhibits 4 and 4a of its supplement")
    told = [f"{one} not there, or not known by the title" for one in told]
    for one in told:
        warnings.warn(f"{one}: what is held there is left out.", stacklevel=2)
    return "; ".join(told)


def _supplement(members: dict[str, list[list]], tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Exhibits 4 and 4a of the supplement; an edition that prints them otherwise goes without them."""
    try:
        found = parse_supplement(members)
        for frame in found.values():
            if statistical_month(tables) != str(frame["period"].max()):
                raise CheckError(f"The supplement ends with {frame['period'].max()}, the exhibits do not.")
        return {table: check_flows(frame, table) for table, frame in found.items()}
    except CheckError as error:
        warnings.warn(f"The supplement's goods by all partners are left out. {error}", stacklevel=2)
        return {}


def statistical_month(tables: dict[str, pd.DataFrame]) -> str:
    """Tell the month that the tables of a release are about: the last one in a monthly column."""
    monthly = [tables[name] for name in ("goods_ft900_nsa", "goods_ft900_sa") if name in tables]
    months = [frame["period"].max() for frame in monthly]
    if not months:
        raise CheckError("No exhibit with months (14 or 19) is there to tell the statistical month.")
    return str(max(months))


# --- an exhibit by selected countries -------------------------------------------------------------


def exhibit_of(rows: list[list]) -> str | None:
    """Exhibit number, if title and number are those of an exhibit by country."""
    texts = [text for row in rows[:HEAD_ROWS] for cell in row if (text := text_of(cell))]
    for n, text in enumerate(texts):
        title = TITLE.match(text)
        if title:
            number = title[1].lower()
            subject = SUBJECT.search(" ".join([title[2], *texts[n + 1 : n + 2]]).lower())
            return number if subject and subject[1] == EXHIBITS[number][0] else None
    return None


def any_exhibit(rows: list[list]) -> str | None:
    """The title of a sheet that is some exhibit of the FT-900, read here or not."""
    texts = (text_of(cell) for row in rows[:HEAD_ROWS] for cell in row)
    return next((text for text in texts if re.match(r"exhibit\s*\d+[a-z]?(?!\w)", text, re.IGNORECASE)), None)


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
    return bool(texts) and all(BLOCK.fullmatch(text) or period_of(text) for text in texts)


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
    """Millions and note of a cell; None if it is blank, a revision mark alone, or other text."""
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


def period_of(label: str) -> tuple[str, int | None, int | None] | None:
    """Kind (M, Q, Y, ytd), year and month or quarter of a header; None if it names no period."""
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
        if not period_of(label) or len(held) > 1:
            seen = f"{label!r}, which is no period" if len(held) < 2 else f"{label!r} over two columns"
            raise CheckError(f"{where}, {place_of(head.stop - 1, start)}: the header is {seen}.")
        if held:  # none: a period that is not out yet
            flow = next((blocks[j] for j in sorted(blocks, reverse=True) if j <= start), None)
            kind, year, n = period_of(label)
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
    """Code of a row's label; None for the rows that are no partner."""
    key = key_of(label)
    if number[:2] == "14" and (key in SKIPPED_IN_14 | WORLD_LABELS or key.startswith("other")):
        return WORLD if key in WORLD_LABELS else None
    if number[:1] == "4" and (key in SKIPPED_IN_SUPPLEMENT or key == "total"):
        return WORLD if key == "total" else None
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


# --- what an exhibit must agree with --------------------------------------------------------------


def _checked(frame: pd.DataFrame, number: str, where: str) -> pd.DataFrame:
    """One row per figure, `half` the unit it is rounded to, and balances that agree."""
    period = ["kind", "year", "n"]
    for kind in frame["kind"].unique():
        if (number[:2], kind) not in TABLES:
            raise CheckError(f"{where}: columns of kind {kind} are not known in this exhibit.")
    keys = ["partner", "flow", *period]
    twice = frame[frame.duplicated(keys, keep=False)]
    differ = twice[twice.groupby(keys)["million"].transform("nunique", dropna=False) > 1]
    refuse_rows(differ.sort_values(keys), f"{where}: a partner listed twice has the same figures")
    frame = frame.drop_duplicates(keys, ignore_index=True)
    flows = frame.groupby(["partner", *period])["flow"].transform("size")  # each is there once
    refuse_rows(frame[flows != 3], f"{where}: each partner has balance, exports and imports")
    half = _half_unit(frame["million"], [frame[name] for name in ("flow", *period)])
    frame["half"] = half.mask(frame["note"].isin(["(-)", "(*)", "(Z)"]), 0.5)
    known = frame.assign(million=frame["million"].mask(frame["note"].eq("(-)"), 0.0))
    wide = known.pivot(index=["partner", *period], columns="flow", values=["million", "half"])
    million = wide["million"]
    off = (million["exports"] - million["imports"] - million["balance"]).rename("difference_million")
    bad = off[off.abs() > wide["half"].sum(axis=1) + 1e-6]
    refuse_rows(bad.reset_index(), f"{where}: balance is exports less imports")
    if number[:2] == "14":
        january = frame[frame["n"] == 1]
        sides = (january[january["kind"] == kind].drop(columns=["kind", "note"]) for kind in ("M", "ytd"))
        both = pd.merge(*sides, on=["partner", "flow", "year", "n"], suffixes=("", "_ytd"))
        bad = both[(both["million"] - both["million_ytd"]).abs() > both["half"] + both["half_ytd"]]
        refuse_rows(bad, f"{where}: January is the year to date")
    return frame


def _half_unit(million: pd.Series, columns: list[pd.Series]) -> pd.Series:
    """Half of the last decimal printed in the column that a figure is of, the third at most."""
    printed = np.full(len(million), 3)
    for decimals in (2, 1, 0):
        printed[million.isna() | ((million - million.round(decimals)).abs() <= 1e-7)] = decimals
    return 0.5 * 10.0 ** -pd.Series(printed, million.index).groupby(columns).transform("max")


def _check_months(found: dict[str, pd.DataFrame]) -> None:
    """The exhibits of one release end in the same month, 14a a year earlier."""
    ends = {}
    for number, frame in found.items():
        months = frame.loc[frame["kind"] == "M", ["year", "n"]].drop_duplicates()
        if len(months):
            last = max(zip(months["year"] + (number == "14a"), months["n"], strict=True))
            ends[number] = f"{last[0]}-{last[1]:02d}"
    if len(set(ends.values())) > 1:
        raise CheckError(f"The exhibits are not of one release; their months (14a: a year later): {ends}.")
    if "14a" in ends and len(ends) == 1:
        raise CheckError("Exhibit 14a is there without 14 and 19, which tell the statistical month.")


def _check_alike(found: dict[str, pd.DataFrame]) -> None:
    """Exhibits 14 and 14a list the same rows, and so do 20, 20a and 20b, in the same periods."""
    fields = ["partner", "flow", "kind"]
    periods = [*fields, "year", "n"]
    for first, other, keys in (("14", "14a", fields), ("20", "20a", periods), ("20", "20b", periods)):
        if first in found and other in found:
            one, two = (pd.MultiIndex.from_frame(found[n][keys].drop_duplicates()) for n in (first, other))
            alone = one.symmetric_difference(two).to_frame(index=False)
            refuse_rows(alone, f"Exhibits {first} and {other} list the same rows and periods")


def _check_totals(found: dict[str, pd.DataFrame]) -> None:
    """Goods and services make the total, in Exhibits 20a, 20b and 20."""
    if not {"20", "20a", "20b"} <= set(found):
        return
    keys = ["partner", "flow", "kind", "year", "n"]
    total, goods, services = (found[n].set_index(keys) for n in ("20", "20a", "20b"))
    off = (goods["million"] + services["million"] - total["million"]).rename("difference_million")
    allowed = 4 / 3 * (goods["half"] + services["half"] + total["half"]) + 1e-6
    refuse_rows(off[off.abs() > allowed].reset_index(), "Exhibits 20a and 20b make Exhibit 20")


def _contract(part: pd.DataFrame) -> pd.DataFrame:
    """Contract columns, in whole dollars, of the rows that make one table."""
    kind = part["kind"].iloc[0]
    freq = "M" if kind == "ytd" else kind
    within = {"quarter" if freq == "Q" else "month": part["n"]}
    return pd.DataFrame(
        {
            "period": pd.PeriodIndex.from_fields(year=part["year"], **within, freq=freq),
            "partner": part["partner"].to_numpy(),
            "flow": part["flow"].to_numpy(),
            "item": part["item"].to_numpy(),
            "value_usd": np.rint(part["million"].to_numpy() * 1e6),
            "note": part["note"].astype("str").to_numpy(),
        }
    ).astype({"note": "str"})


# --- the supplement's exhibits of all partners ----------------------------------------------------


def supplement_of(rows: list[list]) -> tuple[str, int] | None:
    """Tell the exhibit, "4" or "4a", and the year of its title; None for any other sheet."""
    for row in rows[:HEAD_ROWS]:
        title = SUPPLEMENT_TITLE.match(" ".join(filter(None, map(text_of, row))))
        if title:
            return title[1].lower(), int(title[2])
    return None


def parse_supplement(members: dict[str, list[list]]) -> dict[str, pd.DataFrame]:
    """Parse Exhibits 4 and 4a of one release, the year to date under its last month; {} without them."""
    exhibits = [(name, rows, found) for name, rows in members.items() if (found := supplement_of(rows))]
    parts = [_parse_all_partners(rows, *found, name) for name, rows, found in exhibits]
    if not parts:
        return {}
    frame = pd.concat(parts, ignore_index=True)
    return {
        table: frame[frame["kind"] == kind].drop(columns="kind").reset_index(drop=True)
        for kind, table in SUPPLEMENT.items()
    }


def _parse_all_partners(rows: list[list], number: str, year: int, name: str) -> pd.DataFrame:
    where = f"Exhibit {number} ({name})"
    head = " ".join(text_of(cell) for row in rows[:HEAD_ROWS] for cell in row).lower()
    if "millions of dollars" not in head:
        raise CheckError(f"{where}: the units line must say millions of dollars.")
    top = next((n for n, row in enumerate(rows[:HEAD_ROWS]) if key_of(text_of(row[0])) == "country"), None)
    first = next((n for n, row in enumerate(rows) if key_of(text_of(row[0])) == "total"), None)
    if top is None or first is None or first < top:
        raise CheckError(f"{where}: no header that begins with 'Country', or no row 'TOTAL' below it.")
    columns = _supplement_columns(rows[top:first], where)
    records = []
    for n, row in enumerate(rows[first:], first):
        figures = {key: figure_of(row[at]) for key, at in columns.items() if at < len(row)}
        if not any(figures.values()):
            break  # the notes begin
        partner = _partner(text_of(row[0]), number, f"{where}, {place_of(n, 0)}")
        for (flow, kind, month), figure in figures.items():
            if partner and figure is None:
                raise CheckError(
                    f"{where}, {place_of(n, columns[flow, kind, month])}: no figure of {row[0]!r}."
                )
            if partner:
                records.append((f"{year}-{month:02d}", partner, flow, kind, *figure))
    frame = pd.DataFrame(records, columns=["period", "partner", "flow", "kind", "million", "note"])
    _check_all_partners(frame, where)
    values = frame["million"].to_numpy() * 1e6
    frame = frame.assign(item="goods", value_usd=np.rint(values), note=frame["note"].astype("str"))
    return frame.assign(period=pd.PeriodIndex(frame["period"], freq="M")).drop(columns="million")


def _supplement_columns(head: list[list], where: str) -> dict[tuple[str, str, int], int]:
    """Flow, kind and month of each column that is wanted -> its place, told by the header above it."""
    columns, flow, basis, month = {}, None, "", None
    for at in range(1, max(map(len, head))):
        texts = [text_of(row[at]) if at < len(row) else "" for row in head]
        block = BLOCK.fullmatch(texts[0]) if texts[0] else None
        if block:
            flow, basis = block[1].lower(), ""
        basis = texts[1].lower() or basis
        words = " ".join(text for text in texts[2:] if text and not text.isdigit()).lower()
        known = MONTHS.get(words.split(" ")[0]) if words else None
        month = known or month
        kind = "M" if known else "ytd" if "to-date" in words or "to date" in words else None
        if flow and kind and month and BASIS[flow] in basis:
            if (flow, kind, month) in columns:
                raise CheckError(f"{where}: two columns of {flow}, {words!r}, {basis!r}.")
            columns[flow, kind, month] = at
        elif words and not kind and words != "rank":
            raise CheckError(
                f"{where}, {place_of(0, at)}: the column {words!r} is neither month nor year to date."
            )
    if {(flow, kind) for flow, kind, _ in columns} != {(f, k) for f in BASIS for k in SUPPLEMENT}:
        raise CheckError(
            f"{where}: columns of balance, exports and imports, month and year to date; got {columns}."
        )
    return columns


def _check_all_partners(frame: pd.DataFrame, where: str) -> None:
    """Each partner is there once; balance is exports less imports, to the dollar, or what "(-)" may hide."""
    refuse_rows(frame[frame.duplicated(["partner", "flow", "kind"])], f"{where}: a partner is listed once")
    known = frame.assign(million=frame["million"].mask(frame["note"].eq("(-)"), 0.0))
    wide = known.pivot(index=["partner", "kind"], columns="flow", values="million")
    hidden = frame["note"].notna().groupby([frame["partner"], frame["kind"]]).any()
    off = (wide["exports"] - wide["imports"] - wide["balance"]).rename("difference_million")
    allowed = pd.Series(np.where(hidden.reindex(off.index), 3 * SMALL, 2e-6), off.index)
    refuse_rows(off[off.abs() > allowed].reset_index(), f"{where}: balance is exports less imports")


# --- cells and labels -----------------------------------------------------------------------------


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
