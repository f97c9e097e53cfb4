"""The panel of components without a browser: what there is, previews with diffs, and each change taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import mlox
from mlox.testing import FakeBackend
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.panels.components import ComponentsPanel
from tests.component_stage import offer, template_files
from tests.jupyter.panel_stage import Browser

WORDS = "src/demo/greeting/words.py"


@pytest.fixture
def panel(machine: FakeBackend, isolated: Path) -> Iterator[ComponentsPanel]:
    """That of a workspace, whose own registry has a component."""
    del machine
    mlox.Stack("demo", path=isolated).init()
    offer(isolated, template_files("greeting"), "greeting")
    yield cast("ComponentsPanel", open_panel("components", folder=isolated))
    close_all()


@pytest.fixture
def browser(panel: ComponentsPanel, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(panel, monkeypatch)


def act(browser: Browser, act: str, name: str, **given: Any) -> dict[str, Any]:
    """Do it, and what it came to."""
    preview = browser.ask("preview", act=act, name=name, given=given)["value"]
    assert "error" not in browser.ask("act", act=act, name=name, given=given, digest=preview["digest"])
    done = browser.done()
    assert not done["failed"], done
    return done


def states(panel: ComponentsPanel) -> dict[str, str]:
    panel.refresh()
    return {row["name"]: row["state"] for row in panel.seen["components"]}


def test_what_can_be_added_is_offered_until_it_is(panel: ComponentsPanel, browser: Browser) -> None:
    assert "greeting" in [one["name"] for one in panel.seen["offered"]]
    act(browser, "add", "greeting")
    assert states(panel) == {"greeting": "clean"}
    assert "greeting" not in [one["name"] for one in panel.seen["offered"]]


def test_a_preview_has_each_file_and_writes_nothing(browser: Browser, isolated: Path) -> None:
    found = browser.ask("preview", act="add", name="greeting", given={"to": "lib"})["value"]
    assert "would add" in found["lines"][0]
    paths = [one["path"] for one in found["files"]]
    assert "lib/greeting/words.py" in paths
    assert not [path for path in paths if path.startswith(".mlox/")]
    (words,) = (one["diff"] for one in found["files"] if one["path"] == "lib/greeting/words.py")
    assert words[0] == "--- /dev/null"
    assert all(line.startswith("+") for line in words[3:])
    assert not (isolated / "lib").exists()


def test_an_edit_is_a_diff_and_outdated_is_told(panel: ComponentsPanel, browser: Browser, isolated: Path) -> None:
    act(browser, "add", "greeting")
    path = isolated / WORDS
    path.write_text(path.read_text().replace("Hello", "Good day"))
    assert states(panel) == {"greeting": "edited"}
    (mine,) = browser.ask("diff", name="greeting", view="mine")["value"]["files"]
    assert mine["path"] == WORDS
    assert [line[0] for line in mine["diff"] if "Hello" in line] == ["-"]
    assert browser.ask("diff", name="greeting", view="incoming")["value"]["files"] == []
    assert browser.ask("diff", name="greeting", view="nothing")["error"]["hint"]


def test_an_update_is_shown_done_and_taken_back(panel: ComponentsPanel, browser: Browser, isolated: Path) -> None:
    act(browser, "add", "greeting")
    before = (isolated / WORDS).read_bytes()
    newer = {"src/project/greeting/words.py": before.replace(b"Hello", b"Welcome")}
    offer(isolated, template_files("greeting", version="1.1") | newer, "greeting")
    assert states(panel) == {"greeting": "update"}
    (incoming,) = browser.ask("diff", name="greeting", view="incoming")["value"]["files"]
    preview = browser.ask("preview", act="update", name="greeting", given={})["value"]
    assert [one["path"] for one in preview["files"]] == [incoming["path"]] == [WORDS]
    assert (isolated / WORDS).read_bytes() == before
    act(browser, "update", "greeting")
    assert b"Welcome" in (isolated / WORDS).read_bytes()
    undo = browser.ask("preview", act="undo", name="", given={})["value"]
    assert [one["path"] for one in undo["files"]] == [WORDS]
    act(browser, "undo", "")
    assert (isolated / WORDS).read_bytes() == before


def test_what_both_changed_is_settled_by_a_side(panel: ComponentsPanel, browser: Browser, isolated: Path) -> None:
    act(browser, "add", "greeting")
    path = isolated / WORDS
    base = path.read_bytes()
    path.write_bytes(base.replace(b"Hello", b"Good day"))
    newer = {"src/project/greeting/words.py": base.replace(b"Hello", b"Welcome")}
    offer(isolated, template_files("greeting", version="1.1") | newer, "greeting")
    assert "CONFLICT" in act(browser, "update", "greeting")["text"]
    assert states(panel) == {"greeting": "conflict"}
    (theirs,) = browser.ask("preview", act="theirs", name="greeting", given={})["value"]["files"]
    assert [line[0] for line in theirs["diff"] if "Good day" in line] == ["-"]
    act(browser, "theirs", "greeting")
    assert b"Welcome" in path.read_bytes()
    assert states(panel) == {"greeting": "clean"}


def test_what_has_changed_since_it_was_shown_is_not_done(browser: Browser, isolated: Path) -> None:
    act(browser, "add", "greeting")
    preview = browser.ask("preview", act="undo", name="", given={})["value"]
    mlox.Component("plugin-registry", path=isolated).add()
    error = browser.ask("act", act="undo", name="", given={}, digest=preview["digest"])["error"]
    assert error["problem"] == "something has changed since that was shown"
    assert mlox.Component("plugin-registry", path=isolated).state == "clean"


def test_a_removal_shows_what_goes(panel: ComponentsPanel, browser: Browser, isolated: Path) -> None:
    act(browser, "add", "greeting")
    preview = browser.ask("preview", act="remove", name="greeting", given={})["value"]
    (words,) = (one["diff"] for one in preview["files"] if one["path"] == WORDS)
    assert words[1] == "+++ /dev/null"
    act(browser, "remove", "greeting")
    assert not (isolated / WORDS).exists()
    assert states(panel) == {}


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("preview", {"act": "explode", "name": "greeting", "given": {}}),
        ("preview", {"act": "update", "name": "greeting", "given": {}}),
        ("preview", {"act": "undo", "name": "", "given": {}}),
        ("preview", {"act": "add", "name": "nothing", "given": {}}),
        ("form", {"name": "nothing"}),
        ("diff", {"name": "nothing", "view": "mine"}),
    ],
)
def test_what_cannot_be_is_one_clear_error(browser: Browser, question: str, rest: dict[str, Any]) -> None:
    error = browser.ask(question, **rest)["error"]
    assert error["problem"]
    assert error["hint"]
