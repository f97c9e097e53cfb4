"""Which file of a component is which: after the user moved one, and after upstream renamed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlox.components.definitions import definitions
from mlox.components.layout import Place
from mlox.components.manifest import target_of
from mlox.components.records import Record, base_path
from mlox.components.search import python_files
from mlox.components.tree import Tree

SAME = 0.5
"""Two files are one that was renamed where they share more of their definitions than this, by name and meaning."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A file that was injected, and where it lies now; ``new`` is where upstream has it, None where it has it no more.

    ``at`` differs from ``old`` where the user moved it.
    """

    old: str
    at: str
    new: str | None


def pair_files(tree: Tree, record: Record, texts: Mapping[str, tuple[str, bytes]]) -> tuple[list[Pair], list[str]]:
    """A pair for each file that was injected, and the paths that come as new.

    Args:
        texts: what is to come: for each path its origin in the template, and its text.
    """
    by_origin = {origin: path for path, (origin, _) in texts.items()}
    news = {old: by_origin.get(file.template) for old, file in record.files.items()}
    left = [path for path in texts if path not in news.values()]
    for old in [old for old, new in news.items() if new is None]:
        base = tree.read(base_path(record.files[old].base)) or b""
        twin = _nearest(base, {path: texts[path][1] for path in left}, old)
        if twin is not None:
            news[old] = twin
            left.remove(twin)
    moved = _moved(tree, record)
    return [Pair(old, moved.get(old, old), new) for old, new in news.items()], left


def target_for(pair: Pair, record: Record, place: Place, origin: str) -> str:
    """Where the file of a pair goes: upstream's new place, unless the user chose one."""
    before = record.files[pair.old].template
    if before == origin or pair.at != target_of(place.folder, before, place.project):
        return pair.at
    return pair.new or pair.at


def _moved(tree: Tree, record: Record) -> dict[str, str]:
    """Where the user has moved those files to that are not in their place any more."""
    gone = {path: file for path, file in record.files.items() if file.definitions and tree.read(path) is None}
    if not gone:
        return {}
    others = {path: text for path, text in python_files(tree) if path not in record.files}
    found: dict[str, str] = {}
    for path, file in gone.items():
        base = tree.read(base_path(file.base)) or b""
        free = {other: text for other, text in others.items() if other not in found.values()}
        twin = _nearest(base, free, path)
        if twin is not None:
            found[path] = twin
    return found


def _nearest(base: bytes, texts: Mapping[str, bytes], path: str) -> str | None:
    """The one of ``texts`` that is ``base`` under another name; None where none is, or two could be."""
    suffix = path.rpartition(".")[2]
    alike = {other: text for other, text in texts.items() if other.rpartition(".")[2] == suffix}
    same = [other for other, text in alike.items() if text == base]
    if same:
        return same[0] if len(same) == 1 else None
    wanted = definitions(base).items()
    if not wanted:
        return None
    shares = {other: len(wanted & definitions(text).items()) / len(wanted) for other, text in alike.items()}
    ranked = sorted(_above(shares), reverse=True)
    clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] > 1 - SAME)
    return ranked[0][1] if clear else None


def _above(shares: Mapping[str, float]) -> Iterator[tuple[float, str]]:
    return ((share, path) for path, share in shares.items() if share > SAME)
