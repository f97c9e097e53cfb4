"""Fragments: what a component adds to a module of another one, at places that do not depend on the order of adding.

A fragment is a Python file that imports what it needs from the module that it extends. In that module these imports
fall away, the other imports stand in their groups, and the statements behind those of every component that ranks lower.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlox.components.bindings import Binding, bindings, imported, used_names, with_import, without_import
from mlox.components.definitions import meaning
from mlox.components.merge.python.items import Item, items_of
from mlox.components.merge.python.source import read

Rank = tuple[int, str]
"""The depth of a component below those that need none, and its name."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """The fragment of one component for one module, as it is injected: ``text``, and the ``rank`` of the component.

    ``module`` is the dotted name of the module that it extends, ``package`` the user's.
    """

    text: str
    rank: Rank
    module: str
    package: str

    @property
    def imports(self) -> tuple[Binding, ...]:
        """What it imports, but for what the module has itself."""
        found = [one for item in items_of(read(self.text)) for node in item.nodes for one in bindings(node)]
        return tuple(one for one in found if one.module not in (self.module, "__future__"))

    @property
    def statements(self) -> tuple[Item, ...]:
        """What else stands in it, apart from its docstring."""
        items = items_of(read(self.text))
        return tuple(item for item in items if item.kind not in ("import", "docstring", "head", "tail"))


def with_fragment(
    text: str, fragment: Fragment, others: Sequence[Fragment], base: str, skipped: Collection[str] = ()
) -> str:
    """The module with a fragment; what of it is there already stays where it is.

    Args:
        others: the fragments that it has already. ``base``: the module as its own component wrote it.
        skipped: the texts of statements that the user has changed or does not want.
    """
    there = imported(text)
    for binding in fragment.imports:
        if binding not in there:
            text = with_import(text, binding, fragment.package)
    lower = [one for other in others if other.rank < fragment.rank for one in _meanings(other.statements)]
    behind = {*_meanings(items_of(read(base))), *lower}
    for item in fragment.statements:
        if item.text.strip() in skipped:
            continue
        text = _with_statement(text, item, behind)
        behind.add(_meaning(item))
    return text


def without_fragment(text: str, fragment: Fragment, others: Sequence[Fragment], kept: Iterable[Binding] = ()) -> str:
    """The module without the statements of a fragment that are as they were, and the imports that nobody needs then.

    Args:
        kept: imports that were there before the fragment, or belong to the module's own component.
    """
    for item in reversed(fragment.statements):
        text = _without_statement(text, item)
    owned = {binding for other in others for binding in other.imports} | set(kept)
    for binding in fragment.imports:
        if binding not in owned and binding.bound not in used_names(text):
            text = without_import(text, binding)
    return text


def plain(text: str, fragments: Sequence[Fragment], base: str) -> str:
    """The module as it would be without any fragment."""
    known = imported(base)
    for at, fragment in enumerate(fragments):
        text = without_fragment(text, fragment, fragments[at + 1 :], known)
    return text


def touched(text: str, fragment: Fragment) -> tuple[str, ...]:
    """The statements of a fragment that the user changed or took out, as they were."""
    there = _meanings(items_of(read(text)))
    return tuple(item.text.strip() for item in fragment.statements if _meaning(item) not in there)


def rank_of(name: str, needs: Mapping[str, Iterable[str]]) -> Rank:
    """The rank of a component; ``needs`` are the components that each needs, by name.

    Example:
        >>> rank_of("limits", {"limits": ["app"], "app": []})
        (1, 'limits')
    """
    below = [rank_of(other, needs)[0] + 1 for other in needs.get(name, ())]
    return max(below, default=0), name


def _with_statement(text: str, item: Item, behind: set[str]) -> str:
    """``text`` with a statement behind the last of ``behind``, and in any case before what runs as a program."""
    source = read(text)
    items = items_of(source)
    if _meaning(item) in _meanings(items):
        return text
    known = [place for place, one in enumerate(items) if _meaning(one) in behind and one.kind != "main"]
    at = max(known, default=-1) + 1
    if not at:
        at = next((place for place, one in enumerate(items) if one.kind in ("main", "tail")), len(items))
    line = items[at - 1].last if at else 0
    before, after = "".join(source.lines[:line]), "".join(source.lines[line:])
    gap = "\n\n" if item.kind in ("def", "class") else ""
    added = f"\n{gap}{item.lead.lstrip()}{item.text}"
    if before and not before.endswith("\n"):
        return f"{before}\n{added}".removesuffix("\n") + after
    return before + added + after


def _without_statement(text: str, item: Item) -> str:
    """``text`` without a statement and what stands above it, where it means what it did."""
    source = read(text)
    for one in items_of(source):
        if _meaning(one) == _meaning(item):
            before, after = "".join(source.lines[: one.start]), "".join(source.lines[one.last :])
            ends = text.endswith("\n") or bool(after)
            return (before if ends else before.removesuffix("\n")) + after
    return text


def _meanings(items: Iterable[Item]) -> set[str]:
    return {_meaning(item) for item in items if item.nodes}


def _meaning(item: Item) -> str:
    return "\n".join(map(meaning, item.nodes))
