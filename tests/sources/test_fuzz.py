"""A few dozen cases of `tests/benchmarks/fuzz.py`: each ends in a table or in an error of our own."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import fuzz

QUICK = ["BEA API", "Census API", "Parquet", "bulk files", "vintage", "card", "schedule", "calendar"]
QUICK += ["runs.yaml", "claims.yaml"]


@pytest.mark.parametrize("kind", QUICK)
def test_a_mutated_input_is_read_right_or_refused_in_words(kind):
    seed = random.randrange(10**6)
    found = [fuzz.outcome(kind, random.Random(f"{seed}/{n}")) for n in range(8)]
    odd = [case for case in found if case["came"] == fuzz.ELSE]
    assert not odd, f"seed {seed}"


def test_a_case_is_the_same_whenever_it_is_made():
    same = [fuzz.mutated("Census API", random.Random("1/7")) for _ in range(2)]
    assert same[0] == same[1]


def test_what_is_wrong_and_taken_is_counted_as_that(monkeypatch):
    make, encode, _ = fuzz.KINDS["calendar"]
    monkeypatch.setitem(fuzz.KINDS, "calendar", (make, encode, lambda data: data))
    monkeypatch.setattr(fuzz, "truth", lambda kind: b"the sound one")
    assert fuzz.outcome("calendar", random.Random(1))["came"] == fuzz.WRONG
    monkeypatch.setitem(fuzz.KINDS, "calendar", (make, encode, lambda data: 1 / 0))
    assert fuzz.outcome("calendar", random.Random(1))["came"] == fuzz.ELSE
