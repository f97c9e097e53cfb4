"""What the fake back end does beside starting and stopping: leases, commands beside a unit, changes by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlox.leases import Holder, Lease
from mlox.protocols import Deviation, Entry, Write, with_entry
from mlox.secret import Secret
from mlox.testing.commands import FakeCommands
from mlox.testing.held import Held
from mlox.testing.leases import FakeLeases
from mlox.units import Unit

UnitKey = tuple[str, str, str]


class FakeAround:
    """A part of :class:`~mlox.testing.backend.FakeBackend`.

    Attributes:
        leases: who holds which stack, and the clock of that.
        execs: what ``exec`` can run.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[UnitKey, Held] = {}
        self.leases = FakeLeases()
        self._history: dict[str, tuple[Entry, ...]] = {}
        self.execs = FakeCommands(self._held)

    def lease(self, stack: str, holder: Holder) -> Lease | Holder:
        """The right to change a stack, by the clock of ``leases``."""
        return self.leases.lease(stack, holder)

    def holder(self, stack: str) -> Holder | None:
        """Who has that right now."""
        return self.leases.holder(stack)

    def deviations(self, unit: Unit, secrets: Mapping[str, Secret]) -> tuple[Deviation, ...]:
        """What :meth:`tamper` did since the unit was started."""
        del secrets
        held = self._held.get((unit.stack, unit.service, unit.name))
        return tuple(held.deviations) if held is not None else ()

    def tamper(self, unit: Unit, deviation: Deviation) -> None:
        """Change something of a unit by hand."""
        self._held[unit.stack, unit.service, unit.name].deviations.append(deviation)

    def record(self, stack: str, entry: Entry) -> None:
        """Keep what is done to a stack."""
        self._history[stack] = with_entry(self.history(stack), entry)

    def history(self, stack: str) -> tuple[Entry, ...]:
        """What was done to a stack, the oldest first."""
        return self._history.get(stack, ())

    def forget(self, stack: str) -> None:
        """Forget that."""
        self._history.pop(stack, None)

    def exec(self, unit: Unit, argv: Sequence[str], *, input: int | None, write: Write | None) -> int:
        """Run one of ``execs.programs``.

        Raises:
            ServiceError: the unit does not run. RequirementError: a terminal was asked for.
        """
        return self.execs.exec(unit, argv, input=input, write=write)
