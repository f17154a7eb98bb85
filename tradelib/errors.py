"""The one error a user's mistake raises: it says what was given, what is allowed, what to do."""


class TradelibError(ValueError):
    """A mistake in a request or a file, told in words a user can act on.

    The command line prints the message without a traceback and exits non-zero.

    Examples
    --------
    >>> raise TradelibError("'2018-13' is not a month.", "Give it as YYYY-MM, such as 2018-07.")
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: '2018-13' is not a month.
      Give it as YYYY-MM, such as 2018-07.
    """

    def __init__(self, problem: str, *advice: str):
        super().__init__("\n  ".join([problem, *advice]))


class FetchError(TradelibError):
    """A server could not be reached, or sent what is not what was asked for."""


class TimedOut(FetchError):
    """A server gave up on a query, or took too long, time and again: it may answer smaller ones."""


class Unreachable(FetchError):
    """There is no way to a server from here, now."""


class NoRows(TradelibError):
    """A vintage has no row of the partner asked for."""


class StoredOtherwise(TradelibError):
    """The vintage of that table and day is there already, with other figures; it is never overwritten."""
