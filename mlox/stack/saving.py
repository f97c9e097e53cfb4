"""How services are saved: all that must not be written to stops first, and runs again before anything else is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mlox.apply import saving
from mlox.apply.accounts import Account, accounts_of
from mlox.apply.running import Run
from mlox.apply.saving import About, Shelf
from mlox.apply.streaming import out_of
from mlox.apply.telling import told
from mlox.backups import Backup, BackupPlan, new_id
from mlox.errors import Cancelled, LockedError, MloxError, ServiceError, UnknownNameError, UsageError
from mlox.moves import has_data
from mlox.plan import Plan
from mlox.protocols import Emit, Event, Observed
from mlox.resolve import resolve
from mlox.secret import Secret
from mlox.stack.operations import started
from mlox.stack.shelves import backups_of, unfinished
from mlox.stack.surroundings import Surroundings
from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class Saving:
    """What is to be saved of one service.

    Attributes:
        units: as they are there, with the commands of the catalog as it is now. ``runs``: whether any of it does.
    """

    units: tuple[Unit, ...]
    runs: bool
    size_bytes: int

    @property
    def service(self) -> str:
        """Its name."""
        return self.units[0].service

    @property
    def dumps(self) -> bool:
        """Whether it is saved while it runs, by its own command."""
        return self.runs and any(unit.dump for unit in self.units)

    @property
    def stops(self) -> bool:
        """Whether it stops meanwhile."""
        return self.runs and not self.dumps


def wanted(around: Surroundings, names: Sequence[str]) -> tuple[Saving, ...]:
    """What is to be saved; without names, all services that keep data.

    Raises:
        UnknownNameError: there is no such service. UsageError: one that is named keeps no data, or is not there.
    """
    there: dict[str, list[Observed]] = {}
    for o in around.observed.values():
        if not o.unit.forwards:
            there.setdefault(o.service, []).append(o)
    known = {*around.spec.services, *there}
    for name in names:
        if name not in known:
            raise UnknownNameError.among("service", name, known, where=f"{around.spec.name}: ")
        if name not in there:
            raise UsageError(f"nothing is there of {name}", hint=f"Start it first: mlox up {name}.")
        if not _keeps(there[name]):
            raise UsageError(f"{name} keeps no data: there is nothing to save", hint="Name another service.")
    chosen = [name for name in there if (name in names if names else _keeps(there[name]))]
    if not chosen:
        raise UsageError("nothing that is there keeps data", hint="Start something first: mlox up.")
    return tuple(_saving(around, there[name]) for name in chosen)


def _keeps(there: Sequence[Observed]) -> bool:
    """Whether a service has data, here or in an account at another one."""
    return any(has_data(o.unit) for o in there) or bool(accounts_of(o.unit for o in there))


def plan_backup(around: Surroundings, names: Sequence[str], shelf: Shelf) -> BackupPlan:
    """What a backup will do; touches nothing."""
    found = wanted(around, names)
    sizes = {each.service: each.size_bytes for each in found}
    running = tuple(each.service for each in found if each.dumps)
    accounts = {each.service: tuple(map(str, _accounts(around, each, found).values())) for each in found}
    stops = tuple(each.service for each in found if each.stops)
    return BackupPlan(sizes, running, accounts, (*stops, *_consumers(around, found)), shelf.store.where)


def back_up(
    around: Surroundings, names: Sequence[str], shelf: Shelf, *, keep: int | None, emit: Emit
) -> tuple[Backup, ...]:
    """Save services into a place; the stack is held. What ran runs again, however it ends.

    Args:
        keep: how many backups of each service stay; older ones are removed once the new one is whole.

    Raises:
        MloxError: it could not be saved; nothing half is left of it.
    """
    found = wanted(around, names)
    accounts = {each.service: _accounts(around, each, found) for each in found}
    again = (*(each.service for each in found if each.stops), *_consumers(around, found))
    made: list[Backup] = []
    unstarted: MloxError | None = None
    try:
        try:
            _write(around, found, accounts, again, shelf, made, emit)
        finally:
            unstarted = _again(around, again, emit)
        for backup in made:
            saving.conclude(backup, shelf, emit, around.seams().check)
    except (MloxError, KeyboardInterrupt) as error:
        for backup in made:
            saving.drop(backup.folder, shelf.store)
        if isinstance(error, KeyboardInterrupt):
            raise Cancelled("interrupted; nothing was saved", hint="Run the same command again.") from None
        raise
    for backup in made:
        _tidy(backup, shelf, keep, emit)
    if unstarted is not None:
        raise ServiceError(
            f"all was saved, but not all could be started again: {unstarted.problem}",
            hint=unstarted.hint or "Mend that, then `mlox up`; the backups are there: mlox backup --list.",
        ) from unstarted
    return tuple(made)


def _again(around: Surroundings, names: Sequence[str], emit: Emit) -> MloxError | None:
    """Start what stopped meanwhile; what was wrong, where it could not be started: the backup is whole all the same.

    Raises:
        LockedError: somebody else holds the stack by now.
    """
    try:
        if names:
            started(around, names, emit)
    except LockedError:
        raise
    except MloxError as error:
        emit(Event("", f"not started again: {error.problem.splitlines()[0]}", kind="warning"))
        return error
    return None


def _write(
    around: Surroundings,
    found: Sequence[Saving],
    accounts: Mapping[str, Mapping[str, Account]],
    stops: Sequence[str],
    shelf: Shelf,
    made: list[Backup],
    emit: Emit,
) -> None:
    """Write all but the records; ``made`` gets each backup before anything of it is written, and what it became.

    What a service holds is kept with its data where it is the same before and after a dump: others may have written.
    """
    run = Run(Plan(around.spec.id or ""), around.seams().guarded(), emit, threading.Event())
    own = {each.service for each in found}
    others = [o.unit for o in around.observed.values() if o.service in stops and o.service not in own]
    for unit in others:
        _stop(run, unit)
    held = {each.service: _told(run, each) if each.runs else "" for each in found}
    for each in reversed(found):
        for unit in each.units if each.stops else ():
            _stop(run, unit)
    for each in found:
        first, backend = each.units[0], run.seams.backends[each.units[0].server]
        secrets = _secrets(around, each)
        written = around.spec.services.get(each.service)
        made.append(
            Backup(
                new_id(),
                first.stack,
                each.service,
                first.catalog,
                first.version,
                first.server,
                time.time(),
                "dump" if each.dumps else "copy",
                jobs=tuple(sorted({job.name for unit in each.units for job in unit.jobs if job.when == "init"})),
                options=dict(written.options) if written is not None else {},
            )
        )
        dumping = next((unit for unit in each.units if unit.dump), first)
        masked = list(secrets.values())
        data = out_of(dumping, dumping.dump, backend, masked) if each.dumps else backend.data_out(each.units)
        elsewhere = {need: account.saved(run.seams) for need, account in accounts[each.service].items()}

        def about(each: Saving = each, secrets: dict[str, Secret] = secrets) -> About:
            before = held[each.service]
            return About(secrets, before if not each.dumps or _told(run, each) == before else "")

        made[-1] = saving.write(made[-1], data, elsewhere, about, shelf, emit, run.seams.check)


def _accounts(around: Surroundings, each: Saving, found: Sequence[Saving]) -> dict[str, Account]:
    """The accounts of a service that are saved with it: not those at a provider whose files are saved as well.

    Raises:
        ServiceError: a provider does not run, and is not saved.
    """
    files = {other.service for other in found if not other.dumps}
    accounts = {k: account for k, account in accounts_of(each.units).items() if account.grant.provider not in files}
    for account in accounts.values():
        if not account.is_there(around.seams()):
            raise ServiceError(
                f"{each.service} has data in {account}, which does not run",
                hint=f"Start that: mlox up {account.grant.provider}.",
            )
    return accounts


def _told(run: Run, each: Saving) -> str:
    return told(each.units, run.seams.backends[each.units[0].server], run)


def _stop(run: Run, unit: Unit) -> None:
    run.emit(Event(unit.service, "stopping"))
    run.seams.backends[unit.server].stop(unit.stack, unit.service, unit.name, purge=False, emit=run.emit)


def _saving(around: Surroundings, there: Sequence[Observed]) -> Saving:
    """A service with the commands that its catalog file has now."""
    name = there[0].service
    rendered: tuple[Unit, ...] = ()
    if name in around.spec.services:
        rendered = resolve(around.spec, [name], around.world(around.spec))
    units = [with_commands(o.unit, rendered) for o in there]
    size = around.backends[units[0].server].data_size(units)
    return Saving(tuple(units), any(o.state != "stopped" for o in there), size)


def with_commands(there: Unit, rendered: Sequence[Unit]) -> Unit:
    """A unit as it is there, with the commands for its data that its catalog file has now."""
    now = next((unit for unit in rendered if unit.key == there.key), None)
    if now is None:
        return there
    copies = {(grant.provider, grant.name): grant.copies for grant in now.grants}
    grants = (replace(g, copies=copies.get((g.provider, g.name), g.copies)) for g in there.grants)
    return replace(there, verify=now.verify, dump=now.dump, load=now.load, grants=tuple(grants))


def _consumers(around: Surroundings, found: Sequence[Saving]) -> tuple[str, ...]:
    """The services that run and need one that stops."""
    stopping, own = {each.service for each in found if each.stops}, {each.service for each in found}
    users = (o for o in around.observed.values() if o.state != "stopped" and set(o.unit.after) & stopping)
    return tuple(dict.fromkeys(o.service for o in users if o.service not in own and not o.unit.forwards))


def _secrets(around: Surroundings, each: Saving) -> dict[str, Secret]:
    """What the service's own secrets are, in the versions that it runs with."""
    refs = {(ref.name, ref.version) for unit in each.units for ref in unit.secrets if ref.version}
    return {
        name: around.store.get(name, version) for name, version in sorted(refs) if name.startswith(f"{each.service}.")
    }


def _tidy(backup: Backup, shelf: Shelf, keep: int | None, emit: Emit) -> None:
    """Remove backups of the service beyond those that stay, and what killed processes left."""
    older = backups_of(shelf.store, backup.stack, backup.service)[keep:] if keep is not None else ()
    for folder in (*(each.folder for each in older), *unfinished(shelf.store, backup.stack, backup.service)):
        emit(Event(backup.service, f"removing {folder.rpartition('/')[2]}"))
        saving.drop(folder, shelf.store)
    shelf.store.tidy(f"{backup.stack}/{backup.service}")
