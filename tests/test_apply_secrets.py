"""How secrets and package versions are made when a plan is carried out: once, shared, and purged with their owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from mlox.apply import ALPHABET
from mlox.lockfile import LockFile
from mlox.resolve import lock_key
from mlox.secret import Secret
from mlox.units import Software
from mlox.workspace import Workspace
from tests.apply_stage import MLFLOW, POSTGRES, REDIS, WIRED, House, Pins, Stubborn
from tests.test_plans import PROGRAMS

# Secrets


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


# Pins


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
