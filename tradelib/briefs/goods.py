"""The facts on goods: month, year to date, twelve months, rank, records (Census basis)."""

import pandas as pd

from tradelib import balances
from tradelib.briefs.selection import CANADA
from tradelib.partners import WORLD, partner
from tradelib.style import words
from tradelib.style.words import missing
from tradelib.tables import GOODS
from tradelib.windows import Window

EVERYBODY = "all {n} single countries with goods rows; groups, totals and unidentified out"
#: Years that a superlative must reach back.
LEAST_YEARS = 3


def goods_facts(brief) -> None:
    """Write the facts `goods.*` and `world.goods.*`."""
    _flows(brief)
    _reduction(brief)
    _twelve_months(brief)
    _context(brief)
    _ranks(brief)
    _record_month(brief)
    _record_year(brief)
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


def no_deficit(usd: float, when: str) -> str:
    """Why there is no rank among deficits."""
    what = f"a surplus of {words.money(usd)}" if usd > 0 else "a balance of zero"
    return f"{what} in {when}, not a deficit"


def _no_row(brief) -> str:
    return f"the country table has no complete row of {brief.partner.name} for the window"


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
    for side, link in (("exports", "to"), ("imports", "from"), ("balance", "with")):
        value, before = now.get(f"{side}_usd"), base.get(f"{side}_usd")
        id, title = prefix.format(side), f"{label.format(side)} {link} {{p}}, {when}"
        about = {"table": table, "reason": reason}
        brief.add(id, value, unit="USD", window=window, label=title, **about)
        change, title = difference(value, before), f"Change of {title} on a year earlier"
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
            reason=_no_row(brief),
        )


def _reduction(brief) -> None:
    s = brief.snapshot
    pair = tuple(row.get("balance_usd") for row in _pair(brief, "ytd"))
    brief.add(
        "goods.deficit.ytd.reduction_pct",
        reduction(*pair),
        unit="percent",
        window=f"{s.months} vs {s.months.year_earlier}",
        label=f"Reduction of the U.S. goods deficit with {{p}}, {words.span(s.months)} on a year earlier",
        table=s.goods_sums(brief.partner.code)[1]["ytd"],
        reason=reduction_reason(*pair),
        undefined=not any(map(missing, pair)),
    )


def _twelve_months(brief) -> None:
    s, code = brief.snapshot, brief.partner.code
    year = Window(s.month - 11, s.month)
    now, before = (
        row_of(s.goods_windows[name], code).get("balance_usd") for name in ("trailing", "trailing before")
    )
    title = f"U.S. goods balance with {{p}}, {words.span(year)}"
    about = {"unit": "USD", "table": GOODS, "reason": _no_row(brief)}
    brief.add("goods.balance.trailing12", now, window=year, label=title, **about)
    title, versus = f"Change of {title} on a year earlier", f"{year} vs {year.year_earlier}"
    change = difference(now, before)
    brief.add("goods.balance.trailing12.change_usd", change, window=versus, label=title, **about)


def _context(brief) -> None:
    """The world's deficit, and the share in U.S. trade."""
    s = brief.snapshot
    sums, tables = s.goods_sums(brief.partner.code)
    now, _ = _pair(brief, "ytd")
    world, world_base = (row_of(sums[name], WORLD) for name in ("ytd", "ytd before"))
    deficits = -world.get("balance_usd", float("nan")), -world_base.get("balance_usd", float("nan"))
    when = words.span(s.months)
    brief.add(
        "world.goods.deficit.ytd.change_pct",
        None
        if any(map(missing, deficits)) or deficits[1] <= 0
        else 100 * (deficits[0] - deficits[1]) / deficits[1],
        unit="percent",
        window=f"{s.months} vs {s.months.year_earlier}",
        label=f"Change of the U.S. goods deficit with the world, {when} on a year earlier",
        table=tables["ytd"],
        reason="no World row for both years",
        rows_of=WORLD,
    )
    trade, whole = (
        sum(row.get(f"{side}_usd", float("nan")) for side in ("exports", "imports")) for row in (now, world)
    )
    brief.add(
        "goods.trade.ytd.share_pct",
        balances.share(trade, whole) if not missing(trade) and not missing(whole) else None,
        unit="percent",
        window=s.months,
        label=f"Share of {{p}} in U.S. goods trade, {when}",
        table=tables["ytd"],
        reason=_no_row(brief),
        rows_of=WORLD,
    )


def _ranks(brief) -> None:
    s, who = brief.snapshot, brief.partner
    sums, table = s.ranked_goods
    for id, key, name, window in (
        ("goods.deficit.rank", "now", "ytd", s.months),
        ("goods.deficit.rank.previous_year", "before", "ytd before", s.months.year_earlier),
    ):
        ranks, when = s.goods_ranks[key], words.span(window)
        usd = row_of(sums[name], who.code).get("balance_usd")
        value = None
        if who.is_group:
            reason = "a group is not ranked with countries"
        elif who.code not in ranks:
            no_country = who.kind in ("world", "other", "product")
            reason = "it is not a single country" if no_country else f"there is no complete row in {when}"
        elif usd >= 0:
            reason = no_deficit(usd, when)
        else:
            value, reason = ranks[who.code], ""
        brief.add(
            id,
            value,
            unit="rank",
            window=window,
            label=f"Rank of the U.S. goods deficit with {{p}}, {when}",
            table=table,
            reason=reason,
            rows_of=CANADA,  # one of those ranked
            undefined=not missing(usd) and usd >= 0,
            universe=EVERYBODY.format(n=len(ranks)),
            n=len(ranks),
            measure="goods balance, largest deficit first",
            first=partner(ranks.index[0]).prose if len(ranks) else None,
            first_usd=sums[name]["balance_usd"].get(ranks.index[0]) if len(ranks) else None,
        )


def _record_month(brief) -> None:
    s = brief.snapshot
    record = row_of(s.export_records, brief.partner.code)
    month, since = record.get("period"), record.get("since", s.month)
    about = {
        "window": Window(since, s.month),
        "table": GOODS,
        "reason": "no exports on record",
        "since": str(since.year),
    }
    brief.add(
        "goods.exports.record_month",
        str(month) if record else None,
        unit="month",
        label=f"Highest month of U.S. goods exports to {{p}} since {since.year}",
        highest_usd=record.get("highest_usd"),
        **about,
    )
    label = f"Is {words.period(s.month)} the highest month of U.S. goods exports to {{p}} since {since.year}"
    is_record = month == s.month if record else None
    brief.add("goods.exports.month.is_record", is_record, unit="bool", label=label, **about)


def _record_year(brief) -> None:
    """Since when the balance of these months is the largest or smallest; a group has no constant members."""
    s, who = brief.snapshot, brief.partner
    history = s.same_months(who.code)
    value = reason = None
    if who.is_group:
        reason = "a group's members change"
    elif len(history) and not missing(history.iloc[-1]) and history.index[-1] == s.month.year:
        value, reason = _superlative(history), "neither the largest nor the smallest for long"
    brief.add(
        "goods.balance.ytd.superlative",
        value,
        unit="text",
        window=s.months,
        label=f"The U.S. goods balance with {{p}}, {words.span(s.months)}, among those of other years",
        table=GOODS,
        reason=reason or _no_row(brief),
    )


def _superlative(history: pd.Series) -> str | None:
    """Say since when the last of some years' balances is the largest or smallest of its kind."""
    year, now, past = history.index[-1], history.iloc[-1], history.iloc[:-1].dropna()
    kind = words.position(now)
    if year - 1 not in past.index or kind == "balance" or words.position(past[year - 1]) != kind:
        return None
    size = past if now > 0 else -past
    for word, as_much in (("largest", size >= abs(now)), ("smallest", size <= abs(now))):
        rivals = past[as_much]
        if year - max([past.index[0], *rivals.index]) < LEAST_YEARS:
            continue
        if rivals.empty:
            return f"{word} on record, in data from {past.index[0]}"
        rival = words.position(rivals.iloc[-1])
        other = f"the {rival} of " if word == "smallest" and rival not in (kind, "balance") else ""
        return f"{word} since {other}{rivals.index[-1]}"
    return None


def _drivers(brief) -> None:
    """What exports and imports of goods added to the change of the balance."""
    s = brief.snapshot
    exports, imports = (brief.value(f"goods.{flow}.ytd.change_usd") for flow in ("exports", "imports"))
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
    """Write `PREFIX.drivers`, the parts of a change by size, and `PREFIX.main_drivers`, most of it.

    `parts` is by (item, flow): what each added to the balance, in dollars.
    """
    value = main = None
    if change is not None and None not in parts.values():
        ordered = sorted(parts.items(), key=lambda part: -abs(part[1]))
        value = [
            {"item": item, "flow": flow, "contribution_usd": usd} for (item, flow), usd in ordered if usd
        ]
        helping = [entry for entry in value if entry["contribution_usd"] * change > 0]
        whole = sum(abs(entry["contribution_usd"]) for entry in helping)
        alone = helping and abs(helping[0]["contribution_usd"]) >= 0.6 * whole
        main = helping[: 1 if alone else 2]
    about = {
        "unit": "list",
        "window": f"{window} vs {window.year_earlier}",
        "table": table,
        "reason": "there is no year-earlier figure to compare with" if value is None else "nothing changed",
    }
    when = f"{words.span(window)} on a year earlier"
    brief.add(f"{prefix}.drivers", value or None, label=f"What changed {label}, {when}", **about)
    brief.add(
        f"{prefix}.main_drivers",
        main or None,
        label=f"What did most of the change of {label}, {when}",
        alone=bool(main and len(main) == 1 and len(value) > 1),
        **about,
    )
