"""Which forwarders nobody needs any more: they follow from the wiring, and have nothing to keep. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mlox.protocols import Observed
from mlox.units import Unit


def idle(seen: Iterable[Observed], planned: Collection[Unit], leaving: Collection[Observed]) -> list[Observed]:
    """Those by which nobody will reach anything once ``planned`` runs and ``leaving`` does not.

    Example:
        >>> idle([], [], [])
        []
    """
    keys = {unit.key for unit in planned}
    stay = [o for o in seen if o.key not in keys and o not in leaving]
    running = [o.unit for o in stay if o.state != "stopped"]
    needed = {name for unit in (*planned, *running) for name in unit.after}
    return [o for o in stay if o.unit.forwards and o.service not in needed]


def ways_of(seen: Collection[Observed], names: Collection[str]) -> set[str]:
    """Those that services of these names use, and nothing else that runs."""
    used = {name for o in seen if o.service not in names and o.state != "stopped" for name in o.unit.after}
    ways = {name for o in seen if o.service in names for name in o.unit.after} - used
    return {o.service for o in seen if o.unit.forwards and o.service in ways}
