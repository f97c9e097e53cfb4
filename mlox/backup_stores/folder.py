"""Backups in a folder, also one of another disk or of a network."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlox.backup_stores.naming import check_path
from mlox.errors import BackupError, MloxError
from mlox.journal import sync_folder

PART = 1 << 20


class FolderBackupStore:
    """A folder of mode 0700, made when the first file is kept; files have mode 0600.

    Example:
        >>> import tempfile
        >>> store = FolderBackupStore(Path(tempfile.mkdtemp()))
        >>> store.put("churn/redis/data.age", [b"sea", b"led"])
        6
        >>> store.paths("churn"), b"".join(store.get("churn/redis/data.age"))
        (('churn/redis/data.age',), b'sealed')
    """

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def where(self) -> str:
        """Its path."""
        return str(self.folder)

    def put(self, path: str, chunks: Iterable[bytes]) -> int:
        """Keep a file: written beside its name, forced to the disk, then named."""
        target, size = self._path(path), 0
        staged = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
        with self._doing(f"write {target}"):
            _make(target.parent)
            try:
                descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    for chunk in chunks:
                        size += file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                staged.replace(target)
            finally:
                with contextlib.suppress(OSError):
                    staged.unlink()
                self._remove_empty(target.parent)
            sync_folder(target.parent)
        return size

    def get(self, path: str) -> Iterator[bytes]:
        """The content of a file."""
        target = self._path(path)
        with self._doing(f"read {target}"), target.open("rb") as file:
            while part := file.read(PART):
                yield part

    def paths(self, folder: str) -> tuple[str, ...]:
        """The files below a folder; what a killed process was writing is none."""
        top = self._path(folder)
        with self._doing(f"look into {top}"):
            found = [path for path in top.rglob("*") if path.is_file() and not path.name.startswith(".")]
        return tuple(sorted(path.relative_to(self.folder).as_posix() for path in found))

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty then; also what killed processes left beside it."""
        target = self._path(path)
        with self._doing(f"remove {target}"):
            target.unlink(missing_ok=True)
            for left in target.parent.glob(f".{target.name}.*.new"):
                left.unlink(missing_ok=True)
            self._remove_empty(target.parent)

    def tidy(self, folder: str) -> None:
        """Remove what killed processes were writing below a folder, and the folders that are empty then."""
        top = self._path(folder)
        with self._doing(f"tidy {top}"):
            for left in top.rglob(".*.new"):
                left.unlink(missing_ok=True)
            for path in sorted(top.rglob("*"), reverse=True):
                if path.is_dir():
                    self._remove_empty(path)

    def _path(self, path: str) -> Path:
        return self.folder / check_path(path)

    def _remove_empty(self, folder: Path) -> None:
        """Remove a folder below ours where it is empty, and its parents that are then."""
        while folder != self.folder:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    @contextlib.contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        try:
            yield
        except MloxError:
            raise
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise BackupError(
                f"cannot {what}: {error.strerror or error}",
                hint="Free some disk space, or choose another place: --to PLACE."
                if full
                else f"Check {self.folder}, or choose another place: --to PLACE.",
            ) from error


def _make(folder: Path) -> None:
    """Make a folder and its missing parents, closed to others, and lasting."""
    if folder.is_dir():
        return
    _make(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)
