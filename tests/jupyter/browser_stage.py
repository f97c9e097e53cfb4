"""A person in front of JupyterLab: a server of its own, a browser that nobody sees, and a notebook that is open."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.live.native_stage import free_port
from tests.live.ssh_stage import answers
from tests.live.support import until

Theme = Literal["light", "dark"]
TOKEN = "of-the-tests"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
)
PATIENCE_S = 90
SERIOUS = ("serious", "critical")
SHOTS = Path(os.environ.get("MLOX_TEST_SHOTS") or Path(__file__).parents[2] / "build" / "screenshots")
"""Where pictures are kept: what a panel looks like is for people to judge."""


@dataclass(frozen=True)
class Desk:
    """A JupyterLab, with the folder of its workspace and the home of all that runs there."""

    port: int
    folder: Path
    home: Path

    def mlox(self, *words: str) -> str:
        """What mlox says there, in a shell beside."""
        return self._run("-m", "mlox", *words)

    def python(self, script: str) -> str:
        """What a script prints there."""
        return self._run("-c", script)

    def _run(self, *words: str) -> str:
        environment = {**os.environ, **settings(self.home)}
        done = subprocess.run(
            (sys.executable, *words),
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout

    def notebook(self, cells: Sequence[str], name: str = "panels.ipynb") -> Path:
        """A notebook in the workspace with these cells, not run."""
        kinds: dict[str, Any] = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
        written = [{**kinds, "id": f"cell-{number}", "source": cell} for number, cell in enumerate(cells)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.folder / name
        document = {"cells": written, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        path.write_text(json.dumps(document))
        return path


def settings(home: Path) -> dict[str, str]:
    """Variables of the environment by which nothing of the tester's own is touched."""
    return {"HOME": str(home), "MLOX_DATA_HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "jupyter")}


@contextmanager
def lab(folder: Path, home: Path) -> Iterator[Desk]:
    """A server of JupyterLab on loopback, without news from outside."""
    workspace = folder / "demo"
    workspace.mkdir()
    config = home / "jupyter" / "labconfig"
    config.mkdir(parents=True)
    announcements = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "page_config.json").write_text(json.dumps(announcements))
    port = free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"),
    ]
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, env={**os.environ, **settings(home)}, stdout=log, stderr=log)
        try:
            until(lambda: answers("127.0.0.1", port) or server.poll() is not None, PATIENCE_S)
            assert server.poll() is None, (folder / "lab.log").read_text()
            yield Desk(port, workspace, home)
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser; the test is skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("chromium is not on the PATH: tests/live/install")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_S * 1000)
        made = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield made
        made.close()


class Screen:
    """A page of the browser, on which a notebook of the desk is open."""

    def __init__(self, opened: Browser, desk: Desk) -> None:
        self.desk = desk
        context = opened.new_context(viewport={"width": 1280, "height": 900})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(PATIENCE_S * 1000)
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        context.on("request", lambda request: self._heard(request.url))

    def _heard(self, url: str) -> None:
        """Nothing is asked for from anywhere but this machine: all is in what was installed."""
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.problems.append(f"asked for {url}")

    def open(self, notebook: Path, workspace: str = "default") -> None:
        """Open a notebook, once its kernel is there; pages of one workspace of JupyterLab open what the others have."""
        where = f"lab/workspaces/{workspace}/tree/{notebook.relative_to(self.desk.folder.parent)}"
        self.page.goto(f"http://127.0.0.1:{self.desk.port}/{where}?token={TOKEN}")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.page.get_by_text("| Idle").wait_for()

    def menu(self, name: str, entry: str) -> None:
        """Choose an entry of a menu."""
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        self.entry(entry).click()

    def run_all(self) -> None:
        """Run all cells; again where nothing runs, since a kernel that says it is idle may not be connected yet."""
        first = self.page.locator(".jp-InputPrompt").first
        for _ in range(5):
            self.menu("Run", "Run All Cells")
            try:
                expect(first).to_have_text(re.compile(r"\[(\*|\d+)\]:"), timeout=5000)
            except AssertionError:
                continue
            return
        raise AssertionError("no cell ran")

    def entry(self, name: str) -> Locator:
        """An entry of the menu that is open; its name may end in an ellipsis."""
        return self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(name)}…?$"))

    def theme(self, theme: Theme) -> None:
        """JupyterLab in light or dark."""
        self.menu("Settings", "Theme")
        self.entry(f"JupyterLab {theme.title()}").click()
        self.page.locator(f"body[data-jp-theme-light={'true' if theme == 'light' else 'false'}]").wait_for(
            state="attached"
        )
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def shot(self, name: str) -> Path:
        """Keep a picture."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        self.page.screenshot(path=str(path))
        return path

    def findings(self, where: str) -> list[dict[str, Any]]:
        """What axe-core finds of serious or worse in a part of the page."""
        found = Axe().run(self.page, context=where).response["violations"]
        return [
            {"rule": one["id"], "where": [node["html"][:200] for node in one["nodes"]]}
            for one in found
            if one["impact"] in SERIOUS
        ]


@contextmanager
def watched(desk: Desk, name: str) -> Iterator[Screen]:
    """A page of a browser of its own; afterwards a last picture of it, and nothing went wrong in it."""
    with browser() as opened:
        made = Screen(opened, desk)
        yield made
        made.shot(f"{name}-last")
        assert made.problems == []
