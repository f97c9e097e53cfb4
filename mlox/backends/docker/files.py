"""What of a unit lies on its small volume at ``/mlox``: files, secrets, the script that it starts through, a memory.

Only the unit's user reads it; ``inspect`` and ``commit`` show nothing of it. It is written before each start.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mlox.backends.docker import entries
from mlox.backends.docker.entries import Entry
from mlox.backends.docker.site import Site
from mlox.errors import SpecError
from mlox.units import File, Launch, Unit
from mlox.variables import references

PLACE = "/mlox"
SCRIPT = f"{PLACE}/start"
SHELL = "/bin/sh"
MEMORY = "memory.json"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of a unit: those that anybody may see, and those with secrets in them."""

    plain: Mapping[str, str]
    secret: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, unit: Unit, launched: Launch) -> Environment:
        """Those of a unit that starts."""
        held = {
            name for name, text in unit.environment if any(v.kind in ("secret", "quoted") for v in references(text))
        }
        every = launched.environment
        return cls({k: v for k, v in every.items() if k not in held}, {k: v for k, v in every.items() if k in held})

    @property
    def by_script(self) -> bool:
        """Whether a script has to bring some of it; a name that no shell takes cannot come so."""
        return bool(self.secret) and all(map(_VARIABLE.fullmatch, self.secret))


def script(variables: Mapping[str, str], ending: str) -> bytes:
    r"""A script that exports variables, then goes on with ``ending``.

    Example:
        >>> script({"A": "it's"}, 'exec "$@"')
        b'export A=\'it\'"\'"\'s\'\nexec "$@"\n'
    """
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join((*lines, ending, "")).encode()


def starting(environment: Environment) -> bytes:
    """The script that a unit starts through."""
    return script(environment.secret, 'exec "$@"')


def through(script_there: bool, argv: tuple[str, ...]) -> tuple[str, ...]:
    """A command as it runs inside: with the variables of the script, where there is one."""
    return (SHELL, SCRIPT, *argv) if script_there else argv


def owner(site: Site, container: str, image: str, user: str) -> tuple[int, int]:
    """The numbers of a unit's user and group, by the image's own files.

    Raises:
        SpecError: the image has no such user or group.
    """
    name, _, group = user.partition(":")
    if name in ("", "0", "root") and group in ("", "0", "root"):
        return 0, 0
    if name.isdigit() and group.isdigit():
        return int(name), int(group)
    known = site.owners.get((image, user))
    if known is None:
        known = site.owners[image, user] = _looked_up(site, container, name, group)
    return known


def _looked_up(site: Site, container: str, name: str, group: str) -> tuple[int, int]:
    users = _table(site, container, "/etc/passwd")
    found = next((row for row in users if name in (row[0], row[2])), None)
    if found is None and not name.isdigit():
        raise SpecError(f"the image has no user {name!r}", hint="Write the user's number, or another user.")
    uid = int(found[2]) if found else int(name)
    if not group:
        return uid, int(found[3]) if found else 0
    if group.isdigit():
        return uid, int(group)
    groups = _table(site, container, "/etc/group")
    there = next((row for row in groups if row[0] == group), None)
    if there is None:
        raise SpecError(f"the image has no group {group!r}", hint="Write the group's number, or another group.")
    return uid, int(there[2])


def _table(site: Site, container: str, path: str) -> list[list[str]]:
    content = entries.read(site.engine, container, path) or b""
    rows = [line.split(":") for line in content.decode("utf-8", "replace").splitlines()]
    return [row for row in rows if len(row) > 3 and row[2].isdigit() and (row[3].isdigit() or path.endswith("group"))]


def write(
    site: Site, container: str, launched: Launch, environment: Environment, belongs: tuple[int, int], *, scripted: bool
) -> None:
    """Write all of it, but the memory. What lies elsewhere in the container is a link to here."""
    inside: list[tuple[int, File]] = []
    outside: list[tuple[int, File]] = []
    for number, file in enumerate(launched.files):
        (inside if PurePosixPath(file.path).is_relative_to(PLACE) else outside).append((number, file))
    inner = [Entry(name, None, 0o700, belongs) for name in ("config", "secrets")]
    inner += _files(inside, belongs)
    if scripted:
        inner.append(Entry("start", starting(environment), 0o600, belongs))
    if outside:
        inner.append(Entry("files", None, 0o700, belongs))
        inner += [Entry(f"files/{n}", file.content.encode(), file.mode, belongs) for n, file in outside]
    entries.put(site.engine, container, PLACE, inner, doing="write a unit's files")
    links = [Entry(file.path, None, 0o777, belongs, f"{PLACE}/files/{n}") for n, file in outside]
    if links:
        entries.put(site.engine, container, "/", links, doing="write a unit's files")


def _files(files: list[tuple[int, File]], belongs: tuple[int, int]) -> Iterator[Entry]:
    made = {"config", "secrets"}
    for _, file in files:
        path = PurePosixPath(file.path).relative_to(PLACE)
        for parent in reversed(path.parents[:-1]):
            if str(parent) not in made:
                made.add(str(parent))
                yield Entry(str(parent), None, 0o700, belongs)
        yield Entry(str(path), file.content.encode(), file.mode, belongs)


def remembered(site: Site, container: str) -> tuple[str, ...]:
    """The init jobs that have succeeded."""
    try:
        value = json.loads(entries.read(site.engine, container, f"{PLACE}/{MEMORY}") or b"[]")
    except ValueError:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else ()


def remember(site: Site, container: str, jobs: tuple[str, ...]) -> None:
    """Write down the init jobs that have succeeded."""
    content = json.dumps(jobs).encode()
    entries.put(site.engine, container, PLACE, [Entry(MEMORY, content, 0o600)], doing="note a job as done")
