"""BEA's data API: what is asked, how patiently, what is kept, and what is made of every answer."""

import json
import logging
import warnings
from collections import Counter

import pandas as pd
import pytest
from bea_server import INVALID_KEY, KEY, NOISE, BeaServer, data_results, envelope, ita_rows, service_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import loaders
from tradelib.errors import FetchError, TradelibError
from tradelib.sources import bea_api, download, ingest
from tradelib.sources.bea_api import (
    as_list,
    fetch_services,
    fetch_trade,
    is_bea_reply,
    last_updated,
    partners_of,
    results_of,
    without_request,
)
from tradelib.sources.download import Throttle
from tradelib.tables import CheckError, check_flows

ITEMS = ["AllServiceTypes", "Travel", "Transport"]


def quarters(partners=("5800", "4120", "0003"), periods=("2018Q1", "2018Q2")):
    """Exports, imports and balance of goods, services and both; in dollars, as the table has them."""
    rows = []
    for p, code in enumerate(partners):
        for q, period in enumerate(periods):
            exports = {"goods": 13_000 + 10 * q + p, "services": 6_000 + q}
            imports = {"goods": 17_500 + 7 * q + p, "services": 2_900 + q}
            for side in (exports, imports):
                side["total"] = side["goods"] + side["services"]
            for item in exports:
                values = {"exports": exports[item], "imports": imports[item]}
                values["balance"] = values["exports"] - values["imports"]
                rows += [
                    {"period": pd.Period(period, "Q"), "partner": code, "flow": flow, "item": item}
                    | {"value_usd": value * 1e6, "note": None}
                    for flow, value in values.items()
                ]
    return pd.DataFrame(rows).astype({"note": "str"})


def years(partners=("5800", "4120", "0015"), periods=("2022", "2023")):
    """Exports, imports and balance of services by type."""
    rows = []
    for p, code in enumerate(partners):
        for y, period in enumerate(periods):
            for n, item in enumerate(ITEMS):
                values = {"exports": 900 + 100 * n + 10 * y + p, "imports": 500 + 50 * n + y}
                values["balance"] = values["exports"] - values["imports"]
                rows += [
                    {"period": pd.Period(period, "Y"), "partner": code, "flow": flow, "item": item}
                    | {"value_usd": value * 1e6, "note": None}
                    for flow, value in values.items()
                ]
    return pd.DataFrame(rows).astype({"note": "str"})


def parse_trade(replies):
    return bea_api.parse(replies)["trade_bop_sa_api"]


def parse_services(replies):
    return bea_api.parse(replies)["services_bop_annual"]


@pytest.fixture
def api(mirror, monkeypatch):
    monkeypatch.setenv("BEA_API_KEY", KEY)
    return BeaServer(mirror, trade=quarters(), services=years())


def list_reply(*areas):
    """A list of areas as BEA sends it."""
    listed = [{"Key": key, "Desc": desc} for key, desc in areas]
    return json.dumps(envelope({"ParamValue": listed})).encode()


AREAS = list_reply(
    ("SouthKorea", "South Korea"), ("UnitedKingdom", "United Kingdom"), ("EU", "European Union")
)


def data_reply(rows, updated="2025-03-06"):
    return json.dumps(envelope(data_results(rows, updated))).encode()


def trade_replies(rows=None):
    return [AREAS, data_reply(rows if rows is not None else ita_rows(quarters()))]


def changed(rows, wanted, **fields):
    """Rows, with fields of those put that have the wanted ones."""
    found = [wanted.items() <= row.items() for row in rows]
    assert any(found)
    return [row | fields if hit else row for row, hit in zip(rows, found, strict=True)]


def same(frame, other):
    """Whether two tables hold the same figures."""
    keys = ["partner", "flow", "item", "period"]
    one, two = (f[[*keys, "value_usd"]].sort_values(keys, ignore_index=True) for f in (frame, other))
    return one.astype({"partner": "str", "flow": "str", "item": "str"}).equals(
        two.astype({"partner": "str", "flow": "str", "item": "str"})
    )


# --- trade --------------------------------------------------------------------------------------


def test_trade_is_the_list_of_areas_and_one_query_for_each_indicator(api):
    frame = parse_trade(fetch_trade(tag="2025-03-06"))
    assert same(check_flows(frame, "trade_bop_sa_api"), quarters())
    assert api.requests[0] == {
        "method": "GetParameterValues",
        "DatasetName": "ITA",
        "ParameterName": "AreaOrCountry",
        "ResultFormat": "JSON",
    }
    assert len(api.requests) == 10
    assert {request["Indicator"] for request in api.requests[1:]} == {
        *("ExpGds", "ExpServ", "ExpGdsServ", "ImpGds", "ImpServ", "ImpGdsServ"),
        *("BalGds", "BalServ", "BalGdsServ"),
    }
    same_in_all = {"method": "GetData", "DatasetName": "ITA", "AreaOrCountry": "All"}
    same_in_all |= {"Frequency": "QSA", "Year": "ALL", "ResultFormat": "JSON"}
    assert all(same_in_all.items() <= request.items() for request in api.requests[1:])


def test_the_bundled_workbook_played_as_the_api_gives_its_figures_again(mirror, monkeypatch):
    book = loaders.load("trade_bop_sa", as_of="2025-03-06")
    book = book[~book["partner"].isin(["0009", "REST"])]  # the API draws South and Central America otherwise
    monkeypatch.setenv("BEA_API_KEY", KEY)
    BeaServer(mirror, trade=book)
    frame = check_flows(parse_trade(fetch_trade(tag="2025-03-06")), "trade_bop_sa_api")
    assert len(frame) == len(book) == 25 * 9 * 104
    assert same(frame, book)
    assert set(frame.loc[frame["value_usd"].isna(), "note"]) == {"n.a."}
    half = frame[(frame["partner"] == "5800") & (frame["item"] == "services") & (frame["flow"] == "balance")]
    half = half[half["period"].astype(str).isin(["2018Q1", "2018Q2"])]
    assert half["value_usd"].sum() == 7_130_000_000, "kei.3, as that vintage has it"


def test_a_reply_of_one_observation_is_an_object_and_is_read(mirror, monkeypatch):
    monkeypatch.setenv("BEA_API_KEY", KEY)
    alone = quarters(("5800",), ("2018Q2",))
    BeaServer(mirror, trade=alone, noise=False)
    bodies = fetch_trade(tag="a")
    assert isinstance(results_of(bodies[1])["Data"], dict)
    assert same(parse_trade(bodies), alone)


def test_replies_are_parsed_in_any_order_and_from_raw_files_too():
    rows = ita_rows(quarters())
    halves = [data_reply(rows[::2]), AREAS, data_reply(rows[1::2])]
    assert parse_trade(halves).equals(parse_trade(halves)) and same(parse_trade(halves), quarters())
    assert same(parse_trade([without_request(reply) for reply in halves]), quarters())
    with_bom = [b"\xef\xbb\xbf" + reply for reply in halves]
    assert all(map(is_bea_reply, with_bom)) and same(parse_trade(with_bom), quarters())


def test_the_world_is_the_adjusted_one_in_quarters_and_plain_in_years():
    areas = list_reply(("AllCountries", "All countries"))
    trade = parse_trade([areas, data_reply(ita_rows(quarters(("0004",))))])
    services = parse_services([areas, data_reply(service_rows(years(("0015",))))])
    assert set(trade["partner"]) == {"0004"} and set(services["partner"]) == {"0015"}


# --- services -----------------------------------------------------------------------------------


def test_services_are_one_query_for_each_partner(api):
    frame = check_flows(parse_services(fetch_services(tag="2025-07-03")), "services_bop_annual")
    want = years()
    assert same(frame, want[want["flow"] != "balance"])
    assert [request.get("AreaOrCountry") for request in api.requests] == [
        None,
        *("SouthKorea", "UnitedKingdom", "AllCountries"),
    ]
    wanted = {"DatasetName": "IntlServTrade", "TypeOfService": "All", "Affiliation": "AllAffiliations"}
    assert all((wanted | {"Year": "ALL"}).items() <= request.items() for request in api.requests[1:])


def test_a_partner_of_which_bea_has_nothing_is_passed_over(api):
    api.fault = lambda n, args: "no data" if args.get("AreaOrCountry") == "UnitedKingdom" else None
    frame = parse_services(fetch_services(tag="a"))
    assert set(frame["partner"]) == {"5800", "0015"}


def test_a_suppressed_service_is_missing_with_its_mark(mirror, monkeypatch):
    monkeypatch.setenv("BEA_API_KEY", KEY)
    data = years()
    hidden = (data["partner"] == "5800") & (data["item"] == "Travel") & (data["flow"] != "imports")
    data.loc[hidden, ["value_usd", "note"]] = [float("nan"), "(D)"]
    BeaServer(mirror, services=data)
    frame = check_flows(parse_services(fetch_services(tag="a")), "services_bop_annual")
    gone = frame[frame["value_usd"].isna()]
    assert len(gone) == 2 and set(gone["note"]) == {"(D)"} and set(gone["item"]) == {"Travel"}


def test_services_whose_balance_is_off_are_refused():
    rows = service_rows(years())
    wanted = {"TypeOfService": "Travel", "TradeDirection": "Balance", "TimePeriod": "2023"}
    wanted |= {"AreaOrCountry": "SouthKorea"}
    with pytest.raises(CheckError, match="balance is exports less imports") as refusal:
        parse_services([AREAS, data_reply(changed(rows, wanted, DataValue="9"))])
    assert "Travel" in str(refusal.value) and "2023" in str(refusal.value)


# --- values and marks ---------------------------------------------------------------------------

PLACE = {"AreaOrCountry": "SouthKorea", "TimePeriod": "2018Q2", "Indicator": "ExpServ"}


@pytest.mark.parametrize(
    ("fields", "value", "note"),
    [
        ({"DataValue": "6,001"}, 6_001_000_000, None),
        ({"DataValue": " 6001 "}, 6_001_000_000, None),
        ({"DataValue": "6,001,400", "UNIT_MULT": "3"}, 6_001_400_000, None),
        ({"DataValue": "6001000001", "UNIT_MULT": "0"}, 6_001_000_001, None),
        ({"DataValue": "(D)"}, None, "(D)"),
        ({"DataValue": "(D)", "NoteRef": "(D)"}, None, "(D)"),
        ({"DataValue": "", "NoteRef": "(D)"}, None, "(D)"),
        ({"DataValue": "(NA)"}, None, "n.a."),
        ({"DataValue": "n.a."}, None, "n.a."),
        ({"DataValue": ""}, None, "n.a."),
        ({"DataValue": None}, None, "n.a."),
        ({"DataValue": "(NM)"}, None, "(NM)"),
    ],
)
def test_a_value_and_its_mark(fields, value, note):
    rows = changed(ita_rows(quarters()), PLACE, **fields)
    frame = check_flows(parse_trade(trade_replies(rows)), "trade_bop_sa_api")
    (row,) = frame[
        (frame["partner"] == "5800")
        & (frame["period"] == pd.Period("2018Q2", "Q"))
        & (frame["flow"] == "exports")
        & (frame["item"] == "services")
    ].itertuples()
    assert row.value_usd == value or (value is None and pd.isna(row.value_usd))
    assert row.note == note or (note is None and pd.isna(row.note))


def test_nearly_zero_is_zero_with_its_mark():
    rows = ita_rows(quarters())
    rows = changed(rows, PLACE, DataValue="(*)", NoteRef="(*)")
    rows = changed(rows, PLACE | {"Indicator": "BalServ"}, DataValue="-2,901")
    rows = changed(rows, PLACE | {"Indicator": "ExpGdsServ"}, DataValue="13,010")
    rows = changed(rows, PLACE | {"Indicator": "BalGdsServ"}, DataValue="-7,398")
    frame = parse_trade(trade_replies(rows))
    (row,) = frame[frame["note"] == "(*)"].itertuples()
    assert (row.partner, row.value_usd) == ("5800", 0.0)


BROKEN_ROWS = {
    "another currency": ({"CL_UNIT": "KRW"}, ["CL_UNIT must be USD", "KRW"]),
    "no unit": ({"CL_UNIT": None}, ["CL_UNIT must be USD", "nothing"]),
    "a word": ({"DataValue": "see note"}, ["DataValue is a number", "see note", "SouthKorea"]),
    "no multiplier": ({"UNIT_MULT": ""}, ["UNIT_MULT", "SouthKorea"]),
    "not finite": ({"DataValue": "inf"}, ["DataValue is a number", "inf"]),
    "a wrong figure": ({"DataValue": "6,100"}, ["balance is exports less imports", "5800", "2018Q2"]),
    "a month": ({"TimePeriod": "2018M06"}, ["TimePeriod", "2018M06"]),
    "a fifth quarter": ({"TimePeriod": "2018Q5"}, ["TimePeriod", "2018Q5"]),
    "not adjusted": ({"Frequency": "QNSA"}, ["Frequency must be QSA", "QNSA"]),
    "twice, otherwise": ({"TimePeriod": "2018Q1"}, ["one figure per partner and period", "2018Q1"]),
    "another indicator": ({"Indicator": "BalCurrAcct"}, ["Indicator must be", "BalCurrAcct"]),
}


@pytest.mark.parametrize("case", BROKEN_ROWS)
def test_a_broken_row_is_refused_with_the_place_and_the_rule(case):
    fields, words = BROKEN_ROWS[case]
    parse_trade(trade_replies())
    with pytest.raises(CheckError) as refusal:
        parse_trade(trade_replies(changed(ita_rows(quarters()), PLACE, **fields)))
    for word in words:
        assert word in str(refusal.value)


@pytest.mark.parametrize("indicator", bea_api.INDICATORS)
def test_a_figure_off_by_more_than_rounding_is_refused_and_by_rounding_kept(indicator):
    rows = ita_rows(quarters())
    (row,) = [row for row in rows if (PLACE | {"Indicator": indicator}).items() <= row.items()]
    number = int(row["DataValue"].replace(",", ""))
    off = changed(rows, PLACE | {"Indicator": indicator}, DataValue=f"{number + 1:,}")
    assert len(parse_trade(trade_replies(off))) == len(rows)
    off = changed(rows, PLACE | {"Indicator": indicator}, DataValue=f"{number + 2:,}")
    with pytest.raises(CheckError):
        parse_trade(trade_replies(off))


def test_a_missing_indicator_is_refused():
    rows = [row for row in ita_rows(quarters()) if row["Indicator"] != "BalServ"]
    with pytest.raises(CheckError, match="BalServ"):
        parse_trade(trade_replies(rows))


def test_a_missing_column_is_refused():
    rows = [{k: v for k, v in row.items() if k != "CL_UNIT"} for row in ita_rows(quarters())]
    with pytest.raises(CheckError, match="no such column"):
        parse_trade(trade_replies(rows))


@pytest.mark.parametrize("which", [slice(0, 1), slice(1, 2)])
def test_the_list_of_areas_and_data_are_both_needed(which):
    with pytest.raises(CheckError, match="list of areas"):
        bea_api.parse(trade_replies()[which])


def test_replies_of_the_other_kind_are_told_as_such(tmp_path):
    assert set(bea_api.parse(trade_replies())) == {"trade_bop_sa_api"}
    paths = [tmp_path / f"{n}.json" for n in range(2)]
    for path, body in zip(paths, trade_replies(), strict=True):
        path.write_bytes(body)
    with pytest.raises(TradelibError, match=r"0\.json is trade_bop_sa_api, not services_bop_annual"):
        ingest.ingest(paths, table="services_bop_annual", published="2025-03-06")


def test_a_reply_is_taken_out_of_its_envelope():
    good = b'{"BEAAPI": {"Request": {"RequestParam": []}, "Results": {"Data": []}}}'
    assert without_request(good) == b'{"BEAAPI": {"Results": {"Data": []}}}'
    assert is_bea_reply(b' {"BEAAPI": {}}') and not is_bea_reply(b'[["CTY_CODE"]]')
    assert as_list({"DataValue": "7"}) == [{"DataValue": "7"}]
    bad = b'{"BEAAPI": {"Error": {"APIErrorCode": "40", "APIErrorDescription": "Bad Year."}}}'
    with pytest.raises(FetchError, match=r"^BEA refuses: Bad Year. \(APIErrorCode 40\)$"):
        results_of(bad)


# --- areas --------------------------------------------------------------------------------------

#: As lists of parameter values stored in public repositories have them.
LISTED = {
    "CzechRep": ("Czech Republic", "4351"),
    "DominicanRep": ("Dominican Republic", "2470"),
    "KoreaRepOf": ("Republic of Korea", "5800"),
    "SouthKorea": ("South Korea", "5800"),
    "Uae": ("United Arab Emirates", "5200"),
    "Turkey": ("Turkey", "4890"),
    "SouthAfrica": ("South Africa", "7910"),
    "EU": ("European Union", "0003"),
    "EuroArea": ("Euro Area", "EURO"),
    "CaftaDrCountries": ("CAFTA-DR countries", "0017"),
    "AllCountries": ("All countries", "0015"),
}


@pytest.mark.parametrize("key", LISTED)
def test_areas_that_are_partners(key):
    desc, code = LISTED[key]
    assert partners_of([{"Key": key, "Desc": desc}]) == {key: code}


@pytest.mark.parametrize(
    "desc",
    [
        *NOISE.values(),
        "All countries other than Canada",
        "Europe",
        "Europe excluding European Union",
        "Europe; other countries (those not listed in table 2.3)",
        "Other Euro area",
        "Other European Union",
        "Central America",
        "South America",
        "Asia and Pacific",
        "Middle East",
        "Members of OPEC",
        "United Kingdom Islands, Caribbean",
        "South and Central America, other (excluding 4 countries; inward direct investment)",
    ],
)
def test_regions_and_remainders_are_left_out_without_a_word(desc):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert partners_of([{"Key": "X", "Desc": desc}]) == {}


def test_bea_s_south_and_central_america_holds_mexico_and_is_not_the_workbook_s():
    assert partners_of([{"Key": "SouthAndCenAm", "Desc": "South and Central America"}]) == {}


def test_an_area_that_is_neither_is_told():
    with pytest.warns(UserWarning, match=r"'Ruritania' is no partner that we know.*partners.csv"):
        assert partners_of([{"Key": "Ruritania", "Desc": "Ruritania"}]) == {}


def test_an_area_among_the_data_that_is_in_no_list_is_known_by_its_key_or_told():
    rows = ita_rows(quarters())
    areas = list_reply(("UnitedKingdom", "United Kingdom"))
    assert set(parse_trade([areas, data_reply(rows)])["partner"]) >= {"5800", "4120"}
    odd = [row | {"AreaOrCountry": "Ruritania"} for row in rows]
    with (
        pytest.warns(UserWarning, match="Ruritania"),
        pytest.raises(CheckError, match="No row of these replies is of a partner"),
    ):
        parse_trade([areas, data_reply(odd)])


def test_one_partner_under_two_keys_is_one_if_the_figures_agree():
    rows = ita_rows(quarters())
    again = [row | {"AreaOrCountry": "EuropeanUnion"} for row in rows if row["AreaOrCountry"] == "EU"]
    two = list_reply(
        *(("SouthKorea", "South Korea"), ("UnitedKingdom", "United Kingdom")),
        *(("EU", "European Union"), ("EuropeanUnion", "European Union")),
    )
    assert same(parse_trade([two, data_reply(rows + again)]), quarters())
    with pytest.raises(CheckError, match="one figure per partner and period"):
        parse_trade([two, data_reply(rows + [row | {"DataValue": "5"} for row in again])])


# --- what is told of them -----------------------------------------------------------------------


def test_the_date_of_the_last_update_is_the_newest_of_the_replies():
    told = b'{"BEAAPI": {"Results": {"TsLastUpdated": "2025-03-06 08:30:00.000", "Data": []}}}'
    assert last_updated([told]) == "2025-03-06"
    rows = ita_rows(quarters())
    assert (
        last_updated([AREAS, data_reply(rows, "2025-03-06"), data_reply(rows, "2025-03-20")]) == "2025-03-20"
    )
    assert last_updated([AREAS]) is None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"error": 1}', b"<html>", b"PK\x03\x04", b'[["BEAAPI"]]'])
def test_other_files_are_no_replies_of_bea(data):
    assert not is_bea_reply(data)


def test_kept_replies_are_taken_in_by_ingest(api, tmp_path):
    paths = []
    for n, body in enumerate(fetch_trade(tag="a")):
        paths.append(tmp_path / f"{n}.json")
        paths[-1].write_bytes(body)
    with pytest.raises(CheckError, match="cannot be believed beside trade_bop_sa of 2025-03-06"):
        ingest.ingest(paths, published="2025-03-06")  # some of what is played is invented
    ((vintage, written),) = ingest.ingest(paths, published="2025-03-06", accept="played")
    assert written and vintage.table == "trade_bop_sa_api" and vintage.rows == len(quarters())


# --- errors -------------------------------------------------------------------------------------

FAULTS = {
    "invalid key": ["does not accept the key in BEA_API_KEY", "Invalid API UserId", "signup"],
    "error at the top": ["BEA refuses: Year is missing.", "APIErrorCode 40"],
    "results a list": ["BEA refuses: Error retrieving data.", "201"],
    "several errors": ["BEA refuses: Year is bad. Frequency is bad."],
    "echo": ["BEA refuses: Bad parameters for ***.", "AdditionalDetails"],
    "neither": ["neither Data nor ParamValue, but Statistic"],
    "page": ["a web page instead of figures"],
    "page as json": ["a web page instead of figures"],
    "page after json": ["a web page instead of figures"],
    "cut": ["no whole JSON instead of figures"],
    "empty": ["an empty reply instead of figures"],
    "array": ["no whole JSON instead of figures"],
    "400": ["status 400", "an error for ***"],
    "404": ["status 404"],
    "429": ["come back in 60 minutes", "status 429"],
    "500": ["did not answer, after 5 attempts", "status 500"],
}


def kept():
    return sorted(download.cache_path().glob("*.json"))


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_told_in_words_and_never_kept(api, kind):
    api.fault = lambda n, args: kind if n >= 4 else None
    with pytest.raises(FetchError) as refusal:
        fetch_trade(tag="a")
    for words in FAULTS[kind]:
        assert words in str(refusal.value)
    assert len(kept()) == 3, "what came before it"
    api.fault = lambda n, args: None
    before = len(api.requests)
    assert same(parse_trade(fetch_trade(tag="a")), quarters())
    assert len(api.requests) - before == 7, "and it goes on where it stopped"


def test_the_query_that_failed_is_named(api):
    api.fault = lambda n, args: "error at the top" if args.get("Indicator") == "ImpServ" else None
    with pytest.raises(FetchError, match="'Indicator': 'ImpServ'"):
        fetch_trade(tag="a")


@pytest.mark.parametrize("kind", ["500", "503"])
def test_a_passing_fault_is_asked_again(api, kind):
    api.fault = lambda n, args: kind if n in (1, 2, 5) else None
    assert same(parse_trade(fetch_trade(tag="a")), quarters())
    assert len(api.requests) == 13
    assert bea_api.THROTTLE.total("errors") == 3 and bea_api.THROTTLE.total("requests") == 13


def test_the_same_tag_asks_for_nothing_twice_and_another_for_everything(api):
    first = fetch_trade(tag="2025-03-06")
    assert fetch_trade(tag="2025-03-06") == first and len(api.requests) == 10
    fetch_trade(tag="2025-06-05")
    assert Counter(request.get("Indicator") for request in api.requests)["BalGds"] == 2


# --- the key ------------------------------------------------------------------------------------


def test_without_a_key_nothing_is_asked(api, monkeypatch):
    monkeypatch.delenv("BEA_API_KEY")
    with pytest.raises(FetchError, match=r"BEA_API_KEY is not set.\n.*https://apps.bea.gov/API/signup/"):
        fetch_trade(tag="a")
    assert api.requests == []


def test_a_wrong_key_is_told_as_such(api, monkeypatch):
    monkeypatch.setenv("BEA_API_KEY", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(FetchError, match="does not accept the key in BEA_API_KEY"):
        fetch_trade(tag="a")
    assert len(api.requests) == 1 and kept() == []


@pytest.mark.parametrize("kind", [None, *FAULTS])
def test_the_key_is_in_no_error_no_file_and_no_log(api, kind, caplog, capfd, tmp_path):
    caplog.set_level(logging.DEBUG)
    api.fault = lambda n, args: kind if n >= 3 else None
    told = ""
    try:
        bodies = fetch_trade(tag="a", progress=True)
    except TradelibError as error:
        bodies, told = [], f"{error!r} {error} {error.__cause__} {error.__context__}"
    shown = capfd.readouterr()
    logged = [
        record.getMessage() for record in caplog.records if record.name != "werkzeug"
    ]  # the player's own
    seen = [told, *logged, shown.out, shown.err, *(body.decode() for body in bodies)]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 4
    seen += [path.name + path.read_bytes().decode("latin-1") for path in files]
    assert not [text for text in seen if KEY in text.lower() or KEY.replace("-", "") in text.lower()]
    assert not [path for path in kept() if "RequestParam" in path.with_suffix(".body").read_text()]


def test_an_error_in_a_file_saved_by_hand_does_not_show_the_key_either():
    for results in (INVALID_KEY | {"AdditionalDetails": KEY}, {"Statistic": "ITA"}):
        with pytest.raises(FetchError) as refusal:
            results_of(json.dumps(envelope(results)).encode())
        assert KEY not in str(refusal.value).lower()
    for whole in (json.dumps(envelope({})), json.dumps(envelope({}), separators=(",", ":"))):
        for end in range(0, len(whole), 7):
            with pytest.raises(FetchError) as refusal:
                results_of(whole[:end].encode())
            assert KEY[:6] not in str(refusal.value).lower()


# --- limits -------------------------------------------------------------------------------------


class Clock:
    """Time that passes only when somebody sleeps or says so."""

    def __init__(self):
        self.now, self.slept = 0.0, 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds
        self.slept += seconds


def busiest(events, amounts):
    """The most that any 60 seconds hold, their ends included."""
    sums = [sum(a for t, a in zip(events, amounts, strict=True) if s <= t <= s + 60) for s in events]
    return max(sums, default=0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(0, 20_000_000), st.booleans()), min_size=1, max_size=300)
)
def test_no_minute_holds_more_than_bea_allows(requests):
    clock = Clock()
    throttle = Throttle(bea_api.THROTTLE.limits, clock, clock.sleep)
    times, arrived, sizes, failed = [], [], [], []
    for seconds, size, fails in requests:
        throttle.wait()
        times.append(clock.now)
        clock.now += seconds
        throttle.note("bytes", size)
        arrived.append(clock.now)
        sizes.append(size)
        if fails:
            throttle.note("errors")
            failed.append(clock.now)
    assert busiest(times, [1] * len(times)) <= 90 < 100
    assert busiest(arrived, sizes) <= 100_000_000
    assert busiest(failed, [1] * len(failed)) <= 20 < 30


@settings(max_examples=20, deadline=None)
@given(st.floats(0.7, 30), st.integers(0, 500_000), st.integers(1, 400))
def test_whoever_stays_below_the_limits_never_waits(seconds, size, count):
    clock = Clock()
    throttle = Throttle(bea_api.THROTTLE.limits, clock, clock.sleep)
    for _ in range(count):
        throttle.wait()
        clock.now += seconds
        throttle.note("bytes", size)
    assert clock.slept == 0


def test_the_limits_hold_for_a_fetch(api, monkeypatch):
    clock = Clock()
    throttle = Throttle({"requests": 4, "bytes": 80_000_000, "errors": 20}, clock, clock.sleep)
    monkeypatch.setattr(bea_api, "THROTTLE", throttle)
    fetch_trade(tag="a")
    assert clock.slept == 2 * 62, "ten requests, four a minute"
    assert 0 < throttle.total("bytes") < api.bytes, "those of the last minute"
    fetch_trade(tag="a")
    assert clock.slept == 2 * 62, "what is kept costs nothing"


@pytest.mark.parametrize("kind", ["cut", "invalid key", "400", "404"])
def test_a_refused_reply_counts_as_an_error(api, kind):
    api.fault = lambda n, args: kind
    for n in range(1, 4):
        with pytest.raises(FetchError):
            fetch_trade(tag="a")
        assert bea_api.THROTTLE.total("errors") == bea_api.THROTTLE.total("requests") == n
