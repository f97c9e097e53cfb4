"""How a command runs inside a service, what it writes masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mlox.errors import ServiceError, UnknownNameError, UsageError
from mlox.matching import Matcher
from mlox.protocols import Observed, Write
from mlox.stack.operations import secrets_of, units_of
from mlox.stack.surroundings import Surroundings

Channel = Literal["out", "err"]


def execute(
    around: Surroundings, name: str, argv: Sequence[str], *, unit: str | None, input: int | None, write: Write | None
) -> int:
    """Run a command inside a service; returns its exit code. See :meth:`mlox.protocols.Executing.exec`.

    Raises:
        UnknownNameError: there is no such service, or no such unit of it.
        UsageError: it has several units. ServiceError: it does not run.
    """
    there = running_unit(around, name, unit)
    backend = around.backends[there.unit.server]
    if write is None:
        return backend.exec(there.unit, argv, input=None, write=None)
    masked = Masked(write, [secret.reveal() for secret in secrets_of(around, name)])
    try:
        return backend.exec(there.unit, argv, input=input, write=masked)
    finally:
        masked.flush()


def running_unit(around: Surroundings, name: str, unit: str | None) -> Observed:
    """The unit of a service that is meant: the named one, else the only one.

    Raises:
        UnknownNameError, UsageError, ServiceError: see :func:`execute`.
    """
    units = {o.name: o for o in units_of(around, name)}
    if units and unit is not None and unit not in units:
        raise UnknownNameError.among("unit", unit, units, where=f"{name}: ")
    if unit is None and len(units) > 1:
        raise UsageError(f"{name} has several units", hint=f"Say which with --unit: {', '.join(sorted(units))}.")
    found = units.get(unit) if unit is not None else next(iter(units.values()), None)
    if found is None or found.state in ("stopped", "failed"):
        raise ServiceError(f"{name} does not run", hint=f"Start it: mlox up {name}.")
    return found


class Masked:
    """Passes on what a command writes, with ``***`` for the values of secrets, also where one comes in parts.

    Example:
        >>> parts: list[bytes] = []
        >>> masked = Masked(lambda channel, chunk: parts.append(chunk), ["hunter22"])
        >>> masked("out", b"it is hun")
        >>> masked("out", b"ter22, is it")
        >>> b"".join(parts)
        b'it is ***, is it'
    """

    def __init__(self, write: Write, values: Sequence[str]) -> None:
        self._write = write
        self._matcher = Matcher.of(values).in_latin_1  # every byte can be decoded so, and stays what it is
        self._held: dict[Channel, str] = {}

    def __call__(self, channel: Channel, chunk: bytes) -> None:
        """Pass on what cannot be part of a value."""
        told, self._held[channel] = self._matcher.cut(self._held.get(channel, "") + chunk.decode("latin-1"))
        if told:
            self._write(channel, told.encode("latin-1"))

    def flush(self) -> None:
        """Pass on what was held back, since it might have been the beginning of a value."""
        for channel, text in self._held.items():
            if text:
                self._write(channel, self._matcher.redacted(text).encode("latin-1"))
        self._held.clear()
