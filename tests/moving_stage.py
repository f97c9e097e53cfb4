"""Two servers in memory on one machine, processes and containers, and a stack whose services move between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import mlox
from mlox import plugins
from mlox.testing import FakeBackend
from mlox.testing.commands import Command
from tests import fake_machine

BASE = """\
name: base
version: "1"
summary: keeps words
secrets: {password: {generate: 16}}
ports: {main: {port: 7000, scheme: base}}
data: {data: {path: /data}}
jobs: {first: {unit: server, argv: [first]}}
provides: {base: {url: {scheme: base, port: main, user: me, password: "${secret.password}"}}}
units:
  server:
    stateful: true
    image: base:1
    command: [base]
    native:
      binary: {name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}
    environment: {PASSWORD: "${secret.password}"}
verify: {unit: server, argv: [tell, "${port.main}"]}
"""
APP = """\
name: app
version: "1"
summary: uses what base keeps
ports: {main: {port: 7100, scheme: app}}
needs: {below: {capability: base}}
units:
  server:
    image: app:1
    command: [app]
    native:
      binary: {name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}
    environment: {BELOW: "${need.below.url}"}
"""


class TheEngine:
    """What the plugins' table makes in place of a Docker back end: always the engine of the running test."""

    engine: FakeBackend

    def __new__(cls, home: Path, server: str = "docker") -> FakeBackend:  # type: ignore[misc]
        """The one fake."""
        del home, server
        return cls.engine


class House:
    """Both servers, and the stack."""

    def __init__(self, native: FakeBackend, engine: FakeBackend, folder: Path) -> None:
        self.native = native
        self.engine = engine
        self.stack = mlox.Stack("demo", path=folder)
        for backend in (native, engine):
            backend.execs.programs["tell"] = self._telling(backend)

    def _telling(self, backend: FakeBackend) -> Command:
        def tell(argv: Sequence[str], environment: Mapping[str, str], given: bytes) -> tuple[int, bytes]:
            del argv, environment, given
            return 0, backend.data.get((self.stack.id or "", "base"), "").encode()

        return tell

    @property
    def key(self) -> tuple[str, str]:
        return self.stack.id or "", "base"

    def server(self, name: str = "base") -> str:
        return self.stack.workspace.read().services[name].server

    def where(self) -> dict[str, list[str]]:
        """On which servers what is, with its state."""
        found: dict[str, list[str]] = {}
        for server, backend in (("local", self.native), ("docker", self.engine)):
            for o in backend.observe(self.stack.id):
                found.setdefault(o.service, []).append(f"{server} {o.state}")
        return found

    def running(self, server: str) -> bool:
        """Whether base runs there, once, with its words, and nothing of a move is left."""
        here, there = (self.native, self.engine) if server == "local" else (self.engine, self.native)
        assert self.where()["base"] == [f"{server} running"], self.where()
        assert self.server() == server
        assert here.data[self.key] == "precious"
        assert self.key not in there.data
        assert (here.passages(self.key[0]), there.passages(self.key[0])) == ((), ())
        assert {name: states[0].split()[1] for name, states in self.where().items()} == {
            "base": "running",
            "app": "running",
        }
        assert self.stack.plan().actions == ()
        return True


def both_servers(monkeypatch: pytest.MonkeyPatch) -> tuple[FakeBackend, FakeBackend]:
    """Put both fakes in place for one test."""
    native = fake_machine.fake_machine(monkeypatch)
    engine = FakeBackend()
    monkeypatch.setattr(TheEngine, "engine", engine, raising=False)
    monkeypatch.setitem(plugins.TABLE, ("backends", "docker"), plugins.Row(f"{__name__}:TheEngine"))
    return native, engine


def furnish(folder: Path, native: FakeBackend, engine: FakeBackend) -> House:
    """A stack with a base that has words, and an app that needs it, both running as processes."""
    (folder / "services").mkdir(exist_ok=True, parents=True)
    (folder / "services" / "base.yaml").write_text(BASE)
    (folder / "services" / "app.yaml").write_text(APP)
    house = House(native, engine, folder)
    house.stack.add("app", needs={"below": house.stack.add("base")})
    house.stack.up()
    native.data[house.key] = "precious"
    return house
