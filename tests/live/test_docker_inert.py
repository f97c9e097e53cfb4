"""What only looks, and a dry run of any verb, changes nothing on an engine; a stranger with our names is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.engine.images import still
from tests.live.support import Project
from tests.live.yard_stage import Yard, world, yard

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, data_home: Path) -> Iterator[Yard]:
    """A stack with one service that runs, one that is stopped, and one that is only written."""
    with yard(tmp_path_factory.mktemp("shop"), data_home) as made:
        for name in ("runs", "stopped"):
            made.project.done("up", "redis", "--as", name, "--on", "docker")
        made.project.done("down", "stopped")
        made.project.done("add", "redis", "--as", "written", "--on", "docker")
        yield made


@pytest.fixture
def images_stay() -> Iterator[None]:
    with still():
        yield


@pytest.mark.usefixtures("images_stay")
@pytest.mark.parametrize(
    "line",
    [
        "add redis --as fresh --on docker",
        "add postgres --on docker",
        "remove stopped",
        "up",
        "up written",
        "up stopped",
        "up postgres --on docker",
        "up runs --set maxmemory_mb=32",
        "up --prune",
        "up --detach",
        "down",
        "down runs --purge",
        "down --purge",
        "restart",
        "restart runs",
        "secrets rotate runs.password",
        "clean",
        "run runs -- touch touched",
    ],
)
def test_a_dry_run_changes_nothing(shop: Yard, line: str) -> None:
    before = world(shop.engine)
    words = line.split()
    cut = words.index("--") if "--" in words else len(words)
    for flags in (["--dry-run"], ["--dry-run", "--json"]):
        said = shop.project.mlox(*words[:cut], *flags, *words[cut:])
        assert said.code == 0, said
    assert world(shop.engine) == before


@pytest.mark.usefixtures("images_stay")
@pytest.mark.parametrize("line", ["plan", "status", "why runs", "why stopped", "logs runs", "env runs", "catalog"])
def test_a_look_changes_nothing(shop: Yard, line: str) -> None:
    before = world(shop.engine)
    shop.project.done(*line.split())
    assert world(shop.engine) == before


@pytest.fixture
def here(tmp_path: Path, data_home: Path) -> Iterator[Yard]:
    with yard(tmp_path / "shop", data_home) as made:
        yield made


def test_a_stranger_with_our_names_is_told_and_not_touched(here: Yard) -> None:
    here.project.done("add", "redis", "--on", "docker")
    api, name = here.engine.api, here.container("redis")
    volume, network = f"{name.removesuffix('-server')}-data", f"mlox-{here.project.id}"
    made = api.create_container("busybox:1", name=name)["Id"]
    try:
        before = api.inspect_container(made)
        for _ in range(2):
            said = here.project.mlox("up")
            assert said.code == 1
            assert f"the container {name} is not mlox's; it was not touched" in said.err
            assert api.inspect_container(made) == before
        here.project.done("down", "--purge", "-y")
        assert api.inspect_container(made) == before
    finally:
        api.remove_container(made)
    api.create_volume(volume)
    try:
        said = here.project.mlox("up")
        assert f"the volume {volume} is not mlox's; it was not touched" in said.err
        assert said.code == 1
    finally:
        api.remove_volume(volume)
    identity = api.create_network(network)["Id"]
    try:
        said = here.project.mlox("up")
        assert f"the network {network} is not mlox's; it was not touched" in said.err
        here.project.done("down", "--purge", "-y")
        assert api.inspect_network(identity)["Name"] == network
    finally:
        api.remove_network(identity)
    here.project.done("up")


def test_without_a_service_on_an_engine_none_is_asked(tmp_path: Path, data_home: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    made = Project(folder, data_home, {"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    made.done("init", "plain")
    made.done("add", "redis")
    assert made.row("redis")["status"] == "absent"
    made.done("plan")
    said = made.mlox("up", "redis", "--as", "other", "--on", "docker")
    assert said.code == 1
    told = said.err.strip().splitlines()
    assert told[0].startswith("error: no container engine answers at unix:///nonexistent/docker.sock (DOCKER_HOST)")
    assert told[1].startswith("hint: ")
    assert len(told) == 2
