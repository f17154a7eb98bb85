"""A new vintage is held against those beside it: what no revision does is refused, a true one never."""

from datetime import date

import pandas as pd
import pytest
from helpers import country_sheet, csv_bytes

import tradelib as tl
from tradelib import releases
from tradelib.errors import TradelibError
from tradelib.sources.alike import (
    all_goods_of,
    has_bop_goods,
    hold_alike,
    hold_goods,
    hold_sums,
    table_alike,
)
from tradelib.sources.continuity import ALIKE, hold_against, totals
from tradelib.sources.ingest import check_day, ingest, vouch
from tradelib.store import vintages
from tradelib.tables import TABLES

GOODS = "goods_census_nsa"
DAY = date(2024, 10, 9)


@pytest.fixture(scope="module")
def known():
    return tl.list_vintages(GOODS)


@pytest.fixture(scope="module")
def october(known):
    return vintages.read(known[-2])


@pytest.mark.parametrize("order", [1, -1])
def test_every_true_vintage_goes_on_from_those_before_and_to_those_after(known, order):
    seen = []
    for vintage in known[::order]:
        hold_against(vintages.read(vintage), GOODS, vintage.published, seen)
        seen.append(vintage)


@pytest.mark.parametrize("table", ["exports_hs2_nsa", "trade_bop_sa", "goods_census_sa"])
def test_the_same_figures_go_on_from_themselves(table):
    (vintage,) = tl.list_vintages(table)
    hold_against(vintages.read(vintage), table, vintage.published, [vintage])


def moved(frame, partner, period, times):
    wanted = frame["partner"].eq(partner) & frame["period"].eq(pd.Period(period, "M"))
    return frame.assign(value_usd=frame["value_usd"].mask(wanted, frame["value_usd"] * times))


def months_swapped(frame):
    in_2023 = frame["period"].dt.year.eq(2023)
    swapped = frame["period"].dt.month.map({1: 1, 2: -1})
    return frame.assign(period=frame["period"] + swapped.where(in_2023, 0).fillna(0).astype(int))


def last_year_again(frame):
    now = frame["period"].dt.year.eq(2024)
    copy = frame[frame["period"].between(pd.Period("2023-01", "M"), pd.Period("2023-08", "M"))]
    return pd.concat([frame[~now], copy.assign(period=copy["period"] + 12)], ignore_index=True)


def flows_swapped(frame):
    return frame.assign(flow=frame["flow"].map({"exports": "imports", "imports": "exports"}))


WRONG = {
    "months swapped": months_swapped,
    "exports and imports exchanged": flows_swapped,
    "thousands for millions": lambda f: f.assign(value_usd=f["value_usd"] * 1000),
    "last year copied into this one": last_year_again,
    "a partner gone": lambda f: f[f["partner"].ne("5600")],
    "a partner gone from the last year": lambda f: f[f["partner"].ne("5600") | f["period"].dt.year.ne(2024)],
    "most of history gone": lambda f: f[f["period"].dt.year >= 2015],
    "a month of one partner times a thousand": lambda f: moved(f, "5800", "2024-03", 1000),
    "a month of a small partner times a thousand": lambda f: moved(f, "3720", "2022-03", 1000),
    "an old month changed a little": lambda f: moved(f, "5800", "2001-03", 1.01),
    "it ends earlier": lambda f: f[f["period"] < "2024-07"],
}


@pytest.mark.parametrize("case", WRONG)
def test_what_no_revision_does_is_refused_with_the_worst_lines(known, october, case):
    with pytest.raises(
        TradelibError, match=r"(?s)cannot be believed beside the vintage of 2024-10-08.*accept"
    ):
        hold_against(WRONG[case](october), GOODS, DAY, known)


def test_services_in_the_place_of_goods_are_refused():
    (vintage,) = tl.list_vintages("trade_bop_sa")
    frame = vintages.read(vintage)
    swapped = frame.assign(item=frame["item"].replace({"goods": "services", "services": "goods"}))
    with pytest.raises(TradelibError, match=r"(?s)cannot be believed.*services 20"):
        hold_against(swapped, "trade_bop_sa", date(2025, 6, 5), [vintage])


def test_a_new_month_a_thousand_times_too_large_is_refused(known, october):
    latest = moved(october, "5170", "2024-08", 1000)
    with pytest.raises(TradelibError, match=r"(?s)new figures are far above all before.*2024-08"):
        hold_against(latest, GOODS, DAY, known[:-2])


def test_what_is_accepted_is_kept_with_its_reason_and_shown_with_every_brief(october, tmp_path, store):
    file = tmp_path / "country.csv"
    korea = october["partner"].eq("5800") & october["flow"].eq("exports") & october["period"].eq("2001-03")
    odd = october.assign(value_usd=october["value_usd"] + 1e5 * korea)
    assert korea.sum() == 1
    file.write_bytes(csv_bytes(country_sheet(odd)))
    with pytest.raises(TradelibError, match="cannot be believed"):
        ingest([file], published="2024-10-09")
    assert not store.exists()
    ((vintage, written),) = ingest([file], published="2024-10-09", accept="Census told us so by letter")
    assert written and vintage.accepted.startswith(
        "Census told us so by letter (goods_census_nsa of 2024-10-09"
    )
    brief = tl.brief("KOR", "2024-08", as_of="2024-10-09")
    assert "Census told us so by letter" in brief.names["stand"]
    assert "Census told us so by letter" in dict(brief.sources())["Goods"]


def test_quarters_of_goods_are_out_with_their_last_month_and_those_of_services_with_the_month_after():
    frame = pd.DataFrame({"period": pd.PeriodIndex(["2018Q1", "2018Q2"], freq="Q")})
    june = releases.release("2018-06").published
    assert check_day(frame, "goods_ft900_quarters_sa", june) is frame
    with pytest.raises(TradelibError, match="2018-07 was published on 2018-09-05"):
        check_day(frame, "trade_ft900_sa", june)


@pytest.mark.parametrize(("code", "year"), [("0013", 2005), ("7950", 2015), ("6227", 2023)])
def test_a_year_of_one_partner_that_is_gone_is_missed_however_little_it_traded(known, october, code, year):
    gone = october["partner"].eq(code) & october["period"].dt.year.eq(year)
    assert gone.sum() == 24
    with pytest.raises(TradelibError, match="years of a series are gone"):
        hold_against(october[~gone], GOODS, DAY, known[:-1])


# --- what all items add up to ---------------------------------------------------------------------


def held(table, frame, day):
    """Hold a table by commodity against the bundled totals of all goods, as `vouch` does."""
    hold_sums(totals(frame), table, day, tl.list_vintages(all_goods_of(table)))


@pytest.mark.parametrize("table", [name for name in TABLES if all_goods_of(name)])
def test_the_items_of_a_true_table_add_up_to_what_was_traded(table):
    for vintage in tl.list_vintages(table):
        held(table, vintages.read(vintage), vintage.published)


CHAPTERS, CHAPTERS_DAY = "exports_hs2_nsa", date(2020, 12, 4)


@pytest.fixture(scope="module")
def chapters():
    """Exports to a few partners by HS chapter in 2020, of a day in the cycle of a bundled table of goods."""
    few = ["KOR", "MEX", "CHE", "0015"]
    frame = tl.load(CHAPTERS, as_of=CHAPTERS_DAY, since="2020-01", partner=few)
    return frame[["partner", "flow", "item", "period", "value_usd"]]


def one(frame, partner, item, period):
    return frame["partner"].eq(partner) & frame["item"].eq(item) & frame["period"].eq(pd.Period(period, "M"))


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(
            value_usd=rows["value_usd"].mask(one(rows, "5800", "09", "2020-03"), rows["value_usd"] * 1000)
        ),
        lambda rows: rows[~one(rows, "5800", "27", "2020-03")],
        lambda rows: rows[~(rows["partner"].eq("4419") & rows["period"].eq(pd.Period("2020-07", "M")))],
        lambda rows: rows.assign(value_usd=rows["value_usd"] * 1000),
        lambda rows: rows.iloc[: len(rows) * 3 // 4],
    ],
    ids=["a thousandfold", "a chapter gone", "a month of a partner gone", "thousands", "cut short"],
)
def test_a_table_whose_items_do_not_add_up_is_refused(chapters, change):
    held(CHAPTERS, chapters, CHAPTERS_DAY)
    with pytest.raises(TradelibError, match=r"sums of all items are not what was traded") as refusal:
        held(CHAPTERS, change(chapters), CHAPTERS_DAY)
    assert "beside goods_census_nsa of 2020-10-06" in str(refusal.value) and "--accept" in str(refusal.value)


def test_a_reply_cut_in_a_month_is_seen_over_an_annual_revision_too(chapters):
    """The months of autumn 2020 are in no table of goods of that cycle, but in that of 2023."""
    late = tl.load(CHAPTERS, as_of=CHAPTERS_DAY, since="2020-09", partner=["KOR", "MEX", "CHE", "0015"])
    late = late[list(chapters)]
    held(CHAPTERS, late, CHAPTERS_DAY)
    korea = late["partner"].eq("5800") & late["period"].eq(pd.Period("2020-10", "M"))
    with pytest.raises(TradelibError, match=r"(?s)sums of all items are not what was traded.*Korea, South"):
        held(CHAPTERS, late[~korea], CHAPTERS_DAY)


def test_chapters_of_another_month_are_seen():
    """Twenty partners' chapters of one month under the next."""
    late = tl.load(CHAPTERS, as_of=CHAPTERS_DAY, since="2020-09", through="2020-10")
    swapped = late.assign(period=months_exchanged(late)["period"])
    held(CHAPTERS, late, CHAPTERS_DAY)
    with pytest.raises(TradelibError, match="cannot be believed beside goods_census_nsa of 2023"):
        held(CHAPTERS, swapped, CHAPTERS_DAY)


@pytest.mark.parametrize("times", [1e-3, 1e3])
def test_duties_of_another_unit_are_refused(times):
    table = "imports_consumption_hs2_nsa"
    vintage = tl.list_vintages(table)[0]
    frame = vintages.read(vintage)
    hold_against(frame, table, date(2021, 9, 2), [vintage])
    odd = frame.assign(duty_usd=(frame["duty_usd"] * times).round())
    with pytest.raises(TradelibError, match="duties of the same months"):
        hold_against(odd, table, date(2021, 9, 2), [vintage])


def test_some_chapters_alone_have_no_sum_to_be_held_to(chapters):
    held(CHAPTERS, chapters[chapters["item"].isin(["84", "85", "87"])], CHAPTERS_DAY)


# --- the same figures in another table -------------------------------------------------------------


def held_alike(table, frame, day):
    """Hold a table against the bundled one that has the same figures, as `vouch` does."""
    hold_alike(frame, table, day, tl.list_vintages(table_alike(table)))


@pytest.mark.parametrize("table", ALIKE)
def test_a_true_table_agrees_with_the_one_that_has_its_figures_too(table):
    for vintage in tl.list_vintages(table):
        held_alike(table, vintages.read(vintage), vintage.published)


def as_reply(month, day, table=GOODS):
    """What the Census API, or the FT-900, would have had of the months before a day."""
    frame = tl.load(table, as_of=day, since=month)
    kinds = tl.all_partners().set_index("code")["kind"]
    return frame[
        frame["partner"].map(kinds).isin(["country", "other", "world"]) & frame["partner"].ne("0004")
    ]


def months_exchanged(frame):
    last = frame["period"].max()
    return frame.assign(period=frame["period"].map({last: last - 1, last - 1: last}))


def codes_exchanged(frame):
    return frame.assign(partner=frame["partner"].replace({"5800": "5880", "5880": "5800"}))


ELSEWHERE = {
    "months exchanged": months_exchanged,
    "codes exchanged": codes_exchanged,
    "exports and imports exchanged": flows_swapped,
    "thousands": lambda f: f.assign(value_usd=f["value_usd"] * 1000),
    "millions": lambda f: f.assign(value_usd=f["value_usd"] / 1e6),
    "one figure of a partner ten times": lambda f: moved(f, "5800", "2025-02", 10),
    "last year under this": lambda f: (
        as_reply("2024-01", "2025-04-03")
        .query("period < '2024-03'")
        .assign(period=lambda one: one["period"] + 12)
    ),
}


@pytest.mark.parametrize("case", ELSEWHERE)
@pytest.mark.parametrize("table", ["goods_census_nsa_api", "goods_ft900_nsa", "goods_ft900_all_nsa"])
def test_goods_of_another_source_do_not_contradict_the_table_of_goods(table, case):
    """No vintage of these tables has the months, so that nothing else would notice."""
    true, day = as_reply("2025-01", "2025-04-03"), date(2025, 4, 10)
    held_alike(table, true, day)
    with pytest.raises(TradelibError, match="cannot be believed beside goods_census_nsa of 2025-04-03"):
        held_alike(table, ELSEWHERE[case](true), day)


def test_months_exchanged_are_seen_over_an_annual_revision_too():
    """Each figure alone may be revised so far; all of them to those of the month beside it cannot."""
    (vintage,) = tl.list_vintages("goods_ft900_nsa")
    frame, day = vintages.read(vintage), vintage.published
    recent = frame["period"] >= pd.Period("2021-07", "M")
    swapped = pd.concat([frame[~recent], months_exchanged(frame[recent])], ignore_index=True)
    with pytest.raises(
        TradelibError, match=r"beside goods_census_nsa of 2023.*exports of 2021-07 are those of"
    ):
        held_alike("goods_ft900_nsa", swapped, day)


@pytest.mark.parametrize("table", ["trade_bop_sa", "goods_census_sa"])
def test_two_quarters_or_months_exchanged_are_seen_where_each_may_be_revised_as_far(table):
    """Four quarters make the same year in either order."""
    (vintage,) = tl.list_vintages(table)
    frame = vintages.read(vintage)
    last = frame["period"].max()
    swapped = frame.assign(period=frame["period"].replace({last - 1: last - 2, last - 2: last - 1}))
    with pytest.raises(TradelibError, match=r"cannot be believed"):
        hold_against(swapped, table, date(2025, 5, 6), [vintage])


def test_last_year_under_a_month_that_no_table_has_yet_is_refused():
    copied = as_reply("2024-01", "2025-04-03").assign(period=lambda rows: rows["period"] + 24)
    with pytest.raises(TradelibError, match="exports of 2026-01 are those of 2024-01"):
        held_alike("goods_census_nsa_api", copied, date(2027, 4, 2))


@pytest.mark.parametrize("case", ["exports and imports exchanged", "thousands", "millions"])
@pytest.mark.parametrize("table", ["trade_ft900_sa", "goods_ft900_sa", "goods_ft900_quarters_sa"])
def test_what_a_release_printed_adjusted_does_not_contradict_the_later_tables(table, case):
    (vintage,) = tl.list_vintages(table)
    with pytest.raises(TradelibError, match=f"cannot be believed beside {table_alike(table)}"):
        held_alike(table, ELSEWHERE[case](vintages.read(vintage)), vintage.published)


@pytest.mark.parametrize("times", [1e-3, 1e3])
def test_months_that_no_table_has_yet_are_of_the_size_of_those_before(times):
    later = as_reply("2025-01", "2025-04-03").assign(period=lambda rows: rows["period"] + 12)
    odd = later.groupby("partner").ngroup() % 7
    later["value_usd"] = (later["value_usd"] * (0.9 + odd / 20)).round()
    held_alike("goods_census_nsa_api", later, date(2026, 4, 2))
    with pytest.raises(TradelibError, match="partners together, would be"):
        held_alike(
            "goods_census_nsa_api", later.assign(value_usd=later["value_usd"] * times), date(2026, 4, 2)
        )


@pytest.mark.parametrize("vintage", [v for v in tl.list_vintages() if has_bop_goods(v.table)], ids=str)
def test_true_goods_on_bop_basis_are_near_those_on_census_basis_of_any_vintage(vintage, known):
    frame = vintages.read(vintage)
    for other in known:
        hold_goods(frame, vintage.table, other.published, [other])


FAR = {
    "China's under India": lambda f: f.assign(partner=f["partner"].replace({"5700": "5330", "5330": "5700"})),
    "services for goods": lambda f: f.assign(
        item=f["item"]
        .replace({"goods": "services", "services": "goods"})
        .where(f["partner"].eq("5800"), f["item"])
    ),
    "thousands": lambda f: f.assign(value_usd=f["value_usd"] / 1000),
}


@pytest.mark.parametrize("table", ["trade_bop_sa", "trade_bop_annual"])
@pytest.mark.parametrize("case", FAR)
def test_goods_far_from_census_basis_are_refused_in_periods_that_no_vintage_has_yet(monkeypatch, table, case):
    (vintage,) = tl.list_vintages(table)
    frame = vintages.read(vintage)
    new = FAR[case](frame[frame["period"].dt.year.eq(2024)])
    monkeypatch.setattr(vintages, "list_vintages", lambda t: [v for v in tl.list_vintages(t) if t == GOODS])
    vouch(frame, table, vintage.published)
    with pytest.raises(
        TradelibError, match=r"(?s)figures of goods are far from those on Census basis.*accept"
    ):
        vouch(new, table, vintage.published)
