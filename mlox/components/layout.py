"""Where a component goes: into the one package of the repository, or into a new one named after the workspace.

In a repository of several projects it goes into that in whose folder it is wished.
"""

from __future__ import annotations

import keyword
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from packaging.requirements import Requirement

from mlox.components.dependencies import PYPROJECT, is_project, project_of, projects
from mlox.components.records import Record
from mlox.components.tree import Tree, inside
from mlox.errors import UsageError, WorkspaceError

NO_PACKAGES = frozenset(
    {"benchmarks", "build", "data", "dist", "docs", "examples", "notebooks", "scripts", "services", "src", "test"}
    | {"tests", "venv"}
)
"""Folders at the top of a project that hold no package of the project, whatever is in them."""


MAX_PROPOSED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A package: its folder, its dotted name, and the folder that has to be on the path for it to be imported.

    ``project`` is the folder of the project that it is of, which has its tests and its requirements; empty where that
    is the workspace itself.
    """

    folder: str
    package: str
    path: str
    project: str = ""

    @classmethod
    def of(cls, record: Record) -> Self:
        """The package that a component was put into."""
        package = record.package.rpartition(".")[0]
        path = record.into.removesuffix(package.replace(".", "/")).rstrip("/")
        return cls(record.into, package, path, record.project)


def choose_place(tree: Tree, name: str, dependencies: Sequence[str], *, to: str | None = None) -> Place:
    """The package for a component of the workspace ``name``; ``to`` is the folder that somebody wishes.

    Raises:
        UsageError: there are several packages or projects and nobody chose, or ``to`` cannot be one.
    """
    if to is not None:
        return _wished(tree, to, dependencies)
    found = _package_of(tree, "", name)
    if found is None and (others := projects(tree)):
        ways = " or ".join(f"--to {_proposed(tree, one)}" for one in others[:MAX_PROPOSED])
        raise UsageError(
            f"there is no package at the top of the repository, and there are projects below it: {', '.join(others)}",
            hint=f"Choose one: {ways}. A new package at the top: --to src/{as_identifier(name)}.",
        )
    return found or _checked(_place("", "src", as_identifier(name)), dependencies)


def place_beside(tree: Tree, needed: Sequence[Record], name: str, *, to: str | None) -> Place | None:
    """The package of those components that ``name`` needs and that are there; None where that is to be chosen.

    Code of one project cannot import that of another as if it were its own.

    Raises:
        UsageError: they are in several projects, or in another one than ``to``.
    """
    homes = {one.project: one for one in needed}
    if len(homes) > 1:
        told = ", ".join(f"{one.name} is in {one.folder}" for one in needed)
        raise UsageError(f"{name} needs components of several projects: {told}", hint="Keep them in one project.")
    if to is None or not needed:
        return Place.of(needed[0]) if needed else None
    wished = _wished(tree, to, ())
    if wished.project not in homes:
        raise UsageError(
            f"{name} needs {needed[0].name}, which is in {needed[0].folder}, and not in the project of {to}",
            hint=f"Put it there: --to {needed[0].into}.",
        )
    return None


def is_at(tree: Tree, record: Record, to: str) -> bool:
    """Whether a component is where somebody wishes it: in that package, or in that project."""
    wished = _relative(tree, to).as_posix()
    return wished in {record.into, record.project}


def as_identifier(name: str) -> str:
    """A stack's name as the name of a package.

    Example:
        >>> as_identifier("churn-model")
        'churn_model'
    """
    text = name.replace("-", "_").replace(".", "_").lower()
    return f"{text}_" if keyword.iskeyword(text) else text


def _package_of(tree: Tree, project: str, name: str) -> Place | None:
    """The one package of a project, that of its name or of ``name`` before others; None where it has none.

    Raises:
        UsageError: it has several.
    """
    if tree.read(inside(project, "src/__init__.py")) is not None:
        return _place(project, "", "src")
    for path in ("src", ""):
        where = inside(project, path) if path else project
        found = [folder for folder in tree.folders(where) if _is_package(tree, where, folder, plain=not path)]
        own = [folder for folder in (_project_name(tree, project), as_identifier(name)) if folder in found]
        if own or len(found) == 1:
            return _place(project, path, own[0] if own else found[0])
        if found:
            raise UsageError(
                f"there are several packages: {', '.join(found)}",
                hint=f"Choose one: --to {inside(where, found[0])}.",
            )
    return None


def _proposed(tree: Tree, project: str) -> str:
    """The package that a project has, else its own folder, which stands for the one that it will have."""
    try:
        found = _package_of(tree, project, PurePosixPath(project).name)
    except UsageError:
        return project
    return project if found is None else found.folder


def _place(project: str, path: str, package: str) -> Place:
    where = inside(project, path) if path else project
    return Place(inside(where, package), package, where, project)


def _is_package(tree: Tree, path: str, folder: str, *, plain: bool) -> bool:
    """Below ``src`` (not ``plain``) also a namespace package: a folder with modules and no ``__init__.py``."""
    where = inside(path, folder)
    if not folder.isidentifier() or folder in NO_PACKAGES:
        return False
    return tree.at(f"{where}/__init__.py").is_file() or (
        not plain and tree.has_python(where) and not is_project(tree, where)
    )


def _wished(tree: Tree, to: str, dependencies: Sequence[str]) -> Place:
    wished = _relative(tree, to)
    parts = wished.parts
    if wished.is_absolute() or ".." in parts or not parts:
        raise UsageError(f"--to {to} is not a folder of the workspace", hint="For example: --to src/churn.")
    where = wished.as_posix()
    if is_project(tree, where) and tree.read(f"{where}/__init__.py") is None:
        name = _project_name(tree, where) or as_identifier(parts[-1])
        return _package_of(tree, where, parts[-1]) or _checked(_place(where, "src", name), dependencies)
    project = project_of(tree, where)
    parts = wished.relative_to(project).parts
    names = parts[1:] if parts[0] == "src" and len(parts) > 1 else parts
    wrong = [part for part in names if not part.isidentifier() or keyword.iskeyword(part)]
    if wrong:
        raise UsageError(f"--to {to}: {wrong[0]!r} cannot be the name of a package", hint="For example: src/churn.")
    path = inside(project, "src") if len(names) < len(parts) else project
    place = Place(where, ".".join(names), path, project)
    return place if tree.is_folder(place.folder) else _checked(place, dependencies)


def _checked(place: Place, dependencies: Sequence[str]) -> Place:
    """The same; a new package must not hide one that its code imports."""
    top = place.package.partition(".")[0]
    libraries = {Requirement(text).name.replace("-", "_").lower() for text in dependencies}
    if top in sys.stdlib_module_names or top in libraries:
        raise UsageError(
            f"a package {top!r} would hide the library of that name",
            hint=f"Name another: --to {inside(place.project, 'src')}/{top}_project.",
        )
    return place


def _relative(tree: Tree, to: str) -> PurePosixPath:
    wished = PurePosixPath(to)
    inner = wished.is_absolute() and wished.is_relative_to(tree.root)
    return wished.relative_to(tree.root) if inner else wished


def _project_name(tree: Tree, project: str) -> str:
    """The name in the ``pyproject.toml`` of a project, as that of a package; empty where there is none."""
    try:
        text = (tree.read(inside(project, PYPROJECT)) or b"").decode("utf-8-sig")
        said = tomllib.loads(text).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, WorkspaceError):
        return ""  # what is wrong with it is told where it is edited
    name = said.get("name", "") if isinstance(said, dict) else ""
    return as_identifier(name) if isinstance(name, str) else ""
