"""A sample of what tests/benchmarks/identities.py does: briefs held to what must be so."""

import random
import re

import identities
import pytest
from helpers import altered, sheet, snapshot


def test_random_briefs_add_up_and_say_what_their_numbers_do():
    seed = random.randrange(10**6)
    draw = random.Random(seed)
    for month in draw.sample(identities.releases(24), 2):
        who = draw.sample(identities.everybody(snapshot(month)), 5)
        for release, code, _, found in identities.run([month], set(), draw=8, only=who):
            assert not found, (seed, release, code, found)


@pytest.fixture(scope="module")
def reader():
    return identities.Reader(snapshot("2018-07"))


@pytest.mark.parametrize(
    ("id", "by", "told"),
    [
        ("goods.balance.ytd", -1, "less .* is not"),
        ("goods.exports.ytd", 1, "the months make"),
        ("goods.balance.trailing12", 1, "twelve months make another sum"),
        ("goods.trade.ytd.rank", 1, "goods.trade.ytd.rank: 7, 6"),
        ("total.deficit.rank", 1, "total.deficit.rank is"),
        ("goods.balance.ytd.change_usd", -9e9, "drivers do not add up"),
    ],
)
def test_a_number_that_contradicts_others_is_seen(reader, id, by, told):
    korea = sheet("KOR", "2018-07")
    assert not identities.faults(korea, reader, draw=False)
    found = identities.faults(altered(korea, {id: korea.value(id) + by}), reader, draw=False)
    assert any(re.search(told, one) for one in found), found


def test_words_that_contradict_the_numbers_are_seen(reader):
    id, told = "goods.imports.month.superlative", "highest of any month since March 2010"
    korea = altered(sheet("KOR", "2018-07"), {id: told})
    assert any(told in one for one in identities.months_of(korea, reader))
