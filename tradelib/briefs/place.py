"""The place of a partner in U.S. goods trade: shares, ranks, and its part in the change of the deficit."""

from tradelib import balances
from tradelib.briefs.selection import CANADA
from tradelib.partners import WORLD, has_members, members, partner
from tradelib.style import words
from tradelib.style.words import missing
from tradelib.windows import Window

EVERYBODY = "all {n} single countries with goods rows; groups, totals and unidentified out"
#: What countries are ranked by, the largest first, and what the rank makes of them.
RANKED = {"trade": "U.S. trading partner", "exports": "U.S. export market", "imports": "U.S. supplier"}
SHARES = {name: f"U.S. goods {name}" for name in RANKED} | {"balance": "the U.S. goods deficit"}
#: Below this percentage of itself the U.S. deficit has hardly changed, and nobody has a part in that.
HARDLY_PCT = 1.0
#: Nor where it changed by less than this part of all that it changed by with single countries, up and down.
SMALL_REST = 0.2
#: Ranks among so many fewer countries a year earlier, in percent, are no comparison: 76 in 1991, then 216.
FEWER_PCT = 90
#: How many countries of the world, or members of a group, are named.
NAMED = 4
#: Below this percentage a part in the change is not told.
LITTLE_PART_PCT = 1.0
UNKNOWN = float("nan")


def place_facts(brief) -> None:
    """Write the shares, ranks and contributions of `goods.*`, and `world.goods.*`."""
    s = brief.snapshot
    for span, window in {"month": Window(s.month, s.month), "ytd": s.months}.items():
        mine, world = (
            [_row(brief, name, code) for name in (span, f"{span} before")]
            for code in (brief.partner.code, WORLD)
        )
        _shares(brief, span, window, mine[0], world[0])
        _contribution(brief, span, window, mine, world)
        _ranks(brief, span, window)
    _by_country(brief)
    _deficit_ranks(brief)
    _world(brief, [-row["balance"] for row in world])


def _row(brief, name: str, code: str) -> dict[str, float]:
    """A partner's trade, exports, imports and balance in a window, from the table of the brief's partner."""
    sums = brief.snapshot.goods_sums(brief.partner.code)[0][name]
    row = sums.loc[code] if code in sums.index else {}
    flows = {side: row.get(f"{side}_usd", UNKNOWN) for side in ("exports", "imports", "balance")}
    return {"trade": flows["exports"] + flows["imports"], **flows}


def _table(brief, span: str) -> str:
    return brief.snapshot.goods_sums(brief.partner.code)[1][span]


def no_row(brief) -> str:
    """Why there is no figure of goods."""
    who, (_, last) = brief.partner, brief.snapshot.span_of_trade(brief.partner.code)
    if last is not None:
        return f"the country table has {who.prose} to {words.period(last)}"
    if who.kind == "former" and who.last_year and who.last_year < brief.month.year:
        return f"the country table has {who.prose} to {who.last_year}"
    return f"the country table does not have all these months of {who.prose}"


def no_deficit(usd: float, when: str) -> str:
    """Why there is no rank among deficits."""
    what = f"a surplus of {words.money(usd)}" if usd > 0 else "a balance of zero"
    return f"{what} in {when}, not a deficit"


def _shares(brief, span: str, window: Window, mine: dict, world: dict) -> None:
    """The share in U.S. goods trade, exports, imports and, of a deficit, in the deficit with the world."""
    when = words.span(window)
    for name, what in SHARES.items():
        part, whole = mine[name], world[name]
        reason = no_row(brief) if missing(part) else "no World row for the window"
        if name == "balance" and not missing(part) and part >= 0:
            reason = no_deficit(part, when)
        brief.add(
            f"goods.{'deficit' if name == 'balance' else name}.{span}.share_pct",
            balances.share(part, whole),
            unit="percent",
            window=window,
            label=f"Share of {{p}} in {what}, {when}",
            table=_table(brief, span),
            reason=reason,
            undefined=not missing(part) and not missing(whole),
            rows_of=WORLD,
        )


def _contribution(brief, span: str, window: Window, mine: list[dict], world: list[dict]) -> None:
    """The part in the change of the U.S. deficit: positive along with it, negative against it."""
    added, change = (rows[1]["balance"] - rows[0]["balance"] for rows in (mine, world))
    value, when, reason = None, words.span(window), no_row(brief)
    more = {"way": None, "along": False, "exceeds": False, "offset_pct": None}
    more |= {"place": None, "first": False, "n": None}
    if brief.partner.kind == "world":
        reason = "it is the whole"
    elif not missing(added) and missing(change):
        reason = "no World row for both years"
    elif not missing(added) and abs(change) < HARDLY_PCT / 100 * abs(world[1]["balance"]):
        reason = f"the U.S. goods deficit hardly changed in {when}"
    elif not missing(added) and abs(change) < SMALL_REST * brief.snapshot.deficit_changes[span].abs().sum():
        reason = f"the change of the U.S. goods deficit in {when} is a small rest of large moves up and down"
    elif not missing(added):
        value = 100 * added / change
        more |= {"way": "widening" if change > 0 else "narrowing", "along": value >= LITTLE_PART_PCT}
        more["exceeds"] = value > 100
        more["offset_pct"] = -value if value <= -LITTLE_PART_PCT else None
        if added and not not_ranked(brief):
            others = brief.snapshot.deficit_changes[span] * (1 if added > 0 else -1)
            place = int((others > abs(added)).sum()) + 1
            more |= {"place": place, "first": place == 1, "n": len(others)}
    brief.add(
        f"goods.deficit.{span}.contribution_pct",
        value,
        unit="percent",
        window=f"{window} vs {window.year_earlier}",
        label=f"Part of {{p}} in the change of the U.S. goods deficit, {when} on a year earlier",
        table=_table(brief, span),
        reason=reason,
        rows_of=WORLD,
        **more,
    )


def _by_country(brief) -> None:
    """With whom, of all countries or of a group's members, the goods balance changed most."""
    s, who, found, reason = brief.snapshot, brief.partner, None, "it is a single country"
    more = {"first": None, "first_usd": None}
    if who.kind == "world" or has_members(who.code):
        changes, reason = -s.deficit_changes["ytd"], "the country table does not have all these months of all"
        if who.kind != "world":
            changes = changes.reindex(members(who.code, s.release.default_as_of))
        if len(changes) and changes.notna().all():
            top = changes.loc[changes.abs().nlargest(NAMED).index]
            found = [named(code) | {"change_usd": usd} for code, usd in top.items() if usd]
            now = s.ranked_goods[0]["ytd"]["balance_usd"].reindex(changes.index)
            if now.min() < 0:
                more = {"first": partner(now.idxmin()).prose, "first_usd": now.min()}
    elif who.is_group:
        reason = "its members are not known by name"
    whom = "all countries" if who.kind == "world" else "its members"
    brief.add(
        "goods.balance.ytd.by_country",
        found or None,
        unit="list",
        window=f"{s.months} vs {s.months.year_earlier}",
        label=f"With whom of {whom} the U.S. goods balance with {{p}} changed most, "
        f"{words.span(s.months)} on a year earlier",
        table=s.ranked_goods[1],
        reason=reason,
        **more,
    )


def named(code: str) -> dict:
    """Name a country in an entry of a list."""
    who = partner(code)
    return {"code": code, "iso3": who.iso3, "name": who.name, "prose": who.prose}


def not_ranked(brief) -> str:
    """Why a partner is not ranked with countries; empty if it is."""
    if brief.partner.is_group:
        return "a group is not ranked with countries"
    return "it is not a single country" if brief.partner.kind in ("world", "other", "product") else ""


def _put_rank(brief, id: str, value, window: Window, n: int, **about) -> None:
    """Write a rank; Canada, one of those ranked, decides how it stands to the day."""
    table = brief.snapshot.ranked_goods[1]
    about |= {"universe": EVERYBODY.format(n=n), "n": n}
    brief.add(id, value, unit="rank", window=window, table=table, rows_of=CANADA, **about)


def _ranks(brief, span: str, window: Window) -> None:
    """As a trading partner, export market and supplier, now and a year earlier."""
    why, own = not_ranked(brief), brief.snapshot.goods_sums(brief.partner.code)[0]
    for name, role in RANKED.items():
        id = f"goods.{name}.{span}.rank"
        for id_, key, over in (
            (id, span, window),
            (f"{id}.previous_year", f"{span} before", window.year_earlier),
        ):
            ranks, when = brief.snapshot.flow_ranks[name, key], words.span(over)
            more = {} if key == span else {"alike": _alike(ranks, brief.snapshot.flow_ranks[name, span])}
            _put_rank(
                brief,
                id_,
                None if why or brief.partner.code not in own[key].index else ranks.get(brief.partner.code),
                over,
                len(ranks),
                label=f"Rank of {{p}} as a {role} in goods, {when}",
                reason=why or f"there was none, or no complete row, in {when}",
                measure=f"goods {name}, largest first",
                **more,
            )


def _alike(before, now) -> bool:
    """Whether as good as so many countries were ranked a year earlier, so that the two ranks compare."""
    return len(before) >= FEWER_PCT / 100 * len(now)


def _deficit_ranks(brief) -> None:
    s, code = brief.snapshot, brief.partner.code
    for id, key, name, window in (
        ("goods.deficit.rank", "now", "ytd", s.months),
        ("goods.deficit.rank.previous_year", "before", "ytd before", s.months.year_earlier),
    ):
        ranks, usd = s.goods_ranks[key], s.ranked_goods[0][name]["balance_usd"]
        mine, when, value = usd.get(code), words.span(window), None
        reason = not_ranked(brief)
        if not reason and (code not in ranks or code not in s.goods_sums(code)[0][name].index):
            reason = f"the country table does not have all of {when}"
        elif not reason and mine >= 0:
            reason = no_deficit(mine, when)
        elif not reason:
            value = ranks[code]
        _put_rank(
            brief,
            id,
            value,
            window,
            len(ranks),
            label=f"Rank of the U.S. goods deficit with {{p}}, {when}",
            reason=reason,
            undefined=not missing(mine) and mine >= 0,
            measure="goods balance, largest deficit first",
            first=partner(ranks.index[0]).prose if len(ranks) else None,
            first_usd=usd.get(ranks.index[0]) if len(ranks) else None,
            **({} if key == "now" else {"alike": _alike(ranks, s.goods_ranks["now"])}),
        )


def _world(brief, deficits: list[float]) -> None:
    """The change of the deficit with the world."""
    s, (now, before) = brief.snapshot, deficits
    when, id = f"{words.span(s.months)} on a year earlier", "world.goods.deficit.ytd.change"
    about = {
        "window": f"{s.months} vs {s.months.year_earlier}",
        "label": f"Change of the U.S. goods deficit with the world, {when}",
        "table": _table(brief, "ytd"),
        "reason": "no World row for both years",
        "rows_of": WORLD,
    }
    change = now - before  # nan where one is
    brief.add(f"{id}_usd", change, unit="USD", **about)
    brief.add(f"{id}_pct", 100 * change / before if before > 0 else None, unit="percent", **about)
