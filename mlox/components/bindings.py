"""Imports of a module as what they bind: put in where they belong, and taken out without a trace."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlox.components.merge.python.items import Item, items_of
from mlox.components.merge.python.source import Source, read

MAX_LINE = 120
_WORD = re.compile(r"[A-Za-z_]\w*")
_PLAIN = re.compile(r"from [\w.]+ import [^()#\\;]+\n?")


@dataclass(frozen=True, slots=True, order=True)
class Binding:
    """One name that a module gets by an import. ``module`` has its dots in front; ``name`` is empty for ``import x``.

    Example:
        >>> str(Binding("churn.limits", "limit"))
        'churn.limits:limit'
    """

    module: str
    name: str = ""
    alias: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.module, self.name, self.alias) if part or not self.alias).rstrip(":")

    @property
    def bound(self) -> str:
        """The name that code uses."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def line(self) -> str:
        """The import, alone on a line."""
        alias = f" as {self.alias}" if self.alias else ""
        return f"from {self.module} import {self.name}{alias}\n" if self.name else f"import {self.module}{alias}\n"


def bindings(node: ast.stmt) -> list[Binding]:
    """What an import binds; nothing for any other statement."""
    if isinstance(node, ast.Import):
        return [Binding(one.name, "", one.asname or "") for one in node.names]
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return [Binding(module, one.name, one.asname or "") for one in node.names]
    return []


def imported(text: str) -> set[Binding]:
    """What the imports at the top level of a module bind."""
    return {binding for item in items_of(read(text)) for node in item.nodes for binding in bindings(node)}


def used_names(text: str) -> set[str]:
    """The names that a module loads, also in annotations that are texts, and in ``__all__``."""
    tree = read(text).tree
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return found.union(*(_WORD.findall(one) for one in texts if len(one) <= MAX_LINE and " " not in one.strip()))


def with_import(text: str, binding: Binding, package: str) -> str:
    r"""``text`` with one import more, in its place.

    It joins the line that imports from the same module, else it stands before the first that sorts after it in its
    group: standard library, others, ``package``, relative.

    Example:
        >>> with_import("import os\n\nx = os.sep\n", Binding("churn.limits", "limit"), "churn")
        'import os\n\nfrom churn.limits import limit\n\nx = os.sep\n'
    """
    source = read(text)
    imports = [item for item in items_of(source) if item.kind == "import"]
    for item in imports:
        node = item.node
        if binding.name and isinstance(node, ast.ImportFrom) and bindings(node)[0].module == binding.module:
            joined = _line({*bindings(node), binding})
            if _is_plain(item) and len(joined) <= MAX_LINE:
                return _spliced(source, item.first, item.last, [joined])
    at, lines = _place(source, imports, binding, package)
    apart = _spliced(source, at, at, lines)
    if without_import(apart, binding) == text:
        return apart
    return _spliced(source, at, at, [binding.line])  # no blank line around it could be told from the user's


def without_import(text: str, binding: Binding) -> str:
    r"""``text`` without an import, and without the blank line that stood around it alone; as it is where it has none.

    Example:
        >>> without_import("from a import b, c\n", Binding("a", "b"))
        'from a import c\n'
    """
    source = read(text)
    for item in items_of(source):
        found = [one for node in item.nodes for one in bindings(node)]
        if binding not in found or item.kind != "import":
            continue
        if len(found) > 1:
            return _without_one(source, item, binding)
        lines = source.lines[: item.first], source.lines[item.last :]
        above, below = lines[0][-1:], lines[1][:1]
        if _is_blank(above) and _is_blank(below) and (above or below):
            return "".join([*lines[0][:-1], *(lines[1] if above else lines[1][1:])])
        return "".join([*lines[0], *lines[1]])
    return text


def _is_blank(lines: Sequence[str]) -> bool:
    """Whether there is nothing in these lines; so it is beyond the ends of a file."""
    return not "".join(lines).strip()


def _without_one(source: Source, item: Item, binding: Binding) -> str:
    """The item without one of its names: rewritten where it is plain, else the name is cut out."""
    node = item.node
    left = [one for one in bindings(node) if one != binding] if node is not None else []
    if _is_plain(item):
        return _spliced(source, item.first, item.last, [_line(left)])
    aliases = node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
    at = next(i for i, one in enumerate(aliases) if (one.name, one.asname or "") in _spelled(binding))
    begin, end = aliases[at], aliases[at + 1] if at + 1 < len(aliases) else None
    if end is not None:
        first, last = _begins(source, begin), _begins(source, end)
    else:
        first, last = _ends(source, aliases[at - 1]), _ends(source, begin)
    return source.text[:first] + source.text[last:]


def _spelled(binding: Binding) -> set[tuple[str, str]]:
    return {(binding.name or binding.module, binding.alias)}


def _begins(source: Source, node: ast.alias) -> int:
    """Where a name begins in the text, in characters; the syntax tree counts bytes of its line."""
    return _offset(source, node.lineno, node.col_offset)


def _ends(source: Source, node: ast.alias) -> int:
    return _offset(source, node.end_lineno or node.lineno, node.end_col_offset or 0)


def _offset(source: Source, row: int, column: int) -> int:
    return sum(map(len, source.lines[: row - 1])) + len(source.lines[row - 1].encode()[:column].decode())


def _is_plain(item: Item) -> bool:
    return len(item.nodes) == 1 and bool(_PLAIN.fullmatch(item.text))


def _line(found: Iterable[Binding]) -> str:
    """Names of one module on one line, sorted as isort does: constants, classes, others."""
    names = sorted(found, key=lambda one: (_order(one.name), one.name, one.alias))
    told = ", ".join(f"{one.name} as {one.alias}" if one.alias else one.name for one in names)
    return f"from {names[0].module} import {told}\n"


def _order(name: str) -> int:
    return 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2


def _group(module: str, package: str) -> int:
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 4
    top = module.partition(".")[0]
    return 3 if top == package.partition(".")[0] else 1 if top in sys.stdlib_module_names else 2


def _key(binding: Binding, package: str) -> tuple[int, int, int, str]:
    """The place among imports: by group, plain imports first, relative ones from far to near, by name."""
    dots = len(binding.module) - len(binding.module.lstrip("."))
    return _group(binding.module, package), int(bool(binding.name)), -dots, binding.module


def _place(source: Source, imports: Sequence[Item], binding: Binding, package: str) -> tuple[int, list[str]]:
    """The line at which an import goes in, and the lines that it takes."""
    own = _key(binding, package)
    keyed = [(_key(bindings(item.nodes[0])[0], package), item) for item in imports]
    same = [(key, item) for key, item in keyed if key[0] == own[0]]
    after = next((item for key, item in same if key > own), None)
    if after is not None:
        return _below_blank(source, after), [binding.line]
    if same:
        return same[-1][1].last, [binding.line]
    lower = [item for key, item in keyed if key[0] < own[0]]
    if lower:
        return lower[-1].last, ["\n", binding.line]
    if keyed:
        return _below_blank(source, keyed[0][1]), [binding.line, "\n"]
    items = items_of(source)
    top = next((item for item in items if item.kind == "docstring"), None)
    if top is not None:
        return top.last, ["\n", binding.line]
    head = next((item.last for item in items if item.kind == "head"), 0)
    return head, [binding.line, "\n"]


def _below_blank(source: Source, item: Item) -> int:
    """The line below the last blank one above an item: what is written right above it belongs to it."""
    at = item.first
    while at > item.start and source.lines[at - 1].strip():
        at -= 1
    return at


def _spliced(source: Source, first: int, last: int, lines: Sequence[str]) -> str:
    """The text with ``lines`` in place of those from ``first`` to ``last``; the one before gets an end."""
    before = "".join(source.lines[:first])
    if before and not before.endswith(("\n", "\r")):
        before += "\n"
    return before + "".join(lines) + "".join(source.lines[last:])
