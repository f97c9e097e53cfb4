"""What a back end under test is, for the contract: the real one, the fake, and what differs between them."""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from mlox.protocols import Backend, Deviation, Event, Observed, silent
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Job, PortBinding, Probe, SecretRef, Software, Unit
from tests.contracts.docker_bench import burning, docker, get
from tests.live.native_stage import PASSWORD, SERVER, STACK, Stage, free_port, stage, until

__all__ = ["BENCHES", "LIVE", "PASSWORD", "SECRETS", "STACK", "Bench", "a_unit", "seen", "start", "stop", "until", "up"]

SECRETS = {"password": Secret(PASSWORD, "v1")}


Missing = tuple[str, str]

NO_PROGRAM = "no-such-program-of-mlox is not on the PATH"
PACKAGE = Software(packages=("itsdangerous==2.2.0",))


def without_program(unit: Unit) -> Unit:
    """The unit with a program that nobody has."""
    program = "no-such-program-of-mlox"
    return replace(unit, command=(program,), software=Software(binary=program))


def gone_natively(unit: Unit) -> list[tuple[Unit, Missing]]:
    """A program and an environment that are gone."""
    elsewhere = replace(unit, software=Software(binary="no-such-program-of-mlox"))
    removed = replace(unit, software=Software(packages=("never",), pins=("never==1.0",)))
    return [(elsewhere, ("program", "no-such-program-of-mlox")), (removed, ("environment", "never"))]


class Bench(Protocol):
    """A back end under test, and what differs between a real one and a fake."""

    @property
    def backend(self) -> Backend:
        """The back end."""

    @property
    def home(self) -> str:
        """Where it keeps data."""

    def shaped(self, unit: Unit) -> Unit:
        """The unit as it is on this back end."""

    def without(self, unit: Unit) -> Unit:
        """The unit with something that is not to be had; :attr:`said_missing` is what is said of it."""

    @property
    def said_missing(self) -> str:
        """A pattern."""

    @property
    def has_programs(self) -> bool:
        """Whether the server tells of programs."""

    @property
    def whole_seconds(self) -> bool:
        """Whether it tells times of files in whole seconds."""

    @property
    def wish(self) -> Software:
        """Software whose versions have to be decided, and that may be left over."""

    def gone(self, unit: Unit) -> list[tuple[Unit, Missing]]:
        """The unit with things that are gone, and what is found of each."""

    def port(self) -> int:
        """A port that is free."""

    def occupied(self) -> AbstractContextManager[int]:
        """A port that somebody else holds."""

    def dying(self, unit: Unit) -> Unit:
        """The unit, made such that its process ends with exit status 3 as soon as it starts."""

    def failing(self, name: str, output: str) -> Job:
        """A job that writes ``output`` and fails."""

    def write(self, unit: Unit) -> None:
        """Make the running unit write one more line."""

    def busy(self, unit: Unit) -> AbstractContextManager[None]:
        """A while in which the running unit keeps a core busy, by children that end."""

    def kill(self, unit: Unit) -> None:
        """End the running unit's process from outside, such that it is started again."""

    def edit_file(self, unit: Unit) -> None:
        """Change the unit's first file by hand, where it lies."""

    def write_data(self, unit: Unit, text: str) -> None:
        """Let a unit's data be this text."""

    def read_data(self, unit: Unit) -> str:
        """The text in a unit's data."""

    def directories(self, service: str) -> tuple[tuple[str, str], ...]:
        """The folders of a service."""


@dataclass
class FakeBench:
    backend: FakeBackend
    home = "/var/lib/mlox"

    def __post_init__(self) -> None:
        self.ports = itertools.count(20001)

    def shaped(self, unit: Unit) -> Unit:
        return unit

    without = staticmethod(without_program)
    gone = staticmethod(gone_natively)
    said_missing = NO_PROGRAM
    has_programs = True
    whole_seconds = False
    wish = PACKAGE

    def port(self) -> int:
        return next(self.ports)

    @contextmanager
    def occupied(self) -> Iterator[int]:
        port = self.port()
        self.backend.ports_taken.add(port)
        yield port
        self.backend.ports_taken.remove(port)

    def dying(self, unit: Unit) -> Unit:
        self.backend.dying[unit.key] = "exit status 3"
        return unit

    def failing(self, name: str, output: str) -> Job:
        self.backend.failing_jobs[name] = output
        return Job(name, ("anything",))

    def write(self, unit: Unit) -> None:
        self.backend.say(unit.stack, unit.service, unit.name, "asked for /")

    @contextmanager
    def busy(self, unit: Unit) -> Iterator[None]:
        self.backend.load[unit.key] = 1.0
        yield
        self.backend.load[unit.key] = 0.0

    def kill(self, unit: Unit) -> None:
        self.backend.kill(unit.stack, unit.service, unit.name)

    def edit_file(self, unit: Unit) -> None:
        self.backend.tamper(unit, Deviation("file", "config/words", "changed"))

    def write_data(self, unit: Unit, text: str) -> None:
        self.backend.data[unit.stack, unit.service] = text

    def directories(self, service: str) -> tuple[tuple[str, str], ...]:
        return (("data", f"{self.home}/{STACK}/services/{service}/data"),)

    def read_data(self, unit: Unit) -> str:
        return self.backend.data.get((unit.stack, unit.service), "")


@dataclass
class NativeBench:
    stage: Stage

    def __post_init__(self) -> None:
        self.backend: Backend = self.stage.backend
        self.home = str(self.stage.home)

    def shaped(self, unit: Unit) -> Unit:
        return unit

    without = staticmethod(without_program)
    gone = staticmethod(gone_natively)
    said_missing = NO_PROGRAM
    has_programs = True
    whole_seconds = False
    wish = PACKAGE

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
        (pid,) = (o.pid for o in self.backend.observe(unit.stack) if o.key == unit.key)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def edit_file(self, unit: Unit) -> None:
        Path(unit.files[0].path).write_text("by hand")

    def write_data(self, unit: Unit, text: str) -> None:
        (Path(unit.directories[0][1]) / "words").write_text(text)

    def directories(self, service: str) -> tuple[tuple[str, str], ...]:
        return (("data", f"{self.home}/{STACK}/services/{service}/data"),)

    def read_data(self, unit: Unit) -> str:
        path = Path(unit.directories[0][1]) / "words"
        return path.read_text() if path.exists() else ""


@contextmanager
def fake() -> Iterator[Bench]:
    yield FakeBench(FakeBackend(programs={"python3": "3.11"}))


@contextmanager
def native() -> Iterator[Bench]:
    with stage() as made:
        yield NativeBench(made)
        for seen in made.backend.observe():
            made.backend.stop(seen.stack, seen.service, seen.name, purge=True, emit=silent)


BENCHES: dict[str, Callable[[], AbstractContextManager[Bench]]] = {"docker": docker, "fake": fake, "native": native}
LIVE = {"docker", "native"}


def a_unit(bench: Bench, *, service: str = "web", stack: str = STACK, version: str = "1") -> Unit:
    """A unit that serves HTTP on a free port, and has a secret."""
    port = bench.port()
    unit = Unit(
        stack=stack,
        service=service,
        name="server",
        catalog="web",
        version=version,
        server="local",
        backend="native",
        command=("python3", "-c", SERVER, str(port)),
        software=Software(binary="python3"),
        environment=(("PASSWORD", "${secret.password}"),),
        ports=(PortBinding("http", port, "tcp", "http"),),
        directories=(("data", f"{bench.home}/{stack}/services/{service}/data"),),
        secrets=(SecretRef("password", f"{service}.password", "v1", 24),),
        probe=Probe("http", port="http"),
        stop_grace_s=3,
        intent=(("version", version),),
    )
    return bench.shaped(unit)


def start(bench: Bench, unit: Unit) -> list[str]:
    """Start it, and answer what was told meanwhile."""
    events: list[Event] = []
    bench.backend.start(unit, SECRETS, events.append)
    return [event.message for event in events]


def up(bench: Bench, unit: Unit) -> Observed:
    """Start it, wait until it is healthy, and look at it."""
    start(bench, unit)
    until(lambda: bench.backend.probe(unit).healthy)
    return seen(bench, unit)


def stop(bench: Bench, unit: Unit, *, purge: bool = False) -> None:
    bench.backend.stop(unit.stack, unit.service, unit.name, purge=purge, emit=silent)


def seen(bench: Bench, unit: Unit) -> Observed:
    there = next(o for o in bench.backend.observe(unit.stack) if o.key == unit.key)
    return bench.backend.measure(there)
