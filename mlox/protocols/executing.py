"""How a command runs beside a unit, for a person or a script: a part of every back end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlox.protocols.transport import Write
from mlox.units import Unit


class Executing(Protocol):
    """What runs commands where a unit runs."""

    def exec(self, unit: Unit, argv: Sequence[str], *, input: int | None, write: Write | None) -> int:
        """Run a command where ``unit`` runs, in its environment as it started, secrets too; returns the exit code.

        It is 127 where there is no such program, 126 where it cannot be run, 128 and the signal where one ended it.

        Args:
            argv: taken as it is; nothing of it is a template.
            input: the file descriptor that it reads from; None: it reads nothing.
            write: gets what it writes, as it comes. None: it has this process's own terminal, also to read from.

        Raises:
            ServiceError: the unit does not run.
            RequirementError: this back end has no terminal to give.
        """
