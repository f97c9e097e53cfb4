"""What a merge remembers while it works: the rules that it used, and what it leaves for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mlox.components.merge.lines import LABELS
from mlox.components.merge.outcome import Applied, Conflict, Level
from mlox.components.merge.python.rules import RULES


@dataclass(slots=True)
class Notes:
    """One merge at one level; ``newline`` is how the file ends its lines."""

    level: Level
    newline: str
    applied: list[Applied] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    inserted: list[str] = field(default_factory=list)

    def may(self, rule: str) -> bool:
        """Whether a rule may be used at this level."""
        return self.level == "full" or RULES[rule].strict

    def use(self, rule: str, key: str) -> bool:
        """Write down that a rule solved something, if it may; else answer no."""
        if self.may(rule):
            self.applied.append(Applied(rule, key))
            return True
        return False

    def conflict(self, key: str, reason: str, left: str, base: str, right: str) -> str:
        """Leave something for a person: the text with diff3 markers that stands for it."""
        self.conflicts.append(Conflict(key, reason))
        mine, was, theirs = LABELS
        ended = [
            text if not text or text.endswith(("\n", "\r")) else text + self.newline for text in (left, base, right)
        ]
        rows = (f"<<<<<<< {mine}", ended[0], f"||||||| {was}", ended[1], "=======", ended[2], f">>>>>>> {theirs}")
        return "".join(row + self.newline if at % 2 == 0 else row for at, row in enumerate(rows))

    @contextmanager
    def trial(self) -> Iterator[Trial]:
        """Forget what was noted inside, unless it was kept."""
        trial = Trial()
        marks = len(self.applied), len(self.conflicts)
        yield trial
        if not trial.kept:
            del self.applied[marks[0] :], self.conflicts[marks[1] :]


@dataclass(slots=True)
class Trial:
    """Something that may not come to anything."""

    kept: bool = False
