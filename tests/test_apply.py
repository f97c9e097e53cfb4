"""What carrying out a plan does: its order, drift and cancels noticed, and what is told meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from mlox.errors import Cancelled, DriftError
from mlox.protocols import Emit, Health
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Unit
from tests.apply_stage import MLFLOW, POSTGRES, REDIS, STACK, WIRED, House
from tests.test_plans import PROGRAMS

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
        "job mlflow.server migrate-3-17-2",
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
