"""What a user writes into ``mlox.yaml``: the stack, its servers, its services."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from mlox.specs.alerts import AlertsSpec
from mlox.specs.model import Identifier, Name, Scalar, Spec
from mlox.specs.naming import Namespace
from mlox.specs.registry import RegistrySpec

EMBEDDED = "embedded"
"""The decided value of a need that the service meets by itself."""

StackId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*-[0-9a-f]{4}$", max_length=45)]
Port = Annotated[int, Field(ge=1, le=65535)]
T = TypeVar("T")
OrNothing = Annotated[T, BeforeValidator(lambda value: {} if value is None else value)]
"""A section of which only the key is left: ``services:`` after somebody took the last one out."""


class ServerSpec(Spec):
    """Where services run: one transport (``local``, ``ssh``, ``kubernetes``) and a back end behind it."""

    local: bool | None = None
    ssh: Annotated[str, StringConstraints(min_length=1)] | None = None
    kubernetes: Annotated[str, StringConstraints(min_length=1)] | None = None
    backend: Literal["native", "docker", "kubernetes"] = "native"
    protected: bool = False

    @model_validator(mode="after")
    def _one_transport(self) -> Self:
        given = [name for name in ("local", "ssh", "kubernetes") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("a server has exactly one of: local, ssh, kubernetes")
        return self


class ServiceSpec(Spec):
    """One service of the stack. ``version`` and ``needs`` are decided at the first ``add`` or ``up`` and then stay."""

    service: Name
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]*$")] | None = None
    needs: dict[Identifier, Name] = Field(default_factory=dict)
    options: dict[Identifier, Scalar] = Field(default_factory=dict)
    ports: dict[Identifier, Port] = Field(default_factory=dict)
    server: Name = "local"

    @model_validator(mode="before")
    @classmethod
    def _unquoted_version(cls, value: Any) -> Any:
        """YAML reads an unquoted ``version: 7.2`` as a number, which loses the zero of 7.20: say so."""
        if isinstance(value, dict) and isinstance(value.get("version"), (int, float)):
            raise ValueError(f"write the version in quotes: version: '{value['version']}'")
        return value


class ProfileSpec(Spec):
    """What ``--profile NAME`` changes: options and servers of services that the stack has."""

    options: dict[Name, dict[Identifier, Scalar]] = Field(default_factory=dict)
    servers: dict[Name, Name] = Field(default_factory=dict)


class BackupsSpec(Spec):
    """Where backups go: a folder, or ``s3://BUCKET/PREFIX``; how many of each service are kept.

    ``access_key`` and ``secret_key`` are the names of secrets; without them, keys come as boto3 finds them.
    """

    to: Annotated[str, StringConstraints(min_length=1)] | None = None
    keep: Annotated[int, Field(ge=1)] | None = None
    endpoint: Annotated[str, StringConstraints(pattern=r"^https?://")] | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: str | None = None


class StackSpec(Spec):
    """The whole of ``mlox.yaml``."""

    name: Name
    id: StackId | None = None
    servers: OrNothing[dict[Name, ServerSpec]] = Field(default_factory=dict)
    services: OrNothing[dict[Name, ServiceSpec]] = Field(default_factory=dict)
    profiles: OrNothing[dict[Name, ProfileSpec]] = Field(default_factory=dict)
    registries: dict[Namespace, RegistrySpec] = Field(default_factory=dict)
    backups: BackupsSpec = Field(default_factory=BackupsSpec)
    alerts: OrNothing[AlertsSpec] = Field(default_factory=AlertsSpec)
