"""What a closer look at a unit shows: how it ended, whether its image and its volumes are there, who has its ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mlox.backends.docker import containers, labels, observing, ports, rooms
from mlox.backends.docker.labels import Name, There
from mlox.backends.docker.site import Site
from mlox.protocols import Ending, Findings
from mlox.units import Unit

Missing = tuple[Literal["environment", "program", "data"], str]


def examine(site: Site, unit: Unit) -> Findings:
    """Look closely; see :meth:`mlox.protocols.Backend.examine`."""
    there = labels.one(site.engine, Name.of(unit))
    return Findings(
        endings=endings(site, there) if there is not None else (),
        missing=tuple(_missing(site, unit)) if there is not None else (),
        holders={port.name: who for port, who in ports.holders(site.engine, unit, unit.ports)},
    )


def endings(site: Site, there: There) -> tuple[Ending, ...]:
    """How its process ended each time: as far back as the engine remembers, else the last time."""
    details = containers.inspect(site.engine, there.id)
    if details is None or there.state == "created":
        return ()
    remembered = _remembered(site, there.id)
    if there.alive and not details["RestartCount"]:
        return ()
    state = details["State"]
    at = observing.seconds(state["FinishedAt"])
    unit = there.unit if isinstance(there.unit, Unit) else None
    asked = not there.alive and (there.name == there.named.stopped or unit is None or _persists(unit))
    last = Ending(observing.ended(state), at, asked)
    if there.state == "running":  # the engine forgets the code of an end as soon as it starts the next one
        return remembered or (Ending("an end that the engine has forgotten", at),)
    return (*remembered[:-1], last)


def _persists(unit: Unit) -> bool:
    return unit.restart in ("always", "unless-stopped")


def _remembered(site: Site, container: str) -> tuple[Ending, ...]:
    """The ends that are among the engine's last events."""
    with site.engine.asked("ask for the engine's last events") as api:
        wanted = {"container": container, "event": "die"}
        found = list(api.events(since=0, until=_now(site), filters=wanted, decode=True))
    return tuple(
        Ending(observing.how(int(each["Actor"]["Attributes"].get("exitCode", 0))), each["timeNano"] / 1e9)
        for each in found
    )


def _now(site: Site) -> int:
    """The engine's own clock: without an end, the engine would go on to tell."""
    with site.engine.asked("ask for the engine's time") as api:
        return int(observing.seconds(str(api.info()["SystemTime"])) or 0)


def _missing(site: Site, unit: Unit) -> Iterator[Missing]:
    for pin in unit.software.pins:
        if not site.images.is_there(pin):
            yield "environment", unit.software.image or pin
    for name in rooms.ours(unit)[1:]:
        if rooms.look(site.engine, name) is None:
            yield "data", name
