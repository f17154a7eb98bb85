"""Exhibits 4 and 4a of the FT-900's supplement: goods with every partner, month and year to date.

They print what no other exhibit does: all partners, to the dollar, as of the release day. Like the others
they are told by their titles and labels; the C.I.F. columns and the ranks are left alone.
"""

import re

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import WORLD, from_area_name
from tradelib.sources.exhibit import BLOCK, FOOTNOTES, HEAD_ROWS, MONTHS, figure_of, key_of, place_of, text_of
from tradelib.tables import CheckError, refuse_rows

TABLES = {"M": "goods_ft900_all_nsa", "ytd": "goods_ft900_all_ytd_nsa"}
TITLE = re.compile(
    r"exhibit\s*(4a?)(?!\w).*balance of goods by country.*not seasonally adjusted\D*((?:19|20)\d\d)", re.I
)
#: Which of a block's columns are meant: imports at customs value, not C.I.F.
BASIS = {"balance": "customs", "exports": "f.a.s.", "imports": "customs"}
#: Rows that are no partner: adjustments, and areas without a code.
SKIPPED = {"timingadjustment", "timingadjustments", "unidentified", "unidentifiedcountries", "", "asiasouth"}
SKIPPED |= {"asianeareast", "middleeast", "westernhemisphere", "easterneurope", "westerneurope"}
SKIPPED |= {"freelyassociatedstates", "formersovietrepublics", "efta"}
#: A figure that is printed as "(-)" is less than half a million.
SMALL = 0.5


def recognise(rows: list[list]) -> tuple[str, int] | None:
    """Tell the exhibit, "4" or "4a", and the year of its title; None for any other sheet.

    Examples
    --------
    >>> recognise([["Exhibit 4. Exports, Imports, and Trade Balance of Goods by Country and Area, "
    ...     "Not Seasonally Adjusted: 2021"]])
    ('4', 2021)
    """
    for row in rows[:HEAD_ROWS]:
        title = TITLE.match(" ".join(filter(None, map(text_of, row))))
        if title:
            return title[1].lower(), int(title[2])
    return None


def parse_supplement(members: dict[str, list[list]]) -> dict[str, pd.DataFrame]:
    """Parse Exhibits 4 and 4a of one release.

    Parameters
    ----------
    members : dict
        Name -> rows of cells as they stand, $ million.

    Returns
    -------
    dict
        Table name -> contract columns in whole dollars, flows "exports", "imports" and "balance" as printed;
        the year to date under its last month. Empty where neither exhibit is there.

    Raises
    ------
    CheckError
        If a label or a sum is not as known, with the exhibit and the place.

    Examples
    --------
    >>> parse_supplement({"exh19.xls": [["Exhibit 19. U.S. Trade in Goods"]]})
    {}
    """
    parts = [_exhibit(rows, *found, name) for name, rows in members.items() if (found := recognise(rows))]
    if not parts:
        return {}
    frame = pd.concat(parts, ignore_index=True)
    return {
        table: frame[frame["kind"] == kind].drop(columns="kind").reset_index(drop=True)
        for kind, table in TABLES.items()
    }


def _exhibit(rows: list[list], number: str, year: int, name: str) -> pd.DataFrame:
    where = f"Exhibit {number} ({name})"
    head = " ".join(text_of(cell) for row in rows[:HEAD_ROWS] for cell in row).lower()
    if "millions of dollars" not in head:
        raise CheckError(f"{where}: the units line must say millions of dollars.")
    top = next((n for n, row in enumerate(rows[:HEAD_ROWS]) if key_of(text_of(row[0])) == "country"), None)
    first = next((n for n, row in enumerate(rows) if key_of(text_of(row[0])) == "total"), None)
    if top is None or first is None or first < top:
        raise CheckError(f"{where}: no header that begins with 'Country', or no row 'TOTAL' below it.")
    columns = _columns(rows[top:first], where)
    records = []
    for n, row in enumerate(rows[first:], first):
        figures = {key: figure_of(row[at]) for key, at in columns.items() if at < len(row)}
        if not any(figures.values()):
            break  # the notes begin
        partner = _partner(text_of(row[0]), f"{where}, {place_of(n, 0)}")
        for (flow, kind, month), figure in figures.items():
            if partner and figure is None:
                raise CheckError(
                    f"{where}, {place_of(n, columns[flow, kind, month])}: no figure of {row[0]!r}."
                )
            if partner:
                records.append((f"{year}-{month:02d}", partner, flow, kind, *figure))
    frame = pd.DataFrame(records, columns=["period", "partner", "flow", "kind", "million", "note"])
    _check(frame, where)
    values = frame["million"].to_numpy() * 1e6
    frame = frame.assign(item="goods", value_usd=np.rint(values), note=frame["note"].astype("str"))
    return frame.assign(period=pd.PeriodIndex(frame["period"], freq="M")).drop(columns="million")


def _columns(head: list[list], where: str) -> dict[tuple[str, str, int], int]:
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
    if {(flow, kind) for flow, kind, _ in columns} != {(f, k) for f in BASIS for k in TABLES}:
        raise CheckError(
            f"{where}: columns of balance, exports and imports, month and year to date; got {columns}."
        )
    return columns


def _partner(label: str, where: str) -> str | None:
    key = key_of(label)
    if key in SKIPPED or key == "total":
        return WORLD if key == "total" else None
    try:
        return from_area_name(FOOTNOTES.sub("", label))
    except TradelibError:
        advice = "If it is one, add the name to its row of tradelib/data/partners.csv."
        raise CheckError(f"{where}: {label!r} is not a known country or area.", advice) from None


def _check(frame: pd.DataFrame, where: str) -> None:
    """Balance is exports less imports; to the dollar, or to what "(-)" may hide."""
    wide = frame.pivot(index=["partner", "kind"], columns="flow", values="million")
    hidden = frame["note"].notna().groupby([frame["partner"], frame["kind"]]).any()
    off = (wide["exports"] - wide["imports"] - wide["balance"]).rename("difference_million")
    allowed = pd.Series(np.where(hidden.reindex(off.index), 3 * SMALL, 2e-6), off.index)
    refuse_rows(off[off.abs() > allowed].reset_index(), f"{where}: balance is exports less imports")
