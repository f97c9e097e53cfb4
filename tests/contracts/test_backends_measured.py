"""What every back end tells of what a unit uses: CPU, memory, disk, restarts, and how long its probe takes."""

from __future__ import annotations

import time
from dataclasses import replace

from mlox.protocols import Usage, cpu_percent
from mlox.units import Container, Unit
from tests.contracts.benches import Bench, a_unit, stop, until, up

INTERVAL_S = 1.0
BUSY = 6.0
"""Percent of a core: less than a busy loop gets on a machine with ten others, more than a server that idles takes."""


def usage(bench: Bench, unit: Unit) -> Usage:
    (found,) = bench.backend.usage([unit])
    return found


def cpu(bench: Bench, unit: Unit) -> float:
    before = usage(bench, unit)
    time.sleep(INTERVAL_S)
    found = cpu_percent(before, usage(bench, unit))
    assert found is not None
    return found


def disk(bench: Bench, unit: Unit) -> int:
    (found,) = bench.backend.data_bytes([unit])
    assert found is not None
    return sum(found.values())


def test_nothing_is_used_by_what_never_was_or_is_stopped(bench: Bench) -> None:
    unit = a_unit(bench)
    assert usage(bench, unit) == Usage()
    up(bench, unit)
    stop(bench, unit)
    found = usage(bench, unit)
    assert (found.cpu_s, found.memory_bytes, found.run) == (None, None, "")


def test_cpu_rises_with_the_load_and_falls_again(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    until(lambda: cpu(bench, unit) < BUSY)
    with bench.busy(unit):
        until(lambda: cpu(bench, unit) > BUSY)
    until(lambda: cpu(bench, unit) < BUSY)


def test_times_of_children_that_ended_stay_counted(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    first = usage(bench, unit)
    with bench.busy(unit):
        until(lambda: (usage(bench, unit).cpu_s or 0) > (first.cpu_s or 0) + 0.5)
        during = usage(bench, unit)
    after = usage(bench, unit)
    assert first.run == after.run != ""
    assert (after.cpu_s or 0) >= (during.cpu_s or 0) - 0.05


def test_memory_is_that_of_its_processes(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    assert 1 << 20 <= (usage(bench, unit).memory_bytes or 0) < 1 << 30


def test_a_kill_is_one_restart_and_another_run(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    before = usage(bench, unit)
    assert before.restarts == 0
    bench.kill(unit)
    until(lambda: usage(bench, unit).restarts == 1 and usage(bench, unit).run not in ("", before.run))
    until(lambda: bench.backend.probe(unit).healthy)
    percent = cpu_percent(before, usage(bench, unit))
    assert percent is not None
    assert percent >= 0


def test_data_that_is_written_is_counted(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    before = disk(bench, unit)
    bench.write_data(unit, "x" * 3_000_000)
    until(lambda: disk(bench, unit) >= before + 3_000_000)
    assert disk(bench, unit) < before + 4_000_000


def test_units_that_share_a_place_name_it_alike(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    other = replace(unit, name="worker")
    bench.write_data(unit, "words")
    until(lambda: bench.backend.data_bytes([unit])[0] is not None)
    one, same = bench.backend.data_bytes([unit, other])
    assert one is not None
    assert same is not None
    assert set(one) == set(same)
    assert bench.backend.data_bytes([replace(unit, directories=(), container=bare(unit))]) == (None,)


def bare(unit: Unit) -> Container | None:
    return replace(unit.container, volumes=()) if unit.container is not None else None


def test_a_probe_tells_how_long_it_took(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    took = bench.backend.probe(unit).took_ms
    assert took is not None
    assert 0 < took < 5000
    assert bench.backend.probe(replace(unit, probe=None)).took_ms is None
    stop(bench, unit)
    assert bench.backend.probe(unit).took_ms is None
