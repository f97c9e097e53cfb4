"""What there is: every unit from the labels of its container, in one call; what costs a question each is apart."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlox.backends.docker import files, labels, notes
from mlox.backends.docker.labels import There
from mlox.backends.docker.site import Site
from mlox.protocols import Observed, State
from mlox.units import Unit

WAITS = "it waits for `mlox up`"
AGAIN = "it ended and is started again"
PAUSED = "it is paused; `mlox up` lets it go on"
SIGNALS = 128

_EXIT = re.compile(r"\((-?\d+)\)")


def observe(site: Site, stack: str | None, service: str | None) -> tuple[Observed, ...]:
    """All units of one stack or of all, or of one service, in order."""
    found = labels.listed(site.engine, stack, service)
    kept = notes.notes(found)
    return tuple(_observed(site, there, notes.previous(kept, there)) for there in labels.current(found).values())


def ended(state: Mapping[str, Any]) -> str:
    """How a container ended, from what the engine says of its state.

    Example:
        >>> ended({"ExitCode": 137, "OOMKilled": False, "Error": ""}), ended({"ExitCode": 3, "OOMKilled": False})
        ('terminated by SIGKILL', 'exit status 3')
    """
    if state.get("OOMKilled"):
        return "ended by the kernel: it was out of memory"
    told = str(state.get("Error") or "")
    return told or how(int(state["ExitCode"]))


def how(code: int) -> str:
    """An exit code in words; engines add 128 to the number of a signal."""
    if code > SIGNALS:
        import signal

        with contextlib.suppress(ValueError):
            return f"terminated by {signal.Signals(code - SIGNALS).name}"
    return f"exit status {code}"


def seconds(told: str) -> float | None:
    """The engine's times (RFC 3339, nanoseconds) as seconds since the epoch; None for its "never".

    Example:
        >>> seconds("1970-01-01T00:00:01.500000000Z"), seconds("0001-01-01T00:00:00Z")
        (1.5, None)
    """
    match = re.fullmatch(r"([^.Z+]+)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", told)
    if match is None or told.startswith("0001-"):
        return None
    zone = "+00:00" if match[3] == "Z" else match[3]
    return datetime.fromisoformat(f"{match[1]}{zone}").timestamp() + float(f"0.{match[2] or 0}")


def _observed(site: Site, there: There, previous: Unit | None) -> Observed:
    unit = there.unit if isinstance(there.unit, Unit) else labels.unknown(there, site.server)
    state, note = _state(there, unit)
    if isinstance(there.unit, str):
        state, note = "failed", f"{there.unit}; `mlox up` writes it again"
    data = [source for path, source in sorted(there.volumes.items()) if path != files.PLACE and source]
    return Observed(
        stack=there.labels.stack,
        service=there.labels.service,
        name=there.labels.unit,
        digest=unit.digest,
        unit=unit,
        state=state,
        data_path=next(iter(data), None) or there.volumes.get(files.PLACE) or None,
        note=note,
        previous=previous,
    )


def _state(there: There, unit: Unit) -> tuple[State, str]:
    """The engine's word in ours. By itself an end is final only where the engine does not start it again."""
    if there.state == "running":
        return ("starting", "") if "(health: starting)" in there.status else ("running", "")
    if there.state == "restarting":
        return "failed", f"{AGAIN}{_code(there, ': it had ')}"
    if there.state == "paused":
        return "failed", PAUSED
    if there.state == "created":
        return "stopped", WAITS
    asked = there.name == there.named.stopped or unit.restart in ("always", "unless-stopped")
    if asked:
        return "stopped", ""
    if unit.completes and "Exited (0)" in there.status:
        return "running", ""
    return "failed", _code(there)


def _code(there: There, words: str = "") -> str:
    match = _EXIT.search(there.status)
    return f"{words}{how(int(match[1]))}" if match else ""
