"""What of a container is not as mlox made it: files on its volume, its variables, what it is started with."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from mlox.backends.asking import known
from mlox.backends.docker import bodies, containers, entries, files, labels, probing
from mlox.backends.docker.bodies import Frame
from mlox.backends.docker.files import Environment
from mlox.backends.docker.labels import Name
from mlox.backends.docker.site import Site
from mlox.protocols import Deviation
from mlox.secret import Secret
from mlox.units import Launch, Unit
from mlox.variables import finish


def compare(site: Site, unit: Unit, secrets: Mapping[str, Secret]) -> tuple[Deviation, ...]:
    """Look; see :meth:`mlox.protocols.Comparing.deviations`."""
    there = labels.one(site.engine, Name.of(unit))
    details = containers.inspect(site.engine, there.id) if there is not None else None
    if there is None or details is None or there.state == "created":
        return ()
    variables = {name: text for name, value in unit.environment if (text := known(value, secrets)) is not None}
    return (
        *_files(site, there.id, unit, secrets),
        *_variables(site, there.id, details, unit, variables),
        *_command(site, details, unit),
    )


def _files(site: Site, container: str, unit: Unit, secrets: Mapping[str, Secret]) -> Iterator[Deviation]:
    for number, file in enumerate(unit.files):
        path = PurePosixPath(file.path)
        own = path.is_relative_to(files.PLACE)
        name = str(path.relative_to(files.PLACE)) if own else file.path
        found = _entry(site, container, file.path if own else f"{files.PLACE}/files/{number}")
        wanted = known(file.content, secrets)
        if found is None:
            yield Deviation("file", name, "missing")
        elif found[1] is None:
            yield Deviation("file", name, "no file any more")
        elif wanted is not None and found[1] != wanted.encode():
            yield Deviation("file", name, "changed")
        elif found[0] != file.mode:
            yield Deviation("file", name, f"mode {found[0]:o} instead of {file.mode:o}")


def _entry(site: Site, container: str, path: str) -> tuple[int, bytes | None] | None:
    """The mode of what is at a path, and its content, where it is a file; None where nothing is."""
    content = entries.archive(site.engine, container, path)
    if content is None:
        return None
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        first = archive.next()
        if first is None:
            return None
        file = archive.extractfile(first) if first.isreg() else None
        return first.mode & 0o7777, file.read() if file is not None else None


def _variables(
    site: Site, container: str, details: Mapping[str, Any], unit: Unit, variables: Mapping[str, str]
) -> Iterator[Deviation]:
    """Those that the engine gives, and those of the script, where all of its secrets can be read."""
    given = dict(each.partition("=")[::2] for each in details["Config"].get("Env") or ())
    environment = Environment.of(unit, Launch((), dict(variables), ()))
    scripted = probing.is_scripted(details)
    for name, text in (environment.plain if scripted else variables).items():
        if given.get(name) != text:
            yield Deviation("environment", name, "changed" if name in given else "missing")
    if scripted and len(variables) == len(unit.environment):
        there = entries.read(site.engine, container, files.SCRIPT)
        if there != files.starting(environment):
            names = ", ".join(sorted(environment.secret))
            yield Deviation("environment", names, "missing" if there is None else "changed")


def _command(site: Site, details: Mapping[str, Any], unit: Unit) -> Iterator[Deviation]:
    """What it is started with; an image that is gone says nothing."""
    from docker.errors import ImageNotFound

    with site.engine.asked("compare a container with its image") as api:
        try:
            image: Mapping[str, Any] = api.inspect_image(details["Image"])  # type: ignore[no-untyped-call]
        except ImageNotFound:
            return
    entrypoint = unit.container.entrypoint if unit.container is not None else None
    words = Launch(
        tuple(map(finish, unit.command)), {}, (), None if entrypoint is None else tuple(map(finish, entrypoint))
    )
    frame = Frame(unit, words, Environment({}, {}), image, "", scripted=probing.is_scripted(details))
    wanted = bodies.command(frame)
    own = image.get("Config") or {}
    entry = wanted.get("Entrypoint") or own.get("Entrypoint") or []
    rest = wanted.get("Cmd") or ([] if wanted.get("Entrypoint") else own.get("Cmd") or [])
    there = [*(details["Config"].get("Entrypoint") or ()), *(details["Config"].get("Cmd") or ())]
    if there != [*entry, *rest]:
        yield Deviation("command", "as it is started", "changed")
