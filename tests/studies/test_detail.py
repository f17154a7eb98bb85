"""Top contributors to a partner's change year to date, against plain pandas on the same rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_large import DAY, DUTIES, EXPORTS, ITEMS, PARTNERS, rows_of, save

from tradelib import load
from tradelib.errors import TradelibError
from tradelib.store import vintages
from tradelib.studies.detail import OTHERS, contributors, largest

COLUMNS = ["item", "now_usd", "before_usd", "change_usd", "pct_of_change"]
SINGLE = [code for code in PARTNERS if code != "0003"]


def ask(partner="KOR", through="2024-05", **options):
    return contributors(**{"flow": "exports", "as_of": DAY} | options, partner=partner, through=through)


def by_hand(rows, codes, year, month, top):
    """The same answer by pandas alone."""
    rows = rows[rows["partner"].isin(codes) & (rows["period"].dt.month <= month)]
    sums = rows.groupby(["item", rows["period"].dt.year])["value_usd"].sum().unstack(fill_value=0.0)
    sums = sums.reindex(columns=[year, year - 1], fill_value=0.0).astype(float)
    sums.columns = ["now_usd", "before_usd"]
    sums["change_usd"] = sums["now_usd"] - sums["before_usd"]
    sums = sums.reset_index().assign(size=sums["change_usd"].abs().to_numpy())
    sums = sums.sort_values(["size", "item"], ascending=[False, True]).drop(columns="size")
    top = min(top, int((sums["change_usd"] != 0).sum()))
    rest = sums.iloc[top:].sum(numeric_only=True)
    frame = pd.concat([sums.iloc[:top], pd.DataFrame([{"item": OTHERS} | rest.to_dict()])], ignore_index=True)
    return frame.assign(pct_of_change=100 * frame["change_usd"] / sums["change_usd"].sum())


# --- the answer ---------------------------------------------------------------------------------


def test_the_answer_is_that_of_plain_pandas():
    _, rows = save()

    @given(st.sampled_from(PARTNERS), st.sampled_from([2023, 2024]), st.integers(1, 12), st.integers(1, 45))
    @settings(max_examples=40, deadline=None)
    def check(code, year, month, top):
        found = ask(code, f"{year}-{month:02d}", top=top)
        pd.testing.assert_frame_equal(found[COLUMNS], by_hand(rows, [code], year, month, top)[COLUMNS])

    check()


def test_the_rows_add_up_to_the_dollar_and_the_largest_change_comes_first():
    _, rows = save()
    found = ask(top=7)
    korea = rows[(rows["partner"] == "5800") & (rows["period"].dt.month <= 5)]
    years = korea.groupby(korea["period"].dt.year)["value_usd"].sum()
    assert found["now_usd"].sum() == years[2024] and found["before_usd"].sum() == years[2023]
    assert found["change_usd"].sum() == years[2024] - years[2023]
    assert found["pct_of_change"].sum() == pytest.approx(100)
    assert len(found) == 8 and found["item"].iloc[-1] == OTHERS
    assert found["change_usd"][:-1].abs().is_monotonic_decreasing


def test_every_row_knows_its_table_and_vintage():
    save()
    early = ask(as_of="2025-01-01", nearest_later=True)
    assert list(early) == [*COLUMNS, "table", "vintage", "vintage_lag_days"]
    assert set(early["table"]) == {EXPORTS} and set(early["vintage"]) == {"2025-04-03"}
    assert set(early["vintage_lag_days"]) == {92} and set(ask()["vintage_lag_days"]) == {0}


def test_imports_are_general_unless_said():
    save(table=DUTIES)
    _, general = save(*(rows_of(year, seed=9).assign(flow="imports") for year in (2023, 2024)), table=GENERAL)
    assert set(ask(flow="imports")["table"]) == {GENERAL}
    assert set(ask(flow="imports", imports="consumption")["table"]) == {DUTIES}
    expected = by_hand(general, ["5800"], 2024, 5, 10)
    pd.testing.assert_frame_equal(ask(flow="imports")[COLUMNS], expected[COLUMNS])


GENERAL = "imports_general_hs10_nsa"


@pytest.mark.parametrize(("through", "code"), [("2018-07", "5800"), ("2020-10", "5700"), ("2014-12", "1220")])
def test_chapters_are_asked_in_the_same_way(through, code):
    found = ask(code, through, as_of="2020-12-04", classification="hs2", top=4)
    year, month = map(int, through.split("-"))
    rows = load("exports_hs2_nsa", as_of="2020-12-04")
    rows = rows[rows["period"].dt.year.isin([year, year - 1])]
    pd.testing.assert_frame_equal(found[COLUMNS], by_hand(rows, [code], year, month, 4)[COLUMNS])


def test_a_commodity_absent_in_one_window_is_zero_there():
    new, gone = rows_of(2024, items=ITEMS[:5]), rows_of(2023, items=ITEMS[3:8])
    save(gone, new)
    found = ask(top=20).set_index("item").drop(OTHERS)
    assert set(found.index) == set(ITEMS[:8])
    assert (found.loc[list(ITEMS[:3]), "before_usd"] == 0).all()
    assert (found.loc[list(ITEMS[5:8]), "now_usd"] == 0).all()


def test_without_any_change_there_is_no_share_and_nobody_is_named():
    save(rows_of(2023), rows_of(2023).assign(period=lambda f: f["period"] + 12))
    found = ask()
    assert found["item"].tolist() == [OTHERS] and found["change_usd"].tolist() == [0.0]
    assert found["pct_of_change"].isna().all()


@given(
    st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 10**13)), min_size=1, max_size=30),
    st.integers(1, 12),
)
@settings(deadline=None)
def test_named_and_others_add_up_exactly_whatever_the_figures(pairs, top):
    now, before = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    items = [f"{n:010d}" for n in range(len(pairs))]
    found = largest(pd.DataFrame({"item": items, "now_usd": now, "before_usd": before}), top=top)
    assert found["change_usd"].sum() == (now - before).sum()
    assert found["now_usd"].sum() == now.sum() and found["before_usd"].sum() == before.sum()
    assert len(found) == min(top, int((now != before).sum())) + 1


# --- partners, groups and the world -------------------------------------------------------------


def test_a_group_is_its_own_row_and_nothing_is_added_to_it():
    _, rows = save()
    pd.testing.assert_frame_equal(ask("EU")[COLUMNS], by_hand(rows, ["0003"], 2024, 5, 10)[COLUMNS])


def test_a_group_without_a_row_is_its_members_of_the_day_or_it_is_said_who_lacks():
    rows = load("exports_hs2_nsa", as_of="2020-12-04")
    rows = rows[rows["period"].dt.year.isin([2018, 2017])]
    options = {"as_of": "2020-12-04", "classification": "hs2", "through": "2018-07"}
    found = ask("USMCA", **options)
    pd.testing.assert_frame_equal(found[COLUMNS], by_hand(rows, ["1220", "2010"], 2018, 7, 10)[COLUMNS])
    with pytest.raises(TradelibError, match=r"and none of Burma, .* among its members"):
        ask("ASEAN", **options)


def test_the_world_is_all_single_countries_without_the_groups():
    _, rows = save()
    pd.testing.assert_frame_equal(ask("world")[COLUMNS], by_hand(rows, SINGLE, 2024, 5, 10)[COLUMNS])


def test_the_world_is_its_own_row_where_the_table_has_one():
    _, rows = save(*(rows_of(year, partners=("0015", *PARTNERS)) for year in (2023, 2024)))
    pd.testing.assert_frame_equal(ask("world")[COLUMNS], by_hand(rows, ["0015"], 2024, 5, 10)[COLUMNS])


def test_a_world_that_is_there_in_some_months_only_is_refused():
    partial = rows_of(2024, partners=("0015", *PARTNERS)).query("partner != '0015' or period.dt.month > 1")
    save(rows_of(2023, partners=("0015", *PARTNERS)), partial)
    with pytest.raises(TradelibError, match="has no rows in 2024-01: no year to date"):
        ask("world")


def test_a_month_in_which_a_partner_did_not_trade_is_no_gap():
    quiet = rows_of(2024).query("partner != '5800' or period.dt.month != 2")
    _, rows = save(rows_of(2023), quiet)
    pd.testing.assert_frame_equal(ask()[COLUMNS], by_hand(rows, ["5800"], 2024, 5, 10)[COLUMNS])


# --- refusals -----------------------------------------------------------------------------------


def test_without_any_vintage_it_is_said_how_to_get_one():
    with pytest.raises(
        TradelibError, match=r"(?s)no vintage of exports_hs10_nsa.*tradelib update exports_hs10_"
    ):
        ask()


def test_a_vintage_that_does_not_reach_is_named():
    save(rows_of(2023), rows_of(2024, months=range(1, 5)))
    with pytest.raises(TradelibError, match=r"2025-04-03 \(through 2024-04\)"):
        ask(through="2024-05")
    with pytest.raises(TradelibError, match=r"No vintage of exports_hs10_nsa .* reaching 2022-01 to 2023-05"):
        ask(through="2023-05")
    with pytest.raises(TradelibError, match="nearest_later=True"):
        ask(through="2024-04", as_of="2025-04-02")


def test_a_month_that_is_missing_in_the_vintage_is_not_zero():
    save(rows_of(2023), rows_of(2024, months=(1, 2, 4, 5)))
    with pytest.raises(TradelibError, match="has no rows in 2024-03: no year to date"):
        ask()
    assert len(ask(through="2024-02"))


def test_a_value_that_the_publisher_suppressed_is_not_zero():
    rows = rows_of(2024)
    hit = rows.index[(rows["partner"] == "5800") & (rows["period"] == "2024-02")][0]
    rows.loc[hit, "value_usd"], rows.loc[hit, "note"] = np.nan, "(D)"
    save(rows_of(2023), rows)
    with pytest.raises(TradelibError, match=r"1 value\(s\) of South Korea are missing"):
        ask()
    assert len(ask(through="2024-01")) and len(ask("CAN"))


WRONG = {
    "a partner that the table does not hold": ({"partner": "FRA"}, "no rows of France"),
    "a group that the table does not hold": ({"partner": "OPEC"}, "no rows of OPEC"),
    "no partner at all": ({"partner": "Ruritania"}, "matches no partner"),
    "no month": ({"through": "2024-13"}, "is not a month"),
    "a flow that is none": ({"flow": "balance"}, "Flow is exports or imports"),
    "other imports": ({"flow": "imports", "imports": "cif"}, "imports are general or consumption"),
    "a classification that is none": ({"classification": "hs8"}, "classification is hs2, .*hs10"),
    "nobody to name": ({"top": 0}, "top is 0"),
    "half of one to name": ({"top": 2.5}, "top is 2.5"),
    "a day that is none": ({"as_of": "yesterday"}, "as_of 'yesterday' is not a date"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_answered_is_told(case):
    save(rows_of(2023), rows_of(2024))
    given, words = WRONG[case]
    with pytest.raises(TradelibError, match=words):
        ask(**given)


def test_a_vintage_is_left_as_it_was():
    vintage, rows = save()
    before = {path: path.read_bytes() for path in vintage.path.parent.rglob("*") if path.is_file()}
    ask(), ask("world")
    assert {path: path.read_bytes() for path in before} == before
    assert len(vintages.read(vintage)) == len(rows)
