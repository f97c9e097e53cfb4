"""How a running service is changed: what ran is kept until the new one is healthy, and comes back where it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from mlox.apply.granting import Copying
from mlox.errors import DriftError, LockedError, MloxError, RolledBackError, ServiceError
from mlox.plan import Action
from mlox.protocols import Backend, Emit, Event, Kept
from mlox.units import Unit


class Update:
    """The change of one service, on its server.

    Args:
        actions: what the plan says of its units. ``units``: all of them, ready to start.
        begin: starts one unit; ``gate`` waits until it is healthy; ``copies`` does so with what they have at providers.
    """

    def __init__(
        self,
        backend: Backend,
        actions: Sequence[Action],
        units: Sequence[Unit],
        begin: Callable[[Unit], None],
        gate: Callable[[Unit], None],
        copies: Callable[[Copying], None],
        emit: Emit,
    ) -> None:
        self.backend = backend
        self.actions = [action for action in actions if action.before and action.before.server == action.server]
        self.units = units
        self.begin = begin
        self.gate = gate
        self.copies = copies
        self.emit = emit
        self.was: Literal["healthy", "alive", "stopped"] = "healthy"

    @property
    def replaces(self) -> bool:
        """Whether units take the place of others; else a change that was cut off only goes on, or nothing changes."""
        return any(action.kind in ("update", "replace") for action in self.actions)

    @property
    def migrates(self) -> bool:
        """Whether the version is another one than what there is or was, which may change what is at providers too."""
        others = any(action.before and action.before.version != action.about.version for action in self.actions)
        return others or any(reason.field == "version" for action in self.actions for reason in action.reasons)

    @contextlib.contextmanager
    def undone_on_failure(self, finished: Callable[[], bool]) -> Iterator[None]:
        """Keep what runs; settle where what is done inside succeeds and is ``finished``, else bring back what ran.

        Raises:
            RolledBackError: what ran before runs again.
            ServiceError: going back failed too; what was kept is still kept.
            LockedError, DriftError: somebody else is at work there; what was kept is still kept.
        """
        if not self.actions:
            yield
            return
        stack, service = self.actions[0].about.stack, self.actions[0].service
        kept = self.replaces and self._keep(stack, service)
        try:
            if kept and self.migrates:
                self.copies("keep")
            yield
        except (LockedError, DriftError):
            raise
        except MloxError as error:
            self._go_back(stack, service, error)
        else:
            if finished():
                self._settle(stack, service)

    def _keep(self, stack: str, service: str) -> bool:
        """Keep what there is; whether it was not taken back instead, since that is what is asked for."""
        for unit in self.units:
            self.backend.prepare(unit, self.emit)
        there = self.backend.observe(stack, service)
        alive = [o for o in there if o.state != "stopped"]
        well = len(alive) == len(there) and all(self.backend.probe(o.unit).healthy for o in there)
        if any(o.previous for o in there) and well:
            self._settle(stack, service)  # a change that was cut off turned out well after all
        elif not any(o.previous for o in there):
            if self.migrates:
                self.copies("forget")  # one that was killed after it was settled left them
            self.was = "healthy" if well else "alive" if alive else "stopped"
        elif self._is_back({o.key: o.previous for o in there}):
            self._take_back(stack, service)
            return False
        data = any(action.undo == "data" for action in self.actions)
        self.emit(Event(service, "stopping, keeping a copy of its data" if data else "stopping"))
        kept = self.backend.keep(stack, service, data=data)
        if data and not kept.data:
            self.emit(Event(service, f"no copy of its data is kept: {kept.note}", kind="warning"))
        return True

    def _take_back(self, stack: str, service: str) -> Kept:
        if self.migrates:
            for unit in self.units:
                self.backend.stop(stack, service, unit.name, purge=False, emit=self.emit)
            self.copies("take_back")
        return self.backend.take_back(stack, service)

    def _settle(self, stack: str, service: str) -> None:
        self.backend.settle(stack, service)
        if self.migrates:
            self.copies("forget")

    def _is_back(self, previous: Mapping[str, Unit | None]) -> bool:
        """Whether what is asked for is what a change that was cut off has kept: then its data comes back too."""
        before = [previous.get(unit.key) for unit in self.units]
        return all(b is not None and b.intent == unit.intent for b, unit in zip(before, self.units, strict=True))

    def _go_back(self, stack: str, service: str, error: MloxError) -> None:
        self.emit(Event(service, f"going back to what ran before: {error.problem.splitlines()[0]}", kind="warning"))
        try:
            back = self._take_back(stack, service)
            for unit in back.units if self.was != "stopped" else ():
                self.begin(unit)
                if self.was == "healthy":
                    self.gate(unit)
            self._settle(stack, service)
        except LockedError:
            raise
        except MloxError as second:
            raise ServiceError(
                f"{error.problem}\n{service} could not go back to what it was either: {second.problem}",
                hint=f"Mend that, then `mlox up {service}`; its data is kept.",
            ) from error
        if not back.units:
            raise error
        raise RolledBackError(
            f"{error.problem}\n{service} {'is stopped' if self.was == 'stopped' else 'runs'} again as before"
            f"{self._how(back)}",
            hint=f"Mend that, then `mlox up {service}`; until then it is as before.",
        ) from error

    def _how(self, back: Kept) -> str:
        """As what it is there again, and what became of its data."""
        ours = {unit.key: dict(unit.intent) for unit in self.units}
        fields = {
            field.removeprefix("options."): value
            for unit in back.units
            for field, value in unit.intent
            if ours.get(unit.key, {}).get(field) != value and not field.startswith("secrets.")
        }
        told = f" ({', '.join(f'{field}: {value}' for field, value in fields.items())})" if fields else ""
        if back.data:
            return f"{told}, with its data as it was; what the failed one made of it is in {back.aside}"
        if any(action.undo == "data" for action in self.actions):
            return f"{told}; its data is as the failed one left it, since there was no copy"
        return told
