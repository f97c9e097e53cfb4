"""The Docker back end: units as containers of an engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mlox.backends.asking import binding
from mlox.backends.docker import carrying, facts, keeping, labels, notes, observing, probing
from mlox.backends.docker.engine import Engine
from mlox.backends.docker.labels import Name
from mlox.backends.docker.measuring import DockerMeasuring
from mlox.backends.docker.site import Site
from mlox.backends.sockets import HOST
from mlox.errors import RequirementError
from mlox.leases import Holder, Lease
from mlox.protocols import (
    Deviation,
    Emit,
    Endpoint,
    Entry,
    Facts,
    Findings,
    Health,
    Kept,
    Leftover,
    Line,
    Lines,
    Observed,
    Passage,
    Question,
    Viewer,
    Write,
)
from mlox.secret import Secret
from mlox.units import Job, Software, Unit


class DockerBackend(DockerMeasuring):
    """Runs units as containers of an engine; implements :class:`mlox.protocols.Backend`.

    Args:
        home: the data home; containers keep nothing there.
        server: the name of the server, for what is shown.
        engine: by default the one that the docker command would use. It is opened when something is asked of it.
        clock: counts how long a lease was not renewed.

    Example:
        >>> DockerBackend(Path("/nonexistent/mlox")).name
        'docker'
    """

    name = "docker"

    def __init__(
        self,
        home: Path,
        server: str = "docker",
        engine: Engine | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.home = home
        self._site = Site(engine or Engine(), server, clock)

    def lease(self, stack: str, holder: Holder) -> Lease | Holder:
        """The right to change a stack; see :meth:`mlox.leases.Leasing.lease`."""
        return self._site.leases.lease(stack, holder)

    def holder(self, stack: str) -> Holder | None:
        """Who has that right now."""
        return self._site.leases.holder(stack)

    def facts(self, question: Question) -> Facts:
        """What the engine is and has; changes nothing."""
        return facts.look(self._site.engine, question)

    def observe(self, stack: str | None = None, service: str | None = None) -> tuple[Observed, ...]:
        """Every unit with our labels on the engine, of one stack or of all, or of one service."""
        return observing.observe(self._site, stack, service)

    def pin(self, software: Software, emit: Emit) -> Software:
        """The image at its digest; one that is built, at its id.

        Raises:
            RequirementError: it is not to be had.
            CommandError: it cannot be built.
        """
        from mlox.backends.docker import building

        return building.pin(self._site, software, emit)

    def prepare(self, unit: Unit, emit: Emit) -> None:
        """Bring the image and check ports and names, while an older container runs.

        Raises:
            RequirementError: the image is not to be had, a port is taken, a stranger has our names.
        """
        from mlox.backends.docker import starting

        starting.prepare(self._site, unit, emit)

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Make ``unit`` run as described; does nothing where it does.

        Raises:
            RequirementError: the image is not to be had, a port is taken, a stranger has our names.
            ServiceError: a job before the start failed.
        """
        from mlox.backends.docker import starting

        starting.start(self._site, unit, secrets, emit)

    def run_job(self, unit: Unit, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Run a command inside the running container, with the unit's variables.

        Raises:
            ServiceError: it failed or took too long; the problem ends with its last 20 lines, secrets masked.
        """
        from mlox.backends.docker import jobs

        jobs.inside(self._site, unit, job, secrets, emit)

    def exec(self, unit: Unit, argv: Sequence[str], *, input: int | None, write: Write | None) -> int:
        """Run a command inside the running container, as its user and with its variables; returns the exit code.

        Raises:
            ServiceError: the unit does not run.
            RequirementError: a terminal was asked for, and there is none.
        """
        from mlox.backends.docker import attaching

        return attaching.execute(self._site, unit, argv, input=input, write=write)

    def stop(self, stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        """Stop a unit's container; with ``purge`` remove it, its volumes and, after the last one, the network.

        Raises:
            ServiceError: it does not end.
        """
        from mlox.backends.docker import stopping

        stopping.stop(self._site, Name(stack, service, name), purge=purge, emit=emit)

    def keep(self, stack: str, service: str, *, data: bool) -> Kept:
        """Stop a service and keep it, with ``data`` copies of its volumes too.

        Raises:
            ServiceError: a container does not end.
        """
        return keeping.keep(self._site, stack, service, data=data)

    def take_back(self, stack: str, service: str) -> Kept:
        """Stop a service and put what was kept in its place.

        Raises:
            ServiceError: a container does not end.
        """
        return keeping.take_back(self._site, stack, service)

    def settle(self, stack: str, service: str) -> None:
        """Forget what was kept."""
        keeping.settle(self._site, stack, service)

    def recover(self, stack: str) -> None:
        """Finish what a killed process left half done; starts nothing."""
        carrying.clear(self._site, stack)
        keeping.recover(self._site, stack)

    def at_rest(self, stack: str, holder: Holder) -> bool:
        """Whether nobody else has the stack, and nothing of it is kept, on its way, or half done; only looks."""
        return keeping.at_rest(self._site, stack, holder)

    def record(self, stack: str, entry: Entry) -> None:
        """Keep what is done to a stack, in a container that never runs."""
        from mlox.backends.docker import recording

        recording.record(self._site, stack, entry)

    def history(self, stack: str) -> tuple[Entry, ...]:
        """What was done to a stack, the oldest first."""
        from mlox.backends.docker import recording

        return recording.history(self._site, stack)

    def forget(self, stack: str) -> None:
        """Remove that."""
        from mlox.backends.docker import recording

        recording.forget(self._site, stack)

    def note_passage(self, stack: str, passage: Passage) -> None:
        """Note that a service is on its way."""
        carrying.note(self._site, stack, passage)

    def passages(self, stack: str) -> tuple[Passage, ...]:
        """What is noted of that."""
        return carrying.noted(self._site, stack)

    def forget_passage(self, stack: str, service: str) -> None:
        """Forget what is noted of a service."""
        carrying.forget(self._site, stack, service)

    def data_size(self, units: Sequence[Unit]) -> int:
        """How many bytes the volumes of ``units`` take."""
        return carrying.data_size(self._site, units)

    def data_out(self, units: Sequence[Unit]) -> Iterator[bytes]:
        """The data of ``units`` as an archive; times in whole seconds.

        Raises:
            ServiceError: a unit of it runs.
        """
        return carrying.data_out(self._site, units)

    def data_in(self, units: Sequence[Unit], chunks: Iterable[bytes], *, done: Collection[str]) -> None:
        """Put the data of an archive into the volumes of ``units``.

        Raises:
            ServiceError: the archive is cut off, or there is data of the service here already.
            RequirementError: there is no room, or the image is not to be had.
        """
        carrying.data_in(self._site, units, chunks, done)

    def data_gone(self, units: Sequence[Unit]) -> None:
        """Remove the volumes of ``units``, which do not run."""
        carrying.data_gone(self._site, units)

    def probe(self, unit: Unit) -> Health:
        """Ask once whether ``unit`` is healthy; dead means that waiting is of no use."""
        return probing.probe(self._site, unit)

    def examine(self, unit: Unit) -> Findings:
        """Look closely at a unit: how it ended, what of it is gone, who has its ports."""
        from mlox.backends.docker import examining

        return examining.examine(self._site, unit)

    def deviations(self, unit: Unit, secrets: Mapping[str, Secret]) -> tuple[Deviation, ...]:
        """What of a unit somebody changed by hand: files, variables, what it is started with."""
        from mlox.backends.docker import comparing

        return comparing.compare(self._site, unit, secrets)

    def logs(self, stack: str, service: str, name: str, *, lines: int) -> tuple[Line, ...]:
        """The last ``lines`` lines of a unit's output, also after it was stopped."""
        from mlox.backends.docker import logs

        return logs.tail(self._site, Name(stack, service, name), lines)

    def follow(self, stack: str, service: str, name: str, *, lines: int = 0) -> Lines:
        """Lines of a unit's output from now on, across restarts, until the caller stops."""
        from mlox.backends.docker import logs

        return logs.follow(self._site, Name(stack, service, name), lines)

    def endpoint(self, unit: Unit, port: str, viewer: Viewer) -> Endpoint:
        """Where a port of ``unit`` is reached: on loopback, where it is published.

        Raises:
            UnknownNameError: the unit has no such port.
            RequirementError: the engine is on another machine, and so is that loopback.
        """
        del viewer
        address = self._site.engine.address
        if not address.here:
            raise RequirementError(
                f"{unit.service} listens on the loopback of another machine: its engine is at {address.url}",
                hint="Choose an engine of this machine (docker context use default; unset DOCKER_HOST), "
                "or run mlox there.",
            )
        return Endpoint(HOST, binding(unit, port).number)

    def leftovers(self) -> tuple[Leftover, ...]:
        """Images that mlox brought, and that nothing uses; nothing where a unit's label cannot be read."""
        pins = self._pins()
        return () if pins is None else self._site.images.leftovers(pins)

    def discard(self, leftover: Leftover) -> None:
        """Remove one of :meth:`leftovers`; does nothing where it is gone.

        Raises:
            UsageError: a unit uses it by now.
        """
        self._site.images.discard(leftover.name, lambda: leftover.name in {each.name for each in self.leftovers()})

    def abort(self) -> None:
        """End the pulls, builds and jobs that run for callers; services are not touched."""
        self._site.abort()

    def _pins(self) -> set[str] | None:
        found = labels.listed(self._site.engine, None)
        own = [there.unit for there in found if not there.role]
        units = [unit for unit in own if isinstance(unit, Unit)]
        if len(units) < len(own):
            return None
        return {pin for unit in (*units, *notes.kept_units(found)) for pin in unit.software.pins}
