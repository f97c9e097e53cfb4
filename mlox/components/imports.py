"""What a Python file imports, and which declared distributions bring that. Pure: only texts are read."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlox.components.dependencies.imports import table

ALTERNATIVES: Mapping[str, tuple[str, ...]] = {
    "cv2": ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "kafka": ("kafka-python-ng",),
    "mlflow": ("mlflow-skinny",),
    "psycopg2": ("psycopg2-binary",),
    "pydantic_core": ("pydantic",),
    "tensorflow": ("tensorflow-cpu",),
}
"""Distributions that bring a module too, beside the one of its name or of the table of names that differ."""


@dataclass(frozen=True, slots=True)
class Import:
    """One module that a file imports, with the dots of a relative one as ``level``.

    ``names`` are what is taken from it, which may be modules in it. ``guarded`` is set where the code goes on without
    it: inside a ``try`` that catches the ``ImportError``.
    """

    module: str
    level: int
    line: int
    guarded: bool
    names: tuple[str, ...] = ()

    @property
    def modules(self) -> tuple[str, ...]:
        """The module, and what may be modules in it."""
        return (self.module, *(f"{self.module}.{name}" for name in self.names))


def imports_of(text: str) -> tuple[Import, ...]:
    r"""The imports of a module, wherever they stand in it.

    Raises:
        SyntaxError, ValueError: it is no Python.

    Example:
        >>> [one.module for one in imports_of("import numpy.linalg as la\nfrom .store import Store")]
        ['numpy.linalg', 'store']
    """
    try:
        return tuple(_below(ast.parse(text), guarded=False))
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("it nests too deep") from error


def bringers(requirements: Iterable[str], module: str, installed: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Those of ``requirements`` that bring a module.

    A distribution brings what is called like it, or like its first parts (``google-cloud-storage`` brings
    ``google.cloud.storage``), what the table and :data:`ALTERNATIVES` say, and its extras bring what is called like
    them.
    ``installed`` says for a top-level module which distributions have it here, where that is known.

    Example:
        >>> bringers(["PyYAML>=6", "feast[redis]"], "yaml", {}), bringers(["feast[redis]"], "redis", {})
        (('PyYAML>=6',), ('feast[redis]',))
    """
    parts = module.split(".")
    dotted = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    names = {canonicalize_name(one.replace(".", "-")) for one in dotted}
    names |= {canonicalize_name(other) for one in dotted for other in ALTERNATIVES.get(one, ())}
    names |= {canonicalize_name(table()[one]) for one in dotted if one in table()}
    names |= {canonicalize_name(other) for other in installed.get(parts[0], ())}
    found = []
    for text in requirements:
        requirement = Requirement(text)
        extras = {canonicalize_name(extra) for extra in requirement.extras}
        if canonicalize_name(requirement.name) in names or canonicalize_name(parts[0]) in extras:
            found.append(text)
    return tuple(found)


def _below(node: ast.AST, *, guarded: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, 0, child.lineno, guarded) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            # `from . import store` imports a module of that name.
            names = tuple(alias.name for alias in child.names)
            if child.module:
                yield Import(child.module, child.level, child.lineno, guarded, names)
            else:
                yield from (Import(name, child.level, child.lineno, guarded) for name in names)
        elif isinstance(child, ast.Try) and any(catches_import_error(one) for one in child.handlers):
            yield from _below(ast.Module(child.body, []), guarded=True)
            rest = [statement for handler in child.handlers for statement in handler.body]
            yield from _below(ast.Module([*rest, *child.orelse, *child.finalbody], []), guarded=guarded)
        else:
            yield from _below(child, guarded=guarded)


def catches_import_error(handler: ast.ExceptHandler) -> bool:
    """Whether the code of a ``try`` goes on by this ``except`` where an import fails."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(one, "id", "") for one in caught}
    return handler.type is None or bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
