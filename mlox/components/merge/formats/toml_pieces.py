"""How a TOML text is cut into pieces: lines of keys, tables, arrays of tables with the tables below their elements."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Hashable
from dataclasses import dataclass
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
    keys_checked,
)

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEY.pattern})[ \t]*\]\]?[ \t]*(?:#[^\n]*)?\n")
_LEAD = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?\n")
_GAP = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SCALAR = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"{3,5}(?!")' + r"|'''[\s\S]*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d[^\s,\]}#]*|[^\s,\[\]{}#\"']+"
)


@dataclass(slots=True)
class _Section:
    path: tuple[str, ...]
    element: bool
    lead: str
    head: str
    lines: Body


def toml_pieces(text: str) -> Body:
    """The document of a text, which ends with a line end.

    Raises:
        UnreadableError: it is no TOML, or too large.
    """
    if len(text) > MAX_CHARS:
        raise UnreadableError("too large")
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise UnreadableError("no TOML") from error
    body = _nested(_Reader(text).sections(), ())
    if body.text != text:
        raise UnreadableError("cut wrongly")
    return body


def key_path(text: str) -> tuple[str, ...]:
    """The names in a dotted key.

    Example:
        >>> key_path('tool . "a.b"')
        ('tool', 'a.b')
    """
    try:
        value: object = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError("no key") from error
    path: list[str] = []
    while isinstance(value, dict):
        (name, value), *_ = value.items()
        path.append(name)
    return tuple(path)


def _nested(sections: list[_Section], prefix: tuple[str, ...]) -> Body:
    """The sections as pieces; the tables below an element of an array of tables are part of that element."""
    pieces: list[Piece] = []
    at = 0
    while at < len(sections):
        section = sections[at]
        end = at + 1
        if section.element and section.path != prefix:
            while end < len(sections) and _is_below(sections[end], section.path):
                end += 1
            first = _Section(section.path, element=False, lead="", head="", lines=section.lines)
            inner = _nested([first, *sections[at + 1 : end]], section.path)
            pieces.append(Piece(None, section.lead, section.head, inner, group=section.path))
        else:
            key: Hashable = () if at == 0 else section.path
            pieces.append(Piece(key, section.lead, section.head, section.lines))
        at = end
    return keys_checked(Body("map", tuple(pieces)))


def _is_below(section: _Section, path: tuple[str, ...]) -> bool:
    return len(section.path) > len(path) and section.path[: len(path)] == path


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0

    def sections(self) -> list[_Section]:
        lines, lead, at = self._lines(0)
        found = [_Section((), element=False, lead="", head="", lines=lines)]
        while header := _HEADER.match(self.text, at):
            path, element = key_path(header[2]), header[1] == "[["
            lines, next_lead, at = self._lines(header.end())
            found.append(_Section(path, element, lead, header.group(), lines))
            lead = next_lead
        if at < len(self.text) or lead:
            raise UnreadableError("no table")
        return found

    def _lines(self, at: int) -> tuple[Body, str, int]:
        """The lines of keys from a place to the next table, what stands above that one, and where it begins."""
        pieces: list[Piece] = []
        while True:
            start = self._after(_LEAD, at)
            lead = self.text[at:start]
            if start >= len(self.text):
                return keys_checked(Body("map", tuple(pieces), closing=lead)), "", start
            if _HEADER.match(self.text, start):
                kept, lead = (lead, "") if not pieces and "\n\n" not in f"\n{lead}" and not lead.strip() else ("", lead)
                return keys_checked(Body("map", tuple(pieces), closing=kept)), lead, start
            piece, at = self._pair(self._after(re.compile(r"[ \t]*"), start), start, lead, 0)
            rest = _REST.match(self.text, at)
            if rest is None:
                raise UnreadableError("something stands behind a value")
            pieces.append(Piece(piece.key, piece.lead, piece.head, piece.value, trail=rest.group()))
            at = rest.end()

    def _pair(self, key_at: int, start: int, lead: str, depth: int) -> tuple[Piece, int]:
        key = _KEY.match(self.text, key_at)
        equals = re.compile(r"[ \t]*=[ \t]*").match(self.text, key.end()) if key else None
        if key is None or equals is None:
            raise UnreadableError("no key")
        value, end = self._value(equals.end(), depth)
        return Piece(key_path(key.group()), lead, self.text[start : equals.end()], value), end

    def _value(self, at: int, depth: int) -> tuple[Leaf | Body, int]:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_PIECES:
            raise UnreadableError("too deep, or too many values")
        if self.text[at : at + 1] in {"[", "{"}:
            return self._flow(at, depth)
        found = _SCALAR.match(self.text, at)
        if found is None:
            raise UnreadableError("no value")
        try:
            value = tomllib.loads(f"v = {found.group()}")["v"]
        except tomllib.TOMLDecodeError as error:
            raise UnreadableError("no value") from error
        shown = found.group() if isinstance(value, float) else value
        return Leaf(found.group(), (type(value).__name__, shown)), found.end()

    def _flow(self, start: int, depth: int) -> tuple[Body, int]:
        kind: Literal["map", "list"] = "map" if self.text[start] == "{" else "list"
        bracket = "}" if kind == "map" else "]"
        entries: list[tuple[int, int, Piece]] = []
        at = self._after(_GAP, start + 1)
        while self.text[at : at + 1] != bracket:
            if kind == "map":
                piece, end = self._pair(at, at, "", depth + 1)
            else:
                value, end = self._value(at, depth + 1)
                piece = Piece((SCALAR, value.meaning) if isinstance(value, Leaf) else None, "", "", value)
            entries.append((at, end, piece))
            at = self._after(_GAP, end)
            if self.text[at : at + 1] == ",":
                at = self._after(_GAP, at + 1)
            elif self.text[at : at + 1] != bracket:
                raise UnreadableError("no comma")
        return flow_body(self.text, kind, start, at + 1, entries), at + 1

    def _after(self, pattern: re.Pattern[str], at: int) -> int:
        found = pattern.match(self.text, at)
        return found.end() if found else at
