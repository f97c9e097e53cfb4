"""What there is: every unit with its annotation, as its supervisor and the process table show it. Asks no probe."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from mlox.backends.native import keeping, labels, shim
from mlox.backends.native.layout import UnitPlace, stacks
from mlox.backends.native.measuring import taken
from mlox.backends.native.site import Site
from mlox.protocols import Observed, State
from mlox.units import Unit

if TYPE_CHECKING:
    from mlox.backends.native.supervisor import Program

MEASURING_S = 0.25
GONE = "its supervisor is gone (after a reboot services wait for `mlox up`)"
WAITS = "it waits for `mlox up`"
LEFT = "it runs without its supervisor; `mlox up` takes it over"

_STATES: dict[str, State] = {
    "RUNNING": "running",
    "STOPPING": "running",
    "STARTING": "starting",
    "BACKOFF": "starting",
    "FATAL": "failed",
    "EXITED": "failed",
}


def observe(site: Site, stack: str | None, service: str | None) -> tuple[Observed, ...]:
    """All units of one stack or of all, or of one service, in order."""
    seen: list[Observed] = []
    table: dict[int, shim.Process] | None = None
    for place in stacks(site.home) if stack is None else [site.place(stack)]:
        known = [unit for unit in place.known() if service in (None, unit.service)]
        if known:
            table = shim.processes() if table is None else table
            programs = site.supervisor(place).programs()
            seen += [_observed(site, unit, programs, table) for unit in known]
    return tuple(seen)


def ended(program: Program, unit: Unit) -> bool:
    """Whether the supervisor has given a unit up; one that it is about to start again shows EXITED as well."""
    if program.state == "EXITED":
        return unit.restart == "no" or (unit.restart == "on-failure" and not program.error)
    return program.state in ("FATAL", "UNKNOWN")


def _observed(
    site: Site, place: UnitPlace, programs: dict[str, Program] | None, table: dict[int, shim.Process]
) -> Observed:
    found = labels.read(place)
    unit = found if isinstance(found, Unit) else labels.unknown(place, site.server)
    record = shim.read_record(str(place.record))
    alive = shim.members(place.marker, record, table)
    program = (programs or {}).get(place.key)
    state, note = _state(place, unit, program, alive)
    if isinstance(found, str):
        state, note = "failed", f"{found}; `mlox up` writes it again"
    elif state == "failed":
        note = site.supervisor(place.stack).last_exit(place) or note
    runs = state in ("running", "starting", "orphaned") and bool(alive)
    return Observed(
        stack=place.stack.stack,
        service=place.service,
        name=place.name,
        digest=unit.digest,
        unit=unit,
        state=state,
        pid=(program.pid if program and program.pid else min(alive)) if runs else None,
        since=program.since if runs and program and program.pid else None,
        restarts=max(record.runs - 1, 0) if record else 0,
        memory_bytes=_memory(alive) if runs else None,
        disk_bytes=_disk(tuple(path for _, path in unit.directories)),
        data_path=str(place.data) if place.data.exists() else None,
        note=note,
        previous=keeping.previous(place),
    )


def _state(place: UnitPlace, unit: Unit, program: Program | None, alive: dict[int, shim.Process]) -> tuple[State, str]:
    if not place.program.exists():
        return ("orphaned", LEFT) if alive else ("stopped", "")
    if program is None or program.state == "STOPPED":
        waits = GONE if program is None else WAITS
        return ("orphaned", LEFT) if alive else ("stopped", waits)
    if program.state == "EXITED" and not ended(program, unit):
        return "starting", "it ended and is started again"
    return _STATES.get(program.state, "failed"), program.error if program.state != "RUNNING" else ""


def _memory(alive: dict[int, shim.Process]) -> int:
    total = 0
    for pid in alive:
        try:
            total += psutil.Process(pid).memory_info().rss
        except psutil.Error:
            continue
    return total


def _disk(folders: tuple[str, ...]) -> int | None:
    """What the folders take on the disk; None where counting takes too long, or is not allowed."""
    return taken(folders, time.monotonic() + MEASURING_S) if folders else None
