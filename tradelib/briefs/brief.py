"""The brief of one partner: every number worked out once, and the tables it was worked out from."""

import re
from dataclasses import replace
from datetime import date

import pandas as pd

from tradelib import cards, loaders
from tradelib.briefs.answers import ask
from tradelib.briefs.commodities import commodity_facts, tables_of
from tradelib.briefs.fact import BY_COMMODITY, FACTS_MIME, Fact, Facts, source_of
from tradelib.briefs.goods import goods_facts
from tradelib.briefs.news import news_fact
from tradelib.briefs.official import official_facts
from tradelib.briefs.place import place_facts
from tradelib.briefs.question import advice, read
from tradelib.briefs.records import records_facts
from tradelib.briefs.selection import used_by
from tradelib.briefs.sentences import STYLE
from tradelib.briefs.snapshot import Snapshot, take
from tradelib.briefs.tariffs import tariff_facts
from tradelib.briefs.total import total_facts
from tradelib.briefs.universe import is_seen
from tradelib.errors import TradelibError
from tradelib.partners import WORLD, Partner, members, resolve, summed_groups
from tradelib.partners import partner as partner_of
from tradelib.store.vintages import Vintage
from tradelib.style import words
from tradelib.style.tables import published
from tradelib.tables import (
    EXPORT_CHAPTERS,
    GOODS,
    GOODS_SA,
    GOODS_SA_RELEASED,
    IMPORT_CHAPTERS,
    PROVISIONS,
    RELEASED,
    TARIFFS,
    TRADE,
    TRADE_YEARS,
    WORLD_MONTHS,
    table_info,
)
from tradelib.windows import NAMES

LABEL = "opacity:.7;text-align:left;vertical-align:top"
HISTORY = 120  # months of the series beside the facts


class Brief(Facts):
    """The facts of a partner by id, with everything that was out with the release. Made by `brief`.

    Attributes
    ----------
    partner : Partner
    snapshot : Snapshot
        The tables of the release as of the day, cut and summed for all partners.
    as_of : date
        The day whose knowledge is used.
    month, quarter : Period
        The statistical month, and the latest quarter of services out with it.
    months, quarters : Window
        The year to date of each.
    goods, trade : DataFrame
        The tables the facts were worked out from, all partners, cut at the release: goods by month (Census
        basis, not seasonally adjusted), and goods, services and total by quarter (BOP, seasonally
        adjusted). Whole dollars, columns of the table contract.
    chapters : dict of str to DataFrame
        The tables by HS chapter in use, by name.
    names : dict
        The words that sentences may use: `partner`, `month`, `months`, `quarters` ...

    Examples
    --------
    >>> found = brief("KOR", "2018-07", as_of="2018-10-05")
    >>> round(found["goods.exports.ytd.change_pct"].value, 1), str(found.months)
    (11.1, '2018-01..2018-07')
    """

    def __init__(self, partner: Partner, snapshot: Snapshot, names: dict | None = None):
        self.partner, self.snapshot, self.asked = partner, snapshot, {}
        self.as_of, self.month, self.months = snapshot.as_of, snapshot.month, snapshot.months
        self.quarter, self.quarters = snapshot.quarter, snapshot.quarters
        super().__init__(_names(partner, snapshot) if names is None else names, _about(partner, snapshot))

    def __repr__(self) -> str:
        s = self.snapshot
        return f"<Brief of {self.partner.name}, {s.release.month}, as of {s.as_of}: {len(self)} facts>"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        rows = [("Release", f"FT-900, {self.names['month']}"), ("Published", self.names["published"])]
        rows += [("Figures as of", self.names["as_of"]), *self.sources()]
        cells = "".join(
            f'<tr><td style="{LABEL}">{cards.safe(name)}</td>'
            f'<td style="text-align:left">{cards.safe(told)}</td></tr>'
            for name, told in rows
        )
        box = f'{STYLE}<table class="tradelib-table {cards.PLAIN}">{cells}</table>'
        plain = "\n".join([repr(self), *(f"  {name}: {told}" for name, told in rows)])
        return {"text/html": box, "text/plain": plain, FACTS_MIME: self.document()}

    @property
    def goods(self) -> pd.DataFrame:
        """Goods by partner and month, as the facts use them."""
        return self.snapshot.goods_flows

    @property
    def trade(self) -> pd.DataFrame | None:
        """Goods, services and total by partner and quarter, as the facts use them; None where absent."""
        s = self.snapshot
        return s.trade_flows if s.released_flows is None else s.released_flows

    @property
    def chapters(self) -> dict[str, pd.DataFrame]:
        """The tables by HS chapter in use, by name."""
        return self.snapshot.chapter_flows

    def add(
        self,
        id: str,
        value,
        *,
        unit: str,
        window,
        label: str,
        table: str,
        reason: str = "",
        undefined: bool = False,
        rows_of: str = "",
        **more,
    ) -> None:
        """Write a fact; `{p}` in its label is the partner.

        `rows_of` names the partner on whose rows the figure rests, if it is not the brief's own. Of a group
        whose members changed, the reason is always that, where there is no figure of the same members.
        """
        if self.partner.is_group and words.missing(value) and not undefined:
            reason = self._unlike(table, str(window)) or reason
        self.put(
            id,
            value,
            unit=unit,
            window=window,
            label=label.format(p=self.partner.prose),
            source=source_of(self.snapshot, table, rows_of or self.partner.code),
            reason=reason,
            undefined=undefined,
            **more,
        )

    def _unlike(self, table: str, window: str) -> str:
        """Why a figure would mix or compare other members of a group; empty if it would not."""
        length = len("2018") if table_info(table).freq == "Y" else None
        spans = [one[:length] for one in re.findall(r"\d{4}-\d\d|\d{4}Q\d", window)]
        others = self.snapshot.unlike.get((table, self.partner.code), [])
        if not spans or not any(min(spans) <= period <= max(spans) for period in others):
            return ""
        periods = NAMES[table_info(table).freq]
        who = self.partner.prose
        return f"the table counts other members of {who} in some of these {periods}, which cannot be compared"

    def find(self, id: str) -> Fact | None:
        """A fact of this brief; or the answer to a question, by what was known on its day."""
        if id in self or id in self.asked:
            return self.get(id) or self.asked[id]
        question = read(id)
        if question is None or (BY_COMMODITY.match(id) and not question.window):
            return None
        found = ask(
            question,
            codes=(self.partner.code,),
            month=self.month,
            day=question.as_of or self.as_of,
            on=self.snapshot.release.default_as_of,
            prefer=None if question.as_of else self.snapshot.sources,
        )
        self.asked[id] = replace(found, id=id)
        return self.asked[id]

    @property
    def used(self) -> dict[str, Vintage]:
        """The vintages that it rests on, by their tables."""
        return used_by(self.partner.code, self.snapshot.sources)

    def sources(self) -> list[tuple[str, str]]:
        """Say for each table in use which vintage it is and how late, or why there is none."""
        s = self.snapshot
        named = {
            s.released_tables.get("ytd", ""): "Goods",
            GOODS: "Goods" + (", history" if s.released_tables else ""),
            RELEASED: "Goods and services",
            TRADE: "Goods and services" + (", history" if RELEASED in s.sources else ""),
            EXPORT_CHAPTERS: "Exports by HS chapter",
            IMPORT_CHAPTERS[0]: "General imports by HS chapter",
            IMPORT_CHAPTERS[1]: "Imports for consumption by HS chapter",
            **({WORLD_MONTHS: "Goods and services by month"} if self.partner.code == WORLD else {}),
            GOODS_SA_RELEASED: "Goods, seasonally adjusted, the month",
            GOODS_SA: "Goods, seasonally adjusted",
            TRADE_YEARS: "Goods and services by year",
            TARIFFS: "Duties and imports for consumption",
            PROVISIONS: "The same by rate provision",
        }
        rows = []
        for table, name in named.items():
            if table in s.sources:
                vintage = s.sources[table]
                dated = "saved by" if vintage.dated_by == "saved" else "of"
                late = words.lag(s.lag(table), s.method(table, self.partner.code))
                told = f"{table}, vintage {dated} {words.day(vintage.published)}"
                told += f", {late}" if late else ""
                rows.append((name, f"{told}, caveat: {vintage.accepted}" if vintage.accepted else told))
            elif table in s.absent and table not in IMPORT_CHAPTERS[1:]:
                rows.append((name, f"none: {s.absent[table]}"))
        return rows

    def table(self):
        """Tabulate all facts: what, how much, which window, which vintage."""
        rows = []
        for fact in self.values():
            if fact.vintage is None:  # its whole table is absent, as the box of sources says
                continue
            label, _, value = fact.text.partition(": ")
            late = f" (+{fact.vintage_lag_days:,} days)" if fact.vintage_lag_days else ""
            late = " (reconstructed)" if fact.vintage_method == "reconstructed" else late
            rows.append((label, value, fact.window, f"{fact.vintage}{late}"))
        return published(pd.DataFrame(rows, columns=["Figure", "Value", "Window", "Vintage"]))

    def document(self) -> dict:
        """Return the facts and the series as one JSON object, as facts.json holds them."""
        return super().document() | {"series": self.series()}

    def series(self) -> dict[str, dict]:
        """The balance in goods over twelve months, of the last ten years; nothing where there is none.

        By the id of the fact that is its last value: `since` (the first month) and `values`, month by month,
        in whole dollars, None where one cannot be had.
        """
        s, code = self.snapshot, self.partner.code
        if code not in s.goods.index.levels[0]:
            return {}
        months = pd.period_range(s.month - (HISTORY + 10), s.month, freq="M")
        balance = s.goods["balance_usd"].loc[code].reindex(months)
        first, _ = s.span_of_trade(code)
        balance = balance if first is None else balance.where(balance.index >= first)
        sums = balance.rolling(12, min_periods=12).sum().iloc[11:]
        sums = sums.loc[sums.first_valid_index() :] if sums.notna().any() else sums.iloc[:0]
        if sums.empty:
            return {}
        told = {
            "unit": "USD",
            "table": GOODS,
            "vintage": s.sources[GOODS].published.isoformat(),
            "since": str(sums.index[0]),
            "freq": "M",
            "values": [None if words.missing(value) else round(value) for value in sums.tolist()],
        }
        return {"goods.balance.trailing12": told}


def brief(
    partner: str | int | Partner,
    release: str | Snapshot,
    *,
    as_of: str | date | None = None,
    strict: bool = False,
) -> Brief:
    """Work out every number of a brief on one partner, for one FT-900 release.

    Parameters
    ----------
    partner : str, int or Partner
        Code of Schedule C, ISO code or name; a group such as "ASEAN" too.
    release : str or Snapshot
        Statistical month, YYYY-MM; or a snapshot from `take`, to share the work between many partners.
    as_of : str or date, optional
        The day whose knowledge is wanted, or "latest"; the release's publication day unless given.
    strict : bool
        Refuse where only later vintages reach the release.

    Returns
    -------
    Brief
        A mapping of facts by id, the ids a public contract (`tradelib codebook`), and the tables in
        use: `goods`, `trade`, `chapters`. Sentences are bound to it with `say`.

    Raises
    ------
    TradelibError
        If the partner, the month or the day is wrong, or no country table reaches the release.

    Examples
    --------
    >>> import tradelib as tl
    >>> korea = tl.brief("KOR", "2018-07", as_of="2018-10-05")
    >>> korea.partner.name, str(korea.month), len(korea) > 90
    ('Korea, South', '2018-07', True)
    >>> round(korea["goods.exports.ytd.change_pct"].value, 1)
    11.1
    >>> tl.say(korea, "U.S. exports to {partner} came to {goods.exports.ytd} in {months}.")
    'U.S. exports to South Korea came to $31.8 billion in January-July 2018.'
    """
    who = partner if isinstance(partner, Partner) else resolve(partner)
    if not isinstance(release, Snapshot):
        release = take(release, as_of=as_of, strict=strict)
    found = Brief(who, release)
    goods_facts(found)
    place_facts(found)
    records_facts(found)
    total_facts(found)
    commodity_facts(found)
    official_facts(found)
    tariff_facts(found)
    news_fact(found)
    return found


def fact(
    question: str,
    *,
    partner: str | int | Partner | list[str] | None = None,
    release: str | None = None,
    as_of: str | date | None = None,
    universe: str | None = None,
) -> Fact:
    """Answer one question: a measure of a partner over a window, on a basis, by a vintage.

    Parameters
    ----------
    question : str
        An id of the codebook, `@` and a period: `goods.exports@2017`, `goods.deficit.ytd@2019-07`,
        `goods.exports.change_pct@2016 vs 2006`, `goods.deficit.sa.month@2018-10`; then, if need be,
        `of` a partner or several added (`of CAN+MEX`), `among` whom is ranked, and `as of` a day. Any
        other id of a brief, too.
    partner : str, int, Partner or list of str, optional
        Who is meant where the question does not say; several are added.
    release : str, optional
        Statistical month, YYYY-MM, where the question gives no period.
    as_of : str or date, optional
        The day whose knowledge is wanted, or "latest"; of a release its own day, unless given.
    universe : str, optional
        Among whom, where the question does not say: a group, codes joined by +, or the day of a release
        whose list is meant.

    Returns
    -------
    Fact
        Value, unit, window, and the vintage it comes from; without a value it says why.

    Raises
    ------
    TradelibError
        If the question, the partner or the day cannot be read.

    Examples
    --------
    >>> fact("goods.deficit@2017 of CHN", as_of="2018-10-05")
    <Fact goods.deficit@2017 of CHN: U.S. goods deficit with China, 2017: $375.6 billion \
[2017; goods_census_nsa of 2018-10-05]>
    >>> round(fact("goods.exports.change_pct@2016 vs 2006", partner="CHN", as_of="2018-10-05").value, 1)
    115.3
    """
    who = partner if isinstance(partner, list) else [] if partner is None else [partner]
    codes = tuple(resolve(one).code for one in who)
    q = read(question)
    known = loaders.find_release(release) if release else None
    if q is None:
        if not known or len(codes) != 1:
            raise TradelibError(
                f"There is no measure {question!r}.",
                *advice(),
                "Other ids need a partner and a release.",
            )
        return brief(codes[0], known.month, as_of=as_of)[question]
    day = q.as_of or (loaders.day_of(as_of, release=known) if as_of else known and known.default_as_of)
    if day is None:
        raise TradelibError(
            f"By what was known on which day? {question!r} does not say.",
            f'Give it: "{question} as of 2018-10-05", as_of="latest", or a release.',
        )
    if not (q.partners or codes or q.listed):
        raise TradelibError(f"With whom? {question!r} does not say.", f'Say it: "{question} of KOR".')
    return ask(q, codes=codes or (WORLD,), month=known and known.period, day=day, universe=universe)


def _names(who: Partner, s: Snapshot) -> dict[str, object]:
    """The words of sentences; a bool is for conditions."""
    release, span = s.release, words.span
    if release.published:
        published_on = f"{words.day(release.published)} ({release.how_known})"
    else:
        day = words.day(release.default_as_of)
        published_on = f"not established; taken to be out by {day}, filed under its month"
    told = [table for table in s.sources if table in s.chapter_flows or "imports_consumption" not in table]
    methods = {s.method(table, who.code) for table in told}
    codes, source = s.universe
    return {
        "partner": who.prose,
        "name": who.name,
        "group": who.is_group,
        "single": who.kind in ("country", "former"),
        "world": who.kind == "world",
        "members": composition(who, release.default_as_of),
        "month": words.period(s.month),
        "months": span(s.months),
        "same_months": span(s.months).removesuffix(f" {s.month.year}"),
        "quarter": words.period(s.quarter),
        "quarters": span(s.quarters),
        "january": s.month.month == 1,
        "december": s.month.month == 12,
        "duties_alone": GOODS not in s.sources,
        "year": str(s.month.year),
        "last_year": str(s.month.year - 1),
        "published": published_on,
        "as_of": words.day(s.as_of),
        "older": s.older,
        "first_trade": _first_trade(who, s),
        "stand": _stand(who, s),
        "later": "later" in methods,
        "reconstructed": "reconstructed" in methods,
        "listed_countries": words.series([partner_of(code).prose for code in codes]),
        "reach": _reach(s),
        "listed_in": source,
        "listed_then": is_seen(source),
    }


def _first_trade(who: Partner, s: Snapshot) -> str:
    """The first month of trade with a country that began amid what would be compared."""
    first, _ = s.span_of_trade(who.code)
    amid = who.kind == "country" and first is not None and first > s.months.year_earlier.start
    return words.period(first) if amid else ""


def _stand(who: Partner, s: Snapshot) -> str:
    """How the figures stand to the day, in one line: as released, reconstructed, or of later data."""
    told = {"goods": [s.goods_sums(who.code)[1]["ytd"]]}
    told["goods and services"] = [s.trade_table, *[WORLD_MONTHS] * (who.code == WORLD)]
    told["commodities"] = tables_of(s, who.code)
    if pd.notna(s.duties.sums(s.duties.windows["month"])["duty_usd"].get(who.code)):
        told["duties"] = [TARIFFS]
    rebuilt, later = [], []
    for name, tables in told.items():
        days = max([s.lag(table) for table in tables if table in s.sources], default=0)
        methods = {s.method(table, who.code) for table in tables if table in s.sources}
        if "later" in methods:
            later.append(f"{name} ({days:,} days)")
        elif days:
            rebuilt.append(name)
    parts = [f"{words.series(rebuilt)} reconstructed"] * bool(rebuilt)
    parts += [f"later data for {words.series(later)}"] * bool(later)
    parts += [
        f"{v.table} with a caveat: {v.accepted}" for v in used_by(who.code, s.sources).values() if v.accepted
    ]
    return "; ".join(parts) or ("as released" if s.as_of == s.release.default_as_of else "as known that day")


def _reach(s: Snapshot) -> str:
    """How far the quarters reach, and whether the table was out by the day."""
    quarter, table = words.period(s.quarter), s.sources.get(s.trade_table)
    if table is None:
        return f"would reach {quarter}, but no table at hand does"
    if not s.lag(s.trade_table):
        return f"reach {quarter}"
    return f"are shown through {quarter} from a table of {words.day(table.published)}, which nobody had then"


def composition(who: Partner, on: date) -> str:
    """Say which members the figures of a group hold in all periods; empty where they never changed."""
    if who.code not in summed_groups():
        return ""
    return f"the {words.cardinal(len(members(who.code, on)))} members of {words.day(on)}"


def _about(who: Partner, s: Snapshot) -> dict:
    release = s.release
    return {
        "partner": {"code": who.code, "iso2": who.iso2, "iso3": who.iso3, "name": who.name},
        "release": release.month,
        "published": release.published.isoformat() if release.published else None,
        "published_how_known": release.how_known,
        "as_of": s.as_of.isoformat(),
    }
