"""How files change: each in one step, several together as all or nothing, also when the process is killed between.

An edit of several files is written down first: the new contents and, last, a commit mark. Whoever comes next carries
out what has the mark and throws away what has none. Every edit may name what it replaces; a file that was changed
meanwhile is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlox.errors import WorkspaceError


@dataclass(frozen=True, slots=True)
class Edit:
    """One file's new content (None removes it) and the content that it must still have (None: it does not exist)."""

    path: Path
    content: bytes | None
    replaces: bytes | None


class Journal:
    """The journal of one workspace, in ``.mlox/local/journal/``.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> journal = Journal(root / ".mlox" / "local" / "journal")
        >>> journal.write([Edit(root / "a.txt", b"new", replaces=None)])
        >>> (root / "a.txt").read_bytes()
        b'new'
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def pending(self) -> bool:
        """Whether a process was killed on the way, or is writing right now."""
        return self.folder.is_dir() and any(self.folder.iterdir())

    def write(self, edits: Sequence[Edit], *, emptied: Sequence[Path] = ()) -> None:
        """Carry out all edits or none; of the folders ``emptied``, those go afterwards in which nothing is left.

        An interrupt does not end it half-way: it is raised when all is done.

        Raises:
            WorkspaceError: a file was changed since it was read, or cannot be written; nothing was changed then.
        """
        edits = [edit for edit in edits if edit.content != edit.replaces]
        with _explained():
            for edit in edits:
                _check(edit)
            if len(edits) == 1 and not emptied:
                _carry_out(edits[0].path, edits[0].content)
            elif edits:
                made = _missing_folders(edits)
                entry = self._stage(edits, emptied)
                try:
                    _redo(entry)
                except OSError:
                    _undo(entry, edits, made)
                    raise
                except KeyboardInterrupt:
                    _redo(entry)
                    raise

    def recover(self) -> int:
        """Finish what a killed process left; returns how many entries there were."""
        if not self.folder.is_dir():
            return 0
        entries = sorted(path for path in self.folder.iterdir() if path.is_dir())
        with _explained():
            for entry in entries:
                if (entry / "commit.json").exists():
                    _redo(entry)
                else:
                    shutil.rmtree(entry)
        return len(entries)

    def _stage(self, edits: Sequence[Edit], emptied: Sequence[Path]) -> Path:
        entry = self.folder / secrets.token_hex(8)
        entry.mkdir(parents=True)
        rows: list[dict[str, str | bool | None]] = []
        for index, edit in enumerate(edits):
            if edit.content is not None:
                _write(entry / str(index), edit.content, 0o600)
            content = None if edit.content is None else str(index)
            replaces = None if edit.replaces is None else _digest(edit.replaces)
            rows.append({"path": self._relative(edit.path), "content": content, "replaces": replaces})
        rows += [{"path": self._relative(folder), "emptied": True} for folder in emptied]
        write_atomic(entry / "commit.json", json.dumps(rows).encode())
        return entry

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path.absolute(), self.folder.absolute())


def write_atomic(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write a file so that a reader, also after a crash, sees the old content or the new.

    The mode of a file that exists is kept unless ``mode`` is given. A symbolic link is followed.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path) as temporary:
        _write(temporary, content, _mode_of(path) if mode is None else mode)
        temporary.replace(path)
    sync_folder(path.parent)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Where a new content lies before it takes the place of ``path``; nothing is left there after a failure."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write(path: Path, content: bytes, mode: int) -> None:
    """Make a file; its content is on the disk afterwards, its name is when the folder is synced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _mode_of(path: Path) -> int:
    """The mode of a file, or what a new one gets."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return 0o666 & ~_umask()


def _put(staged: Path, path: Path) -> None:
    """Let a staged content, which is on the disk already, take the place of a file; its folder is not synced.

    It gets a second name and is not written again, but where the file system has no links or is another one.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = _mode_of(path)
    with _beside(path) as temporary:
        try:
            staged.chmod(mode)
            os.link(staged, temporary)
        except OSError:
            _write(temporary, staged.read_bytes(), mode)
        temporary.replace(path)


def _carry_out(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_atomic(path, content)


def _redo(entry: Path) -> None:
    """Carry out a staged entry; a file that has neither the old content nor the new is somebody's, and stays."""
    if not (entry / "commit.json").exists():
        return
    folders: set[Path] = set()
    for row in json.loads((entry / "commit.json").read_bytes()):
        path = Path(os.path.normpath(entry.parent.absolute() / row["path"]))
        if row.get("emptied"):
            with contextlib.suppress(OSError):  # somebody's file is in it
                path.rmdir()
            continue
        content = None if row["content"] is None else (entry / row["content"]).read_bytes()
        _clear_temporaries(path)
        now = _read(path)
        if now != content and (None if now is None else _digest(now)) == row["replaces"]:
            if content is None:
                path.unlink(missing_ok=True)
            else:
                _put(entry / row["content"], path)
                folders.add(path.resolve().parent)
    for folder in folders:
        sync_folder(folder)
    _forget(entry)


def _undo(entry: Path, edits: Sequence[Edit], made: Sequence[Path]) -> None:
    """Bring back what a failing write has replaced already; a file that cannot be, is finished by the next recovery."""
    for edit in edits:
        if _read(edit.path) == edit.content:
            _carry_out(edit.path, edit.replaces)
    for folder in made:
        with contextlib.suppress(OSError):
            folder.rmdir()
    _forget(entry)


def _missing_folders(edits: Sequence[Edit]) -> list[Path]:
    """The folders that the edits will make, innermost first."""
    parents = {parent for edit in edits if edit.content is not None for parent in edit.path.absolute().parents}
    return sorted((parent for parent in parents if not parent.exists()), key=lambda parent: -len(parent.parts))


def _clear_temporaries(path: Path) -> None:
    """Take away what a killed process had begun to write beside ``path``."""
    ours = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}\.tmp")
    if path.parent.is_dir():
        for left in [one for one in path.parent.iterdir() if ours.fullmatch(one.name)]:
            left.unlink(missing_ok=True)


def _forget(entry: Path) -> None:
    (entry / "commit.json").unlink(missing_ok=True)
    shutil.rmtree(entry, ignore_errors=True)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _check(edit: Edit) -> None:
    if _read(edit.path) != edit.replaces:
        raise WorkspaceError(
            f"{edit.path} was changed by somebody else meanwhile; it was left as it is",
            hint="Run the same command again.",
        )


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except WorkspaceError:
        raise
    except OSError as error:
        raise WorkspaceError(
            f"cannot write {error.filename or 'the workspace'}: {error.strerror}",
            hint="Make the folder writable, or free some space; nothing was changed.",
        ) from error


def sync_folder(folder: Path) -> None:
    """Wait until the entries of ``folder`` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
