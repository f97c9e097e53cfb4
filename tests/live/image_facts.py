"""What upstream promises of the images that live tests start: what each says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from tests.live.docker_stage import Engine
from tests.live.engine.images import (
    AIRFLOW,
    GIT,
    INFLUXDB_IMAGE,
    KAFKA_IMAGE,
    LITELLM,
    MINIO_IMAGE,
    OLLAMA_IMAGE,
    RECIPE,
)


@dataclass(frozen=True)
class Facts:
    """What upstream's README and Dockerfile promise to whoever writes a stack."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = ""
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    stop_signal: str | None = None
    user: str = ""


IMAGES = {
    "busybox:1": Facts(command=("sh",)),
    "python:3.11-slim": Facts(command=("python3",)),
    "redis:7": Facts(("docker-entrypoint.sh",), ("redis-server",), "/data", ("/data",), ("6379/tcp",)),
    "postgres:15": Facts(
        ("docker-entrypoint.sh",), ("postgres",), "", ("/var/lib/postgresql/data",), ("5432/tcp",), "SIGINT"
    ),
    "nginx:1": Facts(("/docker-entrypoint.sh",), ("nginx", "-g", "daemon off;"), "", (), ("80/tcp",), "SIGQUIT"),
    AIRFLOW: Facts(("/usr/bin/dumb-init", "--", "/entrypoint"), (), "/opt/airflow", (), ("8080/tcp",), user="50000"),
    INFLUXDB_IMAGE: Facts(
        ("/entrypoint.sh",), ("influxd",), "", ("/etc/influxdb2", "/var/lib/influxdb2"), ("8086/tcp",)
    ),
    KAFKA_IMAGE: Facts(
        command=("/etc/kafka/docker/run",),
        volumes=("/etc/kafka/secrets", "/mnt/shared/config", "/var/lib/kafka/data"),
        ports=("9092/tcp",),
        user="appuser",
    ),
    GIT: Facts(("git",), ("--help",), "/git", ("/git",)),
    LITELLM: Facts(("docker/prod_entrypoint.sh",), ("--port", "4000"), "/app", (), ("4000/tcp",)),
    OLLAMA_IMAGE: Facts(("/bin/ollama",), ("serve",), ports=("11434/tcp",)),
    MINIO_IMAGE: Facts(("/usr/bin/docker-entrypoint.sh",), ("minio",), "", ("/data",), ("9000/tcp",)),
}


def made_when_asked(names: Iterable[str]) -> Sequence[object]:
    """Names of images as parameters of a test; those that take many minutes to make are for the exhaustive run."""
    return [pytest.param(name, marks=[pytest.mark.exhaustive] * RECIPE[name].heavy) for name in names]


def told(engine: Engine, name: str) -> Facts:
    """What an image says of itself."""
    config = engine.client.images.get(engine.image(name)).attrs["Config"]
    return Facts(
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        workdir=(config.get("WorkingDir") or "").removesuffix("/"),
        volumes=tuple(sorted(config.get("Volumes") or ())),
        ports=tuple(config.get("ExposedPorts") or ()),
        stop_signal=config.get("StopSignal"),
        user=config["User"].removeprefix("root"),
    )
