"""What was out with a release as of a day: nothing later leaks in, strict refuses, errors say the day."""

import re
from datetime import date

import pandas as pd
import pytest
from helpers import sheet, snapshot

from tradelib import list_vintages, take
from tradelib.briefs.brief import brief
from tradelib.briefs.snapshot import handed_down
from tradelib.errors import TradelibError
from tradelib.store import vintages

GOODS, TRADE, EXPORTS = "goods_census_nsa", "trade_bop_sa", "exports_hs2_nsa"


def test_nothing_after_the_release_leaks_into_a_fact(store):
    """The tables of 2025 with every later period cut off give the same facts of July 2018."""
    for table, day, last in (
        (GOODS, "2025-04-03", pd.Period("2018-07", "M")),
        (TRADE, "2025-03-06", pd.Period("2018Q2", "Q")),
        (EXPORTS, "2020-12-04", pd.Period("2018-07", "M")),
        ("imports_consumption_hs2_nsa", "2020-12-04", pd.Period("2018-07", "M")),
        ("imports_consumption_nsa", "2020-12-04", pd.Period("2018-07", "M")),
        ("goods_census_sa", "2025-04-03", pd.Period("2018-07", "M")),
        ("trade_bop_annual", "2025-03-06", pd.Period("2017", "Y")),
        ("trade_world_sa", "2025-04-03", pd.Period("2018-07", "M")),
    ):
        source = next(v for v in list_vintages(table) if str(v.published) == day)
        cut = vintages.read(source, through=str(last))
        assert len(cut) < source.rows
        vintages.save(cut, table, published=date(2026, 1, 1), sources=[], parser="")
    cut = take("2018-07", as_of="2026-01-01")
    assert {str(v.published) for v in cut.sources.values()} == {"2026-01-01"}
    for who in ("KOR", "MEX", "EU", "VNM", "TUV"):
        whole = sheet(who, "2018-07", "2025-04-03")
        found = brief(who, cut)
        assert {id: (f.value, f.window, f.more) for id, f in found.items()} == {
            id: (f.value, f.window, f.more) for id, f in whole.items()
        }


def test_strict_refuses_and_lists_the_tables_that_came_later():
    with pytest.raises(TradelibError) as refusal:
        take("2018-07", strict=True)
    for table, days in ((GOODS, 30), (TRADE, 2374), (EXPORTS, 821)):
        assert re.search(rf"{table}: .*{days} days later", str(refusal.value))


def test_strict_gives_the_same_facts_where_everything_was_out():
    strict = take("2018-07", as_of="2025-04-03", strict=True)
    found = brief("KOR", strict)
    assert {id: f.value for id, f in found.items()} == {
        id: f.value for id, f in sheet("KOR", "2018-07", "2025-04-03").items()
    }


@pytest.mark.parametrize("day", ["2018-09-04", "1990-01-01"])
def test_a_day_before_the_release_is_an_error_that_names_the_release_day(day):
    with pytest.raises(TradelibError, match=r"2018-09-05"):
        take("2018-07", as_of=day)


def test_a_day_before_the_month_is_over_is_an_error_where_no_release_day_is_established():
    with pytest.raises(TradelibError, match="1993-06-30"):
        take("1993-06", as_of="1993-06-29")
    assert take("1993-06", as_of="1993-06-30").as_of == date(1993, 6, 30)


@pytest.mark.parametrize("release", ["2026-07", "2025-12"])
def test_a_release_later_than_any_vintage_names_the_latest_month_there_is(release):
    with pytest.raises(TradelibError, match=rf"No country table reaches {release}.\n.*2025-02.*\n.*ingest"):
        take(release)


def test_a_release_before_the_first_month_of_the_country_table_names_the_months_there_are():
    with pytest.raises(TradelibError, match=r"No country table reaches 1984-12.\n.*1985-01 to 2025-02"):
        take("1984-12")
    assert take("1985-01").month.year == 1985


@pytest.mark.parametrize("release", ["2018-13", "2018", "latest", "July 2018"])
def test_a_malformed_release_is_an_error(release):
    with pytest.raises(TradelibError, match="is not a month"):
        take(release)


def test_a_later_vintage_changes_values_and_never_windows_or_ids():
    old, new = (sheet("KOR", "2018-07", day) for day in ("2018-10-05", "2025-04-03"))
    assert list(old) == list(new)
    assert {id: f.window for id, f in old.items()} == {id: f.window for id, f in new.items()}
    assert old["goods.exports.ytd"].value != new["goods.exports.ytd"].value


def test_a_snapshot_handed_down_is_taken_with_its_sums_and_only_by_those_who_ask_for_it(store):
    store.mkdir()  # the snapshot is this test's own: see conftest
    given = snapshot("2018-07")
    marked = given.quarters  # any sum that is kept
    with handed_down([given]):
        found, other = take("2018-07"), take("2018-07", as_of="2018-10-05")
    assert vars(found)["quarters"] == marked and "quarters" not in vars(other)
    assert "quarters" not in vars(take("2018-07"))
    assert dict(brief("KOR", found)) == dict(brief("KOR", given))


def test_a_snapshot_handed_down_is_not_taken_once_another_vintage_is_there(store):
    given = take("2025-02", as_of="2025-10-01")
    newest = next(v for v in list_vintages(GOODS) if str(v.published) == "2025-04-03")
    with handed_down([given]):
        vintages.save(vintages.read(newest), GOODS, published=date(2025, 4, 5), sources=[], parser="")
        assert str(take("2025-02", as_of="2025-10-01").sources[GOODS].published) == "2025-04-05"
