"""What a failure does while a plan is carried out: it stays with its service, and is told with what to do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mlox.errors import NotHealthyError, PartialError, RequirementError, SecretError, ServiceError
from mlox.protocols import Emit
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Unit
from tests.apply_stage import POSTGRES, REDIS, SERVICES, WIRED, House, Stubborn, told
from tests.test_plans import PROGRAMS


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
    hints = (caught.value.hint or "").splitlines()
    assert sorted(hint.split("`")[1] for hint in hints) == ["mlox why postgres", "mlox why redis"]
    failures = caught.value.to_json()["failures"]
    assert sorted((one["service"], one["type"]) for one in failures) == [
        ("postgres", "ServiceError"),
        ("redis", "ServiceError"),
    ]
    assert {f"{one['service']}: {one['hint']}" for one in failures} == set(hints)


def test_a_service_of_which_one_unit_fails_is_not_reached() -> None:
    house = House()
    flow = {"service": "flow", "needs": {"database": "postgres", "broker": "redis"}}
    house.backend.dying["flow.web"] = "exit code 1"
    applied = house.up(redis=REDIS, postgres=POSTGRES, flow=flow)
    assert sorted(applied.done) == ["postgres", "redis"]
    assert set(applied.failed) == {"flow"}


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
    assert applied.failed["redis"].hint == (
        "Look closer with `mlox why redis`, mend that, then `mlox up redis`; its data is kept."
    )
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
    assert "mlox why redis" in (error.hint or "")
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


def test_every_failure_tells_what_to_do() -> None:
    house = House()
    house.backend.dying |= {"redis.server": "x", "postgres.server": "y"}
    applied = house.up(**SERVICES)
    assert set(applied.failed) == {"redis", "postgres", "mlflow"}
    assert all(error.hint for error in applied.failed.values())
