"""What a merge remembers while it works: the rules that it used, and what it leaves for a person."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from mlox.components.merge.lines import LABELS
from mlox.components.merge.outcome import Applied, Conflict
from mlox.components.merge.python.quoting import Quotes
from mlox.components.merge.python.rules import RULES

_NUMBER = re.compile(r"(<{7} \w+)\0(\d+)(?=\r?\n|\r)")
"""The first line of a conflict while the merge is under way: no Python file has a NUL."""


@dataclass(slots=True)
class Notes:
    """One merge; ``newline`` is how the file ends its lines, ``keep`` names imports that must stay.

    ``plain``: the merge is one of those where all rules may be used. ``renamed`` holds the old name of each definition
    that a side renamed, and the side. ``quotes`` are those of the whole files.
    """

    newline: str
    plain: bool
    quotes: Quotes
    keep: frozenset[tuple[str, str, str]] = frozenset()
    applied: list[Applied] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)

    def may(self, rule: str) -> bool:
        """Whether a rule may solve something in this merge."""
        return self.plain or not RULES[rule].plain

    def use(self, rule: str, key: str) -> None:
        """Write down that a rule solved something."""
        self.applied.append(Applied(rule, key))

    def by(self, rule: str, key: str, text: str) -> str:
        """The text that a rule came to."""
        self.use(rule, key)
        return text

    def conflict(self, key: str, reason: str, left: str, base: str, right: str) -> str:
        """Leave something for a person: the text with diff3 markers that stands for it."""
        first = f"<<<<<<< {LABELS[0]}\0{len(self.conflicts)}"
        self.conflicts.append(Conflict(key, reason))
        rows = (first, left, f"||||||| {LABELS[1]}", base, "=======", right, f">>>>>>> {LABELS[2]}")
        return "".join(f"{row}{self.newline}" if at % 2 == 0 else self._ended(row) for at, row in enumerate(rows))

    def _ended(self, text: str) -> str:
        return text if not text or text.endswith(("\n", "\r")) else text + self.newline

    def finished(self, text: str) -> tuple[str, tuple[Conflict, ...]]:
        """The text with plain markers, and the conflicts that stand in it, each with its line."""
        found = [
            replace(self.conflicts[int(mark[2])], line=text.count("\n", 0, mark.start()) + 1)
            for mark in _NUMBER.finditer(text)
        ]
        return _NUMBER.sub(r"\1", text), tuple(found)
