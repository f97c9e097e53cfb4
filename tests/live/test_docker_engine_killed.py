"""``kill -9`` of the engine itself while ``up``, an update, a rollback, ``down`` and a purge run: ``up`` converges.

The scenes are those of ``test_kill_matrix.py``; a point is a part of the time that a command takes. The seed is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import docker_stage
from tests.live.docker_stage import Engine
from tests.live.engine.daemons import Daemons, connect
from tests.live.engine.sweeping import sweep_processes
from tests.live.engine_stage import daemon
from tests.live.kill_engine import Bereft
from tests.live.kill_scenes import SCENES, SLICE, Scene, play
from tests.live.support import data_home, project, until

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("engine")]

IMAGES = ("busybox:1", "redis:7")


@pytest.fixture(scope="module")
def daemons() -> Iterator[Daemons]:
    """An engine of our own, with the images that the usual one has."""
    with docker_stage.engine() as usual, daemon() as made:
        with contextlib.closing(connect(made.host, timeout_s=600)) as client:
            for name in IMAGES:
                client.images.load(b"".join(usual.client.images.get(usual.image(name)).save(named=True)))
        yield made


@pytest.fixture
def bereft(daemons: Daemons, tmp_path: Path) -> Iterator[Bereft]:
    here = {"DOCKER_HOST": daemons.host, "PYTHONPATH": str(Path(__file__).parents[2])}
    with contextlib.closing(connect(daemons.host)) as client, data_home() as home:
        with project(tmp_path / "shop", home, **here) as shop:
            yield Bereft(shop, Engine(client, daemons.host), daemons)


@pytest.mark.parametrize("scene", SCENES)
def test_the_engine_is_killed_at_some_moments_and_up_converges(bereft: Bereft, scene: type[Scene]) -> None:
    play(scene(bereft), max(1, SLICE // 5))


@pytest.mark.exhaustive
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("scene", SCENES)
def test_the_engine_is_killed_at_many_moments_and_up_converges(bereft: Bereft, scene: type[Scene]) -> None:
    play(scene(bereft), None)


def test_what_restarts_by_itself_is_back_with_the_engine_after_a_crash_of_the_machine_and_status_says_so(
    bereft: Bereft,
) -> None:
    """Where dockerd alone is killed, Docker 20.10 ends what ran on and takes it for stopped by hand."""
    bereft.converge("ours")
    bereft.daemons.kill_engine()
    sweep_processes(bereft.daemons.folder)
    bereft.daemons.start_engine()
    until(lambda: bereft.shop.row("redis")["status"] == "running")
    assert bereft.shop.row("site")["status"] != "running", "its restart policy is no"
    assert [action["service"] for action in bereft.shop.json("plan")["actions"]] == ["site"]
    bereft.converge("ours")
