"""How a process of a unit is ended: only where it is certain that it is this machine's, and the unit's own."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import psutil

from mlox.errors import CommandError
from mlox.protocols import Observed
from mlox.worksheet.holding import NotTriedError

SAME_START_S = 5.0
"""How far apart a process and what an engine says of its start may be."""

_OF_A_CONTAINER = re.compile(r"docker|libpod|containerd|kubepods|[0-9a-f]{64}")


def kill(seen: Observed) -> None:
    """End the main process of a unit at once; does nothing where it has just ended by itself.

    Raises:
        CommandError: it has none. NotTriedError: its process is not this machine's, or not the user's to end.
    """
    if seen.pid is None:
        raise CommandError(f"no process of {seen.key} can be seen")
    if seen.unit.container is not None and not _of_this_machine(seen):
        raise NotTriedError(f"the engine of {seen.key} is not on this machine")
    try:
        os.kill(seen.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise NotTriedError(f"the process of {seen.key} is not yours to end: try it as root") from None


def _of_this_machine(seen: Observed) -> bool:
    """Whether the number that an engine gives is that of a container's process here: an engine may be in a machine."""
    try:
        cgroup = Path(f"/proc/{seen.pid}/cgroup").read_text()
        began = psutil.Process(seen.pid).create_time()
    except (OSError, psutil.Error):
        return False
    here = abs(began - (seen.since or 0)) < SAME_START_S
    return here and _OF_A_CONTAINER.search(cgroup) is not None and cgroup != Path("/proc/self/cgroup").read_text()
