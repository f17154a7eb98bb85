"""Ask a publisher's server, patiently, and keep what it sent: nothing is asked for twice.

What arrived lies in the cache (`TRADELIB_CACHE`) with its ETag, so that an unchanged file costs no bytes and
an interrupted series of queries goes on where it stopped. A reply kept is two files: its body, and a card
with its address, its hash and what the server said of it; a body that does not fit its card counts as not
there.
Keys are taken from the environment only, and are cut out of everything that is kept or shown.
"""

import hashlib
import json
import logging
import os
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import httpx
import platformdirs
import tenacity

from tradelib.errors import FetchError, TimedOut, Unreachable
from tradelib.store.files import write_over

ATTEMPTS = 5
FEW_ATTEMPTS = {TimedOut: 2, Unreachable: 2}  # each may have taken minutes, or will not help
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between attempts: doubled each time, with jitter
TIMEOUT = httpx.Timeout(180, connect=20)  # the Census API gives up on a query after 150 s
MOST_BYTES = 1 << 30
TRY_AGAIN = {429, 500, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}
#: Where status 429 means an hour outside: asking again would not help.
LOCKS_OUT = {"apps.bea.gov"}
#: Hosts that could not be reached, and when: within this time they are not tried again.
UNREACHABLE_S = 30
_unreachable: dict[tuple[str, str], float] = {}
HTML = (b"<html", b"<!doctype", b"<head", b"<body", b"<?xml")
OFFLINE = "Try again later; what has arrived is kept, and everything bundled works offline."
CACHE_ADVICE = "Make room, or set TRADELIB_CACHE to a folder of yours."


# --- what came, and where it is kept ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server sent, keys cut out; `transferred` is the number of bytes that came over the wire.

    `last_modified` is what the server says of the file, `fetched` when it was transferred.
    """

    url: str
    status: int
    content: bytes
    content_type: str
    etag: str | None
    last_modified: datetime | None
    fetched: datetime
    transferred: int

    @property
    def excerpt(self) -> str:
        """How the body begins, or the title of a web page, on one line."""
        return repr(title_of(self.content) or " ".join(_text(self.content)[:100].split()))


def looks_like_page(content: bytes) -> bool:
    """Whether bytes begin as a web page does."""
    return content[:512].lstrip().lower().startswith(HTML)


def title_of(content: bytes) -> str:
    """Return the title of a web page, on one line; empty if it has none."""
    title = re.search(r"<title>(.*?)</title>", _text(content), re.IGNORECASE | re.DOTALL)
    return " ".join(title[1].split()) if title else ""


def _text(content: bytes) -> str:
    return content[:4000].decode("utf-8", errors="replace")


def cache_path() -> Path:
    """Return the folder of what was downloaded: `TRADELIB_CACHE`, or the platform's for caches."""
    return Path(os.environ.get("TRADELIB_CACHE") or platformdirs.user_cache_path("tradelib"))


def kept(name: str) -> tuple[Reply, str] | None:
    """Return what was kept of an address, and its tag; None where there is nothing whole."""
    body, card = _files(name)
    try:
        told, content = json.loads(card.read_bytes()), body.read_bytes()
        modified = told["last_modified"] and datetime.fromisoformat(told["last_modified"])
        fetched = datetime.fromisoformat(told["fetched"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if told["url"] != name or told["sha256"] != hashlib.sha256(content).hexdigest():
        return None
    return Reply(name, 200, content, told["content_type"], told["etag"], modified, fetched, 0), told["tag"]


def keep(name: str, reply: Reply, tag: str) -> None:
    """Keep a reply under its address, with a tag, in place of what was kept before; the card is last."""
    body, card = _files(name)
    told = {
        "url": name,
        "sha256": hashlib.sha256(reply.content).hexdigest(),
        "etag": reply.etag,
        "tag": tag,
        "content_type": reply.content_type,
        "fetched": reply.fetched.isoformat(),
        "last_modified": reply.last_modified and reply.last_modified.isoformat(),
    }
    write_over(body, reply.content, advice=CACHE_ADVICE)
    write_over(card, json.dumps(told, indent=1).encode(), advice=CACHE_ADVICE)


def forget(tag: str) -> None:
    """Remove what was kept under a tag, once it is no longer needed."""
    for card in cache_path().glob("*.json"):
        try:
            if json.loads(card.read_bytes())["tag"] == tag:
                card.unlink()
                card.with_suffix(".body").unlink()
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue


def path_of(name: str) -> Path:
    """Return where the body of what was kept of an address lies."""
    return _files(name)[0]


def _files(name: str) -> tuple[Path, Path]:
    stem = cache_path() / hashlib.sha256(name.encode()).hexdigest()[:32]
    return stem.with_suffix(".body"), stem.with_suffix(".json")


# --- asking -------------------------------------------------------------------------------------


def api_key(variable: str, where: str) -> str:
    """Return the key in an environment variable, never shown; `where` is the address that gives one out."""
    key = os.environ.get(variable, "").strip()
    advice = f"Get one, free, at {where}, then: export {variable}=..."
    if not key:
        raise FetchError(f"This source needs a key, and {variable} is not set.", advice)
    if not re.fullmatch(r"[A-Za-z0-9-]{8,100}", key):
        raise FetchError(f"{variable} does not hold a key: letters, digits and hyphens, at least 8.", advice)
    return key


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: `name` is its address with the parameters that may be seen, `secret` has those that not.

    With `TRADELIB_MIRROR` set, the same path is asked of that server, below the host's name.
    """

    url: str
    params: dict = field(default_factory=dict)
    secret: dict = field(default_factory=dict, repr=False)
    headers: dict = field(default_factory=dict)
    method: str = "GET"

    @property
    def name(self) -> str:
        return str(httpx.URL(self.url, params=self.params)) if self.params else self.url

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host


def get(
    url: str,
    *,
    params: dict | None = None,
    secret: dict | None = None,
    tag: str | None = None,
    clean: Callable[[bytes], bytes] | None = None,
    pace: Callable[[], None] | None = None,
) -> Reply:
    """Ask a server, patient with passing faults (429, 5xx), never following a redirect.

    A good reply is kept under `tag`, and with the same tag not asked for again; `clean` is applied to its
    body before, and may raise to refuse it. `pace` is called before each attempt, and may wait.
    """
    asked = _Asked(url, params or {}, secret or {})
    known = kept(asked.name)
    if tag and known and known[1] == tag:
        return known[0]
    reply = _ask(asked, pace)
    if reply.status == 200:
        reply = replace(reply, content=clean(reply.content)) if clean else reply
        if tag:
            keep(asked.name, reply, tag)
    return reply


def get_file(url: str, *, name: str, page: bool = False) -> Reply:
    """Get a file, or a `page`, unless the copy in the cache is still what the server has."""
    known, _ = kept(url) or (None, None)
    reply = _ask(_Asked(url, headers=_conditions(known)))
    if reply.status == 304 and known:
        return known
    refuse_unless_file(reply, name, page=page)
    keep(url, reply, "")
    return reply


def look(url: str, *, name: str) -> tuple[bool, Reply]:
    """Ask whether a file has changed since it was kept, and what the server says of it, without its content.

    It has not only where the server says that the copy at hand is still good.
    """
    known, _ = kept(url) or (None, None)
    reply = _ask(_Asked(url, headers=_conditions(known), method="HEAD"))
    if reply.status not in (200, 304, 403, 405, 501):  # some servers answer no HEAD
        refuse_unless_file(replace(reply, content=b"-"), name)
    told, had = (reply.etag, reply.last_modified), known and (known.etag, known.last_modified)
    return not (reply.status == 304 or (told == had and any(told))), reply


def refuse_unless_file(reply: Reply, name: str, *, page: bool = False) -> None:
    """Raise FetchError unless a reply holds a file: status 200, not empty, a web page only if wanted."""
    problem = None
    if reply.status in REDIRECTS:
        problem = f"the server sends us elsewhere (status {reply.status})"
    elif reply.status == 404:
        problem = "the server has no such file (status 404)"
    elif reply.status != 200:
        problem = f"the server answered with status {reply.status}: {reply.excerpt}"
    elif not reply.content.strip():
        problem = "the server sent an empty file"
    elif not page and (reply.content_type == "text/html" or looks_like_page(reply.content)):
        problem = f"a web page came instead of the file: {reply.excerpt}"
    if problem:
        raise FetchError(f"{name}: {problem}.", f"It was asked for at {reply.url}")


def _conditions(known: Reply | None) -> dict[str, str]:
    if known and known.etag:
        return {"If-None-Match": known.etag}
    if known and known.last_modified:
        return {"If-Modified-Since": format_datetime(known.last_modified, usegmt=True)}
    return {}


class _Later(Exception):
    """A passing fault: worth another attempt after `wait` seconds; `kind` is what it comes to in the end."""

    def __init__(self, reason: str, wait: float = 0, kind: type[FetchError] = FetchError):
        super().__init__(reason)
        self.wait, self.kind = wait, kind


def _ask(asked: _Asked, pace: Callable[[], None] | None = None) -> Reply:
    """Ask until there is a reply, or the fault turns out not to pass."""
    if not asked.url.startswith(("http://", "https://")):
        raise FetchError(f"{asked.url!r} is no web address (http or https).")
    told = f"Asked: {asked.name}"
    place = (asked.host, os.environ.get("TRADELIB_MIRROR", ""))
    if time.monotonic() - _unreachable.get(place, -UNREACHABLE_S) < UNREACHABLE_S:
        raise Unreachable(f"{asked.host} cannot be reached, as found a moment ago.", told, OFFLINE)
    tries = tenacity.Retrying(
        stop=lambda at: at.attempt_number >= FEW_ATTEMPTS.get(at.outcome.exception().kind, ATTEMPTS),
        wait=_wait,
        retry=tenacity.retry_if_exception_type(_Later),
        before=lambda at: pace() if pace else None,
        reraise=True,
    )
    try:
        return tries(_once, asked)
    except _Later as fault:
        if fault.kind is Unreachable:
            _unreachable[place] = time.monotonic()
        made = tries.statistics["attempt_number"]
        problem = f"{asked.host} did not answer, after {made} attempts: {fault}."
        raise fault.kind(problem, told, OFFLINE) from None


def _wait(state: tenacity.RetryCallState) -> float:
    """As long as the server asks for, else doubled each time, with jitter."""
    backoff = tenacity.wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT, jitter=FIRST_WAIT)
    return max(backoff(state), state.outcome.exception().wait)


def _once(asked: _Asked) -> Reply:
    mirror = os.environ.get("TRADELIB_MIRROR", "").rstrip("/")
    address = re.sub(r"^https?://", mirror + "/", asked.url) if mirror else asked.url
    query = asked.params | asked.secret or None
    body = bytearray()
    try:
        with _client().stream(asked.method, address, params=query, headers=asked.headers) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    problem = f"More than {MOST_BYTES >> 20:,} MB came; given up."
                    raise FetchError(problem, f"Asked: {asked.name}")
    except httpx.InvalidURL:
        raise FetchError(f"{asked.name} is no web address.") from None
    except httpx.HTTPError as error:  # its words may hold the address with the key: only its kind is told
        raise _fault_of(error) from None
    if response.status_code in TRY_AGAIN:
        raise _again(response, asked)
    return Reply(
        url=asked.name,
        status=response.status_code,
        content=_without(bytes(body), asked.secret),
        content_type=response.headers.get("content-type", "").split(";")[0].strip().lower(),
        etag=response.headers.get("etag"),
        last_modified=_moment(response.headers.get("last-modified")),
        fetched=datetime.now(UTC).replace(microsecond=0),
        transferred=len(body),
    )


def _fault_of(error: httpx.HTTPError) -> _Later:
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return _Later("no connection", kind=Unreachable)
    if isinstance(error, httpx.ReadTimeout):
        return _Later("it took too long", kind=TimedOut)
    cut = isinstance(error, httpx.RemoteProtocolError)
    return _Later("the reply was cut short" if cut else type(error).__name__)


def _again(response: httpx.Response, asked: _Asked) -> Exception:
    told = response.headers.get("retry-after", "")
    wait = float(told) if told.isdigit() else 0.0
    if response.status_code == 429 and asked.host in LOCKS_OUT:
        wait = max(wait, 3600)
    if wait > LONGEST_WAIT:
        minutes = f"{wait / 60:.0f} minutes (status {response.status_code})"
        return FetchError(f"{asked.host} asks us to come back in {minutes}.", f"Asked: {asked.name}")
    kind = TimedOut if response.status_code == 504 else FetchError
    return _Later(f"status {response.status_code}", wait, kind)


def _without(content: bytes, secret: dict) -> bytes:
    """Cut keys out of a body: a server may echo what it was sent, in any letter case."""
    for value in secret.values():
        content = re.sub(re.escape(str(value).encode()), b"***", content, flags=re.IGNORECASE)
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


# --- within a server's limits -------------------------------------------------------------------


class Throttle:
    """Waits so that no minute holds more requests, bytes and errors than `limits` allow; for one process.

    Leave room below the server's limits for one reply more: its bytes are known only once it is here, which
    is why the limiters at hand (pyrate-limiter, ratelimit) would not do. `clock` and `sleep` are for tests.
    """

    MINUTE = 62.0  # and a little: what we send close together may arrive closer

    def __init__(self, limits: dict[str, int], clock=time.monotonic, sleep=time.sleep):
        self.limits, self.clock, self.sleep = limits, clock, sleep
        self.spent = deque()  # (when, what, how much)

    def note(self, what: str, amount: int = 1) -> None:
        """Write down bytes that came, or an error."""
        self.spent.append((self.clock(), what, amount))

    def wait(self) -> None:
        """Wait until another request fits, and count it."""
        while True:
            now = self.clock()
            while self.spent and now - self.spent[0][0] >= self.MINUTE:
                self.spent.popleft()
            if all(self.total(what) < most for what, most in self.limits.items()):
                break
            self.sleep(max(0.01, self.spent[0][0] + self.MINUTE - now))
        self.note("requests")

    def total(self, what: str) -> int:
        """Add up what was written down since the last wait began, and in the minute before it."""
        return sum(amount for _, kind, amount in self.spent if kind == what)
