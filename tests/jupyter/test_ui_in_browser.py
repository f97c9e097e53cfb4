"""``mlox ui`` in a browser: all panels on one page, by mouse and by keyboard, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.jupyter.browser_stage import Desk, Screen, browser
from tests.jupyter.ui_stage import Served, served
from tests.live.support import data_home, until

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("browser")]

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A workspace with a Redis that does not run."""
    folder = tmp_path / "demo"
    folder.mkdir()
    with data_home() as home:
        made = Desk(0, folder, home)
        made.mlox("init", "demo")
        made.mlox("add", "redis")
        yield made
        made.mlox("down", "--purge", "-y")


@pytest.fixture
def site(desk: Desk) -> Iterator[Served]:
    with served(desk.folder, desk.home) as made:
        yield made


@pytest.fixture
def opened() -> Iterator[Browser]:
    with browser() as made:
        yield made


@pytest.fixture
def screen(opened: Browser, desk: Desk, site: Served) -> Iterator[Screen]:
    """The page, opened with its token."""
    made = Screen(opened, desk)
    # What the page may not load, its policy stops before it is a request.
    refused = lambda said: made.problems.append(said.text) if "Content Security Policy" in said.text else None  # noqa: E731
    made.page.on("console", refused)
    made.page.goto(site.address)
    expect(panel(made.page, "stack").get_by_role("heading", name="redis")).to_be_visible()
    yield made
    made.shot("ui-last")
    assert made.problems == []


def panel(page: Page, name: str) -> Locator:
    """The part of the page that a tab opens."""
    return page.get_by_role("tabpanel", name=name.capitalize(), exact=True)


def choose(page: Page, name: str) -> Locator:
    page.get_by_role("tab", name=name.capitalize(), exact=True).click()
    found = panel(page, name)
    expect(found.locator(".mlox-panel")).to_be_visible()
    return found


def test_all_panels_are_there_and_everybody_can_use_them(screen: Screen) -> None:
    page = screen.page
    expect(page).to_have_title("mlox: demo")
    expect(page.get_by_role("tab")).to_have_text(["Stack", "Catalog", "Components", "Secrets"])
    assert "token" not in page.url
    for name, shows in (
        ("stack", "redis"),
        ("catalog", "postgres"),
        ("components", "feature-store"),
        ("secrets", "Set a secret"),
    ):
        shown = choose(page, name)
        expect(shown).to_contain_text(shows)
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        for width in (1280, 800):
            page.set_viewport_size({"width": width, "height": 900})
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                page.evaluate("scrollTo(0, 0)")
                screen.shot(f"ui-{name}-{width}-{theme}")
                assert screen.findings("body") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.long
def test_a_plan_is_shown_and_left_by_cancel_then_carried_out(screen: Screen, desk: Desk) -> None:
    shown = panel(screen.page, "stack")
    shown.get_by_role("button", name="Up redis", exact=True).click()
    dialog = screen.page.get_by_role("dialog")
    expect(dialog).to_contain_text("create")
    screen.shot("ui-plan-1280-light")
    dialog.get_by_role("button", name="Cancel", exact=True).click()
    expect(dialog).to_have_count(0)
    assert "redis  absent" in desk.mlox("status")
    shown.get_by_role("button", name="Up redis", exact=True).click()
    dialog.get_by_role("button", name="up redis", exact=True).click()
    expect(shown.locator(".mlox-status")).to_have_attribute("data-status", "running")
    expect(shown.get_by_role("region", name="Work")).to_contain_text("up redis: done")


@pytest.mark.long
def test_a_dialog_whose_panel_is_out_of_sight_waits_and_locks_nothing(screen: Screen) -> None:
    page = screen.page
    # Both in one turn of the page, so that the plan comes when its panel is hidden already.
    up, tab = '[aria-label="Up redis"]', '[role="tab"]:last-of-type'
    page.evaluate(f"document.querySelector('{up}').click(); document.querySelector('{tab}').click()")
    expect(panel(page, "secrets")).to_be_visible()
    page.locator("dialog:not([open])").wait_for(state="attached")
    panel(page, "secrets").get_by_role("button", name="Set a secret").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel", exact=True).click()
    choose(page, "stack")
    expect(page.get_by_role("dialog")).to_contain_text("create")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.long
def test_tabs_are_moved_through_by_keys_and_kept_in_the_address(screen: Screen) -> None:
    page = screen.page
    page.get_by_role("tab", name="Stack").focus()
    for key, name in (("ArrowRight", "catalog"), ("End", "secrets"), ("ArrowRight", "stack"), ("ArrowLeft", "secrets")):
        page.keyboard.press(key)
        expect(page.get_by_role("tab", selected=True)).to_have_text(name.capitalize())
        expect(page.get_by_role("tab", selected=True)).to_be_focused()
        expect(panel(page, name)).to_be_visible()
    page.keyboard.press("Tab")
    expect(panel(page, "secrets").get_by_role("button", name="Set a secret")).to_be_focused()
    page.reload()
    expect(panel(page, "secrets").locator(".mlox-panel")).to_be_visible()


@pytest.mark.long
def test_a_page_that_is_closed_ends_its_kernel_after_what_it_has_under_way(
    screen: Screen, desk: Desk, site: Served
) -> None:
    page = screen.page
    assert len(site.kernels()) == 1
    page.reload()
    shown = panel(page, "stack")
    expect(shown.get_by_role("button", name="Up redis", exact=True)).to_be_enabled()
    until(lambda: len(site.kernels()) == 1)
    shown.get_by_role("button", name="Up redis", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="up redis", exact=True).click()
    expect(shown.get_by_role("region", name="Work")).to_contain_text("up redis …")
    screen.shot("ui-work-1280-light")
    page.goto("about:blank")
    until(lambda: site.kernels() == [])
    assert "redis  running" in desk.mlox("status")
