"""Which secrets of a stack this user can read, with their values: for redaction and for the scanner."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlox.errors import SecretError
from mlox.protocols import SecretStore
from mlox.secret import Secret
from mlox.stack.stack import Stack

SETTLED_NS = 50_000_000
"""A file that is younger may change once more without a newer time: file systems count in steps."""

Stamp = tuple[tuple[str, int], ...]


def readable_secrets(stack: Stack, known: Mapping[str, str] | None = None) -> Iterator[tuple[str, Secret | None]]:
    """Every secret by name, in its newest version; without those whose version in ``known`` is that one.

    One that cannot be opened is None.
    """
    for store in _stores(stack):
        for described in store.describe():
            if known is None or known.get(described.name) != described.version:
                try:
                    yield described.name, store.get(described.name, described.version)
                except SecretError:
                    yield described.name, None


def _stores(stack: Stack) -> tuple[SecretStore, ...]:
    """The stores that this stack reads from."""
    if not stack.workspace.exists or stack.id is None:
        return ()
    return (stack.surroundings().store,)


def store_folders(stack: Stack) -> tuple[Path, ...]:
    """Where these stores keep their files: a folder a secret."""
    return (stack.surroundings().folder / "secrets", stack.workspace.root / ".mlox" / "secrets")


def stamp(*paths: Path) -> Stamp | None:
    """What is another one as soon as a file, a folder or a folder in it has changed; None while they may yet change.

    It costs a hundredth of reading what has changed.
    """
    times = {}
    for path in paths:
        try:
            times[str(path)] = path.stat().st_mtime_ns
            with os.scandir(path) as entries:
                times |= {entry.path: entry.stat().st_mtime_ns for entry in entries}
        except NotADirectoryError:
            continue
        except OSError:
            times[str(path)] = 0
    settled = max(times.values(), default=0) < time.time_ns() - SETTLED_NS
    return tuple(sorted(times.items())) if settled else None
