"""What a fact is, and the sheet of facts of one partner: values, renderings, JSON."""

from dataclasses import asdict, dataclass, field

import pandas as pd

from tradelib import cards
from tradelib.brief.snapshot import Snapshot, source_of
from tradelib.partners import Partner
from tradelib.style import words as wording
from tradelib.style.tables import published
from tradelib.style.words import capital, missing, percent, signed_money
from tradelib.tables import DETAILS, GOODS

HISTORY = 120  # months of the series beside the facts


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of a brief.

    `value` is in whole dollars ("USD"), percent (11.1, not 0.111), a rank, a period, a list or a
    bool; None with a `reason` where it cannot be had: for want of data, or because it is `undefined`
    for what the data say, as the percentage of a deficit that turned into a surplus. `more` holds what
    belongs to some facts only, such as the `universe` and `n` of a rank.
    """

    id: str
    value: object
    unit: str
    window: str
    text: str
    table: str
    vintage: str | None
    vintage_lag_days: int | None
    vintage_method: str | None
    basis: str
    adjustment: str
    reason: str | None = None
    undefined: bool = False
    more: dict = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Fact {self.id}: {self.text} [{self.window}; {cards.origin(self)}]>"

    def _repr_html_(self) -> str:
        return cards.fact_card(self)

    def to_dict(self) -> dict:
        """Return the fact as plain JSON values, the extras beside the rest."""
        plain = asdict(self)
        return {k: v for k, v in plain.items() if k not in ("id", "more")} | plain["more"]


class Sheet(dict):
    """The facts of one partner by id, written one at a time.

    Attributes
    ----------
    partner : Partner
    snapshot : Snapshot
    """

    def __init__(self, partner: Partner, snapshot: Snapshot):
        super().__init__()
        self.partner, self.snapshot = partner, snapshot

    def __repr__(self) -> str:
        return f"<Sheet of {self._about()}>"

    def _repr_html_(self) -> str:
        table = self.table()._repr_html_()
        return f'<div class="{cards.PLAIN}"><b>{cards.safe(self._about())}</b>{table}</div>'

    def table(self):
        """Tabulate all facts, as a pandas Styler: what, how much, which window, which vintage."""
        rows = []
        for fact in self.values():
            if fact.vintage is None:  # its whole table is absent, as the box of sources says
                continue
            label, _, value = fact.text.partition(": ")
            late = f" (+{fact.vintage_lag_days:,} days)" if fact.vintage_lag_days else ""
            late = " (reconstructed)" if fact.vintage_method == "reconstructed" else late
            rows.append((label, value, fact.window, f"{fact.vintage}{late}"))
        return published(pd.DataFrame(rows, columns=["Figure", "Value", "Window", "Vintage"]))

    def _about(self) -> str:
        s = self.snapshot
        return f"{self.partner.name}, {s.release.month}, as of {s.as_of}: {len(self)} facts"

    def put(
        self,
        id: str,
        value,
        unit: str,
        window,
        label: str,
        table: str,
        reason: str = "",
        *,
        rows_of="",
        undefined=False,
        **more,
    ) -> None:
        """Write a fact; a missing value gets its reason instead of a rendering.

        `rows_of` names the partner on whose rows the figure rests, if it is not the sheet's own.
        """
        absent = missing(value)
        reason = self.snapshot.absent.get(table) or reason or "not available" if absent else None
        shown = f"not available ({reason})" if absent else render(value, unit)
        label = label.format(p=self.partner.prose)
        self[id] = Fact(
            *(id, None if absent else _plain(value), unit, str(window), f"{capital(label)}: {shown}"),
            **source_of(self.snapshot, table, rows_of or self.partner.code),
            reason=reason,
            undefined=bool(absent and undefined),
            more={key: _plain(entry) for key, entry in more.items()},
        )

    def value(self, id: str):
        """Return a fact's value, None if it is missing or was never written."""
        return self[id].value if id in self else None


def _plain(value):
    return value.item() if hasattr(value, "item") else value


def render(value, unit: str) -> str:
    """Render a fact's value by its unit.

    Examples
    --------
    >>> render(-979e6, "USD"), render(11.139, "percent"), render(9, "rank"), render("2016Q2", "quarter")
    ('-$979 million', '11.1 percent', '9th', 'the second quarter of 2016')
    """
    if unit == "USD":
        return signed_money(value)
    if unit == "percent":
        return ("-" if value < 0 else "") + percent(value)
    if unit == "rank":
        return wording.ordinal(value)
    if unit == "list":
        return wording.series([_entry(entry) for entry in value]) or "none"
    if unit in ("month", "quarter"):
        return wording.period(pd.Period(value))
    return "yes" if value else "no"


def _entry(entry: dict) -> str:
    if "contribution_usd" in entry:
        usd = entry["contribution_usd"]
        return f"{contributor(entry)} ({'+' if usd > 0 else ''}{signed_money(usd)})"
    if "balance_usd" in entry:
        return f"{entry['prose']} ({signed_money(entry['balance_usd'])})"
    reduction = entry["reduction_pct"]
    return f"{entry['prose']} ({'it became a surplus' if reduction is None else percent(reduction)})"


def contributor(entry: dict) -> str:
    """Name one entry of a list of contributions, and say which way its flow went.

    Examples
    --------
    >>> contributor({"flow": "imports", "hs2": "27", "name": "Mineral fuels", "contribution_usd": 3e6})
    'lower imports of mineral fuels (HS 27)'
    """
    kind = next(key for key in ("hs2", *DETAILS) if key in entry)
    if entry[kind] is None:
        return entry["name"]
    higher = (entry["contribution_usd"] > 0) == (entry["flow"] == "exports")
    what = (
        f"{entry['name'].lower()} (HS {entry['hs2']})" if kind == "hs2" else f"{entry['name']} {entry[kind]}"
    )
    return f"{'higher' if higher else 'lower'} {entry['flow']} of {what}"


def document(sheet: Sheet) -> dict:
    """Return the facts of a brief as one JSON object, as `tradelib facts --format json` prints it.

    Parameters
    ----------
    sheet : Sheet

    Returns
    -------
    dict
        `partner`, `release`, `published` (None if not established), `as_of`, `facts` by id, and
        `series` by the id of the fact that is their last value: `since` (the first month) and
        `values`, month by month, in whole dollars, None where one cannot be had.

    Examples
    --------
    >>> from tradelib import facts_of, resolve, take
    >>> page = document(facts_of(resolve("KOR"), take("2018-07")))
    >>> page["published"], page["series"]["goods.balance.trailing12"]["values"][-1]
    ('2018-09-05', -20249895420)
    """
    s, who = sheet.snapshot, sheet.partner
    published = s.release.published
    return {
        "partner": {"code": who.code, "iso2": who.iso2, "iso3": who.iso3, "name": who.name},
        "release": s.release.month,
        "published": published.isoformat() if published else None,
        "published_how_known": s.release.how_known,
        "as_of": s.as_of.isoformat(),
        "facts": {id: fact.to_dict() for id, fact in sheet.items()},
        "series": _series(sheet),
    }


def _series(sheet: Sheet) -> dict:
    """The balance in goods over twelve months, of the last ten years; nothing where there is none."""
    s, code = sheet.snapshot, sheet.partner.code
    if code not in s.goods.index.levels[0]:
        return {}
    months = pd.period_range(s.month - (HISTORY + 10), s.month, freq="M")
    balance = s.goods["balance_usd"].loc[code].reindex(months)
    sums = balance.rolling(12, min_periods=12).sum().iloc[11:]
    sums = sums.loc[sums.first_valid_index() :] if sums.notna().any() else sums.iloc[:0]
    if sums.empty:
        return {}
    return {
        "goods.balance.trailing12": {
            **{"unit": "USD", "table": GOODS, "vintage": s.sources[GOODS].published.isoformat()},
            **{"since": str(sums.index[0]), "freq": "M"},
            "values": [None if missing(value) else round(value) for value in sums.tolist()],
        }
    }
