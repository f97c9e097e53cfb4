"""Where a stack's backups are, and which there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mlox.apply.saving import Shelf
from mlox.backups import RECORD, Backup
from mlox.errors import BackupError, UnknownNameError
from mlox.plugins import find
from mlox.protocols import BackupStore
from mlox.stack.surroundings import Surroundings
from mlox.values.saved import Saved

FOLDER = "backups"
"""The place beside the data of all stacks, where nobody says another."""


def shelf_of(around: Surroundings, place: str | None = None) -> Shelf:
    """A place for backups: the given one, else that of ``mlox.yaml``, else the folder beside the data of all stacks.

    Args:
        place: a folder, as seen from the workspace, or ``s3://BUCKET/PREFIX``.

    Raises:
        RequirementError: what reaches it is not installed.
        SecretNotFoundError: there is no such key.
    """
    written = around.spec.backups
    where = place or written.to
    store: BackupStore
    if where is not None and where.startswith("s3://"):
        keys = {
            key: around.secrets.get(name)
            for key, name in (("access_key", written.access_key), ("secret_key", written.secret_key))
            if name is not None
        }
        store = find("backup_stores", "s3")(where, endpoint=written.endpoint, region=written.region, **keys)
    else:
        folder = around.workspace.root / Path(where).expanduser() if where else around.home / FOLDER
        store = find("backup_stores", "folder")(folder)
    return Shelf(store, around.vault.sealing)


def backups_of(store: BackupStore, stack: str, service: str | None = None) -> tuple[Backup, ...]:
    """The backups of a stack, or of one of its services, the latest first; those that were not finished are none.

    Raises:
        BackupError: the place cannot be read, or a record is none.
    """
    folder = stack if service is None else f"{stack}/{service}"
    paths = [path for path in store.paths(folder) if path.endswith(f"/{RECORD}")]
    found = [Backup.from_bytes(b"".join(store.get(path)), source=f"{store.where}/{path}") for path in paths]
    return latest_first(found)


def latest_first(found: Iterable[Backup]) -> tuple[Backup, ...]:
    """Backups by when they were taken."""
    return tuple(sorted(found, key=lambda backup: (backup.taken, backup.id), reverse=True))


def unfinished(store: BackupStore, stack: str, service: str) -> tuple[str, ...]:
    """The folders of backups of a service that were not finished."""
    paths = store.paths(f"{stack}/{service}")
    folders = {path.rpartition("/")[0] for path in paths}
    return tuple(sorted(folders - {path.rpartition("/")[0] for path in paths if path.endswith(f"/{RECORD}")}))


def chosen(store: BackupStore, stack: str, service: str, identity: str | None) -> Backup:
    """One backup of a service: that of an id or of its beginning, else the latest.

    Raises:
        BackupError: there is none. UnknownNameError: there is none of that id, or there are several.
    """
    found = backups_of(store, stack, service)
    if not found:
        raise BackupError(f"there is no backup of {service} in {store.where}", hint=f"Make one: mlox backup {service}.")
    fits = [backup for backup in found if identity is None or backup.id.startswith(identity)]
    if not fits or (identity is not None and len(fits) > 1 and identity not in {backup.id for backup in fits}):
        known = [backup.id for backup in found]
        raise UnknownNameError.among("backup", identity or "", known, where=f"{service}: ")
    return fits[0]


def listed(around: Surroundings, names: Sequence[str], place: str | None) -> Saved:
    """The backups of services, the latest first; without names, of all that the stack has or had.

    Raises:
        BackupError: the place cannot be read.
    """
    store, stack = shelf_of(around, place).store, around.spec.id or ""
    found = [each for name in names for each in backups_of(store, stack, name)] if names else backups_of(store, stack)
    return Saved(latest_first(found), store.where)
