"""Backups of a whole stack for real: into a folder and into a bucket, purged, and back."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from ruamel.yaml import YAML

from tests.live.catalog.case import all_cases
from tests.live.native_stage import free_port
from tests.live.object_stage import minio_path
from tests.live.support import Project, project
from tests.live.test_postgres import INSTALLED

__all__ = ["minio_path"]

pytestmark = [
    *(pytest.mark.live, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)),
    pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed: tests/live/install"),
]
MLFLOW = all_cases()["mlflow"]
PORTS = {"postgres": ("postgres",), "minio": ("api", "console"), "mlflow": ("http",)}


@pytest.fixture
def shop(data_home: Path, tmp_path: Path, minio_path: str) -> Iterator[Project]:
    """MLflow on PostgreSQL and MinIO, with a run, a model and an artifact, on ports that no other test wants."""
    with project(tmp_path / "shop", data_home, PATH=minio_path) as made:
        made.done("init", "demo")
        for name in PORTS:
            made.done("add", name)
        path, yaml = made.folder / "mlox.yaml", YAML()
        document = yaml.load(path.read_text())
        for name, ports in PORTS.items():
            document["services"][name]["ports"] = {port: free_port() for port in ports}
        with path.open("w") as file:
            yaml.dump(document, file)
        made.done("up")
        assert made.python(MLFLOW.write).code == 0
        yield made


def held(shop: Project) -> str:
    said = shop.python(MLFLOW.read)
    assert said.code == 0, said
    return said.out


def test_a_stack_is_saved_as_of_one_moment_and_comes_back_after_a_purge(shop: Project, tmp_path: Path) -> None:
    before, place = held(shop), str(tmp_path / "backups")
    planned = shop.json("backup", "--to", place, "--dry-run")
    assert set(planned["services"]) == {"postgres", "minio", "mlflow"}
    made = shop.json("backup", "--to", place)["backups"]
    assert {each["service"]: each["how"] for each in made} == {"postgres": "dump", "minio": "copy", "mlflow": "copy"}
    assert held(shop) == before
    shop.done("down", "--purge", "-y")
    for name in ("postgres", "minio", "mlflow"):
        shop.done("restore", name, "--from", place)
    assert held(shop) == before
    assert shop.json("up")["actions"] == []


def test_a_database_in_a_bucket(shop: Project) -> None:
    before = held(shop)
    address = f"http://{shop.row('minio')['ports']['api']}"
    shop.done("secrets", "set", "BACKUP_KEY", stdin="admin")
    password = shop.password("minio", "root_password")
    shop.done("secrets", "set", "BACKUP_SECRET", stdin=password)
    keys = {"aws_access_key_id": "admin", "aws_secret_access_key": password, "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **keys)
    client.create_bucket(Bucket="backups")
    where = {"to": "s3://backups/of/demo", "endpoint": address, "region": "us-east-1", "keep": 2}
    with (shop.folder / "mlox.yaml").open("a") as file:
        YAML().dump({"backups": {**where, "access_key": "BACKUP_KEY", "secret_key": "BACKUP_SECRET"}}, file)
    for _ in range(3):
        shop.done("backup", "postgres")
    listed = shop.json("backup", "--list")
    assert (listed["where"], len(listed["backups"])) == ("s3://backups/of/demo", 2)
    found = client.list_objects_v2(Bucket="backups")["Contents"]
    assert len(found) == 6
    assert all(urllib.parse.unquote(each["Key"]).startswith("of/demo/") for each in found)
    bodies = [client.get_object(Bucket="backups", Key=each["Key"])["Body"].read() for each in found]
    assert not any(shop.password("postgres").encode() in body or b"CREATE TABLE" in body for body in bodies)
    done = shop.json("restore", "postgres", "-y")
    assert done["backup"]["id"] == listed["backups"][0]["id"]
    assert held(shop) == before
    assert json.loads(shop.done("up", "--json"))["actions"] == []
