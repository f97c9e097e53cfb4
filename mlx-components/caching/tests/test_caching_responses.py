"""Whether responses that may be kept are, and no others; whether many ask and one is made; in memory and in Redis."""

from __future__ import annotations

import asyncio
import json
import os
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
from project.caching import MemoryStore, RedisStore, Settings, Store, cache_responses
from project.caching.middleware import PREDICTIONS
from project.caching.rules import Kept, lifetime, same_tag

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
