"""What native units use: the times and the memory of all of their processes, and what their folders of data take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence

import psutil

from mlox.backends.native import shim
from mlox.backends.native.layout import UnitPlace
from mlox.backends.native.site import Site
from mlox.errors import RequirementError
from mlox.protocols import Observed, Usage
from mlox.specs import CONFIG
from mlox.units import Unit

COUNTING_S = 2.0
"""How long the files of a unit are counted at most."""

BLOCK = 512
"""What ``st_blocks`` counts in. Source: stat(2)."""


class NativeMeasuring:
    """The part of the native back end that is :class:`mlox.protocols.Measuring`."""

    _site: Site

    def measure(self, seen: Observed) -> Observed:
        """The same: all is in the process table."""
        return seen

    def usage(self, units: Sequence[Unit]) -> tuple[Usage, ...]:
        """What each unit uses: all from one look at the process table."""
        table = shim.processes() if units else {}
        places = [self._site.place(unit.stack).unit(unit.service, unit.name) for unit in units]
        return tuple(_usage(place, table) for place in places)

    def data_bytes(self, units: Sequence[Unit]) -> tuple[Mapping[str, int] | None, ...]:
        """What each folder of data takes on the disk."""
        return tuple(self._data_bytes(unit) for unit in units)

    def _data_bytes(self, unit: Unit) -> Mapping[str, int] | None:
        place = self._site.place(unit.stack).unit(unit.service, unit.name)
        try:
            folders = [str(place.inside(path)) for name, path in unit.directories if name != CONFIG]
        except RequirementError:  # a link leads out of it: what is there is none of its data
            return None
        deadline = time.monotonic() + COUNTING_S
        found = {folder: counted for folder in folders if (counted := taken((folder,), deadline)) is not None}
        return found if found and len(found) == len(folders) else None


def _usage(place: UnitPlace, table: dict[int, shim.Process]) -> Usage:
    record = shim.read_record(str(place.record))
    cpu_s, memory_bytes = 0.0, 0
    at_s, alive = time.monotonic(), shim.members(place.marker, record, table)
    for pid in alive:
        try:
            process = psutil.Process(pid)
            times = process.cpu_times()
            memory_bytes += process.memory_info().rss
        except psutil.Error:
            continue
        # a process that ended has left its times to the one that waited for it; see times(2)
        cpu_s += times.user + times.system + times.children_user + times.children_system
    restarts = max(record.runs - 1, 0) if record else 0
    if not alive:
        return Usage(restarts=restarts)
    run = f"{record.pid} {record.start}" if record else str(min(alive))
    return Usage(cpu_s, at_s, run, memory_bytes, restarts)


def taken(folders: Iterable[str], deadline: float) -> int | None:
    """What the files in folders take on the disk in bytes; None where counting lasts longer, or is not allowed.

    What goes away while it is counted takes nothing.
    """
    total, waiting = 0, list(folders)
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            total += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                    except FileNotFoundError:
                        continue
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return None
        if time.monotonic() > deadline:
            return None
    return total
