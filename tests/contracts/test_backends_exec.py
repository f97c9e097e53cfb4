"""What every back end does with a command beside a unit: its environment, its input and output, its exit code."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

import pytest

from mlox.errors import ServiceError
from mlox.protocols import Backend
from mlox.units import Unit
from tests.contracts.benches import PASSWORD, Bench, a_unit, stop, up


def run(backend: Backend, unit: Unit, argv: Sequence[str], given: bytes = b"") -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a command that reads ``given``."""
    out: list[bytes] = []
    err: list[bytes] = []
    with tempfile.TemporaryFile() as file:
        file.write(given)
        file.seek(0)
        code = backend.exec(
            unit, argv, input=file.fileno(), write=lambda to, chunk: (out if to == "out" else err).append(chunk)
        )
    return code, b"".join(out), b"".join(err)


def test_a_command_has_the_environment_of_the_unit_and_its_secrets(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    code, out, _ = run(bench.backend, unit, ["env"])
    assert code == 0
    assert f"PASSWORD={PASSWORD}" in out.decode().splitlines()


def test_what_is_given_is_read_and_comes_back_byte_for_byte(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    given = bytes(range(256)) * 2000
    assert run(bench.backend, unit, ["cat"], given) == (0, given, b"")


def test_without_an_input_there_is_nothing_to_read(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    told: list[bytes] = []
    assert bench.backend.exec(unit, ["cat"], input=None, write=lambda _, chunk: told.append(chunk)) == 0
    assert told == []


def test_the_exit_code_is_handed_through(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    assert run(bench.backend, unit, ["false"])[0] == 1


def test_a_program_that_is_not_there_is_127_and_is_named(bench: Bench) -> None:
    unit = a_unit(bench)
    up(bench, unit)
    code, _, err = run(bench.backend, unit, ["no-such-program-of-mlox"])
    assert (code, b"no-such-program-of-mlox" in err) == (127, True)


def test_what_does_not_run_is_refused(bench: Bench) -> None:
    unit = a_unit(bench)
    with pytest.raises(ServiceError, match="web does not run"):
        run(bench.backend, unit, ["env"])
    up(bench, unit)
    stop(bench, unit)
    with pytest.raises(ServiceError, match="web does not run") as caught:
        run(bench.backend, unit, ["env"])
    assert caught.value.hint == "Start it: mlox up web."
