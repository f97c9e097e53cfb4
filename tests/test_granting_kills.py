"""What is left of accounts when the process is killed at any step: nothing that the next command does not finish."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from mlox.plan import Plan
from tests.apply_stage import House
from tests.granting_stage import ON_POSTGRES, SERVICES, DatabaseBackend
from tests.test_apply_kills import KilledError

SEAMS = {
    "backend": ("pin", "keep", "start", "stop", "probe", "run_job", "take_back", "settle"),
    "store": ("set", "get", "delete"),
    "pins": ("put",),
}


def killed(make_plan: Callable[[House], Plan], after: bool) -> Iterator[tuple[House, DatabaseBackend]]:
    """Houses in which the process was killed before or after its n-th call of a seam, for every n."""
    for step in range(200):
        backend = DatabaseBackend()
        house = House(backend=backend)
        plan = make_plan(house)
        calls = 0

        def dying(function: Callable[..., object], at: int = step) -> Callable[..., object]:
            def call(*arguments: object, **options: object) -> object:
                nonlocal calls
                number, calls = calls, calls + 1
                if number < at:
                    return function(*arguments, **options)
                if number == at and after:
                    function(*arguments, **options)
                raise KilledError

            return call

        with pytest.MonkeyPatch.context() as patched:
            for part, names in SEAMS.items():
                for name in names:
                    patched.setattr(getattr(house, part), name, dying(getattr(getattr(house, part), name)))
            with contextlib.suppress(KilledError):
                house.apply(plan)
        yield house, backend
        if calls <= step:
            return


def accounts(house: House) -> dict[str, str]:
    return {"mlflow_database": house.store.get("mlflow.database_password").reveal()}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_up_finishes_what_a_killed_up_began(after: bool) -> None:
    steps = 0
    for house, backend in killed(lambda house: house.plan(**SERVICES), after):
        steps += 1
        assert house.up(**SERVICES).failed == {}
        assert backend.databases["postgres"].roles == accounts(house)
        assert house.plan(**SERVICES).actions == ()
        assert len(house.store.names()) == 4
    assert steps > 12


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_purge_of_the_consumer_is_finished_by_the_next(after: bool) -> None:
    def purge(house: House) -> Plan:
        house.up(**SERVICES, other=ON_POSTGRES)
        return house.down("mlflow", purge=True)

    steps = 0
    for house, backend in killed(purge, after):
        steps += 1
        assert house.apply(house.down("mlflow", purge=True)).failed == {}
        assert set(backend.databases["postgres"].roles) == {"other_database"}
        assert "mlflow.server" not in house.states()
    assert steps > 4


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_killed_purge_of_the_provider_up_gives_new_accounts(after: bool) -> None:
    def purge(house: House) -> Plan:
        house.up(**SERVICES)
        return house.down("postgres", purge=True)

    for house, backend in killed(purge, after):
        assert house.up(**SERVICES).failed == {}
        assert backend.databases["postgres"].roles == accounts(house)
        assert house.plan(**SERVICES).actions == ()
        assert house.states() == {"mlflow.server": "running", "postgres.server": "running"}
