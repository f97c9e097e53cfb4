"""A machine without real services: the stack's back end is the shipped fake, the same one for every handle."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox import plugins
from mlox.errors import RequirementError
from mlox.protocols import Transport
from mlox.testing import FakeBackend

PROGRAMS = {"redis-server": "7.0.15", "sh": "1"}


class OneMachine:
    """What the plugins' table makes in place of a native back end: always the machine of the running test."""

    machine: FakeBackend

    def __new__(cls, home: Path, transport: Transport, server: str = "local") -> FakeBackend:  # type: ignore[misc]
        """The one fake, whatever is asked for."""
        del transport, server
        cls.machine.home = str(home)
        return cls.machine


class NoEngine:
    """What the plugins' table makes in place of a Docker back end: there is none on the machine of the running test."""

    def __new__(cls, home: Path, server: str = "docker") -> FakeBackend:  # type: ignore[misc]
        """Nothing."""
        del home, server
        raise RequirementError("no engine answers", hint="Start one.")


def fake_machine(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    """Put the fake in place for one test."""
    machine = FakeBackend(programs=PROGRAMS)
    monkeypatch.setattr(OneMachine, "machine", machine, raising=False)
    monkeypatch.setitem(plugins.TABLE, ("backends", "native"), plugins.Row(f"{__name__}:OneMachine"))
    monkeypatch.setitem(plugins.TABLE, ("backends", "docker"), plugins.Row(f"{__name__}:NoEngine"))
    return machine
