"""By which rules conflicts are solved, and which of them ``strict`` may use: one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlox.components.merge.outcome import Applied


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule does, and whether it was right at least 85 times of 100 where it was not tuned."""

    does: str
    strict: bool


RULES: dict[str, Rule] = {
    "adjacent": Rule("each side changed another item, and the two stand next to each other", strict=False),
    "statements": Rule("the same inside a function: each side changed another statement", strict=False),
    "additions": Rule("both sides add definitions at one place: the left ones come first", strict=False),
    "unrelated": Rule(
        "definitions of one side, statements of the other at one place, and none knows the other", strict=False
    ),
    "imports": Rule("imports by what they bind: a union, less what one side took away", strict=False),
    "rename": Rule("a definition that one side renamed and the other changed", strict=False),
    "same-addition": Rule("both sides add the same, but for comments and format", strict=True),
    "same-change": Rule("both sides change something to the same, but for format", strict=True),
    "elements": Rule("elements of brackets: arguments, entries, members", strict=False),
    "lines": Rule("lines of one statement that do not touch, where lines of the file did", strict=False),
    "contained": Rule("one side did to a statement all that the other did, and more", strict=False),
    "decorators": Rule("decorators, and the definition below them, each by itself", strict=True),
    "entries": Rule(
        "entries of dictionaries and sets, names in __all__, keywords, both added at one place", strict=False
    ),
    "same-beside": Rule("both sides change something alike, and one of them what stands next to it", strict=True),
    "clauses": Rule("each side changed another one of a comment, the line below it and what that begins", strict=False),
    "reformatted": Rule("one side only formatted what the other changed", strict=False),
    "moved": Rule("one side moved what the other changed", strict=False),
    "comments": Rule("comments and blank lines that both sides changed", strict=False),
    "deleted-beside": Rule("one side adds something where the other deletes its neighbour", strict=False),
}


def surely(applied: Sequence[Applied]) -> bool:
    """Whether a merge used rules of ``strict`` alone; one that cannot say by which it came about is not sure."""
    return bool(applied) and all(RULES[one.rule].strict for one in applied)
