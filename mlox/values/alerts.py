"""What one look of a watcher came to, as a value."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mlox.alerts import Alert, Failure, Notification, about, record
from mlox.values import Value, columns


@dataclass(frozen=True, slots=True, repr=False)
class Watched(Value):
    """What one look came to: how every alert stands, what began and ended, and who could not be told.

    ``turned`` are the alerts that have another state than before; ``problem`` is why nothing could be seen at all.
    """

    at: float
    alerts: tuple[Alert, ...] = ()
    turned: tuple[Alert, ...] = ()
    notifications: tuple[Notification, ...] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)
    rules: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()

    def text(self, *, detail: bool = False) -> str:
        """A line for each alert that is not ``ok``."""
        rows = [_cells(alert, detail) for alert in self.alerts]
        quiet = f"all is well: {self.rules} rule{'' if self.rules == 1 else 's'}"
        failing = [f"{name} cannot be told of alerts: {failure.problem}" for name, failure in self.failures.items()]
        first = [self.problem] if self.problem else columns(rows) or [quiet]
        return "\n".join([*first, *failing, *self.notes])

    def to_json(self) -> dict[str, Any]:
        """The object of ``watch --once --json``, and of each line of ``watch --json``."""
        return {
            "at": self.at,
            "alerts": [record(alert) for alert in self.alerts],
            "notifications": [asdict(each) for each in self.notifications],
            "failing": {name: failure.problem for name, failure in self.failures.items()},
            "problem": self.problem,
        }

    def lines_of_log(self, failing: Mapping[str, Failure]) -> tuple[str, ...]:
        """What changed, a line each with its time; ``failing`` are the receivers that failed before."""
        lines = [f"{alert.state}: {about(alert, detail=True)}" for alert in self.turned]
        lines += [f"{n} cannot be told: {f.problem}" for n, f in self.failures.items() if n not in failing]
        lines += [f"{name} was told what had waited" for name in failing if name not in self.failures]
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at))
        return tuple(f"{when} {line}" for line in [*([self.problem] if self.problem else []), *lines])


def _cells(alert: Alert, detail: bool) -> tuple[str, ...]:
    cells = (alert.rule, alert.subject, alert.state)
    return (*cells, time.strftime("%H:%M:%S", time.localtime(alert.since)), alert.seen) if detail else cells
