"""How the bytes of a text file lie: line ends and a byte order mark, kept whatever is merged into it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Shape:
    r"""The line ends and the byte order mark of a file that somebody saved in his editor.

    Example:
        >>> shape = Shape.of(b"a\r\nb\r\n")
        >>> shape.plain(b"a\r\nb\r\n"), shape.like("a\nc\n")
        (b'a\nb\n', b'a\r\nc\r\n')
    """

    crlf: bool = False
    bom: bool = False

    @classmethod
    def of(cls, content: bytes) -> Self:
        """The shape of a text; one with both kinds of line ends keeps them as they are."""
        return cls(b"\r\n" in content and not re.search(rb"(?<!\r)\n", content), content.startswith(BOM))

    def plain(self, content: bytes) -> bytes:
        """The text as the ones that it is merged with are: line feeds, no mark."""
        content = content.removeprefix(BOM)
        return content.replace(b"\r\n", b"\n") if self.crlf else content

    def like(self, text: str) -> bytes:
        """A merged text in this shape."""
        content = text.encode("utf-8", "surrogateescape")
        return (BOM if self.bom else b"") + (content.replace(b"\n", b"\r\n") if self.crlf else content)
