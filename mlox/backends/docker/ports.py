"""Which ports of this machine are taken, as far as that can be seen from here, and by whom."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator

import psutil

from mlox.backends.docker.engine import Engine
from mlox.backends.docker.naming import Labels
from mlox.backends.sockets import HOST, taken
from mlox.errors import PortTakenError
from mlox.units import PortBinding, Unit

SETTLE_S = 0.3
"""How long an engine's forwarder takes at most to hang up, where nobody listens behind it."""


def answers(number: int, timeout_s: float) -> bool:
    """Whether somebody answers behind a port: the engine accepts for everyone, and hangs up where nobody listens."""
    try:
        connection = socket.create_connection((HOST, number), timeout=timeout_s)
    except OSError:
        return False
    with connection:
        connection.settimeout(min(SETTLE_S, timeout_s))
        try:
            return bool(connection.recv(1))
        except TimeoutError:
            return True
        except OSError:
            return False


def published(engine: Engine) -> dict[int, str]:
    """The ports of the host that containers have, with the name of who has each."""
    with engine.asked("see which ports are taken") as api:
        found = api.containers()
    return {
        int(port["PublicPort"]): str((each["Names"] or ["/"])[0]).lstrip("/")
        for each in found
        for port in each.get("Ports") or ()
        if port.get("PublicPort")
    }


def holders(engine: Engine, unit: Unit, ports: Iterable[PortBinding]) -> Iterator[tuple[PortBinding, str]]:
    """Who else has a port that the unit wants."""
    wanted = tuple(ports)
    if not wanted:
        return
    ours = Labels(unit.stack, unit.service, unit.name)
    containers = published(engine)
    mine = own(engine, ours)
    for port in wanted:
        if port.number in mine:
            continue
        if port.number in containers:
            yield port, f"the container {containers[port.number]}"
        elif engine.address.here and taken(port.number, port.protocol):
            yield port, _by(port.number)


def own(engine: Engine, labels: Labels) -> frozenset[int]:
    """The ports that a unit's own container has right now."""
    chosen = [f"{key}={value}" for key, value in labels.to_engine().items()]
    with engine.asked("see which ports are taken") as api:
        found = api.containers(filters={"label": chosen})
    return frozenset(
        int(port["PublicPort"]) for each in found for port in each.get("Ports") or () if port.get("PublicPort")
    )


def check(engine: Engine, unit: Unit) -> None:
    """Refuse to start a unit on ports that others hold.

    Raises:
        PortTakenError: one is; it names who holds it, where that can be seen.
    """
    for port, who in holders(engine, unit, unit.ports):
        raise PortTakenError(
            f"port {port.number} ({port.name} of {unit.service}) is taken by {who}",
            hint="Run the same command again: mlox picks a free port.",
        )


def _by(number: int) -> str:
    try:
        for connection in psutil.net_connections("inet"):
            if connection.laddr and connection.laddr.port == number and connection.pid and not connection.raddr:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        pass
    return "a process that cannot be seen"
