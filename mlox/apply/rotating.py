"""How a secret of a service changes while it runs: the command of its catalog entry, inside the unit that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mlox.apply.health import look
from mlox.apply.seams import Seams
from mlox.errors import SecretNotFoundError
from mlox.protocols import Emit, Event
from mlox.secret import Secret
from mlox.units import Job, Rotation, SecretRef, Unit

TIMEOUT_S = 120.0
OLD, NEW = "MLOX_SECRET_OLD", "MLOX_SECRET_NEW"


def rotate(unit: Unit, seams: Seams, emit: Emit, start: Callable[[Unit], None]) -> None:
    """Make what runs accept the versions of secrets that ``unit`` will start with.

    The commands succeed where the new value is accepted already: a rotation that was killed is finished so.

    Args:
        unit: as it will start, with its secrets made. ``start``: starts a unit and waits until it is healthy: a
            password that lives in a database changes only while that runs.

    Raises:
        ServiceError: a command failed: neither value is accepted, or the new one is refused.
    """
    there = look(seams.backends[unit.server], unit)
    pairs = [(each, there.unit.secret(each.key), unit.secret(each.key)) for each in unit.rotations] if there else []
    changes = [(each, old, new) for each, old, new in pairs if old and new and old.version not in ("", new.version)]
    if there is None or not changes:
        return
    if there.state == "stopped":
        start(there.unit)
    for each, old, new in changes:
        emit(Event(unit.service, f"changing its {each.key}"))
        _change(there.unit, each, _value(old, seams), seams.store.get(new.name, new.version), seams, emit)


def take_back(unit: Unit, name: str, old: Secret, new: Secret, seams: Seams, emit: Emit) -> None:
    """Make what runs accept the ``old`` value of a secret again, where it was not started with the ``new`` one yet.

    What was is left to :func:`rotate`, since its annotation still tells that ``new`` is what it accepts.

    Raises:
        ServiceError: neither value is accepted, or it does not run.
    """
    there = look(seams.backends[unit.server], unit)
    if there is None:
        return
    for each in unit.rotations:
        ref = there.unit.secret(each.key)
        if ref is not None and (ref.name, ref.version) == (name, old.version):
            _change(there.unit, each, new, old, seams, emit)


def _change(unit: Unit, rotation: Rotation, old: Secret | None, new: Secret, seams: Seams, emit: Emit) -> None:
    """Run the command inside ``unit``; ``old`` is None where it is lost."""
    secrets = {ref.key: secret for ref in unit.secrets if (secret := _value(ref, seams)) is not None}
    missing = {ref.key: Secret("") for ref in unit.secrets if ref.key not in secrets}
    given = {"rotated_new": new, **({"rotated_old": old} if old is not None else {})}
    environment = ((NEW, "${secret.rotated_new}"), (OLD, "${secret.rotated_old}" if old is not None else ""))
    there = replace(unit, environment=(*unit.environment, *environment))
    job = Job(f"rotate-{rotation.key}".replace("_", "-"), rotation.argv, timeout_s=TIMEOUT_S)
    seams.backends[unit.server].run_job(there, job, {**secrets, **missing, **given}, emit)


def _value(ref: SecretRef, seams: Seams) -> Secret | None:
    try:
        return seams.store.get(ref.name, ref.version or None)
    except SecretNotFoundError:
        return None
