"""MLflow and its database: on postgres from the start, or left on its own; rotations under a running client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live.placing import SLICE, placed
from tests.live.support import Project, until
from tests.live.test_main_job import LOG_A_RUN, READ_A_RUN, answer
from tests.live.test_postgres import INSTALLED, conninfo, rows

pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install"),
    pytest.mark.long(whole=True),
]

OF_CLIENT = """
import os, sys, time
import mlflow, mlox
client = mlox.get("mlflow").client()
experiment = client.create_experiment("under-rotation")
print("ready", flush=True)
number = 0
while not os.path.exists(sys.argv[1]):
    run = client.create_run(experiment, tags={"number": str(number)})
    client.log_metric(run.info.run_id, "number", number)
    client.set_terminated(run.info.run_id)
    print(run.info.run_id, flush=True)
    number += 1
print("end", flush=True)
"""
TRACKED = """
import mlflow, mlox
client = mlox.get("mlflow").client()
experiment = client.get_experiment_by_name("under-rotation")
for run in client.search_runs([experiment.experiment_id], max_results=10000):
    print(run.info.run_id, run.data.metrics.get("number") == float(run.data.tags["number"]))
"""


@pytest.fixture(scope="module", params=SLICE)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shop(server: str, data_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """MLflow on postgres; the tests of this file go on with what is there."""
    home = tmp_path_factory.mktemp("home")
    with placed(server, tmp_path_factory.mktemp("shop"), data_home, HOME=str(home)) as made:
        made.done("init", "demo")
        made.done("add", "postgres")
        made.done("up", "mlflow")
        yield made


def python(shop: Project, code: str, *words: str) -> str:
    said = shop.run(sys.executable, "-c", code, *words)
    assert said.code == 0, said
    return said.out.strip()


def database(shop: Project, statement: str) -> list[tuple[Any, ...]]:
    """What MLflow's own user sees in MLflow's own database."""
    password = shop.password("mlflow", "database_password")
    return rows(shop, statement, user="mlflow_database", dbname="mlflow_database", password=password)


def test_the_run_is_in_postgres_in_its_own_database_under_its_own_user(shop: Project) -> None:
    run = python(shop, LOG_A_RUN)
    assert python(shop, READ_A_RUN) == f"{run} 7 0.91 from a new process"
    assert database(shop, "SELECT run_uuid FROM runs") == [(run,)]
    assert database(shop, "SELECT username FROM users") == [("admin",)]
    (owner,) = database(shop, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owner == ("mlflow_database",)
    assert not list(Path(shop.row("mlflow")["data_path"]).rglob("*.db"))
    assert shop.json("up")["actions"] == []
    texts = [shop.password("mlflow", "database_password"), shop.password("postgres")]
    for words in ("logs mlflow", "logs postgres", "env mlflow", "plan", "status", "info mlflow"):
        assert not [text for text in texts if text in shop.done(*words.split())], words


def test_each_password_is_rotated_under_a_running_client(shop: Project, tmp_path: Path) -> None:
    """Old refused, new works; of what the client was told is recorded, nothing is lost."""
    names = [("postgres", "password"), ("mlflow", "database_password")]
    before = [shop.password(*name) for name in names]
    end = tmp_path / "end"
    with (tmp_path / "runs").open("w") as out:
        client = shop.process(sys.executable, "-c", OF_CLIENT, str(end), stdout=out, stderr=subprocess.STDOUT)
        until(lambda: len((tmp_path / "runs").read_text().splitlines()) > 2, 60)
        for name in names:
            shop.done("secrets", "rotate", ".".join(name))
            seen = len((tmp_path / "runs").read_text().splitlines())
            until(lambda seen=seen: len((tmp_path / "runs").read_text().splitlines()) > seen + 2, 90)  # type: ignore[misc]
        end.touch()
        assert client.wait(120) == 0, (tmp_path / "runs").read_text()
    ready, *runs, last = (tmp_path / "runs").read_text().split()
    assert (ready, last) == ("ready", "end")
    tracked = dict(line.split() for line in python(shop, TRACKED).splitlines())
    assert len(runs) > 6
    assert {run: tracked.get(run) for run in runs} == dict.fromkeys(runs, "True")
    after = [shop.password(*name) for name in names]
    assert not set(before) & set(after)
    logins = [{}, {"user": "mlflow_database", "dbname": "mlflow_database"}]
    for login, old, new in zip(logins, before, after, strict=True):
        psycopg.connect(**conninfo(shop, **login, password=new)).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**conninfo(shop, **login, password=old))
    assert shop.json("plan")["actions"] == []


def test_the_password_of_the_admin_is_rotated(shop: Project) -> None:
    url, old = shop.row("mlflow")["url"], shop.password("mlflow", "admin_password")
    assert answer(url, old) == 200
    said = shop.json("secrets", "rotate", "mlflow.admin_password")
    assert said["services"] == ["mlflow"]
    new = shop.password("mlflow", "admin_password")
    assert [answer(url, password) for password in (old, new)] == [401, 200]
    assert python(shop, "import mlox; print(len(mlox.get('mlflow').client().search_experiments()) > 0)") == "True"


def test_a_consumer_starts_again_after_its_provider_was_purged(shop: Project) -> None:
    """Its database is gone with the provider's data: it gets a new one, and says what it began."""
    assert "with it mlflow_database in postgres of mlflow" in shop.mlox("down", "postgres", "--purge").err
    shop.done("down", "postgres", "--purge", "-y")
    kinds = [(action["kind"], action["service"]) for action in shop.json("plan")["actions"]]
    assert kinds == [("create", "postgres"), ("update", "mlflow")]
    shop.done("up")
    assert database(shop, "SELECT count(*) FROM runs") == [(0,)]
    assert answer(shop.row("mlflow")["url"], shop.password("mlflow", "admin_password")) == 200


def test_an_mlflow_that_has_runs_is_not_rewired_by_a_postgres_that_comes_later(
    server: str, data_home: Path, tmp_path: Path
) -> None:
    with placed(server, tmp_path / "later", data_home, HOME=str(tmp_path)) as later:
        later.done("init", "demo")
        later.done("up", "mlflow")
        run = python(later, LOG_A_RUN)
        written = (later.folder / "mlox.yaml").read_text()
        pid = later.runs("--app-name=basic-auth")[0].pid
        said = later.done("up", "postgres")
        assert "mlflow stays on its own database, and its data cannot be moved to postgres yet" in said
        assert "mlox up mlflow --as NAME --needs database=postgres" in said
        assert (later.folder / "mlox.yaml").read_text().startswith(written.rstrip())
        assert later.runs("--app-name=basic-auth")[0].pid == pid
        assert python(later, READ_A_RUN) == f"{run} 7 0.91 from a new process"
        assert later.json("up")["actions"] == []
        later.done("up", "mlflow", "--as", "second", "--needs", "database=postgres")
        assert later.json("plan")["actions"] == []
        assert "mlflow_database" not in str(rows(later, "SELECT datname FROM pg_database"))
        assert "second_database" in str(rows(later, "SELECT datname FROM pg_database"))
