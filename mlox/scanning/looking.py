"""What is looked for in a text: the values of secrets by name, however they are written, and known shapes of keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from mlox.matching import MARKUP, Matcher
from mlox.scanning.shapes import Shapes
from mlox.secret import Secret
from mlox.writings import writings

Kind = Literal["secret", "shape"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that was found: in which file, where in it, of which kind, its name, and in which commit; no value.

    ``where`` is ``line 3``, ``cell 2, output``, ``byte 17``; ``name`` the secret's name or the shape's.
    """

    file: str
    where: str
    kind: Kind
    name: str
    commit: str = ""


class Needles:
    r"""The values of some secrets, and the shapes of keys where the library that knows them is installed.

    Example:
        >>> needles = Needles([("TOKEN", Secret("hunter22"))], shapes=None)
        >>> list(needles.look("first\nlogin with hunter22"))
        [(2, 'secret', 'TOKEN')]
    """

    def __init__(self, secrets: Sequence[tuple[str, Secret]], shapes: Shapes | None) -> None:
        self._values = [(name, secret.reveal()) for name, secret in secrets]
        self.shapes = shapes

    @cached_property
    def matcher(self) -> Matcher:
        """What finds the values."""
        return Matcher.of(value for _, value in self._values)

    def look(self, text: str) -> Iterator[tuple[int, Kind, str]]:
        """What stands in a text: the line, counted from 1, the kind and the name; each once a line."""
        for place in self.matcher.places(text):
            line = text.count("\n", 0, place[0]) + 1
            for name in self._names(self.matcher, text[slice(*place)]):
                yield line, "secret", name
        if self.shapes is not None:
            for line, name in self.shapes.look(text):
                yield line, "shape", name

    def look_in_bytes(self, content: bytes) -> Iterator[tuple[int, Kind, str]]:
        """The same for what is no text, without shapes: the byte, counted from 0, the kind and the name."""
        matcher, text = self.matcher.in_latin_1, content.decode("latin-1")
        for place in matcher.places(text):
            for name in self._names(matcher, text[slice(*place)]):
                yield place[0], "secret", name

    def _names(self, matcher: Matcher, found: str) -> list[str]:
        """Whose value it is that was found; with what may stand inside of it taken out."""
        plain = MARKUP.sub("", found)
        latin = matcher is not self.matcher
        names = []
        for name, value in self._values:
            forms = writings(value)
            if latin:
                forms = Matcher([forms]).in_latin_1.forms
            if any(form in plain or form in found for form in forms):
                names.append(name)
        return names
