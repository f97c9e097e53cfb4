"""The Docker back end under the contract: the same small server in a container of an image with Python."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mlox.backends.docker import DockerBackend, entries, labels, naming
from mlox.backends.docker.archives import packed
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.entries import Entry
from mlox.backends.docker.labels import Name
from mlox.protocols import Question, silent
from mlox.units import Container, Job, Software, Unit, Volume
from tests.live.engine_stage import registry, usual_engine
from tests.live.native_stage import SERVER, STACK, free_port

IMAGE = "python:3.11-slim"
STACKS = (STACK, "other-0001")
"""What the contract makes: the engine may have others."""
DATA = "/mlox/data"
INSIDE = SERVER.replace("127.0.0.1", "0.0.0.0")  # noqa: S104


KILL = """
import os
for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
    if pid not in (1, os.getpid()):
        os.kill(pid, 9)
"""
"""Ends what the container's first process has started; that one no signal from inside can end."""


def get(unit: Unit, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{unit.ports[0].number}/{path}", timeout=30) as answer:
        answer.read()


@contextmanager
def burning(unit: Unit) -> Iterator[None]:
    """While the unit's server burns time of a core in children, one after the other."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            get(unit, "burn")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass
class DockerBench:
    engine: Engine
    closing: contextlib.ExitStack

    said_missing = "the image no-such-image-of-mlox:1 is not to be had"
    has_programs = False
    whole_seconds = True

    def __post_init__(self) -> None:
        self.backend = DockerBackend(Path("/nonexistent/mlox"), "docker", self.engine)
        self.home = self.backend.facts(Question()).home
        self.software = self.backend.pin(Software(image=IMAGE), silent)

    @cached_property
    def wish(self) -> Software:
        """An image that mlox brings from a registry, and may remove."""
        name = f"{self.closing.enter_context(registry())}/server:1"
        published(self.engine, name)
        self.closing.callback(lambda: self._forget(name))
        return Software(image=name)

    def _forget(self, name: str) -> None:
        for leftover in self.backend.leftovers():
            if leftover.name.startswith(name.rpartition(":")[0]):
                self.backend.discard(leftover)

    def shaped(self, unit: Unit) -> Unit:
        return replace(
            unit,
            server="docker",
            backend="docker",
            command=(*unit.command[:2], INSIDE, *unit.command[3:]),
            software=self.software,
            directories=(("data", DATA),),
            container=Container(volumes=(Volume("data", DATA),), aliases=(unit.service,), settings={"init": True}),
        )

    def without(self, unit: Unit) -> Unit:
        return replace(unit, software=Software(image="no-such-image-of-mlox:1"))

    def gone(self, unit: Unit) -> list[tuple[Unit, tuple[str, str]]]:
        pin = f"sha256:{'0' * 64}"
        return [(replace(unit, software=Software(image="gone:1", pins=(pin,))), ("environment", "gone:1"))]

    def port(self) -> int:
        return free_port()

    @contextmanager
    def occupied(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server.getsockname()[1]

    def dying(self, unit: Unit) -> Unit:
        return replace(unit, command=("python3", "-c", "import sys; sys.exit(3)"))

    def failing(self, name: str, output: str) -> Job:
        return Job(name, ("python3", "-c", f"import sys; print({output!r}); sys.exit(1)"))

    def write(self, unit: Unit) -> None:
        get(unit, "")

    busy = staticmethod(burning)

    def kill(self, unit: Unit) -> None:
        made = self.engine.api.exec_create(self._container(unit), ["python3", "-c", KILL])
        self.engine.api.exec_start(made["Id"])

    def edit_file(self, unit: Unit) -> None:
        changed = Entry("config/words", b"changed by hand", 0o600)
        entries.put(self.engine, self._container(unit), "/mlox", [changed], doing="edit a file")

    def directories(self, service: str) -> tuple[tuple[str, str], ...]:
        del service
        return (("data", DATA),)

    def write_data(self, unit: Unit, text: str) -> None:
        entries.put(self.engine, self._container(unit), DATA, [Entry("words", text.encode(), 0o644)], doing="write")

    def read_data(self, unit: Unit) -> str:
        return (entries.read(self.engine, self._container(unit), f"{DATA}/words") or b"").decode()

    def _container(self, unit: Unit) -> str:
        there = labels.one(self.engine, Name.of(unit))
        assert there is not None
        return there.id


@contextmanager
def docker(*stacks: str) -> Iterator[DockerBench]:
    """The bench on the usual engine; of the contract's stacks, or of these, nothing is left in the end."""
    with contextlib.ExitStack() as closing:
        engine = closing.enter_context(contextlib.closing(usual_engine()))
        made = DockerBench(engine, closing)
        yield made
        for stack in stacks or STACKS:
            for seen in made.backend.observe(stack):
                made.backend.stop(stack, seen.service, seen.name, purge=True, emit=silent)
            made.backend.forget(stack)
            label = {"label": f"{naming.STACK}={stack}"}
            assert engine.api.containers(all=True, filters=label) == []
            assert not engine.api.volumes(filters=label)["Volumes"]
            assert engine.api.networks(filters=label) == []


def published(engine: Engine, name: str) -> None:
    """Put an image into a registry that answers like the server, and that the engine has nothing of afterwards."""
    files = {
        "Dockerfile": b"FROM busybox:1\nCOPY python3 /bin/python3\nCOPY index.html /www/index.html\n",
        "python3": b'#!/bin/sh\nexec httpd -f -p "$3" -h /www\n',
        "index.html": name.encode(),
    }
    context = io.BytesIO(packed(files, mode=0o755))
    for line in engine.api.build(fileobj=context, custom_context=True, tag=name, rm=True, decode=True):
        assert "error" not in line, line
    for line in engine.api.push(name, stream=True, decode=True):
        assert "error" not in line, line
    engine.api.remove_image(name, force=True)
