"""What others do meanwhile: a unit that is not as it was planned from is left alone, a lost lease ends everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from mlox.apply import Seams, apply
from mlox.errors import DriftError, LockedError
from mlox.leases import Holder, this_process
from mlox.locks import Hold
from mlox.protocols import Emit, silent
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Unit
from tests.apply_stage import POSTGRES, SERVICES, STACK, WIRED, House
from tests.test_plans import PROGRAMS

Meddle = Callable[[FakeBackend], None]


class Visited(FakeBackend):
    """Somebody comes by right after a service was started."""

    meddle: Meddle = staticmethod(lambda _: None)
    after: str = ""

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        super().start(unit, secrets, emit)
        if unit.service == self.after:
            self.after = ""
            self.meddle(self)


def stop(service: str, purge: bool = False) -> Meddle:
    return lambda backend: backend.stop(STACK, service, "server", purge=purge, emit=silent)


def visited(after: str, meddle: Meddle) -> House:
    backend = Visited(programs=PROGRAMS)
    house = House(backend=backend)
    backend.after, backend.meddle = after, staticmethod(meddle)
    return house


@pytest.mark.parametrize(
    ("meddle", "how"), [(stop("mlflow"), "was stopped"), (stop("mlflow", purge=True), "was removed")]
)
def test_a_unit_that_somebody_touched_before_its_turn_is_left_alone(meddle: Meddle, how: str) -> None:
    house = visited("", meddle)
    house.up(postgres=POSTGRES, mlflow=WIRED)
    house.apply(house.down("postgres"))
    plan = house.plan(postgres=POSTGRES, mlflow={**WIRED, "options": {"workers": 3}})
    assert isinstance(house.backend, Visited)
    house.backend.after = "postgres"
    applied = house.apply(plan)
    assert applied.done == ["postgres"]
    error = applied.failed["mlflow"]
    assert isinstance(error, DriftError)
    assert error.problem == f"mlflow {how} by somebody else since the plan was made; it was left as it is"
    assert error.hint == "Run the same command again."
    assert house.up(postgres=POSTGRES, mlflow=WIRED).failed == {}


def test_a_unit_that_somebody_created_before_its_turn_is_left_alone() -> None:
    other = House()
    other.up(postgres=POSTGRES, mlflow=WIRED)
    theirs = other.unit("mlflow.server")
    secrets = {ref.key: Secret("x") for ref in theirs.secrets}
    house = visited("postgres", lambda backend: FakeBackend.start(backend, theirs, secrets, silent))
    error = house.up(postgres=POSTGRES, mlflow=WIRED).failed["mlflow"]
    assert isinstance(error, DriftError)
    assert "mlflow was created by somebody else" in error.problem


def test_a_unit_that_needs_nothing_but_was_stopped_meanwhile_is_no_death() -> None:
    house = visited("", stop("mlflow"))
    house.up(postgres=POSTGRES, mlflow=WIRED)
    house.apply(house.down("postgres"))
    assert isinstance(house.backend, Visited)
    house.backend.after = "postgres"
    error = house.up(postgres=POSTGRES, mlflow=WIRED).failed["mlflow"]
    assert isinstance(error, DriftError)
    assert error.problem == "mlflow was stopped by somebody else meanwhile"


def test_what_was_stopped_by_hand_is_not_purged_by_the_way() -> None:
    house = House()
    house.up(**SERVICES)
    plan = house.down(*SERVICES, purge=True)
    taken = house.backend.stop

    def meddling(stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        taken(stack, service, name, purge=purge, emit=emit)
        if service == "mlflow":
            taken(stack, "redis", name, purge=False, emit=emit)

    house.backend.stop = meddling  # type: ignore[method-assign]
    applied = house.apply(plan)
    assert sorted(applied.done) == ["mlflow", "postgres"]
    assert isinstance(applied.failed["redis"], DriftError)
    assert house.states() == {"redis.server": "stopped"}


def test_whoever_loses_the_lease_changes_nothing_more() -> None:
    """A colleague takes the silent stack over while the first service starts."""
    other = this_process()

    def take_over(backend: FakeBackend) -> None:
        backend.leases.now += 100
        assert not isinstance(backend.lease(STACK, other), Holder)

    house = visited("postgres", take_over)
    plan = house.plan(**SERVICES)
    with Hold(STACK, emit=silent) as hold:
        hold.take(house.backend)
        seams = Seams({"local": house.backend}, house.store, house.pins, hold.check)
        with pytest.raises(LockedError, match="taken over by process"):
            apply(plan, seams, emit=silent, cancel=house.cancel)
    assert "mlflow.server" not in house.states()
    assert house.backend.effects.count("start mlflow.server") == 0
    assert house.backend.holder(STACK) == other
    effects, names = list(house.backend.effects), house.store.names()
    with pytest.raises(LockedError):
        apply(house.plan(**SERVICES), seams, emit=silent, cancel=house.cancel)
    assert (house.backend.effects, house.store.names()) == (effects, names)
    assert house.apply(house.plan(**SERVICES)).failed == {}
