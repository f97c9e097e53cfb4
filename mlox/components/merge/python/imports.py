"""Imports by what they bind: a union of both sides, less what one of them took away."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from mlox.components.merge.python.elements import comments_of
from mlox.components.merge.python.items import Item
from mlox.components.merge.python.notes import Notes
from mlox.components.merge.python.rows import Row
from mlox.components.merge.python.sequences import OrderClash, merge_orders
from mlox.components.merge.python.source import Source, lines_of, parsed
from mlox.components.merge.python.spelling import merged_comments, spelled

Binding = tuple[str, str, str]
"""The module as it is written (empty for ``import``), the name that is taken from it, and what it is called here."""
_WORD = re.compile(r"[^\W\d]\w*")


def bindings(item: Item | None) -> list[Binding]:
    """What an import binds, in order."""
    return bindings_of(item.node) if item else []


def bindings_of(node: ast.stmt | None) -> list[Binding]:
    """What an import binds, in order; nothing where it is none."""
    if isinstance(node, ast.Import):
        return [("", one.name, one.asname or "") for one in node.names]
    if isinstance(node, ast.ImportFrom):
        module = f"{'.' * node.level}{node.module or ''}"
        return [(module, one.name, one.asname or "") for one in node.names]
    return []


def bound(binding: Binding) -> str:
    """The name that a binding gives; one for each submodule of an ``import a.b``, which share their first name."""
    return binding[2] or binding[1]


class Imports:
    """The imports of one block, whose names may move between statements."""

    def __init__(self, rows: Sequence[Row], notes: Notes) -> None:
        self.rows, self.notes = rows, notes
        self.places = [at for at, row in enumerate(rows) if row.any.kind == "import"]
        base, left, right = (
            {one for at in self.places for one in bindings(getattr(rows[at], side))}
            for side in ("base", "left", "right")
        )
        self.wanted = (left & right) | (left - base) | (right - base) | (notes.keep & (left | right))
        self.twice = _clashing(self.wanted) - _clashing(left) - _clashing(right) - _clashing(base)
        self.names = {at: self._own(rows[at]) for at in self.places}
        self._house({one for names in self.names.values() for one in names})

    def __contains__(self, at: int) -> bool:
        return at in self.names

    def _own(self, row: Row) -> set[Binding]:
        """What a statement keeps, seen alone."""
        was, mine, theirs = ({*bindings(item)} for item in (row.base, row.left, row.right))
        if row.base and not (row.left and row.right):
            kept = mine or theirs
            return (kept - was) & self.wanted
        return ((mine & theirs) | (mine - was) | (theirs - was)) & self.wanted

    def _house(self, housed: set[Binding]) -> None:
        """Find a statement for each name that is wanted and left over: one of its module, else the one it was in."""
        for at in self.places:
            row = self.rows[at]
            if self.names[at] and row.base and not (row.left and row.right):
                module = bindings(row.base)[0][0]
                other = self._statement_of(module, at)
                if other is not None:
                    self.names[other] |= self.names[at]
                    self.names[at] = set()
        for at in self.places:
            row = self.rows[at]
            for one in (*bindings(row.left), *bindings(row.right)):
                if one in self.wanted and one not in housed:
                    self.names[at].add(one)
                    housed.add(one)

    def _statement_of(self, module: str, but: int) -> int | None:
        """A ``from`` statement of the same module that both sides keep."""
        for at in self.places:
            row = self.rows[at]
            if at != but and module and row.left and row.right and bindings(row.left)[0][0] == module:
                return at
        return None

    def text(self, at: int) -> str | None:
        """What the statement becomes; None where it goes."""
        row, names = self.rows[at], self.names[at]
        if not names:
            return None
        mine, was, theirs = row.left, row.base, row.right
        sides = ["" if item is None else item.whole for item in (mine, was, theirs)]
        key = row.any.key
        if any(bound(one) in self.twice for one in names):
            return self.notes.conflict(key, "both sides import another thing by one name", *sides)
        for item, other in ((mine, theirs), (theirs, mine)):
            if (
                item
                and {*bindings(item)} == names
                and (other is None or _same_form(other, was) or other.text == item.text)
            ):
                return lead_of(row) + item.text
        merged = None if was and not (mine and theirs) else self._composed(row, names)
        if merged is None:
            return self.notes.conflict(key, "both sides change it", *sides)
        return self.notes.by("imports", key, merged)

    def _composed(self, row: Row, names: set[Binding]) -> str | None:
        """The names in the form of one side: one that changed nothing else, else one that has them already."""
        items = [item for item in (row.left, row.right) if item is not None]
        items.sort(key=lambda item: (item.text.count("\n"), len(item.text)), reverse=True)
        formatted = [item for item in items if row.base and {*bindings(item)} == {*bindings(row.base)}]
        fitting = [item for item in items if {*bindings(item)} == names]
        ordered = [f"{name} as {alias}" if alias else name for _, name, alias in _ordered(row, names)]
        comments = merged_comments(row.base, row.left, row.right, ordered)
        was = {*comments_of(row.base.text)} if row.base else set()
        for form in (*formatted, *fitting, *items):
            text = spelled(form, ordered, comments) if comments is not None and form not in fitting else None
            text = form.text if text is None and form in fitting else text
            if text is None:
                continue
            said = {*comments_of(text)}
            if not any({*comments_of(item.text)} - was - said for item in items):
                return lead_of(row) + text
        return None


def sorted_in(rows: Sequence[Row], mine: Sequence[int], theirs: Sequence[int]) -> list[int]:
    """Imports that both sides add at one place: sorted where each side's are, else the left ones first."""

    def name(at: int) -> str:
        return rows[at].any.key.partition(" ")[2].lower()

    together = sorted([*mine, *theirs], key=name)
    kept = [[at for at in together if at in run] for run in (mine, theirs)]
    return together if kept == [list(mine), list(theirs)] else [*mine, *theirs]


def _clashing(names: set[Binding]) -> set[str]:
    """Names that are bound by two imports of one block."""
    seen: set[str] = set()
    twice: set[str] = set()
    for one in names:
        (twice if bound(one) in seen else seen).add(bound(one))
    return twice - {"*"}


def _same_form(item: Item, was: Item | None) -> bool:
    return was is not None and item.text == was.text


def lead_of(row: Row) -> str:
    """The comments above: of the side that changed them; where both did, of the side that says more."""
    was = row.base.lead if row.base else ""
    leads = [item.lead for item in (row.left, row.right) if item is not None]
    if len(leads) == 1 or leads[0] == leads[1] or leads[1] == was:
        return leads[0]
    return leads[1] if leads[0] == was else max(leads, key=len)


def _ordered(row: Row, names: set[Binding]) -> list[Binding]:
    """The names in the order of the sides; sorted where theirs are."""
    lists = [[one for one in bindings(item) if one in names] for item in (row.base, row.left, row.right)]
    known = [*dict.fromkeys(one for side in lists for one in side), *sorted(names)]
    number = {one: at for at, one in enumerate(dict.fromkeys(known))}
    for key in (_plainly, _folded, _isorted):
        if all(side == sorted(side, key=key) for side in (lists[1], lists[2]) if side) and len(names) > 1:
            return sorted(names, key=key)
    try:
        was, mine, theirs = ([number[one] for one in side] for side in lists)
        order = merge_orders(was, mine, theirs, lambda first, second: [*first, *second])
    except OrderClash:
        order = list(number.values())
    backwards = {at: one for one, at in number.items()}
    ordered = [backwards[at] for at in order if isinstance(at, int)]
    return ordered + [one for one in sorted(names) if one not in ordered]


def _plainly(binding: Binding) -> tuple[str, ...]:
    return binding[1:]


def _folded(binding: Binding) -> tuple[str, ...]:
    return (binding[1].lower(), *binding[1:])


def _isorted(binding: Binding) -> tuple[int, str, str]:
    """Constants, then classes, then the rest, as isort has it."""
    name = binding[1]
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name, binding[2])


def missed(text: str, base: Source, left: Source, right: Source) -> frozenset[Binding]:
    """Imports that one side took away since it used them no more, and that the merged text uses."""
    was, mine, theirs = (_everywhere(source.tree) for source in (base, left, right))
    gone = was & (mine ^ theirs)
    if not gone:
        return frozenset()
    tree = parsed(text)
    there = _everywhere(tree)
    names = {bound(one) for one in there}
    gone = {one for one in gone - there if bound(one) not in names and one[0] != "__future__"}
    if not gone:
        return frozenset()
    words = _words(text, tree)
    without = {side: _words(source.text, source.tree) for side, source in (("left", left), ("right", right))}
    return frozenset(
        one
        for one in gone
        if (word := bound(one).partition(".")[0]) in words and word not in without["right" if one in mine else "left"]
    )


def _everywhere(tree: ast.Module) -> set[Binding]:
    found: set[Binding] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(bindings_of(node))
    return found


def _words(text: str, tree: ast.Module) -> set[str]:
    """The words of a text outside of its imports."""
    lines = lines_of(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    return set(_WORD.findall("".join(lines)))
