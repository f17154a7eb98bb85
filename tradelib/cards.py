"""Cards that a notebook shows for a fact, a partner or a verdict: escaped, no dollar sign read as maths."""

import html
import re
from collections.abc import Iterable

#: Readable on white and on a dark theme; the word says it too.
VERDICT_COLOURS = {
    "reproduced": "#2B8A63",
    "close": "#3F83B5",
    "differs": "#B36B00",
    "reversed": "#D55E00",
    "cannot be tested": "#7A7A7A",
}
#: MathJax leaves elements of these classes alone, so that dollar signs stay money.
PLAIN = "mathjax_ignore tex2jax_ignore"
CARD = (
    "display:inline-block;max-width:44em;padding:.6em 1em;border:1px solid #BDBDBD;"
    "border-left:4px solid #0072B2;border-radius:3px;line-height:1.45"
)
GRID = "display:grid;grid-template-columns:max-content auto;gap:0 1em;margin-top:.3em;font-size:90%"


def safe(text: object) -> str:
    """Escape text for HTML, and keep its dollar signs from becoming maths.

    Examples
    --------
    >>> safe("<b>$1 & $2</b>")
    '&lt;b&gt;<span>$</span>1 &amp; <span>$</span>2&lt;/b&gt;'
    """
    return html.escape(str(text)).replace("$", "<span>$</span>")


def card(title: str, head: str, rows: Iterable[tuple[str, object]]) -> str:
    """Draw a small card: a quiet title, one thing to read, and what belongs to it.

    Parameters
    ----------
    title, head : str
        Above, and in bold.
    rows : iterable of (str, object)
        Name and value; those without a value are left out. All are escaped.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> "<b>South Korea</b>" in card("Partner", "South Korea", [("ISO", "KOR"), ("Until", None)])
    True
    """
    return _framed(title, head, [(name, safe(value)) for name, value in rows if value not in (None, "")])


def _framed(title: str, head: str, rows: list[tuple[str, str]]) -> str:
    """Draw a card whose values are HTML already."""
    cells = "".join(
        f'<span style="opacity:.7">{safe(name)}</span><span>{value}</span>' for name, value in rows
    )
    return (
        f'<div class="tradelib-card {PLAIN}" style="{CARD}">'
        f'<div style="opacity:.7;font-size:85%">{safe(title)}</div><b>{safe(head)}</b>'
        f'<div style="{GRID}">{cells}</div></div>'
    )


def fact_card(fact) -> str:
    """Draw a Fact: its sentence, the window, and the vintage with its lag.

    Examples
    --------
    >>> from tradelib import brief
    >>> fact = brief("KOR", "2018-07", as_of="2018-10-05")["goods.exports.ytd"]
    >>> "goods_census_nsa of 2018-10-05" in fact_card(fact)
    True
    """
    among = fact.more.get("universe_source") or fact.more.get("universe")
    rows = [
        ("Window", fact.window),
        ("Among", among if isinstance(among, str) else None),
        ("Vintage", origin(fact)),
        ("Basis", f"{fact.basis}, {fact.adjustment}"),
    ]
    return card(fact.id, fact.text, rows)


def origin(one) -> str:
    """Say where a Fact, or a Reading, comes from: table, vintage and lag.

    Examples
    --------
    >>> from tradelib import brief
    >>> origin(brief("KOR", "2018-07")["goods.exports.ytd"])
    'goods_census_nsa of 2018-10-05 (30 days after the as-of date, reconstructed)'
    """
    if one.vintage is None:
        return f"{one.table}: none"
    method = ", reconstructed" if one.vintage_method == "reconstructed" else ""
    days = "day" if one.vintage_lag_days == 1 else "days"
    late = f" ({one.vintage_lag_days:,} {days} after the as-of date{method})" if one.vintage_lag_days else ""
    return f"{one.table} of {one.vintage}{late}"


def partner_card(partner) -> str:
    """Draw a Partner: name, codes, kind, and the years of its code.

    Examples
    --------
    >>> from tradelib import resolve
    >>> "5800" in partner_card(resolve("KOR"))
    True
    """
    years = f"{partner.first_year or '?'} to {partner.last_year or 'today'}"
    rows = [
        ("Schedule C", partner.code),
        ("ISO", ", ".join(filter(None, [partner.iso2, partner.iso3]))),
        ("Kind", partner.kind),
        ("In the tables", years if partner.first_year else None),
    ]
    return card("Partner", partner.name, rows)


def line_card(line) -> str:
    """Draw one line of the ledger: the claim, and its verdict on the day, where it changed, and now.

    Examples
    --------
    >>> from datetime import date
    >>> from tradelib.studies.claims import load_article
    >>> from tradelib.studies.ledger import audit
    >>> growth = audit(load_article("kei-2018-09-05"), as_of=date(2025, 4, 3))[4]
    >>> "<b>reproduced</b>" in line_card(growth).replace(' style="color:#2B8A63"', "")
    True
    """
    claim = line.claim
    rows = [("Printed", safe(claim.shown)), ("On the day", _reading(line.on_the_day))]
    rows += [("Changed", _reading(line.changed))] if line.changed else []
    rows.append(("Now", _reading(line.now)))
    return _framed(f"Claim {claim.id} ({claim.fact}, {claim.partner.name})", claim.text, rows)


def _reading(reading) -> str:
    """One verdict: the value, or why there is none, its vintage, and how to get what is missing."""
    colour = VERDICT_COLOURS.get(reading.verdict, "inherit")
    shown = [reading.reason or reading.shown, origin(reading), reading.advice]
    told = [_code(safe(part)) for part in shown if part]
    return f'<b style="color:{colour}">{safe(reading.verdict)}</b>: ' + "<br>".join(told)


def _code(escaped: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escaped)
