"""Since when: how far a trailing balance has moved and from where, and a test for one change of slope."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

RULE = (
    "one change of slope of a continuous trend at an unknown quarter, last 24 quarters, seasonally "
    "adjusted; sup-F test and confidence set of the date by bootstrap with AR(1) errors"
)

#: A direction is still told where no more than this part of the whole move was given back.
BACK = 0.25

# Of the bent line: five with date and autocorrelation, and one more because five gives more false alarms.
# It is a choice, not a result: seven or eight give fewer still, and cost power. Do not tune it to a partner.
PARAMETERS = 6


def turning_point(
    trailing: pd.Series, trade: pd.Series, *, phase: int = 4, size: float = 0.03
) -> tuple[pd.Period, str] | None:
    """Date the turn since which a trailing balance has been rising or falling, where it still is.

    It still is where the last `phase` periods moved that way, and gave back no more than a quarter of the
    whole move; the move has lasted at least `phase` periods, and is at least `size` of the trailing
    two-way trade (exports plus imports).

    Parameters
    ----------
    trailing : Series
        Trailing-four-quarter balance in dollars by quarter.
    trade : Series
        Trailing-four-quarter exports plus imports, same index.
    phase : int
        Least length of the phase since the turn, in periods.
    size : float
        Least move, as a share of two-way trade.

    Returns
    -------
    (Period, str) or None
        The quarter of the trough ("rising" since) or the peak ("falling" since); None where the last
        periods bear out no direction, or the balance has moved that way since the series began.

    Examples
    --------
    >>> quarters = pd.period_range("2015Q1", periods=10, freq="Q")
    >>> balance = pd.Series([-8, -9, -11, -14, -17, -15, -12, -8, -5, -4.0], index=quarters)
    >>> turning_point(balance, pd.Series(100.0, index=quarters))
    (Period('2016Q1', 'Q-DEC'), 'rising')
    """
    found = trend(trailing, trade, phase=phase, size=size)
    return (found.start, found.direction) if found and found.turned else None


class Trend(NamedTuple):
    """Since when a balance has been rising or falling, and whether it turned then: or the series began."""

    start: pd.Period
    direction: str
    turned: bool


def trend(trailing: pd.Series, trade: pd.Series, *, phase: int = 4, size: float = 0.03) -> Trend | None:
    """Find how a balance moves, as `turning_point` tells; None where its last periods bear out nothing.

    The move began with the last phase of a clear cut into rises and falls, or else, where that is too
    coarse or too young, at the extreme since the balance was last where it is now.
    """
    table = pd.DataFrame({"balance": trailing, "least": size * trade}).dropna()
    recent = table.index > table.index[-1] - phase if len(table) else []
    if all(recent):
        return None
    values, least = table["balance"].to_numpy(), table["least"].iloc[-1]
    sign = np.sign(values[-1] - values[~recent][-1])
    values, direction = sign * values, "rising" if sign > 0 else "falling"
    furthest = values[recent].max()
    beyond = np.flatnonzero(~recent & (values > furthest))
    first = int(beyond[-1]) + 1 if len(beyond) else 0
    start = len(values) - 1 - int(values[first:][::-1].argmin())
    turn = _last_turn(table)
    if turn and turn[1] == direction and not recent[table.index.get_loc(turn[0])]:
        start = table.index.get_loc(turn[0])
    moved, back = values[-1] - values[start], furthest - values[-1]
    if not sign or recent[start] or moved < least or back > BACK * (moved + back):
        return None
    turned = start > 0 and values[:start].max() - values[start] >= table["least"].iloc[start]
    return Trend(table.index[start if turned else 0], direction, turned)


def _last_turn(table: pd.DataFrame) -> tuple[pd.Period, str] | None:
    """Cut a balance into rises and falls of at least so much, and return the last turn."""
    first = table["balance"].iloc[0]
    high = low = (first, table.index[0])
    turn = direction = None
    for period, value, least in table.itertuples():
        high = max(high, (value, period), key=lambda point: point[0])
        low = min(low, (value, period), key=lambda point: point[0])
        if direction != "rising" and value - low[0] >= least:
            turn, direction, high = (low[1] if direction else None), "rising", (value, period)
        elif direction != "falling" and high[0] - value >= least:
            turn, direction, low = (high[1] if direction else None), "falling", (value, period)
    return None if turn is None else (turn, direction)


@dataclass(frozen=True, slots=True)
class Kink:
    """Where a trend most likely changed its slope, and how sure that is.

    `period` is the last quarter of the old slope; `confidence` holds the first and the last quarter
    of the confidence set of that date. Slopes are in the units of the series per period.
    """

    period: pd.Period
    f_statistic: float
    p_value: float
    confidence: tuple[pd.Period, pd.Period]
    slope_before: float
    slope_after: float


def kink(
    series: pd.Series, *, periods: int = 24, trim: int = 4, draws: int = 999, level: float = 0.95
) -> Kink | None:
    """Test for one change of slope in the last periods of a series, and date it; None where it cannot be.

    The model is a continuous linear trend with one change of slope at an unknown period, at least `trim` from
    both ends (a regression kink with an unknown threshold, Hansen 2017, Journal of Business and Economic
    Statistics 35(2)). The statistic is the largest F against a straight line. Its p-value, and the critical
    value of the confidence set (all dates whose F against the best one is not larger), come from a bootstrap
    with AR(1) errors and a fixed seed. It takes single quarters: trailing sums are autocorrelated by
    construction; the guide on caveats says how often it errs, `tests/benchmarks/hit_rate.py` measures it.

    It is built on NumPy's least squares because none of the packages there are does the whole: the break
    tests of statsmodels (CUSUM, Hansen) give no date, and ruptures gives dates without a confidence set.
    """
    span = pd.period_range(end=series.index.max(), periods=periods, freq=series.index.freq)
    values = series.reindex(span).to_numpy(dtype=float)
    if np.isnan(values).any() or np.ptp(values) == 0:
        return None
    scale = np.ptp(values)
    y, dates = (values - values[0]) / scale, np.arange(trim, periods - trim)
    line, bent = _designs(periods, dates)
    _, straight = _fit(y, line)
    if ((y - straight) ** 2).sum() < 1e-20:  # only rounding is left: F would compare it with itself
        return None
    best = int(np.argmin(_rss(bent, y[:, None])[:, 0]))
    slopes, fitted = _fit(y, bent[best])
    f_statistic = float(_sup_f(line, bent, y[:, None])[0])
    rho, shocks = _ar1(y - fitted, PARAMETERS)
    errors = _errors(rho, shocks, periods, draws)
    under_null = _sup_f(line, bent, straight[:, None] + errors)
    p_value = (1 + int((under_null >= f_statistic).sum())) / (1 + draws)
    rss = _rss(bent, fitted[:, None] + errors)
    critical = np.quantile(_f(rss[best], rss.min(axis=0), periods - 4), level)
    own = _rss(bent, y[:, None])[:, 0]
    inside = dates[_f(own, own.min(), periods - 4) <= critical]
    slope, bend = slopes[1] * scale, slopes[2] * scale
    return Kink(
        period=span[dates[best]],
        f_statistic=f_statistic,
        p_value=p_value,
        confidence=(span[inside.min()], span[inside.max()]),
        slope_before=slope,
        slope_after=slope + bend,
    )


def _designs(n: int, dates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Regressors of the straight line (n x 2), and of each bent one (dates x n x 3)."""
    time = np.arange(n, dtype=float)
    line = np.column_stack([np.ones(n), time])
    bend = np.maximum(time - dates[:, None], 0)
    return line, np.stack([np.column_stack([line, one]) for one in bend])


def _fit(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and fitted values of least squares."""
    slopes = np.linalg.lstsq(x, y)[0]
    return slopes, x @ slopes


def _rss(designs: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Residual sums of squares of every design (k x n x p) on every sample (n x m): k x m."""
    basis, _ = np.linalg.qr(designs)
    return (samples**2).sum(axis=0) - ((basis.transpose(0, 2, 1) @ samples) ** 2).sum(axis=1)


def _f(restricted, free, left: int):
    return (restricted - free) / (np.maximum(free, 1e-15) / left)


def _sup_f(line: np.ndarray, bent: np.ndarray, samples: np.ndarray) -> np.ndarray:
    n = len(line)
    return _f(_rss(line[None], samples)[0], _rss(bent, samples).min(axis=0), n - 3)


def _ar1(residuals: np.ndarray, parameters: int) -> tuple[float, np.ndarray]:
    """First-order autocorrelation, corrected for its bias in short series, and centred shocks."""
    n = len(residuals)
    raw = (residuals[1:] @ residuals[:-1]) / (residuals @ residuals)
    rho = float(np.clip((raw + (parameters - 2) / n) / (1 - parameters / n), 0, 0.9))
    shocks = residuals[1:] - rho * residuals[:-1]
    return rho, (shocks - shocks.mean()) * np.sqrt(n / (n - parameters))


def _errors(rho: float, shocks: np.ndarray, n: int, draws: int) -> np.ndarray:
    """Draw series of AR(1) errors (n x draws) from resampled shocks, after a run-in."""
    drawn = np.random.default_rng(0).choice(shocks, size=(n + 30, draws))
    errors = np.zeros(draws)
    path = []
    for shock in drawn:
        errors = rho * errors + shock
        path.append(errors)
    return np.array(path[30:])
