"""Whether a native unit is healthy: its supervisor first, then the probe that its author wrote."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mlox.backends.asking import binding, page, timed
from mlox.backends.native import ports, shim
from mlox.backends.native.layout import UnitPlace
from mlox.backends.native.observing import ended
from mlox.backends.native.site import Site
from mlox.errors import CommandError
from mlox.protocols import Health
from mlox.units import Probe, Unit
from mlox.variables import finish

if TYPE_CHECKING:
    from mlox.backends.native.supervisor import Program

LOOP = 3
"""When the run after so many restarts has ended too, a unit is dead: it will not get better by waiting."""


def probe(site: Site, unit: Unit) -> Health:
    """Ask once."""
    place = site.place(unit.stack).unit(unit.service, unit.name)
    supervisor = site.supervisor(place.stack)
    program = (supervisor.programs() or {}).get(place.key)
    if program is None:
        return Health(False, "it is not running", dead=True)
    if program.state == "STOPPED":
        return Health(False, "it was stopped", dead=True)
    record = shim.read_record(str(place.record))
    restarts = record.runs - 1 if record else 0
    last = supervisor.last_exit(place) if restarts or program.state not in ("RUNNING", "STARTING") else ""
    if ended(program, unit):
        return _dead(unit, shim.members(place.marker, record), last or program.error or program.state.lower())
    health = _ask(site, place, unit, program, restarts)
    if not health.healthy and restarts < LOOP + (program.state in ("STARTING", "RUNNING")):
        return health
    pids = shim.members(place.marker, record)
    if health.healthy:
        stolen = _stolen(unit, pids)
        return Health(False, stolen) if stolen else health
    return _dead(unit, pids, f"it was started {restarts + 1} times, the last one ended with {last or 'no status'}")


def _dead(unit: Unit, pids: Collection[int], how: str) -> Health:
    """That waiting is of no use, and whether that is so because somebody else has its port."""
    stolen = _stolen(unit, pids)
    return Health(False, f"{stolen}: {how}" if stolen else how, dead=True, robbed=bool(stolen) and not unit.forwards)


def _stolen(unit: Unit, pids: Collection[int]) -> str:
    """That somebody else listens on a port of the unit, and answers its probe; empty where nobody does."""
    for port in unit.ports:
        if port.protocol == "tcp" and not ports.heard_by(port, pids):
            return f"port {port.number} ({port.name}) is taken{ports.by(port.number, port.address)}"
    return ""


def _ask(site: Site, place: UnitPlace, unit: Unit, program: Program, restarts: int) -> Health:
    """Ask the probe, unless whoever answers there cannot be the unit, since it is just being started again."""
    settled = program.state == "RUNNING" or (program.state == "STARTING" and restarts == 0)
    if not settled:
        doing = "stopped" if program.state == "STOPPING" else "started again"
        return Health(False, program.error or f"it is being {doing}")
    asked = unit.probe
    if asked is None:
        return Health(program.state == "RUNNING", program.state.lower())
    return timed(lambda: _answer(site, place, unit, asked))


def _answer(site: Site, place: UnitPlace, unit: Unit, asked: Probe) -> Health:
    if asked.kind == "exec":
        return _exec(site, place, asked)
    port = binding(unit, asked.port)
    if asked.kind == "relay":
        lasts = ports.relays(port, asked.timeout_s)
        return Health(lasts, f"{port.address}:{port.number} {'passes' if lasts else 'does not pass'} connections on")
    if asked.kind == "tcp":
        accepted = ports.answers(port.number, asked.timeout_s)
        return Health(accepted, f"port {port.number} {'accepts' if accepted else 'does not accept'} connections")
    return page(port, asked)


def _exec(site: Site, place: UnitPlace, asked: Probe) -> Health:
    """Run it in the unit's place: the launch file has the environment, and only the account can read it."""
    words = tuple(finish(word) for word in asked.argv)
    shown = words[0].rpartition("/")[2]
    argv = (str(site.interpreter().path), "-I", "-S", str(place.stack.shim), str(place.launch), *words)
    try:
        done = site.transport.run(argv, timeout_s=asked.timeout_s, account=site.account().switch)
    except CommandError:
        return Health(False, f"{shown} did not end in {asked.timeout_s:g} s")
    lines = (done.stdout + done.stderr).strip().splitlines()
    return Health(done.code == 0, f"{shown} ended with exit code {done.code}" + (f": {lines[-1]}" if lines else ""))
