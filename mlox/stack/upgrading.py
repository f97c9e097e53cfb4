"""How a service gets another version with the data that it has, and how it goes back to the one before."""

from __future__ import annotations

from dataclasses import dataclass

from mlox.backups import Backup
from mlox.errors import BackupError, RequirementError, UnknownNameError, UsageError
from mlox.protocols import BackupStore, Observed
from mlox.resolve import apart, is_newer, major, resolve
from mlox.stack.joining import check_version, with_service
from mlox.stack.shelves import backups_of
from mlox.stack.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """What an upgrade or a rollback will do.

    Attributes:
        before: the version that runs. ``after``: the other one; the same where there is nothing to do.
        dumps: whether its data goes by its own dump into an empty service. ``goes_back``: to a backup.
        stops: the services that stop meanwhile. ``size_bytes``: of its data.
    """

    name: str
    before: str
    after: str
    dumps: bool = False
    goes_back: bool = False
    stops: tuple[str, ...] = ()
    size_bytes: int = 0


def plan_upgrade(around: Surroundings, name: str, version: str | None) -> UpgradePlan:
    """What an upgrade will do; touches nothing.

    Args:
        version: the one that it gets; by default the one of the catalog, or of the program that the server has.

    Raises:
        UsageError: it is not there, or the version is an older one. RequirementError, SpecError: it cannot be.
    """
    there = _there(around, name)
    entry, before = around.service(name), there[0].unit.version
    server = around.spec.services[name].server
    found = around.found_version(server, entry)
    after = version or found or entry.version
    check_version(entry, after)
    size = around.backend(server).data_size([o.unit for o in there])
    if after == before:
        return UpgradePlan(name, before, after)
    if not is_newer(after, before):
        raise UsageError(
            f"{name} is {before}, and {after} is older", hint=f"Back to what it was: mlox rollback {name}."
        )
    spec = with_service(around.spec, name, {**around.spec.services[name].model_dump(), "version": after})
    resolve(spec, [name], around.with_spec(spec).world(spec))
    dumps = apart(after, before) and entry.backup is not None
    if apart(after, before) and entry.backup is None and not _migrates(around, name):
        raise RequirementError(
            f"{name} has data of version {before}, and nothing brings that to {after}",
            hint=f"Run a second one beside it: mlox up {entry.name}@{major(after)} --as NAME.",
        )
    return UpgradePlan(name, before, after, dumps, stops=_stops(around, name), size_bytes=size)


def plan_rollback(around: Surroundings, name: str, store: BackupStore) -> UpgradePlan:
    """What a rollback will do: to the latest backup of another version; touches nothing.

    Raises:
        BackupError: there is none. UsageError: the service is not there.
    """
    there, back = _there(around, name), back_to(around, name, store)
    before = there[0].unit.version
    server = around.spec.services[name].server
    size = around.backend(server).data_size([o.unit for o in there])
    return UpgradePlan(name, before, back.version, goes_back=True, stops=_stops(around, name), size_bytes=size)


def back_to(around: Surroundings, name: str, store: BackupStore) -> Backup:
    """The latest backup of another version than the one that is there.

    Raises:
        BackupError: there is none. SpecError: the catalog does not support that version any more.
    """
    before = _there(around, name)[0].unit.version
    back = next((b for b in backups_of(store, around.spec.id or "", name) if b.version != before), None)
    if back is None:
        raise BackupError(
            f"there is no backup of another version of {name} in {store.where}",
            hint=f"Look what there is: mlox backup {name} --list.",
        )
    check_version(around.service(name), back.version)
    return back


def _there(around: Surroundings, name: str) -> list[Observed]:
    """What there is of a service.

    Raises:
        UnknownNameError, UsageError: nothing is, or it is not settled.
    """
    if name not in around.spec.services:
        raise UnknownNameError.among("service", name, around.spec.services, where=f"{around.spec.name}: ")
    there = [o for o in around.everything if o.service == name]
    if not there:
        raise UsageError(f"nothing is there of {name}", hint=f"Start it first: mlox up {name}.")
    if any(o.previous for o in there):
        raise UsageError(f"a change of {name} is not finished", hint=f"Finish it first: mlox up {name}.")
    return there


def _migrates(around: Surroundings, name: str) -> bool:
    """Whether a service changes the data of an older version by itself, or keeps none."""
    entry = around.service(name)
    keeps = any(unit.stateful for unit in entry.units.values())
    return not keeps or any(job.when == "upgrade" for job in entry.jobs.values())


def _stops(around: Surroundings, name: str) -> tuple[str, ...]:
    users = (o.service for o in around.observed.values() if name in o.unit.after and o.state != "stopped")
    return tuple(dict.fromkeys((name, *(user for user in users if user in around.spec.services))))
