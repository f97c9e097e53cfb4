"""Which secrets of a stack this user can read, with their values: for redaction and for the scanner."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mlox.errors import SecretError
from mlox.protocols import VersionedStore
from mlox.secret import Secret
from mlox.stack.stack import Stack

SETTLED_NS = 50_000_000
"""A file that is younger may change once more without a newer time: file systems count in steps."""

UNVERSIONED = frozenset({"env", ".env"})
"""Stores in which a value changes and its version does not."""

Version = tuple[str, str, str]
"""The names of a store and of a secret, and the version."""

Stamp = tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str, int]]]


def readable_secrets(stack: Stack, known: set[Version] | None = None) -> Iterator[tuple[str, Secret | None]]:
    """Every secret by name, of every store, in its newest versions; without those in ``known``, which they join.

    What cannot be opened is None; a store that fails as a whole, by its own name.
    """
    known = set() if known is None else known
    if not stack.workspace.exists or stack.id is None:
        return
    for store in stack.surroundings().stores:
        try:
            rows = [row for row in store.describe() if not row.plain]
        except SecretError:
            yield f"the store {store.name}", None
            continue
        for name, version in ((row.name, version) for row in rows for version in row.heads or (row.version,)):
            if (store.name, name, version) in known and store.name not in UNVERSIONED:
                continue
            try:
                yield name, store.get(name, version)
            except SecretError:
                yield name, None
            else:
                known.add((store.name, name, version))


def older_secrets(stack: Stack, most: int) -> Iterator[tuple[str, Secret]]:
    """What secrets were before: of each, up to ``most`` of the last versions that this user can open."""
    if not stack.workspace.exists or stack.id is None:
        return
    for store in stack.surroundings().stores:
        if not isinstance(store, VersionedStore):
            continue
        for row in store.describe():
            newest = row.heads or (row.version,)
            for version in [each for each in store.versions(row.name) if each not in newest][-most:]:
                with suppress(SecretError):  # sealed before this user could read it, or damaged
                    yield row.name, store.get(row.name, version)


def store_files(stack: Stack) -> tuple[Path, ...]:
    """Where these stores keep what they have: folders with one a secret, and a file."""
    root = stack.workspace.root
    return (stack.surroundings().folder / "secrets", root / ".mlox" / "secrets", root / ".env")


def stamp(*paths: Path) -> Stamp | None:
    """What is another one as soon as a file, a folder, a folder in it or a variable has changed; None while it may yet.

    It costs a hundredth of reading what has changed.
    """
    set_here = frozenset((name, os.environ[name]) for name in os.environ if name.startswith("MLOX_SECRET_"))
    times: set[tuple[str, str, int]] = set()
    newest = 0
    for path in paths:
        place = str(path)
        found = [(place, "", 0)]
        try:
            found = [(place, "", os.stat(path).st_mtime_ns)]  # noqa: PTH116 - asked before each cell
            with os.scandir(path) as entries:
                found += [(place, entry.name, entry.stat().st_mtime_ns) for entry in entries]
        except NotADirectoryError:
            pass  # a file: its own time tells
        except OSError:
            found = [(place, "", 0)]
        times.update(found)
        newest = max(newest, *(time_ns for _, _, time_ns in found))
    return (set_here, frozenset(times)) if newest < time.time_ns() - SETTLED_NS else None
