"""Keep within a server's limits of requests, bytes and errors in a minute.

Written here because the limiters at hand count only what is known before a request: pyrate-limiter takes a
weight beforehand, where bytes and errors are known afterwards, and ratelimit counts calls alone.
"""

import time
from collections import deque

#: A minute and a little: what we send close together may arrive closer.
MINUTE = 62.0


class Throttle:
    """Waits so that no minute holds more than is allowed; for one process, asking one thing at a time.

    Parameters
    ----------
    limits : dict
        Most requests, bytes and errors in a minute. Leave room below the server's for one reply more:
        its bytes are known only once it is here.
    clock, sleep : callable
        Seconds now; wait for seconds. For tests.

    Examples
    --------
    >>> now = [0.0]
    >>> limits = {"requests": 90, "bytes": 80_000_000, "errors": 20}
    >>> throttle = Throttle(limits, lambda: now[0], lambda seconds: now.append(now.pop() + seconds))
    >>> for _ in range(91):
    ...     throttle.wait()
    >>> now
    [62.0]
    """

    def __init__(self, limits: dict[str, int], clock=time.monotonic, sleep=time.sleep):
        self.limits, self.clock, self.sleep = limits, clock, sleep
        self.spent = deque()  # (when, what, how much)

    def note(self, what: str, amount: int = 1) -> None:
        """Write down bytes that came, or an error."""
        self.spent.append((self.clock(), what, amount))

    def wait(self) -> None:
        """Wait until another request fits, and count it."""
        while True:
            now = self.clock()
            while self.spent and now - self.spent[0][0] >= MINUTE:
                self.spent.popleft()
            if all(self.total(what) < most for what, most in self.limits.items()):
                break
            self.sleep(max(0.01, self.spent[0][0] + MINUTE - now))
        self.note("requests")

    def total(self, what: str) -> int:
        """Add up what was written down since the last wait began, and in the minute before it."""
        return sum(amount for _, kind, amount in self.spent if kind == what)
