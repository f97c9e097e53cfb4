"""How a unit's container is stopped and, when its data is to go, removed with every trace."""

from __future__ import annotations

from mlox.backends.docker import blank, containers, labels, naming, rooms
from mlox.backends.docker.labels import Name, There
from mlox.backends.docker.naming import Labels
from mlox.backends.docker.site import Site
from mlox.protocols import Emit, Event
from mlox.units import Unit

GRACE_S = 10.0


def stop(site: Site, name: Name, *, purge: bool, emit: Emit) -> None:
    """Stop a unit and, with ``purge``, remove it; see :meth:`mlox.protocols.Backend.stop`."""
    there = labels.one(site.engine, name)
    if there is not None:
        halt(site, there)
    if purge:
        _purge(site, name, there, emit)


def halt(site: Site, there: There) -> None:
    """End a container's processes; it stays, and shows that it was asked to end."""
    unit = there.unit if isinstance(there.unit, Unit) else None
    if not there.alive:
        return
    if unit is not None and unit.restart not in ("always", "unless-stopped"):
        own = Labels(there.labels.stack, there.labels.service, there.labels.unit)
        containers.rename(site.engine, there.id, there.named.stopped, own)
    containers.halt(site.engine, there, unit.stop_grace_s if unit else GRACE_S)


def go_on(site: Site, there: There) -> None:
    """Give a container that runs its name again, where whoever was about to stop it was killed."""
    if there.alive and there.name == there.named.stopped:
        own = Labels(there.labels.stack, there.labels.service, there.labels.unit)
        containers.rename(site.engine, there.id, there.named.plain, own)


def _purge(site: Site, name: Name, there: There | None, emit: Emit) -> None:
    found = labels.listed(site.engine, name.stack, name.service)
    own = [each for each in found if each.labels.unit == name.unit]
    others = [each for each in labels.current(found).values() if each.labels.unit != name.unit]
    volumes = {*rooms.volumes_of(site.engine, Labels(name.stack, name.service, name.unit))}
    if not others:
        own = found
        volumes |= {*rooms.volumes_of(site.engine, Labels(name.stack, name.service))}
    elif there is not None and isinstance(there.unit, Unit):
        shared = {v for each in others if isinstance(each.unit, Unit) for v in rooms.ours(each.unit)}
        volumes |= {*rooms.ours(there.unit)} - shared
    if own or volumes:
        emit(Event(name.service, f"removing the data of {name.service}.{name.unit}"))
    standing = _stand_in(site, name, there) if there is not None and volumes else None
    for each in own:
        if each.id != standing:
            containers.remove(site.engine, each.id)
    first = naming.settings(name.stack, name.service, name.unit)  # it says which jobs were done on the data
    by_turn = sorted(volumes, key=lambda volume: (volume != first, volume))
    rooms.remove_volumes(site.engine, by_turn, Labels(name.stack, name.service))
    left = [each for each in labels.listed(site.engine, name.stack) if each.id != standing]
    if all(each.role in (labels.HISTORY, labels.PASSAGE) for each in left):
        rooms.remove_network(site.engine, name.stack)
    if standing is not None:
        containers.remove(site.engine, standing)


def _stand_in(site: Site, name: Name, there: There) -> str:
    """An empty container that stands for the unit until its data is gone: a volume goes only after its container."""
    if there.name == name.purging:
        return there.id
    told = labels.labels_of(there.unit) if isinstance(there.unit, Unit) else there.labels.to_engine()
    doing = f"remove the data of {name.service}"
    return containers.create(site.engine, name.purging, blank.body(site, told), doing=doing)
