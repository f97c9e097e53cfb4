"""The panel of secrets without a browser: names and readers, set and rotated, and no value in anything that leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

import mlox
from mlox.testing import FakeBackend
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.panels.secrets import SecretsPanel
from tests.jupyter.panel_stage import Browser

VALUE = "a value that nobody sees"


@pytest.fixture
def panel(machine: FakeBackend, isolated: Path) -> Iterator[SecretsPanel]:
    """That of a stack with a redis, which runs and has a password."""
    del machine
    stack = mlox.Stack("demo", path=isolated)
    stack.add("redis")
    stack.up()
    yield cast("SecretsPanel", open_panel("secrets", folder=isolated))
    close_all()


@pytest.fixture
def browser(panel: SecretsPanel, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(panel, monkeypatch)


def names(panel: SecretsPanel) -> list[str]:
    return [row["name"] for row in panel.seen["secrets"]]


def test_names_readers_and_ages(panel: SecretsPanel) -> None:
    (row,) = panel.seen["secrets"]
    assert (row["name"], row["store"], row["readers"]) == ("redis.password", "user", ["you"])
    assert row["updated"] > 0
    assert str(panel) == "panel secrets: open in JupyterLab; as text: %mlox secrets list"


def test_one_is_set_and_its_value_never_comes_back(panel: SecretsPanel, browser: Browser) -> None:
    told = browser.ask("set", name="API_KEY", value=VALUE)["value"]
    assert told.startswith("API_KEY set")
    assert mlox.secrets.get("API_KEY").reveal() == VALUE
    assert names(panel) == ["API_KEY", "redis.password"], "it is seen at once"
    assert VALUE not in json.dumps([browser.heard, panel.get_state()], default=str)


def test_one_is_made(panel: SecretsPanel, browser: Browser) -> None:
    browser.ask("generate", name="TOKEN", length=32)
    assert len(mlox.secrets.get("TOKEN").reveal()) == 32
    assert "TOKEN" in names(panel)


def test_an_empty_one_is_refused(panel: SecretsPanel, browser: Browser) -> None:
    assert "error" in browser.ask("set", name="API_KEY", value="")
    assert names(panel) == ["redis.password"]


def test_one_is_rotated_after_it_was_told_what_starts_again(browser: Browser) -> None:
    before = mlox.secrets.get("redis.password").reveal()
    assert browser.ask("rotates", name="redis.password")["value"].endswith("would start again: redis")
    assert mlox.secrets.get("redis.password").reveal() == before
    browser.ask("rotate", name="redis.password")
    work = browser.done()
    assert (work["title"], work["failed"]) == ("rotate redis.password", False)
    after = mlox.secrets.get("redis.password").reveal()
    assert after != before
    assert not [value for value in (before, after) if value in json.dumps([browser.heard, work])]


def test_one_is_removed(panel: SecretsPanel, browser: Browser) -> None:
    browser.ask("generate", name="TOKEN", length=32)
    assert browser.ask("remove", name="TOKEN")["value"] == "TOKEN removed"
    assert names(panel) == ["redis.password"]
    assert "Did you mean" in browser.ask("remove", name="redis.passwort")["error"]["hint"]
