"""What is left when the process is killed at any step of carrying out a plan: what the next command can finish."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from mlox.errors import RolledBackError
from mlox.plan import Plan
from mlox.protocols import Emit
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Unit
from tests.apply_stage import REDIS, SERVICES, STACK, House


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
            (house.backend, ("pin", "prepare", "keep", "start", "stop", "probe", "take_back", "settle")),
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


BIGGER = {**REDIS, "options": {"maxmemory_mb": 64}}


class Spoiling(FakeBackend):
    """With another limit, redis spoils its data and dies, whenever it starts."""

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        spoils = ("options.maxmemory_mb", "64") in unit.intent
        self.dying = {"redis.server": "exit code 1"} if spoils else {}
        super().start(unit, secrets, emit)
        if spoils:
            self.data[STACK, "redis"] = "spoilt"


def running(house: House) -> Plan:
    """A redis with data, and the plan of another limit."""
    house.up(redis=REDIS)
    house.backend.data[STACK, "redis"] = "precious"
    return house.plan(redis=BIGGER)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_of_an_update_up_converges(after: bool) -> None:
    steps = 0
    for house in killed_houses(running, after):
        steps += 1
        assert house.up(redis=BIGGER).failed == {}
        assert house.states() == {"redis.server": "running"}
        assert dict(house.unit("redis.server").intent)["options.maxmemory_mb"] == "64"
        assert house.plan(redis=BIGGER).actions == ()
        assert house.backend.data[STACK, "redis"] == "precious"
    assert steps > 5


@pytest.mark.parametrize("by_hand", [False, True], ids=["again", "by hand"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_kill_at_any_step_of_a_rollback_the_old_one_comes_back_with_its_data(
    after: bool, by_hand: bool
) -> None:

    def prepare(house: House) -> Plan:
        house.backend.__class__ = Spoiling
        return running(house)

    steps = 0
    for house in killed_houses(prepare, after):
        steps += 1
        if not by_hand:
            assert isinstance(house.up(redis=BIGGER).failed["redis"], RolledBackError)
        assert house.up(redis=REDIS).failed == {}
        assert house.states() == {"redis.server": "running"}
        assert house.plan(redis=REDIS).actions == ()
        assert house.backend.data[STACK, "redis"] == "precious"
    assert steps > 8
