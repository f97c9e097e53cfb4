"""When alerts begin and end: rules against what is seen, over time. Pure; see docs/decisions/023-alerts.md."""

from mlox.alerts.evaluating import Evaluated, evaluate, verdict
from mlox.alerts.memory import Failure, Memory, changed, memory_file, remembered
from mlox.alerts.records import Alert, Notification, Sight
from mlox.alerts.standing import Alerts, Watcher, about, alert_line, record

__all__ = [
    "Alert",
    "Alerts",
    "Evaluated",
    "Failure",
    "Memory",
    "Notification",
    "Sight",
    "Watcher",
    "about",
    "alert_line",
    "changed",
    "evaluate",
    "memory_file",
    "record",
    "remembered",
    "verdict",
]
