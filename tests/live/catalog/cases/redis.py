"""Redis: keys of several kinds."""

from tests.live.catalog.case import Case

WRITE = """
import mlox
client = mlox.get("redis").client()
client.set("word", bytes(range(256)))
client.hset("row", mapping={"depth": 3, "loss": "0.25"})
client.rpush("queue", *range(100))
"""
READ = """
import mlox
client = mlox.get("redis").client()
print(client.get("word") == bytes(range(256)), sorted(client.hgetall("row").items()), client.lrange("queue", 0, -1))
"""

CASE = Case(WRITE, READ, images={"redis": "redis:7"})
