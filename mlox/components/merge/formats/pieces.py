"""What a settings file is to a merge: a tree of pieces, each with its own text, that together are every byte of it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

MAX_CHARS = 400_000
MAX_PIECES = 20_000
MAX_DEPTH = 50


class UnreadableError(Exception):
    """A text that does not parse, is too large, or has a form that is left to the lines."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value without parts: as it is written, and what it means, in a form that can be compared."""

    text: str
    meaning: Hashable

    @property
    def anchor(self) -> str:
        """Nothing: a leaf has its anchor in its meaning."""
        return ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of a mapping, or one element of a list.

    Its text is ``lead`` (what stands above: comments, blank lines), ``head`` (as ``key = ``), the value, ``foot`` and
    ``trail`` (the rest of the line; in brackets, what stands behind the comma). ``key`` is unique in a mapping; in a
    list it is what stands for the element, or None. ``sort`` parts what can be no two versions of one thing.
    ``group`` names the list that an element belongs to where several lists stand in one mapping.
    """

    key: Hashable
    lead: str
    head: str
    value: Leaf | Body
    foot: str = ""
    trail: str = ""
    sort: str = ""
    group: Hashable = None


@dataclass(frozen=True, slots=True)
class Body:
    """A mapping or a list: its pieces between ``opening`` and ``closing``.

    With ``flow`` the pieces stand in brackets, with commas between them and, with ``comma``, behind the last one. Else
    they are lines, indented by ``indent``; with ``compact`` the first one stands behind its parent's head.
    """

    kind: Literal["map", "list"]
    pieces: tuple[Piece, ...] = ()
    opening: str = ""
    closing: str = ""
    flow: bool = False
    comma: bool = False
    indent: int = 0
    compact: bool = False
    anchor: str = ""

    @property
    def text(self) -> str:
        """Every byte of it."""
        return "".join(_texts(self))

    @property
    def meaning(self) -> Hashable:
        """What it says: without comments and form, and of a mapping without order."""
        if self.kind == "map":
            named = frozenset((one.key, one.value.meaning) for one in self.pieces if one.group is None)
            lists = tuple((one.group, one.value.meaning) for one in self.pieces if one.group is not None)
            return "map", self.anchor, named, tuple(sorted(lists, key=lambda one: repr(one[0])))
        return "list", self.anchor, tuple(one.value.meaning for one in self.pieces)


Value = Leaf | Body


def text_of(piece: Piece) -> str:
    """The text of a piece without its indentation and comma."""
    return f"{piece.lead}{piece.head}{piece.value.text}{piece.foot}{piece.trail}"


def keys_checked(body: Body) -> Body:
    """The same.

    Raises:
        UnreadableError: a mapping has a key twice.
    """
    keys = [one.key for one in body.pieces if one.group is None]
    if body.kind == "map" and len(set(keys)) < len(keys):
        raise UnreadableError("a key stands twice")
    return body


def shifted(piece: Piece, by: int, *, flow: bool) -> Piece:
    """The same piece, its lines indented by so many columns more (or fewer)."""
    if not by:
        return piece
    value = piece.value
    return replace(
        piece,
        lead=_moved(piece.lead, by, first=not flow),
        head=_moved(piece.head, by),
        value=shifted_body(value, by) if isinstance(value, Body) else replace(value, text=_moved(value.text, by)),
        foot=_moved(piece.foot, by),
    )


def shifted_body(body: Body, by: int) -> Body:
    """The same mapping or list, indented by so many columns more (or fewer)."""
    if not by:
        return body
    return replace(
        body,
        pieces=tuple(shifted(one, by, flow=body.flow) for one in body.pieces),
        indent=0 if body.flow else max(body.indent + by, 0),
        closing=_moved(body.closing, by, first=not body.flow),
    )


def flow_body(
    text: str,
    kind: Literal["map", "list"],
    start: int,
    end: int,
    entries: Iterable[tuple[int, int, Piece]],
    *,
    comment: str | None = "#",
    anchor: str = "",
) -> Body:
    """The body in brackets that is ``text[start:end]``; each entry is given as where its text begins and ends.

    Raises:
        UnreadableError: between entries stands what cannot be there.
    """
    rest = re.compile(rf"[ \t]*{comment}[^\n]*" if comment else r"(?!)")
    mark = start + 1
    if first := rest.match(text, mark, end - 1):
        mark = first.end()
    opening, comma = text[start:mark], False
    pieces: list[Piece] = []
    for begin, stop, piece in entries:
        if pieces and not comma:
            raise UnreadableError("there is no comma")
        lead = text[mark:begin]
        mark, comma = _comma(text, stop, end - 1, comment)
        foot = text[stop : mark - 1] if comma else ""
        after = rest.match(text, mark, end - 1)
        trail = after.group() if after else ""
        mark += len(trail)
        pieces.append(replace(piece, lead=lead, foot=piece.foot + foot, trail=trail))
    body = Body(kind, tuple(pieces), opening, text[mark:end], flow=True, comma=comma, anchor=anchor)
    return keys_checked(body)


def _comma(text: str, start: int, end: int, comment: str | None) -> tuple[int, bool]:
    """Where the text behind the next comma begins, or ``start`` where there is none before the bracket."""
    at = start
    while at < end:
        if text[at] == ",":
            return at + 1, True
        if comment and text.startswith(comment, at):
            line = text.find("\n", at, end)
            at = end if line < 0 else line
        elif text[at].isspace():
            at += 1
        else:
            raise UnreadableError("something stands between two entries")
    return start, False


def _moved(text: str, by: int, *, first: bool = False) -> str:
    """Every line but the first one indented by so many columns more; with ``first`` that one too."""
    if by > 0:
        pattern = re.compile(r"^(?=[^\n])" if first else r"(?<=\n)(?=[^\n])", re.MULTILINE)
        return pattern.sub(" " * by, text)
    pattern = re.compile(rf"^ {{1,{-by}}}" if first else rf"(?<=\n) {{1,{-by}}}", re.MULTILINE)
    return pattern.sub("", text)


def _texts(body: Body) -> Iterator[str]:
    yield body.opening
    last = len(body.pieces) - 1
    for number, piece in enumerate(body.pieces):
        yield piece.lead
        if not body.flow and not (body.compact and number == 0):
            yield " " * body.indent
        yield piece.head
        if isinstance(piece.value, Body):
            yield from _texts(piece.value)
        else:
            yield piece.value.text
        yield piece.foot
        if body.flow and (number < last or body.comma):
            yield ","
        yield piece.trail
    yield body.closing
