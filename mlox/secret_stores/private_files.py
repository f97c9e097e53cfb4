"""How the files and folders of secrets come to be: made once, there after a crash, by one process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlox.journal import sync_folder, write_atomic


def make_folder(folder: Path, *, mode: int = 0o700) -> None:
    """Make ``folder`` and its missing parents with ``mode``; those that exist stay as they are."""
    if folder.is_dir():
        return
    make_folder(folder.parent, mode=mode)
    with suppress(FileExistsError):
        folder.mkdir(mode=mode)
    sync_folder(folder.parent)


def create_once(path: Path, content: bytes) -> None:
    """Make ``path`` with mode 0600, whole or not at all; of several who try at once, the first one's content stays.

    Raises:
        FileExistsError: it is there already, also where it is a dangling link.
    """
    make_folder(path.parent)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        write_atomic(staged, content, mode=0o600)
        os.link(staged, path)
    finally:
        with suppress(OSError):
            staged.unlink()
    sync_folder(path.parent)


@contextmanager
def alone(folder: Path, *, wait_s: float) -> Iterator[None]:
    """Alone among the processes of this machine that change ``folder``; by a lock on it, which needs no file.

    Where the drive locks no folders, everybody goes on: files that are made once lose nothing, they only do not know
    of each other.

    Raises:
        TimeoutError: somebody else held it for ``wait_s`` seconds.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    deadline = time.monotonic() + wait_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError(None, "another process has been at it for too long") from None
                time.sleep(0.005)
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)


def clear_half_written(folder: Path, once: Path | None = None) -> None:
    """Remove what killed processes left in the folders of ``folder`` and, where it is made, beside ``once``."""
    beside = once.parent.glob(f".*{once.name}.*") if once is not None and once.exists() else ()
    for path in (*folder.glob("*/.*.tmp"), *beside):
        with suppress(OSError):
            path.unlink()
