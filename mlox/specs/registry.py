"""What ``registry.json`` holds, the list of all that a registry offers; and how ``mlox.yaml`` names a registry.

``registry.json`` is generated (``mlox registry build``) and lies beside the components' folders. What is in it is
checked by whoever reads it: the files below the same address have these digests, or nothing of them is taken.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from mlox.specs.component import ComponentOptionSpec, FilePath, Version
from mlox.specs.model import Identifier, Name, Spec, Text
from mlox.specs.naming import ComponentName

INDEX = "registry.json"
MAX_FILES = 500
MAX_BYTES = 5_000_000
MAX_COMPONENTS = 2000

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]


class IndexFileSpec(Spec):
    """A file of a component: its path in the component's folder, the SHA-256 and the number of its bytes."""

    path: FilePath
    sha256: Sha256
    size: Annotated[int, Field(ge=0, le=MAX_BYTES)]


class IndexEntrySpec(Spec):
    """One version of a component.

    ``folder`` is where it lies below the registry. ``digest`` is that of the manifest and all files; ``yanked`` says
    why nobody should take this version any more, and is not part of what the digest is of.
    """

    name: Name
    version: Version
    summary: Text
    digest: Sha256
    folder: FilePath
    yanked: Text | None = None
    files: Annotated[list[IndexFileSpec], Field(min_length=1, max_length=MAX_FILES)]
    dependencies: list[Text] = Field(default_factory=list)
    components: dict[ComponentName, str] = Field(default_factory=dict)
    services: list[Name] = Field(default_factory=list)
    environment: list[Variable] = Field(default_factory=list)
    options: dict[Identifier, ComponentOptionSpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(file.size for file in self.files) > MAX_BYTES:
            raise ValueError(f"{self.name}: more than {MAX_BYTES:,} bytes")
        return self


class RegistryIndexSpec(Spec):
    """The whole of ``registry.json``: every version of every component, sorted by name, newest first."""

    format: Literal[1] = 1
    components: Annotated[list[IndexEntrySpec], Field(max_length=MAX_COMPONENTS)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: set[tuple[str, str]] = set()
        for entry in self.components:
            if (entry.name, entry.version) in seen:
                raise ValueError(f"{entry.name} {entry.version} is listed twice")
            seen.add((entry.name, entry.version))
        return self


class RegistrySpec(Spec):
    """A registry of a workspace: the base address of a ``registry.json``, a git repository, or a folder.

    ``git`` may end with ``@REF`` and ``#SUBFOLDER``. ``token_env`` is the environment variable that holds the token.
    """

    url: Text | None = None
    git: Text | None = None
    folder: Text | None = None
    token_env: Variable | None = None

    @property
    def kind(self) -> Literal["https", "git", "folder"]:
        """Which adapter reads it."""
        return "https" if self.url else "git" if self.git else "folder"

    @property
    def address(self) -> str:
        """Where it is, as it is written."""
        return self.url or self.git or self.folder or ""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if len([each for each in (self.url, self.git, self.folder) if each]) != 1:
            raise ValueError("a registry has exactly one of: url, git, folder")
        if not self.address.isprintable() or self.address.startswith("-"):
            raise ValueError(f"{self.address!r} is no address")
        if self.folder and self.token_env:
            raise ValueError("a folder needs no token_env")
        if self.url:
            _check_url(self.url)
        if re.match(r"[a-z+]+://[^/@]*:[^/@]*@", self.git or ""):
            raise ValueError("git: a password stands in the address; take it out, and name a variable in token_env")
        return self


def json_schema() -> str:
    """The JSON Schema (2020-12) of ``registry.json``, as it is published."""
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= RegistryIndexSpec.model_json_schema()
    schema["title"] = INDEX
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def is_loopback(host: str | None) -> bool:
    """Whether a host's name is this machine: there, and only there, an address may do without TLS."""
    return host in ("localhost", "127.0.0.1", "::1")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("url: it is no address") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("url: it has to begin with https://")
    if not host or parts.query or parts.fragment:
        raise ValueError("url: it is https://HOST/FOLDER, without ? and #")
    if parts.username is not None or parts.password is not None:
        raise ValueError("url: a name or a password stands in it; take it out, and name a variable in token_env")
