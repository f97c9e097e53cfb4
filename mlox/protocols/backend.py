"""What a back end answers and does, and the records that cross."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mlox.leases import Leasing
from mlox.protocols.carrying import Carrying
from mlox.protocols.events import Emit
from mlox.protocols.executing import Executing
from mlox.protocols.findings import Comparing, Findings
from mlox.protocols.history import Recording
from mlox.protocols.lines import Line, Lines
from mlox.protocols.measuring import Measuring
from mlox.protocols.undoing import Undoing
from mlox.secret import Secret
from mlox.units import Job, Software, Unit

State = Literal["running", "starting", "stopped", "orphaned", "failed"]


@dataclass(frozen=True, slots=True)
class Program:
    """A program that a stack needs on the PATH: its name, how to ask its version, what package or command brings it."""

    name: str
    version_argv: tuple[str, ...] = ()
    version_pattern: str = ""
    debian: str = ""
    homebrew: str = ""
    folders: tuple[str, ...] = ()  # patterns of folders that are looked into after the PATH
    install: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What ``facts`` should find out: are these ports free, are these programs there, what is in these folders.

    ``contexts`` are what images are built from: a folder, and the Dockerfile in it where that has another name.
    """

    ports: frozenset[int] = frozenset()
    programs: tuple[Program, ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server is: where mlox keeps data there, sizes in bytes, ports in use, versions of programs by name.

    ``silent`` are programs that are there and did not tell their version.
    ``gateway`` is the address at which its containers reach this machine; empty where a server has no containers, or
    where they reach its loopback. ``elsewhere`` is where a server is whose loopback this machine does not reach.
    ``contexts`` are digests of what an image is built from; a folder that cannot be read has none.
    """

    home: str
    memory_bytes: int
    memory_free_bytes: int
    disk_free_bytes: int
    ports_taken: frozenset[int] = frozenset()
    programs: Mapping[str, str] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    gateway: str = ""
    elsewhere: str = ""
    contexts: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """One unit as a back end sees it: its labels, the unit in its annotation, and how it does.

    ``since`` is seconds since the epoch; ``healthy`` is None where nothing was asked; ``note`` is one sentence for a
    person (why it is stopped, that a reboot came between). ``previous`` is the unit that it takes the place of, as long
    as that change is not settled.
    """

    stack: str
    service: str
    name: str
    digest: str
    unit: Unit
    state: State
    healthy: bool | None = None
    pid: int | None = None
    since: float | None = None
    restarts: int = 0
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    data_path: str | None = None
    note: str = ""
    previous: Unit | None = None

    @property
    def key(self) -> str:
        """``service.unit``: unique in a stack."""
        return f"{self.service}.{self.name}"

    @property
    def edge(self) -> str:
        """Which addresses a forwarder joins; empty for what is none."""
        joined = (f"{port.address}:{port.number} -> 127.0.0.1:{port.number}" for port in self.unit.ports)
        return ", ".join(joined) if self.unit.forwards else ""


@dataclass(frozen=True, slots=True)
class Health:
    """What a probe saw: healthy or not, a sentence, and ``dead`` where waiting longer is of no use.

    ``robbed``: it is dead because somebody else listens on its port. ``took_ms``: how long the unit's own probe took to
    answer, in milliseconds; None where it was not asked.
    """

    healthy: bool
    detail: str = ""
    dead: bool = False
    robbed: bool = False
    took_ms: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something on a server that nothing uses: its name there, and what it takes in bytes."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a viewer reaches a port."""

    host: str
    port: int


Viewer = Literal["process"]
"""For whom an address is asked: this process. Units on other networks come with the back ends that have them."""


class Backend(Leasing, Undoing, Executing, Comparing, Recording, Carrying, Measuring, Protocol):
    """A way to run units on one server, to hold a stack there, and to undo a change. Every call is idempotent."""

    name: str

    def facts(self, question: Question) -> Facts:
        """What the server is and has."""

    def observe(self, stack: str | None = None, service: str | None = None) -> tuple[Observed, ...]:
        """Every unit that carries our labels, of one stack or of all, or of one service; also stopped ones and orphans.

        Asks no probe: see :meth:`probe`.
        """

    def measure(self, seen: Observed) -> Observed:
        """``seen`` with its process, its start, its restarts and its memory, where :meth:`observe` left these open.

        A back end that can see them all at once has told them already; for others they cost a question each.
        """

    def pin(self, software: Software, emit: Emit) -> Software:
        """``software`` with exact versions decided."""

    def prepare(self, unit: Unit, emit: Emit) -> None:
        """Do and check all of :meth:`start` that can be while an older unit of the name runs; that one goes on.

        Raises:
            RequirementError: something it needs is missing or taken.
        """

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Make ``unit`` run as it is described, in place of an older one of the same name; does not wait for health.

        Raises:
            RequirementError: something it needs is missing or taken.
            ServiceError: a job before the start failed.
        """

    def run_job(self, unit: Unit, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Run a command of ``unit`` to its end, in the unit's environment.

        Raises:
            ServiceError: it failed or took too long; the problem ends with its last lines, secrets masked.
        """

    def stop(self, stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        """Stop a unit, its whole process group; with ``purge`` remove its data and every trace of it."""

    def probe(self, unit: Unit) -> Health:
        """Ask once whether ``unit`` is healthy."""

    def examine(self, unit: Unit) -> Findings:
        """Look closely at a unit that there is, for an explanation; changes nothing."""

    def logs(self, stack: str, service: str, name: str, *, lines: int) -> tuple[Line, ...]:
        """The last ``lines`` lines that the unit wrote."""

    def follow(self, stack: str, service: str, name: str, *, lines: int = 0) -> Lines:
        """Lines as the unit writes them, also after a restart, or where it is yet to come; until the caller closes it.

        ``.before`` are the last ``lines`` lines up to there; none is in both, and none is lost in between.
        """

    def endpoint(self, unit: Unit, port: str, viewer: Viewer) -> Endpoint:
        """Where ``viewer`` reaches a port of ``unit``."""

    def leftovers(self) -> tuple[Leftover, ...]:
        """What no unit of any stack uses any more: environments, images."""

    def discard(self, leftover: Leftover) -> None:
        """Remove one of :meth:`leftovers`."""

    def abort(self) -> None:
        """End the commands that run for callers right now (an installer, a job); services are not touched."""
