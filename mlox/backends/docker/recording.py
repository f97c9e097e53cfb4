"""The history of a stack on an engine: files in a container that never runs.

Two of them take turns, each with all entries and a last line that says that it is whole: an engine may get only a part
of a file from a client that is killed.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from mlox.backends.docker import blank, containers, entries, labels, naming
from mlox.backends.docker.entries import Entry as Written
from mlox.backends.docker.labels import HISTORY, Name
from mlox.backends.docker.site import Site
from mlox.protocols import Entry, with_entry

FOLDER = "history"
END = "end "


def record(site: Site, stack: str, entry: Entry) -> None:
    """Keep an entry; see :meth:`mlox.protocols.Recording.record`.

    Raises:
        RequirementError: a stranger's container has the name.
    """
    container = _container(site, stack) or _made(site, stack)
    turn, known = _read(site, container)
    lines = [each.to_line() for each in with_entry(known, entry)]
    content = "\n".join((*lines, f"{END}{turn + 1}", "")).encode()
    files = [Written(FOLDER, None, 0o700), Written(f"{FOLDER}/{(turn + 1) % 2}", content, 0o600)]
    entries.put(site.engine, container, "/", files, doing=f"remember what is done to {stack}")


def history(site: Site, stack: str) -> tuple[Entry, ...]:
    """All entries; see :meth:`mlox.protocols.Recording.history`."""
    container = _container(site, stack)
    return _read(site, container)[1] if container is not None else ()


def forget(site: Site, stack: str) -> None:
    """Remove it; see :meth:`mlox.protocols.Recording.forget`."""
    container = _container(site, stack)
    if container is not None:
        containers.remove(site.engine, container)


def _name(stack: str) -> str:
    return f"{naming.network(stack)}.{HISTORY}"


def _container(site: Site, stack: str) -> str | None:
    there = containers.inspect(site.engine, _name(stack))
    if there is None:
        return None
    naming.check_ours("container", _name(stack), there["Config"]["Labels"], naming.Labels(stack))
    return str(there["Id"])


def _made(site: Site, stack: str) -> str:
    doing = f"remember what is done to {stack}"
    told = labels.beside(Name(stack, "", ""), HISTORY)
    return containers.create(site.engine, _name(stack), blank.body(site, told), doing=doing)


def _read(site: Site, container: str) -> tuple[int, tuple[Entry, ...]]:
    """The number of the last whole file, and what is in it."""
    best: tuple[int, tuple[Entry, ...]] = (0, ())
    for content in _files(site, container).values():
        *lines, last = content.decode("utf-8", "replace").splitlines() or [""]
        number = last.removeprefix(END)
        if last.startswith(END) and content.endswith(b"\n") and number.isdigit() and int(number) > best[0]:
            found = (Entry.from_line(line) for line in lines)
            best = (int(number), tuple(entry for entry in found if entry is not None))
    return best


def _files(site: Site, container: str) -> Mapping[str, bytes]:
    content = entries.archive(site.engine, container, f"/{FOLDER}")
    if content is None:
        return {}
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is not None:
                found[entry.name] = file.read()
    return found
