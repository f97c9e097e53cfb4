"""The lines that a unit writes: each with its time where that is known, and those that are still to come."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import final

from mlox.errors import MloxError


@final
class Line(str):
    """A line, and ``at`` when it was written: seconds since the epoch, None where nobody knows.

    Example:
        >>> line = Line("ready", 1.5)
        >>> line.upper(), line.at
        ('READY', 1.5)
    """

    __slots__ = ("at",)
    at: float | None

    def __new__(cls, text: str, at: float | None = None) -> Line:
        """A text with its time."""
        made = super().__new__(cls, text)
        made.at = at
        return made


class Lines(Iterator[Line]):
    """Lines as they are written, until somebody closes them, from whichever thread; a read that waits ends then.

    Args:
        before: lines that were there already.
        make: given this, what yields the ones after them; it looks at :attr:`ended`, or has itself woken up.

    Example:
        >>> lines = Lines([Line("old")], lambda lines: iter([Line("new")]))
        >>> lines.before, next(lines)
        (('old',), 'new')
        >>> lines.close()
        >>> list(lines)
        []
    """

    def __init__(self, before: Sequence[Line], make: Callable[[Lines], Iterator[Line]]) -> None:
        self.before = tuple(before)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._wake: Callable[[], None] | None = None
        self._coming = make(self)

    @property
    def ended(self) -> bool:
        """Whether somebody closed them."""
        return self._ended.is_set()

    def wait(self, pause_s: float) -> bool:
        """Wait so long, or until somebody closes them; whether that is so."""
        return self._ended.wait(pause_s)

    def __next__(self) -> Line:
        """The next one; waits for it."""
        if self.ended:
            raise StopIteration
        try:
            return next(self._coming)
        except MloxError:
            if self.ended:
                raise StopIteration from None
            raise

    def close(self) -> None:
        """Let whoever reads them end."""
        with self._lock:
            self._ended.set()
            if self._wake is not None:
                self._wake()

    @contextlib.contextmanager
    def woken_by(self, wake: Callable[[], None]) -> Iterator[None]:
        """While something is read inside that may wait for long, :meth:`close` calls ``wake``."""
        with self._lock:
            if self.ended:
                wake()
            self._wake = wake
        try:
            yield
        finally:
            with self._lock:
                self._wake = None
