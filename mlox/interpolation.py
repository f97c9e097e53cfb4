"""What ``${VAR}`` in a YAML stack stands for, as Compose has it.

``$VAR ${VAR} ${VAR:-default} ${VAR-default} ${VAR:?message} ${VAR?message} ${VAR:+other} ${VAR+other}``, and ``$$`` for
one dollar sign; defaults may hold variables themselves. Where Compose takes a missing variable for empty, this is an
error, unless the caller says what stands for it. Source: https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mlox.errors import SpecError

MAX_DEPTH = 20
"""So deep may defaults stand in defaults; what is deeper was not written by a person."""

MAX_CHARACTERS = 1_000_000
"""So long may a text become through its variables."""

Missing = Callable[[str], str]
Told = Callable[[str, str], None]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(rf"({_NAME.pattern})(?:(:?[-?+])(.*))?", re.DOTALL)


def interpolate(
    text: str,
    environment: Mapping[str, str],
    *,
    missing: Missing | None = None,
    told: Told | None = None,
    _depth: int = MAX_DEPTH,
) -> str:
    """``text`` with its variables replaced; ``missing`` gives what stands for one that is not set.

    ``told`` is called with the name of each variable and what stands for it now, be it a default.

    Raises:
        SpecError: a variable is missing and has no default, or a ``$`` begins none; or defaults are too deep, or it
            all grows too large.

    Example:
        >>> interpolate("${SIZE:-2} of $COUNT, $$5", {"COUNT": "7"})
        '2 of 7, $5'
        >>> interpolate("${A:+a}${B-${C:-c}}", {"A": "1"}), interpolate("<$A>", {}, missing=lambda name: "")
        ('ac', '<>')
    """
    if _depth < 0:
        raise SpecError("variables stand in defaults of defaults too deep", hint="Write it in simpler words.")
    values = _Values(environment, missing, told, _depth - 1)
    parts: list[str] = []
    position = length = 0
    while (found := text.find("$", position)) >= 0:
        parts.append(text[position:found])
        length += found - position
        value, position = values.at(text, found)
        parts.append(value)
        length += len(value)
        if length > MAX_CHARACTERS:
            raise SpecError("a text grows too large through its variables", hint="Write it in simpler words.")
    return "".join([*parts, text[position:]])


def _closing(text: str, start: int) -> int:
    """Where the brace closes that opened before ``start``."""
    depth = 1
    for index in range(start, len(text)):
        if text.startswith("${", index):
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    raise SpecError(
        f"a variable is not closed in {_cut(text)!r}", hint="Close it with }, or write $$ for a dollar sign."
    )


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."


class _Values:
    """What variables stand for, at one depth of defaults."""

    def __init__(self, environment: Mapping[str, str], missing: Missing | None, told: Told | None, depth: int) -> None:
        self._environment = environment
        self._missing = missing
        self._told = told
        self._depth = depth

    def at(self, text: str, start: int) -> tuple[str, int]:
        """The value of what begins at ``start``, and where it ends."""
        if text.startswith("$$", start):
            return "$", start + 2
        if text.startswith("${", start):
            end = _closing(text, start + 2)
            return self._braced(text[start + 2 : end]), end + 1
        named = _NAME.match(text, start + 1)
        if named is None:
            raise SpecError(
                f"a lone $ in {_cut(text)!r}", hint="Write ${NAME} for a variable, or $$ for a dollar sign."
            )
        return self._braced(named.group()), named.end()

    def _inner(self, text: str) -> str:
        return interpolate(text, self._environment, missing=self._missing, told=self._told, _depth=self._depth)

    def _braced(self, inside: str) -> str:
        match = _BRACED.fullmatch(inside)
        if match is None:
            raise SpecError(f"${{{_cut(inside)}}} is not a variable", hint="Write ${NAME} or ${NAME:-default}.")
        name, operator, rest = match.group(1), match.group(2) or "", match.group(3) or ""
        value = self._value(name, operator, rest)
        if self._told is not None:
            self._told(name, value)
        return value

    def _value(self, name: str, operator: str, rest: str) -> str:
        value = self._environment.get(name)
        given = value is not None and (value != "" or not operator.startswith(":"))
        if operator.endswith("+"):
            return self._inner(rest) if given else ""
        if given and value is not None:
            return value
        if operator.endswith("-"):
            return self._inner(rest)
        if operator.endswith("?") and rest:
            raise SpecError(f"{name}: {self._inner(rest)}", hint=f"Set {name} in the environment.")
        if self._missing is not None and not operator:
            return self._missing(name)
        raise SpecError(
            f"{name} is not set in the environment, and has no default",
            hint=f"Set it, or write ${{{name}:-DEFAULT}}.",
        )
