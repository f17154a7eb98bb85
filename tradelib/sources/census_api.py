"""The Census international trade API: which queries bring what is wanted, how they are asked, what comes.

What the endpoints have, by the Census guide to these datasets and by queries others have published (the API
itself could not be asked when this was written): without a commodity and a `COMM_LVL` the rows are totals of
all goods. Without `SUMMARY_LVL` countries, groups and the row for all countries come mixed; with DET,
countries and that row; with CGP, groups.

The limits: no more than 50 variables a query; a key on every query since May 2026, with no number of queries
a day published for those with one (without: 500); and about 150 s a query, after which the server gives up.
So queries are kept to some 100,000 rows, and to a year where all partners are asked; one that goes on taking
too long is split, once. A reply is judged before it is kept: a page, a text or a torn table never is. Status
204, no rows, is no fault of one query among others (a partner without trade, a chapter that does not exist).
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import pandas as pd
from tqdm import tqdm

from tradelib.errors import FetchError, TimedOut, TradelibError
from tradelib.partners import API_GROUPS, WORLD, all_partners, from_api_code, partner, resolve
from tradelib.sources import download
from tradelib.sources.census_files import check_names, check_size_of_world, check_world
from tradelib.tables import KEYS, CheckError, refuse_rows, table_info

# --- what the API has ---------------------------------------------------------------------------

API = "https://api.census.gov/data/timeseries/intltrade"
FIRST_MONTH = "2010-01"
KEY, SIGN_UP = "CENSUS_API_KEY", "https://api.census.gov/data/key_signup.html"
#: Variable of values -> how its tables begin, and the flow.
VALUES = {
    "ALL_VAL_MO": ("exports", "exports"),
    "GEN_VAL_MO": ("imports_general", "imports"),
    "CON_VAL_MO": ("imports_consumption", "imports"),
}
DUTY = "CAL_DUT_MO"  # belongs to imports for consumption
ASKED = {"exports": ["ALL_VAL_MO"], "imports": ["GEN_VAL_MO", "CON_VAL_MO", DUTY]}


@dataclass(frozen=True, slots=True)
class Classification:
    """How the API knows the goods of one table: endpoint, `COMM_LVL`, and digits and variable of the codes.

    Rows a month are, of one partner, no more than there are codes; of all partners, about: 252 and 11,900
    (hs2) are counted in replies of 2013-2024, 150,000 (hs6) by others; the rest is reckoned. Groups of
    countries make every code of every month a row: left out where that is much.
    """

    endpoint: str
    level: str
    digits: int
    variables: dict[str, str]
    of_one: int
    of_all: int
    groups: bool = True


HS = {"exports": "E_COMMODITY", "imports": "I_COMMODITY"}
NAICS = {"exports": "NAICS", "imports": "NAICS"}
END_USE = {"exports": "E_ENDUSE", "imports": "I_ENDUSE"}
CLASSIFICATIONS = {
    "total": Classification("hs", "", 0, {}, 1, 252),
    "hs2": Classification("hs", "HS2", 2, HS, 98, 11_900),
    "hs4": Classification("hs", "HS4", 4, HS, 1_250, 50_000, groups=False),
    "hs6": Classification("hs", "HS6", 6, HS, 5_600, 150_000, groups=False),
    "hs10": Classification("hs", "HS10", 10, HS, 19_000, 300_000, groups=False),
    "naics": Classification("naics", "NA3", 3, NAICS, 35, 5_500),
    "enduse": Classification("enduse", "EU5", 5, END_USE, 145, 16_000),
}
MOST_ROWS = 100_000  # a query; 6 to 9 MB
SPANS = (60, 12, 6, 3, 1)  # months, from January on
#: Columns that tell nothing apart: values, quantities, their units and marks, a saved index.
FIGURES = r"\w+_(MO|YR)(_FLAG)?|UNIT_QY\d|SUMMARY_LVL2?|Unnamed.*|"
#: Columns of words, which tell what the codes beside them do; where these are not there, they must say all.
WORDS = r"(\w+?)_(LDESC|SDESC|NAME|DESC|LABEL)"
CODES = {"CTY": "CTY_CODE", "DIST": "DISTRICT"}  # how words call what its codes call otherwise
ALL_OF_IT = r"(?i)-?|TOTAL\b.*|(FOR )?ALL (?!OTHER).*"
MANY, TOLERANCE = 150, 0.02  # partners from which on all are meant; by how much a chapter may miss their sum
MOST_DUTY = 5  # no rate is above 350 percent, that of tobacco
WORKERS = 4  # no limit is published; a public server is not to be pressed


def table_of(kind: str, classification: str) -> str:
    """Name the table of a kind of flow ("exports", "imports_general", ...) by a classification."""
    if classification == "total":
        return "imports_consumption_nsa" if kind == "imports_consumption" else "goods_census_nsa_api"
    return f"{kind}_{classification}_nsa"


# --- which queries ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """One query: a flow by one classification in some months, of one partner or of all (None).

    `codes` is a whole code, or how the codes begin; empty for all. `place` is a `CTY_CODE` of the API.
    """

    flow: str
    classification: str
    since: str
    through: str
    place: str | None = None
    codes: str = ""

    @property
    def known(self) -> Classification:
        """What the API knows of the classification."""
        return CLASSIFICATIONS[self.classification]

    @property
    def address(self) -> str:
        """Address of the endpoint."""
        return f"{API}/{self.flow}/{self.known.endpoint}"

    @property
    def commodity(self) -> str | None:
        """Variable of the codes; None for the total of all goods."""
        return self.known.variables.get(self.flow)

    @property
    def columns(self) -> list[str]:
        """Columns that the reply must have, besides `time`."""
        return ["CTY_CODE", *([self.commodity] if self.commodity else []), *ASKED[self.flow]]

    @property
    def params(self) -> dict[str, str]:
        """What is asked, without the key."""
        one = self.since == self.through
        params = {"get": ",".join(self.columns)}
        params["time"] = self.since if one else f"from {self.since} to {self.through}"
        if self.commodity:
            params["COMM_LVL"] = self.known.level
        if self.codes:
            params[self.commodity] = self.codes + "*" * (len(self.codes) < self.known.digits)
        if self.place:
            params["CTY_CODE"] = self.place
        elif not self.known.groups:
            params["SUMMARY_LVL"] = "DET"
        return params

    @property
    def name(self) -> str:
        """What is asked, for messages."""
        what = f"by {self.classification}" if self.commodity else "total"
        codes = f" {self.params[self.commodity]}" if self.codes else ""
        months = self.since if self.since == self.through else f"{self.since} to {self.through}"
        place = {None: "all partners", "-": "the world"}.get(self.place, self.place)
        return f"{self.flow} {what}{codes}, {place}, {months}"


def plan(
    flow: str,
    classification: str,
    *,
    since: str,
    through: str,
    partners: Iterable[str] | None = None,
    commodity: str | None = None,
) -> list[Query]:
    """Split what is wanted into queries that the server can answer, every month, partner and code in one.

    `partners` are codes of partners and groups, or None for all countries with the row for all of them, and
    with the groups where that is not much. `commodity` is a code or its first digits. Imports are general,
    for consumption, and duties at once.
    """
    first, last = _check_wish(flow, classification, since, through, commodity)
    known = CLASSIFICATIONS[classification]
    rows = CLASSIFICATIONS["total"] if commodity and len(commodity) == known.digits else known
    wanted = Query(flow, classification, since, through, codes=commodity or "")
    if partners is None:
        queries = by_digit(wanted) if rows.of_all > MOST_ROWS and not commodity else [wanted]
        spans = [span for span in SPANS if span <= 12 and span * rows.of_all <= MOST_ROWS]
        return [part for query in queries for part in by_span(query, (spans or [1])[0])]
    queries = [replace(wanted, place=place) for place in _places(partners)]
    if rows.of_one * (last - first + 1) <= MOST_ROWS:
        return queries
    spans = [span for span in SPANS if span * rows.of_one <= MOST_ROWS]
    return [part for query in queries for part in by_span(query, spans[0])]


def by_span(query: Query, span: int) -> list[Query]:
    """Cut the months of a query at multiples of a number of months, counted from January."""
    first, last = _number(query.since), _number(query.through)
    starts = [at for at in range(first, last + 1) if at == first or at % span == 0]
    ends = [*(start - 1 for start in starts[1:]), last]
    return [
        replace(query, since=_month(start), through=_month(end))
        for start, end in zip(starts, ends, strict=True)
    ]


def by_digit(query: Query) -> list[Query]:
    """Split a query by the next digit of the codes; there is none behind a whole code."""
    if len(query.codes) >= query.known.digits:
        return []
    return [replace(query, codes=query.codes + digit) for digit in "0123456789"]


def split(query: Query) -> list[Query]:
    """Split a query that took too long: into years, a year into months, a month by a digit of the codes."""
    if query.since[:4] != query.through[:4]:
        return by_span(query, 12)
    return by_span(query, 1) if query.since != query.through else by_digit(query)


def _check_wish(
    flow: str, classification: str, since: str, through: str, commodity: str | None
) -> tuple[int, int]:
    """Refuse what the API cannot answer; return the first and last month as numbers."""
    for given, what, known in ((flow, "flow", ASKED), (classification, "classification", CLASSIFICATIONS)):
        if given not in known:
            raise TradelibError(f"{given!r} is no {what} of the Census API.", f"Known: {', '.join(known)}.")
    first, last = _number(since), _number(through)
    if since < FIRST_MONTH:
        raise TradelibError(
            f"The Census API has no months before {FIRST_MONTH}; {since} was asked for.",
            f"Ask for {FIRST_MONTH} or later; goods by partner since 1985 are in goods_census_nsa.",
        )
    if last < first:
        raise TradelibError(f"The first month, {since}, is after the last, {through}.")
    most = CLASSIFICATIONS[classification].digits
    if commodity is not None and not (re.fullmatch("[0-9]+", commodity) and len(commodity) <= most):
        takes = f"{classification} takes a code of up to {most} digits." if most else "total takes none."
        raise TradelibError(f"{commodity!r} is no code of {classification}.", takes)
    return first, last


def _number(month: str) -> int:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
        raise TradelibError(f"{month!r} is not a month.", "Give it as YYYY-MM, such as 2018-07.")
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _places(codes: Iterable[str]) -> list[str]:
    """Codes of this project -> those of the API, which numbers its groups otherwise."""
    groups = {ours: theirs for theirs, ours in API_GROUPS.items() if theirs not in ("", "TOTAL")}
    places = []
    for code in dict.fromkeys(codes):
        one = partner(code)
        if code not in groups and (one.kind in ("domestic", "group") or not re.fullmatch("[1-9]...", code)):
            raise TradelibError(f"The Census API has no row of {one.name} ({code}).", "Ask for its members.")
        places.append(groups.get(code, code))
    if not places:
        raise TradelibError("No partner is given.", "Give at least one code, or None for all.")
    return places


# --- asking them --------------------------------------------------------------------------------


def fetch(queries: Sequence[Query], *, tag: str, progress: bool = False) -> list[bytes]:
    """Ask queries, a few at a time; return the bodies of the replies that have rows, in their order.

    First it is asked, in small, whether the last month is there: nothing is kept of a release that has not
    reached the API. What has been kept under `tag` is not asked for again, so that a run that was interrupted
    goes on where it stopped; `download.forget` ends that.
    """
    ask = partial(_ask, tag=tag, key=download.api_key(KEY, SIGN_UP))
    for query in _probes(queries):
        if not ask(query):
            raise FetchError(
                f"The Census API has no {query.flow} for {query.through} yet.",
                f"It has the months from {FIRST_MONTH}, each from 08:30 in Washington on its release day.",
            )
    replies = _ask_all(queries, partial(_ask_or_split, ask=ask), progress)
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
        coarse = "hs2" if query.known.level.startswith("HS") else query.classification
        probe = replace(query, classification=coarse, since=query.through, place="-", codes="")
        newest[query.address] = probe
    return list(newest.values())


def _ask_all(queries: Sequence[Query], ask: Callable, progress: bool) -> list[list[bytes]]:
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

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        futures = [pool.submit(ask_unless_stopped, query) for query in queries]
        try:
            with tqdm(total=len(futures), unit=" queries", disable=not progress) as bar:
                rows = 0
                for future in as_completed(futures):
                    rows += sum(body.count(b"\n") for body in future.result() or [])
                    bar.set_postfix_str(f"{rows:,} rows", refresh=False)
                    bar.update()
        except TradelibError as error:
            wait(futures)
            done = sum(future.exception() is None and future.result() is not None for future in futures)
            raise type(error)(
                str(error),
                f"{done} of {len(queries)} queries are done and kept; the next run goes on from there.",
            ) from None
        finally:
            stop.set()  # also where somebody presses Ctrl-C
    return [future.result() for future in futures]


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
    if reply.status in download.REDIRECTS:
        raise _bad_key(f"status {reply.status}, which leads to a web page")
    if reply.status == 400:
        raise _unsound(query, f"does not take the query (status 400): {reply.excerpt}")
    raise _unsound(query, f"answered with status {reply.status}: {reply.excerpt}")


def _sound(body: bytes, *, query: Query) -> bytes:
    """Return the body of a reply if it is a table that answers the query; else raise FetchError."""
    if download.looks_like_page(body):
        title = download.title_of(body) or "without a title"
        if "key" in title.lower():
            raise _bad_key(f"a web page titled {title}")
        raise _unsound(query, f"sent a web page: {title}")
    try:
        header, *rows = read_rows(body)
    except CheckError as error:
        problem = f"sent no table, or one that was cut short ({len(body):,} bytes). {error}"
        raise _unsound(query, problem) from None
    missing = [name for name in [*query.columns, "time"] if name not in header]
    if missing:
        among = ", ".join(map(str, header))
        raise _unsound(query, f"sent other columns: {', '.join(missing)} not among {among}")
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


# --- what replies say ---------------------------------------------------------------------------


def read_rows(data: bytes) -> list[list[str]]:
    """Read a reply, a JSON array of arrays of one length, the header first."""
    text = data.decode("utf-8-sig", errors="replace").strip()
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise CheckError(
            f"Not a reply of the Census API (JSON): it begins {text[:60]!r}.",
            "An HTML page means a missing or invalid key; a text is the server's error message.",
        ) from None
    lists = isinstance(rows, list) and set(map(type, rows)) == {list}
    lists = lists and set(map(type, chain.from_iterable(rows))) <= {str, int, float, type(None)}
    lists = lists and set(map(type, rows[0] if rows else [])) == {str}
    if not lists or len(rows) < 2 or len(set(map(len, rows))) != 1:
        raise CheckError("A Census API reply is a list of rows of equal length, the header first.")
    return rows


def read_reply(data: bytes) -> pd.DataFrame:
    """Read a reply into a frame of strings; a predicate that is repeated as a last column appears once."""
    rows = read_rows(data)
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype="str")
    for name in frame.columns[frame.columns.duplicated()].unique():
        same = frame[name]
        refuse_rows(same[same.ne(same.iloc[:, 0], axis=0).any(axis=1)], f"{name}, there twice, says the same")
    return frame.loc[:, ~frame.columns.duplicated()]


def unite(parsed: list[tuple[tuple[str, ...], dict[str, pd.DataFrame]]]) -> dict[str, pd.DataFrame]:
    """Put together what `parse_reply` found in replies that belong together (one classification, one flow).

    Replies without a commodity are totals of all goods; those of exports and of imports belong together, as
    they make one table.
    """
    tables = sorted({table for _, frames in parsed for table in frames})
    if len({family for family, _ in parsed}) != 1:
        raise CheckError(f"These files make different tables: {', '.join(tables)}. Give one at a time.")
    found = {}
    for table in tables:
        parts = [frames[table] for _, frames in parsed if table in frames]
        found[table] = pd.concat(parts, ignore_index=True)
        twice = found[table][found[table].duplicated(KEYS)]
        refuse_rows(twice, f"{table}: one row per partner, flow, item and period (is a reply given twice?)")
        _check_total(found[table], table)
    return found


def check_both_flows(frame: pd.DataFrame, table: str) -> None:
    """Exports and imports of a table of both are there, in the same months, without a gap."""
    months = {flow: set(rows["period"]) for flow, rows in frame.groupby("flow")}
    wanted = table_info(table).flows
    if lacking := [flow for flow in wanted if flow not in months]:
        raise CheckError(
            f"It holds {' and '.join(months)} only.",
            f"Give the reply of {lacking[0]}/hs for the same months in the same call.",
        )
    every = set.union(*months.values())
    if len(wanted) > 1:
        every |= set(pd.period_range(min(every), max(every), freq="M"))
    for flow, there in months.items():
        if absent := sorted(every - there):
            shown = ", ".join(map(str, absent[:6]))
            raise CheckError(f"{table}: {flow} lack {len(absent)} month(s) that belong to it: {shown}.")


def _check_total(frame: pd.DataFrame, table: str) -> None:
    """The total of all countries, where it is there, lacks no month, of its own span or of that of all."""
    world = frame[frame["partner"] == WORLD]
    if world.empty:
        return
    for flow, rows in (frame if frame["partner"].nunique() >= MANY else world).groupby("flow"):
        seen = pd.PeriodIndex(world.loc[world["flow"] == flow, "period"].unique(), freq="M")
        gaps = pd.period_range(rows["period"].min(), rows["period"].max(), freq="M").difference(seen)
        if len(gaps):
            lacking = f"{', '.join(map(str, gaps[:6]))} of {flow}"
            raise CheckError(
                f"{table}: the total of all countries lacks {lacking}.", "Are all replies there?"
            )
    if table == table_of("exports", "total"):
        check_size_of_world(world)
        check_world(frame)
        return
    single = frame[
        frame["partner"].map(all_partners().set_index("code")["kind"]).isin(["country", "former", "other"])
    ]
    by = ["item", "period"]
    sums = world.set_index(by)[["value_usd"]].rename(columns={"value_usd": "world"})
    sums = sums.join(single.groupby(by)["value_usd"].sum().rename("partners"), how="inner")
    whole = single["partner"].nunique() >= MANY
    off = (sums["partners"] / sums["world"] - 1 > TOLERANCE) | (
        whole & (1 - sums["partners"] / sums["world"] > TOLERANCE)
    )
    refuse_rows(sums[off].reset_index(), f"{table}: partners sum to the row for all countries")


def parse_reply(reply: pd.DataFrame) -> tuple[tuple[str, ...], dict[str, pd.DataFrame]]:
    """One reply -> what it can be put together with, and its table for each value column."""
    _refuse_parts(reply)
    values = [column for column in VALUES if column in reply]
    flows = {VALUES[column][1] for column in values}
    known = dict.fromkeys(name for one in CLASSIFICATIONS.values() for name in one.variables.values())
    commodity = next((column for column in known if column in reply), None)
    if len(flows) != 1 or (commodity and commodity[:2] == {"exports": "I_", "imports": "E_"}[min(flows)]):
        _refuse_columns(reply)
    if "CON_VAL_MO" in values and DUTY not in reply:
        _refuse_columns(reply, f"CON_VAL_MO comes with {DUTY}: ask for both, or for neither.")
    flow, classification = flows.pop(), "total"
    if commodity:
        codes = reply[commodity].fillna("").str.strip()
        reply = reply.assign(**{commodity: codes.mask(codes.str.fullmatch("[1-9]"), "0" + codes)})
        classification = _classify(reply, commodity)
    common = _common_columns(reply, flow, reply[commodity] if commodity else "goods")
    frames = {}
    for column in values:
        frame = common.assign(value_usd=_dollars(reply, column))
        frame["note"] = pd.Series(pd.NA, index=frame.index, dtype="str")
        if column == "CON_VAL_MO":
            frame["duty_usd"] = _dollars(reply, DUTY)
            if frame["duty_usd"].sum() > MOST_DUTY * frame["value_usd"].sum():
                raise CheckError(f"{DUTY} is far above CON_VAL_MO: are the two exchanged?")
        frames[table_of(VALUES[column][0], classification)] = frame
    return (flow, classification) if commodity else ("goods",), frames


def _refuse_parts(reply: pd.DataFrame) -> None:
    """Whatever else a reply tells apart stands at its total: a state, a district is a part of trade."""
    told = {*VALUES, "CTY_CODE", "CTY_NAME", "YEAR", "MONTH", "time", "LAST_UPDATE"}
    own = next((c for one in CLASSIFICATIONS.values() for c in one.variables.values() if c in reply), "")
    told |= {own, "COMM_LVL"} if own else set()
    for column in reply.columns.difference([*told]):
        words = re.fullmatch(WORDS, column)
        if re.fullmatch(FIGURES, column) or (words and {words[1], CODES.get(words[1])} & set(reply)):
            continue
        values = reply[column].fillna("").astype("str").str.strip()
        part = [value for value in values.unique() if not re.fullmatch(ALL_OF_IT, value)]
        if part:
            raise CheckError(
                f"The reply is a part of trade: its column {column} has {part[0]!r}, not the total.",
                f"Ask for it without {column}; there, - stands for all.",
            )


def _refuse_columns(reply: pd.DataFrame, *advice: str) -> None:
    raise CheckError(
        f"No table has these columns: {', '.join(map(str, reply.columns))}.",
        *advice,
        "Known: ALL_VAL_MO, GEN_VAL_MO or CON_VAL_MO with CAL_DUT_MO by CTY_CODE, and by E_COMMODITY or",
        "I_COMMODITY (2, 4, 6 or 10 digits), NAICS (3), E_ENDUSE or I_ENDUSE (5).",
    )


def _common_columns(reply: pd.DataFrame, flow: str, item: pd.Series | str) -> pd.DataFrame:
    if not ({"CTY_CODE", "CTY_NAME"} & set(reply) and ("time" in reply or {"YEAR", "MONTH"} <= set(reply))):
        _refuse_columns(reply, "Ask for CTY_CODE and time too: whose the rows are, and of when.")
    codes = reply["CTY_CODE"] if "CTY_CODE" in reply else reply["CTY_NAME"]
    time = reply["time"] if "time" in reply else reply["YEAR"] + "-" + reply["MONTH"]
    refuse_rows(reply[codes.isna() | time.isna()], "every row says whose it is, and of when")
    months = time.drop_duplicates()
    refuse_rows(months[~months.str.fullmatch("[0-9]{4}-(0[1-9]|1[0-2])")].to_frame("time"), "time is YYYY-MM")
    ordinals = time.map({month: pd.Period(month, "M").ordinal for month in months})
    period = pd.PeriodIndex.from_ordinals(ordinals.to_numpy(), freq="M")
    for name, part in (("YEAR", time.str[:4]), ("MONTH", time.str[5:])):
        if name in reply:
            other = reply[name].str.strip().str.zfill(2).ne(part)
            refuse_rows(reply[other], f"{name} is that of time")
    named = {code for code in codes.unique() if code[:1].isalpha() and code != "TOTAL"}
    known = {code: resolve(code).code if code in named else from_api_code(code) for code in codes.unique()}
    partners = codes.map(known)
    if "CTY_NAME" in reply:
        alike = partners.replace("1XXX", "0010")  # both are called North America
        check_names(pd.DataFrame({"partner": alike, "name": reply["CTY_NAME"]}))
    return pd.DataFrame({"period": period, "partner": partners, "flow": flow, "item": item})


def _dollars(reply: pd.DataFrame, column: str) -> pd.Series:
    dollars = pd.to_numeric(reply[column], errors="coerce")
    refuse_rows(reply[dollars.isna()], f"{column} is a number")
    return dollars


def _classify(reply: pd.DataFrame, commodity: str) -> str:
    """Tell the classification by the digits of the codes: levels contain each other, a reply holds one."""
    known = {one.digits: name for name, one in CLASSIFICATIONS.items() if commodity in one.variables.values()}
    digits = reply[commodity].str.len()
    odd = ~reply[commodity].str.fullmatch("[0-9]+") | ~digits.isin(list(known)) | digits.ne(digits.iloc[0])
    odd |= reply[commodity].str.startswith("00") & (commodity in HS.values())  # chapters begin with 01
    rule = f"{commodity} has codes of one length, {' or '.join(map(str, known))} digits"
    refuse_rows(reply[odd], rule, "Ask the API for one COMM_LVL at a time.")
    found = known[digits.iloc[0]]
    level = CLASSIFICATIONS[found].level
    told = set(reply["COMM_LVL"].fillna("nothing").unique()) if "COMM_LVL" in reply else {level}
    if told != {level}:
        raise CheckError(f"These are codes of COMM_LVL {level}; the reply says {', '.join(sorted(told))}.")
    return found
