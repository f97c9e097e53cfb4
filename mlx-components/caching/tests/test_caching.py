"""Whether what may be kept is, and nothing else; whether many ask and one makes; in memory and in Redis."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from project.api_serving import Settings as ApiSettings
from project.api_serving import Value
from project.api_serving.app import create_app
from project.caching import MemoryStore, RedisStore, Settings, Store, cache_responses, cached
from project.caching import settings as written
from project.caching.middleware import PREDICTIONS
from project.caching.rules import Kept, lifetime, same_tag
from project.caching.turns import turn

REDIS_URL = os.environ.get("REDIS_URL", "")
NO_REDIS = pytest.mark.skipif(not REDIS_URL, reason="REDIS_URL is not set")
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(params=["memory", pytest.param("redis", marks=NO_REDIS)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore() if request.param == "memory" else RedisStore(REDIS_URL, f"test:{uuid.uuid4().hex}")


class Model:
    """Counts how often it is asked."""

    name = "counting"

    def __init__(self) -> None:
        self.version, self.asked = "1", 0

    def predict(self, instances: Sequence[Mapping[str, Value]]) -> Sequence[Value]:
        self.asked += 1
        return [one["x"] for one in instances]


class Site:
    """A service with pages whose headers a test chooses, and which count how often they are made."""

    def __init__(self, store: Store, **settings: int) -> None:
        self.made = 0
        self.headers = {"Cache-Control": "max-age=60"}
        self.status = 200
        self.model = Model()
        self.app: FastAPI = create_app(ApiSettings(), lambda: self.model)
        self.app.get("/page")(self.page)
        self.app.post("/page")(self.change)
        self.app.get("/stream")(self.stream)
        cache_responses(self.app, Settings(max_body=1000, **settings), store=store)  # type: ignore[arg-type]

    async def page(self, request: Request) -> Response:
        self.made += 1
        await asyncio.sleep(0.01)
        text = f"page {self.made} {request.headers.get('accept-language', '')}"
        return Response(text, self.status, self.headers, media_type="text/plain")

    async def change(self) -> str:
        return "changed"

    async def stream(self) -> Response:
        self.made += 1
        parts = (b"x" * 400 for _ in range(4))
        return StreamingResponse(parts, headers=self.headers)


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, predictions_ttl_s=60)


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with TestClient(site.app) as made:
        yield made


def test_a_page_is_made_once_and_tells_its_age(client: TestClient) -> None:
    first, second = client.get("/page"), client.get("/page")
    assert first.text == second.text == "page 1 "
    assert "age" not in first.headers
    assert int(second.headers["Age"]) < 60
    assert first.headers["Cache-Status"] == "app; fwd=miss; stored"
    assert second.headers["Cache-Status"].startswith("app; hit; ttl=")
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert client.get("/page?a=1").text == "page 2 "
    assert client.get("/page", headers={"Accept-Language": "de"}).text == "page 3 de"


def test_who_has_it_already_gets_304(client: TestClient, site: Site) -> None:
    tag = client.get("/page").headers["ETag"]
    for asked in (tag, f'W/{tag}, "other"', "*"):
        said = client.get("/page", headers={"If-None-Match": asked})
        assert (said.status_code, said.content, said.headers["ETag"]) == (304, b"", tag)
        assert "Content-Length" not in said.headers
    assert client.get("/page", headers={"If-None-Match": '"other"'}).status_code == 200
    assert site.made == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cache-Control": "max-age=60, private"},
        {"Cache-Control": "no-store"},
        {"Cache-Control": "no-cache"},
        {"Cache-Control": "max-age=0"},
        {"Cache-Control": "max-age=60, s-maxage=0"},
        {"Cache-Control": "max-age=soon"},
        {"Cache-Control": "max-age=60", "Vary": "X-Account"},
        {"Cache-Control": "max-age=60", "Vary": "*"},
        {"Cache-Control": "max-age=60", "Set-Cookie": "a=b"},
    ],
)
def test_what_may_not_be_kept_is_not(client: TestClient, site: Site, headers: dict[str, str]) -> None:
    site.headers = headers
    assert [client.get("/page").text for _ in range(3)] == ["page 1 ", "page 2 ", "page 3 "]


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
def test_what_has_credentials_is_not_kept(client: TestClient, name: str) -> None:
    assert client.get("/page", headers={name: "me"}).text == "page 1 "
    assert client.get("/page").text == "page 2 "
    assert client.get("/page", headers={name: "me"}).text == "page 3 "


def test_errors_are_not_kept(client: TestClient, site: Site) -> None:
    site.status = 500
    assert [client.get("/page").status_code for _ in range(2)] == [500, 500]
    assert site.made == 2


def test_a_request_may_ask_for_a_new_page_or_an_old_one(client: TestClient) -> None:
    assert client.get("/page", headers={"Cache-Control": "only-if-cached"}).status_code == 504
    assert client.get("/page").text == "page 1 "
    assert client.get("/page", headers={"Cache-Control": "only-if-cached"}).text == "page 1 "
    assert client.get("/page", headers={"Cache-Control": "max-age=50"}).text == "page 1 "
    assert client.get("/page", headers={"Cache-Control": "no-cache"}).text == "page 2 "
    assert client.get("/page", headers={"Pragma": "no-cache"}).text == "page 3 "
    assert client.get("/page", headers={"Cache-Control": "no-store"}).text == "page 4 "
    assert client.get("/page").text == "page 3 "


def test_a_change_makes_all_of_a_path_void(client: TestClient) -> None:
    client.get("/page")
    client.get("/page?a=1")
    assert client.post("/page").status_code == 200
    assert client.get("/page").text == "page 3 "
    assert client.get("/page?a=1").text == "page 4 "


def test_what_is_too_large_comes_whole_and_is_not_kept(client: TestClient, site: Site) -> None:
    assert client.get("/stream").content == client.get("/stream").content == b"x" * 1600
    assert site.made == 2


def test_predictions_hold_for_the_same_bytes_and_the_same_model(client: TestClient, site: Site) -> None:
    one, other = {"instances": [{"x": 1}]}, {"instances": [{"x": 2}]}
    assert [client.post(PREDICTIONS, json=body).json()["predictions"] for body in (one, one, other)] == [[1], [1], [2]]
    assert site.model.asked == 2
    site.model.version = "2"
    assert client.post(PREDICTIONS, json=one).json()["model"]["version"] == "2"
    assert site.model.asked == 3
    assert client.post(PREDICTIONS, json={"instances": []}).status_code == 422


def test_a_large_request_reaches_the_model_and_is_not_kept(client: TestClient, site: Site) -> None:
    body = {"instances": [{"x": "y" * 100}] * 20}
    for count in (1, 2):
        assert client.post(PREDICTIONS, json=body).json()["predictions"] == ["y" * 100] * 20
        assert site.model.asked == count


def test_predictions_are_not_kept_unless_asked_for(store: Store) -> None:
    site = Site(store)
    with TestClient(site.app) as client:
        for _ in range(2):
            assert client.post(PREDICTIONS, json={"instances": [{"x": 1}]}).status_code == 200
    assert site.model.asked == 2


def test_when_many_ask_at_once_the_page_is_made_once(client: TestClient, site: Site) -> None:
    with ThreadPoolExecutor(12) as threads:
        said = list(threads.map(lambda _: client.get("/page").text, range(24)))
    assert set(said) == {"page 1 "}
    assert site.made == 1


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


def test_a_redis_that_is_away_is_an_empty_cache(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(RedisStore(NOWHERE, "test"))
    began = time.monotonic()
    with TestClient(site.app) as client:
        assert [client.get("/page").text for _ in range(20)] == [f"page {number} " for number in range(1, 21)]
    assert time.monotonic() - began < 5
    assert "the cache cannot be reached (ConnectionError)" in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_a_kept_response_is_the_same_to_the_byte() -> None:
    kept = Kept(1.5, 60, [(b"x", b"\xff\n"), (b"x", b"2")], b"a\n\0b")
    assert Kept.parse(kept.to_bytes()) == kept
    assert Kept.parse(b"") is None
    json.loads(kept.to_bytes().partition(b"\n")[0])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"cache-control", b"max-age=60, s-maxage=10")], 10),
        ([(b"cache-control", b"public"), (b"Cache-Control", b"max-age=7")], 7),
        ([], 5),
        ([(b"cache-control", b"max-age=7"), (b"vary", b"Accept")], 7),
        ([(b"cache-control", b"max-age=7"), (b"vary", b"Accept, X-A")], 0),
    ],
)
def test_how_long_a_response_holds(headers: list[tuple[bytes, bytes]], expected: int) -> None:
    assert lifetime(200, headers, ("accept",), default_s=5) == expected
    assert lifetime(404, headers, ("accept",), default_s=5) == 0
    assert same_tag('"a"', 'W/"a"')


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@host")
    monkeypatch.setenv("CACHE_RELEASE", "abc")
    assert Settings.from_environment().namespace.endswith(":cache:abc")
    assert "hunter2" not in repr(Settings.from_environment())
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setattr(written, "BACKEND", "redis")
    with pytest.raises(ValueError, match="REDIS_URL is not set"):
        Settings.from_environment()
