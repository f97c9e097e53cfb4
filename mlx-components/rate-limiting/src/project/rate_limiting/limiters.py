"""Where the number of each client is kept: in this process, or in Redis for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from .gcra import Limit, Verdict, ask
from .settings import Settings

# The clock is Redis's own, so that those of the processes need not agree. One script is one step for all clients.
_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local interval, capacity, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local begin = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local stop = begin + interval * cost
local tolerance = interval * capacity
local wait = stop - tolerance - now
local allowed = 0
if wait <= 0.000001 then
  allowed, begin, wait = 1, stop, 0
  redis.call('SET', KEYS[1], string.format('%.6f', stop), 'PX', math.ceil((stop - now) * 1000) + 1)
end
local left = math.floor((tolerance - (begin - now)) / interval + 0.001)
return {allowed, math.max(left, 0), string.format('%.6f', wait), string.format('%.6f', begin - now)}
"""


class Limiter(Protocol):
    """Counts the requests of clients."""

    async def ask(self, key: str, limit: Limit, cost: int = 1) -> Verdict:
        """Whether a request of ``key`` may come; where it may, it is counted.

        Raises:
            OSError, redis.RedisError: what counts cannot be reached.
        """

    async def close(self) -> None:
        """Give connections back."""


class MemoryLimiter:
    """Counts in this process; each of several workers counts for itself. What is all back again is forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._arrivals: dict[str, float] = {}
        self._lock = threading.Lock()
        self._sweep_at = 0.0

    async def ask(self, key: str, limit: Limit, cost: int = 1) -> Verdict:
        """See :class:`Limiter`."""
        with self._lock:  # event loops of several threads may share one limiter
            now = self.clock()
            if now >= self._sweep_at:
                self._arrivals = {one: arrival for one, arrival in self._arrivals.items() if arrival > now}
                self._sweep_at = now + 60
            arrival, verdict = ask(limit, self._arrivals.get(key, now), now, cost)
            self._arrivals[key] = arrival
            return verdict

    async def close(self) -> None:
        """There is nothing to give back."""

    def __len__(self) -> int:
        return len(self._arrivals)


class RedisLimiter:
    """Counts in Redis, in one step each.

    Nobody waits longer than ``timeout_s`` for it, and once it has failed it is left alone for ``rest_s``.
    """

    def __init__(self, url: str, namespace: str, timeout_s: float = 0.5, rest_s: float = 1.0) -> None:
        self.namespace, self.rest_s = namespace, rest_s
        self._away_until = 0.0
        self._redis = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._script = self._redis.register_script(_SCRIPT)

    async def ask(self, key: str, limit: Limit, cost: int = 1) -> Verdict:
        """See :class:`Limiter`."""
        if time.monotonic() < self._away_until:
            raise RedisConnectionError("it was away a moment ago")
        arguments: list[str | int] = [f"{limit.interval_s:.9f}", limit.capacity, cost]
        try:
            answer: list[Any] = await self._script(keys=[f"{self.namespace}:{key}"], args=arguments)
        except (OSError, RedisError):
            self._away_until = time.monotonic() + self.rest_s
            raise
        return Verdict(bool(answer[0]), int(answer[1]), float(answer[2]), float(answer[3]))

    async def close(self) -> None:
        """See :class:`Limiter`."""
        await self._redis.aclose()


def limiter_of(settings: Settings) -> Limiter:
    """The limiter that ``settings`` ask for."""
    return MemoryLimiter() if settings.backend == "memory" else RedisLimiter(settings.redis_url, settings.namespace)
