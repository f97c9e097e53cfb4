"""A server, a store and a lock file in memory, on which tests carry out plans."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, cast

from mlox.apply import Applied, Seams, apply
from mlox.errors import ServiceError
from mlox.plan import Plan, make_down_plan, make_plan
from mlox.protocols import Emit, Event, Question
from mlox.resolve import World, lock_key, resolve
from mlox.specs import CatalogService, StackSpec
from mlox.stack.operations import outcome
from mlox.stack.surroundings import Surroundings
from mlox.testing import FakeBackend, FakeSecretStore
from mlox.units import Software, Unit
from tests.test_plans import CATALOG, PROGRAMS, laid_over

STACK = "demo-0001"
REDIS = {"service": "redis", "version": "7.0.15"}
POSTGRES = {"service": "elephant"}
MLFLOW = {"service": "mlflow", "version": "3.17.2", "needs": {"database": "embedded", "artifacts": "embedded"}}
WIRED = {**MLFLOW, "needs": {"database": "postgres", "artifacts": "embedded"}}
SERVICES: dict[str, Any] = {"mlflow": WIRED, "postgres": POSTGRES, "redis": REDIS}


class Pins:
    """A lock file in memory; it notices when two write at once, as a file would."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[str, ...]] = {}
        self.writing = threading.Lock()

    def put(self, software: Software) -> None:
        assert self.writing.acquire(blocking=False), "two threads write the lock file at once"
        time.sleep(0.01)
        self.known.setdefault(lock_key(software.packages), software.pins)
        self.writing.release()


@dataclass
class House:
    """A server, a store and a lock file, and what was told meanwhile."""

    backend: FakeBackend = field(default_factory=lambda: FakeBackend(programs=PROGRAMS))
    store: FakeSecretStore = field(default_factory=FakeSecretStore)
    pins: Pins = field(default_factory=Pins)
    events: list[Event] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)
    changes: dict[str, Any] = field(default_factory=dict)

    def plan(self, prune: bool = False, **services: Any) -> Plan:
        """The plan of ``up`` for these services."""
        spec = StackSpec.model_validate({"name": "demo", "id": STACK, "services": services})
        entries = {}
        for name, service in spec.services.items():
            plain = CATALOG.get(service.service).service.model_dump(exclude_unset=True)
            entries[name] = CatalogService.model_validate(laid_over(plain, self.changes.get(service.service, {})))
        programs = tuple(program for entry in entries.values() for program in _programs(entry))
        world = World(
            services=entries,
            sources={},
            facts={"local": self.backend.facts(Question(frozenset(range(1, 65536)), programs))},
            observed={o.key: o for o in self.backend.observe(STACK)},
            pins=self.pins.known,
            versions={secret.name: secret.version for secret in self.store.describe()},
            backends={"local": "native"},
        )
        units = resolve(spec, tuple(services), world)
        return make_plan(STACK, units, self.backend.observe(STACK), listed=tuple(services), prune=prune)

    def down(self, *names: str, purge: bool = False) -> Plan:
        return make_down_plan(STACK, self.backend.observe(STACK), names, purge=purge)

    def apply(self, plan: Plan) -> Applied:
        seams = Seams({"local": self.backend}, self.store, self.pins)
        return apply(plan, seams, emit=self.events.append, cancel=self.cancel)

    def up(self, **services: Any) -> Applied:
        return self.apply(self.plan(**services))

    def states(self) -> dict[str, str]:
        return {o.key: o.state for o in self.backend.observe(STACK)}

    def unit(self, key: str) -> Unit:
        return next(o.unit for o in self.backend.observe(STACK) if o.key == key)


def _programs(entry: CatalogService) -> tuple[Any, ...]:
    from mlox.resolve import programs

    return programs(entry)


def told(plan: Plan, applied: Applied) -> None:
    """Raise what a user is told of failures."""
    outcome(plan, applied, cast("Surroundings", None), ())


class Stubborn(FakeBackend):
    """Some units cannot be stopped."""

    stubborn: frozenset[str] = frozenset()

    def stop(self, stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        if f"{service}.{name}" in self.stubborn:
            raise ServiceError(f"{service} does not stop", hint="Kill it.")
        super().stop(stack, service, name, purge=purge, emit=emit)
