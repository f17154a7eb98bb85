"""The news of a release: which of a partner's facts leads, by one rule that the guide on sentences tells.

Each candidate is scored by how unusual it is in this partner's own past, in standard deviations.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd

from tradelib.briefs.records import LEAST_YEARS, PAST, stands_out
from tradelib.partners import WORLD
from tradelib.style.words import missing
from tradelib.tables import FLOWS, GOODS, WORLD_MONTHS

#: What a headline can be about, each a sentence of the headline cell; of equal ones the first leads.
NAMES = ("month_balance", "share", "quarter", "year_balance", "month_exports", "month_imports")
NAMES += ("year_exports", "year_imports", "revision", "rank_trade", "rank_exports", "rank_imports")
NAMES += ("month_total",)
#: What leads with the world, as in FT-900 itself, wherever its months in goods and services are at hand.
MONTH_TOTAL = "total.balance.month"
#: Quarters of goods and services come out with these months; the first release of which Exhibit 20 was seen.
QUARTERLY, FIRST_QUARTERLY = (1, 4, 7, 10), pd.Period("2018-07", "M")
#: A flow leads before the balance only if it is more unusual by so much; the change of one with a smaller
#: share of two-way trade than that, in proportion.
FLOW_WEIGHT, SMALL_FLOW = 0.8, 1 / 3
#: A part in the change of the U.S. deficit is news from this percentage on, among the largest so many, and
#: where it is so many times the share that the partner has in the deficit itself.
LARGE_PART_PCT, FIRST_PARTS, ABOVE_SHARE = 10, 3, 1.25
#: It adds so much to the news of the balance that it is of; a new quarter comes only four times a year,
#: a whole year once.
PART_BONUS, QUARTER_BONUS, YEAR_BONUS = 0.5, 1.0, 1.0
#: Ranks beyond this one are no news, and the others less than what moved them.
LAST_RANK, RANK_WEIGHT = 15, 0.8
#: Where nothing is more unusual than this, the balance of the month leads.
ORDINARY = 1.0
#: Fewer past changes tell nothing of what is usual.
FEW = 24


class Candidate(NamedTuple):
    """What could lead: the sentence it has, why it could, and how unusual it is."""

    name: str
    kind: str
    score: float


def leader(candidates: list[Candidate]) -> Candidate | None:
    """Choose what leads: the most unusual; the first of `NAMES` where that is ordinary, and of equal ones."""
    return min(candidates, key=lambda one: (-max(one.score, ORDINARY), NAMES.index(one.name)), default=None)


def of_change(changes: np.ndarray) -> float:
    """How large the last of some changes is beside the usual size of those before, in standard deviations.

    The usual size is robust: from the median of the sizes, or from their mean where most are zero.
    """
    past, now = np.abs(changes[:-1]), abs(changes[-1]) if len(changes) else np.nan
    past = past[~np.isnan(past)]
    if len(past) < FEW or np.isnan(now):
        return 0.0
    usual = 1.4826 * np.median(past) or 1.2533 * past.mean()
    return float(now / usual) if usual else 0.0


def of_rarity(often: int, among: int, reach: int) -> float:
    """How rare it is to stand out so far, as the standard deviations of a normal event that is as rare."""
    chance = (1 + often) / (1 + max(among, reach))
    return NormalDist().inv_cdf(1 - chance / 2) if chance < 1 else 0.0


def relative_changes(
    exports: np.ndarray, imports: np.ndarray, length: int, year: int
) -> dict[str, np.ndarray]:
    """Changes on a year earlier of sums over some periods: of flows, and of the balance beside all trade."""
    flows = {"exports": exports, "imports": imports}
    sums = {name: np.convolve(values, np.ones(length), "valid") for name, values in flows.items()}
    levels = sums | {"balance": sums["exports"] + sums["imports"]}
    sums["balance"] = sums["exports"] - sums["imports"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            name: 2 * (sums[name][year:] - sums[name][:-year]) / (levels[name][year:] + levels[name][:-year])
            for name in sums
        }


def news_fact(brief) -> None:
    """Write the fact `news`: which candidate leads, with the scores of all."""
    candidates = candidates_of(brief)
    best, s = leader(candidates), brief.snapshot
    brief.add(
        "news",
        best.name if best else None,
        unit="text",
        window=s.month,
        label="What the headline on {p} is about",
        table=WORLD_MONTHS if best and best.name == "month_total" else GOODS,
        reason="there are no figures on its goods trade",
        kind=best.kind if best else None,
        scores={one.name: round(one.score, 2) for one in candidates},
        **{name: best is not None and best.name == name for name in NAMES},
    )


def candidates_of(brief) -> list[Candidate]:
    """Everything that could lead, with its score; with the world goods and services of the month do."""
    if brief.partner.code == WORLD and not missing(brief.find(MONTH_TOTAL).value):
        return [Candidate("month_total", "month", ORDINARY)]
    s, found, balance = brief.snapshot, [], None
    for span, length in {"month": 1, "ytd": len(s.months)}.items():
        if (span, length) == ("ytd", 1):  # January's year to date is the month
            continue
        # a year to date is told again every month, and is new as a whole only when the year is whole
        weight = 1.0 if length in (1, 12) else length**-0.5
        changes = _goods_changes(brief, length)
        sides = [_of_side(brief, side, span, weight, changes) for side in ("balance", "exports", "imports")]
        if length == 12:
            sides = [one and one._replace(score=one.score + YEAR_BONUS) for one in sides]
        found += [one for one in sides if one]
        balance = sides[0]
    return [*found, *_share(brief, balance), *_ranks(brief), *_quarter(brief), *_revision(brief)]


def _goods_changes(brief, length: int) -> dict[str, np.ndarray]:
    """Changes of goods on a year earlier of the last ten years and now, of sums over so many months."""
    monthly, code = brief.snapshot.monthly_goods, brief.partner.code
    if code not in monthly["balance_usd"]:
        return {}
    span = slice(-(PAST + 12 + length), None)
    flows = [monthly[f"{flow}_usd"][code].to_numpy(float)[span] for flow in ("exports", "imports")]
    return relative_changes(*flows, length, 12)


def _of_side(brief, side: str, span: str, weight: float, changes: dict) -> Candidate | None:
    """A flow or the balance of the month or of the year to date: by its change, or by how it stands out."""
    id = f"goods.{side}.{span}"
    alone = _alone(brief, side)
    if missing(brief.value(id)) or (alone if span == "month" else _turned(brief, side) and not alone):
        return None
    if side != "balance" and brief[f"goods.balance.{span}.superlative"].more["is_record"]:
        return None  # the balance tells more
    more = brief[f"{id}.superlative"].more
    change = of_change(changes[side]) if side in changes else 0.0
    if side != "balance":
        weight *= FLOW_WEIGHT
        change *= min(1.0, _share_of_trade(brief, side) / SMALL_FLOW)
    scores = {"change": change, "record": 0.0}
    if more["word"]:
        kind = "turn" if more["word"] == "first" else "record"
        scores[kind] = of_rarity(more["often"], more["among"], more["reach"])
    kind = max(scores, key=scores.get)
    return Candidate(f"{'month' if span == 'month' else 'year'}_{side}", kind, weight * scores[kind])


def _share_of_trade(brief, side: str) -> float:
    """The share of a flow in two-way trade, of the year to date and that of a year earlier together."""
    usd = {}
    for flow in FLOWS:
        now, change = (brief.value(f"goods.{flow}.ytd{end}") or 0.0 for end in ("", ".change_usd"))
        usd[flow] = 0.0 if missing(now) or missing(change) else 2 * now - change
    return usd[side] / sum(usd.values()) if sum(usd.values()) else 1.0


def _turned(brief, side: str) -> bool:
    """Whether the month went against its year to date, unless that is a whole year: it is no news then."""
    month, ytd = (brief.value(f"goods.{side}.{span}.change_usd") for span in ("month", "ytd"))
    return brief.month.month < 12 and not missing(ytd) and not missing(month) and month * ytd < 0


def _alone(brief, side: str) -> bool:
    """Whether a month, no record, went against its year to date and its twelve months: its base stood out."""
    if brief[f"goods.{side}.month.superlative"].more["of_any"]:
        return False
    month, ytd = (brief.value(f"goods.{side}.{span}.change_usd") for span in ("month", "ytd"))
    year = _goods_changes(brief, 12).get(side, np.empty(0))[-1:]
    against = [now for now in (ytd, *year) if not missing(now) and not missing(month) and month * now < 0]
    return len(against) == 2


def _share(brief, balance: Candidate | None) -> list[Candidate]:
    """A large part in the change of the U.S. deficit, as new as the change of the balance that it is."""
    part = brief["goods.deficit.ytd.contribution_pct"]
    usual = brief.value("goods.deficit.ytd.share_pct") or 0.0
    large = part.more["along"] and max(LARGE_PART_PCT, ABOVE_SHARE * usual) <= part.value <= 100
    if balance is None or not large or (part.more["place"] or 1) > FIRST_PARTS:
        return []
    return [Candidate("share", "share", balance.score + PART_BONUS)]


def _ranks(brief) -> list[Candidate]:
    """Ranks of the year to date that are other than with the release before and a year earlier, and rare."""
    found = []
    for flow, ranks in brief.snapshot.ytd_ranks.items():
        id = f"goods.{flow}.ytd.rank"
        now, before = brief.value(id), brief.value(f"{id}.previous_year")
        if (
            now is None
            or before in (None, now)
            or not brief[f"{id}.previous_year"].more["alike"]
            or min(now, before) > LAST_RANK
            or brief.partner.code not in ranks
        ):
            continue
        past = -ranks[brief.partner.code].to_numpy(float)
        past[-1] = -now
        if past[-1] != past[-2] and (rare := stands_out(past, 12 * LEAST_YEARS)):
            score = RANK_WEIGHT * of_rarity(rare.often, rare.among, rare.reach)
            found.append(Candidate(f"rank_{flow}", "rank", score))
    return found


def _quarter(brief) -> list[Candidate]:
    """Goods and services over the quarters of the year, in a release that brought a new one."""
    s = brief.snapshot
    new = s.month.month in QUARTERLY and s.month >= FIRST_QUARTERLY
    if not new or missing(brief.value("total.balance.ytd.change_usd")):
        return []
    changes = np.empty(0)
    rows = s.total_quarters(brief.partner.code)
    if len(rows):
        rows = rows.reindex(pd.period_range(rows.index.min(), s.quarter, freq="Q")).iloc[-(PAST // 3 + 8) :]
        flows = [rows[f"{flow}_usd"].to_numpy(float) for flow in ("exports", "imports")]
        changes = relative_changes(*flows, len(s.quarters), 4)["balance"]
    return [Candidate("quarter", "quarter", of_change(changes) + QUARTER_BONUS)]


def _revision(brief) -> list[Candidate]:
    """What an annual revision did to the balance of the year before, beside the usual change of a year."""
    s, revision = brief.snapshot, brief.value("goods.balance.previous_year.revision_usd")
    changes = _goods_changes(brief, 12).get("balance", np.empty(0))
    if not revision or not len(changes):
        return []
    trade = sum(
        s.monthly_goods[f"{flow}_usd"][brief.partner.code].iloc[-12:].sum() for flow in ("exports", "imports")
    )
    return [Candidate("revision", "revision", of_change(np.append(changes[:-1], revision / trade)))]
