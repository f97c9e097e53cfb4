"""What long work tells while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """One step of long work: which service, what happens, and how far it is (0 to 1) where that is known."""

    service: str
    message: str
    kind: Literal["step", "wait", "done", "failed", "warning"] = "step"
    fraction: float | None = None


Emit = Callable[[Event], None]


def silent(_: Event) -> None:
    """An ``Emit`` for callers who do not look."""
