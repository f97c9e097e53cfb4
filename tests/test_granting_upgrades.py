"""What a service has in another one goes back with it where its upgrade fails or is killed, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from mlox.errors import RolledBackError
from mlox.plan import Plan
from tests.apply_stage import House
from tests.granting_stage import ON_POSTGRES, POSTGRES, SERVICES, DatabaseBackend
from tests.test_granting_kills import killed

OLD, NEW = "3.17.2", "3.18.0"
UPGRADED: dict[str, Any] = {"postgres": POSTGRES, "mlflow": {**ON_POSTGRES, "version": NEW}}


@pytest.fixture
def backend() -> DatabaseBackend:
    return DatabaseBackend()


@pytest.fixture
def house(backend: DatabaseBackend) -> House:
    return begun(House(backend=backend))


def begun(house: House) -> House:
    """An MLflow of the old version that has written a row into its database."""
    assert house.up(**SERVICES).failed == {}
    rows(house).append(OLD)
    return house


def rows(house: House) -> list[str]:
    assert isinstance(house.backend, DatabaseBackend)
    return house.backend.databases["postgres"].rows["mlflow_database"]


def copies(house: House) -> dict[str, list[str]]:
    assert isinstance(house.backend, DatabaseBackend)
    return house.backend.databases["postgres"].copies


def test_an_upgrade_that_fails_takes_it_back(house: House, backend: DatabaseBackend) -> None:
    backend.dying_once.add("mlflow.server")
    failed = house.up(**UPGRADED).failed["mlflow"]
    assert isinstance(failed, RolledBackError)
    assert rows(house) == [OLD]
    assert copies(house) == {}
    assert house.states()["mlflow.server"] == "running"
    assert house.unit("mlflow.server").version == OLD
    told = [event.message for event in house.events if event.service == "mlflow"]
    assert "keeping a copy of mlflow_database in postgres" in told
    assert "taking mlflow_database in postgres back" in told


def test_one_that_succeeds_leaves_no_copy(house: House, backend: DatabaseBackend) -> None:
    assert house.up(**UPGRADED).failed == {}
    assert rows(house) == [OLD, NEW]
    assert copies(house) == {}
    wanted = ("stop mlflow.server", "job postgres.server keep-mlflow", "start mlflow.server")
    assert [effect for effect in backend.effects if effect in wanted][-2:] == list(wanted[1:])


def test_where_it_cannot_be_copied_nothing_is_changed(house: House, backend: DatabaseBackend) -> None:
    run_job = backend.run_job

    def full(unit: Any, job: Any, secrets: Any, emit: Any) -> None:
        backend.refusing_once = job.name == "keep-mlflow"
        run_job(unit, job, secrets, emit)

    backend.run_job = full  # type: ignore[method-assign]
    failed = house.up(**UPGRADED).failed["mlflow"]
    assert "job keep-mlflow of postgres" in failed.problem
    assert "runs again as before" in failed.problem
    assert rows(house) == [OLD]
    assert house.unit("mlflow.server").version == OLD


def test_another_option_copies_nothing(house: House, backend: DatabaseBackend) -> None:
    kept = len(backend.commands)
    changed = {**ON_POSTGRES, "options": {"workers": 2}}
    assert house.up(postgres=POSTGRES, mlflow=changed).failed == {}
    assert {name for name, _ in backend.commands[kept:]} == {"grant-mlflow"}


def test_a_copy_that_a_killed_upgrade_left_is_not_gone_back_to(house: House, backend: DatabaseBackend) -> None:
    copies(house)["mlflow_database"] = ["long ago"]
    backend.dying_once.add("mlflow.server")
    assert isinstance(house.up(**UPGRADED).failed["mlflow"], RolledBackError)
    assert rows(house) == [OLD]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fails", [False, True], ids=["healthy", "failing"])
def test_a_killed_upgrade_is_finished_or_taken_back(after: bool, fails: bool) -> None:
    """Whichever version is asked for afterwards, it finds what it can read."""
    for asked, expected in ((UPGRADED, [OLD, NEW]), (SERVICES, [OLD])):

        def upgrade(house: House) -> Plan:
            begun(house)
            if fails:
                assert isinstance(house.backend, DatabaseBackend)
                house.backend.dying_once.add("mlflow.server")
            return house.plan(**UPGRADED)

        steps = 0
        for house, backend in killed(upgrade, after):
            steps += 1
            backend.dying_once.clear()
            if asked is SERVICES and house.unit("mlflow.server").version == NEW and _is_well(house):
                continue  # it was as good as done: then an older version is refused before anything is planned
            assert house.up(**asked).failed == {}
            assert rows(house) == expected
            assert house.plan(**asked).actions == ()
        assert steps > 12


def _is_well(house: House) -> bool:
    (there,) = (o for o in house.backend.observe("demo-0001") if o.key == "mlflow.server")
    return there.state != "stopped" and house.backend.probe(there.unit).healthy
