"""The charts of a brief: each draws one partner's facts below a title that stands in the notebook.

Where there is nothing to draw, a chart is None. Artists hold whole dollars; the axes scale them.
"""

import pandas as pd

from tradelib import balances
from tradelib.briefs.brief import Brief, composition
from tradelib.briefs.commodities import HS2
from tradelib.briefs.fact import commodity
from tradelib.briefs.sentences import title as titled
from tradelib.briefs.universe import is_seen
from tradelib.partners import Partner, members, partner
from tradelib.releases import Release
from tradelib.style import house as style
from tradelib.style import marks, words
from tradelib.style.house import COLOURS, Chart, Unit, styled
from tradelib.style.words import missing, money, ordinal, signed_money
from tradelib.tables import FLOWS, GOODS, TRADE

SHADED = "Shaded: where single quarters may have changed slope (95 percent confidence set); lines are "
SHADED += "four-quarter sums."
HISTORY, BARS, LARGEST = 20, 12, 15  # years, years, rows
#: What columns are called in the data of a chart.
ITEMS = {item: f"{item}_usd" for item in ("goods", "services")} | {"total": "goods_and_services_usd"}
NOW_AND_BEFORE = {"now": "balance_usd", "before": "a_year_earlier_usd"}
CHANGES = {"contribution_usd": "change_usd"} | {f"{flow}_usd": f"{flow}_change_usd" for flow in FLOWS}


@styled
def goods_history(brief: Brief, *, title: str = "") -> Chart | None:
    """Draw twelve-month sums of goods exports and imports over 20 years, and the gap between them."""
    s, code = brief.snapshot, brief.partner.code
    if missing(brief.value("goods.balance.trailing12")):
        return None
    first, _ = s.span_of_trade(code)  # before it there are zeros, which make no twelve months
    sums = _trailing(s.goods, code, 12).loc[s.month - 12 * HISTORY :]
    sums = sums if first is None else sums.loc[first + 11 :]
    sums = sums.loc[sums.first_valid_index() :]
    if len(sums) < 2:  # one point is no line
        return None
    years, unit = style.years_of(sums.index), Unit.of(sums.stack())
    exports, imports = sums["exports_usd"], sums["imports_usd"]
    fig, (ax,) = style.canvas()
    for tint, where in (("imports", imports > exports), ("exports", exports > imports)):
        shade = {"color": COLOURS[tint], "alpha": 0.18, "lw": 0}
        ax.fill_between(years, exports, imports, where=where, interpolate=True, **shade)
    ends = []
    for name, line in (("exports", exports), ("imports", imports)):
        ax.plot(years, line, color=COLOURS[name], label=name)
        ends.append((years[-1], line.iloc[-1], f"{name.capitalize()} {unit.number(line.iloc[-1])}", name))
    style.money_axis(ax, unit, 0, sums.max().max(), snug=False)
    style.year_axis(ax, years)
    marks.mark_agreements(ax, code)
    marks.end_labels(ax, ends)
    return style.dress(
        fig,
        style.source_line(s, GOODS),
        title=titled(brief, title),
        subtitle=style.measure(GOODS, "U.S. goods trade", unit, "12-month sums"),
        note=membership(brief.partner, s.release),
        data=sums.rename_axis("twelve_months_to"),
    )


@styled
def ytd_by_year(brief: Brief, *, title: str = "") -> Chart | None:
    """Draw the goods balance of the same months of each of the last 12 years as bars; None without two."""
    s, this = brief.snapshot, brief.snapshot.month.year
    if missing(brief.value("goods.balance.ytd")):
        return None
    sums, table = s.same_months(brief.partner.code), brief["goods.balance.ytd"].table
    bars = sums.loc[this - BARS + 1 :].dropna()
    if this not in bars.index or len(bars) < 2:  # no figure for what the release printed, or no other year
        return None
    if table != GOODS:
        own = s.goods_sums(brief.partner.code)[0]
        for year, window in ((this, "ytd"), (this - 1, "ytd before")):
            bars[year] = own[window].at[brief.partner.code, "balance_usd"]
    unit = Unit.of(bars)
    fig, (ax,) = style.canvas()
    marks.year_bars(ax, bars, unit)
    months = words.span(s.months).removesuffix(f" {this}")
    spell = "calendar years" if len(s.months) == 12 else months
    own = f"{this - 1} and {this} are as the release printed them, earlier years as revised later."
    notes = ["" if table == GOODS else own, membership(brief.partner, s.release)]
    return style.dress(
        fig,
        style.source_line(s, *dict.fromkeys([table, GOODS])),
        title=titled(brief, title),
        subtitle=style.measure(GOODS, "U.S. balance in goods", unit, spell),
        note=" ".join(filter(None, notes)),
        data=bars.rename("balance_usd").rename_axis("year").to_frame(),
    )


@styled
def total_trend(brief: Brief, *, title: str = "") -> Chart | None:
    """Draw four-quarter sums of the balance in goods, in services and in both, and where it turned."""
    s, code = brief.snapshot, brief.partner.code
    if missing(brief.value("total.balance.trailing4")):  # none that ends before the others do
        return None
    sums = _trailing(s.history[["balance_usd"]], code, 4)["balance_usd"].unstack("item").dropna(how="all")
    if len(sums) < 2 or missing(sums["total"].iloc[-1]):  # one point is no line; or only years have services
        return None
    years, unit = style.years_of(sums.index), Unit.of(sums.stack())
    broken = brief["total.trend.break"]
    fig, (ax,) = style.canvas(height=style.HEIGHT + (0.2 if broken.value else 0))  # for its note
    ends = []
    for item, name in (("goods", "goods"), ("services", "services"), ("total", "balance")):
        now, look = sums[item].iloc[-1], {"lw": 3 if item == "total" else 2, "color": COLOURS[name]}
        ax.plot(years, sums[item], label=item, **look)
        text = "Goods and\nservices" if item == "total" else item.capitalize()
        ends.append((years[-1], now, f"{text} {unit.number(now)}", name))
    low, high = sums.min().min(), sums.max().max()
    style.money_axis(ax, unit, low, high, snug=False)
    style.year_axis(ax, years)
    marks.mark_agreements(ax, code)
    marks.end_labels(ax, ends)
    if broken.value:
        first, last = style.years_of(pd.PeriodIndex(broken.more["confidence"], freq="Q"))
        ax.axvspan(first, last + 0.25, color=COLOURS["before"], alpha=0.5, lw=0, zorder=0)
    start = brief["total.trend.start"]
    if start.value and start.more["turned"]:
        turn = pd.PeriodIndex([start.value], freq="Q")
        at = sums["total"][turn[0]]
        marks.mark_turn(ax, style.years_of(turn)[0], at, f"{turn[0]}\n{unit.number(at)}")
    return style.dress(
        fig,
        style.source_line(s, TRADE),
        title=titled(brief, title),
        subtitle=style.measure(TRADE, "U.S. balance", unit, "four-quarter sums"),
        note=f"{SHADED if broken.value else ''} {membership(brief.partner, s.release)}",
        data=sums.rename(columns=ITEMS).rename_axis("four_quarters_to"),
    )


@styled
def what_moved(brief: Brief, *, title: str = "") -> Chart | None:
    """Draw how exports and imports took the balance from a year earlier to now, as a waterfall."""
    s, parts = brief.snapshot, _contributions(brief)
    whole, goods = "services_exports" in parts, s.goods_sums(brief.partner.code)[1]["ytd"]
    item, table, window = ("total", s.trade_table, s.quarters) if whole else ("goods", goods, s.months)
    now, change = brief.value(f"{item}.balance.ytd"), brief.value(f"{item}.balance.ytd.change_usd")
    if missing(change):
        return None
    rounding = change - sum(parts.values())
    seen = abs(rounding) > 0.005 * max(abs(now), abs(now - change))
    steps = parts | ({"rounding": rounding} if seen else {})
    unit = Unit.of([now, now - change])
    fig, (ax,) = style.canvas()
    spans = [words.span(one).removeprefix("the ") for one in (window.year_earlier, window)]
    names = [spans[0], *map(_step, steps, steps.values()), spans[1]]
    marks.waterfall(ax, now - change, steps, now, unit, names)
    rounded = f"Parts differ from the published change by {money(rounding)} of rounding.".replace(".0 ", " ")
    return style.dress(
        fig,
        style.source_line(s, table),
        title=titled(brief, title),
        subtitle=style.measure(table, f"U.S. balance in {'goods and services' if whole else 'goods'}", unit),
        note=f"{rounded if rounding and not seen else ''} {membership(brief.partner, s.release)}",
        data=pd.DataFrame({"step": names, "amount_usd": [now - change, *steps.values(), now]}).set_index(
            "step"
        ),
    )


@styled
def chapters(brief: Brief, *, title: str = "") -> Chart | None:
    """Draw how HS chapters, net, took the balance from a year earlier to now; one flow where there is one."""
    s, whole, net = brief.snapshot, brief["commodity.hs2.contributions"], brief["commodity.hs2.net"]
    parts = [entry for entry in net.value or whole.value or [] if entry["contribution_usd"]]
    if not parts:
        return None
    tables, covers, change = (whole.more[name] for name in ("tables", "covers", "change_usd"))
    way = -1 if covers == "imports only" else 1  # one flow is drawn as itself
    unit = Unit.of([part["contribution_usd"] for part in parts] + [change])
    spans = [words.span(window) for window in (s.months.year_earlier, s.months)]
    levels = [signed_money(whole.more[f"{name}_usd"]).replace("-", "−") for name in ("before", "now")]
    rows = [(f"{spans[0]}\n{levels[0]}", 0.0, "balance")]
    named = [words.capital(commodity(part) if part[HS2] else part["name"]) for part in parts]
    data = pd.DataFrame(parts, index=pd.Index(named, name="chapter")).filter(like="_usd")
    for name, part in zip(named, parts, strict=True):
        if net.value:
            gross = [f"{flow} {unit.number(part[f'{flow}_usd'], sign=True)}" for flow in FLOWS]
            name = f"{marks.even_lines(name, 36)}\n{', '.join(gross)}"
        rows.append((name, way * part["contribution_usd"], "goods" if part[HS2] else "quiet"))
    rows.append((f"{spans[1]}\n{levels[1]}", way * change, "balance"))
    fig, (ax,) = style.canvas(height=1.9 + (0.46 if net.value else 0.4) * len(rows))
    marks.level_waterfall(ax, pd.DataFrame(rows, columns=["name", "usd", "colour"]).set_index("name"), unit)
    of = f"U.S. {whole.more['flows']} by HS chapter"
    if net.value:
        of = f"U.S. goods balance by HS chapter ({whole.more['flows']})"
    return style.dress(
        fig,
        style.source_line(s, *tables),
        title=titled(brief, title),
        subtitle=style.measure(tables[0], of, unit, f"change from {spans[0]}"),
        note="Higher exports and lower imports improve the balance." if net.value else "",
        data=way * data.rename(columns=CHANGES),
    )


@styled
def standing(brief: Brief, *, title: str = "") -> Chart | None:
    """Draw where the partner stands among those ranked with it, or a group's members; None without any."""
    s, code = brief.snapshot, brief.partner.code
    whole = s.trade_table in s.sources and code in s.total_ranks.index
    if whole:
        (now, before), ranks, shown = s.total_balances, s.total_ranks, s.total_ranks.index
        table, window, what = s.trade_table, s.quarters, f"goods and services, {len(ranks)} countries"
    elif brief.partner.is_group and brief.value("goods.balance.ytd.by_country"):
        windows, table = s.ranked_goods
        whose = members(code, s.release.default_as_of)
        now, before = (windows[name]["balance_usd"].reindex(whose) for name in ("ytd", "ytd before"))
        window, shown = s.months, now.nsmallest(LARGEST).index
        what = "goods, the members"
        if len(whose) > LARGEST:
            what = f"goods, the {LARGEST} members with the largest deficits"
    else:
        own, windows = s.goods_sums(code)[0]["ytd before"], s.goods_windows
        now, before = (windows[name]["balance_usd"] for name in ("ytd", "ytd before"))
        before = before if code in own.index else before.drop(code, errors="ignore")
        table, window, what = GOODS, s.months, f"goods, the {LARGEST} largest deficits"
        ranks = s.goods_ranks["now"]
        shown = ranks.index[:LARGEST].union([code] * (code in ranks), sort=False)
    rows = pd.DataFrame({"now": now, "before": before}).reindex(shown).dropna(subset=["now"])
    rows = rows.sort_values("now", kind="stable")
    if rows.empty:
        return None
    names = {one: partner(one).prose.removeprefix("the ") for one in rows.index}
    if code in rows.index and len(shown) > LARGEST and not whole and rows["now"][code] < 0:
        names[code] += f" ({ordinal(ranks[code])})"
    fig, (ax,) = style.canvas(height=1.6 + 0.245 * len(rows))
    unit = marks.dumbbells(ax, rows, code, names)
    dots = f"  ● {words.span(window).removeprefix('the ')}"
    dots += "  ○ a year earlier" * bool(rows["before"].notna().any())
    return style.dress(
        fig,
        style.source_line(s, table),
        title=titled(brief, title),
        subtitle=style.measure(table, f"U.S. balance in {what}", unit) + dots,
        note="" if not whole or is_seen(s.universe[1]) else f"{words.capital(s.universe[1])}.",
        data=rows.rename(index=names, columns=NOW_AND_BEFORE).rename_axis("country"),
    )


def _trailing(sides: pd.DataFrame, code: str, periods: int) -> pd.DataFrame:
    """One partner's trailing sums by period, and by item where there are items."""
    rows = sides[sides.index.get_level_values("partner") == code]
    single = "item" not in rows.index.names
    if single:
        rows = pd.concat({"goods": rows}, names=["item"]).reorder_levels(["partner", "item", "period"])
    return balances.trailing_sum(rows, periods).droplevel(["partner", "item"] if single else "partner")


def _contributions(brief: Brief) -> dict[str, float]:
    """The parts of the change of the balance: four, or goods alone where services are missing."""
    names = [f"{item}_{flow}" for item in ("goods", "services") for flow in ("exports", "imports")]
    parts = {name: brief.value(f"total.balance.contribution.{name}") for name in names}
    if any(map(missing, parts.values())):
        exports, imports = (brief.value(f"goods.{flow}.ytd.change_usd") for flow in ("exports", "imports"))
        parts = {"goods_exports": exports, "goods_imports": None if missing(imports) else -imports}
    return {name: usd for name, usd in parts.items() if not missing(usd)}


def _step(name: str, usd: float) -> str:
    """Name one step of the waterfall by what the flow did; imports count against the balance."""
    if name == "rounding":
        return name
    item, flow = name.split("_")
    rose = usd > 0 if flow == "exports" else usd < 0
    return f"{item} {flow} {'were unchanged' if usd == 0 else 'rose' if rose else 'fell'}"


def membership(who: Partner, release: Release) -> str:
    """Say whose trade a group's row is; nothing for a single country."""
    if not who.is_group:
        return ""
    same = composition(who, release.default_as_of)
    return f"In all periods {same}." if same else "Members as the publisher counts them."
