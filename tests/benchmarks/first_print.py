"""How well the bands for first prints hold, and how often an alarm of a revision would be false.

Run by hand: `python tests/benchmarks/first_print.py`; `--write` renews `tradelib/data/first_print.csv`, from
which the briefs take their bands. A band for four of five is worked out without one year, and held against
the moves of that year, for each year in turn; likewise the threshold of the alarm, without one pair of
vintages.
"""

import sys
from pathlib import Path

from tradelib.store import vintages
from tradelib.studies import first_print
from tradelib.tables import GOODS

PATH = Path(__file__).parents[2] / "tradelib" / "data" / "first_print.csv"


def main() -> None:
    """Print coverage by measure and month; write the bands if asked to."""
    moved = first_print.moves(vintages.list_vintages(GOODS))
    found = first_print.bands(moved)
    pairs = moved.groupby(["year", "first_vintage", "vintage", "revisions"])["partner"].nunique()
    print("First prints, and what they are held against:", pairs.to_string(), sep="\n")
    print("\nPercent covered by a band for 80, year by year left out:")
    print(
        found.pivot_table(index=["measure", "size_from_usd"], columns="month", values="coverage_pct").round(1)
    )
    held = found["coverage_pct"].between(75, 85)
    print(f"{held.sum()} of {len(found)} bands cover 75 to 85 percent; the others are not told.")
    past = first_print.history(vintages.list_vintages(GOODS))
    told, asked = 0, 0
    print("\nAlarms of revisions, each pair of vintages held against all others:")
    for pair, rows in past.items():
        bound = first_print.thresholds(rows, [other for one, other in past.items() if one != pair])
        beyond = (rows["moved_pct"] > bound).sum()
        share = 100 * beyond / len(rows)
        print(f"{pair[0]} to {pair[1]}: {beyond} of {len(rows)} partners, {share:.1f} percent")
        told, asked = told + beyond, asked + len(rows)
    print(f"In all {told} of {asked}, {100 * told / asked:.1f} percent: all of them ordinary revisions.")
    if "--write" in sys.argv:
        found.round({"low_pct": 3, "high_pct": 3, "coverage_pct": 1}).to_csv(PATH, index=False)


if __name__ == "__main__":
    main()
