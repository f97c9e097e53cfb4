"""How a requirement gets into ``pyproject.toml``, and out again without a trace: PEP 621, comments kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlox.components.records import DependencyRecord
from mlox.components.tree import Tree
from mlox.errors import SpecError, WorkspaceError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

PYPROJECT = "pyproject.toml"
OTHERS = ("requirements.txt", "setup.py", "setup.cfg", "Pipfile", "environment.yml", "environment.yaml")
"""Where a project without ``pyproject.toml`` writes what it depends on."""

NEW = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []

[tool.hatch.build.targets.wheel]
packages = ["{folder}"]

[tool.pytest.ini_options]
pythonpath = ["{path}"]
testpaths = ["tests"]
"""


ShapeT = TypeVar("ShapeT", list[object], dict[str, object])


def new_project(name: str, folder: str, path: str) -> bytes:
    """A ``pyproject.toml`` for a repository without one, with no dependencies yet."""
    return NEW.format(name=name, folder=folder.partition("/")[0] if not path else folder, path=path or ".").encode()


def declared(tree: Tree, requirements: Sequence[str]) -> tuple[str, ...]:
    """Those of ``requirements`` whose distribution the project depends on already, in any version.

    Raises:
        SpecError: ``pyproject.toml`` is no TOML.
        WorkspaceError: the project does not say in PEP 621 what it depends on, and not all of them are there.
    """
    text = _text(tree)
    if text is not None:
        return _known(text, requirements)
    other = next((name for name in OTHERS if tree.read(name) is not None), None)
    if other is None:
        return ()
    names = _names(re.split(r"[\s,]+#|\n", (tree.read(other) or b"").decode("utf-8", "replace")))
    known = tuple(one for one in requirements if canonicalize_name(Requirement(one).name) in names)
    if len(known) < len(requirements):
        raise _not_supported(f"the project lists what it depends on in {other}", requirements, other)
    return known


def with_requirement(text: str, requirement: str) -> tuple[str, DependencyRecord]:
    """The text of a ``pyproject.toml`` with one requirement more, and what it takes to undo that.

    It goes to the front of the list: there it fits any form of list by one insertion, and the rest keeps every byte.

    Raises:
        SpecError: it is no TOML.
        WorkspaceError: it does not say in PEP 621 what the project depends on.
    """
    import tomlkit
    from tomlkit.items import Array, Table

    document = _document(text)
    project = document.get("project")
    found = _dynamic_or_other(document.unwrap())
    if not isinstance(project, Table) or found:
        raise _not_supported(f"{PYPROJECT} {found or 'has no plain table [project]'}", (requirement,), PYPROJECT)
    if "dependencies" not in project:
        project.add("dependencies", tomlkit.array().multiline(multiline=True))
    dependencies = project["dependencies"]
    if not isinstance(dependencies, Array):
        raise SpecError(f"{PYPROJECT}: project.dependencies is no list", hint="Mend it there; nothing was changed.")
    dependencies.insert(0, requirement)
    after = tomlkit.dumps(document)
    begin = next((i for i, (one, other) in enumerate(zip(text, after, strict=False)) if one != other), len(text))
    inserted = after[begin : begin + len(after) - len(text)]
    if "\r\n" in text:
        inserted = re.sub(r"(?<!\r)\n", "\r\n", inserted)
    after = text[:begin] + inserted + text[begin:]
    if tomlkit.parse(after).unwrap() != document.unwrap():
        raise _not_supported(f"{PYPROJECT} cannot be edited without touching more", (requirement,), PYPROJECT)
    return after, DependencyRecord(requirement=requirement, inserted=inserted)


def without_requirement(text: str, record: DependencyRecord) -> str:
    """The text without that requirement: as it was before, where nobody has touched it since.

    Raises:
        SpecError: it is no TOML.
    """
    import tomlkit

    document = _document(text)
    if record.requirement not in _at(document.unwrap(), list, "project", "dependencies"):
        return text  # somebody took it out, or changed it: then it is theirs
    dependencies = document["project"]["dependencies"]
    dependencies.remove(record.requirement)
    shorter = text.replace(record.inserted, "", 1)
    try:
        left = tomlkit.parse(shorter).unwrap()
    except tomlkit.exceptions.ParseError:
        left = {}
    wanted = document.unwrap()
    same = left == wanted
    if not same and not dependencies:  # the key itself was inserted
        del wanted["project"]["dependencies"]
        same = left == wanted
    return shorter if same else tomlkit.dumps(document)


def _known(text: str, requirements: Sequence[str]) -> tuple[str, ...]:
    document = _document(text).unwrap()
    names = _names(one for one in _at(document, list, "project", "dependencies") if isinstance(one, str))
    names |= {canonicalize_name(name) for name in _at(document, dict, "tool", "poetry", "dependencies")}
    return tuple(one for one in requirements if canonicalize_name(Requirement(one).name) in names)


def _at(document: object, kind: type[ShapeT], *keys: str) -> ShapeT:
    """What stands below ``keys``; empty where nothing does, or something else."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, kind) else kind()


def _names(lines: Iterable[str]) -> set[str]:
    names: set[str] = set()
    for line in lines:
        try:
            names.add(canonicalize_name(Requirement(line.strip()).name))
        except InvalidRequirement:
            continue  # an option of pip, a comment, a line of another format
    return names


def _dynamic_or_other(document: dict[str, object]) -> str:
    """How the project says what it depends on, where that is not PEP 621."""
    if "dependencies" in _at(document, list, "project", "dynamic"):
        return "makes its dependencies dynamic"
    if "project" not in document and _at(document, dict, "tool", "poetry"):
        return "lists what the project depends on in Poetry's form"
    return ""


def _document(text: str) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import ParseError

    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise SpecError(f"{PYPROJECT}: not valid TOML: {error}", hint="Mend that line and try again.") from error


def _text(tree: Tree) -> str | None:
    content = tree.read(PYPROJECT)
    try:
        return None if content is None else content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"{PYPROJECT} is not UTF-8 text", hint="Save it as UTF-8.") from error


def _not_supported(problem: str, requirements: Sequence[str], where: str) -> WorkspaceError:
    return WorkspaceError(
        f"{problem}, which mlox does not write; nothing was written",
        hint=f"Write it in {where} yourself, then run the same command again: {', '.join(requirements)}",
    )
