"""Data of volumes: copied on the engine, and as a stream of an archive that goes out or comes in.

A container that is never started is enough for a stream: it works with every image and every engine.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, cast

from mlox.backends.docker import bodies, containers, entries, running
from mlox.backends.docker.labels import Name
from mlox.backends.docker.site import Site
from mlox.errors import CommandError

COPY_S = 3600.0
NO_ROOM = 28
PLACE = "volume"
PART = 1 << 20

Change = Callable[[tarfile.TarInfo], tarfile.TarInfo]

# Sizes in kilobytes; what an image lacks of these programs is left out, or done by streams.
SCRIPT = """
size=$(du -sk /from 2>/dev/null | cut -f1); free=$(df -Pk /to/0 2>/dev/null | tail -n 1 | tr -s ' ' | cut -d' ' -f4)
if [ -n "$1" ] && [ "${size:-0}" -gt "$((${free:-$size} / 2))" ]; then echo "room $size $free"; exit 28; fi
for from in /from/*; do
  to=/to/${from#/from/}
  rm -rf "$to"/..?* "$to"/.[!.]* "$to"/*
  cp -a "$from"/. "$to"/ || exit 1
done
"""


def copy(site: Site, name: Name, image: str, pairs: Mapping[str, str], *, ask_room: bool) -> str:
    """Make volumes the same as others; returns why that is not so, empty where it is.

    Args:
        image: one that is here; its own programs copy, where it has them.
        pairs: from the name of each volume to that of its copy. ``ask_room``: not where that takes half of the disk.
    """
    mounts = []
    for number, (source, target) in enumerate(pairs.items()):
        mounts += [bodies.mount(source, f"/from/{number}", read_only=True, copy=False)]
        mounts += [bodies.mount(target, f"/to/{number}", copy=False)]
    argv = ("/bin/sh", "-c", SCRIPT, "copy", *(("ask",) if ask_room else ()))
    body = bodies.helper(image, name, mounts, argv)
    doing = f"copy the data of {name.service}"
    probe = containers.create(site.engine, name.beside("copy"), bodies.helper(image, name, mounts), doing=doing)
    try:
        able = all(_has(site, probe, program) for program in ("sh", "cp"))
    finally:
        containers.remove(site.engine, probe)
    if not able:
        return _streamed(site, name, image, pairs)
    code, written = running.to_end(site, name.beside("copy"), body, timeout_s=COPY_S, doing=doing)
    told = written.decode("utf-8", "replace").strip()
    if code == NO_ROOM and told.startswith("room "):
        _, size, free = told.split()
        return f"it takes {int(size) / 1e6:.2f} GB, and {int(free) / 1e6:.2f} GB are free"
    if code is None:
        return f"copying took longer than {COPY_S:g} s"
    return "" if code == 0 else f"it could not be copied: {told.splitlines()[-1] if told else f'exit code {code}'}"


def _has(site: Site, container: str, program: str) -> bool:
    return any(entries.is_there(site.engine, container, f"{folder}/{program}") for folder in ("/bin", "/usr/bin"))


def _streamed(site: Site, name: Name, image: str, pairs: Mapping[str, str]) -> str:
    try:
        for source, target in pairs.items():
            bring_in(site, name, image, target, send_out(site, name, image, source))
    except CommandError as error:
        return error.problem
    return ""


def send_out(site: Site, name: Name, image: str, volume: str) -> Iterator[bytes]:
    """What is in a volume, as an archive whose first entry is ``.``, the folder itself."""
    mounts = [bodies.mount(volume, f"/{PLACE}", read_only=True, copy=False)]
    doing = f"read the volume {volume}"
    made = containers.create(site.engine, name.beside("out"), bodies.helper(image, name, mounts), doing=doing)
    try:
        with site.engine.asked(doing) as api:
            parts, _ = api.get_archive(made, f"/{PLACE}", chunk_size=PART)
            yield from rewritten(parts, _stripped)
    finally:
        containers.remove(site.engine, made)


def bring_in(
    site: Site,
    name: Name,
    image: str,
    volume: str,
    archive: Iterable[bytes],
    *,
    owner: tuple[int, int] | None = None,
) -> None:
    """Put what is in an archive into a volume; with ``owner`` all of it belongs to that one."""

    def placed(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.name = f"{PLACE}/{entry.name.removeprefix('./')}".removesuffix("/.")
        if entry.islnk():
            entry.linkname = f"{PLACE}/{entry.linkname.removeprefix('./')}"
        if owner is not None:
            entry.uid, entry.gid = owner
            entry.uname = entry.gname = ""
        return entry

    mounts = [bodies.mount(volume, f"/{PLACE}", copy=False)]
    doing = f"write the volume {volume}"
    made = containers.create(site.engine, name.beside("in"), bodies.helper(image, name, mounts), doing=doing)
    try:
        with site.engine.asked(doing) as api:
            api.put_archive(made, "/", rewritten(archive, placed))
    finally:
        containers.remove(site.engine, made)


def _stripped(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.name = entry.name.removeprefix(PLACE).lstrip("/") or "."
    if entry.islnk():
        entry.linkname = entry.linkname.removeprefix(f"{PLACE}/")
    return entry


class _Reader:
    """Parts as a file that is read from its beginning to its end."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._left = b""

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (part := next(self._parts, b"")):
            self._left += part
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def rewritten(parts: Iterable[bytes], change: Change) -> Iterator[bytes]:
    """An archive with each of its entries changed, as it comes: no part of it is held for long."""
    with tarfile.open(fileobj=cast("IO[bytes]", _Reader(parts)), mode="r|") as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            yield change(entry).tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
            if content is not None:
                while part := content.read(PART):
                    yield part
                yield b"\0" * (-entry.size % tarfile.BLOCKSIZE)
    yield b"\0" * tarfile.BLOCKSIZE * 2
