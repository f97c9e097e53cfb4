"""A place for backups in memory, for tests; the contract suite holds it to the behaviour of the real ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlox.backup_stores.naming import check_path
from mlox.errors import BackupError


class FakeBackupStore:
    """A place for backups in memory. Put a reason into ``failure``, and every write fails with it, half way.

    Attributes:
        files: what it holds; a test may spoil it.

    Example:
        >>> store = FakeBackupStore()
        >>> store.put("churn/redis/data.age", [b"sealed"])
        6
        >>> store.failure = "No space left on device"
        >>> store.put("churn/redis/about.age", [b"sealed"])
        Traceback (most recent call last):
        mlox.errors.BackupError: cannot write churn/redis/about.age: No space left on device
    """

    name = "fake"
    where = "memory"

    def __init__(self) -> None:
        self.failure: str | None = None
        self.files: dict[str, bytes] = {}

    def put(self, path: str, chunks: Iterable[bytes]) -> int:
        """Keep a file."""
        check_path(path)
        content = b""
        for chunk in chunks:
            content += chunk
            self._check(path)
        self._check(path)
        self.files[path] = content
        return len(content)

    def get(self, path: str) -> Iterator[bytes]:
        """The content of a file."""
        if check_path(path) not in self.files:
            raise BackupError(f"cannot read {path}: there is none", hint="Look with `mlox backup --list`.")
        yield self.files[path]

    def paths(self, folder: str) -> tuple[str, ...]:
        """The files below a folder."""
        return tuple(sorted(path for path in self.files if path.startswith(f"{check_path(folder)}/")))

    def remove(self, path: str) -> None:
        """Remove a file."""
        self.files.pop(check_path(path), None)

    def tidy(self, folder: str) -> None:
        """What is not whole was never kept."""
        check_path(folder)

    def _check(self, path: str) -> None:
        if self.failure:
            raise BackupError(f"cannot write {path}: {self.failure}", hint="Take `failure` out.")
