"""Standard Reports of USA Trade Online: a pair of sheets, exports and imports -> goods by partner and month.

Source: usatrade.census.gov, where economists click their tables together. A sheet has a title, the day it was
asked for, a line for each dimension, and then country, month and value in dollars.
"""

import re
from datetime import date

import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import WORLD, resolve
from tradelib.sources.census_files import check_world
from tradelib.tables import CheckError, refuse_rows

PARSER = "trade_online.1"  # as vintages remember it
TITLE = re.compile(r"Standard Report - (Exports|Imports)")
#: What each line above the table must say: all of trade.
WHOLE = {
    "commodity": r"all commodities",
    "domestic/foreign": r"total exports",
    "import type": r"general imports?|total (general )?imports?",
    "district": r"all districts",
    "port": r"all ports",
    "state": r"all states",
    "rate provision": r"all rate provisions?",
    "method of transportation": r"all methods.*",
}
MEASURE = {"exports": r"value \(\$us\)|total value \(\$us\)", "imports": r"customs value \(gen\) \(\$us\)"}
#: Names that are not those of a partner, or are those of another: the code, or None for what is no partner.
NAMES: dict[str, str | None] = {"World Total": WORLD, "Sudan (through Jul 2011)": "7320"}
NAMES |= {"Serbia (Jan 2007 - Dec 2008)": "4802", "Ethiopia (through Jun 1993)": "7740"}
NAMES |= dict.fromkeys(["Puerto to US", "US Trade Agreements Partners"])
NAMES |= {"Iraqi-Saudi Arabia Neutral Zone (through Dec 1992)": None}


def flow_of(sheets: dict[str, list[list]]) -> str | None:
    """Tell "exports" or "imports" by the title; None for any other workbook."""
    for rows in sheets.values():
        if rows and rows[0] and (title := TITLE.fullmatch(str(rows[0][0]).strip())):
            return title[1].lower()
    return None


def parse_pair(books: dict[str, dict[str, list[list]]]) -> dict[str, pd.DataFrame]:
    """Parse the two workbooks, by the names of their files, to goods of the same months."""
    flows = {name: flow_of(sheets) for name, sheets in books.items()}
    if sorted(filter(None, flows.values())) != ["exports", "imports"]:
        held = ", ".join(f"{name} holds {flow or 'neither'}" for name, flow in flows.items())
        raise CheckError(
            f"A table is made of a Standard Report of exports and one of imports; {held}.",
            "Give both in one call: tradelib ingest EXPORTS.xlsx IMPORTS.xlsx --saved YYYY-MM-DD",
        )
    frames = []
    for name, sheets in books.items():
        try:
            frames.append(_parse(next(iter(sheets.values())), flows[name] or ""))
        except TradelibError as error:
            raise CheckError(f"{name}: {error}") from None
    frame = pd.concat(frames, ignore_index=True)
    check_world(frame)
    return {"goods_census_nsa_api": frame}


def asked_on(books: dict[str, dict[str, list[list]]]) -> str | None:
    """The ISO date of the line "Current date: 07/20/2021 10:14 PM", the later of two."""
    lines = [str(row[0]) for sheets in books.values() for row in next(iter(sheets.values()))[:4] if row]
    days = [
        found.groups() for line in lines if (found := re.match(r"Current date: (\d\d)/(\d\d)/(\d{4})", line))
    ]
    return max((f"{year}-{month}-{day}" for month, day, year in days), default=None)


def _parse(rows: list[list], flow: str) -> pd.DataFrame:
    texts = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    head = next((n for n, row in enumerate(texts) if row[:2] == ["Country", "Time"]), None)
    if head is None:
        raise CheckError("The report has no header Country, Time.", "Ask for it by country and month.")
    for line in (row[0] for row in texts[2 : head - 1]):
        what, _, value = line.partition(":")
        if what and not re.fullmatch(WHOLE.get(what.lower(), "all .*"), value.strip().lower()):
            raise CheckError(f"The report is a part of trade: {line!r}.", f"Ask for all of it in {what}.")
    measure = texts[head - 1][2].lower()
    if len(texts[head - 1]) != 3 or not re.fullmatch(MEASURE[flow], measure):
        raise CheckError(
            f"The report must have one measure, {MEASURE[flow]!r}; it has {texts[head - 1][2:]}."
        )
    table = pd.DataFrame(rows[head + 1 :], columns=["country", "time", "value_usd"])
    table["country"] = table["country"].replace("", None).ffill()
    table = table[table["time"].map(lambda cell: isinstance(cell, date)) & table["value_usd"].ne("")]
    table = table.assign(
        partner=table["country"].map({name: _code(name) for name in table["country"].unique()})
    )
    table = table[table["partner"].notna()].drop_duplicates(["partner", "time", "value_usd"])
    value = pd.to_numeric(table["value_usd"], errors="coerce")
    refuse_rows(table[value.isna()], "A value is a number of dollars")
    return pd.DataFrame(
        {
            "period": pd.PeriodIndex(pd.to_datetime(table["time"]), freq="M"),
            "partner": table["partner"],
            "flow": flow,
            "item": "goods",
            "value_usd": value,
            "note": pd.Series(pd.NA, index=table.index, dtype="str"),
        }
    )


def _code(name: str) -> str | None:
    """The code of a country, whose name may be followed by its time; None for groups and the like."""
    if name in NAMES:
        return NAMES[name]
    try:
        found = resolve(name)
    except TradelibError:
        found = resolve(re.split(r" - | \(", name)[0])
    return None if found.is_group else found.code
