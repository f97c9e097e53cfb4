"""The generic cell rate algorithm: a token bucket that is one number for each client.

That number is the theoretical arrival time: when the client would have used up what it has asked for, at the rate that
it is allowed. https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """``requests`` in ``seconds``, evenly; ``burst`` of them at once (0: all)."""

    requests: int
    seconds: float
    burst: int = 0

    def __post_init__(self) -> None:
        if self.requests < 1 or not 0 < self.seconds < math.inf or self.burst < 0:
            raise ValueError(f"no limit: {self.requests} requests in {self.seconds:g} seconds, {self.burst} at once")

    @property
    def interval_s(self) -> float:
        """The time in which one request comes back."""
        return self.seconds / self.requests

    @property
    def capacity(self) -> int:
        """How many requests may come at once."""
        return self.burst or self.requests


@dataclass(frozen=True)
class Verdict:
    """Whether a request may come; how many more may at once; when the next may; when all are back. In seconds."""

    allowed: bool
    remaining: int
    retry_after_s: float
    reset_s: float


def ask(limit: Limit, arrival: float, now: float, cost: int = 1) -> tuple[float, Verdict]:
    """The client's number after a request of ``cost``, and the verdict; ``arrival`` is its number before.

    Example:
        >>> limit = Limit(2, 1.0)
        >>> arrival, first = ask(limit, 0.0, now=10.0)
        >>> arrival, second = ask(limit, arrival, now=10.0)
        >>> arrival, third = ask(limit, arrival, now=10.0)
        >>> first.remaining, second.allowed, third.allowed, third.retry_after_s
        (1, True, False, 0.5)
    """
    tolerance = limit.interval_s * limit.capacity
    begin = max(arrival, now)
    end = begin + limit.interval_s * cost
    # A tenth of a microsecond, since what is added up in floats would else refuse the last of a burst.
    wait = end - tolerance - now
    allowed = wait <= 1e-7
    after = end if allowed else begin
    left = tolerance - (after - now)
    return after, Verdict(allowed, int(left / limit.interval_s + 1e-6), 0.0 if allowed else wait, after - now)
