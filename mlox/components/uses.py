"""Who names what a change takes away: imports in code and notebooks, and dotted names in texts and settings.

What looks names up as it runs (``getattr``, a name put together from parts) is not found; everything else that says the
name is: ``importlib.import_module``, Hydra's ``_target_``, entry points.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlox.components.circles import module_of
from mlox.components.imports import imports_of
from mlox.components.plan import EditPlan
from mlox.components.search import files
from mlox.components.tree import Tree
from mlox.errors import WorkspaceError

SETTINGS = (".yaml", ".yml", ".toml", ".cfg", ".ini")
MAX_USES = 50
UNREAD = (SyntaxError, ValueError, RecursionError, MemoryError)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+")

Gone = Mapping[str, Collection[str] | None]
"""Modules, each with the names that it has no more; None where the module itself is gone."""


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A place that names something which is not there any more: a file with its line, a notebook with its cell."""

    where: str
    name: str

    def __str__(self) -> str:
        return f"{self.where} ({self.name})"

    def to_json(self) -> dict[str, str]:
        """Where, and what is named."""
        return {"where": self.where, "name": self.name}


def left_uses(tree: Tree, plan: EditPlan, root: str) -> tuple[Use, ...]:
    """The places that name what ``plan`` takes away, at most fifty; ``root`` is the folder on Python's path."""
    after = tree.over(plan.edits)
    gone: dict[str, Collection[str] | None] = {}
    for edit in plan.edits:
        module = module_of(edit.path.relative_to(tree.root).as_posix(), root)
        lost = _names(edit.replaces) - _names(edit.content)
        if module and edit.replaces is not None and (edit.content is None or lost):
            gone[module] = None if edit.content is None else lost
    found: list[Use] = []
    words = {module.rpartition(".")[2].encode() for module in gone}
    for path in files(tree, ".py", ".ipynb", *SETTINGS) if gone else ():
        content = _read(after, path)
        if any(word in content for word in words) and len(found) < MAX_USES:
            text = content.decode("utf-8", "replace")
            uses = _in_settings(path, text, gone) if path.endswith(SETTINGS) else _in_code(path, text, root, gone)
            found += sorted(set(uses))
    return tuple(found[:MAX_USES])


def _in_code(path: str, text: str, root: str, gone: Gone) -> Iterator[Use]:
    for cell, code in _cells(text) if path.endswith(".ipynb") else ((0, text),):
        try:
            imports, nodes = imports_of(code), list(ast.walk(ast.parse(code)))
        except UNREAD:
            continue
        for one in imports:
            module = _whole(one.module, one.level, path, root)
            names = one.names if one.module or not one.level else ()
            whole = [module, *(f"{module}.{name}" for name in names)]
            yield from (Use(_at(path, cell, one.line), hit) for hit in _hits(whole, gone))
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from (Use(_at(path, cell, node.lineno), hit) for hit in _named(node.value, gone))


def _in_settings(path: str, text: str, gone: Gone) -> Iterator[Use]:
    for number, line in enumerate(text.splitlines(), 1):
        yield from (Use(_at(path, 0, number), hit) for hit in _named(line, gone))


def _named(text: str, gone: Gone) -> list[str]:
    """The dotted names in a text that are gone."""
    return _hits((found.replace(":", ".") for found in _DOTTED.findall(text)), gone)


def _hits(names: Iterable[str], gone: Gone) -> list[str]:
    """Those of ``names`` that are in a module that is gone, or are gone from one; of several the longest."""
    found = ""
    for name in names:
        for module, lost in gone.items():
            inside = name == module or name.startswith(f"{module}.")
            if inside and (lost is None or name.removeprefix(f"{module}.").partition(".")[0] in lost):
                found = max(found, name, key=len)
    return [found] if found else []


def _whole(module: str, level: int, path: str, root: str) -> str:
    """The whole name of a module that a file imports."""
    if not level:
        return module
    here = module_of(path, root).split(".")
    package = here if path.endswith("/__init__.py") else here[:-1]
    return ".".join([*package[: len(package) - level + 1], module])


def _cells(text: str) -> Iterator[tuple[int, str]]:
    """The code of a notebook by the number of its cell, without what is IPython's."""
    try:
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            if cell["cell_type"] == "code":
                lines = "".join(cell["source"]).splitlines()
                yield number, "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in lines)
    except (*UNREAD, KeyError, TypeError):
        return


def _names(content: bytes | None) -> set[str]:
    """The names that others can take from a module."""
    try:
        body = ast.parse(content or b"").body
    except UNREAD:
        return set()
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                found.add(one.id)
            elif isinstance(one, ast.alias):
                found.add(one.asname or one.name.partition(".")[0])
    return found


def _at(path: str, cell: int, line: int) -> str:
    return f"{path}, cell {cell}" if cell else f"{path}:{line}"


def _read(tree: Tree, path: str) -> bytes:
    try:
        return tree.read(path) or b""
    except WorkspaceError:
        return b""
