"""What the units of the back end in memory use: as much of a core as a test says, and what their data takes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from mlox.protocols import Observed, Usage
from mlox.specs import CONFIG
from mlox.testing.carrying import FakeCarrier
from mlox.testing.held import Held
from mlox.units import Unit

MEMORY_BYTES = 1 << 20


class FakeMeasuring(FakeCarrier):
    """A part of :class:`~mlox.testing.backend.FakeBackend`.

    Attributes:
        load: how many cores a unit keeps busy from its next look on, by ``service.unit``.
    """

    _held: dict[tuple[str, str, str], Held]

    def __init__(self) -> None:
        super().__init__()
        self.load: dict[str, float] = {}

    def measure(self, seen: Observed) -> Observed:
        """The same: all is told already."""
        return seen

    def usage(self, units: Sequence[Unit]) -> tuple[Usage, ...]:
        """A mebibyte and ``load`` of what runs."""
        return tuple(self._usage(unit) for unit in units)

    def data_bytes(self, units: Sequence[Unit]) -> tuple[Mapping[str, int] | None, ...]:
        """What ``data`` has of a service, in its first folder; its units share it."""
        return tuple(self._data_bytes(unit) for unit in units)

    def _usage(self, unit: Unit) -> Usage:
        held = self._held.get((unit.stack, unit.service, unit.name))
        if held is None:
            return Usage()
        if held.state != "running":
            return Usage(restarts=held.restarts)
        now = time.time()
        held.cpu_s += self.load.get(unit.key, 0.0) * (now - max(held.counted, held.since))
        held.counted = now
        return Usage(held.cpu_s, now, str(held.pid), MEMORY_BYTES, held.restarts)

    def _data_bytes(self, unit: Unit) -> Mapping[str, int] | None:
        folders = [path for name, path in unit.directories if name != CONFIG]
        return {folders[0]: self.data_size([unit])} if folders else None


def took_ms(unit: Unit) -> float | None:
    """How long its probe takes: a millisecond, where it has one."""
    return 1.0 if unit.probe is not None else None
