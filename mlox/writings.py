"""How a value may be written: as it is, in a URL, in base64, in JSON, Python or HTML, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

SHORTEST = 6
"""Values and writings with fewer characters are not looked for: they would be found everywhere."""

LONGEST_PIECE = 1024
"""A line that is longer is looked for in pieces, so that little has to be held back of a text that is being written."""

_LINE_END = re.compile(r"[\r\n]+|\\n|\\r")
_PERCENT = re.compile("%[0-9A-F]{2}")
_SAFE = ("", "/", "!'()*", " +")
"""What is not escaped in a URL: by a strict writer, by Python's ``quote``, by JavaScript, by SQLAlchemy."""


@lru_cache(maxsize=4096)
def writings(value: str) -> tuple[str, ...]:
    """The texts that give ``value`` away, each at least 6 characters; none where the value itself is shorter.

    The value and each of its lines: plain; percent-encoded (``quote``, ``quote_plus``, also in lower case); base64,
    standard and URL-safe, at all three places in a group of bytes; escaped as in JSON, in Python, in a shell and in
    HTML.

    Example:
        >>> writings("p@ss/word")[:4]
        ('p@ss/word', 'p%40ss%2Fword', 'p%40ss/word', 'p%40ss%2fword')
        >>> writings("short")
        ()
    """
    found: dict[str, None] = {}
    for text in _texts(value):
        for form in _written(text):
            if len(form) >= SHORTEST:
                found[form] = None
    return tuple(found)


def spans(text: str, forms: Iterable[str]) -> list[tuple[int, int]]:
    """Where any of ``forms`` stands in ``text``: first and last index, in order; places that overlap are one.

    Example:
        >>> spans("abcdefgh", ["abcd", "defg"])
        [(0, 7)]
    """
    found = []
    for form in forms:
        at = text.find(form)
        while at >= 0:
            found.append((at, at + len(form)))
            at = text.find(form, at + 1)
    return merged(found)


def merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The places in order, with those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(places):
        if joined and first < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _texts(value: str) -> Iterator[str]:
    """The value, its lines, and the pieces of what is too long; without those that are too short, or blank."""
    if len(value) < SHORTEST or value.isspace():
        return
    if len(value) <= LONGEST_PIECE:
        yield value
    for line in _LINE_END.split(value):
        stripped = line.strip()
        for start in range(0, len(stripped), LONGEST_PIECE):
            piece = stripped[start : start + LONGEST_PIECE]
            if len(piece.strip()) >= SHORTEST:
                yield piece


def _written(text: str) -> Iterator[str]:
    from urllib.parse import quote, quote_plus

    yield text
    encoded = text.encode(errors="surrogatepass")
    quoted = [*(quote(encoded, safe=safe) for safe in _SAFE), quote_plus(encoded)]
    yield from quoted
    yield from (_PERCENT.sub(lambda match: match[0].lower(), one) for one in quoted)
    yield from _base64(encoded)
    for form in (text, *_escaped(text, encoded)):
        yield form
        yield from _in_html(form)


def _base64(value: bytes) -> Iterator[str]:
    """What is the same whatever stands before and after the value, and the value alone with its last characters."""
    from base64 import b64encode

    for shift in range(3):
        whole = b64encode(bytes(shift) + value).decode()
        first, last = (shift * 8 + 5) // 6, (shift + len(value)) * 8 // 6
        forms = [whole[first:last]]
        if shift == 0:
            forms += [whole, whole.rstrip("=")]
            # As `base64` and PEM files break lines.
            forms += [whole[i : i + width] for width in (64, 76) if width < len(whole) for i in range(0, last, width)]
        for form in forms:
            yield form
            yield form.replace("+", "-").replace("/", "_")


def _escaped(text: str, encoded: bytes) -> Iterator[str]:
    """As string literals: JSON's, also within another one, Python's with either quotation mark, a shell's, YAML's."""
    import json

    for ascii_only in (True, False):
        form = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield form
        yield form.replace("/", "\\/")
        yield form.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        yield json.dumps(form, ensure_ascii=ascii_only)[1:-1]
    for write in (repr, ascii):
        yield write(text)[1:-1]
        yield write(text + "'\"")[1:-4]
    yield repr(encoded)[2:-1]
    yield repr(encoded + b"'\"")[2:-4]
    yield text.replace("'", "'\"'\"'")
    yield text.replace("'", "''")


def _in_html(text: str) -> Iterator[str]:
    """As HTML: quotation marks as they are, and as Python, MarkupSafe and XML write them."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield plain
    for double, single in (("&quot;", "&#x27;"), ("&#34;", "&#39;"), ("&quot;", "&apos;")):
        yield plain.replace('"', double).replace("'", single)
