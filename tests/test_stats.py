"""What services use, on a machine in memory: shares of a core, sums over units, servers that are away, and the verb."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlox
from mlox import plugins
from mlox.errors import RequirementError
from mlox.protocols import Observed, Usage, cpu_percent
from mlox.stack import measuring
from mlox.testing import FakeBackend
from mlox.values.live import Live, Missed, every
from mlox.verbs import find_verb
from mlox.verbs.context import Context
from tests.shell_stage import Say


def kept_busy(machine: FakeBackend, cores: float) -> None:
    machine.load = dict.fromkeys(("base.server", "app.server", "redis.server"), cores)


def test_what_two_readings_say() -> None:
    assert cpu_percent(Usage(5.0, 100.0, "a"), Usage(9.0, 102.0, "a")) == 200.0
    assert cpu_percent(Usage(5.0, 100.0, "a"), Usage(None, 102.0)) is None
    assert cpu_percent(Usage(), Usage(1.0, 0.0, "a")) is None
    assert cpu_percent(Usage(5.0, 100.0, "a"), Usage(4.9, 101.0, "a")) == 0.0
    assert cpu_percent(Usage(None, 100.0), Usage(1.0, 102.0, "a")) == 50.0


def test_stats_of_what_runs_is_stopped_and_was_never_started(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("base")
    stack.add("app", needs={"below": "base"})
    stack.add("redis")
    stack.up("app")
    kept_busy(machine, 0.5)
    machine.data[stack.id or "", "redis"] = "x" * 100
    base, app, redis = stack.stats().services
    assert (base.service, base.state, base.healthy, base.restarts) == ("base", "running", None, 0)
    assert base.cpu_percent == pytest.approx(50, abs=15)
    assert (base.memory_bytes, base.disk_bytes, base.probe_ms) == (1 << 20, None, None)
    assert (redis.state, redis.cpu_percent, redis.memory_bytes) == ("absent", None, None)
    stack.up("redis")
    machine.data[stack.id or "", "redis"] = "x" * 100
    (redis,) = stack.stats("redis").services
    assert (redis.state, redis.healthy, redis.disk_bytes, redis.probe_ms) == ("running", True, 100, 1.0)
    stack.down("app")
    (app,) = stack.stats("app").services
    assert (app.state, app.cpu_percent, app.healthy) == ("stopped", None, None)


def test_restarts_and_sickness_are_told(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("redis")
    stack.up()
    machine.kill(stack.id or "", "redis", "server")
    machine.kill(stack.id or "", "redis", "server")
    machine.sick.add("redis.server")
    (redis,) = stack.stats().services
    assert (redis.restarts, redis.healthy, redis.state, redis.note) == (2, False, "starting", "sick")


def test_a_meter_counts_from_one_look_to_the_next(
    stack: mlox.Stack, machine: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add("redis")
    stack.up()
    meter = measuring.Meter()
    meter.look(stack.surroundings())
    monkeypatch.setattr(measuring, "INTERVAL_S", 60)  # what one look alone would take
    kept_busy(machine, 2.0)
    began = time.monotonic()
    meter.look(stack.surroundings())
    (redis,) = meter.look(stack.surroundings()).services
    assert time.monotonic() - began < measuring.INTERVAL_S
    assert redis.cpu_percent == pytest.approx(200, rel=0.3)


# a server that does not answer


class Flaky(FakeBackend):
    """A back end that is away when a test says so."""

    away = False
    name = "docker"

    def observe(self, stack: str | None = None, service: str | None = None) -> tuple[Observed, ...]:
        if self.away:
            raise RequirementError("no engine answers", hint="Start one.")
        return super().observe(stack, service)


class FlakyEngine:
    """What the plugins' table makes in place of a Docker back end."""

    made = Flaky()

    def __new__(cls, home: Path, server: str = "docker") -> FakeBackend:  # type: ignore[misc]
        del home, server
        return cls.made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Flaky:
    made = Flaky()
    monkeypatch.setattr(FlakyEngine, "made", made)
    monkeypatch.setitem(plugins.TABLE, ("backends", "docker"), plugins.Row(f"{__name__}:FlakyEngine"))
    return made


def test_a_row_tells_that_its_server_is_away_and_the_others_go_on(stack: mlox.Stack, engine: Flaky) -> None:
    stack.add("redis")
    stack.add("redis", "cache", server="docker")
    stack.up()
    assert [(row.service, row.state) for row in stack.stats().services] == [("redis", "running"), ("cache", "running")]
    assert stack.stats().exit_code == 0
    engine.away = True
    found = stack.stats()
    assert [(row.state, row.note) for row in found.services] == [("running", ""), ("unreachable", "no engine answers")]
    assert (found.exit_code, stack.stats("cache").exit_code) == (3, 1)
    rows = stack.look().services
    assert [(row.status, row.note) for row in rows] == [("running", ""), ("unreachable", "no engine answers")]
    with pytest.raises(RequirementError):
        stack.status()
    engine.away = False
    assert [row.status for row in stack.look().services] == ["running", "running"]


def test_looks_go_on_after_one_that_failed() -> None:
    answers: Iterator[object] = iter([Missed(RequirementError("first")), RequirementError("gone", hint="x"), None])

    def look() -> Missed:
        answer = next(answers)
        if isinstance(answer, RequirementError):
            raise answer
        return answer if isinstance(answer, Missed) else Missed(RequirementError("again"))

    looks = every(0.01, look)
    assert [next(looks).text() for _ in range(3)] == ["error: first", "error: gone\nhint: x", "error: again"]


def test_the_verb_hands_out_looks(stack: mlox.Stack, machine: FakeBackend) -> None:
    stack.add("redis")
    stack.up()
    context = Context(folder=stack.workspace.root)
    value = find_verb(["stats"])[0].function(context, watch=True, interval="100ms")
    assert isinstance(value, Live)
    first = next(value.looks).to_json()["services"][0]
    machine.kill(stack.id or "", "redis", "server")
    second = next(value.looks).to_json()["services"][0]
    assert (first["name"], first["restarts"], second["restarts"]) == ("redis", 0, 1)
    watched = find_verb(["status"])[0].function(context, watch=True, interval="0.1")
    assert isinstance(watched, Live)
    assert next(watched.looks).to_json()["services"][0]["status"] == "running"
    stack.down()
    assert next(watched.looks).to_json()["services"][0]["status"] == "stopped"


def test_stats_in_a_shell(demo: Say, machine: FakeBackend) -> None:
    assert demo("up", "redis").code == 0
    said = demo("stats")
    heading, mlflow, redis = said.out.splitlines()
    assert heading.split() == ["name", "state", "cpu", "memory", "disk", "restarts", "probe", "note"]
    assert mlflow.split()[:2] == ["mlflow", "absent"]
    assert redis.split() == ["redis", "running", "0.0", "%", "1", "MB", "0", "kB", "0", "1.0", "ms"]
    (row,) = demo("--json", "stats", "redis").json["services"]
    assert set(row) == {
        *("name", "state", "healthy", "cpu_percent", "memory_bytes", "disk_bytes", "restarts", "probe_ms", "note")
    }
    del machine


def test_an_interrupt_ends_watching_well(demo: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    assert demo("up", "redis").code == 0
    monkeypatch.setattr("mlox.values.live.time.sleep", interrupted)
    monkeypatch.setattr(measuring, "INTERVAL_S", 0)
    monkeypatch.setattr("mlox.stack.measuring.time", Sleepless())
    for words in (("status", "--watch"), ("--json", "status", "--watch")):
        said = demo(*words)
        assert (said.code, said.err) == (0, "")
    assert json.loads(said.out)["services"][1]["name"] == "redis"
    said = demo("stats", "--watch")
    assert (said.code, said.err) == (0, "")
    assert "redis" in said.out


class Sleepless:
    """A module ``time`` in which nobody waits."""

    def sleep(self, _: float) -> None:
        """Do not."""


def test_nothing_is_printed_twice_where_nothing_changed() -> None:
    from mlox.screen import show
    from mlox.values import Notice

    looks = [Notice(("one",), {}), Notice(("one",), {}), Notice(("two",), {})]
    out = io.StringIO()
    show(Live(iter(looks), changes=True), out, as_json=False, clock=lambda: "now")
    assert out.getvalue() == "now\none\n\nnow\ntwo\n\n"
    out = io.StringIO()
    show(Live(iter(looks), changes=False), out, as_json=True)
    assert out.getvalue() == "{}\n{}\n{}\n"
