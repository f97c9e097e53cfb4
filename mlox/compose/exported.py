"""A compose file while it is written from units: its sections, the variables of its secrets, and its texts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlox.compose.loading import Raw
from mlox.compose.writing import yaml_text
from mlox.specs import CONFIG
from mlox.units import Container, Unit

_OPEN = re.compile(r"\$\{(secret|quoted|bcrypt)\.([a-z0-9_]+)\}")
_FORMS = {"secret": "", "quoted": ", percent-encoded", "bcrypt": ", hashed by bcrypt"}


@dataclass(slots=True)
class Exported:
    """A compose file, and what a reader has to know of it.

    ``root`` is the folder that paths are written from; ``variables`` are the secrets that it asks for: the variable's
    name, and how its value is had.
    """

    project: str
    root: str
    services: dict[str, Raw] = field(default_factory=dict)
    volumes: dict[str, Raw] = field(default_factory=dict)
    networks: dict[str, Raw] = field(default_factory=dict)
    configs: dict[str, Raw] = field(default_factory=dict)
    secrets: dict[str, Raw] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def document(self) -> Raw:
        """The compose file as plain data."""
        sections = ("services", "volumes", "networks", "configs", "secrets")
        return {"name": self.project, **{name: value for name in sections if (value := getattr(self, name))}}

    def text(self) -> str:
        """The compose file as YAML, with what a reader has to know above it."""
        lines = [f"# {note}" for note in self.notes]
        if self.variables:
            lines.append("# Secrets are asked for by name; their values are in the environment or in .env:")
            lines += [f"#   {variable}: {told}" for variable, told in self.variables.items()]
        return "\n".join([*lines, yaml_text(self.document())])

    def template(self, unit: Unit, text: str) -> str:
        """A text of the catalog's grammar as one of Compose's: a dollar is doubled in both."""
        return _OPEN.sub(lambda match: f"${{{self._variable(unit, match)}:?a secret of mlox}}", inside(unit, text))

    def only_secret(self, unit: Unit, text: str) -> str | None:
        """The variable of a secret that is the whole text; None where there is more in it, or none."""
        match = _OPEN.fullmatch(text)
        return self._variable(unit, match) if match else None

    def path(self, path: str) -> str:
        """A path of this machine as it is written in the file."""
        near = posixpath.relpath(path, self.root) if self.root else path
        return escaped(path if near.startswith("..") else "." if near == "." else f"./{near}")

    def _variable(self, unit: Unit, match: re.Match[str]) -> str:
        """The variable that stands for a secret of a unit."""
        ref = unit.secret(match[2])
        name = ref.name if ref is not None else f"{unit.service}.{match[2]}"
        plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
        plain += f"_{match[1].upper()}" if match[1] != "secret" else ""
        told = f"mlox secrets get {name} --reveal{_FORMS[match[1]]}"
        variable, number = plain, 2
        while self.variables.get(variable, told) != told:
            variable, number = f"{plain}_{number}", number + 1
        self.variables[variable] = told
        return variable


def inside(unit: Unit, text: str) -> str:
    """A text in which the folder of configuration is one that the unit's jobs may write into.

    mlox gives that folder the container's owner; what Compose puts there belongs to root.
    """
    return text.replace(f"/mlox/{CONFIG}", "/tmp") if unit.jobs else text  # noqa: S108


def foreign(unit: Unit) -> bool:
    """Whether a unit's catalog file is the workspace's own: such as came from a compose file."""
    return any(name == "source" for name, _ in unit.intent)


def container_of(unit: Unit) -> Container:
    """What makes a unit a container; of one that is none, nothing."""
    return unit.container or Container()


def service_of(unit: Unit) -> str:
    """The name of a unit's service in a compose file: what other containers call it."""
    return next(iter(container_of(unit).aliases), unit.service)


def duration(seconds: float) -> str:
    """Seconds as Compose writes them.

    Example:
        >>> duration(5.0), duration(0.5)
        ('5s', '500ms')
    """
    return f"{int(seconds)}s" if float(seconds).is_integer() else f"{round(seconds * 1000)}ms"


def escaped(text: str) -> str:
    """A text that is no template, for a file in which dollars begin variables."""
    return text.replace("$", "$$")


def plain(value: Any) -> Any:
    """Any value, its texts :func:`escaped`."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value
