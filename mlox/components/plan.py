"""What will be written: edits as a value, to be shown, compared and carried out by the journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mlox.journal import Edit


@dataclass(frozen=True, slots=True)
class EditPlan:
    """Edits of files below ``root``, and the folders that go afterwards where nothing is left in them.

    Example:
        >>> plan = EditPlan(Path("/w"), (Edit(Path("/w/a.py"), b"new", replaces=None),))
        >>> print(plan)
        create  a.py
    """

    root: Path
    edits: tuple[Edit, ...] = ()
    emptied: tuple[Path, ...] = ()

    @classmethod
    def of(cls, root: Path, edits: Iterable[Edit], emptied: Iterable[Path] = ()) -> Self:
        """The plan of those of ``edits`` that change something; several of one file become one."""
        return cls(root, tuple(edit for edit in folded(edits) if edit.content != edit.replaces), tuple(emptied))

    def __bool__(self) -> bool:
        return bool(self.edits)

    def __str__(self) -> str:
        return "\n".join(f"{row['kind']}  {row['path']}" for row in self.to_json()) or "nothing to do"

    @property
    def digest(self) -> str:
        """What identifies the plan: the same edits of the same files."""
        return _digest(json.dumps(self.to_json(), sort_keys=True).encode()) or ""

    def to_json(self) -> list[dict[str, Any]]:
        """For each edit its kind and path, and the SHA-256 of what it replaces and of what it writes."""
        return [
            {
                "kind": "remove" if edit.content is None else "create" if edit.replaces is None else "change",
                "path": edit.path.relative_to(self.root).as_posix(),
                "replaces": _digest(edit.replaces),
                "content": _digest(edit.content),
            }
            for edit in self.edits
        ]


def folded(edits: Iterable[Edit]) -> list[Edit]:
    """One edit for each path, from what the first of them replaces to what the last of them writes."""
    found: dict[Path, Edit] = {}
    for edit in edits:
        first = found.get(edit.path)
        found[edit.path] = edit if first is None else Edit(edit.path, edit.content, first.replaces)
    return list(found.values())


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
