"""Who may change a stack on a server: the holder's record, the right itself, and how a process is told from another.

A lease lives on the server. Its holder renews it; where it is not renewed for a while, or its holder is known to be
gone, the next one takes it over, and the old holder is refused at its next renewal. Only the server's own monotonic
clock counts for that: a clock that is set, on either side, takes no lease away and lengthens none.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

TOLD = 400
"""How long the list of services may be that a holder tells."""

BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who works on a stack.

    Attributes:
        token: random; one for each piece of work, so that two threads of a process exclude each other too.
        since: seconds since the epoch by the holder's clock, for a reader alone.
        starts: names of the services that it is about to start, a space between; ``*``: more than are told.
        machine: tells machines, boots and process namespaces apart; ``start`` tells processes of one pid apart.
    """

    token: str
    user: str
    host: str
    pid: int
    program: str
    since: float
    starts: str = ""
    machine: str = ""
    start: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} ({self.program}) of {self.user} on {self.host}"

    def is_about_to_start(self, service: str) -> bool:
        """Whether it works on a service that may not be there yet."""
        return self.starts == "*" or service in self.starts.split()

    @property
    def gone(self) -> bool:
        """Whether it is certain that this process has ended; never of one that cannot be seen from here."""
        if not self.start or not self.machine or self.machine != machine():
            return False
        start = process_start(self.pid)
        return start != self.start and (bool(start) or not _hidden(self.pid))


class Lease(Protocol):
    """The right to change a stack on a server, as long as it is renewed."""

    def renew(self) -> None:
        """Say that the holder is alive, and make sure that it still holds.

        Raises:
            LockedError: somebody else has taken it over, or it is gone with the stack.
        """

    def release(self) -> None:
        """Give it back; does nothing where somebody else has it."""


class Leasing(Protocol):
    """What grants leases: a part of every back end."""

    def lease(self, stack: str, holder: Holder) -> Lease | Holder:
        """The lease, or who holds it; the same holder may take it again, and has the same one then.

        Raises:
            WorkspaceError: it cannot be written down.
        """

    def holder(self, stack: str) -> Holder | None:
        """Who holds the lease now; None where nobody does."""


def this_process(starts: Iterable[str] = ()) -> Holder:
    """This process as a holder, with a token of its own."""
    names = " ".join(starts)
    return Holder(
        token=secrets.token_hex(8),
        user=_user(),
        host=socket.gethostname(),
        pid=os.getpid(),
        program=Path(sys.argv[0]).name or "python",
        since=time.time(),
        starts=names if len(names) <= TOLD else "*",
        machine=machine(),
        start=process_start(os.getpid()),
    )


@cache
def machine() -> str:
    """This machine since its last boot, and the namespace in which its pids count; empty where that is unknown.

    Source: proc_sys_kernel(5), pid_namespaces(7); on macOS sysctl(3), ``kern.bootsessionuuid``.
    """
    try:
        return f"{BOOT.read_text().strip()}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return _said("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")


def process_start(pid: int) -> str:
    """When a process began, in the system's own words, which no setting of the clock changes; empty where it ended.

    Source: proc_pid_stat(5), field 22; elsewhere ps(1), ``lstart``.
    """
    if not BOOT.exists():
        return _said("/bin/ps", "-o", "lstart=", "-p", str(pid))
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


def _hidden(pid: int) -> bool:
    """Whether there is such a process, of somebody whose processes we may not see."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return False


def _said(*argv: str) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such account, no variable
        return str(os.getuid())
