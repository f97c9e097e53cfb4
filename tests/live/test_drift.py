"""`mlox drift` for real: what somebody changed on the machine is found, and looking changes nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.support import Project, data_home, project, snapshot, until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("drift")]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Project]:
    """A stack with a redis and a page, which run."""
    with data_home() as home, project(tmp_path / "shop", home) as made:
        made.write_page(port=18261)
        made.done("up", "redis", "page")
        yield made


def differences(shop: Project) -> list[tuple[str, str, str, str]]:
    found = shop.json("drift")["differences"]
    return [(each["service"], each["kind"], each["what"], each["here"]) for each in found]


def test_nothing_differs_and_a_look_changes_nothing(shop: Project) -> None:
    before = snapshot(shop.folder, shop.data / "services", shop.data / "units", shop.data / "launch")
    running = {process.pid for process in shop.processes()}
    said = shop.mlox("drift", "--exit-code")
    assert (said.code, said.out) == (0, "all runs as it is written\n")
    assert snapshot(shop.folder, shop.data / "services", shop.data / "units", shop.data / "launch") == before
    assert {process.pid for process in shop.processes()} == running


def test_what_was_changed_by_hand_is_found_and_no_secret_is_shown(shop: Project) -> None:
    password = shop.password("redis")
    config = next((shop.data / "services" / "redis" / "config").glob("*.conf"))
    config.write_text(config.read_text().replace(password, "hunter22-by-hand"))
    page = shop.data / "services" / "page" / "config" / "page.py"
    page.chmod(0o644)
    launch = shop.data / "launch" / "page.server.json"
    value = json.loads(launch.read_bytes())
    token, value["environment"]["TOKEN"] = value["environment"]["TOKEN"], "hunter22-of-somebody"
    value["argv"].append("--more")
    launch.write_text(json.dumps(value))
    assert sorted(differences(shop)) == [
        ("page", "command", "as it is started", "changed"),
        ("page", "environment", "TOKEN", "changed"),
        ("page", "file", "config/page.py", "mode 644 instead of 600"),
        ("redis", "file", f"config/{config.name}", "changed"),
    ]
    said = shop.mlox("drift", "--exit-code")
    assert said.code == 4
    assert not any(text in said.out + said.err for text in (password, token, "hunter22"))


def test_what_was_stopped_by_hand_is_found(shop: Project) -> None:
    shop.done("down", "page")
    assert ("page", "state", "state", "stopped") in differences(shop)
    (supervisor,) = (process for process in shop.processes() if "supervisor.supervisord" in process.cmdline())
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: any(row[:2] == ("redis", "state") for row in differences(shop)))


def test_another_option_and_a_service_that_nobody_wrote(shop: Project) -> None:
    path = shop.folder / "mlox.yaml"
    text = path.read_text()
    head, _, rest = text.partition("  page:")
    path.write_text(head)
    assert differences(shop) == [("page", "unlisted", "mlox.yaml", "runs, and is not in mlox.yaml")]
    path.write_text(f"{head}  page:{rest}".rstrip() + "\n    options: {text: theirs}\n")
    assert differences(shop) == [("page", "setting", "text", "ours")]
    path.write_text(text)
