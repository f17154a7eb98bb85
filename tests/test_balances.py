"""The arithmetic: every function against its definition, on generated data with gaps."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import (
    Window,
    balance,
    balances,
    change,
    contributions,
    deficit_reduction,
    full_year,
    load,
    load_goods,
    load_trade,
    rank,
    record_high,
    reducers,
    share,
    trailing_sum,
    wideners,
    window_sum,
    year_to_date,
)
from tradelib.errors import TradelibError
from tradelib.partners import countries

PARTNERS = ["5800", "5700", "2010", "1220", "4280"]
FIRST = pd.Period("2016-01", "M")
dollars = st.integers(0, 10**12).map(float)
balances_usd = st.integers(-(10**12), 10**12).map(float)
by_partner = st.dictionaries(st.sampled_from([*PARTNERS, "0003", "0015", "4120"]), balances_usd)


@st.composite
def flow_tables(draw, freq="M", length=30):
    """A tidy table with random rows missing: {(partner, flow, n): dollars} and the frame."""
    keys = st.tuples(
        st.sampled_from(PARTNERS[:3]), st.sampled_from(["exports", "imports"]), st.integers(0, length - 1)
    )
    cells = draw(st.dictionaries(keys, dollars, min_size=1, max_size=80))
    start = pd.Period("2016-01", freq)
    order = draw(st.permutations(sorted(cells)))
    frame = pd.DataFrame(
        {
            "period": pd.PeriodIndex([start + n for _, _, n in order], freq=freq),
            "partner": [p for p, _, _ in order],
            "flow": pd.Categorical([f for _, f, _ in order], ["exports", "imports"]).astype("str"),
            "item": "goods",
            "value_usd": [cells[key] for key in order],
        }
    )
    return cells, frame


@st.composite
def series_with_gaps(draw, length=24):
    """{(partner, n): dollars} and the same as the sides of a table."""
    keys = st.tuples(st.sampled_from(PARTNERS[:3]), st.integers(0, length - 1))
    cells = draw(st.dictionaries(keys, balances_usd, min_size=1, max_size=60))
    return cells, sides(cells)


def sides(cells, column="balance_usd", freq="M", start="2016-01"):
    first = pd.Period(start, freq)
    index = pd.MultiIndex.from_tuples(
        [(partner, "goods", first + n) for partner, n in cells], names=["partner", "item", "period"]
    )
    return pd.DataFrame({column: list(cells.values())}, index=index)


def same(left, right):
    return (left is None or left != left) if right is None else left == right


# --- balance ------------------------------------------------------------------------------------


@given(flow_tables())
@settings(deadline=None)
def test_balance_is_exports_less_imports_and_missing_where_one_of_them_is(table):
    cells, frame = table
    if frame["flow"].nunique() < 2:
        return
    wide = balance(frame)
    assert len(wide) == len({(p, n) for p, _, n in cells})
    for (partner, item, period), row in wide.iterrows():
        n = period.ordinal - FIRST.ordinal
        exports, imports = (cells.get((partner, flow, n)) for flow in ("exports", "imports"))
        assert item == "goods"
        assert same(row["exports_usd"], exports) and same(row["imports_usd"], imports)
        both = exports is not None and imports is not None
        assert same(row["balance_usd"], exports - imports if both else None)


@given(flow_tables())
@settings(deadline=None)
def test_balance_does_not_depend_on_the_order_of_rows(table):
    _, frame = table
    if frame["flow"].nunique() == 2:
        pd.testing.assert_frame_equal(balance(frame), balance(frame[::-1]))


def test_published_balances_are_kept():
    trade = load_trade(as_of="2025-03-06", partner="5800", since="2018Q1", through="2018Q2")
    wide = balance(trade)
    published = trade[trade["flow"] == "balance"].set_index(["item", "period"])["value_usd"]
    for (_, item, period), value in wide["balance_usd"].items():
        assert value == published[item, period]


@pytest.mark.parametrize("who", ["5800", "KOR", "South Korea"])
def test_balance_of_one_partner_by_any_of_its_names(who):
    goods = load_goods(as_of="2018-10-05", since="2018-07", through="2018-07")
    wide = balance(goods, partner=who)
    assert wide.index.tolist() == [pd.Period("2018-07", "M")] and wide.index.name == "period"
    assert wide["balance_usd"].item() == 4_685_784_639 - 6_212_348_967
    listed = balance(goods, partner=[who])
    assert listed.index.get_level_values("partner").tolist() == ["5800"]


# --- both forms of a balance ----------------------------------------------------------------------


@cache
def goods() -> pd.DataFrame:
    return load_goods(as_of="2018-10-05", since="2013-01")


def test_the_months_of_one_partner_are_sliced_by_year():
    korea = balance(goods(), partner="KOR")
    years = korea.loc["2014":"2017"]
    assert (str(years.index[0]), str(years.index[-1]), len(years)) == ("2014-01", "2017-12", 48)
    quarters = balance(load_trade(as_of="2025-03-06"), partner="KOR", item="total").loc["2014":"2018"]
    assert (str(quarters.index[0]), str(quarters.index[-1]), len(quarters)) == ("2014Q1", "2018Q4", 20)


@pytest.mark.parametrize(
    "sides",
    [
        lambda: balance(goods()),
        lambda: balance(goods(), partner=["KOR", "JPN"]),
        lambda: balance(goods(), item="goods"),
        lambda: balance(load_trade(as_of="2025-03-06"), partner="KOR"),
        lambda: trailing_sum(balance(goods(), partner=["KOR", "JPN"]), 12),
    ],
)
@pytest.mark.parametrize("ends", [("2014", "2018"), (None, "2014"), (pd.Period("2014-01", "M"), None)])
def test_a_slice_by_year_of_several_is_never_silently_empty(sides, ends):
    with pytest.raises((TypeError, KeyError)):
        _ = sides().loc[slice(*ends)]


def test_one_partner_and_several_give_the_same_figures():
    one, several = balance(goods(), partner="KOR"), balance(goods(), partner=["KOR", "JPN"])
    ytd = year_to_date("2018-07")
    (now, before), (all_now, all_before) = (
        [window_sum(sides, window) for window in (ytd, ytd.year_earlier)] for sides in (one, several)
    )
    assert now.index.tolist() == ["2018-01..2018-07"] and now.index.name == "window"
    key = ("5800", "goods")
    for mine, theirs in (
        (now, all_now),
        (change(now, before), change(all_now, all_before)),
        (contributions(now, before), contributions(all_now, all_before)),
        (trailing_sum(one, 12), trailing_sum(several, 12).loc[key]),
    ):
        theirs = theirs.loc[[key]] if isinstance(theirs.index, pd.MultiIndex) else theirs
        assert mine.notna().any(axis=None)
        np.testing.assert_array_equal(mine.to_numpy(), theirs.to_numpy())
    balances_now, balances_before = (frame["balance_usd"] for frame in (now, before))
    of_several = deficit_reduction(all_now["balance_usd"], all_before["balance_usd"])
    assert deficit_reduction(balances_now, balances_before).item() == of_several[key] > 0
    record, records = (record_high(sides["exports_usd"]) for sides in (one, several.droplevel("item")))
    assert record.loc["exports_usd"].tolist() == records.loc["5800"].tolist()


def test_a_window_of_one_partner_that_is_not_whole_has_no_sum_unless_absent_is_zero():
    korea = balance(goods(), partner="KOR").drop(pd.Period("2018-03", "M"))
    whole, ytd = window_sum(korea, year_to_date("2018-02")), year_to_date("2018-07")
    assert whole.notna().all(axis=None) and window_sum(korea, ytd).isna().all(axis=None)
    part = window_sum(korea, ytd, absent_is_zero=True)
    assert part["exports_usd"].item() == korea.loc["2018-01":"2018-07", "exports_usd"].sum()
    beyond = window_sum(korea, full_year(2030))
    assert beyond.isna().all(axis=None) and beyond.index.tolist() == ["2030-01..2030-12"]
    assert (window_sum(korea, full_year(2030), absent_is_zero=True) == 0).all(axis=None)


def test_an_item_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(TradelibError, match=r"no item 'oil'.\n  It has goods."):
        balance(goods(), item="oil")


def test_tables_and_vintages_are_never_mixed_in_one_calculation():
    july = {"since": "2016-07", "through": "2016-07", "partner": "5800"}
    old, new = (load_goods(as_of=day, **july) for day in ("2017-01-06", "2018-10-05"))
    with pytest.raises(TradelibError, match="2 different vintage values: 2017-01-06, 2018-10-05"):
        balance(pd.concat([old, new]))
    other = new.assign(table="goods_census_nsa_api", vintage=old["vintage"].iloc[0])
    with pytest.raises(TradelibError, match="different table values: goods_census_nsa, goods_census_nsa_api"):
        balance(pd.concat([old, other]))


def test_a_users_own_table_without_provenance_is_taken():
    frame = pd.DataFrame(
        {
            "period": pd.PeriodIndex(["2018-07"] * 2, freq="M"),
            "partner": "5800",
            "item": "goods",
            "flow": ["exports", "imports"],
            "value_usd": [3.0, 5.0],
        }
    )
    assert balance(frame)["balance_usd"].tolist() == [-2.0]


def test_several_partners_may_be_asked_for_and_each_must_have_rows():
    goods = load_goods(as_of="2018-10-05", since="2018-07", through="2018-07")
    wide = balance(goods, partner=["KOR", "Japan", 5700])
    assert wide.index.get_level_values("partner").tolist() == ["5700", "5800", "5880"]
    with pytest.raises(TradelibError, match=r"no rows of Japan \(5880\)"):
        balance(goods[goods["partner"] == "5800"], partner=["KOR", "JPN"])


@given(flow_tables())
@settings(deadline=None)
def test_a_table_with_a_row_twice_is_refused(table):
    _, frame = table
    with pytest.raises(TradelibError, match="more than one row of the same partner"):
        balance(pd.concat([frame, frame.head(1)]))


@given(flow_tables(), st.sampled_from(["period", "partner", "flow", "item", "value_usd"]))
@settings(deadline=None)
def test_a_table_without_one_of_its_columns_is_refused_by_name(table, column):
    _, frame = table
    with pytest.raises(TradelibError, match=f"no column {column}"):
        balance(frame.drop(columns=column))


# --- windows ------------------------------------------------------------------------------------


@given(series_with_gaps(), st.integers(0, 23))
@settings(deadline=None)
def test_a_table_without_items_has_the_same_sums(table, n):
    _, frame = table
    window = Window(FIRST, FIRST + n)
    whole = window_sum(frame, window)
    pd.testing.assert_frame_equal(window_sum(frame.droplevel("item"), window), whole.droplevel("item"))


def test_a_window_of_another_frequency_is_refused_with_one_that_fits():
    frame = sides({("5800", 0): 1.0, ("5800", 1): 2.0}, freq="Q")
    with pytest.raises(TradelibError, match=r'table in quarters.\n.*year_to_date\("2016Q2"\)'):
        window_sum(frame, year_to_date("2016-06"))


@given(st.integers(1985, 2030), st.integers(1, 12), st.sampled_from("MQ"))
def test_year_to_date_starts_in_january_and_ends_with_the_period_given(year, month, freq):
    through = pd.Period(f"{year}-{month:02d}", freq)
    window = year_to_date(through)
    assert window.end == through
    assert window.start == pd.Period(f"{year}-01", freq)
    assert len(window) == (month if freq == "M" else through.quarter)


@given(st.integers(1986, 2030), st.integers(1, 12), st.integers(0, 30), st.sampled_from("MQY"))
def test_the_year_earlier_holds_the_same_periods_of_the_calendar(year, month, length, freq):
    end = pd.Period(f"{year}-{month:02d}", freq)
    window = Window(end - length, end)
    before = window.year_earlier
    assert len(before) == len(window) == length + 1
    for now, then in ((window.start, before.start), (window.end, before.end)):
        assert then.year == now.year - 1
        assert then.month == now.month


def test_windows_are_written_as_their_two_ends():
    window = full_year(2017, "M")
    assert (str(window), str(window.year_earlier), len(window)) == (
        "2017-01..2017-12",
        "2016-01..2016-12",
        12,
    )
    assert str(full_year(2017, "Q")) == "2017Q1..2017Q4"
    assert str(Window(FIRST, FIRST)) == "2016-01"


@given(series_with_gaps(), st.integers(0, 23), st.integers(0, 23))
def test_a_window_has_a_sum_only_if_every_month_of_it_is_there(table, one, two):
    cells, frame = table
    low, high = sorted((one, two))
    result = window_sum(frame, Window(FIRST + low, FIRST + high))["balance_usd"]
    for partner in {p for p, _ in cells}:
        values = [cells.get((partner, n)) for n in range(low, high + 1)]
        expected = None if None in values else sum(values)
        assert same(result.get((partner, "goods")), expected), (partner, values)


@given(series_with_gaps(), st.integers(0, 23), st.integers(0, 23))
def test_where_no_row_means_no_trade_absent_months_count_as_zero(table, one, two):
    cells, frame = table
    low, high = sorted((one, two))
    window = Window(FIRST + low, FIRST + high)
    result = window_sum(frame, window, absent_is_zero=True)["balance_usd"]
    for partner in {p for p, _ in cells}:
        values = [v for (p, n), v in cells.items() if p == partner and low <= n <= high]
        assert result.get((partner, "goods"), 0.0) == sum(values)


def test_a_missing_value_inside_a_window_is_not_a_zero():
    frame = sides({("5800", 0): 1.0, ("5800", 1): np.nan, ("5800", 2): 3.0})
    assert window_sum(frame, Window(FIRST, FIRST + 2))["balance_usd"].isna().all()


def test_each_column_has_its_own_sum():
    frame = sides({("5800", 0): 1.0, ("5800", 1): 2.0}, "exports_usd")
    frame["imports_usd"] = [5.0, np.nan]
    result = window_sum(frame, Window(FIRST, FIRST + 1)).loc[("5800", "goods")]
    assert result["exports_usd"] == 3.0 and math.isnan(result["imports_usd"])


@given(st.sets(st.integers(0, 23), max_size=20), st.integers(12, 23))
def test_deleting_months_never_shifts_the_year_earlier(gone, n):
    """pct_change(12) is wrong as soon as a month is missing; a window by calendar is not."""
    cells = {("5800", k): float(2**k) for k in range(24) if k not in gone}
    if not cells:
        return
    frame = sides(cells)
    window = Window(FIRST + n, FIRST + n)
    now, before = (window_sum(frame, w)["balance_usd"] for w in (window, window.year_earlier))
    assert same(now.get(("5800", "goods")), None if n in gone else 2.0**n)
    assert same(before.get(("5800", "goods")), None if n - 12 in gone else 2.0 ** (n - 12))


@given(series_with_gaps(), st.sampled_from([1, 2, 4, 12]))
@settings(deadline=None)
def test_a_trailing_sum_equals_adding_up_by_hand(table, length):
    cells, frame = table
    result = trailing_sum(frame, length)["balance_usd"]
    low, high = min(n for _, n in cells), max(n for _, n in cells)
    for partner in {p for p, _ in cells}:
        for n in range(low, high + 1):
            values = [cells.get((partner, k)) for k in range(n - length + 1, n + 1)]
            found = result.get((partner, "goods", FIRST + n))
            if None in values:
                assert found is None or found != found
            else:
                assert found == pytest.approx(sum(values), abs=1e-3)


def test_a_trailing_sum_by_quarter_keeps_partners_and_items_apart():
    cells = {(p, n): float(10 * k + n) for k, p in enumerate(PARTNERS[:2]) for n in range(5)}
    goods = sides(cells, freq="Q")
    services = goods.rename(index={"goods": "services"}, level="item") * 100
    result = trailing_sum(pd.concat([goods, services]), 4)["balance_usd"]
    last = pd.Period("2017Q1", "Q")
    assert result[("5700", "goods", last)] == 11 + 12 + 13 + 14
    assert result[("5800", "services", last)] == 100 * (1 + 2 + 3 + 4)
    assert result.groupby(level=["partner", "item"]).count().tolist() == [2, 2, 2, 2]


# --- change -------------------------------------------------------------------------------------


@given(dollars, dollars, dollars, dollars)
def test_a_change_is_the_difference_and_its_percentage_is_of_the_base(e1, i1, e0, i0):
    now, before = (
        pd.DataFrame({"exports_usd": [e], "imports_usd": [i], "balance_usd": [e - i]}, index=["5800"])
        for e, i in ((e1, i1), (e0, i0))
    )
    row = change(now, before).iloc[0]
    assert row["exports_change_usd"] == e1 - e0
    assert row["balance_change_usd"] == row["exports_change_usd"] - row["imports_change_usd"]
    assert "balance_change_pct" not in row, "a balance has no growth rate"
    for value, base, pct in ((e1, e0, "exports_change_pct"), (i1, i0, "imports_change_pct")):
        assert math.isnan(row[pct]) if base == 0 else row[pct] == pytest.approx(100 * (value - base) / base)


def test_a_partner_without_a_base_has_no_change():
    now = pd.DataFrame({"exports_usd": [1.0, 2.0]}, index=["5800", "5700"])
    result = change(now, pd.DataFrame({"exports_usd": [1.0]}, index=["5700"]))
    assert math.isnan(result.loc["5800", "exports_change_usd"])
    assert result.loc["5700", "exports_change_pct"] == 100.0


@given(dollars, dollars, dollars, dollars)
def test_contributions_of_exports_and_imports_add_up_exactly_to_the_change(e1, i1, e0, i0):
    now, before = (pd.DataFrame({"exports_usd": [e], "imports_usd": [i]}) for e, i in ((e1, i1), (e0, i0)))
    parts = contributions(now, before).iloc[0]
    assert parts["exports_usd"] + parts["imports_usd"] == (e1 - i1) - (e0 - i0)
    assert (parts["imports_usd"] <= 0) == (i1 >= i0), "a rise of imports takes away"


@given(balances_usd, balances_usd)
def test_a_deficit_is_reduced_in_percent_only_if_it_was_and_still_is_a_deficit(now, before):
    result = deficit_reduction(pd.Series([now]), pd.Series([before])).item()
    if now < 0 and before < 0:
        assert result == pytest.approx(100 * (1 - abs(now) / abs(before)))
        assert (result > 0) == (now > before) or now == before
    else:
        assert math.isnan(result)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        *[(-979, -2840, 65.528), (-200, -100, -100.0), (-100, -100, 0.0)],
        *[(200, -1800, None), (-5, 10, None), (0, -10, None), (-10, 0, None), (5, 3, None)],
    ],
)
def test_the_sign_flip_rule(now, before, expected):
    result = deficit_reduction(pd.Series([float(now)]), pd.Series([float(before)])).item()
    assert math.isnan(result) if expected is None else result == pytest.approx(expected, abs=1e-3)


def test_a_missing_balance_has_no_reduction():
    assert deficit_reduction(pd.Series([np.nan, -1.0]), pd.Series([-1.0, np.nan])).isna().all()


# --- ranks --------------------------------------------------------------------------------------


@given(by_partner)
def test_a_rank_counts_the_larger_deficits_of_the_universe(values):
    ranks = rank(pd.Series(values, dtype=float), PARTNERS)
    inside = {code: value for code, value in values.items() if code in PARTNERS}
    assert len(ranks) == len(inside), "n is the number of those that could be ranked"
    for code, value in inside.items():
        assert ranks[code] == 1 + sum(other < value for other in inside.values())


@given(by_partner, st.randoms(use_true_random=False))
def test_a_rank_does_not_depend_on_the_order_of_partners_or_of_the_universe(values, random):
    codes, universe = list(values), list(PARTNERS)
    random.shuffle(codes)
    random.shuffle(universe)
    one = rank(pd.Series(values, dtype=float), PARTNERS)
    two = rank(pd.Series({c: values[c] for c in codes}, dtype=float), universe)
    assert one.to_dict() == two.to_dict()


@given(by_partner, by_partner)
@settings(deadline=None)
def test_the_public_names_do_the_same_as_the_arithmetic(now, before):
    """`rank` and `reducers` take whole tables too; the figures are those of `balances`."""
    now, before = pd.Series(now, dtype=float), pd.Series(before, dtype=float)
    ranks = rank(now, PARTNERS)
    assert ranks.to_dict() == balances.rank(now, PARTNERS).to_dict()
    assert (ranks.name, ranks.index.name) == ("rank", "partner")
    found = reducers(now, before, PARTNERS)
    pd.testing.assert_frame_equal(
        found[["reduction_pct", "change_usd"]], balances.reducers(now, before, PARTNERS)
    )
    assert ((found["balance_usd"] - found["before_usd"]) == found["change_usd"]).all()


@given(by_partner)
@settings(deadline=None)
def test_the_universe_is_all_single_countries_unless_given(values):
    values = pd.Series(values, dtype=float)
    assert rank(values).to_dict() == rank(values, countries()).to_dict()
    assert (
        reducers(values, values - 1).index.tolist()
        == reducers(values, values - 1, countries()).index.tolist()
    )


def test_equal_deficits_share_the_better_rank():
    ranks = rank(pd.Series({"5800": -5.0, "5700": -9.0, "2010": -5.0, "1220": -1.0}), PARTNERS)
    assert ranks.to_dict() == {"5700": 1, "5800": 2, "2010": 2, "1220": 4}


def test_groups_and_totals_are_never_ranked_though_their_deficit_is_largest():
    goods = load_goods(as_of="2018-10-05", since="2018-01", through="2018-07")
    sums = window_sum(balance(goods), year_to_date(pd.Period("2018-07", "M"))).droplevel("item")
    assert {"0003", "0015", "0014"} <= set(sums.index)
    ranks = rank(sums["balance_usd"], countries())
    assert not {"0003", "0015", "0014", "USMCA"} & set(ranks.index)
    assert ranks.index[0] == "5700" and ranks["5700"] == 1


def test_a_partner_without_a_balance_is_not_counted():
    ranks = rank(pd.Series({"5800": -5.0, "5700": np.nan}), PARTNERS)
    assert ranks.to_dict() == {"5800": 1}


@given(by_partner, by_partner)
def test_reducers_are_those_whose_deficit_shrank_or_turned(now, before):
    found = reducers(pd.Series(now, dtype=float), pd.Series(before, dtype=float), PARTNERS)
    expected = {
        code: now[code] - before[code]
        for code in PARTNERS
        if code in now and code in before and before[code] < 0 and now[code] > before[code]
    }
    assert found["change_usd"].to_dict() == expected
    for code, row in found.iterrows():
        if now[code] < 0:
            assert row["reduction_pct"] == pytest.approx(100 * (1 - now[code] / before[code]))
        else:
            assert math.isnan(row["reduction_pct"])
    known = found["reduction_pct"].dropna().tolist()
    assert known == sorted(known, reverse=True)
    assert found["reduction_pct"].isna().tolist() == sorted(found["reduction_pct"].isna(), reverse=True)


@given(by_partner, by_partner)
def test_wideners_mirror_reducers(now, before):
    """Who is a widener from one year to the next is a reducer the other way round, or turned."""
    now, before = pd.Series(now, dtype=float), pd.Series(before, dtype=float)
    grew, back = wideners(now, before, PARTNERS), reducers(before, now, PARTNERS)
    assert set(grew.index) == set(back.index)
    assert (grew["change_usd"] == -back["change_usd"].reindex(grew.index)).all()
    assert list(grew) == [name.replace("reduction", "growth") for name in back]
    for code, row in grew.iterrows():
        if before[code] < 0:
            assert row["growth_pct"] == pytest.approx(100 * (now[code] / before[code] - 1))
            assert row["growth_pct"] == -deficit_reduction(now, before)[code]
        else:
            assert math.isnan(row["growth_pct"])
    known = grew["growth_pct"].dropna().tolist()
    assert known == sorted(known, reverse=True)
    assert grew["growth_pct"].isna().tolist() == sorted(grew["growth_pct"].isna(), reverse=True)
    assert not set(grew.index) & set(reducers(now, before, PARTNERS).index)
    pd.testing.assert_frame_equal(
        grew[["growth_pct", "change_usd"]], balances.wideners(now, before, PARTNERS)
    )


# --- records and shares -------------------------------------------------------------------------


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(PARTNERS[:3]), st.integers(0, 40)),
        st.integers(0, 5).map(float),
        min_size=1,
    )
)
@settings(max_examples=50, deadline=None)
def test_a_record_is_the_latest_of_the_highest_months_and_tells_since_when(cells):
    cells = cells | {("4280", 0): 1.0}
    values = sides(cells).droplevel("item")["balance_usd"]
    found = record_high(values)
    for partner in {p for p, _ in cells}:
        mine = {n: v for (p, n), v in cells.items() if p == partner}
        top = max(mine.values())
        if top == 0:
            assert partner not in found.index, "no trade, no record"
            continue
        row = found.loc[partner]
        assert row["highest_usd"] == top
        assert row["period"] == FIRST + max(n for n, v in mine.items() if v == top)
        assert row["since"] == FIRST + min(mine)


@given(balances_usd, balances_usd)
def test_a_share_is_in_percent_and_needs_something_of_the_same_sign_to_share(part, whole):
    result = share(part, whole)
    if whole == 0 or part * whole < 0:
        assert math.isnan(result)
    else:
        assert result == pytest.approx(100 * part / whole) and result >= 0


@given(st.lists(st.tuples(balances_usd, balances_usd), max_size=6))
def test_a_share_of_columns_is_that_of_each_entry(pairs):
    parts, wholes = (pd.Series([pair[n] for pair in pairs], dtype=float) for n in (0, 1))
    expected = [share(part, whole) for part, whole in pairs]
    np.testing.assert_allclose(share(parts, wholes).to_numpy(), expected)
    np.testing.assert_allclose(share(parts, -4.0).to_numpy(), [share(part, -4.0) for part, _ in pairs])
    np.testing.assert_allclose(share(-4.0, wholes).to_numpy(), [share(-4.0, whole) for _, whole in pairs])


def test_the_share_of_a_deficit_in_the_worlds_by_month():
    found = share(
        balance(goods(), partner="CHN")["balance_usd"], balance(goods(), partner="world")["balance_usd"]
    )
    july = goods()[goods()["period"] == pd.Period("2018-07", "M")].set_index(["partner", "flow"])["value_usd"]
    usd = {code: july[code, "exports"] - july[code, "imports"] for code in ("5700", "0015")}
    assert found["2018-07"] == pytest.approx(100 * usd["5700"] / usd["0015"]) and found["2018-07"] > 40


def test_a_missing_part_or_whole_has_no_share():
    assert math.isnan(share(np.nan, 1.0)) and math.isnan(share(1.0, np.nan))
    assert share(pd.Series([np.nan, 1.0]), pd.Series([1.0, np.nan])).isna().all()


def test_a_value_that_is_suppressed_is_no_zero_where_no_row_means_no_trade():
    periods = pd.PeriodIndex(["2018-01", "2018-03"] * 2, freq="M")
    index = pd.MultiIndex.from_arrays([["01", "01", "02", "02"], periods], names=["item", "period"])
    sides = pd.DataFrame({"value_usd": [1.0, 2.0, 5.0, np.nan]}, index=index)
    sums = window_sum(sides, Window("2018-01", "2018-03"), absent_is_zero=True)["value_usd"]
    assert sums["01"] == 3.0 and np.isnan(sums["02"])


def test_duties_stand_beside_the_imports_they_are_on():
    flows = load("imports_consumption_hs2_nsa", as_of="2020-12-04", partner="KOR", since="2020-01")
    sides = balance(flows, partner="KOR", item="87")
    ytd = window_sum(sides, Window("2020-01", "2020-10"))
    cars = flows[flows["item"] == "87"]
    assert ytd["duty_usd"].item() == cars["duty_usd"].sum() > 0
    assert ytd["imports_usd"].item() == cars["value_usd"].sum()
    assert "duty_usd" not in balance(load("goods_census_nsa", as_of="2018-10-05", partner="KOR"))
