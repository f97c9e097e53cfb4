"""What is left when the process is killed at any step of carrying out a plan: what the next command can finish."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlox.plan import Plan
from tests.apply_stage import SERVICES, House


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
