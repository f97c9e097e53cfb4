"""How a stack and its handles show themselves: text that stays, and facts where somebody looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mlox
from mlox.errors import ServiceError
from mlox.testing import FakeBackend
from mlox_jupyter.handles import facts_of
from tests.jupyter.cells import Kernel, Run

BEGIN = """
import mlox
import mlox_jupyter.handles
mlox_jupyter.handles.PATIENCE_S = 60
stack = mlox.Stack("churn")
stack.add("redis")
stack.up()
component = mlox.Component("utility-framework")
"""
SHOWN = ("stack", "stack.service('redis')", "component")


@pytest.fixture
def churn(kernel: Kernel) -> Kernel:
    """A kernel with a stack whose redis runs, and a component that is not added yet."""
    assert kernel.run(BEGIN).error is None
    return kernel


@pytest.fixture
def redis(machine: FakeBackend) -> mlox.Service:
    """A service that runs, on the fake machine of this process."""
    del machine
    stack = mlox.Stack("churn")
    service = stack.add("redis")
    stack.up()
    return service


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """Set at the end of the test: what hangs until then goes on."""
    event = threading.Event()
    yield event
    event.set()


def bundle(kernel: Kernel, source: str, *, looks: bool = True) -> dict[str, Any]:
    ran = kernel.run(source, [] if looks else None)
    assert (ran.error, ran.printed) == (None, "")
    (shown,) = ran.displays
    return shown


def test_texts_are_the_same_whether_somebody_looks_or_not(churn: Kernel) -> None:
    texts = ["Stack('churn')", "Service('redis')", "Component('utility-framework')"]
    for looks in (True, False):
        assert [bundle(churn, source, looks=looks)["text/plain"] for source in SHOWN] == texts
    for source in SHOWN[1:]:
        assert set(bundle(churn, source, looks=False)) == {"text/plain"}


def test_a_stack_is_called_by_its_name_where_somebody_looks(churn: Kernel) -> None:
    assert "Services of churn</caption>" in bundle(churn, "stack")["text/html"]
    headless = bundle(churn, "stack", looks=False)["text/html"]
    assert headless.startswith('<div class="mlox"><table><thead>')
    assert headless.endswith('<div style="white-space:pre-wrap">churn</div></div>')


def test_a_service_tells_how_it_stands(churn: Kernel) -> None:
    shown = bundle(churn, SHOWN[1])["text/html"]
    for fact in ("running", "redis 7.0.15", "local"):
        assert f">{fact}</td>" in shown
    assert ">redis://127.0.0.1:" in shown


def test_a_component_tells_its_state_and_its_files(churn: Kernel) -> None:
    assert "%mlox add utility-framework" in bundle(churn, "component")["text/html"]
    churn.run("component.add();")
    shown = bundle(churn, "component")["text/html"]
    for fact in ("clean", "1.0"):
        assert f">{fact}</td>" in shown
    assert "src/churn/utility_framework/retrying.py, " in shown
    assert "tests/test_utility_framework.py" in shown


def test_what_cannot_be_told_is_shown_as_text(churn: Kernel, isolated: Path) -> None:
    churn.run("service = stack.service('redis')")
    (isolated / "mlox.yaml").write_text("name: [")
    assert bundle(churn, "service") == {"text/plain": "Service('redis')"}
    assert set(bundle(churn, "component")) <= {"text/plain", "text/html"}


def test_after_the_extension_is_gone_they_show_themselves_as_any_object(churn: Kernel) -> None:
    assert "text/html" in bundle(churn, SHOWN[1])
    assert churn.run("%unload_ext mlox_jupyter").error is None
    for source in SHOWN:
        assert set(bundle(churn, source)) == {"text/plain"}


def test_a_shell_without_a_screen_shows_text(run: Run) -> None:
    run("import mlox\nstack = mlox.Stack('churn')\nservice = stack.add('redis')")
    assert run("service").displays == [{"text/plain": "Service('redis')"}]


def test_facts_hold_no_secret(redis: mlox.Service) -> None:
    password = mlox.secrets.get("redis.password").reveal()
    facts = facts_of(redis, patience_s=60)
    assert facts is not None
    assert password not in str(facts)
    assert [name for name, _ in facts] == ["name", "status", "address", "version", "server"]


def test_a_look_that_fails_says_nothing(redis: mlox.Service, machine: FakeBackend, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise ServiceError("no answer", hint="Wait.")

    assert dict(facts_of(redis, patience_s=60) or ())["status"] == "running"
    monkeypatch.setattr(machine, "observe", fail)
    assert facts_of(redis, patience_s=60) is None


def test_nobody_waits_for_a_slow_look(
    redis: mlox.Service, machine: FakeBackend, monkeypatch: Any, hanging: threading.Event
) -> None:
    observe = machine.observe

    def late(stack: str | None = None) -> Any:
        hanging.wait(60)
        return observe(stack)

    monkeypatch.setattr(machine, "observe", late)
    began = time.monotonic()
    assert facts_of(redis, patience_s=0.2) is None
    assert time.monotonic() - began < 10
