"""Where the figures come from and how to read them: the parts of a brief around its story."""

from tradelib import loaders
from tradelib.briefs.factsheet import Sheet
from tradelib.partners import partner
from tradelib.style import words as wording
from tradelib.style.words import Text, capital, day, series
from tradelib.tables import EXPORT_CHAPTERS, GOODS, IMPORT_CHAPTERS, RELEASED, TRADE

#: What the last cell of a notebook shows; a run without it has not come to its end.
COMPLETED = "Brief completed"

#: How a vintage stands to the as-of date, where it came out after it.
METHODS = {
    "later": "**Later data.** Figures marked with days come from a vintage published after the as-of "
    "date, because no earlier one is at hand: they may include revisions nobody knew then.",
    "reconstructed": "**Reconstructed.** This vintage came out later, but before the next annual revision. "
    "In between, figures of this partner are not revised, so these are the figures of the day; ranks and "
    "shares rest on Canada and the world too, which are revised every month.",
}


def sources(sheet: Sheet) -> Text:
    """Draw the box: release, dates, and the vintage and lag of every table used."""
    s = sheet.snapshot
    release = s.release
    if release.published:
        how = f"{day(release.published)} ({release.how_known})"
    else:
        how = f"not established; taken to be out by {day(release.default_as_of)}, filed under its month"
    rows = [
        ("Release", f"FT-900, {wording.period(s.month)}"),
        ("Published", how),
        ("Figures as of", day(s.as_of)),
    ]
    names = {
        s.released_tables.get("ytd", ""): "Goods",
        GOODS: "Goods" + (", history" if s.released_goods else ""),
        RELEASED: "Goods and services",
        TRADE: "Goods and services" + ("" if s.released_flows is None else ", history"),
        EXPORT_CHAPTERS: "Exports by HS chapter",
        IMPORT_CHAPTERS[0]: "General imports by HS chapter",
        IMPORT_CHAPTERS[1]: "Imports for consumption by HS chapter",
    }
    for table, name in names.items():
        if table in s.sources:
            vintage, lag = s.sources[table], s.lag(table)
            dated = "saved by" if vintage.dated_by == "saved" else "of"
            late = f", **{lag:,} days after the as-of date**" if lag else ""
            if s.method(table, sheet.partner.code) == "reconstructed":
                late = f", {lag:,} days after the as-of date, **reconstructed**"
            rows.append((name, f"`{table}`, vintage {dated} {day(vintage.published)}{late}"))
        elif table in s.absent and table not in IMPORT_CHAPTERS[1:]:
            rows.append((name, f"none: {s.absent[table]}"))
    lines = ["| | |", "|:--|:--|", *(f"| {name} | {words} |" for name, words in rows)]
    methods = {s.method(table, sheet.partner.code) for table in s.sources}
    lines += [f"\n> {words}" for method, words in METHODS.items() if method in methods]
    older = loaders.behind(s.as_of)
    if older:
        lines.append(f"\n> **Older data.** {older} `tradelib update` gets it.")
    return Text("\n".join(lines))


def how_to_read(sheet: Sheet) -> Text:
    """Explain bases, adjustment and universes, for the reader who will quote the figures."""
    rank, reducers = sheet["goods.deficit.rank"], sheet["total.reducers"]
    universe = [partner(code).prose for code in sheet.snapshot.universe[0]]
    lines = [
        "**Goods** are on the Census basis, from customs documents, not seasonally adjusted: total "
        "exports f.a.s. and general imports at customs value. They are compared with the same months "
        "a year earlier.",
        "**Services**, and goods and services together, are on the balance-of-payments basis, quarterly "
        f"and seasonally adjusted; with this release they reach {wording.period(sheet.snapshot.quarter)}. "
        "The two bases are never added or compared.",
        "**A balance** is exports less imports. A reduction in percent is given only where both years "
        "show a deficit.",
        f"**Ranks**: goods among {rank.more['universe']}; goods and services among "
        f"{reducers.more['universe_source']}: {series(universe)}.",
        "**By commodity**: chapters of the Harmonized System; imports for consumption (the duty basis) "
        "differ from general imports.",
    ]
    return Text("\n".join(f"- {line}" for line in lines))


def completed(sheet: Sheet) -> Text:
    """End the notebook; a run that does not come this far has failed."""
    s = sheet.snapshot
    return Text(
        f"*{COMPLETED}: {capital(sheet.partner.prose)}, {wording.period(s.month)}, as of {day(s.as_of)}; "
        f"{len(sheet)} facts.*"
    )


def every_figure(sheet: Sheet):
    """Tabulate all facts: what, how much, which window, which vintage."""
    return sheet.table()
