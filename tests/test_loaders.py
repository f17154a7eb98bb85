"""Loading by date: the newest vintage known on a day, never a later one unless it is asked for."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import list_vintages, load, load_chapters, load_goods, load_goods_sa, load_trade
from tradelib.errors import TradelibError
from tradelib.loaders import find_release, pick

GOODS = [
    (v.published, v.through, v.since) for v in list_vintages("goods_census_nsa") if v.origin == "bundled"
]


# --- choosing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "published"),
    [
        ("2012-02-10", "2012-02-10"),
        ("2018-10-04", "2017-01-06"),
        ("2018-10-05", "2018-10-05"),
        ("2020-10-05", "2018-10-05"),
        ("2025-04-02", "2024-10-08"),
        ("2025-04-03", "2025-04-03"),
        ("2100-01-01", "2025-04-03"),
    ],
)
def test_the_newest_vintage_on_or_before_the_day_is_taken(as_of, published):
    assert str(pick("goods_census_nsa", as_of=as_of).published) == published
    assert pick("goods_census_nsa", as_of=date.fromisoformat(as_of)).lag_days(date.fromisoformat(as_of)) == 0


def test_a_vintage_must_reach_the_months_asked_for():
    assert str(pick("goods_census_nsa", as_of="2018-12-31", through="2018-08").published) == "2018-10-05"
    with pytest.raises(TradelibError, match="published by 2018-12-31 reaching 2018-09"):
        pick("goods_census_nsa", as_of="2018-12-31", through="2018-09")
    with pytest.raises(TradelibError, match="reaching 1984-01"):
        pick("goods_census_nsa", as_of="2018-12-31", since="1984-01")


def test_the_newest_that_reaches_is_taken_even_if_a_newer_one_does_not():
    """API chapters start in 2023 in the newest table; an older one has the earlier months."""
    assert str(pick("exports_hs2_nsa", as_of="2030-01-01", since="2013-01").published) == "2020-12-04"


def test_a_later_vintage_is_taken_only_when_asked_for_and_tells_its_lag():
    with pytest.raises(TradelibError):
        load_goods(as_of="2018-09-05", since="2018-07", through="2018-07")
    july = load_goods(as_of="2018-09-05", since="2018-07", through="2018-07", nearest_later=True)
    assert set(july["vintage"]) == {"2018-10-05"}
    assert set(july["vintage_lag_days"]) == {30}


def test_asking_for_later_ones_changes_nothing_where_an_earlier_one_is_there():
    one, two = (load_goods(as_of="2020-01-01", partner="5800", nearest_later=flag) for flag in (False, True))
    assert one.equals(two) and set(two["vintage_lag_days"]) == {0}


def test_the_earliest_of_the_later_ones_is_taken():
    assert str(pick("goods_census_nsa", as_of="2000-01-01", nearest_later=True).published) == "2012-02-10"
    later = pick("goods_census_nsa", as_of="2000-01-01", through="2020-09", nearest_later=True)
    assert str(later.published) == "2023-03-08"


def test_an_error_names_the_vintages_there_are_and_what_to_do():
    with pytest.raises(TradelibError) as early:
        load_goods(as_of="1990-01-01")
    for published, through, _ in GOODS:
        assert f"{published} (through {through})" in str(early.value)
    assert "nearest_later=True" in str(early.value)
    with pytest.raises(TradelibError) as beyond:
        load_goods(as_of="2030-01-01", through="2029-01", nearest_later=True)
    assert "tradelib ingest" in str(beyond.value) and "nearest_later" not in str(beyond.value)


@given(
    day=st.dates(date(2005, 1, 1), date(2027, 12, 31)),
    through=st.one_of(st.none(), st.integers(0, 12 * 42 - 1)),
    later=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_choice_equals_a_search_by_hand(day, through, later):
    month = None if through is None else f"{1985 + through // 12}-{through % 12 + 1:02d}"
    reaching = sorted(p for p, last, _ in GOODS if month is None or last >= month)
    expected = max((p for p in reaching if p <= day), default=None)
    if expected is None and later:
        expected = min(reaching, default=None)
    try:
        found = pick("goods_census_nsa", as_of=day, through=month, nearest_later=later).published
    except TradelibError:
        found = None
    assert found == expected


@pytest.mark.parametrize("as_of", ["latest", "2018", "5 October 2018", "", "2018-02-30"])
def test_the_library_takes_an_explicit_iso_date_and_nothing_else(as_of):
    with pytest.raises(TradelibError, match="YYYY-MM-DD"):
        load_goods(as_of=as_of)


def test_the_as_of_date_has_no_default():
    with pytest.raises(TypeError):
        load_goods()
    with pytest.raises(TypeError):
        load_goods("2018-10-05")


# --- what comes back ----------------------------------------------------------------------------


def test_rows_are_cut_to_the_months_asked_for():
    frame = load_goods(as_of="2018-10-05", since="2018-01", through="2018-07", partner="5800")
    assert frame["period"].unique().tolist() == list(pd.period_range("2018-01", "2018-07", freq="M"))
    assert frame.groupby("flow").size().to_dict() == {"exports": 7, "imports": 7}


def test_rows_are_cut_to_the_quarters_and_years_asked_for():
    quarters = load_trade(as_of="2025-03-06", since="2018Q1", through="2018Q2", partner="5800")
    assert set(quarters["period"].astype(str)) == {"2018Q1", "2018Q2"}
    years = load_trade(as_of="2025-03-06", annual=True, since="2017", through="2018", partner="5800")
    assert set(years["period"].astype(str)) == {"2017", "2018"}


def test_every_row_says_its_table_vintage_and_lag():
    frame = load_goods(as_of="2018-10-05", through="2018-07", partner=["5800", "5700"])
    assert set(frame["partner"]) == {"5800", "5700"}
    row = frame[100:101].iloc[0]
    assert (row["table"], row["vintage"], row["vintage_lag_days"]) == ("goods_census_nsa", "2018-10-05", 0)


def test_a_frame_can_be_changed_by_its_user_without_touching_the_next_one():
    first = load_goods(as_of="2018-10-05", partner="5800")
    first["value_usd"] = 0.0
    assert load_goods(as_of="2018-10-05", partner="5800")["value_usd"].sum() > 0


@pytest.mark.parametrize("as_of", ["2025-10-18", "2026-12-31"])
def test_the_api_table_never_stands_in_for_the_workbook(as_of):
    assert set(load_goods(as_of=as_of, partner="5800")["table"]) == {"goods_census_nsa"}
    assert pick("goods_census_nsa", as_of=as_of).through == "2025-02"
    with pytest.raises(TradelibError):
        load_goods(as_of=as_of, through="2025-03")
    api = load("goods_census_nsa_api", as_of=as_of, partner="5800")
    assert set(api["table"]) == {"goods_census_nsa_api"} and set(api["vintage"]) == {"2025-10-18"}


def test_each_loader_returns_the_table_of_its_name():
    options = {"as_of": "2025-12-31", "partner": "5800"}
    tables = {
        "goods_census_nsa": load_goods(**options),
        "goods_census_sa": load_goods_sa(**options),
        "trade_bop_sa": load_trade(**options),
        "trade_bop_annual": load_trade(annual=True, **options),
        "exports_hs2_nsa": load_chapters(flow="exports", **options),
        "imports_general_hs2_nsa": load_chapters(flow="imports", **options),
        "imports_consumption_hs2_nsa": load_chapters(flow="imports", imports="consumption", **options),
    }
    for name, frame in tables.items():
        assert set(frame["table"]) == {name} and len(frame)


def test_imports_are_general_imports_unless_said_and_never_served_for_the_other():
    with pytest.raises(TradelibError, match="imports_general_hs2_nsa"):
        load_chapters(flow="imports", as_of="2025-12-31", since="2018-01", through="2018-07")
    consumption = load_chapters(flow="imports", imports="consumption", as_of="2020-12-04", partner="5800")
    assert "duty_usd" in consumption and (consumption["duty_usd"] >= 0).all()


def test_an_unknown_table_is_told_with_the_known_ones():
    with pytest.raises(TradelibError, match=r"There is no table 'goods'.\n  Tables: goods_census_nsa"):
        load("goods", as_of="2018-10-05")


# --- releases -----------------------------------------------------------------------------------


def test_a_release_outside_the_calendar_takes_its_date_from_a_stored_country_table(store):
    from tradelib.store import vintages

    assert find_release("2030-02").published is None
    rows = [
        {"period": pd.Period("2030-02", "M"), "partner": "5800", "flow": flow, "item": "goods"}
        for flow in ("exports", "imports")
    ]
    frame = pd.DataFrame(rows).assign(value_usd=1.0, note=pd.Series(pd.NA, dtype="str"))
    options = {"sources": [], "parser": ""}
    vintages.save(frame, "goods_census_nsa", published=date(2030, 4, 30), dated_by="saved", **options)
    assert find_release("2030-02").published is None, "the day by which a copy was saved is no release date"
    vintages.save(frame, "goods_census_nsa", published=date(2030, 4, 4), **options)
    found = find_release("2030-02")
    assert (found.published, found.how_known) == (date(2030, 4, 4), "from a stored vintage")


def test_the_calendar_wins_over_stored_vintages():
    assert find_release("2018-07").published == date(2018, 9, 5)


# --- wrong arguments say what is right (append to tests/test_loaders.py) --------------------------


@pytest.mark.parametrize("who", ["KOR", "South Korea", 5800, ["5800"]])
def test_a_table_is_loaded_for_a_partner_by_any_of_its_names(who):
    found = load_goods(as_of="2018-10-05", partner=who, since="2018-07", through=pd.Period("2018-07", "M"))
    assert found["partner"].unique().tolist() == ["5800"] and len(found) == 2


def test_an_unknown_partner_is_refused_with_near_ones():
    with pytest.raises(TradelibError, match="'Koera' matches no partner"):
        load_goods(as_of="2018-10-05", partner="Koera")


@pytest.mark.parametrize("end", ["since", "through"])
def test_a_thirteenth_month_is_refused_as_such(end):
    with pytest.raises(TradelibError, match=f"{end} '2018-13' is not a month"):
        load_goods(as_of="2018-10-05", **{end: "2018-13"})


def test_a_month_asked_of_quarters_is_refused_with_the_quarter():
    with pytest.raises(TradelibError, match=r'not in quarters, as trade_bop_sa is.\n.*"2018Q3"'):
        load_trade(as_of="2025-03-06", through="2018-07")


@pytest.mark.parametrize("wrong", [{"flow": "export"}, {"flow": "imports", "imports": "cif"}])
def test_chapters_of_a_flow_there_is_not_are_refused(wrong):
    with pytest.raises(TradelibError, match="Flow is exports or imports; imports are general or consumption"):
        load_chapters(**wrong, as_of="2020-12-04")
