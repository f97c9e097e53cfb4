"""What was done to a stack, as its server remembers it: who, when, what, and what came of it. No secret is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Protocol

Outcome = Literal["under way", "done", "failed", "rolled back", "cancelled", "interrupted"]

KEPT = 500
"""How many entries a server keeps of a stack."""

KEPT_BYTES = 1 << 20
"""How much they may take there."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a plan: what happened to which unit, and why (``workers: 2 → 4``)."""

    kind: str
    service: str
    unit: str
    server: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One application of a plan.

    Attributes:
        id: random. ``token``: of the lease under which it was done.
        at: when it began, ``ended``: when it came to its end; seconds since the epoch by the clock of who did it.
        user, host, program: who did it, where, from which program. ``digest``: of the plan.
        failures: for each service that failed the first line of why, secrets masked.
    """

    id: str
    token: str
    at: float
    user: str
    host: str
    program: str
    digest: str
    steps: tuple[Step, ...]
    outcome: Outcome = "under way"
    ended: float | None = None
    failures: tuple[tuple[str, str], ...] = ()

    def to_line(self) -> str:
        """One line of JSON; :meth:`from_line` reads it back."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Entry | None:
        """The entry in a line, also of another mlox; None where the line is damaged.

        Example:
            >>> Entry.from_line("{") is None
            True
        """
        try:
            value = json.loads(line)
            steps = tuple(
                Step(**{**_known(Step, step), "reasons": tuple(step.get("reasons", ()))}) for step in value["steps"]
            )
            failures = tuple((str(name), str(text)) for name, text in value.get("failures", ()))
            return cls(**{**_known(cls, value), "steps": steps, "failures": failures})
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


class Recording(Protocol):
    """What keeps the history of stacks on a server: a part of every back end."""

    def record(self, stack: str, entry: Entry) -> None:
        """Keep an entry, in place of the one with its id, by :func:`with_entry`; whoever calls holds the stack.

        A kill in the middle loses nothing that was kept before.

        Raises:
            MloxError: it cannot be written.
        """

    def history(self, stack: str) -> tuple[Entry, ...]:
        """All entries, the oldest first; none where there is no such stack. Damaged ones are left out."""

    def forget(self, stack: str) -> None:
        """Remove the history of a stack of which nothing else is there any more."""


def with_entry(entries: Iterable[Entry], entry: Entry) -> tuple[Entry, ...]:
    """``entries`` with one more, or with a later state of one of them, as far as there is room.

    What is still under way then was interrupted: two never work on a stack at a time.

    Example:
        >>> first = Entry("a", "t1", 0.0, "anna", "laptop", "mlox", "d1", ())
        >>> second = Entry("b", "t2", 1.0, "ben", "desk", "mlox", "d2", ())
        >>> [each.outcome for each in with_entry([first], second)]
        ['interrupted', 'under way']
    """
    before = [
        replace(each, outcome="interrupted") if each.outcome == "under way" else each
        for each in entries
        if each.id != entry.id
    ]
    return bounded([*before, entry])


def bounded(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The last ones, as far as there is room; the very last one always."""
    kept: list[Entry] = []
    room = KEPT_BYTES
    for entry in reversed(list(entries)):
        room -= len(entry.to_line().encode())
        if kept and (room < 0 or len(kept) == KEPT):
            break
        kept.append(entry)
    return tuple(reversed(kept))


def _known(kind: type, value: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {key: value[key] for key in value if key in names}
