"""Data of services on its way between servers: tar streams, read entry by entry, and told apart by what is in them.

An archive has a folder for each folder of data, by its name in the catalog (``data/...``, ``artifacts/...``), and in it
files, folders, links and fifos, a folder before what is in it. Neither side holds more of it than a part of one file.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, Protocol, cast

from mlox.errors import MloxError, ServiceError

PART = 1 << 20
"""How many bytes of a file are held at once."""

END = bytes(2 * tarfile.BLOCKSIZE)
"""How an archive ends: two blocks of zeros. Source: pax in POSIX.1-2017, ustar interchange format."""

SUM = 1 << 256

Path = tuple[str, ...]


class Held(Protocol):
    """What an entry holds."""

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end.

        Raises:
            ServiceError: the archive is cut off.
        """


@dataclass(frozen=True, slots=True)
class Content:
    """What is in an archive: a digest over paths, kinds, modes, targets and bytes; how many entries, how many bytes.

    Owners and times do not count, nor does the order.
    """

    digest: str = "0" * 64
    entries: int = 0
    size_bytes: int = 0


def content(chunks: Iterable[bytes]) -> Content:
    """What is in the archive that comes in these parts.

    Raises:
        ServiceError: it is cut off, or no archive.

    Example:
        >>> content([END]).entries
        0
    """
    total, found = 0, Content()
    for path, entry, file in entries(chunks):
        if len(path) < 2:  # the folder of data itself belongs to its server
            continue
        told = _told(path, entry)
        if file is not None:
            digest = hashlib.sha256()
            while part := file.read(PART):
                digest.update(part)
                found = replace(found, size_bytes=found.size_bytes + len(part))
            told.append(digest.hexdigest())
        line = b"\0".join(text.encode("utf-8", "surrogateescape") for text in told)
        total = (total + int.from_bytes(hashlib.sha256(line).digest())) % SUM
        found = replace(found, entries=found.entries + 1)
    return replace(found, digest=f"{total:064x}")


def entries(chunks: Iterable[bytes]) -> Iterator[tuple[Path, tarfile.TarInfo, Held | None]]:
    """Every entry: the parts of its path, its header, and what it holds, which has to be read before the next one.

    Raises:
        ServiceError: the archive is cut off, is none, or has an entry that cannot be carried.
    """
    reader = _Reader(chunks)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", reader), mode="r|", bufsize=PART) as archive:
            while (entry := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would remember all of them
                path = parts(entry.name)
                if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk() or entry.isfifo()):
                    raise ServiceError(f"{entry.name!r} in its data is a device", hint="Take it out of the data.")
                yield path, entry, _Held(archive.extractfile(entry)) if entry.isreg() else None
    except MloxError:
        raise
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _unreadable(error) from error
    reader.check_end()


def parts(name: str) -> Path:
    """The parts of a path in an archive.

    Raises:
        ServiceError: it leads out of the archive.

    Example:
        >>> parts("./data/a/")
        ('data', 'a')
    """
    found = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in found:
        raise ServiceError(f"{name!r} leads out of the data", hint="Take it out of the data.")
    return found


def header(entry: tarfile.TarInfo) -> bytes:
    """The blocks that stand before the content of an entry."""
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size_bytes: int) -> bytes:
    """The zeros that stand after a content of that size."""
    return bytes(-size_bytes % tarfile.BLOCKSIZE)


def gathered(archives: Mapping[str, Iterable[bytes]]) -> Iterator[bytes]:
    """One archive of several, each in a folder of its name; what was the first folder of its own paths is left out.

    So come the archives of an engine: of the folder ``/var/lib/data`` the paths begin with ``data/``.
    """
    for name, chunks in archives.items():
        for path, entry, file in entries(chunks):
            entry.name = "/".join((name, *path[1:]))
            entry.pax_headers = {key: value for key, value in entry.pax_headers.items() if key == "mtime"}
            if file is not None:
                entry.type = tarfile.REGTYPE  # it may have been a sparse one
            if entry.islnk():
                entry.linkname = "/".join((name, *parts(entry.linkname)[1:]))
            yield header(entry)
            if file is not None:
                while part := file.read(PART):
                    yield part
                yield padding(entry.size)
    yield END


def _told(path: Path, entry: tarfile.TarInfo) -> list[str]:
    """What of an entry counts, but for its bytes."""
    where = "/".join(path)
    if entry.issym():
        return ["link", where, entry.linkname]
    if entry.islnk():
        return ["same", where, "/".join(parts(entry.linkname))]
    kind = "folder" if entry.isdir() else "fifo" if entry.isfifo() else "file"
    return [kind, where, f"{entry.mode & 0o7777:o}"]


def _unreadable(error: Exception) -> ServiceError:
    return ServiceError(f"an archive of data cannot be read: {error}", hint="Run the same command again.")


class _Held:
    """What an entry holds."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        try:
            return self._file.read(size) if self._file is not None else b""
        except MloxError:
            raise
        except (tarfile.TarError, EOFError, OSError) as error:
            raise _unreadable(error) from error


class _Reader:
    """A file that is read from parts, and that remembers how it ended."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self._tail = b""

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._rest:
            part = next(self._chunks, None)
            if part is None:
                return b""
            self._rest = part
        found, self._rest = self._rest[:size], self._rest[size:]
        self._tail = (self._tail + found)[-len(END) :]
        return found

    def check_end(self) -> None:
        """Read what is left, and make sure that it ends as an archive does."""
        while self.read(PART):
            pass
        if self._tail != END:
            raise ServiceError("an archive of data is cut off", hint="Run the same command again.")
