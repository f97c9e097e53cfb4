"""Data of volumes: copied on the engine, and as an archive that goes out or comes in.

A container that is never started is enough for an archive: it works with every image and every engine. The engine tells
times in whole seconds (moby, ``pkg/archive``), and leaves out sockets.
"""

from __future__ import annotations

import secrets
import tarfile
from collections.abc import Iterable, Iterator, Mapping

from mlox import archives
from mlox.backends.docker import blank, bodies, containers, entries, labels, running
from mlox.backends.docker.labels import Name
from mlox.backends.docker.settings import Json
from mlox.backends.docker.site import Site
from mlox.errors import CommandError, ServiceError

COPY_S = 3600.0
NO_ROOM = 28
PLACE = "mlox-data"
PART = 1 << 20

# Sizes in kilobytes. With an argument, a copy may take half of the free disk.
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
    doing = f"copy the data of {name.service}"
    probe = containers.create(site.engine, name.beside("copy"), bodies.helper(image, name, mounts), doing=doing)
    try:
        able = all(_has(site, probe, program) for program in ("sh", "cp", "rm"))
    finally:
        containers.remove(site.engine, probe)
    if not able:
        return _streamed(site, name, image, pairs)
    body = bodies.helper(image, name, mounts, argv)
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
            made = bodies.helper(image, name, mounted({"data": target}))
            container = containers.create(site.engine, name.beside("in"), made, doing=f"write the volume {target}")
            try:
                bring_in(site, container, {"data": None}, send_out(site, name, {"data": source}))
            finally:
                containers.remove(site.engine, container)
    except (CommandError, ServiceError) as error:
        return error.problem
    return ""


def mounted(volumes: Mapping[str, str], *, read_only: bool = False) -> list[Json]:
    """Mounts at which volumes are read and written, each by its name in the archive."""
    return [bodies.mount(each, f"/{PLACE}/{name}", read_only=read_only, copy=False) for name, each in volumes.items()]


def send_out(site: Site, name: Name, volumes: Mapping[str, str]) -> Iterator[bytes]:
    """What is in volumes as one archive, each in a folder of its name; see :mod:`mlox.archives`."""
    doing = f"read the data of {name.service}"
    made = blank.body(site, labels.beside(name, "helper"), mounted(volumes, read_only=True))
    container = containers.create(site.engine, name.beside(f"out-{secrets.token_hex(4)}"), made, doing=doing)
    try:
        yield from archives.gathered(
            {each: entries.parts(site.engine, container, f"/{PLACE}/{each}", PART, doing=doing) for each in volumes}
        )
    finally:
        containers.remove(site.engine, container)


def bring_in(site: Site, container: str, owners: Mapping[str, tuple[int, int] | None], chunks: Iterable[bytes]) -> None:
    """Put what is in an archive into volumes that are :func:`mounted` in a container.

    Args:
        owners: to whom all of each folder belongs; None: to whom the archive says.

    Raises:
        ServiceError: the archive is cut off, or has something that is in none of the folders.
    """
    with site.engine.asked("write data") as api:
        api.put_archive(container, "/", _placed(owners, chunks))


def _placed(owners: Mapping[str, tuple[int, int] | None], chunks: Iterable[bytes]) -> Iterator[bytes]:
    for path, entry, file in archives.entries(chunks):
        if not path or path[0] not in owners:
            raise ServiceError(f"{entry.name!r} is in no folder of its data", hint="Take it out of the data.")
        entry.name = "/".join((PLACE, *path))
        if entry.islnk():
            entry.linkname = "/".join((PLACE, *archives.parts(entry.linkname)))
        owner = owners[path[0]]
        if owner is not None:
            (entry.uid, entry.gid), entry.uname, entry.gname = owner, "", ""
        entry.pax_headers = {key: value for key, value in entry.pax_headers.items() if key == "mtime"}
        if file is not None:
            entry.type = tarfile.REGTYPE
        yield archives.header(entry)
        if file is not None:
            while part := file.read(PART):
                yield part
            yield archives.padding(entry.size)
    yield archives.END
