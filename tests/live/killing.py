"""The real ``mlox`` in a process that ends itself with SIGKILL at one chosen call, or lists every call that it makes.

``python -m tests.live.killing POINT WHEN LOG WORDS...``: POINT is ``NAME#N``, the n-th call of that name, and WHEN is
``before`` or ``after``; POINT ``-`` writes every point into LOG and kills nothing. What is counted: every call of a
back end, a lease, a transport and a secret store; every change of the file system's tree; every process that is begun;
every request to a supervisor, to an engine and to a service. A call that fails, such as making a folder that is there,
is no point.
"""

from __future__ import annotations

import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import xmlrpc.client
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from mlox import cli
from mlox.backends.docker import DockerBackend
from mlox.backends.docker.leasing import EngineLease
from mlox.backends.native import NativeBackend
from mlox.backends.native.leasing import NativeLease
from mlox.secret_stores.user import UserStore
from mlox.transports.local import LocalTransport

SEAMS = (NativeBackend, LocalTransport, UserStore, NativeLease, DockerBackend, EngineLease)
FILES = ("rename", "replace", "link", "symlink", "unlink", "remove", "mkdir", "rmdir", "fsync", "pwrite")


class Counting:
    """Counts calls by name; the chosen one is the last thing that this process does."""

    def __init__(self, point: str, when: str, log: Path) -> None:
        self.point = point
        self.when = when
        self.log = log
        self.calls: Counter[str] = Counter()
        self.lock = threading.RLock()

    def wrap(self, owner: Any, name: str, label: str | Callable[..., str]) -> None:
        """Count the calls of ``owner.name``; the label may come from a call's arguments."""
        function: Callable[..., Any] = getattr(owner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            text = label if isinstance(label, str) else label(*arguments)
            with self.lock:
                self.calls[text] += 1
                point = f"{text}#{self.calls[text]}"
            if point == self.point and self.when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            answer = function(*arguments, **named)
            if point == self.point:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.point == "-":
                with self.lock, self.log.open("a") as file:
                    file.write(f"{point}\n")
            return answer

        setattr(owner, name, call)


def of_engine(_session: object, request: requests.PreparedRequest, *_: object) -> str:
    """What a request to an engine is for, without the ids and names in it: ``engine.POST.containers.start``."""
    words = [part for part in urlsplit(str(request.url)).path.split("/") if part.isalpha()]
    return ".".join(("engine", str(request.method), *words))


def instrument(counting: Counting) -> None:
    """Put the counting in place of everything that is counted."""
    for seam in SEAMS:
        for name, value in list(vars(seam).items()):
            if not name.startswith("_") and callable(value):
                counting.wrap(seam, name, f"{seam.__name__}.{name}")
    for name in FILES:
        counting.wrap(os, name, f"os.{name}")
    counting.wrap(shutil, "rmtree", "shutil.rmtree")
    counting.wrap(fcntl, "flock", "fcntl.flock")
    counting.wrap(subprocess.Popen, "__init__", "Popen")
    counting.wrap(xmlrpc.client.Transport, "request", "supervisor")
    counting.wrap(http.client.HTTPConnection, "request", "http")
    counting.wrap(requests.Session, "send", of_engine)
    counting.wrap(socket, "create_connection", "connect")


def main() -> int:
    point, when, log, *words = sys.argv[1:]
    instrument(Counting(point, when, Path(log)))
    return cli.main(words)


if __name__ == "__main__":
    sys.exit(main())
