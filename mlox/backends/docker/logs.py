"""What a container wrote, and what it writes, across its restarts.

Source: Docker Engine API, ``ContainerLogs``; parts as in ``ContainerAttach``, unless the container has a terminal.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlox.backends.docker import containers, labels
from mlox.backends.docker.labels import Name
from mlox.backends.docker.observing import seconds
from mlox.backends.docker.site import Site

if TYPE_CHECKING:
    from requests import Response

CONNECT_S = 30
QUIET_S = 0.2
HEADER = 8


def tail(site: Site, name: Name, lines: int) -> tuple[str, ...]:
    """The last lines; none of a container that is not there, or whose logs go elsewhere."""
    there = labels.one(site.engine, name) if lines > 0 else None
    if there is None:
        return ()
    return tuple(text for _, text in _read(site, there.id, {"tail": str(lines)}))


def follow(site: Site, name: Name) -> Iterator[str]:
    """Lines from now on."""
    there = labels.one(site.engine, name)
    last = ""
    if there is not None:
        last = max((at for at, _ in _read(site, there.id, {"tail": "1"})), default="")
    return _follow(site, name, last)


def _follow(site: Site, name: Name, last: str) -> Iterator[str]:
    """A stream ends with the process; then the next one is waited for."""
    while True:
        there = labels.one(site.engine, name)
        if there is not None:
            query = {"follow": "1", **({"since": _since(last)} if last else {})}
            for at, text in _read(site, there.id, query):
                if at > last:
                    last = at
                    yield text
        time.sleep(QUIET_S)


def _since(told: str) -> str:
    """A time of the log as the engine takes it: seconds, and nanoseconds behind a dot."""
    whole = seconds(f"{told.partition('.')[0].rstrip('Z')}Z") or 0
    return f"{whole:.0f}.{(told.partition('.')[2].rstrip('Z') or '0').ljust(9, '0')}"


def _read(site: Site, container: str, query: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The time of each line in the engine's words, and the line."""
    details = containers.inspect(site.engine, container)
    if details is None:
        return
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
            yield from _lines(_plain(answer) if details["Config"]["Tty"] else _framed(answer))


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
