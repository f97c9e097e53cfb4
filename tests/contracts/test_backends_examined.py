"""What every back end finds when it looks closely at a unit: its endings, who has its ports, what of it is gone."""

from __future__ import annotations

from dataclasses import replace

from mlox.protocols import Findings
from mlox.units import PortBinding
from tests.contracts.benches import Bench, a_unit, seen, start, stop, until, up


def test_nothing_is_found_where_all_is_well(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    assert bench.backend.examine(unit) == Findings()


def test_nothing_is_found_of_a_unit_that_never_was(bench: Bench) -> None:
    found = bench.backend.examine(replace(a_unit(bench), directories=()))
    assert found == Findings()


def test_a_stop_was_asked_for(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    stop(bench, unit)
    (ending,) = bench.backend.examine(unit).endings
    assert ending.asked


def test_an_end_by_itself_was_not(bench: Bench) -> None:
    unit = replace(bench.dying(a_unit(bench)), restart="no")
    start(bench, unit)
    until(lambda: seen(bench, unit).state == "failed")
    endings = bench.backend.examine(unit).endings
    assert {(ending.how, ending.asked) for ending in endings} == {("exit status 3", False)}


def test_who_else_has_a_port_of_a_stopped_unit(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    stop(bench, unit)
    assert bench.backend.examine(unit).holders == {}
    with bench.occupied() as taken:
        found = bench.backend.examine(replace(unit, ports=(PortBinding("http", taken),)))
        assert list(found.holders) == ["http"]
        assert found.holders["http"]
    assert not found.rebooted


def test_what_of_a_unit_is_gone(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    for without, missing in bench.gone(unit):
        assert bench.backend.examine(without).missing == (missing,)
