"""Backups as values: those that were made, those that there are, what a backup or a restore would do."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from mlox.backups import Backup, BackupPlan
from mlox.values import Deployed, ServiceRow, Value, columns


@dataclass(frozen=True, slots=True, repr=False)
class Saved(Value):
    """The backups that were made, or those that there are, the latest first."""

    backups: tuple[Backup, ...]
    where: str
    made: bool = False

    def text(self, *, detail: bool = False) -> str:
        """A line each; in detail with id, size and place."""
        if not self.backups:
            return "no backups yet: {mlox} backup"
        rows = [_row(backup, detail) for backup in self.backups]
        lines = [f"{'saved' if self.made else 'backups'} in {self.where}"] if detail else []
        lines += columns([("saved", *row) for row in rows] if self.made else rows)
        if self.made:
            lines.append(f"bring it back: {{mlox}} restore {self.backups[0].service}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """``backups``, a record each, and ``where`` they are."""
        return {"where": self.where, "backups": [backup.to_json() for backup in self.backups]}


@dataclass(frozen=True, slots=True, repr=False)
class SavingPlanned(Value):
    """What a backup would do."""

    plan: BackupPlan

    def text(self, *, detail: bool = False) -> str:
        """A line a service, then who stops meanwhile."""
        rows = [
            (name, "while it runs" if name in self.plan.running else "stopped", *((_size(size),) if detail else ()))
            for name, size in self.plan.services.items()
        ]
        accounts = [f"with {name}: {', '.join(each)}" for name, each in self.plan.accounts.items() if each]
        stops = f"stops meanwhile: {', '.join(self.plan.stops)}" if self.plan.stops else "nothing stops"
        where = [f"to: {self.plan.where}"] if detail else []
        return "\n".join([*columns(rows), *accounts, stops, *where, "nothing was done"])

    def to_json(self) -> dict[str, Any]:
        """The plan's own object."""
        return asdict(self.plan)


@dataclass(frozen=True, slots=True, repr=False)
class Restored(Value):
    """A restore: from which backup, and the services afterwards; without ``deployed``, what it would do."""

    backup: Backup
    name: str
    where: str
    stops: tuple[str, ...] = ()
    deployed: Deployed | None = None
    compared: bool = False

    @property
    def services(self) -> tuple[ServiceRow, ...]:
        """The services, afterwards."""
        return self.deployed.services if self.deployed is not None else ()

    def text(self, *, detail: bool = False) -> str:
        """What was brought back, and how it was verified."""
        when = f" of {saved_at(self.backup)} ({self.backup.id}, {self.where})" if detail else ""
        if self.deployed is None:
            stops = [f"stops meanwhile: {', '.join(self.stops)}"] if self.stops else []
            return "\n".join([f"{self.name} gets the data of a backup{when}", *stops, "nothing was done"])
        rows = columns([row.cells(detail) for row in self.services])
        how = "its data and what the service holds" if self.compared else "its data"
        return "\n".join([f"{self.name} has the data of the backup{when}: {how} compared", *rows])

    def to_json(self) -> dict[str, Any]:
        """The backup's record, and the services afterwards."""
        return {
            "service": self.name,
            "backup": self.backup.to_json(),
            "verified": "content" if self.compared else "data",
            "stops": list(self.stops),
            "services": [asdict(row) for row in self.services],
        }


@dataclass(frozen=True, slots=True, repr=False)
class RestoredAll(Value):
    """Several restores, in their order."""

    restored: tuple[Restored, ...]

    def text(self, *, detail: bool = False) -> str:
        """What each of them says."""
        return "\n".join(one.text(detail=detail) for one in self.restored)

    def to_json(self) -> dict[str, Any]:
        """``restored``: the object of each."""
        return {"restored": [one.to_json() for one in self.restored]}


@dataclass(frozen=True, slots=True, repr=False)
class Upgraded(Value):
    """An upgrade or a rollback: from which version to which; without ``deployed``, what it would do.

    ``saved`` is the backup that was made before; ``how`` says how the data got from one version to the other.
    """

    name: str
    before: str
    after: str
    how: str
    stops: tuple[str, ...] = ()
    saved: Backup | None = None
    deployed: Deployed | None = None

    @property
    def services(self) -> tuple[ServiceRow, ...]:
        """The services, afterwards."""
        return self.deployed.services if self.deployed is not None else ()

    def text(self, *, detail: bool = False) -> str:
        """From which version to which, and how."""
        rows = columns([row.cells(detail) for row in self.services])
        if self.before == self.after:
            return "\n".join([f"{self.name} is {self.after} already", *rows])
        lines = [f"{self.name}: {self.before} → {self.after}", f"  {self.how}"]
        if self.deployed is None:
            lines += [f"  stops meanwhile: {', '.join(self.stops)}"] if self.stops else []
            return "\n".join([*lines, "nothing was done"])
        if self.saved is not None:
            lines.append(f"  as it was before: {{mlox}} restore {self.name}{f'@{self.saved.id}' if detail else ''}")
        return "\n".join([*lines, *rows])

    def to_json(self) -> dict[str, Any]:
        """Both versions, how, the backup's record, and the services afterwards."""
        return {
            "service": self.name,
            "version": {"from": self.before, "to": self.after},
            "how": self.how,
            "stops": list(self.stops),
            "backup": self.saved.to_json() if self.saved is not None else None,
            "services": [asdict(row) for row in self.services],
        }


def _row(backup: Backup, detail: bool) -> tuple[str, ...]:
    cells = (backup.service, backup.catalog, backup.version)
    return (*cells, backup.id, saved_at(backup), _size(backup.size_bytes)) if detail else cells


def saved_at(backup: Backup) -> str:
    """When it was taken, here."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(backup.taken))


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
