"""How an upgrade and a rollback go: a backup, then the other version, each with a way back of its own."""

from __future__ import annotations

import threading
from dataclasses import replace

from mlox.apply.saving import Shelf
from mlox.errors import MloxError, PartialError
from mlox.protocols import Emit
from mlox.stack.converging import converge
from mlox.stack.joining import with_service
from mlox.stack.restoring import plan_restore, restore_service
from mlox.stack.saving import back_up
from mlox.stack.surroundings import Surroundings
from mlox.stack.upgrading import UpgradePlan, back_to, plan_rollback, plan_upgrade
from mlox.values.saved import Upgraded


def told(plan: UpgradePlan) -> Upgraded:
    """What an upgrade or a rollback will do, as a value."""
    how = "on the data that it has"
    if plan.dumps:
        how = "its data goes by its own dump into an empty service, and is compared"
    elif plan.goes_back:
        how = "with the data of then; what it holds now is saved first"
    return Upgraded(plan.name, plan.before, plan.after, how, plan.stops)


def upgrade(
    around: Surroundings, name: str, version: str | None, shelf: Shelf, *, backup: bool, emit: Emit
) -> Upgraded:
    """Give a service another version; the stack is held. See :meth:`mlox.stack.Stack.upgrade`.

    Raises:
        RolledBackError: it failed; the service runs in its old version, with its data.
    """
    plan = plan_upgrade(around, name, version)
    value = told(plan)
    if plan.before == plan.after:
        return value
    if backup or plan.dumps:
        (saved,) = back_up(around, (name,), shelf, keep=None, emit=emit)
        value = replace(value, saved=saved)
        if plan.dumps:
            again = plan_restore(replace(around), saved, name, shelf, version=plan.after)
            return replace(value, deployed=restore_service(replace(around), again, shelf, emit=emit).deployed)
    spec = with_service(around.spec, name, {**around.spec.services[name].model_dump(), "version": plan.after})
    after = replace(around, spec=spec)
    try:
        done = converge(around, after, (name,), prune=False, digest=None, emit=emit, cancel=threading.Event())
    except (MloxError, KeyboardInterrupt) as error:
        around.workspace.put_service(name, {"version": around.spec.services[name].version})
        if isinstance(error, PartialError) and [failed for failed, _ in error.failures] == [name]:
            raise error.failures[0][1] from None  # that its providers run was not what was asked for
        raise
    return replace(value, deployed=done)


def rollback(around: Surroundings, name: str, shelf: Shelf, *, emit: Emit) -> Upgraded:
    """Bring back the version before; the stack is held. See :meth:`mlox.stack.Stack.rollback`.

    Raises:
        RolledBackError: it failed; the service is as it was.
    """
    plan, back = plan_rollback(around, name, shelf.store), back_to(around, name, shelf.store)
    (saved,) = back_up(around, (name,), shelf, keep=None, emit=emit)
    again = plan_restore(replace(around), back, name, shelf, version=plan.after)
    done = restore_service(replace(around), again, shelf, emit=emit).deployed
    return replace(told(plan), saved=saved, deployed=done)
