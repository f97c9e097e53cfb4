"""What becomes of a move that was cut off: finished where ``mlox.yaml`` says so already, else taken back.

A restore that was cut off is always taken back: what the backup has, it has still.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from mlox.errors import Cancelled, LockedError, MloxError, SpecError, UnknownNameError
from mlox.protocols import Backend, Emit, Event, Passage
from mlox.stack.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class _Between:
    """A service between two servers."""

    service: str
    source: str
    target: str


def settle(around: Surroundings, emit: Emit, *, noted: bool = False) -> tuple[str, ...]:
    """Finish or take back every move and every restore that is under way; the stack is held. Starts nothing.

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
    if passage.other:
        backend.take_back(stack, passage.service)
        backend.settle(stack, passage.service)
    else:
        _purge(around, backend, passage.service, emit)
    backend.forget_passage(stack, passage.service)
    return passage.stopped


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
