"""Panels without a browser: what they see, what they answer, that they do one thing at a time and hold no secret."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import mlox
from mlox.errors import UnknownNameError, UsageError
from mlox.testing import FakeBackend
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.panels.panel import OPEN
from mlox_jupyter.panels.stack import StackPanel
from tests.jupyter.cells import Run
from tests.jupyter.panel_stage import Browser
from tests.live.support import until
from tests.shell_stage import Say


@pytest.fixture
def panel(machine: FakeBackend, isolated: Path) -> Iterator[StackPanel]:
    """That of a stack with a redis, which runs."""
    del machine
    stack = mlox.Stack("demo", path=isolated)
    stack.add("redis")
    stack.up()
    yield cast("StackPanel", open_panel("stack", folder=isolated))
    close_all()


@pytest.fixture
def browser(panel: StackPanel, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(panel, monkeypatch)


def test_a_cell_shows_it_and_hands_it_back(run: Run) -> None:
    run("%mlox init demo")
    ran = run("%mlox panel stack")
    assert ran.error is None
    assert isinstance(ran.value, StackPanel)
    assert str(ran.value) == "panel stack: open in JupyterLab; as text: %mlox status"
    (bundle,) = ran.displays
    assert bundle["text/plain"] == str(ran.value)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == ran.value.model_id
    run("%unload_ext mlox_jupyter")
    assert OPEN == {}


def test_one_that_is_opened_again_takes_its_place(panel: StackPanel, isolated: Path) -> None:
    again = open_panel("stack", folder=isolated)
    assert OPEN["stack"] is again
    assert panel.comm is None
    assert again.seen == panel.seen
    close_all()
    looking = "mlox-panel-stack-looks"
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == looking])


def test_what_others_change_is_seen_and_what_is_the_same_is_not_sent(panel: StackPanel, isolated: Path) -> None:
    assert [(row["name"], row["status"], row["needs"]) for row in panel.seen["services"]] == [("redis", "running", [])]
    sent: list[object] = []
    panel.observe(lambda change: sent.append(change["new"]), "seen")
    panel.refresh()
    assert sent == []
    mlox.Stack(path=isolated).down()
    until(lambda: panel.seen["services"][0]["status"] == "stopped", 5)
    assert len(sent) == 1


def test_needs_are_those_of_the_stack(panel: StackPanel, isolated: Path) -> None:
    stack = mlox.Stack(path=isolated)
    stack.add("mlflow", needs={"artifacts": stack.add("minio")})
    panel.refresh()
    assert {row["name"]: row["needs"] for row in panel.seen["services"]} == {
        "redis": [],
        "minio": [],
        "mlflow": ["minio"],
    }


def test_a_workspace_that_cannot_be_read_is_told_and_what_was_seen_stays(panel: StackPanel, isolated: Path) -> None:
    (isolated / "mlox.yaml").write_text("name: [")
    panel.refresh()
    assert "mlox.yaml" in panel.seen["problem"]
    assert [row["name"] for row in panel.seen["services"]] == ["redis"]


def test_nobody_looks_where_nobody_sees(panel: StackPanel, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(panel, "refresh", lambda: looks.append(1))
    panel._handle_custom_msg({"ask": "watch", "view": "one", "visible": False}, [])
    until(lambda: not panel._wanted.is_set())
    before = len(looks)
    threading.Event().wait(1.5)
    assert len(looks) == before
    panel._handle_custom_msg({"ask": "watch", "view": "one", "visible": True}, [])
    until(lambda: len(looks) > before)
    assert browser.heard == []


def test_a_plan_is_shown_and_that_one_is_carried_out(panel: StackPanel, browser: Browser, isolated: Path) -> None:
    plan = browser.ask("plan", act="down", names=["redis"])["value"]
    assert [row[:2] for row in plan["rows"]] == [["stop", "redis"]]
    assert browser.ask("act", act="down", names=["redis"], digest=plan["digest"])["value"] is None
    work = browser.done()
    assert (work["title"], work["failed"], work["text"].split()[:2]) == ("down redis", False, ["redis", "stopped"])
    assert panel.seen["services"][0]["status"] == "stopped", "what was done is seen before its end is told"
    plan = browser.ask("plan", act="up", names=[])["value"]
    mlox.Stack(path=isolated).add("redis", "other")
    browser.ask("act", act="up", names=[], digest=plan["digest"])
    work = browser.done()
    assert work["failed"]
    assert "plan" in work["problem"]
    assert panel.seen["services"][0]["status"] == "stopped"


def test_what_took_how_long_is_told(browser: Browser) -> None:
    browser.ask("act", act="restart", names=["redis"])
    (step,) = (step for step in browser.done()["steps"] if step["service"])
    assert step["service"] == "redis"
    assert step["kind"] == "done"
    assert 0 <= step["began_s"] <= step["ended_s"] <= browser.panel.work["took_s"]


def test_one_thing_at_a_time(browser: Browser, machine: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on, stop = threading.Event(), machine.stop

    def slow(*arguments: Any, **options: Any) -> None:
        goes_on.wait(10)
        stop(*arguments, **options)

    monkeypatch.setattr(machine, "stop", slow)
    browser.ask("act", act="down", names=["redis"])
    refused = browser.ask("act", act="restart", names=["redis"])
    assert refused["error"]["problem"] == "down redis goes on"
    goes_on.set()
    assert not browser.done()["failed"]


def test_a_failure_is_told_with_its_hint(browser: Browser) -> None:
    assert "Did you mean 'redis'?" in browser.ask("plan", act="up", names=["rediss"])["error"]["hint"]
    assert browser.ask("plan", act="explode", names=[])["error"]["problem"].startswith("'explode' is nothing")
    assert browser.ask("nonsense")["error"]["problem"] == "this panel knows no 'nonsense'"


def test_a_defect_is_a_report(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(StackPanel, "_logs", lambda *_, **__: 1 / 0)
    assert "a defect in mlox: ZeroDivisionError" in browser.ask("logs", name="redis")["error"]["problem"]


def test_logs(browser: Browser, machine: FakeBackend) -> None:
    (there,) = machine.observe()
    machine.say(there.unit.stack, "redis", "server", "ready to accept connections")
    assert "ready to accept connections" in browser.ask("logs", name="redis")["value"]


def test_a_password_is_in_no_trait_and_in_no_message(panel: StackPanel, browser: Browser) -> None:
    password = mlox.secrets.get("redis.password").reveal()
    pad = bytes(range(256)) * 4
    answer = browser.ask("login", name="redis", pad=base64.b64encode(pad).decode())["value"]
    hidden = base64.b64decode(answer["hidden"])
    assert bytes(one ^ other for one, other in zip(hidden, pad, strict=False)).decode() == password
    assert password not in json.dumps([browser.heard, panel.get_state()], default=str)
    assert "longer" in browser.ask("login", name="redis", pad="AAAA")["error"]["problem"]


def test_what_is_no_panel(say: Say, isolated: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown panel 'stak'"):
        open_panel("stak", folder=isolated)
    said = say("panel", "stack")
    assert (said.code, said.err.splitlines()) == (
        2,
        ["error: panels are for notebooks", "hint: In a notebook: %mlox panel stack."],
    )


def test_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(mlox.MloxError, match="need anywidget") as caught:
        open_panel("stack")
    assert "mlox-sdk[panels]" in (caught.value.hint or "")


def test_a_panel_needs_a_caller_that_names_a_verb(panel: StackPanel) -> None:
    with pytest.raises(UsageError, match="no call of a verb"):
        panel.caller.call()


def test_a_saved_panel_is_small(panel: StackPanel) -> None:
    assert len(json.dumps(panel.get_state(), default=str)) < 50_000
