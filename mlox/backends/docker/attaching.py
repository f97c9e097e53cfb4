"""How a command runs inside a container while somebody reads along, or with a terminal."""

from __future__ import annotations

import contextlib
import math
import os
import select
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlox.backends.docker import containers, executing, files, labels, probing
from mlox.backends.docker.executing import closing, early, socket_of
from mlox.backends.docker.labels import Name
from mlox.backends.docker.site import Site
from mlox.errors import RequirementError, ServiceError
from mlox.protocols import Write
from mlox.units import Unit

if TYPE_CHECKING:
    from docker import APIClient

CHUNK = 1 << 16
GLANCE_S = 0.1
PASSED = ("TERM", "COLORTERM")
NOT_THERE = (b"executable file not found", b"no such file or directory")
MISSING, FORBIDDEN = 127, 126


def execute(site: Site, unit: Unit, argv: Sequence[str], *, input: int | None, write: Write | None) -> int:
    """Run it; see :meth:`mlox.protocols.Executing.exec`."""
    there = labels.one(site.engine, Name.of(unit))
    details = containers.inspect(site.engine, there.id) if there is not None else None
    if there is None or details is None or not details["State"]["Running"] or details["State"]["Restarting"]:
        raise ServiceError(f"{unit.service} does not run", hint=f"Start it: mlox up {unit.service}.")
    words = files.through(probing.is_scripted(details), tuple(argv))
    if write is None:
        return _with_terminal(site, there.id, words)
    return _read_along(site, there.id, words, input, write)


def _read_along(site: Site, container: str, argv: tuple[str, ...], input: int | None, write: Write) -> int:
    said = bytearray()

    def take(kind: int, part: bytes) -> None:
        if len(said) < CHUNK:
            said.extend(part)
        write("err" if kind == executing.ERRORS else "out", part)

    code = executing.run(site, container, argv, given=input, timeout_s=math.inf, take=take)
    if code == FORBIDDEN and said.startswith(b"OCI runtime exec failed") and any(each in said for each in NOT_THERE):
        return MISSING
    return code


def _with_terminal(site: Site, container: str, argv: tuple[str, ...]) -> int:
    """Lend this process's own terminal to the command until it ends.

    Raises:
        RequirementError: there is none.
    """
    if not (sys.stdin is not None and sys.stdin.isatty()):
        raise RequirementError("there is no terminal here", hint="Pass the output on instead, or use a terminal.")
    given = {name: os.environ[name] for name in PASSED if name in os.environ}
    with site.engine.asked(f"run {argv[0]}") as api:
        made = api.exec_create(container, list(argv), stdin=True, tty=True, environment=given)["Id"]
        answer = api.exec_start(made, tty=True, socket=True)
        with closing(answer), _raw(sys.stdin.fileno()), _sized(api, made):
            _write(sys.stdout.fileno(), early(answer))
            _relay(socket_of(answer), sys.stdin.fileno(), sys.stdout.fileno())
        return int(api.exec_inspect(made)["ExitCode"] or 0)


def _relay(connection: socket.socket, keys: int, screen: int) -> None:
    """What is typed goes there, what is written comes here, until the other side hangs up."""
    connection.settimeout(None)
    waiting: list[Any] = [connection, keys]
    while True:
        ready, _, _ = select.select(waiting, (), ())
        if keys in ready:
            typed = os.read(keys, CHUNK)
            if typed:
                connection.sendall(typed)
            else:
                waiting.remove(keys)
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
        if connection in ready:
            part = connection.recv(CHUNK)
            if not part:
                return
            _write(screen, part)


def _write(screen: int, part: bytes) -> None:
    while part:
        part = part[os.write(screen, part) :]


@contextlib.contextmanager
def _raw(terminal: int) -> Iterator[None]:
    """The terminal passes each key on as it is typed, Ctrl-C too."""
    import termios
    import tty

    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _sized(api: APIClient, made: str) -> Iterator[None]:
    """The terminal there is as large as the one here, also when that changes."""
    from docker.errors import APIError

    def resize(*_: object) -> None:
        size = shutil.get_terminal_size()
        with contextlib.suppress(APIError):  # it may have ended
            api.exec_resize(made, height=size.lines, width=size.columns)

    resize()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGWINCH, resize)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
