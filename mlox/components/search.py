"""The Python files of a repository: those that somebody wrote, and none that a tool put there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlox.components.tree import Tree

SKIPPED = frozenset(
    {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "htmlcov", "mlx-components"}
)
"""Folders whose files nobody edits, or which are templates."""

MAX_FILE_BYTES = 2_000_000
MAX_FILES = 20_000


def files(tree: Tree, *suffixes: str) -> Iterator[str]:
    """Paths of files that end so, sorted by folder; hidden folders, links and environments are left out."""
    count = 0
    for folder, names, found in os.walk(tree.root):
        here = Path(folder)
        names[:] = sorted(name for name in names if _is_searched(here / name))
        for path in sorted(here / name for name in found if name.endswith(suffixes)):
            if not path.is_symlink() and path.stat().st_size <= MAX_FILE_BYTES and count < MAX_FILES:
                count += 1
                yield path.relative_to(tree.root).as_posix()


def python_files(tree: Tree) -> Iterator[tuple[str, bytes]]:
    """Every Python file with its text."""
    for path in files(tree, ".py"):
        text = tree.read(path)
        if text is not None:
            yield path, text


def _is_searched(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in SKIPPED
    return not hidden and not (folder / "pyvenv.cfg").exists()
