"""How a command runs beside a native unit: as its account, in its folder, with the environment that it started with."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mlox.backends.native import shim
from mlox.backends.native.site import Site
from mlox.errors import ServiceError
from mlox.protocols import Write
from mlox.units import Unit

PASSED = ("TERM", "COLORTERM")
"""What a program has to know of a terminal."""


def execute(site: Site, unit: Unit, argv: Sequence[str], *, input: int | None, write: Write | None) -> int:
    """Run it; see :meth:`mlox.protocols.Executing.exec`.

    The unit's launch file has the environment, and only the account can read it.
    """
    place = site.place(unit.stack).unit(unit.service, unit.name)
    if not place.launch.exists() or not shim.members(place.marker, shim.read_record(str(place.record))):
        raise ServiceError(f"{unit.service} does not run", hint=f"Start it: mlox up {unit.service}.")
    words = (str(site.interpreter().path), "-I", "-S", str(place.stack.shim), str(place.launch), *argv)
    given = {name: os.environ[name] for name in PASSED if write is None and name in os.environ}
    return site.transport.attach(words, input=input, write=write, environment=given, account=site.account().switch)
