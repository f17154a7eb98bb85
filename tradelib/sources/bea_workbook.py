"""BEA's country workbook: where it is, and its sheets -> goods and services by partner, BOP basis.

Source: "U.S. International Trade by Selected Countries and Areas" (trad-geo-time-series) of
bea.gov. Tables 1-9 hold exports, imports and balance of goods and services, goods, and services.
"""

import re
from urllib.parse import SplitResult, urljoin, urlsplit

import numpy as np
import pandas as pd

from tradelib.errors import FetchError
from tradelib.partners import from_area_name
from tradelib.sources.download import get_file
from tradelib.tables import CheckError, refuse_rows

PARSER = "bea.1"  # as vintages remember it
PAGE = "https://www.bea.gov/data/intl-trade-investment/international-trade-goods-and-services"
#: trad-geo-time-series-0125.xlsx; in 2026 names like trad0726-geo-time-series.xlsx; _0 where put up again.
_MONTH, _VERSION = r"((?:0[1-9]|1[0-2])\d\d)", r"(?:[_-]\d)?\.xlsx$"
WORKBOOKS = {
    source: re.compile(f"/(?:trad{_MONTH}-{words}|trad-{words}-{_MONTH}){_VERSION}", re.IGNORECASE)
    for source, words in {"bea": "geo[a-z-]*", "bea-national": "time-series"}.items()
}
#: Subtitle of a sheet -> (flow, item). Sheets are told by it, not by their number.
SUBTITLES = {
    f"{flow} {of} {words}": (flow.lower(), item)
    for flow, of in (("Exports", "of"), ("Imports", "of"), ("Balance", "on"))
    for words, item in (("goods and services", "total"), ("goods", "goods"), ("services", "services"))
}
#: BEA's residual is not additive before 2013: other countries moved in and out of it.
RESIDUAL = "REST"
ROUNDING_USD = 1.01e6
FEW = 10
#: "2019 1", "2024 2 (R)", "2024Q2", "2024" or, of a cell that is a number, "2024.0".
PERIOD = re.compile(r"(?P<year>\d{4})(?:\s*:?\s*Q?(?P<quarter>[1-4])|\.0)?\s*(?P<revised>\(R\))?\s*")


def workbook_address(source: str = "bea") -> str:
    """Ask BEA's page where a workbook is: its name changes with each release, and in its pattern."""
    html = get_file(PAGE, name="BEA's page on trade", page=True).content
    return find_workbook_link(html, source=source)


def find_workbook_link(html: bytes, *, source: str = "bea") -> str:
    """Find the newest workbook of a source among the links of BEA's page that lead to a host of BEA's own.

    The newest is told by the month in its name, then by its folder and version (_0).
    """
    from bs4 import BeautifulSoup

    hrefs = [tag["href"].strip() for tag in BeautifulSoup(html, "html.parser").find_all("a", href=True)]
    books = [link for href in hrefs if (link := _absolute(href)).path.lower().endswith((".xlsx", ".xls"))]
    found = []
    for link in books:
        name = WORKBOOKS[source].search(link.path)
        if name and link.scheme == "https" and ("." + (link.hostname or "")).endswith(".bea.gov"):
            month = name[1] or name[2]
            found.append((month[2:] + month[:2], link.path, link.geturl()))
    if not found:
        seen = dict.fromkeys(link._replace(query="").geturl() for link in books)
        raise FetchError(
            "BEA's page links to no country workbook of BEA's own (trad-geo-time-series-MMYY.xlsx or "
            f"tradMMYY-geo-time-series.xlsx). Its workbooks: {', '.join([*seen][:8]) or 'none'}.",
            f"Look at {PAGE}, download it by hand, and take it in with `tradelib ingest FILE`.",
        )
    return max(found)[2]


def _absolute(href: str) -> SplitResult:
    """Split a link, made absolute and without its fragment; what is no address at all has no path."""
    try:
        link = urlsplit(urljoin(PAGE, href))
        return link._replace(fragment="", scheme="https" if link.scheme == "http" else link.scheme)
    except ValueError:
        return urlsplit("")


def parse_country_workbook(sheets: dict[str, list[list]]) -> dict[str, pd.DataFrame]:
    """Parse its sheets to trade_bop_sa (quarters, seasonally adjusted) and trade_bop_annual (years).

    Each sheet has its subtitle and units above a header row that begins "Period", then an annual and a
    quarterly block, $ million. Items are "goods", "services" and "total", as published. Figures that BEA
    prints as n.a. are missing with that note; (R) and (*), which is nearly zero, are kept as notes. A balance
    must be exports less imports, and goods and services the total, within the rounding of one million.
    """
    found = {}
    for name, rows in sheets.items():
        kind = _kind(rows)
        if kind:
            found[kind] = _parse_sheet(rows, name)
    if not found:
        raise CheckError(
            "No table of trade by country and area in this workbook.", f"Sheets: {', '.join(sheets)}."
        )
    missing = [kind for kind in SUBTITLES.values() if kind not in found]
    if missing:
        raise CheckError(f"The workbook lacks {', '.join(f'{f} of {i}' for f, i in missing)}.")
    _check_same_periods(found)
    check_sums(found)
    _check_years(found)
    _check_goods(found)
    parts = [frame.assign(flow=flow, item=item) for (flow, item), frame in found.items()]
    tidy = pd.concat(parts, ignore_index=True)
    by_quarter = tidy.pop("quarterly")
    return {
        "trade_bop_sa": dated(tidy[by_quarter], "Q"),
        "trade_bop_annual": dated(tidy[~by_quarter], "Y"),
    }


def last_updated(sheets: dict[str, list[list]]) -> str | None:
    """Return the ISO date of the lines "Last updated March 6, 2025", one in all sheets, if there are any."""
    lines = [str(row[0]).strip() for rows in sheets.values() for row in rows[:3] if row]
    days = {}
    for words in dict.fromkeys(line for line in lines if line.lower().startswith("last updated")):
        told = pd.to_datetime(
            pd.Series(words[len("last updated") :].strip(" :")), format="mixed", errors="coerce"
        )
        if told.isna().any() or not re.search(r"\d.*\d{4}|\d{4}-\d\d-\d\d", words):
            raise CheckError(f"The day printed in the workbook cannot be read: {words!r}.")
        days[told[0].date().isoformat()] = words
    if len(days) > 1:
        raise CheckError(
            f"The sheets are of different days: {', '.join(days)}.", "Give the workbook as it was."
        )
    return next(iter(days), None)


def is_country_workbook(sheets: dict[str, list[list]]) -> bool:
    """Tell BEA's workbook from others by the subtitles of its tables."""
    return any(_kind(rows) for rows in sheets.values())


def _kind(rows: list[list]) -> tuple[str, str] | None:
    for row in rows[:6]:
        words = " ".join(str(row[0]).split()).lower() if row else ""
        for subtitle, kind in SUBTITLES.items():
            if words == subtitle.lower():
                return kind
    return None


def header_of(rows: list[list], where: str) -> int:
    """The place of the header row of a table in millions of dollars."""
    above = " ".join(str(cell) for row in rows[:6] for cell in row[:1]).lower()
    if "millions of dollars" not in above:
        raise CheckError(
            f"{where}: the units line must say millions of dollars; the head reads {above[:120]!r}."
        )
    start = next((n for n, row in enumerate(rows) if row and str(row[0]).strip() == "Period"), None)
    if start is None:
        raise CheckError(f"{where}: no header row that begins with 'Period'.")
    return start


def _parse_sheet(rows: list[list], name: str) -> pd.DataFrame:
    """One sheet -> period label, partner, value in dollars, note, quarterly or not."""
    start = header_of(rows, name)
    areas = [(n, from_area_name(str(cell))) for n, cell in enumerate(rows[start]) if n and str(cell).strip()]
    columns, records = {n for n, _ in areas}, []
    for row in rows[start + 1 :]:
        label = str(row[0]).strip()
        found, held = PERIOD.fullmatch(label), {n for n, cell in enumerate(row) if n and str(cell).strip()}
        if held - columns:
            raise CheckError(f"{name}, {label}: a figure stands below no area, in column {min(held) + 1}.")
        if held and not found:
            raise CheckError(f"{name}: the row {label!r} has figures, but is no year and no quarter.")
        if not held:
            continue  # no period, or a quarter that is not out yet
        period = f"{found['year']}Q{found['quarter']}" if found["quarter"] else found["year"]
        for n, code in areas:
            value, note = _cell(row[n], f"{name}, {label}, {code}")
            records.append((period, code, value, note or found["revised"], bool(found["quarter"])))
    frame = pd.DataFrame(records, columns=["period", "partner", "value_usd", "note", "quarterly"])
    refuse_rows(frame[frame.duplicated(["period", "partner"])], f"{name}: one row per period")
    return frame


def _check_same_periods(found: dict) -> None:
    """All tables have the same areas and periods."""
    rows = {kind: set(zip(frame["period"], frame["partner"], strict=True)) for kind, frame in found.items()}
    every = set.union(*rows.values())
    for (flow, item), there in rows.items():
        if lacking := sorted(every - there):
            shown = ", ".join(f"{period} of {code}" for period, code in lacking[:3])
            raise CheckError(f"{flow} of {item} lacks {len(lacking)} figures that others have: {shown}.")


def _check_years(found: dict) -> None:
    """Four quarters make the year, within their rounding."""
    for (flow, item), frame in found.items():
        quarters = frame[frame["quarterly"]]
        by = [quarters["period"].str[:4].rename("period"), quarters["partner"]]
        sums = quarters["value_usd"].groupby(by).agg(["sum", "count"])
        years = frame[~frame["quarterly"]].set_index(["period", "partner"])["value_usd"].rename("year")
        both = sums[sums["count"] == 4].join(years, how="inner").reset_index()
        early = (both["partner"] == RESIDUAL) & (both["period"].astype(int) < 2013)
        off = ~early & ((both["sum"] - both["year"]).abs() > 3 * ROUNDING_USD)
        refuse_rows(both[off], f"{flow} of {item}: four quarters make the year")


def _check_goods(found: dict) -> None:
    """Goods are more than services, over all areas and in each flow, as ever since 1999."""
    for flow in ("exports", "imports"):
        goods, services = (
            found[flow, item].groupby("period")["value_usd"].sum() for item in ("goods", "services")
        )
        if len(found[flow, "goods"]["partner"].unique()) > FEW and (services > goods).mean() > 0.5:
            raise CheckError(f"{flow.title()} of services are above those of goods: are the two exchanged?")


def _cell(cell, where: str) -> tuple[float, str | None]:
    if isinstance(cell, (int, float)) and np.isfinite(cell):
        return float(np.rint(cell * 1e6)), None
    words = str(cell).strip()
    if words.lower() in {"n.a.", "n.a", "na", "(na)"}:
        return np.nan, "n.a."
    if words == "(*)":  # less than 500,000 dollars, of either sign
        return 0.0, words
    if words == "(D)":
        return np.nan, "(D)"
    number = re.sub(r"[,\s]|\(R\)", "", words)
    try:
        return float(np.rint(float(number) * 1e6)), "(R)" if "(R)" in words else None
    except ValueError:
        raise CheckError(f"{where}: expected a number or n.a., got {words!r}.") from None


def check_sums(found: dict, within: float = ROUNDING_USD) -> None:
    """Refuse where a balance is not exports less imports, or goods and services not the total."""
    wide = {kind: f.set_index(["period", "partner"])["value_usd"] for kind, f in found.items()}
    for item in ("total", "goods", "services"):
        for flow in ("exports", "imports"):
            alone = wide["balance", item].index.symmetric_difference(wide[flow, item].index)
            refuse_rows(alone.to_frame(index=False), f"{flow} and balance of {item} are of the same periods")
    rules = {
        f"{item}: balance is exports less imports": wide["exports", item]
        - wide["imports", item]
        - wide["balance", item]
        for item in ("total", "goods", "services")
    } | {
        f"{flow}: goods and services make the total": wide[flow, "goods"]
        + wide[flow, "services"]
        - wide[flow, "total"]
        for flow in ("exports", "imports")
    }
    for rule, difference in rules.items():
        off = difference.rename("difference_usd").reset_index()
        early = (off["partner"] == RESIDUAL) & (off["period"].str[:4].astype(int) < 2013)
        refuse_rows(off[~early & (off["difference_usd"].abs() > within)], rule)


def dated(frame: pd.DataFrame, freq: str) -> pd.DataFrame:
    """A table whose periods are periods, and whose notes are text."""
    periods = pd.PeriodIndex(frame["period"], freq=freq)
    return frame.assign(period=periods, note=frame["note"].astype("str")).reset_index(drop=True)
