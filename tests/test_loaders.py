"""Loading by date: the newest vintage known on a day, never a later one unless it is asked for."""

import inspect
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from helpers import raw_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import (
    balance,
    by_vintage,
    change,
    contributors,
    deficit_reduction,
    list_vintages,
    load,
    load_chapters,
    load_goods,
    load_goods_sa,
    load_trade,
    members,
    window_sum,
    year_to_date,
)
from tradelib.errors import TradelibError
from tradelib.loaders import day_of, find_release, pick, rows_of, spelled, with_groups
from tradelib.releases import release

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


@pytest.mark.parametrize("as_of", ["2018", "5 October 2018", "", "2018-02-30"])
def test_what_is_no_date_is_refused(as_of):
    with pytest.raises(TradelibError, match="YYYY-MM-DD"):
        load_goods(as_of=as_of)


ASKED = {
    "load_goods": lambda **day: load_goods(partner="5800", **day),
    "load_goods_sa": lambda **day: load_goods_sa(partner="5800", **day),
    "load_trade": lambda **day: load_trade(partner="5800", **day),
    "load_trade, annual": lambda **day: load_trade(annual=True, partner="5800", **day),
    "load_chapters": lambda **day: load_chapters(flow="exports", partner="5800", **day),
    "load": lambda **day: load("trade_bop_annual", partner="5800", **day),
    "contributors": lambda **day: contributors(
        flow="exports", classification="hs2", partner="5800", through="2018-07", **day
    ),
    "by_vintage": lambda **day: by_vintage(partner="5800", through="2018-07", **day),
}


@pytest.mark.parametrize("name", ASKED)
def test_latest_is_the_newest_vintage_at_hand_everywhere(name):
    newest = max(vintage.published for vintage in list_vintages())
    found = ASKED[name](as_of="latest")
    pd.testing.assert_frame_equal(found, ASKED[name](as_of=newest))
    assert day_of("latest") == newest and (name == "by_vintage" or set(found["vintage_lag_days"]) == {0})


def test_latest_for_a_release_is_not_before_it_was_out():
    coming = release("2026-12")
    assert day_of("latest", release=coming) == coming.default_as_of > day_of("latest")
    assert day_of("latest", release=release("2018-07")) == day_of("latest")


@pytest.mark.parametrize("name", sorted(set(ASKED) - {"by_vintage"}))
def test_without_a_day_it_is_said_what_to_give(name):
    told = 'as_of= is not given.*\n.*as_of="2018-10-05", or as_of="latest"'
    with pytest.raises(TradelibError, match=told):
        ASKED[name]()


@pytest.mark.parametrize(
    "day",
    [
        pd.Timestamp("2020-12-31 08:30"),
        pd.Timestamp("2020-12-31", tz="America/New_York"),
        datetime(2020, 12, 31, 23, 59),
        np.datetime64("2020-12-31T10:00"),
        date(2020, 12, 31),
        " 2020-12-31 ",
    ],
)
@pytest.mark.parametrize("name", ASKED)
def test_a_day_may_be_a_timestamp_or_a_datetime(name, day):
    ask = ASKED[name]
    if name in ("load_goods_sa", "load_trade", "load_trade, annual", "load"):  # nothing is so old
        with pytest.raises(TradelibError, match="published by 2020-12-31"):
            ask(as_of=day)
    else:
        pd.testing.assert_frame_equal(ask(as_of=day), ask(as_of="2020-12-31"))


def test_the_days_that_by_vintage_returns_may_be_asked_for():
    for day in by_vintage(partner="KOR", through="2018-07").index:
        assert set(load_goods(as_of=day, partner="KOR")["vintage"]) == {str(day.date())}


@pytest.mark.parametrize("day", [pd.NaT, np.datetime64("NaT"), float("nan")])
def test_no_day_at_all_is_refused(day):
    with pytest.raises(TradelibError, match="is not a date"):
        load_goods(as_of=day)


def test_all_loaders_take_the_same_options_in_the_same_order():
    common = ["as_of", "since", "through", "partner", "nearest_later"]
    for loader in (load, load_goods, load_goods_sa, load_trade, load_chapters, contributors, by_vintage):
        names = list(inspect.signature(loader).parameters)
        assert [name for name in names if name in common] == [name for name in common if name in names]
        if loader not in (contributors, by_vintage):
            assert names[-len(common) :] == common, "what is the table's own comes first"


# --- groups that a table does not print -----------------------------------------------------------


def test_a_group_that_is_not_printed_is_the_sum_of_its_members_of_the_day():
    span = {"since": "2018-01", "through": "2018-07"}
    asean = load_goods(as_of="2018-10-05", partner="ASEAN", **span)
    assert set(asean["partner"]) == {"ASEAN"} and set(asean["note"]) == {"sum of members"}
    assert set(asean["vintage"]) == {"2018-10-05"} and set(asean["vintage_lag_days"]) == {0}
    codes = members("ASEAN", "2018-10-05")
    parts = load_goods(as_of="2018-10-05", partner=codes, **span)
    expected = parts.groupby(["flow", "period"], observed=True)["value_usd"].sum()
    pd.testing.assert_series_equal(
        asean.set_index(["flow", "period"])["value_usd"], expected, check_like=True
    )
    both = load_goods(as_of="2018-10-05", partner=["ASEAN", "KOR"], **span)
    assert set(both["partner"]) == {"ASEAN", "5800"}, "and no member beside it"


def test_the_members_are_those_of_the_day_asked_for():
    def euro(day):
        rows = load_goods(as_of=day, partner="EURO", since="2010-07", through="2010-07", nearest_later=True)
        return rows.set_index("flow")["value_usd"]["exports"]

    july = {"since": "2010-07", "through": "2010-07", "partner": members("EURO", "2011-12-31")}
    rows = load_goods(as_of="2012-02-10", **july)
    assert euro("2011-12-31") == rows.loc[rows["flow"] == "exports", "value_usd"].sum()
    assert len(members("EURO", "2010-07-31")) < len(members("EURO", "2011-12-31"))


def test_a_printed_group_of_the_same_members_in_all_years_is_its_own_row():
    rim = load_goods(as_of="2018-10-05", partner=["0014", "0017"], through="2018-07")
    assert set(rim["partner"]) == {"0014", "0017"} and "sum of members" not in set(rim["note"])


def test_a_group_that_is_printed_with_other_members_in_other_years_has_those_of_the_day_in_all():
    """The row of 2019 holds the United Kingdom, that of 2020 does not: unlike would be compared."""
    alone, among = (load_goods(as_of="2020-10-06", partner=who, since="2018-01") for who in ("EU", None))
    among = among[among["partner"] == "0003"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among, check_dtype=False, check_categorical=False)
    parts = load_goods(as_of="2020-10-06", partner=members("EU", "2020-10-06"), since="2018-01")
    expected = parts.groupby(["flow", "period"], observed=True)["value_usd"].sum()
    pd.testing.assert_series_equal(
        alone.set_index(["flow", "period"])["value_usd"], expected, check_like=True
    )
    sides = balance(among, partner="EU")
    now, before = window_sum(sides, year_to_date("2020-08")), window_sum(sides, year_to_date("2019-08"))
    found = change(now, before).round(1).iloc[0]
    assert (found["exports_change_pct"], found["imports_change_pct"]) == (-14.3, -11.6)
    assert deficit_reduction(now["balance_usd"], before["balance_usd"]).round(1).item() == 7.7


@pytest.mark.parametrize(
    ("day", "first", "last"), [("2019-12-31", "2013Q1", "2019Q4"), ("2020-02-01", "2020Q1", "2024Q4")]
)
def test_where_members_have_no_rows_the_periods_of_others_are_missing_and_say_so(day, first, last):
    """BEA prints each year with the members of its end."""
    (vintage,) = list_vintages("trade_bop_sa")
    found = rows_of(vintage, as_of=vintage.published, partner=["0003"], members_on=date.fromisoformat(day))
    there = found[found["value_usd"].notna()]
    assert [str(end) for end in there["period"].agg(["min", "max"])] == [first, last]
    assert set(found.loc[found["value_usd"].isna(), "note"]) == {"other members were counted"}
    raw = raw_rows("trade_bop_sa", "2025-03-06").query("partner == '0003'")
    inside = raw["period"].between(f"{first[:4]}-01", f"{last[:4]}-12")
    assert there["value_usd"].sum() == raw.loc[inside, "value_usd"].sum()


def test_a_sum_with_a_missing_part_is_missing():
    whole = load_goods(as_of="2018-10-05", partner=members("USMCA", "2018-10-05"), since="2018-01")
    holed = whole.copy()
    holed.loc[(holed["partner"] == "2010") & (holed["period"] == "2018-03"), "value_usd"] = np.nan
    gone = holed[(holed["partner"] != "1220") | (holed["period"] != "2018-05")]
    found = (
        with_groups(gone, ["USMCA"], on=date(2018, 10, 5))
        .query("partner == 'USMCA'")
        .set_index(["flow", "period"])
    )
    months = found["value_usd"].isna()
    assert set(found.index[months].get_level_values("period").astype(str)) == {"2018-03", "2018-05"}
    assert set(found.loc[months, "note"]) == {"sum of members: not all are known"}
    assert set(found.loc[~months, "note"]) == {"sum of members"}


def test_where_no_row_means_no_trade_a_member_without_one_adds_nothing():
    options = {"as_of": "2020-12-04", "since": "2020-01", "through": "2020-10"}
    found = load_chapters(flow="exports", partner="USMCA", **options)
    parts = load_chapters(flow="exports", partner=["CAN", "MEX"], **options)
    expected = parts.groupby(["item", "period"], observed=True)["value_usd"].sum()
    pd.testing.assert_series_equal(
        found.set_index(["item", "period"])["value_usd"], expected, check_like=True
    )


def test_the_duties_of_a_group_are_added_up_too():
    options = {"flow": "imports", "imports": "consumption", "as_of": "2020-12-04", "since": "2020-10"}
    found = load_chapters(partner="USMCA", **options)
    assert found["duty_usd"].sum() == load_chapters(partner=["CAN", "MEX"], **options)["duty_usd"].sum() > 0


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda: load_trade(as_of="latest", partner="ASEAN"),
            ["no rows of ASEAN", "no sum of members", "Burma"],
        ),
        (lambda: load_trade(as_of="latest", partner="Tuvalu"), ["no rows of Tuvalu (6227)"]),
        (lambda: load_goods(as_of="latest", partner="NATO"), ["no rows of the NATO allies (NATO)."]),
        (lambda: load_trade(as_of="latest", partner=["KOR", "Tuvalu"]), ["no rows of Tuvalu (6227)"]),
        (lambda: load_goods(as_of="latest", partner=[]), ["names nobody"]),
    ],
)
def test_a_partner_or_group_of_which_there_is_nothing_is_never_an_empty_table(ask, words):
    with pytest.raises(TradelibError) as refused:
        ask()
    for word in words:
        assert word in str(refused.value), str(refused.value)


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


def test_periods_are_written_as_a_tables_own():
    assert spelled("trade_bop_sa", "2018-Q2") == "2018Q2" and spelled("goods_census_nsa", None) is None


def test_the_rows_of_one_vintage_know_how_late_it_is():
    vintage = pick("trade_bop_sa", as_of="2025-03-06")
    rows = rows_of(vintage, as_of=date(2018, 9, 5), partner=["5800"])
    assert rows["vintage_lag_days"].iloc[0] == 2374


def test_a_table_that_ends_before_the_release_of_the_day_says_so(recwarn):
    import tradelib as tl

    brief = tl.brief("KOR", "2018-07")
    with pytest.warns(
        UserWarning, match=r"of 2017-01-06 ends in 2016-11; on 2018-09-05 .* 2018-07 .*brief\.goods"
    ):
        early = tl.load_goods(as_of=brief.as_of)
    assert str(early["period"].max()) == "2016-11" and str(brief.goods["period"].max()) == "2018-07"
    with pytest.warns(UserWarning, match="ends in 2025-02.*`tradelib update` gets a newer one"):
        tl.load_goods(as_of="latest", partner=brief.partner)
    recwarn.clear()
    tl.load_goods(as_of="2018-10-05")
    tl.load_goods(as_of=brief.as_of, through="2016-11")
    tl.load_trade(as_of="2025-04-03", annual=True)
    assert not [one for one in recwarn if "ends in" in str(one.message)]
