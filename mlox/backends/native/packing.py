"""How folders of data become an archive: read entry by entry, by the names in their folders, never through a link."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlox.archives import END, PART, header, padding
from mlox.errors import ServiceError

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def packed(folders: Mapping[str, Path]) -> Iterator[bytes]:
    """An archive of these folders by their names, a part at a time; one that is not there is left out.

    In each folder the names come in the order of their bytes, what is in one right after it.

    Raises:
        ServiceError: something changed while it was read, or cannot be carried.
    """
    for name, path in sorted(folders.items()):
        if path.is_dir():
            yield from _Packing(name).everything(path)
    yield END


def size(folders: Mapping[str, Path]) -> int:
    """How many bytes they take on the disk."""
    found = (Path(folder, each) for top in folders.values() for folder, _, names in os.walk(top) for each in names)
    return sum(path.lstat().st_blocks * 512 for path in found)


@dataclass
class _Packing:
    """One folder on its way into an archive."""

    name: str
    first: dict[tuple[int, int], str] = field(default_factory=dict)
    open: list[tuple[int, str, Iterator[str]]] = field(default_factory=list)

    def everything(self, top: Path) -> Iterator[bytes]:
        try:
            self._enter(os.open(top, FOLDER), self.name)
            yield header(_entry(self.name, os.fstat(self.open[0][0]), tarfile.DIRTYPE))
            while self.open:
                folder, path, names = self.open[-1]
                name = next(names, None)
                if name is None:
                    os.close(self.open.pop()[0])
                else:
                    yield from self._one(folder, name, f"{path}/{name}")
        finally:
            for folder, _, _ in self.open:
                os.close(folder)

    def _enter(self, folder: int, path: str) -> None:
        self.open.append((folder, path, iter(sorted(os.listdir(folder), key=os.fsencode))))

    def _one(self, folder: int, name: str, path: str) -> Iterator[bytes]:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(seen.st_mode):
            yield header(_entry(path, seen, tarfile.DIRTYPE))
            self._enter(os.open(name, FOLDER, dir_fd=folder), path)
        elif stat.S_ISLNK(seen.st_mode):
            yield header(_entry(path, seen, tarfile.SYMTYPE, os.readlink(name, dir_fd=folder)))
        elif stat.S_ISFIFO(seen.st_mode):
            yield header(_entry(path, seen, tarfile.FIFOTYPE))
        elif stat.S_ISREG(seen.st_mode):
            yield from self._file(folder, name, path, seen)
        elif not stat.S_ISSOCK(seen.st_mode):
            raise ServiceError(f"{path} in its data is a device", hint="Take it out of the data.")

    def _file(self, folder: int, name: str, path: str, seen: os.stat_result) -> Iterator[bytes]:
        known = self.first.setdefault((seen.st_dev, seen.st_ino), path) if seen.st_nlink > 1 else path
        if known != path:
            yield header(_entry(path, seen, tarfile.LNKTYPE, known))
            return
        with os.fdopen(os.open(name, FILE, dir_fd=folder), "rb") as file:
            there = os.fstat(file.fileno())
            yield header(_entry(path, there, tarfile.REGTYPE))
            left = there.st_size
            while left and (part := file.read(min(left, PART))):
                left -= len(part)
                yield part
            if left or file.read(1):
                raise ServiceError(f"{path} changed while it was read", hint="End what writes to it, then again.")
            yield padding(there.st_size)


def _entry(path: str, seen: os.stat_result, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.linkname, entry.mode = kind, target, stat.S_IMODE(seen.st_mode)
    entry.uid, entry.gid = seen.st_uid, seen.st_gid
    entry.size = seen.st_size if kind == tarfile.REGTYPE else 0
    entry.mtime = int(seen.st_mtime)
    entry.pax_headers = {"mtime": f"{seen.st_mtime_ns // 10**9}.{seen.st_mtime_ns % 10**9:09d}"}
    return entry
