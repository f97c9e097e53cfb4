"""What an image is built from here: a digest of all that the engine would be sent, `.dockerignore` honoured."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

IGNORING = ".dockerignore"
OURS = frozenset({".git", ".mlox", "mlox.yaml", "mlox.lock.yaml"})
"""What `up` itself, or a commit, changes at the top of a workspace: it makes no other image necessary."""
READ_BYTES = 1 << 20


def digest(folder: str, dockerfile: str) -> str:
    """Twelve hexadecimal digits of names, modes and contents, but for :data:`OURS`; empty where they cannot be read.

    Times are left out, as the engine does when it looks for what it has built before.

    Example:
        >>> digest("/nonexistent", "")
        ''
    """
    from docker.utils.build import exclude_paths

    top = Path(folder)
    if not top.is_dir():
        return ""
    said = hashlib.sha256()
    try:
        for name in sorted(exclude_paths(folder, ignored(top), dockerfile=dockerfile or None)):
            if name.partition("/")[0] not in OURS:
                _add(said, top / name, name)
    except OSError:
        return ""
    return said.hexdigest()[:12]


def ignored(top: Path) -> list[str]:
    """The patterns of what is not sent, as docker-py reads them when it builds."""
    try:
        lines = [line.strip() for line in (top / IGNORING).read_text().splitlines()]
    except FileNotFoundError:
        return []
    return [line for line in lines if line and not line.startswith("#")]


def _add(said: hashlib._Hash, path: Path, name: str) -> None:
    found = path.lstat()
    said.update(f"{name}\0{stat.filemode(found.st_mode)}\0".encode("utf-8", "surrogateescape"))
    if stat.S_ISLNK(found.st_mode):
        said.update(os.fsencode(path.readlink()))
    elif stat.S_ISREG(found.st_mode):
        said.update(f"{found.st_size}\0".encode())
        with path.open("rb") as file:
            while chunk := file.read(READ_BYTES):
                said.update(chunk)
