"""What only looks, and a dry run of any verb, changes nothing on an engine; a stranger with our names is left alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from mlox.catalog import BUILT_IN
from mlox.verbs import all_verbs
from tests.component_stage import WORDS, offer, template_files
from tests.live.engine.images import still
from tests.live.support import Project, snapshot
from tests.live.yard_stage import Yard, world, yard

pytestmark = pytest.mark.xdist_group("engine")


DRY = (
    "init",
    "add redis --as fresh --on docker",
    "add postgres --on docker",
    "add feature-store",
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
    "move stopped --to local",
    "backup",
    "backup runs --to elsewhere --keep 1",
    "restore runs",
    "restore runs --as another",
    "upgrade runs",
    "adopt",
    "import compose.yaml",
    "run runs -- touch touched",
    "exec runs -- touch /data/touched",
    "secrets set OTHER --generate 20",
    "secrets remove TOKEN",
    "secrets rotate runs.password",
    "secrets share {key} --name bea",
    "secrets unshare ada",
    "secrets join",
    "secrets key save key.age",
    "secrets scan page.ipynb --fix",
    "update outdated",
    "resolve disputed --mine",
    "undo",
    "registry add @own mlx-components",
    "registry remove @here",
    "registry new fresh",
    "registry build",
    "registry test disputed",
    "merge base.py left.py right.py -o merged.py",
    "catalog new hello",
    "catalog test mine.yaml",
    "clean",
    "watch --once",
    "watch --detach",
    "watch --off",
)
LOOKS = (
    "plan",
    "diff disputed",
    "diff outdated --result",
    "registry list",
    "registry validate disputed",
    "status",
    "stats",
    "why runs",
    "why stopped",
    "why runs --settings",
    "logs runs",
    "env runs",
    "open runs",
    "info redis",
    "catalog",
    "check",
    "drift",
    "history",
    "backup --list",
    "doctor",
    "help up",
    "export compose",
    "secrets get TOKEN",
    "secrets list",
)
NOT_HERE = {"secrets key load", "use", "panel", "ui", "rollback", "serve"}
"""One asks for a passphrase at a terminal before anything else, two are for kernels, one more needs a browser; one
needs a service that was upgraded, one an MLflow: see test_upgrades.py and test_serving.py."""
KEY = str(pyrage.x25519.Identity.generate().to_public())

PAGE: dict[str, Any] = {
    "cells": [{"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}, "source": "", "outputs": []}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, data_home: Path) -> Iterator[Yard]:
    """A stack with one service that runs, one that is stopped, and one that is only written; a secret in the vault."""
    with yard(tmp_path_factory.mktemp("shop"), data_home) as made:
        for name in ("runs", "stopped"):
            made.project.done("up", "redis", "--as", name, "--on", "docker")
        made.project.done("backup", "runs")
        made.project.done("down", "stopped")
        made.project.done("add", "redis", "--as", "written", "--on", "docker")
        made.project.done("secrets", "set", "TOKEN", stdin="hunter22hunter22")
        made.project.done("secrets", "share", KEY, "--name", "ada", "-y")
        folder = made.project.folder
        (folder / "compose.yaml").write_text("services: {cache: {image: 'redis:7', ports: ['127.0.0.1:7000:6379']}}")
        for name in ("outdated", "disputed"):
            offer(folder, template_files(name), name)
            made.project.done("add", name)
        (words,) = (folder / "src").glob("*/disputed/words.py")
        words.write_bytes(words.read_bytes().replace(b"Hello", b"Good day"))
        for name in ("disputed", "outdated"):
            newer = {f"src/project/{name}/words.py": WORDS.replace(b"Hello", b"Welcome")}
            offer(folder, template_files(name, version="1.1") | newer, name)
        assert made.project.mlox("update", "disputed", "-y").code == 3
        made.project.done("registry", "add", "@here", "mlx-components")
        for name, text in {"base": "a = b = 1\n", "left": "a = b = 1\nc = 2\n", "right": "a = b = 1\n"}.items():
            (folder / f"{name}.py").write_text(text)
        (folder / "mine.yaml").write_bytes((BUILT_IN / "redis.yaml").read_bytes())
        told = {"output_type": "stream", "name": "stdout", "text": ["hunter22hunter22\n"]}
        page = copy.deepcopy(PAGE)
        page["cells"][0]["outputs"] = [told]
        (folder / "page.ipynb").write_text(json.dumps(page))
        with (folder / "mlox.yaml").open("a") as file:
            file.write("alerts: {rules: {down: {when: unhealthy}}}\n")
        yield made


@pytest.fixture
def images_stay() -> Iterator[None]:
    with still():
        yield


def in_turns(lines: tuple[str, ...]) -> Iterator[Any]:
    """Each line for people and as JSON; the exhaustive run has both, any other one of them, in turns."""
    for number, line in enumerate(lines):
        for as_json in (False, True):
            marks = () if as_json == bool(number % 2) else (pytest.mark.exhaustive,)
            yield pytest.param(line, as_json, id=f"{line}{' --json' * as_json}", marks=marks)


def everything(shop: Yard) -> tuple[str, object]:
    """What the engine has, and each file of the workspace and below the data home."""
    return world(shop.engine), snapshot(shop.project.folder, shop.project.home)


def test_every_verb_is_looked_at() -> None:
    """In a dry run, or as one that only looks."""
    tried = {name for line in (*DRY, *LOOKS) for name in all_verbs() if f"{line} ".startswith(f"{name} ")}
    assert set(all_verbs()) - tried == NOT_HERE


@pytest.mark.long
@pytest.mark.usefixtures("images_stay")
@pytest.mark.parametrize(("line", "as_json"), list(in_turns(DRY)))
def test_a_dry_run_changes_nothing(shop: Yard, line: str, as_json: bool) -> None:
    before = everything(shop)
    words = line.format(key=KEY).split()
    cut = words.index("--") if "--" in words else len(words)
    flags = ["--dry-run", "-y", *(["--json"] if as_json else [])]
    said = shop.project.mlox(*words[:cut], *flags, *words[cut:])
    assert said.code == 0, said
    assert everything(shop) == before


@pytest.mark.long
@pytest.mark.usefixtures("images_stay")
@pytest.mark.parametrize("line", LOOKS)
def test_a_look_changes_nothing(shop: Yard, line: str) -> None:
    before = everything(shop)
    said = shop.project.mlox(*line.split())
    assert said.code == 0, said
    assert everything(shop) == before


@pytest.fixture
def here(tmp_path: Path, data_home: Path) -> Iterator[Yard]:
    with yard(tmp_path / "shop", data_home) as made:
        yield made


@pytest.mark.long
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
