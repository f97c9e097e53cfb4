"""A data home of its own for tests of the native back end, small programs to run in it, and a look at what is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from mlox.backends.native import NativeBackend
from mlox.protocols import Event, Observed
from mlox.secret import Secret
from mlox.transports.local import LocalTransport
from mlox.units import File, Job, PortBinding, Probe, SecretRef, Software, Unit

T = TypeVar("T")

STACK = "churn-7f3a"
PASSWORD = "hunter22-of-the-cache"

SERVER = """
import http.server, os, signal, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        if name == "burn":
            child = os.fork()
            while not child and time.process_time() < 0.3:
                pass
            child or os._exit(0)
            os.waitpid(child, 0)
        body = os.environ.get(name, "ok").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        print("asked for", self.path, flush=True)
http.server.ThreadingHTTPServer.allow_reuse_address = True
print("serving", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], start_new_session=sys.argv[3] == "setsid")
print("child", child.pid, flush=True)
while child.poll() is None:
    time.sleep(0.05)
sys.exit(4)
"""


@dataclass
class Stage:
    """A data home, a back end on it, and the ports and events of one test."""

    home: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backend = NativeBackend(self.home, LocalTransport())
        self.known: list[Unit] = []

    def data(self, service: str, stack: str = STACK) -> str:
        return f"{self.home}/{stack}/services/{service}"

    def unit(
        self,
        command: tuple[str, ...],
        *,
        service: str = "web",
        stack: str = STACK,
        name: str = "server",
        binary: str = "python3",
        probe: Probe | None = None,
        port: int | None = None,
        environment: tuple[tuple[str, str], ...] = (),
        directories: tuple[str, ...] = ("data",),
        secrets: tuple[SecretRef, ...] = (),
        software: Software | None = None,
        jobs: tuple[Job, ...] = (),
        files: tuple[File, ...] = (),
        version: str = "1",
        stop_grace_s: float = 3,
        restart: str = "unless-stopped",
    ) -> Unit:
        unit = Unit(
            stack=stack,
            service=service,
            name=name,
            catalog=service,
            version=version,
            server="local",
            backend="native",
            command=command,
            software=software or Software(binary=binary),
            environment=environment,
            ports=(PortBinding("http", port, "tcp", "http"),) if port else (),
            directories=tuple((each, f"{self.data(service, stack)}/{each}") for each in directories),
            secrets=secrets,
            probe=probe,
            jobs=jobs,
            files=files,
            stop_grace_s=stop_grace_s,
            restart=restart,
            intent=(("version", version), ("command", str(command)), ("port", str(port))),
        )
        self.known.append(unit)
        return unit

    def server(self, *, service: str = "web", stack: str = STACK, **more: object) -> Unit:
        """A unit that serves HTTP; a path answers with the environment variable of that name."""
        port = int(str(more.pop("port", free_port())))
        probe = Probe("http", port="http", path="/", timeout_s=2)
        command = ("python3", "-c", SERVER, str(port))
        return self.unit(command, service=service, stack=stack, port=port, probe=probe, **more)  # type: ignore[arg-type]

    def family(self, *, setsid: bool = False) -> Unit:
        """A unit whose parent holds nothing and whose child holds the port."""
        port = free_port()
        probe = Probe("http", port="http", path="/", timeout_s=2)
        command = ("python3", "-c", PARENT, str(port), SERVER, "setsid" if setsid else "group")
        return self.unit(command, port=port, probe=probe)

    def start(self, unit: Unit, **secrets: str) -> Unit:
        self.backend.start(unit, {name: Secret(value) for name, value in secrets.items()}, self.events.append)
        return unit

    def up(self, unit: Unit, **secrets: str) -> int:
        """Start it, wait until it is healthy, and answer the pid."""
        self.start(unit, **secrets)
        until(lambda: self.backend.probe(unit).healthy)
        return self.pid(unit)

    def stop(self, unit: Unit, *, purge: bool = False) -> None:
        self.backend.stop(unit.stack, unit.service, unit.name, purge=purge, emit=self.events.append)

    def seen(self, unit: Unit) -> Observed:
        return next(o for o in self.backend.observe(unit.stack) if o.key == unit.key)

    def pid(self, unit: Unit) -> int:
        pid = self.seen(unit).pid
        assert pid is not None
        return pid

    def logs(self, unit: Unit) -> str:
        return "\n".join(self.backend.logs(unit.stack, unit.service, unit.name, lines=50))

    def supervisor(self, stack: str = STACK) -> psutil.Process:
        path = self.home / stack / "supervisor" / "supervisord.pid"
        return psutil.Process(int(path.read_text()))

    def processes(self) -> list[psutil.Process]:
        """Everything of this home that lives: by command, by environment, by working folder."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                words = [*process.cmdline(), process.environ().get("HOME", ""), process.cwd()]
                if any(str(self.home) in word for word in words):
                    found.append(process)
        return found

    def leave(self) -> None:
        """Purge everything, and fail where something is left."""
        for unit in self.known:
            self.stop(unit, purge=True)
        left = self.processes()
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        assert left == []
        assert [path for path in self.home.iterdir() if path.name not in ("environments", "interpreters")] == []


def redis(here: Stage, stack: str = STACK) -> Unit:
    """A real redis with a password, asked through its own client."""
    port = free_port()
    folder = here.data("cache", stack)
    lines = ("bind 127.0.0.1", f"port {port}", f'dir "{folder}/data"', "requirepass ${secret.password}")
    return here.unit(
        ("redis-server", f"{folder}/config/redis.conf"),
        service="cache",
        stack=stack,
        binary="redis-server",
        port=port,
        directories=("config", "data"),
        environment=(("REDISCLI_AUTH", "${secret.password}"),),
        secrets=(SecretRef("password", "cache.password", "v1", 24),),
        probe=Probe("exec", argv=("redis-cli", "-p", str(port), "-e", "ping")),
        files=(File(f"{folder}/config/redis.conf", "\n".join(lines)),),
    )


def get(unit: Unit, path: str = "") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{unit.ports[0].number}/{path}", timeout=5) as answer:
        return str(answer.read().decode())


def child_of(here: Stage, unit: Unit) -> int:
    return int(here.logs(unit).rpartition("child ")[2].split()[0])


def listening(unit: Unit) -> set[int]:
    number = unit.ports[0].number
    found = psutil.net_connections("tcp")
    return {c.pid for c in found if c.laddr and c.laddr.port == number and c.status == "LISTEN" and c.pid}


@contextlib.contextmanager
def stage(folder: str = "") -> Iterator[Stage]:
    """A stage below ``/tmp``: pytest's own folders are closed to the account that services run as."""
    top = Path(tempfile.mkdtemp(prefix="mlox-", dir="/tmp"))
    top.chmod(0o711)
    home = top / folder if folder else top
    made = Stage(home)
    try:
        yield made
        if home.exists():
            made.leave()
    finally:
        for process in made.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        shutil.rmtree(top, ignore_errors=True)


def until(true: Callable[[], T], patience_s: float = 15) -> T:
    """What ``true`` answers once it is true."""
    deadline = time.monotonic() + patience_s
    while not (answer := true()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs services as another account")
