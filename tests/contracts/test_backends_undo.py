"""What every back end must do while a service is changed: prepare, keep what ran, take it back, settle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlox.errors import RequirementError
from mlox.leases import this_process
from mlox.protocols import Kept, Passage, silent
from mlox.units import Unit
from tests.contracts.benches import STACK, Bench, a_unit, seen, start, stop, until, up


def changed(unit: Unit) -> Unit:
    """The next version, on the same port."""
    return replace(unit, version="2", intent=(("version", "2"),))


def test_preparing_changes_nothing_that_runs(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    bench.backend.prepare(changed(unit), silent)
    assert seen(bench, unit).pid == before.pid
    with pytest.raises(RequirementError, match=bench.said_missing):
        bench.backend.prepare(bench.without(changed(unit)), silent)
    with bench.occupied() as taken, pytest.raises(RequirementError, match=f"port {taken}"):
        bench.backend.prepare(replace(changed(unit), ports=(replace(unit.ports[0], number=taken),)), silent)
    assert seen(bench, unit).pid == before.pid


def test_what_is_kept_comes_back_with_its_data_and_what_failed_is_put_aside(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    bench.write_data(unit, "precious")
    kept = bench.backend.keep(STACK, "web", data=True)
    assert (kept.units, kept.data, kept.note) == ((unit,), True, "")
    there = seen(bench, unit)
    assert (there.state, there.previous) == ("stopped", unit)
    start(bench, changed(unit))
    bench.write_data(unit, "migrated")
    assert (seen(bench, unit).unit, seen(bench, unit).previous) == (changed(unit), unit)
    back = bench.backend.take_back(STACK, "web")
    assert (back.units, back.data) == ((unit,), True)
    assert back.aside
    there = seen(bench, unit)
    assert (there.unit, there.state, there.previous) == (unit, "stopped", unit)
    assert bench.read_data(unit) == "precious"
    up(bench, unit)
    bench.backend.settle(STACK, "web")
    assert seen(bench, unit).previous is None
    assert bench.backend.take_back(STACK, "web") == Kept()
    assert bench.backend.probe(unit).healthy


def test_what_came_back_is_kept_again_with_its_data_of_then(bench: Bench) -> None:
    """Who was killed on the way back tries the change again, without what came back having been settled."""
    unit = a_unit(bench)
    up(bench, unit)
    bench.write_data(unit, "precious")
    bench.backend.keep(STACK, "web", data=True)
    start(bench, changed(unit))
    bench.write_data(unit, "migrated")
    bench.backend.take_back(STACK, "web")
    assert bench.backend.take_back(STACK, "web").units == (unit,)
    assert bench.read_data(unit) == "precious"
    up(bench, unit)
    bench.write_data(unit, "precious, and more")
    assert bench.backend.keep(STACK, "web", data=True) == Kept((unit,), data=True)
    start(bench, changed(unit))
    bench.write_data(unit, "migrated")
    bench.backend.take_back(STACK, "web")
    assert bench.read_data(unit) == "precious, and more"


def test_without_data_only_the_unit_comes_back(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    kept = bench.backend.keep(STACK, "web", data=False)
    assert not kept.data
    start(bench, changed(unit))
    bench.write_data(unit, "new")
    back = bench.backend.take_back(STACK, "web")
    assert (back.units, back.data, back.aside) == ((unit,), False, "")
    assert bench.read_data(unit) == "new"


def test_a_settled_change_is_not_taken_back(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    bench.backend.keep(STACK, "web", data=True)
    start(bench, changed(unit))
    bench.backend.settle(STACK, "web")
    bench.backend.settle(STACK, "web")
    assert seen(bench, unit).previous is None
    assert bench.backend.take_back(STACK, "web") == Kept()
    until(lambda: bench.backend.probe(changed(unit)).healthy)


def test_what_was_kept_first_stays_until_it_is_settled(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    bench.write_data(unit, "precious")
    bench.backend.keep(STACK, "web", data=True)
    start(bench, changed(unit))
    bench.write_data(unit, "half migrated")
    assert bench.backend.keep(STACK, "web", data=True).units == (unit,)
    assert seen(bench, unit).state == "stopped"
    bench.backend.take_back(STACK, "web")
    assert (seen(bench, unit).unit, bench.read_data(unit)) == (unit, "precious")


def test_the_environment_of_what_may_come_back_is_not_left_over(bench: Bench) -> None:
    pinned = bench.backend.pin(bench.wish, silent)
    plain = a_unit(bench)
    unit = replace(plain, software=pinned)
    up(bench, unit)
    bench.backend.keep(STACK, "web", data=False)
    start(bench, replace(changed(unit), software=plain.software))
    assert bench.backend.leftovers() == ()
    bench.backend.settle(STACK, "web")
    assert len(bench.backend.leftovers()) == 1


def test_a_purge_takes_what_was_kept_with_it(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    bench.backend.keep(STACK, "web", data=True)
    start(bench, changed(unit))
    stop(bench, unit, purge=True)
    assert bench.backend.observe(STACK) == ()
    assert bench.backend.take_back(STACK, "web") == Kept()
    assert bench.backend.observe(STACK) == ()


def test_of_another_service_nothing_is_kept(bench: Bench) -> None:
    unit, other = a_unit(bench), a_unit(bench, service="other")
    up(bench, unit)
    before = up(bench, other)
    bench.backend.keep(STACK, "web", data=True)
    bench.backend.take_back(STACK, "web")
    assert seen(bench, other).pid == before.pid
    assert seen(bench, other).previous is None


def test_keeping_what_never_was_keeps_nothing(bench: Bench) -> None:
    assert bench.backend.keep(STACK, "never", data=True).units == ()
    assert bench.backend.take_back(STACK, "never") == Kept()
    bench.backend.settle(STACK, "never")


def test_a_recovery_where_nothing_was_cut_off_changes_nothing(bench: Bench) -> None:
    unit = a_unit(bench)
    before = up(bench, unit)
    bench.backend.recover(STACK)
    bench.backend.recover("never-0001")
    assert seen(bench, unit).pid == before.pid


def test_a_stack_is_at_rest_only_where_nothing_is_kept_or_on_its_way(bench: Bench) -> None:
    unit, backend, mine = a_unit(bench), bench.backend, this_process()
    before = up(bench, unit)
    assert backend.at_rest(STACK, mine)
    backend.note_passage(STACK, Passage("web", "leaving", "elsewhere"))
    assert not backend.at_rest(STACK, mine)
    backend.forget_passage(STACK, "web")
    assert backend.at_rest(STACK, mine)
    assert seen(bench, unit).pid == before.pid
    backend.keep(STACK, "web", data=True)
    assert not backend.at_rest(STACK, mine)
    backend.take_back(STACK, "web")
    assert not backend.at_rest(STACK, mine)
    up(bench, unit)
    backend.settle(STACK, "web")
    assert backend.at_rest(STACK, mine)
