"""A module to which components add, on two branches: merged without what only one side adds, and added to again.

Statements that two components add stand at one place, in an order that lines and items cannot know. The records can.
"""

from __future__ import annotations

from mlox.components.bindings import imported
from mlox.components.extending import base_of, fragments_of
from mlox.components.fragments import Fragment, plain, touched, with_fragment
from mlox.components.merge import Applied, Level, MergeResult, merge
from mlox.components.records import read_records
from mlox.components.screening import check_parses
from mlox.components.shapes import Shape
from mlox.components.tree import Tree

Known = dict[tuple[str, str], Fragment]
"""The fragments of one module, by component and text."""


def merge_extended(
    path: str, base: bytes, left: bytes, right: bytes, ours: Tree, theirs: Tree, level: Level = "full"
) -> MergeResult | None:
    """Merge a module that components extend; ``ours`` and ``theirs`` are where the records of both sides lie.

    The result is what adding all of them one after the other gives. None where no side alone has a component that adds
    to it, or where even the rest is not clean.

    Raises:
        SpecError: a record is damaged. WorkspaceError: a side is no Python.
    """
    mine, others = _fragments(ours, path), _fragments(theirs, path)
    alone = sorted(
        (each for key, each in {**mine, **others}.items() if key not in mine or key not in others), key=_rank
    )
    if not alone:
        return None
    for side in (left, right):
        check_parses(path, Shape.of(side).plain(side))
    first, shape = _text(Shape.of(base).plain(base)), Shape.of(left)
    sides = [_text(Shape.of(side).plain(side)) for side in (left, right)]
    own = base_of(ours, path, read_records(ours)) or base_of(theirs, path, read_records(theirs))
    stripped = [
        plain(text, [one for one in alone if _key(one) in known], own)
        for text, known in zip(sides, (mine, others), strict=True)
    ]
    rest = merge(first, *stripped, path=path, level=level)
    if not rest.clean:
        return None
    text, there = rest.text, [one for key, one in mine.items() if key in others]
    added = [one for one in alone if not _stands_in(first, one)]
    for fragment in added:
        whole = sides[0] if _key(fragment) in mine else sides[1]
        text = with_fragment(text, fragment, there, own, touched(whole, fragment))
        there.append(fragment)
    check_parses(path, text.encode("utf-8", "surrogateescape"))
    applied = (*rest.applied, *(Applied("components", fragment.rank[1]) for fragment in added))
    return MergeResult(_text(shape.like(text)), applied=applied)


def _fragments(tree: Tree, path: str) -> Known:
    return {_key(one): one for one in fragments_of(tree, path, read_records(tree))}


def _key(fragment: Fragment) -> tuple[str, str]:
    return fragment.rank[1], fragment.text


def _rank(fragment: Fragment) -> tuple[int, str]:
    return fragment.rank


def _stands_in(text: str, fragment: Fragment) -> bool:
    """Whether a text has all of a fragment: one that both sides began with, and one of them took out."""
    return not touched(text, fragment) and set(fragment.imports) <= set(imported(text))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
