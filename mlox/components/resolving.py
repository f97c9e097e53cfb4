"""How what an update left to a person is settled: with the user's own, with upstream's, or with what he wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from mlox.components.changes import incoming_path
from mlox.components.merge import merge
from mlox.components.plan import EditPlan
from mlox.components.records import FileRecord, Record, SettingsRecord, base_path, base_text
from mlox.components.screening import check_parses
from mlox.components.settings.standing import check_settings, marked, with_theirs
from mlox.components.shapes import Shape
from mlox.components.state import missing_files
from mlox.components.tree import Tree
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
    merged: dict[str, FileRecord | SettingsRecord] = {**record.files, **record.settings}
    missing = missing_files(tree, record)
    return tuple(path for path, file in merged.items() if file.unresolved or path in missing)


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
    settings: dict[str, SettingsRecord] = dict(record.settings)
    edits: list[Edit] = []
    for path in paths:
        now, written = tree.read(path), (edited or {}).get(path)
        if written is not None:
            _check(path, written, record)
            text: bytes | None = written
        elif side == "mine":
            text = now
        else:
            known = settings.get(path)
            text = with_theirs(tree, known, path) if known is not None else _theirs(tree, path, files[path], now)
        if path in files:
            _settle(path, files, text)
        else:
            _settle(path, settings, text)
        edits.append(Edit(tree.at(path), text, replaces=now))
        shown = incoming_path(record.name, path)
        edits.append(Edit(tree.at(shown), None, replaces=tree.read(shown)))
    after = record.model_copy(update={"files": files, "settings": settings})
    needed = {digest for one in (after, *others.values()) for digest in one.bases}
    unused = [base_path(digest) for digest in sorted(record.bases - needed)]
    edits += [Edit(tree.at(path), None, replaces=tree.read(path)) for path in unused]
    edits.append(Edit(tree.at(record.path), after.to_bytes(), replaces=tree.read(record.path)))
    return Resolution(EditPlan.of(tree.root, edits), after, paths)


def with_markers(tree: Tree, record: Record, path: str) -> bytes:
    """The text of an unresolved file with git's markers where both sides changed it, for an editor."""
    if path in record.settings:
        return marked(tree, record.settings[path], path)
    file, now = record.files[path], tree.read(path)
    theirs = base_text(tree, file.base)
    if now is None or file.unresolved is None:
        return theirs
    shape = Shape.of(now)
    return shape.like(merge(base_text(tree, file.unresolved.base), shape.plain(now), theirs, path=path).text)


KnownT = TypeVar("KnownT", FileRecord, SettingsRecord)


def _settle(path: str, known: dict[str, KnownT], text: bytes | None) -> None:
    """Write down that nothing is open in a file; one that the user deleted is the component's no more."""
    if text is None:
        del known[path]
    else:
        known[path] = known[path].model_copy(update={"unresolved": None})


def _check(path: str, written: bytes, record: Record) -> None:
    """Refuse what somebody wrote that has markers of a merge in it, or that no program can read."""
    check_parses(path, Shape.of(written).plain(written))
    if path in record.settings:
        check_settings(path, written)


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
