"""Three-way merges of Python by definition, for files whose lines conflict.

A module is cut into items (imports, definitions, assignments, other statements), the items of three sides are matched
by name and by text, and what each side did to them is done to the result. What conflicts is looked at more closely:
clauses, statements, elements of brackets. What then is still changed by both is left for a person.
"""

from __future__ import annotations

from mlox.components.merge.outcome import Level, MergeResult
from mlox.components.merge.python.blocks import merge_block
from mlox.components.merge.python.imports import missed
from mlox.components.merge.python.items import items_of
from mlox.components.merge.python.nets import caught, readable
from mlox.components.merge.python.notes import Notes
from mlox.components.merge.python.quoting import Quotes
from mlox.components.merge.python.rules import allowed
from mlox.components.merge.python.source import NOT_PYTHON, Source, read, said_encoding, written
from mlox.components.merge.python.weighing import formatted
from mlox.components.merge.python.weighing import plain as is_plain

__all__ = ["merge_python"]


def merge_python(base: str, left: str, right: str, level: Level) -> MergeResult | None:
    r"""Merge three Python files by their items; None where one of them is no Python that can be read.

    Example:
        >>> merge_python("a = 1\nb = 2\n", "a = 3\nb = 2\n", "a = 1\nb = 4\n", "full").text
        'a = 3\nb = 4\n'
    """
    try:
        was, mine, theirs = (read(text) for text in (base, left, right))
        like = _encoded(was, mine, theirs)
        if like is None:
            return None
        plain = is_plain(base, left, right) or formatted(was, mine) or formatted(was, theirs)
        text, notes = _merged(was, mine, theirs, plain=plain)
        if not notes.conflicts and caught(text, mine, theirs, notes.renamed):
            return None
        if (level == "strict" or not notes.conflicts) and not allowed(notes.applied, level, plain=plain):
            return None
        text, conflicts = notes.finished(text)
        if conflicts and not all(readable(text, side) for side in ("mine", "theirs")):
            return None
        text = written(text, like)
        return MergeResult(text, conflicts, tuple(notes.applied)) if said_encoding(text) == like.encoding else None
    except NOT_PYTHON:
        return None


def _encoded(was: Source, mine: Source, theirs: Source) -> Source | None:
    """Of two sides the one that is encoded as the result: that which changed it; None where both did."""
    base, left, right = ((one.bom, one.encoding) for one in (was, mine, theirs))
    if right in (left, base):
        return mine
    return theirs if left == base else None


def _merged(was: Source, mine: Source, theirs: Source, *, plain: bool) -> tuple[str, Notes]:
    """The merge by items; a second time where the first takes away an import that its result uses."""
    items = [items_of(source) for source in (was, mine, theirs)]
    newline = "\r\n" if mine.lines and mine.lines[0].endswith("\r\n") else "\n"
    quotes = Quotes(was.text, mine.text, theirs.text)
    notes = Notes(newline, plain, quotes)
    text = merge_block(items[0], items[1], items[2], notes, ordered=False, path="")
    keep = frozenset() if notes.conflicts else missed(text, was, mine, theirs)
    if keep:
        notes = Notes(newline, plain, quotes, keep)
        text = merge_block(items[0], items[1], items[2], notes, ordered=False, path="")
    return text, notes
