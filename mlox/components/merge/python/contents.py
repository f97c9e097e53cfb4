"""What one item becomes that both sides have: its comments, its text, its clauses, its elements."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Sequence

from mlox.components.merge.python.elements import comments_of, merge_statement
from mlox.components.merge.python.items import Item, Part, parts_of
from mlox.components.merge.python.notes import Notes
from mlox.components.merge.python.refitting import refit
from mlox.components.merge.python.rows import Row, meets
from mlox.components.merge.python.sequences import edits, merge_lines
from mlox.components.merge.python.source import lines_of

MergeBlock = Callable[..., str]
_ATOM = re.compile(r"\w+|\s+|[^\w\s]")
_NAME = re.compile(r"^(\s*(?:async\s+)?(?:def|class)\s+)(\w+)", re.MULTILINE)


def merge_item(row: Row, notes: Notes, key: str, merge_block: MergeBlock) -> str:
    """The text of an item that both sides have; conflicts stand in it with markers."""
    mine, was, theirs = row.left, row.base, row.right
    if mine is None or theirs is None:
        raise ValueError("merge_item wants an item that both sides have")
    lead = _lead(mine, was, theirs, notes, key)
    if was is None:
        text = _added(mine, theirs, notes, key)
        if text is None:
            text = notes.conflict(key, "both sides add it", mine.text, "", theirs.text)
        return lead + text
    heads = [lines_of(item.text)[:1] for item in (mine, was, theirs)]
    if meets([(mine.lead, was.lead, theirs.lead), ("".join(heads[0]), "".join(heads[1]), "".join(heads[2]))]):
        notes.use("clauses", key)
    return lead + _text(mine, was, theirs, notes, key, merge_block)


def same_meaning(one: Item, other: Item) -> bool:
    """Whether two items differ in format alone."""
    return one.meaning == other.meaning and comments_of(one.whole) == comments_of(other.whole)


def says_no_more(item: Item, was: Item) -> bool:
    """Whether an item says what the base says, in its comments too: no word more."""
    if item.whole == was.whole:
        return True
    now, before = (Counter(" ".join(comments_of(one.whole)).split()) for one in (item, was))
    return now <= before and item.meaning == was.meaning


def _text(mine: Item, was: Item, theirs: Item, notes: Notes, key: str, merge_block: MergeBlock) -> str:
    chosen = _chosen(mine.text, was.text, theirs.text)
    if chosen is not None:
        return chosen
    clauses = [parts_of(item) for item in (mine, was, theirs)]
    if clauses[0] and len({len(parts) for parts in clauses}) == 1:
        texts = []
        ordered = mine.kind != "class"
        for left, base, right in zip(*clauses, strict=True):
            firsts = [part.items[0].whole for part in (left, base, right)]
            if meets([(left.header, base.header, right.header), (firsts[0], firsts[1], firsts[2])]):
                notes.use("clauses", key)
            texts.append(_header(left, base, right, notes, key))
            texts.append(merge_block(base.items, left.items, right.items, notes, ordered=ordered, path=f"{key[4:]}."))
        return "".join(texts)
    text = _leaf(mine, was, theirs, notes, key)
    if text is None:
        return notes.conflict(key, "both sides change it", mine.text, was.text, theirs.text)
    return text


def _header(left: Part, base: Part, right: Part, notes: Notes, key: str) -> str:
    mine, was, theirs = left.header, base.header, right.header
    text = _chosen(mine, was, theirs)
    if text is None:
        text = _decorated(left, base, right, notes, key)
    if text is None:
        text = _renamed_header(mine, was, theirs, notes, key)
    if text is None:
        text = _statement(mine, was, theirs, notes, key)
    if text is None:
        return notes.conflict(key, "both sides change its first line", mine, was, theirs)
    return text


def _decorated(left: Part, base: Part, right: Part, notes: Notes, key: str) -> str | None:
    """Decorators by themselves, where one side alone changed them or both alike, and what follows by itself."""
    sides = [part.header[: part.decorators] for part in (left, base, right)]
    heads = [part.header[part.decorators :] for part in (left, base, right)]
    if not any(sides):
        return None
    above = _chosen(sides[0], sides[1], sides[2])
    if above is None:
        above = _statement(sides[0], sides[1], sides[2], notes, key)
    head = _chosen(heads[0], heads[1], heads[2])
    if head is None:
        head = _renamed_header(heads[0], heads[1], heads[2], notes, key)
    if head is None:
        head = _statement(heads[0], heads[1], heads[2], notes, key)
    if above is None or head is None:
        return None
    return notes.by("decorators", key, above + head)


def _renamed_header(mine: str, was: str, theirs: str, notes: Notes, key: str) -> str | None:
    """A header whose name one side changed, and whose other parts the other."""
    names = [found.group(2) if (found := _NAME.search(text)) else "" for text in (mine, was, theirs)]
    if not all(names) or len(set(names)) != 2:
        return None
    name = names[2] if names[0] == names[1] else names[0]
    if names[0] == names[2] and names[0] != names[1]:
        name = names[0]
    texts = [_NAME.sub(lambda found: found.group(1) + name, text, count=1) for text in (mine, was, theirs)]
    text = _chosen(*texts)
    if text is None:
        text = _statement(texts[0], texts[1], texts[2], notes, key)
    return text


def _leaf(mine: Item, was: Item, theirs: Item, notes: Notes, key: str) -> str | None:
    """A statement without clauses, or whose clauses do not match: in the order of what is surest."""
    if same_meaning(mine, theirs):
        return notes.by("same-change", key, mine.text)
    text = _statement(mine.text, was.text, theirs.text, notes, key)
    if text is not None:
        return text
    if same_meaning(mine, was):
        return notes.by("reformatted", key, theirs.text)
    if same_meaning(theirs, was):
        return notes.by("reformatted", key, mine.text)
    return None


def _statement(mine: str, was: str, theirs: str, notes: Notes, key: str) -> str | None:
    """In the form of a side that only formatted it; else by elements of its brackets, by lines that do not touch."""
    fitted = refit(was, mine, theirs, notes.quotes.left)
    fitted = refit(was, theirs, mine, notes.quotes.right) if fitted is None else fitted
    if fitted is not None:
        return notes.by("reformatted", key, fitted)
    found = merge_statement(was, mine, theirs)
    if found is not None and notes.may(found[1]):
        text, rule = found
        return notes.by(rule, key, text)
    lines = merge_lines(*(lines_of(text) for text in (was, mine, theirs)))
    if lines is not None and notes.may("lines"):
        return notes.by("lines", key, "".join(lines))
    more = _more(mine, was, theirs)
    return None if more is None else notes.by("contained", key, more)


def _more(mine: str, was: str, theirs: str) -> str | None:
    """The side that did all that the other did, and more."""
    words = [_ATOM.findall(text) for text in (was, mine, theirs)]
    done = [{(b0, b1, tuple(side[s0:s1])) for b0, b1, s0, s1 in edits(words[0], side)} for side in (words[1], words[2])]
    if done[1] < done[0]:
        return mine
    return theirs if done[0] < done[1] else None


def _chosen(mine: str, was: str, theirs: str) -> str | None:
    """The side that changed a text, where it is one alone."""
    if theirs in (mine, was):
        return mine
    return theirs if mine == was else None


def _lead(mine: Item, was: Item | None, theirs: Item, notes: Notes, key: str) -> str:
    """The comments and blank lines above."""
    base = was.lead if was else ""
    chosen = _chosen(mine.lead, base, theirs.lead)
    if chosen is not None:
        return chosen
    sides = [lines_of(lead) for lead in (base, mine.lead, theirs.lead)]
    merged = merge_lines(sides[0], sides[1], sides[2])
    if merged is None:
        said = [[line.strip() for line in side if line.strip()] for side in sides]
        merged = _comments(said[0], said[1], said[2], sides)
    if merged is None or (any(line.strip() for line in [*sides[1], *sides[2]]) and not notes.may("comments")):
        return notes.conflict(key, "both sides change the comment above it", mine.lead, base, theirs.lead)
    return notes.by("comments", key, "".join(merged))


def _comments(was: list[str], mine: list[str], theirs: list[str], sides: Sequence[list[str]]) -> list[str] | None:
    """The lead of the side that changed what is said; blank lines alone are nobody's conflict."""
    if theirs in (was, mine) or not theirs:
        return sides[1] if mine or not theirs else None
    if mine == was:
        return sides[2]
    return None


def _added(mine: Item, theirs: Item, notes: Notes, key: str) -> str | None:
    """What both sides add by one name: only where one has all that the other has."""
    if mine.text == theirs.text:
        return mine.text
    if mine.meaning == theirs.meaning:
        longer = max(mine.text, theirs.text, key=lambda text: len(comments_of(text)))
        return notes.by("same-addition", key, longer)
    bodies = [_without_docstring(item) for item in (mine, theirs)]
    if bodies[0] and bodies[0] == bodies[1]:
        longer = max(mine.text, theirs.text, key=len)
        return notes.by("same-addition", key, longer)
    lines = [[line.rstrip() for line in lines_of(item.text)] for item in (mine, theirs)]
    for less, more, item in ((lines[0], lines[1], theirs), (lines[1], lines[0], mine)):
        if _within(less, more):
            return notes.by("same-addition", key, item.text)
    return None


def _without_docstring(item: Item) -> str:
    node = item.node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return ""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    head = [
        ast.dump(value) if isinstance(value, ast.AST) else repr([ast.dump(one) for one in value])
        for field, value in ast.iter_fields(node)
        if field != "body"
        and value
        and (isinstance(value, ast.AST) or (isinstance(value, list) and isinstance(value[0], ast.AST)))
    ]
    return "\n".join([*head, *map(ast.dump, body)])


def _within(less: Sequence[str], more: Sequence[str]) -> bool:
    rest = iter(more)
    return all(line in rest for line in less)
