"""What a stack is as a compose file: its services as containers, whatever server they are on; asks no server."""

from __future__ import annotations

from mlox.compose import SERVER, Exported, export_compose
from mlox.errors import UsageError
from mlox.protocols import Facts
from mlox.resolve import World, resolve
from mlox.stack.stack import Stack
from mlox.stack.surroundings import Surroundings

_PLENTY = 2**60


def to_compose(stack: Stack, names: tuple[str, ...] = ()) -> Exported:
    """The compose file of services (none: all); those that have no image are named in it.

    Raises:
        UsageError: none of them has an image. SpecError, WiringError: what is written cannot be.
    """
    stack.workspace.read()
    for name in names:
        stack.service(name)
    around = stack.surroundings()
    catalog = {name: around.service(name) for name in around.spec.services}
    fit = {name for name, service in catalog.items() if SERVER in service.backends}
    chosen = [name for name in names or catalog if name in fit]
    left = [name for name in names or catalog if name not in fit]
    if not chosen:
        raise UsageError("no service here has an image", hint="Add one that runs on docker: mlox catalog --services.")
    moved = {
        name: service.model_copy(update={"server": SERVER}) if name in fit else service
        for name, service in around.spec.services.items()
    }
    spec = around.spec.model_copy(update={"services": moved})
    units = resolve(spec, chosen, _world(around))
    notes = [f"{stack.name}, by mlox export compose; ports are on loopback."]
    notes += [f"Left out, since there is no image of it: {name}." for name in left]
    return export_compose(units, catalog, project=spec.name, root=str(stack.workspace.root), notes=notes)


def _world(around: Surroundings) -> World:
    """A world where everything fits and nothing runs: the file is the same wherever it is written."""
    entries = {name: around.catalog.get(service.service) for name, service in around.spec.services.items()}
    servers = {SERVER, "local", *around.spec.servers}
    return World(
        services={name: entry.service for name, entry in entries.items()},
        sources={name: entry.source for name, entry in entries.items()},
        facts={name: Facts("/mlox", _PLENTY, _PLENTY, _PLENTY) for name in servers},
        versions={f"{name}.{key}": "set" for name, entry in entries.items() for key in entry.service.secrets},
        backends={name: around.spec_of(name).backend for name in servers},
        root=str(around.workspace.root),
        here=frozenset(servers),
    )
