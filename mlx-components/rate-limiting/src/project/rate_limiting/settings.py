"""How much a client may ask, and where that is counted."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal

from .gcra import Limit

BACKEND: Literal["memory", "redis"] = "memory"
"""``memory`` counts in each process for itself; ``redis`` is read from the environment variable ``REDIS_URL``."""

ON_FAILURE: Literal["allow", "refuse"] = "allow"
"""What becomes of a request while Redis cannot be reached; the log tells of it in either case."""


@dataclass(frozen=True)
class Settings:
    """``exempt`` are paths that are never counted; ``namespace`` keeps the limits of services in one Redis apart."""

    limit: Limit = field(default_factory=lambda: Limit(100, 60))
    backend: Literal["memory", "redis"] = BACKEND
    on_failure: Literal["allow", "refuse"] = ON_FAILURE
    exempt: tuple[str, ...] = ("/healthz", "/readyz")
    redis_url: str = field(default="", repr=False)
    namespace: str = f"{__name__.partition('.')[0]}:rate"

    @classmethod
    def from_environment(cls) -> Settings:
        """The variables ``RATE_LIMIT``, ``RATE_LIMIT_BURST`` and ``REDIS_URL``.

        Raises:
            ValueError: the limit is none, or the backend is Redis and its address is not given.
        """
        text, burst = os.environ.get("RATE_LIMIT", "100/60"), os.environ.get("RATE_LIMIT_BURST", "")
        redis_url = os.environ.get("REDIS_URL", "")
        if BACKEND == "redis" and not redis_url:
            raise ValueError("the backend is Redis, and REDIS_URL is not set: redis://:PASSWORD@HOST:PORT/0")
        try:
            requests, _, seconds = text.partition("/")
            limit = Limit(int(requests), float(seconds or 1), int(burst or requests))
        except ValueError as error:
            told = f"RATE_LIMIT is {text!r}, RATE_LIMIT_BURST is {burst!r}"
            raise ValueError(f"{told}: write RATE_LIMIT=100/60 for 100 requests in 60 seconds ({error})") from error
        return cls(limit, redis_url=redis_url)
