"""What stands beside a project in one repository: projects that it takes as they lie there, and those of its workspace.

A distribution that is taken from a folder (``[tool.uv.sources]``) is on no index. What it asks for counts in its place.
The members of a workspace of uv share one lock file, so all of them have to go together.
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlox.components.dependencies.arrays import PYPROJECT
from mlox.components.tree import Tree, inside
from mlox.errors import WorkspaceError

Documents = Mapping[str, Mapping[str, Any]]
"""What ``pyproject.toml`` of each project says, by its folder."""


def beside(tree: Tree, project: str, requirements: Sequence[str]) -> tuple[str, ...]:
    """``requirements`` of a project as a resolver has to read them: with what stands beside it in the repository.

    Without such projects they are as they were.
    """
    own = _document(tree, project)
    if own is None:
        return tuple(requirements)
    top = _workspace(tree, project)
    members = {} if top is None else _members(tree, top)
    shared = [] if top is None or _at(members[top], "tool", "uv", "conflicts") else sorted(members)
    found: dict[str, None] = {}
    done: set[tuple[str, str]] = set()
    waiting: list[tuple[str, Sequence[str]]] = [(project, requirements)]
    waiting += [(folder, _asked(members[folder])) for folder in shared if folder != project]
    while waiting:
        folder, asked = waiting.pop(0)
        local = _local(tree, folder, top, members)
        for one in asked:
            where = local.get(_name(one))
            if where is None:
                found[one] = None
            elif (where, one) not in done and (document := _document(tree, where)) is not None:
                done.add((where, one))
                waiting.append((where, [*_asked(document), *_extras(document, one)]))
    return tuple(found)


def _local(tree: Tree, folder: str, top: str | None, members: Documents) -> dict[str, str]:
    """The distributions that a project takes from folders, and which; one beyond the repository is ``..``."""
    names = {canonicalize_name(str(_at(text, "project", "name"))): where for where, text in members.items()}
    found: dict[str, str] = {}
    for where in dict.fromkeys([*([top] if top is not None else []), folder]):
        sources = _at(_document(tree, where) or {}, "tool", "uv", "sources")
        for name, source in sources.items() if isinstance(sources, dict) else ():
            path = _at(source, "path")
            if _at(source, "workspace") is True:
                found[canonicalize_name(name)] = names.get(canonicalize_name(name), "..")
            elif isinstance(path, str):
                found[canonicalize_name(name)] = _normal(inside(where, path))
    return found


def _workspace(tree: Tree, project: str) -> str | None:
    """The folder of the workspace of uv that a project is in; None where there is none."""
    folder = project
    while True:
        document = _document(tree, folder)
        if document is not None and isinstance(_at(document, "tool", "uv", "workspace"), dict):
            return folder if project in _members(tree, folder) else None
        if not folder:
            return None
        folder = folder.rpartition("/")[0]


def _members(tree: Tree, top: str) -> dict[str, Mapping[str, Any]]:
    """The projects of a workspace of uv, its top among them."""
    document = _document(tree, top) or {}
    table = _at(document, "tool", "uv", "workspace")
    folders = set(_matching(tree, top, _at(table, "members"))) - set(_matching(tree, top, _at(table, "exclude")))
    found = {folder: text for folder in folders if (text := _document(tree, folder)) is not None}
    return {top: document, **found}


def _matching(tree: Tree, top: str, patterns: object) -> Iterator[str]:
    for pattern in patterns if isinstance(patterns, list) else ():
        if isinstance(pattern, str) and pattern.strip("./") and not pattern.startswith("/"):
            for path in tree.at(top).glob(_normal(pattern)):
                if path.is_dir() and path.is_relative_to(tree.root) and ".." not in path.parts:
                    yield path.relative_to(tree.root).as_posix()


def _document(tree: Tree, folder: str) -> Mapping[str, Any] | None:
    """What a ``pyproject.toml`` says; None where there is none that can be read: a check is no place to say so."""
    if folder.startswith(("..", "/")):
        return None
    try:
        content = tree.read(inside(folder, PYPROJECT))
        return None if content is None else tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, WorkspaceError):
        return None


def _asked(document: Mapping[str, Any]) -> list[str]:
    return _texts(_at(document, "project", "dependencies"))


def _extras(document: Mapping[str, Any], requirement: str) -> list[str]:
    """What a project asks for besides, for the extras that somebody asks of it."""
    wanted = {canonicalize_name(one) for one in Requirement(requirement).extras}
    optional = _at(document, "project", "optional-dependencies")
    rows = optional.items() if isinstance(optional, dict) else ()
    return [one for name, asked in rows if canonicalize_name(name) in wanted for one in _texts(asked)]


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str) and _name(one)] if isinstance(value, list) else []


def _name(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""  # it is told where that project is installed


def _at(document: object, *keys: str) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _normal(path: str) -> str:
    """A path without ``.`` and ``..``, as far as they can be taken out; the workspace itself is empty."""
    found = posixpath.normpath(path)
    return "" if found == "." else found
