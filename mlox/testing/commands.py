"""How the fake back end runs a command beside a unit: what a test has given it to answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from mlox.errors import RequirementError, ServiceError
from mlox.protocols import Write
from mlox.secret import Secret
from mlox.testing.held import Held
from mlox.units import Unit, launch

Command = Callable[[Sequence[str], Mapping[str, str], bytes], tuple[int, bytes]]
"""A program: its arguments, its environment and its input; its exit code and what it writes."""


class FakeCommands:
    """The programs that are in every unit, and what ran with which environment.

    Attributes:
        programs: by their names; ``env`` prints the environment, ``cat`` its input, ``false`` fails.
    """

    def __init__(self, held: Mapping[tuple[str, str, str], Held]) -> None:
        self._held = held
        self._environments: dict[tuple[str, str], dict[str, str]] = {}
        self.programs: dict[str, Command] = {
            "env": lambda _, environment, __: (0, "".join(f"{k}={v}\n" for k, v in environment.items()).encode()),
            "cat": lambda _, __, given: (0, given),
            "false": lambda *_: (1, b""),
        }

    def started(self, unit: Unit, secrets: Mapping[str, Secret]) -> None:
        """Keep the environment that a unit starts with."""
        self._environments[unit.stack, unit.key] = launch(unit, secrets).environment

    def exec(self, unit: Unit, argv: Sequence[str], *, input: int | None, write: Write | None) -> int:
        """Run one of ``programs``.

        Raises:
            ServiceError: the unit does not run. RequirementError: a terminal was asked for.
        """
        held = self._held.get((unit.stack, unit.service, unit.name))
        if held is None or held.state != "running":
            raise ServiceError(f"{unit.service} does not run", hint=f"Start it: mlox up {unit.service}.")
        if write is None:
            raise RequirementError("there is no terminal in memory", hint="Give a `write`.")
        program = self.programs.get(argv[0])
        if program is None:
            write("err", f"mlox: {argv[0]} cannot be run: No such file or directory\n".encode())
            return 127
        given = b""
        while input is not None and (part := os.read(input, 1 << 16)):
            given += part
        code, output = program(argv, self._environments[unit.stack, unit.key], given)
        if output:
            write("out", output)
        return code
