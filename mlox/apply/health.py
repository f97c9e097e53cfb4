"""How a unit is waited for: until its probe answers, it is dead, or patience ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mlox.errors import DriftError, NotHealthyError, PortTakenError, ServiceError
from mlox.protocols import Backend, Emit, Event, Health, Observed
from mlox.secret import Secret, mask
from mlox.units import Unit

LAST_LINES = 15
POLL_S = 0.1
REST_S = 2.0
"""It rests as long as a look took, at most so long: a look that is a program shares a core with what it waits for."""
TELL_S = 5.0
UNPROBED_S = 60.0
"""How long a unit without a probe may take until its process stays."""


def await_health(
    unit: Unit, backend: Backend, secrets: Callable[[], list[Secret]], *, emit: Emit, cancel: threading.Event
) -> None:
    """Wait for the probe; without one, until the process has stayed. Comes back at once after ``cancel``.

    Args:
        secrets: gives what has to be masked in the unit's last lines, where it comes to that.

    Raises:
        PortTakenError: somebody else listens on its port.
        ServiceError: it died; it is stopped then.
        NotHealthyError: it did not answer in time.
        DriftError: somebody else has stopped or removed it.
    """
    health, waited = _asked(unit, backend, UNPROBED_S, emit=emit, cancel=cancel)
    if health.healthy or cancel.is_set():
        return
    if health.dead:
        _check_unstopped(unit, backend)
        lines = _last_lines(unit, backend, secrets)
        backend.stop(unit.stack, unit.service, unit.name, purge=False, emit=emit)
        error = PortTakenError if health.robbed else ServiceError
        raise error(f"{unit.service} died at start: {health.detail}{lines}", hint=_look(unit, "mend that"))
    raise NotHealthyError(
        f"{unit.service} is not healthy after {waited:.0f} s: {health.detail}{_last_lines(unit, backend, secrets)}",
        hint=_look(unit, "mend that, or wait longer"),
    )


def await_answer(unit: Unit, backend: Backend, *, emit: Emit, cancel: threading.Event | None = None) -> None:
    """Wait until a unit that runs answers its probe, as long as one that starts may take; nothing is done to it.

    Whoever asks it for something afterwards learns what is wrong, where it does not.
    """
    _asked(unit, backend, 0, emit=emit, cancel=cancel or threading.Event())


def _asked(
    unit: Unit, backend: Backend, unprobed_s: float, *, emit: Emit, cancel: threading.Event
) -> tuple[Health, float]:
    """Ask until a unit is healthy or dead, or patience ends, or after ``cancel``: the last answer, and the seconds."""
    patience_s = unit.probe.start_timeout_s if unit.probe else unprobed_s
    began = time.monotonic()
    told = began
    while True:
        asked = time.monotonic()
        health = backend.probe(unit)
        took, waited = time.monotonic() - asked, time.monotonic() - began
        if health.healthy or health.dead or waited > patience_s:
            return health, waited
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            emit(Event(unit.service, f"waiting until it is healthy, {waited:.0f} s", kind="wait"))
        if cancel.wait(min(max(POLL_S, took), REST_S)):
            return health, waited


def look(backend: Backend, unit: Unit) -> Observed | None:
    """What there is of a unit now."""
    return next((o for o in backend.observe(unit.stack, unit.service) if o.key == unit.key), None)


def _check_unstopped(unit: Unit, backend: Backend) -> None:
    """Tell a process that died from one that a person stopped: a back end stops nothing by itself."""
    there = look(backend, unit)
    if there is None or there.state == "stopped":
        raise DriftError(
            f"{unit.service} was {'removed' if there is None else 'stopped'} by somebody else meanwhile",
            hint="Run the same command again.",
        )


def _last_lines(unit: Unit, backend: Backend, secrets: Callable[[], list[Secret]]) -> str:
    lines = backend.logs(unit.stack, unit.service, unit.name, lines=LAST_LINES)
    text = mask("\n".join(lines), secrets())
    return f"; its last lines:\n{text}" if text else "; it wrote nothing"


def _look(unit: Unit, do: str) -> str:
    return f"Look closer with `mlox why {unit.service}`, {do}, then `mlox up {unit.service}`; its data is kept."
