"""A command as another account is started without a fork, which libraries with threads of their own do not survive."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlox.errors import CommandError
from mlox.transports.local import LocalTransport

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not sys.platform.startswith("linux"), reason="only root can run as another account"
)

COUNTED = """\
import ctypes, subprocess, sys
from mlox.transports.local import LocalTransport

forks = []
prepare = ctypes.CFUNCTYPE(None)(lambda: forks.append(1))
ctypes.CDLL(None).__register_atfork(prepare, None, None, None)
LocalTransport().run(("true",), account="nobody")
told = len(forks)
subprocess.run(("true",), user="nobody")
print(told, len(forks))
"""


def test_libraries_that_look_out_for_forks_see_none() -> None:
    said = subprocess.run((sys.executable, "-c", COUNTED), capture_output=True, text=True, check=True)
    assert said.stdout == "0 1\n"


def test_what_the_command_gets_is_what_it_would_get_otherwise() -> None:
    code = "cat /proc/self/status; ls -l /proc/self/fd; pwd; env"
    told = [
        LocalTransport().run(("sh", "-c", code), account="nobody", environment={"LD_PRELOAD": "", "A": "b\nü\udcff"}),
        LocalTransport().run(("sh", "-c", f"cd /; {code}"), account=None, environment={"A": "b"}),
    ]
    for word in ("SigIgn", "SigBlk", "SigCgt"):
        (one, other) = ([line for line in each.stdout.splitlines() if line.startswith(word)] for each in told)
        assert one == other
    assert "socket" not in told[0].stdout
    assert "A=b\nü\ufffd" in told[0].stdout


def test_what_cannot_be_run_is_told_as_it_is_otherwise(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("no program")
    for argv, said in ((("no-such-tool",), "No such file"), ((str(tmp_path / "tool"),), "Permission denied")):
        for account in (None, "nobody"):
            with pytest.raises(CommandError, match=f"cannot be run: {said}"):
                LocalTransport().run(argv, account=account)


def test_words_may_be_paths_and_one_with_a_zero_byte_is_told(tmp_path: Path) -> None:
    class Word(str):
        __slots__ = ()

    done = LocalTransport().run((Word("echo"), tmp_path), account="nobody")  # type: ignore[arg-type]
    assert done.stdout == f"{tmp_path}\n"
    with pytest.raises(CommandError, match="cannot be run: Invalid argument"):
        LocalTransport().run(("echo", "a\0b"), account="nobody")


def test_an_environment_of_any_size_goes_along() -> None:
    large = {f"PART_{number}": "x" * 100_000 for number in range(5)}
    said = LocalTransport().run(("sh", "-c", "env | wc -c"), account="nobody", environment=large)
    assert int(said.stdout) > 500_000
