"""``kill -9`` before and after every call that what changes a stack makes: ``up`` converges.

The points are found by listening to a run that is not killed; see ``killing.py`` for what counts. ``make test`` takes
a slice, ``make test-exhaustive`` all of them. The seed is printed. It comes from the commit's content: each change gets
another slice, and whoever checks the change again gets the same. MLOX_TEST_SEED sets it, MLOX_TEST_MOMENTS the size of
the slice for each scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.kill_scenes import SCENES, SLICE, Scene, play
from tests.live.kill_stage import Killed
from tests.live.support import data_home, project


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Killed]:
    with data_home() as home, project(tmp_path / "shop", home, PYTHONPATH=str(Path(__file__).parents[2])) as shop:
        yield Killed(shop)


@pytest.mark.long
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_some_moments_up_converges(killed: Killed, scene: type[Scene]) -> None:
    play(scene(killed), SLICE)


@pytest.mark.exhaustive
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_every_moment_up_converges(killed: Killed, scene: type[Scene]) -> None:
    play(scene(killed), None)
