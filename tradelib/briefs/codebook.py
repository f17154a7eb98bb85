"""The codebook: every table, source, fact, verb and word, told by the code itself as Markdown or HTML."""

import html
import re
from dataclasses import fields

import pandas as pd

from tradelib.briefs.brief import Brief, brief
from tradelib.briefs.fact import Fact
from tradelib.briefs.snapshot import take
from tradelib.briefs.verbs import CONDITIONS, VERBS
from tradelib.cards import safe
from tradelib.errors import TradelibError
from tradelib.loaders import load_goods
from tradelib.partners import resolve
from tradelib.sources.publishers import SOURCES
from tradelib.store.vintages import list_vintages
from tradelib.tables import COLUMNS, PROVENANCE, TABLES
from tradelib.windows import NAMES

FORMATS = ("md", "html")
#: The brief whose facts stand as examples.
EXAMPLE = ("KOR", "2018-07")
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;font-size:88%}caption{text-align:left}"
    "td,th{border-bottom:1px solid #ddd;padding:.3em .6em;text-align:left;vertical-align:top}"
    "code{background:#f4f4f4;padding:0 .2em}"
)


def tables() -> pd.DataFrame:
    """List every table, with what it holds, where it comes from and which vintages are at hand."""
    source_of = {name: source.name for source in SOURCES.values() for name in source.tables}
    rows = [
        {
            "table": one.name,
            "what": one.title,
            "basis": f"{one.basis}, {one.adjustment}",
            "periods": NAMES[one.freq],
            "items": one.items,
            "flows": ", ".join(one.flows),
            "also": ", ".join([*one.extra, *(f"{name} (where at hand)" for name in one.optional)]),
            "publisher": one.publisher,
            "source": source_of.get(one.name, ""),
            "vintages": ", ".join(_days(one.name)) or "none: fetch or ingest it",
        }
        for one in TABLES.values()
    ]
    return pd.DataFrame(rows)


def _days(table: str) -> list[str]:
    saved = {"saved": "saved by ", "published": ""}
    return [f"{saved[v.dated_by]}{v.published}" for v in list_vintages(table)]


def columns() -> pd.DataFrame:
    """List the columns of a loaded table, with dtype and an example."""
    july = {"since": "2018-07", "through": "2018-07"}
    frame = load_goods(as_of="2018-10-05", partner=resolve(EXAMPLE[0]).code, **july)
    rows = [
        {"column": name, "dtype": str(frame[name].dtype), "example": str(frame[name].iloc[0])}
        for name in [*COLUMNS, *PROVENANCE]
    ]
    return pd.DataFrame(rows)


def sources() -> pd.DataFrame:
    """List the publishers' sources: address, how often, when revised, and the key that one needs."""
    rows = [
        {
            "source": one.name,
            "what": one.what,
            "publisher": one.publisher,
            "address": one.address,
            "comes": one.cadence,
            "revised": one.revised,
            "key": one.key or "",
            "asked every day": "yes" if one.everyday else "no",
        }
        for one in SOURCES.values()
    ]
    return pd.DataFrame(rows)


def pattern(id: str) -> str:
    """Write a fact's id as it is for any partner: which HS chapters a brief tells is its own."""
    return re.sub(r"(?<=^commodity\.hs2\.)\d\d(?=\.)", "NN", id)


def facts(sheet: Brief) -> pd.DataFrame:
    """List the fact ids of a brief: unit, basis, table, what else belongs to one, and an example."""
    rows = {}
    for id, fact in sheet.items():
        row = {"id": pattern(id), "unit": fact.unit, "basis": f"{fact.basis}, {fact.adjustment}"}
        row |= {"table": fact.table, "with": ", ".join(fact.more), "example": fact.text}
        rows.setdefault(row["id"], row)
    return pd.DataFrame(list(rows.values()))


def verbs() -> pd.DataFrame:
    """List the verbs of sentences, each with an example and what it is for."""
    rows = [(name, example, told) for name, (_, example, told) in VERBS.items()]
    return pd.DataFrame(rows, columns=["verb", "gives", "of what"])


def conditions() -> pd.DataFrame:
    """List the conditions of sentences, which take no value into them."""
    return pd.DataFrame(list(CONDITIONS.items()), columns=["condition", "what it does"])


def words(sheet: Brief) -> pd.DataFrame:
    """List the words of a brief that sentences may use beside its facts."""
    shown = {True: "yes", False: "no", "": "(nothing)"}
    rows = [(name, shown.get(told, told)) for name, told in sheet.names.items()]
    return pd.DataFrame(rows, columns=["word", "says"])


def document(*, form: str = "md") -> str:
    """Write the whole codebook."""
    if form not in FORMATS:
        raise TradelibError(f"There is no form {form!r}.", f"Forms are {', '.join(FORMATS)}.")
    who, month = resolve(EXAMPLE[0]), EXAMPLE[1]
    sheet = brief(who, take(month))
    told = [field.name for field in fields(Fact) if field.name not in ("id", "more")]
    parts = [
        ("Tables", "One row is one flow in one period; dollars are whole dollars.", tables()),
        ("Columns", "Of a table as `tradelib.load` returns it, with an example.", columns()),
        ("Sources", "Where `tradelib fetch` and `tradelib update` get them.", sources()),
        (
            "Facts",
            (
                f"Each has {', '.join(told)}; some have more (with). Examples are of {who.prose}, {month}; "
                "NN is any HS chapter."
            ),
            facts(sheet),
        ),
        ("Verbs", "In sentences, after the colon: `{total.balance.ytd:moved}`.", verbs()),
        ("Conditions", "In the same place; they say nothing themselves.", conditions()),
        ("Words", "In sentences, in braces; yes and no are for conditions.", words(sheet)),
    ]
    return _markdown(parts) if form == "md" else _page(parts)


def _markdown(parts: list[tuple[str, str, pd.DataFrame]]) -> str:
    lines = ["# Codebook", "", "Made by `tradelib codebook` from the code."]
    for title, told, frame in parts:
        lines += ["", f"## {title}", "", told, "", markdown(frame)]
    return "\n".join(lines) + "\n"


def markdown(frame: pd.DataFrame) -> str:
    """Write a table of the codebook as Markdown, its first column as code."""
    body = [[_cell(value, n) for n, value in enumerate(row)] for row in frame.itertuples(index=False)]
    rows = [list(frame.columns), [":--"] * frame.shape[1], *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: str, place: int) -> str:
    """One cell of a Markdown table; the first of a row is code."""
    text = str(value).replace("|", "\\|")
    return f"`{text}`" if place == 0 else text.replace("$", "\\$")


def _page(parts: list[tuple[str, str, pd.DataFrame]]) -> str:
    lines = ["<!doctype html>", '<html lang="en"><head><meta charset="utf-8">']
    lines += [f"<title>tradelib: codebook</title><style>{STYLE}</style></head><body><h1>Codebook</h1>"]
    for title, told, frame in parts:
        told = re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(told))
        lines += [f"<h2>{title}</h2><p>{told}</p><table><thead><tr>"]
        lines += [f"<th>{html.escape(name)}</th>" for name in frame.columns]
        lines += ["</tr></thead><tbody>"]
        for first, *rest in frame.itertuples(index=False):
            cells = "".join(f"<td>{safe(value)}</td>" for value in rest)
            lines += [f"<tr><td><code>{html.escape(first)}</code></td>{cells}</tr>"]
        lines += ["</tbody></table>"]
    return "\n".join([*lines, "</body></html>"]) + "\n"
