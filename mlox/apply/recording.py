"""How an application of a plan gets into the stack's history: when it begins, and when it has come to its end."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace

from mlox.apply.seams import Applied, Seams
from mlox.errors import Cancelled, LockedError, MloxError, RolledBackError
from mlox.leases import this_process
from mlox.plan import Plan
from mlox.protocols import Backend, Emit, Entry, Event, Outcome, Step
from mlox.secret import Secret, made_values, mask

TOLD = 300
"""How much of a failure is kept."""


@contextlib.contextmanager
def recorded(plan: Plan, seams: Seams, applied: Applied, emit: Emit) -> Iterator[None]:
    """Note that a plan is carried out, on each server that it changes, and what came of it; nothing of an empty plan.

    A history that cannot be written stops nobody: on a full disk it is `down` that helps.
    """
    if not plan.actions:
        yield
        return
    who = seams.holder or this_process()
    steps = tuple(Step(a.kind, a.service, a.unit, a.server, tuple(map(str, a.reasons))) for a in plan.actions)
    entry = Entry(secrets.token_hex(6), who.token, time.time(), who.user, who.host, who.program, plan.digest, steps)
    _keep(plan, seams, entry, emit)
    try:
        yield
    except LockedError:  # it is somebody else's by now, who notes that this was interrupted
        raise
    except BaseException as error:
        outcome: Outcome = (
            "failed" if isinstance(error, MloxError) and not isinstance(error, Cancelled) else "cancelled"
        )
        _keep(plan, seams, _ended(entry, applied, outcome), emit)
        raise
    _keep(plan, seams, _ended(entry, applied, _outcome(applied)), emit)


def _outcome(applied: Applied) -> Outcome:
    if not applied.failed:
        return "done"
    back = all(isinstance(error, RolledBackError) for error in applied.failed.values())
    return "rolled back" if back else "failed"


def _ended(entry: Entry, applied: Applied, outcome: Outcome) -> Entry:
    values = [Secret(value) for value in made_values()]
    told = tuple(
        (name, mask(error.problem.partition("\n")[0], values)[:TOLD]) for name, error in applied.failed.items()
    )
    return replace(entry, outcome=outcome, ended=time.time(), failures=told)


def _keep(plan: Plan, seams: Seams, entry: Entry, emit: Emit) -> None:
    servers: dict[int, Backend] = {}
    for action in plan.actions:
        backend = seams.backends[action.server]
        servers[id(backend)] = backend
    for backend in servers.values():
        try:
            backend.record(plan.stack, entry)
        except LockedError:
            raise
        except MloxError as error:
            emit(Event("", f"the history was not written: {error.problem}", kind="warning"))
