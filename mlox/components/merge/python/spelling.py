"""How an import is written: in a line or between brackets, each name with the comments above and beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlox.components.merge.python.items import Item
from mlox.components.merge.python.scanning import Atom, Element, Group, Unbalanced, scan

WIDTH = 79
_PLAIN = re.compile(r"(\s*(?:from\s+\S+\s+)?import\s+)([^\s#(\\;][^#(\\;\r\n]*?)(\s*(?:#[^\r\n]*)?[\r\n]*)$")
_HEAD = re.compile(r"[ \t\f]*#[^\r\n]*")
_TAIL = re.compile(r"(\s*)(#[^\r\n]*)?([\r\n]*)\Z")
_LAST_LINE = re.compile(r"(?:\r\n|\r|\n)[^\r\n]*\Z")


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of an import: of each name above and beside it, and by the brackets."""

    names: dict[str, tuple[str, str]]
    head: str = ""
    end: str = ""
    tail: str = ""


def comments_in(item: Item | None) -> Comments | None:
    """The comments of an import, apart; None where one stands within a name, or lines are joined by backslashes."""
    if item is None:
        return Comments({})
    plain = _PLAIN.match(item.text)
    if plain:
        return Comments({}, tail=plain[3].strip())
    found = _bracket(item)
    if found is None:
        return None
    _, group, after = found
    if any("#" in one.gap or any(isinstance(piece, Group) for piece in one.pieces) for one in group.elements):
        return None
    head, first = _apart(group.elements[0].lead)
    leads = [first, *(one.lead for one in group.elements[1:])]
    names = {_said(one): (_comment(lead), _comment(one.after)) for one, lead in zip(group.elements, leads, strict=True)}
    return Comments(names, _comment(head), _comment(group.end), _comment(after))


def merged_comments(base: Item | None, left: Item | None, right: Item | None, names: Sequence[str]) -> Comments | None:
    """The comments of these names, from the side that changed each; None where both did, or one of a name that goes."""
    was, mine, theirs = (comments_in(item) for item in (base, left, right))
    if was is None or mine is None or theirs is None:
        return None
    merged: dict[str, tuple[str, str]] = {}
    for name in {**was.names, **mine.names, **theirs.names}:
        three = [one.names.get(name, ("", "")) for one in (was, mine, theirs)]
        if name not in names:
            if any(said and said not in three[0] for side in three[1:] for said in side):
                return None
            continue
        above, beside = (_chosen(*(one[at] for one in three)) for at in (0, 1))
        if above is None or beside is None:
            return None
        merged[name] = (above, beside)
    head = _chosen(was.head, mine.head, theirs.head)
    end = _chosen(was.end, mine.end, theirs.end)
    tail = _chosen(was.tail, mine.tail, theirs.tail)
    return None if head is None or end is None or tail is None else Comments(merged, head, end, tail)


def _chosen(was: str, mine: str, theirs: str) -> str | None:
    if theirs in (was, mine):
        return mine
    return theirs if mine == was else None


def spelled(form: Item, names: Sequence[str], comments: Comments) -> str | None:
    """An import in the form of ``form`` with these names and comments; None where that form has no place for them."""
    plain = _PLAIN.match(form.text)
    if plain:
        if comments.head or comments.end or any(map(any, comments.names.values())):
            return None
        return _in_lines(form, plain[1], names, _ended(plain[3], comments.tail))
    found = _bracket(form)
    if found is None:
        return None
    before, group, after = found
    _fill(group, names, comments)
    return f"{before}{group.text}{_ended(after, comments.tail)}"


def _in_lines(form: Item, begins: str, names: Sequence[str], ends: str) -> str:
    """Names in one line, if it is not too long for that; else each on its own."""
    line = f"{begins}{', '.join(names)}{ends}"
    limit = max(WIDTH, *(len(one.rstrip()) for one in form.source.lines[form.first : form.last]))
    if len(line.rstrip()) <= limit or not form.key.startswith("from"):
        return line
    space = begins[: len(begins) - len(begins.lstrip())]
    newline = "\r\n" if form.text.endswith("\r\n") else "\n"
    inner = "".join(f"{space}    {one},{newline}" for one in names)
    return f"{begins}({newline}{inner}{space}){ends}"


def _bracket(item: Item) -> tuple[str, Group, str] | None:
    """The text above the bracket of an import, the bracket, the text below it."""
    try:
        pieces = scan(item.text)
    except Unbalanced:
        return None
    places = [at for at, piece in enumerate(pieces) if isinstance(piece, Group) and piece.elements]
    if len(places) != 1:
        return None
    group = pieces[places[0]]
    texts = ["".join(piece.text for piece in run) for run in (pieces[: places[0]], pieces[places[0] + 1 :])]
    return (texts[0], group, texts[1]) if isinstance(group, Group) else None


def _fill(group: Group, names: Sequence[str], comments: Comments) -> None:
    """Put names into a bracket; those that stand there keep their lines, and the comments that are still theirs."""
    head, first = _apart(group.elements[0].lead)
    there = {_said(one): one for one in (replace(group.elements[0], lead=first), *group.elements[1:])}
    leads = [one.lead for one in group.elements[1:] if not one.lead.strip()]
    line = _LAST_LINE.search(first)
    usual = max(set(leads), key=leads.count) if leads else line.group() if line else " "
    bare = line.group() if line else first
    elements = []
    for at, name in enumerate(names):
        element = there.get(name) or Element("", [Atom("word", name)])
        above, beside = comments.names.get(name, ("", ""))
        lead = element.lead
        if _comment(lead) != above:
            lead = f"{usual}{above}{usual}" if above else ""
        if not lead.strip():
            lead = bare if at == 0 else lead if lead and name != _said(group.elements[0]) else usual
        after = element.after if _comment(element.after) == beside else f"  {beside}" if beside else ""
        elements.append(replace(element, lead=lead, after=after))
    if _comment(head) != comments.head:
        head = f"  {comments.head}" if comments.head else ""
    elements[0] = replace(elements[0], lead=head + elements[0].lead)
    if _comment(group.end) != comments.end:
        group.end = f"{usual}{comments.end}{_last(group.end)}" if comments.end else _last(group.end)
    group.elements = elements


def _last(space: str) -> str:
    line = _LAST_LINE.search(space)
    return line.group() if line else ""


def _apart(lead: str) -> tuple[str, str]:
    """The comment on the line of the bracket, and what stands above its first name."""
    head = _HEAD.match(lead)
    return (head.group(), lead[head.end() :]) if head else ("", lead)


def _said(element: Element) -> str:
    return " ".join(element.text.split())


def _comment(text: str) -> str:
    """What is said in a text of spaces and comments, with its lines as they are but for those around it."""
    return text.strip()


def _ended(after: str, tail: str) -> str:
    """What follows an import, with another comment."""
    found = _TAIL.match(after)
    if found is None or (found[2] or "") == tail:
        return after
    ends = found[3] if found[2] else found[1][len(found[1].rstrip("\r\n")) :]
    return f"{found[1] if found[2] else '  '}{tail}{ends}" if tail else ends
