"""The watcher as a supervised unit of this machine: what it runs, whether it does, how it starts and ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mlox.apply import apply
from mlox.errors import IdentityError, MloxError
from mlox.plan import Plan, fingerprint, make_down_plan, make_plan
from mlox.protocols import Emit, Event, Observed
from mlox.stack.surroundings import Surroundings
from mlox.stack.telling import secrets_named
from mlox.stack.watched import SERVER, WATCHER, find_watcher, this_machine
from mlox.stack.watching import check_rules
from mlox.units import Unit
from mlox.variables import literal

PASSED = (
    *("HOME", "PYTHONPATH", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "MLOX_IDENTITY"),
    *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"),
)
"""What it needs of the user's environment, so that it finds the same servers and opens the same vault."""


def watcher_unit(around: Surroundings, interval_s: float, profile: str | None) -> Unit:
    """What a watcher of this workspace runs: ``mlox watch``, in the user's own name.

    Raises:
        IdentityError: the key of the vault is a value in this process' environment, which goes nowhere else.
    """
    words = ["-C", str(around.workspace.root), *(("--profile", profile) if profile else ())]
    words += ["watch", "--interval", f"{interval_s:g}s"]
    return Unit(
        stack=around.spec.id or "",
        service=WATCHER,
        name="server",
        catalog="watcher",
        version="1",
        server=SERVER,
        backend="native",
        command=tuple(map(literal, words)),
        environment=tuple((name, literal(value)) for name, value in _environment(around)),
        stop_grace_s=5,
        watches=True,
        intent=(("catalog", "watcher"), ("words", " ".join(words))),
    )


def plan_watch(around: Surroundings, interval_s: float, profile: str | None) -> Plan:
    """What starts the watcher, or has it look at another pace; nothing where it runs so.

    Raises:
        UsageError, UnknownNameError: there is nothing to watch. SecretError: what it needs to tell cannot be read.
    """
    check_rules(around.spec)
    check_secrets(around)
    return _planned(around, watcher_unit(around, interval_s, profile), find_watcher(around))


def plan_unwatch(around: Surroundings, *, purge: bool = True) -> Plan:
    """What ends the watcher; nothing where there is none."""
    there = find_watcher(around)
    plan = make_down_plan(around.spec.id or "", (there,) if there else (), (WATCHER,), purge=purge)
    return replace(plan, seen=_seen(around))


def carry_out(plan: Plan, around: Surroundings, emit: Emit) -> None:
    """Do it; the stack's lock is held.

    Raises:
        MloxError: it failed.
    """
    seams = replace(around.seams(), backends={SERVER: this_machine(around)})
    applied = apply(plan, seams, emit=emit, cancel=threading.Event())
    for error in applied.failed.values():
        raise error


def wake(there: Observed, around: Surroundings, emit: Emit) -> None:
    """Start a watcher again that does not run; a failure is told, and stops nobody."""
    try:
        carry_out(_planned(around, there.unit, there), around, emit)
    except MloxError as error:
        emit(Event(WATCHER, f"it did not start: {error.problem}", kind="warning"))


def let_go(around: Surroundings, emit: Emit, *, purge: bool) -> None:
    """Stop the watcher, or remove it; nothing runs any more that it could watch."""
    carry_out(plan_unwatch(around, purge=purge), around, emit)


def check_secrets(around: Surroundings) -> None:
    """Refuse where a watcher could not read what it needs to tell; the environment of this process is not its own.

    Raises:
        SecretError: one is nowhere, or cannot be opened.
    """
    for name in secrets_named(around.spec.alerts.tell):
        stores = [store for store in around.stores[1:] if name in store.names()]
        (stores[0] if stores else around.vault).get(name)


def _planned(around: Surroundings, unit: Unit, there: Observed | None) -> Plan:
    made = make_plan(around.spec.id or "", (unit,), (there,) if there else (), listed=(WATCHER,), here=(SERVER,))
    return replace(made, seen=_seen(around))


def _seen(around: Surroundings) -> str:
    """What ``apply`` compares: the services on this machine, which such a plan leaves alone."""
    return fingerprint(this_machine(around).observe(around.spec.id))


def _environment(around: Surroundings) -> Iterator[tuple[str, str]]:
    yield "MLOX_DATA_HOME", str(around.home)
    for name in PASSED:
        value = os.environ.get(name, "")
        if name == "MLOX_IDENTITY" and value:
            if "\n" in value or not Path(value).expanduser().is_file():
                if not secrets_named(around.spec.alerts.tell):
                    continue
                raise IdentityError(
                    "the key of the vault is a value in MLOX_IDENTITY, which a watcher does not get",
                    hint="Set it to the path of a file with the key, or keep the key here: mlox secrets key load.",
                )
            value = str(Path(value).expanduser().absolute())
        if value:
            yield name, value
