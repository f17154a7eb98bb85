"""Tariffs of any window and table: rates, rates and mix, price and volume; and what tariffs.ipynb says."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tradelib as tl
from tradelib.store import vintages
from tradelib.studies import tariffs
from tradelib.tables import TABLES

DAY = "2026-02-04"
NAMES = ("period", "item", "value_usd", "quantity", "unit")


@pytest.mark.parametrize(
    ("who", "window", "rate"),
    [
        ("CHN", "2024-12", 11.02),
        ("CHN", "2025-05", 48.24),
        ("CHN", "2025-11", 32.35),
        ("world", "2024-12", 2.31),
        ("world", "2025-10", 10.91),
        ("KOR", "2025-11", 14.00),
        ("CHE", "2024-12", 0.27),
        ("CAN", tl.Window("2024-12", "2024-12"), 0.10),
    ],
)
def test_golden_rates(who, window, rate):
    assert round(tl.tariff_rate(partner=who, window=window, as_of=DAY), 2) == rate


def test_a_year_is_its_months_and_everybody_comes_highest_first():
    year = tl.tariff_rate(partner="KOR", window="2024", as_of=DAY)
    assert year == tl.tariff_rate(partner="KOR", window="2024-01..2024-12", as_of=DAY)
    every = tl.tariff_rate(window="2025-11", as_of=DAY)
    assert every["rate_pct"].is_monotonic_decreasing and every["vintage"].unique().tolist() == ["2026-01-29"]
    some = tl.tariff_rate(partner=["KOR", "CHN"], window="2025-11", as_of=DAY)
    assert some.index.tolist() == ["5700", "5800"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"window": "2025Q3"}, "is in quarters"),
        ({"window": "May 2025"}, "is not a month"),
        ({"window": "2026-05"}, "No vintage of imports_consumption_nsa"),
        ({"window": "2019-12", "partner": "EU"}, "has no whole 2019-12"),
        ({"window": "2025-05", "partner": "Tuvalu"}, "has no rows of Tuvalu"),
    ],
)
def test_what_cannot_be_told_is_refused(given, problem):
    with pytest.raises(tl.TradelibError, match=problem):
        tl.tariff_rate(**{"as_of": DAY, "partner": "CHN"} | given)


@pytest.mark.parametrize(
    "asked",
    [
        {"window": "2025-11", "against": "2024-12", "by": "partner"},
        {"window": "2025-11", "against": "2024-12", "partner": "CHN"},
        {"window": "2025-01..2025-11", "partner": "MEX"},
        {"window": "2025", "partner": "VNM", "by": "year", "as_of": "latest"},
        {"window": "2018-12", "partner": "CHN", "by": "chapter", "as_of": "2020-12-04"},
    ],
)
def test_rates_and_mix_of_all_parts_add_up_and_parts_add_up_to_the_dollar(asked):
    found = tl.tariffs(**{"as_of": DAY} | asked)
    parts, total = found.drop(index="total"), found.loc["total"]
    assert parts[["rate_points", "mix_points"]].to_numpy().sum() == pytest.approx(
        total["change_points"], abs=1e-9
    )
    for column in ("imports_usd", "before_imports_usd", "duty_usd", "before_duty_usd"):
        assert parts[column].sum() == total[column]
    if asked.get("by") not in ("year", "chapter"):
        who = asked.get("partner", "world")
        assert total["rate_pct"] == tl.tariff_rate(partner=who, window=asked["window"], as_of=DAY)


def test_duties_are_loaded_by_what_there_is_a_table_of():
    rows = tl.load_tariffs(by="industry", as_of=DAY, partner="KOR", since="2025-11")
    assert rows["rate_pct"].tolist() == pytest.approx((100 * rows["duty_usd"] / rows["value_usd"]).tolist())
    assert "dutiable_usd" in tl.load_tariffs(by="year", as_of="latest", partner="KOR")
    with pytest.raises(tl.TradelibError, match="not told by 'colour'"):
        tl.load_tariffs(by="colour", as_of=DAY)
    with pytest.raises(tl.TradelibError, match="No vintage of imports_consumption_hs10_nsa"):
        tl.load_tariffs(by="hs10", as_of=DAY)


# --- price or volume ----------------------------------------------------------------------------


def rows(entries):
    """Rows of two years: item, then value, quantity and unit of each; a month each."""
    years = {"2024-01": 0, "2025-01": 3}
    told = [
        {
            "period": pd.Period(month, "M"),
            "item": item,
            "value_usd": of[n],
            "quantity": of[n + 1],
            "unit": of[n + 2],
        }
        for item, *of in entries
        for month, n in years.items()
        if of[n] is not None
    ]
    return pd.DataFrame(told).assign(partner="5800", flow="imports")


amounts = st.tuples(*(st.integers(1, 10**9).map(float) for _ in range(4)))


@settings(max_examples=25)
@given(st.lists(amounts, min_size=1, max_size=5))
def test_price_and_volume_are_exact_and_the_same_backwards(entries):
    table = rows([(f"{n}", a, q, "KG", b, r, "KG") for n, (a, q, b, r) in enumerate(entries)])
    found = tariffs.price_or_volume(table, window="2025-01").loc["total"]
    change = found["now_usd"] - found["before_usd"]
    size = found["now_usd"] + found["before_usd"]
    assert found["price_usd"] + found["volume_usd"] == pytest.approx(change, abs=1e-6 * size)
    back = tariffs.price_or_volume(table, window="2024-01", against="2025-01").loc["total"]
    assert back["price_usd"] == pytest.approx(-found["price_usd"], abs=1e-6 * size)
    assert found["covered_pct"] == pytest.approx(100)


def test_a_changed_unit_or_a_lacking_quantity_is_not_split_and_too_little_is_refused():
    table = rows(
        [
            ("a", 100.0, 10.0, "KG", 180.0, 12.0, "KG"),
            ("b", 50.0, 5.0, "KG", 60.0, 6.0, "NO"),
            ("c", 20.0, None, None, 30.0, None, None),
            ("d", None, None, None, 10.0, 1.0, "KG"),
        ]
    )
    found = tariffs.price_or_volume(table, window="2025-01")
    assert found.index.tolist() == ["a", "others", "total"]
    assert found.loc["a", ["price_usd", "volume_usd"]].tolist() == [55.0, 25.0]
    assert found.loc["others", ["now_usd", "before_usd"]].tolist() == [100.0, 70.0]
    assert found.loc["total", "covered_pct"] == pytest.approx(100 * 280 / 450)
    with pytest.raises(tl.TradelibError, match="cover 0 percent"):
        tariffs.price_or_volume(table[table["item"] != "a"], window="2025-01")
    with pytest.raises(tl.TradelibError, match="no column quantity"):
        tariffs.price_or_volume(table.drop(columns="quantity"), window="2025-01")


def test_reexports_are_told_apart_where_the_table_does(store):
    with pytest.raises(tl.TradelibError, match="does not tell re-exports apart"):
        tariffs.reexports(partner="KOR", window="2020-01", as_of="2026-01-01", nearest_later=True)
    common = {"partner": "5800", "item": "84", "period": pd.PeriodIndex(["2025-01"], freq="M")}
    for table, flow, more in (
        ("exports_hs2_nsa", "exports", {"value_usd": 100.0, "reexports_usd": 30.0}),
        ("imports_general_hs2_nsa", "imports", {"value_usd": 80.0}),
    ):
        frame = pd.DataFrame(common | {"flow": flow} | more).assign(note=pd.Series([pd.NA], dtype="str"))
        assert "reexports_usd" in TABLES[table].optional or flow == "imports"
        vintages.save(frame, table, published=date(2026, 3, 12), sources=[], parser="test")
    found = tariffs.reexports(partner="KOR", window="2025-01", as_of="2026-03-12").iloc[0]
    assert (found["balance_usd"], found["balance_without_usd"]) == (20.0, -10.0)
