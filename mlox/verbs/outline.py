"""Where the cursor is in a YAML stack that is being typed: below which keys, at a key or at a value. Pure.

The text need not be YAML yet: only indentation and braces are read, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_PAIR = re.compile(r"""^(\s*)(["']?)([^\s"'#:{}\[\],-][^"':{}\[\],]*?)\2\s*:(?:\s+(.*))?$""")
_INNER = re.compile(r"""\s*(["']?)([\w-]+)\1\s*:\s+""")


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor: the keys around it, the text before it in its key or value, and which of both it is in.

    ``path`` ends with the value's own key where it is in a value.
    """

    path: tuple[str, ...]
    partial: str
    in_value: bool


@dataclass(slots=True)
class _Flow:
    """A reading of ``{...}`` up to the cursor: the keys that are open, the one whose value is read, the rest."""

    keys: list[str] = field(default_factory=list)
    current: str | None = None
    rest: str = ""


def place(lines: Sequence[str], row: int, column: int) -> Place | None:
    """Where the cursor is; None where it is in a comment, in a list, or in a text in quotation marks.

    Example:
        >>> place(["services:", "  mlflow:", "    options: {wor"], 2, 17)
        Place(path=('services', 'mlflow', 'options'), partial='wor', in_value=False)
    """
    before = lines[row][:column]
    if re.search(r"(^|\s)#", before) or before.lstrip().startswith("- "):
        return None
    found = _PAIR.match(before)
    indent = len(before) - len(before.lstrip())
    above = _above(lines[:row], indent)
    if found is None:
        key = before.lstrip()
        return None if re.search(r"[\s:{}\[\]]", key) else Place(above, key, in_value=False)
    key, value = found.group(3), found.group(4)
    if value is None:
        return None if before.endswith(":") else Place((*above, key), "", in_value=True)
    if not value.startswith("{"):
        return Place((*above, key), value, in_value=True)
    flow = _read(value)
    if flow is None:
        return None
    path = (*above, key, *flow.keys)
    return Place((*path, flow.current), flow.rest, True) if flow.current is not None else Place(path, flow.rest, False)


def outline(lines: Sequence[str]) -> dict[tuple[str, ...], str]:
    """The value of every key that stands on a line of its own, by its path; empty where a block follows."""
    found = {}
    for row, line in enumerate(lines):
        pair = _PAIR.match(line)
        if pair is not None:
            found[*_above(lines[:row], len(pair.group(1))), pair.group(3)] = (pair.group(4) or "").strip()
    return found


def _above(lines: Sequence[str], indent: int) -> tuple[str, ...]:
    """The keys around a line that is indented by ``indent``."""
    keys: list[str] = []
    for line in reversed(lines):
        pair = _PAIR.match(line)
        if pair is not None and len(pair.group(1)) < indent:
            keys.insert(0, pair.group(3))
            indent = len(pair.group(1))
    return tuple(keys)


def _read(text: str) -> _Flow | None:
    """Read a flow mapping up to the cursor; None where it is closed."""
    flow, position = _Flow(), 0
    depth = 0
    while position < len(text):
        character = text[position]
        if character == "{":
            if depth:
                flow.keys.append(flow.current or "")
            depth += 1
            flow.current, flow.rest = None, ""
        elif character == "}":
            depth -= 1
            flow.current, flow.rest = (flow.keys.pop() if flow.keys else None), ""
        elif character == ",":
            flow.current, flow.rest = None, ""
        else:
            pair = _INNER.match(text, position) if flow.current is None and not flow.rest.strip() else None
            if pair is not None:
                flow.current, position = pair.group(2), pair.end()
                continue
            flow.rest = (flow.rest + character).lstrip()
        position += 1
    return flow if depth > 0 else None
