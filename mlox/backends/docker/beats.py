"""What this process saw of the heartbeats of leases: who waits for a lease goes by its own clock alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Clock = Callable[[], float]


@dataclass(slots=True)
class Watch:
    """What this process saw of heartbeats, by the container's id: the last count, and when that was first seen."""

    clock: Clock
    seen: dict[str, tuple[str, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def silent_s(self, container: str, count: str) -> float:
        """For how long the count of a lease has been this one."""
        now = self.clock()
        with self.lock:
            known = self.seen.get(container)
            if known is None or known[0] != count:
                known = self.seen[container] = (count, now)
        return now - known[1]

    def forget(self, container: str) -> None:
        """There is no such lease any more."""
        with self.lock:
            self.seen.pop(container, None)
