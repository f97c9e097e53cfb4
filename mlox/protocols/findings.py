"""What a closer look at a unit shows: how it ended, what of it is gone, who has its ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


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
