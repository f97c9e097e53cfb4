"""What becomes of a move that was cut off: finished where ``mlox.yaml`` says so already, else taken back.

A restore that was cut off is always taken back: what the backup has, it has still.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from mlox.apply.granting import copies, revoke, there_is
from mlox.apply.running import Run
from mlox.errors import Cancelled, LockedError, MloxError, SpecError, UnknownNameError
from mlox.plan import Plan
from mlox.protocols import Backend, Emit, Event, Passage
from mlox.resolve import resolve
from mlox.stack.surroundings import Surroundings
from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class _Between:
    """A service between two servers."""

    service: str
    source: str
    target: str


def settle(around: Surroundings, emit: Emit, *, noted: bool = False) -> tuple[str, ...]:
    """Finish or take back every move and every restore that is under way; the stack is held.

    Starts nothing but what has a part of it, as a PostgreSQL has tables.

    What ``mlox.yaml`` says is where the service is: a copy that has arrived there stands for it, and the source is
    removed; any other copy is removed. Where one of the servers cannot be reached, both are left as they are.

    Args:
        noted: of what is finished, the note stays, since what was stopped is yet to be started.

    Returns:
        The services that were stopped meanwhile, and should run again.

    Raises:
        LockedError, Cancelled: somebody else holds one of the servers.
    """
    found: dict[_Between, None] = {}
    stopped: dict[str, None] = {}
    for server, backend in around.backends.items():
        for passage in backend.passages(around.spec.id or ""):
            if passage.role == "restoring":
                stopped |= dict.fromkeys(_unrestored(around, backend, passage, emit))
                continue
            leaving = passage.role == "leaving"
            source, target = (server, passage.other) if leaving else (passage.other, server)
            found[_Between(passage.service, source, target)] = None
    for each in found:
        try:
            stopped |= dict.fromkeys(_settle(around, each, emit, noted))
        except (LockedError, Cancelled):
            raise
        except MloxError as error:
            told = f"its move from {each.source} to {each.target} is not finished: {error.problem}"
            emit(Event(each.service, told, kind="warning"))
    return tuple(stopped)


def _settle(around: Surroundings, each: _Between, emit: Emit, noted: bool) -> tuple[str, ...]:
    stack = around.spec.id or ""
    source, target = around.backend(each.source), around.backend(each.target)
    if around.hold is not None:
        around.hold.take(source)
        around.hold.take(target)
    leaving, coming = _noted(source, stack, each), _noted(target, stack, each)
    written = around.workspace.read().services.get(each.service)
    if written is None:  # by hand; nobody can say which of the two it was
        return ()
    if coming is not None and coming.role == "arrived" and written.server == each.target:
        if leaving is not None:
            emit(Event(each.service, f"removing what it was on {each.source}"))
            _purge(around, source, each.service, emit)
        if not noted:
            target.forget_passage(stack, each.service)
    elif leaving is not None:
        if coming is not None:
            emit(Event(each.service, f"removing the copy on {each.target}, which did not take its place"))
            _purge(around, target, each.service, emit)
            target.forget_passage(stack, each.service)
        source.forget_passage(stack, each.service)
    else:  # its only data is there
        target.forget_passage(stack, each.service)
    return next((passage.stopped for passage in (leaving, coming) if passage is not None), ())


def _unrestored(around: Surroundings, backend: Backend, passage: Passage, emit: Emit) -> tuple[str, ...]:
    """Take back a restore that was cut off; what was stopped for it."""
    stack = around.spec.id or ""
    if around.hold is not None:
        around.hold.take(backend)
    emit(Event(passage.service, "taking back a restore that was cut off", kind="warning"))
    run = Run(Plan(stack), around.seams(), emit, threading.Event())
    if passage.other:
        backend.take_back(stack, passage.service)
        units = [o.unit for o in backend.observe(stack, passage.service)]
        _awake(units, run)
        copies("take_back", units, run.seams, emit)
        backend.settle(stack, passage.service)
    else:
        units = _as_it_was_to_be(around, backend, passage.service)
        _awake(units, run)
        for unit in units:
            revoke(unit, (), run.seams, emit)
        _purge(around, backend, passage.service, emit)
    backend.forget_passage(stack, passage.service)
    return passage.stopped


def _as_it_was_to_be(around: Surroundings, backend: Backend, service: str) -> list[Unit]:
    """The units that a restore was to make, as they are there, else as ``mlox.yaml`` has them."""
    there = [o.unit for o in backend.observe(around.spec.id or "", service)]
    if there or service not in around.spec.services:
        return there
    try:
        return [unit for unit in resolve(around.spec, [service], around.world(around.spec)) if unit.service == service]
    except MloxError:  # it cannot be started as it is written: nobody uses its accounts
        return []


def _awake(units: Iterable[Unit], run: Run) -> None:
    """Start the providers that have a part of what is taken back, where they do not run."""
    for unit in units:
        for each in unit.grants:
            there = there_is(unit, each, run.seams)
            if there is not None and there.state == "stopped":
                run.start(there.unit)


def _noted(backend: Backend, stack: str, each: _Between) -> Passage | None:
    return next((p for p in backend.passages(stack) if p.service == each.service), None)


def _purge(around: Surroundings, backend: Backend, service: str, emit: Emit) -> None:
    """Remove a service from a server, also what was never started of it."""
    stack = around.spec.id or ""
    names = {o.name: None for o in backend.observe(stack, service)}
    with contextlib.suppress(SpecError, UnknownNameError):  # its catalog file is gone or broken
        names |= dict.fromkeys(around.service(service).units)
    for name in names:
        backend.stop(stack, service, name, purge=False, emit=emit)
    for name in names:
        backend.stop(stack, service, name, purge=True, emit=emit)
