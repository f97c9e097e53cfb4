"""Whether modules can still be imported: what a change would make import itself before it is there.

Modules are followed as Python runs them: statement by statement, what binds a name binds it, what imports goes on in
the other module. A circle alone is no fault. It is one where a name is asked of a module that has begun and has not
come to it yet: Python then says that it cannot import the name, "most likely due to a circular import".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mlox.components.imports import catches_import_error
from mlox.components.tree import Tree
from mlox.errors import WorkspaceError

Sources = dict[str, tuple[str, list[ast.stmt]]]
"""Modules of the repository, each with its path and its statements; those that it does not have have no path."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A name that a module asks of one that is not there yet; ``path`` are the modules in between, by who imports."""

    path: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return f"{self.path[-2]} takes {self.name} from {self.path[-1]} ({' → '.join(self.path)})"


def refuse_circles(before: Tree, after: Tree, root: str, changed: Iterable[str]) -> None:
    """Raise where a module could be imported, and cannot once ``changed`` files are written.

    Args:
        root: the folder that is on Python's path, ``src`` or empty.

    Raises:
        WorkspaceError: the problem names the circle.
    """
    modules = sorted(name for path in changed if (name := module_of(path, root)))
    found = circles(after, root, modules)
    if found:
        known = {
            (one.path[-2:], one.name) for one in circles(before, root, {name for one in found for name in one.path})
        }
        found = [one for one in found if (one.path[-2:], one.name) not in known]
    if found:
        raise WorkspaceError(
            f"{found[0].path[0]} could not be imported: {found[0]}; nothing was written",
            hint=f"Take the import of {found[0].path[1]} out of {found[0].path[0]}, or put it into a function.",
        )


def circles(tree: Tree, root: str, modules: Iterable[str]) -> list[Circle]:
    """The circles to which ``modules`` lead and that Python cannot import, whichever module of them comes first."""
    first = _Imports(tree, root)
    for module in modules:
        first.load(module)
    found: dict[Circle, None] = {}
    for module in sorted(_in_circles(first.edges)):
        run = _Imports(tree, root, first.sources)
        run.load(module)
        found |= dict.fromkeys(run.found)
    return list(found)


@dataclass(slots=True)
class _Imports:
    """What Python does for one import in a fresh process, as far as it is in this repository.

    ``bound`` are the names that each module has so far, ``running`` those that have begun and not ended, ``guarded``
    is above zero where an ``ImportError`` is caught.
    """

    tree: Tree
    root: str
    sources: Sources = field(default_factory=dict)
    bound: dict[str, set[str]] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)
    found: list[Circle] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    guarded: int = 0

    def load(self, module: str) -> None:
        """Import a module, and the packages that it is in before it; none where an import leads out of them."""
        parts = module.split(".") if module else []
        for length in range(1, len(parts) + 1):
            name = ".".join(parts[:length])
            path, body = self._source(name)
            if path and self.running and (name == module or not self.running[-1].startswith(f"{name}.")):
                self.edges.add((self.running[-1], name))  # packages that it is in itself have begun
            if path and name not in self.bound:
                self.bound[name] = set()
                self.running.append(name)
                self._run(body, self.bound[name])
                self.running.pop()

    def _run(self, body: Iterable[ast.stmt], names: set[str]) -> None:
        for node in body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.load(alias.name)
                    names.add(alias.asname or alias.name.partition(".")[0])
            elif isinstance(node, ast.ImportFrom):
                self._take(node, names)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.ClassDef):
                self._run(node.body, set())
                names.add(node.name)
            else:
                caught = isinstance(node, ast.Try) and any(map(catches_import_error, node.handlers))
                for number, inner in enumerate(_blocks(node)):
                    self.guarded += caught and number == 0
                    self._run(inner, names)
                    self.guarded -= caught and number == 0
                stored = (one for one in ast.walk(node) if isinstance(one, ast.Name))
                names.update(one.id for one in stored if isinstance(one.ctx, ast.Store))

    def _take(self, node: ast.ImportFrom, names: set[str]) -> None:
        module = self._whole_name(node)
        self.load(module)
        there = self.bound.get(module, set())
        for alias in node.names:
            if alias.name == "*":
                names |= there
            elif alias.name not in there and self._source(f"{module}.{alias.name}")[0]:
                self.load(f"{module}.{alias.name}")
            elif module in self.running and alias.name not in there and "__getattr__" not in there and not self.guarded:
                path = (*self.running[self.running.index(module) :], module)
                self.found.append(Circle(path, alias.name))
            names.add(alias.asname or alias.name)

    def _whole_name(self, node: ast.ImportFrom) -> str:
        here = self.running[-1].split(".")
        package = here if self._source(self.running[-1])[0].endswith("/__init__.py") else here[:-1]
        above = package[: len(package) - node.level + 1] if node.level else []
        return ".".join([*above, *([node.module] if node.module else [])])

    def _source(self, module: str) -> tuple[str, list[ast.stmt]]:
        if module not in self.sources:
            self.sources[module] = ("", [])
            stem = f"{self.root}/{module.replace('.', '/')}".lstrip("/")
            for path in (f"{stem}/__init__.py", f"{stem}.py"):
                try:
                    text = self.tree.read(path)
                    body = [] if text is None else ast.parse(text).body
                except (WorkspaceError, SyntaxError, ValueError, RecursionError, MemoryError):
                    text, body = b"", []  # what cannot be read imports nothing that we know of
                if text is not None:
                    self.sources[module] = (path, body)
                    break
        return self.sources[module]


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of a statement that run when it does; what only a type checker reads does not."""
    only_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    yield [] if only_types else getattr(node, "body", [])
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body
    yield getattr(node, "orelse", [])
    yield getattr(node, "finalbody", [])


def _in_circles(edges: set[tuple[str, str]]) -> set[str]:
    """The modules that are in a circle of imports, or between two; most repositories have none."""
    left: set[tuple[str, str]] = set()
    while left != edges:
        left, starts, ends = edges, {start for start, _ in edges}, {end for _, end in edges}
        edges = {(start, end) for start, end in edges if start in ends and end in starts}
    return {start for start, _ in edges}


def module_of(path: str, root: str) -> str:
    """The dotted name of a file below ``root``; empty where it is no module on the path."""
    if not path.endswith(".py") or (root and not path.startswith(f"{root}/")):
        return ""
    parts = path.removeprefix(f"{root}/" if root else "").removesuffix(".py").removesuffix("/__init__").split("/")
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""
