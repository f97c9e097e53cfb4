"""What ``${VAR}`` in a YAML stack stands for, as Compose has it.

``$VAR ${VAR} ${VAR:-default} ${VAR-default} ${VAR:?message} ${VAR?message} ${VAR:+other} ${VAR+other}``, and ``$$`` for
one dollar sign; defaults may hold variables themselves. Where Compose takes a missing variable for empty, this is an
error. Source: https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlox.errors import SpecError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(rf"({_NAME.pattern})(?:(:?[-?+])(.*))?", re.DOTALL)


def interpolate(text: str, environment: Mapping[str, str]) -> str:
    """``text`` with its variables replaced.

    Raises:
        SpecError: a variable is missing and has no default, or a ``$`` begins none.

    Example:
        >>> interpolate("${SIZE:-2} of $COUNT, $$5", {"COUNT": "7"})
        '2 of 7, $5'
    """
    parts: list[str] = []
    position = 0
    while (found := text.find("$", position)) >= 0:
        parts.append(text[position:found])
        value, position = _variable(text, found, environment)
        parts.append(value)
    return "".join([*parts, text[position:]])


def _variable(text: str, start: int, environment: Mapping[str, str]) -> tuple[str, int]:
    """The value of what begins at ``start``, and where it ends."""
    if text.startswith("$$", start):
        return "$", start + 2
    if text.startswith("${", start):
        end = _closing(text, start + 2)
        return _braced(text[start + 2 : end], environment), end + 1
    named = _NAME.match(text, start + 1)
    if named is None:
        raise SpecError(f"a lone $ in {text!r}", hint="Write ${NAME} for a variable, or $$ for a dollar sign.")
    return _braced(named.group(), environment), named.end()


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
    raise SpecError(f"a variable is not closed in {text!r}", hint="Close it with }, or write $$ for a dollar sign.")


def _braced(inside: str, environment: Mapping[str, str]) -> str:
    match = _BRACED.fullmatch(inside)
    if match is None:
        raise SpecError(f"${{{inside}}} is not a variable", hint="Write ${NAME} or ${NAME:-default}.")
    name, operator, rest = match.group(1), match.group(2) or "", match.group(3) or ""
    value = environment.get(name)
    given = value is not None and (value != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return interpolate(rest, environment) if given else ""
    if given and value is not None:
        return value
    if operator.endswith("-"):
        return interpolate(rest, environment)
    if operator.endswith("?") and rest:
        raise SpecError(f"{name}: {interpolate(rest, environment)}", hint=f"Set {name} in the environment.")
    raise SpecError(
        f"{name} is not set in the environment, and has no default",
        hint=f"Set it, or write ${{{name}:-DEFAULT}}.",
    )
