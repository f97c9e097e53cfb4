"""The native back end: units as supervised processes of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mlox.backends.asking import binding
from mlox.backends.native import carrying, facts, keeping, labels, leasing, observing, ports, probing, stopping
from mlox.backends.native.layout import stacks
from mlox.backends.native.measuring import NativeMeasuring
from mlox.backends.native.site import Site
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
    Transport,
    Viewer,
    Write,
)
from mlox.secret import Secret
from mlox.units import Job, Software, Unit


class NativeBackend(NativeMeasuring):
    """Runs units as plain processes under one supervisord a stack; implements :class:`mlox.protocols.Backend`.

    As root, units run as the system account ``mlox``, which is created at the first start.

    Args:
        home: the data home; everything lies below it. Making a back end touches nothing.
        transport: how commands run and files are written on this machine.
        server: the name of the server, for what is shown.
        clock: counts how long a lease was not renewed; the same for all processes of the machine.

    Example:
        >>> from mlox.transports.local import LocalTransport
        >>> NativeBackend(Path("/nonexistent/mlox"), LocalTransport()).observe()
        ()
    """

    name = "native"

    def __init__(
        self,
        home: Path,
        transport: Transport,
        server: str = "local",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site = Site(home, transport, server, clock)

    def lease(self, stack: str, holder: Holder) -> Lease | Holder:
        """The right to change a stack; see :meth:`mlox.leases.Leasing.lease`."""
        return leasing.lease(self._site.place(stack), holder, self._site.clock)

    def holder(self, stack: str) -> Holder | None:
        """Who has that right now."""
        return leasing.holder(self._site.place(stack), self._site.clock)

    def facts(self, question: Question) -> Facts:
        """What this machine is and has; changes nothing."""
        return facts.look(self._site, question)

    def observe(self, stack: str | None = None, service: str | None = None) -> tuple[Observed, ...]:
        """Every unit below the data home, of one stack or of all, or of one service."""
        return observing.observe(self._site, stack, service)

    def pin(self, software: Software, emit: Emit) -> Software:
        """Python packages with exact versions; a program as it is.

        Raises:
            RequirementError: there is no such version, no network, or no uv.
        """
        from mlox.backends.native import environments

        return environments.pin(self._site.transport, software, emit)

    def prepare(self, unit: Unit, emit: Emit) -> None:
        """Install and check what ``unit`` needs, while an older one runs.

        Raises:
            RequirementError: a program, a port, the network or disk space is missing.
        """
        from mlox.backends.native import starting

        starting.prepare(self._site, unit, emit)

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Make ``unit`` run as described; does nothing where it does.

        Raises:
            RequirementError: a program, a port, disk space or a permission is missing.
            ServiceError: a job before the start failed.
        """
        from mlox.backends.native import starting

        starting.start(self._site, unit, secrets, emit)

    def run_job(self, unit: Unit, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Run a command of ``unit`` to its end, in its environment and as its account.

        Raises:
            ServiceError: it failed or took too long; the problem ends with its last 20 lines, secrets masked.
        """
        from mlox.backends.native import starting

        starting.run_job(self._site, unit, job, secrets, emit)

    def exec(self, unit: Unit, argv: Sequence[str], *, input: int | None, write: Write | None) -> int:
        """Run a command beside ``unit``, as its account and in its environment; returns the exit code.

        Raises:
            ServiceError: the unit does not run.
        """
        from mlox.backends.native import executing

        return executing.execute(self._site, unit, argv, input=input, write=write)

    def stop(self, stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        """Stop a unit with all of its processes; with ``purge`` remove its data and every trace of it.

        Raises:
            ServiceError: a process cannot be ended.
        """
        stopping.stop(self._site, self._site.place(stack).unit(service, name), purge=purge, emit=emit)

    def keep(self, stack: str, service: str, *, data: bool) -> Kept:
        """Stop a service and keep it, with ``data`` a copy of its data too.

        Raises:
            ServiceError: a process cannot be ended.
        """
        return keeping.keep(self._site, self._spot(stack, service), data=data)

    def take_back(self, stack: str, service: str) -> Kept:
        """Stop a service and put what was kept in its place.

        Raises:
            ServiceError: a process cannot be ended.
        """
        return keeping.take_back(self._site, self._spot(stack, service))

    def settle(self, stack: str, service: str) -> None:
        """Forget what was kept."""
        keeping.settle(self._spot(stack, service))

    def recover(self, stack: str) -> None:
        """Finish what a killed process left half done; starts nothing."""
        keeping.recover(self._site, self._site.place(stack))

    def at_rest(self, stack: str, holder: Holder) -> bool:
        """Whether nobody else has the stack, and nothing of it is kept, on its way, or half done; only looks."""
        there = self.holder(stack)
        return (there is None or there.token == holder.token) and keeping.at_rest(self._site, self._site.place(stack))

    def record(self, stack: str, entry: Entry) -> None:
        """Keep what is done to a stack, beside its units.

        Raises:
            RequirementError: it cannot be written.
        """
        from mlox.backends.native import recording

        recording.record(self._site.place(stack), entry, self._site.transport)

    def history(self, stack: str) -> tuple[Entry, ...]:
        """What was done to a stack, the oldest first."""
        from mlox.backends.native import recording

        return recording.history(self._site.place(stack))

    def forget(self, stack: str) -> None:
        """Remove that."""
        from mlox.backends.native import recording

        recording.forget(self._site.place(stack))

    def note_passage(self, stack: str, passage: Passage) -> None:
        """Note that a service is on its way from here, or to here."""
        carrying.note(self._site, self._site.place(stack), passage)

    def passages(self, stack: str) -> tuple[Passage, ...]:
        """What is noted."""
        return carrying.noted(self._site.place(stack))

    def forget_passage(self, stack: str, service: str) -> None:
        """Forget what is noted of a service."""
        carrying.forget(self._site.place(stack), service)

    def data_size(self, units: Sequence[Unit]) -> int:
        """How many bytes the data of ``units`` takes."""
        return carrying.data_size(self._site.place(units[0].stack), units)

    def data_out(self, units: Sequence[Unit]) -> Iterator[bytes]:
        """The data of ``units``, which do not run, as an archive.

        Raises:
            ServiceError: it runs, or something in it cannot be read or carried.
        """
        return carrying.data_out(self._site.place(units[0].stack), units)

    def data_in(self, units: Sequence[Unit], chunks: Iterable[bytes], *, done: Collection[str]) -> None:
        """Put data where ``units`` find it, for the account that they run as.

        Raises:
            ServiceError: the archive is cut off, or there is data already.
            RequirementError: there is no room.
        """
        carrying.data_in(self._site, self._site.place(units[0].stack), units, chunks, done)

    def data_gone(self, units: Sequence[Unit]) -> None:
        """Remove the data of ``units``, which do not run."""
        carrying.data_gone(self._site.place(units[0].stack), units)

    def probe(self, unit: Unit) -> Health:
        """Ask once whether ``unit`` is healthy; dead means that waiting is of no use."""
        return probing.probe(self._site, unit)

    def examine(self, unit: Unit) -> Findings:
        """Look closely at a unit: how it ended, what of it is gone, who has its ports."""
        from mlox.backends.native import examining

        return examining.examine(self._site, unit)

    def deviations(self, unit: Unit, secrets: Mapping[str, Secret]) -> tuple[Deviation, ...]:
        """What of a unit somebody changed by hand: files, what it is started with, its variables."""
        from mlox.backends.native import comparing

        return comparing.compare(self._site, unit, secrets)

    def logs(self, stack: str, service: str, name: str, *, lines: int) -> tuple[Line, ...]:
        """The last ``lines`` lines of a unit's output, also after it was stopped."""
        from mlox.backends.native import logfiles

        return logfiles.tail(self._site.place(stack).unit(service, name).log, lines)

    def follow(self, stack: str, service: str, name: str, *, lines: int = 0) -> Lines:
        """Lines of a unit's output from now on, across restarts and rotation, until the caller stops."""
        from mlox.backends.native import logfiles

        return logfiles.follow(self._site.place(stack).unit(service, name).log, lines)

    def endpoint(self, unit: Unit, port: str, viewer: Viewer) -> Endpoint:
        """Where a port of ``unit`` is reached: on loopback, of a forwarder where containers reach it.

        Raises:
            UnknownNameError: the unit has no such port.
        """
        del viewer
        found = binding(unit, port)
        return Endpoint(found.address or ports.HOST, found.number)

    def leftovers(self) -> tuple[Leftover, ...]:
        """Python environments that no unit of any stack uses; nothing where a unit's annotation cannot be read."""
        from mlox.backends.native import environments

        units = self._units()
        return () if units is None else environments.leftovers(self._site.home, units)

    def discard(self, leftover: Leftover) -> None:
        """Remove one of :meth:`leftovers`; does nothing where it is gone.

        Raises:
            UsageError: a unit uses it by now.
        """
        from mlox.backends.native import environments

        environments.discard(
            self._site.home, leftover.name, lambda: leftover.name in {o.name for o in self.leftovers()}
        )

    def abort(self) -> None:
        """End the installers and jobs that run for callers, and their waiting; services are not touched."""
        self._site.aborts += 1
        self._site.transport.abort()

    def _units(self) -> tuple[Unit, ...] | None:
        places = stacks(self._site.home)
        found = [labels.read(unit) for place in places for unit in place.known()]
        units = [unit for unit in found if isinstance(unit, Unit)]
        kept = [unit for place in places for unit in keeping.kept_units(place)]
        return (*units, *kept) if len(units) == len(found) else None

    def _spot(self, stack: str, service: str) -> keeping.Spot:
        return keeping.Spot(self._site.place(stack), service)
