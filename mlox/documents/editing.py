"""How a YAML text is changed so that all else stays as it was written: comments, order, indentation, line ends.

Where a change goes is read from the marks of the parsed nodes; the text around it is not touched. What comes out is
read again: where it does not say what it should (anchors, unusual forms), ruamel.yaml's round trip writes it instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mlox.documents.reading import load
from mlox.errors import SpecError

Scalar = str | int | float | bool
REMOVED = None
"""The value that takes a key out."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


def edited(text: str, changes: Mapping[str, object], *, source: str, after: str | None = None) -> str:
    r"""``text`` with ``changes`` laid over it, mapping by mapping; ``REMOVED`` takes a key out.

    A new key goes to the end of its mapping; one of the document itself behind the key ``after``, where that is given.

    Raises:
        SpecError: ``text`` is not YAML, or not a mapping.

    Example:
        >>> print(edited("name: churn  # ours\n", {"services": {"db": {"service": "redis"}}}, source="mlox.yaml"))
        name: churn  # ours
        services:
          db:
            service: redis
        <BLANKLINE>
    """
    before = load(text, source=source)
    if not isinstance(before, dict):
        raise SpecError(f"{source}: does not hold a mapping of keys", hint="Begin with: name: ...")
    wanted = _laid_over(before, changes)
    document = _Document(text)
    try:
        written = document.changed(changes, after)
        if load(written, source=source) == wanted:
            return written
    except (SpecError, YAMLError, _UnusualError):
        pass
    return _round_trip(text, changes, document.step)


def _laid_over(below: Any, above: Mapping[str, object]) -> dict[Any, Any]:
    merged = dict(below) if isinstance(below, dict) else {}
    for key, value in above.items():
        if value is REMOVED:
            merged.pop(key, None)
        else:
            merged[key] = _laid_over(merged.get(key), value) if isinstance(value, Mapping) else value
    return merged


class _UnusualError(Exception):
    """The text has a form that is left to the round trip."""


class _Document:
    """A text and the places in it, as offsets."""

    def __init__(self, text: str) -> None:
        self.mark = "\ufeff" if text.startswith("\ufeff") else ""
        self.text = text.removeprefix("\ufeff")
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        self.root: MappingNode = YAML(typ="safe", pure=True).compose(self.text)
        steps = (value.value[0][0].start_mark.column for _, value in self.root.value if _is_block(value))
        self.step = next((column for column in steps if column), 2)
        self.splices: list[tuple[int, int, str]] = []

    def changed(self, changes: Mapping[str, object], after: str | None) -> str:
        """The whole text with ``changes``."""
        self._change(self.root, changes, 0, after)
        text = self.text
        for start, end, new in sorted(self.splices, key=lambda splice: splice[0], reverse=True):
            text = text[:start] + new + text[end:]
        return self.mark + text

    def _change(self, node: MappingNode, changes: Mapping[str, object], column: int, after: str | None = None) -> None:
        known = {key.value: (key, value) for key, value in node.value}
        new: dict[str, object] = {}
        for name, value in changes.items():
            if name not in known:
                new |= {} if value is REMOVED else {name: value}
            elif value is REMOVED:
                self._remove(node, *known[name])
            elif isinstance(value, Mapping):
                self._merge(*known[name], value)
            else:
                self._set(*known[name], value)
        if new and node.flow_style:
            inner = ", ".join(f"{_scalar(name)}: {_flow(value)}" for name, value in new.items())
            at = self._end(node.value[-1][1]) if node.value else node.start_mark.index + 1
            self._splice(at, at, f", {inner}" if node.value else inner)
        elif new:
            at = self._line_after(self._end(known[after][1]) if after in known else self._end_of_block(node, column))
            self._insert(at, self._block(new, column))

    def _merge(self, key: Node, node: Node, value: Mapping[str, object]) -> None:
        if isinstance(node, MappingNode) and node.value:
            self._change(node, value, node.value[0][0].start_mark.column)
        elif isinstance(node, MappingNode) and not self._in_flow(key):
            start = self._colon(key) + 1
            self._splice(start, self._end(node), "")
            self._insert(self._line_after(self._end(node)), self._block(value, key.start_mark.column + self.step))
        elif _is_empty(node) and not self._in_flow(key):
            column = key.start_mark.column + self.step
            self._insert(self._line_after(self._colon(key)), self._block(value, column))
        else:
            raise _UnusualError

    def _set(self, key: Node, node: Node, value: object) -> None:
        if not isinstance(node, ScalarNode) or node.style in ("|", ">") or node.anchor:
            raise _UnusualError
        if _is_empty(node):
            at = self._colon(key) + 1
            self._splice(at, at, f" {_scalar(value)}")
        else:
            self._splice(node.start_mark.index, node.end_mark.index, _scalar(value))

    def _remove(self, parent: MappingNode, key: Node, node: Node) -> None:
        if parent.flow_style:
            raise _UnusualError
        start = self.text.rfind("\n", 0, key.start_mark.index) + 1
        end = self._line_after(self._past_comments(self._end(node), key.start_mark.column + 1))
        self._splice(start, end, "")
        if len(parent.value) == 1 and parent is not self.root:
            owner = next(key for key, value in _pairs(self.root) if value is parent)
            at = self._colon(owner) + 1
            self._splice(at, at, " {}")

    def _end_of_block(self, node: MappingNode, column: int) -> int:
        """Where the mapping ends: behind its last value, and behind comments that are indented like its keys."""
        return self._past_comments(self._end(node.value[-1][1]), column) if node.value else len(self.text)

    def _past_comments(self, at: int, column: int) -> int:
        """The end of the comment lines below ``at`` that begin at ``column`` or deeper."""
        place = self._line_after(at)
        for line in self.text[place:].splitlines(keepends=True):
            content = line.strip()
            if content and not (content.startswith("#") and len(line) - len(line.lstrip(" ")) >= column):
                break
            if content:
                at = place + len(line.rstrip("\r\n"))
            place += len(line)
        return at

    def _end(self, node: Node) -> int:
        """The end of a value: of its last leaf, since the mark of a block stands behind the comments below it."""
        if isinstance(node, ScalarNode) and node.style in ("|", ">"):
            return self._end_of_literal(int(node.start_mark.index))
        if not isinstance(node, (MappingNode, SequenceNode)) or node.flow_style:
            return int(node.end_mark.index)
        last = node.value[-1]
        key, value = last if isinstance(last, tuple) else (None, last)
        if value.start_mark.index < (key or node).start_mark.index:
            raise _UnusualError
        return self._end(value)

    def _end_of_literal(self, at: int) -> int:
        """The end of a block scalar: of the last line that is indented like its first one."""
        place = self._line_after(at)
        indent = None
        for line in self.text[place:].splitlines(keepends=True):
            content, depth = line.strip(), len(line) - len(line.lstrip(" "))
            indent = depth if indent is None and content else indent
            if content and depth < (indent or 1):
                break
            place += len(line)
            at = place - (len(line) - len(line.rstrip("\r\n"))) if content else at
        return at

    def _colon(self, key: Node) -> int:
        return self.text.index(":", key.end_mark.index)

    def _line_after(self, at: int) -> int:
        """The begin of the line below ``at``, or the end of the text."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def _in_flow(self, key: Node) -> bool:
        return bool(self.root.flow_style) or any(
            isinstance(value, (MappingNode, SequenceNode))
            and value.flow_style
            and value.start_mark.index < key.start_mark.index < value.end_mark.index
            for _, value in _pairs(self.root)
        )

    def _insert(self, at: int, lines: list[str]) -> None:
        before = self.line_end if at and self.text[at - 1] != "\n" else ""
        self._splice(at, at, before + "".join(line + self.line_end for line in lines))

    def _splice(self, start: int, end: int, new: str) -> None:
        self.splices.append((start, end, new))

    def _block(self, values: Mapping[str, object], column: int) -> list[str]:
        lines = []
        for name, value in values.items():
            key = f"{' ' * column}{_scalar(name)}:"
            if isinstance(value, Mapping) and value:
                lines += [key, *self._block(value, column + self.step)]
            elif value is not REMOVED:
                lines.append(f"{key} {_flow(value)}")
        return lines


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key, value
            yield from _pairs(value)


def _is_block(node: Node) -> bool:
    return isinstance(node, MappingNode) and bool(node.value) and not node.flow_style


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "" and not node.style


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    return _scalar(value)


def _scalar(value: object) -> str:
    """A scalar of YAML 1.2 that other readers take for the same: what could be anything but text is quoted."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    shown = (c if c.isprintable() else f"\\U{ord(c):08x}" for c in value.replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{"".join(shown)}"'


def _round_trip(text: str, changes: Mapping[str, object], step: int) -> str:
    yaml = YAML()
    yaml.map_indent = step
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(text)
    _lay_into(document, changes)
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _lay_into(known: CommentedMap, changes: Mapping[str, object]) -> None:
    for key, value in changes.items():
        if value is REMOVED:
            known.pop(key, None)
        elif isinstance(value, Mapping):
            if not isinstance(known.get(key), CommentedMap):
                known[key] = CommentedMap()
            _lay_into(known[key], value)
        elif known.get(key) != value:
            known[key] = value
