"""Kills and failures at every step of what changes the disk, found by instrumenting the calls."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STEPS = ("open", "mkdir", "fchmod", "fsync", "link", "replace", "rename", "unlink", "rmdir", "symlink")
"""The functions of ``os`` through which secrets change the disk."""

KILLER = """
import os, shutil, sys
from pathlib import Path
from mlox.secret import Secret
template, homes, steps = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(",")

def act(home, left):
    def dying(function):
        def call(*arguments, **options):
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return function(*arguments, **options)
        return call
    for step in steps:
        setattr(os, step, dying(getattr(os, step)))
{act}
    os._exit(0)

for number in range(300):
    home = homes / f"{{number:03d}}"
    shutil.copytree(template, home, symlinks=True)
    if (child := os.fork()) == 0:
        act(home, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        sys.exit(code)
"""


def killed(tmp_path: Path, template: Path, act: str) -> list[Path]:
    """Homes, copied from ``template``, in which the code ``act`` was killed at the first, second, ... step.

    It sees its ``home``; in the last one it came to its end.
    """
    homes = tmp_path / "homes"
    homes.mkdir()
    code = KILLER.format(act="\n".join(f"    {line}" for line in act.splitlines()))
    command = [sys.executable, "-c", code, str(template), str(homes), ",".join(STEPS)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    found = sorted(homes.iterdir())
    assert len(found) > 5
    return found


def failing_at(monkeypatch: pytest.MonkeyPatch, number: int, code: int) -> Callable[[], bool]:
    """Make the ``number``-th call that changes the disk fail, and no other; the answer tells whether it was reached."""
    calls = itertools.count()
    reached = False

    def failing(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal reached
            if next(calls) == number:
                reached = True
                raise OSError(code, os.strerror(code))
            return function(*arguments, **options)

        return call

    for step in STEPS:
        monkeypatch.setattr(os, step, failing(getattr(os, step)))
    return lambda: reached
