"""What every part of the Docker back end works with: the engine, its images, and what runs for callers right now."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from mlox.backends.docker.engine import Engine
from mlox.backends.docker.images import Images
from mlox.backends.docker.leasing import EngineLeases


class Site:
    """An engine as one server of a stack. Making one touches nothing."""

    def __init__(self, engine: Engine, server: str, clock: Callable[[], float]) -> None:
        self.engine = engine
        self.server = server
        self.images = Images(engine)
        self.leases = EngineLeases(engine, clock)
        self.networks = threading.Lock()
        self.owners: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._ends: list[Callable[[], None]] = []

    @contextlib.contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """While a command runs inside, :meth:`abort` calls ``end``."""
        with self._lock:
            self._ends.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends.remove(end)

    def abort(self) -> None:
        """End the pulls, builds and jobs that run for callers."""
        self.images.abort()
        with self._lock:
            ends = tuple(self._ends)
        for end in ends:
            end()
