"""The panel of the catalog without a browser: what is offered, forms, plans with what they take, and ups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import mlox
from mlox.testing import FakeBackend
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.panels.catalog import CatalogPanel
from mlox_jupyter.panels.given import Given
from tests.jupyter.panel_stage import Browser
from tests.live.support import until


@pytest.fixture
def panel(machine: FakeBackend, isolated: Path) -> Iterator[CatalogPanel]:
    """That of a workspace with a redis, which was not started."""
    del machine
    mlox.Stack("demo", path=isolated).add("redis")
    yield cast("CatalogPanel", open_panel("catalog", folder=isolated))
    close_all()


@pytest.fixture
def browser(panel: CatalogPanel, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(panel, monkeypatch)


def offered(panel: CatalogPanel, name: str) -> dict[str, Any]:
    (found,) = (one for one in panel.seen["services"] if one["name"] == name)
    return cast("dict[str, Any]", found)


def test_what_is_offered_and_what_there_is_of_it(panel: CatalogPanel) -> None:
    assert offered(panel, "mlflow")["there"] == []
    assert offered(panel, "mlflow")["provides"] == ["mlflow"]
    assert offered(panel, "redis")["there"] == [{"name": "redis", "status": "absent", "url": None}]
    assert str(panel) == "panel catalog: open in JupyterLab; as text: %mlox catalog"


def test_a_file_that_is_broken_is_told(panel: CatalogPanel, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (isolated / "services").mkdir()
    (isolated / "services" / "mine.yaml").write_text("name: mine\n")
    monkeypatch.setattr("mlox_jupyter.panels.catalog.READ_S", 0)
    panel.refresh()
    (told,) = panel.seen["alerts"]
    assert told.startswith("not in the catalog: ")
    assert "mine.yaml" in told
    assert offered(panel, "mlflow"), "the others are there"


def test_a_form_has_options_with_limits_needs_and_servers(browser: Browser) -> None:
    form = browser.ask("form", name="mlflow")["value"]
    workers = form["options"]["workers"]
    assert (workers["type"], workers["default"], workers["minimum"], workers["maximum"]) == ("integer", 1, 1, 64)
    assert form["options"]["default_permission"]["choices"] == ["NO_PERMISSIONS", "READ", "EDIT", "MANAGE"]
    database = {"help": "where runs, models and users are recorded", "services": [], "embedded": True}
    assert form["needs"]["database"] == database
    assert browser.ask("form", name="feast")["value"]["needs"]["online"]["services"] == ["redis"]
    assert form["servers"] == ["local", "docker"]
    assert form["estimate"] == {"memory_bytes": 600_000_000, "disk_bytes": 1_200_000_000}


def test_a_plan_tells_what_all_that_is_new_takes_and_writes_nothing(browser: Browser, isolated: Path) -> None:
    before = (isolated / "mlox.yaml").read_text()
    given = {"needs": {"online": "redis"}, "as": "features"}
    plan = browser.ask("plan", name="feast", given=given)["value"]
    assert [row[:2] for row in plan["rows"]] == [["create", "redis"], ["create", "features"]]
    takes = [browser.ask("form", name=name)["value"]["estimate"] for name in ("redis", "feast")]
    assert plan["estimate"] == {key: sum(one[key] for one in takes) for key in ("memory_bytes", "disk_bytes")}
    assert (isolated / "mlox.yaml").read_text() == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"options": {"workers": "65"}}, "64"),
        ({"options": {"nothing": "1"}}, "nothing"),
        ({"as": "Not a name"}, "Not a name"),
        ({"version": "0.1"}, "0.1"),
        ({"on": "mars"}, "mars"),
        ({"needs": {"database": "mars"}}, "mars"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_hint(browser: Browser, given: dict[str, Any], said: str) -> None:
    error = browser.ask("plan", name="mlflow", given=given)["error"]
    assert said in error["problem"]
    assert error["hint"]


def test_the_plan_that_was_agreed_to_is_carried_out(panel: CatalogPanel, browser: Browser, isolated: Path) -> None:
    given = {"options": {"workers": "2"}}
    digest = browser.ask("plan", name="mlflow", given=given)["value"]["digest"]
    browser.ask("up", name="mlflow", given=given, digest=digest)
    done = browser.done()
    assert (done["title"], done["failed"]) == ("up mlflow", False)
    assert [step["service"] for step in done["steps"] if step["service"]] == ["mlflow"]
    (there,) = offered(panel, "mlflow")["there"]
    assert there["status"] == "running"
    assert mlox.Stack(path=isolated).spec().services["mlflow"].options == {"workers": 2}


def test_another_plan_than_that_is_refused(browser: Browser, isolated: Path) -> None:
    digest = browser.ask("plan", name="mlflow", given={})["value"]["digest"]
    browser.ask("up", name="mlflow", given={"options": {"workers": "3"}}, digest=digest)
    assert browser.done()["failed"]
    assert "mlflow" not in mlox.Stack(path=isolated).spec().services


def test_panels_and_scripts_see_each_other(panel: CatalogPanel, isolated: Path) -> None:
    stack = open_panel("stack", folder=isolated)
    mlox.Stack(path=isolated).up("redis")
    until(lambda: offered(panel, "redis")["there"][0]["status"] == "running", 5)
    until(lambda: stack.seen["services"][0]["status"] == "running", 5)


def test_words_of_a_form_are_one_word_each() -> None:
    given = Given.of({"options": {"text": "--json x=1"}, "needs": {}, "on": None, "version": "2"})
    assert given.words("up", "page") == ("up", "page@2", "--set=text=--json x=1")
