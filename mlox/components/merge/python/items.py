"""How a module, a class or a function is cut into items: every byte of it belongs to one."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from mlox.components.merge.python.source import Source

Kind = Literal["import", "def", "class", "assign", "docstring", "main", "other", "head", "tail"]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BLANK = re.compile(r"\s*(#.*)?$")
_SPACE = re.compile(r"\s+")
_LOOSE = re.compile(r",(?=[)\]}])")


@dataclass(frozen=True, eq=False)
class Item:
    """Statements that share their lines, with the comments and blank lines above them.

    ``key`` is what the item is called among its neighbours, the same on all sides; ``nodes`` is empty for the head of
    a file (its first comment, apart from the first statement) and for what follows the last statement.
    """

    kind: Kind
    key: str
    source: Source
    start: int
    first: int
    last: int
    nodes: tuple[ast.stmt, ...] = ()

    @cached_property
    def lead(self) -> str:
        """Comments and blank lines above."""
        return "".join(self.source.lines[self.start : self.first])

    @cached_property
    def text(self) -> str:
        """The statement, to the end of its last line."""
        return "".join(self.source.lines[self.first : self.last])

    @cached_property
    def whole(self) -> str:
        """Every byte of the item."""
        return self.lead + self.text

    @cached_property
    def loose(self) -> str:
        """The statement in a form that most formatting does not change: to find it again, not to compare it."""
        return _LOOSE.sub("", _SPACE.sub("", self.text).replace("'", '"'))

    @cached_property
    def meaning(self) -> str:
        """The dump of its syntax tree; comments are no part of it."""
        return "\n".join(map(ast.dump, self.nodes))

    @property
    def node(self) -> ast.stmt | None:
        """Its statement, where it is one alone."""
        return self.nodes[0] if len(self.nodes) == 1 else None


def name_of(item: Item) -> str:
    """The name of a definition; empty for anything else."""
    return item.node.name if isinstance(item.node, Definition) else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A clause of a compound statement: its header, of which so many characters are decorators, and what it holds."""

    header: str
    items: list[Item]
    decorators: int = 0


def items_of(source: Source) -> list[Item]:
    """The items of a module; their texts, joined, are the file's."""
    body, lines = source.tree.body, source.lines
    first = _first(body[0]) if body else len(lines)
    head = _head(lines[:first])
    made = [Item("head", "head", source, 0, 0, head)] if head else []
    return made + _cut(source, body, head, len(lines), outermost=True)


def parts_of(item: Item) -> list[Part]:
    """The clauses of a compound statement; none where its body stands on the line of its header."""
    node = item.node
    if node is None:
        return []
    lines, at, parts = item.source.lines, item.first, []
    blocks = list(_blocks(node))
    for place, block in enumerate(blocks):
        begin = _first(block[0])
        while begin > at and _BLANK.match(lines[begin - 1]):
            begin -= 1
        if begin <= at or (block[0].lineno - 1 < begin and not getattr(block[0], "decorator_list", None)):
            return []
        follows = place + 1 < len(blocks)
        end = _end(
            lines, block[-1], item.last if not follows else _first(blocks[place + 1][0]), _indent(lines, block[0])
        )
        if not follows:
            end = item.last
        above = "".join(lines[at : max(node.lineno - 1, at)]) if getattr(node, "decorator_list", None) else ""
        parts.append(Part("".join(lines[at:begin]), _cut(item.source, block, begin, end, outermost=False), len(above)))
        at = end
    return parts


def _blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    """The bodies of a statement in the order of the text; ``elif`` is a clause of its ``if``."""
    blocks = [getattr(node, "body", [])]
    blocks += [clause.body for clause in (*getattr(node, "handlers", ()), *getattr(node, "cases", ()))]
    rest = getattr(node, "orelse", [])
    if isinstance(node, ast.If) and len(rest) == 1 and _is_elif(node, rest[0]):
        blocks += _blocks(rest[0])
    else:
        blocks.append(rest)
    blocks.append(getattr(node, "finalbody", []))
    return [block for block in blocks if block]


def _is_elif(node: ast.If, inner: ast.stmt) -> bool:
    """An ``if`` inside an ``else`` is indented more than the ``if`` around it; an ``elif`` is not."""
    return isinstance(inner, ast.If) and inner.col_offset == node.col_offset


def _cut(source: Source, body: Sequence[ast.stmt], start: int, end: int, *, outermost: bool) -> list[Item]:
    """The items of ``body``, which owns the lines from ``start`` to ``end``."""
    groups: list[list[ast.stmt]] = []
    for node in body:
        if groups and _first(node) < (groups[-1][-1].end_lineno or 0):
            groups[-1].append(node)
        else:
            groups.append([node])
    seen: Counter[str] = Counter()
    items, at = [], start
    for place, group in enumerate(groups):
        first = _first(group[0])
        stop = _first(groups[place + 1][0]) if place + 1 < len(groups) else end
        last = group[-1].end_lineno or stop
        if hasattr(group[-1], "body"):
            last = _end(source.lines, group[-1], stop, _indent(source.lines, group[0]) + 1)
        kind, key = _named(group, outermost=outermost, begins=place == 0)
        seen[key] += 1
        key = key if seen[key] == 1 else f"{key}#{seen[key]}"
        items.append(Item(kind, key, source, at, first, last, tuple(group)))
        at = last
    if at < end:
        items.append(Item("tail", "tail", source, at, at, end))
    return items


def _first(node: ast.stmt) -> int:
    """The index of the line where a statement begins, decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(one.lineno for one in decorators)])) - 1


def _indent(lines: Sequence[str], node: ast.stmt) -> int:
    line = lines[_first(node)]
    return len(line) - len(line.lstrip(" \t\f"))


def _end(lines: Sequence[str], node: ast.stmt, stop: int, indent: int) -> int:
    """The line after a statement and the comments below it that are indented at least so much."""
    at = end = node.end_lineno or node.lineno
    while at < stop and _BLANK.match(lines[at]):
        body = lines[at].lstrip(" \t\f")
        if body.startswith("#"):
            if len(lines[at]) - len(body) < indent:
                break
            end = at + 1
        at += 1
    return end


def _head(lines: Sequence[str]) -> int:
    """How many lines above the first statement stand apart from it: a shebang, a licence."""
    last = max((at for at, line in enumerate(lines) if line.startswith("#")), default=-1)
    if last < 0:
        return 0
    if last + 1 < len(lines):
        return last + 1
    while last >= 0 and lines[last].strip():
        last -= 1
    while last >= 0 and not lines[last].strip():
        last -= 1
    return last + 1


def _named(group: Sequence[ast.stmt], *, outermost: bool, begins: bool) -> tuple[Kind, str]:
    """The kind of an item and the name that it has on all sides."""
    node = group[0]
    if isinstance(node, Definition):
        wrapped = [one.attr for one in node.decorator_list if isinstance(one, ast.Attribute)]
        accessor = next((f"@{name}" for name in wrapped if name in {"setter", "getter", "deleter"}), "")
        return "class" if isinstance(node, ast.ClassDef) else "def", f"def {node.name}{accessor}"
    if len(group) == 1 and isinstance(node, ast.Import | ast.ImportFrom):
        return "import", _import_key(node)
    if (
        begins
        and isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return "docstring", "docstring"
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        sign = "+=" if isinstance(node, ast.AugAssign) else "="
        return "assign", f"{sign} {', '.join(map(ast.unparse, targets))}"
    if outermost and isinstance(node, ast.If) and "__main__" in ast.dump(node.test):
        return "main", "main"
    return "other", type(node).__name__


def _import_key(node: ast.Import | ast.ImportFrom) -> str:
    if isinstance(node, ast.Import):
        return f"import {node.names[0].name}"
    return f"from {'.' * node.level}{node.module or ''}"
