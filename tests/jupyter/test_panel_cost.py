"""What an update of the stack panel costs, counted: one `status` and hardly more. Times: benchmarks/panel_update.py."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import mlox
from mlox.testing import FakeBackend
from mlox.workspace import Workspace
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.panels.calling import Caller
from mlox_jupyter.panels.stack import StackPanel
from tests.jupyter.panel_stage import Browser

READS_MORE = 2
"""How often an update reads ``mlox.yaml``, beside what `status` does; its text is parsed once."""


@pytest.fixture
def panel(machine: FakeBackend, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StackPanel]:
    """That of a stack with two services that run; it looks when it is told to, and asks for no usage."""
    del machine
    stack = mlox.Stack("demo", path=isolated)
    stack.add("redis")
    stack.add("mlflow")
    stack.up()
    monkeypatch.setattr(StackPanel, "_looking", lambda _: None)
    monkeypatch.setattr("mlox_jupyter.panels.stack.USAGE_S", math.inf)
    yield cast("StackPanel", open_panel("stack", folder=isolated))
    close_all()


@pytest.fixture
def browser(panel: StackPanel, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(panel, monkeypatch)


@pytest.fixture
def counted(panel: StackPanel, machine: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often was read, looked, called and sent since the panel was opened; clear it between."""
    del panel
    counts: Counter[str] = Counter()

    def counting(owner: Any, name: str, say: Any) -> None:
        really = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            counts[say(arguments)] += 1
            return really(*arguments, **options)

        monkeypatch.setattr(owner, name, call)

    counting(Workspace, "read", lambda _: "read")
    counting(Caller, "call", lambda arguments: arguments[1])
    counting(StackPanel, "send_state", lambda _: "send")
    for name in ("observe", "probe", "measure", "facts", "usage", "history"):
        counting(machine, name, lambda _, name=name: name)
    return counts


def test_an_update_is_one_status(panel: StackPanel, counted: Counter[str]) -> None:
    panel.caller.call("status")
    status = dict(counted)
    assert (status["status"], status["probe"]) == (1, 2)
    counted.clear()
    panel.refresh()
    assert counted.pop("read") <= status.pop("read") + READS_MORE
    assert counted == status


def test_what_changed_is_sent_once_and_costs_no_more_looks(
    panel: StackPanel, counted: Counter[str], machine: FakeBackend
) -> None:
    panel.refresh()
    same = dict(counted)
    assert "send" not in same
    (redis,) = [seen for seen in machine.observe() if seen.service == "redis"]
    machine.stop(redis.stack, "redis", "server", purge=False, emit=lambda _: None)
    counted.clear()
    panel.refresh()
    assert [row["status"] for row in panel.seen["services"]] == ["stopped", "running"]
    assert counted == same | {"send": 1, "probe": 1}


def test_usage_is_asked_for_now_and_then(
    panel: StackPanel, counted: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlox_jupyter.panels.stack.USAGE_S", 3600.0)
    monkeypatch.setattr(panel, "_measured", -math.inf)
    for _ in range(3):
        panel.refresh()
        panel.besides()
    assert (counted["status"], counted["stats"]) == (3, 1)


def test_a_question_of_the_browser_is_no_update(browser: Browser, counted: Counter[str]) -> None:
    browser.ask("logs", name="redis")
    assert (counted["logs"], counted["status"]) == (1, 0)
