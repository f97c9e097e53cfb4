"""By which rules conflicts are solved, and which of them ``strict`` may use: one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlox.components.merge.outcome import Applied, Level


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule does; ``strict``: it was right about 85 times of 100 where the merge is plain.

    ``right`` and ``wrong``: how often a merge that used it was and was not what the developer made of it, of 1,839
    merges of real files whose lines conflicted. ``plain``: it is for plain merges alone (see
    :func:`~mlox.components.merge.python.weighing.plain`), and counted there; in others it was right in about half.
    """

    does: str
    right: int
    wrong: int
    strict: bool = False
    plain: bool = False


RULES: dict[str, Rule] = {
    "adjacent": Rule("each side changed another item, and the two stand next to each other", 184, 61),
    "statements": Rule("the same inside a function: each side changed another statement", 16, 8, plain=True),
    "additions": Rule("both sides add definitions at one place: the left ones come first", 61, 15),
    "unrelated": Rule("definitions of one side, statements of the other at one place, and none knows the other", 7, 4),
    "imports": Rule("imports by what they bind: a union, less what one side took away", 84, 22, strict=True),
    "rename": Rule("a definition that one side renamed and the other changed", 8, 0, strict=True),
    "same-addition": Rule("both sides add the same, but for comments and format", 37, 7, strict=True),
    "same-change": Rule("both sides change something to the same, but for format", 9, 1, strict=True),
    "elements": Rule("elements of brackets: arguments, entries, members", 73, 20, strict=True),
    "lines": Rule("lines of one statement that do not touch, where lines of the file did", 2, 1, plain=True),
    "contained": Rule("one side did to a statement all that the other did, and more", 18, 5),
    "decorators": Rule("decorators, and the definition below them, each by itself", 24, 2, strict=True),
    "entries": Rule(
        "entries of dictionaries and sets, names in __all__, keywords, both added at one place", 2, 1, plain=True
    ),
    "same-beside": Rule(
        "both sides change something alike, and one of them what stands next to it", 162, 37, strict=True
    ),
    "clauses": Rule(
        "each side changed another one of a comment, the line below it and what that begins", 66, 15, strict=True
    ),
    "reformatted": Rule(
        "one side only formatted what the other changed: the change, in its format", 56, 10, strict=True
    ),
    "moved": Rule("one side moved what the other changed", 22, 8, plain=True),
    "comments": Rule("comments and blank lines that both sides changed", 8, 4, plain=True),
    "deleted-beside": Rule("one side adds something where the other deletes its neighbour", 34, 17),
}


def allowed(applied: Sequence[Applied], level: Level, *, plain: bool) -> bool:
    """Whether a merge may stand that came about by these rules; ``strict`` takes none that cannot say by which."""
    rules = [RULES[one.rule] for one in applied]
    if level == "strict":
        return plain and bool(rules) and all(rule.strict for rule in rules)
    return plain or not any(rule.plain for rule in rules)
