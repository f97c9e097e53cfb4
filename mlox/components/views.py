"""How a component's files differ: what the user changed, what upstream has now, and what would come of both.

Differences of formatting are left out unless somebody asks: of a Python file, a statement that means the same as before
is shown as it was, and so are imports that a sorter went over.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mlox.components.extending import changed_fragments, extended
from mlox.components.pairing import pair_files
from mlox.components.records import Record, base_text
from mlox.components.settings import Pieces, edited_settings
from mlox.components.settings.standing import as_written
from mlox.components.sorting import first_line, imports_as_before, lines_of, meaning_unsorted, statements
from mlox.components.tree import Tree
from mlox.components.updating import Update

View = Literal["mine", "incoming", "result"]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file on both sides; None where it is not there."""

    path: str
    before: bytes | None
    after: bytes | None
    formatting: bool = False

    def lines(self) -> tuple[str, ...]:
        """A unified diff, empty where both sides mean the same."""
        old, new = _text(self.before), _text(self.after)
        if not self.formatting and self.path.endswith(".py"):
            new = _as_before(old, new)
        ends = (
            "/dev/null" if self.before is None else f"a/{self.path}",
            "/dev/null" if self.after is None else f"b/{self.path}",
        )
        found = difflib.unified_diff(old.splitlines(), new.splitlines(), *ends, lineterm="")
        return tuple(found)


def my_edits(tree: Tree, record: Record, others: Mapping[str, Record], *, formatting: bool = False) -> list[FileDiff]:
    """From what was injected to what is there; what components add to each other's modules was injected too.

    A module that the component only adds to is among them where the user changed what it added.
    """
    records = {record.name: record, **others}
    modules = {path: other for other in records.values() for path in other.files}
    paths = [*record.files, *(path for path in changed_fragments(tree, record, others) if path in modules)]
    found = []
    for path in paths:
        owner = modules[path]
        base = base_text(tree, owner.files[path].base)
        if any(path in other.extends for other in records.values()):
            base = extended(tree, path, base, records, owner.name)
        found.append(FileDiff(path, base, tree.read(path), formatting))
    return [*found, *_my_settings(tree, record, formatting)]


def their_edits(
    tree: Tree, record: Record, texts: Mapping[str, tuple[str, bytes]], *, formatting: bool = False
) -> list[FileDiff]:
    """From what was injected to what a registry has now; ``texts`` are those, with their origins, by path."""
    pairs, fresh = pair_files(tree, record, texts)
    found = [
        FileDiff(
            pair.new or pair.old,
            base_text(tree, record.files[pair.old].base),
            None if pair.new is None else texts[pair.new][1],
            formatting,
        )
        for pair in pairs
    ]
    return [*found, *(FileDiff(path, None, texts[path][1], formatting) for path in fresh)]


def their_settings(tree: Tree, record: Record, pieces: Pieces) -> list[FileDiff]:
    """From the settings that were put into each file to those that a registry has for it now."""
    old = {path: base_text(tree, known.base) for path, known in record.settings.items()}
    new = {path: text for path, (_, text) in pieces.items()}
    return [FileDiff(path, old.get(path), new.get(path), formatting=True) for path in sorted({*old, *new})]


def _my_settings(tree: Tree, record: Record, formatting: bool) -> Iterator[FileDiff]:
    """Files of the user's in which settings are not as they were written; nothing else in them is the component's."""
    for path in edited_settings(tree, record):
        yield FileDiff(path, as_written(tree, record.settings[path], path), tree.read(path), formatting)


def outcome(tree: Tree, update: Update, *, formatting: bool = False) -> list[FileDiff]:
    """From what is there to what an update would make of it."""
    rows = [(edit.path.relative_to(tree.root).as_posix(), edit) for edit in update.plan.edits]
    return [FileDiff(path, edit.replaces, edit.content, formatting) for path, edit in rows if ".mlox/" not in path]


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace")


def _as_before(old: str, new: str) -> str:
    """The new text with those statements as they were before whose meaning is what it was."""
    try:
        new = imports_as_before(old, new)
        known = {meaning_unsorted(node): text for node, text in statements(old)}
        spans = [(node, first_line(node), meaning_unsorted(node)) for node, _ in statements(new)]
    except (SyntaxError, ValueError):
        return new
    if [said for _, _, said in spans] == list(known):
        return old
    lines = lines_of(new)
    for node, first, said in reversed(spans):
        if said in known:
            lines[first - 1 : node.end_lineno] = [known[said]]
    return "".join(lines)
