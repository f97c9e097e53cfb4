"""One piece of work of a panel: what each service is at, and afterwards how long each took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from mlox.protocols import Emit, Event
from mlox.values import Value, shown
from mlox_jupyter.panels.calling import answered
from mlox_jupyter.words import in_a_cell

SHOWN_S = 0.1
"""How often a browser is told at most; what ends a service's work is told at once."""


@dataclass(slots=True)
class Step:
    """What one service is at; times are seconds since the work began."""

    service: str
    message: str = ""
    kind: str = "step"
    fraction: float | None = None
    began_s: float = 0.0
    ended_s: float | None = None


class Work:
    """A piece of work.

    Args:
        title: what is done, in a few words. ``tell``: gets the state of it, as JSON, from any thread.
    """

    def __init__(self, title: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self.title = title
        self.running = True
        self._tell = tell
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._told = 0.0
        self._took_s: float | None = None
        self._steps: dict[str, Step] = {}
        self._end: dict[str, Any] = {}

    def run(self, work: Callable[[Emit], Value], after: Callable[[], None]) -> None:
        """Do it, and tell how it ended; never raises, since nobody waits for it."""
        done = answered(lambda: work(self._heard))
        if (value := done.get("value")) is not None:
            self._end = {"text": in_a_cell(shown(value, "notebook", detail=True)), "failed": _failed(value)}
        else:
            self._end = {**done["error"], "failed": True}
        with self._lock:
            self._took_s = self._elapsed()
            for step in self._steps.values():
                step.ended_s = step.ended_s if step.ended_s is not None else self._took_s
        after()
        self.running = False
        self.show()

    def show(self) -> None:
        """Tell how it stands."""
        with self._lock:
            self._told = time.monotonic()
            steps = [asdict(step) for step in self._steps.values()]
            told = {"title": self.title, "running": self.running, "steps": steps, "took_s": self._elapsed()}
            told |= self._end
        self._tell(told)

    def _heard(self, event: Event) -> None:
        with self._lock:
            step = self._steps.setdefault(event.service, Step(event.service, began_s=self._elapsed()))
            step.message, step.kind, step.fraction = event.message, event.kind, event.fraction
            step.ended_s = self._elapsed() if event.kind in ("done", "failed") else None
            soon = step.ended_s is None and time.monotonic() < self._told + SHOWN_S
        if not soon:
            self.show()

    def _elapsed(self) -> float:
        return self._took_s if self._took_s is not None else round(time.monotonic() - self._began, 2)


def _failed(value: Value) -> bool:
    """Whether something went wrong; what is left for a person to decide is no failure."""
    return bool(value.exit_code) and not value.waits
