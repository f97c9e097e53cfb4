"""Whether a port of this machine is taken: what all back ends ask that run units here."""

from __future__ import annotations

import errno
import socket
import sys

HOST = "127.0.0.1"
CONNECT_S = 0.2


def taken(number: int, protocol: str = "tcp", host: str = HOST) -> bool:
    """Whether a port cannot be bound, or somebody answers there; not where the address itself is yet to come."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if sys.platform == "linux" and protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return protocol == "tcp" and answers(number, CONNECT_S, host)


def answers(number: int, timeout_s: float, host: str = HOST) -> bool:
    """Whether a connection to a port is accepted."""
    try:
        with socket.create_connection((host, number), timeout=timeout_s) as connection:
            return bool(connection.getsockname() != connection.getpeername())
    except OSError:
        return False
