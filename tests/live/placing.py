"""The same tests on every server: a project whose services run as processes, or as containers of an engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from docker.errors import APIError

from tests.live import docker_stage
from tests.live.docker_stage import Engine
from tests.live.engine.images import FEAST_IMAGE, MINIO_IMAGE, MLFLOW, PROMETHEUS, REGISTRY
from tests.live.support import Project, Said, project, worked_in

SERVERS = ("local", pytest.param("docker", marks=pytest.mark.xdist_group("engine")))
SLICE = ("local", pytest.param("docker", marks=[pytest.mark.xdist_group("engine"), pytest.mark.exhaustive]))
"""The same for what takes many minutes: of services times servers, `make test` takes a slice."""

IMAGES = {
    "redis": "redis:7",
    "postgres": "postgres:15",
    "mlflow": MLFLOW,
    "minio": MINIO_IMAGE,
    "prometheus": PROMETHEUS,
    "container-registry": REGISTRY,
    "feast": FEAST_IMAGE,
}
"""The services that tests have as containers; those of their own stay where they are."""


@dataclass
class Contained(Project):
    """A project in which ``up`` and ``add`` of a service put it on an engine."""

    engine: Engine = field(kw_only=True)

    def mlox(self, *words: str, stdin: str = "") -> Said:
        if words[0] in ("up", "add") and len(words) > 1 and self._is_new(words):
            self.engine.image(IMAGES[words[1]])
            words = (*words, "--on", "docker")
        return super().mlox(*words, stdin=stdin)

    def _is_new(self, words: tuple[str, ...]) -> bool:
        name = words[words.index("--as") + 1] if "--as" in words else words[1]
        file = self.folder / "mlox.yaml"
        return words[1] in IMAGES and not (file.exists() and f"  {name}:" in file.read_text())

    def processes(self) -> list[psutil.Process]:
        found = super().processes()
        for container in self.engine.client.containers.list(filters=docker_stage.of(self.id), ignore_removed=True):
            with contextlib.suppress(APIError, psutil.NoSuchProcess):
                told = container.top()
                column = told["Titles"].index("PID")
                found += [psutil.Process(int(row[column])) for row in told["Processes"]]
        return found


@contextlib.contextmanager
def placed(server: str, folder: Path, home: Path, **environment: str) -> Iterator[Project]:
    """A project whose services of the catalog are on a server; at the end nothing of it is left there."""
    if server == "local":
        with project(folder, home, **environment) as made:
            yield made
        return
    with docker_stage.engine() as engine:
        here = Contained(folder, home, {"DOCKER_HOST": engine.host, **environment}, engine=engine)
        try:
            with worked_in(here):
                yield here
        finally:
            left = engine.left(engine.owns(here.id)) if (folder / "mlox.yaml").exists() else []
        assert not left
