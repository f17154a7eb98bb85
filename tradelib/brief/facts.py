"""Every number of a brief: what each fact id means and how it is worked out."""

import pandas as pd

from tradelib import balances
from tradelib.brief import commodities
from tradelib.brief.breaks import RULE, kink
from tradelib.brief.factsheet import Sheet
from tradelib.brief.realtime import CANADA
from tradelib.brief.snapshot import Snapshot
from tradelib.partners import WORLD, Partner, partner
from tradelib.style import words as wording
from tradelib.style.words import missing, money
from tradelib.tables import GOODS, TRADE
from tradelib.windows import Window

ITEMS = {"goods": "goods", "services": "services", "total": "goods and services"}

SURE = 0.05


def facts_of(who: Partner, snapshot: Snapshot) -> Sheet:
    """Work out every fact of a brief on one partner.

    Parameters
    ----------
    who : Partner
        A country or group, from `resolve`.
    snapshot : Snapshot
        From `take`.

    Returns
    -------
    Sheet
        Facts by id; the ids are a public contract, listed in the README.

    Examples
    --------
    >>> from tradelib import resolve, take
    >>> sheet = facts_of(resolve("KOR"), take("2018-07", as_of="2018-10-05"))
    >>> round(sheet["goods.exports.ytd.change_pct"].value, 1)
    11.1
    """
    sheet = Sheet(who, snapshot)
    _goods(sheet)
    _goods_rank(sheet)
    _goods_record(sheet)
    _services_and_total(sheet)
    commodities.exports_led(sheet)
    _total_rank(sheet)
    _trend(sheet)
    commodities.chapter_facts(sheet)
    return sheet


def all_facts(snapshot: Snapshot, codes: list[str]) -> dict[str, Sheet]:
    """Work out the facts of many partners from one snapshot.

    Examples
    --------
    >>> from tradelib import take
    >>> sorted(all_facts(take("2018-07"), ["5800", "5700"]))
    ['5700', '5800']
    """
    return {code: facts_of(partner(code), snapshot) for code in codes}


def _row(frame: pd.DataFrame | pd.Series, key) -> dict:
    """One row as a dict, empty if there is none; quicker than many single look-ups."""
    return frame.loc[key].to_dict() if key in frame.index else {}


def _difference(now, before):
    return None if missing(now) or missing(before) else now - before


def _percent_change(now, before):
    return None if missing(now) or missing(before) or before <= 0 else 100 * (now - before) / before


def _reduction(now, before):
    """The sign-flip rule for one partner; see balances.deficit_reduction."""
    if missing(now) or missing(before) or now >= 0 or before >= 0:
        return None
    return 100 * (1 - now / before)


def _reduction_reason(now, before) -> str:
    if missing(now) or missing(before):
        return "one of the two balances is not available"
    then, since = wording.position(before), wording.position(now)
    return f"from a {then} of {money(before)} to a {since} of {money(now)}: no percentage"


def _no_deficit(usd: float, words: str) -> str:
    what = f"a surplus of {money(usd)}" if usd > 0 else "a balance of zero"
    return f"{what} in {words}, not a deficit"


def _goods(sheet: Sheet) -> None:
    s, code = sheet.snapshot, sheet.partner.code
    labels = {
        "exports": "U.S. goods exports to {p}",
        "imports": "U.S. goods imports from {p}",
        "balance": "U.S. goods balance with {p}",
    }
    sums, tables = s.goods_sums(code)
    reason = f"the country table has no complete row of {sheet.partner.name} for the window"
    for span, window in (("month", Window(s.month, s.month)), ("ytd", s.months)):
        now, base = (_row(sums[name], code) for name in (span, f"{span} before"))
        versus = f"{window} vs {window.year_earlier}"
        for side, label in labels.items():
            value, before, words = now.get(f"{side}_usd"), base.get(f"{side}_usd"), wording.span(window)
            put = (tables[span], reason)
            sheet.put(f"goods.{side}.{span}", value, "USD", window, f"{label}, {words}", *put)
            title = f"Change of {label}, {words} on a year earlier"
            sheet.put(
                f"goods.{side}.{span}.change_usd", _difference(value, before), "USD", versus, title, *put
            )
            if side != "balance":
                why = (
                    reason
                    if missing(before) or missing(value)
                    else f"none in {wording.span(window.year_earlier)}"
                )
                pct = _percent_change(value, before)
                sheet.put(f"goods.{side}.{span}.change_pct", pct, "percent", versus, title, tables[span], why)
    pair = now.get("balance_usd"), base.get("balance_usd")
    title = f"Reduction of the U.S. goods deficit with {{p}}, {wording.span(s.months)} on a year earlier"
    sheet.put(
        *("goods.deficit.ytd.reduction_pct", _reduction(*pair), "percent", versus, title, tables["ytd"]),
        _reduction_reason(*pair),
        undefined=not any(map(missing, pair)),
    )
    _goods_context(sheet, now, versus, reason)


def _goods_context(sheet: Sheet, now: dict, versus: str, reason: str) -> None:
    """Twelve months, the world's deficit, and the share in U.S. trade, beside the year to date `now`."""
    s, code = sheet.snapshot, sheet.partner.code
    year = Window(s.month - 11, s.month)
    trailing = _row(s.goods_windows["trailing"], code).get("balance_usd")
    title = f"U.S. goods balance with {{p}}, twelve months to {wording.period(s.month)}"
    sheet.put("goods.balance.trailing12", trailing, "USD", year, title, GOODS, reason)
    sums, tables = s.goods_sums(code)
    world, world_base = (_row(sums[name], WORLD) for name in ("ytd", "ytd before"))
    deficits = -world.get("balance_usd", float("nan")), -world_base.get("balance_usd", float("nan"))
    title = f"Change of the U.S. goods deficit with the world, {wording.span(s.months)} on a year earlier"
    sheet.put(
        *(
            "world.goods.deficit.ytd.change_pct",
            _percent_change(*deficits),
            "percent",
            versus,
            title,
            tables["ytd"],
        ),
        "no World row for both years",
        rows_of=WORLD,
    )
    trade, whole = (
        sum(r.get(f"{x}_usd", float("nan")) for x in ("exports", "imports")) for r in (now, world)
    )
    portion = balances.share(trade, whole) if not missing(trade) and not missing(whole) else None
    title = f"Share of {{p}} in U.S. goods trade, {wording.span(s.months)}"
    sheet.put(
        "goods.trade.ytd.share_pct", portion, "percent", s.months, title, tables["ytd"], reason, rows_of=WORLD
    )


def _goods_rank(sheet: Sheet) -> None:
    s, who = sheet.snapshot, sheet.partner
    windows_of_all, table = s.ranked_goods
    sums = {"now": windows_of_all["ytd"], "before": windows_of_all["ytd before"]}
    windows = {"now": s.months, "before": s.months.year_earlier}
    for key, id in (("now", "goods.deficit.rank"), ("before", "goods.deficit.rank.previous_year")):
        ranks, usd = s.goods_ranks[key], _row(sums[key], who.code).get("balance_usd")
        words = wording.span(windows[key])
        universe = f"all {len(ranks)} single countries with goods rows; groups, totals and unidentified out"
        value = None
        if who.is_group:
            reason = "a group is not ranked with countries"
        elif who.code not in ranks:
            reason = f"{who.name} has no complete row in {words}"
        elif usd >= 0:
            reason = _no_deficit(usd, words)
        else:
            value, reason = ranks[who.code], ""
        sheet.put(
            *(id, value, "rank", windows[key], f"Rank of the U.S. goods deficit with {{p}}, {words}"),
            *(table, reason),
            rows_of=CANADA,  # one of those ranked
            undefined=not missing(usd) and usd >= 0,
            universe=universe,
            n=len(ranks),
            measure="goods balance, largest deficit first",
        )


def _goods_record(sheet: Sheet) -> None:
    s = sheet.snapshot
    record = _row(s.export_records, sheet.partner.code)
    month, since = record.get("period"), record.get("since", s.month)
    window, reason = Window(since, s.month), "no exports on record"
    title = f"Highest month of U.S. goods exports to {{p}} since {since.year}"
    value, highest = str(month) if record else None, record.get("highest_usd")
    sheet.put(
        *("goods.exports.record_month", value, "month", window, title, GOODS, reason), highest_usd=highest
    )
    title = (
        f"Is {wording.period(s.month)} the highest month of U.S. goods exports to {{p}} since {since.year}"
    )
    is_record = month == s.month if record else None
    sheet.put("goods.exports.month.is_record", is_record, "bool", window, title, GOODS, reason)


def _services_and_total(sheet: Sheet) -> None:
    s, code = sheet.snapshot, sheet.partner.code
    window, versus = s.quarters, f"{s.quarters} vs {s.quarters.year_earlier}"
    words, named = (
        wording.span(window),
        {"exports": "exports to", "imports": "imports from", "balance": "balance with"},
    )
    sums = (
        s.trade_windows
        if s.trade_table in s.sources
        else {"ytd": pd.DataFrame(), "ytd before": pd.DataFrame()}
    )
    reason = "BEA publishes no services by quarter for this partner and window"
    rows = {item: tuple(_row(sums[n], (code, item)) for n in ("ytd", "ytd before")) for item in ITEMS}
    for item in ("services", "total"):
        now, base = rows[item]
        for side, label in named.items():
            value, before = now.get(f"{side}_usd"), base.get(f"{side}_usd")
            title = f"U.S. {ITEMS[item]} {label} {{p}}, {words}"
            sheet.put(f"{item}.{side}.ytd", value, "USD", window, title, s.trade_table, reason)
            title = f"Change of U.S. {ITEMS[item]} {label} {{p}}, {words} on a year earlier"
            difference = _difference(value, before)
            sheet.put(
                f"{item}.{side}.ytd.change_usd", difference, "USD", versus, title, s.trade_table, reason
            )
    first = str(s.first_services[code]) if code in s.first_services else None
    title = "First quarter of services with {p} in BEA's table"
    sheet.put("services.first_quarter", first, "quarter", window, title, TRADE, reason)
    pair = tuple(row.get("balance_usd") for row in rows["total"])
    title = f"Reduction of the U.S. deficit with {{p}} in goods and services, {words} on a year earlier"
    why = reason if missing(pair[0]) else _reduction_reason(*pair)
    sheet.put(
        *("total.deficit.ytd.reduction_pct", _reduction(*pair), "percent", versus, title, s.trade_table, why),
        undefined=not any(map(missing, pair)),
    )
    for item in ("goods", "services"):
        for side, sign in (("exports", 1), ("imports", -1)):
            now, base = (row.get(f"{side}_usd") for row in rows[item])
            difference = _difference(now, base)
            part = None if difference is None else sign * difference
            title = f"Contribution of {item} {side} to the change of the balance with {{p}}, {words}"
            sheet.put(
                f"total.balance.contribution.{item}_{side}", part, "USD", versus, title, s.trade_table, reason
            )


def _total_rank(sheet: Sheet) -> None:
    s, who = sheet.snapshot, sheet.partner
    codes, how = s.universe
    ranks, usd = pd.Series(dtype=int), None
    if s.trade_table in s.sources:
        ranks, usd = s.total_ranks, s.total_balances[0].get(who.code)
    value, words = None, wording.span(s.quarters)
    if who.is_group:
        reason = "a group is not ranked with countries"
    elif who.code not in codes:
        reason = f"{who.name} is not among {how}"
    elif missing(usd):
        reason = "no balance by quarter"
    elif usd >= 0:
        reason = _no_deficit(usd, words)
    else:
        value, reason = ranks[who.code], ""
    names = [partner(code).name for code in codes]
    more = {"universe": names, "universe_source": how, "n": len(ranks)}
    title = f"Rank of the U.S. deficit with {{p}} in goods and services, {words}"
    sheet.put(
        *("total.deficit.rank", value, "rank", s.quarters, title, s.trade_table, reason),
        **more,
        undefined=not missing(usd) and usd >= 0,
        measure="goods and services balance, largest deficit first",
    )
    larger = None if value is None else [_deficit(code, s) for code in ranks.index if ranks[code] < value]
    title = f"Countries with a larger U.S. deficit in goods and services than {{p}}, {words}"
    sheet.put("total.deficit.larger", larger, "list", s.quarters, title, s.trade_table, reason, **more)
    found = None
    if s.trade_table in s.sources:
        found = [_reducer(code, row) for code, row in s.total_reducers.to_dict("index").items()]
    versus = f"{s.quarters} vs {s.quarters.year_earlier}"
    title = f"Who among {len(codes)} countries reduced the U.S. deficit in goods and services, {words}"
    sheet.put("total.reducers", found, "list", versus, title, s.trade_table, "", **more)


def _named(code: str) -> dict:
    who = partner(code)
    return {"code": code, "iso3": who.iso3, "name": who.name, "prose": who.prose}


def _reducer(code: str, row: dict) -> dict:
    pct = row["reduction_pct"]
    return _named(code) | {"reduction_pct": None if missing(pct) else pct, "change_usd": row["change_usd"]}


def _deficit(code: str, snapshot: Snapshot) -> dict:
    return _named(code) | {"balance_usd": snapshot.total_balances[0][code]}


def _trend(sheet: Sheet) -> None:
    s, code = sheet.snapshot, sheet.partner.code
    turn, why, window, more = None, "no trailing-four-quarter balance", s.quarters, {}
    if TRADE in s.sources and code in s.trailing_total.index:
        history = s.trailing_total.loc[code]["balance_usd"]
        window, turn = Window(history.index.min(), s.quarter), s.turn(code)
        why = "no clear turning point by the rule"
        if turn:
            more = {"direction": turn[1], "turn_usd": history[turn[0]], "latest_usd": history.iloc[-1]}
    title = "Turning point of the U.S. balance with {p} in goods and services, trailing four quarters"
    rule = "last trough or peak followed by a move of 3 % of two-way trade lasting 4 quarters or more"
    value = str(turn[0]) if turn else None
    sheet.put("total.trend.start", value, "quarter", window, title, TRADE, why, rule=rule, **more)
    _break(sheet)


def _break(sheet: Sheet) -> None:
    """The evidence beside the turning point: one change of slope in the last quarters."""
    s, code = sheet.snapshot, sheet.partner.code
    history = s.total_balance(code)
    found = kink(history) if len(history) and history.index.max() == s.quarter else None
    value, more, why = None, {"rule": RULE}, "no quarters without gaps long enough for a test"
    if found:
        first, last = map(str, found.confidence)
        why = f"no change of slope at the 5 percent level (p = {found.p_value:.2f})"
        value = str(found.period) if found.p_value <= SURE else None
        more |= {"p_value": found.p_value, "f_statistic": found.f_statistic, "confidence": [first, last]}
        slopes = found.slope_before, found.slope_after
        more |= dict(zip(("slope_before_usd", "slope_after_usd"), slopes, strict=True))
    window = Window(s.quarter - 23, s.quarter)
    title = "Change of slope of the quarterly U.S. balance with {p} in goods and services"
    sheet.put("total.trend.break", value, "quarter", window, title, TRADE, why, **more)
