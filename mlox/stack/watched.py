"""What is known of a watcher without starting one: its unit, its files, and how the alerts stand.

Every ``up``, ``down`` and ``status`` asks, so that little is loaded here.
"""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO

from mlox.alerts import Alerts, Watcher, memory_file, remembered
from mlox.protocols import Backend, Observed
from mlox.stack.server import connect
from mlox.stack.surroundings import Surroundings

WATCHER = "mlox--watch"
"""Its service: no service of a user can have that name, since theirs have single hyphens."""

SERVER = "local"
ALIVE = ("running", "starting")


def this_machine(around: Surroundings) -> Backend:
    """This machine's own, whatever ``mlox.yaml`` calls ``local``."""
    return connect(SERVER, {}, around.home)


def find_watcher(around: Surroundings) -> Observed | None:
    """The watcher of a stack on this machine, also one that does not run."""
    if around.spec.id is None:
        return None
    return next((o for o in this_machine(around).observe(around.spec.id, WATCHER) if o.unit.watches), None)


def lock_file(root: Path) -> Path:
    """What a watcher holds locked as long as it lives."""
    return root / ".mlox" / "local" / "watching"


def is_watched(root: Path) -> bool:
    """Whether a watcher of this workspace lives on this machine, in the background or in front of somebody."""
    try:
        with lock_file(root).open("rb") as file:
            return not lock(file)
    except OSError:
        return False


def forget(root: Path) -> None:
    """Remove what a watcher left; one that lives keeps its lock."""
    memory_file(root).unlink(missing_ok=True)
    if not is_watched(root):
        lock_file(root).unlink(missing_ok=True)


def lock(file: IO[bytes]) -> bool:
    """Take the lock, which ends with the file; False where somebody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network drives lock nothing
        return True
    return True


def standing_alerts(around: Surroundings) -> Alerts:
    """How the alerts stand, as the watcher of this machine saw them last."""
    rules = len(around.spec.alerts.rules)
    there, memory = find_watcher(around), remembered(memory_file(around.workspace.root))
    word, note = _word(there, is_watched(around.workspace.root))
    looked = memory.looked or None
    if word == "running" and looked is not None and not memory.is_fresh(time.time()):
        word = "silent"
    if word != "running":
        return Alerts(rules, word, looked, note=note)
    return Alerts(rules, word, looked, memory.alerts, memory.failures)


def _word(there: Observed | None, alive: bool) -> tuple[Watcher, str]:
    if alive or (there is not None and there.state in ALIVE):
        return "running", ""
    if there is None:
        return "none", ""
    return ("stopped", "") if there.state == "stopped" and not there.note else ("failed", there.note)
