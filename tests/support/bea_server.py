"""A player of www.bea.gov and apps.bea.gov: page, workbook and data API in their true shape, with faults.

Give it tidy tables, let it play on a pytest-httpserver such as the fixture `mirror`::

    bea = BeaServer(mirror, trade=frame, services=other, workbook=path.read_bytes())
    monkeypatch.setenv("BEA_API_KEY", bea.key)
    bea.fault = lambda n, args: "500" if n == 3 else None      # the third request of the API fails
    ...
    assert len(bea.requests) == 10

It echoes the key in upper case in every reply, as BEA does, and puts regions and remainders among the areas.
"""

import hashlib
import json
import re

import pandas as pd
from werkzeug import Request, Response

from tradelib.partners import partner
from tradelib.sources import bea_api, bea_workbook

#: Planted: it must be found in no message, no log and no file.
KEY = "5ec2e7aa-9b1d-4c3e-8f00-0123456789ab"
PAGE_PATH = "/www.bea.gov/data/intl-trade-investment/international-trade-goods-and-services"
WORKBOOK_PATH = "/www.bea.gov/sites/default/files/2025-03/trad-geo-time-series-0125.xlsx"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>International Trade in Goods and Services | BEA</title></head><body>
<a href="/sites/default/files/2025-03/trad0125.pdf">Full Release &amp; Tables (PDF)</a>
<a href="/sites/default/files/2025-03/trad-time-series-0125.xlsx">U.S. Trade in Goods and Services,
1960-present</a>
<a class="file" href="{}" type="application/vnd.ms-excel">U.S. Trade in Goods and Services by Selected
Countries and Areas, 1999-present</a>
</body></html>
"""
#: Partner -> how BEA names it, Key and Desc, where that is not its name here.
NAMES = {
    "0003": ("EU", "European Union"),
    "0004": ("AllCountries", "All countries"),
    "0015": ("AllCountries", "All countries"),
    "0017": ("CaftaDrCountries", "CAFTA-DR countries"),
    "5800": ("SouthKorea", "South Korea"),
}
#: Areas that are no partners; figures of theirs are among the replies.
NOISE = {
    "Africa": "Africa",
    "AllOthSeas": "All other countries (those not listed separately in tables 2.2 and 3.2)",
    "IntOrgAndUnalloc": "International organizations and unallocated",
    "LatAmAndOthWestHem": "Latin America and Other Western Hemisphere",
    "OthAsiaAndPacExcl15": "Other Asia and Pacific (excluding 15 countries)",
    "ResidualSeas": "Residual between the seasonally adjusted total based on service type or commodity and "
    'the sum of the seasonally adjusted individual countries and the "all other countries" aggregate',
    "SouthAndCenAm": "South and Central America",
}
INDICATORS = {kind: name for name, kind in bea_api.INDICATORS.items()}
NOTES = [{"NoteRef": "(D)", "NoteText": "Suppressed to avoid disclosure."}]
JSON = "application/json;charset=utf-8"


# --- rows ---------------------------------------------------------------------------------------


def named(code: str) -> tuple[str, str]:
    """Key and Desc by which BEA lists a partner."""
    name = partner(code).name
    return NAMES.get(code, (re.sub(r"\W", "", name), name))


def ita_rows(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Tidy quarters by partner -> rows of the ITA dataset; only what the API has can be played."""
    rows = []
    for row in frame.itertuples():
        key, desc = named(row.partner)
        name = INDICATORS[row.flow, row.item]
        rows.append(
            {
                "Indicator": name,
                "AreaOrCountry": key,
                "Frequency": "QSA",
                "Year": str(row.period.year),
                "TimeSeriesId": f"TSI_Ita{name}{key}_QSA",
                "TimeSeriesDescription": f"{name}; {desc}; quarterly seasonally adjusted",
                "TimePeriod": f"{row.period.year}Q{row.period.quarter}",
            }
            | _figure(row)
        )
    return rows


def service_rows(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Tidy years by partner and type of service -> rows of the IntlServTrade dataset."""
    rows = []
    for row in frame.itertuples():
        key, desc = named(row.partner)
        direction = row.flow.capitalize()
        rows.append(
            {
                "TypeOfService": row.item,
                "TradeDirection": direction,
                "Affiliation": "AllAffiliations",
                "AreaOrCountry": key,
                "Year": str(row.period.year),
                "TimeSeriesId": f"TSI_Ist{row.item}{direction[:3]}{key}AllAff_A",
                "TimeSeriesDescription": f"{direction} of services; {row.item}; {desc}; annual",
                "TimePeriod": str(row.period.year),
            }
            | _figure(row)
        )
    return rows


def _figure(row) -> dict[str, str]:
    if pd.isna(row.value_usd):
        value, note = ("(D)", "(D)") if row.note == "(D)" else ("", "")
    else:
        value = f"{row.value_usd / 1e6:,.6f}".rstrip("0").rstrip(".")
        value, note = ("(*)", " ") if row.note == "(*)" else (value, " ")
    return {"CL_UNIT": "USD", "UNIT_MULT": "6", "DataValue": value, "NoteRef": note}


def noisy(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows, and for each series a figure of every area that is no partner."""
    by = {(row.get("Indicator"), row.get("TypeOfService"), row.get("TradeDirection")): row for row in rows}
    return rows + [row | {"AreaOrCountry": key, "DataValue": "1,234"} for row in by.values() for key in NOISE]


# --- one answer ---------------------------------------------------------------------------------


def envelope(results, key: str = KEY, **args: str) -> dict:
    """What BEA wraps around its results: the request comes first, with the key in upper case."""
    told = [{"ParameterName": "USERID", "ParameterValue": key.upper()}]
    told += [{"ParameterName": k.upper(), "ParameterValue": v.upper()} for k, v in args.items()]
    return {"BEAAPI": {"Request": {"RequestParam": told}, "Results": results}}


def error(code: str, words: str, **more) -> dict:
    return {"Error": {"APIErrorCode": code, "APIErrorDescription": words} | more}


INVALID_KEY = error("1", "Invalid Request - Invalid API UserId.")


def data_results(rows: list[dict[str, str]], updated: str) -> dict:
    """The results of GetData: one observation is an object, not a list."""
    names = [{"Name": name, "DataType": "string", "IsValue": "0"} for name in rows[0]]
    return {
        "Statistic": "International data",
        "UTCProductionTime": "2025-03-06T14:01:05.397",
        "TsLastUpdated": f"{updated} 08:30:00.000",
        "Dimensions": names,
        "Data": rows if len(rows) > 1 else rows[0],
        "Notes": NOTES,
    }


def answer(rows: dict[str, list[dict]], areas: dict[str, dict], args: dict[str, str], updated: str) -> dict:
    """Answer a request whose key is right: results, or BEA's error."""
    dataset, method = args.get("DatasetName", ""), args.get("method", "")
    if dataset not in rows:
        return error("20", "The dataset requested is invalid.")
    if method == "GetParameterValues":
        if args.get("ParameterName") != "AreaOrCountry":
            return error("31", "The parameter requested is invalid for this dataset.")
        return {"ParamValue": [{"Key": key, "Desc": desc} for key, desc in areas[dataset].items()]}
    if method != "GetData":
        return error("3", "The API method requested is invalid.")
    one = {"ITA": "Indicator", "IntlServTrade": "TypeOfService"}[dataset]
    found = rows[dataset]
    if args.get(one, "All").lower() == "all" and args.get("AreaOrCountry", "All").lower() == "all":
        return error("301", f"Exactly one {one} must be requested unless one AreaOrCountry is.")
    for name in (one, "AreaOrCountry", "Frequency", "TradeDirection", "Affiliation"):
        wanted = args.get(name, "All").split(",")
        if wanted[0].lower() != "all":
            found = [row for row in found if row.get(name) in wanted]
    return data_results(found, updated) if found else error("101", "No data for these parameters.")


def broken(kind: str, sound: bytes, args: dict[str, str], key: str) -> Response:
    """Turn a sound answer into a fault of a kind."""
    if kind == "429":
        return Response("Too many requests", 429, {"Retry-After": "3600"}, content_type="text/html")
    if kind.isdigit():
        return Response(f"an error for {key.upper()}", int(kind), content_type="text/plain")
    page = f"<html><head><title>Request Rejected</title></head><body>{key.upper()}</body></html>"
    cut = sound[: len(sound) * 2 // 3]
    echo = error("40", f"Bad parameters for {key.upper()}.", AdditionalDetails=f"UserID={key}")
    both = [{"number": "1", "error": "Year is bad."}, {"number": "2", "error": "Frequency is bad."}]
    wrapped = {
        "invalid key": envelope(INVALID_KEY, key, **args),
        "error at the top": {"BEAAPI": envelope({}, key, **args)["BEAAPI"] | error("40", "Year is missing.")},
        "results a list": envelope([error("201", "Error retrieving data.")], key, **args),
        "several errors": envelope({"Error": both}, key, **args),
        "echo": envelope(echo, key, **args),
        "neither": envelope({"Statistic": "ITA"}, key, **args),
        "no data": envelope(error("101", "No data for these parameters."), key, **args),
    }
    if kind in wrapped:
        return Response(json.dumps(wrapped[kind]), 200, content_type=JSON)
    body, mime = {
        "page": (page.encode(), "text/html"),
        "page as json": (page.encode(), JSON),
        "page after json": (cut + b"\n" + page.encode(), JSON),
        "cut": (cut, JSON),
        "empty": (b"", JSON),
        "array": (b"[1, 2]", JSON),
    }[kind]
    return Response(body, 200, content_type=mime)


# --- the server ---------------------------------------------------------------------------------


class BeaServer:
    """Plays on a pytest-httpserver; counts what is asked of the page, the workbook and the API.

    `requests` holds the arguments of each request of the API, without the key. `page` and `workbook`
    are bytes; the workbook is at `workbook_path`, with an ETag, and answers 304 where it has not changed.
    """

    def __init__(self, server, *, trade=None, services=None, workbook=b"", key=KEY, noise=True):
        bea_api.THROTTLE.spent.clear()  # a server of one's own: nothing has been asked of it
        self.key, self.workbook, self.workbook_path = key, workbook, WORKBOOK_PATH
        self.page = PAGE.format(WORKBOOK_PATH.removeprefix("/www.bea.gov")).encode()
        self.updated = "2025-03-06"
        self.requests: list[dict[str, str]] = []
        self.pages = self.workbooks_sent = self.bytes = 0
        #: Called with the number of the request, from 1, and its arguments; gives a kind of fault or None.
        self.fault = lambda n, args: None
        self.rows, self.areas = {}, {}
        for dataset, frame, make in (("ITA", trade, ita_rows), ("IntlServTrade", services, service_rows)):
            rows = make(frame) if frame is not None else []
            codes = frame["partner"].unique() if frame is not None else []
            self.rows[dataset] = noisy(rows) if noise else rows
            self.areas[dataset] = dict(map(named, codes)) | (NOISE if noise else {})
        server.expect_request(PAGE_PATH).respond_with_handler(self._page)
        files = re.compile(r"^/www\.bea\.gov/sites/default/files/.*\.xlsx$")
        server.expect_request(files).respond_with_handler(self._file)
        server.expect_request("/apps.bea.gov/api/data/").respond_with_handler(self._api)

    def _page(self, request: Request) -> Response:
        self.pages += 1
        return Response(self.page, 200, content_type="text/html; charset=UTF-8")

    def _file(self, request: Request) -> Response:
        if request.path != self.workbook_path:
            return Response("<html><title>Page not found</title></html>", 404, content_type="text/html")
        etag = hashlib.sha256(self.workbook).hexdigest()[:12]
        headers = {"ETag": f'"{etag}"', "Last-Modified": "Thu, 06 Mar 2025 13:30:00 GMT"}
        if request.if_none_match.contains(etag):
            return Response(b"", 304, headers)
        self.workbooks_sent += request.method == "GET"
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(self.workbook, 200, headers, content_type=kind)

    def _api(self, request: Request) -> Response:
        args = request.args.to_dict()
        key = args.pop("UserID", "")
        self.requests.append(args)
        if key.lower() != self.key.lower():
            results = INVALID_KEY
        else:
            results = answer(self.rows, self.areas, args, self.updated)
        sound = json.dumps(envelope(results, key, **args)).encode()
        fault = self.fault(len(self.requests), args)
        reply = broken(fault, sound, args, key) if fault else Response(sound, 200, content_type=JSON)
        self.bytes += len(reply.get_data())
        return reply


def page_of(*hrefs: str) -> bytes:
    """A page with these links, and those BEA's page always has."""
    links = "\n".join(f'<p><a href="{href}">a file</a></p>' for href in hrefs)
    return PAGE.format("/sites/default/files/2025-03/trad-highlights.pdf").encode() + links.encode()


assert bea_workbook.PAGE.removeprefix("https:/") == PAGE_PATH
