"""What a notebook is told of alerts: below the next cell, once; nothing where nobody looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlox.alerts import Alert, Memory, Notification, memory_file
from mlox.stack.watching import remember
from tests.jupyter.cells import Kernel, Ran

FIRING = Notification("a1", "firing", "demo-1a2b", "down", "redis", "unhealthy", 1000.0, None, "no <answer>")
RESOLVED = Notification("a2", "resolved", "demo-1a2b", "down", "redis", "unhealthy", 1000.0, 1060.5)
ALERT = Alert("down", "redis", "firing", 1000.0)


@pytest.fixture
def tell(isolated: Path) -> Callable[..., None]:
    """What a watcher writes here."""

    def write(*notes: Notification, firing: bool = False, notebook: bool = True) -> None:
        alerts = (ALERT,) if firing else ()
        made = Memory(alerts, latest=notes, looked=time.time(), interval_s=15, notebook=notebook)
        remember(memory_file(isolated), made)

    return write


def told(ran: Ran) -> list[str]:
    """The notices below a cell."""
    texts = [str(display["text/plain"]) for display in ran.displays]
    return [text for text in texts if text.startswith("alert ")]


def test_a_notice_is_shown_once_below_the_next_cell(kernel: Kernel, tell: Callable[..., None]) -> None:
    kernel.run("%mlox init churn")
    assert told(kernel.run("1", answers=())) == []
    tell(FIRING, firing=True)
    ran = kernel.run("2", answers=())
    assert told(ran) == ["alert FIRING down: redis (unhealthy): no <answer>"]
    assert "no &lt;answer&gt;" in ran.displays[-1]["text/html"]
    tell(FIRING, firing=True)
    assert told(kernel.run("3", answers=())) == []
    tell(FIRING, RESOLVED)
    assert told(kernel.run("4", answers=())) == ["alert RESOLVED down: redis (unhealthy)"]
    assert told(kernel.run("5", answers=())) == []


def test_who_comes_later_is_told_what_still_fires_and_no_history(kernel: Kernel, tell: Callable[..., None]) -> None:
    kernel.run("%mlox init churn")
    tell(FIRING, RESOLVED)
    assert told(kernel.run("1", answers=())) == []
    kernel.run("%reload_ext mlox_jupyter")
    tell(FIRING, firing=True)
    assert told(kernel.run("2", answers=())) == ["alert FIRING down: redis (unhealthy): no <answer>"]


def test_where_nobody_looks_or_wants_it_nothing_is_shown(kernel: Kernel, tell: Callable[..., None]) -> None:
    kernel.run("%mlox init churn")
    tell(FIRING, firing=True)
    assert told(kernel.run("1")) == []
    tell(FIRING, firing=True, notebook=False)
    assert told(kernel.run("2", answers=())) == []
    kernel.run("%unload_ext mlox_jupyter")
    tell(FIRING, firing=True)
    assert told(kernel.run("3", answers=())) == []
