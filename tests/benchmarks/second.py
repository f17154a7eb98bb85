"""Two readings of 1,000 briefs drawn anew each run: tradelib's, and that of plain SQL on the raw files.

Run by hand: `python tests/benchmarks/second.py [--releases 100] [--each 9] [--seed N]`. All numbers of each
brief are compared, to the cent. It prints the seed, every disagreement, and which facts have no second
reading.
"""

import argparse
import collections
import random
import re
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "support"), str(Path(__file__).parents[2])]

from second_reading import UNREAD, Reading, drawn, is_read  # noqa: E402

import tradelib as tl  # noqa: E402
from tradelib.briefs.codebook import pattern  # noqa: E402

NUMBERS = ("USD", "percent", "rank", "count", "list", "bool", "month", "quarter")


def main() -> int:
    """Draw, compare, and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--releases", type=int, default=100)
    parser.add_argument("--each", type=int, default=9, help="partners of each release, beside South Korea")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    asked, began = parser.parse_args(), time.monotonic()
    print(f"seed {asked.seed}", flush=True)
    agreed, briefs, numbers, wrong = collections.Counter(), 0, 0, 0
    for of, off, alike in drawn(Reading(), asked.seed, asked.releases, asked.each):
        briefs, numbers, wrong = briefs + 1, numbers + len(alike), wrong + len(off)
        agreed.update(map(pattern, alike))
        for told in off:
            print(*of, told, flush=True)
        if time.monotonic() - began > asked.seconds:
            break
    facts = [fact for who in ("KOR", "CHN") for fact in tl.brief(who, "2018-07").values()]
    book = {pattern(fact.id) for fact in facts if fact.unit in NUMBERS}
    read = {id for id in book if is_read(id)}
    print(f"{briefs:,} briefs, {numbers:,} facts with a value agree, {wrong:,} numbers do not")
    print(f"{len(read)} of {len(book)} facts that carry numbers have a second reading; without:")
    for id in sorted(book - read):
        print(f"  {id}: {next(why for known, why in UNREAD.items() if re.fullmatch(known, id))}")
    print("never with a value in this draw:", ", ".join(sorted(read - set(agreed))) or "none")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
