"""Three-way merges of Python by definition, for files whose lines conflict.

A module is cut into items (imports, definitions, assignments, other statements), the items of three sides are matched
by name and by text, and what each side did to them is done to the result. What conflicts is looked at more closely:
clauses, statements, elements of brackets. What then is still changed by both is left for a person.
"""

from __future__ import annotations

from mlox.components.merge.outcome import Conflict, Level, MergeResult
from mlox.components.merge.python.blocks import merge_block
from mlox.components.merge.python.items import items_of
from mlox.components.merge.python.nets import caught
from mlox.components.merge.python.notes import Notes
from mlox.components.merge.python.source import NOT_PYTHON, read, written

__all__ = ["merge_python"]


def merge_python(base: str, left: str, right: str, level: Level) -> MergeResult | None:
    r"""Merge three Python files by their items; None where one of them is no Python that can be read.

    Example:
        >>> merge_python("a = 1\nb = 2\n", "a = 3\nb = 2\n", "a = 1\nb = 4\n", "full").text
        'a = 3\nb = 4\n'
    """
    try:
        sources = [read(text) for text in (base, left, right)]
        if len({(source.bom, source.encoding) for source in sources}) > 1:
            return None
        was, mine, theirs = sources
        newline = "\r\n" if mine.lines and mine.lines[0].endswith("\r\n") else "\n"
        notes = Notes(level, newline)
        text = merge_block(items_of(was), items_of(mine), items_of(theirs), notes, ordered=False, path="")
        if not notes.conflicts:
            reason = caught(text, mine, theirs)
            if reason:
                notes.conflicts.append(Conflict("", reason))
        return MergeResult(written(text, mine), tuple(notes.conflicts), tuple(notes.applied))
    except NOT_PYTHON:
        return None
