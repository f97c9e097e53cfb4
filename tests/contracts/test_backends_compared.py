"""What every back end finds when it compares a unit with its annotation: nothing, or what was changed by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mlox.protocols import Deviation
from mlox.units import File, Unit
from tests.contracts.benches import SECRETS, Bench, a_unit, stop, up


def with_a_file(bench: Bench) -> Unit:
    """A unit with a file that holds a secret."""
    unit = a_unit(bench)
    folder = Path(unit.directories[0][1]).parent / "config"
    return replace(unit, files=(File(f"{folder}/words", "the password is ${secret.password}"),))


def test_nothing_differs_in_what_was_just_started_or_stopped(bench: Bench) -> None:
    unit = with_a_file(bench)
    up(bench, unit)
    assert bench.backend.deviations(unit, SECRETS) == ()
    stop(bench, unit)
    assert bench.backend.deviations(unit, SECRETS) == ()


def test_nothing_differs_in_what_never_was(bench: Bench) -> None:
    assert bench.backend.deviations(with_a_file(bench), SECRETS) == ()


def test_a_file_that_somebody_edited_is_named_without_its_content(bench: Bench) -> None:
    unit = with_a_file(bench)
    up(bench, unit)
    bench.edit_file(unit)
    assert bench.backend.deviations(unit, SECRETS) == (Deviation("file", "config/words", "changed"),)
    stop(bench, unit, purge=True)
    up(bench, unit)
    assert bench.backend.deviations(unit, SECRETS) == ()
