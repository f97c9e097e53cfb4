"""What a file in a place for backups may be called."""

from __future__ import annotations

import re

from mlox.errors import BackupError

_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


def check_path(path: str) -> str:
    """``path``, where it stays in its place on every system.

    Raises:
        BackupError: it does not.

    Example:
        >>> check_path("churn-7f3a/redis/20260101T000000Z-1a2b/data.age")
        'churn-7f3a/redis/20260101T000000Z-1a2b/data.age'
    """
    if not _PATH.fullmatch(path):
        raise BackupError(f"{path!r} is no name of a file of a backup", hint="Take it out of the place of backups.")
    return path
