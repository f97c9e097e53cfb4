"""What the units of the back end in memory write: the lines that a test lets them say."""

from __future__ import annotations

from collections.abc import Iterator

from mlox.protocols import Line, Lines
from mlox.testing.held import Held

POLL_S = 0.01


class FakeWriting:
    """A part of :class:`~mlox.testing.backend.FakeBackend`."""

    _held: dict[tuple[str, str, str], Held]

    def say(self, stack: str, service: str, name: str, line: str, at: float | None = None) -> None:
        """Let a unit write a line; ``at`` is its time, where this back end knows it."""
        self._held[stack, service, name].log.append(Line(line, at))

    def logs(self, stack: str, service: str, name: str, *, lines: int) -> tuple[Line, ...]:
        """What :meth:`say` wrote."""
        return tuple(self._log(stack, service, name)[-lines:]) if lines > 0 else ()

    def follow(self, stack: str, service: str, name: str, *, lines: int = 0) -> Lines:
        """What :meth:`say` writes from now on."""
        place = len(self._log(stack, service, name))
        before = self.logs(stack, service, name, lines=lines)

        def coming(made: Lines) -> Iterator[Line]:
            seen = place
            while not made.ended:
                fresh = self._log(stack, service, name)[seen:]
                seen += len(fresh)
                yield from fresh
                made.wait(POLL_S)

        return Lines(before, coming)

    def _log(self, stack: str, service: str, name: str) -> list[Line]:
        held = self._held.get((stack, service, name))
        return held.log if held is not None else []
