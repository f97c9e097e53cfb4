"""New files beside what would be the same file on another system, where case or the form of letters tells nothing."""

from __future__ import annotations

from collections.abc import Iterable

from mlox.components.tree import Tree
from mlox.errors import WorkspaceError
from mlox.journal import Edit
from mlox.specs.paths import clash


def refuse_twins(tree: Tree, edits: Iterable[Edit]) -> None:
    """Raise where a new file, or a folder above it, has a name that one beside it has in another case.

    Raises:
        WorkspaceError: it has; the problem names both.
    """
    listed: dict[str, list[str]] = {}
    for edit in edits:
        if edit.replaces is not None or edit.content is None:
            continue
        above = ""
        for part in edit.path.relative_to(tree.root).parts:
            if above not in listed:
                folder = tree.at(above)
                listed[above] = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
            other = next((name for name in listed[above] if name != part and clash([name, part])), None)
            if other is not None:
                there, new = (f"{above}/{name}".lstrip("/") for name in (other, part))
                raise WorkspaceError(
                    f"{there} is one with {new} on some systems; nothing was written", hint=f"Rename {there}."
                )
            above = f"{above}/{part}".lstrip("/")
