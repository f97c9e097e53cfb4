"""A first day by clicks: MLflow from the catalog, a component with its diff, a secret, a new kernel, all stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mlox_jupyter.panels import CLASSES
from tests.jupyter.browser_stage import PATIENCE_S, Desk, Screen, Theme, lab, watched
from tests.live.support import data_home, until

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("browser")]

INSTALL_MS = 600_000
PANELS = ("catalog", "components", "secrets", "stack")
CELLS = ("%load_ext mlox_jupyter", *(f"%mlox panel {name} --here" for name in PANELS))
TYPED = "typed-by-hand-and-seen-by-nobody"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """JupyterLab on a workspace with nothing in it."""
    with data_home() as home, lab(tmp_path, home) as made:
        made.mlox("init", "demo")
        yield made
        made.mlox("down", "--purge", "-y")


@pytest.fixture
def screen(desk: Desk) -> Iterator[Screen]:
    with watched(desk, "day") as made:
        yield made


def panel(page: Page, name: str) -> str:
    """What finds a panel, which is in view then."""
    where = f'.mlox-panel[data-panel="{name}"]'
    page.locator(where).scroll_into_view_if_needed()
    return where


def press(page: Page, where: str, *labels: str) -> None:
    """Press a button of a panel, then one of each dialog that opens."""
    page.locator(where).get_by_role("button", name=labels[0], exact=True).click()
    for label in labels[1:]:
        page.get_by_role("dialog").get_by_role("button", name=label, exact=True).click()


def test_a_first_day_by_clicks(screen: Screen, desk: Desk) -> None:
    page, notebook = screen.page, desk.notebook(CELLS)
    assert set(PANELS) == set(CLASSES)
    screen.open(notebook)
    screen.run_all()
    up_from_the_catalog(screen)
    open_in_another_page(screen, desk)
    add_a_component(screen, desk)
    set_a_secret(screen, desk)
    screen.menu("Settings", "Save Widget State Automatically")
    screen.menu("File", "Save Notebook")
    until(lambda: "widget-state" in notebook.read_text(), PATIENCE_S)
    saved = notebook.read_text()
    reads = "import mlox; print(mlox.secrets.get('mlflow.admin_password').reveal())"
    for secret in (TYPED, desk.python(reads).strip()):
        assert secret not in saved
    assert len(saved) < 200_000
    screen.menu("Kernel", "Restart Kernel and Run All Cells")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator('[data-panel="catalog"]').wait_for(state="detached")
    stack = panel(page, "stack")
    expect(page.locator(f"{stack} .mlox-status")).to_have_attribute("data-status", "running")
    press(page, stack, "Down all", "down")
    expect(page.locator(f"{stack} .mlox-status")).to_have_attribute("data-status", "stopped")
    (row,) = json.loads(desk.mlox("status", "--json"))["services"]
    assert (row["name"], row["status"]) == ("mlflow", "stopped")


def up_from_the_catalog(screen: Screen) -> None:
    """A wrong option is refused by its field; then the plan with what it takes, and bars while it comes up."""
    page = screen.page
    catalog = panel(page, "catalog")
    page.get_by_role("searchbox", name="Search services").fill("experiment tracking")
    expect(page.get_by_role("list", name="Services that can be deployed").get_by_role("heading")).to_have_count(1)
    press(page, catalog, "Up mlflow")
    dialog = page.get_by_role("dialog")
    workers = dialog.get_by_label("workers")
    workers.fill("65")
    dialog.get_by_role("button", name="What would be done").click()
    assert workers.evaluate("(field) => field.validity.rangeOverflow")
    workers.fill("2")
    looked_at(screen, catalog, "catalog-form")
    dialog.get_by_role("button", name="What would be done").click()
    expect(dialog).to_contain_text(re.compile("Takes about 600 MB of memory and 1.20 GB of disk"))
    expect(dialog).to_contain_text("create")
    screen.shot("catalog-plan-1280-light")
    dialog.get_by_role("button", name="up mlflow").click()
    work = page.locator(catalog).get_by_role("region", name="Work")
    expect(work.get_by_role("rowheader", name="mlflow")).to_be_visible()
    expect(work.locator(".mlox-bar")).to_have_count(1)
    screen.shot("catalog-progress-1280-light")
    expect(work).to_contain_text("up mlflow: done", timeout=INSTALL_MS)
    expect(page.get_by_role("list", name="Made of mlflow")).to_contain_text("mlflow: running")
    looked_at(screen, catalog, "catalog")


def open_in_another_page(screen: Screen, desk: Desk) -> None:
    """The link of the card leads to MLflow's own page, for which the card has the password."""
    page = screen.page
    link = page.get_by_role("list", name="Made of mlflow").get_by_role("link")
    stack = panel(page, "stack")
    press(page, stack, "Copy password of mlflow")
    expect(page.locator(stack)).to_contain_text("The password of mlflow is in the clipboard")
    password = page.evaluate("navigator.clipboard.readText()")
    opened = page.context.browser
    assert opened is not None
    address = link.get_attribute("href")
    assert address is not None
    context = opened.new_context(http_credentials={"username": "admin", "password": password})
    mlflow = context.new_page()
    mlflow.goto(address, timeout=PATIENCE_S * 1000)
    expect(mlflow).to_have_title("MLflow")
    context.close()
    assert "workers: 2" in (desk.folder / "mlox.yaml").read_text()


def add_a_component(screen: Screen, desk: Desk) -> None:
    """Its files are shown before they are written; an edit is a diff of both sides; undo takes it all back."""
    page = screen.page
    components = panel(page, "components")
    page.get_by_role("searchbox", name="Search components").fill("feature")
    press(page, components, "Add: feature-store", "What would be written")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("feature-store 1.0 would add 6 files to src/demo/feature_store")
    expect(dialog.get_by_role("table", name="How src/demo/feature_store/__init__.py differs")).to_be_visible()
    screen.shot("components-add-1280-light")
    assert screen.findings(components) == []
    dialog.get_by_role("button", name="add feature-store").click()
    row = page.get_by_role("list", name="In this repository").get_by_role("listitem")
    expect(row).to_contain_text("as it came")
    settings = desk.folder / "src/demo/feature_store/settings.py"
    settings.write_text(settings.read_text().replace('= "sqlite"', '= "redis"', 1))
    expect(row).to_contain_text("edited")
    press(page, components, "My edits: feature-store")
    expect(dialog.locator('.mlox-code[data-mark="gone"]')).to_contain_text("sqlite")
    expect(dialog.locator('.mlox-code[data-mark="new"]')).to_contain_text("redis")
    looked_at(screen, components, "components-diff")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    looked_at(screen, components, "components")


def set_a_secret(screen: Screen, desk: Desk) -> None:
    page = screen.page
    secrets = panel(page, "secrets")
    press(page, secrets, "Set a secret")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Set", exact=True).click()  # refused: a name is missing
    dialog.get_by_label("Name").fill("API_KEY")
    dialog.get_by_label("Value").fill(TYPED)
    dialog.get_by_label("Value").press("Enter")
    expect(page.locator(secrets)).to_contain_text("API_KEY")
    assert desk.python("import mlox; print(mlox.secrets.get('API_KEY').reveal())").strip() == TYPED


def looked_at(screen: Screen, where: str, name: str) -> None:
    """Pictures of a panel, wide and narrow, light and dark; axe-core finds nothing serious in any."""
    page = screen.page
    themes: tuple[Theme, ...] = ("light",) if page.get_by_role("dialog").count() else ("light", "dark")
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in themes:
            if len(themes) > 1:  # a dialog lets nobody reach the menu
                screen.theme(theme)
            page.locator(f"{where} h2").evaluate("(title) => title.scrollIntoView()")
            screen.shot(f"{name}-{width}-{theme}")
            assert screen.findings(where) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    if len(themes) > 1:
        screen.theme("light")
