"""Since when: dating the last clear turn of a trailing balance, by a stated rule."""

import pandas as pd


def turning_point(
    trailing: pd.Series, trade: pd.Series, *, phase: int = 4, size: float = 0.03
) -> tuple[pd.Period, str] | None:
    """Date the last clear turn of a trailing balance.

    The series is cut into rises and falls; a turn counts once the balance has since moved by at
    least `size` of the trailing two-way trade (exports plus imports), and the new phase has
    lasted at least `phase` periods.

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
        The quarter of the trough ("rising" since) or the peak ("falling" since); None when there
        is no clear turning point.

    Examples
    --------
    >>> quarters = pd.period_range("2015Q1", periods=10, freq="Q")
    >>> balance = pd.Series([-8, -9, -11, -14, -17, -15, -12, -8, -5, -4.0], index=quarters)
    >>> turning_point(balance, pd.Series(100.0, index=quarters))
    (Period('2016Q1', 'Q-DEC'), 'rising')
    """
    table = pd.DataFrame({"balance": trailing, "least": size * trade}).dropna()
    if table.empty:
        return None
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
    if turn is None or table.index[-1].ordinal - turn.ordinal < phase:
        return None
    return turn, direction
