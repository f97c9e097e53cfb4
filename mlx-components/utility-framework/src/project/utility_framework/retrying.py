"""Trying again what may work the next time: exponential waits with jitter, for functions and coroutines."""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 5
"""How often is tried, where nothing else is said."""


@dataclass(frozen=True)
class Backoff:
    """How often, and how long to wait between: ``first_s``, then ``factor`` times as long each time.

    ``jitter`` is the share of a wait that is drawn at random, so that many clients do not come back at once: 1 draws
    it between 0 and its full length. No try begins once ``within_s`` are over, counted from the first.
    """

    attempts: int = ATTEMPTS
    first_s: float = 0.1
    factor: float = 2.0
    longest_s: float = 30.0
    jitter: float = 1.0
    within_s: float | None = None

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}: at least one try is made")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is {self.jitter}, not a share between 0 and 1")

    def waits(self, draw: Callable[[], float] = random.random) -> Iterator[float]:
        """The waits between the tries, in seconds; ``draw`` gives numbers between 0 and 1."""
        for number in range(self.attempts - 1):
            # The exponent has a bound, since a float has one.
            whole = min(self.longest_s, self.first_s * self.factor ** min(number, 64))
            yield whole * (1 - self.jitter * draw())


def retry(
    *on: type[Exception],
    backoff: Backoff | None = None,
    when: Callable[[Exception], bool] | None = None,
    told: Callable[[Exception, int, float], None] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Call a function again where it raises one of ``on`` and ``when`` agrees; the last error is raised as it came.

    ``told`` hears of each failure that is tried again: the error, the number of the try, and the wait in seconds.
    Only for what may be done twice.

    Example::

        @retry(ConnectionError, TimeoutError, backoff=Backoff(attempts=4))
        def fetch(url: str) -> bytes: ...
    """
    if not on:
        raise ValueError("retry has to be told on which errors: retry(ConnectionError)")
    rule = backoff or Backoff()

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def once_more(*args: P.args, **kwargs: P.kwargs) -> R:
            tries = _Tries(rule, when, told)
            while True:
                try:
                    return function(*args, **kwargs)
                except on as error:
                    wait = tries.failed(error)
                time.sleep(wait)

        @functools.wraps(function)
        async def once_more_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            tries = _Tries(rule, when, told)
            while True:
                try:
                    return await cast("Awaitable[Any]", function(*args, **kwargs))
                except on as error:
                    wait = tries.failed(error)
                await asyncio.sleep(wait)

        return cast("Callable[P, R]", once_more_async if inspect.iscoroutinefunction(function) else once_more)

    return decorate


class _Tries:
    """The tries of one call."""

    def __init__(
        self,
        rule: Backoff,
        when: Callable[[Exception], bool] | None,
        told: Callable[[Exception, int, float], None] | None,
    ) -> None:
        self.rule, self.when, self.told = rule, when, told
        self.waits, self.began, self.made = rule.waits(), time.monotonic(), 0

    def failed(self, error: Exception) -> float:
        """How long to wait before the next try, in seconds; raises ``error`` where there is none."""
        self.made += 1
        spent = time.monotonic() - self.began
        wait = next(self.waits, None)
        late = wait is not None and self.rule.within_s is not None and spent + wait > self.rule.within_s
        if wait is None or late or (self.when is not None and not self.when(error)):
            if self.made > 1:
                error.add_note(f"tried {self.made} times in {spent:.1f} s")
            raise error
        if self.told is not None:
            self.told(error, self.made, wait)
        return wait
