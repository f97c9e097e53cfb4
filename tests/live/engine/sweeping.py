"""What an engine leaves on a machine, and how it goes: containers, processes, mounts, interfaces, rules."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import subprocess
from pathlib import Path
from typing import Any

import docker
import psutil
from docker.errors import NotFound

NETWORKS_OF_DOCKER = {"bridge", "host", "none"}
PROGRAMS = ("containerd", "docker-registry", "dockerd", "runc")


def sweep_engine(client: docker.DockerClient, **filters: Any) -> list[str]:
    """Remove containers, networks and volumes (all, or those of docker's ``filters``), and say which there were."""
    swept = []
    for container in client.containers.list(all=True, filters=filters, ignore_removed=True):
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)
        swept.append(f"container {container.name}")
    for network in client.networks.list(filters=filters):
        if network.name not in NETWORKS_OF_DOCKER:
            with contextlib.suppress(NotFound):
                network.remove()
            swept.append(f"network {network.name}")
    for volume in client.volumes.list(filters=filters):
        with contextlib.suppress(NotFound):
            volume.remove(force=True)
        swept.append(f"volume {volume.name}")
    return swept


def sweep_processes(folder: Path) -> None:
    """Kill what an engine with this folder has left: its own programs, and what runs below them in containers."""
    while found := [process for process in psutil.process_iter(["name", "cmdline"]) if _is_of(process, folder)]:
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                below = process.children(recursive=True)
                process.kill()
                for each in below:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        each.kill()
        psutil.wait_procs(found, timeout=1)


def _is_of(process: psutil.Process, folder: Path) -> bool:
    """Whether a process is a program of an engine with this folder, and has not ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        ours = (process.info["name"] or "").startswith(PROGRAMS) and process.status() != psutil.STATUS_ZOMBIE
        return ours and any(str(folder) in word for word in process.info["cmdline"] or ())
    return False


def sweep_mounts(*folders: Path) -> None:
    """Unmount what is mounted below the folders, the innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in reversed(points):
        if any(Path(point).is_relative_to(folder) for folder in folders):
            quietly("umount", "--lazy", point)


def add_bridge(name: str, network: ipaddress.IPv4Network) -> bool:
    """Make a bridge with the network's first address, in its first 256; whether it was not there before."""
    made = subprocess.run(("ip", "link", "add", name, "type", "bridge"), capture_output=True, check=False)
    if made.returncode == 0:
        quietly("ip", "address", "add", f"{next(network.hosts())}/24", "dev", name)
        quietly("ip", "link", "set", name, "up")
    return made.returncode == 0


def sweep_network(network: ipaddress.IPv4Network, *bridges: str) -> None:
    """Remove these bridges, every other one with an address in the network, and the packet filter's rules for them."""
    names = set(bridges)
    for name, addresses in psutil.net_if_addrs().items():
        with contextlib.suppress(ValueError):
            if any(
                ipaddress.ip_address(each.address) in network for each in addresses if each.family == socket.AF_INET
            ):
                names.add(name)
    for name in names:
        quietly("ip", "link", "delete", name, "type", "bridge")
    inside = str(network.network_address).removesuffix("0.0")
    for table in ("nat", "filter"):
        for rule in quietly("iptables", "--wait", "-t", table, "-S").splitlines():
            words = rule.split()
            if words[0] == "-A" and (names & set(words) or any(word.startswith(inside) for word in words)):
                quietly("iptables", "--wait", "-t", table, "-D", *words[1:])


def quietly(*argv: str) -> str:
    """What a command says, also where it fails: what it was to remove may be gone."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
