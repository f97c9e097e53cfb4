"""How a stack is looked at while it runs: a part of :class:`~mlox.stack.stack.Stack`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlox.stack.surroundings import Surroundings

if TYPE_CHECKING:
    from mlox.values.stats import Stats


class Looking:
    """The calls that only look; each reads what is there, and loads what it alone needs."""

    def surroundings(self) -> Surroundings:
        """What a plan depends on, read now."""
        raise NotImplementedError

    def stats(self, *names: str) -> Stats:
        """What services use: CPU (100 is one core), memory and disk in bytes, restarts, how long probes take in ms.

        It takes half a second, over which CPU is counted. A service whose server does not answer is ``unreachable``,
        and its ``note`` says why.

        Raises:
            UnknownNameError: there is no service of a name.

        Example:
            >>> import mlox, tempfile
            >>> stack = mlox.Stack("churn", path=tempfile.mkdtemp())
            >>> stack.add("redis")
            Service('redis')
            >>> [(row.service, row.state) for row in stack.stats().services]
            [('redis', 'absent')]
        """
        from mlox.stack.measuring import Meter

        return Meter().look(self.surroundings(), names)

    def logs(self, name: str, *, lines: int = 100) -> tuple[str, ...]:
        """The last lines that a service wrote, secrets masked."""
        from mlox.stack.logs import read_logs

        return read_logs(self.surroundings(), name, lines)

    def follow(self, name: str) -> Iterator[str]:
        """Lines as a service writes them, secrets masked, until the caller stops."""
        from mlox.stack.logs import follow_logs

        return follow_logs(self.surroundings(), name)
