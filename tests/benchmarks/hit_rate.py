"""Hit rates of the two rules that date a turn, on generated series with known answers.

Run by hand: `python tests/benchmarks/hit_rate.py`. Quarterly balances in percent of trade; a V of
a given slope turns at a known quarter; noise is AR(1) with innovations of 1, and AR 1 is a random walk.
Where there is no turn, whatever is found is wrong. The set is counted whether or not the test finds a
break. "Within" is kinder to the rule: a sum over four quarters turns one or two quarters late, both right.
"""

import numpy as np
import pandas as pd

from tradelib.briefs.turning import kink, turning_point

N, LAST, DRAWS = 60, 24, 199


def noise(rng, rho: float, size: int = N) -> np.ndarray:
    """AR(1) errors after a run-in."""
    path = np.zeros(size + 30)
    for t in range(1, size + 30):
        path[t] = rho * path[t - 1] + rng.normal()
    return path[30:]


def a_series(rng, slope: float, rho: float) -> tuple[pd.Series, pd.Period]:
    """A balance that falls and then rises by `slope` a quarter, and the quarter of its trough."""
    index = pd.period_range("2004Q1", periods=N, freq="Q")
    turn = N - LAST + int(rng.integers(7, 17))
    values = slope * np.abs(np.arange(N) - turn) + noise(rng, rho)
    return pd.Series(values, index=index), index[turn]


def dated_by_rule(series: pd.Series) -> pd.Period | None:
    """The turning point of the trailing sums; noise of 1 is a hundredth of a quarter's trade."""
    found = turning_point(series.rolling(4).sum().dropna(), pd.Series(400.0, index=series.index[3:]))
    return found and found[0]


def rates(slope: float, rho: float, runs: int, seed: int = 1) -> dict[str, float]:
    """Shares of series, in percent."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(runs):
        series, truth = a_series(rng, slope, rho)
        rule, test = dated_by_rule(series), kink(series, draws=DRAWS)
        # a trailing sum turns about one and a half quarters after its quarters do
        late = abs((rule - truth).n - 1.5) if rule is not None and slope else np.inf
        sure = test.p_value <= 0.05
        off = abs((test.period - truth).n) if sure and slope else np.inf
        found.append(
            {
                "rule: none": rule is None,
                "rule: within 1": late <= 1.5,
                "rule: within 2": late <= 2.5,
                "rule: wrong": rule is not None and late > 2.5,
                "test: break": sure,
                "test: within 1": off <= 1,
                "test: within 2": off <= 2,
                "test: wrong": sure and off > 2,
                "set holds it": test.confidence[0] <= truth <= test.confidence[1] if slope else np.nan,
                "quarters in set": ((test.confidence[1] - test.confidence[0]).n + 1) / 100,
            }
        )
    return (100 * pd.DataFrame(found).mean()).round(1).to_dict()


def main() -> None:
    """Print the table."""
    table = {}
    for rho in (0.0, 0.5):
        for slope in (0.0, 0.25, 0.5, 1.0):
            what = "straight line" if slope == 0 else f"V, {slope:g} a quarter"
            table[f"{what}, AR {rho:g}"] = rates(slope, rho, 1000)
    table["random walk"] = rates(0.0, 1.0, 1000)
    print(pd.DataFrame(table).T.to_string())


if __name__ == "__main__":
    main()
