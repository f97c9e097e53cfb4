"""Which ports of this machine are taken, and by whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import psutil

from mlox.backends.sockets import HOST, answers, taken
from mlox.errors import PortTakenError
from mlox.units import PortBinding, Unit

__all__ = ["HOST", "answers", "by", "check", "heard_by", "taken"]


def check(unit: Unit, ports: Iterable[PortBinding]) -> None:
    """Refuse to start a unit on ports that are taken.

    Raises:
        PortTakenError: one is; it names the process that holds it, where that can be seen.
    """
    for port in ports:
        if taken(port.number, port.protocol):
            raise PortTakenError(
                f"port {port.number} ({port.name} of {unit.service}) is taken{by(port.number)}",
                hint="Run the same command again: mlox picks a free port.",
            )


def heard_by(number: int, pids: Collection[int]) -> bool:
    """Whether one of these processes listens on a port; also where it cannot be seen who does."""
    try:
        heard = {
            connection.pid
            for connection in psutil.net_connections("inet")
            if connection.laddr and connection.laddr.port == number and connection.status == psutil.CONN_LISTEN
        }
    except (psutil.Error, OSError):
        return True
    return not heard or None in heard or not heard.isdisjoint(pids)


def by(number: int) -> str:
    """`` by process N (its name)``, where that can be seen; else nothing."""
    try:
        for connection in psutil.net_connections("inet"):
            if connection.laddr and connection.laddr.port == number and connection.pid and not connection.raddr:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        return ""
    return ""
