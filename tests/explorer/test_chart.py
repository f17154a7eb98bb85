"""The chart of explore.ipynb: a finding as its title, a unit, a source, and what it says."""

import pytest

import tradelib as tl
from tradelib.explorer.chart import chart, title
from tradelib.explorer.choice import BASES, MEASURES, Choice, view_of
from tradelib.style.house import Chart, caption

JULY = {"release": "2018-07", "as_of": "2018-10-05"}


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("who", [("KOR", ""), ("CHN", "MEX"), ("0003", "JPN")])
def test_every_window_and_measure_draws_with_a_finding_a_unit_and_a_source(basis, who):
    for window in BASES[basis].windows:
        for measure in BASES[basis].measures:
            asked = {"basis": basis, "window": window, "measure": measure}
            release = "2025-11" if measure == "rate" else "2018-07"  # Europe is in the newest table only
            view = view_of(Choice(who[0], release, second=who[1], **asked))
            fig = chart(view)
            assert tl.resolve(who[0]).prose in caption(fig)
            assert ("percent" if measure == "rate" else "$ ") in caption(fig, "subtitle")
            assert f"vintage of {view.vintages[0].published}" in caption(fig, "source")
            assert "nan" not in caption(fig)


def test_a_comparison_is_drawn_with_its_revision_below():
    fig = chart(view_of(Choice("KOR", second="JPN", compare="2025-04-03", window="twelve months", **JULY)))
    main, below = fig.axes
    assert len([line for line in main.lines if line.get_label() == "Japan"]) == 2
    assert below.get_title(loc="left") == "Revision, $ million: 2025-04-03 less 2018-10-05"
    assert "Dashed: the vintage of 2025-04-03." in caption(fig, "source")


def test_the_title_is_the_finding():
    assert caption(chart(view_of(Choice("KOR", measure="exports", **JULY)))) == (
        "U.S. exports of goods to South Korea rose 11.1 percent to $31.8 billion in January-July 2018"
    )


def test_the_title_of_two_partners_sets_them_side_by_side():
    found = title(view_of(Choice("KOR", second="JPN", measure="exports", **JULY)))
    assert found == (
        "U.S. exports of goods in January-July 2018: up 11.1 percent to South Korea, up 9.2 percent to Japan"
    )


def test_titles_of_rates_say_the_change_or_both_partners_or_the_revision():
    rates = {"basis": "tariff rate", "release": "2025-11", "as_of": "2026-02-04", "window": "month"}
    assert title(view_of(Choice("CHN", **rates))) == (
        "U.S. duties in November 2025 came to 32.3 percent of imports from China, up 22.0 percentage points "
        "on a year earlier"
    )
    assert title(view_of(Choice("KOR", second="CAN", **rates))) == (
        "U.S. duties in November 2025: 14.0 percent of imports from South Korea, 3.7 percent of imports from "
        "Canada"
    )
    fig = chart(view_of(Choice("KOR", compare="2021-08-05", **rates | {"release": "2020-10"})))
    assert "lower than that of 2021-08-05" in caption(fig)
    assert fig.axes[1].get_title(loc="left").startswith("Revision, percentage points: 2026-01-29 less")
    assert "an estimate by Census" in caption(fig, "source")


def test_artists_hold_whole_dollars_and_bars_stand_on_zero():
    fig = chart(view_of(Choice("KOR", measure="exports", **JULY)))
    bar = fig.axes[0].patches[-1]
    assert (bar.get_height(), bar.get_y()) == (31_752_055_221, 0)


def test_a_whole_year_and_its_first_month_are_named():
    year, month = (chart(view_of(Choice("KOR", release))) for release in ("2017-12", "2018-01"))
    assert "calendar years" in caption(year, "subtitle") and " in 2017 from" in caption(year)
    assert ", January, $ billion" in caption(month, "subtitle") and " in January 2018 from" in caption(month)


def test_trade_that_was_none_a_year_ago_has_no_percentage():
    choice = Choice("Tokelau", "2018-07", measure="imports", window="month")
    for view in (view_of(choice), view_of(Choice("KOR", "2018-07", second="Tokelau", window="month"))):
        assert "inf" not in title(view) and "nan" not in title(view)


@pytest.mark.parametrize("code", ["5800", "Tokelau", "Falkland", "South Sudan", "0015", "ASEAN"])
def test_small_large_and_summed_partners_are_shown(code):
    for window in BASES["census goods"].windows:
        for measure in MEASURES:
            assert isinstance(chart(view_of(Choice(code, "2018-07", window=window, measure=measure))), Chart)


def test_the_title_says_how_two_vintages_differ_whichever_is_in_front():
    older = title(view_of(Choice("KOR", measure="exports", compare="2025-04-03", **JULY)))
    assert older == (
        "The vintage of 2025-04-03 puts U.S. exports of goods to South Korea in January-July 2018 "
        "$17 million lower than that of 2018-10-05: they rose 11.2 percent, not 11.1"
    )
    newer = Choice("KOR", "2018-07", as_of="2025-04-03", compare="2018-10-05", measure="exports")
    assert title(view_of(newer)) == older
