"""The table contract: units, flows, and what is refused."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from tradelib import TradelibError, balance, load
from tradelib.store import vintages
from tradelib.tables import TABLES, CheckError, check_flows, table_info

RATES = replace(
    TABLES["imports_consumption_nsa"],
    name="tariff_rate_nsa",
    title="Duties",
    extra=(),
    unit="pct",
    flows=("imports",),
)


@pytest.fixture
def rates(monkeypatch):
    monkeypatch.setitem(TABLES, RATES.name, RATES)
    row = {"partner": ["5700", "5800"], "flow": "imports", "item": "goods", "value_pct": [10.7, -0.25]}
    months = pd.PeriodIndex(["2018-07", "2018-07"], freq="M")
    return pd.DataFrame(row).assign(period=months, note=pd.Series(pd.NA, range(2), dtype="str"))


def test_an_entry_is_looked_up_by_its_name():
    assert table_info("trade_bop_sa").basis == "BOP"
    assert table_info("goods_census_nsa").columns == [
        "period",
        "partner",
        "flow",
        "item",
        "value_usd",
        "note",
    ]
    assert {table.value for table in TABLES.values()} == {"value_usd"}


def test_a_table_of_rates_is_checked_stored_and_loaded_in_its_own_unit(rates, store):
    vintages.save(rates, RATES.name, published=date(2018, 9, 5), sources=[], parser="test")
    found = load(RATES.name, as_of="latest", partner="China")
    assert found["value_pct"].tolist() == [10.7] and "value_usd" not in found
    assert found["vintage"].tolist() == ["2018-09-05"]


def test_a_rate_may_have_a_fraction_and_be_negative_but_dollars_may_not(rates):
    assert check_flows(rates, RATES.name)["value_pct"].tolist() == [10.7, -0.25]
    dollars = rates.rename(columns={"value_pct": "value_usd"}).assign(duty_usd=1.0)
    with pytest.raises(CheckError, match="no flow is negative"):
        check_flows(dollars, "imports_consumption_nsa")
    with pytest.raises(CheckError, match="whole dollars"):
        check_flows(dollars.assign(value_usd=10.7), "imports_consumption_nsa")


def test_dollars_in_a_table_of_rates_are_refused(rates):
    with pytest.raises(CheckError, match="must be period, partner, flow, item, value_pct, note"):
        check_flows(rates.rename(columns={"value_pct": "value_usd"}), RATES.name)


def test_a_missing_rate_needs_a_mark_and_an_infinite_one_is_none(rates):
    with pytest.raises(CheckError, match="a missing value needs the publisher's mark"):
        check_flows(rates.assign(value_pct=[np.nan, 1.0]), RATES.name)
    with pytest.raises(CheckError, match="a value is a number"):
        check_flows(rates.assign(value_pct=[np.inf, 1.0]), RATES.name)


def test_rates_have_no_balance(rates):
    with pytest.raises(TradelibError, match=r"it has no column value_usd.\n.*value_pct"):
        balance(rates)


def test_a_row_of_commodities_passes():
    row = {"partner": "5800", "flow": "exports", "item": "27", "value_usd": 1e6, "note": None}
    frame = pd.DataFrame([row | {"period": pd.Period("2018-07", "M")}])
    assert len(check_flows(frame, "exports_hs2_nsa")) == 1
