"""The facts by commodity: what changed most, and what each added to the change, adding up exactly."""

import numpy as np
import pandas as pd

from tradelib.briefs.snapshot import Snapshot
from tradelib.errors import TradelibError
from tradelib.style import words
from tradelib.tables import DETAILS, EXPORT_CHAPTERS, EXPORT_NAICS
from tradelib.windows import full_year

HS2 = "hs2"
ITEMS = {HS2: "HS chapter"} | DETAILS
FLOW_WORDS = {
    "exports": "exports",
    "imports_general": "general imports",
    "imports_consumption": "imports for consumption",
}
#: What belongs to all contributions together; nothing where there are none.
NUMBERS = ["change_usd", "flow_change_usd", "now_usd", "before_usd"]
NUMBERS += ["covers", "both", "exports_only", "imports_only"]
NAMED, TOP = 6, 3  # contributions named, chapters told
OIL, OIL_AND_GAS = "27", "211"  # HS chapter, NAICS code
#: A chapter is told of its own from this share of all exports on.
WORTH_TELLING = 0.02
#: A year to date is set beside all twelve months of the year before once it comes to so much of them.
NEARLY = 0.9


def commodity_facts(brief) -> None:
    """Write the facts `commodity.*`: mineral fuels always, the chapters that changed most, contributions."""
    s, code = brief.snapshot, brief.partner.code
    _levels(brief, EXPORT_CHAPTERS, {}, **_chapter(EXPORT_CHAPTERS, OIL))
    changed, largest = {"exports": None, "imports": None}, None
    for table in tables_of(s, code):
        rows, flow = s.chapter_windows[table].loc[code], "exports" if table == EXPORT_CHAPTERS else "imports"
        top = rows["change_usd"].abs().nlargest(TOP).index
        for chapter in dict.fromkeys([OIL, *top] if flow == "exports" else top):
            row = rows.loc[chapter].to_dict() if chapter in rows.index else {}
            _levels(brief, table, row, **_chapter(table, chapter))
        changed[flow] = [
            _of_chapter(flow, chapter) | {"change_usd": usd}
            for chapter, usd in rows.loc[top, "change_usd"].items()
            if usd
        ]
        if flow == "exports":
            exports = rows["ytd"].nlargest(TOP).items()
            largest = [_of_chapter(flow, chapter) | {"value_usd": usd} for chapter, usd in exports if usd > 0]
    _most_changed(brief, changed)
    _largest(brief, largest)
    for kind in (HS2, *DETAILS):
        if kind == HS2 or _windows(s, kind):
            _contributions(brief, kind)
    _oil_and_gas(brief)


def flow_in_words(table: str) -> str:
    """Say which flow a table by commodity holds."""
    return FLOW_WORDS[table.rsplit("_", 2)[0]]


def tables_of(snapshot: Snapshot, code: str, kind: str = HS2) -> list[str]:
    """List the tables of a classification in a snapshot that have rows of a partner, exports first."""
    return [table for table, rows in _windows(snapshot, kind).items() if code in rows.index]


def _windows(snapshot: Snapshot, kind: str) -> dict[str, pd.DataFrame]:
    if kind == HS2:
        return snapshot.chapter_windows
    return {table: rows for table, rows in snapshot.detail_windows.items() if f"_{kind}_" in table}


def _of_chapter(flow: str, chapter: str) -> dict:
    return {"flow": flow, HS2: chapter, "name": words.chapter(chapter)}


def _chapter(table: str, chapter: str) -> dict:
    flow = "exports" if table == EXPORT_CHAPTERS else "imports"
    name = f"U.S. {flow_in_words(table)} of HS {chapter} {'to' if flow == 'exports' else 'from'} {{p}}"
    return {"prefix": f"commodity.hs2.{chapter}.{flow}", "name": name, "hs2": chapter}


def _oil_and_gas(brief) -> None:
    """Exports of NAICS 211, which is what is called oil and gas; HS 27 is broader."""
    windows, row = brief.snapshot.detail_windows.get(EXPORT_NAICS), {}
    if windows is not None and (brief.partner.code, OIL_AND_GAS) in windows.index:
        row = windows.loc[(brief.partner.code, OIL_AND_GAS)].to_dict()
    name, prefix = "U.S. exports of oil and gas (NAICS 211) to {p}", f"commodity.naics.{OIL_AND_GAS}.exports"
    _levels(brief, EXPORT_NAICS, row, prefix=prefix, name=name, naics=OIL_AND_GAS)


def _levels(brief, table: str, row: dict, *, prefix: str, name: str, **more) -> None:
    """Year to date, its change, and its level against all of the year before."""
    s, when = brief.snapshot, words.span(brief.months)
    year = full_year(s.month.year - 1, "M")
    reason, lacking = f"{table} has no rows of {brief.partner.prose}", s.lacking(table)
    if lacking and table in s.chapter_flows:
        reason = f"{', '.join(map(str, lacking[:3]))}{' ...' * (len(lacking) > 3)} are not in {table}"
    about = {"unit": "USD", "table": table, "reason": reason, **more}
    exports, usd = brief.value("goods.exports.ytd"), row.get("ytd")
    year_before = None if lacking else row.get("previous_year")
    large = bool(usd and exports and usd >= max(WORTH_TELLING * exports, NEARLY * (year_before or 0)))
    brief.add(f"{prefix}.ytd", usd, window=s.months, label=f"{name}, {when}", large=large, **about)
    brief.add(
        f"{prefix}.ytd.change_usd",
        row.get("change_usd"),
        window=f"{s.months} vs {s.months.year_earlier}",
        label=f"{name}, change in {when} on a year earlier",
        **about,
    )
    brief.add(
        f"{prefix}.previous_year",
        year_before,
        window=year,
        label=f"{name}, all of {year.end.year}",
        **about,
    )
    brief.add(
        f"{prefix}.ytd.less_previous_year",
        row["ytd"] - row["previous_year"] if row and not lacking else None,
        window=f"{s.months} vs {year}",
        label=f"{name}, {when} less all of {year.end.year} (a level, not growth)",
        **about,
    )


def _most_changed(brief, changed: dict) -> None:
    s, when = brief.snapshot, f"{words.span(brief.months)} on a year earlier"
    tables = {"exports": EXPORT_CHAPTERS, "imports": "imports_general_hs2_nsa"}
    for table in tables_of(s, brief.partner.code):
        tables["exports" if table == EXPORT_CHAPTERS else "imports"] = table
    for flow, table in tables.items():
        brief.add(
            f"commodity.hs2.{flow}.most_changed",
            changed[flow] or None,
            unit="list",
            window=f"{s.months} vs {s.months.year_earlier}",
            label=f"HS chapters of {flow_in_words(table)} with {{p}} that changed most, {when}",
            table=table,
            reason=f"{table} has no rows of {brief.partner.prose}"
            if changed[flow] is None
            else "none changed",
            for_consumption="imports_consumption" in table,
        )


def _largest(brief, largest: list[dict] | None) -> None:
    """Which chapters exports are largest of; imports are told by industry, with their duties."""
    s, none = brief.snapshot, f"{EXPORT_CHAPTERS} has no rows of {brief.partner.prose}"
    brief.add(
        "commodity.hs2.exports.largest",
        largest or None,
        unit="list",
        window=s.months,
        label=f"HS chapters of exports with {{p}} that are largest, {words.span(s.months)}",
        table=EXPORT_CHAPTERS,
        reason=none if largest is None else "there are none",
    )


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


def _contributions(brief, kind: str) -> None:
    """Write what each item added to the change of the balance, or of the one flow that there is."""
    s, code = brief.snapshot, brief.partner.code
    windows, tables = _windows(s, kind), tables_of(s, code, kind)
    vintages = sorted({s.sources[table].published.isoformat() for table in tables})
    value, more = None, {"tables": tables} | dict.fromkeys(NUMBERS)
    reason = f"no table by {ITEMS[kind]} has rows of {brief.partner.prose}"
    if len(vintages) > 1:  # figures of two vintages are not taken from one another
        reason = f"exports and imports by {ITEMS[kind]} are at hand in different vintages only"
    elif tables:
        rows = {table.split("_")[0]: windows[table].loc[code] for table in tables}
        value, numbers = _parts(rows, kind)
        more |= numbers
    what = " less ".join(map(flow_in_words, tables)) or "exports less imports"
    of = f" ({' and '.join(tables)}, {'both ' if len(tables) > 1 else ''}of {vintages[0]})" if value else ""
    about = {
        "unit": "list",
        "window": f"{s.months} vs {s.months.year_earlier}",
        "table": tables[0] if tables else next(iter(windows), f"exports_{kind}_nsa"),
        "reason": reason,
    }
    when = f"{words.span(s.months)} on a year earlier"
    label = f"Contributions of {ITEMS[kind]}s to the change of the U.S. goods balance with {{p}}, {when}"
    label += f", {what}{of}"
    brief.add(f"commodity.{kind}.contributions", value, label=label, flows=what, **more, **about)
    if kind == HS2:
        _net(brief, rows if value and more["both"] else {}, what, about, when)


def _net(brief, rows: dict[str, pd.DataFrame], what: str, about: dict, when: str) -> None:
    """Write what each chapter added to the balance, its exports and imports taken together first."""
    value = net_by_item(rows["exports"]["change_usd"], rows["imports"]["change_usd"]) if rows else None
    if brief["commodity.hs2.contributions"].value:
        about |= {"reason": "only one flow by HS chapter is at hand"}
    label = (
        f"Net contributions of HS chapters to the change of the U.S. goods balance with {{p}}, {when}, {what}"
    )
    named = [entry for entry in value or [] if entry[HS2]]
    sizes = [abs(entry["contribution_usd"]) for entry in named]
    alone = bool(sizes) and sizes[0] >= 0.6 * sum(sizes)
    brief.add("commodity.hs2.net", value, label=label, for_consumption="consumption" in what, **about)
    for name, top in (("largest", TOP + 1), ("main", 1 if alone else 2)):
        brief.add(f"commodity.hs2.net.{name}", named[:top] or None, label=f"{label}: {name}", **about)


def net_by_item(exports: pd.Series, imports: pd.Series) -> list[dict]:
    """Net the changes of exports and imports by chapter: the largest, then "other chapters", adding up."""
    both = pd.DataFrame({"exports_usd": exports, "imports_usd": imports}).fillna(0).sort_index()
    net = both["exports_usd"] - both["imports_usd"]
    order = np.argsort(-net.abs().to_numpy(), kind="stable")
    named = [both.index[n] for n in order[:NAMED] if net.iloc[n]]
    rest = both.drop(named).sum()
    entries = [(item, words.chapter(item), both.loc[item]) for item in named]
    return [
        {
            "flow": None,
            HS2: item,
            "name": name,
            "contribution_usd": row["exports_usd"] - row["imports_usd"],
            **row.to_dict(),
        }
        for item, name, row in [*entries, (None, "other chapters", rest)]
    ]


def _parts(rows: dict[str, pd.DataFrame], kind: str) -> tuple[list[dict], dict]:
    """The contributions as entries, and the numbers that belong to all of them."""
    now, before = (
        pd.concat({flow: frame[name] for flow, frame in rows.items()}, names=["flow"])
        for name in ("ytd", "before")
    )
    parts = decompose(now, before, top=NAMED)
    change = float(parts["contribution_usd"].sum())
    value = [_entry(row, kind, change) for row in parts.to_dict("records")]
    only = next(iter(rows)) if len(rows) == 1 else None
    more = {
        "change_usd": change,
        "flow_change_usd": -change if only == "imports" else change,  # of the flow, not of the balance
        "now_usd": _level(rows, "ytd"),
        "before_usd": _level(rows, "before"),
        "covers": f"{only} only" if only else "both flows",
        "both": not only,
        "exports_only": only == "exports",
        "imports_only": only == "imports",
    }
    if kind != HS2:  # a reply may hold some items only
        more["items_held"] = len(now.index.union(before.index).unique("item"))
    return value, more


def _entry(row: dict, kind: str, change: float) -> dict:
    usd, other = row["contribution_usd"], row["item"] == "other"
    name = words.chapter(row["item"]) if kind == HS2 and not other else DETAILS.get(kind)
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
