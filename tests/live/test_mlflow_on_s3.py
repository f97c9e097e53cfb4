"""MLflow with its runs in PostgreSQL and its artifacts in MinIO: no client of it has a key of either."""

from __future__ import annotations

import http.client
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.object_stage import buckets, minio_path, s3
from tests.live.placing import SLICE, placed
from tests.live.support import Project, project
from tests.live.test_postgres import INSTALLED

__all__ = ["minio_path"]

pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install"),
    pytest.mark.timeout(1800),  # the first time MinIO is built
    pytest.mark.long(whole=True),
]

LOG = """
import hashlib, os, pathlib, random, sys
import mlflow, mlox
for name in [name for name in os.environ if name.startswith(("AWS_", "MLFLOW_"))]:
    del os.environ[name]
client = mlox.get("mlflow").client()
assert not [name for name in os.environ if name.startswith(("AWS_", "MLFLOW_S3"))]
folder = pathlib.Path(sys.argv[1])
made = {"model.bin": random.Random(7).randbytes(9_000_000), "notes/why ü.txt": "because".encode(), "empty": b""}
for name, content in made.items():
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    (folder / name).write_bytes(content)
run = client.create_run(client.create_experiment("with-artifacts"))
client.log_metric(run.info.run_id, "auc", 0.91)
client.log_artifacts(run.info.run_id, str(folder))
client.set_terminated(run.info.run_id)
print(run.info.run_id, run.info.artifact_uri.partition(":")[0])
for name, content in sorted(made.items()):
    print(name, hashlib.sha256(content).hexdigest())
"""
READ = """
import hashlib, pathlib, sys
import mlflow, mlox
client = mlox.get("mlflow").client()
(run,) = client.search_runs([client.get_experiment_by_name("with-artifacts").experiment_id])
print(run.info.run_id, run.info.artifact_uri.partition(":")[0])
folder = pathlib.Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=sys.argv[1]))
for path in sorted(path for path in folder.rglob("*") if path.is_file()):
    print(path.relative_to(folder), hashlib.sha256(path.read_bytes()).hexdigest())
"""


@pytest.fixture(scope="module", params=SLICE)
def shop(
    request: pytest.FixtureRequest, data_home: Path, minio_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """All three on one server; the tests of this file go on with what is there."""
    home = tmp_path_factory.mktemp("home")
    with placed(request.param, tmp_path_factory.mktemp("shop"), data_home, HOME=str(home), PATH=minio_path) as made:
        made.done("init", "demo")
        made.done("add", "postgres")
        made.done("add", "minio")
        made.done("up", "mlflow")
        yield made


def python(shop: Project, code: str, *words: str) -> str:
    said = shop.run(sys.executable, "-c", code, *words)
    assert said.code == 0, said
    return said.out.strip()


def test_what_is_logged_is_read_back_the_same_and_lies_in_the_bucket(shop: Project, tmp_path: Path) -> None:
    logged = python(shop, LOG, str(tmp_path / "made"))
    assert logged.splitlines()[0].endswith(" mlflow-artifacts")
    assert len(logged.splitlines()) == 4
    shop.done("restart", "mlflow")
    (tmp_path / "read").mkdir()
    assert python(shop, READ, str(tmp_path / "read")) == logged
    assert buckets(shop) == ["mlflow-artifacts"]
    stored = s3(shop).list_objects_v2(Bucket="mlflow-artifacts")["Contents"]
    assert sorted(Path(each["Key"]).name for each in stored) == ["empty", "model.bin", "why ü.txt"]
    assert shop.json("up")["actions"] == []


def test_it_answers_to_the_names_that_consumers_call_it_by_and_to_no_other(shop: Project) -> None:
    host, _, port = shop.row("mlflow")["ports"]["http"].partition(":")
    word = b64encode(f"admin:{shop.password('mlflow', 'admin_password')}".encode()).decode()
    answers = {}
    for name in ("mlflow", "host.docker.internal", "localhost", "127.0.0.1", "evil.example"):
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        headers = {"Host": f"{name}:{port}", "Authorization": f"Basic {word}"}
        connection.request("GET", "/api/2.0/mlflow/experiments/search?max_results=1", headers=headers)
        answers[name] = connection.getresponse().status
        connection.close()
    assert answers.pop("evil.example") == 403
    assert set(answers.values()) == {200}


def test_its_key_opens_its_bucket_and_nobody_else_knows_it(shop: Project) -> None:
    secret = shop.password("mlflow", "artifacts_secret_key")
    own = s3(shop, "mlflow-artifacts", secret)
    assert own.list_objects_v2(Bucket="mlflow-artifacts")["KeyCount"] == 3
    for words in ("logs mlflow", "logs minio", "env mlflow", "plan", "status", "info mlflow"):
        assert secret not in shop.done(*words.split()), words


def test_its_key_and_the_root_password_are_rotated_under_it(shop: Project, tmp_path: Path) -> None:
    before = python(shop, READ, str(tmp_path))
    for name in ("mlflow.artifacts_secret_key", "minio.root_password"):
        shop.done("secrets", "rotate", name)
    assert python(shop, READ, str(tmp_path)) == before
    assert shop.json("plan")["actions"] == []


def test_an_mlflow_that_has_artifacts_is_not_rewired_by_a_store_that_comes_later(
    data_home: Path, minio_path: str, tmp_path: Path
) -> None:
    with project(tmp_path / "later", data_home, HOME=str(tmp_path), PATH=minio_path) as later:
        later.done("init", "demo")
        later.done("up", "mlflow")
        logged = python(later, LOG, str(tmp_path / "made"))
        pid = later.runs("--app-name=basic-auth")[0].pid
        said = later.done("up", "minio")
        assert "mlflow stays on its own artifacts, and its data cannot be moved to minio yet" in said
        assert "mlox up mlflow --as NAME --needs artifacts=minio" in said
        assert later.runs("--app-name=basic-auth")[0].pid == pid
        (tmp_path / "read").mkdir()
        assert python(later, READ, str(tmp_path / "read")) == logged
        assert later.json("up")["actions"] == []
        assert buckets(later) == []
