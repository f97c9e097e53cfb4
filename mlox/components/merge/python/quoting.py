"""Which quotes a side turned those of the base into, and how strings are written that come in."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from mlox.components.merge.python.scanning import atoms

STRING = re.compile(r"([A-Za-z]*)('''|\"\"\"|['\"])(.*)\2", re.DOTALL)
"""A whole string: its prefix, its quotes, what is in it."""
_STRINGS = re.compile(
    r"#[^\r\n]*|'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL
)
_OTHER = {"'": '"', '"': "'"}


@dataclass(frozen=True)
class Quotes:
    """The quotes of three texts: which ones each side uses where the base used others."""

    base: str
    mine: str
    theirs: str

    @cached_property
    def left(self) -> str:
        """The quote that the left side has turned all others into; empty where it has turned none, or not all."""
        return turned(self.base, self.mine)

    @cached_property
    def right(self) -> str:
        """The same for the right side."""
        return turned(self.base, self.theirs)


def turned(was: str, now: str) -> str:
    r"""The quote that all plain strings of a text have, where some had the other one before; else nothing.

    Strings of several lines, and those in which quotes stand, say nothing: formatters leave them.

    Example:
        >>> turned("a = 'b'", 'a = "b"'), turned("a = 'b', 'c'", "a = 'b', \"c\"")
        ('"', '')
    """
    before, after = _quotes(was), _quotes(now)
    return next((new for old, new in _OTHER.items() if before[old] and after[new] and not after[old]), "")


def _quotes(text: str) -> Counter[str]:
    strings = (found.group() for found in _STRINGS.finditer(text))
    return Counter(one[0] for one in strings if one[0] != "#" and len(one) > 2 and not set(one[1:-1]) & {*_OTHER})


def quoted(text: str, quote: str) -> str:
    r"""A text whose plain strings have this quote, where they stay the same strings.

    Example:
        >>> print(quoted("f(b'one', 'it is \"two\"')", '"'))
        f(b"one", 'it is "two"')
    """
    return "".join(_quoted(atom.text, quote) if atom.kind == "string" else atom.text for atom in atoms(text))


def _quoted(text: str, quote: str) -> str:
    found = STRING.fullmatch(text)
    if found is None or found[2] != _OTHER[quote] or set(found[3]) & {*_OTHER}:
        return text
    return f"{found[1]}{quote}{found[3]}{quote}"
