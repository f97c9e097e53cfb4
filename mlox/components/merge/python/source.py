"""What a Python file is to the merge: its text as Python reads it, its lines and its syntax tree."""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
import warnings
from dataclasses import dataclass

BOM = "\ufeff"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=]", re.MULTILINE)
NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError, LookupError, tokenize.TokenError)
"""What reading a text as Python may raise: of these, the text stands as git left it."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file cut into lines, with its tree; ``lines`` joined is the text without its byte order mark."""

    lines: list[str]
    tree: ast.Module
    bom: bool
    encoding: str

    @property
    def text(self) -> str:
        """The file's text, without its byte order mark."""
        return "".join(self.lines)


def read(text: str) -> Source:
    r"""Read a text as it comes from a file: UTF-8, with bytes of other encodings escaped as surrogates.

    Raises:
        SyntaxError: it is no Python; also the other errors of :data:`NOT_PYTHON`.

    Example:
        >>> read("a = 1\r\nb = 2").lines
        ['a = 1\r\n', 'b = 2']
    """
    bom = text.startswith(BOM)
    plain = text.removeprefix(BOM)
    encoding = said_encoding(text)
    if encoding != "utf-8":
        plain = plain.encode("utf-8", "surrogateescape").decode(encoding)
    return Source(lines_of(plain), parsed(plain), bom, encoding)


def written(text: str, like: Source) -> str:
    """A merged text as it goes back into a file that is encoded like ``like``."""
    if like.encoding != "utf-8":
        text = text.encode(like.encoding).decode("utf-8", "surrogateescape")
    return BOM + text if like.bom else text


def parsed(text: str) -> ast.Module:
    """The tree of a text; what Python warns of in it is not ours to tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def lines_of(text: str) -> list[str]:
    r"""The lines as Python counts them: a form feed or a Unicode separator ends none.

    Example:
        >>> lines_of("a\x0cb\rc\r\n\nd")
        ['a\x0cb\r', 'c\r\n', '\n', 'd']
    """
    return _LINE.findall(text)


def said_encoding(text: str) -> str:
    """The encoding that a text says it has, by Python's name for it; without a word UTF-8."""
    text = text.removeprefix(BOM)
    if not _COOKIE.search("".join(lines_of(text[:1000])[:2])):
        return "utf-8"
    first = io.BytesIO(text.encode("utf-8", "surrogateescape"))
    name = codecs.lookup(tokenize.detect_encoding(first.readline)[0]).name
    return "utf-8" if name in {"utf-8", "utf-8-sig", "ascii"} else name
