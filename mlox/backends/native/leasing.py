"""The lease of a stack on this machine: a record in the stack's folder, which its holder renews.

The record is changed under a file lock, which is held for each look and not longer: a process that is suspended, or
whose machine sleeps, would keep a lock for ever, but not a lease. It is written in place and always as long, so that a
full disk does not take a lease away.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mlox.backends.native.layout import Place
from mlox.errors import LockedError, MloxError, WorkspaceError
from mlox.leases import Holder, Lease, machine

EXPIRES_S = 20.0
"""How long a lease lasts that is not renewed."""

SIZE = 2048
LOOK_S = 2.0
"""How long a look waits for somebody else's look."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class NativeLease:
    """A lease that was granted; implements :class:`mlox.leases.Lease`."""

    path: Path
    holder: Holder
    clock: Clock

    def renew(self) -> None:
        """Write down that the holder is alive; see :meth:`mlox.leases.Lease.renew`."""
        with _looking(self.path, os.O_RDWR) as descriptor:
            there = _read(descriptor)
            if there is None or there.holder.token != self.holder.token:
                raise LockedError(_lost(there), hint="Run the same command again.")
            with contextlib.suppress(OSError):  # it holds as long as nobody takes it
                _write(descriptor, _Record(self.holder, machine(), self.clock()))

    def release(self) -> None:
        """Blank the record, where it is still ours; its room on the disk stays, so that a full one stops nobody."""
        with _looking(self.path, os.O_RDWR) as descriptor:
            there = _read(descriptor)
            if there is not None and there.holder.token == self.holder.token:
                os.pwrite(descriptor, b" " * SIZE, 0)


def lease(place: Place, holder: Holder, clock: Clock) -> Lease | Holder:
    """The lease, or who holds it; see :meth:`mlox.leases.Leasing.lease`."""
    with _looking(place.lease, os.O_RDWR | os.O_CREAT) as descriptor:
        there = _read(descriptor)
        if there is not None and there.holder.token != holder.token and there.counts(clock()):
            return there.holder
        _write(descriptor, _Record(holder, machine(), clock()))
    return NativeLease(place.lease, holder, clock)


def holder(place: Place, clock: Clock) -> Holder | None:
    """Who holds the lease now; see :meth:`mlox.leases.Leasing.holder`."""
    with _looking(place.lease, os.O_RDONLY) as descriptor:
        there = _read(descriptor)
    return there.holder if there is not None and there.counts(clock()) else None


@dataclass(frozen=True, slots=True)
class _Record:
    """A holder, the boot of this machine in which it was written, and the monotonic clock then."""

    holder: Holder
    boot: str
    renewed: float

    def counts(self, now: float) -> bool:
        """Whether this holder still holds. Another boot had another clock."""
        same_boot = self.boot.partition("/")[0] == machine().partition("/")[0]
        return same_boot and abs(now - self.renewed) < EXPIRES_S and not self.holder.gone


@contextlib.contextmanager
def _looking(path: Path, flags: int) -> Iterator[int]:
    """The opened record, alone with it; -1 where there is none and none is made.

    Raises:
        LockedError: somebody else looks at it, and does not go on.
        WorkspaceError: it cannot be read or written.
    """
    descriptor = -1
    try:
        descriptor = _opened(path, flags)
        yield descriptor
    except MloxError:
        raise
    except OSError as error:
        raise WorkspaceError(
            f"cannot write {error.filename or path}: {error.strerror}",
            hint="Make it writable, or set MLOX_DATA_HOME to a folder that you can write.",
        ) from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _opened(path: Path, flags: int) -> int:
    """The locked file at ``path``; the holder may remove it: those who wait notice, and take the new one."""
    deadline = time.monotonic() + LOOK_S
    while time.monotonic() < deadline:
        if flags & os.O_CREAT:
            path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                return -1
            continue  # its folder was removed just now
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            time.sleep(0.002)
        os.close(descriptor)
    raise LockedError(f"{path} is in use by a process that does not go on", hint="Find that process and end it.")


def _read(descriptor: int) -> _Record | None:
    """The record; None where nobody holds, or where it makes no sense: who wrote it is refused then."""
    if descriptor < 0:
        return None
    try:
        value = json.loads(os.pread(descriptor, SIZE, 0))
        return _Record(Holder(**value["holder"]), str(value["boot"]), float(value["renewed"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(descriptor: int, record: _Record) -> None:
    content = json.dumps(asdict(record)).encode()
    os.pwrite(descriptor, content.ljust(SIZE)[:SIZE], 0)


def _lost(there: _Record | None) -> str:
    if there is None:
        return "the lease of this stack is gone, and with it the right to change anything; nothing more was done"
    return f"this stack was taken over by {there.holder}, since this process was silent for too long; it has stopped"
