"""What it means that a service moves: when two servers are one place, what would be lost, what a move will do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class Wired:
    """A consumer that finds the service at another address afterwards."""

    service: str
    need: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Move:
    """What a move will do.

    Attributes:
        before: the units as they run on ``source``. ``after``: as they will run on ``target``.
        consumers: the units that stop meanwhile, since they need the service.
        forwarders: those by which it reaches, from there, what it needs, and that do not run yet.
        size_bytes: how much data there is. ``folders``: the names of what it lies in.
        starts: what a move that was cut off had stopped: it starts as well.
    """

    service: str
    source: str
    target: str
    before: tuple[Unit, ...]
    after: tuple[Unit, ...]
    consumers: tuple[Unit, ...] = ()
    forwarders: tuple[Unit, ...] = ()
    wired: tuple[Wired, ...] = ()
    size_bytes: int = 0
    folders: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()

    @property
    def stack(self) -> str:
        """The stack's id."""
        return self.before[0].stack

    @property
    def stops(self) -> tuple[str, ...]:
        """The consumers by name."""
        return tuple(dict.fromkeys(unit.service for unit in self.consumers))

    @property
    def compares(self) -> bool:
        """Whether the service itself can tell what it holds."""
        return any(unit.verify for unit in self.before) and any(unit.verify for unit in self.after)

    def to_json(self) -> dict[str, Any]:
        """An object of its names, and of what is copied and wired."""
        return {
            "service": self.service,
            "from": self.source,
            "to": self.target,
            "version": {"from": self.before[0].version, "to": self.after[0].version},
            "data": {"folders": list(self.folders), "bytes": self.size_bytes},
            "stops": [self.service, *self.stops],
            "wired": [{"service": w.service, "need": w.need, "from": w.before, "to": w.after} for w in self.wired],
            "verified": "content" if self.compares else "data",
        }


def one_place(unit: Unit, other: Unit, here: Collection[str]) -> bool:
    """Whether two units share a place: their server, or both this machine with one back end.

    Args:
        here: the servers that are this machine.
    """
    both_here = unit.server in here and other.server in here
    return unit.server == other.server or (both_here and unit.backend == other.backend)


def has_data(unit: Unit) -> bool:
    """Whether something would be lost if the unit began anew elsewhere."""
    from mlox.specs import CONFIG

    return unit.stateful or any(name != CONFIG for name, _ in unit.directories)
