"""The records of alerts: what was seen of a service, how an alert stands, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Stands = Literal["up", "down", "unanswered"]
"""Whether a service should run, was asked not to, or nobody answers for it."""

State = Literal["ok", "pending", "firing", "unknown"]
"""Prometheus' words, ``ok`` for its ``inactive``; ``unknown`` where what the rule asks could not be seen."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look saw of a service, of a server, or of the place for backups.

    Attributes:
        subject: the service's name; of what only answers or not, what it is called: ``server docker``.
        service: whether it is a service; rules about services ask nothing else.
        healthy: None while a service comes up that somebody has started. ``why``: a sentence, where not all is well.
        numbers: by the measure of a condition, in its units; None, or not there, where it could not be measured.
    """

    subject: str
    stands: Stands = "up"
    healthy: bool | None = True
    why: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    service: bool = True


@dataclass(frozen=True, slots=True)
class Alert:
    """How one rule stands for one subject. Times are seconds since the epoch.

    ``since``: when this state began. ``seen``: what the last look saw. ``well_since``: of one that fires, since when
    its condition does not hold any more.
    """

    rule: str
    subject: str
    state: State
    since: float
    seen: str = ""
    well_since: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The rule and the subject: there is one alert of these."""
        return self.rule, self.subject


@dataclass(frozen=True, slots=True)
class Notification:
    """That an alert fires, or that it is resolved. Its ``id`` is the same however often it is sent."""

    id: str
    status: Literal["firing", "resolved"]
    stack: str
    rule: str
    subject: str
    when: str
    began: float
    ended: float | None
    seen: str = ""

    @property
    def sentence(self) -> str:
        """One line for a reader.

        Example:
            >>> note = Notification("1", "firing", "demo", "slow", "mlflow", "probe > 500ms", 0.0, None, "900 ms")
            >>> note.sentence
            'FIRING slow: mlflow (probe > 500ms): 900 ms'
        """
        seen = f": {self.seen}" if self.seen else ""
        return f"{self.status.upper()} {self.rule}: {self.subject} ({self.when}){seen}"
