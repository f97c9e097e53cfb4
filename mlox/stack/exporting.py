"""What a stack is as a compose file: its services as containers, whatever server they are on; asks no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlox.catalog import Entry
from mlox.compose import SERVER, Exported, export_compose
from mlox.errors import UnknownNameError, UsageError
from mlox.protocols import Facts
from mlox.resolve import World, resolve
from mlox.specs import StackSpec
from mlox.stack.server import known_servers
from mlox.stack.stack import Stack

_PLENTY = 2**60


def to_compose(stack: Stack, names: tuple[str, ...] = ()) -> Exported:
    """The compose file of services (none: all); those that have no image are named in it.

    Raises:
        UnknownNameError: there is no such service. UsageError: none of them has an image.
        SpecError, WiringError: what is written cannot be.
    """
    stack.workspace.read()
    around = stack.surroundings()
    for name in names:
        if name not in around.spec.services:
            raise UnknownNameError.among("service", name, around.spec.services, where=f"{stack.name}: ")
    catalog = {name: around.service(name) for name in around.spec.services}
    fit = {name for name, service in catalog.items() if SERVER in service.backends}
    chosen = [name for name in names or catalog if name in fit]
    left = [name for name in names or catalog if name not in fit]
    if not chosen:
        raise UsageError("no service here has an image", hint="Add one that runs on docker: mlox catalog --services.")
    notes = [f"{stack.name}, by mlox export compose; ports are on loopback."]
    notes += [f"Left out, since there is no image of it: {name}." for name in left]
    entries = {name: around.catalog.get(one.service, one.version) for name, one in around.spec.services.items()}
    return written(around.spec, entries, str(stack.workspace.root), names=chosen, notes=notes)


def written(
    spec: StackSpec, entries: Mapping[str, Entry], root: str, *, names: Sequence[str], notes: Sequence[str] = ()
) -> Exported:
    """The compose file of the services ``names``, each moved to the engine.

    Args:
        entries: the catalog's, by the name in the stack. ``root``: the workspace's folder.
    """
    catalog = {name: entry.service for name, entry in entries.items()}
    fit = {name for name, service in catalog.items() if SERVER in service.backends}
    moved = {
        name: service.model_copy(update={"server": SERVER}) if name in fit else service
        for name, service in spec.services.items()
    }
    units = resolve(spec.model_copy(update={"services": moved}), names, _world(spec, entries, root))
    return export_compose(units, catalog, project=spec.name, root=root, notes=notes)


def _world(spec: StackSpec, entries: Mapping[str, Entry], root: str) -> World:
    """A world where everything fits and nothing runs: the file is the same wherever it is written."""
    servers = known_servers(spec.servers)
    return World(
        services={name: entry.service for name, entry in entries.items()},
        sources={name: entry.source for name, entry in entries.items()},
        facts={name: Facts("/mlox", _PLENTY, _PLENTY, _PLENTY) for name in servers},
        versions={f"{name}.{key}": "set" for name, entry in entries.items() for key in entry.service.secrets},
        backends={name: server.backend for name, server in servers.items()},
        root=root,
        here=frozenset(servers),
    )
