"""Definitions that the user put into another file, alone: found there, and merged there alone.

What upstream changed of such a definition goes where the user has it. It is then no more looked for in its old file:
it is taken out of the base and out of the new text of that.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mlox.components.bindings import imported
from mlox.components.definitions import definitions, meaning
from mlox.components.merge import Applied, merge
from mlox.components.search import python_files
from mlox.components.shapes import Shape
from mlox.components.tree import Tree
from mlox.journal import Edit

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
SAME = 0.5
"""Two definitions are one that somebody edited where they share more of their statements than this."""
UNREAD = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Followed:
    """A definition in another file: its name, where it lies, the edit of that file, and the rules of its merge."""

    name: str
    path: str
    edit: Edit
    applied: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The base and the new text without the definitions that lie elsewhere, and what becomes of those.

    ``doubtful`` are those that upstream changed and that could be any of several in the user's file.
    """

    base: bytes
    theirs: bytes
    followed: tuple[Followed, ...] = ()
    doubtful: tuple[str, ...] = ()


def follow(tree: Tree, texts: tuple[bytes, bytes, bytes], known: Collection[str]) -> Split:
    """Find what the user took out of a file into another, where upstream changed it, and merge it there.

    One that both sides changed alike, that could be one of two, or whose new text needs a name that its file does not
    have, is left where it was: its file then conflicts, and says so.

    Args:
        texts: the file as it was injected, as it is, and as it comes now.
        known: the files of components, which are merged by themselves; a definition is looked for in other files.
    """
    base, mine, theirs = texts
    gone = _gone(base, mine, theirs)
    split = Split(base, theirs, doubtful=tuple(name for name in gone if _copies(base, mine, name) > 1))
    for name in gone:
        if _renamed(base, mine, name):
            continue
        found = _found(tree.over(one.edit for one in split.followed), name, base, known)
        if found is None:
            continue
        followed = _merged(tree.over(one.edit for one in split.followed), name, found, (base, theirs))
        if followed is not None:
            rest = _without(split.base, name), _without(split.theirs, name)
            split = Split(*rest, (*split.followed, followed), split.doubtful)
    return split


def _gone(base: bytes, mine: bytes, theirs: bytes) -> list[str]:
    """The definitions of the module that upstream changed, and that the user's file has no more."""
    was, comes, there = definitions(base), definitions(theirs), definitions(mine)
    try:
        names = [node.name for node in ast.parse(base).body if isinstance(node, Definition)]
    except UNREAD:
        return []
    once = [name for name in names if names.count(name) == 1 and f"{name}#2" not in comes]
    return [name for name in once if name not in there and name in comes and comes[name] != was[name]]


def _copies(base: bytes, mine: bytes, name: str) -> int:
    """How many definitions of the user's file are what one was, under names that it did not have."""
    was, known = _node(base, name), definitions(base)
    others = [node for node in ast.parse(mine).body if isinstance(node, Definition) and node.name not in known]
    alike = [one for one in others if was is not None and type(one) is type(was)]
    return sum(was is not None and meaning(one.body) == meaning(was.body) for one in alike)


def _renamed(base: bytes, mine: bytes, name: str) -> bool:
    """Whether the user's file has it under another name; then a copy elsewhere is another thing."""
    was = _node(base, name)
    known = definitions(base)
    others = [node for node in ast.parse(mine).body if isinstance(node, Definition) and node.name not in known]
    return was is not None and any(type(one) is type(was) and _share(was, one) > SAME for one in others)


def _found(tree: Tree, name: str, base: bytes, known: Collection[str]) -> tuple[str, bytes] | None:
    """The one file that has the definition: word for word, or else under its name with the most of it."""
    was = _node(base, name)
    there = [
        (path, text, node)
        for path, text in python_files(tree)
        if path not in known and name.encode() in text and (node := _node(text, name)) is not None
    ]
    alike = [one for one in there if type(one[2]) is type(was)]
    same = [one for one in alike if was is not None and meaning(one[2]) == meaning(was)] or [
        one for one in alike if was is not None and _share(was, one[2]) > SAME
    ]
    return same[0][:2] if len(same) == 1 else None


def _share(was: Definition, now: Definition) -> float:
    """How much of the statements of a definition another one has."""
    first, second = ({meaning(node) for node in one.body} for one in (was, now))
    return len(first & second) / len(first)


def _merged(tree: Tree, name: str, found: tuple[str, bytes], texts: tuple[bytes, bytes]) -> Followed | None:
    """The file with the definition merged into it; None where a person has to."""
    path, content = found
    shape = Shape.of(content)
    plain = shape.plain(content)
    merged = merge(_cut(texts[0], name)[1], _cut(plain, name)[1], _cut(texts[1], name)[1], path=path)
    if not merged.clean:
        return None
    before, _, after = _cut(plain, name)
    whole = (before + merged.text.encode("utf-8", "surrogateescape") + after).decode("utf-8", "surrogateescape")
    try:
        if _needs(texts[1], name) - _needs(texts[0], name) - _bound(whole):
            return None
    except UNREAD:
        return None
    return Followed(name, path, Edit(tree.at(path), shape.like(whole), replaces=content), merged.applied)


def _needs(text: bytes, name: str) -> set[str]:
    """The names that a definition uses, but for its own and Python's."""
    node = _node(text, name)
    inside = list(ast.walk(node)) if node is not None else []
    stored = {one.id for one in inside if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
    stored |= {one.arg for one in inside if isinstance(one, ast.arg)}
    stored |= {one.name for one in inside if isinstance(one, Definition)}
    used = {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    return used - stored - set(dir(builtins))


def _bound(text: str) -> set[str]:
    """The names that a module has."""
    names = {name.partition(".")[0].partition("#")[0] for name in definitions(text.encode("utf-8", "surrogateescape"))}
    return names | {one.bound for one in imported(text)}


def _without(text: bytes, name: str) -> bytes:
    before, _, after = _cut(text, name)
    return before.rstrip() + b"\n\n\n" + after.lstrip(b"\n") if after.strip() else before.rstrip() + b"\n"


def _cut(text: bytes, name: str) -> tuple[bytes, bytes, bytes]:
    """What stands before a definition, the definition with its decorators, and what follows."""
    node = _node(text, name)
    if node is None:
        return text, b"", b""
    lines = text.splitlines(keepends=True)
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
    last = node.end_lineno or len(lines)
    return b"".join(lines[:first]), b"".join(lines[first:last]), b"".join(lines[last:])


def _node(text: bytes, name: str) -> Definition | None:
    """A definition of the module that stands there once."""
    try:
        nodes = list(_named(text, name))
    except UNREAD:
        return None
    return nodes[0] if len(nodes) == 1 else None


def _named(text: bytes, name: str) -> Iterator[Definition]:
    return (node for node in ast.parse(text).body if isinstance(node, Definition) and node.name == name)
