"""A limit of requests for each client, in memory or in Redis, told in RateLimit and Retry-After headers."""

from .gcra import Limit, Verdict
from .limiters import Limiter, MemoryLimiter, RedisLimiter
from .middleware import client_address, limit_requests
from .settings import Settings

__all__ = [
    "Limit",
    "Limiter",
    "MemoryLimiter",
    "RedisLimiter",
    "Settings",
    "Verdict",
    "client_address",
    "limit_requests",
]
