"""One item on three sides."""

from __future__ import annotations

from dataclasses import dataclass

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
        """The side that changed it, where it is one alone."""
        was, mine, theirs = (item.whole if item else "" for item in (self.base, self.left, self.right))
        if mine != was and theirs == was:
            return "left"
        return "right" if theirs != was and mine == was else ""
