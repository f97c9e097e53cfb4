"""How a container runs to its end and is removed: jobs before a start, copies of volumes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from mlox.backends.docker import containers
from mlox.backends.docker.site import Site
from mlox.errors import CommandError, MloxError

LINES = 100
POLL_S = 0.05


def to_end(
    site: Site, name: str, body: Mapping[str, Any], *, timeout_s: float, doing: str, platform: str = ""
) -> tuple[int | None, bytes]:
    """The exit code, None where it took too long, and the last lines that it wrote; the container is gone then.

    Raises:
        CommandError: the engine refuses, or ``abort`` ended it.
    """
    made = containers.create(site.engine, name, body, platform=platform, doing=doing)
    try:
        containers.start(site.engine, made, doing)
        code = _ended(site, made, timeout_s)
        with site.engine.asked("read what a job wrote") as api:
            written: bytes = api.logs(made, stdout=True, stderr=True, tail=LINES)
        return code, written
    finally:
        containers.remove(site.engine, made)


def _ended(site: Site, container: str, timeout_s: float) -> int | None:
    deadline = time.monotonic() + timeout_s
    aborted: list[bool] = []

    def end() -> None:
        aborted.append(True)
        with contextlib.suppress(MloxError):
            containers.remove(site.engine, container)

    with site.ending(end):
        while not aborted:
            found = containers.inspect(site.engine, container)
            if found is not None and found["State"]["Status"] in ("exited", "dead"):
                return int(found["State"]["ExitCode"])
            if found is None or time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
    if aborted:
        raise CommandError("the job was ended on request", hint="Run the same command again.")
    return None
