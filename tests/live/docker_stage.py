"""What tests on Docker work with: an engine, images, docker compose, and a look that nothing of a test stays there."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.live.engine.daemons import Daemons, NoEngineError, can_start, connect
from tests.live.engine.go import NoGoError, compose_binary
from tests.live.engine.images import NoImageError, need_image
from tests.live.engine.running import found_host
from tests.live.engine.sweeping import sweep_engine

NO_ENGINE = "no Docker engine: run this by `make test` or `python -m tests.live.engine run -- pytest ...`"


@dataclass(frozen=True)
class Engine:
    """An engine, and its client."""

    client: docker.DockerClient
    host: str
    stacks: list[str] = field(default_factory=list)

    def image(self, name: str) -> str:
        """Have an image there under its name, for tests that start it; the name."""
        try:
            need_image(self.client, name)
        except (NoImageError, NoGoError) as error:
            pytest.skip(str(error))
        return name

    def compose(self) -> Path:
        """Docker Compose as a program of its own, to be called with ``DOCKER_HOST``."""
        try:
            return compose_binary()
        except NoGoError as error:
            pytest.skip(str(error))

    def new_stack(self) -> str:
        """A stack of one test, whose containers, networks and volumes are swept after it."""
        return self.owns(f"test-{secrets.token_hex(4)}")

    def owns(self, stack: str) -> str:
        """The same for a stack that has its name from somewhere else."""
        self.stacks.append(stack)
        return stack

    def sweep(self, stack: str) -> list[str]:
        """Remove what there is of a stack, and say what that was."""
        return sweep_engine(self.client, **of(stack))

    def left(self, stack: str) -> list[str]:
        """What there is of a stack."""
        found: list[Any] = self.client.containers.list(all=True, filters=of(stack), ignore_removed=True)
        found += [*self.client.networks.list(filters=of(stack)), *self.client.volumes.list(filters=of(stack))]
        return [str(one.name) for one in found]


def of(stack: str) -> dict[str, str | list[str] | bool]:
    """Docker's filter for what belongs to a stack."""
    return {"label": f"mlox.stack={stack}"}


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """The engine that the docker CLI would use; what a test's stacks leave there is swept.

    Where there is none, the test is skipped, which is a failure where no live test may be skipped.
    """
    host = None if "MLOX_TEST_NO_ENGINE" in os.environ else found_host()
    if not host:
        pytest.skip(os.environ.get("MLOX_TEST_NO_ENGINE", NO_ENGINE))
    with contextlib.closing(connect(host, timeout_s=600)) as client:
        made = Engine(client, host)
        try:
            yield made
        finally:
            for stack in made.stacks:
                made.sweep(stack)


@contextlib.contextmanager
def mortal_engine(folder: Path) -> Iterator[Daemons]:
    """An engine of one's own, to be killed and started again; its images and data lie in the folder, and go with it."""
    try:
        can_start()
    except NoEngineError as error:
        pytest.skip(str(error))
    made = Daemons(folder, Path(tempfile.mkdtemp(prefix="mlox-engine-", dir="/tmp")))
    try:
        made.start()
        yield made
    finally:
        made.stop()
