"""How a container of a unit comes to run: it is made while the old one runs, then they are swapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlox.backends.docker import (
    bodies,
    building,
    containers,
    entries,
    files,
    jobs,
    keeping,
    labels,
    ports,
    probing,
    rooms,
)
from mlox.backends.docker.bodies import Frame
from mlox.backends.docker.files import Environment
from mlox.backends.docker.labels import Name, There
from mlox.backends.docker.naming import Labels
from mlox.backends.docker.site import Site
from mlox.errors import RequirementError
from mlox.protocols import Emit, Event
from mlox.secret import Secret
from mlox.units import Unit, launch

GRACE_S = 10.0


def start(site: Site, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
    """Make the unit run as described; see :meth:`mlox.protocols.Backend.start`."""
    name = Name.of(unit)
    launched = launch(unit, secrets)
    there = labels.one(site.engine, name)
    if there is not None and isinstance(there.unit, Unit) and labels.fits(there.unit, unit) and _runs(site, there):
        return
    rooms.check(site, unit)
    ports.check(site.engine, unit)
    pin, image = image_of(site, unit, emit)
    frame = Frame(unit, launched, Environment.of(unit, launched), image, pin, scripted=False)
    frame = replace(frame, scripted=frame.environment.by_script)
    rooms.make(site, unit, network=not frame.wishes.network_mode)
    if there is not None and there.unit == unit and not there.alive and there.image == image["Id"]:
        details = containers.inspect(site.engine, there.id)
        frame = replace(frame, scripted=details is not None and probing.is_scripted(details))
        made = there.id
    else:
        frame, made = _made(site, frame, emit)
        if there is not None:
            _make_way(site, there)
    wanted = Labels(unit.stack, unit.service, unit.name)
    containers.rename(site.engine, made, name.plain, wanted)
    _furnish(site, frame, made)
    jobs.before_start(site, frame, made, secrets, emit)
    containers.start(site.engine, made, f"start {unit.service}")


def prepare(site: Site, unit: Unit, emit: Emit) -> None:
    """Do what can be done while an older one runs; see :meth:`mlox.protocols.Backend.prepare`."""
    rooms.check(site, unit)
    ports.check(site.engine, unit)
    image_of(site, unit, emit)


def _runs(site: Site, there: There) -> bool:
    if there.state == "paused":
        with site.engine.asked(f"go on with {there.labels.service}") as api:
            api.unpause(there.id)
    return there.alive


def image_of(site: Site, unit: Unit, emit: Emit) -> tuple[str, Mapping[str, Any]]:
    """The pin of a unit's image and what the engine says of it; it is brought where it is not here.

    Raises:
        RequirementError: it is not to be had.
    """
    software = unit.software if unit.software.pins else building.pin(site, unit.software, emit, service=unit.service)
    if not software.pins:
        raise RequirementError(f"{unit.service} has no image to run", hint="Put it on another server.")
    pin = software.pins[0]
    settings = unit.container.settings if unit.container is not None else {}
    platform = settings.get("platform") or ""
    if unit.software.build and not site.images.is_there(pin):
        pin = building.pin(site, replace(unit.software, pins=()), emit, service=unit.service).pins[0]
    site.images.bring(pin, emit, service=unit.service, platform=platform, called=unit.software.image)
    with site.engine.asked(f"look at {unit.software.image}") as api:
        found: Mapping[str, Any] = api.inspect_image(pin)  # type: ignore[no-untyped-call]
    return pin, found


def _made(site: Site, frame: Frame, emit: Emit) -> tuple[Frame, str]:
    """A new container beside the old one; without the script, where the image has no shell to run it."""
    unit = frame.unit
    name = Name.of(unit)
    doing = f"make the container of {unit.service}"
    platform = frame.wishes.platform
    made = containers.create(site.engine, name.new, bodies.container(frame), platform=platform, doing=doing)
    if frame.environment.secret and not (frame.scripted and entries.is_there(site.engine, made, files.SHELL)):
        emit(
            Event(
                unit.service,
                f"{', '.join(sorted(frame.environment.secret))} can be read by who may use the engine "
                "(docker inspect): the image has no shell to bring secrets otherwise",
                kind="warning",
            )
        )
        if frame.scripted:
            frame = replace(frame, scripted=False)
            made = containers.create(site.engine, name.new, bodies.container(frame), platform=platform, doing=doing)
    return frame, made


def _make_way(site: Site, there: There) -> None:
    """End the old container; where it may come back it is kept under another name, else it goes."""
    unit = there.unit if isinstance(there.unit, Unit) else None
    containers.halt(site.engine, there, unit.stop_grace_s if unit else GRACE_S)
    if not keeping.put_aside(site, there):
        containers.remove(site.engine, there.id)


def _furnish(site: Site, frame: Frame, container: str) -> None:
    """Write the unit's files, and let its volumes be its own."""
    unit = frame.unit
    through = container
    if frame.wishes.host.get("ReadonlyRootfs"):  # then the engine writes nothing outside of volumes
        mounts = bodies.container(frame)["HostConfig"]["Mounts"]
        body = bodies.helper(str(frame.image["Id"]), Name.of(unit), [m for m in mounts if m["Type"] == "volume"])
        through = containers.create(site.engine, Name.of(unit).beside("files"), body, doing="write a unit's files")
    try:
        belongs = files.owner(site, through, str(frame.image["Id"]), frame.user)
        rooms.give(site, through, unit, belongs)
        files.write(site, container, frame.launched, frame.environment, belongs, scripted=frame.scripted)
    finally:
        if through != container:
            containers.remove(site.engine, through)
