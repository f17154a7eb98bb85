"""What a fact is, and a set of facts by id, which is what sentences are bound to."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date

from tradelib import cards
from tradelib.errors import TradelibError
from tradelib.style import words
from tradelib.tables import DETAILS, table_info
from tradelib.windows import as_period

#: Under this type of content facts ride out of a notebook; `runs` makes facts.json of them.
FACTS_MIME = "application/vnd.tradelib.facts+json"
#: Ids of facts that are written only for the commodities that matter to a partner.
BY_COMMODITY = re.compile(r"commodity\.(hs2|hs4|hs6|hs10|naics|enduse)\.(\w+)\.(exports|imports)\.")
#: Ids of rates of duty and of their changes: below one they have a second decimal. What rates and mix did is
#: told of larger changes only, and has none.
FINE = re.compile(r"tariffs?\.((year\.)?rate\b(?!.*\.by_)|change_points)")


class UnknownFact(TradelibError, KeyError):
    """There is no fact, name or field so called; the message names those that are near."""

    __str__ = ValueError.__str__


@dataclass(frozen=True, slots=True)
class Fact:
    """One number, with its window and the vintage it comes from.

    `value` is in whole dollars ("USD"), percent (11.1, not 0.111), percentage points ("points"), a rank, a
    count, a period, a list, a text or a bool; None with a `reason` where it cannot be had: for want of data,
    or because it is `undefined` for what the data say, as the percentage of a deficit that turned into a
    surplus. `more` holds what belongs to some facts only, such as the `universe` and `n` of a rank.
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
        return f"<Fact {self.id}: {self.text} [{self.window}; {self.origin}]>"

    def _repr_html_(self) -> str:
        among = self.more.get("universe_source") or self.more.get("universe")
        rows = [
            ("Window", self.window),
            ("Among", among if isinstance(among, str) else None),
            ("Vintage", self.origin),
            ("Basis", f"{self.basis}, {self.adjustment}"),
        ]
        return cards.card(self.id, self.text, rows)

    @property
    def origin(self) -> str:
        """Table, vintage, and how late that is."""
        if self.vintage is None:
            return f"{self.table}: none"
        late = words.lag(self.vintage_lag_days, self.vintage_method)
        return f"{self.table} of {self.vintage}{f' ({late})' if late else ''}"

    def to_dict(self) -> dict:
        """Return the fact as plain JSON values, the extras beside the rest."""
        own = [one.name for one in fields(self) if one.name not in ("id", "more")]
        return {name: getattr(self, name) for name in own} | self.more


class Facts(dict):
    """Facts by id, and the plain words that sentences may use beside them.

    Attributes
    ----------
    names : dict
        Words by name, such as `partner` and `month`; a bool is for conditions.
    about : dict
        What the facts are of, as plain JSON values; stands at the top of facts.json.
    """

    def __init__(self, names: dict[str, object] | None = None, about: dict | None = None):
        super().__init__()
        self.names, self.about = dict(names or {}), dict(about or {})

    def __missing__(self, id: str):
        found = self.find(id)
        if found is None:
            raise UnknownFact(f"There is no fact {id!r}.", *self.near(id))
        return found

    def find(self, id: str) -> Fact | None:
        """A fact by its id; None if there is none. A brief answers questions too: see `question`."""
        return self.get(id)

    def near(self, id: str, also: Iterable[str] = ()) -> list[str]:
        """Say which ids are near one that is not there."""
        known = [*self, *self.names, *also]
        close = difflib.get_close_matches(str(id), known, n=4, cutoff=0.6)
        close = close or [one for one in known if str(id).rsplit(".", 1)[0] in one][:4]
        told = [f"Near: {', '.join(close)}."] if close else []
        return [*told, "All of them: `list(brief)`, `tradelib facts`, or the guide on facts."]

    def value(self, id: str):
        """Return a fact's value; None if it cannot be had, or is of a commodity that was not written."""
        if id not in self and BY_COMMODITY.match(id):
            return None
        return self[id].value

    def put(
        self,
        id: str,
        value,
        *,
        unit: str,
        window,
        label: str,
        source: dict,
        reason: str = "",
        undefined: bool = False,
        told=None,
        **more,
    ) -> None:
        """Write a fact; one without a value gets its reason instead of a rendering.

        `source` is what `source_of` says of the table; `told` is for the text, where the label turns the
        sign of the value; `more` is kept with the fact.
        """
        absent = words.missing(value)
        reason = (source.get("reason") or reason or "not available") if absent else None
        shown = f"not available ({reason})" if absent else render(value if told is None else told, unit, id)
        self[id] = Fact(
            id=id,
            value=None if absent else _plain(value),
            unit=unit,
            window=str(window),
            text=f"{words.capital(label)}: {shown}",
            reason=reason,
            undefined=bool(absent and undefined),
            more={key: _plain(entry) for key, entry in more.items()},
            **{name: told for name, told in source.items() if name != "reason"},
        )

    def document(self) -> dict:
        """Return everything as one JSON object, as facts.json holds it."""
        return self.about | {"facts": {id: fact.to_dict() for id, fact in self.items()}}


def _plain(value):
    return value.item() if hasattr(value, "item") else value


def in_percent(value: float, unit: str, id: str) -> str:
    """Render a fact in percent or points without its sign."""
    told = words.percent if unit == "percent" else words.points
    return told(value, fine=bool(FINE.search(id)))


def render(value, unit: str, id: str = "") -> str:
    """Render a fact's value by its unit, with its sign."""
    if unit == "USD":
        return words.signed_money(value)
    if unit in ("percent", "points"):
        told = in_percent(value, unit, id)
        return f"-{told}" if value < 0 and told[0].isdigit() else told  # "less than 0.1 percent" has no sign
    if unit == "rank":
        return words.ordinal(value)
    if unit == "ratio":
        return f"{value:,.2f}"
    if unit == "list":
        return words.series([entry_in_words(entry) for entry in value]) or "none"
    if unit in ("month", "quarter", "year"):
        return words.period(as_period(value))
    if unit == "bool":
        return "yes" if value else "no"
    return f"{value:,}" if unit == "count" else str(value)


def entry_in_words(entry: dict) -> str:
    """Render one entry of a list: a commodity's contribution, its rate of duty, or a country."""
    if "rate_pct" in entry:
        return f"{entry['prose']} ({words.percent(entry['rate_pct'], fine=True)})"
    if "contribution_usd" in entry:
        usd = entry["contribution_usd"]
        return f"{contributor(entry)} ({'+' if usd > 0 else ''}{words.signed_money(usd)})"
    usd = entry.get("balance_usd", entry.get("value_usd"))
    if usd is not None:
        return f"{before_change(entry)}{words.signed_money(usd)})"
    if "change_usd" in entry and "reduction_pct" not in entry:
        sign = "+" if entry["change_usd"] > 0 else "-"
        return f"{before_change(entry)}{sign}{words.money(entry['change_usd'])})"
    reduction = entry["reduction_pct"]
    return f"{entry['prose']} ({'it became a surplus' if reduction is None else words.percent(reduction)})"


def commodity(entry: dict) -> str:
    """Name the commodity of an entry: "mineral fuels (HS 27)"."""
    kind = next(key for key in ("hs2", *DETAILS) if key in entry)
    if entry[kind] is None:
        return entry["name"]
    return (
        f"{entry['name'].lower()} (HS {entry['hs2']})" if kind == "hs2" else f"{entry['name']} {entry[kind]}"
    )


def before_change(entry: dict) -> str:
    """Name what changed, up to the amount: "mineral fuels (HS 27, " or "primary metals ("."""
    return f"{entry['prose']} (" if "prose" in entry else f"{commodity(entry)[:-1]}, "


def contributor(entry: dict) -> str:
    """Say which way the flow of an entry went: "lower imports of mineral fuels (HS 27)"."""
    if "prose" in entry:  # a country
        return entry["prose"]
    if "item" in entry:
        what, of = f"{entry['item']} {entry['flow']}", ""
    elif entry["flow"] is None:  # both flows, netted
        return commodity(entry)
    else:
        what, of = entry["flow"], f" of {commodity(entry)}"
    higher = (entry["contribution_usd"] > 0) == (entry["flow"] == "exports")
    return f"{'higher' if higher else 'lower'} {what}{of}"


def source_of(snapshot, table: str, code: str) -> dict:
    """Return what a fact says of its table: vintage, lag, method, basis, adjustment, why it is absent.

    `code` is the partner whose rows the fact rests on; the method depends on it.
    """
    vintage, told = snapshot.sources.get(table), {"reason": snapshot.absent.get(table)}
    if vintage is None:
        return told | source_at(table)
    return told | source_at(table, vintage.published, snapshot.lag(table), snapshot.method(table, code))


def source_at(
    table: str, published: date | None = None, lag: int | None = None, method: str | None = None
) -> dict:
    """Return what a fact says of a table whose vintage, lag and method are known; or that there is none."""
    info = table_info(table)
    return {
        "table": table,
        "vintage": published and published.isoformat(),
        "vintage_lag_days": lag,
        "vintage_method": method,
        "basis": info.basis,
        "adjustment": info.adjustment,
    }
