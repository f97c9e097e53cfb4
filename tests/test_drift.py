"""The verb drift: what differs between what is written, what runs, and how it was made."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox.protocols import Deviation
from mlox.testing import FakeBackend
from tests.shell_stage import Say


@pytest.fixture
def up(stack: mlox.Stack) -> mlox.Stack:
    """A stack whose base and app run."""
    stack.add("base")
    stack.add("app")
    stack.up()
    return stack


def told(stack: mlox.Stack, *names: str) -> list[tuple[str, str, str]]:
    return [(each.service, each.kind, each.how) for each in stack.drift(*names).differences]


def test_what_runs_as_it_is_written_does_not_differ(up: mlox.Stack, say: Say) -> None:
    assert told(up) == []
    said = say("drift", "--exit-code")
    assert (said.code, said.out) == (0, "all runs as it is written\n")


def test_what_was_stopped_or_never_started(up: mlox.Stack) -> None:
    up.down("app")
    up.add("base", name="other")
    assert told(up) == [("app", "state", "stopped"), ("other", "absent", "not there")]
    assert told(up, "base") == []


def test_another_version_and_another_wiring(up: mlox.Stack, isolated: Path) -> None:
    path = isolated / "services" / "base.yaml"
    path.write_text(path.read_text().replace("UP: ", "MORE: yes, UP: "))
    assert {(name, kind) for name, kind, _ in told(up)} == {("base", "setting")}
    assert up.drift().differences[0].what == "source"


def test_what_runs_and_nobody_wrote(up: mlox.Stack) -> None:
    up.workspace.drop_service("app")
    assert told(up) == [("app", "unlisted", "runs, and is not in mlox.yaml")]


def test_what_was_changed_by_hand(up: mlox.Stack, machine: FakeBackend, say: Say) -> None:
    unit = next(o.unit for o in machine.observe() if o.service == "base")
    machine.tamper(unit, Deviation("file", "config/base.conf", "changed"))
    assert told(up) == [("base", "file", "changed")]
    said = say("drift", "base", "--exit-code")
    assert said.code == 4
    assert said.out.splitlines() == ["base  config/base.conf  changed", "as mlox made it: mlox restart NAME"]
    assert say("drift", "--json").json["differences"] == [
        {
            "service": "base",
            "unit": "server",
            "kind": "file",
            "what": "config/base.conf",
            "here": "changed",
            "written": "",
        }
    ]


def test_secrets_that_cannot_be_read_are_said_to_be_uncompared(up: mlox.Stack, machine: FakeBackend) -> None:
    identity = Path(machine.home) / "identity"
    aside = identity.rename(identity.with_name("aside"))
    try:
        found = up.drift()
    finally:
        aside.rename(identity)
    assert found.notes == ("not compared, since its secrets cannot be read: app, base",)
    assert found.differences == ()


def test_a_stack_that_cannot_be_planned_still_tells_the_rest(up: mlox.Stack, isolated: Path) -> None:
    path = isolated / "services" / "app.yaml"
    path.write_text(path.read_text().replace("summary:", "sumary:"))
    up.down("base")
    found = told(up)
    assert ("base", "state", "stopped") in found
    assert any(name == "app" and kind == "plan" and "sumary" in how for name, kind, how in found)


def test_an_unknown_name(up: mlox.Stack, say: Say) -> None:
    assert say("drift", "bse").err.splitlines()[1] == "hint: Did you mean 'base'?"
    assert told(up) == []
