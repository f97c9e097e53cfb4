"""How the alerts of a stack stand for whoever asks, and whether somebody watches. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlox.alerts.memory import Failure
from mlox.alerts.records import Alert

Watcher = Literal["running", "silent", "failed", "stopped", "none"]
"""Whether somebody watches on this machine.

``silent``: it runs, but has not looked for too long; ``stopped``: it stopped with the last service, and starts with it.
"""

START = "{mlox} watch --detach"


@dataclass(frozen=True, slots=True)
class Alerts:
    """How the alerts of a stack stand, as the watcher of this machine saw them last.

    Attributes:
        rules: how many are written. ``looked``: when it looked last, seconds since the epoch; None where it never did.
        alerts: those that are not ``ok``; empty where nobody watches, since what was seen once is no news.
        failures: the receivers that could not be told, and why.
        note: what is known of a watcher that does not run.
    """

    rules: int = 0
    watcher: Watcher = "none"
    looked: float | None = None
    alerts: tuple[Alert, ...] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)
    note: str = ""

    def lines(self, *, detail: bool = False) -> tuple[str, ...]:
        """What a reader of ``status`` should know; nothing where there are neither rules nor a watcher."""
        told = [alert_line(alert, detail) for alert in self.alerts if alert.state == "firing"]
        for receiver, failure in self.failures.items():
            told.append(f"{receiver} cannot be told of alerts{f': {failure.problem}' if detail else ''}")
        if self.watcher == "none" and self.rules:
            told.append(f"alerts are written, but no watcher runs on this machine: {START}")
        elif self.watcher == "stopped":
            told.append("the watcher of alerts stopped with the services; it starts with the next {mlox} up")
        elif self.watcher == "failed":
            told.append(f"the watcher of alerts does not run{f' ({self.note})' if self.note else ''}: {START}")
        elif self.watcher == "silent":
            told.append("the watcher of alerts has not looked for a while: see {mlox} watch --off, then " + START)
        elif self.watcher == "running" and not any(alert.state == "firing" for alert in self.alerts):
            told.append("alerts: none fires" if self.rules else "a watcher runs, but no alerts are written")
        return tuple(told)

    def to_json(self) -> dict[str, Any]:
        """The object below ``alerts`` of ``status --json``."""
        return {
            "rules": self.rules,
            "watcher": self.watcher,
            "looked": self.looked,
            "alerts": [record(alert) for alert in self.alerts],
            "failing": {name: failure.problem for name, failure in self.failures.items()},
        }


def alert_line(alert: Alert, detail: bool) -> str:
    """One line for a reader; without detail the same on every run.

    Example:
        >>> alert_line(Alert("slow", "mlflow", "firing", 0.0, "900 ms"), detail=False)
        'firing: slow (mlflow)'
    """
    since = time.strftime(", since %H:%M:%S", time.localtime(alert.since)) if detail else ""
    return f"{alert.state}: {about(alert, detail)}{since}"


def about(alert: Alert, detail: bool) -> str:
    """Which alert it is, and in detail what was seen."""
    return f"{alert.rule} ({alert.subject}){f': {alert.seen}' if detail and alert.seen else ''}"


def record(alert: Alert) -> dict[str, Any]:
    """An alert in JSON."""
    return {
        "rule": alert.rule,
        "subject": alert.subject,
        "state": alert.state,
        "since": alert.since,
        "seen": alert.seen,
    }
