"""Settings from environment variables, typed: what is wrong is told with the variable's name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class EnvironmentProblem(ValueError):
    """A variable is not set, or does not hold what it should; its value is never shown."""


class Environment:
    """Variables with a common ``prefix``. One that is empty counts as not set; without a default it has to be.

    Example:
        >>> variables = Environment("API_", {"API_PORT": "8080", "API_DEBUG": "no"})
        >>> variables.integer("PORT"), variables.flag("DEBUG"), variables.seconds("TIMEOUT", 2.5)
        (8080, False, 2.5)
    """

    def __init__(self, prefix: str = "", values: Mapping[str, str] | None = None) -> None:
        self.prefix = prefix
        self._values = os.environ if values is None else values

    def text(self, name: str, default: str | None = None) -> str:
        """As it is, without spaces around it."""
        return self.read(name, str, default, "a text")

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        return self.read(name, int, default, "a whole number")

    def number(self, name: str, default: float | None = None) -> float:
        """A number."""
        return self.read(name, float, default, "a number")

    def flag(self, name: str, default: bool | None = None) -> bool:
        """1, true, yes, on; or 0, false, no, off; in any case of letters."""
        return self.read(name, _flag, default, "1, true, yes, on, 0, false, no or off")

    def seconds(self, name: str, default: float | None = None) -> float:
        """A duration such as ``90``, ``90s``, ``1h30m`` or ``250ms``, in seconds."""
        return self.read(name, _seconds, default, "a duration such as 90s or 1h30m")

    def items(self, name: str, default: Sequence[str] | None = None) -> list[str]:
        """What stands between commas, without empty ones."""
        given = None if default is None else list(default)
        return self.read(name, lambda text: [one.strip() for one in text.split(",") if one.strip()], given, "a list")

    def path(self, name: str, default: Path | None = None) -> Path:
        """A path, with ``~`` resolved."""
        return self.read(name, lambda text: Path(text).expanduser(), default, "a path")

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of ``choices``."""
        return self.read(name, lambda text: choices[choices.index(text)], default, f"one of {', '.join(choices)}")

    def read(self, name: str, parse: Callable[[str], T], default: T | None, expected: str) -> T:
        """What ``parse`` makes of the variable; ``expected`` says in words what it takes.

        Raises:
            EnvironmentProblem: it is not set and there is no default, or ``parse`` raises a ValueError.
        """
        whole = f"{self.prefix}{name}"
        text = self._values.get(whole, "").strip()
        if not text:
            if default is None:
                raise EnvironmentProblem(f"{whole} is not set: it takes {expected}")
            return default
        try:
            return parse(text)
        except ValueError:
            # Without its cause, which would show the value.
            raise EnvironmentProblem(f"{whole} does not hold {expected}") from None


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def _seconds(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhd])", text)
    if not parts or "".join(f"{amount}{unit}" for amount, unit in parts) != text:
        raise ValueError
    return sum(float(amount) * _UNITS[unit] for amount, unit in parts)
