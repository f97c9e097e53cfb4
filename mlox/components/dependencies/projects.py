"""Which folders of a repository are projects of their own: several of them share one in a monorepo."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import PurePosixPath

from mlox.components.dependencies.arrays import PYPROJECT
from mlox.components.dependencies.homes import FILES, OTHERS
from mlox.components.search import files
from mlox.components.tree import Tree, inside
from mlox.errors import WorkspaceError

TABLES = ("project", "build-system", "dependency-groups")
"""What makes a ``pyproject.toml`` a project's; one that only sets up tools is none's."""

SKIPPED = frozenset({"benchmarks", "data", "docs", "examples", "templates", "test", "tests"})
"""Folders whose projects are there to be looked at: nobody works on them."""


def is_project(tree: Tree, folder: str) -> bool:
    """Whether a ``pyproject.toml`` in a folder says that it is a project; of one that cannot be read it is believed."""
    try:
        content = tree.read(inside(folder, PYPROJECT))
        document = tomllib.loads((content or b"").decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, WorkspaceError):
        return True  # what is wrong with it is told where it is edited
    tools = document.get("tool")
    return any(table in document for table in TABLES) or (isinstance(tools, dict) and "poetry" in tools)


def projects(tree: Tree) -> tuple[str, ...]:
    """The folders below the top that are projects, sorted."""
    folders = (path.removesuffix(f"/{PYPROJECT}") for path in files(tree, PYPROJECT) if path.endswith(f"/{PYPROJECT}"))
    return tuple(sorted(one for one in folders if not SKIPPED.intersection(one.split("/")) and is_project(tree, one)))


def project_of(tree: Tree, path: str) -> str:
    """The folder of the nearest project above a path; empty where that is the workspace itself.

    A folder that has a file of requirements alone is one too, unless it is a package, or called ``src``.
    """
    above = (parent.as_posix() for parent in PurePosixPath(path).parents if parent.parts)
    return next((one for one in above if is_project(tree, one) or _has_requirements(tree, one)), "")


def elsewhere_than(tree: Tree, project: str) -> Callable[[str], bool]:
    """What answers whether a file is another project's than the one in that folder.

    Beside the project at the top, a folder that has a file of requirements alone may well be run with those of the top.
    """
    rest = "" if is_project(tree, "") else project

    @cache
    def home(folder: str) -> str:
        if not folder:
            return rest
        own = is_project(tree, folder) or (project and _has_requirements(tree, folder))
        return folder if own else home(folder.rpartition("/")[0])

    return lambda path: home(path.rpartition("/")[0]) != project


def _has_requirements(tree: Tree, folder: str) -> bool:
    if folder.rpartition("/")[2] == "src" or tree.at(f"{folder}/__init__.py").exists():
        return False
    return any(tree.at(f"{folder}/{name}").is_file() for name in (*FILES, *OTHERS))
