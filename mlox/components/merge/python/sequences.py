"""How sequences are matched and merged: lines of a text, keys of items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

LONG = 2000
"""From here on, what stands there over and over is no landmark: looking for the best match takes too long."""
Edit = tuple[int, int, int, int]
"""A range of the base that a side replaced, and the range of the side that stands there: half open, from 0."""


def edits(base: Sequence[str], side: Sequence[str]) -> list[Edit]:
    """What a side changed, in order.

    Example:
        >>> edits(["a", "b", "c"], ["a", "x", "c", "d"])
        [(1, 2, 1, 2), (3, 3, 3, 4)]
    """
    start, shorter = 0, min(len(base), len(side))
    while start < shorter and base[start] == side[start]:
        start += 1
    end = 0
    while end < shorter - start and base[-1 - end] == side[-1 - end]:
        end += 1
    changed = base[start : len(base) - end], side[start : len(side) - end]
    inner = SequenceMatcher(None, *changed, autojunk=len(changed[1]) > LONG)
    return [
        (b0 + start, b1 + start, s0 + start, s1 + start)
        for tag, b0, b1, s0, s1 in inner.get_opcodes()
        if tag != "equal"
    ]


def pairs(base: Sequence[str], side: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Places in both that stay the same, in order.

    Example:
        >>> list(pairs("abc", "axc"))
        [(0, 0), (2, 2)]
    """
    last_base = last_side = 0
    for b0, b1, s0, s1 in [*edits(base, side), (len(base), len(base), len(side), len(side))]:
        yield from zip(range(last_base, b0), range(last_side, s0), strict=True)
        last_base, last_side = b1, s1


def merge_lines(base: Sequence[str], left: Sequence[str], right: Sequence[str]) -> list[str] | None:
    """The lines with the edits of both; None where two edits overlap or touch and are not the same.

    Example:
        >>> merge_lines(["a", "b", "c"], ["A", "b", "c"], ["a", "b", "C"])
        ['A', 'b', 'C']
        >>> merge_lines(["a", "b"], ["A", "b"], ["a", "B"]) is None
        True
    """
    mine, theirs = edits(base, left), edits(base, right)
    merged: list[str] = []
    at = 0
    while mine or theirs:
        edit, side = (mine[0], left) if not theirs or (mine and mine[0][:2] <= theirs[0][:2]) else (theirs[0], right)
        if mine and theirs and max(mine[0][0], theirs[0][0]) <= min(mine[0][1], theirs[0][1]):
            (b0, b1, l0, l1), (c0, c1, r0, r1) = mine[0], theirs[0]
            if (b0, b1, left[l0:l1]) != (c0, c1, right[r0:r1]):
                return None
            del mine[0], theirs[0]
        else:
            del (mine if side is left else theirs)[0]
        merged += [*base[at : edit[0]], *side[edit[2] : edit[3]]]
        at = edit[1]
    return [*merged, *base[at:]]


class OrderClash(Exception):
    """Both sides put something at one place, or moved the same things to different ones."""

    def __init__(self, left: Sequence[int], right: Sequence[int]) -> None:
        super().__init__(left, right)
        self.left = tuple(left)
        self.right = tuple(right)


def merge_orders(
    base: Sequence[int],
    left: Sequence[int],
    right: Sequence[int],
    meet: Callable[[Sequence[int], Sequence[int]], Sequence[int] | None],
) -> list[int | OrderClash]:
    """The order of what both sides keep, with what each adds after the same neighbour as there.

    ``meet`` says how two runs that come at one place follow each other; where it does not know, a clash stands there.

    Raises:
        OrderClash: both sides moved what the base has, and not alike.

    Example:
        >>> merge_orders([1, 2], [1, 3, 2], [1, 2, 4], lambda mine, theirs: None)
        [1, 3, 2, 4]
        >>> merge_orders([1, 2], [2, 1], [1, 5, 2], lambda mine, theirs: None)
        [2, 1, 5]
    """
    shared = set(left) & set(right)
    orders = [[one for one in order if one in shared] for order in (base, left, right)]
    if orders[1] == orders[2]:
        kept, mine, theirs = orders[1], _runs(left, shared), _runs(right, shared)
    else:
        known = set(orders[0])
        was, now, then = ([one for one in order if one in known] for order in orders)
        if was not in (now, then):
            raise OrderClash(left, right)
        moved = right if was == now else left
        kept = [one for one in moved if one in shared]
        mine, theirs = _runs(left, shared), _runs(right, shared)
    merged: list[int | OrderClash] = []
    for one in (None, *kept):
        if one is not None:
            merged.append(one)
        first, second = mine.get(one, []), theirs.get(one, [])
        together = meet(first, second) if first and second else [*first, *second]
        merged += [OrderClash(first, second)] if together is None else together
    return merged


def _runs(order: Sequence[int], shared: set[int]) -> dict[int | None, list[int]]:
    """What stands in an order after each of the shared ones, up to the next; None is the beginning."""
    runs: dict[int | None, list[int]] = {}
    last = None
    for one in order:
        if one in shared:
            last = one
        else:
            runs.setdefault(last, []).append(one)
    return runs
