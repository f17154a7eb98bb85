"""The Census API: which queries, how they are asked, what is made of every answer and of the real ones."""

import fnmatch
import json
import logging
import re
import threading
import time
from collections import Counter
from unittest import mock

import pandas as pd
import pytest
from census_server import KEY, VALUES, CensusServer, rows_of, with_totals
from helpers import opened, raw_rows, raw_sum, wire
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from tradelib.errors import FetchError, TimedOut, TradelibError
from tradelib.sources import census_api, download, ingest
from tradelib.sources.census_api import CLASSIFICATIONS, Query, plan, split
from tradelib.store import vintages
from tradelib.tables import FLOWS, CheckError, check_flows

DIGITS = {name: known.digits for name, known in CLASSIFICATIONS.items()}
MONTHS = [f"{year}-{month:02d}" for year in (2017, 2018) for month in range(1, 13)][:19]
CODES = {"hs2": ["27", "84"], "hs4": ["2709", "8471"], "hs6": ["270900", "847130"]}
CODES |= {"hs10": ["2709002010", "8471300100"], "naics": ["211", "334"], "enduse": ["10000", "21300"]}
ALL = {"since": "2017-01", "through": "2018-07"}


def small_rows():
    """Two flows, three countries and two groups by every classification; values tell what they are of."""
    rows = []
    for level, codes in CODES.items():
        for n, (month, place, code) in enumerate(
            (month, place, code)
            for month in MONTHS
            for place in ("5800", "5700", "2010", "0003", "5XXX")
            for code in codes
            if (place, code) != ("2010", "84")
        ):
            keys = {"time": month, "CTY_CODE": place, "item": code, "classification": level}
            rows.append({"flow": "exports", **keys, "ALL_VAL_MO": 10 + n})
            imports = {"GEN_VAL_MO": 1000 + n, "CON_VAL_MO": 900 + n, "CAL_DUT_MO": n}
            rows.append({"flow": "imports", **keys, **imports})
    return with_totals(pd.DataFrame(rows))


ROWS_PLAYED = small_rows()


@pytest.fixture
def api(mirror, monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", KEY)
    return CensusServer(mirror, ROWS_PLAYED)


def fetch(flow="exports", classification="hs2", *, tag="2018-09-05", workers=4, **wish):
    with mock.patch.object(census_api, "WORKERS", workers):
        return census_api.fetch(plan(flow, classification, **(ALL | wish)), tag=tag)


def tables(bodies):
    return parse([census_api.read_reply(body) for body in bodies])


def kept_files():
    return sorted(download.cache_path().glob("*.json"))


# --- which queries ------------------------------------------------------------------------------


def holds(query, month, place, code):
    """Whether a query, read from what goes over the wire, asks for a cell."""
    params = query.params
    first, last = re.fullmatch(r"(?:from )?(\S+)(?: to (\S+))?", params["time"]).groups()
    codes = params.get(query.commodity, "*") if query.commodity else "*"
    return (
        first <= month <= (last or first)
        and params.get("CTY_CODE", place) == place
        and fnmatch.fnmatchcase(code, codes)
    )


months = st.integers(2010 * 12, 2026 * 12 + 6).map(lambda n: f"{n // 12}-{n % 12 + 1:02d}")


@st.composite
def wishes(draw):
    classification = draw(st.sampled_from(sorted(DIGITS)))
    since, through = sorted([draw(months), draw(months)])
    partners = draw(st.none() | st.lists(st.sampled_from(["5800", "5700", "2010", "0015"]), min_size=1))
    whole = draw(st.text("0123456789", min_size=DIGITS[classification], max_size=DIGITS[classification]))
    commodity = draw(st.none() | st.integers(1, len(whole)).map(lambda n: whole[:n])) if whole else None
    wish = {"since": since, "through": through, "partners": partners, "commodity": commodity}
    return draw(st.sampled_from(["exports", "imports"])), classification, wish


@given(wishes(), st.data())
@settings(deadline=None)
def test_every_cell_that_is_wanted_is_asked_for_exactly_once(wish, data):
    flow, classification, options = wish
    queries = plan(flow, classification, **options)
    if data.draw(st.booleans(), "one of them is split"):
        n = data.draw(st.integers(0, len(queries) - 1))
        queries[n : n + 1] = split(queries[n]) or [queries[n]]
    month = data.draw(months)
    place = data.draw(st.sampled_from(["5800", "5700", "2010", "-"]))
    begin = options["commodity"] or ""
    rest = DIGITS[classification] - len(begin)
    code = begin + data.draw(st.text("0123456789", min_size=rest, max_size=rest))
    ours = {"0015": "-"}
    places = [ours.get(one, one) for one in options["partners"] or [place]]
    wanted = options["since"] <= month <= options["through"] and place in places
    assert sum(holds(query, month, place, code) for query in queries) == wanted
    other = str((int(begin[0]) + 1) % 10) + code[1:] if begin else None
    assert other is None or not any(holds(query, month, place, other) for query in queries)


@given(wishes())
@settings(deadline=None)
def test_no_query_is_planned_larger_than_the_server_answers(wish):
    flow, classification, options = wish
    for query in plan(flow, classification, **options):
        years = {query.since[:4], query.through[:4]}
        count = 12 * (int(max(years)) - int(min(years))) + int(query.through[5:]) - int(query.since[5:]) + 1
        known = CLASSIFICATIONS[classification]
        whole = len(query.codes) == DIGITS[classification]
        part = 0.3 if query.codes else 1  # chapters 80 to 89 are the largest tenth
        assert (
            count * (known.of_one if query.place else known.of_all * part) <= 100_000 or whole or count == 1
        )
        assert query.place or count <= 12


def test_months_are_cut_at_years_and_codes_by_their_next_digit():
    years = census_api.by_span(Query("exports", "total", "2017-01", "2018-07"), 12)
    assert [query.params["time"] for query in years] == [
        "from 2017-01 to 2017-12",
        "from 2018-01 to 2018-07",
    ]
    tens = census_api.by_digit(Query("exports", "hs2", "2018-07", "2018-07", codes="2"))
    assert [part.codes for part in tens][:3] == ["20", "21", "22"]
    assert len(split(Query("exports", "hs2", "2018-01", "2018-07"))) == 7
    heading = Query("exports", "hs4", "2018-01", "2018-07", "5800", "27")
    assert heading.params["time"] == "from 2018-01 to 2018-07" and heading.params["E_COMMODITY"] == "27*"
    names = [query.name for query in plan("exports", "hs2", since="2018-04", through="2018-07")]
    assert names == [
        "exports by hs2, all partners, 2018-04 to 2018-06",
        "exports by hs2, all partners, 2018-07",
    ]


@pytest.mark.parametrize(
    ("flow", "classification", "wish", "count", "first"),
    [
        (
            "exports",
            "naics",
            {"partners": ["5800"], "commodity": "211"},
            1,
            "naics 211, 5800, 2017-01 to 2018-07",
        ),
        ("imports", "total", {}, 2, "imports total, all partners, 2017-01 to 2017-12"),
        ("imports", "hs2", {}, 4, "imports by hs2, all partners, 2017-01 to 2017-06"),
        ("imports", "naics", {}, 2, "imports by naics, all partners, 2017-01 to 2017-12"),
        ("exports", "hs4", {}, 19, "exports by hs4, all partners, 2017-01"),
        ("exports", "hs6", {}, 190, r"exports by hs6 0\*, all partners, 2017-01"),
        ("imports", "hs10", {"partners": ["5800"]}, 7, "imports by hs10, 5800, 2017-01 to 2017-03"),
        ("imports", "hs10", {"commodity": "27"}, 19, r"imports by hs10 27\*, all partners, 2017-01"),
        ("exports", "hs2", {"partners": ["5800", "0003", "USMCA", "0015"]}, 4, "by hs2, 5800, 2017-01 to"),
    ],
)
def test_typical_wishes_take_so_many_queries(flow, classification, wish, count, first):
    queries = plan(flow, classification, **(ALL | wish))
    assert len(queries) == count
    assert re.search(first, queries[0].name)


def test_a_query_asks_what_the_documentation_tells():
    (query,) = plan("exports", "naics", partners=["5800"], commodity="211", **ALL)
    assert query.address == "https://api.census.gov/data/timeseries/intltrade/exports/naics"
    assert query.params == {
        "get": "CTY_CODE,NAICS,ALL_VAL_MO",
        "time": "from 2017-01 to 2018-07",
        "COMM_LVL": "NA3",
        "NAICS": "211",
        "CTY_CODE": "5800",
    }
    query = plan("imports", "hs6", since="2018-07", through="2018-07")[8]
    assert query.params == {
        "get": "CTY_CODE,I_COMMODITY,GEN_VAL_MO,CON_VAL_MO,CAL_DUT_MO",
        "time": "2018-07",
        "COMM_LVL": "HS6",
        "I_COMMODITY": "8*",
        "SUMMARY_LVL": "DET",
    }
    (query,) = plan("imports", "enduse", partners=["0016"], **ALL)
    assert (query.params["CTY_CODE"], query.params["COMM_LVL"]) == ("5XXX", "EU5")
    assert "I_ENDUSE" in query.params["get"]


@pytest.mark.parametrize(
    ("flow", "classification", "wish", "words"),
    [
        ("export", "hs2", {}, "'export' is no flow.*Known: exports, imports"),
        ("exports", "sitc", {}, "'sitc' is no classification.*total, hs2"),
        ("exports", "hs2", {"since": "2009-12"}, "no months before 2010-01; 2009-12 was asked for"),
        ("exports", "hs2", {"since": "2017"}, "'2017' is not a month"),
        ("exports", "hs2", {"through": "2018-13"}, "'2018-13' is not a month"),
        ("exports", "hs2", {"since": "2018-08"}, "2018-08, is after the last, 2018-07"),
        ("exports", "naics", {"commodity": "3241"}, "'3241' is no code of naics.*up to 3 digits"),
        ("exports", "hs2", {"commodity": "2*"}, r"'2\*' is no code of hs2"),
        ("exports", "total", {"commodity": "27"}, "'27' is no code of total.*none"),
        ("exports", "hs2", {"partners": []}, "No partner is given"),
        ("exports", "hs2", {"partners": ["9998"]}, "'9998' is not a partner code"),
        ("exports", "hs2", {"partners": ["0010"]}, "no row of"),
        ("exports", "hs2", {"partners": ["REST"]}, "no row of"),
    ],
)
def test_a_wish_that_cannot_be_answered_is_refused_before_anything_is_asked(
    flow, classification, wish, words
):
    with pytest.raises(TradelibError, match=f"(?s){words}"):
        plan(flow, classification, **(ALL | wish))


# --- fetching -----------------------------------------------------------------------------------


def test_oil_and_gas_to_korea_comes_with_one_query_and_a_small_one_before_it(api):
    found = tables(fetch("exports", "naics", partners=["5800"], commodity="211"))
    frame = check_flows(found["exports_naics_nsa"], "exports_naics_nsa")
    assert (frame["partner"].unique().tolist(), frame["item"].unique().tolist()) == (["5800"], ["211"])
    assert [str(month) for month in frame["period"]] == MONTHS
    assert [args["time"] for args in api.requests] == ["2018-07", "from 2017-01 to 2018-07"]


@pytest.mark.parametrize("flow", ["exports", "imports"])
@pytest.mark.parametrize("classification", sorted(DIGITS))
@pytest.mark.parametrize("partners", [None, ["5800", "0003"]])
def test_what_is_fetched_is_what_was_played(api, flow, classification, partners):
    since = {"hs6": "2018-06", "hs10": "2018-06"}.get(classification, "2017-01")
    found = tables(fetch(flow, classification, partners=partners, since=since))
    played = ROWS_PLAYED[
        ROWS_PLAYED["flow"].eq(flow)
        & ROWS_PLAYED["classification"].eq(classification)
        & ROWS_PLAYED["time"].ge(since)
    ]
    if partners:
        played = played[played["CTY_CODE"].isin(partners)]
    elif classification in ("hs4", "hs6", "hs10"):
        played = played[~played["CTY_CODE"].isin(["0003", "5XXX"])]
    values = ["ALL_VAL_MO"] if flow == "exports" else VALUES[1:3]
    for (table, frame), column in zip(sorted(found.items()), sorted(values), strict=False):
        if "general" in table or table == "goods_census_nsa_api":
            column = "ALL_VAL_MO" if flow == "exports" else "GEN_VAL_MO"
        elif "consumption" in table:
            column = "CON_VAL_MO"
            assert frame["duty_usd"].sum() == played["CAL_DUT_MO"].sum()
        assert len(frame) == len(played)
        assert frame["value_usd"].sum() == played[column].sum()
        assert not frame.duplicated(["period", "partner", "item"]).any()
    assert len(found) == len(values)


def test_the_same_wish_again_costs_no_query(api):
    first = fetch("imports", "hs2")
    count = len(api.requests)
    assert fetch("imports", "hs2") == first
    assert len(api.requests) == count == 5
    fetch("imports", "hs2", tag="2018-10-05")
    assert len(api.requests) == 2 * count, "another vintage is asked for anew"


def test_a_series_that_failed_goes_on_where_it_stopped(api):
    wish = {"classification": "hs4", "workers": 1}
    api.fault = lambda n, args: "400" if n == 8 else None
    with pytest.raises(FetchError, match=r"(?s)XYZ.*6 of 19 queries are done and kept; the next run goes on"):
        fetch(**wish)
    first = [args["time"] for args in api.requests]
    assert first == ["2018-07", *MONTHS[:7]], "what had not begun was not asked"
    api.requests.clear()
    api.fault = lambda n, args: None
    assert len(fetch(**wish)) == 19
    assert [args["time"] for args in api.requests] == MONTHS[6:], "only the rest was asked"


def test_queries_under_way_when_one_fails_are_kept_too(api):
    api.fault = lambda n, args: "400" if args["time"] == "2017-05" and "E_COMMODITY" in args["get"] else None
    with pytest.raises(FetchError) as error:
        fetch("exports", "hs4")
    (done,) = re.findall(r"(\d+) of 19 queries are done", str(error.value))
    assert int(done) == len(kept_files()) - 1, "one more is the small query about the last month"


@pytest.fixture
def threaded(monkeypatch):
    with HTTPServer(threaded=True) as server:
        monkeypatch.setenv("TRADELIB_MIRROR", server.url_for("").rstrip("/"))
        monkeypatch.setenv("CENSUS_API_KEY", KEY)
        monkeypatch.setattr(download, "FIRST_WAIT", 0.0)
        yield server


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_queries_are_under_way_than_allowed(threaded, workers):
    api = CensusServer(threaded, ROWS_PLAYED)
    meet = threading.Barrier(workers)

    def together(n, args):
        if 1 < n <= 1 + workers:
            meet.wait(10)  # they come at once, or this breaks

    api.fault = together
    assert len(fetch("exports", "hs4", workers=workers)) == 19
    assert api.most_under_way == workers


def test_the_bar_shows_queries_and_rows(api, capsys):
    census_api.fetch(plan("exports", "hs2", **ALL), tag="t", progress=True)
    shown = capsys.readouterr().err
    count = len(ROWS_PLAYED.query("flow == 'exports' and classification == 'hs2'"))
    assert "4/4" in shown and f"{count:,} rows" in shown
    fetch("exports", "total")
    assert capsys.readouterr().err == ""


# --- what is no fault ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["429", "500", "503", "504"])
def test_a_passing_fault_is_tried_again(api, status):
    api.fault = lambda n, args: status if n in (1, 3) else None
    assert len(fetch("exports", "hs2")) == 4
    assert len(api.requests) == 1 + 4 + 2


def test_a_query_without_rows_among_others_is_no_fault(api):
    bodies = fetch("exports", "hs6", since="2018-07")
    assert len(api.requests) == 11
    assert len(bodies) == 2, "codes begin with 2 and 8 only"
    bodies = fetch("exports", "hs2", partners=["5800", "5880"])
    assert tables(bodies)["exports_hs2_nsa"]["partner"].unique().tolist() == ["5800"]


# --- what is one --------------------------------------------------------------------------------


def test_no_rows_at_all_is_a_fault_and_says_what_was_asked(api):
    with pytest.raises(FetchError, match=r"no rows for any of 1 queries, such as: exports by hs2, 5880"):
        fetch("exports", "hs2", partners=["5880"])
    with pytest.raises(FetchError, match=r"(?s)by hs2 84, 2010.*no such trade"):
        fetch("imports", "hs2", partners=["2010"], commodity="84")


def test_a_release_that_has_not_reached_the_api_costs_one_query_and_leaves_nothing(api):
    with pytest.raises(FetchError, match=r"(?s)no exports for 2018-08 yet.*months from 2010-01"):
        fetch("exports", "hs6", through="2018-08")
    assert len(api.requests) == 1
    assert kept_files() == []


FAULTS = {
    "302 missing": r"did not accept the key in CENSUS_API_KEY.*status 302.*key_signup",
    "302 invalid": r"did not accept the key in CENSUS_API_KEY.*status 302",
    "Missing Key": r"did not accept the key.*a web page titled Missing Key",
    "Invalid Key": r"did not accept the key.*a web page titled Invalid Key",
    "Sorry": r"sent a web page: Sorry",
    "400": r"does not take the query \(status 400\): \"error: unknown variable 'XYZ'\"",
    "404": r"answered with status 404",
    "cut": r"no table, or one that was cut short \([\d,]+ bytes\)",
    "cut between rows": r"no table, or one that was cut short",
    "empty": r"cut short \(0 bytes\)",
    "header only": r"no table.*list of rows",
    "ragged": r"no table.*equal length",
    "other header": r"sent other columns: ALL_VAL_MO not among CTY_CODE, E_COMMODITY, ALL_VAL_YR",
    "object": r"no table.*list of rows",
    "text": r"no table.*There was an error",
    "500": r"did not answer, after 5 attempts: status 500",
}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("first", [True, False], ids=["at once", "midway"])
def test_each_fault_is_told_apart_and_is_not_kept(api, kind, first):
    api.fault = lambda n, args: kind if first or n > 3 else None
    with pytest.raises(FetchError, match=f"(?s){FAULTS[kind]}") as error:
        fetch("exports", "hs2", workers=1)
    assert len(kept_files()) == (0 if first else 3)
    assert ("2 of 4 queries are done" in str(error.value)) == (not first)
    assert api.followed == 0, "a redirect is not followed"


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ({"time": "from 2017-01"}, "sent other months: 2017-01 to 2018-07"),
        ({"time": "2018-06"}, "sent other months: 2018-06 to 2018-06"),
        ({"CTY_CODE": "5700"}, "sent other partners"),
    ],
)
def test_a_reply_of_other_months_or_partners_than_asked_is_refused(api, instead, words):
    api.instead = instead
    with pytest.raises(FetchError, match=f"(?s){words}.*by hs2, the world, 2018-07.*Nothing of this reply"):
        census_api.fetch(
            plan("exports", "hs2", partners=["5800"], since="2018-07", through="2018-07"), tag="t"
        )
    assert kept_files() == []


@pytest.mark.parametrize(("variable", "words"), [(None, "is not set"), ("two words", "does not hold a key")])
def test_without_a_key_nothing_is_asked(api, monkeypatch, variable, words):
    monkeypatch.delenv("CENSUS_API_KEY")
    if variable:
        monkeypatch.setenv("CENSUS_API_KEY", variable)
    with pytest.raises(FetchError, match=rf"(?s){words}.*key_signup"):
        fetch()
    assert api.requests == []


def test_a_key_that_the_server_does_not_know_is_told_without_showing_it(api, monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", "another-key-0123456789")
    with pytest.raises(FetchError, match="did not accept the key in CENSUS_API_KEY") as error:
        fetch()
    assert "another-key" not in str(error.value)


# --- queries that take too long -----------------------------------------------------------------


def test_a_query_that_goes_on_taking_too_long_is_split_and_brings_the_same(api):
    whole = tables(fetch("exports", "naics"))
    api.requests.clear()
    api.fault = lambda n, args: "504" if args["time"].startswith("from 2017") else None
    parts = tables(fetch("exports", "naics", tag="again"))
    assert check_flows(parts["exports_naics_nsa"], "exports_naics_nsa").equals(
        check_flows(whole["exports_naics_nsa"], "exports_naics_nsa")
    )
    times = Counter(args["time"] for args in api.requests if "NAICS" in args["get"])
    assert times["from 2017-01 to 2017-12"] == 2, "time that ran out is not tried five times"
    assert all(times[month] == 1 for month in MONTHS[:12])


def test_a_month_is_split_by_a_digit_of_the_codes(api):
    api.fault = lambda n, args: "504" if args.get("E_COMMODITY") == "8*" else None
    fetch("exports", "hs6", since="2018-07")
    asked = {args.get("E_COMMODITY") for args in api.requests}
    assert {f"8{digit}*" for digit in range(10)} < asked


def test_it_is_split_once_and_then_given_up(api):
    api.fault = lambda n, args: "504" if n > 1 else None
    with pytest.raises(TimedOut, match=r"(?s)did not answer, after 2 attempts: status 504.*0 of 2 queries"):
        fetch("exports", "naics", workers=1)
    assert [args["time"] for args in api.requests[1:]] == ["from 2017-01 to 2017-12"] * 2 + ["2017-01"] * 2


def test_a_reply_that_does_not_come_counts_as_taking_too_long(threaded, monkeypatch):
    api = CensusServer(threaded, ROWS_PLAYED)
    api.fault = lambda n, args: "slow" if args["time"].startswith("from 2017") else None
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    download._client.cache_clear()
    try:
        assert len(fetch("exports", "naics")) == 12 + 1
    finally:
        download._client.cache_clear()


@pytest.mark.parametrize("classification", [name for name in CLASSIFICATIONS if name != "total"])
def test_what_cannot_be_split_further_has_no_parts(classification):
    code = "1" * DIGITS[classification]
    (query,) = plan("exports", classification, since="2018-07", through="2018-07", commodity=code)
    assert split(query) == []


# --- the key ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, *FAULTS, "echo text", "echo row"])
def test_the_key_is_in_no_message_no_log_and_no_file(api, caplog, capsys, kind):
    caplog.set_level(logging.DEBUG)
    api.fault = lambda n, args: kind if n > 2 else None
    words = []
    try:
        census_api.fetch(plan("exports", "hs2", **ALL), tag="t", progress=True)
    except FetchError as error:
        while error:
            words += [str(error), repr(error)]
            error = error.__cause__ or error.__context__
    shown = capsys.readouterr()
    written = [path.read_bytes() for path in download.cache_path().rglob("*") if path.is_file()]
    assert written, "what arrived before is kept"
    logged = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]  # the player's
    everything = [*words, *logged, shown.out, shown.err, *(path.name for path in kept_files())]
    assert not any(KEY.lower() in text.lower() for text in everything)
    assert not any(KEY.encode().lower() in content.lower() for content in written)


# --- real replies -------------------------------------------------------------------------------


def real_rows(paths, flow, classification):
    frames = []
    for path in paths:
        frame = opened(path).rename(columns={"E_COMMODITY": "item", "I_COMMODITY": "item"})
        frame = frame if "time" in frame else frame.assign(time=frame["YEAR"] + "-" + frame["MONTH"])
        frame = frame if "CTY_CODE" in frame else frame.assign(CTY_CODE="-")
        frames.append(frame if "item" in frame else frame.assign(item=""))
    rows = pd.concat(frames, ignore_index=True)
    rows = rows.reindex(columns=["time", "CTY_CODE", "item", *VALUES])
    rows[VALUES] = rows[VALUES].astype(float)
    return rows.assign(flow=flow, classification=classification)


def test_real_replies_played_and_fetched_give_the_bundled_vintages(originals, mirror, monkeypatch):
    monkeypatch.setenv("CENSUS_API_KEY", KEY)
    folder = originals / "census"
    parts = [
        real_rows([folder / f"api_{flow}_total_2025-10-18.parquet"], flow, "total")
        for flow in ("exports", "imports")
    ]
    parts.append(
        real_rows([folder / "api_imports_general_hs2_2023-2024_2025-10-18.parquet"], "imports", "hs2")
    )
    CensusServer(mirror, pd.concat(parts, ignore_index=True))
    span = {"since": "2013-01", "through": "2024-12"}
    totals = [body for flow in ("exports", "imports") for body in fetch(flow, "total", **span)]
    found = tables(totals)["goods_census_nsa_api"], "goods_census_nsa_api"
    assert_bundled(*found)
    chapters = tables(fetch("imports", "hs2", **(span | {"since": "2023-01"})))
    assert_bundled(chapters["imports_general_hs2_nsa"], "imports_general_hs2_nsa")


@pytest.mark.parametrize("flow", ["exports", "imports"])
def test_real_replies_by_partner_do_so_too(originals, mirror, monkeypatch, flow):
    monkeypatch.setenv("CENSUS_API_KEY", KEY)
    paths = sorted((originals / "census" / "hs2").glob(f"{flow}_*.parquet"))
    CensusServer(mirror, with_totals(real_rows(paths, flow, "hs2")))
    partners = [path.stem.split("_")[1].replace("TOTAL", "0015") for path in paths]
    found = tables(fetch(flow, "hs2", since="2013-01", through="2020-10", partners=partners))
    table = "exports_hs2_nsa" if flow == "exports" else "imports_consumption_hs2_nsa"
    assert_bundled(found[table], table)


def test_tidy_tables_are_played_as_they_are(api):
    found = tables(fetch("imports", "naics"))
    again = rows_of({table: check_flows(frame, table) for table, frame in found.items()})
    api.rows = again
    for table, frame in tables(fetch("imports", "naics", tag="again")).items():
        assert check_flows(frame, table).equals(check_flows(found[table], table))


def assert_bundled(frame, table):
    bundled, *_ = vintages.list_vintages(table)
    pd.testing.assert_frame_equal(check_flows(frame, table), vintages.read(bundled))


# --- replies ------------------------------------------------------------------------------------

HEAD = ["CTY_CODE", "ALL_VAL_MO", "time"]
#: The first two rows that design.md quotes from a real reply.
QUOTED = (
    b'[["NAICS_LDESC","CTY_CODE","CTY_NAME","ALL_VAL_YR","time","NAICS"],\n'
    b'["PETROLEUM AND COAL PRODUCTS","5800","KOREA, SOUTH","762152054","2019-12","3241"]]'
)


def reply(**columns):
    return pd.DataFrame(columns, dtype="str")


def parse(replies):
    """What replies that belong together make."""
    return census_api.unite([census_api.parse_reply(one) for one in replies])


def parse_one(replies):
    """The only table that replies make: its name and its rows."""
    ((table, frame),) = parse(replies).items()
    return table, frame


def chapters(**columns):
    return reply(CTY_CODE=["5800"], ALL_VAL_MO=["7"], E_COMMODITY=["27"], time=["2018-07"]).assign(**columns)


# --- real replies -------------------------------------------------------------------------------

REAL = [
    ("goods_census_nsa_api", "api_*_total_2025-10-18.parquet"),
    ("imports_general_hs2_nsa", "api_imports_general_hs2_2023-2024_2025-10-18.parquet"),
    ("exports_hs2_nsa", "hs2/exports_*.parquet"),
    ("imports_consumption_hs2_nsa", "hs2/imports_*.parquet"),
]


@pytest.mark.parametrize(("table", "files"), REAL)
def test_real_replies_parse_to_exactly_the_bundled_vintage(originals, table, files):
    paths = sorted((originals / "census").glob(files))
    names = [path.name for path in paths]
    told, frame = parse_one([opened(path) for path in paths])
    (bundled,) = (
        vintage
        for vintage in vintages.list_vintages(table)
        if sorted(source["name"] for source in vintage.sources) == names
    )
    assert told == table
    assert check_flows(frame, table).equals(vintages.read(bundled))


def test_a_real_reply_sent_as_json_gives_the_same_table_as_its_parquet_copy(originals):
    frame = opened(originals / "census" / "hs2" / "exports_5800.parquet")
    body = wire([list(frame.columns), *frame.values.tolist()])
    assert body.count(b",\n") == len(frame), "rows are separated by a comma and a line end"
    told, parsed = parse_one([census_api.read_reply(body)])
    assert told == "exports_hs2_nsa"
    assert parsed.equals(parse_one([frame])[1])


def test_koreas_mineral_fuels_summed_from_the_raw_strings_equal_the_bundled_rows(originals):
    raw = pd.read_parquet(originals / "census" / "hs2" / "exports_5800.parquet")
    total = sum(
        int(value)
        for value, chapter, time in zip(raw.ALL_VAL_MO, raw.E_COMMODITY, raw.time, strict=True)
        if chapter == "27" and "2018-01" <= time <= "2018-07"
    )
    months = [f"2018-{n:02d}" for n in range(1, 8)]
    where = {"partner": "5800", "item": "27", "flow": "exports"}
    assert raw_sum("exports_hs2_nsa", "2020-12-04", months, **where) == total == 4_179_363_181


def test_the_chapters_of_a_partner_sum_to_its_goods_exports_in_the_workbook_of_that_autumn():
    """An API reply and the workbook agree to the dollar where both hold the same vintage."""
    hs2 = raw_rows("exports_hs2_nsa", "2020-12-04")
    goods = raw_rows("goods_census_nsa", "2020-10-06")
    goods = goods[(goods["flow"] == "exports") & goods["period"].between("2018-01", "2020-05")]
    for code in ("5800", "5880", "4280"):
        chapters = hs2[hs2["partner"] == code].groupby("period")["value_usd"].sum()
        workbook = goods[goods["partner"] == code].set_index("period")["value_usd"]
        assert (chapters[workbook.index] / workbook - 1).abs().max() < 0.002, code


def test_the_api_witnesses_the_workbook_of_the_same_annual_revision():
    """Partner totals of 2013-2022 changed little between the workbook of 2025-04 and the API of 2025-10."""
    api = raw_rows("goods_census_nsa_api", "2025-10-18")
    book = raw_rows("goods_census_nsa", "2025-04-03")
    keys = ["partner", "flow", "period"]
    both = api[api["partner"].isin(["5800", "5700", "2010", "0015"])].merge(book, on=keys)
    both = both[both["period"] < "2022-01"]
    assert len(both) == 4 * 2 * 9 * 12
    assert (both["value_usd_x"] / both["value_usd_y"] - 1).abs().max() < 0.01


# --- the shape on the wire ----------------------------------------------------------------------


def test_the_quoted_reply_is_read_as_strings_with_its_header():
    frame = census_api.read_reply(QUOTED)
    assert list(frame) == ["NAICS_LDESC", "CTY_CODE", "CTY_NAME", "ALL_VAL_YR", "time", "NAICS"]
    assert frame.iloc[0].tolist()[-3:] == ["762152054", "2019-12", "3241"]


def test_a_predicate_repeated_as_last_column_appears_once():
    head = ["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time", "COMM_LVL", "CTY_CODE"]
    body = wire([head, ["5800", "7", "27", "2018-07", "HS2", "5800"]])
    frame = census_api.read_reply(body)
    assert list(frame) == ["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time", "COMM_LVL"]
    assert parse_one([frame])[1]["partner"].tolist() == ["5800"]


def test_a_column_there_twice_says_the_same_or_is_refused():
    head = ["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time", "CTY_CODE"]
    with pytest.raises(CheckError, match=r"(?s)CTY_CODE, there twice, says the same.*5800 +5880"):
        census_api.read_reply(wire([head, ["5800", "7", "27", "2018-07", "5880"]]))


@pytest.mark.parametrize(
    ("column", "part", "whole"),
    [
        ("DIST_NAME", "SEATTLE, WA", "TOTAL FOR ALL DISTRICTS"),
        ("PORT_NAME", "NEW YORK", "ALL PORTS"),
        ("SITC_LDESC", "MINERAL FUELS", "TOTAL ALL COMMODITIES"),
        ("NAICS_SDESC", "OIL AND GAS", "-"),
        ("E_COMMODITY_LDESC", "ALL OTHER GOODS", "TOTAL EXPORTS"),
        ("HITECH_DESC", "BIOTECHNOLOGY", ""),
        ("COMM_LVL", "HS2", "-"),
    ],
)
def test_words_that_no_code_stands_beside_tell_a_part_of_trade_too(column, part, whole):
    rows = {"CTY_CODE": ["5800"], "ALL_VAL_MO": ["7"], "time": ["2018-07"]}
    with pytest.raises(CheckError, match=f"part of trade: its column {column} has '{part}'"):
        parse_one([reply(**rows, **{column: [part]})])
    assert parse_one([reply(**rows, **{column: [whole]})])[0] == "goods_census_nsa_api"


def test_a_reply_saved_with_a_mark_of_its_order_of_bytes_is_the_same():
    body = wire([["CTY_CODE", "ALL_VAL_MO", "time"], ["-", "7", "2018-07"]])
    assert ingest.open_file(b"\xef\xbb\xbf" + body).equals(ingest.open_file(body))


def test_a_header_without_a_name_is_no_header():
    with pytest.raises(CheckError, match="list of rows"):
        census_api.read_reply(b'[["CTY_CODE",null,"ALL_VAL_MO","time"],["-","1","7","2018-07"]]')


def test_a_reply_given_twice_is_told():
    one = reply(CTY_CODE=["-"], ALL_VAL_MO=["7"], time=["2018-07"])
    with pytest.raises(CheckError, match="is a reply given twice"):
        parse([one, one])


@pytest.mark.parametrize("world", ["", "-"])
def test_the_row_for_all_countries_is_the_world_under_both_of_its_codes(world):
    _, frame = parse_one([reply(CTY_CODE=[world, "5800"], ALL_VAL_MO=["7", "7"], time=["2018-07"] * 2)])
    assert frame["partner"].tolist() == ["0015", "5800"]


def test_a_reply_without_codes_is_told_by_the_names_of_countries():
    _, frame = parse_one(
        [
            reply(
                CTY_NAME=["TOTAL FOR ALL COUNTRIES", "KOREA, SOUTH"],
                ALL_VAL_MO=["9", "7"],
                E_COMMODITY=["27", "27"],
                time=["2018-07"] * 2,
            )
        ]
    )
    assert frame["partner"].tolist() == ["0015", "5800"]


def test_groups_get_the_codes_of_this_project_and_not_those_of_country_xlsx():
    _, frame = parse_one(
        [reply(CTY_CODE=["0020", "5XXX", "0003"], ALL_VAL_MO=["1"] * 3, time=["2018-07"] * 3)]
    )
    assert frame["partner"].tolist() == ["USMCA", "0016", "0003"]


def test_year_and_month_columns_are_the_same_as_time():
    one = reply(CTY_CODE=["5800"], GEN_VAL_MO=["7"], time=["2018-07"])
    two = reply(CTY_CODE=["5800"], GEN_VAL_MO=["7"], YEAR=["2018"], MONTH=["07"])
    assert parse_one([one])[1].equals(parse_one([two])[1])


def test_a_chapter_that_lost_its_leading_zero_is_the_same_chapter():
    assert parse_one([chapters(E_COMMODITY="2")])[1]["item"].tolist() == ["02"]


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        ({"ALL_VAL_MO": ["7"]}, "goods_census_nsa_api"),
        ({"GEN_VAL_MO": ["7"]}, "goods_census_nsa_api"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["27"]}, "exports_hs2_nsa"),
        ({"GEN_VAL_MO": ["7"], "I_COMMODITY": ["27"]}, "imports_general_hs2_nsa"),
        ({"CON_VAL_MO": ["7"], "CAL_DUT_MO": ["1"], "I_COMMODITY": ["27"]}, "imports_consumption_hs2_nsa"),
        ({"CON_VAL_MO": ["7"], "CAL_DUT_MO": ["1"]}, "imports_consumption_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["2709"]}, "exports_hs4_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["270900"]}, "exports_hs6_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_COMMODITY": ["2709002010"]}, "exports_hs10_nsa"),
        ({"ALL_VAL_MO": ["7"], "NAICS": ["211"], "COMM_LVL": ["NA3"]}, "exports_naics_nsa"),
        ({"GEN_VAL_MO": ["7"], "NAICS": ["211"]}, "imports_general_naics_nsa"),
        ({"ALL_VAL_MO": ["7"], "E_ENDUSE": ["00000"], "COMM_LVL": ["EU5"]}, "exports_enduse_nsa"),
        ({"GEN_VAL_MO": ["7"], "I_ENDUSE": ["10000"]}, "imports_general_enduse_nsa"),
    ],
)
def test_the_columns_tell_the_table(columns, table):
    told, frame = parse_one([reply(CTY_CODE=["5800"], time=["2018-07"], **columns)])
    assert told == table
    assert frame["flow"].tolist() == ["exports" if "ALL_VAL_MO" in columns else "imports"]
    assert ("duty_usd" in frame) == ("CAL_DUT_MO" in columns)
    if table != "goods_census_nsa_api":
        assert len(check_flows(frame, table)) == 1


NO_DUTY = {"GEN_VAL_MO": ["9"], "CON_VAL_MO": ["7"], "time": ["2018-07"]}
IMPORTS = {"GEN_VAL_MO": ["9", "8"], "CON_VAL_MO": ["7", "0"], "CAL_DUT_MO": ["1", "0"]}


@pytest.mark.parametrize(
    ("columns", "general", "consumption"),
    [
        ({}, "goods_census_nsa_api", "imports_consumption_nsa"),
        (
            {"I_COMMODITY": ["0101210010"] * 2},
            "imports_general_hs10_nsa",
            "imports_consumption_hs10_nsa",
        ),
        ({"NAICS": ["211"] * 2}, "imports_general_naics_nsa", "imports_consumption_naics_nsa"),
        ({"I_ENDUSE": ["00000"] * 2}, "imports_general_enduse_nsa", "imports_consumption_enduse_nsa"),
    ],
)
def test_a_reply_with_both_kinds_of_imports_makes_two_tables(columns, general, consumption):
    tables = parse([reply(CTY_CODE=["5800", "5700"], time=["2018-07"] * 2, **IMPORTS, **columns)])
    assert sorted(tables) == sorted([general, consumption])
    assert tables[general]["value_usd"].tolist() == [9, 8]
    assert "duty_usd" not in tables[general]
    kept = check_flows(tables[consumption], consumption)
    assert kept.sort_values("partner")[["value_usd", "duty_usd"]].values.tolist() == [[0, 0], [7, 1]]


def test_totals_of_exports_and_imports_together_make_the_one_table_of_goods():
    replies = [
        reply(CTY_CODE=["5800", "5700"], ALL_VAL_MO=["5", "4"], time=["2018-07"] * 2),
        reply(CTY_CODE=["5800", "5700"], time=["2018-07"] * 2, **IMPORTS),
    ]
    tables = parse(replies)
    assert sorted(tables) == ["goods_census_nsa_api", "imports_consumption_nsa"]
    goods = check_flows(tables["goods_census_nsa_api"], "goods_census_nsa_api")
    assert goods.groupby("flow", observed=True)["value_usd"].sum().to_dict() == {"exports": 9, "imports": 17}


def test_rows_for_groups_get_their_codes_in_every_classification():
    codes = ["-", "0020", "5XXX", "5800"]
    one = reply(CTY_CODE=codes, ALL_VAL_MO=["4"] * 4, NAICS=["211"] * 4, time=["2018-07"] * 4)
    assert parse_one([one])[1]["partner"].tolist() == ["0015", "USMCA", "0016", "5800"]


def test_half_a_million_rows_are_parsed_in_seconds():
    """2.3 s of work when written, both tables; what other processes take is not counted."""
    n = 500_000
    codes = [f"{number:010d}" for number in range(101_000_000, 101_000_000 + n // 2)] * 2
    big = {"CTY_CODE": ["5800"] * (n // 2) + ["5700"] * (n // 2), "I_COMMODITY": codes}
    big |= {"GEN_VAL_MO": ["123456789"] * n, "CON_VAL_MO": ["123456789"] * n, "CAL_DUT_MO": ["0"] * n}
    big |= {"time": ["2024-03"] * n, "COMM_LVL": ["HS10"] * n}
    body = wire([list(big), *zip(*big.values(), strict=True)])
    start = time.process_time()
    tables = parse([census_api.read_reply(body)])
    assert time.process_time() - start < 15
    assert {len(table) for table in tables.values()} == {n}


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["5800", "5700", "2010"]), st.integers(1, 12), st.integers(1, 97)),
        st.integers(0, 10**12),
        min_size=1,
        max_size=30,
    )
)
def test_whole_dollars_come_back_as_they_were_sent(cells):
    rows = [[code, str(v), f"{hs:02d}", f"2018-{n:02d}"] for (code, n, hs), v in cells.items()]
    body = wire([["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time"], *rows])
    _, frame = parse_one([census_api.read_reply(body)])
    frame = check_flows(frame, "exports_hs2_nsa")
    back = {
        (row.partner, row.period.month, int(row.item)): int(row.value_usd)
        for row in frame.itertuples(index=False)
    }
    assert back == cells


# --- what the server sends instead of a table ---------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'<html style="font-size: 14px;"><head><title>Missing Key</title></head></html>', "key"),
        (b'<html style="font-size: 14px;"><head><title>Invalid Key</title></head></html>', "begins '<html"),
        (b"error: unknown variable 'XYZ'", "unknown variable 'XYZ'"),
        (b"", "JSON"),
        (QUOTED[:-30], "JSON"),
        (QUOTED[: QUOTED.index(b"\n")], "JSON"),
        (b'{"error": "quota"}', "list of rows"),
        (wire([HEAD]), "list of rows"),
        (wire([HEAD, ["5800", "7"]]), "equal length"),
        (wire([HEAD, ["5800", "7", "2018-07"], ["5800", "7", "2018-08", "x"]]), "equal length"),
    ],
    ids=[
        "missing key",
        "invalid key",
        "error text",
        "204 empty",
        "cut in a row",
        "cut between rows",
        "object",
        "header only",
        "short row",
        "long row",
    ],
)
def test_what_is_no_table_is_refused_and_shown(body, words):
    with pytest.raises(CheckError, match=re.escape(words)):
        census_api.read_reply(body)


@pytest.mark.parametrize("cut", range(1, len(QUOTED), 17))
def test_a_reply_cut_anywhere_is_refused(cut):
    with pytest.raises(CheckError):
        census_api.read_reply(QUOTED[:cut])


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ([chapters(ALL_VAL_MO="(D)")], "ALL_VAL_MO is a number"),
        ([chapters(ALL_VAL_MO="")], "ALL_VAL_MO is a number"),
        ([chapters(CTY_CODE="9998")], "'9998' is not a known CTY_CODE"),
        ([chapters(COMM_LVL="HS4")], "COMM_LVL HS2; the reply says HS4"),
        ([chapters(E_COMMODITY="27090")], "codes of one length, 2 or 4 or 6 or 10 digits"),
        ([chapters(), chapters(E_COMMODITY="2709")], "different tables: exports_hs2_nsa, exports_hs4_nsa"),
        ([pd.concat([chapters(), chapters(E_COMMODITY="2709")], ignore_index=True)], "codes of one length"),
        ([reply(CTY_CODE=["5800"], **NO_DUTY)], "CON_VAL_MO comes with CAL_DUT_MO"),
        ([chapters(GEN_VAL_MO="7")], "No table has these columns"),
        ([chapters(time="2018")], "time is YYYY-MM"),
        ([chapters().rename(columns={"ALL_VAL_MO": "ALL_VAL_YR"})], "No table has these columns.*ALL_VAL_YR"),
        ([chapters().rename(columns={"E_COMMODITY": "I_COMMODITY"})], "No table has these columns"),
        (
            [chapters(), reply(CTY_CODE=["5800"], GEN_VAL_MO=["7"], time=["2018-07"])],
            "different tables: exports_hs2_nsa, goods_census_nsa_api",
        ),
        (
            [
                reply(CTY_CODE=["-"] * 3, ALL_VAL_MO=["7"] * 3, time=["2018-01", "2018-02", "2018-05"]),
                reply(CTY_CODE=["5800"] * 2, ALL_VAL_MO=["7"] * 2, time=["2018-03", "2018-04"]),
            ],
            "lacks 2018-03, 2018-04 of exports",
        ),
        ([chapters(E_COMMODITY="")], "codes of one length"),
        ([chapters(E_COMMODITY="00")], "codes of one length"),
        ([chapters(COMM_LVL=[None])], "the reply says nothing"),
        ([chapters(CTY_CODE="5XXX", CTY_NAME="TOTAL FOR ALL COUNTRIES")], "name beside a code.*0016 +TOTAL"),
        ([chapters(CTY_NAME="JAPAN")], "name beside a code.*5800 +JAPAN"),
        ([chapters(CTY_CODE="", CTY_NAME="JAPAN")], "name beside a code.*0015 +JAPAN"),
        ([chapters(YEAR="2017")], "YEAR is that of time"),
        ([chapters(MONTH="06")], "MONTH is that of time"),
        ([reply(CTY_CODE=["5800"], CON_VAL_MO=["3"], CAL_DUT_MO=["99"], time=["2018-07"])], "exchanged"),
        (
            [
                reply(CTY_CODE=["-"], ALL_VAL_MO=["8"], time=["2018-07"]),
                reply(CTY_CODE=["-"], GEN_VAL_MO=["7"], time=["2018-07"]),
            ],
            "exports are above its imports: are the two exchanged",
        ),
        (
            [reply(CTY_CODE=["-", "5800", "5700"], ALL_VAL_MO=["100", "50", "40"], time=["2018-07"] * 3)],
            "Partners sum to the World row",
        ),
    ],
    ids=[
        "suppressed",
        "blank",
        "unknown code",
        "HS4",
        "five digits",
        "two levels",
        "two levels in one reply",
        "no duties",
        "exports and imports in one reply",
        "a year",
        "cumulative values",
        "wrong commodity column",
        "mixed tables",
        "missing months of the total",
        "no code",
        "no such chapter",
        "no level",
        "the world under the code of a group",
        "the name of another",
        "a code gone, its name there",
        "another year",
        "another month",
        "duties and values exchanged",
        "flows exchanged",
        "partners miss the total",
    ],
)
def test_a_reply_that_makes_no_sound_table_is_refused(broken, words):
    with pytest.raises(TradelibError, match=f"(?s){words}"):
        parse(broken)


def test_a_month_without_the_total_that_the_others_have_is_refused(originals):
    """Half of the last month was taken where its total was in the other half: nothing held it."""
    replies = [
        pd.read_parquet(originals / "census" / f"api_{flow}_total_2025-10-18.parquet") for flow in FLOWS
    ]
    late = [frame[frame["YEAR"].astype(int) >= 2024].astype(str) for frame in replies]
    parse(late)
    cut = [frame[frame["MONTH"].ne("12") | frame["CTY_CODE"].str.match("[1-4]")] for frame in late]
    with pytest.raises(TradelibError, match="total of all countries lacks 2024-12 of exports"):
        parse(cut)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["5800", "-7", "27", "2018-07"]], "no flow is negative"),
        ([["5800", "7", "27", "2018-07"]] * 2, "one row per partner, flow, item and period"),
        ([["5800", "7.5", "27", "2018-07"]], "whole dollars"),
    ],
)
def test_the_contract_refuses_what_is_no_flow_of_trade(rows, words):
    body = wire([["CTY_CODE", "ALL_VAL_MO", "E_COMMODITY", "time"], *rows])
    with pytest.raises(CheckError, match=words):
        check_flows(parse_one([census_api.read_reply(body)])[1], "exports_hs2_nsa")


def test_the_wire_helper_writes_what_a_json_reader_reads():
    rows = [HEAD, ["5800", 'say "seven"', "2018-07"]]
    assert json.loads(wire(rows)) == rows


def test_a_reply_on_the_total_makes_the_table_of_all_goods():
    body = b'[["CTY_CODE","ALL_VAL_MO","time"],["-","7","2018-07"]]'
    assert census_api.read_rows(body)[0] == ["CTY_CODE", "ALL_VAL_MO", "time"]
    assert census_api.read_reply(body).shape == (1, 3)
    table, frame = parse_one([census_api.read_reply(body)])
    assert (table, frame["partner"].tolist()) == ("goods_census_nsa_api", ["0015"])
