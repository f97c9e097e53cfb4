"""Which adapters there are: one table from kind and name to where the class is, loaded when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlox.errors import DISTRIBUTION, MloxError, RequirementError, UnknownNameError

if TYPE_CHECKING:
    from mlox.catalog import Installed


@dataclass(frozen=True, slots=True)
class Row:
    """Where a class is, and the extra that installs what it imports (empty: the base install has it)."""

    where: str
    extra: str = ""


TABLE: dict[tuple[str, str], Row] = {
    ("backends", "docker"): Row("mlox.backends.docker:DockerBackend", "docker"),
    ("backends", "native"): Row("mlox.backends.native:NativeBackend"),
    ("backup_stores", "folder"): Row("mlox.backup_stores.folder:FolderBackupStore"),
    ("backup_stores", "s3"): Row("mlox.backup_stores.s3:S3BackupStore", "s3"),
    ("transports", "local"): Row("mlox.transports.local:LocalTransport"),
    ("receivers", "email"): Row("mlox.receivers.email:EmailReceiver"),
    ("receivers", "webhook"): Row("mlox.receivers.webhook:WebhookReceiver"),
    ("registries", "folder"): Row("mlox.registries.folder:FolderRegistry"),
    ("registries", "git"): Row("mlox.registries.git:GitRegistry"),
    ("registries", "https"): Row("mlox.registries.https:HttpsRegistry"),
    ("secret_stores", "chain"): Row("mlox.secret_stores.chain:Chain"),
    ("secret_stores", "env"): Row("mlox.secret_stores.env:EnvironmentStore"),
    ("secret_stores", "env_file"): Row("mlox.secret_stores.env_file:EnvFileStore"),
    ("secret_stores", "service"): Row("mlox.secret_stores.service:ServiceStore"),
    ("secret_stores", "user"): Row("mlox.secret_stores.user:UserStore"),
    ("secret_stores", "vault"): Row("mlox.secret_stores.vault:VaultStore"),
}


def find(kind: str, name: str) -> type:
    """The class of an adapter; packages that declare the entry point group ``mlox.<kind>`` add to the table.

    Raises:
        UnknownNameError: there is none of that name.
        RequirementError: what it imports is not installed; the hint names the extra.

    Example:
        >>> find("transports", "local").__name__
        'LocalTransport'
    """
    row = TABLE.get((kind, name))
    if row is None:
        from importlib.metadata import entry_points

        foreign = {point.name: point for point in entry_points(group=f"mlox.{kind}")}
        if name not in foreign:
            raise UnknownNameError.among(kind.rstrip("s").replace("_", " "), name, {*names(kind), *foreign})
        row = Row(foreign[name].value)
    module, _, attribute = row.where.partition(":")
    try:
        loaded = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        extra = f"[{row.extra}]" if row.extra else ""
        raise RequirementError(
            f"{name} needs {error.name}, which is not installed", hint=f"pip install '{DISTRIBUTION}{extra}'"
        ) from error
    if not isinstance(loaded, type):
        raise UnknownNameError(f"{row.where} is not a class", hint="Mend the entry point of that package.")
    return loaded


def installed_services() -> Installed:
    """The folders of catalog files that packages declare by the entry point group ``mlox.services``.

    The value names a package; each ``*.yaml`` in its folder is a service. Nothing of it is imported: it is data.

    Example:
        >>> dict(installed_services().folders)
        {}
    """
    from importlib.metadata import entry_points

    from mlox.catalog import Installed

    folders: dict[str, Path] = {}
    faults: list[MloxError] = []
    for point in sorted(entry_points(group="mlox.services"), key=lambda one: (one.name, one.value)):
        origin = f"the package {point.dist.name}" if point.dist else f"the entry point {point.name}"
        top, *parts = point.module.split(".")
        spec = importlib.util.find_spec(top)  # of a top level this imports nothing
        tried = [Path(place, *parts) for place in (spec and spec.submodule_search_locations) or ()]
        found = next((folder for folder in tried if any(folder.glob("*.yaml"))), None)
        if found is None:
            problem = f"{origin} declares services in {point.module}, where there are none"
            faults.append(RequirementError(problem, hint="Install it again, or take it out."))
        elif folders.setdefault(origin, found) != found:
            folders[f"{origin} ({point.name})"] = found
    return Installed(folders, tuple(faults))


def names(kind: str) -> tuple[str, ...]:
    """The names of mlox's own adapters of a kind, sorted."""
    return tuple(sorted(name for known, name in TABLE if known == kind))
