"""What the services of a stack use: counters of back ends become shares, units become services."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mlox.errors import MloxError
from mlox.protocols import Health, Observed, Usage, cpu_percent
from mlox.stack.reachable import Reachable
from mlox.stack.rows import PROBES_AT_ONCE, chosen_names, health_of, word_of, worst
from mlox.stack.surroundings import Surroundings
from mlox.values.stats import ServiceStats, Stats

INTERVAL_S = 0.5
"""How long CPU is watched where nobody has looked before."""

Key = tuple[str, str]
"""A server, and ``service.unit``."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is known of one unit."""

    seen: Observed
    usage: Usage
    health: Health | None
    cpu: float | None
    data: Mapping[str, int] | None


@dataclass
class Meter:
    """Looks at what services use, again and again: CPU is counted from one look to the next.

    Example:
        >>> import tempfile
        >>> from mlox.stack import Stack
        >>> Meter().look(Stack("churn", path=tempfile.mkdtemp()).surroundings()).services
        ()
    """

    before: dict[Key, Usage] = field(default_factory=dict)

    def look(self, around: Surroundings, names: Sequence[str] = ()) -> Stats:
        """What services use now; without names, all. The first look takes ``INTERVAL_S`` longer.

        Raises:
            UnknownNameError: there is no service of a name.
        """
        there = Reachable.within(around)
        there.check_names(tuple(names))
        chosen = chosen_names(there, names or None)
        units: dict[str, list[_Unit]] = {name: [] for name in chosen}
        lost: dict[str, str] = {}
        for server in there.backends:
            seen = [o for o in there.observed.values() if o.unit.server == server and o.service in units]
            try:
                for unit in self._measured(there, server, seen):
                    units[unit.seen.service].append(unit)
            except MloxError as error:  # it answered a moment ago
                lost |= {o.service: error.problem for o in seen}
        return Stats(tuple(_row(name, units[name], lost.get(name) or there.lost(name)) for name in chosen))

    def _measured(self, around: Reachable, server: str, seen: Sequence[Observed]) -> list[_Unit]:
        if not seen:
            return []
        backend, units = around.backends[server], [o.unit for o in seen]
        fresh = [o.unit for o in seen if (server, o.key) not in self.before and o.state != "stopped"]
        if fresh:
            first = dict(zip((unit.key for unit in fresh), backend.usage(fresh), strict=True))
            self.before |= {(server, key): usage for key, usage in first.items()}
            time.sleep(INTERVAL_S)
        usages, data = backend.usage(units), backend.data_bytes(units)
        with ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="mlox-probe") as pool:
            healths = list(pool.map(lambda o: health_of(backend, o), seen))
        found = []
        for o, usage, place, health in zip(seen, usages, data, healths, strict=True):
            earlier = self.before.get((server, o.key))
            cpu = cpu_percent(earlier, usage) if earlier is not None else None
            self.before[server, o.key] = usage
            found.append(_Unit(o, usage, health, cpu, place))
        return found


def _row(name: str, units: Sequence[_Unit], lost: str) -> ServiceStats:
    if lost:
        return ServiceStats(name, "unreachable", note=lost)
    if not units:
        return ServiceStats(name, "absent")
    healths = [each.health for each in units if each.health is not None]
    took = [health.took_ms for health in healths if health.took_ms is not None]
    cpu = [each.cpu for each in units if each.cpu is not None]
    memory = [each.usage.memory_bytes for each in units if each.usage.memory_bytes is not None]
    places = {place: size for each in units if each.data is not None for place, size in each.data.items()}
    state = worst(word_of(each.seen, each.health is not None and each.health.healthy) for each in units)
    sick = [health.detail for health in healths if not health.healthy]
    return ServiceStats(
        name,
        state,
        healthy=all(health.healthy for health in healths) if healths else None,
        cpu_percent=sum(cpu) if cpu else None,
        memory_bytes=sum(memory) if memory else None,
        disk_bytes=sum(places.values()) if places else None,
        restarts=sum(each.usage.restarts for each in units),
        probe_ms=max(took) if took else None,
        note="; ".join(dict.fromkeys(filter(None, (*(each.seen.note for each in units), *sick)))),
    )
