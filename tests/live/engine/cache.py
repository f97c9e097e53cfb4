"""Where what is slow to make stays between runs; nothing relies on it being there."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

HOME = Path.home()
"""Of whoever runs the tests: each test has an empty one of its own, and this is read before."""

CACHE = Path(
    os.environ.get("MLOX_TEST_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or HOME / ".cache") / "mlox-tests"
).absolute()

BINARIES = CACHE / "bin"


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """One at a time among all processes of the machine that use this cache."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
