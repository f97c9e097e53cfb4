"""What services wrote, as values: lines that there are, and lines that are still being written."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from mlox.values import Value


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of one unit, secrets masked. ``at`` is seconds since the epoch, None where nobody knows.

    ``unit`` is empty for what mlox itself says, as that a server does not answer.
    """

    service: str
    unit: str
    text: str
    at: float | None = None

    @property
    def label(self) -> str:
        """The service's name, and the unit's where it is not the usual one."""
        return self.service if self.unit in ("", "server") else f"{self.service}.{self.unit}"

    def to_json(self) -> dict[str, Any]:
        """A record of ``logs --follow --json``; ``time`` is ISO 8601 in UTC."""
        time = datetime.fromtimestamp(self.at, UTC).isoformat() if self.at is not None else None
        return {"service": self.service, "unit": self.unit or None, "time": time, "line": self.text}


def prefix(line: LogLine, width: int) -> str:
    """What stands before a line where several services are shown: whose it is.

    Example:
        >>> prefix(LogLine("db", "server", "ready"), 5)
        'db    | '
    """
    return f"{line.label.ljust(width)} | "


def width_of(labels: Sequence[str]) -> int:
    """How wide the names before lines are; 0 where only one writes, and none is needed."""
    known = set(labels)
    return max(map(len, known)) if len(known) > 1 else 0


@dataclass(frozen=True, slots=True, repr=False)
class Logs(Value):
    """The last lines of services. ``labels`` are all that may write, also who did not; ``notes`` are ours."""

    services: tuple[str, ...]
    labels: tuple[str, ...]
    lines: tuple[LogLine, ...]
    notes: tuple[str, ...] = ()
    verbatim = True

    def text(self, *, detail: bool = False) -> str:
        """The lines; those of several services behind their names."""
        width = width_of(self.labels)
        told = [f"{prefix(line, width) if width else ''}{line.text}" for line in self.lines]
        return "\n".join([*told, *self.notes])

    def to_json(self) -> dict[str, Any]:
        """``logs``, the texts by the service."""
        found: dict[str, list[str]] = {name: [] for name in self.services}
        for line in self.lines:
            found[line.service].append(line.text)
        return {"logs": found}


class Line(Protocol):
    """A line of a stream: what a reader sees of it, and its object with ``--json``."""

    @property
    def text(self) -> str:
        """Empty where there is nothing for a reader."""

    def to_json(self) -> dict[str, Any]:
        """Its object, on a line of its own."""


class Stream(Value):
    """Lines that are still being written; iterate over ``lines``, and close it in the end.

    ``asked`` is what a user wrote to have it, and ``instead`` is what helps where nobody can end it.
    """

    def __init__(
        self,
        lines: Generator[Line],
        labels: Sequence[str] = (),
        *,
        asked: str = "--follow",
        instead: str = "Leave --follow out.",
    ) -> None:
        self.lines = lines
        self.labels = tuple(labels)
        self.asked = asked
        self.instead = instead

    def text(self, *, detail: bool = False) -> str:
        """Nothing: the lines are read one by one."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """Nothing: the lines are read one by one."""
        return {}
