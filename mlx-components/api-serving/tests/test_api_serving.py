"""Whether a model is served as the API describes it, and whether every error is told as a problem."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from project.api_serving import Model, Problem, Settings, Value
from project.api_serving.app import app, create_app
from project.api_serving.request_ids import RequestIdFilter

PREDICTIONS = app.url_path_for("predict")


class Calls:
    """A model that doubles the calls."""

    name = "calls"
    version = "7"

    def predict(self, instances: Sequence[Mapping[str, Value]]) -> Sequence[Value]:
        if any(one.get("calls") == "lose" for one in instances):
            return []
        if any(one.get("calls") == "fail" for one in instances):
            raise RuntimeError("secret of the model")
        if not all(isinstance(one.get("calls"), int) for one in instances):
            raise ValueError("calls has to be a whole number")
        return [2 * int(str(one["calls"])) for one in instances]


def client_of(application: FastAPI) -> TestClient:
    return TestClient(application, raise_server_exceptions=False)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with client_of(create_app(Settings(max_instances=3), Calls)) as made:
        yield made


def test_predictions_come_in_the_order_of_the_instances(client: TestClient) -> None:
    said = client.post(PREDICTIONS, json={"instances": [{"calls": 1}, {"calls": 5, "plan": None}]})
    assert said.status_code == 200
    assert said.json() == {"model": {"name": "calls", "version": "7"}, "predictions": [2, 10]}


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_without_a_model_it_lives_and_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_MODEL", raising=False)
    with client_of(create_app()) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        said = client.post(PREDICTIONS, json={"instances": [{"calls": 1}]})
        assert said.status_code == 503
        assert said.headers["Retry-After"] == "10"
        assert "API_MODEL" in said.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"instances": [{"calls": 1}] * 4}, 413, "one request may hold 3"),
        ({"instances": [{"calls": "private"}]}, 422, "calls has to be a whole number"),
        ({"instances": []}, 422, "body#/instances"),
        ({"instances": [{"calls": {"private": 1}}]}, 422, "body#/instances/0/calls/"),
        ({"rows": []}, 422, "body#/rows"),
        ({"instances": [{"calls": "fail"}]}, 500, "unexpected"),
        ({"instances": [{"calls": "lose"}]}, 500, "unexpected"),
    ],
)
def test_errors_are_problems_and_hold_nothing_of_what_was_sent(
    client: TestClient, body: object, status: int, told: str
) -> None:
    said = client.post(PREDICTIONS, json=body, headers={"X-Request-ID": "abc-1"})
    assert said.status_code == status
    assert said.headers["Content-Type"] == "application/problem+json"
    assert said.json()["status"] == status
    assert said.json()["type"] == "about:blank"
    assert said.json()["instance"] == "urn:request:abc-1"
    assert told in said.text
    assert "private" not in said.text.replace("/private", "")
    assert "secret of the model" not in said.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", PREDICTIONS, 405)])
def test_errors_of_the_framework_are_problems_too(client: TestClient, method: str, path: str, status: int) -> None:
    said = client.request(method, path)
    assert said.status_code == status
    assert said.headers["Content-Type"] == "application/problem+json"
    assert ("Allow" in said.headers) == (status == 405)


def test_json_that_is_none_is_told_with_its_place(client: TestClient) -> None:
    said = client.post(PREDICTIONS, content=b"{", headers={"Content-Type": "application/json"})
    assert said.status_code == 422
    assert said.json()["errors"][0]["pointer"].startswith("body#/")


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 129, False), ("", False)])
def test_every_response_has_an_id(client: TestClient, given: str, kept: bool) -> None:
    for path in ("/healthz", "/nowhere"):
        identity = client.get(path, headers={"X-Request-ID": given}).headers["X-Request-ID"]
        assert (identity == given) is kept
        assert identity


def test_the_id_is_in_the_log(client: TestClient) -> None:
    seen: list[str] = []

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.request_id} {record.getMessage()}")  # type: ignore[attr-defined]

    handler = Seen()
    handler.addFilter(RequestIdFilter())
    logger = logging.getLogger()
    logger.addHandler(handler)
    try:
        client.post(PREDICTIONS, json={"instances": [{"calls": "fail"}]}, headers={"X-Request-ID": "abc-2"})
    finally:
        logger.removeHandler(handler)
    assert "abc-2 unexpected" in seen


def test_a_problem_has_members_and_headers_of_its_own() -> None:
    application = create_app(Settings(), Calls)

    @application.get("/teapot")
    async def teapot() -> None:
        raise Problem(429, "later", title="Too hot", kind="urn:x", headers={"Retry-After": "3"}, celsius=99)

    with client_of(application) as client:
        said = client.get("/teapot")
    assert said.headers["Retry-After"] == "3"
    assert said.json() | {"instance": ""} == {
        "type": "urn:x",
        "title": "Too hot",
        "status": 429,
        "detail": "later",
        "instance": "",
        "celsius": 99,
    }


def test_requests_are_answered_at_once() -> None:
    """Two predictions that wait for each other both come to an end."""
    together = threading.Barrier(2, timeout=20)

    class Waits(Calls):
        def predict(self, instances: Sequence[Mapping[str, Value]]) -> Sequence[Value]:
            together.wait()
            return super().predict(instances)

    codes: list[int] = []
    with client_of(create_app(Settings(), Waits)) as client:
        asked = [
            threading.Thread(
                target=lambda: codes.append(client.post(PREDICTIONS, json={"instances": [{"calls": 1}]}).status_code)
            )
            for _ in range(2)
        ]
        for one in asked:
            one.start()
        for one in asked:
            one.join()
    assert codes == [200, 200]


def test_the_model_is_found_by_its_name_when_the_service_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("shop_of_tests")
    module.load = Calls  # type: ignore[attr-defined]
    module.version = "1"  # type: ignore[attr-defined]
    module.none = dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shop_of_tests", module)
    monkeypatch.setenv("API_MODEL", "shop_of_tests:load")
    with client_of(create_app()) as client:
        assert client.get("/readyz").status_code == 200
    for wrong, error in (("gone:load", ValueError), ("shop_of_tests:version", ValueError), ("x", ValueError)):
        with pytest.raises(error, match="API_MODEL is"), client_of(create_app(Settings(model=wrong))):
            pass
    with pytest.raises(TypeError, match="lacks name, version or predict"):
        client_of(create_app(Settings(model="shop_of_tests:none"))).__enter__()


def test_a_model_is_told_by_what_it_does() -> None:
    assert isinstance(Calls(), Model)
    assert not isinstance({}, Model)


@pytest.mark.parametrize("text", ["many", "-1", "0", "1.5"])
def test_a_wrong_setting_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("API_PORT", text)
    with pytest.raises(ValueError, match="API_PORT is"):
        Settings.from_environment()


def test_the_description_names_requests_responses_and_problems() -> None:
    paths = app.openapi()["paths"]
    assert set(paths) >= {"/healthz", "/readyz", PREDICTIONS}
    assert {"200", "413", "422", "503"} <= set(paths[PREDICTIONS]["post"]["responses"])
