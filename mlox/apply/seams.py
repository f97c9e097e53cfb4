"""What `apply` acts through, and how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from mlox.apply.guarding import guarded
from mlox.errors import MloxError
from mlox.leases import Holder
from mlox.protocols import Backend, WritableStore
from mlox.units import Software


class Pins(Protocol):
    """Where exact package versions are written down."""

    def put(self, software: Software) -> None:
        """Keep the pins of these packages."""


@dataclass(frozen=True, slots=True)
class Seams:
    """What ``apply`` acts through: a back end for each server, the store of generated secrets, the lock file.

    ``check`` is called before each effect, and raises where the stack is no longer ours to change. ``holder``: who does
    it, for the history; by default this process.
    """

    backends: Mapping[str, Backend]
    store: WritableStore
    pins: Pins
    check: Callable[[], None] = lambda: None
    holder: Holder | None = None

    def guarded(self) -> Seams:
        """The same, with ``check`` before each call that changes something."""
        parts = {id(backend): guarded(backend, self.check) for backend in self.backends.values()}
        return replace(
            self,
            backends={name: parts[id(backend)] for name, backend in self.backends.items()},
            store=guarded(self.store, self.check),
            pins=guarded(self.pins, self.check),
        )


@dataclass(slots=True)
class Applied:
    """How it went: services that reached what the plan says, and the error of each that did not."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, MloxError] = field(default_factory=dict)
