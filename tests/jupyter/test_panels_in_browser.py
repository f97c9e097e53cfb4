"""Panels in JupyterLab, in a browser: clicked through, seen by people and by axe-core, saved without a secret."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.jupyter.browser_stage import PATIENCE_S, Desk, Screen, lab, watched
from tests.live.support import data_home, until

pytestmark = [
    *(pytest.mark.live, pytest.mark.slow, pytest.mark.long),
    *(pytest.mark.timeout(600), pytest.mark.xdist_group("browser")),
]

PANEL = ".mlox-panel"
CELLS = ("%load_ext mlox_jupyter", "panel = %mlox panel stack --here\npanel")
SECRETS = ("%load_ext mlox_jupyter", "%mlox panel secrets --here")
TYPED = "typed-by-hand-and-seen-by-nobody"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """JupyterLab on a workspace with a Redis and what needs it, none of which runs."""
    with data_home() as home, lab(tmp_path, home) as made:
        made.mlox("init", "demo")
        made.mlox("add", "redis")
        made.mlox("add", "feast")
        yield made
        made.mlox("down", "--purge", "-y")


@pytest.fixture
def screen(desk: Desk) -> Iterator[Screen]:
    with watched(desk, "panels") as made:
        yield made


def press(page: Page, label: str, agreed: str = "") -> None:
    """Press a button of the panel, and the one of the dialog that it opens."""
    page.locator(PANEL).get_by_role("button", name=label, exact=True).click()
    if agreed:
        page.get_by_role("dialog").get_by_role("button", name=agreed, exact=True).click()


def status(page: Page, name: str, word: str) -> None:
    """Wait until the card of a service says a word."""
    card = page.locator(".mlox-card", has=page.get_by_role("heading", name=name))
    expect(card.locator(".mlox-status")).to_have_attribute("data-status", word)


def test_a_stack_is_started_looked_at_and_stopped_by_clicks(screen: Screen, desk: Desk) -> None:
    page, notebook = screen.page, desk.notebook(CELLS)
    screen.open(notebook)
    screen.run_all()
    status(page, "redis", "absent")
    expect(page.get_by_role("img", name="feast needs redis")).to_be_visible()
    press(page, "Up redis")
    expect(page.get_by_role("dialog")).to_contain_text("create")
    screen.shot("stack-plan-1280-light")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    status(page, "redis", "absent")
    press(page, "Up redis", "up redis")
    status(page, "redis", "running")
    expect(page.get_by_role("region", name="Work")).to_contain_text("up redis: done")
    press(page, "Logs of redis")
    expect(page.get_by_role("log")).to_contain_text("Ready to accept connections")
    press(page, "Copy password of redis")
    expect(page.locator(PANEL)).to_contain_text("The password of redis is in the clipboard")
    password = page.evaluate("navigator.clipboard.readText()")
    rows = {row["name"]: row for row in json.loads(desk.mlox("status", "--json"))["services"]}
    port = rows["redis"]["ports"]["redis"].rpartition(":")[2]  # another one where somebody has the usual one
    words = ("redis-cli", "-p", port, "-a", password, "--no-auth-warning", "ping")
    assert desk.mlox("exec", "redis", "--", *words).strip() == "PONG"
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            screen.theme(theme)
            page.locator(f"{PANEL} h2").scroll_into_view_if_needed()
            screen.shot(f"stack-{width}-{theme}")
            assert screen.findings(PANEL) == []
    screen.menu("Settings", "Save Widget State Automatically")
    screen.menu("File", "Save Notebook")
    until(lambda: "widget-state" in notebook.read_text(), PATIENCE_S)
    saved = notebook.read_text()
    assert password not in saved
    assert len(saved) < 200_000
    shown = json.loads(saved)["cells"][1]["outputs"][0]["data"]["text/plain"]
    assert shown == ["panel stack: open in JupyterLab; as text: %mlox status"]


def test_what_a_shell_changes_is_seen_and_a_new_kernel_shows_it_again(screen: Screen, desk: Desk) -> None:
    page = screen.page
    screen.open(desk.notebook(CELLS))
    screen.run_all()
    status(page, "redis", "absent")
    desk.mlox("up", "redis")
    status(page, "redis", "running")
    screen.menu("Kernel", "Restart Kernel and Run All Cells")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(PANEL).wait_for(state="detached")
    status(page, "redis", "running")
    press(page, "Down redis", "down redis")
    status(page, "redis", "stopped")
    assert "redis  stopped" in desk.mlox("status")


def test_panels_of_two_kernels_and_a_shell_see_each_other(screen: Screen, desk: Desk) -> None:
    opened = screen.page.context.browser
    assert opened is not None
    other = Screen(opened, desk)
    for number, one in enumerate((screen, other)):
        one.open(desk.notebook(CELLS, f"panels-{number}.ipynb"), f"desk-{number}")
        one.run_all()
        status(one.page, "redis", "absent")
    press(screen.page, "Up redis", "up redis")
    status(other.page, "redis", "running")
    press(other.page, "Down redis", "down redis")
    status(screen.page, "redis", "stopped")
    desk.mlox("up", "redis")
    began = time.monotonic()
    for one in (screen, other):
        status(one.page, "redis", "running")
    print(f"both panels show what the shell has done after {time.monotonic() - began:.1f} s")
    assert other.problems == []


def test_a_secret_is_typed_and_is_nowhere_afterwards(screen: Screen, desk: Desk) -> None:
    page, notebook = screen.page, desk.notebook(SECRETS)
    screen.open(notebook)
    screen.run_all()
    press(page, "Set a secret")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("API_KEY")
    dialog.get_by_label("Value").fill(TYPED)
    screen.shot("secrets-set-1280-light")
    assert screen.findings(PANEL) == []
    dialog.get_by_label("Value").press("Enter")
    expect(page.get_by_role("region", name="Secrets")).to_contain_text("API_KEY")
    read = "import mlox; print(mlox.secrets.get('API_KEY').reveal())"
    assert desk.python(read).strip() == TYPED
    for theme in ("light", "dark"):
        screen.theme(theme)
        screen.shot(f"secrets-1280-{theme}")
        assert screen.findings(PANEL) == []
    press(page, "Remove API_KEY", "Remove")
    expect(page.get_by_role("region", name="Secrets")).not_to_contain_text("API_KEY")
    screen.menu("Settings", "Save Widget State Automatically")
    screen.menu("File", "Save Notebook")
    until(lambda: "widget-state" in notebook.read_text(), PATIENCE_S)
    assert TYPED not in notebook.read_text()


def test_panels_are_beside_the_notebook_and_come_back_into_their_cells(screen: Screen, desk: Desk) -> None:
    page = screen.page
    screen.open(desk.notebook(("%load_ext mlox_jupyter", "%mlox panel stack", "%mlox panel secrets")))
    screen.run_all()
    cells, docked = page.locator(".jp-OutputArea"), page.locator(f".lm-DockPanel-widget > {PANEL}")
    expect(cells.get_by_text("This panel is beside the notebook.")).to_have_count(2)
    for name, title in (("stack", "Stack demo"), ("secrets", "Secrets")):
        page.get_by_role("tab", name=f"mlox {name}").click()
        expect(docked.get_by_role("heading", name=title)).to_be_in_viewport()
    page.get_by_role("tab", name="mlox stack").click()
    status(page, "redis", "absent")
    screen.shot("docked-1280-light")
    assert screen.findings(".lm-DockPanel-widget .mlox-panel") == []
    desk.mlox("up", "redis")
    status(page, "redis", "running")
    cells.get_by_role("button", name="Show it here").first.click()
    expect(cells.get_by_role("heading", name="Stack demo")).to_be_visible()
    expect(page.get_by_role("tab", name="mlox stack")).to_have_count(0)
    screen.menu("Kernel", "Restart Kernel and Run All Cells")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_role("tab", name="mlox secrets").wait_for(state="detached")
    page.get_by_role("tab", name="mlox stack").click()
    status(page, "redis", "running")
    expect(page.get_by_role("tab", name=re.compile("^mlox "))).to_have_count(2)
