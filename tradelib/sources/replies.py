"""Replies of servers, and the cache in which they are kept (`TRADELIB_CACHE`).

A reply is two files: its body, and a card with its address, its hash and what the server said of it.
The card is written last, and a body that does not fit its card counts as not there.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs

from tradelib.store.files import write_over

ADVICE = "Make room, or set TRADELIB_CACHE to a folder of yours."
HTML = (b"<html", b"<!doctype", b"<head", b"<body")


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
    def is_html(self) -> bool:
        """Whether this is a web page, whatever its name and its content type say."""
        return self.content_type == "text/html" or self.content[:512].lstrip().lower().startswith(HTML)

    @property
    def excerpt(self) -> str:
        """How the body begins, or the title of a web page, on one line."""
        text = self.content[:4000].decode("utf-8", errors="replace")
        title = re.search(r"<title>(.*?)</title>", text, re.I | re.S)
        return repr(" ".join((title[1] if title else text[:100]).split()))


def cache_path() -> Path:
    """Return the folder of what was downloaded: `TRADELIB_CACHE`, or the platform's for caches."""
    return Path(os.environ.get("TRADELIB_CACHE") or platformdirs.user_cache_path("tradelib"))


def forget(tag: str) -> None:
    """Remove what was kept under a tag, once it is no longer needed."""
    for card in cache_path().glob("*.json"):
        try:
            if json.loads(card.read_text())["tag"] == tag:
                card.unlink()
                card.with_suffix(".body").unlink()
        except (OSError, ValueError, KeyError):
            continue


def _files(name: str) -> tuple[Path, Path]:
    stem = cache_path() / hashlib.sha256(name.encode()).hexdigest()[:32]
    return stem.with_suffix(".body"), stem.with_suffix(".json")


def kept(name: str) -> tuple[Reply, str] | None:
    """What was kept of an address and its tag; None where there is nothing whole."""
    body, card = _files(name)
    try:
        told, content = json.loads(card.read_text()), body.read_bytes()
        modified = told["last_modified"] and datetime.fromisoformat(told["last_modified"])
        fetched = datetime.fromisoformat(told["fetched"])
    except (OSError, ValueError, KeyError):
        return None
    if told["url"] != name or told["sha256"] != hashlib.sha256(content).hexdigest():
        return None
    reply = Reply(name, 200, content, told["content_type"], told["etag"], modified, fetched, 0)
    return reply, told["tag"]


def keep(name: str, reply: Reply, tag: str) -> None:
    """Keep a reply under its address, with a tag; in place of what was kept before."""
    body, card = _files(name)
    told = {"url": name, "sha256": hashlib.sha256(reply.content).hexdigest(), "etag": reply.etag, "tag": tag}
    told |= {"content_type": reply.content_type, "fetched": reply.fetched.isoformat()}
    told["last_modified"] = reply.last_modified and reply.last_modified.isoformat()
    write_over(body, reply.content, advice=ADVICE)
    write_over(card, json.dumps(told, indent=1).encode(), advice=ADVICE)
