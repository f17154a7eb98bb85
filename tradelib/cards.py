"""Cards that a notebook shows: escaped, and no dollar sign is read as maths."""

import html
from collections.abc import Iterable

#: MathJax leaves elements of these classes alone, so that dollar signs stay money.
PLAIN = "mathjax_ignore tex2jax_ignore"
CARD = (
    "display:inline-block;max-width:44em;padding:.6em 1em;border:1px solid #BDBDBD;"
    "border-left:4px solid #0072B2;border-radius:3px;line-height:1.45"
)
GRID = "display:grid;grid-template-columns:max-content auto;gap:0 1em;margin-top:.3em;font-size:90%"


def safe(text: object) -> str:
    """Escape text for HTML, and keep its dollar signs from becoming maths."""
    return html.escape(str(text)).replace("$", "<span>$</span>")


def card(title: str, head: str, rows: Iterable[tuple[str, object]]) -> str:
    """Draw a small card: a quiet title, one thing to read, and what is known of it, all escaped."""
    return framed(title, head, [(name, safe(value)) for name, value in rows if value not in (None, "")])


def framed(title: str, head: str, rows: Iterable[tuple[str, str]]) -> str:
    """Draw a card whose values are HTML already."""
    cells = "".join(
        f'<span style="opacity:.7">{safe(name)}</span><span>{value}</span>' for name, value in rows
    )
    return (
        f'<div class="tradelib-card {PLAIN}" style="{CARD}">'
        f'<div style="opacity:.7;font-size:85%">{safe(title)}</div><b>{safe(head)}</b>'
        f'<div style="{GRID}">{cells}</div></div>'
    )
