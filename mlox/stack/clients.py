"""What a client process on this machine gets from a service that runs: texts, secrets, and files of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlox.errors import ServiceError, WorkspaceError
from mlox.plugins import find
from mlox.protocols import Transport
from mlox.resolve import ClientTexts, check_options, client_texts
from mlox.secret import Secret
from mlox.specs import CatalogService
from mlox.stack.forwarding import refuse_forwarders
from mlox.stack.surroundings import Surroundings
from mlox.variables import finish, references

FOLDER = "clients"
"""Where the files of clients are, below the stack's own folder."""


@dataclass(frozen=True, slots=True)
class Client:
    """The texts of a service's client, and the secrets that they hold, in the versions that run."""

    entry: CatalogService
    texts: ClientTexts
    secrets: dict[str, Secret] = field(repr=False)

    def write(self) -> None:
        """Write the client's files, where they are not there as they should be.

        Raises:
            WorkspaceError: they cannot be written.
            SpecError: a secret cannot stand in them.
        """
        transport: Transport = find("transports", "local")()
        for name, text in self.texts.files.items():
            path, content = Path(name), finish(text, self.secrets).encode()
            try:
                path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.parent.mkdir(mode=0o700, exist_ok=True)
                if not path.exists() or path.read_bytes() != content:
                    transport.put(content, path, mode=0o600)
            except OSError as error:
                raise WorkspaceError(
                    f"{path}, which clients of {self.entry.name} read, cannot be written: {error.strerror}",
                    hint="Mend that, or set MLOX_DATA_HOME.",
                ) from error


def entry_of(around: Surroundings, name: str) -> CatalogService:
    """The catalog entry of a service, as it runs or is written.

    Raises:
        UsageError: it is a forwarder, which has none.
    """
    refuse_forwarders(around, [name])
    running = next((o.unit.catalog for o in around.observed.values() if o.service == name), None)
    return around.catalog.get(running).service if running is not None else around.service(name)


def client_of(around: Surroundings, name: str) -> Client:
    """What a client of a service gets.

    Raises:
        ServiceError: it does not run.
    """
    entry = entry_of(around, name)
    seen = [o for o in around.observed.values() if o.service == name and o.state != "stopped"]
    if not seen:
        raise ServiceError(f"{name} does not run", hint=f"Start it: mlox up {name}.")
    written = around.spec.services.get(name)
    options = check_options(entry, written.options if written else {}, where=name)
    endpoints = {
        port.name: around.backends[o.unit.server].endpoint(o.unit, port.name, "process")
        for o in seen
        for port in o.unit.ports
    }
    units = tuple(o.unit for o in seen)
    texts = client_texts(entry, units, options, endpoints, str(_folder(around, name)))
    versions = {ref.name: ref.version for o in seen for ref in o.unit.secrets}
    parts = (texts.environment, texts.preferences, texts.arguments, texts.files)
    used = {variable.name for part in parts for text in part.values() for variable in references(text)}
    secrets = {
        key: around.store.get(f"{name}.{key}", versions.get(f"{name}.{key}") or None)
        for key in entry.secrets
        if key in used
    }
    return Client(entry, texts, secrets)


def renew_files(around: Surroundings) -> None:
    """Write the files anew that clients read by now: a password or a port may have changed.

    Raises:
        MloxError: they cannot be made.
    """
    running = {o.service for o in around.observed.values() if o.state != "stopped" and not o.unit.forwards}
    for folder in sorted((around.folder / FOLDER).glob("*")):
        if folder.name in running:
            client_of(around, folder.name).write()


def remove_files(around: Surroundings, names: Iterable[str]) -> None:
    """Remove what clients of ``names`` read."""
    top = around.folder / FOLDER
    for name in names:
        shutil.rmtree(_folder(around, name), ignore_errors=True)
    if top.is_dir() and not any(top.iterdir()):
        top.rmdir()


def _folder(around: Surroundings, name: str) -> Path:
    return around.folder / FOLDER / name
