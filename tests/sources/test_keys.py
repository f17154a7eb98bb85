"""A key is in nothing that is kept or shown, however it was written."""

import base64
import html
import json
from urllib.parse import quote

import pytest

from tradelib.sources import keys

KEY = 'planted-"0/1+2'
WRITINGS = {
    "as it is": KEY,
    "as a whole line": f"CENSUS_API_KEY={KEY}\n",
    "JSON": json.dumps({"key": KEY}),
    "HTML": html.escape(KEY),
    "an address": f"https://api.census.gov/data?key={quote(KEY, safe='')}&time=2018",
    "percent signs only": "".join(f"%{ord(letter):02X}" for letter in KEY),
    "escapes only": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "hexadecimal": KEY.encode().hex(),
    "backwards": KEY[::-1],
    **{f"base64 after {n}": base64.b64encode(b"k" * n + KEY.encode()).decode() for n in range(3)},
    "base64 of a line": base64.b64encode(f"CENSUS_API_KEY={KEY}; other".encode()).decode(),
    "an address in an address": quote(quote(KEY, safe=""), safe=""),
    "some escaped, some not": KEY.replace("/", "\\/").replace("+", "\\u002b"),
    "some by their numbers": KEY.replace('"', "&#34;").replace("+", "&#x2B;"),
    "bytes one by one": " ".join(f"0x{number:02X}" for number in KEY.encode()),
    **{f"base32 after {n}": base64.b32encode(b"k" * n + KEY.encode()).decode() for n in range(5)},
    "base64 of addresses": base64.urlsafe_b64encode(b"k" + KEY.encode()).decode(),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_a_key_is_found_and_cut_in_every_writing(writing, monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", KEY)
    text = WRITINGS[writing]
    assert keys.found(text) == ["CENSUS_API_KEY"]
    left = keys.cut(text)
    assert "(CENSUS_API_KEY)" in left and keys.found(left) == []
    assert "planted" not in left and "detnalp" not in left


@pytest.mark.parametrize("apart", ["\n    ", " ", "', '"])
def test_a_long_key_is_found_over_lines_and_letter_by_letter(apart, monkeypatch):
    key = "3f9a2c7be1d04586aa77c0ffee1234567890abcd"
    monkeypatch.setenv("CENSUS_API_KEY", key)
    left = keys.cut(f"before {apart.join(key)} after {key[:20]}\n{key[20:]}")
    assert left == "before (CENSUS_API_KEY) after (CENSUS_API_KEY)"


def test_a_list_of_numbers_is_no_short_key(monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", "123456")
    assert keys.found("[1, 2, 3, 4, 5, 6]") == []


def test_a_text_without_a_key_stays_as_it_is(monkeypatch):
    monkeypatch.setenv("BEA_API_KEY", "no")  # too short to be one: it would be found in any text
    text = "nothing of note: no key at all"
    assert keys.cut(text) == text and keys.found(text) == []


def test_who_needs_no_key_and_no_hook_gets_none():
    given = {
        "PATH": "/bin",
        "AWS_SECRET_ACCESS_KEY": "for the store",
        "CENSUS_API_KEY": "a",
        "BEA_API_KEY": "b",
    }
    given |= {"TRADELIB_ON_SUCCESS": "https://chat/token", "TRADELIB_ON_FAILURE": "https://chat/token"}
    assert sorted(keys.without(given)) == ["AWS_SECRET_ACCESS_KEY", "PATH"]
