"""What services use right now: CPU, memory, disk, restarts, and how long their probes take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mlox.values import StatusWord, Value, columns

HEADING = ("name", "state", "cpu", "memory", "disk", "restarts", "probe", "note")
PARTLY, NOTHING = 3, 1


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """What one service uses, all of its units together; what nobody can tell is None.

    Attributes:
        service: its name in the stack.
        state: as in ``status``; ``unreachable`` where its server does not answer.
        healthy: what its probes say; None where nothing was asked.
        cpu_percent: 100 is one whole core, so a service can have more.
        disk_bytes: what its data takes.
        restarts: how often its units were started again by themselves since they were started.
        probe_ms: how long its probes took, in milliseconds; the longest, where several units have one.
        note: one sentence for a person, such as why its server does not answer.
    """

    service: str
    state: StatusWord
    healthy: bool | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    restarts: int = 0
    probe_ms: float | None = None
    note: str = ""

    def cells(self, detail: bool) -> tuple[str, ...]:
        """The cells of a table's row, in the order of ``HEADING``; without detail what is the same on every run."""
        if not detail:
            return (self.service, self.state)
        return (
            self.service,
            self.state,
            f"{self.cpu_percent:.1f} %" if self.cpu_percent is not None else "",
            size(self.memory_bytes),
            size(self.disk_bytes),
            str(self.restarts),
            f"{self.probe_ms:.1f} ms" if self.probe_ms is not None else "",
            self.note,
        )

    def to_json(self) -> dict[str, Any]:
        """A record of ``stats --json``; the service's name is under ``name``, as in ``status``."""
        values = asdict(self)
        return {"name": values.pop("service"), **values}


@dataclass(frozen=True, slots=True, repr=False)
class Stats(Value):
    """What the services of a stack use, a row each.

    Example:
        >>> print(Stats((ServiceStats("db", "running", True, 12.34, 50_000_000, 4096, 0, 1.5),)).text(detail=True))
        name  state    cpu     memory  disk  restarts  probe   note
        db    running  12.3 %  50 MB   4 kB  0         1.5 ms
    """

    services: tuple[ServiceStats, ...]

    def text(self, *, detail: bool = False) -> str:
        """A row for each service; in detail below a heading."""
        if not self.services:
            return "no services yet: {mlox} up mlflow"
        rows = [row.cells(detail) for row in self.services]
        return "\n".join(columns([HEADING, *rows] if detail else rows))

    def to_json(self) -> dict[str, Any]:
        """``services``, a record each."""
        return {"services": [row.to_json() for row in self.services]}

    @property
    def exit_code(self) -> int:
        """3 where a server does not answer, 1 where none does."""
        away = [row.state == "unreachable" for row in self.services]
        return NOTHING if away and all(away) else PARTLY if any(away) else 0


def size(size_bytes: int | None) -> str:
    """An amount for a reader, in powers of ten; empty for none.

    Example:
        >>> size(1_500_000_000), size(50_000_000), size(4096), size(None)
        ('1.50 GB', '50 MB', '4 kB', '')
    """
    if size_bytes is None:
        return ""
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.2f} GB"
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"
