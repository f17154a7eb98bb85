"""Contributions: what each item added to the change of a balance, adding up exactly."""

import numpy as np
import pandas as pd

from tradelib.brief.factsheet import Sheet
from tradelib.brief.snapshot import Snapshot
from tradelib.errors import TradelibError
from tradelib.style import words as wording
from tradelib.tables import DETAILS

NAMED = 6
HS2 = "hs2"
WORDS = {
    "exports": "exports",
    "imports_general": "general imports",
    "imports_consumption": "imports for consumption",
}
ITEMS = {HS2: "HS chapter"} | DETAILS


def flow_in_words(table: str) -> str:
    """Say which flow a table by commodity holds.

    Examples
    --------
    >>> flow_in_words("imports_consumption_hs2_nsa"), flow_in_words("exports_naics_nsa")
    ('imports for consumption', 'exports')
    """
    return WORDS[table.rsplit("_", 2)[0]]


def decompose(now: pd.Series, before: pd.Series, *, top: int = 6) -> pd.DataFrame:
    """Split the change of a balance into what each item of exports and imports contributed.

    Parameters
    ----------
    now, before : Series
        Dollars of two windows by (`flow`, `item`), each pair once. An item with no row in one of them
        had no trade in it: for tables in which no row means no trade.
    top : int
        How many contributions to name, the largest by size.

    Returns
    -------
    DataFrame
        `flow`, `item`, `contribution_usd`: higher exports and lower imports add. The last row is
        "other", the rest. Together exactly the change of the balance, if dollars are whole.

    Raises
    ------
    TradelibError
        If a value is missing: that is not zero.

    Examples
    --------
    >>> flows = pd.MultiIndex.from_product([["exports", "imports"], ["27", "87"]], names=["flow", "item"])
    >>> now, before = pd.Series([9.0, 2.0, 1.0, 3.0], flows), pd.Series([4.0, 2.0, 1.0, 5.0], flows)
    >>> decompose(now, before, top=1)
          flow   item  contribution_usd
    0  exports     27               5.0
    1    other  other               2.0
    """
    empty = int(now.isna().sum() + before.isna().sum())
    if empty:
        raise TradelibError(
            f"{empty} value(s) are missing: no contributions.",
            "A missing figure is not zero; leave the window out, or use a vintage that has it.",
        )
    both = pd.DataFrame({"now": now, "before": before}).fillna(0).sort_index()
    sign = np.where(both.index.get_level_values("flow") == "exports", 1.0, -1.0)
    usd = sign * (both["now"] - both["before"]).to_numpy()
    order = np.argsort(-np.abs(usd), kind="stable")
    named = [n for n in order[:top] if usd[n]]
    keys = [*both.index[named], ("other", "other")]
    sizes = [*usd[named], usd.sum() - usd[named].sum()]
    return pd.DataFrame(keys, columns=["flow", "item"]).assign(contribution_usd=sizes)


def tables_of(snapshot: Snapshot, code: str, kind: str = HS2) -> list[str]:
    """List the tables of a classification in a snapshot that have rows of a partner, exports first.

    Examples
    --------
    >>> from tradelib import take
    >>> tables_of(take("2018-07"), "5820")
    ['exports_hs2_nsa']
    """
    return [table for table, rows in _windows(snapshot, kind).items() if code in rows.index]


def _windows(snapshot: Snapshot, kind: str) -> dict[str, pd.DataFrame]:
    if kind == HS2:
        return snapshot.chapter_windows
    return {table: rows for table, rows in snapshot.detail_windows.items() if f"_{kind}_" in table}


def contributions(sheet: Sheet) -> None:
    """Write the facts: by HS chapter always, in finer detail where tables have been ingested."""
    _put(sheet, HS2)
    for kind in DETAILS:
        if _windows(sheet.snapshot, kind):
            _put(sheet, kind)


def _put(sheet: Sheet, kind: str) -> None:
    """What each item added to the change of the balance, or of the one flow that there is."""
    s, code = sheet.snapshot, sheet.partner.code
    windows, tables = _windows(s, kind), tables_of(s, code, kind)
    vintages = sorted({s.sources[table].published.isoformat() for table in tables})
    value, more = None, {"tables": tables}
    reason = f"no table by {ITEMS[kind]} has rows of {sheet.partner.prose}"
    if len(vintages) > 1:  # figures of two vintages are not taken from one another
        reason = f"exports and imports by {ITEMS[kind]} are at hand in different vintages only"
    elif tables:
        rows = {table.split("_")[0]: windows[table].loc[code] for table in tables}
        now, before = (
            pd.concat({flow: frame[name] for flow, frame in rows.items()}, names=["flow"])
            for name in ("ytd", "before")
        )
        parts = decompose(now, before, top=NAMED)
        change = float(parts["contribution_usd"].sum())
        value = [_entry(row, kind, change) for row in parts.to_dict("records")]
        levels = {"now_usd": _level(rows, "ytd"), "before_usd": _level(rows, "before")}
        covers = "both flows" if len(rows) == 2 else f"{next(iter(rows))} only"
        more |= {"change_usd": change, "covers": covers, **levels}
        if kind != HS2:  # a reply may hold some items only
            more["items_held"] = len(now.index.union(before.index).unique("item"))
    what = " less ".join(map(flow_in_words, tables)) or "exports less imports"
    of = f" ({' and '.join(tables)}, {'both ' if len(tables) > 1 else ''}of {vintages[0]})" if value else ""
    title = (
        f"Contributions of {ITEMS[kind]}s to the change of the U.S. goods balance with {{p}}, "
        f"{wording.span(s.months)} on a year earlier, {what}{of}"
    )
    versus = f"{s.months} vs {s.months.year_earlier}"
    table = tables[0] if tables else next(iter(windows), f"exports_{kind}_nsa")
    sheet.put(f"commodity.{kind}.contributions", value, "list", versus, title, table, reason, **more)


def _entry(row: dict, kind: str, change: float) -> dict:
    usd, other = row["contribution_usd"], row["item"] == "other"
    name = wording.chapter(row["item"]) if kind == HS2 and not other else DETAILS.get(kind)
    return {
        "flow": None if other else row["flow"],
        kind: None if other else row["item"],
        "name": f"other {'chapters' if kind == HS2 else 'items'}" if other else name,
        "contribution_usd": usd,
        "pct_of_change": 100 * usd / change if change else None,
    }


def _level(rows: dict[str, pd.DataFrame], name: str) -> float:
    """The balance of a window, or the one flow where there is one."""
    sums = [float(frame[name].sum()) for frame in rows.values()]
    return sums[0] - sums[1] if len(sums) == 2 else sums[0]
