"""How notifications read: as lines for people, and as the JSON object that Alertmanager's receivers know.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mlox.alerts.records import Notification

VERSION = "4"
"""Of Alertmanager's data format."""

NEVER = "0001-01-01T00:00:00Z"
"""How that format writes the end of what goes on."""


def headline(notifications: Sequence[Notification]) -> str:
    """One line for all of them.

    Example:
        >>> note = Notification("1", "firing", "demo-1a2b", "slow", "mlflow", "probe > 500ms", 0.0, None, "900 ms")
        >>> headline([note]), headline([note, note])
        ('demo-1a2b: FIRING slow: mlflow (probe > 500ms): 900 ms', 'demo-1a2b: 2 firing')
    """
    stack = notifications[0].stack
    if len(notifications) == 1:
        return f"{stack}: {notifications[0].sentence}"
    counts = {status: sum(each.status == status for each in notifications) for status in ("firing", "resolved")}
    return f"{stack}: {', '.join(f'{count} {status}' for status, count in counts.items() if count)}"


def lines(notifications: Sequence[Notification]) -> list[str]:
    """A line each, with its time."""
    return [f"{_time(each.ended or each.began)} {each.sentence}" for each in notifications]


def as_json(notifications: Sequence[Notification]) -> dict[str, Any]:
    """The object that a webhook gets: ``text`` for Slack and its like, the rest as Alertmanager sends it."""
    firing = any(each.status == "firing" for each in notifications)
    text = headline(notifications)
    if len(notifications) > 1:
        text = "\n".join([text, *(each.sentence for each in notifications)])
    return {
        "text": text,
        "version": VERSION,
        "receiver": "webhook",
        "status": "firing" if firing else "resolved",
        "groupLabels": {"stack": notifications[0].stack},
        "alerts": [_alert(each) for each in notifications],
    }


def _alert(each: Notification) -> dict[str, Any]:
    return {
        "status": each.status,
        "labels": {"alertname": each.rule, "service": each.subject, "stack": each.stack},
        "annotations": {"summary": each.sentence, "condition": each.when, "seen": each.seen},
        "startsAt": _time(each.began),
        "endsAt": NEVER if each.ended is None else _time(each.ended),
        "fingerprint": each.id,
    }


def _time(seconds: float) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
