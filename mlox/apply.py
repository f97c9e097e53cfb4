"""How a plan becomes effects: the one place that moves machines, through the seams, providers before consumers."""

from __future__ import annotations

import contextlib
import secrets
import string
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from graphlib import TopologicalSorter
from typing import Protocol

from mlox.errors import (
    Cancelled,
    DriftError,
    MloxError,
    NotHealthyError,
    PortTakenError,
    SecretNotFoundError,
    ServiceError,
)
from mlox.plan import Action, Plan, fingerprint
from mlox.protocols import Backend, Emit, Event, WritableStore
from mlox.secret import Secret, mask
from mlox.units import SecretRef, Software, Unit

WORKERS = 4
LAST_LINES = 15
POLL_S = 0.1
UNPROBED_S = 60.0
"""How long a unit without a probe may take until its process stays."""

ALPHABET = string.ascii_letters + string.digits
"""What generated secrets are made of: nothing that a URL, a shell or an ini file would have to quote."""


class Pins(Protocol):
    """Where exact package versions are written down."""

    def put(self, software: Software) -> None:
        """Keep the pins of these packages."""


@dataclass(frozen=True, slots=True)
class Seams:
    """What ``apply`` acts through: a back end for each server, the store of generated secrets, the lock file."""

    backends: Mapping[str, Backend]
    store: WritableStore
    pins: Pins


@dataclass(slots=True)
class Applied:
    """How it went: services that reached what the plan says, and the error of each that did not."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, MloxError] = field(default_factory=dict)


def apply(plan: Plan, seams: Seams, *, emit: Emit, cancel: threading.Event) -> Applied:
    """Carry out ``plan``; returns when every service is healthy, or has failed.

    A service whose provider failed is not touched. After ``cancel`` is set nothing new begins; what was started stays.

    Raises:
        DriftError: what there is is not what the plan was made from; nothing was changed.
        Cancelled: ``cancel`` was set.
    """
    _check_drift(plan, seams)
    run = _Run(plan, seams, emit, cancel)
    for action in plan.actions:
        if action.kind in ("stop", "remove"):
            run.attempt(action.service, partial(run.take_down, action))
    _in_order(plan, run)
    if cancel.is_set():
        raise Cancelled("interrupted; what was started stays", hint="Run the same command again to go on.")
    return run.applied


class _Run:
    """One application of a plan."""

    def __init__(self, plan: Plan, seams: Seams, emit: Emit, cancel: threading.Event) -> None:
        self.actions = {action.key: action for action in plan.actions}
        self.seams = seams
        self.emit = emit
        self.cancel = cancel
        self.applied = Applied()
        self.removing = Counter(action.service for action in plan.actions if action.kind == "remove")
        self.forgotten: dict[str, set[str]] = {}
        self.generated: dict[str, str] = {}
        self.writing = threading.Lock()

    def attempt(self, service: str, step: Callable[[], None]) -> None:
        """Do one step and note how it went; only mlox's own errors are outcomes."""
        if self.cancel.is_set() or service in self.applied.failed:
            return
        try:
            step()
        except MloxError as error:
            if not isinstance(error, Cancelled):
                self.applied.failed[service] = error
                self.applied.done = [name for name in self.applied.done if name != service]
                self.emit(Event(service, error.problem.splitlines()[0], kind="failed"))
        else:
            if service not in self.applied.done:
                self.applied.done.append(service)

    def take_down(self, action: Action) -> None:
        """Stop one unit; where it is removed, its data and the secrets that were generated for it go too."""
        purge = action.kind == "remove"
        self.emit(Event(action.service, "stopping" if not purge else "stopping, removing its data"))
        backend = self.seams.backends[action.server]
        backend.stop(action.about.stack, action.service, action.unit, purge=purge, emit=self.emit)
        if purge:
            self._forget(action)
        self.emit(Event(action.service, "removed" if purge else "stopped", kind="done"))

    def bring_up(self, units: tuple[Unit, ...]) -> None:
        """Start what the plan says of one service, then wait until all of it is healthy."""
        acted = False
        for unit in units:
            action = self.actions.get(unit.key)
            if self.cancel.is_set():
                return
            running = unit
            if action is not None and action.kind not in ("stop", "remove"):
                acted = True
                running = self._ready(unit)
                self.emit(Event(unit.service, "starting"))
                self.seams.backends[unit.server].start(running, self._secrets(running), self.emit)
            self._await_health(running)
        if acted:
            self.emit(Event(units[0].service, "running", kind="done"))

    def _ready(self, unit: Unit) -> Unit:
        """The unit with its software pinned and its secrets made."""
        software = unit.software
        if software.pending:
            software = self.seams.backends[unit.server].pin(software, self.emit)
        if software.pins:
            with self.writing:
                self.seams.pins.put(software)
        return unit.pinned(software).with_secrets(tuple(self._made(ref) for ref in unit.secrets))

    def _made(self, ref: SecretRef) -> SecretRef:
        if ref.version or not ref.generate:
            return ref
        with self.writing:
            if ref.name not in self.generated:
                value = "".join(secrets.choice(ALPHABET) for _ in range(ref.generate))
                self.generated[ref.name] = self.seams.store.set(ref.name, Secret(value))
            return replace(ref, version=self.generated[ref.name])

    def _secrets(self, unit: Unit) -> dict[str, Secret]:
        return {ref.key: self.seams.store.get(ref.name, ref.version or None) for ref in unit.secrets}

    def _forget(self, action: Action) -> None:
        """Take the generated secrets of a service out of the store, when the last of its units is gone."""
        own = {ref.name for ref in action.about.secrets if ref.generate and ref.name.startswith(f"{action.service}.")}
        names = self.forgotten.setdefault(action.service, set())
        names |= own
        self.removing[action.service] -= 1
        if not self.removing[action.service]:
            for name in sorted(names):
                with contextlib.suppress(SecretNotFoundError):
                    self.seams.store.delete(name)

    def _await_health(self, unit: Unit) -> None:
        """Wait for the probe; without one, until the process has stayed."""
        patience_s = unit.probe.start_timeout_s if unit.probe else UNPROBED_S
        backend = self.seams.backends[unit.server]
        began = time.monotonic()
        told = began
        while not self.cancel.is_set():
            health = backend.probe(unit)
            waited = time.monotonic() - began
            if health.healthy:
                return
            if health.dead:
                lines = self._last_lines(unit)
                backend.stop(unit.stack, unit.service, unit.name, purge=False, emit=self.emit)
                error = PortTakenError if health.robbed else ServiceError
                raise error(f"{unit.service} died at start: {health.detail}{lines}", hint=_look(unit, "Mend that"))
            if waited > patience_s:
                raise NotHealthyError(
                    f"{unit.service} is not healthy after {waited:.0f} s: {health.detail}{self._last_lines(unit)}",
                    hint=_look(unit, f"Look with `mlox logs {unit.service}`"),
                )
            if time.monotonic() - told > 5:
                told = time.monotonic()
                self.emit(Event(unit.service, f"waiting until it is healthy, {waited:.0f} s", kind="wait"))
            self.cancel.wait(POLL_S)

    def _last_lines(self, unit: Unit) -> str:
        lines = self.seams.backends[unit.server].logs(unit.stack, unit.service, unit.name, lines=LAST_LINES)
        text = mask("\n".join(lines), list(self._secrets(self._ready(unit)).values()))
        return f"; its last lines:\n{text}" if text else "; it wrote nothing"


def _look(unit: Unit, first: str) -> str:
    return f"{first}, then `mlox up {unit.service}`; its data is kept."


def _check_drift(plan: Plan, seams: Seams) -> None:
    servers = {action.server for action in plan.actions}
    if not servers:
        return
    observed = [
        o for backend in {id(b): b for b in seams.backends.values()}.values() for o in backend.observe(plan.stack)
    ]
    if fingerprint(observed) != plan.seen:
        raise DriftError("what runs has changed since the plan was made; nothing was done", hint="Make the plan again.")


def _in_order(plan: Plan, run: _Run) -> None:
    """Services of ``plan.units`` in parallel, each after those that it needs."""
    services: dict[str, tuple[Unit, ...]] = {}
    for unit in plan.units:
        services[unit.service] = (*services.get(unit.service, ()), unit)
    needs = {name: {n for unit in units for n in unit.after if n in services} for name, units in services.items()}
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="mlox-apply") as pool:
        waiting: dict[Future[None], str] = {}
        while sorter.is_active():
            for name in sorter.get_ready():
                broken = sorted(needs[name] & set(run.applied.failed))
                if broken:
                    run.applied.failed[name] = ServiceError(
                        f"{name} was not started: {', '.join(broken)}, which it needs, failed",
                        hint=f"Mend {broken[0]}, then `mlox up`.",
                    )
                waiting[pool.submit(run.attempt, name, partial(run.bring_up, services[name]))] = name
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                sorter.done(waiting.pop(future))
