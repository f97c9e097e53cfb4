"""What services themselves say of the cause when they fail: the words that stand in their logs, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LATEST = 40
"""How many of the last lines are asked: those before them are of an earlier run."""


@dataclass(frozen=True, slots=True)
class Told:
    """A cause that a log names: a word for tools, the end of a sentence, what to do about ``{name}``; its words."""

    cause: str
    meaning: str
    step: str
    words: tuple[str, ...]


CAUSES = (
    Told(
        "disk-full",
        "the disk is full",
        "Free some space (mlox clean removes what nothing uses), then: mlox up {name}",
        ("no space left on device", "disk quota exceeded", "database or disk is full", "disk is full"),
    ),
    Told(
        "port-taken",
        "another program had its port",
        "mlox up {name}",
        ("address already in use", "could not bind", r"errno 98\b", r"errno 48\b"),
    ),
    Told(
        "memory",
        "it got no more memory",
        "Free some memory or give it less to do, then: mlox up {name}",
        ("out of memory", "cannot allocate memory", r"\bMemoryError\b"),
    ),
    Told(
        "configuration",
        "its configuration is wrong",
        "Look where each value comes from and mend the wrong one: mlox why {name} --settings",
        (
            r"config(uration)? file error",
            "bad directive",
            "unknown (option|argument|directive)",
            "unrecogni[sz]ed (option|argument|configuration)",
            "invalid (value|choice|option|configuration|argument)",
            "no such option",
            "badly formatted",
        ),
    ),
    Told(
        "login",
        "it was refused a login",
        "Look which secrets it has: mlox why {name} --settings",
        (
            "authentication failed",
            "access denied for",
            "WRONGPASS",
            "NOAUTH",
            "invalid password",
            "role .* does not exist",
        ),
    ),
    Told(
        "data-version",
        "its data was written by another version",
        "Put the version back that wrote it: mlox why {name} --settings",
        (
            "out-of-date database schema",
            "can't handle rdb format",
            "database files are incompatible",
            "can't locate revision",
        ),
    ),
    Told(
        "data-damaged",
        "its data is damaged",
        "Bring its data back from a copy, then: mlox up {name}",
        (
            "database disk image is malformed",
            "bad file format reading the append only file",
            "unexpected end of file reading",
            r"corrupt(ed|ion)?\b",
        ),
    ),
    Told(
        "permission",
        "it may not read or write a file",
        "Mend who owns that file, then: mlox up {name}",
        ("permission denied", "read-only file system", "operation not permitted"),
    ),
    Told(
        "unreachable",
        "it cannot reach something that it talks to",
        "Look whether that runs: mlox status",
        (
            "connection refused",
            "could not connect",
            "could not translate host",
            "name or service not known",
            "no route to host",
        ),
    ),
    Told(
        "program-gone",
        "a part of its program is gone",
        "mlox up {name}",
        (
            "^mlox: .* cannot be run",
            "No module named",
            "error while loading shared libraries",
            "command not found",
        ),
    ),
)
_PATTERNS = tuple((told, re.compile("|".join(told.words), re.IGNORECASE)) for told in CAUSES)


def told_by(log: Sequence[str]) -> Told | None:
    """The cause that the last lines name: of several, the one that stands last.

    Example:
        >>> told_by(["OSError: [Errno 28] No space left on device"]).cause
        'disk-full'
    """
    for line in reversed(log[-LATEST:]):
        for told, pattern in _PATTERNS:
            if pattern.search(line):
                return told
    return None
