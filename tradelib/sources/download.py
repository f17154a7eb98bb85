"""Ask a publisher's server, patiently, and keep what it sent: nothing is asked for twice.

What arrived lies in the cache (see `replies`) with its ETag, so
that an unchanged file costs no bytes and an interrupted series of queries goes on where it stopped.
Keys are taken from the environment only, and are cut out of everything that is kept or shown.
"""

import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from importlib.metadata import version

import httpx
import tenacity

from tradelib.errors import FetchError, TimedOut, Unreachable
from tradelib.sources.replies import Reply, keep, kept

ATTEMPTS = 5
FEW_ATTEMPTS = {TimedOut: 2, Unreachable: 2}  # each may have taken minutes, or will not help
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between attempts: doubled each time, with jitter
TIMEOUT = httpx.Timeout(180, connect=20)  # the Census API gives up on a query after 150 s
MOST_BYTES = 1 << 30
#: Where status 429 means an hour outside: asking again would not help.
LOCKS_OUT = {"apps.bea.gov"}
#: Hosts that could not be reached, and when: within this time they are not tried again.
UNREACHABLE_S = 30
_unreachable: dict[tuple[str, str], float] = {}
TRY_AGAIN = {429, 500, 502, 503, 504}


OFFLINE = "Try again later; what has arrived is kept, and everything bundled works offline."


class _Later(Exception):
    """A passing fault: worth another attempt after `wait` seconds; `kind` is what it comes to in the end."""

    def __init__(self, reason: str, wait: float = 0, kind: type[FetchError] = FetchError):
        super().__init__(reason)
        self.wait, self.kind = wait, kind


def api_key(variable: str, where: str) -> str:
    """Return a key from the environment; it is never taken from anywhere else.

    Parameters
    ----------
    variable : str
        Name of the environment variable.
    where : str
        Address at which a key is given out, for the error message.

    Raises
    ------
    FetchError
        If the variable is not set, or holds what cannot be a key. The key is not shown.

    Examples
    --------
    >>> api_key("NO_SUCH_KEY", "https://api.census.gov/data/key_signup.html")
    Traceback (most recent call last):
    ...
    tradelib.errors.FetchError: This source needs a key, and NO_SUCH_KEY is not set.
      Get one, free, at https://api.census.gov/data/key_signup.html, then: export NO_SUCH_KEY=...
    """
    key = os.environ.get(variable, "").strip()
    advice = f"Get one, free, at {where}, then: export {variable}=..."
    if not key:
        raise FetchError(f"This source needs a key, and {variable} is not set.", advice)
    if not re.fullmatch(r"[A-Za-z0-9-]{8,100}", key):
        raise FetchError(f"{variable} does not hold a key: letters, digits and hyphens, at least 8.", advice)
    return key


def get(
    url: str,
    *,
    params: dict | None = None,
    secret: dict | None = None,
    tag: str | None = None,
    clean: Callable[[bytes], bytes] | None = None,
    pace: Callable[[], None] | None = None,
) -> Reply:
    """Ask a server; patient with passing faults, never following a redirect.

    Parameters
    ----------
    url : str
        Address without a key. With `TRADELIB_MIRROR` set, the same path is asked of that server,
        below the host's name.
    params : dict, optional
        Query parameters.
    secret : dict, optional
        Query parameters that must not be seen, such as the key.
    tag : str, optional
        Keep a good reply (status 200) under this word; with the same word it is not asked for again.
    clean : callable, optional
        bytes -> bytes, applied before anything is kept; may raise to refuse the reply.
    pace : callable, optional
        Called before each attempt; may wait, where a server sets limits.

    Returns
    -------
    Reply
        Of any status but those that pass (429, 5xx), which are tried again.

    Raises
    ------
    FetchError
        If the server cannot be reached, or goes on failing; TimedOut if it goes on taking too long.

    Examples
    --------
    >>> get("ftp://example.org/country.xlsx")
    Traceback (most recent call last):
    ...
    tradelib.errors.FetchError: 'ftp://example.org/country.xlsx' is no web address (http or https).
    """
    name = _shown(url, params)
    known = kept(name)
    if tag and known and known[1] == tag:
        return known[0]
    reply = _ask(url, name, params, secret or {}, {}, pace=pace)
    if reply.status == 200:
        reply = replace(reply, content=clean(reply.content)) if clean else reply
        if tag:
            keep(name, reply, tag)
    return reply


def get_file(url: str, *, name: str, page: bool = False) -> Reply:
    """Get a file, unless the copy in the cache is still what the server has.

    Parameters
    ----------
    url : str
        Its address.
    name : str
        What it is called in messages, such as "country.xlsx".
    page : bool
        A web page is what is wanted.

    Returns
    -------
    Reply
        With `transferred` 0 where the server said that it has not changed.

    Raises
    ------
    FetchError
        If it is not there, if a web page came instead, or if the server cannot be reached.

    Examples
    --------
    >>> get_file("file:///etc/hosts", name="hosts")
    Traceback (most recent call last):
    ...
    tradelib.errors.FetchError: 'file:///etc/hosts' is no web address (http or https).
    """
    known, _ = kept(url) or (None, None)
    reply = _ask(url, url, None, {}, _conditions(known))
    if reply.status == 304 and known:
        return known
    refuse_unless_file(reply, name, page=page)
    keep(url, reply, "")
    return reply


def look(url: str, *, name: str) -> tuple[bool, Reply]:
    """Ask whether a file has changed since it was kept, without transferring it.

    Parameters
    ----------
    url, name : str
        As for `get_file`.

    Returns
    -------
    changed : bool
        False only where the server says that the copy at hand is still good.
    told : Reply
        What the server says of it, without its content.

    Examples
    --------
    >>> look("file:///etc/hosts", name="hosts")
    Traceback (most recent call last):
    ...
    tradelib.errors.FetchError: 'file:///etc/hosts' is no web address (http or https).
    """
    known, _ = kept(url) or (None, None)
    reply = _ask(url, url, None, {}, _conditions(known), method="HEAD")
    if reply.status not in (200, 304, 403, 405, 501):  # some servers answer no HEAD
        refuse_unless_file(replace(reply, content=b"-"), name)
    told, had = (reply.etag, reply.last_modified), known and (known.etag, known.last_modified)
    return not (reply.status == 304 or (told == had and any(told))), reply


def refuse_unless_file(reply: Reply, name: str, *, page: bool = False) -> None:
    """Raise FetchError unless a reply holds a file: status 200, not empty, a web page only if wanted."""
    where = f"It was asked for at {reply.url}"
    if reply.status in (301, 302, 303, 307, 308):
        raise FetchError(f"{name}: the server sends us elsewhere (status {reply.status}).", where)
    if reply.status == 404:
        raise FetchError(f"{name}: the server has no such file (status 404).", where)
    if reply.status != 200:
        raise FetchError(f"{name}: the server answered with status {reply.status}: {reply.excerpt}.", where)
    if not reply.content.strip():
        raise FetchError(f"{name}: the server sent an empty file.", where)
    if reply.is_html and not page:
        raise FetchError(f"{name}: a web page came instead of the file: {reply.excerpt}.", where)


def _conditions(known: Reply | None) -> dict[str, str]:
    if known and known.etag:
        return {"If-None-Match": known.etag}
    if known and known.last_modified:
        return {"If-Modified-Since": format_datetime(known.last_modified, usegmt=True)}
    return {}


def _shown(url: str, params: dict | None) -> str:
    return str(httpx.URL(url, params=params)) if params else url


def _ask(
    url: str, name: str, params: dict | None, secret: dict, headers: dict, method: str = "GET", pace=None
) -> Reply:
    if not url.startswith(("http://", "https://")):
        raise FetchError(f"{url!r} is no web address (http or https).")
    place = (httpx.URL(url).host, os.environ.get("TRADELIB_MIRROR", ""))
    if time.monotonic() - _unreachable.get(place, -UNREACHABLE_S) < UNREACHABLE_S:
        raise Unreachable(f"{place[0]} cannot be reached, as found a moment ago.", f"Asked: {name}", OFFLINE)
    tries = tenacity.Retrying(
        stop=lambda at: at.attempt_number >= FEW_ATTEMPTS.get(at.outcome.exception().kind, ATTEMPTS),
        wait=_wait,
        retry=tenacity.retry_if_exception_type(_Later),
        before=lambda at: pace() if pace else None,
        reraise=True,
    )
    try:
        return tries(_once, method, url, name, params, secret, headers)
    except _Later as fault:
        host, made = place[0], tries.statistics["attempt_number"]
        if fault.kind is Unreachable:
            _unreachable[place] = time.monotonic()
        raise fault.kind(
            f"{host} did not answer, after {made} attempts: {fault}.",
            f"Asked: {name}",
            OFFLINE,
        ) from None


def _wait(state: tenacity.RetryCallState) -> float:
    """As long as the server asks for, else doubled each time, with jitter."""
    backoff = tenacity.wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT, jitter=FIRST_WAIT)
    return max(backoff(state), state.outcome.exception().wait)


def _once(method: str, url: str, name: str, params: dict | None, secret: dict, headers: dict) -> Reply:
    mirror = os.environ.get("TRADELIB_MIRROR", "").rstrip("/")
    address = re.sub(r"^https?://", mirror + "/", url) if mirror else url
    body = bytearray()
    try:
        query = (params or {}) | secret or None
        with _client().stream(method, address, params=query, headers=headers) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise FetchError(f"More than {MOST_BYTES >> 20:,} MB came; given up.", f"Asked: {name}")
    except httpx.InvalidURL:
        raise FetchError(f"{name} is no web address.") from None
    except httpx.HTTPError as error:  # its words may hold the address with the key: only its kind is told
        raise _told(error) from None
    if response.status_code in TRY_AGAIN:
        raise _again(response, name, httpx.URL(url).host)
    content = _without(bytes(body), secret)
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
    etag, modified = response.headers.get("etag"), _moment(response.headers.get("last-modified"))
    now = datetime.now(UTC).replace(microsecond=0)
    return Reply(name, response.status_code, content, kind, etag, modified, now, len(body))


def _told(error: httpx.HTTPError) -> _Later:
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return _Later("no connection", kind=Unreachable)
    if isinstance(error, httpx.ReadTimeout):
        return _Later("it took too long", kind=TimedOut)
    cut = isinstance(error, httpx.RemoteProtocolError)
    return _Later("the reply was cut short" if cut else type(error).__name__)


def _again(response: httpx.Response, name: str, host: str) -> Exception:
    told = response.headers.get("retry-after", "")
    wait = float(told) if told.isdigit() else 0.0
    if response.status_code == 429 and host in LOCKS_OUT:
        wait = max(wait, 3600)
    if wait > LONGEST_WAIT:
        return FetchError(
            f"{host} asks us to come back in {wait / 60:.0f} minutes (status {response.status_code}).",
            f"Asked: {name}",
        )
    kind = TimedOut if response.status_code == 504 else FetchError
    return _Later(f"status {response.status_code}", wait, kind)


def _without(content: bytes, secret: dict) -> bytes:
    """Cut keys out of a body: a server may echo what it was sent, in any letter case."""
    for value in secret.values():
        content = re.sub(re.escape(str(value).encode()), b"***", content, flags=re.I)
    return content


def _moment(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None


@cache
def _client() -> httpx.Client:
    for name in ("httpx", "httpcore"):  # below warnings, their log lines hold addresses with keys
        logging.getLogger(name).setLevel(logging.WARNING)
    agent = {"User-Agent": f"tradelib/{version('tradelib')}"}
    return httpx.Client(timeout=TIMEOUT, headers=agent, follow_redirects=False)
