"""Who works on a stack on this machine: one process at a time, by a file lock that dies with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mlox.errors import Cancelled, LockedError, WorkspaceError
from mlox.protocols import Emit, Event


@contextlib.contextmanager
def hold(path: Path, *, emit: Emit, wait_s: float = 120, cancel: threading.Event | None = None) -> Iterator[None]:
    """Hold the lock file at ``path``; wait up to ``wait_s`` seconds or until ``cancel``, telling who holds it.

    Whoever holds the lock may remove the file: those who wait notice, and take the new one.

    Raises:
        LockedError: the holder did not finish in time.
        Cancelled: ``cancel`` was set while waiting.
        WorkspaceError: the folder cannot be written.
    """
    deadline = time.monotonic() + wait_s
    told = False
    while (descriptor := _try(path)) is None:
        holder = _holder(path)
        if cancel is not None and cancel.is_set():
            raise Cancelled("interrupted; nothing was done", hint="Run the same command again.")
        if time.monotonic() >= deadline:
            raise LockedError(
                f"this stack is held by {holder}, for more than {wait_s:.0f} s",
                hint="Wait for it, or end that process: its lock ends with it.",
            )
        if not told:
            emit(Event("", f"waiting for {holder}, which works on this stack", kind="wait"))
            told = True
        time.sleep(0.1)
    try:
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, without a name on it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "program": Path(sys.argv[0]).name}).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _try(path: Path) -> int | None:
    """The descriptor of the locked file, or None where somebody else holds it."""
    try:
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write {error.filename}: {error.strerror}",
            hint="Set MLOX_DATA_HOME to a folder that you can write.",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _holder(path: Path) -> str:
    try:
        value = json.loads(path.read_bytes())
        return f"process {value['pid']} ({value['program']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
