"""How often what a brief says of a direction is contradicted, and how many large moves it finds.

Run by hand: `python tests/benchmarks/turning.py`. The rule is replayed on all partners of the bundled
quarters of goods and services, at each quarter of 2012 to 2024 with what was known of it then by date: the
series is cut there. Contradicted: the last four quarters moved the other way, against the four before. A
move to be found: more than 10 percent of two-way trade over four quarters or more, from the lowest to the
highest quarter of its span (or the other way round), the last quarter its end. Both are worked out from
the file by plain loops. A direction that the year to date contradicts is not told, as in a brief.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from helpers import raw_rows

from tradelib.briefs.turning import trend

QUARTERS = [str(quarter) for quarter in pd.period_range("2012Q1", "2024Q4", freq="Q")]
LARGE, LASTED = 0.10, 4


def sides(code: str) -> pd.DataFrame:
    """Exports, imports and balance of a partner by quarter, of the raw file."""
    rows = raw_rows("trade_bop_sa", "2025-03-06")
    rows = rows[(rows["partner"] == code) & (rows["item"] == "total")]
    wide = rows.pivot(index="period", columns="flow", values="value_usd").dropna()
    return wide.set_axis(pd.PeriodIndex(wide.index, freq="M").asfreq("Q"))


def moves(balance: np.ndarray, trade: float) -> set[str]:
    """The directions of large moves of four-quarter sums that end with the last of them."""
    found, last = set(), len(balance) - 1
    for way, sign in (("rising", 1), ("falling", -1)):
        values = sign * balance
        for start in range(last - LASTED + 1):
            span = values[start:]
            ends = values[start] == span.min() and values[last] == span.max()
            if ends and values[last] - values[start] > LARGE * trade:
                found.add(way)
    return found


def told(rows: pd.DataFrame) -> str | None:
    """The direction that a brief tells at the end of these quarters."""
    sums = rows.rolling(LASTED).sum().dropna()
    found = trend(sums["balance"], sums["exports"] + sums["imports"])
    if not found:
        return None
    quarter = rows.index[-1].quarter
    this_year = rows["balance"].iloc[-quarter:].sum()
    last_year = rows["balance"].iloc[-quarter - 4 : -4].sum()
    against = (this_year > last_year) != (found.direction == "rising")
    return None if against and this_year != last_year else found.direction


def replay(code: str, quarter: str) -> dict[str, int]:
    """One statement: made or not, contradicted or not; large moves there, and found."""
    rows = sides(code).loc[:quarter]
    if len(rows) < 2 * LASTED + 1 or str(rows.index[-1]) != quarter:
        return {}
    direction, balance = told(rows), rows["balance"].to_numpy()
    change = balance[-LASTED:].sum() - balance[-2 * LASTED : -LASTED].sum()
    sums = np.convolve(balance, np.ones(LASTED), "valid")
    large = moves(sums, float(rows[["exports", "imports"]].iloc[-LASTED:].sum().sum()))
    return {
        "directions": int(direction is not None),
        "contradicted": int(direction is not None and (change > 0) != (direction == "rising")),
        "moves": len(large),
        "found": len(large & {direction}),
    }


def counts(cases: list[tuple[str, str]]) -> pd.Series:
    """Add up the statements of some partners and quarters."""
    return pd.DataFrame([replay(*case) for case in cases]).sum().astype(int)


def every_case() -> list[tuple[str, str]]:
    """All partners and quarters."""
    codes = sorted(raw_rows("trade_bop_sa", "2025-03-06")["partner"].unique())
    return [(code, quarter) for code in codes for quarter in QUARTERS]


def main() -> None:
    """Print both figures, over all partners."""
    found = counts(every_case())
    print(found.to_string())
    print(f"contradicted: {100 * found['contradicted'] / found['directions']:.2f} percent (at most 1)")
    print(f"moves found: {100 * found['found'] / found['moves']:.1f} percent (at least 95)")


if __name__ == "__main__":
    main()
