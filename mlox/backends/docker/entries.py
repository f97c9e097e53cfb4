"""Small tar archives for a container: how files get in, and how one is read, whether it runs or not.

Source: Docker Engine API, ``PUT`` and ``GET /containers/{id}/archive``; both see the container's volumes.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Generator, Iterable
from dataclasses import dataclass

from mlox.backends.docker.engine import Engine

LONGEST = 16 << 20
HEAD = 8 * tarfile.BLOCKSIZE
"""In so much of an archive is all of its first header, with the longest of names."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, a folder (``content`` is None) or, with ``target``, a symbolic link."""

    path: str
    content: bytes | None
    mode: int
    owner: tuple[int, int] = (0, 0)
    target: str = ""


def put(engine: Engine, container: str, folder: str, entries: Iterable[Entry], *, doing: str) -> None:
    """Write entries below a folder of a container."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as packed:
        for entry in entries:
            made = tarfile.TarInfo(entry.path.lstrip("/"))
            made.mode = entry.mode
            made.uid, made.gid = entry.owner
            if entry.target:
                made.type, made.linkname = tarfile.SYMTYPE, entry.target
            elif entry.content is None:
                made.type = tarfile.DIRTYPE
            else:
                made.size = len(entry.content)
            packed.addfile(made, io.BytesIO(entry.content or b""))
    with engine.asked(doing) as api:
        api.put_archive(container, folder, stream.getvalue())


def is_there(engine: Engine, container: str, path: str) -> bool:
    """Whether a container has something at a path."""
    with engine.asked(f"look for {path}") as api:
        answer = api.head(
            f"{api.base_url}/v{api.api_version}/containers/{container}/archive",
            params={"path": path},
            timeout=api.timeout,
        )
        return bool(answer.status_code == 200)


def read(engine: Engine, container: str, path: str) -> bytes | None:
    """The content of a small file; None where there is none. Links are followed by their text, inside the container."""
    for _ in range(8):
        content = archive(engine, container, path)
        if content is None:
            return None
        with tarfile.open(fileobj=io.BytesIO(content)) as opened:
            first = opened.next()
            if first is None:
                return None
            if first.issym():
                folder = path.rpartition("/")[0]
                path = first.linkname if first.linkname.startswith("/") else f"{folder}/{first.linkname}"
                continue
            file = opened.extractfile(first)
            return file.read(LONGEST) if file is not None else None
    return None


def archive(engine: Engine, container: str, path: str) -> bytes | None:
    """What is at a path, as an archive; None where nothing is."""
    from docker.errors import NotFound

    with engine.asked(f"read {path}") as api:
        try:
            parts, _ = api.get_archive(container, path)
            return b"".join(parts)
        except NotFound:
            return None


def is_empty(engine: Engine, container: str, path: str) -> bool:
    """Whether nothing is in a folder."""
    begun = _begun(engine, container, path)
    if begun is None:
        return True
    with tarfile.open(fileobj=io.BytesIO(begun), mode="r|", ignore_zeros=True) as opened:
        opened.next()
        try:
            return opened.next() is None
        except tarfile.ReadError:  # it goes on
            return False


def first(engine: Engine, container: str, path: str) -> tarfile.TarInfo | None:
    """What the entry at a path is: owner, mode, kind; None where there is none. A folder is not read to its end."""
    begun = _begun(engine, container, path)
    if begun is None:
        return None
    with tarfile.open(fileobj=io.BytesIO(begun), mode="r|", ignore_zeros=True) as opened:
        return opened.next()


def parts(engine: Engine, container: str, path: str, size: int, *, doing: str) -> Generator[bytes, None, None]:
    """What is at a path, as an archive, part by part; nothing where nothing is. Who stops reading hangs up."""
    with engine.asked(doing) as api:
        answer = api.get(
            f"{api.base_url}/v{api.api_version}/containers/{container}/archive",
            params={"path": path},
            stream=True,
            timeout=api.timeout,
        )
        with contextlib.closing(answer):
            if answer.status_code == 200:
                yield from answer.iter_content(size)
            elif answer.status_code != 404:
                answer.raise_for_status()


def _begun(engine: Engine, container: str, path: str) -> bytes | None:
    begun = b""
    with contextlib.closing(parts(engine, container, path, tarfile.BLOCKSIZE, doing=f"look at {path}")) as stream:
        for part in stream:
            begun += part
            if len(begun) >= HEAD:
                break
    return begun or None
