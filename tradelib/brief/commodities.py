"""What drove it: HS chapters, their contributions to the change of a balance, and whether exports led."""

from tradelib.brief.decomposition import contributions, flow_in_words, tables_of
from tradelib.brief.factsheet import Sheet, contributor
from tradelib.style import words as wording
from tradelib.style.words import missing, money, percent, series
from tradelib.tables import EXPORT_CHAPTERS, EXPORT_NAICS
from tradelib.windows import full_year

TOP_CHAPTERS = 3
OIL, OIL_AND_GAS = "27", "211"  # HS chapter, NAICS code
EXPORTS_LED = (
    "the balance improved, exports of goods and of services both rose, and together they contributed more "
    "to the change, in size, than imports did"
)


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
    contributions(sheet)
    _oil_and_gas(sheet)


def _chapter(sheet: Sheet, table: str, flow: str, chapter: str, row: dict) -> None:
    name = f"U.S. {flow_in_words(table)} of HS {chapter} {'to' if flow == 'exports' else 'from'} {{p}}"
    prefix = f"commodity.hs2.{chapter}.{flow}"
    _levels(sheet, table, row, prefix, name, hs2=chapter)


def _oil_and_gas(sheet: Sheet) -> None:
    """Exports of NAICS 211, which is what is called oil and gas; HS 27 is broader."""
    windows, row = sheet.snapshot.detail_windows.get(EXPORT_NAICS), {}
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
    change, kinds = fact.more["change_usd"], [*map(flow_in_words, fact.more["tables"])]
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
        "total.exports_led",
        value,
        "bool",
        change.window,
        title,
        s.trade_table,
        reason,
        **more,
        rule=EXPORTS_LED,
    )
