"""What a closer look at a unit shows: how it ended, what of it is gone, who has its ports, what is not as written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mlox.secret import Secret
from mlox.units import Unit


@dataclass(frozen=True, slots=True)
class Ending:
    """How a unit's process ended (``exit status 3``, ``terminated by SIGKILL``), when, and whether mlox asked for it.

    ``at`` is seconds since the epoch; None where it is not known.
    """

    how: str
    at: float | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What a closer look at one unit shows, beyond :class:`Observed`.

    ``endings`` of its process, oldest first; ``missing`` parts of it by kind, each with its name or path; ``holders``:
    who else listens on its ports, by the port's name; ``rebooted``: the machine has started since the unit did.
    """

    endings: tuple[Ending, ...] = ()
    missing: tuple[tuple[Literal["environment", "program", "data"], str], ...] = ()
    holders: Mapping[str, str] = field(default_factory=dict)
    rebooted: bool = False


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something of a unit that is not as mlox made it: a file by its path, a variable by its name, the command.

    ``how`` is a few words that show no value: ``changed``, ``missing``, ``mode 644 instead of 600``.
    """

    what: Literal["file", "environment", "command", "supervisor"]
    name: str
    how: str


class Comparing(Protocol):
    """What compares a unit with its own annotation: a part of every back end."""

    def deviations(self, unit: Unit, secrets: Mapping[str, Secret]) -> tuple[Deviation, ...]:
        """What of ``unit``, as it is in its annotation, somebody changed on the server; a look that changes nothing.

        Args:
            secrets: by the unit's own keys, those that can be read. What holds another one is not compared.
        """
