"""How a command runs inside a container: what it reads and writes goes over one connection.

Source: Docker Engine API, ``ContainerExec``, ``ExecStart``, and the stream format of ``ContainerAttach``: eight bytes
(kind, three zeroes, length) before each part.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from mlox.backends.docker.site import Site
from mlox.errors import CommandError

HEADER = 8
PART = 1 << 16
GLANCE_S = 0.1
ERRORS = 2
"""The kind of what a command writes to its standard error."""

Given = bytes | int | None

Take = Callable[[int, bytes], None]
"""Takes what a command writes: 1 is its standard output, 2 its standard error."""


_READER = attrgetter("_response.raw._fp.fp")
"""docker-py keeps the answer beside its socket; urllib3 and http.client have no public way to what they read ahead."""


class TooLong(Exception):
    """A command did not end in time."""


def run(site: Site, container: str, argv: Sequence[str], *, given: Given, timeout_s: float, take: Take) -> int:
    """Run a command to its end, as the container's user, and answer its exit code.

    Args:
        given: what it reads, or a file descriptor to read that from. ``take``: gets what it writes, as it comes.

    Raises:
        TooLong: it did not end in time; it may go on inside.
        CommandError: the container does not run, or it was ended by ``abort``.
    """
    deadline = time.monotonic() + timeout_s
    aborted: list[bool] = []
    with site.engine.asked(f"run {argv[0]}") as api:
        made = api.exec_create(container, list(argv), stdin=given is not None)["Id"]
        answer = api.exec_start(made, socket=True)
        connection = socket_of(answer)
        with closing(answer), site.ending(lambda: _end(connection, aborted)), _giving(connection, given):
            try:
                for kind, part in _frames(connection, early(answer), deadline):
                    take(kind, part)
            except TimeoutError as error:
                raise TooLong from error
        if aborted:
            raise CommandError(f"{argv[0]} was ended on request", hint="Run the same command again.")
        return _code(api, made, deadline)


def socket_of(answer: Any) -> socket.socket:
    """The connection itself; docker-py gives a reader around it, but not for each kind of address."""
    made: socket.socket = getattr(answer, "_sock", answer)
    return made


def early(answer: Any) -> bytes:
    """What came in one packet with the answer's headers: their reader has it already, the connection never shows it."""
    reader: io.BufferedReader = _READER(answer)
    connection = socket_of(answer)
    before = connection.gettimeout()
    connection.settimeout(0)
    try:
        return reader.peek()
    except ssl.SSLWantReadError:
        return b""
    finally:
        connection.settimeout(before)


@contextlib.contextmanager
def closing(answer: Any) -> Iterator[None]:
    """Close the connection, whatever docker-py and urllib3 still hold of it."""
    try:
        yield
    finally:
        descriptor = socket_of(answer).detach()
        if descriptor >= 0:
            os.close(descriptor)
        answer.close()


@contextlib.contextmanager
def _giving(connection: socket.socket, given: Given) -> Iterator[None]:
    """Send what a command reads beside what it writes, then say that there is no more."""
    if given is None:
        yield
        return
    connection.settimeout(None)
    ended = threading.Event()
    thread = threading.Thread(target=_give, args=(connection, given, ended), name="mlox-exec", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _give(connection: socket.socket, given: bytes | int, ended: threading.Event) -> None:
    with contextlib.suppress(OSError):  # it does not read to the end
        if isinstance(given, bytes):
            connection.sendall(given)
        else:
            for part in _parts(given, ended):
                connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)


def _parts(descriptor: int, ended: threading.Event) -> Iterator[bytes]:
    while not ended.is_set():
        if select.select((descriptor,), (), (), GLANCE_S)[0]:
            part = os.read(descriptor, PART)
            if not part:
                return
            yield part


def _end(connection: socket.socket, aborted: list[bool]) -> None:
    aborted.append(True)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _frames(connection: socket.socket, early: bytes, deadline: float) -> Iterator[tuple[int, bytes]]:
    waiting = bytearray(early)
    while True:
        header = _read(connection, waiting, HEADER, deadline)
        if len(header) < HEADER:
            return
        left = int.from_bytes(header[4:], "big")
        while left:
            part = _read(connection, waiting, min(left, PART), deadline)
            if not part:
                return
            left -= len(part)
            yield header[0], part


def _read(connection: socket.socket, waiting: bytearray, size: int, deadline: float) -> bytes:
    """So many bytes, of those that wait first; fewer where the other side hangs up."""
    parts = bytes(waiting[:size])
    del waiting[:size]
    while len(parts) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(None if math.isinf(left) else left)
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
