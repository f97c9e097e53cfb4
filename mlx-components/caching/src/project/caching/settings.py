"""Where is cached, how much, and for how long at most."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal

BACKEND: Literal["memory", "redis"] = "memory"
"""``memory`` is a cache for each process; ``redis`` is read from the environment variable ``REDIS_URL``."""

PREDICTIONS_TTL_S = 0
"""How long predictions hold for the same instances and the same model; 0 caches none."""


@dataclass(frozen=True)
class Settings:
    """``vary_by`` are the headers of a request that responses may depend on: one that varies by others is not cached.

    ``max_bytes`` is the size of the cache in memory, ``max_body`` that of one response. ``longest_s`` bounds how long
    a response is kept, whatever it says itself. ``namespace`` keeps what services have in one Redis apart.
    """

    backend: Literal["memory", "redis"] = BACKEND
    predictions_ttl_s: int = PREDICTIONS_TTL_S
    vary_by: tuple[str, ...] = ("accept", "accept-encoding", "accept-language", "origin")
    max_bytes: int = 64_000_000
    max_body: int = 1_000_000
    longest_s: int = 86_400
    redis_url: str = field(default="", repr=False)
    namespace: str = f"{__name__.partition('.')[0]}:cache"

    @classmethod
    def from_environment(cls) -> Settings:
        """With the address in ``REDIS_URL``, and what ``CACHE_RELEASE`` names as a part of every key.

        Raises:
            ValueError: the backend is Redis, and its address is not given.
        """
        redis_url, release = os.environ.get("REDIS_URL", ""), os.environ.get("CACHE_RELEASE", "")
        if BACKEND == "redis" and not redis_url:
            raise ValueError("the backend is Redis, and REDIS_URL is not set: redis://:PASSWORD@HOST:PORT/0")
        return cls(redis_url=redis_url, namespace=f"{cls.namespace}:{release}" if release else cls.namespace)
