"""Alerts in a fault test: a real Redis that hangs, a real watcher under the supervisor, a web and a mail server."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.live.native_stage import free_port
from tests.live.support import MLOX, Project, interrupt, until
from tests.receiving_stage import Hook, Mailbox, hook, mailbox

TOKEN = "a-token-in-the-path"
MAIL_PASSWORD = "hunter22-of-the-mail"
PATIENCE_S = 90.0

ALERTS = """
alerts:
  rules:
    down: {{service: redis, when: unhealthy, for: 1s}}
    restarts: {{service: redis, when: restarts > 0}}
  tell:
    webhook: HOOK
    email: {{to: me@example.org, server: 127.0.0.1, port: {port}, tls: none, user: me, password: MAIL}}
"""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox(user="me", password=MAIL_PASSWORD) as made:
        yield made


def prepare(shop: Project, url: str, box: Mailbox) -> None:
    """A Redis that runs, rules, and the secrets that are needed to tell."""
    shop.done("up", "redis")
    path = shop.folder / "mlox.yaml"
    path.write_text(path.read_text() + ALERTS.format(port=box.port))
    shop.done("secrets", "set", "HOOK", stdin=url)
    shop.done("secrets", "set", "MAIL", stdin=MAIL_PASSWORD)


def server_of(shop: Project) -> psutil.Process:
    """Redis itself."""
    return min(shop.runs("redis-server"), key=lambda process: process.create_time())


def watcher_of(shop: Project) -> psutil.Process:
    """The watcher's process."""
    (process,) = shop.runs("--interval")
    return process


def alerts(shop: Project) -> dict[str, Any]:
    """What status says of alerts."""
    found: dict[str, Any] = shop.json("status")["alerts"]
    return found


@contextlib.contextmanager
def hanging(process: psutil.Process) -> Iterator[None]:
    """A process that is there and answers nothing."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_alerts_fire_and_clear_once_each_though_the_watcher_is_killed(shop: Project, box: Mailbox) -> None:
    with hook() as web:
        prepare(shop, web.url, box)
        assert alerts(shop)["watcher"] == "none"
        assert "mlox watch --detach" in shop.done("status")
        shop.done("watch", "--detach", "--interval", "1")
        assert shop.json("watch", "--detach", "--interval", "1")["actions"] == []
        with hanging(server_of(shop)):
            until(lambda: web.told() == [("firing", "down", "redis")], PATIENCE_S)
            until(lambda: len(box.mail) == 1, PATIENCE_S)
            assert "firing: down (redis)" in shop.done("status")
            watcher = watcher_of(shop)
            os.kill(watcher.pid, signal.SIGKILL)
            until(lambda: [one for one in shop.runs("--interval") if one.pid != watcher.pid], PATIENCE_S)
            looked = alerts(shop)["looked"]
            until(lambda: alerts(shop)["looked"] > looked + 3, PATIENCE_S)
            assert web.told() == [("firing", "down", "redis")], "it is not told again"
        until(lambda: len(web.told()) == 2, PATIENCE_S)
        until(lambda: len(box.mail) == 2, PATIENCE_S)
        assert web.told() == [("firing", "down", "redis"), ("resolved", "down", "redis")]
        assert [subject.split(": ")[1] for subject in box.subjects()] == ["FIRING down", "RESOLVED down"]
        assert alerts(shop)["alerts"] == []
        secret = (TOKEN, MAIL_PASSWORD)
        watcher = watcher_of(shop)
        known = f"{watcher.cmdline()} {watcher.environ()}"
        kept = "".join(p.read_text(errors="replace") for p in shop.data.glob("*/mlox--watch*") if p.is_file())
        kept += (shop.folder / ".mlox" / "local" / "alerts.json").read_text()
        assert not any(each in known + kept for each in secret)
        shop.done("down")
        assert not shop.processes()
        assert alerts(shop)["watcher"] == "stopped"
        shop.done("up", "redis")
        until(lambda: alerts(shop)["watcher"] == "running")
        assert len(web.told()) == 2, "what somebody asked for is no alert"
        shop.done("down", "--purge", "-y")
        assert not shop.data.exists() or not list(shop.data.rglob("mlox--watch*"))
        assert not (shop.folder / ".mlox" / "local" / "alerts.json").exists()
        assert not shop.processes()


def test_a_webhook_that_is_away_is_told_when_it_is_back(shop: Project, box: Mailbox) -> None:
    """Redis is killed and comes back: one alert about its restarts, which the webhook misses at first."""
    port = free_port()
    with hook(port) as web:
        url = web.url
    prepare(shop, url, box)
    shop.done("watch", "--detach", "--interval", "1")
    until(lambda: alerts(shop)["looked"], PATIENCE_S)
    process = server_of(shop)
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: "webhook" in alerts(shop)["failing"], PATIENCE_S)
    failing = alerts(shop)["failing"]["webhook"]
    assert failing.startswith("the webhook at 127.0.0.1: it cannot be reached")
    assert TOKEN not in failing
    assert "webhook cannot be told of alerts" in shop.done("status")
    until(lambda: "FIRING restarts" in box.text(), PATIENCE_S)
    with hook(port) as web:
        until(lambda: ("firing", "restarts", "redis") in web.told(), PATIENCE_S)
        until(lambda: alerts(shop)["failing"] == {}, PATIENCE_S)
        assert web.told().count(("firing", "restarts", "redis")) == 1
        shop.done("restart", "redis")
        until(lambda: ("resolved", "restarts", "redis") in web.told(), PATIENCE_S)
    shop.done("watch", "--off")
    assert alerts(shop)["watcher"] == "none"
    assert not shop.runs("--interval")


def test_in_front_of_somebody_it_tells_lines_and_ends_with_ctrl_c(shop: Project, box: Mailbox) -> None:
    with hook() as web:
        prepare(shop, web.url, box)
        process = shop.process(*MLOX, "watch", "--interval", "1", "--json")
        assert process.stdout is not None
        assert '"alerts": []' in process.stdout.readline()
        said = shop.mlox("watch", "--once")
        assert (said.code, "runs already, in process" in said.err) == (1, True)
        interrupt(process)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in error
        assert "all is well: 2 rules" in shop.done("watch", "--once")


def test_a_hook_keeps_what_it_refused_apart() -> None:
    made = Hook(posted=[(500, "", {"alerts": []})])
    assert (made.accepted, made.told()) == ([], [])
