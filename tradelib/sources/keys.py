"""The keys in the environment: who needs none gets none, and none stands in what is kept or shown."""

import base64
import html
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

NAMES = ("CENSUS_API_KEY", "BEA_API_KEY")
HOOKS = ("TRADELIB_ON_SUCCESS", "TRADELIB_ON_FAILURE")  # their addresses may hold a token
SHORTEST = 6  # characters; what is shorter would be found in any text


def without(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without keys and hooks: that of kernels and of commands."""
    return {name: value for name, value in environment.items() if name not in NAMES + HOOKS}


def found(text: str) -> list[str]:
    """Name the keys that a text holds, as they are or in another writing."""
    return [name for name, forms in _held().items() if any(form in text for form in forms)]


def cut(text: str) -> str:
    """Put the name of each key in its place."""
    for name, forms in _held().items():
        for form in forms:
            text = text.replace(form, f"({name})")
    return text


def _held() -> dict[str, tuple[str, ...]]:
    values = {name: os.environ.get(name, "").strip() for name in NAMES}
    return {name: _forms(value) for name, value in values.items() if len(value) >= SHORTEST}


@lru_cache(maxsize=8)
def _forms(key: str) -> tuple[str, ...]:
    """A key as it may be written: as it is, for JSON, HTML or an address, by numbers, inside base64."""
    raw = key.encode()
    forms = {key, key.lower(), key.upper(), key[::-1], json.dumps(key)[1:-1], html.escape(key)}
    forms |= {quote(key, safe=""), quote_plus(key), raw.hex(), raw.hex().upper()}
    for pattern in ("%{:02x}", "%{:02X}", "\\u{:04x}", "\\u{:04X}", "\\x{:02x}", "&#{};", "&#x{:x};"):
        forms.add("".join(pattern.format(number) for number in map(ord, key)))
    for before, start in ((0, 0), (1, 2), (2, 3)):  # what stands before a key shifts its letters
        inside = slice(start, (before + len(raw)) * 8 // 6)
        coded = base64.b64encode(bytes(before) + raw).decode()[inside]
        forms |= {coded, coded.translate(str.maketrans("+/", "-_"))}
    return tuple(sorted(forms, key=len, reverse=True))
