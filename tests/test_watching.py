"""How a stack is watched, on a machine where no service runs: who is told, what is remembered, the watcher itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import mlox
from mlox import plugins
from mlox.alerts import Memory, memory_file
from mlox.errors import LockedError, SecretError, UnknownNameError, UsageError
from mlox.stack.sighting import sights
from mlox.stack.watched import WATCHER
from mlox.stack.watching import Watch, alone, remember
from mlox.testing import FakeBackend, FakeReceiver
from mlox.values.stats import ServiceStats
from tests.shell_stage import Say

RULES = """
alerts:
  rules:
    down: {service: base, when: unhealthy}
    memory: {when: memory > 1 GiB}
  tell: {webhook: 'https://example.org/hook'}
"""


class OneHook:
    """What the plugins' table makes in place of a webhook: the one of the running test."""

    hook: FakeReceiver

    def __new__(cls, url: mlox.Secret) -> FakeReceiver:  # type: ignore[misc]
        """The one fake."""
        assert url.reveal().startswith("https://")
        return cls.hook


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> FakeReceiver:
    made = FakeReceiver()
    monkeypatch.setattr(OneHook, "hook", made, raising=False)
    monkeypatch.setitem(plugins.TABLE, ("receivers", "webhook"), plugins.Row(f"{__name__}:OneHook"))
    return made


class Scene:
    """A stack whose services stand as a test says, at a time that it says."""

    def __init__(self, stack: mlox.Stack) -> None:
        self.stack = stack
        self.rows = [ServiceStats("base", "running", True, memory_bytes=1000)]
        self.now = 1000.0

    def watcher(self) -> Watch:
        return Watch(self.stack.surroundings, lambda _: self.rows, clock=lambda: self.now)

    def stands(self, state: str, **more: object) -> None:
        self.rows = [replace(self.rows[0], state=state, **more)]  # type: ignore[arg-type]


@pytest.fixture
def scene(stack: mlox.Stack, isolated: Path) -> Scene:
    stack.add("base")
    path = isolated / "mlox.yaml"
    path.write_text(path.read_text() + RULES)
    return Scene(stack)


def statuses(hook: FakeReceiver) -> list[str]:
    return [f"{each.status} {each.rule}" for each in hook.told]


# Telling


def test_it_is_told_once_that_an_alert_fires_and_once_that_it_is_resolved(scene: Scene, hook: FakeReceiver) -> None:
    watch = scene.watcher()
    for state in ("running", "unhealthy", "unhealthy", "running", "running"):
        scene.stands(state, note="it is stuck" if state == "unhealthy" else "")
        scene.now += 15
        watch.once()
    assert statuses(hook) == ["firing down", "resolved down"]
    assert hook.told[0].seen == "it does not answer its probe (it is stuck)"


def test_a_watcher_that_is_killed_tells_nothing_twice(scene: Scene, hook: FakeReceiver) -> None:
    scene.stands("unhealthy")
    for _ in range(3):
        scene.now += 15
        scene.watcher().once()
    assert statuses(hook) == ["firing down"]


def test_who_is_away_is_told_when_he_is_back(scene: Scene, hook: FakeReceiver) -> None:
    hook.down = True
    scene.stands("unhealthy")
    watch = scene.watcher()
    seen = watch.once()
    assert seen.failures["webhook"].problem == "the receiver is down"
    assert [line.partition(" ")[2] for line in seen.lines_of_log({})] == [
        "firing: down (base): it does not answer its probe",
        "webhook cannot be told: the receiver is down",
    ]
    scene.stands("running")
    scene.now += 1
    watch.once()
    hook.down = False
    scene.now += 2
    assert watch.once().failures, "it is not tried again at once"
    scene.now += 5
    back = scene.watcher().once()
    assert not back.failures
    assert back.lines_of_log(seen.failures)[-1].endswith("webhook was told what had waited")
    assert statuses(hook) == ["firing down", "resolved down"]


def test_what_is_asked_to_be_down_is_no_alert_and_what_stopped_by_itself_is_one(
    scene: Scene, hook: FakeReceiver
) -> None:
    watch = scene.watcher()
    scene.stands("stopped")
    assert watch.once().alerts == ()
    scene.stands("stopped", note="its supervisor is gone")
    assert [alert.seen for alert in watch.once().alerts] == ["it stopped by itself (its supervisor is gone)"]
    assert statuses(hook) == ["firing down"]


def test_what_starts_is_left_alone_as_long_as_somebody_works_on_the_stack(scene: Scene) -> None:
    spec, row = scene.stack.spec(), ServiceStats("base", "starting", False, restarts=1)
    assert sights(spec, [row], busy=True)[0].healthy is None
    assert sights(spec, [row], busy=False)[0].healthy is False


def test_a_mistake_in_the_file_stops_nobody(scene: Scene, hook: FakeReceiver, isolated: Path) -> None:
    path = isolated / "mlox.yaml"
    right = path.read_text()
    scene.stands("unhealthy")
    watch = scene.watcher()
    watch.once()
    path.write_text(right + "  nonsense: 1\n")
    broken = watch.once()
    assert "unknown key 'nonsense'" in broken.problem
    assert "unknown key 'nonsense'" in broken.text()
    path.write_text(right)
    assert [alert.state for alert in watch.once().alerts] == ["firing"]
    assert statuses(hook) == ["firing down"]


def test_what_is_remembered_changes_no_plan_and_lost_it_is_told_again(
    scene: Scene, hook: FakeReceiver, isolated: Path
) -> None:
    before = scene.stack.plan().digest
    scene.stands("unhealthy")
    scene.watcher().once()
    assert json.loads(memory_file(isolated).read_text())["alerts"][0]["state"] == "firing"
    assert scene.stack.plan().digest == before
    memory_file(isolated).unlink()
    assert scene.stack.plan().digest == before
    scene.watcher().once()
    assert statuses(hook) == ["firing down"] * 2


def test_a_look_alone_tells_nobody(scene: Scene, hook: FakeReceiver, isolated: Path) -> None:
    scene.stack.up()
    path = isolated / "mlox.yaml"
    path.write_text(path.read_text().replace("memory > 1 GiB", "memory > 1 KiB"))
    assert [alert.seen for alert in scene.stack.watch_once(remember=False).alerts] == ["1.0 MiB"]
    assert (hook.told, memory_file(isolated).exists()) == ([], False)


# The watcher


@pytest.mark.usefixtures("hook")
def test_one_watcher_a_workspace(scene: Scene, isolated: Path) -> None:
    looks = scene.stack.watch()
    next(looks)
    assert scene.stack.alerts().watcher == "running"
    for call in (scene.stack.watch_once, scene.stack.keep_watching):
        with pytest.raises(LockedError, match="a watcher of this stack runs already, in process"):
            call()
    looks.close()
    assert scene.stack.alerts().watcher == "none"
    with alone(isolated):
        pass


def test_the_watcher_is_a_unit_that_no_plan_sees(scene: Scene, machine: FakeBackend) -> None:
    stack = scene.stack
    stack.up()
    before = stack.plan()
    assert [action.kind for action in stack.plan_watch().actions] == ["create"]
    assert [action.kind for action in stack.keep_watching(interval_s=20).actions] == ["create"]
    assert not stack.keep_watching(interval_s=20)
    (unit,) = (o.unit for o in machine.observe(stack.id) if o.service == WATCHER)
    assert unit.command[-3:] == ("watch", "--interval", "20s")
    assert (stack.plan(), stack.alerts().watcher) == (before, "running")
    assert [row.name for row in stack.status().services] == ["base"]
    assert [row.service for row in stack.stats().services] == ["base"]
    assert stack.up().plan.actions == ()
    assert [action.kind for action in stack.keep_watching(interval_s=30).actions] == ["update"]
    assert [action.kind for action in stack.stop_watching().actions] == ["remove"]
    assert not stack.stop_watching()
    assert stack.alerts().watcher == "none"


def test_it_stops_with_the_last_service_and_starts_with_the_next(scene: Scene) -> None:
    stack = scene.stack
    stack.add("base", "second")
    stack.up()
    stack.keep_watching()
    stack.down("second")
    assert stack.alerts().watcher == "running"
    stack.down()
    assert stack.alerts().watcher == "stopped"
    stack.up("second")
    assert stack.alerts().watcher == "running"


def test_a_purge_of_all_leaves_nothing_of_it(scene: Scene, machine: FakeBackend, isolated: Path) -> None:
    stack = scene.stack
    stack.up()
    stack.keep_watching()
    remember(memory_file(isolated), Memory())
    stack.down(purge=True)
    assert machine.observe(stack.id) == ()
    assert not memory_file(isolated).exists()
    assert stack.alerts().watcher == "none"


def test_a_purge_of_all_removes_what_a_single_look_left(scene: Scene, hook: FakeReceiver, isolated: Path) -> None:
    scene.stack.up()
    scene.stack.watch_once()
    assert memory_file(isolated).exists()
    scene.stack.down(purge=True)
    assert [path.name for path in memory_file(isolated).parent.iterdir()] == ["journal"]
    assert hook.told == []


def test_nothing_to_watch_is_said(stack: mlox.Stack, isolated: Path) -> None:
    stack.add("base")
    with pytest.raises(UsageError, match="has no alert rules"):
        stack.watch_once()
    path = isolated / "mlox.yaml"
    path.write_text(path.read_text() + "alerts: {rules: {down: {service: bse, when: unhealthy}}}\n")
    with pytest.raises(UnknownNameError, match=r"alerts\.rules\.down\.service: unknown service 'bse'") as error:
        stack.keep_watching()
    assert error.value.hint == "Did you mean 'base'?"


def test_a_secret_that_only_this_shell_knows_is_refused(
    stack: mlox.Stack, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add("base")
    path = isolated / "mlox.yaml"
    path.write_text(path.read_text() + "alerts: {rules: {down: {when: unhealthy}}, tell: {webhook: HOOK}}\n")
    monkeypatch.setenv("MLOX_SECRET_HOOK", "https://example.org/of-this-shell")
    with pytest.raises(SecretError, match="HOOK"):
        stack.keep_watching()
    mlox.secrets.set("HOOK", "https://example.org/of-the-vault")
    assert stack.keep_watching()


# What the shell says


def test_status_says_whether_somebody_watches_and_what_fires(demo: Say, isolated: Path) -> None:
    assert demo("status", "--json").json["alerts"] == {
        "rules": 0,
        "watcher": "none",
        "looked": None,
        "alerts": [],
        "failing": {},
    }
    path = isolated / "mlox.yaml"
    path.write_text(path.read_text() + "alerts: {rules: {saved: {service: redis, when: backup older than 1d}}}\n")
    assert "alerts are written, but no watcher runs on this machine: mlox watch --detach" in demo("status").out
    assert demo("up", "redis").code == 0
    once = demo("watch", "--once")
    assert (once.code, once.out.split()[:3]) == (0, ["saved", "redis", "firing"])
    said = demo("watch", "--detach")
    assert said.out.splitlines() == ["watching in the background", "told: notebooks", "stop it: mlox watch --off"]
    assert "firing: saved (redis): there is none, since" in demo("status").out
    (alert,) = demo("status", "--json").json["alerts"]["alerts"]
    assert (alert["rule"], alert["subject"], alert["state"]) == ("saved", "redis", "firing")
    assert demo("watch", "--off", "--dry-run").out.splitlines()[-1] == "nothing was changed"
    assert demo("watch", "--off").out == "the watcher is stopped; nobody is told of alerts\n"
    assert demo("watch", "--off").out == "no watcher runs in the background\n"
