"""The processes of an engine of our own: a registry that mirrors Docker Hub for it, and dockerd.

Both die with whoever started them, also when that is killed. The engine has a bridge, addresses and folders of its
own, so that it can stand beside another one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import docker
import psutil
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from tests.live.engine import sweeping

START_S = 60.0
STARTS = 3
STOP_S = 30.0

REGISTRY = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}
http: {{addr: "{address}"}}
"""


class NoEngineError(Exception):
    """There is no engine, and none can be started: why."""


def connect(host: str, *, timeout_s: int = 60) -> docker.DockerClient:
    """A client of the engine there, with the keys that the environment names."""
    return docker.from_env(timeout=timeout_s, environment={**os.environ, "DOCKER_HOST": host})


def answers(host: str, *, within_s: int = 2) -> bool:
    """Whether an engine can be talked to there; one that refuses the version asked for can."""
    try:
        _knock(host, within_s)
        client = docker.from_env(timeout=within_s, version="1.40", environment={**os.environ, "DOCKER_HOST": host})
        with contextlib.closing(client):
            return bool(client.ping())
    except APIError:
        return True
    except (DockerException, RequestException, OSError):
        return False


def _knock(host: str, within_s: int) -> None:
    """Look whether somebody listens on a socket, since docker-py leaves its end open where nobody does."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(within_s)
            knocking.connect(host.removeprefix("unix://"))


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def claim_network() -> ipaddress.IPv4Network:
    """A network for the engine's containers that no interface of the machine is in; its bridge is there then."""
    taken = [
        ipaddress.ip_interface(f"{address.address}/{address.netmask}").network
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and address.netmask
    ]
    for second in range(200, 250):
        network = ipaddress.IPv4Network(f"10.{second}.0.0/16")
        if not any(network.overlaps(other) for other in taken) and sweeping.add_bridge(bridge_of(network), network):
            return network
    raise NoEngineError("no network from 10.200.0.0/16 to 10.249.0.0/16 is free for containers")


def bridge_of(network: ipaddress.IPv4Network) -> str:
    """The name of the bridge of an engine of ours."""
    return f"mlox-{str(network).split('.')[1]}"


def mortal(*argv: str, log: Path) -> subprocess.Popen[bytes]:
    """A process of a session of its own that is told to end when this one dies."""
    with log.open("ab") as file:
        return subprocess.Popen(
            ("setpriv", "--pdeathsig", "TERM", *argv),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes] | psutil.Process, *, patience_s: float) -> None:
    """End a process; kill it where it does not obey."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(patience_s)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            process.kill()
            process.wait(patience_s)


@dataclass
class Daemons:
    """An engine and its mirror. What is in ``cache`` may stay; ``folder`` is for this engine alone, short, and goes.

    An engine that starts throws away the iptables rules of every other one, since the chains of all have one name
    (removeIPChains in libnetwork's bridge driver): tests that start one are of the group of those that use another.
    """

    cache: Path
    folder: Path
    registry: subprocess.Popen[bytes] | None = None
    engine: subprocess.Popen[bytes] | None = None
    mirror: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    network: ipaddress.IPv4Network = field(default_factory=claim_network)

    @property
    def host(self) -> str:
        """What ``DOCKER_HOST`` says."""
        return f"unix://{self.folder}/docker.sock"

    def start(self) -> None:
        """Start both, and wait until the engine answers; what an earlier one left is swept.

        Raises:
            NoEngineError: one of them ended, or does not answer in time.
        """
        registry = self.cache / "registry"
        registry.mkdir(parents=True, exist_ok=True)
        (self.folder / "registry.yml").write_text(
            REGISTRY.format(folder=json.dumps(str(registry)), address=self.mirror)
        )
        log = self.folder / "registry.log"
        self.registry = mortal("docker-registry", "serve", f"{self.folder}/registry.yml", log=log)
        self.start_engine()
        with contextlib.closing(connect(self.host)) as client:
            sweeping.sweep_engine(client)

    def start_engine(self) -> None:
        """Start dockerd alone, as after it was killed; where it ends by itself, again, as a service manager does.

        Raises:
            NoEngineError: it ended each time, or does not answer in time.
        """
        log = self.folder / "dockerd.log"
        for _ in range(STARTS):
            engine = self.engine = self._begun(log)
            deadline = time.monotonic() + START_S
            while engine.poll() is None and time.monotonic() < deadline:
                if answers(self.host):
                    return
                time.sleep(0.1)
            if engine.poll() is None:
                break
            if "reservePools" in last_words(log):
                self._forget_networks()
        raise NoEngineError(f"dockerd did not start; its last words:\n{last_words(log)}")

    def _forget_networks(self) -> None:
        """Do what is left to whoever has such an engine: killed while it wrote a network down, it panics at each start.

        libnetwork's ``reservePools`` takes the first pool of a network of which none is written yet (Docker 20.10,
        controller.go). What mlox does with an engine that has no networks any more is then a part of the test.
        """
        (self.cache / "docker" / "network" / "files" / "local-kv.db").unlink(missing_ok=True)

    def _begun(self, log: Path) -> subprocess.Popen[bytes]:
        name = bridge_of(self.network)
        return mortal(
            *("dockerd", "--host", self.host, "--data-root", f"{self.cache}/docker"),
            *("--exec-root", f"{self.folder}/exec", "--pidfile", f"{self.folder}/dockerd.pid"),
            *("--containerd-namespace", name, "--containerd-plugins-namespace", f"{name}-plugins", "--bridge", name),
            *("--default-address-pool", f"base={self._pool},size=26"),
            *("--registry-mirror", f"http://{self.mirror}", "--log-level", "warn"),
            log=log,
        )

    def stop_engine(self) -> None:
        """End dockerd as its user would; it ends its containers."""
        assert self.engine
        end(self.engine, patience_s=STOP_S)

    def kill_engine(self) -> None:
        """Kill dockerd, as a test of failures does; its containerd dies with it, its containers do not.

        dockerd takes a containerd that nobody has waited for yet for one that runs, and waits for it in vain.
        """
        assert self.engine
        note = self.folder / "exec" / "containerd" / "containerd.pid"
        containerd = int(note.read_text())
        self.engine.kill()
        self.engine.wait()
        while alive(containerd):
            time.sleep(0.01)
        note.unlink()

    def stop(self) -> None:
        """End both, with every container, network and volume, and look that nothing of them stays but the cache."""
        if self.engine and answers(self.host):
            with contextlib.closing(connect(self.host)) as client:
                sweeping.sweep_engine(client)
        for process in (self.engine, self.registry):
            if process:
                end(process, patience_s=STOP_S)
        sweep(self.folder, self.cache, self.network)

    @property
    def _pool(self) -> ipaddress.IPv4Network:
        """The half of the network that networks of tests are cut from."""
        return list(self.network.subnets(1))[1]


def sweep(folder: Path, cache: Path, network: ipaddress.IPv4Network) -> None:
    """Remove what an engine of ours left on the machine, however it ended."""
    sweeping.sweep_processes(folder)
    sweeping.sweep_mounts(folder, cache / "docker")
    sweeping.sweep_network(network, bridge_of(network))
    shutil.rmtree(folder, ignore_errors=True)


def last_words(log: Path, lines: int = 6) -> str:
    """The end of a log, or from where a program of Go says why it ended."""
    with contextlib.suppress(OSError):
        told = log.read_text(errors="replace").splitlines()
        at = next((at for at, line in enumerate(told) if line.startswith(("panic:", "fatal error:"))), None)
        return "\n".join(told[-lines:] if at is None else told[at : at + 2 * lines])
    return "(none)"


def can_start() -> None:
    """Whether an engine could be started here.

    Raises:
        NoEngineError: what is missing.
    """
    if os.uname().sysname != "Linux" or os.geteuid() != 0:
        raise NoEngineError("no Docker engine answers, and only root on Linux can start one")
    programs = ("dockerd", "docker-registry", "setpriv", "ip", "iptables")
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        raise NoEngineError(f"no Docker engine answers, and to start one is not on the PATH: {', '.join(missing)}")
    names = {process.info["name"] for process in psutil.process_iter(["name"])}
    if "docker0" in psutil.net_if_addrs() and "dockerd" in names:
        # dockerd that is given a bridge of its own removes docker0 at its start, whosever that is.
        raise NoEngineError("no Docker engine answers where the docker CLI looks, and another one has docker0")


def alive(pid: int) -> bool:
    """Whether there is such a process, that has not ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def tell_to_end(pid: int) -> None:
    """Ask a process to end; it may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
