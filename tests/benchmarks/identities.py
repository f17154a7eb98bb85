"""All partners and groups in releases from 1986 to 2025: rendered, drawn, and held to what must be so.

    python tests/benchmarks/identities.py [--releases 24] [--partners KOR] [--draw 1] [--shard 1/2] [--log F]

Exports less imports are the balance, months add up to the year to date, contributions to the change; ranks
are those of the sorted list, records those of the rows; verbs say what the numbers do, titles tell the
numbers of the text, figures end where their titles do. A log is gone on with where it ends.
"""

import argparse
import collections
import json
import re
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path[:0] = [str(Path(__file__).parents[1] / "support"), str(Path(__file__).parent)]

from headlines import USD, Reader, amount, periods  # noqa: E402
from helpers import drawn, figures, passages, said, titled  # noqa: E402
from matplotlib import pyplot  # noqa: E402
from reads_well import check  # noqa: E402

import tradelib as tl  # noqa: E402
from tradelib.briefs.total import ROUNDING_SHARE, ROUNDING_USD  # noqa: E402
from tradelib.partners import all_partners, countries  # noqa: E402
from tradelib.tables import GOODS, TRADE_YEARS  # noqa: E402

FIRST, LAST, OWN = "1986-03", "2025-02", "2021-08"
SIDES = ("exports", "imports", "balance")
#: Balances and what else they are called by.
BALANCES = ("goods.balance.month", "goods.balance.ytd", "goods.balance.trailing12")
BALANCES += ("services.balance.ytd", "total.balance.ytd", "total.balance.trailing4")
#: Figures whose titles tell amounts that stand in the text too.
TOLD_TWICE = ("goods-history", "ytd-by-year", "what-moved", "standing-chart")
#: What they tell beside: the figure of a year earlier, and the largest deficit of all.
EARLIER = rf" from (a \w+ of )?{USD} a year earlier|^The largest U\.S\. goods deficit in .*"
MILLION = 1e6  # what rounding of BEA's tables may miss, for each number added


def releases(count: int) -> list[str]:
    """So many months from the first to the last, one of them the release whose own exhibits are at hand."""
    first, last = (pd.Period(month, "M").ordinal for month in (FIRST, LAST))
    months = [str(pd.Period(ordinal=int(n), freq="M")) for n in np.linspace(first, last, count).round()]
    nearest = min(months, key=lambda month: abs(int(month[:4]) * 12 + int(month[5:]) - 2021 * 12 - 8))
    return [OWN if month == nearest else month for month in months]


def everybody(snapshot) -> list[str]:
    """Every partner of a release, and every group and the world."""
    groups = all_partners().query("kind == 'group'")["code"]
    return [*tl.covered_partners(snapshot), *groups, "0015"]


def sums(brief) -> list[str]:
    """What does not add up."""
    found, value = [], brief.value
    spans = {"goods": ("month", "ytd"), "services": ("ytd",), "total": ("ytd",)}
    for id in (
        f"{item}.{{}}.{span}{end}" for item in spans for span in spans[item] for end in ("", ".change_usd")
    ):
        exports, imports, balance = (value(id.format(side)) for side in SIDES)
        off = 0 if id.startswith("goods") else MILLION * 4 * len(brief.quarters)
        if None not in (exports, imports, balance) and abs(exports - imports - balance) > off:
            found.append(f"{id}: {exports} less {imports} is not {balance}")
    trade = sum(abs(value(f"total.{side}.ytd") or 0) for side in SIDES[:2])
    for item, off in (("goods", 0), ("total", 2 * max(ROUNDING_USD, ROUNDING_SHARE * trade))):
        parts, change = value(f"{item}.balance.drivers"), value(f"{item}.balance.ytd.change_usd")
        if parts and abs(sum(part["contribution_usd"] for part in parts) - change) > off:
            found.append(f"{item}.balance.drivers do not add up to {change}")
    for id in ("commodity.hs2.contributions", "commodity.hs2.net"):
        parts, change = value(id), brief["commodity.hs2.contributions"].more["change_usd"]
        if parts and sum(part["contribution_usd"] for part in parts) != change:
            found.append(f"{id} does not add up to {change}")
    return found


def months_of(brief, reader: Reader) -> list[str]:
    """Sums that are not those of their months, and records that are not those of the rows."""
    found, value, code = [], brief.value, brief.partner.code
    spans = {"month": [brief.month], "ytd": periods(brief.months)}
    for side in SIDES:
        for span, months in spans.items():
            fact = brief[f"goods.{side}.{span}"]
            if fact.value is not None and fact.table == GOODS:
                added = reader.total(code, side, months)
                found += [] if added == fact.value else [f"{fact.id}: {fact.value}, the months make {added}"]
                january = span == "ytd" and len(months) == 1  # among Januaries, and not told on the page
                said_of = None if january else value(f"{fact.id}.superlative")
                found += [f"{fact.id}: {told}" for told in reader.record(code, side, months, said_of)]
    year = value("goods.balance.trailing12")
    if year is not None and year != reader.total(code, "balance", [brief.month - n for n in range(12)]):
        found.append("goods.balance.trailing12: twelve months make another sum")
    return found


def ranks(brief, reader: Reader) -> list[str]:
    """Ranks that are not those of the list, and lists that are not those of the ranks."""
    found, code, value = [], brief.partner.code, brief.value
    for side in ("trade", "exports", "imports"):
        for span, months in (("month", [brief.month]), ("ytd", periods(brief.months))):
            for end, back in (("", 0), (".previous_year", 1)):
                fact = brief[f"goods.{side}.{span}.rank{end}"]
                if fact.value is None or fact.table != GOODS:
                    continue
                place = _place(reader, side, months, back, brief)
                found += [] if place == fact.value else [f"{fact.id}: {fact.value}, {place}"]
    rank, larger = value("total.deficit.rank"), value("total.deficit.larger")
    if rank is not None and len(larger) != rank - 1:
        found.append(f"total.deficit.rank is {rank}, larger are {len(larger)}")
    if larger and min(entry["balance_usd"] for entry in larger) >= value("total.balance.ytd"):
        found.append("total.deficit.larger has none that is larger")
    reducers, now = value("total.reducers"), value("total.balance.ytd")
    change = value("total.balance.ytd.change_usd")
    if reducers and now is not None and change is not None and brief["total.deficit.rank"].more["listed"]:
        among = code in {entry["code"] for entry in reducers}
        if among != (now - change < 0 < change):
            found.append(f"among the reducers: {among}, but {now - change} became {now}")
    return found


def _place(reader: Reader, side: str, months: list, back: int, brief) -> int:
    """One more than the countries that trade more."""
    spell = [month - 12 * back for month in months]
    usd = reader.flows[side].reindex(spell).sum(min_count=len(spell))
    usd = usd[usd.index.isin(countries(in_year=brief.month.year - back))]
    return 1 + int((usd > usd[brief.partner.code]).sum())


def verbs(brief) -> list[str]:
    """Verbs that say other than the numbers do."""
    found = []
    for id in BALANCES:
        now, change = brief.value(id), brief.value(f"{id}.change_usd")
        if now is None or change is None:
            continue
        before, text = now - change, str(tl.say(brief, f"It {{{id}:moved}}."))
        way = next(
            way for way in ("widened", "narrowed", "moved from", "little changed", "zero") if way in text
        )
        right = {"moved from": now * before <= 0, "zero": now == before == 0}
        little = now * before > 0 and abs(change) < 0.005 * abs(before)
        right |= {"widened": now * before > 0 and abs(now) > abs(before) and not little}
        right |= {"narrowed": now * before > 0 and abs(now) < abs(before) and not little}
        right |= {"little changed": little or now == before}
        improved = str(tl.say(brief, f"It {{{id}.change_usd:improved}}."))
        right = (
            right[way]
            and ("improved" in improved) == (change > 0 and not little)
            and ("worsened" in improved) == (change < 0 and not little)
            and ("little changed" in improved) == (little and change != 0)
        )
        amounts = [amount(*match) for match in re.findall(USD, text)]
        near = any(abs(abs(now) - told) <= off for told, off in amounts) or not now
        found += [] if right and near else [f"{id}: {before} became {now}: {text}"]
    for id, fact in brief.items():
        if id.endswith(".superlative") and fact.more["is_record"] and " for a" not in fact.value:
            short = brief[id.replace("superlative", "earlier_record")].more["short_usd"]
            found += [f"{id}: a record, and short of one by {short}"] if short else []
        if id.endswith(".streak") and fact.value:
            change = brief.value(id.replace("streak", "change_usd"))
            up = fact.more["moved"] in ("risen", "improved")
            found += [] if change is None or (change > 0) == up else [f"{id}: {fact.more['moved']}, {change}"]
    return found


def texts(brief) -> list[str]:
    """What is told badly, and titles whose amounts no text tells."""
    found, page, about = [], [], ()
    told = {cell: str(said(cell, brief)) for cell in passages()}
    titles = {cell: titled(cell, brief) for cell in figures()}
    for of, title in ((told, False), (titles, True)):
        for cell, text in of.items():
            try:
                _ = text and check(text, about, title=title)
            except AssertionError as wrong:
                found.append(f"{cell}: {wrong}".splitlines()[0])
    if "shrank with none" in told["standing"] and brief.value("total.reducers") != []:
        found.append("standing: nobody's deficit shrank, says a brief that knows of none")
    page = set(re.findall(USD, " ".join(told.values()).replace("\\", "")))
    for cell in TOLD_TWICE:
        for match in re.findall(USD, re.sub(EARLIER, "", titles.get(cell, ""))):
            found += (
                []
                if match in page
                else [f"{cell}: ${''.join(match)} stands in the title alone: {titles[cell]}"]
            )
    return found


def pictures(brief) -> list[str]:
    """Figures that end elsewhere than their facts, or hold what is no number."""
    found, value = [], brief.value
    for cell in figures():
        with warnings.catch_warnings():  # one would stand in the page
            warnings.simplefilter("error")
            chart = drawn(cell, brief)
        if chart is None:
            continue
        ax = chart.axes[0]
        lines = {line.get_label(): np.asarray(line.get_ydata(), float) for line in ax.lines}
        if cell == "goods-history":
            end = lines["exports"][-1] - lines["imports"][-1]
            found += [] if end == value("goods.balance.trailing12") else [f"{cell} ends at {end}"]
        if cell == "trend-chart":
            end, own = lines["total"][-1], brief["total.balance.trailing4"]
            apart = 2e6 if own.table == TRADE_YEARS else 0  # a year is not the sum of its rounded quarters
            found += [] if abs(end - own.value) <= apart else [f"{cell} ends at {end}"]
        if cell == "ytd-by-year":
            end = ax.patches[-1].get_height()
            found += [] if abs(end) == abs(value("goods.balance.ytd")) else [f"{cell} ends at {end}"]
        words = [
            text.get_text()
            for text in [*chart.texts, *ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]
        ]
        found += [f"{cell}: {text}" for text in words if re.search(r"\bnan\b|\bNone\b|\binf\b", text)]
        pyplot.close(chart)
    return found


def faults(brief, reader: Reader, *, draw: bool) -> list[str]:
    """Everything that is wrong with one brief; an exception is a fault too."""
    found = []
    parts = [
        lambda: sums(brief),
        lambda: months_of(brief, reader),
        lambda: ranks(brief, reader),
        lambda: verbs(brief),
        lambda: texts(brief),
    ]
    for part in [*parts, *([lambda: pictures(brief)] if draw else [])]:
        try:
            found += part()
        except Exception as error:  # each is counted and told
            found.append(f"{type(error).__name__}: {error}"[:300])
    return found


def run(months: list[str], done: set, *, draw: int = 1, shard: tuple[int, int] = (0, 1), only=None):
    """Yield (release, code, drawn, faults) of what is not done; every `draw`-th brief is drawn too."""
    for month in months:
        snapshot = tl.take(month)
        who = [code for n, code in enumerate(only or everybody(snapshot)) if n % shard[1] == shard[0]]
        reader = Reader(snapshot) if any((month, code) not in done for code in who) else None
        for n, code in enumerate(who):
            if (month, code) in done:
                continue
            pictured = bool(draw) and n % draw == 0
            try:
                found = faults(tl.brief(code, snapshot), reader, draw=pictured)
            except Exception as error:
                found = [f"brief: {type(error).__name__}: {error}"[:300]]
            yield month, code, pictured, found


def main() -> int:
    """Go on with what the log lacks; count, and tell every fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--releases", type=int, default=24)
    parser.add_argument("--draw", type=int, default=1, help="draw every n-th brief; 0 for none")
    parser.add_argument("--partners", help="codes, joined by commas, instead of all partners and groups")
    parser.add_argument("--shard", default="1/1", help="1/2 for the first half of the partners")
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir(), "tradelib-identities.jsonl"))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    asked = parser.parse_args()
    number, of = map(int, asked.shard.split("/"))
    lines = asked.log.read_text().splitlines() if asked.log.exists() else []
    rows = [json.loads(line) for line in lines if line.endswith("]")]
    began = time.monotonic()
    with asked.log.open("a") as log:
        todo = run(
            releases(asked.releases),
            {(row[0], row[1]) for row in rows},
            draw=asked.draw,
            shard=(number - 1, of),
            only=[tl.resolve(who).code for who in asked.partners.split(",")] if asked.partners else None,
        )
        for row in todo:
            rows.append(row)
            log.write(json.dumps(row) + "\n")
            log.flush()
            if time.monotonic() - began > asked.seconds:
                break
    for month, code, _, found in rows:
        for told in found:
            print(month, code, told)
    counts = collections.Counter(row[0] for row in rows)
    print(f"{len(rows):,} briefs of {len(counts)} releases, {sum(row[2] for row in rows):,} of them drawn:")
    print(f"{sum(bool(row[3]) for row in rows):,} with faults")
    return int(any(row[3] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
