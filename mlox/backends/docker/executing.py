"""How a command runs inside a container: what it reads and writes goes over one connection.

Source: Docker Engine API, ``ContainerExec``, ``ExecStart``, and the stream format of ``ContainerAttach``: eight bytes
(kind, three zeroes, length) before each part.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mlox.backends.docker.site import Site
from mlox.errors import CommandError

HEADER = 8
PART = 1 << 16

Take = Callable[[int, bytes], None]
"""Takes what a command writes: 1 is its standard output, 2 its standard error."""


class TooLong(Exception):
    """A command did not end in time."""


def run(site: Site, container: str, argv: Sequence[str], *, given: bytes, timeout_s: float, take: Take) -> int:
    """Run a command to its end, as the container's user, and answer its exit code.

    Args:
        given: what it reads. ``take``: gets what it writes, as it comes.

    Raises:
        TooLong: it did not end in time; it may go on inside.
        CommandError: the container does not run, or it was ended by ``abort``.
    """
    deadline = time.monotonic() + timeout_s
    aborted: list[bool] = []
    with site.engine.asked(f"run {argv[0]}") as api:
        made = api.exec_create(container, list(argv), stdin=bool(given))["Id"]
        answer = api.exec_start(made, socket=True)
        connection = _socket(answer)
        with _closing(answer), site.ending(lambda: _end(connection, aborted)):
            try:
                if given:
                    connection.sendall(given)
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_WR)
                for kind, part in _frames(connection, deadline):
                    take(kind, part)
            except TimeoutError as error:
                raise TooLong from error
        if aborted:
            raise CommandError(f"{argv[0]} was ended on request", hint="Run the same command again.")
        return _code(api, made, deadline)


def _socket(answer: Any) -> socket.socket:
    """The connection itself; docker-py gives a reader around it, but not for each kind of address."""
    made: socket.socket = getattr(answer, "_sock", answer)
    return made


@contextlib.contextmanager
def _closing(answer: Any) -> Iterator[None]:
    """Close the connection, whatever docker-py and urllib3 still hold of it."""
    try:
        yield
    finally:
        descriptor = _socket(answer).detach()
        if descriptor >= 0:
            os.close(descriptor)
        answer.close()


def _end(connection: socket.socket, aborted: list[bool]) -> None:
    aborted.append(True)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _frames(connection: socket.socket, deadline: float) -> Iterator[tuple[int, bytes]]:
    while True:
        header = _read(connection, HEADER, deadline)
        if len(header) < HEADER:
            return
        left = int.from_bytes(header[4:], "big")
        while left:
            part = _read(connection, min(left, PART), deadline)
            if not part:
                return
            left -= len(part)
            yield header[0], part


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    parts = b""
    while len(parts) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(size - len(parts))
        if not part:
            break
        parts += part
    return parts


def _code(api: Any, made: str, deadline: float) -> int:
    """The exit code; the engine hangs up a moment before it knows."""
    while True:
        found = api.exec_inspect(made)
        if not found["Running"] and found["ExitCode"] is not None:
            return int(found["ExitCode"])
        if time.monotonic() > deadline:
            raise TooLong
        time.sleep(0.01)
