"""How a native unit comes to its end: all of its processes, and, when its data is to go, every trace of it."""

from __future__ import annotations

import signal

from mlox.backends.native import folders, labels, shim
from mlox.backends.native.layout import Place, UnitPlace, writing
from mlox.backends.native.site import Site
from mlox.errors import ServiceError
from mlox.protocols import Emit, Event
from mlox.units import Unit

GRACE_S = 10.0


def stop(site: Site, place: UnitPlace, *, purge: bool, emit: Emit) -> None:
    """Stop a unit and, with ``purge``, remove it; see :meth:`mlox.protocols.Backend.stop`."""
    found = labels.read(place)
    unit = found if isinstance(found, Unit) else None
    halt(site, place, unit)
    if not place.stack.folder.is_dir():
        return
    end_idle_supervisor(site, place.stack)
    if purge:
        emit(Event(place.service, f"removing the data of {place.key}"))
        others = [labels.read(other) for other in place.stack.known() if other != place]
        folders.remove_unit(place, unit, tuple(other for other in others if isinstance(other, Unit)))


def end_idle_supervisor(site: Site, place: Place) -> None:
    """End a supervisor that has nothing to run; a unit that was stopped by a process that was killed is none."""
    if place.supervisor.is_dir():
        supervisor = site.supervisor(place)
        with supervisor.locked():
            if has_idle_supervisor(site, place):
                supervisor.shut_down()


def has_idle_supervisor(site: Site, place: Place) -> bool:
    """Whether there is a supervisor, or what is left of one, that has nothing to run."""
    if not place.supervisor.is_dir():
        return False
    programs = site.supervisor(place).programs()
    if programs is None:
        return not any(place.units.glob("*.conf"))
    return all(program.state == "STOPPED" for program in programs.values())


def halt(site: Site, place: UnitPlace, unit: Unit | None) -> None:
    """End every process of a unit and take it from its supervisor; what it wrote stays.

    Raises:
        ServiceError: a process survived SIGKILL.
    """
    grace_s = unit.stop_grace_s if unit else GRACE_S
    sign = _signal(unit.stop_signal if unit else "SIGTERM")
    record = shim.read_record(str(place.record))
    table = shim.processes()
    before = shim.members(place.marker, record, table) | shim.members(place.marker + shim.ASIDE, None, table)
    supervisor = site.supervisor(place.stack)
    supervisor.bury()
    supervisor.stop(place, grace_s)
    left = shim.terminate(place.marker, record, grace_s=grace_s, also=before, first=sign)
    if left:
        raise ServiceError(
            f"processes of {place.key} do not end: {', '.join(map(str, sorted(left)))}",
            hint="They wait for the kernel (a disk, a network drive): mend that, then run the same command again.",
        )
    with writing(place.stack.folder):
        if place.program.exists():
            with supervisor.locked():
                place.program.unlink(missing_ok=True)
                supervisor.remove(place)
        place.launch.unlink(missing_ok=True)
        place.record.unlink(missing_ok=True)


def _signal(name: str) -> signal.Signals:
    try:
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except KeyError:
        return signal.SIGTERM
