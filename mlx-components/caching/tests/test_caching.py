"""Whether functions are called once by many, and what is kept runs out and has a bound; in memory and in Redis."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from project.caching import MemoryStore, RedisStore, Settings, Store, cached
from project.caching import settings as written
from project.caching.turns import turn

REDIS_URL = os.environ.get("REDIS_URL", "")
NO_REDIS = pytest.mark.skipif(not REDIS_URL, reason="REDIS_URL is not set")


@pytest.fixture(params=["memory", pytest.param("redis", marks=NO_REDIS)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore() if request.param == "memory" else RedisStore(REDIS_URL, f"test:{uuid.uuid4().hex}")


def test_a_function_is_called_once_by_many(store: Store) -> None:
    calls: list[int] = []

    @cached(ttl_s=60, store=store)
    def slow(number: int, *, twice: bool = False) -> list[int]:
        calls.append(number)
        time.sleep(0.1)
        return [number, number] if twice else [number]

    with ThreadPoolExecutor(8) as threads:
        assert all(found == [7] for found in threads.map(slow, [7] * 8))
    assert calls == [7]
    assert slow(7, twice=True) == [7, 7]


def test_a_coroutine_is_called_once_by_many(store: Store) -> None:
    calls: list[str] = []

    @cached(ttl_s=60, store=store)
    async def slow(text: str) -> str | None:
        calls.append(text)
        await asyncio.sleep(0.05)
        return None if text == "none" else text.upper()

    async def both() -> list[str | None]:
        return list(await asyncio.gather(*(slow(text) for text in ["a", "none", "a", "none"])))

    assert asyncio.run(both()) == ["A", None, "A", None]
    assert asyncio.run(both()) == ["A", None, "A", None]
    assert sorted(calls) == ["a", "none"]


def test_an_error_is_not_kept(store: Store) -> None:
    calls: list[int] = []

    @cached(ttl_s=60, store=store)
    def fails() -> None:
        calls.append(1)
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            fails()
    assert len(calls) == 2


def test_arguments_that_are_no_json_need_a_key(store: Store) -> None:
    @cached(ttl_s=60, store=store)
    def count(_: set[int]) -> int:
        return 1

    with pytest.raises(TypeError, match="give key="):
        count({1})

    @cached(ttl_s=60, store=store, key=lambda numbers: str(sorted(numbers)))
    def total(numbers: set[int]) -> int:
        return sum(numbers)

    assert total({1, 2}) == total({2, 1}) == 3


def test_what_is_kept_runs_out(store: Store) -> None:
    store.put("a", b"1", 0.05)
    assert store.get("a") == b"1"
    time.sleep(0.08)
    assert store.get("a") is None
    store.put("b", b"1", 0)
    assert store.get("b") is None


def test_only_who_has_a_claim_gives_it_back(store: Store) -> None:
    token = store.claim("a", 60)
    assert token
    assert store.claim("a", 60) is None
    store.release("a", "another")
    assert store.claim("a", 60) is None
    store.release("a", token)
    again = store.claim("a", 0.05)
    assert again
    time.sleep(0.08)
    assert store.claim("a", 60)


def test_nobody_waits_for_ever_for_one_who_died(store: Store) -> None:
    assert store.claim("a", 60)
    began = time.monotonic()
    with turn(store, "a", patience_s=0.1) as found:
        assert found is None
    assert time.monotonic() - began < 5


def test_memory_has_a_bound_and_the_oldest_goes_first() -> None:
    store = MemoryStore(max_bytes=3000)
    for name in ("a", "b", "c"):
        store.put(name, b"x" * 700, 60)
    assert store.get("a")
    store.put("d", b"x" * 700, 60)
    assert [name for name in "abcd" if store.get(name)] == ["a", "c", "d"]
    assert store.size <= 3000
    store.put("e", b"x" * 3001, 60)
    assert store.get("e") is None
    for number in range(1000):
        store.put(f"empty {number}", b"", 60)
    assert store.size <= 3000


def test_memory_is_used_by_many_threads() -> None:
    store, errors = MemoryStore(max_bytes=5000), []

    def work(number: int) -> None:
        try:
            for step in range(300):
                store.put(f"{number} {step % 7}", bytes(step), 0.001)
                store.get(f"{number} {(step + 3) % 7}")
        except (KeyError, RuntimeError) as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert 0 <= store.size <= 5000


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@host")
    monkeypatch.setenv("CACHE_RELEASE", "abc")
    assert Settings.from_environment().namespace.endswith(":cache:abc")
    assert "hunter2" not in repr(Settings.from_environment())
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setattr(written, "BACKEND", "redis")
    with pytest.raises(ValueError, match="REDIS_URL is not set"):
        Settings.from_environment()
