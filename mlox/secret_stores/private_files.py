"""How private files and folders come to be: for their owner alone, made once, there after a crash."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from mlox.journal import write_atomic


def make_private_folder(folder: Path) -> None:
    """Make ``folder`` and its missing parents with mode 0700; those that exist stay as they are."""
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def create_once(path: Path, content: bytes) -> None:
    """Make ``path`` with mode 0600, whole or not at all; of several who try at once, the first one's content stays.

    Raises:
        FileExistsError: it is there already, also where it is a dangling link.
    """
    make_private_folder(path.parent)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        write_atomic(staged, content, mode=0o600)
        os.link(staged, path)
    finally:
        with suppress(OSError):
            staged.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the entries of ``folder`` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
