"""Which ports of this machine are taken, and by whom."""

from __future__ import annotations

import socket
import sys
from collections.abc import Collection, Iterable

import psutil

from mlox.errors import PortTakenError
from mlox.units import PortBinding, Unit

HOST = "127.0.0.1"
CONNECT_S = 0.2


def taken(number: int, protocol: str = "tcp") -> bool:
    """Whether a port cannot be bound on loopback, or somebody answers there."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if sys.platform == "linux" and protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError:
            return True
    return protocol == "tcp" and answers(number, CONNECT_S)


def answers(number: int, timeout_s: float) -> bool:
    """Whether a connection to a port on loopback is accepted."""
    try:
        with socket.create_connection((HOST, number), timeout=timeout_s) as connection:
            return bool(connection.getsockname() != connection.getpeername())
    except OSError:
        return False


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
