"""A stage for live tests of the native back end, an engine, a shop of the real program; all are swept afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import docker_stage
from tests.live.docker_stage import Engine
from tests.live.native_stage import Stage, stage
from tests.live.support import Project, project


@pytest.fixture
def here() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture
def engine() -> Iterator[Engine]:
    with docker_stage.engine() as made:
        yield made


@pytest.fixture
def shop(data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        yield made
