"""What the engine lists of ours: the units in the labels of containers, which one counts, and what stands beside it.

A unit's own container has one of the names of :class:`Name`; every other container of ours says in ``mlox.role`` what
it is for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import ValidationError

from mlox.backends.docker import naming
from mlox.backends.docker.engine import Engine
from mlox.units import Unit

ROLE = "mlox.role"

HISTORY: Literal["history"] = "history"
PASSAGE: Literal["passage"] = "passage"
ARRIVING: Literal["arriving"] = "arriving"

Role = Literal["job", "helper", "note", "history", "passage", "arriving"]

EMPTY = "image"
"""What the empty image, which leases have too, says in their label."""

PASSING = "mlox.passage"
"""The label of a note that a service is on its way."""


@dataclass(frozen=True, slots=True)
class Name:
    """What the container of a unit is called.

    Example:
        >>> Name("churn-7f3a", "db", "server").stopped
        'mlox-churn-7f3a-db-server.stopped'
    """

    stack: str
    service: str
    unit: str

    @classmethod
    def of(cls, unit: Unit) -> Name:
        """That of a unit."""
        return cls(unit.stack, unit.service, unit.name)

    @property
    def plain(self) -> str:
        """As it runs."""
        return naming.container(self.stack, self.service, self.unit)

    @property
    def stopped(self) -> str:
        """Stopped on request, where the engine would not tell that from an end by itself."""
        return f"{self.plain}.stopped"

    @property
    def new(self) -> str:
        """Made, while the old one runs on."""
        return f"{self.plain}.new"

    @property
    def kept(self) -> str:
        """What ran before a change that is not settled."""
        return f"{self.plain}.kept"

    @property
    def purging(self) -> str:
        """What stands for it while its data is removed."""
        return f"{self.plain}.purging"

    def beside(self, role: str) -> str:
        """One that does something for the unit."""
        return f"{self.plain}.{role}"


@dataclass(frozen=True, slots=True)
class There:
    """A container of ours, as the engine lists it.

    Attributes:
        unit: what is in its label; a sentence where that cannot be read.
        state: the engine's own word; ``status`` is its sentence ("Exited (3) 5 seconds ago").
        volumes: the path on the engine's disk of each volume, by its path inside.
    """

    id: str
    name: str
    labels: naming.Labels
    role: str
    state: str
    status: str
    unit: Unit | str
    image: str
    volumes: Mapping[str, str]
    note: str = ""

    @property
    def named(self) -> Name:
        """The names of its unit's containers."""
        return Name(self.labels.stack, self.labels.service, self.labels.unit)

    @property
    def alive(self) -> bool:
        """Whether it has a process, or is about to have one again."""
        return self.state in ("running", "restarting", "paused")


def listed(engine: Engine, stack: str | None, service: str | None = None, unit: str | None = None) -> list[There]:
    """All containers of ours but leases: of one stack or of all, of a service, of a unit; in one call."""
    chosen = [f"{naming.STACK}={stack}" if stack else naming.STACK]
    chosen += [f"{naming.SERVICE}={service}"] if service else []
    chosen += [f"{naming.UNIT}={unit}"] if unit else []
    with engine.asked("list containers") as api:
        found = api.containers(all=True, filters={"label": chosen})
    return [there for each in found if (there := _there(each)) is not None]


def current(containers: Iterable[There]) -> dict[tuple[str, str, str], There]:
    """The one container that counts of each unit, in order: as it runs, stopped, renamed by somebody, or just made."""
    best: dict[tuple[str, str, str], tuple[int, There]] = {}
    for there in containers:
        name = there.named
        if there.role or there.name == name.kept:
            continue
        rank = {name.plain: 0, name.stopped: 1, name.new: 3}.get(there.name, 2)
        key = (name.stack, name.service, name.unit)
        if key not in best or rank < best[key][0]:
            best[key] = (rank, there)
    return {key: best[key][1] for key in sorted(best)}


def one(engine: Engine, name: Name) -> There | None:
    """The container that counts of one unit."""
    found = current(listed(engine, name.stack, name.service, name.unit))
    return next(iter(found.values()), None)


def are_of(carried: Mapping[str, str] | None, name: Name) -> bool:
    """Whether labels are those of a unit's own container."""
    there, own = carried or {}, naming.Labels.of(carried)
    if own is None or ROLE in there or naming.LEASE in there:
        return False
    return (own.stack, own.service, own.unit) == (name.stack, name.service, name.unit)


def labels_of(unit: Unit) -> dict[str, str]:
    """What the container of a unit carries."""
    own = naming.Labels(unit.stack, unit.service, unit.name, unit.digest)
    return {**own.to_engine(), naming.SPEC: json.dumps(unit.to_json(), separators=(",", ":"))}


def beside(name: Name, role: Role) -> dict[str, str]:
    """What a container carries that does something for a unit, or for all of a service where that is not named."""
    return {**naming.Labels(name.stack, name.service, name.unit).to_engine(), ROLE: role}


def fits(there: Unit, unit: Unit) -> bool:
    """Whether what was started then is what is asked for now: same ports, and, where there is one, the same intent."""
    return (there.intent == unit.intent if unit.intent else there == unit) and there.ports == unit.ports


def unknown(there: There, server: str) -> Unit:
    """What stands for a unit whose label cannot be read."""
    own = there.labels
    return Unit(own.stack, own.service, own.unit, own.service, "", server, "docker", ())


def _there(found: Mapping[str, Any]) -> There | None:
    labels = found["Labels"] or {}
    own = naming.Labels.of(labels)
    if own is None or labels.get(naming.LEASE, EMPTY) != EMPTY:
        return None
    mounts = found.get("Mounts") or ()
    return There(
        id=str(found["Id"]),
        name=str((found["Names"] or ["/"])[0]).lstrip("/"),
        labels=own,
        role=labels.get(ROLE, ""),
        state=str(found["State"]),
        status=str(found["Status"]),
        unit=_read(labels.get(naming.SPEC, ""), own),
        image=str(found["ImageID"]),
        volumes={str(m["Destination"]): str(m.get("Source") or "") for m in mounts if m["Type"] == "volume"},
        note=labels.get(KEPT) or labels.get(PASSING) or "",
    )


KEPT = "mlox.kept"
"""The label of a note of what is kept of a service."""


@lru_cache(1024)
def _read(text: str, own: naming.Labels) -> Unit | str:
    if not text:
        return f"its label {naming.SPEC} is gone"
    try:
        unit = Unit.from_json(json.loads(text))
    except (ValueError, TypeError, ValidationError) as error:
        return f"its label {naming.SPEC} cannot be read: {str(error).splitlines()[0]}"
    if (unit.stack, unit.service, unit.name) != (own.stack, own.service, own.unit):
        return f"its label {naming.SPEC} is about another unit"
    return unit
