"""The facts on goods: month, year to date, twelve months, and what moved them (Census basis)."""

from functools import cache

import pandas as pd

from tradelib import releases
from tradelib.briefs.place import no_row
from tradelib.briefs.selection import REVISED_MONTHLY
from tradelib.briefs.verbs import little_changed
from tradelib.partners import DATA
from tradelib.style import words
from tradelib.style.words import missing
from tradelib.tables import FLOWS, GOODS
from tradelib.windows import Window, full_year

LINKS = {"exports": "to", "imports": "from", "balance": "with"}
NO_BASE = "there is no year-earlier figure to compare with"
#: From what trade in a year on, in dollars, partners are taken together for the bands of a first print.
BAND_SIZES = (1e8, 1e9, 1e10)
#: A band is told where it rests on so many years at least, and covers what it should, in percent.
BAND_YEARS, BAND_COVERS = 5, (75, 85)


def goods_facts(brief) -> None:
    """Write the flows and balances of `goods.*`, their changes and drivers."""
    _flows(brief)
    s, pair = brief.snapshot, tuple(row.get("balance_usd") for row in _pair(brief, "ytd"))
    table = s.goods_sums(brief.partner.code)[1]["ytd"]
    label = "the U.S. goods deficit with {p}"
    reduction_fact(brief, "goods", pair, window=s.months, label=label, table=table)
    _twelve_months(brief)
    _revised_year(brief)
    _first_print(brief)
    _drivers(brief)


def row_of(frame: pd.DataFrame | pd.Series, key) -> dict:
    """One row as a dict, empty if there is none; quicker than many single look-ups."""
    return frame.loc[key].to_dict() if key in frame.index else {}


def difference(now, before):
    """What was added between two figures; None where one is missing."""
    return None if missing(now) or missing(before) else now - before


def reduction(now, before):
    """Percent by which a deficit shrank; None unless both are deficits."""
    if missing(now) or missing(before) or now >= 0 or before >= 0:
        return None
    return 100 * (1 - now / before)


def reduction_reason(now, before) -> str:
    """Why there is no percentage."""
    if missing(now) or missing(before):
        return "one of the two balances is not available"
    then, since = words.position(before), words.position(now)
    return f"from a {then} of {words.money(before)} to a {since} of {words.money(now)}: no percentage"


def _pair(brief, span: str) -> tuple[dict, dict]:
    """A window's flows of the partner, and those of a year earlier."""
    sums, _ = brief.snapshot.goods_sums(brief.partner.code)
    return tuple(row_of(sums[name], brief.partner.code) for name in (span, f"{span} before"))


def flow_facts(
    brief, prefix: str, *, now: dict, base: dict, window: Window, label: str, table: str, reason: str
) -> None:
    """Write exports, imports and balance of a window and their changes on a year earlier.

    `{}` in `prefix` and `label` is the side; `{p}` in the label is the partner.
    """
    versus, when = f"{window} vs {window.year_earlier}", words.span(window)
    for side, link in LINKS.items():
        value, before = now.get(f"{side}_usd"), base.get(f"{side}_usd")
        id, title = prefix.format(side), f"{label.format(side)} {link} {{p}}, {when}"
        about = {"table": table, "reason": reason}
        brief.add(id, value, unit="USD", window=window, label=title, **about)
        change, title = difference(value, before), f"Change of {title} on a year earlier"
        if not missing(value) and missing(before):
            about["reason"] = NO_BASE
        brief.add(f"{id}.change_usd", change, unit="USD", window=versus, label=title, **about)
        if side == "balance" or not prefix.startswith("goods"):
            continue
        if not missing(before) and not missing(value):
            about["reason"] = f"none in {words.span(window.year_earlier)}"
        pct = None if change is None or before <= 0 else 100 * change / before
        brief.add(f"{id}.change_pct", pct, unit="percent", window=versus, label=title, **about)


def _flows(brief) -> None:
    s = brief.snapshot
    for span, window in (("month", Window(s.month, s.month)), ("ytd", s.months)):
        now, base = _pair(brief, span)
        flow_facts(
            brief,
            f"goods.{{}}.{span}",
            now=now,
            base=base,
            window=window,
            label="U.S. goods {}",
            table=s.goods_sums(brief.partner.code)[1][span],
            reason=no_row(brief),
        )


def reduction_fact(
    brief, prefix: str, pair: tuple, *, window: Window, label: str, table: str, reason: str = ""
) -> None:
    """Write by how much a deficit shrank in percent, or, with a minus, grew."""
    value = reduction(*pair)
    grew = value is not None and value < 0
    brief.add(
        f"{prefix}.deficit.ytd.reduction_pct",
        value,
        unit="percent",
        window=f"{window} vs {window.year_earlier}",
        label=f"{'Growth' if grew else 'Reduction'} of {label}, {words.span(window)} on a year earlier",
        told=-value if grew else None,
        table=table,
        reason=reason or reduction_reason(*pair),
        undefined=not any(map(missing, pair)),
    )


def _twelve_months(brief) -> None:
    s, code = brief.snapshot, brief.partner.code
    year = Window(s.month - 11, s.month)
    now, before = (
        row_of(s.goods_sums(code)[0].get(name, s.goods_windows[name]), code).get("balance_usd")
        for name in ("trailing", "trailing before")
    )
    label = f"U.S. goods balance with {{p}}, {words.span(year)}"
    about = {"window": year, "label": label, "table": GOODS, "reason": no_row(brief)}
    amount_facts(brief, "goods.balance.trailing12", now, before, **about)


def amount_facts(brief, id: str, now, before, *, window: Window, label: str, **about) -> None:
    """Write an amount of a window, and its change on a year earlier."""
    brief.add(id, now, unit="USD", window=window, label=label, **about)
    change, label = difference(now, before), f"Change of {label} on a year earlier"
    versus = f"{window} vs {window.year_earlier}"
    brief.add(f"{id}.change_usd", change, unit="USD", window=versus, label=label, **about)


def _revised_year(brief) -> None:
    """The balance of the year before, and by how much an annual revision changed it with this release."""
    s, code, window = brief.snapshot, brief.partner.code, full_year(brief.month.year - 1, "M")
    rows = row_of(s.revised_year, code) if s.revised_year is not None else {}
    label = f"U.S. goods balance with {{p}}, {words.span(window)}"
    about = {"unit": "USD", "window": window, "table": GOODS}
    about["reason"] = "this release brought no annual revision, or the vintage before it is not at hand"
    id, revision = "goods.balance.previous_year", difference(rows.get("now"), rows.get("before"))
    brief.add(id, rows.get("now"), label=label, **about)
    brief.add(f"{id}.revision_usd", revision, label=f"Revision of the {label} by this release", **about)


@cache
def bands() -> pd.DataFrame:
    """The bands for first prints, learned from the bundled vintages: see `studies.first_print`."""
    return pd.read_csv(DATA / "first_print.csv", index_col=["measure", "month", "size_from_usd"])


def _first_print(brief) -> None:
    """Between which percentages first prints of the year to date have moved, in four of five cases."""
    s, tables = brief.snapshot, brief.snapshot.goods_sums(brief.partner.code)[1]
    for side in FLOWS:
        usd = brief.value(f"goods.{side}.ytd")
        place = (side, s.month.month, size_class(brief, usd or 0))
        row = bands().loc[place].to_dict() if place in bands().index else {}
        reason = no_row(brief) if missing(usd) else _no_band(brief, row)
        label = f"move of the year to date of U.S. goods {side} {LINKS[side]} {{p}} by later annual revisions"
        for end, rank in (("low", "lowest"), ("high", "highest")):
            brief.add(
                f"goods.{side}.ytd.first_print_{end}_pct",
                None if reason else row[f"{end}_pct"],
                unit="percent",
                window=s.months,
                label=f"The {rank} {label}, in four of five cases of partners of its size",
                table=tables["ytd"],
                reason=reason,
                prints=row.get("prints"),
                years=row.get("years"),
                coverage_pct=row.get("coverage_pct"),
            )


def size_class(brief, usd: float) -> float:
    """From what trade in a year on partners are taken together with one of this year to date; 0 for none."""
    size = 12 / brief.month.month * usd
    return max((edge for edge in BAND_SIZES if edge <= size), default=0.0)


def _no_band(brief, row: dict) -> str:
    """Why no band is told; empty where one is."""
    s = brief.snapshot
    if brief.partner.is_group or brief.partner.code in REVISED_MONTHLY:
        return "bands are known of single countries that are revised once a year"
    if s.month.month < bands().index.get_level_values("month").min():
        return "the vintages at hand have January to March only as revised in June"
    if not row:
        return "there is too little trade for a band"
    if s.as_of.isoformat() < bands()["learned"].max():
        return "the bands were learned from vintages of later days"
    if not releases.same_cycle(s.release.default_as_of, max(s.as_of, s.sources[GOODS].published)):
        return "the figures have been through an annual revision"
    if row["years"] < BAND_YEARS or not BAND_COVERS[0] <= row["coverage_pct"] <= BAND_COVERS[1]:
        return "no band that holds can be had from the vintages"
    return ""


def _drivers(brief) -> None:
    """What exports and imports of goods added to the change of the balance."""
    s = brief.snapshot
    exports, imports = (brief.value(f"goods.{flow}.ytd.change_usd") for flow in FLOWS)
    parts = {("goods", "exports"): exports, ("goods", "imports"): None if imports is None else -imports}
    drivers_facts(
        brief,
        "goods.balance",
        parts,
        brief.value("goods.balance.ytd.change_usd"),
        window=s.months,
        label="the U.S. goods balance with {p}",
        table=s.goods_sums(brief.partner.code)[1]["ytd"],
    )


def drivers_facts(brief, prefix: str, parts: dict, change, *, window: Window, label: str, table: str) -> None:
    """Write `PREFIX.drivers`, the parts of a change by size, and `PREFIX.main_drivers`, most of it or more.

    `parts` is by (item, flow): what each added to the balance, in dollars.
    """
    value = main = share = None
    now, why = brief.value(f"{prefix}.ytd"), NO_BASE
    if change is not None and None not in parts.values():
        ordered = sorted(parts.items(), key=lambda part: -abs(part[1]))
        value = [
            {"item": item, "flow": flow, "contribution_usd": usd} for (item, flow), usd in ordered if usd
        ]
        helping = [entry for entry in value if entry["contribution_usd"] * change > 0]
        whole = sum(abs(entry["contribution_usd"]) for entry in helping)
        alone = helping and abs(helping[0]["contribution_usd"]) >= 0.6 * whole
        main, why = helping[: 1 if alone else 2], "nothing changed"
        if little_changed(now, now - change):
            main, why = None, "the balance hardly changed"
        share = abs(sum(entry["contribution_usd"] for entry in main) / change) if main else None
    about = {"unit": "list", "window": f"{window} vs {window.year_earlier}", "table": table, "reason": why}
    when = f"{words.span(window)} on a year earlier"
    brief.add(f"{prefix}.drivers", value or None, label=f"What changed {label}, {when}", **about)
    brief.add(
        f"{prefix}.main_drivers",
        main or None,
        label=f"What did most of the change of {label}, {when}",
        alone=bool(main and len(main) == 1 and len(value) > 1),
        most=share is not None and share < 1,
        exceeds=share is not None and share > 1,
        **about,
    )
