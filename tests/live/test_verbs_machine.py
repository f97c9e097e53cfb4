"""Verbs in any order, on real servers: Redis keeps the words, a page needs it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from mlox.stack import Stack
from mlox.stack.surroundings import Surroundings
from tests.live.docker_stage import Engine, engine
from tests.live.native_stage import free_port
from tests.live.support import Project
from tests.live.test_services import kill
from tests.verbs_machine import Standing, Verbs, World, only

__all__ = ["docker"]

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3000)]

APP = """\
name: app
version: "1"
summary: a page that names its store
ports: {{http: {{port: {port}, scheme: http}}}}
needs: {{store: {{capability: redis}}}}
units:
  server:
    native: {{binary: {{name: python3, version_argv: [python3, --version], version_pattern: 'Python (.*)'}}}}
    command: [python3, -m, http.server, --bind, "${{bind}}", "${{port.http}}"]
    environment: {{STORE: "${{need.store.url}}"}}
    probe: {{http: {{port: http}}}}
"""


class RealServers:
    """Processes and containers of this machine."""

    option = "maxmemory_mb"
    values: tuple[str, ...] = ("64", "65")

    def __init__(self, home: Path, engine: Engine | None) -> None:
        self.servers: tuple[str, ...] = ("local", "docker") if engine else ("local",)
        self.folder = Path(tempfile.mkdtemp())
        host = {"DOCKER_HOST": engine.host} if engine else {"DOCKER_HOST": "unix:///nonexistent"}
        self.made = Project(self.folder, home, host)
        (self.folder / "services").mkdir()
        (self.folder / "services" / "app.yaml").write_text(APP.format(port=free_port()))
        for words in (("init", "demo"), ("add", "redis", "--as", "base"), ("add", "app", "--needs", "store=base")):
            self.run(*words)
        if engine:
            engine.owns(self.made.id)

    def run(self, *words: str) -> dict[str, Any]:
        return self.made.json(*words)

    def write(self, words: str) -> None:
        self._client().set("words", words)

    def words(self) -> str:
        found = self._client().get("words")
        assert found is None or isinstance(found, bytes)
        return (found or b"").decode()

    def kill(self, name: str) -> None:
        kill(self.made, name)

    def remains(self) -> dict[str, Standing]:
        found: list[tuple[str, Standing]] = []
        for each in self._around().observed.values():
            assert each.state in ("running", "stopped"), each
            if not each.unit.forwards:
                found.append((each.service, "running" if each.state == "running" else "stopped"))
        there = only(found)
        data = self.made.data / "services"
        kept = {path.name for path in data.iterdir()} if data.is_dir() else set()
        assert kept <= there.keys(), (kept, there)
        return there

    def effects(self) -> object:
        around = self._around()
        return [(key, each.state, each.since, each.digest) for key, each in around.observed.items()]

    def close(self) -> None:
        try:
            self.made.done("down", "--purge", "-y")
            assert self.made.processes() == []
            assert not (self.made.data / "services").exists() or not list((self.made.data / "services").iterdir())
        finally:
            shutil.rmtree(self.folder)

    def _around(self) -> Surroundings:
        stack = Stack(path=self.folder)
        return Surroundings(stack.workspace, stack.spec(), self.made.home)

    def _client(self) -> redis.Redis:
        host, _, port = str(self.made.row("base")["ports"]["redis"]).partition(":")
        return redis.Redis(host=host, port=int(port), password=self.made.password("base"))


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> Any:
    with engine() as made:
        made.image("redis:7")
        monkeypatch.setenv("DOCKER_HOST", made.host)
        yield made


def explore(home: Path, engine: Engine | None, *, examples: int, steps: int) -> None:
    """Run the machine in this world; an example takes minutes, so none is made smaller."""

    class InThisWorld(Verbs):
        def make_world(self) -> World:
            return RealServers(home, engine)

    phases = (Phase.explicit, Phase.generate)
    run_state_machine_as_test(
        InThisWorld, settings=settings(max_examples=examples, stateful_step_count=steps, phases=phases)
    )


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not on the PATH: tests/live/install")
@pytest.mark.parametrize(
    ("examples", "steps"), [(1, 12), pytest.param(15, 20, marks=pytest.mark.exhaustive)], ids=["slice", "whole"]
)
def test_as_processes(
    data_home: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, examples: int, steps: int
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{isolated}/none")
    explore(data_home, None, examples=examples, steps=steps)


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not on the PATH: tests/live/install")
def test_as_processes_and_containers(data_home: Path, docker: Engine) -> None:
    explore(data_home, docker, examples=10, steps=20)
