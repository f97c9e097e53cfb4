"""What removing a component takes out: what was added and is as it was; what was edited stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlox.components.dependencies import PYPROJECT, requirements_removed, used_by_code
from mlox.components.extending import retract
from mlox.components.layout import Place
from mlox.components.plan import EditPlan
from mlox.components.records import BASE, Record, base_path, digest_of
from mlox.components.settings import Names, SettingsTaken, settings_removed
from mlox.components.state import edited_files
from mlox.components.tree import Tree
from mlox.components.uses import Use, left_uses
from mlox.errors import WorkspaceError
from mlox.journal import Edit
from mlox.specs.naming import RECORDS


@dataclass(frozen=True, slots=True)
class Removal:
    """A component that is about to go: the edits; which of its files go, and which stay since they were edited.

    ``dependencies`` go with it; ``needed`` stay, each with a file of the user's own that imports it. ``uses`` are the
    places that name what goes. ``settings`` go from files of the user's, by file; ``changed`` stay there, since the
    user changed them.
    """

    plan: EditPlan
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    dependencies: tuple[str, ...]
    needed: Mapping[str, str] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    settings: Names = field(default_factory=dict)
    changed: Names = field(default_factory=dict)


def plan_removal(tree: Tree, record: Record, others: Mapping[str, Record], *, keep: bool = False) -> Removal:
    """The plan that takes a component out; with ``keep`` only its record goes, and the code stays.

    Its dependencies go with it unless edited files stay, which may need them, or another component asked for them.

    Raises:
        SpecError: ``pyproject.toml`` is no TOML.
        WorkspaceError: another component needs this one, or a file cannot be read.
    """
    needing = sorted(name for name, other in others.items() if record.name in other.components)
    if needing and not keep:
        raise WorkspaceError(
            f"{', '.join(needing)} need{'s' if len(needing) == 1 else ''} {record.name}; nothing was taken out",
            hint=f"Take that out first: mlox remove {needing[0]}.",
        )
    kept = edited_files(tree, record, {record.name: record, **others})
    removed = (
        ()
        if keep
        else tuple(
            path
            for path, file in record.files.items()
            if path not in kept and not file.adopted and tree.read(path) is not None
        )
    )
    compiled = [path for one in removed for path in _compiled(tree, one)]
    edits = [Edit(tree.at(path), None, replaces=tree.read(path)) for path in (*removed, *compiled)]
    dependencies: list[str] = []
    needed: dict[str, str] = {}
    taken = SettingsTaken()
    if not keep:
        taken = settings_removed(tree, record, others)
        edits += taken.edits
        edits += retract(tree, record, others).edits
        edits += _scaffolding(tree, record, others, set(removed))
        if not kept:
            now = tree.over(taken.edits)
            edit, dependencies, needed = _dependencies(now, record, others, set(removed))
            edits += edit
    edits += _records(tree, record, others)
    folders = [] if keep else [*record.folders, *{path.rpartition("/")[0] for path in compiled}]
    emptied = tuple(tree.at(folder) for folder in (*sorted(folders, key=len, reverse=True), RECORDS, BASE))
    plan = EditPlan.of(tree.root, edits, emptied)
    uses = left_uses(tree, plan, Place.of(record).path)
    return Removal(plan, removed, () if keep else kept, tuple(dependencies), needed, uses, taken.gone, taken.kept)


def _compiled(tree: Tree, path: str) -> list[str]:
    """What Python has compiled from a file, so that nothing of it keeps its folder alive."""
    source = tree.at(path)
    found = source.parent.glob(f"__pycache__/{source.stem}.*.pyc") if source.suffix == ".py" else ()
    return sorted(one.relative_to(tree.root).as_posix() for one in found)


def _scaffolding(tree: Tree, record: Record, others: Mapping[str, Record], removed: set[str]) -> list[Edit]:
    """Files that were made for the component, that nobody has changed and nobody else stands on."""
    edits = []
    for path, digest in record.made.items():
        text = tree.read(path)
        shared = any(path in other.made for other in others.values())
        if path == PYPROJECT or shared or text is None or digest_of(text) != digest:
            continue
        folder = tree.at(path).parent
        left = {one.relative_to(tree.root).as_posix() for one in folder.rglob("*") if one.is_file()}
        if not {one for one in left if "/__pycache__/" not in one} - removed - {path}:
            edits.append(Edit(tree.at(path), None, replaces=text))
    return edits


def _dependencies(
    tree: Tree, record: Record, others: Mapping[str, Record], removed: set[str]
) -> tuple[list[Edit], list[str], dict[str, str]]:
    """The files of requirements without what was written; without themselves where nothing else ever was in them.

    And which requirements go, and which stay, with a file that imports each. Other components declare what they need,
    so what they import is no reason for a requirement to stay.
    """
    needed: dict[str, str] = {}
    all_of_them = {record.name: record, **others}
    theirs = {path for other in others.values() for path in {*other.files} - {*edited_files(tree, other, all_of_them)}}

    def staying(requirements: Sequence[str]) -> Mapping[str, str]:
        needed.update(used_by_code(tree, requirements, without=removed | theirs, project=record.project))
        return needed

    edits, gone = requirements_removed(
        tree,
        record.dependencies,
        [written for other in others.values() for written in other.dependencies],
        used=staying,
    )
    shared = any(PYPROJECT in other.made for other in others.values())
    if PYPROJECT in record.made and not shared:
        path, there = tree.at(PYPROJECT), tree.read(PYPROJECT)
        after = next((edit.content for edit in edits if edit.path == path), there)
        if after is not None and digest_of(after) == record.made[PYPROJECT]:
            edits = [*(edit for edit in edits if edit.path != path), Edit(path, None, replaces=there)]
    return edits, gone, needed


def _records(tree: Tree, record: Record, others: Mapping[str, Record]) -> list[Edit]:
    """The record, and the base texts that only it names."""
    named = {base for other in others.values() for base in other.bases}
    gone = [base_path(base) for base in sorted(record.bases - named)]
    return [
        Edit(tree.at(path), None, replaces=content)
        for path in (*gone, record.path)
        if (content := tree.read(path)) is not None
    ]
