"""Real services from processes to containers and back, by the real program: what clients wrote is there, by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ruamel.yaml import YAML

from tests.live.docker_stage import Engine
from tests.live.native_stage import free_port
from tests.live.object_stage import minio_path
from tests.live.placing import IMAGES
from tests.live.support import Project, project
from tests.live.test_postgres import INSTALLED
from tests.live.test_two_stacks import talk

__all__ = ["minio_path"]

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("engine")]
LOG = """
import hashlib, json, mlflow, mlox, pathlib, sys, tempfile
client = mlox.get("mlflow").client()
if sys.argv[-1] == "write":
    mlox.get("mlflow").use()
    mlflow.set_experiment("churn")
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        mlflow.log_metric("loss", 0.25)
        mlflow.log_param("depth", 3)
        path = pathlib.Path(folder, "weights.bin")
        path.write_bytes(bytes(range(256)) * 4096)
        mlflow.log_artifact(str(path), "model")
    client.create_registered_model("churn")
    client.create_model_version("churn", f"runs:/{run.info.run_id}/model", run.info.run_id)
(run,) = client.search_runs([client.get_experiment_by_name("churn").experiment_id])
with tempfile.TemporaryDirectory() as folder:
    found = client.download_artifacts(run.info.run_id, "model/weights.bin", folder)
    artifact = hashlib.sha256(pathlib.Path(found).read_bytes()).hexdigest()
(version,) = client.search_model_versions("name='churn'")
told = [run.info.run_id, run.data.metrics, run.data.params, version.name, version.run_id, artifact]
print(json.dumps(told, sort_keys=True))
"""


@pytest.fixture
def shop(data_home: Path, tmp_path: Path, engine: Engine) -> Iterator[Project]:
    for name in ("redis", "postgres", "mlflow"):
        engine.image(IMAGES[name])
    with project(tmp_path / "shop", data_home, DOCKER_HOST=engine.host) as made:
        made.done("init", "demo")
        yield made


PORTS = {"redis": ("redis",), "postgres": ("postgres",), "mlflow": ("http",), "minio": ("api", "console")}


def up(shop: Project, *names: str) -> None:
    """Start what was added, on ports that no test beside this one wants: one might take the usual ones on the way."""
    path, yaml = shop.folder / "mlox.yaml", YAML()
    document = yaml.load(path.read_text())
    for name in names:
        document["services"][name]["ports"] = {port: free_port() for port in PORTS[name]}
    with path.open("w") as file:
        yaml.dump(document, file)
    shop.done("up")


def moved(shop: Project, name: str, to: str) -> str:
    """Move it, and answer the digest of its data."""
    word = (
        f"{name}@{IMAGES[name].rpartition(':')[2].removeprefix('v').removesuffix('-full')}" if to == "docker" else name
    )
    done = shop.json("move", word, "--to", to, "-y")
    assert done["verified"] == "content"
    assert shop.row(name)["server"] == to
    assert shop.row(name)["status"] == "running"
    assert shop.json("up")["actions"] == []
    return str(done["data"]["digest"])


def test_a_redis_there_and_back(shop: Project) -> None:
    shop.done("add", "redis")
    up(shop, "redis")
    password = shop.password("redis")
    wrote = [f"SET w{i} {hashlib.sha256(str(i).encode()).hexdigest()}" for i in range(500)]
    assert set(talk(shop, "redis", password, *wrote)) == {"+OK"}
    before = talk(shop, "redis", password, *(f"GET w{i}" for i in range(500)))
    for to in ("docker", "local"):
        moved(shop, "redis", to)
        assert talk(shop, "redis", password, *(f"GET w{i}" for i in range(500))) == before
    assert "server" not in (shop.folder / "mlox.yaml").read_text()


def rows(shop: Project) -> list[tuple[object, ...]]:
    host, _, port = shop.row("postgres")["ports"]["postgres"].partition(":")
    address = f"host={host} port={port} user=postgres dbname=postgres"
    with psycopg.connect(address, password=shop.password("postgres")) as db:
        return db.execute("SELECT count(*), md5(string_agg(word, ',' ORDER BY id)) FROM words").fetchall()


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")
def test_a_postgres_there_and_back(shop: Project) -> None:
    shop.done("add", "postgres")
    up(shop, "postgres")
    host, _, port = shop.row("postgres")["ports"]["postgres"].partition(":")
    address = f"host={host} port={port} user=postgres dbname=postgres"
    with psycopg.connect(address, password=shop.password("postgres")) as db:
        db.execute("CREATE TABLE words (id serial PRIMARY KEY, word text)")
        db.execute("INSERT INTO words (word) SELECT md5(i::text) FROM generate_series(1, 5000) i")
    before = rows(shop)
    for to in ("docker", "local"):
        moved(shop, "postgres", to)
        assert rows(shop) == before


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")
@pytest.mark.exhaustive
def test_runs_models_and_artifacts_of_an_mlflow_there_and_back(shop: Project) -> None:
    shop.done("add", "mlflow")
    up(shop, "mlflow")
    assert shop.python(LOG.replace("sys.argv[-1]", "'write'")).code == 0
    before = json.loads(shop.python(LOG).out.splitlines()[-1])
    for to in ("docker", "local"):
        moved(shop, "mlflow", to)
        assert json.loads(shop.python(LOG).out.splitlines()[-1]) == before


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")
@pytest.mark.exhaustive
def test_a_consumer_is_wired_anew_and_keeps_its_runs(shop: Project) -> None:
    shop.done("add", "postgres")
    shop.done("add", "mlflow", "--needs", "database=postgres")
    up(shop, "postgres", "mlflow")
    assert shop.python(LOG.replace("sys.argv[-1]", "'write'")).code == 0
    before = json.loads(shop.python(LOG).out.splitlines()[-1])
    moved(shop, "postgres", "docker")
    assert shop.row("mlflow")["status"] == "running"
    assert json.loads(shop.python(LOG).out.splitlines()[-1]) == before


@pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install")
@pytest.mark.timeout(1800)  # the first time MinIO is built
@pytest.mark.exhaustive
def test_an_mlflow_with_database_and_bucket_there_and_back(
    data_home: Path, tmp_path: Path, engine: Engine, minio_path: str
) -> None:
    """Each of the three by itself: meanwhile they reach each other across back ends, by forwarders that come and go."""
    for name in ("postgres", "minio", "mlflow"):
        engine.image(IMAGES[name])
    with project(tmp_path / "shop", data_home, DOCKER_HOST=engine.host, PATH=minio_path) as shop:
        shop.done("init", "demo")
        shop.done("add", "postgres", "--on", "docker")
        shop.done("add", "minio", "--on", "docker")
        shop.done("add", "mlflow", "--on", "docker")
        up(shop, "postgres", "minio", "mlflow")
        assert shop.python(LOG.replace("sys.argv[-1]", "'write'")).code == 0
        before = json.loads(shop.python(LOG).out.splitlines()[-1])
        ways = []
        for name, to in [(name, to) for to in ("local", "docker") for name in ("postgres", "minio", "mlflow")]:
            moved(shop, name, to)
            assert json.loads(shop.python(LOG).out.splitlines()[-1]) == before
            rows = [row["name"].partition("--for-") for row in shop.json("status")["services"]]
            ways.append({provider for provider, found, _ in rows if found})
        assert ways == [{"postgres"}, {"postgres", "minio"}, set(), set(), set(), set()]
        assert {shop.row(name)["server"] for name in ("postgres", "minio", "mlflow")} == {"docker"}
