"""How a stack is looked at while it runs: a part of :class:`~mlox.stack.stack.Stack`."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from mlox.stack.surroundings import Surroundings

if TYPE_CHECKING:
    from mlox.values import Status
    from mlox.values.logs import LogLine
    from mlox.values.stats import Stats


class Looking:
    """The calls that only look; each reads what is there, and loads what it alone needs."""

    def surroundings(self) -> Surroundings:
        """What a plan depends on, read now."""
        raise NotImplementedError

    def look(self, *names: str) -> Status:
        """Like ``status``; a service whose server does not answer is ``unreachable``, and its ``note`` says why.

        Raises:
            UnknownNameError: there is no service of a name.
        """
        from mlox.stack.reachable import patient_status

        return patient_status(self.surroundings(), names)

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
        from mlox.stack.logs import Wanted, read_logs

        return tuple(line.text for line in read_logs(self.surroundings(), (name,), Wanted(lines)).lines)

    def follow(self, *names: str, lines: int = 0) -> Generator[LogLine]:
        """Lines as services write them, secrets masked, until the caller closes it; without names, of all.

        A service that is started again, or comes up later, goes on or joins.

        Args:
            lines: how many of the last lines of each come first.

        Raises:
            UnknownNameError: there is no service of a name.
        """
        from mlox.stack.following import Following
        from mlox.stack.logs import Wanted

        following = Following(self.surroundings, names, Wanted(lines))
        following.labels()
        return following.lines()
