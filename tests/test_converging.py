"""What ``up`` does where the world moves between plan and start."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox.errors import DriftError, PortTakenError
from mlox.protocols import Event
from tests.fake_machine import fake_machine


def test_a_port_that_is_taken_between_plan_and_start_is_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = fake_machine(monkeypatch)
    stack = mlox.Stack("shop", path=tmp_path)
    stack.add("redis")
    told: list[Event] = []

    def somebody_is_quicker(event: Event) -> None:
        told.append(event)
        if event.message == "starting":
            machine.ports_taken.add(6379)

    done = stack.up(emit=somebody_is_quicker)
    assert [row.ports for row in done.services] == [{"redis": "127.0.0.1:6380"}]
    assert any("choosing another" in event.message for event in told)
    assert not stack.plan()


def test_where_every_port_is_taken_again_it_ends_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = fake_machine(monkeypatch)
    stack = mlox.Stack("shop", path=tmp_path)
    stack.add("redis")
    rounds = iter(range(6379, 6400))

    def somebody_is_always_quicker(event: Event) -> None:
        if event.message == "starting":
            machine.ports_taken.add(next(rounds))

    with pytest.raises(PortTakenError, match="is taken"):
        stack.up(emit=somebody_is_always_quicker)
    assert next(rounds) == 6383
    assert [row.status for row in stack.status().services] == ["absent"]


def test_a_plan_that_was_agreed_to_is_not_changed_for_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = fake_machine(monkeypatch)
    stack = mlox.Stack("shop", path=tmp_path)
    stack.add("redis")
    agreed = stack.plan().digest

    def somebody_is_quicker(event: Event) -> None:
        if event.message == "starting":
            machine.ports_taken.add(6379)

    with pytest.raises(PortTakenError):
        stack.up(plan=agreed, emit=somebody_is_quicker)
    with pytest.raises(DriftError, match=f"not {agreed}"):
        stack.up(plan=agreed)
