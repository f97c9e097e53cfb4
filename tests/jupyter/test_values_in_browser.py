"""Values in JupyterLab, in a browser: seen by people and by axe-core, in light and dark, reached by the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.jupyter.browser_stage import Desk, Screen, Theme, lab, watched
from tests.live.support import data_home

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("browser")]

OUTPUTS = ".jp-OutputArea"
COMPONENT = "utility-framework"
CELLS = {
    "begin": "%load_ext mlox_jupyter\nimport mlox\nstack = mlox.Stack()",
    "stack": "stack",
    "status": "%mlox status",
    "plan": "stack.plan()",
    "service": "stack.service('redis')",
    "component": f"mlox.Component({COMPONENT!r})",
    "diff": f"%mlox diff {COMPONENT}",
    "dry run": "%mlox add plugin-registry --dry-run",
    "logs": "%mlox logs redis --lines 8",
    "table": "%mlox catalog database",
}
TALL = 2600
"""So high that all outputs are on one picture."""

WIDE = """
() => [...document.querySelectorAll(".jp-OutputArea-output, .jp-OutputArea-output *")].filter((one) => {
  const scrolls = ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
  return scrolls && one.checkVisibility() && one.scrollWidth > one.clientWidth;
}).map((one) => one.querySelector("[tabindex]")?.getAttribute("aria-label") || one.outerHTML.slice(0, 200))
"""
"""What of the outputs is wider than its place, by the label of what the keyboard takes hold of in it."""

FOCUSED = "() => document.activeElement.getAttribute('aria-label') || ''"
SCROLLED = "() => document.activeElement.parentElement.scrollLeft > 0"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """JupyterLab on a workspace with a Redis that runs, what needs it and does not, and a component that was edited."""
    with data_home() as home, lab(tmp_path_factory.mktemp("values"), home) as made:
        made.mlox("init", "demo")
        for name in ("redis", "feast", COMPONENT):
            made.mlox("add", name)
        made.mlox("up", "redis")
        first = next(path for path in sorted((made.folder / "src").rglob("*.py")) if path.name != "__init__.py")
        first.write_text(f"{first.read_text()}\nEDITED = '{'as long as few lines are, ' * 8}'\n")
        yield made
        made.mlox("down", "--purge", "-y")


@pytest.fixture(scope="module")
def screen(desk: Desk) -> Iterator[Screen]:
    """All cells have run."""
    with watched(desk, "values") as made:
        made.page.set_viewport_size({"width": 1280, "height": TALL})
        made.open(desk.notebook(tuple(CELLS.values()), "values.ipynb"))
        made.run_all()
        expect(made.page.locator(OUTPUTS).last).to_contain_text("qdrant")
        yield made


def test_values_are_seen_by_everybody(screen: Screen) -> None:
    page = screen.page
    status = page.get_by_role("table", name="Services and components of demo", exact=True)
    expect(status.get_by_role("row", name="redis")).to_contain_text("running")
    plan = page.get_by_role("table", name="Plan of 1 action")
    expect(plan.get_by_role("row", name="create feast")).to_be_visible()
    expect(page.get_by_role("table", name="Services of demo", exact=True).get_by_role("rowheader")).to_have_count(2)
    service = page.get_by_role("table", name="Service redis")
    expect(service.get_by_role("row", name="status")).to_contain_text("running")
    component = page.get_by_role("table", name=f"Component {COMPONENT}")
    expect(component.get_by_role("row", name="state")).to_contain_text("edited")
    expect(page.get_by_role("insertion").filter(has_text="+EDITED")).to_be_visible()
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": TALL})
        themes: tuple[Theme, ...] = ("light", "dark")
        for theme in themes:
            screen.theme(theme)
            screen.shot(f"values-{width}-{theme}")
            assert screen.findings(OUTPUTS) == []


@pytest.mark.long
def test_what_is_wide_is_scrolled_by_the_keyboard(screen: Screen) -> None:
    page = screen.page
    page.set_viewport_size({"width": 800, "height": TALL})
    page.get_by_role("group", name="Services of demo", exact=True).focus()
    scrolled = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        label = page.evaluate(FOCUSED)
        if label in page.evaluate(WIDE):
            page.keyboard.press("ArrowRight")
            page.wait_for_function(SCROLLED)
            screen.shot("values-focus-800")
            scrolled.add(label)
    assert set(page.evaluate(WIDE)) == scrolled
    assert "Services and components of demo" in scrolled


@pytest.mark.long
def test_files_are_opened_by_the_keyboard(screen: Screen) -> None:
    page = screen.page
    closed = page.locator(f"{OUTPUTS} details:not([open])")
    before = closed.count()
    assert before > 1
    closed.first.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(closed).to_have_count(before - 1)


@pytest.mark.long
def test_after_a_click_on_a_table_the_shortcuts_go_on(screen: Screen) -> None:
    page = screen.page
    cell = page.locator(".jp-CodeCell", has=page.get_by_role("table", name="Plan of 1 action"))
    cell.get_by_role("cell", name="local").click()
    before = cell.locator(".jp-InputPrompt").inner_text()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    expect(cell.locator(".jp-InputPrompt")).not_to_have_text(before)
