"""Queries of the Census API: what they ask, how they are asked, and what is made of every answer."""

import fnmatch
import logging
import re
import threading
from collections import Counter

import pandas as pd
import pytest
from census_server import KEY, VALUES, CensusServer, rows_of, with_totals
from helpers import opened
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from tradelib.errors import FetchError, TimedOut, TradelibError
from tradelib.sources import download, replies
from tradelib.sources.census_api import LEVELS, parse_api, read_api_reply
from tradelib.sources.census_fetch import fetch_api
from tradelib.sources.census_query import DIGITS, ROWS, plan, split
from tradelib.store import vintages
from tradelib.tables import check_flows

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
    return fetch_api(plan(flow, classification, **(ALL | wish)), tag=tag, workers=workers)


def tables(bodies):
    return parse_api([read_api_reply(body) for body in bodies])


def kept_files():
    return sorted(replies.cache_path().glob("*.json"))


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
        of_one, of_all = ROWS[classification]
        whole = len(query.codes) == DIGITS[classification]
        part = 0.3 if query.codes else 1  # chapters 80 to 89 are the largest tenth
        assert count * (of_one if query.place else of_all * part) <= 100_000 or whole or count == 1
        assert query.place or count <= 12


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


@pytest.mark.parametrize("workers", [0, 9])
def test_a_public_server_is_not_pressed(api, workers):
    with pytest.raises(TradelibError, match=f"{workers} queries at once is not allowed; 1 to 8 are"):
        fetch(workers=workers)
    assert api.requests == []


def test_the_bar_shows_queries_and_rows(api, capsys):
    fetch_api(plan("exports", "hs2", **ALL), tag="t", progress=True)
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
        fetch_api(plan("exports", "hs2", partners=["5800"], since="2018-07", through="2018-07"), tag="t")
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


@pytest.mark.parametrize("classification", sorted(LEVELS))
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
        fetch_api(plan("exports", "hs2", **ALL), tag="t", progress=True)
    except FetchError as error:
        while error:
            words += [str(error), repr(error)]
            error = error.__cause__ or error.__context__
    shown = capsys.readouterr()
    written = [path.read_bytes() for path in replies.cache_path().rglob("*") if path.is_file()]
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
    (bundled,) = vintages.list_vintages(table)
    pd.testing.assert_frame_equal(check_flows(frame, table), vintages.read(bundled))
