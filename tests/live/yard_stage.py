"""A workspace whose services are on a real engine, what that engine has, and a look that nothing of it stays."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlox.backends.docker import naming
from mlox.backends.docker.engine import Engine
from tests.live.engine_stage import usual_engine
from tests.live.support import Project, project

BEATING = ("Pid", "Health", "ExecIDs", "Size")


@dataclass
class Yard:
    """A project, and the engine that its services are on."""

    project: Project
    engine: Engine

    def container(self, service: str, unit: str = "server") -> str:
        """The name of a unit's container."""
        return naming.container(self.project.id, service, unit)

    def inspect(self, service: str, unit: str = "server") -> Mapping[str, Any]:
        """What the engine says of it."""
        found: Mapping[str, Any] = self.engine.api.inspect_container(self.container(service, unit))
        return found

    def ours(self) -> list[Mapping[str, Any]]:
        """All that the engine says of containers, volumes and networks of the stack."""
        label = {"label": f"{naming.STACK}={self.project.id}"}
        api = self.engine.api
        found = [api.inspect_container(each["Id"]) for each in api.containers(all=True, filters=label)]
        found += api.volumes(filters=label)["Volumes"] or []
        return found + [api.inspect_network(each["Id"]) for each in api.networks(filters=label)]


def world(engine: Engine) -> str:
    """Everything that an engine has: containers, volumes, networks, images, but for what beats by itself."""
    api = engine.api
    containers = [_still(api.inspect_container(each["Id"])) for each in api.containers(all=True)]
    networks = [api.inspect_network(each["Id"]) for each in api.networks()]
    images = [(each["Id"], each["RepoTags"], each["RepoDigests"]) for each in api.images()]
    whole = (containers, api.volumes()["Volumes"] or [], networks, images)
    return json.dumps([sorted(json.dumps(each, sort_keys=True) for each in part) for part in whole], indent=1)


def _still(container: Mapping[str, Any]) -> Mapping[str, Any]:
    made = {key: value for key, value in container.items() if key not in BEATING}
    made["Mounts"] = sorted(made["Mounts"], key=lambda mount: str(mount["Destination"]))  # it comes in any order
    made["State"] = {key: value for key, value in container["State"].items() if key not in BEATING}
    return made


@contextlib.contextmanager
def yard(folder: Path, home: Path) -> Iterator[Yard]:
    """A workspace of its own; at the end the engine has nothing of its stack."""
    with contextlib.closing(usual_engine()) as engine:
        with project(folder, home, DOCKER_HOST=engine.address.url) as made:
            made.done("init", "demo")
            here = Yard(made, engine)
            yield here
        assert here.ours() == []
