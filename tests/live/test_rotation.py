"""Rotations of real services: a password that is shared with a consumer, and a kill while one is changed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.live.placing import SERVERS, placed
from tests.live.support import MLOX, Project
from tests.live.test_postgres import CONSUMER, INSTALLED, conninfo

QUEUE = CONSUMER.replace("notes", "queue").replace("postgresql", "redis").replace("18400", "18410")


@pytest.fixture(params=SERVERS)
def shop(request: pytest.FixtureRequest, data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with placed(request.param, tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        yield made


def of_redis(shop: Project, password: str) -> redis.Redis:
    host, _, port = shop.row("redis")["ports"]["redis"].partition(":")
    return redis.Redis(host=host, port=int(port), password=password)


@pytest.mark.long
def test_a_password_of_redis_is_rotated_with_its_consumer(shop: Project) -> None:
    folder = shop.folder / "services"
    folder.mkdir()
    (folder / "queue.yaml").write_text(QUEUE)
    shop.done("add", "redis")
    shop.done("up", "queue")
    given = Path(shop.row("queue")["data_path"]) / "config/url.txt"
    old = shop.password("redis")
    with of_redis(shop, old) as client:
        client.set("before", "kept")
    said = shop.json("secrets", "rotate", "redis.password")
    assert said["services"] == ["redis", "queue"]
    new = shop.password("redis")
    with of_redis(shop, new) as client, redis.Redis.from_url(given.read_text()) as consumer:
        assert client.get("before") == consumer.get("before") == b"kept"
    with of_redis(shop, old) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    assert shop.json("up")["actions"] == []
    for words in ("logs redis", "logs queue", "status", "secrets list"):
        assert new not in shop.done(*words.split())


@pytest.mark.long
@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")
def test_after_a_kill_while_it_is_rotated_up_finishes(shop: Project) -> None:
    shop.done("up", "postgres")
    began = time.monotonic()
    shop.done("secrets", "rotate", "postgres.password")
    takes_s = time.monotonic() - began
    words = (*MLOX, "secrets", "rotate", "postgres.password")
    seen = set()
    for part in range(1, 9):
        before = shop.password("postgres")
        process = shop.process(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(takes_s * part / 9)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shop.done("up")
        password = shop.password("postgres")
        seen.add(password == before)
        psycopg.connect(**conninfo(shop, password=password)).close()
        assert shop.json("plan")["actions"] == []
        assert shop.row("postgres")["status"] == "running"
    assert False in seen
