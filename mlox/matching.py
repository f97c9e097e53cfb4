"""Where secrets stand in a text, for many values and large texts, also in a text that is still being written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from mlox.literals import Literals
from mlox.secret import MASK, masked
from mlox.writings import merged, spans, writings

COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
"""What terminals read as a change of colour (ECMA-48, SGR): it may stand inside a value that somebody highlighted."""

MARKUP = re.compile(r"\x1b\[[0-9;:]*m|</?span\b[^<>]*>")
"""The same, and how HTML says it."""

_SPAN = Literals([("<span", "</span")])
_BEGUN_COLOUR = re.compile(r"\x1b(?:\[[0-9;:]{0,40})?\Z")


class Matcher:
    """Finds the writings of some values.

    A text without any of them, which most are, is told by ``literals``; only in others are places looked for.

    Example:
        >>> matcher = Matcher.of(["hunter22"])
        >>> matcher.redacted("login with hunter22")
        'login with ***'
        >>> matcher.cut("login with hunt")
        ('login with ', 'hunt')
    """

    def __init__(self, writings_of: Iterable[tuple[str, ...]] = ()) -> None:
        self._values = tuple(dict.fromkeys(filter(None, writings_of)))
        self.forms = tuple(dict.fromkeys(form for forms in self._values for form in forms))
        self._literals = Literals(self._values)
        self._longest = max(map(len, self.forms), default=0)

    @classmethod
    def of(cls, values: Iterable[str]) -> Matcher:
        """With every writing of these values."""
        return cls(map(writings, values))

    def redacted(self, text: str, markup: re.Pattern[str] = MARKUP) -> str:
        """``text`` with ``***`` in place of every value; what is not part of one stays as it is."""
        places = self.places(text, markup)
        return _replaced(text, places, markup) if places else text

    def cut(self, text: str) -> tuple[str, str]:
        """What of ``text`` can be shown now, redacted, and its end, which may be the beginning of a value.

        The next text is to be put behind that end. Whatever parts a text comes in, together they show the same.
        """
        places = self.places(text, COLOURS)
        start = self._begun(text)
        # A value that reaches into the held end stays whole, so that one that overlaps it is found too.
        start = min([start, *(first for first, last in places if first < start < last)])
        kept = [place for place in places if place[1] <= start]
        return _replaced(text[:start], kept, COLOURS) if kept else text[:start], text[start:]

    def places(self, text: str, markup: re.Pattern[str] = MARKUP) -> list[tuple[int, int]]:
        """First and last index of every value, in order, without overlaps; ``markup`` may stand inside a value."""
        if self._literals.lacked(text):
            return []
        places = spans(text, self._literals.held(text))
        if self.forms and _may_have(text, markup):
            plain = markup.sub("", text)
            if held := self._literals.held(plain):
                shown = _Shown(text, markup)
                places = merged([*places, *map(shown.place, spans(plain, held))])
        return places

    @cached_property
    def in_latin_1(self) -> Matcher:
        """The same for bytes that were decoded as Latin-1, which every byte can be; of UTF-8."""
        return Matcher(
            tuple(form.encode(errors="surrogatepass").decode("latin-1") for form in forms) for forms in self._values
        )

    @cached_property
    def _begins(self) -> Mapping[str, Sequence[str]]:
        """The forms by their first one, two and three characters."""
        begins: dict[str, list[str]] = {}
        for form in self.forms:
            for length in (1, 2, 3):
                begins.setdefault(form[:length], []).append(form)
        return begins

    def _begun(self, text: str) -> int:
        """The first index from which on ``text`` is the beginning of a value, or of a colour; else its length."""
        if not self.forms:
            return len(text)
        end = len(text)
        if colour := _BEGUN_COLOUR.search(text, max(0, end - 64)):
            end = colour.start()
        if not _may_have(text, COLOURS):
            return self._begun_plain(text)
        width = self._longest
        while True:  # as much of the end as has enough characters, from where no colour is cut
            width *= 2
            before = max(0, text.rfind("\x1b", 0, max(0, end - width)))
            shown = _Shown(text[before:end], COLOURS)
            if before == 0 or len(shown.text) >= self._longest:
                break
        begun = self._begun_plain(shown.text)
        return before + shown.index(begun) if begun < len(shown.text) else end

    def _begun_plain(self, text: str) -> int:
        begins = self._begins
        for start in range(max(0, len(text) - self._longest + 1), len(text)):
            candidates = begins.get(text[start : start + 3])
            if candidates:
                rest = text[start:]
                if any(form.startswith(rest) and form != rest for form in candidates):
                    return start
        return len(text)


class _Shown:
    """A text without its markup, and where each of its characters stood."""

    def __init__(self, text: str, markup: re.Pattern[str]) -> None:
        parts = []
        self._starts = [0]
        self._offsets = [0]
        end = shown = 0
        for match in markup.finditer(text):
            parts.append(text[end : match.start()])
            shown += match.start() - end
            end = match.end()
            self._starts.append(shown)
            self._offsets.append(end - shown)
        self.text = "".join([*parts, text[end:]])

    def index(self, shown: int) -> int:
        """Where in the text with markup the character stands that is the one at ``shown`` without."""
        return shown + self._offsets[bisect_right(self._starts, shown) - 1]

    def place(self, place: tuple[int, int]) -> tuple[int, int]:
        """The same for a place: from its first character to its last."""
        return self.index(place[0]), self.index(place[1] - 1) + 1


def _replaced(text: str, places: Sequence[tuple[int, int]], markup: re.Pattern[str]) -> str:
    """``text`` with ``***`` for each place, behind which the markup stays that stood inside."""
    if not _may_have(text, markup):
        return masked(text, places)
    parts = []
    end = 0
    for first, last in places:
        parts += [text[end:first], MASK, *(match[0] for match in markup.finditer(text, first, last))]
        end = last
    return "".join([*parts, text[end:]])


def _may_have(text: str, markup: re.Pattern[str]) -> bool:
    """Whether to look for markup; single characters are found in no time, and words by ``Literals``."""
    return "\x1b" in text or (markup is MARKUP and "<" in text and bool(_SPAN.held(text)))
