"""What a three-way merge answers: a text, what is left for a person, and by which rules conflicts were solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["strict", "full"]
"""``strict``: only the rules that developers agreed with most often, see ``python/rules.py``; ``full``: all."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that both sides changed: its key (a name, a path of keys), and why it was not merged.

    ``line`` counts from 1 in the text that the merge answers; 0 where it stands for the whole file.
    """

    key: str
    reason: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """A conflict of lines that a rule solved, and where."""

    rule: str
    key: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    r"""A merged text; where it is not clean, with diff3 markers around what is left for a person.

    ``kept`` is then the text that has the left side's version of everything that conflicts, a whole definition or
    setting at a time, and what the right side changed otherwise; None where only the whole left text is safe.

    Example:
        >>> MergeResult("a = 1\n").clean
        True
    """

    text: str
    conflicts: tuple[Conflict, ...] = ()
    applied: tuple[Applied, ...] = ()
    kept: str | None = None

    @property
    def clean(self) -> bool:
        """Whether nothing is left for a person."""
        return not self.conflicts
