"""Whether native units survive what machines do to processes: kills, dead supervisors, deaf children."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from mlox.backends.native import supervisor
from mlox.backends.native.probing import LOOP
from mlox.units import Probe, Unit
from tests.live.native_stage import (
    PASSWORD,
    Stage,
    alive,
    child_of,
    free_port,
    listening,
    redis,
    until,
)

pytestmark = pytest.mark.live


def test_a_killed_process_runs_again(here: Stage) -> None:
    unit = redis(here)
    first = here.up(unit, password=PASSWORD)
    os.kill(first, signal.SIGKILL)
    until(lambda: here.seen(unit).pid not in (None, first) and here.backend.probe(unit).healthy)
    assert here.seen(unit).restarts == 1
    assert not alive(first)


@pytest.mark.parametrize("setsid", [False, True])
def test_a_killed_parent_that_leaves_a_child_on_its_port_heals(here: Stage, setsid: bool) -> None:
    unit = here.family(setsid=setsid)
    parent = here.up(unit)
    child = child_of(here, unit)
    assert listening(unit) == {child}
    os.kill(parent, signal.SIGKILL)
    until(lambda: not alive(child))
    until(lambda: here.backend.probe(unit).healthy)
    assert here.seen(unit).restarts == 1


@pytest.mark.parametrize("make", [redis, Stage.family], ids=["redis", "family"])
def test_a_killed_supervisor_leaves_orphans_that_the_next_start_takes_over(
    here: Stage, make: Callable[[Stage], Unit]
) -> None:
    unit = make(here)
    first = here.up(unit, password=PASSWORD)
    here.supervisor().kill()
    until(lambda: here.seen(unit).state == "orphaned")
    there = here.seen(unit)
    assert there.pid == first
    assert "without its supervisor" in there.note
    second = here.up(unit, password=PASSWORD)
    assert second != first
    assert not alive(first)
    assert len(listening(unit)) == 1
    assert psutil.Process(second).ppid() == here.supervisor().pid


@pytest.mark.parametrize("make", [redis, Stage.family], ids=["redis", "family"])
def test_orphans_can_be_stopped(here: Stage, make: Callable[[Stage], Unit]) -> None:
    unit = make(here)
    pid = here.up(unit, password=PASSWORD)
    here.supervisor().kill()
    until(lambda: here.seen(unit).state == "orphaned")
    here.stop(unit)
    assert not alive(pid)
    assert listening(unit) == set()
    assert here.seen(unit).state == "stopped"


def test_after_a_reboot_services_wait_for_the_next_start(here: Stage) -> None:
    unit = redis(here)
    pid = here.up(unit, password=PASSWORD)
    here.supervisor().kill()
    os.kill(pid, signal.SIGKILL)
    until(lambda: here.seen(unit).state == "stopped")
    assert "after a reboot" in here.seen(unit).note
    assert here.up(unit, password=PASSWORD) != pid


def test_a_supervisor_that_comes_back_for_one_unit_does_not_bring_up_its_neighbours(here: Stage) -> None:
    one, two, three = here.server(service="one"), here.server(service="two"), here.server(service="three")
    for unit in (one, two, three):
        here.up(unit)
    dead, orphan = here.pid(two), here.pid(three)
    here.supervisor().kill()
    os.kill(dead, signal.SIGKILL)
    until(lambda: here.seen(two).state == "stopped")
    here.up(one)
    assert (here.seen(two).state, here.seen(two).note) == ("stopped", "it waits for `mlox up`")
    assert (here.seen(three).state, here.pid(three)) == ("orphaned", orphan)
    here.up(two)
    assert here.up(three) != orphan


def test_a_supervisor_that_hangs_does_not_hang_us(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ANSWER_S", 0.5)
    unit = here.server()
    pid = here.up(unit)
    hung = here.supervisor()
    hung.suspend()
    assert here.seen(unit).state == "orphaned"
    here.stop(unit)
    assert not alive(pid)
    assert not alive(hung.pid)
    assert here.up(unit) != pid


@pytest.mark.parametrize("setsid", [False, True])
def test_stop_ends_every_process_of_a_unit(here: Stage, setsid: bool) -> None:
    unit = here.family(setsid=setsid)
    parent = here.up(unit)
    child = child_of(here, unit)
    here.stop(unit)
    assert (alive(parent), alive(child)) == (False, False)
    assert here.processes() == []


def test_a_process_that_ignores_its_stop_signal_is_killed_after_its_grace(here: Stage) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(99)"
    )
    unit = here.unit(("python3", "-c", code), stop_grace_s=1)
    here.start(unit)
    until(lambda: "deaf" in here.logs(unit))
    began = time.monotonic()
    here.stop(unit)
    assert 0.9 < time.monotonic() - began < 6
    assert here.processes() == []


def test_the_supervisor_goes_with_the_last_unit(here: Stage) -> None:
    one, two = here.server(service="one"), here.server(service="two")
    here.up(one)
    here.up(two)
    daemon = here.supervisor()
    here.stop(one)
    assert alive(daemon.pid)
    here.stop(two)
    assert not alive(daemon.pid)


def test_a_process_that_stays_at_last_is_never_called_dead(here: Stage) -> None:
    """As one whose port somebody held for a moment: the run after the last restart is waited for too."""
    port = free_port()
    code = (
        "import http.server, os, sys; log = open('runs', 'a+'); log.write('x'); log.seek(0); runs = len(log.read());"
        f"runs > {LOOP} or sys.exit(1);"
        f"http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler).serve_forever()"
    )
    late = here.start(here.unit(("python3", "-c", code), probe=Probe("tcp", port="http"), port=port))
    until(lambda: (health := here.backend.probe(late)).healthy or health.dead, patience_s=30)
    assert here.backend.probe(late).healthy
    assert here.seen(late).restarts == LOOP


def test_a_process_that_keeps_dying_is_dead_even_where_somebody_else_answers_on_its_port(here: Stage) -> None:
    port = free_port()
    code = "import sys; print('no such database'); sys.exit(7)"
    dying = here.unit(("python3", "-c", code), service="late", probe=Probe("tcp", port="http"), port=port)
    here.start(dying)
    other = here.server(service="other", port=port)
    here.up(other)
    until(lambda: here.backend.probe(dying).dead)
    health = here.backend.probe(dying)
    assert not health.healthy
    assert "exit status 7" in health.detail
    assert "no such database" in here.logs(dying)
