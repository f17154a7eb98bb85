"""What is drawn inside the axes: nothing overlaps, nothing leaves the plot, agreements have their day."""

import itertools

import numpy as np
import pandas as pd
import pytest

from tradelib.partners import resolve
from tradelib.style import house, marks
from tradelib.style.words import Unit


def test_labels_are_moved_apart_as_little_as_possible():
    assert marks.spread([0.0, 1.0, 30.0], [10.0, 10.0, 10.0]) == [-4.5, 5.5, 30.0]


@pytest.mark.parametrize("seed", range(5))
def test_spread_labels_never_overlap(seed):
    chance = np.random.default_rng(seed)
    wanted, heights = list(chance.uniform(0, 60, 4)), list(chance.uniform(10, 28, 4))
    places = marks.spread(wanted, heights)
    for (a, ha), (b, hb) in itertools.combinations(zip(places, heights, strict=True), 2):
        assert abs(a - b) >= (ha + hb) / 2 - 0.5


def test_every_agreement_has_a_partner_a_day_and_a_source():
    table = pd.read_csv(marks.AGREEMENTS, dtype="str", keep_default_na=False)
    assert list(table) == ["partner", "effective", "label", "what", "source"]
    assert (table != "").all(axis=None)
    assert not table.duplicated(["partner", "effective"]).any()
    for code, day in zip(table["partner"], table["effective"], strict=True):
        assert resolve(code).code == code and pd.Timestamp(day).strftime("%Y-%m-%d") == day


def test_agreements_of_a_partner_come_in_order():
    assert [(str(day), name) for day, name in marks.agreements("5800")] == [
        ("2012-03-15", "KORUS in force"),
        ("2019-01-01", "KORUS revised"),
    ]
    assert marks.agreements("9999") == ()


def test_limits_leave_room_for_numbers_beyond_the_bars_that_have_one():
    assert marks.with_room([-1.0, 9.0], [9.0]) == (-1.0, 10.6)
    assert marks.with_room([-10.0, -4.0], [-4.0]) == (-10.0, 0)


def test_the_last_two_years_are_set_off_and_numbered():
    _, (ax,) = house.canvas()
    marks.year_bars(ax, pd.Series({2016: -3e9, 2017: float("nan"), 2018: -1e9}), Unit.of([3e9]))
    assert [text.get_text() for text in ax.texts] == ["−1.00"]
    assert len(ax.patches) == 2 and ax.get_ylim()[1] == 0 and ax.get_xlim() == (2015.4, 2018.6)


def test_a_number_of_a_level_bar_stands_at_the_end_away_from_zero():
    assert marks.outer(-8.9, -4.2) == (-8.9, -1)
    assert marks.outer(-1.0, 2.0) == (2.0, 1) == marks.outer(2.0, 1.0)


def test_words_are_broken_into_even_lines_and_lines_that_are_there_are_kept():
    text = "Higher imports of pharmaceuticals (HS 30)"
    assert marks.even_lines(text, 36) == "Higher imports of\npharmaceuticals (HS 30)"
    assert marks.even_lines("one\ntwo", 36) == "one\ntwo"


def test_one_value_that_dwarfs_the_rest_does_not_set_the_scale_unless_it_is_the_partners():
    rows = pd.DataFrame({"now": [-182.0, -36.0, -33.0], "before": -30.0}, ["CN", "MX", "DE"])
    assert marks.reach(rows, "DE") == 36.0 and marks.reach(rows, "CN") == 182.0
