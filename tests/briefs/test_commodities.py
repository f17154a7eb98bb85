"""What drove it: contributions add up to the dollar, say what they cover, and never mix vintages."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from helpers import raw_rows, said, sheet, snapshot, titled, workbook_cells
from hypothesis import given
from hypothesis import strategies as st

from tradelib import covered_partners, decompose, list_vintages
from tradelib.briefs.brief import Brief, brief
from tradelib.briefs.commodities import commodity_facts, tables_of
from tradelib.briefs.goods import goods_facts
from tradelib.briefs.total import exports_led, total_facts
from tradelib.errors import TradelibError
from tradelib.partners import partner
from tradelib.sources.ingest import ingest
from tradelib.store import vintages

EXPORTS, CONSUMPTION, GENERAL = (
    *("exports_hs2_nsa", "imports_consumption_hs2_nsa"),
    "imports_general_hs2_nsa",
)
PUBLISHED = {EXPORTS: "2020-12-04", CONSUMPTION: "2020-12-04", GENERAL: "2025-10-18"}
ID = "commodity.hs2.contributions"
RELEASES = ("2014-12", "2018-07", "2020-04", "2024-08")
JULY = ("2018-07", "2018-10-05")
COVERS = 'the table "Total exports by HS chapter" covers January 2013 to October 2020, not all of'


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
    for number, code in enumerate([*covered_partners(taken), "0015"]):
        tables = tables_of(taken, code)
        if not tables and number % 8:
            continue  # of those without chapters, a sample
        found = Brief(partner(code), taken)
        goods_facts(found)
        commodity_facts(found)
        fact = found[ID]
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
        "flow": "imports",
        "hs2": "87",
        "name": "Motor vehicles and parts",
        "contribution_usd": true["imports", "87"],
        "pct_of_change": 0,
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
    assert "January 2013 to October 2020" in sheet("KOR", "2010-06")[ID].reason
    assert sheet("TUV", *JULY)[ID].value is None


def keep_again(table: str, published: date):
    """Keep the rows of the first bundled vintage, through July 2018, under another day."""
    rows = vintages.read(list_vintages(table)[0], through="2018-07")
    vintages.save(rows, table, published=published, sources=[], parser="")


def test_two_vintages_are_not_taken_from_one_another(store):
    keep_again(CONSUMPTION, date(2021, 2, 5))
    found = brief("KOR", "2018-07", as_of="2021-03-01")
    assert found[ID].value and found[ID].vintage == "2020-12-04", "imports of the day of the exports"
    keep_again(EXPORTS, date(2021, 3, 5))
    found = brief("KOR", "2018-07", as_of="2021-03-31")
    assert found[ID].value is None and "different vintages" in found[ID].reason
    assert found["commodity.hs2.27.exports.ytd"].value == 4_179_363_181
    vietnam = brief("VNM", "2018-07", as_of="2021-03-31")
    assert vietnam[ID].value, "one flow is of one vintage"


# --- sentences ----------------------------------------------------------------------------------


def changes(code: str, release: str) -> dict[str, dict[str, int]]:
    """Change of exports and imports by chapter, year to date on a year earlier, from the raw rows."""
    year, last = int(release[:4]), int(release[5:])
    found: dict[str, dict[str, int]] = {}
    for table, flow in ((EXPORTS, "exports"), (CONSUMPTION, "imports")):
        rows = raw_rows(table, PUBLISHED[table])
        for row in rows[rows["partner"] == code].itertuples():
            y, month = map(int, row.period.split("-"))
            if y in (year, year - 1) and month <= last:
                usd = int(row.value_usd) if y == year else -int(row.value_usd)
                sums = found.setdefault(row.item, {"exports": 0, "imports": 0})
                sums[flow] += usd
    return found


@pytest.mark.parametrize(
    ("who", "release", "chapter", "millions"),
    [("CAN", "2020-04", "87", -752), ("MEX", "2018-07", "27", 2_748), ("KOR", "2018-07", "87", 2_319)],
)
def test_exports_and_imports_of_a_chapter_are_netted_first(who, release, chapter, millions):
    found = sheet(who, release)
    raw = changes(found.partner.code, release)
    net = {item: sums["exports"] - sums["imports"] for item, sums in raw.items()}
    top = sorted(net, key=lambda item: -abs(net[item]))[:6]
    value = found.value("commodity.hs2.net")
    assert [entry["hs2"] for entry in value] == [*top, None]
    for entry in value[:-1]:
        assert (entry["exports_usd"], entry["imports_usd"]) == (
            *(raw[entry["hs2"]][flow] for flow in ("exports", "imports")),
        )
        assert entry["contribution_usd"] == net[entry["hs2"]]
    assert sum(entry["contribution_usd"] for entry in value) == sum(net.values())
    assert round(net[chapter] / 1e6) == millions
    assert found.value("commodity.hs2.net.largest") == value[:4]


def test_the_chapters_are_told_net_and_the_gross_flows_as_such():
    text = said("chapters", sheet("CAN", "2020-04"))
    assert (
        "\n\nBy chapter, exports less imports for consumption, what changed the goods balance with Canada "
        "most in January-April 2020, against a year earlier: mineral fuels (HS 27) added $2.5 billion, "
        in text
    )
    assert "motor vehicles and parts (HS 87) took away $752 million." in text
    assert (
        "Gross, the exports to Canada that changed most were motor vehicles and parts (HS 87, -$5.8" in text
    )
    assert "imports for consumption from Canada that changed most were motor vehicles and parts (HS 87, -$5.1"
    assert "led by" not in text


@pytest.mark.parametrize("who", ["KOR", "MEX", "CAN", "CHN"])
def test_no_change_of_the_balance_by_imports_for_consumption_is_told_beside_that_by_general_imports(who):
    found = sheet(who, *JULY)
    told = f"{said('chapters', found)} {titled('chapters-chart', found)}"
    assert "improved" not in told and "worsened" not in told
    assert "imports for consumption" in told
    assert "the two differ" in said("how-to-read", found)


def test_one_flow_is_told_as_that_flow_and_no_net_is_made_of_it():
    when = "In January-July 2018, against a year earlier, the"
    for who, flow in (("HKG", "exports to Hong Kong"), ("VNM", "imports for consumption from")):
        found = sheet(who, *JULY)
        assert f"\n\n{when} {flow}" in said("chapters", found)
        assert found["commodity.hs2.net"].reason == "only one flow by HS chapter is at hand"


def test_without_commodities_the_passage_is_left_out_and_the_annex_says_what_would_bring_it():
    for who, release, why in (
        ("TUV", JULY, "no table by HS chapter has rows of Tuvalu"),
        ("KOR", ("2010-06", None), f"{COVERS} January 2009 to June 2010"),
        ("KOR", ("2013-06", None), f"{COVERS} January 2012 to June 2013"),
    ):
        found = sheet(who, *release)
        assert said("chapters", found) == titled("chapters-chart", found) == ""
        assert f"Not told here, because {why}: `tradelib update`" in said("how-to-read", found)


@pytest.mark.parametrize(("who", "release"), [("KOR", JULY), ("CAN", JULY), ("KOR", ("2014-12", None))])
def test_the_chapters_that_changed_most_added_up_from_the_raw_rows(who, release):
    found, code = sheet(who, *release), sheet(who, *release).partner.code
    year, last = int(release[0][:4]), int(release[0][5:])
    flows = {"exports": EXPORTS, "imports": next(t for t in tables_of(found.snapshot, code) if t != EXPORTS)}
    for flow, table in flows.items():
        rows = raw_rows(table, PUBLISHED[table])
        rows = rows[rows["partner"] == code]
        change = {}
        for row in rows.itertuples():
            y, month = map(int, row.period.split("-"))
            if y in (year, year - 1) and month <= last:
                usd = int(row.value_usd) if y == year else -int(row.value_usd)
                change[row.item] = change.get(row.item, 0) + usd
        top = sorted(change, key=lambda item: -abs(change[item]))[:3]
        fact = found[f"commodity.hs2.{flow}.most_changed"]
        assert [(e["hs2"], e["change_usd"], e["flow"]) for e in fact.value] == [
            (item, change[item], flow) for item in top
        ]
        assert fact.table == table and fact.more["for_consumption"] == (table == CONSUMPTION)
        assert fact.vintage == PUBLISHED[table]


# --- did exports lead ---------------------------------------------------------------------------


def led(parts: dict[tuple[str, str], int]):
    """The fact on a partner whose flows in the first half of 2018 differ by this from the year before."""
    korea = sheet("KOR", *JULY)
    flows = korea.trade[(korea.trade["partner"] == "5800") & (korea.trade["period"].dt.year >= 2017)].copy()
    added = {key: parts[key] if key[1] == "exports" else -parts[key] for key in parts}
    for flow in ("exports", "imports"):
        added["total", flow] = added["goods", flow] + added["services", flow]
    for item in ("goods", "services", "total"):
        added[item, "balance"] = added[item, "exports"] - added[item, "imports"]
    level = {"exports": 900.0, "imports": 500.0, "balance": 400.0}
    flows["value_usd"] = [
        level[row.flow] * (2 if row.item == "total" else 1)
        + (added[row.item, row.flow] if str(row.period) == "2018Q2" else 0)
        for row in flows.itertuples()
    ]
    anew = replace(korea.snapshot)  # nothing is read yet
    vars(anew)["trade_flows"] = flows
    made = Brief(korea.partner, anew)
    total_facts(made)
    return made["total.exports_led"]


def parts_of(goods_exports, services_exports, goods_imports, services_imports) -> dict:
    return {
        ("goods", "exports"): goods_exports,
        ("services", "exports"): services_exports,
        ("goods", "imports"): goods_imports,
        ("services", "imports"): services_imports,
    }


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
    fact = led(parts_of(*parts))
    assert fact.value is expected
    assert (fact.reason == "the balance did not change") == (expected is None)
    assert (fact.more["exports_usd"], fact.more["imports_usd"]) == (sum(parts[:2]), sum(parts[2:]))


@given(*[st.integers(-5, 5)] * 4)
def test_exports_led_never_without_an_improvement_and_a_rise_of_both_exports(a, b, c, d):
    value = exports_led(a + b + c + d, parts_of(a, b, c, d))
    if value:
        assert a > 0 and b > 0 and a + b + c + d > 0 and a + b > abs(c + d)
    elif value is False:
        assert not (a > 0 and b > 0 and a + b + c + d > 0 and a + b > abs(c + d))
    else:
        assert a + b + c + d == 0


def test_exports_led_in_the_first_half_of_2018_with_korea_and_not_with_china():
    korea, china, tuvalu = (sheet(who, *JULY)["total.exports_led"] for who in ("KOR", "CHN", "TUV"))
    assert korea.value is True and china.value is False
    assert (korea.more["exports_usd"], korea.more["imports_usd"]) == (2_869_000_000, -1_010_000_000)
    assert tuvalu.value is None and "no figures by quarter" in tuvalu.reason
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


# --- finer detail than chapters, from replies of the API that were ingested ---------------------

INGESTED = [str(month) for month in pd.period_range("2017-01", "2018-07", freq="M")]
COLUMN = {"exports": "ALL_VAL_MO", "imports": "GEN_VAL_MO"}
CODES = {
    "hs4": (("E_COMMODITY", "I_COMMODITY"), ["2709", "2711", "8542"], "HS4"),
    "hs6": (("E_COMMODITY", "I_COMMODITY"), ["270900", "271111", "854231"], "HS6"),
    "naics": (("NAICS", "NAICS"), ["211", "324", "334"], "NA3"),
    "enduse": (("E_ENDUSE", "I_ENDUSE"), ["10000", "21301", "30000"], None),
}


def reply(path, flow: str, column: str, codes: list[str], level: str | None, seed: int = 0):
    """A reply as the server sends it, with made-up dollars."""
    head = ["CTY_CODE", COLUMN[flow], column, "time"] + (["COMM_LVL"] if level else [])
    rows = [
        ["5800", str(1_000_003 * (n + 1) + 7 * m + seed), code, month] + ([level] if level else [])
        for m, month in enumerate(INGESTED)
        for n, code in enumerate(codes)
    ]
    path.write_text(",\n".join(["[" + json.dumps(head), *map(json.dumps, rows)]) + "]")
    return path, rows


def year_to_july(rows: list, year: str) -> int:
    return sum(int(row[1]) for row in rows if row[3][:4] == year and row[3][5:] <= "07")


@pytest.mark.parametrize("kind", CODES)
def test_ingested_detail_is_taken_apart_and_adds_up_exactly(kind, tmp_path):
    (e_column, i_column), codes, level = CODES[kind]
    exports, e_rows = reply(tmp_path / "e.json", "exports", e_column, codes, level)
    imports, i_rows = reply(tmp_path / "i.json", "imports", i_column, codes[:2], level, seed=5)
    for path in (exports, imports):
        ingest([path], published="2018-09-05")
    korea = brief("KOR", "2018-07")
    fact = korea[f"commodity.{kind}.contributions"]
    assert tables_of(korea.snapshot, "5800", kind) == [f"exports_{kind}_nsa", f"imports_general_{kind}_nsa"]
    change = {}
    for flow, made in (("exports", e_rows), ("imports", i_rows)):
        change[flow] = year_to_july(made, "2018") - year_to_july(made, "2017")
    by_hand = change["exports"] - change["imports"]
    assert fact.more["change_usd"] == by_hand == sum(entry["contribution_usd"] for entry in fact.value)
    assert (fact.more["covers"], fact.more["items_held"]) == ("both flows", 3)
    assert (fact.vintage, fact.vintage_method) == ("2018-09-05", "published")
    assert {entry[kind] for entry in fact.value} == {*codes, None}
    assert codes[0] in fact.text


def test_without_such_tables_there_are_no_such_facts():
    ids = set(brief("KOR", "2018-07"))
    assert "commodity.hs2.contributions" in ids
    assert not ids & {f"commodity.{kind}.contributions" for kind in CODES}


def test_one_flow_alone_is_told_as_one_flow(tmp_path):
    path, rows = reply(tmp_path / "e.json", "exports", "NAICS", ["211", "324"], "NA3")
    ingest([path], published="2018-09-05")
    korea = brief("KOR", "2018-07")
    assert korea["commodity.naics.contributions"].more["covers"] == "exports only"
    oil = sum(int(row[1]) for row in rows if row[2] == "211" and row[3] >= "2018")
    assert korea.value("commodity.naics.211.exports.ytd") == oil
    gap = oil - sum(int(row[1]) for row in rows if row[2] == "211" and row[3] < "2018")
    assert korea.value("commodity.naics.211.exports.ytd.less_previous_year") == gap


def test_two_levels_in_one_reply_are_refused(tmp_path):
    path, _ = reply(tmp_path / "e.json", "exports", "E_COMMODITY", ["27", "2709"], None)
    with pytest.raises(TradelibError, match="codes of one length, 2 or 4 or 6 or 10 digits"):
        ingest([path], published="2018-09-05")


def test_a_level_that_the_codes_belie_is_refused(tmp_path):
    path, _ = reply(tmp_path / "e.json", "exports", "NAICS", ["211"], "NA6")
    with pytest.raises(TradelibError, match="COMM_LVL NA3; the reply says"):
        ingest([path], published="2018-09-05")
