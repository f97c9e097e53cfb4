"""What components add to modules of each other: planned, told apart from what the user wrote, and taken out again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mlox.components.bindings import Binding, imported
from mlox.components.fragments import Fragment, plain, rank_of, touched, with_fragment, without_fragment
from mlox.components.layout import Place
from mlox.components.manifest import Template, fragment_path, whole_name
from mlox.components.records import FragmentRecord, Record, base_path, digest_of
from mlox.components.rewriting import rewritten
from mlox.components.screening import check_parses
from mlox.components.shapes import Shape
from mlox.components.tree import Tree
from mlox.errors import WorkspaceError
from mlox.journal import Edit


@dataclass(frozen=True, slots=True)
class Extension:
    """A module with a fragment more, or less: its edits, and what is recorded of each fragment by the module's path."""

    edits: tuple[Edit, ...]
    records: dict[str, FragmentRecord]


def extend(
    tree: Tree,
    template: Template,
    place: Place,
    others: Mapping[str, Record],
    skipped: Mapping[str, Collection[str]] | None = None,
) -> Extension:
    """Put the fragments of a component into the modules that it extends.

    Args:
        skipped: for each module the statements that the user changed or took out, as they were.

    Raises:
        WorkspaceError: a module is not there, or no Python.
    """
    edits: list[Edit] = []
    records: dict[str, FragmentRecord] = {}
    needs: dict[str, list[str]] = {name: record.components for name, record in others.items()}
    needs[template.name] = [whole_name(one, template, others) for one in template.spec.components]
    for path in template.spec.extends:
        target = f"{place.folder}/{path}"
        origin = fragment_path(path)
        where = f"{template.source}: {template.spec.name}/{origin}"
        content = rewritten(template.files[origin], place.package, {}, where=where)
        module = module_of(place, path)
        fragment = Fragment(_text(content), rank_of(template.name, needs), module, place.package)
        before = _read(tree, target, template.spec.name)
        shape = Shape.of(before)
        text = _text(shape.plain(before))
        owned = {str(one) for other in others.values() for one in _bindings(tree, target, other)}
        adopted = sorted(str(one) for one in fragment.imports if one in imported(text) and str(one) not in owned)
        there, without = fragments_of(tree, target, others), (skipped or {}).get(target, ())
        after = with_fragment(text, fragment, there, base_of(tree, target, others), without)
        edits.append(Edit(tree.at(target), shape.like(after), replaces=before))
        edits.append(
            Edit(tree.at(base_path(digest_of(content))), content, replaces=tree.read(base_path(digest_of(content))))
        )
        records[target] = FragmentRecord(
            base=digest_of(content), template=origin, module=module, package=place.package, adopted=adopted
        )
    return Extension(tuple(edits), records)


def retract(tree: Tree, record: Record, others: Mapping[str, Record]) -> Extension:
    """Take the fragments of a component out again, but for what the user changed of them.

    Raises:
        WorkspaceError: a module is no Python.
    """
    edits = []
    for target, known in record.extends.items():
        before = tree.read(target)
        if before is None:
            continue
        check_parses(target, Shape.of(before).plain(before))
        shape = Shape.of(before)
        text = _text(shape.plain(before))
        fragment = _fragment(tree, record.name, known, {record.name: record, **others})
        stays = {one for one in fragment.imports if str(one) in known.adopted} | imported(base_of(tree, target, others))
        after = without_fragment(text, fragment, fragments_of(tree, target, others), stays)
        edits.append(Edit(tree.at(target), shape.like(after), replaces=before))
    return Extension(tuple(edits), {})


def changed_fragments(tree: Tree, record: Record, others: Mapping[str, Record]) -> dict[str, tuple[str, ...]]:
    """What the user changed or took out of what a component added: by module, the statements as they were."""
    found = {}
    for target, known in record.extends.items():
        content = tree.read(target)
        fragment = _fragment(tree, record.name, known, {record.name: record, **others})
        try:
            there = "" if content is None else _text(Shape.of(content).plain(content))
            found[target] = touched(there, fragment)
        except (SyntaxError, ValueError):
            found[target] = tuple(item.text.strip() for item in fragment.statements)
    return {target: statements for target, statements in found.items() if statements}


def own_text(tree: Tree, path: str, record: Record, records: Mapping[str, Record]) -> bytes | None:
    """A file of a component without what other components added to it, to be compared with what was injected."""
    content = tree.read(path)
    others = {name: other for name, other in records.items() if name != record.name}
    fragments = fragments_of(tree, path, others)
    if content is None or not fragments or digest_of(content) == record.files[path].base:
        return content
    shape = Shape.of(content)
    try:
        return shape.like(plain(_text(shape.plain(content)), fragments, base_of(tree, path, records)))
    except (SyntaxError, ValueError):
        return content


def extended(tree: Tree, path: str, text: bytes, records: Mapping[str, Record], name: str) -> bytes:
    """``text``, a new one of the component ``name``, with what the other components add to it."""
    others = {other: record for other, record in records.items() if other != name}
    done: list[Fragment] = []
    base = after = _text(text)
    for fragment in fragments_of(tree, path, others):
        after = with_fragment(after, fragment, done, base)
        done.append(fragment)
    return after.encode("utf-8", "surrogateescape")


def fragments_of(tree: Tree, path: str, records: Mapping[str, Record]) -> list[Fragment]:
    """What components add to a module, by rank."""
    found = [
        _fragment(tree, name, record.extends[path], records)
        for name, record in records.items()
        if path in record.extends
    ]
    return sorted(found, key=lambda fragment: fragment.rank)


def base_of(tree: Tree, target: str, records: Mapping[str, Record]) -> str:
    """A module as its own component wrote it."""
    owner = next((record for record in records.values() if target in record.files), None)
    return "" if owner is None else _text(tree.read(base_path(owner.files[target].base)) or b"")


def module_of(place: Place, path: str) -> str:
    """The dotted name of a module below the user's package."""
    inside = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"{place.package}.{inside}"


def _fragment(tree: Tree, name: str, known: FragmentRecord, records: Mapping[str, Record]) -> Fragment:
    needs = {other: record.components for other, record in records.items()}
    text = tree.read(base_path(known.base))
    return Fragment(_text(text or b""), rank_of(name, needs), known.module, known.package)


def _bindings(tree: Tree, target: str, record: Record) -> tuple[Binding, ...]:
    """The imports of a module that a component owns."""
    if target in record.files:
        return tuple(imported(_text(tree.read(base_path(record.files[target].base)) or b"")))
    known = record.extends.get(target)
    return () if known is None else _fragment(tree, record.name, known, {record.name: record}).imports


def _read(tree: Tree, target: str, name: str) -> bytes:
    content = tree.read(target)
    if content is None:
        raise WorkspaceError(
            f"{name} adds to {target}, which is not there; nothing was written",
            hint="Bring it back, or put the component beside the one that it extends with --to.",
        )
    check_parses(target, Shape.of(content).plain(content))
    return content


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
