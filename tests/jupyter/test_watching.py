"""Watching and following in a real kernel: one display updates itself, and an interrupt ends it quietly."""

from __future__ import annotations

import pytest

from tests.jupyter.cells import Kernel

JSON = "application/vnd.mlox+json"


@pytest.fixture
def churn(kernel: Kernel) -> Kernel:
    kernel.run("%mlox init churn\n%mlox up redis")
    return kernel


@pytest.mark.parametrize("verb", ["stats", "status"])
def test_one_display_updates_itself_until_the_cell_is_interrupted(churn: Kernel, verb: str) -> None:
    churn.run(
        "import threading, time\n"
        "def end():\n    time.sleep(2)\n    machine.stop(*[(u.stack, u.service, u.name) for u in machine.observe()][0],"
        " purge=False, emit=print)\n"
        "threading.Thread(target=end).start()"
    )
    request = churn.begin(f"%mlox {verb} --watch --interval 200ms")
    ran = churn.end(request, until=lambda ran: any("stopped" in each["text/plain"] for each in ran.updates))
    assert len(ran.displays) == 1
    assert "running" in ran.displays[0]["text/plain"]
    assert "<table>" in ran.displays[0]["text/html"]
    assert ran.displays[0][JSON]["services"][0]["name"] == "redis"
    churn.manager.interrupt_kernel()
    rest = churn.end(request)
    assert (rest.error, rest.printed) == (None, "")
    assert churn.run("1 + 1").text == "2"


def test_nobody_there_and_json_are_refused(churn: Kernel) -> None:
    for words in ("stats --watch", "status --watch"):
        assert churn.run(f"%mlox {words}").lines == [
            "error: --watch goes on until the cell is interrupted, and nobody is here to do it",
            "hint: Leave --watch out.",
        ]
    refused = churn.run("%mlox stats --watch --json", [])
    assert refused.lines[0] == "error: --watch goes on, and --json hands back one object"


def test_stats_are_a_value_that_is_the_same_on_every_run(churn: Kernel) -> None:
    headless = churn.run("%mlox stats")
    assert headless.text == "redis  running"
    assert "MB" not in headless.displays[0]["text/html"]
    seen = churn.run("%mlox stats", [])
    assert seen.text == "redis  running"
    assert "1 MB" in seen.displays[0]["text/html"]
    assert churn.run("found = %mlox stats\nfound.services[0].restarts").text == "0"


def test_several_services_are_followed_behind_their_names(churn: Kernel) -> None:
    churn.run("%mlox add redis --as cache\n%mlox up cache")
    churn.run("[machine.say(u.stack, u.service, u.name, 'from ' + u.service) for u in machine.observe()]")
    request = churn.begin("%mlox logs --follow --lines 1")
    churn.end(request, until=lambda ran: "from redis" in ran.printed and "cache | from cache" in ran.printed)
    churn.manager.interrupt_kernel()
    assert churn.end(request).error is None
    left = "[t.name for t in __import__('threading').enumerate() if t.name.startswith('mlox-logs')]"
    assert churn.run(left).text == "[]"
