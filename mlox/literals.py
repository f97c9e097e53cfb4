"""Which of many literals a text may hold, also a large one, at about the pace of reading it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from heapq import heapify, heappop, heappush
from math import prod
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    from pydantic import TypeAdapter

GROUP = 48
"""How many literals the regex engine of pydantic looks for at once by vector instructions; measured."""

LARGE = 1 << 16
"""From this many characters on, a text is worth anchors, which take some ten milliseconds to choose."""

_FEW = 2  # groups, which are asked as quickly as their anchors
_BLOCK = 512  # literals, for which anchors are chosen together: a new secret changes the last block alone
_ANCHOR, _PIECE, _ENOUGH = 3, 8, 64  # characters: of an anchor, with what follows, and of a literal that are tried
_SAMPLE, _WRONG = 4096, 4  # characters that are sampled twice, and how often the sample may have missed one

_OFTEN = {**dict.fromkeys(ascii_lowercase, 0.04), **dict.fromkeys(ascii_uppercase, 0.004)} | {
    **dict.fromkeys(digits, 0.03),
    " ": 0.15,
}
"""About how often characters stand in outputs; others 0.006. It only decides what is fast."""

_EACH = 1e-5
"""What one more anchor costs, as an anchor that occurs that often."""


class Literals:
    """Groups of texts, and which of them a text may hold: never less than it holds, and seldom more.

    All is asked of the regex engine that pydantic brings, which looks for up to 64 literals at once by vector
    instructions (https://docs.rs/regex). Of a large text, where there are many literals, it is asked for anchors first:
    three characters of each, chosen so that many share them and outputs seldom have them, with what follows.

    Example:
        >>> literals = Literals([("p@ss/word", "p%40ss%2Fword")])
        >>> literals.held("postgresql://app:p%40ss%2Fword@127.0.0.1/main")
        ['p@ss/word', 'p%40ss%2Fword']
        >>> literals.held("postgresql://127.0.0.1/main")
        []
    """

    def __init__(self, groups: Iterable[tuple[str, ...]]) -> None:
        self._groups = tuple(filter(None, groups))

    def lacked(self, text: str) -> bool:
        """Whether a large text holds none for certain, and would not if some of its characters were taken out."""
        return len(text) >= LARGE and self._characters.rule_out(text)

    def held(self, text: str) -> list[str]:
        """The texts to look for in ``text``; all, where it has lone surrogates, since the engine takes none."""
        if not _is_unicode(text):
            return self._all()
        many = len(text) >= LARGE and len(self._engines) > _FEW
        if many and not any(engine.validator.isinstance_python(text) for engine in self._anchors):
            return []
        return [form for engine, forms in self._engines if engine.validator.isinstance_python(text) for form in forms]

    def _all(self) -> list[str]:
        return [form for forms in self._groups for form in forms]

    @cached_property
    def _engines(self) -> Sequence[tuple[TypeAdapter[str], Sequence[str]]]:
        """For some groups at a time what tells whether a text holds one of theirs, and all of their texts."""
        some: list[list[tuple[str, ...]]] = [[]]
        size = 0
        for forms in self._groups:
            needed = len(_least(forms))
            if not needed:
                continue
            if some[-1] and size + needed > GROUP:
                some.append([])
                size = 0
            some[-1].append(forms)
            size += needed
        return [(_engine(tuple(groups)), [form for forms in groups for form in forms]) for groups in some if groups]

    @cached_property
    def _characters(self) -> _Characters:
        """Of the literals, and of what the engines do not look for."""
        others = (form for form in self._all() if not _is_unicode(form))
        return _Characters([*(form for forms in self._groups for form in _least(forms)), *others])

    @cached_property
    def _anchors(self) -> Sequence[TypeAdapter[str]]:
        """What takes the texts that may hold any."""
        literals = [form for forms in self._groups for form in _least(forms)]
        blocks = [tuple(literals[start : start + _BLOCK]) for start in range(0, len(literals), _BLOCK)]
        return [engine for block in blocks for engine in _anchored(block)]


class _Characters:
    """What literals consist of: a text that lacks a character holds none of those that have it."""

    def __init__(self, literals: Sequence[str]) -> None:
        self._all = (1 << len(literals)) - 1
        self._having: dict[str, int] = {}
        for number, literal in enumerate(literals):
            for character in set(literal):
                self._having[character] = self._having.get(character, 0) | 1 << number

    def rule_out(self, text: str) -> bool:
        """Whether ``text`` holds none for certain; given up early, since it is only faster than to look for them."""
        seen = {*text[:_SAMPLE], *text[:: len(text) // _SAMPLE + 1]}
        unseen = {character: having for character, having in self._having.items() if character not in seen}
        left, wrong = self._all, 0
        while left and wrong < _WRONG:
            character = max(unseen, key=lambda each: (unseen[each] & left).bit_count(), default="")
            having = unseen.pop(character, 0)
            if not having & left:
                return False
            if character in text:
                wrong += 1
            else:
                left &= ~having
        return not left


@lru_cache(maxsize=512)
def _engine(groups: tuple[tuple[str, ...], ...]) -> TypeAdapter[str]:
    """What takes the texts that hold one of these; kept, since a new secret changes the last of them alone."""
    return _matching(_literal(form) for forms in groups for form in _least(forms))


def _matching(patterns: Iterable[str]) -> TypeAdapter[str]:
    from pydantic import StringConstraints, TypeAdapter

    return TypeAdapter(Annotated[str, StringConstraints(pattern="|".join(patterns))])


@lru_cache(maxsize=64)
def _anchored(literals: tuple[str, ...]) -> tuple[TypeAdapter[str], ...]:
    """What takes the texts that hold an anchor of one of these, and what follows it there."""
    # What the engine looks for is what stands before the dot; it is best with those that begin alike.
    patterns = []
    for anchor, pieces in sorted(_chosen(literals).items()):
        follows = "|".join(_literal(piece[_ANCHOR + 1 :]) for piece in pieces)
        short = any(len(piece) <= _ANCHOR for piece in pieces)
        patterns.append(_literal(anchor) if short else f"{_literal(anchor)}(?s:.)(?:{follows})")
    return tuple(_matching(patterns[start : start + GROUP]) for start in range(0, len(patterns), GROUP))


def _chosen(literals: Sequence[str]) -> dict[str, list[str]]:
    """Anchors, with a piece of each literal that begins with one: greedily those that serve most for least."""
    where: dict[str, dict[int, int]] = {}
    for number, literal in enumerate(literals):
        for start in range(max(1, min(len(literal), _ENOUGH) - _PIECE + 1)):
            where.setdefault(literal[start : start + _ANCHOR], {}).setdefault(number, start)
    costs = {anchor: _EACH + prod(_OFTEN.get(character, 0.006) for character in anchor) for anchor in where}
    waiting = [(-len(numbers) / costs[anchor], anchor) for anchor, numbers in where.items()]
    heapify(waiting)
    left, chosen = set(range(len(literals))), dict[str, list[str]]()
    while left:
        _, anchor = heappop(waiting)
        served = left & where[anchor].keys()
        worth = -len(served) / costs[anchor]
        if served and waiting and worth > waiting[0][0]:
            heappush(waiting, (worth, anchor))
        elif served:
            chosen[anchor] = [literals[n][where[anchor][n] :][:_PIECE] for n in sorted(served)]
            left -= served
    return chosen


@lru_cache(maxsize=4096)
def _least(forms: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that no other one is part of: where none of them stands, none stands. No lone surrogates."""
    some = [form for form in forms if _is_unicode(form)]
    return tuple(form for form in some if not any(other != form and other in form for other in some))


def _is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates: the engine answers then as if it had found nothing."""
    return text.isascii() or _any().validator.isinstance_python(text)


@lru_cache(maxsize=1)
def _any() -> TypeAdapter[str]:
    return _matching([""])


def _literal(text: str) -> str:
    r"""``text`` as a pattern of the regex engine, which knows no ``\ `` and calls NUL ``\x00``.

    Source: https://docs.rs/regex/latest/regex/#syntax
    """
    return "".join(c if c.isascii() and c.isalnum() else f"\\x{{{ord(c):x}}}" for c in text)
