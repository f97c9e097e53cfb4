"""How `up` gets a stack to what is written: plan, write down, apply; again where a port was taken meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import replace

from mlox.apply import Applied, apply
from mlox.errors import DriftError, PortTakenError
from mlox.protocols import Emit, Event
from mlox.stack.clients import renew_files
from mlox.stack.operations import outcome, plan_up, save
from mlox.stack.surroundings import Surroundings
from mlox.values import Deployed

ANOTHER_PORT = 3
"""How often another port is chosen."""


def converge(
    before: Surroundings,
    after: Surroundings,
    names: Collection[str],
    *,
    prune: bool,
    digest: str | None,
    emit: Emit,
    cancel: threading.Event,
) -> Deployed:
    """Start ``names`` of ``after``, which is ``before`` with what was asked for; the stack's lock is held.

    Raises:
        DriftError: the plan is not the one of ``digest``, or what runs changed meanwhile.
        MloxError: a service could not be started.
    """
    plan = plan_up(after, after.spec, names, prune)
    if digest is not None and digest != plan.digest:
        raise DriftError(f"the plan is now {plan.digest}, not {digest}", hint="Look at it again: mlox plan.")
    written = save(after.workspace, before.spec, after.spec)
    applied = apply(plan, after.seams(), emit=emit, cancel=cancel)
    for _ in range(ANOTHER_PORT if digest is None else 0):
        if not _lost_a_port(applied, emit):
            break
        again = plan_up(_now(after), after.spec, names, prune)
        applied = apply(again, after.seams(), emit=emit, cancel=cancel)
    reached = _now(after)
    renew_files(reached)
    return outcome(plan, applied, reached, written)


def _lost_a_port(applied: Applied, emit: Emit) -> bool:
    """Whether a service could not start because its port was taken meanwhile: then another plan helps."""
    lost = [name for name, error in applied.failed.items() if isinstance(error, PortTakenError)]
    for name in lost:
        emit(Event(name, "its port was taken meanwhile; choosing another", kind="warning"))
    return bool(lost)


def _now(around: Surroundings) -> Surroundings:
    """The same, read anew."""
    return replace(around)
