"""Where bytes are kept for a while: in this process, or in Redis. A store that fails is an empty one, and is logged."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from .settings import Settings

logger = logging.getLogger(__name__)

# Only who holds a claim gives it back: it may have run out, and be another's by now.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end"


class Store(Protocol):
    """Bytes by key, and claims: who has the claim to a key makes what is kept there. Used by several threads."""

    blocks: bool
    """Whether it waits for the network, and is not to be asked in an event loop."""

    def get(self, key: str) -> bytes | None:
        """What is kept; None where there is nothing, or nothing any more."""

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep something for ``ttl_s`` seconds."""

    def claim(self, key: str, ttl_s: float) -> str | None:
        """A token that is one's own for ``ttl_s`` seconds; None where somebody else has it."""

    def release(self, key: str, token: str) -> None:
        """Give a claim back."""


class MemoryStore:
    """In this process: what has not been asked for the longest goes first, once ``max_bytes`` are exceeded."""

    blocks = False

    def __init__(self, max_bytes: int = 64_000_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.max_bytes, self.clock, self.size = max_bytes, clock, 0
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._claims: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """See :class:`Store`."""
        with self._lock:
            until, value = self._kept.get(key, (0.0, b""))
            if until <= self.clock():
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return value

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """See :class:`Store`; what is larger than all of the store is not kept."""
        with self._lock:
            self._drop(key)
            size = _size(key, value)
            if size > self.max_bytes or ttl_s <= 0:
                return
            self._kept[key] = (self.clock() + ttl_s, value)
            self.size += size
            while self.size > self.max_bytes:
                self._drop(next(iter(self._kept)))

    def claim(self, key: str, ttl_s: float) -> str | None:
        """See :class:`Store`."""
        with self._lock:
            now = self.clock()
            if self._claims.get(key, (now, ""))[0] > now:
                return None
            token = secrets.token_hex(16)
            self._claims[key] = (now + ttl_s, token)
            return token

    def release(self, key: str, token: str) -> None:
        """See :class:`Store`."""
        with self._lock:
            if self._claims.get(key, (0.0, ""))[1] == token:
                del self._claims[key]

    def _drop(self, key: str) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.size -= _size(key, found[1])


def _size(key: str, value: bytes) -> int:
    """About what an entry takes: many that hold nothing fill the memory too."""
    return len(key) + len(value) + 200


class RedisStore:
    """In Redis, for all processes; everything there has an end.

    Nobody waits longer than ``timeout_s`` for it, and once it has failed it is left alone for ``rest_s``.
    """

    blocks = True

    def __init__(self, url: str, namespace: str, timeout_s: float = 0.5, rest_s: float = 2.0) -> None:
        self.namespace, self.rest_s = namespace, rest_s
        self._away_until = 0.0
        self._redis = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
        )
        self._release = self._redis.register_script(_RELEASE)

    def get(self, key: str) -> bytes | None:
        """See :class:`Store`."""
        found = self._asked(lambda: self._redis.get(f"{self.namespace}:{key}"))
        return found if isinstance(found, bytes) else None

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """See :class:`Store`."""
        if ttl_s > 0:
            self._asked(lambda: self._redis.set(f"{self.namespace}:{key}", value, px=max(1, int(ttl_s * 1000))))

    def claim(self, key: str, ttl_s: float) -> str | None:
        """See :class:`Store`; where Redis is away everybody has it, and makes what is needed without it."""
        token = secrets.token_hex(16)
        name, end = f"{self.namespace}:claim:{key}", max(1, int(ttl_s * 1000))
        given = self._asked(lambda: self._redis.set(name, token, nx=True, px=end), away=True)
        return token if given else None

    def release(self, key: str, token: str) -> None:
        """See :class:`Store`."""
        self._asked(lambda: self._release(keys=[f"{self.namespace}:claim:{key}"], args=[token]))

    def _asked(self, ask: Callable[[], Any], *, away: object = None) -> object:
        if time.monotonic() < self._away_until:
            return away
        try:
            answer: object = ask()
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + self.rest_s
            logger.warning("the cache cannot be reached (%s)", type(error).__name__)
            return away
        return answer


def open_store(settings: Settings | None = None) -> Store:
    """The store that ``settings`` ask for, by default those of the environment."""
    chosen = settings or Settings.from_environment()
    memory = chosen.backend == "memory"
    return MemoryStore(chosen.max_bytes) if memory else RedisStore(chosen.redis_url, chosen.namespace)
