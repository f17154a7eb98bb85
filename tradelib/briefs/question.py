"""How one fact is asked for: measure of partner over window, on basis, by vintage, in one line.

    goods.exports@2017                        a year; also 2018Q2, 2018H1, FY2018, 2019-08, 2018-01..2018-07
    goods.deficit.ytd@2019-07 of CHN          January-July 2019; `month` and `trailing12` likewise
    goods.exports.change_pct@2016 vs 2006     over several years; `vs before` is the period before
    goods.deficit@2023 of CAN+MEX             several partners added
    total.deficit.rank@2018Q2 of KOR among 2018-09-05 as of 2025-04-03

The id is that of the codebook; `@` says which period is meant instead of the release's own.
"""

import re
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from tradelib import releases
from tradelib.errors import TradelibError
from tradelib.loaders import day_of
from tradelib.partners import WORLD, partner, resolve
from tradelib.windows import Window, as_period, as_window, full_year

#: What is measured of an item, and the word before the partner.
SIDES = {"exports": "to", "imports": "from", "balance": "with", "deficit": "with", "surplus": "with"}
SIDES |= {"trade": "with", "imports_to_exports": "with", "exports_to_imports": "with"}
RATIOS = ("imports_to_exports", "exports_to_imports")
SPANS = {"month": 1, "ytd": 0, "trailing12": 12, "trailing4": 4}
#: What is asked of that amount, and the unit of the answer.
MEASURES = {"change_usd": "USD", "change_pct": "percent", "reduction_pct": "percent", "share_pct": "percent"}
MEASURES |= {"month_change_usd": "USD", "month_change_pct": "percent", "rank": "rank", "per_month": "USD"}
MEASURES |= {"contribution_pct": "percent", "yearly_change_pct": "percent"}
#: Those that are told against another period.
CHANGES = ("change_usd", "change_pct", "reduction_pct", "contribution_pct", "yearly_change_pct")
#: What is asked of it among all such periods before; "" is the unit of the period itself.
TESTS = {"is_highest": "bool", "is_lowest": "bool", "highest_since": "", "lowest_since": ""}
TESTS |= {"in_a_row": "count", "since": "", "first_since": "", "count": "count", "previous_year": "rank"}
TESTS |= {"partners": "list", "top3": "list", "top5": "list", "top10": "list"}
#: "of its month" asks among the same months of each year only: a record for a July.
SAME = "of_its_month"
ID = re.compile(
    r"(?P<item>goods|services|total|commodity\.(?:hs\d+|naics|enduse)\.\w+)"
    rf"\.(?P<side>{'|'.join(SIDES)})(?:\.(?P<adjusted>sa|bop))?(?:\.(?P<span>{'|'.join(SPANS)}))?"
    rf"(?:\.(?P<measure>{'|'.join(MEASURES)}))?(?:\.(?P<test>{'|'.join(TESTS)}))?(?P<same>\.{SAME})?"
)
LINE = re.compile(
    r"(?P<id>[\w.]+)(?:\s*@\s*(?P<when>[\w.-]+)(?:\s+vs\.?\s+(?P<base>[\w.-]+))?)?"
    r"(?:\s+of\s+(?P<of>.+?))?(?:\s+among\s+(?P<among>.+?))?(?:\s+as of\s+(?P<day>\S+))?"
)
PERIOD_UNITS = {"M": "month", "Q": "quarter", "Y": "year"}
#: Spans that have a name of their own: a half, a fiscal year of the United States, a decade.
NAMED = {
    r"(\d{4})-?H1": lambda year: Window(f"{year}-01", f"{year}-06"),
    r"(\d{4})-?H2": lambda year: Window(f"{year}-07", f"{year}-12"),
    r"FY-?(\d{4})": lambda year: Window(f"{int(year) - 1}-10", f"{year}-09"),
    r"(\d{3})0s": lambda decade: Window(f"{decade}0", f"{decade}9"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question as read: what, of whom, over which window, against what, among whom, as of when.

    `window` and `base` are None where the release says which period is meant.
    """

    id: str
    item: str = ""
    side: str = ""
    adjusted: str | None = None
    span: str | None = None
    measure: str | None = None
    test: str | None = None
    same: bool = False
    window: Window | None = None
    base: Window | str | None = None
    partners: tuple[str, ...] = ()
    among: str | None = None
    as_of: date | None = None

    @property
    def unit(self) -> str:
        """The unit of the answer."""
        if self.historical and self.test:
            return TESTS[self.test] or PERIOD_UNITS[self.step]
        return MEASURES[self.measure] if self.measure else "ratio" if self.side in RATIOS else "USD"

    @property
    def step(self) -> str:
        """The frequency of the periods that a record is looked for among: years, unless it is shorter."""
        if not self.window:
            return {"month": "M", "trailing12": "M", "trailing4": "Q"}.get(self.span or "", "Y")
        if self.span in ("trailing12", "trailing4") or len(self.window) == 1:
            return "Y" if self.same else self.window.end.freqstr[0]
        return "Y"

    @property
    def monthly(self) -> bool:
        """Whether there are figures by month: goods on Census basis, and all of the world."""
        of_world = self.partners == (WORLD,) and not self.listed
        return (self.item not in ("services", "total") and self.adjusted != "bop") or of_world

    @property
    def historical(self) -> bool:
        """Whether all such periods before are asked about, too."""
        return self.test not in (None, "previous_year")

    @property
    def listed(self) -> bool:
        """Whether the answer is a list of countries."""
        return TESTS.get(self.test or "") == "list"

    @property
    def text(self) -> str:
        """The question, written out in one way."""
        told = self.id
        if self.window:
            told += f"@{self.window}" + (f" vs {self.base}" if self.base else "")
        who = ["WLD" if code == WORLD else partner(code).iso3 or code for code in self.partners]
        told += f" of {'+'.join(who)}" if who else ""
        told += f" among {self.among}" if self.among else ""
        return told + (f" as of {self.as_of}" if self.as_of else "")

    def over(self, month: pd.Period | None) -> "Question":
        """Say which periods are meant, by the release of a month where the question does not."""
        window, span = self.window, self.span
        if (self.measure or "").startswith("month_"):
            span = "month"
        elif self.id.endswith("deficit.rank") or self.test == "previous_year":
            span = span or (None if window else "ytd")
        if window is None:
            if month is None:
                raise TradelibError(
                    f"{self.id} is not told of which period.", f"Say it: {self.id}@2017, or give a release."
                )
            by_month = self.monthly or span in ("month", "trailing12")
            last = month if by_month else releases.quarter_out(month)
            window = _ending(span, last, self.id)
        elif span:
            window = _ending(span, window.end, self.id)
        if self.test == "previous_year":
            year = full_year(window.end.year - 1, window.end.freqstr[0])
            window = window.year_earlier if self.measure == "rank" else year
        return replace(self, window=window, base=self._before(window))

    def _before(self, window: Window) -> Window | None:
        """What a change is told against: a year earlier, the period before, or what was said."""
        if (self.measure or "").removeprefix("month_") not in CHANGES:
            return None
        if isinstance(self.base, Window):
            return self.base
        if self.base == "before" or self.measure.startswith("month_change"):
            return Window(window.start - len(window), window.start - 1)
        return window.year_earlier


def _ending(span: str | None, last: pd.Period, id: str) -> Window:
    """The window of a word that ends with a period."""
    if span == "ytd":
        return Window(pd.Period(f"{last.year}-01", last.freqstr), last)
    wanted = {"month": "M", "trailing12": "M", "trailing4": "Q"}.get(span or "")
    if wanted is None:
        raise TradelibError(f"{id} is not told of which period.", f"Say it: {id}@2017, or {id}@2018-07.")
    if last.freqstr[0] != wanted:
        told = {"M": "a month, as in @2018-07", "Q": "a quarter, as in @2018Q2"}[wanted]
        raise TradelibError(f"{id} ends with {told}; {last} is none.")
    return Window(last - (SPANS[span or ""] - 1), last)


def read(text: str) -> Question | None:
    """Read a question; None where its id is none of this language, as those of longer stories of a brief.

    Raises TradelibError where the id is, and the rest cannot be read.
    """
    line = LINE.fullmatch(" ".join(str(text).split()))
    found = ID.fullmatch(line["id"]) if line else None
    if found and found["test"] == "previous_year" and found["item"] == "goods" and not found["measure"]:
        return None  # a brief tells of it where an annual revision changed it
    if line is None or (found is None and not line["when"] and not line["of"]):
        return None
    if found is None:
        near = _ordered(line["id"])
        advised = [f"Did you mean {near}?"] if near else advice()
        raise TradelibError(f"There is no measure {line['id']!r}.", *advised)
    told = found.groupdict()
    question = Question(
        id=line["id"],
        same=bool(told.pop("same")),
        window=_window(line["when"]) if line["when"] else None,
        base=line["base"] if line["base"] in (None, "before") else _window(line["base"]),
        partners=tuple(resolve(one.strip()).code for one in line["of"].split("+")) if line["of"] else (),
        among=line["among"],
        as_of=day_of(line["day"]) if line["day"] else None,
        **told,
    )
    _check(question)
    return question


def _ordered(id: str) -> str:
    """The words of an id in the order of the language, where they make one; empty where they do not."""
    words, places = id.split("."), [*SIDES, "sa", "bop", *SPANS, *MEASURES, *TESTS, SAME]
    last = [word for word in words if word in places]
    told = ".".join([word for word in words if word not in last] + sorted(last, key=places.index))
    return next((one for one in (told, f"goods.{told}") if ID.fullmatch(one)), "")


def _window(text: str) -> Window:
    """Read a period, a span of two, or one that has a name."""
    for like, window in NAMED.items():
        if found := re.fullmatch(like, text, re.IGNORECASE):
            return window(found[1])
    return as_window(text)


def advice() -> list[str]:
    """Say how an id is put together."""
    sides, spans, measures, tests = (", ".join(each) for each in (SIDES, SPANS, MEASURES, TESTS))
    return [
        f"A measure is goods, services, total or commodity.KIND.CODE; then {sides}; if need be sa or bop;",
        f"{spans}; then {measures}; then {tests}.",
        "Such as goods.deficit.change_pct@2017, or goods.imports.share_pct@2018-07.",
    ]


def _check(q: Question) -> None:
    """Refuse what is said in words of the language and means nothing."""
    of_change = (q.measure or "").removeprefix("month_") in CHANGES
    amounts = "countries are listed by an amount, such as goods.imports.top5 or goods.deficit.partners"
    rules = [
        (q.measure and q.side in RATIOS, "a ratio is told as it is"),
        (q.measure == "reduction_pct" and q.side != "deficit", "a reduction is that of a deficit"),
        (
            q.side == "balance" and (q.measure or "usd").endswith(("pct", "rank")),
            "a balance may change its sign: ask of the deficit or the surplus",
        ),
        (q.adjusted and q.item != "goods", f"{q.item} has one basis only"),
        (
            q.test == "previous_year" and (q.measure or "rank") != "rank",
            "previous_year is of a rank; of an amount, give the period, as in @2017",
        ),
        (q.listed and (q.measure or q.side in ("balance", *RATIOS)), amounts),
        (q.base and not of_change, "only a change is told against another period, such as change_pct"),
        (q.base and q.test == "count", "each period is counted against the year before"),
        (
            q.test == "count" and q.measure and not of_change,
            "periods are counted in which an amount or a change is above zero",
        ),
        (len(q.partners) > 1 and q.measure == "rank", "a sum of partners is not ranked"),
    ]
    wrong = next((told for is_so, told in rules if is_so), None)
    if wrong:
        raise TradelibError(f"{q.id} cannot be answered: {wrong}.", advice()[-1])
    if q.item.startswith("commodity.") and q.side not in ("exports", "imports", "balance", "deficit"):
        raise TradelibError(f"{q.id} cannot be answered: exports and imports are by commodity.")


def beside(id: str, end: str, *, without: str = "") -> str:
    """The id of a fact that belongs to another: `.change_usd` of it, said before its period."""
    head, at, tail = id.partition("@")
    return f"{head.removesuffix(without)}{end}{at}{tail}"


def period_of(text: str) -> pd.Period:
    """The last period of a window as a fact tells it."""
    return as_period(text.split(" vs ")[0].split("..")[-1])
