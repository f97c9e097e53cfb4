"""What a unit lives in on the engine: the stack's network, its volumes; made where missing, never a stranger's."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from mlox.backends.docker import bodies, containers, entries, naming
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.entries import Entry
from mlox.backends.docker.labels import Name
from mlox.backends.docker.naming import Labels
from mlox.backends.docker.site import Site
from mlox.errors import CommandError
from mlox.units import Unit

RACE_S = (0.2, 1.0)
"""How long is waited after each race that was lost."""


def check(site: Site, unit: Unit) -> None:
    """Make sure that what has the names that we need is ours; makes nothing.

    Raises:
        RequirementError: a stranger has one of them.
    """
    name, wanted = Name.of(unit), Labels(unit.stack, unit.service, unit.name)
    for each in (name.plain, name.stopped, name.new):
        containers.check_name(site.engine, each, wanted)
    for volume in ours(unit):
        there = look(site.engine, volume)
        if there is not None:
            naming.check_ours("volume", volume, there.get("Labels"), Labels(unit.stack, unit.service))
    for found in _networks(site.engine, unit.stack):
        naming.check_ours("network", naming.network(unit.stack), found.get("Labels"), Labels(unit.stack))


def ours(unit: Unit) -> tuple[str, ...]:
    """The names of the volumes that belong to a unit."""
    data = (bodies.volume_name(unit, volume) for volume in bodies.volumes(unit) if not volume.volume)
    return (naming.settings(unit.stack, unit.service, unit.name), *data)


def make(site: Site, unit: Unit, *, network: bool) -> None:
    """Make what is missing: the volumes and, unless the unit has another, the stack's network."""
    own = naming.settings(unit.stack, unit.service, unit.name)
    make_volume(site.engine, own, Labels(unit.stack, unit.service, unit.name))
    for volume in bodies.volumes(unit):
        labels = Labels("") if volume.volume else Labels(unit.stack, unit.service)
        make_volume(site.engine, bodies.volume_name(unit, volume), labels)
    if network:
        with site.networks:
            if not _networks(site.engine, unit.stack):
                make_network(site.engine, unit.stack)


def make_network(engine: Engine, stack: str) -> None:
    """Make the stack's network; again where the engine lost a race for the firewall's tables.

    ``iptables`` on nftables does not wait for others that change the same table (a firewall's reload, another network
    of the engine's), and says that a chain is not there.

    Raises:
        CommandError: the engine refuses.
    """
    for wait_s in (*RACE_S, None):
        try:
            with engine.asked(f"make the network of {stack}") as api:
                labels = Labels(stack).to_engine()
                api.create_network(naming.network(stack), driver="bridge", check_duplicate=True, labels=labels)
        except CommandError as error:
            if wait_s is None or "iptables failed" not in error.problem:
                raise
            time.sleep(wait_s)
        else:
            return


def give(site: Site, container: str, unit: Unit, belongs: tuple[int, int]) -> None:
    """Let volumes of ours that root has belong to the unit's user; what is in them stays as it is."""
    if belongs == (0, 0):
        return
    for volume in bodies.volumes(unit):
        if volume.volume:
            continue
        there = entries.first(site.engine, container, volume.path)
        if there is not None and there.isdir() and there.uid == 0:
            path = PurePosixPath(volume.path)
            entry = Entry(path.name, None, there.mode, belongs)
            entries.put(site.engine, container, str(path.parent), [entry], doing=f"make the volume {volume.name}")


def look(engine: Engine, volume: str) -> Mapping[str, Any] | None:
    """What the engine knows of a volume; None where there is none."""
    from docker.errors import NotFound

    with engine.asked(f"look for the volume {volume}") as api:
        try:
            found: Mapping[str, Any] = api.inspect_volume(volume)
        except NotFound:
            return None
    return found


def remove_volumes(engine: Engine, names: Iterable[str], wanted: Labels) -> None:
    """Remove volumes of ours; what is not, and what is gone, is left alone."""
    from docker.errors import NotFound

    for name in names:
        there = look(engine, name)
        if there is None or Labels.of(there.get("Labels")) is None:
            continue
        naming.check_ours("volume", name, there.get("Labels"), wanted)
        with engine.asked(f"remove the volume {name}") as api:
            try:
                api.remove_volume(name)
            except NotFound:
                continue


def volumes_of(engine: Engine, labels: Labels) -> tuple[str, ...]:
    """The names of the volumes that carry labels."""
    chosen = [f"{key}={value}" for key, value in labels.to_engine().items()]
    with engine.asked("list volumes") as api:
        found = api.volumes(filters={"label": chosen})
    return tuple(sorted(str(each["Name"]) for each in found.get("Volumes") or ()))


def remove_network(engine: Engine, stack: str) -> None:
    """Remove the stack's network, unless somebody is still on it, or it is a stranger's."""
    from docker.errors import APIError

    for found in _networks(engine, stack):
        if Labels.of(found.get("Labels")) != Labels(stack):
            continue
        with engine.asked(f"remove the network of {stack}") as api:
            try:
                api.remove_network(found["Id"])
            except APIError as error:
                if error.status_code not in (403, 404, 409):  # somebody is on it, or it is gone
                    raise


def make_volume(engine: Engine, name: str, labels: Labels) -> None:
    """Make a volume where there is none; without a stack in its labels it is nobody's, and stays for ever.

    Raises:
        RequirementError: a stranger's has the name.
    """
    there = look(engine, name)
    if there is None:
        with engine.asked(f"make the volume {name}") as api:
            api.create_volume(name, labels=labels.to_engine() or None)
    elif labels.stack:
        naming.check_ours("volume", name, there.get("Labels"), labels)


def _networks(engine: Engine, stack: str) -> list[Mapping[str, Any]]:
    """Those with the name of a stack's network: an engine may have several of one name."""
    name = naming.network(stack)
    with engine.asked("list networks") as api:
        found = api.networks(names=[name])
    return [each for each in found if each["Name"] == name]
