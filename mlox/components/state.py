"""How a component stands in the repository: as it was added, edited, or gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from packaging.version import Version

from mlox.components.extending import changed_fragments, own_text
from mlox.components.records import Record, digest_of
from mlox.components.settings import edited_settings
from mlox.components.tree import Tree

ComponentWord = Literal["clean", "edited", "update", "conflict", "missing"]


def state_of(tree: Tree, record: Record, records: Mapping[str, Record], *, offered: str | None = None) -> ComponentWord:
    """One word, the worst that holds; ``records`` are all that the workspace has.

    ``conflict`` where an update left something to a person, ``missing`` where a file is gone, ``edited`` where one
    or a setting differs, ``update`` where a newer is offered.
    """
    if record.unresolved:
        return "conflict"
    if missing_files(tree, record):
        return "missing"
    if edited_files(tree, record, records) or edited_settings(tree, record):
        return "edited"
    return "update" if offered is not None and Version(offered) > Version(record.version) else "clean"


def missing_files(tree: Tree, record: Record) -> tuple[str, ...]:
    """The files that are not there, of its own and of those that it put something into."""
    written = (path for path, known in record.settings.items() if known.entries)
    return tuple(path for path in (*record.files, *record.extends, *written) if tree.read(path) is None)


def edited_files(tree: Tree, record: Record, records: Mapping[str, Record]) -> tuple[str, ...]:
    """The files that are there and are not what was injected; what other components added to them does not count."""
    contents = {path: own_text(tree, path, record, records) for path in record.files}
    changed = [
        path for path, text in contents.items() if text is not None and digest_of(text) != record.files[path].base
    ]
    others = {name: other for name, other in records.items() if name != record.name}
    return (*changed, *changed_fragments(tree, record, others))
