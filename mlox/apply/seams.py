"""What `apply` acts through, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mlox.errors import MloxError
from mlox.protocols import Backend, WritableStore
from mlox.units import Software


class Pins(Protocol):
    """Where exact package versions are written down."""

    def put(self, software: Software) -> None:
        """Keep the pins of these packages."""


@dataclass(frozen=True, slots=True)
class Seams:
    """What ``apply`` acts through: a back end for each server, the store of generated secrets, the lock file."""

    backends: Mapping[str, Backend]
    store: WritableStore
    pins: Pins


@dataclass(slots=True)
class Applied:
    """How it went: services that reached what the plan says, and the error of each that did not."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, MloxError] = field(default_factory=dict)
