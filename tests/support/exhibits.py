"""Writes FT-900 editions that nobody published, in the layout of the real ones, for the tests."""

import io
import zipfile
import zlib

import openpyxl
import pandas as pd
import xlwt

NAMES = (
    "Brazil|Canada|China|France|Germany|Hong Kong|India|Italy|Japan|Korea, South|Mexico|Saudi Arabia"
    "|Singapore|Taiwan|United Kingdom"
)
MORE_NAMES = "Australia|Belgium|Ireland|Israel|Malaysia|Netherlands|Switzerland|Vietnam"
FIFTEEN = NAMES.split("|")
TWENTY_THREE = sorted([*FIFTEEN, *MORE_NAMES.split("|")])
FLOWS = ("Balance", "Exports", "Imports")
NTH = ("First", "Second", "Third", "Fourth")
REGIONS = ["All other countries", "European Union", "South/Central America"]


def amount(label, flow, item, key, decimals=0):
    """Millions of one cell: the same for the same cell, and balances and totals that agree."""
    if flow == "Balance":
        sides = [amount(label, side, item, key, decimals) for side in FLOWS[1:]]
        return round(sides[0] - sides[1], decimals)
    if item == "total":
        return round(sum(amount(label, flow, i, key, decimals) for i in ("goods", "services")), decimals)
    if key[0] == "ytd":
        last = pd.Period(key[1], "M")
        months = [("M", f"{last.year}-{n:02d}") for n in range(1, last.month + 1)]
        return round(sum(amount(label, flow, item, month, decimals) for month in months), decimals)
    noise = zlib.crc32(f"{label} {flow} {item} {key}".encode())
    return round(1 + noise % 40_000 + (noise % 997) / 997, decimals)


def header(key, wrap="\n"):
    kind, text = key
    if kind in ("M", "ytd"):
        period = pd.Period(text, "M")
        return f"{period:%B}{wrap}{period.year}" if kind == "M" else f"Year-to-Date{wrap}{period.year}"
    return f"{NTH[int(text[-1]) - 1]} Quarter{wrap}{text[:4]}" if kind == "Q" else f"Annual{wrap}{text}"


def exhibit_14(month, *, suffix="", countries=FIFTEEN, decimals=0, wrap="\n", marks=True):
    """Exhibit 14 (or 14a, a year earlier): blocks side by side, (R) in a column before the older month."""
    newest = pd.Period(month, "M") - (12 if suffix else 0)
    keys = [("M", str(newest)), ("M", str(newest - 1)), ("ytd", str(newest))]
    names = [header(key, wrap) for key in keys]
    names = [names[0], names[1], *([""] if marks else []), names[2]]
    title = f"Exhibit 14{suffix}. U.S. Trade in Goods by Selected Countries and Areas: {newest.year}"
    rows = [[""], ["Part B: NOT Seasonally Adjusted"], [title]]
    rows += [["In millions of dollars. Details may not equal totals due to rounding."]]
    rows += [["Item (1)"] + [cell for flow in FLOWS for cell in (flow, *[""] * (len(names) - 1))]]
    rows += [["", *names * 3]]
    labels = ["Total Balance of Payments Basis", "Net Adjustments", "Total Census Basis", "North America"]
    for label in [*labels, *countries, "Other", "Other Countries", "Timing Adjustments"]:
        cells = [[amount(label, flow, "goods", key, decimals) for key in keys] for flow in FLOWS]
        rows.append([label, *[c for a, b, y in cells for c in (a, *([""] if marks else []), b, y)]])
    rows += [["Unidentified Countries (2)", *(["(-)", *(["", "(-)"] if marks else ["(-)"]), "(-)"] * 3)]]
    return [*rows, ["(1) Detailed data are presented on a Census basis."], ["NOTES:"], ["* Not additive."]]


def stacked(number, title, keys, item, *, countries=FIFTEEN, decimals=0, wrap="\n", adjusted=True):
    """Exhibit 19 or 20: balance, exports and imports one below the other."""
    rows = [[""], [f"Part C: {'' if adjusted else 'NOT '}Seasonally Adjusted (by Geography)"]]
    rows += [[f"Exhibit {number}. U.S. Trade in {title}"], ["In millions of dollars. (R) - Revised."]]
    rows += [["Country and Area", *[header(key, wrap) for key in keys]]]
    for flow in FLOWS:
        rows.append([flow])
        for label in [*countries, *REGIONS]:
            rows.append([label, *[amount(label, flow, item, key, decimals) for key in keys]])
    return [*rows, ["n.a. Not available"], ["NOTES:"], ["* Countries may be in more than one area."]]


def edition(month="2023-04", **options):
    """All six exhibits of a statistical month -> {"14": rows, ...}."""
    newest = pd.Period(month, "M")
    quarter = (newest + 1).asfreq("Q") - 1
    quarters = [("Q", str(quarter - n)) for n in range(5, -1, -1)]
    years = [("Y", str(newest.year - n)) for n in (3, 2, 1)]
    months = [("M", month), ("M", str(newest - 1))]
    to_date = [("ytd", month), ("ytd", str(newest - 12))]
    named = "Selected Countries and Areas"
    return {
        "14": exhibit_14(month, **options),
        "14a": exhibit_14(month, suffix="a", **options),
        "19": stacked(
            "19", f"Goods by {named} - Census Basis", months + quarters + to_date, "goods", **options
        ),
        "20": stacked(
            "20", f"Goods and Services by {named} - BOP Basis", quarters + years, "total", **options
        ),
        "20a": stacked("20a", f"Goods by {named} - BOP Basis", quarters + years, "goods", **options),
        "20b": stacked("20b", f"Services by {named}", quarters + years, "services", **options),
    }


def as_text(rows):
    """Every figure as text with thousands commas."""
    return [[f"{c:,}" if isinstance(c, (int, float)) else c for c in row] for row in rows]


def as_xlsx(rows, sheet="14"):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_xls(rows, sheet="14"):
    book = xlwt.Workbook()
    page = book.add_sheet(sheet)
    for n, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell != "":
                page.write(n, column, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_zip(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def find(rows, label, flow=None):
    """Index of the row of a label; below the block label `flow`, where blocks are stacked."""
    start = next(n for n, row in enumerate(rows) if row[0] == flow) if flow else 0
    return next(n for n in range(start, len(rows)) if rows[n][0] == label)


def with_cell(rows, n, column, cell):
    """A copy of the rows with one cell changed."""
    rows = [list(row) for row in rows]
    rows[n][column] = cell
    return rows
