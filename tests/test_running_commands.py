"""``mlox run``: who is told to end, and by whom; its exit code is that of the command."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import mlox

NOTED = """
import pathlib, signal, sys, time
def ended(number, frame):
    with open("signals", "a") as file: file.write(f"{signal.Signals(number).name} ")
    time.sleep(0.7)
    pathlib.Path("saved").write_text("all of it")
    sys.exit(7)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, ended)
pathlib.Path("ready").touch()
time.sleep(60)
"""
LEAD = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Makes the terminal that is standard input the one of this session, whose Ctrl-C goes to all in it."""

RUN = (sys.executable, "-m", "mlox", "run", "--")


@pytest.fixture
def here(isolated: Path) -> Path:
    assert mlox.Stack().init()
    return isolated


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_would_end_it_goes_to_the_command_which_ends_in_its_own_time(here: Path, number: signal.Signals) -> None:
    process = subprocess.Popen((*RUN, sys.executable, "-c", NOTED), stdin=subprocess.DEVNULL)
    until((here / "ready").exists)
    process.send_signal(number)
    assert process.wait(60) == 7
    assert (here / "signals").read_text() == f"{number.name} "
    assert (here / "saved").read_text() == "all of it"


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_it_once_and_mlox_waits(here: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        (sys.executable, "-c", LEAD, *RUN, sys.executable, "-c", NOTED), stdin=theirs, start_new_session=True
    )
    os.close(theirs)
    until((here / "ready").exists)
    os.write(ours, b"\x03")
    assert process.wait(60) == 7
    os.close(ours)
    assert (here / "signals").read_text() == "SIGINT "
    assert (here / "saved").read_text() == "all of it"


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_one_that_is_killed_has_the_code_of_a_shell() -> None:
    ends = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run((*RUN, sys.executable, "-c", ends), check=False).returncode == 128 + signal.SIGKILL
