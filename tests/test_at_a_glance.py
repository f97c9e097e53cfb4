"""How ``up`` treats a stack that stands as it should: it looks, and holds no engine where nothing is to be done."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NoReturn

import pytest

import mlox
from mlox import plugins
from mlox.errors import DriftError, RequirementError
from mlox.leases import Holder
from mlox.locks import Hold
from mlox.protocols import Event, Passage, silent
from mlox.testing import FakeBackend
from mlox.units import Unit


class OneEngine:
    """What the plugins' table makes in place of a Docker back end: the engine of the running test."""

    engine: FakeBackend

    def __new__(cls, home: Path, server: str = "docker") -> FakeBackend:  # type: ignore[misc]
        """The one fake, whatever is asked for."""
        del home, server
        return cls.engine


@pytest.fixture
def engine(stack: mlox.Stack, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    """An engine on which both services of the stack run."""
    for path in (isolated / "services").glob("*.yaml"):
        path.write_text(path.read_text().replace("    native:\n", "    image: shop:${version}\n    native:\n"))
    engine = FakeBackend()
    monkeypatch.setattr(OneEngine, "engine", engine, raising=False)
    monkeypatch.setitem(plugins.TABLE, ("backends", "docker"), plugins.Row(f"{__name__}:OneEngine"))
    stack.add("base", server="docker")
    stack.add("app", server="docker")
    stack.up()
    return engine


def refuse(stack: str, holder: Holder) -> NoReturn:
    """As an engine that may be looked at and not changed."""
    del stack, holder
    raise RequirementError("the engine forbids it", hint="Ask who runs it.")


def units(engine: FakeBackend) -> dict[str, Unit]:
    return {o.service: o.unit for o in engine.observe()}


def test_a_server_where_nothing_is_to_be_done_is_not_held(
    stack: mlox.Stack, engine: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    effects = list(engine.effects)
    monkeypatch.setattr(engine, "lease", refuse)
    done = stack.up()
    assert (done.plan.actions, [row.status for row in done.services]) == ((), ["running", "running"])
    assert done.text().startswith("nothing to do")
    assert [row.name for row in stack.up("base").services] == ["base"]
    engine.stop(stack.id or "", "app", "server", purge=False, emit=silent)
    with pytest.raises(RequirementError, match="forbids it"):
        stack.up()
    assert [each for each in engine.effects if each not in effects] == ["stop app.server"]


def test_it_waits_for_whoever_works_there_although_all_runs(stack: mlox.Stack, engine: FakeBackend) -> None:
    told: list[Event] = []
    with Hold(stack.id or "", emit=silent) as hold:
        hold.take(engine)
        deployment = stack.deploy(emit=told.append)
        threading.Event().wait(0.3)
        assert not deployment.done
    assert deployment.wait().plan.actions == ()
    assert [event.kind for event in told] == ["wait"]


def test_what_runs_and_is_not_healthy_is_waited_for(stack: mlox.Stack, engine: FakeBackend) -> None:
    engine.sick.add("app.server")
    deployment = stack.deploy()
    threading.Event().wait(0.3)
    assert not deployment.done
    engine.sick.clear()
    assert [row.status for row in deployment.wait().services] == ["running", "running"]


def test_what_a_killed_process_left_is_mended_although_all_runs(stack: mlox.Stack, engine: FakeBackend) -> None:
    engine.note_passage(stack.id or "", Passage("app", "leaving", "local"))
    assert stack.up().plan.actions == ()
    assert engine.passages(stack.id or "") == ()


def test_a_change_that_is_not_settled_is_finished(stack: mlox.Stack, engine: FakeBackend) -> None:
    unit = units(engine)["base"]
    engine.keep(unit.stack, "base", data=False)
    engine.start(unit, {"password": stack.surroundings().store.get("base.password")}, silent)
    assert [o.service for o in engine.observe() if o.previous is not None] == ["base"]
    assert [action.kind for action in stack.up().plan.actions] == ["start"]
    assert all(o.previous is None for o in engine.observe())


def test_another_plan_than_the_one_agreed_to_is_refused(stack: mlox.Stack, engine: FakeBackend) -> None:
    assert stack.up(plan=stack.plan().digest).services
    with pytest.raises(DriftError, match="the plan is now"):
        stack.up(plan="0123456789ab")
    assert len(engine.observe()) == 2


def test_what_is_decided_is_written_although_all_runs(stack: mlox.Stack, engine: FakeBackend, isolated: Path) -> None:
    path = isolated / "mlox.yaml"
    whole = path.read_text()
    open_ = whole.replace("    version: '1'\n", "").replace('    version: "1"\n', "")
    assert open_ != whole
    path.write_text(open_)
    done = stack.up()
    assert (done.plan.actions, done.notes) == ((), ("wrote: mlox.yaml (base, app)",))
    assert {name: service.version for name, service in stack.spec().services.items()} == {"base": "1", "app": "1"}
    assert len(engine.observe()) == 2
