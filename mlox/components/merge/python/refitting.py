"""A change of what is said, put into the text of the side that only formatted it.

Words and brackets of three texts are laid beside each other. What the base and the formatted text say is the same, so
each word of the one has its place in the other, and what was changed is changed there and nowhere else. Python judges
what comes of it: the result's tree is that of the changed text, and no comment is lost, or there is no result.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mlox.components.merge.python.elements import called, comments_of
from mlox.components.merge.python.levels import Level
from mlox.components.merge.python.quoting import quoted
from mlox.components.merge.python.scanning import Atom, Element, Group, Piece, Unbalanced, atoms, scan
from mlox.components.merge.python.sequences import edits, pairs
from mlox.components.merge.python.source import NOT_PYTHON, parsed

_ENDS = re.compile(r"\r\n|\r|\n")
_WORD = re.compile(r"\w+|@")


def refit(was: str, form: str, now: str, quote: str = "") -> str | None:
    r"""``form`` with what ``now`` says otherwise than ``was``; None where ``form`` says another thing than ``was``.

    Also None where the change has no place in ``form``. Strings that come in are written with ``quote``, if any, where
    that is the same string.

    Example:
        >>> print(refit("f(a, b = 'c')\n", 'f(\n    a,\n    b="c",\n)\n', "f(a, b = 'd', e = 1)\n", '"'), end="")
        f(
            a,
            b="d",
            e = 1,
        )
    """
    said = meaning(was)
    if said is None or said != meaning(form) or (then := meaning(now)) in (said, None):
        return None
    comments = [Counter(comments_of(text)) for text in (was, form, now)]
    expected = comments[1] + (comments[2] - comments[0]) - (comments[0] - comments[2])
    try:
        sides = [scan(text) for text in (was, form, now)]
    except (Unbalanced, RecursionError):
        return None
    ends = _ENDS.search(form)
    for ahead in (False, True):
        text = _Refit(ahead, quote, ends.group() if ends else "").pieces(sides[0], sides[1], sides[2], inside=False)
        if text is not None and meaning(text) == then and Counter(comments_of(text)) == expected:
            return text
    return None


def meaning(text: str) -> str | None:
    r"""The dump of the tree of a statement, or of the first lines of one, at any indentation; None where it is neither.

    Example:
        >>> meaning("  elif a (b) :\n") == meaning("    elif a(b):\n")
        True
        >>> meaning("else)") is None
        True
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    body = text if text.endswith(("\n", "\r")) else f"{text}\n"
    word = _WORD.match(first.strip())
    for before, after in _frames(word.group() if word else "", indent):
        try:
            tree = parsed(f"{before}{body}{after}")
        except NOT_PYTHON:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant):
                node.kind = None
        return ast.dump(tree)
    return None


def _frames(word: str, indent: str) -> Iterator[tuple[str, str]]:
    """What makes a whole statement of one that begins with ``word``: lines above and below it."""
    outer = "if 1:\n" if indent else ""
    block = f"{indent} pass\n"
    if word == "case":
        yield "match 0:\n", block
    elif word in {"elif", "else"}:
        yield f"{outer}{indent}if 0:\n{block}", block
    elif word in {"except", "finally"}:
        yield f"{outer}{indent}try:\n{block}", block
    yield outer, ""
    yield outer, block
    if word == "@":
        yield outer, f"{indent}def decorated():\n{block}"


@dataclass(frozen=True, slots=True)
class _Refit:
    """One way to put a change into a formatted text; ``ahead``: what is added stands by what follows it.

    ``quote`` is how strings are written that come in, ``ends`` how lines end.
    """

    ahead: bool
    quote: str
    ends: str

    def pieces(self, was: Sequence[Piece], form: Sequence[Piece], now: Sequence[Piece], *, inside: bool) -> str | None:
        """The pieces of the formatted side with the change; ``inside``: lines end there without a meaning."""
        level = Level.of(was, form, now)
        if level is None:
            return None
        for at, then in pairs(level.keys[0], level.keys[2]):
            piece, shaped, other = level.solid(0, at), level.place(at), level.solid(2, then)
            if isinstance(piece, Group) and isinstance(other, Group) and shaped is not None:
                inner = self.group(piece, level.flat[1][shaped], other)
                if inner is None:
                    return None
                level.texts[shaped] = inner
        for w0, w1, n0, n1 in edits(level.keys[0], level.keys[2]):
            new = self.written("".join(piece.text for piece in level.between(2, n0, n1)))
            done = level.put(w0, w1, new) if w0 < w1 else self._add(level, w0, (n0, n1), new, inside=inside)
            if not done:
                return None
        return "".join(level.texts)

    def _add(self, level: Level, at: int, run: tuple[int, int], new: str, *, inside: bool) -> bool:
        """Put words between two others, by the one above them or, ``ahead``, by the one below."""
        ahead = at == 0 or (self.ahead and at < len(level.keys[0]))
        gap = level.gap(2, run[1] if ahead else run[0])
        if inside and set(gap) & {"\r", "\n"} and "#" not in gap:
            gap = " "
        place = level.place(at if ahead else at - 1)
        if place is None:
            return False
        gap = self.written(gap)
        level.texts[place] = f"{new}{gap}{level.texts[place]}" if ahead else f"{level.texts[place]}{gap}{new}"
        return True

    def group(self, was: Group, form: Piece, now: Group) -> str | None:
        """A bracket of the formatted side with the change."""
        if not isinstance(form, Group) or len(form.elements) != len(was.elements):
            return None
        names = [[called(group, element) for element in group.elements] for group in (was, now)]
        if not form.elements or not now.elements:
            return form.text if len(was.elements) == len(now.elements) else self.written(now.text)
        found = dict(pairs(*names))
        for b0, b1, s0, s1 in edits(*names):
            if b1 - b0 == s1 - s0:
                found |= dict(zip(range(b0, b1), range(s0, s1), strict=True))
        back = {there: at for at, there in found.items()}
        leads = _Leads.of(form)
        elements: list[Element] = []
        for there, element in enumerate(now.elements):
            at = back.get(there)
            if at is None:
                elements.append(self._added(element, leads, first=there == 0))
                continue
            text = self.pieces(was.elements[at].pieces, form.elements[at].pieces, element.pieces, inside=True)
            if text is None:
                return None
            kept = replace(form.elements[at], pieces=[Atom("refitted", text)])
            elements.append(leads.moved(kept, was=at == 0, now=there == 0))
        single = min(len(was.elements), len(now.elements)) == 1 and not set(form.text) & {"\r", "\n"}
        return replace(form, elements=elements, comma=now.comma if single else form.comma).text

    def _added(self, element: Element, leads: _Leads, *, first: bool) -> Element:
        """An element that comes in, at the indentation of its new neighbours."""
        text, lead = self.written(element.text), self.written(element.lead)
        own = leads.first if first else leads.usual
        indents = [_ENDS.split(one)[-1] if _ENDS.search(one) else None for one in (lead, own)]
        if indents[0] is not None and indents[1] is not None:
            text = _moved(text, indents[0], indents[1])
            lead = _moved(lead, indents[0], indents[1])
        apart = len(_ENDS.findall(lead)) > len(_ENDS.findall(own)) > 0
        return Element(
            lead if lead.strip() or apart else own, [Atom("refitted", text)], "", self.written(element.after)
        )

    def written(self, text: str) -> str:
        """A text that comes in, as the formatted side writes its strings and ends its lines."""
        text = quoted(text, self.quote) if self.quote else text
        return _ENDS.sub(lambda _: self.ends, text) if self.ends else text


@dataclass(frozen=True, slots=True)
class _Leads:
    """What stands before the elements of a bracket: the first one, the others mostly."""

    first: str
    usual: str

    @classmethod
    def of(cls, group: Group) -> _Leads:
        first = group.elements[0].lead
        others = [one.lead for one in group.elements[1:] if not one.lead.strip()]
        bare = first if not first.strip() else ""
        return cls(bare, max(others, key=others.count) if others else bare or " ")

    def moved(self, element: Element, *, was: bool, now: bool) -> Element:
        """An element that may have become the first, or no longer is it."""
        if was == now or element.lead.strip():
            return element
        return replace(element, lead=self.first if now else self.usual)


def _moved(text: str, old: str, new: str) -> str:
    """A text of several lines at another indentation; what is inside strings stays."""
    parts = []
    for atom in atoms(text):
        lines = _ENDS.split(atom.text)
        if atom.kind == "space" and len(lines) > 1 and lines[-1].startswith(old):
            parts.append(atom.text[: len(atom.text) - len(lines[-1])] + new + lines[-1][len(old) :])
        else:
            parts.append(atom.text)
    return "".join(parts)
