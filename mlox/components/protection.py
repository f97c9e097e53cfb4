"""Files and folders that nobody may write, as their mode says: left alone, also where we are root and could.

In a container or on Colab one is root, and a file that was made read-only was made so on purpose.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from mlox.components.tree import Tree
from mlox.errors import WorkspaceError
from mlox.journal import Edit

WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def refuse_protected(tree: Tree, edits: Iterable[Edit]) -> None:
    """Raise where an edit would change a file that nobody may write, or what is in such a folder.

    Raises:
        WorkspaceError: it would; the problem names the file or folder.
    """
    for edit in edits:
        if edit.content == edit.replaces:
            continue
        there = next((folder for folder in edit.path.parents if folder.exists()), tree.root)
        for path in (there, edit.path):
            if _is_protected(path):
                name = path.relative_to(tree.root).as_posix()
                raise WorkspaceError(
                    f"{name} is write-protected; nothing was written",
                    hint=f"Allow it: chmod u+w {name}, then run the same command again.",
                )


def _is_protected(path: Path) -> bool:
    return path.exists() and not path.stat().st_mode & WRITE
