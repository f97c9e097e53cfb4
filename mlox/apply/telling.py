"""What a service itself says that it holds: by the command of its catalog file, inside the unit that runs."""

from __future__ import annotations

from collections.abc import Sequence

from mlox.apply.running import Run
from mlox.errors import ServiceError
from mlox.protocols import Backend, Event
from mlox.secret import mask
from mlox.units import Unit
from mlox.variables import finish

LINES = 10


def told(units: Sequence[Unit], backend: Backend, run: Run) -> str:
    """What the service itself says that it holds.

    Raises:
        ServiceError: the command failed.
    """
    parts: list[str] = []
    for unit in units:
        if not unit.verify:
            continue
        run.emit(Event(unit.service, f"asking what it holds on {unit.server}"))
        said: dict[str, bytes] = {"out": b"", "err": b""}

        def write(channel: str, chunk: bytes, said: dict[str, bytes] = said) -> None:
            said[channel] += chunk

        code = backend.exec(unit, tuple(map(finish, unit.verify)), input=None, write=write)
        if code != 0:
            lines = (said["out"] + said["err"]).decode("utf-8", "replace").splitlines()[-LINES:]
            told = mask("".join(f"\n  {line}" for line in lines), run.held(unit))
            raise ServiceError(
                f"{unit.service} cannot tell what it holds on {unit.server}: exit code {code}{told}",
                hint=f"Look at `mlox why {unit.service}`, then try it again.",
            )
        parts.append(said["out"].decode("utf-8", "replace"))
    return "\n".join(parts)


def first_difference(before: str, after: str) -> tuple[str, str]:
    """The first line of two texts that is not the same; ``nothing`` where one of them has ended."""
    lines = zip((*before.splitlines(), "nothing"), (*after.splitlines(), "nothing"), strict=False)
    return next((pair for pair in lines if pair[0] != pair[1]), (before, after))
