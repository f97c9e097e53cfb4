"""How a YAML text is cut into pieces, by the marks of its events; whatever is unusual is left to the lines."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

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

_REST = re.compile(r"[ \t]*(#[^\n]*)?\n")
_HEADER = re.compile(r"[ \t]*(?:[&!][^\s,\[\]{}]*[ \t]*)*(#[^\n]*)?\n")
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_DASH = re.compile(r"(?:[&!]\S*\s|#[^\n]*\n|\s)*-")
_OPENING = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*[\[{]")
_COLON = re.compile(r"[ \t]*:")


@dataclass(slots=True)
class _Node:
    kind: Literal["map", "list", "leaf"]
    start: int
    end: int
    flow: bool
    meaning: Hashable
    parts: list[tuple[_Node | None, _Node]]


def yaml_pieces(text: str) -> Body:
    """The mapping or list of a text with one document, which ends with a line end.

    Raises:
        UnreadableError: it is not YAML, or has a form that is left to the lines.
    """
    if len(text) > MAX_CHARS // 2 or "\t" in text:
        raise UnreadableError("too large, or with tabs")
    try:
        root = _Reader(text).document()
    except (YAMLError, RecursionError, ValueError, AttributeError, IndexError, TypeError) as error:
        raise UnreadableError(str(error)) from error
    if root is None:
        if not _BLANK.fullmatch(text):
            raise UnreadableError("no mapping and no list")
        return Body("map", closing=text)
    body = _Cutter(text).root(root)
    if body.text != text:
        raise UnreadableError("cut wrongly")
    return body


class _Reader:
    """Events become nodes with the places where they stand."""

    def __init__(self, text: str) -> None:
        yaml = YAML(typ="safe", pure=True)
        self.resolver = yaml.resolver
        self.events: Iterator[Any] = yaml.parse(text)
        self.count = 0
        self.anchors: set[str] = set()

    def document(self) -> _Node | None:
        found: list[_Node] = []
        documents = 0
        for event in self.events:
            documents += isinstance(event, DocumentStartEvent)
            if isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)):
                found.append(self._node(event, 0))
        if documents > 1 or any(one.kind == "leaf" and one.start < one.end for one in found):
            raise UnreadableError("several documents, or one scalar")
        return found[0] if found and found[0].kind != "leaf" else None

    def _node(self, event: Any, depth: int) -> _Node:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_PIECES:
            raise UnreadableError("too deep, or too many values")
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            if event.anchor not in self.anchors:
                raise UnreadableError("an alias of nothing")
            return _Node("leaf", start, end, False, ("alias", event.anchor), [])
        anchor = f"&{event.anchor}" if event.anchor else ""
        if isinstance(event, ScalarEvent):
            self.anchors |= {event.anchor} if event.anchor else set()
            tag = str(event.tag) if event.tag else self.resolver.resolve(ScalarNode, event.value, event.implicit)
            folded = event.style in {"|", ">"}
            return _Node("leaf", start, end, not folded, (anchor, str(tag), event.value), [])
        tag = f"!{event.tag}" if event.tag and not event.implicit else ""
        is_map = isinstance(event, MappingStartEvent)
        self.anchors |= {event.anchor} if event.anchor else set()
        node = _Node("map" if is_map else "list", start, end, bool(event.flow_style), f"{anchor}{tag}", [])
        for inner in self.events:
            if not isinstance(inner, (ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent)):
                node.end = inner.end_mark.index
                return node
            first = self._node(inner, depth + 1)
            if not is_map:
                node.parts.append((None, first))
                continue
            value = next(self.events)
            if first.kind != "leaf" or isinstance(value, MappingEndEvent):
                raise UnreadableError("a key that is no scalar")
            node.parts.append((first, self._node(value, depth + 1)))
        raise UnreadableError("no end")


class _Cutter:
    """Nodes become pieces that hold every byte."""

    def __init__(self, text: str) -> None:
        self.text = text

    def root(self, node: _Node) -> Body:
        if node.flow:
            body = self._flow(node)
            return replace(
                body, opening=self.text[: node.start] + body.opening, closing=body.closing + self._rest(node)
            )
        start = self._line(self._first(node))
        above = self.text[:start]
        marker = max(
            above.rfind("\n\n") + 2 if "\n\n" in above else 0, above.rfind("---\n") + 4 if "---\n" in above else 0
        )
        body, end = self._block(node, marker, compact=False)
        return replace(body, opening=self.text[:marker], closing=body.closing + self.text[end:])

    def _rest(self, node: _Node) -> str:
        rest = self.text[node.end :]
        if not _BLANK.fullmatch(rest):
            raise UnreadableError("something stands behind the value")
        return rest

    def _first(self, node: _Node) -> int:
        """Where the first key of a block, or the dash of its first element, stands."""
        key, value = node.parts[0]
        if key is not None:
            return key.start
        dash = _DASH.match(self.text, node.start)
        if dash is None or dash.end() > max(value.start, value.end) + 1:
            raise UnreadableError("no dash")
        return dash.end() - 1

    def _block(self, node: _Node, at: int, *, compact: bool, above: int = -1) -> tuple[Body, int]:
        """The block whose text begins at ``at``, and where it ends; ``above`` is the indentation of its parent."""
        first = self._first(node)
        indent = first - self._line(first)
        pieces: list[Piece] = []
        for number, (key, value) in enumerate(node.parts):
            begin = at if compact and number == 0 else self._skip(at) + indent
            lead = self.text[at : at if begin == at else begin - indent]
            if self.text[self._line(begin) : begin].strip() and not (compact and number == 0):
                raise UnreadableError("the keys of a block stand below each other")
            piece, at = self._entry(key, value, begin, lead, indent)
            pieces.append(piece)
        end = self._tail(at, indent if indent > above else indent + 1)
        kind: Literal["map", "list"] = "map" if node.kind == "map" else "list"
        anchor = str(node.meaning)
        body = Body(kind, tuple(pieces), closing=self.text[at:end], indent=indent, compact=compact, anchor=anchor)
        return keys_checked(body), end

    def _entry(self, key: _Node | None, value: _Node, begin: int, lead: str, indent: int) -> tuple[Piece, int]:
        if key is not None:
            if key.start != begin or not (colon := _COLON.match(self.text, key.end)):
                raise UnreadableError("no plain key")
            mark = colon.end()
        else:
            if self.text[begin] != "-":
                raise UnreadableError("no dash")
            mark = begin + 1
        name = key.meaning if key is not None else None
        if value.kind != "leaf" and not value.flow:
            return self._parent(name, value, begin, mark, lead, indent)
        if value.kind != "leaf":
            body = self._flow(value)
            trail, after = self._line_rest(value.end)
            return Piece(_plain(name), lead, self.text[begin : self._bracket(value)], body, trail=trail), after
        leaf, start, end = self._leaf(value, mark)
        trail, after = self._line_rest(end)
        named = _plain(name) if name is not None else (SCALAR, leaf.meaning)
        return Piece(named, lead, self.text[begin:start], leaf, trail=trail), after

    def _parent(self, name: Hashable, value: _Node, begin: int, mark: int, lead: str, indent: int) -> tuple[Piece, int]:
        header = _HEADER.match(self.text, mark)
        if header and (key := value.parts[0][0]) is not None and key.start < header.end():
            header = None
        if header:
            body, end = self._block(value, header.end(), compact=False, above=indent)
            return Piece(_plain(name), lead, self.text[begin : header.end()], body), end
        first = self._first(value)
        if name is not None or self.text[mark:first].strip() or "\n" in self.text[mark:first]:
            raise UnreadableError("a block behind a key")
        body, end = self._block(value, first, compact=True, above=indent)
        return Piece(None, lead, self.text[begin:first], body), end

    def _leaf(self, value: _Node, mark: int) -> tuple[Leaf, int, int]:
        if value.start == value.end:  # nothing: its mark may stand further down
            return Leaf("", value.meaning), mark, mark
        end = value.end if value.flow else self._end_of_literal(value)
        return Leaf(self.text[value.start : end], value.meaning), value.start, end

    def _end_of_literal(self, value: _Node) -> int:
        """The end of a block scalar: blank lines below it belong to it only if it says so."""
        header = self.text[value.start : self.text.index("\n", value.start)]
        kept = self.text[value.start : value.end]
        if "+" in header.partition("#")[0]:
            return value.start + len(kept.rstrip(" ")) - 1
        lines = kept.split("\n")
        inside = [line for line in lines[1:] if line.strip()]
        depth = min((len(line) - len(line.lstrip(" ")) for line in inside[:1]), default=0)
        while len(lines) > 1 and len(lines[-1]) - len(lines[-1].lstrip(" ")) < max(depth, 1):
            lines.pop()
        return value.start + len("\n".join(lines))

    def _flow(self, node: _Node) -> Body:
        entries: list[tuple[int, int, Piece]] = []
        for key, value in node.parts:
            begin = key.start if key is not None else value.start
            if key is not None and not _COLON.match(self.text, key.end):
                raise UnreadableError("a key without a value")
            if value.kind == "leaf":
                inner: Leaf | Body = Leaf(self.text[value.start : value.end], value.meaning)
                named = (SCALAR, value.meaning)
            else:
                inner, named = self._flow(value), None
            at = value.start
            if value.start == value.end and key is not None:
                at = self.text.index(":", key.end) + 1
            at = at if value.kind == "leaf" else self._bracket(value)
            head = self.text[begin:at]
            piece = Piece(_plain(key.meaning) if key is not None else named, "", head, inner)
            entries.append((begin, max(at, value.end if value.start < value.end else at), piece))
        kind: Literal["map", "list"] = "map" if node.kind == "map" else "list"
        return flow_body(self.text, kind, self._bracket(node), node.end, entries, anchor=str(node.meaning))

    def _bracket(self, node: _Node) -> int:
        """Where the bracket of a value stands: behind its anchor and tag."""
        found = _OPENING.match(self.text, node.start)
        if found is None:
            raise UnreadableError("a pair without brackets")
        return found.end() - 1

    def _line_rest(self, at: int) -> tuple[str, int]:
        rest = _REST.match(self.text, at)
        if rest is None:
            raise UnreadableError("something stands behind a value")
        return rest.group(), rest.end()

    def _line(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _skip(self, at: int) -> int:
        """The begin of the next line that has more than a comment."""
        found = _BLANK.match(self.text, at)
        return found.end() if found else at

    def _tail(self, at: int, column: int) -> int:
        """The end of the comments below ``at`` that begin at ``column`` or deeper."""
        end = place = at
        for line in self.text[at : self._skip(at)].splitlines(keepends=True):
            place += len(line)
            if line.strip():
                if len(line) - len(line.lstrip(" ")) < column:
                    break
                end = place
        return end


def _plain(meaning: Hashable) -> Hashable:
    """A key as a name, where it is text; else with what it is."""
    if isinstance(meaning, tuple) and len(meaning) == 3 and meaning[0] == "" and meaning[1].endswith(":str"):
        return str(meaning[2])
    return meaning
