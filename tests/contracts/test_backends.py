"""What every back end must do with units: start, replace, show, stop and forget them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from mlox.errors import RequirementError
from mlox.protocols import silent
from mlox.units import PortBinding
from tests.contracts.benches import PASSWORD, STACK, Bench, a_unit, seen, start, stop, until, up


def test_where_nothing_was_started_there_is_nothing(bench: Bench) -> None:
    assert bench.backend.observe(STACK) == ()
    assert bench.backend.observe(STACK) == ()
    assert bench.backend.leftovers() == ()
    assert bench.backend.logs(STACK, "web", "server", lines=5) == ()


def test_what_was_started_runs_and_carries_its_unit(bench: Bench) -> None:
    unit = a_unit(bench)
    there = up(bench, unit)
    assert there.unit == unit
    assert (there.stack, there.service, there.name, there.digest) == (STACK, "web", "server", unit.digest)
    assert there.state in ("starting", "running")
    assert there.pid is not None
    assert there.since is not None
    assert there.restarts == 0
    assert (there.memory_bytes or 0) > 0
    assert there.data_path is not None


def test_no_secret_is_in_what_is_observed(bench: Bench) -> None:
    there = up(bench, a_unit(bench))
    assert PASSWORD not in repr(there)


def test_starting_what_runs_changes_nothing(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    assert start(bench, unit) == []
    assert seen(bench, unit).pid == before.pid


def test_a_unit_rendered_otherwise_from_the_same_intent_is_left_alone(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    start(bench, replace(unit, environment=(*unit.environment, ("NEW_IN_THIS_MLOX", "1"))))
    after = seen(bench, unit)
    assert (after.pid, after.unit) == (before.pid, unit)


def test_a_unit_on_another_port_takes_the_place_of_the_old_one(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    port = bench.port()
    moved = replace(unit, command=(*unit.command[:-1], str(port)), ports=(PortBinding("http", port),))
    after = up(bench, moved)
    assert after.pid != before.pid
    assert after.unit == moved


def test_a_changed_unit_takes_the_place_of_the_old_one(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    changed = replace(unit, version="2", intent=(("version", "2"),))
    after = up(bench, changed)
    assert after.pid != before.pid
    assert after.unit == changed
    assert len(bench.backend.observe(STACK)) == 1


def test_a_stopped_unit_is_still_known_and_starts_again(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    stop(bench, unit)
    there = seen(bench, unit)
    assert (there.state, there.pid, there.unit) == ("stopped", None, unit)
    assert not bench.backend.probe(unit).healthy
    assert up(bench, unit).state in ("starting", "running")


def test_stopping_twice_or_what_never_was_is_no_error(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    stop(bench, unit)
    stop(bench, unit)
    bench.backend.stop(STACK, "never", "server", purge=False, emit=silent)
    bench.backend.stop(STACK, "never", "server", purge=True, emit=silent)
    assert [o.service for o in bench.backend.observe(STACK)] == ["web"]


@pytest.mark.parametrize("running", [True, False])
def test_a_purged_unit_is_forgotten(bench: Bench, running: bool) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    if not running:
        stop(bench, unit)
    stop(bench, unit, purge=True)
    stop(bench, unit, purge=True)
    assert bench.backend.observe(STACK) == ()
    assert bench.backend.logs(STACK, "web", "server", lines=5) == ()


def test_stacks_are_looked_at_one_by_one_or_all_at_once(bench: Bench) -> None:
    mine, theirs = a_unit(bench), a_unit(bench, stack="other-0001")
    up(bench, mine)
    up(bench, theirs)
    both = [STACK, "other-0001"]
    assert [o.stack for o in bench.backend.observe() if o.stack in both] == both
    assert [o.unit for o in bench.backend.observe("other-0001")] == [theirs]
    stop(bench, mine, purge=True)
    assert seen(bench, theirs).state in ("starting", "running")


def test_two_units_start_at_the_same_time(bench: Bench) -> None:
    units = [a_unit(bench, service=name) for name in ("one", "two", "three")]
    threads = [threading.Thread(target=start, args=(bench, unit)) for unit in units]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for unit in units:
        until(lambda unit=unit: bench.backend.probe(unit).healthy)  # type: ignore[misc]
    assert len({seen(bench, unit).pid for unit in units}) == 3


def test_a_replacement_that_cannot_start_leaves_the_old_one_alone(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    with bench.occupied() as taken:
        changed = replace(unit, ports=(PortBinding("http", taken),), intent=(("version", "2"),))
        with pytest.raises(RequirementError):
            start(bench, changed)
    assert seen(bench, unit).pid == before.pid
    assert bench.backend.probe(unit).healthy


def test_a_process_that_dies_at_once_is_dead_and_says_how(bench: Bench) -> None:
    unit = bench.dying(replace(a_unit(bench), restart="no"))
    start(bench, unit)
    until(lambda: bench.backend.probe(unit).dead)
    health = bench.backend.probe(unit)
    assert not health.healthy
    assert "exit status 3" in health.detail
    assert seen(bench, unit).state == "failed"
