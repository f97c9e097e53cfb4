"""How a stack is held while somebody works on it: its leases taken in turn, renewed in the background, given back."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from mlox.errors import Cancelled, LockedError, MloxError
from mlox.leases import Holder, Lease, Leasing, this_process
from mlox.protocols import Emit, Event

RENEW_S = 2.0
"""How often a lease is renewed in the background; a small part of how long one lasts."""

POLL_S = 0.1


class Hold:
    """A stack that this process works on, on one server or several; one at a time does.

    Args:
        wait_s: how long to wait for somebody else; ``cancel`` ends that. ``starts``: services that are to be started.

    Example:
        >>> from mlox.testing import FakeBackend
        >>> from mlox.protocols import silent
        >>> backend = FakeBackend()
        >>> with Hold("churn-7f3a", emit=silent) as hold:
        ...     hold.take(backend)
        ...     hold.check()
        ...     backend.holder("churn-7f3a") == hold.holder
        True
    """

    def __init__(
        self,
        stack: str,
        *,
        emit: Emit,
        wait_s: float = 120,
        cancel: threading.Event | None = None,
        starts: Iterable[str] = (),
    ) -> None:
        self.stack = stack
        self.holder = this_process(starts)
        self.emit = emit
        self._wait_s = wait_s
        self._cancel = cancel or threading.Event()
        self._leases: list[Lease] = []
        self._lost: MloxError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="mlox-lease", daemon=True)

    def take(self, server: Leasing) -> None:
        """Take the lease of one more server; wait for who has it, telling who that is.

        Raises:
            LockedError: the holder did not finish in time.
            Cancelled: the wait was interrupted.
        """
        deadline = time.monotonic() + self._wait_s
        told: Holder | None = None
        while isinstance(answer := server.lease(self.stack, self.holder), Holder):
            if self._cancel.is_set():
                raise Cancelled("interrupted; nothing was done", hint="Run the same command again.")
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"this stack is held by {answer}, for more than {self._wait_s:.0f} s",
                    hint="Wait for it, or end that process: what it holds ends with it.",
                )
            if told is None or told.token != answer.token:
                told = answer
                self.emit(Event("", f"waiting for {answer}, which works on this stack", kind="wait"))
            self._cancel.wait(POLL_S)
        self._leases.append(answer)
        if not self._thread.is_alive():
            self._thread.start()

    def check(self) -> None:
        """Make sure that all of it is still ours; called before each effect.

        Raises:
            LockedError: somebody has taken it over, since this process was silent for too long.
        """
        if self._lost is not None:
            raise self._lost
        for lease in tuple(self._leases):
            lease.renew()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for lease in reversed(self._leases):
            with contextlib.suppress(MloxError, OSError):  # it expires by itself
                lease.release()

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_S):
            try:
                self.check()
            except MloxError as error:
                self._lost = error
                return
