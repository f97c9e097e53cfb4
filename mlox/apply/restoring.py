"""How a service gets the data of a backup: what is there is kept until the other runs and holds what it held."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlox.apply.accounts import accounts_of
from mlox.apply.granting import copies, revoke
from mlox.apply.running import Run
from mlox.apply.saving import About, Shelf, checked
from mlox.apply.seams import Seams
from mlox.apply.streaming import into
from mlox.apply.telling import first_difference, told
from mlox.backups import Backup, account_file
from mlox.errors import Cancelled, LockedError, MloxError, RequirementError, RolledBackError, ServiceError
from mlox.plan import Plan
from mlox.protocols import Backend, Emit, Event, Passage
from mlox.units import Unit

KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Restoration:
    """What is to be restored where.

    Attributes:
        before: the units as they are there; none where nothing is. ``after``: as they will run.
        consumers: the units that stop meanwhile. ``runs``: whether it ran before.
    """

    backup: Backup
    before: tuple[Unit, ...]
    after: tuple[Unit, ...]
    consumers: tuple[Unit, ...] = ()
    runs: bool = True

    @property
    def server(self) -> str:
        """Where it goes."""
        return self.after[0].server


def restore(
    what: Restoration, about: About, shelf: Shelf, seams: Seams, *, emit: Emit, commit: Callable[[], None]
) -> bool:
    """Put the data of a backup in the place of what is there, start it, and see that it holds the same; ``commit``.

    A note on the server says that this goes on: whoever finds it after a kill takes all of it back.

    Returns:
        Whether the service was asked what it holds; where nobody knows what it held, its data alone is compared.

    Raises:
        RolledBackError: it failed; the service is as it was, with its data.
        MloxError: it failed, and nothing was there before; or going back failed too.
    """
    seams = seams.guarded()
    backend = seams.backends[what.server]
    run = Run(Plan(what.after[0].stack), seams, emit, threading.Event())
    first = what.after[0]
    units = tuple(run.ready(unit) for unit in what.after)
    for unit in units:
        backend.prepare(replace(unit, ports=()), emit)
    copies("forget", what.before, seams, emit)  # one that was killed when all was done left them
    stopped = tuple(dict.fromkeys((first.service, *(unit.service for unit in what.consumers))))
    backend.note_passage(first.stack, Passage(first.service, "restoring", KEPT if what.before else "", stopped))
    try:
        for unit in what.consumers:
            emit(Event(unit.service, "stopping"))
            seams.backends[unit.server].stop(unit.stack, unit.service, unit.name, purge=False, emit=emit)
        _put_aside(what, backend, emit)
        copies("keep", what.before, seams, emit)
        compared = _bring_in(what, units, about, shelf, run, emit)
        commit()
    except LockedError:
        raise
    except (MloxError, KeyboardInterrupt) as error:
        _go_back(what, backend, run, error)
        raise
    backend.forget_passage(first.stack, first.service)
    backend.settle(first.stack, first.service)
    copies("forget", what.before, seams, emit)
    return compared


def _put_aside(what: Restoration, backend: Backend, emit: Emit) -> None:
    """Stop what is there and keep it, then remove its data.

    Raises:
        RequirementError: there is no room to keep it.
    """
    if not what.before:
        return
    first = what.before[0]
    emit(Event(first.service, "stopping, keeping a copy of its data"))
    kept = backend.keep(first.stack, first.service, data=True)
    if not kept.data and kept.note:
        raise RequirementError(
            f"there is no room to keep what {first.service} holds now: {kept.note}",
            hint=f"Free some disk space, or restore it under another name: mlox restore {first.service} --as NAME.",
        )
    backend.data_gone(what.before)


def _bring_in(what: Restoration, units: Sequence[Unit], about: About, shelf: Shelf, run: Run, emit: Emit) -> bool:
    """Put the data in, start the service, and compare; whether there was something to compare.

    Raises:
        ServiceError: it does not hold what it held.
    """
    backend, backup = run.seams.backends[what.server], what.backup
    data = checked(backup, shelf, emit, run.seams.check)
    if backup.how == "copy":
        backend.data_in(units, data, done=backup.jobs)
    accounts = accounts_of(units)
    for need in (need for need in backup.accounts if need in accounts):
        accounts[need].give(checked(backup, shelf, emit, run.seams.check, account_file(need)), run)
    for unit in units:
        run.start(unit)
    if backup.how == "dump":
        reader = next(unit for unit in units if unit.load)
        into(reader, reader.load, data, backend, lambda: run.held(reader))
    comparable = backup.how == "dump" or units[0].version == backup.version
    if not (about.held and comparable and any(unit.verify for unit in units)):
        return False
    now = told(units, backend, run)
    if now != about.held:
        was, became = first_difference(about.held, now)
        below = ", ".join(units[0].after)
        raise ServiceError(
            f"{units[0].service} does not hold what it held: {was!r} became {became!r}",
            hint=f"Part of it may be in {below}: restore that first."
            if below
            else "If somebody wrote to it while it was saved, take its data as it is: --unverified.",
        )
    return True


def _go_back(what: Restoration, backend: Backend, run: Run, error: MloxError | KeyboardInterrupt) -> None:
    """Take everything back, and start what ran.

    Raises:
        RolledBackError, Cancelled: it is as it was. ServiceError: that failed too.
    """
    first = what.after[0]
    problem = error.problem if isinstance(error, MloxError) else "interrupted"
    run.emit(Event(first.service, f"going back: {problem.splitlines()[0]}", kind="warning"))
    try:
        back = backend.take_back(first.stack, first.service)
        copies("take_back", what.before, run.seams, run.emit)
        if not what.before:
            take_out(backend, what.after, run.seams, run.emit)
        backend.forget_passage(first.stack, first.service)
        for unit in back.units if what.runs else ():
            run.start(unit)
        backend.settle(first.stack, first.service)
    except LockedError:
        raise
    except MloxError as second:
        raise ServiceError(
            f"{problem}\n{first.service} could not go back to what it was either: {second.problem}",
            hint=f"Mend that, then `mlox up {first.service}`; its data is kept.",
        ) from error
    if isinstance(error, KeyboardInterrupt):
        raise Cancelled(f"interrupted; {first.service} is as it was", hint="Look: mlox status.") from None
    if what.before:
        raise RolledBackError(
            f"{problem}\n{first.service} is as it was, with its data",
            hint=error.hint or "Mend that, then try it again.",
        ) from error


def take_out(backend: Backend, units: Sequence[Unit], seams: Seams, emit: Emit) -> None:
    """Remove a service with its accounts and what came of its data, also what was never started of it."""
    for unit in units:
        backend.stop(unit.stack, unit.service, unit.name, purge=False, emit=emit)
    for unit in units:
        revoke(unit, (), seams, emit)
        backend.stop(unit.stack, unit.service, unit.name, purge=True, emit=emit)
