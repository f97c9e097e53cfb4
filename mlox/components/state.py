"""How a component stands in the repository: as it was added, edited, or gone."""

from __future__ import annotations

from typing import Literal

from packaging.version import Version

from mlox.components.records import Record, digest_of
from mlox.components.tree import Tree

ComponentWord = Literal["clean", "edited", "update", "conflict", "missing"]


def state_of(tree: Tree, record: Record, *, offered: str | None = None) -> ComponentWord:
    """One word: ``missing`` where a file is gone, ``edited`` where one differs, ``update`` where a newer is offered."""
    contents = {path: tree.read(path) for path in record.files}
    if None in contents.values():
        return "missing"
    if edited_files(tree, record):
        return "edited"
    return "update" if offered is not None and Version(offered) > Version(record.version) else "clean"


def edited_files(tree: Tree, record: Record) -> tuple[str, ...]:
    """The files that are there and are not what was injected."""
    contents = {path: tree.read(path) for path in record.files}
    return tuple(
        path for path, text in contents.items() if text is not None and digest_of(text) != record.files[path].base
    )
