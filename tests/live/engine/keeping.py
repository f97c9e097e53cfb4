"""The process that keeps an engine for all runs that use it, and ends it when the last of them is gone.

Each run holds ``users`` shared; the keeper waits until it gets it for itself, which the kernel grants when the last run
ended, however it ended. Who starts or looks for the engine holds ``start``.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.live.engine.cache import CACHE, alone
from tests.live.engine.daemons import STOP_S, Daemons, NoEngineError, alive, answers, last_words, sweep, tell_to_end

ROOT = Path(__file__).parents[3]
FOLDER = CACHE / "engine"
NOTE = FOLDER / "keeper.json"
LOG = FOLDER / "keeper.log"
USERS = FOLDER / "users.lock"
START_S = 90.0


@contextlib.contextmanager
def kept() -> Iterator[str]:
    """The host of an engine of our own, which is there until the last who asked for it is done.

    Raises:
        NoEngineError: it does not start.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with USERS.open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with alone("engine-start"):
            host = _find() or _start()
        try:
            yield host
        finally:
            _leave(users.fileno())


def _find() -> str | None:
    """The host of the engine that a keeper has; a keeper whose engine died is ended."""
    note = _note()
    if note and answers(note["host"]):
        return note["host"]
    _await_end(note)
    return None


def _note() -> dict[str, str]:
    """What the keeper wrote of itself and its engine; it takes that back at its end."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(NOTE.read_text()))
    return {}


def _start() -> str:
    """Start a keeper, and wait until it has an engine."""
    with LOG.open("wb") as log:
        keeper = subprocess.Popen(
            (sys.executable, "-m", "tests.live.engine", "keep"),
            cwd=ROOT,
            env={**os.environ, "MLOX_TEST_CACHE": str(CACHE)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_S
    while not NOTE.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            tell_to_end(keeper.pid)
            raise NoEngineError(last_words(LOG))
        time.sleep(0.05)
    return _note()["host"]


def _leave(users: int) -> None:
    """Be no user any more; whoever was the last one waits until the engine is gone."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    _await_end(_note())


def _await_end(note: dict[str, str]) -> None:
    """Have a keeper end, and wait for it; sweep after one that was killed."""
    if not note:
        return
    pid = int(note["pid"])
    tell_to_end(pid)
    deadline = time.monotonic() + 3 * STOP_S
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    if _note():
        sweep(Path(note["folder"]), FOLDER, ipaddress.IPv4Network(note["network"]))
        NOTE.unlink(missing_ok=True)


class _EndedError(Exception):
    """The keeper is told to end."""


def _told(signum: int, _frame: FrameType | None) -> None:
    raise _EndedError(signum)


def keep() -> int:
    """Keep an engine until nobody uses it."""
    signal.signal(signal.SIGTERM, _told)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    daemons = Daemons(FOLDER, Path(tempfile.mkdtemp(prefix="mlox-engine-", dir="/tmp")))
    users = USERS.open("w")  # held until the process ends: nobody starts an engine while this one ends
    try:
        daemons.start()
        note = {"pid": str(os.getpid()), "host": daemons.host, "folder": str(daemons.folder)}
        written = NOTE.with_suffix(".new")
        written.write_text(json.dumps({**note, "network": str(daemons.network)}))
        written.replace(NOTE)
        fcntl.flock(users, fcntl.LOCK_EX)
    except NoEngineError as error:
        print(error, file=sys.stderr)
        return 1
    except _EndedError:
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        daemons.stop()
        NOTE.unlink(missing_ok=True)
    return 0
