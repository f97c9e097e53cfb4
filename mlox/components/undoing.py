"""The last changes to components, so that they can be taken back: what each file was before, and what it became.

It lies in ``.mlox/local/undo/``, which git ignores: who deletes it can take back nothing, and loses nothing else. An
entry is written by the same plan as the change itself, so there is no change without one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mlox.components.plan import EditPlan
from mlox.components.records import digest_of
from mlox.components.tree import Tree
from mlox.errors import SpecError, UsageError, WorkspaceError
from mlox.journal import Edit

UNDO = ".mlox/local/undo"
KEPT = 20
"""How many changes can be taken back, one after the other."""


@dataclass(frozen=True, slots=True)
class Undo:
    """A change that is about to be taken back: what it was, and the edits that do it."""

    what: str
    plan: EditPlan


def remembered(tree: Tree, plan: EditPlan, what: str) -> EditPlan:
    """The same plan, which also writes down how to take it back; ``what`` says what it does."""
    if not plan:
        return plan
    entries = _entries(tree)
    number = max(entries, default=0) + 1
    rows = [
        {
            "path": edit.path.relative_to(tree.root).as_posix(),
            "before": _put(edit.replaces),
            "after": _put(edit.content),
        }
        for edit in plan.edits
    ]
    made = {folder for row in rows if row["before"] is None for folder in tree.new_folders(str(row["path"]))}
    entry = {"what": what, "edits": rows, "made": sorted(made, key=lambda path: (-len(path), path))}
    texts = {f"{UNDO}/{digest_of(edit.replaces)}": edit.replaces for edit in plan.edits if edit.replaces is not None}
    edits = [Edit(tree.at(path), text, replaces=tree.read(path)) for path, text in texts.items()]
    written = (json.dumps(entry, indent=1, sort_keys=True) + "\n").encode()
    edits.append(Edit(tree.at(_path(number)), written, replaces=None))
    entries[number] = entry
    edits += _forgotten(tree, entries)
    return EditPlan.of(tree.root, (*plan.edits, *edits), plan.emptied)


def plan_undo(tree: Tree) -> Undo:
    """The plan that takes the last change back.

    Raises:
        UsageError: there is none. WorkspaceError: a file was changed since.
    """
    entries = _entries(tree)
    if not entries:
        raise UsageError("there is no change to take back", hint="What git has, git can take back: git restore FILE.")
    number = max(entries)
    entry = entries[number]
    edits = []
    for row in reversed(entry["edits"]):
        now = tree.read(row["path"])
        if _put(now) != row["after"]:
            raise WorkspaceError(
                f"{row['path']} was changed since: {entry['what']}; nothing was taken back",
                hint="Take your own change back first, or mend it by hand.",
            )
        edits.append(Edit(tree.at(row["path"]), _text(tree, row["before"]), replaces=now))
    edits.append(Edit(tree.at(_path(number)), None, replaces=tree.read(_path(number))))
    left = {other: entries[other] for other in entries if other != number}
    edits += _forgotten(tree, left)
    emptied = tuple(tree.at(folder) for folder in (*entry["made"], UNDO))
    return Undo(entry["what"], EditPlan.of(tree.root, edits, emptied))


def _entries(tree: Tree) -> dict[int, dict[str, Any]]:
    """Every change that can be taken back, by number."""
    folder = tree.at(UNDO)
    found = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            entry = json.loads(path.read_bytes())
            found[int(path.stem)] = {key: entry[key] for key in ("what", "edits", "made")}
        except (ValueError, KeyError, TypeError) as error:
            raise SpecError(f"{UNDO}/{path.name} is damaged", hint=f"Delete {UNDO}: only undo needs it.") from error
    return found


def _forgotten(tree: Tree, entries: dict[int, dict[str, Any]]) -> list[Edit]:
    """The edits that remove entries beyond the last :data:`KEPT`, and texts that none needs."""
    old = sorted(entries)[:-KEPT]
    needed = {row["before"] for number, entry in entries.items() if number not in old for row in entry["edits"]}
    folder = tree.at(UNDO)
    names = [path.name for path in folder.iterdir() if not path.name.endswith(".json")] if folder.is_dir() else []
    gone = [*(_path(number) for number in old), *(f"{UNDO}/{name}" for name in sorted(names) if name not in needed)]
    return [Edit(tree.at(path), None, replaces=tree.read(path)) for path in gone]


def _path(number: int) -> str:
    return f"{UNDO}/{number:06}.json"


def _put(content: bytes | None) -> str | None:
    return None if content is None else digest_of(content)


def _text(tree: Tree, digest: str | None) -> bytes | None:
    if digest is None:
        return None
    text = tree.read(f"{UNDO}/{digest}")
    if text is None or digest_of(text) != digest:
        raise SpecError(f"{UNDO}/{digest} is gone or was changed", hint=f"Delete {UNDO}: only undo needs it.")
    return text
