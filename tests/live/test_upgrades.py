"""Real services across versions, there and back, with the data that clients wrote; what fails comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.catalog.case import all_cases
from tests.live.catalog.clients import python_with
from tests.live.support import Project, project

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800)]

CASES = all_cases()
OLD_MLFLOW, NEW_MLFLOW = "3.10.0", "3.17.2"

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


@pytest.fixture
def shop(data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        yield made


def said(made: Project, name: str, script: str) -> str:
    done = made.run(str(python_with(CASES[name].packages)), "-c", script)
    assert done.code == 0, done
    return done.out


def test_an_mlflow_with_runs_and_models_across_its_schemas_and_back(shop: Project) -> None:
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
