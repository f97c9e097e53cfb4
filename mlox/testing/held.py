"""One unit of the back end in memory, and how it looks from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mlox.protocols import Deviation, Ending, Line, Observed, State
from mlox.units import Unit


@dataclass
class Held:
    """One unit of the fake: what was asked for, how it does, what it wrote."""

    unit: Unit
    state: State = "running"
    pid: int = 0
    since: float = 0.0
    restarts: int = 0
    cpu_s: float = 0.0
    counted: float = 0.0
    note: str = ""
    jobs: set[str] = field(default_factory=set)
    endings: list[Ending] = field(default_factory=list)
    log: list[Line] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)


def fits(there: Unit, unit: Unit) -> bool:
    """Whether what was started then is what is asked for now."""
    return (there.intent == unit.intent if unit.intent else there == unit) and there.ports == unit.ports


def busy(held: Iterable[Held], *, besides: Unit) -> set[tuple[str, int]]:
    """The addresses and ports that others than ``besides`` listen on."""
    others = (each for each in held if each.state == "running" and each.unit.key != besides.key)
    return {(port.address, port.number) for each in others for port in each.unit.ports}


def seen(home: str, held: Held, previous: Unit | None) -> Observed:
    """The unit as ``observe`` tells it."""
    unit = held.unit
    runs = held.state == "running"
    return Observed(
        stack=unit.stack,
        service=unit.service,
        name=unit.name,
        digest=unit.digest,
        unit=unit,
        state=held.state,
        pid=held.pid if runs else None,
        since=held.since if runs else None,
        restarts=held.restarts,
        memory_bytes=(1 << 20) if runs else None,
        disk_bytes=0 if unit.directories else None,
        data_path=f"{home}/{unit.stack}/services/{unit.service}",
        note=held.note,
        previous=previous,
    )
