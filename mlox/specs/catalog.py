"""What an author writes about a service that can be deployed: one YAML file of the catalog.

Units use the keys of the Compose Specification with Compose's meaning (https://compose-spec.io); what Compose lacks
stands beside them. Texts may hold the variables of :mod:`mlox.variables`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from mlox.specs.compose import Absolute, ComposeKeys
from mlox.specs.kubernetes import ClaimSpec, PodSpec
from mlox.specs.model import Argv, Identifier, Name, Scalar, Spec, Text
from mlox.specs.offers import NeedSpec, ProvideSpec, SecretSpec
from mlox.specs.verifying import VerifySpec

CONFIG = "config"
"""The directory that every service has besides its data: where its files are written."""

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
Mode = Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3}$")]


class OptionSpec(Spec):
    """A typed option. Without a default it must be given."""

    type: Literal["string", "integer", "number", "boolean", "path"] = "string"
    default: Scalar | None = None
    choices: list[Scalar] = Field(default_factory=list)
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    help: Text


class ServiceOptionSpec(OptionSpec):
    """An option of a service. A ``path`` is a file or folder of the machine, relative to the workspace.

    A container sees it, and cannot change it, at ``target``.
    """

    target: Absolute | None = None

    @model_validator(mode="after")
    def _a_path_has_a_target(self) -> Self:
        if (self.type == "path") != (self.target is not None):
            raise ValueError("an option of type path, and no other, has a target: where containers see it")
        return self


class PortSpec(Spec):
    """A named port. ``port`` is the wish: natively another one is taken where it is in use."""

    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["tcp", "udp"] = "tcp"
    scheme: str | None = None
    help: str = ""


class DataSpec(Spec):
    """A folder of data: a directory natively, a volume at ``path`` in a container, of a claim where that is in a pod.

    ``volume`` names one that is there already: it is used as it is, and never removed.
    """

    path: Text | None = None
    volume: Text | None = None
    kubernetes: ClaimSpec | None = None
    help: str = ""


class FileSpec(Spec):
    """A file that is written before the unit starts: a template and its mode."""

    content: str
    mode: Mode = "0600"
    path: Text | None = None


class PythonSpec(Spec):
    """Python packages, with extras, for an environment of the service's own.

    ``option`` is one whose value names further packages, with spaces between them and none inside.
    """

    packages: Annotated[list[Text], Field(min_length=1)]
    option: Identifier | None = None


class BinarySpec(Spec):
    """A program that must be on the PATH of the server, and how its version is read.

    ``folders`` are patterns of folders that are looked into as well, those of the service's own version first.
    ``install`` is a command that brings it where no package does.
    """

    name: Text
    version_argv: Argv
    version_pattern: Text
    folders: list[Annotated[str, StringConstraints(pattern=r"^/[^:]+$")]] = Field(default_factory=list)
    debian: Text | None = None
    homebrew: Text | None = None
    install: Text | None = None


class NativeSpec(Spec):
    """How a unit runs as a plain process: its software, and what differs from the container (its command, perhaps).

    ``tools`` are programs that its jobs and grants call, beside the one that it is.
    """

    python: PythonSpec | None = None
    binary: BinarySpec | None = None
    tools: list[BinarySpec] = Field(default_factory=list)
    command: Argv | None = None
    environment: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_software(self) -> Self:
        if (self.python is None) == (self.binary is None):
            raise ValueError("native has exactly one of: python, binary")
        return self


class HttpProbe(Spec):
    """Healthy when GET answers with one of ``status``."""

    port: Identifier
    path: str = "/"
    status: list[int] = Field(default_factory=lambda: [200])


class TcpProbe(Spec):
    """Healthy when a connection is accepted."""

    port: Identifier


class ProbeSpec(Spec):
    """How health is asked: exactly one of ``http``, ``tcp``, ``exec`` (inside the unit; exit code 0), ``container``.

    ``container`` is what the engine says of the container: of its health check, where it has one, else that it runs.
    """

    http: HttpProbe | None = None
    tcp: TcpProbe | None = None
    exec: Argv | None = None
    container: Literal[True] | None = None
    timeout_s: Annotated[float, Field(gt=0)] = 5
    start_timeout_s: Annotated[float, Field(gt=0)] = 60

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.http, self.tcp, self.exec, self.container)) != 1:
            raise ValueError("a probe has exactly one of: http, tcp, exec, container")
        return self


class JobSpec(Spec):
    """A command that runs to its end, before the unit starts: for the first time (``init``), or every time.

    One of ``upgrade`` runs before the first start of each version, which may find the data of another one, or none.
    ``backends`` are those on which it runs, where it is not for all: an image may do by itself what a process needs.
    """

    unit: Name
    backends: list[Literal["native", "docker", "kubernetes"]] = Field(default_factory=list)
    argv: Argv
    when: Literal["init", "upgrade", "start"] = "init"
    timeout_s: Annotated[float, Field(gt=0)] = 300


class UnitSpec(ComposeKeys):
    """One process, container or pod of a service. ``listens`` names its ports; without it, all of the service's.

    One that ``completes`` runs to its end: it is healthy when it has ended well.
    """

    native: NativeSpec | None = None
    kubernetes: PodSpec | None = None
    listens: list[Identifier] | None = None
    files: dict[FileName, FileSpec] = Field(default_factory=dict)
    probe: ProbeSpec | None = None
    stateful: bool = False
    completes: bool = False

    @model_validator(mode="after")
    def _has_a_command(self) -> Self:
        if self.native is not None and self.native.command is None and self.command is None:
            raise ValueError("a unit that runs natively has a command, or native has")
        return self


class ClientSpec(Spec):
    """What a client process gets: environment variables, a package to install, a factory ``module:callable``.

    ``environment`` says where the service is and who asks; ``preferences`` only change the client's manners; ``files``
    are written for it, mode 0600, where ``${file.NAME}`` says; ``variable`` is what a notebook would call the client.
    """

    environment: dict[str, str] = Field(default_factory=dict)
    files: dict[Identifier, str] = Field(default_factory=dict)
    preferences: dict[str, str] = Field(default_factory=dict)
    package: Text | None = None
    object: Annotated[str, StringConstraints(pattern=r"^[\w.]+:[\w.]+$")] | None = None
    arguments: dict[Identifier, str] = Field(default_factory=dict)
    variable: Identifier = "client"
    user: str | None = None
    password: Identifier | None = None


class BackupSpec(Spec):
    """How data is saved or brought back while the unit runs: argv inside it, standard output or input being the data.

    What it writes may be read by another major version. Of a service without it, a backup copies the files of its data
    while it does not run.
    """

    unit: Name
    argv: Argv


class EstimateSpec(Spec):
    """What the service takes when it idles."""

    memory_bytes: Annotated[int, Field(ge=0)] = 0
    disk_bytes: Annotated[int, Field(ge=0)] = 0


class CatalogService(Spec):
    """A service of the catalog.

    ``versions`` says what is otherwise in some versions: a JSON Merge Patch by a range of versions, as ``<3``.
    """

    name: Name
    version: Text
    supports: str = ""
    versions: dict[Text, dict[str, Any]] = Field(default_factory=dict)
    summary: Text
    homepage: str = ""
    kind: Literal["service", "connector"] = "service"
    options: dict[Identifier, ServiceOptionSpec] = Field(default_factory=dict)
    secrets: dict[Identifier, SecretSpec] = Field(default_factory=dict)
    ports: dict[Identifier, PortSpec] = Field(default_factory=dict)
    data: dict[Identifier, DataSpec] = Field(default_factory=dict)
    needs: dict[Identifier, NeedSpec] = Field(default_factory=dict)
    provides: dict[Name, ProvideSpec] = Field(default_factory=dict)
    units: dict[Name, UnitSpec] = Field(default_factory=dict)
    jobs: dict[Name, JobSpec] = Field(default_factory=dict)
    client: ClientSpec = Field(default_factory=ClientSpec)
    backup: BackupSpec | None = None
    restore: BackupSpec | None = None
    verify: VerifySpec | None = None
    estimate: EstimateSpec = Field(default_factory=EstimateSpec)

    @model_validator(mode="after")
    def _saved_and_brought_back(self) -> Self:
        if (self.backup is None) != (self.restore is None):
            raise ValueError("backup and restore belong together: what the one writes the other reads")
        return self

    @property
    def backends(self) -> tuple[str, ...]:
        """The back ends on which every unit can run; what is said for Kubernetes is for a back end to come."""
        ways = {
            "native": lambda unit: unit.native is not None,
            "docker": lambda unit: unit.image is not None or unit.build is not None,
        }
        return tuple(name for name, fits in ways.items() if self.units and all(map(fits, self.units.values())))
