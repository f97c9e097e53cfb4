"""Edits of a workspace for tests of the journal, a process that is killed at any step of them, and a failing disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlox.journal import Edit, Journal

STEPS = ("open", "mkdir", "fchmod", "fsync", "chmod", "link", "replace", "rename", "unlink", "rmdir")
"""The functions of ``os`` through which the journal changes the disk, or makes sure that it has changed."""

KILLER = """
import os, shutil, sys
from pathlib import Path
from mlox.journal import Edit, Journal
template, roots, after, verb = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "after", sys.argv[4]
edits, steps = eval(sys.argv[5]), sys.argv[6].split(",")

def act(root, left):
    def dying(function):
        def call(*arguments, **options):
            nonlocal left
            left -= 1
            if left == -1 and not after:
                os._exit(9)
            try:
                return function(*arguments, **options)
            finally:
                if left == -1:
                    os._exit(9)
        return call
    os.fsync = lambda descriptor: None  # a kill, unlike a power cut, loses nothing that was written
    for step in steps:
        setattr(os, step, dying(getattr(os, step)))
    journal = Journal(root / ".mlox" / "local" / "journal")
    if verb == "write":
        journal.write([Edit(root / name, new, replaces=old) for name, (old, new) in edits.items()])
    else:
        journal.recover()
    os._exit(0)

for number in range(200):
    root = roots / f"{number:03d}"
    shutil.copytree(template, root)
    if (child := os.fork()) == 0:
        act(root, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        sys.exit(code)
"""
"""A child for each n dies at the n-th call that changes the disk, before or after its effect; the last one ends."""

Files = dict[str, tuple[bytes | None, bytes | None]]


def killed(template: Path, roots: Path, files: Files, *, when: str = "before", verb: str = "write") -> list[Path]:
    """Copies of ``template`` in which ``verb`` was killed at the first, second, ... step, and one where it ended."""
    roots.mkdir()
    command = [sys.executable, "-c", KILLER, str(template), str(roots), when, verb, repr(files), ",".join(STEPS)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return sorted(roots.iterdir())


def committed(tmp_path: Path, case: str) -> Path:
    """A workspace that was killed when an edit was decided, but no file of it touched yet."""
    template = tmp_path / "template"
    template.mkdir()
    laid_out(template, EDITS[case])
    old, new = both_states(EDITS[case])
    for root in killed(template, tmp_path / "first", EDITS[case]):
        shutil.copytree(root, tmp_path / "copy")
        journal_in(tmp_path / "copy").recover()
        if contents(root) == old and contents(tmp_path / "copy") == new:
            return root
        shutil.rmtree(tmp_path / "copy")
    raise AssertionError(case)


class Disk:
    """Counts the calls that change the disk, and lets one of them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, number: int) -> None:
        self.calls = 0
        self.at = at
        self.error = OSError(number, os.strerror(number), "somewhere")
        for name in STEPS:
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if number == self.at:
                raise self.error
            return function(*arguments, **options)

        return call


@pytest.fixture(autouse=True)
def disk_that_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


def contents(root: Path) -> dict[str, bytes]:
    """The files of a workspace without the journal's own."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".mlox" not in path.parts and not path.name.endswith(".tmp")
    }


def journal_in(root: Path) -> Journal:
    return Journal(root / ".mlox" / "local" / "journal")


EDITS: dict[str, Files] = {
    "one new file": {"mlox.yaml": (None, b"new")},
    "one changed file": {"mlox.yaml": (b"old", b"new")},
    "one removed file": {"mlox.yaml": (b"old", None)},
    "three files": {"mlox.yaml": (b"old", b"new"), "deep/er/b.yaml": (None, b"b"), "c.yaml": (b"c", None)},
    "three changed files": {"a.yaml": (b"1", b"2"), "b.yaml": (b"3", b"4"), "c.yaml": (b"5", b"6")},
}


def laid_out(root: Path, files: Files) -> list[Edit]:
    for name, (before, _) in files.items():
        if before is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(before)
    (root / "other.txt").write_bytes(b"of somebody else")
    return [Edit(root / name, after, replaces=before) for name, (before, after) in files.items()]


def both_states(files: Files) -> tuple[dict[str, bytes], dict[str, bytes]]:
    other = {"other.txt": b"of somebody else"}
    old = {name: before for name, (before, _) in files.items() if before is not None}
    new = {name: after for name, (_, after) in files.items() if after is not None}
    return old | other, new | other
