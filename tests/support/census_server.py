"""A player of the Census international trade API: true wire shape, on rows of one's own, with faults.

Give it rows (`rows_of` makes them of tidy tables), let it play on a pytest-httpserver such as the
fixture `mirror`, and it answers any query as api.census.gov does::

    api = CensusServer(mirror, rows_of({"exports_hs2_nsa": flows}))
    monkeypatch.setenv("CENSUS_API_KEY", api.key)
    api.fault = lambda n, args: "500" if n == 3 else None      # the third request fails
    ...
    assert len(api.requests) == 4
"""

import fnmatch
import re
import threading
import time as clock
from urllib.parse import urlsplit

import pandas as pd
from helpers import wire
from werkzeug import Request, Response

from tradelib.partners import API_GROUPS

#: Planted: it must be found in no message, no log and no file.
KEY = "0123planted4567key89abcdef0123456789abcd"
BASE = "/api.census.gov/data/timeseries/intltrade"
VALUES = ["ALL_VAL_MO", "GEN_VAL_MO", "CON_VAL_MO", "CAL_DUT_MO"]
ROW = ["flow", "classification", "time", "CTY_CODE", "item", *VALUES]
LEVELS = {"HS2": "hs2", "HS4": "hs4", "HS6": "hs6", "HS10": "hs10", "NA3": "naics", "EU5": "enduse"}
ENDPOINTS = {"hs": ["hs2", "hs4", "hs6", "hs10"], "naics": ["naics"], "enduse": ["enduse"]}
COLUMNS = {"hs": "{}_COMMODITY", "naics": "NAICS", "enduse": "{}_ENDUSE"}
KINDS = {"exports": ["ALL_VAL_MO"], "imports_general": ["GEN_VAL_MO"]}
KINDS |= {"imports_consumption": ["CON_VAL_MO", "CAL_DUT_MO"]}
PAGE = '<html style="font-size: 14px;"><head><title>{}</title></head><body>A valid key, please.</body></html>'
NOT_COUNTRIES = r"-|00\d\d|.XXX"


# --- rows ---------------------------------------------------------------------------------------


def rows_of(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Tidy tables (exports_hs2_nsa, goods_census_nsa_api ...) -> rows to play, with the totals they lack."""
    parts = []
    for name, frame in tables.items():
        kind, level = _kind_and_level(name)
        for flow, part in frame.groupby("flow", observed=True):
            first, *rest = KINDS[kind or ("exports" if flow == "exports" else "imports_general")]
            row = {"flow": flow, "classification": level, "time": part["period"].astype(str).to_numpy()}
            row |= {
                "CTY_CODE": part["partner"].map(_wire_code).to_numpy(),
                first: part["value_usd"].to_numpy(),
            }
            row["item"] = "" if level == "total" else part["item"].to_numpy()
            row |= {rest[0]: part["duty_usd"].to_numpy()} if rest else {}
            parts.append(pd.DataFrame(row))
    rows = pd.concat(parts, ignore_index=True).reindex(columns=ROW)
    keys = [column for column in ROW if column not in VALUES]
    return with_totals(rows.groupby(keys, as_index=False)[VALUES].sum(min_count=1))


def _kind_and_level(table: str) -> tuple[str | None, str]:
    if table == "goods_census_nsa_api":
        return None, "total"
    if table == "imports_consumption_nsa":
        return "imports_consumption", "total"
    return re.fullmatch(r"(.*)_(\w+?)_nsa", table).groups()


def _wire_code(code: str) -> str:
    return {ours: theirs for theirs, ours in API_GROUPS.items() if theirs not in ("", "TOTAL")}.get(
        code, code
    )


def with_totals(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the row for all countries, and the total of all goods, where they are not among the rows."""
    level = rows["classification"]
    for flow in rows["flow"].unique():
        if not (rows["flow"].eq(flow) & level.eq("total")).any():
            finest = rows[rows["flow"].eq(flow) & level.eq(level[rows["flow"].eq(flow)].iloc[0])]
            total = finest.groupby(["flow", "time", "CTY_CODE"], as_index=False)[VALUES].sum(min_count=1)
            rows = pd.concat([rows, total.assign(classification="total", item="")], ignore_index=True)
    keys = ["flow", "classification", "time", "item"]
    single = rows[~rows["CTY_CODE"].str.fullmatch(NOT_COUNTRIES)]
    world = single.groupby(keys, as_index=False)[VALUES].sum(min_count=1).assign(CTY_CODE="-")
    both = pd.concat([rows, world], ignore_index=True)
    return both.drop_duplicates([*keys, "CTY_CODE"], ignore_index=True)


# --- one answer ---------------------------------------------------------------------------------


def answer(parts: dict, flow: str, endpoint: str, args: dict[str, str]) -> Response:
    """Answer a query, its key taken off, by filtering the rows, given by flow and classification."""
    commodity = COLUMNS[endpoint].format(flow[0].upper())
    asked = args["get"].split(",") if args.get("get") else []
    if not asked:
        return Response("error: missing 'get' argument", 400, content_type="text/plain")
    predicates = [name for name in args if name != "get"]
    values = [name for name in VALUES if (name == "ALL_VAL_MO") == (flow == "exports")]
    known = {"CTY_CODE", "time", "COMM_LVL", "SUMMARY_LVL", commodity, *values}
    for name in [*asked, *predicates]:
        if name not in known:
            return Response(f"error: unknown variable '{name}'", 400, content_type="text/plain")
    levels = _classifications(endpoint, commodity, args)
    of = [parts[flow, level] for level in levels if (flow, level) in parts]
    if not of:
        return Response(b"", 204)
    found = pd.concat(of)
    if "CTY_CODE" in args:
        found = found[found["CTY_CODE"].eq(args["CTY_CODE"])]
    found = found[_months(found["time"], args["time"])]
    if commodity in args:
        pattern = re.compile(fnmatch.translate(args[commodity]))
        found = found[found["item"].map(lambda item: bool(pattern.match(item)))]
    if "SUMMARY_LVL" in args:
        group = found["CTY_CODE"].str.fullmatch(NOT_COUNTRIES) & found["CTY_CODE"].ne("-")
        found = found[group if args["SUMMARY_LVL"] == "CGP" else ~group]
    if found.empty:
        return Response(b"", 204)
    told = found.rename(columns={"item": commodity})
    told = told.assign(**{name: args[name] for name in ("COMM_LVL", "SUMMARY_LVL") if name in args})
    told[VALUES] = told[VALUES].fillna(0).astype("int64").astype(str)
    names = [*asked, *predicates]
    body = wire([names, *zip(*(told[name].tolist() for name in names), strict=True)])
    return Response(body, 200, content_type="application/json;charset=utf-8")


def _classifications(endpoint: str, commodity: str, args: dict[str, str]) -> list[str]:
    if "COMM_LVL" in args:
        return [LEVELS[args["COMM_LVL"]]] if LEVELS[args["COMM_LVL"]] in ENDPOINTS[endpoint] else []
    return ENDPOINTS[endpoint] if commodity in args or commodity in args["get"].split(",") else ["total"]


def _months(times: pd.Series, wanted: str) -> pd.Series:
    span = re.fullmatch(r"from (\d{4}-\d\d)(?: to (\d{4}-\d\d))?", wanted)
    return times.between(span[1], span[2] or "9999-12") if span else times.str.startswith(wanted)


# --- faults -------------------------------------------------------------------------------------


def broken(kind: str, sound: Response) -> Response:
    """Turn a sound answer into a fault; the kinds are those that api.census.gov has been seen to show."""
    body = sound.get_data()
    json = "application/json;charset=utf-8"
    if kind in ("302 missing", "302 invalid"):
        page = {"302 missing": "missing_key", "302 invalid": "invalid_key"}[kind]
        return Response("", 302, {"Location": f"/api.census.gov/data/{page}.html"}, content_type="text/html")
    if kind in ("Missing Key", "Invalid Key", "Sorry"):
        return Response(PAGE.format(kind), 200, content_type="text/html;charset=utf-8")
    if kind == "429":
        return Response("slow down", 429, {"Retry-After": "0"})
    if kind == "slow":
        clock.sleep(1)
        return sound
    if kind.isdigit():
        text = {"400": "error: unknown variable 'XYZ'", "204": ""}.get(kind, "an error")
        return Response(text, int(kind), content_type="text/plain")
    head, _, rest = body.partition(b"\n")
    changed = {
        "cut": body[: len(body) * 2 // 3],
        "cut between rows": body[: body.rindex(b",\n")],
        "empty": b"",
        "header only": head.rstrip(b",") + b"]",
        "ragged": head + b"\n" + rest.replace(b'","', b'","x","', 1),
        "other header": head.replace(b"_VAL_MO", b"_VAL_YR") + b"\n" + rest,
        "object": b'{"error": "quota"}',
        "text": b"There was an error while running your query.",
    }
    return Response(changed[kind], 200, content_type=json)


# --- the server ---------------------------------------------------------------------------------


class CensusServer:
    """Plays on a pytest-httpserver; `requests` holds the arguments of each request, without the key."""

    def __init__(self, server, rows: pd.DataFrame, key: str = KEY):
        self.rows, self.key = rows, key
        self.requests: list[dict[str, str]] = []
        self.bytes = self.under_way = self.most_under_way = self.followed = 0
        #: Called with the number of the request, from 1, and its arguments; gives a kind of fault or None.
        self.fault = lambda n, args: None
        #: Arguments put in the place of those asked: a server that does not heed them.
        self.instead: dict[str, str] = {}
        self._lock = threading.Lock()
        server.expect_request(re.compile(rf"^{BASE}/(exports|imports)/\w+$")).respond_with_handler(self._play)
        for page, title in (("missing_key", "Missing Key"), ("invalid_key", "Invalid Key")):
            where = f"/api.census.gov/data/{page}.html"
            server.expect_request(where).respond_with_handler(lambda request, title=title: self._page(title))

    @property
    def rows(self) -> pd.DataFrame:
        """The rows that it answers from; others may be put in their place."""
        return self._rows

    @rows.setter
    def rows(self, rows: pd.DataFrame) -> None:
        self._rows, self._parts = rows, dict(iter(rows.groupby(["flow", "classification"])))

    def _page(self, title: str) -> Response:
        self.followed += 1
        return Response(PAGE.format(title), 200, content_type="text/html;charset=utf-8")

    def _at_fault(self, kind: str, sound: Response) -> Response:
        """A fault; "echo text" and "echo row" show the key that was sent, as no server should."""
        if kind == "echo text":
            return Response(f"error: bad query key={self.key.upper()}", 400, content_type="text/plain")
        if kind == "echo row":
            return Response(sound.get_data().replace(b'"HS2"', f'"{self.key.upper()}"'.encode()), 200)
        return broken(kind, sound)

    def _play(self, request: Request) -> Response:
        args = request.args.to_dict()
        key = args.pop("key", None)
        with self._lock:
            self.requests.append(args)
            n = len(self.requests)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        flow, endpoint = urlsplit(request.path).path.split("/")[-2:]
        if key != self.key:
            reply = broken("302 invalid" if key else "302 missing", Response(""))
        else:
            reply = answer(self._parts, flow, endpoint, args | self.instead)
            fault = self.fault(n, args)
            reply = self._at_fault(fault, reply) if fault else reply
        with self._lock:
            self.under_way -= 1
            self.bytes += len(reply.get_data())
        return reply
