"""What a service wrote, and what it writes, secrets masked."""

from __future__ import annotations

from collections.abc import Iterator

from mlox.secret import mask
from mlox.stack.operations import secrets_of, units_of
from mlox.stack.surroundings import Surroundings


def read_logs(around: Surroundings, name: str, lines: int) -> tuple[str, ...]:
    """The last lines that a service wrote.

    Raises:
        UnknownNameError: there is no such service.
    """
    secrets = secrets_of(around, name)
    return tuple(
        mask(line, secrets)
        for o in units_of(around, name)
        for line in around.backends[o.unit.server].logs(o.stack, o.service, o.name, lines=lines)
    )


def follow_logs(around: Surroundings, name: str) -> Iterator[str]:
    """Lines as a service writes them, until the caller stops.

    Raises:
        UnknownNameError: there is no such service.
    """
    secrets = secrets_of(around, name)
    first = next(iter(units_of(around, name)))
    for line in around.backends[first.unit.server].follow(first.stack, first.service, first.name):
        yield mask(line, secrets)
