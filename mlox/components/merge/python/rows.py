"""One item on three sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mlox.components.merge.python.items import Item


@dataclass(frozen=True, slots=True)
class Row:
    """What stands on the three sides for the same item; one of them at least."""

    base: Item | None
    left: Item | None
    right: Item | None

    @property
    def any(self) -> Item:
        """The item of a side that has it."""
        one = self.left or self.right or self.base
        if one is None:
            raise ValueError("a row without an item")
        return one

    @property
    def now(self) -> str:
        """What its statement is where one side alone changed it, or none; empty where both did."""
        was, mine, theirs = (item.loose if item else "" for item in (self.base, self.left, self.right))
        return mine if theirs in (was, mine) else theirs if mine == was else ""

    @property
    def changed(self) -> str:
        """The side that changed it, ``both`` where they did so alike; empty where neither did, or each otherwise."""
        was, mine, theirs = (item.whole if item else "" for item in (self.base, self.left, self.right))
        return changed(mine, was, theirs)


def changed(mine: str, was: str, theirs: str) -> str:
    """The side that changed a text, ``both`` where they did so alike; empty where neither did, or each otherwise.

    Example:
        >>> changed("a", "b", "b"), changed("a", "b", "a"), changed("a", "b", "c")
        ('left', 'both', '')
    """
    if mine == theirs:
        return "" if mine == was else "both"
    if theirs == was:
        return "left"
    return "right" if mine == was else ""


def meets(texts: Sequence[tuple[str, str, str]]) -> bool:
    """Whether of neighbouring texts, each on three sides, one side changed one and another side the next."""
    sides = [changed(*three) for three in texts]
    return any(one and other and one != other for one, other in pairwise(sides))
