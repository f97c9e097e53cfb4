"""Real services across versions, there and back, with the data that clients wrote; what fails comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.catalog.case import all_cases
from tests.live.catalog.clients import python_with
from tests.live.placing import SERVERS, placed
from tests.live.support import Project, project
from tests.live.support import data_home as place
from tests.live.test_main_job import LOG_A_RUN, READ_A_RUN

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3600)]

CASES = all_cases()
OLD_MLFLOW, NEW_MLFLOW = "3.10.0", "3.17.2"
MLFLOW_2 = "2.22.5"
OLD_AIRFLOW, NEW_AIRFLOW = "3.1.8", "3.3.2"

KEEPER = """\
name: keeper
version: "{version}"
summary: keeps a word in a file, and dies in its second version once it has spoiled it
ports: {{http: {{port: 18640, scheme: http}}}}
data: {{data: {{}}}}
jobs:
  spoil:
    unit: server
    when: upgrade
    argv: [sh, -c, '[ "${{version}}" = 1 ] || [ ! -e "${{dir.data}}/word" ] || echo spoiled > "${{dir.data}}/word"']
units:
  server:
    stateful: true
    native:
      binary: {{name: python3, version_argv: [sh, -c, "echo v{version}"], version_pattern: 'v(.*)'}}
      command:
        - sh
        - -c
        - '[ "${{version}}" = 1 ] && exec python3 -m http.server --bind ${{bind}} ${{port.http}}'
    probe: {{http: {{port: http}}, start_timeout_s: 20}}
    stop_grace_period_s: 2
"""

TABLES = """\
name: tables
version: "{version}"
supports: ">=1"
summary: keeps words in the stack's PostgreSQL, and dies in its second version once it has spoiled them
ports: {{http: {{port: 18641, scheme: http}}}}
needs:
  database:
    capability: postgresql
    environment: {{BASE: "${{need.database.url}}"}}
jobs:
  words:
    unit: server
    when: upgrade
    argv: [python3, "${{dir.config}}/words.py"]
units:
  server:
    native:
      python: {{packages: ["psycopg[binary]"]}}
      command: [sh, -c, '[ "${{version}}" != 2 ] && exec python3 -m http.server --bind ${{bind}} ${{port.http}}']
    environment: {{VERSION: "${{version}}"}}
    files:
      words.py:
        content: |
          import os, psycopg
          with psycopg.connect(os.environ["BASE"]) as base:
              base.execute("CREATE TABLE IF NOT EXISTS words (word text)")
              base.execute("UPDATE words SET word = word || %s", [" by " + os.environ["VERSION"]])
              base.execute(f"CREATE TABLE made_by_{{os.environ['VERSION']}} ()")
    probe: {{http: {{port: http}}, start_timeout_s: 20}}
    stop_grace_period_s: 2
"""
ONLY = "SELECT word, (SELECT string_agg(relname, ' ') FROM pg_class WHERE relname ~ 'made_by') FROM words"
OWNERS = "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'public'"
DATABASES_THERE = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate"


@pytest.fixture
def shop(data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        yield made


def said(made: Project, name: str, script: str) -> str:
    return printed(made, script, CASES[name].packages)


def printed(made: Project, script: str, packages: tuple[str, ...] = ()) -> str:
    done = made.run(str(python_with(packages)), "-c", script)
    assert done.code == 0, done
    return done.out


@pytest.mark.long
@pytest.mark.parametrize("below", ["sqlite", pytest.param("postgres", marks=pytest.mark.exhaustive)])
def test_an_mlflow_with_runs_and_models_across_its_schemas_and_back(shop: Project, below: str) -> None:
    if below == "postgres":
        shop.done("up", "postgres")
    shop.done("up", f"mlflow@{OLD_MLFLOW}")
    said(shop, "mlflow", CASES["mlflow"].write)
    before = said(shop, "mlflow", CASES["mlflow"].read)
    done = shop.json("upgrade", f"mlflow@{NEW_MLFLOW}", "-y")
    assert done["version"] == {"from": OLD_MLFLOW, "to": NEW_MLFLOW}
    assert shop.row("mlflow")["version"] == NEW_MLFLOW
    assert said(shop, "mlflow", CASES["mlflow"].read) == before
    assert shop.json("up")["actions"] == []
    assert shop.json("rollback", "mlflow", "--dry-run")["version"] == {"from": NEW_MLFLOW, "to": OLD_MLFLOW}
    assert shop.row("mlflow")["version"] == NEW_MLFLOW
    shop.done("rollback", "mlflow", "-y")
    assert shop.row("mlflow")["version"] == OLD_MLFLOW
    assert said(shop, "mlflow", CASES["mlflow"].read) == before
    assert shop.json("up")["actions"] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("below", ["sqlite", "postgres"])
def test_an_mlflow_2_beside_an_mlflow_3_and_then_as_one_too(shop: Project, below: str) -> None:
    if below == "postgres":
        shop.done("up", "postgres")
    shop.done("up", "mlflow")
    shop.done("up", f"mlflow@{MLFLOW_2}", "--as", "old")
    assert [shop.row(name)["version"] for name in ("mlflow", "old")] == [NEW_MLFLOW, MLFLOW_2]
    write, read = (text.replace('"mlflow"', '"old"') for text in (LOG_A_RUN, READ_A_RUN))
    printed(shop, write)
    before = printed(shop, read)
    assert printed(shop, "import mlox; print(mlox.get('mlflow').client().get_experiment_by_name('churn'))") == "None\n"
    shop.done("secrets", "rotate", "old.admin_password")
    done = shop.json("upgrade", f"old@{NEW_MLFLOW}", "-y")
    assert done["version"] == {"from": MLFLOW_2, "to": NEW_MLFLOW}
    assert printed(shop, read) == before
    shop.done("rollback", "old", "-y")
    assert shop.row("old")["version"] == MLFLOW_2
    assert printed(shop, read) == before
    assert shop.json("up")["actions"] == []


def test_one_that_fails_once_it_has_spoiled_the_data_comes_back_by_itself(shop: Project) -> None:
    services = shop.folder / "services"
    services.mkdir()
    (services / "keeper.yaml").write_text(KEEPER.format(version="1"))
    shop.done("up", "keeper")
    word = Path(shop.row("keeper")["data_path"]) / "data" / "word"
    word.write_text("precious")
    shop.done("backup", "keeper")
    (services / "keeper.yaml").write_text(KEEPER.format(version="2"))
    failed = shop.mlox("upgrade", "keeper@2", "-y", "--no-backup")
    assert failed.code == 1, failed
    assert "keeper runs again as before" in failed.err
    assert word.read_text() == "precious"
    assert shop.row("keeper")["status"] == "running"
    assert shop.row("keeper")["version"] == "1"
    assert 'version: "1"' in (shop.folder / "mlox.yaml").read_text()


@pytest.fixture(params=SERVERS)
def on_postgres(request: pytest.FixtureRequest, data_home: Path, tmp_path: Path) -> Iterator[Project]:
    """A project with PostgreSQL as a process or as a container."""
    with placed(str(request.param), tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        made.done("up", "postgres")
        yield made


@pytest.mark.long
def test_tables_in_postgres_go_back_with_the_version(on_postgres: Project) -> None:
    shop = on_postgres

    def asked(base: str, query: str) -> str:
        return shop.done("exec", "postgres", "--", "psql", base, "-Atc", query).strip()

    def offered(version: str) -> None:
        (shop.folder / "services" / "tables.yaml").write_text(TABLES.format(version=version))

    (shop.folder / "services").mkdir()
    offered("1")
    shop.done("up", "tables")
    before = asked("tables_database", DATABASES_THERE)
    asked("tables_database", "INSERT INTO words VALUES ('precious')")
    offered("2")
    failed = shop.mlox("upgrade", "tables@2", "-y", "--no-backup")
    assert failed.code == 1, failed
    assert "tables runs again as before" in failed.err
    assert asked("tables_database", ONLY) == "precious|made_by_1"
    assert asked("postgres", DATABASES_THERE) == before
    offered("3")
    shop.done("upgrade", "tables@3", "-y")
    assert asked("tables_database", ONLY) == "precious by 3|made_by_1 made_by_3"
    assert asked("postgres", DATABASES_THERE) == before
    shop.done("rollback", "tables", "-y")
    assert asked("tables_database", ONLY) == "precious|made_by_1"
    shop.done("backup", "tables")
    shop.done("down", "tables", "--purge", "-y")
    assert "tables_database" not in asked("postgres", DATABASES_THERE)
    shop.done("restore", "tables")
    assert asked("tables_database", ONLY) == "precious|made_by_1"
    assert asked("tables_database", OWNERS) == "tables_database"
    assert asked("postgres", DATABASES_THERE) == before
    assert shop.json("up")["actions"] == []


@pytest.mark.exhaustive
@pytest.mark.xdist_group("service-airflow")
def test_an_airflow_on_postgres_with_a_run_in_its_history(data_home: Path) -> None:
    case = CASES["airflow"]
    old = (f"apache-airflow-client=={OLD_AIRFLOW}",)
    with place() as folder, project(folder / "demo", data_home) as made:
        case.prepare(made.folder)
        made.done("init", "demo")
        made.done("add", "postgres")
        made.done("add", f"airflow@{OLD_AIRFLOW}")
        made.done("up")
        printed(made, case.write, old)
        before = printed(made, case.read, old)
        assert "success" in before
        done = made.json("upgrade", f"airflow@{NEW_AIRFLOW}", "-y")
        assert done["version"] == {"from": OLD_AIRFLOW, "to": NEW_AIRFLOW}
        assert printed(made, case.read, case.packages) == before
        assert made.json("up")["actions"] == []
        made.done("rollback", "airflow", "-y")
        assert made.row("airflow")["version"] == OLD_AIRFLOW
        assert printed(made, case.read, old) == before
