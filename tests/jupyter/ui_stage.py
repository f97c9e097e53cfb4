"""A page of ``mlox ui``: the process, where it answers, and what is left of it afterwards."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

from tests.live.support import until

HERE = "127.0.0.1"
PATIENCE_S = 60
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "b2YgdGhlIHRlc3RzISEhIQ==",
}
"""What makes a request one for a WebSocket (RFC 6455, 4.1)."""


@dataclass(frozen=True)
class Reply:
    """What came back for one request."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """A page that is there."""

    process: subprocess.Popen[str]
    line: str
    address: str
    folder: Path
    home: Path

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.address).query)["token"][0]

    @property
    def port(self) -> int:
        return int(urlsplit(self.address).port or 0)

    def ask(self, path: str, *, method: str = "GET", token: str = "", **headers: str) -> Reply:
        """One request, as it is: no redirection is followed."""
        connection = http.client.HTTPConnection(HERE, self.port, timeout=PATIENCE_S)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"token {token}"
        try:
            connection.request(method, path, headers=given)
            answer = connection.getresponse()
            text = "" if answer.status == 101 else answer.read().decode("utf-8", "replace")
            return Reply(answer.status, text, dict(answer.headers))
        finally:
            connection.close()

    def family(self) -> list[psutil.Process]:
        """The processes of the page, the one that was started first."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def kernels(self) -> list[psutil.Process]:
        """Those that are kernels."""
        return [one for one in self.family() if "ipykernel_launcher" in words(one)]

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """The exit code after a signal, and what was written to standard error."""
        self.process.send_signal(number)
        _, told = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, told

    def left(self) -> list[Path]:
        """What of its files is still there."""
        return list(self.home.glob("mlox-ui-*"))


def words(process: psutil.Process) -> list[str]:
    """The command line of a process; none where it has ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def settings(home: Path) -> dict[str, str]:
    """The variables of a page by which nothing of the tester's own is touched, and none of its files is elsewhere."""
    own = {"HOME": home, "MLOX_DATA_HOME": home, "TMPDIR": home, "IPYTHONDIR": home / "ipython"}
    return {**os.environ, **{name: str(path) for name, path in own.items()}}


@contextmanager
def served(folder: Path, home: Path, *options: str) -> Iterator[Served]:
    """A page on a workspace; at the end none of its processes is left, however the test ended."""
    command = (sys.executable, "-m", "mlox", "ui", *(options or ("--json",)))
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=folder, env=settings(home), stdout=pipe, stderr=pipe, text=True)
    family: list[psutil.Process] = []
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r'http://[^\s"]+', line)
        assert found, (line, process.communicate())
        made = Served(process, line, found[0], folder, home)
        family = made.family()
        yield made
        family = made.family() if process.poll() is None else family
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
        until(lambda: not any(one.is_running() for one in family), PATIENCE_S)
