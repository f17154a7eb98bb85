"""An archived release fetched: Exhibit 20 stands for goods and services, claims are judged in real time."""

from datetime import date
from functools import cache

import exhibits
import pandas as pd
import pytest
from click.testing import CliRunner
from exhibits import FIFTEEN, as_xls, as_zip, edition
from helpers import drawn, said, sheet

from tradelib import list_vintages, load, take
from tradelib import releases as calendar
from tradelib.briefs.brief import brief
from tradelib.briefs.selection import behind
from tradelib.briefs.universe import universe
from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.sources import ingest
from tradelib.studies.claims import load_article
from tradelib.studies.ledger import audit
from tradelib.style.house import caption

DAY = date(2018, 9, 5)
PATH = "/www.census.gov/foreign-trade/Press-Release/ft900/ft900xls_1807.zip"
HALVES = {"2017Q1": 0, "2017Q2": 0, "2018Q1": 1, "2018Q2": 1}
#: Made-up, so that they say what the article says: balance of goods and services, halves of 2017 and 2018.
DEFICITS = {"China": 160e3, "Mexico": 40e3, "Germany": 33e3, "Japan": 28e3, "Italy": 16e3, "France": 8e3}
DEFICITS |= {"Taiwan": 5e3}
KOREA = {
    ("goods", "Exports"): (24_000, 27_000),
    ("goods", "Imports"): (33_745, 34_399),
    ("services", "Exports"): (10_100, 10_500),
    ("services", "Imports"): (4_055, 4_100),
}


#: Goods with Korea, January-July, as the vintage of 2018-10-05 has them in whole millions.
TO_DATE = {("Exports", "2018-07"): 31_752, ("Exports", "2017-07"): 28_570}
TO_DATE |= {("Imports", "2018-07"): 41_638, ("Imports", "2017-07"): 41_735}


def as_printed(label: str, flow: str, item: str) -> tuple[float, float] | None:
    """Exports or imports of two halves, in millions, as the article has them."""
    if label == "Korea, South":
        return KOREA[item, flow]
    if label not in FIFTEEN:
        return None
    if item == "services":
        return 2_000, 2_000
    deficit = (12_000, 11_712) if label == "India" else None
    if label in DEFICITS:
        deficit = (DEFICITS[label], DEFICITS[label] + 100)
    return (50_000, 50_000) if flow == "Exports" else tuple(50_000 + d for d in deficit or (-900, -950))


@pytest.fixture(scope="module")
def archive() -> bytes:
    """An .xls edition of July 2018 that prints what the article says."""
    other = exhibits.amount

    def amount(label, flow, item, key, decimals=0):
        halves = as_printed(label, flow, item) if item != "total" and flow != "Balance" else None
        if halves and key[0] == "Q" and key[1] in HALVES:
            half = round(halves[HALVES[key[1]]])
            return float(half // 2 if key[1].endswith("Q1") else half - half // 2)
        if label == "Korea, South" and key[0] == "ytd" and (flow, key[1]) in TO_DATE:
            return float(TO_DATE[flow, key[1]])
        return other(label, flow, item, key, decimals)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exhibits, "amount", amount)
        rows = edition("2018-07").items()
        return as_zip({f"exh{number}.xls": as_xls(of, number) for number, of in rows})


@pytest.fixture(scope="module", autouse=True)
def no_table_alike():
    """What these exhibits print is made up: no other table has the same figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "table_alike", lambda table: None)
        patch.setattr(ingest, "has_bop_goods", lambda table: False)
        yield


@pytest.fixture(scope="module")
def filled(archive, tmp_path_factory):
    """A store that holds the archive."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "ft900xls_1807.zip").write_bytes(archive)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADELIB_STORE", str(folder / "store"))
        result = CliRunner().invoke(main, ["ingest", str(folder / "ft900xls_1807.zip")])
    assert result.exit_code == 0, result.output
    return folder / "store"


@pytest.fixture
def fetched(filled, monkeypatch):
    """That store is the user's; only to be read."""
    monkeypatch.setenv("TRADELIB_STORE", str(filled))


@cache
def july():
    """What was out on the day, that store being the user's."""
    return take("2018-07")


def test_the_exhibits_of_an_old_release_become_vintages_of_its_day(mirror, archive):
    mirror.expect_request(PATH).respond_with_data(archive, content_type="application/zip")
    result = CliRunner().invoke(main, ["fetch", "ft900", "--release", "2018-07"])
    assert result.exit_code == 0, result.output
    assert "trade_ft900_sa of 2018-09-05, through 2018Q2: new" in result.output
    stored = {v.table for v in list_vintages() if v.published == DAY}
    assert {"goods_ft900_nsa", "goods_ft900_ytd_nsa", "goods_ft900_sa", "trade_ft900_annual"} <= stored


def test_goods_and_services_come_from_the_exhibit_of_the_day_and_say_so(fetched):
    snapshot = july()
    assert (snapshot.trade_table, snapshot.lag(snapshot.trade_table)) == ("trade_ft900_sa", 0)
    found = brief("KOR", snapshot)
    fact = found["services.balance.ytd"]
    assert fact.value == 6_400e6 and found.value("services.balance.ytd.change_usd") == 355e6
    assert (fact.vintage, fact.vintage_lag_days, fact.vintage_method) == ("2018-09-05", 0, "published")
    assert found.value("total.balance.ytd") == -999e6
    assert found["total.trend.start"].vintage == "2025-03-06", "a trend needs the long table"
    assert found["services.first_quarter"].table == "trade_bop_sa"


def test_goods_come_from_the_exhibit_of_the_day_for_the_partners_that_it_lists(fetched):
    found = brief("KOR", july())
    fact = found["goods.exports.ytd"]
    assert (fact.value, fact.table, fact.vintage) == (31_752e6, "goods_ft900_ytd_nsa", "2018-09-05")
    assert fact.vintage_method == "published" and found["goods.exports.month"].table == "goods_ft900_nsa"
    assert round(found.value("goods.exports.ytd.change_pct"), 1) == 11.1
    for id in ("goods.deficit.rank", "goods.balance.trailing12", "goods.exports.record_month"):
        assert found[id].table == "goods_census_nsa", "these need all partners, or more months"
    other = brief("ZMB", july())["goods.exports.ytd"]
    assert (other.table, other.vintage) == ("goods_census_nsa", "2018-10-05")
    assert take("2018-07", as_of="2018-10-05").released_goods == {}, "the country table is out by then"


def test_the_universe_of_ranks_is_the_list_of_that_exhibit(fetched):
    codes, how_known = universe(DAY)
    assert len(codes) == 15 and how_known == "the 15 countries of Exhibit 20 (FT-900 of 2018-09-05)"
    assert set(codes) == set(universe(date(2018, 9, 6))[0]), "the bundled list says the same"


def test_the_articles_claims_are_judged_in_real_time(fetched):
    lines = {line.claim.id: line for line in audit(load_article("kei-2018-09-05"), as_of=date(2025, 4, 3))}
    for claim in ("kei.1", "kei.3", "kei.5", "kei.4", "kei.8", "kei.9", "kei.10", "kei.11", "kei.13"):
        reading = lines[claim].on_the_day
        told = (reading.verdict, reading.vintage, reading.vintage_method)
        assert told == ("reproduced", "2018-09-05", "published"), (claim, reading)
    assert lines["kei.3"].changed.vintage == "2025-03-06" and lines["kei.3"].now.verdict == "reversed"
    for claim in ("kei.2", "kei.6", "kei.7", "kei.12"):
        assert lines[claim].on_the_day.verdict == "cannot be tested", claim


def test_a_brief_draws_the_exhibit_and_tells_it_from_the_long_table(fetched):
    korea = brief("KOR", july())
    sources = dict(korea.sources())
    lacks = "caveat: Exhibits 4 and 4a of its supplement not there, or not known by the title"
    assert sources["Goods and services"] == f"trade_ft900_sa, vintage of September 5, 2018, {lacks}"
    assert "trade_bop_sa" in sources["Goods and services, history"]
    for figure in (drawn("standing-chart", korea), drawn("what-moved", korea)):
        below = caption(figure, "source")
        assert "vintage of 2018-09-05" in below and "Exhibits 4" not in below, "the card tells that"


def test_later_a_newer_table_of_bea_takes_its_place(fetched):
    assert take("2018-07", as_of="2024-12-31").trade_table == "trade_ft900_sa"
    assert take("2018-07", as_of="2025-03-06").trade_table == "trade_bop_sa"
    assert take("2018-06").trade_table == "trade_bop_sa", "an exhibit of September was not out in August"


def test_strict_takes_the_exhibit_and_goes_without_the_long_table(fetched):
    with pytest.raises(TradelibError, match="goods_census_nsa: the earliest is of 2018-10-05") as error:
        take("2018-07", strict=True)
    assert "trade_bop_sa" not in str(error.value)


def test_the_bundled_exhibit_gives_the_printed_figures_of_august_2021():
    found = sheet("KOR", "2021-08")
    assert found["total.balance.ytd"].vintage == "2021-10-05"
    assert found.value("total.balance.ytd") == (-3_118 - 4_324) * 1e6
    assert found.value("total.balance.ytd.change_usd") == (-3_118 - 4_324 + 1_608 + 4_092) * 1e6
    assert found.value("services.balance.ytd") == pytest.approx(
        (20_904 - 24_021 + 5_329 + 1_978) * 1e6, abs=2e6
    )
    assert found.value("total.deficit.rank") == 10
    printed = {"exports.ytd": 44_424, "imports.ytd": 61_606, "balance.ytd": -17_183, "exports.month": 5_347}
    printed |= {"exports.ytd.change_usd": 44_424 - 34_394, "balance.month": -3_154}
    for id, million in printed.items():
        assert abs(found.value(f"goods.{id}") / 1e6 - million) <= 1, id
    quarter = load("trade_ft900_sa", as_of="2021-10-05", partner="5800", since="2021Q2")
    services = quarter[(quarter["item"] == "services") & (quarter["flow"] == "balance")]
    assert services["value_usd"].tolist() == [1_978e6]


@pytest.mark.parametrize("id", ["goods.exports.ytd", "goods.imports.ytd", "goods.balance.month"])
def test_a_group_that_no_exhibit_prints_is_the_sum_of_its_members_as_released(id):
    """Canada and Mexico together came from the table of 2023, beside their own briefs from the release."""
    canada, mexico, both = (sheet(who, "2021-08")[id] for who in ("CAN", "MEX", "USMCA"))
    assert both.value == canada.value + mexico.value
    assert both.vintage == canada.vintage == mexico.vintage == "2021-10-05"


def test_the_age_of_the_data_is_told_where_a_newer_release_is_out(monkeypatch):
    assert behind(date(2025, 4, 30)) is None
    assert "FT-900 of 2026-09, due 2026-11-04, is not at hand" in behind(date(2026, 11, 24))
    monkeypatch.setattr(calendar, "today", lambda: date(2026, 11, 24))
    command = ["facts", "--partner", "KOR", "--release", "2018-07"]
    assert "tradelib update` gets it" in CliRunner().invoke(main, command).output
    monkeypatch.setattr(calendar, "today", lambda: date(2025, 4, 30))
    assert "tradelib update" not in CliRunner().invoke(main, command).output


def test_a_brief_as_of_a_day_with_a_newer_release_says_so():
    now, then = (said("flags", sheet("KOR", "2024-08", day)) for day in ("2026-11-24", "2024-10-08"))
    assert "**Older data.**" in now and "`tradelib update` gets it." in now
    assert "**Older data.**" not in then


def test_periods_of_an_exhibit_are_quarters_and_years():
    frame = load("trade_ft900_annual", as_of="2021-10-05", partner="5800")
    assert frame["period"].dtype == pd.PeriodDtype("Y") and set(frame["period"].dt.year) == {2018, 2019, 2020}


def test_the_last_two_bars_are_as_the_release_printed_them_and_the_note_says_so():
    def words(figure) -> str:
        return " ".join(" ".join(text.get_text() for text in figure.texts).split())

    own = sheet("KOR", "2021-08")
    figure = drawn("ytd-by-year", own)
    assert "2020 and 2021 are as the release printed them, earlier years as revised later." in words(figure)
    assert "FT-900; vintage of 2021-10-05" in words(figure) and "vintage of 2023-03-08" in words(figure)
    before, now = (bar.get_height() for bar in figure.axes[0].patches[-2:])
    assert now == own.value("goods.balance.ytd") and round(now / 1e9, 1) == -17.2
    assert now - before == own.value("goods.balance.ytd.change_usd") and round(before / 1e9, 1) == -14.2
    assert "as the release" not in words(drawn("ytd-by-year", sheet("KOR", "2018-07")))
    alone = drawn("what-moved", sheet("ZMB", "2021-08"))
    assert "FT-900; vintage of 2021-10-05" in words(alone)


def test_a_release_whose_day_is_not_established_needs_the_day(mirror):
    path = PATH.replace("1807", "9510")
    sheets = edition("1995-10").items()
    content = as_zip({f"exh{number}.xls": as_xls(rows, number) for number, rows in sheets})
    late = {"Last-Modified": "Fri, 12 May 2017 10:00:00 GMT"}
    mirror.expect_request(path).respond_with_data(content, content_type="application/zip", headers=late)
    assert calendar.release("1995-10").day is None
    command = ["fetch", "ft900", "--release", "1995-10"]
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 1 and "publication date of the FT-900 of 1995-10 is not" in told.output
    assert not [v for v in list_vintages() if v.origin == "store"]
    kept = CliRunner().invoke(main, [*command, "--published", "1995-12-20"])
    assert kept.exit_code == 0, kept.output
    assert {str(v.published) for v in list_vintages() if v.origin == "store"} == {"1995-12-20"}
