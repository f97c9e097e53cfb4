"""By which rules conflicts are solved, and which of them ``strict`` may use: one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlox.components.merge.outcome import Applied, Level


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule does; ``strict``: it was right 85 times of 100 where the merge is plain.

    ``plain``: it is for plain merges alone (see :func:`~mlox.components.merge.python.weighing.plain`); in others it was
    wrong as often as right.
    """

    does: str
    strict: bool = False
    plain: bool = False


RULES: dict[str, Rule] = {
    "adjacent": Rule("each side changed another item, and the two stand next to each other"),
    "statements": Rule("the same inside a function: each side changed another statement", plain=True),
    "additions": Rule("both sides add definitions at one place: the left ones come first"),
    "unrelated": Rule("definitions of one side, statements of the other at one place, and none knows the other"),
    "imports": Rule("imports by what they bind: a union, less what one side took away", strict=True),
    "rename": Rule("a definition that one side renamed and the other changed", strict=True),
    "same-addition": Rule("both sides add the same, but for comments and format", strict=True),
    "same-change": Rule("both sides change something to the same, but for format", strict=True),
    "elements": Rule("elements of brackets: arguments, entries, members", strict=True),
    "lines": Rule("lines of one statement that do not touch, where lines of the file did"),
    "contained": Rule("one side did to a statement all that the other did, and more"),
    "decorators": Rule("decorators, and the definition below them, each by itself", strict=True),
    "entries": Rule(
        "entries of dictionaries and sets, names in __all__, keywords, both added at one place", plain=True
    ),
    "same-beside": Rule("both sides change something alike, and one of them what stands next to it", strict=True),
    "clauses": Rule("each side changed another one of a comment, the line below it and what that begins", strict=True),
    "reformatted": Rule("one side only formatted what the other changed", strict=True),
    "moved": Rule("one side moved what the other changed", plain=True),
    "comments": Rule("comments and blank lines that both sides changed", plain=True),
    "deleted-beside": Rule("one side adds something where the other deletes its neighbour"),
}


def allowed(applied: Sequence[Applied], level: Level, *, plain: bool) -> bool:
    """Whether a merge may stand that came about by these rules; ``strict`` takes none that cannot say by which."""
    rules = [RULES[one.rule] for one in applied]
    if level == "strict":
        return plain and bool(rules) and all(rule.strict for rule in rules)
    return plain or not any(rule.plain for rule in rules)
