"""Forwarders in a whole stack: shown, explained, stopped with what needs them; nothing really runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mlox
from mlox import plugins
from mlox.errors import UsageError
from mlox.protocols import Facts, Question
from mlox.resolve.forwarding import forwarder_name
from mlox.specs.model import NAME
from mlox.testing import FakeBackend
from tests.sdk_stage import kinds
from tests.shell_stage import Say

FORWARDER = "redis--for-docker"
ASKER = """\
name: asker
version: "1"
summary: asks a redis
needs: {store: {capability: redis}}
units:
  server:
    image: asker:1
    environment: {URL: "${need.store.url}"}
    probe: {container: true}
"""


class Engine(FakeBackend):
    """An engine whose containers find this machine at an address of its own."""

    def facts(self, question: Question) -> Facts:
        return replace(super().facts(question), gateway="172.17.0.1")


class OneEngine:
    """What the plugins' table makes for an engine: always the one of the running test."""

    engine: Engine

    def __new__(cls, home: Path, server: str = "docker") -> Engine:  # type: ignore[misc]
        del home, server
        return cls.engine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, machine: FakeBackend, isolated: Path) -> Engine:
    """A workspace with redis on this machine and a container that needs it."""
    del machine
    made = Engine()
    monkeypatch.setattr(OneEngine, "engine", made, raising=False)
    monkeypatch.setitem(plugins.TABLE, ("backends", "docker"), plugins.Row(f"{__name__}:OneEngine"))
    (isolated / "services").mkdir()
    (isolated / "services/asker.yaml").write_text(ASKER)
    stack = mlox.Stack("churn")
    stack.add("redis")
    stack.add("asker", server="docker")
    return made


def test_it_comes_with_what_needs_it_and_is_shown(engine: Engine) -> None:
    stack = mlox.Stack()
    done = stack.up()
    assert kinds(done.plan) == [("create", "redis"), ("create", FORWARDER), ("create", "asker")]
    row = next(row for row in stack.status().services if row.name == FORWARDER)
    assert (row.service, row.server, row.status, row.version) == ("forwarder", "local", "running", "1")
    assert (row.note, row.edge) == ("redis for docker", "172.17.0.1:6379 -> 127.0.0.1:6379")
    assert f"{FORWARDER}: redis for docker" in stack.status().text()
    assert "6379" not in stack.status().text()
    assert "172.17.0.1:6379 -> 127.0.0.1:6379" in stack.status().text(detail=True)
    assert stack.plan().actions == ()
    assert stack.plan().unlisted == ()
    assert FORWARDER not in (stack.workspace.path).read_text()
    assert engine.effects == ["start asker.server"]


def test_why_tells_the_edge_and_what_is_behind_it(engine: Engine, machine: FakeBackend, say: Say) -> None:
    del engine
    stack = mlox.Stack()
    stack.up()
    assert "needs store: met by redis, which is running, through redis--for-docker: " in say("why", "asker").out
    said = say("why", FORWARDER).out
    assert said.startswith(f"{FORWARDER} runs as it should.\n")
    assert "by it containers of docker reach redis, which itself listens for this machine alone\n" in said
    assert said.endswith("needed by: asker\n")
    assert "172.17.0.1:6379 -> 127.0.0.1:6379" in say("why", FORWARDER, "--json").json["detail"]
    assert say("why", FORWARDER, "--settings").code == 2
    stack.down("redis")
    machine.sick.add(f"{FORWARDER}.redis")
    found = say("why", FORWARDER, "--json").json
    assert (found["cause"], found["step"]) == ("provider-down", "mlox up redis")
    stack.up("redis")
    machine.sick.clear()
    machine.kill(stack.id or "", FORWARDER, "redis")
    machine.stop(stack.id or "", FORWARDER, "redis", purge=False, emit=print)
    assert say("why", FORWARDER, "--json").json["step"] == "mlox up asker"


def test_it_is_no_drift_and_nothing_to_adopt(engine: Engine, say: Say) -> None:
    del engine
    mlox.Stack().up()
    assert say("drift", "--exit-code").code == 0
    assert FORWARDER not in say("adopt").out
    assert say("adopt", FORWARDER).code == 2


def test_a_password_that_was_granted_is_forgotten_with_a_provider_on_another_server(
    engine: Engine, isolated: Path
) -> None:
    del engine
    keeper = """\
name: keeper
version: "1"
summary: gives accounts
ports: {main: {port: 7000}}
provides:
  keeping:
    url: {scheme: keeping, port: main}
    grant:
      unit: server
      names: [user]
      secrets: {password: {generate: 24}}
      url: {scheme: keeping, port: main, user: "${grant.user}", password: "${grant.password}"}
      argv: ["true"]
units:
  server:
    native:
      binary: {name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}
      command: [sh, -c, sleep 1000]
"""
    (isolated / "services/keeper.yaml").write_text(keeper)
    (isolated / "services/kept.yaml").write_text(ASKER.replace("asker", "kept").replace("redis", "keeping"))
    stack = mlox.Stack()
    stack.add("keeper")
    stack.add("kept", server="docker")
    stack.up("kept")
    before = mlox.secrets.get("kept.store_password").reveal()
    stack.down("keeper", purge=True)
    assert "kept.store_password" not in mlox.secrets.names()
    stack.up("kept")
    assert mlox.secrets.get("kept.store_password").reveal() != before


def test_down_of_the_last_consumer_takes_it_along(engine: Engine, machine: FakeBackend) -> None:
    del engine
    stack = mlox.Stack()
    stack.up()
    assert kinds(stack.down("asker").plan) == [("stop", "asker"), ("remove", FORWARDER)]
    assert [o.service for o in machine.observe()] == ["redis"]
    assert kinds(stack.up("asker").plan) == [("create", FORWARDER), ("start", "asker")]


def test_what_is_restarted_comes_back_with_it(engine: Engine, machine: FakeBackend) -> None:
    del engine
    stack = mlox.Stack()
    stack.up()
    stack.restart()
    assert [o.service for o in machine.observe()] == ["redis", FORWARDER]
    assert stack.plan().actions == ()


@pytest.mark.parametrize(
    "do",
    [
        lambda stack: stack.up(FORWARDER),
        lambda stack: stack.restart(FORWARDER),
        lambda stack: stack.service(FORWARDER).client(),
        lambda stack: stack.service(FORWARDER).env,
    ],
)
def test_nobody_names_it(engine: Engine, do: Callable[[mlox.Stack], object]) -> None:
    del engine
    stack = mlox.Stack()
    stack.up()
    with pytest.raises(UsageError, match="starts and stops with what needs redis") as told:
        do(stack)
    assert told.value.hint == "Name that: asker."
    assert stack.plan().actions == ()


def test_a_consumer_that_fails_to_change_finds_it_there_when_it_goes_back(
    engine: Engine, machine: FakeBackend, isolated: Path
) -> None:
    stack = mlox.Stack()
    stack.up()
    alone = ASKER.replace("needs: {store: {capability: redis}}\n", "").replace("${need.store.url}", "")
    (isolated / "services/asker.yaml").write_text(alone)
    text = stack.workspace.path.read_text()
    stack.workspace.path.write_text(text.replace("    needs:\n      store: redis\n", ""))
    assert kinds(stack.plan()) == [("replace", "asker"), ("remove", FORWARDER)]
    engine.dying["asker.server"] = "exit status 1"
    with pytest.raises(mlox.MloxError):
        stack.up()
    assert FORWARDER in [o.service for o in machine.observe()]
    engine.dying.clear()
    stack.up()
    assert [o.service for o in machine.observe()] == ["redis"]


def test_no_service_of_a_user_can_have_its_name() -> None:
    import re

    assert not re.fullmatch(NAME, forwarder_name("redis", "docker"))
    assert forwarder_name("a", "b-for-c") != forwarder_name("a-for-b", "c")
    long = forwarder_name("p" * 40, "s" * 40)
    assert len(long) <= 63
    assert long != forwarder_name("p" * 40, "s" * 39 + "t")
