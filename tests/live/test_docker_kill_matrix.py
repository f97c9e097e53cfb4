"""``kill -9`` around every call that what changes a stack makes, also of an engine: ``up`` converges.

The scenes, the points and the seed are those of ``test_kill_matrix.py``; the requests to the engine are points too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.docker_stage import Engine
from tests.live.kill_scenes import SCENES, SLICE, Scene, play
from tests.live.kill_yard import Contained
from tests.live.support import data_home, project

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("engine")]


@pytest.fixture
def killed(engine: Engine, tmp_path: Path) -> Iterator[Contained]:
    for image in ("busybox:1", "redis:7"):
        engine.image(image)
    here = {"DOCKER_HOST": engine.host, "PYTHONPATH": str(Path(__file__).parents[2])}
    with data_home() as home, project(tmp_path / "shop", home, **here) as shop:
        try:
            yield Contained(shop, engine)
        finally:
            if (shop.folder / "mlox.yaml").exists():
                engine.owns(shop.id)


@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_some_moments_up_converges(killed: Contained, scene: type[Scene]) -> None:
    play(scene(killed), max(1, SLICE // 2))


@pytest.mark.exhaustive
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_every_moment_up_converges(killed: Contained, scene: type[Scene]) -> None:
    play(scene(killed), None)
