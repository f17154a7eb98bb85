"""The bundled tables of duties, against readings of the originals that do not use tradelib."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers import VINTAGES

import tradelib as tl
from tradelib.store.vintages import list_vintages, read

KEYS = ["partner", "item", "period"]
USD = ["value_usd", "duty_usd"]


def held(table, published):
    """A bundled file as pyarrow reads it, its periods as text."""
    path = VINTAGES / f"table={table}" / f"published={published}" / "flows.parquet"
    frame = pq.read_table(path, partitioning=None).to_pandas()
    return frame.assign(period=pd.to_datetime(frame["period"]).dt.strftime("%Y-%m"))


@pytest.fixture(scope="module")
def industries(originals):
    (path,) = (originals / "tariffs").glob("imports_consumption_naics3*")
    raw = pd.read_parquet(path).reset_index()
    return raw.assign(period=raw["time"].dt.strftime("%Y-%m"))


@pytest.mark.parametrize(("published", "folder"), [("2020-12-04", "hs2"), ("2021-08-05", "hs2_2021-08-05")])
def test_chapters_of_each_partner_are_those_of_the_raw_files_to_the_dollar(originals, published, folder):
    mine = held("imports_consumption_hs2_nsa", published)
    totals = held("imports_consumption_nsa", published).set_index(["partner", "period"])[USD]
    frames, columns = [], ["I_COMMODITY", "time", "CON_VAL_MO", "CAL_DUT_MO"]
    for path in sorted((originals / "census" / folder).glob("*.parquet")):
        if "exports" not in path.name:
            code = path.stem.removeprefix("imports_").removesuffix("data").replace("TOTAL", "0015")
            raw = pq.read_table(path, partitioning=None, columns=columns).to_pandas()
            frames.append(raw.assign(partner=code)[raw["time"].between("2013-01", "2020-12")])
    theirs = pd.concat(frames).rename(columns=dict(zip(columns, [*KEYS[1:], *USD], strict=True)))
    theirs = theirs.astype(dict.fromkeys(USD, "int64")).set_index(KEYS)[USD].sort_index()
    mine = mine[mine["period"] <= "2020-12"].set_index(KEYS)[USD].sort_index()
    assert mine.index.equals(theirs.index)
    assert np.array_equal(mine.to_numpy(), theirs.to_numpy())
    months = theirs.groupby(["partner", "period"]).sum()
    assert totals.loc[months.index].to_numpy().tolist() == months.to_numpy().tolist()
    assert len(frames) == months.index.get_level_values("partner").nunique() >= 21


def test_industries_are_those_of_the_raw_file_and_all_products_are_none_of_them(industries):
    mine = held("imports_consumption_naics_nsa", "2026-01-29")
    assert "00" not in set(mine["item"]) and mine["item"].str.len().eq(3).all()
    whole = industries[industries["NAICS"].eq("00")]
    assert len(mine) + len(whole) == len(industries)
    assert mine[USD].sum().tolist() == whole[["imports", "duty"]].sum().tolist()
    totals = held("imports_consumption_nsa", "2026-01-29").set_index(["partner", "period"])[USD]
    sums = mine.groupby(["partner", "period"])[USD].sum()
    pd.testing.assert_frame_equal(sums, totals.loc[sums.index], check_dtype=False)
    codes = {name: tl.resolve(name).code for name in industries["CTY_NAME"].unique()}
    keyed = industries.assign(partner=industries["CTY_NAME"].map(codes), item=industries["NAICS"])
    keyed = keyed[keyed["item"].ne("00")].set_index(KEYS).sort_index()[["imports", "duty"]]
    assert keyed.to_numpy().tolist() == mine.set_index(KEYS).sort_index()[USD].to_numpy().tolist()


def test_the_chapters_and_the_industries_add_up_to_the_same_until_a_revision_parts_them():
    old = held("imports_consumption_nsa", "2021-08-05").set_index(["partner", "period"])[USD]
    new = held("imports_consumption_nsa", "2026-01-29").set_index(["partner", "period"])[USD]
    both = old.join(new.add_suffix("_new"), how="inner")
    same = both["value_usd"].eq(both["value_usd_new"]) & both["duty_usd"].eq(both["duty_usd_new"])
    months = both.index.get_level_values("period")
    assert same[months < "2019"].all() and not same[months >= "2021"].any()


def test_years_by_subheading_add_up_to_the_printed_totals_of_each_partner(originals):
    printed = pd.read_csv(
        originals / "tariffs" / "imports_by_partner_2024_2025_annual.csv", dtype={"cty_code": "str"}
    )
    columns = ["consumption_usd", "calculated_duty_usd", "dutiable_usd", "general_usd"]
    mine = held("imports_consumption_hs6_annual", "2026-11-24")
    mine = mine.assign(year=mine["period"].str[:4].astype(int))
    sums = mine.groupby(["year", "partner"])[[*USD, "dutiable_usd", "general_usd"]].sum()
    world = sums.xs("0015", level="partner")
    assert world.to_numpy().tolist() == printed.groupby("year")[columns].sum().to_numpy().tolist()
    theirs = printed.set_index(["year", "cty_code"])[columns].sort_index()
    assert sums.drop("0015", level="partner").to_numpy().tolist() == theirs.to_numpy().tolist()


def test_two_vintages_of_one_year_are_told_apart():
    months = tl.load("imports_consumption_nsa", as_of="2026-01-29", partner="KOR", since="2025-01")
    assert round(months["duty_usd"].sum() / 1e9, 2) == 10.12 and len(months) == 11
    years = tl.load("imports_consumption_hs6_annual", as_of="latest", partner="KOR", since="2025")
    assert round(years["duty_usd"].sum() / 1e9, 2) == 10.26
    (vintage,) = list_vintages("imports_consumption_hs6_annual")
    assert vintage.dated_by == "saved" and len(read(vintage, partner="4271")) > 0
    with pytest.raises(tl.TradelibError, match="not pandas Periods"):
        tl.balance(pd.concat([months, years]))
