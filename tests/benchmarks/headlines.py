"""The headlines of all partners over consecutive releases: repeated, wrong, or against their own page.

Run by hand: `python tests/benchmarks/headlines.py [--since 2023-03] [--through 2025-02] [--partners KOR]`.
No notebook runs: the texts are taken from its cells. Each headline is read back by plain patterns, and what
it says is worked out again from the rows of the table: amounts, directions, percentages, records, shares and
ranks. Then it is laid beside all other passages and titles of its page.
"""

import argparse
import collections
import re
import sys
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from helpers import figures, passages, said, titled

import tradelib as tl
from tradelib.partners import countries
from tradelib.style import words

GROUPS = ["EU", "OPEC", "ASEAN", "USMCA", "APEC", "0015"]
UNITS = {"": 1.0, " thousand": 1e3, " million": 1e6, " billion": 1e9, " trillion": 1e12}
USD = r"\$([\d,.]+)( thousand| million| billion| trillion)?"
MONTH = "|".join(words.MONTHS)
SPAN = rf"((?:(?:{MONTH})(?:-(?:{MONTH}))? )?\d{{4}})"
QUARTERS = r"((?:the [a-z ]+ of )?\d{4})"
SUPERLATIVE = r"(?:, the ((?:largest|smallest|highest|lowest|first)[^,]*(?:, in figures since \d+)?))?"
AFTER = rf"(?:, after (?:a (deficit|surplus) of {USD}|zero) a year earlier)?"
BECAME = rf"(?:(widened|narrowed|moved)|was)\b.*?{USD} in "
WAY = r"(widened|narrowed|moved|was little changed)\b.*? in "
PATTERNS = {
    "stands": rf"a (deficit|surplus) of {USD} (?:in goods with .+? )?in {SPAN}{SUPERLATIVE}{AFTER}"
    r"(?:\.$|; .+ accounted for )",
    "became": rf"[Tt]he (?:U\.S\. )?(deficit|surplus|balance) (?:in goods with .+?|with it) {BECAME}{SPAN}",
    "zero": rf"The U\.S\. balance in goods with .+? (?:was zero|moved .+ to zero) in {SPAN}",
    "quarter": rf"The U\.S\. (deficit|surplus|balance) with .+? in goods and services {BECAME}{QUARTERS}",
    "flow": rf"^U\.S\. goods (exports|imports) (?:to|from) .+? (?:(rose|fell) by (.+?) on a year earlier, to|"
    rf"came to|.+? on a year earlier, to) (?:zero|{USD}) in {SPAN}{SUPERLATIVE}\.$",
    "rank": rf"was the (?:(\d+)\w\w )?largest (U\.S\. trading partner|market|supplier).* in {SPAN}, "
    r"(\d+)\w\w a year",
    "both": rf"had (?:a (deficit|surplus) of {USD} in goods and services in (\d{{4}}), after a "
    rf"(deficit|surplus) of {USD} a year earlier, and )?a (deficit|surplus) of {USD} "
    rf"(?:in goods and services )?in {SPAN}"
    rf"(, the largest of any month on record, in figures since January 1992)?; the balance "
    rf"(?:was little changed|(improved|worsened) by {USD}) on the month before\.$",
    "revision": rf"was revised by (-|\+){USD} with the release of .+, to a (deficit|surplus) of {USD}\.$",
    "none": r"^There are no figures",
}


def amount(digits: str, unit: str | None) -> tuple[float, float]:
    """Dollars of an amount as printed, and how far rounding may have moved it."""
    size = UNITS[unit or ""]
    decimals = len(digits.partition(".")[2])
    return float(digits.replace(",", "")) * size, 0.5001 * size * 10**-decimals


def months(span: str) -> list[pd.Period]:
    """The months of "July 2018", "January-July 2018" or "2018"."""
    names = re.findall(MONTH, span)
    first, last = (words.MONTHS.index(names[0]) + 1, words.MONTHS.index(names[-1]) + 1) if names else (1, 12)
    return list(pd.period_range(f"{span[-4:]}-{first:02d}", f"{span[-4:]}-{last:02d}", freq="M"))


def periods(window) -> list[pd.Period]:
    return list(pd.period_range(window.start, window.end))


class Reader:
    """What the rows of a release say, for reading headlines back."""

    def __init__(self, snapshot):
        goods = snapshot.goods_flows.pivot(index="period", columns=["flow", "partner"], values="value_usd")
        self.flows = {flow: goods[flow] for flow in ("exports", "imports")}
        self.flows["balance"] = self.flows["exports"] - self.flows["imports"]
        self.flows["trade"] = self.flows["exports"] + self.flows["imports"]
        self.snapshot = snapshot

    def total(self, code: str, side: str, span: list[pd.Period], back: int = 0) -> float:
        """The sum of some months, or of the same so many years back."""
        sums = self.flows[side][code].reindex([month - 12 * back for month in span])
        return sums.sum(min_count=len(span))

    def faults(self, brief, headline: str) -> list[str]:
        """What a headline says that the rows do not."""
        kinds = [kind for kind, pattern in PATTERNS.items() if re.search(pattern, headline)]
        kinds = ["quarter"] if "quarter" in kinds else kinds  # the others are of goods alone
        if not kinds:
            return ["cannot be read"]
        found = []
        for kind in kinds:
            match = re.search(PATTERNS[kind], headline).groups()
            found += getattr(self, kind)(brief, *match)
        if part := re.search(
            r"accounted for ([\d.]+) percent of the (widening|narrowing).*?(, more)?", headline
        ):
            found += self.share(brief, headline, *part.groups()[:2])
        return found

    def none(self, brief) -> list[str]:
        held = self.flows["exports"].get(brief.partner.code)
        return [] if held is None or pd.isna(held.get(brief.month)) else ["there are figures"]

    def revision(self, brief, sign, digits, unit, kind, digits1, unit1) -> list[str]:
        year = list(pd.period_range(f"{brief.month.year - 1}-01", f"{brief.month.year - 1}-12", freq="M"))
        now = self.total(brief.partner.code, "balance", year)
        moved = brief.value("goods.balance.previous_year.revision_usd")
        found = [] if words.position(now) == kind and (sign == "+") == (moved > 0) else ["another sign"]
        return found + self.near(now, digits1, unit1) + self.near(moved, digits, unit)

    def zero(self, brief, span) -> list[str]:
        return [] if self.total(brief.partner.code, "balance", months(span)) == 0 else ["not zero"]

    def stands(self, brief, kind, digits, unit, span, superlative, kind0, digits0, unit0) -> list[str]:
        span, code = months(span), brief.partner.code
        now, before = (self.total(code, "balance", span, back) for back in (0, 1))
        found = [] if words.position(now) == kind else ["another sign"]
        found += self.near(now, digits, unit) + (self.near(before, digits0, unit0) if digits0 else [])
        found += ["another sign a year earlier"] * (kind0 not in (None, words.position(before)))
        return found + self.record(code, "balance", span, superlative)

    def both(self, brief, *told) -> list[str]:
        year, (kind, digits, unit, span, record, way, digits0, unit0) = told[:7], told[7:]
        rows = tl.load("trade_world_sa", as_of=brief.as_of, nearest_later=True, through=brief.month)
        rows = rows[rows["item"].eq("total") & rows["flow"].eq("balance")]
        balances = rows.set_index("period")["value_usd"]
        (month,) = months(span)
        now, change = balances[month], balances[month] - balances[month - 1]
        little = abs(change) < 0.005 * abs(balances[month - 1])
        right = "little" if little else "improved" if change > 0 else "worsened"
        found = [] if words.position(now) == kind and (way or "little") == right else ["another sign"]
        found += ["another record"] * (bool(record) != bool(now == balances.min()))
        found += ["no word on the year"] * ((month.month == 12) != (year[3] is not None))
        if year[3]:
            for back, (kind_, digits_, unit_) in enumerate((year[:3], year[4:])):
                usd = balances[month - 12 * back - 11 : month - 12 * back].sum()
                found += self.near(usd, digits_, unit_) + ["another sign"] * (words.position(usd) != kind_)
        return found + self.near(now, digits, unit) + (self.near(change, digits0, unit0) if way else [])

    def near(self, usd: float, digits: str, unit: str | None) -> list[str]:
        told, off = amount(digits, unit)
        return [] if abs(abs(usd) - told) <= off else [f"{told:,.0f} is told, {usd:,.0f} it is"]

    def moved(self, now: float, before: float, kind: str, way: str | None) -> list[str]:
        flipped = now * before <= 0 and now != before
        ways = {"moved": flipped, "widened": not flipped and abs(now) > abs(before)}
        ways |= {"narrowed": not flipped and abs(now) < abs(before)}
        right = ways.get(way, abs(now - before) <= 0.005 * abs(before) or before != before)
        fits = kind == "balance" if flipped else kind == words.position(now)
        return [] if right and fits else [f"{kind} {way}, but {before:,.0f} became {now:,.0f}"]

    def became(self, brief, kind, way, digits, unit, span) -> list[str]:
        now, before = (self.total(brief.partner.code, "balance", months(span), back) for back in (0, 1))
        return self.near(now, digits, unit) + self.moved(now, before, kind, way)

    def quarter(self, brief, kind, way, digits, unit, span) -> list[str]:
        rows = brief.trade[(brief.trade["partner"] == brief.partner.code) & (brief.trade["item"] == "total")]
        rows = rows.set_index(["flow", "period"])["value_usd"]
        sums = []
        for back in (0, 4):
            spell = [period - back for period in periods(brief.quarters)]
            if "balance" in rows.index.levels[0]:
                sums.append(sum(rows["balance", period] for period in spell))
            else:
                sums.append(sum(rows["exports", p] - rows["imports", p] for p in spell))
        found = [] if span == words.span(brief.quarters) else ["other quarters"]
        found += [] if brief.month.month in (1, 4, 7, 10) else ["no new quarter"]
        return found + self.near(sums[0], digits, unit) + self.moved(*sums, kind, way)

    def flow(self, brief, side, way, change, digits, unit, span, superlative) -> list[str]:
        span, code = months(span), brief.partner.code
        now, before = (self.total(code, side, span, back) for back in (0, 1))
        found = self.near(now, digits or "0", unit) + self.record(code, side, span, superlative)
        if way and way != ("rose" if now > before else "fell"):
            found.append(f"{way}, but {before:,.0f} became {now:,.0f}")
        if change and (pct := re.fullmatch(r"([\d,.]+) percent", change)):
            told = float(pct[1].replace(",", ""))
            found += (
                [] if abs(abs(100 * (now / before - 1)) - told) < 0.0501 + 0.5 * (told >= 1000) else [change]
            )
        return found

    def record(self, code: str, side: str, span: list[pd.Period], told: str | None) -> list[str]:
        if not told:
            return []
        # before the first trade the table has zeros; of some products there are imports alone
        traded = self.flows["trade"][code].gt(0) | self.flows[side][code].gt(0)
        own = self.flows[side][code].where(traded.cummax())
        series = own.rolling(len(span), min_periods=len(span)).sum()
        if len(span) > 1:
            series = series[series.index.month == span[-1].month]
        gaps = series.index[series.isna()]  # a history begins after its last gap
        series = series[series.index > gaps[-1]] if len(gaps) else series
        begins = series.index[0].year
        if " for a" in told:
            series = series[series.index.month == span[-1].month]
        now, past = series.iloc[-1], series.iloc[:-1].dropna()
        sign = -1 if side == "balance" and now < 0 else 1
        size, mine = past * sign, now * sign
        rival = {
            "la": size >= mine,
            "hi": size >= mine,
            "sm": size <= mine,
            "lo": size <= mine,
            "fi": size > 0,
        }
        rivals = past[rival[told[:2]]]
        since = f"on record, in figures since {begins}"
        if len(rivals):
            last = rivals.index[-1]
            first = "the first on record, " if last == series.index[0] else ""
            turned = not first and told[:2] == "sm" and rivals.iloc[-1] * sign < 0
            since = f"since {first}{'the ' if turned else ''}"
            since += "" if first or since == "since " else f"{words.position(rivals.iloc[-1])} of "
            since += str(last.year) if len(span) > 1 or " for a" in told else words.period(last)
        return [] if told.endswith(since) else [f"the {told}, but {since}"]

    def share(self, brief, headline, pct, way) -> list[str]:
        span = periods(brief.months)
        mine, world = (
            self.total(code, "balance", span, 1) - self.total(code, "balance", span)
            for code in (brief.partner.code, "0015")
        )
        found = [] if abs(100 * mine / world - float(pct)) < 0.0501 else [f"{100 * mine / world:.1f} percent"]
        found += [] if way == ("widening" if world > 0 else "narrowing") else [way]
        if ", more than any other" in headline:
            sums = self.flows["balance"].reindex([m - 12 for m in span]).sum(min_count=len(span))
            sums -= self.flows["balance"].reindex(span).sum(min_count=len(span))
            added = sums[sums.index.isin(countries(in_year=brief.month.year))] * (1 if world > 0 else -1)
            found += [] if added.idxmax() == brief.partner.code else [f"more did {added.idxmax()}"]
        return found

    def rank(self, brief, rank, role, span, before) -> list[str]:
        side = {"U.S. trading partner": "trade", "market": "exports", "supplier": "imports"}[role]
        found = []
        for told, back in ((rank or "1", 0), (before, 1)):
            spell = [month - 12 * back for month in months(span)]
            sums = self.flows[side].reindex(spell).sum(min_count=len(spell))
            sums = sums[sums.index.isin(countries(in_year=brief.month.year))]
            place = 1 + int((sums > sums[brief.partner.code]).sum())
            found += [] if place == int(told) else [f"{told} is told, {place} it is"]
        return found


STATED = {  # what a page may say of the same thing elsewhere
    "goods": rf"(deficit|surplus|balance) in goods with .+? {WAY}{SPAN}",
    "goods and services": rf"(deficit|surplus|balance) with .+? in goods and services {WAY}{QUARTERS}",
    "level": rf"(?<!after )a (deficit|surplus) of {USD} (?:in goods with .+? )?in {SPAN}",
}


def against(headline: str, page: list[str]) -> list[str]:
    """What other sentences of a page say otherwise than its headline, of the same thing and time."""
    found = []
    for subject, pattern in STATED.items():
        mine = {match[-1]: match for match in re.findall(pattern, headline)}
        for text in page:
            for sentence in re.split(r"(?<=\.) (?=[A-Z])|\n", text):
                said_of = [one for one in re.findall(pattern, sentence) if one[-1] in mine]
                found += [f"{subject}: {sentence}" for one in said_of if one != mine[one[-1]]]
    return found


def page_of(brief) -> list[str]:
    """Every passage and every title of a page but its headline."""
    told = [str(said(cell, brief)) for cell in passages() if cell not in ("headline", "title")]
    return told + [titled(cell, brief) for cell in figures()]


def run(since: str, through: str, partners: list[str] | None = None, *, pages: bool = True) -> dict:
    """Read the headlines of a span of releases; return what was counted, and every fault."""
    counts, faults, last = collections.Counter(), [], {}
    for month in pd.period_range(since, through, freq="M"):
        snapshot = tl.take(str(month))
        reader, told = Reader(snapshot), {}
        for code in partners or [*tl.covered_partners(snapshot), *GROUPS]:
            try:
                brief = tl.brief(code, snapshot)
                told[code] = headline = str(said("headline", brief))
                wrong = reader.faults(brief, headline)
                contrary = against(headline, page_of(brief)) if pages else []
            except Exception as error:  # each is counted and told
                counts["exceptions"] += 1
                faults.append((str(month), code, "exception", repr(error)))
                continue
            counts["headlines"] += 1
            counts[f"about {brief['news'].value}"] += 1
            counts[f"because of {brief['news'].more['kind']}"] += 1
            counts["repeated"] += headline == last.get(code)
            counts["same subject as before"] += brief["news"].value == last.get((code, "about"))
            last[code, "about"] = told[code, "about"] = brief["news"].value
            for name, found in (("wrong", wrong), ("against the page", contrary)):
                counts[name] += bool(found)
                faults += [(str(month), code, name, headline, found)] if found else []
            if headline == last.get(code):
                faults.append((str(month), code, "repeated", headline))
        last = told
    return {"counts": counts, "faults": faults}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--since", default="2023-03")
    parser.add_argument("--through", default="2025-02")
    parser.add_argument("--partners", type=lambda text: text.split(","))
    asked = parser.parse_args()
    began = time.perf_counter()
    found = run(asked.since, asked.through, asked.partners)
    for fault in found["faults"]:
        print(*fault, sep=" | ")
    for name in (
        "headlines",
        "exceptions",
        "repeated",
        "wrong",
        "against the page",
        "same subject as before",
    ):
        print(f"{name:24} {found['counts'][name]:6}")
    for name, count in sorted(found["counts"].items()):
        if name.startswith(("about", "because")):
            print(f"{name:24} {count:6}")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
