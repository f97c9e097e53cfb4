r"""What the files mean that Compose reads variables from: ``.env``, and those of ``env_file``.

``NAME=value``, an ``export`` before it, comments after ``#``; single quotes keep a text as it is, double quotes know
backslashes, both may go over lines; elsewhere ``$NAME`` and ``${NAME:-default}`` stand for variables; a name alone is
taken from the environment.
Source: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mlox.interpolation import interpolate

_KEY = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*([=:])[ \t]*")
_BARE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:#.*)?$")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_AFTER = re.compile(r"[ \t]*(?:#.*)?$")
_ESCAPES = dict(zip("nrtabfv", "\n\r\t\a\b\f\v", strict=True)) | {
    "\\": "\\",
    '"': '"',
    "$": "$$",
}


class Entry(NamedTuple):
    """A value as it is written: in which line, and whether ``$`` begins a variable in it.

    ``inherited`` is a name alone: its value is that of the environment.
    """

    line: int
    text: str
    open: bool
    inherited: bool = False


def parse(text: str) -> dict[str, Entry]:
    """The entries of a text; a name that stands twice has its last value.

    Raises:
        ValueError: a line is broken; the message begins with its number and shows nothing of it.
    """
    found: dict[str, Entry] = {}
    position, line = 0, 1
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        whole = text[position:end]
        key = _KEY.match(text, position, end)
        if not whole.strip() or whole.lstrip().startswith("#"):
            after = end
        elif bare := _BARE.fullmatch(whole):
            found.setdefault(bare[1], Entry(line, "", open=False, inherited=True))
            after = end
        elif key is None:
            raise ValueError(f"{line}: not NAME=value")
        else:
            entry, after = _entry(text, key.end(2), key.end(), end, line)
            found[key[1]] = entry
        line += text.count("\n", position, after) + 1
        position = after + 1
    return found


def evaluated(text: str, environment: Mapping[str, str], *, missing: Callable[[str], str]) -> dict[str, str]:
    r"""The values of a text's variables; those above a line and, before them, ``environment`` may be named in it.

    Raises:
        ValueError: as :func:`parse`. SpecError: a value holds a ``$`` that begins no variable.

    Example:
        >>> evaluated("A=1\nB=${A}$C # two\nHOME\n", {"HOME": "/root"}, missing=lambda name: "")
        {'A': '1', 'B': '1', 'HOME': '/root'}
    """
    values: dict[str, str] = {}
    known = ChainMap(dict(environment), values)
    for name, entry in parse(text.replace("\r\n", "\n")).items():
        if entry.inherited:
            if name in environment:
                values[name] = environment[name]
        else:
            values[name] = interpolate(entry.text, known, missing=missing) if entry.open else entry.text
    return values


def _entry(text: str, sign: int, start: int, end: int, line: int) -> tuple[Entry, int]:
    """The entry whose value begins at ``start``, behind the ``sign``, and where its last line ends."""
    quote = text[start : start + 1]
    if quote not in ("'", '"'):
        value = re.split(r"[ \t]#", text[sign:end], maxsplit=1)[0].strip()
        return Entry(line, value, open=True), end
    match = (_SINGLE if quote == "'" else _DOUBLE).match(text, start)
    if match is None:
        raise ValueError(f"{line}: a quotation mark is not closed")
    stop = text.find("\n", match.end())
    stop = len(text) if stop < 0 else stop
    if not _AFTER.fullmatch(text, match.end(), stop):
        raise ValueError(f"{line}: something stands behind the closing quotation mark")
    if quote == "'":
        return Entry(line, match[1], open=False), stop
    value = re.sub(r"\\(.)", lambda each: _ESCAPES.get(each[1], each[0]), match[1], flags=re.DOTALL)
    return Entry(line, value, open=True), stop
