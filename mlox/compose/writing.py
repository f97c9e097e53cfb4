"""How plain data becomes the YAML that people read and git compares."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarint import ScalarInt
from ruamel.yaml.scalarstring import LiteralScalarString, SingleQuotedScalarString

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})
"""What YAML 1.1, which other programs read, takes for true or false."""


class Octal(int):
    """A number that is written by its octal digits, ``01777``: a mode, which Compose reads in no other form."""


def yaml_text(values: Mapping[str, Any]) -> str:
    r"""The YAML of plain data, in the order of its keys; texts of several lines as blocks.

    Example:
        >>> print(yaml_text({"a": {"b": "1", "c": "x\ny\n"}}), end="")
        a:
          b: '1'
          c: |
            x
            y
    """
    yaml = YAML()
    yaml.width = 4096
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    yaml.dump(_blocks(values), written)
    return written.getvalue()


def _blocks(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _blocks(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_blocks(one) for one in value]
    if isinstance(value, Octal):
        digits = f"{value:o}"
        return ScalarInt(digits, width=len(digits) + 1)
    if isinstance(value, str) and _is_block(value):
        return LiteralScalarString(value)
    return SingleQuotedScalarString(value) if isinstance(value, str) and value.lower() in _WORDS else value


def _is_block(text: str) -> bool:
    """Whether a block keeps it exactly: lines of printable characters, the first not indented."""
    lines = text.split("\n")
    return len(lines) > 1 and all(line.isprintable() for line in lines) and bool(lines[0]) and not lines[0][0].isspace()
