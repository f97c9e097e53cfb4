"""Whether the images that live tests start keep upstream's contract: those built here, and upstream's own alike."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from docker.models.containers import Container

from tests.live.docker_stage import Engine
from tests.live.engine.images import MINIO_IMAGE, MLFLOW, RECIPE, NoImageError, Recipe, need_image
from tests.live.support import until

pytestmark = [pytest.mark.xdist_group("engine"), pytest.mark.slow, pytest.mark.timeout(1800)]

PASSWORD = "not-the-default-one"


@dataclass(frozen=True)
class Facts:
    """What upstream's README and Dockerfile promise to whoever writes a stack."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = ""
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    stop_signal: str | None = None


IMAGES = {
    "busybox:1": Facts(command=("sh",)),
    "python:3.11-slim": Facts(command=("python3",)),
    "redis:7": Facts(("docker-entrypoint.sh",), ("redis-server",), "/data", ("/data",), ("6379/tcp",)),
    "postgres:15": Facts(
        ("docker-entrypoint.sh",), ("postgres",), "", ("/var/lib/postgresql/data",), ("5432/tcp",), "SIGINT"
    ),
    "nginx:1": Facts(("/docker-entrypoint.sh",), ("nginx", "-g", "daemon off;"), "", (), ("80/tcp",), "SIGQUIT"),
    MINIO_IMAGE: Facts(("/usr/bin/docker-entrypoint.sh",), ("minio",), "", ("/data",), ("9000/tcp",)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_says_of_itself_what_upstream_says(engine: Engine, name: str) -> None:
    config = engine.client.images.get(engine.image(name)).attrs["Config"]
    assert config["User"] in {"", "root"}
    assert IMAGES[name] == Facts(
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        workdir=(config.get("WorkingDir") or "").removesuffix("/"),
        volumes=tuple(config.get("Volumes") or ()),
        ports=tuple(config.get("ExposedPorts") or ()),
        stop_signal=config.get("StopSignal"),
    )


@pytest.fixture
def start(engine: Engine) -> Callable[..., Container]:
    """Start a container of an image, swept after the test."""
    stack = engine.new_stack()

    def started(image: str, *command: str, **settings: Any) -> Container:
        labels = {"mlox.stack": stack}
        name = engine.image(image)
        return engine.client.containers.run(name, list(command), labels=labels, detach=True, **settings)

    return started


def says(container: Container, *command: str, user: str = "") -> str:
    """What a command in a container says; it must succeed."""
    code, out = container.exec_run(list(command), user=user)
    assert code == 0, out
    assert isinstance(out, bytes)
    return out.decode().strip()


def does(container: Container, *command: str) -> bool:
    """Whether a command in a container succeeds."""
    return bool(container.exec_run(list(command)).exit_code == 0)


def owner(container: Container) -> str:
    """Who the container's first process is, by number."""
    return says(container, "stat", "--format", "%u", "/proc/1")


def address(container: Container) -> str:
    """Where others on the engine's own network find a container."""
    container.reload()
    return str(container.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"])


def test_redis_steps_down_and_answers_the_network_without_a_password(start: Callable[..., Container]) -> None:
    server = start("redis:7", "--appendonly", "yes")
    until(lambda: does(server, "redis-cli", "ping"))
    assert owner(server) == "999"
    server.reload()
    address = server.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    assert says(start("redis:7", "sleep", "60"), "redis-cli", "-h", address, "config", "get", "appendonly").endswith(
        "yes"
    )
    assert says(server, "ls", "/data") == "appendonlydir"


@pytest.mark.parametrize("user", ["", "postgres"])
def test_postgres_makes_its_cluster_with_a_password_from_a_file(
    user: str, start: Callable[..., Container], tmp_path: Path
) -> None:
    tmp_path.parent.parent.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    secret, script = tmp_path / "secret", tmp_path / "table.sql"
    secret.write_text(PASSWORD)
    script.write_text("create table made (by text);")
    server = start(
        "postgres:15",
        *("-c", "max_connections=33"),
        user=user,
        environment={
            "POSTGRES_PASSWORD_FILE": "/run/secrets/password",
            "POSTGRES_USER": "churn",
            "POSTGRES_INITDB_ARGS": "--data-checksums --auth-local=scram-sha-256",
            "PGDATA": "/var/lib/postgresql/data/inner",
        },
        volumes=[f"{secret}:/run/secrets/password:ro", f"{script}:/docker-entrypoint-initdb.d/table.sql:ro"],
    )

    def ask(sql: str, password: str = PASSWORD) -> tuple[str, ...]:
        named = ("psql", "--host", address(server), "--username", "churn", "--tuples-only", "--no-align")
        return "env", f"PGPASSWORD={password}", *named, "--command", sql

    until(lambda: does(server, *ask("select 1")), 60)
    assert owner(server) == "999"
    assert says(server, *ask("show max_connections; show data_checksums; table made")).split() == ["33", "on"]
    assert not does(server, *ask("select 1", password="wrong"))

    server.restart(timeout=10)
    until(lambda: does(server, *ask("table made")), 60)
    assert b"Skipping initialization" in server.logs()


def test_postgres_makes_no_cluster_without_a_password(start: Callable[..., Container]) -> None:
    server = start("postgres:15")
    assert server.wait(timeout=60)["StatusCode"] == 1
    assert b"superuser password is not specified" in server.logs()


def test_python_installs_beside_its_own_packages(start: Callable[..., Container]) -> None:
    python = start("python:3.11-slim", "sleep", "60")
    told = says(python, "python", "-c", "import sys, sysconfig; print(sys.prefix, sysconfig.get_path('purelib'))")
    assert told == "/usr/local /usr/local/lib/python3.11/site-packages"
    assert "python 3.11" in says(python, "pip", "--version")


def test_nginx_fills_in_templates_and_serves(start: Callable[..., Container], tmp_path: Path) -> None:
    (tmp_path / "word.conf.template").write_text('server { listen 8080; return 200 "$uri ${WORD}"; }')
    settings = {"environment": {"WORD": "yes"}, "volumes": [f"{tmp_path}:/etc/nginx/templates:ro"]}
    server = start("nginx:1", **settings)
    until(lambda: does(server, "curl", "--fail", "http://127.0.0.1:8080/"))
    assert says(server, "curl", "--silent", "http://127.0.0.1:8080/word") == "/word yes"
    assert "Welcome to nginx!" in says(server, "curl", "--silent", "http://127.0.0.1/")
    assert b"GET /word" in server.logs()


def test_minio_stores_for_whoever_has_its_password(start: Callable[..., Container]) -> None:
    named = {"MINIO_ROOT_USER": "churn", "MINIO_ROOT_PASSWORD": PASSWORD}
    server = start(MINIO_IMAGE, "server", "/data", environment=named, ports={"9000/tcp": ("127.0.0.1", None)})
    until(lambda: does(server, "curl", "--fail", "--silent", "http://127.0.0.1:9000/minio/health/live"), 60)

    def client(password: str) -> Any:
        login = {"aws_access_key_id": "churn", "aws_secret_access_key": password, "region_name": "us-east-1"}
        return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **login)

    server.reload()
    (published,) = server.ports["9000/tcp"] or [{}]
    port = published["HostPort"]
    client(PASSWORD).create_bucket(Bucket="bucket")
    client(PASSWORD).put_object(Bucket="bucket", Key="key", Body=b"kept")
    assert client(PASSWORD).get_object(Bucket="bucket", Key="key")["Body"].read() == b"kept"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client("wrong").get_object(Bucket="bucket", Key="key")


def test_the_full_image_of_mlflow_has_what_its_stores_and_its_login_need(start: Callable[..., Container]) -> None:
    image = start(MLFLOW, "sleep", "600")
    assert says(image, "mlflow", "--version").endswith("3.17.2")
    says(image, "python", "-c", "import boto3, psycopg2, psycopg, pymysql, flask_wtf, azure.storage.blob")


def test_an_image_of_an_older_recipe_is_built_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"registry.invalid/mlox:{secrets.token_hex(4)}"
    monkeypatch.setitem(RECIPE, name, Recipe(str(tmp_path)))
    base = engine.image("busybox:1")

    def built(word: str) -> str:
        (tmp_path / "Dockerfile").write_text(f"FROM {base}\nRUN echo {word} > /word\n")
        engine.image(name)
        return engine.client.containers.run(name, "cat /word", remove=True).decode().strip()

    try:
        assert built("one") == "one"
        first = engine.client.images.get(name).id
        assert built("one") == "one"
        assert engine.client.images.get(name).id == first
        assert built("two") == "two"
        engine.client.images.remove(str(first))
    finally:
        engine.client.images.remove(name)


def test_a_name_without_recipe_that_cannot_be_pulled_is_told(engine: Engine) -> None:
    with pytest.raises(NoImageError, match="registry.invalid/nobody:1 cannot be pulled, and tests/live/images has no"):
        need_image(engine.client, "registry.invalid/nobody:1")
