"""Where services run, as a handle, and which back end answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlox.errors import RequirementError, UnknownNameError
from mlox.plugins import find
from mlox.protocols import Backend
from mlox.specs import ServerSpec


@dataclass(frozen=True, slots=True)
class Server:
    """A server by the name that it has in ``mlox.yaml``.

    Example:
        >>> Server.local()
        Server(name='local')
    """

    name: str

    @classmethod
    def local(cls) -> Server:
        """This machine, services as plain processes."""
        return cls("local")

    @classmethod
    def docker(cls) -> Server:
        """The engine that the docker CLI would use."""
        return cls("docker")


def known_servers(written: Mapping[str, ServerSpec]) -> dict[str, ServerSpec]:
    """All servers of a stack by name."""
    return {**_unwritten(), **written}


@cache
def _unwritten() -> Mapping[str, ServerSpec]:
    """Servers that exist without standing in ``mlox.yaml``."""
    return {"local": ServerSpec(local=True), "docker": ServerSpec(local=True, backend="docker")}


def connect(name: str, written: Mapping[str, ServerSpec], home: Path) -> Backend:
    """The back end of a server.

    Raises:
        UnknownNameError: there is no such server.
        RequirementError: this version of mlox cannot reach it.
    """
    servers = known_servers(written)
    if name not in servers:
        raise UnknownNameError.among("server", name, servers)
    spec = servers[name]
    if not spec.local or spec.backend == "kubernetes":
        way = "ssh" if spec.ssh else spec.backend
        raise RequirementError(
            f"the server {name!r} is reached by {way}, which this version cannot do", hint="Put the service on: local."
        )
    made: Backend
    if spec.backend == "docker":
        made = find("backends", "docker")(home, server=name)
    else:
        made = find("backends", "native")(home, find("transports", "local")(), server=name)
    return made
