"""A stage for each live test of the native back end, and a shop of the real program; both are swept afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.native_stage import Stage, stage
from tests.live.support import Project, project


@pytest.fixture
def here() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture
def shop(data_home: Path, tmp_path: Path) -> Iterator[Project]:
    with project(tmp_path / "shop", data_home) as made:
        made.done("init", "demo")
        yield made
