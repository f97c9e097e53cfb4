"""How services from a compose file join a stack: their files, entries and secrets, all or nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mlox.catalog import BUILT_IN
from mlox.catalog.check import check
from mlox.compose import SERVER, Imported, Reading, read_compose
from mlox.errors import MloxError, UsageError
from mlox.locks import Hold
from mlox.protocols import Emit, WritableStore, silent
from mlox.stack.components import Components
from mlox.stack.holding import hold_here
from mlox.stack.stack import Stack

FOLDER = "services"


def read(stack: Stack, path: Path, *, project: str | None = None, allow_unsupported: bool = False) -> Reading:
    """What a compose file would bring; see :func:`mlox.compose.read_compose`.

    Raises:
        UsageError: the stack has a service of the same name, or the workspace such a file.
    """
    stack.workspace.check_place()
    root = stack.workspace.root
    reserved = {*(file.stem for file in BUILT_IN.glob("*.yaml")), *Components(stack).names()}
    reading = read_compose(
        path, os.environ, root=root, reserved=reserved, project=project, allow_unsupported=allow_unsupported
    )
    known = stack.spec().services
    for service in reading.services:
        if service.name in known:
            raise UsageError(
                f"{service.name} is in mlox.yaml already", hint=f"Take it out first: mlox remove {service.name}."
            )
        file = root / FOLDER / f"{service.spec.name}.yaml"
        if file.exists():
            raise UsageError(f"{FOLDER}/{file.name} is there already", hint="Move it away, or rename the service.")
        check(service.spec, source=f"services.{service.written}")
    return reading


def take_in(
    stack: Stack, path: Path, *, project: str | None = None, allow_unsupported: bool = False, emit: Emit = silent
) -> Reading:
    """Write what :func:`read` found: the secrets first, then the files and entries in one step.

    Raises:
        MloxError: nothing was written.
    """
    if not stack.workspace.journal.pending:  # else files may lie there that a killed process has begun to write
        read(stack, path, project=project, allow_unsupported=allow_unsupported)
    stack.init()
    with Hold(stack.identify(), emit=emit) as hold:
        hold_here(hold, stack.workspace)
        reading = read(stack, path, project=project, allow_unsupported=allow_unsupported)
        store = stack.surroundings().store_for(SERVER)
        kept = _keep(store, reading.services)
        folder = stack.workspace.root / FOLDER
        try:
            stack.workspace.put_services(
                {service.name: service.entry for service in reading.services},
                {folder / f"{service.spec.name}.yaml": service.text.encode() for service in reading.services},
            )
        except MloxError:
            for name in kept:
                store.delete(name)
            raise
        return reading


def _keep(store: WritableStore, services: Sequence[Imported]) -> list[str]:
    """Keep the secrets; returns the names that were not there before."""
    known = set(store.names())
    new = []
    for service in services:
        for key, secret in service.secrets.items():
            name = f"{service.name}.{key}"
            if name not in known or store.get(name).reveal() != secret.reveal():
                store.set(name, secret)
            if name not in known:
                new.append(name)
    return new
