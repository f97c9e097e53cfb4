"""The atoms of a statement, every byte of it: names, strings, comments, brackets with what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ATOM = re.compile(
    r"""
    (?P<space>(?:[ \t\f\r\n]|\\\r?\n)+)
  | (?P<comment>\#[^\r\n]*)
  | (?P<string>[A-Za-z]{0,2}(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"
      |'(?:\\(?:\r\n|.)|[^'\\\n])*'|"(?:\\(?:\r\n|.)|[^"\\\n])*"))
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<comma>,)
  | (?P<word>[\w.]+)
  | (?P<sign>:=|->|\*\*=?|//=?|<<=?|>>=?|[-+*/%&|^@=!<>]=|[^\s\w'"])
    """,
    re.VERBOSE | re.DOTALL,
)
CLOSES = {"(": ")", "[": "]", "{": "}"}
TRIVIA = frozenset({"space", "comment"})


@dataclass(slots=True)
class Atom:
    """A piece of text of one kind."""

    kind: str
    text: str


@dataclass(slots=True)
class Group:
    """A bracket and its elements; ``before`` is the word or sign that it follows, ``end`` what precedes its close."""

    opens: str
    before: str
    elements: list[Element] = field(default_factory=list)
    end: str = ""
    comma: bool = False

    @property
    def text(self) -> str:
        """Every byte of it."""
        last = len(self.elements) - 1
        parts = [one.whole(comma=at < last or self.comma) for at, one in enumerate(self.elements)]
        return f"{self.opens}{''.join(parts)}{self.end}{CLOSES[self.opens]}"


Piece = Atom | Group


@dataclass(slots=True)
class Element:
    """What stands between two commas: the space and comments above it, its pieces, what its line ends with."""

    lead: str = ""
    pieces: list[Piece] = field(default_factory=list)
    gap: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """The element alone."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def loose(self) -> str:
        """Its pieces without spaces, and with one kind of quotes: to find it again."""
        return "".join(loose(self.pieces))

    def whole(self, *, comma: bool) -> str:
        """Every byte of it."""
        return f"{self.lead}{self.text}{self.gap}{',' if comma else ''}{self.after}"


class Unbalanced(ValueError):
    """Brackets do not match, or something stands there that is no atom."""


def loose(pieces: list[Piece]) -> Iterator[str]:
    """The texts of pieces without spaces and comments, and with one kind of quotes."""
    for piece in pieces:
        if isinstance(piece, Group):
            yield piece.opens
            for element in piece.elements:
                yield from loose(element.pieces)
                yield ","
            yield CLOSES[piece.opens]
        elif piece.kind not in TRIVIA:
            yield piece.text.replace("'", '"') if piece.kind == "string" else piece.text


def scan(text: str) -> list[Piece]:
    """The pieces of a statement; their texts, joined, are the statement's.

    Raises:
        Unbalanced: brackets do not match.

    Example:
        >>> [piece.text for piece in scan("f(a, b=[1])  # c")]
        ['f', '(a, b=[1])', '  ', '# c']
    """
    rest = atoms(text)
    pieces: list[Piece] = []
    for atom in rest:
        if atom.kind == "close":
            raise Unbalanced(text)
        pieces.append(_group(atom, rest, _word_before(pieces)) if atom.kind == "open" else atom)
    return pieces


def atoms(text: str) -> Iterator[Atom]:
    """The atoms of a text, in order; brackets need not match.

    Raises:
        Unbalanced: something stands there that is no atom.
    """
    at = 0
    while at < len(text):
        found = _ATOM.match(text, at)
        if found is None or found.lastgroup is None:
            raise Unbalanced(text)
        yield Atom(found.lastgroup, found.group())
        at = found.end()


def _word_before(pieces: list[Piece]) -> str:
    for piece in reversed(pieces):
        if isinstance(piece, Group):
            return CLOSES[piece.opens]
        if piece.kind not in TRIVIA:
            return piece.text
    return ""


def _group(opening: Atom, rest: Iterator[Atom], before: str) -> Group:
    group = Group(opening.text, before)
    element = Element()
    for atom in rest:
        if atom.kind == "close":
            if CLOSES[group.opens] != atom.text:
                raise Unbalanced(atom.text)
            return _closed(group, element)
        if atom.kind == "comma":
            _trimmed(element)
            group.elements.append(element)
            element = Element()
            group.comma = True
            continue
        _put(group, element, atom, rest)
    raise Unbalanced(group.opens)


def _put(group: Group, element: Element, atom: Atom, rest: Iterator[Atom]) -> None:
    """Add an atom to an element; a comment on the line of the comma before belongs to the one before."""
    if element.pieces or atom.kind not in TRIVIA:
        element.pieces.append(_group(atom, rest, _word_before(element.pieces)) if atom.kind == "open" else atom)
        group.comma = False
    elif atom.kind == "comment" and group.elements and not set("\r\n") & set(element.lead):
        group.elements[-1].after = element.lead + atom.text
        element.lead = ""
    else:
        element.lead += atom.text


def _trimmed(element: Element) -> None:
    """Move what follows the last word of an element out of its pieces."""
    while element.pieces and isinstance(piece := element.pieces[-1], Atom) and piece.kind in TRIVIA:
        element.gap = piece.text + element.gap
        element.pieces.pop()


def _closed(group: Group, element: Element) -> Group:
    _trimmed(element)
    if not element.pieces:
        group.end = element.lead
        return group
    gap, element.gap = element.gap, ""
    line = re.match(r"[ \t\f]*#[^\r\n]*", gap)
    if line:
        element.after, gap = line.group(), gap[line.end() :]
    group.end = gap
    group.elements.append(element)
    return group
