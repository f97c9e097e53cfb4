"""What a unit is: one process, container or pod, rendered, free of secrets, the same for every back end.

A unit is what ``resolve`` makes, ``plan`` compares, back ends start, and annotations carry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from mlox.grants import Grant
from mlox.secret import Secret
from mlox.variables import finish

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Pending:
    """A value that does not exist yet: ``generate`` (a secret), ``pin`` (package versions)."""

    how: str
    name: str

    def __str__(self) -> str:
        return f"<{self.how} {self.name}>"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A secret that a unit uses: its key in the unit's texts, its name in the store, its version.

    ``version`` is empty while the secret does not exist; ``generate`` is the length that mlox makes it with, 0 where
    somebody else sets it.
    """

    key: str
    name: str
    version: str = ""
    generate: int = 0

    @property
    def state(self) -> str | Pending:
        """The version, or that it will be generated."""
        return self.version or Pending("generate", self.name)


@dataclass(frozen=True, slots=True)
class Software:
    """What a unit runs: Python packages, a program from the PATH, or an image; with the exact pins, once known.

    ``pins`` are lines of a requirements file, with markers, or the one digest of an image; empty means that they are
    not decided yet. ``folders`` are patterns of folders that a program is looked for in as well. ``build`` is how an
    image is made that nobody publishes: ``context`` (a folder), ``dockerfile``, ``target``, ``args.NAME``.
    ``interpreter``: the command is a script for the Python that the back end itself runs on.
    """

    packages: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    binary: str = ""
    folders: tuple[str, ...] = ()
    image: str = ""
    build: tuple[tuple[str, str], ...] = ()
    interpreter: bool = False

    @property
    def pending(self) -> bool:
        """Whether the pins have still to be decided."""
        return bool(self.packages or self.image) and not self.pins


@dataclass(frozen=True, slots=True)
class File:
    """A file written before the unit starts: absolute path, template with secrets left open, mode."""

    path: str
    content: str
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class PortBinding:
    """A port: its name, the number on the server, the protocol, and the scheme of addresses made from it.

    ``inside`` is the number in a container; 0: the same. ``address`` is where it listens, unless on loopback.
    """

    name: str
    number: int
    protocol: str = "tcp"
    scheme: str = ""
    inside: int = 0
    address: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """How health is asked, with the port by name; see :class:`mlox.specs.ProbeSpec`."""

    kind: str
    port: str = ""
    path: str = "/"
    status: tuple[int, ...] = (200,)
    argv: tuple[str, ...] = ()
    timeout_s: float = 5
    start_timeout_s: float = 60


@dataclass(frozen=True, slots=True)
class Job:
    """A command inside the unit that must succeed before it starts."""

    name: str
    argv: tuple[str, ...]
    when: str = "init"
    timeout_s: float = 300


@dataclass(frozen=True, slots=True)
class Rotation:
    """How a secret of a running unit is changed: its key in the unit's texts, and the command inside the unit."""

    key: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder of data in a container: its name, its path inside, and the volume, where that is not the service's own.

    A volume that is named belongs to somebody else: it is used as it is, and never removed.
    """

    name: str
    path: str
    volume: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """What a container has beside what every unit has; see docs/decisions/015-containers.md.

    Attributes:
        entrypoint: None is the image's own; an empty command of the unit is the image's own too.
        volumes: its data; the unit's files lie on a volume of their own.
        aliases: the names by which other containers of the stack find it.
        hosts: further names of hosts, with their addresses.
        settings: the other keys of the Compose Specification that are set, with values of JSON.
    """

    entrypoint: tuple[str, ...] | None = None
    user: str = ""
    working_dir: str = ""
    volumes: tuple[Volume, ...] = ()
    aliases: tuple[str, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit, rendered. Texts hold ``${secret.KEY}`` and ``${quoted.KEY}`` and nothing else of the grammar.

    ``intent`` is what people decided, field by field; it alone says whether a running unit still fits. What mlox
    renders from it may change with mlox, and then nothing is replaced. A unit that ``completes`` runs to its end: it is
    healthy when it has ended well. ``verify`` is a command inside it that tells what the service holds; ``dump`` writes
    that to its standard output, and ``load`` reads it. ``forwards`` is a provider, and the server whose containers
    reach it by this unit. One that ``watches`` is mlox itself (its command are words of it), and part of no plan.
    """

    stack: str
    service: str
    name: str
    catalog: str
    version: str
    server: str
    backend: str
    command: tuple[str, ...]
    software: Software = Software()
    environment: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    ports: tuple[PortBinding, ...] = ()
    directories: tuple[tuple[str, str], ...] = ()
    secrets: tuple[SecretRef, ...] = ()
    probe: Probe | None = None
    jobs: tuple[Job, ...] = ()
    grants: tuple[Grant, ...] = ()
    rotations: tuple[Rotation, ...] = ()
    verify: tuple[str, ...] = ()
    dump: tuple[str, ...] = ()
    load: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    stateful: bool = False
    stop_signal: str = "SIGTERM"
    stop_grace_s: float = 10
    restart: str = "unless-stopped"
    completes: bool = False
    container: Container | None = None
    forwards: tuple[str, ...] = ()
    watches: bool = False
    intent: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """``service.unit``: unique in a stack."""
        return f"{self.service}.{self.name}"

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits over the intent: what labels carry."""
        return digest(self.intent)

    def port(self, name: str) -> PortBinding | None:
        """The port of that name, or None."""
        return next((port for port in self.ports if port.name == name), None)

    def secret(self, key: str) -> SecretRef | None:
        """The secret of that key, or None."""
        return next((ref for ref in self.secrets if ref.key == key), None)

    def pinned(self, software: Software) -> Unit:
        """The same unit with its software decided."""
        return replace(self, software=software)

    def with_secrets(self, refs: tuple[SecretRef, ...]) -> Unit:
        """The same unit with the versions of its secrets known, in its intent too."""
        states = {f"secrets.{ref.key}": str(ref.state) for ref in refs}
        intent = tuple((name, states.get(name, value)) for name, value in self.intent)
        return replace(self, secrets=refs, intent=intent)

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for an annotation; :meth:`from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Unit:
        """The unit in an annotation, also one written by an older or newer mlox: unknown keys are left out."""
        return _adapter().validate_python(dict(value))


@cache
def _adapter() -> TypeAdapter[Unit]:
    """What reads annotations; making it takes as long as reading many of them."""
    from pydantic import TypeAdapter

    return TypeAdapter(Unit)


@dataclass(frozen=True, slots=True)
class Launch:
    """What actually starts, secrets revealed; lives only between a back end and the process."""

    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    files: tuple[File, ...] = field(repr=False)
    entrypoint: tuple[str, ...] | None = None


def launch(unit: Unit, secrets: Mapping[str, Secret]) -> Launch:
    """``unit`` with its secrets filled in; ``secrets`` by the unit's own keys.

    A command never holds a secret, since commands are in process lists.
    """
    entrypoint = unit.container.entrypoint if unit.container is not None else None
    return Launch(
        command=tuple(finish(part) for part in unit.command),
        environment={name: finish(value, secrets) for name, value in unit.environment},
        files=tuple(replace(file, content=finish(file.content, secrets)) for file in unit.files),
        entrypoint=None if entrypoint is None else tuple(map(finish, entrypoint)),
    )


def digest(value: object) -> str:
    """Twelve hexadecimal digits over any JSON value (SHA-256 of its canonical form)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
