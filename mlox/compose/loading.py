"""How a compose file becomes plain data: read within bounds, checked against the schema, its variables replaced."""

from __future__ import annotations

import datetime as dt
import math
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlox.compose.findings import Findings
from mlox.compose.validating import validate
from mlox.compose.variables import Variables
from mlox.documents import load
from mlox.dotenv import evaluated
from mlox.errors import SpecError, WorkspaceError
from mlox.interpolation import interpolate

MAX_BYTES = 1_000_000
"""Of a file that a compose file names, as of itself."""

MAX_CHARACTERS = 5_000_000
"""Of all texts of a file together, when its variables are replaced."""

Raw = dict[str, Any]


@dataclass(slots=True)
class Document:
    """A compose file: its data, where it lies, what its variables stand for, and what was found in it.

    ``tainted`` are the paths of texts that a secret variable is in, with its value.
    """

    data: Raw
    path: Path
    project: str
    variables: Variables
    findings: Findings
    tainted: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """What its relative paths begin at."""
        return self.path.parent

    def section(self, name: str) -> dict[str, Raw]:
        """One of the top-level mappings; what is null in it is empty."""
        return {key: value or {} for key, value in (self.data.get(name) or {}).items()}


def read_document(path: Path, environment: Mapping[str, str], *, project: str | None = None) -> Document:
    """The compose file ``path``.

    Args:
        environment: that of the process; the ``.env`` beside the file stands below it.
        project: the name of the Compose project, where it is not the file's own.

    Raises:
        WorkspaceError: it cannot be read. SpecError: it is no compose file, or a variable cannot be replaced.
        RequirementError: the library that checks it is not installed.
    """
    source = path.name
    data = load(read_text(path), source=source)
    findings = Findings(source)
    if not isinstance(data, dict) or not data.get("services"):
        raise SpecError(f"{source}: there are no services in it", hint="Name a compose file, such as compose.yaml.")
    variables = Variables({**_dotenv(path.parent), **environment})
    for key in [key for key in data if isinstance(key, str) and key.startswith("x-")]:
        del data[key]
    name = _project(data, path, project, variables, findings)
    variables = Variables({**variables, "COMPOSE_PROJECT_NAME": name})
    reader = _Plain(variables, findings)
    plain = reader.value(data, "")
    validate(plain, source=source)
    for beside in sorted(path.parent.glob(f"{path.stem}.override.y*ml")):
        findings.warn(
            beside.name,
            "lies beside it and is not read; docker compose may merge them",
            "import both as one: docker compose config > merged.yaml",
        )
    for missing in variables.missing:
        findings.warn(
            f"${{{missing}}}", "is not set; it was taken for empty, as Compose does", "set it, or give a default"
        )
    return Document(plain, path, name, variables, findings, reader.tainted)


def read_text(path: Path) -> str:
    """The text of an ordinary file.

    Raises:
        WorkspaceError: there is none, it cannot be read, is no ordinary file or too large. SpecError: no UTF-8.
    """
    try:
        ordinary = stat.S_ISREG(path.stat().st_mode)
        content = b""
        if ordinary:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a path"
        raise WorkspaceError(f"cannot read {str(path)!r}: {why}", hint="Name a file that exists.") from error
    if not ordinary:
        raise WorkspaceError(f"{path} is no ordinary file", hint="Name a file.")
    if len(content) > MAX_BYTES:
        raise WorkspaceError(f"{path} is larger than {MAX_BYTES:,} bytes", hint="Look whether it is the right file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not UTF-8 text", hint="Save it as UTF-8.") from error


def variables_in(path: Path, text: str, variables: Variables) -> dict[str, str]:
    """The variables in a file of ``env_file``, or in ``.env``.

    Raises:
        SpecError: a line is broken.
    """
    try:
        return evaluated(text, variables, missing=variables.blank)
    except SpecError as error:
        problem = "a $ begins no variable in it"  # the caught text shows the value
        raise SpecError(f"{path}: {problem}", hint="Put the value into single quotes.") from error.with_traceback(None)
    except ValueError as error:
        raise SpecError(f"{path}:{error}", hint="Write NAME=value.") from error


def _dotenv(folder: Path) -> dict[str, str]:
    path = folder / ".env"
    return variables_in(path, read_text(path), Variables({})) if path.is_file() else {}


def _project(data: Raw, path: Path, project: str | None, variables: Variables, findings: Findings) -> str:
    """The project's name: asked for, in the environment or in ``.env``, in the file, of the folder.

    Source: https://docs.docker.com/compose/how-tos/project-name/
    """
    written = data.get("name")
    own = interpolate(written, variables, missing=variables.blank) if isinstance(written, str) else ""
    chosen = project or variables.get("COMPOSE_PROJECT_NAME") or own
    name = chosen or re.sub(r"[^a-z0-9_-]", "", path.absolute().parent.name.lower()).lstrip("_-") or "project"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise findings.wrong("name", f"{name!r} cannot be a project's name", "Lower case letters, digits, '-' and '_'.")
    return name


class _Plain:
    """Replaces variables, and makes JSON's kinds of values of YAML's."""

    def __init__(self, variables: Variables, findings: Findings) -> None:
        self._variables = variables
        self._findings = findings
        self._characters = 0
        self.tainted: dict[str, frozenset[str]] = {}

    def value(self, value: object, path: str) -> Any:
        """``value`` as texts, numbers, lists, and mappings with texts as keys."""
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, dict):
            return self._mapping(value, path)
        if isinstance(value, list):
            return [self.value(one, f"{path}.{index}") for index, one in enumerate(value)]
        if isinstance(value, (dt.date, dt.datetime)):
            return value.isoformat()
        if isinstance(value, float) and not math.isfinite(value):
            raise self._findings.wrong(path, "is no number that Compose knows")
        if isinstance(value, int) and abs(value) > 2**63:
            raise self._findings.wrong(path, "is a number that is too large")
        if value is None or isinstance(value, (bool, int, float)):
            return value
        raise self._findings.wrong(path, f"is a {type(value).__name__}, which Compose does not know")

    def _text(self, value: str, path: str) -> str:
        self._variables.secrets.clear()
        try:
            text = interpolate(value, self._variables, missing=self._variables.blank, told=self._variables.told)
        except SpecError as error:
            raise self._findings.wrong(path, error.problem, error.hint or "Mend it there.") from error
        if self._variables.secrets:
            self.tainted[path] = frozenset(self._variables.secrets)
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise self._findings.wrong(path, "the file grows too large through its variables")
        if not _is_text(text):
            raise self._findings.wrong(path, "holds a character that no text may have")
        return text

    def _mapping(self, value: dict[Any, Any], path: str) -> Raw:
        plain: Raw = {}
        for key, one in value.items():
            name = scalar(key)
            if not name or not isinstance(key, (str, int, float)) or not _is_text(name):
                raise self._findings.wrong(path or "the file", "a key is no text")
            if name in plain:
                raise self._findings.wrong(path, f"the key {name!r} stands twice")
            plain[name] = self.value(one, f"{path}.{name}" if path else name)
        return plain


def _is_text(text: str) -> bool:
    """Whether a file, an environment and an engine can have it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def scalar(value: object) -> str:
    """A value as a text, as Compose writes it: ``true``, ``5``, ``0.5``; nothing is empty.

    Example:
        >>> scalar(True), scalar(2.0), scalar(0.5), scalar(None)
        ('true', '2', '0.5', '')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
