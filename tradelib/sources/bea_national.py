"""BEA's national workbook: goods, services and both with the world, BOP basis, by month and year.

Source: "U.S. International Trade in Goods and Services" (trad-time-series) of bea.gov, its table 1.
"""

import re

import numpy as np
import pandas as pd

from tradelib.partners import WORLD
from tradelib.sources.bea_workbook import check_sums, dated, header_of
from tradelib.tables import WORLD_MONTHS, WORLD_YEARS, CheckError

PARSER = "bea-national.1"  # as vintages remember it
TITLE = "u.s. international trade in goods and services"
FLOWS, ITEMS = ("balance", "exports", "imports"), ("total", "goods", "services")
#: "1992 Jan", "2024 Dec (R)", "1960" or, of a cell that is a number, "1960.0".
PERIOD = re.compile(r"(\d{4})(?:\.0)?(?: ([A-Z][a-z]{2}))?\s*(\(R\))?")
ROUNDING_USD = 2.01e6  # three figures, each rounded to a million
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def table_of(sheets: dict[str, list[list]]) -> list[list] | None:
    """The rows of its table 1, told by title and subtitle; None where it is another workbook."""
    for rows in sheets.values():
        head = [" ".join(str(row[0]).split()).lower() for row in rows[:6] if row]
        title = any(re.sub(r"^table 1\. ", "", line) == TITLE for line in head)
        if title and "exports, imports, and balances" in head:
            return rows
    return None


def parse(rows: list[list]) -> dict[str, pd.DataFrame]:
    """Parse table 1 to trade_world_sa (months) and trade_world_annual (years)."""
    start = header_of(rows, "BEA's national table")
    columns, records = _columns(rows[start], rows[start + 1]), []
    for row in rows[start + 2 :]:
        found = PERIOD.fullmatch(str(row[0]).strip()) if row else None
        if not found or (found[2] and found[2] not in MONTHS):
            continue
        period = f"{found[1]}-{MONTHS.index(found[2]) + 1:02}" if found[2] else found[1]
        for n, (flow, item) in columns.items():
            cell = row[n] if n < len(row) else None
            if not isinstance(cell, (int, float)) or not np.isfinite(cell):
                raise CheckError(f"BEA's national table, {row[0]}: {flow} of {item} is {cell!r}, no number.")
            records.append((period, WORLD, flow, item, float(np.rint(cell * 1e6)), found[3]))
    tidy = pd.DataFrame(records, columns=["period", "partner", "flow", "item", "value_usd", "note"])
    check_sums(dict(list(tidy.groupby(["flow", "item"]))), within=ROUNDING_USD)
    monthly = tidy["period"].str.len() > 4
    return {WORLD_MONTHS: dated(tidy[monthly], "M"), WORLD_YEARS: dated(tidy[~monthly], "Y")}


def _columns(groups: list, names: list) -> dict[int, tuple[str, str]]:
    """The flow and item of each column: a flow stands somewhere above its three items, the total first."""
    items = {n: re.sub(r" \d$", "", str(name or "").strip().lower()) for n, name in enumerate(names)}
    starts = [n for n, item in items.items() if item == "total"]
    found: dict[int, tuple[str, str]] = {}
    for start in starts:
        above = " ".join(str(cell or "") for cell in groups[start : start + len(ITEMS)]).strip().lower()
        for n in range(start, start + len(ITEMS)):
            if above in FLOWS and items.get(n) in ITEMS:
                found[n] = (above, items[n])
    if len(set(found.values())) != len(FLOWS) * len(ITEMS):
        raise CheckError("BEA's national table must have balance, exports and imports of three items each.")
    return found
