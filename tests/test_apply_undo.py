"""What becomes of a change that fails: what ran before runs again, with its data, and the error tells both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from mlox.errors import DriftError, RequirementError, RolledBackError, ServiceError
from mlox.plan import Plan, make_plan
from mlox.protocols import Emit, Health
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Unit
from tests.apply_stage import POSTGRES, REDIS, STACK, House
from tests.test_plans import PROGRAMS

BIGGER = {**REDIS, "options": {"maxmemory_mb": 64}}
QUICK = {"redis": {"units": {"server": {"probe": {"start_timeout_s": 0.2}}}}}
DATA = (STACK, "redis")


class Migrating(FakeBackend):
    """A start with another limit writes into the data, and goes wrong as the test says."""

    broken: str = ""

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        super().start(unit, secrets, emit)
        written = self.data.get((unit.stack, unit.service), "")
        if ("options.maxmemory_mb", "64") in unit.intent and not written.startswith("migrated"):
            self.data[unit.stack, unit.service] = "migrated"

    def probe(self, unit: Unit) -> Health:
        there = next((o.unit for o in self.observe(unit.stack, unit.service)), None)
        if there is not None and ("options.maxmemory_mb", "64") in there.intent and self.broken:
            return Health(False, self.broken, dead=self.broken == "dead")
        return super().probe(unit)


@pytest.fixture
def house() -> House:
    """A redis that runs and has data; another one would migrate it."""
    made = House(backend=Migrating(programs=PROGRAMS), changes=QUICK)
    made.up(redis=REDIS)
    made.backend.data[DATA] = "precious"
    return made


def broken(house: House, how: str) -> None:
    assert isinstance(house.backend, Migrating)
    house.backend.broken = how


def options(house: House) -> str:
    return dict(house.unit("redis.server").intent)["options.maxmemory_mb"]


def test_an_update_that_succeeds_keeps_nothing(house: House) -> None:
    assert house.up(redis=BIGGER).done == ["redis"]
    assert (options(house), house.backend.data[DATA]) == ("64", "migrated")
    assert [o.previous for o in house.backend.observe(STACK)] == [None]
    assert house.plan(redis=BIGGER).actions == ()


@pytest.mark.parametrize("how", ["dead", "sick"])
def test_an_update_that_fails_brings_back_the_old_unit_and_its_data(house: House, how: str) -> None:
    broken(house, how)
    error = house.up(redis=BIGGER).failed["redis"]
    assert isinstance(error, RolledBackError)
    told = error.problem.splitlines()
    assert how in told[0]
    assert told[-1] == (
        "redis runs again as before (maxmemory_mb: 0), with its data as it was; "
        "what the failed one made of it is in the failed data of redis"
    )
    assert error.hint == "Mend that, then `mlox up redis`; until then it is as before."
    assert house.states() == {"redis.server": "running"}
    assert (options(house), house.backend.data[DATA]) == ("0", "precious")
    assert house.plan(redis=REDIS).actions == ()
    assert [action.kind for action in house.plan(redis=BIGGER).actions] == ["update"]


def test_what_is_missing_for_the_new_one_is_found_while_the_old_one_runs(house: House) -> None:
    plan = house.plan(redis=BIGGER)
    house.backend.programs.clear()
    before = list(house.backend.effects)
    error = house.apply(plan).failed["redis"]
    assert isinstance(error, RequirementError)
    assert house.backend.effects == before
    assert house.states() == {"redis.server": "running"}


def test_a_first_start_that_fails_is_not_undone(house: House) -> None:
    house.backend.dying["postgres.server"] = "exit code 1"
    error = house.up(redis=REDIS, postgres=POSTGRES).failed["postgres"]
    assert type(error) is ServiceError
    assert house.states() == {"postgres.server": "stopped", "redis.server": "running"}


def test_a_stopped_service_that_fails_to_update_is_stopped_again_as_it_was(house: House) -> None:
    house.apply(house.down("redis"))
    broken(house, "dead")
    error = house.up(redis=BIGGER).failed["redis"]
    assert "redis is stopped again as before (maxmemory_mb: 0), with its data as it was" in error.problem
    assert house.states() == {"redis.server": "stopped"}
    assert (options(house), house.backend.data[DATA]) == ("0", "precious")


def test_one_that_was_sick_before_is_not_waited_for(house: House) -> None:
    house.backend.sick.add("redis.server")
    error = house.up(redis=BIGGER).failed["redis"]
    assert isinstance(error, RolledBackError)
    assert "redis runs again as before (maxmemory_mb: 0)" in error.problem
    assert options(house) == "0"


def test_where_going_back_fails_too_both_are_told_and_the_next_up_tries_again(house: House) -> None:
    broken(house, "sick")
    plan = house.plan(redis=BIGGER)
    take_back = house.backend.take_back

    def failing(*_: str) -> object:
        raise ServiceError("processes of redis.server do not end: 17", hint="Mend that.")

    house.backend.take_back = failing  # type: ignore[assignment,method-assign]
    error = house.apply(plan).failed["redis"]
    assert "redis is not healthy after" in error.problem
    assert "redis could not go back to what it was either: processes of redis.server do not end" in error.problem
    house.backend.take_back = take_back  # type: ignore[method-assign]
    assert isinstance(house.up(redis=BIGGER).failed["redis"], RolledBackError)
    assert (options(house), house.backend.data[DATA]) == ("0", "precious")


def test_an_update_that_was_cut_off_goes_on_and_is_settled(house: House) -> None:
    cut_off(house, house.plan(redis=BIGGER))
    plan = house.plan(redis=BIGGER)
    assert [(a.kind, str(a.reasons[0])) for a in plan.actions] == [("start", "update: not finished → finished")]
    assert house.apply(plan).done == ["redis"]
    assert house.plan(redis=BIGGER).actions == ()
    assert house.backend.data[DATA] == "migrated"


def test_an_update_that_was_cut_off_and_fails_goes_back(house: House) -> None:
    cut_off(house, house.plan(redis=BIGGER))
    broken(house, "sick")
    assert isinstance(house.up(redis=BIGGER).failed["redis"], RolledBackError)
    assert (options(house), house.backend.data[DATA]) == ("0", "precious")


def test_a_cut_off_update_that_turned_out_well_is_what_the_next_one_goes_back_to(house: House) -> None:
    cut_off(house, house.plan(redis=BIGGER))
    house.backend.data[DATA] = "migrated, and a day of work"
    house.backend.dying["redis.server"] = "exit code 1"
    error = house.up(redis={**REDIS, "options": {"maxmemory_mb": 128}}).failed["redis"]
    assert "could not go back" in error.problem
    assert (options(house), house.backend.data[DATA]) == ("64", "migrated, and a day of work")


def test_taken_back_by_hand_after_a_cut_the_old_one_runs(house: House) -> None:
    cut_off(house, house.plan(redis=BIGGER))
    assert house.up(redis=REDIS).done == ["redis"]
    assert options(house) == "0"
    assert house.plan(redis=REDIS).actions == ()


def test_a_plan_tells_what_a_failure_would_undo(house: House) -> None:
    plan = house.plan(redis=BIGGER, postgres=POSTGRES)
    assert {a.service: a.undo for a in plan.actions} == {"redis": "data", "postgres": "none"}
    assert "redis: back to what it is now if that fails, its data too (a copy is kept meanwhile)" in str(plan)
    assert "postgres: back" not in str(plan)
    assert {row["service"]: row["undo"] for row in plan.to_json()["actions"]} == {"redis": "data", "postgres": "none"}


def cut_off(house: House, plan: Plan) -> None:
    """Carry out a plan up to the gate, and die there."""

    class CutOffError(BaseException):
        pass

    settle = house.backend.settle

    def die(*_: str) -> None:
        raise CutOffError

    house.backend.settle = die  # type: ignore[assignment,method-assign]
    with pytest.raises(CutOffError):
        house.apply(plan)
    house.backend.settle = settle  # type: ignore[method-assign]


def test_drift_while_it_runs_is_not_undone(house: House) -> None:
    class Meddled(Migrating):
        def probe(self, unit: Unit) -> Health:
            self.stop(unit.stack, unit.service, unit.name, purge=False, emit=lambda _: None)
            return super().probe(unit)

    house.backend.__class__ = Meddled
    error = house.up(redis=BIGGER).failed["redis"]
    assert isinstance(error, DriftError)
    assert error.problem == "redis was stopped by somebody else meanwhile"
    house.backend.__class__ = Migrating
    assert house.up(redis=BIGGER).done == ["redis"]
    assert options(house) == "64"


def test_of_a_secret_that_changes_alone_no_data_is_copied_and_one_that_was_generated_has_its_own_way_back() -> None:
    house = House()
    house.store.set("letter.licence", Secret("bought"))
    house.up(redis=REDIS, letter={"service": "letter"})
    house.store.set("letter.licence", Secret("another"))
    plan = house.plan(redis=REDIS, letter={"service": "letter"})
    assert [(a.service, a.kind, a.undo) for a in plan.actions] == [("letter", "update", "unit")]
    before = house.unit("redis.server")
    refs = tuple(replace(ref, version="rotated") for ref in before.secrets)
    rotated = make_plan(STACK, [before.with_secrets(refs)], house.backend.observe(STACK), listed=("redis",))
    assert [(a.service, a.kind, a.undo) for a in rotated.actions] == [("redis", "update", "none")]
