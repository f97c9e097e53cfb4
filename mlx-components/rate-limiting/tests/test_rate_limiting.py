"""Whether each client gets what it is allowed and no more, also when many ask at once, in memory and in Redis."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from project.api_serving import Settings as ApiSettings
from project.api_serving.app import create_app
from project.rate_limiting import Limit, MemoryLimiter, RedisLimiter, Settings, Verdict, client_address, limit_requests
from project.rate_limiting import settings as written
from project.rate_limiting.gcra import ask
from project.rate_limiting.limiters import limiter_of
from starlette.requests import HTTPConnection

REDIS_URL = os.environ.get("REDIS_URL", "")
NO_REDIS = pytest.mark.skipif(not REDIS_URL, reason="REDIS_URL is not set")
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(params=["memory", pytest.param("redis", marks=NO_REDIS)])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Three requests a minute, counted apart from those of all other tests."""
    return Settings(Limit(3, 60), request.param, redis_url=REDIS_URL, namespace=f"test:{uuid.uuid4().hex}")


def app_of(settings: Settings) -> FastAPI:
    app = create_app(ApiSettings())
    limit_requests(app, settings)
    return app


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(app_of(settings)) as made:
        yield made


def test_the_fourth_of_three_is_refused_and_told_when(client: TestClient) -> None:
    for left in (2, 1, 0):
        said = client.get("/nowhere")
        assert said.status_code == 404
        assert said.headers["RateLimit-Policy"] == '"default";q=3;w=60'
        assert said.headers["RateLimit"].startswith(f'"default";r={left};t=')
    said = client.get("/nowhere", headers={"X-Request-ID": "abc"})
    assert said.status_code == 429
    assert 18 <= int(said.headers["Retry-After"]) <= 20
    assert said.headers["Content-Type"] == "application/problem+json"
    assert said.headers["X-Request-ID"] == "abc"
    assert said.json()["detail"].startswith("3 requests in 60 s are allowed; try again in ")


def test_health_checks_are_not_counted(client: TestClient) -> None:
    for _ in range(9):
        said = client.get("/healthz")
        assert said.status_code == 200
        assert "RateLimit" not in said.headers


def test_each_client_has_a_limit_of_its_own(settings: Settings) -> None:
    app = create_app(ApiSettings())
    limit_requests(app, settings, key=lambda connection: connection.headers["X-Account"])
    with TestClient(app) as client:
        codes = [client.get("/nowhere", headers={"X-Account": name}).status_code for name in "aaaabab"]
    assert codes == [404, 404, 404, 429, 404, 429, 404]


def test_of_many_at_once_exactly_as_many_as_allowed_come_through(settings: Settings) -> None:
    """In threads with loops of their own, as in processes of their own where Redis counts."""
    shared = MemoryLimiter()
    begin = threading.Barrier(8)
    limit = Limit(20, 600)

    def ask_often(_: int) -> int:
        async def asked() -> int:
            limiter = shared if settings.backend == "memory" else limiter_of(settings)
            begin.wait(timeout=20)
            verdicts = await asyncio.gather(*(limiter.ask("crowd", limit) for _ in range(10)))
            await limiter.close()
            return sum(verdict.allowed for verdict in verdicts)

        return asyncio.run(asked())

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask_often, range(8))) == 20


def test_requests_come_back_evenly(settings: Settings) -> None:
    async def asked() -> list[bool]:
        limiter, limit = limiter_of(settings), Limit(10, 1.0, burst=2)
        allowed = []
        for wait in (0, 0, 0, 0.11, 0):
            await asyncio.sleep(wait)
            allowed.append((await limiter.ask("one", limit)).allowed)
        await limiter.close()
        return allowed

    assert asyncio.run(asked()) == [True, True, False, True, False]


def test_redis_and_memory_agree() -> None:
    if not REDIS_URL:
        pytest.skip("REDIS_URL is not set")

    async def asked(limiter: MemoryLimiter | RedisLimiter) -> list[Verdict]:
        found = [await limiter.ask("one", Limit(5, 600, burst=4), cost) for cost in (1, 2, 2, 1, 1)]
        await limiter.close()
        return found

    there = asyncio.run(asked(RedisLimiter(REDIS_URL, f"test:{uuid.uuid4().hex}")))
    here = asyncio.run(asked(MemoryLimiter(lambda: 1000.0)))
    assert [(one.allowed, one.remaining) for one in there] == [(one.allowed, one.remaining) for one in here]
    for one, other in zip(there, here, strict=True):
        assert one.retry_after_s == pytest.approx(other.retry_after_s, abs=1)
        assert one.reset_s == pytest.approx(other.reset_s, abs=1)


@pytest.mark.parametrize(("requests", "seconds"), [(3, 60), (7, 1), (100, 60), (1, 0.5), (1000, 3600)])
def test_never_more_than_the_burst_and_the_rate(requests: int, seconds: float) -> None:
    limit, arrival, now, allowed = Limit(requests, seconds), 0.0, 1_000_000.0, 0
    step = limit.interval_s / 3
    for _ in range(6 * requests):
        arrival, verdict = ask(limit, arrival, now)
        allowed += verdict.allowed
        assert 0 <= verdict.remaining <= requests
        assert (verdict.retry_after_s > 0) != verdict.allowed
        now += step
    # All at once at first, then one for each interval.
    assert requests + 2 * requests - 2 <= allowed <= requests + 2 * requests


def test_a_client_that_is_done_is_forgotten() -> None:
    now = [0.0]
    limiter = MemoryLimiter(lambda: now[0])

    async def asked() -> None:
        for number in range(1000):
            await limiter.ask(f"client {number}", Limit(10, 10))
        now[0] = 120.0
        await limiter.ask("late", Limit(10, 10))

    asyncio.run(asked())
    assert len(limiter) == 1


@pytest.mark.parametrize(("on_failure", "status"), [("allow", 404), ("refuse", 503)])
def test_while_redis_is_away_requests_are_let_through_or_refused(
    on_failure: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(Limit(1, 60), "redis", "allow" if on_failure == "allow" else "refuse", redis_url=NOWHERE)
    with TestClient(app_of(settings)) as client, caplog.at_level(logging.WARNING):
        assert [client.get("/nowhere").status_code for _ in range(2)] == [status, status]
        assert client.get("/healthz").status_code == 200
    assert "the rate limit cannot be asked for (ConnectionError)" in caplog.text
    assert "127.0.0.1" not in caplog.text


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_who_a_client_is(host: str | None, key: str) -> None:
    client = None if host is None else (host, 1)
    assert client_address(HTTPConnection({"type": "http", "client": client, "headers": []})) == key


def test_the_limit_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@host")
    monkeypatch.setenv("RATE_LIMIT", "10/0.5")
    assert Settings.from_environment().limit == Limit(10, 0.5, 10)
    monkeypatch.setenv("RATE_LIMIT_BURST", "2")
    assert Settings.from_environment().limit.capacity == 2
    assert "hunter2" not in repr(Settings.from_environment())


@pytest.mark.parametrize("text", ["many", "0/60", "10/0", "10/nan", "-1/60", "10/inf"])
def test_a_limit_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("REDIS_URL", NOWHERE)
    monkeypatch.setenv("RATE_LIMIT", text)
    with pytest.raises(ValueError, match="write RATE_LIMIT=100/60"):
        Settings.from_environment()


def test_redis_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "BACKEND", "redis")
    monkeypatch.delenv("REDIS_URL", raising=False)
    app = create_app(ApiSettings())
    limit_requests(app)  # which reads no environment: a module that does so can be imported anywhere
    with pytest.raises(ValueError, match="REDIS_URL is not set"):
        TestClient(app).__enter__()
