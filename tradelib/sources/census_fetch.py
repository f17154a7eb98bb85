"""Ask the Census international trade API, a few queries at a time, and judge what comes.

A reply is judged before it is kept: a page, a text or a torn table never is. Status 204, no rows, is
no fault of one query among others (a partner without trade, a chapter that does not exist); it is
one if all have it. A query that goes on taking too long is split, once.
"""

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import replace
from functools import partial

from tqdm import tqdm

from tradelib.errors import FetchError, TimedOut, TradelibError
from tradelib.sources import download
from tradelib.sources.census_api import read_rows
from tradelib.sources.census_query import FIRST_MONTH, Query, split
from tradelib.sources.replies import HTML
from tradelib.tables import CheckError

KEY, SIGN_UP = "CENSUS_API_KEY", "https://api.census.gov/data/key_signup.html"
MOST_WORKERS = 8  # no limit is published; a public server is not to be pressed


def fetch_api(queries: Sequence[Query], *, tag: str, workers: int = 4, progress: bool = False) -> list[bytes]:
    """Ask queries of the Census API; the key is taken from CENSUS_API_KEY only.

    First it is asked, in small, whether the last month is there: nothing is kept of a release that
    has not reached the API.

    Parameters
    ----------
    queries : sequence of Query
        As `census_query.plan` gives them.
    tag : str
        A word for this vintage. What has been kept under it is not asked for again, so that a run
        that was interrupted goes on where it stopped; `replies.forget` ends that.
    workers : int
        Queries under way at once, 1 to 8.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of bytes
        Bodies of the replies that have rows, in the order of the queries.

    Raises
    ------
    FetchError
        If the key is missing or refused, the last month is not there, no query has rows, or one
        fails for good: those received stay kept.

    Examples
    --------
    >>> fetch_api([], tag="2018-09-05", workers=9)
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: 9 queries at once is not allowed; 1 to 8 are.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise TradelibError(f"{workers} queries at once is not allowed; 1 to {MOST_WORKERS} are.")
    ask = partial(_ask, tag=tag, key=download.api_key(KEY, SIGN_UP))
    for query in _probes(queries):
        if not ask(query):
            raise FetchError(
                f"The Census API has no {query.flow} for {query.through} yet.",
                f"It has the months from {FIRST_MONTH}, each from 08:30 in Washington on its release day.",
            )
    replies = _ask_all(queries, partial(_ask_or_split, ask=ask), workers, progress)
    bodies = [body for parts in replies for body in parts if body]
    if queries and not bodies:
        raise FetchError(
            f"The Census API has no rows for any of {len(queries)} queries, such as: {queries[0].name}.",
            "It has these months, so there was no such trade, or there is no such code.",
        )
    return bodies


def _probes(queries: Sequence[Query]) -> list[Query]:
    """For each endpoint, a small query about the newest month: a row for all countries is always there."""
    newest = {}
    for query in sorted(queries, key=lambda query: query.through):
        coarse = "hs2" if query.classification.startswith("hs") else query.classification
        probe = replace(query, classification=coarse, since=query.through, place="-", codes="")
        newest[query.address] = probe
    return list(newest.values())


def _ask_all(queries: Sequence[Query], ask: Callable, workers: int, progress: bool) -> list[list[bytes]]:
    """Ask all queries, a few at a time; after a failure none is begun, and those under way are kept."""
    stop = threading.Event()

    def ask_unless_stopped(query: Query) -> list[bytes] | None:
        if stop.is_set():
            return None
        try:
            return ask(query)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(ask_unless_stopped, query) for query in queries]
        try:
            _watch(futures, progress)
        except FetchError as error:
            wait(futures)
            done = sum(future.exception() is None and future.result() is not None for future in futures)
            raise type(error)(
                str(error),
                f"{done} of {len(queries)} queries are done and kept; the next run goes on from there.",
            ) from None
        finally:
            stop.set()  # also where somebody presses Ctrl-C
    return [future.result() for future in futures]


def _watch(futures: list[Future], progress: bool) -> None:
    rows = 0
    with tqdm(total=len(futures), unit=" queries", disable=not progress) as bar:
        for future in as_completed(futures):
            rows += sum(body.count(b"\n") for body in future.result() or [])
            bar.set_postfix_str(f"{rows:,} rows", refresh=False)
            bar.update()


def _ask_or_split(query: Query, ask: Callable) -> list[bytes]:
    try:
        return [ask(query)]
    except TimedOut:
        parts = split(query)
        if not parts:
            raise
    return [ask(part) for part in parts]


def _ask(query: Query, *, tag: str, key: str) -> bytes:
    """Ask one query; nothing where the server says that nothing matches."""
    reply = download.get(
        query.address, params=query.params, secret={"key": key}, tag=tag, clean=partial(_sound, query=query)
    )
    if reply.status == 200:
        return reply.content
    if reply.status == 204:
        return b""
    if reply.status in (301, 302, 303, 307, 308):
        raise _bad_key(f"status {reply.status}, which leads to a web page")
    if reply.status == 400:
        raise _unsound(query, f"does not take the query (status 400): {reply.excerpt}")
    raise _unsound(query, f"answered with status {reply.status}: {reply.excerpt}")


def _sound(body: bytes, *, query: Query) -> bytes:
    """Return the body of a reply if it is a table that answers the query; else raise FetchError."""
    if body[:512].lstrip().lower().startswith(HTML):
        found = re.search(r"<title>(.*?)</title>", body[:4000].decode("utf-8", errors="replace"), re.I | re.S)
        title = " ".join(found[1].split()) if found else "without a title"
        if "key" in title.lower():
            raise _bad_key(f"a web page titled {title}")
        raise _unsound(query, f"sent a web page: {title}")
    try:
        header, *rows = read_rows(body)
    except CheckError as error:
        raise _unsound(
            query, f"sent no table, or one that was cut short ({len(body):,} bytes). {error}"
        ) from None
    missing = [name for name in [*query.columns, "time"] if name not in header]
    if missing:
        raise _unsound(
            query, f"sent other columns: {', '.join(missing)} not among {', '.join(map(str, header))}"
        )
    time, place = header.index("time"), header.index("CTY_CODE")
    months = {str(row[time]) for row in rows}
    if min(months) < query.since or max(months) > query.through:
        raise _unsound(query, f"sent other months: {min(months)} to {max(months)}")
    if query.place and {row[place] for row in rows} != {query.place}:
        raise _unsound(query, "sent other partners")
    return body


def _bad_key(what: str) -> FetchError:
    return FetchError(
        f"The Census API did not accept the key in {KEY}: it answered with {what}.",
        "A new key works once the link in the e-mail that brought it has been opened.",
        f"Keys are given out, free, at {SIGN_UP}",
    )


def _unsound(query: Query, what: str) -> FetchError:
    return FetchError(f"The Census API {what}.", f"Asked: {query.name}.", "Nothing of this reply was kept.")
