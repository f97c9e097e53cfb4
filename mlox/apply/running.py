"""One application of a plan: its steps on each service, and what came of them."""

from __future__ import annotations

import contextlib
import secrets
import string
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from mlox.apply.displacing import displaced
from mlox.apply.granting import check_revocable, copies, forget_given, grant, revoke
from mlox.apply.health import await_health, look
from mlox.apply.rotating import rotate
from mlox.apply.seams import Applied, Seams
from mlox.apply.updating import Update
from mlox.errors import Cancelled, DriftError, LockedError, MloxError, SecretNotFoundError
from mlox.plan import Action, Plan, look_of
from mlox.protocols import Emit, Event
from mlox.secret import Secret
from mlox.units import SecretRef, Unit

ALPHABET = string.ascii_letters + string.digits
"""What generated secrets are made of: nothing that a URL, a shell or an ini file would have to quote."""


ENDING = ("stop", "remove")


class Run:
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
        self.lost = threading.Event()

    def attempt(self, service: str, step: Callable[[], None]) -> None:
        """Do one step and note how it went; only mlox's own errors are outcomes.

        Raises:
            LockedError: the stack was taken over; it ends all that is under way.
        """
        if self.cancel.is_set() or self.lost.is_set() or service in self.applied.failed:
            return
        try:
            step()
        except LockedError:
            self.lost.set()
            raise
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
        self._check_untouched(action)
        purge = action.kind == "remove"
        told = "stopping, removing its data" if purge and not action.about.forwards else "stopping"
        self.emit(Event(action.service, told))
        backend = self.seams.backends[action.server]
        if purge:
            check_revocable(action.about, self.removing, self.seams)
            forget_given(action.about, self.seams)
            backend.stop(action.about.stack, action.service, action.unit, purge=False, emit=self.emit)
            revoke(action.about, self.removing, self.seams, self.emit)
        backend.stop(action.about.stack, action.service, action.unit, purge=purge, emit=self.emit)
        if purge:
            self._forget(action)
        self.emit(Event(action.service, "removed" if purge else "stopped", kind="done"))

    def bring_up(self, units: tuple[Unit, ...]) -> None:
        """Start what the plan says of one service, then wait until all of it is healthy; what fails is undone.

        Raises:
            DriftError: somebody else changed a unit since the plan was made.
        """
        backend = self.seams.backends[units[0].server]
        actions = [action for unit in units if (action := self.actions.get(unit.key)) and action.kind not in ENDING]
        for action in actions:
            self._check_untouched(action)
        acting = {action.key for action in actions}
        ready = [self.ready(unit) if unit.key in acting else unit for unit in units]
        given = partial(copies, units=ready, seams=self.seams, emit=self.emit)
        update = Update(backend, actions, ready, self._begin, self._gate, given, self.emit)
        elsewhere = displaced(actions, self.seams, self.start, self._going_on, self.emit)
        with elsewhere, update.undone_on_failure(self._going_on):
            for unit in ready:
                if self.cancel.is_set():
                    return
                if unit.key in acting:
                    rotate(unit, self.seams, self.emit, self.start)
                if unit.key in acting or update.replaces:
                    self._begin(unit)
                self._gate(unit)
        if acting:
            self.emit(Event(units[0].service, "running", kind="done"))

    def _going_on(self) -> bool:
        return not self.cancel.is_set()

    def start(self, unit: Unit) -> None:
        """Start a unit that is :meth:`ready`, and wait until it is healthy."""
        self._begin(unit)
        self._gate(unit)

    def _begin(self, unit: Unit) -> None:
        """Start a unit with the accounts that it needs."""
        values = self.secrets_of(unit)
        grant(unit, values, self.seams, self.emit, cancel=self.cancel)
        self.emit(Event(unit.service, "starting"))
        self.seams.backends[unit.server].start(unit, values, self.emit)

    def _gate(self, unit: Unit) -> None:
        held = partial(self.held, unit)
        await_health(unit, self.seams.backends[unit.server], held, emit=self.emit, cancel=self.cancel)

    def _check_untouched(self, action: Action) -> None:
        """Raise a :class:`DriftError` where a unit is not as it was when the plan was made."""
        there = look(self.seams.backends[action.leaves or action.server], action.about)
        if look_of(there) != action.seen:
            how = "was removed" if there is None else "was stopped" if there.state == "stopped" else "was changed"
            if not action.seen:
                how = "was created"
            elif there is not None and there.state != "stopped" and action.seen.endswith(" stopped"):
                how = "was started"
            raise DriftError(
                f"{action.service} {how} by somebody else since the plan was made; it was left as it is",
                hint="Run the same command again.",
            )

    def ready(self, unit: Unit) -> Unit:
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

    def secrets_of(self, unit: Unit) -> dict[str, Secret]:
        """The secrets of a unit by its own keys."""
        return {ref.key: self.seams.store.get(ref.name, ref.version or None) for ref in unit.secrets}

    def held(self, unit: Unit) -> list[Secret]:
        """What has to be masked in what a unit writes."""
        return list(self.secrets_of(self.ready(unit)).values())

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
