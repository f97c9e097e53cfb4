"""Whether the images that live tests start keep upstream's contract: those built here, and upstream's own alike."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from docker.models.containers import Container

from tests.live.docker_stage import Engine
from tests.live.engine.images import (
    AIRFLOW,
    FEAST_IMAGE,
    INFLUXDB_IMAGE,
    KAFKA_IMAGE,
    LITELLM,
    MINIO_IMAGE,
    MLFLOW,
    MLSERVER_IMAGE,
    OLLAMA_IMAGE,
    RECIPE,
    NoImageError,
    Recipe,
    need_image,
)
from tests.live.image_facts import IMAGES, made_when_asked, told
from tests.live.support import until

pytestmark = [pytest.mark.xdist_group("engine"), pytest.mark.slow, pytest.mark.timeout(1800)]

PASSWORD = "not-the-default-one"
KRAFT = {
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_NODE_ID": "1",
    "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
    "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:9092",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
}
"""What upstream's own example of one node sets (docker/examples/docker-compose-files/single-node/plaintext)."""


@pytest.mark.parametrize("name", made_when_asked(IMAGES))
def test_an_image_says_of_itself_what_upstream_says(engine: Engine, name: str) -> None:
    assert told(engine, name) == IMAGES[name]


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


@pytest.mark.exhaustive
def test_influxdb_is_set_up_by_its_variables_and_steps_down(start: Callable[..., Container]) -> None:
    named = {"USERNAME": "me", "PASSWORD": PASSWORD, "ORG": "org", "BUCKET": "points", "ADMIN_TOKEN": "a-token-of-mine"}
    settings = {f"DOCKER_INFLUXDB_INIT_{key}": value for key, value in {"MODE": "setup", **named}.items()}
    server = start(INFLUXDB_IMAGE, environment=settings)
    ask = ("curl", "--silent", "--fail", "http://127.0.0.1:8086/api/v2/buckets?name=points", "--header")
    until(lambda: does(server, *ask, "Authorization: Token a-token-of-mine"), 90)
    assert '"name": "points"' in says(server, *ask, "Authorization: Token a-token-of-mine")
    assert not does(server, *ask, "Authorization: Token another")
    assert owner(server) == "1000"


@pytest.mark.exhaustive
def test_airflow_runs_as_its_own_user_with_what_postgres_needs(start: Callable[..., Container]) -> None:
    version = start(AIRFLOW, "version")
    assert version.wait(timeout=120)["StatusCode"] == 0
    assert version.logs().decode().strip().endswith("3.3.2")
    image = start(AIRFLOW, "bash", "-c", "sleep 600")
    assert says(image, "id") == "uid=50000(airflow) gid=0(root) groups=0(root)"
    says(image, "python", "-c", "import psycopg2, asyncpg, airflow.providers.postgres")
    assert says(image, "which", "airflow") == "/home/airflow/.local/bin/airflow"
    says(image, "touch", "/opt/airflow/logs/mine", "/opt/airflow/dags/mine")
    refused = start(AIRFLOW, "version", user="1234:1234")
    assert refused.wait(timeout=60)["StatusCode"] == 1
    assert b"with GID=0" in refused.logs()


def test_kafka_is_a_broker_as_it_comes_and_takes_its_settings_from_variables(start: Callable[..., Container]) -> None:
    tools = "/opt/kafka/bin"
    server = start(KAFKA_IMAGE, environment={"KAFKA_NUM_PARTITIONS": "3"} | KRAFT)
    ask = (f"{tools}/kafka-topics.sh", "--bootstrap-server", "localhost:9092")
    until(lambda: does(server, *ask, "--list"), 60)
    says(server, *ask, "--create", "--topic", "events")
    assert "PartitionCount: 3" in says(server, *ask, "--describe", "--topic", "events")
    assert says(server, "id", "-un") == "appuser"
    assert says(server, "stat", "--format", "%U", "/var/lib/kafka/data") == "appuser"


@pytest.mark.exhaustive
def test_ollama_serves_as_it_comes(start: Callable[..., Container]) -> None:
    server = start(OLLAMA_IMAGE)
    until(lambda: does(server, "ollama", "list"), 60)
    assert "0.17.4" in says(server, "ollama", "--version")
    assert says(server, "printenv", "OLLAMA_HOST") == "0.0.0.0:11434"


def test_the_full_image_of_mlflow_has_what_its_stores_and_its_login_need(start: Callable[..., Container]) -> None:
    image = start(MLFLOW, "sleep", "600")
    assert says(image, "mlflow", "--version").endswith("3.17.2")
    says(image, "python", "-c", "import boto3, psycopg2, psycopg, pymysql, flask_wtf, azure.storage.blob")


def test_mlserver_answers_without_a_model_as_the_user_of_upstream(start: Callable[..., Container]) -> None:
    server = start(MLSERVER_IMAGE, environment={"MLSERVER_PARALLEL_WORKERS": "0"})
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/v2/health/ready').status)"
    until(lambda: does(server, "python3", "-c", ask), 90)
    assert owner(server) == "1000"
    assert says(server, "pwd") == "/opt/mlserver"
    assert says(server, "sh", "-c", "echo $HOME $MLSERVER_MODELS_DIR") == "/opt/mlserver /mnt/models"
    assert not does(server, "test", "-e", "/mnt/models")
    says(server, "python3", "-c", "import mlserver_sklearn")


def test_feast_has_what_its_stores_need_as_the_user_of_upstream(start: Callable[..., Container]) -> None:
    image = start(FEAST_IMAGE, "sleep", "600")
    assert owner(image) == "1001"
    assert says(image, "sh", "-c", "echo $HOME $PWD") == "/opt/app-root/src /opt/app-root/src"
    assert "0.67.0" in says(image, "feast", "version")
    says(image, "python3", "-c", "import redis, psycopg, grpc_reflection, grpc_health, duckdb")


@pytest.mark.exhaustive
def test_litellm_takes_its_arguments_from_the_command(start: Callable[..., Container], tmp_path: Path) -> None:
    model = "{model_name: canned, litellm_params: {model: openai/canned, mock_response: yes it is}}"
    (tmp_path / "config.yaml").write_text(f"model_list: [{model}]")
    named = {"LITELLM_MASTER_KEY": PASSWORD, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    volumes = [f"{tmp_path}/config.yaml:/app/config.yaml:ro"]
    server = start(LITELLM, "--config", "config.yaml", "--port", "4001", environment=named, volumes=volumes)

    def ask(key: str) -> tuple[str, ...]:
        script = (
            "import sys, urllib.request as r; ask = r.Request('http://127.0.0.1:4001/v1/models', headers={"
            f"'Authorization': 'Bearer {key}'"
            "}); sys.exit(b'canned' not in r.urlopen(ask).read())"
        )
        return "python3", "-c", script

    until(lambda: does(server, *ask(PASSWORD)), 180)
    assert not does(server, *ask("wrong"))
    assert says(server, "which", "litellm") == "/app/.venv/bin/litellm"


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
