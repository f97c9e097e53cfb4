"""By which rules conflicts are solved, and which of them ``strict`` may use: one table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule does, and whether it was right at least 85 times of 100 where it was not tuned."""

    does: str
    strict: bool


RULES: dict[str, Rule] = {
    "adjacent": Rule("each side changed another item, and the two stand next to each other", strict=True),
    "statements": Rule("the same inside a function: each side changed another statement", strict=False),
    "additions": Rule("both sides add definitions at one place: the left ones come first", strict=True),
    "imports": Rule("imports by what they bind: a union, less what one side took away", strict=True),
    "rename": Rule("a definition that one side renamed and the other changed", strict=True),
    "same-addition": Rule("both sides add the same, but for comments and format", strict=True),
    "same-change": Rule("both sides change something to the same, but for format", strict=True),
    "elements": Rule("elements of brackets: arguments, entries, members", strict=True),
    "lines": Rule("lines of one statement that do not touch, where lines of the file did", strict=True),
    "contained": Rule("one side did to a statement all that the other did, and more", strict=True),
    "decorators": Rule("decorators, and the definition below them, each by itself", strict=True),
    "reformatted": Rule("one side only formatted what the other changed", strict=True),
    "moved": Rule("one side moved what the other changed", strict=True),
    "comments": Rule("comments and blank lines that both sides changed", strict=True),
    "deleted-beside": Rule("one side adds something where the other deletes its neighbour", strict=False),
}
