"""`mlox history` for real: a kill in the middle loses nothing, and the last purge leaves nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.support import MLOX, Project, data_home, project, until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("history")]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Project]:
    """A stack with a page that takes its time."""
    with data_home() as home, project(tmp_path / "shop", home) as made:
        made.write_page(port=18291)
        yield made


def outcomes(shop: Project) -> list[tuple[str, str]]:
    return [(entry["steps"][0]["kind"], entry["outcome"]) for entry in shop.json("history")["history"]]


def test_a_kill_is_remembered_and_what_was_before_too(shop: Project, tmp_path: Path) -> None:
    shop.done("up", "page")
    shop.done("down")
    (path,) = (path for path in shop.data.iterdir() if path.name == "history")
    assert path.stat().st_mode & 0o777 == 0o600
    process = shop.process(*MLOX, "up", "page", "--set", "patience=30", stderr=subprocess.DEVNULL)
    until(lambda: outcomes(shop)[0] == ("update", "under way"))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert outcomes(shop) == [("update", "interrupted"), ("stop", "done"), ("create", "done")]
    shop.done("up", "page", "--set", "patience=0")
    assert ("update", "interrupted") in outcomes(shop)
    assert outcomes(shop)[0][1] == "done"
    shutil.rmtree(shop.folder / ".mlox" / "local", ignore_errors=True)
    clone = tmp_path / "clone"
    shutil.copytree(shop.folder, clone)
    assert outcomes(Project(clone, shop.home)) == outcomes(shop)
    assert shop.password("page", "token") not in path.read_text()
    shop.done("down", "page", "--purge", "-y")
    assert not shop.data.exists()
    assert shop.done("history") == "nothing was done yet\n"
