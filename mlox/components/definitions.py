"""What a Python file defines, and what tells whether a definition means the same as before.

The digests are compared between colleagues, so they do not depend on the version of Python: neither on positions nor
on fields of the syntax tree that are empty.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator


def definitions(text: bytes) -> dict[str, str]:
    r"""A digest for each function, class, method and assigned name, whatever its formatting and comments.

    A name that is defined twice gets ``#2`` behind it. A file that is no Python, or nests deeper than anybody writes,
    has none.

    Example:
        >>> sorted(definitions(b"LIMIT = 3\nclass A:\n    def f(self): return 1\n"))
        ['A', 'A.f', 'LIMIT']
        >>> definitions(b"def f(a,b): return a") == definitions(b"def f(a, b):\n    return a  # the first")
        True
    """
    try:
        return _digests(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _digests(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, node in _named(tree.body, ""):
        count = 2
        unique = name
        while unique in found:
            unique, count = f"{name}#{count}", count + 1
        found[unique] = hashlib.sha256(meaning(node).encode()).hexdigest()[:16]
    return found


def _named(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _named(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((f"{prefix}{target.id}", node) for target in targets if isinstance(target, ast.Name))


def meaning(value: object) -> str:
    """What a syntax tree says, whatever its formatting, comments and positions."""
    if isinstance(value, ast.JoinedStr):  # Python 3.12 ends some f-strings with an empty text
        return f"JoinedStr{meaning([part for part in value.values if getattr(part, 'value', None) != ''])}"
    if isinstance(value, ast.AST):
        fields = ((name, part) for name, part in ast.iter_fields(value) if part not in (None, []) and name != "kind")
        return f"{type(value).__name__}({','.join(f'{name}={meaning(part)}' for name, part in fields)})"
    if isinstance(value, list):
        return f"[{','.join(map(meaning, value))}]"
    return repr(value)
