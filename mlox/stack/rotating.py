"""How a service's secret is rotated: a new version, what knows it starts with that; on failure the old one is back."""

from __future__ import annotations

import secrets as randomness
import threading
from dataclasses import replace

from mlox.apply import ALPHABET, Applied, apply, take_back
from mlox.errors import MloxError, ServiceError, UnknownNameError, UsageError
from mlox.plan import Action, Plan
from mlox.protocols import Emit, Event
from mlox.secret import Secret
from mlox.specs import SecretSpec
from mlox.stack.clients import renew_files
from mlox.stack.operations import granted, outcome, plan_up
from mlox.stack.surroundings import Surroundings
from mlox.values import Deployed


def rotate(around: Surroundings, name: str, *, emit: Emit) -> Deployed:
    """Make a new value for a service's secret and start with it what knows it; the stack's lock is held.

    A rotation that was killed is finished instead: its value is new already.

    Raises:
        UsageError: nobody can rotate it, or what knows it does not run as ``mlox.yaml`` says.
        ServiceError: it failed; what the problem says is how things stand now.
    """
    length = rotatable(around, name).generate or 0
    users = knowing(around, name)
    plan = plan_up(around, around.spec, users, prune=False)
    if plan.actions and all(_by_secrets_alone(action) for action in plan.actions):
        emit(Event(name.partition(".")[0], "finishing a rotation that was interrupted"))
        applied = _applied(plan, around, emit)
        renew_files(_now(around))
        return outcome(plan, applied, _now(around), ())
    if plan.actions:
        waiting = ", ".join(dict.fromkeys(action.service for action in plan.actions))
        raise UsageError(
            f"{waiting} does not run as mlox.yaml says; {name} was not touched", hint="Run `mlox up` first, then again."
        )
    old = around.store.get(name)
    around.store.set(name, Secret("".join(randomness.choice(ALPHABET) for _ in range(length))))
    new = around.store.get(name)
    plan = plan_up(_now(around), around.spec, users, prune=False)
    applied = _applied(plan, around, emit)
    if applied.failed:
        failed = next(iter(applied.failed.values()))
        emit(Event(name.partition(".")[0], f"{failed.problem.splitlines()[0]}; going back", kind="warning"))
        raise _gone_back(around, plan, old, new, failed, emit, name)
    renew_files(_now(around))
    return outcome(plan, applied, _now(around), ())


def rotatable(around: Surroundings, name: str) -> SecretSpec:
    """What the catalog says of a secret that a service knows how to change.

    Raises:
        UsageError: it is a person's own, or nobody knows how to change it. SecretNotFoundError: there is no such.
    """
    service, _, key = name.partition(".")
    if service not in around.spec.services:
        around.secrets.get(name)
        raise UsageError(
            f"{name} is your own: no service here knows how to change it",
            hint=f"Change it where it was made, then: mlox secrets set {name}.",
        )
    entry = around.service(service)
    known = {**entry.secrets, **granted(around, service)}
    if key not in known:
        raise UnknownNameError.among("secret", name, [f"{service}.{each}" for each in known])
    if key in entry.secrets and not known[key].generate:
        raise UsageError(f"{name} is set by a person", hint=f"Set the new one: mlox secrets set {name}, then mlox up.")
    if key in entry.secrets and not known[key].rotate:
        raise UsageError(
            f"{name} cannot be rotated: {entry.name} brings no command for it, and a restart alone does not change "
            "what lives in a database",
            hint=f"Change it in {service} itself.",
        )
    return known[key]


def knowing(around: Surroundings, name: str) -> tuple[str, ...]:
    """The running services whose units use a secret; among them the one that it belongs to.

    Raises:
        UsageError: that one does not run.
    """
    alive = [o for o in around.observed.values() if o.state != "stopped"]
    users = {o.service for o in alive if any(ref.name == name for ref in o.unit.secrets)} & set(around.spec.services)
    owner = name.partition(".")[0]
    if owner not in users:
        raise UsageError(
            f"{owner} does not run, and only then can it change {name}", hint=f"Start it: mlox up {owner}."
        )
    return tuple(sorted(users))


def _by_secrets_alone(action: Action) -> bool:
    """Whether nothing but versions of secrets differs."""
    return bool(action.reasons) and all(reason.field.startswith("secrets.") for reason in action.reasons)


def _gone_back(
    around: Surroundings, plan: Plan, old: Secret, new: Secret, failed: MloxError, emit: Emit, name: str
) -> ServiceError:
    """Make the old value the one that counts again; returns what has to be told."""
    told = f"{name} was not rotated: {failed.problem}"
    try:
        for unit in plan.units:
            take_back(unit, name, old, new, around.seams(), emit)
        around.store.set(name, old)
        again = plan_up(_now(around), around.spec, {action.service for action in plan.actions}, prune=False)
        applied = _applied(again, around, emit)
    except MloxError as error:
        applied = Applied(failed={name: error})
    if applied.failed:
        worse = next(iter(applied.failed.values()))
        return ServiceError(
            f"{told}\ngoing back failed too: {worse.problem}\nboth values are kept", hint="Mend that, then: mlox up."
        )
    return ServiceError(f"{told}\nthe old value is back and works", hint=failed.hint or "Mend that, then again.")


def _applied(plan: Plan, around: Surroundings, emit: Emit) -> Applied:
    try:
        return apply(plan, around.seams(), emit=emit, cancel=threading.Event())
    except MloxError as error:
        return Applied(failed={plan.actions[0].service: error})


def _now(around: Surroundings) -> Surroundings:
    """The same, read anew."""
    return replace(around)
