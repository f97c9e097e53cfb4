"""A deployment that is under way: waiting for it, letting it run, or ending it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from mlox.errors import Cancelled
from mlox.values import Deployed

Work = Callable[[threading.Event], Deployed]

GLANCE_S = 0.2
"""How long a wait lasts before it looks for an interrupt again."""


class Deployment:
    """Work in a thread of its own, so that interrupting whoever waits does not interrupt the work.

    A script that ends while it runs waits for it.
    """

    def __init__(self, work: Work, abort: Callable[[], None]) -> None:
        self._cancel = threading.Event()
        self._abort = abort
        self._work = work
        self._begun = threading.Event()
        pool = ThreadPoolExecutor(1, thread_name_prefix="mlox-deployment")
        try:
            self._future = pool.submit(self._run)
            pool.shutdown(wait=False)
            _UNDER_WAY.add(self)
            self._future.add_done_callback(lambda _: _UNDER_WAY.discard(self))
        except KeyboardInterrupt:
            self._cancel.set()
            raise
        finally:
            self._begun.set()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._future.done()

    def wait(self) -> Deployed:
        """The result, when it is there.

        Raises:
            Cancelled: the wait was interrupted (the deployment goes on), or the deployment was cancelled.
            MloxError: what went wrong.
        """
        try:
            while not self._future.done():
                wait([self._future], timeout=GLANCE_S)
        except KeyboardInterrupt:
            raise Cancelled(
                "stopped waiting; the deployment goes on in this process", hint="Look how it stands: mlox status."
            ) from None
        return self._future.result()

    def cancel(self) -> None:
        """Begin nothing new and come back when that is so; what was started stays, and ``up`` again goes on."""
        self._cancel.set()
        while not self._future.done():  # again and again: a command may just be beginning
            self._abort()
            wait([self._future], timeout=GLANCE_S)

    def _run(self) -> Deployed:
        """Do the work once it is known that somebody can cancel it."""
        self._begun.wait()
        if self._cancel.is_set():
            raise Cancelled("interrupted; nothing was done", hint="Run the same command again.")
        return self._work(self._cancel)

    def __repr__(self) -> str:
        return f"Deployment({'done' if self.done else 'under way'})"


def cancel_all() -> None:
    """Cancel what is under way, in a process that is to end: it may not have come to wait for it yet."""
    for each in tuple(_UNDER_WAY):
        each.cancel()


_UNDER_WAY: set[Deployment] = set()
