"""Which item of a side is which item of the base: by name, by text, by likeness, by fingerprint after a rename."""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from mlox.components.merge.python.items import Definition, Item
from mlox.components.merge.python.sequences import edits, pairs

NAMED = frozenset({"import", "def", "class", "assign", "docstring", "main", "head", "tail"})
"""Kinds of items that are found by their names, wherever they stand in a module or a class."""
ALIKE = 0.6
APART = 0.15
MOST = 2500
_WORD = re.compile(r"\w+|[^\w\s]")


def align(base: Sequence[Item], side: Sequence[Item], *, ordered: bool) -> dict[int, int]:
    """For places in ``base``, the places in ``side`` where the same items stand.

    ``ordered`` is for the body of a function, where a name says little and the sequence much.
    """
    labels = [[_label(item, ordered=ordered) for item in items] for items in (base, side)]
    found = dict(pairs(*labels))
    if not ordered:
        found |= _by_name(base, side, found)
        found |= _by_text(base, side, found)
    found |= _in_gaps(base, side, edits(*labels), found, ordered=ordered)
    if not ordered:
        found |= renamed(base, side, found)
    return found


def _label(item: Item, *, ordered: bool) -> str:
    if item.kind in NAMED and (not ordered or item.kind in {"def", "class", "import", "docstring", "tail"}):
        return item.key
    return item.loose


def _by_name(base: Sequence[Item], side: Sequence[Item], found: Mapping[int, int]) -> dict[int, int]:
    """Items that stand elsewhere, by their names."""
    taken = set(found.values())
    there = {item.key: at for at, item in enumerate(side) if item.kind in NAMED and at not in taken}
    return {
        at: there[item.key]
        for at, item in enumerate(base)
        if at not in found and item.kind in NAMED and item.key in there
    }


def _by_text(base: Sequence[Item], side: Sequence[Item], found: Mapping[int, int]) -> dict[int, int]:
    """Statements without a name that stand elsewhere, and nowhere twice."""
    taken = set(found.values())
    was = [(item.loose, at) for at, item in enumerate(base) if at not in found and item.kind == "other"]
    now = [(item.loose, at) for at, item in enumerate(side) if at not in taken and item.kind == "other"]
    once = [Counter(text for text, _ in places) for places in (was, now)]
    there = dict(now)
    return {at: there[text] for text, at in was if once[0][text] == once[1][text] == 1}


def _in_gaps(
    base: Sequence[Item],
    side: Sequence[Item],
    gaps: Sequence[tuple[int, int, int, int]],
    found: Mapping[int, int],
    *,
    ordered: bool,
) -> dict[int, int]:
    """Items between the same neighbours that are much alike."""
    taken = set(found.values())
    more: dict[int, int] = {}
    for b0, b1, s0, s1 in gaps:
        mine = [at for at in range(b0, b1) if at not in found]
        theirs = [at for at in range(s0, s1) if at not in taken]
        if mine and theirs and len(mine) * len(theirs) <= MOST:
            likeness = {(i, j): _likeness(base[i], side[j], ordered=ordered) for i in mine for j in theirs}
            more.update(_best(mine, theirs, likeness))
    return more


def _best(
    mine: Sequence[int], theirs: Sequence[int], likeness: Mapping[tuple[int, int], float]
) -> list[tuple[int, int]]:
    """The pairs in order whose likeness is greatest in sum."""
    scores: dict[tuple[int, int], tuple[float, tuple[tuple[int, int], ...]]] = defaultdict(lambda: (0.0, ()))
    for i, one in enumerate(mine, 1):
        for j, other in enumerate(theirs, 1):
            best = max(scores[i - 1, j], scores[i, j - 1], key=lambda score: score[0])
            alike = likeness[one, other]
            total, chosen = scores[i - 1, j - 1]
            scores[i, j] = (total + alike, (*chosen, (one, other))) if alike and total + alike > best[0] else best
    return list(scores[len(mine), len(theirs)][1])


def _likeness(one: Item, other: Item, *, ordered: bool) -> float:
    """How much two items are alike, from 0 (not the same thing) to 2 (the same name)."""
    if one.kind != other.kind or type(one.nodes[0] if one.nodes else None) is not type(
        other.nodes[0] if other.nodes else None
    ):
        return 0.0
    if not ordered and one.kind in NAMED:
        return 0.0
    share = alike(one.text, other.text)
    if ordered and one.kind == "assign" and one.key.partition("#")[0] == other.key.partition("#")[0]:
        return 1 + share
    return share if share >= ALIKE else 0.0


def alike(one: str, other: str) -> float:
    """The share of words that two texts have in common, in order."""
    words = _WORD.findall(one), _WORD.findall(other)
    matcher = SequenceMatcher(None, *words, autojunk=False)
    return 0.0 if matcher.quick_ratio() < ALIKE else matcher.ratio()


def renamed(base: Sequence[Item], side: Sequence[Item], found: Mapping[int, int]) -> dict[int, int]:
    """Definitions that a side calls otherwise: by fingerprint, or the one that is clearly nearest."""
    taken = set(found.values())
    gone = [at for at, item in enumerate(base) if at not in found and item.kind in {"def", "class"}]
    new = [at for at, item in enumerate(side) if at not in taken and item.kind in {"def", "class"}]
    if not gone or not new or len(gone) * len(new) > MOST:
        return {}
    prints = [{at: fingerprint(items[at]) for at in places} for items, places in ((base, gone), (side, new))]
    more = dict(_alone(prints[0], prints[1]))
    left = [at for at in gone if at not in more]
    there = [at for at in new if at not in more.values()]
    scores = {(i, j): _same_body(base[i], side[j]) for i in left for j in there}
    for (i, j), score in scores.items():
        rivals = [other for pair, other in scores.items() if pair != (i, j) and (pair[0] == i or pair[1] == j)]
        if score > ALIKE and score - max(rivals, default=0.0) >= APART:
            more[i] = j
    return more


def _alone(mine: Mapping[int, str], theirs: Mapping[int, str]) -> Iterator[tuple[int, int]]:
    """Places with the same fingerprint, where neither side has two of them."""
    for i, one in mine.items():
        places = [j for j, other in theirs.items() if other == one]
        if len(places) == 1 and list(mine.values()).count(one) == 1:
            yield i, places[0]


def fingerprint(item: Item) -> str:
    """The meaning of a definition with its own name taken out, also where it calls itself."""
    node = item.node
    if not isinstance(node, Definition):
        return item.meaning
    return ast.dump(_Nameless(node.name).visit(copy.deepcopy(node)))


class _Nameless(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self.name = name

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in ast.iter_fields(node):
            if value == self.name and field in {"name", "id", "attr"}:
                setattr(node, field, "")
        return super().generic_visit(node)


def _same_body(one: Item, other: Item) -> float:
    """The share of words in the bodies, for definitions of one kind."""
    if one.kind != other.kind:
        return 0.0
    return alike(one.text, other.text)
