"""Requirements in a list of ``pyproject.toml``: PEP 621's ``dependencies``, a group of PEP 735."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlox.components.dependencies.versions import Listed, listed
from mlox.components.merge.formats.pieces import Body, Leaf, UnreadableError, text_of
from mlox.components.merge.formats.toml_pieces import toml_pieces
from mlox.errors import SpecError, WorkspaceError

PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Spot:
    """A value in a TOML text: its body, where that begins, and where its line begins and ends."""

    body: Body
    start: int
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class ArraySheet:
    """The list below ``key`` of the table ``table``; see :class:`mlox.components.dependencies.sheets.Sheet`."""

    table: tuple[str, ...]
    key: str
    path: str = PYPROJECT
    names_are_keys: bool = False

    @property
    def where(self) -> str:
        """The dotted key."""
        return ".".join((*self.table, self.key))

    def listed(self, text: str) -> tuple[Listed, ...]:
        """What stands in the list."""
        found = [listed(str(value)) for value in self._values(text)]
        return tuple(one for one in found if one is not None)

    def is_new(self, text: str) -> bool:
        """Whether there is no such key."""
        return self._spot(text) is None

    def insertion(self, text: str, entries: Sequence[str], *, made: bool) -> tuple[int, str]:
        """Where entries go, and their text: in front, on lines of their own where the list has lines."""
        spot = self._spot(text)
        if spot is None or made:
            return self._whole(text, entries)
        return _block(text, spot, entries, alone=not spot.body.pieces)

    def found(self, text: str, entries: Sequence[str], *, made: bool) -> tuple[int, str] | None:
        """The same for a text that has them."""
        spot = self._spot(text)
        if spot is None or self._values(text)[: len(entries)] != list(entries):
            return None
        at, block = _block(text, spot, entries, alone=len(spot.body.pieces) == len(entries))
        if made:
            block = _new_line(self.key, entries, _line_end(text))
            at = spot.line if text.endswith("\n") or spot.end < len(text) else max(spot.line - len(_line_end(text)), 0)
            block = block if at == spot.line else _line_end(text) + block.removesuffix(_line_end(text))
        return (at, block) if text[at : at + len(block)] == block else None

    def without(self, text: str, entry: str) -> str:
        """The text without an entry, by tomlkit."""
        import tomlkit

        document = tomlkit.parse(text)
        value: object = document
        for name in (*self.table, self.key):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, list) and entry in value:
            value.remove(entry)
        return tomlkit.dumps(document)

    def _whole(self, text: str, entries: Sequence[str]) -> tuple[int, str]:
        """Where the list goes in with its key: behind the last line of its table."""
        end = _line_end(text)
        at = next((stop for path, _, stop, _ in _tables(text) if path == self.table), None)
        if at is None:
            raise WorkspaceError(f"{self.path} has no plain table [{'.'.join(self.table)}]", hint="Write one there.")
        block = _new_line(self.key, entries, end)
        at = min(at, len(text))
        return at, block if not at or text[at - 1] == "\n" else end + block.removesuffix(end)

    def _values(self, text: str) -> list[object]:
        spot = self._spot(text)
        leaves = [one.value for one in spot.body.pieces] if spot else []
        return [one.meaning[1] if isinstance(one, Leaf) and isinstance(one.meaning, tuple) else None for one in leaves]

    def _spot(self, text: str) -> Spot | None:
        spot = find_value(text, (*self.table, self.key))
        if spot is not None and spot.body.kind != "list":
            raise SpecError(f"{self.path}: {self.where} is no list", hint="Mend it there; nothing was changed.")
        return spot


def find_value(text: str, path: tuple[str, ...]) -> Spot | None:
    """The value at a path of keys; a scalar is a body without pieces that is no list.

    Raises:
        SpecError: it is no TOML.
    """
    for table, start, _, lines in _tables(text):
        at = start
        for piece in lines.pieces:
            line = at + len(piece.lead)
            begin, end = line + len(piece.head), at + len(text_of(piece))
            if isinstance(piece.key, tuple) and (*table, *piece.key) == path:
                value = piece.value
                body = value if isinstance(value, Body) else Body("map", opening=value.text)
                return Spot(body, begin, line, min(end, len(text)))
            at = end
    return None


def find_table(text: str, path: tuple[str, ...]) -> int | None:
    """Where the lines of a table begin; None where it has no header of its own."""
    return next((min(start, len(text)) for table, start, _, _ in _tables(text) if table == path), None)


def _tables(text: str) -> Iterator[tuple[tuple[str, ...], int, int, Body]]:
    """The tables of a text: path, where their lines begin, where the last of them ends, and the lines."""
    same_length = text.removeprefix("\ufeff").replace("\r\n", " \n")
    at = len(text) - len(same_length)
    try:
        root = toml_pieces(same_length if same_length.endswith("\n") or not same_length else f"{same_length}\n")
    except UnreadableError as error:
        raise SpecError(f"{PYPROJECT}: not valid TOML: {error}", hint="Mend it there; nothing was changed.") from error
    for piece in root.pieces:
        start = at + len(piece.lead) + len(piece.head)
        if isinstance(piece.value, Body) and piece.group is None and isinstance(piece.key, tuple):
            stop = start + len(piece.value.text) - len(piece.value.closing)
            yield piece.key, start, stop, piece.value
        at += len(text_of(piece))


def _block(text: str, spot: Spot, entries: Sequence[str], *, alone: bool) -> tuple[int, str]:
    opening = spot.start + len(spot.body.opening)
    gap = spot.body.pieces[0].lead if spot.body.pieces else spot.body.closing[:-1]
    if "\n" in gap:
        indent = re.sub(r"\S.*", "", gap.rpartition("\n")[2]) if spot.body.pieces else "    "
        return opening, "".join(f"{_line_end(text)}{indent}{quoted(one)}," for one in entries)
    shown = ", ".join(map(quoted, entries))
    return (opening, shown) if alone else (opening + len(gap), f"{shown}, ")


def _new_line(key: str, entries: Sequence[str], end: str) -> str:
    return end.join([f"{key} = [", *(f"    {quoted(one)}," for one in entries), "]", ""])


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text)


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
