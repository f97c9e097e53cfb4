"""How a JSON text is cut into pieces: by brackets and commas, every blank kept."""

from __future__ import annotations

import json
import re
from typing import Literal

from mlox.components.merge.formats.order import SCALAR
from mlox.components.merge.formats.pieces import (
    MAX_CHARS,
    MAX_DEPTH,
    MAX_PIECES,
    Body,
    Leaf,
    Piece,
    UnreadableError,
    flow_body,
)

_BLANKS = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')


def json_pieces(text: str) -> Body:
    """The object or list of a text.

    Raises:
        UnreadableError: it is no JSON, has a key twice, or is too large.
    """
    if not text.strip():
        return Body("map", closing=text)
    reader = _Reader(text)
    start = reader.blanks(0)
    value, end = reader.value(start, 0)
    if isinstance(value, Leaf) or reader.blanks(end) < len(text):
        raise UnreadableError("no object and no list")
    return Body("map", (Piece("", text[:start], "", value, trail=text[end:]),))


class _Reader:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARS:
            raise UnreadableError("too large")
        self.text = text
        self.count = 0

    def blanks(self, at: int) -> int:
        found = _BLANKS.match(self.text, at)
        return found.end() if found else at

    def value(self, at: int, depth: int) -> tuple[Leaf | Body, int]:
        """The value at a place, and where it ends."""
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_PIECES:
            raise UnreadableError("too deep, or too many values")
        if self.text[at : at + 1] in {"{", "["}:
            return self._body(at, depth)
        return self._scalar(at)

    def _scalar(self, at: int) -> tuple[Leaf, int]:
        found = _SCALAR.match(self.text, at)
        if found is None:
            raise UnreadableError("no value")
        try:
            value = json.loads(found.group())
        except ValueError as error:
            raise UnreadableError("no value") from error
        return Leaf(found.group(), (type(value).__name__, value)), found.end()

    def _body(self, start: int, depth: int) -> tuple[Body, int]:
        kind: Literal["map", "list"] = "map" if self.text[start] == "{" else "list"
        bracket = "}" if kind == "map" else "]"
        entries: list[tuple[int, int, Piece]] = []
        at = self.blanks(start + 1)
        while self.text[at : at + 1] != bracket:
            begin = at
            key = None
            if kind == "map":
                name, at = self._scalar(at)
                colon = self.blanks(at)
                if not name.text.startswith('"') or self.text[colon : colon + 1] != ":":
                    raise UnreadableError("no key")
                key, at = json.loads(name.text), self.blanks(colon + 1)
            value, end = self.value(at, depth + 1)
            named = key if kind == "map" else (SCALAR, value.meaning) if isinstance(value, Leaf) else None
            entries.append((begin, end, Piece(named, "", self.text[begin:at], value)))
            at = self.blanks(end)
            if self.text[at : at + 1] == ",":
                at = self.blanks(at + 1)
                if self.text[at : at + 1] == bracket:
                    raise UnreadableError("a comma before the bracket")
            elif self.text[at : at + 1] != bracket:
                raise UnreadableError("no comma")
        return flow_body(self.text, kind, start, at + 1, entries, comment=None), at + 1
