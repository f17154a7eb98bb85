"""The facts on services, and on goods and services together: quarters, rank, turning point (BOP basis)."""

import pandas as pd

from tradelib.briefs.goods import (
    NO_BASE,
    amount_facts,
    difference,
    drivers_facts,
    flow_facts,
    reduction_fact,
    row_of,
)
from tradelib.briefs.place import named, no_deficit, not_ranked
from tradelib.briefs.turning import RULE, kink
from tradelib.partners import partner
from tradelib.style import words
from tradelib.style.words import missing
from tradelib.tables import FLOWS, TRADE, TRADE_YEARS
from tradelib.windows import Window

ITEMS = {"goods": "goods", "services": "services", "total": "goods and services"}
PARTS = [(item, flow) for item in ("goods", "services") for flow in FLOWS]
SURE, CERTAIN = 0.05, 0.01
FEW = 3  # times as many countries as those that are called exceptions, at least
TURN_RULE = (
    "a move of 3 % of two-way trade or more over 4 quarters or more, which the last 4 quarters and the year "
    "to date bear out, and of which a quarter at most was given back"
)
EXTREME_QUARTERS = 40
#: From so many years on, what was long ago is told in years.
FEWEST_YEARS = 4
#: What the test for a change of slope tells besides its date.
TESTED = ("p_value", "f_statistic", "confidence", "slope_before_usd", "slope_after_usd")
NOT_THE_WHOLE = "goods and services, as published for it, do not make the total"
#: What rounded parts may miss of the total: so many dollars, or of many members this share of all trade.
ROUNDING_USD, ROUNDING_SHARE = 10e6, 0.001
NO_SERVICES = "BEA publishes no figures by quarter for that time"
NO_WORLD = "BEA's table by partner has no row of the world"
EXPORTS_LED = (
    "the balance improved, exports of goods and of services both rose, and together they contributed more "
    "to the change, in size, than imports did"
)


def total_facts(brief) -> None:
    """Write the facts `services.*` and `total.*`."""
    rows = _quarters(brief)
    s, pair = brief.snapshot, tuple(row.get("balance_usd") for row in rows["total"])
    reduction_fact(
        brief,
        "total",
        pair,
        window=s.quarters,
        label="the U.S. deficit with {p} in goods and services",
        table=s.trade_table,
        reason=no_services(brief) if missing(pair[0]) else "",
    )
    parts = _contributions(brief, rows)
    _exports_led(brief, parts)
    _rank(brief)
    _larger_and_reducers(brief)
    _four_quarters(brief)
    trend_facts(brief)
    _slope(brief)


def no_services(brief) -> str:
    """Why there are no figures of services by quarter: of the world BEA has them, in another table."""
    return NO_WORLD if brief.partner.kind == "world" else NO_SERVICES


def _quarters(brief) -> dict[str, tuple[dict, dict]]:
    """Write the flows of the year to date; return each item's row, now and a year earlier."""
    s, code = brief.snapshot, brief.partner.code
    empty = {"ytd": pd.DataFrame(), "ytd before": pd.DataFrame()}
    sums = s.trade_windows if s.trade_table in s.sources else empty
    rows = {item: tuple(row_of(sums[name], (code, item)) for name in empty) for item in ITEMS}
    for item in ("services", "total"):
        flow_facts(
            brief,
            f"{item}.{{}}.ytd",
            now=rows[item][0],
            base=rows[item][1],
            window=s.quarters,
            label=f"U.S. {ITEMS[item]} {{}}",
            table=s.trade_table,
            reason=no_services(brief),
        )
    brief.add(
        "services.first_quarter",
        str(s.first_services[code]) if code in s.first_services else None,
        unit="quarter",
        window=s.quarters,
        label="First quarter of services with {p} in BEA's table",
        table=TRADE,
        reason=no_services(brief),
    )
    return rows


def _contributions(brief, rows: dict) -> dict[tuple[str, str], float | None]:
    """What each flow added to the change of the balance; higher exports and lower imports add."""
    s, parts, when = brief.snapshot, {}, words.span(brief.quarters)
    for item, flow in PARTS:
        now, base = (row.get(f"{flow}_usd") for row in rows[item])
        change = difference(now, base)
        parts[item, flow] = change if change is None or flow == "exports" else -change
    why = no_services(brief) if any(map(missing, parts.values())) else _not_the_whole(rows)
    if why == NOT_THE_WHOLE:
        parts = dict.fromkeys(parts)
    for (item, flow), value in parts.items():
        brief.add(
            f"total.balance.contribution.{item}_{flow}",
            value,
            unit="USD",
            window=f"{s.quarters} vs {s.quarters.year_earlier}",
            label=f"Contribution of {item} {flow} to the change of the balance with {{p}}, {when}",
            table=s.trade_table,
            reason=why,
        )
    drivers_facts(
        brief,
        "total.balance",
        parts,
        brief.value("total.balance.ytd.change_usd"),
        window=s.quarters,
        label="the U.S. balance with {p} in goods and services",
        table=s.trade_table,
    )
    return parts


def _not_the_whole(rows: dict) -> str:
    """Why goods and services are no parts of the total: they miss it by more than rounding can."""
    for total, *parts in zip(rows["total"], rows["goods"], rows["services"], strict=True):
        balance, exports, imports = (total.get(f"{side}_usd", float("nan")) for side in ("balance", *FLOWS))
        off = abs(balance - sum(part["balance_usd"] for part in parts))
        if off > max(ROUNDING_USD, ROUNDING_SHARE * (exports + imports)):
            return NOT_THE_WHOLE
    return ""


def exports_led(change: float, parts: dict[tuple[str, str], float]) -> bool | None:
    """Whether exports led an improvement by what each flow added to it; None where nothing changed."""
    exports, imports = (sum(parts[item, flow] for item in ("goods", "services")) for flow in FLOWS)
    rose = parts["goods", "exports"] > 0 and parts["services", "exports"] > 0
    return change > 0 and rose and exports > abs(imports) if change else None


def _exports_led(brief, parts: dict) -> None:
    change, value = brief["total.balance.ytd.change_usd"], None
    more = dict.fromkeys(f"{flow}_usd" for flow in FLOWS)
    reason = change.reason or "the balance did not change"
    if change.value is not None and not any(map(missing, parts.values())):
        value = exports_led(change.value, parts)
        for flow in FLOWS:
            more[f"{flow}_usd"] = sum(parts[item, flow] for item in ("goods", "services"))
    brief.add(
        "total.exports_led",
        value,
        unit="bool",
        window=change.window,
        label="Did exports lead an improvement of the U.S. balance with {p} in goods and services, "
        f"{words.span(brief.quarters)} on a year earlier",
        table=brief.snapshot.trade_table,
        reason=reason,
        rule=EXPORTS_LED,
        **more,
    )


def _universe(brief) -> dict:
    """Who is ranked in goods and services, as the facts tell it."""
    s = brief.snapshot
    codes, how = s.universe
    n = len(s.total_ranks) if s.trade_table in s.sources else 0
    return {"universe": [partner(code).name for code in codes], "universe_source": how, "n": n}


def _rank(brief) -> None:
    s, who, when = brief.snapshot, brief.partner, words.span(brief.quarters)
    codes, how = s.universe
    there = s.trade_table in s.sources
    ranks = s.total_ranks if there else pd.Series(dtype=int)
    usd, before = (s.total_balances[0].get(who.code) if there else None), None
    reason = not_ranked(brief)
    if not reason and who.code not in codes:
        reason = f"{who.prose} is not among {how}"
    elif not reason and missing(usd):
        reason = "no balance by quarter"
    elif not reason and usd >= 0:
        reason = no_deficit(usd, when)
    value = None if reason else ranks[who.code]
    if value is not None and s.total_balances[1].get(who.code, 0) < 0:
        before = s.total_ranks_before.get(who.code)
    about = {
        "unit": "rank",
        "table": s.trade_table,
        "measure": "goods and services balance, largest deficit first",
        "listed": who.code in ranks.index,
        **_universe(brief),
    }
    label = "Rank of the U.S. deficit with {p} in goods and services"
    brief.add(
        "total.deficit.rank",
        value,
        window=s.quarters,
        label=f"{label}, {when}",
        reason=reason,
        undefined=not missing(usd) and usd >= 0,
        **about,
    )
    brief.add(
        "total.deficit.rank.previous_year",
        before,
        window=s.quarters.year_earlier,
        label=f"{label}, {words.span(s.quarters.year_earlier)}",
        reason=reason or "no deficit a year earlier",
        **about,
    )


def _larger_and_reducers(brief) -> None:
    s, when, about = brief.snapshot, words.span(brief.quarters), _universe(brief)
    among = len(about["universe"])
    value, larger, found, few = brief.value("total.deficit.rank"), None, None, False
    if value is not None:
        ranks = s.total_ranks
        larger = [
            named(code) | {"balance_usd": s.total_balances[0][code]}
            for code in ranks.index
            if ranks[code] < value
        ]
    brief.add(
        "total.deficit.larger",
        larger,
        unit="list",
        window=s.quarters,
        label=f"Countries with a larger U.S. deficit in goods and services than {{p}}, {when}",
        table=s.trade_table,
        reason=brief["total.deficit.rank"].reason or "",
        **about,
    )
    if s.trade_table in s.sources and len(s.total_ranks_before):
        found = [_reducer(code, row) for code, row in s.total_reducers.to_dict("index").items()]
        few = FEW * len(found) <= among
    brief.add(
        "total.reducers",
        found,
        unit="list",
        window=f"{s.quarters} vs {s.quarters.year_earlier}",
        label=f"With whom of the {about['n'] or among} countries the deficit in goods and services shrank, "
        f"{when}",
        table=s.trade_table,
        reason=NO_BASE,
        few=few,
        own=bool(found) and brief.partner.code in {entry["code"] for entry in found},
        countries=among,
        nobody=found == [],
        **about,
    )


def _reducer(code: str, row: dict) -> dict:
    pct = row["reduction_pct"]
    return named(code) | {"reduction_pct": None if missing(pct) else pct, "change_usd": row["change_usd"]}


def _four_quarters(brief) -> None:
    """The balance in goods and services over four quarters, and what it was a year earlier."""
    s, code = brief.snapshot, brief.partner.code
    sums = s.trailing_total(code)["balance_usd"]
    now, before = sums.get(s.quarter), sums.get(s.quarter - 4)
    window, table = Window(s.quarter - 3, s.quarter), TRADE
    if s.trade_table == TRADE_YEARS:
        now, change = (brief.value(f"total.balance.ytd{end}") for end in ("", ".change_usd"))
        before, table = None if change is None else now - change, TRADE_YEARS
    label = f"U.S. balance with {{p}} in goods and services, {words.span(window)}"
    about = {"window": window, "label": label, "table": table, "reason": no_services(brief)}
    if len(s.total_balance(code)):
        about["reason"] = "the table has not four quarters of it" if missing(now) else NO_BASE
    amount_facts(brief, "total.balance.trailing4", now, before, **about)


def trend_facts(brief) -> None:
    """Since when the balance over four quarters has moved one way, where the last quarters bear it out."""
    s, code = brief.snapshot, brief.partner.code
    history, window, found, why = s.trailing_total(code)["balance_usd"], s.quarters, None, no_services(brief)
    more = dict.fromkeys(("direction", "moved", "turn", "turn_usd", "latest_usd", "change_usd", "ago"))
    more |= {"rising": False, "turned": False, "flipped": False}
    if len(history) and history.index[-1] == s.quarter:
        window, found = Window(history.index.min(), s.quarter), s.trend(code)
        why = "its last four quarters bear out no direction"
        this_year = brief.value("total.balance.ytd.change_usd")
        if found and this_year and (this_year > 0) != (found.direction == "rising"):
            found, why = None, "the year to date moved the other way"
    if found:
        then, now = history[found.start], history.iloc[-1]
        more = {
            "direction": found.direction,
            "moved": "risen" if found.direction == "rising" else "fallen",
            "rising": found.direction == "rising",
            "turned": found.turned,
            "turn": "trough" if found.direction == "rising" else "peak",
            "turn_usd": then,
            "latest_usd": now,
            "change_usd": now - then,
            "ago": _quarters_ago(s.quarter, found.start),
            "flipped": words.position(then) != words.position(now),
        }
    brief.add(
        "total.trend.start",
        str(found.start) if found else None,
        unit="quarter",
        window=window,
        label="Since when the U.S. balance with {p} in goods and services, four-quarter sums, moves one way",
        table=TRADE,
        reason=why,
        rule=TURN_RULE,
        **more,
    )
    _extremes(brief, history)


def _quarters_ago(now: pd.Period, then: pd.Period) -> str:
    count = (now - then).n
    years, more = divmod(count, 4)
    if years >= FEWEST_YEARS:
        return f"{'more than ' * bool(more)}{words.cardinal(years)} years"
    return f"{words.cardinal(count)} quarter{'s' * (count != 1)}"


def _extremes(brief, history: pd.Series) -> None:
    """Where the balance over four quarters stands: how far from its peak and trough, and how long ago."""
    s, past = brief.snapshot, history.loc[brief.quarter - (EXTREME_QUARTERS - 1) :]
    there = len(past) > 1 and past.index[-1] == s.quarter
    window = Window(past.index[0], s.quarter) if there else s.quarters
    for name, find in (("peak", "idxmax"), ("trough", "idxmin")):
        value, more = None, dict.fromkeys(("usd", "distance_usd", "ago", "among", "size")) | {"here": False}
        if there:
            value = getattr(past[::-1], find)()
            since = f"since {words.period(past.index[0])}" if value > past.index[0] else "where figures begin"
            more = {
                "usd": past[value],
                "distance_usd": abs(past.iloc[-1] - past[value]),
                "ago": _quarters_ago(s.quarter, value),
                "among": "in ten years" if len(past) == EXTREME_QUARTERS else since,
                "size": "largest" if (past[value] > 0) == (name == "peak") else "smallest",
                "here": value == s.quarter,
            }
        brief.add(
            f"total.trend.{name}",
            None if value is None else str(value),
            unit="quarter",
            window=window,
            label=f"{words.capital(name)} of the U.S. balance with {{p}} in goods and services, four-quarter "
            f"sums, {words.span(window)}",
            table=TRADE,
            reason=no_services(brief),
            **more,
        )


def _slope(brief) -> None:
    """The evidence beside the turning point: one change of slope in the last quarters."""
    s, trend = brief.snapshot, brief["total.trend.start"]
    start = trend.value if trend.more["turned"] else None
    history = s.total_balance(brief.partner.code)
    found = kink(history) if len(history) and history.index.max() == s.quarter else None
    window = Window(s.quarter - 23, s.quarter)
    value, more, why = None, dict.fromkeys(TESTED), "no quarters without gaps long enough for a test"
    tested = agrees = False
    if found:
        first, last = map(str, found.confidence)
        why = f"no change of slope at the 5 percent level ({_p(found.p_value)})"
        value = str(found.period) if found.p_value <= SURE else None
        # no date in the first four quarters is tested
        tested = value is None and start is not None and start >= str(window.start + 4)
        # a sum over four quarters turns about one and a half quarters after its quarters do
        agrees = start is not None and first <= start <= str(found.confidence[1] + 2)
        more |= {
            "p_value": found.p_value,
            "f_statistic": found.f_statistic,
            "confidence": [first, last],
            "slope_before_usd": found.slope_before,
            "slope_after_usd": found.slope_after,
        }
    brief.add(
        "total.trend.break",
        value,
        unit="quarter",
        window=window,
        label="Change of slope of the quarterly U.S. balance with {p} in goods and services",
        table=TRADE,
        reason=why,
        tested_in_vain=bool(found) and value is None,
        unconfirmed=tested,
        another=value is not None and start is not None and not agrees,
        weak=bool(found) and found.p_value >= CERTAIN,
        p=_p(found.p_value) if found else None,
        first=more["confidence"][0] if found else None,
        last=more["confidence"][1] if found else None,
        rule=RULE,
        **more,
    )


def _p(value: float) -> str:
    """Write a probability so that it is never on the wrong side of the level it is held against."""
    if f"{value:.2f}" == f"{SURE:.2f}":
        return f"p just {'below' if value <= SURE else 'above'} {SURE:.2f}"
    return "p < 0.01" if value < CERTAIN else f"p = {value:.2f}"
