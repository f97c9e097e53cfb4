"""How what an update left to a person is settled: with the user's own, with upstream's, or with what he wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlox.components.merge import merge
from mlox.components.plan import EditPlan
from mlox.components.records import FileRecord, Record, base_path
from mlox.components.screening import check_parses
from mlox.components.shapes import Shape
from mlox.components.tree import Tree
from mlox.components.updating import base_text, incoming_path
from mlox.errors import UsageError
from mlox.journal import Edit

Side = Literal["mine", "theirs"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is about to be settled: the edits, what will be recorded, and the files."""

    plan: EditPlan
    record: Record
    files: tuple[str, ...]


def open_files(tree: Tree, record: Record) -> tuple[str, ...]:
    """The files of a component that wait for a person: unresolved, or gone."""
    return tuple(path for path, file in record.files.items() if file.unresolved or tree.read(path) is None)


def plan_resolution(
    tree: Tree, record: Record, others: Mapping[str, Record], side: Side, edited: Mapping[str, bytes] | None = None
) -> Resolution:
    """The plan that settles all that is open.

    Args:
        side: whose version of what both changed stays. A file that the user deleted stays deleted, and is the
            component's no more, with ``mine``; it comes back with ``theirs``.
        edited: texts that a person wrote, by path; these are taken instead.

    Raises:
        UsageError: nothing is open. WorkspaceError: a text of a person does not parse, or has markers of a merge.
    """
    paths = open_files(tree, record)
    if not paths:
        raise UsageError(f"there is nothing to resolve in {record.name}", hint="See what you changed: mlox diff NAME.")
    files: dict[str, FileRecord] = dict(record.files)
    edits: list[Edit] = []
    for path in paths:
        file, now = files[path], tree.read(path)
        written = (edited or {}).get(path)
        if written is not None:
            check_parses(path, Shape.of(written).plain(written))
            text: bytes | None = written
        else:
            text = now if side == "mine" else _theirs(tree, path, file, now)
        files[path] = file.model_copy(update={"unresolved": None})
        if text is None:
            del files[path]
        edits.append(Edit(tree.at(path), text, replaces=now))
        shown = incoming_path(record.name, path)
        edits.append(Edit(tree.at(shown), None, replaces=tree.read(shown)))
    after = record.model_copy(update={"files": files})
    needed = {digest for one in (after, *others.values()) for digest in one.bases}
    unused = [base_path(digest) for digest in sorted(record.bases - needed)]
    edits += [Edit(tree.at(path), None, replaces=tree.read(path)) for path in unused]
    edits.append(Edit(tree.at(record.path), after.to_bytes(), replaces=tree.read(record.path)))
    return Resolution(EditPlan.of(tree.root, edits), after, paths)


def with_markers(tree: Tree, record: Record, path: str) -> bytes:
    """The text of an unresolved file with git's markers where both sides changed it, for an editor."""
    file, now = record.files[path], tree.read(path)
    theirs = base_text(tree, file.base)
    if now is None or file.unresolved is None:
        return theirs
    shape = Shape.of(now)
    return shape.like(merge(base_text(tree, file.unresolved.base), shape.plain(now), theirs, path=path).text)


def _theirs(tree: Tree, path: str, file: FileRecord, now: bytes | None) -> bytes:
    """The file with upstream's version of what both sides changed, and what else the user made of it."""
    theirs = base_text(tree, file.base)
    if now is None or file.unresolved is None:
        return theirs
    shape = Shape.of(now)
    merged = merge(base_text(tree, file.unresolved.base), theirs, shape.plain(now), path=path)
    if merged.clean:
        return shape.like(merged.text)
    return shape.like(merged.kept) if merged.kept is not None else shape.like(theirs.decode("utf-8", "surrogateescape"))
