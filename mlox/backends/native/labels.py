"""What mlox knows of a native unit: its rendered, secret-free spec in a file beside the supervisor's own entry."""

from __future__ import annotations

import json

from pydantic import ValidationError

from mlox.backends.native.layout import UnitPlace, writing
from mlox.protocols import Transport
from mlox.units import Unit

SCHEMA = 1


def write(place: UnitPlace, unit: Unit, transport: Transport) -> None:
    """Write down the unit."""
    with writing(place.annotation):
        content = json.dumps({"schema": SCHEMA, **unit.to_json()}, indent=1).encode()
        transport.put(content, place.annotation, mode=0o600)


def read(place: UnitPlace) -> Unit | str | None:
    """The unit; a sentence that says why it cannot be read; or None where it is not known."""
    try:
        value = json.loads(place.annotation.read_bytes())
        unit = Unit.from_json(value)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, ValidationError) as e:
        return f"{place.annotation} cannot be read: {str(e).splitlines()[0]}"
    if (unit.stack, unit.service, unit.name) != (place.stack.stack, place.service, place.name):
        return f"{place.annotation} is about another unit"
    return unit


def unknown(place: UnitPlace, server: str) -> Unit:
    """What stands for a unit whose annotation cannot be read."""
    return Unit(
        stack=place.stack.stack,
        service=place.service,
        name=place.name,
        catalog=place.service,
        version="",
        server=server,
        backend="native",
        command=(),
    )


def fits(there: Unit, unit: Unit) -> bool:
    """Whether what was started then is what is asked for now: same ports, and, where there is one, the same intent."""
    return (there.intent == unit.intent if unit.intent else there == unit) and there.ports == unit.ports
