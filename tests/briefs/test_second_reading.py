"""A sample of what tests/benchmarks/second.py does: briefs against plain SQL on the publishers' files."""

import random

import pytest
from helpers import altered, sheet
from second_reading import ORIGINALS, Reading, differences, drawn, used_by

pytestmark = pytest.mark.skipif(
    not ORIGINALS.is_dir(), reason="the original files (../shared/data) are not on this machine"
)
OLD, NEW = "2017-01-06", "2023-03-08"  # the second is that of a release whose own exhibits are at hand


@pytest.fixture(scope="module")
def reading():
    return Reading((OLD, NEW))


def test_random_briefs_agree_with_a_second_reading_of_the_files(reading):
    seed, agreed = random.randrange(10**6), set()
    for of, off, alike in drawn(reading, seed, releases=2, each=9):
        assert not off, (seed, of, off)
        agreed |= alike
    assert len(agreed) > 90, (seed, sorted(agreed))


def test_a_brief_that_is_off_by_a_cent_or_a_place_is_seen(reading):
    korea, wrong = sheet("KOR", "2015-07", OLD), {"goods.exports.ytd": 0.01, "goods.trade.ytd.rank": 1}
    wrong |= {"tariff.duties.month": 0.01, "tariff.rate.month.by_mix_points": 1e-6, "tariff.rate.ytd.rank": 1}
    read = reading.of_release("2015-07", OLD, ["5800"], **used_by(korea.snapshot))
    off, _ = differences(altered(korea, {id: korea.value(id) + by for id, by in wrong.items()}), read)
    assert [told.split(":")[0] for told in off] == sorted(wrong)
