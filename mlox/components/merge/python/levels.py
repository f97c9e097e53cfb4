"""The words between two brackets, or outside of all, on three sides: base, formatted, changed."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlox.components.merge.python.quoting import STRING
from mlox.components.merge.python.scanning import CLOSES, TRIVIA, Atom, Group, Piece
from mlox.components.merge.python.source import NOT_PYTHON

MOST = 4000
"""Words of one statement; in longer ones looking for the best match takes too long."""


@dataclass(frozen=True, slots=True)
class Level:
    """What stands between two brackets, or outside of all, on three sides: base, formatted, changed.

    ``flat`` are its pieces with brackets that only hold together taken apart, ``keys`` what the solid ones say,
    ``places`` where those are in ``flat``; ``found`` tells for those of the base which of the formatted they are, and
    ``texts`` becomes the result.
    """

    flat: list[list[Piece]]
    places: list[list[int]]
    keys: list[list[str]]
    found: dict[int, int]
    texts: list[str]

    @classmethod
    def of(cls, *sides: Sequence[Piece]) -> Level | None:
        """The level; None where the formatted side has other words than the base."""
        flat = [list(_flat(side)) for side in sides]
        places = [[at for at, piece in enumerate(side) if not _is_trivia(piece)] for side in flat]
        if max(map(len, places)) > MOST:
            return None
        keys = [[_key(side[at]) for at in there] for side, there in zip(flat, places, strict=True)]
        found = _beside(keys[0], keys[1])
        return None if found is None else cls(flat, places, keys, found, [piece.text for piece in flat[1]])

    def solid(self, side: int, at: int) -> Piece:
        """One of the pieces that say something."""
        return self.flat[side][self.places[side][at]]

    def place(self, at: int) -> int | None:
        """Where in ``texts`` a solid piece of the base is; None for a bracket that the formatter took away."""
        there = self.found.get(at)
        return None if there is None else self.places[1][there]

    def between(self, side: int, first: int, last: int) -> list[Piece]:
        """The solid pieces from ``first``, before ``last``, and what is between them."""
        places = self.places[side]
        return self.flat[side][places[first] : places[last - 1] + 1] if first < last else []

    def gap(self, side: int, at: int) -> str:
        """What stands before a solid piece, or after the last one."""
        places, pieces = self.places[side], self.flat[side]
        begin = places[at - 1] + 1 if at else 0
        end = places[at] if at < len(places) else len(pieces)
        return "".join(piece.text for piece in pieces[begin:end])

    def put(self, first: int, last: int, new: str) -> bool:
        """Put a text in the place of solid pieces of the base."""
        places = [place for at in range(first, last) if (place := self.place(at)) is not None]
        if not places:
            return not new
        begin, end = min(places), max(places) + 1
        if not new and begin and _is_trivia(self.flat[1][begin - 1]):
            begin -= 1
        elif not new and not begin and end < len(self.texts) and _is_trivia(self.flat[1][end]):
            end += 1
        self.texts[begin:end] = [new, *([""] * (end - begin - 1))]
        return True


def _flat(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Pieces, with brackets around one thing that is no argument taken apart: formatters put them and take them."""
    for piece in pieces:
        if not isinstance(piece, Group) or not _holds(piece):
            yield piece
            continue
        (element,) = piece.elements
        yield Atom("paren", "(")
        yield Atom("space", element.lead)
        yield from _flat(element.pieces)
        yield Atom("space", element.gap + element.after + piece.end)
        yield Atom("paren", ")")


def _holds(group: Group) -> bool:
    if group.opens != "(" or len(group.elements) != 1 or group.comma:
        return False
    last = group.before[-1:]
    return not (last in {*CLOSES.values(), "'", '"'} or last.isalnum() or last == "_") or keyword.iskeyword(
        group.before
    )


def _is_trivia(piece: Piece) -> bool:
    return isinstance(piece, Atom) and piece.kind in TRIVIA


def _key(piece: Piece) -> str:
    """What a piece says, however it is written; a bracket says how it opens, and is looked into."""
    if isinstance(piece, Group):
        return f"{piece.opens}{CLOSES[piece.opens]}"
    if piece.kind == "string" or piece.text[:1].isdigit():
        try:
            return repr(ast.literal_eval(piece.text))
        except NOT_PYTHON:
            found = STRING.fullmatch(piece.text)
            return f"{''.join(sorted(found[1].lower()))}:{found[3]}" if found else piece.text
    return piece.text


def _beside(was: Sequence[str], form: Sequence[str]) -> dict[int, int] | None:
    """Which word of a formatted text is which of the base; None where one has words that the other has not."""
    found: dict[int, int] = {}
    there = 0
    for at, key in enumerate(was):
        while there < len(form) and form[there] != key and form[there] in {"(", ")"} and key not in {"(", ")"}:
            there += 1
        if there < len(form) and form[there] == key:
            found[at] = there
            there += 1
        elif key not in {"(", ")"}:
            return None
    return found if all(key in {"(", ")"} for key in form[there:]) else None
