"""How mlox talks to a stack's supervisord (http://supervisord.org/api.html): the one file that knows it."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import importlib.util
import json
import os
import re
import socket
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mlox.backends.native.configuration import head
from mlox.backends.native.layout import Place, UnitPlace, writing
from mlox.backends.native.logfiles import last_lines
from mlox.errors import CommandError, RequirementError, ServiceError
from mlox.protocols import Transport

ANSWER_S = 10.0
END_S = 15.0

BAD_NAME, ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED = 10, 60, 70, 90
"""Its fault codes that say: what you want is so already."""

_GONE = (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError)


@dataclass(frozen=True, slots=True)
class Program:
    """What the supervisor says of one unit: its own word for the state, the pid (0: none), the start."""

    state: str
    pid: int
    since: float
    error: str


class Supervisor:
    """The supervisord of one stack; started when something is added, gone when nothing is left."""

    def __init__(self, place: Place, transport: Transport) -> None:
        self.place = place
        self.transport = transport

    @property
    def configuration(self) -> Path:
        """Its configuration: ours, and the entries of all units that are wanted running."""
        return self.place.supervisor / "supervisord.conf"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among the threads and processes that change what it runs; waits until it is."""
        with writing(self.place.supervisor):
            handle = os.open(self.place.supervisor / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def programs(self) -> dict[str, Program] | None:
        """What it runs, by ``service.unit``; None where it does not answer."""
        if not self.place.socket.exists():
            return None
        try:
            with self._proxy() as proxy:
                answer: Any = proxy.supervisor.getAllProcessInfo()
        except (*_GONE, xmlrpc.client.Fault):
            return None
        return {
            str(info["name"]): Program(
                str(info["statename"]), int(info["pid"]), float(info["start"]), str(info["spawnerr"])
            )
            for info in answer
        }

    def add(self, unit: UnitPlace) -> None:
        """Run the unit's entry; whoever calls holds the lock.

        Raises:
            ServiceError: it cannot be started, or refuses.
        """
        self._write()
        if self.programs() is None:
            self._start()
        try:
            with self._proxy() as proxy:
                proxy.supervisor.reloadConfig()
                with _ignored(ALREADY_ADDED):
                    proxy.supervisor.addProcessGroup(unit.key)
                with _ignored(ALREADY_STARTED):
                    proxy.supervisor.startProcess(unit.key, False)
        except (*_GONE, xmlrpc.client.Fault) as e:
            raise ServiceError(
                f"the supervisor of {self.place.stack} refused {unit.key}: {e}",
                hint=f"Look into {self.place.supervisor / 'supervisord.log'}, then run the same command again.",
            ) from e

    def stop(self, unit: UnitPlace, grace_s: float) -> None:
        """Stop a unit's process group and wait for its end; nothing happens where it does not run.

        Each question also wakes the supervisor, which else notices an end only at its next second.
        """
        deadline = time.monotonic() + grace_s + END_S
        with contextlib.suppress(*_GONE), self._proxy() as proxy, _ignored(BAD_NAME, NOT_RUNNING):
            with _ignored(NOT_RUNNING):
                proxy.supervisor.stopProcess(unit.key, False)
            pause = 0.005
            while time.monotonic() < deadline:
                info: Any = proxy.supervisor.getProcessInfo(unit.key)
                if info["statename"] in ("STOPPED", "EXITED", "FATAL"):
                    return
                time.sleep(pause)
                pause = min(pause * 2, 0.1)

    def remove(self, unit: UnitPlace) -> None:
        """Forget a stopped unit; whoever calls holds the lock."""
        self._write()
        with contextlib.suppress(*_GONE), self._proxy() as proxy, _ignored(BAD_NAME):
            proxy.supervisor.removeProcessGroup(unit.key)

    def shut_down(self) -> None:
        """End it and wait until it is gone."""
        process = self._process()
        with contextlib.suppress(*_GONE, xmlrpc.client.Fault), self._proxy() as proxy:
            proxy.supervisor.shutdown()
        if process is not None and not _ended(process, END_S):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
            _ended(process, END_S)

    def bury(self) -> None:
        """End it where it lives but does not answer: it would start again what is ended now."""
        process = self._process()
        if process is not None and self.programs() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
            _ended(process, END_S)

    def last_exit(self, unit: UnitPlace) -> str:
        """How the unit's process ended last: ``exit status 3``, ``terminated by SIGKILL``; empty where unknown."""
        try:
            text = (self.place.supervisor / "supervisord.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        found = re.findall(rf"(?:exited|stopped): {re.escape(unit.key)} \(([^;)]+)", text[-200_000:])
        return found[-1].strip() if found else ""

    def _start(self) -> None:
        """Start it from a clean environment: what the user's kernel knows, it must not."""
        self.bury()
        near = self.place.socket.parent
        if near != self.place.supervisor:
            _make_short(near)
        spec = importlib.util.find_spec("supervisor")
        if spec is None or spec.origin is None:
            raise RequirementError("supervisor is not installed", hint=f"{sys.executable} -m pip install supervisor")
        launch = {
            "argv": [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", str(self.configuration)],
            "environment": {
                "PATH": os.defpath,
                "LANG": "C.UTF-8",
                "PYTHONPATH": str(Path(spec.origin).parent.parent),
                **{name: os.environ[name] for name in ("TZ",) if name in os.environ},
            },
            "cwd": str(self.place.folder),
        }
        path = self.place.supervisor / "launch.json"
        with writing(path):
            self.transport.put(json.dumps(launch).encode(), path, mode=0o600)
        try:
            done = self.transport.run((sys.executable, "-I", "-S", str(self.place.shim), str(path)), timeout_s=60)
        except CommandError as e:
            raise ServiceError(f"supervisord does not start: {e.problem}", hint="Run the same command again.") from e
        if done.code != 0:
            raise ServiceError(
                f"supervisord does not start{last_lines(done.stdout + done.stderr)}",
                hint=f"Look into {self.place.supervisor}, then run the same command again.",
            )

    def _write(self) -> None:
        """Put its configuration together; one file, since an include cannot name a folder with ``[`` in its path."""
        parts = [head(self.place), *(path.read_text() for path in sorted(self.place.units.glob("*.conf")))]
        with writing(self.configuration):
            self.transport.put("\n".join(parts).encode(), self.configuration, mode=0o600)

    def _process(self) -> psutil.Process | None:
        """The process in its pid file, when it is one that has this configuration."""
        try:
            process = psutil.Process(int((self.place.supervisor / "supervisord.pid").read_text()))
            alive = process.status() != psutil.STATUS_ZOMBIE
            return process if alive and str(self.configuration) in process.cmdline() else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    def _proxy(self) -> xmlrpc.client.ServerProxy:
        return xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_UnixTransport(self.place.socket))


def _make_short(folder: Path) -> None:
    with writing(folder), contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    seen = folder.lstat()
    if (seen.st_mode & 0o170777) != 0o040700 or seen.st_uid != os.geteuid():
        raise RequirementError(
            f"{folder} is not a folder of ours alone", hint=f"Remove {folder}, and find out who made it."
        )


@contextlib.contextmanager
def _ignored(*codes: int) -> Iterator[None]:
    try:
        yield
    except xmlrpc.client.Fault as fault:
        if fault.faultCode not in codes:
            raise


def _ended(process: psutil.Process, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    alive: Callable[[], bool] = lambda: process.is_running() and process.status() != psutil.STATUS_ZOMBIE  # noqa: E731
    try:
        while alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
    except psutil.NoSuchProcess:
        return True
    return True


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system, with a limit to waiting (supervisor's own client has none)."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_S)
        self.sock.connect(str(self.path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """The connection of this proxy, made when it is needed."""
        if self._connection[1] is None or self._connection[0] != host:
            self._connection = (host, _UnixConnection(self.path))
        return self._connection[1]  # type: ignore[return-value]  # typeshed has it optional
