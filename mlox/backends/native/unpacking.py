"""How an archive becomes folders of data: each entry made anew, below a folder that nobody else can enter."""

from __future__ import annotations

import contextlib
import os
import tarfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from mlox.archives import PART, Held, entries, parts
from mlox.backends.native.account import Account
from mlox.backends.native.packing import FOLDER
from mlox.errors import ServiceError

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
HOLE = 4096
"""How many zeros in a row are left out of a file, where its disk can do without them."""

Times = tuple[int, int]


def unpack(chunks: Iterable[bytes], top: Path, names: Collection[str], account: Account) -> None:
    """Make what is in an archive below ``top``, for ``account``; the folders of data are those of ``names``.

    Raises:
        ServiceError: the archive is cut off, or an entry has no place there.
    """
    root = os.open(top, FOLDER)
    try:
        _Unpacking(root, names, account).everything(chunks)
    finally:
        os.close(root)


class _Unpacking:
    def __init__(self, root: int, names: Collection[str], account: Account) -> None:
        self.root = root
        self.names = names
        self.account = account
        self.entered: list[tuple[tuple[str, ...], int, Times]] = []

    def everything(self, chunks: Iterable[bytes]) -> None:
        """A folder gets its mode and its time when it is left, since both change, or hinder, what happens in it."""
        for path, entry, file in entries(chunks):
            if not path:
                continue
            if path[0] not in self.names:
                raise ServiceError(f"{path[0]!r} is no folder of its data here", hint="Use one version of its file.")
            while self.entered and self.entered[-1][0] != path[: len(self.entered[-1][0])]:
                self._leave()
            with self._folder(path[:-1]) as folder:
                self._make(folder, path, entry, file)
        while self.entered:
            self._leave()

    def _make(self, folder: int, path: tuple[str, ...], entry: tarfile.TarInfo, file: Held | None) -> None:
        name, mode, times = path[-1], entry.mode & 0o7777, _times(entry)
        try:
            if entry.isdir():
                os.mkdir(name, 0o700, dir_fd=folder)
                self.entered.append((path, mode, times))
                return
            if entry.islnk():
                self._link(parts(entry.linkname), folder, name)
                return
            if entry.issym():
                os.symlink(entry.linkname, name, dir_fd=folder)
            elif entry.isfifo():
                os.mkfifo(name, 0o600, dir_fd=folder)
            elif file is not None:
                with os.fdopen(os.open(name, NEW, 0o600, dir_fd=folder), "wb", buffering=0) as target:
                    _write(target.fileno(), file, entry.size)
        except FileExistsError as error:
            raise ServiceError(
                f"{'/'.join(path)} is in an archive twice", hint="Run the same command again."
            ) from error
        self._give(folder, name)
        if not entry.issym():
            os.chmod(name, mode, dir_fd=folder)
        os.utime(name, ns=times, dir_fd=folder, follow_symlinks=False)

    def _link(self, known: tuple[str, ...], folder: int, name: str) -> None:
        with self._folder(known[:-1]) as there:
            os.link(known[-1], name, src_dir_fd=there, dst_dir_fd=folder, follow_symlinks=False)

    def _leave(self) -> None:
        path, mode, times = self.entered.pop()
        with self._folder(path[:-1]) as folder:
            self._give(folder, path[-1])
            os.chmod(path[-1], mode if len(path) > 1 else 0o700, dir_fd=folder)
            os.utime(path[-1], ns=times, dir_fd=folder, follow_symlinks=False)

    def _give(self, folder: int, name: str) -> None:
        if self.account.other:
            os.chown(name, self.account.uid, self.account.gid, dir_fd=folder, follow_symlinks=False)

    @contextlib.contextmanager
    def _folder(self, path: tuple[str, ...]) -> Iterator[int]:
        """A folder that was made before; a link on the way there is an error."""
        opened: list[int] = []
        try:
            for name in path:
                opened.append(os.open(name, FOLDER, dir_fd=opened[-1] if opened else self.root))
            yield opened[-1] if opened else self.root
        except (NotADirectoryError, FileNotFoundError) as error:
            raise ServiceError(
                f"{'/'.join(path)} is not a folder in an archive", hint="Run the same command again."
            ) from error
        finally:
            for each in opened:
                os.close(each)


def _write(target: int, file: Held, size_bytes: int) -> None:
    """Write a content, with holes where it has long rows of zeros."""
    place = 0
    while part := file.read(PART):
        for begin in range(0, len(part), HOLE):
            piece = part[begin : begin + HOLE]
            if piece.count(0) < len(piece):
                _write_all(target, piece, place + begin)
        place += len(part)
    os.ftruncate(target, size_bytes)


def _write_all(target: int, piece: bytes, place: int) -> None:
    while piece:
        written = os.pwrite(target, piece, place)
        piece, place = piece[written:], place + written


def _times(entry: tarfile.TarInfo) -> Times:
    """When it was changed last, in nanoseconds: the exact words of the archive, where it has them."""
    seconds, _, fraction = str(entry.pax_headers.get("mtime", entry.mtime)).partition(".")
    try:
        found = int(seconds) * 10**9 + int(fraction[:9].ljust(9, "0") or "0")
    except ValueError as error:
        raise ServiceError(f"{entry.name!r} has no time in an archive", hint="Run the same command again.") from error
    return found, found
