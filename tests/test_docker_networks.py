"""A stack's network where the engine loses a race for the firewall's tables.

What is upstream here: Docker answers 500 with ``Failed to Setup IP tables: ... (iptables failed: ...)`` (libnetwork,
``drivers/bridge/setup_ip_tables.go``), and has made no network then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mlox.backends.docker import rooms
from mlox.backends.docker.engine import Engine
from mlox.errors import CommandError

LOST = "the engine refused: Failed to Setup IP tables: Unable to enable SKIP DNAT rule: (iptables failed: iptables ...)"


class Racing(Engine):
    """An engine that refuses to make a network some times."""

    def __init__(self, *refusals: str) -> None:
        super().__init__()
        self.refusals = list(refusals)
        self.made: list[str] = []

    @contextmanager
    def asked(self, doing: str) -> Iterator[Any]:
        yield self

    def create_network(self, name: str, **_: object) -> None:
        if self.refusals:
            raise CommandError(self.refusals.pop(0))
        self.made.append(name)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "RACE_S", (0.0, 0.0))


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_lost_race_is_run_again(times: int) -> None:
    engine = Racing(*[LOST] * times)
    rooms.make_network(engine, "demo-0001")
    assert engine.made == ["mlox-demo-0001"]


@pytest.mark.parametrize("refusals", [[LOST] * 3, ["all predefined address pools have been fully subnetted"]])
def test_what_stays_is_told(refusals: list[str]) -> None:
    engine = Racing(*refusals)
    with pytest.raises(CommandError, match=refusals[-1][:20]):
        rooms.make_network(engine, "demo-0001")
    assert engine.made == []
    assert engine.refusals == []
