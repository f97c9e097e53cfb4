"""Files that are written whole or not at all: a reader sees the old content or the new, also after a crash."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def atomic_file(path: str | Path, *, mode: int | None = None) -> Iterator[IO[bytes]]:
    """A file to write bytes into, which takes the place of ``path`` when the block ends well.

    Folders are made. The mode is that of the file that is replaced, else what the umask leaves of 0666.
    Where ``path`` is a link, what it points to is replaced.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    target = Path(path).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    wanted = stat.S_IMODE(target.stat().st_mode) if mode is None and target.exists() else mode
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.new")
    try:
        with temporary.open("xb") as file:
            if wanted is not None:
                os.fchmod(file.fileno(), wanted)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def write_atomic(path: str | Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Write a text (as UTF-8, its line ends as they are) or bytes in one step; see :func:`atomic_file`."""
    with atomic_file(path, mode=mode) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
