"""What an engine is and has: memory, disk, ports in use, and where its containers reach this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

from mlox.backends.docker import inputs
from mlox.backends.docker.engine import Engine
from mlox.backends.sockets import taken
from mlox.protocols import Facts, Question

UNKNOWN_BYTES = sys.maxsize
"""What stands for the free disk of an engine whose disk cannot be seen: no requirement fails on it."""

BRIDGE = "bridge"


def look(engine: Engine, question: Question) -> Facts:
    """The facts; changes nothing. Free memory is all of it where the engine's machine is not this one.

    Raises:
        RequirementError: no engine answers.
    """
    with engine.asked("look at the engine") as api:
        said: Mapping[str, Any] = api.info()
        containers = api.containers(all=True)
        bridges = api.networks(names=[BRIDGE])
    home, memory = str(said.get("DockerRootDir", "")), int(said.get("MemTotal") or 0)
    here = engine.address.here
    same = here and is_this_machine(said)
    published = frozenset(number for each in containers for number in _published(each))
    bound = frozenset(number for number in question.ports if taken(number)) if here else frozenset()
    return Facts(
        home=home,
        memory_bytes=memory,
        memory_free_bytes=min(psutil.virtual_memory().available, memory) if same else memory,
        disk_free_bytes=_free(home) if same else UNKNOWN_BYTES,
        ports_taken=published | bound,
        gateway=gateway(bridges, _own_addresses()) if same else "",
        elsewhere="" if here else engine.address.url,
        contexts={each: found for each in question.contexts if (found := inputs.digest(*each))},
    )


def is_this_machine(said: Mapping[str, Any]) -> bool:
    """Whether an engine shares our kernel: one in a virtual machine (Docker Desktop, Colima), behind a tunnel does not.

    Example:
        >>> is_this_machine({"Name": "docker-desktop", "KernelVersion": "6.10.14-linuxkit"})
        False
    """
    ours = os.uname()
    return said.get("KernelVersion") == ours.release and said.get("Name") == ours.nodename


def gateway(networks: Iterable[Mapping[str, Any]], own: frozenset[str]) -> str:
    """The default bridge's address on its own side, where that is an address of ours; else empty.

    It is none of ours where the bridge lies in another network namespace: rootless engines, or mlox in a container.

    Example:
        >>> bridge = {"Name": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]}}
        >>> gateway([bridge], frozenset({"127.0.0.1", "172.17.0.1"})), gateway([bridge], frozenset({"127.0.0.1"}))
        ('172.17.0.1', '')
    """
    for network in networks:
        if network.get("Name") == BRIDGE:
            for each in (network.get("IPAM") or {}).get("Config") or ():
                if each.get("Gateway") in own:
                    return str(each["Gateway"])
    return ""


def _own_addresses() -> frozenset[str]:
    return frozenset(each.address for found in psutil.net_if_addrs().values() for each in found)


def _published(container: Mapping[str, Any]) -> Iterable[int]:
    return (int(port["PublicPort"]) for port in container.get("Ports") or () if port.get("PublicPort"))


def _free(home: str) -> int:
    """The free space where the engine keeps data, or, where we may not look there, of the folder above."""
    folder = Path(home)
    for each in (folder, *folder.parents):
        try:
            return shutil.disk_usage(each).free
        except OSError:
            continue
    return UNKNOWN_BYTES
