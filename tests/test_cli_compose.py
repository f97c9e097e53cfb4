"""What ``mlox import`` and ``mlox export compose`` say and write: all or nothing, and no secret anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlox.documents import load
from mlox.secret_stores.user import UserStore
from tests.shell_stage import Say, files

pytestmark = pytest.mark.usefixtures("no_reports")

COMPOSE = """\
services:
  db:
    image: postgres:16.4
    environment: {POSTGRES_PASSWORD: hunter22-and-more}
    ports: ["5432:5432"]
    volumes: [data:/var/lib/postgresql/data]
  web:
    image: nginx:1
    depends_on: [db]
    volumes: [./site:/usr/share/nginx/html:ro]
volumes: {data: {}}
"""

KILLED = """
import os, sys
from mlox.cli import main
left, step = int(sys.argv[1]), sys.argv[2]
real = getattr(os, step)
def dying(*arguments, **options):
    global left
    left -= 1
    if left == -1:
        os._exit(9)
    return real(*arguments, **options)
setattr(os, step, dying)
sys.exit(main(["import", "compose.yaml"]))
"""


@pytest.fixture
def shop(isolated: Path) -> Path:
    (isolated / "compose.yaml").write_text(COMPOSE)
    return isolated


def test_a_dry_run_tells_all_and_writes_nothing(say: Say, shop: Path, data_home: Path) -> None:
    before = files(shop, data_home)
    said = say("import", "compose.yaml", "--dry-run")
    assert said.code == 0
    for line in (
        "db: would be services/db.yaml, from compose.yaml",
        "would be kept as secrets: db.postgres_password",
        "the volume ",
        "now on loopback: 127.0.0.1:5432:5432",
        "nothing was written",
    ):
        assert line in said.out
    assert files(shop, data_home) == before
    assert "hunter22" not in said.out


def test_import_writes_services_entries_and_secrets(say: Say, shop: Path, data_home: Path) -> None:
    said = say("import", "compose.yaml", "--project", "old", "--json").json
    assert said["written"] is True
    assert [row["name"] for row in said["services"]] == ["db", "web"]
    assert said["services"][0]["volumes"] == ["old_data"]
    assert said["services"][0]["ports"] == {"p5432": 5432}
    assert said["services"][0]["server"] == "docker"
    spec = load((shop / "mlox.yaml").read_text(), source="mlox.yaml")
    assert isinstance(spec, dict)
    assert spec["services"]["db"] == {
        "service": "db",
        "version": "16.4",
        "server": "docker",
        "ports": {"p5432": 5432},
    }
    written = files(shop)
    assert not [path for path, content in written.items() if b"hunter22" in content and "compose.yaml" not in path]
    store = UserStore(data_home / spec["id"] / "secrets", data_home / "identity")
    assert store.get("db.postgres_password").reveal() == "hunter22-and-more"
    assert "secret db.postgres_password" in say("info", "db").out


def test_what_is_there_is_not_overwritten(say: Say, shop: Path) -> None:
    assert say("import", "compose.yaml").code == 0
    before = files(shop)
    error = say("import", "compose.yaml", "--json")
    assert (error.code, error.error["problem"]) == (2, "db is in mlox.yaml already")
    assert error.error["hint"] == "Take it out first: mlox remove db."
    (shop / "compose.yaml").write_text("services: {other: {image: a:1}}")
    (shop / "services" / "other.yaml").write_text("mine")
    assert say("import", "compose.yaml").err.startswith("error: services/other.yaml is there already")
    assert {**before, str(shop / "compose.yaml"): b"", str(shop / "services" / "other.yaml"): b""}.keys() == files(
        shop
    ).keys()


def test_what_cannot_be_carried_is_an_error_or_named(say: Say, shop: Path) -> None:
    (shop / "compose.yaml").write_text("services: {web: {image: a:1, build: {context: ., ssh: [default]}}}")
    said = say("import", "compose.yaml")
    assert said.code == 2
    assert "services.web.build.ssh: not supported" in said.err
    assert "--allow-unsupported" in said.err
    assert not (shop / "mlox.yaml").exists()
    said = say("import", "compose.yaml", "--allow-unsupported")
    assert said.code == 0
    assert "left out: services.web.build.ssh: not supported" in said.out


@pytest.mark.usefixtures("shop")
def test_export_writes_a_compose_file_without_a_secret(say: Say) -> None:
    assert say("import", "compose.yaml").code == 0
    out = say("export", "compose").out
    exported = load(out, source="out")
    assert isinstance(exported, dict)
    assert "hunter22" not in out
    db, web = exported["services"]["db"], exported["services"]["web"]
    assert db["image"] == "postgres:16.4"
    assert db["environment"] == {"POSTGRES_PASSWORD": "${DB_POSTGRES_PASSWORD:?a secret of mlox}"}
    assert db["ports"] == [{"target": 5432, "published": "5432", "host_ip": "127.0.0.1", "protocol": "tcp"}]
    assert web["depends_on"] == {"db": {"condition": "service_started"}}
    assert web["volumes"][0]["source"] == "./site"
    assert say("export", "compose", "db", "--json").json["compose"]["services"].keys() == {"db"}


def test_export_carries_jobs_accounts_and_names_what_has_no_image(say: Say, shop: Path) -> None:
    (shop / "services").mkdir()
    (shop / "services" / "plain.yaml").write_text(
        "name: plain\nversion: '1'\nsummary: a process\n"
        "units: {server: {native: {python: {packages: [x]}, command: [x]}}}\n"
    )
    (shop / "mlox.yaml").write_text(
        "name: all\nid: all-12ab\nservices:\n"
        "  db: {service: postgres, version: '15'}\n"
        "  mlflow: {service: mlflow, version: 3.17.2, needs: {database: db, artifacts: embedded}}\n"
        "  plain: {service: plain, version: '1'}\n"
    )
    said = say("export", "compose")
    assert said.code == 0, said.err
    assert "# Left out, since there is no image of it: plain." in said.out
    exported = load(said.out, source="out")
    assert isinstance(exported, dict)
    services = exported["services"]
    assert services["db"]["entrypoint"] == ["/bin/sh", "-ec"]
    assert "initdb" in services["db"]["command"][0]
    account = services["mlflow-database-account"]
    assert account["network_mode"] == "service:db"
    assert account["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert services["mlflow"]["depends_on"]["mlflow-database-account"]["condition"] == "service_completed_successfully"
    assert "@db:5432/" in services["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"]
    assert say("export", "compose", "plain").err.startswith("error: no service here has an image")


def test_jsonschema_that_is_not_there_is_named(say: Say, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlox.compose import validating

    del shop
    validating._validator.cache_clear()
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    said = say("import", "compose.yaml")
    validating._validator.cache_clear()
    assert said.code == 1
    assert "pip install 'mlox-sdk[docker]'" in said.err


def test_names_of_files_are_completed(say: Say, shop: Path) -> None:
    (shop / "deploy").mkdir()
    (shop / "deploy" / "stack.yml").write_text("")
    assert "compose.yaml" in say("help", "--", "import", "com").out
    assert "deploy/" in say("help", "--", "import", "de").out
    assert "deploy/stack.yml" in say("help", "--", "import", "deploy/s").out


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("step", ["replace", "fsync", "mkdir"])
def test_a_kill_loses_nothing(shop: Path, step: str, say: Say, data_home: Path) -> None:
    code = 9
    for left in range(60):
        command = (sys.executable, "-c", KILLED, str(left), step)
        code = subprocess.run(command, cwd=shop, capture_output=True, timeout=120, check=False).returncode
        assert code in (0, 2, 9)
        assert (shop / "compose.yaml").read_text() == COMPOSE
        if code != 9:
            break
    assert code in (0, 2)  # 2: a kill came after the last write, and the next one finished it
    assert {path.name for path in (shop / "services").glob("*.yaml")} == {"db.yaml", "web.yaml"}
    spec = load((shop / "mlox.yaml").read_text(), source="mlox.yaml")
    assert isinstance(spec, dict)
    assert list(spec["services"]) == ["db", "web"]
    store = UserStore(data_home / spec["id"] / "secrets", data_home / "identity")
    assert store.get("db.postgres_password").reveal() == "hunter22-and-more"
    assert say("secrets", "list").code == 0
