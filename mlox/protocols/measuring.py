"""What a unit uses: counters that back ends read, and the share of a core that lies between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class Usage:
    """What one unit uses, as counters and amounts; what nobody can tell is None.

    Attributes:
        cpu_s: seconds of a core that all of its processes took since they began, those that ended meanwhile included.
        at_s: when that was read, in seconds of a clock that only this back end's other readings share.
        run: which start of the unit it is; another one after each restart, empty where it does not run.
        memory_bytes: what its processes hold in memory.
        restarts: how often it was started again by itself since it was started.
    """

    cpu_s: float | None = None
    at_s: float = 0.0
    run: str = ""
    memory_bytes: int | None = None
    restarts: int = 0


class Measuring(Protocol):
    """What measures units: a part of every back end. How long a probe took is in :class:`Health`."""

    def usage(self, units: Sequence[Unit]) -> tuple[Usage, ...]:
        """What each unit uses right now, in their order; an empty :class:`Usage` of what there is not."""

    def data_bytes(self, units: Sequence[Unit]) -> tuple[Mapping[str, int] | None, ...]:
        """How many bytes each place of data takes on the disk, for each unit, in their order.

        A place that several units share has the same name in each. None: a unit has no data, or counting it takes too
        long, or is not allowed.
        """


def cpu_percent(before: Usage, after: Usage) -> float | None:
    """The share of a core that a unit took between two readings: 100 is one whole core, 200 are two.

    Where the unit was started again in between, what was counted since then counts. None where it does not run.

    Example:
        >>> cpu_percent(Usage(1.0, 10.0, "a"), Usage(2.0, 12.0, "a"))
        50.0
        >>> cpu_percent(Usage(90.0, 10.0, "a"), Usage(1.0, 12.0, "b"))
        50.0
    """
    passed_s = after.at_s - before.at_s
    if after.cpu_s is None or passed_s <= 0:
        return None
    began = before.cpu_s if before.run == after.run and before.cpu_s is not None else 0.0
    return max(after.cpu_s - began, 0.0) / passed_s * 100
