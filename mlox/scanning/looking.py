"""What is looked for in a text: the values of secrets by name, however they are written, and known shapes of keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from mlox.matching import MARKUP, Matcher
from mlox.scanning.shapes import Shapes
from mlox.secret import Secret
from mlox.writings import writings

Kind = Literal["secret", "shape"]

Seen = tuple[int, Kind, str, str]
"""Where, what kind, the name, and the older version whose value it is, if any."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that was found: in which file, where in it, of which kind, its name, and in which commit; no value.

    ``where`` is ``line 3``, ``cell 2, output``, ``byte 17``; ``name`` the secret's name or the shape's; ``version`` the
    id of an older version, where it is that one's value.
    """

    file: str
    where: str
    kind: Kind
    name: str
    commit: str = ""
    version: str = ""


class Needles:
    r"""The values of some secrets, and the shapes of keys where the library that knows them is installed.

    Example:
        >>> needles = Needles([("TOKEN", Secret("hunter22"))], shapes=None)
        >>> list(needles.look("first\nlogin with hunter22"))
        [(2, 'secret', 'TOKEN', '')]
    """

    def __init__(self, secrets: Iterable[tuple[str, Secret]], shapes: Shapes | None) -> None:
        self._values = [(name, "", secret.reveal()) for name, secret in secrets]
        self.shapes = shapes

    def with_older(self, secrets: Iterable[tuple[str, Secret]]) -> Needles:
        """The same, and older values of the secrets, which are told by their versions."""
        known = {(name, value): version for name, version, value in self._values}
        for name, secret in secrets:
            known.setdefault((name, secret.reveal()), secret.version or "")
        more = Needles((), self.shapes)
        more._values = [(name, version, value) for (name, value), version in known.items()]
        return more

    @cached_property
    def matcher(self) -> Matcher:
        """What finds the values."""
        return Matcher.of(value for *_, value in self._values)

    def look(self, text: str) -> Iterator[Seen]:
        """What stands in a text: the line, counted from 1, kind, name and older version; each once a line."""
        for place in self.matcher.places(text):
            line = text.count("\n", 0, place[0]) + 1
            for name, version in self._names(self.matcher, text[slice(*place)]):
                yield line, "secret", name, version
        if self.shapes is not None:
            for line, name in self.shapes.look(text):
                yield line, "shape", name, ""

    def look_in_bytes(self, content: bytes) -> Iterator[Seen]:
        """The same for what is no text, without shapes, and the byte, counted from 0."""
        matcher, text = self.matcher.in_latin_1, content.decode("latin-1")
        for place in matcher.places(text):
            for name, version in self._names(matcher, text[slice(*place)]):
                yield place[0], "secret", name, version

    def _names(self, matcher: Matcher, found: str) -> list[tuple[str, str]]:
        """Whose value it is that was found, and of which older version; with what may stand inside of it taken out."""
        plain = MARKUP.sub("", found)
        latin = matcher is not self.matcher
        names = []
        for name, version, value in self._values:
            forms = writings(value)
            if latin:
                forms = Matcher([forms]).in_latin_1.forms
            if any(form in plain or form in found for form in forms):
                names.append((name, version))
        return names
