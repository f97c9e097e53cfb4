"""A cache of responses and of results, in memory or in Redis, in which nothing is made twice at once."""

from .functions import cached
from .middleware import cache_responses
from .settings import Settings
from .stores import MemoryStore, RedisStore, Store, open_store

__all__ = ["MemoryStore", "RedisStore", "Settings", "Store", "cache_responses", "cached", "open_store"]
