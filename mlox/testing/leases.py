"""Leases in memory, with a clock that tests turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from mlox.errors import LockedError
from mlox.leases import Holder, Lease

EXPIRES_S = 20.0


class FakeLeases:
    """Grants leases; see :class:`mlox.leases.Leasing`.

    Attributes:
        now: the server's monotonic clock, in seconds; it stands still until a test turns it.

    Example:
        >>> from mlox.leases import Holder, this_process
        >>> leases, mine, theirs = FakeLeases(), this_process(), this_process()
        >>> lease = leases.lease("churn-7f3a", mine)
        >>> isinstance(leases.lease("churn-7f3a", theirs), Holder)
        True
        >>> leases.now += EXPIRES_S
        >>> isinstance(leases.lease("churn-7f3a", theirs), Holder)
        False
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._held: dict[str, tuple[Holder, float]] = {}
        self._lock = threading.Lock()

    def lease(self, stack: str, holder: Holder) -> Lease | Holder:
        """The lease, or who holds it."""
        with self._lock:
            there = self._there(stack)
            if there is not None and there.token != holder.token:
                return there
            self._held[stack] = (holder, self.now)
            return _FakeLease(lambda: self._renew(stack, holder), lambda: self._release(stack, holder))

    def holder(self, stack: str) -> Holder | None:
        """Who holds it now."""
        with self._lock:
            return self._there(stack)

    def _there(self, stack: str) -> Holder | None:
        holder, renewed = self._held.get(stack, (None, 0.0))
        return holder if holder is not None and self.now - renewed < EXPIRES_S and not holder.gone else None

    def _renew(self, stack: str, holder: Holder) -> None:
        with self._lock:
            there, _ = self._held.get(stack, (None, 0.0))
            if there is None or there.token != holder.token:
                raise LockedError(f"this stack was taken over by {there or 'nobody'}", hint="Run the command again.")
            self._held[stack] = (holder, self.now)

    def _release(self, stack: str, holder: Holder) -> None:
        with self._lock:
            there, _ = self._held.get(stack, (None, 0.0))
            if there is not None and there.token == holder.token:
                del self._held[stack]


@dataclass(frozen=True, slots=True)
class _FakeLease:
    renew: Callable[[], None]
    release: Callable[[], None]
