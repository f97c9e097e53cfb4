"""Who imports what a change takes away: the user's own modules and notebooks, each with its place and what it names.

Nothing of it is changed. Imports are followed, whole and relative ones, and not what code does with a module then.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlox.components.imports import Import, imports_of
from mlox.components.records import Record
from mlox.components.search import files
from mlox.components.tree import Tree
from mlox.errors import WorkspaceError
from mlox.journal import Edit


@dataclass(frozen=True, slots=True)
class Importer:
    """A file of the user's, the place in it (``line 3``, ``cell 2``), and the module or name that it imports."""

    path: str
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}, {self.place} imports {self.name}"


def importers(tree: Tree, record: Record, edits: Iterable[Edit]) -> tuple[Importer, ...]:
    """Who imports a module or a name of a component that is not there any more after ``edits``."""
    changed = {edit.path.relative_to(tree.root).as_posix(): edit for edit in edits}
    gone = set(_gone(record, changed))
    if not gone:
        return ()
    found = []
    there = tree.over(changed.values())
    for path in files(tree, ".py", ".ipynb"):
        if path in record.files:
            continue
        for place, one in _imports(there, path):
            module, *names = _named(one, _package_of(path, record))
            lost = [module] if module in gone else [name for name in names if name in gone]
            found += [Importer(path, place, name) for name in lost]
    return tuple(dict.fromkeys(found))


def _gone(record: Record, changed: Mapping[str, Edit]) -> Iterator[str]:
    """The dotted names of modules that go, with all that they had, and of what goes out of modules that stay."""
    for path, edit in changed.items():
        if path not in record.files or not path.endswith(".py"):
            continue
        module = _module_of(path, record)
        if edit.content is None:
            yield module
        after = set(_bound(edit.content))
        yield from (f"{module}.{name}" for name in _bound(edit.replaces) if name not in after)


def _bound(content: bytes | None) -> Iterator[str]:
    """What a module binds at its top; nothing where it is no Python."""
    try:
        body = ast.parse(content or b"").body
    except (SyntaxError, ValueError):
        return
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            yield from (
                one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
            )


def _imports(tree: Tree, path: str) -> Iterator[tuple[str, Import]]:
    """What a file imports, and where; nothing of one that cannot be read."""
    try:
        text = (tree.read(path) or b"").decode("utf-8", "replace")
    except WorkspaceError:
        return
    cells: Collection[tuple[str, str]] = _cells(text) if path.endswith(".ipynb") else [("", text)]
    for cell, code in cells:
        try:
            found = imports_of(code)
        except (SyntaxError, ValueError):
            continue
        yield from ((cell or f"line {one.line}", one) for one in found)


def _cells(text: str) -> list[tuple[str, str]]:
    """The code of a notebook by cell, without what is IPython's; none where it is no notebook."""
    found = []
    try:
        for number, cell in enumerate(json.loads(text)["cells"], start=1):
            if cell["cell_type"] == "code":
                lines = "".join(cell["source"]).splitlines()
                own = [line if not line.lstrip().startswith(("%", "!", "?")) else "pass" for line in lines]
                found.append((f"cell {number}", "\n".join(own)))
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return found


def _named(one: Import, package: str) -> Iterator[str]:
    """The dotted names that an import loads: the module, and what is taken from it."""
    module = one.module
    if one.level:
        parts = package.split(".")
        if not package or one.level > len(parts):
            yield ""
            return
        module = ".".join([*parts[: len(parts) - one.level + 1], one.module])
    yield module
    yield from (f"{module}.{name}" for name in one.names)


def _module_of(path: str, record: Record) -> str:
    """The dotted name of a file, by where the component's own package lies."""
    top = record.folder.removesuffix(record.package.replace(".", "/"))
    return path.removeprefix(top).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _package_of(path: str, record: Record) -> str:
    """The package that relative imports of a file begin at; empty where it lies in none of the component's tree."""
    top = record.folder.removesuffix(record.package.replace(".", "/"))
    return path.removeprefix(top).rpartition("/")[0].replace("/", ".") if path.startswith(top) else ""
