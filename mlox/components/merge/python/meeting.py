"""How what both sides add at one place follows each other: imports, definitions, statements that are unrelated."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mlox.components.merge.python.imports import sorted_in
from mlox.components.merge.python.items import Item
from mlox.components.merge.python.nets import binds
from mlox.components.merge.python.rows import Row

DEFINES = frozenset({"def", "class", "import"})
STATES = DEFINES | {"assign", "other", "main"}


def together(
    rows: Sequence[Row], mine: Sequence[int], theirs: Sequence[int], *, ordered: bool
) -> tuple[list[int], str] | None:
    """The order of two runs of ``rows``, and the rule for it (none where one run is all); None where it is not known.

    The left run comes first, ``if __name__ == "__main__"`` last. Of what follows the last statement of a side, comments
    stay with what that side has, and blank lines alone are the end.
    """
    tails = [at for at in (*mine, *theirs) if rows[at].any.kind == "tail"]
    if tails:
        return _before_tails(rows, mine, theirs, tails, ordered=ordered)
    if not mine or not theirs:
        return [*mine, *theirs], ""
    kinds = [{rows[at].any.kind for at in run} for run in (mine, theirs)]
    if kinds[0] | kinds[1] <= {"import"}:
        return sorted_in(rows, mine, theirs), "imports"
    if ordered:
        return None
    if kinds[0] | kinds[1] <= DEFINES:
        return [*mine, *theirs], "additions"
    states = kinds[0] | kinds[1] <= STATES and (kinds[0] <= DEFINES or kinds[1] <= DEFINES)
    if states and unrelated([rows[at].any for at in mine], [rows[at].any for at in theirs]):
        return sorted([*mine, *theirs], key=lambda at: rows[at].any.kind == "main"), "unrelated"
    return None


def _before_tails(
    rows: Sequence[Row], mine: Sequence[int], theirs: Sequence[int], tails: Sequence[int], *, ordered: bool
) -> tuple[list[int], str] | None:
    first, second = ([at for at in run if at not in tails] for run in (mine, theirs))
    found = together(rows, first, second, ordered=ordered)
    if found is None or len(tails) > 1:
        return None
    order, rule = found
    if not rows[tails[0]].any.text.strip():
        return [*order, *tails], rule or "comments"
    return ([*order, *tails] if tails[0] in theirs else [*first, *tails, *second]), rule or "comments"


def unrelated(mine: Sequence[Item], theirs: Sequence[Item]) -> bool:
    r"""Whether neither of two runs binds a name that the other says.

    Example:
        >>> from mlox.components.merge.python.items import items_of
        >>> from mlox.components.merge.python.source import read
        >>> one, two, three = items_of(read("a = 1\ndef f(): return b\ndef g(): return a\n"))
        >>> unrelated([one], [two]), unrelated([one], [three])
        (True, False)
    """
    bound, said = zip(_names(mine), _names(theirs), strict=True)
    return not (bound[0] & (said[1] | bound[1]) or bound[1] & said[0])


def _names(items: Sequence[Item]) -> tuple[set[str], set[str]]:
    """The names that a run binds for those around it, and all that it says."""
    bound: set[str] = set()
    said: set[str] = set()
    for node in (node for item in items for node in item.nodes):
        inner = list(ast.walk(node))
        said |= {one.id for one in inner if isinstance(one, ast.Name)}
        said |= {one.attr for one in inner if isinstance(one, ast.Attribute)}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
            continue
        bound |= {one.id for one in inner if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
        bound |= {name for one in inner for name in binds(one)}
    return bound, said
