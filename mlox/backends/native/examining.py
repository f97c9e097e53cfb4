"""What a closer look at a native unit shows: how it ended, what of it is gone, who has its ports."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

import psutil

from mlox.backends.native import account, environments, ports, shim
from mlox.backends.native.launching import search_path
from mlox.backends.native.layout import UnitPlace
from mlox.backends.native.site import Site
from mlox.protocols import Ending, Findings
from mlox.units import Unit

ENDINGS = 50
"""How many of the last endings are told."""

SOMEBODY = "a process that cannot be seen"

Missing = tuple[Literal["environment", "program", "data"], str]


def examine(site: Site, unit: Unit) -> Findings:
    """Look closely; see :meth:`mlox.protocols.Backend.examine`."""
    place = site.place(unit.stack).unit(unit.service, unit.name)
    alive = shim.members(place.marker, shim.read_record(str(place.record)))
    return Findings(
        endings=endings(place)[-ENDINGS:],
        missing=tuple(_missing(site, unit)),
        holders=_holders(unit, alive),
        rebooted=_rebooted(place) and not alive,
    )


def endings(place: UnitPlace) -> tuple[Ending, ...]:
    """How the unit's process ended each time, from its supervisor's log: ``exited`` is by itself, ``stopped`` asked."""
    text = ""
    for name in ("supervisord.log.1", "supervisord.log"):
        with contextlib.suppress(OSError):
            text += (place.stack.supervisor / name).read_text("utf-8", errors="replace")
    line = re.compile(rf"^([\d-]+ [\d:]+),\d+ \w+ (exited|stopped): {re.escape(place.key)} \(([^;)]+)", re.MULTILINE)
    return tuple(Ending(how.strip(), _seconds(at), word == "stopped") for at, word, how in line.findall(text))


def _seconds(told: str) -> float | None:
    """The supervisor writes local time."""
    try:
        return time.mktime(time.strptime(told, "%Y-%m-%d %H:%M:%S"))
    except (ValueError, OverflowError):
        return None


def _missing(site: Site, unit: Unit) -> Iterator[Missing]:
    software = unit.software
    if software.pins and not environments.is_there(site.home, software):
        yield "environment", ", ".join(software.packages)
    if software.binary and shutil.which(software.binary, path=search_path(account.existing())) is None:
        yield "program", software.binary
    for _, path in unit.directories:
        if _gone(Path(path)):
            yield "data", path


def _gone(folder: Path) -> bool:
    try:
        folder.stat()
    except FileNotFoundError:
        return True
    except OSError:  # it may be there; we cannot see it
        return False
    return False


def _holders(unit: Unit, alive: Collection[int]) -> dict[str, str]:
    """Who else has a port of the unit; where it does not run, whoever has it."""
    found = {}
    for port in unit.ports:
        host = port.address or ports.HOST
        others = not ports.heard_by(port, alive) if alive else ports.taken(port.number, port.protocol, host)
        if others:
            found[port.name] = ports.by(port.number, port.address).removeprefix(" by ") or SOMEBODY
    return found


def _rebooted(place: UnitPlace) -> bool:
    """Whether the machine has started since the unit's entry was written."""
    with contextlib.suppress(OSError, psutil.Error):
        return psutil.boot_time() > place.program.stat().st_mtime
    return False
