"""Asking servers: what is no address or no key is refused, and limits are kept."""

import pytest

from tradelib.errors import FetchError
from tradelib.sources import download


def test_a_key_that_is_not_set_or_cannot_be_one_is_told_with_where_to_get_one(monkeypatch):
    where = "https://api.census.gov/data/key_signup.html"
    with pytest.raises(FetchError) as refusal:
        download.api_key("NO_SUCH_KEY", where)
    assert str(refusal.value).split("\n  ") == [
        "This source needs a key, and NO_SUCH_KEY is not set.",
        f"Get one, free, at {where}, then: export NO_SUCH_KEY=...",
    ]
    monkeypatch.setenv("NO_SUCH_KEY", "short")
    with pytest.raises(FetchError, match="does not hold a key") as refusal:
        download.api_key("NO_SUCH_KEY", where)
    assert "short" not in str(refusal.value)


@pytest.mark.parametrize(
    ("ask", "url"),
    [
        (lambda url: download.get(url), "ftp://example.org/country.xlsx"),
        (lambda url: download.get_file(url, name="hosts"), "file:///etc/hosts"),
        (lambda url: download.look(url, name="hosts"), "file:///etc/hosts"),
    ],
)
def test_what_is_no_web_address_is_not_asked(ask, url):
    with pytest.raises(FetchError) as refusal:
        ask(url)
    assert str(refusal.value) == f"{url!r} is no web address (http or https)."


def test_a_throttle_waits_out_the_minute_after_its_last_request():
    now = [0.0]
    limits = {"requests": 90, "bytes": 80_000_000, "errors": 20}
    throttle = download.Throttle(limits, lambda: now[0], lambda seconds: now.append(now.pop() + seconds))
    for _ in range(91):
        throttle.wait()
    assert now == [62.0]


def test_a_full_disk_is_told_with_the_cache_to_make_room_in(tmp_path, monkeypatch, mirror):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRADELIB_CACHE", str(tmp_path / "file"))
    mirror.expect_request("/example.org/a.csv").respond_with_data("a,b", content_type="text/csv")
    with pytest.raises(ValueError, match=r"(?s)Cannot write .*set TRADELIB_CACHE"):
        download.get_file("https://example.org/a.csv", name="a.csv")
