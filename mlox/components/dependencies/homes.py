"""Which file of a project says what it depends on, and what it says, files that it includes among it."""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterable
from pathlib import PurePosixPath

from mlox.components.dependencies.arrays import PYPROJECT, ArraySheet
from mlox.components.dependencies.poetry import TABLE, PoetrySheet
from mlox.components.dependencies.requirement_files import FileSheet, is_compiled, requirement_lines
from mlox.components.dependencies.sheets import Sheet
from mlox.components.dependencies.versions import Listed
from mlox.components.tree import Tree, inside
from mlox.errors import SpecError, WorkspaceError

FILES = (
    "requirements.in",
    "requirements/requirements.in",
    "requirements/base.in",
    "requirements/main.in",
    "requirements.txt",
    "requirements/requirements.txt",
    "requirements/base.txt",
    "requirements/main.txt",
)
"""Files of pip's, the first of which is written into; sources go before what is compiled from them."""

OTHERS = ("setup.py", "setup.cfg", "Pipfile", "environment.yml", "environment.yaml")
"""Where projects say it in forms that mlox does not write."""

GROUPS = ("main", "default", "runtime", "prod", "production")
"""What a group of PEP 735 is called that stands for the code itself."""

MAX_INCLUDED = 20


def home_of(tree: Tree, requirements: Iterable[str], project: str = "") -> Sheet | None:
    """The list of requirements of the project in a folder of a tree; None where nothing says what it depends on.

    ``requirements`` are told in hints as what to write by hand.

    Raises:
        SpecError: ``pyproject.toml`` is no TOML.
        WorkspaceError: the project says it in a form that mlox does not write.
    """
    pyproject = inside(project, PYPROJECT)
    text = text_of(tree, pyproject)
    found, problem = _in_pyproject(tree, text, project) if text is not None else (None, "")
    if found is not None:
        return found
    file = next((path for one in FILES if tree.read(path := inside(project, one)) is not None), None)
    if file is not None and is_compiled(text_of(tree, file) or ""):
        raise not_supported(f"{file} is compiled from a file that mlox does not find", requirements, "that file")
    if file is not None:
        return FileSheet(file)
    if problem:
        raise not_supported(f"{pyproject} {problem}", requirements, pyproject)
    other = next((path for one in OTHERS if tree.read(path := inside(project, one)) is not None), None)
    if other is not None:
        raise not_supported(f"the project lists what it depends on in {other}", requirements, other)
    return None


def sheet_at(path: str, where: str) -> Sheet:
    """The list that a record names."""
    if PurePosixPath(path).name != PYPROJECT:
        return FileSheet(path)
    *table, key = where.split(".", maxsplit=1) if where.startswith("dependency-groups.") else where.split(".")
    return PoetrySheet(path) if where == PoetrySheet().where else ArraySheet(tuple(table), key, path)


def listed_in(tree: Tree, sheet: Sheet, text: str) -> tuple[Listed, ...]:
    """What the project depends on, by ``text`` of its list and by files that it includes."""
    found = list(sheet.listed(text))
    if isinstance(sheet, FileSheet):
        for included in _included(tree, sheet.path, text):
            found += FileSheet(included).listed(text_of(tree, included) or "")
    return tuple(found)


def text_of(tree: Tree, path: str) -> str | None:
    """The text of a file; None where there is none.

    Raises:
        SpecError: it is not UTF-8.
    """
    content = tree.read(path)
    try:
        return None if content is None else content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not UTF-8 text", hint="Save it as UTF-8.") from error


def not_supported(problem: str, requirements: Iterable[str], where: str) -> WorkspaceError:
    """The error that says which lines to write by hand."""
    return WorkspaceError(
        f"{problem}, which mlox does not write; nothing was written",
        hint=f"Write it in {where} yourself, then run the same command again: {', '.join(requirements)}",
    )


def _in_pyproject(tree: Tree, text: str, project: str) -> tuple[Sheet | None, str]:
    """The list in ``pyproject.toml``; else what is in its way."""
    path = inside(project, PYPROJECT)
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not valid TOML: {error}", hint="Mend that line and try again.") from error
    said, groups = document.get("project"), document.get("dependency-groups")
    dynamic = isinstance(said, dict) and "dependencies" in said.get("dynamic", [])
    if isinstance(said, dict) and not dynamic:
        return ArraySheet(("project",), "dependencies", path), ""
    if isinstance(_at(document, *TABLE), dict):
        return PoetrySheet(path), ""
    if dynamic:
        files = _at(document, "tool", "setuptools", "dynamic", "dependencies", "file")
        files = [files] if isinstance(files, str) else files
        file = inside(project, str(files[0])) if isinstance(files, list) and len(files) == 1 else ""
        if file and tree.read(file) is not None:
            return FileSheet(file), ""
        return None, "makes its dependencies dynamic"
    if isinstance(groups, dict):
        chosen = [name for name in groups if name in GROUPS] or list(groups)
        if len(chosen) == 1:
            return ArraySheet(("dependency-groups",), chosen[0], path), ""
        return None, f"has several groups of dependencies ({', '.join(chosen)})"
    return None, "has no plain table [project]"


def _at(document: object, *keys: str) -> object:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _included(tree: Tree, path: str, text: str) -> list[str]:
    """The files that a requirements file includes, and that those do."""
    found: list[str] = []
    waiting = [(path, text)]
    while waiting and len(found) < MAX_INCLUDED:
        here, content = waiting.pop()
        for line in requirement_lines(content):
            option, _, name = line.replace("=", " ", 1).partition(" ")
            where = posixpath.normpath(PurePosixPath(here).parent / name.strip())
            if option not in {"-r", "--requirement"} or where.startswith(("../", "/")) or where in found:
                continue
            more = text_of(tree, where)
            if more is not None:
                found.append(where)
                waiting.append((where, more))
    return found
