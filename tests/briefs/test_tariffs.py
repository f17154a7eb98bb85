"""The facts on tariffs, a second time from the raw files without tradelib; the exact split of a rate."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from bulk_files import Zips
from helpers import passages, said, sheet, snapshot
from hypothesis import given
from hypothesis import strategies as st

import tradelib as tl
from tradelib.briefs.selection import choose
from tradelib.briefs.tariffs import split
from tradelib.releases import release
from tradelib.sources import bulk
from tradelib.store import vintages

NOVEMBER = ("2025-11", "2026-02-04")
NAMES = {
    "5700": "CHINA",
    "5800": "KOREA, SOUTH",
    "4419": "SWITZERLAND",
    "1220": "CANADA",
    "0003": "EUROPEAN UNION",
}
PROVISIONS = "imports_consumption_provisions_nsa"
WHOLE = "TOTAL FOR ALL COUNTRIES"
SPANS = {"month": (-1, None), "ytd": (-11, None), "trailing12": (-12, None), "previous_year": (-23, -11)}


@pytest.fixture(scope="module")
def raw(originals) -> pd.DataFrame:
    """Imports and duties of the raw file by partner, industry and month."""
    (path,) = (originals / "tariffs").glob("imports_consumption_naics3*")
    rows = pd.read_parquet(path).reset_index()
    rows = rows[rows["CTY_NAME"].isin([*NAMES.values(), WHOLE]) | rows["NAICS"].eq("00")]
    return rows.set_index(["time", "CTY_NAME", "NAICS"])[["imports", "duty"]].unstack([1, 2])


def percent(rows: pd.DataFrame, who: str, first: int, last: int | None) -> float:
    rows = rows.iloc[first:last]
    return 100 * rows["duty"][who]["00"].sum() / rows["imports"][who]["00"].sum()


@pytest.mark.parametrize("code", NAMES)
def test_windows_changes_and_places_a_second_time_from_the_raw_file(code, raw):
    facts, who, rows = sheet(code, *NOVEMBER), NAMES[code], raw
    fact = facts["tariff.rate.month"]
    assert (fact.vintage, fact.vintage_lag_days) == ("2026-01-29", 0)
    for span, (first, last) in SPANS.items():
        now, before = percent(raw, who, first, last), percent(raw, who, first - 12, (last or 0) - 12)
        assert facts[f"tariff.rate.{span}"].value == pytest.approx(now, abs=1e-9)
        assert facts[f"tariff.rate.{span}.change_points"].value == pytest.approx(now - before, abs=1e-9)
        for what, name in (("duties", "duty"), ("imports", "imports")):
            usd = rows.iloc[first:last][name][who]["00"].sum()
            assert facts[f"tariff.{what}.{span}"].value == usd
    december = percent(raw, who, -12, -11)
    assert facts["tariff.rate.december_2024"].value == pytest.approx(december, abs=1e-9)
    since = facts["tariff.rate.month.since_december_2024_points"].value
    assert since == pytest.approx(percent(raw, who, -1, None) - december, abs=1e-9)
    all_duties = rows.iloc[-11:]["duty"]
    share = 100 * all_duties[who]["00"].sum() / all_duties[WHOLE]["00"].sum()
    assert facts["tariff.duties.ytd.share_pct"].value == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("code", [code for code in NAMES if code != "0003"])
def test_ranks_peaks_and_jumps_a_second_time_from_the_raw_file(code, raw):
    facts, who = sheet(code, *NOVEMBER), NAMES[code]
    usd = {name: raw[name].xs("00", axis=1, level=1) for name in ("duty", "imports")}
    months = (100 * usd["duty"] / usd["imports"]).round(12)
    single = months.drop(columns=[WHOLE, "EUROPEAN UNION", "USMCA (NAFTA)"])
    rank = facts["tariff.rate.month.rank"]
    assert rank.value == 1 + (single.iloc[-1] > single[who].iloc[-1]).sum() and rank.more["n"] == 30
    assert facts["tariff.rate.peak"].value == f"{months[who].idxmax():%Y-%m}"
    rises = months[who].diff().iloc[-24:]
    assert facts["tariff.rate.jump"].value == pytest.approx(rises.max(), abs=1e-9)
    assert facts["tariff.rate.jump"].more["month"] == f"{rises.idxmax():%Y-%m}"


@pytest.mark.parametrize("span", ["month", "ytd"])
def test_rates_and_mix_add_up_to_the_change_and_parts_are_those_with_most_duties(span, raw):
    first, _ = SPANS[span]
    for code, who in NAMES.items():
        facts = sheet(code, *NOVEMBER)
        change = facts[f"tariff.rate.{span}.change_points"].value
        parts = [facts[f"tariff.rate.{span}.by_{name}_points"].value for name in ("rate", "mix")]
        assert sum(parts) == pytest.approx(change, abs=1e-9)
        windows = {now: raw.iloc[first - 12 * (not now) : None if now else -12] for now in (True, False)}
        duty, usd = (
            {now: w[n][who].drop(columns="00").sum() for now, w in windows.items()}
            for n in ("duty", "imports")
        )
        weight = {now: usd[now] / usd[now].sum() for now in usd}
        of = {now: (100 * duty[now] / usd[now].where(usd[now] > 0)) for now in usd}
        both = of[True].notna() & of[False].notna()
        by_rate = ((weight[True] + weight[False]) / 2 * (of[True] - of[False]))[both].sum()
        assert parts[0] == pytest.approx(by_rate, abs=1e-9)
        told = [(entry["industry"], entry["duty_usd"]) for entry in facts[f"tariff.parts.{span}"].value]
        assert told == list(duty[True].nlargest(5).items())
        if span == "ytd":
            grew = usd[True].sub(usd[False], fill_value=0)
            top = grew[grew.abs().nlargest(3).index]
            entries = facts["tariff.imports.ytd.most_changed"].value
            assert [(entry["industry"], entry["change_usd"]) for entry in entries] == list(top.items())


def test_where_no_chapters_are_out_the_industries_tell_what_was_imported():
    """The largest deficit with Switzerland on record was gold, of which the brief said nothing."""
    assert "were primary metals (+$35.1 billion), chemicals (" in said("duties", sheet("CHE", "2025-02"))
    assert "Primary metals include gold" in said("chapters", sheet("CHE", "2025-02"))
    russia = said("chapters", sheet("RUS", "2025-01"))  # whose chemicals are fertilizers
    assert "hemicals include pharmaceuticals and fertilizers" in russia and "metals include gold" in russia
    assert "By industry" not in said("duties", sheet("VNM", "2024-12"))  # its chapters are told
    assert not said("duties", sheet("ZAF", "2025-02"))


# --- the parts that are dutiable, free, and under chapter 99 -------------------------------------


@pytest.mark.parametrize("code", ["5700", "0003", "0015", "6226"])
def test_the_dutiable_part_of_a_year_is_that_of_the_printed_totals_and_tells_its_own_vintage(code, originals):
    printed = pd.read_csv(
        originals / "tariffs" / "imports_by_partner_2024_2025_annual.csv", dtype={"cty_code": str}
    )
    mine = {"0003": tl.members("EU", "2026-02-04"), "0015": printed["cty_code"]}.get(code, [code])
    rows = printed[printed["year"].eq(2024) & printed["cty_code"].isin(mine)]
    usd = rows[["dutiable_usd", "consumption_usd"]].sum()
    fact = sheet(code, *NOVEMBER)["tariff.dutiable_share.previous_year"]
    assert fact.value == pytest.approx(100 * usd.iloc[0] / usd.iloc[1], abs=1e-9)
    assert (fact.table, fact.vintage) == ("imports_consumption_hs6_annual", "2026-11-24")
    assert fact.vintage_lag_days == 293


def test_without_rate_provisions_parts_of_imports_are_not_told_and_the_reason_is():
    facts = sheet("CHN", *NOVEMBER)
    for id in (
        "dutiable_share.month",
        "dutiable_share.ytd",
        "free_share.month",
        "chapter_99_share.previous_year",
    ):
        fact = facts[f"tariff.{id}"]
        assert fact.value is None and "no table by rate provision at hand has" in fact.reason


def test_parts_of_imports_by_rate_provision_are_those_of_the_lines_of_the_bulk_files(tmp_path):
    made = {month: Zips(month, seed=int(month[-1])) for month in ("2026-06", "2026-07")}
    found: dict[str, list[pd.DataFrame]] = {}
    for month, zips in made.items():
        lines = zips.detail("imports")
        lines["rate_prov"] = np.resize(["10", "69", "61", "79", "18"], len(lines))
        read = bulk.read(str(zips.write(tmp_path, "imports")), "imports", month)
        for table, frame in bulk.tables(read):
            if table in ("imports_consumption_nsa", "imports_consumption_naics_nsa", PROVISIONS):
                found.setdefault(table, []).append(frame)
    told = {"published": date(2026, 9, 3), "sources": [], "parser": bulk.PARSER}
    for table, frames in found.items():
        vintages.save(pd.concat(frames), table, **told)
    lines = made["2026-07"].detail("imports")
    for code in (lines["cty_code"].mode()[0], "0015"):
        rows = lines if code == "0015" else lines[lines["cty_code"] == code]
        facts, whole = tl.brief(code, "2026-07", as_of="2026-09-03"), rows["con_val_mo"].sum()
        of = rows.groupby("rate_prov")["con_val_mo"].sum()
        parts = {"dutiable": rows["dut_val_mo"].sum(), "free": of["10"] + of["18"]}
        for name, usd in (parts | {"chapter_99": of["69"] + of["79"]}).items():
            fact = facts[f"tariff.{name}_share.month"]
            assert fact.value == pytest.approx(100 * usd / whole, abs=1e-9) and fact.table == PROVISIONS
            assert "January-July 2026" in facts[f"tariff.{name}_share.ytd"].reason, (
                "five months are not there"
            )
        assert facts.value("tariff.parts.month") and facts.value("tariff.parts.ytd") is None


dollars = st.integers(0, 10**11).map(float)
window = st.dictionaries(st.sampled_from("abcdef"), st.tuples(dollars, st.floats(0, 1.5)), min_size=1)


@given(window, window)
def test_a_split_is_exact_and_the_same_backwards(one, other):
    frames = []
    for rows in (one, other):
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["imports_usd", "of"])
        frames.append(frame.assign(duty_usd=np.rint(frame["imports_usd"] * frame["of"])))
    if any(frame["imports_usd"].sum() == 0 for frame in frames):
        return
    now, before = (100 * frame["duty_usd"].sum() / frame["imports_usd"].sum() for frame in frames)
    parts = split(*frames).sum()
    assert parts.sum() == pytest.approx(now - before, abs=1e-9)
    back = split(*reversed(frames)).sum()
    assert parts.to_numpy() == pytest.approx(-back.to_numpy(), abs=1e-9)


def test_equal_rates_are_all_mix_and_an_equal_mix_is_all_rates():
    now = pd.DataFrame({"imports_usd": [10.0, 30.0], "duty_usd": [1.0, 6.0]}, index=["a", "b"])
    mixed = pd.DataFrame({"imports_usd": [30.0, 10.0], "duty_usd": [3.0, 2.0]}, index=["a", "b"])
    assert split(now, mixed)["rate_points"].abs().max() < 1e-12
    doubled = now.assign(duty_usd=2 * now["duty_usd"])
    assert split(doubled, now)["mix_points"].abs().max() < 1e-12


def test_a_release_that_the_goods_tables_do_not_reach_has_the_facts_on_tariffs(capsys):
    facts = sheet("CHN", *NOVEMBER)
    assert facts["goods.exports.month"].value is None
    reason = (
        'the table "Goods by partner (country.xlsx)" covers January 1985 to February 2025, not November 2025'
    )
    assert facts["goods.exports.month"].reason == reason
    tiles = said("figures", facts)
    assert "Goods" not in tiles and "| Rate of duty, November 2025 | **32.3 percent** |" in tiles
    why = [cell for cell in passages() if "quarters" in said(cell, facts) and " covers " in said(cell, facts)]
    assert why == ["total", "since-when"], "the reason is not told in every passage"
    assert said("standing", facts) == (
        "By the rate of duty on its imports China was 1st of 30 countries in November 2025, "
        "the highest rate first."
    )
    assert "| Rank by rate | **1st** of 30 |" in tiles and "$3.8 billion a year earlier" in tiles
    document = json.loads(json.dumps(facts.document()))
    assert round(document["facts"]["tariff.rate.month"]["value"], 2) == 32.35
    known = {id for id, fact in facts.items() if fact.value is not None}
    assert known and all("tariff" in id for id in known)
    with pytest.raises(tl.TradelibError, match="No country table reaches 2025-12"):
        snapshot("2025-12", "2026-02-20")


def test_duties_of_a_later_day_are_flagged_and_a_strict_brief_does_without():
    fact = sheet("AUS", "2023-01", "2023-03-08")["tariff.rate.month"]
    assert (fact.vintage_method, fact.vintage) == ("later", "2026-01-29") and fact.vintage_lag_days > 1000
    chosen = choose(release("2025-02"), date(2025, 4, 3), strict=True)
    assert chosen.tariffs == [] and "imports_consumption_nsa" in chosen.absent


def test_before_2025_there_is_no_change_since_december_2024_and_small_partners_have_no_rate():
    facts = sheet("KOR", "2018-07", "2018-10-05")
    assert facts["tariff.rate.december_2024"].reason == "July 2018 is not after December 2024"
    assert (
        facts["tariff.rate.month"].vintage == "2020-12-04"
        and facts["tariff.parts.month"].more["by"] == "chapter"
    )
    assert "all these months of Tuvalu" in sheet("TUV", "2018-07", "2018-10-05")["tariff.rate.month"].reason
