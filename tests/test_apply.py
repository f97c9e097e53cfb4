"""What carrying out a plan does: order, gates, failures that stay with their service, secrets and pins made once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from mlox.apply import ALPHABET, Applied, Seams, apply
from mlox.errors import (
    Cancelled,
    DriftError,
    NotHealthyError,
    PartialError,
    RequirementError,
    SecretError,
    ServiceError,
)
from mlox.plan import Plan, make_down_plan, make_plan
from mlox.protocols import Emit, Event, Health, Question
from mlox.resolve import World, lock_key, resolve
from mlox.secret import Secret
from mlox.specs import CatalogService, StackSpec
from mlox.stack.operations import outcome
from mlox.stack.surroundings import Surroundings
from mlox.testing import FakeBackend, FakeSecretStore
from mlox.units import Software, Unit
from mlox.workspace import LockFile, Workspace
from tests.test_plans import CATALOG, PROGRAMS, laid_over

STACK = "demo-0001"
REDIS = {"service": "redis", "version": "7.0.15"}
POSTGRES = {"service": "postgres"}
MLFLOW = {"service": "mlflow", "version": "3.17.2", "needs": {"database": "embedded", "artifacts": "embedded"}}
WIRED = {**MLFLOW, "needs": {"database": "postgres", "artifacts": "embedded"}}


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


# Order


class Watched(FakeBackend):
    """Units become healthy when they have been asked often enough; what happens is noted in one order."""

    def __init__(self, asks: int) -> None:
        super().__init__(programs=PROGRAMS)
        self.asks = asks
        self.asked: dict[str, int] = {}

    def probe(self, unit: Unit) -> Health:
        self.asked[unit.key] = self.asked.get(unit.key, 0) + 1
        if self.asked[unit.key] < self.asks:
            return Health(False, "not yet")
        self.effects.append(f"healthy {unit.key}")
        return super().probe(unit)


def test_a_consumer_starts_when_its_provider_is_healthy() -> None:
    house = House(backend=Watched(asks=3))
    house.up(mlflow=WIRED, postgres=POSTGRES)
    assert house.backend.effects == [
        "start postgres.server",
        "healthy postgres.server",
        "start mlflow.server",
        "healthy mlflow.server",
    ]


class Meeting(FakeBackend):
    """A start that ends when as many starts are under way."""

    def __init__(self, parties: int) -> None:
        super().__init__(programs=PROGRAMS)
        self.barrier = threading.Barrier(parties)

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        self.barrier.wait(20)
        super().start(unit, secrets, emit)


def test_services_that_do_not_need_each_other_start_together() -> None:
    house = House(backend=Meeting(3))
    applied = house.up(redis=REDIS, postgres=POSTGRES, mlflow=MLFLOW)
    assert sorted(applied.done) == ["mlflow", "postgres", "redis"]


def test_the_units_of_one_service_start_one_after_the_other() -> None:
    house = House(backend=Watched(asks=1))
    house.up(
        redis=REDIS, postgres=POSTGRES, flow={"service": "flow", "needs": {"database": "postgres", "broker": "redis"}}
    )
    flow = [effect for effect in house.backend.effects if "flow" in effect]
    assert flow == ["start flow.scheduler", "healthy flow.scheduler", "start flow.web", "healthy flow.web"]


def test_a_unit_without_a_probe_has_to_stay() -> None:
    house = House()
    house.backend.dying["flow.scheduler"] = "exit code 1"
    flow = {"service": "flow", "needs": {"database": "postgres", "broker": "redis"}}
    applied = house.up(redis=REDIS, postgres=POSTGRES, flow=flow)
    assert applied.failed["flow"].problem == "flow died at start: exit code 1; it wrote nothing"
    assert "start flow.web" not in house.backend.effects


def test_down_stops_consumers_first() -> None:
    house = House()
    house.up(mlflow=WIRED, postgres=POSTGRES)
    applied = house.apply(house.down("mlflow", "postgres"))
    assert house.backend.effects[-2:] == ["stop mlflow.server", "stop postgres.server"]
    assert applied.done == ["mlflow", "postgres"]


def test_the_second_time_there_is_nothing_to_do() -> None:
    house = House()
    services: dict[str, Any] = {"mlflow": WIRED, "postgres": POSTGRES, "redis": REDIS}
    house.up(**services)
    effects = list(house.backend.effects)
    plan = house.plan(**services)
    assert plan.actions == ()
    house.events.clear()
    assert sorted(house.apply(plan).done) == ["mlflow", "postgres", "redis"]
    assert house.backend.effects == effects
    assert [event for event in house.events if event.kind == "done"] == []


def test_what_is_stopped_starts_again_as_it_was() -> None:
    house = House()
    house.up(redis=REDIS)
    before = house.unit("redis.server")
    house.apply(house.down("redis"))
    assert house.states() == {"redis.server": "stopped"}
    house.up(redis=REDIS)
    assert house.states() == {"redis.server": "running"}
    assert house.unit("redis.server") == before


def test_what_is_not_written_is_stopped_on_request_alone() -> None:
    house = House()
    house.up(redis=REDIS, postgres=POSTGRES)
    house.up(postgres=POSTGRES)
    assert house.states()["redis.server"] == "running"
    house.apply(house.plan(prune=True, postgres=POSTGRES))
    assert house.states() == {"redis.server": "stopped", "postgres.server": "running"}


# Failures


def test_a_failure_stays_with_its_service_and_those_that_need_it() -> None:
    house = House()
    house.backend.dying["postgres.server"] = "exit code 1"
    plan = house.plan(mlflow=WIRED, postgres=POSTGRES, redis=REDIS)
    applied = house.apply(plan)
    assert applied.done == ["redis"]
    assert set(applied.failed) == {"postgres", "mlflow"}
    assert applied.failed["mlflow"].problem == "mlflow was not started: postgres, which it needs, failed"
    assert applied.failed["mlflow"].hint == "Mend postgres, then `mlox up`."
    assert "mlflow.server" not in house.states()
    with pytest.raises(PartialError, match="reached: redis; failed: ") as caught:
        told(plan, applied)
    assert caught.value.exit_code == 3
    assert dict(caught.value.failures) == applied.failed
    assert "postgres died at start: exit code 1" in caught.value.problem


def test_one_service_that_fails_is_told_as_its_own_error() -> None:
    house = House()
    house.backend.dying["redis.server"] = "exit code 1"
    plan = house.plan(redis=REDIS)
    applied = house.apply(plan)
    with pytest.raises(ServiceError, match="redis died at start: exit code 1") as caught:
        told(plan, applied)
    assert caught.value is applied.failed["redis"]
    assert caught.value.exit_code == 1


def test_several_that_fail_are_told_together_though_none_was_reached() -> None:
    house = House()
    house.backend.dying |= {"redis.server": "one", "postgres.server": "two"}
    plan = house.plan(redis=REDIS, postgres=POSTGRES)
    with pytest.raises(PartialError, match="failed: ") as caught:
        told(plan, house.apply(plan))
    assert "reached" not in caught.value.problem
    assert {
        "redis: redis died at start: one; it wrote nothing",
        "postgres: postgres died at start: two; it wrote nothing",
    } <= set(caught.value.problem.splitlines())


def test_a_service_of_which_one_unit_fails_is_not_reached() -> None:
    house = House()
    flow = {"service": "flow", "needs": {"database": "postgres", "broker": "redis"}}
    house.backend.dying["flow.web"] = "exit code 1"
    applied = house.up(redis=REDIS, postgres=POSTGRES, flow=flow)
    assert sorted(applied.done) == ["postgres", "redis"]
    assert set(applied.failed) == {"flow"}


class Stubborn(FakeBackend):
    """Some units cannot be stopped."""

    stubborn: frozenset[str] = frozenset()

    def stop(self, stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        if f"{service}.{name}" in self.stubborn:
            raise ServiceError(f"{service} does not stop", hint="Kill it.")
        super().stop(stack, service, name, purge=purge, emit=emit)


def test_what_cannot_be_stopped_does_not_keep_others_running() -> None:
    backend = Stubborn(programs=PROGRAMS)
    house = House(backend=backend)
    flow = {"service": "flow", "needs": {"database": "postgres", "broker": "redis"}}
    house.up(redis=REDIS, postgres=POSTGRES, flow=flow)
    backend.stubborn = frozenset({"flow.web"})
    plan = house.down("redis", "postgres", "flow")
    applied = house.apply(plan)
    assert house.states() == {
        "flow.scheduler": "stopped",
        "flow.web": "running",
        "postgres.server": "stopped",
        "redis.server": "stopped",
    }
    assert (sorted(applied.done), list(applied.failed)) == (["postgres", "redis"], ["flow"])
    with pytest.raises(PartialError, match="reached: postgres, redis; failed: flow"):
        told(plan, applied)


def test_one_service_that_cannot_be_stopped_is_told_as_its_own_error() -> None:
    backend = Stubborn(programs=PROGRAMS)
    house = House(backend=backend)
    house.up(
        redis=REDIS, postgres=POSTGRES, flow={"service": "flow", "needs": {"database": "postgres", "broker": "redis"}}
    )
    backend.stubborn = frozenset({"flow.web"})
    plan = house.down("flow")
    with pytest.raises(ServiceError, match="flow does not stop"):
        told(plan, house.apply(plan))


def test_a_dead_service_is_stopped_and_its_last_lines_are_told_without_secrets() -> None:
    house = House()

    class Talking(FakeBackend):
        def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
            super().start(unit, secrets, emit)
            for number in range(40):
                self.say(unit.stack, unit.service, unit.name, f"line {number}")
            self.say(unit.stack, unit.service, unit.name, f"login with {secrets['password'].reveal()} refused")

    house.backend = Talking(programs=PROGRAMS)
    house.backend.dying["redis.server"] = "exit code 3"
    applied = house.up(redis=REDIS)
    problem = applied.failed["redis"].problem
    assert problem.startswith("redis died at start: exit code 3; its last lines:\n")
    assert problem.endswith("line 39\nlogin with *** refused")
    assert len(problem.splitlines()) == 16
    assert house.store.get("redis.password").reveal() not in problem
    assert applied.failed["redis"].hint == "Mend that, then `mlox up redis`; its data is kept."
    assert house.states() == {"redis.server": "stopped"}
    assert house.backend.effects[-1] == "stop redis.server"


def test_a_service_that_does_not_become_healthy_in_time_goes_on_running() -> None:
    house = House(changes={"redis": {"units": {"server": {"probe": {"start_timeout_s": 0.3}}}}})
    house.backend.sick.add("redis.server")
    applied = house.up(redis=REDIS)
    error = applied.failed["redis"]
    assert isinstance(error, NotHealthyError)
    assert isinstance(error, TimeoutError)
    assert "redis is not healthy after 0 s: sick; it wrote nothing" in error.problem
    assert "mlox logs redis" in (error.hint or "")
    assert house.states() == {"redis.server": "running"}


def test_a_running_service_that_is_sick_is_noticed_though_nothing_is_to_do() -> None:
    house = House(changes={"redis": {"units": {"server": {"probe": {"start_timeout_s": 0.2}}}}})
    house.up(redis=REDIS)
    house.backend.sick.add("redis.server")
    plan = house.plan(redis=REDIS)
    assert plan.actions == ()
    assert isinstance(house.apply(plan).failed["redis"], NotHealthyError)


def test_a_job_that_fails_is_told_and_runs_again_the_next_time() -> None:
    house = House()
    house.store.set("letter.licence", Secret("bought"))
    house.backend.failing_jobs["prepare"] = "no such table"
    applied = house.up(letter={"service": "letter"})
    assert "no such table" in applied.failed["letter"].problem
    house.backend.failing_jobs.clear()
    assert house.up(letter={"service": "letter"}).done == ["letter"]
    assert house.backend.effects == [
        "job letter.server prepare",
        "job letter.server prepare",
        "start letter.server",
    ]


def test_a_port_that_was_taken_between_plan_and_start_is_told_and_the_next_up_takes_another() -> None:
    house = House()
    plan = house.plan(redis=REDIS)
    house.backend.ports_taken.add(6379)
    error = house.apply(plan).failed["redis"]
    assert isinstance(error, RequirementError)
    assert "6379" in error.problem
    assert house.up(redis=REDIS).done == ["redis"]
    assert [port.number for port in house.unit("redis.server").ports] == [6380]


def test_a_store_that_cannot_be_written_stops_nothing_else() -> None:
    house = House()
    house.store.failure = "No space left on device"
    applied = house.up(redis=REDIS, typed={"service": "typed", "options": {"region": "eu"}})
    assert applied.done == ["typed"]
    assert isinstance(applied.failed["redis"], SecretError)
    assert house.states() == {"typed.server": "running"}


def test_a_defect_is_no_outcome() -> None:
    house = House()

    class Broken(FakeBackend):
        def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
            raise KeyError("a bug")

    house.backend = Broken(programs=PROGRAMS)
    with pytest.raises(KeyError, match="a bug"):
        house.up(redis=REDIS)


# Drift and cancelling


def test_what_has_changed_since_the_plan_is_noticed_before_anything_is_done() -> None:
    house = House()
    house.up(redis=REDIS)
    plan = house.plan(redis={**REDIS, "options": {"maxmemory_mb": 5}}, postgres=POSTGRES)
    house.apply(house.down("redis"))
    effects = list(house.backend.effects)
    with pytest.raises(DriftError, match="nothing was done") as caught:
        house.apply(plan)
    assert caught.value.hint == "Make the plan again."
    assert house.backend.effects == effects
    assert house.store.names() == ("redis.password",)


def test_a_restart_by_the_supervisor_is_no_drift() -> None:
    house = House()
    house.up(redis=REDIS)
    plan = house.plan(redis=REDIS, postgres=POSTGRES)
    house.backend.kill(STACK, "redis", "server")
    assert sorted(house.apply(plan).done) == ["postgres", "redis"]


def test_a_cancel_before_the_start_does_nothing() -> None:
    house = House()
    house.cancel.set()
    with pytest.raises(Cancelled) as caught:
        house.up(redis=REDIS, mlflow=MLFLOW)
    assert caught.value.exit_code == 130
    assert house.backend.effects == []
    assert house.store.names() == ()


def test_a_cancel_while_waiting_begins_nothing_new_and_stops_nothing() -> None:
    house = House()
    house.backend.sick.add("postgres.server")
    threading.Timer(0.3, house.cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled, match="what was started stays"):
        house.up(postgres=POSTGRES, mlflow=WIRED)
    assert time.monotonic() - began < 10
    assert house.states() == {"postgres.server": "running"}
    house.cancel.clear()
    house.backend.sick.clear()
    assert sorted(house.up(postgres=POSTGRES, mlflow=WIRED).done) == ["mlflow", "postgres"]


# Secrets and pins


def test_secrets_are_generated_once_and_shared() -> None:
    house = House()
    house.up(mlflow=WIRED, postgres=POSTGRES)
    versions = {ref.name: ref.version for key in house.states() for ref in house.unit(key).secrets}
    assert (
        set(versions)
        == {"postgres.password", "mlflow.admin_password", "mlflow.session_key"}
        == set(house.store.names())
    )
    for key in house.states():
        for ref in house.unit(key).secrets:
            assert ref.version == versions[ref.name]
            assert dict(house.unit(key).intent)[f"secrets.{ref.key}"] == ref.version
            assert house.store.get(ref.name).version == ref.version


def test_a_generated_secret_is_long_and_needs_no_quoting_anywhere() -> None:
    house = House()
    house.up(redis=REDIS, cache=REDIS)
    values = {house.store.get(name).reveal() for name in ("redis.password", "cache.password")}
    assert len(values) == 2
    for value in values:
        assert len(value) == 32
        assert set(value) <= set(ALPHABET)
        assert value.isalnum()


def test_a_start_that_failed_uses_the_same_secret_the_next_time() -> None:
    house = House()
    house.backend.dying["redis.server"] = "exit code 1"
    house.up(redis=REDIS)
    first = house.store.get("redis.password").version
    digest = house.plan(redis=REDIS).digest
    house.backend.dying.clear()
    house.up(redis=REDIS)
    assert house.store.get("redis.password").version == first
    assert house.unit("redis.server").secrets[0].version == first
    assert digest


def test_purge_takes_generated_secrets_with_it_and_leaves_all_others() -> None:
    house = House()
    house.store.set("letter.licence", Secret("bought"))
    house.store.set("OPENAI_API_KEY", Secret("mine-and-only-mine"))
    house.up(letter={"service": "letter"}, mlflow=WIRED, postgres=POSTGRES)
    house.apply(house.down("letter", "mlflow", purge=True))
    assert house.store.names() == ("OPENAI_API_KEY", "letter.licence", "postgres.password")
    assert house.states() == {"postgres.server": "running"}
    assert [effect for effect in house.backend.effects if "purge" in effect] == [
        "purge letter.server",
        "purge mlflow.server",
    ]


def test_a_stop_keeps_every_secret() -> None:
    house = House()
    house.up(redis=REDIS)
    house.apply(house.down("redis"))
    assert house.store.names() == ("redis.password",)


def test_a_purge_whose_secret_is_gone_already_succeeds() -> None:
    house = House()
    house.up(redis=REDIS)
    house.store.delete("redis.password")
    assert house.apply(house.down("redis", purge=True)).done == ["redis"]


def test_package_versions_are_decided_once_and_written_down() -> None:
    house = House()
    house.up(mlflow=MLFLOW)
    assert house.pins.known == {"mlflow[auth]==3.17.2": ("mlflow[auth]==3.17.2",)}
    assert house.unit("mlflow.server").software.pins == ("mlflow[auth]==3.17.2",)


def test_versions_from_the_lock_file_are_taken() -> None:
    house = House()
    house.pins.known["mlflow[auth]==3.17.2"] = ("mlflow==3.17.2", "alembic==1.0")
    house.up(mlflow=MLFLOW)
    assert house.unit("mlflow.server").software.pins == ("mlflow==3.17.2", "alembic==1.0")


def test_a_lost_lock_file_is_written_again_from_what_runs() -> None:
    house = House()
    house.pins.known["mlflow[auth]==3.17.2"] = ("mlflow==3.17.2", "alembic==1.0")
    house.up(mlflow=MLFLOW)
    house.pins.known.clear()
    assert house.plan(mlflow=MLFLOW).actions == ()
    house.up(mlflow={**MLFLOW, "options": {"workers": 2}})
    assert house.pins.known == {"mlflow[auth]==3.17.2": ("mlflow==3.17.2", "alembic==1.0")}


def test_services_that_start_together_all_get_into_the_lock_file(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "mlox.lock.yaml", Workspace(tmp_path).journal)

    class OnDisk(Pins):
        def put(self, software: Software) -> None:
            lock.put(lock_key(software.packages), software.pins)

    services: dict[str, Any] = {f"m{number}": {**MLFLOW, "version": f"3.10.{number}"} for number in range(4)}
    applied = House(pins=OnDisk()).up(**services)
    assert applied.failed == {}
    assert set(lock.read()) == {f"mlflow[auth]==3.10.{number}" for number in range(4)}


# Telling


def test_events_tell_what_goes_on() -> None:
    house = House()
    house.backend.dying["postgres.server"] = "exit code 1"
    house.up(redis=REDIS, postgres=POSTGRES)
    told_of = {name: [(e.kind, e.message) for e in house.events if e.service == name] for name in ("redis", "postgres")}
    assert told_of["redis"] == [("step", "starting"), ("done", "running")]
    assert told_of["postgres"][0] == ("step", "starting")
    assert told_of["postgres"][-1] == ("failed", "postgres died at start: exit code 1; it wrote nothing")
    house.events.clear()
    house.apply(house.down("redis"))
    assert [(e.kind, e.message) for e in house.events] == [("step", "stopping"), ("done", "stopped")]


def test_events_never_hold_a_secret() -> None:
    house = House()
    house.up(mlflow=WIRED, postgres=POSTGRES)
    values = [house.store.get(name).reveal() for name in house.store.names()]
    assert not any(value in event.message for value in values for event in house.events)


# Killed at any step


class KilledError(BaseException):
    """The end of the process, seen from inside."""


class Dying:
    """Kills the process at the n-th call of a seam, before or after its effect, and at every later one."""

    def __init__(self, house: House, at: int, after: bool) -> None:
        self.calls = 0
        self.at = at
        self.after = after
        self.lock = threading.Lock()
        for part, names in (
            (house.backend, ("pin", "start", "stop", "probe")),
            (house.store, ("set", "get", "delete")),
        ):
            for name in names:
                setattr(part, name, self._dying(getattr(part, name)))
        setattr(house.pins, "put", self._dying(house.pins.put))  # noqa: B010

    def _dying(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            with self.lock:
                number, self.calls = self.calls, self.calls + 1
            if number == self.at and self.after:
                function(*arguments, **options)
            if number >= self.at:
                raise KilledError
            return function(*arguments, **options)

        return call


def killed_houses(prepare: Callable[[House], Plan], after: bool) -> Iterator[House]:
    for step in range(100):
        house = House()
        plan = prepare(house)
        backend, store, pins = vars(house.backend).copy(), vars(house.store).copy(), vars(house.pins).copy()
        dying = Dying(house, step, after)
        with contextlib.suppress(KilledError):
            house.apply(plan)
        for part, known in ((house.backend, backend), (house.store, store), (house.pins, pins)):
            for name in vars(part).keys() - known.keys():
                delattr(part, name)
        yield house
        if dying.calls <= step:
            return


SERVICES: dict[str, Any] = {"mlflow": WIRED, "postgres": POSTGRES, "redis": REDIS}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_up_converges(after: bool) -> None:
    steps = 0
    for house in killed_houses(lambda house: house.plan(**SERVICES), after):
        steps += 1
        assert house.up(**SERVICES).failed == {}
        assert house.states() == dict.fromkeys(("mlflow.server", "postgres.server", "redis.server"), "running")
        assert house.plan(**SERVICES).actions == ()
        assert len(house.store.names()) == 4
        for key in house.states():
            for ref in house.unit(key).secrets:
                assert ref.version == house.store.get(ref.name).version
    assert steps > 15


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_a_purge_leaves_nothing(after: bool) -> None:
    def prepare(house: House) -> Plan:
        house.up(**SERVICES)
        return house.down(*SERVICES, purge=True)

    for house in killed_houses(prepare, after):
        removed = {"mlflow", "postgres", "redis"} - {key.partition(".")[0] for key in house.states()}
        applied = house.apply(house.down(*SERVICES, purge=True))
        assert applied.failed == {}
        assert house.states() == {}
        assert {name.partition(".")[0] for name in house.store.names()} <= removed


def test_secrets_that_units_share_go_with_the_last_of_them() -> None:
    house = House(backend=Stubborn(programs=PROGRAMS))
    flow = {"service": "flow", "needs": {"database": "postgres", "broker": "redis"}}
    house.changes = {"flow": {"units": {"scheduler": {"environment": {"FLOW_SESSION": "${secret.session_key}"}}}}}
    house.up(redis=REDIS, postgres=POSTGRES, flow=flow)
    cast("Stubborn", house.backend).stubborn = frozenset({"flow.web"})
    house.apply(house.down("flow", purge=True))
    assert "flow.web" in house.states()
    assert "flow.session_key" in house.store.names()
    cast("Stubborn", house.backend).stubborn = frozenset()
    house.apply(house.down("flow", purge=True))
    assert "flow.session_key" not in house.store.names()


def test_every_failure_tells_what_to_do() -> None:
    house = House()
    house.backend.dying |= {"redis.server": "x", "postgres.server": "y"}
    applied = house.up(**SERVICES)
    assert set(applied.failed) == {"redis", "postgres", "mlflow"}
    assert all(error.hint for error in applied.failed.values())
