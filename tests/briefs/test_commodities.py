"""What drove it: contributions add up to the dollar, say what they cover, and never mix vintages."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from helpers import raw_rows, sheet, snapshot, workbook_cells
from hypothesis import given
from hypothesis import strategies as st

from tradelib import covered_partners, decompose, list_vintages
from tradelib.briefs import narrative
from tradelib.briefs.brief import Brief, brief
from tradelib.briefs.commodities import exports_led, how_it_moved, tables_of, who_contributed
from tradelib.errors import TradelibError
from tradelib.store import vintages

EXPORTS, CONSUMPTION, GENERAL = (
    *("exports_hs2_nsa", "imports_consumption_hs2_nsa"),
    "imports_general_hs2_nsa",
)
PUBLISHED = {EXPORTS: "2020-12-04", CONSUMPTION: "2020-12-04", GENERAL: "2025-10-18"}
ID = "commodity.hs2.contributions"
RELEASES = ("2014-12", "2018-07", "2020-04", "2024-08")
JULY = ("2018-07", "2018-10-05")


# --- the arithmetic -----------------------------------------------------------------------------

windows = st.dictionaries(
    st.tuples(st.sampled_from(["exports", "imports"]), st.sampled_from(["02", "27", "84", "85", "87", "98"])),
    st.integers(0, 10**12),
)


def series(values: dict) -> pd.Series:
    index = pd.MultiIndex.from_tuples(values, names=["flow", "item"]) if values else None
    if index is None:
        index = pd.MultiIndex.from_arrays([[], []], names=["flow", "item"])
    return pd.Series(list(values.values()), index, dtype=float)


def by_hand(now: dict, before: dict) -> dict:
    keys = set(now) | set(before)
    return {k: (now.get(k, 0) - before.get(k, 0)) * (1 if k[0] == "exports" else -1) for k in keys}


@given(windows, windows, st.integers(0, 13))
def test_contributions_add_up_exactly_to_the_change_of_the_balance(now, before, top):
    parts = decompose(series(now), series(before), top=top)
    balances = [
        sum(usd if flow == "exports" else -usd for (flow, _), usd in window.items())
        for window in (now, before)
    ]
    assert int(parts["contribution_usd"].sum()) == balances[0] - balances[1]


@given(windows, windows, st.integers(0, 13))
def test_the_largest_contributions_are_named_and_the_rest_is_one_row(now, before, top):
    parts = decompose(series(now), series(before), top=top)
    true = by_hand(now, before)
    *named, rest = parts.to_dict("records")
    assert (rest["flow"], rest["item"]) == ("other", "other")
    told = {(row["flow"], row["item"]): row["contribution_usd"] for row in named}
    assert told == {key: true[key] for key in told}
    assert len(told) == min(top, sum(usd != 0 for usd in true.values()))
    sizes = [abs(row["contribution_usd"]) for row in named]
    assert sizes == sorted(map(abs, true.values()), reverse=True)[: len(sizes)]
    assert rest["contribution_usd"] == sum(usd for key, usd in true.items() if key not in told)


def test_a_missing_figure_is_not_taken_for_zero():
    key = ("exports", "27")
    with pytest.raises(TradelibError, match=r"1 value.* missing"):
        decompose(series({key: 1}), series({key: np.nan}))


@pytest.mark.parametrize("month", RELEASES)
def test_contributions_of_every_partner_add_up_to_the_change_of_the_raw_rows(month):
    taken = snapshot(month)
    year, last = int(month[:4]), int(month[5:])
    spans = [[f"{y}-{m:02d}" for m in range(1, last + 1)] for y in (year, year - 1)]
    sums = {}
    for table in taken.chapter_windows:
        rows = raw_rows(table, PUBLISHED[table])
        sums[table] = [
            rows[rows["period"].isin(months)].groupby("partner")["value_usd"].sum() for months in spans
        ]
    seen = 0
    for code in [*covered_partners(taken), "0015"]:
        fact = sheet(code, month)[ID]
        tables = tables_of(taken, code)
        if not tables:
            assert fact.value is None and fact.reason
            continue
        levels = [
            sum((1 if t == EXPORTS else -1) * int(sums[t][n].get(code, 0)) for t in tables) for n in (0, 1)
        ]
        assert sum(int(entry["contribution_usd"]) for entry in fact.value) == fact.more["change_usd"]
        assert fact.more["change_usd"] == levels[0] - levels[1], code
        if fact.more["change_usd"]:
            shares = sum(entry["pct_of_change"] for entry in fact.value)
            assert shares == pytest.approx(100, rel=1e-6, abs=1e-6)
        seen += 1
    assert seen >= 21


# --- the fact -----------------------------------------------------------------------------------


def test_contributions_to_the_balance_with_korea_to_the_dollar():
    fact = sheet("KOR", *JULY)[ID]
    assert fact.more["change_usd"] == 2_450_020_381
    assert fact.more["now_usd"] - fact.more["before_usd"] == 2_450_020_381
    months = [f"{year}-{m:02d}" for year in (2018, 2017) for m in range(1, 8)]
    true = {}
    for table, flow, sign in ((EXPORTS, "exports", 1), (CONSUMPTION, "imports", -1)):
        rows = raw_rows(table, PUBLISHED[table])
        rows = rows[(rows["partner"] == "5800") & rows["period"].isin(months)]
        for row in rows.itertuples():
            way = sign if row.period.startswith("2018") else -sign
            true[flow, row.item] = true.get((flow, row.item), 0) + way * int(row.value_usd)
    top = sorted(true, key=lambda key: -abs(true[key]))[:6]
    assert [(e["flow"], e["hs2"]) for e in fact.value] == [*top, (None, None)]
    assert [e["contribution_usd"] for e in fact.value[:-1]] == [true[key] for key in top]
    assert fact.value[0] | {"pct_of_change": 0} == {
        **{"flow": "imports", "hs2": "87", "name": "Motor vehicles and parts"},
        **{"contribution_usd": true["imports", "87"], "pct_of_change": 0},
    }
    assert fact.value[0]["pct_of_change"] == pytest.approx(100 * true["imports", "87"] / 2_450_020_381)


@pytest.mark.parametrize(
    ("who", "release", "covers", "tables"),
    [
        ("KOR", JULY, "both flows", [EXPORTS, CONSUMPTION]),
        ("HKG", JULY, "exports only", [EXPORTS]),
        ("VNM", JULY, "imports only", [CONSUMPTION]),
        ("KOR", ("2024-08", None), "imports only", [GENERAL]),
    ],
)
def test_the_fact_says_which_flows_and_tables_it_covers(who, release, covers, tables):
    fact = sheet(who, *release)[ID]
    assert (fact.more["covers"], fact.more["tables"]) == (covers, tables)
    assert fact.table == tables[0]
    for table in tables:
        assert table in fact.text
    assert f"of {PUBLISHED[tables[0]]}" in fact.text
    assert {e["flow"] for e in fact.value} - {None} <= {"exports", "imports"}
    if covers != "both flows":
        assert {e["flow"] for e in fact.value} == {covers.split()[0], None}


def test_where_no_table_has_the_partner_or_the_month_there_is_a_reason():
    assert "no table by HS chapter has rows of Tuvalu" in sheet("TUV", *JULY)[ID].reason
    assert "2013-01 to 2020-10" in sheet("KOR", "2010-06")[ID].reason
    assert sheet("TUV", *JULY)[ID].value is None


def test_two_vintages_are_not_taken_from_one_another(store):
    (source,) = list_vintages(CONSUMPTION)
    rows = vintages.read(source, through="2018-07")
    vintages.save(rows, CONSUMPTION, published=date(2021, 2, 5), sources=[], parser="")
    found = brief("KOR", "2018-07", as_of="2021-03-01")
    assert found[ID].value is None and "different vintages" in found[ID].reason
    assert found["commodity.hs2.27.exports.ytd"].value == 4_179_363_181
    vietnam = brief("VNM", "2018-07", as_of="2021-03-01")
    assert vietnam[ID].value, "one flow is of one vintage"


# --- sentences ----------------------------------------------------------------------------------


def test_the_sentence_on_korea_names_the_contributors_and_their_shares():
    text = narrative.chapters(sheet("KOR", *JULY))
    assert (
        "By chapter, the goods balance with South Korea (exports less imports for consumption) improved by "
        "$2.5 billion, led by lower imports of motor vehicles and parts (HS 87, $2.3 billion, 94.4 percent "
        "of the change), higher exports of mineral fuels (HS 27, $2.3 billion, 93.9 percent) and higher "
        "exports of meat (HS 02, $482 million, 19.7 percent), in spite of higher imports of machinery "
        "and computers (HS 84, $1.2 billion) and lower exports of electrical machinery (HS 85, $775 million)."
    ) in text
    assert "Exports of mineral fuels (HS 27) have come to $4.2 billion so far" in text


def test_shares_of_a_small_net_change_are_left_out():
    text = who_contributed(sheet("CAN", *JULY))
    assert "percent" not in text
    assert text.endswith("Some of these are larger than the whole change, because they offset one another.")


def test_one_flow_is_told_as_that_flow():
    assert how_it_moved(sheet("HKG", *JULY)) == "exports to Hong Kong fell by $1.3 billion"
    assert how_it_moved(sheet("VNM", *JULY)) == "imports for consumption from Vietnam rose by $1.2 billion"
    assert "led by higher imports of footwear" in who_contributed(sheet("VNM", *JULY))


def test_no_change_and_no_data_are_told_without_contributors():
    korea = sheet("KOR", *JULY)
    still = Brief(korea.partner, korea.snapshot)
    still.update(korea)
    more = korea[ID].more | {"change_usd": 0.0}
    entries = [entry | {"pct_of_change": None} for entry in korea[ID].value]
    still.put(ID, entries, "list", "", "", EXPORTS, **more)
    assert who_contributed(still) == (
        "By chapter, the goods balance with South Korea (exports less imports for consumption) did not "
        "change."
    )
    assert who_contributed(sheet("TUV", *JULY)) == ""


# --- did exports lead ---------------------------------------------------------------------------


def led(goods_exports, services_exports, goods_imports, services_imports, change=None) -> object:
    korea = sheet("KOR", *JULY)
    made = Brief(korea.partner, korea.snapshot)
    parts = {
        **{"goods_exports": goods_exports, "services_exports": services_exports},
        **{"goods_imports": goods_imports, "services_imports": services_imports},
    }
    total = sum(parts.values()) if change is None else change
    made.put("total.balance.ytd.change_usd", float(total), "USD", "", "", "trade_bop_sa")
    for name, usd in parts.items():
        made.put(f"total.balance.contribution.{name}", float(usd), "USD", "", "", "trade_bop_sa")
    exports_led(made)
    return made["total.exports_led"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((3, 1, -2, -1), True),
        ((3, 1, 2, 1), True),
        ((3, -1, 0, 0), False),  # exports of services fell
        ((-1, 3, 0, 0), False),  # exports of goods fell
        ((1, 1, 3, 0), False),  # lower imports did more
        ((1, 1, -3, 0), False),  # the balance worsened
        ((1, 1, -1, -1), None),  # it did not change
    ],
)
def test_exports_led_where_both_rose_and_did_more_than_imports(parts, expected):
    fact = led(*parts)
    assert fact.value is expected
    assert (fact.reason == "the balance did not change") == (expected is None)


@given(*[st.integers(-5, 5)] * 4)
def test_exports_led_never_without_an_improvement_and_a_rise_of_both_exports(a, b, c, d):
    fact = led(a, b, c, d)
    if fact.value:
        assert a > 0 and b > 0 and a + b + c + d > 0 and a + b > abs(c + d)
    elif fact.value is False:
        assert not (a > 0 and b > 0 and a + b + c + d > 0 and a + b > abs(c + d))
    else:
        assert a + b + c + d == 0


def test_exports_led_in_the_first_half_of_2018_with_korea_and_not_with_china():
    korea, china, tuvalu = (sheet(who, *JULY)["total.exports_led"] for who in ("KOR", "CHN", "TUV"))
    assert korea.value is True and china.value is False
    assert (korea.more["exports_usd"], korea.more["imports_usd"]) == (2_869_000_000, -1_010_000_000)
    assert tuvalu.value is None and "no services by quarter" in tuvalu.reason
    assert korea.table == "trade_bop_sa" and korea.window == "2018Q1..2018Q2 vs 2017Q1..2017Q2"
    assert "exports of goods and of services both rose" in korea.more["rule"]


# --- the tables themselves ----------------------------------------------------------------------


def test_chapters_add_up_to_the_country_table_of_the_nearest_vintage(originals):
    """Exports of 20 partners and the World, months of 2013 to August 2020, files read by other means.

    Only Canada and the World, which are revised every month, differ at all.
    """
    cells = workbook_cells(originals / "census" / "country_2020-10-06.xlsx")
    worst = {}
    for path in sorted((originals / "census" / "hs2").glob("exports_*.parquet")):
        raw = pd.read_parquet(path)
        code = path.stem.split("_")[1]
        sums = pd.to_numeric(raw["ALL_VAL_MO"]).groupby(raw["time"]).sum()
        for month, usd in sums.items():
            if month <= "2020-08" and (code, month, "exports") in cells:
                gap = abs(usd / cells[code, month, "exports"] - 1)
                worst[code] = max(worst.get(code, 0), gap)
    assert len(worst) >= 20
    assert max(worst.values()) < 0.01
    assert max(gap for code, gap in worst.items() if code not in ("1220", "0015", "-")) < 1e-9
