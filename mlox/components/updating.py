"""What an update writes: three texts a file (as injected, as it is, as it comes now) and what each file becomes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from mlox.components.changes import Change, incoming_path
from mlox.components.circles import refuse_circles
from mlox.components.dependencies import PYPROJECT
from mlox.components.extending import changed_fragments, extend, extended, own_text, retract
from mlox.components.inject import Addition, base_edits, injected, project_files, shared
from mlox.components.layout import Place
from mlox.components.manifest import Template, whole_name
from mlox.components.merge import Conflict, merge
from mlox.components.pairing import Pair, pair_files, target_for
from mlox.components.plan import EditPlan
from mlox.components.records import (
    FileRecord,
    FragmentRecord,
    Record,
    Unresolved,
    base_path,
    base_text,
    digest_of,
    file_record,
)
from mlox.components.refolding import fold_requirements, project_of
from mlox.components.screening import check_parses
from mlox.components.settings import settings_of, settings_updated
from mlox.components.shapes import Shape
from mlox.components.splitting import Followed, Split, follow
from mlox.components.tree import Tree
from mlox.components.twins import refuse_twins
from mlox.components.uses import Use, left_uses
from mlox.journal import Edit
from mlox.specs.model import Scalar


@dataclass(frozen=True, slots=True)
class Update:
    """An update that is about to be made: the edits, what will be recorded, and what becomes of each file.

    ``together`` is all that the project then depends on, where that changes; ``along`` are components that the new
    version needs, and that are added with it; ``uses`` are places that name what a file has no more.
    """

    plan: EditPlan
    record: Record
    changes: tuple[Change, ...]
    together: tuple[str, ...] = ()
    along: Addition | None = None
    uses: tuple[Use, ...] = ()

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """The files in which something is left for a person."""
        return tuple(change for change in self.changes if change.word in ("conflict", "gone", "kept"))


@dataclass(frozen=True, slots=True)
class _Result:
    """One file after the update: its edits, how it stands in the record (None: not at all), and the change."""

    edits: tuple[Edit, ...] = ()
    path: str = ""
    record: FileRecord | None = None
    change: Change | None = None
    followed: tuple[Followed, ...] = ()

    @property
    def changes(self) -> Iterator[Change]:
        """What is told of the file, and of those into which the user put definitions of it."""
        if self.change is not None:
            yield self.change
        for one in self.followed:
            yield Change(one.path, "merged", applied=one.applied, before=self.path)


def plan_update(
    tree: Tree, record: Record, template: Template, options: Mapping[str, Scalar], others: Mapping[str, Record]
) -> Update:
    """The plan that brings a component to ``template``, with what the user made of it.

    A file that the user left alone becomes the new one. One that the user changed is merged; what both sides changed
    stays as the user has it, and is written down as unresolved. What the user deleted stays deleted, and an upstream
    change to it is told.

    Raises:
        WorkspaceError: a file that is to be merged does not parse, or cannot be read; nothing is planned then.
        SpecError: a text of the base is gone, or the template is wrong.
    """
    place = Place.of(record)
    texts = injected(template, place, options)
    pairs, fresh = pair_files(tree, record, texts)
    records = {record.name: record, **others}
    elsewhere = {path for one in records.values() for path in (*one.files, *one.extends)} | {pair.at for pair in pairs}
    results: list[_Result] = []
    for pair in pairs:
        beyond = tree.over(one.edit for result in results for one in result.followed)
        results.append(_file(beyond, records, record, place, pair, texts, elsewhere))
    results += [_added(tree, record, path, texts) for path in fresh]
    files = {result.path: result.record for result in results if result.record is not None}
    edits = [edit for result in results for edit in result.edits]
    refolded, extension = _fragments(tree.over(edits), record, template, place, others)
    edits += refolded
    more, written = fold_requirements(tree, record, template, others)
    pieces = settings_of(template, tree, records, place.project)
    settings = settings_updated(tree.over(more), record, pieces, others, files=texts, new=lambda: project_of(place))
    project = written.made if written.made is not None else settings.made
    made = {} if project is None else {PYPROJECT: digest_of(project)}
    new_paths = (*files, *settings.records)
    after = record.model_copy(
        update={
            "version": template.spec.version,
            "source": template.source,
            "digest": template.digest,
            "options": dict(options),
            "files": files,
            "extends": extension,
            "components": sorted(whole_name(one, template, others) for one in template.spec.components),
            "dependencies": list(written.records),
            "settings": settings.records,
            "made": record.made | shared(project_files(written.records, settings.records), others) | made,
            "folders": sorted({*record.folders, *(f for path in new_paths for f in tree.new_folders(path))}),
        }
    )
    edits += [*more, *settings.edits, *base_edits(tree, [text for _, text in (*texts.values(), *pieces.values())])]
    edits += _unused_bases(tree, record, after, others)
    edits.append(Edit(tree.at(after.path), after.to_bytes(), replaces=tree.read(after.path)))
    edits += [one.edit for result in results for one in result.followed]
    changes = (*(change for result in results for change in result.changes), *settings.changes)
    plan = EditPlan.of(tree.root, edits)
    refuse_twins(tree, plan.edits)
    written_paths = (edit.path.relative_to(tree.root).as_posix() for edit in plan.edits)
    refuse_circles(tree, tree.over(plan.edits), place.path, written_paths)
    uses = left_uses(tree, plan, place.path)
    return Update(plan, after, changes, written.together, uses=uses)


def _file(
    tree: Tree,
    records: Mapping[str, Record],
    record: Record,
    place: Place,
    pair: Pair,
    texts: Mapping[str, tuple[str, bytes]],
    elsewhere: Collection[str],
) -> _Result:
    """What becomes of one file that was injected; ``elsewhere`` are all files that belong to components."""
    known, mine = record.files[pair.old], tree.read(pair.at)
    base = base_text(tree, known.base)
    if pair.new is None:
        return _dropped(tree, pair.at, known, base, mine)
    origin, theirs = texts[pair.new]
    target = target_for(pair, record, place, origin)
    if target != pair.at and tree.read(target) is not None:
        target = pair.at
    fresh = file_record(target, origin, theirs, adopted=known.adopted)
    if mine is None:
        return _Result((), pair.old, fresh, None if theirs == base else Change(pair.old, "gone"))
    change = Change(target, "merged", before=pair.old if target != pair.old else "")
    text = mine
    if theirs not in (base, mine):
        if own_text(tree, pair.at, record, records) != base:
            check_parses(pair.at, Shape.of(mine).plain(mine))
            split = follow(tree, (base, mine, theirs), elsewhere)
            merged = _merged(tree, record, pair.at, (base, mine, theirs), split, fresh, change)
            return replace(merged, followed=split.followed)
        text = extended(tree, pair.at, theirs, records, record.name)
    told = replace(change, word="updated") if text != mine or change.before else None
    return _Result(_move(tree, pair.at, target, mine, text), target, fresh, told)


def _fragments(
    tree: Tree, record: Record, template: Template, place: Place, others: Mapping[str, Record]
) -> tuple[list[Edit], dict[str, FragmentRecord]]:
    """The fragments of a component: the old ones out, but for what the user changed of them, and the new ones in."""
    theirs = changed_fragments(tree, record, others)
    without = retract(tree, record, others).edits
    extension = extend(tree.over(without), template, place, others, theirs)
    adopted = {path: known.adopted for path, known in record.extends.items()}
    records = {
        path: known.model_copy(update={"adopted": adopted.get(path, known.adopted)})
        for path, known in extension.records.items()
    }
    return [*without, *extension.edits], records


def _merged(
    tree: Tree,
    record: Record,
    at: str,
    texts: tuple[bytes, bytes, bytes],
    split: Split,
    fresh: FileRecord,
    change: Change,
) -> _Result:
    """A file that both sides changed, but for what the user has elsewhere (``split``).

    ``fresh`` and ``change`` tell of it where all goes well.
    """
    base, mine, theirs = texts
    target = change.path
    shape = Shape.of(mine)
    merged = merge(split.base, shape.plain(mine), split.theirs, path=target)
    change = replace(change, applied=merged.applied)
    if merged.clean and not split.doubtful:
        return _Result(_move(tree, at, target, mine, shape.like(merged.text)), target, fresh, change)
    text = mine if merged.kept is None or split.doubtful else shape.like(merged.kept)
    doubts = (Conflict(f"def {name}", "several definitions could be it") for name in split.doubtful)
    conflicts = (*merged.conflicts, *doubts)
    left = Unresolved(base=digest_of(base), keys=[conflict.key for conflict in conflicts])
    shown = incoming_path(record.name, target)
    return _Result(
        (*_move(tree, at, target, mine, text), Edit(tree.at(shown), theirs, replaces=tree.read(shown))),
        target,
        fresh.model_copy(update={"unresolved": left}),
        replace(change, word="conflict", conflicts=conflicts),
    )


def _added(tree: Tree, record: Record, path: str, texts: Mapping[str, tuple[str, bytes]]) -> _Result:
    """A file that upstream has now: written, unless the user has one of that name already."""
    origin, theirs = texts[path]
    there = tree.read(path)
    fresh = file_record(path, origin, theirs, adopted=there == theirs)
    if there == theirs:
        return _Result((), path, fresh)
    if there is None:
        return _Result((Edit(tree.at(path), theirs, replaces=None),), path, fresh, Change(path, "added"))
    reason = "the user has a file of that name"
    left = Unresolved(base=digest_of(b""), keys=[path])
    shown = incoming_path(record.name, path)
    edits = (Edit(tree.at(shown), theirs, replaces=tree.read(shown)), *base_edits(tree, [b""]))
    change = Change(path, "conflict", (Conflict(path, reason),))
    return _Result(edits, path, fresh.model_copy(update={"unresolved": left, "adopted": True}), change)


def _dropped(tree: Tree, at: str, known: FileRecord, base: bytes, mine: bytes | None) -> _Result:
    """A file that upstream has no more: it goes, unless the user changed it; then it is the user's."""
    if mine is None:
        return _Result()
    if known.adopted or mine != base:
        return _Result(change=Change(at, "kept"))
    return _Result((Edit(tree.at(at), None, replaces=mine),), change=Change(at, "removed"))


def _move(tree: Tree, at: str, target: str, mine: bytes, text: bytes) -> tuple[Edit, ...]:
    """The edits that make ``text`` of the file ``at``, and put it at ``target``."""
    if at == target:
        return (Edit(tree.at(at), text, replaces=mine),)
    return (Edit(tree.at(at), None, replaces=mine), Edit(tree.at(target), text, replaces=None))


def _unused_bases(tree: Tree, before: Record, after: Record, others: Mapping[str, Record]) -> list[Edit]:
    """Base texts that nothing names any more."""
    needed = {digest for one in (after, *others.values()) for digest in one.bases}
    gone = [base_path(digest) for digest in sorted(before.bases - needed)]
    return [Edit(tree.at(path), None, replaces=tree.read(path)) for path in gone]
