"""What back ends that run units here ask alike: a port by its name, a page by its path, a text with its secrets."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from mlox.backends.sockets import HOST
from mlox.errors import UnknownNameError
from mlox.protocols import Health
from mlox.secret import Secret
from mlox.units import PortBinding, Probe, Unit
from mlox.variables import finish


def binding(unit: Unit, name: str) -> PortBinding:
    """The port of that name.

    Raises:
        UnknownNameError: the unit has none.
    """
    port = unit.port(name)
    if port is None:
        raise UnknownNameError.among("port", name, [port.name for port in unit.ports], where=f"{unit.key}: ")
    return port


def timed(ask: Callable[[], Health]) -> Health:
    """What a probe answers, with how long that took."""
    began = time.perf_counter()
    health = ask()
    return replace(health, took_ms=(time.perf_counter() - began) * 1000)


def page(port: PortBinding, asked: Probe) -> Health:
    """Whether GET answers as a probe wants it."""
    connection = http.client.HTTPConnection(HOST, port.number, timeout=asked.timeout_s)
    try:
        connection.request("GET", asked.path, headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as e:
        return Health(False, f"GET {asked.path} on port {port.number}: {str(e) or type(e).__name__}")
    finally:
        connection.close()
    return Health(status in asked.status, f"GET {asked.path} on port {port.number} answered {status}")


def known(text: str, secrets: Mapping[str, Secret]) -> str | None:
    """The final text; None where it holds a secret that cannot be read."""
    try:
        return finish(text, secrets)
    except UnknownNameError:
        return None
