"""How a service of an engine hands its data over and takes it in, and what the stack notes meanwhile.

The note is in the label of a container that never runs. While data comes in, a container of the role ``arriving`` has
its volumes mounted: where it is left over, they are not complete.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from mlox.backends.docker import blank, bodies, containers, entries, files, labels, naming, rooms, volumes
from mlox.backends.docker.labels import ARRIVING, PASSAGE, PASSING, Name, There
from mlox.backends.docker.measuring import volume_sizes
from mlox.backends.docker.naming import Labels
from mlox.backends.docker.site import Site
from mlox.errors import CommandError, ServiceError
from mlox.protocols import Passage, silent
from mlox.units import Unit

PATIENCE_S = 20.0
"""How long an engine may take to let go of volumes after a stream into them was cut off."""


def note(site: Site, stack: str, passage: Passage) -> None:
    """Note that a service is on its way; see :meth:`mlox.protocols.Carrying.note_passage`."""
    name = Name(stack, passage.service, "")
    told = {**labels.beside(name, PASSAGE), PASSING: json.dumps(asdict(passage), separators=(",", ":"))}
    blank.put(site, _name(name), told, doing=f"note that {passage.service} is on its way")


def noted(site: Site, stack: str) -> tuple[Passage, ...]:
    """What is noted; what cannot be read is not."""
    found: dict[str, Passage] = {}
    notes = [each for each in labels.listed(site.engine, stack) if each.role == PASSAGE]
    for each in sorted(notes, key=lambda each: each.name, reverse=True):  # the one that is to come counts least
        with contextlib.suppress(ValueError, KeyError, TypeError):
            value = json.loads(each.note)
            found[each.labels.service] = Passage(
                str(value["service"]), value["role"], str(value["other"]), tuple(map(str, value["stopped"]))
            )
    return tuple(found[service] for service in sorted(found))


def forget(site: Site, stack: str, service: str) -> None:
    """Forget what is noted of a service."""
    for each in labels.listed(site.engine, stack, service):
        if each.role == PASSAGE:
            containers.remove(site.engine, each.id)


def data_size(site: Site, units: Sequence[Unit]) -> int:
    """How many bytes the data of a service takes, as the engine counts."""
    wanted = set(_volumes(units).values())
    sizes = volume_sizes(site.engine)
    return sum(sizes.get(name, 0) for name in wanted)


def data_out(site: Site, units: Sequence[Unit]) -> Iterator[bytes]:
    """The data of a service that does not run; see :meth:`mlox.protocols.Carrying.data_out`."""
    stack, service = units[0].stack, units[0].service
    _stopped(site, stack, service)
    found = {name: volume for name, volume in _volumes(units).items() if rooms.look(site.engine, volume) is not None}
    yield from volumes.send_out(site, Name(stack, service, "data"), found)


def data_in(site: Site, units: Sequence[Unit], chunks: Iterable[bytes], done: Collection[str]) -> None:
    """Put data where the units find it; see :meth:`mlox.protocols.Carrying.data_in`."""
    stack, service = units[0].stack, units[0].service
    targets = _volumes(units)
    for unit in units:
        rooms.check(site, unit)
    _check_empty(site, service, targets)
    from mlox.backends.docker import starting

    pin, image = starting.image_of(site, units[0], silent)
    for unit in units:
        rooms.make(site, unit, network=False)
    name = Name(stack, service, "data")
    body = bodies.helper(pin, name, volumes.mounted(targets))
    body["Labels"] = labels.beside(name, ARRIVING)
    doing = f"take in the data of {service}"
    container = containers.create(site.engine, name.beside(ARRIVING), body, doing=doing)
    try:
        user = str((image.get("Config") or {}).get("User") or "")
        owners = _owners(site, container, str(image["Id"]), units, user)
        volumes.bring_in(site, container, owners, chunks)
    except BaseException:
        _undo(site, container, targets.values(), Labels(stack, service))
        raise
    for unit in units:
        _remember(site, unit, done)
    containers.remove(site.engine, container)


def data_gone(site: Site, units: Sequence[Unit]) -> None:
    """Remove the data of a service that does not run; see :meth:`mlox.protocols.Carrying.data_gone`.

    Its containers go too, since an engine keeps a volume that one of them has; they are made again at the next start.
    """
    stack, service = units[0].stack, units[0].service
    for each in _stopped(site, stack, service):
        containers.remove(site.engine, each.id)
    settings = [naming.settings(stack, service, unit.name) for unit in units]
    ours = [name for unit in units for name in rooms.ours(unit)]
    rooms.remove_volumes(site.engine, dict.fromkeys((*ours, *settings)), Labels(stack, service))


def clear(site: Site, stack: str) -> None:
    """Remove what a killed process was just taking in."""
    for each in labels.listed(site.engine, stack):
        if each.role == ARRIVING:
            details = containers.inspect(site.engine, each.id)
            mounts = details["Mounts"] if details is not None else ()
            names = [str(mount["Name"]) for mount in mounts if mount["Type"] == "volume"]
            _undo(site, each.id, names, Labels(stack, each.labels.service))


def _stopped(site: Site, stack: str, service: str) -> list[There]:
    """The containers of a service, none of which runs."""
    found = list(labels.current(labels.listed(site.engine, stack, service)).values())
    if any(each.alive for each in found):
        raise ServiceError(f"{service} runs, and its data changes", hint=f"Stop it: mlox down {service}.")
    return found


def _volumes(units: Sequence[Unit]) -> dict[str, str]:
    """The volumes of a service by the names of their folders, one that its units share once."""
    return {each.name: bodies.volume_name(unit, each) for unit in units for each in bodies.volumes(unit)}


def _check_empty(site: Site, service: str, targets: Mapping[str, str]) -> None:
    there = {name: each for name, each in targets.items() if rooms.look(site.engine, each) is not None}
    if not there:
        return
    made = blank.body(site, {}, volumes.mounted(there, read_only=True))
    container = containers.create(site.engine, "", made, doing=f"look at the data of {service}")
    try:
        for name, volume in there.items():
            if not entries.is_empty(site.engine, container, f"/{volumes.PLACE}/{name}"):
                raise ServiceError(
                    f"there is data of {service} already: the volume {volume}",
                    hint="Remove that, or use another name.",
                )
    finally:
        containers.remove(site.engine, container)


def _owners(
    site: Site, container: str, image: str, units: Sequence[Unit], default: str
) -> dict[str, tuple[int, int] | None]:
    """To whom each folder belongs: to the user of the first unit that has it."""
    found: dict[str, tuple[int, int] | None] = {}
    for unit in units:
        user = (unit.container.user if unit.container is not None else "") or default
        for each in bodies.volumes(unit):
            found.setdefault(each.name, files.owner(site, container, image, user))
    return found


def _remember(site: Site, unit: Unit, done: Collection[str]) -> None:
    """Note the jobs that were done where the data comes from."""
    names = tuple(job.name for job in unit.jobs if job.when == "init" and job.name in done)
    if not names:
        return
    own = naming.settings(unit.stack, unit.service, unit.name)
    name = Name.of(unit)
    made = blank.body(site, labels.beside(name, "helper"), [bodies.mount(own, files.PLACE, copy=False)])
    container = containers.create(site.engine, name.beside("jobs"), made, doing="note jobs as done")
    try:
        files.remember(site, container, names)
    finally:
        containers.remove(site.engine, container)


def _undo(site: Site, container: str, names: Iterable[str], wanted: Labels) -> None:
    """Remove volumes that are not complete; an engine lets go of them only when its side of the stream has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        containers.remove(site.engine, container)
        try:
            rooms.remove_volumes(site.engine, names, wanted)
        except CommandError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _name(name: Name) -> str:
    return f"{naming.network(name.stack)}-{name.service}.{PASSAGE}"
