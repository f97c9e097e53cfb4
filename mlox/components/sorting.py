"""Import blocks that a sorter went over: what they bring is what it was, whatever the order and the lines.

Imports that stand side by side bring the same in any order, but where two of them bind one name, or one brings
whatever there is (``*``). Then the order tells something, and nothing here looks away from it.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from mlox.components.bindings import Binding, bindings
from mlox.components.definitions import meaning


@dataclass(frozen=True, slots=True)
class _Part:
    """A statement of a block: its lines, what is above them within the block, and what it binds."""

    gap: str
    text: str
    bindings: frozenset[Binding]

    @property
    def modules(self) -> set[str]:
        return {one.module for one in self.bindings}


@dataclass(frozen=True, slots=True)
class _Block:
    """Imports side by side, from one line to another (from 0, the last one left out), and blank lines below them.

    A comment right above the first of them is of the block.
    """

    first: int
    end: int
    parts: tuple[_Part, ...]
    below: str

    @property
    def bindings(self) -> frozenset[Binding]:
        return frozenset().union(*(part.bindings for part in self.parts))

    @property
    def comments(self) -> list[str]:
        """What is written between the statements."""
        return sorted(line.strip() for part in self.parts for line in part.gap.splitlines() if line.strip())


def statements(text: str) -> Iterator[tuple[ast.stmt, str]]:
    """The statements of a module, each with its lines.

    Raises:
        SyntaxError: it is no Python. ValueError: two of them share a line.
    """
    lines = lines_of(text)
    end = 0
    for node in ast.parse(text).body:
        first = first_line(node)
        if first <= end:
            raise ValueError(f"two statements share line {first}")
        end = node.end_lineno or first
        yield node, "".join(lines[first - 1 : end])


def lines_of(text: str) -> list[str]:
    """The lines as Python counts them, with their ends: a form feed ends none."""
    return io.StringIO(text, newline="").readlines()


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, from 1, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def meaning_unsorted(node: ast.stmt) -> str:
    r"""What a statement says, whatever its formatting and the order of the imports in it.

    Example:
        >>> first, second = ast.parse("if x:\n  import a\n  import b\nif x:\n  import b, a\n").body
        >>> meaning(first) == meaning(second), meaning_unsorted(first) == meaning_unsorted(second)
        (False, True)
    """
    text = meaning(node)
    return meaning(_Sorted().visit(node)) if "Import" in text else text


def imports_as_before(old: str, new: str) -> str:
    r"""The new text with its blocks of imports as they were, but for what they bring now and did not, or do no more.

    Raises:
        SyntaxError: one is no Python. ValueError: two statements share a line.

    Example:
        >>> imports_as_before("import b\nimport a\nx = 1\n", "import a\nimport b\nimport c\nx = 2\n")
        'import b\nimport c\nimport a\nx = 2\n'
    """
    left = list(_blocks(old))
    lines = lines_of(new)
    changed: list[tuple[_Block, str]] = []
    for block in _blocks(new):
        before = max(left, key=lambda one: len(one.bindings & block.bindings), default=None)
        if before is not None and before.bindings & block.bindings:
            left.remove(before)
            if _are_free(before.bindings) and _are_free(block.bindings) and before.comments == block.comments:
                changed.append((block, _arranged(before.parts, block.parts) + before.below))
    for block, text in reversed(changed):
        lines[block.first : block.end] = [text]
    return "".join(lines)


def _blocks(text: str) -> Iterator[_Block]:
    lines = lines_of(text)
    for is_import, group in groupby(statements(text), key=lambda one: bool(bindings(one[0]))):
        if not is_import:
            continue
        nodes = list(group)
        first = first_line(nodes[0][0]) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        end = first
        parts = []
        for node, own in nodes:
            parts.append(_Part("".join(lines[end : first_line(node) - 1]), own, frozenset(bindings(node))))
            end = node.end_lineno or end
        last = next((number for number in range(end, len(lines)) if lines[number].strip()), len(lines))
        yield _Block(first, last, tuple(parts), "".join(lines[end:last]))


def _arranged(old: Sequence[_Part], new: Sequence[_Part]) -> str:
    """The block as it was, with those statements of the new one that bring something else."""
    had, have = (frozenset[Binding]().union(*(part.bindings for part in parts)) for parts in (old, new))
    shown = [place for place, part in enumerate(new) if part.bindings - had]
    while True:
        told = frozenset[Binding]().union(*(new[place].bindings for place in shown))
        kept = [part.bindings <= have and not part.bindings & told for part in old]
        left = have - told.union(*(part.bindings for part, stays in zip(old, kept, strict=True) if stays))
        more = [place for place, part in enumerate(new) if place not in shown and part.bindings & left]
        if not more:
            break
        shown += more
    slots = [[part.text] if stays else [] for part, stays in zip(old, kept, strict=True)]
    at = 0
    for place, part in enumerate(new):
        same = (number for number, one in enumerate(old) if one.bindings & part.bindings)
        instead = (number for number, one in enumerate(old) if not kept[number] and one.modules & part.modules)
        at = next(chain(same, instead), at)
        if place in shown:
            slots[at].append(part.text)
    texts, gap = [], ""
    for part, slot in zip(old, slots, strict=True):
        gap = max(gap, part.gap, key=len)
        if slot:
            texts += [gap, *slot] if gap else slot
            gap = ""
    return "".join(text if text.endswith(("\n", "\r")) else f"{text}\n" for text in texts)


def _are_free(found: frozenset[Binding]) -> bool:
    """Whether the order tells nothing: each name is bound to one thing, and there is no ``*``."""
    bound: dict[str, object] = {}
    for one in found:
        what = one if one.name or one.alias else one.bound
        if one.name == "*" or bound.setdefault(one.bound, what) != what:
            return False
    return True


class _Sorted(ast.NodeTransformer):
    """Blocks of imports in statements, one name each, sorted."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            if isinstance(body := getattr(node, name, None), list):
                setattr(node, name, list(_sorted(body)))
        return node


def _sorted(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for is_import, group in groupby(body, key=lambda node: bool(bindings(node))):
        nodes = list(group)
        found = frozenset(one for node in nodes for one in bindings(node))
        if is_import and _are_free(found):
            yield from ast.parse("".join(one.line for one in sorted(found))).body
        else:
            yield from nodes
