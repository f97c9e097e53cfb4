"""What an update does to a file, and where what it could not merge can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlox.components.merge import Applied, Conflict

INCOMING = ".mlox/local/incoming"
"""Where the new text of a file lies that could not be merged whole: to be read, and to be deleted at will."""

Word = Literal["updated", "merged", "added", "removed", "conflict", "gone", "kept"]
"""What becomes of a file. ``gone``: the user deleted it, and it stays so; ``kept``: upstream has it no more, the user
changed it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an update does to one file, by its path now; ``before`` is the path that it had, where that differs."""

    path: str
    word: Word
    conflicts: tuple[Conflict, ...] = ()
    applied: tuple[Applied, ...] = ()
    before: str = ""


def incoming_path(name: str, path: str) -> str:
    """Where the new text of a file can be read."""
    return f"{INCOMING}/{name}/{path}"
