"""What other official tables say beside the brief: seasonally adjusted months, and ten years."""

import pandas as pd

from tradelib.briefs.goods import LINKS, difference
from tradelib.briefs.sentences import title
from tradelib.style import words
from tradelib.style.tables import PublishedTable, published
from tradelib.tables import GOODS_SA, GOODS_SA_RELEASED, SIDES, TRADE_YEARS
from tradelib.windows import Window

YEARS = 10
ITEMS = {"goods": "Goods", "services": "Services", "total": "Goods and services"}


def official_facts(brief) -> None:
    """Write the facts `goods.*.sa.*`: a month on the month before, and three months on the three before."""
    for name, length, table in (("month", 1, _month_table(brief)), ("three_months", 3, GOODS_SA)):
        rows, why = _adjusted(brief, table)
        window = Window(brief.month - length + 1, brief.month)
        earlier = Window(window.start - length, window.start - 1)
        for side, link in LINKS.items():
            now, before = (_average(rows[f"{side}_usd"], span) for span in (window, earlier))
            change = difference(now, before)
            what = "a month on average over " if length > 1 else ""
            label = f"U.S. goods {side} {link} {{p}}, seasonally adjusted, {what}{words.span(window)}"
            about = {"table": table, "reason": why or "a month is missing in the table"}
            about["own"] = table != GOODS_SA
            brief.add(f"goods.{side}.sa.{name}", now, unit="USD", window=window, label=label, **about)
            end, value, unit = "usd", change, "USD"
            if side != "balance":
                end, value, unit = "pct", None if change is None else 100 * change / before, "percent"
            label = f"Change of {label} on the {'month' if length == 1 else 'three months'} before"
            id, versus = f"goods.{side}.sa.{name}_change_{end}", f"{window} vs {earlier}"
            brief.add(id, value, unit=unit, window=versus, label=label, **about)


def _month_table(brief) -> str:
    """The release's own Exhibit 19 where it has the partner, else the long table."""
    rows = brief.snapshot.official.get(GOODS_SA_RELEASED)
    return GOODS_SA_RELEASED if rows is not None and brief.partner.code in set(rows["partner"]) else GOODS_SA


def _adjusted(brief, table: str) -> tuple[pd.DataFrame, str]:
    """Both flows and the balance of the partner by month; or none, and why."""
    sides, who = brief.snapshot.official_sides.get(table), brief.partner
    none = pd.DataFrame(columns=SIDES, dtype=float)
    if who.kind == "world":
        return none, "the seasonally adjusted table by partner has no row of the world"
    if who.is_group:
        return none, "the official figures may count other members"
    if sides is None:
        return none, "no official seasonally adjusted table at hand reaches these months"
    if who.code not in sides.index.levels[0]:
        return none, f"Census publishes no seasonally adjusted goods trade with {who.prose} for these months"
    return sides.loc[who.code].droplevel("item"), ""


def _average(values: pd.Series, window: Window) -> float | None:
    """The mean of a window of months, in whole dollars; None where one is missing."""
    if values.empty:
        return None
    months = values.reindex(pd.period_range(window.start, window.end, freq="M"))
    return None if months.isna().any() else float(round(months.mean()))


def years(brief, *, caption: str = "") -> PublishedTable | None:
    """Print goods, services and both over ten years; None where BEA has none, or other members each year."""
    sides, code = brief.snapshot.official_sides.get(TRADE_YEARS), brief.partner.code
    if sides is None or code not in sides.index.levels[0]:
        return None
    sides = sides.loc[code].unstack("item").swaplevel(axis=1)
    table = pd.concat({name: sides[item] for item, name in ITEMS.items()}, axis=1).tail(YEARS)
    if brief.partner.is_group and table.isna().any(axis=None):  # other members were counted
        return None
    names = {f"{side}_usd": side.capitalize() for side in LINKS}
    return published(
        table.rename_axis("year"),
        unit="billion",
        names=names,
        caption=title(brief, caption),
        source=words.source_line(brief.snapshot, TRADE_YEARS),
    )
