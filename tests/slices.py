"""Which part of what takes long a run of tests takes: another one for each change, the same for whoever checks it."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

SHARE = 4
"""Of the long tests of a file, ``make test`` runs one in four, and one at least; of files that go whole likewise."""


def seeded() -> tuple[random.Random, int]:
    """What chooses a slice, and its seed: ``MLOX_TEST_SEED``, or one from the content of the checked out commit."""
    seed = int(os.environ.get("MLOX_TEST_SEED") or _of_content())
    return random.Random(seed), seed  # noqa: S311


def leave_out(items: Iterable[pytest.Item]) -> None:
    """Mark the long tests that are not of this run's slice as exhaustive, which ``make test`` leaves out.

    Tests that go on with what those before them left are ``long(whole=True)``: of such files one in four is taken.
    """
    files: dict[Path, list[pytest.Item]] = {}
    wholes: dict[Path, list[pytest.Item]] = {}
    for item in items:
        mark = item.get_closest_marker("long")
        if mark is not None and not item.get_closest_marker("exhaustive"):
            (wholes if mark.kwargs.get("whole") else files).setdefault(item.path, []).append(item)
    slices = [(path.stem, [[item] for item in found]) for path, found in files.items()]
    slices += [("whole", list(wholes.values()))]
    _, seed = seeded()
    for name, found in slices:
        chance = random.Random(f"{seed} {name}")  # noqa: S311
        taken = chance.sample(range(len(found)), -(-len(found) // SHARE))
        for item in (item for number, some in enumerate(found) if number not in taken for item in some):
            item.add_marker(pytest.mark.exhaustive)


def _of_content() -> int:
    """The commit that is checked out; where there is no git, always the same."""
    asked = ("git", "-C", str(Path(__file__).parent), "rev-parse", "--short=6", "HEAD^{tree}")
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    return int(said.stdout, 16) if said.returncode == 0 else 0
