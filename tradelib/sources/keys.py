"""The keys in the environment: who needs none gets none, and none stands in what is kept or shown."""

import base64
import html
import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

NAMES = ("CENSUS_API_KEY", "BEA_API_KEY")
HOOKS = ("TRADELIB_ON_SUCCESS", "TRADELIB_ON_FAILURE")  # their addresses may hold a token
LONG = 16  # characters: so many do not follow each other by chance, whatever stands between them
SHORTEST = 6  # characters; what is shorter would be found in any text


def without(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without keys and hooks: that of kernels and of commands."""
    return {name: value for name, value in environment.items() if name not in NAMES + HOOKS}


def found(text: str) -> list[str]:
    """Name the keys that a text holds, as they are or in another writing."""
    return [
        name
        for name, (forms, mixed) in _held().items()
        if any(map(text.__contains__, forms)) or mixed.search(text)
    ]


def cut(text: str) -> str:
    """Put the name of each key in its place."""
    for name, (forms, mixed) in _held().items():
        for form in forms:
            text = text.replace(form, f"({name})")
        text = mixed.sub(f"({name})", text)
    return text


def _held() -> dict[str, tuple[tuple[str, ...], re.Pattern]]:
    values = {name: os.environ.get(name, "").strip() for name in NAMES}
    return {name: (_forms(value), _mixed(value)) for name, value in values.items() if len(value) >= SHORTEST}


@lru_cache(maxsize=8)
def _forms(key: str) -> tuple[str, ...]:
    """A key as it may be written: as it is, for JSON, HTML or an address, by numbers, inside base64 or 32."""
    raw = key.encode()
    forms = {key, key.lower(), key.upper(), key[::-1], json.dumps(key)[1:-1], html.escape(key)}
    forms |= {quote(key, safe=""), quote_plus(key), raw.hex(), raw.hex().upper()}
    for pattern in ("%{:02x}", "%{:02X}", "\\u{:04x}", "\\u{:04X}", "\\x{:02x}", "&#{};", "&#x{:x};"):
        forms.add("".join(pattern.format(number) for number in map(ord, key)))
    for before, start in ((0, 0), (1, 2), (2, 3)):  # what stands before a key shifts its letters
        inside = slice(start, (before + len(raw)) * 8 // 6)
        coded = base64.b64encode(bytes(before) + raw).decode()[inside]
        forms |= {coded, coded.translate(str.maketrans("+/", "-_"))}
    for before in range(5):
        inside = slice(-(-before * 8 // 5), (before + len(raw)) * 8 // 5)
        forms.add(base64.b32encode(bytes(before) + raw).decode()[inside])
    return tuple(sorted(forms, key=len, reverse=True))


@lru_cache(maxsize=8)
def _mixed(key: str) -> re.Pattern:
    """A key of which each character is written in its own way: some are escaped, others are not.

    A long one may be broken over lines, or stand letter by letter; as numbers of its bytes too.
    """
    apart = r"[\s'\",]{0,40}" if len(key) >= LONG else ""
    each = apart.join(map(_written, key))
    numbers = r"[\s,:]{0,3}".join(f"(?:0x)?{_hex(number)}" for number in key.encode())
    return re.compile(f"{each}|{numbers}")


def _written(letter: str) -> str:
    """The ways in which one character may be written."""
    number, plain = ord(letter), re.escape(letter)
    ways = [rf"\\?{plain}", f"%(?:25)*{_hex(number)}", rf"\\+u00{_hex(number)}", rf"\\+x{_hex(number)}"]
    ways += [f"&#0*{number};", f"&#[xX]0*{_hex(number)};", re.escape(html.escape(letter))]
    return f"(?:{'|'.join(dict.fromkeys(ways))})"


def _hex(number: int) -> str:
    """A number in two hexadecimal digits, of either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:02x}")
