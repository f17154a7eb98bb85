"""What drove it: HS chapters, their contributions to the change of a balance, and whether exports led."""

import numpy as np
import pandas as pd

from tradelib import wording
from tradelib.errors import TradelibError
from tradelib.factsheet import Sheet, contributor
from tradelib.snapshot import EXPORT_CHAPTERS, EXPORT_NAICS, TRADE, Snapshot
from tradelib.windows import full_year
from tradelib.wording import missing, money, percent, series

TOP_CHAPTERS, TOP_CONTRIBUTIONS = 3, 6
OIL, OIL_AND_GAS = "27", "211"  # HS chapter, NAICS code
KINDS = {
    EXPORT_CHAPTERS: "exports",
    "imports_general_hs2_nsa": "general imports",
    "imports_consumption_hs2_nsa": "imports for consumption",
}
EXPORTS_LED = (
    "the balance improved, exports of goods and of services both rose, and together they contributed more "
    "to the change, in size, than imports did"
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


def chapter_facts(sheet: Sheet) -> None:
    """Write the facts by HS chapter: mineral fuels always, and those whose flows changed most.

    Parameters
    ----------
    sheet : Sheet
        Written to: `commodity.hs2.*`, whole dollars.

    Examples
    --------
    >>> from tradelib import resolve, take
    >>> sheet = Sheet(resolve("KOR"), take("2018-07"))
    >>> chapter_facts(sheet)
    >>> sheet["commodity.hs2.27.exports.ytd"].value
    4179363181.0
    """
    s, code = sheet.snapshot, sheet.partner.code
    _chapter(sheet, EXPORT_CHAPTERS, "exports", OIL, {})
    for table in tables_of(s, code):
        rows = s.chapter_windows[table].loc[code]
        top = rows["change_usd"].abs().nlargest(TOP_CHAPTERS).index
        flow = "exports" if table == EXPORT_CHAPTERS else "imports"
        for chapter in dict.fromkeys([OIL, *top] if flow == "exports" else top):
            row = rows.loc[chapter].to_dict() if chapter in rows.index else {}
            _chapter(sheet, table, flow, chapter, row)
    _contributions(sheet)
    _oil_and_gas(sheet)


def tables_of(snapshot: Snapshot, code: str) -> list[str]:
    """List the tables by HS chapter of a snapshot that have rows of a partner, exports first.

    Examples
    --------
    >>> from tradelib import take
    >>> tables_of(take("2018-07"), "5820")
    ['exports_hs2_nsa']
    """
    windows = snapshot.chapter_windows
    return [table for table, rows in windows.items() if code in rows.index]


def _chapter(sheet: Sheet, table: str, flow: str, chapter: str, row: dict) -> None:
    name = f"U.S. {KINDS[table]} of HS {chapter} {'to' if flow == 'exports' else 'from'} {{p}}"
    prefix = f"commodity.hs2.{chapter}.{flow}"
    _levels(sheet, table, row, prefix, name, hs2=chapter)


def _oil_and_gas(sheet: Sheet) -> None:
    """Exports of NAICS 211, which is what is called oil and gas; HS 27 is broader."""
    windows, row = sheet.snapshot.naics_windows, {}
    if windows is not None and (sheet.partner.code, OIL_AND_GAS) in windows.index:
        row = windows.loc[(sheet.partner.code, OIL_AND_GAS)].to_dict()
    name, prefix = "U.S. exports of oil and gas (NAICS 211) to {p}", f"commodity.naics.{OIL_AND_GAS}.exports"
    _levels(sheet, EXPORT_NAICS, row, prefix, name, naics=OIL_AND_GAS)


def _levels(sheet: Sheet, table: str, row: dict, prefix: str, name: str, **more) -> None:
    """Year to date, its change, and its level against all of the year before."""
    s = sheet.snapshot
    year = full_year(s.month.year - 1, "M")
    put = (table, f"{table} has no rows of {sheet.partner.prose}")
    for id, key, window, words in (
        ("ytd", "ytd", s.months, wording.span(s.months)),
        (
            *("ytd.change_usd", "change_usd", f"{s.months} vs {s.months.year_earlier}"),
            f"change in {wording.span(s.months)} on a year earlier",
        ),
        ("previous_year", "previous_year", year, f"all of {year.end.year}"),
    ):
        sheet.put(f"{prefix}.{id}", row.get(key), "USD", window, f"{name}, {words}", *put, **more)
    gap = row["ytd"] - row["previous_year"] if row else None
    title = f"{name}, {wording.span(s.months)} less all of {year.end.year} (a level, not growth)"
    id, versus = f"{prefix}.ytd.less_previous_year", f"{s.months} vs {year}"
    sheet.put(id, gap, "USD", versus, title, *put, **more)


def _contributions(sheet: Sheet) -> None:
    """What each chapter added to the change of the balance, or of the one flow that there is."""
    s, code = sheet.snapshot, sheet.partner.code
    tables = tables_of(s, code)
    vintages = sorted({s.sources[table].published.isoformat() for table in tables})
    flows = {t: "exports" if t == EXPORT_CHAPTERS else "imports" for t in tables}
    value, more = None, {"tables": tables}
    reason = f"no table by HS chapter has rows of {sheet.partner.prose}"
    if len(vintages) > 1:  # figures of two vintages are not taken from one another
        reason = "exports and imports by HS chapter are at hand in different vintages only"
    elif tables:
        rows = {flows[table]: s.chapter_windows[table].loc[code] for table in tables}
        now, before = (
            pd.concat({flow: frame[name] for flow, frame in rows.items()}, names=["flow"])
            for name in ("ytd", "before")
        )
        parts = decompose(now, before, top=TOP_CONTRIBUTIONS)
        change = float(parts["contribution_usd"].sum())
        value = [_entry(row, change) for row in parts.to_dict("records")]
        levels = {"now_usd": _level(rows, "ytd"), "before_usd": _level(rows, "before")}
        covers = "both flows" if len(rows) == 2 else f"{next(iter(rows))} only"
        more |= {"change_usd": change, "covers": covers, **levels}
    what = " less ".join(KINDS[table] for table in tables) or "exports less imports"
    of = f" ({' and '.join(tables)}, {'both ' if len(tables) > 1 else ''}of {vintages[0]})" if value else ""
    title = (
        f"Contributions of HS chapters to the change of the U.S. goods balance with {{p}}, "
        f"{wording.span(s.months)} on a year earlier, {what}{of}"
    )
    versus = f"{s.months} vs {s.months.year_earlier}"
    table = tables[0] if tables else EXPORT_CHAPTERS
    sheet.put("commodity.hs2.contributions", value, "list", versus, title, table, reason, **more)


def _entry(row: dict, change: float) -> dict:
    usd, other = row["contribution_usd"], row["item"] == "other"
    return {
        "flow": None if other else row["flow"],
        "hs2": None if other else row["item"],
        "name": "other chapters" if other else wording.chapter(row["item"]),
        "contribution_usd": usd,
        "pct_of_change": 100 * usd / change if change else None,
    }


def _level(rows: dict[str, pd.DataFrame], name: str) -> float:
    """The balance of a window, or the one flow where there is one."""
    sums = [float(frame[name].sum()) for frame in rows.values()]
    return sums[0] - sums[1] if len(sums) == 2 else sums[0]


def who_contributed(sheet: Sheet) -> str:
    """Say how the balance by chapter moved, or the one flow there is, and which chapters did it.

    Parameters
    ----------
    sheet : Sheet
        With `commodity.hs2.contributions`.

    Returns
    -------
    str
        Empty where no table by chapter has rows of the partner.

    Examples
    --------
    >>> from tradelib import facts_of, resolve, take
    >>> print(who_contributed(facts_of(resolve("VNM"), take("2018-07"))))
    By chapter, imports for consumption from Vietnam rose by $1.2 billion, led by higher imports
    of footwear (HS 64, $400 million, 32.5 percent of the change), higher imports of knitted clothing
    (HS 61, $330 million, 26.9 percent) and higher imports of woven clothing (HS 62, $304 million, 24.7
    percent), in spite of lower imports of electrical machinery (HS 85, $357 million) and lower
    imports of machinery and computers (HS 84, $171 million).
    """
    fact = sheet["commodity.hs2.contributions"]
    if fact.value is None:
        return ""
    change, moved = fact.more["change_usd"], how_it_moved(sheet)
    if change == 0:
        return f"By chapter, {moved}."
    named = [entry for entry in fact.value if entry["hs2"]]
    along = [entry for entry in named if entry["contribution_usd"] * change > 0][:TOP_CHAPTERS]
    against = [entry for entry in named if entry["contribution_usd"] * change < 0][: TOP_CHAPTERS - 1]
    # where movements offset one another, a share of the small net change would mislead
    shares = all(abs(entry["pct_of_change"]) <= 100 for entry in named)
    parts = [
        (
            ", led by ",
            [_told(entry, shares, " of the change" * (n == 0)) for n, entry in enumerate(along)],
        ),
        (", in spite of ", [_told(entry, False) for entry in against]),
    ]
    text = "".join(link + series(told) for link, told in parts if told)
    net = " Some of these are larger than the whole change, because they offset one another."
    return f"By chapter, {moved}{text}.{'' if shares else net}"


def how_it_moved(sheet: Sheet) -> str:
    """Say how the balance by chapter moved, or the one flow there is; a clause.

    Examples
    --------
    >>> from tradelib import facts_of, resolve, take
    >>> how_it_moved(facts_of(resolve("KOR"), take("2018-07")))
    'the goods balance with South Korea (exports less imports for consumption) improved by $2.5 billion'
    """
    fact, who = sheet["commodity.hs2.contributions"], sheet.partner.prose
    change, kinds = fact.more["change_usd"], [KINDS[table] for table in fact.more["tables"]]
    if fact.more["covers"] == "both flows":
        subject, way = f"the goods balance with {who} ({' less '.join(kinds)})", ("improved", "worsened")
    elif fact.more["covers"] == "exports only":
        subject, way = f"{kinds[0]} to {who}", ("rose", "fell")
    else:  # lower imports improve the balance
        subject, way = f"{kinds[0]} from {who}", ("fell", "rose")
    return f"{subject} {way[change < 0]} by {money(change)}" if change else f"{subject} did not change"


def _told(entry: dict, share: bool, of: str = "") -> str:
    size = money(entry["contribution_usd"])
    if share:
        size += f", {percent(entry['pct_of_change'])}{of}"
    return f"{contributor(entry)[:-1]}, {size})"


def exports_led(sheet: Sheet) -> None:
    """Write whether exports led an improvement of the balance in goods and services.

    Parameters
    ----------
    sheet : Sheet
        With the facts of goods and services already written; `total.exports_led` is added: true,
        false, or missing where the balance did not change or there are no services by quarter.

    Examples
    --------
    >>> from tradelib import facts_of, resolve, take
    >>> facts_of(resolve("KOR"), take("2018-07"))["total.exports_led"].value
    True
    """
    s, change = sheet.snapshot, sheet["total.balance.ytd.change_usd"]
    parts = {
        (item, flow): sheet.value(f"total.balance.contribution.{item}_{flow}")
        for item in ("goods", "services")
        for flow in ("exports", "imports")
    }
    value, reason, more = None, change.reason, {}
    if change.value is not None and not any(map(missing, parts.values())):
        exports, imports = (
            sum(parts[i, flow] for i in ("goods", "services")) for flow in ("exports", "imports")
        )
        more = {"exports_usd": exports, "imports_usd": imports}
        rose = parts["goods", "exports"] > 0 and parts["services", "exports"] > 0
        value = change.value > 0 and rose and exports > abs(imports)
        if change.value == 0:
            value, reason = None, "the balance did not change"
    title = (
        "Did exports lead an improvement of the U.S. balance with {p} in goods and services, "
        f"{wording.span(s.quarters)} on a year earlier"
    )
    sheet.put(
        "total.exports_led", value, "bool", change.window, title, TRADE, reason, **more, rule=EXPORTS_LED
    )
