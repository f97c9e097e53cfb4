"""What every transport does for somebody who reads along: output as it comes, input as it is, the exit code."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mlox.errors import CommandError
from mlox.protocols import Transport
from tests.contracts.test_transports import TRANSPORTS

PYTHON = sys.executable


@pytest.fixture(params=sorted(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    return TRANSPORTS[request.param]()


@pytest.fixture
def told() -> list[tuple[str, bytes]]:
    return []


@pytest.fixture
def write(told: list[tuple[str, bytes]]) -> Callable[[str, bytes], None]:
    return lambda channel, chunk: told.append((channel, chunk))


def test_both_outputs_and_the_exit_code(
    transport: Transport, told: list[tuple[str, bytes]], write: Callable[[str, bytes], None]
) -> None:
    code = "import os, sys; os.write(1, b'\\xff'); os.write(2, b'err'); sys.exit(3)"
    assert transport.attach((PYTHON, "-c", code), write=write) == 3
    assert sorted(told) == [("err", b"err"), ("out", b"\xff")]


def test_a_signal_is_told_as_shells_do(transport: Transport, write: Callable[[str, bytes], None]) -> None:
    assert transport.attach((PYTHON, "-c", "import os; os.kill(os.getpid(), 15)"), write=write) == 143


def test_a_descriptor_is_read_to_its_end_and_without_one_there_is_nothing(
    transport: Transport, told: list[tuple[str, bytes]], write: Callable[[str, bytes], None], tmp_path: Path
) -> None:
    given = os.urandom(1 << 20)
    path = tmp_path / "given"
    path.write_bytes(given)
    with path.open("rb") as file:
        assert transport.attach(("cat",), input=file.fileno(), write=write) == 0
    assert b"".join(chunk for _, chunk in told) == given
    told.clear()
    assert transport.attach(("cat",), write=write) == 0
    assert told == []


def test_output_is_passed_on_while_the_command_runs(transport: Transport) -> None:
    moments: list[float] = []
    code = "import time; print('a', flush=True); time.sleep(1); print('b', flush=True)"
    transport.attach((PYTHON, "-c", code), write=lambda _, __: moments.append(time.monotonic()))
    assert moments[-1] - moments[0] > 0.5


def test_what_stays_in_the_background_is_not_waited_for(
    transport: Transport, told: list[tuple[str, bytes]], write: Callable[[str, bytes], None]
) -> None:
    began = time.monotonic()
    assert transport.attach(("sh", "-c", "sleep 60 & echo $!"), write=write) == 0
    assert time.monotonic() - began < 20
    psutil.Process(int(told[0][1])).kill()


def test_abort_ends_it(transport: Transport, write: Callable[[str, bytes], None]) -> None:
    timer = threading.Timer(0.5, transport.abort)
    timer.start()
    with pytest.raises(CommandError, match="ended on request"):
        transport.attach(("sleep", "60"), write=write)
    timer.join()


def test_a_program_that_is_not_there(transport: Transport, write: Callable[[str, bytes], None]) -> None:
    with pytest.raises(CommandError, match="no-such-program-of-mlox"):
        transport.attach(("no-such-program-of-mlox",), write=write)
