"""The service github as a container: cloned and pulled over SSH, killed, saved, purged and brought back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import ssh_stage
from tests.live.docker_stage import Engine, engine
from tests.live.engine.images import GIT
from tests.live.support import Project, project, until
from tests.live.test_github import Upstream, place, upstream

__all__ = ["place", "upstream"]

pytestmark = [
    *(pytest.mark.live, pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.timeout(1200)),
    pytest.mark.xdist_group("engine"),
]


@pytest.fixture
def on_engine() -> Iterator[Engine]:
    with engine() as made:
        made.image(GIT)
        yield made


@pytest.fixture
def shop(on_engine: Engine, place: Path, data_home: Path) -> Iterator[Project]:
    with project(place / "shop", data_home, DOCKER_HOST=on_engine.host) as made:
        made.done("init", "demo")
        on_engine.owns(made.id)
        yield made


def word(shop: Project) -> str:
    """What the checkout says; nothing while there is none."""
    said = shop.mlox("exec", "github", "--", "cat", "/checkout/word")
    return said.out.strip() if said.code == 0 else ""


def test_over_ssh_with_a_deploy_key(
    shop: Project, on_engine: Engine, upstream: Upstream, place: Path, tmp_path: Path
) -> None:
    """Containers reach this machine at the engine's own bridge, whichever network they are on."""
    bridge = on_engine.client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    kept = str(tmp_path / "backups")
    with ssh_stage.server(place / "sshd", bridge) as far:
        url, known = f"ssh://{far.user}@{bridge}:{far.port}{upstream.bare}", far.known.read_text().strip()
        options = [word for each in (f"url={url}", f"known_hosts={known}", "interval=1") for word in ("--set", each)]
        shop.done("add", "github", "--on", "docker", *options)
        shop.done("secrets", "set", "github.key", stdin=far.key.read_text())
        shop.done("up")
        assert word(shop) == "first"
        assert shop.json("up")["actions"] == []
        upstream.push("word", "second")
        until(lambda: word(shop) == "second", 120)
        (container,) = on_engine.client.containers.list(filters={"label": f"mlox.stack={shop.id}"})
        os.kill(container.attrs["State"]["Pid"], signal.SIGKILL)
        upstream.push("word", "third")
        until(lambda: word(shop) == "third" and shop.row("github")["status"] == "running", 180)
        shop.done("backup", "github", "--to", kept)
        shop.done("down", "github", "--purge", "-y")
        assert not on_engine.left(shop.id)
        shop.done("restore", "github", "--from", kept)
        assert word(shop) == "third"
        assert shop.json("up")["actions"] == []
