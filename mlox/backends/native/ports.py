"""Which ports of this machine are taken, and by whom."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterable
from typing import Any

import psutil

from mlox.backends.sockets import HOST, answers, taken
from mlox.errors import PortTakenError, RequirementError
from mlox.units import PortBinding, Unit

__all__ = ["HOST", "answers", "by", "check", "heard_by", "relays", "taken"]

LASTS_S = 0.25
"""How long a connection must last until it counts as one that is not broken off at once."""


def relays(port: PortBinding, timeout_s: float) -> bool:
    """Whether a connection to a forwarder lasts: one without anybody behind it is broken off at once."""
    try:
        with socket.create_connection((port.address or HOST, port.number), timeout=timeout_s) as connection:
            connection.settimeout(min(LASTS_S, timeout_s))
            return bool(connection.recv(1))
    except TimeoutError:  # nobody broke it off
        return answers(port.number, timeout_s)
    except OSError:
        return False


def check(unit: Unit, ports: Iterable[PortBinding]) -> None:
    """Refuse to start a unit on ports that are taken.

    Raises:
        PortTakenError: one is; it names the process that holds it, where that can be seen.
        RequirementError: one is that cannot be another.
    """
    for port in ports:
        if port.address and taken(port.number, port.protocol, port.address):
            raise RequirementError(
                f"{port.address}:{port.number}, where containers would reach {unit.forwards[0]}, is taken"
                f"{by(port.number, port.address)}",
                hint=f"End that, or give {unit.forwards[0]} another port: ports: {{{port.name}: NUMBER}} in mlox.yaml.",
            )
        if not port.address and taken(port.number, port.protocol):
            raise PortTakenError(
                f"port {port.number} ({port.name} of {unit.service}) is taken{by(port.number)}",
                hint="Run the same command again: mlox picks a free port.",
            )


def heard_by(port: PortBinding, pids: Collection[int]) -> bool:
    """Whether one of these processes listens on a port; also where it cannot be seen who does."""
    try:
        heard = {
            connection.pid
            for connection in psutil.net_connections("inet")
            if _is_at(connection, port.number, port.address) and connection.status == psutil.CONN_LISTEN
        }
    except (psutil.Error, OSError):
        return True
    return not heard or None in heard or not heard.isdisjoint(pids)


def by(number: int, address: str = "") -> str:
    """`` by process N (its name)``, where that can be seen; else nothing."""
    try:
        for connection in psutil.net_connections("inet"):
            if _is_at(connection, number, address) and connection.pid and not connection.raddr:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        return ""
    return ""


def _is_at(connection: Any, number: int, address: str) -> bool:
    """Whether a socket has that port, at that address or at all; an address that is none of ours is loopback."""
    if not connection.laddr or connection.laddr.port != number:
        return False
    own = ipaddress.ip_address(connection.laddr.ip.partition("%")[0])
    return own.is_unspecified or (str(own) == address if address else own.is_loopback)
