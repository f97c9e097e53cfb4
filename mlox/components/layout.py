"""Where a component goes: into the one package of the repository, or into a new one named after the workspace."""

from __future__ import annotations

import keyword
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from packaging.requirements import Requirement

from mlox.components.records import Record
from mlox.components.tree import Tree
from mlox.errors import UsageError, WorkspaceError

NO_PACKAGES = frozenset(
    {"benchmarks", "build", "data", "dist", "docs", "examples", "notebooks", "scripts", "services", "src", "test"}
    | {"tests", "venv"}
)
"""Folders at the top of a repository that hold no package of the project, whatever is in them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A package: its folder, its dotted name, and the folder that has to be on the path for it to be imported."""

    folder: str
    package: str
    path: str

    @classmethod
    def of(cls, record: Record) -> Self:
        """The package that a component was put into."""
        package = record.package.rpartition(".")[0]
        return cls(record.into, package, record.into.removesuffix(package.replace(".", "/")).rstrip("/"))


def choose_place(tree: Tree, name: str, dependencies: Sequence[str], *, to: str | None = None) -> Place:
    """The package for a component of the workspace ``name``; ``to`` is the folder that somebody wishes.

    Raises:
        UsageError: there are several packages and nobody chose, or ``to`` cannot be one.
    """
    if to is not None:
        return _wished(tree, to, dependencies)
    if tree.read("src/__init__.py") is not None:
        return Place("src", "src", "")
    for path in ("src", ""):
        found = [folder for folder in tree.folders(path) if _is_package(tree, path, folder)]
        own = [folder for folder in (_project_name(tree), as_identifier(name)) if folder in found]
        if own or len(found) == 1:
            return _place(path, own[0] if own else found[0])
        if found:
            raise UsageError(
                f"there are several packages: {', '.join(found)}",
                hint=f"Choose one: --to {PurePosixPath(path, found[0])}.",
            )
    return _checked(_place("src", as_identifier(name)), dependencies)


def as_identifier(name: str) -> str:
    """A stack's name as the name of a package.

    Example:
        >>> as_identifier("churn-model")
        'churn_model'
    """
    text = name.replace("-", "_").replace(".", "_").lower()
    return f"{text}_" if keyword.iskeyword(text) else text


def _place(path: str, package: str) -> Place:
    return Place(f"{path}/{package}" if path else package, package, path)


def _is_package(tree: Tree, path: str, folder: str) -> bool:
    """Below ``src`` also a namespace package: a folder with modules and no ``__init__.py``."""
    where = f"{path}/{folder}" if path else folder
    if not folder.isidentifier() or folder in NO_PACKAGES:
        return False
    return tree.at(f"{where}/__init__.py").is_file() or (bool(path) and tree.has_python(where))


def _wished(tree: Tree, to: str, dependencies: Sequence[str]) -> Place:
    wished = PurePosixPath(to)
    if wished.is_absolute() and wished.is_relative_to(tree.root):
        wished = wished.relative_to(tree.root)
    parts = wished.parts
    if wished.is_absolute() or ".." in parts or not parts:
        raise UsageError(f"--to {to} is not a folder of the workspace", hint="For example: --to src/churn.")
    inside = parts[1:] if parts[0] == "src" and len(parts) > 1 else parts
    wrong = [part for part in inside if not part.isidentifier() or keyword.iskeyword(part)]
    if wrong:
        raise UsageError(f"--to {to}: {wrong[0]!r} cannot be the name of a package", hint="For example: src/churn.")
    path = "src" if len(inside) < len(parts) else ""
    place = Place("/".join(parts), ".".join(inside), path)
    return place if tree.is_folder(place.folder) else _checked(place, dependencies)


def _checked(place: Place, dependencies: Sequence[str]) -> Place:
    """The same; a new package must not hide one that its code imports."""
    top = place.package.partition(".")[0]
    libraries = {Requirement(text).name.replace("-", "_").lower() for text in dependencies}
    if top in sys.stdlib_module_names or top in libraries:
        raise UsageError(
            f"a package {top!r} would hide the library of that name", hint=f"Name another: --to src/{top}_project."
        )
    return place


def _project_name(tree: Tree) -> str:
    """The name in ``pyproject.toml``, as that of a package; empty where there is none."""
    try:
        project = tomllib.loads((tree.read("pyproject.toml") or b"").decode("utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, WorkspaceError):
        return ""  # what is wrong with it is told where it is edited
    name = project.get("name", "") if isinstance(project, dict) else ""
    return as_identifier(name) if isinstance(name, str) else ""
