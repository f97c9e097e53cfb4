"""What a container wrote, and what it writes, across its restarts.

Source: Docker Engine API, ``ContainerLogs``; parts as in ``ContainerAttach``, unless the container has a terminal.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from mlox.backends.docker import containers, labels
from mlox.backends.docker.labels import Name
from mlox.backends.docker.observing import seconds
from mlox.backends.docker.site import Site
from mlox.protocols import Line, Lines

if TYPE_CHECKING:
    from requests import Response

CONNECT_S = 30
QUIET_S = 0.2
HEADER = 8

_SOCKET = attrgetter("raw._fp.fp.raw._sock")
"""urllib3 and http.client have no public way to the connection of an answer that is being read."""


def tail(site: Site, name: Name, lines: int) -> tuple[Line, ...]:
    """The last lines; none of a container that is not there, or whose logs go elsewhere."""
    there = labels.one(site.engine, name) if lines > 0 else None
    if there is None:
        return ()
    return tuple(Line(text, seconds(at)) for at, text in _read(site, there.id, {"tail": str(lines)}))


def follow(site: Site, name: Name, count: int = 0) -> Lines:
    """Lines from now on, and the last ``count`` before."""
    there = labels.one(site.engine, name)
    found = list(_read(site, there.id, {"tail": str(max(count, 1))})) if there is not None else []
    last = max((at for at, _ in found), default="")
    before = [Line(text, seconds(at)) for at, text in found] if count > 0 else []
    return Lines(before, lambda lines: _follow(site, name, last, lines))


def _follow(site: Site, name: Name, last: str, lines: Lines) -> Iterator[Line]:
    """A stream ends with the process; then the next one is waited for."""
    while not lines.ended:
        there = labels.one(site.engine, name)
        if there is not None:
            query = {"follow": "1", **({"since": _since(last)} if last else {})}
            for at, text in _read(site, there.id, query, lines):
                if at > last:
                    last = at
                    yield Line(text, seconds(at))
        lines.wait(QUIET_S)


def _since(told: str) -> str:
    """A time of the log as the engine takes it: seconds, and nanoseconds behind a dot."""
    whole = seconds(f"{told.partition('.')[0].rstrip('Z')}Z") or 0
    return f"{whole:.0f}.{(told.partition('.')[2].rstrip('Z') or '0').ljust(9, '0')}"


def _read(site: Site, container: str, query: dict[str, str], lines: Lines | None = None) -> Iterator[tuple[str, str]]:
    """The time of each line in the engine's words, and the line; ends when ``lines`` are closed."""
    details = containers.inspect(site.engine, container)
    if details is None:
        return
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    with site.engine.asked("read logs") as api:
        answer = api.get(
            f"{api.base_url}/v{api.api_version}/containers/{container}/logs",
            params={"stdout": "1", "stderr": "1", "timestamps": "1", **query},
            stream=True,
            timeout=(CONNECT_S, None),
        )
        with contextlib.closing(answer):
            if answer.status_code != 200:
                return
            found = _lines(_plain(answer) if details["Config"]["Tty"] else _framed(answer))
            if lines is None:
                yield from found
                return
            with lines.woken_by(lambda: _hang_up(answer)):
                try:
                    yield from found
                except (RequestException, HTTPError, OSError):
                    if not lines.ended:
                        raise


def _hang_up(answer: Response) -> None:
    """Wake up whoever reads the answer: nothing more comes."""
    with contextlib.suppress(OSError, AttributeError):  # it has ended already
        _SOCKET(answer).shutdown(socket.SHUT_RDWR)


def _plain(answer: Response) -> Iterator[tuple[int, bytes]]:
    for part in answer.iter_content(None):
        yield 1, part


def _framed(answer: Response) -> Iterator[tuple[int, bytes]]:
    while len(header := answer.raw.read(HEADER)) == HEADER:
        yield header[0], answer.raw.read(int.from_bytes(header[4:], "big"))


def _lines(parts: Iterator[tuple[int, bytes]]) -> Iterator[tuple[str, str]]:
    """Whole lines of each of the two outputs; the time stands before each line."""
    open_ends: dict[int, bytes] = {}
    for kind, part in parts:
        *whole, open_ends[kind] = (open_ends.get(kind, b"") + part).split(b"\n")
        for line in whole:
            at, _, text = line.partition(b" ")
            yield at.decode(), text.decode("utf-8", "replace").rstrip("\r")
    for rest in filter(None, open_ends.values()):
        at, _, text = rest.partition(b" ")
        yield at.decode(), text.decode("utf-8", "replace")
