"""Data that a command inside a running unit writes or reads, part by part: a service's dump, its tables elsewhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from mlox.errors import ServiceError
from mlox.protocols import Backend
from mlox.secret import Secret, mask
from mlox.streams import pulled
from mlox.units import Unit
from mlox.variables import finish

LINES = 10
MOST_SAID = 1 << 16
"""How many bytes of what a command says are kept: the last ones."""


def out_of(unit: Unit, argv: Sequence[str], backend: Backend, secrets: Sequence[Secret]) -> Iterator[bytes]:
    """What a command writes, while it runs.

    Raises:
        ServiceError: the command failed.
    """

    def work(pass_on: Callable[[bytes], None]) -> None:
        said = bytearray()

        def write(channel: str, chunk: bytes) -> None:
            if channel == "out":
                pass_on(chunk)
            else:
                said.extend(chunk)
                del said[:-MOST_SAID]

        code = backend.exec(unit, tuple(map(finish, argv)), input=None, write=write)
        _check(unit, code, bytes(said), secrets)

    return pulled(work)


def into(
    unit: Unit, argv: Sequence[str], data: Iterable[bytes], backend: Backend, secrets: Callable[[], Sequence[Secret]]
) -> None:
    """Give data to a command that reads it.

    Args:
        secrets: what is masked in what it says, where it fails.

    Raises:
        ServiceError: the command failed.
    """
    out, end = os.pipe()
    said = bytearray()

    def feed() -> None:
        with os.fdopen(end, "wb") as target, contextlib.suppress(BrokenPipeError):  # it has ended, and tells why
            for chunk in data:
                target.write(chunk)

    def write(_: str, chunk: bytes) -> None:
        said.extend(chunk)
        del said[:-MOST_SAID]

    with ThreadPoolExecutor(1, thread_name_prefix="mlox-restore") as pool:
        fed = pool.submit(feed)
        try:
            code = backend.exec(unit, tuple(map(finish, argv)), input=out, write=write)
        finally:
            os.close(out)
    fed.result()
    _check(unit, code, bytes(said), secrets() if code != 0 else ())


def _check(unit: Unit, code: int, said: bytes, secrets: Sequence[Secret]) -> None:
    """Raise a :class:`ServiceError` with the last lines of a command that failed."""
    if code != 0:
        lines = said.decode("utf-8", "replace").splitlines()[-LINES:]
        told = mask("".join(f"\n  {line}" for line in lines), list(secrets))
        raise ServiceError(
            f"the command of {unit.service} for its data ended with exit code {code}{told}",
            hint=f"Look at `mlox why {unit.service}`, then try it again.",
        )
