"""What mlox deploys for a benchmark: below a folder of its own in /tmp, and purged whatever happens."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from measuring.environments import environment
from measuring.stopwatch import seconds


class Deployment:
    """A workspace and a data home, both new, and the mlox that works in them."""

    def __init__(self, mlox: Path, folder: Path) -> None:
        self.mlox = mlox
        self.home = folder / "home"
        self.workspace = folder / "bench"
        self.workspace.mkdir(parents=True)
        folder.chmod(0o711)

    def choose_port(self, service: str, name: str) -> None:
        """Write a service with a free port into ``mlox.yaml``: others on this machine also want the usual one."""
        text = f"name: bench\nservices:\n  {service}:\n    service: {service}\n    ports: {{{name}: {free_port()}}}\n"
        (self.workspace / "mlox.yaml").write_text(text)

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command."""
        return environment(MLOX_DATA_HOME=str(self.home))

    def up(self, *names: str) -> float:
        """The wall time of ``mlox up NAMES``, which must do something."""
        took, output = seconds((self.mlox, "up", *names, "--json", "-y"), cwd=self.workspace, env=self.env)
        assert actions(output), f"`mlox up {' '.join(names)}` had nothing to do"
        for row in json.loads(output)["services"]:
            for address in row["ports"].values():
                assert listens(int(address.rpartition(":")[2]), self.home), f"{row['name']} is not at {address}"
        return took

    def down(self) -> None:
        """Stop everything and delete its data; environments stay."""
        seconds((self.mlox, "down", "--purge", "--json", "-y"), cwd=self.workspace, env=self.env)


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder in /tmp that every user can go through, as services run as another one where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="mlox-", dir="/tmp"))
    folder.chmod(0o711)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything here is cleaned up after that too
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()  # what could not be purged keeps its data: its processes may live


@contextmanager
def deployment(mlox: Path, folder: Path) -> Iterator[Deployment]:
    """A deployment below ``folder``, stopped, purged and removed at the end, also after an error or Ctrl-C."""
    made = Deployment(mlox, folder)
    try:
        yield made
    finally:
        purge = (str(mlox), "down", "--all", "--purge", "--json", "-y")
        done = subprocess.run(purge, cwd=made.workspace, env=made.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"warning: {folder} could not be purged: {done.stderr}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int, home: Path) -> bool:
    """Whether a process that works below ``home`` listens on a port; else somebody else's answered there."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if home.resolve() in Path(process.cwd()).parents and any(
                each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in process.net_connections()
            ):
                return True
    return False


def actions(output: str) -> list[Any]:
    """What ``--json`` of ``up`` says was done."""
    found = json.loads(output)["actions"]
    assert isinstance(found, list)
    return found
