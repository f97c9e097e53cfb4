"""What a consumer gets at its provider and what is taken away: an account of its own, in order, and once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.plan import make_plan
from mlox.protocols import Health, State
from mlox.resolve.granting import LONGEST, account_name
from mlox.specs.model import NAME
from mlox.units import Unit
from tests.apply_stage import STACK, House
from tests.granting_stage import ON_POSTGRES, POSTGRES, SERVICES, DatabaseBackend


@pytest.fixture
def backend() -> DatabaseBackend:
    return DatabaseBackend()


@pytest.fixture
def house(backend: DatabaseBackend) -> House:
    return House(backend=backend)


def test_a_grant_comes_after_the_provider_and_before_the_consumer(house: House, backend: DatabaseBackend) -> None:
    assert house.up(**SERVICES).failed == {}
    wanted = ("start postgres.server", "job postgres.server grant-mlflow", "start mlflow.server")
    assert tuple(effect for effect in backend.effects if effect in wanted) == wanted
    password = house.store.get("mlflow.database_password").reveal()
    assert backend.databases["postgres"].roles == {"mlflow_database": password}
    assert password != house.store.get("postgres.password").reveal()


def test_the_second_time_nothing_is_granted(house: House, backend: DatabaseBackend) -> None:
    house.up(**SERVICES)
    effects = list(backend.effects)
    plan = house.plan(**SERVICES)
    assert plan.actions == ()
    house.apply(plan)
    assert backend.effects == effects


def test_no_command_and_no_event_holds_a_secret(house: House, backend: DatabaseBackend) -> None:
    plan = house.plan(**SERVICES)
    house.apply(plan)
    values = [house.store.get(name).reveal() for name in house.store.names()]
    units = [house.unit(key) for key in house.states()]
    told = f"{plan} {plan.to_json()} {units} {house.events}"
    assert not [value for value in values if value in told]
    assert any("MLOX_GRANT_PASSWORD" in dict(environment) for _, environment in backend.commands)


def test_consumers_have_roles_and_passwords_of_their_own(house: House, backend: DatabaseBackend) -> None:
    house.up(**SERVICES, other=ON_POSTGRES)
    roles = backend.databases["postgres"].roles
    assert set(roles) == {"mlflow_database", "other_database"}
    assert len(set(roles.values())) == 2
    assert house.unit("other.server").secret("need_database_password") is not None


def test_a_grant_that_is_refused_fails_the_consumer_alone(house: House, backend: DatabaseBackend) -> None:
    backend.refusing.add("postgres")
    applied = house.up(**SERVICES)
    assert list(applied.failed) == ["mlflow"]
    assert "job grant-mlflow of postgres" in applied.failed["mlflow"].problem
    assert "mlflow.server" not in house.states()
    backend.refusing.clear()
    assert house.up(**SERVICES).failed == {}


def test_a_provider_that_has_just_been_started_again_is_waited_for(
    house: House, backend: DatabaseBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.up(postgres=POSTGRES)
    probe = backend.probe
    asked: list[str] = []

    def starting(unit: Unit) -> Health:
        if unit.catalog != "postgres" or len(asked) > 2:
            return probe(unit)
        assert not backend.commands
        asked.append(unit.key)
        return Health(False, "the database system is starting up")

    monkeypatch.setattr(backend, "probe", starting)
    assert house.up(**SERVICES).failed == {}
    assert len(asked) == 3
    assert [name for name, _ in backend.commands] == ["grant-mlflow"]


def test_a_purge_of_the_consumer_takes_its_account_and_its_password(house: House, backend: DatabaseBackend) -> None:
    house.up(**SERVICES, other=ON_POSTGRES)
    plan = house.down("mlflow", purge=True)
    assert "with its data, and mlflow_database in postgres" in str(plan)
    assert house.apply(plan).failed == {}
    assert set(backend.databases["postgres"].roles) == {"other_database"}
    assert "mlflow.database_password" not in house.store.names()
    effects = [effect for effect in backend.effects if "mlflow" in effect]
    assert effects[-3:] == ["stop mlflow.server", "job postgres.server revoke-mlflow", "purge mlflow.server"]


def test_a_consumer_is_not_purged_while_its_provider_is_stopped(house: House) -> None:
    house.up(**SERVICES)
    house.apply(house.down("postgres"))
    applied = house.apply(house.down("mlflow", purge=True))
    assert "mlflow has data in postgres, which does not run" in applied.failed["mlflow"].problem
    assert (applied.failed["mlflow"].hint or "").endswith("mlox up postgres.")
    assert house.states()["mlflow.server"] == "running"
    assert "mlflow.database_password" in house.store.names()


def test_both_are_purged_together_without_a_revocation(house: House, backend: DatabaseBackend) -> None:
    house.up(**SERVICES)
    house.apply(house.down("mlflow", "postgres"))
    assert house.apply(house.down("mlflow", "postgres", purge=True)).failed == {}
    assert (house.states(), house.store.names()) == ({}, ())
    assert not [effect for effect in backend.effects if "revoke" in effect]


def test_a_consumer_outlives_the_purge_of_its_provider(house: House, backend: DatabaseBackend) -> None:
    """Its account went with the provider's data: when that comes back, it gets a new one and starts again."""
    house.up(**SERVICES)
    first = house.store.get("mlflow.database_password").reveal()
    house.apply(house.down("postgres", purge=True))
    plan = house.plan(**SERVICES)
    assert [action.kind for action in plan.actions] == ["create", "update"]
    assert house.apply(plan).failed == {}
    assert backend.databases["postgres"].roles["mlflow_database"] != first
    assert house.plan(**SERVICES).actions == ()


def test_a_provider_that_never_was_leaves_nothing_to_revoke(house: House) -> None:
    house.up(**SERVICES)
    house.apply(house.down("postgres", purge=True))
    assert house.apply(house.down("mlflow", purge=True)).failed == {}
    assert house.states() == {}


def test_a_consumer_that_is_rewired_gets_an_account_there(house: House, backend: DatabaseBackend) -> None:
    house.up(**SERVICES)
    elsewhere = {**ON_POSTGRES, "needs": {**ON_POSTGRES["needs"], "database": "second"}}  # type: ignore[dict-item]
    plan = house.plan(mlflow=elsewhere, postgres=POSTGRES, second=POSTGRES)
    assert "grants.database: mlflow_database in postgres → mlflow_database in second" in str(plan)
    assert house.apply(plan).failed == {}
    assert set(backend.databases["second"].roles) == {"mlflow_database"}
    assert set(backend.databases["postgres"].roles) == {"mlflow_database"}


NAMES = st.from_regex(NAME.strip("^$"), fullmatch=True).filter(lambda name: len(name) <= 40)
NEEDS = st.from_regex("[a-z][a-z0-9_]{0,39}", fullmatch=True)


@given(NAMES, NEEDS)
def test_an_account_has_a_name_that_every_database_takes(consumer: str, need: str) -> None:
    name = account_name(consumer, need)
    assert name.isascii()
    assert name.replace("_", "a").isalnum()
    assert name == name.lower()
    assert len(name.encode()) <= LONGEST
    assert not name.startswith("pg_")
    assert name == account_name(consumer, need)


@pytest.mark.slow
@given(st.sets(st.tuples(NAMES, NEEDS), min_size=2, max_size=20))
def test_no_two_accounts_have_one_name(pairs: set[tuple[str, str]]) -> None:
    assert len({account_name(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize(
    "pairs",
    [
        (("a-b", "c"), ("a", "b_c")),
        (("pg-a", "b"), ("for-pg-a", "b")),
        (("a" * 40, "b" * 39 + "c"), ("a" * 40, "b" * 39 + "d")),
        (("pg", "x"), ("for-pg", "x")),
    ],
)
def test_names_that_could_be_taken_for_each_other(pairs: tuple[tuple[str, str], tuple[str, str]]) -> None:
    assert account_name(*pairs[0]) != account_name(*pairs[1])


def test_who_starts_again_asks_its_provider_as_that_is_now(house: House, backend: DatabaseBackend) -> None:
    """A provider that was moved listens elsewhere inside, also where its consumers find it at the same address."""
    house.up(**SERVICES)
    (there,) = (one for one in backend.observe(STACK) if one.service == "mlflow")
    (now,) = (unit for unit in house.plan(**SERVICES).units if unit.service == "mlflow")
    old = replace(there.unit, grants=tuple(replace(each, argv=("psql", "--port=1")) for each in there.unit.grants))
    states: tuple[State, ...] = ("stopped", "failed")
    for state in states:
        plan = make_plan(STACK, [now], [replace(there, unit=old, state=state)], listed=["mlflow"])
        assert [(action.kind, action.about.grants) for action in plan.actions] == [("start", now.grants)]
    assert make_plan(STACK, [now], [replace(there, unit=old)], listed=["mlflow"]).actions == ()
