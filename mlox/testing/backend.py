"""A back end in memory, for tests; the contract suite holds it to the behaviour of the real ones."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mlox.errors import PortTakenError, RequirementError, ServiceError, UnknownNameError, UsageError
from mlox.leases import Holder
from mlox.protocols import (
    Emit,
    Ending,
    Endpoint,
    Event,
    Facts,
    Findings,
    Health,
    Kept,
    Leftover,
    Observed,
    Question,
    Viewer,
)
from mlox.secret import Secret, mask
from mlox.testing.around import FakeAround
from mlox.testing.carrying import FakeCarrying
from mlox.testing.held import Held, busy, fits, seen
from mlox.testing.keeping import FakeKeeping
from mlox.testing.measuring import FakeMeasuring, took_ms
from mlox.testing.writing import FakeWriting
from mlox.units import Job, Software, Unit, digest, launch

REBOOTED = "its supervisor is gone (after a reboot services wait for `mlox up`)"


class FakeBackend(FakeAround, FakeMeasuring, FakeWriting):
    """A back end in memory: units run at once and are healthy, unless a test says otherwise.

    Attributes:
        ports_taken: ports that somebody else holds.
        programs: versions of the programs on the PATH, by name.
        failing_jobs: what a job writes before it fails, by its name.
        dying: how the process of a unit ends right after its start, by ``service.unit``.
        sick: units that run and do not become healthy, by ``service.unit``.
        data: what a service has written, by stack and service.
        load, leases, execs, carried: see the classes that this one consists of.
        effects: what was done, in order: ``start cache.server``, ``job cache.server init``, ``stop``, ``purge``.

    Example:
        >>> from mlox.protocols import Program
        >>> backend = FakeBackend(programs={"redis-server": "7.0.15"})
        >>> backend.facts(Question(programs=(Program("redis-server"), Program("initdb")))).programs
        {'redis-server': '7.0.15'}
        >>> backend.observe()
        ()
    """

    name = "fake"

    def __init__(
        self, home: str = "/var/lib/mlox", *, ports_taken: Iterable[int] = (), programs: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.home = home
        self.ports_taken = set(ports_taken)
        self.programs = dict(programs or {})
        self.failing_jobs: dict[str, str] = {}
        self.dying: dict[str, str] = {}
        self.sick: set[str] = set()
        self.effects: list[str] = []
        self._environments: dict[str, tuple[str, ...]] = {}
        self._pids = itertools.count(1001)
        self._lock = threading.RLock()
        self.data: dict[tuple[str, str], str] = {}
        self._keeping = FakeKeeping(self._held, self.data, self.effects)
        self.carried = FakeCarrying(self._held, self.data, self.effects)

    def facts(self, question: Question) -> Facts:
        """A machine with 8 GiB of memory and 100 GiB of disk, half of it free."""
        busy = {port.number for held in self._held.values() if held.state == "running" for port in held.unit.ports}
        return Facts(
            home=self.home,
            memory_bytes=8 << 30,
            memory_free_bytes=4 << 30,
            disk_free_bytes=50 << 30,
            ports_taken=question.ports & (self.ports_taken | busy),
            programs={p.name: self.programs[p.name] for p in question.programs if p.name in self.programs},
        )

    def observe(self, stack: str | None = None, service: str | None = None) -> tuple[Observed, ...]:
        """Every unit, in order."""
        with self._lock:
            chosen = [h for k, h in sorted(self._held.items()) if stack in (None, k[0]) and service in (None, k[1])]
            return tuple(seen(self.home, held, self._keeping.previous(held.unit)) for held in chosen)

    def pin(self, software: Software, emit: Emit) -> Software:
        """Packages at the version that they name, else at 1.0."""
        if not software.pending:
            return software
        emit(Event("", f"choosing versions for {', '.join(software.packages)}"))
        pins = tuple(name if "==" in name else f"{name}==1.0" for name in software.packages)
        return replace(software, pins=pins)

    def prepare(self, unit: Unit, emit: Emit) -> None:
        """Look whether its program and its port are to be had.

        Raises:
            RequirementError: they are not.
        """
        del emit
        with self._lock:
            self._require(unit)

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Make ``unit`` run, unless it does.

        Raises:
            RequirementError: its program or its port is not to be had.
            ServiceError: one of its jobs fails.
        """
        with self._lock:
            held = self._held.get((unit.stack, unit.service, unit.name))
            if held is not None and held.state == "running" and fits(held.unit, unit):
                return
            self.execs.started(unit, secrets)
            self._require(unit)
            if unit.software.packages:
                pins = self.pin(unit.software, emit).pins
                self._environments[digest(sorted(pins))] = pins
            fresh = Held(unit, state="stopped", jobs=set(self.carried.done.get((unit.stack, unit.service), ())))
            if held is not None:
                fresh.jobs, fresh.log, fresh.endings = held.jobs, held.log, held.endings
            self._held[unit.stack, unit.service, unit.name] = fresh
            for job in unit.jobs:
                if job.when == "start" or job.name not in fresh.jobs:
                    self.run_job(unit, job, secrets, emit)
                    fresh.jobs.add(job.name)
            self.effects.append(f"start {unit.key}")
            fresh.pid, fresh.since = next(self._pids), time.time()
            fresh.note = self.dying.get(unit.key, "")
            fresh.state = "failed" if fresh.note else "running"
            fresh.endings += [Ending(fresh.note)] if fresh.note else []

    def run_job(self, unit: Unit, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Note that it ran.

        Raises:
            UnknownNameError: a secret of the unit's texts is not given.
            ServiceError: ``failing_jobs`` has it.
        """
        launch(unit, secrets)
        emit(Event(unit.service, f"running {job.name}"))
        self.effects.append(f"job {unit.key} {job.name}")
        if job.name in self.failing_jobs:
            problem = f"job {job.name} of {unit.service} ended with exit code 1:\n  {self.failing_jobs[job.name]}"
            raise ServiceError(mask(problem, list(secrets.values())), hint="Take it out of `failing_jobs`.")

    def stop(self, stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        """Stop a unit; with ``purge`` forget it."""
        del emit
        with self._lock:
            held = self._held.get((stack, service, name))
            if held is None:
                if purge and not any(key[:2] == (stack, service) for key in self._held):
                    self.carried.purge(stack, service)
                return
            if purge:
                self.effects.append(f"purge {held.unit.key}")
                del self._held[stack, service, name]
                if not any(key[:2] == (stack, service) for key in self._held):
                    self.carried.purge(stack, service)
                    self._keeping.settle(stack, service)
            elif held.state != "stopped":
                self.effects.append(f"stop {held.unit.key}")
                held.endings += [Ending("exit status 0", asked=True)] if held.state == "running" else []
                held.state, held.note = "stopped", ""

    def keep(self, stack: str, service: str, *, data: bool) -> Kept:
        """Stop a service and keep its units and, with ``data``, what ``data`` has of it."""
        with self._lock:
            return self._keeping.keep(stack, service, data=data)

    def take_back(self, stack: str, service: str) -> Kept:
        """Put what was kept in its place."""
        with self._lock:
            return self._keeping.take_back(stack, service)

    def settle(self, stack: str, service: str) -> None:
        """Forget what was kept."""
        with self._lock:
            self._keeping.settle(stack, service)

    def recover(self, stack: str) -> None:
        """Do nothing: each call here is done or not."""

    def at_rest(self, stack: str, holder: Holder) -> bool:
        """Whether nobody else has the stack, and nothing of it is kept or on its way."""
        there, kept = self.holder(stack), any(key[0] == stack for key in self._keeping.kept)
        return not kept and not self.passages(stack) and (there is None or there.token == holder.token)

    def probe(self, unit: Unit) -> Health:
        """Healthy while it runs and is not among ``sick``."""
        held = self._held.get((unit.stack, unit.service, unit.name))
        if held is None or held.state != "running":
            return Health(False, (held.note if held else "") or "it is not running", dead=True)
        return Health(unit.key not in self.sick, "sick" if unit.key in self.sick else "running", took_ms=took_ms(unit))

    def examine(self, unit: Unit) -> Findings:
        """How it ended, whether its program and its environment are there, and which of its ports are taken."""
        held = self._held.get((unit.stack, unit.service, unit.name))
        software = unit.software
        program = software.binary if software.binary not in self.programs else ""
        gone = software.pins and digest(sorted(software.pins)) not in self._environments
        return Findings(
            endings=tuple(held.endings) if held is not None else (),
            missing=(
                *((("program", program),) if program else ()),
                *((("environment", ", ".join(software.packages)),) if gone else ()),
            ),
            holders={port.name: "somebody else" for port in unit.ports if port.number in self.ports_taken},
            rebooted=held is not None and held.note == REBOOTED,
        )

    def endpoint(self, unit: Unit, port: str, viewer: Viewer) -> Endpoint:
        """Where a port is reached.

        Raises:
            UnknownNameError: there is no such port.
        """
        del viewer
        found = unit.port(port)
        if found is None:
            raise UnknownNameError.among("port", port, [each.name for each in unit.ports], where=f"{unit.key}: ")
        return Endpoint(found.address or "127.0.0.1", found.number)

    def leftovers(self) -> tuple[Leftover, ...]:
        """Environments whose pins no unit has."""
        units = [*(held.unit for held in self._held.values()), *self._keeping.units()]
        wanted = {digest(sorted(unit.software.pins)) for unit in units}
        return tuple(Leftover(name, 1 << 20) for name in sorted(self._environments) if name not in wanted)

    def discard(self, leftover: Leftover) -> None:
        """Forget an environment.

        Raises:
            UsageError: a unit uses it by now.
        """
        if leftover.name in self._environments and leftover not in self.leftovers():
            raise UsageError(f"environment {leftover.name} is in use", hint="Ask again for what is left over.")
        self._environments.pop(leftover.name, None)

    def abort(self) -> None:
        """Do nothing: nothing here takes time."""

    def kill(self, stack: str, service: str, name: str) -> None:
        """End a unit's process; its supervisor starts another one."""
        held = self._held[stack, service, name]
        held.pid, held.restarts, held.cpu_s = next(self._pids), held.restarts + 1, 0.0
        held.endings.append(Ending("terminated by SIGKILL"))

    def reboot(self) -> None:
        """End everything, as the machine's restart does."""
        for held in self._held.values():
            if held.state != "stopped":
                held.state, held.note = "stopped", REBOOTED

    def _require(self, unit: Unit) -> None:
        binary = unit.software.binary
        if binary and binary not in self.programs:
            raise RequirementError(f"{binary} is not on the PATH", hint=f"Add {binary} to `programs`.")
        others = busy(self._held.values(), besides=unit)
        for port in unit.ports:
            if port.number in self.ports_taken or (port.address, port.number) in others:
                raise PortTakenError(
                    f"port {port.number} ({port.name} of {unit.service}) is taken",
                    hint="Run the same command again: mlox picks a free port.",
                )
