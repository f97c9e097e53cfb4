"""What a watcher remembers from one look to the next, and across its own restarts: a file that no plan reads.

Without it nothing is lost but that somebody was told already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mlox.alerts.records import Alert, Notification

SCHEMA = 1
LATEST = 50
"""How many notifications are kept for notebooks to show."""

MOST_WAITING = 200
"""How many wait for a receiver that cannot be reached; older ones are dropped, and their number is told."""

FIRST_AGAIN_S, LAST_AGAIN_S = 5.0, 300.0
"""How long after a failure a receiver is tried again: twice as long each time, up to the second."""


INTERVALS, LEAST_S = 4, 60.0
"""After so many intervals without a look, and no less than that, nobody knows what was in between."""


def memory_file(root: Path) -> Path:
    """Where a watcher of the workspace in ``root`` keeps what it remembers."""
    return root / ".mlox" / "local" / "alerts.json"


@dataclass(frozen=True, slots=True)
class Failure:
    """That a receiver could not be told: why, since when, how often it was tried, and when it is tried again."""

    problem: str
    since: float
    attempts: int
    again: float
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """All of it. ``waiting`` are notifications by receiver; ``looked`` is when the last look was, 0 where none was."""

    alerts: tuple[Alert, ...] = ()
    waiting: Mapping[str, tuple[Notification, ...]] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    latest: tuple[Notification, ...] = ()
    looked: float = 0.0
    interval_s: float = 0.0
    notebook: bool = True

    def with_told(self, notifications: Iterable[Notification], receivers: Iterable[str]) -> Memory:
        """The same with notifications that wait for each of ``receivers``; those of others are forgotten."""
        new = tuple(notifications)
        names = tuple(receivers)
        waiting = {name: (*self.waiting.get(name, ()), *new) for name in names}
        failures = {name: failure for name, failure in self.failures.items() if name in names}
        for name, queue in waiting.items():
            lost = len(queue) - MOST_WAITING
            if lost > 0 and name in failures:
                failures[name] = replace(failures[name], dropped=failures[name].dropped + lost)
        kept = {name: queue[-MOST_WAITING:] for name, queue in waiting.items() if queue}
        return replace(self, waiting=kept, failures=failures, latest=(*self.latest, *new)[-LATEST:])

    def with_success(self, receiver: str) -> Memory:
        """The same after a receiver was told all that waited for it."""
        waiting = {name: queue for name, queue in self.waiting.items() if name != receiver}
        failures = {name: failure for name, failure in self.failures.items() if name != receiver}
        return replace(self, waiting=waiting, failures=failures)

    def with_failure(self, receiver: str, problem: str, now: float) -> Memory:
        """The same after a receiver could not be told."""
        old = self.failures.get(receiver) or Failure(problem, now, 0, now)
        wait_s = min(FIRST_AGAIN_S * 2 ** min(old.attempts, 20), LAST_AGAIN_S)
        failed = replace(old, problem=problem, attempts=old.attempts + 1, again=now + wait_s)
        return replace(self, failures={**self.failures, receiver: failed})

    def is_fresh(self, now: float, interval_s: float = 0.0) -> bool:
        """Whether the last look was so short a time ago that what was seen then still says something."""
        return now - self.looked <= max(INTERVALS * max(interval_s, self.interval_s), LEAST_S)

    def due(self, now: float) -> tuple[str, ...]:
        """The receivers that something waits for and that are to be tried now."""
        return tuple(name for name in self.waiting if (at := self.failures.get(name)) is None or at.again <= now)

    def to_bytes(self) -> bytes:
        """A JSON text; :meth:`from_bytes` reads it back."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Memory:
        """What a text says.

        Raises:
            ValueError: it is no memory, or one of a newer mlox.

        Example:
            >>> Memory.from_bytes(Memory(looked=5.0).to_bytes()).looked
            5.0
        """
        try:
            value: dict[str, Any] = json.loads(text)
            if value.pop("schema") != SCHEMA:
                raise ValueError("another schema")
            read = {
                "alerts": tuple(Alert(**each) for each in value["alerts"]),
                "waiting": {n: tuple(Notification(**each) for each in q) for n, q in value["waiting"].items()},
                "failures": {name: Failure(**each) for name, each in value["failures"].items()},
                "latest": tuple(Notification(**each) for each in value["latest"]),
            }
            return cls(**{**value, **read})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no memory of a watcher: {error}") from error


def remembered(path: Path) -> Memory:
    """What a file holds; a fresh memory where there is none, or where it is none."""
    try:
        return Memory.from_bytes(path.read_bytes())
    except (OSError, ValueError):
        return Memory()


def changed(before: Iterable[Alert], after: Iterable[Alert]) -> tuple[Alert, ...]:
    """The alerts that have another state than before; those that are gone are ``ok``."""
    old, new = {alert.key: alert for alert in before}, {alert.key: alert for alert in after}
    gone = [replace(alert, state="ok", seen="", well_since=None) for key, alert in old.items() if key not in new]
    turned = [a for key, a in new.items() if key not in old or old[key].state != a.state]
    return (*turned, *gone)
